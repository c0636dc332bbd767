"""Normalisation of the weights onto each target at set times: parts that go with any rule.

The bounds w_min and w_max of the rule win over the norm: the loops normalise, and then set weights that are beyond a bound to it. Where that
happens the norm is missed by what was cut off; the weights that have room do not make up for it.
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

    def normalise(self, state, w, i, spikes, low, high):
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

    def normalise(self, state, w, i, spikes, low, high):
        total = 0.0
        for n in range(w.n_in(i)):
            total += w.value[w.into(i, n)] * w.value[w.into(i, n)]
        if total > 0.0:
            for n in range(w.n_in(i)):
                w.value[w.into(i, n)] *= self.norm / math.sqrt(total)
