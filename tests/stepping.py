"""Neurons through the clock-driven loop's own steps, without a network: given spikes in, spikes and potentials out."""

from typing import Any, NamedTuple

import numpy as np

from hebbscope.simulator.cast import cast
from hebbscope.simulator.clock import BLOCK, CellParts, Cells, Ring, integrate, place, reset
from hebbscope.simulator.compile import compiled
from hebbscope.simulator.protocols import require_hooks
from hebbscope.simulator.streams import start


def loop(parts, cells, given, heard, begin, end):
    """Steps begin to end. given: step, port, cell and amount of each spike to come, in order; heard: step and cell of each that went, and how many did."""
    steps, ports, targets, amounts, next_one = given
    ring = cells.ring
    for k in range(begin, end):
        integrate(parts, cells, k)
        while next_one[0] < len(steps) and steps[next_one[0]] == k:
            m = next_one[0]
            parts.stepper.receive(cells.state, ports[m], targets[m], amounts[m])
            next_one[0] += 1
        reset(parts, cells, k)
        for q in range(ring.number[place(ring, k), 0]):
            heard[0][heard[2][0]] = k
            heard[1][heard[2][0]] = ring.i[place(ring, k), q]
            heard[2][0] += 1


class Course(NamedTuple):
    """k, i (n_spikes,): step and cell of each spike; traces: by name (n_steps, n), as they are at the end of each step; state: at last."""

    k: np.ndarray
    i: np.ndarray
    traces: dict
    state: Any


def prepared(neuron, dt, n=1, seed=1):
    """CellParts and Cells of n cells."""
    neuron = cast(neuron)
    neuron.check()
    stepper = neuron.stepper(dt)
    require_hooks(stepper, "stepper")
    n_held = round(getattr(neuron, "refractory", 0.0) / dt)
    depth = 1 << max(n_held, 1).bit_length()
    ring = Ring(
        np.zeros((depth, n), np.int64), np.zeros((depth, 1), np.int64), np.zeros((depth, 1), np.int64), depth - 1
    )
    state = stepper.init(n, start(seed, "neuron"))
    return CellParts(stepper, n_held), Cells(
        state, ring, 0, 0, n, np.zeros(-(-n // BLOCK), np.bool_), np.zeros(n, np.int64)
    )


def stepped(neuron, n_steps, dt=1e-4, spikes=(), n=1, record=(), seed=1, prepare=None):
    """The Course of n cells. spikes: (step, port, cell, amount); record: names of traces; prepare(state): before the first step."""
    parts, cells = prepared(neuron, dt, n, seed)
    if prepare is not None:
        prepare(cells.state)
    columns = list(zip(*sorted(spikes), strict=True)) or [()] * 4
    given = (
        *(np.array(column, np.int64) for column in columns[:3]),
        np.array(columns[3], float),
        np.zeros(1, np.int64),
    )
    heard = np.zeros(n_steps * n, np.int64), np.zeros(n_steps * n, np.int64), np.zeros(1, np.int64)
    run = compiled(loop, (parts, cells))
    traces = {name: np.empty((n_steps, n)) for name in record}
    for begin in range(0, n_steps, 1 if record else n_steps):
        run(parts, cells, given, heard, begin, begin + (1 if record else n_steps))
        for name, trace in traces.items():
            trace[begin] = getattr(cells.state, name)
    n_spikes = heard[2][0]
    return Course(heard[0][:n_spikes], heard[1][:n_spikes], traces, cells.state)
