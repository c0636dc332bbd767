"""Learning measured with weights that stand still: what the rule adds is kept apart from what drives the neuron."""

from typing import NamedTuple

import numpy as np

from hebbscope import Network, Population, Projection


class Given(NamedTuple):
    """A transmission that delivers weights of its own, (n_pre,), and leaves the learned ones to be read as sums."""

    weights: np.ndarray

    def check(self, n_pre):
        pass

    def amount(self, w, j, n):
        return self.weights[j]

    def effective(self, weights):
        """The same for whatever is learned."""
        return np.broadcast_to(self.weights, np.shape(weights))


def frozen(inputs, neuron, rule, weights):
    """A network whose n_pre = len(weights) delivered weights never change; the learned ones start at 0."""
    source, target = Population("inputs", len(weights), inputs), Population("neuron", 1, neuron)
    return Network(
        [source, target], [Projection(source, target, 0.0, rule, transmission=Given(np.asarray(weights, float)))]
    )
