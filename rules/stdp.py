"""Pair STDP with any pairing of the spikes and any dependence on the weight."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..simulator.protocols import (
    Seconds,
    SecondsArray,
    bounds_in_order,
    clip,
    non_negative,
    part,
    positive,
    require,
    require_hooks,
)
from ..simulator.streams import normal
from .dependence import Logarithmic, PowerLaw
from .pairing import ALL_TO_ALL, NEAREST_SYMMETRIC, PRESYNAPTIC_CENTRED, REDUCED_SYMMETRIC, Pairing
from .traces import Traces, decay, traces


class Sides(NamedTuple):
    """before (n_pre,) and after (n_post,): traces of the spikes that are not hidden by their own side; last_pre, last_post (n,) [s], -inf before any."""

    before: Traces
    after: Traces
    last_pre: SecondsArray
    last_post: SecondsArray


def sides(n_pre: int, n_post: int) -> Sides:
    """No spike yet."""
    return Sides(traces(n_pre), traces(n_post), np.full(n_pre, -math.inf), np.full(n_post, -math.inf))


class State(NamedTuple):
    """pairs: what spikes are worth to later ones; squares: its squares, which decay twice as fast, where there is noise; rng (4,): its stream."""

    pairs: Sides
    squares: Sides
    rng: np.ndarray


@part
class STDP(NamedTuple):
    """Each pair of spikes that counts changes the weight by an amount that depends on their distance and on the weight.

    postsynaptic spike of i:   w_ij += eta A_plus f_plus(w_ij)    sum over the paired spikes of j of exp(-(t - t_j) / tau_plus)
    presynaptic spike of j:    w_ij -= eta A_minus f_minus(w_ij)  sum over the paired spikes of i of exp(-(t - t_i) / tau_minus)

    and each of these pairs, on both sides, adds eta sigma w_ij xi exp(-|t - t'| / tau) with a normal number xi of its own.

    A_plus      5e-3      potentiation of a pair at distance 0, where f_plus is 1
    A_minus     5.25e-3   depression of a pair at distance 0, where f_minus is 1
    tau_plus    20 ms     width of potentiation
    tau_minus   20 ms     width of depression
    eta         1         learning rate on both amplitudes and on the noise
    w_min 0, w_max 1      hard bounds, w_min >= 0
    pairing     Pairing() which pairs count: all, or the nearest in one of several ways
    dependence  PowerLaw  f_plus and f_minus: additive, multiplicative or between, or Logarithmic
    sigma       0         noise of a pair at distance 0, relative to the weight

    Of two spikes at one time the presynaptic is the first. All-to-all and additive it is `PairSTDP`, which is faster there. The noise of all pairs of
    a spike is normal, with the sum of their squares as its variance: one number is drawn for each spike and synapse.
    Source: Morrison, Diesmann & Gerstner 2008, Biol Cybern 98:459; those of its parts; the noise van Rossum, Bi & Turrigiano 2000, J Neurosci 20:8812
    [recalled, with sigma = 0.015].
    """

    A_plus: float = 5e-3
    A_minus: float = 5.25e-3
    tau_plus: Seconds = 20e-3
    tau_minus: Seconds = 20e-3
    eta: float = 1.0
    w_min: float = 0.0
    w_max: float = 1.0
    pairing: Any = Pairing()
    dependence: Any = PowerLaw()
    sigma: float = 0.0

    def check(self):
        non_negative(self, "A_plus", "A_minus", "eta", "w_min", "sigma")
        positive(self, "tau_plus", "tau_minus")
        bounds_in_order(self)
        for field in ("pairing", "dependence"):
            require_hooks(getattr(self, field), field)
            getattr(self, field).check()
        bounded = math.isfinite(self.w_max) or not self.dependence.relative
        require(bounded, self, "w_max", "must be finite where the dependence is on w / w_max")
        quiet = self.sigma == 0.0 or not self.remembers
        require(quiet, self, "sigma", "must be 0 with a pairing by which each synapse remembers what it has seen")

    @property
    def remembers(self) -> bool:
        """Whether each synapse keeps a number of its own."""
        return self.pairing.remembers

    def init(self, n_pre, n_post, rng):
        squares = sides(n_pre, n_post) if self.sigma > 0.0 else sides(0, 0)
        return State(sides(n_pre, n_post), squares, rng)

    def on_pre(self, state, w, j, t):
        factor = decay(state.pairs.after, self.tau_minus, t)
        since = math.exp((state.pairs.last_pre[j] - t) / self.tau_minus)
        factor_of_squares = decay(state.squares.after, 0.5 * self.tau_minus, t)
        scale, spread = self.eta * self.A_minus, self.eta * self.sigma
        for n in range(w.n_out(j)):
            k, i = w.out(j, n), w.post(j, n)
            pairs = self.pairing.posts(state.pairs, w, k, i, j, factor, since)
            change = -scale * pairs * self.dependence.f_minus(w.value[k], self.w_max)
            if spread > 0.0:
                squares = self.pairing.posts(state.squares, w, k, i, j, factor_of_squares, 0.0)
                change += spread * w.value[k] * math.sqrt(squares) * normal(state.rng)
            w.value[k] = clip(w.value[k] + change, self.w_min, self.w_max)
        self.pairing.pre_spike(state.pairs, j, self.tau_plus, t)
        if spread > 0.0:
            self.pairing.pre_spike(state.squares, j, 0.5 * self.tau_plus, t)

    def on_post(self, state, w, i, t):
        factor = decay(state.pairs.before, self.tau_plus, t)
        since = math.exp((state.pairs.last_post[i] - t) / self.tau_plus)
        factor_of_squares = decay(state.squares.before, 0.5 * self.tau_plus, t)
        scale, spread = self.eta * self.A_plus, self.eta * self.sigma
        for n in range(w.n_in(i)):
            k, j = w.into(i, n), w.pre(i, n)
            pairs = self.pairing.pres(state.pairs, w, k, i, j, factor, since)
            change = scale * pairs * self.dependence.f_plus(w.value[k], self.w_max)
            if spread > 0.0:
                squares = self.pairing.pres(state.squares, w, k, i, j, factor_of_squares, 0.0)
                change += spread * w.value[k] * math.sqrt(squares) * normal(state.rng)
            w.value[k] = clip(w.value[k] + change, self.w_min, self.w_max)
        self.pairing.post_spike(state.pairs, i, self.tau_minus, t)
        if spread > 0.0:
            self.pairing.post_spike(state.squares, i, 0.5 * self.tau_minus, t)

    @property
    def forms(self) -> dict[str, Any]:
        """What the catalogue of rules shows side by side."""
        threshold = {"A_plus": 1.03, "A_minus": 0.51, "tau_plus": 13.3e-3, "tau_minus": 34.5e-3}
        dependences = {
            "additive": PowerLaw(),
            "multiplicative": PowerLaw(1.0, 1.0),
            "depression alone": PowerLaw(0.0, 1.0),
            "logarithmic": Logarithmic(),
        }
        pairings = {
            "all-to-all": ALL_TO_ALL,
            "nearest symmetric": NEAREST_SYMMETRIC,
            "presynaptic-centred": PRESYNAPTIC_CENTRED,
            "reduced symmetric": REDUCED_SYMMETRIC,
        }
        return {
            "window": {name: {"dependence": each} for name, each in dependences.items()},
            "rates": {name: {"pairing": each, **threshold} for name, each in pairings.items()},
        }

    def pair_change(self, s, value):
        """What a pair at s = t_pre - t_post [s] changes alone, at a weight `value`."""
        from .windows import DoubleExponential

        plus = self.A_plus * self.dependence.f_plus(value, self.w_max)
        minus = self.A_minus * self.dependence.f_minus(value, self.w_max)
        return self.eta * DoubleExponential(plus, minus, self.tau_plus, self.tau_minus).value(s)

    def learning_equation(self, statistics, neuron, causal):
        """The averaged rule, see `rules/stdp_equation.py`."""
        from .stdp_equation import STDPEquation

        return STDPEquation(self, statistics, neuron, causal)
