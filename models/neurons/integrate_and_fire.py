"""What integrate-and-fire neurons have in common: a potential that a membrane moves, a threshold, and a reset."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class State(NamedTuple):
    """v (n,) [V]; g_ex, g_in and their rises (n,) in the unit of the synapses, or (0,) where these have none."""

    v: np.ndarray
    g_ex: np.ndarray
    g_in: np.ndarray
    rise_ex: np.ndarray
    rise_in: np.ndarray


class IntegrateAndFire(NamedTuple):
    """A spike where v >= V_th, then v = V_reset. The membrane's moved(state, i, synapses) is v of cell i after a step, that of the synapses included."""

    membrane: Any
    V_th: float
    V_reset: float
    synapses: Any

    def init(self, n, rng):
        return State(np.full(n, self.V_reset), *self.synapses.arrays(n))

    def receive(self, state, port, i, amount):
        self.synapses.receive(state, port, i, amount)

    def update(self, state, i):
        state.v[i] = self.membrane.moved(state, i, self.synapses)

    def fires(self, state, i):
        return state.v[i] >= self.V_th

    def hold(self, state, i):
        state.v[i] = self.V_reset

    def reset(self, state, i):
        state.v[i] = self.V_reset
