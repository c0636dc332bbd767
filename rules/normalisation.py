"""Normalisation of the weights onto each target at set times: parts that go with any rule.

A norm is kept as it is asked for: where it calls for weights beyond a rule's w_max, they stay there until the rule next changes them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..simulator.protocols import Seconds, part, positive


@part
class L1(NamedTuple):
    """w_i := w_i * norm / sum_j |w_ij|, every `every` seconds (Miller & MacKay 1994, Neural Comput 6:100: multiplicative constraint [recalled]).

    norm   1       the sum that is kept
    every  0.5 s   how often
    """

    norm: float = 1.0
    every: Seconds = 0.5

    def check(self):
        positive(self, "norm", "every")

    def normalise(self, w, i):
        total = 0.0
        for n in range(w.n_in(i)):
            total += abs(w.value[w.into(i, n)])
        if total > 0.0:
            for n in range(w.n_in(i)):
                w.value[w.into(i, n)] *= self.norm / total


@part
class L2(NamedTuple):
    """w_i := w_i * norm / sqrt(sum_j w_ij^2), every `every` seconds.

    norm   1       the Euclidean length that is kept
    every  0.5 s   how often
    """

    norm: float = 1.0
    every: Seconds = 0.5

    def check(self):
        positive(self, "norm", "every")

    def normalise(self, w, i):
        total = 0.0
        for n in range(w.n_in(i)):
            total += w.value[w.into(i, n)] * w.value[w.into(i, n)]
        if total > 0.0:
            for n in range(w.n_in(i)):
                w.value[w.into(i, n)] *= self.norm / math.sqrt(total)
