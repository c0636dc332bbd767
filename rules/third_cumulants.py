"""Third cumulants of an input train and twice the output, or twice an input train and the output, seen through filters at one time.

For each kind of statistics that an input states (the classes at the end of simulator/protocols.py):

    pre_post_post(kind, f, g, h, weights, causal)   sum_jk w_j w_k of (f * S_i), (g * S_j), (h * S_k)
    pre_pre_post(kind, g, h, weights)               sum_j w_j of S_i, (g * S_i), (h * S_j)

with the spikes of a triple all different, weights (..., n) and the result (..., n). Events or presentations that trains share leave
the filters f, g, h their own response each; what they leave together is the integral of the product.

Source: [derived]; for common events it is Campbell's theorem.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product as pairs
from typing import Any

import numpy as np

from ..simulator.protocols import CommonEvents, HebbscopeError, Held, Waves
from . import window_integrals as integrals
from .filters import Filter, scaled, traced, triple_integral

ROWS = 4096  # patterns that are in double precision at one time


def pre_post_post(kind: Any, f: Filter, g: Filter, h: Filter, weights: np.ndarray, causal: bool) -> np.ndarray:
    """With causal=False the output is driven by copies of the trains: only j = k can be one train, never i and one of them."""
    match kind:
        case Waves():
            return _waves(kind, f, g, h, weights)
        case CommonEvents():
            return _common_events(kind, f, g, h, weights, causal)
        case Held():
            return _held(kind, f, g, h, weights)
    raise HebbscopeError(f"{type(kind).__name__}: is none of Waves, CommonEvents, Held")


def pre_pre_post(kind: Any, g: Filter, h: Filter, weights: np.ndarray) -> np.ndarray:
    """The first of the three is the spike itself, unfiltered, the second an earlier one of its train."""
    match kind:
        case Waves():
            return _waves_twice(kind, g, h, weights)
        case CommonEvents():
            return np.zeros(np.shape(weights))  # no event gives one train two spikes
        case Held():
            return _held_twice(kind, g, h, weights)
    raise HebbscopeError(f"{type(kind).__name__}: is none of Waves, CommonEvents, Held")


# Waves: Fourier components whose frequencies add up to 0 --------------------------------------------------------------


def _resonances(kind: Waves) -> Iterator[list[tuple[int, int]]]:
    """Triples of (component, sign) that add up to frequency 0."""
    f = kind.frequencies
    signed = list(pairs(range(len(f)), (1, -1)))
    for first, second in pairs(signed, signed):
        total = first[1] * f[first[0]] + second[1] * f[second[0]]
        for k in np.flatnonzero(np.isclose(f, abs(total), rtol=1e-12, atol=0.0)):
            yield [first, second, (int(k), -1 if total > 0 else 1)]


def _component(kind: Waves, which: tuple[int, int]) -> np.ndarray:
    """(n,) the complex amplitude."""
    amplitude = kind.amplitudes[:, which[0]]
    return amplitude if which[1] == 1 else amplitude.conj()


def _gain(kind: Waves, f: Filter, which: tuple[int, int]) -> Any:
    """What a filter makes of a component."""
    return integrals.laplace(f, 2j * np.pi * which[1] * kind.frequencies[which[0]])


def _waves(kind: Waves, f: Filter, g: Filter, h: Filter, weights: np.ndarray) -> np.ndarray:
    total = np.zeros(np.shape(weights), complex)
    for one, two, three in _resonances(kind):
        driven = (weights @ _component(kind, two)) * (weights @ _component(kind, three))
        gains = _gain(kind, f, one) * _gain(kind, g, two) * _gain(kind, h, three)
        total += gains * driven[..., None] * _component(kind, one)
    return total.real


def _waves_twice(kind: Waves, g: Filter, h: Filter, weights: np.ndarray) -> np.ndarray:
    total = np.zeros(np.shape(weights), complex)
    for one, two, three in _resonances(kind):
        driven = (weights @ _component(kind, three))[..., None] * _gain(kind, h, three)
        total += driven * _component(kind, one) * _component(kind, two) * _gain(kind, g, two)
    return total.real


# Common events: shot noise --------------------------------------------------------------------------------------------


def _common_events(
    kind: CommonEvents, f: Filter, g: Filter, h: Filter, weights: np.ndarray, causal: bool
) -> np.ndarray:
    if kind.delay > 0.0:
        f, g, h = (scaled(traced(x, kind.delay), 1.0 / kind.delay) for x in (f, g, h))
    each = weights * kind.copies
    # The sums run over two trains that differ, and where the output has the very spikes of the input, from i too.
    own = each if causal else 0.0 * each
    once = each.sum(-1, keepdims=True) - own
    twice = (each**2).sum(-1, keepdims=True) - own**2
    return kind.rate * triple_integral(f, g, h) * kind.copies * (once**2 - twice)


# Held patterns --------------------------------------------------------------------------------------------------------


def _held(kind: Held, f: Filter, g: Filter, h: Filter, weights: np.ndarray) -> np.ndarray:
    (rf, rg, rh), measure = _responses(kind, f, g, h)
    mean = kind.patterns.mean(axis=0, dtype=float)
    drive = _drive(kind, weights, mean)
    if kind.in_order:
        driven = _after(drive, rg) * _after(drive, rh)
        seen = np.stack([_before(one, rf) @ measure for one in driven.reshape(-1, *driven.shape[-2:])])
        seen = seen.reshape(drive.shape)
    else:
        seen = drive**2 * ((rf * rg * rh).sum(0) @ measure)
    total = sum(seen[..., rows] @ kind.patterns[rows] for rows in _chunks(kind))
    return (total - seen.sum(-1)[..., None] * mean) / len(kind.patterns)


def _held_twice(kind: Held, g: Filter, h: Filter, weights: np.ndarray) -> np.ndarray:
    (rg, rh), measure = _responses(kind, g, h)
    mean = kind.patterns.mean(axis=0, dtype=float)
    drive, n_patterns = _drive(kind, weights, mean), len(kind.patterns)
    if not kind.in_order:
        shared = float((rg[0] * rh[0]) @ measure)
        parts = (drive[..., rows] @ (kind.patterns[rows] - mean) ** 2 for rows in _chunks(kind))
        return shared * sum(parts) / n_patterns
    deviation, total = kind.patterns - mean, np.zeros(np.shape(weights))
    driven = _after(drive, rh)
    for lag, response in enumerate(_wrapped(rg, n_patterns)[: len(rg)]):
        total = total + (driven @ (response * measure)) @ (deviation * np.roll(deviation, lag, axis=0))
    return total / n_patterns


def _drive(kind: Held, weights: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """(..., n_patterns): sum_j w_j of what each pattern has more than the mean."""
    seen = [weights @ kind.patterns[rows].T for rows in _chunks(kind)]
    return np.concatenate(seen, axis=-1) - (weights @ mean)[..., None]


def _chunks(kind: Held) -> list[slice]:
    return [slice(first, first + ROWS) for first in range(0, len(kind.patterns), ROWS)]


def _responses(kind: Held, *filters: Filter) -> tuple[list[np.ndarray], np.ndarray]:
    """Each filter's response to one presentation, (lags, nodes): at the nodes within the presentation, and within those that follow it.

    With the measure (nodes,) that averages over a presentation.
    """
    rates = [a for f in filters for _, _, a in f]
    nodes, measure = integrals.panels(integrals.doubling(0.1 / max(rates), kind.width))
    lags = np.arange(int(np.ceil(integrals.NEGLIGIBLE / min(rates) / kind.width)) + 2)
    since = nodes + kind.width * lags[:, None]
    found = []
    for f in filters:
        whole = integrals.antiderivative(f)
        late = np.maximum(since - kind.width, 0.0)
        found.append(integrals.evaluate(whole, since) - integrals.evaluate(whole, late))
    return found, measure / kind.width


def _wrapped(response: np.ndarray, n_patterns: int) -> np.ndarray:
    """(n_patterns, nodes): the response to one presentation in each of a cycle that goes round and round."""
    found = np.zeros((n_patterns, response.shape[1]))
    np.add.at(found, np.arange(len(response)) % n_patterns, response)
    return found


def _after(drive: np.ndarray, response: np.ndarray) -> np.ndarray:
    """(..., n_patterns, nodes): sum over presentations past of their drive times the response to them."""
    n = drive.shape[-1]
    kernel = np.fft.rfft(_wrapped(response, n), axis=0)
    return np.fft.irfft(np.fft.rfft(drive)[..., None] * kernel, n=n, axis=-2)


def _before(driven: np.ndarray, response: np.ndarray) -> np.ndarray:
    """(n_patterns, nodes): for each presentation, the sum over what follows it, times the response to it by then."""
    n = len(driven)
    kernel = np.fft.rfft(_wrapped(response, n), axis=0)
    return np.fft.irfft(np.fft.rfft(driven, axis=0) * kernel.conj(), n=n, axis=0)
