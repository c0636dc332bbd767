"""Runs the averaged learning equation, with and without its causal term, and hands it on as the run of the rate level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .network import Network
from .protocols import HebbscopeError
from .rate import averaged
from .results import Run


def simulate_averaged(
    network: Network,
    times: np.ndarray,
    seeds: tuple[int, ...],
    *,
    file: Any = None,
    progress: Callable[[float], None] | None = None,
) -> Run:
    """The rate level at `times` (n_times,) [s]. Without chance in the initial weights there is one trajectory, whatever the seeds."""
    from ..rules.reduction import reduce

    equation, projection = reduce(network), network.projection
    if projection.normalisation.every < np.inf:
        raise HebbscopeError(
            f"simulate: the averaged equation of {type(projection.rule).__name__} knows no normalisation, "
            f"got {projection.normalisation!r}"
        )
    if not hasattr(projection.weights, "draw"):
        seeds = seeds[:1]
    starts = [projection.initial_weights(seed) for seed in seeds]
    weights = np.stack([averaged(equation, start, times) for start in starts])
    if progress is not None:
        progress(float(times[-1]))
    run = Run(
        level="rate",
        seeds=seeds,
        time=times,
        weights=weights,
        output_rate=_between(equation.output_rate_of(weights)),
        groups=projection.source.groups,
        projection=projection.name,
        shape=projection.source.shape,
        theory=_theory(equation, starts[0], times),
        network=network,
    )
    if file is not None:
        file.start_level("rate", seeds, projection.target.n, projection.source.n, times[1] - times[0], times[-1])
        file.append("rate", times, weights, run.output_rate)
        file.theory(run.theory)
    return run


def _theory(equation: Any, start: np.ndarray, times: np.ndarray) -> dict[str, Any]:
    """What the equation says beside its own trajectory: the one without the causal term, the spread, its numbers."""
    theory: dict[str, Any] = {"coefficients": equation.coefficients(), "predictions": equation.predictions()}
    if hasattr(equation, "spread"):
        theory["spread"] = equation.spread(times)
        theory["spread_without_causal"] = equation.without_causal().spread(times)
    bare = equation.without_causal()
    theory["weights_without_causal"] = averaged(bare, start, times)
    theory["output_rate_without_causal"] = _between(bare.output_rate_of(theory["weights_without_causal"]))
    return theory


def _between(rates: np.ndarray) -> np.ndarray:
    """(..., n_times, n_post) rates at the records -> their means over the intervals that end there, as they are counted from spikes."""
    means = np.full_like(rates, np.nan)
    means[..., 1:, :] = 0.5 * (rates[..., 1:, :] + rates[..., :-1, :])
    return means
