"""The output of a neuron that is not linear, by its mean rate under noise and its answer to a kick of the first order: approximate.

What arrives at the neuron is taken as noise: of plastic synapses from one input population, with the covariances that this states, and of others that
do not learn. A spike of input j through the weight J_j adds to the output rate J_j h(u), a time u later, where h depends on all the weights by way of mean and
variance of the noise, and on the time course of the synapse. So the covariance of input i with the output is C_i(s) = sum_j J_j int h(u) C_ij(s + u) du,
that of input i with itself included.

Good while single weights are small against the sd of the potential, covariances of inputs move it by less than their independent spikes do, and synapses are
fast against the membrane: where they take a tenth of its time constant, rates are within some 5 % (tests/test_diffusion.py).
Source: of the rate and h the neuron's own; covariance to the first order as for linear neurons, rules/reduction.py [derived].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from ..simulator.network import Network
from ..simulator.protocols import Cosine, Delta, Sine, receptors_of, require_methods
from .window_integrals import kernel_transform
from .windows import DoubleExponential

SIGNS = {"excitatory": 1.0, "inhibitory": -1.0}
SAME = 1e-9  # relative difference of sums that are the same
# of the logarithms of the frequencies at which the answer of a neuron is reckoned, which is smooth in them
SPACING = 0.15
# rad/s; a slow kernel has most of its power below, where the answer stays as it is
FREQUENCIES = np.exp(np.arange(-9.0, 11.0, SPACING))
FINER = SPACING / 16.0  # of those at which kernels and windows are: they may oscillate
FINE_FREQUENCIES = np.exp(np.arange(-25.0, np.log(FREQUENCIES[-1]), FINER))  # rad/s
ON_A_CIRCLE = np.exp(2j * np.pi * np.arange(16) / 16)  # where a function is looked at for its derivatives in the middle


class Decay(NamedTuple):
    """exp(-u / tau), in the place of an EPSP."""

    tau: float

    def epsp(self, u):
        return np.where(u >= 0.0, np.exp(-np.maximum(u, 0.0) / self.tau), 0.0)

    def epsp_transform(self, omega):
        return self.tau / (1.0 - 1j * np.asarray(omega) * self.tau)

    def epsp_terms(self):
        return [(1.0, 0, 1.0 / self.tau)]

    def epsp_support(self):
        return 45.0 * self.tau


class Port(NamedTuple):
    """What synapses of one receptor do to the potential of a neuron.

    moves      V: how far a spike of weight 1 moves it, with its sign, as if at once by all that comes in the end
    lag        s: how long that takes on average
    passed(s)  the transform of their time course, of area 1, at s [1/s]
    """

    moves: float
    lag: float
    passed: Callable[[np.ndarray], np.ndarray]


def port_of(neuron: Any, receptor: str) -> Port:
    """Of a neuron with tau_m [s] and a part `synapses`, see models/neurons/synapses.py."""
    synapses, port = neuron.synapses, receptors_of(neuron).index(receptor)
    moves = SIGNS[receptor] * synapses.jump(port, neuron.tau_m)
    return Port(moves, synapses.lag(port), partial(synapses.passed, port))


class Brought(NamedTuple):
    """What synapses bring that do not learn: the sum of rate times jump [V/s], of rate times jump squared [V^2/s], and of the latter times log(lag / s)."""

    arriving: float = 0.0
    power: float = 0.0
    lagging: float = 0.0


@dataclass(frozen=True, eq=False)
class Heard:
    """What a neuron makes of the noise of some weights: driven, as it says; passed(s), as of a Port; rate (...) [Hz]."""

    driven: Any
    passed: Callable[[np.ndarray], np.ndarray]

    def kick(self, s: np.ndarray) -> np.ndarray:
        """(..., n) 1/V: int h(u) exp(-s u) du, at s (n,) [1/s]."""
        return np.asarray(self.driven.kick(s) * self.passed(s))

    @property
    def rate(self) -> np.ndarray:
        return np.asarray(self.driven.rate)

    @cached_property
    def spectrum(self) -> np.ndarray:
        """(..., n) 1/V: int h(u) exp(i omega u) du of the answer to a kick, at all FREQUENCIES."""
        return self.kick(-1j * FREQUENCIES)


@dataclass(frozen=True, eq=False)
class NoisyOutput:
    """A neuron and what it gets.

    neuron      with tau_m [s], V_th and V_reset [V], synapses, and driven(arriving, power, lag, dt), see models/neurons/lif.py
    statistics  InputStatistics of the inputs whose synapses learn
    receptor    of these synapses
    others      what other synapses bring
    dt          step in which the neuron runs [s]
    """

    neuron: Any
    statistics: Any
    receptor: str
    others: Brought
    dt: float

    @property
    def rates(self) -> np.ndarray:
        """(n,) mean input rates [Hz]."""
        return self.statistics.rates

    def seen(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (..., n): how far an input spike moves the potential in the end [V]."""
        return self.port.moves * self.statistics.transmission.effective(np.asarray(weights, float))

    @cached_property
    def port(self) -> Port:
        """Of the synapses that learn."""
        return port_of(self.neuron, self.receptor)

    @property
    def reach(self) -> float:
        """A weight that all synapses may have to bring, beyond what others do, ten times the way from reset to threshold [V]."""
        way = 10.0 * (self.neuron.V_th - self.neuron.V_reset) / self.neuron.tau_m
        return (way + abs(self.others.arriving)) / (abs(self.port.moves) * float(self.rates.sum()) or 1.0)

    @cached_property
    def _beside(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """left, right (n, r), own (n,): the power of the inputs is seen left right^T seen + own seen^2, that of white noise with
        as much variance of a membrane without threshold."""
        return power_of(self.statistics, self.neuron.tau_m)

    def at(self, weights: np.ndarray) -> Heard:
        """The neuron under the noise of weights (..., n)."""
        seen, (left, right, own) = self.seen(weights), self._beside
        added = np.maximum(((seen @ left) * (seen @ right)).sum(axis=-1) + seen**2 @ own, -self.others.power)
        arriving, power = self.others.arriving + seen @ self.rates, self.others.power + added
        return Heard(self.neuron.driven(arriving, power, self._lag(power), self.dt), self.port.passed)

    def _lag(self, power: np.ndarray) -> Any:
        """(...) [s]: of all that makes the noise, the geometric mean by power."""
        if self.port.lag == 0.0:
            return 0.0
        own = math.log(self.port.lag)
        away = self.others.lagging - self.others.power * own
        return np.exp(own + np.divide(away, power, out=np.zeros(np.shape(power)), where=power > 0.0))

    def covariance(self, window: Any, weights: np.ndarray, there: Heard, causal: bool) -> np.ndarray:
        """(..., n) [Hz]: int W(s) C_i(s) ds, with the neuron `there`, under the noise of the weights (..., n); causal: with what a train adds itself."""
        seen = self.seen(weights)
        found = np.zeros(seen.shape)
        for term in self.statistics.covariance:
            found += answered(window, term.kernel, there)[..., None] * ((seen @ term.right) @ term.left.T)
        for vector, kernel in self.statistics.atom if causal else ():
            found += answered(window, kernel, there)[..., None] * vector * seen
        return found


def answered(window: Any, kernel: Any, there: Heard) -> np.ndarray:
    """(...): int W(s) int h(u) k(s + u) du ds, with h the answer of the neuron `there` to a kick, for a kernel of simulator/protocols.py."""
    match kernel:
        case Delta(weight):
            require_methods(window, "the approximate learning equation", "terms")
            before, _ = window.terms()
            seen = (c * moment(there, n, a) for c, n, a in before if c != 0.0)
            return weight * sum(seen, np.zeros(there.rate.shape))
        case Cosine(frequency) | Sine(frequency):
            omega = 2.0 * np.pi * frequency
            both = complex(window.transform(omega)) * there.kick(np.array([-1j * omega]))[..., 0]
            return both.real if isinstance(kernel, Cosine) else both.imag
    fine = FINE_FREQUENCIES
    through = window.transform(fine) * np.conj(kernel_transform(kernel, fine)) * fine
    return np.real(there.spectrum @ (through @ _between())) * FINER / np.pi


@cache
def _between() -> np.ndarray:
    """(n_fine, n): what interpolates a function that is known at FREQUENCIES; below them it is as at the first."""
    from scipy.interpolate import CubicSpline

    known, wanted = np.log(FREQUENCIES), np.log(FINE_FREQUENCIES)
    return np.asarray(CubicSpline(known, np.eye(len(known)))(np.maximum(wanted, known[0])))


def moment(there: Heard, n: int, a: float) -> np.ndarray:
    """(...): int h(u) u^n exp(-a u) du, from values of the transform of h on a circle around a, by Cauchy's formula."""
    if n == 0:
        return np.real(there.kick(np.array([a]))[..., 0])
    around = there.kick(a * (1.0 + 0.5 * ON_A_CIRCLE))
    return math.factorial(n) * (-2.0 / a) ** n * np.real((around * ON_A_CIRCLE**-n).mean(axis=-1))


def power_of(statistics: Any, tau: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """left, right (n, r), own (n,): the power of inputs that move a membrane of time constant tau [s] by a (n,) is a left right^T a + own a^2."""
    left, right, own = statistics.through(DoubleExponential(1.0, 0.0, tau, tau), Decay(tau))
    return 2.0 / tau * left, right, 2.0 / tau * own


def outside(neuron: Any, background: Mapping[str, Any]) -> np.ndarray:
    """(3,): what the background of a neuron brings, as in Brought."""
    found = np.zeros(3)
    for receptor, each in background.items():
        port = port_of(neuron, receptor)
        seen = port.moves * each.weight
        found += each.n_synapses * each.rate * np.array([seen, seen**2, seen**2 * log_of(port.lag)])
    return found


def brought(network: Network) -> Brought | None:
    """What synapses that do not learn and backgrounds bring to each target of `network.layer`; None where that is not enough to know of them: where cells get
    different sums, seeds draw different weights, or spikes are those that come by the synapses that learn, too."""
    layer = network.layer
    target = layer.target
    found = np.zeros((3, target.n))
    found += outside(target.model, target.background)[:, None]
    for each in network.projections:
        if each is not layer:
            if each.source is layer.source or hasattr(each.weights, "draw"):
                return None
            (pre, post), rates = each.wiring, np.asarray(each.source.model.mean_rates(each.source.n), float)
            port = port_of(target.model, each.receptor)
            seen = port.moves * each.transmission.effective(each.initial_values(1))
            for sums, of_each in zip(found, (seen, seen**2, seen**2 * log_of(port.lag)), strict=True):
                np.add.at(sums, post, rates[pre] * of_each)
    if np.any(np.ptp(found, axis=1) > SAME * np.abs(found).max(axis=1)):
        return None
    return Brought(*found[:, 0].tolist())


def log_of(lag: float) -> float:
    """Of a time; of none, which all synapses of a neuron have or none, nothing."""
    return math.log(lag) if lag > 0.0 else 0.0
