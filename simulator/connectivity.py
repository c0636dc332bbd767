"""Who is joined to whom: the wirings that a projection may have.

A connectivity has check(source, target), which names what does not fit two populations, and edges(generator, source, target) -> (pre, post), the two ends
of each synapse, in any order, no pair twice. Where it draws, it has a field `seed` of its own: the graph belongs to the description of a network
and is the same whatever the seed of a run. `self_connections` matters only where a population projects onto itself.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .protocols import non_negative, part, positive, require, within

Edges = tuple[np.ndarray, np.ndarray]


def _check_choice(part: Any, *fields: str) -> None:
    for field in fields:
        require(getattr(part, field) in (0, 1), part, field, "must be 0 or 1")


def _spares_self(part: Any, source: Any, target: Any) -> bool:
    return source is target and not part.self_connections


def _check_degree(part: Any, cells: int, ends: str) -> None:
    require(part.n <= cells, part, "n", f"must be at most {cells}, the {ends} that there are")


@part
class AllToAll(NamedTuple):
    """Every cell is joined to every cell.

    self_connections  1  0: but not to itself
    """

    self_connections: int = 1

    def check(self, source, target):
        _check_choice(self, "self_connections")

    def edges(self, generator, source, target) -> Edges:
        pre, post = np.divmod(np.arange(source.n * target.n), target.n)
        if not _spares_self(self, source, target):
            return pre, post
        return pre[pre != post], post[pre != post]


@part
class OneToOne(NamedTuple):
    """Cell k is joined to cell shift + k, counted round.

    shift  0  of the target; the populations are of one size
    """

    shift: int = 0

    def check(self, source, target):
        require(
            source.n == target.n,
            self,
            "shift",
            f"must be between populations of one size, not {source.n} and {target.n}",
        )

    def edges(self, generator, source, target) -> Edges:
        cells = np.arange(source.n)
        return cells, (cells + self.shift) % target.n


def _choose(generator: np.random.Generator, n_rows: int, n: int, n_from: int, spares_self: bool) -> np.ndarray:
    """(n_rows, n): n different cells for each row, all choices equally likely, where wanted without the row's own number."""
    chosen = np.empty((n_rows, n), np.int64)
    for row in range(n_rows):
        chosen[row] = generator.choice(n_from - spares_self, n, replace=False, shuffle=False)
    return chosen + (spares_self & (chosen >= np.arange(n_rows)[:, None]))


@part
class FixedInDegree(NamedTuple):
    """Every target has n different sources, drawn anew for each.

    n                 10  synapses onto each target
    self_connections  1   0: no cell is joined to itself
    seed              0   of the draw
    """

    n: int = 10
    self_connections: int = 1
    seed: int = 0

    def check(self, source, target):
        positive(self, "n")
        _check_choice(self, "self_connections")
        non_negative(self, "seed")
        _check_degree(self, source.n - _spares_self(self, source, target), "sources")

    def edges(self, generator, source, target) -> Edges:
        pre = _choose(generator, target.n, self.n, source.n, _spares_self(self, source, target))
        return pre.ravel(), np.repeat(np.arange(target.n), self.n)


@part
class FixedOutDegree(NamedTuple):
    """Every source has n different targets, drawn anew for each.

    n                 10  synapses of each source
    self_connections  1   0: no cell is joined to itself
    seed              0   of the draw
    """

    n: int = 10
    self_connections: int = 1
    seed: int = 0

    def check(self, source, target):
        positive(self, "n")
        _check_choice(self, "self_connections")
        non_negative(self, "seed")
        _check_degree(self, target.n - _spares_self(self, source, target), "targets")

    def edges(self, generator, source, target) -> Edges:
        post = _choose(generator, source.n, self.n, target.n, _spares_self(self, source, target))
        return np.repeat(np.arange(source.n), self.n), post.ravel()


def _successes(generator: np.random.Generator, n: int, probability: float) -> np.ndarray:
    """Which of n independent trials succeed, from the gaps between them: as much memory as there are successes."""
    if probability == 0.0:
        return np.empty(0, np.int64)
    found, last = [], -1
    while last < n:
        room = int(1.1 * probability * (n - last) + 100)
        found.append(last + np.cumsum(np.minimum(generator.geometric(probability, room), n + 1)))
        last = int(found[-1][-1])
    every = np.concatenate(found)
    return every[every < n]


@part
class Pairwise(NamedTuple):
    """Each pair is joined with one probability, independently of all others.

    probability       0.1  in [0, 1]
    self_connections  1    0: no cell is joined to itself
    seed              0    of the draw
    """

    probability: float = 0.1
    self_connections: int = 1
    seed: int = 0

    def check(self, source, target):
        within(self, "probability", 0.0, 1.0)
        _check_choice(self, "self_connections")
        non_negative(self, "seed")

    def edges(self, generator, source, target) -> Edges:
        spares_self = _spares_self(self, source, target)
        n_each = target.n - spares_self
        pre, post = np.divmod(_successes(generator, source.n * n_each, self.probability), max(n_each, 1))
        return pre, post + (spares_self & (post >= pre))


def _space(population: Any) -> tuple[int, ...]:
    """The sizes of a population along its line, or its rows and columns; channels lie over one another."""
    return (population.shape or (population.n,))[-2:]


@part
class GaussianArbor(NamedTuple):
    """Cells that are close are joined: with probability * exp(-d^2 / (2 width^2)), or n sources onto each target, drawn with these weights.

    Cells are on a line, or in rows and columns, by the shape of their population (channels of one place are at no distance). A target lies over the
    sources as its own sheet, stretched to theirs, does.

    width             5  standard deviation, in distances of neighbouring sources
    probability       1  of a pair at no distance, in [0, 1]; of no meaning with an n
    n                 0  synapses onto each target; 0: as many as the probability gives
    periodic          1  1: sheets close to rings and tori; 0: they have ends
    self_connections  1  0: no cell is joined to itself
    seed              0  of the draw

    Source: Gaussian arbors as in Linsker, PNAS 83:7508 (1986) [recalled].
    """

    width: float = 5.0
    probability: float = 1.0
    n: int = 0
    periodic: int = 1
    self_connections: int = 1
    seed: int = 0

    def check(self, source, target):
        positive(self, "width")
        within(self, "probability", 0.0, 1.0)
        non_negative(self, "n", "seed")
        _check_choice(self, "periodic", "self_connections")
        _check_degree(self, source.n - _spares_self(self, source, target), "sources")
        dimensions = len(_space(source)), len(_space(target))
        rule = "must be between populations that are both lines or both sheets, by their shapes"
        require(dimensions[0] == dimensions[1], self, "width", rule)

    def edges(self, generator, source, target) -> Edges:
        spares_self = _spares_self(self, source, target)
        pre = []
        for i in range(target.n):
            closeness = self._log_closeness(i, _space(source), _space(target))
            closeness = np.tile(closeness, source.n // len(closeness))
            if spares_self:
                closeness[i] = -math.inf
            if self.n:  # the largest of these sums are n draws without replacement (Gumbel's trick)
                lots = closeness + generator.gumbel(size=source.n)
                pre.append(np.argpartition(lots, source.n - self.n)[source.n - self.n :])
            else:
                pre.append(np.flatnonzero(generator.random(source.n) < self.probability * np.exp(closeness)))
        return np.concatenate(pre), np.repeat(np.arange(target.n), [len(sources) for sources in pre])

    def _log_closeness(self, i: int, sources: tuple[int, ...], targets: tuple[int, ...]) -> np.ndarray:
        """-d^2 / (2 width^2) of the i-th target from every place of a source."""
        place = np.unravel_index(i % math.prod(targets), targets)
        total = np.zeros(1)
        for k, n_sources, n_targets in zip(place, sources, targets, strict=True):
            d = np.abs(np.arange(n_sources) - ((k + 0.5) * n_sources / n_targets - 0.5))
            if self.periodic:
                d = np.minimum(d, n_sources - d)
            total = np.add.outer(total, -0.5 * (d / self.width) ** 2).ravel()
        return total


@part
class Given(NamedTuple):
    """These synapses, in the order of their sources and, of one source, of their targets.

    pre   -  source of each synapse
    post  -  its target
    """

    pre: np.ndarray
    post: np.ndarray

    def check(self, source, target):
        for field, n in (("pre", source.n), ("post", target.n)):
            ends = np.asarray(getattr(self, field))
            require(ends.ndim == 1 and ends.dtype.kind in "iu", self, field, "must be a list of whole numbers")
            require((ends >= 0) & (ends < n), self, field, f"must be in [0, {n - 1}]")
        require(len(self.pre) == len(self.post), self, "post", f"must be {len(self.pre)} numbers, as pre")
        ahead = (np.diff(self.pre) > 0) | ((np.diff(self.pre) == 0) & (np.diff(self.post) > 0))
        require(
            ahead, self, "pre", "must rise, and post where pre stays, no pair twice (numpy.lexsort((post, pre)) sorts)"
        )

    def edges(self, generator, source, target) -> Edges:
        return self.pre, self.post
