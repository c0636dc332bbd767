"""Runs the averaged learning equation, with and without its causal term, and hands it on as the run of the rate level."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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
from .spreading import Spread
from .theoryfile import axis_of_time

FEW = 2  # records that are made at a time where that takes long

# By network and step: a recording takes a while to be reduced.
_equations: WeakKeyDictionary[Network, dict[float, Any]] = WeakKeyDictionary()


class Block(NamedTuple):
    """Some records, one after the other: time (n_times,) s, weights (n_seeds, n_times, n_post, n_pre), output_rate (n_seeds, n_times, n_post) Hz, and
    the courses, by name, of what the equation says beside its own trajectories; others, the last weights of the other projections that learn."""

    time: np.ndarray
    weights: np.ndarray
    output_rate: np.ndarray
    courses: dict[str, np.ndarray]
    others: dict[str, np.ndarray]


class Path(NamedTuple):
    """What is followed from the weights of one seed: an equation of weights (..., n), from start (n_rows, n), a neuron each or all that learn together; said: what
    has coefficients and predictions.

    shown: of weights (n_times, n_rows, n), projection -> (n_times, n_post, n_pre) or (n_times, 1, n_synapses); rates: (n_times, n_post) Hz.
    """

    equation: Any
    said: Any
    start: np.ndarray
    shown: Callable[[np.ndarray], dict[str, np.ndarray]]
    rates: Callable[[np.ndarray], np.ndarray]


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

    Raises Runaway, with the records until then, where the output rate passes max_rate [Hz] or comes to no rest.
    """
    equation, projection, synapses = equation_of(network, times[-1], dt), network.recorded, recorded(network)
    seeds = seeds if network.is_drawn else seeds[:1]
    check_starts(equation, seeds)
    paths = [path_of(equation, network, seed) for seed in seeds]
    said = paths[0].said
    numbers = {"coefficients": said.coefficients(), "predictions": said.predictions()}
    numbers |= {"approximate": by} if (by := getattr(equation, "approximate", "")) else {}
    blocks = _followed(equation, paths, projection.name, times, max_rate, progress)
    if file is None:
        time, weights, rate, courses, others = _together(list(blocks))
    else:
        cells, every = (projection.target.n, projection.source.n), (times[1] - times[0], times[-1])
        file.checkpoint_between()
        file.start_level("rate", seeds, *cells, *every, wiring=synapses["wiring"])
        file.start_theory(numbers)
        others = {}
        for block in blocks:
            with file.at_once():
                file.append_theory(block.time, block.weights, block.courses)
                file.append("rate", *block[:3])
                file.final("rate", block.others, synapses["other_wirings"])
            others = block.others
        (time, weights, rate), courses = file.records("rate"), file.courses()
    run = Run(
        level="rate",
        seeds=seeds,
        time=time,
        weights=weights,
        output_rate=rate,
        theory=numbers | courses,
        network=network,
        other_weights=others,
        **synapses,
    )
    if time[-1] < times[-1]:
        until = f"after t = {time[-1]:.6g} s; what was recorded until then is kept"
        if why := next(filter(None, (getattr(each.equation, "problem", "") for each in paths)), ""):
            raise Runaway(f"simulate: the averaged equation came to its end ({why}) {until}", run)
        raise Runaway(f"simulate: the output rate of the averaged equation ran away past {max_rate:g} Hz {until}", run)
    return run


def check_starts(equation: Any, seeds: Iterable[int]) -> None:
    """Raise, of the equation of a whole network, where the weights that a seed draws come to no rates."""
    for seed in seeds if hasattr(equation, "of_seed") else ():
        try:
            equation.of_seed(seed).rates()
        except HebbscopeError as problem:
            if not equation.network.is_drawn:
                raise
            raise HebbscopeError(f"{problem} (seed {seed})") from None


def path_of(equation: Any, network: Network, seed: int) -> Path:
    """Of an equation of one layer, a neuron each; of a whole network, all weights together."""
    name = network.recorded.name
    if not hasattr(equation, "of_seed"):
        start = network.recorded.initial_weights(seed)
        return Path(equation, equation, start, lambda weights: {name: weights}, equation.output_rate_of)
    whole = equation.of_seed(seed)
    joint = whole.joint
    return Path(
        joint,
        whole,
        joint.start[None],
        lambda weights: joint.shaped(weights[:, 0]),
        lambda weights: joint.output_rate_of(weights[:, 0]),
    )


def equation_of(network: Network, duration: float, dt: float) -> Any:
    """The averaged equation of a network in steps of dt [s]; HebbscopeError where it has none that holds for `duration` [s]."""
    from ..rules.reduction import reduce

    known = _equations.setdefault(network, {})
    if dt not in known:
        known[dt] = reduce(network, dt=dt)
    for projection in network.learning:
        if projection.normalisation.every < np.inf:
            raise HebbscopeError(
                f"simulate: the averaged equation of {type(projection.rule).__name__} knows no normalisation, "
                f"got {brief(projection.normalisation)}"
            )
    for model in (each.model for each in network.populations if each.is_input):
        if hasattr(model, "lasts") and duration > model.lasts():
            raise HebbscopeError(
                f"simulate: the averaged equation holds while the {type(model).__name__} last, {model.lasts():g} s, "
                f"got a duration of {duration:g} s"
            )
    return known[dt]


def _followed(
    equation: Any,
    paths: list[Path],
    name: str,
    times: np.ndarray,
    max_rate: float,
    progress: Callable[[float], None] | None,
) -> Iterator[Block]:
    """The equation from its starts, with and without its causal term where it can be left out, block by block until the output rate is beyond max_rate or no number.

    name: of the projection that is recorded. Without the causal term the mean over the starts, and where there are several each of them, too, as `each_...` with the seeds
    first.
    """
    n = max(1, BLOCK // (8 * len(paths) * paths[0].start.size))
    if getattr(paths[0].equation, "costly", False):
        n = min(n, FEW)  # so that there is something soon
    whole, bare = _Trajectories(equation, paths, times, max_rate, n), None
    if hasattr(equation, "without_causal"):
        less = equation.without_causal()
        others = [each._replace(equation=less, rates=less.output_rate_of) for each in paths]
        bare = _Trajectories(less, others, times, max_rate, n)
    for first in range(0, len(times), n):
        time = times[first : first + n]
        shown, rate, at_times = next(whole)
        beyond = ~(at_times <= max_rate).all(axis=(0, 2)) & (time > times[0])
        within = int(np.argmax(beyond)) if beyond.any() else len(time)
        courses = whole.spread(time[:within], shown[name])
        if bare is not None:
            courses |= _without_causal(bare, time[:within], name)
        if within:
            last = {key: each[:, within - 1] for key, each in shown.items() if key != name}
            yield Block(time[:within], shown[name][:, :within], rate[:, :within], courses, last)
        if beyond.any():
            return
        if progress is not None:
            progress(float(time[-1]))


def _without_causal(bare: _Trajectories, time: np.ndarray, name: str) -> dict[str, np.ndarray]:
    """The courses of the next block of an equation without its causal term, at so many of its times (n_times,) [s]."""
    shown, rate, _ = next(bare)
    found = {"weights": shown[name][:, : len(time)], "output_rate": rate[:, : len(time)]}
    means = {what: each.mean(axis=0) for what, each in found.items()} | bare.spread(time, shown[name])
    each_of = {f"each_{what}": each for what, each in found.items() if len(each) > 1}
    return {f"{what}_without_causal": each for what, each in (means | each_of).items()}


class _Trajectories:
    """Of several paths, a block of n times after the other: weights by projection, (n_seeds, n_times, n_post, n_pre) or (n_seeds, n_times, 1, n_synapses),
    output rates (n_seeds, n_times, n_post) [Hz] as their means over the intervals that end at these times, as they are counted from spikes, and at these times."""

    def __init__(self, equation: Any, paths: list[Path], times: np.ndarray, max_rate: float, n: int):
        self.paths, self._spread = paths, Spread(equation)
        self.blocks = [averaged_in_blocks(each.equation, each.start, times, max_rate, n) for each in paths]
        self.before: np.ndarray | None = None

    def __next__(self) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        found = [next(block) for block in self.blocks]
        each = [path.shown(weights) for path, weights in zip(self.paths, found, strict=True)]
        shown = {name: np.stack([one[name] for one in each]) for name in each[0]}
        rates = np.stack([path.rates(weights) for path, weights in zip(self.paths, found, strict=True)])
        before = np.full_like(rates[:, :1], np.nan) if self.before is None else self.before
        self.before = rates[:, -1:]
        return shown, 0.5 * (rates + np.concatenate([before, rates[:, :-1]], axis=1)), rates

    def spread(self, time: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
        """The spread in a group, where the equation says it, at the times (n_times,) [s] of a block, with weights (n_seeds, n_times or more, n_post, n_pre)."""
        course = self._spread.course(time, weights[:, : len(time)].mean(axis=(0, 2)))
        return {} if course is None else {"spread": course}


def _together(
    blocks: list[Block],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """All blocks as one."""
    time, weights, rate, courses, others = zip(*blocks, strict=True)
    return (
        np.concatenate(time),
        np.concatenate(weights, axis=1),
        np.concatenate(rate, axis=1),
        {name: np.concatenate([each[name] for each in courses], axis=axis_of_time(name)) for name in courses[0]},
        others[-1],
    )
