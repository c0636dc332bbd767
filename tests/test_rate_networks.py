"""Rules of rates in networks: cells of any kind that say their mean rate, several inputs and populations, circles; refusals."""

import math
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from interpreting import interpreted
from naive import network_learned

from hebbscope import HebbscopeError, Network, Population, Projection, simulate
from hebbscope.models import (
    LIF,
    AlphaSynapses,
    CommonSourcePoisson,
    DeltaSynapses,
    ExponentialPoisson,
    ExponentialSynapses,
    FixedInDegree,
    HomogeneousPoisson,
    Izhikevich,
    LinearPoisson,
    ModulatedPoisson,
    PatternPoisson,
    PoissonBackground,
    RecordedSpikes,
)
from hebbscope.rules import BCM, L1, L2, Covariance, Hebb, NonlinearHebb, Oja, PairSTDP
from hebbscope.rules.balance import at_rest
from hebbscope.rules.cells import NoisyCells
from hebbscope.rules.circuit import Circuit
from hebbscope.simulator.checkpoint import arrays_of, put_back
from hebbscope.simulator.clock_run import ClockRun
from hebbscope.simulator.drive import Runaway
from hebbscope.simulator.protocols import ParameterError
from hebbscope.simulator.sampled_run import SampledRun, has_holds, in_order

DT = 1e-4  # s
CELL = LIF(E_L=0.0, drive=0.0, V_th=20e-3, V_reset=10e-3)
STILL = Hebb(eta=0.0, w_min=0.0)
SYNAPSES = [DeltaSynapses(), ExponentialSynapses(3e-3, 8e-3), AlphaSynapses(1e-3, 2e-3)]


def background(cell, external=59.0):
    """Spikes that move the potential by 0.2 mV and make an sd of 6.8 mV."""
    jump = {port: 0.2e-3 / cell.synapses.jump(k, cell.tau_m) for k, port in enumerate(("excitatory", "inhibitory"))}
    return {
        port: PoissonBackground(1000, {"excitatory": external, "inhibitory": 56.0}[port], jump[port]) for port in jump
    }


def rates_of(network, seed=1, dt=DT):
    """(n_cells,) Hz at the start, population by population in the order of the network."""
    with interpreted():
        run = SampledRun(network, seed, math.inf, dt)
        run.to(0.5 * DT)
    assert not run.ran_away
    return np.concatenate([run.y[run.places[each.name]] for each in network.populations if not each.is_input])


# Integrate-and-fire cells ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("synapses", SYNAPSES, ids=lambda part: type(part).__name__)
@pytest.mark.parametrize("dt", [DT, 1e-3])
def test_the_rate_that_loops_compile_is_that_of_the_approximate_equation(synapses, dt):
    """From silence to a hundred times threshold, from no noise to ten times the way from reset to threshold; scipy's quadrature is good to 1e-8."""
    random, cell = np.random.default_rng(3), CELL._replace(synapses=synapses)
    arriving = np.concatenate([random.uniform(-1.0, 3.0, 60), random.uniform(3.0, 100.0, 10)])
    power = 10.0 ** random.uniform(-14.0, -1.0, 70)
    lag = random.uniform(1e-3, 9e-3, 70) * (synapses.lag(0) > 0.0)
    power[:5] = 0.0
    lag[:5] = synapses.lag(0) > 0.0  # which is what nothing makes of it there
    wanted = NoisyCells(cell, 70, {}, dt).under(arriving, power, lag).rate
    log_lag = np.log(np.where(lag > 0.0, lag, 1.0))
    part = cell.answering(dt)
    found = [part.mean_rate(*each) for each in zip(arriving, power, np.full(70, -math.inf), log_lag, strict=True)]
    assert 0.2 < (wanted > 1.0).mean() < 0.9
    np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-250)


def noisy(synapses, rule=STILL):
    """Cells, some of which inhibit the others, under inputs that differ, and an outside."""
    cell = CELL._replace(synapses=synapses)
    w = np.random.default_rng(6).uniform(0.5, 1.5, (20, 12)) * 0.3e-3 / synapses.jump(0, cell.tau_m)
    own = {"background": background(cell)}
    inputs, others = Population("inputs", 12, HomogeneousPoisson(np.linspace(5.0, 60.0, 12))), Population("others", 4, ModulatedPoisson(20.0, 0.0))  # fmt: skip
    e, i = Population("e", 20, cell, **own), Population("i", 6, cell._replace(drive=8e-3), **own)
    few, here = FixedInDegree(5, seed=2), float(w.mean())
    feeds = [Projection(inputs, e, w, rule), Projection(others, i, here, STILL, connectivity=FixedInDegree(2))]
    among = [Projection(e, e, 0.7 * here, rule, connectivity=few, delay=2e-3), Projection(e, i, here, connectivity=few)]
    back = [Projection(i, e, 2.0 * here, receptor="inhibitory"), Projection(i, i, here, receptor="inhibitory")]
    return Network([inputs, e, others, i], [*feeds, *among, *back])


@pytest.mark.parametrize("synapses", SYNAPSES, ids=lambda part: type(part).__name__)
def test_rates_of_noisy_cells_come_to_rest_where_the_learning_equation_has_them(synapses):
    """Which solves the same equations by another method, with the whole matrix and its own f-I curve."""
    network = noisy(synapses)
    wanted = at_rest(Circuit(network, DT), {each.name: each.initial_values(1) for each in network.projections}).rates
    assert wanted.min() > 1.0 and np.ptp(wanted) > 5.0
    np.testing.assert_allclose(rates_of(network), wanted, rtol=1e-8)


def test_the_rates_of_cells_are_those_of_spikes():
    """Eight seeds of 400 cells for 1.25 s, to 3.5 standard errors over seeds and two hundredths for kicks that are no white noise."""
    inputs = Population("inputs", 30, HomogeneousPoisson(20.0))
    cells = Population("cells", 400, CELL, background=background(CELL))

    def through(rule):
        return Network([inputs, cells], [Projection(inputs, cells, 0.2e-3, rule)])

    counts = []
    for seed in range(1, 9):
        run = ClockRun(through(PairSTDP(A_plus=0.0, A_minus=0.0, w_max=1e-3)), seed, "spike", {}, DT)
        run.to(0.25)
        before = run.spikes_of(cells).sum()
        run.to(1.5)
        counts.append((run.spikes_of(cells).sum() - before) / 500.0)
    error, (rate, *_) = np.std(counts, ddof=1) / math.sqrt(8), rates_of(through(STILL))
    assert 8.0 < rate < 30.0
    assert abs(np.mean(counts) - rate) < 3.5 * error + 0.02 * rate


def test_cells_under_noise_say_so_and_learn():
    """Hebb through one synapse of a cell whose rate is known: dw/dt = eta x y, for as long as weights hardly move; and what the run says of itself."""
    inputs, cells = (
        Population("inputs", 3, HomogeneousPoisson(20.0)),
        Population("cells", 2, CELL, background=background(CELL)),
    )
    network = Network([inputs, cells], [Projection(inputs, cells, 1e-4, Hebb(1e-12, w_min=0.0), delay=5e-3)])
    with interpreted():
        run = simulate(network, 0.5, level="rate", dt=1e-3)
    y = rates_of(network, dt=1e-3)
    np.testing.assert_allclose(run.final_weights[0] - 1e-4, 0.5 * 1e-12 * 20.0 * y[:, None] * np.ones(3), rtol=1e-4)
    np.testing.assert_allclose(run.output_rate[0, 1:], np.tile(y, (100, 1)), rtol=1e-4)
    assert run.attrs["dt"] == 1e-3 and "approximate (rates of cells under noise" in repr(run)


# Delays, and spikes that come together ----------------------------------------------------------------------------------


def onto_cells(model, rule, n=6, **options):
    inputs, cells = Population("inputs", n, model), Population("cells", 2, ExponentialPoisson(base_rate=5.0))
    return Network([inputs, cells], [Projection(inputs, cells, np.linspace(0.1, 0.3, n), rule, **options)])


@pytest.mark.parametrize("rule", [Oja(1e-3, 1.0), BCM(1e-6)], ids=lambda rule: type(rule).__name__)
def test_delays_move_nothing(rule):
    """Of rates that stand still from one pattern to the next."""
    patterns = np.random.default_rng(2).uniform(0.0, 40.0, (5, 6))
    delays = {"delay": np.linspace(1e-3, 20e-3, 12), "dendritic_delay": 1e-3}
    with interpreted():
        runs = [
            simulate(onto_cells(PatternPoisson(patterns), rule, **each), 3.0, level="rate") for each in ({}, delays)
        ]
    np.testing.assert_array_equal(runs[0].weights, runs[1].weights)


@pytest.mark.parametrize("jitter", [0.0, 5e-3])
@pytest.mark.parametrize("rule", [NonlinearHebb(1e-7), Hebb(1e-7)], ids=lambda rule: type(rule).__name__)
def test_spikes_that_come_together_are_no_rates(jitter, rule):
    """To a rule of rates common sources are independent inputs; those with jitter, too, where they are not averaged over as rates that covary."""
    shared, alone = CommonSourcePoisson(20.0, 0.3, jitter, n_correlated=3), HomogeneousPoisson(20.0)
    with interpreted():
        found, wanted = (
            simulate(onto_cells(model, rule, normalisation=L1(every=0.1)), 0.5, level="rate", dt=5e-3)
            for model in (shared, alone)
        )
    np.testing.assert_array_equal(found.weights, wanted.weights)
    assert has_holds(onto_cells(shared, rule)) == (jitter == 0.0 or not hasattr(rule, "learning_equation"))


# Whole networks --------------------------------------------------------------------------------------------------------


def circles(rules, W=None, base_rate=12.0, options=({}, {}, {}), n=(4, 3, 5, 2)):
    """Two inputs, the first in patterns, onto cells that drive each other, and on to more cells, that drive them back."""
    random = np.random.default_rng(5)
    patterns = random.uniform(0.0, 40.0, (6, n[0]))
    a, b = Population("a", n[0], PatternPoisson(patterns, 0.1, 1)), Population("b", n[1], HomogeneousPoisson(15.0))
    c, d = (
        Population("c", n[2], ExponentialPoisson(1e3, base_rate)),
        Population("d", n[3], LinearPoisson(1e3, 4.0, 1.5)),
    )
    draw = lambda post, pre: random.uniform(0.1, 0.3, (post, pre))  # noqa: E731
    lateral = -0.4 * draw(n[2], n[2]) if W is None else W
    feed, loop, on = rules
    projections = [
        Projection(a, c, draw(n[2], n[0]), feed, **options[0]),
        Projection(c, c, lateral, loop, name="lateral", delay=1e-3, **options[1]),
        Projection(c, d, draw(n[3], n[2]), on, **options[2]),
        Projection(b, c, draw(n[2], n[1])),
        Projection(d, c, 0.5 * draw(n[2], n[3]), receptor="inhibitory"),
    ]
    return Network([a, d, b, c], projections)


def test_rates_of_linear_cells_are_their_closed_form():
    """y = (1 - W)^-1 (b + K x) with W all weights among cells, times the gain of the target."""
    network = circles((STILL._replace(w_min=-9.0),) * 3)
    w = {each.name: each.initial_weights(1) for each in network.projections}
    W = np.block([[np.zeros((2, 2)), 1.5 * w["c_to_d"]], [-w["d_to_c"], w["lateral"]]])
    x = network.populations[0].model.patterns[0]
    given = np.concatenate([np.full(2, 6.0), 12.0 + w["a_to_c"] @ x + w["b_to_c"] @ np.full(3, 15.0)])
    wanted = np.linalg.solve(np.eye(7) - W, given)
    assert wanted.min() > 0.0
    np.testing.assert_allclose(rates_of(network), wanted, rtol=1e-10)


@pytest.mark.parametrize("options", [({}, {}, {}), ({"normalisation": L2(1.2, 0.3)}, {}, {"normalisation": L1(1.1, 0.25)})], ids=["free", "normed"])  # fmt: skip
def test_a_network_learns_as_its_plain_twin_does(options):
    rules = Oja(2e-3, 1.0), Hebb(-2e-6, w_min=-0.3, w_max=0.0), Covariance(3e-4, 0.7, w_max=0.5)
    network = circles(rules, options=options)
    with interpreted():
        run = SampledRun(network, 1, math.inf)
        run.to(4.05)
    wanted = network_learned(network, 4.05, 0.1)
    for each in network.projections:
        start = each.initial_weights(1)
        assert (np.abs(wanted[each.name] - start).max() > 0.005) == (each in network.learning)
        np.testing.assert_allclose(run.weights_of(each), wanted[each.name], rtol=0, atol=1e-9)


def test_inputs_in_two_populations_are_as_in_one():
    patterns, start = (
        np.random.default_rng(1).uniform(0.0, 30.0, (7, 6)),
        np.random.default_rng(2).uniform(0.1, 0.4, (3, 6)),
    )
    rule, cells = BCM(2e-6, 20.0), Population("cells", 3, ExponentialPoisson(base_rate=3.0))
    parts = {"whole": slice(6), "left": slice(2), "right": slice(2, 6)}
    inputs = {
        name: Population(name, start[:, part].shape[1], PatternPoisson(patterns[:, part], 0.1, 1))
        for name, part in parts.items()
    }
    joined = {name: Projection(inputs[name], cells, start[:, part], rule) for name, part in parts.items()}
    whole = Network([inputs["whole"], cells], [joined["whole"]])
    halves = Network([inputs["left"], inputs["right"], cells], [joined["left"], joined["right"]])
    with interpreted():
        one, two = (SampledRun(each, 1, math.inf) for each in (whole, halves))
        assert one.to(3.0) and two.to(3.0)
    found = np.concatenate([two.weights_of(joined[name]) for name in ("left", "right")], axis=1)
    np.testing.assert_allclose(found, one.weights, rtol=1e-12)
    assert np.abs(found - start).max() > 1e-3


@pytest.mark.parametrize("strength", [1.0, 5.0])
def test_strong_inhibition_comes_to_a_rest_that_lasts(strength):
    """Cells that silence each other: y = max(b + W y, 0), and nobody who is silent would fire. Where each outweighs all others one alone is left."""
    b = np.random.default_rng(0).uniform(10.0, 50.0, 30)
    W = -strength * (1.0 - np.eye(30))
    cells = Population("cells", 30, ExponentialPoisson(1e6))
    inputs = Population("inputs", 30, HomogeneousPoisson(b))
    network = Network([inputs, cells], [Projection(inputs, cells, np.eye(30), Hebb(0.0)), Projection(cells, cells, W)])
    y = rates_of(network)
    np.testing.assert_allclose(y, np.maximum(b + W @ y, 0.0), rtol=1e-9, atol=1e-9)
    assert (y > 0.0).sum() == 1 and (strength > 1.0 or y.argmax() == b.argmax())


def test_cells_are_in_the_order_in_which_they_drive_each_other():
    network = circles((STILL._replace(w_min=-9.0),) * 3)
    assert in_order(network) == ([network.populations[1], network.populations[3]], True)
    a, b, c = (Population(name, 1, model) for name, model in (("a", HomogeneousPoisson()), ("b", CELL), ("c", CELL)))
    forward = Network([c, b, a], [Projection(b, c, 0.0), Projection(a, b, 0.0, STILL)])
    assert in_order(forward) == ([b, c], False)


def test_a_network_has_the_same_bits_however_it_is_run():
    """Compiled and not, in one call and in many, and taken up from what a checkpoint keeps: inputs, cells, rules and norms of two kinds, in circles."""
    cell = CELL._replace(synapses=ExponentialSynapses())
    shown = Population("shown", 4, PatternPoisson(np.random.default_rng(1).uniform(0.0, 30.0, (5, 4)), 0.07))
    inputs = Population("inputs", 5, ModulatedPoisson(40.0, 30.0, 2.0, n_modulated=3))
    cells = Population("cells", 3, cell, background=background(cell))
    relay = Population("relay", 2, LinearPoisson(base_rate=5.0, threshold=9.0))
    feed = Projection(inputs, cells, 0.8e-3, Hebb(1e-9, w_min=0.0), L2(1.8e-3, 0.1))
    loop = Projection(cells, cells, 0.6e-3, Oja(1e-5, 0.3, w_min=0.0), receptor="inhibitory")
    on = Projection(cells, relay, 0.2, Oja(1e-5, 0.3), L1(0.5, 0.15), connectivity=FixedInDegree(2))
    back = Projection(relay, cells, 0.3e-3)
    network = Network([shown, inputs, cells, relay], [feed, Projection(shown, relay, 0.2), loop, on, back])
    how = 7, 1e4, 5e-3

    def state(run):
        return dict(arrays_of(run.kept))

    once, often, left, taken_up = (SampledRun(network, *how) for _ in range(4))
    once.to(0.5)
    for t in np.linspace(0.0, 0.5, 38):
        often.to(t)
    left.to(0.2345)
    put_back(taken_up.kept, {path: array.copy() for path, array in state(left).items()})
    taken_up.to(0.5)
    with interpreted():
        plain = SampledRun(network, *how)
        plain.to(0.5)
    assert np.abs(once.weights_of(loop) - 0.6e-3).max() > 1e-7
    for other in (often, taken_up, plain):
        for path, array in state(once).items():
            np.testing.assert_array_equal(state(other)[path], array, err_msg=path)


# Recordings -----------------------------------------------------------------------------------------------------------


def test_hebb_learns_from_the_rates_of_a_recording():
    """One input drives one cell of EPSP 1: y = w x, so that ln w grows by eta times the integral of x^2, with x = sum over spikes of exp(-(t - t_k) / tau) / tau.

    Until all of it is over that is sum over pairs of spikes of exp(-|t_k - t_l| / tau) / (2 tau), here less what comes later. A hold has the rate
    at which it begins, so that each is too much by up to a relative h / tau, h <= dt; with that it is the plain sum over holds.
    """
    tau, eta, end, dt = 20e-3, 1e-4, 1.0, 1e-3
    t_spikes = np.array([0.0101, 0.0303, 0.0304, 0.2, 0.2007, 0.51234])
    played = RecordedSpikes(t_spikes, np.zeros(6, np.int64), end, smoothing=tau)
    inputs, cells = Population("inputs", 1, played), Population("cells", 1, ExponentialPoisson(10e-3))
    network = Network([inputs, cells], [Projection(inputs, cells, 0.5, Hebb(eta, w_min=0.0, w_max=9.0))])
    run = simulate(network, end, level="rate", dt=dt)
    grown = np.log(run.final_weights[0, 0] / 0.5) / eta

    def x(t):
        past = t[:, None] - t_spikes
        return np.sum(np.where(past >= 0.0, np.exp(-np.maximum(past, 0.0) / tau) / tau, 0.0), axis=1)

    looks = np.unique(np.concatenate([np.arange(round(end / dt)) * dt, t_spikes, [end]]))
    holds = np.diff(looks)
    stepwise = np.sum(np.log1p(eta * holds * x(looks[:-1]) ** 2)) / eta
    assert grown == pytest.approx(stepwise, rel=1e-9)
    exact = np.sum(np.exp(-np.abs(np.subtract.outer(t_spikes, t_spikes)) / tau)) / (2.0 * tau)
    assert exact < grown < exact * (1.0 + dt / tau)


def test_the_rates_of_a_recording_count_all_its_spikes():
    """Played over and over, they are on average how many spikes there are per second; each hold has them as at its start, which is too much by a relative dt / (2 tau)."""
    times, sources, tau = np.array([0.02, 0.1, 0.1, 0.25, 0.4]), np.array([0, 1, 2, 0, 1]), 30e-3
    inputs = Population("inputs", 3, RecordedSpikes(times, sources, 0.5, loop=1, smoothing=tau))
    cells = Population("cells", 3, ExponentialPoisson(10e-3))
    network = Network([inputs, cells], [Projection(inputs, cells, np.eye(3), STILL)])
    run = simulate(network, 10.0, level="rate", dt=1e-4, record_every=5.0)
    np.testing.assert_allclose(run.output_rate[0, -1], np.bincount(sources) / 0.5, rtol=1e-4 / tau)


# What is refused --------------------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    still: float = 0.0

    def mean_rate(self, u, sd, low):
        return u


class Mute(NamedTuple):
    """An input that says no rates."""

    rate: float = 0.0

    def check(self, n):
        pass

    def groups(self, n):
        return ["all"] * n

    def init(self, n, copies):
        return (np.zeros(n, np.int64),)

    def candidate_rate(self, state):
        return self.rate

    def draw(self, state, t, rng, latent):
        return 0

    def next_wake(self, state):
        return math.inf

    def wake(self, state, t, rng, latent):
        return 0


class Outdated(ExponentialPoisson):
    """Answers by other arguments."""

    def answering(self, dt):
        return Answer()


def test_what_rules_of_rates_cannot_have_is_said_before_anything_runs():
    inputs = Population("inputs", 2, HomogeneousPoisson())
    poisson, noisy = Population("poisson", 2, ExponentialPoisson()), Population("noisy", 2, CELL)
    hebb = Hebb(w_min=0.0)
    beside = Population("beside", 2, LinearPoisson(), background={"excitatory": PoissonBackground()})
    for populations, projections, words in (
        ([inputs, noisy, poisson], [(inputs, noisy, hebb), (inputs, poisson, PairSTDP())], "Network network.projections: must learn by rules of rates or by rules of spikes at the rate level, not by both in one network, got 'Hebb of inputs_to_noisy and PairSTDP of inputs_to_poisson'"),
        ([Population("mute", 2, Mute()), poisson], [(0, 1, hebb)], "Population mute.model: must be an input that says its rates at any time, for rules of rates at their own level, got 'Mute'"),
        ([inputs, Population("cells", 2, Izhikevich())], [(0, 1, hebb)], "Population cells.model: must be neurons that say their mean rate, as Poisson neurons and LIF do, for rules of rates at their own level (with --level spike any will do), got 'Izhikevich'"),
        ([inputs, Population("begun", 2, CELL, initial={"v": 0.01})], [(0, 1, hebb)], "Population begun.initial: must be left out for rules of rates at their own level, where cells have no state, got 'v'"),
        ([inputs, Population("old", 2, Outdated())], [(0, 1, NonlinearHebb(w_min=0.0))], "Answer.mean_rate: must be a method mean_rate(self, arriving, power, low, log_lag), as of every answering, got 'mean_rate(self, u, sd, low)'"),
        ([inputs, beside], [(0, 1, hebb)], "Population beside.background: must be left out of Poisson neurons, for rules of rates at their own level, got 'excitatory'"),
    ):  # fmt: skip
        ends = [[populations[each] if isinstance(each, int) else each for each in one[:2]] for one in projections]
        joined = [Projection(*both, 0.0, one[2]) for both, one in zip(ends, projections, strict=True)]
        with pytest.raises(ParameterError) as caught:
            simulate(Network(populations, joined), 1.0, level="rate")
        assert str(caught.value) == words
    with pytest.raises(ParameterError, match=re.escape("LIF.tau_m: must be > the step, 0.03 s, got 0.02")):
        simulate(Network([inputs, noisy], [Projection(inputs, noisy, 0.0, hebb)]), 1.0, level="rate", dt=0.03)


@pytest.mark.parametrize(
    "W, b",
    [([[2.2, -3.0], [3.0, -1.0]], [10.0, 3.0]), ([[3.0, -4.0], [4.0, -1.5]], [20.0, 10.0]), ([[1.5, -1.2], [2.0, -0.4]], [20.0, 10.0])],
)  # fmt: skip
def test_rates_that_turn_around_their_rest_come_to_it(W, b):
    """One cell excites, the other inhibits, and the eigenvalues of W - 1 are complex with a small negative real part: y = (1 - W)^-1 b, as slow EPSPs leave no noise."""
    W = np.array(W)
    inputs, cells = (
        Population("inputs", 2, HomogeneousPoisson(np.array(b))),
        Population("cells", 2, ExponentialPoisson(1e6)),
    )
    among = [Projection(cells, cells, np.maximum(W, 0.0), name="e")]
    among += [Projection(cells, cells, np.maximum(-W, 0.0), receptor="inhibitory", name="i")]
    network = Network([inputs, cells], [Projection(inputs, cells, np.eye(2), STILL), *among])
    assert (np.linalg.eigvals(W - np.eye(2)).real < 0.0).all() and np.linalg.eigvals(W).imag.any()
    np.testing.assert_allclose(rates_of(network), np.linalg.solve(np.eye(2) - W, b), rtol=1e-9)


@pytest.mark.parametrize("W, words", [(np.full((5, 5), 0.3), r"ran away past 10000 Hz at t = 0 s \(seed 1\)"), (None, "come to no rest at t = 0 s")])  # fmt: skip
def test_cells_that_excite_each_other_beyond_all_rates_or_come_to_no_rest_stop_the_run(W, words):
    if W is None:  # three that inhibit the next, in a circle, so strongly that it goes round and round
        W = np.zeros((5, 5))
        W[[0, 1, 2], [2, 0, 1]] = -20.0
    network = circles((Hebb(0.0),) * 3, W)
    with interpreted(), pytest.raises(Runaway, match=words) as caught:
        simulate(network, 1.0, level="rate")
    assert caught.value.run.n_times == 1


def test_the_example_of_lateral_inhibition_in_the_documentation():
    page = (Path(__file__).parents[1] / "docs" / "rules.md").read_text(encoding="utf-8")
    scope = {}
    code = next(each for each in re.findall(r"```python\n(.*?)```", page, re.S) if "lateral" in each)
    with interpreted():
        exec(code, scope)
    w = scope["run"].final_weights[0]
    assert {int(np.abs(row).argmax()) for row in w} == {6, 7}


def test_rules_of_spikes_keep_their_path():
    """In a network they follow the learning equation, whatever inputs and cells could say of their rates."""
    network = noisy(DeltaSynapses(), PairSTDP(w_max=1.0))
    still = Network(network.populations, [Projection(each.source, each.target, 1e-4, PairSTDP(w_max=1.0), receptor=each.receptor) for each in network.projections if isinstance(each.rule, PairSTDP)])  # fmt: skip
    assert not has_holds(still)
    with pytest.raises(HebbscopeError, match="by both"):
        simulate(network, 1.0, level="rate")
