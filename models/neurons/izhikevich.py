"""The simple model of Izhikevich: a quadratic membrane with recovery."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...simulator.protocols import Hertz, Volts, VoltsPerSecond, check_held, finite, part, positive, require
from .synapses import AlphaSynapses, DeltaSynapses, ExponentialSynapses


class State(NamedTuple):
    """v (n,) [V]; u (n,) [V/s]; g_ex, g_in and their rises (n,) [V/s], or (0,) where the synapses have none."""

    v: np.ndarray
    u: np.ndarray
    g_ex: np.ndarray
    g_in: np.ndarray
    rise_ex: np.ndarray
    rise_in: np.ndarray


class Stepper(NamedTuple):
    """half: of the time step [s]; square [1/V] and linear: what v^2 and v count for after it; recovery: a times the time step."""

    half: float
    square: float
    linear: float
    recovery: float
    b: float
    c: float
    d: float
    V_peak: float
    drive: float
    synapses: Any

    def init(self, n, rng):
        return State(np.full(n, self.c), np.full(n, self.b * self.c), *self.synapses.arrays(n))

    def receive(self, state, port, i, amount):
        self.synapses.receive(state, port, i, amount)

    def update(self, state, i):
        g_ex, g_in = self.synapses.midway(state, i)
        u = state.u[i]
        v, rise = state.v[i], self.half * (140.0 - u + self.drive + g_ex - g_in)
        v = (self.square * v + self.linear) * v + rise
        v = (self.square * v + self.linear) * v + rise
        state.v[i] = v
        state.u[i] = u + self.recovery * (self.b * v - u)

    def fires(self, state, i):
        return state.v[i] >= self.V_peak

    def hold(self, state, i):
        state.v[i] = self.c

    def reset(self, state, i):
        state.v[i] = self.c
        state.u[i] += self.d


@part
class Izhikevich(NamedTuple):
    """The simple model: a quadratic membrane with recovery.

    dv/dt = 0.04 v^2 + 5 v + 140 - u + drive + g_ex - g_in in mV and ms, du/dt = a (b v - u); a spike where v >= V_peak, then v = c and u = u + d.

    a         20 Hz    rate of recovery: 0.02 /ms
    b         200 Hz   how recovery follows the potential: 0.2 /ms
    c         -65 mV   potential after a spike
    d         8 V/s    step of recovery with a spike; 1 V/s is the 1 mV/ms of the paper
    V_peak    30 mV    from where on it is a spike
    drive     0 V/s    constant input
    synapses  DeltaSynapses  time course of the input by spikes; weights are the volts that v jumps, or g_ex and g_in [V/s] at their peak

    The defaults are the paper's regular spiking cell; (100, 200, -65 mV, 2) is its fast spiking one, (20, 200, -50 mV, 2) chatters.
    The scheme is the paper's: two half-steps of Euler for v, then one step of u with the new v. Of first order in the time step.

    Source: Izhikevich 2003, IEEE Trans Neural Netw 14:1569 [recalled].
    """

    a: Hertz = 20.0
    b: Hertz = 200.0
    c: Volts = -65e-3
    d: VoltsPerSecond = 8.0
    V_peak: Volts = 30e-3
    drive: VoltsPerSecond = 0.0
    synapses: DeltaSynapses | ExponentialSynapses | AlphaSynapses = DeltaSynapses()

    @property
    def monitored(self) -> tuple[str, ...]:
        return "v", "u", *self.synapses.monitored

    def check(self):
        positive(self, "a")
        finite(self, "b", "c", "d", "V_peak", "drive")
        require(self.c < self.V_peak, self, "c", "must be below V_peak")
        check_held(self, "synapses")

    def stepper(self, dt):
        half = 0.5 * dt
        return Stepper(
            half=half,
            square=half * 4e4,
            linear=1.0 + half * 5e3,
            recovery=self.a * dt,
            b=self.b,
            c=self.c,
            d=self.d,
            V_peak=self.V_peak,
            drive=self.drive,
            synapses=self.synapses.over(dt),
        )
