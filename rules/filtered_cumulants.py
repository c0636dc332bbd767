"""Second and third cumulants, at one time, of trains seen through causal filters: inputs S_i and an output sum_j w_j S_j.

What a rule of traces needs to know of correlated spikes. Trains count as point processes: where two members of a product are one spike
there is a term of lower order (S_i(a) S_i(b) holds delta(a - b) S_i(a)), and the filters that see this spike multiply.

Source: [derived].
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..simulator.protocols import Delta
from . import third_cumulants
from .filters import Before, Filter, Now, Response, product, triple_integral


@dataclass(frozen=True, eq=False)
class FilteredCumulants:
    """Of the InputStatistics of a network. causal=False: the output is driven by copies of the trains, which share their rates alone.

    Weights are (..., n), results (..., n), but for `post_post` (..., 1).
    """

    statistics: Any
    causal: bool = True
    _known: dict[tuple[Any, Filter], Any] = field(default_factory=dict, init=False)

    def _second(self, window: Any, g: Filter) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Factors left and right (n, r) between any two trains, and own (n,), which a train has more with itself."""
        if (window, g) not in self._known:
            self._known[window, g] = self.statistics.through(window, Response(g))
        return self._known[window, g]

    def pre_post(self, window: Any, g: Filter, weights: np.ndarray) -> np.ndarray:
        """(f * S_i) and the output through g; the window is Before(f), or Now() for the spike itself."""
        left, right, own = self._second(window, g)
        shared = (weights @ right) @ left.T
        return shared + own * weights if self.causal else shared

    def post_post(self, g: Filter, h: Filter, weights: np.ndarray) -> np.ndarray:
        """The output through g and through h, its own spikes aside."""
        left, right, own = self._second(Before(g), h)
        return (((weights @ left) * (weights @ right)).sum(-1) + weights**2 @ own)[..., None]

    def pre_pre(self, g: Filter) -> np.ndarray:
        """(n,): S_i and (g * S_i), for two spikes of one train."""
        left, right, own = self._second(Now(), g)
        return (left * right).sum(-1) + own - self.statistics.rates * Now().q(Response(g), Delta())

    def pre_post_post(self, f: Filter, g: Filter, h: Filter, weights: np.ndarray) -> np.ndarray:
        """(f * S_i), and the output through g and through h, its own spikes aside."""
        found = self.pre_post(Before(f), product(g, h), weights**2)  # one spike raises the output twice
        if self.causal:  # the input spike itself raises it once
            twice = self.pre_post(Before(product(f, g)), h, weights) + self.pre_post(Before(product(f, h)), g, weights)
            alone = self.statistics.rates * triple_integral(f, g, h) * weights
            found = found + weights * (twice - 2.0 * alone)
        for kind in self.statistics.third or []:
            found = found + third_cumulants.pre_post_post(kind, f, g, h, weights, self.causal)
        return found

    def pre_pre_post(self, g: Filter, h: Filter, weights: np.ndarray) -> np.ndarray:
        """S_i, an earlier spike of it through g, and the output through h, of which the later spike has no part yet."""
        found = weights * self.pre_pre(product(g, h)) if self.causal else np.zeros(np.shape(weights))
        for kind in self.statistics.third or []:
            found = found + third_cumulants.pre_pre_post(kind, g, h, weights)
        return found
