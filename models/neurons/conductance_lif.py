"""The leaky integrate-and-fire neuron with conductance-based synapses."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...simulator.protocols import Seconds, Volts, finite, non_negative, part, positive, require, require_hooks
from .silence import quiet
from .synapses import RECEPTORS, AlphaSynapses, DeltaSynapses, ExponentialSynapses

SIXTH = 1.0 / 6.0


class State(NamedTuple):
    """v (n,) [V]; g_ex, g_in and their rises (n,) in units of the leak, the latter (0,) where the synapses have none."""

    v: np.ndarray
    g_ex: np.ndarray
    g_in: np.ndarray
    rise_ex: np.ndarray
    rise_in: np.ndarray


class Stepper(NamedTuple):
    """leak = dt / tau_m; pull_leak, pull_ex, pull_in [V]: leak times where each conductance pulls the potential to."""

    leak: float
    pull_leak: float
    pull_ex: float
    pull_in: float
    V_th: float
    V_reset: float
    synapses: Any

    def init(self, n, rng):
        return State(np.full(n, self.V_reset), *self.synapses.arrays(n))

    def receive(self, state, port, i, amount):
        self.synapses.receive(state, port, i, amount)

    def update(self, state, i):
        g_ex, g_in = self.synapses.midway(state, i)
        z = self.leak * (1.0 + g_ex + g_in)
        pull = self.pull_leak + g_ex * self.pull_ex + g_in * self.pull_in
        gain = 1.0 + z * (0.5 + z * SIXTH)
        decay = 1.0 / (1.0 + z * gain)  # exp(-z) to third order, and between 0 and 1 for any z
        state.v[i] = quiet(state.v[i] * decay + pull * gain * decay)  # only this waits for the step before

    def fires(self, state, i):
        return state.v[i] >= self.V_th

    def hold(self, state, i):
        state.v[i] = self.V_reset

    def reset(self, state, i):
        state.v[i] = self.V_reset


@part
class ConductanceLIF(NamedTuple):
    """tau_m dv/dt = E_L - v + drive + g_ex (E_ex - v) + g_in (E_in - v); a spike where v >= V_th, then v = V_reset.

    tau_m       20 ms   time constant of the membrane without synaptic input
    E_L         -70 mV  resting potential
    E_ex        0 mV    reversal potential of excitation
    E_in        -70 mV  reversal potential of inhibition
    V_th        -54 mV  threshold
    V_reset     -60 mV  potential after a spike
    refractory  0 ms    for which v stays at V_reset after a spike
    drive       0 mV    constant input: current over leak conductance
    synapses    ExponentialSynapses  time course of g_ex and g_in, which are in units of the leak conductance; so are weights

    Of second order in the time step (of third at constant conductances), and stable for any conductance: in each step the conductances are those
    at half of it, and v decays to where they pull it.

    Source: Song, Miller & Abbott 2000, Nat Neurosci 3:919.
    """

    tau_m: Seconds = 20e-3
    E_L: Volts = -70e-3
    E_ex: Volts = 0.0
    E_in: Volts = -70e-3
    V_th: Volts = -54e-3
    V_reset: Volts = -60e-3
    refractory: Seconds = 0.0
    drive: Volts = 0.0
    synapses: ExponentialSynapses | AlphaSynapses = ExponentialSynapses()

    @property
    def receptors(self) -> tuple[str, ...]:
        return RECEPTORS

    @property
    def monitored(self) -> tuple[str, ...]:
        return "v", *self.synapses.monitored

    def check(self):
        positive(self, "tau_m")
        finite(self, "E_L", "E_ex", "E_in", "V_th", "V_reset", "drive")
        non_negative(self, "refractory")
        require(self.V_reset < self.V_th, self, "V_reset", "must be below V_th")
        require_hooks(self.synapses, "synapses")
        self.synapses.check()
        conducting = not isinstance(self.synapses, DeltaSynapses)
        require(conducting, self, "synapses", "must open conductances: ExponentialSynapses or AlphaSynapses")

    def stepper(self, dt):
        leak, synapses = dt / self.tau_m, self.synapses.over(dt)
        pulls = (leak * (self.E_L + self.drive), leak * self.E_ex, leak * self.E_in)
        return Stepper(leak, *pulls, self.V_th, self.V_reset, synapses)
