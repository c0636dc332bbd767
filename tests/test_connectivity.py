"""Wirings: who is joined to whom, as each connectivity says it, counted by hand, against its probabilities, and in bounded memory."""

from __future__ import annotations

import math
import tracemalloc
from typing import NamedTuple

import numpy as np
import pytest
import scipy.sparse

from hebbscope import Network, ParameterError, Population, Projection, simulate
from hebbscope.models import (
    AllToAll,
    FixedInDegree,
    FixedOutDegree,
    GaussianArbor,
    Given,
    HomogeneousPoisson,
    LinearPoisson,
    OneToOne,
    Pairwise,
    PushPull,
)
from hebbscope.rules import L1, Free, PairSTDP, SpikeHebb, Triplet
from hebbscope.simulator.describe import brief
from hebbscope.simulator.synapses import sparse_synapses

EVERY = [
    AllToAll(self_connections=0),
    OneToOne(shift=3),
    FixedInDegree(n=4),
    FixedInDegree(n=11, self_connections=0),
    FixedOutDegree(n=5),
    FixedOutDegree(n=11, self_connections=0),
    Pairwise(probability=0.3),
    Pairwise(probability=1.0, self_connections=0),
    GaussianArbor(width=1.5),
    GaussianArbor(width=1.5, n=3, self_connections=0, periodic=0),
    Given(np.array([0, 0, 4, 11]), np.array([1, 2, 0, 11])),
]


def cells(n: int = 12, name: str = "cells", **options) -> Population:
    return Population(name, n, LinearPoisson(), **options)


def recurrent(connectivity, n: int = 12, **options) -> Projection:
    population = cells(n)
    return Projection(population, population, 0.1, connectivity=connectivity, **options)


def matrix(projection: Projection) -> np.ndarray:
    """(n_post, n_pre): how many synapses there are of each pair."""
    counts = np.zeros((projection.target.n, projection.source.n), int)
    np.add.at(counts, (projection.wiring.post, projection.wiring.pre), 1)
    return counts


@pytest.mark.parametrize("connectivity", EVERY, ids=lambda part: type(part).__name__)
def test_a_wiring_is_sorted_joins_a_pair_once_and_stays_the_same(connectivity):
    first, again = recurrent(connectivity), recurrent(connectivity)
    keys = first.wiring.pre * 12 + first.wiring.post
    assert (np.diff(keys) > 0).all() and keys[0] >= 0 and keys[-1] < 144
    assert (first.wiring.pre == again.wiring.pre).all() and (first.wiring.post == again.wiring.post).all()
    assert first.n_synapses == len(first.wiring.pre) == len(first.wiring.post)
    if not getattr(connectivity, "self_connections", 1):
        assert not np.diag(matrix(first)).any()


@pytest.mark.parametrize("connectivity", [FixedInDegree(4), FixedOutDegree(4), Pairwise(0.3), GaussianArbor(2.0, n=4)])
def test_the_graph_has_a_seed_of_its_own_and_hangs_on_the_name(connectivity):
    first = matrix(recurrent(connectivity))
    assert (first != matrix(recurrent(connectivity._replace(seed=1)))).any()
    assert (first != matrix(recurrent(connectivity, name="other"))).any()


def test_degrees_are_what_they_are_fixed_to():
    assert (matrix(recurrent(FixedInDegree(4))).sum(axis=1) == 4).all()
    assert (matrix(recurrent(FixedOutDegree(4))).sum(axis=0) == 4).all()
    assert (matrix(recurrent(GaussianArbor(2.0, n=4))).sum(axis=1) == 4).all()
    everybody = 1 - np.eye(12, dtype=int)
    for part in (
        AllToAll(0),
        FixedInDegree(11, 0),
        FixedOutDegree(11, 0),
        Pairwise(1.0, 0),
        GaussianArbor(n=11, self_connections=0),
    ):
        assert (matrix(recurrent(part)) == everybody).all()
    assert (matrix(recurrent(OneToOne(shift=3))) == np.roll(np.eye(12, dtype=int), 3, axis=0)).all()


def test_self_connections_matter_only_within_a_population():
    for part in (AllToAll(0), FixedInDegree(12, 0), Pairwise(1.0, 0), GaussianArbor(n=12, self_connections=0)):
        projection = Projection(cells(), cells(name="others"), 0.1, connectivity=part)
        assert (matrix(projection) == 1).all()
    assert Projection(cells(), cells(name="others"), connectivity=AllToAll(0)).is_dense
    assert not recurrent(AllToAll(0)).is_dense and recurrent(AllToAll()).is_dense


# Against probabilities: all seeds are fixed, and each test names the standard error that it allows so many of ----------------


@pytest.mark.parametrize(
    ("part", "probability"),
    [(FixedInDegree(2, 0), 2 / 5), (FixedOutDegree(2, 0), 2 / 5), (FixedInDegree(2), 2 / 6), (Pairwise(0.4, 0), 0.4)],
    ids=brief,
)
def test_all_pairs_are_equally_likely(part, probability):
    """Over 600 graphs of six cells: a pair is there 600 p times, with a standard error of sqrt(600 p (1 - p)); 4 of them for 36 pairs."""
    counts = sum(matrix(recurrent(part._replace(seed=seed), n=6)) for seed in range(600))
    expected = np.full((6, 6), 600 * probability) * (1 if part.self_connections else 1 - np.eye(6))
    assert (np.abs(counts - expected) <= 4 * math.sqrt(600 * probability * (1 - probability)) * (expected > 0)).all()


def test_pairwise_degrees_are_binomial():
    """1000 x 800 cells at p = 0.02: in-degrees have mean 20 and variance 19.6; standard errors sqrt(19.6 / 800) and 19.6 sqrt(2 / 799)."""
    projection = Projection(cells(1000), cells(800, "others"), 0.1, connectivity=Pairwise(0.02, seed=5))
    degree = np.bincount(projection.wiring.post, minlength=800)
    assert abs(degree.mean() - 20.0) < 4 * math.sqrt(19.6 / 800)
    assert abs(degree.var(ddof=1) - 19.6) < 4 * 19.6 * math.sqrt(2 / 799)


def test_out_degrees_of_a_fixed_in_degree_are_binomial():
    """1000 sources, 800 targets with 25 of them: out-degrees have mean 20 exactly and variance 800 x 0.025 x 0.975 = 19.5, standard error
    19.5 sqrt(2 / 999)."""
    projection = Projection(cells(1000), cells(800, "others"), 0.1, connectivity=FixedInDegree(25, seed=5))
    degree = np.bincount(projection.wiring.pre, minlength=1000)
    assert degree.mean() == 20.0
    assert abs(degree.var(ddof=1) - 19.5) < 4 * 19.5 * math.sqrt(2 / 999)


def profile(projection: Projection, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distances that there are, how many pairs are at each, and how many of them are joined."""
    at, where = np.unique(np.round(distance, 9), return_inverse=True)
    where = where.reshape(distance.shape)
    return at, np.bincount(where.ravel()), np.bincount(where.ravel(), matrix(projection).ravel())


def ring_distance(n_post: int, n_pre: int, periodic: bool) -> np.ndarray:
    """(n_post, n_pre), by hand: the targets' line is stretched to that of the sources."""
    place = (np.arange(n_post)[:, None] + 0.5) * n_pre / n_post - 0.5
    d = np.abs(np.arange(n_pre) - place)
    return np.minimum(d, n_pre - d) if periodic else d


@pytest.mark.parametrize("periodic", [0, 1])
@pytest.mark.parametrize("n_post", [400, 200])
def test_an_arbor_thins_out_as_a_gaussian(n_post, periodic):
    """m pairs at distance d are joined m p times with p = 0.8 exp(-d^2 / 18), standard error sqrt(m p (1 - p)); 4 of them, and one pair."""
    part = GaussianArbor(width=3.0, probability=0.8, periodic=periodic, seed=2)
    projection = Projection(cells(400), cells(n_post, "others"), 0.1, connectivity=part)
    at, pairs, joined = profile(projection, ring_distance(n_post, 400, bool(periodic)))
    p = 0.8 * np.exp(-(at**2) / 18.0)
    assert (np.abs(joined - pairs * p) <= 4 * np.sqrt(pairs * p * (1 - p)) + 1).all()


def test_an_arbor_on_a_sheet_with_channels():
    """Two channels of 20 x 30 sources over a torus: the same law, and both channels alike (see above for the standard error)."""
    source, target = cells(1200, shape=(2, 20, 30)), cells(600, "others", shape=(20, 30))
    part = GaussianArbor(width=2.0, probability=0.9, seed=3)
    projection = Projection(source, target, 0.1, connectivity=part)
    rows, columns = ring_distance(20, 20, True), ring_distance(30, 30, True)
    squared = (rows[:, None, :, None] ** 2 + columns[None, :, None, :] ** 2).reshape(600, 600)
    at, pairs, joined = profile(projection, np.sqrt(np.tile(squared, 2)))
    p = 0.9 * np.exp(-(at**2) / 8.0)
    assert (np.abs(joined - pairs * p) <= 4 * np.sqrt(pairs * p * (1 - p)) + 1).all()
    on, off = np.hsplit(matrix(projection), 2)
    assert abs(on.sum() - off.sum()) < 4 * math.sqrt(on.sum() + off.sum())


def test_an_arbor_of_fixed_size_draws_its_sources_by_their_closeness():
    """One source for each of 40 cells on a ring, 500 graphs: 20,000 draws with p ~ exp(-d^2 / 8), standard error sqrt(m p (1 - p))."""
    part, distance = GaussianArbor(width=2.0, n=1), ring_distance(40, 40, True)
    p = np.exp(-(distance[0] ** 2) / 8.0)
    p /= p.sum()
    found = np.zeros(40)
    for seed in range(500):
        counts = matrix(recurrent(part._replace(seed=seed), n=40))
        found += sum(np.roll(counts[i], -i) for i in range(40))
    assert (np.abs(found - 20_000 * p) <= 4 * np.sqrt(20_000 * p * (1 - p)) + 1).all()


# Sparse matrices and memory -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_the_entries_of_a_sparse_matrix_are_the_synapses(form):
    full = np.random.default_rng(1).uniform(size=(7, 12)) * (np.random.default_rng(2).random((7, 12)) < 0.3)
    given = scipy.sparse.csr_array(full).asformat(form)
    projection = Projection(cells(), cells(7, "others"), given)
    assert (projection.initial_weights(1) == full).all() and projection.n_synapses == (full > 0).sum()
    pre, post = projection.wiring
    assert (projection.initial_values(1) == full[post, pre]).all()


def test_an_entry_that_is_zero_is_a_synapse_and_entries_of_one_pair_are_one():
    pairs = scipy.sparse.coo_array(([0.0, 0.25, 0.5], ([0, 1, 1], [2, 3, 3])), shape=(12, 12))
    projection = Projection(cells(), cells(name="others"), pairs)
    assert projection.wiring.pre.tolist() == [2, 3] and projection.initial_values(1).tolist() == [0.0, 0.75]


@pytest.mark.parametrize("part", [FixedInDegree(100), FixedOutDegree(100), Pairwise(0.01)], ids=brief)
def test_a_million_synapses_take_the_memory_of_a_million(part):
    """A matrix of 10,000 x 10,000 would take 100 MB as truth values and 800 MB as numbers."""
    source, target = Population("inputs", 10_000, HomogeneousPoisson()), cells(10_000)
    tracemalloc.start()
    try:
        projection = Projection(source, target, 0.1, connectivity=part)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert abs(projection.n_synapses - 1e6) < 5e3 and most < 90e6


@pytest.mark.parametrize(
    ("rule", "norm", "goes_back"),
    [
        (None, Free(), False),
        (PairSTDP(), Free(), False),
        (PairSTDP(), L1(), True),
        (SpikeHebb(w_min=0.0), Free(), True),
        (Triplet(), Free(), True),
    ],
    ids=["static", "deferred", "deferred with a norm", "window", "triplet"],
)
def test_the_way_back_is_there_for_rules_that_go_it_and_the_memory_is_said(rule, norm, goes_back):
    projection = recurrent(Pairwise(0.3), rule=rule, normalisation=norm)
    made = sparse_synapses(*projection.wiring, projection.initial_values(1), 12, 12, projection.rule, norm)
    assert projection.n_bytes == sum(array.nbytes for array in made if isinstance(array, np.ndarray))
    for i in range(12 if goes_back else 0):
        into = [int(made.into(i, n)) for n in range(made.n_in(i))]
        assert into == np.flatnonzero(projection.wiring.post == i).tolist()
        assert [int(made.pre(i, n)) for n in range(made.n_in(i))] == projection.wiring.pre[into].tolist()
    assert goes_back or not made.onto.size + made.found.size + made.source.size


# Errors -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("describe", "words"),
    [
        (lambda: recurrent(FixedInDegree(13)), r"^FixedInDegree\.n: must be at most 12, the sources that there are, got 13"),
        (lambda: recurrent(FixedInDegree(12, 0)), r"^FixedInDegree\.n: must be at most 11"),
        (lambda: recurrent(FixedInDegree(2.5)), r"^FixedInDegree\.n: must be a whole number"),
        (lambda: recurrent(FixedInDegree(0)), r"^FixedInDegree\.n: must be > 0"),
        (lambda: recurrent(FixedOutDegree(13)), r"^FixedOutDegree\.n: must be at most 12, the targets"),
        (lambda: recurrent(GaussianArbor(n=13)), r"^GaussianArbor\.n: must be at most 12"),
        (lambda: recurrent(GaussianArbor(width=0)), r"^GaussianArbor\.width: must be > 0"),
        (lambda: recurrent(GaussianArbor(periodic=2)), r"^GaussianArbor\.periodic: must be 0 or 1, got 2"),
        (lambda: recurrent(Pairwise(1.5)), r"^Pairwise\.probability: must be in \[0, 1\], got 1\.5"),
        (lambda: recurrent(Pairwise(-0.1)), r"^Pairwise\.probability: must be in \[0, 1\]"),
        (lambda: recurrent(Pairwise(seed=-1)), r"^Pairwise\.seed: must be >= 0"),
        (lambda: recurrent(Pairwise(0.0)), r"cells_to_cells\.connectivity: must join at least one pair, got 'Pairwise"),
        (lambda: recurrent(AllToAll(0), n=1), r"connectivity: must join at least one pair"),
        (lambda: recurrent(AllToAll(2)), r"^AllToAll\.self_connections: must be 0 or 1"),
        (lambda: recurrent(LinearPoisson()), r"^LinearPoisson\.edges: must be a method, as of every connectivity"),
        (lambda: recurrent(Given(np.array([1, 0]), np.array([0, 0]))), r"^Given\.pre: must rise"),
        (lambda: recurrent(Given(np.array([0, 0]), np.array([3, 3]))), r"^Given\.pre: must rise, .* no pair twice"),
        (lambda: recurrent(Given(np.array([0, 12]), np.array([0, 0]))), r"^Given\.pre: must be in \[0, 11\]"),
        (lambda: recurrent(Given(np.array([0, 1]), np.array([0, -1]))), r"^Given\.post: must be in \[0, 11\]"),
        (lambda: recurrent(Given(np.array([0, 1]), np.array([0]))), r"^Given\.post: must be 2 numbers, as pre"),
        (lambda: recurrent(Given(np.array([0.5]), np.array([0]))), r"^Given\.pre: must be a list of whole numbers"),
        (
            lambda: Projection(cells(), cells(7, "others"), connectivity=OneToOne()),
            r"^OneToOne\.shift: must be between populations of one size, not 12 and 7",
        ),
        (
            lambda: Projection(cells(), cells(name="sheet", shape=(3, 4)), connectivity=GaussianArbor()),
            r"^GaussianArbor\.width: must be between populations that are both lines or both sheets",
        ),
        (
            lambda: Projection(cells(), cells(7, "others"), scipy.sparse.eye_array(7)),
            r"cells_to_others\.weights: must be 7 x 12, got \(7, 7\)",
        ),
        (
            lambda: Projection(cells(), cells(name="others"), scipy.sparse.eye_array(12), connectivity=Pairwise()),
            r"connectivity: must be left out where the entries of sparse weights say it",
        ),
        (
            lambda: recurrent(Pairwise(), transmission=PushPull()),
            r"transmission: must deliver each weight by itself where not all are joined to all, got PushPull",
        ),
        (
            lambda: recurrent(Pairwise(), transmission=PushPull(scale=0.0)),
            r"transmission: must deliver each weight by itself where not all are joined to all, got PushPull",
        ),
    ],
)  # fmt: skip
def test_a_wiring_that_does_not_fit_is_named(describe, words):
    with pytest.raises(ParameterError, match=words) as caught:
        describe()
    assert "\n" not in str(caught.value)


class Smoothed(NamedTuple):
    """A transmission of one's own that delivers the mean of a weight and the next."""

    scale: float = 0.5

    def check(self, n_pre):
        pass

    def amount(self, w, j, n):
        return self.scale * (w.value[w.out(j, n)] + w.value[w.out((j + 1) % w.n_pre, n)])

    def effective(self, weights):
        return self.scale * (weights + np.roll(weights, -1, axis=-1))


class LessTheSecond(Smoothed):
    """Another, by which the second source is taken away from all."""

    __slots__ = ()

    def effective(self, weights):
        return weights - self.scale * weights[..., 1:2]


class Lumped(Smoothed):
    """Another, that does not say what each weight delivers."""

    __slots__ = ()

    def effective(self, weights):
        return weights.sum()


@pytest.mark.parametrize("scale", [0.5, 0.0])
@pytest.mark.parametrize("kind", [Smoothed, LessTheSecond])
def test_a_weight_that_is_read_with_another_needs_it(kind, scale):
    with pytest.raises(ParameterError, match=r"transmission: must deliver each weight by itself where not all are"):
        recurrent(FixedInDegree(3), transmission=kind(scale))


def test_what_makes_no_weights_of_weights_is_said():
    with pytest.raises(ParameterError, match=r"transmission: must make 12 weights of 12 in `effective`, got Lumped"):
        recurrent(FixedInDegree(3), transmission=Lumped())


@pytest.mark.parametrize("field", ["delay", "dendritic_delay"])
def test_weights_that_are_read_with_others_have_one_delay(field):
    """Each delay makes a source, or a target, of its own to the synapses."""
    inputs, cells = Population("inputs", 2, HomogeneousPoisson()), Population("cells", 2, LinearPoisson())
    late = {field: np.array([1e-3, 1e-3, 2e-3, 1e-3])}
    described = Network([inputs, cells], [Projection(inputs, cells, 1e-3, transmission=PushPull(), **late)])
    with pytest.raises(
        ParameterError, match=r"transmission: must deliver each weight by itself where delays differ, got"
    ):
        simulate(described, 1e-2, dt=1e-3)


class Twice(Pairwise):
    """A connectivity of a user's own that joins a pair twice."""

    def edges(self, generator, source, target):
        return np.zeros(2, int), np.zeros(2, int)


class Uneven(Pairwise):
    """Another, with one source and three targets."""

    def edges(self, generator, source, target):
        return np.zeros(1, int), np.arange(3)


def test_what_a_connectivity_of_ones_own_returns_is_looked_at():
    with pytest.raises(ParameterError, match="must join as many sources as targets, got Uneven"):
        recurrent(Uneven())
    with pytest.raises(ParameterError, match="must join cells of the two populations, no pair twice, got Twice"):
        recurrent(Twice())
