"""How far the weights of a group spread that begin equal, by diffusion and by what the averaged equation makes of differences, along the course of their means."""

from __future__ import annotations

from typing import Any

import numpy as np


class Spread:
    """V' = 2 g(w) V + D'(w) for the variance V over synapses that begin equal, in one run, where their mean weights are w; followed from record to record.

    equation: with `spreading(weights)`, which says g and D' [1/s] of mean weights (n,), numbers or (n,) each. Another has no spread, nor has a single synapse.
    """

    def __init__(self, equation: Any):
        self.equation = equation
        self.variance: Any = 0.0
        self.before: tuple[float, Any, Any] | None = None  # time, g and D' of the last record

    def course(self, time: np.ndarray, means: np.ndarray) -> np.ndarray | None:
        """(n_times,) the sd at times [s] that follow those of the last call, with the mean weights (n_times, n); None where the equation says nothing of it."""
        if not hasattr(self.equation, "spreading") or len(self.equation.rates) < 2:
            return None
        with np.errstate(all="ignore"):
            return np.array([self._to(float(t), mean) for t, mean in zip(time, means, strict=True)])

    def _to(self, t: float, means: np.ndarray) -> float:
        """The sd at the time t of the next record, g and D' between the two taken as their means; without end where it is beyond all numbers."""
        from ..rules.equal_weights import grown

        growth, diffusion = self.equation.spreading(means)
        if self.before is not None:
            before, g, d = self.before
            self.variance = grown(self.variance, 0.5 * (g + growth), 0.5 * (d + diffusion), t - before)
        self.before = t, growth, diffusion
        return float(np.sqrt(np.maximum(self.variance, 0.0).mean()))
