"""Random streams: one integer seed, every stream keyed by (seed, stream name, index).

A stream starts from four words of numpy's counter-based Philox under that key and goes on as xoshiro256++ (Blackman & Vigna 2021,
ACM TOMS 47:36), whose state of four words is part of a run's state. The draws are the same bits compiled and not.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np

from .protocols import helper

_TO_UNIT = 1.0 / 9007199254740992.0  # 2**-53


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
def exponential(rng):
    """Exponential with mean 1."""
    return -math.log(1.0 - uniform(rng))


@helper
def normal(rng):
    """Standard normal (Box & Muller 1958; one of the pair, so that a stream has no hidden half-used state)."""
    radius = math.sqrt(2.0 * exponential(rng))
    return radius * math.cos(2.0 * math.pi * uniform(rng))


@helper
def below(rng, n):
    """An integer in [0, n); the bias of rounding is under n * 2**-53."""
    return int(uniform(rng) * n)
