"""/monitors/<level>/<monitor> of a run file while it grows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from . import sonata
from .levelfile import add_times, growing
from .monitors import Field
from .sampler import Samples
from .scales import add_scale


class MonitorFile:
    """The samples of one monitor: time (n_times,) s, and arrays (seed, time, ...), each of its axes with a dataset of the same name."""

    def __init__(self, group: Any):
        self.group, self.time = group, group["time"]
        self.values = {name: item for name, item in group.items() if item.ndim > 1}

    @classmethod
    def create(
        cls, group: Any, seeds: Sequence[int], fields: Mapping[str, Field], about: Mapping[str, Any]
    ) -> MonitorFile:
        """With no sample yet."""
        group.attrs["about"] = json.dumps(dict(about))
        add_scale(group, "seed", np.array(list(seeds)))
        add_times(group)
        for axis, numbers in {axis: each for field in fields.values() for axis, each in field.axes.items()}.items():
            add_scale(group, axis, numbers)
        for name, field in fields.items():
            shape = (len(seeds), 0, *map(len, field.axes.values()))
            growing(group, name, shape, ("seed", "time", *field.axes), field.unit)
        return cls(group)

    @property
    def n_times(self) -> int:
        """Samples that every dataset holds."""
        return min([len(self.time), *(dataset.shape[1] for dataset in self.values.values())])

    @property
    def size(self) -> int:
        """How many numbers they hold, of all seeds."""
        return sum(int(dataset.size) for dataset in self.values.values())

    def append(self, time: np.ndarray, values: Mapping[str, np.ndarray]) -> None:
        """Add samples: time (n_times,) s, values (n_seeds, n_times, ...)."""
        for name, dataset in self.values.items():
            sonata.extend(dataset, values[name], axis=1)
        sonata.extend(self.time, time)

    def cut(self, n: int) -> None:
        """Keep the first n samples."""
        for dataset in self.values.values():
            dataset.resize(n, axis=1)
        self.time.resize(n, axis=0)

    def read(self) -> Samples:
        """All samples."""
        n, fields = self.n_times, {}
        for name, dataset in self.values.items():
            axes = {dim.keys()[0]: dim[0][:] for dim in list(dataset.dims)[2:]}
            fields[name] = Field(axes, str(dataset.attrs["units"]))
        values = {name: dataset[:, :n] for name, dataset in self.values.items()}
        return Samples(self.time[:n], values, fields, json.loads(self.group.attrs["about"]))
