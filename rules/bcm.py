"""The rule of Bienenstock, Cooper & Munro: depression below and potentiation above a threshold that slides with the output."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ..simulator.protocols import (
    Hertz,
    bounds_in_order,
    check_held,
    clip,
    finite,
    part,
    positive,
    require,
    require_methods,
    sees_potentials,
)
from .threshold import FixedThreshold, MeanSquareThreshold


@part
class BCM(NamedTuple):
    """dw_ij/dt = eta x_j y_i (y_i - theta_i), the threshold theta_i = theta scale_i following the target's own past output.

    eta    1e-9   learning rate [s²]
    theta  10 Hz  threshold where the scale is 1
    threshold     how the scale slides: MeanSquareThreshold: <y²> / rho_0²; SlidingThreshold: (<y> / rho_0)^p, p > 1; FixedThreshold: not
    w_min  -inf   hard lower bound (infinite: none)
    w_max  inf    hard upper bound (infinite: none)

    With theta = rho_0 and MeanSquareThreshold it is theta = <y²> / rho_0; with SlidingThreshold and p = q + 1 it is the power form of 1982,
    theta = <y> (<y> / rho_0)^q. Of K patterns that are shown equally often and are linearly independent, a target comes to answer one, by K rho_0
    (power form: K^(1 + 1/q) rho_0), and no other [derived], where thresholds slide faster than weights and average over many presentations.
    Source: Bienenstock, Cooper & Munro 1982, J Neurosci 2:32 (power form); Intrator & Cooper 1992, Neural Networks 5:3 (<y²>) [both recalled].
    """

    eta: float = 1e-9
    theta: Hertz = 10.0
    threshold: Any = MeanSquareThreshold()
    w_min: float = -math.inf
    w_max: float = math.inf

    @property
    def local(self) -> bool:
        """It goes by a synapse and its two ends."""
        return True

    def check(self):
        finite(self, "eta")
        positive(self, "theta")
        bounds_in_order(self)
        require(hasattr(self.threshold, "depression"), self, "threshold", "must be a threshold part")
        check_held(self, "threshold")
        require(
            not sees_potentials(self.threshold), self, "threshold", "must slide with rates: this rule sees no potential"
        )
        require_methods(self.threshold, "rates", "mean_depression", "settled")

    @property
    def forms(self):
        """What the catalogue of rules shows side by side."""
        return {"rates": {"threshold stays": {"threshold": FixedThreshold()}, "threshold slides": {}}}

    def init_rates(self, n_pre, n_post):
        return self.threshold.init(n_post)

    def on_rates(self, state, w, i, x, y, dt):
        theta = self.theta * self.threshold.mean_depression(state, i, y[i], dt)
        gain = self.eta * dt * y[i] * (y[i] - theta)
        for n in range(w.n_in(i)):
            k = w.into(i, n)
            w.value[k] = clip(w.value[k] + gain * x[w.pre(i, n)], self.w_min, self.w_max)

    def drift(self, x, y):
        """Change of a weight per second at rates x and y [Hz] that have been there for long; arrays will do."""
        return self.eta * x * y * (y - self.theta * self.threshold.settled(y))
