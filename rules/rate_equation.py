"""The averaged equation of rules that are born at the rate level, from the means and the covariance of the input rates."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..simulator.protocols import Delta, Empirical, Gaussian, HebbscopeError
from .linear_flow import LinearFlow, flow_of
from .linear_output import LinearOutput
from .window_integrals import kernel_value


@dataclass(frozen=True, repr=False, eq=False)
class RateEquation(LinearOutput):
    """dw_i/dt as the mean of the rule's change over the rates of its inputs, of which the output rate is a linear function at every moment.

    The rule has a method averaged(w, x, y, covariance, variance) of the weights (..., n), the mean input rates (n,), the mean output rate (..., 1), the
    covariance of the output rate with each input rate (..., n) and its variance (..., 1), all in Hz or Hz²; it returns (..., n) [1/s].

    The covariance of the input rates is what the input states at lag 0. Single spikes are no part of it: neither their own variance nor what is stated of
    spikes that come together. There is no causal term, so that the equation is the same with and without. Exact for slow weights while the output is not rectified.
    """

    def __post_init__(self) -> None:
        for term in self.statistics.covariance:
            if isinstance(term.kernel, Delta | Gaussian | Empirical):
                raise HebbscopeError(
                    f"{type(self.rule).__name__}: is averaged over rates that inputs state, got single spikes that come together"
                )

    @cached_property
    def _factors(self) -> tuple[np.ndarray, np.ndarray]:
        """left, right (n, r): the covariance of the input rates at lag 0 [Hz²] is left right^T."""
        left, right = [np.zeros((len(self.rates), 0))], [np.zeros((len(self.rates), 0))]
        for term in self.statistics.covariance:
            left.append(term.by(kernel_value(term.kernel, np.zeros(()))))
            right.append(term.right)
        return np.concatenate(left, axis=1), np.concatenate(right, axis=1)

    def drift(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (..., n): dw/dt [1/s]."""
        weights = np.asarray(weights, float)
        seen, (left, right) = self.effective(weights), self._factors
        y = (self._base + seen @ self.rates)[..., None]
        covariance = (seen @ right) @ left.T
        variance = (seen * covariance).sum(axis=-1, keepdims=True)
        return self.rule.averaged(weights, self.rates, y, covariance, variance)

    def coefficients(self) -> dict[str, float]:
        """Of the input rates: mean [Hz], variance [Hz²], both averaged over inputs, and the variance [Hz²] along their first principal component."""
        left, right = self._factors
        return {
            "mean_rate": float(self.rates.mean()),
            "variance": float((left * right).sum(axis=1).mean()),
            "largest_variance": float(np.linalg.eigvals(right.T @ left).real.max(initial=0.0)),
        }

    def predictions(self) -> dict[str, float]:
        """None that hold for every rule."""
        return {}

    def __repr__(self) -> str:
        found = {**self.coefficients(), **self.predictions()}
        lines = [f"{type(self).__name__} of {type(self.rule).__name__} and {len(self.rates)} synapses"]
        return "\n".join(lines + [f"  {name:<16} {value:.4g}" for name, value in found.items()])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


@dataclass(frozen=True, repr=False, eq=False)
class LinearRateEquation(RateEquation):
    """The same of a rule whose mean change is linear in the weights: dw/dt = constant + apply(w), with an exact solution."""

    @property
    def n(self) -> int:
        """Number of synapses."""
        return len(self.rates)

    @cached_property
    def constant(self) -> np.ndarray:
        """(n,) [1/s]: the drift of zero weights."""
        return self.drift(np.zeros(self.n))

    def apply(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (..., n) [1/s]: the part of the drift that is linear in the weights."""
        return self.drift(weights) - self.constant

    def matrix(self) -> np.ndarray:
        """(n, n) [1/s]: what `apply` multiplies by."""
        return self.apply(np.eye(self.n)).T

    def flow(self, weights: np.ndarray, free: np.ndarray | None = None, horizon: float = np.inf) -> LinearFlow:
        """The exact solution from weights (n_post, n) up to `horizon` [s]; with `free` (n,) bool of those synapses alone, the others held."""
        return flow_of(self, weights, free, horizon)

    def predictions(self) -> dict[str, float]:
        """Of equal weights: the weight at which their mean stays, and the time constant [s] by which it comes there; negative where it runs away."""
        slope = float(self.apply(np.ones(self.n)).mean())
        if slope == 0.0:
            return {"mean_weight": float("nan"), "tau_mean": float("inf")}
        return {"mean_weight": float(-self.constant.mean() / slope) + 0.0, "tau_mean": -1.0 / slope}
