"""What a run will take, said before it begins: bytes on the disk and in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import records, sonata
from .describe import size
from .event import parts_of
from .levelfile import records_per_chunk
from .network import Network
from .protocols import is_part
from .sampled_run import has_holds

PROCESS = 170_000_000  # bytes of Python with its libraries and a compiled loop
FILE = 100_000  # bytes of a run file with hardly a record: groups, attributes, scales


class Estimate(NamedTuple):
    """file, memory [bytes]."""

    file: int
    memory: int

    def __str__(self) -> str:
        return f"file about {size(self.file)}, memory about {size(self.memory)}"


def estimate(
    network: Network, levels: Sequence[str], n_seeds: int, n_times: int, listened: dict[str, float], beside: int = 0
) -> Estimate:
    """Of a run with n_times records of each level that listens to each population for so many seconds (one level, the first seed).

    beside: bytes of arrays that the file holds from the start.
    """
    n_weights, n_post = network.neuron.n * network.input.n, network.neuron.n
    file, memory = FILE + beside, PROCESS + 4 * 8 * n_seeds * n_weights
    held = []
    for level in levels:
        alone = level == "rate" and not has_holds(network) and not hasattr(network.projection.weights, "draw")
        weights, rates = (8 * (1 if alone else n_seeds) * n for n in (n_weights, n_post))  # bytes of one record
        file += _chunked(n_times, 1024, 8) + sum(_chunked(n_times, records_per_chunk(n), n) for n in (weights, rates))
        held.append(len(records.held(n_times, weights)) * (weights + rates))
    memory += sum(held) + max(held)  # levels are compared by copies of one after another
    if "spike" in levels:
        file += _chunked(n_times, sonata.frames_per_chunk(n_weights), 4 * n_weights) + _chunked(n_times, 1024, 8)
    if "rate" in levels and not has_holds(network):
        theory = 8 * n_times * (n_weights + n_post + 6)
        file, memory = file + theory, memory + theory
    for n in _n_spikes(network, listened) if {"spike", "surrogate"} & {*levels} else ():
        file, memory = file + 2 * _chunked(n, sonata.SPIKES_PER_CHUNK, 8), memory + 32 * n
    memory += 3 * sum(array.nbytes for array in _arrays(parts_of(network.projection)))
    return Estimate(int(file), int(memory))


def _chunked(n: int, per_chunk: int, item_bytes: int) -> int:
    """Bytes of a dataset that grows by whole chunks, and of the tree that finds them."""
    chunks = -(-n // per_chunk)
    return chunks * (per_chunk * item_bytes + 40)


def _n_spikes(network: Network, listened: dict[str, float]) -> Iterator[int]:
    """How many spikes each population is expected to have while it is listened to, with the weights of the start."""
    projection, neuron, n = network.projection, network.neuron, network.input.n
    stated = hasattr(network.input.model, "mean_rates")
    rates = np.asarray(network.input.model.mean_rates(n), dtype=float) if stated else np.zeros(n)
    drive = projection.transmission.effective(projection.initial_weights(0)) @ rates
    model = neuron.model
    output = getattr(model, "gain", 1.0) * (getattr(model, "base_rate", 0.0) - getattr(model, "threshold", 0.0) + drive)
    for name, total in ((network.input.name, rates.sum()), (neuron.name, np.maximum(output, 0.0).sum())):
        yield int(total * listened.get(name, 0.0))


def _arrays(value: Any) -> Iterator[np.ndarray]:
    """All arrays that parts hold, however nested."""
    if isinstance(value, np.ndarray):
        yield value
    elif is_part(value):
        for item in value:
            yield from _arrays(item)
