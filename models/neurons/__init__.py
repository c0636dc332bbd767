from .exponential_poisson import ExponentialPoisson
from .linear_poisson import LinearPoisson
from .transmission import Direct, PushPull

__all__ = ["Direct", "ExponentialPoisson", "LinearPoisson", "PushPull"]
