"""What scales the depression of a rule: nothing, or the target's own past output (homeostasis)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..simulator.protocols import Hertz, Seconds, part, positive


@part
class FixedThreshold(NamedTuple):
    """Depression is scaled by a constant.

    scale   1   the constant
    """

    scale: float = 1.0

    def check(self):
        positive(self, "scale")

    def init(self, n_post):
        return State(np.zeros(1), np.zeros(1))

    def depression(self, state, i, t):
        return self.scale

    def mean_depression(self, state, i, y, dt):
        return self.scale

    def settled(self, y):
        """The scale at output rates y [Hz], any shape."""
        return np.full(np.shape(y), self.scale)

    def add_output(self, state, i, t):
        pass


class State(NamedTuple):
    """rate (n_post,) [Hz], the running average at time last (n_post,) [s]."""

    rate: np.ndarray
    last: np.ndarray


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
        return State(np.full(n_post, float(self.rho_0)), np.zeros(n_post))

    def depression(self, state, i, t):
        rate = state.rate[i] * math.exp(-(t - state.last[i]) / self.tau)
        return (rate / self.rho_0) ** self.p

    def mean_depression(self, state, i, y, dt):
        """The scale at the start of dt, after which the average has moved towards y."""
        scale = (state.rate[i] / self.rho_0) ** self.p
        state.rate[i] = y + (state.rate[i] - y) * math.exp(-dt / self.tau)
        return scale

    def settled(self, y):
        """The scale once the average has come to the output rates y [Hz], any shape."""
        return (np.asarray(y) / self.rho_0) ** self.p

    def add_output(self, state, i, t):
        state.rate[i] = state.rate[i] * math.exp(-(t - state.last[i]) / self.tau) + 1.0 / self.tau
        state.last[i] = t


class SquareState(NamedTuple):
    """square (n_post,) [Hz²], the running average at time last (n_post,) [s]; trace (n_post,): earlier spikes that make pairs with the next."""

    square: np.ndarray
    trace: np.ndarray
    last: np.ndarray


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
        positive(self, "rho_0", "tau", "tau_y")

    def init(self, n_post):
        return SquareState(np.full(n_post, float(self.rho_0) ** 2), np.zeros(n_post), np.zeros(n_post))

    def depression(self, state, i, t):
        return state.square[i] * math.exp(-(t - state.last[i]) / self.tau) / (self.rho_0 * self.rho_0)

    def mean_depression(self, state, i, y, dt):
        """The scale at the start of dt, after which the average has moved towards y²."""
        scale = state.square[i] / (self.rho_0 * self.rho_0)
        state.square[i] = y * y + (state.square[i] - y * y) * math.exp(-dt / self.tau)
        return scale

    def settled(self, y):
        """The scale once the average has come to that of steady output rates y [Hz], any shape."""
        return (np.asarray(y) / self.rho_0) ** 2

    def add_output(self, state, i, t):
        gone = t - state.last[i]
        state.trace[i] *= math.exp(-gone / self.tau_y)
        state.square[i] = state.square[i] * math.exp(-gone / self.tau) + state.trace[i] / (self.tau_y * self.tau)
        state.trace[i] += 1.0
        state.last[i] = t
