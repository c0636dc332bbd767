"""How the figures look: colours told apart by everyone, thin frames, sizes for a journal's column; no pyplot state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe & Ito's palette, which readers with any colour vision tell apart.
LEVEL_COLOURS = {"spike": "#D55E00", "surrogate": "#0072B2", "rate": "#000000"}
GROUP_COLOURS = ("#999999", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
THEORY = "#000000"
COLUMN = 3.4  # width of a journal's column [inch]
PAGE = 7.1
DASHES = (0, (4, 2))

STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
}


def draws(function: Callable[..., Any]) -> Callable[..., Any]:
    """A figure function: it takes `ax` (by default a new one of column width) and returns it, with a thin frame."""

    @wraps(function)
    def drawn(*args: Any, ax: Axes | None = None, **kwargs: Any) -> Axes:
        from matplotlib import rc_context

        if ax is None:
            with rc_context(STYLE):
                return drawn(*args, ax=new_figure(COLUMN, 2.5).add_subplot(), **kwargs)
        function(*args, ax=ax, **kwargs)
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(length=2.5, width=0.6, labelsize=7)
        return ax

    return drawn


def new_figure(width: float, height: float) -> Any:
    """An empty matplotlib Figure [inch] that is not pyplot's."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=200, layout="constrained")


def paled(colour: str, share: float) -> tuple[float, float, float]:
    """A colour mixed with white; `share` of it is left."""
    from matplotlib.colors import to_rgb

    r, g, b = (1 - share * (1 - part) for part in to_rgb(colour))
    return r, g, b


def group_shades(colour: str, n_groups: int) -> list[tuple[float, float, float]]:
    """Shades of one colour, from pale (first group) to full (last)."""
    return [paled(colour, share) for share in (np.linspace(0.55, 1.0, n_groups) if n_groups > 1 else [1.0])]


def time_axis(ax: Axes, time: np.ndarray) -> None:
    """Label, limits and few ticks for a time axis, in s or in 1000 s; the data stay in s."""
    from matplotlib.ticker import MaxNLocator

    ax.set_xlim(time[0], time[-1])
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    thousands = time[-1] >= 4000
    ax.set_xlabel("time [1000 s]" if thousands else "time [s]")
    if thousands:
        scaled_ticks(ax.xaxis, 1e-3)


def weight_axis(axis: Any, label: str, largest: float) -> None:
    """Label an axis of weights; small ones in thousandths. The data stay as they are."""
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    side_by_side = axis.axis_name == "x"  # numbers that take more room than one above the other
    axis.set_major_locator(MaxNLocator(3 if side_by_side else 5, steps=[1, 2, 5, 10]))
    small = largest < 0.1
    axis.set_label_text(f"{label} [10$^{{-3}}$]" if small else label)
    if small:
        scaled_ticks(axis, 1e3)
    else:
        axis.set_major_formatter(ScalarFormatter())  # an axis that shares its ticks may have had others


def scaled_ticks(axis: Any, factor: float) -> None:
    """Tick labels that show value * factor."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * factor:.10g}".replace("-", "\N{MINUS SIGN}")))


def label_ends(ax: Axes, labels: Sequence[tuple[str, float, Any]]) -> None:
    """Names (text, y, colour) at the right end of their lines, moved apart where they would overlap."""
    low, high = ax.get_ylim()
    room = 0.12 * ax.figure.dpi / ax.bbox.height  # a line of text, as a share of the axis
    at = sorted(((y - low) / (high - low), text, colour) for text, y, colour in labels if np.isfinite(y))
    places = [y for y, _, _ in at]
    for _ in range(50):
        for k in range(len(places) - 1):
            overlap = room - (places[k + 1] - places[k])
            if overlap > 1e-9:
                places[k] -= overlap / 2
                places[k + 1] += overlap / 2
    for y, (_, text, colour) in zip(places, at, strict=True):
        at_data = low + y * (high - low)  # so that it follows limits that change later
        ax.text(
            1.02, at_data, text, transform=ax.get_yaxis_transform(), color=colour, va="center", ha="left", fontsize=7
        )
