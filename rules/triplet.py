"""The triplet rule of Pfister & Gerstner, minimal or full, all-to-all."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..simulator.protocols import (
    HebbscopeError,
    Seconds,
    clip,
    finite,
    non_negative,
    part,
    positive,
    require,
    require_hooks,
    require_methods,
)
from .threshold import FixedThreshold
from .traces import Traces, add, decay, traces


class State(NamedTuple):
    """Traces of spikes: r1, r2 of the inputs (n_pre), o1, o2 of the targets (n_post); sliding: the threshold's own."""

    r1: Traces
    r2: Traces
    o1: Traces
    o2: Traces
    sliding: Any


class RateState(NamedTuple):
    """The slow traces at the rate level, r2 (n_pre,) and o2 (n_post,); sliding: the threshold's own."""

    r2: np.ndarray
    o2: np.ndarray
    sliding: Any


@part
class Triplet(NamedTuple):
    """Pairs and triplets of spikes change the weight; traces r1, r2, o1, o2 jump by one at a spike of their side.

    presynaptic spike of j:   w_ij -= eta o1_i [A2_minus theta_i + A3_minus r2_j]   r2 read before its own jump
    postsynaptic spike of i:  w_ij += eta r1_j [A2_plus + A3_plus o2_i]             o2 read before its own jump

    A2_plus    0         pair potentiation                       tau_plus   16.8 ms  of r1
    A3_plus    6.5e-3    triplet potentiation                    tau_minus  33.7 ms  of o1
    A2_minus   7.1e-3    pair depression                         tau_x      101 ms   of r2
    A3_minus   0         triplet depression                      tau_y      114 ms   of o2
    eta        1         learning rate on all four amplitudes
    w_min 0, w_max inf   hard bounds
    threshold            FixedThreshold: theta = 1; SlidingThreshold: theta follows the output rate

    The defaults are the minimal set fitted to visual cortex. All-to-all: every pair and triplet counts.
    Source: Pfister & Gerstner 2006, J Neurosci 26:9673; amplitudes of the minimal set as in other public code.
    """

    A2_plus: float = 0.0
    A3_plus: float = 6.5e-3
    A2_minus: float = 7.1e-3
    A3_minus: float = 0.0
    tau_plus: Seconds = 16.8e-3
    tau_minus: Seconds = 33.7e-3
    tau_x: Seconds = 101e-3
    tau_y: Seconds = 114e-3
    eta: float = 1.0
    w_min: float = 0.0
    w_max: float = math.inf
    threshold: Any = FixedThreshold()

    def check(self):
        finite(self, "A2_plus", "A3_plus", "A2_minus", "A3_minus")
        positive(self, "tau_plus", "tau_minus", "tau_x", "tau_y")
        non_negative(self, "eta")
        require(self.w_min == self.w_min, self, "w_min", "must be a number")
        require(self.w_max > self.w_min, self, "w_max", f"must be > w_min = {self.w_min:g}")
        require(hasattr(self.threshold, "depression"), self, "threshold", "must be a threshold part")
        require_hooks(self.threshold, "threshold")
        self.threshold.check()

    def init(self, n_pre, n_post):
        return State(traces(n_pre), traces(n_pre), traces(n_post), traces(n_post), self.threshold.init(n_post))

    def on_pre(self, state, w, j, t):
        f1 = decay(state.o1, self.tau_minus, t)
        f2 = decay(state.r2, self.tau_x, t)
        triplet = self.A3_minus * state.r2.value[j] * f2
        for n in range(w.n_out(j)):
            i = w.post(j, n)
            k = w.out(j, n)
            pair = self.A2_minus * self.threshold.depression(state.sliding, i, t)
            loss = self.eta * state.o1.value[i] * f1 * (pair + triplet)
            w.value[k] = clip(w.value[k] - loss, self.w_min, self.w_max)
        add(state.r1, j, self.tau_plus, t)
        add(state.r2, j, self.tau_x, t)

    def on_post(self, state, w, i, t):
        f1 = decay(state.r1, self.tau_plus, t)
        f2 = decay(state.o2, self.tau_y, t)
        gain = self.eta * f1 * (self.A2_plus + self.A3_plus * state.o2.value[i] * f2)
        for n in range(w.n_in(i)):
            k = w.into(i, n)
            w.value[k] = clip(w.value[k] + gain * state.r1.value[w.pre(i, n)], self.w_min, self.w_max)
        add(state.o1, i, self.tau_minus, t)
        add(state.o2, i, self.tau_y, t)
        self.threshold.add_output(state.sliding, i, t)

    # The rate level

    def init_rates(self, n_pre, n_post):
        """The traces of `on_rates`, at zero."""
        require_methods(self.threshold, "the rate level of held rates", "mean_depression")
        return RateState(np.zeros(n_pre), np.zeros(n_post), self.threshold.init(n_post))

    def on_rates(self, state, w, i, x, y, dt):
        """What sources at rates x (n_pre,) and target i at rate y [Hz], held for dt [s], change on average.

        The slow traces relax towards tau_y y and tau_x x from what earlier rates have left, and are integrated exactly:
        dw_j = x_j y [(A2_plus tau_plus - A2_minus tau_minus theta) dt + A3_plus tau_plus int o2 - A3_minus tau_minus int r2_j].
        """
        left_x = math.exp(-dt / self.tau_x)
        left_y = math.exp(-dt / self.tau_y)
        o2 = self.tau_y * (y * dt + (state.o2[i] - self.tau_y * y) * (1.0 - left_y))
        state.o2[i] = self.tau_y * y + (state.o2[i] - self.tau_y * y) * left_y
        pair = self.A2_minus * self.threshold.mean_depression(state.sliding, i, y, dt)
        common = (self.A2_plus * self.tau_plus - pair * self.tau_minus) * dt + self.A3_plus * self.tau_plus * o2
        for n in range(w.n_in(i)):
            j = w.pre(i, n)
            change = common
            if self.A3_minus != 0.0:
                r2 = self.tau_x * (x[j] * dt + (state.r2[j] - self.tau_x * x[j]) * (1.0 - left_x))
                change -= self.A3_minus * self.tau_minus * r2
            k = w.into(i, n)
            w.value[k] = clip(w.value[k] + self.eta * x[j] * y * change, self.w_min, self.w_max)
        if i == w.n_post - 1 and self.A3_minus != 0.0:  # every target has read r2
            for j in range(w.n_pre):
                state.r2[j] = self.tau_x * x[j] + (state.r2[j] - self.tau_x * x[j]) * left_x

    @property
    def pictures(self) -> tuple[str, ...]:
        """What suits it in the catalogue of rules: single pairs do little."""
        return "frequency", "rates"

    @property
    def forms(self) -> dict[str, Any]:
        """What the catalogue shows side by side."""
        full = {"A2_plus": 5e-10, "A3_plus": 6.2e-3, "A2_minus": 7e-3, "A3_minus": 2.3e-4, "tau_y": 125e-3}
        return {kind: {"minimal": {}, "full": full} for kind in self.pictures}

    def pair_change(self, s, value):
        """What a pair at s = t_pre - t_post [s] changes alone, with a threshold that depresses as 1 does; at any weight."""
        from .windows import DoubleExponential

        return self.eta * DoubleExponential(self.A2_plus, self.A2_minus, self.tau_plus, self.tau_minus).value(s)

    def regular_pairs(self, frequency, lag, n):
        """What n pairs at a frequency [Hz] change, postsynaptic spikes `lag` [s] after presynaptic ones, by less than a period; with a threshold that
        depresses as 1 does, at any weight."""
        k, period = np.arange(n), 1.0 / frequency

        def trace(tau, first, n_earlier):
            """Of so many earlier spikes of a train, the last of them `first` ago."""
            return math.exp(-first / tau) * np.expm1(-n_earlier * period / tau) / math.expm1(-period / tau)

        near, far = (abs(lag), k + 1), (period - abs(lag), k)
        r1 = trace(self.tau_plus, *(near if lag > 0 else far))
        o1 = trace(self.tau_minus, *(far if lag > 0 else near))
        r2, o2 = trace(self.tau_x, period, k), trace(self.tau_y, period, k)
        gain, loss = r1 * (self.A2_plus + self.A3_plus * o2), o1 * (self.A2_minus + self.A3_minus * r2)
        return self.eta * float(np.sum(gain - loss))

    def learning_equation(self, statistics, neuron, causal):
        """The averaged rule, see `rules/triplet_equation.py`."""
        from .triplet_equation import TripletEquation

        if not hasattr(self.threshold, "settled"):
            raise HebbscopeError(f"{type(self.threshold).__name__}: has no scale settled(y) for the averaged equation")
        return TripletEquation(self, statistics, neuron, causal)
