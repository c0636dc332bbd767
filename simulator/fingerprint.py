"""Hashes of what values hold, by which a description is known again."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

LARGE, MOST = (
    10_000,
    1_000_000,
)  # numbers in an array: from which on it may well be computed, as exactly as a machine does; that are looked at of these


def fingerprint(*values: Any, array: Callable[[np.ndarray], bytes] = np.ndarray.tobytes) -> str:
    """A hash of what values hold: parts and descriptions field by field, arrays by what `array` keeps of them, all bits."""
    digest = hashlib.sha256()
    for value in values:
        _add(digest, value, array)
    return digest.hexdigest()


def _add(digest: Any, value: Any, array: Callable[[np.ndarray], bytes]) -> None:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        digest.update(f"{value.dtype}{value.shape}".encode() + array(np.ascontiguousarray(value)))
    elif dataclasses.is_dataclass(value):
        held = (type(value).__qualname__, *(getattr(value, field.name) for field in dataclasses.fields(value)))
        _add(digest, held, array)
    elif isinstance(value, dict):
        _add(digest, tuple(value.items()), array)
    elif isinstance(value, tuple | list):
        digest.update(f"{type(value).__qualname__}({len(value)}".encode())
        for item in value:
            _add(digest, item, array)
    else:
        digest.update(f"{type(value).__qualname__} {value!r};".encode())


def about(array: np.ndarray) -> bytes:
    """All of a small array; of a large one of numbers, as far as it is looked at, mean, spread and how neighbours go together, to three digits: last digits leave these as they are."""
    if array.size < LARGE or array.dtype.kind != "f":
        return array.tobytes()
    values = array.ravel()[:MOST].astype(float)
    sd = float(values.std())
    if not 0.0 < sd < np.inf:
        return array.tobytes()
    standard = (values - values.mean()) / sd
    shape = (values.mean() / sd, float(standard[1:] @ standard[:-1]) / values.size)
    return f"{sd:.3e} {shape[0]:.3f} {shape[1]:.3f}".encode()


def parts_of(network: Any) -> dict[str, str]:
    """A hash of each population and projection of a network, by what it is and its name; the same wherever its arrays were computed."""
    found = {f"population {each.name}": fingerprint(each, array=about) for each in network.populations}
    return found | {f"projection {each.name}": fingerprint(each, array=about) for each in network.projections}
