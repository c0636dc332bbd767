"""The covariance rule: Hebbian learning of deviations from mean rates."""

from __future__ import annotations

import math
from typing import NamedTuple

from ..simulator.protocols import Seconds, bounds_in_order, clip, finite, part, positive
from .rate_equation import LinearRateEquation
from .rate_means import follow, rate_means


@part
class Covariance(NamedTuple):
    """dw_ij/dt = eta (x_j - <x_j>) (y_i - <y_i>): rates that deviate to the same side strengthen their synapse, others weaken it.

    eta    1e-7   learning rate [s]; below 0 anti-Hebbian
    tau    100 s  time over which mean rates are taken
    w_min  -inf   hard lower bound (infinite: none)
    w_max  inf    hard upper bound (infinite: none)

    On average eta cov(x_j, y_i), for a linear neuron eta C w_i with C the covariance of the input rates. Weights grow without end unless bounds or a
    normalisation hold them.
    Source: Sejnowski 1977, J Math Biol 4:303 [recalled].
    """

    eta: float = 1e-7
    tau: Seconds = 100.0
    w_min: float = -math.inf
    w_max: float = math.inf

    @property
    def local(self) -> bool:
        """It goes by a synapse and its two ends."""
        return True

    def check(self):
        finite(self, "eta")
        positive(self, "tau")
        bounds_in_order(self)

    def init_rates(self, n_pre, n_post):
        return rate_means(n_pre, n_post)

    def on_rates(self, state, w, i, x, y, dt):
        if i == 0:
            follow(state, x, y, dt, self.tau)
        gain = self.eta * dt * (y[i] - state.y[i])
        for n in range(w.n_in(i)):
            j = w.pre(i, n)
            k = w.into(i, n)
            w.value[k] = clip(w.value[k] + gain * (x[j] - state.x[j]), self.w_min, self.w_max)

    def averaged(self, w, x, y, covariance, variance):
        """dw_j/dt = eta cov(x_j, y), for a linear neuron eta C w with C the covariance of the input rates: modes grow by eta times their variance.

        Linear in the weights, and exact for weights that move little while the rates vary and in tau, where tau is so long that running means are the
        means, as long as y is not rectified; hard bounds are kept. Arguments and result as in `rules/rate_equation.py`.
        """
        return self.eta * covariance

    def learning_equation(self, statistics, neuron, causal):
        return LinearRateEquation(self, statistics, neuron, causal)
