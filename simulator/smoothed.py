"""Rules of rates where there are spikes: they see every train smoothed.

To such a rule the rate of a cell is x(t) = sum over its spikes t_k before t of exp(-(t - t_k) / smoothing) / smoothing, which covers as many spikes as
there are. The time is cut into holds, HOLDS in a smoothing time. Once a hold is over, the rule sees the rates of both ends as they are then, and learns as if they had been so
for all of it: before the next spike is delivered, and before anybody else reads or sets weights.

As any hold begins anywhere in a train that is stationary, it is right on average that rates are looked at once in a hold: rules of products of two rates
learn on average as a rule of spikes with the window exp(-|s| / smoothing) / (2 smoothing), of pairs in either order [derived]: int x(t) y(t) dt of one spike of each
side, s apart, is this number.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .protocols import HertzArray, Seconds, is_rate_rule, require_hooks

HOLDS = 5  # in a smoothing time: the mean of x y over their ends varies by (1/5) coth(1/5), 1.3 %, more than that over all times
FAINT = 1e-30  # Hz: rates below are none, so that they do not become denormal numbers, which are slow


class State(NamedTuple):
    """own: of the rule; x (n_pre,), y (n_post,): rates at the end of the present hold, by the spikes so far; holds (1,): how many are over."""

    own: Any
    x: HertzArray
    y: HertzArray
    holds: np.ndarray


class Smoothed(NamedTuple):
    """A rule of spikes, made of one of rates."""

    rule: Any
    smoothing: Seconds

    def check(self):
        """Nothing: the rule is checked by itself, the time by the projection that has it."""

    def init(self, n_pre, n_post):
        return State(self.rule.init_rates(n_pre, n_post), np.zeros(n_pre), np.zeros(n_post), np.zeros(1, np.int64))

    def advance(self, state, w, t):
        hold = self.smoothing / HOLDS
        while self.end_of_hold(state) <= t:
            for i in range(w.n_post):
                self.rule.on_rates(state.own, w, i, state.x, state.y, hold)
            self.fade(state.x)
            self.fade(state.y)
            state.holds[0] += 1

    def fade(self, rates):
        """Take rates from the end of one hold to that of the next."""
        left = math.exp(-1.0 / HOLDS)
        for k in range(len(rates)):
            rates[k] = left * rates[k] if rates[k] > FAINT else 0.0

    def on_pre(self, state, w, j, t):
        state.x[j] += self.at_the_end(state, t)

    def on_post(self, state, w, i, t):
        state.y[i] += self.at_the_end(state, t)

    def at_the_end(self, state, t):
        """What a spike at t in the present hold adds to its cell's rate at the end of it [Hz]."""
        return math.exp((t - self.end_of_hold(state)) / self.smoothing) / self.smoothing

    def end_of_hold(self, state):
        """When the present hold is over [s]."""
        return (state.holds[0] + 1) * (self.smoothing / HOLDS)


def of_spikes(rule: Any, smoothing: float) -> Any:
    """What learns from spikes: the rule, or one of rates that sees trains smoothed over so many seconds."""
    if not is_rate_rule(rule):
        return rule
    found = Smoothed(rule, smoothing)
    require_hooks(found, "rule")
    return found
