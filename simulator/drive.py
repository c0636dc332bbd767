"""Takes all seeds of a level from record to record, on threads; what is recorded goes to the run and, at once, to the file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from operator import methodcaller
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from .checkpoint import arrays_of, put_back
from .fingerprint import fingerprint
from .network import Network, Population, Projection
from .pace import Pace
from .protocols import HebbscopeError
from .results import Run, Spikes, reached, recorded
from .resume import Left
from .sampler import Sampler
from .stopping import uninterrupted

WRITE = 0.2  # s on the clock, at least, between two writes of records
MOST_WAITING = 32_000_000  # bytes of records that may wait for it


class Runaway(HebbscopeError):
    """The output rate ran away; `run` holds what was recorded until then."""

    def __init__(self, message: str, run: Run):
        super().__init__(message)
        self.run = run


class OneSeed(Protocol):
    """What a run of one seed offers, whatever its engine."""

    @property
    def seed(self) -> int: ...
    @property
    def ran_away(self) -> bool: ...
    @property
    def restless(self) -> bool:
        """Whether that was because there are no rates to come to."""

    @property
    def parts(self) -> Any:
        """What the loop reads and never changes, the step of time too where it has one."""

    @property
    def kept(self) -> Any:
        """The state that a checkpoint keeps, a NamedTuple of arrays and of such."""

    @property
    def sources(self) -> str:
        """A hash of the files that decide on what the loop does."""

    @property
    def about(self) -> dict[str, Any]:
        """Which engine runs, and its step dt [s] where it has one."""

    @property
    def time(self) -> float: ...
    @property
    def weights(self) -> np.ndarray:
        """Of the projection that is recorded: (n_post, n_pre), or (1, n_synapses) in the order of its wiring where not all are joined to all."""

    @property
    def other_weights(self) -> dict[str, np.ndarray]:
        """Of all other projections that learn, likewise."""

    @property
    def outputs(self) -> np.ndarray:
        """(n_post,) output spikes so far, at the rate level their expected number."""

    def weights_of(self, projection: Projection) -> np.ndarray:
        """(n_post, n_pre), or (n_synapses,)."""

    def spikes_of(self, population: Population) -> np.ndarray:
        """(n,) spikes so far of a population of neurons."""

    def to(self, t: float) -> bool: ...
    @property
    def windows(self) -> Mapping[str, tuple[float, float]]:
        """Population -> from when to when it is listened to [s]."""

    def take_spikes(self) -> dict[str, Spikes]: ...


def drive(
    network: Network,
    level: str,
    runs: Sequence[OneSeed],
    times: np.ndarray,
    *,
    max_rate: float,
    threads: int | None = None,
    file: Any = None,
    progress: Callable[[float], None] | None = None,
    monitors: Mapping[str, Any] | None = None,
) -> Run:
    """Go through the record times (n_times,) [s] with all seeds; raises Runaway, with the data so far, when one runs away.

    With a file that keeps checkpoints, another is written from time to time and when the run is stopped; from one that was reopened
    the level goes on where it was.
    """
    seeds = tuple(run.seed for run in runs)
    recorder = Recorder(network, level, seeds, times, file, monitors or {})
    recorder.begin(runs)
    try:
        _advance(recorder, runs, times, max_rate, threads, progress)
    except KeyboardInterrupt:
        recorder.checkpoint(runs)
        raise
    run = recorder.finish(runs)
    _check_others(run)
    return run


def _advance(
    recorder: Recorder,
    runs: Sequence[OneSeed],
    times: np.ndarray,
    max_rate: float,
    threads: int | None,
    progress: Callable[[float], None] | None,
) -> None:
    with uninterrupted():  # a stop that comes in the midst of a compilation may be lost there, or spoil it
        for run in runs:
            run.to(run.time)  # gets nowhere, but compiles what is new: no later stop need wait for that
    pace, now = Pace(), max(recorder.reached, min(run.time for run in runs))
    with ThreadPoolExecutor(threads) as pool:
        # Handing work to a thread takes a while, which shows where records come fast.
        on_each = pool.map if min(threads or len(runs), len(runs)) > 1 else map
        for t in map(float, times[recorder.n :]):
            while recorder.reached < t:
                end, began = recorder.sampler.until(pace.end(now, t)), perf_counter()
                with uninterrupted():  # a second stop would leave threads that go on under the checkpoint of the first
                    going = all(list(on_each(methodcaller("to", end), runs)))
                pace.took(end - now, perf_counter() - began)
                now = end
                if going:
                    recorder.sample(now, runs)
                if going and now == t:
                    recorder.add(runs)
                _check_course(recorder, runs, max_rate)
                if recorder.file is not None and recorder.file.checkpoint_due():
                    recorder.checkpoint(runs)
                if progress is not None:
                    progress(now)


def _check_course(recorder: Recorder, runs: Sequence[OneSeed], max_rate: float) -> None:
    """Raises Runaway, with the data so far, when the output rate of a seed or any weight ran away."""
    kept = f"what was recorded until {recorder.reached:g} s is kept"
    lost = min((run for run in runs if run.ran_away), key=lambda run: run.time, default=None)
    if lost is not None:
        where, run = f"at t = {lost.time:.6g} s (seed {lost.seed}); {kept}", recorder.finish(runs, until=lost.time)
        if lost.restless:
            raise Runaway(f"simulate: the rates of cells that drive each other in circles come to no rest {where}", run)
        raise Runaway(f"simulate: the output rate ran away past {max_rate:g} Hz {where}", run)
    if not recorder.sound:
        raise Runaway(
            f"simulate: weights ran away beyond all numbers by t = {recorder.reached:g} s; {kept}",
            recorder.finish(runs),
        )


def _check_others(run: Run) -> None:
    """Raises Runaway, with the run, when weights ran away that are kept at its end alone."""
    for name, weights in run.other_weights.items():
        lost = [seed for seed, found in zip(run.seeds, weights, strict=True) if not np.isfinite(found).all()]
        if lost:
            where = f"by t = {run.duration:g} s (seed {lost[0]}); what was recorded is kept"
            raise Runaway(
                f"simulate: weights of {name}, which nobody records, ran away beyond all numbers {where}", run
            )


class Recorder:
    """Collects the records of all seeds, and passes each on to the file when it is made.

    Where there is a file, memory holds none of them and no spikes, and the Run has what it holds from there (records.py). Records go to the file several at a
    time where they come faster than every WRITE seconds on the clock: each time it is written takes a millisecond or two.
    """

    def __init__(
        self,
        network: Network,
        level: str,
        seeds: tuple[int, ...],
        times: np.ndarray,
        file: Any,
        monitors: Mapping[str, Any],
    ):
        self.network, self.level, self.seeds, self.file = network, level, seeds, file
        self.due, self.n = times, 0  # when records are due [s], and how many there are
        self.projection = network.recorded
        n_synapses, n_post, n_pre = self.projection.n_synapses, self.projection.target.n, self.projection.source.n
        n_held, shape = (
            0 if file is not None else len(times),
            (n_post, n_pre) if self.projection.is_dense else (1, n_synapses),
        )
        self.weights, self.rate = np.empty((len(seeds), n_held, *shape)), np.empty((len(seeds), n_held, n_post))
        self.counted = np.zeros((len(seeds), n_post))  # output spikes at the last record
        self.spikes: dict[str, list[Spikes]] = {}  # where there is no file
        self.waiting: list[tuple[float, np.ndarray, np.ndarray]] = []  # records on their way to the file
        self.written = -math.inf
        self.sound = True  # whether the weights are numbers
        self.what = ""  # a hash of what is run, for a file
        self.sampler = Sampler(network, level, monitors, seeds, float(times[-1]), file)

    @property
    def reached(self) -> float:
        """The time of the last record [s]."""
        return float(self.due[self.n - 1])

    def begin(self, runs: Sequence[OneSeed]) -> None:
        """Record the start, or take up what a checkpoint left of the level."""
        left, windows = None, runs[0].windows
        if self.file is not None:
            how = (runs[0].parts, sorted(windows.items()), self.sampler.monitors)
            self.what = fingerprint(self.network, self.level, self.seeds, self.due, *how)
            every, end = self.due[1] - self.due[0], self.due[-1]
            joined, dense = self.projection, self.projection.is_dense
            wiring = None if dense else joined.wiring
            cells = joined.target.n, joined.source.n
            left = self.file.start_level(self.level, self.seeds, *cells, every, end, runs[0].about, wiring)
            if left is not None:
                self._take_up(left, runs)
                self.file.go_on()
            for population, window in windows.items():
                self.file.listen(population, reached(window, end))
        if left is None:
            self.sampler.begin()
            self.sample(0.0, runs)
            self.add(runs)

    def _take_up(self, left: Left, runs: Sequence[OneSeed]) -> None:
        left.check(runs[0].sources, self.what)
        self.n = left.checkpoint.about["records"]
        self.counted[...] = left.checkpoint.arrays["counted"]
        for run in runs:
            put_back(run.kept, left.checkpoint.below(f"seed {run.seed}/"))
        self.sampler.take_up(left.checkpoint.arrays)  # drops later samples: not before all else fits

    def checkpoint(self, runs: Sequence[OneSeed]) -> None:
        """Keep in the file all that is needed to go on from here."""
        if self.file is None:
            return
        with uninterrupted():
            self._write(runs)
            arrays = {"counted": self.counted, **self.sampler.arrays}
            for run in runs:
                arrays.update(arrays_of(run.kept, f"seed {run.seed}/"))
            self.file.checkpoint(arrays, sources=runs[0].sources, what=self.what)

    def sample(self, now: float, runs: Sequence[OneSeed]) -> None:
        """Have the monitors that are due take their samples."""
        with uninterrupted():
            self.sampler.take(now, runs)
            if self.file is not None and self.sampler.waiting > MOST_WAITING:
                self.sampler.write()

    def add(self, runs: Sequence[OneSeed]) -> None:
        """Record the seeds, which are at the next record time."""
        with uninterrupted():
            self._add(runs)

    def _add(self, runs: Sequence[OneSeed]) -> None:
        t = float(self.due[self.n])
        weights = np.array([run.weights for run in runs])
        counts = np.array([run.outputs for run in runs], dtype=float)
        rate = np.full(counts.shape, np.nan) if self.n == 0 else (counts - self.counted) / (t - self.reached)
        self.counted[...] = counts
        self.sound = bool(np.isfinite(weights).all())
        self.n += 1
        if self.file is None:
            self.weights[:, self.n - 1], self.rate[:, self.n - 1] = weights, rate
        else:
            self.waiting.append((t, weights, rate))
            if perf_counter() - self.written > WRITE or len(self.waiting) * weights.nbytes > MOST_WAITING:
                self._write(runs)

    def _write(self, runs: Sequence[OneSeed], until: float = math.inf) -> None:
        """Hand on what waits. until: the last spike [s]."""
        with nullcontext() if self.file is None else self.file.at_once():
            for name, heard in runs[0].take_spikes().items():
                new = heard.between(-math.inf, math.nextafter(until, math.inf))
                if self.file is None:
                    self.spikes.setdefault(name, []).append(new)
                else:
                    self.file.append_spikes(name, new.t, new.i)
            self.sampler.write()
            if self.waiting:
                times, weights, rates = zip(*self.waiting, strict=True)
                self.file.append(self.level, times, np.stack(weights, axis=1), np.stack(rates, axis=1))
                self.waiting.clear()
                self.written = perf_counter()

    def finish(self, runs: Sequence[OneSeed], until: float = math.inf) -> Run:
        """The Run of everything recorded; spikes heard since the last record are in it too, to the moment `until` [s]."""
        each_seed = [run.other_weights for run in runs]
        others = {name: np.array([found[name] for found in each_seed]) for name in each_seed[0]}
        synapses = recorded(self.network)
        with uninterrupted():
            self._write(runs, until)
            if self.file is not None:
                self.file.final(self.level, others, synapses["other_wirings"])
        n, windows = self.n, runs[0].windows
        held = self.due[:n], self.weights[:, :n], self.rate[:, :n]
        time, weights, rate = held if self.file is None else self.file.records(self.level)
        return Run(
            level=self.level,
            seeds=self.seeds,
            time=time,
            weights=weights,
            output_rate=rate,
            spikes=self._heard(windows, self.reached) if self.file is None else self.file.spikes(self.level),
            network=self.network,
            attrs=runs[0].about,
            other_weights=others,
            monitors=self.sampler.samples(),
            **synapses,
        )

    def _heard(self, windows: Mapping[str, tuple[float, float]], end: float) -> dict[str, Spikes]:
        """All spikes until now, by population."""
        return {
            name: Spikes(
                np.concatenate([piece.t for piece in pieces]),
                np.concatenate([piece.i for piece in pieces]),
                reached(windows[name], end),
            )
            for name, pieces in self.spikes.items()
        }
