"""The averaged triplet rule under correlated input, against spikes with weights that stand still and against plain sums over a recording."""

import math

import numpy as np
import pytest
from frozen import frozen
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline
from scipy.signal import lfilter
from test_golden import agrees

from hebbscope import HebbscopeError, ParameterError, reduce, simulate
from hebbscope.models import (
    CommonSourcePoisson,
    ExponentialPoisson,
    HomogeneousPoisson,
    LinearPoisson,
    ModulatedPoisson,
    OrnsteinUhlenbeckPoisson,
    PatternPoisson,
    RecordedSpikes,
)
from hebbscope.rules import (
    HIPPOCAMPUS_FULL,
    HIPPOCAMPUS_MINIMAL,
    VISUAL_CORTEX_FULL,
    VISUAL_CORTEX_MINIMAL,
    VISUAL_CORTEX_NEAREST_FULL,
    VISUAL_CORTEX_NEAREST_MINIMAL,
    Triplet,
    third_cumulants,
)
from hebbscope.rules.filters import exponential, traced
from hebbscope.rules.window_integrals import convolve, evaluate
from hebbscope.simulator.synapses import synapses

N = 10
WEIGHTS = np.linspace(0.02, 0.18, N)
MINIMAL = Triplet(w_min=-math.inf)
FULL = Triplet(w_min=-math.inf, A2_plus=4e-3, A3_minus=2e-2)
PATTERNS = np.random.default_rng(3).gamma(1.0, 10.0, (7, N))
INPUTS = {
    "common source": CommonSourcePoisson(10.0, 0.3, 0.0, N),
    "common source of some": CommonSourcePoisson(10.0, 0.5, 0.0, 5),
    "common source with jitter": CommonSourcePoisson(10.0, 0.4, 10e-3, N),
    "Ornstein-Uhlenbeck": OrnsteinUhlenbeckPoisson(10.0, 5.0, 50e-3, N),
    "10 Hz": ModulatedPoisson(10.0, 10.0, 10.0, 0.0, N),
    "5 and 10 Hz": ModulatedPoisson(10.0, np.full(N, 9.0), np.repeat([5.0, 10.0], 5), np.linspace(0.0, 1.5, N)),
    "patterns": PatternPoisson(PATTERNS, 0.05),
    "patterns in order": PatternPoisson(PATTERNS, 0.03, 1),
}
DURATION, SEEDS = 2000.0, range(1, 33)


@pytest.mark.parametrize("rule", [MINIMAL, FULL], ids=["minimal", "full"])
@pytest.mark.parametrize("level", ["spike", "surrogate"])
@pytest.mark.parametrize("name", INPUTS)
def test_drift_under_correlated_input(name, level, rule):
    network = frozen(INPUTS[name], LinearPoisson(base_rate=2.0), rule, WEIGHTS)
    run = simulate(network, DURATION, level=level, seeds=SEEDS, record_every=DURATION, record_spikes={})
    found = run.final_weights[:, 0] / DURATION
    theory = reduce(network, causal=level == "spike").drift(np.zeros(N))
    error = found.std(0, ddof=1) / math.sqrt(len(SEEDS))
    # 320 synapses in all these tests, Student's t with 31 degrees of freedom: 5.3 is passed by chance in 3 of 1,000 trials of all.
    assert (np.abs(found.mean(0) - theory) < 5.3 * error).all()
    # Where drifts of both signs cancel their sum says little; the difference along the weights says more.
    half = np.repeat([-1.0, 1.0], N // 2) if abs(theory.mean()) < 5.0 * error.mean() else np.ones(N)
    agrees(found @ half, theory @ half, 0.2)


def test_common_events_are_seen_in_the_drift():
    """Without the third cumulants the theory is off by more than the spikes leave open."""
    network = frozen(INPUTS["common source"], LinearPoisson(base_rate=2.0), MINIMAL, WEIGHTS)
    run = simulate(network, DURATION, level="surrogate", seeds=SEEDS, record_every=DURATION, record_spikes={})
    found = run.final_weights[:, 0].mean(1) / DURATION
    equation = reduce(network, causal=False)
    equation.statistics.third.clear()
    assert abs(equation.drift(np.zeros(N)).mean() - found.mean()) > 4.0 * found.std(ddof=1) / math.sqrt(len(SEEDS))


# The nearest spikes ----------------------------------------------------------------------------------------------------

EVERY_TERM = VISUAL_CORTEX_NEAREST_FULL._replace(A2_plus=6e-3, A3_minus=2e-2, w_min=-math.inf)


@pytest.mark.parametrize("y", [3.0, 12.0, 40.0])
@pytest.mark.parametrize("x", [3.0, 12.0, 40.0])
@pytest.mark.parametrize(
    "rule", [EVERY_TERM, VISUAL_CORTEX_NEAREST_MINIMAL._replace(w_min=-math.inf)], ids=["every term", "minimal"]
)
def test_drift_of_the_nearest_spikes(rule, x, y):
    """32 seeds of 300 s: within three standard errors, which are below a fifth of what potentiates."""
    network = frozen(HomogeneousPoisson(x), LinearPoisson(base_rate=y), rule, np.zeros(N))
    run = simulate(network, 300.0, seeds=SEEDS, record_every=300.0, record_spikes={})
    found = run.final_weights[:, 0].mean(1) / 300.0
    error = found.std(ddof=1) / math.sqrt(len(SEEDS))
    gain = x * y * rule.lasting(rule.tau_plus, x) * (rule.A2_plus + rule.A3_plus * rule.lasting(rule.tau_y, y) * y)
    assert abs(found.mean() - rule.drift(x, y)) < 3.0 * error < 0.2 * gain, (found.mean(), rule.drift(x, y), error)


@pytest.mark.parametrize("rule", [FULL, EVERY_TERM], ids=["all-to-all", "nearest"])
def test_held_rates_change_weights_by_the_traces_that_they_leave(rule):
    """Against the equations of the mean traces, solved by scipy through three pairs of rates: dr/dt = -r / tau + x, or x (1 - r) for the nearest spikes."""
    rates = [(5.0, 40.0), (30.0, 2.0), (10.0, 15.0)]
    state, w = rule.init_rates(1, 1), synapses(np.zeros((1, 1)))

    def slope(t, now, x, y):
        fed = 1.0 - rule.nearest * now[1:]
        r1, o1 = x / (1.0 / rule.tau_plus + rule.nearest * x), y / (1.0 / rule.tau_minus + rule.nearest * y)
        change = (
            x
            * y
            * (r1 / x * (rule.A2_plus + rule.A3_plus * now[2]) - o1 / y * (rule.A2_minus + rule.A3_minus * now[1]))
        )
        return [change, -now[1] / rule.tau_x + x * fed[0], -now[2] / rule.tau_y + y * fed[1]]

    now = np.zeros(3)
    for x, y in rates:
        rule.on_rates(state, w, 0, np.array([x]), np.array([y]), 0.07)
        now = solve_ivp(slope, (0.0, 0.07), now, args=(x, y), rtol=1e-11, atol=1e-14).y[:, -1]
        assert w.value[0] == pytest.approx(now[0], rel=1e-8)
    rule.on_rates(state, w, 0, np.array([10.0]), np.array([15.0]), 1e3)
    assert (w.value[0] - now[0]) / 1e3 == pytest.approx(rule.drift(10.0, 15.0), rel=1e-3)


def test_where_the_nearest_spikes_change_the_sign():
    """Where A3_plus y / ((1 / tau_plus + x) (1 / tau_y + y)) = A2_minus / (1 / tau_minus + y), a quadratic equation in y."""
    r = VISUAL_CORTEX_NEAREST_MINIMAL
    for x in (1.0, 10.0, 50.0):
        lost = r.A2_minus * (1.0 / r.tau_plus + x) / r.A3_plus
        roots = np.roots([1.0, 1.0 / r.tau_minus - lost, -lost / r.tau_y])
        assert r.sign_change(x) == pytest.approx(roots.max(), rel=1e-9)
    with pytest.raises(
        HebbscopeError, match=r"Triplet: the nearest spikes have an average for independent trains alone"
    ):
        reduce(frozen(INPUTS["10 Hz"], LinearPoisson(), r._replace(w_min=-math.inf), WEIGHTS))


def test_thresholds_of_the_published_sets():
    """theta = (A2_minus tau_minus - A2_plus tau_plus + A3_minus tau_minus tau_x x) / (A3_plus tau_plus tau_y), as BCM rules."""
    for rule, x, theta in (
        (VISUAL_CORTEX_MINIMAL, 10.0, 19.22),
        (VISUAL_CORTEX_FULL, 10.0, 18.72),
        (HIPPOCAMPUS_MINIMAL, 10.0, 5.38),
    ):
        assert rule.sign_change(x) == pytest.approx(theta, abs=0.006)
    assert math.isnan(HIPPOCAMPUS_FULL.sign_change(0.0))  # A3_minus alone makes it depress


# Third cumulants of rates, against those of rates filtered on a grid ---------------------------------------------------

STEP = 5e-5  # s
EPS, R1, R2 = ((1e4, 1, 100.0),), exponential(16.8e-3), exponential(40e-3)
O1, O2 = traced(EPS, 33.7e-3), traced(EPS, 114e-3)


def on_a_grid(rates, skipped):
    """kappa(r1 of i, output, o2) and kappa(S_i, r2 of i, o1) from rates (n_times, n), by averages over all but what is skipped."""

    def trace(x, tau):
        kept = math.exp(-STEP / tau)
        return lfilter([0.5 * STEP, 0.5 * STEP * kept], [1.0, -kept], x, axis=0)

    varying = rates - rates[skipped:].mean(0)
    out = trace(trace(varying @ WEIGHTS, 10e-3), 10e-3) * 1e4
    first = trace(varying, 16.8e-3) * (out * trace(out, 114e-3))[:, None]
    second = varying * trace(varying, 40e-3) * trace(out, 33.7e-3)[:, None]
    return first[skipped:].mean(0), second[skipped:].mean(0)


def stated(part):
    (kind,) = part.third_cumulants(N)
    return (
        third_cumulants.pre_post_post(kind, R1, EPS, O2, WEIGHTS, True),
        third_cumulants.pre_pre_post(kind, R2, O1, WEIGHTS),
    )


@pytest.mark.parametrize("name", ["5 and 10 Hz", "patterns in order"])
def test_third_cumulants_of_rates_that_repeat(name):
    """Over whole periods, after 2 s in which the slowest trace forgets its start. Jumps between patterns fall on the grid, half a step late."""
    part, period = INPUTS[name], 0.2 if name == "5 and 10 Hz" else 7 * 0.03
    skipped, once = round(2.0 / STEP), round(period / STEP)
    t = np.arange(skipped + once) * STEP
    if name == "5 and 10 Hz":
        rates = 10.0 + 9.0 * np.cos(2.0 * np.pi * part.frequency * t[:, None] + part.phase)
    else:
        rates = PATTERNS[np.floor((t + 0.5 * STEP) / 0.03).astype(int) % 7]
    for found, expected in zip(stated(part), on_a_grid(rates, skipped), strict=True):
        assert np.abs(found).max() > 0.0 and np.allclose(found, expected, rtol=0, atol=3e-3 * np.abs(expected).max())


def test_third_cumulants_of_patterns_at_random():
    """Thirty sequences of 12 s; the mean over them within 4.5 of its standard errors, for twenty numbers."""
    rng = np.random.default_rng(5)
    hold = round(0.05 / STEP)
    runs = [on_a_grid(np.repeat(PATTERNS[rng.integers(0, 7, 280)], hold, axis=0), 40 * hold) for _ in range(30)]
    for found, several in zip(stated(INPUTS["patterns"]), np.swapaxes(runs, 0, 1), strict=True):
        error = several.std(0, ddof=1) / math.sqrt(30)
        assert (np.abs(several.mean(0) - found) < 4.5 * error).all()
        assert np.abs(found / error).max() > 8.0


# A recording ----------------------------------------------------------------------------------------------------------

LENGTH = 3.0  # s of the recording
NODES, MEASURE = np.polynomial.legendre.leggauss(20)


def recording(loop):
    rng = np.random.default_rng(0)
    times = np.sort(np.concatenate([rng.uniform(0.0, LENGTH, 40), rng.uniform(1.0, 1.1, 20)]))
    return RecordedSpikes(times, rng.integers(0, 3, len(times)), LENGTH, loop)


def traced_by_kummer(terms, tau):
    """The trace of an EPSP as a function, from a fine table."""
    x = np.linspace(0.0, 8.0, 80_001)
    table = CubicSpline(x, convolve(terms, exponential(tau), x))
    return lambda u: np.where(u > 0.0, table(np.maximum(u, 0.0)), 0.0)


def by_hand(part, neuron, rule, weights, causal):
    """The drift of each synapse from the definition of the rule: a sum over its spikes, with integrals cut at all later ones."""
    laps = range(-2, 3) if part.loop else (0,)
    times = np.concatenate([part.times + LENGTH * lap for lap in laps])
    sources = np.tile(part.sources, len(laps))
    base, terms = neuron.base_rate, neuron.epsp_terms()
    minus, y = traced_by_kummer(terms, rule.tau_minus), traced_by_kummer(terms, rule.tau_y)

    def driven(response, t, level, spike):
        """What all spikes, or all but one, have left by the times t."""
        others = np.ones(len(times)) if causal else np.arange(len(times)) != spike
        return level + response(t[:, None] - times) @ (weights[sources] * others)

    found = np.zeros(len(weights))
    for k in np.flatnonzero((times >= 0.0) & (times < LENGTH)):
        t, i = times[k], sources[k]
        edges = np.unique(np.concatenate([[t, t + 0.05, t + 0.1, t + 0.6], times[(times > t) & (times < t + 0.6)]]))
        half = 0.5 * np.diff(edges)[:, None]
        nodes = (edges[:-1, None] + half * (1.0 + NODES)).ravel()
        gain = rule.A2_plus + rule.A3_plus * driven(y, nodes, base * rule.tau_y, k)
        change = np.exp(-(nodes - t) / rule.tau_plus) * driven(neuron.epsp, nodes, base, k) * gain
        found[i] += (half * MEASURE).ravel() @ change
        now = np.array([t])
        found[i] -= rule.A2_minus * driven(minus, now, base * rule.tau_minus, k)[0]
        for earlier in np.flatnonzero((sources == i) & (times < t)):
            r2 = math.exp(-(t - times[earlier]) / rule.tau_x)
            found[i] -= rule.A3_minus * r2 * driven(minus, now, base * rule.tau_minus, earlier)[0]
    return found / LENGTH


@pytest.mark.parametrize("causal", [True, False], ids=["causal", "without"])
@pytest.mark.parametrize("loop", [0, 1], ids=["once", "looped"])
@pytest.mark.parametrize("neuron", [LinearPoisson, ExponentialPoisson])
def test_drift_of_a_recording_is_that_of_its_spikes(neuron, loop, causal):
    part, weights = recording(loop), np.array([0.05, 0.1, 0.3])
    for rule in (MINIMAL, FULL):
        network = frozen(part, neuron(base_rate=2.0), rule, weights)
        found = reduce(network, causal=causal).drift(np.zeros(3))
        assert np.allclose(found, by_hand(part, neuron(base_rate=2.0), rule, weights, causal), rtol=1e-6, atol=0)


def test_nothing_is_learned_from_silence():
    part = RecordedSpikes(np.zeros(0), np.zeros(0, int), LENGTH, 1)
    assert (reduce(frozen(part, LinearPoisson(base_rate=2.0), FULL, np.ones(3))).drift(np.zeros((2, 3))) == 0.0).all()


# Filters --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tau", [5e-3, 9.4e-3, 9.7e-3, 10e-3, 10.4e-3, 10.7e-3, 0.1])
def test_a_trace_of_an_epsp_for_near_and_far_decay_times(tau):
    """Against Kummer's function, which has no need to tell near from far."""
    eps, x = tuple(LinearPoisson(tau=10e-3).epsp_terms()), np.linspace(0.0, 0.3, 301)
    expected = convolve(eps, exponential(tau), x)
    assert np.allclose(evaluate(traced(eps, tau), x), expected, rtol=0, atol=1e-12 * expected.max())


def test_an_epsp_that_is_no_sum_of_terms_is_named():
    class Neuron:
        base_rate, threshold, gain = 0.0, 0.0, 1.0

    network = frozen(INPUTS["10 Hz"], LinearPoisson(), MINIMAL, WEIGHTS)
    equation = MINIMAL.learning_equation(reduce(network).statistics, Neuron(), True)
    with pytest.raises(ParameterError, match=r"Neuron\.epsp_terms: must state its EPSP as terms"):
        equation.drift(np.zeros(N))
