from .exponential_poisson import ExponentialPoisson
from .lif import LIF
from .linear_poisson import LinearPoisson
from .transmission import PushPull

__all__ = ["LIF", "ExponentialPoisson", "LinearPoisson", "PushPull"]
