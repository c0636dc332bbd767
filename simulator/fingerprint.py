"""Hashes of what values hold, by which a description is known again."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

LARGE = 10_000  # numbers in an array: from which on it may well be computed, as exactly as a machine does
AT_ONCE = 1_000_000  # of these that are in double precision at one time
SAME = 1e-9  # spread over mean: below, all numbers are one, but for their last digits


def all_bits(array: np.ndarray) -> bytes:
    """An array as it is."""
    return array.tobytes()


def called(kind: type) -> str:
    """What a class is called."""
    return kind.__qualname__


@cache
def called_and_written(kind: type) -> str:
    """What a class is called, and how it and those that it is made from are written as far as they are the user's own, of whom the name does not say what they are.

    That is the text of these classes alone, as their file has it now, without what they call; of a class without a file it is the name.
    """
    ours = (__name__.partition(".")[0], "builtins", "typing")
    own = [each for each in kind.__mro__ if each.__module__.partition(".")[0] not in ours]
    return " ".join([called(kind), *map(_text, own)])


def _text(kind: type) -> str:
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError, SyntaxError):
        return ""


class Counting(NamedTuple):
    """What counts of an array, and of a class."""

    array: Callable[[np.ndarray], bytes] = all_bits
    kind: Callable[[type], str] = called


def fingerprint(*values: Any, by: Counting = Counting()) -> str:
    """A hash of what values hold, by what counts: parts and descriptions field by field."""
    digest = hashlib.sha256()
    for value in values:
        _add(digest, value, by)
    return digest.hexdigest()


def _add(digest: Any, value: Any, by: Counting) -> None:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        digest.update(f"{value.dtype}{value.shape}".encode() + by.array(np.ascontiguousarray(value)))
    elif dataclasses.is_dataclass(value):
        held = (type(value).__qualname__, *(getattr(value, field.name) for field in dataclasses.fields(value)))
        _add(digest, held, by)
    elif isinstance(value, dict):
        _add(digest, tuple(value.items()), by)
    elif isinstance(value, tuple | list):
        digest.update(f"{by.kind(type(value))}({len(value)}".encode())
        for item in value:
            _add(digest, item, by)
    else:
        digest.update(f"{type(value).__qualname__} {value!r};".encode())


def about(array: np.ndarray) -> bytes:
    """All of a small array; of a large one of numbers what it is like to three digits, which last digits leave as it is: mean, spread, how neighbours go together,
    and the first waves that run through it, once up and down to four times, which know its order. Others that are alike in all of these are not told apart."""
    if array.size < LARGE or array.dtype.kind != "f":
        return array.tobytes()
    flat, n = array.reshape(-1), array.size
    parts = [slice(first, first + AT_ONCE) for first in range(0, n, AT_ONCE)]
    mean = sum(float(flat[part].sum(dtype=float)) for part in parts) / n
    sd = math.sqrt(sum(float(np.sum((flat[part].astype(float) - mean) ** 2)) for part in parts) / n)
    if not np.isfinite(sd):
        return array.tobytes()
    if sd <= max(SAME, 10.0 * float(np.finfo(array.dtype).eps)) * abs(mean):
        return f"{mean:.6e}".encode()
    shape = np.zeros(5)
    for part in parts:
        standard = (flat[part].astype(float) - mean) / sd
        turn = np.pi * (np.arange(part.start, part.start + len(standard)) + 0.5) / n
        waves = [float(standard @ np.cos(k * turn)) / math.sqrt(n) for k in range(1, 5)]
        shape += [float(standard[1:] @ standard[:-1]) / n, *waves]
    return " ".join([f"{sd:.3e}", f"{mean / sd:.3f}", *(f"{each:.3f}" for each in shape)]).encode()


def hashes_of(network: Any) -> dict[str, str]:
    """A hash of each population and projection of a network, by what it is and its name; the same wherever its arrays were computed."""
    by = Counting(about, called_and_written)
    found = {f"population {each.name}": fingerprint(each, by=by) for each in network.populations}
    return found | {f"projection {each.name}": fingerprint(each, by=by) for each in network.projections}
