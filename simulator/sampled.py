"""The sampled rate loop: rates that stand still, one hold after another, and the rules' mean change in each, in a network of any wiring.

A hold lasts from one change (a new pattern, a normalisation) to the next, and no longer than a step where rates vary, or where no input shows patterns. In it
the rates x of all sources stand still, of inputs and of cells, and so does each cell's mean rate

    y_i = answering.mean_rate(arriving_i, power_i, low_i, log_lag_i),   arriving_i = sum_j q_ij x_j,   power_i = sum_j q_ij^2 x_j,

q_ij being how far a spike of j moves i with the weights at the start of the hold, low_i = 0 where all of them excite (else -inf), and log_lag_i the mean
logarithm of the time [s] that synapses take, by their power; what arrives from outside of the network counts, too. Of Poisson neurons that is the
f-I curve smoothed by the shot noise of Poisson spikes [derived: Campbell's theorem], taken as Gaussian, or the f-I curve itself where the
potential never leaves its linear part; of others what they know of themselves under noise. Where cells drive each other in circles, y is among the x that it comes
from, and is looked for once in a hold, from the rates of the hold before (`come_to_rest`).

A rule's `on_rates` then changes the weights by its mean drift at (x, y) over the hold,
and carries its own slow traces over to the next. What is left out is everything that single spikes add, their correlations in time and their coming together, the
potential's memory over a change of pattern, delays, and the fluctuation of the weights.

It draws the same patterns in the same order as the spike level with the same seed: patterns come from each input's `latent` stream. A
call ends at t_end with the holds that are over by then learned; how a run is cut into calls leaves no mark on it.

Populations and projections are kept kind by kind, as in the clock-driven loop: those that are of one type to numba are in one tuple.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .event import set_norms
from .packing import opened
from .protocols import helper

DONE, RUNAWAY, RESTLESS = 0, 2, 3
NOW, LOOK = 0, 1
AT_REST = 1e-11  # by how much rates may miss what comes of them, in sum, relative to the sum of all
PATIENT, MOST = 1000, 30_000  # how often rates are tried with steps of all lengths, and how often at all
LONGEST, SHORTEST = 1e3, 1e-3  # step, in units of the one that goes all the way to what comes of them
ROUND = 200  # steps of one length, in which rates are to come nearer
LOST = 1e15  # Hz, from where no rates come back


class Carrier(NamedTuple):
    """What the loop calls for a projection. moves: how far what is delivered moves a target; log_lag: the logarithm of the time that it takes."""

    transmission: Any
    moves: float
    log_lag: float


class Arrived(NamedTuple):
    """Sums (n,) over all that arrives at cells; lagging: of power times the logarithm of the time that it takes."""

    arriving: np.ndarray
    power: np.ndarray
    low: np.ndarray
    lagging: np.ndarray


class Way(NamedTuple):
    """A projection: its synapses, the rates x (n_pre,) of its source [Hz], and the sums of what arrives at its targets."""

    w: Any
    x: np.ndarray
    sums: Arrived


class TargetParts(NamedTuple):
    """What the loop calls for a population: how its cells answer, and, kind by kind, what brings them the spikes of cells."""

    answering: Any
    loops: tuple


class Target(NamedTuple):
    """The cells of one population: the rates (n,) that come of those of now [Hz], all that arrives at them, and, kind by kind, the projections onto them from cells."""

    found: np.ndarray
    heard: Arrived
    loops: tuple


class Learner(NamedTuple):
    """A projection that learns: the state of its rule, its synapses, and the rates of its source x (n_pre,) and its targets y (n_post,) [Hz]."""

    rule: Any
    w: Any
    x: np.ndarray
    y: np.ndarray


class Norm(NamedTuple):
    """What holds the norm of the weights of a projection within their bounds."""

    normalisation: Any
    w_min: float
    w_max: float


class Normed(NamedTuple):
    """A projection whose weights have a norm: what the normalisation remembers, the synapses, outputs (n_post,) expected spikes of its targets so far; due (1,): when
    the next one is [s], done (1,): how many there were."""

    norm: Any
    w: Any
    outputs: np.ndarray
    due: np.ndarray
    done: np.ndarray


class Source(NamedTuple):
    """An input population: its own state, and its present rates x (n,) [Hz]."""

    inputs: Any
    x: np.ndarray
    rng_input: np.ndarray
    rng_latent: np.ndarray


class Search(NamedTuple):
    """Scratch (n_cells,) [Hz]: the rates that came of those that were tried last, by how much these were more, and how far the tried were from those before."""

    found: np.ndarray
    more: np.ndarray
    gone: np.ndarray


class Parts(NamedTuple):
    """What the loop calls, kind by kind; outside: what arrives at cells from elsewhere; step [s] in which it looks at rates, infinite where they change at wakes alone."""

    inputs: tuple
    feeds: tuple
    targets: tuple
    learners: tuple
    norms: tuple
    outside: Arrived
    step: float


class State(NamedTuple):
    """All that changes in a run of one seed.

    sources, feeds (projections from inputs), targets (what drives others before them, but in circles), learners, norms: kind by kind, as in Parts
    given, heard (n_cells,): what arrives at cells from inputs and elsewhere, and in all
    y (n_cells,) their rates in the present hold [Hz]; known (1,): whether these are found. Sources and targets have their part of all of these.
    outputs (n_cells,): the rates summed over the time of all holds that are learned, that is the expected number of spikes;
    pending (n_cells,): the same since then, until the end of the last call.
    searches: none, or one where cells drive each other in circles
    times (2,): start of the present hold, next look at the rates [s]; looks (1,): how many there were
    """

    sources: tuple
    feeds: tuple
    targets: tuple
    learners: tuple
    norms: tuple
    given: Arrived
    heard: Arrived
    y: np.ndarray
    known: np.ndarray
    outputs: np.ndarray
    pending: np.ndarray
    searches: tuple
    times: np.ndarray
    looks: np.ndarray


# Inputs -------------------------------------------------------------------------------------------------------------


@helper
def next_wake(inputs, sources):
    """When the next input does what it had scheduled [s]."""
    found = math.inf
    if len(sources) > 0:
        for m in range(len(sources[0])):
            found = min(found, inputs[0][m].next_wake(sources[0][m].inputs))
        if len(sources) > 1:
            found = min(found, next_wake(inputs[1:], sources[1:]))
    return found


@helper
def look_all(inputs, sources, t, is_look):
    """Have the inputs whose time has come do what they had scheduled, and look at their rates, or at those of all."""
    if len(sources) > 0:
        for m in range(len(sources[0])):
            part, source = inputs[0][m], sources[0][m]
            wakes = part.next_wake(source.inputs) == t
            if wakes:
                part.wake(source.inputs, t, source.rng_input, source.rng_latent)
            if wakes or is_look:
                part.rates(source.inputs, t, source.rng_latent, source.x)
        if len(sources) > 1:
            look_all(inputs[1:], sources[1:], t, is_look)


# What arrives, and the rates that come of it ------------------------------------------------------------------------


@helper
def bring_all(carriers, ways):
    """Add what projections bring to the sums of their targets, with the present rates and weights."""
    if len(ways) > 0:
        for m in range(len(ways[0])):
            bring(carriers[0][m], ways[0][m].w, ways[0][m].x, ways[0][m].sums)
        if len(ways) > 1:
            bring_all(carriers[1:], ways[1:])


@helper
def bring(carrier, w, rates, sums):
    """The same of one projection."""
    for j in range(w.n_pre):
        x = rates[j]
        if x > 0.0:
            for n in range(w.n_out(j)):
                i = w.post(j, n)
                q = carrier.moves * carrier.transmission.amount(w, j, n)
                power = q * q * x
                sums.arriving[i] += q * x
                sums.power[i] += power
                sums.low[i] = sums.low[i] if q >= 0.0 else -math.inf
                sums.lagging[i] += power * carrier.log_lag


@helper
def begin_with(sums, others):
    """Have sums be those."""
    for i in range(len(sums.low)):
        sums.arriving[i], sums.power[i] = others.arriving[i], others.power[i]
        sums.low[i], sums.lagging[i] = others.low[i], others.lagging[i]


@helper
def answer_all(parts, targets):
    """The rates of all cells that come of those of now, population by population, where `heard` is what comes of inputs.

    Without circles these are those of now, and what drives others has them before they hear it.
    """
    for m in range(len(targets[0])):
        bring_all(parts[0][m].loops, targets[0][m].loops)
        found, heard = targets[0][m].found, targets[0][m].heard
        for i in range(len(found)):
            power = heard.power[i]
            log_lag = heard.lagging[i] / power if power > 0.0 else 0.0
            found[i] = parts[0][m].answering.mean_rate(heard.arriving[i], power, heard.low[i], log_lag)
    if len(targets) > 1:
        answer_all(parts[1:], targets[1:])


@helper
def answer_once(parts, state):
    """The same under what inputs give."""
    begin_with(state.heard, state.given)
    answer_all(parts.targets, state.targets)


@helper
def come_to_rest(parts, state, searches):
    """Find rates y that come of themselves, F(y) = y, from those of the hold before. Without circles they come of one pass."""
    if len(searches) > 0:
        return relax(parts, state, searches[0])
    answer_once(parts, state)
    return DONE


@helper
def relax(parts, state, search):
    """Find rates of cells in circles: y := max(y + h more, 0) with more = F(y) - y of all cells at once, until the sum of |more| is below AT_REST of that of the rates.

    At first each step makes the length h of the next; where it is no longer relaxing, as along a way out of a rest that does not last, h stays as it is. What has not come
    to rest by then, as rates that turn around theirs, does so by steps of one length, which are halved where they come no nearer in a ROUND. Any step that is
    short enough ends at a rest at which tau dy/dt = more ends, and at no other. Returns DONE, RUNAWAY (beyond all rates), or RESTLESS (they came to no rest).
    """
    y, h, largest, before = state.y, 1.0, 0.0, math.inf
    for k in range(MOST):
        answer_once(parts, state)
        missed, total, ahead = compare(search, y, h, k)
        if missed <= AT_REST * total:
            for i in range(len(y)):
                y[i] = search.found[i]
            return DONE
        if not missed < LOST:
            return RUNAWAY
        largest = max(largest, missed)
        if k < PATIENT:
            h = ahead
        elif k == PATIENT:
            h, largest = 1.0, math.inf
        elif k % ROUND == 0:
            h = h if largest < before else 0.5 * h
            before, largest = largest, 0.0
            if h < SHORTEST:
                return RESTLESS
        for i in range(len(y)):
            now = y[i]
            y[i] = max(now + h * search.more[i], 0.0)
            search.gone[i] = y[i] - now
    return RESTLESS


@helper
def compare(search, y, h, k):
    """By how much rates y miss what comes of them, the sum of that [Hz], and the length of the next step, after k of them.

    With s = dy and t = -d more it is s.t / t.t (Barzilai & Borwein 1988, IMA J Numer Anal 8:141 [recalled]).
    """
    missed, total, st, tt = 0.0, 0.0, 0.0, 0.0
    for i in range(len(y)):
        more = search.found[i] - y[i]
        s, t = search.gone[i], search.more[i] - more
        st, tt = st + s * t, tt + t * t
        missed, total = missed + abs(more), total + search.found[i]
        search.more[i] = more
    if k > 0 and st > 0.0:
        h = min(st / tt, LONGEST)
    return missed, total, h


@helper
def find_rates(parts, state, max_rate):
    """The rates of all cells in the present hold, once; returns DONE, RUNAWAY (one of them above max_rate [Hz]), or RESTLESS (there are none)."""
    if state.known[0] == 1:
        return DONE
    begin_with(state.given, parts.outside)
    bring_all(parts.feeds, state.feeds)
    status = come_to_rest(parts, state, state.searches)
    for i in range(len(state.y)):
        if not state.y[i] <= max_rate:
            status = RUNAWAY
    state.known[0] = status == DONE
    return status


# Weights ------------------------------------------------------------------------------------------------------------


@helper
def learn_all(rules, learners, dt):
    """What the rates of a hold of dt [s] do to the weights of each projection that learns."""
    if len(learners) > 0:
        for m in range(len(learners[0])):
            rule, learner = rules[0][m], learners[0][m]
            for i in range(learner.w.n_post):
                rule.on_rates(learner.rule, learner.w, i, learner.x, learner.y, dt)
        if len(learners) > 1:
            learn_all(rules[1:], learners[1:], dt)


@helper
def next_norm(normed):
    """When the next normalisation is due [s]."""
    found = math.inf
    if len(normed) > 0:
        for m in range(len(normed[0])):
            found = min(found, normed[0][m].due[0])
        if len(normed) > 1:
            found = min(found, next_norm(normed[1:]))
    return found


@helper
def normalise_all(norms, normed, t):
    """Set the weights to their norm whose time has come."""
    if len(normed) > 0:
        for m in range(len(normed[0])):
            norm, one = norms[0][m], normed[0][m]
            if one.due[0] == t:
                set_norms(norm, one.norm, one.w, one.outputs)
                one.done[0] += 1
                one.due[0] = (one.done[0] + 1) * norm.normalisation.every
        if len(normed) > 1:
            normalise_all(norms[1:], normed[1:], t)


def advance(parts, state, t_end, max_rate):
    """Learn all holds of one seed that are over by t_end [s]; returns DONE, or as `find_rates` what stopped it."""
    parts, state = opened(parts), opened(state)
    y, outputs, pending = state.y, state.outputs, state.pending
    while True:
        now = state.times[NOW]
        t = min(state.times[LOOK], min(next_wake(parts.inputs, state.sources), next_norm(state.norms)))
        if min(t, t_end) > now:
            status = find_rates(parts, state, max_rate)
            if status != DONE:
                return status
        if t > t_end:
            for i in range(len(y)):
                pending[i] = y[i] * (t_end - now)
            return DONE
        if t > now:
            learn_all(parts.learners, state.learners, t - now)
            for i in range(len(y)):
                outputs[i] += y[i] * (t - now)
                pending[i] = 0.0
            state.times[NOW], state.known[0] = t, 0
        if t >= t_end:
            return DONE
        normalise_all(parts.norms, state.norms, t)
        is_look = t == state.times[LOOK]
        if is_look:
            state.looks[0] += 1
            state.times[LOOK] = state.looks[0] * parts.step
        look_all(parts.inputs, state.sources, t, is_look)
        state.known[0] = 0
