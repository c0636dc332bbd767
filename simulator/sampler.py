"""Takes the samples of monitors while a level runs, into memory or, as they come, into the run file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .monitors import Field
from .network import Network
from .population import check_name
from .protocols import HebbscopeError, ParameterError


@dataclass(frozen=True)
class Samples:
    """Of one monitor: time (n_times,) s; values: name -> (n_seeds, n_times, ...), which [name] gives, too; fields: name -> Field, what its other axes are;
    about: what kind of monitor, of what.
    """

    time: np.ndarray
    values: Mapping[str, np.ndarray]
    fields: Mapping[str, Field]
    about: Mapping[str, Any]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.values[name]


def check_monitors(monitors: Any, network: Network, engine: str, dt: float) -> dict[str, Any]:
    """Monitors by name; ParameterError for one that does not fit the network, the engine or its step dt [s]."""
    if not isinstance(monitors, Mapping):
        raise ParameterError("simulate", "monitors", "must be {name: monitor}", monitors)
    for name, monitor in monitors.items():
        check_name(f"monitor {name}", name)
        if not hasattr(monitor, "sample"):
            raise ParameterError("simulate", "monitors", "must be monitors, such as StateMonitor", monitor)
        monitor.check()
        monitor.fits(network, engine)
        steps = monitor.every / dt if engine == "clock" else 1.0
        if steps < 0.5 or abs(steps - round(steps)) > 1e-6 * max(1.0, steps):
            raise ParameterError(
                type(monitor).__name__, "every", f"must be a multiple of dt = {dt:g} s", float(monitor.every)
            )
    return dict(monitors)


def n_samples(monitor: Any, end: float) -> int:
    """In a run until `end` [s], that at time 0 included."""
    return 1 + math.floor(end / monitor.every + 1e-9)


def sample_bytes(monitor: Any, network: Network) -> int:
    """Of one sample of one seed, with its time."""
    return 8 + sum(8 * math.prod(map(len, each.axes.values())) for each in monitor.fields(network).values())


def about(monitor: Any, network: Network) -> dict[str, Any]:
    """What is sampled, in words."""
    said = {"type": type(monitor).__name__, "every": float(monitor.every)}
    said |= {name: getattr(monitor, name) for name in ("population", "projection") if hasattr(monitor, name)}
    if hasattr(monitor, "projection"):
        source = next(each.source for each in network.projections if each.name == monitor.projection)
        said["groups"] = list(dict.fromkeys(source.groups))
    return said


class Sampler:
    """The monitors of one level: how many samples each has taken, what it remembers (n_seeds, memory), and what waits for the file."""

    def __init__(
        self, network: Network, level: str, monitors: Mapping[str, Any], seeds: Sequence[int], end: float, file: Any
    ):
        self.network, self.level, self.monitors, self.file = network, level, monitors, file
        self.taken = {name: np.zeros(1, np.int64) for name in monitors}
        self.memory = {name: np.zeros((len(seeds), getattr(each, "memory", 0))) for name, each in monitors.items()}
        self.last = {name: n_samples(each, end) for name, each in monitors.items()}
        self.fields: dict[str, dict[str, Field]] = {name: each.fields(network) for name, each in monitors.items()}
        self.pieces: dict[str, list[tuple[float, dict[str, np.ndarray]]]] = {name: [] for name in monitors}
        self.seeds, self.waiting = seeds, 0

    def begin(self) -> None:
        """Make room in the file, if there is one."""
        for name, monitor in self.monitors.items() if self.file is not None else ():
            self.file.start_monitor(self.level, name, self.seeds, self.fields[name], about(monitor, self.network))

    def until(self, t: float) -> float:
        """t, or the next sample where it comes before [s]."""
        return min([t, *(due for name in self.monitors if (due := self._due(name, t)) < t)])

    def _due(self, name: str, t: float) -> float:
        k, every = int(self.taken[name][0]), self.monitors[name].every
        return k * every if k < self.last[name] and k * every < t - 1e-9 * every else math.inf

    def take(self, now: float, runs: Sequence[Any]) -> None:
        """Sample with the monitors that are due at `now` [s]."""
        for name, monitor in self.monitors.items():
            k = int(self.taken[name][0])
            if k < self.last[name] and now >= (k - 1e-9) * monitor.every:
                each = [monitor.sample(self.network, run, m) for run, m in zip(runs, self.memory[name], strict=True)]
                values = {key: np.array([sample[key] for sample in each], dtype=float) for key in self.fields[name]}
                self.pieces[name].append((k * monitor.every, values))
                self.waiting += sum(array.nbytes for array in values.values())
                self.taken[name][0] = k + 1

    def write(self) -> None:
        """Hand on what waits to the file."""
        for name, pieces in self.pieces.items() if self.file is not None else ():
            if pieces:
                self.file.append_samples(self.level, name, *_together(pieces, self.fields[name]))
                pieces.clear()
        self.waiting = 0 if self.file is not None else self.waiting

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """What a checkpoint keeps."""
        kept = {f"monitors/{name}/taken": taken for name, taken in self.taken.items()}
        return kept | {f"monitors/{name}/memory": memory for name, memory in self.memory.items()}

    def take_up(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from a checkpoint; HebbscopeError where it is of other monitors."""
        own = self.arrays
        found = {path: array for path, array in arrays.items() if path.startswith("monitors/")}
        shapes = [{path: (a.shape, a.dtype) for path, a in each.items()} for each in (own, found)]
        if shapes[0] != shapes[1]:
            raise HebbscopeError("checkpoint: is of other monitors")
        for path, array in own.items():
            array[...] = found[path]
        for name, taken in self.taken.items():
            self.file.cut_samples(self.level, name, int(taken[0]))

    def samples(self) -> Mapping[str, Samples]:
        """All samples until now; where there is a file, they stay in it."""
        if self.file is not None:
            return self.file.samples(self.level)
        found = {}
        for name, pieces in self.pieces.items():
            fields = self.fields[name]
            found[name] = Samples(*_together(pieces, fields), fields, about(self.monitors[name], self.network))
        return found


def _together(
    pieces: list[tuple[float, dict[str, np.ndarray]]], fields: Mapping[str, Field]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Times (n_times,) and values (n_seeds, n_times, ...) of some samples."""
    times, values = zip(*pieces, strict=True)
    return np.array(times), {name: np.stack([each[name] for each in values], axis=1) for name in fields}
