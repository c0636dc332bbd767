"""The leaky integrate-and-fire neuron under many small and independent kicks, taken as white noise: its rate.

The potential would be normally distributed, with a mean and an sd, were there no threshold; kicks at rates r_k of sizes w_k, inhibitory ones
negative, make mean = E_L + drive + tau_m sum r_k w_k and sd^2 = tau_m / 2 sum r_k w_k^2. The approximation is good while kicks are small against the
sd: errors are of the order of their ratio. In steps of time threshold is only looked at between steps; `barrier` says what that amounts to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .lif import LIF

OVERSHOOT = 0.5826  # -zeta(1/2) / sqrt(2 pi): how far a random walk is on average beyond a barrier, in sd of its steps


class Noise(NamedTuple):
    """mean [V] and sd [V] of the potential without a threshold."""

    mean: float
    sd: float


def noise(neuron: LIF, kicks: Sequence[tuple[float, float]], dt: float = 0.0) -> Noise:
    """What independent Poisson trains make of a membrane; kicks: (rate of all trains of a kind [Hz], weight with its sign [V]).

    With a dt [s]: where kicks come at the beginning of a step and the potential is looked at at its end, as in the clock-driven engine.
    """
    rates, weights = np.array(kicks, dtype=float).reshape(-1, 2).T
    once, twice = (dt / math.expm1(n * dt / neuron.tau_m) if dt > 0.0 else neuron.tau_m / n for n in (1, 2))
    mean = neuron.E_L + neuron.drive + once * float(rates @ weights)
    return Noise(mean, math.sqrt(twice * float(rates @ weights**2)))


def barrier(neuron: LIF, given: Noise, dt: float) -> LIF:
    """The neuron with a threshold as much higher as one that is looked at only every dt [s] seems to be.

    Source: Broadie, Glasserman & Kou 1997, Math Finance 7:325 [recalled]; of first order in sqrt(dt / tau_m).
    """
    step = given.sd * math.sqrt(2.0 * dt / neuron.tau_m)
    return neuron._replace(V_th=neuron.V_th + OVERSHOOT * step)


def stationary_rate(neuron: LIF, given: Noise) -> float:
    """[Hz] 1 / rate = refractory + tau_m sqrt(pi) integral of exp(u^2) (1 + erf(u)) from reset to threshold, u = (v - mean) / (sqrt(2) sd).

    Source: Siegert 1951, Phys Rev 81:617; Brunel 2000, J Comput Neurosci 8:183 [recalled].
    """
    from scipy.integrate import quad
    from scipy.special import erfcx

    low, high = ((v - given.mean) / (math.sqrt(2.0) * given.sd) for v in (neuron.V_reset, neuron.V_th))
    waiting = quad(lambda u: erfcx(-u), low, high)[0] if high < 25.0 else math.inf
    return 1.0 / (neuron.refractory + neuron.tau_m * math.sqrt(math.pi) * waiting)
