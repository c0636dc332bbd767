"""Song, Miller & Abbott 2000 with the numbers of the example that comes with Brian2: the setting most people know."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import SkipValidation

from ...rules import PairSTDP
from ...simulator.protocols import Seconds
from ..neurons import ConductanceLIF
from ..weights import Uniform
from .song2000 import Inhibition, Song2000

G_MAX = 0.01  # the strongest synapse, in units of the leak conductance


class Song2000Brian2(Song2000):
    """As song2000, but without inhibition, with a faster membrane that rests lower, and with weaker synapses that change twice as fast."""

    name: ClassVar[str] = "song2000_brian2"
    title: ClassVar[str] = "Competition of synapses, with the numbers of Brian2's example"
    source: ClassVar[str] = (
        "after Song, Miller & Abbott, Nat Neurosci 3:919 (2000); numbers of Brian2's example synapses/STDP"
    )

    inhibition: SkipValidation[Inhibition | None] = None
    neuron: SkipValidation[ConductanceLIF] = ConductanceLIF(tau_m=10e-3, E_L=-74e-3)
    rule: SkipValidation[Any] = PairSTDP(A_plus=0.01 * G_MAX, A_minus=0.0105 * G_MAX, w_max=G_MAX)
    weights: SkipValidation[Uniform] = Uniform(0.0, G_MAX)
    duration: Seconds = 100.0
    record_every: Seconds = 1.0
