"""A network in the clock-driven loop, and what a run in any simulator leaves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..simulator.clock_run import ClockRun
from ..simulator.network import Network


class Outcome(NamedTuple):
    """steps, cells: the spikes of each population of neurons (n_spikes,) in the order of time; weights: of each projection (n_synapses,), in the
    order of its wiring."""

    steps: dict[str, np.ndarray]
    cells: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]

    def spikes(self) -> set[tuple[str, int, int]]:
        """Population, step and cell of each spike, of which there is no second."""
        return {
            (name, int(step), int(cell))
            for name in self.steps
            for step, cell in zip(self.steps[name], self.cells[name], strict=True)
        }


def run(network: Network, dt: float, n_steps: int, seed: int) -> Outcome:
    """The network in the clock-driven loop, in steps of dt [s]."""
    neurons = [each.name for each in network.populations if not each.is_input]
    loop = ClockRun(network, seed, "spike", dict.fromkeys(neurons, (0.0, n_steps * dt)), dt)
    loop.to(n_steps * dt)
    heard = loop.take_spikes()
    return Outcome(
        {name: np.rint(heard[name].t / dt).astype(int) for name in neurons},
        {name: heard[name].i for name in neurons},
        {each.name: loop.weights_of(each).T.ravel() for each in network.projections},
    )
