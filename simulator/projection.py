"""The synapses from one population onto another: who is joined to whom, how strongly, how late, and what changes it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

import numpy as np

from .cast import cast
from .connectivity import AllToAll, Given
from .describe import brief, nearest, shown
from .plain import Direct, Free, Static
from .population import Described, Population, check_name
from .protocols import (
    SMOOTHING,
    ParameterError,
    bounds_of,
    is_part,
    is_rate_rule,
    receptors_of,
    require,
    require_hooks,
    sees_potentials,
)
from .quantity import from_brian, read_quantity
from .smoothed import of_spikes
from .streams import generator
from .synapses import n_bytes

LEAST_SMOOTHING = 1e-5  # s: rules of rates look at rates several times in it
PARTS = ("rule", "connectivity", "normalisation", "transmission")


class Wiring(NamedTuple):
    """pre (n_synapses,), post (n_synapses,): source and target of each synapse, sorted by source, then target."""

    pre: np.ndarray
    post: np.ndarray


@dataclass(frozen=True, repr=False, eq=False)
class Projection(Described):
    """Synapses from one population onto another, or onto itself.

    weights          initial: a number, (n_pre,), (n_post, n_pre), or a part with draw(generator, n_post, n_pre); where not all are joined to all:
                     a number, (n_synapses,) in the order of the wiring, or a part with draw(generator, n_synapses); or a scipy sparse matrix
                     (n_post, n_pre), whose entries are the synapses
    rule             what changes them
    normalisation    what holds their norm at set times, as far as the rule's bounds allow (optional)
    transmission     how a spike becomes potential (default: it delivers its weight)
    connectivity     who is joined to whom
    delay            [s] from a spike of the source to the synapse: a number, or (n_synapses,) in the order of the wiring
    dendritic_delay  [s] from the synapse to the target, and of the target's spikes back to the synapse: likewise
    receptor         of the target, which says what an arriving weight does
    smoothing        [s] over which a rule of rates sees spikes as a rate, where there are spikes
    name             default: source_to_target
    """

    source: Population
    target: Population
    weights: Any = 0.0
    rule: Any = None
    normalisation: Any = Free()
    transmission: Any = Direct()
    connectivity: Any = AllToAll()
    delay: Any = 0.0
    dendritic_delay: Any = 0.0
    receptor: str = "excitatory"
    smoothing: Any = SMOOTHING
    name: str = ""

    def __post_init__(self):
        for end in ("source", "target"):
            if not isinstance(getattr(self, end), Population):
                raise ParameterError("Projection", end, "must be a Population", getattr(self, end))
        self._set("name", self.name or f"{self.source.name}_to_{self.target.name}")
        check_name("Projection", self.name)
        if self.target.is_input:
            self._refuse("target", "must be neurons: an input takes no deliveries", self.target.name)
        self._take_apart_sparse_weights()
        self._check_parts()
        if self.n_synapses == 0:
            self._refuse("connectivity", "must join at least one pair", brief(self.connectivity))
        for field in ("delay", "dendritic_delay"):
            self._set(field, self._delays(field))
        self._set("smoothing", self._smoothing())
        self._check_potential()
        self._check_receptor()
        self._check_given_weights()

    def _set(self, field: str, value: Any) -> None:
        object.__setattr__(self, field, value)

    def _refuse(self, field: str, rule: str, value: Any) -> NoReturn:
        raise ParameterError(f"Projection {self.name}", field, rule, value)

    # Checks ---------------------------------------------------------------------------------------------------------

    def _check_parts(self) -> None:
        if self.rule is None:
            self._set("rule", Static())
        if not hasattr(self.rule, "on_pre") and not is_rate_rule(self.rule):
            self._refuse("rule", "must be a learning rule with on_pre and on_post, or with on_rates", self.rule)
        for field in PARTS:
            part = getattr(self, field)
            if not (is_part(part) or isinstance(part, type)):
                self._refuse(field, f"must be a {field} part", part)
            require_hooks(part, "rate rule" if is_rate_rule(part) else field)
            self._set(field, cast(getattr(self, field)))
        self.rule.check()
        self.normalisation.check()
        last = max(getattr(self.normalisation, "groups", ()), default=0)
        require(
            last < self.source.n, self.normalisation, "groups", f"must be below {self.source.n}, the number of sources"
        )
        self.transmission.check(self.source.n)
        self.connectivity.check(self.source, self.target)
        if not self.is_dense and self.reads_others:
            rule = "must deliver each weight by itself where not all are joined to all"
            self._refuse("transmission", rule, self.transmission)

    def _take_apart_sparse_weights(self) -> None:
        """The entries of a sparse matrix are synapses, those that are zero as well."""
        if not hasattr(self.weights, "tocsc"):
            return
        shape = (self.target.n, self.source.n)
        if self.weights.shape != shape:
            self._refuse("weights", f"must be {shape[0]} x {shape[1]}", self.weights.shape)
        if not self.is_dense:
            self._refuse(
                "connectivity", "must be left out where the entries of sparse weights say it", self.connectivity
            )
        matrix = self.weights.tocsc(copy=True)
        matrix.sum_duplicates()
        matrix.sort_indices()
        pre = np.repeat(np.arange(self.source.n), np.diff(matrix.indptr))
        self._set("connectivity", Given(pre, matrix.indices.astype(np.int64)))
        self._set("weights", matrix.data)

    def _delays(self, field: str) -> float | np.ndarray:
        given = getattr(self, field)
        try:
            delays = np.array(from_brian(given, "s") if hasattr(given, "dim") else given, dtype=float)
        except (TypeError, ValueError):
            self._refuse(field, "must be a number in s, or one for each synapse", given)
        if delays.shape not in ((), (self.n_synapses,)):
            self._refuse(field, f"must be a number, or {self.n_synapses} numbers", delays)
        if not np.all(np.isfinite(delays) & (delays >= 0.0)):
            wrong = delays[~(np.isfinite(delays) & (delays >= 0.0))]
            self._refuse(field, "must be finite and >= 0 s", float(wrong.flat[0]))
        return delays if delays.ndim else float(delays)

    def _smoothing(self) -> float:
        try:
            seconds = read_quantity(self.smoothing, "s")
        except ValueError as problem:
            self._refuse("smoothing", str(problem), self.smoothing)
        if not LEAST_SMOOTHING <= seconds < np.inf:
            self._refuse("smoothing", f"must be finite and >= {shown(LEAST_SMOOTHING, 's')}", seconds)
        return seconds

    def _check_potential(self) -> None:
        """A rule that sees the potential of the target at its synapses has one to see there."""
        if not sees_potentials(self.rule):
            return
        model = self.target.model
        if "v" not in getattr(model, "monitored", ()):
            self._refuse("rule", f"must see no potential onto {type(model).__name__}, which has none", self.rule)
        if np.any(self.dendritic_delay):
            kind, longest = type(self.rule).__name__, float(np.max(self.dendritic_delay))
            self._refuse("dendritic_delay", f"must be 0 for {kind}, which sees the potential of the target", longest)

    def _check_receptor(self) -> None:
        """A receptor that there is; onto neurons that tell excitation from inhibition nothing negative arrives."""
        model = self.target.model
        there = receptors_of(model)
        if self.receptor not in there:
            rule = f"must be {' or '.join(there)}{nearest(str(self.receptor), there) if len(there) > 1 else ''}"
            self._refuse("receptor", rule, self.receptor)
        if not self.keeps_sign:
            return
        low, _ = bounds_of(self.rule)
        kind = type(model).__name__
        if low < 0.0 and not isinstance(self.rule, Static):
            self._refuse("rule", f"must have w_min >= 0 onto {kind}, whose receptors say the sign", float(low))
        if np.min(self.transmission.effective(np.eye(1, self.source.n))) < 0.0:
            rule = f"must deliver nothing negative onto {kind}, whose receptors say the sign"
            self._refuse("transmission", rule, self.transmission)

    def _check_given_weights(self) -> None:
        if hasattr(self.weights, "draw"):
            if is_part(self.weights):
                self._set("weights", cast(self.weights))
            if hasattr(self.weights, "check"):
                self.weights.check()
            self._check_draw()
            return
        try:
            w = np.array(from_brian(self.weights, "") if hasattr(self.weights, "dim") else self.weights, float)
        except (TypeError, ValueError):
            rule = "must be numbers or a part with draw(generator, n_post, n_pre)"
            self._refuse("weights", rule, self.weights)
        self._check_weights(w)
        self._set("weights", w if w.ndim else float(w))

    def _check_draw(self) -> None:
        try:
            inspect.signature(self.weights.draw).bind(None, *self._shape)
        except TypeError:
            sizes = "n_post, n_pre" if self.is_dense else "n_synapses"
            self._refuse("weights", f"must have a method draw(generator, {sizes})", self.weights)

    def _check_weights(self, w: np.ndarray) -> None:
        n_post, n_pre, n = self.target.n, self.source.n, self.n_synapses
        if self.is_dense and w.shape not in ((), (n_pre,), (n_post, n_pre)):
            self._refuse("weights", f"must be a number, {n_pre} numbers, or {n_post} x {n_pre}", w)
        if not self.is_dense and w.shape not in ((), (n,)):
            self._refuse("weights", f"must be a number, or {n} numbers, one for each synapse", w)
        if not np.all(np.isfinite(w)):
            self._refuse("weights", "must be finite", w if w.ndim else float(w))
        low, high = bounds_of(self.rule)
        for farthest in (float(w.min()), float(w.max())):
            if not low <= farthest <= high:
                self._refuse("weights", f"must start within [w_min, w_max] = [{low:g}, {high:g}]", farthest)
        if self.keeps_sign and w.min() < 0.0:
            kind = type(self.target.model).__name__
            self._refuse("weights", f"must be >= 0 onto {kind}, whose receptors say the sign", float(w.min()))

    # What it is -----------------------------------------------------------------------------------------------------

    @property
    def is_dense(self) -> bool:
        """Whether all are joined to all, without exception."""
        everybody = isinstance(self.connectivity, AllToAll)
        return everybody and (self.source is not self.target or bool(self.connectivity.self_connections))

    @property
    def learner(self) -> Any:
        """What learns where there are spikes: the rule, or where that is one of rates, what shows it smoothed spikes."""
        return of_spikes(self.rule, self.smoothing)

    @property
    def reads_others(self) -> bool:
        """Whether what is delivered to a synapse is of other weights, too. A weight that is no number shows wherever it is read, times 0 as well."""
        n = self.source.n
        for j in {0, n // 2, n - 1}:
            here = np.arange(n)[None] == j
            unknown = (np.where(each, np.nan, 0.0) for each in (here, ~here))
            of_one, of_others = (np.asarray(self.transmission.effective(each)) for each in unknown)
            if of_one.shape != (1, n):
                self._refuse("transmission", f"must make {n} weights of {n} in `effective`", self.transmission)
            if np.any(np.isnan(of_one) & ~here) or np.any(np.isnan(of_others) & here):
                return True
        return False

    @property
    def keeps_sign(self) -> bool:
        """Whether weights stay >= 0 because the target's receptors say what they do; in exact Poisson neurons weights have a sign."""
        return not hasattr(self.target.model, "bound")

    @cached_property
    def wiring(self) -> Wiring:
        """The two ends of each synapse, the same for all seeds of a run."""
        draws = generator(getattr(self.connectivity, "seed", 0), f"connectivity/{self.name}")
        ends = self.connectivity.edges(draws, self.source, self.target)
        pre, post = (np.asarray(each, dtype=np.int64) for each in ends)
        if pre.shape != post.shape:
            self._refuse("connectivity", "must join as many sources as targets", self.connectivity)
        populations = zip((pre, post), (self.source.n, self.target.n), strict=True)
        outside = [np.any((each < 0) | (each >= n)) for each, n in populations]
        pairs = np.sort(pre * self.target.n + post)  # one number for each is sorted far sooner than two
        if any(outside) or np.any(np.diff(pairs) == 0):
            self._refuse("connectivity", "must join cells of the two populations, no pair twice", self.connectivity)
        return Wiring(*np.divmod(pairs, self.target.n))

    @property
    def n_synapses(self) -> int:
        return self.source.n * self.target.n if self.is_dense else len(self.wiring.pre)

    @property
    def n_bytes(self) -> int:
        """About what the synapses take in memory: values, what a rule keeps of each, and indices."""
        return n_bytes(self.n_synapses, self.source.n, self.target.n, self.is_dense, self.rule, self.normalisation)

    # Initial weights ------------------------------------------------------------------------------------------------

    @property
    def _shape(self) -> tuple[int, ...]:
        return (self.target.n, self.source.n) if self.is_dense else (self.n_synapses,)

    def _start(self, seed: int) -> np.ndarray:
        """The shape that weights are drawn in: (n_post, n_pre), or (n_synapses,) where not all are joined to all."""
        if not hasattr(self.weights, "draw"):
            return np.broadcast_to(np.asarray(self.weights, float), self._shape).copy()
        w = np.array(self.weights.draw(generator(seed, f"weights/{self.name}"), *self._shape), dtype=float)
        if w.shape != self._shape:
            self._refuse("weights", f"must be drawn as {' x '.join(map(str, self._shape))}", w)
        self._check_weights(w)
        return w

    def initial_weights(self, seed: int) -> np.ndarray:
        """(n_post, n_pre), the same at every level for one seed; 0 where there is no synapse."""
        start = self._start(seed)
        if self.is_dense:
            return start
        matrix = np.zeros((self.target.n, self.source.n))
        matrix[self.wiring.post, self.wiring.pre] = start
        return matrix

    def initial_values(self, seed: int) -> np.ndarray:
        """(n_synapses,): the same weights in the order of the wiring."""
        return self._start(seed).T.ravel()

    def __repr__(self) -> str:
        start = "given" if np.ndim(self.weights) and not hasattr(self.weights, "draw") else brief(self.weights)
        named = "" if self.name == f"{self.source.name}_to_{self.target.name}" else f"{self.name}: "
        lines = [f"{named}{self.source.name} -> {self.target.name}: weights {start}"]
        if not self.is_dense:
            lines.append(f"  {self.n_synapses:,} synapses, {brief(self.connectivity)}")
        lines.append(f"  {brief(self.rule)}")
        named_none = {Direct: Direct(), Free: Free()}
        lines += [
            f"  {brief(each)}" for each in (self.transmission, self.normalisation) if named_none.get(type(each)) != each
        ]
        for field, unit in (("delay", "s"), ("dendritic_delay", "s"), ("receptor", ""), ("smoothing", "s")):
            value = getattr(self, field)
            if np.ndim(value) or value != getattr(Projection, field):  # the default
                lines.append(f"  {field} {shown(value, unit)}")
        return "\n".join(lines)
