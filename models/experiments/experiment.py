"""The base of the experiments: a published protocol as a nested, validated description that becomes a Network."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from html import escape
from math import inf
from textwrap import shorten
from typing import Any, ClassVar, Literal, NamedTuple, Self, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from ...simulator.describe import shown
from ...simulator.network import Network
from ...simulator.protocols import LEVELS, Seconds, unit_in
from .description import (
    DescriptionError,
    Item,
    check,
    choices_for,
    entries,
    leaves,
    merged,
    nested,
    read_field,
    unknown,
)
from .plan import Levels, Seeds

MOST_RECORDS = 10_000_000
MEANINGS = {  # of the keys that every experiment has, or several
    "duration": "biological time",
    "record_every": "time between two records of the weights",
    "engine": "event: exact, for one layer of Poisson neurons; clock: in steps, for any network; auto: exact where it can be",
    "dt": "step of the clock-driven engine",
    "levels": "which are run, one after the other",
    "seeds": "which are run, beside each other",
    "smoothing": "over which a rule of rates sees spikes as a rate, where there are spikes",
}


class Expected(NamedTuple):
    """A number that the experiment must give: where it appears, its value, the relative tolerance, and where it is from."""

    key: str
    value: float
    tolerance: float
    source: str


class Experiment(BaseModel):
    """A published experiment. A subclass has one field per part of its description and builds the Network from them.

    Fields are NamedTuples (parts, or tables of the experiment's own) and plain values; every field has a default. They are given as objects
    in Python, and as nested tables, text with units ("20 ms") and class names in TOML and on the command line; all of it is
    checked before anything is built. Errors are DescriptionErrors with the dotted key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    inputs_kept: ClassVar[float] = 5.0  # s at the end whose input spikes the run file has: enough for a raster
    outputs_kept: ClassVar[float] = inf  # s at the end whose spikes of neurons it has
    expected: ClassVar[tuple[Expected, ...]] = ()
    meanings: ClassVar[dict[str, str]] = {}  # of further keys that no part's docstring explains

    duration: Seconds
    record_every: Seconds
    engine: Literal["auto", "event", "clock"] = "auto"
    dt: Seconds = 1e-4
    levels: Levels = Levels(LEVELS)
    seeds: Seeds = Seeds((1,))

    def __init__(self, **fields: Any):
        try:
            super().__init__(**fields)
        except ValidationError as problem:
            first = problem.errors()[0]
            cause = first.get("ctx", {}).get("error")
            if isinstance(cause, DescriptionError):
                raise cause from None
            key = ".".join(map(str, first["loc"]))
            raise DescriptionError(key, first["msg"].replace("Input should be", "must be")) from None

    @model_validator(mode="before")
    @classmethod
    def _read(cls, given: dict[str, Any]) -> dict[str, Any]:
        hints = get_type_hints(cls, include_extras=True)
        values = {}
        for name, value in given.items():
            if name not in cls.model_fields:
                below, _ = leaves({name: value})[0]
                raise unknown(below, [*cls.model_fields, *cls.default_keys()])
            values[name] = read_field(cls.model_fields[name].default, hints[name], value, name)
        return values

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("duration", "record_every", "dt"):
            if not 0 < getattr(self, name) < float("inf"):
                raise DescriptionError(name, f"must be finite and > 0 s, got {getattr(self, name):g}")
        if self.duration / self.record_every > MOST_RECORDS:
            raise DescriptionError("record_every", f"makes more than {MOST_RECORDS:,} records of {self.duration:g} s")
        for name in type(self).model_fields:
            check(getattr(self, name), name)
        return self

    @abstractmethod
    def network(self) -> Network:
        """The network that this description stands for."""

    @classmethod
    def usual_levels(cls) -> Levels:
        """Those of the experiment, whichever are asked for."""
        return cls.model_fields["levels"].default

    def how(self) -> dict[str, Any]:
        """Arguments of `simulate` that the description gives beside its network: how it runs, and what is sampled."""
        return {"engine": self.engine, "dt": self.dt}

    def arrays(self) -> dict[str, dict[str, tuple[tuple[str, ...], Any]]]:
        """What the run file keeps beside the runs: group -> name -> (names of the axes, array)."""
        return {}

    def anywhere(self) -> Self:
        """The same from any folder: with the whole paths of the files that it names."""
        named = {name: getattr(self, name) for name in type(self).model_fields}
        whole = {name: value.anywhere() for name, value in named.items() if hasattr(value, "anywhere")}
        return self.model_copy(update=whole)

    @classmethod
    def default_keys(cls) -> list[str]:
        """The dotted keys of the description with its defaults."""
        return [item.key for item in cls().items()]

    @classmethod
    def with_settings(cls, settings: Iterable[tuple[str, Any]]) -> Self:
        """The experiment with dotted keys set, in any order; unknown keys are errors with the nearest known one."""
        return cls.changed(nested((item.key, item.value) for item in cls().items()), settings)

    @classmethod
    def changed(cls, tables: dict[str, Any], settings: Iterable[tuple[str, Any]]) -> Self:
        """The experiment of nested tables, with dotted keys set on top."""
        return cls(**merged(tables, nested(settings)))

    def items(self) -> list[Item]:
        """The description, flattened: one Item per dotted key, parts announced by `KEY.type`."""
        hints = get_type_hints(type(self), include_extras=True)
        listed: list[Item] = []
        for name in type(self).model_fields:
            value = getattr(self, name)
            several = len(choices_for(value, hints[name])) > 1
            listed += entries(Item(name, value, unit_in(hints[name])), one_of_several=several)
        meanings = MEANINGS | self.meanings
        return [item._replace(meaning=meanings.get(item.key, item.meaning)) for item in listed]

    def __repr__(self) -> str:
        """The description as `hebbscope show` prints it."""
        listed = self.items()
        values = [shown(item.value, item.unit) for item in listed]
        width, room = max(len(item.key) for item in listed), max(map(len, values))
        lines = [f"{self.name}: {self.title}", f"  {self.source}", ""]
        for item, value in zip(listed, values, strict=True):
            lines.append(f"  {item.key:<{width}}  {value:<{room}}  {shorten(item.meaning, 90)}".rstrip())
        sources = {item.key.rpartition(".")[0]: item.source for item in listed if item.source}
        lines += ["", "Sources", *(f"  {key}: {source}" for key, source in sources.items())]
        for origin in dict.fromkeys(number.source for number in self.expected):
            lines += ["", f"Expected ({origin})"]
            lines += [
                f"  {e.key} = {e.value:.5g} to {100 * e.tolerance:g} %" for e in self.expected if e.source == origin
            ]
        return "\n".join(lines)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"
