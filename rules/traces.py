"""Exponentially decaying traces, kept scaled so that decay costs nothing and a read one multiplication.

A trace at time t is `value[k] * f` with `f = exp(-(t - origin) / tau)` common to all k; a spike adds `1 / f` to the stored value. Before
1 / f gets large the origin moves to t and the values are rescaled, once in many time constants. When no spike has come for so long
that what is left is below rounding, f is zero.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..simulator.protocols import SecondsArray, helper

MAX_AGE = 75.0  # in time constants: sums of exp(75) are far from overflow in single precision, too, and older spikes far below rounding
QUIET = 40.0  # time constants after the last spike at which nothing is left: exp(-40) = 4e-18, below rounding
NEGLIGIBLE = 1e-200  # rescaled below this, a trace is zero: denormal numbers are slow


STEPS = 8  # that a growth may take before it is reckoned anew: what rounding leaves has no time to add up
ROUNDING = 1e-15  # of a time: by so much may times differ that are multiples of one step


class Growth(NamedTuple):
    """exp(lag / tau) at lags that grow, for the most part by equal steps.

    value (1,); factor (1,), by which it grows in a step; lag (1,), step (1,) [s]: the last; left (1,): steps until it is reckoned anew
    """

    value: np.ndarray
    factor: np.ndarray
    lag: SecondsArray
    step: SecondsArray
    left: np.ndarray


class Traces(NamedTuple):
    """value (n,), origin (1,) [s], quiet (1,) [s]: sum over spikes of exp(-(t - t_spike) / tau), and when nothing will be left of it."""

    value: np.ndarray
    origin: SecondsArray
    quiet: SecondsArray


class AlphaTraces(NamedTuple):
    """value (n,), moment (n,) [s], origin (1,), quiet (1,) [s]: sums of exp(..) and of (t_spike - origin) exp(..)."""

    value: np.ndarray
    moment: SecondsArray
    origin: SecondsArray
    quiet: SecondsArray


def traces(n: int) -> Traces:
    """n traces at zero."""
    return Traces(np.zeros(n), np.zeros(1), np.zeros(1))


def alpha_traces(n: int) -> AlphaTraces:
    """n alpha traces at zero."""
    return AlphaTraces(np.zeros(n), np.zeros(n), np.zeros(1), np.zeros(1))


def growth() -> Growth:
    """At lag 0."""
    return Growth(np.ones(1), np.ones(1), np.zeros(1), np.zeros(1), np.zeros(1, np.int64))


@helper
def grow(x, lag, tau, t):
    """Take a growth to the lag [s] that it has at time t [s]; a step that is as long as the last one takes a multiplication."""
    step = lag - x.lag[0]
    again = abs(step - x.step[0]) <= ROUNDING * t
    if again and x.left[0] > 0:
        x.value[0] *= x.factor[0]
        x.left[0] -= 1
    else:
        x.value[0] = math.exp(lag / tau)
        x.factor[0] = math.exp(step / tau) if again else 1.0
        x.left[0] = STEPS if again else 0
    x.lag[0], x.step[0] = lag, step


@helper
def start_again(x):
    """Take a growth back to lag 0."""
    x.value[0], x.lag[0], x.left[0] = 1.0, 0.0, 0


@helper
def decay(x, tau, t):
    """f, the factor between the stored values of `x` and the traces at time t [s]."""
    return math.exp(-(t - x.origin[0]) * (1.0 / tau)) if t < x.quiet[0] else 0.0  # the loop keeps 1 / tau


@helper
def add(x, k, tau, t):
    """A spike of k at time t."""
    add_amount(x, k, 1.0, tau, t)


@helper
def add_amount(x, k, amount, tau, t):
    """A spike of k at time t that counts so much."""
    lag = t - x.origin[0]
    x.quiet[0] = t + QUIET * tau
    if lag < MAX_AGE * tau:
        x.value[k] += amount * math.exp(lag * (1.0 / tau))
        return
    f = math.exp(-lag / tau)
    for m in range(len(x.value)):
        x.value[m] = x.value[m] * f if x.value[m] * f > NEGLIGIBLE else 0.0
    x.origin[0] = t
    x.value[k] += amount


@helper
def mark(x, k, tau, t, alone):
    """A spike of k at time t; where alone is 1 those before it count no more."""
    if alone == 1:
        x.value[k] = 0.0
    add(x, k, tau, t)


@helper
def alpha(x, k, f, t):
    """Sum over spikes of (t - t_spike) exp(-(t - t_spike) / tau) [s], with f from `decay`."""
    return f * ((t - x.origin[0]) * x.value[k] - x.moment[k])


@helper
def alpha_add(x, k, tau, t):
    """A spike of k at time t, into alpha traces."""
    lag = t - x.origin[0]
    x.quiet[0] = t + QUIET * tau
    if lag < MAX_AGE * tau:
        grown = math.exp(lag * (1.0 / tau))
        x.value[k] += grown
        x.moment[k] += lag * grown
        return
    f = math.exp(-lag / tau)
    for m in range(len(x.value)):
        old = x.value[m]
        x.value[m] = old * f if old * f > NEGLIGIBLE else 0.0
        x.moment[m] = (x.moment[m] - lag * old) * f if old * f > NEGLIGIBLE else 0.0
    x.origin[0] = t
    x.value[k] += 1.0
