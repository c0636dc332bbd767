"""Hashes of what values hold, by which a description is known again."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import numpy as np


def fingerprint(*values: Any) -> str:
    """A hash of what values hold: parts and descriptions field by field, arrays to the bit."""
    digest = hashlib.sha256()
    for value in values:
        _add(digest, value)
    return digest.hexdigest()


def _add(digest: Any, value: Any) -> None:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        digest.update(f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
    elif dataclasses.is_dataclass(value):
        _add(digest, (type(value).__qualname__, *(getattr(value, field.name) for field in dataclasses.fields(value))))
    elif isinstance(value, dict):
        _add(digest, tuple(value.items()))
    elif isinstance(value, tuple | list):
        digest.update(f"{type(value).__qualname__}({len(value)}".encode())
        for item in value:
            _add(digest, item)
    else:
        digest.update(f"{type(value).__qualname__} {value!r};".encode())


def parts_of(network: Any) -> dict[str, str]:
    """A hash of each population and projection of a network, by what it is and its name."""
    found = {f"population {each.name}": fingerprint(each) for each in network.populations}
    return found | {f"projection {each.name}": fingerprint(each) for each in network.projections}
