"""The threshold-linear function and its mean under Gaussian noise."""

from __future__ import annotations

import math

from ...simulator.protocols import helper


@helper
def noisy_rectifier(mean, sd):
    """E [x]_+ for x normal with this mean and standard deviation; the hard rectifier where sd = 0."""
    if sd <= 0.0:
        return max(mean, 0.0)
    z = mean / sd
    density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return mean * 0.5 * math.erfc(-z / math.sqrt(2.0)) + sd * density
