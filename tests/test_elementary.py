"""Elementary functions that loops are compiled of for several numbers at a time: against the C library, and with the same bits compiled and not."""

import math

import numpy as np
import pytest
from scipy import stats

from hebbscope.rules import elementary
from hebbscope.rules.elementary import exp, exp2, log, log2, normals, power, turned
from hebbscope.simulator import streams
from hebbscope.simulator.compile import compiled

LEAST = 2.0**-1022  # of normal numbers
DENORMAL = 5e-324


def reckon(x, exponent, out):
    """out (7, n): all functions of x (n,) between 0 and 1, of which exponents are made for those that grow."""
    for k in range(len(x)):
        out[0, k] = exp2(-exponent * x[k])
        out[1, k] = exp(-exponent * x[k])
        out[2, k] = log2(x[k])
        out[3, k] = log(x[k])
        out[4, k] = power(x[k], exponent)
        out[5, k], out[6, k] = turned(x[k])


def some_numbers(n):
    """In (0, 1]: evenly, near 0 down to denormal numbers, and near 1."""
    draw = np.random.default_rng(1)
    near_one = 1.0 - 2.0 ** draw.uniform(-53.0, -1.0, n)
    edges = [1.0, math.sqrt(0.5), 0.5, LEAST, np.nextafter(LEAST, 0.0), DENORMAL, np.nextafter(1.0, 0.0)]
    return np.concatenate([edges, draw.uniform(0.0, 1.0, n), 2.0 ** draw.uniform(-1074.0, 0.0, n), near_one])


def units(found, expected):
    """How far they are apart, in units in the last place."""
    return np.abs(found - expected) / np.spacing(np.abs(expected))


@pytest.mark.parametrize("exponent", [0.02, 0.3, 1.0, 3.0, 700.0])
def test_they_are_the_functions_of_the_c_library(exponent):
    x = some_numbers(20_000)
    found = np.empty((7, len(x)))
    compiled(reckon, ())(x, exponent, found)
    with np.errstate(under="ignore"):
        assert units(found[0], np.exp2(-exponent * x)).max() <= 2.0
        expected = np.exp(-exponent * x)
        assert (units(found[1], expected) <= 2.0 * (1.0 + exponent * x)).all()
        expected = x**exponent
    normal = expected >= 2.0 * LEAST
    assert (units(found[4], expected) <= 4.0 * (1.0 - exponent * np.log(x)))[normal].all()
    assert (found[4][~normal] <= 2.0 * LEAST).all() and normal.any()
    assert units(found[2], np.log2(x)).max() <= 3.0
    assert units(found[3], np.log(x)).max() <= 4.0
    np.testing.assert_allclose(found[5], np.cos(2.0 * np.pi * x), rtol=0, atol=1e-15)
    np.testing.assert_allclose(found[6], np.sin(2.0 * np.pi * x), rtol=0, atol=1e-15)


@pytest.mark.parametrize("exponent", [0.02, 2.0])
def test_they_have_the_same_bits_compiled_and_not(exponent):
    x = some_numbers(100)
    fast, plain = np.empty((7, len(x))), np.empty((7, len(x)))
    compiled(reckon, ())(x, exponent, fast)
    reckon(x, exponent, plain)
    assert fast.tobytes() == plain.tobytes()


def test_arguments_above_one():
    for x in (1.0, 1.5, 6.0, 1e9, 2.0**968):
        assert units(log(x), math.log(x)) <= 4.0 if x > 1.0 else log(x) == 0.0
    for x in (0.0, 0.5, 1.0, 700.0, 708.0):
        assert units(exp(x), math.exp(x)) <= 2.0 * (1.0 + x)
    assert exp2(1022.75) == pytest.approx(2.0**1022 * 2.0**0.75, rel=1e-15)


def test_ends():
    """What is 0 or 1 exactly, and what is no normal number any more."""
    assert [exp2(x) for x in (0.0, -1.0, 10.0, -1022.0)] == [1.0, 0.5, 1024.0, LEAST]
    assert [exp2(x) for x in (-1022.5, -1e4)] == [0.0, 0.0] and exp(-1e3) == 0.0
    assert [log2(x) for x in (1.0, 0.5, 8.0, LEAST, DENORMAL)] == [0.0, -1.0, 3.0, -1022.0, -1074.0]
    assert [power(0.0, e) for e in (0.0, 0.02, 1.0)] == [1.0, 0.0, 0.0]
    assert [power(1.0, e) for e in (0.0, 0.02, 1.0)] == [1.0, 1.0, 1.0] and power(0.3, 0.0) == 1.0
    assert turned(0.5) == (-1.0, 0.0)


def test_where_there_is_no_finite_number():
    assert [exp2(x) for x in (1023.5, 1e5, math.inf)] == [math.inf] * 3 and exp(2e3) == math.inf
    assert exp2(-math.inf) == 0.0 and log(0.0) == -math.inf and power(0.0, -0.5) == math.inf
    assert all(map(math.isnan, (exp2(math.nan), log2(math.nan), log(-1.0), power(-1.0, 0.5), power(math.nan, 0.5))))
    assert power(0.25, -0.5) == pytest.approx(2.0, rel=1e-15)


def test_polynomials_in_steps_are_those_of_their_constants():
    for constants in (elementary._COSINES, elementary._SINES):
        for z in (0.0, 0.1, 0.25):
            assert elementary._even(constants, z) == pytest.approx(np.polyval(constants[::-1], z), rel=1e-15)


@pytest.mark.parametrize("n", [1, 6, 7])
def test_normal_numbers_are_those_of_box_and_muller(n):
    """Both of each pair: the first half of them with cosines, the second with sines."""
    out, u, half = np.full(n + 2, 9.0), np.empty(n + 1), (n + 1) // 2
    rng, again = streams.start(3, "normals"), streams.start(3, "normals")
    with np.errstate(over="ignore"):
        normals(rng, out, n)
        streams.uniforms(again, u, 2 * half)
    assert (rng == again).all() and (out[2 * half :] == 9.0).all()
    radius, angle = np.sqrt(-2.0 * np.log(u[:half])), 2.0 * np.pi * u[half : 2 * half]
    np.testing.assert_allclose(out[:half], radius * np.cos(angle), rtol=0, atol=1e-14)
    np.testing.assert_allclose(out[half : 2 * half], radius * np.sin(angle), rtol=0, atol=1e-14)


def test_normal_numbers_are_normal_and_independent():
    n = 200_000
    out = np.empty(n)
    compiled(normals, ())(streams.start(5, "normals"), out, n)
    assert stats.kstest(out, "norm").pvalue > 1e-3
    for one, other in ((out[:-1], out[1:]), (out[: n // 2], out[n // 2 :]), (out[: n // 2] ** 2, out[n // 2 :] ** 2)):
        assert abs(np.corrcoef(one, other)[0, 1]) < 4.0 / math.sqrt(len(one))


def test_the_smallest_and_the_largest_uniform_number_have_finite_normal_ones():
    assert math.sqrt(-2.0 * log(0.0 + 2.0**-54)) == pytest.approx(math.sqrt(108.0 * math.log(2.0)))
    assert log((1.0 - 2.0**-53) + 2.0**-54) <= 0.0
