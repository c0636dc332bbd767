"""How far the weights of a group spread that begin equal, by diffusion and by what the averaged equation makes of differences, along the course of their mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

# weights between the bounds, between which growth and diffusion are interpolated: each takes a while to be found
NODES, WITHIN = 64, 1e-3


class Spread:
    """V' = 2 g(w) V + D'(w) for the variance V over synapses that begin equal, in one run, where their mean is w; followed from record to record.

    equation: with `spread(time)` in closed form, where g and D' stay as they are, or with `spreading(weight)`, which says both [1/s], and w_min and `reach`, between which
    it is asked. Another has no spread, nor has a single synapse.
    """

    def __init__(self, equation: Any):
        self.equation, self.variance = equation, 0.0
        self.before: tuple[float, float, float] | None = None  # time, g and D' of the last record
        self._known: dict[int, np.ndarray] = {}

    def course(self, time: np.ndarray, means: np.ndarray) -> np.ndarray | None:
        """(n_times,) the sd at times [s] that follow those of the last call, with the mean weights (n_times,); None where the equation says nothing of it."""
        if hasattr(self.equation, "spread"):
            return np.asarray(self.equation.spread(time))
        if not hasattr(self.equation, "spreading") or len(self.equation.rates) < 2:
            return None
        with np.errstate(all="ignore"):
            return np.array([self._to(float(t), float(mean)) for t, mean in zip(time, means, strict=True)])

    def _to(self, t: float, mean: float) -> float:
        """The sd at the time t of the next record, g and D' between the two taken as their means; without end where it is beyond all numbers."""
        growth, diffusion = self._at(mean)
        if self.before is not None:
            before, g, d = self.before
            h, g, d = t - before, 0.5 * (g + growth), 0.5 * (d + diffusion)
            x = 2.0 * g * h
            grown = self.variance * np.exp(x) if self.variance > 0.0 else 0.0
            self.variance = float(grown + d * h * (np.expm1(x) / x if x != 0.0 else 1.0))
        self.before = t, growth, diffusion
        return float(np.sqrt(np.maximum(self.variance, 0.0)))

    def _at(self, mean: float) -> tuple[float, float]:
        """g and D' where the mean weight is this."""
        low, high = self.equation.w_min, self.equation.reach
        if not (np.isfinite(mean) and high > low):
            return math.nan, math.nan
        place = (mean - low) / (high - low) * NODES
        k = min(max(math.floor(place), 0), NODES - 1)
        growth, diffusion = (1.0 - (place - k)) * self._node(k) + (place - k) * self._node(k + 1)
        return float(growth), float(diffusion)

    def _node(self, k: int) -> np.ndarray:
        """Both at the k-th of these weights; at the first and the last just within the bounds, where differences are of both signs."""
        if k not in self._known:
            low, high = self.equation.w_min, self.equation.reach
            share = min(max(k / NODES, WITHIN), 1.0 - WITHIN)
            self._known[k] = np.array(self.equation.spreading(low + share * (high - low)))
        return self._known[k]
