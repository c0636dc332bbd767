"""Pair STDP with every pairing and dependence: against plain twins, against its learning equation, and its stationary densities."""

import math
import re
from pathlib import Path
from typing import NamedTuple

import naive
import numpy as np
import pytest
from interpreting import interpreted
from replay import replay
from test_rules import TRAINS

from hebbscope import HebbscopeError, Network, ParameterError, Population, Projection, reduce, simulate
from hebbscope.models import CommonSourcePoisson, Direct, HomogeneousPoisson, LinearPoisson, PushPull, Uniform
from hebbscope.rules import (
    ALL_TO_ALL,
    NEAREST_SYMMETRIC,
    PRESYNAPTIC_CENTRED,
    REDUCED_SYMMETRIC,
    STDP,
    FixedThreshold,
    Logarithmic,
    Pairing,
    PairSTDP,
    PowerLaw,
    SlidingThreshold,
)
from hebbscope.rules.elementary import normals
from hebbscope.rules.fokker_planck import stationary_density
from hebbscope.simulator import clock_run, streams
from hebbscope.simulator.checkpoint import arrays_of, put_back
from hebbscope.simulator.clock_run import ClockRun
from hebbscope.simulator.event_run import SeedRun

SCHEMES = {
    "all-to-all": ALL_TO_ALL,
    "nearest symmetric": NEAREST_SYMMETRIC,
    "presynaptic-centred": PRESYNAPTIC_CENTRED,
    "reduced symmetric": REDUCED_SYMMETRIC,
}
POSTSYNAPTIC_CENTRED = Pairing(pre_by_pre=1, post_by_pre=1)
DEPENDENCES = {
    "additive": (PowerLaw(), lambda w: 1.0, lambda w: 1.0),
    "multiplicative": (PowerLaw(1.0, 1.0), lambda w: 1.0 - w, lambda w: w),
    "between": (PowerLaw(0.3, 0.6), lambda w: (1.0 - w) ** 0.3, lambda w: w**0.6),
    "logarithmic": (
        Logarithmic(),
        lambda w: math.exp(-w / 12.5),
        lambda w: 4.0 * w if w <= 0.25 else 1.0 + math.log(1.0 + 5.0 * (4.0 * w - 1.0)) / 5.0,
    ),
}


@pytest.mark.parametrize("trains", TRAINS)
@pytest.mark.parametrize("name", DEPENDENCES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_weights_are_those_of_the_sum_over_the_pairs_that_count(scheme, name, trains):
    pre, post = TRAINS[trains]
    dependence, f_plus, f_minus = DEPENDENCES[name]
    rule = STDP(0.08, 0.05, 17e-3, 34e-3, pairing=SCHEMES[scheme], dependence=dependence)
    start = np.random.default_rng(1).uniform(0.2, 0.8, (len(post), len(pre)))
    plus, minus = (lambda w: 0.08 * f_plus(w)), (lambda w: 0.05 * f_minus(w))
    expected = naive.stdp(pre, post, start, scheme, plus, minus, 17e-3, 34e-3, 0.0, 1.0)
    np.testing.assert_allclose(replay(rule, pre, post, start), expected, rtol=0, atol=1e-12)
    assert np.abs(expected - start).max() > 1e-2


@pytest.mark.parametrize("trains", TRAINS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_threshold_scales_depression_by_the_power_of_the_average_rate(scheme, trains):
    """The average from sums over spikes, beside a threshold that stays, which is one on A_minus."""
    pre, post = TRAINS[trains]
    rule = STDP(0.08, 0.05, 17e-3, 34e-3, pairing=SCHEMES[scheme], threshold=SlidingThreshold(40.0, 0.2, 1.5))
    start = np.random.default_rng(1).uniform(0.2, 0.8, (len(post), len(pre)))

    def scale(spikes, t):
        average = 40.0 * math.exp(-t / 0.2) + sum(math.exp((u - t) / 0.2) for u in spikes) / 0.2
        return (average / 40.0) ** 1.5

    plus, minus = (lambda w: 0.08), (lambda w: 0.05)
    expected = naive.stdp(pre, post, start, scheme, plus, minus, 17e-3, 34e-3, 0.0, 1.0, scale=scale)
    got = replay(rule, pre, post, start)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)
    stays = replay(rule._replace(threshold=FixedThreshold(2.0)), pre, post, start)
    assert (stays == replay(rule._replace(threshold=FixedThreshold(), A_minus=0.1), pre, post, start)).all()
    assert np.abs(got - replay(rule._replace(threshold=FixedThreshold()), pre, post, start)).max() > 1e-3


LAWS = [PowerLaw(*exponents) for exponents in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (1.0, 0.5), (0.02, 3.0))]
LAWS += [Logarithmic(), Logarithmic(0.05, 2.0, 1.0)]


@pytest.mark.parametrize("law", LAWS)
def test_a_dependence_in_short_has_the_same_factors(law):
    """Without a power where both exponents are 0 or 1, and elsewhere by powers and logarithms that are taken for several weights at a time."""
    short = law.in_short()
    assert type(short) is not type(law)
    for w in np.linspace(0.0, 0.3, 31):
        assert short.f_plus(w, 0.3) == pytest.approx(law.f_plus(w, 0.3), rel=1e-13, abs=1e-15)
        assert short.f_minus(w, 0.3) == pytest.approx(law.f_minus(w, 0.3), rel=1e-13, abs=1e-15)


class Flat(NamedTuple):
    """A dependence of one's own that has nothing plainer."""

    height: float = 0.5
    relative = False

    def check(self):
        pass

    def f_plus(self, value, w_max):
        return self.height

    def f_minus(self, value, w_max):
        return self.height


def test_a_dependence_of_ones_own_goes_without_a_plainer_one():
    pre, post = TRAINS["random"]
    start = np.full((len(post), len(pre)), 0.5)
    flat, half = replay(STDP(dependence=Flat()), pre, post, start), replay(STDP(eta=0.5), pre, post, start)
    np.testing.assert_allclose(flat, half, rtol=0, atol=1e-12)


def test_additive_and_all_to_all_it_is_pair_stdp():
    pre, post = TRAINS["random"]
    start = np.full((len(post), len(pre)), 0.5)
    np.testing.assert_allclose(
        replay(STDP(), pre, post, start), replay(PairSTDP(), pre, post, start), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("level", ["spike", "surrogate"])
@pytest.mark.parametrize("engine", ["event", "clock"])
def test_push_pull_reads_no_weight_that_pair_stdp_has_kept_back(engine, level):
    """Off the bounds both rules make the same spikes of the same weights."""
    inputs, cell = (
        Population("inputs", 4, HomogeneousPoisson(40.0)),
        Population("cell", 1, LinearPoisson(base_rate=40.0)),
    )
    amplitudes, found = {"A_plus": 2e-3, "A_minus": 2e-3, "w_max": 10.0}, []
    for rule in (PairSTDP(**amplitudes), STDP(**amplitudes)):
        projection = Projection(inputs, cell, [[5.0, 5.1, 5.05, 4.9]], rule, transmission=PushPull())
        with interpreted():
            run = simulate(Network([inputs, cell], [projection]), 2.0, level=level, engine=engine, dt=1e-3)
        found.append(run)
    one, other = found
    np.testing.assert_allclose(one.spikes["cell"].t, other.spikes["cell"].t, rtol=1e-12)
    assert len(one.spikes["cell"].t) > 50
    np.testing.assert_allclose(one.final_weights, other.final_weights, rtol=0, atol=1e-12)
    assert np.abs(one.final_weights - one.weights[:, 0]).max() > 5e-3


def test_pairs_with_the_next_spike_are_pairs_with_the_last_one_when_time_runs_backwards():
    """Presynaptic-centred potentiation and postsynaptic-centred depression, with the sides in each other's place."""
    pre, post = TRAINS["random"]
    start, rule = np.full((len(post), len(pre)), 0.5), STDP(1e-4, 1e-4, 17e-3, 34e-3, pairing=NEAREST_SYMMETRIC)
    turned = [[[6.0 - t for t in reversed(train)] for train in side] for side in (post, pre)]
    for pairing, none in ((PRESYNAPTIC_CENTRED, {"A_minus": 0.0}), (POSTSYNAPTIC_CENTRED, {"A_plus": 0.0})):
        forwards = replay(rule._replace(pairing=pairing, **none), pre, post, start)
        backwards = replay(rule._replace(**none), *turned, start.T).T
        np.testing.assert_allclose(forwards, backwards, rtol=0, atol=1e-12)
        assert np.abs(forwards - start).max() > 1e-4


# Noise -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trains", TRAINS)
@pytest.mark.parametrize("scheme", ["all-to-all", "nearest symmetric", "reduced symmetric"])
def test_the_noise_of_a_spike_has_the_squares_of_its_pairs_as_its_variance(scheme, trains):
    """The twin sums over pairs, and draws its one number for each spike and synapse from the rule's own stream, those of a spike together."""
    pre, post = TRAINS[trains]
    rule = STDP(0.08, 0.05, 17e-3, 34e-3, 0.5, pairing=SCHEMES[scheme], dependence=PowerLaw(0.0, 1.0), sigma=0.2)
    start = np.random.default_rng(1).uniform(0.2, 0.8, (len(post), len(pre)))
    rng = streams.start(7, "rule/")

    def noise(n):
        drawn = np.empty(n + 1)
        with np.errstate(over="ignore"):
            normals(rng, drawn, n)
        return 0.1 * drawn

    expected = naive.stdp(pre, post, start, scheme, lambda w: 0.04, lambda w: 0.025 * w, 17e-3, 34e-3, 0.0, 1.0, noise)
    got = replay(rule, pre, post, start, seed=7)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)
    assert np.abs(got - replay(rule, pre, post, start, seed=8)).max() > 1e-3


def test_one_number_for_each_spike_and_synapse_is_as_good_as_one_for_each_pair():
    """4,000 synapses without drift: with a number of its own for each pair, E[w^2] grows by 1 + sigma^2 sum exp(-2 |t - t'| / tau) at each spike."""
    n, pre, post = 4000, [0.010, 0.014, 0.050], [0.012, 0.013, 0.055]
    rule = STDP(0.0, 0.0, 17e-3, 34e-3, w_max=10.0, sigma=0.2)
    found = replay(rule, [pre] * n, [post] * 2, np.ones((2, n)))
    square = 1.0
    for t, others, tau in [(t, post, 34e-3) for t in pre] + [(t, pre, 17e-3) for t in post]:
        square *= 1.0 + 0.2**2 * sum(math.exp(-2.0 * (t - u) / tau) for u in others if u < t)
    away = found - 1.0
    error = away.std(1, ddof=1) / math.sqrt(n)
    assert (np.abs(away.mean(1)) < 3.0 * error).all()
    error = (away**2).std(1, ddof=1) / math.sqrt(n)
    assert (np.abs((away**2).mean(1) - (square - 1.0)) < 3.0 * error).all() and square > 1.15
    assert abs(np.corrcoef(found)[0, 1]) < 3.0 / math.sqrt(n)  # synapses have noise of their own


NOISY = STDP(2e-2, 2e-2, dependence=PowerLaw(0.0, 1.0), sigma=0.05)


def test_noise_has_the_same_bits_with_the_compiler():
    described = layer(NOISY, n=5)
    run = simulate(described, 2.0, seeds=[1, 2], record_spikes={}, threads=2)
    with interpreted():
        plain = simulate(described, 2.0, seeds=[1, 2], record_spikes={})
    assert (plain.final_weights == run.final_weights).all() and np.ptp(run.final_weights, axis=2).min() > 0.0


@pytest.mark.parametrize("engine", ["event", "clock"])
def test_noise_has_the_same_bits_cut_anywhere(engine):
    """Between calls, and where another run takes up what a checkpoint keeps."""
    described = layer(NOISY, n=5)
    with interpreted():
        whole, first, second = (
            SeedRun(described, 1, "spike", {}, 1e9) if engine == "event" else ClockRun(described, 1, "spike", {}, 5e-4)
            for _ in range(3)
        )
        whole.to(0.5)
        first.to(0.1)
        first.to(0.3)
        put_back(second.kept, {name: array.copy() for name, array in arrays_of(first.kept)})
        second.to(0.5)
    assert (second.weights == whole.weights).all() and np.ptp(whole.weights) > 0.0


def test_shards_and_projections_have_noise_of_their_own(monkeypatch):
    """Two projections and two shards that see the same spikes: nowhere the same noise; and the same with two threads."""
    monkeypatch.setattr(clock_run, "CELLS_PER_SHARD", 2)
    n = 4
    inputs = Population("inputs", 1, HomogeneousPoisson(100.0))
    cells = Population("cells", n, LinearPoisson(base_rate=50.0))
    heard = {"weights": 0.5, "rule": NOISY, "transmission": Direct(0.0), "delay": 1e-3}
    loop = Projection(cells, cells, 0.0, delay=1e-3)
    described = Network([inputs, cells], [*(Projection(inputs, cells, name=name, **heard) for name in "ab"), loop])
    with interpreted():
        runs = [ClockRun(described, 1, "spike", {}, 1e-3, threads=threads) for threads in (1, 2)]
        for run in runs:
            run.to(0.1)
    assert [run.n_shards for run in runs] == [2, 2]
    weights = [np.concatenate([run.weights_of(each).ravel() for each in described.projections[:2]]) for run in runs]
    assert (weights[0] == weights[1]).all() and len(np.unique(weights[0])) == 2 * n
    streams_of = {array.tobytes() for name, array in arrays_of(runs[0].kept) if name.endswith("rule/rng")}
    assert len(streams_of) == 4


@pytest.mark.parametrize("rates", [(5.0, 30.0), (40.0, 10.0)], ids=str)
@pytest.mark.parametrize(
    "scheme, sigma", [*((name, 0.0) for name in SCHEMES), ("all-to-all", 6e-5), ("reduced symmetric", 6e-5)]
)
def test_the_variance_of_a_weight_grows_by_the_diffusion(scheme, sigma, rates):
    """Steps of 20 s of weights that hardly move, with noise and without: within three standard errors, which are below 20 %.

    Weights of one seed share the output, so that it is the seeds, 64 of them, that are independent.
    """
    rule = STDP(2e-5, 4e-5, 17e-3, 34e-3, pairing=SCHEMES[scheme], dependence=PowerLaw(0.0, 1.0), sigma=sigma)
    described = layer(rule, *rates, n=8)
    run = simulate(described, 110.0, seeds=range(1, 65), record_every=10.0, record_spikes={})
    equation = reduce(described)
    steps = np.diff(run.weights[:, 1::2, 0], axis=1) - 20.0 * float(equation.independent_drift(0.5, *rates))
    found = (steps**2).mean((1, 2)) / 20.0
    expected = float(equation.independent_diffusion(0.5, *rates))
    error = found.std(ddof=1) / 8.0
    assert abs(found.mean() - expected) < 3.0 * error < 0.2 * expected, (found.mean(), expected, error)
    silent = reduce(layer(rule._replace(sigma=0.0)))
    assert sigma == 0.0 or expected - float(silent.independent_diffusion(0.5, *rates)) > 6.0 * error


def test_all_to_all_the_diffusion_is_that_of_a_window():
    """x y int W^2 + y (W~ x)^2 + x (W~ y)^2, as of SpikeHebb without terms of single spikes (theory of Kempter et al. 1999, App. C)."""
    rule, x, y = STDP(0.03, 0.02, 17e-3, 34e-3), 12.0, 30.0
    area, square = 0.03 * 17e-3 - 0.02 * 34e-3, (0.03**2 * 17e-3 + 0.02**2 * 34e-3) / 2.0
    expected = x * y * square + y * (area * x) ** 2 + x * (area * y) ** 2
    assert reduce(layer(rule)).independent_diffusion(0.5, x, y) == pytest.approx(expected, rel=1e-12)


def test_van_rossums_weights_have_one_skewed_peak():
    """Golden check 11: c_p = 7 pS, c_d = 0.003, sigma = 0.015, weights in pS with no bound in reach: mean c_p / c_d, CV 0.20, skew > 0.

    The density of the Fokker-Planck equation, and 64 weights of 32 seeds after 30 times the time that they need. By the gamma density of 1 / w, whose
    shape is 1 + 2 c_d / sigma^2, the CV would be (2 c_d / sigma^2 - 1)^-1/2 = 0.197 if the noise were all that diffuses.
    """
    c_p, c_d, sigma, most = 7.0, 0.003, 0.015, 10_000.0
    rule = STDP(c_p, c_d * most, w_max=most, dependence=PowerLaw(0.0, 1.0), sigma=sigma)
    described = layer(rule, 30.0, 30.0, n=64, weights=c_p / c_d)
    w, p = reduce(described).density(30.0, 30.0)
    run = simulate(described, 600.0, seeds=range(1, 33), record_every=600.0, record_spikes={})
    mean, sd, skew = moments(w, p * (w[1] - w[0]))
    assert mean == pytest.approx(c_p / c_d, rel=0.01) and sd / mean == pytest.approx(0.201, abs=0.003)
    assert sd / mean > (2.0 * c_d / sigma**2 - 1.0) ** -0.5 and skew == pytest.approx(0.82, abs=0.02)
    each = np.array([moments(weights, 1.0 / 64) for weights in run.final_weights[:, 0]])
    error = run.final_weights.mean((1, 2)).std(ddof=1) / math.sqrt(32)
    assert abs(each[:, 0].mean() - c_p / c_d) < min(3.0 * error, 0.05 * c_p / c_d)
    found = moments(run.final_weights.ravel(), 1.0 / run.final_weights.size)
    assert found[1] / found[0] == pytest.approx(0.20, abs=0.03)
    assert each[:, 2].mean() > 3.0 * each[:, 2].std(ddof=1) / math.sqrt(32)  # skew > 0
    assert run.final_weights.min() > 0.0 and run.final_weights.max() < most
    assert w[p.argmax()] == pytest.approx(2167, abs=15)


def moments(w, share):
    """Mean, standard deviation and skew of weights that have these shares."""
    mean = (w * share).sum()
    sd = math.sqrt((share * (w - mean) ** 2).sum())
    return mean, sd, (share * (w - mean) ** 3).sum() / sd**3


# The learning equation -------------------------------------------------------------------------------------------------


def layer(rule, x=20.0, y=15.0, n=20, scale=0.0, weights=0.5):
    """n synapses with Poisson spikes at x, onto a cell that fires at y and hears them through `scale`."""
    inputs, cell = Population("inputs", n, HomogeneousPoisson(x)), Population("cell", 1, LinearPoisson(base_rate=y))
    return Network([inputs, cell], [Projection(inputs, cell, weights, rule, transmission=Direct(scale))])


def test_presynaptic_centred_pairs_turn_from_depression_to_potentiation_at_one_rate():
    """Golden check 9: at 16.3 Hz for any input rate; all-to-all nowhere (Izhikevich & Desai 2003)."""
    rule = STDP(1.03, 0.51, 13.3e-3, 34.5e-3)
    for x in (1.0, 10.0, 50.0):
        centred = reduce(layer(rule._replace(pairing=PRESYNAPTIC_CENTRED)))
        assert centred.sign_change(x, 0.5) == pytest.approx(16.3, abs=0.05)
        assert math.isnan(reduce(layer(rule)).sign_change(x, 0.5))
    reduced = reduce(layer(rule._replace(pairing=REDUCED_SYMMETRIC)))
    assert reduced.sign_change(6.3, 0.5) == pytest.approx(10.0, abs=0.05)
    symmetric = reduce(layer(rule._replace(pairing=NEAREST_SYMMETRIC)))
    assert symmetric.sign_change(10.0, 0.5) == pytest.approx(13.2, abs=0.05)


@pytest.mark.parametrize("y, sign", [(8.0, -1), (16.3, 0), (30.0, 1)])
def test_the_sign_change_is_seen_in_spikes(y, sign):
    rule = STDP(1.03e-7, 0.51e-7, 13.3e-3, 34.5e-3, pairing=PRESYNAPTIC_CENTRED)
    run = simulate(layer(rule, 10.0, y), 2000.0, seeds=range(1, 17), record_every=2000.0, record_spikes={})
    drift = (run.final_weights[:, 0] - 0.5).mean(1) / 2000.0
    error = drift.std(ddof=1) / 4.0
    assert abs(drift.mean()) < 3.0 * error if sign == 0 else sign * drift.mean() > 5.0 * error


def guetig(mu, n=100):
    """The network of Guetig et al. 2003: rate (1 / n) sum w x, an EPSP that is over at once."""
    rule = STDP(1e-6, 1.05e-6, dependence=PowerLaw(mu, mu))
    inputs = Population("inputs", n, HomogeneousPoisson(10.0))
    cell = Population("cell", 1, LinearPoisson(tau=1e-7))
    return reduce(Network([inputs, cell], [Projection(inputs, cell, 0.5, rule, transmission=Direct(1.0 / n))]))


def test_equal_weights_are_stable_above_a_critical_exponent():
    """Golden check 8: they rest at 1/2 for every exponent, and are stable above 0.0238."""
    from scipy.optimize import brentq

    for mu in (0.01, 0.05, 0.5):
        assert guetig(mu).weight_at_rest == pytest.approx(0.5, abs=1e-4)
    assert brentq(lambda mu: guetig(mu).growth_rate, 0.015, 0.03) == pytest.approx(0.0238, abs=1e-4)


@pytest.mark.parametrize(
    "rule, n, base_rate, words",
    [
        (STDP(), 50, 0.0, "rest nowhere between the bounds: they shrink to w_min = 0"),
        (STDP(), 4, 0.0, "rest nowhere between the bounds: they grow to w_max = 1"),
        (STDP(), 4, 5.0, "rest nowhere between the bounds: below 0.013 they shrink to w_min = 0, above they grow to w_max = 1"),
        (STDP(dependence=PowerLaw(1.0, 1.0)), 4, 5.0, "rest at 0.5812, output 28.25 Hz"),
    ],
)  # fmt: skip
def test_what_becomes_of_equal_weights_is_said_in_words(rule, n, base_rate, words):
    """Additive, the drift is x [W~ (base_rate + n x w) + A_plus (2 / 3)^2 w], with W~ = -5e-6 s, x = 10 Hz and the EPSP of 10 ms."""
    inputs, neuron = (
        Population("inputs", n, HomogeneousPoisson(10.0)),
        Population("neuron", 1, LinearPoisson(base_rate=base_rate)),
    )
    text = repr(reduce(Network([inputs, neuron], [Projection(inputs, neuron, 0.5, rule)])))
    assert f"equal weights {words}" in text and "nan" not in text


def test_the_averaged_rule_follows_the_equation_between_bounds():
    """The rate level of a multiplicative rule: spikes of many synapses settle where the equation does."""
    described = layer(STDP(2e-3, 2e-3, dependence=PowerLaw(1.0, 1.0)), scale=0.01, weights=0.1)
    rate = simulate(described, 400.0, level="rate", record_every=20.0)
    run = simulate(described, 400.0, seeds=range(1, 17), record_every=20.0, record_spikes={})
    mean, error = run.weights.mean((0, 2, 3)), run.weights.mean((2, 3)).std(0, ddof=1) / 4.0
    assert (
        np.abs(mean - rate.weights[0].mean((1, 2)))[1:] < 4.0 * error[1:] + 2e-3
    ).all()  # 20 times, and noise of order eta
    assert rate.final_weights[0, 0].mean() == pytest.approx(reduce(described).weight_at_rest, rel=1e-3)


def test_what_has_no_equation_is_said():
    rule = STDP(pairing=NEAREST_SYMMETRIC)
    inputs, cell = Population("a", 8, CommonSourcePoisson(10.0, 0.3, 0.0, 8)), Population("b", 1, LinearPoisson())
    with pytest.raises(HebbscopeError, match="pairings other than all-to-all is for inputs without correlations"):
        reduce(Network([inputs, cell], [Projection(inputs, cell, 0.1, rule)]))


# Stationary densities --------------------------------------------------------------------------------------------------


def test_the_density_of_a_linear_drift_is_normal():
    w, p = stationary_density(lambda w: -2.0 * (w - 0.4), lambda w: np.full_like(w, 0.01), -1.0, 2.0)
    normal = np.exp(-((w - 0.4) ** 2) / (2 * 0.0025)) / math.sqrt(2 * math.pi * 0.0025)
    np.testing.assert_allclose(p, normal, atol=1e-6 * normal.max())


@pytest.mark.parametrize(
    "rule",
    [
        STDP(5e-3, 1e-2, dependence=PowerLaw(0.0, 1.0)),  # van Rossum et al., without the noise of its own
        STDP(1e-2, 1e-2, dependence=PowerLaw(1.0, 1.0)),
        STDP(4e-2, 4.004e-2),
    ],
    ids=["van Rossum", "multiplicative", "additive"],
)
def test_histograms_are_the_stationary_density(rule):
    """Golden check 11: the quartiles of 64 weights under independent spikes, after a hundred times the time they need, hold a quarter each.

    Weights of one seed share the spikes of the output, so that it is the seeds that are independent.
    """
    described = layer(rule, 30.0, 30.0, n=64, weights=Uniform())
    run = simulate(described, 600.0, seeds=range(1, 33), record_every=600.0, record_spikes={})
    w, p = reduce(described).density(30.0, 30.0)
    below = np.concatenate([[0.0], np.cumsum(0.5 * (p[1:] + p[:-1]) * np.diff(w))])
    quartiles = np.interp([0.25, 0.5, 0.75], below, w)
    for q, share in zip(quartiles, (0.25, 0.5, 0.75), strict=True):
        found = (run.final_weights[:, 0] < q).mean(1)
        assert abs(found.mean() - share) < 3.0 * found.std(ddof=1) / math.sqrt(32) < 0.1
    if rule.dependence.relative:  # one peak, where drift vanishes, and none at a bound
        assert w[p.argmax()] == pytest.approx(0.5, abs=0.02) and max(p[0], p[-1]) < 1e-6 * p.max()
    else:
        assert np.ptp(p) < 0.2


@pytest.mark.parametrize(
    "rule, words",
    [
        (STDP(pairing=Pairing(pre_by_pre=2)), r"Pairing\.pre_by_pre: must be 0 or 1"),
        (STDP(pairing=Pairing(pre_by_post=1, post_by_pre=1)), r"Pairing\.post_by_pre: must be 0, or post_by_post 1"),
        (STDP(w_max=math.inf, dependence=PowerLaw(1.0, 1.0)), r"STDP\.w_max: must be finite where"),
        (STDP(sigma=-0.1), r"STDP\.sigma: must be .*>= 0"),
        (STDP(sigma=0.1, pairing=PRESYNAPTIC_CENTRED), r"STDP\.sigma: must be 0 with a pairing by which each synapse"),
        (STDP(w_min=-0.1), r"STDP\.w_min: must be .*>= 0"),
        (STDP(dependence=Pairing()), r"Pairing\.f_plus: must be a method"),
        (STDP(dependence=Logarithmic(w_0=0.0)), r"Logarithmic\.w_0: must be"),
    ],
)
def test_bad_parts_are_named(rule, words):
    with pytest.raises(ParameterError, match=words):
        layer(rule)


def test_one_synapse_has_no_difference_that_grows():
    inputs, cell = Population("inputs", 1, HomogeneousPoisson(20.0)), Population("neuron", 1, LinearPoisson())
    assert np.isnan(
        reduce(Network([inputs, cell], [Projection(inputs, cell, 0.5, STDP())])).predictions()["growth_rate"]
    )


def test_the_example_of_the_documentation_says_what_it_prints(capsys):
    page = (Path(__file__).parents[1] / "docs" / "rules.md").read_text(encoding="utf-8")
    program = next(each for each in re.findall(r"```python\n(.*?)```", page, re.S) if "STDP" in each)
    exec(program, {})
    said = float(capsys.readouterr().out)
    assert said == pytest.approx(float(re.search(r"# ([\d.]+) Hz", program)[1]), abs=0.05)
