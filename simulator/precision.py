"""Single precision, for runs that want speed and need no more than seven digits.

Everything that a loop keeps for each cell and each synapse is halved in size, and a processor handles twice as many at a time. Times stay in double
precision: after an hour, single would not tell one step from the next. What is a time, says the annotation of a field.
"""

from __future__ import annotations

from typing import Any, get_type_hints

import numpy as np

from .protocols import is_part, unit_in

PRECISIONS = ("double", "single")


def narrowed(value: Any) -> Any:
    """A part or a state with all its numbers in single precision, but for times."""
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        return value.astype(np.float32)
    if isinstance(value, float):
        return np.float32(value)
    if not is_part(value):
        return value
    hints = get_type_hints(type(value), include_extras=True)
    fields = zip(value._fields, value, strict=True)
    return type(value)(*(field if unit_in(hints[name]) == "s" else narrowed(field) for name, field in fields))


def as_is(value: Any) -> Any:
    """The same: in double precision."""
    return value
