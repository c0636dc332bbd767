"""The time course of a synaptic input: at once, exponential, or an alpha function.

What is delivered is a voltage, a current or a conductance, as the neuron says; it comes by one of two ports, excitatory (0) and inhibitory (1).
`over(dt, tau_m)` is the stepper of the input, which the neuron's stepper holds. It makes the `arrays(n)` that the neuron's state has for it, and moves
them on by a step each time it is asked one of

    charge(state, i)   what the input adds to a leaky membrane of time constant tau_m within the step, without error
    midway(state, i)   the excitatory and the inhibitory input at half of the step, for schemes of second order

For the approximate learning equation a part says of each port what comes of a spike of weight 1 at a leaky membrane:

    jump(port, tau_m)      how far the potential is moved, as if at once by all that comes in the end
    passed(port, s)        the transform of the time course, of area 1, at s [1/s]
    lag(port)              how long that takes on average [s]
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ...simulator.protocols import Seconds, part, positive
from .silence import quiet


def propagator(tau: float, tau_m: float, dt: float) -> np.ndarray:
    """(3, 3): what of potential, input and rise is left of each after dt, where the rise feeds the input and the input the potential.

    The matrix exponential (Rotter & Diesmann 1999, Biol Cybern 81:381), whose entries have other closed forms where time constants are equal.
    """
    from scipy.linalg import expm

    rates = [[-1.0 / tau_m, 1.0 / tau_m, 0.0], [0.0, -1.0 / tau, 1.0 / tau], [0.0, 0.0, -1.0 / tau]]
    return expm(np.array(rates) * dt)


# At once ------------------------------------------------------------------------------------------------------------


class Jumps(NamedTuple):
    """The sign of what comes by each port."""

    excitatory: float
    inhibitory: float

    def arrays(self, n):
        return (np.empty(0),) * 4

    def receive(self, state, port, i, amount):
        state.v[i] += amount * (self.excitatory if port == 0 else self.inhibitory)

    def charge(self, state, i):
        return 0.0

    def midway(self, state, i):
        return 0.0, 0.0


@part
class DeltaSynapses(NamedTuple):
    """A spike moves the potential at once, up or down by what is delivered."""

    @property
    def monitored(self) -> tuple[str, ...]:
        return ()

    def check(self):
        """Nothing can be wrong with it."""

    def over(self, dt, tau_m=math.inf):
        return Jumps(1.0, -1.0)

    def jump(self, port, tau_m):
        return 1.0

    def passed(self, port, s):
        return np.ones(np.shape(s))

    def lag(self, port):
        return 0.0


# Exponential --------------------------------------------------------------------------------------------------------


class ExponentialInput(NamedTuple):
    """Of each port: what is left of the input after a step and after half of one, and what of it reaches the potential."""

    decay_ex: float
    decay_in: float
    half_ex: float
    half_in: float
    charge_ex: float
    charge_in: float

    def arrays(self, n):
        return np.zeros(n), np.zeros(n), np.empty(0), np.empty(0)

    def receive(self, state, port, i, amount):
        if port == 0:
            state.g_ex[i] += amount
        else:
            state.g_in[i] += amount

    def charge(self, state, i):
        g_ex, g_in = state.g_ex[i], state.g_in[i]
        self.move(state, i)
        return g_ex * self.charge_ex - g_in * self.charge_in

    def midway(self, state, i):
        g_ex, g_in = state.g_ex[i], state.g_in[i]
        self.move(state, i)
        return g_ex * self.half_ex, g_in * self.half_in

    def move(self, state, i):
        state.g_ex[i] = quiet(state.g_ex[i] * self.decay_ex)
        state.g_in[i] = quiet(state.g_in[i] * self.decay_in)


@part
class ExponentialSynapses(NamedTuple):
    """A spike opens an input that jumps by what is delivered and decays: w exp(-t / tau).

    tau_ex  5 ms  decay time of the excitatory input
    tau_in  5 ms  decay time of the inhibitory input
    """

    tau_ex: Seconds = 5e-3
    tau_in: Seconds = 5e-3

    @property
    def monitored(self) -> tuple[str, ...]:
        return "g_ex", "g_in"

    def check(self):
        positive(self, "tau_ex", "tau_in")

    def over(self, dt, tau_m=math.inf):
        whole, half = ([propagator(tau, tau_m, h) for tau in self] for h in (dt, 0.5 * dt))
        return ExponentialInput(*_of_ports(whole, 1, 1), *_of_ports(half, 1, 1), *_of_ports(whole, 0, 1))

    def jump(self, port, tau_m):
        return self[port] / tau_m

    def passed(self, port, s):
        return 1.0 / (1.0 + s * self[port])

    def lag(self, port):
        return self[port]


# Alpha function -----------------------------------------------------------------------------------------------------


class AlphaInput(NamedTuple):
    """As of the exponential, and of each port: what the rise feeds into the input in a step and in half of one, and what reaches the potential."""

    decay_ex: float
    decay_in: float
    half_ex: float
    half_in: float
    feed_ex: float
    feed_in: float
    half_feed_ex: float
    half_feed_in: float
    charge_ex: float
    charge_in: float
    early_ex: float
    early_in: float

    def arrays(self, n):
        return np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)

    def receive(self, state, port, i, amount):
        if port == 0:
            state.rise_ex[i] += amount * math.e
        else:
            state.rise_in[i] += amount * math.e

    def charge(self, state, i):
        g_ex, g_in, rise_ex, rise_in = state.g_ex[i], state.g_in[i], state.rise_ex[i], state.rise_in[i]
        self.move(state, i)
        return g_ex * self.charge_ex - g_in * self.charge_in + (rise_ex * self.early_ex - rise_in * self.early_in)

    def midway(self, state, i):
        g_ex, g_in, rise_ex, rise_in = state.g_ex[i], state.g_in[i], state.rise_ex[i], state.rise_in[i]
        self.move(state, i)
        return g_ex * self.half_ex + rise_ex * self.half_feed_ex, g_in * self.half_in + rise_in * self.half_feed_in

    def move(self, state, i):
        g_ex, g_in, rise_ex, rise_in = state.g_ex[i], state.g_in[i], state.rise_ex[i], state.rise_in[i]
        state.g_ex[i] = quiet(g_ex * self.decay_ex + rise_ex * self.feed_ex)
        state.g_in[i] = quiet(g_in * self.decay_in + rise_in * self.feed_in)
        state.rise_ex[i] = quiet(rise_ex * self.decay_ex)
        state.rise_in[i] = quiet(rise_in * self.decay_in)


@part
class AlphaSynapses(NamedTuple):
    """A spike opens an input that rises to what is delivered and decays: w (t / tau) exp(1 - t / tau).

    tau_ex  5 ms  time to the peak of the excitatory input
    tau_in  5 ms  time to the peak of the inhibitory input
    """

    tau_ex: Seconds = 5e-3
    tau_in: Seconds = 5e-3

    @property
    def monitored(self) -> tuple[str, ...]:
        return "g_ex", "g_in"

    def check(self):
        positive(self, "tau_ex", "tau_in")

    def over(self, dt, tau_m=math.inf):
        whole, half = ([propagator(tau, tau_m, h) for tau in self] for h in (dt, 0.5 * dt))
        return AlphaInput(
            *_of_ports(whole, 1, 1),
            *_of_ports(half, 1, 1),
            *_of_ports(whole, 1, 2),
            *_of_ports(half, 1, 2),
            *_of_ports(whole, 0, 1),
            *_of_ports(whole, 0, 2),
        )

    def jump(self, port, tau_m):
        return math.e * self[port] / tau_m

    def passed(self, port, s):
        return 1.0 / (1.0 + s * self[port]) ** 2

    def lag(self, port):
        return 2.0 * self[port]


def _of_ports(propagators: list[np.ndarray], row: int, column: int) -> list[float]:
    """One entry of each port's propagator."""
    return [float(each[row, column]) for each in propagators]
