"""Whether a rule of one's own keeps the contract of rules: what the tests ask of every rule of hebbscope, said in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache, partial, wraps
from typing import Any, NamedTuple

import numpy as np

from ..models import AdEx, HomogeneousPoisson, LinearPoisson, PatternPoisson
from ..models.experiments.own import own_part
from ..simulator.connectivity import Given
from ..simulator.describe import fields
from ..simulator.network import Network, Population, Projection
from ..simulator.protocols import (
    HebbscopeError,
    ParameterError,
    bounds_of,
    is_rate_rule,
    require_hooks,
    sees_potentials,
)
from ..simulator.run import simulate

N_PRE, N_POST = 6, 2
SPARSE = np.array([0, 1, 2, 3, 4, 5]), np.array([0, 1, 1, 0, 0, 1])  # sources and targets
MIDDLE = 0.2  # a weight, where the bounds allow it
SECONDS = 2.0
EXACT, STEPS, RATE = "in the event engine", "in the clock engine", "at the rate level"
ENGINES = (EXACT, STEPS)
HOW = {EXACT: {"engine": "event"}, STEPS: {"engine": "clock"}, RATE: {"level": "rate"}}


class Check(NamedTuple):
    """What is asked, and what is wrong; "" where nothing is."""

    asked: str
    problem: str

    @property
    def ok(self) -> bool:
        return not self.problem

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'FAIL'}  {self.asked}{'' if self.ok else f': {self.problem}'}"


def checks(target: str) -> Iterator[Check]:
    """Each thing that is asked of the rule that FILE.py:CLASS names, one after the other; none that cannot be asked after one that fails."""
    rule: Any = None

    def made() -> str:
        nonlocal rule
        cls: Any = own_part(target, target)
        missing = [name for name in cls._fields if name not in cls._field_defaults]
        if missing:
            return f"{cls.__name__}.{missing[0]} has no default"
        require_hooks(cls(), "rate rule" if is_rate_rule(cls) else "rule")
        rule = cls()
        rule.check()
        return ""

    first = _asked("has parameters with defaults that pass its check, a state, and the methods of a rule", made)
    yield first
    if not first.ok:
        return
    yield _asked("names a parameter that is no number", lambda: _unnamed(rule))
    yield _asked("says in its docstring what each parameter is", lambda: _undocumented(rule))
    for place in _places(rule):
        plain, compiled = cache(partial(_without_compiler, rule, place)), cache(partial(_simulated, rule, place))
        otherwise = partial(_simulated, rule, place, record_every=SECONDS / 8, threads=2)
        runs = _asked(
            f"runs {place}: each spike at its own synapses, finite weights within its bounds, which learn",
            partial(_sound, rule, plain),
        )
        yield runs
        if runs.ok:  # compiled code does not look whether an index is one
            yield _asked(f"has the same bits from the compiler: {place}", partial(_alike, plain, compiled))
            yield _asked(
                f"has the same bits again, cut otherwise and with two threads: {place}",
                partial(_alike, compiled, otherwise),
            )


def _asked(asked: str, ask: Callable[[], str]) -> Check:
    """One check; an error of any kind is what is wrong."""
    try:
        return Check(asked, ask())
    except HebbscopeError as problem:
        return Check(asked, str(problem))
    except Exception as problem:  # numba's own words are many
        lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
        return Check(asked, f"{type(problem).__name__}: {lines[0] if lines else ''}")


def _unnamed(rule: Any) -> str:
    for name, value in zip(rule._fields, rule, strict=True):
        if isinstance(value, float):
            try:
                rule._replace(**{name: math.nan}).check()
            except ParameterError as problem:
                if problem.field == name:
                    continue
            return f"check lets {name} = nan pass"
    return ""


def _undocumented(rule: Any) -> str:
    silent = [field.name for field in fields(rule) if not field.meaning]
    return f"nothing of {', '.join(silent)}; a line such as '{silent[0]}  1  learning rate' would do" if silent else ""


def _network(rule: Any, place: str) -> Network:
    """All-to-all, in steps also sparse, weights at the bounds and between them; rates of patterns, which change."""
    patterns = 10.0 + np.diag(np.linspace(20.0, 60.0, N_PRE))
    trains = PatternPoisson(patterns, 0.1, in_order=1) if place == RATE else HomogeneousPoisson(30.0)
    neuron = AdEx() if sees_potentials(rule) else LinearPoisson(base_rate=10.0)
    inputs, cells = Population("inputs", N_PRE, trains), Population("cells", N_POST, neuron)
    weights = np.resize(_starts(*bounds_of(rule)), (N_POST, N_PRE))
    projections = [Projection(inputs, cells, weights, rule)]
    if place == STEPS:
        wiring = Given(*SPARSE)
        projections.append(Projection(inputs, cells, weights[0], rule, connectivity=wiring, name="sparse", delay=1e-3))
    return Network([inputs, cells], projections)


def _starts(low: float, high: float) -> list[float]:
    """Weights that are not infinite: the bounds and what is between."""
    if low <= MIDDLE <= high:
        between = MIDDLE
    else:
        between = 0.5 * (low + high) if np.isfinite(low + high) else (low if np.isfinite(low) else high)
    return [each for each in (low, between, high, between) if np.isfinite(each)]


def _places(rule: Any) -> tuple[str, ...]:
    """Where it can run."""
    if is_rate_rule(rule):
        return (RATE, *ENGINES)
    return (STEPS,) if sees_potentials(rule) else ENGINES


def _simulated(rule: Any, place: str, **options: Any) -> Any:
    given: dict[str, Any] = {
        "seeds": (1, 2),
        "record_spikes": {},
        "record_every": SECONDS,
        "threads": 1,
    }
    return simulate(_network(rule, place), SECONDS, **given | HOW[place] | options)


def _without_compiler(rule: Any, place: str) -> Any:
    """As `_simulated`, by a rule that is watched."""
    from unittest.mock import patch

    import numba

    with patch.object(numba.config, "DISABLE_JIT", True):
        return _simulated(_watched(rule), place)


def _watched(rule: Any) -> Any:
    """The same rule, which raises a HebbscopeError where a method changes synapses that are not those of its source or onto its target."""
    cls = type(rule)

    def watch(name: str, whose: str, own: Callable[[Any, int], list[int]]) -> Callable[..., None]:
        method = getattr(cls, name)

        @wraps(method)
        def watched(self: Any, state: Any, w: Any, k: int, *others: Any) -> None:
            before = w.value.copy()
            method(self, state, w, k, *others)
            if np.setdiff1d(np.flatnonzero(w.value.ravel() != before.ravel()), own(w, k)).size:
                raise HebbscopeError(f"{cls.__name__}.{name} changes a synapse that is not one {whose} {k}")

        return watched

    def out_of(w: Any, k: int) -> list[int]:
        return [w.out(k, n) for n in range(w.n_out(k))]

    def onto(w: Any, k: int) -> list[int]:
        """By way of the sources, which all synapses know."""
        return [w.out(j, n) for j in range(w.n_pre) for n in range(w.n_out(j)) if w.post(j, n) == k]

    owners = dict.fromkeys(("on_pre", "relay", "settle"), ("of source", out_of))
    owners |= dict.fromkeys(("on_post", "on_rates"), ("onto target", onto))
    methods = {name: watch(name, *owner) for name, owner in owners.items() if hasattr(cls, name)}
    return type(cls.__name__, (cls,), methods)(*rule)


def _sound(rule: Any, plain: Callable[[], Any]) -> str:
    run = plain()
    low, high = bounds_of(rule)
    for weights in (run.final_weights, *run.final.values()):
        if weights.min() < low or weights.max() > high:
            return f"a weight of {weights.min() if weights.min() < low else weights.max():g} is beyond the bounds {low:g} and {high:g}"
    return "" if np.any(run.final_weights != run.weights[:, 0]) else "no weight changes"


def _alike(run: Callable[[], Any], other: Callable[[], Any]) -> str:
    worst = float(np.abs(run().final_weights - other().final_weights).max())
    return "" if worst == 0.0 else f"weights differ by {worst:.2g}"
