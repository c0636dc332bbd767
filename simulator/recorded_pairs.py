"""Sums over all pairs of recorded spikes of a function of their lag.

Where it is a sum of c x^p exp(-a x) on either side, each train is seen through these filters, whose values at a spike are what all earlier spikes make of
it: that takes a time in proportion to spikes, trains and filters, however many pairs there are. Else the function is looked up in a table for each pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, factorial
from typing import Any, NamedTuple

import numpy as np

from .compile import compiled
from .protocols import HebbscopeError

Terms = Sequence[tuple[float, int, float]]
AT_ONCE = 10**8  # steps of a loop between two moments at which a stop is heeded, some tenths of a second
MOST = 10**11  # steps, in some minutes
AGAIN = 10**4  # steps that another repetition of a recording is worth
IN_MEMORY = 10**3  # steps that a spike of such a repetition is worth


class Filters(NamedTuple):
    """Each (n_filters,): x^power / power! exp(-a x), those of one a in the order of their powers from 0 on; what they count for, after a spike and before it.

    damping: what is left of them after a gap, a buffer.
    """

    a: np.ndarray
    power: np.ndarray
    after: np.ndarray
    before: np.ndarray
    damping: np.ndarray


def filtered_sums(recording: Any, before: Terms, after: Terms, reach: float) -> np.ndarray:
    """(n, n): the sum of f(t_i - t_j) over pairs of spikes of an Empirical, one of train i and another of train j.

    f(x) = after(x), f(-x) = before(x), x >= 0, as terms (c, p, a), negligible beyond `reach` [s]: so far are the repetitions seen of a recording that is
    played over and over.
    """
    filters, rounds = _filters(before, after), _rounds(recording, reach)
    steps = recording.n * len(filters.a)
    _check(recording, (rounds + 1) * max(len(recording.times) * steps, AGAIN), reach)
    state, total = np.zeros((recording.n, len(filters.a))), np.zeros((recording.n, recording.n))
    see, last = compiled(see_filtered, (filters,)), -rounds * recording.duration
    for lap in range(-rounds, 1):
        for part in _parts(recording, steps):
            times = recording.times[part] + lap * recording.duration
            see(times, recording.sources[part], last, lap == 0, filters, state, total)
            last = times[-1]
    return total


def see_filtered(times, sources, last, counts, filters, state, total):
    """Take the state (n, n_filters) of the trains from spike to spike; where it counts, add what each makes of the earlier ones to total (n, n)."""
    damping = filters.damping
    for k in range(len(times)):
        gap = times[k] - last
        last = times[k]
        j = sources[k]
        for m in range(len(damping)):
            damping[m] = exp(-filters.a[m] * gap)
        for i in range(len(state)):
            after, before = 0.0, 0.0
            for m in range(len(damping) - 1, -1, -1):
                moved, weight = state[i, m], 1.0
                for p in range(1, filters.power[m] + 1):
                    weight *= gap / p
                    moved += weight * state[i, m - p]
                state[i, m] = damping[m] * moved if damping[m] > 0.0 else 0.0
                after += filters.after[m] * state[i, m]
                before += filters.before[m] * state[i, m]
            if counts:
                total[j, i] += after
                total[i, j] += before
        for m in range(len(damping)):
            if filters.power[m] == 0:
                state[j, m] += 1.0


def tabulated_sums(recording: Any, table: np.ndarray, reach: float) -> np.ndarray:
    """The same of f in a table (n_lags,), at equal distances from -reach to reach, and 0 beyond."""
    rounds, n_spikes = _rounds(recording, reach), len(recording.times)
    seen = min(2.0 * reach / recording.duration, 2 * rounds + 1) * n_spikes  # by one spike, about
    _check(recording, n_spikes * max(seen, IN_MEMORY * (2 * rounds + 1)), reach)
    laps = np.arange(-rounds, rounds + 1)
    others = (laps[:, None] * recording.duration + recording.times).ravel()
    total, see = np.zeros((recording.n, recording.n)), compiled(see_tabulated, ())
    for part in _parts(recording, max(1, int(seen))):
        itself = rounds * n_spikes + part.start  # where the recording stands among its repetitions
        low = np.searchsorted(others, recording.times[part.start] - reach)
        see(recording.times[part], recording.sources, part.start, others, itself, low, table, reach, total)
    return total


def see_tabulated(times, sources, start, others, itself, low, table, reach, total):
    """For each of some spikes, the first of them `start` in the recording and `itself` among the others, all others within reach, from `low` on."""
    scale = (len(table) - 1) / (2.0 * reach)
    for k in range(len(times)):
        while others[low] < times[k] - reach:
            low += 1
        i, m = sources[start + k], low
        while m < len(others) and others[m] <= times[k] + reach:
            if m != itself + k:
                x = (times[k] - others[m] + reach) * scale
                cell = min(int(x), len(table) - 2)
                total[i, sources[m % len(sources)]] += table[cell] + (x - cell) * (table[cell + 1] - table[cell])
            m += 1


def _filters(before: Terms, after: Terms) -> Filters:
    highest: dict[float, int] = {}
    for _, p, a in (*before, *after):
        highest[a] = max(p, highest.get(a, 0))
    places = [(a, p) for a, most in highest.items() for p in range(most + 1)]
    sides = np.zeros((2, len(places)))
    for side, terms in zip(sides, (after, before), strict=True):
        for c, p, a in terms:
            side[places.index((a, p))] += c * factorial(p)
    rates, powers = np.array([a for a, _ in places]), np.array([p for _, p in places], np.int64)
    return Filters(rates, powers, sides[0], sides[1], np.empty(len(places)))


def _rounds(recording: Any, reach: float) -> int:
    """Repetitions on each side that are within reach."""
    return int(np.ceil(reach / recording.duration)) if recording.loop else 0


def _parts(recording: Any, steps: int) -> list[slice]:
    """The spikes, each of so many steps, in parts that take no longer than a user waits."""
    size = max(1, AT_ONCE // steps)
    return [slice(first, first + size) for first in range(0, len(recording.times), size)]


def _check(recording: Any, steps: float, reach: float) -> None:
    if steps > MOST:
        raise HebbscopeError(
            f"recording: {len(recording.times):,} spikes in {recording.duration:g} s meet too many of each other within the {reach:g} s that the "
            f"window reaches; a shorter window or recording would do"
        )
