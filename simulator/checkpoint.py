"""Checkpoints: all that a run needs to go on exactly, in a file beside its run file.

A zip archive of arrays, which keeps a checksum of each, and of one JSON text that says what they belong to. It is written beside the last one and
takes its name when it is whole, so that there always is one to go on from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from .protocols import HebbscopeError, first_line

ABOUT = "about"  # the member that holds the JSON text
MEMBERS = "arrays"  # what it calls the list of the others
EVERY = 10.0  # s on the clock between checkpoints, or more where they take long


class Checkpoint(NamedTuple):
    """about: what was run, by whom, and how far; arrays: path -> the state there."""

    about: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def below(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays whose path begins so, by the rest of it."""
        return {path.removeprefix(prefix): a for path, a in self.arrays.items() if path.startswith(prefix)}


class Keeper:
    """Says when the next checkpoint is due: often, but not so often that writing them takes more than a fiftieth of the time."""

    def __init__(self) -> None:
        self.last, self.cost = perf_counter(), 0.0

    def due(self) -> bool:
        return perf_counter() - self.last > max(EVERY, 50.0 * self.cost)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around the writing of one."""
        began = perf_counter()
        yield
        self.last = perf_counter()
        self.cost = self.last - began


def itself(path: str | Path) -> Path:
    """The file that is meant where a link is named: it has one lock and one checkpoint, whatever it is called."""
    path = Path(path)
    return path.resolve() if path.is_symlink() else path


def beside(path: str | Path) -> Path:
    """Where the checkpoint of a run file is."""
    return _named(itself(path), ".checkpoint")


def remove(path: str | Path) -> None:
    """Take the checkpoint of a run file away, and what a kill left of its successor, or of a run file that was to take the name of this one."""
    for file in (beside(path), unfinished(beside(path)), unfinished(itself(path))):
        file.unlink(missing_ok=True)


def unfinished(path: Path) -> Path:
    """Where a checkpoint, or a run file, is written before it takes its name."""
    return _named(path, ".new")


def _named(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def arrays_of(state: Any, path: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, np.ndarray]]:
    """All arrays of a state, however its tuples are nested, by their path; each once, though several may share it."""
    seen = set() if seen is None else seen
    for name, value in zip(getattr(state, "_fields", map(str, range(len(state)))), state, strict=True):
        if isinstance(value, np.ndarray) and id(value) not in seen:
            seen.add(id(value))
            yield path + name, value
        elif isinstance(value, tuple):
            yield from arrays_of(value, f"{path}{name}/", seen)


def put_back(state: Any, arrays: dict[str, np.ndarray]) -> None:
    """Fill the arrays of a state with those of a checkpoint, in place; HebbscopeError where they do not fit."""
    own = dict(arrays_of(state))
    for path in sorted(own.keys() ^ arrays.keys()):
        raise HebbscopeError(f"checkpoint: {path} is in {'the state' if path in own else 'the checkpoint'} alone")
    for path, target in own.items():
        found = arrays[path]
        if (found.shape, found.dtype) != (target.shape, target.dtype):
            raise HebbscopeError(
                f"checkpoint: {path} must be {target.dtype} {target.shape}, got {found.dtype} {found.shape}"
            )
    for path, target in own.items():
        target[...] = arrays[path]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _list_of(kind: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(kind, value))


def _dict_of(kind: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(map(kind, value.values()))


# What the JSON text says: what is run, by which versions, what of it is over, and how much of the level at hand (none: "") is in the run file.
SAYS: dict[str, Callable[[Any], bool]] = {
    "config": _is_text,
    "levels": _list_of(_is_text),
    "seeds": _list_of(_is_count),
    "created": _is_text,
    "versions": _dict_of(_is_text),
    "done": _list_of(_is_text),
    "level": _is_text,
    "records": _is_count,
    "spikes": _dict_of(_is_count),
}
SAYS_OF_LEVEL = {"sources": _is_text, "what": _is_text, "sizes": _list_of(_is_count)}


def _check(about: Any) -> None:
    """ValueError for a text that says something else, or less."""
    rules = SAYS | (SAYS_OF_LEVEL if isinstance(about, dict) and about.get("level") else {})
    for name, fits in rules.items():
        if not isinstance(about, dict) or not fits(about.get(name)):
            raise ValueError(f"{ABOUT}.{name} is missing or of another kind")
    begun = about["done"] + [about["level"]] * bool(about["level"])
    unheard = not about["level"] and about["records"] > 0
    unsown = begun and not about["seeds"]
    if unheard or unsown or not set(begun) <= set(about["levels"]) or len(set(begun)) < len(begun):
        raise ValueError(f"{ABOUT} does not fit itself")


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write it whole, then give it its name; HebbscopeError, the last one untouched, where that cannot be done."""
    new = unfinished(path)
    words = json.dumps(checkpoint.about | {MEMBERS: sorted(checkpoint.arrays)})
    text = np.frombuffer(words.encode(), np.uint8)
    members: dict[str, Any] = {ABOUT: text, **checkpoint.arrays}
    try:
        with new.open("wb") as file:
            np.savez(file, **members)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise HebbscopeError(f"{path}: cannot be written ({(error.strerror or str(error)).lower()})") from None


def load(path: Path) -> Checkpoint:
    """Read one; HebbscopeError in one line for a file that is missing, foreign or damaged."""
    if not path.is_file():
        raise HebbscopeError(f"{path}: there is no such checkpoint")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        about = json.loads(arrays.pop(ABOUT).tobytes().decode())
        if sorted(arrays) != about.pop(MEMBERS):  # their names have no checksum
            raise ValueError("arrays are missing or have other names")
        # numpy gives the bytes of what it does not know
        if not all(isinstance(each, np.ndarray) for each in arrays.values()):
            raise ValueError("what should be an array is none")
        _check(about)
        return Checkpoint(about, arrays)
    except PermissionError:
        raise HebbscopeError(f"{path}: may not be read") from None
    except Exception as error:  # numpy and zipfile raise what they meet: zlib.error, TokenError, RuntimeError, ...
        raise HebbscopeError(f"{path}: damaged, or no checkpoint ({first_line(error)})") from None
