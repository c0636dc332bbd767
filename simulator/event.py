"""The exact event-driven loop: Poisson-type neurons, one feed-forward layer, nothing discretised.

Between events everything is closed-form. Four kinds of event take turns, the earliest first:

    normalisation   the weights of each target are set back to their norm, within the rule's bounds     (every `every` seconds)
    wake            the input does what it had scheduled: a new pattern, a recorded or delayed spike
    input           a candidate of the input; thinned, it becomes none, one or several spikes
    output          a candidate of the neurons; thinned, it becomes a spike of one of them

A spike of source j delivers its current weight to each target, then calls `on_pre`; a spike of target i calls `on_post`. A rule that keeps changes
back brings the synapses of a source up to date in `settle`, before anybody reads them. At the surrogate level
the input has twice as many trains: the first n reach the rule, their n independent twins reach the neurons, and nothing else differs.

Output candidates come from a unit-rate exponential clock, `hazard`, run down at the rate of the neurons' bound, so that one logarithm is
drawn per candidate and not per interval. Nothing moves at the end of a call: whatever is pending stays in the state, and how a run
is cut into calls leaves no mark on it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .near import give_back, near
from .packing import opened
from .protocols import bounds_of, clip, helper
from .streams import exponential, uniform
from .synapses import Synapses

DONE, FULL, RUNAWAY = 0, 1, 2


class Parts(NamedTuple):
    """What the loop calls by name, and the hard bounds of the weights."""

    inputs: Any
    transmission: Any
    neuron: Any
    rule: Any
    normalisation: Any
    w_min: float
    w_max: float


class Recorder(NamedTuple):
    """A buffer of spikes: t (capacity,) [s], i (capacity,), count (1,), window (2,) [s]: only spikes in it are kept."""

    t: np.ndarray
    i: np.ndarray
    count: np.ndarray
    window: np.ndarray


class Receivers(NamedTuple):
    """The neurons, as a spike that reaches their synapses sees them."""

    neuron: Any
    transmission: Any
    state: Any

    def take(self, w, j, n):
        self.neuron.deliver(self.state, w.post(j, n), self.transmission.amount(w, j, n))


class State(NamedTuple):
    """All that changes in a run of one seed.

    norm: what the normalisation remembers
    times (4,): now, next input candidate (negative before the first), next normalisation [s], and the hazard left until
    the next output candidate.
    counts (2,): normalisations done, input spikes. outputs (n_post,): output spikes.
    """

    inputs: Any
    neuron: Any
    rule: Any
    norm: Any
    w: Synapses
    times: np.ndarray
    counts: np.ndarray
    outputs: np.ndarray
    rng_input: np.ndarray
    rng_latent: np.ndarray
    rng_output: np.ndarray
    seen_input: Recorder
    seen_output: Recorder


@helper
def record(recorder, t, i):
    """Append a spike where anybody listens."""
    if recorder.window[0] <= t < recorder.window[1]:
        recorder.t[recorder.count[0]] = t
        recorder.i[recorder.count[0]] = i
        recorder.count[0] += 1


@helper
def transmit(parts, state, t, count):
    """The `count` input spikes at time t: deliver, then learn."""
    n_pre, cells = state.w.n_pre, Receivers(parts.neuron, parts.transmission, state.neuron)
    surrogate = len(state.inputs.sources) > n_pre
    parts.rule.advance(state.rule, state.w, t)
    for c in range(count):
        train = state.inputs.sources[c]
        j = train if train < n_pre else train - n_pre
        parts.transmission.settle_others(parts.rule, state.rule, state.w, j, t)
        if not surrogate:
            parts.rule.relay(state.rule, state.w, j, t, cells)
        else:
            reach_twin(parts.rule, state.rule, state.w, j, t, cells, train < n_pre)
        if train < n_pre:
            state.counts[1] += 1
            record(state.seen_input, t, j)


@helper
def reach_twin(rule, state, w, j, t, cells, learns):
    """A spike of one of two twins at the synapses of source j: one is for the rule alone, the other for the cells."""
    rule.settle(state, w, j, t)
    if learns:
        rule.on_pre(state, w, j, t)
    else:
        for n in range(w.n_out(j)):
            cells.take(w, j, n)


@helper
def fire(parts, state, t, bound, rng):
    """An output candidate at time t: accepted in proportion to the intensity, it is a spike of one neuron."""
    level = uniform(rng) * bound
    for i in range(state.w.n_post):
        level -= parts.neuron.intensity(state.neuron, i)
        if level < 0.0:
            parts.rule.advance(state.rule, state.w, t)
            parts.rule.on_post(state.rule, state.w, i, t)
            state.outputs[i] += 1
            record(state.seen_output, t, i)
            return


@helper
def settle_all(rule, state, w, t):
    """Bring all weights up to date: holds of time that are over, and changes that a rule keeps back."""
    rule.advance(state, w, t)
    for j in range(w.n_pre):
        rule.settle(state, w, j, t)


@helper
def set_norms(parts, norm, w, spikes):
    """The weights of each target to their norm; where that calls for weights beyond the bounds, the bounds win.

    parts: what has a normalisation and the bounds w_min and w_max; norm: its state; spikes (n_post,): so far.
    """
    for i in range(w.n_post):
        parts.normalisation.normalise(norm, w, i, spikes[i], parts.w_min, parts.w_max)
    for k in range(len(w.value)):
        w.value[k] = clip(w.value[k], parts.w_min, parts.w_max)


@helper
def next_candidate(inputs, state, t, rng):
    """When the next candidate of an input part after t comes."""
    rate = inputs.candidate_rate(state)
    return t + exponential(rng) / rate if rate > 0.0 else math.inf


@helper
def nearly_full(recorder, room):
    """Whether fewer than `room` more spikes fit into a buffer that is in use."""
    return len(recorder.t) > 0 and recorder.count[0] + room > len(recorder.t)


def parts_of(projection) -> Parts:
    """What the loop calls, from a projection."""
    return Parts(
        projection.source.model,
        projection.transmission,
        projection.target.model,
        projection.learner,
        projection.normalisation,
        *bounds_of(projection.rule),
    )


def advance(parts, state, t_end, max_rate):
    """Run one seed up to (not including) t_end [s]; returns DONE, FULL (a buffer wants emptying) or RUNAWAY (bound above max_rate [Hz])."""
    parts, state = opened(parts), opened(state)
    room, rng_input, rng_output = len(state.inputs.sources), near(state.rng_input), near(state.rng_output)
    now, t_input, t_normalise, hazard = state.times[0], state.times[1], state.times[2], state.times[3]
    if t_input < 0.0:  # nothing is pending yet
        t_input = next_candidate(parts.inputs, state.inputs, 0.0, rng_input)
        hazard = exponential(rng_output)
    while True:
        bound = parts.neuron.bound(state.neuron)
        if bound > max_rate:
            status = RUNAWAY
            break
        if nearly_full(state.seen_input, room) or nearly_full(state.seen_output, 1):
            status = FULL
            break
        t_output = now + hazard / bound if bound > 0.0 else math.inf
        t_other = min(t_output, min(parts.inputs.next_wake(state.inputs), t_normalise))
        count, t = 0, t_input
        while count == 0 and t < t_other and t < t_end:  # a candidate that is thinned touches nothing else
            count = parts.inputs.draw(state.inputs, t, rng_input, state.rng_latent)
            t_input = next_candidate(parts.inputs, state.inputs, t, rng_input)
            t = t if count > 0 else t_input
        t = min(t, t_other)
        if t >= t_end:
            status = DONE
            break
        parts.neuron.propagate(state.neuron, t - now)
        hazard -= bound * (t - now)
        now = t
        if count > 0:
            transmit(parts, state, t, count)
        elif t == t_normalise:
            settle_all(parts.rule, state.rule, state.w, t)
            set_norms(parts, state.norm, state.w, state.outputs)
            state.counts[0] += 1
            t_normalise = (state.counts[0] + 1) * parts.normalisation.every
        elif t == t_output:
            hazard = exponential(rng_output)
            fire(parts, state, t, bound, rng_output)
        else:
            transmit(parts, state, t, parts.inputs.wake(state.inputs, t, rng_input, state.rng_latent))
            t_input = next_candidate(parts.inputs, state.inputs, t, rng_input)
    state.times[0], state.times[1], state.times[2], state.times[3] = now, t_input, t_normalise, hazard
    give_back(state.rng_input, rng_input)
    give_back(state.rng_output, rng_output)
    return status
