"""Learning windows: the change of a weight for each pair of a presynaptic and a postsynaptic spike.

s = t_pre - t_post, so that s < 0 is pre before post; W is dimensionless and multiplied by the rule's eta. Every window has the hooks

    pre_scale(ws, t)  from_pre(ws, j, t, scale)   sum of W over the past spikes of source j, for a postsynaptic spike at t
    post_scale(ws, t) from_post(ws, i, t, scale)  sum of W over the past spikes of target i, for a presynaptic spike at t
    add_pre(ws, j, t)  add_post(ws, i, t)                   remember a spike

where a scale holds what is common to all synapses at t. Coincident spikes are paired by their order in the loop: the one that comes second
finds the first, at s = 0 from its side. For the reduction, not compiled:

    value(s)  integral()  square_integral()  transform(omega)  overlap(neuron)  convolved(neuron, t)  q(neuron, kernel)  support()  bends()
"""

from __future__ import annotations

from typing import NamedTuple

from ..simulator.protocols import Seconds, finite, part, positive
from . import window_integrals as integrals
from .traces import AlphaTraces, Traces, add, alpha_add, alpha_traces, decay, traces


class KempterState(NamedTuple):
    """before (n_pre): alpha traces with tau_syn; plus, minus (n_post): traces with tau_plus and tau_minus."""

    before: AlphaTraces
    plus: Traces
    minus: Traces


@part
class KempterWindow(NamedTuple):
    """The window of Kempter, Gerstner & van Hemmen: a synaptic trace seen through two postsynaptic exponentials.

    s <= 0:  W(s) = exp(s / tau_syn) [A_plus (1 - s / t_plus) + A_minus (1 - s / t_minus)],   1/t_x = 1/tau_syn + 1/tau_x
    s >  0:  W(s) = A_plus exp(-s / tau_plus) + A_minus exp(-s / tau_minus)

    A_plus     1      amplitude of the fast, potentiating component
    A_minus    -1     amplitude of the slow, depressing component (its sign included)
    tau_plus   1 ms   decay time of the fast component
    tau_minus  20 ms  decay time of the slow component
    tau_syn    5 ms   decay time of the synaptic trace

    With A_minus = -A_plus the potentiating side is a pure alpha function and W is continuous with W(0) = 0.

    Source: Kempter, Gerstner & van Hemmen, PRE 59:4498 (1999), Sec. V [recalled; its integrals agree with those recalled from App. C].
    """

    A_plus: float = 1.0
    A_minus: float = -1.0
    tau_plus: Seconds = 1e-3
    tau_minus: Seconds = 20e-3
    tau_syn: Seconds = 5e-3

    def check(self):
        finite(self, "A_plus", "A_minus")
        positive(self, "tau_plus", "tau_minus", "tau_syn")

    def init(self, n_pre, n_post):
        return KempterState(alpha_traces(n_pre), traces(n_post), traces(n_post))

    def pre_scale(self, ws, t):
        f = decay(ws.before, self.tau_syn, t)
        level = self.A_plus + self.A_minus
        slope = level / self.tau_syn + self.A_plus / self.tau_plus + self.A_minus / self.tau_minus
        return f * (level + slope * (t - ws.before.origin[0])), f * slope

    def from_pre(self, ws, j, t, scale):
        return scale[0] * ws.before.value[j] - scale[1] * ws.before.moment[j]

    def add_pre(self, ws, j, t):
        alpha_add(ws.before, j, self.tau_syn, t)

    def post_scale(self, ws, t):
        return decay(ws.plus, self.tau_plus, t), decay(ws.minus, self.tau_minus, t)

    def from_post(self, ws, i, t, scale):
        return self.A_plus * scale[0] * ws.plus.value[i] + self.A_minus * scale[1] * ws.minus.value[i]

    def add_post(self, ws, i, t):
        add(ws.plus, i, self.tau_plus, t)
        add(ws.minus, i, self.tau_minus, t)

    def terms(self):
        """W(-x) and W(x), x > 0, as sums of c x^n exp(-a x): two lists of triples (c, n, a)."""
        level = self.A_plus + self.A_minus
        slope = level / self.tau_syn + self.A_plus / self.tau_plus + self.A_minus / self.tau_minus
        before = [(level, 0, 1.0 / self.tau_syn), (slope, 1, 1.0 / self.tau_syn)]
        return before, [(self.A_plus, 0, 1.0 / self.tau_plus), (self.A_minus, 0, 1.0 / self.tau_minus)]

    value, integral, square_integral = integrals.value, integrals.integral, integrals.square_integral  # type: ignore[misc]
    transform, convolved, overlap, q = integrals.transform, integrals.convolved, integrals.overlap, integrals.q  # type: ignore[misc]
    response, support, bends = integrals.response, integrals.support, integrals.bends  # type: ignore[misc]


class DoubleExponentialState(NamedTuple):
    """before (n_pre): traces with tau_plus; after (n_post): traces with tau_minus."""

    before: Traces
    after: Traces


@part
class DoubleExponential(NamedTuple):
    """One exponential on each side, with a jump at s = 0.

    s <= 0:  W(s) = A_plus exp(s / tau_plus)
    s >  0:  W(s) = -A_minus exp(-s / tau_minus)

    A_plus     1      potentiation at s = 0
    A_minus    1.05   depression at s = 0 (positive depresses)
    tau_plus   20 ms  width of the potentiating side
    tau_minus  20 ms  width of the depressing side

    Source: Song, Miller & Abbott, Nat Neurosci 3:919 (2000) [recalled]: equal widths, depression 5 % stronger.
    """

    A_plus: float = 1.0
    A_minus: float = 1.05
    tau_plus: Seconds = 20e-3
    tau_minus: Seconds = 20e-3

    def check(self):
        finite(self, "A_plus", "A_minus")
        positive(self, "tau_plus", "tau_minus")

    def init(self, n_pre, n_post):
        return DoubleExponentialState(traces(n_pre), traces(n_post))

    def pre_scale(self, ws, t):
        return (decay(ws.before, self.tau_plus, t),)

    def from_pre(self, ws, j, t, scale):
        return self.A_plus * scale[0] * ws.before.value[j]

    def add_pre(self, ws, j, t):
        add(ws.before, j, self.tau_plus, t)

    def post_scale(self, ws, t):
        return (decay(ws.after, self.tau_minus, t),)

    def from_post(self, ws, i, t, scale):
        return -self.A_minus * scale[0] * ws.after.value[i]

    def add_post(self, ws, i, t):
        add(ws.after, i, self.tau_minus, t)

    def terms(self):
        """W(-x) and W(x), x > 0, as sums of c x^n exp(-a x): two lists of triples (c, n, a)."""
        return [(self.A_plus, 0, 1.0 / self.tau_plus)], [(-self.A_minus, 0, 1.0 / self.tau_minus)]

    value, integral, square_integral = integrals.value, integrals.integral, integrals.square_integral  # type: ignore[misc]
    transform, convolved, overlap, q = integrals.transform, integrals.convolved, integrals.overlap, integrals.q  # type: ignore[misc]
    response, support, bends = integrals.response, integrals.support, integrals.bends  # type: ignore[misc]
