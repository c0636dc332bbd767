"""The leaky integrate-and-fire neuron with current-based synapses, integrated without error."""

from __future__ import annotations

import math
from typing import NamedTuple

from ...simulator.protocols import Seconds, Volts, check_held, finite, non_negative, part, positive, require
from .integrate_and_fire import IntegrateAndFire
from .silence import quiet
from .synapses import AlphaSynapses, DeltaSynapses, ExponentialSynapses


class Membrane(NamedTuple):
    """rest [V]: where the potential goes without spikes; decay: what is left of the way there after a step."""

    rest: float
    decay: float

    def moved(self, state, i, synapses):
        away = (state.v[i] - self.rest) * self.decay + synapses.charge(state, i)
        return self.rest + quiet(away)


@part
class LIF(NamedTuple):
    """tau_m dv/dt = E_L - v + drive + g_ex - g_in; a spike where v >= V_th, then v = V_reset.

    tau_m       20 ms   time constant of the membrane
    E_L         -70 mV  resting potential
    V_th        -50 mV  threshold
    V_reset     -70 mV  potential after a spike
    refractory  2 ms    for which v stays at V_reset after a spike
    drive       22 mV   constant input, resistance times current
    synapses    DeltaSynapses  time course of the input by spikes; weights are in volts: how far v jumps, or g_ex and g_in [V] at their peak

    Exact for any time step (Rotter & Diesmann 1999, Biol Cybern 81:381), but that spikes are at its multiples. The defaults are those of the
    excitatory and inhibitory cells of a balanced network that is kept going by its constant drive (after Brunel 2000); drive = 0 for a cell that
    is silent without spikes.

    Source: Lapicque 1907; Brunel 2000, J Comput Neurosci 8:183 (tau_m, the distance from reset to threshold, refractory) [recalled].
    """

    tau_m: Seconds = 20e-3
    E_L: Volts = -70e-3
    V_th: Volts = -50e-3
    V_reset: Volts = -70e-3
    refractory: Seconds = 2e-3
    drive: Volts = 22e-3
    synapses: DeltaSynapses | ExponentialSynapses | AlphaSynapses = DeltaSynapses()

    @property
    def monitored(self) -> tuple[str, ...]:
        return "v", *self.synapses.monitored

    def check(self):
        positive(self, "tau_m")
        finite(self, "E_L", "V_th", "V_reset", "drive")
        non_negative(self, "refractory")
        require(self.V_reset < self.V_th, self, "V_reset", "must be below V_th")
        check_held(self, "synapses")

    def stepper(self, dt):
        membrane = Membrane(self.E_L + self.drive, math.exp(-dt / self.tau_m))
        return IntegrateAndFire(membrane, self.V_th, self.V_reset, self.synapses.over(dt, self.tau_m))

    def driven(self, arriving, power, lag, dt):
        """Its rate under noise and how that answers a kick, approximately, see diffusion.py; arriving (...) [V/s], power (...) [V^2/s], lag (...) [s]."""
        from .diffusion import driven

        return driven(self, arriving, power, lag, dt)

    def answering(self, dt):
        """What says its rate under spikes that come at rates that are held, see white_noise.py."""
        from .white_noise import firing_rate

        return firing_rate(self, dt)
