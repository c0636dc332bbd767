"""A run as one NWB 2 file: spike trains as Units, weights and output rates over time in a processing module.

    units                                    a row for each cell of a recorded population, also where it was silent: spike_times,
                                             obs_intervals, population, cell, group, level, seed
    processing/learning/weights_<level>      TimeSeries (time, seed, post, pre)
    processing/learning/output_rate_<level>  TimeSeries (time, seed, post) [Hz]
    processing/learning/<monitor>_<variable>_<level>
                                             TimeSeries (time, seed, ...); <monitor>_<axis>_<level> says what is along its last axis
    processing/learning/final_<projection>_<level>
                                             a row for each synapse of another projection that learns: pre, post, and its final weight of each seed
    processing/learning/seeds                the seeds along the seed axis of each level
    processing/learning/inputs               the groups along the pre axis

The run is the session, which started when its file was created; experiment_description is its description, as TOML.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .convert import ends_of, group_of, labels, needed, trains
from .results import Run
from .runreader import blocks, read_level

ROWS = 64  # records written at once


def write_nwb(path: Path, about: dict[str, Any], levels: Sequence[str], target: Path) -> None:
    """Write these levels of the run file at `path`, which `about` describes, as `target`."""
    pynwb = needed("pynwb", "nwb")
    file = _session(about)
    learning = file.create_processing_module("learning", "weights and output rates over time, and what their axes mean")
    starts = [read_level(path, level, slice(0, 1)) for level in levels]
    if any(run.spikes for run in starts):
        file.units = _units(starts)
    for level, run in zip(levels, starts, strict=True):
        learning.add(_series(path, level))
        learning.add([*_monitored(run), *_final(run)])
    of_level, seeds = zip(*((run.level, seed) for run in starts for seed in run.seeds), strict=True)
    learning.add(_table("seeds", "the seed axis of each level", level=list(of_level), seed=list(seeds)))
    learning.add(_table("inputs", "the pre axis", group=list(starts[0].source_groups)))
    if starts[0].wiring is not None:
        ends = {name: each.tolist() for name, each in starts[0].wiring._asdict().items()}
        learning.add(_table("synapses", "the last axis of the weights, in the place of post and pre", **ends))
    with pynwb.NWBHDF5IO(target, "w") as io:
        io.write(file)


def _session(about: dict[str, Any]) -> Any:
    """A file that holds the provenance."""
    from pynwb import NWBFile

    name = about.get("network", "a network")
    return NWBFile(
        session_description=f"Simulation of {name} with Hebbian learning",
        identifier=f"{about['created']} {about['config_sha256']}",
        session_start_time=datetime.fromisoformat(about["created"]),
        experiment_description=about["config"] or None,
        data_collection=f"simulated by {about['software']}",
        notes=json.dumps({"versions": about["versions"], "complete": bool(about["complete"])}),
        keywords=["simulation", "Hebbian learning", "synaptic plasticity"],
    )


class Train(NamedTuple):
    """One cell's spikes: times (n_spikes,) [s]."""

    run: Run
    population: str
    cell: int
    times: np.ndarray


def _units(starts: Sequence[Run]) -> Any:
    """Every cell whose spikes were recorded. The columns are given whole: hdmf looks at each number of a table that grows by rows."""
    from pynwb.misc import Units

    found = [Train(run, name, *train) for run in starts for name in run.spikes for train in trains(run, name)]
    ends = np.cumsum([len(train.times) for train in found])
    windows = np.array([train.run.spikes[train.population].window for train in found])
    columns = [
        *_ragged("spike_times", "spike times [s]", np.concatenate([train.times for train in found]), ends),
        *_ragged("obs_intervals", "when the cell was recorded [s]", windows, np.arange(1, len(found) + 1)),
        _column("population", "name of the population", [train.population for train in found]),
        _column("cell", "number of the cell in its population", [train.cell for train in found]),
        _column("group", "group of an input", [group_of(*train[:3]) for train in found]),
        _column("level", "level of the simulation", [train.run.level for train in found]),
        _column("seed", "seed of the simulation", [train.run.seeds[0] for train in found]),
    ]
    return Units(name="units", description="cells whose spikes were recorded", columns=columns)


def _column(name: str, description: str, data: Any) -> Any:
    from hdmf.common import VectorData

    return VectorData(name=name, description=description, data=data)


def _ragged(name: str, description: str, data: np.ndarray, ends: np.ndarray) -> list[Any]:
    """A column with several values a row, those of row k before ends[k]."""
    from hdmf.common import VectorIndex

    column = _column(name, description, data)
    return [column, VectorIndex(name=f"{name}_index", data=ends, target=column)]


def _series(path: Path, level: str) -> list[Any]:
    """The weights, read while they are written, and the output rates."""
    from hdmf.data_utils import DataChunkIterator
    from pynwb import TimeSeries

    times, rates = zip(
        *((block.time, np.moveaxis(block.output_rate, 1, 0)) for block in blocks(path, level)), strict=True
    )
    time = np.concatenate(times)
    weights = TimeSeries(
        name=f"weights_{level}",
        description=f"weights at {level} level; axes: time, seed, post, pre",
        data=DataChunkIterator(_rows(path, level), buffer_size=ROWS),
        unit="1",
        timestamps=time,
    )
    rate = TimeSeries(
        name=f"output_rate_{level}",
        description=f"output rate at {level} level, mean since the record before; axes: time, seed, post",
        data=np.concatenate(rates),
        unit="Hz",
        timestamps=time,
    )
    return [weights, rate]


def _rows(path: Path, level: str) -> Iterator[np.ndarray]:
    """(n_seeds, n_post, n_pre), record by record."""
    for block in blocks(path, level):
        yield from np.moveaxis(block.weights, 1, 0)


def _monitored(run: Run) -> Iterator[Any]:
    """The samples of monitors, and what their axes mean."""
    from pynwb import TimeSeries

    for monitor, samples in run.monitors.items():
        about = json.dumps(dict(samples.about))
        axes: dict[str, list[Any]] = {}
        for variable, field in samples.fields.items():
            along = labels(samples, variable)
            axes |= along
            yield TimeSeries(
                name=f"{monitor}_{variable}_{run.level}",
                description=f"{variable} at {run.level} level; axes: {', '.join(('time', 'seed', *along))}; of monitor {about}",
                data=np.moveaxis(samples[variable], 1, 0),
                unit=field.unit or "of the model",
                timestamps=samples.time,
            )
        for axis, values in axes.items():
            yield _table(f"{monitor}_{axis}_{run.level}", f"the {axis} axis of monitor {monitor}", **{axis: values})


def _final(run: Run) -> Iterator[Any]:
    """The final weights of projections that are not recorded."""
    for name, weights in run.other_weights.items():
        post, pre = ends_of(run, name)
        columns = {"pre": pre, "post": post, "weight": weights.reshape(run.n_seeds, -1).T}
        yield _table(f"final_{name}_{run.level}", "weights at the end of the run, of each seed", **columns)


def _table(name: str, description: str, **columns: Any) -> Any:
    from hdmf.common import DynamicTable

    made = [_column(key, key, values) for key, values in columns.items()]
    return DynamicTable(name=name, description=description, columns=made)
