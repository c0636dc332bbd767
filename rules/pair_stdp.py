"""Additive pair STDP, all-to-all, with potentiation kept back until somebody reads the weight."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..simulator.protocols import Seconds, SecondsArray, bounds_in_order, non_negative, part, positive
from .traces import Growth, grow, growth, start_again

SHORT = 10.0  # time constants of potentiation in which sums of exp(-t / tau) lose no more than 5 digits
LONG = 75.0  # of depression: sums of exp(75) are far from overflow in single precision, too


class State(NamedTuple):
    """Sums over the spikes since the origin, when all of them were rescaled.

    before (n_pre): of exp(lag / tau_plus); gained (n_post): of exp(-lag / tau_plus); after (n_post): of exp(lag / tau_minus)
    origin (1,) [s]; plus, minus: exp(lag / tau_plus) and exp(lag / tau_minus) at the time that is now
    """

    before: np.ndarray
    gained: np.ndarray
    after: np.ndarray
    origin: SecondsArray
    plus: Growth
    minus: Growth


@part
class PairSTDP(NamedTuple):
    """Each pair of a pre- and a postsynaptic spike changes the weight by an amount that depends on their distance alone.

    postsynaptic spike of i:   w_ij += eta A_plus  sum over earlier spikes of j of exp(-(t - t_j) / tau_plus)
    presynaptic spike of j:    w_ij -= eta A_minus sum over earlier spikes of i of exp(-(t - t_i) / tau_minus)

    A_plus     5e-3     potentiation of a pair at distance 0, >= 0
    A_minus    5.25e-3  depression of a pair at distance 0, >= 0
    tau_plus   20 ms    width of potentiation
    tau_minus  20 ms    width of depression
    eta        1        learning rate on both amplitudes
    w_min 0, w_max 1    hard bounds

    All-to-all: every pair counts; of two spikes at one time the presynaptic is the first. Between two spikes of a source its synapses are
    only potentiated, by `before` times what `gained` has grown; that is applied, bound and all, at the second, so that a postsynaptic spike costs
    the same however many synapses it has.
    Source: Song, Miller & Abbott 2000, Nat Neurosci 3:919 [recalled].
    """

    A_plus: float = 5e-3
    A_minus: float = 5.25e-3
    tau_plus: Seconds = 20e-3
    tau_minus: Seconds = 20e-3
    eta: float = 1.0
    w_min: float = 0.0
    w_max: float = 1.0

    def check(self):
        non_negative(self, "A_plus", "A_minus", "eta")
        positive(self, "tau_plus", "tau_minus")
        bounds_in_order(self)

    def init(self, n_pre, n_post):
        return State(np.zeros(n_pre), np.zeros(n_post), np.zeros(n_post), np.zeros(1), growth(), growth())

    def advance(self, state, w, t):
        lag = t - state.origin[0]
        if lag < min(SHORT * self.tau_plus, LONG * self.tau_minus):
            grow(state.plus, lag, self.tau_plus, t)
            if self.tau_plus == self.tau_minus:
                state.minus.value[0] = state.plus.value[0]
            else:
                grow(state.minus, lag, self.tau_minus, t)
            return
        for j in range(w.n_pre):
            self.settle(state, w, j, t)
        w.memory[:] = 0.0
        for j in range(len(state.before)):
            state.before[j] *= math.exp(-lag / self.tau_plus)
        for i in range(len(state.gained)):
            state.gained[i] = 0.0
            state.after[i] *= math.exp(-lag / self.tau_minus)
        state.origin[0] = t
        start_again(state.plus)
        start_again(state.minus)

    def settle(self, state, w, j, t):
        rate = self.eta * self.A_plus * state.before[j]
        for n in range(w.n_out(j)):
            k, gained = w.out(j, n), state.gained[w.post(j, n)]
            w.value[k] = min(w.value[k] + rate * (gained - w.memory[k]), self.w_max)
            w.memory[k] = gained

    def on_pre(self, state, w, j, t):
        loss = self.eta * self.A_minus / state.minus.value[0]
        for n in range(w.n_out(j)):
            k = w.out(j, n)
            w.value[k] = max(w.value[k] - loss * state.after[w.post(j, n)], self.w_min)
        state.before[j] += state.plus.value[0]

    def relay(self, state, w, j, t, cells):
        rate = self.eta * self.A_plus * state.before[j]
        loss = self.eta * self.A_minus / state.minus.value[0]
        for n in range(w.n_out(j)):
            k, i = w.out(j, n), w.post(j, n)
            gained = state.gained[i]
            w.value[k] = min(w.value[k] + rate * (gained - w.memory[k]), self.w_max)
            cells.take(w, j, n)
            w.value[k] = max(w.value[k] - loss * state.after[i], self.w_min)
            w.memory[k] = gained
        state.before[j] += state.plus.value[0]

    def on_post(self, state, w, i, t):
        state.gained[i] += 1.0 / state.plus.value[0]
        state.after[i] += state.minus.value[0]

    def drift(self, x, y, dt=0.0):
        """Change of a weight per second for independent trains of rates x (pre) and y (post) [Hz].

        In steps of dt [s] spikes of one step are potentiation, half of which would else be depression.
        """
        gain = dt / -math.expm1(-dt / self.tau_plus) if dt > 0.0 else self.tau_plus
        loss = dt / math.expm1(dt / self.tau_minus) if dt > 0.0 else self.tau_minus
        return self.eta * (self.A_plus * gain - self.A_minus * loss) * x * y

    @property
    def window(self):
        """What a pair changes by its distance, in units of eta."""
        from .windows import DoubleExponential

        return DoubleExponential(self.A_plus, self.A_minus, self.tau_plus, self.tau_minus)

    def pair_change(self, s, value):
        """What a pair at s = t_pre - t_post [s] changes alone, at any weight."""
        return self.eta * self.window.value(s)

    @property
    def pairs(self):
        """The same pairs in a window of two exponentials."""
        from .spike_hebb import SpikeHebb

        return SpikeHebb(self.window, self.eta, 0.0, 0.0, self.w_min, self.w_max)

    def learning_equation(self, statistics, neuron, causal):
        """That of the same pairs in a window."""
        return self.pairs.learning_equation(statistics, neuron, causal)
