"""Figures of weights: their course, their separation and spread at each level, and the summary of a comparison.

Every function takes `ax` (by default a new one) and returns it. Simulations are solid, in the colour of their level, with a band of one
standard error over seeds; theory is black and dashed: with the causal term over spikes, without it over the surrogate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..simulator.protocols import HebbscopeError
from .comparison import UNITS, courses, theory_courses
from .levels import has_causal, is_averaged
from .style import (
    DASHES,
    LEVEL_COLOURS,
    PAGE,
    STYLE,
    THEORY,
    draws,
    group_shades,
    label_ends,
    new_figure,
    paled,
    time_axis,
    weight_axis,
)
from .weights import group_means, members, standard_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABELS = {
    "average weight": "average weight",
    "separation": "separation",
    "spread": "spread in groups",
    "output rate": "output rate",
}
MANY = 50  # synapses of a group beyond which single ones hide each other
EXAMPLES = 5
ALIKE = 1e-9  # relative difference of weights that are not told apart
FROM_ZERO = ("average weight", "output rate")  # drawn on an axis from 0, where their steadiness shows
MEANING = {
    "spike": "spike: every spike counts",
    "surrogate": "surrogate: an independent copy of the input drives the neuron",
    "theory": "learning equation, with and without the causal term",
    "theory alone": "learning equation",
    "theory without causal term": "learning equation without the causal term",
}


@draws
def weights(run: Any, rate: Any = None, *, ax: Axes, singles: bool = True) -> None:
    """Weights over time: the mean of each group over seeds with its standard error, single synapses of the first seed thin behind.

    Of a group of more than MANY, EXAMPLES are drawn, evenly spaced in their order, over a band of the middle 80 % of all. With the `rate` run its
    prediction lies dashed on top.
    """
    means = group_means(run.weights, run.groups)
    shades = group_shades(LEVEL_COLOURS[run.level], len(means))
    ends = []
    sizes = {run.weights.shape[2] * int(members(run.groups, name).sum()) for name in means}
    singles = singles and run.level != "rate"
    for (name, mean), shade in zip(means.items(), shades, strict=True):
        if singles:
            _singles(ax, run.time, run.weights[0][..., members(run.groups, name)].reshape(run.n_times, -1), shade)
        _band(ax, run.time, mean, shade, label=name)
        ends.append((name, float(mean[:, -1].mean()), shade))
    if rate is not None:
        for k, line in enumerate(_predicted_means(run, rate).values()):
            ax.plot(rate.time, line, color=THEORY, ls=DASHES, lw=1.0, zorder=4, label="theory" if k == 0 else None)
    time_axis(ax, run.time)
    weight_axis(ax.yaxis, "weight", float(np.abs(run.weights).max()))
    if singles and max(sizes) > MANY:
        counts = " or ".join(f"{n:,}" for n in sorted(sizes) if n > MANY)
        words = f"{EXAMPLES} of {counts} synapses in a group, seed {run.seeds[0]}\nshaded: the middle 80 % of them"
        ax.set_ylim(top=max(ax.get_ylim()[1], ax.dataLim.y0 + 1.2 * ax.dataLim.height))  # room for it
        ax.text(0.02, 0.99, words, transform=ax.transAxes, color="0.4", fontsize=6, va="top")
    label_ends(ax, ends if len(ends) > 1 else [])


def _singles(ax: Axes, time: np.ndarray, lines: np.ndarray, shade: Any) -> None:
    """The synapses (n_times, n_synapses) of a group: each of them, or where they are many a band and some of them."""
    n = lines.shape[1]
    if n > MANY:
        low, high = np.percentile(lines, (10, 90), axis=1)
        ax.fill_between(time, low, high, color=shade, alpha=0.15, lw=0, zorder=0)
        lines = lines[:, np.arange(EXAMPLES) * n // EXAMPLES]
    ax.plot(time, lines, color=shade, lw=0.3, alpha=0.35 if n <= MANY else 1.0, zorder=1)


@draws
def course(quantity: str, *runs: Any, ax: Axes, seeds: bool = False) -> None:
    """One quantity over time at every level: "average weight", "separation", "spread" or "output rate" [Hz].

    `seeds` draws each seed thin behind the mean. Without a surrogate run, the equation without its causal term is dotted.
    """
    levels = {run.level: run for run in runs}
    there = courses(runs[0])
    if quantity not in there:
        raise HebbscopeError(f"no {quantity!r} in these runs, but {', '.join(there)}")
    simulated, ends = _simulated(levels), []
    for run in simulated:
        colour, lines = LEVEL_COLOURS[run.level], courses(run)[quantity]
        if seeds:
            ax.plot(run.time, lines.T, color=paled(colour, 0.5), lw=0.3, zorder=1)
        _band(ax, run.time, lines, colour, label=run.level)
        ends.append((run.level, float(lines[:, -1].mean()), colour))
    if "rate" in levels:
        _predicted_course(ax, quantity, levels)
    time_axis(ax, (simulated or list(runs))[0].time)
    if UNITS[quantity]:
        ax.set_ylabel(f"{LABELS[quantity]} [{UNITS[quantity]}]")
    else:
        weight_axis(ax.yaxis, LABELS[quantity], float(np.abs(ax.get_ylim()).max()))
    if quantity in FROM_ZERO and ax.get_ylim()[0] > 0:
        ax.set_ylim(0, 1.25 * ax.get_ylim()[1])
    label_ends(ax, ends if len(ends) > 1 else [])


def _predicted_course(ax: Axes, quantity: str, levels: dict[str, Any]) -> None:
    rate = levels["rate"]
    label: str | None = "theory"
    for causal, wanted in ((True, "surrogate" not in levels or "spike" in levels), (False, True)):
        line = theory_courses(rate, causal).get(quantity)
        if line is not None and wanted:
            alone = not causal and "surrogate" not in levels
            label = "theory without causal term" if alone else label
            ax.plot(rate.time, line, color=THEORY, ls=":" if alone else DASHES, lw=1.1, zorder=4, label=label)
            label = None


@draws
def separation(*runs: Any, ax: Axes) -> None:
    """Mean weight of the last group minus the first over time, at the three levels; seeds thin behind."""
    course("separation", *runs, ax=ax, seeds=True)
    ax.axhline(0.0, color="0.8", lw=0.6, zorder=0)


@draws
def distribution(*runs: Any, ax: Axes, n_bins: int | None = None) -> None:
    """Weights of all seeds at the end of the runs, by group: spike level upwards, surrogate downwards.

    n_bins: by default three times the cube root of the number of weights of a run. With the rate run, dashed: normal distributions with the group's predicted mean and the predicted spread.
    """
    levels = {run.level: run for run in runs}
    simulated = _simulated(levels) or list(runs)
    every = np.concatenate([run.weights[:, -1].ravel() for run in simulated])
    every = every[np.isfinite(every)]
    n_bins = n_bins or max(5, round(3 * (len(every) / len(simulated)) ** (1 / 3)))
    low, high = (every.min(), every.max()) if len(every) else (0.0, 1.0)
    alike = high - low <= ALIKE * abs(low)  # there are no bins between them, or numpy takes far too wide ones
    around = 0.05 * abs(low) if alike else 0.0
    edges = np.histogram_bin_edges(every, n_bins, (low - around, high + around))
    for run, side in zip(simulated, (1, -1), strict=False):
        _histograms(ax, run, side, edges)
        if "rate" in levels and run.level != "rate":
            _predicted_densities(ax, run, levels["rate"], side, edges)
    ax.axhline(0.0, color="0.2", lw=0.6)
    ax.margins(x=0.02, y=0.12)
    weight_axis(ax.xaxis, "weight", float(np.abs(every).max(initial=0.0)))
    ax.set_yticks([])
    low, high = ax.get_ylim()
    for run, y in zip(simulated, (high, low), strict=False):
        where: dict[str, Any] = {
            "x": -0.03,
            "y": (y / 2 - low) / (high - low),
            "ha": "right",
            "va": "center",
            "rotation": 90,
        }
        ax.text(s=f"density, {run.level}", transform=ax.transAxes, color=LEVEL_COLOURS[run.level], **where)


def _histograms(ax: Axes, run: Any, side: int, edges: np.ndarray) -> None:
    means = group_means(run.weights[:, -1], run.groups)
    shades = group_shades(LEVEL_COLOURS[run.level], len(means))
    upper = max(means, key=lambda name: float(means[name].mean()))
    for (name, mean), shade in zip(means.items(), shades, strict=True):
        density, _ = np.histogram(run.weights[:, -1][..., members(run.groups, name)], edges, density=True)
        ax.stairs(side * density, edges, fill=True, color=(*shade, 0.55), lw=0)
        ax.stairs(side * density, edges, color=shade, lw=0.8, label=f"{run.level}, {name}")
        if side > 0 and len(means) > 1:
            right = name == upper
            side_of = "left" if right else "right"
            ax.text(float(mean.mean()), 1.02 * density.max(), name, color=shade, fontsize=7, ha=side_of, va="bottom")


def summary(*runs: Any) -> Figure:
    """One page on a comparison, whatever levels it has.

    Above: the separation of the groups (with one group the average weight) and the weights at the end. Below: single weights of two levels, and
    spread (with one synapse in each group the output rate) and average over time.
    """
    from matplotlib import rc_context

    levels = {run.level: run for run in runs}
    pictured = [*_simulated(levels), *(run for run in runs if run.level == "rate")][:2]
    with rc_context(STYLE):
        figure = new_figure(PAGE, 4.9)
        grid = figure.add_gridspec(2, 3, height_ratios=(1.2, 1.0), width_ratios=(1.0, 1.0, 1.1))
        axes = [figure.add_subplot(grid[0, :2]), figure.add_subplot(grid[0, 2])]
        headline(*runs, ax=axes[0])
        distribution(*runs, ax=axes[1])
        axes[1].set_title("Weights at the end")
        largest = max(float(np.abs(run.weights).max()) for run in pictured)
        for k, run in enumerate(pictured):
            place = grid[1, k] if len(pictured) > 1 else grid[1, :2]
            axes.append(figure.add_subplot(place, sharey=axes[2] if k else None))
            weights(run, levels.get("rate") if run.level != "rate" else None, ax=axes[-1])
            weight_axis(axes[-1].yaxis, "weight", largest)  # of both: they share their ticks
            axes[-1].set_title(f"Weights, {run.level}")
            axes[-1].label_outer()
        small = grid[1, 2].subgridspec(2, 1)
        first = "spread" if "spread" in courses(runs[0]) else "output rate"
        for k, quantity in enumerate((first, "average weight")):
            axes.append(figure.add_subplot(small[k], sharex=axes[-1] if k else None))
            course(quantity, *runs, ax=axes[-1])
            label = axes[-1].get_ylabel()
            axes[-1].set_title(label[0].upper() + label[1:])
            axes[-1].set_ylabel("")
        axes[-2].tick_params(labelbottom=False)
        axes[-2].set_xlabel("")
        _letters(axes)
    return figure


@draws
def headline(*runs: Any, ax: Axes) -> None:
    """The separation, with a key in words and an arrow for what the causal term adds; the average weight where there is one group."""
    levels = {run.level: run for run in runs}
    if "separation" not in courses(runs[0]):
        course("average weight", *runs, ax=ax, seeds=True)
        ax.set_title("Average weight")
    else:
        separation(*runs, ax=ax)
        ax.set_title("Separation of the groups")
        if {"spike", "surrogate"} <= levels.keys():
            _causal_arrow(ax, levels["spike"], levels["surrogate"])
    handles, names = ax.get_legend_handles_labels()
    rate = levels.get("rate")
    theory = MEANING["theory" if "surrogate" in levels and rate is not None and has_causal(rate) else "theory alone"]
    words = MEANING | {"theory": theory if rate is not None and is_averaged(rate) else "rate level"}
    ax.legend(
        handles,
        [words.get(name, name) for name in names],
        loc="upper left",
        handlelength=2.2,
        frameon=True,
        edgecolor="none",
        borderpad=0.2,
    )


def _causal_arrow(ax: Axes, spike: Any, surrogate: Any) -> None:
    """What the causal term adds near the end, where it is clear of both error bands and has room for words."""
    t = 0.93 * min(spike.duration, surrogate.duration)
    at = [np.array([np.interp(t, run.time, line) for line in courses(run)["separation"]]) for run in (spike, surrogate)]
    high, low = (float(values.mean()) for values in at)
    bottom, top = ax.get_ylim()
    if abs(high - low) < max(3 * np.hypot(*(standard_error(values) for values in at)), 0.1 * (top - bottom)):
        return
    ax.annotate("", (t, high), (t, low), arrowprops={"arrowstyle": "<->", "lw": 0.8, "color": "0.2"})
    ax.text(t * 0.985, (high + low) / 2, "causal\nterm", ha="right", va="center", fontsize=7, color="0.2")


def _letters(axes: list[Axes]) -> None:
    """Letters before the titles, at the left."""
    for letter, ax in zip("abcdef", axes, strict=False):
        title = ax.get_title()
        ax.set_title("")
        ax.set_title(f"$\\mathbf{{{letter}}}$  {title}", loc="left")


def _simulated(levels: dict[str, Any]) -> list[Any]:
    return [levels[level] for level in ("spike", "surrogate") if level in levels]


def _band(ax: Axes, time: np.ndarray, lines: np.ndarray, colour: Any, label: str) -> None:
    """The mean of (n_seeds, n_times) with its standard error."""
    mean, error = lines.mean(axis=0), standard_error(lines)
    ax.fill_between(time, mean - error, mean + error, color=colour, alpha=0.3, lw=0, zorder=2)
    ax.plot(time, mean, color=colour, label=label, zorder=3)


def _predicted_means(run: Any, rate: Any) -> dict[str, np.ndarray]:
    """Group -> (n_times,) as the rate run has it for a run's level; empty where it cannot say."""
    if run.level == "surrogate":
        bare = rate.theory.get("weights_without_causal")
        return {} if bare is None else group_means(bare, rate.groups)
    return group_means(rate.weights.mean(axis=0), rate.groups)


def _predicted_densities(ax: Axes, run: Any, rate: Any, side: int, edges: np.ndarray) -> None:
    spread = rate.theory.get("spread_without_causal" if run.level == "surrogate" else "spread")
    if spread is None or spread[-1] <= 0 or "spread" not in courses(run):
        return
    x = np.linspace(edges[0], edges[-1], 300)
    for mean in _predicted_means(run, rate).values():
        density = np.exp(-((x - mean[-1]) ** 2) / (2 * spread[-1] ** 2)) / (spread[-1] * np.sqrt(2 * np.pi))
        ax.plot(x, side * density, color=THEORY, ls=DASHES, lw=0.9)
