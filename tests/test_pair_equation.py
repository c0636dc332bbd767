"""The approximate learning equation of integrate-and-fire neurons: integrals against closed forms, and drifts, weights and spreads against spikes."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import hebbscope
from hebbscope import HebbscopeError, Network, Population, Projection, compare, measure_drift, reduce, simulate
from hebbscope.models import (
    LIF,
    AdEx,
    AlphaSynapses,
    CommonSourcePoisson,
    DeltaSynapses,
    ExponentialSynapses,
    FixedInDegree,
    HomogeneousPoisson,
    LinearPoisson,
    ModulatedPoisson,
    OrnsteinUhlenbeckPoisson,
    PatternPoisson,
    PoissonBackground,
    RecordedSpikes,
    Uniform,
)
from hebbscope.rules import (
    NEAREST_SYMMETRIC,
    STDP,
    DoubleExponential,
    KempterWindow,
    PairSTDP,
    PowerLaw,
    SpikeHebb,
    Triplet,
    VogelsSprekeler,
)
from hebbscope.rules.noisy_output import Brought, Decay, Heard, NoisyOutput, answered
from hebbscope.rules.pair_equation import PairEquation
from hebbscope.rules.recurrent import RecurrentEquation
from hebbscope.rules.reduction import LearningEquation, statistics_of
from hebbscope.rules.stdp_equation import STDPEquation
from hebbscope.simulator.plain import Direct
from hebbscope.simulator.protocols import Cosine, Delta, Exponential, Gaussian, Sine, Triangle

CELL = LIF(E_L=0.0, drive=0.0, V_th=20e-3, V_reset=10e-3)
RULE = PairSTDP(A_plus=1e-9, A_minus=1.05e-9, w_max=1e-2)
MULTIPLICATIVE = STDP(4e-6, 4e-6, w_max=4e-4, dependence=PowerLaw(1.0, 1.0))


def layer(rule=RULE, model=None, weight=0.2e-3, external=58.0, receptor="excitatory", cell=CELL, n=50, n_cells=40):
    """n synapses onto each cell, with a background whose spikes move the potential by 0.2 mV and make an sd of 6 mV; weights are such jumps."""
    kicks = {"excitatory": external, "inhibitory": 56.0}
    jump = cell.synapses.jump(0, cell.tau_m)
    background = {name: PoissonBackground(1000, rate, 0.2e-3 / jump) for name, rate in kicks.items()}
    start = {"v": Uniform(10e-3, 20e-3)}
    cells = Population("cells", n_cells, cell, background=background, initial=start)
    inputs = Population("inputs", n, HomogeneousPoisson(20.0) if model is None else model)
    return Network([inputs, cells], [Projection(inputs, cells, weight / jump, rule, receptor=receptor)])


# Integrals --------------------------------------------------------------------------------------------------------------


class Answering(NamedTuple):
    """A neuron whose rate answers a kick with exp(-u / tau), as the EPSP `Decay` is."""

    tau: float
    rate: np.ndarray

    def kick(self, s):
        return np.broadcast_to(self.tau / (1.0 + s * self.tau), (*self.rate.shape, len(s)))


@pytest.mark.parametrize("window", [KempterWindow(), DoubleExponential(1.0, 0.7, 17e-3, 34e-3)], ids=["Kempter", "two"])
@pytest.mark.parametrize(
    "kernel",
    [
        Delta(0.3),
        Cosine(7.0),
        Sine(7.0),
        Exponential(20e-3),
        Exponential(1e4),
        Gaussian(5e-3),
        Triangle(30e-3),
        Triangle(1.0),
    ],
    ids=repr,
)
def test_what_a_window_sees_of_an_answer_is_the_integral_in_closed_form(window, kernel):
    """That of an EPSP of the same form; where it is a sum over frequencies, to 1e-4."""
    found = answered(window, kernel, Heard(Answering(5e-3, np.zeros(2)), np.ones_like))
    assert found.shape == (2,)
    closed = isinstance(kernel, Delta | Cosine | Sine)
    assert found == pytest.approx(window.q(Decay(5e-3), kernel), rel=1e-9 if closed else 1e-4)


class Linear(NamedTuple):
    """A linear Poisson neuron with the EPSP exp(-u / tau) / tau, on the terms of a neuron under noise, and on those of a Poisson neuron."""

    tau: float = 5e-3
    tau_m: float = 5e-3
    V_th: float = 1.0
    V_reset: float = 0.0
    gain: float = 1.0
    base_rate: float = 4.0
    threshold: float = 0.0
    synapses: DeltaSynapses = DeltaSynapses()

    def driven(self, arriving, power, lag, dt):
        return Unit(self.base_rate + arriving, self.tau)

    def epsp(self, u):
        return Decay(self.tau).epsp(u) / self.tau

    def epsp_transform(self, omega):
        return Decay(self.tau).epsp_transform(omega) / self.tau

    def epsp_terms(self):
        return [(1.0 / self.tau, 0, 1.0 / self.tau)]

    def epsp_support(self):
        return 45.0 * self.tau


class Unit(NamedTuple):
    """Its rate, and an answer of unit area."""

    rate: np.ndarray
    tau: float

    def kick(self, s):
        return np.broadcast_to(1.0 / (1.0 + s * self.tau), (*np.shape(self.rate), len(s)))


@pytest.mark.parametrize(
    "rule, exact",
    [
        (SpikeHebb(KempterWindow(), eta=0.1, w_min=0.0), LearningEquation.of_pairs),
        (VogelsSprekeler(eta=0.1), lambda rule, *given: LearningEquation.of_pairs(rule.pairs, *given)),
        (STDP(5e-3, 3e-3, 17e-3, 34e-3, dependence=PowerLaw(0.3, 0.6)), STDPEquation),
    ],
    ids=["Kempter", "Vogels", "STDP"],
)
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(
    "model",
    [CommonSourcePoisson(20.0, 0.1, n_correlated=3), ModulatedPoisson(20.0, 10.0, 10.0, n_modulated=3)],
    ids=["common source", "modulated"],
)
def test_of_a_linear_neuron_it_is_the_exact_equation(rule, exact, causal, model):
    statistics = statistics_of(Population("inputs", 5, model), Direct(0.7))
    equation = PairEquation(rule, NoisyOutput(Linear(), statistics, "excitatory", Brought(), 0.0), causal)
    other, weights = exact(rule, statistics, Linear(), causal), np.random.default_rng(1).uniform(0.1, 0.9, (3, 5))
    np.testing.assert_allclose(equation.drift(weights), other.drift(weights), rtol=1e-8)
    np.testing.assert_allclose(equation.output_rate_of(weights), other.output_rate_of(weights), rtol=1e-12)
    if not causal:
        whole = PairEquation(rule, equation.output)
        assert (whole.without_causal().drift(weights) == equation.drift(weights)).all()


# Spikes -----------------------------------------------------------------------------------------------------------------

SPIKES = {
    "weak synapses of 10 Hz": {"model": HomogeneousPoisson(10.0), "weight": 0.1e-3},
    "weak synapses of 40 Hz": {"model": HomogeneousPoisson(40.0), "weight": 0.1e-3},
    "strong synapses of 10 Hz": {"model": HomogeneousPoisson(10.0), "weight": 0.4e-3},
    "a slow cell": {"model": HomogeneousPoisson(40.0), "external": 56.0},
    "a fast cell": {"external": 62.0},
    "amplitudes that depend on the weight": {"rule": MULTIPLICATIVE, "weight": 0.3e-3},
    "Kempter's window": {"rule": SpikeHebb(eta=1e-9, w_in=0.0, w_out=0.0, w_min=0.0, w_max=1e-2)},
    "inhibition": {"rule": VogelsSprekeler(eta=1e-9, w_max=1e-2), "receptor": "inhibitory"},
    "exponential synapses": {"cell": CELL._replace(synapses=ExponentialSynapses(2e-3, 2e-3))},
    "alpha synapses": {"cell": CELL._replace(synapses=AlphaSynapses(1e-3, 1e-3))},
    "inputs that share spikes": {"model": CommonSourcePoisson(20.0, 0.1, n_correlated=25), "weight": 0.1e-3},
    "inputs that share rates": {"model": OrnsteinUhlenbeckPoisson(20.0, 6.0, n_modulated=25), "weight": 0.1e-3},
}


@pytest.mark.parametrize("name", SPIKES)
def test_the_drift_is_that_of_spikes(name):
    """16 seeds of 20 s: within three standard errors and the bias, 5 % of what correlations bring and 1 % of what chance does; where synapses take
    their time, of that order in their share of the membrane's."""
    slowness = SPIKES[name].get("cell", CELL).synapses.lag(0) / CELL.tau_m
    found = measure_drift(layer(**SPIKES[name]), 20.0, seeds=range(1, 17), wait=0.5)
    equation, synapses = reduce(found.network), found.network.recorded
    independent = equation.output.statistics._replace(covariance=[])
    chance = PairEquation(equation.rule, replace(equation.output, statistics=independent), False).drift(
        synapses.weights
    )
    groups = np.array(synapses.source.groups)
    assert found.approximate == equation.approximate and equation.approximate in repr(found)
    for row in found.rows:
        by_chance = float(chance[:, groups == row.group].mean())
        bias = (0.05 + slowness) * abs(row.formula - by_chance) + (0.01 + slowness) * abs(by_chance)
        assert abs(row.drift - row.formula) < 3.0 * row.error + bias, row
    rate = float(equation.output_rate_of(synapses.weights[0]))
    assert found.output_rate.mean() == pytest.approx(rate, rel=0.02 + slowness)
    if "rule" not in SPIKES[name]:
        without = float(equation.without_causal().drift(synapses.weights)[0, -1])
        drifts = np.array([row.drift, row.error, row.formula, without]) / RULE.A_plus
        documented = [found.output_rate.mean(), rate, *drifts]
        assert _documented(name) == pytest.approx(documented, rel=1e-3, abs=6e-4)


def _documented(name):
    """The numbers of a line of the table in docs/rules.md."""
    text = (Path(hebbscope.__file__).parent / "docs" / "rules.md").read_text(encoding="utf-8")
    (line,) = (line for line in text.splitlines() if line.startswith(f"| {name} |"))
    return [float(number) for number in re.findall(r"-?\d+\.\d+", line.replace("−", "-"))]


def test_weights_come_to_rest_and_spread_as_the_equation_says():
    """200 s from half of the weight at rest, before which weights spread. Of 1000 weights an sd has a relative error of 1 / sqrt(2000), their mean one of the sd over the root of their number."""
    network = layer(MULTIPLICATIVE, weight=0.1e-3, n_cells=10)
    equation = reduce(network)
    runs = [simulate(network, 200.0, seeds=(1, 2), level=level) for level in ("spike", "surrogate")]
    rate = simulate(network, 200.0, level="rate")
    rest = math.sqrt(equation.diffusion(equation.weight_at_rest).mean() / (-2.0 * equation.growth_rate))
    courses = (rate.weights[0], "spread"), (rate.theory["weights_without_causal"], "spread_without_causal")
    for run, (course, spread) in zip(runs, courses, strict=True):
        for k in (3, 10, 20, 100):
            apart = run.weights[:, k].std(axis=-1).mean()
            assert apart == pytest.approx(rate.theory[spread][k], rel=3.0 / math.sqrt(2000.0))
        for k in (20, 100):
            assert run.weights[:, k].mean() == pytest.approx(course[k].mean(), abs=3.0 * rest / math.sqrt(1000.0))
        assert run.final_weights.std(axis=-1).mean() == pytest.approx(rest, rel=3.0 / math.sqrt(2000.0))
    assert rate.weights[0, -1].mean() == pytest.approx(equation.weight_at_rest, rel=1e-6)
    assert rate.output_rate[0, -1] == pytest.approx(runs[0].output_rate[:, 50:].mean(), rel=0.02)
    assert rate.theory["approximate"] in repr(compare(*runs, rate))


def test_a_spread_beyond_all_numbers_and_that_of_one_synapse_end_no_run():
    """Weights that grow fast against the time between records; without a second synapse there is no spread."""
    inputs, cells = Population("inputs", 20, HomogeneousPoisson(100.0)), Population("cells", 1, LIF())
    fast = PairSTDP(A_plus=1e-3, A_minus=1.05e-3, w_max=1e-3)
    run = simulate(
        Network([inputs, cells], [Projection(inputs, cells, 5e-4, fast)]), 1e5, level="rate", record_every=5e4
    )
    assert run.theory["spread"][-1] == math.inf and np.isfinite(run.weights).all()
    single = Population("inputs", 1, HomogeneousPoisson(20.0))
    run = simulate(Network([single, cells], [Projection(single, cells, 1e-4, RULE)]), 1.0, level="rate")
    assert "spread" not in run.theory and "weights_without_causal" in run.theory


def test_it_says_that_it_is_approximate_and_how_large_a_weight_is():
    equation = reduce(layer(MULTIPLICATIVE))
    text, found = repr(equation), equation.predictions()
    assert "approximate: diffusion f-I curve and linear response" in text and text in equation._repr_html_()
    assert (
        found["weight_over_sd"] == pytest.approx(0.03, abs=0.002) and f"{100 * found['weight_over_sd']:.2g} %" in text
    )
    assert equation.coefficients()["W_integral"] == pytest.approx(
        4e-6 * 20e-3 * (1 - 2 * found["weight_at_rest"] / 4e-4), abs=1e-14
    )
    without = reduce(layer(RULE._replace(A_minus=2e-9)))
    assert all(map(math.isnan, [*without.predictions().values(), *without.coefficients().values()]))
    assert "equal weights rest nowhere between the bounds: they shrink to w_min = 0" in repr(without)


def test_a_cell_that_nothing_moves_learns_nothing():
    equation = reduce(Network(*_alone(LIF(drive=0.0))))
    assert equation.output_rate_of(np.zeros((2, 3))).tolist() == [0.0, 0.0]
    assert (equation.drift(np.zeros((2, 3))) == 0.0).all()
    never = reduce(Network(*_alone(LIF(V_th=1.0))))
    assert "equal weights stay as they are" in repr(never)


def _alone(cell, rule=RULE, model=None, **projection):
    inputs, cells = Population("inputs", 3, model or HomogeneousPoisson(20.0)), Population("cells", 2, cell)
    return [inputs, cells], [Projection(inputs, cells, 1e-4, rule, **projection)]


@pytest.mark.parametrize(
    "amplitudes, words",
    [
        ({"A_plus": 0.0, "A_minus": 1e-3}, r"below 0\.00\d+ they stay, above they shrink"),
        ({"A_plus": 1e-3, "A_minus": 0.0}, r"below 0\.00\d+ they stay, above they grow to w_max = 0\.02"),
    ],
)
def test_weights_too_small_to_make_the_cell_fire_stay(amplitudes, words):
    rule = PairSTDP(w_max=20e-3, **amplitudes)
    assert re.search(
        f"equal weights rest nowhere between the bounds: {words}$",
        repr(reduce(Network(*_alone(LIF(drive=0.0), rule)))),
    )


@pytest.mark.parametrize(
    "cell", [LIF(), LIF(drive=0.0), LIF(synapses=ExponentialSynapses())], ids=["driven", "silent", "slow"]
)
def test_inputs_that_vary_onto_cells_with_little_noise_have_an_equation(cell):
    """Ten inputs and no background: their noise is a hundredth of the way from reset to threshold."""
    inputs, cells = (
        Population("inputs", 10, OrnsteinUhlenbeckPoisson(20.0, 6.0, n_modulated=5)),
        Population("cells", 2, cell),
    )
    equation = reduce(Network([inputs, cells], [Projection(inputs, cells, 1e-4, PairSTDP(w_max=5e-3))]))
    assert np.isfinite(equation.drift(np.linspace(0.0, 5e-3, 9)[:, None] * np.ones(10))).all()


def test_synapses_of_ones_own_are_asked_for_what_the_equation_needs():
    """And where they do not say it, the drift is measured without it."""
    described = Network(*_alone(LIF(synapses=Mine())))
    with pytest.raises(HebbscopeError, match=r"Mine\.jump: must be there for the approximate learning equation"):
        reduce(described)
    assert measure_drift(described, 0.1, seeds=(1, 2)).rows[0].formula is None


class Mine(NamedTuple):
    """Synapses of one's own that act at once."""

    strength: float = 1.0
    monitored = ()

    def check(self):
        pass

    def over(self, dt, tau_m=math.inf):
        return DeltaSynapses().over(dt, tau_m)


def test_inputs_that_do_not_learn_are_as_a_background():
    """Three trains of 100 Hz that inhibit through synapses of 0.3 mV, against a background of the same."""
    beside = {"inhibitory": PoissonBackground(3, 100.0, 0.3e-3)}
    inputs, others = (
        Population("inputs", 3, HomogeneousPoisson(20.0)),
        Population("others", 3, HomogeneousPoisson(100.0)),
    )
    found = []
    for background in ({}, beside):
        cells = Population("cells", 2, LIF(), background=background)
        learns = Projection(inputs, cells, 1e-4, RULE)
        held = [] if background else [Projection(others, cells, 0.3e-3, receptor="inhibitory")]
        found.append(
            reduce(Network([inputs, cells] if background else [inputs, others, cells], [*held, learns])).output
        )
    assert found[0].others == pytest.approx(found[1].others, rel=1e-12)
    assert found[0].others == pytest.approx((-3 * 100.0 * 0.3e-3, 300.0 * 0.3e-3**2, 0.0))


RECORDED = RecordedSpikes(np.array([0.5]), np.array([0]), 1.0)


@pytest.mark.parametrize(
    "parts, words",
    [
        (_alone(LIF(), Triplet(w_max=1.0)), "Triplet: has no approximate learning equation, as rules of pairs do"),
        (_alone(LIF(), STDP(pairing=NEAREST_SYMMETRIC)), "STDP: the approximate learning equation is of all pairs, ALL_TO_ALL"),
        (_alone(LIF(), model=RECORDED), "Population inputs.model: must be no recording, for the approximate learning equation"),
        (_alone(LIF(), model=PatternPoisson(10.0 * np.eye(3), in_order=1)), "Population inputs.model: must show its patterns in random order, for the"),
        (_alone(LIF(), model=PatternPoisson(10.0 * np.ones((200, 3)), in_order=1)), "Population inputs.model: must show its patterns in random order, for the"),
        (_alone(LIF(V_reset=-1e200)), "LIF.V_reset: must be nearer to 1 (the learning equation is beyond the range of numbers), got -1e+200"),
        (_alone(LIF(tau_m=1e-300)), "LIF.tau_m: must be nearer to 1 (the learning equation is beyond the range of numbers), got 1e-300"),
        (_alone(LIF(), RULE._replace(tau_plus=1e-200)), "PairSTDP.tau_plus: must be nearer to 1 (the learning equation is beyond the range of numbers), got 1e-200"),
        (_alone(LIF(), RULE._replace(eta=1e300)), "PairSTDP.eta: must be nearer to 1 (the learning equation is beyond the range of numbers), got 1e+300"),
    ],
)  # fmt: skip
def test_what_has_no_equation_is_said(parts, words):
    with pytest.raises(HebbscopeError, match=re.escape(words)):
        reduce(Network(*parts))


def test_networks_that_are_no_layer_have_the_equation_of_all_that_learns():
    inputs, cells = Population("inputs", 2, HomogeneousPoisson()), Population("cells", 2, LIF())
    more, others = Population("more", 2, LinearPoisson()), Population("others", 2, AdEx())
    more_inputs = Population("more_inputs", 2, HomogeneousPoisson())
    learns, again = (Projection(inputs, cells, 1e-4, RULE, name=name) for name in ("learns", "again"))
    uneven = Projection(inputs, cells, [[1e-4], [2e-4]] * np.ones((2, 2)), name="uneven")
    within = Projection(cells, cells, 1e-4)
    late, sparse = ({"dendritic_delay": 1e-3}, {"connectivity": FixedInDegree(1)})
    for given in (
        [learns, again],
        [learns, within],
        [learns, uneven],
        [learns, Projection(inputs, cells, 1e-4, name="beside")],
        [learns, Projection(more_inputs, cells, Uniform(0.0, 1e-4), name="drawn")],
        [Projection(inputs, cells, 1e-4, RULE, **late)],
        [Projection(inputs, cells, 1e-4, RULE, **sparse)],
        [learns, Projection(inputs, more, 1e-4)],
    ):
        there = [
            inputs,
            cells,
            *([more] if given[-1].target is more else []),
            *([more_inputs] if given[-1].source is more_inputs else []),
        ]
        assert isinstance(reduce(Network(there, given)), RecurrentEquation)
    for given, words in (
        ([learns, again], "must be one that learns, for the approximate learning equation of LIF, got '2 that do'"),
        ([learns, Projection(inputs, others, 1e-4)], "must all join inputs to one population of neurons"),
    ):
        with pytest.raises(HebbscopeError, match=re.escape(words)):
            reduce(Network([inputs, cells, others], given))
    alone = [Projection(inputs, others, 1e-4, RULE)]
    with pytest.raises(HebbscopeError, match=r"populations: must be an input and Poisson neurons"):
        reduce(Network([inputs, others], alone))
