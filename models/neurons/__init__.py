from .exponential_poisson import ExponentialPoisson
from .linear_poisson import LinearPoisson
from .transmission import PushPull

__all__ = ["ExponentialPoisson", "LinearPoisson", "PushPull"]
