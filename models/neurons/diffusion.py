"""The leaky integrate-and-fire neuron under many small and independent kicks, taken as white noise: its rate, its intervals, and how it answers a kick.

The potential would be normally distributed, with a mean and an sd, were there no threshold; kicks at rates r_k of sizes w_k, inhibitory ones
negative, make mean = E_L + drive + tau_m sum r_k w_k and sd^2 = tau_m / 2 sum r_k w_k^2. The approximation is good while kicks are small against the
sd: errors are of the order of their ratio. In steps of time threshold is only looked at between steps; `barrier` says what that amounts to. Kicks that
synapses pass on with a lag are noise that is not white; `driven` says what that does, to the first order in the root of the lag over tau_m.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from .lif import LIF

# steps of the potential above the reset, and as many below, in which its density is followed, and how often twice as many
FEWEST, MOST_DOUBLINGS = 300, 3
PER_SD = 100  # of these, where there is little noise
AT_ONCE = 4096  # of states times frequencies, so that a processor has what it follows at hand
LARGEST, LOOK = 1e100, 8  # what is followed, and after how many steps that is looked at
DEEPEST = 8.0  # sd below the lower of mean and reset, where nobody is
SILENT = 1e-12  # Hz: who fires less often does not
QUIETEST = 1e-6  # sd, over the way from reset to threshold: no noise at all is taken as so much
ROOT = 1.4603545  # -zeta(1/2)
OVERSHOOT = 0.5826  # -zeta(1/2) / sqrt(2 pi): how far a random walk is on average beyond a barrier, in sd of its steps


class Noise(NamedTuple):
    """mean [V] and sd [V] of the potential without a threshold; numbers, or arrays of one shape for several states."""

    mean: Any
    sd: Any


def noise(neuron: LIF, kicks: Sequence[tuple[float, float]], dt: float = 0.0) -> Noise:
    """What independent Poisson trains make of a membrane; kicks: (rate of all trains of a kind [Hz], weight with its sign [V]).

    With a dt [s]: where kicks come at the beginning of a step and the potential is looked at at its end, as in the clock-driven engine.
    """
    rates, weights = np.array(kicks, dtype=float).reshape(-1, 2).T
    return noise_of(neuron, float(rates @ weights), float(rates @ weights**2), dt)


def noise_of(neuron: LIF, arriving: Any, power: Any, dt: float = 0.0) -> Noise:
    """The same of what arrives [V/s], the sum of r_k w_k, and its power [V^2/s], that of r_k w_k^2; numbers or arrays."""
    once, twice = moments(neuron, dt)
    return Noise(neuron.E_L + neuron.drive + once * arriving, np.sqrt(twice * power))


def moments(neuron: LIF, dt: float) -> tuple[float, float]:
    """By how much what arrives moves the mean of the potential [s], and the power of that its variance [s]."""
    once, twice = (dt / math.expm1(n * dt / neuron.tau_m) if dt > 0.0 else neuron.tau_m / n for n in (1, 2))
    return once, twice


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
    bend = (0.0,) if low < 0.0 < high else None
    waiting = quad(lambda u: erfcx(-u), low, high, points=bend)[0] if high < 25.0 else math.inf
    return 1.0 / (neuron.refractory + neuron.tau_m * math.sqrt(math.pi) * waiting)


def stationary_rates(neuron: LIF, given: Noise) -> np.ndarray:
    """(...) [Hz]: the same of several states; threshold and reset of the neuron may be those of each of them."""

    def one(mean: float, sd: float, threshold: float, reset: float) -> float:
        return stationary_rate(neuron._replace(V_th=threshold, V_reset=reset), Noise(mean, sd))

    return np.asarray(np.vectorize(one, otypes=[float])(given.mean, given.sd, neuron.V_th, neuron.V_reset))


class Answers(NamedTuple):
    """Transforms over time, integral of exp(-s t), at s (n,) [1/s]; those at s = i omega are Fourier's. (..., n) for states of shape (...).

    kick      1/V   of the rate that a small jump of the potential adds, for each volt
    interval        of the density of the intervals between spikes
    """

    kick: np.ndarray
    interval: np.ndarray


def answers(neuron: LIF, given: Noise, s: np.ndarray) -> Answers:
    """How the rate answers a small kick, and how long a neuron waits between spikes; threshold and reset may be those of each state.

    Good to 1 % down to an sd of a tenth of the way from reset to threshold.
    """
    s = np.asarray(s, dtype=complex)
    states = np.broadcast_arrays(given.mean, given.sd, neuron.V_th, neuron.V_reset)
    flux = neuron.tau_m * stationary_rates(neuron, given)
    columns = [each.reshape(-1, 1) for each in (*states, flux)]
    n_steps = _n_steps(*columns[1:4])[:, 0]
    found = np.empty((2, len(n_steps), len(s)), dtype=complex)
    for n in np.unique(n_steps):  # a state is as it is alone, whatever the others are
        alike = np.flatnonzero(n_steps == n)
        for here in np.array_split(alike, -(-len(alike) * len(s) // AT_ONCE)):
            found[:, here] = _followed(neuron, s, int(n), *(each[here] for each in columns))
    return Answers(*found.reshape(2, *states[0].shape, len(s)))


def _n_steps(sd: np.ndarray, top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """In how many steps of the potential each state is to be followed, of few different numbers."""
    wanted = np.clip(PER_SD * (top - bottom) / sd / FEWEST, 1.0, 2.0**MOST_DOUBLINGS)
    return FEWEST * 2 ** np.ceil(np.log2(wanted)).astype(int)


def _followed(neuron: LIF, s: np.ndarray, n_steps: int, *states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kick and interval (m, n) at s (n,) of m states, in so many steps; of each (m, 1) mean, sd, threshold, reset and stationary flux.

    The density p of the potential and its flux j, times tau_m, obey j = (mean - v) p - sd^2 dp/dv and dj/dv = -s tau_m p with p = 0 at threshold. Three
    solutions are followed downwards: one with a flux of 1 out at threshold, one with a flux of 1 that comes in at the reset, and one that a change of
    the mean makes of the stationary density. What combines them leaves no flux where nobody is. Where they grow beyond all proportion, all three are
    taken in another unit.
    Source: threshold integration, Richardson 2007, Phys Rev E 76:021919 [recalled].
    """
    mean, sd, top, bottom, still = states
    p, j = (np.zeros((3, len(mean), len(s)), dtype=complex) for _ in range(2))
    j[0], unit, density = 1.0, np.ones((len(mean), len(s))), np.zeros(mean.shape)
    lowest = np.minimum(mean, bottom) - DEEPEST * sd
    for begin, end, flux, entering in ((top, bottom, still, 1.0), (bottom, lowest, 0.0, 0.0)):
        h = (begin - end) / n_steps
        leaving = 0.5 * h * neuron.tau_m * s
        middles = begin - h * np.arange(0.5, n_steps).reshape(-1, 1, 1)
        steepness = h * (middles - mean) / sd**2
        grown, gained = np.exp(steepness), h / sd**2 * _mean_of_exponential(steepness)
        for k, (a, b) in enumerate(zip(grown, gained, strict=True)):
            j += leaving * p
            p, density, forced = p * a + j * b, density * a + flux * b, density
            p[2] -= 0.5 * (forced + density) * b * unit
            j += leaving * p
            if k % LOOK == 0:
                largest = np.maximum(np.abs(j).max(axis=0), np.abs(p).max(axis=0))
                smaller = np.where(largest > LARGEST, 1.0 / largest, 1.0)
                p, j, unit = p * smaller, j * smaller, unit * smaller
        j[1] -= entering * unit
    held = np.exp(-s * neuron.refractory)
    return -j[2] / (j[0] + held * j[1]), -held * j[1] / j[0]


def _mean_of_exponential(x: np.ndarray) -> np.ndarray:
    """(exp(x) - 1) / x."""
    away = np.where(x == 0.0, 1.0, x)
    return np.where(x == 0.0, 1.0, np.expm1(away) / away)


def spectrum(rate: Any, interval: np.ndarray) -> np.ndarray:
    """(n,) Hz: the spectrum of a train of independent intervals without its mean, from their transform at s = i omega; a Poisson train has `rate`.

    Source: Cox & Lewis 1966, The Statistical Analysis of Series of Events [recalled].
    """
    return rate * np.real((1.0 + interval) / (1.0 - interval))


class Driven(NamedTuple):
    """A cell under noise, with the threshold as it is seen in steps of time, in states of shape (...); rate (...) [Hz]."""

    cell: LIF
    given: Noise
    rate: np.ndarray

    def kick(self, s: np.ndarray) -> np.ndarray:
        """(..., n) 1/V: transform of the rate that a small jump of the potential adds, for each volt, at s (n,) [1/s]; 0 where nobody fires."""
        return self._heard(s)[0]

    def spectrum(self, omega: np.ndarray) -> np.ndarray:
        """(..., n) Hz: of the spikes, at omega (n,) [rad/s]."""
        return self._heard(1j * omega)[1]

    def kick_and_spectrum(self, omega: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both at omega (n,) [rad/s], where the kick is int h(u) exp(i omega u) du: half the work."""
        kick, of_train = self._heard(1j * omega)
        return kick.conj(), of_train

    def _heard(self, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Kick and spectrum at s, 0 where nobody fires."""
        fires, cell = self.rate > SILENT, cast(Any, self.cell)  # whose threshold and reset may be those of each state
        mean, sd, top, bottom = (
            np.broadcast_to(each, self.rate.shape)[fires] for each in (*self.given, cell.V_th, cell.V_reset)
        )
        kick, train = np.zeros((*self.rate.shape, len(s)), complex), np.zeros((*self.rate.shape, len(s)))
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            found = answers(cell._replace(V_th=top, V_reset=bottom), Noise(mean, sd), s)
            kick[fires] = found.kick
            train[fires] = spectrum(self.rate[fires][:, None], found.interval)
        return kick, train


def driven(neuron: LIF, arriving: Any, power: Any, lag: Any, dt: float) -> Driven:
    """What noise makes of a neuron that is looked at every dt [s]: arriving (...) [V/s] and power (...) [V^2/s] as in `noise_of`.

    lag (...) [s]: how long synapses take on average to pass on what they get, 0 where all comes at once. To the neuron their noise is white noise that
    meets threshold and reset -zeta(1/2) sqrt(lag / tau_m) sd higher.
    Source: Fourcaud & Brunel 2002, Neural Comput 14:2057, of exponential synapses, to the first order in sqrt(lag / tau_m) [recalled]; of others held against spikes.
    """
    at_once = bool(np.all(np.asarray(lag) == 0.0))
    given = noise_of(neuron, np.asarray(arriving, float), np.asarray(power, float), dt if at_once else 0.0)
    given = given._replace(sd=np.maximum(given.sd, QUIETEST * (neuron.V_th - neuron.V_reset)))
    higher = ROOT * given.sd * np.sqrt(np.asarray(lag) / neuron.tau_m)
    seen = barrier(neuron, given, dt)
    threshold = neuron.V_th + np.hypot(higher, seen.V_th - neuron.V_th)
    cell = neuron._replace(V_th=threshold, V_reset=neuron.V_reset + higher)
    return Driven(cell, given, stationary_rates(cell, given))
