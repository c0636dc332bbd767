"""The averaged rule of pairs onto a neuron that is not linear, such as an integrate-and-fire neuron: approximate."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from . import equal_weights
from .noisy_output import NoisyOutput
from .pair_moments import FREQUENCIES, diffusions
from .pair_parts import area, by_single_spikes, by_threshold, check_pairs, parts_of
from .sliding import SETTLED, slides

# weights between the bounds, between which growth and diffusion of differences are interpolated
NODES, WITHIN = 64, 1e-3
RESPONSE = "diffusion f-I curve and linear response"
GOOD = "good while weights are small against the sd of the potential"


@dataclass(frozen=True, repr=False, eq=False)
class PairEquation:
    """dJ_i/dt = w_in nu_i + w_out nu_out + W~ nu_i nu_out + int W(s) C_i(s) ds, with eta and what the rule makes of the weight in w_in, w_out and W.

    nu_out is the neuron's rate under the noise that all its inputs make, and C_i the covariance of input i with its spikes, to the first order
    in the weights; see rules/noisy_output.py. In steps of dt, spikes of one step are pairs at s = 0-: W~ is int W ds + dt (W(0-) - W(0+)) / 2.

    rule: of all pairs, with `pairs`, or STDP; output: NoisyOutput; causal: False without the part of C_i that is of the spikes of input i themselves.
    """

    rule: Any
    output: NoisyOutput
    causal: bool = True

    @property
    def approximate(self) -> str:
        """By what it is approximate."""
        return "; ".join([RESPONSE, *([SETTLED] if slides(self.rule) else [])])

    def __post_init__(self) -> None:
        check_pairs(self.rule, "the approximate learning equation")

    @property
    def rates(self) -> np.ndarray:
        """(n,) mean input rates [Hz]."""
        return self.output.rates

    @property
    def w_min(self) -> float:
        return self.rule.w_min

    @property
    def w_max(self) -> float:
        return self.rule.w_max

    def without_causal(self) -> PairEquation:
        """The same equation without the causal spike-spike term."""
        return replace(self, causal=False)

    def drift(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (..., n): dJ/dt [1/s]."""
        weights = np.asarray(weights, float)
        there = self.output.at(weights)
        x, y = self.rates, there.rate[..., None]
        total = by_single_spikes(self.rule, x, y)
        for amplitude, window in parts_of(self.rule, weights, y):
            by_chance = area(window, self.output.dt) * x * y
            total = total + amplitude * (by_chance + self.output.covariance(window, weights, there, self.causal))
        return total

    def pairs_at(self, weight: float) -> Any:
        """The rule as one of pairs in a window, while all weights have this value."""
        if hasattr(self.rule, "pairs"):
            return self.rule.pairs
        y = self.output_rate_of(np.full(len(self.rates), weight))
        return self.rule.pairs_at(weight, float(self.rule.threshold.settled(y)))

    def output_rate_of(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) -> (...): mean output rate [Hz]."""
        return self.output.at(weights).rate

    def diffusion(self, weight: float) -> np.ndarray:
        """(n,) [1/s]: growth of the variance of each weight while all are equal, for independent Poisson inputs and a train of independent intervals."""
        return self._diffusions(weight).sum(axis=0)

    def _diffusions(self, weight: float) -> np.ndarray:
        """(2, n) [1/s]: that of each weight by itself, and that of all together, see pair_moments.py."""
        there = self.output.at(np.full(len(self.rates), weight))
        pairs, y, train = self.pairs_at(weight), float(there.rate), there.driven.spectrum(FREQUENCIES)
        rates, which = np.unique(self.rates, return_inverse=True)

        def at_rate(x: float) -> tuple[float, float]:
            slid = by_threshold(self.rule, weight, x, y)
            return diffusions(pairs, x, y, np.full_like(FREQUENCIES, x), train, slid=slid)

        return np.array([at_rate(x) for x in rates])[which].T

    def spreading(self, weights: np.ndarray) -> tuple[float, float]:
        """How fast differences of weights grow that are equal but for them, and the diffusion of a weight relative to the others, mean over synapses [1/s],
        where weights (n,) are their mean; between NODES weights interpolated, for each takes a while to be found."""
        low, high, mean = self.w_min, self.reach, float(np.mean(weights))
        if not (np.isfinite(mean) and high > low):
            return float("nan"), float("nan")
        place = (mean - low) / (high - low) * NODES
        k = int(np.clip(np.floor(place), 0, NODES - 1))
        growth, diffusion = (1.0 - (place - k)) * self._spreading_node(k) + (place - k) * self._spreading_node(k + 1)
        return float(growth), float(diffusion)

    def _spreading_node(self, k: int) -> np.ndarray:
        """Both at the k-th of these weights; at the first and the last just within the bounds, where differences are of both signs."""
        if k not in self._spreading_nodes:
            share = min(max(k / NODES, WITHIN), 1.0 - WITHIN)
            weight = self.w_min + share * (self.reach - self.w_min)
            found = equal_weights.growth_at(self, weight), self._diffusions(weight)[0].mean()
            self._spreading_nodes[k] = np.array(found)
        return self._spreading_nodes[k]

    @cached_property
    def _spreading_nodes(self) -> dict[int, np.ndarray]:
        return {}

    # What it says

    @property
    def reach(self) -> float:
        """The weight up to which one at rest is looked for."""
        return min(float(self.w_max), self.output.reach)

    n_points = 201
    weight_at_rest = cached_property(equal_weights.weight_at_rest)
    growth_rate = cached_property(equal_weights.growth_rate)

    @property
    def weight_over_sd(self) -> float:
        """What a spike moves the potential by in the end, over the sd that it would have under white noise, with equal weights at rest: to be small."""
        weights = np.full(len(self.rates), self.weight_at_rest)
        return float(np.abs(self.output.seen(weights)).max() / self.output.at(weights).driven.given.sd)

    def coefficients(self) -> dict[str, float]:
        """W_integral [s] and D [1/s], averaged over synapses, with equal weights at rest; nan where they do not rest."""
        weight = self.weight_at_rest
        if np.isnan(weight):
            return {"W_integral": weight, "D": weight}
        pairs = self.pairs_at(weight)
        return {"W_integral": float(pairs.eta * pairs.window.integral()), "D": float(self.diffusion(weight).mean())}

    def predictions(self) -> dict[str, float]:
        """Weight and output rate [Hz] where equal weights come to rest, how fast differences grow there [1/s], and the weight over the sd of the
        potential; nan where they do not."""
        nowhere = np.isnan(self.weight_at_rest)
        weights = np.full(len(self.rates), self.weight_at_rest)
        return {
            "weight_at_rest": self.weight_at_rest,
            "output_rate_at_rest": float("nan") if nowhere else float(self.output_rate_of(weights)),
            "growth_rate": self.growth_rate,
            "weight_over_sd": float("nan") if nowhere else self.weight_over_sd,
        }

    def __repr__(self) -> str:
        term, neuron = "with" if self.causal else "without", type(self.output.neuron).__name__
        lines = [
            f"PairEquation of {len(self.rates)} synapses onto {neuron}, {term} the causal term",
            f"  approximate: {self.approximate}",
            f"  {GOOD}",
            f"  {equal_weights.in_words(self)}",
        ]
        if np.isfinite(self.weight_at_rest):
            lines.append(f"  a spike there moves the potential by {100.0 * self.weight_over_sd:.2g} % of its sd")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"
