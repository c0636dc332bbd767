"""What is read from weights: average, groups, separation, spread; each for every leading axis (seeds, times)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

ROUNDING = 1e-12


class Estimate(NamedTuple):
    """A mean over seeds and its standard error, None where it cannot be known (one seed, or no seeds at all)."""

    mean: float
    error: float | None = None
    n: int = 1

    def __str__(self) -> str:
        """Rounded at the error's first digit, at its second where the first is below 4: "0.02018 ± 0.00007"."""
        if self.error is None or not math.isfinite(self.error) or self.error <= 0:
            return f"{self.mean:.4g}"
        exponent = math.floor(math.log10(self.error))
        digits = max(0, -exponent + (self.error < 3.55 * 10.0**exponent))
        return f"{self.mean:.{digits}f} ± {self.error:.{digits}f}"


def estimate(values: np.ndarray, scale: float = 0.0) -> Estimate:
    """(n_seeds,) -> mean and standard error sd / sqrt(n_seeds), sd with n_seeds - 1.

    The error is 0 where the seeds differ by rounding alone, of these values or of numbers as large as `scale` from which they came.
    """
    values = np.asarray(values, dtype=float)
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    if error is not None and error < ROUNDING * max(scale, np.abs(values).max()):
        error = 0.0
    return Estimate(float(np.mean(values)), error, len(values))


def standard_error(values: np.ndarray) -> np.ndarray:
    """(n_seeds, ...) -> (...) standard error over the first axis; zeros for one seed."""
    values = np.asarray(values, dtype=float)
    return np.std(values, axis=0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.zeros(values.shape[1:])


def group_names(groups: Sequence[str]) -> list[str]:
    """The names in their order of first appearance."""
    return list(dict.fromkeys(groups))


def members(groups: Sequence[str], name: str) -> np.ndarray:
    """(n_pre,) bool: which inputs belong to the group."""
    return np.array([group == name for group in groups])


def average(weights: np.ndarray) -> np.ndarray:
    """(..., n_post, n_pre) -> (...) mean over all synapses."""
    return np.mean(weights, axis=(-2, -1))


def group_means(weights: np.ndarray, groups: Sequence[str]) -> dict[str, np.ndarray]:
    """(..., n_post, n_pre) -> group -> (...) mean over its synapses."""
    return {name: average(weights[..., members(groups, name)]) for name in group_names(groups)}


def separation(weights: np.ndarray, groups: Sequence[str]) -> np.ndarray | None:
    """(..., n_post, n_pre) -> (...) mean of the last named group minus mean of the first; None with a single group."""
    means = list(group_means(weights, groups).values())
    return means[-1] - means[0] if len(means) > 1 else None


def spread(weights: np.ndarray, groups: Sequence[str]) -> np.ndarray | None:
    """(..., n_post, n_pre) -> (...) standard deviation of the weights within their groups; None where every group has one member.

    Squared deviations from the group's mean, per neuron, summed over groups and neurons and divided by their degrees of freedom
    (size of the group minus one).
    """
    squares, freedom = np.zeros(weights.shape[:-2]), 0
    for name in group_names(groups):
        part = weights[..., members(groups, name)]
        squares = squares + np.sum((part - part.mean(axis=-1, keepdims=True)) ** 2, axis=(-2, -1))
        freedom += part.shape[-2] * (part.shape[-1] - 1)
    return np.sqrt(squares / freedom) if freedom else None
