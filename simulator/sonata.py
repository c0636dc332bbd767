"""The two SONATA layouts inside a run file: spikes of a population, and the weights as an element report.

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


class WeightReport:
    """/report/<projection>: the weights of one seed, a frame each `step` seconds, from time 0.

    data (n_frames, n_post * n_pre) float32; element i * n_pre + j is the synapse from source j onto target i. Of any other wiring, data
    (n_frames, n_synapses), grouped by target, where the element is the number of the synapse in the wiring. A record that is off the grid of frames (the end of a run that is no multiple of the step) has no frame here; /levels has it.
    """

    def __init__(self, group: Any):
        self.data, self.frame, self.time = group["data"], group["frame"], group["mapping/time"]
        self.step = float(self.time[2])  # ms
        self.elements = group["mapping/element_ids"][:]  # as the data have them

    @classmethod
    def create(
        cls, root: Any, projection: str, n_post: int, n_pre: int, step: float, wiring: Any = None, **attrs: Any
    ) -> WeightReport:
        """An empty report under /report."""
        targets = np.repeat(np.arange(n_post), n_pre) if wiring is None else wiring.post
        elements, n_values = np.argsort(targets, kind="stable"), len(targets)
        first = np.searchsorted(targets[elements], np.arange(n_post + 1))
        group = root.require_group("report").create_group(projection)
        for name, value in attrs.items():
            group.attrs[name] = value
        mapping = group.create_group("mapping")
        add_scale(mapping, "node_ids", np.arange(n_post, dtype=np.uint64))
        add_scale(mapping, "element_ids", elements.astype(np.uint32))
        pointers = add_scale(mapping, "index_pointers", first.astype(np.uint64))
        mapping["index_pointer"] = pointers
        add_scale(mapping, "time", np.array([0.0, 0.0, step * 1e3])).attrs["units"] = "ms"
        frames = frames_per_chunk(n_values)
        frame = group.create_dataset("frame", shape=(0,), maxshape=(None,), chunks=(1024,), dtype=np.float64)
        frame.make_scale("frame")
        frame.attrs["units"] = "ms"
        shape = {"shape": (0, n_values), "maxshape": (None, n_values), "chunks": (frames, n_values)}
        data = group.create_dataset("data", dtype=np.float32, **shape)
        data.attrs["units"] = "1"
        data.dims[0].attach_scale(frame)
        data.dims[1].attach_scale(add_scale(group, "synapse", np.arange(n_values, dtype=np.uint32)))
        return cls(group)

    def append(self, time: np.ndarray, weights: np.ndarray) -> None:
        """Add the frames among `time` (n_times,) s with `weights` (n_times, n_post, n_pre) or (n_times, 1, n_synapses)."""
        frames = 1e3 * time / self.step
        on_grid = np.flatnonzero(np.abs(frames - np.round(frames)) < 1e-6)
        if len(on_grid):
            extend(self.data, weights[on_grid].reshape(len(on_grid), -1)[:, self.elements])
            extend(self.frame, time[on_grid] * 1e3)
            self.time[1] = len(self.frame) * self.step

    def cut(self, end: float) -> None:
        """Drop the frames after `end` [s]."""
        n = int(np.count_nonzero(self.frame[:] <= 1e3 * end * (1 + 1e-12)))
        self.data.resize(n, axis=0)
        self.frame.resize(n, axis=0)
        self.time[1] = n * self.step
