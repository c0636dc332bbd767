"""What changes weights: learning windows, rules, normalisation, thresholds."""

from ..simulator.plain import Free, Static
from .constraints import Multiplicative, Subtractive
from .dependence import Logarithmic, PowerLaw
from .normalisation import L1, L2
from .pair_stdp import PairSTDP
from .pairing import ALL_TO_ALL, NEAREST_SYMMETRIC, PRESYNAPTIC_CENTRED, REDUCED_SYMMETRIC, Pairing
from .scaling import SynapticScaling
from .spike_hebb import SpikeHebb
from .stdp import STDP
from .tabulated import TabulatedWindow
from .threshold import FixedThreshold, PotentialThreshold, SlidingThreshold
from .triplet import (
    HIPPOCAMPUS_FULL,
    HIPPOCAMPUS_MINIMAL,
    HIPPOCAMPUS_NEAREST_FULL,
    HIPPOCAMPUS_NEAREST_MINIMAL,
    VISUAL_CORTEX_FULL,
    VISUAL_CORTEX_MINIMAL,
    VISUAL_CORTEX_NEAREST_FULL,
    VISUAL_CORTEX_NEAREST_MINIMAL,
    Triplet,
)
from .vogels import VogelsSprekeler
from .voltage import VOLTAGE_HIPPOCAMPUS, VOLTAGE_VISUAL_CORTEX, VoltageSTDP
from .windows import DoubleExponential, KempterWindow

__all__ = [
    "ALL_TO_ALL",
    "HIPPOCAMPUS_FULL",
    "HIPPOCAMPUS_MINIMAL",
    "HIPPOCAMPUS_NEAREST_FULL",
    "HIPPOCAMPUS_NEAREST_MINIMAL",
    "L1",
    "L2",
    "NEAREST_SYMMETRIC",
    "PRESYNAPTIC_CENTRED",
    "REDUCED_SYMMETRIC",
    "STDP",
    "VISUAL_CORTEX_FULL",
    "VISUAL_CORTEX_MINIMAL",
    "VISUAL_CORTEX_NEAREST_FULL",
    "VISUAL_CORTEX_NEAREST_MINIMAL",
    "VOLTAGE_HIPPOCAMPUS",
    "VOLTAGE_VISUAL_CORTEX",
    "DoubleExponential",
    "FixedThreshold",
    "Free",
    "KempterWindow",
    "Logarithmic",
    "Multiplicative",
    "PairSTDP",
    "Pairing",
    "PotentialThreshold",
    "PowerLaw",
    "SlidingThreshold",
    "SpikeHebb",
    "Static",
    "Subtractive",
    "SynapticScaling",
    "TabulatedWindow",
    "Triplet",
    "VogelsSprekeler",
    "VoltageSTDP",
]
