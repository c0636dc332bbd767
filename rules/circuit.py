"""A network of cells in numbers: who is joined to whom, how strongly, how late, and what its inputs state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..simulator.network import Network
from .cells import NoisyCells, cells_of


class Joined(NamedTuple):
    """The synapses of a projection, (n_synapses,) each: source and target as numbers of all trains and all cells, how late they deliver [s], and by how
    much later than the target's spikes those of the source come to them, both from the cell [s]. from_input: whether the source is an input; moves:
    how far a weight of one moves the target; target: its population; receptor: by which."""

    pre: np.ndarray
    post: np.ndarray
    delay: np.ndarray
    later: np.ndarray
    from_input: bool
    moves: float
    target: str
    receptor: str


@dataclass(frozen=True, eq=False)
class Circuit:
    """A network whose cells are in steps of dt [s]. Weights are projection -> (n_synapses,), in the order of its wiring."""

    network: Network
    dt: float

    @cached_property
    def first(self) -> dict[str, int]:
        """The number of the first cell, or train, of each population."""
        first, n = {}, {True: 0, False: 0}
        for each in self.network.populations:
            first[each.name] = n[each.is_input]
            n[each.is_input] += each.n
        return first

    @cached_property
    def cells(self) -> dict[str, Any]:
        """The cells of each population that is no input."""
        return {each.name: cells_of(each, self.dt) for each in self.network.populations if not each.is_input}

    @cached_property
    def joined(self) -> dict[str, Joined]:
        return {each.name: self._numbered(each) for each in self.network.projections}

    def _numbered(self, projection: Any) -> Joined:
        pre, post = projection.wiring
        there, back = (np.broadcast_to(getattr(projection, name), pre.shape) for name in ("delay", "dendritic_delay"))
        return Joined(
            pre + self.first[projection.source.name],
            post + self.first[projection.target.name],
            there + back,
            there - back,
            projection.source.is_input,
            projection.transmission.scale * self.cells[projection.target.name].moves(projection.receptor),
            projection.target.name,
            projection.receptor,
        )

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """InputStatistics of each input population."""
        from .reduction import statistics_of

        return {each.name: statistics_of(each) for each in self.network.populations if each.is_input}

    @cached_property
    def input_rates(self) -> np.ndarray:
        """(n_trains,) [Hz]."""
        return np.concatenate([np.zeros(0), *(each.rates for each in self.inputs.values())])

    @property
    def n_cells(self) -> int:
        return sum(each.n for each in self.cells.values())

    @cached_property
    def are_noisy(self) -> np.ndarray:
        """(n_cells,): whether a cell is driven by noise, so that its rate depends on the others otherwise than linearly."""
        return np.concatenate([np.full(each.n, isinstance(each, NoisyCells)) for each in self.cells.values()])

    def trains(self, name: str) -> slice:
        """Where the trains of an input are among all."""
        return slice(self.first[name], self.first[name] + len(self.inputs[name].rates))

    def place(self, name: str) -> slice:
        """Where the cells of a population are among all."""
        return slice(self.first[name], self.first[name] + self.cells[name].n)

    def moves(self, weights: Mapping[str, np.ndarray], from_input: bool) -> Any:
        """(n_cells, n_cells) or (n_cells, n_trains), sparse: how far a spike moves a cell in all."""
        each = [name for name, joined in self.joined.items() if joined.from_input == from_input]
        return sum(
            (self._matrix(name, self.joined[name].moves * weights[name]) for name in each), self._nothing(from_input)
        )

    def powers(self, weights: Mapping[str, np.ndarray], from_input: bool) -> Any:
        """The same of the power of what a spike does, its square where all comes at once; what comes by several synapses later than the time constant of the cell
        apart adds up as if it came by chance."""
        each = [name for name, joined in self.joined.items() if joined.from_input == from_input]
        moved = {name: self._matrix(name, self.joined[name].moves * weights[name]) for name in each}
        total = sum((of_one.power(2) for of_one in moved.values()), self._nothing(from_input))
        for k, one in enumerate(each):
            for other in each[k + 1 :]:
                both = moved[one].multiply(moved[other]).tocoo()
                if both.nnz:
                    apart = [
                        self._matrix(name, 1.0 + self.joined[name].delay)[both.row, both.col] for name in (one, other)
                    ]
                    together = 2.0 * both.data * np.exp(-np.abs(np.ravel(apart[0] - apart[1])) / self._taus[both.row])
                    total = total + type(total)((together, (both.row, both.col)), shape=total.shape)
        return total

    @cached_property
    def _taus(self) -> np.ndarray:
        """(n_cells,) s: for how long a cell remembers what moved it."""
        return np.concatenate([np.full(each.n, each.tau) for each in self.cells.values()])

    def _matrix(self, name: str, values: np.ndarray) -> Any:
        """(n_cells, n_cells) or (n_cells, n_trains), sparse: values (n_synapses,) of a projection."""
        from scipy.sparse import csr_array

        joined = self.joined[name]
        return csr_array((values, (joined.post, joined.pre)), shape=self._nothing(joined.from_input).shape)

    def _nothing(self, from_input: bool) -> Any:
        from scipy.sparse import csr_array

        return csr_array((self.n_cells, len(self.input_rates) if from_input else self.n_cells))

    @cached_property
    def lags(self) -> np.ndarray:
        """(n_cells,): whether synapses onto a cell take any time."""
        slow = (isinstance(each, NoisyCells) and each.model.synapses.lag(0) > 0.0 for each in self.cells.values())
        return np.concatenate([np.full(each.n, takes) for each, takes in zip(self.cells.values(), slow, strict=True)])

    @cached_property
    def beside(self) -> dict[tuple[str, str], Any]:
        """(cells, input) -> what makes the power of the input at these cells, or None, see cells.py."""
        return {(a, b): cells.beside(each) for a, cells in self.cells.items() for b, each in self.inputs.items()}
