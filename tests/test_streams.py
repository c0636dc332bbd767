"""Random streams: published vectors, moments, keys."""

import math

import numpy as np
import pytest
from scipy import stats

from hebbscope.simulator import streams
from hebbscope.simulator.compile import compiled

# xoshiro256++ from the state (1, 2, 3, 4): the first outputs of the authors' C code, as the reference tests of other libraries have them.
XOSHIRO = [
    41943041,
    58720359,
    3588806011781223,
    3591011842654386,
    9228616714210784205,
    9973669472204895162,
    14011001112246962877,
    12406186145184390807,
    15849039046786891736,
    10450023813501588000,
]
# Philox4x64-10 with counter and key zero: known-answer test of Salmon et al. 2011 (Random123, kat_vectors).
PHILOX = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]


def test_xoshiro_gives_its_published_numbers():
    rng = np.array([1, 2, 3, 4], np.uint64)
    with np.errstate(over="ignore"):
        assert [int(streams.next_word(rng)) for _ in XOSHIRO] == XOSHIRO


def test_the_keys_come_from_philox():
    bits = np.random.Philox(key=[0, 0], counter=[0xFFFFFFFFFFFFFFFF] * 4)  # numpy counts up before it draws
    assert bits.random_raw(4).tolist() == PHILOX


def test_streams_differ_by_seed_name_and_index():
    starts = {tuple(streams.start(seed, name, index)) for seed in (0, 1, 2) for name in ("a", "b") for index in (0, 1)}
    assert len(starts) == 12
    assert (streams.start(5, "a") == streams.start(5, "a")).all()


@pytest.fixture(scope="module")
def rng():
    return streams.start(7, "test")


def many(draw, rng, n=20000):
    with np.errstate(over="ignore"):
        return np.array([draw(rng) for _ in range(n)])


@pytest.mark.parametrize(
    "draw, mean, variance, fourth",
    [
        (streams.uniform, 0.5, 1 / 12, 1 / 80),
        (streams.exponential, 1.0, 1.0, 9.0),
        (streams.normal, 0.0, 1.0, 3.0),
    ],
    ids=["uniform", "exponential", "normal"],
)
def test_moments_within_four_standard_errors(rng, draw, mean, variance, fourth):
    x = many(draw, rng)
    assert abs(x.mean() - mean) < 4 * np.sqrt(variance / len(x))
    assert abs(x.var() - variance) < 4 * np.sqrt((fourth - variance**2) / len(x))


def test_exponential_is_exponential_from_the_smallest_draw_to_the_tail(rng):
    x = many(streams.exponential, rng, 50000)
    assert stats.kstest(x, "expon").pvalue > 0.01
    last = streams._EDGE[1]
    beyond = x[x > last - 2.0] - (last - 2.0)  # 170 draws, a seventh of them in the tail
    assert stats.kstest(beyond, "expon").pvalue > 0.01


def test_the_ziggurat_covers_the_curve():
    edge, height = streams._EDGE, streams._HEIGHT
    areas = edge[1:-1] * np.diff(height[1:])
    np.testing.assert_allclose(areas, areas[0], rtol=1e-9)
    assert areas[0] == pytest.approx(
        edge[1] * height[1] + math.exp(-edge[1]), rel=1e-9
    )  # the lowest layer and its tail


def test_below_is_uniform_over_its_integers(rng):
    counts = np.bincount(many(lambda r: streams.below(r, 7), rng), minlength=7)
    expected = counts.sum() / 7
    assert (
        counts.size == 7 and ((counts - expected) ** 2 / expected).sum() < 22.46
    )  # chi^2, 6 degrees of freedom, p = 0.001


@pytest.mark.parametrize("apart", [1, 3])
def test_what_is_near_goes_on_where_it_is_given_back(apart):
    """Compiled, 5 numbers and then 3 more are the first 8 of the stream, wherever the words of its state lie; its neighbours stay as they are."""
    plain, table = streams.start(7, "near"), np.full((4, apart), 99, np.uint64)
    rng, found = table[:, 0], np.zeros(8)
    rng[:] = plain
    draw = compiled(streams.uniforms, (rng, found, 5))
    draw(rng, found[:5], 5)
    draw(rng, found[5:], 3)
    with np.errstate(over="ignore"):
        assert found.tolist() == [streams.uniform(plain) for _ in range(8)]
    assert rng.tolist() == plain.tolist() and (table[:, 1:] == 99).all()
