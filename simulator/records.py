"""Which records a Run holds in memory where its file holds all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

HELD = 256_000_000  # bytes of the weights of one level


def stride(n_times: int, record_bytes: int) -> int:
    """1 where all records of so many bytes fit into HELD, else the step at which they do."""
    return max(1, -(-n_times * record_bytes // HELD))


def held(n_times: int, record_bytes: int) -> np.ndarray:
    """The indices of the records that are held: every so many, and the last."""
    if n_times == 0:
        return np.zeros(0, int)
    return np.append(np.arange(0, n_times - 1, stride(n_times, record_bytes)), n_times - 1)


def read(time: Any, weights: Any, rate: Any, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """weights (n_seeds, n_kept, n_post, n_pre), or (n_seeds, n_kept, 1, n_synapses), and output_rate (n_seeds, n_kept, n_post) from the
    datasets of a level.

    kept (n_kept,) are evenly spaced, but for the last, which is read by itself: HDF5 is quick with steps and slow with lists.
    """
    n = int(kept[-1]) + 1 if len(kept) else 0
    if len(kept) == n:
        return with_posts(weights[:, :n]), rate[:, :n]
    step = int(kept[1] - kept[0])
    some = np.concatenate([weights[:, 0 : n - 1 : step], weights[:, n - 1 : n]], axis=1)
    return with_posts(some), mean_rates(time[:n], rate[:, :n], kept)


def with_posts(weights: np.ndarray) -> np.ndarray:
    """Weights as a Run has them: those of a wiring, which files keep as (n_seeds, n_times, n_synapses), get an axis of one in the place of n_post."""
    return weights[:, :, None] if weights.ndim == 3 else weights


def mean_rates(time: np.ndarray, rate: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Rates (n_seeds, n_times, n_post), means over the interval that ends at each time, as means over the intervals between those kept."""
    if len(kept) == len(time):
        return rate
    counts = np.cumsum(np.nan_to_num(rate[:, 1:]) * np.diff(time)[:, None], axis=1)
    found = np.full((rate.shape[0], len(kept), rate.shape[2]), np.nan)
    found[:, 1:] = np.diff(counts[:, kept[1:] - 1], axis=1, prepend=0.0) / np.diff(time[kept])[:, None]
    return found
