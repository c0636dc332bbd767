"""Figures of any network: the spikes of all its populations, and these beside the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..simulator.protocols import HebbscopeError
from .figures import distribution, weights
from .style import GROUP_COLOURS, PAGE, STYLE, draws, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CELLS = 200  # of a population that are drawn, evenly spaced
GAP = 0.08  # between populations, of the height of all


@draws
def raster(run: Any, *, ax: Axes, start: float | None = None, length: float = 0.5) -> None:
    """Spikes of the first seed, population above population in the order of the network; of a large one MOST_CELLS cells, evenly spaced.

    start   first time shown [s]; default: so that the end of the record is shown
    length  time shown [s]
    """
    recorded = {name: run.spikes[name] for name in run.listened}
    colours = {name: GROUP_COLOURS[k % len(GROUP_COLOURS)] for k, name in enumerate(recorded)}
    heard = {name: spikes for name, spikes in recorded.items() if len(spikes)}
    if not heard:
        raise HebbscopeError(f"the {run.level} run has no recorded spikes")
    start = max(0.0, max(float(spikes.t[-1]) for spikes in heard.values()) - length) if start is None else start
    base, ticks = 0.0, {}
    gap = GAP * sum(min(run.n_cells(name), MOST_CELLS) for name in heard)
    for name, spikes in heard.items():
        n = run.n_cells(name)
        shown = np.arange(min(n, MOST_CELLS)) * n // min(n, MOST_CELLS)
        here = spikes.between(start, start + length)
        rows = np.searchsorted(shown, here.i)
        drawn = shown[np.minimum(rows, len(shown) - 1)] == here.i
        ax.plot(here.t[drawn], base + rows[drawn], ".", ms=2.0, mew=0, color=colours[name])
        ticks[base + 0.5 * len(shown)] = name if len(shown) == n else f"{name}\n{len(shown)} of {n:,}"
        base += len(shown) + gap
    ax.set_yticks(list(ticks), list(ticks.values()))
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-gap, base)
    ax.set_xlim(start, start + length)
    ax.set_xlabel("time [s]")


def summary(run: Any) -> Any:
    """The raster beside the weights, over time and at the end, as one figure."""
    from matplotlib import rc_context

    with rc_context(STYLE):
        figure = new_figure(PAGE, 3.2)
        heard = any(len(spikes) for spikes in run.spikes.values())
        axes = figure.subplots(1, 2 + heard, squeeze=False, width_ratios=[1.0] * heard + [1.0, 0.6])[0]
        if heard:
            raster(run, ax=axes[0])
        weights(run, ax=axes[-2])
        axes[-2].set_title(f"Weights {run.projection.replace('_', ' ')}")
        distribution(run, ax=axes[-1])
        axes[-1].set_title("At the end")
    return figure
