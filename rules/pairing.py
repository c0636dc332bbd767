"""Which pairs of spikes count: a spike is paired with later ones of the other side until one comes behind which it is hidden."""

from __future__ import annotations

from typing import NamedTuple

from ..simulator.protocols import part, require
from .traces import mark


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

    def pres(self, state, w, k, i, j, factor, since):
        """Sum of exp(-(t - t_pre) / tau_plus) over the spikes of source j that a spike of target i is paired with, through synapse k.

        factor: of the traces now; since: of a trace since target i fired last.
        """
        trace = state.before.value[j] * factor
        if self.pre_by_post == 0:
            return trace
        if self.pre_by_pre == 1:
            return trace if state.last_pre[j] > state.last_post[i] else 0.0
        seen = w.memory[k] * since
        w.memory[k] = trace
        return max(trace - seen, 0.0)

    def posts(self, state, w, k, i, j, factor, since):
        """Sum of exp(-(t - t_post) / tau_minus) over the spikes of target i that a spike of source j is paired with; likewise."""
        trace = state.after.value[i] * factor
        if self.post_by_pre == 0:
            return trace
        if self.post_by_post == 1:
            return trace if state.last_post[i] >= state.last_pre[j] else 0.0
        seen = w.memory[k] * since
        w.memory[k] = trace
        return max(trace - seen, 0.0)

    def pre_spike(self, state, j, tau, t):
        """Remember a spike of source j."""
        mark(state.before, j, tau, t, self.pre_by_pre)
        state.last_pre[j] = t

    def post_spike(self, state, i, tau, t):
        """Remember a spike of target i."""
        mark(state.after, i, tau, t, self.post_by_post)
        state.last_post[i] = t

    def hiding(self, x, y):
        """Rates [Hz] at which presynaptic and postsynaptic spikes are hidden, under independent spikes at rates x and y [Hz]."""
        return self.pre_by_pre * x + self.pre_by_post * y, self.post_by_post * y + self.post_by_pre * x


ALL_TO_ALL = Pairing()
NEAREST_SYMMETRIC = Pairing(pre_by_pre=1, post_by_post=1)
PRESYNAPTIC_CENTRED = Pairing(pre_by_post=1, post_by_post=1)
REDUCED_SYMMETRIC = Pairing(1, 1, 1, 1)
