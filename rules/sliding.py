"""What the spikes of correlated trains do to a threshold that slides with the output, beside what Poisson spikes at its rate do.

A threshold is read together with an input spike S_i and a trace o of the output that lasts tau. Both go with the output averages f that the threshold is made of
(`averages`: by which time constants, one after the other), and outputs that fluctuate in common raise its squares (`squares`). To the first order in these covariances,

    shift = sum_f cov(o, f) / <o> + cov(S_i, f) / <S_i>,    variance = cov(y, y averaged over `squares`),

with y the output's intensity; the output's own spikes are in `among_spikes` of the threshold. With df/dt = (g - f) / tau_f for f an average of g,

    cov(o, f) = [cov(y, f) + cov(o, g) / tau_f] / (1 / tau + 1 / tau_f),    cov(o, y) at the end.

Source: [derived].
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..simulator.protocols import Empirical
from .filtered_cumulants import FilteredCumulants
from .filters import Filter, Now, scaled, traced
from .threshold import FixedThreshold

TO_ORDER = "scale of a sliding threshold, to the first order of 1 / (tau y)"
SETTLED = "scale of a sliding threshold, by a relative 1 / (tau y) and by correlations"


def slides(rule: Any) -> bool:
    """Whether a rule has a threshold that does not stay."""
    return not isinstance(getattr(rule, "threshold", FixedThreshold()), FixedThreshold)


def known(rule: Any, correlated: bool) -> str:
    """By what the scale of a rule's threshold among single spikes is approximate, nothing of one that stays; correlated: where it has what `moved` finds."""
    if not slides(rule):
        return ""
    if not hasattr(rule.threshold, "averages"):
        return SETTLED
    return TO_ORDER + (" and of correlations" if correlated else ", without correlations")


def is_recorded(statistics: Any) -> bool:
    """Whether an input is a recording, which has no stationary covariance."""
    return any(isinstance(term.kernel, Empirical) for term in statistics.covariance)


def moved(threshold: Any, of: FilteredCumulants, eps: Filter, tau: float, seen: np.ndarray, y: Any) -> tuple[Any, Any]:
    """Shift (..., n) [Hz] and variance (..., 1) [Hz^2], for a trace that lasts tau [s], effective weights (..., n), and output rates y (..., 1) [Hz].

    0 of thresholds without `averages`, and of recordings.
    """
    if not hasattr(threshold, "averages") or is_recorded(of.statistics):
        return 0.0, 0.0
    x: np.ndarray = of.statistics.rates
    shift: Any = 0.0
    for taus in threshold.averages:
        shift = shift + _over(_with_trace(of, eps, tau, taus, seen), tau * y)
        shift = shift + _over(of.pre_post(Now(), _averaged(eps, taus), seen), x)
    return shift, of.post_post(eps, _averaged(eps, (threshold.squares,)), seen)


def _averaged(eps: Filter, taus: tuple[float, ...]) -> Filter:
    """What an input spike leaves in the output averaged by these time constants [s]."""
    for tau in taus:
        eps = scaled(traced(eps, tau), 1.0 / tau)
    return eps


def _with_trace(of: FilteredCumulants, eps: Filter, tau: float, taus: tuple[float, ...], seen: np.ndarray) -> Any:
    """(..., 1): the covariance of the output's trace and of its average, its own spikes aside."""
    if not taus:
        return of.post_post(eps, traced(eps, tau), seen)
    now, before = of.post_post(eps, _averaged(eps, taus), seen), _with_trace(of, eps, tau, taus[1:], seen)
    return (now + before / taus[0]) / (1.0 / tau + 1.0 / taus[0])


def _over(covariance: Any, rate: Any) -> np.ndarray:
    """Their quotient; 0 where there are no spikes."""
    rate = np.asarray(rate, float)
    return np.where(rate > 0.0, covariance / np.where(rate > 0.0, rate, 1.0), 0.0)
