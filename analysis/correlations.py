"""Spike-train cross-correlations, as the learning rule sees them: how often an input spike falls s before or after an output spike."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..simulator.protocols import HebbscopeError


class Correlogram(NamedTuple):
    """s (n_bins,) s, centres of the bins of t_pre - t_post; rate (n_bins,) Hz, presynaptic spikes per synapse at that lag from an
    output spike; expected Hz, the same if the trains were independent; error (n_bins,) Hz, of counting."""

    s: np.ndarray
    rate: np.ndarray
    expected: float
    error: np.ndarray


def correlogram(
    pre: np.ndarray, post: np.ndarray, n_pre: int, width: float = 60e-3, bin_width: float = 1e-3
) -> Correlogram:
    """Cross-correlogram of the spikes of n_pre synapses with those of one output.

    pre (n_spikes,) s and post (n_output_spikes,) s are ascending; lags reach from -width to width [s]. Output spikes nearer than `width` to either
    end of the presynaptic record are left out, so that each sees the whole range.
    """
    if len(pre) < 2 or len(post) == 0:
        raise HebbscopeError(
            "correlations need spikes of the inputs and of the neuron that were recorded at the same time"
        )
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
    """The correlogram of each input group with the first output neuron of a run; HebbscopeError where spikes are missing."""
    source, target = populations(run)
    for name, spikes in (("inputs", source), ("neuron", target)):
        if not len(spikes):
            raise HebbscopeError(f"correlations: the {run.level} run lacks recorded spikes of the {name}")
    post = target.t[target.i == 0]
    overlap = slice(*np.searchsorted(source.t, (post[0] - width, post[-1] + width))) if len(post) else slice(0)
    t, i = source.t[overlap], source.i[overlap]
    groups = np.array(run.groups)
    return {
        name: correlogram(t[groups[i] == name], post, int(np.sum(groups == name)), width, bin_width)
        for name in dict.fromkeys(run.groups)
    }


def populations(run: Any) -> tuple[Any, Any]:
    """The spikes of the inputs and of the neurons of a run, told by the projection's name, else by their order; either may be none.

    A run keeps input spikes of its end alone, so that one that was stopped before has those of the neurons. HebbscopeError without any.
    """
    heard = {name: spikes for name, spikes in run.spikes.items() if len(spikes)}
    if not heard:
        raise HebbscopeError(f"the {run.level} run has no recorded spikes")
    sources = [name for name in heard if run.projection.startswith(f"{name}_to_")]
    first, *others = [*sources, *(name for name in heard if name not in sources)]
    if others:
        return heard[first], heard[others[0]]
    none = type(heard[first])([], [])
    return (heard[first], none) if sources else (none, heard[first])
