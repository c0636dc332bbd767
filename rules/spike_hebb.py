"""Spike-based Hebbian learning with a window: the rule of Kempter, Gerstner & van Hemmen."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ..simulator.protocols import Nobody, bounds_in_order, check_held, clip, finite, part, positive, require
from .windows import KempterWindow


@part
class SpikeHebb(NamedTuple):
    """Every spike changes the weight at once, and so does every pair of a pre- and a postsynaptic spike.

    presynaptic spike of j:    w_ij += eta w_in
    postsynaptic spike of i:   w_ij += eta w_out for all j
    every pair (all-to-all):   w_ij += eta W(s),  s = t_pre - t_post

    window  KempterWindow()  the learning window W(s); s < 0 is pre before post
    eta     1e-5             learning rate
    w_in    1                in units of eta
    w_out   -1.0475          in units of eta
    w_min   -inf             hard lower bound (infinite: none)
    w_max   inf              hard upper bound (infinite: none)

    A pair at s = 0 counts in the order in which the engine handles the two spikes: the presynaptic spike first.
    Source: Kempter et al., NIPS 11 (1999), and PRE 59:4498 (1999), Sec. II; parameters Sec. IV-V and App. C [recalled].
    """

    window: Any = KempterWindow()
    eta: float = 1e-5
    w_in: float = 1.0
    w_out: float = -1.0475
    w_min: float = -math.inf
    w_max: float = math.inf

    def check(self):
        require(hasattr(self.window, "from_pre"), self, "window", "must be a learning window")
        check_held(self, "window")
        positive(self, "eta")
        finite(self, "w_in", "w_out")
        bounds_in_order(self)

    def init(self, n_pre, n_post):
        return self.window.init(n_pre, n_post)

    def on_pre(self, state, w, j, t):
        self.relay(state, w, j, t, Nobody(0))

    def relay(self, state, w, j, t, cells):
        scale = self.window.post_scale(state, t)
        for n in range(w.n_out(j)):
            cells.take(w, j, n)
            k = w.out(j, n)
            pairs = self.window.from_post(state, w.post(j, n), t, scale)
            w.value[k] = clip(w.value[k] + self.eta * (self.w_in + pairs), self.w_min, self.w_max)
        self.window.add_pre(state, j, t)

    def on_post(self, state, w, i, t):
        scale = self.window.pre_scale(state, t)
        for n in range(w.n_in(i)):
            k = w.into(i, n)
            pairs = self.window.from_pre(state, w.pre(i, n), t, scale)
            w.value[k] = clip(w.value[k] + self.eta * (self.w_out + pairs), self.w_min, self.w_max)
        self.window.add_post(state, i, t)

    @property
    def pairs(self):
        """Itself: what other rules of pairs are in its terms."""
        return self

    def pair_change(self, s, value):
        """What a pair at s = t_pre - t_post [s] changes alone, its spikes included; at any weight."""
        return self.eta * (self.w_in + self.w_out + self.window.value(s))

    def learning_equation(self, statistics, neuron, causal):
        """The averaged rule, see `rules/reduction.py`."""
        from .reduction import LearningEquation

        return LearningEquation.of_pairs(self, statistics, neuron, causal)
