"""The description of a network: frozen, validated, and worth printing."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import numpy as np

from .cast import cast
from .describe import brief
from .protocols import HebbscopeError, ParameterError, Seconds, bounds_of, finite, part, require, require_hooks
from .quantity import from_brian
from .streams import generator

FASTEST = 1e5  # Hz; no cell fires a tenth as fast


def _fail(where: str, field: str, rule: str, value: Any) -> NoReturn:
    raise ParameterError(where, field, rule, value)


def _is_count(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and int(value) >= 0


def _check_name(kind: str, name: Any) -> None:
    if not isinstance(name, str) or not name or not name.replace("-", "_").isidentifier():
        _fail(kind, "name", "must be a word of letters, digits, - and _, not starting with a digit", name)


@part
class Direct(NamedTuple):
    """The transmission of a projection that names none: a spike delivers scale * w_ij."""

    scale: float = 1.0

    def check(self, n_pre):
        finite(self, "scale")

    def amount(self, w, j, n):
        return self.scale * w.value[w.out(j, n)]

    def effective(self, weights):
        """The matrix that multiplies the input rates, from weights (..., n_pre)."""
        return self.scale * weights


@part
class Free(NamedTuple):
    """The normalisation of a projection that names none: its time never comes."""

    every: Seconds = math.inf

    def check(self):
        require(self.every == math.inf, self, "every", "must be infinite")

    def normalise(self, w, i):
        pass


class _Described:
    """Shows itself as its own lines of text, in a notebook as preformatted text."""

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


@dataclass(frozen=True, repr=False, eq=False)
class Population(_Described):
    """n cells of one model.

    name    a word
    n       how many, >= 1
    model   an input or a neuron part
    groups  the name of each cell's group: a dict {name: size} in order, or a sequence of n names; by default what the model says
    shape   of the cells in space, whose product is n, for receptive fields: (channels, rows, columns) with channels ON and OFF
    """

    name: str
    n: int
    model: Any
    groups: Any = None
    shape: tuple[int, ...] | None = None

    def __post_init__(self):
        _check_name("Population", self.name)
        if not _is_count(self.n) or self.n < 1:
            _fail(f"Population {self.name}", "n", "must be a whole number >= 1", self.n)
        if not hasattr(self.model, "check"):
            _fail(f"Population {self.name}", "model", "must be an input or neuron part", self.model)
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
                _fail(
                    f"Population {self.name}",
                    "shape",
                    f"must be whole numbers with a product of n = {self.n}",
                    self.shape,
                )
            object.__setattr__(self, "shape", tuple(int(size) for size in sizes))

    def _check_rates(self) -> None:
        """An input beyond all rates would keep a loop busy for ever between two looks at the clock."""
        with np.errstate(over="ignore"):
            rates = self.model.mean_rates(self.n) if hasattr(self.model, "mean_rates") else 0.0
        fastest = float(np.max(rates, initial=0.0))
        if not fastest <= FASTEST:
            _fail(f"Population {self.name}", "model", f"must fire at no more than {FASTEST:g} Hz a cell", fastest)

    def _named_groups(self) -> tuple[str, ...]:
        if self.groups is None:
            names: Sequence[str] = self.model.groups(self.n) if self.is_input else [self.name] * self.n
        elif isinstance(self.groups, dict):
            if not all(_is_count(size) for size in self.groups.values()):
                _fail(f"Population {self.name}", "groups", "must give whole numbers >= 0 as sizes", self.groups)
            names = [str(name) for name, size in self.groups.items() for _ in range(size)]
        elif isinstance(self.groups, Iterable) and not isinstance(self.groups, str):
            names = [str(name) for name in self.groups]
        else:
            _fail(f"Population {self.name}", "groups", "must be {name: size} or a sequence of names", self.groups)
        if len(names) != self.n:
            _fail(f"Population {self.name}", "groups", f"must name n = {self.n} cells", f"{len(names)} names")
        return tuple(names)

    @property
    def is_input(self) -> bool:
        """Whether the model is an input: it says its candidate rate rather than taking deliveries."""
        return hasattr(self.model, "candidate_rate")

    def __repr__(self) -> str:
        sizes = {name: self.groups.count(name) for name in dict.fromkeys(self.groups)}
        groups = "" if len(sizes) < 2 else "  (" + ", ".join(f"{size} {name}" for name, size in sizes.items()) + ")"
        return f"{self.name}: {self.n} x {brief(self.model)}{groups}"


@dataclass(frozen=True, repr=False, eq=False)
class Projection(_Described):
    """All-to-all synapses from one population to another.

    weights        initial: a number, (n_pre,), (n_post, n_pre), or a part with draw(generator, n_post, n_pre)
    rule           what changes them
    normalisation  what holds their norm at set times, as far as the rule's bounds allow (optional)
    transmission   how a spike becomes potential (default: it delivers its weight)
    """

    source: Population
    target: Population
    weights: Any = 0.0
    rule: Any = None
    normalisation: Any = Free()
    transmission: Any = Direct()

    def __post_init__(self):
        for end in ("source", "target"):
            if not isinstance(getattr(self, end), Population):
                _fail("Projection", end, "must be a Population", getattr(self, end))
        where = f"Projection {self.name}"
        if not hasattr(self.rule, "on_pre"):
            _fail(where, "rule", "must be a learning rule with on_pre and on_post", self.rule)
        for name in ("rule", "normalisation", "transmission"):
            require_hooks(getattr(self, name), name)
            object.__setattr__(self, name, cast(getattr(self, name)))
        self.rule.check()
        self.normalisation.check()
        self.transmission.check(self.source.n)
        if not hasattr(self.weights, "draw"):
            try:
                w = np.asarray(from_brian(self.weights, "") if hasattr(self.weights, "dim") else self.weights, float)
            except (TypeError, ValueError):
                _fail(where, "weights", "must be numbers or a part with draw(generator, n_post, n_pre)", self.weights)
            self._check_weights(w)

    def _check_weights(self, w: np.ndarray) -> None:
        where, n_post, n_pre = f"Projection {self.name}", self.target.n, self.source.n
        if w.shape not in ((), (n_pre,), (n_post, n_pre)):
            _fail(where, "weights", f"must be a number, {n_pre} numbers, or {n_post} x {n_pre}", w)
        if not np.all(np.isfinite(w)):
            _fail(where, "weights", "must be finite", w if w.ndim else float(w))
        low, high = bounds_of(self.rule)
        for farthest in (w.min(), w.max()):
            if not low <= farthest <= high:
                _fail(where, "weights", f"must start within [w_min, w_max] = [{low:g}, {high:g}]", float(farthest))

    @property
    def name(self) -> str:
        return f"{self.source.name}_to_{self.target.name}"

    def initial_weights(self, seed: int) -> np.ndarray:
        """(n_post, n_pre), the same at every level for one seed."""
        shape = (self.target.n, self.source.n)
        if not hasattr(self.weights, "draw"):
            return np.broadcast_to(np.asarray(self.weights, float), shape).copy()
        w = np.array(self.weights.draw(generator(seed, f"weights/{self.name}"), *shape), dtype=float)
        if w.shape != shape:
            _fail(f"Projection {self.name}", "weights", f"must be drawn as {shape[0]} x {shape[1]}", w)
        self._check_weights(w)
        return w

    def __repr__(self) -> str:
        extra = [each for each in (self.transmission, self.normalisation) if each not in (Direct(), Free())]
        start = "given" if np.ndim(self.weights) and not hasattr(self.weights, "draw") else brief(self.weights)
        head = f"{self.source.name} -> {self.target.name}: weights {start}"
        return "\n".join([head, *(f"  {brief(each)}" for each in (self.rule, *extra))])


@dataclass(frozen=True, repr=False, eq=False)
class Network(_Described):
    """Populations and the projections between them."""

    populations: Sequence[Population]
    projections: Sequence[Projection]
    name: str = "network"

    def __post_init__(self):
        for field, kind in (("populations", Population), ("projections", Projection)):
            given = getattr(self, field)
            if not isinstance(given, Sequence) or not all(isinstance(item, kind) for item in given):
                _fail("Network", field, f"must be a list of {kind.__name__}s", given)
            object.__setattr__(self, field, tuple(given))
        _check_name("Network", self.name)
        names = [population.name for population in self.populations]
        for name in names:
            if names.count(name) > 1:
                _fail("Network", "populations", "must have different names", name)
        for projection in self.projections:
            for end in (projection.source, projection.target):
                if not any(end is population for population in self.populations):
                    _fail(
                        "Network",
                        "projections",
                        "must join populations of this network",
                        f"{projection.name} ({end.name})",
                    )
        if not self.projections:
            _fail("Network", "projections", "must be at least one", "none")

    def __repr__(self) -> str:
        parts = [f"  {line}" for item in (*self.populations, *self.projections) for line in repr(item).splitlines()]
        return "\n".join([f"Network {self.name}", *parts])

    @property
    def projection(self) -> Projection:
        """The one projection of a single feed-forward layer."""
        if len(self.projections) != 1 or len(self.populations) != 2:
            raise HebbscopeError(
                f"Network {self.name}: the exact engine runs one input population that projects to one population of neurons, "
                f"got {len(self.populations)} populations and {len(self.projections)} projections"
            )
        projection = self.projections[0]
        if not projection.source.is_input or not hasattr(projection.target.model, "bound"):
            raise HebbscopeError(
                f"Network {self.name}: the exact engine wants spikes from an input into Poisson neurons, "
                f"got {type(projection.source.model).__name__} into {type(projection.target.model).__name__}"
            )
        return projection

    @property
    def input(self) -> Population:
        return self.projection.source

    @property
    def neuron(self) -> Population:
        return self.projection.target
