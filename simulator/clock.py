"""The clock-driven loop: any neuron, any wiring, delays and recurrence, in steps of dt.

The schedule of step k, which is at time t = k dt and stands for [t, t + dt):

    1. weights whose time for it has come are set to their norm
    2. neurons step; those that are refractory are held; those above threshold fire
    3. arriving spikes, those of the background first, then projection by projection: deliver the current weight, then `on_pre`
    4. back-propagating spikes, projection by projection: `on_post`
    5. the neurons that fired are reset
    6. rules that see potentials see those of their targets: `on_potentials`

What is delivered in step k moves a neuron in step k + 1, and a presynaptic spike goes before a postsynaptic one of the same step. A cell that fires in
step k is refractory for n_held steps, k to k + n_held - 1: in these its potential stands still and no delivery moves it. It is the order in
which Brian2 runs the same network with `(unless refractory)`, so that the two agree spike by spike.

Inputs run in continuous time between the steps, event by event as in the exact engine, so that a step without a spike draws nothing. A spike is
known to everybody by its place in the ring of its population, which keeps those of the last steps: delays are looked up there, and nothing is
queued. The neurons are in shards, each with the synapses onto it; within the shortest delay no shard needs another's spikes, so shards run that
many steps at a time, one after the other or on as many threads as there are, with the same result.

The loop goes from population to population twice in a step: to step the cells, and, when all that fire are known, for all that spikes do to one population and the
synapses onto it, projection by projection. One population's synapses and cells know nothing of another's, so that this is the schedule above.

A rule with a hook `settle` changes weights only when they are read: before a spike delivers them, and for whoever records. Synapses are asked of the
memory when the cells are stepped onto which spikes come by them, so that it has found them when they are wanted.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .event import next_candidate, reach_twin, record, set_norms, settle_all
from .meeting import meet
from .near import give_back, near
from .packing import opened, opened_at
from .protocols import helper
from .streams import uniforms

AHEAD = 16  # spikes of a projection whose synapses are asked for before they are wanted
BLOCK = 32  # neurons that are stepped in one go, and looked at one by one only where one of them fired
SHOWER = 256  # numbers of a background that are drawn in one go
EARLY = 1e-3  # of a step: a spike this close to the next step's time belongs to that step

DONE, FULL = 0, 1


class Ring(NamedTuple):
    """The spikes of a population in the last steps, in the order of the cells.

    i (depth, room) cell of each spike: those of shard s in step k are i[k & mask, first[k & mask, s] :][: number[k & mask, s]]
    number (depth, n_shards), or where there are several (depth, n_shards + 1): the last is that of all, once they are gathered at the front of i
    first (depth, n_shards); mask = depth - 1, where depth is a power of two
    """

    i: np.ndarray
    number: np.ndarray
    first: np.ndarray
    mask: int


class Source(NamedTuple):
    """An input population: its own state, its ring, and when its next candidate is coming (1,) [s], negative before the first."""

    inputs: Any
    ring: Ring
    coming: np.ndarray
    rng_input: np.ndarray
    rng_latent: np.ndarray


class CellParts(NamedTuple):
    """stepper of the cells, and for how many steps they are held, that of their spike among them; background: (port, what arrives by it) of each."""

    stepper: Any
    n_held: int
    background: tuple = ()


class Shower(NamedTuple):
    """What a part of the background draws from: a stream, and scratch (SHOWER,) for its next numbers."""

    rng: np.ndarray
    ahead: np.ndarray


class Cells(NamedTuple):
    """The cells of one population in one shard: low is the first, n how many; hit (n_blocks,) scratch; spikes (n,) so far; a shower for each part of the background."""

    state: Any
    ring: Ring
    shard: int
    low: int
    n: int
    hit: np.ndarray
    spikes: np.ndarray
    showers: tuple = ()


class Norm(NamedTuple):
    """What holds the norm of weights within their bounds, every so many steps."""

    normalisation: Any
    w_min: float
    w_max: float
    every: int


class LinkParts(NamedTuple):
    """What the loop calls for a projection. port: of the target's receptors.

    norms, twins, looks: none or one, so that where weights have no norm, trains no twin, and the rule sees no potentials, nothing is compiled for it.
    """

    rule: Any
    transmission: Any
    norms: tuple
    port: int
    twins: tuple
    looks: tuple


class Twins(NamedTuple):
    """The first n_pre trains of a source are what the rule sees, the others drive the cells."""

    n_pre: int


class Dendrites(NamedTuple):
    """Where what is delivered takes its time to reach the cells.

    cell (n_branches,) and wait (n_branches,) steps: of a branch; late (depth, n_post): what is on its way; mask = depth - 1, as of rings
    """

    cell: np.ndarray
    wait: np.ndarray
    late: np.ndarray
    mask: int


class Link(NamedTuple):
    """A projection's synapses onto the cells of one shard.

    lag (n_lags,) steps of axonal delay; fibre (n_lags, n_trains): what the rule knows a train with this delay as, -1: no such synapses; (1, 0): all as themselves
    back (n_backs,) steps of dendritic delay; branch (n_backs, n_post): what the rule knows a target with this delay as, -1: none
    dendrites: none where what is delivered is there at once, or one
    norm: what the normalisation remembers
    """

    w: Any
    rule: Any
    source: Ring
    lag: np.ndarray
    fibre: np.ndarray
    back: np.ndarray
    branch: np.ndarray
    dendrites: tuple
    norm: Any


class TargetParts(NamedTuple):
    """What the loop calls for a population, and for the projections onto it, kind by kind."""

    cells: CellParts
    links: tuple


class Target(NamedTuple):
    """The cells of one population in one shard, and all synapses onto them, kind by kind."""

    cells: Cells
    links: tuple


class Receivers(NamedTuple):
    """The cells of a shard, as a spike that reaches their synapses in step k sees them."""

    stepper: Any
    state: Any
    parts: LinkParts
    dendrites: tuple
    k: int

    def take(self, w, j, n):
        amount = self.parts.transmission.amount(w, j, n)
        hand_over(self.stepper, self.state, self.parts.port, self.dendrites, self.k, w.post(j, n), amount)


class Parts(NamedTuple):
    """What the loop calls, kind by kind; dt [s]; window: steps that a shard runs alone; n_shards: how many there are.

    Neighbours in the network that are of one type are of one kind: they are in one tuple, and the loop is compiled for them once.
    """

    inputs: tuple
    targets: tuple
    dt: float
    window: int
    n_shards: int


class State(NamedTuple):
    """All that changes in a run of one seed, but for its shards.

    sources, heard (of the populations that are listened to: ring, recorder, how many cells): kind by kind, as in Parts
    done (1,): how many steps are; status (1,): what the first thread says to all; gate (1,): where threads meet, 0 before they start
    counted (n_populations,): output spikes at the last whole second
    """

    sources: tuple
    heard: tuple
    done: np.ndarray
    status: np.ndarray
    gate: np.ndarray
    counted: np.ndarray


@helper
def place(ring, k):
    """Where the spikes of step k are in a ring; unsigned, so that nobody asks whether it counts from the end."""
    return np.uintp(k & ring.mask)


@helper
def n_gathered(ring, slot):
    """How many spikes of all shards there are at a place, one after the other."""
    return ring.number[slot, np.uintp(ring.number.shape[1] - 1)]


@helper
def fibre_of(link, d, train):
    """What the rule knows a source's train with the d-th delay as; itself where all delays are one and no train is a twin's."""
    return link.fibre[np.uintp(d), train] if link.fibre.shape[1] > 0 else np.int64(train)


# Inputs -------------------------------------------------------------------------------------------------------------


@helper
def draw_inputs(inputs, sources, dt, begin, end):
    """The spikes of every input population in steps begin to end, into their rings."""
    if len(sources) > 0:
        for m in range(len(sources[0])):
            draw_input(inputs[0][m], sources[0][m], dt, begin, end)
        draw_inputs(inputs[1:], sources[1:], dt, begin, end)


@helper
def draw_input(part, source, dt, begin, end):
    """The spikes of one input population in steps begin to end: event by event, each into the step that it falls in."""
    rng = near(source.rng_input)
    ring, burst = source.ring, len(source.inputs.sources)
    room, per_step = ring.i.shape[1] - burst, 1.0 / dt
    for k in range(begin, end):
        ring.number[place(ring, k), 0] = 0
    k, n, coming = begin, 0, source.coming[0]
    if coming < 0.0:
        coming = next_candidate(part, source.inputs, 0.0, rng)
    woken = part.next_wake(source.inputs)
    until = (end - EARLY) * dt
    while min(coming, woken) < until:
        t = min(coming, woken)
        now = int(t * per_step + EARLY)
        n, k = n if now <= k else 0, max(k, now)
        if n > room:  # a step that is full gives what is left to the next
            n, k = 0, k + 1
        if k == end:
            break
        slot = place(ring, k)
        if t == coming:
            count = part.draw(source.inputs, t, rng, source.rng_latent)
        else:
            count = part.wake(source.inputs, t, rng, source.rng_latent)
            woken = part.next_wake(source.inputs)
        coming = next_candidate(part, source.inputs, t, rng)
        for c in range(count):
            ring.i[slot, np.uintp(n + c)] = source.inputs.sources[c]
        n += count
        ring.number[slot, 0] = n
    source.coming[0] = coming
    give_back(source.rng_input, rng)


# One step of a shard ------------------------------------------------------------------------------------------------


@helper
def fire_all(parts, targets, k, t):
    """Set weights to their norm and step the cells of every population; those that fire are in the rings."""
    if len(targets) > 0:
        for m in range(len(targets[0])):
            part, target = parts[0][m], targets[0][m]
            prepare_all(part.links, target.cells, target.links, k, t)
            integrate(part.cells, target.cells, k)
            bombard(part.cells.background, part.cells.stepper, target.cells.showers, target.cells)
        fire_all(parts[1:], targets[1:], k, t)


@helper
def exchange_all(parts, targets, k, t):
    """What the spikes of step k and of steps before do to the cells of every population and to the synapses onto them."""
    if len(targets) > 0:
        for m in range(len(targets[0])):
            part, target = parts[0][m], targets[0][m]
            spread_all(part.cells.stepper, part.links, target.cells, target.links, k, t)
            reset(part.cells, target.cells, k)
            look_all(part.links, target.cells, target.links, t)
        exchange_all(parts[1:], targets[1:], k, t)


@helper
def prepare_all(parts, cells, links, k, t):
    """Ask for the synapses that are wanted in step k, and set weights to their norm, of every projection onto one population."""
    if len(links) > 0:
        for m in range(len(links[0])):
            fetch_first(links[0][m], k)
            normalise(parts[0][m].norms, parts[0][m].rule, links[0][m], cells.spikes, k, t)
        prepare_all(parts[1:], cells, links[1:], k, t)


@helper
def spread_all(stepper, parts, cells, links, k, t):
    """The spikes that reach the synapses of every projection onto one population, from both sides."""
    if len(links) > 0:
        for m in range(len(links[0])):
            arrive(stepper, parts[0][m], cells, links[0][m], k, t)
            come_down(stepper, parts[0][m].port, cells, links[0][m].dendrites, k)
            learn(parts[0][m].rule, cells, links[0][m], k, t)
        spread_all(stepper, parts[1:], cells, links[1:], k, t)


@helper
def look_all(parts, cells, links, t):
    """What every rule that sees potentials sees at the end of a step."""
    if len(links) > 0:
        for m in range(len(links[0])):
            look(parts[0][m].looks, parts[0][m].rule, cells, links[0][m], t)
        look_all(parts[1:], cells, links[1:], t)


@helper
def normalise(norms, rule, link, spikes, k, t):
    """Settle the weights of one projection and set them to their norm, if it has one, in steps that are multiples of `every`."""
    if len(norms) > 0 and k > 0 and k % norms[0].every == 0:
        settle_all(rule, link.rule, link.w, t)
        set_norms(norms[0], link.norm, link.w, spikes)


@helper
def integrate(parts, cells, k):
    """Step the cells of one population, hold the refractory, and find those that fire."""
    stepper, state, ring = parts.stepper, cells.state, cells.ring
    if parts.n_held > 0:  # what arrived in their last held step is lost, as in those before
        hold_fired(stepper, cells, k - parts.n_held)
    last, any_hit = len(cells.hit) - 1, False
    for b in range(last):
        hit = False
        for m in range(BLOCK):  # so often is known when this is compiled, as in a helper for both loops it is not
            i = np.uintp(b * BLOCK + m)
            stepper.update(state, i)
            hit |= stepper.fires(state, i)
        cells.hit[b] = hit
        any_hit |= hit
    hit = False
    for m in range(last * BLOCK, cells.n):
        i = np.uintp(m)
        stepper.update(state, i)
        hit |= stepper.fires(state, i)
    cells.hit[last] = hit
    any_hit |= hit
    for ago in range(1, parts.n_held):
        hold_fired(stepper, cells, k - ago)
    slot, first, count = place(ring, k), cells.low, 0
    for b in range(len(cells.hit) if any_hit else 0):  # of a few cells hardly ever one fires
        if cells.hit[b]:
            low = b * BLOCK
            for n in range(min(BLOCK, cells.n - low)):
                i = np.uintp(low + n)
                if stepper.fires(state, i):
                    ring.i[slot, np.uintp(first + count)] = cells.low + low + n
                    count += 1
    ring.number[slot, cells.shard], ring.first[slot, cells.shard] = count, first


@helper
def hold_fired(stepper, cells, k):
    """Hold the cells of one population that fired in step k."""
    ring = cells.ring
    slot = place(ring, k)
    first = ring.first[slot, cells.shard]
    for q in range(ring.number[slot, cells.shard]):
        stepper.hold(cells.state, np.uintp(ring.i[slot, np.uintp(first + q)] - cells.low))


@helper
def bombard(background, stepper, showers, cells):
    """What each part of the background delivers in one step to the cells of one population."""
    if len(background) > 0:
        port, arrivals = background[0]
        ahead = showers[0].ahead
        for low in range(0, cells.n, SHOWER):
            n = min(SHOWER, cells.n - low)
            uniforms(showers[0].rng, ahead, n)
            for m in range(n):
                stepper.receive(cells.state, port, np.uintp(low + m), arrivals.chosen(ahead[np.uintp(m)]))
        bombard(background[1:], stepper, showers[1:], cells)


@helper
def fetch_first(link, k):
    """Ask for the synapses of the first spikes of one projection that reach their synapses in step k."""
    for d in range(len(link.lag)):
        slot = place(link.source, k - link.lag[d])
        for q in range(min(AHEAD, n_gathered(link.source, slot))):
            fetch(link, d, slot, q)


@helper
def fetch(link, d, slot, q):
    """Ask for the synapses of the q-th spike at a place."""
    j = fibre_of(link, d, np.uintp(link.source.i[slot, np.uintp(q)]))
    if j >= 0:
        link.w.fetch(j)


@helper
def arrive(stepper, parts, cells, link, k, t):
    """The spikes of one projection that reach their synapses in step k: settle, deliver, learn."""
    ring = link.source
    parts.rule.advance(link.rule, link.w, t)
    for d in range(len(link.lag)):
        slot = place(ring, k - link.lag[d])
        n_spikes = n_gathered(ring, slot)
        for q in range(n_spikes):
            if q + AHEAD < n_spikes:
                fetch(link, d, slot, q + AHEAD)
            train = np.uintp(ring.i[slot, np.uintp(q)])
            j = fibre_of(link, d, train)
            if j >= 0:
                parts.transmission.settle_others(parts.rule, link.rule, link.w, j, t)
                receivers = Receivers(stepper, cells.state, parts, link.dendrites, k)
                reach(parts.rule, parts.twins, receivers, link, t, train, j)


@helper
def reach(rule, twins, cells, link, t, train, j):
    """A spike of a train at the synapses of fibre j."""
    if len(twins) > 0:
        reach_twin(rule, link.rule, link.w, j, t, cells, train < twins[0].n_pre)
    else:
        rule.relay(link.rule, link.w, j, t, cells)


@helper
def hand_over(stepper, state, port, dendrites, k, i, amount):
    """What is delivered to branch i, at once or down the dendrite."""
    if len(dendrites) > 0:
        way = dendrites[0]
        way.late[np.uintp((k + way.wait[i]) & way.mask), way.cell[i]] += amount
    else:
        stepper.receive(state, port, i, amount)


@helper
def come_down(stepper, port, cells, dendrites, k):
    """What was sent down the dendrites and reaches the cells in step k."""
    if len(dendrites) > 0:
        late, slot = dendrites[0].late, np.uintp(k & dendrites[0].mask)
        for i in range(late.shape[1]):
            stepper.receive(cells.state, port, i, late[slot, i])
            late[slot, i] = 0.0


@helper
def learn(rule, cells, link, k, t):
    """The spikes of the targets of one projection that reach their synapses in step k."""
    ring = cells.ring
    for d in range(len(link.back)):
        slot = place(ring, k - link.back[d])
        first = ring.first[slot, cells.shard]
        for q in range(ring.number[slot, cells.shard]):
            i = link.branch[d, ring.i[slot, np.uintp(first + q)] - cells.low]
            if i >= 0:
                rule.on_post(link.rule, link.w, i, t)


@helper
def reset(parts, cells, k):
    """Reset the cells of one population that fired."""
    ring = cells.ring
    slot = place(ring, k)
    first = ring.first[slot, cells.shard]
    for q in range(ring.number[slot, cells.shard]):
        i = np.uintp(ring.i[slot, np.uintp(first + q)] - cells.low)
        parts.stepper.reset(cells.state, i)
        cells.spikes[i] += 1


@helper
def look(looks, rule, cells, link, t):
    """What the rule of one projection sees, if it sees potentials."""
    if len(looks) > 0:
        rule.on_potentials(link.rule, link.w, cells.state.v, t)


@helper
def run_shard(parts, targets, begin, end):
    """Steps begin to end of one shard."""
    for k in range(begin, end):
        t = k * parts.dt
        fire_all(parts.targets, targets, k, t)
        exchange_all(parts.targets, targets, k, t)


# All shards ---------------------------------------------------------------------------------------------------------


@helper
def any_full(heard, window):
    """Whether a buffer of spikes might not hold those of another window."""
    if len(heard) > 0:
        for m in range(len(heard[0])):
            ring, recorder, _ = heard[0][m]
            if recorder.count[0] + window * ring.i.shape[1] > len(recorder.t):
                return True
        return any_full(heard[1:], window)
    return False


@helper
def gather_all(targets, begin, end):
    """Bring together what the shards fired in steps begin to end, population by population."""
    if len(targets) > 0:
        for m in range(len(targets[0])):
            ring = targets[0][m].cells.ring
            if ring.number.shape[1] > 1:
                for k in range(begin, end):
                    gather(ring, place(ring, k))
        gather_all(targets[1:], begin, end)


@helper
def gather(ring, slot):
    """Close the gaps between the spikes of the shards at a place."""
    n = 0
    for s in range(ring.first.shape[1]):
        first = ring.first[slot, s]
        ring.first[slot, s] = n
        for q in range(ring.number[slot, s]):
            ring.i[slot, np.uintp(n)] = ring.i[slot, np.uintp(first + q)]
            n += 1
    ring.number[slot, ring.first.shape[1]] = n


@helper
def listen_all(heard, dt, begin, end):
    """Copy the spikes of steps begin to end of the populations that are listened to."""
    if len(heard) > 0:
        for m in range(len(heard[0])):
            listen(heard[0][m], dt, begin, end)
        listen_all(heard[1:], dt, begin, end)


@helper
def listen(heard, dt, begin, end):
    """Copy the spikes of steps begin to end of one population."""
    ring, recorder, n = heard
    if end * dt <= recorder.window[0] or recorder.window[1] <= begin * dt:
        return
    for k in range(begin, end):
        slot = place(ring, k)
        for q in range(n_gathered(ring, slot)):
            i = ring.i[slot, np.uintp(q)]
            if i < n:  # and not of a twin
                record(recorder, k * dt, i)


def advance(parts, state, shards, k_end, thread, n_threads):
    """Run one seed up to (not including) step k_end; returns DONE or FULL (a buffer of spikes wants emptying).

    Each of n_threads calls this at once with its number; the first draws the inputs and listens, and shards are dealt out in turn.
    """
    parts, state = opened(parts), opened(state)
    begin = state.done[0]
    while begin < k_end:
        end = min(k_end, begin + parts.window)
        if thread == 0:
            state.status[0] = FULL if any_full(state.heard, parts.window) else DONE
            draw_inputs(parts.inputs, state.sources, parts.dt, begin, end if state.status[0] == DONE else begin)
        meet(state.gate, n_threads)
        if state.status[0] == FULL:
            return FULL
        for s in range(thread, parts.n_shards, n_threads):
            run_shard(parts, opened_at(shards, s), begin, end)
        meet(state.gate, n_threads)
        if thread == 0:
            gather_all(opened_at(shards, 0), begin, end)
            listen_all(state.heard, parts.dt, begin, end)
            state.done[0] = end
        begin = end
    return DONE
