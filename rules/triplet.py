"""The triplet rule of Pfister & Gerstner, minimal or full, of all spikes or of the nearest, and the eight sets of parameters that were published."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..simulator.protocols import (
    HebbscopeError,
    Nobody,
    Seconds,
    bounds_in_order,
    clip,
    finite,
    non_negative,
    part,
    positive,
    require,
    require_methods,
)
from .threshold import FixedThreshold, check_threshold, scale_among_spikes, sign_change
from .traces import Traces, decay, mark, traces


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
    """Pairs and triplets of spikes change the weight; traces r1, r2, o1, o2 jump by one, or with `nearest` to one, at a spike of their side.

    presynaptic spike of j:   w_ij -= eta o1_i [A2_minus theta_i + A3_minus r2_j]   r2 read before its own jump
    postsynaptic spike of i:  w_ij += eta r1_j [A2_plus + A3_plus o2_i]             o2 read before its own jump

    A2_plus    0         pair potentiation                       tau_plus   16.8 ms  of r1
    A3_plus    6.5e-3    triplet potentiation                    tau_minus  33.7 ms  of o1
    A2_minus   7.1e-3    pair depression                         tau_x      101 ms   of r2
    A3_minus   0         triplet depression                      tau_y      114 ms   of o2
    eta        1         learning rate on all four amplitudes
    w_min 0, w_max inf   hard bounds
    threshold            FixedThreshold: theta = 1; SlidingThreshold: theta follows the output rate
    nearest    0         0: every pair and triplet counts; 1: only those of the nearest spikes

    The defaults are the minimal set fitted to visual cortex, all-to-all; the eight published sets are below.
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
    nearest: int = 0

    def check(self):
        finite(self, "A2_plus", "A3_plus", "A2_minus", "A3_minus")
        positive(self, "tau_plus", "tau_minus", "tau_x", "tau_y")
        non_negative(self, "eta")
        bounds_in_order(self)
        require(self.nearest in (0, 1), self, "nearest", "must be 0 or 1")
        check_threshold(self)

    def init(self, n_pre, n_post):
        return State(traces(n_pre), traces(n_pre), traces(n_post), traces(n_post), self.threshold.init(n_post))

    def on_pre(self, state, w, j, t):
        self.relay(state, w, j, t, Nobody(0))

    def relay(self, state, w, j, t, cells):
        f1 = decay(state.o1, self.tau_minus, t)
        f2 = decay(state.r2, self.tau_x, t)
        triplet = self.A3_minus * state.r2.value[j] * f2
        fading = self.threshold.fading(state.sliding, t)
        for n in range(w.n_out(j)):
            cells.take(w, j, n)
            k, i = w.out(j, n), w.post(j, n)
            pair = self.A2_minus * self.threshold.depression(state.sliding, i, fading)
            loss = self.eta * state.o1.value[i] * f1 * (pair + triplet)
            w.value[k] = clip(w.value[k] - loss, self.w_min, self.w_max)
        mark(state.r1, j, self.tau_plus, t, self.nearest)
        mark(state.r2, j, self.tau_x, t, self.nearest)

    def on_post(self, state, w, i, t):
        f1 = decay(state.r1, self.tau_plus, t)
        f2 = decay(state.o2, self.tau_y, t)
        gain = self.eta * f1 * (self.A2_plus + self.A3_plus * state.o2.value[i] * f2)
        for n in range(w.n_in(i)):
            k = w.into(i, n)
            w.value[k] = clip(w.value[k] + gain * state.r1.value[w.pre(i, n)], self.w_min, self.w_max)
        mark(state.o1, i, self.tau_minus, t, self.nearest)
        mark(state.o2, i, self.tau_y, t, self.nearest)
        self.threshold.add_output(state.sliding, i, t)

    # The rate level

    def lasting(self, tau, rate):
        """How long a spike counts in a trace, weighted by it [s]: tau, or until the next one comes, at this rate of Poisson spikes [Hz]."""
        return tau / (1.0 + self.nearest * rate * tau)

    def init_rates(self, n_pre, n_post):
        """The traces of `on_rates`, at zero."""
        require_methods(self.threshold, "the rate level of held rates", "mean_depression")
        return RateState(np.zeros(n_pre), np.zeros(n_post), self.threshold.init(n_post))

    def on_rates(self, state, w, i, x, y, dt):
        """What sources at rates x (n_pre,) and target i at y_i, of y (n_post,) [Hz], held for dt [s], change on average.

        The slow traces relax towards tau_y y_i and tau_x x from what earlier rates have left, and are integrated exactly:
        dw_j = x_j y_i [(A2_plus tau_plus - A2_minus tau_minus theta) dt + A3_plus tau_plus int o2 - A3_minus tau_minus int r2_j],
        with `lasting` in the place of each tau where only the nearest spikes count.
        """
        rate = y[i]
        tau_y, late = self.lasting(self.tau_y, rate), self.lasting(self.tau_minus, rate)
        left_y = math.exp(-dt / tau_y)
        o2 = tau_y * (rate * dt + (state.o2[i] - tau_y * rate) * (1.0 - left_y))
        state.o2[i] = tau_y * rate + (state.o2[i] - tau_y * rate) * left_y
        gain = self.A2_plus * dt + self.A3_plus * o2
        loss = self.A2_minus * self.threshold.mean_depression(state.sliding, i, rate, dt) * late * dt
        for n in range(w.n_in(i)):
            j = w.pre(i, n)
            change = self.lasting(self.tau_plus, x[j]) * gain - loss
            if self.A3_minus != 0.0:
                tau_x = self.lasting(self.tau_x, x[j])
                r2 = tau_x * (x[j] * dt + (state.r2[j] - tau_x * x[j]) * (1.0 - math.exp(-dt / tau_x)))
                change -= self.A3_minus * late * r2
            k = w.into(i, n)
            w.value[k] = clip(w.value[k] + self.eta * x[j] * rate * change, self.w_min, self.w_max)
        if i == w.n_post - 1 and self.A3_minus != 0.0:  # every target has read r2
            for j in range(w.n_pre):
                tau_x = self.lasting(self.tau_x, x[j])
                state.r2[j] = tau_x * x[j] + (state.r2[j] - tau_x * x[j]) * math.exp(-dt / tau_x)

    def per_pair(self, x, y):
        """What a pair of spikes brings [s] under independent Poisson spikes at rates x (pre) and y (post) [Hz]: the drift over eta x y."""
        early, late = self.lasting(self.tau_plus, x), self.lasting(self.tau_minus, y)
        gain = early * (self.A2_plus + self.A3_plus * self.lasting(self.tau_y, y) * y)
        scale = scale_among_spikes(self.threshold, y, late, self.nearest)
        return gain - late * (self.A2_minus * scale + self.A3_minus * self.lasting(self.tau_x, x) * x)

    def drift(self, x, y):
        """Change of a weight per second for independent Poisson trains of rates x (pre) and y (post) [Hz]."""
        return self.eta * x * y * self.per_pair(x, y)

    def sign_change(self, x):
        """The output rate [Hz] at which the drift changes its sign, for an input rate x [Hz], see `sign_change` of threshold.py; nan where it changes nowhere."""
        return sign_change(lambda y: self.per_pair(x, y), self.threshold)

    @property
    def pictures(self) -> tuple[str, ...]:
        """What suits it in the catalogue of rules: single pairs do little."""
        return "frequency", "rates"

    @property
    def forms(self) -> dict[str, Any]:
        """What the catalogue shows side by side."""
        sets = {
            "minimal": VISUAL_CORTEX_MINIMAL,
            "full": VISUAL_CORTEX_FULL,
            "nearest, minimal": VISUAL_CORTEX_NEAREST_MINIMAL,
            "nearest, full": VISUAL_CORTEX_NEAREST_FULL,
        }
        return {kind: {name: each._asdict() for name, each in sets.items()} for kind in self.pictures}

    def pair_change(self, s, value):
        """What a pair at s = t_pre - t_post [s] changes alone, with a threshold that depresses as 1 does; at any weight."""
        from .windows import DoubleExponential

        return self.eta * DoubleExponential(self.A2_plus, self.A2_minus, self.tau_plus, self.tau_minus).value(s)

    def regular_pairs(self, frequency, lag, n):
        """What n pairs at a frequency [Hz] change, postsynaptic spikes `lag` [s] after presynaptic ones, by less than a period; with a threshold that
        depresses as 1 does, at any weight."""
        k, period = np.arange(n), 1.0 / frequency

        def trace(tau, first, n_earlier):
            """Of so many earlier spikes of a train, the last of them `first` ago, or of that alone."""
            if self.nearest:
                return math.exp(-first / tau) * (n_earlier > 0)
            return math.exp(-first / tau) * np.expm1(-n_earlier * period / tau) / math.expm1(-period / tau)

        near, far = (abs(lag), k + 1), (period - abs(lag), k)
        r1 = trace(self.tau_plus, *(near if lag >= 0 else far))
        o1 = trace(self.tau_minus, *(far if lag >= 0 else near))
        r2, o2 = trace(self.tau_x, period, k), trace(self.tau_y, period, k)
        gain, loss = r1 * (self.A2_plus + self.A3_plus * o2), o1 * (self.A2_minus + self.A3_minus * r2)
        return self.eta * float(np.sum(gain - loss))

    def learning_equation(self, statistics, neuron, causal):
        """The averaged rule, see `rules/triplet_equation.py`."""
        from .triplet_equation import TripletEquation

        if self.nearest:
            raise HebbscopeError(
                "Triplet: the nearest spikes have an average for independent trains alone, Triplet.drift(x, y)"
            )
        if not hasattr(self.threshold, "settled"):
            raise HebbscopeError(f"{type(self.threshold).__name__}: has no scale settled(y) for the averaged equation")
        return TripletEquation(self, statistics, neuron, causal)


# Fitted to slices of visual cortex (Sjostrom, Turrigiano & Nelson 2001, Neuron 32:1149) and to hippocampal cultures (Wang, Gerkin, Nauen & Bi 2005,
# Nat Neurosci 8:187), by Pfister & Gerstner 2006 [recalled; the sets of visual cortex give the frequency curve and the error of the fit].
VISUAL_CORTEX_FULL = Triplet(5e-10, 6.2e-3, 7e-3, 2.3e-4, tau_x=101e-3, tau_y=125e-3)
VISUAL_CORTEX_MINIMAL = Triplet(0.0, 6.5e-3, 7.1e-3, 0.0, tau_y=114e-3)
VISUAL_CORTEX_NEAREST_FULL = Triplet(8.8e-11, 5.3e-2, 6.6e-3, 3.1e-3, tau_x=714e-3, tau_y=40e-3, nearest=1)
VISUAL_CORTEX_NEAREST_MINIMAL = Triplet(0.0, 5e-2, 8e-3, 0.0, tau_y=40e-3, nearest=1)
HIPPOCAMPUS_FULL = Triplet(6.1e-3, 6.7e-3, 1.6e-3, 1.4e-3, tau_x=946e-3, tau_y=27e-3)
HIPPOCAMPUS_MINIMAL = Triplet(5.3e-3, 8e-3, 3.5e-3, 0.0, tau_y=40e-3)
HIPPOCAMPUS_NEAREST_FULL = Triplet(4.6e-3, 9.1e-3, 3e-3, 7.5e-9, tau_x=575e-3, tau_y=47e-3, nearest=1)
HIPPOCAMPUS_NEAREST_MINIMAL = Triplet(4.6e-3, 9.1e-3, 3e-3, 0.0, tau_y=48e-3, nearest=1)
