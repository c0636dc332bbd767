"""What changes weights: learning windows, rules, normalisation, thresholds."""

from ..simulator.plain import Free, Static
from .bcm import BCM
from .covariance import Covariance
from .dependence import Logarithmic, PowerLaw
from .hebb import Hebb
from .linsker import Linsker
from .miller import Miller
from .nonlinear_hebb import NonlinearHebb
from .nonlinearity import Linear, NearestPairs, RectifiedPower
from .normalisation import L1, L2
from .oja import Oja
from .pair_stdp import PairSTDP
from .pairing import ALL_TO_ALL, NEAREST_SYMMETRIC, PRESYNAPTIC_CENTRED, REDUCED_SYMMETRIC, Pairing
from .sanger import Sanger
from .spike_hebb import SpikeHebb
from .stdp import STDP
from .tabulated import TabulatedWindow
from .threshold import FixedThreshold, MeanSquareThreshold, SlidingThreshold
from .triplet import Triplet
from .vogels import VogelsSprekeler
from .windows import DoubleExponential, KempterWindow

__all__ = [
    "ALL_TO_ALL",
    "BCM",
    "L1",
    "L2",
    "NEAREST_SYMMETRIC",
    "PRESYNAPTIC_CENTRED",
    "REDUCED_SYMMETRIC",
    "STDP",
    "Covariance",
    "DoubleExponential",
    "FixedThreshold",
    "Free",
    "Hebb",
    "KempterWindow",
    "Linear",
    "Linsker",
    "Logarithmic",
    "MeanSquareThreshold",
    "Miller",
    "NearestPairs",
    "NonlinearHebb",
    "Oja",
    "PairSTDP",
    "Pairing",
    "PowerLaw",
    "RectifiedPower",
    "Sanger",
    "SlidingThreshold",
    "SpikeHebb",
    "Static",
    "TabulatedWindow",
    "Triplet",
    "VogelsSprekeler",
]
