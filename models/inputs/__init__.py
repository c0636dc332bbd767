"""Inputs: each streams its spikes and states its mean rates and covariance for the reduction."""

from .common_source import CommonSourcePoisson
from .homogeneous import HomogeneousPoisson
from .modulated import ModulatedPoisson
from .ornstein_uhlenbeck import OrnsteinUhlenbeckPoisson
from .patterns import PatternPoisson
from .recorded import RecordedSpikes, read_spikes

__all__ = [
    "CommonSourcePoisson",
    "HomogeneousPoisson",
    "ModulatedPoisson",
    "OrnsteinUhlenbeckPoisson",
    "PatternPoisson",
    "RecordedSpikes",
    "read_spikes",
]
