"""Clopath et al. 2010: receptive fields from photographs, by a rule that sees the potential of an integrate-and-fire neuron."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from pydantic import SkipValidation

from ...rules import EqualNorms, PotentialThreshold, VoltageSTDP
from ...simulator.network import Network, Population, Projection
from ...simulator.protocols import Seconds
from ..neurons import AdEx
from ..weights import Uniform
from .images import Whitening
from .natural_images import Inputs, NaturalImages
from .plan import Levels, Seeds

STRONGEST = 4e-3  # V, by which a spike moves the potential


class Clopath2010(NaturalImages):
    """A neuron that sees photographs through ON and OFF cells, by excitation alone, picks those of one place.

    Synapses compete through what they do to the potential: depression grows with its mean square, so that what makes the neuron fire now and then is strengthened
    and the rest weakened, until nearly all weights are at a bound. Patches keep their contrast here, as in the paper: most leave the neuron silent.
    """

    name: ClassVar[str] = "clopath2010"
    title: ClassVar[str] = "Receptive fields from photographs by the voltage-based rule"
    source: ClassVar[str] = (
        "Clopath, Buesing, Vasilaki & Gerstner, Nat Neurosci 13:344 (2010); amplitudes, weights and rates as in the reimplementation by Larisch (2019)"
    )
    levels: Levels = Levels(("spike",))
    seeds: Seeds = Seeds((1, 2))
    meanings: ClassVar[dict[str, str]] = NaturalImages.meanings | {
        "equalised": "how often ON and OFF weights are scaled to the same Euclidean norm",
    }

    inputs: SkipValidation[Inputs] = Inputs(
        rate=20.0, presentation=0.2, whitening=Whitening(floor=10.0, high_pass=5.0, components=25)
    )
    neuron: SkipValidation[AdEx] = AdEx(b=0.0805e-12)
    rule: SkipValidation[Any] = VoltageSTDP(
        A_LTD=0.084, A_LTP=96.0, delay=0.0, eta=3e-4, w_max=STRONGEST, threshold=PotentialThreshold()
    )
    weights: SkipValidation[Uniform] = Uniform(0.0, 3e-3)
    equalised: Seconds = 20.0
    dt: Seconds = 1e-3
    duration: Seconds = 15_000.0
    record_every: Seconds = 150.0

    def network(self) -> Network:
        """ON and OFF trains onto one neuron. Raises HebbscopeError where images are missing, unreadable or too small."""
        inputs, neuron = self.inputs.population(), Population("neuron", 1, self.neuron)
        norms = EqualNorms(every=self.equalised, groups=np.array([self.inputs.patch**2]))
        synapses = Projection(inputs, neuron, self.weights, self.rule, norms, smoothing=self.smoothing)
        return Network([inputs, neuron], [synapses], name=self.name)
