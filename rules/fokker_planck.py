"""The stationary density of a weight that drifts and diffuses between bounds.

dP/dt = -d(A P)/dw + 1/2 d^2(D P)/dw^2 with no flux through the bounds has the stationary solution P ~ (1 / D) exp(int 2 A / D dw): where the drift A
rises with the weight the density has a peak at each bound, where it falls one in between.
Source: van Rossum, Bi & Turrigiano 2000, J Neurosci 20:8812, for weights under STDP [recalled, derived again].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

N_POINTS = 4001


def stationary_density(
    drift: Callable[[np.ndarray], np.ndarray], diffusion: Callable[[np.ndarray], np.ndarray], low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights w (n,) from low to high, and the density (n,) at them, whose integral is one.

    drift(w) [1/s] and diffusion(w) [1/s], the growth of the variance, are functions of weights (n,); diffusion > 0 between the bounds.
    """
    from scipy.integrate import cumulative_simpson, simpson

    w = np.linspace(low, high, N_POINTS)
    spread = np.maximum(diffusion(w), np.finfo(float).tiny)
    exponent = cumulative_simpson(2.0 * drift(w) / spread, x=w, initial=0.0) - np.log(spread)
    density = np.exp(exponent - exponent.max())
    return w, density / simpson(density, x=w)
