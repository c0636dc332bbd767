"""The run file: one HDF5 file a run, written while the run goes on, readable after a kill.

    attrs                                magic, version, Conventions, software, versions, config, config_sha256, seeds, created, complete
    /spikes/<population>                 SONATA spikes of the first seed (attributes `seed`, `level`)
    /report/<projection>                 SONATA element report of the weights of the first seed at spike level
    /levels/<level>/weights              (seed, time, post, pre) float64, with its scales and output_rate (seed, time, post) beside it
    /inputs/group                        (pre) the name of each input's group
    /theory                              what the learning equation says: coefficients, predictions, courses over time
    /receptive_fields                    where the experiment has them

Each record is flushed when it is appended, so that a killed run loses the interval it was in and nothing else; that takes about
a millisecond. Attribute `complete` is 1 once the file was closed in good order.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from . import sonata
from .protocols import HebbscopeError
from .results import Run
from .runreader import describe, read, read_arrays
from .scales import add_dataset, add_scale, write_values

__all__ = ["RunFile", "describe", "read", "read_arrays", "write"]

CONVENTIONS = "SONATA-0.1, hebbscope-1"
CHUNK_BYTES = 131_072
RESERVE = 16_000_000  # bytes of free disk below which nothing more is appended


class RunFile:
    """Writes one run file; a context manager. `create` opens it, `start_level` and `append` fill it, `close` completes it."""

    def __init__(self, handle: Any, path: Path, projection: str, groups: tuple[str, ...]):
        self.path, self.projection, self.groups = path, projection, groups
        self._file = handle
        self._levels: dict[str, _Level] = {}
        self._spike_level: dict[str, str] = {}
        self._level = ""
        self._broken = False

    @classmethod
    def create(
        cls,
        path: str | Path,
        *,
        network: Any = None,
        seeds: Sequence[int] = (),
        config: str = "",
        force: bool = False,
        projection: str = "projection",
        groups: Sequence[str] = (),
        shape: Sequence[int] | None = None,
        attrs: dict[str, Any] | None = None,
    ) -> RunFile:
        """Open a new file and write what is known before the run.

        `network` gives projection, groups and shape; they are named one by one where there is none. `config` is TOML.
        HebbscopeError in one line, with nothing left behind, when the path is there (without `force`) or cannot be written.
        """
        if network is not None:
            projection, groups, shape = network.projection.name, network.input.groups, network.input.shape
        path = Path(path)
        file = cls(_open_new(path, force), path, projection, tuple(groups))
        try:
            with file._writing():
                file._header(list(seeds), config, dict(attrs or {}), getattr(network, "name", ""))
                file._inputs(shape)
                file._file.flush()
        except BaseException:
            file._discard()
            raise
        return file

    def _header(self, seeds: list[int], config: str, attrs: dict[str, Any], name: str) -> None:
        root = self._file
        sonata.mark(root)
        root.attrs["Conventions"] = CONVENTIONS
        root.attrs["software"] = f"hebbscope {_version('hebbscope')}"
        root.attrs["versions"] = json.dumps(
            {"python": platform.python_version()} | {n: _version(n) for n in ("numpy", "numba", "h5py")}
        )
        root.attrs["config"] = config
        root.attrs["config_sha256"] = hashlib.sha256(config.encode()).hexdigest()
        root.attrs["created"] = datetime.now(UTC).isoformat(timespec="seconds")
        root.attrs["complete"] = np.uint8(0)
        if seeds:
            root.attrs["seeds"] = np.array(seeds)
        for key, value in (({"network": name} if name else {}) | attrs).items():
            root.attrs[key] = value
        root.create_group("levels").attrs["projection"] = self.projection

    def _inputs(self, shape: Sequence[int] | None) -> None:
        import h5py

        group = self._file.create_group("inputs")
        if shape:
            group.attrs["shape"] = np.array(shape, dtype=np.int64)
        if self.groups:
            add_dataset(group, "group", ("pre",), np.array(self.groups, dtype=object), dtype=h5py.string_dtype())

    def start_level(
        self,
        level: str,
        seeds: Sequence[int],
        n_post: int,
        n_pre: int,
        record_every: float,
        duration: float | None = None,
        attrs: dict[str, Any] | None = None,
    ) -> None:
        """Make room for the records of `level`; `duration` [s] is how long it is meant to run."""
        if level in self._levels:
            raise HebbscopeError(f"{self.path}: level {level!r} is already there")
        with self._writing():
            root = self._file
            if "seeds" not in root.attrs:
                root.attrs["seeds"] = np.array(list(seeds))
            group = root["levels"].create_group(level)
            described = {"record_every": record_every, "duration": duration, **(attrs or {})}
            for key, value in described.items():
                if value is not None:
                    group.attrs[key] = value
            report = None
            if level == "spike":
                report = sonata.WeightReport(
                    root, self.projection, n_post, n_pre, record_every, seed=int(seeds[0]), level=level
                )
            self._levels[level] = _Level(group, seeds, n_post, n_pre, report)
        self._level = level

    def append(self, level: str, time: Any, weights: np.ndarray, output_rate: np.ndarray) -> None:
        """Add one record, or several.

        One: time s, weights (n_seeds, n_post, n_pre), output_rate (n_seeds, n_post) Hz. Several: time (n_times,), and the same
        axis second in the others.
        """
        time = np.asarray(time, dtype=np.float64)
        weights, output_rate = np.asarray(weights, dtype=np.float64), np.asarray(output_rate, dtype=np.float64)
        if time.ndim == 0:
            time, weights, output_rate = time[None], weights[:, None], output_rate[:, None]
        self._need(weights.nbytes)
        with self._writing():
            self._levels[level].append(time, weights, output_rate)
            self._file.flush()

    def append_spikes(self, population: str, t: np.ndarray, ids: np.ndarray) -> None:
        """Add spikes of the first seed: t (n_spikes,) s, ascending, ids (n_spikes,).

        A population's spikes are those of one level, the first that gives any; those of a later level are not kept.
        """
        if self._spike_level.setdefault(population, self._level) != self._level:
            return
        self._need(16 * len(t))
        with self._writing():
            spikes = self._file.get(f"spikes/{population}")
            if spikes is None:
                seed = int(self._file.attrs["seeds"][0])
                spikes = sonata.create_spikes(self._file, population, seed=seed, level=self._level)
            sonata.append_spikes(spikes, t, ids)
            self._file.flush()

    def theory(self, values: dict[str, Any]) -> None:
        """Write what the rate level says: numbers, arrays over time (n_times[, n_post[, n_pre]]), and dicts of such."""
        rate = self._levels.get("rate")
        with self._writing():
            group = self._file.create_group("theory")
            sizes = {} if rate is None else {"time": len(rate.time), "post": rate.n_post, "pre": rate.n_pre}
            if rate is not None and len(rate.time):
                add_dataset(group, "time", ("time",), rate.time[:], "s")
                values = values | _courses(
                    rate.weights[:].mean(axis=0), values.get("weights_without_causal"), self.groups
                )
            write_values(group, values, sizes)

    def arrays(self, name: str, values: dict[str, tuple[Sequence[str], np.ndarray]], **attrs: Any) -> None:
        """Write a group of arrays, such as "receptive_fields": name -> (names of the axes, array); `attrs` are the group's."""
        with self._writing():
            group = self._file.require_group(name)
            for key, value in attrs.items():
                group.attrs[key] = value
            for key, (axes, array) in values.items():
                add_dataset(group, key, axes, np.asarray(array))

    def close(self, complete: bool = True) -> None:
        """Mark the file complete, unless told otherwise, and close it. Closing twice is harmless."""
        if self._file and not self._broken:
            with self._writing():
                self._file.attrs["complete"] = np.uint8(complete)
                self._file.close()

    def _discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not any(len(level.time) for level in self._levels.values()):
            self._discard()
        else:
            self.close(complete=error is None)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Say in one line what the disk said."""
        try:
            yield
        except (OSError, RuntimeError) as error:
            self._broken = True
            raise HebbscopeError(f"{self.path}: cannot be written ({_reason(error)})") from error

    def _need(self, n_bytes: int) -> None:
        """Stop while there still is room to close the file in good order: HDF5 has no way back from a disk that is full."""
        if shutil.disk_usage(self.path.parent).free < 2 * n_bytes + RESERVE:
            raise HebbscopeError(f"{self.path}: the disk is full; what was recorded until now is kept")


class _Level:
    """/levels/<level> while it grows."""

    def __init__(self, group: Any, seeds: Sequence[int], n_post: int, n_pre: int, report: sonata.WeightReport | None):
        n_seeds = len(seeds)
        self.n_post, self.n_pre, self.report = n_post, n_pre, report
        add_scale(group, "seed", np.array(list(seeds)))
        add_scale(group, "post", np.arange(n_post))
        add_scale(group, "pre", np.arange(n_pre))
        self.time = group.create_dataset("time", shape=(0,), maxshape=(None,), chunks=(1024,), dtype=np.float64)
        self.time.make_scale("time")
        self.time.attrs["units"] = "s"
        self.weights = self._growing(
            group, "weights", (n_seeds, 0, n_post, n_pre), ("seed", "time", "post", "pre"), "1"
        )
        self.rate = self._growing(group, "output_rate", (n_seeds, 0, n_post), ("seed", "time", "post"), "Hz")

    @staticmethod
    def _growing(group: Any, name: str, shape: tuple[int, ...], axes: Sequence[str], units: str) -> Any:
        cells = shape[2:]
        n_times = max(1, min(1024, CHUNK_BYTES // (8 * shape[0] * int(np.prod(cells)))))
        seeds = shape[0] if n_times > 1 else 1
        growing = {"maxshape": (shape[0], None, *cells), "chunks": (seeds, n_times, *cells), "fillvalue": np.nan}
        dataset = group.create_dataset(name, shape=shape, dtype=np.float64, **growing)
        dataset.attrs["units"] = units
        for axis, scale in enumerate(axes):
            dataset.dims[axis].attach_scale(group[scale])
        return dataset

    def append(self, time: np.ndarray, weights: np.ndarray, output_rate: np.ndarray) -> None:
        sonata.extend(self.weights, weights, axis=1)
        sonata.extend(self.rate, output_rate, axis=1)
        sonata.extend(self.time, time)
        if self.report is not None:
            self.report.append(time, weights[0])


def write(path: str | Path, *runs: Run, config: str = "", force: bool = False) -> None:
    """Write finished runs, one of each level, as one file."""
    first = runs[0]
    name = getattr(first.network, "name", "") or first.attrs.get("network", "")
    about: dict[str, Any] = {
        "config": config or first.attrs.get("config", ""),
        "attrs": {"network": name} if name else {},
        "projection": first.projection,
        "groups": first.groups,
        "shape": first.shape,
    }
    with RunFile.create(path, seeds=first.seeds, force=force, **about) as file:
        for run in runs:
            step = run.attrs.get("record_every") or (float(run.time[1] - run.time[0]) if run.n_times > 1 else 1.0)
            file.start_level(run.level, run.seeds, run.n_post, run.n_pre, step, run.duration)
            file.append(run.level, run.time, run.weights, run.output_rate)
            for population, spikes in run.spikes.items():
                file.append_spikes(population, spikes.t, spikes.i)
            if run.theory:
                file.theory(run.theory)


def _open_new(path: Path, force: bool) -> Any:
    import h5py

    if path.is_dir():
        raise HebbscopeError(f"{path}: is a folder")
    if path.exists() and not path.is_file():
        raise HebbscopeError(f"{path}: is not a plain file")
    if path.exists() and not force:
        raise HebbscopeError(f"{path}: already there (force replaces it)")
    if not path.parent.is_dir():
        raise HebbscopeError(f"{path}: there is no folder {path.parent}")
    try:  # not locked, so that others may read while it grows
        return h5py.File(path, "w" if force else "x", libver=("v108", "v114"), locking=False)
    except OSError as error:
        raise HebbscopeError(f"{path}: cannot be written ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    return os.strerror(number).lower() if number else str(error).splitlines()[0]


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _courses(weights: np.ndarray, without_causal: np.ndarray | None, groups: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The predicted mean weight and separation of the groups (last minus first), (n_times,), from weights (n_times, n_post, n_pre)."""
    found = {}
    for suffix, w in (("", weights), ("_without_causal", without_causal)):
        if w is not None:
            found[f"mean_weight{suffix}"] = w.mean(axis=(1, 2))
            if len(set(groups)) > 1:
                last, first = (
                    w[:, :, [name == group for name in groups]].mean(axis=(1, 2)) for group in (groups[-1], groups[0])
                )
                found[f"separation{suffix}"] = last - first
    return found
