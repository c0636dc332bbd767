"""The averaged rule of pair STDP: drift for any pairing and any dependence on the weight, and the diffusion of a single weight."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..simulator.protocols import Delta, HebbscopeError, ParameterError, require_methods
from . import equal_weights
from .dependence import PowerLaw
from .filtered_cumulants import FilteredCumulants
from .fokker_planck import stationary_density
from .hebb import Hebb
from .linear_output import LinearOutput
from .nonlinear_hebb import NonlinearHebb
from .nonlinearity import NearestPairs
from .pairing import PRESYNAPTIC_CENTRED
from .sliding import is_recorded, known, moved
from .threshold import FixedThreshold, rise, scale_among_spikes, sign_change
from .window_integrals import laplace
from .windows import DoubleExponential

HIDDEN = "spikes that hide others, to the first order in the single weight"


@dataclass(frozen=True, repr=False, eq=False)
class STDPEquation(LinearOutput):
    """dJ_i/dt = f_plus(J_i) [y K_plus x_i + sum_j J_j (Q_plus_ij + delta_ij k3_i)] - f_minus(J_i) [y K_minus x_i + sum_j J_j Q_minus_ij].

    f_plus and f_minus are the amplitudes with what they make of the weight, and f_minus with the scale that a threshold has come to at y. The areas K of the window are those of exponentials that end where a
    spike is hidden: K_plus = 1 / (1 / tau_plus + h) with h the rate of the spikes that hide it, `Pairing.hiding`; all-to-all h = 0. Q are their overlaps
    with the covariance of the inputs, seen through the EPSP, and k3 what a spike adds by the output spikes that it causes.

    Exact in the drift for a linear neuron and slow weights all-to-all. Where spikes hide spikes, for independent Poisson inputs, and to the first order in the
    single weight. Source: all-to-all Guetig et al. 2003, J Neurosci 23:3697 [derived again]; nearest pairs after Izhikevich & Desai 2003, Neural Comput 15:1511
    [derived]. A threshold that slides is known to the first order of 1 / (tau y), in the spikes that are both in it and in the pairs, and of correlations; see rules/sliding.py.
    """

    @property
    def approximate(self) -> str:
        """By what it is approximate; nothing where it is exact."""
        by = known(self.rule, not (self.hides_outputs or is_recorded(self.statistics)))
        return "; ".join(filter(None, [HIDDEN if self.hides else "", by]))

    def __post_init__(self) -> None:
        require_methods(self.rule.threshold, "the learning equation", "settled")
        if self.hides and self.statistics.covariance:
            raise HebbscopeError(
                "STDP: the learning equation of pairings other than all-to-all is for inputs without correlations"
            )
        if self.hides and any(not isinstance(kernel, Delta) for _, kernel in self.statistics.atom):
            raise HebbscopeError("STDP: the learning equation of pairings other than all-to-all is for Poisson inputs")

    @property
    def hides(self) -> bool:
        """Whether any spike hides another."""
        return any(self.rule.pairing)

    @property
    def hides_outputs(self) -> bool:
        """Whether any spike hides one of the output."""
        return bool(self.rule.pairing.post_by_post or self.rule.pairing.post_by_pre)

    # Independent spikes at given rates

    def areas(self, x: Any, y: Any) -> tuple[Any, Any]:
        """K_plus and K_minus [s] under independent Poisson spikes at rates x and y [Hz]."""
        before, after = self.rule.pairing.hiding(np.asarray(x, float), np.asarray(y, float))
        return 1.0 / (1.0 / self.rule.tau_plus + before), 1.0 / (1.0 / self.rule.tau_minus + after)

    def amplitudes(self, weights: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """eta A_plus f_plus and eta A_minus f_minus at weights, once the threshold has come to output rates y [Hz], broadcast with them."""
        plus, minus = self.rule.amplitudes(weights)
        return plus, minus * self.rule.threshold.settled(np.asarray(y, float))

    def independent_drift(self, weights: Any, x: Any, y: Any) -> np.ndarray:
        """Drift [1/s] for independent Poisson spikes at rates x and y [Hz], broadcast with the weights."""
        plus, minus = self.rule.amplitudes(weights)
        wide, late = self.areas(x, y)
        return np.asarray(x * y * (plus * wide - minus * self._scale(y, late) * late))

    def _scale(self, y: Any, late: Any, shift: Any = 0.0, variance: Any = 0.0) -> np.ndarray:
        """What the threshold makes of depression by spikes that are in sight for `late` [s], at output rates y [Hz]."""
        return scale_among_spikes(self.rule.threshold, y, late, self.rule.pairing.post_by_post, shift, variance)

    def independent_diffusion(self, weights: Any, x: Any, y: Any) -> np.ndarray:
        """Growth of the variance [1/s] of one weight for independent Poisson spikes at rates x and y [Hz], for slow learning and any pairing: exact with a
        threshold that stays, else to the leading order of 1 / (tau y).

        The weight is its drift and a martingale, whose steps are what a spike changes at once and what it makes later spikes change. With r and o the
        traces of the presynaptic and the postsynaptic spikes that are in sight, these are at a postsynaptic spike, which may hide those before it, and at a
        presynaptic one, with A the amplitudes, K the areas and h = 1 where spikes of the one side hide those of the other, or of their own,

            a = A_plus r (1 - h_pre_by_post y K_plus) - A_minus x K_minus (1 + eps - h_post_by_post o)
            b = A_plus y K_plus (1 - h_pre_by_pre r) - A_minus o (1 - h_post_by_pre x K_minus)

        so that the variance grows by y E[a^2] + x E[b^2]; beside it by x y times the squares of the noise. All-to-all with a threshold that stays it is
        x y int W^2 + y (W~ x)^2 + x (W~ y)^2. eps is d ln theta / d ln y of the scale theta that the threshold settles at: a spike raises its average by 1 / tau for
        a time tau, and with it the depression of all spikes in it.
        """
        plus, minus = self.amplitudes(weights, y)
        wide, late = self.areas(x, y)
        slid = self.rule.amplitudes(weights)[1] * x * late * rise(self.rule.threshold, y)
        r, o, rr, oo, ro = self._traces(x, y)
        h = self.rule.pairing
        now, later = plus * (1.0 - h.pre_by_post * y * wide), minus * x * late
        a = now**2 * rr - 2.0 * now * ((later + slid) * r - later * h.post_by_post * ro)
        a = a + (later + slid) ** 2 + later * h.post_by_post * (later * oo - 2.0 * (later + slid) * o)
        now, later = minus * (1.0 - h.post_by_pre * x * late), plus * y * wide
        b = now**2 * oo - 2.0 * now * later * (o - h.pre_by_pre * ro)
        b = b + later**2 * (1.0 + h.pre_by_pre * (rr - 2.0 * r))
        return np.asarray(y * a + x * b + self._noise(weights, x, y))

    def _noise(self, weights: Any, x: Any, y: Any) -> Any:
        """What the noise of pairs adds to the growth of the variance [1/s]."""
        before, after = self.rule.pairing.hiding(np.asarray(x, float), np.asarray(y, float))
        squares = 1.0 / (2.0 / self.rule.tau_plus + before) + 1.0 / (2.0 / self.rule.tau_minus + after)
        return x * y * (self.rule.eta * self.rule.sigma * np.asarray(weights, float)) ** 2 * squares

    def _traces(self, x: Any, y: Any) -> tuple[Any, Any, Any, Any, Any]:
        """Means of r, o, r^2, o^2 and r o, of traces of spikes in sight, from what a spike of either side makes of them."""
        h, fast, slow = self.rule.pairing, 1.0 / self.rule.tau_plus, 1.0 / self.rule.tau_minus
        before, after = h.hiding(np.asarray(x, float), np.asarray(y, float))
        r, o = x / (fast + before), y / (slow + after)
        rr = x * (1.0 + 2.0 * (1 - h.pre_by_pre) * r) / (2.0 * fast + before)
        oo = y * (1.0 + 2.0 * (1 - h.post_by_post) * o) / (2.0 * slow + after)
        ended = x * (1 - (1 - h.pre_by_pre) * (1 - h.post_by_pre)) + y * (
            1 - (1 - h.pre_by_post) * (1 - h.post_by_post)
        )
        ro = (x * (1 - h.post_by_pre) * o + y * (1 - h.pre_by_post) * r) / (fast + slow + ended)
        return r, o, rr, oo, ro

    def density(self, x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
        """Stationary density of one weight between its bounds under independent Poisson spikes at rates x and y [Hz]: weights (n,), density (n,)."""
        return stationary_density(
            lambda w: self.independent_drift(w, x, y),
            lambda w: self.independent_diffusion(w, x, y),
            self.rule.w_min,
            self.rule.w_max,
        )

    def sign_change(self, x: float, weight: float) -> float:
        """The output rate [Hz] at which the drift of independent spikes changes its sign, for input rate x [Hz], see `sign_change` of threshold.py; nan where it changes nowhere."""
        plus, minus = self.rule.amplitudes(weight)

        def net(y: Any) -> Any:
            wide, late = self.areas(x, y)
            return plus * wide - minus * self._scale(y, late) * late

        return sign_change(net, self.rule.threshold)

    def rate_rule(self) -> Hebb | NonlinearHebb:
        """The rate rule that additive pairs of independent spikes are: plain Hebb all-to-all; presynaptic-centred, where the next postsynaptic spike hides
        both sides, one with the threshold of Bienenstock, Cooper & Munro.

        HebbscopeError for amplitudes that depend on the weight, and for other pairings, whose change is no product of x and a function of y.
        """
        r = self.rule
        if not isinstance(r.dependence, PowerLaw) or r.dependence.relative:
            raise HebbscopeError("STDPEquation.rate_rule: is of amplitudes that do not depend on the weight")
        if not isinstance(r.threshold, FixedThreshold):
            raise HebbscopeError("STDPEquation.rate_rule: is of a threshold that stays")
        loss = r.A_minus * r.threshold.scale
        if not self.hides:
            return Hebb(r.eta * (r.A_plus * r.tau_plus - loss * r.tau_minus), r.w_min, r.w_max)
        if r.pairing != PRESYNAPTIC_CENTRED:
            raise HebbscopeError("STDPEquation.rate_rule: is of all pairs, or of presynaptic-centred ones")
        pairs = NearestPairs(r.A_plus, loss, r.tau_plus, r.tau_minus)
        return NonlinearHebb(r.eta, pairs, r.w_min, r.w_max)

    # The network

    def drift(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (..., n): dJ/dt [1/s]."""
        weights = np.asarray(weights, float)
        seen, y = self.effective(weights), self.output_rate_of(weights)[..., None]
        plus, minus = self.rule.amplitudes(weights)
        wide, late = self.areas(self.rates, y)
        gained, lost = wide * self.rates * y, late * self.rates * y
        if self.hides:
            gained = gained + (self.causal * self._caused_in_sight(y)) * seen
        else:
            (left, right, own), (left_minus, right_minus, own_minus) = self._overlaps
            gained = gained + (seen @ right) @ left.T + self.causal * own * seen
            lost = lost + (seen @ right_minus) @ left_minus.T + self.causal * own_minus * seen
        return plus * gained - minus * self._scale(y, late, *self._moved(seen, y)) * lost

    def _moved(self, seen: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
        """What correlations add to the moments of a sliding threshold where no spike hides one of the output."""
        if self.hides_outputs or not hasattr(self.rule.threshold, "averages"):
            return 0.0, 0.0
        return moved(self.rule.threshold, self._cumulants, tuple(self._epsp), self.rule.tau_minus, seen, y)

    @cached_property
    def _cumulants(self) -> FilteredCumulants:
        return FilteredCumulants(self.statistics, self.causal)

    def _caused_in_sight(self, y: np.ndarray) -> np.ndarray:
        """(..., n) [1/s]: what an input spike gains by the output spikes that it causes, over the weight, where spikes hide spikes.

        Beside int eps(u) exp(-p u) du, p = 1 / tau_plus + h: that spikes are out of sight says that there were others of the same input, or that the output has
        fired, and both have to do with what this input causes. To the first order that takes h / p of it away.
        """
        before, _ = self.rule.pairing.hiding(self.rates, y)
        own = sum((vector * kernel.weight for vector, kernel in self.statistics.atom), np.zeros(len(self.rates)))
        ends = 1.0 / self.rule.tau_plus + before
        return own * laplace(self._epsp, ends) * (1.0 - before / ends)

    @cached_property
    def _epsp(self) -> list[Any]:
        if not hasattr(self.neuron, "epsp_terms"):
            rule = "must state its EPSP as terms (c, n, a) of c u^n exp(-a u) for the averaged rule of these pairs"
            raise ParameterError(type(self.neuron).__name__, "epsp_terms", rule, None)
        return list(self.neuron.epsp_terms())

    @cached_property
    def _overlaps(self) -> tuple[Any, Any]:
        """Q as left right^T and the causal coefficients, of potentiation and of depression, for amplitudes of one."""
        r = self.rule
        plus = self.statistics.through(DoubleExponential(1.0, 0.0, r.tau_plus, r.tau_minus), self.neuron)
        left, right, own = self.statistics.through(DoubleExponential(0.0, 1.0, r.tau_plus, r.tau_minus), self.neuron)
        return plus, (-left, right, -own)

    # What it says

    @property
    def reach(self) -> float:
        """The weight up to which one at rest is looked for."""
        return float(self.w_max) if np.isfinite(self.w_max) else 1e3

    n_points = 1001
    weight_at_rest = cached_property(equal_weights.weight_at_rest)
    growth_rate = property(equal_weights.growth_rate)

    def coefficients(self) -> dict[str, float]:
        """eta A_plus and eta A_minus, and the areas [s] that they have at the mean input rate and the output rate at rest."""
        r = self.rule
        rate = self.output_rate_of(np.full(len(self.rates), self.weight_at_rest))
        wide, late = self.areas(self.rates.mean(), 0.0 if np.isnan(rate) else rate)
        return {"A_plus": r.eta * r.A_plus, "A_minus": r.eta * r.A_minus, "K_plus": float(wide), "K_minus": float(late)}

    def predictions(self) -> dict[str, float]:
        """Weight and output rate [Hz] where equal weights come to rest, and how fast differences grow there [1/s]; nan where they do not."""
        weights = np.full(len(self.rates), self.weight_at_rest)
        return {
            "weight_at_rest": self.weight_at_rest,
            "output_rate_at_rest": float(self.output_rate_of(weights)),
            "growth_rate": self.growth_rate,
        }

    def __repr__(self) -> str:
        c, rests = self.coefficients(), np.isfinite(self.weight_at_rest)
        return "\n".join(
            [
                f"STDPEquation of {len(self.rates)} synapses, {'with' if self.causal else 'without'} the causal term",
                f"  areas of the window{' at rest' if rests else ''} {c['K_plus']:.4g} s and {c['K_minus']:.4g} s, "
                f"amplitudes {c['A_plus']:.4g} and {c['A_minus']:.4g}",
                f"  {equal_weights.in_words(self)}",
                *([f"  approximate: {self.approximate}"] if self.approximate else []),
            ]
        )

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"
