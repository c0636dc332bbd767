"""Song, Miller & Abbott 2000: what a thousand seconds of competition make of a thousand weights, over seeds."""

from __future__ import annotations

import numpy as np
import pytest

from hebbscope import simulate
from hebbscope.analysis.spiking import cv, near_bounds
from hebbscope.models.experiments.song2000 import Song2000
from hebbscope.models.experiments.song2000_brian2 import Song2000Brian2

SEEDS = (1, 2, 3, 4)


def learned(rate: float = 15.0, kind: type = Song2000):
    """A run of the published protocol at one input rate [Hz], with the neuron's spikes of the last fifth."""
    described = kind.with_settings([("inputs.rate", rate)])
    run = simulate(
        described.network(),
        described.duration,
        seeds=SEEDS,
        record_every=described.record_every,
        dt=described.dt,
        record_spikes={"neuron": (0.8 * described.duration, described.duration)},
    )
    return run, described.rule


@pytest.fixture(scope="module")
def runs():
    return {rate: learned(rate) for rate in (15.0, 40.0)}


def test_weights_gather_at_both_bounds(runs):
    run, rule = runs[15.0]
    found = np.array([near_bounds(w, rule.w_min, rule.w_max) for w in run.final_weights])
    share = found.sum(axis=1)
    error = share.std(ddof=1) / np.sqrt(len(SEEDS))
    assert 3 * error < 0.05 and share.mean() - 3 * error > 0.7
    assert (found > 0.2).all()  # at each of the bounds


def test_the_output_is_irregular_and_hardly_asks_how_fast_the_input_is(runs):
    """Inputs 2.7 times as fast make less than 1.6 times the output; the intervals vary almost as those of a Poisson train, whose CV is 1."""
    rates = {rate: run.output_rate[:, -20:, 0].mean(axis=1) for rate, (run, _) in runs.items()}
    ratio = rates[40.0].mean() / rates[15.0].mean()
    errors = [r.std(ddof=1) / np.sqrt(len(SEEDS)) / r.mean() for r in rates.values()]
    assert 3 * ratio * np.hypot(*errors) < 0.4 and 1.0 < ratio < 1.6
    for run, _ in runs.values():
        spikes = run.spikes["neuron"]
        assert 0.7 < cv(spikes.t, spikes.i, 1)[0] < 1.1


def test_fast_inputs_leave_fewer_strong_synapses(runs):
    strong = [near_bounds(run.final_weights, rule.w_min, rule.w_max)[1] for run, rule in runs.values()]
    assert strong[1] < 0.5 * strong[0]


def test_the_variant_is_another_setting():
    """What is shipped with Brian2: no inhibition, another membrane, weaker synapses that change faster."""
    ours, theirs = Song2000(), Song2000Brian2()
    assert theirs.network().recorded.rule.w_max == 0.01 and len(theirs.network().populations) == 2
    assert (ours.neuron.tau_m, theirs.neuron.tau_m) == (20e-3, 10e-3)
