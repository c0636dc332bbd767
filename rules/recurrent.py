"""The learning equation of linear Poisson neurons that drive each other, with delays.

Cells fire with the intensities nu_0 + J eps * S + K eps * S_in, of their own spikes S and those of the inputs, so that on average

    nu = (1 - J)^-1 (nu_0 + K nu_in)
    dJ_ij/dt = eta [w_in nu_j + w_out nu_i + W~ nu_i nu_j + C^W_ij],    C^W_ij = int W(s) C_ji(s - d_ij) ds,    d = axonal delay - dendritic delay,

j the source of a synapse and i its target, and the same for K. C_ji(s) is the covariance of the two trains, S_j(t + s) with S_i(t). It has all in it that
goes around in the network, and follows from the weights by way of its spectrum: with G the transform of J eps, H that of K eps, both with their delays,

    C(omega) = R [H C_in(omega) H* + diag(nu)] R*,    R = (1 - G)^-1.

Exact for slow learning while no intensity is rectified. One layer without delays has the closed forms of rules/reduction.py instead.

Source: Burkitt, Gilson & van Hemmen, Biol Cybern 96:533 (2007), and Gilson, Burkitt, Grayden, Thomas & van Hemmen, Biol Cybern 101:81 to 103:365 (2009-10)
[recalled, derived again]; spectra of trains that excite each other Hawkes, Biometrika 58:83 (1971) [recalled, derived again].
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..simulator.network import Network
from ..simulator.plain import Direct
from ..simulator.protocols import Cosine, HebbscopeError, ParameterError, Sine, require_methods
from .window_integrals import doubling, kernel_transform, panels

FINEST, END = 0.1, 1e10  # rad/s: panels of the integral over the spectrum double from the first to the second
TURNS, TURNING = (
    25.0,
    1e5,
)  # rad that a delay may turn in one panel, below so many rad/s: beyond, a jump of the window leaves an error of 2e-4
MEMORY = 2**19  # numbers that the spectra of some frequencies may take at once


class Joined(NamedTuple):
    """The synapses of a projection, (n_synapses,) each: source and target as numbers of all trains and all cells, how late they deliver [s], and by how
    much later than the target's spikes those of the source come to them, both from the cell [s]. from_input: whether the source is an input; factor:
    what a weight of one adds to an intensity."""

    pre: np.ndarray
    post: np.ndarray
    delay: np.ndarray
    later: np.ndarray
    from_input: bool
    factor: float


@dataclass(frozen=True, repr=False, eq=False)
class RecurrentEquation:
    """Rates and drifts of a network of linear Poisson neurons at any weights.

    Methods take weights as projection -> (n_post, n_pre), or (n_synapses,) in the order of its wiring where not all are joined to all; projections
    that are not in it have those that they start with, for seed 1 where they are drawn. They return likewise.
    """

    network: Network

    def __post_init__(self) -> None:
        if not self.network.learning:
            raise HebbscopeError(f"Network {self.network.name}: has no projection that learns")
        for each in self.network.projections:
            if not isinstance(each.transmission, Direct):
                rule = "must be Direct for the learning equation of a recurrent network"
                raise ParameterError(f"Projection {each.name}", "transmission", rule, each.transmission)
        for each in self.network.learning:
            if not hasattr(each.rule, "pairs"):
                raise HebbscopeError(f"{type(each.rule).__name__}: has no learning equation in a recurrent network")
            require_methods(each.rule.pairs.window, "the learning equation", "integral", "transform")
            if each.source is each.target and np.any(each.wiring.pre == each.wiring.post):
                rule = "must join no cell to itself where the synapses learn, for the learning equation"
                raise ParameterError(f"Projection {each.name}", "connectivity", rule, each.connectivity)

    # The network in numbers

    @cached_property
    def _first(self) -> dict[str, int]:
        """The number of the first cell, or train, of each population."""
        first, n = {}, {True: 0, False: 0}
        for each in self.network.populations:
            first[each.name] = n[each.is_input]
            n[each.is_input] += each.n
        return first

    @cached_property
    def _joined(self) -> dict[str, Joined]:
        return {each.name: self._numbered(each) for each in self.network.projections}

    def _numbered(self, projection: Any) -> Joined:
        pre, post = projection.wiring
        there, back = (np.broadcast_to(getattr(projection, name), pre.shape) for name in ("delay", "dendritic_delay"))
        sign = -1.0 if projection.receptor == "inhibitory" else 1.0
        return Joined(
            pre + self._first[projection.source.name],
            post + self._first[projection.target.name],
            there + back,
            there - back,
            projection.source.is_input,
            sign * projection.transmission.scale * projection.target.model.gain,
        )

    @cached_property
    def _inputs(self) -> list[Any]:
        """InputStatistics of each input population."""
        from .reduction import statistics_of

        return [statistics_of(each) for each in self.network.populations if each.is_input]

    @cached_property
    def _input_rates(self) -> np.ndarray:
        return np.concatenate([np.zeros(0), *(each.rates for each in self._inputs)])

    def _of_cells(self, value: Any) -> np.ndarray:
        """(..., n_cells): what a model says, of each cell."""
        cells = [each for each in self.network.populations if not each.is_input]
        return np.concatenate([np.repeat(np.asarray(value(each.model))[..., None], each.n, -1) for each in cells], -1)

    def _projection(self, name: str) -> Any:
        found = [each for each in self.network.projections if each.name == name]
        if not found:
            raise ParameterError(f"Network {self.network.name}", "projections", "must be named as they are", name)
        return found[0]

    def _values(self, weights: Mapping[str, np.ndarray] | None) -> dict[str, np.ndarray]:
        """projection -> (n_synapses,)."""
        values = {}
        for name, given in (weights or {}).items():
            each, w = self._projection(name), np.asarray(given, float)
            shape = (each.target.n, each.source.n) if each.is_dense else (each.n_synapses,)
            if w.shape != shape:
                raise ParameterError(f"Projection {name}", "weights", f"must be {' x '.join(map(str, shape))}", w)
            values[name] = w.T.ravel()
        others = (each for each in self.network.projections if each.name not in values)
        return values | {each.name: each.initial_values(1) for each in others}

    def _shaped(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The way back, for projections that learn."""
        return {
            each.name: values[each.name].reshape(each.source.n, -1).T if each.is_dense else values[each.name]
            for each in self.network.learning
        }

    def _gains(self, values: Mapping[str, np.ndarray], omega: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """G (n_omega, n_cells, n_cells) and H (n_omega, n_cells, n_trains); J and K themselves at frequency 0."""
        epsp = self._of_cells(lambda model: model.epsp_transform(omega))
        n = epsp.shape[-1]
        inner, outer = np.zeros((len(omega), n, n), complex), np.zeros((len(omega), n, len(self._input_rates)), complex)
        for name, each in self._joined.items():
            delivered = each.factor * values[name] * _turned(omega, each.delay)
            (outer if each.from_input else inner)[:, each.post, each.pre] += delivered
        return epsp[:, :, None] * inner, epsp[:, :, None] * outer

    # Rates

    def _rates(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """(n_cells,) [Hz]; HebbscopeError where they are not at rest or would be negative."""
        self._check_stable(values)
        inner, outer = (gains[0].real for gains in self._gains(values, np.zeros(1)))
        alone = self._of_cells(lambda model: model.gain * (model.base_rate - model.threshold))
        rates = np.linalg.solve(np.eye(len(inner)) - inner, alone + outer @ self._input_rates)
        if rates.min() < 0.0:
            raise HebbscopeError(
                f"Network {self.network.name}: the linear rate of a cell is {rates.min():g} Hz, below 0"
            )
        return rates

    @cached_property
    def _at_start(self) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """The weights of the start, and the rates (n_cells,) [Hz] that they make."""
        values = self._values(None)
        return values, self._rates(values)

    def _at(self, weights: Mapping[str, np.ndarray] | None) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """The same at any weights."""
        if not weights:
            return self._at_start
        values = self._values(weights)
        return values, self._rates(values)

    def _check_stable(self, values: Mapping[str, np.ndarray]) -> None:
        """Nothing grows by itself, at rest or in waves: det(1 - G) does not go around 0 as the frequency goes from 0 to infinity (Nyquist)."""
        omega, _ = panels(self._edges)
        around = [np.linalg.slogdet(np.eye(each.shape[-1]) - each)[0] for each in self._inner(values, omega)]
        phase = np.unwrap(np.angle(np.concatenate(around)))
        if abs(phase[-1] - phase[0]) > 1.0:
            raise HebbscopeError(f"Network {self.network.name}: its rates run away, cells drive each other too much")

    def _inner(self, values: Mapping[str, np.ndarray], omega: np.ndarray) -> Iterator[np.ndarray]:
        """G at some frequencies at a time."""
        for some in self._at_a_time(len(omega)):
            yield self._gains(values, omega[some])[0]

    def rates(self, weights: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """population -> (n,) mean rates [Hz]."""
        _, cells = self._at(weights)
        of = {True: self._input_rates, False: cells}
        return {each.name: of[each.is_input][self._first[each.name] :][: each.n] for each in self.network.populations}

    # Covariances

    def correlation_drift(self, weights: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """eta C^W [1/s] of every projection that learns: what moves weights once the rates have come to rest."""
        return self._shaped(self._correlation_drift(*self._at(weights)))

    def _correlation_drift(self, values: Mapping[str, np.ndarray], cells: np.ndarray) -> dict[str, np.ndarray]:
        found = {each.name: np.zeros(each.n_synapses) for each in self.network.learning}
        for omega, measure, inputs, own in self._spectra(cells):
            inner, outer = self._gains(values, omega)
            response = np.linalg.inv(np.eye(len(cells)) - inner)
            driven = response @ outer
            across = inputs @ driven.conj().swapaxes(1, 2)
            among = driven @ across + (response * own) @ response.conj().swapaxes(1, 2)
            for each in self.network.learning:
                joined, pairs = self._joined[each.name], each.rule.pairs
                spectrum = (across if joined.from_input else among)[:, joined.pre, joined.post]
                weighed = pairs.eta * measure * np.conj(pairs.window.transform(omega))
                seen = weighed[:, None] * spectrum * _turned(omega, joined.later)
                found[each.name] += seen.real.sum(axis=0)
        return found

    def _spectra(self, cells: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Frequencies omega (n_omega,) [rad/s], their measure in an integral over all, spectra (n_omega, n_trains, n_trains) of the inputs, and (n_cells,) of
        what cells add on their own: all but the lines, some at a time, and then each line."""
        omega, measure = panels(self._edges)
        for some in self._at_a_time(len(omega)):
            yield omega[some], measure[some] / np.pi, self._continuous(omega[some]), cells
        for frequency in sorted({term.kernel.frequency for each in self._inputs for term in _lines(each)}):
            line = np.array([2.0 * np.pi * frequency])
            yield line, np.ones(1), self._line(frequency)[None], np.zeros(len(cells))

    def _at_a_time(self, n_omega: int) -> list[np.ndarray]:
        """The numbers of frequencies whose spectra fit into memory together."""
        size = sum(each.n for each in self.network.populations) ** 2
        return np.array_split(np.arange(n_omega), 1 + n_omega * size // MEMORY)

    @cached_property
    def _edges(self) -> np.ndarray:
        latest = max(float(each.delay.max()) for each in self._joined.values())
        turning = np.arange(0.0, TURNING, TURNS / latest) if latest > 0.0 else np.zeros(1)
        return np.concatenate([doubling(FINEST, END), turning])

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

        return _side_by_side([of_one(each) for each in self._inputs], len(omega))

    def _line(self, frequency: float) -> np.ndarray:
        """(n_trains, n_trains): M with the covariance Re[M exp(-2 pi i frequency s)]."""

        def of_one(each: Any) -> np.ndarray:
            total = np.zeros((1, len(each.rates), len(each.rates)), complex)
            for term in _lines(each):
                if term.kernel.frequency == frequency:
                    total += (1.0 if isinstance(term.kernel, Cosine) else 1j) * (term.left @ term.right.T)
            return total

        return _side_by_side([of_one(each) for each in self._inputs], 1)[0]

    # The equation

    def drift(self, weights: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """dJ/dt [1/s] of every projection that learns."""
        values, cells = self._at(weights)
        correlated, by_rates = self._correlation_drift(values, cells), self._drift_by_rates(cells)
        return self._shaped({name: by_rates[name] + correlated[name] for name in correlated})

    def _drift_by_rates(self, cells: np.ndarray) -> dict[str, np.ndarray]:
        """projection -> (n_synapses,) [1/s]: the drift but for correlations."""
        found = {}
        for each in self.network.learning:
            joined, pairs = self._joined[each.name], each.rule.pairs
            x = (self._input_rates if joined.from_input else cells)[joined.pre]
            found[each.name] = pairs.eta * _by_rates(pairs, x, cells[joined.post])
        return found

    def homeostatic_rate(self, projection: str) -> float:
        """The rate [Hz] of the targets at which, without correlations, the weights of a projection rest on average: -w_in nu_in / (w_out + W~ nu_in).

        Among cells of one population, which are their own sources, -(w_in + w_out) / W~. It is stable where w_out + W~ nu_in < 0, or W~ < 0.
        """
        each = self._projection(projection)
        pairs = each.rule.pairs
        area, x = pairs.window.integral(), float(self.rates()[each.source.name].mean())
        if each.source is each.target:
            top, bottom = pairs.w_in + pairs.w_out, area
        else:
            top, bottom = pairs.w_in * x, pairs.w_out + area * x
        return -top / bottom if bottom != 0.0 else float("nan")

    def coefficients(self) -> dict[str, float]:
        """Of every projection that learns at the weights of the start: W~ with eta in it [s], the mean drift, and what correlations have of it [1/s]."""
        values, cells = self._at_start
        correlated, by_rates, found = self._correlation_drift(values, cells), self._drift_by_rates(cells), {}
        for each in self.network.learning:
            pairs = each.rule.pairs
            found[f"{each.name}.W_integral"] = float(pairs.eta * pairs.window.integral())
            found[f"{each.name}.drift"] = float((by_rates[each.name] + correlated[each.name]).mean())
            found[f"{each.name}.correlation_drift"] = float(correlated[each.name].mean())
        return found

    def predictions(self) -> dict[str, float]:
        """The mean rate [Hz] of each population at the weights of the start, and the homeostatic rate of every projection that learns."""
        found = {f"{name}.rate": float(rates.mean()) for name, rates in self.rates().items()}
        return found | {
            f"{each.name}.homeostatic_rate": self.homeostatic_rate(each.name) for each in self.network.learning
        }

    def __repr__(self) -> str:
        units = {"W_integral": "s", "drift": "1/s", "correlation_drift": "1/s", "rate": "Hz", "homeostatic_rate": "Hz"}
        rows = [
            f"  {name:<40} {value:>10.4g} {units[name.rpartition('.')[2]]}"
            for name, value in {**self.coefficients(), **self.predictions()}.items()
        ]
        head = [
            f"RecurrentEquation of {len(self.network.learning)} projections of {self.network.name}",
            "  dJ_ij/dt = w_in nu_j + w_out nu_i + W~ nu_i nu_j + C^W_ij",
        ]
        return "\n".join(head + rows)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def _turned(omega: np.ndarray, late: np.ndarray) -> np.ndarray:
    """(n_omega, n_synapses): exp(i omega late), where few synapses are late by times of their own."""
    times, which = np.unique(late, return_inverse=True)
    return np.exp(1j * omega[:, None] * times)[:, which]


def _by_rates(pairs: Any, x: Any, y: Any) -> Any:
    """What the rates x of the source and y of the target [Hz] change, for unit eta."""
    return pairs.w_in * x + pairs.w_out * y + pairs.window.integral() * x * y


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
