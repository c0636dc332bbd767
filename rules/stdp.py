"""Pair STDP with any pairing of the spikes and any dependence on the weight."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..simulator.protocols import (
    Nobody,
    Seconds,
    bounds_in_order,
    check_held,
    clip,
    non_negative,
    part,
    positive,
    require,
)
from .dependence import Logarithmic, PowerLaw, factors_of
from .elementary import normals
from .pairing import (
    ALL_TO_ALL,
    NEAREST_SYMMETRIC,
    PRESYNAPTIC_CENTRED,
    REDUCED_SYMMETRIC,
    Pairing,
    Pairs,
    pairs_of,
)
from .threshold import FixedThreshold, check_threshold


class State(NamedTuple):
    """pairs: what spikes are worth to later ones; squares: its squares, which decay twice as fast, where there is noise; rng (4,): its stream.

    normal (n,): numbers for the synapses of one spike, where there is noise; factors: of the dependence; sliding: the threshold's own.
    """

    pairs: Pairs
    squares: Pairs
    rng: np.ndarray
    normal: np.ndarray
    factors: Any
    sliding: Any


@part
class STDP(NamedTuple):
    """Each pair of spikes that counts changes the weight by an amount that depends on their distance and on the weight.

    postsynaptic spike of i:   w_ij += eta A_plus f_plus(w_ij)    sum over the paired spikes of j of exp(-(t - t_j) / tau_plus)
    presynaptic spike of j:    w_ij -= eta A_minus f_minus(w_ij) theta_i  sum over the paired spikes of i of exp(-(t - t_i) / tau_minus)

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
    threshold             FixedThreshold: theta = 1; SlidingThreshold: theta follows the output rate

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
    threshold: Any = FixedThreshold()

    def check(self):
        non_negative(self, "A_plus", "A_minus", "eta", "w_min", "sigma")
        positive(self, "tau_plus", "tau_minus")
        bounds_in_order(self)
        for field in ("pairing", "dependence"):
            check_held(self, field)
        check_threshold(self)
        bounded = math.isfinite(self.w_max) or not self.dependence.relative
        require(bounded, self, "w_max", "must be finite where the dependence is on w / w_max")
        quiet = self.sigma == 0.0 or not self.remembers
        require(quiet, self, "sigma", "must be 0 with a pairing by which each synapse remembers what it has seen")

    @property
    def remembers(self) -> bool:
        """Whether each synapse keeps a number of its own."""
        return self.pairing.remembers

    def init(self, n_pre, n_post, rng):
        noisy = n_pre if self.sigma > 0.0 else 0, n_post if self.sigma > 0.0 else 0
        worth = pairs_of(self.pairing, self.tau_plus, self.tau_minus, n_pre, n_post)
        squares = pairs_of(self.pairing, 0.5 * self.tau_plus, 0.5 * self.tau_minus, *noisy)
        most = max(n_pre, n_post)  # synapses of a cell: no pair is joined twice
        normal = np.zeros(most + 1 if self.sigma > 0.0 else 0)  # they come in pairs
        return State(worth, squares, rng, normal, factors_of(self.dependence, most), self.threshold.init(n_post))

    def on_pre(self, state, w, j, t):
        self.relay(state, w, j, t, Nobody(0))

    def relay(self, state, w, j, t, cells):
        pairs, squares = state.pairs, state.squares
        common = pairs.posts.in_common(pairs.before, pairs.after, j, t)
        fading = self.threshold.fading(state.sliding, t)
        state.factors.prepare_minus(w, j, self.w_max)
        if self.sigma > 0.0:
            normals(state.rng, state.normal, w.n_out(j))
            common_to_squares = squares.posts.in_common(squares.before, squares.after, j, t)
            for n in range(w.n_out(j)):
                cells.take(w, j, n)
                k, i = w.out(j, n), w.post(j, n)
                of_squares = squares.posts.worth(w, k, squares.after, i, common_to_squares)
                noise = self.noise_of(state, w, k, n, of_squares)
                change = noise - self.weakening(state, w, k, n, i, common, fading)
                w.value[k] = clip(w.value[k] + change, self.w_min, self.w_max)
            squares.pres.remember(squares.before, j, t)
        else:
            for n in range(w.n_out(j)):
                cells.take(w, j, n)
                k, i = w.out(j, n), w.post(j, n)
                w.value[k] = clip(
                    w.value[k] - self.weakening(state, w, k, n, i, common, fading), self.w_min, self.w_max
                )
        pairs.pres.remember(pairs.before, j, t)

    def on_post(self, state, w, i, t):
        pairs, squares = state.pairs, state.squares
        common = pairs.pres.in_common(pairs.after, pairs.before, i, t)
        state.factors.prepare_plus(w, i, self.w_max)
        if self.sigma > 0.0:
            normals(state.rng, state.normal, w.n_in(i))
            common_to_squares = squares.pres.in_common(squares.after, squares.before, i, t)
            for n in range(w.n_in(i)):
                k, j = w.into(i, n), w.pre(i, n)
                of_squares = squares.pres.worth(w, k, squares.before, j, common_to_squares)
                noise = self.noise_of(state, w, k, n, of_squares)
                change = noise + self.strengthening(state, w, k, n, j, common)
                w.value[k] = clip(w.value[k] + change, self.w_min, self.w_max)
            squares.posts.remember(squares.after, i, t)
        else:
            for n in range(w.n_in(i)):
                k, j = w.into(i, n), w.pre(i, n)
                w.value[k] = clip(w.value[k] + self.strengthening(state, w, k, n, j, common), self.w_min, self.w_max)
        pairs.posts.remember(pairs.after, i, t)
        self.threshold.add_output(state.sliding, i, t)

    def strengthening(self, state, w, k, n, j, common):
        """What the pairs of a postsynaptic spike with those of source j add to synapse k, the n-th onto its target."""
        worth = state.pairs.pres.worth(w, k, state.pairs.before, j, common)
        return self.eta * self.A_plus * worth * state.factors.factor_plus(n, w.value[k], self.w_max)

    def weakening(self, state, w, k, n, i, common, fading):
        """What the pairs of a presynaptic spike with those of target i take from synapse k, the n-th of its source."""
        worth = state.pairs.posts.worth(w, k, state.pairs.after, i, common)
        theta = self.threshold.depression(state.sliding, i, fading)
        return self.eta * self.A_minus * worth * state.factors.factor_minus(n, w.value[k], self.w_max) * theta

    def noise_of(self, state, w, k, n, squares):
        """The noise of pairs whose squares have this sum, at synapse k, the n-th of the spike."""
        return self.eta * self.sigma * w.value[k] * math.sqrt(squares) * state.normal[np.uintp(n)]

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
        """What a pair at s = t_pre - t_post [s] changes alone, with a threshold that depresses as 1 does, at a weight `value`."""
        return self.eta * self.pairs_at(value, 1.0).window.value(s)

    def amplitudes(self, weights):
        """eta A_plus f_plus and eta A_minus f_minus at weights of any shape."""
        hooks = (self.dependence.f_plus, self.dependence.f_minus)
        plus, minus = (np.vectorize(hook, otypes=[float])(weights, self.w_max) for hook in hooks)
        return self.eta * self.A_plus * plus, self.eta * self.A_minus * minus

    def pairs_at(self, value, theta):
        """The rule of all pairs that it is, but for noise, while a weight is `value` and the threshold's scale theta."""
        from .spike_hebb import SpikeHebb
        from .windows import DoubleExponential

        plus = self.A_plus * self.dependence.f_plus(value, self.w_max)
        minus = self.A_minus * self.dependence.f_minus(value, self.w_max) * theta
        window = DoubleExponential(plus, minus, self.tau_plus, self.tau_minus)
        return SpikeHebb(window, self.eta, 0.0, 0.0, self.w_min, self.w_max)

    def learning_equation(self, statistics, neuron, causal):
        """The averaged rule, see `rules/stdp_equation.py`."""
        from .stdp_equation import STDPEquation

        return STDPEquation(self, statistics, neuron, causal)
