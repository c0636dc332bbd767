"""Sums of weights that are kept within hard bounds: parts that go with any rule.

What a weight at a bound cannot give or take is taken from the others, so that the sum is kept to rounding wherever it can be. With `groups` that holds of each
group of sources by itself. `L1` is the multiplicative one that leaves the others as they are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..simulator.protocols import Seconds, clip, finite, part, positive
from .groups import ONE_GROUP, check_groups, keep_groups


@part
class Subtractive(NamedTuple):
    """w_ij := w_ij - c_i for all j that have room, with sum_j w_ij = norm afterwards, every `every` seconds.

    norm    1      the sum that is kept onto each target, from each group of sources
    every   0.5 s  how often
    groups  []     sources at which a further group begins, ascending; none: all are one group

    Weights that differ go on to differ by as much, until they are at the rule's bounds w_min and w_max: competition ends with as many at a bound as there can be.
    Source: Miller & MacKay 1994, Neural Comput 6:100: subtractive constraint [recalled].
    """

    norm: float = 1.0
    every: Seconds = 0.5
    groups: np.ndarray = ONE_GROUP

    def check(self):
        finite(self, "norm")
        positive(self, "every")
        check_groups(self)

    def normalise(self, state, w, i, spikes, low, high):
        keep_groups(self, w, i, low, high)

    def keep(self, w, i, begin, end, low, high):
        """The sum of the synapses begin to end onto target i, in as many rounds as weights come to a bound one after the other, and one."""
        for _ in range(end - begin + 1):
            excess, n_free = -self.norm, 0
            for n in range(begin, end):
                excess += w.value[w.into(i, n)]
            for n in range(begin, end):
                n_free += self.has_room(w.value[w.into(i, n)], excess, low, high)
            if n_free == 0:
                return
            share, stopped = excess / n_free, False
            for n in range(begin, end):
                k = w.into(i, n)
                value = w.value[k]
                if self.has_room(value, excess, low, high):
                    stopped |= value - share < low or value - share > high
                    w.value[k] = clip(value - share, low, high)
            if not stopped:
                return

    def has_room(self, value, excess, low, high):
        """Whether a weight can give of an excess, or take what is missing."""
        return value > low if excess > 0.0 else value < high


@part
class Multiplicative(NamedTuple):
    """w_ij := c_i w_ij for all j that have room, with sum_j |w_ij| = norm afterwards, every `every` seconds.

    norm    1      the sum that is kept onto each target, from each group of sources
    every   0.5 s  how often
    groups  []     sources at which a further group begins, ascending; none: all are one group

    Weights keep their ratios: those that the rule makes grow faster gain on the others, and drive none of them to a bound.
    Source: Miller & MacKay 1994, Neural Comput 6:100: multiplicative constraint [recalled].
    """

    norm: float = 1.0
    every: Seconds = 0.5
    groups: np.ndarray = ONE_GROUP

    def check(self):
        positive(self, "norm", "every")
        check_groups(self)

    def normalise(self, state, w, i, spikes, low, high):
        keep_groups(self, w, i, low, high)

    def keep(self, w, i, begin, end, low, high):
        """The sum of the synapses begin to end onto target i, in as many rounds as weights come to a bound one after the other, and one."""
        for _ in range(end - begin + 1):
            total, free = 0.0, 0.0
            for n in range(begin, end):
                total += abs(w.value[w.into(i, n)])
            for n in range(begin, end):
                value = w.value[w.into(i, n)]
                free += abs(value) if self.has_room(value, total - self.norm, low, high) else 0.0
            if free == 0.0:
                return
            factor, stopped = max(1.0 + (self.norm - total) / free, 0.0), False
            for n in range(begin, end):
                k = w.into(i, n)
                value = w.value[k]
                if self.has_room(value, total - self.norm, low, high):
                    stopped |= value * factor < low or value * factor > high
                    w.value[k] = clip(value * factor, low, high)
            if not stopped:
                return

    def has_room(self, value, excess, low, high):
        """Whether a weight can shrink where there is an excess, or else grow."""
        return value > low if (value > 0.0) == (excess > 0.0) else value < high
