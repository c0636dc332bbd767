"""A learning window given by a table, as measured or invented."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..simulator.protocols import HebbscopeError, Hertz, SecondsArray, finite, helper, part, positive, require
from . import window_integrals as integrals

MIN_CAPACITY = 16


class Ring(NamedTuple):
    """times (n, capacity) [s]: the last spikes of each train; seen (n,): spikes so far; span (1,) [s]: after which a spike is forgotten."""

    times: np.ndarray
    seen: np.ndarray
    span: np.ndarray


class TabulatedState(NamedTuple):
    """before (n_pre): spikes of the sources; after (n_post): spikes of the targets."""

    before: Ring
    after: Ring


@part
class TabulatedWindow(NamedTuple):
    """W(s) by linear interpolation between the points of a table, zero outside.

    s         (n_points,)  lags t_pre - t_post [s], ascending
    W         (n_points,)  the window there
    max_rate  1000 Hz      how often a train may fire on average within the reach of the table: so many spikes are kept for each train

    Every pair counts, so each read costs as many interpolations as there are spikes within reach. A train that fires faster than max_rate
    for as long as the table reaches stops the run with an error: no pair is dropped in silence.
    """

    s: SecondsArray
    W: np.ndarray
    max_rate: Hertz = 1000.0

    def check(self):
        for field in ("s", "W"):
            value = getattr(self, field)
            flat = isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.ndim == 1 and len(value) > 1
            require(flat, self, field, "must be a flat array of at least two numbers")
        finite(self, "s", "W")
        require(len(self.s) == len(self.W), self, "W", f"must have as many points as s, {len(self.s)}")
        require(np.diff(self.s) > 0.0, self, "s", "must be ascending")
        positive(self, "max_rate")

    def init(self, n_pre, n_post):
        return TabulatedState(
            ring(n_pre, max(-float(self.s[0]), 0.0), self.max_rate),
            ring(n_post, max(float(self.s[-1]), 0.0), self.max_rate),
        )

    def pre_scale(self, ws, t):
        return (1.0,)

    def from_pre(self, ws, j, t, scale):
        return sum_of_pairs(self.s, self.W, ws.before, j, t, -1.0)

    def add_pre(self, ws, j, t):
        remember(ws.before, j, t)

    def post_scale(self, ws, t):
        return (1.0,)

    def from_post(self, ws, i, t, scale):
        return sum_of_pairs(self.s, self.W, ws.after, i, t, 1.0)

    def add_post(self, ws, i, t):
        remember(ws.after, i, t)

    def value(self, s):
        """W(s) for an array of lags [s]."""
        return np.interp(s, self.s, self.W, left=0.0, right=0.0)

    def integral(self):
        """int W(s) ds [s], exact for the interpolated table."""
        return float(np.sum(np.diff(self.s) * (self.W[1:] + self.W[:-1])) / 2.0)

    def square_integral(self):
        """int W(s)^2 ds [s], exact for the interpolated table."""
        a, b = self.W[:-1], self.W[1:]
        return float(np.sum(np.diff(self.s) * (a * a + a * b + b * b)) / 3.0)

    def transform(self, omega):
        """int W(s) exp(i omega s) ds [s] for angular frequencies [rad/s], exact for the interpolated table."""
        omega = np.asarray(omega, dtype=float)
        half = 0.5 * np.diff(self.s)
        middle, mean, rise = 0.5 * (self.s[1:] + self.s[:-1]), 0.5 * (self.W[1:] + self.W[:-1]), 0.5 * np.diff(self.W)
        x = omega[..., None] * half
        return np.sum(
            2.0 * half * np.exp(1j * omega[..., None] * middle) * (mean * np.sinc(x / np.pi) + 1j * rise * _first(x)),
            axis=-1,
        )

    def convolved(self, neuron, t):
        """int W(s) eps(t - s) ds for an array of times [s]: in closed form where the neuron states its EPSP by `epsp_terms`."""
        if not hasattr(neuron, "epsp_terms"):
            return integrals.convolution_by_quadrature(self, neuron, t)
        once = integrals.antiderivative(neuron.epsp_terms())
        twice = integrals.antiderivative(once)
        slopes = np.diff(self.W) / np.diff(self.s)
        corners = np.diff(slopes, prepend=0.0, append=0.0)
        t = np.asarray(t, dtype=float)
        total = np.zeros(t.shape)
        for s, corner in zip(self.s, corners, strict=True):
            total += corner * integrals.evaluate(twice, np.maximum(t - s, 0.0))
        for s, jump in ((self.s[0], self.W[0]), (self.s[-1], -self.W[-1])):
            total += jump * integrals.evaluate(once, np.maximum(t - s, 0.0))
        return total

    def support(self):
        """The lags [s] at which the table begins and ends."""
        return float(self.s[0]), float(self.s[-1])

    def bends(self):
        """The lags [s] at which the window may jump or have a corner."""
        return np.asarray(self.s, dtype=float)

    overlap, q = integrals.overlap, integrals.q  # type: ignore[misc]


def _first(x: np.ndarray) -> np.ndarray:
    """(sin x - x cos x) / x^2 = (1/2) int_-1^1 y sin(x y) dy."""
    small = np.abs(x) < 0.1
    safe = np.where(small, 1.0, x)
    series = x / 3.0 * (1.0 - x * x / 10.0 * (1.0 - x * x / 28.0 * (1.0 - x * x / 54.0)))
    return np.where(small, series, (np.sin(safe) - safe * np.cos(safe)) / safe**2)


def ring(n, span, max_rate):
    """Empty memory for n trains: room for max_rate [Hz] spikes over span [s]."""
    capacity = max(MIN_CAPACITY, math.ceil(span * max_rate) + 1)
    return Ring(np.zeros((n, capacity)), np.zeros(n, np.int64), np.array([span]))


@helper
def remember(memory, k, t):
    """A spike of train k at time t [s] takes the place of the oldest one."""
    capacity = memory.times.shape[1]
    slot = memory.seen[k] % capacity
    if memory.seen[k] >= capacity and t - memory.times[k, slot] < memory.span[0]:
        raise HebbscopeError(
            "TabulatedWindow.max_rate: a train fires faster for as long as the table reaches; give a higher rate"
        )
    memory.times[k, slot] = t
    memory.seen[k] += 1


@helper
def sum_of_pairs(s, W, memory, k, t, sign):
    """Sum of W(sign (t - t_spike)) over the past spikes of train k, the latest first."""
    capacity = memory.times.shape[1]
    total = 0.0
    for age in range(min(memory.seen[k], capacity)):
        lag = t - memory.times[k, (memory.seen[k] - 1 - age) % capacity]
        if lag > memory.span[0]:
            break
        total += interpolate(s, W, sign * lag)
    return total


@helper
def interpolate(x, y, at):
    """The broken line through the points (x, y) at one place; zero outside."""
    if at < x[0] or at > x[-1]:
        return 0.0
    low = 0
    high = len(x) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if x[middle] <= at:
            low = middle
        else:
            high = middle
    return y[low] + (y[high] - y[low]) * (at - x[low]) / (x[high] - x[low])
