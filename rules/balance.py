"""The rates that come to rest in a network of cells, each with what arrives at it from all that drive it.

A spike of j moves cell i by a_ij, an input spike of k by b_ik. Where all that arrives is of independent trains, cells fire at

    nu_i = phi_i(m_i, p_i),    m_i = sum_j a_ij nu_j + sum_k b_ik nu_k,    p_i the same of squares,

with phi as in cells.py: of linear Poisson neurons linear in m, of neurons under noise their rate at that mean and power. What inputs share counts in the power.

Source: Brunel 2000, J Comput Neurosci 8:183, of each cell by itself [recalled, derived again].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..simulator.protocols import HebbscopeError
from .circuit import Circuit
from .noisy_output import log_of

GUESS = 10.0  # Hz, from which on rates are looked for
AT_REST = 1e-10  # relative error of rates that are at rest
FOUND = 1e-7  # by how much they may miss what comes of them, relative to the fastest


@dataclass(frozen=True, eq=False)
class AtRest:
    """The rates (n_cells,) [Hz] that come to rest in a circuit at some weights, projection -> (n_synapses,), and how cells answer there, by population."""

    circuit: Circuit
    weights: Mapping[str, np.ndarray]
    rates: np.ndarray
    answers: Mapping[str, Any]

    def kick(self, omega: np.ndarray) -> np.ndarray:
        """(n_omega, n_cells)."""
        return np.concatenate([each.kick(omega) for each in self.answers.values()], axis=1)

    def own(self, omega: np.ndarray) -> np.ndarray:
        """(n_omega, n_cells) Hz: the spectrum that each train has, nan where it is what comes of independent spikes."""
        return np.concatenate([each.spectrum(omega) for each in self.answers.values()], axis=1)


def at_rest(circuit: Circuit, weights: Mapping[str, np.ndarray], near: np.ndarray | None = None) -> AtRest:
    """Where rates come to rest, found from rates `near` (n_cells,) [Hz]; HebbscopeError where they do not."""
    balance = Balance(circuit, weights)
    with np.errstate(all="ignore"):
        rates = balance.found(np.where(circuit.are_noisy, GUESS, 0.0) if near is None else near)
        return AtRest(circuit, weights, rates, balance.answers(rates))


@dataclass(frozen=True, eq=False)
class Balance:
    """What the cells of a circuit make of the rates (n_cells,) [Hz] at which they fire, at weights projection -> (n_synapses,)."""

    circuit: Circuit
    weights: Mapping[str, np.ndarray]

    def found(self, near: np.ndarray) -> np.ndarray:
        """The rates that come to rest, from those that are near; the last step, of Newton's method, is exact of cells that are linear."""
        from scipy.optimize import root

        rates = near
        if self.circuit.are_noisy.any():
            rates = root(self.missed, near, jac=self.slopes, method="hybr", tol=AT_REST).x
        slopes = self.slopes(rates)
        if np.isfinite(slopes).all() and np.linalg.slogdet(slopes)[0] != 0.0:
            rates = rates - np.linalg.solve(slopes, self.missed(rates))
            if np.abs(self.missed(rates)).max(initial=0.0) <= FOUND * np.abs(rates).max(initial=0.0):
                return rates
        raise self._no_rest()

    def _no_rest(self) -> HebbscopeError:
        return HebbscopeError(f"Network {self.circuit.network.name}: finds no rates at which its cells come to rest")

    def missed(self, rates: np.ndarray) -> np.ndarray:
        """(n_cells,) Hz: by how much rates are above what comes of them."""
        return rates - np.concatenate([each.rate for each in self.answers(rates).values()])

    def slopes(self, rates: np.ndarray) -> np.ndarray:
        """(n_cells, n_cells): by how much more they miss it, for each rate that is higher."""
        each = (of.slopes() for of in self.answers(rates).values())
        by_arriving, by_power = (np.concatenate(slopes) for slopes in zip(*each, strict=True))
        moved = by_arriving[:, None] * self.inner.toarray() + by_power[:, None] * self.powers.toarray()
        return np.eye(len(rates)) - moved

    def answers(self, rates: np.ndarray) -> dict[str, Any]:
        """population -> how its cells answer, see cells.py."""
        arriving, power, lagging = self.driven
        among = self.powers @ rates
        arriving, power, lagging = (
            arriving + self.inner @ rates,
            power + among,
            lagging + among * self._log_lag(False, rates),
        )
        if not all(np.isfinite(each).all() for each in (arriving, power)):
            raise self._no_rest()
        log_lag = np.divide(lagging, power, out=np.zeros(len(power)), where=power > 0.0)
        lag = np.where(self.circuit.lags, np.exp(log_lag), 0.0)
        cells, place = self.circuit.cells, self.circuit.place
        return {name: each.under(*(of[place(name)] for of in (arriving, power, lag))) for name, each in cells.items()}

    @cached_property
    def inner(self) -> Any:
        """(n_cells, n_cells), sparse: how far cells move each other."""
        return self.circuit.moves(self.weights, False)

    @cached_property
    def powers(self) -> Any:
        """The same of the power of that."""
        return self.circuit.powers(self.weights, False)

    @cached_property
    def driven(self) -> np.ndarray:
        """(3, n_cells): what arrives of all but the cells themselves, its power, and that times the logarithm of the lag."""
        circuit, outer = self.circuit, self.circuit.moves(self.weights, True)
        found = np.concatenate([np.repeat(each.outside[:, None], each.n, 1) for each in circuit.cells.values()], axis=1)
        found[0] += outer @ circuit.input_rates
        powers, log_lag = self.circuit.powers(self.weights, True), self._log_lag(True, circuit.input_rates)
        for (cells, given), beside in circuit.beside.items():
            if beside is not None:
                (left, right, own), place, trains = beside, circuit.place(cells), circuit.trains(given)
                seen = outer[place, trains]
                power = ((seen @ left) * (seen @ right)).sum(axis=1) + powers[place, trains] @ own
                found[1, place] += power
                found[2, place] += power * log_lag[place]
        return found

    def _log_lag(self, from_input: bool, rates: np.ndarray) -> np.ndarray:
        """(n_cells,): the mean logarithm of the lags [s] of all synapses from inputs, or from cells, which fire at these rates, by their power."""
        found = np.zeros((2, self.circuit.n_cells))
        for name, each in self.circuit.joined.items():
            if each.from_input == from_input:
                power = np.bincount(each.post, (each.moves * self.weights[name]) ** 2 * rates[each.pre], found.shape[1])
                found += power, power * log_of(self.circuit.cells[each.target].lag(each.receptor))
        return np.divide(found[1], found[0], out=np.zeros(found.shape[1]), where=found[0] > 0.0)
