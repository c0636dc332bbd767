"""Published experiments, one a file: the network, the protocol, and the expected numbers with their source."""

from .catalogue import EXPERIMENTS, KINDS, experiment_class, parts
from .experiment import Expected, Experiment
from .network import from_network
from .toml import load, loads, to_toml

__all__ = [
    "EXPERIMENTS",
    "KINDS",
    "Expected",
    "Experiment",
    "experiment_class",
    "from_network",
    "load",
    "loads",
    "parts",
    "to_toml",
]
