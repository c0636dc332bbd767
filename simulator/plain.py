"""The parts of a projection that names none: no learning, whole weights, no norm."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .protocols import Seconds, bounds_in_order, finite, part, require


class State(NamedTuple):
    """Nothing."""

    nothing: np.ndarray


@part
class Static(NamedTuple):
    """Weights stay as they are.

    w_min -inf, w_max inf    what they must be between at the start
    """

    w_min: float = -math.inf
    w_max: float = math.inf

    def check(self):
        bounds_in_order(self)

    def init(self, n_pre, n_post):
        return State(np.zeros(0))

    def on_pre(self, state, w, j, t):
        pass

    def on_post(self, state, w, i, t):
        pass

    @property
    def pictures(self) -> tuple[str, ...]:
        """None: there is nothing to see."""
        return ()


@part
class Direct(NamedTuple):
    """A spike delivers scale * w_ij.

    scale  1  factor on what is delivered
    """

    scale: float = 1.0

    def check(self, n_pre):
        finite(self, "scale")

    def amount(self, w, j, n):
        return self.scale * w.value[w.out(j, n)]

    def effective(self, weights):
        """The matrix that multiplies the input rates, from weights (..., n_pre)."""
        return self.scale * weights


@part
class Free(NamedTuple):
    """No normalisation: its time never comes.

    every  inf s  how often
    """

    every: Seconds = math.inf

    def check(self):
        require(self.every == math.inf, self, "every", "must be infinite")

    def normalise(self, state, w, i, spikes, low, high):
        pass
