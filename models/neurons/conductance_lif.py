"""The leaky integrate-and-fire neuron with conductance-based synapses."""

from __future__ import annotations

from typing import NamedTuple

from ...simulator.protocols import Seconds, Volts, check_held, finite, non_negative, part, positive, require
from .integrate_and_fire import IntegrateAndFire
from .silence import quiet
from .synapses import AlphaSynapses, DeltaSynapses, ExponentialSynapses

SIXTH = 1.0 / 6.0


class Membrane(NamedTuple):
    """leak = dt / tau_m; pull_leak, pull_ex, pull_in [V]: leak times where each conductance pulls the potential to."""

    leak: float
    pull_leak: float
    pull_ex: float
    pull_in: float

    def moved(self, state, i, synapses):
        g_ex, g_in = synapses.midway(state, i)
        z = self.leak * (1.0 + g_ex + g_in)
        pull = self.pull_leak + g_ex * self.pull_ex + g_in * self.pull_in
        gain = 1.0 + z * (0.5 + z * SIXTH)
        decay = 1.0 / (1.0 + z * gain)  # exp(-z) to third order, and between 0 and 1 for any z
        return quiet(state.v[i] * decay + pull * gain * decay)  # only this waits for the step before


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
    def monitored(self) -> tuple[str, ...]:
        return "v", *self.synapses.monitored

    def check(self):
        positive(self, "tau_m")
        finite(self, "E_L", "E_ex", "E_in", "V_th", "V_reset", "drive")
        non_negative(self, "refractory")
        require(self.V_reset < self.V_th, self, "V_reset", "must be below V_th")
        check_held(self, "synapses")
        conducting = not isinstance(self.synapses, DeltaSynapses)
        require(conducting, self, "synapses", "must open conductances: ExponentialSynapses or AlphaSynapses")

    def stepper(self, dt):
        leak = dt / self.tau_m
        membrane = Membrane(leak, leak * (self.E_L + self.drive), leak * self.E_ex, leak * self.E_in)
        return IntegrateAndFire(membrane, self.V_th, self.V_reset, self.synapses.over(dt))
