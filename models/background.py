"""What bombards each cell of a population from outside the network, so often that single spikes are not followed: their number in a step is drawn."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..simulator.protocols import Hertz, finite, non_negative, part, require
from .inputs.alias import alias_table

FASTEST = 1e9  # Hz of all synapses of a cell; a table of the counts in a millisecond is then 18,000 long
LEAST = 1e-18  # probability of a count, relative to the most probable, below which it never comes


class Arrivals(NamedTuple):
    """accept, own, other (n_counts,): entry k stands for the amount own[k] with probability accept[k], else for other[k].

    A uniform u in [0, 1) chooses the entry, and of it what arrives.
    """

    accept: np.ndarray
    own: np.ndarray
    other: np.ndarray

    def chosen(self, u):
        x = u * len(self.accept)
        k = np.uintp(x)
        own, other = self.own[k], self.other[k]  # both read in any case: a choice of two values needs no jump
        return own if x - np.float64(k) < self.accept[k] else other


@part
class PoissonBackground(NamedTuple):
    """Independent Poisson trains, a number of them onto each cell, all with one rate and one weight that does not learn.

    n_synapses  1000   trains onto each cell
    rate        10 Hz  of each
    weight      1e-4   what a spike delivers, in the unit of weights onto the cell, >= 0

    In a step of dt a cell receives weight times a number of spikes from the Poisson distribution with mean n_synapses rate dt. One uniform number
    and an alias table (Walker 1977) give that number, so that a train costs nothing, and probabilities are right to 1e-12. The spikes of a step arrive
    together, with those that come from the network.
    Source: external input of Brunel 2000, J Comput Neurosci 8:183.
    """

    n_synapses: int = 1000
    rate: Hertz = 10.0
    weight: float = 1e-4

    def check(self):
        finite(self, "n_synapses")
        require(self.n_synapses >= 1, self, "n_synapses", "must be >= 1")
        non_negative(self, "rate", "weight")
        most = FASTEST / self.n_synapses
        require(self.rate <= most, self, "rate", f"must be <= {most:g} Hz, so that a cell gets at most {FASTEST:g} Hz")

    def arrivals(self, dt):
        """What a cell gets in steps of dt [s]."""
        least, probabilities = counts(self.n_synapses * self.rate * dt)
        table = alias_table(probabilities)
        amounts = self.weight * (least + np.arange(len(probabilities)))
        return Arrivals(table.accept, amounts, amounts[table.alias])


def counts(mean: float) -> tuple[int, np.ndarray]:
    """The least count and the probabilities (n,), relative to the largest, of that and the following ones, in the Poisson distribution."""
    reach = 10.0 * math.sqrt(mean) + 40.0
    low, high = max(0, int(mean - reach)), int(mean + reach)
    k = np.arange(low + 1, high + 1)
    logarithms = np.concatenate([[0.0], np.cumsum(np.log(mean / k))]) if mean > 0.0 else np.zeros(1)
    relative = np.exp(logarithms - logarithms.max())
    kept = np.flatnonzero(relative > LEAST)
    return low + int(kept[0]), relative[kept]
