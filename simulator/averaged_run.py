"""Runs the averaged learning equation, with and without its causal term, and hands it on as the run of the rate level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from .describe import brief
from .drive import Runaway
from .network import Network
from .protocols import HebbscopeError
from .rate import averaged
from .results import Run, recorded

_equations: WeakKeyDictionary[Network, Any] = WeakKeyDictionary()  # a recording takes a while to be reduced


def simulate_averaged(
    network: Network,
    times: np.ndarray,
    seeds: tuple[int, ...],
    *,
    max_rate: float,
    file: Any = None,
    progress: Callable[[float], None] | None = None,
) -> Run:
    """The rate level at `times` (n_times,) [s]. Without chance in the initial weights there is one trajectory, whatever the seeds.

    Raises Runaway, with the records until then, where the output rate passes max_rate [Hz].
    """
    equation, projection = equation_of(network, times[-1]), network.projection
    if not hasattr(projection.weights, "draw"):
        seeds = seeds[:1]
    starts = [projection.initial_weights(seed) for seed in seeds]
    weights = np.stack([averaged(equation, start, times, max_rate) for start in starts])
    rates = equation.output_rate_of(weights)
    first, step = _first_beyond(rates, max_rate), times[1] - times[0]
    last, times = times[-1], times[:first]
    weights, rates = weights[:, :first], rates[:, :first]
    if progress is not None:
        progress(float(times[-1]))
    run = Run(
        level="rate",
        seeds=seeds,
        time=times,
        weights=weights,
        output_rate=_between(rates),
        theory=_theory(equation, starts, times, max_rate),
        network=network,
        **recorded(network),
    )
    if file is not None:
        file.start_level("rate", seeds, projection.target.n, projection.source.n, step, last)
        file.append("rate", times, weights, run.output_rate)
        file.theory(run.theory)
    if times[-1] < last:
        raise Runaway(
            f"simulate: the output rate of the averaged equation ran away past {max_rate:g} Hz after t = {times[-1]:.6g} s; "
            f"what was recorded until then is kept",
            run,
        )
    return run


def equation_of(network: Network, duration: float) -> Any:
    """The averaged equation of a network; HebbscopeError where it has none that holds for `duration` [s]."""
    from ..rules.reduction import reduce

    if network not in _equations:
        _equations[network] = reduce(network)
    equation, projection, model = _equations[network], network.projection, network.input.model
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


def _first_beyond(rates: np.ndarray, max_rate: float) -> int:
    """The first record, but the start, at which a rate (n_seeds, n_times, n_post) is beyond max_rate or no number; n_times if none."""
    beyond = ~(rates[:, 1:] <= max_rate).all(axis=(0, 2))
    return 1 + int(np.argmax(beyond)) if beyond.any() else rates.shape[1]


def _theory(equation: Any, starts: list[np.ndarray], times: np.ndarray, max_rate: float) -> dict[str, Any]:
    """What the equation says beside its own trajectories: those without the causal term, the spread, its numbers.

    Without the causal term the mean over the starts, and where there are several each of them, too, as `each_...` with the seeds first.
    """
    theory: dict[str, Any] = {"coefficients": equation.coefficients(), "predictions": equation.predictions()}
    bare = equation.without_causal()
    if hasattr(equation, "spread"):
        theory["spread"] = equation.spread(times)
        theory["spread_without_causal"] = bare.spread(times)
    weights = np.stack([averaged(bare, start, times, max_rate) for start in starts])
    for name, each in (("weights", weights), ("output_rate", _between(bare.output_rate_of(weights)))):
        theory[f"{name}_without_causal"] = each.mean(axis=0)
        if len(starts) > 1:
            theory[f"each_{name}_without_causal"] = each
    return theory


def _between(rates: np.ndarray) -> np.ndarray:
    """(..., n_times, n_post) rates at the records -> their means over the intervals that end there, as they are counted from spikes."""
    means = np.full_like(rates, np.nan)
    means[..., 1:, :] = 0.5 * (rates[..., 1:, :] + rates[..., :-1, :])
    return means
