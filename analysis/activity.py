"""What the populations of a network did and where its weights went, as a table: of networks that no learning equation describes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .spiking import cv, near_bounds, rates, synchrony
from .weights import Estimate, estimate

ENOUGH = 50  # intervals of a cell from which its irregularity is told: of fewer, which leave out those that are longer than the record, it is too small


class PopulationActivity(NamedTuple):
    """Of the spikes of the first seed: rate [Hz] as the mean over n_cells, coefficient of variation over those with ENOUGH intervals, synchrony of several cells; NaN
    where spikes do not tell."""

    name: str
    n_cells: int
    window: tuple[float, float]
    rate: float
    cv: float
    synchrony: float


class WeightState(NamedTuple):
    """Weights of a projection at the end, all seeds: their mean, their sd, and the fractions within 10 % of either bound (NaN: there is none)."""

    name: str
    n_synapses: int
    mean: Estimate
    sd: float
    near_low: float
    near_high: float


class Activity:
    """The populations and the projections of one run or of several levels; prints as a table."""

    def __init__(self, runs: dict[str, Any]):
        self.runs = runs
        self.populations = {level: _populations(run) for level, run in runs.items()}
        self.weights = {level: _weights(run) for level, run in runs.items()}

    def to_dict(self) -> dict[str, Any]:
        """For JSON: level -> populations and weights, each by name."""
        return {
            level: {
                "populations": {each.name: each._asdict() for each in self.populations[level]},
                "weights": {each.name: each._asdict() | {"mean": each.mean._asdict()} for each in self.weights[level]},
            }
            for level in self.runs
        }

    def figure(self) -> Any:
        """Spikes of all populations, and the weights over time and at the end."""
        from .activity_figures import summary

        return summary(next(iter(self.runs.values())))

    def __repr__(self) -> str:
        return "\n\n".join(self._table(level) for level in self.runs)

    def _table(self, level: str) -> str:
        run = self.runs[level]
        title = f"{level} level, {run.duration:,.6g} s, {run.n_seeds} seed{'s' * (run.n_seeds != 1)}"
        rows = [("population", "cells", "rate [Hz]", "CV of intervals", "synchrony")]
        rows += [
            (each.name, f"{each.n_cells:,}", _number(each.rate), _number(each.cv), _number(each.synchrony))
            for each in self.populations[level]
        ]
        last = [("projection", "synapses", "mean weight", "sd", "near w_min", "near w_max")]
        last += [
            (w.name, f"{w.n_synapses:,}", str(w.mean), _number(w.sd), _percent(w.near_low), _percent(w.near_high))
            for w in self.weights[level]
        ]
        spikes = [*_columns(rows), ""] if self.populations[level] else []
        return "\n".join([title, *spikes, *_columns(last)])


def activity(*runs: Any) -> Activity:
    """The activity of finished runs of one network, one of each level."""
    return Activity({run.level: run for run in runs})


def _populations(run: Any) -> list[PopulationActivity]:
    found = []
    for name in run.listened:
        spikes = run.spikes[name]
        n, (start, stop) = run.n_cells(name), spikes.window
        t, i, length = spikes.t, spikes.i, stop - start
        rate = float(rates(i, n, length).mean()) if length > 0.0 else np.nan
        irregular = cv(t, i, n, ENOUGH)
        told = irregular[np.isfinite(irregular)]
        mean = float(told.mean()) if len(told) else np.nan
        found.append(PopulationActivity(name, n, (start, stop), rate, mean, synchrony(t, i, n, (start, stop))))
    return found


def _weights(run: Any) -> list[WeightState]:
    found = []
    for name, w in run.final.items():
        low, high = run.bounds.get(name, (-np.inf, np.inf))
        mean = estimate(w.mean(axis=(1, 2)))
        found.append(WeightState(name, w[0].size, mean, float(w.std()), *near_bounds(w, low, high)))
    return found


def _number(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else "-"


def _percent(value: float) -> str:
    return f"{100 * value:.3g} %" if np.isfinite(value) else "-"


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Lines with the first column flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            text.ljust(n) if k == 0 else text.rjust(n) for k, (text, n) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
