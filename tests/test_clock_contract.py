"""What every part must do in the clock-driven engine, too: runs that are finite, bounded, repeatable, and the same however they are cut and shared.

Parts run without the compiler, which would take seconds for each: that it changes no bit is held for one part after another in the exact engine
(test_properties.py), for every neuron's stepper (test_neurons.py), and here for layers that have parts of every kind.
"""

import json
from functools import cache

import numpy as np
import pytest
from interpreting import both_ways, interpreted
from small_networks import recurrent
from test_contract import EVERY, example

from hebbscope import Network, Population, Projection, simulate
from hebbscope.models import (
    LIF,
    AdEx,
    CommonSourcePoisson,
    ConductanceLIF,
    ExponentialPoisson,
    FixedInDegree,
    HomogeneousPoisson,
    LinearPoisson,
    ModulatedPoisson,
    OrnsteinUhlenbeckPoisson,
    Pairwise,
    PushPull,
    Uniform,
)
from hebbscope.rules import (
    STDP,
    PairSTDP,
    PotentialThreshold,
    Sanger,
    SlidingThreshold,
    SpikeHebb,
    Static,
    TabulatedWindow,
    Triplet,
    VoltageSTDP,
)
from hebbscope.simulator import clock_run
from hebbscope.simulator.clock_run import ClockRun
from hebbscope.simulator.protocols import sees_potentials

N = 6
DT = 5e-4  # s, half the shortest time constant of the parts
KINDS = (
    "background",
    "input",
    "neuron",
    "rule",
    "rate rule",
    "window",
    "threshold",
    "pairing",
    "dependence",
    "normalisation",
    "transmission",
    "connectivity",
    "weights",
)
PLACED = [(kind, part) for kind, part in EVERY if kind in KINDS]


@cache
def drive_of(neuron):
    """A weight at which a neuron fires, in its own unit, from six inputs of 60 Hz: found by looking, not by formula."""
    for weight in 10.0 ** np.arange(-12.0, 4.0):
        layer = [Population("inputs", N, HomogeneousPoisson(60.0)), Population("cells", 3, neuron)]
        network = Network(layer, [Projection(*layer, float(weight))])
        with interpreted():
            run = simulate(network, 0.3, engine="clock", dt=DT, record_spikes={}, record_every=0.3, max_rate=np.inf)
        if run.output_rate[0, -1].mean() > 5.0:
            return float(weight)
    raise AssertionError(f"{neuron} never fires")


def layer(input=None, neuron=None, weights=None, background=None, **options):
    """A layer of the clock-driven engine with these parts, and plain ones in the place of those that are not given."""
    held = {"window": SpikeHebb(eta=1e-3), "threshold": Triplet(), "pairing": STDP(), "dependence": STDP()}
    if sees_potentials(options.get("threshold")):
        held["threshold"] = VoltageSTDP()
    rule = options.pop("rule", None) or options.pop("rate rule", None)
    for kind, holder in held.items():
        if kind in options:
            rule = holder._replace(**{kind: options.pop(kind)})
    neuron = AdEx() if neuron is None and sees_potentials(rule) else neuron
    weight = drive_of(neuron) if neuron is not None else 0.2
    rule = rule._replace(eta=weight) if sees_potentials(rule) else rule
    rule = rule or PairSTDP(A_plus=0.01 * weight, A_minus=0.011 * weight)
    rule = rule._replace(w_min=0.0, w_max=2.0 * weight)
    n, n_cells = (12, 12) if "connectivity" in options else (N, 3)
    inputs, cells = (
        Population("inputs", n, input or HomogeneousPoisson(60.0)),
        Population(
            "cells", n_cells, neuron or LinearPoisson(), background={"excitatory": background} if background else {}
        ),
    )
    norm = options.get("normalisation")
    if norm is not None and np.isfinite(norm.every):
        sizes = {
            "norm": {"norm": 4.0 * weight},
            "rho_0": {"rho_0": 20.0, "beta": 0.1},
            "groups": {"groups": np.array([1])},
        }
        sized = next(fields for name, fields in sizes.items() if name in norm._fields)
        options["normalisation"] = norm._replace(every=0.04, **sized)
    if "transmission" in options:
        weights = weights or Uniform(high=2.0 * weight)
    return Network([inputs, cells], [Projection(inputs, cells, weights or weight, rule, **options)])


@pytest.mark.parametrize("kind, part", PLACED, ids=lambda value: getattr(value, "__name__", value))
def test_a_run_is_finite_bounded_and_cut_anywhere(kind, part):
    with interpreted():
        described = layer(**{kind: example(part)})
        run = simulate(described, 0.5, engine="clock", dt=DT, seeds=[1, 2], record_every=0.05)
        again = simulate(described, 0.5, engine="clock", dt=DT, seeds=[1, 2], record_every=0.5, threads=2)
        cut = ClockRun(described, 2, "spike", {}, DT)
        for t in (0.0005, 0.0775, 0.078, 0.31, 0.5):
            cut.to(t)
    high = described.recorded.rule.w_max if described.learning else np.inf
    assert np.isfinite(run.weights).all() and run.weights.min() >= 0.0 and run.weights.max() <= high
    assert (run.final_weights == again.final_weights).all() and run.output_rate[:, 1:].sum() > 0
    assert (run.spikes["cells"].t == again.spikes["cells"].t).all()
    assert (run.weights[:, -1] != run.weights[:, 0]).any() != (part is Static)
    assert (cut.weights == run.final_weights[1]).all()


LAYERS = {
    "dense": {"input": CommonSourcePoisson, "neuron": ExponentialPoisson, "transmission": PushPull},
    "window": {"input": OrnsteinUhlenbeckPoisson, "neuron": AdEx, "window": TabulatedWindow},
    "sparse": {"input": ModulatedPoisson, "neuron": ConductanceLIF, "threshold": SlidingThreshold, "connectivity": FixedInDegree},
    "voltage": {"input": CommonSourcePoisson, "neuron": AdEx, "threshold": PotentialThreshold},
    "rates": {"input": ModulatedPoisson, "neuron": LIF, "rate rule": Sanger, "connectivity": FixedInDegree},
}  # fmt: skip


@pytest.mark.parametrize("parts", LAYERS.values(), ids=LAYERS)
def test_a_compiled_run_is_the_same(parts):
    described = layer(**{kind: example(part) for kind, part in parts.items()})
    how = {"engine": "clock", "dt": DT, "record_every": 0.1}
    with interpreted():
        plain = simulate(described, 4.0, **how)
    run = simulate(described, 4.0, **how, threads=2)
    assert (run.weights == plain.weights).all() and (run.final_weights != run.weights[:, 0]).any()
    for name, spikes in plain.spikes.items():
        assert (run.spikes[name].t == spikes.t).all() and (run.spikes[name].i == spikes.i).all() and len(spikes) > 5


@pytest.mark.parametrize("part", [part for kind, part in EVERY if kind == "neuron"], ids=lambda part: part.__name__)
def test_every_variable_that_is_monitored_can_be_set(part):
    model = example(part)
    inputs = Population("inputs", 2, HomogeneousPoisson(1.0))
    for name in model.monitored:
        cells = Population("cells", 5, model, initial={name: Uniform(0.1, 0.2)})
        with interpreted():  # no step is taken
            run = ClockRun(Network([inputs, cells], [Projection(inputs, cells, 0.0)]), 1, "spike", {}, 1e-4)
        values = run.variable_of(cells, name)
        assert values.shape == (5,) and (values >= 0.1).all() and (values < 0.2).all() and np.ptp(values) > 0


def test_shards_are_shared_by_any_number_of_threads(monkeypatch):
    """Of recurrent cells that learn, so that what one thread does too early or too late goes on into all."""
    monkeypatch.setattr(clock_run, "CELLS_PER_SHARD", 4)
    inputs, cells = recurrent().populations[:2]
    rule, some = recurrent().recorded.rule, Pairwise(0.4)
    loop = Projection(cells, cells, 1e-3, rule, connectivity=some, delay=1e-3)
    described = Network([inputs, cells], [Projection(inputs, cells, 5e-3, rule, connectivity=some), loop])
    runs = [ClockRun(described, 1, "spike", {"exc": (0.0, 1.0)}, 1e-4, threads=threads) for threads in (1, 2, 3)]
    assert runs[2].n_shards == 4 and runs[2].threads == 3
    for run in runs:
        run.to(0.3)
    heard = [run.take_spikes()["exc"] for run in runs]
    assert len(heard[0]) > 50
    for run, spikes in zip(runs[1:], heard[1:], strict=True):
        for each in described.projections:
            assert (run.weights_of(each) == runs[0].weights_of(each)).all()
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
    compiled, plain = both_ways(PROGRAM)
    assert compiled == plain and len(json.loads(plain)[2]["inputs"][0]) > 5
