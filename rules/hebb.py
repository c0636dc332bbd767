"""Plain Hebbian learning: rates that are high together strengthen their synapse."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..simulator.plain import State
from ..simulator.protocols import bounds_in_order, clip, finite, part
from .rate_equation import LinearRateEquation


@part
class Hebb(NamedTuple):
    """dw_ij/dt = eta x_j y_i, with x_j the rate of the source and y_i that of the target.

    eta    1e-7   learning rate [s]; below 0 anti-Hebbian
    w_min  -inf   hard lower bound (infinite: none)
    w_max  inf    hard upper bound (infinite: none)

    On average eta <x y>, the product of the mean rates and their covariance. Weights grow without end unless bounds or a normalisation hold them; under a
    norm they come to the principal eigenvector of <x x^T>.
    Source: Hebb 1949, The Organization of Behavior, in the form of rates [textbook].
    """

    eta: float = 1e-7
    w_min: float = -math.inf
    w_max: float = math.inf

    @property
    def local(self) -> bool:
        """It goes by a synapse and its two ends."""
        return True

    def check(self):
        finite(self, "eta")
        bounds_in_order(self)

    def init_rates(self, n_pre, n_post):
        return State(np.zeros(0))

    def on_rates(self, state, w, i, x, y, dt):
        gain = self.eta * dt * y[i]
        for n in range(w.n_in(i)):
            k = w.into(i, n)
            w.value[k] = clip(w.value[k] + gain * x[w.pre(i, n)], self.w_min, self.w_max)

    def averaged(self, w, x, y, covariance, variance):
        """dw_j/dt = eta (<x_j> <y> + cov(x_j, y)), with y = y_0 + sum_k w_k x_k the rate of a linear neuron: eta (<x x^T> w + y_0 <x>).

        Linear in the weights, and exact for weights that move little while the rates vary, as long as y is not rectified; hard bounds are kept.
        Arguments and result as in `rules/rate_equation.py`.
        """
        return self.eta * (x * y + covariance)

    def learning_equation(self, statistics, neuron, causal):
        return LinearRateEquation(self, statistics, neuron, causal)
