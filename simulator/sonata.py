"""The two SONATA layouts: spikes of a population, and element reports, of weights and of what cells have.

libsonata and bmtk read what stands here. They insist on: an HDF5 enum for `sorting`, units on every time, float32 report data,
no compression, `index_pointers` (libsonata) and `index_pointer` (bmtk) for the same numbers, and nothing but populations
directly under /spikes and /report. Every axis has a dimension scale, so that xarray invents none.

Source: SONATA developer guide, sections "Spike file" and "Simulation output: frame-oriented node element recording".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .scales import add_scale

MAGIC = 0x0A7A
VERSION = (0, 1)
SPIKES_PER_CHUNK = 16_384
REPORT_CHUNK_BYTES = 131_072


def mark(root: Any) -> None:
    """The attributes by which a SONATA file is known."""
    root.attrs["magic"] = np.uint32(MAGIC)
    root.attrs["version"] = np.array(VERSION, dtype=np.uint32)


class SpikesFile:
    """/spikes/<population>, sorted by time, while it grows.

    Its datasets stay open: one that is closed writes what it has not yet, and where that fails HDF5 tells nobody and crashes later.
    """

    def __init__(self, group: Any):
        self.t, self.ids, self.level = group["timestamps"], group["node_ids"], group.attrs["level"]

    @classmethod
    def create(cls, root: Any, population: str, **attrs: Any) -> SpikesFile:
        """With no spike yet."""
        import h5py

        group = root.require_group("spikes").create_group(population)
        group.attrs.create("sorting", 2, dtype=h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="i1"))
        for name, value in attrs.items():
            group.attrs[name] = value
        growing = {"shape": (0,), "maxshape": (None,), "chunks": (SPIKES_PER_CHUNK,)}
        times = group.create_dataset("timestamps", dtype=np.float64, **growing)
        times.attrs["units"] = "ms"
        times.make_scale("timestamps")
        group.create_dataset("node_ids", dtype=np.uint64, **growing).dims[0].attach_scale(times)
        return cls(group)

    def __len__(self) -> int:
        return len(self.t)

    def append(self, t: np.ndarray, ids: np.ndarray) -> None:
        """Add `t` (n_spikes,) in seconds, ascending, and the cells `ids` (n_spikes,)."""
        extend(self.ids, np.asarray(ids))
        extend(self.t, np.asarray(t, dtype=np.float64) * 1e3)

    def cut(self, n: int) -> None:
        """Keep the first n."""
        self.ids.resize(n, axis=0)
        self.t.resize(n, axis=0)


def seconds(times: np.ndarray, dt: float = 0.0) -> np.ndarray:
    """(n_spikes,) ms as they stand in a file -> s: to the bit of a run in steps of dt [s], whose times are k * dt; of others to the last bit of one in forty, for
    milliseconds are a coarser grid there."""
    found = times / 1e3  # rounded once, where times * 1e-3 is rounded twice
    if dt > 0.0:
        with np.errstate(all="ignore"):  # of a dt that no run has
            steps = np.round(found / dt) * dt
        found = np.where(np.abs(steps - found) <= 4.0 * np.spacing(found), steps, found)
    return found


def extend(dataset: Any, values: np.ndarray, axis: int = 0) -> None:
    """Append `values` to a dataset along `axis`; h5py's own resize and slices take twice as long, for each record and dataset."""
    from h5py import h5s

    if not values.size:
        return
    values = np.ascontiguousarray(values, dtype=dataset.dtype)
    shape, start = list(dataset.id.shape), [0] * values.ndim
    start[axis] = shape[axis]
    shape[axis] += values.shape[axis]
    dataset.id.set_extent(tuple(shape))
    space = dataset.id.get_space()
    space.select_hyperslab(tuple(start), values.shape)
    dataset.id.write(h5s.create_simple(values.shape), space, values)


def frames_per_chunk(n_values: int) -> int:
    """Frames of a weight report that go into one chunk."""
    return max(1, REPORT_CHUNK_BYTES // (4 * n_values))


class Report:
    """/report/<population>: numbers of its cells, a frame each step [ms], from time 0.

    data (n_frames, n_values) float32, cell by cell. What is off the grid of frames (the last record of a run that is no multiple of the step) has no
    frame here; /levels has it.
    """

    def __init__(self, group: Any):
        self.data, self.frame, self.time = group["data"], group["frame"], group["mapping/time"]
        self.step = float(self.time[2])  # ms

    @classmethod
    def create(
        cls,
        root: Any,
        population: str,
        cells: np.ndarray,
        elements: np.ndarray,
        first: np.ndarray,
        step: float,
        axis: str,
        units: str,
        **attrs: Any,
    ) -> Report:
        """With no frame yet; elements (n_values,), those of the k-th of `cells` from first[k] up to first[k + 1]; step in s; axis is what a frame has
        along it, units are of the data, attrs of the group."""
        group = root.require_group("report").create_group(population)
        for name, value in attrs.items():
            group.attrs[name] = value
        mapping, n_values = group.create_group("mapping"), len(elements)
        add_scale(mapping, "node_ids", cells.astype(np.uint64))
        add_scale(mapping, "element_ids", elements.astype(np.uint32))
        pointers = add_scale(mapping, "index_pointers", first.astype(np.uint64))
        mapping["index_pointer"] = pointers
        add_scale(mapping, "time", np.array([0.0, 0.0, step * 1e3])).attrs["units"] = "ms"
        frame = group.create_dataset("frame", shape=(0,), maxshape=(None,), chunks=(1024,), dtype=np.float64)
        frame.make_scale("frame")
        frame.attrs["units"] = "ms"
        chunks = (frames_per_chunk(n_values), n_values)
        shape = {"shape": (0, n_values), "maxshape": (None, n_values), "chunks": chunks}
        data = group.create_dataset("data", dtype=np.float32, **shape)
        data.attrs["units"] = units
        data.dims[0].attach_scale(frame)
        data.dims[1].attach_scale(add_scale(group, axis, np.arange(n_values, dtype=np.uint32)))
        return cls(group)

    def append(self, time: np.ndarray, values: np.ndarray) -> None:
        """Add the frames among `time` (n_times,) s with `values` (n_times, n_values)."""
        frames = 1e3 * time / self.step
        on_grid = np.flatnonzero(np.abs(frames - np.round(frames)) < 1e-6)
        if len(on_grid):
            extend(self.data, values[on_grid])
            extend(self.frame, time[on_grid] * 1e3)
            self.time[1] = len(self.frame) * self.step

    def cut(self, end: float) -> None:
        """Drop the frames after `end` [s]."""
        n = int(np.count_nonzero(self.frame[:] <= 1e3 * end * (1 + 1e-12)))
        self.data.resize(n, axis=0)
        self.frame.resize(n, axis=0)
        self.time[1] = n * self.step


class WeightReport:
    """A report of the weights of one seed, under the name of the projection.

    Element i * n_pre + j is the synapse from source j onto target i; of any other wiring, the number of the synapse in it. Synapses are grouped by target.
    """

    def __init__(self, group: Any):
        self.report = Report(group)
        self.elements = group["mapping/element_ids"][:]  # as the data have them
        every = np.arange(len(self.elements), dtype=np.uint32)
        if self.elements.dtype != every.dtype or (np.sort(self.elements) != every).any():
            raise ValueError("element_ids are not the numbers of all synapses")

    @classmethod
    def create(
        cls, root: Any, projection: str, n_post: int, n_pre: int, step: float, wiring: Any = None, **attrs: Any
    ) -> WeightReport:
        """With no frame yet; step in s."""
        targets = np.repeat(np.arange(n_post), n_pre) if wiring is None else wiring.post
        elements, cells = np.argsort(targets, kind="stable"), np.arange(n_post)
        first = np.searchsorted(targets[elements], np.arange(n_post + 1))
        Report.create(root, projection, cells, elements, first, step, "synapse", "1", **attrs)
        return cls(root["report"][projection])

    def append(self, time: np.ndarray, weights: np.ndarray) -> None:
        """Add the frames among `time` (n_times,) s with `weights` (n_times, n_post, n_pre) or (n_times, 1, n_synapses)."""
        self.report.append(time, weights.reshape(len(time), -1)[:, self.elements])

    def cut(self, end: float) -> None:
        """Drop the frames after `end` [s]."""
        self.report.cut(end)


def cell_report(root: Any, population: str, cells: np.ndarray, step: float, units: str, **attrs: Any) -> Report:
    """A report of one number of each of some cells, in ascending order; step in s."""
    places = np.arange(len(cells) + 1)
    return Report.create(root, population, cells, 0 * cells, places, step, "cell", units, **attrs)
