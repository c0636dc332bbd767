"""The leaky integrate-and-fire neuron under many small and independent kicks, taken as white noise: its rate, its intervals, and how it answers a kick.

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

N_POINTS = 4000  # of the potential, where its density is followed
DEEPEST = 8.0  # sd below the lower of mean and reset, where nobody is
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


class Answers(NamedTuple):
    """Transforms over time, integral of exp(-s t), at s (n,) [1/s]; those at s = i omega are Fourier's.

    kick      (n,) 1/V   of the rate that a small jump of the potential adds, for each volt
    interval  (n,)       of the density of the intervals between spikes
    """

    kick: np.ndarray
    interval: np.ndarray


def answers(neuron: LIF, given: Noise, s: np.ndarray) -> Answers:
    """How the rate answers a small kick, and how long a neuron waits between spikes.

    The density p of the potential and its flux j, times tau_m, obey j = (mean - v) p - sd^2 dp/dv and dj/dv = -s tau_m p with p = 0 at threshold. Three
    solutions are followed downwards: one with a flux of 1 out at threshold, one with a flux of 1 that comes in at the reset, and one that a change of
    the mean makes of the stationary density. What combines them leaves no flux where nobody is.
    Source: threshold integration, Richardson 2007, Phys Rev E 76:021919 [recalled].
    """
    s = np.asarray(s, dtype=complex)
    v = np.linspace(neuron.V_th, min(given.mean, neuron.V_reset) - DEEPEST * given.sd, N_POINTS)
    h, variance = float(v[0] - v[1]), given.sd**2
    still = neuron.tau_m * stationary_rate(neuron, given)  # the stationary flux
    density = 0.0
    p, j = np.zeros((3, len(s)), dtype=complex), np.zeros((3, len(s)), dtype=complex)
    j[0] = 1.0
    at_reset = int(np.argmin(np.abs(v - neuron.V_reset)))
    for k in range(N_POINTS - 1):
        if k == at_reset:
            j[1] -= 1.0
        steepness = h * (0.5 * (v[k] + v[k + 1]) - given.mean) / variance
        grown, gained = math.exp(steepness), h / variance * (math.expm1(steepness) / steepness if steepness else 1.0)
        flux = still if k < at_reset else 0.0
        j += 0.5 * h * neuron.tau_m * s * p
        p, density, forced = p * grown + j * gained, density * grown + flux * gained, density
        p[2] -= 0.5 * (forced + density) * gained
        j += 0.5 * h * neuron.tau_m * s * p
    held = np.exp(-s * neuron.refractory)
    return Answers(-j[2] / (j[0] + held * j[1]), -held * j[1] / j[0])


def spectrum(rate: float, interval: np.ndarray) -> np.ndarray:
    """(n,) Hz: the spectrum of a train of independent intervals without its mean, from their transform at s = i omega; a Poisson train has `rate`.

    Source: Cox & Lewis 1966, The Statistical Analysis of Series of Events [recalled].
    """
    return rate * np.real((1.0 + interval) / (1.0 - interval))
