"""The rate-based reduction of a spike rule: the learning equation that its weights obey on average.

For pair-based rules with a linear Poisson neuron the averaged equation is linear in the weights,

    dJ_i/dt = w_in nu_i + w_out nu_out + W~ nu_i nu_out + sum_j J_j [Q_ij + delta_ij k3_i],    nu_out = nu_0 + sum_j J_j nu_j,

with eta absorbed in w_in, w_out and W; W~ = int W(s) ds, Q_ij = int W(s) int eps(u) C_ij(s + u) du ds. The causal term k3_i is what a spike
adds by the output spikes that it causes itself: nu_i int W(s) eps(-s) ds for Poisson trains. A neuron's gain and threshold enter as
gain J and nu_0 = gain (base_rate - threshold), which holds while the rectifier is not reached.

Source: Kempter, Gerstner & van Hemmen, PRE 59:4498 (1999), Secs. III-V, for equal rates [recalled, derived again]; fixed point of the output rate also in Kempter, Gerstner &
van Hemmen, Neural Comput. 13:2709 (2001) [recalled]; unequal rates and any covariance [derived].
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..simulator.network import Network
from ..simulator.plain import Direct
from ..simulator.protocols import DT, Cycle, Empirical, HebbscopeError, ParameterError, is_part, require_methods
from . import modes
from .equal_weights import grown
from .linear_flow import LinearFlow, flow_of
from .linsker import Linsker
from .noisy_output import Brought, NoisyOutput, brought
from .pair_equation import PairEquation
from .recurrent import RecurrentEquation

AVERAGE = "the learning equation"
NUMBERS = ("rates", "w_in", "w_out", "W_integral", "W_square_integral", "base_rate", "gain", "left", "right", "own")
N_LOOKED_AT = 9  # weights, at which an equation is to be a number
FIRST = 1  # the seed by which weights begin that are drawn
LARGEST = 1e60  # coefficients whose products, and the squares of these, still are numbers


class InputStatistics(NamedTuple):
    """What the reduction needs to know of an input, and how its spikes are transmitted.

    rates (n,) [Hz]; covariance: terms of C_ij(s), see simulator/protocols.py; atom: (vector (n,), kernel) pairs, the part of a train's own
    autocovariance that is not in `covariance`; transmission: with a method effective(weights (..., n)); third: what is stated of third
    cumulants, at the end of simulator/protocols.py, or None where the input says nothing of them; smoothing [s]: over which rules of rates see spikes, 0: they
    see the rates.
    """

    rates: np.ndarray
    covariance: list[Any]
    atom: list[tuple[np.ndarray, Any]]
    transmission: Any = None
    third: list[Any] | None = None
    smoothing: float = 0.0

    def through(self, window: Any, neuron: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Q_ij = int W(s) int eps(u) C_ij(s + u) du ds for unit eta, as left (n, r) and right (n, r) with Q = left right^T, and the
        causal term's diagonal own (n,), the same integral over the trains' atoms."""
        n = len(self.rates)
        left, right = [np.zeros((n, 0))], [np.zeros((n, 0))]
        for term in self.covariance:
            left.append(term.by(window.q(neuron, term.kernel)))
            right.append(term.right)
        own = sum((vector * window.q(neuron, kernel) for vector, kernel in self.atom), np.zeros(n))
        return np.concatenate(left, axis=1), np.concatenate(right, axis=1), own


def statistics_of(source: Any, transmission: Any = None) -> InputStatistics:
    """What an input population states of itself."""
    n, model = source.n, source.model
    require_methods(model, AVERAGE, "mean_rates", "covariance", "atom")
    return InputStatistics(
        np.asarray(model.mean_rates(n), dtype=float),
        model.covariance(n),
        model.atom(n),
        transmission,
        model.third_cumulants(n) if hasattr(model, "third_cumulants") else None,
    )


def reduce(network: Network, causal: bool = True, dt: float = DT, spikes: bool = False) -> Any:
    """The learning equation of a network. Of one plastic layer of Poisson neurons: a LearningEquation for SpikeHebb, the rule's own for others; of one layer
    onto LIF neurons, all to all: a PairEquation, which is approximate; of any other wiring of such cells, sparse, recurrent, with delays: a RecurrentEquation.

    causal=False leaves out the causal spike-spike term: the surrogate level, or a rate description. Normalisation steps are not part of it. dt [s]: the
    step of the clock-driven engine, where it is what runs the network; 0: continuous time. spikes=True: of a rule of rates as it learns where there are
    spikes, which it sees smoothed; else it is of rates alone. HebbscopeError when the rule has no averaged equation.
    """
    if not isinstance(network, Network):
        raise ParameterError("reduce", "network", "must be a Network", network)
    if not network.is_layer and network.is_averaged:
        return _of_all(network, causal, dt)
    projection = network.layer
    source, rule, neuron = projection.source, projection.rule, projection.target.model
    statistics = statistics_of(source, projection.transmission)
    statistics = statistics._replace(smoothing=projection.smoothing) if spikes else statistics
    try:
        if hasattr(neuron, "driven"):
            others = brought(network)
            return (
                _of_all(network, causal, dt)
                if others is None
                else _approximate(network, statistics, others, causal, dt)
            )
        if not hasattr(rule, "learning_equation"):
            raise HebbscopeError(f"{type(rule).__name__}: has no averaged learning equation")
        equation = rule.learning_equation(statistics, neuron, causal)
    except ArithmeticError:  # beyond the largest number, or below the smallest
        part, field, value = _farthest_from_one(rule, neuron, source.model)
        raise ParameterError(
            part, field, "must be nearer to 1 (the learning equation is beyond the range of numbers)", value
        ) from None
    return equation.from_weights(projection.initial_weights(FIRST)) if hasattr(equation, "from_weights") else equation


def _of_all(network: Network, causal: bool, dt: float) -> RecurrentEquation:
    """That of all projections that learn, whatever the wiring."""
    if not causal:
        raise HebbscopeError(
            "reduce: the causal term can be left out in one layer alone, all to all, without delays, all of whose cells get the same beside it"
        )
    return RecurrentEquation(network, dt)


def _approximate(
    network: Network, statistics: InputStatistics, others: Brought, causal: bool, dt: float
) -> PairEquation:
    """That of the one layer that learns, onto neurons whose rate under noise is known."""
    layer, neuron = network.layer, network.layer.target.model
    why = "the approximate learning equation"
    require_methods(neuron, why, "tau_m", "V_th", "V_reset", "synapses")
    require_methods(neuron.synapses, why, "jump", "passed", "lag")
    part, kind = f"Population {layer.source.name}", type(layer.source.model).__name__
    kernels = [term.kernel for term in statistics.covariance]
    if any(isinstance(each, Empirical) for each in kernels):
        raise ParameterError(part, "model", "must be no recording, for the approximate learning equation", kind)
    if any(isinstance(each, Cycle) or getattr(each, "shift", 0.0) != 0.0 for each in kernels):
        raise ParameterError(
            part, "model", "must show its patterns in random order, for the approximate learning equation", kind
        )
    output = NoisyOutput(neuron, statistics, layer.receptor, others, dt)
    equation = PairEquation(layer.rule, output, causal)
    equal = np.linspace(equation.w_min, equation.reach, N_LOOKED_AT)[:, None] * np.ones(layer.source.n)
    with np.errstate(all="ignore"):
        found = [equation.drift(equal), equation.diffusion(equation.w_min)]  # what it is not for is said at once
    if not all(np.isfinite(each).all() for each in found):
        raise FloatingPointError
    return equation


def _farthest_from_one(*parts: Any) -> tuple[str, str, float]:
    """Part, field and value of the parameter, of these parts and those inside them, that is the most orders of magnitude from one."""
    return max((each for part in parts for each in _parameters(part)), key=lambda each: abs(math.log10(abs(each[2]))))


def _parameters(part: Any) -> Iterator[tuple[str, str, float]]:
    for field, value in zip(part._fields, part, strict=True):
        if is_part(value):
            yield from _parameters(value)
        elif isinstance(value, float) and value != 0.0 and math.isfinite(value):
            yield type(part).__name__, field, value


@dataclass(frozen=True, repr=False, eq=False)
class LearningEquation:
    """dJ/dt = constant + apply(J) for the weights J (..., n) of one output neuron.

        dJ_i/dt = w_in nu_i + w_out nu_out + W~ nu_i nu_out + sum_j J_j [Q_ij + delta_ij k3_i],    nu_out = nu_0 + sum_j J_j nu_j

    Exact for slow weights between their bounds and a linear Poisson neuron that is never rectified.

    | field             | unit | meaning                                                              |
    |-------------------|------|----------------------------------------------------------------------|
    | rates             | Hz   | (n,) mean rates of the inputs                                        |
    | w_in, w_out       | 1    | change at each input and at each output spike, eta absorbed          |
    | W_integral        | s    | int W ds                                                             |
    | W_square_integral | s    | int W^2 ds                                                           |
    | base_rate, gain   | Hz,1 | nu_0 and the factor on J                                             |
    | left, right       |      | (n, r): Q = per_weight left right^T                                  |
    | own               | 1/s  | (n,) the causal coefficient of each synapse, over per_weight         |
    | causal            |      | whether the causal term is in                                        |
    | w_min, w_max      | 1    | hard bounds: the equation holds between them                         |
    | transmission      |      | how weights act, with effective(weights (..., n)); None: as they are |
    | start             | 1    | (n,) mean weights at the start, None where they are not known        |

    k1, k2, k3 and nu are numbers where all synapses agree, else (n,); the predictions mean what their docstrings say for any rates.
    """

    rates: np.ndarray
    w_in: float
    w_out: float
    W_integral: float
    W_square_integral: float
    base_rate: float
    gain: float
    left: np.ndarray
    right: np.ndarray
    own: np.ndarray
    causal: bool = True
    w_min: float = -np.inf
    w_max: float = np.inf
    transmission: Any = None
    start: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in NUMBERS:
            size = float(np.max(np.abs(getattr(self, name)), initial=0.0))
            if not size <= LARGEST:
                raise HebbscopeError(
                    f"LearningEquation.{name}: must be at most {LARGEST:g} in size, got {size:g}; "
                    "the rule's eta, its window or a rate is out of all proportion"
                )

    @classmethod
    def of_pairs(cls, rule: Any, statistics: InputStatistics, neuron: Any, causal: bool = True) -> LearningEquation:
        """From a rule with window, eta, w_in, w_out and bounds (SpikeHebb)."""
        window, eta = rule.window, rule.eta
        require_methods(window, AVERAGE, "integral", "square_integral", "q")
        require_methods(neuron, AVERAGE, "gain", "base_rate", "threshold", "epsp", "epsp_transform", "epsp_support")
        left, right, own = statistics.through(window, neuron)
        return cls(
            rates=statistics.rates,
            w_in=eta * rule.w_in,
            w_out=eta * rule.w_out,
            W_integral=eta * window.integral(),
            W_square_integral=eta**2 * window.square_integral(),
            base_rate=neuron.gain * (neuron.base_rate - neuron.threshold),
            gain=neuron.gain,
            left=eta * left,
            right=right,
            own=eta * own,
            causal=causal,
            w_min=rule.w_min,
            w_max=rule.w_max,
            transmission=statistics.transmission,
        )

    def from_weights(self, weights: np.ndarray) -> LearningEquation:
        """The same equation with weights (n_post, n) to start from."""
        return replace(self, start=weights.mean(axis=0))

    # The equation

    @property
    def n(self) -> int:
        """Number of synapses."""
        return len(self.rates)

    @cached_property
    def per_output_spike(self) -> np.ndarray:
        """(n,): w_out + W~ nu_i, the mean change for each output spike."""
        return self.w_out + self.W_integral * self.rates

    @cached_property
    def constant(self) -> np.ndarray:
        """(n,) [1/s]: the drift of zero weights, k1."""
        return self.w_in * self.rates + self.per_output_spike * self.base_rate

    @property
    def per_weight(self) -> float:
        """What a weight is multiplied by on its way to the output rate: the neuron's gain and the transmission's scale."""
        return self.gain * getattr(self.transmission, "scale", 1.0)

    def effective(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (..., n): what multiplies the inputs."""
        weights = np.asarray(weights, dtype=float)
        return weights if self.transmission is None else self.transmission.effective(weights)

    def apply(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (..., n) [1/s]: the part of the drift that is linear in the weights; n times the rank operations."""
        seen = self.gain * self.effective(weights)
        out = (seen @ self.rates)[..., None] * self.per_output_spike + (seen @ self.right) @ self.left.T
        return out + self.own * seen if self.causal else out

    def drift(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (..., n): dJ/dt [1/s]."""
        return self.constant + self.apply(weights)

    def output_rate_of(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (...): the output rate [Hz], not below zero."""
        return np.maximum(self.base_rate + self.gain * (self.effective(weights) @ self.rates), 0.0)

    def matrix(self) -> np.ndarray:
        """(n, n) [1/s]: k2 + Q + k3, what `apply` multiplies by."""
        return self.apply(np.eye(self.n)).T

    def flow(self, weights: np.ndarray, free: np.ndarray | None = None, horizon: float = np.inf) -> LinearFlow:
        """The exact solution from weights (n_post, n) up to `horizon` [s]; with `free` (n,) bool of those synapses alone, the others held."""
        return flow_of(self, weights, free, horizon)

    def without_causal(self) -> LearningEquation:
        """The same equation without the causal spike-spike term."""
        return replace(self, causal=False)

    # Coefficients

    @property
    def nu(self) -> float | np.ndarray:
        """Mean input rate [Hz]."""
        return _one_or_all(self.rates)

    @property
    def k1(self) -> float | np.ndarray:
        """[w_out + W~ nu_i] nu_0 + w_in nu_i [1/s]."""
        return _one_or_all(self.constant)

    @property
    def k2(self) -> float | np.ndarray:
        """[w_out + W~ nu_i] nu_j [1/s], averaged over the source j of the other synapse."""
        return _one_or_all(self.per_weight * self.per_output_spike * self.rates.mean())

    @property
    def k3(self) -> float | np.ndarray:
        """The causal coefficient [1/s]; zero without the causal term."""
        return _one_or_all(self.per_weight * self.own if self.causal else np.zeros(self.n))

    @cached_property
    def Q(self) -> float:
        """The entry of Q_ij that is largest in size [1/s], with its sign."""
        if self.left.shape[1] == 0:
            return 0.0
        left, right, largest = np.unique(self.left, axis=0), np.unique(self.right, axis=0), 0.0
        for rows in np.array_split(left, 1 + len(left) * len(right) // 1_000_000):
            block = rows @ right.T
            candidate = float(block.flat[np.abs(block).argmax()])
            largest = candidate if abs(candidate) > abs(largest) else largest
        return self.per_weight * largest

    @property
    def rests(self) -> bool:
        """Whether equal weights come to rest between the bounds, at an output that is not silent."""
        inside = self.w_min <= self.mean_weight <= self.w_max
        return bool(inside and self.tau_mean > 0.0 and self.output_rate > 0.0)

    @property
    def diffusion_at(self) -> str:
        """At which weights D, D_relative and tau_noise are: "rest", "start" where equal weights do not come to rest, or "nowhere", and they are nan, where
        the first weights are not known either."""
        if self.rests:
            return "rest"
        return "nowhere" if self.start is None else "start"

    @cached_property
    def _noise_weights(self) -> np.ndarray:
        """(n,) these weights."""
        if self.diffusion_at == "start":
            return np.asarray(self.start)
        return np.full(self.n, self.mean_weight if self.rests else np.nan)

    def diffusion_of(self, weights: np.ndarray) -> np.ndarray:
        """(2, n) [1/s]: D and D' of each synapse while the weights are these (n,), which have a say by the output rate nu_out alone.

        D = nu (w_in + W~ nu_out)^2 + nu_out (w_out + W~ nu)^2 + nu nu_out int W^2 is the growth of the variance of a weight; D' leaves out the second
        term, which moves all weights together. Order zero in the single J. Source: Kempter et al. 1999, PRE 59:4498, App. C [recalled; derived again].
        """
        nu, out = self.rates, float(self.output_rate_of(weights))
        relative = nu * (self.w_in + self.W_integral * out) ** 2 + nu * out * self.W_square_integral
        return np.stack([relative + out * self.per_output_spike**2, relative])

    @cached_property
    def diffusion(self) -> np.ndarray:
        """(2, n) [1/s]: D and D' of each synapse at rest, or at the start, see `diffusion_at`."""
        return self.diffusion_of(self._noise_weights)

    @property
    def D(self) -> float:
        """Diffusion of a weight [1/s], mean over synapses, at rest or at the start, see `diffusion_at`."""
        return float(self.diffusion[0].mean())

    @property
    def D_relative(self) -> float:
        """Diffusion of a weight relative to the others [1/s], mean over synapses, at rest or at the start, see `diffusion_at`."""
        return float(self.diffusion[1].mean())

    # Predictions

    @cached_property
    def _mean_slope(self) -> float:
        return float(self.apply(np.ones(self.n)).mean())

    @property
    def mean_weight(self) -> float:
        """Fixed point of the average weight while all weights are equal: with equal rates -k1 / [n (k2 + Q_av) + k3]."""
        return float(-self.constant.mean() / self._mean_slope) if self._mean_slope != 0.0 else float("nan")

    @property
    def tau_mean(self) -> float:
        """Time constant [s] of the average weight while all weights are equal; negative where it runs away."""
        return -1.0 / self._mean_slope if self._mean_slope != 0.0 else float("inf")

    @property
    def output_rate(self) -> float:
        """Output rate [Hz] with every weight at `mean_weight`."""
        return float(self.output_rate_of(np.full(self.n, self.mean_weight)))

    @property
    def tau_noise(self) -> float:
        """J^2 / D [s] with J the mean weight at rest, or at the start, see `diffusion_at`: when noise has moved a weight as far as the mean weight itself."""
        mean = float(self._noise_weights.mean())
        return mean * mean / self.D if self.D != 0.0 else float("inf")

    growth_rate = cached_property(modes.growth_rate)

    @property
    def growth_rate_without_causal(self) -> float:
        """The same without the causal term [1/s]."""
        return self.without_causal().growth_rate

    @property
    def tau_structure(self) -> float:
        """1 / growth_rate [s]."""
        return 1.0 / self.growth_rate if self.growth_rate != 0.0 else float("inf")

    eigenmodes, fixed_point, time_to_segregation = modes.eigenmodes, modes.fixed_point, modes.time_to_segregation

    def spreading(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How fast a difference of one weight from the others grows, k3 or without the causal term 0, and D', (n,) each [1/s], while the mean weights are
        these (n,): what a run at the rate level follows along its course."""
        return np.broadcast_to(self.k3, (self.n,)), self.diffusion_of(weights)[1]

    def spread(self, time: Any, causal: bool | None = None) -> np.ndarray:
        """Standard deviation over synapses of one group, in one run, after `time` [s] from equal weights, while their mean stays where `diffusion_at` says.

        Variance D'/(2 k3) (exp(2 k3 t) - 1), or D' t without the causal term; mean over synapses where they differ.
        """
        growth, diffusion = replace(self, causal=self.causal if causal is None else causal).spreading(
            self._noise_weights
        )
        return np.sqrt(grown(0.0, growth, diffusion, np.asarray(time, dtype=float)[..., None]).mean(axis=-1))

    def rate_rule(self) -> Linsker:
        """Linsker's rule with k1 and k2 of this equation: what is left of it where only rates count, and these change more slowly than window and EPSP.

        Then Q_ij is W~ times the covariance of the rates at lag 0, and there is no k3. HebbscopeError for unequal rates, of which there is no one k1 and k2.
        """
        k1, k2 = self.k1, self.k2
        if not (isinstance(k1, float) and isinstance(k2, float) and isinstance(self.nu, float)):
            raise HebbscopeError("LearningEquation.rate_rule: is of inputs with equal rates")
        if not isinstance(self.transmission, Direct | None):
            raise HebbscopeError("LearningEquation.rate_rule: is of synapses that deliver their weights")
        return Linsker(k1, self.n * k2, self.n * self.W_integral, w_min=self.w_min, w_max=self.w_max)

    def coefficients(self) -> dict[str, float]:
        """W_integral [s]; k1, k2, k3, Q, D, D_relative [1/s]: averages over synapses, but for Q its largest entry."""
        return {
            "W_integral": float(self.W_integral),
            "k1": float(np.mean(self.k1)),
            "k2": float(np.mean(self.k2)),
            "k3": float(np.mean(self.k3)),
            "Q": self.Q,
            "D": self.D,
            "D_relative": self.D_relative,
        }

    def predictions(self) -> dict[str, float]:
        """mean_weight, tau_mean [s], growth_rate and growth_rate_without_causal [1/s], output_rate [Hz], tau_noise [s]."""
        names = ("mean_weight", "tau_mean", "growth_rate", "growth_rate_without_causal", "output_rate", "tau_noise")
        return {name: getattr(self, name) for name in names}

    def _rows(self) -> list[tuple[str, str, str]]:
        """Name, value and unit of every coefficient and prediction."""
        units = {"W_integral": "s", "mean_weight": "", "tau_mean": "s", "output_rate": "Hz", "tau_noise": "s"}
        found = {**self.coefficients(), **self.predictions()}
        return [(name, f"{value:.4g}", units.get(name, "1/s")) for name, value in found.items()]

    def _notes(self) -> list[str]:
        """What is to be known of the numbers."""
        if self.diffusion_at == "rest":
            return []
        where = "not known"
        if self.diffusion_at == "start":
            mean, rate = float(self._noise_weights.mean()), float(self.output_rate_of(self._noise_weights))
            where = f"at the start, mean weight {mean:.4g} and output {rate:.4g} Hz"
        return [
            f"D, D_relative and tau_noise are {where}: equal weights rest nowhere between the bounds, or in silence"
        ]

    def __repr__(self) -> str:
        term = "with" if self.causal else "without"
        lines = [
            f"LearningEquation of {self.n} synapses, {term} the causal term",
            "  dJ_i/dt = k1 + sum_j (k2 + Q_ij + k3 delta_ij) J_j",
        ]
        if not isinstance(self.transmission, Direct | None):
            lines.append(f"  with J_j on the right as {type(self.transmission).__name__} delivers it, over its scale")
        lines += [f"  {name:<26} {value:>10} {unit}".rstrip() for name, value, unit in self._rows()]
        return "\n".join(lines + [f"  {words}" for words in self._notes()])

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><td>{name}</td><td>{value}</td><td>{unit}</td></tr>" for name, value, unit in self._rows()
        )
        notes = "".join(f"<p>{html.escape(words)}</p>" for words in self._notes())
        return f"<p><b>{html.escape(repr(self).splitlines()[0])}</b></p><table>{cells}</table>{notes}"


def _one_or_all(values: np.ndarray) -> float | np.ndarray:
    """A number where all are equal up to rounding."""
    return float(values.mean()) if np.ptp(values) <= 1e-12 * np.abs(values).max() else values
