"""One network at several levels, side by side: where they agree, where the rate description fails, and whether noise could have done it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..simulator.protocols import HebbscopeError
from .levels import has_bare, is_averaged
from .report import notebook, terminal
from .spiking import at_bounds
from .verdict import limit, words
from .weights import Estimate, average, estimate, separation, spread

UNITS = {"average weight": "", "separation": "", "spread": "", "output rate": "Hz"}


class Row(NamedTuple):
    """One quantity at one level: mean over seeds and its standard error, what theory says, and (mean - theory) / error.

    `level` is "spike", "surrogate", "rate", "rate without causal term" or "spike - surrogate", whose z is mean / error.
    None where it cannot be known: an error with one seed, a theory without a rate run, a z without either.
    """

    level: str
    quantity: str
    unit: str
    mean: float
    error: float | None
    n: int
    theory: float | None
    z: float | None

    @property
    def estimate(self) -> Estimate:
        return Estimate(self.mean, self.error, self.n)


@dataclass(repr=False)
class Comparison:
    """What `compare` found at one time; prints as a table.

    time [s]; table, a Row for each level and quantity; verdict, in words, one sentence a line; runs, by level; fields, the similarity of the
    receptive fields of two levels, seed by seed and neuron by neuron, where the inputs are laid out as images; rate_over, from when to when
    the output rates and their theory are averaged [s].
    """

    time: float
    table: list[Row]
    verdict: str
    runs: dict[str, Any]
    fields: dict[str, list[float]] = field(default_factory=dict)
    rate_over: tuple[float, float] = (0.0, 0.0)

    def row(self, level: str, quantity: str) -> Row:
        """The row of a level and a quantity; KeyError where there is none."""
        for row in self.table:
            if (row.level, row.quantity) == (level, quantity):
                return row
        raise KeyError((level, quantity))

    def to_dict(self) -> dict[str, Any]:
        """Everything but the runs, ready for JSON: numbers, None where a number cannot be known, no NaN."""
        rows = [{key: _clean(value) for key, value in row._asdict().items()} for row in self.table]
        seeds = {level: list(run.seeds) for level, run in self.runs.items()}
        verdict = self.verdict.splitlines()
        about = {"time": self.time, "rate_over": list(self.rate_over), "seeds": seeds}
        return about | {"table": rows, "verdict": verdict, "fields": self.fields}

    def figure(self) -> Any:
        """The summary figure: weights, separation, spread and rates of every level with their theory (a matplotlib Figure)."""
        from .figures import summary

        return summary(*self.runs.values())

    def __repr__(self) -> str:
        return terminal(self)

    def _repr_html_(self) -> str:
        return notebook(self)


def compare(*runs: Any, time: float | None = None) -> Comparison:
    """Compare runs of one network, each at a level of its own, at a time [s] (default: the last that all have reached; durations may differ).

    Spike-level runs are held against the learning equation, surrogate runs against the equation without its causal term; both come from the
    rate run. A z-score is (mean over seeds - theory) / standard error over seeds; with one seed there is none. Spike and surrogate are compared seed
    by seed where they ran the same seeds, otherwise their errors add in quadrature. Output rates, and those of theory, are means over the last tenth of the time so
    far, or more where that holds few spikes (`Run.late`). Runs that were stopped at their start are left out, and named.
    HebbscopeError for no run, two of one level, runs of different networks, or a time that they did not record.
    """
    given = _by_level(runs)
    found = {level: run for level, run in given.items() if run.n_times > 1} or given
    at = _common_time(found, time)
    rate = found.get("rate")
    exact = {level: run for level, run in found.items() if run is not rate}
    over = min(run.late(at) for run in (exact or found).values())
    values = {level: _values_at(run, at, over) for level, run in exact.items()}
    theories = {}
    if rate is not None:
        theories = {level: _theory_at(rate, at, over, level == "spike") for level in ("spike", "surrogate")}
    table = []
    for level, each in values.items():
        for quantity, seen in each.items():
            theory, _, z = _contrast(
                seen, found[level].seeds, theories.get(level, {}).get(quantity), getattr(rate, "seeds", ())
            )
            table.append(Row(level, quantity, UNITS[quantity], *estimate(seen), theory, z))
    for name, level in (("rate", "spike"), ("rate without causal term", "surrogate")):
        table += [Row(name, q, UNITS[q], *estimate(each), None, None) for q, each in theories.get(level, {}).items()]
    table += _difference_rows(found, values, theories)
    similar = _field_similarity(found)
    stopped = [level for level in given if level not in found]
    verdict = words(table, found, _partings(found, at), similar, stopped, _bounded(found, at))
    return Comparison(float(at), table, verdict, found, similar, over)


def courses(run: Any) -> dict[str, np.ndarray]:
    """Quantity -> (n_seeds, n_times): average weight, separation (with two groups or more), spread (with a group of two or more),
    output rate [Hz]."""
    return _of_weights(run.weights, run.groups) | {"output rate": run.output_rate.mean(axis=-1)}


def _of_weights(weights: np.ndarray, groups: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Quantity -> (...) from weights (..., n_post, n_pre), as far as the groups have them."""
    found = {
        "average weight": average(weights),
        "separation": separation(weights, groups),
        "spread": spread(weights, groups),
    }
    return {quantity: values for quantity, values in found.items() if values is not None}


def theory_courses(rate: Any, causal: bool = True) -> dict[str, np.ndarray]:
    """Quantity -> (n_times,) as the learning equation has it, with or without its causal term; empty where the rate run cannot say.

    The spread is what diffusion does to equal weights, together with what the equation makes of unequal ones.
    """
    suffix = "" if causal else "_without_causal"
    if not causal and not has_bare(rate):
        return {}
    weights, rates = _each(rate, causal)
    found = _of_weights(weights, rate.groups)
    if "spread" in found and is_averaged(rate):
        without_diffusion = found.pop("spread")
        if f"spread{suffix}" in rate.theory:
            found["spread"] = np.hypot(without_diffusion, rate.theory[f"spread{suffix}"])
    found["output rate"] = rates.mean(axis=-1)
    return {quantity: course.mean(axis=0) for quantity, course in found.items()}


def _each(rate: Any, causal: bool) -> tuple[np.ndarray, np.ndarray]:
    """Weights (n, n_times, n_post, n_pre) and output rates (n, n_times, n_post) of the equation: a trajectory for each start."""
    if causal:
        return rate.weights, rate.output_rate
    names = ("weights_without_causal", "output_rate_without_causal")
    weights, rates = (rate.theory.get(f"each_{name}", rate.theory[name][None]) for name in names)
    return weights, rates


def _by_level(runs: tuple[Any, ...]) -> dict[str, Any]:
    if not runs:
        raise HebbscopeError("compare: there is no run to compare")
    found: dict[str, Any] = {}
    for run in runs:
        if not hasattr(run, "level"):
            raise HebbscopeError(f"compare: takes runs, got {run!r} (Run.load reads a run file)")
        if run.level in found:
            raise HebbscopeError(f"compare: two runs at the {run.level} level; compare takes one of each")
        if run.groups != runs[0].groups or run.n_post != runs[0].n_post:
            raise HebbscopeError(f"compare: the {run.level} run is of another network: its groups or neurons differ")
        _check_parts(runs[0], run)
        found[run.level] = run
    return {level: found[level] for level in ("spike", "surrogate", "rate") if level in found}


def _check_parts(one: Any, other: Any) -> None:
    """HebbscopeError for runs of which both are known to be of different descriptions, in memory or in a file."""
    if one is other or (one.network is not None and one.network is other.network):
        return
    a, b = one.parts, other.parts
    if a and b and a != b:
        differ = next(name for name in [*a, *b] if a.get(name) != b.get(name))
        words = f"{differ} differs" if differ in a and differ in b else f"one has no {differ}"
        raise HebbscopeError(f"compare: the {other.level} run is of another network than the {one.level} run: {words}")


def _common_time(runs: dict[str, Any], time: float | None) -> float:
    exact = [run for level, run in runs.items() if level != "rate"] or list(runs.values())
    end = min(run.duration for run in runs.values())
    shared = [t for t in exact[0].time if t <= end * (1 + 1e-9) and all(_has(run, t) for run in exact)]
    if time is None:
        if not shared or shared[-1] <= 0:
            raise HebbscopeError("compare: the runs have no record time in common after the start")
        return float(shared[-1])
    if not any(abs(t - time) <= 1e-6 * max(time, 1.0) for t in shared):
        raise HebbscopeError(f"compare: not every run has a record at {time:g} s")
    return float(time)


def _has(run: Any, t: float) -> bool:
    return bool(np.any(np.abs(run.time - t) <= 1e-6 * max(t, 1.0)))


def _at(run: Any, course: np.ndarray, t: float) -> np.ndarray:
    """(n_seeds, n_times) -> (n_seeds,) at time t, interpolated between records."""
    return np.array([np.interp(t, run.time, line) for line in course])


def _values_at(run: Any, t: float, over: tuple[float, float]) -> dict[str, np.ndarray]:
    """Quantity -> (n_seeds,) at time t [s]; the output rate as a mean over a stretch [s]."""
    found = {q: _at(run, course, t) for q, course in _of_weights(run.weights, run.groups).items()}
    return found | {"output rate": run.mean_rate(*over).mean(axis=-1)}


def _theory_at(rate: Any, t: float, over: tuple[float, float], causal: bool) -> dict[str, np.ndarray]:
    """Quantity -> (1,), or (n_seeds,) where the rate level was itself run for several seeds; the output rate as a mean over a stretch [s]."""
    found = {quantity: course[None] for quantity, course in theory_courses(rate, causal).items()}
    if not found:
        return {}
    weights, rates = _each(rate, causal)
    if rate.n_seeds > 1:
        each = _of_weights(weights, rate.groups)
        found |= {quantity: each[quantity] for quantity in each if quantity != "spread" or not is_averaged(rate)}
    at_time = {quantity: _at(rate, course, t) for quantity, course in found.items() if quantity != "output rate"}
    return at_time | {"output rate": rate.mean_rate(*over, rates).mean(axis=-1)}


def _contrast(
    each: np.ndarray, seeds: tuple, other: np.ndarray | None, other_seeds: tuple
) -> tuple[float | None, float | None, float | None]:
    """(n_seeds,) against another (n,) -> mean of the other, error of the difference, z: paired where both ran the same seeds."""
    if other is None or not np.isfinite(other).all():
        return None, None, None
    if len(other) == 1:
        error = estimate(each).error
    elif tuple(seeds) == tuple(other_seeds):
        error = estimate(each - other, scale=np.abs(each).max()).error
    else:
        both = [estimate(values).error for values in (each, other)]
        error = None if both[0] is None or both[1] is None else float(np.hypot(both[0], both[1]))
    mean = float(np.mean(other))
    apart = float(np.mean(each)) - mean
    return mean, error, apart / error if error else None


def _difference_rows(
    runs: dict[str, Any], values: dict[str, dict[str, np.ndarray]], theories: dict[str, dict[str, np.ndarray]]
) -> list[Row]:
    if not {"spike", "surrogate"} <= runs.keys():
        return []
    rows = []
    for quantity, each in values["spike"].items():
        other = values["surrogate"][quantity]
        _, error, z = _contrast(each, runs["spike"].seeds, other, runs["surrogate"].seeds)
        expected = [
            theories[level][quantity] for level in ("spike", "surrogate") if quantity in theories.get(level, {})
        ]
        theory = float(np.mean(expected[0]) - np.mean(expected[1])) if len(expected) == 2 else None
        apart = float(np.mean(each) - np.mean(other))
        rows.append(Row("spike - surrogate", quantity, UNITS[quantity], apart, error, len(each), theory, z))
    return rows


def _partings(runs: dict[str, Any], until: float) -> dict[str, float]:
    """Quantity -> the time [s] from which on, to `until`, the spike level stays off the equation without causal term, beyond chance.

    A parting in the last fifth is left out: it may be one record by chance.
    """
    if not {"spike", "rate"} <= runs.keys() or runs["spike"].n_seeds < 2:
        return {}
    spike, rate, found = runs["spike"], runs["rate"], {}
    theory = theory_courses(rate, causal=False)
    for quantity, course in courses(spike).items():
        if quantity in theory:
            error = np.std(course, axis=0, ddof=1) / np.sqrt(len(course))
            away = (
                np.abs(course.mean(axis=0) - np.interp(spike.time, rate.time, theory[quantity]))
                > limit(len(course)) * error
            )
            near = spike.time[(spike.time <= until) & ~away]
            later = spike.time[spike.time > near[-1]] if len(near) else spike.time
            if len(later) and later[0] <= 0.8 * until:
                found[quantity] = float(later[0])
    return found


def _bounded(runs: dict[str, Any], t: float) -> dict[str, dict[str, float]]:
    """Level with spikes -> bound in words -> the share of the weights that are at it at the record at time t [s]; where there is theory, which none are of."""
    found = {}
    for level, run in runs.items():
        if level != "rate" and "rate" in runs and run.projection in run.bounds:
            bounds = run.bounds[run.projection]
            shares = at_bounds(run.weights[:, np.abs(run.time - t).argmin()], *bounds)
            names = (f"{name} = {bound:.4g}" for name, bound in zip(("w_min", "w_max"), bounds, strict=True))
            found[level] = {name: share for name, share in zip(names, shares, strict=True) if share > 0.0}
    return found


def _field_similarity(runs: dict[str, Any]) -> dict[str, list[float]]:
    """ "spike, rate" -> correlation of the final fields, for each seed and neuron that both have; empty without image-like inputs."""
    shape = next(iter(runs.values())).shape
    if shape is None or len(shape) != 3 or shape[0] != 2:
        return {}
    from .receptive_fields import final_fields, similarity

    found, levels = {}, list(runs)
    for k, a in enumerate(levels):
        for b in levels[k + 1 :]:
            if runs[a].seeds == runs[b].seeds:
                pairs = zip(final_fields(runs[a]), final_fields(runs[b]), strict=True)
                found[f"{a}, {b}"] = [similarity(one, other) for one, other in pairs]
    return found


def _clean(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value
