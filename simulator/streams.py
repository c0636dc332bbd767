"""Random streams: one integer seed, every stream keyed by (seed, stream name, index).

A stream starts from four words of numpy's counter-based Philox under that key and goes on as xoshiro256++ (Blackman & Vigna 2021,
ACM TOMS 47:36), whose state of four words is part of a run's state. The draws are the same bits compiled and not.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np

from .near import give_back, near
from .protocols import helper

LARGEST_SEED = 2**63 - 1  # what streams are keyed by and a file can hold

_TO_UNIT = 1.0 / 9007199254740992.0  # 2**-53


def _ziggurat(last: float, area: float) -> tuple[np.ndarray, np.ndarray]:
    """Right edges (257,) of 256 layers of equal area under exp(-x), the lowest first, and the heights exp(-edge) at which they begin."""
    edges = [area * math.exp(last), last]
    while len(edges) < 256:
        edges.append(-math.log(math.exp(-edges[-1]) + area / edges[-1]))
    edge = np.array([*edges, 0.0])
    return edge, np.exp(-edge)


_EDGE, _HEIGHT = _ziggurat(7.69711747013104972, 3.949659822581572e-3)


def generator(seed: int, name: str, index: int = 0) -> np.random.Generator:
    """A numpy Generator keyed by (seed, name, index), for draws made while a run is set up."""
    word = hashlib.sha256(f"{name}/{index}".encode()).digest()[:8]
    return np.random.Generator(np.random.Philox(key=[seed & 0xFFFFFFFFFFFFFFFF, int.from_bytes(word, "little")]))


def start(seed: int, name: str, index: int = 0) -> np.ndarray:
    """rng: (4,) uint64, the first state of the stream keyed by (seed, name, index)."""
    return generator(seed, name, index).bit_generator.random_raw(4)


@helper
def next_word(rng):
    """The next 64 random bits of xoshiro256++; rng: (4,) uint64, moved on in place."""
    s0, s1, s2, s3 = rng[0], rng[1], rng[2], rng[3]
    total = s0 + s3
    word = ((total << np.uint64(23)) | (total >> np.uint64(41))) + s0
    shifted = s1 << np.uint64(17)
    s2 ^= s0
    s3 ^= s1
    rng[1] = s1 ^ s2
    rng[0] = s0 ^ s3
    rng[2] = s2 ^ shifted
    rng[3] = (s3 << np.uint64(45)) | (s3 >> np.uint64(19))
    return word


@helper
def uniform(rng):
    """Uniform in [0, 1), on a grid of 2**-53."""
    return np.int64(next_word(rng) >> np.uint64(11)) * _TO_UNIT  # signed: one instruction to float


@helper
def uniforms(rng, out, n):
    """The next n numbers of `uniform` into out[:n]."""
    state = near(rng)
    for k in range(n):
        out[np.uintp(k)] = uniform(state)
    give_back(rng, state)


@helper
def exponential(rng):
    """Exponential with mean 1, by the ziggurat of Marsaglia & Tsang 2000 (J Stat Softw 5:8): 99 in 100 draws need no logarithm."""
    while True:
        word = next_word(rng)
        k = np.int64(word & np.uint64(255))
        x = (
            np.int64(word >> np.uint64(11)) * _TO_UNIT * _EDGE[k]
        )  # the layer and the place in it come from different bits
        if x < _EDGE[k + 1]:
            return x
        if k == 0:  # the tail is an exponential that begins at the last edge
            return _EDGE[1] - math.log(1.0 - uniform(rng))
        if _HEIGHT[k] + uniform(rng) * (_HEIGHT[k + 1] - _HEIGHT[k]) < math.exp(-x):
            return x


@helper
def normal(rng):
    """Standard normal (Box & Muller 1958; one of the pair, so that a stream has no hidden half-used state)."""
    radius = math.sqrt(2.0 * exponential(rng))
    return radius * math.cos(2.0 * math.pi * uniform(rng))


@helper
def below(rng, n):
    """An integer in [0, n); the bias of rounding is under n * 2**-53."""
    return int(uniform(rng) * n)
