"""The sampled rate loop: the rates of a piecewise-constant input, one hold after another, and the rule's mean change in each.

A hold lasts from one change (a new pattern, a normalisation) to the next, and no longer than a step where the input shows no patterns. In it the input rates x (n_pre,) stand still, and so does each
target's mean rate

    y_i = neuron.mean_rate(u_i, sd_i, low_i),   u_i = sum_j q_ij x_j,   sd_i^2 = sum_j q_ij^2 x_j int eps^2,

q_ij being what a spike of j delivers to i with the weights at the start of the hold, and low_i = 0 where all of them excite (else -inf): the
f-I curve smoothed by the shot noise of Poisson spikes [derived: Campbell's theorem], taken as Gaussian, or the f-I curve itself where the
potential never leaves its linear part. The rule's `on_rates` then changes the weights by its mean drift at (x, y) over the hold,
and carries its own slow traces over to the next. What is left out is everything that single spikes add: their correlations in time, the
potential's memory over a change of pattern, and the fluctuation of the weights.

It draws the same patterns in the same order as the spike level with the same seed: patterns come from the input's `latent` stream. A
call ends at t_end with the holds that are over by then learned; how a run is cut into calls leaves no mark on it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .event import set_norms
from .packing import opened
from .protocols import helper
from .synapses import SparseSynapses, Synapses

DONE, RUNAWAY = 0, 2


class Parts(NamedTuple):
    """What the loop calls by name, the hard bounds of the weights, and the step [s] in which it looks at rates; infinite where they change at wakes alone."""

    inputs: Any
    transmission: Any
    neuron: Any
    rule: Any
    normalisation: Any
    w_min: float
    w_max: float
    step: float


class State(NamedTuple):
    """All that changes in a run of one seed.

    norm: what the normalisation remembers
    times (3,): start of the present hold, next normalisation, next look at the rates [s]. counts (2,): normalisations and looks done. x (n_pre,) the present input rates, y (n_post,) the
    output rates that they make with the weights at the start of the hold [Hz]; u, square, low (n_post,): the sums that they are made of.
    outputs (n_post,): the output rate summed over the time of all holds that are learned, that is the expected number of spikes;
    pending (n_post,): the same since then, until the end of the last call.
    """

    inputs: Any
    rule: Any
    norm: Any
    w: Synapses | SparseSynapses
    times: np.ndarray
    counts: np.ndarray
    x: np.ndarray
    y: np.ndarray
    u: np.ndarray
    square: np.ndarray
    low: np.ndarray
    outputs: np.ndarray
    pending: np.ndarray
    rng_input: np.ndarray
    rng_latent: np.ndarray


NOW, NORMALISE, LOOK = 0, 1, 2


@helper
def arrive(parts, state):
    """What the present input rates bring to each target, with the present weights."""
    for i in range(state.w.n_post):
        state.u[i] = state.square[i] = state.low[i] = 0.0
    for j in range(state.w.n_pre):
        if state.x[j] > 0.0:
            for n in range(state.w.n_out(j)):
                i, q = state.w.post(j, n), parts.transmission.amount(state.w, j, n)
                state.u[i] += q * state.x[j]
                state.square[i] += q * q * state.x[j]
                state.low[i] = state.low[i] if q >= 0.0 else -math.inf


@helper
def output_rate(parts, state, i):
    """y_i [Hz], the mean rate of target i under what arrives."""
    sd = math.sqrt(state.square[i] * parts.neuron.epsp_square_integral())
    return parts.neuron.mean_rate(state.u[i], sd, state.low[i])


def advance(parts, state, t_end, max_rate):
    """Learn all holds of one seed that are over by t_end [s]; returns DONE, or RUNAWAY (an output rate above max_rate [Hz])."""
    parts, state = opened(parts), opened(state)
    while True:
        now = state.times[NOW]
        t_wake = parts.inputs.next_wake(state.inputs)
        t = min(t_wake, min(state.times[NORMALISE], state.times[LOOK]))
        if t > t_end:
            arrive(parts, state)
            for i in range(state.w.n_post):
                state.pending[i] = output_rate(parts, state, i) * (t_end - now)
            return DONE
        if t > now:
            arrive(parts, state)
            for i in range(state.w.n_post):
                state.y[i] = output_rate(parts, state, i)
                if not state.y[i] <= max_rate:
                    return RUNAWAY
            for i in range(state.w.n_post):
                parts.rule.on_rates(state.rule, state.w, i, state.x, state.y, t - now)
                state.outputs[i] += state.y[i] * (t - now)
                state.pending[i] = 0.0
            state.times[NOW] = t
        if t >= t_end:
            return DONE
        if t == state.times[NORMALISE]:
            set_norms(parts, state.norm, state.w, state.outputs)
            state.counts[0] += 1
            state.times[NORMALISE] = (state.counts[0] + 1) * parts.normalisation.every
        if t == state.times[LOOK]:
            state.counts[1] += 1
            state.times[LOOK] = state.counts[1] * parts.step
            parts.inputs.rates(state.inputs, t, state.rng_latent, state.x)
        if t == t_wake:
            parts.inputs.wake(state.inputs, t, state.rng_input, state.rng_latent)
            parts.inputs.rates(state.inputs, t, state.rng_latent, state.x)
