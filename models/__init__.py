"""What is simulated: inputs, neurons, wirings and initial weights (here), and the published experiments (in `hebbscope.models.experiments`)."""

from ..simulator.connectivity import AllToAll, FixedInDegree, FixedOutDegree, GaussianArbor, Given, OneToOne, Pairwise
from ..simulator.monitors import PopulationRate, StateMonitor, WeightStatistics, WeightSubset
from ..simulator.plain import Direct
from . import inputs, neurons
from .background import PoissonBackground
from .inputs import *  # noqa: F403
from .neurons import *  # noqa: F403
from .weights import LogNormal, Normal, Uniform

__all__ = [
    *inputs.__all__,
    *neurons.__all__,
    "AllToAll",
    "Direct",
    "FixedInDegree",
    "FixedOutDegree",
    "GaussianArbor",
    "Given",
    "LogNormal",
    "Normal",
    "OneToOne",
    "Pairwise",
    "PoissonBackground",
    "PopulationRate",
    "StateMonitor",
    "Uniform",
    "WeightStatistics",
    "WeightSubset",
]
