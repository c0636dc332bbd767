"""Which seeds an experiment runs, and at which levels: read from text or a list, written as text."""

from __future__ import annotations

from typing import Any, Self

from ...simulator.describe import spans
from ...simulator.protocols import LEVELS
from ...simulator.streams import LARGEST_SEED
from .description import DescriptionError, told

MOST_SEEDS = 100_000


class Seeds(tuple[int, ...]):
    """Whole numbers, none twice; in text "1:16" (both ends included), "1,2,3", "7", and mixtures."""

    @classmethod
    def read(cls, given: Any, key: str) -> Self:
        """DescriptionError with the key for anything else, and for none."""
        seeds = [seed for piece in _pieces(given, key) for seed in _span(piece, key)]
        if len(set(seeds)) < len(seeds):
            raise DescriptionError(key, f"must name no seed twice, got {told(given)}")
        return cls(seeds)

    def __str__(self) -> str:
        return spans(self)


class Levels(tuple[str, ...]):
    """Levels, none twice; in text "spike,rate"."""

    @classmethod
    def read(cls, given: Any, key: str) -> Self:
        """DescriptionError with the key for anything else, and for none."""
        levels = _pieces(given, key)
        if not set(levels) <= set(LEVELS):
            raise DescriptionError(key, f"must be any of {', '.join(LEVELS)}, got {told(given)}")
        if len(set(levels)) < len(levels):
            raise DescriptionError(key, f"must name no level twice, got {told(given)}")
        return cls(levels)

    def __str__(self) -> str:
        return ",".join(self)


def _pieces(given: Any, key: str) -> list[str]:
    """Of a text with commas, perhaps in brackets, or of a list."""
    listed = given if isinstance(given, (list, tuple)) else [given]
    if not listed:
        raise DescriptionError(key, "must name at least one, got []")
    texts = [each if isinstance(each, str) else told(each) for each in listed]
    return [piece.strip(" []'\"") for text in texts for piece in text.split(",")]


def _span(text: str, key: str) -> range:
    first, colon, last = text.partition(":")
    try:
        start = int(first)
        stop = int(last) if colon else start
    except ValueError:
        raise DescriptionError(key, f"must be whole numbers or START:STOP, with commas, got {told(text)}") from None
    if not 0 <= start <= stop <= LARGEST_SEED:
        raise DescriptionError(key, f"must rise from 0 or more to at most {LARGEST_SEED}, got {told(text)}")
    if stop - start >= MOST_SEEDS:
        raise DescriptionError(key, f"must be at most {MOST_SEEDS} seeds, got {told(text)}")
    return range(start, stop + 1)
