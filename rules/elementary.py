"""Elementary functions without a call and without a branch: a loop of them over an array is compiled for several numbers at a time.

Those of the C library are called for one number each. These are right within what their docstrings say, and for such arguments only. Each operation is one
of IEEE 754's, so that the bits are the same compiled and not. Constants are in tuples, which stay in double precision where a loop is in single.
"""

from __future__ import annotations

import math

import numpy as np

from ..simulator.protocols import helper
from ..simulator.streams import uniforms

# The polynomials of their degree that meet a function at Chebyshev's nodes: they stay within 5e-18 of it, the constants rounded within 1.3e-16.
# 2^r, |r| <= 1/2, in r
_POWERS = (
    1.0,
    0.6931471805599453,
    0.24022650695910158,
    0.055504108664821625,
    0.009618129107587256,
    0.001333355814640647,
    0.00015403530463724353,
    1.5252733841556773e-05,
    1.3215432535912375e-06,
    1.0178057087733941e-07,
    7.074194297288521e-09,
    4.4558179083360645e-10,
)
# log2((1 + s) / (1 - s)) / s, 1 / sqrt(2) <= (1 + s) / (1 - s) <= sqrt(2), in s^2
_LOGARITHMS = (
    2.8853900817779268,
    0.9617966939259898,
    0.5770780163455203,
    0.4121985858409005,
    0.32059853491395984,
    0.262334352504183,
    0.2209130842311768,
    0.2136589569431927,
)
# cos(pi h) and sin(pi h) / h, |h| <= 1/2, in h^2
_COSINES = (
    1.0,
    -4.934802200544676,
    4.058712126416497,
    -1.335262768843447,
    0.23533063012953284,
    -0.025806888737002202,
    0.0019295562724817132,
    -0.00010456655338748738,
    4.149564353942586e-06,
)
_SINES = (
    3.141592653589793,
    -5.167712780049969,
    2.5501640398773007,
    -0.5992645293189447,
    0.0821458865731029,
    -0.007370430505916944,
    0.0004662998161898394,
    -2.1903497074626018e-05,
    7.697826768224191e-07,
)
_LOG_2 = (0.6931471805599453,)  # log(2)
_LOG2_E = (1.4426950408889634,)  # log2(e)

_MANTISSA = np.uint64(52)  # bits
_BIAS = np.uint64(1023)  # what is added to exponents
_ONE = np.uint64(1023 << 52)  # the bits of 1.0
_FRACTION = np.uint64((1 << 52) - 1)
_ROOT = np.float64(math.sqrt(0.5)).view(np.uint64)
_TO_ROUND = 1.5 * 2.0**52  # added, it leaves a whole number in the last bits
_TO_COUNT = np.uint64((1023 + 52) << 52)  # the bits of 2^52: with a whole number below, the bits of their sum
_FROM_DENORMAL = 2.0**54  # times it, every number but 0 is a normal one


@helper
def bits(x):
    """Those of a double, as a number."""
    return np.float64(x).view(np.uint64)


@helper
def of_bits(word):
    """The double that has them."""
    return np.uint64(word).view(np.float64)


@helper
def exp2(x):
    """2^x: to 2 units in the last place; 0 where it is smaller than normal numbers, infinite from x = 1023.5 on."""
    not_small = np.float64(x) if x > -1100.0 else -1100.0
    held = not_small if not_small < 1024.0 else 1024.0
    shifted = held + _TO_ROUND
    r = held - (shifted - _TO_ROUND)
    r2 = r * r
    r4 = r2 * r2
    c = _POWERS
    low = (c[0] + c[1] * r) + (c[2] + c[3] * r) * r2  # in pairs: a sum of terms one after the other would wait for each
    middle = (c[4] + c[5] * r) + (c[6] + c[7] * r) * r2
    high = (c[8] + c[9] * r) + (c[10] + c[11] * r) * r2
    scale = of_bits((bits(shifted) + _BIAS) << _MANTISSA)
    return (low + (middle + high * r4) * r4) * scale if x >= -1022.0 else (0.0 if x < -1022.0 else x)


@helper
def log2(x):
    """log2(x), x < 2^969: to 3 units in the last place; minus infinity at 0, no number below."""
    word = bits(x * _FROM_DENORMAL) + (_ONE - _ROOT)  # its exponent is the same from sqrt(1/2) to sqrt(2)
    exponent = of_bits((word >> _MANTISSA) | _TO_COUNT) - (2**52 + 1023 + 54)
    near_one = of_bits((word & _FRACTION) + _ROOT)
    s = (near_one - 1.0) / (near_one + 1.0)
    z = s * s
    z2 = z * z
    c = _LOGARITHMS
    low = (c[0] + c[1] * z) + (c[2] + c[3] * z) * z2
    high = (c[4] + c[5] * z) + (c[6] + c[7] * z) * z2
    found = exponent + (low + high * (z2 * z2)) * s
    return found if x > 0.0 else (-math.inf if x == 0.0 else math.nan)


@helper
def exp(x):
    """exp(x): to 2 (1 + |x|) units in the last place; 0 where it is smaller than normal numbers, infinite from x = 709.4 on."""
    return exp2(x * _LOG2_E[0])


@helper
def log(x):
    """log(x), x < 2^969: to 4 units in the last place; minus infinity at 0, no number below."""
    return log2(x) * _LOG_2[0]


@helper
def power(x, exponent):
    """x^exponent, 0 <= x < 2^969: to 4 (1 + |log|) units in the last place, with its own logarithm; 1 where the exponent is 0, no number where x < 0."""
    some = exp2(exponent * log2(x))
    return some if exponent != 0.0 else 1.0


@helper
def turned(u):
    """cos(2 pi u) and sin(2 pi u), 0 <= u <= 1, to 1e-15: by those of half the angle, counted from half a turn on."""
    h = u - 0.5
    cosine, sine = _even(_COSINES, h * h), _even(_SINES, h * h) * h
    return sine * sine - cosine * cosine, -2.0 * sine * cosine


@helper
def _even(c, z):
    """The polynomial in z with these nine constants."""
    z2 = z * z
    z4 = z2 * z2
    low = (c[0] + c[1] * z) + (c[2] + c[3] * z) * z2
    high = (c[4] + c[5] * z) + (c[6] + c[7] * z) * z2
    return low + (high + c[8] * z4) * z4


@helper
def normals(rng, out, n):
    """The next n standard normals into out[:n], and one more where n is odd (Box & Muller 1958, both of each pair)."""
    half = (n + 1) // 2
    uniforms(rng, out, 2 * half)
    for k in range(half):
        one, other = np.uintp(k), np.uintp(half + k)
        radius = math.sqrt(-2.0 * log(out[one] + 2.0**-54))  # from the middle of what is one number on the grid
        cosine, sine = turned(out[other])
        out[one], out[other] = radius * cosine, radius * sine
