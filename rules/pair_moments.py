"""How the weights of pair STDP move on average and spread, from the rates and spectra of the two trains of a synapse and what a spike adds to the rate.

With s = t_pre - t_post, and C the covariance of the pair of trains, drift = W~ x y + int W(s) C(s) ds. A synapse of a neuron whose rate answers a kick with h
gives C(s) = int h(u) A(s + u) du, A the autocovariance of the presynaptic train. This is exact for linear Poisson neurons and slow learning; for
neurons that are not linear h is their answer to the first order, and trains are taken as independent but for the synapse itself: approximate, good
where synapses are weak and the network asynchronous. What trains share beside adds `common_drift`.
`rule` is a PairSTDP; for the diffusion any rule of pairs.

Source: Kempter, Gerstner & van Hemmen 1999, PRE 59:4498 (drift, diffusion); spectra in place of rates [derived].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

FREQUENCIES = 2.0 * np.pi * np.geomspace(0.02, 5e3, 500)  # rad/s: of what trains are not Poisson in


def causal_drift(
    rule: Any, x: float, spectrum: np.ndarray, kick: Callable[[np.ndarray], np.ndarray], omega: np.ndarray = FREQUENCIES
) -> float:
    """Change of a weight per second by the spikes that its own spikes add.

    spectrum (n,) [Hz] of the presynaptic train, of rate x [Hz], at omega (n,) [rad/s]; kick(s): transform, integral of
    exp(-s t), of the rate that a presynaptic spike adds. The spike itself counts exactly, the others of its train, which keep away from it, by
    their spectrum.
    """
    itself = x * rule.eta * rule.A_plus * np.real(kick(np.array([1.0 / rule.tau_plus]))[0])
    others = rule.eta * (spectrum - x) * rule.window.transform(omega) * np.conj(kick(1j * omega))
    return float(itself + np.trapezoid(np.real(others), omega) / np.pi)


def common_drift(rule: Any, covariance: np.ndarray, delay: float = 0.0, omega: np.ndarray = FREQUENCIES) -> float:
    """Change of a weight per second by what both trains share, of covariance spectrum (n,) [Hz] at omega (n,) [rad/s], pre before post by `delay` [s] less.

    Presynaptic spikes take the delay to the synapse, postsynaptic ones none, so that spikes at one time meet in the wrong order.
    """
    seen = rule.eta * covariance * rule.window.transform(omega) * np.exp(-1j * omega * delay)
    return float(np.trapezoid(np.real(seen), omega) / np.pi)


def diffusion(
    rule: Any, x: float, y: float, pre: np.ndarray, post: np.ndarray, omega: np.ndarray = FREQUENCIES
) -> float:
    """Growth of the variance of a weight per second, by independent trains with rates x, y [Hz] and spectra pre, post (n,) [Hz] at omega (n,) [rad/s].

    x y int W^2 for Poisson trains in balance (W~ = 0). The first of omega stands for frequency 0.
    """
    return sum(diffusions(rule, x, y, pre, post, omega))


def diffusions(
    rule: Any,
    x: float,
    y: float,
    pre: np.ndarray,
    post: np.ndarray,
    omega: np.ndarray = FREQUENCIES,
    slid: float = 0.0,
) -> tuple[float, float]:
    """The same in two parts: that of each weight by itself, and that by postsynaptic spikes alone, which move all weights onto a target together.

    slid: what one of these changes by a threshold that slides.
    """
    pairs = rule.pairs
    area = pairs.window.integral()
    beyond = (pre * post - x * y) * np.abs(pairs.window.transform(omega)) ** 2
    chance = x * y * pairs.window.square_integral() + np.trapezoid(beyond, omega) / np.pi
    itself = chance + (pairs.w_in + area * y) ** 2 * pre[0]
    return float(pairs.eta**2 * itself), float((pairs.eta * (pairs.w_out + area * x) + slid) ** 2 * post[0])
