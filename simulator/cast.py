"""Casting at the boundary: a part's fields get the one type that its hooks are compiled for, in SI units."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import numpy as np

from .protocols import ParameterError, is_part, unit_of
from .quantity import from_brian


def cast(part: Any) -> Any:
    """The same part with numbers as float (int where annotated so), arrays contiguous, Brian2 quantities in SI, inner parts alike.

    Without it an int in a float's place would make numba compile the loop once more. A field that is annotated as a number takes a single
    one. Raises ParameterError for other values.
    """
    if not is_part(part):
        name = part.__name__ if isinstance(part, type) else type(part).__name__
        raise ParameterError(name, "class", "must be an instance of a typing.NamedTuple", part)
    cls: Any = type(part)
    return cls(*(_field(part, name, _plain(cls, name)) for name in part._fields))


@cache
def _plain(cls: type, name: str) -> Any:
    """What a field is annotated as, without its unit; Any where that cannot be told."""
    try:
        hint = get_type_hints(cls, include_extras=True)[name]
    except (NameError, KeyError):
        return Any
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _field(part: Any, name: str, hint: Any) -> Any:
    def wrong(rule: str) -> ParameterError:
        return ParameterError(type(part).__name__, name, rule, value)

    value = getattr(part, name)
    if is_part(value):
        return cast(value)
    if hasattr(value, "dim"):
        try:
            value = from_brian(value, unit_of(type(part), name))
        except ValueError as problem:
            raise wrong(str(problem)) from None
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (bool, int, float, np.bool_, np.integer, np.floating)):
        if hint is not int:
            return float(value)
        if not float(value).is_integer():
            raise wrong("must be a whole number")
        return int(value)
    if hint in (int, float):
        raise wrong("must be a number")
    try:
        array = np.ascontiguousarray(value)
        if array.dtype.kind not in "biuf":
            raise ValueError
    except (TypeError, ValueError):
        raise wrong("must be a number, an array or a part") from None
    if array.dtype in (np.float32, np.float64):
        return array
    return array.astype(np.int64 if array.dtype.kind in "iu" else np.float64)
