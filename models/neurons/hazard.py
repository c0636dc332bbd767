"""Spikes with a given rate in steps of dt: one exponential is drawn for each spike, and run down by rate * dt in each step."""

from __future__ import annotations

import numpy as np

from ...simulator.streams import next_word


def first_hazards(n: int, rng: np.ndarray) -> np.ndarray:
    """(n,) what each cell has to run down before its first spike, from numpy's generator keyed by the next word of rng, (4,) uint64."""
    with np.errstate(over="ignore"):  # the stream wraps around on purpose
        key = int(next_word(rng))
    return np.random.Generator(np.random.Philox(key=key)).standard_exponential(n)
