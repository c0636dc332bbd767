"""Runs the sampled rate loop: one state per seed, driven and recorded as at the spike level (see drive.py)."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import sampled
from .clock_run import by_kind
from .compile import content_hash, loop_of
from .dispatch import classes_of
from .network import Network, Population, Projection
from .plain import Static
from .protocols import (
    DT,
    Delta,
    Empirical,
    Gaussian,
    HebbscopeError,
    ParameterError,
    bounds_of,
    is_rate_rule,
    require_hooks,
    require_methods,
)
from .results import Spikes
from .streams import start
from .synapses import SparseSynapses, Synapses, sparse_synapses, synapses

SHARE = 0.1  # of a period or a correlation time, that a step may take
APPROXIMATE = "rates of cells under noise, by their diffusion f-I curve"


def has_holds(network: Network) -> bool:
    """Whether the rate level goes from one look at the rates to the next, by rules that know their drift at given rates.

    Rules of rates go so through any network, but for one layer whose averaged equation is known. Rules of spikes that know it do so in one layer where rates stand still
    between moments of change, of rates or by a norm.
    """
    if network.learns_by_rates:
        return not _is_averaged(network)
    try:
        projection = network.projection
    except HebbscopeError:
        return False
    model, rule = projection.source.model, projection.rule
    if not (hasattr(model, "rates") and hasattr(rule, "on_rates")):
        return False
    normalised = projection.normalisation.every < np.inf
    return shows_patterns(projection.source) or (normalised and not hasattr(model, "changes_in"))


def _is_averaged(network: Network) -> bool:
    """Whether there is an averaged equation of a rule of rates: of one layer of Poisson neurons, all to all, whose input states how its rates covary."""
    try:
        projection = network.projection
    except HebbscopeError:
        return False
    source, normalised = projection.source, projection.normalisation.every < np.inf
    stated = hasattr(projection.rule, "learning_equation") and hasattr(source.model, "covariance")
    if not stated or normalised or shows_patterns(source):
        return False
    kernels = [each.kernel for each in source.model.covariance(source.n)]
    return not any(isinstance(each, Delta | Gaussian | Empirical) for each in kernels)


def shows_patterns(source: Population) -> bool:
    """Whether an input says for how long its rates stand still. Of others they are looked at in steps: those that vary, and those that never
    change, under which the output does as weights learn."""
    return not hasattr(source.model, "changes_in") and source.model.next_wake(source.model.init(source.n, 1)) < np.inf


def _inputs(network: Network) -> list[Population]:
    return [each for each in network.populations if each.is_input]


def longest_hold(network: Network, dt: float) -> float:
    """[s]: dt where rates vary, or where there are no patterns whose changes would be the moments to look."""
    inputs = _inputs(network)
    varying = any(getattr(each.model, "changes_in", np.inf) < np.inf for each in inputs)
    return dt if varying or not any(map(shows_patterns, inputs)) else np.inf


def check_looks(network: Network, dt: float) -> None:
    """Raise a step of dt [s] that is not short beside the time in which the rates change, or in which cells do."""
    if not has_holds(network):
        return
    for model in [each.model for each in _inputs(network)]:
        most = SHARE * getattr(model, "changes_in", np.inf)
        if dt > most:
            rule = f"must be <= {most:g} s, a tenth of the time in which the rates of {type(model).__name__} change"
            raise ParameterError("simulate", "dt", rule, dt)
    _cells(network, dt)  # says what they cannot do in such steps


def check_rates(network: Network) -> None:
    """Raise what stands against rules of rates: rules of spikes beside them, inputs that do not say their rates, cells that do not say how they answer them."""
    by_rates, by_spikes = (
        [each for each in network.learning if not isinstance(each.rule, Static) and is_rate_rule(each.rule) == of_rates]
        for of_rates in (True, False)
    )
    if by_spikes:
        both = " and ".join(f"{type(each.rule).__name__} of {each.name}" for each in (by_rates[0], by_spikes[0]))
        rule = "must learn by rules of rates or by rules of spikes at the rate level, not by both in one network"
        raise ParameterError(f"Network {network.name}", "projections", rule, both)
    for each in network.populations:
        (_check_input if each.is_input else _check_neurons)(each)


def _check_input(population: Population) -> None:
    if not hasattr(population.model, "rates"):
        rule = "must be an input that says its rates at any time, for rules of rates at their own level"
        raise ParameterError(f"Population {population.name}", "model", rule, type(population.model).__name__)


def _check_neurons(population: Population) -> None:
    part, model = f"Population {population.name}", population.model
    if not hasattr(model, "answering"):
        rule = "must be neurons that say their mean rate, as Poisson neurons and LIF do, for rules of rates at their own level (with --level spike any will do)"
        raise ParameterError(part, "model", rule, type(model).__name__)
    if population.background and not hasattr(model, "driven"):
        rule = "must be left out of Poisson neurons, for rules of rates at their own level"
        raise ParameterError(part, "background", rule, ", ".join(population.background))
    if population.initial:
        rule = "must be left out for rules of rates at their own level, where cells have no state"
        raise ParameterError(part, "initial", rule, ", ".join(population.initial))


def _cells(network: Network, dt: float) -> dict[str, Any]:
    """How the cells of each population answer, in steps of dt [s]."""
    from ..rules.cells import cells_of

    neurons = [each for each in network.populations if not each.is_input]
    for each in neurons:
        require_methods(each.model, "the rate level of held rates", "answering")
        require_hooks(each.model.answering(dt), "answering")
    return {each.name: cells_of(each, dt) for each in neurons}


def in_order(network: Network) -> tuple[list[Population], bool]:
    """The populations of cells, what drives others before them; and whether there are circles, whose populations come last, as they are."""
    waiting = [each for each in network.populations if not each.is_input]
    found: list[Population] = []
    while waiting:
        driven = {each.target.name for each in network.projections if any(each.source is other for other in waiting)}
        free = [each for each in waiting if each.name not in driven]
        if not free:
            return found + waiting, True
        found, waiting = found + free, [each for each in waiting if each.name in driven]
    return found, False


def _norm(projection: Projection) -> sampled.Norm:
    return sampled.Norm(projection.normalisation, *map(float, bounds_of(projection.rule)))


def _synapses(projection: Projection, seed: int) -> Synapses | SparseSynapses:
    if projection.is_dense:
        return synapses(projection.initial_weights(seed))
    start, sizes = projection.initial_values(seed), (projection.source.n, projection.target.n)
    return sparse_synapses(*projection.wiring, start, *sizes, projection.rule, projection.normalisation)


class SampledRun:
    """One seed at the sampled rate level; dt [s]: the step in which cells run, and the longest hold where inputs show no patterns."""

    def __init__(self, network: Network, seed: int, max_rate: float, dt: float = DT):
        self.network, self.seed, self.max_rate, self.dt = network, seed, float(max_rate), float(dt)
        self.status, self.cells = sampled.DONE, _cells(network, dt)
        inputs, (targets, in_circles) = _inputs(network), in_order(network)
        ends = np.cumsum([each.n for each in targets])
        self.places = {each.name: slice(end - each.n, end) for each, end in zip(targets, ends, strict=True)}
        self.given, self.heard, self.outside = (sampled.Arrived(*np.zeros((4, ends[-1]))) for _ in range(3))
        self.y, self.expected, self.pending = np.zeros((3, ends[-1]))
        self.found = np.zeros(ends[-1]) if in_circles else self.y
        self.x = {name: self.y[place] for name, place in self.places.items()}
        self.x |= {each.name: np.zeros(each.n) for each in inputs}
        self.w = {each.name: _synapses(each, seed) for each in network.projections}
        models, sources = by_kind([each.model for each in inputs], [self._source(each) for each in inputs])
        carriers, feeds = self._ways([each for each in network.projections if each.source.is_input], self.given)
        answering, cells = by_kind(*zip(*map(self._target, targets), strict=True))
        learning = [each for each in network.projections if hasattr(each.rule, "on_rates")]
        rules, learners = by_kind([each.rule for each in learning], [self._learner(each) for each in learning])
        normed = [each for each in network.projections if each.normalisation.every < np.inf]
        norms, states = by_kind([_norm(each) for each in normed], [self._normed(each) for each in normed])
        self.parts = sampled.Parts(
            models, carriers, answering, rules, norms, self.outside, longest_hold(network, self.dt)
        )
        self.state = sampled.State(
            sources,
            feeds,
            cells,
            learners,
            states,
            self.given,
            self.heard,
            self.y,
            known=np.zeros(1, np.int64),
            outputs=self.expected,
            pending=self.pending,
            searches=(sampled.Search(self.found, *np.zeros((2, ends[-1]))),) if in_circles else (),
            times=np.zeros(2),
            looks=np.zeros(1, np.int64),
        )
        self.loop = loop_of(sampled.advance, self.parts, self.state)

    def _source(self, population: Population) -> sampled.Source:
        streams = (start(self.seed, f"{name}/{population.name}") for name in ("input", "latent"))
        return sampled.Source(population.model.init(population.n, 1), self.x[population.name], *streams)

    def _target(self, population: Population) -> tuple[sampled.TargetParts, sampled.Target]:
        """What the loop calls for a population and what brings it the spikes of cells, and their state."""
        cells, place = self.cells[population.name], self.places[population.name]
        for sums, value in zip(
            (self.outside.arriving, self.outside.power, self.outside.lagging), cells.outside, strict=True
        ):
            sums[place] = value
        loops = [each for each in self.network.projections if each.target is population and not each.source.is_input]
        carriers, ways = self._ways(loops, self.heard)
        heard = sampled.Arrived(*(each[place] for each in self.heard))
        answering = population.model.answering(self.dt)
        return sampled.TargetParts(answering, carriers), sampled.Target(self.found[place], heard, ways)

    def _ways(self, projections: list[Projection], sums: sampled.Arrived) -> list[tuple[tuple, ...]]:
        """What the loop calls for projections, and their state, kind by kind; sums: of what arrives at all cells."""
        return by_kind([self._carrier(each) for each in projections], [self._way(each, sums) for each in projections])

    def _carrier(self, projection: Projection) -> sampled.Carrier:
        from ..rules.noisy_output import log_of

        cells, receptor = self.cells[projection.target.name], projection.receptor
        return sampled.Carrier(projection.transmission, float(cells.moves(receptor)), log_of(cells.lag(receptor)))

    def _way(self, projection: Projection, sums: sampled.Arrived) -> sampled.Way:
        place = self.places[projection.target.name]
        own = sampled.Arrived(*(each[place] for each in sums))
        return sampled.Way(self.w[projection.name], self.x[projection.source.name], own)

    def _learner(self, projection: Projection) -> sampled.Learner:
        source, target = projection.source, projection.target
        state = projection.rule.init_rates(source.n, target.n)
        return sampled.Learner(state, self.w[projection.name], self.x[source.name], self.x[target.name])

    def _normed(self, projection: Projection) -> sampled.Normed:
        source, target, norm = projection.source, projection.target, projection.normalisation
        spikes, due = self.expected[self.places[target.name]], np.array([float(norm.every)])
        return sampled.Normed(
            norm.init(source.n, target.n), self.w[projection.name], spikes, due, np.zeros(1, np.int64)
        )

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
        noisy = any(hasattr(each.model, "driven") for each in self.cells.values())
        stepped = self.parts.step < np.inf or noisy
        return ({"dt": self.dt} if stepped else {}) | ({"approximate": APPROXIMATE} if noisy else {})

    @property
    def time(self) -> float:
        return float(self.state.times[sampled.NOW])

    @property
    def weights(self) -> np.ndarray:
        """Of the projection that is recorded: (n_post, n_pre), or (1, n_synapses) where not all are joined to all."""
        return np.atleast_2d(self.weights_of(self.network.recorded))

    def weights_of(self, projection: Projection) -> np.ndarray:
        """(n_post, n_pre), or (n_synapses,) in the order of its wiring."""
        w = self.w[projection.name]
        return w.by_source().copy() if isinstance(w, SparseSynapses) else w.matrix()

    @property
    def other_weights(self) -> dict[str, np.ndarray]:
        """Of all other projections that learn, likewise."""
        others = (each for each in self.network.learning if each is not self.network.recorded)
        return {each.name: np.atleast_2d(self.weights_of(each)) for each in others}

    @property
    def outputs(self) -> np.ndarray:
        """(n_post,) expected number of output spikes so far of the targets of the projection that is recorded."""
        return self.spikes_of(self.network.recorded.target)

    def spikes_of(self, population: Population) -> np.ndarray:
        """(n,) expected number of spikes so far of a population of cells."""
        return (self.expected + self.pending)[self.places[population.name]]

    def to(self, t: float) -> bool:
        """Go on to time t [s]; False when a rate ran away, or there was none to come to."""
        if not self.ran_away:
            self.status = self.loop(float(t), self.max_rate)
        return not self.ran_away

    @property
    def ran_away(self) -> bool:
        return self.status != sampled.DONE

    @property
    def restless(self) -> bool:
        """Whether it stopped because cells in circles came to no rates at which they stay."""
        return self.status == sampled.RESTLESS

    @property
    def windows(self) -> dict[str, tuple[float, float]]:
        """None: this level has no spikes to listen to."""
        return {}

    def take_spikes(self) -> dict[str, Spikes]:
        """None: this level has no spikes."""
        return {}
