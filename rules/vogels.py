"""The rule of inhibitory synapses that keeps their targets at a rate."""

from __future__ import annotations

from typing import NamedTuple

from ..simulator.protocols import Hertz, Nobody, Seconds, bounds_in_order, clip, non_negative, part, positive
from .traces import Traces, add, decay, traces


class State(NamedTuple):
    """Traces of the sources (n_pre) and of the targets (n_post)."""

    before: Traces
    after: Traces


@part
class VogelsSprekeler(NamedTuple):
    """Spikes close to each other strengthen a synapse in any order, and each presynaptic spike weakens it.

    presynaptic spike of j:    w_ij += eta [sum over earlier spikes of i of exp(-(t - t_i) / tau) - 2 rho_0 tau]
    postsynaptic spike of i:   w_ij += eta  sum over earlier spikes of j of exp(-(t - t_j) / tau)

    eta    1e-3   learning rate, in the unit of weights
    rho_0  3 Hz   rate at which the target is kept
    tau    20 ms  width of the window
    w_min 0, w_max 1    hard bounds

    On average dw/dt = 2 eta tau x (y - rho_0) for independent trains with rates x and y (`drift`), so that inhibition grows where a target is faster than
    rho_0 and shrinks where it is slower. Of two spikes at one time the presynaptic is the first. To the rule the weight is a strength, >= 0; that
    it inhibits is the synapse's business.
    Source: Vogels, Sprekeler, Zenke, Clopath & Gerstner 2011, Science 334:1569 [recalled; the equations as in NEST's and Brian2's models].
    """

    eta: float = 1e-3
    rho_0: Hertz = 3.0
    tau: Seconds = 20e-3
    w_min: float = 0.0
    w_max: float = 1.0

    def check(self):
        non_negative(self, "eta", "rho_0")
        positive(self, "tau")
        bounds_in_order(self)

    def init(self, n_pre, n_post):
        return State(traces(n_pre), traces(n_post))

    def on_pre(self, state, w, j, t):
        self.relay(state, w, j, t, Nobody(0))

    def relay(self, state, w, j, t, cells):
        scale = decay(state.after, self.tau, t)
        for n in range(w.n_out(j)):
            cells.take(w, j, n)
            k = w.out(j, n)
            change = self.eta * (scale * state.after.value[w.post(j, n)] - 2.0 * self.rho_0 * self.tau)
            w.value[k] = clip(w.value[k] + change, self.w_min, self.w_max)
        add(state.before, j, self.tau, t)

    def on_post(self, state, w, i, t):
        gain = self.eta * decay(state.before, self.tau, t)
        for n in range(w.n_in(i)):
            k = w.into(i, n)
            w.value[k] = clip(w.value[k] + gain * state.before.value[w.pre(i, n)], self.w_min, self.w_max)
        add(state.after, i, self.tau, t)

    def drift(self, x, y):
        """Change of a weight per second for independent Poisson trains of rates x (pre) and y (post) [Hz]."""
        return 2.0 * self.eta * self.tau * x * (y - self.rho_0)

    @property
    def window(self):
        """What a pair changes by its distance, in units of eta."""
        from .windows import DoubleExponential

        return DoubleExponential(1.0, -1.0, self.tau, self.tau)

    def pair_change(self, s, value):
        """What a pair at s = t_pre - t_post [s] changes alone, the loss by its presynaptic spike included; at any weight."""
        return self.eta * (self.window.value(s) - 2.0 * self.rho_0 * self.tau)

    @property
    def pairs(self):
        """The same window with a loss of 2 rho_0 tau at each presynaptic spike."""
        from .spike_hebb import SpikeHebb

        return SpikeHebb(self.window, self.eta, -2.0 * self.rho_0 * self.tau, 0.0, self.w_min, self.w_max)

    def learning_equation(self, statistics, neuron, causal):
        """That of the same pairs in a window."""
        return self.pairs.learning_equation(statistics, neuron, causal)
