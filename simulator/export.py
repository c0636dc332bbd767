"""Run files in the formats of others: SONATA, NWB, netCDF, CSV.

What is exported is written in a hidden folder beside its place and moved there when it is whole, so that nothing is ever half-written. Files larger
than the memory are read block by block; netCDF takes the memory of one level.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from . import sonata
from .convert import (
    final_tables,
    needed,
    rate_table,
    sample_tables,
    sampled_axes,
    spike_table,
    to_xarray,
    weight_table,
)
from .describe import size
from .nwb import write_nwb
from .protocols import HebbscopeError
from .results import Run, Spikes
from .room import RESERVE, room
from .runreader import DamagedFile, blocks, describe, read_level, spike_blocks, step_of

# What exported folders hold.
FILES = (
    "spikes.h5",
    "weights_*.h5",
    "monitor_*.h5",
    "weights.csv",
    "output_rate.csv",
    "spikes.csv",
    "monitors.csv",
    "final_weights.csv",
    "about.json",
)


class Format(NamedTuple):
    """ending: what the name of a run file becomes; write(path, about, levels, target); bytes: about so many for a weight and for a spike;
    needs: (module, extra) of an optional dependency.
    """

    ending: str
    write: Callable[[Path, dict[str, Any], Sequence[str], Path], None]
    bytes: tuple[int, int]
    needs: tuple[str, str] | None = None

    @property
    def is_folder(self) -> bool:
        return not self.ending.startswith(".")


def export(
    path: str | Path, to: str, out: str | Path | None = None, *, levels: Sequence[str] = (), force: bool = False
) -> Path:
    """Write a run file, or some of its levels, in another format; returns where: `out`, or beside the run file under its name.

    to: "sonata" and "csv" make a folder of files, "nwb" and "netcdf" one file. HebbscopeError in one line, and nothing written, for a format or a
    level that is not there, a file that cannot be read, a place that cannot be written or, without `force`, is taken.
    """
    path, chosen = Path(path), _format(to)
    about = describe(path)
    levels = _levels(about, levels)
    if chosen.needs is not None:
        needed(*chosen.needs)
    target = Path(out) if out is not None else path.with_name(path.stem + chosen.ending)
    _check(target, path, chosen.is_folder, force)
    _check_room(target, about, levels, chosen)
    with _writing(target), TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch:
        new = Path(scratch) / target.name
        if chosen.is_folder:
            new.mkdir()
        with _reading(path, to):
            chosen.write(path, about, levels, new)
        if target.is_dir():
            os.replace(target, Path(scratch) / "old")
        os.replace(new, target)
    return target


def _format(name: str) -> Format:
    if name not in FORMATS:
        near = get_close_matches(name, FORMATS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise HebbscopeError(f"export: {name!r} is not one of {', '.join(FORMATS)}{hint}")
    return FORMATS[name]


def _levels(about: dict[str, Any], wanted: Sequence[str]) -> list[str]:
    """Those that are wanted, or all that have a record."""
    there = [level for level, found in about["levels"].items() if found["records"]]
    for level in wanted:
        if level not in there:
            found = f"only at {', '.join(there)}" if there else "nor at any other"
            raise HebbscopeError(f"{about['path']}: has no record at {level} level, {found}")
    if not there:
        raise HebbscopeError(f"{about['path']}: a run file without a record")
    return [level for level in there if not wanted or level in wanted]


def _check(target: Path, source: Path, is_folder: bool, force: bool) -> None:
    """HebbscopeError where the target must not be written."""
    if not target.name:
        raise HebbscopeError(f"{target}: must be the name of a {'folder' if is_folder else 'file'} to write")
    if not target.parent.is_dir():
        raise HebbscopeError(f"{target}: there is no folder {target.parent}")
    if not target.exists():
        return
    if target.samefile(source):
        raise HebbscopeError(f"{target}: is the run file itself")
    if target.is_dir() != is_folder or not (target.is_dir() or target.is_file()):
        raise HebbscopeError(f"{target}: is {'a folder' if target.is_dir() else 'not a folder'}")
    if not force:
        raise HebbscopeError(f"{target}: is already there (force replaces it)")
    others = [file.name for file in target.iterdir() if not any(map(file.match, FILES))] if is_folder else []
    if others:
        raise HebbscopeError(f"{target}: holds more than an export, such as {min(others)}, and is not replaced")


def _check_room(target: Path, about: dict[str, Any], levels: Sequence[str], chosen: Format) -> None:
    """HebbscopeError where the disk is too full: HDF5 has no way back from that."""
    found = [about["levels"][level] for level in levels]
    weights = sum(level["records"] * level["n_seeds"] * level["n_synapses"] for level in found)
    weights += sum(monitor["size"] for monitor in about["monitors"].values()) + sum(
        map(math.prod, about["final"].values())
    )
    spikes = sum(population["count"] for population in _spikes_of(about, levels).values())
    wanted, free = weights * chosen.bytes[0] + spikes * chosen.bytes[1] + RESERVE, room(target.parent)
    if free < wanted:
        raise HebbscopeError(f"{target}: needs about {size(wanted)}, {size(free)} are free")


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    """Say in one line what the disk said; HDF5 wraps it in many words."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        said = re.search(r"error message = '([^']*)'", str(error))
        reason = said[1] if said else getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise HebbscopeError(f"{target}: cannot be written ({reason.lower()})") from error


@contextmanager
def _reading(path: Path, to: str) -> Iterator[None]:
    """Say in one line that a file holds what no run file holds."""
    try:
        yield
    except HebbscopeError:
        raise
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise DamagedFile(f"{path}: damaged, cannot be exported to {to} ({reason})") from error


def _spikes_of(about: dict[str, Any], levels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The populations whose spikes are of these levels, with what is said of them."""
    return {name: found for name, found in about["spikes"].items() if found["level"] in levels}


# The formats --------------------------------------------------------------------------------------------------------


def _sonata(path: Path, about: dict[str, Any], levels: Sequence[str], folder: Path) -> None:
    """Of the first seed spikes.h5, the element report weights_<level>.h5 of each level, and monitor_<monitor>_<variable>_<level>.h5 of each variable of cells."""
    for name, found in _spikes_of(about, levels).items():
        with _sonata_file(folder / "spikes.h5") as file:
            spikes = sonata.SpikesFile.create(file, name, seed=found["seed"], level=found["level"])
            for times, cells in spike_blocks(path, name):
                sonata.extend(spikes.ids, cells)
                sonata.extend(spikes.t, times)  # ms, as they are
    for level in levels:
        with _sonata_file(folder / f"weights_{level}.h5") as file:
            report = _report(file, next(blocks(path, level)))
            for run in blocks(path, level):
                report.append(run.time, run.weights[0])
        _cell_reports(read_level(path, level, slice(0, 1)), folder)


def _cell_reports(run: Run, folder: Path) -> None:
    """What monitors have sampled of single cells, each of them once, in ascending order."""
    for name, samples in run.monitors.items():
        about = {"seed": run.seeds[0], "level": run.level}
        for variable, (axes, unit) in samples.fields.items():
            if [*axes] == ["cell"] and "population" in samples.about:
                cells, places = np.unique(axes["cell"], return_index=True)
                with _sonata_file(folder / f"monitor_{name}_{variable}_{run.level}.h5") as file:
                    population, step = samples.about["population"], samples.about["every"]
                    report = sonata.cell_report(file, population, cells, step, unit, **about)
                    report.append(samples.time, samples[variable][0][:, places])


def _report(file: Any, run: Run) -> sonata.WeightReport:
    about = {"seed": run.seeds[0], "level": run.level, "wiring": run.wiring}
    return sonata.WeightReport.create(file, run.projection, run.n_post, run.n_pre, run.attrs["record_every"], **about)


@contextmanager
def _sonata_file(path: Path) -> Iterator[Any]:
    import h5py

    with h5py.File(path, "a") as file:
        sonata.mark(file)
        yield file


def _netcdf(path: Path, about: dict[str, Any], levels: Sequence[str], target: Path) -> None:
    """A group for each level, as `Run.to_xarray` has it."""
    from h5netcdf import CompatibilityError

    for level in levels:
        for node in to_xarray(read_level(path, level)).subtree:
            group = f"{level}{node.path}".rstrip("/")
            try:
                node.to_dataset(inherit=False).to_netcdf(target, mode="a", group=group, engine="h5netcdf")
            except CompatibilityError as error:  # an attribute of a kind that no run has, such as a truth value
                raise ValueError(str(error)) from None


def _csv(path: Path, about: dict[str, Any], levels: Sequence[str], folder: Path) -> None:
    """weights.csv, output_rate.csv, spikes.csv, monitors.csv and final_weights.csv, long, with the columns of `Run.to_pandas`, where there are such;
    about.json says where they come from."""
    for level in levels:
        for run in blocks(path, level):
            _append(folder / "weights.csv", weight_table(run))
            _append(folder / "output_rate.csv", rate_table(run))
    for name, found in _spikes_of(about, levels).items():
        for times, cells in spike_blocks(path, name):
            spikes = Spikes(sonata.seconds(times, step_of(about["levels"][found["level"]])), cells)
            _append(folder / "spikes.csv", spike_table(found["level"], found["seed"], name, spikes))
    starts = [read_level(path, level, slice(0, 1)) for level in levels]
    axes = sampled_axes(*starts)
    for run in starts:
        for table in sample_tables(run, axes):
            _append(folder / "monitors.csv", table)
        for table in final_tables(run):
            _append(folder / "final_weights.csv", table)
    (folder / "about.json").write_text(json.dumps(about, indent=2, default=np.ndarray.tolist) + "\n", encoding="utf-8")


def _append(path: Path, table: Any) -> None:
    table.to_csv(path, mode="a", header=not path.exists(), index=False)


FORMATS = {
    "sonata": Format("-sonata", _sonata, (4, 16)),
    "nwb": Format(".nwb", write_nwb, (8, 8), ("pynwb", "nwb")),
    "netcdf": Format(".nc", _netcdf, (8, 16)),
    "csv": Format("-csv", _csv, (70, 60)),
}
