"""What the inputs share in reading their own fields: a number for all synapses or an array, and the modulated synapses at the end."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...simulator.protocols import require


def per_synapse(part: Any, field: str, n: int) -> np.ndarray:
    """(n,): the field of every synapse; ParameterError if it is an array of another shape."""
    value = np.asarray(getattr(part, field), dtype=float)
    require(value.shape in ((), (n,)), part, field, f"must be a number or an array of {n}")
    return np.broadcast_to(value, n).copy()


def count_up_to(part: Any, field: str, n: int) -> int:
    """The field, an integer in [0, n]; ParameterError otherwise."""
    value = getattr(part, field)
    require(isinstance(value, (int, np.integer)) and 0 <= value <= n, part, field, f"must be an integer in [0, {n}]")
    return int(value)


def of_modulated(part: Any, field: str, n: int) -> np.ndarray:
    """(n,): a number holds for the last `n_modulated` synapses and is 0 for the others; an array says itself which are modulated."""
    values = per_synapse(part, field, n)
    if np.ndim(getattr(part, field)) == 0:
        values[: n - count_up_to(part, "n_modulated", n)] = 0.0
    else:
        require(part.n_modulated == 0, part, "n_modulated", f"must be 0 where {field} is an array")
    return values


def named(marked: np.ndarray, plain: str, special: str) -> list[str]:
    """The group's name of each synapse."""
    return [special if mark else plain for mark in marked]
