"""Recorded spike trains, played once or over and over."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...simulator.hdf5 import check_contained
from ...simulator.protocols import (
    SMOOTHING,
    Covariance,
    Delta,
    Empirical,
    HebbscopeError,
    HertzArray,
    ParameterError,
    Seconds,
    SecondsArray,
    first_line,
    part,
    positive,
    require,
)

UNITS = {"ms": 1e-3, "s": 1.0, "us": 1e-6, "milliseconds": 1e-3, "seconds": 1.0}


class State(NamedTuple):
    """sources (n,): output buffer.

    Places in the recording, the spike that is next and how often it was played before: played (2,), and counted (2,), up to which rates know it.
    rate (n,) [Hz]: of each train at the last spike that is counted, which was at last (n,) [s].
    """

    sources: np.ndarray
    played: np.ndarray
    counted: np.ndarray
    rate: HertzArray
    last: SecondsArray


@part
class RecordedSpikes(NamedTuple):
    """Spike trains from a recording (`read_spikes` reads files).

    times      (n_spikes,)  spike times [s], in order, from 0 to the duration
    sources    (n_spikes,)  the train of each spike, 0 to n - 1
    duration   s            of the recording; what follows is silence, or the recording again
    loop       0            1: played over and over
    smoothing  50 ms        in which rules of rates count spikes, at the rate level

    To rules of rates a train's rate is x_j(t) = sum over its spikes until t of exp(-(t - t_k) / smoothing) / smoothing, which covers as many spikes as there are.
    C_ij(s) is the recording's own: (1 / duration) sum over pairs of spikes of delta(s - (t_i - t_j)), minus nu_i nu_j. There is one
    realisation and no copy of it that is independent, hence no surrogate level.
    """

    times: SecondsArray
    sources: np.ndarray
    duration: Seconds
    loop: int = 0
    smoothing: Seconds = SMOOTHING

    def check(self, n):
        for field, kinds in (("times", "f"), ("sources", "iu")):
            value = getattr(self, field)
            fits = isinstance(value, np.ndarray) and value.dtype.kind in kinds and value.ndim == 1
            require(fits, self, field, "must be a flat array of " + ("floats" if kinds == "f" else "integers"))
        require(
            len(self.times) == len(self.sources), self, "sources", f"must be as many as the times, {len(self.times)}"
        )
        positive(self, "duration", "smoothing")
        require(np.isfinite(self.times), self, "times", "must be finite")
        require(self.times >= 0.0, self, "times", "must be >= 0 s")
        require(np.diff(self.times) >= 0.0, self, "times", "must be in order")
        require(self.times[-1:] <= self.duration, self, "times", f"must be <= the duration, {self.duration:g} s")
        require((self.sources >= 0) & (self.sources < n), self, "sources", f"must be in [0, {n - 1}]")
        require(self.loop in (0, 1), self, "loop", "must be 0 or 1")

    def groups(self, n):
        return ["all"] * n

    def init(self, n, copies):
        if copies != 1:
            raise ParameterError(
                "RecordedSpikes",
                "copies",
                "must be 1, as at the levels spike and rate: a recording has no independent copy for a surrogate",
                copies,
            )
        return State(np.zeros(n, np.int64), *np.zeros((2, 2), np.int64), *np.zeros((2, n)))

    def candidate_rate(self, state):
        return 0.0

    def draw(self, state, t, rng, latent):
        return 0

    def next_wake(self, state):
        return self._time(state.played) if state.played[0] < len(self.times) else math.inf

    def wake(self, state, t, rng, latent):
        count = 0
        while count < len(state.sources) and self.next_wake(state) <= t:
            state.sources[count] = self.sources[state.played[0]]
            count += 1
            self._go_on(state.played)
        return count

    def _time(self, place):
        """When the spike at a place comes [s]."""
        return place[1] * self.duration + self.times[place[0]]

    def _go_on(self, place):
        """To the spike after that at a place."""
        place[0] += 1
        if self.loop == 1 and place[0] == len(self.times):
            place[0] = 0
            place[1] += 1

    def _rate(self, state, j, t):
        return state.rate[j] * math.exp((state.last[j] - t) / self.smoothing)

    def rates(self, state, t, latent, out):
        """Spikes are counted here and not as they come, since a level with spikes asks for no rates."""
        while state.counted[1] < state.played[1] or state.counted[0] < state.played[0]:
            j, then = self.sources[state.counted[0]], self._time(state.counted)
            state.rate[j] = self._rate(state, j, then) + 1.0 / self.smoothing
            state.last[j] = then
            self._go_on(state.counted)
        for j in range(len(out)):
            out[j] = self._rate(state, j, t)

    @property
    def changes_in(self):
        """How fast the rates vary [s]."""
        return self.smoothing

    def lasts(self) -> float:
        """How long the stated rates hold [s]."""
        return math.inf if self.loop == 1 else self.duration

    def mean_rates(self, n: int) -> np.ndarray:
        return np.bincount(self.sources, minlength=n) / self.duration

    def covariance(self, n: int) -> list[Covariance]:
        return [Covariance(np.eye(n), np.eye(n), self._recording(n))]

    def atom(self, n: int) -> list[tuple[np.ndarray, Delta]]:
        return [(self.mean_rates(n), Delta())]

    def third_cumulants(self, n: int) -> list[Any]:
        return [self._recording(n)]

    def _recording(self, n: int) -> Empirical:
        return Empirical(self.times, self.sources, n, self.duration, self.loop)


def read_spikes(
    path: str | Path,
    population: str | None = None,
    duration: float | None = None,
    loop: int = 0,
    smoothing: float = SMOOTHING,
) -> RecordedSpikes:
    """The spikes of a SONATA HDF5 file (/spikes/<population>/timestamps with units, node_ids), or of an .npz with `t` [s] and `i`.

    population: its name, where the file has several. duration [s]: of the recording; the last spike ends it if none is given. smoothing [s]: for rules of rates.
    HebbscopeError where the file is missing, is no such file, or has times that are unsorted or negative.
    """
    path = Path(path)
    if not path.is_file():
        raise HebbscopeError(f"{path}: no such file")
    times, sources = _read_npz(path) if path.suffix == ".npz" else _read_sonata(path, population)
    if times.ndim != 1 or times.shape != sources.shape:
        raise HebbscopeError(f"{path}: needs as many times as sources, got shapes {times.shape} and {sources.shape}")
    if sources.dtype.kind not in "iu" or times.dtype.kind not in "fiu":
        raise HebbscopeError(
            f"{path}: sources must be integers and times numbers, got {sources.dtype} and {times.dtype}"
        )
    if not np.all(np.isfinite(times)):
        raise HebbscopeError(f"{path}: times must be finite")
    if duration is None and len(times) == 0:
        raise HebbscopeError(f"{path}: has no spikes, so its duration must be given")
    spikes = RecordedSpikes(
        np.ascontiguousarray(times, dtype=float),
        np.ascontiguousarray(sources, dtype=np.int64),
        float(times[-1] if duration is None else duration),
        loop,
        smoothing,
    )
    try:
        spikes.check(int(spikes.sources.max(initial=0)) + 1)
    except ParameterError as error:
        raise HebbscopeError(f"{path}: {error.field} {error.rule}") from None
    return spikes


def _read_npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with path.open("rb") as file, np.lib.npyio.NpzFile(file) as arrays:
            if not {"t", "i"} <= set(arrays):
                raise HebbscopeError(f"{path}: needs the arrays t [s] and i, has {', '.join(arrays) or 'none'}")
            found = arrays["t"], arrays["i"]
            # numpy gives the bytes of what it does not know
            if not all(isinstance(each, np.ndarray) for each in found):
                raise HebbscopeError(f"{path}: damaged, t or i is no array")
            return found
    except HebbscopeError:
        raise
    except Exception as error:  # numpy and zipfile raise what they meet: zlib.error, TokenError, RuntimeError, ...
        raise HebbscopeError(f"{path}: is no .npz file ({first_line(error)})") from None


def _read_sonata(path: Path, population: str | None) -> tuple[np.ndarray, np.ndarray]:
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise HebbscopeError(f"{path}: is no HDF5 file ({first_line(error)})") from None
    try:
        with file:
            check_contained(file)
            return _spikes_of(path, file, population)
    except (KeyError, OSError, RuntimeError, ValueError, TypeError) as error:
        raise HebbscopeError(f"{path}: damaged, cannot be read ({first_line(error)})") from None


def _spikes_of(path: Path, file: Any, population: str | None) -> tuple[np.ndarray, np.ndarray]:
    import h5py

    group = _population(path, file, population)
    for name in ("timestamps", "node_ids"):
        if not isinstance(group.get(name), h5py.Dataset):
            raise HebbscopeError(f"{path}: {group.name} has no dataset {name}")
    unit = group["timestamps"].attrs.get("units", "")
    unit = unit.decode() if isinstance(unit, bytes) else str(unit)
    if unit not in UNITS:
        raise HebbscopeError(f"{path}: {group.name}/timestamps needs the attribute units, ms or s, got {unit!r}")
    return group["timestamps"][:] * UNITS[unit], group["node_ids"][:]


def _population(path: Path, file: Any, population: str | None) -> Any:
    spikes = file.get("spikes")
    names = list(spikes) if hasattr(spikes, "keys") else []
    if not names:
        raise HebbscopeError(f"{path}: has no group /spikes/<population>")
    if population is None and len(names) > 1:
        raise HebbscopeError(f"{path}: has the populations {', '.join(names)}; name one")
    name = names[0] if population is None else population
    if name not in names:
        raise HebbscopeError(f"{path}: has no population {name}, but {', '.join(names)}")
    if not hasattr(spikes[name], "keys"):
        raise HebbscopeError(f"{path}: has no group /spikes/<population>")
    return spikes[name]
