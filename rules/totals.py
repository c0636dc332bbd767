"""Sums that do not wait for themselves: each addition to one number waits for the one before, so that a long sum goes into several numbers."""

from __future__ import annotations

import numpy as np

from ..simulator.protocols import helper


@helper
def total_onto(w, i):
    """The sum of the weights onto target i."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    n_in = w.n_in(i)
    whole = n_in - n_in % 4
    for n in range(0, whole, 4):
        a += w.value[w.into(i, n)]
        b += w.value[w.into(i, n + 1)]
        c += w.value[w.into(i, n + 2)]
        d += w.value[w.into(i, n + 3)]
    for n in range(whole, n_in):
        a += w.value[w.into(i, n)]
    return (a + b) + (c + d)


@helper
def total(values, n):
    """The sum of the first n values of an array."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    whole = n - n % 4
    for k in range(0, whole, 4):
        a += values[np.uintp(k)]
        b += values[np.uintp(k + 1)]
        c += values[np.uintp(k + 2)]
        d += values[np.uintp(k + 3)]
    for k in range(whole, n):
        a += values[np.uintp(k)]
    return (a + b) + (c + d)
