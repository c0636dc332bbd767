"""How the cells of a population answer, on average, what arrives at them: linear Poisson neurons exactly, those whose rate under noise is known approximately.

What arrives is of two sums over all spikes per second: `arriving`, how far they move the cell, and `power`, the square of that. `lag` is how long synapses take [s], the
geometric mean by power. For linear neurons a spike moves an intensity, by its weight times the gain [Hz s]; for others a potential [V].

`under(arriving, power, lag)` are the answers of n cells, each with

    rate (n,) [Hz], and slopes(): what it gains by what arrives and by its power, (n,) each
    kick(omega) (n_omega, n): the transform of what a spike that moves a cell by one adds to its rate
    spectrum(omega) (n_omega, n) [Hz]: of its own train, where that is known; nan where spikes come by chance, at the intensity of the moment
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..simulator.network import Population
from ..simulator.protocols import ParameterError, require_methods
from .noisy_output import FREQUENCIES, SIGNS, outside, port_of, power_of

SLOPE = 1e-3  # sd by which the mean is moved, and share by which the power is, to see what the rate makes of it
WHY = "the approximate learning equation"


class LinearCells(NamedTuple):
    """Linear Poisson neurons of one model, n of them."""

    model: Any
    n: int

    def moves(self, receptor: str) -> float:
        """How far a spike of weight one moves a cell."""
        return SIGNS.get(receptor, 1.0) * float(self.model.gain)

    def passed(self, receptor: str, omega: np.ndarray) -> np.ndarray:
        """(n_omega,): the transform of the time that a synapse takes."""
        return np.ones(len(omega))

    def lag(self, receptor: str) -> float:
        """How long a synapse takes [s]: none asks."""
        return 0.0

    @property
    def tau(self) -> float:
        """For how long it remembers what moved it [s]: none asks."""
        return 1.0

    @property
    def outside(self) -> np.ndarray:
        """(3,): what arrives from outside of the network, its power, and that times the logarithm of the lag."""
        return np.zeros(3)

    def beside(self, statistics: Any) -> Any:
        """What correlations of an input add to its power: nothing that matters to the rate."""

    def under(self, arriving: np.ndarray, power: np.ndarray, lag: np.ndarray) -> LinearAnswers:
        return LinearAnswers(self.model, arriving)


class LinearAnswers(NamedTuple):
    """Of linear Poisson neurons."""

    model: Any
    arriving: np.ndarray

    @property
    def rate(self) -> np.ndarray:
        return self.model.gain * (self.model.base_rate - self.model.threshold) + self.arriving

    def slopes(self) -> tuple[np.ndarray, np.ndarray]:
        return np.ones(len(self.arriving)), np.zeros(len(self.arriving))

    def kick(self, omega: np.ndarray) -> np.ndarray:
        return np.repeat(self.model.epsp_transform(omega)[:, None], len(self.arriving), axis=1)

    def spectrum(self, omega: np.ndarray) -> np.ndarray:
        return np.full((len(omega), len(self.arriving)), np.nan)


class NoisyCells(NamedTuple):
    """Neurons whose rate under noise is known, n of one model, with what they have of background, in steps of dt [s]."""

    model: Any
    n: int
    background: Any
    dt: float

    def moves(self, receptor: str) -> float:
        """How far a spike of weight one moves a cell [V]."""
        return port_of(self.model, receptor).moves

    def passed(self, receptor: str, omega: np.ndarray) -> np.ndarray:
        """(n_omega,): the transform of the time that a synapse takes."""
        return port_of(self.model, receptor).passed(-1j * omega)

    def lag(self, receptor: str) -> float:
        """How long a synapse takes [s]; 0 where none takes any time."""
        return port_of(self.model, receptor).lag

    @property
    def tau(self) -> float:
        """For how long it remembers what moved it [s]."""
        return float(self.model.tau_m)

    @property
    def outside(self) -> np.ndarray:
        """(3,): what arrives from outside of the network, its power, and that times the logarithm of the lag."""
        return outside(self.model, self.background)

    def beside(self, statistics: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """left, right (n_trains, r) and own (n_trains,) of an input, whose power at a cell that it moves by a is a left right^T a + own a^2."""
        return power_of(statistics, self.model.tau_m)

    def under(self, arriving: np.ndarray, power: np.ndarray, lag: np.ndarray) -> NoisyAnswers:
        return NoisyAnswers(self.model, arriving, np.maximum(power, 0.0), lag, self.dt)


@dataclass(frozen=True, eq=False)
class NoisyAnswers:
    """Of neurons under noise."""

    model: Any
    arriving: np.ndarray
    power: np.ndarray
    lag: np.ndarray
    dt: float

    @cached_property
    def driven(self) -> Any:
        return self._driven(self.arriving, self.power)

    def _driven(self, arriving: np.ndarray, power: np.ndarray) -> Any:
        return self.model.driven(arriving, power, self.lag if np.any(self.lag) else 0.0, self.dt)

    @property
    def rate(self) -> np.ndarray:
        return np.asarray(self.driven.rate)

    def slopes(self) -> tuple[np.ndarray, np.ndarray]:
        tau = self.model.tau_m
        least = (SLOPE * (self.model.V_th - self.model.V_reset)) ** 2 / tau  # where there is no noise
        more = SLOPE * np.sqrt(0.5 * (self.power + least) / tau)
        stronger = SLOPE * (self.power + least)
        rates = [self._driven(self.arriving + step, self.power).rate for step in (more, -more)]
        by_power = self._driven(self.arriving, self.power + stronger).rate - self.rate
        return 0.5 * (rates[0] - rates[1]) / more, by_power / stronger

    @cached_property
    def _heard(self) -> tuple[Any, Any]:
        """Kick and spectrum as functions of omega."""
        kick, spectrum = self.driven.kick_and_spectrum(FREQUENCIES)
        return _between(kick.T), _between(spectrum.T)

    def kick(self, omega: np.ndarray) -> np.ndarray:
        """Beyond the last that is known it is c s^-1/2 + d s^-1, s = -i omega, as that of white noise comes to be [derived]: c and d are those of the last."""
        known, last = self._heard[0](omega), self._heard[0](FREQUENCIES[-1:])
        c, d = math.sqrt(2.0 * FREQUENCIES[-1]) * last.real, FREQUENCIES[-1] * (last.imag - last.real)
        s = -1j * np.maximum(omega, FREQUENCIES[-1])[:, None]
        return np.where(omega[:, None] > FREQUENCIES[-1], c / np.sqrt(s) + d / s, known)

    def spectrum(self, omega: np.ndarray) -> np.ndarray:
        return self._heard[1](omega)


def _between(known: np.ndarray) -> Any:
    """A function of omega (n_omega,), with values (n_omega, n), from those that are `known` at FREQUENCIES (n, ...); beyond these it is as at the nearest."""
    from scipy.interpolate import CubicSpline

    spline = CubicSpline(np.log(FREQUENCIES), known)
    return lambda omega: spline(np.log(np.clip(omega, FREQUENCIES[0], FREQUENCIES[-1])))


def cells_of(population: Population, dt: float) -> LinearCells | NoisyCells:
    """The cells of a population, which is no input, in steps of dt [s]."""
    model = population.model
    if not hasattr(model, "driven"):
        require_methods(model, "rates that come to rest", "gain")
        return LinearCells(model, population.n)
    require_methods(model, WHY, "tau_m", "V_th", "V_reset", "synapses")
    require_methods(model.synapses, WHY, "jump", "passed", "lag")
    if dt >= model.tau_m:
        raise ParameterError(type(model).__name__, "tau_m", f"must be > the step, {dt:g} s", model.tau_m)
    return NoisyCells(model, population.n, population.background, dt)
