"""What a simulation gives back: the weights over time, the output rate, the spikes of the first seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from .fingerprint import hashes_of
from .late import late, mean_between
from .protocols import bounds_of


@dataclass(frozen=True, repr=False)
class Spikes:
    """Spikes of one population: `t` (n_spikes,) float64 in seconds, ascending, and `i` (n_spikes,) int64, the cell of each.

    recorded: from when to when it was listened to [s], where that is known.
    """

    t: np.ndarray
    i: np.ndarray
    recorded: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "t", np.asarray(self.t, dtype=np.float64))
        object.__setattr__(self, "i", np.asarray(self.i, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.t)

    def between(self, start: float, stop: float) -> Spikes:
        """The spikes with start <= t < stop [s]."""
        first, last = np.searchsorted(self.t, (start, stop))
        return Spikes(self.t[first:last], self.i[first:last])

    @property
    def window(self) -> tuple[float, float]:
        """From when to when it was listened to [s]; where that is not known, from the first spike to the last."""
        if not len(self):
            return self.recorded or (0.0, 0.0)
        start, stop = self.recorded or (np.inf, -np.inf)
        return min(start, float(self.t[0])), max(stop, float(self.t[-1]))

    def __repr__(self) -> str:
        if not len(self):
            return "Spikes(none)"
        cells = len(np.unique(self.i))
        return f"Spikes({len(self):,} of {cells} cell{'s' * (cells != 1)}, {self.t[0]:.6g} s to {self.t[-1]:.6g} s)"


def reached(window: tuple[float, float], end: float) -> tuple[float, float]:
    """What there is by the time `end` of a window in which spikes are recorded [s]; nothing of one that is yet to come."""
    start, stop = window
    return start, max(start, min(stop, end))


@dataclass(repr=False, eq=False)
class Run:
    """One network simulated at one level.

    time (n_times,) s, starting with 0; weights (n_seeds, n_times, n_post, n_pre), or (n_seeds, n_times, 1, n_synapses) in the order of `wiring`
    where not all are joined to all; output_rate (n_seeds, n_times, n_post) Hz, the mean over the interval that ends at that time (NaN at time 0).

    | field          | meaning                                                                                       |
    |----------------|-----------------------------------------------------------------------------------------------|
    | level          | "spike", "surrogate" or "rate"                                                                |
    | seeds          | one seed for each entry of the seed axis                                                      |
    | groups         | (n_pre), or (n_synapses) where there is a wiring: the group of the source                     |
    | projection     | name of the projection whose weights these are: the first that learns                         |
    | shape          | shape of the input sheet (channels, rows, columns) where there is one                         |
    | spikes         | population -> Spikes, of the first seed; of a run into a file, read there at each look         |
    | theory         | rate level: the same quantities without the causal term, spread, coefficients and predictions |
    | network        | what was simulated; None when read from a file                                                |
    | attrs          | provenance: engine and step, by what it is approximate, versions, configuration, dates        |
    | wiring         | pre (n_synapses,), post (n_synapses,): the ends of each synapse; None: all joined to all      |
    | source, target | names of the populations that the projection joins                                            |
    | populations    | population -> number of cells                                                                 |
    | bounds         | projection -> hard bounds (w_min, w_max) of its weights, of those that learn, where known     |
    | monitors       | monitor -> Samples: what was sampled between the records                                      |
    | other_weights  | final weights of the other projections that learn, shaped as those of the last record         |
    | other_wirings  | projection -> wiring of those of them that do not join all to all                             |
    """

    level: str
    seeds: tuple[int, ...]
    time: np.ndarray
    weights: np.ndarray
    output_rate: np.ndarray
    groups: tuple[str, ...] = ()
    projection: str = "projection"
    shape: tuple[int, ...] | None = None
    spikes: Mapping[str, Spikes] = field(default_factory=dict)
    theory: dict[str, Any] = field(default_factory=dict)
    network: Any = None
    attrs: dict[str, Any] = field(default_factory=dict)
    wiring: Any = None
    source: str = ""
    target: str = ""
    populations: Mapping[str, int] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    other_weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    other_wirings: Mapping[str, Any] = field(default_factory=dict)
    monitors: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.groups = tuple(self.groups) or ("all",) * self.weights.shape[3]
        source, _, target = self.projection.partition("_to_")
        self.source, self.target = self.source or source, self.target or target
        self.seeds = tuple(int(seed) for seed in self.seeds)

    @property
    def n_seeds(self) -> int:
        return self.weights.shape[0]

    @property
    def n_times(self) -> int:
        return self.weights.shape[1]

    @property
    def n_post(self) -> int:
        """Cells of the target."""
        return self.output_rate.shape[2] if self.wiring is not None else self.weights.shape[2]

    @property
    def n_pre(self) -> int:
        """Cells of the source."""
        return self.populations[self.source] if self.wiring is not None else self.weights.shape[3]

    @property
    def n_synapses(self) -> int:
        return self.weights.shape[2] * self.weights.shape[3]

    @cached_property
    def source_groups(self) -> tuple[str, ...]:
        """(n_pre) the group of each cell of the source; "" for one without synapses in a wiring."""
        if self.wiring is None:
            return self.groups
        names = [""] * self.n_pre
        for j, name in zip(self.wiring.pre.tolist(), self.groups, strict=True):
            names[j] = name
        return tuple(names)

    @cached_property
    def parts(self) -> dict[str, str]:
        """A hash of the description of each population and projection, as "population NAME" and "projection NAME"; empty where it is not known."""
        return self.attrs.get("parts_sha256", {}) if self.network is None else hashes_of(self.network)

    @property
    def listened(self) -> list[str]:
        """The populations whose spikes are recorded, in the order of the network: a file has them by the alphabet."""
        return [
            *(name for name in self.populations if name in self.spikes),
            *(name for name in self.spikes if name not in self.populations),
        ]

    def n_cells(self, population: str) -> int | None:
        """The size of a population, where it is known."""
        ends = {self.target: self.n_post, self.source: self.n_pre}
        return self.populations.get(population, ends.get(population))

    @property
    def duration(self) -> float:
        """Biological time of the last record [s]."""
        return float(self.time[-1]) if len(self.time) else 0.0

    @property
    def final_weights(self) -> np.ndarray:
        """(n_seeds, n_post, n_pre), or (n_seeds, 1, n_synapses): weights of the last record."""
        return self.weights[:, -1]

    @property
    def final(self) -> dict[str, np.ndarray]:
        """Projection -> weights of the last record, of the recorded projection and of all others that learn:
        (n_seeds, n_post, n_pre), or (n_seeds, 1, n_synapses) where not all are joined to all.
        """
        return {self.projection: self.final_weights, **self.other_weights}

    def late(self, end: float | None = None) -> tuple[float, float]:
        """From when to when the output rate is averaged in tables [s], see late.py: the last tenth until `end` [s] (default: the end), or more where that
        holds few spikes."""
        return late(self.time, self.output_rate, self.duration if end is None else end)

    def mean_rate(self, start: float, stop: float, rates: np.ndarray | None = None) -> np.ndarray:
        """(n_seeds, n_post) Hz: the mean between two times [s] of the output rates, or of others of the same times (n, n_times, n_post) [Hz]."""
        return mean_between(self.time, self.output_rate if rates is None else rates, start, stop)

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write this run as a run file; HebbscopeError when the path exists (without `force`) or cannot be written."""
        from .runfile import write

        write(path, self, force=force)

    @classmethod
    def load(cls, path: str | Path) -> list[Run]:
        """Every level that a run file holds, one Run each; HebbscopeError when it is no readable run file."""
        from .runfile import read

        return list(read(path).values())

    def to_xarray(self) -> Any:
        """An xarray.DataTree: weights and output_rate, with spikes, monitors, final weights of other projections and theory in groups below."""
        from .convert import to_xarray

        return to_xarray(self)

    def to_pandas(self) -> dict[str, Any]:
        """Long tables by name, as DataFrames: weights, output_rate, spikes, monitors, final_weights."""
        from .convert import to_pandas

        return to_pandas(self)

    def to_neo(self) -> Any:
        """A neo.Block with a Segment for each seed; needs `pip install 'hebbscope[neo]'`."""
        from .convert import to_neo

        return to_neo(self)

    def _lines(self) -> Iterator[tuple[str, np.ndarray]]:
        """Name and (n_seeds, n_times) mean weight: all synapses, then each group where there are several."""
        yield "average weight", self.weights.mean(axis=(2, 3))
        names = list(dict.fromkeys(self.groups))
        for name in names if len(names) > 1 else []:
            yield name, self.weights[..., np.array(self.groups) == name].mean(axis=(2, 3))

    def _title(self) -> str:
        name = self.attrs.get("experiment") or getattr(self.network, "name", "")
        seeds = f"{self.n_seeds} seed{'s' * (self.n_seeds != 1)}"
        some = "" if self.wiring is None else f", {self.n_synapses:,}"
        synapses = f"{self.n_pre} → {self.n_post}{some} synapses {self.projection}"
        parts = [f"{self.duration:,.6g} s", seeds, f"{self.n_times} records", synapses]
        by = [f"approximate ({self.attrs['approximate']})"] if self.attrs.get("approximate") else []
        return ", ".join(([name] if name else []) + parts + by)

    def _final_rate(self) -> str:
        if self.n_times < 2:
            return "unknown"
        start, stop = self.late()
        rates = self.mean_rate(start, stop).mean(axis=1)
        if np.isnan(rates).any():
            return "unknown"
        return f"{_with_error(rates)} Hz, mean from {start:,.6g} s to {stop:,.6g} s"

    def __repr__(self) -> str:
        lines = [f"Run at {self.level} level: {self._title()}"]
        if self.n_times:
            rows = [(name, f"{_with_error(mean[:, 0])} → {_with_error(mean[:, -1])}") for name, mean in self._lines()]
            rows.append(("output rate", self._final_rate()))
            rows += [(f"spikes of {name}", f"{self.spikes[name]!r}, seed {self.seeds[0]}") for name in self.listened]
            width = max(len(name) for name, _ in rows)
            lines += [f"  {name:<{width}}  {text}" for name, text in rows]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{_with_error(mean[:, 0])}</td><td>{_with_error(mean[:, -1])}</td>"
            f"<td>{_sparkline(mean.mean(axis=0))}</td></tr>"
            for name, mean in (self._lines() if self.n_times else ())
        )
        rate = f"<tr><td>output rate</td><td></td><td>{self._final_rate()}</td><td></td></tr>" if self.n_times else ""
        head = "<tr><th></th><th>start</th><th>end</th><th>mean over time</th></tr>"
        return (
            f"<p><b>Run at {escape(self.level)} level</b>: {escape(self._title())}</p><table>{head}{rows}{rate}</table>"
        )


def recorded(network: Any) -> dict[str, Any]:
    """The fields of a Run that say which synapses of a network its weights are."""
    projection = network.recorded
    source, wiring = projection.source, None if projection.is_dense else projection.wiring
    others = [each for each in network.learning if each is not projection and not each.is_dense]
    return {
        "groups": grouped(source.groups, wiring),
        "projection": projection.name,
        "shape": source.shape,
        "wiring": wiring,
        "source": source.name,
        "target": projection.target.name,
        "populations": {each.name: each.n for each in network.populations},
        "bounds": {each.name: bounds_of(each.rule) for each in network.learning},
        "other_wirings": {each.name: each.wiring for each in others},
    }


def grouped(groups: tuple[str, ...], wiring: Any) -> tuple[str, ...]:
    """(n_pre) groups of the source -> (n_synapses) groups along the last axis of the weights."""
    return groups if wiring is None else tuple(np.array(groups, dtype=object)[wiring.pre].tolist())


def _with_error(values: np.ndarray) -> str:
    """(n_seeds,) -> "0.02036 ± 0.00007": the mean, and its standard error where there are several seeds that differ."""
    mean = float(np.mean(values))
    if len(values) < 2 or np.ptp(values) == 0:
        return f"{mean:.4g}"
    error = float(np.std(values, ddof=1) / np.sqrt(len(values)))
    digits = min(max(0, int(np.ceil(-np.log10(error))) + 1), 12) if error > 0 and np.isfinite(error) else 6
    return f"{mean:.{digits}f} ± {error:.{digits}f}"


def _sparkline(values: np.ndarray, width: int = 120, height: int = 24) -> str:
    """(n_times,) -> a small inline SVG curve over its own range, starting at zero."""
    top = float(np.nanmax(np.abs(values))) or 1.0
    low = min(0.0, float(np.nanmin(values)))
    x = np.linspace(1, width - 1, len(values))
    y = height - 1 - (values - low) / (top - low) * (height - 2)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True) if np.isfinite(b))
    line = f"<polyline fill='none' stroke='#0072B2' stroke-width='1.5' points='{points}'/>"
    return f"<svg width='{width}' height='{height}'>{line}</svg>"
