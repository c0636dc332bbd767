"""Runs the sampled rate loop: one state per seed, driven and recorded as at the spike level (see drive.py)."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import sampled
from .compile import compiled, content_hash
from .dispatch import classes_of
from .event import parts_of
from .network import Network, Population, Projection
from .protocols import require_methods
from .results import Spikes
from .streams import start
from .synapses import synapses


def has_holds(network: Network) -> bool:
    """Whether rates stand still between moments of change, and the rule knows its drift at given rates."""
    projection, model = network.projection, network.input.model
    if not (hasattr(model, "rates") and hasattr(projection.rule, "on_rates")):
        return False
    return min(projection.normalisation.every, model.next_wake(model.init(network.input.n, 1))) < np.inf


class SampledRun:
    """One seed at the sampled rate level."""

    def __init__(self, network: Network, seed: int, max_rate: float):
        projection, source, target = network.projection, network.input, network.neuron
        require_methods(target.model, "the rate level of held rates", "mean_rate", "epsp_square_integral")
        self.seed, self.ran_away, self.max_rate = seed, False, float(max_rate)
        self.parts = parts_of(projection)
        self.state = sampled.State(
            inputs=self.parts.inputs.init(source.n, 1),
            rule=self.parts.rule.init_rates(source.n, target.n),
            norm=self.parts.normalisation.init(source.n, target.n),
            w=synapses(projection.initial_weights(seed)),
            times=np.array([0.0, self.parts.normalisation.every]),
            counts=np.zeros(1, np.int64),
            x=np.zeros(source.n),
            y=np.zeros(target.n),
            outputs=np.zeros(target.n),
            pending=np.zeros(target.n),
            rng_input=start(seed, f"input/{source.name}"),
            rng_latent=start(seed, f"latent/{source.name}"),
        )
        if (
            self.parts.inputs.next_wake(self.state.inputs) > 0.0
        ):  # no pattern comes at once: the rates stand from the start
            self.parts.inputs.rates(self.state.inputs, self.state.x)
        self.loop = compiled(sampled.advance, (self.parts, self.state))

    @property
    def kept(self) -> sampled.State:
        """What a checkpoint keeps."""
        return self.state

    @property
    def sources(self) -> str:
        """A hash of the files that decide on what the loop does."""
        return content_hash(sampled.advance, tuple(classes_of((self.parts, self.state))))

    @property
    def about(self) -> dict[str, Any]:
        return {}

    @property
    def time(self) -> float:
        return float(self.state.times[sampled.NOW])

    @property
    def weights(self) -> np.ndarray:
        """(n_post, n_pre)."""
        return self.state.w.matrix()

    @property
    def other_weights(self) -> dict[str, np.ndarray]:
        """None: one layer has one projection."""
        return {}

    @property
    def outputs(self) -> np.ndarray:
        """(n_post,) expected number of output spikes so far."""
        return self.state.outputs + self.state.pending

    def weights_of(self, projection: Projection) -> np.ndarray:
        """(n_post, n_pre) of the one projection."""
        return self.weights

    def spikes_of(self, population: Population) -> np.ndarray:
        """(n_post,) expected number of spikes so far."""
        return self.outputs

    def to(self, t: float) -> bool:
        """Go on to time t [s]; False when the rate ran away."""
        if not self.ran_away:
            self.ran_away = self.loop(self.parts, self.state, float(t), self.max_rate) == sampled.RUNAWAY
        return not self.ran_away

    @property
    def windows(self) -> dict[str, tuple[float, float]]:
        """None: this level has no spikes to listen to."""
        return {}

    def take_spikes(self) -> dict[str, Spikes]:
        """None: this level has no spikes."""
        return {}
