"""What changes weights: learning windows, rules, normalisation, thresholds."""

from ..simulator.plain import Free, Static
from .normalisation import L1, L2
from .pair_stdp import PairSTDP
from .spike_hebb import SpikeHebb
from .tabulated import TabulatedWindow
from .threshold import FixedThreshold, SlidingThreshold
from .triplet import Triplet
from .windows import DoubleExponential, KempterWindow

__all__ = [
    "L1",
    "L2",
    "DoubleExponential",
    "FixedThreshold",
    "Free",
    "KempterWindow",
    "PairSTDP",
    "SlidingThreshold",
    "SpikeHebb",
    "Static",
    "TabulatedWindow",
    "Triplet",
]
