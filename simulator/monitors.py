"""What is sampled while a network runs, beside the records: states of cells, rates, what weights are like.

A monitor has `every` [s]; check() and fits(network, engine), which name what is wrong; fields(network): name -> Field, an array of each sample; sample(network, run,
memory), which returns these arrays of one seed; and, where it keeps numbers from one sample to the next, the property `memory`, which says how many.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .describe import nearest
from .network import Network
from .population import Population
from .projection import Projection
from .protocols import ParameterError, Seconds, bounds_of, part, positive, require

__all__ = ["PopulationRate", "StateMonitor", "WeightStatistics", "WeightSubset"]


class Field(NamedTuple):
    """An array of a sample: its axes by name, each with the numbers along it, and its unit."""

    axes: dict[str, np.ndarray]
    unit: str


def _find(monitor: Any, field: str, there: Any) -> Any:
    """The population or projection that a monitor names."""
    named = {each.name: each for each in there}
    wanted = getattr(monitor, field)
    require(wanted in named, monitor, field, f"must be one of {', '.join(named)}{nearest(str(wanted), named)}")
    return named[wanted]


def _neurons(monitor: Any, network: Network) -> Population:
    return _find(monitor, "population", [each for each in network.populations if not each.is_input])


def _projection(monitor: Any, network: Network) -> Projection:
    return _find(monitor, "projection", network.projections)


def _chosen(monitor: Any, field: str, n: int) -> np.ndarray:
    """Those of n cells or synapses that a field names; all where it is none."""
    given = getattr(monitor, field)
    if given is None:
        return np.arange(n)
    chosen = np.asarray(given)
    right = chosen.ndim == 1 and chosen.dtype.kind in "iu" and len(chosen) and np.all((chosen >= 0) & (chosen < n))
    require(bool(right), monitor, field, f"must be a list of numbers from 0 to {n - 1}")
    return chosen.astype(np.int64)


def _values(run: Any, projection: Projection) -> np.ndarray:
    """(n_synapses,) weights in the order of the wiring."""
    w = run.weights_of(projection)
    return w.T.ravel() if projection.is_dense else w.ravel()


@part
class StateMonitor(NamedTuple):
    """Variables of neurons, as they are at the end of a step of the clock-driven engine.

    population  -       a population of neurons
    variables   ["v"]   of those that its model lets be monitored
    cells       none    numbers of cells; none: all
    every       1 ms    time between samples
    """

    population: str = ""
    variables: list[str] = ["v"]
    cells: list[int] | None = None
    every: Seconds = 1e-3

    def check(self):
        positive(self, "every")
        require(not isinstance(self.variables, str), self, "variables", "must be a list of names")

    def fits(self, network, engine):
        population = _neurons(self, network)
        if engine != "clock":
            raise ParameterError(
                "StateMonitor", "population", "must be run by the clock-driven engine", self.population
            )
        there = getattr(population.model, "monitored", ())
        for name in self.variables:
            if name not in there:
                kind = type(population.model).__name__
                raise ParameterError("StateMonitor", "variables", f"must be of {kind}: {', '.join(there)}", name)
        _chosen(self, "cells", population.n)

    def fields(self, network):
        cells = _chosen(self, "cells", _neurons(self, network).n)
        return {name: Field({"cell": cells}, "") for name in self.variables}

    def sample(self, network, run, memory):
        population = _neurons(self, network)
        cells = _chosen(self, "cells", population.n)
        return {name: run.variable_of(population, name)[cells] for name in self.variables}


@part
class PopulationRate(NamedTuple):
    """Mean rate of the neurons of a population since the last sample.

    population  -       a population of neurons
    every       100 ms  time between samples
    """

    population: str = ""
    every: Seconds = 0.1

    @property
    def memory(self) -> int:
        return 1

    def check(self):
        positive(self, "every")

    def fits(self, network, engine):
        _neurons(self, network)

    def fields(self, network):
        return {"rate": Field({}, "Hz")}

    def sample(self, network, run, memory):
        """NaN at time 0; memory: spikes until the last sample."""
        population = _neurons(self, network)
        spikes = float(np.sum(run.spikes_of(population)))
        new, memory[0] = spikes - memory[0], spikes
        return {"rate": np.array(new / (population.n * self.every) if run.time > 0.0 else np.nan)}


@part
class WeightStatistics(NamedTuple):
    """What the weights of a projection are like: mean, standard deviation, histogram, and the mean of each group of the source.

    projection  -    a projection
    every       1 s  time between samples
    bins        20   of the histogram, between low and high
    low         none  lower end of the histogram; none: w_min of the rule
    high        none  upper end; none: w_max of the rule
    """

    projection: str = ""
    every: Seconds = 1.0
    bins: int = 20
    low: float | None = None
    high: float | None = None

    def check(self):
        positive(self, "every", "bins")

    def fits(self, network, engine):
        low, high = self._range(_projection(self, network))
        for name, end in (("low", low), ("high", high)):
            require(bool(np.isfinite(end)), self, name, "must be given where the rule has no bound")
        require(low < high, self, "high", f"must be > low = {low:g}")

    def _range(self, projection: Projection) -> tuple[float, float]:
        bounds = bounds_of(projection.rule)
        low, high = (bound if own is None else own for own, bound in zip((self.low, self.high), bounds, strict=True))
        return float(low), float(high)

    def fields(self, network):
        projection = _projection(self, network)
        low, high = self._range(projection)
        bins = low + (high - low) / self.bins * (np.arange(self.bins) + 0.5)
        groups = np.arange(len(set(projection.source.groups)))
        return {
            "mean": Field({}, "1"),
            "sd": Field({}, "1"),
            "histogram": Field({"bin": bins}, "1"),
            "group_mean": Field({"group": groups}, "1"),
        }

    def sample(self, network, run, memory):
        """histogram: how many weights, those beyond its ends in the outermost bins; group_mean in the order of the groups' first appearance."""
        projection = _projection(self, network)
        w, (low, high) = _values(run, projection), self._range(projection)
        places = np.clip(((w - low) * (self.bins / (high - low))).astype(np.int64), 0, self.bins - 1)
        names = list(dict.fromkeys(projection.source.groups))
        of_source = np.array([names.index(name) for name in projection.source.groups])
        group = of_source[projection.wiring.pre]
        with np.errstate(invalid="ignore"):
            means = np.bincount(group, w, len(names)) / np.bincount(group, minlength=len(names))
        counts = np.bincount(places, minlength=self.bins).astype(float)
        return {"mean": w.mean(), "sd": w.std(), "histogram": counts, "group_mean": means}


@part
class WeightSubset(NamedTuple):
    """Single weights of a projection.

    projection  -      a projection
    synapses    none   numbers of synapses in the order of its wiring; none: all
    every       1 s    time between samples
    """

    projection: str = ""
    synapses: list[int] | None = None
    every: Seconds = 1.0

    def check(self):
        positive(self, "every")

    def fits(self, network, engine):
        _chosen(self, "synapses", _projection(self, network).n_synapses)

    def fields(self, network):
        chosen = _chosen(self, "synapses", _projection(self, network).n_synapses)
        return {"weights": Field({"synapse": chosen}, "1")}

    def sample(self, network, run, memory):
        projection = _projection(self, network)
        return {"weights": _values(run, projection)[_chosen(self, "synapses", projection.n_synapses)]}
