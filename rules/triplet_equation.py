"""The averaged triplet rule: its drift, and the BCM rule that it is under independent Poisson spikes."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..simulator.protocols import Empirical, HebbscopeError, ParameterError
from .bcm import BCM
from .filtered_cumulants import FilteredCumulants
from .filters import Before, Filter, Now, exponential, product, scaled, traced, triple_integral
from .linear_output import LinearOutput
from .recorded_traces import RecordedTraces, constant, value
from .sliding import is_recorded, known, moved
from .threshold import scale_among_spikes


@dataclass(frozen=True, repr=False, eq=False)
class TripletEquation(LinearOutput):
    """dJ_i/dt of the triplet rule for a Poisson neuron, as the means of products of rates and what correlations add to them.

    Independent spikes at x (input) and y (output):

        dJ/dt = eta x y [A2_plus tau_plus - A2_minus tau_minus - A3_minus tau_minus tau_x x + A3_plus tau_plus tau_y y]
              = eta A3_plus tau_plus tau_y x y (y - theta)

    that is E[r1 y (A2_plus + A3_plus o2)] - E[S_i o1 (A2_minus + A3_minus r2)] with traces r1, r2 of the input spikes S_i, with o1, o2 of the
    output, and with the output's intensity y, all of which are filtered input spikes. Correlated ones add, with cov and kappa the second and third
    cumulants at one time (of different spikes of a train, where it comes twice),

        A2_plus cov(r1, y) + A3_plus [<o2> cov(r1, y) + <y> cov(r1, o2) + <r1> cov(y, o2) + kappa(r1, y, o2)]
        - A2_minus cov(S, o1) - A3_minus [<r2> cov(S, o1) + <S> cov(r2, o1) + <o1> cov(S, r2) + kappa(S, r2, o1)]

    The surrogate (causal=False) has the same terms, less what an input spike shares with the output that it causes itself.

    Exact to the third order of what the input states, for a linear neuron whose EPSP is a sum of terms, slow weights, no hard bound in reach.
    The rule's own threshold part scales A2_minus by what it is at the present output rate: a sliding threshold has settled, which holds where it
    averages over less time than weights take. It is known to the first order of 1 / (tau y), in the spikes that are both in the threshold and in o1, and of
    correlations; see rules/sliding.py.

    Source: Pfister & Gerstner 2006, J Neurosci 26:9673 (BCM form) [recalled, derived again]; correlation terms [derived], third order after Gjorgjieva, Clopath,
    Audet & Pfister 2011, PNAS 108:19383 [recalled].
    """

    @property
    def approximate(self) -> str:
        """By what it is approximate; nothing where it is exact."""
        unknown = "third cumulants, which the input does not state, as zero" if self.statistics.third is None else ""
        return "; ".join(filter(None, [known(self.rule, not is_recorded(self.statistics)), unknown]))

    # Independent spikes

    def independent_drift(self, x: Any, y: Any) -> np.ndarray:
        """Drift [1/s] for independent Poisson spikes at rates x and y [Hz], broadcast together."""
        return self.rule.drift(np.asarray(x, float), np.asarray(y, float))

    def threshold(self, x: Any) -> np.ndarray:
        """The output rate theta [Hz] at which the drift changes its sign, for input rate x [Hz]; nan where it changes nowhere.

        With a sliding threshold it is where the output rate meets the threshold that follows it.
        """
        return np.vectorize(self.rule.sign_change, otypes=[float])(x)

    def rate_rule(self) -> BCM:
        """The rule of Bienenstock, Cooper & Munro that triplets of independent spikes are, with the threshold part of the rule: of one that slides to a relative
        1 / (tau y), for rates have no single spikes.

        HebbscopeError where the threshold depends on the input rate (A3_minus), is no multiple of the scale of depression (A2_plus), or where there is none.
        """
        r = self.rule
        if r.A3_minus != 0.0 or r.A2_plus != 0.0 or not (r.A3_plus > 0.0 and r.A2_minus > 0.0):
            raise HebbscopeError("TripletEquation.rate_rule: is of the minimal rule, with A3_plus and A2_minus alone")
        theta = r.A2_minus * r.tau_minus / (r.A3_plus * r.tau_plus * r.tau_y)
        return BCM(r.eta * r.A3_plus * r.tau_plus * r.tau_y, theta, r.threshold, r.w_min, r.w_max)

    # The network

    def drift(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (..., n): dJ/dt [1/s]."""
        seen, y = self.effective(weights), self.output_rate_of(weights)[..., None]
        for kind in self.statistics.third or []:
            if isinstance(kind, Empirical):
                traces = RecordedTraces.of(kind, *self._filters)
                return self.rule.eta * np.apply_along_axis(self._recorded, -1, seen, kind, traces)
        return self.independent_drift(self.rates, y) + self.rule.eta * self._correlations(seen, y)

    def _correlations(self, seen: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(..., n): what correlations add to the drift of unit eta, for effective weights (..., n) and the output rate (..., 1)."""
        r, x, of = self.rule, self.rates, self._cumulants
        eps, r1, r2, o1, o2 = self._filters
        early, late = of.pre_post(Before(r1), eps, seen), of.pre_post(Now(), o1, seen)
        gained = r.A2_plus * early - r.A2_minus * self._depression_by(late, seen, y)
        if r.A3_plus != 0.0:
            pairs = r.tau_y * y * early + y * of.pre_post(Before(r1), o2, seen)
            outputs = r.tau_plus * x * of.post_post(eps, o2, seen)
            gained = gained + r.A3_plus * (pairs + outputs + of.pre_post_post(r1, eps, o2, seen))
        if r.A3_minus != 0.0:
            pairs = r.tau_x * x * late + x * of.pre_post(Before(r2), o1, seen)
            inputs = r.tau_minus * y * of.pre_pre(r2)
            gained = gained - r.A3_minus * (pairs + inputs + of.pre_pre_post(r2, o1, seen))
        return gained

    def _depression_by(self, late: np.ndarray, seen: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(..., n): what correlations add to E[S o1 theta], with late = cov(S, o1): to the trace, and to the threshold's scale theta that goes with it."""
        r, (eps, *_) = self.rule, self._filters
        by_chance = self.rates * y * r.tau_minus
        shift, variance = moved(r.threshold, self._cumulants, eps, r.tau_minus, seen, y)
        theta = scale_among_spikes(r.threshold, y, r.tau_minus, 0, shift, variance)
        return theta * (by_chance + late) - scale_among_spikes(r.threshold, y, r.tau_minus) * by_chance

    def _recorded(self, seen: np.ndarray, recording: Empirical, traces: RecordedTraces) -> np.ndarray:
        """(n,) -> (n,): the drift of unit eta as a mean over the recording."""
        if len(recording.times) == 0:
            return np.zeros(len(seen))
        r, (eps, r1, r2, o1, o2) = self.rule, self._filters
        n_spikes, amounts = len(traces.times), seen[traces.sources]
        out = constant(self._base, n_spikes) + traces.after(eps, amounts)
        gain = constant(r.A2_plus + r.A3_plus * r.tau_y * self._base, n_spikes)
        gain += traces.after(scaled(o2, r.A3_plus), amounts)
        theta = scale_among_spikes(r.threshold, max(self._base + float(seen @ self.rates), 0.0), r.tau_minus)
        loss = r.A2_minus * theta + r.A3_minus * traces.before_same(r2)
        change = traces.ahead(r1, product(out, gain))
        change -= loss * (r.tau_minus * self._base + value(traces.after(o1, amounts)))
        if not self.causal:  # without the part of the output that the spike itself causes, or for r2, the earlier spike
            both = r.A3_plus * triple_integral(r1, eps, o2)
            change -= amounts * (traces.ahead(product(r1, eps), gain) - amounts * both)
            change -= amounts * traces.ahead(product(r1, scaled(o2, r.A3_plus)), out)
            change += amounts * r.A3_minus * traces.before_same(product(r2, o1))
        return traces.per_train(recording, change)

    @cached_property
    def _cumulants(self) -> FilteredCumulants:
        return FilteredCumulants(self.statistics, self.causal)

    @cached_property
    def _filters(self) -> tuple[Filter, ...]:
        """What an input spike leaves in the output's intensity and in the traces r1, r2, o1, o2; in the latter two by way of the output."""
        r = self.rule
        if not hasattr(self.neuron, "epsp_terms"):
            rule = "must state its EPSP as terms (c, n, a) of c u^n exp(-a u) for the averaged triplet rule"
            raise ParameterError(type(self.neuron).__name__, "epsp_terms", rule, None)
        eps = tuple(self.neuron.epsp_terms())
        return eps, exponential(r.tau_plus), exponential(r.tau_x), traced(eps, r.tau_minus), traced(eps, r.tau_y)

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
        c = self.coefficients()
        return "\n".join(
            [
                f"TripletEquation of {len(self.rates)} synapses, {'with' if self.causal else 'without'} the causal terms",
                f"  dJ_i/dt = {c['bcm_gain']:.4g} s x_i y (y - theta_i) + correlations",
                f"  theta {c['theta']:.4g} Hz at the mean input rate {c['mean_rate']:.4g} Hz",
                *([f"  approximate: {self.approximate}"] if self.approximate else []),
            ]
        )

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"
