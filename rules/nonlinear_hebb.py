"""Nonlinear Hebbian learning: the change is any function of the output rate."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..simulator.plain import State
from ..simulator.protocols import bounds_in_order, check_held, clip, finite, part, require
from .nonlinearity import Linear, NearestPairs, RectifiedPower


@part
class NonlinearHebb(NamedTuple):
    """dw_ij/dt = eta x_j f(y_i), for any function f of the output rate; y = g(w x) is the neuron's f-I curve g.

    eta    1e-9   learning rate, in the unit of 1 / (x f)
    nonlinearity  f: RectifiedPower, Linear, NearestPairs, or any part with a method of_rate(y)
    w_min  -inf   hard lower bound (infinite: none)
    w_max  inf    hard upper bound (infinite: none)

    Under a norm it climbs to where <F(w x)> is largest, F being the integral of f(g): to directions in which the inputs are sparse, if f(g) is
    steeper than linear. On whitened inputs a linear f sees nothing.
    Source: Brito & Gerstner 2016, PLoS Comput Biol 12:e1005070 [recalled].
    """

    eta: float = 1e-9
    nonlinearity: Any = RectifiedPower()
    w_min: float = -math.inf
    w_max: float = math.inf

    @property
    def local(self) -> bool:
        """It goes by a synapse and its two ends."""
        return True

    def check(self):
        finite(self, "eta")
        require(hasattr(self.nonlinearity, "of_rate"), self, "nonlinearity", "must be a nonlinearity part")
        check_held(self, "nonlinearity")
        bounds_in_order(self)

    @property
    def forms(self):
        """What the catalogue of rules shows side by side, of like size."""
        shown = {
            "linear": Linear(10.0),
            "rectified": RectifiedPower(10.0, 1.0),
            "nearest pairs": NearestPairs(1030.0, 510.0),
        }
        return {"rates": {name: {"nonlinearity": each} for name, each in shown.items()}}

    def init_rates(self, n_pre, n_post):
        return State(np.zeros(0))

    def on_rates(self, state, w, i, x, y, dt):
        gain = self.eta * dt * self.nonlinearity.of_rate(y[i])
        for n in range(w.n_in(i)):
            k = w.into(i, n)
            w.value[k] = clip(w.value[k] + gain * x[w.pre(i, n)], self.w_min, self.w_max)

    def drift(self, x, y):
        """Change of a weight per second at rates x and y [Hz]; arrays will do."""
        return self.eta * x * np.vectorize(self.nonlinearity.of_rate, otypes=[float])(y)
