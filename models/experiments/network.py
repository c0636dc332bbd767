"""Any network as a description: populations and projections by name, in a file or from a Network in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Annotated, Any, ClassVar, NamedTuple, Self, TypeVar

import numpy as np
from pydantic import SkipValidation, model_validator

from ...rules import PairSTDP
from ...simulator.connectivity import AllToAll
from ...simulator.describe import nearest
from ...simulator.network import Network, Population, Projection
from ...simulator.plain import Direct, Free, Static
from ...simulator.protocols import SMOOTHING, ParameterError, Seconds, SecondsArray
from ..inputs import HomogeneousPoisson
from ..neurons import LinearPoisson
from ..weights import Uniform
from .description import DescriptionError, Kind, check_public, merged, nested, path_of
from .experiment import Experiment
from .plan import Levels


class PopulationTable(NamedTuple):
    """Cells of one model.

    n       1     how many
    model   -     an input or a neuron
    groups  none  names of groups: sizes by name, in order, or a name for each cell; none: what the model says
    shape   none  of the cells in space: [rows, columns] or [channels, rows, columns]; none: a line
    initial none  where variables of neurons start: numbers or parts that draw them, by name; none: where the model says
    background none  what bombards each neuron from outside the network: parts, by receptor
    """

    n: int = 1
    model: Annotated[Any, Kind("input"), Kind("neuron")] = None
    groups: dict[str, int] | list[str] | None = None
    shape: list[int] | None = None
    initial: dict[str, float | np.ndarray | Annotated[Any, Kind("weights")]] | None = None
    background: dict[str, Annotated[Any, Kind("background")]] | None = None


class ProjectionTable(NamedTuple):
    """Synapses from one population onto another, or onto itself.

    source           -           name of a population
    target           -           name of a population of neurons
    weights          0           initial: a number, numbers, or a part that draws them
    rule             Static      what changes the weights
    connectivity     AllToAll    who is joined to whom
    delay            0 s         from a spike of the source to the synapse: one, or one for each synapse
    dendritic_delay  0 s         between synapse and target, both ways: one, or one for each synapse
    receptor         excitatory  of the target
    smoothing        50 ms       over which a rule of rates sees spikes as a rate, where there are spikes
    normalisation    Free        what holds the norm of the weights
    transmission     Direct      how a spike becomes potential
    """

    source: str = ""
    target: str = ""
    weights: float | np.ndarray | Annotated[Any, Kind("weights")] = 0.0
    rule: Any = Static()
    connectivity: Any = AllToAll()
    delay: Seconds | SecondsArray = 0.0
    dendritic_delay: Seconds | SecondsArray = 0.0
    receptor: str = "excitatory"
    smoothing: Seconds = SMOOTHING
    normalisation: Any = Free()
    transmission: Any = Direct()


T = TypeVar("T")
ENDS = ("source", "target")


def _tables(kind: str, tables: dict[str, Any]) -> dict[str, Any]:
    """The tables of a kind by name; none where it is given as something else, of which the experiment says what is wrong."""
    found = tables.get(kind)
    return found if isinstance(found, dict) else {}


def _nearest(name: str, names: Iterable[str]) -> str:
    return nearest(name, [each for each in names if each != name])


def _made(kind: Callable[..., T], table: Any, key: str, **fields: Any) -> T:
    """A population or projection, whose errors name the key that is at fault."""
    try:
        return kind(**fields)
    except ParameterError as problem:
        own = problem.part.split()[0] in ("Population", "Projection")
        place = problem.field if own else f"{path_of(table, problem.part)}.{problem.field}"
        where = key if place == "name" else f"{key}.{place}"
        raise DescriptionError(where, str(problem).partition(": ")[2]) from None


class AnyNetwork(Experiment):
    """Populations and projections of one's own, by name; the ones of the start are an example.

    A file names all of its populations and projections; those of the example are not in it.
    """

    name: ClassVar[str] = "network"
    title: ClassVar[str] = "Any network: populations and projections by name"
    source: ClassVar[str] = "the file that describes it"
    levels: Levels = Levels(("spike",))
    meanings: ClassVar[dict[str, str]] = {"label": "what the network is called where it is printed"}

    label: str = "network"
    populations: SkipValidation[dict[str, PopulationTable]] = {
        "inputs": PopulationTable(n=100, model=HomogeneousPoisson(rate=20.0)),
        "neurons": PopulationTable(n=10, model=LinearPoisson()),
    }
    monitors: SkipValidation[dict[str, Annotated[Any, Kind("monitor")]]] = {}
    projections: SkipValidation[dict[str, ProjectionTable]] = {
        "forward": ProjectionTable(
            source="inputs",
            target="neurons",
            weights=Uniform(low=0.005, high=0.015),
            rule=PairSTDP(A_plus=1e-4, A_minus=1.05e-4, w_max=0.02),
        )
    }
    duration: Seconds = 100.0
    record_every: Seconds = 1.0

    @model_validator(mode="after")
    def _check_network(self) -> Self:
        self.network()
        return self

    @classmethod
    def changed(cls, tables: dict[str, Any], settings: Iterable[tuple[str, Any]]) -> Self:
        """As of any experiment. Settings may make a projection, by its source and target, and populations that projections join: other new names are slips."""
        above = nested(settings)
        both = merged(tables, above)
        projections, joined = _tables("projections", both), []
        for table in projections.values():
            joined += [table.get(end) for end in ENDS] if isinstance(table, dict) else []
        for name in _tables("projections", above).keys() - _tables("projections", tables).keys():
            if not isinstance(projections[name], dict) or not set(ENDS) <= projections[name].keys():
                hint = _nearest(name, projections) or " (a new one has a source and a target)"
                raise DescriptionError(f"projections.{name}", f"there is no such projection{hint}")
        for name in _tables("populations", above).keys() - _tables("populations", tables).keys() - {*joined}:
            hint = _nearest(name, _tables("populations", both)) or " (a new one is one that a projection joins)"
            raise DescriptionError(f"populations.{name}", f"there is no such population{hint}")
        return cls(**both)

    def network(self) -> Network:
        return self.built

    def how(self) -> dict[str, Any]:
        return super().how() | {"monitors": self.monitors}

    @cached_property
    def built(self) -> Network:
        """Wirings are drawn once."""
        populations = {
            name: _made(Population, table, f"populations.{name}", name=name, **table._asdict())
            for name, table in self.populations.items()
        }
        projections = []
        for name, table in self.projections.items():
            fields = table._asdict()
            for end in ENDS:
                if fields[end] not in populations:
                    words = f"no population is called {fields[end]!r}{nearest(fields[end], populations)}"
                    raise DescriptionError(f"projections.{name}.{end}", words)
                fields[end] = populations[fields[end]]
            projections.append(_made(Projection, table, f"projections.{name}", name=name, **fields))
        try:
            return Network(list(populations.values()), projections, self.label)
        except ParameterError as problem:
            raise DescriptionError(problem.field.replace("name", "label"), str(problem).partition(": ")[2]) from None


def from_network(network: Network, **fields: Any) -> AnyNetwork:
    """The description of a Network, to be written by `to_toml`; fields: duration, record_every, dt, engine.

    Raises DescriptionError for a part of one's own that is in no file, as one of a notebook.
    """
    populations = {each.name: _population_table(each) for each in network.populations}
    projections = {each.name: _projection_table(each) for each in network.projections}
    for key, tables in (("populations", populations), ("projections", projections)):
        for name, table in tables.items():
            check_public(table, f"{key}.{name}")
    return AnyNetwork(label=network.name, populations=populations, projections=projections, **fields)


def _population_table(population: Population) -> PopulationTable:
    shape = None if population.shape is None else list(population.shape)
    inner = (dict(each or {}) or None for each in (population.initial, population.background))
    return PopulationTable(population.n, population.model, _groups(population), shape, *inner)


def _groups(population: Population) -> dict[str, int] | list[str] | None:
    """The shortest way to say them."""
    if population.groups == Population(population.name, population.n, population.model).groups:
        return None
    sizes = {name: population.groups.count(name) for name in dict.fromkeys(population.groups)}
    in_order = tuple(name for name, size in sizes.items() for _ in range(size)) == population.groups
    are_keys = all(name and "." not in name and name != "type" for name in sizes)
    return sizes if in_order and are_keys else list(population.groups)


def _projection_table(projection: Projection) -> ProjectionTable:
    fields = {field: getattr(projection, field) for field in ProjectionTable._fields}
    return ProjectionTable(**fields | {"source": projection.source.name, "target": projection.target.name})
