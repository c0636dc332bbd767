"""Nested descriptions: parts inside parts, reached by dotted keys, with values that carry units.

A description is a NamedTuple: a part (a rule, a window, a neuron) or a plain table of an experiment's own settings. Changes arrive
as nested dictionaries of text and numbers, from TOML or from `--set`; nothing in them is ever evaluated, but for a file that they name as that of a
part of one's own (own.py).
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import numpy as np
from pydantic import TypeAdapter, ValidationError

from ...simulator.describe import fields, nearest, source, summary
from ...simulator.protocols import HebbscopeError, ParameterError, is_part, unit_in
from ...simulator.quantity import read_quantity

LONGEST_TOLD = 200  # letters of a value in an error
LISTS = "must be a list such as [1, 2], or one of rows that are of one length, such as [[1, 2], [3, 4]]"
DEEPEST = 20  # tables in tables; no part is nested so deeply

_BETWEEN_ROWS = re.compile(r"(?<=\])\s*,")


class DescriptionError(HebbscopeError, ValueError):
    """A key or a value that does not fit: `rule.eta: must be a plain number without a unit, got '5ms'`."""

    def __init__(self, key: str, reason: str):
        self.key, self.reason = key, reason
        super().__init__(f"{key}: {reason}")


class Kind(str):
    """Carried by the annotation of a field that holds any part of a kind (a key of KINDS in the catalogue)."""


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


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Two nested dictionaries; where `above` names another type, what `below` says of that part no longer counts."""
    both = dict(below)
    for name, value in above.items():
        old, table = both.get(name), value if isinstance(value, dict) else {"type": value}
        if isinstance(old, dict) and table.get("type", old.get("type")) == old.get("type"):
            both[name] = merged(old, table)
        else:
            both[name] = value
    return both


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
    """A field's new value from what was given: a part from a table or a class name, a number from text, an array from a list, and where
    a field has many of a kind, each of them by its name."""
    if type(None) in flat(hint) and (value is None or (isinstance(value, str) and value.lower() == "none")):
        return None
    each = one_of_many(hint)
    if each and (isinstance(value, dict) or named_in(each)):
        return _read_each(each, value, key)
    choices = choices_for(current, hint)
    if is_part(value):
        if named_in(hint) and type(value).__name__ not in choices:
            raise DescriptionError(key, f"must be {' or '.join(sorted(choices))}, got {type(value).__name__}")
        if choices and not named_in(hint):
            _fitting(type(value), key, choices)
        return value
    if choices and (isinstance(value, dict) or not takes_numbers(hint) or _is_name(value)):
        return changed(current, value, key, choices)
    if isinstance(value, dict):
        raise DescriptionError(key, "is a single value and has no keys below it")
    return read_leaf(hint, value, key)


def _read_each(hint: Any, value: Any, key: str) -> dict[str, Any]:
    """Values by name; each that is a table starts from the defaults of its class."""
    start = hint() if named_in(hint) else None
    if not isinstance(value, dict):
        raise DescriptionError(key, f"must have a table for each name, got {told(value)}")
    for name, given in value.items():
        if start is not None and not (isinstance(given, dict) or is_part(given)):
            raise DescriptionError(f"{key}.{name}", f"must be a table, got {told(given)}")
    return {name: read_field(start, hint, given, f"{key}.{name}") for name, given in value.items()}


def read_leaf(hint: Any, value: Any, key: str) -> Any:
    """A number, array, text or truth value as the field's annotation wants it."""
    from .plan import Levels, Seeds

    kinds = flat(hint)
    for listed in (Seeds, Levels):
        if listed in kinds:
            return listed.read(value, key)
    unit = unit_in(hint)
    try:
        takes_lists = any(kind is np.ndarray or get_origin(kind) is list for kind in kinds)
        if isinstance(value, str) and value.lstrip().startswith("[") and takes_lists:
            value = _listed(value)
        if isinstance(value, (list, tuple, np.ndarray)) and np.ndarray in kinds:
            return _array(value, unit)
        if takes_numbers(hint) and not (isinstance(value, str) and str in kinds):
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


def _is_name(value: Any) -> bool:
    from .own import is_own

    return isinstance(value, str) and (value.isidentifier() or is_own(value))


def _listed(text: str) -> list[Any]:
    """The texts in "[1 ms, 2 ms]", or the rows of them in "[[1, 2], [3, 4]]"."""
    inside = _inside_of(text)
    return [_texts(_inside_of(row)) for row in _BETWEEN_ROWS.split(inside)] if inside[:1] == "[" else _texts(inside)


def _inside_of(text: str) -> str:
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")):
        raise ValueError(LISTS)
    return text[1:-1].strip()


def _texts(inside: str) -> list[str]:
    return [each.strip() for each in inside.split(",")] if inside else []


def _array(values: Any, unit: str) -> np.ndarray:
    if not unit and all(type(value) is int for value in values):
        if any(abs(value) >= 2**63 for value in values):
            raise ValueError("must be of whole numbers below 2^63")
        return np.array(values, dtype=np.int64)
    are_rows = [isinstance(value, (list, tuple, np.ndarray)) for value in values]
    if not any(are_rows):
        return np.array([read_quantity(value, unit) for value in values])
    rows = [_array(value, unit) for value in values] if all(are_rows) else []
    if len({row.shape for row in rows}) != 1:
        raise ValueError(LISTS)
    return np.array(rows)


def _of_type(current: Any, name: Any, key: str, choices: dict[str, type]) -> Any:
    """`current`, if it is a part, or a new one of the named class with its own defaults, or one that has the name itself."""
    from .catalogue import presets
    from .own import is_own, name_of, own_part

    if name is None and not is_part(current):
        raise DescriptionError(key, f"needs a type, one of {', '.join(sorted(choices))}")
    if name is None or (isinstance(name, str) and name == name_of(type(current))):
        return current
    if is_own(name):
        choices = {name: _fitting(own_part(name, key), key, choices)}
    named = presets(choices.values())
    if isinstance(name, str) and name in named:
        return named[name]
    if not isinstance(name, str) or name not in choices:
        there = [*sorted(choices), *named]
        close = nearest(str(name), there) or f"; there are {', '.join(there)}"
        raise DescriptionError(key, f"no part is called {told(name)}{close}")
    kind: Any = choices[name]
    return kind(**{field: None for field in kind._fields if field not in kind._field_defaults})


def _fitting(own: type, key: str, choices: dict[str, type]) -> type:
    """A part of one's own, if it is of the kind of what there is to choose from."""
    from .catalogue import KINDS, interchangeable, kind_of

    kinds = {kind for each in choices.values() for kind in interchangeable(kind_of(each))}
    if kind_of(own) not in kinds:
        hooks = ", or ".join(f"a {kind}, with a method {KINDS[kind]}" for kind in sorted(kinds & KINDS.keys()))
        raise DescriptionError(key, f"must be {hooks or 'a part of hebbscope'}, got {own.__name__}")
    return own


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


def kinds_in(hint: Any) -> list[str]:
    """The kinds of parts that an annotation names."""
    own = [str(extra) for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Kind)]
    return own + [kind for member in get_args(hint) for kind in kinds_in(member)]


def takes_numbers(hint: Any) -> bool:
    """Whether a field may be a plain number."""
    return bool({float, int} & {*flat(hint)})


def one_of_many(hint: Any) -> Any:
    """What an annotation such as dict[str, int] says that each of the values is; None for others."""
    return next((get_args(kind)[1] for kind in flat(hint) if get_origin(kind) is dict), None)


def choices_for(current: Any, hint: Any) -> dict[str, type]:
    """The classes that a field may hold, by name: those of its annotation, else all parts of the kind that it holds now."""
    from .catalogue import kin, parts

    named = named_in(hint) or [part for kind in kinds_in(hint) for part in parts(kind).values()]
    named = named or (kin(type(current)) if is_part(current) else [])
    return {kind.__name__: kind for kind in named}


# Checking and listing -----------------------------------------------------------------------------------------------


def check(description: Any, key: str) -> None:
    """Ask every part inside for its own check, innermost first, and name the dotted key where one fails."""
    for name, value in _inside(description):
        check(value, f"{key}.{name}")
    own = getattr(description, "check", None)
    if own is None or inspect.signature(own).parameters:
        return
    try:
        own()
    except ParameterError as problem:
        raise DescriptionError(f"{key}.{problem.field}", str(problem).partition(": ")[2]) from None


def _inside(description: Any) -> Iterator[tuple[str, Any]]:
    """What a part or a table of parts has in it by name."""
    if is_part(description):
        yield from zip(description._fields, description, strict=True)
    elif isinstance(description, dict):
        yield from description.items()


def path_of(description: Any, part: str) -> str:
    """The dotted path to the first part of a class, by the name of the class; "" where there is none."""
    for name, value in _inside(description):
        if type(value).__name__ == part:
            return name
        if below := path_of(value, part):
            return f"{name}.{below}"
    return ""


def check_public(description: Any, key: str) -> None:
    """Raise the named error of a part that a description cannot name: it is neither one of hebbscope nor one of a file of its own."""
    from .catalogue import kind_of, parts
    from .own import is_own, name_of

    for name, value in _inside(description):
        kind, name_there = kind_of(type(value)), name_of(type(value))
        if kind and parts(kind).get(name_there) is not type(value) and not is_own(name_there):
            words = f"is a part that no file has by its name, got {name_there}"
            raise DescriptionError(f"{key}.{name}", words)
        check_public(value, f"{key}.{name}")


def items(description: Any, key: str, one_of_several: bool = False) -> Iterator[Item]:
    """One Item per field, depth first, the type of a part (and of a table that is `one_of_several`) first; meanings are read from the
    tables in the docstrings."""
    from .catalogue import kind_of
    from .own import name_of

    cls = type(description)
    if kind_of(cls) or one_of_several:
        yield Item(f"{key}.type", name_of(cls), "", summary(cls), source(cls))
    hints = get_type_hints(cls, include_extras=True)
    for field in fields(description):
        several = is_part(field.value) and len(choices_for(field.value, hints[field.name])) > 1
        item = Item(f"{key}.{field.name}", field.value, field.unit, field.meaning, source(cls))
        yield from entries(item, one_of_several=several)


def entries(field: Item, one_of_several: bool = False) -> Iterator[Item]:
    """A field as it is, or where it holds a part, or others by name, what is in it."""
    if is_part(field.value):
        yield from items(field.value, field.key, one_of_several)
    elif isinstance(field.value, dict):
        for name, value in field.value.items():
            yield from entries(field._replace(key=f"{field.key}.{name}", value=value))
    else:
        yield field
