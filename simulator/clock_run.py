"""Runs the clock-driven loop: lays a network out as rings, cells and links, one state per seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import chain, pairwise
from typing import Any, NamedTuple

import numpy as np

from . import clock
from .compile import content_hash, loop_of
from .dispatch import classes_of
from .event import Recorder
from .network import Network, Population, Projection
from .packing import must_be_numbers
from .precision import as_is, narrowed
from .protocols import MOST_STEPS, ParameterError, bounds_of, looks_around, receptors_of, sees_potentials
from .results import Spikes
from .streams import start
from .synapses import initial_state, settled, sparse_synapses, synapses

BUFFER = 65536  # spikes that a recorder holds before it is emptied
WINDOW = 64  # steps whose inputs are drawn in one go
ROOM = 4  # times the cells of an input: the spikes of one step that its ring has room for, beyond a few and a burst
A_FEW = 16
CELLS_PER_SHARD = 4096  # their state, and what is known of them to a rule, stays in a core's own cache
MOST_SHARDS = 16


class Share(NamedTuple):
    """The synapses of a projection in one shard, in the order (fibre, branch).

    order (n,): which synapse of the wiring each is; fibre (n,) of each, and branch (n,), counted from the first of the shard's branches; branches: which these are
    """

    order: np.ndarray
    fibre: np.ndarray
    branch: np.ndarray
    branches: slice


class Layout(NamedTuple):
    """The synapses of a projection as its rule sees them.

    A fibre is a source with one axonal delay, a branch a target with one dendritic delay; where all delays are one they are sources and targets.
    shares: of each shard
    lag (n_lags,) steps; fibre_of (n_lags, n_pre), or (1, 0): as themselves; back (n_backs,) steps; branch_of (n_backs, n_post)
    cell, wait (n_branches,): target and dendritic delay of a branch
    """

    shares: list[Share]
    n_fibres: int
    lag: np.ndarray
    fibre_of: np.ndarray
    back: np.ndarray
    branch_of: np.ndarray
    cell: np.ndarray
    wait: np.ndarray


def in_steps(projection: Projection, field: str, dt: float) -> np.ndarray:
    """(n_synapses,) or (1,): a projection's delays as the nearest numbers of steps, half of one up; ParameterError for one that would vanish or never end."""
    delays = np.atleast_1d(np.asarray(getattr(projection, field), dtype=float))
    _check_length(f"Projection {projection.name}", field, float(delays.max()), dt)
    steps = np.floor(delays / dt + 0.5).astype(np.int64)
    short = (steps == 0) & (delays > 0.0)
    if short.any():
        raise ParameterError(
            f"Projection {projection.name}",
            field,
            f"must be 0 or at least half of dt = {dt:g} s",
            float(delays[short][0]),
        )
    return steps


def _check_length(part: str, field: str, t: float, dt: float) -> None:
    """ParameterError for a time [s] that is more steps than a ring holds."""
    if t / dt > MOST_STEPS:
        raise ParameterError(part, field, f"must be at most {MOST_STEPS:,} steps of dt = {dt:g} s", t)


def numbered(cells: np.ndarray, steps: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Number the pairs of a cell and a delay: of each synapse (n_synapses,), the delays, a table (n_delays, n), -1 where there is none, and the
    first synapse of each pair."""
    values, which = np.unique(steps, return_inverse=True)
    if len(values) == 1:
        return cells, values, np.arange(n)[None], np.zeros(n, np.int64)
    keys, first, numbers = np.unique(cells * len(values) + which, return_index=True, return_inverse=True)
    table = np.full((len(values), n), -1)
    table[keys % len(values), keys // len(values)] = np.arange(len(keys))
    return numbers, values, table, first


def layout(projection: Projection, dt: float, n_shards: int) -> Layout:
    """How the synapses of a projection are laid out for a step of dt [s], in so many shards."""
    pre, post = projection.wiring
    n_pre, n_post = projection.source.n, projection.target.n
    fibre, lag, fibre_of, _ = numbered(pre, in_steps(projection, "delay", dt), n_pre)
    downwards = in_steps(projection, "dendritic_delay", dt)
    branch, back, branch_of, first = numbered(post, downwards, n_post)
    uniform = len(back) == 1
    cell = np.arange(n_post) if uniform else post[first]
    wait = np.full(n_post, back[0]) if uniform else downwards[first]
    as_wired = len(lag) == 1 and uniform
    order = np.arange(len(pre)) if as_wired else np.lexsort((branch, fibre))
    n_fibres = n_pre if len(lag) == 1 else int(fibre.max()) + 1
    as_themselves = np.zeros((1, 0), np.int64) if len(lag) == 1 else fibre_of
    shares = []
    for s in range(n_shards):
        low, high = np.searchsorted(cell, bounds(n_post, s, n_shards))
        here = order[(branch[order] >= low) & (branch[order] < high)]
        shares.append(Share(here, fibre[here], branch[here] - low, slice(low, high)))
    return Layout(shares, n_fibres, lag, as_themselves, back, branch_of, cell, wait)


def layouts(network: Network, dt: float) -> dict[str, Layout]:
    """How the synapses of every projection are laid out for a step of dt [s]."""
    n_shards, _ = sharing(network, dt)
    return {each.name: layout(each, dt, n_shards) for each in network.projections}


def bounds(n: int, s: int, n_shards: int) -> tuple[int, int]:
    """The first cell of a shard, of n, and that of the next."""
    return n * s // n_shards, n * (s + 1) // n_shards


def by_kind(*lists: Sequence[Any]) -> list[tuple[tuple, ...]]:
    """Lists of one length, each as a tuple of tuples: neighbours that are of one type to numba in every list come into one."""
    from numba import typeof

    for each in chain(*lists):
        must_be_numbers(each)
    types = [tuple(map(typeof, each)) for each in zip(*lists, strict=True)]
    edges = [k for k in range(len(types) + 1) if k in (0, len(types)) or types[k] != types[k - 1]]
    return [tuple(tuple(each[low:high]) for low, high in pairwise(edges)) for each in lists]


class ClockRun:
    """One seed in the clock-driven loop: its parts, its state, and the spikes that are listened to."""

    restless = False  # spikes come to no rest

    def __init__(
        self,
        network: Network,
        seed: int,
        level: str,
        windows: Mapping[str, tuple[float, float]],
        dt: float,
        *,
        max_rate: float = np.inf,
        threads: int = 1,
        precision: str = "double",
        laid: Mapping[str, Layout] | None = None,
    ):
        """laid: what `layouts` says, where several seeds share it."""
        self.network, self.seed, self.windows, self.dt, self.ran_away = network, seed, windows, dt, False
        self.max_rate, self.precision, self.precise = max_rate, precision, narrowed if precision == "single" else as_is
        self.copies = 2 if level == "surrogate" else 1
        self.targets = [each for each in network.populations if not each.is_input]
        self.layouts = laid or layouts(network, dt)
        self.n_shards, self.window = sharing(network, dt)
        self.threads = min(threads, self.n_shards)
        self.rings = {each.name: self._ring(each) for each in network.populations}
        self.steppers = {each.name: self.precise(each.model.stepper(dt)) for each in self.targets}
        self.cells = [{each.name: self._cells(each, s) for each in self.targets} for s in range(self.n_shards)]
        self.links = {each.name: self._links(each) for each in network.projections}
        self.listened = [self._listened(name, window) for name, window in windows.items()]
        inputs = [each for each in network.populations if each.is_input]
        models, sources = by_kind([each.model for each in inputs], [self._source(each) for each in inputs])
        targets, *shards = by_kind(*zip(*map(self._target, self.targets), strict=True))
        self.parts, self.shards = clock.Parts(models, targets, dt, self.window, self.n_shards), tuple(shards)
        self.state = clock.State(
            sources=sources,
            heard=by_kind(self.listened)[0],
            done=np.zeros(1, np.int64),
            status=np.zeros(1, np.int64),
            gate=np.zeros(1, np.int64),
            counted=np.zeros(len(self.targets), np.int64),
        )
        self.heard: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in windows}
        self.loop = loop_of(clock.advance, self.parts, self.state, self.shards)

    # Laying out ----------------------------------------------------------------------------------------------------

    def _ring(self, population: Population) -> clock.Ring:
        lags = [self.layouts[each.name].lag.max() for each in self.network.projections if each.source is population]
        backs = [self.layouts[each.name].back.max() for each in self.network.projections if each.target is population]
        depth = 1 << int(self.window + max([*lags, *backs, held_steps(population, self.dt), 0])).bit_length()
        n, n_shards = population.n, 1 if population.is_input else self.n_shards
        room = A_FEW + (ROOM + self.copies) * n if population.is_input else n
        number = np.zeros((depth, n_shards + (n_shards > 1)), np.int64)
        return clock.Ring(np.zeros((depth, room), np.int32), number, np.zeros((depth, n_shards), np.int64), depth - 1)

    def _source(self, population: Population) -> clock.Source:
        streams = (start(self.seed, f"{name}/{population.name}") for name in ("input", "latent"))
        inputs = population.model.init(population.n, self.copies)
        return clock.Source(inputs, self.rings[population.name], np.array([-1.0]), *streams)

    def _listened(self, name: str, window: tuple[float, float]) -> tuple[clock.Ring, Recorder, int]:
        ring = self.rings[name]
        n = next(each.n for each in self.network.populations if each.name == name)
        return ring, _buffer(window, ring, self.window), n

    def _target(self, population: Population) -> list[Any]:
        """What the loop calls for a population and the projections onto it, and their state in each shard."""
        onto = [each for each in self.network.projections if each.target is population]
        parts, *links = by_kind(
            [self._link_parts(each) for each in onto],
            *([self.links[each.name][s] for each in onto] for s in range(self.n_shards)),
        )
        cells = [each[population.name] for each in self.cells]
        return [clock.TargetParts(self._cell_parts(population), parts), *map(clock.Target, cells, links)]

    def _cell_parts(self, population: Population) -> clock.CellParts:
        ports = receptors_of(population.model)
        background = [(ports.index(port), each.arrivals(self.dt)) for port, each in population.background.items()]
        return clock.CellParts(self.steppers[population.name], held_steps(population, self.dt), tuple(background))

    def _cells(self, population: Population, s: int) -> clock.Cells:
        ring, stepper = self.rings[population.name], self.steppers[population.name]
        low, high = bounds(population.n, s, self.n_shards)
        n = high - low
        state = self.precise(stepper.init(n, start(self.seed, f"neuron/{population.name}", s)))
        for name, values in population.start(self.seed).items():
            getattr(state, name)[:] = values[low : low + n]
        hit = np.zeros(max(1, -(-n // clock.BLOCK)), np.bool_)  # a shard may have none of a few cells
        streams = [start(self.seed, f"background/{population.name}/{port}", s) for port in population.background]
        showers = tuple(clock.Shower(stream, np.zeros(clock.SHOWER)) for stream in streams)
        return clock.Cells(state, ring, s, low, n, hit, np.zeros(n, np.int64), showers)

    def _link_parts(self, projection: Projection) -> clock.LinkParts:
        return clock.LinkParts(
            self.precise(projection.learner),
            self.precise(projection.transmission),
            self._norms(projection),
            receptors_of(projection.target.model).index(projection.receptor),
            (clock.Twins(projection.source.n),) if self._has_twins(projection) else (),
            (True,) if sees_potentials(projection.rule) else (),
        )

    def _norms(self, projection: Projection) -> tuple:
        every = projection.normalisation.every
        if every == np.inf:
            return ()
        norm = clock.Norm(projection.normalisation, *bounds_of(projection.rule), round(every / self.dt))
        return (self.precise(norm),)

    def _has_twins(self, projection: Projection) -> bool:
        return self.copies == 2 and projection.source.is_input

    def _links(self, projection: Projection) -> list[clock.Link]:
        """In each shard."""
        initial, shares = projection.initial_values(self.seed), self.layouts[projection.name].shares
        cells = [each[projection.target.name] for each in self.cells]
        return [self._link(projection, *one, initial) for one in zip(shares, cells, strict=True)]

    def _link(self, projection: Projection, share: Share, cells: clock.Cells, initial: np.ndarray) -> clock.Link:
        laid, rule = self.layouts[projection.name], projection.rule
        fibre, branch, low, n = share.fibre, share.branch, share.branches.start, len(laid.cell[share.branches])
        if projection.n_synapses == laid.n_fibres * len(laid.cell):
            w: Any = synapses(initial[share.order].reshape(laid.n_fibres, n).T, rule)
        else:
            others = laid.n_fibres, n, rule, projection.normalisation
            w = sparse_synapses(fibre, branch, initial[share.order], *others)
        fibre_of = laid.fibre_of
        if self._has_twins(projection):
            fibre_of = np.tile(fibre_of if fibre_of.size else np.arange(projection.source.n)[None], (1, 2))
        branch_of = laid.branch_of[:, cells.low : cells.low + cells.n]
        return clock.Link(
            w=self.precise(w),
            rule=self.precise(
                initial_state(projection.learner, laid.n_fibres, n, (self.seed, projection.name, cells.shard), self.dt)
            ),
            source=self.rings[projection.source.name],
            lag=laid.lag,
            fibre=fibre_of,
            back=laid.back,
            branch=np.where(branch_of >= 0, branch_of - low, -1),
            dendrites=self._dendrites(laid, share.branches, cells),
            norm=self.precise(projection.normalisation.init(laid.n_fibres, n)),
        )

    def _dendrites(self, laid: Layout, branches: slice, cells: clock.Cells) -> tuple:
        if not laid.wait.any():
            return ()
        depth = 1 << int(laid.wait.max()).bit_length()
        cell, wait = laid.cell[branches] - cells.low, laid.wait[branches].copy()
        return (self.precise(clock.Dendrites(cell, wait, np.zeros((depth, cells.n)), depth - 1)),)

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """The threads beside that of the caller; they end with the run."""
        return ThreadPoolExecutor(self.threads - 1)

    # Running -------------------------------------------------------------------------------------------------------

    @property
    def kept(self) -> tuple[clock.State, tuple]:
        """What a checkpoint keeps: all but the buffers of spikes, which are empty between calls."""
        return self.state._replace(heard=()), self.shards

    @property
    def sources(self) -> str:
        """A hash of the files that decide on what the loop does."""
        return content_hash(clock.advance, tuple(classes_of((self.parts, self.state, self.shards))))

    @property
    def about(self) -> dict[str, Any]:
        return {"engine": "clock", "dt": self.dt, "precision": self.precision}

    @property
    def time(self) -> float:
        return int(self.state.done[0]) * self.dt

    @property
    def weights(self) -> np.ndarray:
        """Of the projection that is recorded: (n_post, n_pre), or (1, n_synapses)."""
        return np.atleast_2d(self.weights_of(self.network.recorded))

    def weights_of(self, projection: Projection) -> np.ndarray:
        """(n_post, n_pre) for all-to-all synapses, else (n_synapses,) in the order of the wiring."""
        rule, values = self.precise(projection.learner), np.empty(projection.n_synapses)
        for link, share in zip(self.links[projection.name], self.layouts[projection.name].shares, strict=True):
            values[share.order] = settled(rule, link.rule, link.w, self.time).by_source()
        return values.reshape(projection.source.n, -1).T.copy() if projection.is_dense else values

    @property
    def other_weights(self) -> dict[str, np.ndarray]:
        """Of all other projections that learn, likewise."""
        others = (each for each in self.network.learning if each is not self.network.recorded)
        return {each.name: np.atleast_2d(self.weights_of(each)) for each in others}

    @property
    def outputs(self) -> np.ndarray:
        """(n_post,) output spikes so far of the targets of the projection that is recorded."""
        return self.spikes_of(self.network.recorded.target)

    def spikes_of(self, population: Population) -> np.ndarray:
        """(n,) spikes so far of a population that is no input."""
        return np.concatenate([cells[population.name].spikes for cells in self.cells])

    def variable_of(self, population: Population, name: str) -> np.ndarray:
        """(n,) a variable of the cells of a population, of those that its model lets be monitored."""
        return np.concatenate([getattr(cells[population.name].state, name) for cells in self.cells])

    def to(self, t: float) -> bool:
        """Go on to the step at time t [s]; False when a population fired faster than max_rate all through a second."""
        end, second = round(t / self.dt), max(1, round(1.0 / self.dt))
        self._advance(int(self.state.done[0]))  # gets nowhere, but compiles what is new
        while not self.ran_away and (done := int(self.state.done[0])) < end:
            until = min(end, (done // second + 1) * second)
            while self._advance(until) == clock.FULL:
                self._empty()
            self._empty()
            if until % second == 0:
                self._guard()
        return not self.ran_away

    def _guard(self) -> None:
        """Compare the spikes of the last whole second with the most that there may be."""
        for k, population in enumerate(self.targets):
            so_far = int(self.spikes_of(population).sum())
            self.ran_away |= so_far - self.state.counted[k] > self.max_rate * population.n
            self.state.counted[k] = so_far

    def _advance(self, end: int) -> int:
        """One call of the loop by every thread."""
        self.state.gate[0] = 0
        if self.threads == 1:
            return self.loop(end, 0, 1)
        others = [self.pool.submit(self.loop, end, thread, self.threads) for thread in range(1, self.threads)]
        return max(self.loop(end, 0, self.threads), *(each.result() for each in others))

    def _empty(self) -> None:
        for name, (_, recorder, _) in zip(self.windows, self.listened, strict=True):
            if n := int(recorder.count[0]):
                self.heard[name].append((recorder.t[:n].copy(), recorder.i[:n].copy()))
                recorder.count[0] = 0

    def take_spikes(self) -> dict[str, Spikes]:
        """What was heard since the last call."""
        taken = {}
        for name, pieces in self.heard.items():
            t, i = ([each[k] for each in pieces] for k in (0, 1))
            taken[name] = Spikes(np.concatenate([np.empty(0), *t]), np.concatenate([np.empty(0, np.int64), *i]))
            pieces.clear()
        return taken


def held_steps(population: Population, dt: float) -> int:
    """For how many steps the cells of a population are held, that of their spike among them: the nearest number, where Brian2 cuts down."""
    refractory = getattr(population.model, "refractory", 0.0)
    _check_length(f"Population {population.name}", "refractory", refractory, dt)
    steps = round(refractory / dt)
    if steps == 0 and refractory > 0.0:
        name = f"Population {population.name}"
        raise ParameterError(name, "refractory", f"must be 0 or more than half of dt = {dt:g} s", refractory)
    return steps


def sharing(network: Network, dt: float) -> tuple[int, int]:
    """Into how many shards the neurons go, and for how many steps of dt [s] one may run without the others' spikes.

    The number follows from the network alone, so that results do not depend on the threads: one shard where no delay keeps shards apart, or where a rule of
    rates looks at all targets.
    """
    n_cells = sum(each.n for each in network.populations if not each.is_input)
    lags = [int(in_steps(each, "delay", dt).min()) for each in network.projections if not each.source.is_input]
    apart = min(lags, default=WINDOW)
    together = apart == 0 or any(looks_around(each.rule) for each in network.projections)
    n_shards = 1 if together else min(max(n_cells // CELLS_PER_SHARD, 1), MOST_SHARDS)
    return (n_shards, apart) if n_shards > 1 else (1, WINDOW)


def _buffer(window: tuple[float, float], ring: clock.Ring, steps: int) -> Recorder:
    size = BUFFER + steps * ring.i.shape[1]
    return Recorder(np.empty(size), np.empty(size, np.int64), np.zeros(1, np.int64), np.array(window, dtype=float))
