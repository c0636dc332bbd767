"""Runs as the objects of other libraries: xarray's, pandas's and Neo's, with the same numbers to the last bit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np

from .protocols import HebbscopeError
from .results import Run, Spikes
from .scales import UNITS, axes_of

OF_THE_RUN_FILE = ("magic", "version", "Conventions")  # attributes that are not true of what is made from it


def needed(module: str, extra: str) -> Any:
    """A module of an optional dependency; HebbscopeError, which says what to install, where it is missing."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise HebbscopeError(f"{error.name} is not installed: pip install 'hebbscope[{extra}]'") from None


def n_cells(run: Run, population: str) -> int:
    """The size of a population that has spikes: cells that were silent count, too."""
    seen = int(run.spikes[population].i.max(initial=-1)) + 1
    return max(seen, run.n_cells(population) or 0)


def trains(run: Run, population: str) -> Iterator[tuple[int, np.ndarray]]:
    """Each cell of a population and its spike times (n_spikes,) [s], ascending."""
    spikes = run.spikes[population]
    order = np.argsort(spikes.i, kind="stable")
    cells = np.arange(n_cells(run, population))
    first = np.searchsorted(spikes.i[order], cells[1:])
    yield from zip(cells.tolist(), np.split(spikes.t[order], first), strict=True)


def group_of(run: Run, population: str, cell: int) -> str:
    """The group of a cell of the source; nothing for other cells."""
    is_source = population == run.source and cell < run.n_pre
    return run.source_groups[cell] if is_source else ""


# xarray -------------------------------------------------------------------------------------------------------------


def to_xarray(run: Run) -> Any:
    """An xarray.DataTree.

    weights (seed, time, post, pre) and output_rate (seed, time, post) [Hz] over the coordinates seed, time [s], post, pre and group (pre);
    where not all are joined to all, weights (seed, time, synapse) with pre, post and group (synapse), and output_rate (seed, time, neuron);
    below them spikes/<population> with t [s] and i, and at the rate level theory.
    """
    import xarray

    sizes = {"time": run.n_times, "post": run.n_post, "pre": run.n_pre}
    nodes = {"/": _records(run)}
    nodes |= {f"/spikes/{name}": _spikes(run, spikes) for name, spikes in run.spikes.items()}
    nodes |= dict(_theory("/theory", run.theory, sizes)) if run.theory else {}
    return xarray.DataTree.from_dict(nodes, name=run.level)


def _records(run: Run) -> Any:
    import xarray

    if run.wiring is None:
        cells, weights = "post", run.weights
        synapses: tuple[str, ...] = ("post", "pre")
        coordinates: dict[str, Any] = {"post": np.arange(run.n_post), "pre": np.arange(run.n_pre)}
    else:
        cells, synapses, weights = "neuron", ("synapse",), run.weights[:, :, 0]
        coordinates = {"neuron": np.arange(run.n_post), "synapse": np.arange(run.n_synapses)}
        coordinates |= {name: ("synapse", ends) for name, ends in run.wiring._asdict().items()}
    axes = ("seed", "time")
    return xarray.Dataset(
        {
            "weights": ((*axes, *synapses), weights, {"units": "1", "long_name": f"weights of {run.projection}"}),
            "output_rate": ((*axes, cells), run.output_rate, {"units": "Hz", "long_name": "output rate"}),
        },
        {
            "seed": list(run.seeds),
            "time": ("time", run.time, {"units": "s"}),
            **coordinates,
            "group": (synapses[-1], list(run.groups), {"long_name": "group of the input"}),
        },
        {"level": run.level, "projection": run.projection} | provenance(run),
    )


def provenance(run: Run) -> dict[str, Any]:
    """What is known of where a run comes from, as numbers, texts and lists of them; nested values as JSON."""
    about = run.attrs | ({"shape": list(run.shape)} if run.shape else {})
    kept = {name: value for name, value in about.items() if value is not None and name not in OF_THE_RUN_FILE}
    return {name: json.dumps(value) if isinstance(value, dict) else value for name, value in kept.items()}


def _spikes(run: Run, spikes: Spikes) -> Any:
    import xarray

    values = {"t": ("spike", spikes.t, {"units": "s"}), "i": ("spike", spikes.i, {"long_name": "cell"})}
    return xarray.Dataset(values, attrs={"seed": run.seeds[0], "recorded": list(spikes.window)})


def _theory(path: str, values: dict[str, Any], sizes: dict[str, int]) -> Iterator[tuple[str, Any]]:
    """A Dataset for each level of a nested dict, under its path."""
    import xarray

    numbers, texts = {}, {}
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _theory(f"{path}/{name}", value, sizes)
        elif isinstance(value, str):
            texts[name] = value
        elif value is not None:
            array = np.asarray(value, dtype=np.float64)
            units = {"units": UNITS[name]} if name in UNITS else {}
            numbers[name] = (axes_of(name, array.shape, sizes), array, units)
    yield path, xarray.Dataset(numbers, attrs=texts)


# pandas -------------------------------------------------------------------------------------------------------------


def to_pandas(run: Run) -> dict[str, Any]:
    """Long tables, a row for each number: weights, output_rate, spikes. Units stand in the names of the columns."""
    import pandas

    tables = [spike_table(run.level, run.seeds[0], name, spikes) for name, spikes in run.spikes.items()]
    none = spike_table(run.level, run.seeds[0], "", Spikes(np.empty(0), np.empty(0)))
    spikes = pandas.concat(tables, ignore_index=True) if tables else none
    return {"weights": weight_table(run), "output_rate": rate_table(run), "spikes": spikes}


def weight_table(run: Run) -> Any:
    """level, time_s, seed, post, pre, group, weight."""
    import pandas

    if run.wiring is None:
        table = _long(run, {"post": range(run.n_post), "pre": range(run.n_pre)}, weight=run.weights)
    else:
        table = _long(run, {"synapse": range(run.n_synapses)}, weight=run.weights)
        synapse = table.pop("synapse").to_numpy()
        table.insert(3, "post", run.wiring.post[synapse])
        table.insert(4, "pre", run.wiring.pre[synapse])
    groups = np.tile(np.array(run.groups, dtype=object), run.n_seeds * run.n_times * run.weights.shape[2])
    table.insert(5, "group", pandas.Categorical(groups, list(dict.fromkeys(run.groups))))
    return table


def rate_table(run: Run) -> Any:
    """level, time_s, seed, post, output_rate_Hz."""
    return _long(run, {"post": range(run.n_post)}, output_rate_Hz=run.output_rate)


def _long(run: Run, last: dict[str, range], **values: np.ndarray) -> Any:
    """One array (n_seeds, n_times, ...) with a row for each of its numbers, in the order of time; last: its other axes."""
    import pandas

    ((name, array),) = values.items()
    axes = {"time_s": run.time, "seed": run.seeds, **last}
    index = pandas.MultiIndex.from_product(axes.values(), names=list(axes))
    table = pandas.DataFrame({name: np.moveaxis(array, 1, 0).ravel()}, index).reset_index()
    table.insert(0, "level", _same(run.level, len(table)))
    return table


def spike_table(level: str, seed: int, population: str, spikes: Spikes) -> Any:
    """level, seed, population, cell, time_s."""
    import pandas

    n = len(spikes)
    labels = {"level": _same(level, n), "seed": np.full(n, seed), "population": _same(population, n)}
    return pandas.DataFrame(labels | {"cell": spikes.i, "time_s": spikes.t})


def _same(label: str, n: int) -> Any:
    """One label n times, a byte each."""
    import pandas

    return pandas.Categorical.from_codes(np.zeros(n, np.int8), [label])


# Neo ----------------------------------------------------------------------------------------------------------------


def to_neo(run: Run) -> Any:
    """A neo.Block with a Segment for each seed: weights and output_rate as irregularly sampled signals, and in the first the spike trains
    of every cell, silent ones too, from when to when it was recorded.
    """
    neo = needed("neo", "neo")
    name = run.attrs.get("experiment") or getattr(run.network, "name", "") or run.attrs.get("network", "")
    block = neo.Block(name=name or None, description=f"{run.projection} at {run.level} level", **provenance(run))
    block.annotate(level=run.level)
    for k, seed in enumerate(run.seeds):
        segment = neo.Segment(name=f"seed {seed}", index=k, seed=seed)
        segment.irregularlysampledsignals.extend(_signals(run, k))
        if k == 0:
            for population in run.spikes:
                segment.spiketrains.extend(list(_spike_trains(run, population)))
        block.segments.append(segment)
    return block


def _signals(run: Run, k: int) -> list[Any]:
    """The records of seed number k, a channel for each synapse and each neuron."""
    neo, units = needed("neo", "neo"), needed("quantities", "neo")
    post, pre = np.indices((run.n_post, run.n_pre)).reshape(2, -1) if run.wiring is None else run.wiring[::-1]
    about = {"post": post, "pre": pre, "group": np.array(run.source_groups)[pre]}
    weights = run.weights[k].reshape(run.n_times, -1)
    make, time = neo.IrregularlySampledSignal, run.time
    return [
        make(time, weights, units.dimensionless, time_units="s", name="weights", array_annotations=about),
        make(time, run.output_rate[k], "Hz", time_units="s", name="output_rate",
             array_annotations={"post": np.arange(run.n_post)}),
    ]  # fmt: skip


def _spike_trains(run: Run, population: str) -> Iterator[Any]:
    neo = needed("neo", "neo")
    start, stop = run.spikes[population].window
    for cell, times in trains(run, population):
        about = {"population": population, "cell": cell, "group": group_of(run, population, cell)}
        yield neo.SpikeTrain(times, t_stop=stop, units="s", t_start=start, name=f"{population} {cell}", **about)
