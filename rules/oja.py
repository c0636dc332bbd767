"""Oja's rule: Hebbian learning that keeps the length of the weights by itself."""

from __future__ import annotations

import math
from typing import NamedTuple

from ..simulator.protocols import Seconds, bounds_in_order, clip, part, positive
from .rate_equation import RateEquation
from .rate_means import follow, rate_means


@part
class Oja(NamedTuple):
    """dw_ij/dt = eta Y_i (X_j - Y_i w_ij), X and Y being the deviations of the rates x and y from their means.

    eta    1e-5   learning rate [s]
    tau    100 s  time over which mean rates are taken
    w_min  -inf   hard lower bound (infinite: none)
    w_max  inf    hard upper bound (infinite: none)

    On average, for a linear neuron of gain 1, eta [C w - (w^T C w) w] with C the covariance of the input rates: the weights come to its principal
    eigenvector, at a length of 1 (1 / sqrt(gain) for another gain). The paper's inputs have mean 0, which rates have not.
    Source: Oja 1982, J Math Biol 15:267 [recalled].
    """

    eta: float = 1e-5
    tau: Seconds = 100.0
    w_min: float = -math.inf
    w_max: float = math.inf

    @property
    def local(self) -> bool:
        """It goes by a synapse and its two ends."""
        return True

    def check(self):
        positive(self, "eta", "tau")
        bounds_in_order(self)

    def init_rates(self, n_pre, n_post):
        return rate_means(n_pre, n_post)

    def on_rates(self, state, w, i, x, y, dt):
        if i == 0:
            follow(state, x, y, dt, self.tau)
        out = y[i] - state.y[i]
        gain = self.eta * dt * out
        for n in range(w.n_in(i)):
            j = w.pre(i, n)
            k = w.into(i, n)
            change = gain * (x[j] - state.x[j] - out * w.value[k])
            w.value[k] = clip(w.value[k] + change, self.w_min, self.w_max)

    def averaged(self, w, x, y, covariance, variance):
        """dw_j/dt = eta (cov(x_j, y) - var(y) w_j), for a linear neuron of gain 1 eta [C w - (w^T C w) w] with C the covariance of the input rates.

        Its solution is w(t) = E w / sqrt(1 + |E w|^2 - |w|^2), E = exp(eta C t). Exact for weights that move little while the rates vary and in tau, where
        tau is so long that running means are the means, as long as y is not rectified. Arguments and result as in `rules/rate_equation.py`.
        """
        return self.eta * (covariance - variance * w)

    def learning_equation(self, statistics, neuron, causal):
        return RateEquation(self, statistics, neuron, causal)
