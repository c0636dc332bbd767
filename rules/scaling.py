"""Homeostatic scaling of all weights onto a target by what the target fires: a part that goes with any rule."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..simulator.protocols import Hertz, Seconds, non_negative, part, positive


class State(NamedTuple):
    """rate (n_post,) [Hz], the running average; missing (n_post,): rho_0 less the rate, summed over time; counted (n_post,): spikes by the last time."""

    rate: np.ndarray
    missing: np.ndarray
    counted: np.ndarray


@part
class SynapticScaling(NamedTuple):
    """dw_ij/dt = w_ij [beta (rho_0 - <y_i>) + gamma int (rho_0 - <y_i>) dt], with <y> the output rate averaged over tau, every `every` seconds.

    rho_0  5 Hz    rate at which the target is kept; also the average at the start
    tau    100 s   averaging time
    beta   4e-5    strength of scaling, per spike
    gamma  1e-7    strength of scaling by what has been missing, per spike and second
    every  1 s     how often weights are scaled, by the spikes since the last time

    All weights onto a target are multiplied by one factor, so that their ratios are the rule's. Without gamma the rate comes to rest where scaling and the rule balance;
    with it at rho_0. Weights alone, at a rate in proportion to them and with an average that is fast, go to rho_0 as a logistic curve with the time constant
    1 / (beta rho_0). Hard bounds win.
    Source: van Rossum, Bi & Turrigiano 2000, J Neurosci 20:8812, after Turrigiano et al. 1998, Nature 391:892 [equation and constants recalled; rho_0 chosen here].
    """

    rho_0: Hertz = 5.0
    tau: Seconds = 100.0
    beta: float = 4e-5
    gamma: float = 1e-7
    every: Seconds = 1.0

    def check(self):
        positive(self, "rho_0", "tau", "every")
        non_negative(self, "beta", "gamma")

    def init(self, n_pre, n_post):
        return State(np.full(n_post, float(self.rho_0)), np.zeros(n_post), np.zeros(n_post))

    def normalise(self, state, w, i, spikes, low, high):
        rate = (spikes - state.counted[i]) / self.every
        state.counted[i] = spikes
        state.rate[i] = rate + (state.rate[i] - rate) * math.exp(-self.every / self.tau)
        missing = self.rho_0 - state.rate[i]
        state.missing[i] += missing * self.every
        factor = math.exp((self.beta * missing + self.gamma * state.missing[i]) * self.every)
        for n in range(w.n_in(i)):
            w.value[w.into(i, n)] *= factor
