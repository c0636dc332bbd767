"""All weights of a network that learn as one vector, for who follows the learning equation of the whole in time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from ..simulator.protocols import HebbscopeError, bounds_of


class Joint:
    """The weights (..., n) of all projections that learn, one projection after the other.

    equation: RecurrentEquation; start (n,); w_min, w_max (n,). costly: a drift takes from milliseconds to seconds. problem: why there was none where it was nan first.
    """

    costly = True

    def __init__(self, equation: Any):
        self.equation, self.problem = equation, ""
        learning = equation.network.learning
        self.start = np.concatenate([equation.start[each.name] for each in learning])
        low, high = zip(*(bounds_of(each.rule) for each in learning), strict=True)
        sizes = [each.n_synapses for each in learning]
        self.w_min, self.w_max = np.repeat(np.array(low, float), sizes), np.repeat(np.array(high, float), sizes)

    def drift(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (..., n): dJ/dt [1/s]; nan where rates come to no rest."""
        return self._each(weights, self._drift, len(self.start))

    def _drift(self, weights: np.ndarray) -> np.ndarray:
        found = self.equation.drift_of(self._apart(weights))
        return np.concatenate([found[each.name] for each in self.equation.network.learning])

    def output_rate_of(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (..., n_post): output rates [Hz] of the targets whose synapses are recorded; nan where they come to no rest."""
        return self._each(weights, self._rates, self.equation.network.recorded.target.n)

    def _rates(self, weights: np.ndarray) -> np.ndarray:
        return self.equation.output_rates_of(self._apart(weights))

    def _each(self, weights: np.ndarray, function: Callable[[np.ndarray], np.ndarray], n: int) -> np.ndarray:
        found = np.full((*weights.shape[:-1], n), np.nan)
        for row in np.ndindex(weights.shape[:-1]):
            if not np.isfinite(weights[row]).all():  # of a path that has come to its end
                continue
            try:
                found[row] = function(weights[row])
            except HebbscopeError as problem:
                self.problem = self.problem or str(problem)
        return found

    def _apart(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """projection -> (..., n_synapses)."""
        pieces = np.split(weights, self._ends, axis=-1)
        return {each.name: piece for each, piece in zip(self.equation.network.learning, pieces, strict=True)}

    def shaped(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """projection -> (..., n_post, n_pre), or (..., 1, n_synapses) where not all are joined to all."""
        found = self._apart(weights)
        return {
            each.name: matrices(each, found[each.name]) if each.is_dense else found[each.name][..., None, :]
            for each in self.equation.network.learning
        }

    @cached_property
    def _ends(self) -> np.ndarray:
        return np.cumsum([each.n_synapses for each in self.equation.network.learning])[:-1]


def matrices(projection: Any, values: np.ndarray) -> np.ndarray:
    """(..., n_synapses) -> (..., n_post, n_pre): of a projection that joins all to all."""
    return values.reshape(*values.shape[:-1], projection.source.n, -1).swapaxes(-1, -2)
