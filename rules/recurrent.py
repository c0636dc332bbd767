"""The learning equation of cells that drive each other, of any wiring and with delays.

    dJ_ij/dt = w_in nu_j + w_out nu_i + W~ nu_i nu_j + int W(s) C_ji(s - d_ij) ds,    d = axonal delay - dendritic delay,

j the source of a synapse, a cell or an input, and i its target, with eta and what the rule makes of the weight in w_in, w_out and W. The rates nu and C_ji(s), the covariance of the two trains,
S_j(t + s) with S_i(t), have all in them that goes around in the network, see balance.py and covariances.py. Exact for slow learning of linear Poisson neurons of which no intensity is
rectified; approximate of integrate-and-fire neurons. One layer that is all to all has the closed forms of rules/reduction.py and the equation of pair_equation.py instead.

In steps of dt, spikes of one step are pairs at s = 0-: W~ is int W ds + dt (W(0-) - W(0+)) / 2.

Source: Burkitt, Gilson & van Hemmen, Biol Cybern 96:533 (2007), and Gilson, Burkitt, Grayden, Thomas & van Hemmen, Biol Cybern 101:81 to 103:365 (2009-10)
[recalled, derived again]; of integrate-and-fire neurons Ocker, Litwin-Kumar & Doiron, PLoS Comput Biol 11:e1004458 (2015) [recalled].
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..simulator.network import Network
from ..simulator.plain import Direct
from ..simulator.protocols import HebbscopeError, ParameterError
from .balance import AtRest, at_rest
from .circuit import Circuit
from .covariances import Covariances, Spectra, turned
from .joint import Joint, matrices
from .pair_equation import GOOD, RESPONSE
from .pair_parts import area, area_of, by_single_spikes, by_threshold, check_pairs, parts_of, single_spikes
from .sliding import SETTLED, slides

MOST_TRAINS = 2000  # inputs and cells, whose spectra are a matrix for each of hundreds of frequencies


@dataclass(frozen=True, repr=False, eq=False)
class RecurrentEquation:
    """Rates and drifts of a network at any weights.

    network; dt: step in which it runs [s], 0: continuous time; seed: that with which weights are drawn, where they are.

    Methods take weights as projection -> (n_post, n_pre), or (n_synapses,) in the order of its wiring where not all are joined to all; projections
    that are not in it have those that they start with. They return likewise.
    """

    network: Network
    dt: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        n = sum(each.n for each in self.network.populations)
        if n > MOST_TRAINS:
            raise HebbscopeError(
                f"Network {self.network.name}: the learning equation of a whole network is of at most {MOST_TRAINS:,} inputs and cells, got {n:,}"
            )
        if not self.network.learning:
            raise HebbscopeError(f"Network {self.network.name}: has no projection that learns")
        for each in self.network.projections:
            if not isinstance(each.transmission, Direct):
                rule = "must be Direct for the learning equation of a whole network"
                raise ParameterError(f"Projection {each.name}", "transmission", rule, each.transmission)
        for each in self.network.learning:
            check_pairs(each.rule, "the learning equation of a whole network (not one layer, all to all)")
            if each.source is each.target and np.any(each.wiring.pre == each.wiring.post):
                rule = "must join no cell to itself where the synapses learn, for the learning equation"
                raise ParameterError(f"Projection {each.name}", "connectivity", rule, each.connectivity)

    @property
    def approximate(self) -> str:
        """By what it is approximate; nothing where it is exact."""
        by_rule = [SETTLED] if any(slides(each.rule) for each in self.network.learning) else []
        return "; ".join(by_rule if self._is_linear else [RESPONSE, *by_rule])

    @property
    def _is_linear(self) -> bool:
        """Whether all cells are linear."""
        return all(hasattr(each.model, "epsp_transform") for each in self.network.populations if not each.is_input)

    # The network in numbers

    @cached_property
    def circuit(self) -> Circuit:
        return Circuit(self.network, self.dt)

    def _projection(self, name: str) -> Any:
        found = [each for each in self.network.projections if each.name == name]
        if not found:
            raise ParameterError(f"Network {self.network.name}", "projections", "must be named as they are", name)
        return found[0]

    def _values(self, weights: Mapping[str, np.ndarray] | None) -> dict[str, np.ndarray]:
        """projection -> (n_synapses,)."""
        values = {}
        for name, given in (weights or {}).items():
            each, w = self._projection(name), np.asarray(given, float)
            shape = (each.target.n, each.source.n) if each.is_dense else (each.n_synapses,)
            if w.shape != shape:
                raise ParameterError(f"Projection {name}", "weights", f"must be {' x '.join(map(str, shape))}", w)
            values[name] = w.T.ravel()
        others = (each for each in self.network.projections if each.name not in values)
        return values | {each.name: each.initial_values(self.seed) for each in others}

    def _shaped(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The way back, for projections that learn."""
        return {
            each.name: matrices(each, values[each.name]) if each.is_dense else values[each.name]
            for each in self.network.learning
        }

    # Rates

    @cached_property
    def start(self) -> dict[str, np.ndarray]:
        """projection -> (n_synapses,): the weights of the start."""
        return self._values(None)

    @cached_property
    def _at_start(self) -> AtRest:
        """With the weights of the start."""
        return self._at_rest(self.start)

    def _at(self, weights: Mapping[str, np.ndarray] | None) -> AtRest:
        """With any weights."""
        return self._at_rest(self._values(weights)) if weights else self._at_start

    def _at_rest(self, values: Mapping[str, np.ndarray], near: np.ndarray | None = None) -> AtRest:
        """At weights projection -> (n_synapses,), where nothing grows by itself and no linear rate is below 0."""
        try:
            rest = at_rest(self.circuit, values, near)
            Covariances(rest).check_stable()
        except ArithmeticError:
            raise self._beyond_numbers() from None
        if rest.rates.min() < 0.0:
            raise HebbscopeError(
                f"Network {self.network.name}: the linear rate of a cell is {rest.rates.min():g} Hz, below 0"
            )
        return rest

    def rates(self, weights: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """population -> (n,) mean rates [Hz]."""
        return self._rates_of(self._at(weights))

    def _rates_of(self, rest: AtRest) -> dict[str, np.ndarray]:
        of, first = {True: self.circuit.input_rates, False: rest.rates}, self.circuit.first
        return {each.name: of[each.is_input][first[each.name] :][: each.n] for each in self.network.populations}

    # The equation

    def drift(self, weights: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """dJ/dt [1/s] of every projection that learns."""
        return self._shaped(self._drift(self._at(weights)))

    def drift_of(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The same of weights projection -> (n_synapses,) of all that learn, likewise; rates are found from those of the start."""
        return self._drift(self._at_rest({**self.start, **values}, self._at_start.rates))

    def _drift(self, rest: AtRest) -> dict[str, np.ndarray]:
        correlated, by_rates = self._by_correlations(rest), self._by_rates(rest)
        return {name: by_rates[name] + correlated[name] for name in correlated}

    def _beyond_numbers(self) -> HebbscopeError:
        return HebbscopeError(f"Network {self.network.name}: its learning equation is beyond the range of numbers")

    def of_seed(self, seed: int) -> RecurrentEquation:
        """The same from the weights that are drawn with this seed."""
        if seed not in self._of_seeds:
            self._of_seeds[seed] = replace(self, seed=seed)
        return self._of_seeds[seed]

    @cached_property
    def _of_seeds(self) -> dict[int, RecurrentEquation]:
        return {}

    @property
    def joint(self) -> Joint:
        """All weights that learn as one vector."""
        return Joint(self)

    def output_rates_of(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """(n_post,) Hz: of the targets whose synapses are recorded, for weights projection -> (n_synapses,) of all that learn."""
        rest = at_rest(self.circuit, {**self.start, **values}, self._at_start.rates)
        return self._rates_of(rest)[self.network.recorded.target.name]

    def correlation_drift(self, weights: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """int W(s) C(s - d) ds [1/s] of every projection that learns: what moves weights once the rates have come to rest."""
        return self._shaped(self._by_correlations(self._at(weights)))

    def _ends(self, projection: Any, rest: AtRest) -> tuple[np.ndarray, np.ndarray]:
        """(n_synapses,) [Hz]: rates of source and target."""
        joined = self.circuit.joined[projection.name]
        x = (self.circuit.input_rates if joined.from_input else rest.rates)[joined.pre]
        return x, rest.rates[joined.post]

    def _by_rates(self, rest: AtRest) -> dict[str, np.ndarray]:
        """projection -> (n_synapses,) [1/s]: the drift but for correlations."""
        found, parts = {}, self._parts(rest)
        for each in self.network.learning:
            x, y = self._ends(each, rest)
            of_pairs = area_of(parts[each.name], self.dt)
            found[each.name] = by_single_spikes(each.rule, x, y) + of_pairs * x * y
        return found

    def _by_correlations(self, rest: AtRest) -> dict[str, np.ndarray]:
        """projection -> (n_synapses,) [1/s]: what correlations have of the drift."""
        found = {each.name: np.zeros(each.n_synapses) for each in self.network.learning}
        parts = self._parts(rest)
        try:
            with np.errstate(all="ignore"):
                for spectra in Covariances(rest).spectra():
                    for name, of_rule in parts.items():
                        found[name] += self._seen(name, of_rule, spectra)
        except ArithmeticError:
            raise self._beyond_numbers() from None
        if not all(np.isfinite(each).all() for each in found.values()):
            raise self._beyond_numbers()
        return found

    def _seen(self, name: str, of_rule: list[tuple[Any, Any]], spectra: Spectra) -> np.ndarray:
        """(n_synapses,) [1/s]: what a rule of such parts sees of the spectra at some frequencies, at the synapses of a projection."""
        joined = self.circuit.joined[name]
        of_trains = spectra.across if joined.from_input else spectra.among
        seen = of_trains[:, joined.pre, joined.post] * turned(spectra.omega, joined.later)
        weighed = ((a, spectra.measure * np.conj(window.transform(spectra.omega))) for a, window in of_rule)
        return np.asarray(sum(amplitude * (each @ seen).real for amplitude, each in weighed))

    def diffusion(self, weights: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """Growth of the variance of each weight per second, of every projection that learns, by trains with these spectra that are independent of each other.

        x y int W^2 + int (S_pre S_post - x y) |W(omega)|^2 domega / 2 pi + (w_in + W~ y)^2 S_pre(0) + (w_out + W~ x)^2 S_post(0), as in pair_moments.py, and with what
        a spike does to a threshold that slides in w_out.
        """
        rest, found = self._at(weights), {}
        parts = self._parts(rest)
        for spectra in Covariances(rest).continuous():
            own = {True: np.einsum("kii->ki", spectra.inputs).real, False: np.einsum("kii->ki", spectra.among).real}
            for each in self.network.learning:
                joined, (x, y), of_rule = self.circuit.joined[each.name], self._ends(each, rest), parts[each.name]
                pre, post = own[joined.from_input][:, joined.pre], own[False][:, joined.post]
                if each.name not in found:  # at the lowest frequency
                    squares = sum(amplitude**2 * window.square_integral() for amplitude, window in of_rule)
                    of_pairs = area_of(of_rule, self.dt)
                    w_in, w_out = single_spikes(each.rule)
                    w_out = w_out + by_threshold(each.rule, rest.weights[each.name], x, y)
                    alone = (w_in + of_pairs * y) ** 2 * pre[0] + (w_out + of_pairs * x) ** 2 * post[0]
                    found[each.name] = x * y * squares + alone
                seen = sum(amplitude * window.transform(spectra.omega)[:, None] for amplitude, window in of_rule)
                found[each.name] += spectra.measure @ ((pre * post - x * y) * np.abs(seen) ** 2)
        return self._shaped(found)

    def _parts(self, rest: AtRest) -> dict[str, list[tuple[Any, Any]]]:
        """projection -> amplitudes and windows of its rule, see pair_parts.py."""
        learning = self.network.learning
        targets = {each.name: self._ends(each, rest)[1] for each in learning}
        return {each.name: list(parts_of(each.rule, rest.weights[each.name], targets[each.name])) for each in learning}

    def homeostatic_rate(self, projection: str) -> float:
        """The rate [Hz] of the targets at which, without correlations, the weights of a projection rest on average: -w_in nu_in / (w_out + W~ nu_in).

        Among cells of one population, which are their own sources, -(w_in + w_out) / W~. It is stable where w_out + W~ nu_in < 0, or W~ < 0.
        """
        each = self._projection(projection)
        if not hasattr(each.rule, "pairs"):
            raise HebbscopeError(
                f"{type(each.rule).__name__}: what pairs change depends on the weight, not on rates alone"
            )
        pairs = each.rule.pairs
        of_pairs, x = area(pairs.window, self.dt), float(self.rates()[each.source.name].mean())
        if each.source is each.target:
            top, bottom = pairs.w_in + pairs.w_out, of_pairs
        else:
            top, bottom = pairs.w_in * x, pairs.w_out + of_pairs * x
        return -top / bottom if bottom != 0.0 else float("nan")

    def coefficients(self) -> dict[str, float]:
        """Of every projection that learns at the weights of the start: the mean W~ [s], the mean drift, and what correlations have of it [1/s]."""
        rest, found = self._at_start, {}
        correlated, by_rates, parts = self._by_correlations(rest), self._by_rates(rest), self._parts(rest)
        for each in self.network.learning:
            found[f"{each.name}.W_integral"] = float(np.mean(area_of(parts[each.name], self.dt)))
            found[f"{each.name}.drift"] = float((by_rates[each.name] + correlated[each.name]).mean())
            found[f"{each.name}.correlation_drift"] = float(correlated[each.name].mean())
        return found

    def predictions(self) -> dict[str, float]:
        """The mean rate [Hz] of each population at the weights of the start, and the homeostatic rate of every projection whose rule knows single spikes."""
        found = {f"{name}.rate": float(rates.mean()) for name, rates in self.rates().items()}
        return found | {
            f"{each.name}.homeostatic_rate": self.homeostatic_rate(each.name)
            for each in self.network.learning
            if hasattr(each.rule, "pairs") and (each.rule.pairs.w_in, each.rule.pairs.w_out) != (0.0, 0.0)
        }

    def __repr__(self) -> str:
        units = {"W_integral": "s", "drift": "1/s", "correlation_drift": "1/s", "rate": "Hz", "homeostatic_rate": "Hz"}
        rows = [
            f"  {name:<40} {value:>10.4g} {units[name.rpartition('.')[2]]}"
            for name, value in {**self.coefficients(), **self.predictions()}.items()
        ]
        n = len(self.network.learning)
        head = [
            f"RecurrentEquation of {n} projection{'s' if n > 1 else ''} of {self.network.name}",
            "  dJ_ij/dt = w_in nu_j + w_out nu_i + W~ nu_i nu_j + C^W_ij",
        ]
        head += [f"  approximate: {self.approximate}"] if self.approximate else []
        head += [] if self._is_linear else [f"  {GOOD}"]
        return "\n".join(head + rows)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"
