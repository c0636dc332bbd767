"""Descriptions as TOML: `experiment = "kempter1999"` and its tables, read with line numbers in the errors, written to be edited."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from ...simulator.protocols import HebbscopeError
from ...simulator.quantity import write_quantity
from .catalogue import experiment_class, known
from .description import DescriptionError, leaves, nested
from .experiment import Experiment


def load(target: str, settings: Sequence[tuple[str, Any]] = ()) -> Experiment:
    """An experiment by its name or from a TOML file, with dotted keys set on top.

    A target that ends in `.toml` or has a folder in it is a file. Errors are one line: DescriptionError, for files with line and key.
    """
    if not (target.endswith(".toml") or "/" in target or Path(target).is_file()):
        return experiment_class(target).with_settings(settings)
    try:
        text = Path(target).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise HebbscopeError(f"{target}: {getattr(problem, 'strerror', None) or 'is not UTF-8 text'}") from None
    return loads(text, target, settings)


def loads(text: str, origin: str = "TOML", settings: Sequence[tuple[str, Any]] = ()) -> Experiment:
    """The experiment of a TOML text; the settings win over it. `origin` is what errors call it."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        words = " ".join(str(problem).split())
        line = re.search(r"line (\d+)", words)
        raise HebbscopeError(f"{origin}: {_key_on(text, int(line[1])) if line else ''}{words}") from None
    except ValueError:
        raise HebbscopeError(f"{origin}: holds a number that is too long") from None
    except RecursionError:
        raise HebbscopeError(f"{origin}: holds lists or tables that are nested too deeply") from None
    name = tables.get("experiment")
    if not isinstance(name, str):
        raise HebbscopeError(f'{origin}: needs a line such as experiment = "kempter1999"{known()}')
    try:
        given = nested([(key, value) for key, value in leaves(tables) if key != "experiment"])
        kind = experiment_class(name)
        described = kind(**given)
    except DescriptionError as problem:
        line_number = line_of(problem.key, text)
        raise HebbscopeError(f"{origin}{f' line {line_number}' if line_number else ''}: {problem}") from None
    return kind.changed(given, settings) if settings else described


# Lines --------------------------------------------------------------------------------------------------------------

_HEADER = re.compile(r"^\s*\[{1,2}\s*([^\[\]]+?)\s*\]")
_WORD = r"""(?:[\w\-]+|"[^"]*"|'[^']*')"""
_KEY = re.compile(rf"^\s*((?:{_WORD}\s*\.\s*)*{_WORD})\s*=")


def line_of(key: str, text: str) -> int:
    """The line (from 1) that sets a dotted key, or the one that comes nearest to it from above; 0 where none does."""
    best, found = 0, 0
    for number, full in _keys(text):
        if (key == full or key.startswith(full + ".") or f"{key}.type" == full) and len(full) > best:
            best, found = len(full), number
    return found


def _keys(text: str) -> list[tuple[int, str]]:
    listed, table = [], ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _plain(header[1])
            listed.append((number, table))
        elif key := _KEY.match(line):
            listed.append((number, f"{table}.{_plain(key[1])}" if table else _plain(key[1])))
    return listed


def _plain(key: str) -> str:
    return ".".join(word.strip().strip("\"'") for word in key.split("."))


def _key_on(text: str, number: int) -> str:
    """ "KEY: " for the key that a line sets, or "" where it sets none."""
    return next((f"{key}: " for line, key in _keys(text) if line == number), "")


# Writing ------------------------------------------------------------------------------------------------------------


def to_toml(experiment: Experiment, comments: bool = False) -> str:
    """The whole description as TOML that `load` reads back to the same description; with what each key means, if asked."""
    listed = experiment.items()
    tables = nested((item.key, _writable(item.value, item.unit)) for item in listed)
    text = tomli_w.dumps({"experiment": experiment.name} | tables)
    if not comments:
        return text
    meaning = {item.key: item.meaning for item in listed}
    at = {number: meaning.get(key, "") for number, key in _keys(text)}
    lines = [f"{line}  # {at[n]}" if at.get(n) else line for n, line in enumerate(text.splitlines(), 1)]
    return "\n".join([f"# {experiment.title}", f"# {experiment.source}", "", *lines, ""])


def _writable(value: Any, unit: str) -> Any:
    if value is None:
        return "none"
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, float):
        return write_quantity(value, unit)
    return value if isinstance(value, (int, str, list)) else str(value)
