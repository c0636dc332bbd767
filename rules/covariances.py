"""The spectra that all trains of a network have with each other, where its rates are at rest.

A spike of j moves cell i by a_ij after a delay d_ij, and the cell answers with the transform h_i, to the first order in the move, so that

    C(omega) = R [H C_in H* + diag(D)] R*,    R = (1 - G)^-1,    G_ij = h_i a_ij exp(i omega d_ij),    H likewise of inputs.

Of linear Poisson neurons D_i = nu_i: exact. Of neurons under noise D is what gives each train the spectrum that it has there, so that what cells hear of each other counts
once: approximate, good while single moves are small against the sd of the potential and cells fire asynchronously.

Integrals over frequency are good to 1e-3 but where spikes go around for longer than cells remember, many times: of a loop of a gain of 0.8 through a delay of 20 times the
time constant to 3 %, of 0.95 to 20 %, since its resonances are narrower than the panels.

Source: Hawkes, Biometrika 58:83 (1971); Lindner, Doiron & Longtin, Phys Rev E 72:061919 (2005); Trousdale, Hu, Shea-Brown & Josic, PLoS Comput Biol 8:e1002408 (2012)
[recalled, derived again]; D [derived].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..simulator.protocols import Cosine, HebbscopeError, Sine
from .balance import AtRest
from .circuit import Circuit
from .window_integrals import kernel_transform, panels

# rad/s: up to the first all is as at rest, up to the second panels of the integral over the spectrum grow by the third
FINEST, END, GROWTH = 0.1, 1e10, 4.0
# rad that a delay may turn in one panel, below so many rad/s: beyond, a jump of the window leaves an error of 2e-4, and where cells answer at once of some 3e-3
TURNS, TURNING = 30.0, 2e5
MEMORY = 2**19  # numbers that the spectra of some frequencies may take at once


class Spectra(NamedTuple):
    """At frequencies omega (n_omega,) [rad/s], with their measure (n_omega,) in an integral over all: inputs (n_omega, n_trains, n_trains), of inputs with each
    other, across (n_omega, n_trains, n_cells), of inputs with cells, and among (n_omega, n_cells, n_cells), of cells with each other."""

    omega: np.ndarray
    measure: np.ndarray
    inputs: np.ndarray
    across: np.ndarray
    among: np.ndarray


@dataclass(frozen=True, eq=False)
class Covariances:
    """Of a circuit whose rates are at rest."""

    rest: AtRest

    @property
    def circuit(self) -> Circuit:
        return self.rest.circuit

    def check_stable(self) -> None:
        """HebbscopeError where anything grows by itself, at rest or in waves: det(1 - G) goes around 0 as the frequency goes from 0 to infinity (Nyquist)."""
        if all(each.from_input for each in self.circuit.joined.values()):
            return
        omega, _ = panels(self._edges)
        with np.errstate(all="ignore"):
            around = [
                np.linalg.slogdet(np.eye(self.circuit.n_cells) - self._gains(omega[some])[0])[0]
                for some in self._at_a_time(len(omega))
            ]
        phase = np.unwrap(np.angle(np.concatenate(around)))
        if abs(phase[-1] - phase[0]) > 1.0:
            name = self.circuit.network.name
            raise HebbscopeError(f"Network {name}: its rates run away, cells drive each other too much")

    def _gains(self, omega: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """G (n_omega, n_cells, n_cells) and H (n_omega, n_cells, n_trains)."""
        n, kick = self.circuit.n_cells, self.rest.kick(omega)
        inner, outer = (np.zeros((len(omega), n, m), complex) for m in (n, len(self.circuit.input_rates)))
        for name, each in self.circuit.joined.items():
            late = turned(omega, each.delay) * self.circuit.cells[each.target].passed(each.receptor, omega)[:, None]
            (outer if each.from_input else inner)[:, each.post, each.pre] += each.moves * self.rest.weights[name] * late
        return kick[:, :, None] * inner, kick[:, :, None] * outer

    def spectra(self) -> Iterator[Spectra]:
        """Of all trains: all but the lines, some frequencies at a time, and then each line."""
        yield from self.continuous()
        lines = {term.kernel.frequency for each in self.circuit.inputs.values() for term in _lines(each)}
        for frequency in sorted(lines):
            line = np.array([2.0 * np.pi * frequency])
            yield self._spectra(line, np.ones(1), self._line(frequency)[None], False)

    def continuous(self) -> Iterator[Spectra]:
        """All but the lines, some frequencies at a time, the lowest first."""
        omega, measure = panels(self._edges)
        for some in self._at_a_time(len(omega)):
            yield self._spectra(omega[some], measure[some] / np.pi, self._continuous(omega[some]), True)

    def _spectra(self, omega: np.ndarray, measure: np.ndarray, inputs: np.ndarray, alone: bool) -> Spectra:
        """alone: whether cells add something of their own."""
        inner, outer = self._gains(omega)
        response = np.linalg.inv(np.eye(self.circuit.n_cells) - inner)
        driven = response @ outer
        across = inputs @ driven.conj().swapaxes(1, 2)
        among = driven @ across
        if alone:
            among = among + (response * self._added(omega, response, among)) @ response.conj().swapaxes(1, 2)
        return Spectra(omega, measure, inputs, across, among)

    def _added(self, omega: np.ndarray, response: np.ndarray, driven: np.ndarray) -> np.ndarray:
        """(n_omega, 1, n_cells): D, where inputs make the spectra `driven` (n_omega, n_cells, n_cells)."""
        own = self.rest.own(omega)
        known = ~self.circuit.are_noisy  # of cells that fire by chance at the intensity of the moment
        added = np.broadcast_to(self.rest.rates, own.shape).copy()
        if not known.all():
            passed = np.abs(response[:, ~known]) ** 2
            left = (own - np.einsum("kii->ki", driven).real)[:, ~known] - passed[:, :, known] @ self.rest.rates[known]
            added[:, ~known] = np.linalg.solve(passed[:, :, ~known], left[..., None])[..., 0]
        return added[:, None, :]

    def _at_a_time(self, n_omega: int) -> list[np.ndarray]:
        """The numbers of frequencies whose spectra fit into memory together."""
        size = sum(each.n for each in self.circuit.network.populations) ** 2
        return np.array_split(np.arange(n_omega), min(n_omega, 1 + n_omega * size // MEMORY))

    @cached_property
    def _edges(self) -> np.ndarray:
        latest = max(float(each.delay.max(initial=0.0)) for each in self.circuit.joined.values())
        turning = np.arange(0.0, TURNING, TURNS / latest) if latest > 0.0 else np.zeros(1)
        growing = FINEST * GROWTH ** np.arange(np.ceil(np.log(END / FINEST) / np.log(GROWTH)))
        return np.concatenate([[0.0], growing, [END], turning])

    def _continuous(self, omega: np.ndarray) -> np.ndarray:
        """(n_omega, n_trains, n_trains)."""

        def of_one(each: Any) -> np.ndarray:
            total = np.zeros((len(omega), len(each.rates), len(each.rates)), complex)
            for vector, kernel in each.atom:
                total += np.diag(vector) * kernel_transform(kernel, omega)[:, None, None]
            for term in each.covariance:
                if not isinstance(term.kernel, Cosine | Sine):
                    total += (term.left @ term.right.T) * kernel_transform(term.kernel, omega)[:, None, None]
            return total

        return _side_by_side([of_one(each) for each in self.circuit.inputs.values()], len(omega))

    def _line(self, frequency: float) -> np.ndarray:
        """(n_trains, n_trains): M with the covariance Re[M exp(-2 pi i frequency s)]."""

        def of_one(each: Any) -> np.ndarray:
            total = np.zeros((1, len(each.rates), len(each.rates)), complex)
            for term in _lines(each):
                if term.kernel.frequency == frequency:
                    total += (1.0 if isinstance(term.kernel, Cosine) else 1j) * (term.left @ term.right.T)
            return total

        return _side_by_side([of_one(each) for each in self.circuit.inputs.values()], 1)[0]


def turned(omega: np.ndarray, late: np.ndarray) -> np.ndarray:
    """(n_omega, n_synapses): exp(i omega late), where few synapses are late by times of their own."""
    times, which = np.unique(late, return_inverse=True)
    return np.exp(1j * omega[:, None] * times)[:, which]


def _lines(statistics: Any) -> list[Any]:
    """Terms of a covariance that never ends."""
    return [term for term in statistics.covariance if isinstance(term.kernel, Cosine | Sine)]


def _side_by_side(blocks: list[np.ndarray], n_omega: int) -> np.ndarray:
    """(n_omega, n, n) from square blocks along the diagonal, none of which has to do with another."""
    n = sum(block.shape[1] for block in blocks)
    whole, first = np.zeros((n_omega, n, n), complex), 0
    for block in blocks:
        last = first + block.shape[1]
        whole[:, first:last, first:last] = block
        first = last
    return whole
