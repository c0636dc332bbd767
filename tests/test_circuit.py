"""Networks of integrate-and-fire neurons in numbers: against the equation of one layer, the state of Brunel's network, and spikes."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hebbscope
from hebbscope import Network, Population, Projection, compare, measure_drift, reduce, simulate
from hebbscope.analysis.comparison import courses
from hebbscope.models import (
    LIF,
    CommonSourcePoisson,
    ExponentialSynapses,
    FixedInDegree,
    HomogeneousPoisson,
    LinearPoisson,
    OrnsteinUhlenbeckPoisson,
    PoissonBackground,
    Uniform,
)
from hebbscope.models.experiments.brunel2000_stdp import Brunel2000STDP, Cells, Coupling
from hebbscope.rules import STDP, KempterWindow, PairSTDP, PowerLaw, SpikeHebb, VogelsSprekeler
from hebbscope.rules.balance import at_rest
from hebbscope.rules.circuit import Circuit
from hebbscope.rules.covariances import Covariances
from hebbscope.rules.recurrent import RecurrentEquation
from hebbscope.simulator.run import DT

CELL = LIF(E_L=0.0, drive=0.0, V_th=20e-3, V_reset=10e-3)
J = 0.1e-3  # V
PAIRS = PairSTDP(A_plus=1e-3 * J, A_minus=1.05e-3 * J, w_max=10.0 * J)


def background(cell=CELL, n=1000, external=59.0):
    """Spikes that move the potential by 0.2 mV and make an sd of 6.8 mV."""
    jump = cell.synapses.jump(0, cell.tau_m)
    kicks = {"excitatory": external, "inhibitory": 56.0}
    return {name: PoissonBackground(n, rate, 0.2e-3 / jump) for name, rate in kicks.items()}


# Closed forms ----------------------------------------------------------------------------------------------------------

LAYERS = {
    "independent inputs": {},
    "inputs that share spikes": {"model": CommonSourcePoisson(20.0, 0.1, n_correlated=5)},
    "inputs that share rates": {"model": OrnsteinUhlenbeckPoisson(20.0, 6.0, n_modulated=5)},
    "exponential synapses of inputs that share spikes": {
        "model": CommonSourcePoisson(20.0, 0.3, n_correlated=5),
        "cell": CELL._replace(synapses=ExponentialSynapses(2e-3, 3e-3)),
    },
    "exponential synapses": {"cell": CELL._replace(synapses=ExponentialSynapses(2e-3, 3e-3))},
    "Kempter's window": {"rule": SpikeHebb(KempterWindow(), 1e-5 * J, w_min=0.0)},
    "inhibition": {"rule": VogelsSprekeler(eta=1e-3 * J, w_max=10.0 * J), "receptor": "inhibitory"},
    "amplitudes that depend on the weight": {
        "rule": STDP(1e-3 * J, 1e-3 * J, w_max=4.0 * J, dependence=PowerLaw(0.5, 1.0))
    },
}


@pytest.mark.parametrize("name", LAYERS)
def test_of_one_layer_it_is_the_equation_of_the_layer(name):
    """Which goes by moments of the answer to a kick, this one by an integral over frequencies, beyond the last known of which it is an extrapolation."""
    given = {"model": HomogeneousPoisson(20.0), "cell": CELL, "rule": PAIRS, "receptor": "excitatory"} | LAYERS[name]
    inputs = Population("inputs", 10, given["model"])
    cells = Population("cells", 3, given["cell"], background=background(given["cell"]))
    weights = np.linspace(0.5 * J, 2.0 * J, 30).reshape(3, 10)
    network = Network([inputs, cells], [Projection(inputs, cells, weights, given["rule"], receptor=given["receptor"])])
    layer, whole = reduce(network), RecurrentEquation(network, DT)
    expected, found = layer.drift(weights), whole.drift()["inputs_to_cells"]
    by_correlations = np.abs(whole.correlation_drift()["inputs_to_cells"]).max()
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=2e-3 * by_correlations)
    np.testing.assert_allclose(whole.rates()["cells"], layer.output_rate_of(weights), rtol=1e-9)


def test_what_comes_by_two_ways_adds_up_as_far_as_the_cell_remembers():
    """Two synapses of a train, the second later by 1.5 tau_m: the power of a Poisson train through a membrane that jumps twice, r (a^2 + b^2 + 2 a b e^-1.5)."""
    inputs, cells = Population("inputs", 3, HomogeneousPoisson(20.0)), Population("cells", 2, CELL)
    a, b = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]]) * J, np.array([[2.0, 1.0, 1.0], [1.0, 0.0, 1.0]]) * J
    first = Projection(inputs, cells, a, PAIRS, name="first", delay=1e-3)
    second = Projection(inputs, cells, b, name="second", delay=31e-3)
    circuit = Circuit(Network([inputs, cells], [first, second]), DT)
    found = circuit.powers({each.name: each.initial_values(1) for each in circuit.network.projections}, True)
    np.testing.assert_allclose(found.toarray(), a**2 + b**2 + 2.0 * a * b * math.exp(-1.5), rtol=1e-12)
    moves = circuit.moves({each.name: each.initial_values(1) for each in circuit.network.projections}, True)
    np.testing.assert_allclose(moves.toarray(), a + b, rtol=1e-12)


def test_each_train_has_the_spectrum_of_its_own_intervals():
    """However cells hear of each other, and linear Poisson neurons among them."""
    network = balanced(linear=4)
    rest = at_rest(Circuit(network, DT), {each.name: each.initial_values(1) for each in network.projections})
    own, known = np.array([]), None
    for spectra in Covariances(rest).spectra():
        own, known = rest.own(spectra.omega), np.isnan(rest.own(spectra.omega)[0])
        found = np.einsum("kii->ki", spectra.among)
        np.testing.assert_allclose(found[:, ~known], own[:, ~known], rtol=1e-9)
        np.testing.assert_allclose(spectra.among, spectra.among.conj().swapaxes(1, 2), atol=1e-9 * np.abs(found).max())
    assert known is not None and known.sum() == 4 and len(known) == 20


def test_its_rates_are_those_of_brunels_network():
    """In which all cells of a kind are alike, so that another root finder has two rates to find."""
    w = 0.6e-3  # V, so that few synapses bring as much noise
    rule = PairSTDP(A_plus=1e-3 * w, A_minus=1.05e-3 * w, w_max=2.0 * w)
    sizes = {"cells": Cells(80, 20, 0.5), "coupling": Coupling(weight=w)}
    described = Brunel2000STDP(**sizes, rule=rule, duration=1.0, record_every=1.0)
    equation = RecurrentEquation(described.network(), described.dt)
    for weight in (w, 0.8 * w):
        found = equation.rates({"excitatory_to_excitatory": np.full(80 * 40, weight)})
        excitatory, inhibitory = described.rates_at(weight)
        np.testing.assert_allclose(found["excitatory"], excitatory, rtol=1e-6)
        np.testing.assert_allclose(found["inhibitory"], inhibitory, rtol=1e-6)


def test_rates_are_what_what_arrives_makes_of_them():
    """Of cells that all get something else, by iteration with a part of each step."""
    network = balanced(scale=3.0)
    found, values = RecurrentEquation(network, DT).rates(), {}
    known = {"inputs": found["inputs"], "e": np.zeros(16), "i": np.zeros(4)}
    for each in network.projections:
        values[each.name] = {"inhibitory": -1.0}.get(each.receptor, 1.0) * each.initial_values(1)
    for _ in range(200):
        for cells in network.populations[1:]:
            sums = np.zeros((2, cells.n))
            for port, each in cells.background.items():
                moved = {"inhibitory": -1.0}.get(port, 1.0) * each.weight
                sums += each.n_synapses * each.rate * np.array([[moved], [moved**2]])
            for each in network.projections:
                if each.target is cells:
                    pre, post = each.wiring
                    for k in (0, 1):
                        np.add.at(sums[k], post, known[each.source.name][pre] * values[each.name] ** (k + 1))
            made = cells.model.driven(*sums, 0.0, DT).rate
            known[cells.name] = 0.5 * (known[cells.name] + made)
    for name, rates in found.items():
        np.testing.assert_allclose(rates, known[name], rtol=1e-7)
    assert np.ptp(found["e"]) > 0.05 * found["e"].mean()


# Spikes ----------------------------------------------------------------------------------------------------------------


def balanced(rule=PAIRS, linear=0, scale=1.0, model=None, cell=CELL):
    """Thirty inputs, sparse onto 16 cells that excite each other, sparse and late, and 4 that inhibit them, by synapses that learn, too."""
    inputs = Population("inputs", 30, HomogeneousPoisson(20.0) if model is None else model)
    noise, start = background(cell), {"v": Uniform(10e-3, 20e-3)}
    e, i = (Population(name, n, cell, background=noise, initial=start) for name, n in (("e", 16), ("i", 4)))
    drawn = Uniform(0.5 * J * scale, 1.5 * J * scale)
    if linear:
        i = Population("i", linear, LinearPoisson(base_rate=10.0))
    onto_i = 2.0 if linear else 2.0 * J * scale
    projections = [
        Projection(inputs, e, drawn, rule, connectivity=FixedInDegree(20), delay=1e-3, name="feed"),
        Projection(
            e,
            e,
            drawn,
            rule,
            connectivity=FixedInDegree(6, self_connections=0),
            delay=1.5e-3,
            dendritic_delay=0.5e-3,
            name="loop",
        ),
        Projection(e, i, 1e-3 * onto_i if linear else onto_i, connectivity=FixedInDegree(8), delay=1e-3),
        Projection(
            i,
            e,
            4.0 * J * scale,
            VogelsSprekeler(eta=1e-3 * J, w_max=20.0 * J),
            receptor="inhibitory",
            delay=1e-3,
            name="back",
        ),
    ]
    return Network([inputs, e, i], projections)


SHARED = CommonSourcePoisson(20.0, 0.1, n_correlated=15)
DRAWN = {"independent inputs": None, "half of the inputs share a tenth of their spikes": SHARED}


@pytest.mark.parametrize("name", DRAWN)
def test_drift_and_diffusion_of_a_network_are_those_of_spikes(name):
    """16 seeds of 200 s: the mean of every projection within three standard errors and the bias that one layer has, 5 % of what correlations bring and 1 % of what chance does;
    and so is the share of their pattern over synapses in what is measured; variances over seeds, the mean of a target's synapses, within three standard errors over targets and
    5 %."""
    found = measure_drift(balanced(model=DRAWN[name], scale=2.0), 200.0, seeds=range(1, 17), wait=0.5)
    equation = reduce(found.network)
    drift, correlated, rates = equation.drift(), equation.correlation_drift(), equation.rates()
    diffusion = equation.diffusion()
    assert found.approximate == equation.approximate != ""
    assert found.output_rate.mean() == pytest.approx(rates["e"].mean(), rel=0.02)
    for each in found.network.learning:
        samples, by_correlations = found.samples[each.name].reshape(16, -1), correlated[each.name].ravel()
        by_chance = drift[each.name].ravel() - by_correlations
        bias = 0.05 * abs(by_correlations.mean()) + 0.01 * abs(by_chance.mean())
        means, formula = samples.mean(axis=1), drift[each.name].mean()
        error = means.std(ddof=1) / 4.0
        assert abs(means.mean() - formula) < 3.0 * error + bias
        pattern = by_correlations - by_correlations.mean()
        share = ((samples - by_chance) * pattern).sum(axis=1) / (pattern**2).sum()
        assert abs(share.mean() - 1.0) < 3.0 * share.std(ddof=1) / 4.0 + 0.05
        told = np.array([means.mean(), error, formula, by_correlations.mean()]) / getattr(
            each.rule, "A_plus", each.rule.eta
        )
        assert _documented(f"{name}: {each.name}") == pytest.approx(told, rel=1e-3, abs=6e-5)
        variances = found.samples[each.name].var(axis=0, ddof=1).T.ravel() * found.duration
        ratios = variances / diffusion[each.name].T.ravel()
        of_targets = np.bincount(each.wiring.post, ratios) / np.bincount(each.wiring.post)
        error = of_targets.std(ddof=1) / math.sqrt(len(of_targets))
        assert abs(of_targets.mean() - 1.0) < 3.0 * error + 0.05 and error < 0.1


def _documented(name):
    """The numbers of a line of the table in docs/rules.md."""
    text = (Path(hebbscope.__file__).parent / "docs" / "rules.md").read_text(encoding="utf-8")
    (line,) = (line for line in text.splitlines() if line.startswith(f"| {name} |"))
    return [float(number) for number in re.findall(r"-?\d+\.\d+", line.replace("−", "-"))]


def test_spikes_that_also_come_by_synapses_that_do_not_learn_count_in_the_drift():
    """Of 50 inputs onto cells by a synapse that learns and by one that does not, of the same strength; 16 seeds of 20 s, within three standard errors and 5 %."""
    inputs, cells = (
        Population("inputs", 50, HomogeneousPoisson(20.0)),
        Population("cells", 10, CELL, background=background()),
    )
    learns, beside = Projection(inputs, cells, 2.0 * J, PAIRS), Projection(inputs, cells, 2.0 * J, name="beside")
    found = measure_drift(Network([inputs, cells], [learns, beside]), 20.0, seeds=range(1, 17), wait=0.5)
    means, formula = found.samples["inputs_to_cells"].mean(axis=(1, 2)), found.formula["inputs_to_cells"].mean()
    correlated = reduce(found.network).correlation_drift()["inputs_to_cells"].mean()
    assert abs(means.mean() - formula) < 3.0 * means.std(ddof=1) / 4.0 + 0.05 * correlated + 0.01 * abs(
        formula - correlated
    )


def test_the_drift_of_a_network_whose_rule_depends_on_the_weight():
    """Linear Poisson neurons that drive each other, as the equation is exact there; 16 seeds of 200 s, within three standard errors."""
    inputs, cells = (
        Population("inputs", 12, CommonSourcePoisson(20.0, 0.2, n_correlated=6)),
        Population("cells", 6, LinearPoisson(tau=5e-3)),
    )
    rule = STDP(5e-3, 4e-3, w_max=0.2, dependence=PowerLaw(0.5, 1.0))
    feed = Projection(inputs, cells, Uniform(0.03, 0.12), rule, connectivity=FixedInDegree(8), delay=1e-3, name="feed")
    loop = Projection(
        cells,
        cells,
        Uniform(0.02, 0.1),
        rule,
        connectivity=FixedInDegree(3, self_connections=0),
        delay=2e-3,
        name="loop",
    )
    network = Network([inputs, cells], [feed, loop])
    found = measure_drift(network, 200.0, seeds=range(1, 17), wait=0.5)
    equation = reduce(found.network)
    assert found.approximate == equation.approximate == ""
    for name, samples in found.samples.items():
        expected = equation.drift()[name].ravel()
        error = samples.std(axis=0, ddof=1).ravel() / 4.0
        off = samples.mean(axis=0).ravel() - expected
        assert abs(off.mean()) < 3.0 * samples.reshape(16, -1).mean(axis=1).std(ddof=1) / 4.0
        assert (off**2 / error**2).mean() < 1.0 + 4.0 * math.sqrt(
            2.0 / len(off)
        )  # which t with 15 degrees of freedom makes 1.15


def test_a_network_at_the_rate_level_goes_where_spikes_go():
    """100 s, 16 seeds: mean weights of every projection within three standard errors and 5 % of their change, in which the synapses of inputs that share spikes win."""
    network = balanced(scale=2.0, model=SHARED)
    given = [
        replace(each, weights=each.initial_values(1)) if each.name != "back" else each for each in network.projections
    ]
    network = replace(network, projections=given)
    rate = simulate(network, 100.0, level="rate", record_every=25.0)
    spike = simulate(network, 100.0, seeds=range(1, 17), record_every=25.0, record_spikes={})
    assert rate.seeds == (1,) and rate.theory["approximate"]
    for each in network.learning:
        found, expected = spike.final[each.name].reshape(16, -1).mean(axis=1), rate.final[each.name].mean()
        bias = 0.05 * abs(expected - each.initial_values(1).mean())
        assert abs(found.mean() - expected) < 3.0 * found.std(ddof=1) / 4.0 + bias
    report = compare(spike, rate)
    text, row, apart = repr(report), report.row("spike", "separation"), courses(rate)["separation"][0]
    assert "approximate (diffusion f-I curve and linear response)" in text and "without causal" not in text
    assert abs(row.z) < 3.0 and apart[-1] - apart[0] > 10.0 * row.error
    assert report.row("spike", "spread").theory is None
