"""What kind of theory a run of the rate level is."""

from __future__ import annotations

from typing import Any


def is_averaged(rate: Any) -> bool:
    """Whether a rate run integrated the averaged equation, rather than sampling the input's rates."""
    return "coefficients" in rate.theory


def has_bare(rate: Any) -> bool:
    """Whether it did so without the causal term, too, as of one layer."""
    return "weights_without_causal" in rate.theory
