"""The averaged triplet rule: its drift, and the BCM rule that it is under independent Poisson spikes."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from .windows import DoubleExponential


@dataclass(frozen=True, repr=False, eq=False)
class TripletEquation:
    """dJ_i/dt of the triplet rule for a Poisson neuron, as the means of products of rates and what correlations add to them.

    Independent spikes at x (input) and y (output):

        dJ/dt = eta x y [A2_plus tau_plus - A2_minus tau_minus - A3_minus tau_minus tau_x x + A3_plus tau_plus tau_y y]
              = eta A3_plus tau_plus tau_y x y (y - theta)

    With c_io(s) = cov[S_i(t + s), S_out(t)], c_oo the output's autocovariance without its atom and k_ioo the third cumulant of pre(t - u),
    post(t), post(t - v), the drift gains the corresponding integrals over the traces. Here c_io follows from the stated covariance of
    the inputs and the causal spike-spike term; c_oo and k_ioo, which have the shot noise of single input spikes alone, are exact for
    independent Poisson inputs and miss what correlated ones add to them. Without the causal term (the surrogate) the output still has its
    shot noise, c_oo, but the rule's own input spike no part in it.

    Valid for a linear neuron, slow weights, no hard bound in reach. The rule's own threshold part scales A2_minus by what it is at the present
    output rate: a sliding threshold has settled, which holds where it averages over many output spikes and in less time than weights take.

    Source: Pfister & Gerstner 2006, J Neurosci 26:9673 (BCM form) [recalled, derived again]; correlation terms [derived], third order after Gjorgjieva, Clopath,
    Audet & Pfister 2011, PNAS 108:19383 [recalled].
    """

    rule: Any
    statistics: Any
    neuron: Any
    causal: bool = True

    @property
    def w_min(self) -> float:
        return self.rule.w_min

    @property
    def w_max(self) -> float:
        return self.rule.w_max

    @property
    def rates(self) -> np.ndarray:
        """(n,) mean input rates [Hz]."""
        return self.statistics.rates

    def without_causal(self) -> TripletEquation:
        """The same equation without the causal spike-spike terms."""
        return replace(self, causal=False)

    # Independent spikes

    def independent_drift(self, x: Any, y: Any) -> np.ndarray:
        """Drift [1/s] for independent Poisson spikes at rates x and y [Hz], broadcast together."""
        x, y = np.asarray(x, float), np.asarray(y, float)
        return self.rule.eta * x * y * self._per_pair(x, y)

    def _per_pair(self, x: Any, y: Any) -> Any:
        """What a pair of rates brings [s], the factor on eta x y."""
        r = self.rule
        pairs = r.A2_plus * r.tau_plus - r.A2_minus * r.threshold.settled(y) * r.tau_minus
        return pairs - r.A3_minus * r.tau_minus * r.tau_x * x + r.A3_plus * r.tau_plus * r.tau_y * y

    def threshold(self, x: Any) -> np.ndarray:
        """The output rate theta [Hz] at which the drift changes its sign, for input rate x [Hz]; nan where it changes nowhere.

        With a sliding threshold it is where the output rate meets the threshold that follows it.
        """
        return np.vectorize(self._sign_change, otypes=[float])(x)

    def _sign_change(self, x: float) -> float:
        from scipy.optimize import brentq

        y = np.geomspace(1e-6, 1e6, 2401)
        found = self._per_pair(x, y)
        changes = np.flatnonzero(np.diff(np.sign(found)))
        if not len(changes):
            return float("nan")
        low, high = y[changes[0]], y[changes[0] + 1]
        return float(brentq(lambda y: float(self._per_pair(x, y)), low, high, xtol=1e-13 * low))

    # The network

    def effective(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (..., n): what multiplies the inputs, the neuron's gain in it."""
        seen = np.asarray(weights, float)
        transmission = self.statistics.transmission
        return self.neuron.gain * (seen if transmission is None else transmission.effective(seen))

    def output_rate_of(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (...): mean output rate [Hz], not below zero."""
        base = self.neuron.gain * (self.neuron.base_rate - self.neuron.threshold)
        return np.maximum(base + self.effective(weights) @ self.rates, 0.0)

    def drift(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (..., n): dJ/dt [1/s]."""
        r, x = self.rule, self.rates
        seen = self.effective(weights)
        y = self.output_rate_of(weights)[..., None]
        slow = 1.0 / (1.0 / r.tau_plus + 1.0 / r.tau_y)
        depression = r.A2_minus * r.threshold.settled(y)
        extra = r.A2_plus * self._pairs("potentiation", seen) - depression * self._pairs("depression", seen)
        extra = extra + r.A3_plus * y * (
            r.tau_y * self._pairs("potentiation", seen) + slow * self._pairs("around", seen)
        )
        shot = (seen**2 @ x)[..., None]
        extra = extra + r.A3_plus * x * r.tau_plus * self._output_overlap * shot
        if self.causal:
            extra = extra + r.A3_plus * x * self._third * seen**2 - r.A3_minus * x * (x * seen) * self._before_both
        return self.independent_drift(x, y) + r.eta * extra

    @cached_property
    def _windows(self) -> dict[str, DoubleExponential]:
        """The pair windows through which c_io enters: r1 at an output spike, o1 at an input spike, and both slow traces around one."""
        r = self.rule
        return {
            "potentiation": DoubleExponential(1.0, 0.0, r.tau_plus, 1.0),
            "depression": DoubleExponential(0.0, -1.0, 1.0, r.tau_minus),
            "around": DoubleExponential(1.0, -1.0, r.tau_plus, r.tau_y),
        }

    @cached_property
    def _matrices(self) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """For each window: left and right factors of the matrix, and the causal part of its diagonal."""
        return {name: self.statistics.through(window, self.neuron) for name, window in self._windows.items()}

    def _pairs(self, name: str, seen: np.ndarray) -> np.ndarray:
        """(..., n): int window(s) c_io(s) ds."""
        left, right, own = self._matrices[name]
        out = (seen @ right) @ left.T
        return out + own * seen if self.causal else out

    def _laplace(self, a: float) -> float:
        """int eps(u) exp(-a u) du."""
        return float(np.real(self.neuron.epsp_transform(1j * a)))

    @cached_property
    def _output_overlap(self) -> float:
        """int_0^inf exp(-v / tau_y) int eps(u) eps(u + v) du dv: c_oo of unit shot noise through o2."""
        return self._double_integral(lambda u, v: self._epsp(u) * self._epsp(u + v) * np.exp(-v / self.rule.tau_y))

    @cached_property
    def _third(self) -> float:
        """int int exp(-u / tau_plus - v / tau_y) eps(u) eps(u - v) du dv: one input spike raising both output spikes."""
        r = self.rule
        return self._double_integral(
            lambda u, v: self._epsp(u + v) * self._epsp(u) * np.exp(-(u + v) / r.tau_plus - v / r.tau_y)
        )

    @cached_property
    def _before_both(self) -> float:
        """int int exp(-s / tau_minus - v / tau_x) eps(v - s) ds dv: an earlier input spike raising the output spike of a pair."""
        r = self.rule
        return self._laplace(1.0 / r.tau_x) / (1.0 / r.tau_minus + 1.0 / r.tau_x)

    def _epsp(self, u: Any) -> np.ndarray:
        return self.neuron.epsp(np.asarray(u, float))

    def _double_integral(self, function: Any) -> float:
        """Over u, v > 0, within the support of the EPSP, by Gauss-Legendre quadrature on pieces of growing length."""
        top = self.neuron.epsp_support()
        edges = np.concatenate([[0.0], np.geomspace(top / 256.0, top, 9)])
        nodes, weights = np.polynomial.legendre.leggauss(24)
        half = 0.5 * np.diff(edges)[:, None]
        x = (edges[:-1, None] + half * (nodes + 1.0)).ravel()
        w = (half * weights).ravel()
        return float(w @ function(x[:, None], x[None, :]) @ w)

    # What it says

    def coefficients(self) -> dict[str, float]:
        """Of the BCM form at the mean input rate: eta A3_plus tau_plus tau_y [s], and theta [Hz]."""
        r = self.rule
        return {
            "bcm_gain": float(r.eta * r.A3_plus * r.tau_plus * r.tau_y),
            "theta": float(self.threshold(self.rates.mean())),
            "mean_rate": float(self.rates.mean()),
        }

    def predictions(self) -> dict[str, float]:
        """Where independent spikes leave the weights at rest: the output rate theta; stable where the threshold slides fast enough."""
        return {"output_rate_at_rest": float(self.threshold(self.rates.mean()))}

    def __repr__(self) -> str:
        c, correlated = self.coefficients(), bool(self.statistics.covariance)
        return "\n".join(
            [
                f"TripletEquation of {len(self.rates)} synapses, {'with' if self.causal else 'without'} the causal terms",
                f"  dJ_i/dt = {c['bcm_gain']:.4g} s x_i y (y - theta_i) + correlations",
                f"  theta {c['theta']:.4g} Hz at the mean input rate {c['mean_rate']:.4g} Hz",
                *(
                    ["  correlated input: its pair terms are in, its share of the triplet terms is not"]
                    if correlated
                    else []
                ),
            ]
        )

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"
