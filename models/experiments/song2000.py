"""Song, Miller & Abbott 2000: a thousand excitatory synapses compete for one integrate-and-fire neuron."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from pydantic import SkipValidation

from ...rules import PairSTDP
from ...simulator.network import Network, Population, Projection
from ...simulator.protocols import SMOOTHING, Hertz, Seconds, part, positive, require
from ..inputs import HomogeneousPoisson
from ..neurons import ConductanceLIF
from ..weights import Uniform
from .experiment import Expected, Experiment
from .plan import Levels, Seeds

G_MAX = 0.015  # the strongest synapse, in units of the leak conductance


@part
class Trains(NamedTuple):
    """Independent Poisson trains.

    n     1000   how many
    rate  15 Hz  of each
    """

    n: int = 1000
    rate: Hertz = 15.0

    def check(self):
        require(self.n >= 1, self, "n", "must be >= 1")
        positive(self, "rate")


@part
class Inhibition(NamedTuple):
    """Poisson trains onto synapses that do not learn.

    n            200    how many
    rate         10 Hz  of each
    conductance  0.05   of each synapse, in units of the leak
    """

    n: int = 200
    rate: Hertz = 10.0
    conductance: float = 0.05

    def check(self):
        require(self.n >= 1, self, "n", "must be >= 1")
        positive(self, "rate", "conductance")


class Song2000(Experiment):
    """Additive pair STDP drives weights to both bounds, and keeps the neuron where single spikes decide when it fires.

    Depression outweighs potentiation by 5 %, so that all synapses lose what chance pairs give; those whose spikes happened to precede output
    spikes win it back and more. What stays is a balance between the strong and the vanished, at which the output is irregular.
    """

    name: ClassVar[str] = "song2000"
    title: ClassVar[str] = "Competition of synapses onto one integrate-and-fire neuron: weights at both bounds"
    source: ClassVar[str] = "Song, Miller & Abbott, Nat Neurosci 3:919 (2000)"
    levels: Levels = Levels(("spike",))
    seeds: Seeds = Seeds((1, 2, 3, 4))
    inputs_kept: ClassVar[float] = 1.0
    meanings: ClassVar[dict[str, str]] = {
        "inhibition": "Poisson trains onto synapses that do not learn, or none",
    }
    expected: ClassVar[tuple[Expected, ...]] = ()

    inputs: SkipValidation[Trains] = Trains()
    inhibition: SkipValidation[Inhibition | None] = Inhibition()
    neuron: SkipValidation[ConductanceLIF] = ConductanceLIF()
    rule: SkipValidation[Any] = PairSTDP(A_plus=0.005 * G_MAX, A_minus=0.00525 * G_MAX, w_max=G_MAX)
    weights: SkipValidation[Uniform] = Uniform(0.0, G_MAX)
    smoothing: Seconds = SMOOTHING
    duration: Seconds = 1000.0
    record_every: Seconds = 10.0

    def network(self) -> Network:
        inputs = Population("inputs", self.inputs.n, HomogeneousPoisson(self.inputs.rate))
        neuron = Population("neuron", 1, self.neuron)
        synapses = Projection(inputs, neuron, self.weights, self.rule, smoothing=self.smoothing)
        populations, projections = [inputs, neuron], [synapses]
        if self.inhibition is not None:
            others = Population("inhibition", self.inhibition.n, HomogeneousPoisson(self.inhibition.rate))
            populations.append(others)
            projections.append(Projection(others, neuron, self.inhibition.conductance, receptor="inhibitory"))
        return Network(populations, projections, name=self.name)
