"""Sums that do not wait for themselves: each addition to one number waits for the one before, so that a long sum goes into several numbers."""

from __future__ import annotations

import numpy as np

from ..simulator.protocols import helper


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
