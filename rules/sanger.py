"""Sanger's rule: several targets learn the principal components in their order."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..simulator.protocols import Seconds, bounds_in_order, clip, part, positive
from .rate_means import RateMeans, follow, rate_means


class State(NamedTuple):
    """means: of the rates; rest (n_pre,) [Hz]: what the targets before the present one have left of the inputs."""

    means: RateMeans
    rest: np.ndarray


@part
class Sanger(NamedTuple):
    """dw_ij/dt = eta Y_i (X_j - sum over targets l <= i of Y_l w_lj), X and Y being the deviations of the rates x and y from their means.

    eta    1e-5   learning rate [s]
    tau    100 s  time over which mean rates are taken
    w_min  -inf   hard lower bound (infinite: none)
    w_max  inf    hard upper bound (infinite: none)

    Each target learns by Oja's rule from what the ones before it have not explained. For linear neurons of gain 1 the weights of target 0, 1, ... come to the
    eigenvectors of the covariance of the input rates, at length 1, the largest eigenvalue first.
    Source: Sanger 1989, Neural Networks 2:459, the generalised Hebbian algorithm [recalled].
    """

    eta: float = 1e-5
    tau: Seconds = 100.0
    w_min: float = -math.inf
    w_max: float = math.inf

    def check(self):
        positive(self, "eta", "tau")
        bounds_in_order(self)

    def mean_change(self, w, C):
        """(n_post, n_pre) [1/s]: eta [W C - L(W C W^T) W] for weights W and linear neurons of gain 1, the covariance C (n_pre, n_pre) [Hz²] of the input
        rates, L() taking what is on and below the diagonal."""
        seen = w @ C
        return self.eta * (seen - np.tril(seen @ w.T) @ w)

    def init_rates(self, n_pre, n_post):
        return State(rate_means(n_pre, n_post), np.zeros(n_pre))

    def on_rates(self, state, w, i, x, y, dt):
        if i == 0:
            follow(state.means, x, y, dt, self.tau)
            for j in range(len(x)):
                state.rest[j] = x[j] - state.means.x[j]
        out = y[i] - state.means.y[i]
        gain = self.eta * dt * out
        for n in range(w.n_in(i)):
            j = w.pre(i, n)
            k = w.into(i, n)
            state.rest[j] -= out * w.value[k]
            w.value[k] = clip(w.value[k] + gain * state.rest[j], self.w_min, self.w_max)
