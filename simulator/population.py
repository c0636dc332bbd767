"""Cells of one model."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from .cast import cast
from .describe import brief
from .protocols import ParameterError, is_part, receptors_of, require_hooks
from .streams import generator

FASTEST = 1e5  # Hz; no cell fires a tenth as fast


def _is_count(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and int(value) >= 0


def check_name(kind: str, name: Any) -> None:
    """Raise the named error of what has a name that files and the command line could not say."""
    if not isinstance(name, str) or not name or not name.replace("-", "_").isidentifier():
        raise ParameterError(
            kind, "name", "must be a word of letters, digits, - and _, not starting with a digit", name
        )


class Described:
    """Shows itself as its own lines of text, in a notebook as preformatted text."""

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


@dataclass(frozen=True, repr=False, eq=False)
class Population(Described):
    """n cells of one model.

    name    a word
    n       how many, >= 1
    model   an input or a neuron part
    groups  the name of each cell's group: a dict {name: size} in order, or a sequence of n names; by default what the model says
    shape   of the cells in space, whose product is n, for receptive fields: (channels, rows, columns) with channels ON and OFF
    initial {variable: value}: where the state of neurons starts in the clock-driven engine, of the variables that the model lets be monitored, in
            their units: a number, (n,) numbers, or a part with draw(generator, n); by default as the model says
    background  {receptor: part}: what bombards each neuron from outside the network, in the clock-driven engine
    """

    name: str
    n: int
    model: Any
    groups: Any = None
    shape: tuple[int, ...] | None = None
    initial: Mapping[str, Any] | None = None
    background: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        check_name("Population", self.name)
        if not _is_count(self.n) or self.n < 1:
            raise ParameterError(f"Population {self.name}", "n", "must be a whole number >= 1", self.n)
        is_model = any(hasattr(self.model, hook) for hook in ("candidate_rate", "bound", "stepper"))
        if not (is_model and hasattr(self.model, "check")):
            raise ParameterError(f"Population {self.name}", "model", "must be an input or neuron part", self.model)
        object.__setattr__(self, "model", cast(self.model))
        if self.is_input:
            require_hooks(self.model, "input")
            self.model.check(self.n)
            self._check_rates()
        else:
            if hasattr(self.model, "bound"):
                require_hooks(self.model, "neuron")
            self.model.check()
        object.__setattr__(self, "groups", self._named_groups())
        if self.shape is not None:
            sizes = np.atleast_1d(np.asarray(self.shape, dtype=object)).tolist()
            if not all(_is_count(size) for size in sizes) or math.prod(sizes) != self.n:
                raise ParameterError(
                    f"Population {self.name}",
                    "shape",
                    f"must be whole numbers with a product of n = {self.n}",
                    self.shape,
                )
            object.__setattr__(self, "shape", tuple(int(size) for size in sizes))
        self._check_initial()
        self._check_background()

    def _check_initial(self) -> None:
        def refuse(rule: str, value: Any) -> NoReturn:
            raise ParameterError(f"Population {self.name}", "initial", rule, value)

        if not isinstance(self.initial or {}, Mapping):
            refuse("must be {variable: value}", self.initial)
        there, found = getattr(self.model, "monitored", ()), {}
        for name, value in (self.initial or {}).items():
            if name not in there:
                kind = type(self.model).__name__
                refuse(f"must name variables of {kind} ({', '.join(there) or 'it has none'})", name)
            if hasattr(value, "draw"):
                value.check()
                found[name] = cast(value)
                continue
            try:
                numbers = np.array(value, dtype=float)
            except (TypeError, ValueError):
                refuse(f"must be a number, {self.n} numbers or a part with draw for {name}", value)
            if numbers.shape not in ((), (self.n,)) or not np.all(np.isfinite(numbers)):
                refuse(f"must be finite, a number or {self.n} numbers for {name}", value)
            found[name] = numbers if numbers.ndim else float(numbers)
        object.__setattr__(self, "initial", found)

    def _check_background(self) -> None:
        def refuse(rule: str, value: Any) -> NoReturn:
            raise ParameterError(f"Population {self.name}", "background", rule, value)

        if not isinstance(self.background or {}, Mapping):
            refuse("must be {receptor: part}", self.background)
        there, found = () if self.is_input else receptors_of(self.model), {}
        for receptor, given in (self.background or {}).items():
            if receptor not in there:
                kind = type(self.model).__name__
                refuse(f"must name receptors of {kind} ({', '.join(there) or 'it has none'})", receptor)
            if not (is_part(given) or isinstance(given, type)):
                refuse(f"must be a background part for {receptor}", given)
            require_hooks(given, "background")
            found[receptor] = cast(given)
            found[receptor].check()
        object.__setattr__(self, "background", found)

    def start(self, seed: int) -> dict[str, np.ndarray]:
        """Variable -> (n,) values at the start of a run, of the variables in `initial`."""
        values = {
            name: value.draw(generator(seed, f"initial/{self.name}/{name}"), self.n)
            if hasattr(value, "draw")
            else value
            for name, value in (self.initial or {}).items()
        }
        return {name: np.broadcast_to(np.asarray(value, dtype=float), self.n) for name, value in values.items()}

    def _check_rates(self) -> None:
        """An input beyond all rates would keep a loop busy for ever between two looks at the clock."""
        with np.errstate(over="ignore"):
            rates = self.model.mean_rates(self.n) if hasattr(self.model, "mean_rates") else 0.0
        fastest = float(np.max(rates, initial=0.0))
        if not fastest <= FASTEST:
            raise ParameterError(
                f"Population {self.name}", "model", f"must fire at no more than {FASTEST:g} Hz a cell", fastest
            )

    def _named_groups(self) -> tuple[str, ...]:
        if self.groups is None:
            names: Sequence[str] = self.model.groups(self.n) if self.is_input else [self.name] * self.n
        elif isinstance(self.groups, dict):
            if not all(_is_count(size) for size in self.groups.values()):
                raise ParameterError(
                    f"Population {self.name}", "groups", "must give whole numbers >= 0 as sizes", self.groups
                )
            names = [str(name) for name, size in self.groups.items() for _ in range(size)]
        elif isinstance(self.groups, Iterable) and not isinstance(self.groups, str):
            names = [str(name) for name in self.groups]
        else:
            raise ParameterError(
                f"Population {self.name}", "groups", "must be {name: size} or a sequence of names", self.groups
            )
        if len(names) != self.n:
            raise ParameterError(
                f"Population {self.name}", "groups", f"must name n = {self.n} cells", f"{len(names)} names"
            )
        return tuple(names)

    @property
    def is_input(self) -> bool:
        """Whether the model is an input: it says its candidate rate rather than taking deliveries."""
        return hasattr(self.model, "candidate_rate")

    def __repr__(self) -> str:
        sizes = {name: self.groups.count(name) for name in dict.fromkeys(self.groups)}
        groups = "" if len(sizes) < 2 else "  (" + ", ".join(f"{size} {name}" for name, size in sizes.items()) + ")"
        line = f"{self.name}: {self.n} x {brief(self.model)}{groups}"
        return "\n".join([line, *(f"  {port} background {brief(each)}" for port, each in self.background.items())])
