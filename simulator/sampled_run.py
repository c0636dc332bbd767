"""Runs the sampled rate loop: one state per seed, driven and recorded as at the spike level (see drive.py)."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import sampled
from .compile import content_hash, loop_of
from .dispatch import classes_of
from .event import parts_of
from .network import Network, Population, Projection
from .protocols import HebbscopeError, ParameterError, is_rate_rule, require_methods
from .results import Spikes
from .streams import start
from .synapses import SparseSynapses, Synapses, sparse_synapses, synapses

SHARE = 0.1  # of a period or a correlation time, that a step may take


def has_holds(network: Network) -> bool:
    """Whether the rate level goes from one look at the rates to the next, by a rule that knows its drift at given rates.

    It does where rates stand still between moments of change, of rates or by a norm; and where they do not, for rules of rates that no averaged equation
    will do for. Rules of rates go so through any wiring from an input onto neurons; others have whole networks' equation where not all are joined to all.
    """
    try:
        projection = network.fan
    except HebbscopeError:
        return False
    model, rule = projection.source.model, projection.rule
    if not (hasattr(model, "rates") and hasattr(rule, "on_rates")):
        return False
    if not projection.is_dense:
        return is_rate_rule(rule)
    normalised = projection.normalisation.every < np.inf
    averaged = hasattr(rule, "learning_equation") and not normalised
    return (
        shows_patterns(network)
        or (normalised and not hasattr(model, "changes_in"))
        or (is_rate_rule(rule) and not averaged)
    )


def shows_patterns(network: Network) -> bool:
    """Whether the input says for how long its rates stand still. Of others they are looked at in steps: those that vary, and those that never
    change, under which the output does as weights learn."""
    source = network.fan.source
    return not hasattr(source.model, "changes_in") and source.model.next_wake(source.model.init(source.n, 1)) < np.inf


def check_looks(network: Network, dt: float) -> None:
    """Raise a step of dt [s] that is not short beside the time in which the rates change."""
    if not has_holds(network):
        return
    model = network.fan.source.model
    most = SHARE * getattr(model, "changes_in", np.inf)
    if dt > most:
        rule = f"must be <= {most:g} s, a tenth of the time in which the rates of {type(model).__name__} change"
        raise ParameterError("simulate", "dt", rule, dt)


def _synapses(projection: Projection, seed: int) -> Synapses | SparseSynapses:
    if projection.is_dense:
        return synapses(projection.initial_weights(seed))
    start, sizes = projection.initial_values(seed), (projection.source.n, projection.target.n)
    return sparse_synapses(*projection.wiring, start, *sizes, projection.rule, projection.normalisation)


class SampledRun:
    """One seed at the sampled rate level; dt: the longest hold [s] where the input shows no patterns."""

    def __init__(self, network: Network, seed: int, max_rate: float, dt: float = np.inf):
        projection, source, target = network.fan, network.fan.source, network.fan.target
        require_methods(target.model, "the rate level of held rates", "mean_rate", "epsp_square_integral")
        self.seed, self.ran_away, self.max_rate = seed, False, float(max_rate)
        step = np.inf if shows_patterns(network) else float(dt)
        self.parts = sampled.Parts(*parts_of(projection), step)
        inputs = self.parts.inputs.init(source.n, 1)
        look = 0.0 if self.parts.inputs.next_wake(inputs) > 0.0 else step  # where no pattern comes at once
        self.state = sampled.State(
            inputs=inputs,
            rule=self.parts.rule.init_rates(source.n, target.n),
            norm=self.parts.normalisation.init(source.n, target.n),
            w=_synapses(projection, seed),
            times=np.array([0.0, self.parts.normalisation.every, look]),
            counts=np.zeros(2, np.int64),
            x=np.zeros(source.n),
            y=np.zeros(target.n),
            u=np.zeros(target.n),
            square=np.zeros(target.n),
            low=np.zeros(target.n),
            outputs=np.zeros(target.n),
            pending=np.zeros(target.n),
            rng_input=start(seed, f"input/{source.name}"),
            rng_latent=start(seed, f"latent/{source.name}"),
        )
        self.loop = loop_of(sampled.advance, self.parts, self.state)

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
        return {"dt": self.parts.step} if self.parts.step < np.inf else {}

    @property
    def time(self) -> float:
        return float(self.state.times[sampled.NOW])

    @property
    def weights(self) -> np.ndarray:
        """(n_post, n_pre), or (1, n_synapses) where not all are joined to all."""
        w = self.state.w
        return w.by_source()[None].copy() if isinstance(w, SparseSynapses) else w.matrix()

    @property
    def other_weights(self) -> dict[str, np.ndarray]:
        """None: one layer has one projection."""
        return {}

    @property
    def outputs(self) -> np.ndarray:
        """(n_post,) expected number of output spikes so far."""
        return self.state.outputs + self.state.pending

    def weights_of(self, projection: Projection) -> np.ndarray:
        """(n_post, n_pre) of the one projection, or (n_synapses,) in the order of its wiring."""
        return self.weights if projection.is_dense else self.weights[0]

    def spikes_of(self, population: Population) -> np.ndarray:
        """(n_post,) expected number of spikes so far."""
        return self.outputs

    def to(self, t: float) -> bool:
        """Go on to time t [s]; False when the rate ran away."""
        if not self.ran_away:
            self.ran_away = self.loop(float(t), self.max_rate) == sampled.RUNAWAY
        return not self.ran_away

    @property
    def windows(self) -> dict[str, tuple[float, float]]:
        """None: this level has no spikes to listen to."""
        return {}

    def take_spikes(self) -> dict[str, Spikes]:
        """None: this level has no spikes."""
        return {}
