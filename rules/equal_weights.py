"""Where equal weights come to rest under an averaged rule, and how fast differences grow there, methods of the same names; and what becomes of their variance.

An `equation` has rates, w_min, w_max, drift and output_rate_of, `reach`, the weight up to which one at rest is looked for, and `n_points`, at how many.
"""

from __future__ import annotations

from typing import Any

import numpy as np

WAYS = {-1: "shrink", 0: "stay", 1: "grow"}  # by the sign of the drift
AT_ONCE = 1_000_000  # weights of synapses


def _mean_drift(equation: Any, weights: np.ndarray) -> np.ndarray:
    """(k,) [1/s]: the drift at equal weights (k,), averaged over synapses."""
    n = len(equation.rates)
    blocks = np.array_split(weights, 1 + len(weights) * n // AT_ONCE)
    return np.concatenate([equation.drift(np.repeat(block[:, None], n, axis=1)).mean(axis=-1) for block in blocks])


def _looked_at(equation: Any) -> tuple[np.ndarray, np.ndarray]:
    """Weights (k,) between the bounds, and the mean drift (k,) there."""
    grid = np.linspace(equation.w_min, equation.reach, equation.n_points)[1:-1]
    return grid, _mean_drift(equation, grid)


def weight_at_rest(equation: Any) -> float:
    """The weight at which the drift, averaged over synapses that all have it, changes from up to down; nan where it does nowhere."""
    from scipy.optimize import brentq

    grid, found = _looked_at(equation)
    falls = np.flatnonzero((found[:-1] > 0.0) & (found[1:] <= 0.0))
    if not len(falls):
        return float("nan")
    low, high = grid[falls[0]], grid[falls[0] + 1]
    return float(brentq(lambda weight: _mean_drift(equation, np.array([weight]))[0], low, high, xtol=1e-14))


def growth_rate(equation: Any) -> float:
    """How fast a difference between two synapses grows [1/s] where all have the weight at rest; below 0: it shrinks."""
    return growth_at(equation, equation.weight_at_rest)


def growth_at(equation: Any, weight: float) -> float:
    """The same where all have this weight; nan of a single synapse."""
    if not np.isfinite(weight) or len(equation.rates) < 2:
        return float("nan")
    step = 1e-6 * max(weight, 1e-300)
    apart = np.zeros(len(equation.rates))
    apart[:2] = step, -step
    there = equation.drift(weight + apart) - equation.drift(weight - apart)
    return float((there[0] - there[1]) / (4.0 * step))


def grown(variance: Any, growth: Any, diffusion: Any, time: Any) -> np.ndarray:
    """What becomes of a variance in `time` [s], with constant growth g and diffusion D' [1/s]: V exp(2 g t) + D' (exp(2 g t) - 1) / (2 g); any shapes."""
    x = 2.0 * np.asarray(growth) * time
    by_itself = np.where(np.abs(x) > 1e-12, np.expm1(x) / np.where(x == 0.0, 1.0, x), 1.0)
    # nothing stays nothing, where the exponential is beyond all numbers
    return np.where(np.asarray(variance) > 0.0, variance * np.exp(x), 0.0) + diffusion * time * by_itself


def in_words(equation: Any) -> str:
    """What becomes of equal weights, in a line."""
    weight = equation.weight_at_rest
    if np.isfinite(weight):
        output = float(equation.output_rate_of(np.full(len(equation.rates), weight)))
        growth = f", differences grow with {equation.growth_rate:.4g} /s" if len(equation.rates) > 1 else ""
        return f"equal weights rest at {weight:.4g}, output {output:.4g} Hz{growth}"
    grid, found = _looked_at(equation)
    if not np.isfinite(found).all():
        return "what becomes of equal weights is beyond the range of numbers"
    signs = np.sign(found)
    begins = np.flatnonzero(np.diff(signs, prepend=np.inf))  # of each stretch in which all go one way
    ways = [WAYS[int(sign)] for sign in signs[begins]]
    if ways == ["stay"]:
        return "equal weights stay as they are"
    ways[0] += f" to w_min = {equation.w_min:g}" if ways[0] == "shrink" else ""
    ways[-1] += f" to w_max = {equation.w_max:g}" if ways[-1] == "grow" else ""
    limits = [f"below {grid[k]:.4g} " for k in begins[1:]] + ["above " if len(begins) > 1 else ""]
    told = ", ".join(f"{limit}they {way}" for limit, way in zip(limits, ways, strict=True))
    return f"equal weights rest nowhere between the bounds: {told}"
