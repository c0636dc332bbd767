"""Initial weights that are drawn: each part has draw(generator, *shape), for synapses of any wiring."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..simulator.protocols import finite, non_negative, part, positive, require


@part
class Uniform(NamedTuple):
    """Initial weights, equally likely anywhere in [low, high).

    low   0  least weight
    high  1  bound above all weights
    """

    low: float = 0.0
    high: float = 1.0

    def check(self):
        finite(self, "low", "high")
        require(self.high >= self.low, self, "high", f"must be >= low = {self.low:g}")

    def draw(self, generator, *shape):
        return generator.uniform(self.low, self.high, shape)


@part
class Normal(NamedTuple):
    """Initial weights, normally distributed; what lies beyond a bound is set to it.

    mean  0.5  before bounds
    sd    0.1  standard deviation before bounds
    low   0    least weight
    high  inf  largest weight
    """

    mean: float = 0.5
    sd: float = 0.1
    low: float = 0.0
    high: float = math.inf

    def check(self):
        finite(self, "mean")
        non_negative(self, "sd")
        require(self.low == self.low, self, "low", "must be a number")
        require(self.high >= self.low, self, "high", f"must be >= low = {self.low:g}")

    def draw(self, generator, *shape):
        return np.clip(generator.normal(self.mean, self.sd, shape), self.low, self.high)


@part
class LogNormal(NamedTuple):
    """Initial weights whose logarithm is normal; what lies beyond the bound is set to it.

    mean  0.5  of the weights themselves, before the bound
    sd    0.5  their standard deviation
    high  inf  largest weight

    Source: strengths of cortical synapses are about lognormal, Song, Sjostrom, Reigl, Nelson & Chklovskii, PLoS Biol 3:e68 (2005) [recalled].
    """

    mean: float = 0.5
    sd: float = 0.5
    high: float = math.inf

    def check(self):
        positive(self, "mean")
        non_negative(self, "sd")
        require(self.high > 0.0, self, "high", "must be > 0")

    def draw(self, generator, *shape):
        variance = math.log1p((self.sd / self.mean) ** 2)  # of the logarithm
        w = generator.lognormal(math.log(self.mean) - 0.5 * variance, math.sqrt(variance), shape)
        return np.minimum(w, self.high)
