"""Norms of the weights onto a target from each group of sources by itself: what the parts that keep one have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..simulator.protocols import helper, require

ONE_GROUP = np.zeros(0, np.int64)


@helper
def keep_groups(norm, w, i, low, high):
    """The norm of the synapses onto target i from each group."""
    end = 0
    for g in range(len(norm.groups) + 1):
        begin, end = end, end_of_group(norm.groups, w, i, g, end)
        norm.keep(w, i, begin, end, low, high)


@helper
def end_of_group(groups, w, i, g, begin):
    """Where the synapses onto target i from group g end; they are in the order of their sources."""
    end = begin
    while end < w.n_in(i) and (g == len(groups) or w.pre(i, end) < groups[g]):
        end += 1
    return end


def check_groups(norm: Any) -> None:
    """Raise what is wrong with the sources at which groups begin."""
    groups = np.asarray(norm.groups)
    whole = groups.ndim == 1 and (groups == np.floor(groups)).all()
    ascending = whole and (np.diff(groups, prepend=0) > 0).all()
    require(ascending, norm, "groups", "must be numbers of sources from 1 on, each larger than the one before")
