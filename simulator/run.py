"""simulate(): check what is asked, choose the engine of the level, and let it go from record to record."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from os import cpu_count
from typing import Any

import numpy as np

from .clock_run import ClockRun, held_steps, in_steps, layouts
from .describe import brief, shown
from .drive import drive
from .estimate import check_memory, estimate
from .event_run import SeedRun
from .network import Network, Projection
from .precision import PRECISIONS
from .protocols import (
    DT,
    LEVELS,
    HebbscopeError,
    ParameterError,
    is_part,
    is_rate_rule,
    looks_around,
    sees_potentials,
)
from .quantity import read_quantity
from .results import Run
from .sampler import check_monitors
from .streams import LARGEST_SEED
from .synapses import initial_state

ENGINES = ("auto", "event", "clock")
MOST_RECORDS = 10_000_000
MOST_COUNTED = 2**53  # steps, beyond which a number of double precision leaves some out
N_RECORDS = 100  # record times of a run that names no interval
LARGE_RECORD = (
    4_000_000  # bytes of the weights of one seed, of which a run that names no interval keeps the first and the last
)
LAST_INPUTS = 5.0  # s of input spikes kept by default, enough for a raster
RUNAWAY_RATE = 1e4  # Hz per neuron; no cell fires faster


def simulate(
    network: Network,
    duration: float,
    *,
    level: str = "spike",
    engine: str = "auto",
    dt: float = DT,
    precision: str = "double",
    seeds: int | Iterable[int] = 1,
    record_every: float | None = None,
    record_spikes: Mapping[str, tuple[float, float]] | None = None,
    threads: int | None = None,
    file: Any = None,
    progress: Callable[[float], None] | None = None,
    max_rate: float = RUNAWAY_RATE,
    monitors: Mapping[str, Any] | None = None,
) -> Run:
    """Run a network at one level.

    duration       biological time [s]
    level          "spike": every spike counts; "surrogate": the neurons are driven by an independent copy of their input; "rate": the
                   learning equation of the averaged rule
    engine         "event": exact, for one layer of Poisson neurons; "clock": in steps, for any network; "auto": exact where that can be
    dt             step of the clock-driven engine [s]; delays are rounded to it, and records come at multiples of it. At the rate level, of rates that
                   vary all the time or never change, where the rule has no averaged equation or a normalisation goes with it; and that in which
                   integrate-and-fire neurons run, of which their averaged equation knows
    precision      "single": the clock-driven engine keeps weights, traces and potentials to seven digits, in half the memory
    seeds          one integer or several; each is a run of its own, the same bits whatever the threads, chunks and records
    record_every   interval of the recorded weights and rates [s]; default: a hundredth of the duration, or all of it where one record takes
                   more than 4 MB: start and end
    record_spikes  population -> (from, to) [s], of the first seed; default: the neurons always, the inputs in the last 5 s
    threads        over seeds; default: all cores
    file           a RunFile that gets every record when it is made; of more than a thousand, or 256 MB of weights, the Run then holds only every so
                   many (`Run.load` reads them all), and its spikes stay in the file, where they are those of the first level that listens
    progress       called with the biological time that all seeds have reached [s]
    max_rate       output rate per neuron at which the run stops [Hz]; at the levels with spikes, the most that the potential of the moment
                   will come to, so that it must be above the height of the strongest single EPSPs
    monitors       name -> what is sampled beside the records (monitors.py); levels with spikes only. `Run.monitors` has the samples

    Raises ParameterError for a value that breaks a rule, Runaway (with the data so far) when the output rate passes max_rate.
    """
    if level not in LEVELS:
        raise ParameterError("simulate", "level", f"must be one of {', '.join(LEVELS)}", level)
    if not isinstance(network, Network):
        raise ParameterError("simulate", "network", "must be a Network", network)
    seeds = _seeds(seeds)
    duration, dt = positive_argument("duration", duration, "s"), positive_argument("dt", dt, "s")
    engine = "event" if level == "rate" else engine_of(network, engine)
    if record_every is None:
        record_every = default_interval(network, duration, dt if engine == "clock" else 0.0)
    times = record_times(duration, record_every)
    max_rate = positive_argument("max_rate", max_rate, "Hz", most=math.inf)
    if file is not None and level in file.finished:
        return file.finished[level]
    if level != "rate":
        _check_precision(precision, engine)
    how = {"max_rate": max_rate, "threads": _threads(threads), "file": file, "progress": progress}
    size = (len(seeds), len(times))
    if level == "rate":
        check_equation(network)
        check_engine(network, level, times, engine, dt)
        check_memory(estimate(network, [level], *size, {}, 0, file is not None, {}, duration))
        return _rate(network, times, seeds, dt, how)
    windows = _windows(network, record_spikes, times[-1])
    listened = {name: min(stop, times[-1]) - start for name, (start, stop) in windows.items()}
    watched = check_monitors(monitors or {}, network, engine, dt)
    check_memory(estimate(network, [level], *size, listened, 0, file is not None, watched, duration))
    check_engine(network, level, times, engine, dt)
    each_seed = [(seed, level, windows if k == 0 else {}) for k, seed in enumerate(seeds)]
    if engine == "event":
        runs: list[Any] = [SeedRun(network, *which, max_rate) for which in each_seed]
    else:
        shares = {"max_rate": max_rate, "threads": max(1, how["threads"] // len(seeds)), "precision": precision}
        laid = layouts(network, dt)
        runs = [ClockRun(network, *which, dt, laid=laid, **shares) for which in each_seed]
    return drive(network, level, runs, times, monitors=watched, **how)


def engine_of(network: Network, engine: str = "auto") -> str:
    """ "event" or "clock": the engine that is asked for, or the exact one where it can run the network; raises what it cannot."""
    if engine not in ENGINES:
        raise ParameterError("simulate", "engine", f"must be one of {', '.join(ENGINES)}", engine)
    if engine == "auto":
        return "event" if network.is_exact else "clock"
    if engine == "event":
        network.projection  # noqa: B018
    return engine


def check_engine(network: Network, level: str, times: np.ndarray, engine: str = "auto", dt: float = DT) -> None:
    """Raise, before anything runs, what speaks against running a level in steps of dt [s], if that is how it will run."""
    from .sampled_run import check_looks

    if level == "rate":
        check_looks(network, dt)
    elif engine_of(network, engine) == "clock":
        check_step(network, level, times, dt)


def check_step(network: Network, level: str, times: np.ndarray, dt: float) -> None:
    """Raise what a step of dt [s] does not fit: the shortest time constant, delays, norms, rules, inputs, records; and a surrogate of a recurrent network."""
    for name, tau in time_constants(network):
        if dt >= tau:
            raise ParameterError("simulate", "dt", f"must be < {name} = {tau:g} s", dt)
    for projection in network.projections:
        for field in ("delay", "dendritic_delay"):
            in_steps(projection, field, dt)
        _check_norm(projection, dt)
        _check_transmission(projection, dt)
        _check_view(projection, dt)
        if sees_potentials(projection.rule):
            initial_state(projection.rule, 1, 1, dt=dt)  # says what it cannot do in such steps
    for population in network.populations:
        fastest = population.model.mean_rates(population.n).max() if population.is_input else 0.0
        if fastest * dt > 1.0:
            raise ParameterError(
                "simulate",
                "dt",
                f"must be <= {1 / fastest:g} s, the mean interval of the spikes of {population.name}",
                dt,
            )
        held_steps(population, dt)
    if times[-1] / dt > MOST_COUNTED:
        raise ParameterError(
            "simulate", "dt", f"must be >= {times[-1] / MOST_COUNTED:g} s, so that steps can be counted", dt
        )
    for name, t in (("duration", times[-1]), ("record_every", times[1])):
        if not _is_multiple(t, dt):
            raise ParameterError("simulate", name, f"must be a multiple of dt = {dt:g} s", float(t))
    if level == "surrogate":
        check_copies(network)


def roundings(network: Network, dt: float) -> list[str]:
    """What becomes of delays and refractory times that are no whole number of steps of dt [s], a sentence each."""
    lengths = [
        (f"{each.name}.{field}", np.atleast_1d(getattr(each, field)), in_steps(each, field, dt))
        for each in network.projections
        for field in ("delay", "dendritic_delay")
    ]
    lengths += [
        (f"{each.name}.refractory", np.atleast_1d(each.model.refractory), np.array([held_steps(each, dt)]))
        for each in network.populations
        if hasattr(each.model, "refractory")
    ]
    found = []
    for name, asked, steps in lengths:
        given = np.broadcast_to(steps * dt, asked.shape)
        worst = int(np.argmax(np.abs(asked - given)))
        if abs(asked[worst] - given[worst]) > 1e-6 * dt:
            found.append(
                f"{name} is rounded to steps of {shown(dt, 's')}: {shown(asked[worst], 's')} to {shown(given[worst], 's')}"
            )
    return found


def _check_transmission(projection: Projection, dt: float) -> None:
    """Raise what keeps a transmission from finding the weights that it reads."""
    differ = any(np.ptp(in_steps(projection, field, dt)) > 0 for field in ("delay", "dendritic_delay"))
    if differ and projection.reads_others:
        raise ParameterError(
            f"Projection {projection.name}",
            "transmission",
            "must deliver each weight by itself where delays differ",
            brief(projection.transmission),
        )


def _check_view(projection: Projection, dt: float) -> None:
    """Raise delays that keep a rule of rates from seeing which synapses are of one cell: those that differ make several of it."""
    for field in ("delay", "dendritic_delay"):
        steps = in_steps(projection, field, dt)
        if looks_around(projection.rule) and np.ptp(steps) > 0:
            part, kind = f"Projection {projection.name}", type(projection.rule).__name__
            between = f"{shown(steps.min() * dt, 's')} to {shown(steps.max() * dt, 's')}"
            raise ParameterError(part, field, f"must be one for {kind}, which looks at all synapses of a cell", between)


def _check_norm(projection: Projection, dt: float) -> None:
    """Raise what keeps the weights of a projection from being normalised between steps of dt [s]."""
    part, every = f"Projection {projection.name}", projection.normalisation.every
    if every == math.inf:
        return
    if every / dt > MOST_COUNTED:
        raise ParameterError(
            part, "normalisation.every", f"must be <= {MOST_COUNTED * dt:g} s, so that steps can be counted", every
        )
    if every < 0.5 * dt or not _is_multiple(every, dt):
        raise ParameterError(part, "normalisation.every", f"must be a multiple of dt = {dt:g} s", every)
    if np.ptp(in_steps(projection, "dendritic_delay", dt)) > 0:
        raise ParameterError(
            part,
            "normalisation",
            "must be left out where dendritic delays differ, each a cell of its own to the rule",
            brief(projection.normalisation),
        )
    if len(getattr(projection.normalisation, "groups", ())) and np.ptp(in_steps(projection, "delay", dt)) > 0:
        raise ParameterError(
            part,
            "normalisation.groups",
            "must be left out where axonal delays differ, each a source of its own to the rule",
            brief(projection.normalisation),
        )


def _is_multiple(t: float, dt: float) -> bool:
    return abs(t / dt - round(t / dt)) <= 1e-6 * max(1.0, t / dt)


def _check_precision(precision: str, engine: str) -> None:
    if precision not in PRECISIONS:
        raise ParameterError("simulate", "precision", f"must be one of {', '.join(PRECISIONS)}", precision)
    if precision != "double" and engine != "clock":
        raise ParameterError("simulate", "precision", "must be double in the exact engine", precision)


def time_constants(network: Network) -> Iterator[tuple[str, float]]:
    """Name and value [s] of every time constant of neurons and rules, the parts within them too."""
    for population in network.populations:
        if not population.is_input:
            yield from _taus(population.model)
    for projection in network.projections:
        yield from _taus(projection.rule)
        if is_rate_rule(projection.rule):
            yield f"{projection.name}.smoothing", projection.smoothing


def _taus(part: Any) -> Iterator[tuple[str, float]]:
    for name, value in zip(part._fields, part, strict=True):
        if is_part(value):
            yield from _taus(value)
        elif name.startswith("tau") and np.ndim(value) == 0:
            yield f"{type(part).__name__}.{name}", float(value)


def _rate(network: Network, times: np.ndarray, seeds: tuple[int, ...], dt: float, how: dict[str, Any]) -> Run:
    """Hold by hold where rates are looked at, in steps of dt [s] where no patterns are shown; else the averaged equation."""
    from .averaged_run import simulate_averaged
    from .sampled_run import SampledRun, has_holds

    if has_holds(network):
        runs = [SampledRun(network, seed, how["max_rate"], dt) for seed in seeds]
        return drive(network, "rate", runs, times, **how)
    del how["threads"]  # of one trajectory a seed, in closed form
    return simulate_averaged(network, times, seeds, dt, **how)


def has_copies(network: Network) -> bool:
    """Whether there can be a surrogate level: a recording has no independent second copy."""
    try:
        check_copies(network)
    except ParameterError:
        return False
    return True


def check_copies(network: Network) -> None:
    """Raise what stands against the surrogate level: a recording, of which there is no second copy, or neurons that drive neurons."""
    for population in network.populations:
        if population.is_input:
            population.model.init(population.n, 2)
    recurrent = [each.name for each in network.projections if not each.source.is_input]
    if recurrent:
        rule = f"must be spike: there is no independent copy of the neurons' spikes in {recurrent[0]}"
        raise ParameterError("simulate", "level", rule, "surrogate")


def check_equation(network: Network) -> None:
    """Raise what stands against the rate level: a network that is not one layer, with cells of which it is not known how they answer spikes on average; of rules of rates what they cannot have."""
    from .sampled_run import check_rates

    if network.learns_by_rates:
        check_rates(network)
        return
    try:
        if not network.is_averaged:
            network.layer  # noqa: B018
    except HebbscopeError as problem:
        raise ParameterError("simulate", "level", f"must be spike or surrogate ({problem})", "rate") from None


def check_level(network: Network, level: str, duration: float, dt: float = DT, seeds: Iterable[int] = (1,)) -> Any:
    """Raise, before anything runs, what a level would: no second copy of the input, no averaged equation that holds for so long, or no rates to begin with.

    Returns the averaged equation where the level follows one, else None.
    """
    if level == "surrogate":
        check_copies(network)
    if level != "rate":
        return None
    from .averaged_run import check_starts

    equation = _equation(network, duration, dt)
    check_starts(equation, seeds if network.is_drawn else (1,))
    return equation


def _equation(network: Network, duration: float, dt: float) -> Any:
    """What the rate level follows; None where it goes from one look at the rates to the next."""
    from .averaged_run import equation_of
    from .sampled_run import has_holds

    check_equation(network)
    return None if has_holds(network) else equation_of(network, duration, dt)


def equation_at_hand(network: Network, duration: float, dt: float = DT) -> Any:
    """The averaged equation, for what it says of a run at any level; None where there is none, or where it is long to find, as for a recording."""
    if not has_copies(network):
        return None
    try:
        return _equation(network, duration, dt)
    except HebbscopeError:
        return None


def default_interval(network: Network, duration: float, dt: float = 0.0) -> float:
    """Between two records [s], where nobody says it: a multiple of the step dt, if there is one."""
    if 8 * network.recorded.n_synapses > LARGE_RECORD:
        return duration
    every = duration / N_RECORDS
    return dt * max(1, round(every / dt)) if dt else every


def record_times(duration: float, every: float) -> np.ndarray:
    """(n_times,) s: 0, every, 2 every, ..., and the end."""
    every = positive_argument("record_every", every, "s")
    if duration / every > MOST_RECORDS:
        raise ParameterError("simulate", "record_every", f"must make no more than {MOST_RECORDS:,} records", every)
    n = max(1, math.ceil(duration / every - 1e-9))
    return np.append(np.arange(n) * every, duration)


def positive_argument(
    name: str, value: Any, unit: str, most: float = np.finfo(float).max, function: str = "simulate"
) -> float:
    """The value in SI, taken from a number or a Brian2 quantity."""
    try:
        number = read_quantity(value, unit)
    except ValueError as problem:
        raise ParameterError(function, name, str(problem), value) from None
    if isinstance(value, str) or not 0.0 < number <= most:
        raise ParameterError(function, name, f"must be {'' if most == math.inf else 'finite and '}> 0 {unit}", value)
    return number


def _seeds(seeds: int | Iterable[int]) -> tuple[int, ...]:
    found = tuple(seeds) if isinstance(seeds, Iterable) else (seeds,)
    if not found or any(isinstance(s, bool) or not isinstance(s, (int, np.integer)) for s in found):
        raise ParameterError("simulate", "seeds", "must be whole numbers, at least one", seeds)
    if not all(0 <= s <= LARGEST_SEED for s in found):
        raise ParameterError("simulate", "seeds", f"must be from 0 to {LARGEST_SEED}", seeds)
    if len(set(found)) < len(found):
        raise ParameterError("simulate", "seeds", "must differ from each other", list(found))
    return tuple(int(s) for s in found)


def _threads(threads: int | None) -> int:
    if threads is None:
        return cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or threads < 1:
        raise ParameterError("simulate", "threads", "must be a whole number >= 1", threads)
    return int(threads)


def _windows(network: Network, wanted: Mapping | None, duration: float) -> dict[str, tuple[float, float]]:
    names = [each.name for each in network.populations]
    if wanted is None:
        begins = [max(0.0, duration - LAST_INPUTS) if each.is_input else 0.0 for each in network.populations]
        return {name: (begin, duration) for name, begin in zip(names, begins, strict=True)}
    if not isinstance(wanted, Mapping):
        raise ParameterError("simulate", "record_spikes", "must be {population: (from, to)}", wanted)
    for name in wanted:
        if name not in names:
            raise ParameterError("simulate", "record_spikes", f"must name populations among {', '.join(names)}", name)
    return {name: _window(window) for name, window in wanted.items()}


def _window(window: Any) -> tuple[float, float]:
    try:
        start, stop = (read_quantity(end, "s") for end in window)
    except (TypeError, ValueError):
        raise ParameterError("simulate", "record_spikes", "must be (from, to) in s", window) from None
    if not start <= stop:
        raise ParameterError("simulate", "record_spikes", "must be (from, to) in s, in order", window)
    return start, stop
