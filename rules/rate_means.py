"""Running means of input and output rates, from which rules that are born at the rate level count deviations."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..simulator.protocols import helper


class RateMeans(NamedTuple):
    """x (n_pre,), y (n_post,) mean rates [Hz]; seen (1,): how long there have been rates [s]."""

    x: np.ndarray
    y: np.ndarray
    seen: np.ndarray


def rate_means(n_pre: int, n_post: int) -> RateMeans:
    """Of nothing yet."""
    return RateMeans(np.zeros(n_pre), np.zeros(n_post), np.zeros(1))


@helper
def follow(means, x, y, dt, tau):
    """Take in rates x (n_pre,) and y (n_post,) that were held for dt [s]: the mean over all that was so far, later over the last tau [s].

    A deviation from a mean that has its own rate in it is short by a share of dt / tau.
    """
    means.seen[0] += dt
    share = max(dt / means.seen[0], 1.0 - math.exp(-dt / tau))
    for j in range(len(x)):
        means.x[j] += share * (x[j] - means.x[j])
    for i in range(len(y)):
        means.y[i] += share * (y[i] - means.y[i])
