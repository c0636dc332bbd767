"""How a presynaptic spike becomes a change of the postsynaptic potential."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...simulator.protocols import ParameterError, finite, helper, part


@helper
def opponent(w, j):
    """The source at the same place in the other half."""
    half = w.n_pre // 2
    return j + half if j < half else j - half


@part
class PushPull(NamedTuple):
    """Sources come as an ON and an OFF half; a spike delivers scale * (w_ij - w_ik), k the same place in the other half.

    Excitation by a channel comes with inhibition by its opponent of the same place (Hirsch et al. 1998, J Neurosci 18:9517 describe
    push-pull in simple cells), so that the drive is sum (w_on - w_off)(on - off).

    scale  1  factor on what is delivered
    """

    scale: float = 1.0

    def check(self, n_pre):
        finite(self, "scale")
        if n_pre % 2:
            raise ParameterError("PushPull", "n_pre", "must be even: an ON and an OFF half", n_pre)

    def amount(self, w, j, n):
        return self.scale * (w.value[w.out(j, n)] - w.value[w.out(opponent(w, j), n)])

    def settle_others(self, rule, state, w, j, t):
        rule.settle(state, w, opponent(w, j), t)

    def effective(self, weights):
        """The matrix that multiplies the input rates, from weights (..., n_pre)."""
        half = weights.shape[-1] // 2
        return self.scale * (weights - np.roll(weights, half, axis=-1))
