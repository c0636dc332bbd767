"""Brunel 2000 with plastic synapses: ten thousand integrate-and-fire neurons that stay asynchronous and irregular while 6.4 million weights move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from pydantic import SkipValidation, model_validator

from ...rules import PairSTDP
from ...rules.pair_moments import FREQUENCIES, causal_drift, common_drift, diffusion
from ...simulator.connectivity import FixedInDegree
from ...simulator.monitors import WeightStatistics
from ...simulator.network import Network, Population, Projection
from ...simulator.protocols import HebbscopeError, Hertz, Seconds, Volts, part, positive, require, within
from ..background import PoissonBackground
from ..neurons import LIF, DeltaSynapses
from ..neurons.diffusion import Noise, answers, barrier, noise, spectrum, stationary_rate
from ..weights import Uniform
from .description import DescriptionError
from .experiment import Experiment
from .plan import Levels, Seeds

J = 0.2e-3  # V
MOST = 1e3  # Hz, above which no state is looked for


@part
class Cells(NamedTuple):
    """Excitatory and inhibitory cells, which are alike.

    n_excitatory  8000  how many excite
    n_inhibitory  2000  how many inhibit
    connected     0.1   of each kind, onto each cell
    """

    n_excitatory: int = 8000
    n_inhibitory: int = 2000
    connected: float = 0.1

    def check(self):
        require(self.n_excitatory >= 2, self, "n_excitatory", "must be >= 2")
        require(self.n_inhibitory >= 2, self, "n_inhibitory", "must be >= 2")
        within(self, "connected", 0.0, 0.9)
        require(min(self.in_degrees) >= 1, self, "connected", "must join at least one cell of each kind to each cell")

    @property
    def in_degrees(self) -> tuple[int, int]:
        """Excitatory and inhibitory synapses onto each cell."""
        return round(self.connected * self.n_excitatory), round(self.connected * self.n_inhibitory)


@part
class Coupling(NamedTuple):
    """Strengths and delays.

    weight  0.2 mV  jump of the potential by an excitatory spike, at the start
    g       6       inhibitory jumps, in excitatory ones
    delay   1.5 ms  from a spike to all its targets
    eta     2       rate of the external synapses, in that which takes a cell without a network to threshold
    """

    weight: Volts = J
    g: float = 6.0
    delay: Seconds = 1.5e-3
    eta: float = 2.0

    def check(self):
        positive(self, "weight", "g", "delay", "eta")


class State(NamedTuple):
    """Of an asynchronous network at one mean weight: rates [Hz], irregularity, and what its weights do per second [V, V^2]: drift, the parts of it that
    are causal and by fluctuations of the whole network, diffusion."""

    excitatory: Hertz
    inhibitory: Hertz
    cv: float
    drift: float
    causal: float
    common: float
    diffusion: float


class Course(NamedTuple):
    """time (n,) [s]; mean (n,) and sd (n,) of the plastic weights [V]; state at the end."""

    time: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    state: State


class Brunel2000STDP(Experiment):
    """Model A of the paper in its asynchronous irregular state, with additive pair STDP among the excitatory cells.

    Additive, because its drift then depends on the weight by causality alone, so that rates, and how they answer a spike, say what weights do: `predicted`.
    Depression outweighs potentiation by 5 %, which chance pairs lose and causal pairs win back in part. Learning is slow: in 100 s the mean weight moves
    by a hundredth or two, and no weight meets a bound.
    """

    name: ClassVar[str] = "brunel2000_stdp"
    title: ClassVar[str] = "Ten thousand neurons stay asynchronous and irregular while their synapses learn"
    source: ClassVar[str] = "Brunel, J Comput Neurosci 8:183 (2000), model A, with pair STDP"
    levels: Levels = Levels(("spike",))
    seeds: Seeds = Seeds((1,))
    outputs_kept: ClassVar[float] = 5.0
    meanings: ClassVar[dict[str, str]] = {
        "record_every": "time between two records of all weights; their mean and sd are there every second",
    }

    cells: SkipValidation[Cells] = Cells()
    coupling: SkipValidation[Coupling] = Coupling()
    neuron: SkipValidation[LIF] = LIF(tau_m=20e-3, E_L=0.0, V_th=20e-3, V_reset=10e-3, refractory=2e-3, drive=0.0)
    rule: SkipValidation[PairSTDP] = PairSTDP(A_plus=1e-3 * J, A_minus=1.05e-3 * J, w_max=2.0 * J)
    duration: Seconds = 100.0
    record_every: Seconds = 100.0

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        low, high, start = self.rule.w_min, self.rule.w_max, self.coupling.weight
        if not low <= start <= high:
            raise DescriptionError(
                "coupling.weight", f"must be in [rule.w_min, rule.w_max] = [{low:g}, {high:g}], got {start:g}"
            )
        if not isinstance(self.neuron.synapses, DeltaSynapses):
            raise DescriptionError(
                "neuron.synapses", f"must be DeltaSynapses, got {type(self.neuron.synapses).__name__}"
            )
        return self

    @property
    def external(self) -> PoissonBackground:
        """As many external synapses as excitatory ones of the network; eta 1 takes the mean of the potential to threshold."""
        n, neuron = self.cells.in_degrees[0], self.neuron
        to_threshold = (neuron.V_th - neuron.E_L - neuron.drive) / (neuron.tau_m * n * self.coupling.weight)
        return PoissonBackground(n, self.coupling.eta * to_threshold, self.coupling.weight)

    def network(self) -> Network:
        sizes, neuron = self.cells, self.neuron
        both = {"model": neuron, "background": {"excitatory": self.external}}
        start = {"v": Uniform(neuron.V_reset, neuron.V_th)}
        e = Population("excitatory", sizes.n_excitatory, initial=start, **both)
        i = Population("inhibitory", sizes.n_inhibitory, initial=start, **both)
        exciting, inhibiting = (FixedInDegree(n, self_connections=0) for n in sizes.in_degrees)
        weight, delay = self.coupling.weight, self.coupling.delay
        excites = {"connectivity": exciting, "delay": delay}
        inhibits = {"connectivity": inhibiting, "delay": delay, "receptor": "inhibitory"}
        projections = [
            Projection(e, e, weight, self.rule, **excites),
            Projection(e, i, weight, **excites),
            Projection(i, e, self.coupling.g * weight, **inhibits),
            Projection(i, i, self.coupling.g * weight, **inhibits),
        ]
        return Network([e, i], projections, name=self.name)

    def how(self) -> dict[str, Any]:
        weights = WeightStatistics("excitatory_to_excitatory", every=min(1.0, self.record_every))
        return super().how() | {"monitors": {"weights": weights}}

    # The reduction --------------------------------------------------------------------------------------------------

    def noise_of(self, weight: float, excitatory: float, inhibitory: float) -> Noise:
        """Of a cell whose excitatory synapses have this weight [V], in a network with these rates [Hz]."""
        n_ex, n_in = self.cells.in_degrees
        coupling, external = self.coupling, self.external
        kicks = [
            (external.n_synapses * external.rate, external.weight),
            (n_ex * excitatory, weight),
            (n_in * inhibitory, -coupling.g * coupling.weight),
        ]
        return noise(self.neuron, kicks, self.dt)

    def rates_at(self, weight: float) -> tuple[float, float]:
        """Excitatory and inhibitory rate [Hz] where each is what the noise of both makes of a cell, for a mean plastic weight [V]."""
        from scipy.optimize import root

        weights = (weight, self.coupling.weight)

        def made(logarithms: np.ndarray) -> np.ndarray:
            rates = np.exp(np.minimum(logarithms, np.log(MOST)))
            given = [self.noise_of(each, *rates) for each in weights]
            return np.array([stationary_rate(barrier(self.neuron, each, self.dt), each) for each in given])

        found = root(lambda x: np.log(made(x)) - x, np.log([10.0, 10.0]))
        if not found.success:
            raise HebbscopeError(f"{self.name}: finds no asynchronous state with a mean weight of {weight:g} V")
        excitatory, inhibitory = np.exp(found.x)
        return float(excitatory), float(inhibitory)

    def state(self, weight: float) -> State:
        """The asynchronous state at a mean plastic weight [V], and what that does to weights."""
        rates, rule = self.rates_at(weight), self.rule
        weights = (weight, self.coupling.weight)
        given = [self.noise_of(each, *rates) for each in weights]
        seen = [barrier(self.neuron, each, self.dt) for each in given]
        heard = [answers(cell, each, 1j * FREQUENCIES) for cell, each in zip(seen, given, strict=True)]
        trains = [spectrum(rate, each.interval) for rate, each in zip(rates, heard, strict=True)]
        shared = self.covariance(weights, [each.kick for each in heard], trains)
        # the covariance of all pairs has the causal one of those that are connected in it
        only = weight * (1.0 - self.cells.connected)
        causal = causal_drift(rule, rates[0], trains[0], lambda s: only * answers(seen[0], given[0], s).kick)
        common = common_drift(rule, shared, self.coupling.delay)
        drift = rule.drift(rates[0], rates[0], self.dt) + causal + common
        spread = diffusion(rule, rates[0], rates[0], trains[0], trains[0])
        return State(*rates, float(np.sqrt(trains[0][0] / rates[0])), drift, causal, common, spread)

    def covariance(
        self, weights: tuple[float, float], kicks: Sequence[np.ndarray], trains: Sequence[np.ndarray]
    ) -> np.ndarray:
        """(n,) Hz: covariance spectrum of two excitatory trains, the mean of all pairs, where each cell answers the mean of each population.

        weights of excitatory synapses onto excitatory and onto inhibitory cells [V], kicks and train spectra (n,) of the two kinds of cells.
        Source: Lindner, Doiron & Longtin 2005, Phys Rev E 72:061919; Helias, Tetzlaff & Diesmann 2013, New J Phys 15:023002 [recalled].
        """
        n_ex, n_in = self.cells.in_degrees
        late = np.exp(-1j * FREQUENCIES * self.coupling.delay)
        inhibits = -n_in * self.coupling.g * self.coupling.weight
        gain = np.array(
            [[n_ex * w * kick * late, inhibits * kick * late] for w, kick in zip(weights, kicks, strict=True)]
        )
        spread = np.linalg.inv(np.eye(2) - np.moveaxis(gain, -1, 0))
        own = [each / n for each, n in zip(trains, (self.cells.n_excitatory, self.cells.n_inhibitory), strict=True)]
        mean = sum(np.abs(spread[:, 0, k]) ** 2 * each for k, each in enumerate(own))
        return np.asarray(mean - own[0])

    def predicted(self, duration: float | None = None, n_steps: int = 10) -> Course:
        """Mean and sd of the plastic weights over `duration` [s], approximately: Heun's method on drift and diffusion of the state of the moment.

        Valid while the network is asynchronous, weights are small against the sd of the potential, and none is near a bound.
        """
        time = np.linspace(0.0, self.duration if duration is None else duration, n_steps + 1)
        mean, variance = [self.coupling.weight], [0.0]
        here = self.state(mean[0])
        for h in np.diff(time):
            there = self.state(mean[-1] + h * here.drift)
            mean.append(mean[-1] + 0.5 * h * (here.drift + there.drift))
            variance.append(variance[-1] + 0.5 * h * (here.diffusion + there.diffusion))
            here = there
        return Course(time, np.array(mean), np.sqrt(variance), here)
