"""The averaged equation of rules that are born at the rate level, from the means and the covariance of the input rates."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..simulator.protocols import Delta, Empirical, Gaussian, HebbscopeError, require_methods
from .filters import Before, Filter, Response, exponential, scaled, traced
from .linear_flow import LinearFlow, flow_of
from .linear_output import LinearOutput
from .window_integrals import kernel_value


class Seen(NamedTuple):
    """Of trains that are seen at one time, (n, r), (n, r), (n,): an amount a_j of each has with that of train i the covariance left right^T a + own a [Hz²]."""

    left: np.ndarray
    right: np.ndarray
    own: np.ndarray

    def covariance(self, amounts: np.ndarray) -> np.ndarray:
        """(..., n) -> (..., n) [Hz²]: of the sum of so much of each train with each train."""
        return (amounts @ self.right) @ self.left.T + self.own * amounts


@dataclass(frozen=True, repr=False, eq=False)
class RateEquation(LinearOutput):
    """dw_i/dt as the mean of the rule's change over the rates of its inputs, of which the output rate is a linear function.

    The rule has a method averaged(w, x, y, covariance, variance) of the weights (..., n), the mean input rates (n,), the mean output rate (..., 1), the
    covariance of the output rate with each input rate (..., n) and its variance (..., 1), all in Hz or Hz²; it returns (..., n) [1/s].

    Where the rule sees rates, their covariance is what the input states at lag 0, and the output follows at once. Single spikes are no part of it: neither their own
    variance nor what is stated of spikes that come together. There is no causal term, so that the equation is the same with and without.

    Where it sees spikes smoothed by f(x) = exp(-x / tau) / tau, tau = statistics.smoothing, covariances are those of filtered trains: the inputs' through f, the output's through f
    and its EPSP, and the spikes of the output have a variance of their own, y int f² = y / (2 tau). The causal term is what the spikes of an input have in common with the output
    that they drive [derived]. Exact for slow weights while the output is not rectified.
    """

    def __post_init__(self) -> None:
        for term in self.statistics.covariance:
            if not self.statistics.smoothing and isinstance(term.kernel, Delta | Gaussian | Empirical):
                raise HebbscopeError(
                    f"{type(self.rule).__name__}: is averaged over rates that inputs state, got single spikes that come together"
                )

    @property
    def approximate(self) -> str:
        """By what it is no equation of what spikes do."""
        return "" if self.statistics.smoothing else "rates alone, no single spikes"

    @cached_property
    def _beside_inputs(self) -> Seen:
        """Of inputs as the output is made of them, with inputs as the rule sees them."""
        if not self.statistics.smoothing:
            return self._at_once
        found = self._seen(self._smoothed, self._driven)
        return found if self.causal else found._replace(own=np.zeros_like(found.own))

    @cached_property
    def _beside_itself(self) -> Seen:
        """Of inputs as the output is made of them, with each other."""
        return self._seen(self._driven, self._driven) if self.statistics.smoothing else self._at_once

    @property
    def _smoothed(self) -> Filter:
        """The filter through which a rule sees spikes, of area 1."""
        return scaled(exponential(self.statistics.smoothing), 1.0 / self.statistics.smoothing)

    @property
    def _driven(self) -> Filter:
        """The filter by which a spike of an input moves the smoothed output."""
        tau = self.statistics.smoothing
        require_methods(self.neuron, "the averaged equation of smoothed spikes", "epsp_terms")
        return scaled(traced(self.neuron.epsp_terms(), tau), 1.0 / tau)

    def _seen(self, before: Filter, after: Filter) -> Seen:
        return Seen(*self.statistics.through(Before(before), Response(after)))

    @cached_property
    def _at_once(self) -> Seen:
        """Of the rates at lag 0."""
        left, right = [np.zeros((len(self.rates), 0))], [np.zeros((len(self.rates), 0))]
        for term in self.statistics.covariance:
            left.append(term.by(kernel_value(term.kernel, np.zeros(()))))
            right.append(term.right)
        return Seen(np.concatenate(left, axis=1), np.concatenate(right, axis=1), np.zeros(len(self.rates)))

    def drift(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (..., n): dw/dt [1/s]."""
        weights = np.asarray(weights, float)
        amounts = self.effective(weights)
        y = (self._base + amounts @ self.rates)[..., None]
        variance = (amounts * self._beside_itself.covariance(amounts)).sum(axis=-1, keepdims=True)
        if self.statistics.smoothing:
            variance = variance + y / (2.0 * self.statistics.smoothing)
        return self.rule.averaged(weights, self.rates, y, self._beside_inputs.covariance(amounts), variance)

    def coefficients(self) -> dict[str, float]:
        """Of the input rates as the rule sees them: mean [Hz], variance [Hz²], both averaged over inputs, and the variance [Hz²] along their first principal component."""
        smoothed = self.statistics.smoothing > 0.0
        left, right, own = self._seen(self._smoothed, self._smoothed) if smoothed else self._at_once
        whole = left @ right.T + np.diag(own) if own.any() else right.T @ left  # which has the same eigenvalues
        return {
            "mean_rate": float(self.rates.mean()),
            "variance": float(((left * right).sum(axis=1) + own).mean()),
            "largest_variance": float(np.linalg.eigvals(whole).real.max(initial=0.0)),
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
