"""What averaged rules have in common that are not linear in the weights: the output of a linear neuron."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np


@dataclass(frozen=True, repr=False, eq=False)
class LinearOutput:
    """A rule, the statistics of its inputs, a linear Poisson neuron, and whether the spikes that it is caused to fire count.

    rule: with bounds w_min and w_max; statistics: InputStatistics; neuron: with gain, base_rate and threshold; causal: False at the surrogate level.
    """

    rule: Any
    statistics: Any
    neuron: Any
    causal: bool = True

    @property
    def w_min(self) -> float:
        return self.rule.w_min

    @property
    def w_max(self) -> float:
        return self.rule.w_max

    @property
    def rates(self) -> np.ndarray:
        """(n,) mean input rates [Hz]."""
        return self.statistics.rates

    def without_causal(self) -> Self:
        """The same equation without the causal spike-spike terms."""
        return replace(self, causal=False)

    def effective(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (..., n): what multiplies the inputs, the neuron's gain in it."""
        seen = np.asarray(weights, float)
        transmission = self.statistics.transmission
        return self.neuron.gain * (seen if transmission is None else transmission.effective(seen))

    def output_rate_of(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (...): mean output rate [Hz], not below zero."""
        return np.maximum(self._base + self.effective(weights) @ self.rates, 0.0)

    @property
    def _base(self) -> float:
        """The output rate without input [Hz]."""
        return self.neuron.gain * (self.neuron.base_rate - self.neuron.threshold)
