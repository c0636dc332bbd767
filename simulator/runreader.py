"""Reads run files, also those that are still growing or were left behind by a killed run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from hashlib import sha256
from pathlib import Path
from time import sleep, time
from typing import Any

import numpy as np

from . import journal
from .checkpoint import beside, itself, load
from .hdf5 import check_contained
from .levelfile import record_bytes, wiring_of
from .lock import is_locked, locked, unlock
from .monitorfile import MonitorFile
from .plausible import check_run, check_spikes
from .projection import Wiring
from .protocols import HebbscopeError, first_line
from .records import BLOCK, SPIKES, held, with_posts
from .records import read as read_records
from .results import Run, Spikes, grouped, reached
from .resume import check_versions
from .sampler import Samples
from .scales import attributes, plain, read_values
from .sonata import seconds
from .theoryfile import n_whole, read_theory

GROWING = 1.0  # s since its last change for which a file counts as being written
WAITS = (0.05, 0.1, 0.2)  # s before the next try


class DamagedFile(HebbscopeError):
    """A run file that is missing, cut off or broken."""


def patient(reader: Callable) -> Callable:
    """A reader of a path that tries again where the file is being written: it may be caught between two writes of one record."""

    @wraps(reader)
    def tries(path: str | Path, *args: Any, **options: Any) -> Any:
        for wait in WAITS:
            try:
                return reader(path, *args, **options)
            except HebbscopeError:
                if not Path(path).is_file() or time() - Path(path).stat().st_mtime > GROWING:
                    raise
                sleep(wait)
        return reader(path, *args, **options)

    return tries


@patient
def read(path: str | Path, *, spikes: bool = True, most: int | None = None) -> dict[str, Run]:
    """Every level of a run file that has a record, in the order spike, surrogate, rate; `spikes=False` leaves the spikes on the disk.

    Of a level with more than about `most` records, or whose weights take more than records.HELD, only every so many are read; with `most`, the last
    records.SPIKES of each population.

    HebbscopeError in one line for a file that is missing, foreign, or cut off.
    """
    levels = {level: run for level, run in read_levels(path, spikes=spikes, most=most).items() if run.n_times}
    if not levels:
        raise HebbscopeError(f"{path}: a run file without a record")
    return levels


def read_levels(path: str | Path, *, spikes: bool = True, most: int | None = None) -> dict[str, Run]:
    """Every level, also those without a record, where there may be none yet."""
    with _opened(path) as root:
        common = _root_attributes(root)
        return {level: _read_level(root, level, common, spikes, most=most) for level in _level_names(root)}


@patient
def read_arrays(path: str | Path, name: str) -> dict[str, np.ndarray]:
    """The arrays of one group of a run file, such as "receptive_fields"; empty where the file has none."""
    with _opened(path) as root:
        found = read_values(root[name]) if name in root else {}
        return {key: value for key, value in found.items() if isinstance(value, np.ndarray)}


@patient
def describe(path: str | Path) -> dict[str, Any]:
    """What a run file holds and how complete it is, ready for JSON; reads no weights and no spikes.

    Keys: path, size (bytes), the root attributes, config_intact (whether the description is the one that was written), projection, levels
    (level -> records, time [s], duration [s], seeds, n_seeds, n_post, n_pre, n_synapses, record_every [s], engine, dt [s], complete), populations
    (name -> number of cells), spikes (population -> count, level,
    seed, recorded [s]), monitors ("monitor (level)" -> type, samples, size, every [s] and of what), final ("projection (level)" -> shape), reports (projection -> level, seed), groups (name ->
    number of inputs), theory and receptive_fields (whether they are there), complete, running (whether it is being written), resumable (whether
    a checkpoint stands beside it), checkpoint (what it says).
    """
    with _opened(path) as root:
        about = {key: value for key, value in _root_attributes(root).items() if key not in ("magic", "version")}
        levels = {}
        for level in _level_names(root):
            group, n_times = root["levels"][level], _n_records(root, level)
            n_post, n_pre = _cells(root, group)
            n_seeds, n_synapses = group["weights"].shape[0], int(np.prod(group["weights"].shape[2:]))
            time = float(group["time"][n_times - 1]) if n_times else 0.0
            attrs = attributes(group)
            done = about["complete"] or time >= attrs.get("duration", np.inf) * (1 - 1e-9)
            counts = {"records": n_times, "time": time, "n_seeds": n_seeds, "n_post": n_post, "n_pre": n_pre}
            counts["n_synapses"] = n_synapses
            counts["seeds"] = group["seed"][:].tolist()
            levels[level] = counts | attrs | {"complete": bool(done)}
        spikes = {
            name: {"count": _n_spikes(group)}
            | {key: value for key, value in attributes(group).items() if key != "sorting"}
            | _reached(group, levels)
            for name, group in root.get("spikes", {}).items()
        }
        names = _group_names(root)
        groups = {name: names.count(name) for name in dict.fromkeys(names)}
        monitors = {
            f"{name} ({level})": json.loads(group.attrs["about"]) | _extent(MonitorFile(group))
            for level, found in root.get("monitors", {}).items()
            for name, group in found.items()
        }
        final = {
            f"{name} ({level})": list(group["weights"].shape)
            for level, found in root.get("final", {}).items()
            for name, group in found.items()
        }
        reports = {name: attributes(group) for name, group in root.get("report", {}).items()}
        holds: dict[str, Any] = {
            "levels": levels,
            "spikes": spikes,
            "monitors": monitors,
            "final": final,
            "reports": reports,
            "groups": groups,
        }
        holds |= {name: name in root for name in ("theory", "receptive_fields")}
        about["projection"] = plain(root["levels"].attrs["projection"])
        about["populations"] = _ends(root)["populations"]
        about["config_intact"] = sha256(about["config"].encode()).hexdigest() == about["config_sha256"]
    return {"path": str(path), "size": Path(path).stat().st_size, **about, **holds, **_kept(Path(path))}


def _extent(monitor: MonitorFile) -> dict[str, int]:
    return {"samples": monitor.n_times, "size": monitor.size}


def _kept(path: Path) -> dict[str, Any]:
    """Whether the run of a file goes on, whether it could, and what its checkpoint says: levels that were wanted and those done, the level it is in and how many
    records it has of that; `problem` is what speaks against going on here.
    """
    kept: dict[str, Any] = {"running": is_locked(itself(path)), "resumable": beside(path).is_file()}
    if kept["resumable"]:
        try:
            about = load(beside(path)).about
            kept["checkpoint"] = {name: about[name] for name in ("levels", "done", "level", "records")}
            check_versions(about, force=False)
        except HebbscopeError as problem:
            kept["checkpoint"] = kept.get("checkpoint", {}) | {"problem": str(problem)}
    return kept


def read_level(path: str | Path, level: str, part: slice | None = None) -> Run:
    """One level of a run file that has it, with its spikes; or a part of its records, without theory."""
    with _opened(path) as root:
        return _read_level(root, level, _root_attributes(root), True, part)


class StoredSpikes(Mapping[str, Spikes]):
    """Population -> Spikes of a level, left in the run file until they are asked for, each time; the last records.SPIKES of them."""

    def __init__(self, path: str | Path, level: str, populations: Sequence[str]):
        self.path, self.level, self.populations = path, level, tuple(populations)

    def __getitem__(self, population: str) -> Spikes:
        if population not in self.populations:
            raise KeyError(population)
        with _opened(self.path) as root:
            return _spikes_of(root, population, SPIKES)

    def __iter__(self) -> Iterator[str]:
        return iter(self.populations)

    def __len__(self) -> int:
        return len(self.populations)


def stored_spikes(path: str | Path, run: Run) -> StoredSpikes:
    """The spikes of a level, left in the file; block by block they are looked at: DamagedFile where no population has such."""
    with _opened(path) as root:
        found = [name for name, group in root.get("spikes", {}).items() if plain(group.attrs["level"]) == run.level]
        for name in found:
            before = 0.0
            for t, ids in spike_blocks(path, name):
                check_spikes(run, name, Spikes(np.append(before, t), np.append(ids[:1], ids)))
                before = float(t[-1])
    return StoredSpikes(path, run.level, found)


class StoredSamples(Mapping[str, Samples]):
    """Monitor -> Samples of a level, left in the run file until they are asked for, each time."""

    def __init__(self, path: str | Path, level: str, monitors: Sequence[str]):
        self.path, self.level, self.monitors = path, level, tuple(monitors)

    def __getitem__(self, monitor: str) -> Samples:
        if monitor not in self.monitors:
            raise KeyError(monitor)
        with _opened(self.path) as root:
            return MonitorFile(root[f"monitors/{self.level}/{monitor}"]).read()

    def __iter__(self) -> Iterator[str]:
        return iter(self.monitors)

    def __len__(self) -> int:
        return len(self.monitors)


def blocks(path: str | Path, level: str) -> Iterator[Run]:
    """The records of a level as one Run after another, without spikes and theory: files may be larger than the memory."""
    with _opened(path) as root:
        group, common = root["levels"][level], _root_attributes(root)
        n_times, step = _n_records(root, level), max(1, BLOCK // (record_bytes(group["weights"]) or 1))
        for first in range(0, n_times, step):
            part = slice(first, min(first + step, n_times))
            yield _read_level(root, level, common, spikes=False, part=part)


def spike_blocks(path: str | Path, population: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The spikes of a population as they stand in the file, block by block: times [ms] and cells, each (n_spikes,)."""
    with _opened(path) as root:
        group = root["spikes"][population]
        n_spikes, step = _n_spikes(group), BLOCK // 16
        for first in range(0, n_spikes, step):
            part = slice(first, min(first + step, n_spikes))
            yield group["timestamps"][part], group["node_ids"][part].astype(np.int64)


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    if not Path(path).exists():
        raise DamagedFile(f"{path}: there is no such file")
    if Path(path).is_dir():
        raise HebbscopeError(f"{path}: is a folder, not a run file")
    if not Path(path).is_file():
        raise HebbscopeError(f"{path}: is no plain file")  # to open a pipe is to wait for who writes it
    with damage_told(path):
        _finish(itself(path))
    with damage_told(path), _unlocked(path) as root:
        if "levels" not in root or "config_sha256" not in root.attrs:
            raise HebbscopeError(f"{path}: an HDF5 file, but not a hebbscope run file")
        check_contained(root)
        yield root


def _finish(path: Path) -> None:
    """What a kill broke off is finished before the file is read; a run that goes on does so itself."""
    if journal.waiting(path) is None or is_locked(path):
        return
    try:
        lock = locked(path)
    except HebbscopeError as problem:
        raise HebbscopeError(f"{problem}, which must finish what a kill broke off: {journal.beside(path)}") from None
    try:
        journal.recover(path)
    finally:
        unlock(lock)


def created_at(path: Path) -> str:
    """When the run of a file was created; empty where that cannot be read."""
    try:
        with _opened(path) as root:
            return str(_root_attributes(root)["created"])
    except HebbscopeError:
        return ""


@contextmanager
def damage_told(path: str | Path) -> Iterator[None]:
    """Around what reads a run file: DamagedFile in one line, whatever it meets there that a run file does not hold."""
    import h5py

    try:
        yield
    except PermissionError:
        raise HebbscopeError(f"{path}: may not be read") from None
    except OSError as error:
        kind = "truncated" if "truncated" in str(error) else "damaged" if h5py.is_hdf5(path) else "not an HDF5 file"
        raise DamagedFile(f"{path}: {kind}, cannot be read as a run file") from None
    except (KeyError, RuntimeError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise DamagedFile(f"{path}: damaged, cannot be read as a run file ({first_line(error)})") from None


def _unlocked(path: str | Path) -> Any:
    """The file without a lock, so that it can be read while it grows; with one where this process holds it open so, as xarray does."""
    import h5py

    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        if "locking flag" not in str(error):
            raise
        return h5py.File(path, "r")


def _level_names(root: Any) -> list[str]:
    order = ["spike", "surrogate", "rate"]
    names = [name for name in root["levels"] if "weights" in root["levels"][name]]
    return sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))


def _n_records(root: Any, level: str) -> int:
    """Records that every dataset holds: a killed writer may have extended one more than another."""
    group = root["levels"][level]
    n = min(len(group["time"]), group["weights"].shape[1], group["output_rate"].shape[1])
    return n_whole(root["theory"], n) if level == "rate" and "theory" in root else n


def _n_spikes(group: Any) -> int:
    return min(len(group["timestamps"]), len(group["node_ids"]))


def _group_names(root: Any) -> list[str]:
    return [name.decode() for name in root["inputs/group"][:]] if "inputs/group" in root else []


def _read_level(
    root: Any, level: str, common: dict[str, Any], spikes: bool, part: slice | None = None, most: int | None = None
) -> Run:
    """A level, or a part of its records, or about so many."""
    group = root["levels"][level]
    datasets = group["time"], group["weights"], group["output_rate"]
    if part is None:
        kept = held(_n_records(root, level), record_bytes(group["weights"]), most)
        time, weights, rate = read_records(*datasets, kept)
    else:
        time, weights, rate = datasets[0][part], with_posts(datasets[1][:, part]), datasets[2][:, part]
    shape = root["inputs"].attrs.get("shape")
    wiring = wiring_of(group)
    run = Run(
        level=level,
        seeds=tuple(group["seed"][:].tolist()),
        time=time,
        weights=weights,
        output_rate=rate,
        groups=grouped(tuple(_group_names(root)), wiring),
        projection=plain(root["levels"].attrs["projection"]),
        shape=None if shape is None else tuple(shape.tolist()),
        spikes=_read_spikes(root, level, None if most is None else SPIKES) if spikes else {},
        theory=read_theory(root["theory"], kept) if level == "rate" and part is None and "theory" in root else {},
        attrs=common | attributes(group),
        wiring=wiring,
        **_final(root, level),
        monitors=StoredSamples(root.filename, level, [*root.get(f"monitors/{level}", ())]),
        **_ends(root),
    )
    check_run(run)
    return run


def _final(root: Any, level: str) -> dict[str, Any]:
    """The last weights of the projections that are not recorded, and their wirings."""
    groups = root.get(f"final/{level}", {})
    weights = {name: group["weights"][:] for name, group in groups.items()}
    sparse = [name for name, values in weights.items() if values.ndim == 2]
    weights |= {name: weights[name][:, None] for name in sparse}
    wirings = {name: Wiring(groups[name]["pre"][:], groups[name]["post"][:]) for name in sparse}
    return {"other_weights": weights, "other_wirings": wirings}


def _ends(root: Any) -> dict[str, Any]:
    """What the projection joins, the sizes of the populations, and the bounds of the weights, as far as the file says."""
    about = attributes(root["levels"])
    ends = {name: about.get(name, "") for name in ("source", "target")}
    bounds = {name: _pair(*given) for name, given in json.loads(about.get("bounds", "{}")).items()}
    return ends | {"populations": json.loads(about.get("populations", "{}")), "bounds": bounds}


def _pair(low: float | None, high: float | None) -> tuple[float, float]:
    """Bounds as numbers, infinite where the file has none."""
    return -np.inf if low is None else float(low), np.inf if high is None else float(high)


def _cells(root: Any, group: Any) -> tuple[int, int]:
    """n_post and n_pre of a level."""
    if group["weights"].ndim == 4:
        return group["weights"].shape[2:]
    ends = _ends(root)
    return group["output_rate"].shape[2], ends["populations"][ends["source"]]


def _read_spikes(root: Any, level: str, most: int | None) -> dict[str, Spikes]:
    there = root.get("spikes", {}).items()
    return {name: _spikes_of(root, name, most) for name, group in there if plain(group.attrs["level"]) == level}


def _spikes_of(root: Any, population: str, most: int | None) -> Spikes:
    """All, or the last `most`, which were then recorded from the first of them on."""
    group = root["spikes"][population]
    level = root[f"levels/{plain(group.attrs['level'])}"]
    n, end, about = _n_spikes(group), level["time"][-1:], attributes(level)
    first = 0 if most is None else max(0, n - most)
    t, ids = seconds(group["timestamps"][first:n], step_of(about)), group["node_ids"][first:n].astype(np.int64)
    recorded = _recorded(group, float(end[0]) if len(end) else 0.0)
    if recorded is not None and first > 0:
        recorded = float(t[0]), max(float(t[0]), recorded[1])
    return Spikes(t, ids, recorded)


def step_of(about: Mapping[str, Any]) -> float:
    """Of the times of spikes [s], from what is said of a level; 0 in the exact engine, where they are any."""
    return float(about["dt"]) if about.get("engine") == "clock" and "dt" in about else 0.0


def _recorded(group: Any, end: float) -> tuple[float, float] | None:
    """From when to when a population was listened to, up to the last record at `end` [s]; files of other writers may not say."""
    if "recorded" not in group.attrs:
        return None
    start, stop = map(float, group.attrs["recorded"])
    return reached((start, stop), end)


def _reached(group: Any, levels: dict[str, Any]) -> dict[str, list[float]]:
    """`recorded` as far as the level has come, where it is said."""
    recorded = _recorded(group, levels.get(plain(group.attrs["level"]), {}).get("time", 0.0))
    return {} if recorded is None else {"recorded": list(recorded)}


def _root_attributes(root: Any) -> dict[str, Any]:
    """Those of the file, its dicts read: `versions` and, of a run that was resumed with others, `resumed_with`; `parts_sha256`, what was simulated."""
    about = attributes(root)
    if not isinstance(about.get("config", ""), str):
        raise ValueError("config is not text")
    about |= {name: json.loads(about[name]) for name in {"versions", "resumed_with", "parts_sha256"} & about.keys()}
    if not isinstance(about.get("parts_sha256", {}), dict):
        raise ValueError("parts_sha256 names no parts")
    return about
