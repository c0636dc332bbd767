"""Poisson trains whose rates are held for a while and then replaced: a sequence of patterns, such as patches of images."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ...simulator.protocols import (
    Covariance,
    Cycle,
    Delta,
    Held,
    HertzArray,
    Seconds,
    Triangle,
    part,
    positive,
    require,
)
from ...simulator.streams import below, uniform
from .alias import AliasTable, alias_table, pick, rebuild

SHORTEST = 1e-5  # [s] of a presentation: shorter ones would come without end
ROWS = 4096  # patterns that are in double precision at one time


class State(NamedTuple):
    """sources (copies * n,): output buffer; table: choice of a synapse by its rate now; copies (1,), shown (1,) patterns so far, current (1,)."""

    sources: np.ndarray
    table: AliasTable
    copies: np.ndarray
    shown: np.ndarray
    current: np.ndarray


@part
class PatternPoisson(NamedTuple):
    """Poisson trains with rates lambda_i(t) = patterns[p, i], each pattern p held for `presentation`.

    patterns       (n_patterns, n)  rates [Hz]; single precision will do
    presentation   0.5 s            how long each is held
    in_order       0                1: shown in order, over and over; 0: each drawn anew from all, independent of the last

    With <> the mean over patterns and d = patterns - <patterns>, C_ij(s) = <d_i d_j> (1 - |s| / T)_+, averaged over t within a
    presentation T. In order: sum over all m of <d_i(p + m) d_j(p)> (1 - |s - m T| / T)_+.

    Source: [derived].
    """

    patterns: HertzArray
    presentation: Seconds = 0.5
    in_order: int = 0

    def check(self, n):
        array = isinstance(self.patterns, np.ndarray) and self.patterns.dtype.kind in "fiu"
        require(array, self, "patterns", "must be an array of numbers")
        shape = self.patterns.shape
        require(
            len(shape) == 2 and shape[0] > 0 and shape[1] == n,
            self,
            "patterns",
            f"must have the shape (n_patterns, {n})",
        )
        low, high = self.patterns.min(initial=0), self.patterns.max(initial=0)
        require(low >= 0 and high < np.inf, self, "patterns", "must be finite and >= 0 Hz")
        positive(self, "presentation")
        require(self.presentation >= SHORTEST, self, "presentation", f"must be at least {SHORTEST:g} s")
        require(self.in_order in (0, 1), self, "in_order", "must be 0 or 1")

    def groups(self, n):
        return ["all"] * n

    def init(self, n, copies):
        sources = np.zeros(copies * n, np.int64)
        return State(
            sources, alias_table(np.zeros(n)), np.array([copies]), np.zeros(1, np.int64), np.zeros(1, np.int64)
        )

    def candidate_rate(self, state):
        return state.copies[0] * state.table.total[0]

    def draw(self, state, t, rng, latent):
        u = uniform(rng) * state.copies[0]
        copy = int(u)
        state.sources[0] = copy * len(state.table.accept) + pick(state.table, u - copy)
        return 1

    def next_wake(self, state):
        return state.shown[0] * self.presentation

    def wake(self, state, t, rng, latent):
        n_patterns = len(self.patterns)
        state.current[0] = state.shown[0] % n_patterns if self.in_order == 1 else below(latent, n_patterns)
        state.shown[0] += 1
        rebuild(state.table, self.patterns[state.current[0]])
        return 0

    def rates(self, state, t, latent, out):
        pattern = self.patterns[state.current[0]]
        for k in range(len(pattern)):
            out[k] = pattern[k]

    def mean_rates(self, n: int) -> np.ndarray:
        return self.patterns.mean(axis=0, dtype=float)

    def covariance(self, n: int) -> list[Covariance]:
        """Its factors are over patterns or over synapses, whichever are fewer."""
        n_patterns = len(self.patterns)
        if n_patterns <= n:
            apart = (self.patterns - self.mean_rates(n)).T
            if self.in_order == 1:
                return [Covariance(apart, apart, Cycle(np.eye(n_patterns), self.presentation))]
            left = apart / math.sqrt(n_patterns)
            return [Covariance(left, left, Triangle(self.presentation))]
        if self.in_order == 1:
            return [Covariance(np.eye(n), np.eye(n), Cycle(self.patterns - self.mean_rates(n), self.presentation))]
        values, vectors = np.linalg.eigh(self._scatter(n))
        kept = values > n * np.finfo(float).eps * max(values[-1], 0.0)
        left = vectors[:, kept] * np.sqrt(values[kept])
        return [Covariance(left, left, Triangle(self.presentation))]

    def _scatter(self, n: int) -> np.ndarray:
        """(n, n) [Hz^2]: the covariance over patterns."""
        mean, total = self.mean_rates(n), np.zeros((n, n))
        for first in range(0, len(self.patterns), ROWS):
            apart = self.patterns[first : first + ROWS] - mean
            total += apart.T @ apart
        return total / len(self.patterns)

    def atom(self, n: int) -> list[tuple[np.ndarray, Delta]]:
        return [(self.mean_rates(n), Delta())]

    def third_cumulants(self, n: int) -> list[Any]:
        return [Held(self.patterns, self.presentation, self.in_order)]
