"""What hypothesis draws: any registered part with parameters that it accepts, networks of such parts, plans of runs, descriptions of experiments.

Nothing is refused and drawn again: a field starts from the part's default and takes what is drawn for it where the part's own check
accepts that. A part that is registered is drawn without a word here; one whose arrays have no default, or a default that is too large here, needs a line
in ARRAYS.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from typing import Any, NamedTuple, get_type_hints

import numpy as np
from hypothesis import assume
from hypothesis import strategies as some
from interpreting import interpreted
from stepping import stepped

from hebbscope import Network, Population, Projection
from hebbscope.models import (
    LIF,
    Direct,
    FixedInDegree,
    FixedOutDegree,
    Given,
    HomogeneousPoisson,
    LinearPoisson,
    LogNormal,
    Normal,
    PatternPoisson,
    PopulationRate,
    RecordedSpikes,
    StateMonitor,
    Uniform,
    WeightStatistics,
    WeightSubset,
)
from hebbscope.models.experiments import experiment_class
from hebbscope.models.experiments.catalogue import parts
from hebbscope.models.experiments.description import choices_for, flat
from hebbscope.rules import (
    STDP,
    Free,
    Multiplicative,
    NonlinearHebb,
    PairSTDP,
    SpikeHebb,
    Subtractive,
    TabulatedWindow,
    Triplet,
)
from hebbscope.simulator.cast import cast
from hebbscope.simulator.precision import PRECISIONS
from hebbscope.simulator.protocols import (
    HebbscopeError,
    bounds_of,
    is_part,
    is_rate_rule,
    receptors_of,
    sees_potentials,
    unit_in,
)
from hebbscope.simulator.run import LARGEST_SEED, LEVELS, check_engine, check_level, record_times, time_constants
from hebbscope.simulator.sampled_run import SHARE
from hebbscope.simulator.sampler import check_monitors

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
BY_NAME |= {"sigma": between(0.0, 1.0)}


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


def grouped(cls: type) -> some.SearchStrategy:
    """A constraint of each of several groups of sources."""
    begins = some.lists(some.integers(1, MOST_PRE), unique=True, max_size=2).map(sorted)
    return begins.map(lambda found: cls(groups=np.array(found, np.int64)))


def fitted(norm: Any, n_pre: int) -> Any:
    """The same, of as many groups as begin among so many sources."""
    return norm._replace(groups=norm.groups[norm.groups < n_pre]) if hasattr(norm, "groups") else norm


@some.composite
def pairs(draw: Any, source: Population, target: Population) -> Given:
    """Some of all that there are."""
    every = some.integers(0, source.n * target.n - 1)
    found = np.sort(draw(some.lists(every, min_size=1, max_size=source.n * target.n, unique=True)))
    return Given(found // target.n, found % target.n)


def in_degrees(source: Population, target: Population) -> some.SearchStrategy:
    return some.integers(1, source.n).map(FixedInDegree)


def out_degrees(source: Population, target: Population) -> some.SearchStrategy:
    return some.integers(1, target.n).map(FixedOutDegree)


UNNAMED = (Direct, Free)
ARRAYS = {PatternPoisson: patterns, RecordedSpikes: recorded, TabulatedWindow: tables, Given: pairs}
ARRAYS |= {FixedInDegree: in_degrees, FixedOutDegree: out_degrees}
ARRAYS |= {cls: partial(grouped, cls) for cls in (Multiplicative, Subtractive)}


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
        return some.just(now) if plain else some.one_of([made(cls) for cls in choices_for(now, hint).values()])
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
    known = [cls for cls in known if not sees_potentials(cls)]
    fitting = [cls for cls in known if cls in ARRAYS or accepted(cls(), *size)]
    return some.one_of([made(cls, *size) for cls in fitting])


@some.composite
def networks(draw: Any, learning: tuple[str, ...] = ("rule", "rule", "rate rule")) -> Network:
    """Any input onto any neurons by any rule of these kinds."""
    n_pre, n_post = draw(some.integers(1, MOST_PRE)), draw(some.integers(1, MOST_POST))
    rule = draw(some.sampled_from(learning).flatmap(of_kind))
    chosen = {"neuron": draw(of_kind("neuron")), "rule": rule}
    chosen["input"] = draw(of_kind("input", n_pre))
    if is_rate_rule(rule) and not hasattr(chosen["input"], "rates"):
        chosen["input"] = draw(made(PatternPoisson, n_pre))
    for kind, size in (("normalisation", ()), ("transmission", (n_pre,))):
        part = draw(some.none() | of_kind(kind, *size))
        chosen |= {} if part is None else {kind: part}
    return draw(layers(n_pre, n_post, chosen))


PLACES = {
    "window": SpikeHebb,
    "threshold": Triplet,
    "pairing": STDP,
    "dependence": STDP,
    "nonlinearity": NonlinearHebb,
}  # kinds that are fields of a rule


@some.composite
def networks_of(draw: Any, kind: str, cls: type) -> Network:
    """One part in its place among the simplest, with any numbers: all have one kernel."""
    n_pre, n_post = 2 * draw(some.integers(1, MOST_PRE // 2)), draw(some.integers(1, MOST_POST))
    simplest = {"input": HomogeneousPoisson, "neuron": LinearPoisson, "rule": SpikeHebb}
    classes = simplest | ({"rule": PLACES[kind]} if kind in PLACES else {"rule" if kind == "rate rule" else kind: cls})
    classes |= {"input": PatternPoisson} if is_rate_rule(classes["rule"]) else {}
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
    beside = {kind: fitted(part, n_pre) for kind, part in chosen.items() if kind not in ("input", "neuron", "rule")}
    synapses = Projection(source, target, draw(some.one_of(start)), chosen["rule"], **beside)
    return Network([source, target], [synapses])


# Networks of the clock-driven engine ---------------------------------------------------------------------------------

STEP = 0.02  # s, of rates that vary, at the rate level
DT = 1e-3  # s, or less where a time constant or a delay is shorter
MOST_STEPS = 40  # of a run
MOST_CELLS, MOST_PROJECTIONS = 4, 4
DELAY = some.integers(0, 6).map(lambda steps: steps * DT)


@cache
def strong(neuron: type) -> float:
    """A weight, in the neuron's own unit, at which one input makes it fire as it is by default: found by looking, not by formula."""
    spikes = [(k, receptors_of(neuron()).index("excitatory"), 0) for k in range(0, 200, 10)]
    with interpreted():
        for weight in 10.0 ** np.arange(-12.0, 4.0):
            if len(stepped(neuron(), 200, spikes=[(*spike, weight) for spike in spikes]).k) >= 3:
                return float(weight)
    raise AssertionError(f"{neuron.__name__} never fires")


@some.composite
def circuits(draw: Any) -> Network:
    """Inputs and neurons of any kinds, joined in any way."""
    sizes = [draw(some.integers(1, MOST_CELLS)) for _ in range(draw(some.integers(2, 4)))]
    n_inputs = draw(some.integers(1, len(sizes) - 1))
    inputs = [Population(f"inputs{k}", n, draw(of_kind("input", n))) for k, n in enumerate(sizes[:n_inputs])]
    cells = [draw(neurons(f"cells{k}", n)) for k, n in enumerate(sizes[n_inputs:])]
    ends = [(inputs[0], cells[0])]
    for _ in range(draw(some.integers(0, MOST_PROJECTIONS - 1))):
        ends.append((draw(some.sampled_from(inputs + cells)), draw(some.sampled_from(cells))))
    return Network(inputs + cells, [draw(projections(f"p{k}", *each)) for k, each in enumerate(ends)])


@some.composite
def neurons(draw: Any, name: str, n: int) -> Population:
    """Of any kind; those that start where they are told do so."""
    model = draw(some.sampled_from(list(parts("neuron").values())).flatmap(made))
    shape = draw(some.sampled_from([None, (1, n), (n, 1)]))
    cells = Population(name, n, model, shape=shape)
    for variable in getattr(model, "monitored", ()):
        start = draw(some.none() | between(-0.08, -0.04) | arrays(between(-0.08, -0.04), n))
        cells = cells if start is None else replace(cells, initial={**(cells.initial or {}), variable: start})
    return cells


@some.composite
def projections(draw: Any, name: str, source: Population, target: Population) -> Projection:
    """By any rule or none, in any wiring, with delays or without."""
    scale = strong(type(target.model))
    fitting = some.sampled_from(("rule", "rule", "rate rule")).flatmap(of_kind)
    if "v" in target.model.monitored:
        fitting |= some.one_of([made(cls) for cls in parts("rule").values() if sees_potentials(cls)])
    rule, signed = draw(fitting), len(receptors_of(target.model)) == 1
    low, high = np.clip(bounds_of(rule), LEAST if signed else 0.0, (0.5 * MOST, MOST)).tolist()
    low, high = scale * low, scale * (high if high > low else MOST)
    rule = rule._replace(w_min=low, w_max=high) if hasattr(rule, "w_min") else rule
    weight = between(low, high)
    found = Projection(source, target, draw(weight), rule, name=name)
    found = changed(found, connectivity=draw(of_kind("connectivity", source, target)))
    found = changed(found, transmission=draw(of_kind("transmission", source.n) | some.just(Direct())))
    found = changed(found, receptor=draw(some.sampled_from(receptors_of(target.model))))
    for field in ("delay", "dendritic_delay"):
        found = changed(found, **{field: draw(DELAY | arrays(DELAY, found.n_synapses))})
    if np.ndim(found.dendritic_delay) == 0 and draw(some.booleans()):
        norm = fitted(draw(of_kind("normalisation")), 0 if np.ndim(found.delay) else source.n)
        found = changed(found, normalisation=norm._replace(every=draw(some.integers(1, MOST_STEPS)) * DT))
    shapes = [(found.n_synapses,)] if not found.is_dense else [(source.n,), (target.n, source.n)]
    return changed(
        found, weights=draw(some.one_of([arrays(weight, *shape) for shape in shapes] + [weight, chances(low, high)]))
    )


def chances(low: float, high: float) -> some.SearchStrategy:
    """Initial weights, each drawn between these."""
    middle = 0.5 * (low + high)
    known = [Uniform(low, high), Normal(middle, 0.1 * (high - low), low, high)]
    return some.sampled_from(known + [LogNormal(middle, 0.5, high)] * (low == 0.0))


def changed(projection: Projection, **fields: Any) -> Projection:
    """With other fields, where they fit it."""
    with suppress(HebbscopeError):
        return replace(projection, **fields)
    return projection


@some.composite
def circuits_of(draw: Any, neuron: type = LIF, rule: type = PairSTDP) -> Network:
    """Excitation and inhibition, all to all and sparse, with delays and without: any numbers, one kernel."""
    scale, n = strong(neuron), draw(some.integers(2, MOST_CELLS))
    inputs = Population("inputs", 3, HomogeneousPoisson(draw(between(20.0, 200.0))))
    model = draw(made(neuron, plain=True))
    e, i = Population("exc", n, model), Population("inh", 2, model)
    learning = draw(made(rule, plain=True))._replace(w_min=0.0, w_max=2.0 * scale)
    weight, delays = between(0.0, 2.0 * scale), arrays(DELAY, n * n)
    edges = draw(pairs(e, e))
    return Network(
        [inputs, e, i],
        [
            Projection(inputs, e, draw(arrays(weight, 3)), learning, name="feed"),
            Projection(
                e, e, draw(weight), learning, connectivity=edges, delay=draw(delays)[: len(edges.pre)], name="ee"
            ),
            Projection(e, i, draw(weight), delay=draw(DELAY), dendritic_delay=draw(DELAY), name="ei"),
            Projection(i, e, draw(weight), receptor=receptors_of(model)[-1], name="ie"),
        ],
    )


# Runs -----------------------------------------------------------------------------------------------------------------


class Plan(NamedTuple):
    """What is to be simulated, and by what it shows nothing of; how: in which engine, in steps of what, with which monitors."""

    network: Network
    levels: tuple[str, ...]
    seeds: tuple[int, ...]
    duration: float
    record_every: float
    record_spikes: Any
    how: dict[str, Any]

    def options(self) -> dict[str, Any]:
        """Those of `simulate` that all levels share."""
        return {"seeds": self.seeds, "record_every": self.record_every, "record_spikes": self.record_spikes, **self.how}


def levels_of(network: Network, times: np.ndarray, how: dict[str, Any]) -> list[str]:
    """Those that a description allows."""
    allowed = []
    for level in LEVELS:
        with suppress(HebbscopeError):
            check_level(network, level, times[-1])
            check_engine(network, level, times, **how)
            allowed.append(level)
    return allowed


def look_of(network: Network) -> float:
    """A step [s] in which the rates of the input are looked at, at the rate level."""
    return min(STEP, SHARE * getattr(network.input.model, "changes_in", math.inf))


def step_of(network: Network) -> float:
    """One that fits it [s], a whole part of DT."""
    shortest = min((tau for _, tau in time_constants(network)), default=math.inf)
    return DT / max(1, math.ceil(DT / (0.9 * shortest)))


@some.composite
def plans(draw: Any, network: some.SearchStrategy, any_spikes: bool = True) -> Plan:
    """All levels of a network that it has, or some, in any order; records far apart and close together, spikes of all times or some, in any engine
    that runs it. any_spikes: those of some populations, or of all, in half the precision or not; not so where all plans are to have one kernel."""
    described = draw(network)
    if described.is_exact:
        how: dict[str, Any] = {"engine": "event", "dt": look_of(described)}
        duration = draw(between(0.02, LONGEST))
        every = duration * draw(between(0.05, 2.0))
    else:
        how = {"engine": "clock", "dt": step_of(described)}
        n_steps = draw(some.integers(2, MOST_STEPS).map(lambda n: MOST_STEPS + 2 - n))
        duration, every = n_steps * how["dt"], draw(some.integers(1, n_steps)) * how["dt"]
    allowed = levels_of(described, record_times(duration, every), how)
    assume(allowed)  # now and then a network is drawn that fits no step
    levels = draw(some.permutations(allowed))
    levels = levels[draw(some.integers(0, len(levels) - 1)) :]
    seeds = draw(some.lists(some.integers(0, LARGEST_SEED), min_size=1, max_size=3, unique=True))
    heard = None
    if any_spikes:
        window = some.tuples(some.floats(0.0, duration), some.floats(0.0, duration)).map(sorted).map(tuple)
        names = [each.name for each in described.populations]
        heard = draw(some.none() | some.dictionaries(some.sampled_from(names), window))
        how |= {"precision": draw(some.sampled_from(PRECISIONS))} if how["engine"] == "clock" else {}
    how["monitors"] = draw(monitors(described, how, duration))
    return Plan(described, tuple(levels), tuple(seeds), duration, every, heard, how)


@some.composite
def monitors(draw: Any, network: Network, how: dict[str, Any], duration: float) -> dict[str, Any]:
    """Some of those that fit."""
    step = how.get("dt", duration / MOST_STEPS)
    every = some.integers(2, MOST_STEPS).map(lambda n: n * step)
    cells = [each for each in network.populations if not each.is_input]
    synapses = [each.name for each in network.projections]
    there = [PopulationRate(each.name, draw(every)) for each in cells]
    there += [
        StateMonitor(each.name, list(each.model.monitored), None, draw(every)) for each in cells if each.model.monitored
    ]
    there += [WeightStatistics(name, draw(every), 3, -1.0, 1.0) for name in synapses]
    there += [WeightSubset(name, None, draw(every)) for name in synapses]
    found = {f"m{k}": monitor for k, monitor in enumerate(draw(some.lists(some.sampled_from(there), max_size=2)))}
    with suppress(HebbscopeError):
        return check_monitors(found, network, how["engine"], step)
    return {}


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
