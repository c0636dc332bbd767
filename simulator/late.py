"""The output rate late in a run: over what it is averaged, and its mean.

A record has the mean of the interval that ends there, which may be too short to hold a spike. What is said of a run is the mean over its last part.
"""

from __future__ import annotations

import numpy as np

SHARE = 0.1  # of the time so far that is averaged over
ENOUGH = 100.0  # spikes of all cells and seeds in it, which make its rate known to about a tenth; with less it reaches further back


def late(time: np.ndarray, rates: np.ndarray, end: float) -> tuple[float, float]:
    """From when to when the output rate is averaged [s]: the last SHARE of the time until `end`, from a record on; more where that holds less than ENOUGH
    spikes by the mean rate so far, at most all of it.

    Its length follows from the number of all spikes, not from when they came: of these, spikes at a steady rate lie in it in proportion to its length, so that
    the choice does not bias the mean. time (n_times,) s and rates (n_seeds, n_times, n_post) Hz as a Run has them: until its last record at most, and nan where it
    has none.
    """
    if not len(time):
        return float("nan"), float("nan")
    end = min(float(end), float(time[-1]))
    n_spikes = end * float(mean_between(time, rates, 0.0, end).sum())
    share = SHARE if not np.isfinite(n_spikes) else min(1.0, max(SHARE, ENOUGH / n_spikes if n_spikes else 1.0))
    before = time[time <= (1.0 - share + 1e-9) * end]
    return float(before[-1]), end


def mean_between(time: np.ndarray, rates: np.ndarray, start: float, stop: float) -> np.ndarray:
    """Rates (n_seeds, n_times, n_post) [Hz], means over the intervals that end at `time` (n_times,) [s] -> (n_seeds, n_post) Hz, the mean between two times [s]."""
    shared = np.minimum(time[1:], stop) - np.maximum(time[:-1], start)  # of each interval
    within = np.flatnonzero(shared > 0.0)
    lengths = shared[within]
    if not within.size:
        return np.full((len(rates), rates.shape[2]), np.nan)
    return np.einsum("stp,t->sp", rates[:, within + 1], lengths) / lengths.sum()
