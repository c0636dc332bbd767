"""Poisson trains with synchronous spikes from a common source."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ...simulator.protocols import (
    CommonEvents,
    Covariance,
    Delta,
    Exponential,
    Hertz,
    Seconds,
    helper,
    non_negative,
    part,
    require,
    within,
)
from ...simulator.streams import below, exponential, uniform
from .fields import count_up_to, named

WARM_UP = 20.0  # in units of the jitter: of the spikes that wait at time 0, a part e^-20 is left out


class State(NamedTuple):
    """sources (copies * n,): output buffer; order (copies * n,): the trains, those without the common source first.

    alone, event (1,) [Hz]: total rate of the former, rate of common events that somebody copies. copied (1,): probability that somebody does.
    log_miss (1,): log of the probability that one train does not. tree (n_common + 1,), waiting (1,): spikes that wait for the end of
    their delay, counted per train (Fenwick tree) and in all. start (1,) [s]: when the trains in waiting are to be set up.
    """

    sources: np.ndarray
    order: np.ndarray
    alone: np.ndarray
    event: np.ndarray
    copied: np.ndarray
    log_miss: np.ndarray
    tree: np.ndarray
    waiting: np.ndarray
    start: np.ndarray


@part
class CommonSourcePoisson(NamedTuple):
    """Poisson trains of which the group `correlated` copies spikes from one source, so that pairs share a fraction c of their spikes.

    The source is a Poisson process of rate rate / c; each train copies each of its events with probability c, after a delay of its own drawn
    from an exponential distribution with mean `jitter`. Each train alone is Poisson. c = 0: all independent; c = 1: all spike together.

    rate           10 Hz   of every train
    c              0.1     pairwise coefficient, in [0, 1]
    jitter         0 s     mean delay; 0: exact coincidences
    n_correlated   0       the last so many synapses are correlated; the others are the group `independent`

    C_ij(s) = c rate delta(s), or with jitter c rate exp(-|s| / jitter) / (2 jitter), between a correlated train and another.
    Events that nobody copies are not drawn; the cost goes with the number of spikes. A delay that is exponential ends at a
    constant rate, so that the spikes in waiting need no order.

    Source: the multiple-interaction process of Kuhn, Aertsen & Rotter, Neural Comput. 15:67 (2003) [recalled]; the delays [derived].
    """

    rate: Hertz = 10.0
    c: float = 0.1
    jitter: Seconds = 0.0
    n_correlated: int = 0

    def check(self, n):
        non_negative(self, "rate", "jitter")
        within(self, "c", 0.0, 1.0)
        count_up_to(self, "n_correlated", n)
        for field in ("rate", "c", "jitter"):
            require(np.ndim(getattr(self, field)) == 0, self, field, "must be one number")

    def groups(self, n):
        return named(self._correlated(n), "independent", "correlated")

    def _correlated(self, n):
        return np.arange(n) >= n - self.n_correlated

    def init(self, n, copies):
        common = np.tile(self._correlated(n), copies) & (self.c > 0.0)
        n_common = int(common.sum())
        log_miss = math.log1p(-self.c) if self.c < 1.0 else -math.inf
        copied = -math.expm1(n_common * log_miss) if n_common else 0.0
        return State(
            sources=np.zeros(copies * n, np.int64),
            order=np.argsort(common, kind="stable"),
            alone=np.array([(copies * n - n_common) * float(self.rate)]),
            event=np.array([self.rate * (copied / self.c) if n_common else 0.0]),
            copied=np.array([copied]),
            log_miss=np.array([log_miss]),
            tree=np.zeros(n_common + 1, np.int64),
            waiting=np.zeros(1, np.int64),
            start=np.array([0.0 if self.jitter > 0.0 and self.rate > 0.0 and n_common else math.inf]),
        )

    def candidate_rate(self, state):
        if state.waiting[0] == 0:
            return state.alone[0] + state.event[0]
        return state.alone[0] + state.event[0] + state.waiting[0] / self.jitter

    def draw(self, state, t, rng, latent):
        n_common = len(state.tree) - 1
        n_alone = len(state.order) - n_common
        x = uniform(rng) * self.candidate_rate(state)
        if x < state.alone[0]:
            state.sources[0] = state.order[min(int(x / self.rate), n_alone - 1)]
            return 1
        if state.waiting[0] == 0 or x < state.alone[0] + state.event[0]:
            # The first train that copies, given that one does; then gaps that are geometric.
            k = int(math.log1p(-state.copied[0] * uniform(rng)) / state.log_miss[0])
            count = 0
            while k < n_common:
                if self.jitter > 0.0:
                    add(state.tree, k, 1)
                    state.waiting[0] += 1
                else:
                    state.sources[count] = state.order[n_alone + k]
                    count += 1
                gap = math.log(1.0 - uniform(rng)) / state.log_miss[0]
                k = n_common if gap >= n_common else k + 1 + int(gap)
            return count
        k = find(state.tree, below(rng, state.waiting[0]))
        add(state.tree, k, -1)
        state.waiting[0] -= 1
        state.sources[0] = state.order[n_alone + k]
        return 1

    def next_wake(self, state):
        return state.start[0]

    def wake(self, state, t, rng, latent):
        """The spikes that wait at time 0: the past of the source, with the spikes that it gave dropped."""
        state.start[0] = math.inf
        past = -WARM_UP * self.jitter
        while True:
            past += exponential(rng) / self.candidate_rate(state)
            if past >= 0.0:
                return 0
            self.draw(state, past, rng, latent)

    @property
    def changes_in(self):
        """Never: it is single spikes that come together."""
        return math.inf

    def rates(self, state, t, latent, out):
        for k in range(len(out)):
            out[k] = self.rate

    def mean_rates(self, n: int) -> np.ndarray:
        return np.full(n, float(self.rate))

    def covariance(self, n: int) -> list[Covariance]:
        if self.c == 0.0 or self.n_correlated == 0:
            return []
        left = (self._correlated(n) * math.sqrt(self.c * self.rate))[:, None]
        kernel: Any = Delta()
        if self.jitter > 0.0:
            left, kernel = left / math.sqrt(2.0 * self.jitter), Exponential(self.jitter)
        return [Covariance(left, left, kernel)]

    def atom(self, n: int) -> list[tuple[np.ndarray, Any]]:
        own: list[tuple[np.ndarray, Any]] = [(self.mean_rates(n), Delta())]
        return own + [(-(term.left * term.right).sum(axis=1), term.kernel) for term in self.covariance(n)]

    def third_cumulants(self, n: int) -> list[Any]:
        if self.c == 0.0 or self.n_correlated == 0:
            return []
        return [CommonEvents(self.rate / self.c, self.c * self._correlated(n), self.jitter)]


@helper
def add(tree, k, amount):
    """Add to the count of item k; tree (n + 1,): a Fenwick tree, whose node k holds the sum over the last (k & -k) items up to k."""
    k += 1
    while k < len(tree):
        tree[k] += amount
        k += k & -k


@helper
def find(tree, rank):
    """The item that holds the unit of this rank, counted from 0."""
    step = 1
    while 2 * step < len(tree):
        step *= 2
    k = 0
    while step > 0:
        if k + step < len(tree) and tree[k + step] <= rank:
            k += step
            rank -= tree[k]
        step //= 2
    return k
