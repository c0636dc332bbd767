"""How far the weights of a group spread that begin equal, by diffusion and by what the averaged equation makes of differences, along the course of their mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


class Spread:
    """V' = 2 g(w) V + D'(w) for the variance V over synapses of one group, in one run, where their mean is w; followed from record to record.

    equation: with `spread(time)` in closed form, where g and D' stay as they are, or with `spreading(weight)`, which says both [1/s]. Another has no spread.
    """

    def __init__(self, equation: Any):
        self.equation, self.variance = equation, 0.0
        self.before: tuple[float, float, float] | None = None  # time, g and D' of the last record

    def course(self, time: np.ndarray, means: np.ndarray) -> np.ndarray | None:
        """(n_times,) the sd at times [s] that follow those of the last call, with the mean weights (n_times,); None where the equation says nothing of it."""
        if hasattr(self.equation, "spread"):
            return np.asarray(self.equation.spread(time))
        if not hasattr(self.equation, "spreading"):
            return None
        return np.array([self._to(float(t), float(mean)) for t, mean in zip(time, means, strict=True)])

    def _to(self, t: float, mean: float) -> float:
        """The sd at the time t of the next record, g and D' between the two taken as their means."""
        growth, diffusion = self.equation.spreading(mean)
        if self.before is not None:
            before, g, d = self.before
            h, g, d = t - before, 0.5 * (g + growth), 0.5 * (d + diffusion)
            x = 2.0 * g * h
            self.variance = self.variance * math.exp(x) + d * h * (math.expm1(x) / x if x != 0.0 else 1.0)
        self.before = t, growth, diffusion
        return math.sqrt(max(self.variance, 0.0))
