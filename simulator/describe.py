"""Parts in words: their fields with units and meanings, read from the class's annotations and from the table in its docstring."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from html import escape
from typing import Any, NamedTuple, get_type_hints

import numpy as np

from .protocols import is_part, unit_in
from .quantity import write_quantity


class Field(NamedTuple):
    """One field of a part: name, value, SI unit ("" where there is none), meaning."""

    name: str
    value: Any
    unit: str
    meaning: str


def _lines(cls: type) -> list[str]:
    return (inspect.getdoc(cls) or "").splitlines()


def summary(cls: type) -> str:
    """The first line of the docstring, up to its first colon."""
    return (_lines(cls) or [""])[0].split(": ")[0]


def source(cls: type) -> str:
    """What the docstring names as the source."""
    return next((line.partition(":")[2].strip() for line in _lines(cls) if line.startswith("Source:")), "")


def fields(description: Any) -> Iterator[Field]:
    """The fields of a NamedTuple, inner ones not taken apart."""
    cls = type(description)
    hints, lines = get_type_hints(cls, include_extras=True), _lines(cls)
    for name, value in zip(description._fields, description, strict=True):
        yield Field(name, value, unit_in(hints[name]), _meaning(lines, name))


def _meaning(lines: list[str], name: str) -> str:
    """What a docstring's table says of a field: name, default, meaning, in columns two spaces or more apart."""
    for line in lines:
        columns = [column.strip() for column in line.split("  ") if column.strip()]
        for k, column in enumerate(columns):
            after = columns[k + 1 : k + 3]
            explained = len(after) == 2 or (after and after[0][0].isalpha())
            words = column.replace(",", "").split()[:4:2]  # "w_min 0, w_max inf" names two
            if explained and (column == name or (k == 0 and name in words)):
                return after[-1]
    return ""


def shown(value: Any, unit: str = "") -> str:
    """A value as one reads it: "20 ms", "25", "60000 x 512 numbers"."""
    if isinstance(value, np.ndarray):
        return " x ".join(map(str, value.shape)) + " numbers" + (f" [{unit}]" if unit else "")
    if isinstance(value, (float, np.floating)):
        text = write_quantity(float(value), unit)
        return text if isinstance(text, str) else f"{value:g} {unit}".rstrip()
    return "none" if value is None else str(value)


def brief(part: Any) -> str:
    """A part in one line: its class and values."""
    if not is_part(part):
        return shown(part)
    values = (f"{f.name}={brief(f.value) if is_part(f.value) else shown(f.value, f.unit)}" for f in fields(part))
    return f"{type(part).__name__}({', '.join(values)})"


def _rows(part: Any, depth: int = 0) -> Iterator[tuple[int, str, str, str]]:
    """depth, name, value and meaning of every field, those of inner parts below them."""
    for field in fields(part):
        if is_part(field.value):
            yield depth, field.name, type(field.value).__name__, summary(type(field.value))
            yield from _rows(field.value, depth + 1)
        else:
            yield depth, field.name, shown(field.value, field.unit), field.meaning


def readable(part: Any) -> str:
    """A part as a table: what it is, then name, value and meaning of each field."""
    rows = [("  " * (depth + 1) + name, value, meaning) for depth, name, value, meaning in _rows(part)]
    names, values = (max((len(row[k]) for row in rows), default=0) for k in (0, 1))
    lines = [f"{name:<{names}}  {value:<{values}}  {meaning}".rstrip() for name, value, meaning in rows]
    return "\n".join([f"{type(part).__name__}: {summary(type(part))}", *lines])


def readable_html(part: Any) -> str:
    """The same table for a notebook."""
    rows = "".join(
        f"<tr><td style='text-align:left;padding-left:{depth + 0.5:g}em'>{escape(name)}</td><td>{escape(value)}</td>"
        f"<td style='text-align:left'>{escape(meaning)}</td></tr>"
        for depth, name, value, meaning in _rows(part)
    )
    return f"<p><b>{type(part).__name__}</b>: {escape(summary(type(part)))}</p><table>{rows}</table>"


def size(n_bytes: float) -> str:
    """ "13 MB"."""
    power = min(int(math.log10(max(n_bytes, 1.0)) // 3), 4)
    return f"{n_bytes / 1000.0**power:.3g} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"


def spans(numbers: Iterable[int]) -> str:
    """ "1:4,9": numbers that follow each other by their ends."""
    pieces: list[list[int]] = []
    for number in numbers:
        if pieces and number == pieces[-1][-1] + 1:
            pieces[-1][1:] = [number]
        else:
            pieces.append([number])
    return ",".join(":".join(map(str, piece)) for piece in pieces)


def nearest(word: str, words: Iterable[str]) -> str:
    """ "; did you mean ...?", or nothing where no word comes near."""
    close = get_close_matches(word, list(words), n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""
