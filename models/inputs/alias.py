"""Alias table: the choice of one of many trains in proportion to its rate, at the cost of one uniform number.

Walker 1977, ACM Trans. Math. Softw. 3:253; built in linear time as in Vose 1991, IEEE Trans. Softw. Eng. 17:972.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...simulator.protocols import helper


class AliasTable(NamedTuple):
    """accept (n,), alias (n,): cell k stands for k with probability accept[k], else for alias[k]; total (1,) of the weights.

    even (1,): 1 where all weights are equal. work (n,) is scratch space, so that a table can be rebuilt during a run without new memory.
    """

    accept: np.ndarray
    alias: np.ndarray
    work: np.ndarray
    total: np.ndarray
    even: np.ndarray


def alias_table(weights: np.ndarray) -> AliasTable:
    """The table of (n,) non-negative weights."""
    n = len(weights)
    table = AliasTable(np.ones(n), np.arange(n), np.zeros(n, np.int64), np.zeros(1), np.zeros(1, np.int64))
    rebuild(table, weights)
    return table


@helper
def rebuild(table, weights):
    """Fill the table anew from n non-negative weights."""
    n = len(table.accept)
    total, even = 0.0, 1
    for k in range(n):
        total += float(weights[k])
        even = even if weights[k] == weights[0] else 0
    table.total[0] = total
    table.even[0] = even
    if total == 0.0:
        return
    # work holds the cells below the mean from the front, the others from the back.
    n_small, n_large = 0, 0
    scale = n / total
    for k in range(n):
        table.accept[k] = float(weights[k]) * scale
        table.alias[k] = k
        if table.accept[k] < 1.0:
            table.work[n_small] = k
            n_small += 1
        else:
            n_large += 1
            table.work[n - n_large] = k
    while n_small > 0 and n_large > 0:
        n_small -= 1
        small, large = table.work[n_small], table.work[n - n_large]
        table.alias[small] = large
        table.accept[large] -= 1.0 - table.accept[small]
        if table.accept[large] < 1.0:
            n_large -= 1
            table.work[n_small] = large
            n_small += 1
    for k in range(n_small):  # only rounding leaves any
        table.accept[table.work[k]] = 1.0


@helper
def pick(table, u):
    """The index that a uniform u in [0, 1) chooses."""
    x = u * len(table.accept)
    k = int(x)
    if table.even[0]:
        return k
    other = table.alias[k]  # read in any case: a choice of two values needs no jump, which would be mispredicted
    return k if x - k < table.accept[k] else other
