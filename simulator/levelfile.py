"""/levels/<level> of a run file while it grows, and the weight report that goes with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import sonata
from .projection import Wiring
from .records import held, read
from .results import grouped
from .scales import add_dataset, add_scale

CHUNK_BYTES = 131_072


class LevelFile:
    """The records of one level: time (n_times,), weights (seed, time, post, pre) and output_rate (seed, time, post).

    Where not all are joined to all: weights (seed, time, synapse), output_rate (seed, time, neuron), and pre (synapse), post (synapse), the ends of each.
    """

    def __init__(self, group: Any, report: sonata.WeightReport | None):
        self.time, self.weights, self.rate = group["time"], group["weights"], group["output_rate"]
        self.group, self.report = group, report

    @classmethod
    def create(
        cls,
        group: Any,
        seeds: Sequence[int],
        n_post: int,
        n_pre: int,
        report: sonata.WeightReport | None,
        wiring: Any = None,
    ) -> LevelFile:
        """With no record yet."""
        n_seeds = len(seeds)
        add_scale(group, "seed", np.array(list(seeds)))
        cells, synapses = ("post", n_post), [("post", n_post), ("pre", n_pre)]
        if wiring is not None:
            cells, synapses = ("neuron", n_post), [("synapse", len(wiring.pre))]
        for name, n in dict([cells, *synapses]).items():
            add_scale(group, name, np.arange(n))
        if wiring is not None:
            for name, ends in wiring._asdict().items():
                add_dataset(group, name, ("synapse",), ends)
        add_times(group)
        axes, sizes = zip(*synapses, strict=True)
        growing(group, "weights", (n_seeds, 0, *sizes), ("seed", "time", *axes), "1")
        growing(group, "output_rate", (n_seeds, 0, n_post), ("seed", "time", cells[0]), "Hz")
        return cls(group, report)

    @classmethod
    def of(cls, root: Any, level: str) -> LevelFile:
        """A level that is in the file."""
        reports = [group for group in root.get("report", {}).values() if group.attrs["level"] == level]
        return cls(root[f"levels/{level}"], sonata.WeightReport(reports[0]) if reports else None)

    @property
    def seeds(self) -> np.ndarray:
        """(n_seeds,)."""
        return self.group["seed"][:]

    @property
    def cells(self) -> dict[str, int]:
        """The axes of arrays along cells, and how many there are; none where not all are joined to all."""
        return dict(zip(("post", "pre"), self.weights.shape[2:], strict=True)) if self.weights.ndim == 4 else {}

    def grouped(self, groups: tuple[str, ...]) -> tuple[str, ...]:
        """Groups (n_pre) of the source, as they are along the last axis of the weights."""
        return grouped(groups, wiring_of(self.group))

    @property
    def sizes(self) -> list[int]:
        """Seeds, synapses along each axis, and neurons: of every record."""
        n_seeds, _, *n_synapses = self.weights.shape
        return [n_seeds, *n_synapses, self.rate.shape[2]]

    def append(self, time: np.ndarray, weights: np.ndarray, output_rate: np.ndarray) -> None:
        """Add records: time (n_times,) s, weights (n_seeds, n_times, n_post, n_pre) or (n_seeds, n_times, 1, n_synapses), output_rate
        (n_seeds, n_times, n_post) Hz.
        """
        sonata.extend(self.weights, weights.reshape(*weights.shape[:2], *self.weights.shape[2:]), axis=1)
        sonata.extend(self.rate, output_rate, axis=1)
        sonata.extend(self.time, time)
        if self.report is not None:
            self.report.append(time, weights[0])

    def held(self) -> np.ndarray:
        """Which records a Run holds."""
        return held(len(self.time), record_bytes(self.weights))

    def records(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Times, weights and output rates of these, see `records.read`."""
        return read(self.time, self.weights, self.rate, self.held())

    def cut(self, n_times: int) -> None:
        """Keep the first n_times records."""
        end = float(self.time[n_times - 1]) if n_times else -1.0
        self.weights.resize(n_times, axis=1)
        self.rate.resize(n_times, axis=1)
        self.time.resize(n_times, axis=0)
        if self.report is not None:
            self.report.cut(end)


def wiring_of(group: Any) -> Wiring | None:
    """Who is joined to whom in the weights of a level; None where all are joined to all."""
    return Wiring(group["pre"][:], group["post"][:]) if group["weights"].ndim == 3 else None


def record_bytes(weights: Any) -> int:
    """Of one record of all seeds, of weights (seed, time, ...)."""
    n_seeds, _, *n_synapses = weights.shape
    return 8 * n_seeds * int(np.prod(n_synapses))


def records_per_chunk(record_bytes: int) -> int:
    """Records of all seeds that go into one chunk of a dataset that grows."""
    return max(1, min(1024, CHUNK_BYTES // record_bytes))


def growing(group: Any, name: str, shape: tuple[int, ...], axes: Sequence[str], units: str) -> None:
    """A dataset that grows along its axis of time, of a length of 0 in `shape`; its axes with the scales of the group."""
    time = axes.index("time")
    before, beyond = shape[:time], shape[time + 1 :]
    n_times = records_per_chunk(8 * int(np.prod(before + beyond)))
    apart = before if n_times > 1 else (1,) * time
    layout = {"maxshape": (*before, None, *beyond), "chunks": (*apart, n_times, *beyond), "fillvalue": np.nan}
    dataset = group.create_dataset(name, shape=shape, dtype=np.float64, **layout)
    dataset.attrs["units"] = units
    for axis, scale in enumerate(axes):
        dataset.dims[axis].attach_scale(group[scale])


def add_times(group: Any) -> Any:
    """The scale of an axis of time that grows [s]."""
    time = group.create_dataset("time", shape=(0,), maxshape=(None,), chunks=(1024,), dtype=np.float64)
    time.make_scale("time")
    time.attrs["units"] = "s"
    return time
