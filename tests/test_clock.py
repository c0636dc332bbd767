"""The clock-driven loop against a plain twin that visits every synapse in every step, on trains with all the awkward cases."""

from __future__ import annotations

import numpy as np
import pytest
from interpreting import interpreted
from naive import delta_network

from hebbscope import Network, ParameterError, Population, Projection, simulate
from hebbscope.models import LIF, ExponentialSynapses, HomogeneousPoisson, LinearPoisson, RecordedSpikes
from hebbscope.rules import L1, PairSTDP, SpikeHebb, Triplet
from hebbscope.simulator.clock_run import ClockRun, in_steps
from hebbscope.simulator.connectivity import AllToAll, Given
from hebbscope.simulator.drive import Runaway
from hebbscope.simulator.plain import Free
from hebbscope.simulator.synapses import settled

DT = 1e-4
STEPS = 600
RULE = {"A_plus": 3e-4, "A_minus": 1.2e-4, "tau_plus": 17e-3, "tau_minus": 23e-3, "w_min": 0.0, "w_max": 2.47e-3}
NEURON = {"tau_m": 20e-3, "E_L": 0.0, "V_th": 20e-3, "V_reset": 0.0}
N_HELD = 20


def awkward_trains(n: int) -> dict[int, list[int]]:
    """step -> cells: random trains with coincidences of all cells, doublets in neighbouring steps, and two spikes of one cell in one step."""
    rng = np.random.default_rng(7)
    trains = {
        int(k): rng.choice(n, rng.integers(1, n), replace=False).tolist() for k in rng.choice(STEPS, 250, replace=False)
    }
    return trains | {40: list(range(n)), 41: list(range(n)), 200: [0, 0, 2], 201: [0], 400: list(range(n))}


def recorded(trains: dict[int, list[int]]) -> RecordedSpikes:
    spikes = sorted((k, j) for k, cells in trains.items() for j in cells)
    return RecordedSpikes(np.array([k * DT for k, _ in spikes]), np.array([j for _, j in spikes]), STEPS * DT)


def wirings():
    """Name -> (pre, post) among 8 inputs and 5 cells; None: all-to-all."""
    rng = np.random.default_rng(3)
    some = np.nonzero(rng.random((8, 5)) < 0.6)
    return {"dense": None, "sparse": some}


def delays_of(kind: str, n: int, seed: int):
    """Delays in steps, one or one for each of n synapses."""
    rng = np.random.default_rng(seed)
    return {"none": 0, "one": 13, "each": rng.integers(0, 20, n)}[kind]


def compared(wiring, delay, dendrite, precision="double"):
    """The network in the engine and in the twin: the trains of spikes, and the weights of the plastic projections, of both."""
    pre, post = np.nonzero(np.ones((8, 5))) if wiring is None else wiring
    loops = np.nonzero(~np.eye(5, dtype=bool))
    steps = {
        name: [delays_of(kind, len(x), seed) for x, seed in ((pre, 1), (loops[0], 2))]
        for name, kind in (("delay", delay), ("dendrite", dendrite))
    }
    weights = [
        np.random.default_rng(4).uniform(0, RULE["w_max"], len(pre)),
        np.random.default_rng(5).uniform(0, 1e-3, len(loops[0])),
    ]
    trains = awkward_trains(8)
    inputs = Population("inputs", 8, recorded(trains))
    cells = Population("cells", 5, LIF(**NEURON, drive=0.0, refractory=N_HELD * DT))
    rules = [PairSTDP(**RULE), PairSTDP(**RULE | {"A_plus": 2e-5, "A_minus": 1e-5})]
    made = []
    for source, (a, b), w, learning, k in (
        (inputs, (pre, post), weights[0], rules[0], 0),
        (cells, loops, weights[1], rules[1], 1),
    ):
        dense = source is inputs and wiring is None
        made.append(
            Projection(
                source,
                cells,
                w.reshape(8, 5).T if dense else w,
                learning,
                connectivity=AllToAll() if dense else Given(a, b),
                delay=steps["delay"][k] * DT,
                dendritic_delay=steps["dendrite"][k] * DT,
            )
        )
    run = ClockRun(Network([inputs, cells], made), 1, "spike", {"cells": (0.0, 1.0)}, DT, precision=precision)
    for t in (0.0123, 0.0124, 0.04, STEPS * DT):
        run.to(t)
    heard = run.take_spikes()["cells"]
    found = list(zip(np.rint(heard.t / DT).astype(int).tolist(), heard.i.tolist(), strict=True))
    links = []
    for k, (a, b) in enumerate(((pre, post), loops)):
        arguments = RULE if k == 0 else RULE | {"A_plus": 2e-5, "A_minus": 1e-5}
        spread = {name: np.broadcast_to(each[k], len(a)).tolist() for name, each in steps.items()}
        source = "cells" if k else "inputs"
        links.append(
            {
                "source": source,
                "target": "cells",
                "sign": 1,
                "pre": a,
                "post": b,
                "w": weights[k],
                "rule": arguments,
                **spread,
            }
        )
    cell = NEURON | {"n_held": N_HELD, "v": [NEURON["V_reset"]] * 5}
    spikes, learned = delta_network(STEPS, DT, {"inputs": 8, "cells": 5}, {"inputs": trains}, {"cells": cell}, links)
    shaped = [run.weights_of(each) for each in made]
    flat = [w.T.ravel() if w.ndim == 2 else w for w in shaped]
    return found, spikes["cells"], flat, learned


@pytest.mark.parametrize("dendrite", ["none", "one", "each"])
@pytest.mark.parametrize("delay", ["none", "one", "each"])
@pytest.mark.parametrize("wiring", wirings())
def test_spikes_and_weights_are_those_of_the_plain_twin(wiring, delay, dendrite):
    found, expected, weights, learned = compared(wirings()[wiring], delay, dendrite)
    assert found == expected and 20 < len(found) < 1000
    for w, twin in zip(weights, learned, strict=True):
        np.testing.assert_allclose(w, twin, rtol=0, atol=1e-12 * RULE["w_max"])
    assert {0.0, RULE["w_max"]} & set(weights[0].tolist())  # bounds were met


def test_single_precision_is_right_to_seven_digits():
    found, expected, weights, learned = compared(wirings()["sparse"], "each", "one", precision="single")
    assert found == expected
    for w, twin in zip(weights, learned, strict=True):
        np.testing.assert_allclose(w, twin, rtol=0, atol=1e-5 * RULE["w_max"])


@pytest.mark.parametrize(
    "rule", [PairSTDP(**RULE, eta=0.02), SpikeHebb(eta=2e-6, w_min=0.0, w_max=RULE["w_max"])], ids=type
)
@pytest.mark.parametrize("wiring", wirings())
def test_norms_are_set_between_steps(wiring, rule):
    """Against the same network without norms, whose weights are set by hand wherever a step is that has one."""
    every, norm = 120, 9e-3
    pre, post = np.nonzero(np.ones((8, 5))) if wiring == "dense" else wirings()[wiring]
    w = np.random.default_rng(4).uniform(0, RULE["w_max"], len(pre))
    inputs, cells = Population("inputs", 8, recorded(awkward_trains(8))), Population("cells", 5, LIF(**NEURON))
    made = w.reshape(8, 5).T if wiring == "dense" else w
    wired = AllToAll() if wiring == "dense" else Given(pre, post)
    free, held = (
        ClockRun(
            Network([inputs, cells], [Projection(inputs, cells, made, rule, connectivity=wired, normalisation=part)]),
            1, "spike", {"cells": (0.0, 1.0)}, DT,
        )
        for part in (Free(), L1(norm=norm, every=every * DT))
    )  # fmt: skip
    for k in range(every, STEPS + 1, every):
        free.to(k * DT)
        held.to(k * DT)  # what is due at its end is the next call's
        link = free.links[free.network.projections[0].name][0]
        now = settled(rule, link.rule, link.w, free.time)
        np.testing.assert_allclose(held.weights, free.weights, rtol=0, atol=1e-14)
        sums = np.bincount(post, now.by_source(), minlength=5)
        places = [link.w.out(j, n) for j in range(8) for n in range(link.w.n_out(j))]
        link.w.value[places] = np.clip(now.by_source() * norm / sums[post], 0.0, RULE["w_max"])
        link.w.memory[:] = now.memory
    found, expected = (run.take_spikes()["cells"] for run in (held, free))
    assert found.t.tolist() == expected.t.tolist() and len(found) > 20
    assert np.abs(sums / norm - 1.0).max() > 0.01  # norms do not keep themselves


def test_a_full_step_gives_what_is_left_to_the_next():
    """Two hundred spikes of two cells at one time are more than a step holds; none is lost, and none waits for longer than it must."""
    t = np.sort(np.concatenate([np.full(200, 50 * DT), np.arange(300) * DT]))
    inputs = Population("inputs", 2, RecordedSpikes(t, np.arange(500) % 2, 0.03))
    cells = Population("cells", 1, LIF())
    run = ClockRun(Network([inputs, cells], [Projection(inputs, cells, 1e-9)]), 1, "spike", {"inputs": (0.0, 1.0)}, DT)
    run.to(0.03)
    seen = run.take_spikes()["inputs"]
    steps = np.bincount(np.rint(seen.t / DT).astype(int))
    full = steps.max()
    assert len(seen) == 500 and (steps[:50] == 1).all() and full > 16
    assert (steps[50 : 50 + 200 // full] == full).all() and (steps[70:] == 1).all()


def test_delays_are_the_nearest_numbers_of_steps_and_none_vanishes():
    cells = Population("cells", 6, LIF())
    delays = np.array([0.0, 0.05e-3, 0.14e-3, 0.16e-3, 0.25e-3, 2e-3])
    loop = Projection(cells, cells, connectivity=Given(np.arange(6), np.arange(6)), delay=delays)
    assert in_steps(loop, "delay", DT).tolist() == [0, 1, 1, 2, 3, 20]
    with pytest.raises(ParameterError, match=r"cells_to_cells\.delay: must be 0 or at least half of dt"):
        in_steps(Projection(cells, cells, delay=0.04e-3), "delay", DT)


def test_a_surrogate_hears_its_inputs_and_not_their_twins():
    """In one layer the two engines differ by no more than steps do: the trains that the rule sees, and what independent twins of them drive."""
    inputs, cell = Population("inputs", 4, HomogeneousPoisson(20.0)), Population("cell", 1, LinearPoisson())
    layer = Network([inputs, cell], [Projection(inputs, cell, 0.2, SpikeHebb(eta=1e-12))])
    runs = [
        simulate(layer, 400.0, seeds=1, level="surrogate", engine=engine, record_spikes={"inputs": (0, 400)})
        for engine in ("clock", "event")
    ]
    for run in runs:
        counts = np.bincount(run.spikes["inputs"].i)
        assert len(counts) == 4 and (np.abs(counts - 8000) < 4 * np.sqrt(8000)).all()
        assert abs(run.output_rate[0, 1:].mean() - 16.0) < 4 * np.sqrt(
            16.0 * 1.2 / 400
        )  # Poisson, and a little more by the input's own noise


@pytest.mark.parametrize(
    "rule", [SpikeHebb(eta=1e-5), Triplet(eta=1e-4), PairSTDP(eta=1e-3)], ids=lambda rule: type(rule).__name__
)
def test_single_precision_outlives_all_traces(rule):
    """Three seconds are thousands of the shortest time constant: stored values are rescaled many times, and differ from double ones by rounding."""
    rng = np.random.default_rng(2)
    t = np.sort(rng.choice(30_000, 600, replace=False))
    inputs = Population("inputs", 6, RecordedSpikes(t * DT, rng.integers(0, 6, 600), 3.0))
    cells = Population("cells", 2, LIF(**NEURON, drive=21e-3))
    layer = Network([inputs, cells], [Projection(inputs, cells, 1e-5, rule._replace(w_min=0.0, w_max=1.0))])
    double, single = (simulate(layer, 3.0, dt=DT, precision=each) for each in ("double", "single"))
    assert (double.spikes["cells"].t == single.spikes["cells"].t).all() and len(double.spikes["cells"]) > 50
    change = double.final_weights - 1e-5
    np.testing.assert_allclose(single.final_weights, double.final_weights, rtol=0, atol=2e-3 * np.abs(change).max())
    assert np.abs(change).max() > 0


def test_neighbours_of_one_type_are_one_kind():
    """The loop is compiled for a kind, not for a projection; what other kinds stand between keep their order."""
    a, b, c = (
        Population(name, 3, model)
        for name, model in (("a", LIF()), ("b", LIF()), ("c", LIF(synapses=ExponentialSynapses())))
    )
    wired = [(a, a), (b, a), (a, b), (b, b), (a, c), (b, c)]
    projections = [Projection(*ends, 1e-3, delay=1e-3) for ends in wired]
    plastic = Projection(c, a, 1e-3, PairSTDP(), delay=1e-3)
    run = ClockRun(Network([a, b, c], [*projections, plastic]), 1, "spike", {}, DT)
    (onto_a,), (onto_b,), (onto_c,) = run.shards[0]
    assert [len(kind) for kind in onto_a.links] == [2, 1]
    assert [len(kind) for kind in onto_b.links] == [2] == [len(kind) for kind in onto_c.links]
    (both, other) = ClockRun(Network([a, b, c], projections), 1, "spike", {}, DT).shards[0]
    assert len(both) == 2 and len(other) == 1


def test_shards_that_have_none_of_a_few_cells(monkeypatch):
    """Three shards, and a population of two cells."""
    monkeypatch.setattr("hebbscope.simulator.clock_run.CELLS_PER_SHARD", 3)
    many, few = Population("many", 8, LIF(drive=25e-3)), Population("few", 2, LIF(drive=25e-3))
    run = ClockRun(Network([many, few], [Projection(many, few, 1e-3, delay=1e-3)]), 1, "spike", {}, DT, threads=2)
    run.to(0.2)
    assert run.n_shards == 3 and (run.spikes_of(few) > 0).all() and (run.spikes_of(many) > 0).all()
    assert any(cells["few"].n == 0 and not cells["few"].hit.any() for cells in run.cells)


def test_weights_that_nobody_records_are_looked_at_in_the_end():
    """Those of the second projection grow beyond all numbers, by which its cells only ever fall silent."""
    inputs, cells = Population("inputs", 4, HomogeneousPoisson(100.0)), Population("cells", 2, LIF())
    wild = PairSTDP(A_plus=1e308, A_minus=0.0, eta=1e10, w_max=np.inf)
    projections = [
        Projection(inputs, cells, 0.1e-3, PairSTDP(w_max=0.2e-3), name="calm"),
        Projection(inputs, cells, 0.1e-3, wild, receptor="inhibitory", name="wild"),
    ]
    told = pytest.raises(
        Runaway, match=r"weights of wild, which nobody records, ran away beyond all numbers by t = 0.2 s \(seed 1\)"
    )
    with interpreted(), np.errstate(all="ignore"), told as caught:
        simulate(Network([inputs, cells], projections), 0.2)
    assert np.isfinite(caught.value.run.final_weights).all()
