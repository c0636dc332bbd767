"""/theory of a run file while it grows: what the learning equation says beside the records of the rate level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from . import sonata
from .levelfile import add_times, growing
from .records import some
from .scales import UNITS, add_scale, axes_of, read_values, write_values

SCALES = ("time", "post", "pre", "start")


class TheoryFile:
    """Numbers, and courses over the times of the records: mean weights (time, post, pre), rates (time, post), spreads (time,); those from each of several
    starts as `each_...` (start, time, ...)."""

    def __init__(self, group: Any):
        self.group, self.time = group, group["time"]

    @classmethod
    def create(cls, group: Any, numbers: dict[str, Any], sizes: dict[str, int]) -> TheoryFile:
        """With the numbers, text and dicts of such, of so many cells `post` and `pre`; the courses come with their first times."""
        write_values(group, numbers, sizes)
        add_times(group)
        return cls(group)

    def append(self, time: np.ndarray, courses: Mapping[str, np.ndarray]) -> None:
        """Add the courses at the times (n_times,) [s]."""
        for name, values in courses.items():
            axes = _axes(name, values.ndim)
            if name not in self.group:
                self._begin(name, axes, values.shape)
            sonata.extend(self.group[name], values, axis_of_time(name))
        sonata.extend(self.time, time)

    def _begin(self, name: str, axes: Sequence[str], shape: tuple[int, ...]) -> None:
        sizes = {axis: n for axis, n in zip(axes, shape, strict=True) if axis != "time"}
        for axis, n in sizes.items():
            if axis not in self.group:
                add_scale(self.group, axis, np.arange(n))
        growing(self.group, name, tuple(sizes.get(axis, 0) for axis in axes), axes, UNITS.get(name, "1"))


def axis_of_time(name: str) -> int:
    """Of a course: the axis of starts comes before it."""
    return int(name.startswith("each_"))


def _axes(name: str, n_axes: int) -> tuple[str, ...]:
    before = ("start",) * axis_of_time(name)
    return before + ("time", "post", "pre")[: n_axes - len(before)]


def split(theory: Mapping[str, Any], sizes: dict[str, int]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The numbers and the courses of a Run, whose axes are so long."""
    courses = {
        name: np.asarray(value, dtype=np.float64)
        for name, value in theory.items()
        if "time" in axes_of(name, np.shape(value), sizes)
    }
    return {name: value for name, value in theory.items() if name not in courses}, courses


def n_whole(group: Any, n: int) -> int:
    """Of the first n times those at which there is every course: a killed writer may have extended one less than another."""
    return min([n, *(item.shape[axis] for item, axis in _courses(group).values())])


def read_theory(group: Any, kept: np.ndarray) -> dict[str, Any]:
    """All of it, the courses at the records kept (n_kept,)."""
    return read_values(group, SCALES, _courses(group)) | read_courses(group, kept)


def read_courses(group: Any, kept: np.ndarray) -> dict[str, np.ndarray]:
    """The courses at the records kept (n_kept,)."""
    return {name: some(item, kept, axis) for name, (item, axis) in _courses(group).items()}


def _courses(group: Any) -> dict[str, tuple[Any, int]]:
    """Datasets along the times, and along which of their axes."""
    return {
        name: (item, axis)
        for name, item in group.items()
        for axis, scales in enumerate(getattr(item, "dims", ()))
        if "time" in [*scales]
    }
