"""Poisson trains whose rates swing as cosines."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ...simulator.protocols import (
    Cosine,
    Covariance,
    Delta,
    Hertz,
    HertzArray,
    Sine,
    Waves,
    finite,
    helper,
    non_negative,
    part,
    positive,
    require,
)
from ...simulator.streams import uniform
from .alias import AliasTable, alias_table, pick
from .fields import named, of_modulated, per_synapse

S1, S3, S5, S7, S9, S11, S13, S15 = (
    (-1) ** k * (2.0 * math.pi) ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(8)
)


@helper
def cosine(cycles):
    """cos(2 pi cycles) to 1e-11, by the Taylor series of sin(2 pi y) for |y| <= 1/4; half the time of the library's."""
    cycles -= np.floor(cycles)  # no integer in between, as in math.floor: that would take as long as the series
    y = abs(cycles - 0.5) - 0.25
    y2 = y * y
    y4 = y2 * y2
    low = (S1 + S3 * y2) + y4 * (S5 + S7 * y2)
    high = (S9 + S11 * y2) + y4 * (S13 + S15 * y2)
    return y * (low + (y4 * y4) * high)


class State(NamedTuple):
    """sources (copies * n,): output buffer; table: choice of a train by the top of its rate.

    Each (copies * n,): top [Hz]; floor and swing, mean and amplitude relative to it; frequency [Hz]; cycles, the phase / 2 pi.
    """

    sources: np.ndarray
    table: AliasTable
    top: np.ndarray
    floor: np.ndarray
    swing: np.ndarray
    frequency: np.ndarray
    cycles: np.ndarray


@part
class ModulatedPoisson(NamedTuple):
    """Poisson trains with rates lambda_i(t) = rate + amplitude cos(2 pi frequency t + phase) in the group `modulated`.

    rate          10 Hz   mean rate of all synapses
    amplitude     10 Hz   of the modulated ones; at most the rate
    frequency     40 Hz   of the modulation
    phase         0       radians
    n_modulated   0       the last so many synapses are modulated; the others are the group `constant`

    Each of the first four may be an array (n,); an amplitude array says itself which synapses are modulated (those where it is not 0).
    C_ij(s), averaged over t, is (a_i a_j / 2) cos(2 pi f s + phase_i - phase_j) between synapses of one frequency, else 0.

    Source: Kempter, Gerstner & van Hemmen, PRE 59:4498 (1999), Sec. IV-V [recalled]; phases and unequal frequencies [derived].
    """

    rate: Hertz | HertzArray = 10.0
    amplitude: Hertz | HertzArray = 10.0
    frequency: Hertz | HertzArray = 40.0
    phase: float | np.ndarray = 0.0
    n_modulated: int = 0

    def check(self, n):
        non_negative(self, "rate")
        finite(self, "amplitude", "phase")
        positive(self, "frequency")
        for field in ("rate", "amplitude", "frequency", "phase"):
            per_synapse(self, field, n)
        swing = np.abs(of_modulated(self, "amplitude", n))
        require(
            swing <= per_synapse(self, "rate", n),
            self,
            "amplitude",
            "must not exceed the rate, or the rate gets negative",
        )

    def groups(self, n):
        return named(of_modulated(self, "amplitude", n) != 0.0, "constant", "modulated")

    def init(self, n, copies):
        mean, amplitude, frequency, phase = (np.tile(x, copies) for x in self._synapses(n))
        top = mean + np.abs(amplitude)
        scale = np.where(top > 0.0, top, 1.0)
        return State(
            sources=np.zeros(copies * n, np.int64),
            table=alias_table(top),
            top=top,
            floor=mean / scale,
            swing=amplitude / scale,
            frequency=frequency,
            cycles=phase / (2.0 * np.pi),
        )

    def _synapses(self, n):
        """mean, amplitude, frequency, phase of each synapse, each (n,)."""
        amplitude = of_modulated(self, "amplitude", n)
        return per_synapse(self, "rate", n), amplitude, per_synapse(self, "frequency", n), per_synapse(self, "phase", n)

    def candidate_rate(self, state):
        return state.table.total[0]

    def relative_rate(self, state, k, t):
        """The rate of train k at time t [s], relative to its top."""
        return state.floor[k] + state.swing[k] * cosine(state.frequency[k] * t + state.cycles[k])

    def draw(self, state, t, rng, latent):
        k = pick(state.table, uniform(rng))
        state.sources[0] = k
        if state.swing[k] == 0.0:
            return 1
        return 1 if uniform(rng) < self.relative_rate(state, k, t) else 0

    def next_wake(self, state):
        return math.inf

    def wake(self, state, t, rng, latent):
        return 0

    @property
    def changes_in(self):
        """The shortest period [s]."""
        return 1.0 / float(np.max(self.frequency))

    def rates(self, state, t, latent, out):
        for k in range(len(out)):
            out[k] = state.top[k] * self.relative_rate(state, k, t)

    def mean_rates(self, n: int) -> np.ndarray:
        return per_synapse(self, "rate", n)

    def covariance(self, n: int) -> list[Covariance]:
        _, amplitude, frequency, phase = self._synapses(n)
        terms = []
        for f in np.unique(frequency[amplitude != 0.0]):
            a = np.where(frequency == f, amplitude, 0.0) / math.sqrt(2.0)
            real, imaginary = a * np.cos(phase), a * np.sin(phase)
            if not imaginary.any():
                terms.append(Covariance(real[:, None], real[:, None], Cosine(float(f))))
                continue
            both = np.stack([real, imaginary], axis=1)
            terms.append(Covariance(both, both, Cosine(float(f))))
            terms.append(Covariance(np.stack([-imaginary, real], axis=1), both, Sine(float(f))))
        return terms

    def atom(self, n: int) -> list[tuple[np.ndarray, Delta]]:
        return [(self.mean_rates(n), Delta())]

    def third_cumulants(self, n: int) -> list[Any]:
        _, amplitude, frequency, phase = self._synapses(n)
        found = np.unique(frequency[amplitude != 0.0])
        turning = 0.5 * amplitude * np.exp(1j * phase)
        return [Waves(found, np.where(frequency[:, None] == found, turning[:, None], 0.0))]
