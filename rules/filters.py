"""Causal filters of spike trains: postsynaptic potentials, traces, their products, and one laid over another.

A filter is a sum of c x^n exp(-a x), x > 0: a tuple of *terms* (c, n, a) as in window_integrals. Two trains seen through filters f and g at
one time have the covariance int int f(u) g(p) C(p - u) du dp, which is what a window W(s) = f(-s) and an EPSP g make of C: `Before` is that
window and `Response` that EPSP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from . import window_integrals as integrals

Filter = tuple[tuple[Any, int, float], ...]


def exponential(tau: float) -> Filter:
    """exp(-x / tau): the trace of a train, which jumps by one at its spikes."""
    return ((1.0, 0, 1.0 / tau),)


def product(f: Filter, g: Filter) -> Filter:
    """f(x) g(x)."""
    return tuple((c * d, m + n, a + b) for c, n, a in f for d, m, b in g)


def scaled(f: Filter, factor: float) -> Filter:
    """factor f(x)."""
    return tuple((factor * c, n, a) for c, n, a in f)


def traced(f: Filter, tau: float) -> Filter:
    """int_0^x f(u) exp(-(x - u) / tau) du: the trace of an output that follows f."""
    return tuple(integrals.convolution(f, exponential(tau)))


def triple_integral(f: Filter, g: Filter, h: Filter) -> float:
    """int f(x) g(x) h(x) dx."""
    return integrals.product_integral(product(f, g), h)


class Before(NamedTuple):
    """The window W(-x) = f(x), W(x) = 0 for x > 0: what has gone through f before the spike of the other side."""

    f: Filter

    def terms(self):
        """W(-x) and W(x), x > 0."""
        return self.f, ()

    integral, transform, q = integrals.integral, integrals.transform, integrals.q  # type: ignore[misc]
    convolved, response = integrals.convolved, integrals.response  # type: ignore[misc]
    support, bends = integrals.support, integrals.bends  # type: ignore[misc]


@dataclass(frozen=True)
class Now:
    """The window delta(s): the spike itself, unfiltered."""

    q = integrals.q

    def transform(self, omega: Any) -> Any:
        return np.ones_like(omega)

    def convolved(self, response: Any, t: Any) -> np.ndarray:
        return response.epsp(t)

    def response(self, response: Any) -> tuple[Filter, Filter]:
        return (), response.epsp_terms()

    def support(self) -> tuple[float, float]:
        return 0.0, 0.0

    def bends(self) -> np.ndarray:
        return np.zeros(1)


class Response(NamedTuple):
    """The filter g in the place of an EPSP."""

    g: Filter

    def epsp(self, u: Any) -> np.ndarray:
        """g(u) for an array of times [s]; at u = 0 the value from the right."""
        u = np.asarray(u, dtype=float)
        return np.where(u >= 0.0, integrals.evaluate(self.g, np.maximum(u, 0.0)), 0.0)

    def epsp_terms(self) -> Filter:
        return self.g

    def epsp_transform(self, omega: Any) -> Any:
        return integrals.laplace(self.g, -1j * np.asarray(omega))

    def epsp_support(self) -> float:
        return integrals.NEGLIGIBLE / min(a for _, _, a in self.g)
