"""Runs as the objects of other libraries: xarray's, pandas's and Neo's, with the same numbers to the last bit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from .protocols import HebbscopeError
from .results import Run, Spikes
from .sampler import Samples
from .scales import UNITS, axes_of

OF_SAMPLES = {"synapse": "sampled_synapse"}  # axes whose names those of records have
OF_THE_RUN_FILE = ("magic", "version", "Conventions")  # attributes that are not true of what is made from it
SAMPLED = ["level", "monitor", "variable", "time_s", "seed"]  # columns of tables, before those of the axes
FINAL = ["level", "seed", "projection", "post", "pre", "weight"]


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


def labels(samples: Samples, variable: str) -> dict[str, list[Any]]:
    """The axes of a variable of a monitor beyond seed and time, by name: the numbers of cells, bins or synapses, the names of groups."""
    axes = {axis: numbers.tolist() for axis, numbers in samples.fields[variable].axes.items()}
    return axes | ({"group": list(samples.about["groups"])} if "group" in axes else {})


def ends_of(run: Run, projection: str) -> tuple[np.ndarray, np.ndarray]:
    """post and pre (n_synapses,) of the final weights of another projection than the recorded one, in their order."""
    if projection in run.other_wirings:
        pre, post = run.other_wirings[projection]
        return post, pre
    _, *shape = run.other_weights[projection].shape
    post, pre = np.indices(shape).reshape(2, -1)
    return post, pre


# xarray -------------------------------------------------------------------------------------------------------------


def to_xarray(run: Run) -> Any:
    """An xarray.DataTree.

    weights (seed, time, post, pre) and output_rate (seed, time, post) [Hz] over the coordinates seed, time [s], post, pre and group (pre);
    where not all are joined to all, weights (seed, time, synapse) with pre, post and group (synapse), and output_rate (seed, time, neuron);
    below them spikes/<population> with t [s] and i, monitors/<monitor> with arrays (seed, sample, ...) and t (sample) [s], final/<projection> with the final
    weights (seed, connection) of the other projections that learn, with pre and post (connection), and at the rate level theory.
    """
    import xarray

    sizes = {"time": run.n_times, "post": run.n_post, "pre": run.n_pre}
    nodes = {"/": _records(run)}
    nodes |= {f"/spikes/{name}": _spikes(run, spikes) for name, spikes in run.spikes.items()}
    nodes |= {f"/monitors/{name}": _samples(run, samples) for name, samples in run.monitors.items()}
    nodes |= {f"/final/{name}": _final(run, name) for name in run.other_weights}
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


def _samples(run: Run, samples: Samples) -> Any:
    """Of one monitor. A group below others shares the axes of these, so that those of samples have names of their own."""
    import xarray

    values, coordinates = {}, {"seed": list(run.seeds), "t": ("sample", samples.time, {"units": "s"})}
    for name, field in samples.fields.items():
        axes = {OF_SAMPLES.get(axis, axis): along for axis, along in labels(samples, name).items()}
        values[name] = (("seed", "sample", *axes), samples[name], {"units": field.unit} if field.unit else {})
        coordinates |= axes
    return xarray.Dataset(
        values, coordinates, {name: samples.about[name] for name in samples.about if name != "groups"}
    )


def _final(run: Run, projection: str) -> Any:
    import xarray

    post, pre = ends_of(run, projection)
    weights = run.other_weights[projection].reshape(run.n_seeds, -1)
    values = {
        "weights": (("seed", "connection"), weights, {"units": "1", "long_name": f"final weights of {projection}"})
    }
    ends = {"post": ("connection", post), "pre": ("connection", pre)}
    return xarray.Dataset(values, {"seed": list(run.seeds)} | ends)


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
    """Long tables, a row for each number: weights, output_rate, spikes, monitors, final_weights. Units stand in the names of the columns."""
    import pandas

    tables = [spike_table(run.level, run.seeds[0], name, spikes) for name, spikes in run.spikes.items()]
    none = spike_table(run.level, run.seeds[0], "", Spikes(np.empty(0), np.empty(0)))
    spikes = pandas.concat(tables, ignore_index=True) if tables else none
    records = {"weights": weight_table(run), "output_rate": rate_table(run), "spikes": spikes}
    axes = sampled_axes(run)
    sampled = _concatenated(sample_tables(run, axes), SAMPLED + axes + ["value"])
    sampled[axes] = sampled[axes].convert_dtypes()
    return records | {"monitors": sampled, "final_weights": _concatenated(final_tables(run), FINAL)}


def _concatenated(tables: Iterator[Any], columns: list[str]) -> Any:
    import pandas

    found = list(tables)
    return pandas.concat(found, ignore_index=True) if found else pandas.DataFrame(columns=columns)


def weight_table(run: Run) -> Any:
    """level, time_s, seed, post, pre, group, weight."""
    import pandas

    if run.wiring is None:
        table = _long(run, run.time, {"post": range(run.n_post), "pre": range(run.n_pre)}, weight=run.weights)
    else:
        table = _long(run, run.time, {"synapse": range(run.n_synapses)}, weight=run.weights)
        synapse = table.pop("synapse").to_numpy()
        table.insert(3, "post", run.wiring.post[synapse])
        table.insert(4, "pre", run.wiring.pre[synapse])
    groups = np.tile(np.array(run.groups, dtype=object), run.n_seeds * run.n_times * run.weights.shape[2])
    table.insert(5, "group", pandas.Categorical(groups, list(dict.fromkeys(run.groups))))
    return table


def rate_table(run: Run) -> Any:
    """level, time_s, seed, post, output_rate_Hz."""
    return _long(run, run.time, {"post": range(run.n_post)}, output_rate_Hz=run.output_rate)


def sampled_axes(*runs: Run) -> list[str]:
    """The axes that variables of monitors have, beyond seed and time, each once, by name."""
    every = (samples.fields.values() for run in runs for samples in run.monitors.values())
    return sorted({axis for fields in every for field in fields for axis in field.axes})


def sample_tables(run: Run, axes: list[str]) -> Iterator[Any]:
    """level, monitor, variable, time_s, seed, these axes (empty where a variable has no such), value: of one variable of a monitor after another."""
    for monitor, samples in run.monitors.items():
        for variable in samples.fields:
            table = _long(run, samples.time, labels(samples, variable), value=samples[variable])
            table.insert(1, "monitor", _same(monitor, len(table)))
            table.insert(2, "variable", _same(variable, len(table)))
            yield table.reindex(columns=[*SAMPLED, *axes, "value"])


def final_tables(run: Run) -> Iterator[Any]:
    """level, seed, projection, post, pre, weight: of one projection after another, but for the recorded one."""
    import pandas

    for name, weights in run.other_weights.items():
        post, pre = (np.tile(ends, run.n_seeds) for ends in ends_of(run, name))
        seeds = np.repeat(run.seeds, weights[0].size)
        about = {"level": _same(run.level, len(seeds)), "seed": seeds, "projection": _same(name, len(seeds))}
        yield pandas.DataFrame(about | {"post": post, "pre": pre, "weight": weights.ravel()})


def _long(run: Run, time: np.ndarray, last: Mapping[str, Sequence[Any]], **values: np.ndarray) -> Any:
    """One array (n_seeds, n_times, ...) with a row for each of its numbers, in the order of time [s]; last: its other axes."""
    import pandas

    ((name, array),) = values.items()
    axes = {"time_s": time, "seed": run.seeds, **last}
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
    """A neo.Block with a Segment for each seed: weights, output_rate and the variables of monitors as irregularly sampled signals, and in the first
    the spike trains of every cell, silent ones too, from when to when it was recorded.
    """
    neo = needed("neo", "neo")
    name = run.attrs.get("experiment") or getattr(run.network, "name", "") or run.attrs.get("network", "")
    block = neo.Block(name=name or None, description=f"{run.projection} at {run.level} level", **provenance(run))
    block.annotate(level=run.level)
    for k, seed in enumerate(run.seeds):
        segment = neo.Segment(name=f"seed {seed}", index=k, seed=seed)
        segment.irregularlysampledsignals.extend([*_signals(run, k), *_sampled_signals(run, k)])
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


def _sampled_signals(run: Run, k: int) -> Iterator[Any]:
    """The samples of seed number k, a signal for each variable of a monitor, a channel for each number of a sample."""
    neo, units = needed("neo", "neo"), needed("quantities", "neo")
    for monitor, samples in run.monitors.items():
        kind = {name: value for name, value in samples.about.items() if name != "groups"}
        for variable, field in samples.fields.items():
            axes = labels(samples, variable)
            along = np.meshgrid(*axes.values(), indexing="ij")
            about = {axis: each.ravel() for axis, each in zip(axes, along, strict=True)}
            yield neo.IrregularlySampledSignal(
                samples.time,
                samples[variable][k].reshape(len(samples.time), -1),
                units.dimensionless if field.unit in ("", "1") else field.unit,
                time_units="s",
                name=f"{monitor} {variable}",
                array_annotations=about,
                monitor=monitor,
                **kind,
            )


def _spike_trains(run: Run, population: str) -> Iterator[Any]:
    neo = needed("neo", "neo")
    start, stop = run.spikes[population].window
    for cell, times in trains(run, population):
        about = {"population": population, "cell": cell, "group": group_of(run, population, cell)}
        yield neo.SpikeTrain(times, t_stop=stop, units="s", t_start=start, name=f"{population} {cell}", **about)
