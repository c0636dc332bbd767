"""The mean rate of a leaky integrate-and-fire neuron under noise, as a loop compiles it: the formula of diffusion.py, one cell at a time."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ...simulator.protocols import helper
from .diffusion import OVERSHOOT, QUIETEST, ROOT, moments
from .lif import LIF

NODES, WEIGHTS = np.polynomial.legendre.leggauss(10)  # of Gauss and Legendre, from -1 to 1
BEYOND = 25.0  # sd sqrt(2) below threshold, who never fires
FAR = 25.0  # from where on erfcx is its asymptotic series, to 1e-12
STEEPEST = 2.0  # by how much the exponent of what is integrated grows in a panel
NOTHING = 40.0  # by how much its exponent is below its largest where it counts no more


@helper
def scaled_erfc(x):
    """exp(x^2) erfc(x), x >= 0."""
    if x < FAR:
        return math.exp(x * x) * math.erfc(x)
    y = 0.5 / (x * x)
    return (1.0 - y * (1.0 - y * (3.0 - y * (15.0 - 105.0 * y)))) / (x * math.sqrt(math.pi))


@helper
def waiting(u):
    """exp(u^2) (1 + erf(u))."""
    return scaled_erfc(-u) if u <= 0.0 else math.exp(u * u) * (2.0 - math.erfc(u))


@helper
def waited(low, high):
    """The integral of exp(u^2) (1 + erf(u)) from low to high, relative error 1e-11, in panels that are as long as it stays of one order of magnitude."""
    total, top = 0.0, high
    while top > low and (top <= 0.0 or high * high - top * top < NOTHING):
        long = max(1.0, -top) if top <= 1.0 else STEEPEST / (2.0 * top)
        bottom = max(low, top - long)
        middle, half = 0.5 * (top + bottom), 0.5 * (top - bottom)
        for k in range(len(NODES)):
            total += half * WEIGHTS[k] * waiting(middle + half * NODES[k])
        top = bottom
    return total


class FiringRate(NamedTuple):
    """What the mean rate of a cell is reckoned from.

    still             V    where the potential goes without spikes
    once, twice       s    by how much what arrives moves its mean, and the power of that its variance
    V_th, V_reset     V
    tau_m, refractory s
    seldom            1    by how many sd threshold seems higher that is only looked at between steps
    lagging   1/sqrt(s)    by how many, and reset too, over the root of how long synapses take; 0 where they take no time
    least             V    sd of no noise at all
    """

    still: float
    once: float
    twice: float
    V_th: float
    V_reset: float
    tau_m: float
    refractory: float
    seldom: float
    lagging: float
    least: float

    def mean_rate(self, arriving, power, low, log_lag):
        mean, sd = self.still + self.once * arriving, max(math.sqrt(self.twice * max(power, 0.0)), self.least)
        higher, seldom = self.lagging * math.exp(0.5 * log_lag) * sd, self.seldom * sd
        top = self.V_th + math.sqrt(higher * higher + seldom * seldom) - mean
        unit = math.sqrt(2.0) * sd
        if not top < BEYOND * unit:
            return 0.0 if top >= BEYOND * unit else math.nan
        bottom = self.V_reset + higher - mean
        return 1.0 / (self.refractory + self.tau_m * math.sqrt(math.pi) * waited(bottom / unit, top / unit))


def firing_rate(neuron: LIF, dt: float) -> FiringRate:
    """Of a neuron that is looked at every dt [s], as `driven` of diffusion.py has it."""
    at_once = neuron.synapses.lag(0) == 0.0
    once, twice = moments(neuron, dt if at_once else 0.0)
    seldom, lagging = OVERSHOOT * math.sqrt(2.0 * dt / neuron.tau_m), 0.0 if at_once else ROOT / math.sqrt(neuron.tau_m)
    least = QUIETEST * (neuron.V_th - neuron.V_reset)
    of_cell = neuron.V_th, neuron.V_reset, neuron.tau_m, neuron.refractory
    return FiringRate(neuron.E_L + neuron.drive, once, twice, *of_cell, seldom, lagging, least)
