"""Linsker's rule: what becomes of correlated inputs whose synapses are limited."""

from __future__ import annotations

from typing import NamedTuple

from ..simulator.protocols import Seconds, bounds_in_order, clip, finite, part, positive
from .rate_equation import LinearRateEquation
from .rate_means import follow, rate_means
from .totals import total_onto


@part
class Linsker(NamedTuple):
    """dw_ij/dt = k1 + (1/n) sum over j' of (Q_jj' + k2) w_ij', with Q = eta cov(x_j, x_j') and n the synapses onto a target.

    k1     0.45e-3  growth of every weight [1/s]
    k2     -3e-3    what the others add to it for their mean weight [1/s]
    eta    1e-4     learning rate of the covariance [s]: Q = 1e-3 /s for a variance of 10 Hz²
    tau    100 s    time over which mean rates are taken
    w_min  -0.5     hard lower bound
    w_max  0.5      hard upper bound

    At given rates Q w is eta (x_j - <x_j>) (y_i - <y_i>), which is the same on average for a linear neuron of gain 1. Where k2 outweighs Q the mean weight
    comes to -k1 / k2, by weights at both bounds. The defaults have Linsker's proportions k1 : k2 : Q(0) = 0.45 : -3 : 1 of cells that become
    centre-surround. MacKay & Miller write k1 and k2 n of these, without the factor 1/n.
    Source: Linsker 1986, PNAS 83:7508 and 8390; MacKay & Miller 1990, Network 1:257 [parameters recalled].
    """

    k1: float = 0.45e-3
    k2: float = -3e-3
    eta: float = 1e-4
    tau: Seconds = 100.0
    w_min: float = -0.5
    w_max: float = 0.5

    def check(self):
        finite(self, "k1", "k2", "eta")
        positive(self, "tau")
        bounds_in_order(self)

    @property
    def forms(self):
        """What the catalogue of rules shows: correlations that have a say in the time in which the mean weight comes to rest."""
        return {"course": {"": {"eta": 1e-3}}}

    def slowed(self, factor):
        """The same rule, slower by this factor in all that it does."""
        return self._replace(k1=self.k1 * factor, k2=self.k2 * factor, eta=self.eta * factor)

    def init_rates(self, n_pre, n_post):
        return rate_means(n_pre, n_post)

    def on_rates(self, state, w, i, x, y, dt):
        if i == 0:
            follow(state, x, y, dt, self.tau)
        n_in = w.n_in(i)
        common = dt * (self.k1 + self.k2 * total_onto(w, i) / n_in)
        gain = self.eta * dt * (y[i] - state.y[i]) / n_in
        for n in range(n_in):
            j = w.pre(i, n)
            k = w.into(i, n)
            w.value[k] = clip(w.value[k] + common + gain * (x[j] - state.x[j]), self.w_min, self.w_max)

    def averaged(self, w, x, y, covariance, variance):
        """dw_j/dt = k1 + k2 <w> + eta cov(x_j, y) / n, for a linear neuron k1 + (1/n) sum over k of (eta C_jk + k2) w_k, C the covariance of the input rates.

        Linear in the weights between the limits, where they stop. Exact for weights that move little while the rates vary and in tau, where tau is so long
        that running means are the means, as long as y is not rectified. Arguments and result as in `rules/rate_equation.py`.
        """
        return self.k1 + self.k2 * w.mean(axis=-1, keepdims=True) + self.eta * covariance / w.shape[-1]

    def learning_equation(self, statistics, neuron, causal):
        return LinearRateEquation(self, statistics, neuron, causal)
