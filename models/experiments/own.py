"""Parts of one's own in a description: `path/to/file.py:MyRule` names a class of a file, which is run to get it.

This is the only text of a user's that is ever run, and only where the user names its file.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from .description import DescriptionError

MARK = ".py:"


def is_own(name: Any) -> bool:
    """Whether a type is named as a class of a file."""
    return isinstance(name, str) and MARK in name


def own_part(name: str, key: str) -> type:
    """The class that `path/to/file.py:MyRule` names; DescriptionError in one line where there is none, or the file cannot be run."""
    path, _, cls = name.rpartition(":")
    try:
        file = Path(path).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        raise DescriptionError(key, f"{path} is not the name of a file") from None
    module = _module(file, key)
    found: Any = getattr(module, cls, None)
    if not _is_part_class(found):
        there = [
            name
            for name, value in vars(module).items()
            if _is_part_class(value) and value.__module__ == module.__name__
        ]
        raise DescriptionError(key, f"{file} has no part {cls!r}; there are {', '.join(there) or 'none'}")
    return found


def _is_part_class(value: Any) -> bool:
    return isinstance(value, type) and hasattr(value, "_fields")


def _module(file: Path, key: str) -> ModuleType:
    """The module of a file, run once for every text that it has had."""
    try:
        text = file.read_bytes()
    except (OSError, ValueError) as problem:
        raise DescriptionError(key, f"{file}: {getattr(problem, 'strerror', None) or 'cannot be read'}") from None
    name = f"{file.stem}_{hashlib.sha256(bytes(file) + text).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise DescriptionError(key, f"{file}: is not a file of Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # annotations are looked up there
    try:
        spec.loader.exec_module(module)
    except Exception as problem:
        del sys.modules[name]
        raise DescriptionError(key, f"{file}{_line(problem, file)}: {_words(problem)}") from None
    return module


def _line(problem: Exception, file: Path) -> str:
    """Where in the file it went wrong."""
    if isinstance(problem, SyntaxError) and problem.lineno:
        return f" line {problem.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == str(file)]
    return f" line {lines[-1]}" if lines else ""


def _words(problem: Exception) -> str:
    said = problem.msg if isinstance(problem, SyntaxError) else " ".join(str(problem).split())
    return f"{type(problem).__name__}{': ' if said else ''}{said}"


def name_of(cls: type) -> str:
    """What a description calls a part's class: its name, and for one's own the file that it is in, too."""
    from .catalogue import kind_of, parts

    if parts(kind_of(cls)).get(cls.__name__) is cls or not kind_of(cls):
        return cls.__name__
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if cls.__module__ == "__main__" or not file or getattr(sys.modules[cls.__module__], cls.__name__, None) is not cls:
        return cls.__name__
    return f"{Path(file).resolve()}:{cls.__name__}"
