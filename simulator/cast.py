"""Casting at the boundary: a part's fields get the one type that its hooks are compiled for, in SI units."""

from __future__ import annotations

from typing import Any

import numpy as np

from .protocols import ParameterError, is_part, unit_of
from .quantity import from_brian


def cast(part: Any) -> Any:
    """The same part with numbers as float (int where annotated so), arrays contiguous, Brian2 quantities in SI, inner parts alike.

    Without it an int in a float's place would make numba compile the loop once more. Raises ParameterError for other values.
    """
    if not is_part(part):
        raise ParameterError(type(part).__name__, "class", "must be a typing.NamedTuple", part)
    annotations = type(part).__annotations__
    return type(part)(*(_field(part, name, annotations[name]) for name in part._fields))


def _field(part: Any, name: str, annotation: Any) -> Any:
    value = getattr(part, name)
    if is_part(value):
        return cast(value)
    try:
        if hasattr(value, "dim"):
            value = from_brian(value, unit_of(type(part), name))
    except ValueError as problem:
        raise ParameterError(type(part).__name__, name, str(problem), value) from None
    if isinstance(value, (bool, int, float, np.number)):
        return int(value) if getattr(annotation, "__forward_arg__", annotation) in (int, "int") else float(value)
    try:
        array = np.ascontiguousarray(value)
        return array if array.dtype in (np.float32, np.float64, np.int64) else array.astype(np.float64)
    except (TypeError, ValueError):
        raise ParameterError(type(part).__name__, name, "must be a number, an array or a part", value) from None
