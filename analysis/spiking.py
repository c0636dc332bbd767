"""What is read from spike trains: rates, irregularity, synchrony."""

from __future__ import annotations

import numpy as np

FEWEST = 5  # intervals of a cell from which its irregularity is told


def rates(i: np.ndarray, n_cells: int, length: float) -> np.ndarray:
    """(n_cells,) Hz: spikes of each cell in `length` [s], from the cells `i` (n_spikes,)."""
    return np.bincount(i, minlength=n_cells) / length


def cv(t: np.ndarray, i: np.ndarray, n_cells: int, fewest: int = FEWEST) -> np.ndarray:
    """(n_cells,) coefficient of variation of the intervals between the spikes of each cell: sd / mean; NaN for cells with less than `fewest` intervals.

    t (n_spikes,) s and i (n_spikes,). 0 for a clock, 1 for a Poisson train, more for bursts. The sd is that of the sample, with n - 1.

    Source: Softky & Koch, J Neurosci 13:334 (1993) [recalled].
    """
    order = np.lexsort((t, i))
    cells, intervals = i[order][1:], np.diff(t[order])
    own = i[order][:-1] == cells  # not from the last spike of one cell to the first of the next
    cells, intervals = cells[own], intervals[own]
    n = np.bincount(cells, minlength=n_cells)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(cells, intervals, n_cells) / n
        squares = np.bincount(cells, (intervals - mean[cells]) ** 2, n_cells)
        found = np.sqrt(squares / (n - 1)) / mean
    return np.where(n >= fewest, found, np.nan)


def synchrony(
    t: np.ndarray, i: np.ndarray, n_cells: int, window: tuple[float, float], bin_width: float = 5e-3
) -> float:
    """How much the cells of a population go together: chi = sqrt(variance of the mean count / mean variance of the counts), over time, of the counts
    in bins of `bin_width` [s] within `window` [s].

    1 where all cells do the same, about 1 / sqrt(n_cells) where they are independent; NaN where no count varies, and for one cell, which is with itself.

    Source: Golomb & Rinzel, Phys Rev E 48:4810 (1993); Golomb, Scholarpedia 2(1):1347 (2007) [recalled].
    """
    n_bins = int((window[1] - window[0]) / bin_width + 1e-9)
    if n_bins < 2 or n_cells < 2:
        return float("nan")
    k = np.floor((t - window[0]) / bin_width + 1e-9).astype(np.int64)
    inside = (k >= 0) & (k < n_bins)
    spikes, n = np.unique(i[inside] * n_bins + k[inside], return_counts=True)
    cells = spikes // n_bins
    mean = np.bincount(cells, n, n_cells) / n_bins
    variances = np.bincount(cells, n**2, n_cells) / n_bins - mean**2
    total = np.bincount(k[inside], minlength=n_bins) / n_cells
    own = float(np.mean(variances))
    return float(np.sqrt(np.var(total) / own)) if own > 0.0 else float("nan")


def near_bounds(weights: np.ndarray, low: float, high: float, share: float = 0.1) -> tuple[float, float]:
    """The fractions of weights within `share` of the range from the lower and from the upper bound; NaN where a bound is infinite."""
    if not np.isfinite(high - low):
        return float("nan"), float("nan")
    reach = share * (high - low)
    return float(np.mean(weights <= low + reach)), float(np.mean(weights >= high - reach))


def at_bounds(weights: np.ndarray, low: float, high: float, share: float = 0.01) -> tuple[float, float]:
    """The fractions of weights within `share` of the lower and of the upper bound: of the range, or where one is infinite of the largest weight; 0 where
    a bound is infinite."""
    scale = high - low if np.isfinite(high - low) else float(np.abs(weights).max())
    near = (np.abs(weights - bound) <= share * scale if np.isfinite(bound) else np.zeros(1) for bound in (low, high))
    at_low, at_high = (float(np.mean(each)) for each in near)
    return at_low, at_high


def excess_coincidences(
    pre: tuple[np.ndarray, np.ndarray],
    post: tuple[np.ndarray, np.ndarray],
    sizes: tuple[int, int],
    window: tuple[float, float],
    tau: float,
) -> np.ndarray:
    """(n_post, n_pre) Hz: C = int cov(s) exp(-|s| / tau) ds of each cell of one population with each of another, cov(s) the covariance of their trains.

    pre, post  times t [s] and cells i of all spikes (n_spikes,)
    sizes      n_pre, n_post
    window     from, to [s]: the spikes that are looked at; pairs beyond its ends are allowed for, where it is many tau long
    tau        [s]

    Summed over all pairs of spikes, without bins, less what independent trains of the same rates would have. Spikes at one time are one pair.
    """
    (n_pre, n_post), length = sizes, window[1] - window[0]
    found, mirrored = np.zeros((n_post, n_pre)), np.zeros((n_pre, n_post))  # by which spike is the later one
    before, after, last = np.zeros(n_pre), np.zeros(n_post), window[0]
    (t_pre, j), (t_post, i) = (_within(train, window) for train in (pre, post))
    moments = np.union1d(t_pre, t_post)
    first, second = (np.searchsorted(t, np.append(moments, np.inf)) for t in (t_pre, t_post))
    for k, t in enumerate(moments):
        left = np.exp((last - t) / tau)
        before *= left
        after *= left
        sources, targets = j[first[k] : first[k + 1]], i[second[k] : second[k + 1]]
        mirrored[sources] += after
        before[sources] += 1.0
        found[targets] += before
        after[targets] += 1.0
        last = t
    chance = 2.0 * tau * (length - tau) / length**2
    counts = np.outer(np.bincount(i, minlength=n_post), np.bincount(j, minlength=n_pre))
    return (found + mirrored.T - chance * counts) / length


def _within(train: tuple[np.ndarray, np.ndarray], window: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Times and cells of the spikes in a window, by time."""
    t, i = train
    inside = np.flatnonzero((t >= window[0]) & (t < window[1]))
    order = inside[np.argsort(t[inside], kind="stable")]
    return t[order], i[order]
