"""Kempter, Gerstner & van Hemmen 1999: one linear Poisson neuron, fifty synapses, structure from a window and a modulation."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Self

from pydantic import SkipValidation, model_validator

from ...rules import KempterWindow, SpikeHebb
from ...simulator.network import Network, Population, Projection
from ...simulator.protocols import SMOOTHING, Seconds, bounds_of, finite, part
from ..neurons import ExponentialPoisson, LinearPoisson
from .description import DescriptionError
from .experiment import Expected, Experiment
from .plan import Seeds
from .sources import CommonSource, Homogeneous, Modulated, OrnsteinUhlenbeck, Recorded

REDUCTION = "closed form of the learning equation with these parameters [derived]"
SEPARATION = "learning equation integrated to 20,000 s, confirmed by 16 seeds of an independent simulation [derived]"


@part
class Weights(NamedTuple):
    """Initial weights.

    initial   0.02   of every synapse, near the fixed point of the mean
    """

    initial: float = 0.02

    def check(self):
        finite(self, "initial")


class Kempter1999(Experiment):
    """Structure formation with intrinsic normalisation: the modulated group grows at the cost of the constant one.

    The mean weight is held by w_in, w_out and the window's integral; the groups separate because the modulation correlates the
    trains of one group within the window, and twice as fast because every spike of a synapse raises the chance of the output
    spike that follows it. A rate description loses that last term.
    """

    name: ClassVar[str] = "kempter1999"
    title: ClassVar[str] = "Structure formation with every spike, as a surrogate, and as its rate reduction"
    source: ClassVar[str] = "Kempter, Gerstner & van Hemmen, NIPS 11 (1999) and Phys. Rev. E 59:4498 (1999)"
    seeds: Seeds = Seeds(range(1, 17))
    inputs_kept: ClassVar[float] = 400.0
    expected: ClassVar[tuple[Expected, ...]] = (
        Expected("coefficients.W_integral", 4.750e-8, 1e-3, REDUCTION),
        Expected("coefficients.k1", 1.000e-4, 1e-3, REDUCTION),
        Expected("coefficients.k2", -1.0000e-4, 1e-3, REDUCTION),
        Expected("coefficients.k3", 7.037e-5, 1e-3, REDUCTION),
        Expected("coefficients.Q", 6.837e-7, 1e-3, REDUCTION),
        Expected("coefficients.D", 2.489e-9, 1e-3, REDUCTION),
        Expected("coefficients.D_relative", 1.473e-9, 1e-3, REDUCTION),
        Expected("predictions.mean_weight", 0.02032, 1e-3, REDUCTION),
        Expected("predictions.tau_mean", 203.2, 1e-3, REDUCTION),
        Expected("predictions.growth_rate", 7.892e-5, 1e-3, REDUCTION),
        Expected("predictions.growth_rate_without_causal", 8.546e-6, 1e-3, REDUCTION),
        Expected("predictions.output_rate", 10.160, 1e-3, REDUCTION),
        Expected("separation.spike", 0.0169, 0.01, SEPARATION),
        Expected("separation.surrogate", 0.0075, 0.01, SEPARATION),
    )

    rule: SkipValidation[Any] = SpikeHebb(KempterWindow(), eta=1e-5, w_in=1.0, w_out=-1.0475)
    neuron: SkipValidation[LinearPoisson | ExponentialPoisson] = LinearPoisson(tau=10e-3)
    inputs: SkipValidation[Modulated | OrnsteinUhlenbeck | CommonSource | Homogeneous | Recorded] = Modulated()
    weights: SkipValidation[Weights] = Weights()
    smoothing: Seconds = SMOOTHING
    duration: Seconds = 20_000.0
    record_every: Seconds = 200.0

    @model_validator(mode="after")
    def _start_within_bounds(self) -> Self:
        start, (low, high) = self.weights.initial, bounds_of(self.rule)
        if not low <= start <= high:
            raise DescriptionError(
                "weights.initial", f"must be in [rule.w_min, rule.w_max] = [{low:g}, {high:g}], got {start:g}"
            )
        return self

    def network(self) -> Network:
        inputs = Population("inputs", self.inputs.n, self.inputs.trains(), groups=self.inputs.groups())
        neuron = Population("neuron", 1, self.neuron)
        synapses = Projection(inputs, neuron, weights=self.weights.initial, rule=self.rule, smoothing=self.smoothing)
        return Network([inputs, neuron], [synapses], name=self.name)
