"""The drift of weights that stand still, measured: what a rule changes on average, in any network and with its error.

Every rule is slowed down by its learning rate until its weights move by next to nothing in the whole time, and what they have moved is scaled back. By how
much is found out first, in a shorter run: so much that weights stand still, and not so much that changes are lost in the rounding of numbers.
Spikes, delays, and what a rule remembers of them are those of the network at just these weights; nothing is left out but that they learn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import Any, NamedTuple

import numpy as np

from .network import Network
from .plain import Free, Static
from .projection import Projection
from .protocols import DT, HebbscopeError, ParameterError, bounds_of, is_part, unit_of
from .results import Run, grouped
from .run import positive_argument, simulate

STILL = 1e-5  # of the largest weight of a projection: by about how much its weights are to move
FORGOTTEN = 12.0  # time constants, after which less than a hundred-thousandth of the beginning is left: it may be a hundred times what comes after
MOST_MOVED = 1e-3  # of it; beyond, they do not stand still
PILOT_RATE, PILOT_TIME = (
    1e-6,
    0.1,
)  # of the learning rate and of the time: the run in which it is found out how fast weights move


class DriftRow(NamedTuple):
    """What n synapses of one group of a projection do on average: drift, its standard error and the formula [1/s], and how many errors lie between."""

    projection: str
    group: str
    n: int
    drift: float
    error: float
    formula: float | None
    z: float | None


@dataclass(frozen=True, repr=False, eq=False)
class MeasuredDrift:
    """dw/dt at weights that stand still.

    network      with the weights at which it was measured
    level        "spike" or "surrogate"
    seeds        of the runs
    duration     that was measured, of each [s]
    samples      projection -> (n_seeds, n_post, n_pre), or (n_seeds, 1, n_synapses) where not all are joined to all: drift [1/s] of every seed
    output_rate  (n_seeds, n_post) of the targets of the first projection that learns [Hz]
    formula      projection -> (n_post, n_pre) or (1, n_synapses): what the learning equation says [1/s], where there is one
    approximate  by what that is approximate; empty where it is exact

    With n seeds a difference from the formula over its error is distributed as Student's t with n - 1 degrees of freedom, if the formula is right.
    """

    network: Network
    level: str
    seeds: tuple[int, ...]
    duration: float
    samples: Mapping[str, np.ndarray]
    output_rate: np.ndarray
    formula: Mapping[str, np.ndarray]
    approximate: str = ""

    @cached_property
    def drift(self) -> dict[str, np.ndarray]:
        """Projection -> mean over seeds [1/s], of every synapse."""
        return {name: values.mean(axis=0) for name, values in self.samples.items()}

    @cached_property
    def standard_error(self) -> dict[str, np.ndarray]:
        """Projection -> standard error of these means [1/s]."""
        return {name: _standard_error(values) for name, values in self.samples.items()}

    @cached_property
    def rows(self) -> tuple[DriftRow, ...]:
        """A row for each group of sources of each projection."""
        return tuple(row for each in self.network.learning for row in self._rows_of(each))

    def _rows_of(self, projection: Projection) -> Iterable[DriftRow]:
        groups = np.array(grouped(projection.source.groups, None if projection.is_dense else projection.wiring))
        for group in dict.fromkeys(groups.tolist()):
            samples = self.samples[projection.name][..., groups == group]
            mean = samples.mean(axis=(1, 2))
            drift, error, expected, z = float(mean.mean()), float(_standard_error(mean)), None, None
            if projection.name in self.formula:
                expected = float(self.formula[projection.name][..., groups == group].mean())
                z = (drift - expected) / error if error > 0.0 else None
            yield DriftRow(projection.name, group, samples[0].size, drift, error, expected, z)

    def to_dict(self) -> dict[str, Any]:
        """The rows, and how they were measured."""
        rows = [row._asdict() for row in self.rows]
        about = {"level": self.level, "seeds": list(self.seeds), "duration": self.duration, "rows": rows}
        return about | ({"approximate": self.approximate} if self.approximate else {})

    def _cells(self) -> list[tuple[str, ...]]:
        head = ("projection", "group", "synapses", "drift [1/s]", "formula [1/s]", "z")
        rows = [
            (
                row.projection,
                row.group,
                f"{row.n:,}",
                f"{row.drift:.4g} ± {row.error:.2g}",
                "" if row.formula is None else f"{row.formula:.4g}",
                "" if row.z is None else f"{row.z:+.1f}",
            )
            for row in self.rows
        ]
        return [head, *rows]

    def _title(self) -> str:
        title = f"Drift at weights that stand still, {self.level} level: {len(self.seeds)} seeds of {self.duration:g} s, mean ± standard error"
        return title + f"; formula approximate: {self.approximate}" * bool(self.approximate)

    def __repr__(self) -> str:
        cells = self._cells()
        widths = [max(len(row[k]) for row in cells) for k in range(len(cells[0]))]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in cells]
        return "\n".join([self._title(), *(f"  {line}".rstrip() for line in lines)])

    def _repr_html_(self) -> str:
        rows = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in self._cells())
        return f"<p>{escape(self._title())}</p><table>{rows}</table>"


def measure_drift(
    network: Network,
    duration: float,
    *,
    weights: Any = None,
    seeds: Iterable[int] = range(1, 9),
    wait: float | None = None,
    level: str = "spike",
    **how: Any,
) -> MeasuredDrift:
    """dw/dt of every synapse that learns, at weights that stand still, with its standard error over seeds.

    duration  biological time that is measured, with each seed [s]
    weights   what they are held at: of the one projection that learns, or projection -> weights, in any form that a Projection takes; default: as the
              network has them. Where chance draws them, they are those of the first seed
    seeds     at least two
    wait      time before the measurement, in which traces, neurons and thresholds forget how they began [s]; default: 1 s, or twelve times the longest
              time in the rules, those of their thresholds and windows too, where that is longer
    level     "spike" or "surrogate"
    how       engine, dt and threads, as in `simulate`

    A rule must have a learning rate `eta`, to which all that it changes is proportional, or a method `slowed(factor)`, and weights must be off its hard bounds, which cut
    drift off. Steps of normalisation are left out, as in `reduce`. That weights move by a hundred-thousandth of the largest is all the bias there is;
    HebbscopeError where one moves by more than a thousandth.
    """
    wait = _to_forget(network) if wait is None else wait
    duration, wait = (
        positive_argument(name, value, "s", function="measure_drift")
        for name, value in (("duration", duration), ("wait", wait))
    )
    seeds = tuple(seeds) if isinstance(seeds, Iterable) else (seeds,)
    if len(seeds) < 2:
        raise ParameterError("measure_drift", "seeds", "must be at least two, for a standard error", list(seeds))
    if level not in ("spike", "surrogate"):
        raise ParameterError("measure_drift", "level", "must be one of spike, surrogate", level)
    held = _held(network, weights, seeds[0])
    largest = {each.name: float(np.abs(each.weights).max()) for each in held.learning}
    how = {"level": level, "record_spikes": {}, **how}
    slow = dict.fromkeys(largest, PILOT_RATE)
    pilot, _ = _changes(_slowed(held, slow), PILOT_TIME * duration, wait, seeds[:1], how)
    factors = {name: _factor(np.abs(change).max(), largest[name]) for name, change in pilot.items()}
    changes, run = _changes(_slowed(held, factors), duration, wait, seeds, how)
    for name, change in changes.items():
        if np.abs(change).max() > MOST_MOVED * largest[name] > 0.0:
            raise HebbscopeError(f"measure_drift: weights of {name} do not stand still, a single step is too much")
    samples = {name: change / (factors[name] * duration) for name, change in changes.items()}
    formula, approximate = _formula(held, level, how.get("dt", DT))
    return MeasuredDrift(held, level, run.seeds, duration, samples, run.output_rate[:, -1], formula, approximate)


def _to_forget(network: Network) -> float:
    """The time [s] in which what rules remember forgets how it began."""
    projections = getattr(network, "projections", ())
    return max(1.0, FORGOTTEN * max((time for each in projections for time in _times(each.learner)), default=0.0))


def _times(part: Any) -> Iterable[float]:
    """All times [s] in a part and in the parts of it."""
    for field, value in part._asdict().items():
        if is_part(value):
            yield from _times(value)
        elif unit_of(type(part), field) == "s":
            yield float(np.abs(value).max(initial=0.0))


def _held(network: Network, weights: Any, seed: int) -> Network:
    """The network with numbers for weights and without norms, if all its rules can be slowed down there."""
    if not isinstance(network, Network):
        raise ParameterError("measure_drift", "network", "must be a Network", network)
    names = [each.name for each in network.projections if not isinstance(each.rule, Static)]
    if not names:
        raise HebbscopeError(f"measure_drift: nothing learns in {network.name}")
    if not isinstance(weights, Mapping):
        if weights is not None and len(names) > 1:
            rule = f"must be given by projection, of which {', '.join(names)} learn"
            raise ParameterError("measure_drift", "weights", rule, weights)
        weights = {} if weights is None else {names[0]: weights}
    for name in weights:
        if name not in names:
            raise ParameterError("measure_drift", "weights", f"must name projections among {', '.join(names)}", name)
    projections = []
    for each in network.projections:
        given = replace(each, weights=weights.get(each.name, each.weights), normalisation=Free())
        start = given.initial_weights(seed) if given.is_dense else given.initial_values(seed)
        projections.append(replace(given, weights=start))
    held = replace(network, projections=projections)
    for each in held.learning:
        _check_rule(each)
    return held


def _check_rule(projection: Projection) -> None:
    """Raise what keeps the weights of a projection from standing still where they are."""
    rule, (low, high) = projection.rule, bounds_of(projection.rule)
    if not hasattr(rule, "slowed") and not abs(getattr(rule, "eta", 0.0)) > 0.0:
        wanted = "must be there and not 0, a factor on all that the rule changes, so that drift can be measured (or a method slowed(factor))"
        raise ParameterError(type(rule).__name__, "eta", wanted, getattr(rule, "eta", None))
    margin = STILL * np.abs(projection.weights).max()
    for farthest in (float(np.min(projection.weights)), float(np.max(projection.weights))):
        if not low + margin < farthest < high - margin:
            wanted = f"must be off the bounds w_min = {low:g} and w_max = {high:g}, which cut drift off"
            raise ParameterError(f"Projection {projection.name}", "weights", wanted, farthest)


def _slowed(network: Network, factors: Mapping[str, float]) -> Network:
    """The network with learning rates that are multiplied by the factors of their projections."""

    def slower(projection: Projection) -> Projection:
        factor = factors.get(projection.name)
        return projection if factor is None else replace(projection, rule=slowed(projection.rule, factor))

    return replace(network, projections=[slower(each) for each in network.projections])


def slowed(rule: Any, factor: float) -> Any:
    """The same rule, slower by this factor: as it says itself by a method of this name, or by its learning rate."""
    return rule.slowed(factor) if hasattr(rule, "slowed") else rule._replace(eta=rule.eta * factor)


def _factor(moved: float, largest: float) -> float:
    """On a learning rate, so that weights, the largest of which is given, stand still, if in the pilot run they moved by so much."""
    if moved == 0.0 or largest == 0.0:
        return PILOT_RATE
    return min(1.0, STILL * largest * PILOT_RATE * PILOT_TIME / moved)


def _changes(
    network: Network, duration: float, wait: float, seeds: tuple[int, ...], how: Mapping[str, Any]
) -> tuple[dict[str, np.ndarray], Run]:
    """Projection -> (n_seeds, n_post, n_pre) or (n_seeds, 1, n_synapses): what weights change from `wait` on; and the run.

    One seed gives the same bits however long it runs, so that a shorter run is the beginning of a longer one.
    """
    begin = simulate(network, wait, seeds=seeds, record_every=wait, **how)
    run = simulate(network, wait + duration, seeds=seeds, record_every=wait + duration, **how)
    return {name: weights - begin.final[name] for name, weights in run.final.items()}, run


def _formula(network: Network, level: str, dt: float) -> tuple[dict[str, np.ndarray], str]:
    """What the learning equation says, where there is one, and by what it is approximate."""
    from ..rules.recurrent import RecurrentEquation
    from ..rules.reduction import reduce

    try:
        equation = reduce(network, causal=level == "spike", dt=dt, spikes=True)
        if isinstance(equation, RecurrentEquation):
            return {name: np.atleast_2d(drift) for name, drift in equation.drift().items()}, equation.approximate
        layer = network.layer
        return {layer.name: equation.drift(layer.weights)}, getattr(equation, "approximate", "")
    except HebbscopeError:
        return {}, ""


def _standard_error(samples: np.ndarray) -> np.ndarray:
    """(n_seeds, ...) -> (...)."""
    return np.asarray(samples.std(axis=0, ddof=1) / np.sqrt(len(samples)))
