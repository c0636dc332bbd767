"""A rule of pairs, taken apart for averages over all pairs: amplitudes, numbers or what the rule makes of each weight, and the windows that they are of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..simulator.protocols import HebbscopeError, require_methods
from .threshold import rise
from .windows import DoubleExponential


def check_pairs(rule: Any, equation: str) -> None:
    """Raise what an equation of that name cannot know of a rule: it is to have `pairs`, or to be STDP of all pairs with a threshold that settles."""
    if hasattr(rule, "pairs"):
        require_methods(rule.pairs.window, equation, "integral", "transform", "value")
        return
    if not hasattr(rule, "pairs_at"):
        raise HebbscopeError(f"{type(rule).__name__}: has no {equation.removeprefix('the ')}, as rules of pairs do")
    require_methods(rule.threshold, equation, "settled")
    if any(rule.pairing):
        raise HebbscopeError(f"STDP: {equation} is of all pairs, ALL_TO_ALL")


def parts_of(rule: Any, weights: np.ndarray, y: np.ndarray) -> Iterator[tuple[Any, Any]]:
    """Amplitudes, numbers or of the shape of the weights, where targets fire at rates y [Hz], and the windows that they are of."""
    if hasattr(rule, "pairs"):
        yield rule.pairs.eta, rule.pairs.window
        return
    plus, minus = rule.amplitudes(weights)
    yield plus, DoubleExponential(1.0, 0.0, rule.tau_plus, rule.tau_minus)
    yield minus * rule.threshold.settled(y), DoubleExponential(0.0, 1.0, rule.tau_plus, rule.tau_minus)


def by_single_spikes(rule: Any, x: Any, y: Any) -> Any:
    """What spikes of a source and of a target change by themselves [1/s], at rates x and y [Hz]."""
    w_in, w_out = single_spikes(rule)
    return w_in * x + w_out * y


def single_spikes(rule: Any) -> tuple[float, float]:
    """What a spike of a source, and one of a target, changes by itself."""
    pairs = getattr(rule, "pairs", None)
    return (0.0, 0.0) if pairs is None else (pairs.eta * pairs.w_in, pairs.eta * pairs.w_out)


def by_threshold(rule: Any, weights: Any, x: Any, y: Any) -> Any:
    """What a spike of the target changes by the threshold that slides with it, in depression at rates x and y [Hz]; weights of any shape."""
    if hasattr(rule, "pairs"):
        return 0.0
    return -rule.amplitudes(weights)[1] * rule.tau_minus * x * rise(rule.threshold, y)


def area(window: Any, dt: float) -> float:
    """int W(s) ds [s] where pairs are known in steps of dt [s]: those of one step are pairs at s = 0-, half of which would else be after it."""
    late = float(window.value(0.0) - window.value(np.nextafter(0.0, 1.0)))
    return float(window.integral()) + 0.5 * dt * late


def area_of(parts: list[tuple[Any, Any]], dt: float) -> Any:
    """W~ [s] of all parts together, a number or that of each weight."""
    return sum(amplitude * area(window, dt) for amplitude, window in parts)
