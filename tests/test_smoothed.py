"""Rules of rates where there are spikes: twins, closed forms of what single spikes add, any cells and wirings, refusals."""

import math

import numpy as np
import pytest
from interpreting import interpreted
from naive import smoothed_learned
from replay import replay
from test_rate_rules import RULES

from hebbscope import Network, Population, Projection, compare, measure_drift, reduce, simulate
from hebbscope.models import (
    LIF,
    AdEx,
    CommonSourcePoisson,
    ConductanceLIF,
    EscapeNoise,
    FixedInDegree,
    HomogeneousPoisson,
    Izhikevich,
    LinearPoisson,
    OrnsteinUhlenbeckPoisson,
    PatternPoisson,
    RecordedSpikes,
)
from hebbscope.rules import (
    L1,
    Covariance,
    DoubleExponential,
    Hebb,
    Linsker,
    Miller,
    Oja,
    PairSTDP,
    Sanger,
    SpikeHebb,
)
from hebbscope.simulator.clock_run import CELLS_PER_SHARD, sharing
from hebbscope.simulator.protocols import LEVELS, ParameterError
from hebbscope.simulator.smoothed import Smoothed

TAU = 50e-3


# Twins ----------------------------------------------------------------------------------------------------------------


def trains(n, end, seed, rate=20.0):
    """Poisson trains (lists of times [s]), in order."""
    random = np.random.default_rng(seed)
    return [np.sort(random.uniform(0.0, end, random.poisson(rate * end))).tolist() for _ in range(n)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_each_rule_does_what_its_plain_twin_does(rule):
    """With a spike in the end, before which all holds are learned."""
    pre, post = trains(5, 3.0, 1), trains(3, 3.0, 2)
    pre[0].append(3.001)
    start = np.random.default_rng(3).uniform(0.1, 0.5, (3, 5))
    with interpreted():
        found = replay(Smoothed(rule, 30e-3), pre, post, start)
    wanted = smoothed_learned(rule, pre, post, start, 30e-3, 3.0)
    assert np.abs(wanted - start).max() > 1e-3
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


def test_spikes_by_hand():
    """One of each side, 7 ms apart, and holds of 10 ms: the sum over ends of holds of x y 10 ms, that of exponentials: a geometric series."""
    x, y, end = 2e-3, 9e-3, 2.0
    found = replay(Smoothed(Hebb(eta=1.0), TAU), [[x, end]], [[y]], [[0.0]])
    first = math.exp(-(10e-3 - x) / TAU) * math.exp(-(10e-3 - y) / TAU) / TAU**2
    np.testing.assert_allclose(found, 10e-3 * first / (1.0 - math.exp(-2 * 10e-3 / TAU)), rtol=1e-12)


# What single spikes add -----------------------------------------------------------------------------------------------


def same_in_either_order(tau):
    """exp(-|s| / tau) / (2 tau)."""
    return DoubleExponential(0.5 / tau, -0.5 / tau, tau, tau)


def driven(rule, inputs, n=8, weights=0.1, **options):
    source, target = Population("inputs", n, inputs), Population("cells", 1, LinearPoisson(base_rate=5.0))
    return Network([source, target], [Projection(source, target, weights, rule, **options)])


@pytest.mark.parametrize("engine", ["event", "clock"])
@pytest.mark.parametrize("level", ["spike", "surrogate"])
@pytest.mark.parametrize("smoothing", [10e-3, 50e-3])
def test_hebb_is_a_rule_of_pairs_in_either_order(engine, level, smoothing):
    """Within three standard errors of the learning equation of this rule of spikes, whose causal term is absent at the surrogate level; and these tell
    the two levels apart. In steps of dt a spike is seen by half of one later, on average, than in continuous time."""
    inputs, weights, dt = OrnsteinUhlenbeckPoisson(sd=5.0, n_modulated=8), np.linspace(0.05, 0.4, 8), 1e-4
    network = driven(Hebb(eta=1e-6), inputs, weights=weights, smoothing=smoothing)
    found = measure_drift(network, 150.0, seeds=range(1, 17), wait=1.0, level=level, engine=engine, dt=dt)
    pairs = driven(SpikeHebb(same_in_either_order(smoothing), 1e-6, 0.0, 0.0), inputs, weights=weights)
    equations = {each: reduce(pairs, causal=each == "spike") for each in ("spike", "surrogate")}
    expected = {each: equation.drift(weights[None])[0] for each, equation in equations.items()}
    samples = found.samples["inputs_to_cells"][:, 0]
    late = dt / (2 * smoothing) if engine == "clock" else 0.0
    along = np.linspace(-1.0, 1.0, 8)
    for direction in (np.ones(8) / 8, along / 8):
        along_it = samples @ direction
        error = along_it.std(ddof=1) / 4.0
        wanted = expected[level] @ direction
        assert abs(along_it.mean() - wanted) < 3.0 * error + 2 * late * abs(wanted)
    between = (expected["spike"] - expected["surrogate"]) @ along / 8
    assert abs(between) > 4.0 * (samples @ along / 8).std(ddof=1) / 4.0


def alpha_integrals(tau, tau_m):
    """int K(s) eps(s) ds and int K(s) int eps(u) eps(u + s) du ds for K = exp(-|s| / tau) / (2 tau) and eps(s) = s exp(-s / tau_m) / tau_m^2, s > 0."""
    a = 1.0 / tau + 1.0 / tau_m
    return 1.0 / (2 * tau * (tau_m * a) ** 2), (1.0 / a + 1.0 / (tau_m * a**2)) / (4 * tau * tau_m)


@pytest.mark.parametrize("rule", [Covariance(eta=1e-5, tau=1e4), Oja(eta=1e-5, tau=1e4)], ids=["covariance", "Oja"])
def test_what_spikes_of_independent_trains_teach(rule):
    """Rates that never vary have no covariance, smoothed spikes have: an input's with the output that it drives, and the variance of the output, which is
    that of its own spikes and of the inputs' through the EPSP. Running means of T s are the means but for a share of 2 TAU / T."""
    weights, rate, T = np.linspace(0.02, 0.3, 8), 15.0, 400.0
    network = driven(rule, HomogeneousPoisson(rate), weights=weights)
    found = measure_drift(network, T, seeds=range(1, 17), wait=T, engine="event")
    shared, own = alpha_integrals(TAU, 10e-3)
    covariance = rate * weights * shared
    variance = (5.0 + rate * weights.sum()) / (2 * TAU) + rate * (weights**2).sum() * own
    expected = rule.eta * (covariance - (variance * weights if isinstance(rule, Oja) else 0.0))
    np.testing.assert_allclose(found.formula["inputs_to_cells"][0], expected, rtol=1e-12)
    samples = found.samples["inputs_to_cells"][:, 0]
    for direction in (np.ones(8) / 8, np.linspace(-1.0, 1.0, 8) / 8):
        along = samples @ direction
        assert abs(along.mean() - expected @ direction) < 3.0 * along.std(ddof=1) / 4.0
        assert abs(expected @ direction) > 6.0 * along.std(ddof=1) / 4.0


def test_linskers_rule_is_slowed_down_in_all_that_it_does():
    """k1 + k2 <w>, and of independent trains the covariance of an input with the output that it drives."""
    rule, weights, rate = Linsker(k1=2e-4, k2=-1e-3, eta=1e-3, tau=1e4), np.linspace(0.02, 0.3, 8), 15.0
    network = driven(rule, HomogeneousPoisson(rate), weights=weights)
    found = measure_drift(network, 200.0, seeds=range(1, 9), wait=200.0, engine="event")
    expected = 2e-4 - 1e-3 * weights.mean() + 1e-3 / 8 * rate * weights.mean() * alpha_integrals(TAU, 10e-3)[0]
    (row,) = found.rows
    assert row.formula == pytest.approx(expected, rel=1e-12)
    assert abs(row.drift - expected) < 3.5 * row.error and row.error < 0.1 * abs(expected)


RANDOM = np.random.default_rng(1)
INPUTS = {
    "rates that vary": OrnsteinUhlenbeckPoisson(sd=5.0, n_modulated=4),
    "common spikes": CommonSourcePoisson(n_correlated=4),
    "patterns": PatternPoisson(RANDOM.uniform(0, 40, (6, 8)), 0.1),
    "patterns in order": PatternPoisson(RANDOM.uniform(0, 40, (6, 8)), 0.1, in_order=1),
    "recording": RecordedSpikes(np.sort(RANDOM.uniform(0, 20, 1600)), RANDOM.integers(0, 8, 1600), 20.0, loop=1),
}


@pytest.mark.parametrize("causal", [True, False], ids=["spike", "surrogate"])
@pytest.mark.parametrize("inputs", INPUTS.values(), ids=INPUTS)
def test_the_equation_of_hebb_is_that_of_pairs_in_either_order(inputs, causal):
    weights = np.linspace(0.05, 0.4, 8)
    rates = reduce(driven(Hebb(eta=1e-6), inputs, weights=weights), causal=causal, spikes=True)
    pairs = reduce(driven(SpikeHebb(same_in_either_order(TAU), 1e-6, 0.0, 0.0), inputs, weights=weights), causal=causal)
    np.testing.assert_allclose(rates.drift(weights), pairs.drift(weights), rtol=1e-12)
    np.testing.assert_allclose(rates.matrix(), pairs.matrix(), rtol=1e-10, atol=1e-18)


@pytest.mark.parametrize("level", ["spike", "surrogate"])
@pytest.mark.parametrize("inputs", ["rates that vary", "common spikes", "patterns in order"])
def test_the_variance_of_an_output_is_that_of_all_its_spikes(inputs, level):
    """Oja's rule, whose drift is for the most part that: within three standard errors of its equation, group by group of inputs."""
    weights = np.linspace(0.05, 0.4, 8)
    network = driven(Oja(eta=1e-5, tau=1e4), INPUTS[inputs], weights=weights)
    found = measure_drift(network, 300.0, seeds=range(1, 17), wait=300.0, level=level, engine="event")
    for row in found.rows:
        assert abs(row.z) < 3.0 and row.error < 0.04 * abs(row.formula)


# Any network ----------------------------------------------------------------------------------------------------------

# with a weight by which 6 inputs of 200 Hz drive them well
CELLS = [
    (LIF(drive=15e-3), 1.5e-3),
    (AdEx(), 5e-3),
    (ConductanceLIF(), 0.15),
    (Izhikevich(), 4e-3),
    (EscapeNoise(), 2e-3),
]


def shifted(spikes, n, steps, dt):
    """Trains (lists of times [s]) of n cells, so many steps later."""
    times = (np.round(spikes.t / dt).astype(int) + steps) * dt
    return [times[spikes.i == k].tolist() for k in range(n)]


@pytest.mark.parametrize("cells, weight", CELLS, ids=[type(each).__name__ for each, _ in CELLS])
def test_any_cells_learn_as_the_twin_does_from_their_spikes(cells, weight):
    """Sparse synapses with an axonal and a dendritic delay; the spikes are those that the run recorded."""
    dt, end, axon, dendrite = 2e-4, 0.6, 7, 3
    rule = Oja(eta=0.02 * weight, tau=1.0, w_min=0.0, w_max=3 * weight)
    inputs, targets = Population("inputs", 6, HomogeneousPoisson(200.0)), Population("cells", 3, cells)
    wiring = FixedInDegree(4, seed=2)
    late = {"connectivity": wiring, "delay": axon * dt, "dendritic_delay": dendrite * dt, "smoothing": 20e-3}
    network = Network([inputs, targets], [Projection(inputs, targets, weight, rule, **late)])
    with interpreted():
        run = simulate(network, end, dt=dt, record_spikes={"inputs": (0.0, end), "cells": (0.0, end)})
    pre, post = shifted(run.spikes["inputs"], 6, axon, dt), shifted(run.spikes["cells"], 3, dendrite, dt)
    assert len(run.spikes["cells"].t) >= 9
    there = np.zeros((3, 6), bool)
    there[network.projections[0].wiring.post, network.projections[0].wiring.pre] = True
    for i in range(3):
        own = np.flatnonzero(there[i])
        wanted = smoothed_learned(rule, [pre[j] for j in own], [post[i]], np.full((1, 4), weight), 20e-3, end)
        mine = network.projections[0].wiring.post == i
        np.testing.assert_allclose(run.final_weights[0, 0, mine], wanted[0], rtol=1e-9)
        assert np.abs(wanted / weight - 1.0).max() > 1e-3


def test_rules_that_look_at_all_targets_have_them_in_one_shard():
    """As many cells as make several shards with a rule of spikes; Sanger's second target learns what the first has left."""
    n = 2 * CELLS_PER_SHARD
    cells = Population("cells", n, LIF())

    def ring(rule):
        wiring = FixedInDegree(1, seed=1)
        return Network([cells], [Projection(cells, cells, 0.0, rule, connectivity=wiring, delay=1e-3)])

    shards = [sharing(ring(rule), 1e-4)[0] for rule in (PairSTDP(), Oja(w_min=0.0), Sanger(w_min=0.0))]
    assert shards == [2, 2, 1]


def test_rules_of_rates_and_of_spikes_learn_beside_each_other():
    """In one network, at the levels with spikes; the rate level has no spikes for one of them."""
    inputs, cells = Population("inputs", 5, HomogeneousPoisson(30.0)), Population("cells", 2, LIF(drive=25e-3))
    network = Network(
        [inputs, cells],
        [
            Projection(inputs, cells, 1e-3, Hebb(eta=1e-8, w_min=0.0)),
            Projection(inputs, cells, 0.1e-3, PairSTDP(), name="pairs"),
        ],
    )
    with interpreted():
        run = simulate(network, 0.3)
    assert all(np.any(weights != weights.flat[0]) for weights in run.final.values())
    with pytest.raises(ParameterError, match="not by both in one network"):
        simulate(network, 0.3, level="rate")


def test_how_a_run_is_cut_leaves_no_mark():
    """With records within holds and at their ends."""
    network = driven(Oja(eta=1e-4), HomogeneousPoisson(30.0), smoothing=13e-3)
    for how in ({"engine": "event"}, {"engine": "clock", "dt": 5e-4}):
        with interpreted():
            whole, cut = (simulate(network, 1.0, record_every=every, **how) for every in (1.0, 0.0125))
        np.testing.assert_array_equal(whole.final_weights, cut.final_weights)


@pytest.mark.parametrize("rate", [0.0, 1.0])
@pytest.mark.parametrize("options", [{}, {"normalisation": L1(norm=0.9, every=0.25)}], ids=["free", "normed"])
def test_silence_counts_too(rate, options):
    """Weights that change by themselves do so between spikes: at each record, and before a norm is set, in either engine."""
    rule = Linsker(k1=0.02, k2=-0.01, eta=1e-9)
    source, target = Population("inputs", 8, HomogeneousPoisson(rate)), Population("cells", 1, LinearPoisson())
    network = Network([source, target], [Projection(source, target, 0.1, rule, **options)])
    with interpreted():
        exact, steps = (
            simulate(network, 1.0, engine=engine, dt=1e-3, record_every=0.125).weights for engine in ("event", "clock")
        )
    np.testing.assert_allclose(exact, steps, rtol=1e-6)
    assert np.ptp(exact.mean(axis=(0, 2, 3))) > 5e-3
    if not options:
        grown = 0.1 + 0.019 * np.floor(np.arange(9) * 12.5) * 1e-2  # holds of 10 ms that are over
        np.testing.assert_allclose(exact.mean(axis=(0, 2, 3)), grown, rtol=2e-3)


def test_the_rate_description_has_no_causal_term():
    network = driven(Covariance(eta=1e-4), OrnsteinUhlenbeckPoisson(sd=5.0, n_modulated=4))
    with interpreted():
        runs = [simulate(network, 2.0, level=level, seeds=(1, 2), record_every=0.5) for level in LEVELS]
    text = repr(compare(*runs))
    assert "causal" not in text and "approximate (rates alone, no single spikes)" in text


# Refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "smoothing, problem",
    [
        (0.0, "smoothing: must be finite and >= 10 us, got 0"),
        (1e-9, "smoothing: must be finite and >= 10 us, got 1e-09"),
        (math.inf, "smoothing: must be finite and >= 10 us, got inf"),
        (math.nan, "smoothing: must be finite and >= 10 us, got nan"),
        (True, "smoothing: must be a number in s, got True"),
        ("long", "smoothing: must be a number in s, got 'long'"),
        ([0.1, 0.2], r"smoothing: must be a number in s, got \[0.1, 0.2\]"),
    ],
)
def test_a_time_that_is_none_is_named(smoothing, problem):
    with pytest.raises(ParameterError, match=problem):
        driven(Oja(), HomogeneousPoisson(), smoothing=smoothing)


@pytest.mark.parametrize("field", ["delay", "dendritic_delay"])
@pytest.mark.parametrize("rule", [Linsker(), Sanger(), Miller()], ids=lambda rule: type(rule).__name__)
def test_a_rule_that_looks_at_all_synapses_of_a_cell_has_one_delay(rule, field):
    late = np.where(np.arange(8) < 4, 1e-3, 2e-3)
    words = rf"inputs_to_cells.{field}: must be one for {type(rule).__name__}, which looks at all synapses of a cell, got '1 ms to 2 ms'"
    with pytest.raises(ParameterError, match=words):
        simulate(driven(rule, HomogeneousPoisson(), **{field: late}), 1.0)


def test_steps_are_shorter_than_the_smoothing():
    network = driven(Oja(), HomogeneousPoisson(), smoothing=1e-3)
    with pytest.raises(ParameterError, match=r"dt: must be < inputs_to_cells.smoothing = 0.001 s, got 0.002"):
        simulate(network, 1.0, engine="clock", dt=2e-3)


def test_a_projection_prints_the_time_that_is_its_own():
    assert "smoothing 20 ms" in repr(driven(Oja(), HomogeneousPoisson(), smoothing=20e-3))
    assert "smoothing" not in repr(driven(Oja(), HomogeneousPoisson()))
