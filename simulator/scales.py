"""Datasets whose every axis has a dimension scale, so that xarray names the axes and invents none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

UNITS = {
    "W_integral": "s", "k1": "1/s", "k2": "1/s", "k3": "1/s", "Q": "1/s", "D": "1/s", "D_relative": "1/s",
    "tau_mean": "s", "tau_noise": "s", "growth_rate": "1/s", "growth_rate_without_causal": "1/s",
    "output_rate": "Hz", "output_rate_without_causal": "Hz", "time": "s", "time_to_segregation": "s",
    "each_output_rate_without_causal": "Hz", "output_rate_at_rest": "Hz", "mean_rate": "Hz", "theta": "Hz", "bcm_gain": "s",
    "drift": "1/s", "correlation_drift": "1/s", "rate": "Hz", "homeostatic_rate": "Hz",
}  # fmt: skip


def add_scale(group: Any, name: str, values: np.ndarray) -> Any:
    """A dimension scale: `values` along the axis that bears its name."""
    made = group.create_dataset(name, data=values)
    made.make_scale(name)
    return made


def add_dataset(group: Any, name: str, axes: Sequence[str], values: np.ndarray, units: str = "", **kwargs: Any) -> None:
    """A dataset whose axes have scales; a scale that the group lacks counts from 0. An array named like its only axis is the scale."""
    made = group.create_dataset(name, data=values, **kwargs)
    if units:
        made.attrs["units"] = units
    if tuple(axes) == (name,):
        made.make_scale(name)
        return
    for k, axis in enumerate(axes):
        if axis not in group:
            add_scale(group, axis, np.arange(values.shape[k]))
        made.dims[k].attach_scale(group[axis])


def write_values(group: Any, values: dict[str, Any], sizes: dict[str, int]) -> None:
    """Numbers, arrays, text and dicts of such, as datasets, attributes and subgroups; `sizes` tells axes by their lengths."""
    for name, value in values.items():
        if isinstance(value, dict):
            write_values(group.create_group(name), value, sizes)
        elif isinstance(value, str):
            group.attrs[name] = value
        elif value is not None and name not in group:  # a scale that an array before it has brought
            array = np.asarray(value, dtype=np.float64)
            add_dataset(group, name, axes_of(name, array.shape, sizes), array, UNITS.get(name.rpartition(".")[2], "1"))


def read_values(group: Any, skip: Collection[str] = (), here: Collection[str] = ()) -> dict[str, Any]:
    """A group as a dict: numbers, arrays, text, and dicts of such; without those that are named in `skip`, nor in `here`, which counts in this group alone."""
    found: dict[str, Any] = attributes(group)
    for name in group.keys() - {*skip, *here}:
        item = group[name]
        inner = hasattr(item, "keys")
        found[name] = read_values(item, skip) if inner else item[()] if item.shape else float(item[()])
    return found


def attributes(group: Any) -> dict[str, Any]:
    """Those of a group, as Python's own types."""
    return {name: plain(value) for name, value in group.attrs.items() if name != "REFERENCE_LIST"}


def plain(value: Any) -> Any:
    """An attribute as Python's own type."""
    if isinstance(value, bytes):
        return value.decode()
    return value.tolist() if hasattr(value, "tolist") else value


def axes_of(name: str, shape: tuple[int, ...], sizes: dict[str, int]) -> tuple[str, ...]:
    """The names of an array's axes, told by their lengths; axes of its own where they fit nothing. An axis before them counts starts."""
    known = [("time", "post", "pre"), ("post", "pre"), ("time", "post"), ("time",), ("pre",), ("post",)]
    for axes in known:
        if shape == tuple(sizes.get(axis) for axis in axes):
            return axes
    for axes in known[:3]:
        if shape[1:] == tuple(sizes.get(axis) for axis in axes):
            return ("start", *axes)
    return tuple(f"{name}_axis_{k}" for k in range(len(shape)))
