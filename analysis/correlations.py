"""Spike-train cross-correlations, as the learning rule sees them: how often an input spike falls s before or after an output spike."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..simulator.protocols import HebbscopeError


class Correlogram(NamedTuple):
    """s (n_bins,) s, centres of the bins of t_pre - t_post; rate (n_bins,) Hz, presynaptic spikes per source cell at that lag from an
    output spike; expected Hz, the same if the trains were independent; error (n_bins,) Hz, of counting."""

    s: np.ndarray
    rate: np.ndarray
    expected: float
    error: np.ndarray


def correlogram(
    pre: np.ndarray, post: np.ndarray, n_pre: int, width: float = 60e-3, bin_width: float = 1e-3
) -> Correlogram:
    """Cross-correlogram of the spikes of n_pre source cells with those of one output.

    pre (n_spikes,) s and post (n_output_spikes,) s are ascending; lags reach from -width to width [s]. Output spikes nearer than `width` to either
    end of the presynaptic record are left out, so that each sees the whole range.
    """
    if len(pre) < 2 or len(post) == 0:
        raise HebbscopeError("correlations need spikes of both populations that were recorded at the same time")
    start, stop = pre[0], pre[-1]
    post = post[(post >= start + width) & (post <= stop - width)]
    if len(post) == 0:
        raise HebbscopeError(f"no output spike has {width:g} s of recorded input on both sides")
    half = round(width / bin_width)
    counts = np.zeros(2 * half, dtype=np.int64)
    first, last = np.searchsorted(pre, post - width), np.searchsorted(pre, post + width)
    for t, a, b in zip(post, first, last, strict=True):
        k = np.floor((pre[a:b] - t) / bin_width).astype(np.int64) + half
        np.add.at(counts, k[(k >= 0) & (k < 2 * half)], 1)
    unit = len(post) * n_pre * bin_width
    s = (np.arange(2 * half) + 0.5 - half) * bin_width
    return Correlogram(s, counts / unit, len(pre) / (n_pre * (stop - start)), np.sqrt(counts) / unit)


def input_output(run: Any, width: float = 60e-3, bin_width: float = 1e-3) -> dict[str, Correlogram]:
    """The correlogram of each group of the source with the first cell of the target that has synapses and spikes, of the sources that are joined to it.

    HebbscopeError where spikes are missing.
    """
    source, target = populations(run)
    for name, end, spikes in ((run.source, "source", source), (run.target, "target", target)):
        if not len(spikes):
            raise HebbscopeError(
                f"correlations: the {run.level} run lacks recorded spikes of {name}, the {end} of {run.projection}"
            )
    cell = _first_heard(run, target)
    post, joined = target.t[target.i == cell], _sources_of(run, cell)
    overlap = slice(*np.searchsorted(source.t, (post[0] - width, post[-1] + width)))
    t, i = source.t[overlap], source.i[overlap]
    found = {}
    for name, members in group_cells(run).items():
        own = np.intersect1d(members, joined)
        if np.isin(i, own).sum() > 1:
            found[name] = correlogram(t[np.isin(i, own)], post, len(own), width, bin_width)
    return found


def populations(run: Any) -> tuple[Any, Any]:
    """The spikes of the source and of the target of the projection that is recorded, which may be one population; either may be none.

    A run keeps input spikes of its end alone, so that one that was stopped before has those of the neurons. HebbscopeError without any.
    """
    heard = {name: run.spikes[name] for name in (run.source, run.target) if len(run.spikes.get(name, ()))}
    if not heard:
        names = " or ".join(dict.fromkeys((run.source, run.target)))
        raise HebbscopeError(f"the {run.level} run has no recorded spikes of {names}")
    none = type(next(iter(heard.values())))([], [])
    return heard.get(run.source, none), heard.get(run.target, none)


def group_cells(run: Any) -> dict[str, np.ndarray]:
    """Group -> its cells of the source, of those that have synapses; in the order of the cells."""
    names = np.array(run.source_groups)
    return {name: np.flatnonzero(names == name) for name in dict.fromkeys(run.source_groups) if name}


def _first_heard(run: Any, target: Any) -> int:
    """The first cell of the target that has synapses and spikes."""
    cells = np.unique(target.i)
    cells = cells if run.wiring is None else cells[np.isin(cells, run.wiring.post)]
    if not len(cells):
        raise HebbscopeError(f"correlations: no cell of {run.target} that {run.projection} joins has recorded spikes")
    return int(cells[0])


def _sources_of(run: Any, cell: int) -> np.ndarray:
    """The cells of the source that are joined to one of the target."""
    return np.arange(run.n_pre) if run.wiring is None else np.unique(run.wiring.pre[run.wiring.post == cell])
