"""Exponentially decaying traces, kept scaled so that decay costs nothing and a read one multiplication.

A trace at time t is `value[k] * f` with `f = exp(-(t - origin) / tau)` common to all k; a spike adds `1 / f` to the stored value. Before
f gets small the origin moves to t and the values are rescaled, once in a hundred time constants.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..simulator.protocols import helper

MAX_AGE = 100.0  # in time constants: exp(100) is far from overflow, and what is left of older spikes is far below rounding
NEGLIGIBLE = 1e-200  # rescaled below this, a trace is zero: denormal numbers are slow


class Traces(NamedTuple):
    """value (n,), origin (1,) [s]: sum over spikes of exp(-(t - t_spike) / tau)."""

    value: np.ndarray
    origin: np.ndarray


class AlphaTraces(NamedTuple):
    """value (n,), moment (n,) [s], origin (1,) [s]: sums of exp(..) and of (t_spike - origin) exp(..)."""

    value: np.ndarray
    moment: np.ndarray
    origin: np.ndarray


def traces(n: int) -> Traces:
    """n traces at zero."""
    return Traces(np.zeros(n), np.zeros(1))


def alpha_traces(n: int) -> AlphaTraces:
    """n alpha traces at zero."""
    return AlphaTraces(np.zeros(n), np.zeros(n), np.zeros(1))


@helper
def decay(x, tau, t):
    """f, the factor between the stored values of `x` and the traces at time t [s]; moves the origin when it has aged."""
    age = (t - x.origin[0]) / tau
    if age < MAX_AGE:
        return math.exp(-age)
    f = math.exp(-age)
    for k in range(len(x.value)):
        x.value[k] = x.value[k] * f if x.value[k] * f > NEGLIGIBLE else 0.0
    x.origin[0] = t
    return 1.0


@helper
def add(x, k, tau, t):
    """A spike of k at time t."""
    f = decay(x, tau, t)  # before the stored value is read: it may be rescaled here
    x.value[k] += 1.0 / f


@helper
def alpha_decay(x, tau, t):
    """As `decay`, for alpha traces: the trace at t is alpha(x, k, f, t) with f returned here."""
    age = (t - x.origin[0]) / tau
    if age < MAX_AGE:
        return math.exp(-age)
    f = math.exp(-age)
    lag = t - x.origin[0]
    for k in range(len(x.value)):
        old = x.value[k]
        x.value[k] = old * f if old * f > NEGLIGIBLE else 0.0
        x.moment[k] = (x.moment[k] - lag * old) * f if old * f > NEGLIGIBLE else 0.0
    x.origin[0] = t
    return 1.0


@helper
def alpha(x, k, f, t):
    """Sum over spikes of (t - t_spike) exp(-(t - t_spike) / tau) [s]."""
    return f * ((t - x.origin[0]) * x.value[k] - x.moment[k])


@helper
def alpha_add(x, k, f, t):
    """A spike of k at time t."""
    x.value[k] += 1.0 / f
    x.moment[k] += (t - x.origin[0]) / f
