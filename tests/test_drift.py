"""The measured drift: that of the formula wherever there is one, in both engines, and what stands in the way of measuring it."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from interpreting import interpreted

from hebbscope import HebbscopeError, Network, ParameterError, Population, Projection, measure_drift, reduce
from hebbscope.models import (
    CommonSourcePoisson,
    FixedInDegree,
    HomogeneousPoisson,
    LinearPoisson,
    ModulatedPoisson,
    OrnsteinUhlenbeckPoisson,
    RecordedSpikes,
    Uniform,
)
from hebbscope.rules import (
    ALL_TO_ALL,
    L1,
    NEAREST_SYMMETRIC,
    PRESYNAPTIC_CENTRED,
    REDUCED_SYMMETRIC,
    STDP,
    DoubleExponential,
    FixedThreshold,
    Logarithmic,
    MeanSquareThreshold,
    Pairing,
    PairSTDP,
    PowerLaw,
    SlidingThreshold,
    SpikeHebb,
    Static,
    Triplet,
    VogelsSprekeler,
)
from hebbscope.simulator.plain import Direct

TAUS = 17e-3, 34e-3
PAIRINGS = {
    "all-to-all": ALL_TO_ALL,
    "nearest symmetric": NEAREST_SYMMETRIC,
    "presynaptic-centred": PRESYNAPTIC_CENTRED,
    "postsynaptic-centred": Pairing(pre_by_pre=1, post_by_pre=1),
    "reduced symmetric": REDUCED_SYMMETRIC,
}
DEPENDENCES = {
    "additive": PowerLaw(),
    "multiplicative": PowerLaw(1.0, 1.0),
    "van Rossum": PowerLaw(0.0, 1.0),
    "logarithmic": Logarithmic(),
}
PAIRS = STDP(5e-3, 3e-3, *TAUS, dependence=PowerLaw(0.3, 0.6))
FULL = Triplet(A2_plus=4e-3, A3_minus=2e-2)
RULES = {
    "Kempter": SpikeHebb(),
    "double exponential": SpikeHebb(DoubleExponential(1.0, 0.6, *TAUS), eta=1e-3, w_in=0.2, w_out=-0.1),
    "pairs": PairSTDP(5e-3, 3e-3, *TAUS),
    **{name: PAIRS._replace(pairing=pairing) for name, pairing in PAIRINGS.items()},
    **{name: PAIRS._replace(dependence=dependence) for name, dependence in DEPENDENCES.items()},
    "triplets": Triplet(),
    "all triplets": FULL,
    "Vogels": VogelsSprekeler(rho_0=12.0),
}
RATES = [(5.0, 30.0), (20.0, 15.0), (40.0, 5.0)]


def layer(rule, x, y, scale=0.0, weights=0.5, n=20):
    """n synapses with Poisson spikes at x, onto a cell that fires at y and hears them through `scale`."""
    inputs, cell = Population("inputs", n, HomogeneousPoisson(x)), Population("cell", 1, LinearPoisson(base_rate=y))
    return Network([inputs, cell], [Projection(inputs, cell, weights, rule, transmission=Direct(scale))])


@pytest.mark.parametrize("scale", [0.0, 0.004], ids=["independent", "causal"])
@pytest.mark.parametrize("name", RULES)
def test_the_drift_is_that_of_the_learning_equation(name, scale):
    """32 seeds of 200 s on a grid of rates: within three standard errors, which are below a sixth of the largest drift on the grid."""
    rows = [
        row
        for rates in RATES
        for row in measure_drift(layer(RULES[name], *rates, scale), 200.0, seeds=range(1, 33)).rows
    ]
    largest = max(abs(row.formula) for row in rows)
    for row in rows:
        assert abs(row.z) < 3.0 and 3.0 * row.error < largest / 6.0, row


@pytest.mark.parametrize("dependence", [PowerLaw(), PowerLaw(0.3, 0.6)], ids=["additive", "between"])
def test_a_threshold_that_slides_comes_to_the_output_rate(dependence):
    """After twelve of its time constants, of itself; that it moves with the spikes that make pairs adds a relative 1 / (y (tau + tau_minus)) to depression."""
    rule = PAIRS._replace(dependence=dependence, threshold=SlidingThreshold(rho_0=5.0, tau=2.0, p=1.0))
    largest = 0.0
    for x, y in RATES:
        (row,) = measure_drift(layer(rule, x, y), 200.0, seeds=range(1, 33)).rows
        plus, minus = reduce(layer(rule, x, y)).amplitudes(0.5, y)
        largest = max(largest, abs(row.formula))
        depression = minus * TAUS[1] * (1.0 + 1.0 / (y * (2.0 + TAUS[1])))
        assert row.formula == pytest.approx(x * y * (plus * TAUS[0] - depression))
        assert abs(row.z) < 3.0
        assert (
            minus == pytest.approx(rule.A_minus * y / 5.0 * 0.5**dependence.mu_minus)
            and 3.0 * row.error < largest / 6.0
        )


SLIDING, SQUARE = SlidingThreshold(tau=1.0), MeanSquareThreshold(tau=1.0)
SLOWED = STDP(1e-3, 2e-3, eta=0.02, threshold=SLIDING)
AMONG_SPIKES = {
    "squares, independent": (Triplet(eta=0.02, threshold=SQUARE), HomogeneousPoisson(20.0)),
    "squares, common source": (Triplet(eta=0.02, threshold=SQUARE), CommonSourcePoisson(20.0, 0.5, 0.0, 10)),
    "third power, common rates": (
        Triplet(eta=0.02, threshold=SLIDING._replace(p=3.0)),
        OrnsteinUhlenbeckPoisson(20.0, 10.0, 0.05, 10),
    ),
    "pairs, common source": (SLOWED, CommonSourcePoisson(20.0, 0.5, 0.0, 10)),
    "neighbours": (SLOWED._replace(pairing=REDUCED_SYMMETRIC), HomogeneousPoisson(20.0)),
    "nearest pairs, squares": (SLOWED._replace(pairing=NEAREST_SYMMETRIC, threshold=SQUARE), HomogeneousPoisson(20.0)),
}


@pytest.mark.parametrize(
    "case, level", [(case, "spike") for case in AMONG_SPIKES] + [("squares, common source", "surrogate")]
)
def test_a_threshold_that_slides_goes_with_single_spikes(case, level):
    """20 inputs of 20 Hz, 12 Hz of output, averaged over 1 s. 64 seeds of 100 s: within three standard errors of each group; what the threshold settles
    at steady rates is beyond them in one at least."""
    rule, model = AMONG_SPIKES[case]
    inputs, cell = Population("inputs", 20, model), Population("cell", 1, LinearPoisson())
    found = measure_drift(
        Network([inputs, cell], [Projection(inputs, cell, 0.03, rule)]),
        100.0,
        seeds=range(1, 65),
        wait=5.0,
        level=level,
    )  # the average begins near, at 10 Hz
    fixed = FixedThreshold(float(rule.threshold.settled(12.0)))
    steady = replace(found.network, projections=[replace(found.network.layer, rule=rule._replace(threshold=fixed))])
    plain = reduce(steady, causal=level == "spike").drift(found.network.layer.weights)
    for row in found.rows:
        assert abs(row.z) < 3.0, row
    groups = np.array(found.network.layer.source.groups)
    away = [abs(row.drift - plain[:, groups == row.group].mean()) / row.error for row in found.rows]
    assert max(away) > 3.0 and "first order of 1 / (tau y)" in found.approximate, away


def test_the_equation_of_a_whole_network_says_that_its_threshold_has_settled():
    """A layer that is not all to all."""
    inputs, cells = Population("inputs", 4, HomogeneousPoisson(20.0)), Population("cells", 2, LinearPoisson())
    for threshold, words in ((SLIDING, "scale of a sliding threshold"), (FixedThreshold(), "")):
        sparse = Projection(inputs, cells, 0.03, SLOWED._replace(threshold=threshold), connectivity=FixedInDegree(2))
        equation = reduce(Network([inputs, cells], [sparse]))
        assert equation.approximate.startswith(words) and bool(equation.approximate) == bool(words)
        assert ("approximate" in repr(equation)) == bool(words) and "sd of the potential" not in repr(equation)


@pytest.mark.parametrize(
    "rule, wait",
    [
        (PAIRS._replace(threshold=MeanSquareThreshold(tau=0.1, tau_y=0.2)), 2.4),
        (PAIRS._replace(threshold=SlidingThreshold(tau=0.25)), 3.0),
        (FULL._replace(tau_x=0.3), 3.6),
        (PAIRS, 1.0),
    ],
    ids=["pairs of outputs", "threshold", "trace", "milliseconds"],
)
def test_the_time_to_forget_is_twelve_times_the_longest(rule, wait):
    """The same bits as with it given."""
    with interpreted():
        found, given = (
            measure_drift(layer(rule, 30.0, 30.0, n=1), 0.5, seeds=(1, 2), **how) for how in ({}, {"wait": wait})
        )
    (first,), (second,) = found.samples.values(), given.samples.values()
    assert (first == second).all() and (first != 0.0).all()


@pytest.mark.parametrize("threshold", [SlidingThreshold(tau=2.0), MeanSquareThreshold(tau=2.0)], ids=["mean", "square"])
def test_twelve_times_forget_a_beginning_that_is_far_above(threshold):
    """Of an output a tenth of rho_0, whose scale is a hundredth of the first: a thousandth of it at most is left."""
    state = threshold.init(1)
    for _ in range(240):
        scale = threshold.mean_depression(state, 0, 1.0, 0.1)
    assert scale == pytest.approx(threshold.settled(1.0), rel=2e-3)


def test_the_standard_error_is_that_of_the_diffusion():
    """The variance of a weight grows by D a second. Estimated from 128 seeds, a variance has a relative error of sqrt(2 / 127), or less where synapses differ."""
    rule, x, y = RULES["all-to-all"], 20.0, 15.0
    found = measure_drift(layer(rule, x, y), 50.0, seeds=range(1, 129))
    diffusion = reduce(found.network).independent_diffusion(0.5, x, y)
    (error,) = found.standard_error.values()
    assert np.mean(error**2) * 128 * 50.0 == pytest.approx(diffusion, rel=3.0 * math.sqrt(2.0 / 127.0))


# In steps -------------------------------------------------------------------------------------------------------------

DT = 1e-3  # s, so long that it is seen


def geometric(first, ratio):
    """first + first ratio + first ratio^2 + ..."""
    return first / (1.0 - ratio)


def traces_in_steps(pairing, x, y):
    """Sums over the steps before a spike: what a postsynaptic one finds of presynaptic spikes, that of its own step as well, and a presynaptic one,
    the first of its step where that hides the others, of postsynaptic spikes of earlier steps.

    A cell spikes once in a step, and what is left of a Poisson train in the next: after a spike none follows at once with probability `rest`, after a
    step without one with exp(-y dt).
    """
    plus, minus = (math.exp(-DT / tau) for tau in TAUS)
    no_pre, none = math.exp(-x * DT), math.exp(-y * DT)
    rest = (1.0 - y * DT) * (1.0 - none) / (y * DT)
    unhidden = no_pre if pairing.pre_by_pre else 1.0
    first, no_post = (rest, none) if pairing.pre_by_post else (1.0, 1.0)
    before = 1.0 + geometric(first * plus * unhidden, no_post * plus * unhidden)
    unhidden = no_pre if pairing.post_by_pre else 1.0
    first, no_post = (rest, none) if pairing.post_by_post else (1.0, 1.0)
    after = minus + geometric(first * minus**2 * unhidden, no_post * minus * unhidden)
    firsts = (1.0 - no_pre) / (x * DT) if pairing.post_by_pre else 1.0
    return (1.0 - no_pre if pairing.pre_by_pre else x * DT) * before, firsts * y * DT * after


def drift_in_steps(rule, x, y):
    """For independent spikes, from sums over steps in the place of integrals."""
    if isinstance(rule, SpikeHebb):
        s = DT * np.arange(-2000, 2001)
        return rule.eta * (rule.w_in * x + rule.w_out * y + x * y * DT * rule.window.value(s).sum())

    def trace(rate, tau, own_step):
        return geometric(rate * DT * (1.0 if own_step else math.exp(-DT / tau)), math.exp(-DT / tau))

    if isinstance(rule, Triplet):
        r1, o2 = trace(x, rule.tau_plus, True), trace(y, rule.tau_y, False)
        o1, r2 = (
            trace(y, rule.tau_minus, False),
            trace(x, rule.tau_x, False) + 0.5 * x * DT,
        )  # half of its step's others come first
        return y * r1 * (rule.A2_plus + rule.A3_plus * o2) - x * o1 * (rule.A2_minus + rule.A3_minus * r2)
    if isinstance(rule, VogelsSprekeler):
        before, after = trace(x, rule.tau, True), trace(y, rule.tau, False)
        return rule.eta * (y * before + x * (after - 2.0 * rule.rho_0 * rule.tau))
    if isinstance(rule, PairSTDP):
        before, after = traces_in_steps(ALL_TO_ALL, x, y)
        return y * rule.A_plus * before - x * rule.A_minus * after
    before, after = traces_in_steps(rule.pairing, x, y)
    gain, loss = 0.5**rule.dependence.mu_plus, 0.5**rule.dependence.mu_minus
    return y * rule.A_plus * gain * before - x * rule.A_minus * loss * after


@pytest.mark.parametrize("rates", RATES, ids=str)
def test_in_steps_the_drift_is_that_of_sums_over_steps(rates):
    """Rules on synapses of their own between the same spikes, and pairs between cells that are joined at random: six projections, one of them recurrent."""
    inputs, cells = (
        Population("inputs", 10, HomogeneousPoisson(rates[0])),
        Population("cells", 4, LinearPoisson(base_rate=rates[1])),
    )
    names = ("nearest symmetric", "presynaptic-centred", "reduced symmetric", "double exponential", "all triplets")
    chosen = {name.replace(" ", "_").replace("-", "_"): RULES[name] for name in names} | {"pairs": RULES["pairs"]}
    unheard = {name: {"rule": rule, "transmission": Direct(0.0), "name": name} for name, rule in chosen.items()}
    wired = unheard.pop("pairs") | {"connectivity": FixedInDegree(2, self_connections=0), "delay": 3 * DT}
    links = [Projection(inputs, cells, 0.5, **each) for each in unheard.values()]
    network = Network([inputs, cells], [*links, Projection(cells, cells, 0.5, **wired)])
    found = measure_drift(network, 100.0, seeds=range(1, 17), engine="clock", dt=DT)
    assert (
        found.drift["pairs"].shape == (1, 8) and found.drift["all_triplets"].shape == (4, 10) and len(found.rows) == 6
    )
    assert not found.formula and all(row.formula is None and row.z is None for row in found.rows)
    for row in found.rows:
        x, y = (rates[1], rates[1]) if row.projection == "pairs" else rates
        expected = drift_in_steps(chosen[row.projection], x, y)
        integral = reduce(layer(chosen[row.projection], x, y)).drift(np.full(20, 0.5)).mean()
        assert abs(row.drift - expected) < 3.0 * row.error < 1.5 * abs(expected - integral), (row, expected)


# What it is measured at -----------------------------------------------------------------------------------------------


def test_weights_are_chosen_and_stand_still():
    """Multiplicative drift at three weights, from one run: that of each synapse is the formula at its own weight."""
    rule, weights = RULES["multiplicative"], [0.1, 0.5, 0.9]
    network = layer(rule, 20.0, 15.0, n=3)
    network = replace(network, projections=[replace(network.projection, normalisation=L1(1.5))])
    found = measure_drift(network, 200.0, weights=weights, seeds=range(1, 17))
    again = measure_drift(network, 200.0, weights={"inputs_to_cell": weights}, seeds=range(1, 17), threads=1)
    (drift,), (error,), (formula,) = (
        next(iter(each.values())) for each in (found.drift, found.standard_error, found.formula)
    )
    assert (np.abs(drift - formula) < 3.0 * error).all() and drift[0] > 10.0 * error[0] and drift[2] < -10.0 * error[2]
    assert (again.drift["inputs_to_cell"] == drift).all() and found.network.recorded.weights.tolist() == [weights]


def test_the_surrogate_lacks_the_causal_term():
    (spike,), (surrogate,) = (
        measure_drift(layer(RULES["additive"], 20.0, 15.0, 0.02), 200.0, seeds=range(1, 33), level=level).rows
        for level in ("spike", "surrogate")
    )
    assert abs(spike.z) < 3.0 and abs(surrogate.z) < 3.0
    assert spike.formula - surrogate.formula > 5.0 * math.hypot(spike.error, surrogate.error)


def test_the_equation_of_a_recurrent_network_stands_beside_what_is_measured():
    """Too short to tell anything: that the formula is right is held in test_recurrent.py."""
    rule, some = SpikeHebb(DoubleExponential(), eta=1e-5), FixedInDegree(1, self_connections=0)
    inputs, cells = Population("inputs", 2, HomogeneousPoisson(20.0)), Population("cells", 3, LinearPoisson())
    feed = Projection(inputs, cells, 0.2, rule)
    network = Network([inputs, cells], [feed, Projection(cells, cells, 0.1, rule, connectivity=some, delay=DT)])
    with interpreted():
        found = measure_drift(network, 0.3, seeds=(1, 2), wait=0.1, dt=DT)
    drift = reduce(network, dt=DT).drift()
    assert set(found.formula) == {"inputs_to_cells", "cells_to_cells"} == set(drift)
    for name, formula in found.formula.items():
        assert formula.shape == found.drift[name].shape and (formula.ravel() == drift[name].ravel()).all()
    assert all(row.z is not None for row in found.rows)


def test_weights_that_are_drawn_are_those_of_the_first_seed():
    drawn = measure_drift(layer(RULES["pairs"], 20.0, 15.0, weights=Uniform(0.2, 0.8)), 1.0, seeds=(3, 4)).network
    assert (
        drawn.recorded.weights
        == layer(RULES["pairs"], 20.0, 15.0, weights=Uniform(0.2, 0.8)).recorded.initial_weights(3)
    ).all()


def test_it_prints_a_row_for_each_group():
    inputs, cell = Population("inputs", 4, ModulatedPoisson(n_modulated=2)), Population("cell", 1, LinearPoisson())
    found = measure_drift(Network([inputs, cell], [Projection(inputs, cell, 0.1, SpikeHebb())]), 20.0, seeds=(1, 2))
    assert [row.group for row in found.rows] == ["constant", "modulated"] and [row.n for row in found.rows] == [2, 2]
    text, page, table = repr(found), found._repr_html_(), found.to_dict()
    assert text.count("\n") == 3 and page.count("<tr>") == 3 and "2 seeds of 20 s" in text
    assert table["rows"][1]["drift"] == found.rows[1].drift and table["seeds"] == [1, 2]


@pytest.mark.parametrize(
    "change, words",
    [
        ({"seeds": 1}, "measure_drift.seeds: must be at least two, for a standard error, got [1]"),
        ({"level": "rate"}, "measure_drift.level: must be one of spike, surrogate, got 'rate'"),
        ({"weights": 0.0}, "Projection inputs_to_cell.weights: must be off the bounds w_min = 0 and w_max = 1, which cut drift off, got 0"),
        ({"weights": {"cells": 0.1}}, "measure_drift.weights: must name projections among inputs_to_cell, got 'cells'"),
        ({"duration": -1.0}, "measure_drift.duration: must be finite and > 0 s"),
        ({"network": 3}, "measure_drift.network: must be a Network, got 3"),
        ({"network": layer(PairSTDP(eta=0.0), 20.0, 15.0)}, "PairSTDP.eta: must be there and not 0"),
        ({"network": layer(Static(), 20.0, 15.0)}, "measure_drift: nothing learns in network"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_said(change, words):
    arguments = {"network": layer(RULES["pairs"], 20.0, 15.0), "duration": 1.0} | change
    with pytest.raises(HebbscopeError, match=re.escape(words)):
        measure_drift(**arguments)


def test_several_projections_are_named():
    inputs, cell = Population("inputs", 2, HomogeneousPoisson(5.0)), Population("cell", 1, LinearPoisson())
    links = [Projection(inputs, cell, 0.5, PairSTDP(), name=name) for name in ("one", "other")]
    with pytest.raises(
        ParameterError, match=r"measure_drift\.weights: must be given by projection, of which one, other learn"
    ):
        measure_drift(Network([inputs, cell], links), 1.0, weights=0.2)


def test_a_rule_that_jumps_is_refused():
    """Nothing happens in the pilot run, so that what is learned later is not foreseen, and a step is larger than the weight."""
    late = RecordedSpikes(np.array([1.8]), np.array([0]), 3.0)
    cell = Population("cell", 1, LinearPoisson(base_rate=100.0))
    inputs = Population("inputs", 1, late)
    rule = SpikeHebb(eta=1e6, w_in=1.0, w_out=0.0)
    with pytest.raises(HebbscopeError, match="weights of inputs_to_cell do not stand still"):
        measure_drift(Network([inputs, cell], [Projection(inputs, cell, 0.1, rule)]), 1.0, seeds=(1, 2))


@pytest.mark.parametrize("field", ["duration", "wait"])
@pytest.mark.parametrize("value", [-1.0, 0.0, math.nan, "1 s"])
def test_times_that_are_none_are_refused(field, value):
    given = {"duration": 1.0, field: value}
    with pytest.raises(ParameterError, match=f"measure_drift.{field}: must be finite and > 0 s"):
        measure_drift(layer(PairSTDP(), 10.0, 10.0), **given)


def test_a_norm_alone_has_no_drift():
    inputs, neuron = Population("inputs", 4, HomogeneousPoisson(10.0)), Population("neuron", 1, LinearPoisson())
    network = Network([inputs, neuron], [Projection(inputs, neuron, 0.1, normalisation=L1())])
    with pytest.raises(HebbscopeError, match="nothing learns"):
        measure_drift(network, 1.0)
