"""What a run will take, said before it begins: bytes on the disk and in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import records, sonata
from .describe import size
from .levelfile import records_per_chunk
from .network import Network, Population
from .protocols import HebbscopeError
from .room import memory
from .sampled_run import has_holds
from .sampler import n_samples, sample_bytes

PROCESS = 170_000_000  # bytes of Python with its libraries and a compiled loop
GUESSED_RATE = 10.0  # Hz of neurons whose rates no closed form gives
N_COURSES = 7  # numbers for each record, beside weights and rates, that the learning equation says: theoryfile.py
SPECTRA = 128  # bytes for each pair of trains, of the equation of a whole network
AT_ONCE, MOST = 500_000, 2_000  # pairs at once, at least, of some frequencies; and trains, at most, that it is of
FILE = 100_000  # bytes of a run file with hardly a record: groups, attributes, scales


class Estimate(NamedTuple):
    """file, memory [bytes]."""

    file: int
    memory: int

    def __str__(self) -> str:
        return f"file about {size(self.file)}, memory about {size(self.memory)}"


def estimate(
    network: Network,
    levels: Sequence[str],
    n_seeds: int,
    n_times: int,
    listened: dict[str, float],
    beside: int = 0,
    in_file: bool = True,
    monitors: Mapping[str, Any] | None = None,
    duration: float = 0.0,
) -> Estimate:
    """Of a run with n_times records of each level that listens to each population for so many seconds (one level, the first seed).

    beside: bytes of arrays that the file holds from the start; in_file: whether there is one, so that memory need not hold all records and spikes;
    monitors sample for `duration` [s] at each level with spikes.
    """
    projection = network.recorded
    n_weights, n_post = projection.n_synapses, projection.target.n
    others = [each for each in network.learning if each is not projection]
    final = sum((8 * n_seeds + (0 if each.is_dense else 2 * 8)) * each.n_synapses for each in others)
    file, memory = FILE + beside, PROCESS + 4 * n_seeds * network.n_bytes
    held = []
    for level in levels:
        alone = level == "rate" and not has_holds(network) and not network.is_drawn
        weights, rates = (8 * (1 if alone else n_seeds) * n for n in (n_weights, n_post))  # bytes of one record
        n_held = len(records.held(n_times, weights)) if in_file else n_times
        file += _chunked(n_times, 1024, 8) + _growing(n_times, weights, rates)
        file += final + (0 if projection.is_dense else 2 * 8 * n_weights)
        held.append(n_held * (weights + rates))
        if level == "rate" and not network.is_layer and not has_holds(network):
            memory += SPECTRA * max(AT_ONCE, min(sum(each.n for each in network.populations), MOST) ** 2)
        if level == "rate" and network.is_layer and not has_holds(network):
            mean = 8 * n_weights, 8 * n_post
            courses = mean if alone else (*mean, weights, rates)
            file += _growing(n_times, *courses, *N_COURSES * (8,))
            held.append(n_held * sum(courses))
    n_sampled = len({"spike", "surrogate"} & {*levels})
    for monitor in (monitors or {}).values():
        sampled = n_sampled * n_samples(monitor, duration) * n_seeds * sample_bytes(monitor, network)
        file, memory = file + int(sampled), memory + (0 if in_file else 2 * int(sampled))
    memory += sum(held) + max(held)  # levels are compared by copies of one after another
    if "spike" in levels:
        file += _chunked(n_times, sonata.frames_per_chunk(n_weights), 4 * n_weights) + _chunked(n_times, 1024, 8)
    for n in _n_spikes(network, listened) if {"spike", "surrogate"} & {*levels} else ():
        file += 2 * _chunked(n, sonata.SPIKES_PER_CHUNK, 8)
        memory += 0 if in_file else 32 * n
    parts = [each.model for each in network.populations] + [each.rule for each in network.projections]
    memory += 3 * sum(array.nbytes for array in _arrays(tuple(parts)))
    return Estimate(int(file), int(memory))


def check_memory(takes: Estimate) -> None:
    """HebbscopeError where a run takes more memory than the machine has."""
    if takes.memory > memory():
        raise HebbscopeError(
            f"simulate: needs about {size(takes.memory)} of memory, this machine has {size(memory())} "
            f"(a larger record_every or fewer seeds need less)"
        )


def _growing(n_times: int, *record_bytes: int) -> int:
    """Bytes of datasets with so many in each record."""
    return sum(_chunked(n_times, records_per_chunk(n), n) for n in record_bytes)


def _chunked(n: int, per_chunk: int, item_bytes: int) -> int:
    """Bytes of a dataset that grows by whole chunks, and of the tree that finds them."""
    chunks = -(-n // per_chunk)
    return chunks * (per_chunk * item_bytes + 40)


def _n_spikes(network: Network, listened: dict[str, float]) -> Iterator[int]:
    """How many spikes each population is expected to have while it is listened to, with the weights of the start."""
    for population in network.populations:
        seconds = listened.get(population.name, 0.0)
        if seconds > 0.0:
            yield int(
                seconds * (_input_rates(population).sum() if population.is_input else _output_rate(network, population))
            )


def _input_rates(population: Population) -> np.ndarray:
    """(n,) Hz, as far as the input says."""
    stated = hasattr(population.model, "mean_rates")
    return np.asarray(population.model.mean_rates(population.n), dtype=float) if stated else np.zeros(population.n)


def _output_rate(network: Network, population: Population) -> float:
    """Of all neurons of a population [Hz]."""
    if not network.is_exact:
        return GUESSED_RATE * population.n
    projection, model = network.projection, population.model
    drive = projection.transmission.effective(projection.initial_weights(0)) @ _input_rates(projection.source)
    output = getattr(model, "gain", 1.0) * (getattr(model, "base_rate", 0.0) - getattr(model, "threshold", 0.0) + drive)
    return float(np.maximum(output, 0.0).sum())


def _arrays(value: Any) -> Iterator[np.ndarray]:
    """All arrays that parts hold, however nested."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _arrays(item)
