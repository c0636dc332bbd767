"""Poisson trains whose rates share an Ornstein-Uhlenbeck modulation."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ...simulator.protocols import (
    Covariance,
    Delta,
    Exponential,
    Hertz,
    HertzArray,
    Seconds,
    clip,
    non_negative,
    part,
    positive,
)
from ...simulator.streams import normal, uniform
from .alias import AliasTable, alias_table, pick
from .fields import named, of_modulated, per_synapse

MAX_ORDER = 99
TOLERANCE = 1e-6  # what may be left out of the area of the covariance, relative to it


class State(NamedTuple):
    """sources (copies * n,): output buffer; table: choice of a train by the top of its rate.

    Each (copies * n,) [Hz]: base, the mean rate; spread, the sd of the modulation before clipping (0: none).
    level (1,), time (1,) [s]: the modulation, of unit variance, when it was last needed.
    """

    sources: np.ndarray
    table: AliasTable
    base: np.ndarray
    spread: np.ndarray
    level: np.ndarray
    time: np.ndarray


@part
class OrnsteinUhlenbeckPoisson(NamedTuple):
    """Poisson trains with rates lambda_i(t) = rate + clip(sd x(t), -rate, rate) in the group `modulated`.

    x is one Ornstein-Uhlenbeck process of unit variance, <x(t) x(t + s)> = exp(-|s| / tau_c), common to all; it is drawn exactly, at
    the times where it is needed. Clipping is symmetric, so that the mean rate is exact.

    rate          10 Hz   mean rate of all synapses
    sd            3 Hz    of the modulation before clipping
    tau_c         20 ms   correlation time
    n_modulated   0       the last so many synapses are modulated; the others are the group `constant`

    rate and sd may be arrays (n,); an array of sd says itself which synapses are modulated (those where it is not 0).
    C_ij(s) = sd_i sd_j sum over odd k of c_k(h_i) c_k(h_j) exp(-k |s| / tau_c), h = rate / sd, with c_k the coefficients of clip(x, -h, h) in
    normalised Hermite polynomials: c_1 = erf(h / sqrt 2), c_k = -2 phi(h) He_{k-2}(h) / sqrt(k!).

    Source: [derived], from Mehler's formula and Stein's lemma.
    """

    rate: Hertz | HertzArray = 10.0
    sd: Hertz | HertzArray = 3.0
    tau_c: Seconds = 20e-3
    n_modulated: int = 0

    def check(self, n):
        non_negative(self, "rate", "sd")
        positive(self, "tau_c")
        per_synapse(self, "rate", n)
        of_modulated(self, "sd", n)

    def groups(self, n):
        return named(of_modulated(self, "sd", n) != 0.0, "constant", "modulated")

    def init(self, n, copies):
        base = np.tile(per_synapse(self, "rate", n), copies)
        spread = np.tile(of_modulated(self, "sd", n), copies)
        table = alias_table(np.where(spread > 0.0, 2.0 * base, base))
        return State(np.zeros(copies * n, np.int64), table, base, spread, np.zeros(1), np.full(1, -np.inf))

    def candidate_rate(self, state):
        return state.table.total[0]

    def draw(self, state, t, rng, latent):
        k = pick(state.table, uniform(rng))
        state.sources[0] = k
        if state.spread[k] == 0.0:
            return 1
        self.move_rates(state, t, latent)
        return 1 if uniform(rng) * 2.0 * state.base[k] < self.rate_of(state, k) else 0

    def move_rates(self, state, t, latent):
        """Draw the modulation at time t [s], no earlier than the last."""
        # The time starts at -inf: the first level is drawn from the stationary distribution.
        kept = math.exp(-(t - state.time[0]) / self.tau_c)
        state.level[0] = kept * state.level[0] + math.sqrt(1.0 - kept * kept) * normal(latent)
        state.time[0] = t

    def rate_of(self, state, k):
        """Of train k under the present modulation [Hz]."""
        base = state.base[k]
        return base + clip(state.spread[k] * state.level[0], -base, base)

    def next_wake(self, state):
        return math.inf

    def wake(self, state, t, rng, latent):
        return 0

    @property
    def changes_in(self):
        """The correlation time [s]."""
        return self.tau_c

    def rates(self, state, t, latent, out):
        self.move_rates(state, t, latent)
        for k in range(len(out)):
            out[k] = self.rate_of(state, k)

    def mean_rates(self, n: int) -> np.ndarray:
        return per_synapse(self, "rate", n)

    def covariance(self, n: int) -> list[Covariance]:
        sd = of_modulated(self, "sd", n)
        if not sd.any():
            return []
        height = np.divide(per_synapse(self, "rate", n), sd, out=np.zeros(n), where=sd > 0.0)
        coefficients = hermite_of_clip(height)
        terms = []
        for order, c in zip(range(1, MAX_ORDER + 1, 2), coefficients, strict=False):
            left = (sd * c)[:, None]
            terms.append(Covariance(left, left, Exponential(self.tau_c / order)))
        return terms

    def atom(self, n: int) -> list[tuple[np.ndarray, Delta]]:
        return [(self.mean_rates(n), Delta())]

    def third_cumulants(self, n: int) -> list[Any]:
        return []  # the rates less their means are odd functions of a symmetric process


def hermite_of_clip(height: np.ndarray) -> list[np.ndarray]:
    """c_1, c_3, ...: the (n,) coefficients of clip(x, -h, h) in He_k / sqrt(k!), for heights h (n,) >= 0.

    Ends when the terms to come hold less than TOLERANCE of sum c_k^2 / k, the area under the covariance, or at MAX_ORDER.
    """
    h = np.minimum(height, 40.0)  # nothing is clipped up there
    linear = np.array([math.erf(x / math.sqrt(2.0)) for x in h])
    density = np.exp(-0.5 * h * h) / math.sqrt(2.0 * math.pi)
    left_out = linear - 2.0 * h * density + h * h * (1.0 - linear) - linear**2  # variance beyond the first term
    found = [linear]
    previous, polynomial = np.ones_like(h), h  # He_0, He_1, each over the root of its factorial
    for k in range(3, MAX_ORDER + 1, 2):
        if np.all(left_out <= TOLERANCE * k * linear**2):
            break
        found.append(-2.0 * density * polynomial / math.sqrt(k * (k - 1.0)))
        left_out = left_out - found[-1] ** 2
        for order in (k - 2, k - 1):
            following = (h * polynomial - math.sqrt(order) * previous) / math.sqrt(order + 1.0)
            previous, polynomial = polynomial, following
    return found
