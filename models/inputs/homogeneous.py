"""Homogeneous Poisson trains, a rate for each synapse."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ...simulator.protocols import Covariance, Delta, Hertz, HertzArray, non_negative, part
from ...simulator.streams import uniform
from .alias import AliasTable, alias_table, pick
from .fields import per_synapse


class State(NamedTuple):
    """sources (copies * n,): output buffer; table: choice of a train; mean (n,) [Hz]."""

    sources: np.ndarray
    table: AliasTable
    mean: np.ndarray


@part
class HomogeneousPoisson(NamedTuple):
    """Independent Poisson trains, S_i(t) with constant rate nu_i.

    rate   10 Hz   nu, one number or an array (n,)

    Covariance between trains 0; the train's own is nu_i delta(s).
    """

    rate: Hertz | HertzArray = 10.0

    def check(self, n):
        non_negative(self, "rate")
        per_synapse(self, "rate", n)

    def groups(self, n):
        return ["all"] * n

    def init(self, n, copies):
        rate = per_synapse(self, "rate", n)
        return State(np.zeros(copies * n, np.int64), alias_table(np.tile(rate, copies)), rate)

    def candidate_rate(self, state):
        return state.table.total[0]

    def draw(self, state, t, rng, latent):
        state.sources[0] = pick(state.table, uniform(rng))
        return 1

    def next_wake(self, state):
        return math.inf

    def wake(self, state, t, rng, latent):
        return 0

    def rates(self, state, t, latent, out):
        for k in range(len(state.mean)):
            out[k] = state.mean[k]

    def mean_rates(self, n: int) -> np.ndarray:
        return per_synapse(self, "rate", n)

    def covariance(self, n: int) -> list[Covariance]:
        return []

    def atom(self, n: int) -> list[tuple[np.ndarray, Delta]]:
        return [(self.mean_rates(n), Delta())]

    def third_cumulants(self, n: int) -> list[Any]:
        return []
