"""Normalisation of the weights onto each target at set times: parts that go with any rule.

The bounds w_min and w_max of the rule win over the norm: the loops normalise, and then set weights that are beyond a bound to it. Where that
happens the norm is missed by what was cut off; the weights that have room do not make up for it, as those of `constraints.py` do.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..simulator.protocols import Seconds, helper, part, positive
from .groups import ONE_GROUP, check_groups, end_of_group, keep_groups


@helper
def length(w, i, begin, end):
    """The Euclidean length of the synapses begin to end onto target i."""
    total = 0.0
    for n in range(begin, end):
        total += w.value[w.into(i, n)] * w.value[w.into(i, n)]
    return math.sqrt(total)


@helper
def set_length(w, i, begin, end, norm):
    """Synapses begin to end onto target i at this Euclidean length, if they are not all 0."""
    was = length(w, i, begin, end)
    if was > 0.0:
        for n in range(begin, end):
            w.value[w.into(i, n)] *= norm / was


@part
class L1(NamedTuple):
    """w_i := w_i * norm / sum_j |w_ij|, every `every` seconds (Miller & MacKay 1994, Neural Comput 6:100: multiplicative constraint [recalled]).

    norm    1      the sum that is kept onto each target, from each group of sources
    every   0.5 s  how often
    groups  []     sources at which a further group begins, ascending; none: all are one group
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
        """The norm of the synapses begin to end onto target i, whatever the bounds."""
        total = 0.0
        for n in range(begin, end):
            total += abs(w.value[w.into(i, n)])
        if total > 0.0:
            for n in range(begin, end):
                w.value[w.into(i, n)] *= self.norm / total


@part
class L2(NamedTuple):
    """w_i := w_i * norm / sqrt(sum_j w_ij^2), every `every` seconds.

    norm    1      the Euclidean length that is kept onto each target, from each group of sources
    every   0.5 s  how often
    groups  []     sources at which a further group begins, ascending; none: all are one group
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
        """The norm of the synapses begin to end onto target i, whatever the bounds."""
        set_length(w, i, begin, end, self.norm)


@part
class EqualNorms(NamedTuple):
    """w_i := w_i * L_i / sqrt(sum_j w_ij^2) of each group of sources by itself, every `every` seconds, with L_i^2 the mean of these sums.

    every   20 s  how often
    groups  []    sources at which a further group begins, ascending; none: all are one group, which stays as it is

    No group outweighs the others, as ON and OFF inputs of a cell; how strong all are together is the rule's. A group whose weights are all 0 stays so and does not count.
    Source: Clopath, Buesing, Vasilaki & Gerstner 2010, Nat Neurosci 13:344, as in Larisch 2019, who scale one of two groups to the other's norm.
    """

    every: Seconds = 20.0
    groups: np.ndarray = ONE_GROUP

    def check(self):
        positive(self, "every")
        check_groups(self)

    def normalise(self, state, w, i, spikes, low, high):
        n_groups, n_alive, end = len(self.groups) + 1, 0, 0
        for g in range(n_groups):
            begin, end = end, end_of_group(self.groups, w, i, g, end)
            n_alive += length(w, i, begin, end) > 0.0
        norm, end = length(w, i, 0, end) / math.sqrt(max(n_alive, 1)), 0
        for g in range(n_groups):
            begin, end = end, end_of_group(self.groups, w, i, g, end)
            set_length(w, i, begin, end, norm)
