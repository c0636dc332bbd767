"""What changes weights: learning windows, rules, normalisation, thresholds."""

from ..simulator.plain import Free, Static
from .bcm import BCM
from .constraints import Multiplicative, Subtractive
from .covariance import Covariance
from .dependence import Logarithmic, PowerLaw
from .hebb import Hebb
from .linsker import Linsker
from .miller import Miller
from .nonlinear_hebb import NonlinearHebb
from .nonlinearity import Linear, NearestPairs, RectifiedPower
from .normalisation import L1, L2, EqualNorms
from .oja import Oja
from .pair_stdp import PairSTDP
from .pairing import ALL_TO_ALL, NEAREST_SYMMETRIC, PRESYNAPTIC_CENTRED, REDUCED_SYMMETRIC, Pairing
from .sanger import Sanger
from .scaling import SynapticScaling
from .spike_hebb import SpikeHebb
from .stdp import STDP
from .tabulated import TabulatedWindow
from .threshold import FixedThreshold, MeanSquareThreshold, PotentialThreshold, SlidingThreshold
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
    "BCM",
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
    "Covariance",
    "DoubleExponential",
    "EqualNorms",
    "FixedThreshold",
    "Free",
    "Hebb",
    "KempterWindow",
    "Linear",
    "Linsker",
    "Logarithmic",
    "MeanSquareThreshold",
    "Miller",
    "Multiplicative",
    "NearestPairs",
    "NonlinearHebb",
    "Oja",
    "PairSTDP",
    "Pairing",
    "PotentialThreshold",
    "PowerLaw",
    "RectifiedPower",
    "Sanger",
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
