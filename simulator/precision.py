"""The numbers that a loop reckons with, in double or in single precision, and where they lie in memory.

Single precision is for runs that want speed and need no more than seven digits. Everything that a loop keeps for each cell and each synapse is halved in size, and
a processor handles twice as many at a time. Times stay in double precision: after an hour, single would not tell one step from the next. What
is a time, says the annotation of a field.
"""

from __future__ import annotations

from typing import Any, get_type_hints

import numpy as np

from .ahead import LINE
from .protocols import is_part, unit_in

PRECISIONS = ("double", "single")


def in_precision(value: Any, precision: str) -> Any:
    """A part or a state with all its numbers in one of PRECISIONS, but for times, and its arrays laid out for the loop: copies."""
    if type(value) is np.ndarray and value.dtype == np.float64:
        return on_a_line(value.astype(precision, copy=False))
    if isinstance(value, float):
        return np.float32(value) if precision == "single" else value
    if not is_part(value):
        return value
    hints = get_type_hints(type(value), include_extras=True)
    fields = zip(value._fields, value, strict=True)
    return type(value)(
        *(field if unit_in(hints[name]) == "s" else in_precision(field, precision) for name, field in fields)
    )


def on_a_line(array: np.ndarray) -> np.ndarray:
    """A copy that begins where a line of memory does: what a processor reads at a time lies in one line, not across two."""
    memory = np.empty(array.nbytes + LINE, np.uint8)
    begin = -memory.ctypes.data % LINE
    copy = memory[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
