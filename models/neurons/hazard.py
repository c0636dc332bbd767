"""Spikes with a given rate in steps of dt: one exponential is drawn for each spike, and run down by rate * dt in each step."""

from __future__ import annotations

import numpy as np

from ...simulator.streams import exponential


def first_hazards(n: int, rng: np.ndarray) -> np.ndarray:
    """(n,) what each cell has to run down before its first spike; rng: (4,) uint64, moved on in place."""
    with np.errstate(over="ignore"):  # the stream wraps around on purpose
        return np.array([exponential(rng) for _ in range(n)])
