"""What kind of theory a run of the rate level is."""

from __future__ import annotations

from typing import Any

import numpy as np


def is_averaged(rate: Any) -> bool:
    """Whether a rate run integrated the averaged equation, rather than sampling the input's rates."""
    return "coefficients" in rate.theory


def has_causal(rate: Any) -> bool:
    """Whether the equation has a causal term: without it weights go another way."""
    return has_bare(rate) and bool(np.any(rate.theory["weights_without_causal"] != rate.weights.mean(axis=0)))


def has_bare(rate: Any) -> bool:
    """Whether it did so without the causal term, too, as of one layer."""
    return "weights_without_causal" in rate.theory
