"""simulate(): choose the level, cut the run into chunks, share the seeds among threads, hand what is done to the file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from typing import Any

import numpy as np

from . import event
from .compile import compiled
from .network import Network
from .protocols import HebbscopeError, ParameterError, Synapses
from .results import Run, Spikes
from .streams import start

LEVELS = ("spike", "surrogate", "rate")
N_RECORDS = 100  # record times of a run that names no interval
BUFFER = 65536  # spikes that a recorder holds before it is emptied
LAST_INPUTS = 5.0  # s of input spikes kept by default, enough for a raster
RUNAWAY_RATE = 1e4  # Hz per neuron; no cell fires faster


class Runaway(HebbscopeError):
    """The output rate ran away; `run` holds what was recorded until then."""

    def __init__(self, message: str, run: Run):
        super().__init__(message)
        self.run = run


def simulate(
    network: Network,
    duration: float,
    *,
    level: str = "spike",
    seeds: int | Iterable[int] = 1,
    record_every: float | None = None,
    record_spikes: Mapping[str, tuple[float, float]] | None = None,
    threads: int | None = None,
    file: Any = None,
    progress: Callable[[float], None] | None = None,
    max_rate: float = RUNAWAY_RATE,
) -> Run:
    """Run a network at one level.

    duration       biological time [s]
    level          "spike": every spike counts; "surrogate": the neurons are driven by an independent copy of their input; "rate": the
                   learning equation of the averaged rule
    seeds          one integer or several; each is a run of its own, the same bits whatever the threads, chunks and records
    record_every   interval of the recorded weights and rates [s]; default: a hundredth of the duration
    record_spikes  population -> (from, to) [s], of the first seed; default: the neurons always, the inputs in the last 5 s
    threads        over seeds; default: all cores
    file           a RunFile that gets every record when it is made
    progress       called with the biological time that all seeds have reached [s]
    max_rate       mean output rate per neuron at which the run stops [Hz]

    Raises ParameterError for a value that breaks a rule, Runaway (with the data so far) when the output rate passes max_rate.
    """
    if level not in LEVELS:
        raise ParameterError("simulate", "level", f"must be one of {', '.join(LEVELS)}", level)
    seeds = _seeds(seeds)
    times = record_times(duration, record_every)
    projection = network.projection
    if level == "rate":
        from .rate import simulate_rate

        return simulate_rate(network, times, seeds=seeds, file=file, progress=progress)
    windows = _windows(network, record_spikes, times[-1])
    threads = _threads(threads)
    runs = [SeedRun(network, seed, level, windows if k == 0 else {}, max_rate) for k, seed in enumerate(seeds)]
    if file is not None:
        file.start_level(level, seeds, projection.target.n, projection.source.n, times[1] - times[0])
    recorder = _Recorder(network, level, seeds, times, file)
    recorder.add(runs)
    with ThreadPoolExecutor(threads) as pool:
        for t in times[1:]:
            if not all(pool.map(lambda run, t=t: run.to(t), runs)):
                stopped = min(run.time for run in runs if run.ran_away)
                which = next(run.seed for run in runs if run.ran_away and run.time == stopped)
                raise Runaway(
                    f"simulate: the output rate ran away past {max_rate:g} Hz at t = {stopped:.6g} s (seed {which}); "
                    f"what was recorded until {recorder.times[-1]:g} s is kept",
                    recorder.finish(runs),
                )
            recorder.add(runs)
            if progress is not None:
                progress(float(t))
    return recorder.finish(runs)


def record_times(duration: float, every: float | None) -> np.ndarray:
    """(n_times,) s: 0, every, 2 every, ..., and the end."""
    every = duration / N_RECORDS if every is None else every
    for name, value in (("duration", duration), ("record_every", every)):
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not (0 < value < math.inf):
            raise ParameterError("simulate", name, "must be finite and > 0 s", value)
    n = math.ceil(duration / every - 1e-9)
    return np.append(np.arange(n) * float(every), float(duration))


def _seeds(seeds: int | Iterable[int]) -> tuple[int, ...]:
    found = (seeds,) if isinstance(seeds, (int, np.integer)) else tuple(seeds)
    if not found or any(isinstance(s, bool) or not isinstance(s, (int, np.integer)) or s < 0 for s in found):
        raise ParameterError("simulate", "seeds", "must be whole numbers >= 0, at least one", seeds)
    if len(set(found)) < len(found):
        raise ParameterError("simulate", "seeds", "must differ from each other", list(found))
    return tuple(int(s) for s in found)


def _threads(threads: int | None) -> int:
    if threads is None:
        return cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or threads < 1:
        raise ParameterError("simulate", "threads", "must be a whole number >= 1", threads)
    return int(threads)


def _windows(network: Network, wanted: Mapping | None, duration: float) -> dict[str, tuple[float, float]]:
    names = (network.input.name, network.neuron.name)
    if wanted is None:
        return {names[0]: (max(0.0, duration - LAST_INPUTS), duration), names[1]: (0.0, duration)}
    for name in wanted:
        if name not in names:
            raise ParameterError("simulate", "record_spikes", f"must name populations among {', '.join(names)}", name)
    return dict(wanted)


class SeedRun:
    """One seed at the spike or surrogate level: its parts, its state, and the spikes that are listened to."""

    def __init__(self, network: Network, seed: int, level: str, windows: Mapping[str, tuple[float, float]], max_rate: float):
        projection, source, target = network.projection, network.input, network.neuron
        self.seed, self.windows, self.ran_away = seed, windows, False
        self.names = (source.name, target.name)
        self.max_rate = float(max_rate) * target.n
        self.parts = event.parts_of(projection)
        copies = 2 if level == "surrogate" else 1
        w = projection.initial_weights(seed)
        self.state = event.State(
            inputs=self.parts.inputs.init(source.n, copies),
            neuron=self.parts.neuron.init(target.n),
            rule=self.parts.rule.init(source.n, target.n),
            w=Synapses(np.ascontiguousarray(w.T).ravel(), source.n, target.n),
            times=np.array([0.0, -1.0, self.parts.normalisation.every, 0.0]),
            counts=np.zeros(2, np.int64),
            outputs=np.zeros(target.n, np.int64),
            rng_input=start(seed, f"input/{source.name}"),
            rng_latent=start(seed, f"latent/{source.name}"),
            rng_output=start(seed, f"output/{target.name}"),
            seen_input=_buffer(source.name in windows, copies * source.n),
            seen_output=_buffer(target.name in windows, 1),
        )
        self.heard: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in windows}
        self.loop = compiled(event.advance, (self.parts, self.state))

    @property
    def time(self) -> float:
        return float(self.state.times[event.NOW])

    @property
    def weights(self) -> np.ndarray:
        """(n_post, n_pre)."""
        w = self.state.w
        return w.value.reshape(w.n_pre, w.n_post).T.copy()

    def to(self, t: float) -> bool:
        """Go on to time t [s]; False when the rate ran away."""
        if self.ran_away:
            return False
        while (status := self.loop(self.parts, self.state, float(t), self.max_rate)) == event.FULL:
            self._empty()
        self._empty()
        self.ran_away = status == event.RUNAWAY
        return not self.ran_away

    def _empty(self) -> None:
        for name, recorder in zip(self.names, (self.state.seen_input, self.state.seen_output), strict=True):
            if name in self.windows and recorder.count[0]:
                n = recorder.count[0]
                first, last = np.searchsorted(recorder.t[:n], self.windows[name])
                self.heard[name].append((recorder.t[first:last].copy(), recorder.i[first:last].copy()))
                recorder.count[0] = 0

    def take_spikes(self) -> dict[str, Spikes]:
        """What was heard since the last call."""
        taken = {}
        for name, pieces in self.heard.items():
            t, i = (np.concatenate(column) for column in zip(*pieces, strict=True)) if pieces else (np.empty(0), np.empty(0))
            taken[name] = Spikes(t, i)
            pieces.clear()
        return taken


def _buffer(used: bool, burst: int) -> event.Recorder:
    size = max(BUFFER, 2 * burst) if used else 0
    return event.Recorder(np.empty(size), np.empty(size, np.int64), np.zeros(1, np.int64))


class _Recorder:
    """Collects the records of all seeds, and passes each on to the file when it is made."""

    def __init__(self, network: Network, level: str, seeds: tuple[int, ...], times: np.ndarray, file: Any):
        self.network, self.level, self.seeds, self.file = network, level, seeds, file
        self.times: list[float] = []
        shape = (len(seeds), len(times), network.neuron.n, network.input.n)
        self.weights, self.rate = np.empty(shape), np.full(shape[:3], np.nan)
        self.counted = np.zeros(shape[:1] + shape[2:3])
        self.spikes: dict[str, list[Spikes]] = {}
        self.due = times

    def add(self, runs: list[SeedRun]) -> None:
        k = len(self.times)
        t = float(self.due[k])
        self.weights[:, k] = [run.weights for run in runs]
        counts = np.array([run.state.outputs for run in runs], dtype=float)
        if k > 0:
            self.rate[:, k] = (counts - self.counted) / (t - self.times[-1])
        self.counted = counts
        self.times.append(t)
        if self.file is not None:
            self.file.append(self.level, t, self.weights[:, k], self.rate[:, k])
        self._keep(runs[0].take_spikes())

    def _keep(self, spikes: dict[str, Spikes]) -> None:
        for name, new in spikes.items():
            self.spikes.setdefault(name, []).append(new)
            if self.file is not None and self.level == "spike" and len(new):
                self.file.append_spikes(name, new.t, new.i)

    def finish(self, runs: list[SeedRun]) -> Run:
        """The Run of everything recorded; spikes heard since the last record are in it too."""
        self._keep(runs[0].take_spikes())
        n = len(self.times)
        projection = self.network.projection
        return Run(
            level=self.level,
            seeds=self.seeds,
            time=np.array(self.times),
            weights=self.weights[:, :n],
            output_rate=self.rate[:, :n],
            groups=projection.source.groups,
            projection=projection.name,
            shape=projection.source.shape,
            spikes={
                name: Spikes(np.concatenate([p.t for p in pieces]), np.concatenate([p.i for p in pieces]))
                for name, pieces in self.spikes.items()
            },
            network=self.network,
        )
