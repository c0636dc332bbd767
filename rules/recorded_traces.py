"""What recorded trains leave in filters: sums over past spikes and integrals over what follows, exact and in linear time.

The trains are all there is, so that no cumulants are needed: means over the recording are taken of the traces themselves. After each spike a
filtered train is a sum of c u^m exp(-a u), u from the spike, until the next one. Such sums are carried from spike to spike by doubling: the sum over 2^k
spikes is that over the last 2^(k-1) plus that over those before, moved on.

Source: [derived].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import comb

import numpy as np

from ..simulator.protocols import Empirical
from . import window_integrals as integrals
from .filters import Filter, product

Course = Filter  # terms c u^n exp(-a u) with an array c, a number for each spike


@dataclass(frozen=True, eq=False)
class RecordedTraces:
    """Spikes at `times` (n_spikes,) [s], in order, of the trains `sources` (n_spikes,); they are over at the end, so filters run out."""

    times: np.ndarray
    sources: np.ndarray
    end: float  # how long filters last [s]

    @classmethod
    def of(cls, recording: Empirical, *filters: Filter) -> RecordedTraces:
        """Of a recording: played once, or with as many repetitions before and after as these filters can see."""
        end = integrals.NEGLIGIBLE / min(a for f in filters for _, _, a in f)
        several = int(np.ceil(end / recording.duration)) if recording.loop else 0
        laps = np.arange(-several, several + 1)
        times = (recording.duration * laps[:, None] + recording.times).ravel()
        return cls(times, np.tile(recording.sources, len(laps)), end)

    def per_train(self, recording: Empirical, values: np.ndarray) -> np.ndarray:
        """(n,) [1/s]: the sum of `values`, one for each spike, over those of each train in the recording itself, by its duration."""
        n_spikes = len(recording.times)
        first = (len(self.times) - n_spikes) // 2
        return np.bincount(recording.sources, values[first : first + n_spikes], recording.n) / recording.duration

    def after(self, g: Filter, amounts: np.ndarray) -> Course:
        """sum over spikes l up to k of amounts_l g(t_k + u - t_l), for each spike k."""
        return _course(self.times, g, amounts)

    def before_same(self, g: Filter) -> np.ndarray:
        """(n_spikes,): sum of g(t_k - t_l) over the earlier spikes l of the train of k."""
        order, times = self._by_train
        found = np.empty(len(times))
        found[order] = value(_course(times, g, np.ones(len(times)))) - integrals.evaluate(g, np.zeros(1))
        return found

    @cached_property
    def _by_train(self) -> tuple[np.ndarray, np.ndarray]:
        """The order of spikes train by train, and their times with trains so far apart that none hears another."""
        order = np.argsort(self.sources, kind="stable")
        apart = self.times[-1] - self.times[0] + self.end
        return order, self.times[order] + apart * self.sources[order]

    def ahead(self, f: Filter, course: Course) -> np.ndarray:
        """(n_spikes,): int f(u) course(t_k + u) du, from each spike on, over all that follows."""
        gaps = np.append(np.diff(self.times), self.end)
        total = np.zeros(len(gaps))
        for c, n, a in f:
            powers: list[Filter] = [((1.0, m, a),) for m in range(n + 1)]
            local = [integrals.evaluate(integrals.antiderivative(product(power, course)), gaps) for power in powers]
            total += c * _carried(-self.times[::-1], np.stack(local, axis=1)[::-1], a, _expand)[::-1, n]
        return total


def value(course: Course) -> np.ndarray:
    """(n_spikes,): right after each spike."""
    return np.sum([c for c, n, _ in course if n == 0], axis=0)


def constant(level: float, n_spikes: int) -> Course:
    """The same at all times."""
    return ((np.full(n_spikes, level), 0, 0.0),)


def _course(times: np.ndarray, g: Filter, amounts: np.ndarray) -> Course:
    found: list[tuple[np.ndarray, int, float]] = []
    for c, n, a in g:
        jumps = np.zeros((len(times), n + 1))
        jumps[:, n] = c * amounts
        found += [(column, m, a) for m, column in enumerate(_carried(times, jumps, a, _reexpand).T)]
    return tuple(found)


def _carried(times: np.ndarray, own: np.ndarray, a: float, move: Callable) -> np.ndarray:
    """(n_spikes, m): what is own to each spike and, moved on to it, what was own to those before; moves damp by exp(-a gap)."""
    total, step = own.copy(), 1
    while step < len(times):
        gap = times[step:] - times[:-step]
        if a * gap.min() > integrals.NEGLIGIBLE:
            break
        total[step:] = total[step:] + np.exp(-a * gap)[:, None] * move(total[:-step], gap)
        step *= 2
    return total


def _reexpand(terms: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Coefficients of (u + gap)^m as coefficients of u^m."""
    return np.einsum("smk,sm->sk", _powers(gap, terms.shape[1]), terms)


def _expand(moments: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Integrals over u^m as integrals over (u + gap)^m."""
    return np.einsum("smk,sk->sm", _powers(gap, moments.shape[1]), moments)


def _powers(gap: np.ndarray, size: int) -> np.ndarray:
    """(n_spikes, size, size): the coefficient of u^k in (u + gap)^m, at [:, m, k]."""
    found = np.zeros((len(gap), size, size))
    for m in range(size):
        for k in range(m + 1):
            found[:, m, k] = comb(m, k) * gap ** (m - k)
    return found
