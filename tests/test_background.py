"""What bombards cells from outside the network: the distribution it is drawn from, what it makes of cells, and runs that are the same however they are cut."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from interpreting import interpreted

from hebbscope import Network, Population, Projection, simulate
from hebbscope.models import (
    LIF,
    ConductanceLIF,
    ExponentialSynapses,
    HomogeneousPoisson,
    LinearPoisson,
    PoissonBackground,
)
from hebbscope.models.background import counts
from hebbscope.models.experiments import from_network, loads, to_toml
from hebbscope.models.experiments.catalogue import parts
from hebbscope.models.neurons.diffusion import barrier, noise, stationary_rate
from hebbscope.simulator import clock_run
from hebbscope.simulator.checkpoint import arrays_of, put_back
from hebbscope.simulator.clock_run import ClockRun
from hebbscope.simulator.protocols import RECEPTORS, HebbscopeError, ParameterError
from hebbscope.simulator.run import engine_of
from hebbscope.simulator.streams import start, uniform, uniforms

DT = 1e-4


def alone(cells: Population) -> Network:
    """Cells that nobody projects to: a network wants a projection, here between two others."""
    silent = Population("silent", 1, LIF(drive=0.0))
    return Network([cells, silent], [Projection(silent, silent, 0.0)])


def sizes(part: PoissonBackground, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """The amounts that may arrive in a step, and their probabilities as the table has them."""
    arrivals = part.arrivals(dt)
    n = len(arrivals.own)
    amounts = np.concatenate([arrivals.own, arrivals.other])
    chances = np.concatenate([arrivals.accept, 1.0 - arrivals.accept]) / n
    values, which = np.unique(amounts, return_inverse=True)
    return values, np.bincount(which, chances)


@pytest.mark.parametrize("mean", [0.0, 1e-6, 0.3, 2.0, 47.0, 3e3, 1e5])
def test_counts_have_the_poisson_distribution(mean):
    from scipy.stats import poisson

    values, chances = sizes(PoissonBackground(10, mean / (10 * DT), 0.5), DT)
    n = np.rint(values / 0.5)
    np.testing.assert_allclose(chances, poisson.pmf(n, mean), rtol=0, atol=1e-12)
    assert chances.sum() == pytest.approx(1.0, abs=1e-12) and len(values) < 60 + 20 * math.sqrt(mean)
    assert poisson.sf(n.max(), mean) + poisson.cdf(n.min() - 1, mean) < 1e-14  # what is left out


def test_the_least_count_is_where_the_table_begins():
    low, relative = counts(1e4)
    assert low > 9000 and relative.max() == 1.0 and low + relative.argmax() in (9999, 10_000)


def test_many_uniform_numbers_are_those_of_single_calls():
    one, many, out = start(3, "x"), start(3, "x"), np.zeros(9)
    with np.errstate(over="ignore"):
        uniforms(many, out, 7)
        singles = [uniform(one) for _ in range(7)]
    assert out.tolist() == [*singles, 0.0, 0.0] and (one == many).all()


def test_the_potential_has_the_mean_and_the_variance_of_shot_noise():
    """Two kinds of kicks: mean and variance, as threshold sees them, are the sums of decay ** k and decay ** 2k over the steps since, from k = 1."""
    n, ex, inh = 6000, PoissonBackground(1000, 20.0, 0.1e-3), PoissonBackground(30, 5.0, 0.7e-3)
    cells = Population("cells", n, LIF(drive=0.0, V_th=1.0), background={"excitatory": ex, "inhibitory": inh})
    run = ClockRun(alone(cells), 1, "spike", {}, DT)
    run.to(0.4)  # twenty time constants
    decay = math.exp(-DT / 20e-3)
    v = (
        run.variable_of(cells, "v") + 70e-3
    ) * decay  # what there is at the end of a step has its kicks in it, as they came
    means = np.array([1000 * 20.0, 30 * 5.0]) * DT
    weights = np.array([ex.weight, -inh.weight])
    mean, variance = means @ weights * decay / (1 - decay), means @ weights**2 * decay**2 / (1 - decay**2)
    assert abs(v.mean() - mean) < 3 * math.sqrt(variance / n)
    assert abs(v.var() - variance) < 3 * variance * math.sqrt(2 / n)  # v is all but normal
    assert noise(cells.model, [(20e3, ex.weight), (150.0, -inh.weight)], DT) == pytest.approx(
        (mean - 70e-3, math.sqrt(variance))
    )


@pytest.mark.parametrize("per_second", [(49e3, 40e3), (31e3, 23e3), (30e3, 20e3)])
def test_rates_are_those_of_a_membrane_under_noise(per_second):
    """Kicks of 0.1 mV against an sd of 2.2 mV and more. The formula is good to 1 %: kicks are a twentieth of the sd, and balanced, so that nothing of
    the first order in their size is left; steps count to the second order in sqrt(dt / tau_m), half a hundredth."""
    n, length, cell = 1000, 4.0, LIF(E_L=0.0, drive=0.0, V_th=20e-3, V_reset=10e-3)
    ex, inh = (PoissonBackground(1000, rate / 1000, 0.1e-3) for rate in per_second)
    cells = Population("cells", n, cell, background={"excitatory": ex, "inhibitory": inh})
    run = simulate(alone(cells), 0.5 + length, record_every=0.5, record_spikes={"cells": (0.5, 0.5 + length)})
    rates = np.bincount(run.spikes["cells"].i, minlength=n) / length
    given = noise(cell, [(per_second[0], 0.1e-3), (per_second[1], -0.1e-3)], DT)
    expected = stationary_rate(barrier(cell, given, DT), given)
    assert abs(rates.mean() - expected) < 0.01 * expected + 3 * rates.std() / math.sqrt(n)


@pytest.mark.parametrize("part", parts("neuron").values(), ids=lambda part: part.__name__)
def test_every_neuron_is_raised_by_excitation_and_lowered_by_inhibition(part):
    """Cells beside each other with the same background on one receptor and on the other, and with none."""
    model, weight = (
        part(),
        {"AdEx": 1e-12, "Izhikevich": 1e-3, "LIF": 1e-5, "EscapeNoise": 1e-5}.get(part.__name__, 1e-3),
    )
    name = model.monitored[0]
    v = {}
    for receptor in (None, *RECEPTORS):
        background = {} if receptor is None else {receptor: PoissonBackground(100, 100.0, weight)}
        cells = Population("cells", 300, model, background=background, initial={name: -65e-3} if name == "v" else None)
        with interpreted():
            run = ClockRun(alone(cells), 1, "spike", {}, DT)
            run.to(2e-3)
        v[receptor] = run.variable_of(cells, name)
    assert (v["excitatory"] > v[None]).mean() > 0.9 and (v["inhibitory"] < v[None]).mean() > 0.9
    assert np.unique(v["excitatory"]).size > 10  # each cell has its own


def driven(n: int = 40) -> Network:
    """Cells of two kinds with a background each, which project onto each other."""
    synapses = ExponentialSynapses(2e-3, 4e-3)
    fast = Population(
        "fast",
        n,
        LIF(drive=0.0),
        background={"inhibitory": PoissonBackground(20, 10.0, 1e-3), "excitatory": PoissonBackground(200, 55.0, 1e-4)},
    )
    slow = Population(
        "slow", n, ConductanceLIF(synapses=synapses), background={"excitatory": PoissonBackground(100, 60.0, 0.03)}
    )
    return Network([fast, slow], [Projection(fast, slow, 0.02, delay=1e-3), Projection(slow, fast, 1e-4, delay=2e-3)])


def test_runs_are_the_same_however_they_are_cut_and_shared(monkeypatch):
    monkeypatch.setattr(clock_run, "CELLS_PER_SHARD", 16)
    network = driven()
    runs = [ClockRun(network, 1, "spike", {"fast": (0.0, 1.0)}, DT, threads=threads) for threads in (1, 2)]
    assert runs[0].n_shards == 5
    runs[0].to(0.3)
    for t in (0.0001, 0.0777, 0.0778, 0.3):
        runs[1].to(t)
    heard = [run.take_spikes()["fast"] for run in runs]
    assert len(heard[0].t) > 20 and heard[0].t.tolist() == heard[1].t.tolist() and (heard[0].i == heard[1].i).all()
    for cells in network.populations:
        assert (runs[0].variable_of(cells, "v") == runs[1].variable_of(cells, "v")).all()


def test_a_checkpoint_goes_on_with_the_same_draws():
    network = driven()
    first, second = (ClockRun(network, 1, "spike", {}, DT) for _ in range(2))
    first.to(0.05)
    put_back(second.kept, {name: array.copy() for name, array in arrays_of(first.kept)})
    for run in (first, second):
        run.to(0.1)
    for cells in network.populations:
        assert (first.variable_of(cells, "v") == second.variable_of(cells, "v")).all()


PROGRAM = """
import json
from test_background import DT, ClockRun, driven
network = driven(3)
run = ClockRun(network, 1, "spike", {}, DT)
run.to(0.02)
print(json.dumps([run.variable_of(cells, "v").tolist() for cells in network.populations]))
"""


def test_a_run_without_the_compiler_is_the_same():
    said = []
    for off in ("0", "1"):
        environment = os.environ | {"NUMBA_DISABLE_JIT": off}
        command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
        where = os.path.dirname(__file__)
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        said.append(json.loads(done.stdout))
    assert said[0] == said[1] and np.ptp(said[0]) > 0


def test_a_file_says_the_same():
    described = from_network(driven(), duration=0.1)
    text = to_toml(described)
    assert "[populations.fast.background.inhibitory]" in text
    first, second = (simulate(each.network(), 0.2, record_every=0.1) for each in (described, loads(text)))
    assert len(first.spikes["slow"].t) > 20
    for name in ("fast", "slow"):
        assert first.spikes[name].t.tolist() == second.spikes[name].t.tolist()


@pytest.mark.parametrize(
    "model, background, words",
    [
        (LIF(), {"exc": PoissonBackground()}, "must name receptors of LIF (excitatory, inhibitory), got 'exc'"),
        (LIF(), [PoissonBackground()], "Population cells.background: must be {receptor: part}"),
        (LIF(), {"excitatory": 3.0}, "background: must be a background part for excitatory, got 3"),
        (LIF(), {"excitatory": LIF()}, "LIF.arrivals: must be a method"),
        (HomogeneousPoisson(), {"excitatory": PoissonBackground()}, "(it has none), got 'excitatory'"),
        (LIF(), {"excitatory": PoissonBackground(0)}, "PoissonBackground.n_synapses: must be >= 1, got 0"),
        (LIF(), {"excitatory": PoissonBackground(2.5)}, "PoissonBackground.n_synapses: must be a whole number"),
        (LIF(), {"excitatory": PoissonBackground(weight=-1.0)}, "PoissonBackground.weight: must be >= 0, got -1"),
        (LIF(), {"excitatory": PoissonBackground(1000, 2e6)}, "PoissonBackground.rate: must be <= 1e+06 Hz"),
    ],
)
def test_what_cannot_be_is_named(model, background, words):
    with pytest.raises(ParameterError) as caught:
        Population("cells", 3, model, background=background)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_the_exact_engine_has_none():
    layer = [
        Population("a", 2, HomogeneousPoisson(1.0)),
        Population("b", 2, LinearPoisson(), background={"excitatory": PoissonBackground()}),
    ]
    network = Network(layer, [Projection(*layer, 0.1)])
    assert engine_of(network) == "clock"
    with pytest.raises(
        HebbscopeError,
        match=r"populations: must have no background for the exact engine .* got 'b with one for excitatory'",
    ):
        engine_of(network, "event")
