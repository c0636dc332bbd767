"""What every run holds, whoever wrote it: axes that fit each other, times in order, cells that exist."""

from __future__ import annotations

from typing import Any

import numpy as np

from .results import Run, Spikes

LEVELS = ("spike", "surrogate", "rate")


def check_run(run: Run) -> None:
    """ValueError in a few words for a run that no simulation makes."""
    _require(run.level in LEVELS, f"there is no level {run.level}")
    axes = {"weights": (run.weights, 4), "output_rate": (run.output_rate, 3), "time": (run.time, 1)}
    for name, (values, n_axes) in axes.items():
        _require(values.dtype.kind == "f" and values.ndim == n_axes, f"{name} must be numbers along {n_axes} axes")
    _check_wiring(run)
    _require(min(run.n_seeds, run.n_post, run.n_pre, run.n_synapses) > 0, "weights of no synapse")
    _require(len(run.seeds) == run.n_seeds == len(set(run.seeds)), "seeds must be one for each run, and differ")
    _require(_in_order(run.time) and bool(np.all(np.diff(run.time) > 0.0)), "times must be finite and in order")
    _require(len(run.groups) == run.weights.shape[3], "groups must name every input")
    _require(isinstance(run.projection, str), "the name of the projection must be text")
    for name, last in run.other_weights.items():
        fits = last.dtype.kind == "f" and last.ndim == 3 and len(last) == run.n_seeds
        _require(fits, f"final weights of {name} must be numbers for each seed")
        ends = run.other_wirings.get(name, ())
        fits = all(each.dtype.kind in "iu" and each.shape == last.shape[2:] for each in ends)
        _require(fits, f"the ends of the synapses of {name} must be cells, one for each final weight")
    if run.shape is not None:
        whole = all(isinstance(size, int) and size > 0 for size in run.shape)
        _require(
            whole and np.prod(run.shape, dtype=object) == run.n_pre, "the inputs' shape must be that of all inputs"
        )
    _check_theory(run)
    for name, spikes in run.spikes.items():
        check_spikes(run, name, spikes)


def _check_wiring(run: Run) -> None:
    """The ends of each synapse, and who they belong to; without a wiring there are n_pre for each neuron."""
    sizes = run.populations
    _require(all(isinstance(n, int) and n > 0 for n in sizes.values()), "populations must have cells")
    if run.wiring is None:
        _require(run.output_rate.shape == run.weights.shape[:3], "output_rate has other axes than weights")
        return
    _require(run.source in sizes, "the source of the synapses must be a population")
    _require(
        run.output_rate.shape[:2] == run.weights.shape[:2] and run.weights.shape[2] == 1, "output_rate has other axes"
    )
    for ends, n in zip(run.wiring, (run.n_pre, run.n_post), strict=True):
        cells = ends.dtype.kind in "iu" and ends.shape == (run.n_synapses,) and bool(np.all((ends >= 0) & (ends < n)))
        _require(cells, "the ends of each synapse must be cells")


def _check_theory(run: Run) -> None:
    """The courses that come in twos: weights and rates without the causal term, also for each start, and the spread with and without it."""
    whole = run.weights.shape[1:]
    bare = {"weights_without_causal": whole, "output_rate_without_causal": whole[:2]}
    each = {f"each_{name}": (run.n_seeds, *shape) for name, shape in bare.items()}
    for shapes in (bare, each, dict.fromkeys(("spread", "spread_without_causal"), whole[:1])):
        given = [name for name in shapes if name in run.theory]
        _require(len(given) in (0, len(shapes)), f"theory must hold {' and '.join(shapes)}")
        for name in given:
            values = np.asarray(run.theory[name])
            fits = values.dtype.kind == "f" and values.shape == shapes[name]
            _require(fits, f"theory/{name} must be numbers of shape {shapes[name]}")


def check_spikes(run: Run, name: str, spikes: Spikes) -> None:
    """ValueError in a few words for spikes that no population of the run has."""
    cells = run.n_cells(name)
    n = max(run.n_pre, run.n_post) if cells is None else cells
    _require(spikes.t.ndim == spikes.i.ndim == 1, f"spikes of {name} must be a list")
    _require(_in_order(spikes.t), f"spikes of {name} must be finite and in order")
    _require(bool(np.all((spikes.i >= 0) & (spikes.i < n))), f"spikes of {name} must be of cells 0 to {n - 1}")


def _in_order(times: Any) -> bool:
    return bool(np.all(np.isfinite(times)) and np.all(times[:1] >= 0.0) and np.all(np.diff(times) >= 0.0))


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise ValueError(rule)
