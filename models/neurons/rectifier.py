"""The threshold-linear function and its mean under Gaussian noise."""

from __future__ import annotations

import math
from typing import NamedTuple

from ...simulator.protocols import helper


@helper
def noisy_rectifier(mean, sd):
    """E [x]_+ for x normal with this mean and standard deviation; the hard rectifier where sd = 0."""
    if sd <= 0.0:
        return max(mean, 0.0)
    z = mean / sd
    density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return mean * 0.5 * math.erfc(-z / math.sqrt(2.0)) + sd * density


class RectifiedRate(NamedTuple):
    """What the mean rate of a Poisson neuron is reckoned from: its rate without spikes [Hz], below 0 under a threshold, and int eps^2 [1/s].

    Exact where nothing is rectified.
    """

    still: float
    epsp_square_integral: float

    def mean_rate(self, arriving, power, low, log_lag):
        sd = math.sqrt(power * self.epsp_square_integral) if self.still + low < 0.0 else 0.0
        return noisy_rectifier(self.still + arriving, sd)
