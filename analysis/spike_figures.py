"""Figures of spikes and of what couples them: the learning window, a raster with rates, cross-correlations.

Every function takes `ax` (by default a new one) and returns it. The window and the correlations share their time axis: t_post - t_pre by
default (convention "post-pre"), or the papers' s = t_pre - t_post (convention "kempter").
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..simulator.protocols import HebbscopeError
from .correlations import group_cells, input_output, populations
from .style import DASHES, GROUP_COLOURS, LEVEL_COLOURS, THEORY, draws, label_ends, scaled_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POTENTIATION, DEPRESSION = "#D55E00", "#0072B2"
CONVENTIONS = {"post-pre": (-1.0, "t$_{post}$ − t$_{pre}$ [ms]"), "kempter": (1.0, "s = t$_{pre}$ − t$_{post}$ [ms]")}
INK = "0.2"
RATES, TRAINS = 0.25, 0.68  # of a raster's height; the gap keeps their tick labels apart


@draws
def window(part: Any, neuron: Any = None, *, ax: Axes, convention: str = "post-pre") -> None:
    """The learning window W of a window part, or of a rule that has one, in units of the rule's eta.

    With a `neuron`, its EPSP (scaled to the window's height) lies behind: the overlap of the two is what the causal term lives on.
    """
    part = getattr(part, "window", part)
    sign, label = _convention(convention)
    reach = _reach(part)
    s = np.sort(np.append(np.linspace(-reach, reach, 2001), [0.0, 1e-12]))
    value = part.value(s)
    for side, colour in ((value > 0, POTENTIATION), (value < 0, DEPRESSION)):
        ax.fill_between(sign * s, np.where(side, value, 0.0), color=colour, alpha=0.25, lw=0)
    ax.plot(sign * s, value, color=INK, lw=1.2)
    if neuron is not None:
        u = np.linspace(0.0, reach, 500)
        epsp = np.asarray(neuron.epsp(u))
        ax.plot(
            -sign * u, epsp * np.abs(value).max() / epsp.max(), color=THEORY, ls=DASHES, lw=0.9, label="EPSP, scaled"
        )
        ax.legend(loc="best", handlelength=2.2)
    ax.axhline(0.0, color="0.6", lw=0.6, zorder=0)
    ax.axvline(0.0, color="0.6", lw=0.6, zorder=0)
    ax.set_xlim(-reach, reach)
    ax.set_xlabel(label)
    ax.set_ylabel("learning window W [η]")
    scaled_ticks(ax.xaxis, 1e3)


@draws
def raster(run: Any, *, ax: Axes, start: float | None = None, length: float = 0.5, smoothing: float = 4e-3) -> None:
    """Spikes of the first seed, input trains by group and the neurons below, and over them the mean rate of each, of those that are recorded.

    start      first time shown [s]; default: so that the end of the record is shown
    length     time shown [s]
    smoothing  standard deviation of the Gaussian that makes input spikes a rate [s]; output spikes, so few, get five times as much
    """
    source, target = populations(run)
    recorded = [len(spikes) > 0 for spikes in (source, target)]
    end = min(spikes.t[-1] for spikes in (source, target) if len(spikes))
    start = max(0.0, math.ceil((end - length) * 100) / 100) if start is None else start
    source, target = source.between(start, start + length), target.between(start, start + length)
    if not len(source) and not len(target):
        raise HebbscopeError(f"no spikes are recorded between {start:g} s and {start + length:g} s")
    rates = ax.inset_axes((0.0, 1.0 - RATES, 1.0, RATES), sharex=ax)
    height = max(1.0, 0.1 * run.n_pre)
    ends = _input_trains(ax, rates, run, source, (start, length), smoothing) if recorded[0] else []
    ends += _output_trains(ax, rates, run, target, (start, length), 5 * smoothing, height) if recorded[1] else []
    for here, name, y in zip(recorded, (run.source, run.target), (run.n_pre / 2, -1.1 * height), strict=True):
        if not here:
            ax.text(start + length / 2, y, f"no spikes of {name} recorded", color="0.4", ha="center", va="center")
    ax.set_ylim(-1.8 * height, (run.n_pre + 1.8 * height) / TRAINS - 1.8 * height)  # the rates lie in the upper part
    ax.set_yticks([0, run.n_pre // 2, run.n_pre])
    ax.set_ylabel("input", y=0.4)
    _local_time(ax, start, length)
    label_ends(ax, ends)
    _thin(rates)


def _input_trains(
    ax: Axes, rates: Axes, run: Any, spikes: Any, shown: tuple[float, float], smoothing: float
) -> list[tuple[str, float, Any]]:
    """Dots on `ax` and mean rates on `rates`, group by group, of the sources that have synapses; returns the labels of the groups."""
    ends = []
    for k, (name, members) in enumerate(group_cells(run).items()):
        colour, mine = GROUP_COLOURS[k % len(GROUP_COLOURS)], np.isin(spikes.i, members)
        ax.plot(spikes.t[mine], spikes.i[mine], ".", ms=2.6, mew=0, color=colour)
        _rate(rates, spikes.t[mine], len(members), shown, smoothing, colour)
        ends.append((name, float(np.mean(members)), colour))
    return ends


def _output_trains(
    ax: Axes, rates: Axes, run: Any, spikes: Any, shown: tuple[float, float], smoothing: float, height: float
) -> list[tuple[str, float, Any]]:
    """Bars below the inputs, within `height`, and the neurons' mean rate; returns their label."""
    colour = LEVEL_COLOURS[run.level]
    rows = [-(0.6 + (i + 0.5) / run.n_post) * height for i in range(run.n_post)]
    trains = [spikes.t[spikes.i == i] for i in range(run.n_post)]
    ax.eventplot(trains, lineoffsets=rows, linelengths=0.9 * height / run.n_post, colors=[colour], lw=0.9)
    _rate(rates, spikes.t, run.n_post, shown, smoothing, colour)
    return [("output", float(np.mean(rows)), colour)]


@draws
def correlations(
    run: Any, *, ax: Axes, convention: str = "post-pre", width: float = 60e-3, bin_width: float = 2e-3
) -> None:
    """How often a source cell of each group spikes near an output spike [Hz], with the error of counting; dashed: independent trains."""
    sign, label = _convention(convention)
    found, names = input_output(run, width, bin_width), list(group_cells(run))
    ends = []
    for name, seen in found.items():
        colour = GROUP_COLOURS[
            names.index(name) % len(GROUP_COLOURS)
        ]  # as in the raster, where a group is not joined, too
        x, order = sign * seen.s, np.argsort(sign * seen.s)
        ax.fill_between(
            x[order], (seen.rate - seen.error)[order], (seen.rate + seen.error)[order], color=colour, alpha=0.3, lw=0
        )
        ax.plot(x[order], seen.rate[order], color=colour)
        ax.axhline(seen.expected, color=THEORY, ls=DASHES, lw=0.7, zorder=0)
        ends.append((name, float(seen.rate[order][-1]), colour))
    ax.axvline(0.0, color="0.6", lw=0.6, zorder=0)
    ax.set_xlim(-width, width)
    ax.set_xlabel(label)
    ax.set_ylabel("input rate at an output spike [Hz]")
    scaled_ticks(ax.xaxis, 1e3)
    label_ends(ax, ends)


def _convention(name: str) -> tuple[float, str]:
    """What s is multiplied by to stand on the axis, and the axis label."""
    if name not in CONVENTIONS:
        raise HebbscopeError(f"convention must be one of {', '.join(CONVENTIONS)}, got {name!r}")
    return CONVENTIONS[name]


def _reach(part: Any) -> float:
    """The lag [s] beyond which the window stays below two per cent of its peak."""
    low, high = part.support()
    s = np.linspace(low, high, 4001)
    value = np.abs(part.value(s))
    large = s[value > 0.02 * value.max()]
    return float(np.abs(large).max()) if len(large) else float(max(-low, high))


def _rate(ax: Axes, t: np.ndarray, n: int, shown: tuple[float, float], smoothing: float, colour: Any) -> None:
    grid = np.linspace(shown[0], shown[0] + shown[1], 500)
    kernel = np.exp(-((grid[:, None] - t[None, :]) ** 2) / (2 * smoothing**2)) / (smoothing * np.sqrt(2 * np.pi))
    ax.plot(grid, kernel.sum(axis=1) / n, color=colour, lw=0.9)


def _local_time(ax: Axes, start: float, length: float) -> None:
    """A time axis that counts ms from its start; the data stay in s."""
    from matplotlib.ticker import FuncFormatter

    ax.set_xlim(start, start + length)
    ax.set_xticks(start + np.linspace(0.0, length, 6))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda t, _: f"{(t - start) * 1e3:.6g}"))
    ax.set_xlabel(f"time from {start:,.10g} s [ms]" if start else "time [ms]")


def _thin(rates: Axes) -> None:
    rates.set_ylim(bottom=0)
    rates.set_ylabel("rate [Hz]")
    rates.spines[["top", "right", "bottom"]].set_visible(False)
    rates.tick_params(length=2.5, width=0.6, labelsize=7, labelbottom=False, bottom=False)
