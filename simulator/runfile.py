"""The run file: one HDF5 file a run, written while the run goes on, readable after a kill.

    attrs                                magic, version, Conventions, software, versions, config, config_sha256, seeds, created, complete
    /spikes/<population>                 SONATA spikes of the first seed (attributes `seed`, `level`)
    /report/<projection>                 SONATA element report of the weights of the first seed at spike level
    /levels/<level>/weights              (seed, time, post, pre) float64, with its scales and output_rate (seed, time, post) beside it; where not
                                         all are joined to all, see levelfile.py
    /final/<level>/<projection>/weights  (seed, post, pre) or (seed, synapse): the last weights of the other projections that learn
    /monitors/<level>/<monitor>          what was sampled beside the records: time, and arrays (seed, time, ...)
    /inputs/group                        (pre) the name of each input's group
    /theory                              what the learning equation says: coefficients, predictions, courses over time
    /receptive_fields                    where the experiment has them

Each record is flushed when it is appended, wholly or not at all (journal.py), so that a killed run loses the interval it was in and nothing else; that takes
a millisecond or two. Attribute `complete` is 1 once the file was closed in good order. Until then a checkpoint stands beside it, from which the run goes
on exactly: `reopen` drops what was recorded after it, so that nothing is recorded twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from . import checkpoint, creation, sonata
from .checkpoint import Checkpoint
from .creation import opened, told
from .inventory import inventory
from .journal import Journaled
from .levelfile import LevelFile
from .lock import locked, unlock
from .monitorfile import MonitorFile
from .protocols import HebbscopeError
from .records import ENOUGH
from .results import Run, recorded
from .resume import Left, check_versions, cut_back, holds, versions
from .room import RESERVE, room
from .runreader import (
    DamagedFile,
    StoredSamples,
    StoredSpikes,
    damage_told,
    describe,
    read,
    read_arrays,
    read_levels,
    stored_spikes,
)
from .scales import add_dataset, add_scale
from .stopping import uninterrupted
from .theoryfile import TheoryFile, read_courses, split

__all__ = ["RunFile", "describe", "read", "read_arrays", "write"]

# attributes of a level: which engine ran, its step [s], and by what it is approximate
ENGINE = ("engine", "dt", "approximate")
PLAN = ("config", "levels", "seeds", "created", "versions")  # what each checkpoint repeats


class RunFile:
    """Writes one run file; a context manager. `create` or `reopen` opens it, `start_level` and `append` fill it, `close` completes it.

    finished: level -> Run of those that were over at the checkpoint that it was reopened from.
    """

    def __init__(self, path: Path, lock: Any, projection: str, groups: tuple[str, ...]):
        self.path, self.projection, self.groups = path, projection, groups
        self.finished: dict[str, Run] = {}
        with told(path):
            self._disk = Journaled(path)
            self._file = opened(self._disk, "r+")
        self._lock = lock
        self._levels: dict[str, LevelFile] = {}
        self._spikes: dict[str, sonata.SpikesFile] = {}
        self._monitors: dict[tuple[str, str], MonitorFile] = {}
        self._theory: TheoryFile
        self._level = ""
        self._within = 0  # how many blocks of `at_once` there are around
        self._broken = False
        self._plan_stays = False
        self._about: dict[str, Any] = {}
        self._found: Checkpoint | None = None  # from which it was reopened, until it goes on from there
        self._left: Left | None = None
        self._keeper = checkpoint.Keeper()

    @classmethod
    def create(
        cls,
        path: str | Path,
        *,
        network: Any = None,
        seeds: Sequence[int] = (),
        config: str = "",
        levels: Sequence[str] = (),
        force: bool = False,
        projection: str = "projection",
        groups: Sequence[str] = (),
        shape: Sequence[int] | None = None,
        attrs: dict[str, Any] | None = None,
        plan_stays: bool = False,
        **ends: Any,
    ) -> RunFile:
        """Open a new file and write what is known before the run.

        `network` gives projection, groups (of the source), shape and `ends` (source, target, populations, bounds); they are named one by one where there
        is none. `config` is TOML. With `levels`, those that are to come, checkpoints are kept beside the file until it is complete; `plan_stays`,
        where there was one before, also if nothing is recorded.
        HebbscopeError in one line, with nothing left behind, when the path is there (without `force`), is being written or cannot be.
        """
        if network is not None:
            ends = recorded(network)
            projection, shape, groups = ends["projection"], ends["shape"], network.recorded.source.groups
        path = checkpoint.itself(path)
        _check_new(path, force)
        seeds, created = [int(seed) for seed in seeds], datetime.now(UTC).isoformat(timespec="microseconds")
        about = dict(zip(PLAN, (config, list(levels), seeds, created, versions()), strict=True)) if levels else {}
        lock, file = locked(path), None
        try:
            with uninterrupted():
                with creation.new(path) as root:
                    creation.header(root, seeds, config, created, dict(attrs or {}), network)
                    creation.ends(root, projection, **{name: ends[name] for name in creation.ENDS if name in ends})
                    creation.inputs(root, shape, groups)
                creation.take_place(path, about)
                file = cls(path, lock, projection, tuple(groups))
                file._about, file._plan_stays = about, plan_stays
        except BaseException:
            if file is not None:
                file._leave()
            unlock(lock)
            raise
        return file

    @classmethod
    def begin_anew(cls, path: str | Path, network: Any) -> RunFile:
        """Open a new file for the run of a damaged one, by the plan in its checkpoint; the damaged one is set aside under a name of its own.

        Nothing is lost but time: from the same start come the same bits. HebbscopeError in one line, the plan kept, where that cannot be done.
        """
        path = checkpoint.itself(path)
        plan = checkpoint.load(checkpoint.beside(path)).about
        if path.exists():
            os.replace(path, _unused(path.with_name(f"{path.name}.damaged")))
        given = {name: plan[name] for name in ("seeds", "config", "levels")}
        return cls.create(path, network=network, plan_stays=True, **given)

    @classmethod
    def reopen(cls, path: str | Path, force_version: bool = False) -> RunFile:
        """Open the file of a run that was stopped or killed, as it was at its checkpoint; what came later is made again.

        HebbscopeError in one line when there is no checkpoint, the file is damaged, of another run or being written, or the checkpoint is of
        another version (unless `force_version`).
        """
        path = checkpoint.itself(path)
        found = checkpoint.load(checkpoint.beside(path))
        check_versions(found.about, force_version)
        lock, file = locked(path), None
        try:
            with uninterrupted():
                creation.finish(path, found.about["created"])
            inventory(describe(path))  # what cannot be told when it is over is not to be gone on with
            runs = read_levels(path, spikes=False, most=ENOUGH)
            for run in runs.values():
                run.spikes = stored_spikes(path, run)
            file = cls(path, lock, "", ())
            with damage_told(path), uninterrupted():
                file._take_up(found, runs, force_version)
        except BaseException:
            if file is not None:
                file._abandon()
            unlock(lock)
            raise
        return file

    def _take_up(self, found: Checkpoint, runs: dict[str, Run], force_version: bool) -> None:
        """Change nothing yet: whether the run that is to go on is the one that was left shows when its level starts."""
        about, root, self._plan_stays, self._found = found.about, self._file, True, found
        if root.attrs["created"] != about["created"]:
            raise HebbscopeError(f"{self.path}: is of another run than the checkpoint beside it")
        if not holds(root, runs, about):
            raise DamagedFile(f"{self.path}: damaged, lacks records that were there at its checkpoint")
        self.projection = str(root["levels"].attrs["projection"])
        self.groups = tuple(_text(name) for name in root["inputs/group"]) if "inputs/group" in root else ()
        self._about = {name: about[name] for name in PLAN}
        self._levels = {level: LevelFile.of(root, level) for level in about["done"]}
        self._spikes = {name: sonata.SpikesFile(root["spikes"][name]) for name in about["spikes"]}
        self.finished = {level: runs[level] for level in about["done"]}
        if about["level"]:
            level = LevelFile.of(root, about["level"])
            if level.sizes != about["sizes"]:
                sizes = " x ".join(map(str, about["sizes"]))
                raise DamagedFile(f"{self.path}: damaged, its records are not of {sizes} seeds, synapses and neurons")
            self._left = Left(runs[about["level"]], level, found, force_version)

    def go_on(self) -> None:
        """Drop what was recorded after the checkpoint that the file was reopened from, and take up the level that was left."""
        if self._found is None:
            return
        about = self._found.about
        with damage_told(self.path), self.at_once():
            cut_back(self._file, about)
            if about["versions"] != versions():
                self._file.attrs["resumed_with"] = json.dumps(versions())
        if self._left is not None:
            self._level = about["level"]
            self._levels[self._level] = self._left.level
        self._found = self._left = None

    def start_level(
        self,
        level: str,
        seeds: Sequence[int],
        n_post: int,
        n_pre: int,
        record_every: float,
        duration: float | None = None,
        attrs: dict[str, Any] | None = None,
        wiring: Any = None,
    ) -> Left | None:
        """Make room for the records of `level`; `duration` [s] is how long it is meant to run, `wiring` who is joined to whom where not all are.

        Returns what a checkpoint left of it: who finds that it fits says `go_on`, and until then nothing changes in the file.
        """
        if level in self._levels:
            raise HebbscopeError(f"{self.path}: level {level!r} is already there")
        left = self._left
        if left is not None:
            if left.run.level != level:
                raise HebbscopeError(
                    f"{self.path}: was left at its {left.run.level} level, which must be over before {level}"
                )
            return left
        self.go_on()
        self._level = level
        with self.at_once():
            root = self._file
            if "seeds" not in root.attrs:
                root.attrs["seeds"] = np.array(list(seeds))
                if self._about:
                    self._about["seeds"] = list(seeds)
            group = root["levels"].create_group(level)
            described = {"record_every": record_every, "duration": duration, **(attrs or {})}
            for key, value in described.items():
                if value is not None:
                    group.attrs[key] = value
            report = None
            if level == "spike":
                about = {"seed": int(seeds[0]), "level": level, "wiring": wiring}
                report = sonata.WeightReport.create(root, self.projection, n_post, n_pre, record_every, **about)
            self._levels[level] = LevelFile.create(group, seeds, n_post, n_pre, report, wiring)
        return None

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is written in the block is in the file at its end, all of it or nothing, or the disk's word against it is said in one line. A stop waits: in the
        midst of what HDF5 writes it would be an error of the disk."""
        with uninterrupted():
            self._within += 1
            try:
                with told(self.path):
                    yield
                    if self._within == 1:
                        self._commit()
            except HebbscopeError:
                self._abandon()
                raise
            finally:
                self._within -= 1

    def checkpoint_due(self) -> bool:
        """Whether it is time for another checkpoint."""
        return bool(self._about) and self._keeper.due()

    def checkpoint(self, arrays: dict[str, np.ndarray], **about: str) -> None:
        """Keep the state of the level at hand, and how much of it is in the file; nothing for a file without a plan."""
        if not self._about:
            return
        self._check_there()
        with self._keeper.writing():
            self._settle()
            records = len(self._levels[self._level].time) if self._level else 0
            spikes = {name: len(of_one) for name, of_one in self._spikes.items()}
            done = [level for level in self._levels if level != self._level]
            sizes = {"sizes": self._levels[self._level].sizes} if self._level else {}
            counts = {"done": done, "level": self._level, "records": records, "spikes": spikes, **sizes}
            checkpoint.save(checkpoint.beside(self.path), Checkpoint(self._about | counts | about, arrays))

    def checkpoint_between(self) -> None:
        """Keep what levels are over: the next, which keeps no state of its own, begins anew where it is stopped."""
        level, self._level = self._level, ""
        self.checkpoint({})
        self._level = level

    def append(self, level: str, time: Any, weights: np.ndarray, output_rate: np.ndarray) -> None:
        """Add one record, or several.

        One: time s, weights (n_seeds, n_post, n_pre) or (n_seeds, 1, n_synapses), output_rate (n_seeds, n_post) Hz. Several: time (n_times,),
        and the same axis second in the others.
        """
        time = np.asarray(time, dtype=np.float64)
        weights, output_rate = np.asarray(weights, dtype=np.float64), np.asarray(output_rate, dtype=np.float64)
        if time.ndim == 0:
            time, weights, output_rate = time[None], weights[:, None], output_rate[:, None]
        self._need(weights.nbytes)
        with self.at_once():
            self._levels[level].append(time, weights, output_rate)

    def listen(self, population: str, window: tuple[float, float]) -> None:
        """Make room for the spikes that the level at hand has in a population's window [s].

        They are those of one level, the first that listens; those of a later level are not kept.
        """
        if population not in self._spikes:
            with self.at_once():
                about = {"seed": int(self._file.attrs["seeds"][0]), "level": self._level, "recorded": window}
                self._spikes[population] = sonata.SpikesFile.create(self._file, population, **about)

    def append_spikes(self, population: str, t: np.ndarray, ids: np.ndarray) -> None:
        """Add spikes of the first seed, of the level at hand: t (n_spikes,) s, ascending, ids (n_spikes,)."""
        if len(t) == 0 or self._spikes[population].level != self._level:
            return
        self._need(16 * len(t))
        with self.at_once():
            self._spikes[population].append(t, ids)

    def spikes(self, level: str) -> StoredSpikes:
        """The spikes of a level, which stay in the file."""
        return StoredSpikes(self.path, level, [name for name, found in self._spikes.items() if found.level == level])

    def final(self, level: str, weights: Mapping[str, np.ndarray], wirings: Mapping[str, Any]) -> None:
        """Write the last weights of projections that are not recorded: (n_seeds, n_post, n_pre), or (n_seeds, 1, n_synapses) where there is a wiring."""
        with self.at_once():
            self._file.pop(f"final/{level}", None)  # of a run that went on from one that ran away
            for name, values in weights.items():
                group = self._file.require_group(f"final/{level}").create_group(name)
                add_scale(group, "seed", self._levels[level].seeds)
                if name not in wirings:
                    add_dataset(group, "weights", ("seed", "post", "pre"), values, "1")
                    continue
                add_dataset(group, "weights", ("seed", "synapse"), values[:, 0], "1")
                for end, cells in wirings[name]._asdict().items():
                    add_dataset(group, end, ("synapse",), cells)

    def start_monitor(
        self, level: str, name: str, seeds: Sequence[int], fields: Mapping[str, Any], about: Mapping[str, Any]
    ) -> None:
        """Make room for the samples of a monitor."""
        with self.at_once():
            group = self._file.require_group(f"monitors/{level}").create_group(name)
            self._monitors[level, name] = MonitorFile.create(group, seeds, fields, about)

    def append_samples(self, level: str, name: str, time: np.ndarray, values: Mapping[str, np.ndarray]) -> None:
        """Add samples of a monitor: time (n_times,) s, values (n_seeds, n_times, ...)."""
        self._need(sum(array.nbytes for array in values.values()))
        with self.at_once():
            self._monitors[level, name].append(time, values)

    def cut_samples(self, level: str, name: str, n: int) -> None:
        """Keep the first n samples of a monitor, as there were at a checkpoint; DamagedFile where there are less."""
        with damage_told(self.path), self.at_once():
            monitor = self._monitors[level, name] = MonitorFile(self._file[f"monitors/{level}/{name}"])
            if monitor.n_times < n:
                raise DamagedFile(f"{self.path}: damaged, lacks samples of {name} that were there at its checkpoint")
            monitor.cut(n)

    def samples(self, level: str) -> StoredSamples:
        """The samples of a level, which stay in the file."""
        return StoredSamples(self.path, level, [name for of, name in self._monitors if of == level])

    def start_theory(self, numbers: dict[str, Any]) -> None:
        """Write what the learning equation says that has no course: numbers, text and dicts of such."""
        rate = self._levels["rate"]
        with self.at_once():
            self._theory = TheoryFile.create(self._file.create_group("theory"), numbers, rate.cells)

    def append_theory(self, time: np.ndarray, weights: np.ndarray, courses: Mapping[str, np.ndarray]) -> None:
        """Add what it says at the times (n_times,) [s] of records that are to come, with weights (n_seeds, n_times, n_post, n_pre)."""
        self._need(sum(each.nbytes for each in courses.values()))
        groups = self._levels["rate"].grouped(self.groups)
        means = _courses(weights.mean(axis=0), courses.get("weights_without_causal"), groups)
        with self.at_once():
            self._theory.append(time, {**courses, **means})

    def records(self, level: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Times, weights and output rates as a Run holds them, see records.py."""
        with damage_told(self.path), uninterrupted():
            return self._levels[level].records()

    def courses(self) -> dict[str, Any]:
        """Those of theory, at the records that a Run holds."""
        with damage_told(self.path), uninterrupted():
            return read_courses(self._theory.group, self._levels["rate"].held())

    def arrays(self, name: str, values: dict[str, tuple[Sequence[str], np.ndarray]], **attrs: Any) -> None:
        """Write a group of arrays, such as "receptive_fields": name -> (names of the axes, array); `attrs` are the group's."""
        with self.at_once():
            group = self._file.require_group(name)
            for key, value in attrs.items():
                group.attrs[key] = value
            for key, (axes, array) in values.items():
                if key not in group:  # as in a file that was reopened
                    add_dataset(group, key, axes, np.asarray(array))

    def close(self, complete: bool = True) -> None:
        """Mark the file complete, unless told otherwise or levels of its plan are not over, and close it. Closing twice is harmless."""
        try:
            if self._file and not self._broken:
                planned = set(self._about.get("levels", ()))
                self._end(complete and self._left is None and planned <= self._levels.keys())
        finally:
            unlock(self._lock)

    def _commit(self) -> None:
        if self._file:
            self._file.flush()
        self._disk.commit()

    def _settle(self) -> None:
        """Have what was committed on the disk, past the system's own buffers: a checkpoint must not outlive a machine that loses what it counts."""
        with told(self.path):
            self._disk.sync()

    def _end(self, complete: bool) -> None:
        if complete:
            self._check_there()
        with self.at_once():
            self._file.attrs["complete"] = np.uint8(complete)
            self._file.close()
        self._settle()
        self._disk.close()
        if complete:
            checkpoint.remove(self.path)

    def _leave(self) -> None:
        """Close it as it is, or take it away where nothing is lost with it."""
        if self._is_worthless():
            self._discard()
        else:
            self.close(complete=False)

    def _discard(self) -> None:
        self._abandon()
        self.path.unlink(missing_ok=True)
        checkpoint.remove(self.path)
        unlock(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with uninterrupted():
            if error is None:
                self.close()
            else:
                self._leave()

    def _is_worthless(self) -> bool:
        """Whether nothing is lost with the file: one that was reopened, or begun anew, has its plan, if nothing else."""
        return not self._plan_stays and not self._broken and not any(len(level.time) for level in self._levels.values())

    def _abandon(self) -> None:
        """Leave the file as it was when it was last committed."""
        self._broken = True
        self._disk.give_up()
        with suppress(OSError, RuntimeError, ValueError):
            self._file.close()
        self._disk.close()

    def _check_there(self) -> None:
        """Say so when somebody has removed or replaced the file: what is written goes nowhere then."""
        try:
            there = os.path.samestat(os.stat(self.path), self._disk.stat())
        except FileNotFoundError:
            there = False
        if not there:
            self._abandon()
            raise HebbscopeError(f"{self.path}: was removed or replaced under the run")

    def _need(self, n_bytes: int) -> None:
        """Stop while there still is room to close the file in good order, and for a checkpoint."""
        written = self._disk.stat().st_size
        if room(self.path.parent, written) < 2 * n_bytes + RESERVE:
            raise HebbscopeError(
                f"{self.path}: the disk is full, or the file as large as it may be; what was recorded until now is kept"
            )


def write(path: str | Path, *runs: Run, config: str = "", force: bool = False) -> None:
    """Write finished runs, one of each level, as one file."""
    first = runs[0]
    name = getattr(first.network, "name", "") or first.attrs.get("network", "")
    about: dict[str, Any] = {
        "config": config or first.attrs.get("config", ""),
        "attrs": ({"network": name} if name else {})
        | ({"parts_sha256": json.dumps(first.parts)} if first.parts else {}),
        "projection": first.projection,
        "groups": first.source_groups,
        "shape": first.shape,
        "source": first.source,
        "target": first.target,
        "populations": first.populations,
        "bounds": first.bounds,
    }
    with RunFile.create(path, seeds=first.seeds, force=force, **about) as file:
        for run in runs:
            step = run.attrs.get("record_every") or (float(run.time[1] - run.time[0]) if run.n_times > 1 else 1.0)
            about = {name: run.attrs[name] for name in ENGINE if name in run.attrs}
            file.start_level(run.level, run.seeds, run.n_post, run.n_pre, step, run.duration, about, run.wiring)
            if run.theory:
                numbers, courses = split(run.theory, {"time": run.n_times, "post": run.n_post, "pre": run.n_pre})
                file.start_theory(numbers)
                file.append_theory(run.time, run.weights, courses)
            file.append(run.level, run.time, run.weights, run.output_rate)
            for population, spikes in run.spikes.items():
                file.listen(population, spikes.window)
                file.append_spikes(population, spikes.t, spikes.i)
            if run.other_weights:
                file.final(run.level, run.other_weights, run.other_wirings)
            for monitor, samples in run.monitors.items():
                file.start_monitor(run.level, monitor, run.seeds, samples.fields, samples.about)
                file.append_samples(run.level, monitor, samples.time, samples.values)


def _unused(path: Path) -> Path:
    """This name, or the first with a number after it that no file has."""
    numbered = (path.with_name(f"{path.name}{k}") for k in count(2))
    return next(name for name in chain([path], numbered) if not name.exists())


def _check_new(path: Path, force: bool) -> None:
    if path.is_dir():
        raise HebbscopeError(f"{path}: is a folder")
    if path.exists() and not path.is_file():
        raise HebbscopeError(f"{path}: is not a plain file")
    if path.exists() and not force:
        raise HebbscopeError(f"{path}: already there (force replaces it)")
    if not path.parent.is_dir():
        raise HebbscopeError(f"{path}: there is no folder {path.parent}")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _courses(weights: np.ndarray, without_causal: np.ndarray | None, groups: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The predicted mean weight and separation of the groups (last minus first), (n_times,), from weights (n_times, n_post, n_pre)."""
    found = {}
    for suffix, w in (("", weights), ("_without_causal", without_causal)):
        if w is not None:
            found[f"mean_weight{suffix}"] = _means(w)
            if len(set(groups)) > 1:
                last, first = (_means(w[:, :, [name == group for name in groups]]) for group in (groups[-1], groups[0]))
                found[f"separation{suffix}"] = last - first
    return found


def _means(w: np.ndarray) -> np.ndarray:
    """(n_times,) means of w (n_times, n_post, n_pre), added up in one order however many times there are."""
    return np.ascontiguousarray(w).reshape(len(w), -1).mean(axis=1)
