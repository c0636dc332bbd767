"""Leaky integrate-and-fire neurons, as the clock-driven loop steps them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np


class DeltaState(NamedTuple):
    v: np.ndarray


class DeltaStepper(NamedTuple):
    decay: float
    rest: float
    V_th: float
    V_reset: float

    def init(self, n, rng):
        return DeltaState(np.full(n, self.V_reset))

    def receive(self, state, port, i, amount):
        state.v[i] += amount

    def update(self, state, i):
        state.v[i] = self.rest + (state.v[i] - self.rest) * self.decay

    def fires(self, state, i):
        return state.v[i] >= self.V_th

    def hold(self, state, i):
        state.v[i] = self.V_reset

    def reset(self, state, i):
        state.v[i] = self.V_reset


class CondState(NamedTuple):
    v: np.ndarray
    g_ex: np.ndarray
    g_in: np.ndarray


class CondStepper(NamedTuple):
    half: float
    half_ex: float
    half_in: float
    E_L: float
    E_ex: float
    E_in: float
    V_th: float
    V_reset: float

    def init(self, n, rng):
        return CondState(np.full(n, self.V_reset), np.zeros(n), np.zeros(n))

    def receive(self, state, port, i, amount):
        if port == 0:
            state.g_ex[i] += amount
        else:
            state.g_in[i] += amount

    def update(self, state, i):
        g_ex = state.g_ex[i] * self.half_ex
        g_in = state.g_in[i] * self.half_in
        a = self.half * (1.0 + g_ex + g_in)
        b = self.half * (self.E_L + g_ex * self.E_ex + g_in * self.E_in)
        gain = 2.0 - a * (2.0 - 1.3333333333333333 * a)
        state.v[i] = state.v[i] * (1.0 - gain * a) + gain * b
        state.g_ex[i] = g_ex * self.half_ex
        state.g_in[i] = g_in * self.half_in

    def fires(self, state, i):
        return state.v[i] > self.V_th

    def hold(self, state, i):
        state.v[i] = self.V_reset

    def reset(self, state, i):
        state.v[i] = self.V_reset


class LIF(NamedTuple):
    tau_m: float = 20e-3
    E_L: float = 0.0
    V_th: float = 20e-3
    V_reset: float = 0.0
    refractory: float = 2e-3
    receptors = ("excitatory", "inhibitory")

    def check(self):
        pass

    def stepper(self, dt):
        return DeltaStepper(math.exp(-dt / self.tau_m), self.E_L, self.V_th, self.V_reset)
