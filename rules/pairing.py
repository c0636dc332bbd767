"""Which pairs of spikes count: a spike is paired with later ones of the other side until one comes behind which it is hidden.

Every pairing has `remembers`, whether each synapse keeps a number of its own, and `pres(tau)` and `posts(tau)`: they make what knows which spikes of a
side those of the other are paired with, plain enough that a loop over synapses asks nothing that is the same for all of them. Its hooks are

    in_common(own, other, c, t)      what is common to all synapses when cell c, of side `own`, fires at t
    worth(w, k, other, c, common)    sum of exp(-(t - t') / tau) over the paired spikes t' of cell c, of side `other`, through synapse k
    remember(side, c, t)             a spike of cell c of the side whose spikes are found
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..simulator.protocols import Seconds, SecondsArray, helper, part, require
from .traces import Traces, decay, mark, traces


class Side(NamedTuple):
    """trace (n,): of the spikes that are not hidden by their own side; last (n,) [s], -inf before any."""

    trace: Traces
    last: SecondsArray


class Pairs(NamedTuple):
    """before (n_pre,) and after (n_post,): presynaptic and postsynaptic spikes; pres, posts: what knows which of them a spike is paired with."""

    before: Side
    after: Side
    pres: Any
    posts: Any


def side(n: int) -> Side:
    """No spike yet."""
    return Side(traces(n), np.full(n, -math.inf))


def pairs_of(pairing: Any, tau_plus: float, tau_minus: float, n_pre: int, n_post: int) -> Pairs:
    """No pair yet."""
    return Pairs(side(n_pre), side(n_post), pairing.pres(tau_plus), pairing.posts(tau_minus))


@helper
def leave(side, c, tau, t, alone):
    """A spike of cell c at t; where alone is 1 it hides those before it."""
    mark(side.trace, c, tau, t, alone)
    side.last[c] = t


class Open(NamedTuple):
    """Spikes that the other side does not hide; alone: whether their own does."""

    tau: Seconds
    alone: int

    def in_common(self, own, other, c, t):
        return (decay(other.trace, self.tau, t),)

    def worth(self, w, k, other, c, common):
        return common[0] * other.trace.value[c]

    def remember(self, side, c, t):
        leave(side, c, self.tau, t, self.alone)


class Neighbours(NamedTuple):
    """Spikes that the next one of either side hides; at_once: whether it does at one time with them."""

    tau: Seconds
    at_once: int

    def in_common(self, own, other, c, t):
        last = own.last[c]
        return decay(other.trace, self.tau, t), last if self.at_once == 1 else np.nextafter(last, -math.inf)

    def worth(self, w, k, other, c, common):
        trace = common[0] * other.trace.value[c]  # in any case: a choice is cheaper than a branch that goes either way
        return trace if other.last[c] > common[1] else 0.0

    def remember(self, side, c, t):
        leave(side, c, self.tau, t, 1)


class Rest(NamedTuple):
    """Spikes that the next one of the other side alone hides: each synapse remembers how much of their trace it hid."""

    tau: Seconds

    def in_common(self, own, other, c, t):
        return decay(other.trace, self.tau, t), math.exp((own.last[c] - t) / self.tau)

    def worth(self, w, k, other, c, common):
        trace, seen = common[0] * other.trace.value[c], common[1] * w.memory[k]
        w.memory[k] = trace
        return max(trace - seen, 0.0)

    def remember(self, side, c, t):
        leave(side, c, self.tau, t, 0)


def found(tau: float, by_own: int, by_other: int, at_once: int) -> Open | Neighbours | Rest:
    """What knows the spikes that are hidden by these sides."""
    if not by_other:
        return Open(tau, by_own)
    return Neighbours(tau, at_once) if by_own else Rest(tau)


@part
class Pairing(NamedTuple):
    """A spike is hidden from those that come after the next spike of the sides that are 1; all 0: all-to-all.

    pre_by_pre    0  a presynaptic spike is hidden by the next presynaptic one, from potentiation
    pre_by_post   0  a presynaptic spike is hidden by the next postsynaptic one, once that is potentiated
    post_by_post  0  a postsynaptic spike is hidden by the next postsynaptic one, from depression
    post_by_pre   0  a postsynaptic spike is hidden by the next presynaptic one, once that is depressed

    The schemes that have names are `ALL_TO_ALL`, `NEAREST_SYMMETRIC` (each spike with the last of the other side), `PRESYNAPTIC_CENTRED` (each
    presynaptic spike with the last and the next postsynaptic one) and `REDUCED_SYMMETRIC` (neighbours only).
    Of two spikes at one time the presynaptic is the first.
    Source: Morrison, Diesmann & Gerstner 2008, Biol Cybern 98:459, Sec. 4.1.2 [the schemes as NEST's documentation quotes their Fig. 7].
    """

    pre_by_pre: int = 0
    pre_by_post: int = 0
    post_by_post: int = 0
    post_by_pre: int = 0

    def check(self):
        for field, value in self._asdict().items():
            require(value in (0, 1), self, field, "must be 0 or 1")
        both = self.remembers_pre and self.post_by_pre and not self.post_by_post
        require(
            not both, self, "post_by_pre", "must be 0, or post_by_post 1, where pre_by_post is and pre_by_pre is not"
        )

    @property
    def remembers_pre(self) -> bool:
        """Whether each synapse keeps what was left of its presynaptic spikes when its target fired last."""
        return bool(self.pre_by_post and not self.pre_by_pre)

    @property
    def remembers(self) -> bool:
        """Whether each synapse keeps a number, of one side or the other."""
        return self.remembers_pre or bool(self.post_by_pre and not self.post_by_post)

    def pres(self, tau):
        """What knows the presynaptic spikes that a postsynaptic one is paired with. One that comes at one time with a postsynaptic one comes before it."""
        return found(tau, self.pre_by_pre, self.pre_by_post, at_once=1)

    def posts(self, tau):
        """What knows the postsynaptic spikes that a presynaptic one is paired with."""
        return found(tau, self.post_by_post, self.post_by_pre, at_once=0)

    def hiding(self, x, y):
        """Rates [Hz] at which presynaptic and postsynaptic spikes are hidden, under independent spikes at rates x and y [Hz]."""
        return self.pre_by_pre * x + self.pre_by_post * y, self.post_by_post * y + self.post_by_pre * x


ALL_TO_ALL = Pairing()
NEAREST_SYMMETRIC = Pairing(pre_by_pre=1, post_by_post=1)
PRESYNAPTIC_CENTRED = Pairing(pre_by_post=1, post_by_post=1)
REDUCED_SYMMETRIC = Pairing(1, 1, 1, 1)
