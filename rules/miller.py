"""Miller's correlation rule: cells that talk to each other share out the inputs of their arbors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..simulator.protocols import Seconds, clip, finite, part, positive, require, within
from .rate_means import RateMeans, follow, rate_means
from .totals import total


class State(NamedTuple):
    """means: of the rates; arbor (n_post, n_pre); interaction (n_post, n_post); kept (n_post,): sum of weights that is, nan before the first hold.

    free, grown (n_pre,): scratch for the weights onto one target: A_ij of those that are at no limit, 0 of others, and what they would be without c_i
    """

    means: RateMeans
    arbor: np.ndarray
    interaction: np.ndarray
    kept: np.ndarray
    free: np.ndarray
    grown: np.ndarray


@part
class Miller(NamedTuple):
    """dw_ij/dt = A_ij [eta (sum over targets k of I_ik Y_k) X_j - c_i], X and Y being the deviations of the rates x and y from their means.

    arbor        1      A_ij in [0, 1]: one number, or for each target and source (n_post, n_pre)
    interaction  1      I_ik, what target k adds to the activity of target i (n_post, n_post); a number: of each target with itself alone
    eta          1e-5   learning rate [s]
    tau          100 s  time over which mean rates are taken
    w_min        0      lower limit of a weight, in units of its A_ij, <= 0
    w_max        1      upper limit of a weight, in units of its A_ij

    The subtractive c_i keeps the sum of the weights onto each target as it is at the start. A weight that comes to a limit is frozen there; the sum is kept by
    the others. Weights that start beyond a limit are set to it first: where the arbor is 0 there is no synapse.
    The difference D between two kinds of input, as left and right eye or ON and OFF, grows on average, for linear neurons, by
    eta A_ij sum over k, j' of I_ik C_jj' D_kj', with C their covariance within a kind less that between the kinds.
    Source: Miller, Keller & Stryker 1989, Science 245:605; Miller 1994, J Neurosci 14:409 [both recalled].
    """

    arbor: float | np.ndarray = 1.0
    interaction: float | np.ndarray = 1.0
    eta: float = 1e-5
    tau: Seconds = 100.0
    w_min: float = 0.0
    w_max: float = 1.0

    def check(self):
        within(self, "arbor", 0.0, 1.0)
        finite(self, "interaction", "eta", "w_min")
        positive(self, "tau", "w_max")
        require(self.w_min <= 0.0, self, "w_min", "must be <= 0, where there is no synapse")

    @property
    def forms(self):
        """What the catalogue of rules shows: two targets that excite each other."""
        return {"course": {"": {"interaction": np.array([[1.0, 0.5], [0.5, 1.0]])}}}

    def mean_change(self, w, C):
        """(n_post, n_pre) [1/s]: A [eta I W C - c] for weights W and linear neurons of gain 1, the covariance C (n_pre, n_pre) [Hz²] of the input rates,
        c keeping the sum onto each target; of weights that are not at a limit."""
        arbor = np.broadcast_to(self.arbor, w.shape)
        free = arbor * ((w != self.w_min * arbor) & (w != self.w_max * arbor))
        grown = self.eta * (self.interaction @ w if np.ndim(self.interaction) else self.interaction * w) @ C
        kept = (free * grown).sum(axis=1) / np.maximum(free.sum(axis=1), np.finfo(float).tiny)
        return free * (grown - kept[:, None])

    def init_rates(self, n_pre, n_post):
        for field, n in (("arbor", n_pre), ("interaction", n_post)):
            fits = np.shape(getattr(self, field)) in ((), (n_post, n))
            require(fits, self, field, f"must be a number or {n_post} x {n} numbers")
        arbor = np.broadcast_to(np.asarray(self.arbor, float), (n_post, n_pre)).copy()
        alone = np.eye(n_post) if np.ndim(self.interaction) == 0 else np.ones((n_post, n_post))
        kept, scratch = np.full(n_post, np.nan), np.zeros((2, n_pre))
        return State(rate_means(n_pre, n_post), arbor, self.interaction * alone, kept, *scratch)

    def on_rates(self, state, w, i, x, y, dt):
        if i == 0:
            follow(state.means, x, y, dt, self.tau)
        if state.kept[i] != state.kept[i]:
            state.kept[i] = self.within_limits(state, w, i)
        activity = 0.0
        for k in range(len(y)):
            activity += state.interaction[i, k] * (y[k] - state.means.y[k])
        gain, n_in = self.eta * dt * activity, w.n_in(i)
        # loops of few arrays each, which are compiled for several synapses at a time
        for n in range(n_in):
            A, value = state.arbor[i, w.pre(i, n)], w.value[w.into(i, n)]
            state.free[np.uintp(n)] = A if (self.w_min * A < value) & (value < self.w_max * A) else 0.0
        for n in range(n_in):
            j, value = w.pre(i, n), w.value[w.into(i, n)]
            state.grown[np.uintp(n)] = value + gain * state.free[np.uintp(n)] * (x[j] - state.means.x[j])
        room = total(state.free, n_in)
        share = (total(state.grown, n_in) - state.kept[i]) / room if room > 0.0 else 0.0
        for n in range(n_in):
            A, free = state.arbor[i, w.pre(i, n)], state.free[np.uintp(n)]
            w.value[w.into(i, n)] = clip(state.grown[np.uintp(n)] - share * free, self.w_min * A, self.w_max * A)

    def within_limits(self, state, w, i):
        """Set the weights onto target i to within their limits; returns their sum."""
        kept = 0.0
        for n in range(w.n_in(i)):
            k = w.into(i, n)
            A = state.arbor[i, w.pre(i, n)]
            w.value[k] = clip(w.value[k], self.w_min * A, self.w_max * A)
            kept += w.value[k]
        return kept
