"""No learning."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..simulator.protocols import part, require


class State(NamedTuple):
    """Nothing."""

    nothing: np.ndarray


@part
class Static(NamedTuple):
    """Weights stay as they are: the rule of a projection that names none.

    w_min -inf, w_max inf    what they must be between at the start
    """

    w_min: float = -math.inf
    w_max: float = math.inf

    def check(self):
        require(self.w_min == self.w_min, self, "w_min", "must be a number")
        require(self.w_max > self.w_min, self, "w_max", f"must be > w_min = {self.w_min:g}")

    def init(self, n_pre, n_post):
        return State(np.zeros(0))

    def on_pre(self, state, w, j, t):
        pass

    def on_post(self, state, w, i, t):
        pass
