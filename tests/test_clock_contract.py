"""What every part must do in the clock-driven engine, too: runs that are finite, bounded, repeatable, and the same however they are cut and shared."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from small_networks import recurrent
from test_contract import EVERY, example

from hebbscope import Network, Population, Projection, simulate
from hebbscope.models import HomogeneousPoisson, LinearPoisson, Uniform
from hebbscope.rules import PairSTDP, SpikeHebb, Static, Triplet
from hebbscope.simulator import clock_run
from hebbscope.simulator.clock_run import ClockRun

N = 6
KINDS = ("input", "neuron", "rule", "window", "threshold", "transmission", "connectivity", "weights")
PLACED = [(kind, part) for kind, part in EVERY if kind in KINDS]


def drive_of(neuron):
    """A weight at which a neuron fires, in its own unit, from six inputs of 60 Hz: found by looking, not by formula."""
    for weight in 10.0 ** np.arange(-12.0, 4.0):
        layer = [Population("inputs", N, HomogeneousPoisson(60.0)), Population("cells", 3, neuron)]
        network = Network(layer, [Projection(*layer, float(weight))])
        run = simulate(network, 0.3, engine="clock", record_spikes={}, record_every=0.3, max_rate=np.inf)
        if run.output_rate[0, -1].mean() > 5.0:
            return float(weight)
    raise AssertionError(f"{neuron} never fires")


def network(kind, part):
    """A layer of the clock-driven engine in which the part has its place."""
    given = example(part)
    if kind == "window":
        given = SpikeHebb(window=given, eta=1e-3)
    if kind == "threshold":
        given = Triplet(threshold=given)
    neuron = given if kind == "neuron" else LinearPoisson()
    weight = drive_of(neuron) if kind == "neuron" else 0.2
    learning = PairSTDP(A_plus=0.01 * weight, A_minus=0.011 * weight)
    rule = given if kind in ("rule", "window", "threshold") else learning
    options = {kind: given} if kind in ("transmission", "connectivity") else {}
    n, n_cells = (12, 12) if kind == "connectivity" else (N, 3)
    inputs = Population("inputs", n, given if kind == "input" else HomogeneousPoisson(60.0))
    cells = Population("cells", n_cells, neuron)
    weights = {"weights": given, "transmission": Uniform(high=2.0 * weight)}.get(kind, weight)
    rule = rule._replace(w_min=0.0, w_max=2.0 * weight)
    return Network([inputs, cells], [Projection(inputs, cells, weights, rule, **options)])


@pytest.mark.parametrize("kind, part", PLACED, ids=lambda value: getattr(value, "__name__", value))
def test_a_run_is_finite_bounded_and_cut_anywhere(kind, part):
    described = network(kind, part)
    run = simulate(described, 0.5, engine="clock", seeds=[1, 2], record_every=0.05)
    again = simulate(described, 0.5, engine="clock", seeds=[1, 2], record_every=0.5, threads=2)
    high = described.recorded.rule.w_max if described.learning else np.inf
    assert np.isfinite(run.weights).all() and run.weights.min() >= 0.0 and run.weights.max() <= high
    assert (run.final_weights == again.final_weights).all() and run.output_rate[:, 1:].sum() > 0
    assert (run.spikes["cells"].t == again.spikes["cells"].t).all()
    assert (run.weights[:, -1] != run.weights[:, 0]).any() != (part is Static)
    cut = ClockRun(described, 2, "spike", {}, 1e-4)
    for t in (0.0001, 0.0777, 0.0778, 0.31, 0.5):
        cut.to(t)
    assert (cut.weights == run.final_weights[1]).all()


@pytest.mark.parametrize("part", [part for kind, part in EVERY if kind == "neuron"], ids=lambda part: part.__name__)
def test_every_variable_that_is_monitored_can_be_set(part):
    model = example(part)
    inputs = Population("inputs", 2, HomogeneousPoisson(1.0))
    for name in model.monitored:
        cells = Population("cells", 5, model, initial={name: Uniform(0.1, 0.2)})
        run = ClockRun(Network([inputs, cells], [Projection(inputs, cells, 0.0)]), 1, "spike", {}, 1e-4)
        values = run.variable_of(cells, name)
        assert values.shape == (5,) and (values >= 0.1).all() and (values < 0.2).all() and np.ptp(values) > 0


def test_shards_are_shared_by_any_number_of_threads(monkeypatch):
    monkeypatch.setattr(clock_run, "CELLS_PER_SHARD", 5)
    described = recurrent()
    projections = [
        Projection(each.source, each.target, each.weights, each.rule, receptor=each.receptor, name=each.name, delay=1e-3,
                   connectivity=each.connectivity)
        for each in described.projections
    ]  # fmt: skip
    described = Network(described.populations, projections)
    runs = [ClockRun(described, 1, "spike", {"exc": (0.0, 1.0)}, 1e-4, threads=threads) for threads in (1, 2, 3)]
    assert runs[2].n_shards == 4 and runs[2].threads == 3
    for run in runs:
        run.to(0.3)
    heard = [run.take_spikes()["exc"] for run in runs]
    assert len(heard[0]) > 50
    for run, spikes in zip(runs[1:], heard[1:], strict=True):
        assert (run.weights == runs[0].weights).all()
        assert (spikes.t == heard[0].t).all() and (spikes.i == heard[0].i).all()


PROGRAM = """
import json, sys
from small_networks import recurrent
from hebbscope import simulate
run = simulate(recurrent(4, 5, 2), 0.05, record_every=0.01)
spikes = {name: [s.t.tolist(), s.i.tolist()] for name, s in run.spikes.items()}
print(json.dumps([run.weights.tolist(), run.final["ee"].tolist(), spikes]))
"""


def test_a_run_without_the_compiler_is_the_same():
    said = {}
    for off in ("0", "1"):
        environment = os.environ | {"NUMBA_DISABLE_JIT": off}
        where = os.path.dirname(__file__)
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=where, capture_output=True, text=True, env=environment
        )
        assert done.returncode == 0, done.stderr
        said[off] = json.loads(done.stdout)
    assert said["0"] == said["1"] and len(said["0"][2]["inputs"][0]) > 5
