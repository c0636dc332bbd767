"""What scales the depression of a rule: nothing, or the target's own past, its output or its potential (homeostasis).

Every threshold has the hooks

    fading(state, t)               what is common to all targets at t
    depression(state, i, fading)   the scale of target i then
    add_output(state, i, t)        a spike of target i

and for averages `settled(y)`, the scale at steady rates y, and where single spikes matter `among_spikes`, with `averages` and `squares`, see `scale_among_spikes`;
and one that slides with the potential has `add_potentials`, which only rules that see potentials call.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..simulator.plain import State as Nothing
from ..simulator.protocols import (
    Hertz,
    Seconds,
    SecondsArray,
    Volts,
    check_held,
    finite,
    helper,
    part,
    positive,
    require,
    sees_potentials,
    within,
)
from .traces import QUIET, Traces, add_amount, decay, traces

LARGEST = 690.0  # of the logarithm of a scale, so that what it multiplies is a number


def check_threshold(rule: Any) -> None:
    """Raise what is wrong with the threshold of a rule that sees spikes and no potential."""
    require(hasattr(rule.threshold, "depression"), rule, "threshold", "must be a threshold part")
    check_held(rule, "threshold")
    blind = not sees_potentials(rule.threshold)
    require(blind, rule, "threshold", "must slide with spikes: this rule sees no potential")


def scale_among_spikes(
    threshold: Any, y: Any, lasting: Any, alone: int = 0, shift: Any = 0.0, variance: Any = 0.0
) -> np.ndarray:
    """The mean scale at output rates y [Hz] for depression by a trace of the output's own spikes, in which one counts for `lasting` [s]; any shapes.

    A threshold that slides holds the spikes that are in the trace, and its power is not that of its mean: by a relative 1 / (tau y) that makes it larger. alone: 1
    where a spike hides those before it from the trace. shift [Hz] and variance [Hz^2]: what correlations add, see sliding.py. Of a threshold that does not say it,
    what it settles at.
    """
    if hasattr(threshold, "among_spikes"):
        return np.asarray(threshold.among_spikes(np.asarray(y, float), lasting, alone, shift, variance))
    return np.asarray(threshold.settled(y))


def sign_change(per_pair: Callable[[Any], Any], threshold: Any) -> float:
    """The output rate [Hz] at which what a pair brings, per_pair(y) of rates of any shape, changes its sign; nan where it changes nowhere.

    The lowest one, but with a threshold that slides the highest: below about one spike in its time constant, such a threshold is that of each spike by itself.
    """
    from scipy.optimize import brentq

    y = np.geomspace(1e-6, 1e6, 2401)
    changes = np.flatnonzero(np.diff(np.sign(per_pair(y))))
    if not len(changes):
        return math.nan
    first = changes[-1 if hasattr(threshold, "averages") else 0]
    low, high = y[first], y[first + 1]
    return float(brentq(lambda y: float(per_pair(y)), low, high, xtol=1e-13 * low))


def rise(threshold: Any, y: Any) -> Any:
    """y d theta / d y at output rates y [Hz], with theta the scale that the threshold settles at: what a spike adds to it in all the time to come, times y."""
    y, h = np.asarray(y, float), 1e-4
    return (threshold.settled(y * (1.0 + h)) - threshold.settled(y * (1.0 - h))) / (2.0 * h)


def scales(n_post: int, tau: float) -> Traces:
    """Scales of 1 at time 0, of which each fades with tau until its target fires."""
    return traces(n_post)._replace(value=np.ones(n_post), quiet=np.full(1, QUIET * tau))


@helper
def set_scale(x, i, scale, tau, t):
    """The scale of target i at time t, when it fires."""
    x.value[i] = 0.0
    add_amount(x, i, scale, tau, t)


@part
class FixedThreshold(NamedTuple):
    """Depression is scaled by a constant.

    scale   1   the constant
    """

    scale: float = 1.0

    def check(self):
        positive(self, "scale")

    def init(self, n_post):
        return Nothing(np.zeros(0))

    def fading(self, state, t):
        return 1.0

    def depression(self, state, i, fading):
        return self.scale

    def mean_depression(self, state, i, y, dt):
        return self.scale

    def settled(self, y):
        """The scale at output rates y [Hz], any shape."""
        return np.full(np.shape(y), self.scale)

    def add_output(self, state, i, t):
        pass


class State(NamedTuple):
    """rate (n_post,) [Hz], the running average at time last (n_post,) [s]; scale (n_post): what it makes of depression, which fades with tau / p."""

    rate: np.ndarray
    last: SecondsArray
    scale: Traces


@part
class SlidingThreshold(NamedTuple):
    """Depression is scaled by (<y> / rho_0)^p with <y> the output rate averaged over tau: the threshold slides faster than linearly.

    rho_0  10 Hz   output rate at which the scale is one; also the average at the start
    tau    10 s    averaging time
    p      2       exponent, > 1 for a stable rate

    Source: Bienenstock, Cooper & Munro 1982, J Neurosci 2:32 (power form);
    Pfister & Gerstner 2006, J Neurosci 26:9673, put it on A2_minus [both recalled].
    """

    rho_0: Hertz = 10.0
    tau: Seconds = 10.0
    p: float = 2.0

    def check(self):
        positive(self, "rho_0", "tau", "p")

    def init(self, n_post):
        return State(np.full(n_post, float(self.rho_0)), np.zeros(n_post), scales(n_post, self.tau / self.p))

    def fading(self, state, t):
        return decay(state.scale, self.tau / self.p, t)

    def depression(self, state, i, fading):
        return fading * state.scale.value[i]

    def mean_depression(self, state, i, y, dt):
        """The scale at the start of dt, after which the average has moved towards y."""
        scale = (state.rate[i] / self.rho_0) ** self.p
        state.rate[i] = y + (state.rate[i] - y) * math.exp(-dt / self.tau)
        return scale

    def settled(self, y):
        """The scale once the average has come to the output rates y [Hz], any shape."""
        return (np.asarray(y) / self.rho_0) ** self.p

    @property
    def averages(self):
        """The averages of the output that it is made of, by their time constants [s]."""
        return ((self.tau,),)

    @property
    def squares(self):
        """Over what the fluctuations last that raise it [s]."""
        return self.tau

    def among_spikes(self, y, lasting, alone=0, shift=0.0, variance=0.0):
        """(E[r] / rho_0)^p (E[r^2] / E[r]^2)^(p (p - 1) / 2), see `scale_among_spikes`, with the moments of the average r among the spikes of the trace.

        r has the variance y / (2 tau), and a spike of age u adds e^(-u / tau) / tau to it; u is exponential, with the mean `lasting`. Where no spike came since
        (alone), all of r has decayed by e^(-u / tau). Exact of Poisson spikes for p = 1 and 2, else to a relative 1 / (tau y)^2. Source: [derived].
        """
        tau, square = self.tau, y * y + y / (2.0 * self.tau)
        if alone:
            first = (y + 1.0 / tau) / (1.0 + lasting / tau)
            second = (square + 2.0 * y / tau + 1.0 / tau**2) / (1.0 + 2.0 * lasting / tau)
        else:
            first = y + 1.0 / (tau + lasting)
            second = square + 2.0 * y / (tau + lasting) + 1.0 / (tau * (tau + 2.0 * lasting))
        first, second = np.maximum(first + shift, 0.0), second + 2.0 * y * shift + variance
        square = first * first
        over = np.maximum(second, square) / np.where(first > 0.0, square, 1.0)  # no square is below that
        with np.errstate(divide="ignore"):
            power = self.p * (np.log(first / self.rho_0) + 0.5 * (self.p - 1.0) * np.log(over))
        return np.exp(np.minimum(power, LARGEST))

    def add_output(self, state, i, t):
        state.rate[i] = state.rate[i] * math.exp(-(t - state.last[i]) / self.tau) + 1.0 / self.tau
        state.last[i] = t
        set_scale(state.scale, i, (state.rate[i] / self.rho_0) ** self.p, self.tau / self.p, t)


class PotentialState(NamedTuple):
    """square (n_post,) [V^2]: the running average."""

    square: np.ndarray


@part
class PotentialThreshold(NamedTuple):
    """Depression is scaled by <(u - E_L)^2> / u_ref^2 with u the potential, where it is above E_L, averaged over tau.

    u_ref  7.746 mV   root of the average at which the scale is one; also at the start: u_ref^2 = 60 mV^2
    E_L    -70.6 mV   resting potential
    tau    1.2 s      averaging time

    Source: Clopath, Buesing, Vasilaki & Gerstner 2010, Nat Neurosci 13:344 [u_ref and the square as in the published code, by Larisch 2019; tau recalled].
    """

    u_ref: Volts = 7.746e-3
    E_L: Volts = -70.6e-3
    tau: Seconds = 1.2

    def check(self):
        within(self, "u_ref", 1e-150, 1e150)  # so that its square is a number, and not 0
        positive(self, "tau")
        finite(self, "E_L")

    def init(self, n_post):
        return PotentialState(np.full(n_post, self.u_ref**2))

    def fading(self, state, t):
        return 1.0

    def depression(self, state, i, fading):
        return state.square[i] / (self.u_ref * self.u_ref)

    def add_output(self, state, i, t):
        pass

    def add_potentials(self, state, v, dt):
        left = math.exp(-dt / self.tau)
        for i in range(len(v)):
            above = max(v[i] - self.E_L, 0.0)
            state.square[i] = above * above + (state.square[i] - above * above) * left


class SquareState(NamedTuple):
    """square (n_post,) [Hz²], the running average at time last (n_post,) [s]; trace (n_post,): earlier spikes that make pairs with the next.

    scale (n_post): what the average makes of depression, which fades with tau.
    """

    square: np.ndarray
    trace: np.ndarray
    last: SecondsArray
    scale: Traces


@part
class MeanSquareThreshold(NamedTuple):
    """Depression is scaled by <y²> / rho_0², with <y²> the square of the output rate, averaged over tau.

    rho_0  10 Hz   output rate at which the scale is one; also the rate at the start
    tau    10 s    averaging time
    tau_y  100 ms  of spikes, y² is the rate of pairs with earlier ones, counted as exp(-s / tau_y) / tau_y; rates that change faster are smoothed

    Source: Intrator & Cooper 1992, Neural Networks 5:3 [recalled]; its estimate from spikes [derived].
    """

    rho_0: Hertz = 10.0
    tau: Seconds = 10.0
    tau_y: Seconds = 0.1

    def check(self):
        within(self, "rho_0", 1e-150, 1e150)  # so that its square is a number, and not 0
        positive(self, "tau", "tau_y")

    def init(self, n_post):
        square = np.full(n_post, float(self.rho_0) ** 2)
        return SquareState(square, np.zeros(n_post), np.zeros(n_post), scales(n_post, self.tau))

    def fading(self, state, t):
        return decay(state.scale, self.tau, t)

    def depression(self, state, i, fading):
        return fading * state.scale.value[i]

    def mean_depression(self, state, i, y, dt):
        """The scale at the start of dt, after which the average has moved towards y²."""
        scale = state.square[i] / (self.rho_0 * self.rho_0)
        state.square[i] = y * y + (state.square[i] - y * y) * math.exp(-dt / self.tau)
        return scale

    def settled(self, y):
        """The scale once the average has come to that of steady output rates y [Hz], any shape."""
        return (np.asarray(y) / self.rho_0) ** 2

    @property
    def averages(self):
        """The averages of the output that it is made of, by their time constants [s]: those of the later and of the earlier spikes of its pairs."""
        return (self.tau,), (self.tau, self.tau_y)

    @property
    def squares(self):
        """Over what the fluctuations last that raise it [s]."""
        return self.tau_y

    def among_spikes(self, y, lasting, alone=0, shift=0.0, variance=0.0):
        """The mean of the average q over rho_0^2 among the spikes of the trace, see `scale_among_spikes`.

        A spike of age u has added y e^(-u / tau) / tau to q as the later one of pairs, and y (e^(-u / tau) - e^(-u / tau_y)) / (tau - tau_y) as the earlier one; u is
        exponential, with the mean `lasting`. Where no spike came since (alone), q has decayed by e^(-u / tau), and it is the earlier one of none.
        Exact of Poisson spikes. Source: [derived].
        """
        tau = self.tau
        if alone:
            mean = y * (y + 1.0 / tau) / (1.0 + lasting / tau)
        else:
            mean = y * (y + (1.0 + lasting / (self.tau_y + lasting)) / (tau + lasting))
        return np.maximum(mean + y * shift + variance, 0.0) / self.rho_0**2

    def add_output(self, state, i, t):
        gone = t - state.last[i]
        state.trace[i] *= math.exp(-gone / self.tau_y)
        state.square[i] = state.square[i] * math.exp(-gone / self.tau) + state.trace[i] / (self.tau_y * self.tau)
        state.trace[i] += 1.0
        state.last[i] = t
        set_scale(state.scale, i, state.square[i] / (self.rho_0 * self.rho_0), self.tau, t)
