"""What hypothesis draws: any registered part with parameters that it accepts, networks of such parts, plans of runs, descriptions of experiments.

Nothing is refused and drawn again: a field starts from the part's default and takes what is drawn for it where the part's own check
accepts that. A part that is registered is drawn without a word here; one whose arrays have no default needs a line in ARRAYS.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any, NamedTuple, get_type_hints

import numpy as np
from hypothesis import strategies as some

from hebbscope import Network, Population, Projection
from hebbscope.models import Direct, HomogeneousPoisson, LinearPoisson, PatternPoisson, RecordedSpikes
from hebbscope.models.experiments import experiment_class
from hebbscope.models.experiments.catalogue import kin, parts
from hebbscope.models.experiments.description import choices_for, flat
from hebbscope.rules import Free, SpikeHebb, TabulatedWindow, Triplet
from hebbscope.simulator.cast import cast
from hebbscope.simulator.protocols import HebbscopeError, bounds_of, is_part, unit_in
from hebbscope.simulator.run import LARGEST_SEED, LEVELS, check_level

MOST_PRE, MOST_POST = 6, 3
FASTEST = 60.0  # Hz of a train
LONGEST = 1.0  # s of a run
# A window that remembers fewer spikes ends a run with an error where a train is faster for a while.
FOLLOWED = 5e3  # Hz
AT_ONCE = 15  # spikes of a train


# Parameters -----------------------------------------------------------------------------------------------------------


def between(low: float, high: float) -> some.SearchStrategy:
    """Numbers all over the range, and now and then one that hypothesis finds nasty.

    The first, to which hypothesis comes back most, is the largest: in a network of small numbers next to nothing happens.
    """
    everywhere = some.integers(0, 1000).map(lambda k: max(high - (high - low) * 1e-3 * k, low))
    return some.sampled_from([everywhere, everywhere, everywhere, some.floats(low, high)]).flatmap(
        lambda chosen: chosen
    )


BY_UNIT = {"s": between(5e-4, 0.2), "Hz": between(0.0, FASTEST), "": between(-3.0, 3.0), "V": between(-0.1, 0.1)}
BY_UNIT |= {"V/s": between(-10.0, 10.0), "A": between(0.0, 1e-9), "F": between(1e-11, 1e-9), "S": between(0.0, 1e-7)}
LEAST, MOST = -0.5, 2.0  # of a weight
BOUND = between(LEAST, MOST)
BY_NAME = {"w_min": BOUND, "w_max": BOUND, "norm": between(0.0, 1.0), "max_rate": between(FOLLOWED, 1e4)}


def arrays(of: some.SearchStrategy, *shape: int, dtype: type = np.float64) -> some.SearchStrategy:
    """An array of this shape."""
    n = math.prod(shape)
    return some.lists(of, min_size=n, max_size=n).map(lambda values: np.array(values, dtype).reshape(shape))


@some.composite
def recorded(draw: Any, n: int) -> RecordedSpikes:
    """n trains; spikes may coincide, be none, or stand at the very start and end."""
    duration = draw(some.floats(0.01, 2 * LONGEST))
    times = np.sort(draw(arrays(some.floats(0.0, duration), draw(some.integers(0, min(40, AT_ONCE * n))))))
    return RecordedSpikes(times, np.arange(len(times)) % n, duration)


@some.composite
def patterns(draw: Any, n: int) -> PatternPoisson:
    """n trains."""
    return PatternPoisson(draw(arrays(BY_UNIT["Hz"], draw(some.integers(1, 4)), n)))


@some.composite
def tables(draw: Any) -> TabulatedWindow:
    """On one side of 0 or on both."""
    s = draw(some.lists(some.floats(-0.05, 0.05), min_size=2, max_size=6, unique=True))
    return TabulatedWindow(np.sort(s), draw(arrays(BY_UNIT[""], len(s))), FOLLOWED)


UNNAMED = (Direct, Free)
ARRAYS = {PatternPoisson: patterns, RecordedSpikes: recorded, TabulatedWindow: tables}


def accepted(part: Any, *size: int) -> bool:
    """Whether a part may be so, for so many sources where that counts."""
    try:
        cast(part).check(*size)
    except HebbscopeError:
        return False
    return True


@some.composite
def made(draw: Any, cls: Any, *size: int, plain: bool = False) -> Any:
    """A part of this class; size: the number of sources, for a part that asks for it; plain: no array where a number will do."""
    part = draw(ARRAYS[cls](*size)) if cls in ARRAYS else cls()
    for name, hint in get_type_hints(cls, include_extras=True).items():
        changed = part._replace(**{name: draw(field(getattr(part, name), name, hint, *size, plain=plain))})
        part = changed if accepted(changed, *size) else part
    return part


def field(now: Any, name: str, hint: Any, *size: int, plain: bool) -> some.SearchStrategy:
    """What a field may hold: what it holds now, or another part, number or array as its annotation has it."""
    if is_part(now):
        return some.just(now) if plain else some.one_of([made(cls) for cls in kin(type(now))])
    if isinstance(now, int):
        return some.integers(0, MOST_PRE)
    if not isinstance(now, float):
        return some.just(now)
    scales = math.isfinite(now) and now and name not in BY_NAME
    near = [between(0.1, 4.0).map(lambda factor: factor * now)] if scales else []
    number = some.one_of(some.just(now), *near, BY_NAME.get(name, BY_UNIT[unit_in(hint)]))
    several = np.ndarray in flat(hint) and size and not plain
    return some.one_of(number, arrays(number, *size)) if several else number


# Networks -------------------------------------------------------------------------------------------------------------


class Scattered(NamedTuple):
    """Initial weights, each drawn evenly between two others."""

    low: float
    high: float

    def draw(self, generator: np.random.Generator, n_post: int, n_pre: int) -> np.ndarray:
        return generator.uniform(self.low, self.high, (n_post, n_pre))


def of_kind(kind: str, *size: int) -> some.SearchStrategy:
    """Any registered part of a kind that does with so many sources in the exact engine, but for those of a projection that names none."""
    known = [cls for cls in parts(kind).values() if cls not in UNNAMED and (kind != "neuron" or hasattr(cls, "bound"))]
    fitting = [cls for cls in known if cls in ARRAYS or accepted(cls(), *size)]
    return some.one_of([made(cls, *size) for cls in fitting])


@some.composite
def networks(draw: Any) -> Network:
    """Any input onto any neurons by any rule."""
    n_pre, n_post = draw(some.integers(1, MOST_PRE)), draw(some.integers(1, MOST_POST))
    chosen = {kind: draw(of_kind(kind)) for kind in ("neuron", "rule")} | {"input": draw(of_kind("input", n_pre))}
    for kind, size in (("normalisation", ()), ("transmission", (n_pre,))):
        part = draw(some.none() | of_kind(kind, *size))
        chosen |= {} if part is None else {kind: part}
    return draw(layers(n_pre, n_post, chosen))


PLACES = {"window": "rule", "threshold": "rule"}  # kinds that are fields of another


@some.composite
def networks_of(draw: Any, kind: str, cls: type) -> Network:
    """One part in its place among the simplest, with any numbers: all have one kernel."""
    n_pre, n_post = 2 * draw(some.integers(1, MOST_PRE // 2)), draw(some.integers(1, MOST_POST))
    simplest = {"input": HomogeneousPoisson, "neuron": LinearPoisson, "rule": SpikeHebb}
    classes = (
        simplest | ({"rule": Triplet} if kind == "threshold" else {}) | ({kind: cls} if kind not in PLACES else {})
    )
    sizes = {"input": (n_pre,), "transmission": (n_pre,)}
    chosen = {each: draw(made(of, *sizes.get(each, ()), plain=True)) for each, of in classes.items()}
    if kind in PLACES:
        chosen["rule"] = chosen["rule"]._replace(**{kind: draw(made(cls, plain=True))})
    return draw(layers(n_pre, n_post, chosen))


@some.composite
def layers(draw: Any, n_pre: int, n_post: int, chosen: dict[str, Any]) -> Network:
    """These parts, with weights to start from."""
    low, high = np.clip(bounds_of(chosen["rule"]), LEAST, MOST)
    weight = between(low, high)
    start = [weight, arrays(weight, n_pre), arrays(weight, n_post, n_pre), weight.map(lambda top: Scattered(low, top))]
    source, target = Population("inputs", n_pre, chosen["input"]), Population("neuron", n_post, chosen["neuron"])
    beside = {kind: part for kind, part in chosen.items() if kind not in ("input", "neuron", "rule")}
    synapses = Projection(source, target, draw(some.one_of(start)), chosen["rule"], **beside)
    return Network([source, target], [synapses])


# Runs -----------------------------------------------------------------------------------------------------------------


class Plan(NamedTuple):
    """What is to be simulated, and by what it shows nothing of."""

    network: Network
    levels: tuple[str, ...]
    seeds: tuple[int, ...]
    duration: float
    record_every: float
    record_spikes: Any

    def options(self) -> dict[str, Any]:
        """Those of `simulate` that all levels share."""
        return {"seeds": self.seeds, "record_every": self.record_every, "record_spikes": self.record_spikes}


def levels_of(network: Network, duration: float) -> list[str]:
    """Those that a description allows."""
    allowed = []
    for level in LEVELS:
        with suppress(HebbscopeError):
            check_level(network, level, duration)
            allowed.append(level)
    return allowed


@some.composite
def plans(draw: Any, network: some.SearchStrategy) -> Plan:
    """All levels of a network that it has, or some, in any order; records far apart and close together, spikes of all times or some."""
    described = draw(network)
    duration = draw(between(0.02, LONGEST))
    every = duration * draw(between(0.05, 2.0))
    levels = draw(some.permutations(levels_of(described, duration)))
    levels = levels[draw(some.integers(0, len(levels) - 1)) :]
    seeds = draw(some.lists(some.integers(0, LARGEST_SEED), min_size=1, max_size=3, unique=True))
    window = some.tuples(some.floats(0.0, LONGEST), some.floats(0.0, LONGEST)).map(sorted).map(tuple)
    heard = draw(some.none() | some.dictionaries(some.sampled_from(["inputs", "neuron"]), window))
    return Plan(described, tuple(levels), tuple(seeds), duration, every, heard)


# Descriptions ---------------------------------------------------------------------------------------------------------


@some.composite
def described(draw: Any, name: str) -> Any:
    """An experiment with any values in any of its fields that it accepts."""
    cls = experiment_class(name)
    experiment = cls()
    hints = get_type_hints(cls, include_extras=True)
    for key in cls.model_fields:
        now = getattr(experiment, key)
        value = draw(table(now, key, hints[key]))
        with suppress(HebbscopeError):
            experiment = cls(**{each: getattr(experiment, each) for each in cls.model_fields} | {key: value})
    return experiment


@some.composite
def table(draw: Any, now: Any, key: str, hint: Any) -> Any:
    """A value of a field of a description: text and numbers of its kind, or a part or a table with such in it."""
    if is_part(now):
        classes = list(choices_for(now, hint).values()) or [type(now)]
        cls = draw(some.sampled_from(classes))
        made_so = draw(ARRAYS[cls]()) if cls in ARRAYS else now if isinstance(now, cls) else cls()
        hints = get_type_hints(cls, include_extras=True)
        return cls(*(draw(table(value, name, hints[name])) for name, value in zip(cls._fields, made_so, strict=True)))
    if isinstance(now, str):
        return draw(some.one_of(some.just(now), some.text(max_size=20)))
    if isinstance(now, int):
        return draw(some.integers(0, 10**6))
    if isinstance(now, np.ndarray):
        return draw(arrays(some.floats(-1e3, 1e3), len(now)).map(np.sort))
    everywhere = some.floats(min_value=0.0, allow_nan=False) | some.floats(allow_nan=False)
    return draw(some.one_of(some.just(now), BY_UNIT[unit_in(hint)], everywhere))
