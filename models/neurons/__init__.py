from .adex import AdEx
from .conductance_lif import ConductanceLIF
from .escape_noise import EscapeNoise
from .exponential_poisson import ExponentialPoisson
from .izhikevich import Izhikevich
from .lif import LIF
from .linear_poisson import LinearPoisson
from .synapses import AlphaSynapses, DeltaSynapses, ExponentialSynapses
from .transmission import PushPull

__all__ = [
    "LIF",
    "AdEx",
    "AlphaSynapses",
    "ConductanceLIF",
    "DeltaSynapses",
    "EscapeNoise",
    "ExponentialPoisson",
    "ExponentialSynapses",
    "Izhikevich",
    "LinearPoisson",
    "PushPull",
]
