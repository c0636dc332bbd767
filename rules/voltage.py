"""The voltage-based rule: spikes of the source meet the potential of the target."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..simulator.protocols import (
    MOST_STEPS,
    Seconds,
    SecondsArray,
    Volts,
    bounds_in_order,
    check_held,
    finite,
    non_negative,
    part,
    positive,
    require,
    within,
)
from .threshold import FixedThreshold
from .traces import Growth, grow, growth, start_again

SHORT = 10.0  # time constants of the presynaptic trace in which sums of exp(-t / tau_x) lose no more than 5 digits


class State(NamedTuple):
    """Sums since the origin, when all of them were rescaled; averages of the potential, those of the last steps in a ring; what a step leaves of them.

    before (n_pre): of exp(lag / tau_x) / tau_x over spikes; gained (n_post): of potentiation times exp(-lag / tau_x) over steps
    origin (1,) [s]; grown: exp(lag / tau_x) at the time that is now; step (1,) [s]
    low, high (n_late + 1, n_post) [V]: averages with tau_minus and tau_plus; oldest (1,): which row is of the time that is `delay` ago
    left (2,): of the two averages after a step; sliding: the threshold's own
    """

    before: np.ndarray
    gained: np.ndarray
    origin: SecondsArray
    grown: Growth
    step: SecondsArray
    low: np.ndarray
    high: np.ndarray
    oldest: np.ndarray
    left: np.ndarray
    sliding: Any


@part
class VoltageSTDP(NamedTuple):
    """A presynaptic spike weakens where the target was depolarised, and what it leaves strengthens where the target is now, and was before.

    presynaptic spike of j:  w_ij -= eta A_LTD threshold_i [low_i(t - delay) - theta_minus]+
    at all times:            dw_ij/dt = eta A_LTP x_j [u_i - theta_plus]+ [high_i(t - delay) - theta_minus]+

    with u the potential of the target, low and high its averages, tau du_average/dt = u - u_average, and x the presynaptic trace, which a spike raises by 1 / tau_x.

    A_LTD        0.14       depression per volt: 14e-5 /mV
    A_LTP        80         potentiation per volt squared: 8e-5 /mV^2
    theta_minus  -70.6 mV   above which the averages count, and where they start
    theta_plus   -45.3 mV   above which the potential potentiates
    tau_x        15 ms      of the presynaptic trace
    tau_minus    10 ms      of low
    tau_plus     7 ms       of high
    delay        4 ms       by which the averages are late, so that a spike does not count as what was before it; at most 0.1 s
    eta          1          learning rate on both amplitudes, in the unit of weights
    w_min 0, w_max 1        hard bounds
    threshold               FixedThreshold: 1; PotentialThreshold, SlidingThreshold: what the target has been doing scales depression

    The potential is that at the end of each step, a spike as long and as high as the neuron makes it (`AdEx`); it is taken to stand until the next. Targets are
    neurons with a potential v, without dendritic delay. Between two spikes of a source its synapses are only potentiated, by x_j times a sum of the target's; that
    is applied, bound and all, at the second, so that a step costs the same however many synapses there are.

    The defaults were fitted to visual cortex (`VOLTAGE_VISUAL_CORTEX`); `VOLTAGE_HIPPOCAMPUS` has other thresholds and amplitudes.
    Source: Clopath, Buesing, Vasilaki & Gerstner 2010, Nat Neurosci 13:344 [equations, amplitudes, thresholds and time constants as in two public
    implementations, Larisch 2019 and NEST's]. The delay is not in the paper but in its published code; its length is that of NEST's example.
    """

    A_LTD: float = 0.14
    A_LTP: float = 80.0
    theta_minus: Volts = -70.6e-3
    theta_plus: Volts = -45.3e-3
    tau_x: Seconds = 15e-3
    tau_minus: Seconds = 10e-3
    tau_plus: Seconds = 7e-3
    delay: Seconds = 4e-3
    eta: float = 1.0
    w_min: float = 0.0
    w_max: float = 1.0
    threshold: Any = FixedThreshold()

    def check(self):
        non_negative(self, "A_LTD", "A_LTP", "eta")
        finite(self, "theta_minus", "theta_plus")
        positive(self, "tau_x", "tau_minus", "tau_plus")
        within(self, "delay", 0.0, 0.1)
        bounds_in_order(self)
        require(hasattr(self.threshold, "depression"), self, "threshold", "must be a threshold part")
        check_held(self, "threshold")

    @property
    def pictures(self) -> tuple[str, ...]:
        """What suits it in the catalogue of rules: Poisson cells have no potential."""
        return "window", "frequency"

    def init(self, n_pre, n_post, dt=math.inf):
        lost = 0.0 < self.delay < 0.5 * dt < math.inf
        require(not lost, self, "delay", f"must be 0 or at least half of dt = {dt:g} s")
        short = self.delay / dt <= MOST_STEPS
        require(short, self, "delay", f"must be at most {MOST_STEPS:,} steps of dt = {dt:g} s")
        n_rows = round(self.delay / dt) + 1
        low, high = (np.full((n_rows, n_post), self.theta_minus) for _ in range(2))
        left = np.array([math.exp(-dt / self.tau_minus), math.exp(-dt / self.tau_plus)])
        return State(
            before=np.zeros(n_pre),
            gained=np.zeros(n_post),
            origin=np.zeros(1),
            grown=growth(),
            step=np.array([dt]),
            low=low,
            high=high,
            oldest=np.zeros(1, np.int64),
            left=left,
            sliding=self.threshold.init(n_post),
        )

    def advance(self, state, w, t):
        lag = t - state.origin[0]
        if lag < SHORT * self.tau_x:
            grow(state.grown, lag, self.tau_x, t)
            return
        for j in range(w.n_pre):
            self.settle(state, w, j, t)
        w.memory[:] = 0.0
        for j in range(len(state.before)):
            state.before[j] *= math.exp(-lag / self.tau_x)
        for i in range(len(state.gained)):
            state.gained[i] = 0.0
        state.origin[0] = t
        start_again(state.grown)

    def settle(self, state, w, j, t):
        trace = state.before[j]
        for n in range(w.n_out(j)):
            k, gained = w.out(j, n), state.gained[w.post(j, n)]
            w.value[k] = min(w.value[k] + trace * (gained - w.memory[k]), self.w_max)
            w.memory[k] = gained

    def on_pre(self, state, w, j, t):
        scale, fading = self.eta * self.A_LTD, self.threshold.fading(state.sliding, t)
        for n in range(w.n_out(j)):
            k, i = w.out(j, n), w.post(j, n)
            above = max(state.low[state.oldest[0], i] - self.theta_minus, 0.0)
            loss = scale * above * self.threshold.depression(state.sliding, i, fading)
            w.value[k] = max(w.value[k] - loss, self.w_min)
        state.before[j] += state.grown.value[0] / self.tau_x

    def on_post(self, state, w, i, t):
        self.threshold.add_output(state.sliding, i, t)

    def on_potentials(self, state, w, v, t):
        now, n_rows = state.oldest[0], len(state.low)
        last = now - 1 if now > 0 else n_rows - 1
        scale = self.eta * self.A_LTP * state.step[0] / state.grown.value[0]
        for i in range(len(v)):
            before = max(state.high[now, i] - self.theta_minus, 0.0)
            state.gained[i] += scale * max(v[i] - self.theta_plus, 0.0) * before
            state.low[now, i] = v[i] + (state.low[last, i] - v[i]) * state.left[0]
            state.high[now, i] = v[i] + (state.high[last, i] - v[i]) * state.left[1]
        state.oldest[0] = now + 1 if now + 1 < n_rows else 0
        self.threshold.add_potentials(state.sliding, v, state.step[0])


# Thresholds and amplitudes as Larisch 2019 has them from the paper and its code; the time constants of hippocampus are those of visual cortex for want of others.
VOLTAGE_VISUAL_CORTEX = VoltageSTDP()
VOLTAGE_HIPPOCAMPUS = VoltageSTDP(A_LTD=0.38, A_LTP=20.0, theta_minus=-41e-3, theta_plus=-38e-3)
