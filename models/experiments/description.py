"""Nested descriptions: parts inside parts, reached by dotted keys, with values that carry units.

A description is a NamedTuple: a part (a rule, a window, a neuron) or a plain table of an experiment's own settings. Changes arrive
as nested dictionaries of text and numbers, from TOML or from `--set`; nothing in them is ever evaluated.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import numpy as np
from pydantic import TypeAdapter, ValidationError

from ...simulator.describe import fields, nearest, source, summary
from ...simulator.protocols import HebbscopeError, ParameterError, is_part, unit_in
from ...simulator.quantity import read_quantity

LONGEST_TOLD = 200  # letters of a value in an error
DEEPEST = 20  # tables in tables; no part is nested so deeply


class DescriptionError(HebbscopeError, ValueError):
    """A key or a value that does not fit: `rule.eta: must be a plain number without a unit, got '5ms'`."""

    def __init__(self, key: str, reason: str):
        self.key, self.reason = key, reason
        super().__init__(f"{key}: {reason}")


class Item(NamedTuple):
    """One line of a description: dotted key, value, SI unit ("" where there is none), meaning and source."""

    key: str
    value: Any
    unit: str
    meaning: str = ""
    source: str = ""


# Reading ------------------------------------------------------------------------------------------------------------


def nested(settings: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A nested dictionary from dotted keys, in any order: `a.b=X` and `a.b.c=1` become {a: {b: {type: X, c: 1}}}."""
    table: dict[str, Any] = {}
    for key, value in settings:
        names = key.split(".")
        if not all(names):
            raise DescriptionError(key or "''", "is not a dotted key")
        place = table
        for name in names[:-1]:
            inside = place.setdefault(name, {})
            if not isinstance(inside, dict):
                inside = place[name] = {"type": inside}
            place = inside
        if isinstance(place.get(names[-1]), dict) and not isinstance(value, dict):
            place[names[-1]]["type"] = value
        else:
            place[names[-1]] = value
    return table


def leaves(tables: dict[str, Any], above: str = "") -> list[tuple[str, Any]]:
    """The dotted keys and values of nested tables, of which an empty one is a value; `KEY.type` becomes KEY itself."""
    if above.count(".") >= DEEPEST:
        raise DescriptionError(above, f"is nested more than {DEEPEST} deep")
    listed: list[tuple[str, Any]] = []
    for name, value in tables.items():
        key = f"{above}.{name}" if above else name
        if isinstance(value, dict):
            listed += leaves(value, key) or [(key, value)]
        else:
            listed.append((above if name == "type" and above else key, value))
    return listed


def changed(current: Any, table: Any, key: str, choices: dict[str, type]) -> Any:
    """The description `current` with the entries of `table` in place; parts that are given a `type` are made anew."""
    if not isinstance(table, dict):
        table = {"type": table}
    current = _of_type(current, table.get("type"), key, choices)
    hints = get_type_hints(type(current), include_extras=True)
    values = {}
    for name, value in table.items():
        if name == "type":
            continue
        path = f"{key}.{name}"
        if name not in current._fields:
            raise unknown(path, [f"{key}.{field}" for field in current._fields])
        values[name] = read_field(getattr(current, name), hints[name], value, path)
    return current._replace(**values)


def read_field(current: Any, hint: Any, value: Any, key: str) -> Any:
    """A field's new value from what was given: a part from a table or a class name, a number from text, an array from a list."""
    choices = choices_for(current, hint)
    if is_part(value):
        if named_in(hint) and type(value).__name__ not in choices:
            raise DescriptionError(key, f"must be {' or '.join(sorted(choices))}, got {type(value).__name__}")
        return value
    if choices:
        if value == "none" and type(None) in flat(hint):
            return None
        return changed(current, value, key, choices)
    if isinstance(value, dict):
        raise DescriptionError(key, "is a single value and has no keys below it")
    return read_leaf(hint, value, key)


def read_leaf(hint: Any, value: Any, key: str) -> Any:
    """A number, array, text or truth value as the field's annotation wants it."""
    kinds = flat(hint)
    unit = unit_in(hint)
    wants_number = float in kinds or int in kinds
    try:
        if isinstance(value, str) and value.lstrip().startswith("[") and np.ndarray in kinds:
            value = value.strip().strip("[]").split(",")
        if isinstance(value, (list, tuple, np.ndarray)) and np.ndarray in kinds:
            return _array(value, unit)
        if wants_number and not (isinstance(value, str) and str in kinds):
            value = read_quantity(value, unit)
    except ValueError as problem:
        raise DescriptionError(key, f"{problem}, got {told(value)}") from None
    plain = [kind for kind in kinds if kind in (float, int, str, bool, type(None)) or get_origin(kind) is not None]
    if not plain:
        return value
    try:
        return TypeAdapter(Union[tuple(plain)]).validate_python(value)  # noqa: UP007
    except ValidationError as problem:
        words = problem.errors()[0]["msg"].replace("Input should be", "must be")
        raise DescriptionError(key, f"{words}, got {told(value)}") from None


def _array(values: Any, unit: str) -> np.ndarray:
    if any(isinstance(value, (list, tuple, np.ndarray)) for value in values):
        return np.array([_array(value, unit) for value in values])
    return np.array([read_quantity(value, unit) for value in values])


def _of_type(current: Any, name: Any, key: str, choices: dict[str, type]) -> Any:
    """`current`, or a new part of the named class with its own defaults."""
    if name is None and current is None:
        raise DescriptionError(key, f"needs a type, one of {', '.join(sorted(choices))}")
    if name is None or (isinstance(name, str) and name == type(current).__name__):
        return current
    if not isinstance(name, str) or name not in choices:
        close = nearest(str(name), choices)
        raise DescriptionError(
            key, f"no part is called {told(name)}{close or '; there are ' + ', '.join(sorted(choices))}"
        )
    kind: Any = choices[name]
    return kind(**{field: None for field in kind._fields if field not in kind._field_defaults})


def told(value: Any) -> str:
    """A value in an error, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:
        return "a number too long to print"
    return text if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD]}... ({len(text):,} letters)"


def unknown(key: str, known: list[str]) -> DescriptionError:
    """The error for a key that does not exist, with the nearest one that does."""
    return DescriptionError(key, f"unknown key{nearest(key, known)}")


# Annotations --------------------------------------------------------------------------------------------------------


def flat(hint: Any) -> list[Any]:
    """The plain types in an annotation: Annotated and unions taken apart."""
    if get_origin(hint) is Annotated:
        return flat(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        return [kind for member in get_args(hint) for kind in flat(member)]
    return [np.ndarray] if get_origin(hint) is np.ndarray else [hint]


def named_in(hint: Any) -> list[type]:
    """The classes of descriptions that an annotation names."""
    return [
        kind for kind in flat(hint) if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")
    ]


def choices_for(current: Any, hint: Any) -> dict[str, type]:
    """The classes that a field may hold, by name: those of its annotation, else all parts of the kind that it holds now."""
    from .catalogue import kin

    kinds = named_in(hint) or (kin(type(current)) if is_part(current) else [])
    return {kind.__name__: kind for kind in kinds}


# Checking and listing -----------------------------------------------------------------------------------------------


def check(description: Any, key: str) -> None:
    """Ask every part inside for its own check, innermost first, and name the dotted key where one fails."""
    for name, value in zip(description._fields, description, strict=True):
        if is_part(value):
            check(value, f"{key}.{name}")
    own = getattr(description, "check", None)
    if own is None or inspect.signature(own).parameters:
        return
    try:
        own()
    except ParameterError as problem:
        raise DescriptionError(f"{key}.{problem.field}", str(problem).partition(": ")[2]) from None


def items(description: Any, key: str, one_of_several: bool = False) -> Iterator[Item]:
    """One Item per field, depth first, the type of a part (and of a table that is `one_of_several`) first; meanings are read from the
    tables in the docstrings."""
    from .catalogue import kind_of

    cls = type(description)
    if kind_of(cls) or one_of_several:
        yield Item(f"{key}.type", cls.__name__, "", summary(cls), source(cls))
    for field in fields(description):
        if is_part(field.value):
            yield from items(field.value, f"{key}.{field.name}")
        else:
            yield Item(f"{key}.{field.name}", field.value, field.unit, field.meaning, source(cls))
