"""Which records of a level, and which spikes, a Run holds where a file holds all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

ENOUGH = 1000  # records for tables and figures, whatever the run was long
SPIKES = 4_000_000  # of a population, the last, for the same: 32 bytes each while they are read
HELD = 256_000_000  # bytes of the weights of one level
BLOCK = 1_000_000  # bytes of weights read or made at once


def held(n_times: int, record_bytes: int, most: int | None = ENOUGH) -> np.ndarray:
    """The indices of the records that are held: every so many, and the last; at most about `most` of them, and HELD bytes."""
    if n_times == 0:
        return np.zeros(0, int)
    by_number = 1 if most is None else -(-n_times // most)
    step = max(1, by_number, -(-n_times * record_bytes // HELD))
    return np.append(np.arange(0, n_times - 1, step), n_times - 1)


def some(dataset: Any, kept: np.ndarray, axis: int) -> np.ndarray:
    """The records kept (n_kept,) of a dataset, along its axis of time.

    They are evenly spaced, but for the last, which is read by itself: HDF5 is quick with steps and slow with lists.
    """
    n, before = _end(kept), (slice(None),) * axis
    if len(kept) == n:
        return dataset[(*before, slice(n))]
    step = int(kept[1] - kept[0])
    parts = slice(0, n - 1, step), slice(n - 1, n)
    return np.concatenate([dataset[(*before, part)] for part in parts], axis=axis)


def read(time: Any, weights: Any, rate: Any, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """time (n_kept,), weights (n_seeds, n_kept, n_post, n_pre), or (n_seeds, n_kept, 1, n_synapses), and output_rate (n_seeds, n_kept, n_post)
    of the records kept (n_kept,), from the datasets of a level."""
    return time[: _end(kept)][kept], with_posts(some(weights, kept, 1)), mean_rates(time, rate, kept)


def with_posts(weights: np.ndarray) -> np.ndarray:
    """Weights as a Run has them: those of a wiring, which files keep as (n_seeds, n_times, n_synapses), get an axis of one in the place of n_post."""
    return weights[:, :, None] if weights.ndim == 3 else weights


def mean_rates(time: Any, rate: Any, kept: np.ndarray) -> np.ndarray:
    """Rates (n_seeds, n_times, n_post), means over the interval that ends at each time, as means over the intervals between those kept."""
    n = _end(kept)
    if len(kept) == n:
        return rate[:, :n]
    time, found = time[:n], np.full((rate.shape[0], len(kept), rate.shape[2]), np.nan)
    n_together = max(1, BLOCK // (8 * rate.shape[0] * rate.shape[2] * int(kept[1] - kept[0])))
    for k in range(1, len(kept), n_together):
        ends = kept[k - 1 : k + n_together]
        first, last = ends[0] + 1, ends[-1] + 1
        counts = np.nan_to_num(rate[:, first:last]) * np.diff(time[first - 1 : last])[:, None]
        found[:, k : k + n_together] = np.add.reduceat(counts, ends[:-1] + 1 - first, axis=1)
    found[:, 1:] /= np.diff(time[kept])[:, None]
    return found


def _end(kept: np.ndarray) -> int:
    """How many records there are up to the last kept."""
    return int(kept[-1]) + 1 if len(kept) else 0
