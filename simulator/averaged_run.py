"""Runs the averaged learning equation, with and without its causal term, and hands it on as the run of the rate level."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from .describe import brief
from .drive import Runaway
from .network import Network
from .protocols import HebbscopeError
from .rate import averaged_in_blocks
from .records import BLOCK
from .results import Run, recorded
from .theoryfile import axis_of_time

# By network and step: a recording takes a while to be reduced.
_equations: WeakKeyDictionary[Network, dict[float, Any]] = WeakKeyDictionary()


class Block(NamedTuple):
    """Some records, one after the other: time (n_times,) s, weights (n_seeds, n_times, n_post, n_pre), output_rate (n_seeds, n_times, n_post) Hz, and
    the courses, by name, of what the equation says beside its own trajectories."""

    time: np.ndarray
    weights: np.ndarray
    output_rate: np.ndarray
    courses: dict[str, np.ndarray]


def simulate_averaged(
    network: Network,
    times: np.ndarray,
    seeds: tuple[int, ...],
    dt: float,
    *,
    max_rate: float,
    file: Any = None,
    progress: Callable[[float], None] | None = None,
) -> Run:
    """The rate level at `times` (n_times,) [s]. Without chance in the initial weights there is one trajectory, whatever the seeds.

    Raises Runaway, with the records until then, where the output rate passes max_rate [Hz].
    """
    equation, projection = equation_of(network, times[-1], dt), network.layer
    if not hasattr(projection.weights, "draw"):
        seeds = seeds[:1]
    starts = [projection.initial_weights(seed) for seed in seeds]
    numbers = {"coefficients": equation.coefficients(), "predictions": equation.predictions()}
    numbers |= {"approximate": equation.approximate} if hasattr(equation, "approximate") else {}
    blocks = _followed(equation, starts, times, max_rate, progress)
    if file is None:
        time, weights, rate, courses = _together(list(blocks))
    else:
        file.start_level("rate", seeds, projection.target.n, projection.source.n, times[1] - times[0], times[-1])
        file.start_theory(numbers)
        for block in blocks:
            with file.at_once():
                file.append_theory(block.time, block.weights, block.courses)
                file.append("rate", *block[:3])
        (time, weights, rate), courses = file.records("rate"), file.courses()
    run = Run(
        level="rate",
        seeds=seeds,
        time=time,
        weights=weights,
        output_rate=rate,
        theory=numbers | courses,
        network=network,
        **recorded(network),
    )
    if time[-1] < times[-1]:
        raise Runaway(
            f"simulate: the output rate of the averaged equation ran away past {max_rate:g} Hz after t = {time[-1]:.6g} s; "
            f"what was recorded until then is kept",
            run,
        )
    return run


def equation_of(network: Network, duration: float, dt: float) -> Any:
    """The averaged equation of a network in steps of dt [s]; HebbscopeError where it has none that holds for `duration` [s]."""
    from ..rules.reduction import reduce

    known = _equations.setdefault(network, {})
    if dt not in known:
        known[dt] = reduce(network, dt=dt)
    equation, projection, model = known[dt], network.layer, network.layer.source.model
    if projection.normalisation.every < np.inf:
        raise HebbscopeError(
            f"simulate: the averaged equation of {type(projection.rule).__name__} knows no normalisation, "
            f"got {brief(projection.normalisation)}"
        )
    if hasattr(model, "lasts") and duration > model.lasts():
        raise HebbscopeError(
            f"simulate: the averaged equation holds while the {type(model).__name__} last, {model.lasts():g} s, "
            f"got a duration of {duration:g} s"
        )
    return equation


def _followed(
    equation: Any,
    starts: list[np.ndarray],
    times: np.ndarray,
    max_rate: float,
    progress: Callable[[float], None] | None,
) -> Iterator[Block]:
    """The equation from its starts (n_post, n_pre), with and without its causal term, block by block until the output rate is beyond max_rate or no number.

    Without the causal term the mean over the starts, and where there are several each of them, too, as `each_...` with the seeds first.
    """
    n = max(1, BLOCK // (8 * len(starts) * starts[0].size))
    whole = _Trajectories(equation, starts, times, max_rate, n)
    bare = _Trajectories(equation.without_causal(), starts, times, max_rate, n)
    for first in range(0, len(times), n):
        time = times[first : first + n]
        (weights, rate, at_times), (others, other_rate, _) = next(whole), next(bare)
        beyond = ~(at_times <= max_rate).all(axis=(0, 2)) & (time > times[0])
        within = int(np.argmax(beyond)) if beyond.any() else len(time)
        courses = {}
        for name, each in (("weights", others[:, :within]), ("output_rate", other_rate[:, :within])):
            courses[f"{name}_without_causal"] = each.mean(axis=0)
            if len(starts) > 1:
                courses[f"each_{name}_without_causal"] = each
        if hasattr(equation, "spread"):
            courses["spread"] = equation.spread(time[:within])
            courses["spread_without_causal"] = bare.equation.spread(time[:within])
        if within:
            yield Block(time[:within], weights[:, :within], rate[:, :within], courses)
        if beyond.any():
            return
        if progress is not None:
            progress(float(time[-1]))


class _Trajectories:
    """Of an equation from several starts, a block of n times after the other: weights (n_starts, n_times, n_post, n_pre), output rates (n_starts, n_times,
    n_post) [Hz] as their means over the intervals that end at these times, as they are counted from spikes, and at these times."""

    def __init__(self, equation: Any, starts: list[np.ndarray], times: np.ndarray, max_rate: float, n: int):
        self.equation = equation
        self.paths = [averaged_in_blocks(equation, start, times, max_rate, n) for start in starts]
        self.before = np.full((len(starts), 1, len(starts[0])), np.nan)

    def __next__(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        weights = np.stack([next(path) for path in self.paths])
        rates = self.equation.output_rate_of(weights)
        means = 0.5 * (rates + np.concatenate([self.before, rates[:, :-1]], axis=1))
        self.before = rates[:, -1:]
        return weights, means, rates


def _together(blocks: list[Block]) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """All blocks as one."""
    time, weights, rate, courses = zip(*blocks, strict=True)
    return (
        np.concatenate(time),
        np.concatenate(weights, axis=1),
        np.concatenate(rate, axis=1),
        {name: np.concatenate([each[name] for each in courses], axis=axis_of_time(name)) for name in courses[0]},
    )
