"""The adaptive exponential integrate-and-fire neuron."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ...simulator.protocols import (
    Amperes,
    Farads,
    Seconds,
    Siemens,
    Volts,
    check_held,
    finite,
    non_negative,
    part,
    positive,
    require,
)
from .silence import quiet
from .synapses import AlphaSynapses, DeltaSynapses, ExponentialSynapses

STEEPEST = 50.0  # widths of the upswing above its threshold; from there on v passes any peak within the step
SIXTH = 1.0 / 6.0


class State(NamedTuple):
    """v (n,) and V_T (n,) [V]; w (n,) and z (n,) [A]; spiking (n,): 1 in a spike; g_ex, g_in and their rises (n,) [A], or (0,)."""

    v: np.ndarray
    V_T: np.ndarray
    w: np.ndarray
    z: np.ndarray
    spiking: np.ndarray
    g_ex: np.ndarray
    g_in: np.ndarray
    rise_ex: np.ndarray
    rise_in: np.ndarray


class Stepper(NamedTuple):
    """The part's fields; per_volt = 1 / Delta_T; per_farad = dt / C; what is left of V_T and z after a step and after half of one, and of w after half."""

    g_L: float
    E_L: float
    Delta_T: float
    V_Trest: float
    V_Tmax: float
    V_peak: float
    V_spike: float
    V_reset: float
    a: float
    b: float
    I_sp: float
    drive: float
    per_volt: float
    per_farad: float
    decay_T: float
    half_T: float
    decay_z: float
    half_z: float
    half_w: float
    synapses: Any

    def init(self, n, rng):
        rest, threshold = np.full(n, self.E_L), np.full(n, self.V_Trest)
        return State(rest, threshold, np.zeros(n), np.zeros(n), np.zeros(n), *self.synapses.arrays(n))

    def receive(self, state, port, i, amount):
        self.synapses.receive(state, port, i, amount)

    def update(self, state, i):
        v = self.V_reset if state.spiking[i] > 0.0 else state.v[i]
        higher, z = state.V_T[i] - self.V_Trest, state.z[i]
        g_ex, g_in = self.synapses.midway(state, i)
        w = self.adapt(state.w[i], v)
        above = (v - self.V_Trest - higher * self.half_T) * self.per_volt
        upswing = self.g_L * math.exp(min(above, STEEPEST))
        current = upswing * self.Delta_T - self.g_L * (v - self.E_L) - w + z * self.half_z + self.drive + g_ex - g_in
        slope = (upswing - self.g_L) * self.per_farad
        v = min(v + current * self.per_farad * (1.0 + slope * (0.5 + slope * SIXTH)), self.V_peak)
        v = v if slope < 1.0 else self.V_peak  # the upswing alone, -Delta_T log(1 - slope), ends within the step
        state.v[i] = v
        state.w[i] = self.adapt(w, v)
        state.z[i] = quiet(z * self.decay_z)
        state.V_T[i] = self.V_Trest + quiet(higher * self.decay_T)
        state.spiking[i] = 0.0

    def adapt(self, w, v):
        """w after half a step at this potential."""
        target = self.a * (v - self.E_L)
        return target + quiet((w - target) * self.half_w)

    def fires(self, state, i):
        return (state.v[i] >= self.V_peak) & (state.spiking[i] == 0.0)

    def hold(self, state, i):
        state.v[i] = self.V_spike
        state.V_T[i] = self.V_Tmax
        state.z[i] = self.I_sp
        state.spiking[i] = 1.0

    def reset(self, state, i):
        self.hold(state, i)
        state.w[i] += self.b


@part
class AdEx(NamedTuple):
    """The adaptive exponential integrate-and-fire neuron, with an adaptive threshold and a spike that lasts.

    C dv/dt = -g_L (v - E_L) + g_L Delta_T exp((v - V_T) / Delta_T) - w + z + drive + g_ex - g_in; a spike where v >= V_peak.
    tau_w dw/dt = a (v - E_L) - w, tau_z dz/dt = -z, tau_VT dV_T/dt = V_Trest - V_T.
    With a spike w grows by b. For the time `refractory` v is V_spike; then it is V_reset, z is I_sp, and V_T is V_Tmax.

    C           281 pF     capacitance
    g_L         30 nS      leak conductance
    E_L         -70.6 mV   resting potential
    Delta_T     2 mV       width of the upswing
    V_Trest     -50.4 mV   threshold of the upswing at rest
    V_Tmax      -30.4 mV   threshold after a spike
    tau_VT      50 ms      decay time of the threshold
    tau_w       144 ms     time constant of adaptation
    a           4 nS       adaptation by the potential
    b           80.5 pA    adaptation by a spike
    I_sp        400 pA     current after a spike
    tau_z       40 ms      its decay time
    V_peak      20 mV      from where on it is a spike
    V_spike     31.1 mV    potential while the spike lasts
    V_reset     -49.5 mV   potential after it
    refractory  2 ms       how long the spike lasts
    drive       0 A        constant current
    synapses    DeltaSynapses  time course of the input by spikes; weights are the volts that v jumps, or the amperes of g_ex and g_in at their peak

    With V_Tmax = V_Trest, I_sp = 0 and refractory = 0 it is the neuron of 2005. Spike and what comes after it are those of the voltage rule of 2010,
    whose code holds v at 29.4 and 32.9 mV for a millisecond each. While the spike lasts, adaptation sees v = V_reset.

    Of second order in the time step between spikes: w, z, V_T and the synapses each half a step to where v needs them, v by its linearisation (the
    exponential Rosenbrock-Euler method). A spike is noticed about a step late: of first order.

    Source: Brette & Gerstner 2005, J Neurophysiol 94:3637; Clopath, Buesing, Vasilaki & Gerstner 2010, Nat Neurosci 13:344, and its published code.
    """

    C: Farads = 281e-12
    g_L: Siemens = 30e-9
    E_L: Volts = -70.6e-3
    Delta_T: Volts = 2e-3
    V_Trest: Volts = -50.4e-3
    V_Tmax: Volts = -30.4e-3
    tau_VT: Seconds = 50e-3
    tau_w: Seconds = 144e-3
    a: Siemens = 4e-9
    b: Amperes = 80.5e-12
    I_sp: Amperes = 400e-12
    tau_z: Seconds = 40e-3
    V_peak: Volts = 20e-3
    V_spike: Volts = 31.1e-3
    V_reset: Volts = -49.5e-3
    refractory: Seconds = 2e-3
    drive: Amperes = 0.0
    synapses: DeltaSynapses | ExponentialSynapses | AlphaSynapses = DeltaSynapses()

    @property
    def monitored(self) -> tuple[str, ...]:
        return "v", "V_T", "w", "z", *self.synapses.monitored

    def check(self):
        positive(self, "C", "g_L", "Delta_T", "tau_VT", "tau_w", "tau_z")
        finite(self, "E_L", "V_Trest", "V_Tmax", "a", "b", "I_sp", "V_peak", "V_spike", "V_reset", "drive")
        non_negative(self, "refractory")
        require(self.V_reset < self.V_peak, self, "V_reset", "must be below V_peak")
        require(self.V_Trest < self.V_peak, self, "V_Trest", "must be below V_peak")
        check_held(self, "synapses")

    def stepper(self, dt):
        def left(time, tau):
            return math.exp(-time / tau)

        own = {name: getattr(self, name) for name in Stepper._fields if name in self._fields and name != "synapses"}
        return Stepper(
            **own,
            per_volt=1.0 / self.Delta_T,
            per_farad=dt / self.C,
            decay_T=left(dt, self.tau_VT),
            half_T=left(0.5 * dt, self.tau_VT),
            decay_z=left(dt, self.tau_z),
            half_z=left(0.5 * dt, self.tau_z),
            half_w=left(0.5 * dt, self.tau_w),
            synapses=self.synapses.over(dt),
        )
