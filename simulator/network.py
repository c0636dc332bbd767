"""The description of a network: frozen, validated, and worth printing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from .describe import brief, shown
from .plain import Static
from .population import Described, Population, check_name
from .projection import Projection
from .protocols import HebbscopeError, ParameterError, is_rate_rule, sees_potentials


@dataclass(frozen=True, repr=False, eq=False)
class Network(Described):
    """Populations and the projections between them."""

    populations: Sequence[Population]
    projections: Sequence[Projection]
    name: str = "network"

    def __post_init__(self):
        for field, kind in (("populations", Population), ("projections", Projection)):
            given = getattr(self, field)
            if not isinstance(given, Sequence) or not all(isinstance(item, kind) for item in given):
                raise ParameterError("Network", field, f"must be a list of {kind.__name__}s", given)
            object.__setattr__(self, field, tuple(given))
            names = [item.name for item in getattr(self, field)]
            for name in names:
                if names.count(name) > 1:
                    raise ParameterError("Network", field, "must have different names", name)
        check_name("Network", self.name)
        for projection in self.projections:
            for end in (projection.source, projection.target):
                if not any(end is population for population in self.populations):
                    outside = f"{projection.name} ({end.name})"
                    raise ParameterError("Network", "projections", "must join populations of this network", outside)
        if not self.projections:
            raise ParameterError("Network", "projections", "must be at least one", "none")

    def __repr__(self) -> str:
        parts = [f"  {line}" for item in (*self.populations, *self.projections) for line in repr(item).splitlines()]
        return "\n".join([f"Network {self.name}", *parts])

    @property
    def learns_by_rates(self) -> bool:
        """Whether any rule of it is one of rates, which sees spikes smoothed."""
        return any(is_rate_rule(each.rule) for each in self.projections)

    @property
    def is_exact(self) -> bool:
        """Whether the exact engine runs it: one layer of Poisson neurons, all joined to all inputs without delay."""
        try:
            return self.projection is not None
        except HebbscopeError:
            return False

    @property
    def recorded(self) -> Projection:
        """The projection whose weights are recorded: the first that learns, or the first."""
        return next(iter(self.learning), self.projections[0])

    @property
    def is_drawn(self) -> bool:
        """Whether seeds differ in any weights that they begin with."""
        return any(hasattr(each.weights, "draw") for each in self.projections)

    @property
    def learning(self) -> tuple[Projection, ...]:
        """The projections whose weights change."""
        held = (each.normalisation.every < np.inf for each in self.projections)
        return tuple(
            each for each, norm in zip(self.projections, held, strict=True) if norm or not isinstance(each.rule, Static)
        )

    @property
    def _only(self) -> Projection:
        """The one projection from an input onto Poisson neurons that start at rest, without background."""
        if len(self.projections) != 1 or len(self.populations) != 2:
            self._refuse(
                "projections",
                "must be one, from an input to a population of neurons,",
                f"{len(self.populations)} populations and {len(self.projections)} projections",
            )
        projection = self.projections[0]
        if not projection.source.is_input or not hasattr(projection.target.model, "bound"):
            ends = (type(end.model).__name__ for end in (projection.source, projection.target))
            self._refuse("populations", "must be an input and Poisson neurons", " into ".join(ends))
        if projection.target.initial:
            initial = f"initial {', '.join(projection.target.initial)} of {projection.target.name}"
            self._refuse("populations", "must start at rest", initial)
        if projection.target.background:
            background = f"{projection.target.name} with one for {', '.join(projection.target.background)}"
            self._refuse("populations", "must have no background", background)
        return projection

    @property
    def projection(self) -> Projection:
        """The one projection of a single feed-forward layer, all to all, which is what the exact engine and the learning equation are of."""
        projection = self._only
        if not projection.is_dense or self._is_late(projection):
            self._refuse(
                "projections", "must join all to all without delay, with one receptor,", self._wired(projection)
            )
        if sees_potentials(projection.rule):
            self._refuse("projections", "must learn by spikes, not by potentials,", projection.rule)
        return projection

    def _is_late(self, projection: Projection) -> bool:
        delayed = np.any(projection.delay) or np.any(projection.dendritic_delay)
        return bool(delayed) or projection.receptor != "excitatory"

    def _wired(self, projection: Projection) -> str:
        late = " and ".join(shown(each, "s") for each in (projection.delay, projection.dendritic_delay))
        return f"{brief(projection.connectivity)}, delays {late}, {projection.receptor}"

    @property
    def layer(self) -> Projection:
        """The projection that the learning equation is of: that of a single layer, or the one that learns of inputs onto one population of neurons
        whose rate under noise is known, which may have background and inputs that do not learn beside it."""
        projection = self.recorded
        if not hasattr(projection.target.model, "driven"):
            return self.projection
        if len(self.learning) != 1:
            self._refuse_approximation("projections", "must be one that learns", f"{len(self.learning)} that do")
        if len([each for each in self.populations if not each.is_input]) > 1 or not all(
            each.source.is_input for each in self.projections
        ):
            self._refuse_approximation("projections", "must all join inputs to one population of neurons", "others")
        if not projection.is_dense or np.any(projection.dendritic_delay) or np.ptp(projection.delay) > 0.0:
            self._refuse_approximation(
                "projections", "must learn all to all, with one delay, not dendritic", self._wired(projection)
            )
        return projection

    @property
    def is_layer(self) -> bool:
        """Whether it is one layer, in this sense."""
        try:
            return self.layer is not None
        except HebbscopeError:
            return False

    @property
    def is_averaged(self) -> bool:
        """Whether it is known of all its cells how they answer spikes on average, so that there is an equation for any wiring: linear Poisson neurons, and
        those whose rate under noise is known, which may have background."""
        cells = [each for each in self.populations if not each.is_input]
        return all(
            hasattr(each.model, "driven") or (hasattr(each.model, "epsp_transform") and not each.background)
            for each in cells
        )

    @property
    def is_measured_alone(self) -> bool:
        """Whether there can be no equation of it, its cells being unknown on average, so that its drift can but be measured."""
        return not self.is_averaged

    def _refuse(self, field: str, rule: str, value: Any) -> NoReturn:
        rule += " for the exact engine and the learning equation"
        raise ParameterError(f"Network {self.name}", field, rule, value)

    def _refuse_approximation(self, field: str, rule: str, value: Any) -> NoReturn:
        rule += f", for the approximate learning equation of {type(self.recorded.target.model).__name__}"
        raise ParameterError(f"Network {self.name}", field, rule, value)

    @property
    def n_bytes(self) -> int:
        """About what the synapses take in memory, for each seed."""
        return sum(projection.n_bytes for projection in self.projections)

    @property
    def input(self) -> Population:
        return self.projection.source

    @property
    def neuron(self) -> Population:
        return self.projection.target
