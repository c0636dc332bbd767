"""The spike response neuron with escape noise: a linear membrane, a reset kernel, and spikes drawn by the distance to threshold."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ...simulator.protocols import Hertz, Seconds, Volts, check_held, finite, non_negative, part, positive
from ...simulator.streams import exponential
from .hazard import first_hazards
from .silence import quiet
from .synapses import AlphaSynapses, DeltaSynapses, ExponentialSynapses

FARTHEST = 50.0  # widths of the threshold above it; from there on a spike is certain in any step


class State(NamedTuple):
    """v (n,) and eta (n,) [V], eta within v; hazard (n,) left before the next spike, of drawn (n,); rng (4,); g_ex, g_in, rises (n,) [V] or (0,)."""

    v: np.ndarray
    eta: np.ndarray
    hazard: np.ndarray
    drawn: np.ndarray
    rng: np.ndarray
    g_ex: np.ndarray
    g_in: np.ndarray
    rise_ex: np.ndarray
    rise_in: np.ndarray


class Stepper(NamedTuple):
    """rest [V]: where the potential goes without spikes; per_volt = 1 / Delta_u; rate: spikes expected in a step at threshold; decays in a step."""

    rest: float
    decay: float
    decay_eta: float
    eta_0: float
    V_th: float
    per_volt: float
    rate: float
    synapses: Any

    def init(self, n, rng):
        hazard = first_hazards(n, rng)
        return State(np.full(n, self.rest), np.zeros(n), hazard, hazard.copy(), rng, *self.synapses.arrays(n))

    def receive(self, state, port, i, amount):
        self.synapses.receive(state, port, i, amount)

    def update(self, state, i):
        v, eta = state.v[i], state.eta[i]
        away = (v - eta - self.rest) * self.decay + self.synapses.charge(state, i)
        eta = quiet(eta * self.decay_eta)
        state.eta[i] = eta
        state.v[i] = self.rest + quiet(away) + eta
        above = (0.5 * (v + state.v[i]) - self.V_th) * self.per_volt
        state.hazard[i] -= self.rate * math.exp(min(above, FARTHEST))

    def fires(self, state, i):
        return state.hazard[i] <= 0.0

    def hold(self, state, i):
        state.v[i] += self.eta_0 - state.eta[i]
        state.eta[i] = self.eta_0
        state.hazard[i] = state.drawn[i]

    def reset(self, state, i):
        state.drawn[i] = exponential(state.rng)
        self.hold(state, i)


@part
class EscapeNoise(NamedTuple):
    """The spike response neuron SRM_0 with escape noise: spikes are drawn with a rate rho = rho_0 exp((v - V_th) / Delta_u).

    v(t) = E_L + drive + h(t) + eta(t - t_last) with tau_m dh/dt = -h + g_ex - g_in.
    eta(s) = eta_0 exp(-s / tau_eta) from the end of the refractory time on, of the last spike alone. In the refractory time rho is 0.

    tau_m       20 ms   time constant of the membrane
    E_L         -70 mV  resting potential
    V_th        -50 mV  threshold
    Delta_u     2 mV    width of the threshold
    rho_0       50 Hz   rate at threshold
    eta_0       -20 mV  reset after a spike
    tau_eta     20 ms   its decay time
    refractory  2 ms    absolute refractory time
    drive       0 mV    constant input, resistance times current
    synapses    DeltaSynapses  time course of the input by spikes; weights are in volts: how far h jumps, or g_ex and g_in [V] at their peak

    h and eta are exact for any time step. The rate is that at the mean potential of each step: of second order; a spike is at a multiple of
    the time step. One number is drawn for each spike.

    Source: Gerstner & Kistler 2002, Spiking Neuron Models, Sec. 4.2 and 5.3 [recalled]; the defaults are chosen here.
    """

    tau_m: Seconds = 20e-3
    E_L: Volts = -70e-3
    V_th: Volts = -50e-3
    Delta_u: Volts = 2e-3
    rho_0: Hertz = 50.0
    eta_0: Volts = -20e-3
    tau_eta: Seconds = 20e-3
    refractory: Seconds = 2e-3
    drive: Volts = 0.0
    synapses: DeltaSynapses | ExponentialSynapses | AlphaSynapses = DeltaSynapses()

    @property
    def monitored(self) -> tuple[str, ...]:
        return "v", "eta", *self.synapses.monitored

    def check(self):
        positive(self, "tau_m", "Delta_u", "rho_0", "tau_eta")
        finite(self, "E_L", "V_th", "eta_0", "drive")
        non_negative(self, "refractory")
        check_held(self, "synapses")

    def stepper(self, dt):
        return Stepper(
            rest=self.E_L + self.drive,
            decay=math.exp(-dt / self.tau_m),
            decay_eta=math.exp(-dt / self.tau_eta),
            eta_0=self.eta_0,
            V_th=self.V_th,
            per_volt=1.0 / self.Delta_u,
            rate=self.rho_0 * dt,
            synapses=self.synapses.over(dt, self.tau_m),
        )
