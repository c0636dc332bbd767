"""The event-driven engine: exact, the same bits however it is run, and equal to the plain twins on the spikes that it drew."""

import re
import time
from contextlib import nullcontext

import naive
import numpy as np
import pytest
from frozen import Given
from interpreting import both_ways
from scipy import stats

from hebbscope import Network, Population, Projection, simulate
from hebbscope.models import (
    CommonSourcePoisson,
    ExponentialPoisson,
    HomogeneousPoisson,
    LinearPoisson,
    ModulatedPoisson,
)
from hebbscope.rules import L2, KempterWindow, SpikeHebb, Triplet
from hebbscope.simulator.drive import Runaway
from hebbscope.simulator.protocols import HebbscopeError, ParameterError
from hebbscope.simulator.runfile import RunFile


def layer(inputs, neuron, rule, n_pre=6, n_post=1, weights=0.1, **options):
    source, target = Population("inputs", n_pre, inputs), Population("neuron", n_post, neuron)
    return Network([source, target], [Projection(source, target, weights, rule, **options)])


def small(rule=None, **options):
    return layer(ModulatedPoisson(n_modulated=3), LinearPoisson(), rule or SpikeHebb(eta=1e-4), n_post=2, **options)


def trains(spikes, n):
    return [spikes.t[spikes.i == k].tolist() for k in range(n)]


# The same bits ------------------------------------------------------------------------------------------------------

EVERYTHING = {"inputs": (0.0, 1e9), "neuron": (0.0, 1e9)}


@pytest.mark.parametrize("level", ["spike", "surrogate"])
def test_one_seed_gives_the_same_bits_over_threads_chunks_and_records(level):
    network = small(normalisation=L2(norm=0.25, every=0.7))
    reference = simulate(network, 20.0, level=level, seeds=[3, 4, 5], threads=1).final_weights
    for options in (
        {"threads": 3},
        {"record_every": 0.37},
        {"record_every": 20.0, "record_spikes": EVERYTHING},
        {"record_spikes": {}},
    ):
        assert (simulate(network, 20.0, level=level, seeds=[3, 4, 5], **options).final_weights == reference).all()
    assert (simulate(network, 20.0, level=level, seeds=4).final_weights[0] == reference[1]).all()
    assert len(np.unique(reference)) == reference.size  # the seeds differ


def test_records_of_a_run_do_not_depend_on_how_long_it_goes_on():
    short, long = simulate(small(), 5.0, record_every=1.0), simulate(small(), 9.0, record_every=1.0)
    assert (long.weights[:, :6] == short.weights).all()
    assert (long.output_rate[:, 1:6] == short.output_rate[:, 1:]).all()


PROGRAM = """
import numpy as np
from hebbscope import simulate
from test_event import layer, small
from hebbscope.models import CommonSourcePoisson, ExponentialPoisson, LinearPoisson, OrnsteinUhlenbeckPoisson
from hebbscope.rules import SpikeHebb, Triplet
networks = [
    small(),
    small(Triplet(eta=1e-2)),
    layer(CommonSourcePoisson(rate=10.0, c=0.3, jitter=2e-3, n_correlated=4), ExponentialPoisson(), SpikeHebb(eta=1e-4)),
    layer(OrnsteinUhlenbeckPoisson(rate=10.0, sd=2.0, tau_c=0.02, n_modulated=3), LinearPoisson(), SpikeHebb(eta=1e-4)),
]
for network in networks:
    for level in ("spike", "surrogate"):
        print(simulate(network, 3.0, level=level, seeds=2).final_weights.tobytes().hex())
"""


def test_the_jit_leaves_no_mark():
    compiled, plain = both_ways(PROGRAM)
    assert compiled == plain and len(plain.split()) == 8


# The twins ----------------------------------------------------------------------------------------------------------


def test_weights_equal_the_sum_over_all_pairs_of_the_spikes_drawn():
    run = simulate(small(weights=0.15), 8.0, record_spikes=EVERYTHING)
    pre, post = trains(run.spikes["inputs"], 6), trains(run.spikes["neuron"], 2)
    assert sum(map(len, post)) > 50
    expected = naive.spike_hebb(pre, post, np.full((2, 6), 0.15), naive.kempter_window, 1e-4, 1.0, -1.0475)
    np.testing.assert_allclose(run.final_weights[0], expected, rtol=0, atol=1e-12)


def test_weights_equal_the_sum_over_all_triplets_of_the_spikes_drawn():
    run = simulate(small(Triplet(eta=1e-2), weights=0.15), 8.0, record_spikes=EVERYTHING)
    pre, post = trains(run.spikes["inputs"], 6), trains(run.spikes["neuron"], 2)
    rule = Triplet()
    values = {name: getattr(rule, name) for name in rule._fields if name not in ("eta", "w_min", "w_max", "threshold")}
    expected = naive.triplet(pre, post, np.full((2, 6), 0.15), eta=1e-2, **values)
    np.testing.assert_allclose(run.final_weights[0], expected, rtol=0, atol=1e-12)


# Exact spikes -------------------------------------------------------------------------------------------------------


def frozen(inputs, neuron, weights, duration, **options):
    """Spikes of one neuron with weights that stand still (a learning rate far below rounding)."""
    rule = SpikeHebb(eta=1e-300)
    network = layer(inputs, neuron, rule, n_pre=len(weights), weights=np.array(weights), **options)
    return simulate(network, duration, record_spikes=EVERYTHING)


def test_output_spikes_have_the_intensity_of_their_input_by_time_rescaling():
    """Between output spikes the integrated intensity is exponential with mean 1 (Brown et al. 2002, Neural Comput 14:325)."""
    weights = [0.5, 1.0, 0.25, 2.0]
    run = frozen(HomogeneousPoisson(4.0), LinearPoisson(tau=10e-3, base_rate=2.0), weights, 60.0)
    pre, post = trains(run.spikes["inputs"], 4), run.spikes["neuron"].t
    areas = [
        2.0 * (b - a) + naive.alpha_potential_integral(a, b, pre, weights, 10e-3)
        for a, b in zip(post[:-1], post[1:], strict=True)
    ]
    assert len(areas) > 600
    assert stats.kstest(areas, "expon").pvalue > 0.01


def test_rectified_neuron_is_silent_where_its_intensity_is_not_positive():
    weights = [1.5, -1.0, 1.5, -1.0]
    neuron = LinearPoisson(tau=10e-3, gain=2.0, threshold=5.0)
    run = frozen(HomogeneousPoisson(20.0), neuron, weights, 60.0)
    pre = trains(run.spikes["inputs"], 4)
    drive = np.array([naive.alpha_potential(t, pre, weights, 10e-3) for t in run.spikes["neuron"].t])
    assert len(drive) > 200 and (drive > 5.0).all()
    grid = np.linspace(0.5, 59.5, 8001)  # of 7 ms, below the 10 ms in which the intensity changes
    intensity = 2.0 * np.maximum([naive.alpha_potential(t, pre, weights, 10e-3) - 5.0 for t in grid], 0.0)
    expected = intensity.mean() * 60.0
    assert abs(len(drive) - expected) < 4 * np.sqrt(expected)


def test_each_of_several_neurons_has_its_own_rate():
    weights = np.array([[0.05] * 20, [0.1] * 20, [0.0] * 20])
    network = layer(HomogeneousPoisson(10.0), LinearPoisson(base_rate=1.0), SpikeHebb(eta=1e-300), 20, 3, weights)
    counts = np.bincount(simulate(network, 400.0).spikes["neuron"].i, minlength=3)
    expected = np.array([11.0, 21.0, 1.0]) * 400.0
    # Input shot noise adds sum J^2 nu T to the Poisson variance of the count.
    spread = np.sqrt(expected + (weights**2).sum(1) * 10.0 * 400.0)
    assert (np.abs(counts - expected) < 4 * spread).all()


def test_surrogate_output_ignores_the_single_spikes_that_the_rule_sees():
    """Count of output spikes within 20 ms after an input spike: at the spike level each input spike adds J, in the surrogate nothing."""
    weights, duration = [0.3] * 10, 400.0
    network = layer(HomogeneousPoisson(5.0), LinearPoisson(tau=2e-3), SpikeHebb(eta=1e-300), 10, 1, np.array(weights))
    excess = {}
    for level in ("spike", "surrogate"):
        run = simulate(network, duration, level=level, record_spikes=EVERYTHING)
        post = run.spikes["neuron"].t
        assert abs(len(post) - 15.0 * duration) < 4 * np.sqrt((15.0 + 10 * 0.09 * 5.0) * duration)
        pre = run.spikes["inputs"].t
        near = np.searchsorted(post, pre + 20e-3) - np.searchsorted(post, pre)
        excess[level] = near.mean() - len(post) / duration * 20e-3, near.std() / np.sqrt(len(pre)) * 2.0
    assert abs(excess["spike"][0] - 0.3) < 3 * excess["spike"][1]
    assert abs(excess["surrogate"][0]) < 3 * excess["surrogate"][1]
    assert excess["spike"][0] > 10 * excess["spike"][1]


# What stops a run ---------------------------------------------------------------------------------------------------


def test_a_run_whose_rate_runs_away_stops_and_keeps_its_data():
    rule = SpikeHebb(KempterWindow(A_minus=1.0), eta=5e-3, w_out=1.0)
    with pytest.raises(Runaway, match=r"ran away past 2000 Hz at t = .* is kept") as caught:
        simulate(small(rule), 1000.0, seeds=[1, 2], record_every=0.1, max_rate=2000.0)
    run = caught.value.run
    assert 2 <= run.n_times < 10000 and np.isfinite(run.weights).all()
    assert len(run.spikes["neuron"]) > 0


@pytest.mark.parametrize("into_file", [False, True])
def test_spikes_end_when_a_seed_runs_away(into_file, tmp_path):
    """The fourth seed does, before the first, whose spikes are kept: all of them until then and none that came in the rest of the stride."""
    inputs, neuron = Population("inputs", 6, HomogeneousPoisson(20.0)), Population("neuron", 2, LinearPoisson())
    network = Network([inputs, neuron], [Projection(inputs, neuron, 0.2, Triplet(A3_plus=0.4))])
    options = {"record_every": 0.5, "max_rate": 500.0, "record_spikes": {"inputs": (0.0, 60.0), "neuron": (0.0, 60.0)}}
    found = {}
    for seeds in ((1,), (1, 2, 3, 4)):
        file = RunFile.create(tmp_path / f"{len(seeds)}.h5", network=network, seeds=seeds) if into_file else None
        with pytest.raises(Runaway) as caught, file or nullcontext():
            simulate(network, 60.0, seeds=seeds, file=file, **options)
        found[seeds] = caught.value.run.spikes
    end = float(re.search(r"at t = (\S+) s \(seed 4\)", str(caught.value)).group(1))
    for population in ("inputs", "neuron"):
        alone, together = found[1,][population], found[1, 2, 3, 4][population]
        n = np.count_nonzero(alone.t <= end + 1e-6)
        assert 0 < n < len(alone) and together.t.tolist() == alone.t[:n].tolist()
        assert together.i.tolist() == alone.i[:n].tolist()


@pytest.mark.parametrize(
    "options, named",
    [
        ({"duration": 0.0}, "duration"),
        ({"duration": float("nan")}, "duration"),
        ({"duration": float("inf")}, "duration"),
        ({"record_every": -1.0}, "record_every"),
        ({"seeds": []}, "seeds"),
        ({"seeds": [1, 1]}, "seeds"),
        ({"seeds": -1}, "seeds"),
        ({"level": "spikes"}, "level"),
        ({"threads": 0}, "threads"),
        ({"record_spikes": {"nobody": (0, 1)}}, "record_spikes"),
    ],
)
def test_bad_arguments_are_named_before_anything_compiles(options, named):
    started = time.perf_counter()
    with pytest.raises(HebbscopeError, match=f"simulate.{named}"):
        simulate(small(), **{"duration": 1.0, **options})
    assert time.perf_counter() - started < 2.0


def test_what_the_exact_engine_cannot_run_is_said():
    a, b = Population("a", 2, HomogeneousPoisson(1.0)), Population("b", 2, LinearPoisson())
    c = Population("c", 1, ExponentialPoisson())
    rule = SpikeHebb()
    with pytest.raises(HebbscopeError, match="must be one, from an input to a population of neurons"):
        simulate(Network([a, b, c], [Projection(a, b, 0.1, rule), Projection(b, c, 0.1, rule)]), 1.0, engine="event")
    with pytest.raises(HebbscopeError, match="must be an input and Poisson neurons"):
        simulate(Network([b, c], [Projection(b, c, 0.1, rule)]), 1.0, engine="event")


def test_common_source_spikes_arrive_together():
    run = frozen(CommonSourcePoisson(rate=10.0, c=1.0, n_correlated=5), LinearPoisson(), [0.1] * 5, 20.0)
    t, i = run.spikes["inputs"].t, run.spikes["inputs"].i
    assert (np.unique(t, return_counts=True)[1] == 5).all() and (np.bincount(i) == len(t) // 5).all()


def test_the_pace_leaves_no_mark_and_a_stop_waits_for_no_record(monkeypatch):
    from hebbscope.simulator import pace

    def stop(t):
        told.append(t)
        if len(told) == 3:
            raise KeyboardInterrupt

    reference = simulate(small(), 20.0, record_every=20.0)
    monkeypatch.setattr(pace, "STRIDE", 1e-4)
    told = []
    with pytest.raises(KeyboardInterrupt):
        simulate(small(), 20.0, record_every=20.0, progress=stop)
    assert told[-1] < 20.0
    paced = simulate(small(), 20.0, record_every=20.0)
    assert (paced.weights == reference.weights).all() and (
        paced.spikes["neuron"].t == reference.spikes["neuron"].t
    ).all()


def test_a_duration_far_below_the_interval_of_records_still_runs():
    run = simulate(small(SpikeHebb(eta=1e-3)), 1e-7, record_every=200.0)
    assert run.time.tolist() == [0.0, 1e-7] and run.n_times == 2


@pytest.mark.parametrize("seed", [-1, 2**63, 2**64])
def test_seeds_beyond_what_a_stream_is_keyed_by(seed):
    with pytest.raises(ParameterError, match=r"simulate\.seeds: must be from 0 to 9223372036854775807"):
        simulate(small(SpikeHebb(eta=1e-3)), 1.0, seeds=[1, seed])


def test_weights_beyond_all_numbers_stop_the_run():
    """Growth without bound at a rate that stays: what was recorded is kept, the run says why it ends."""
    network = small(SpikeHebb(eta=1e305, w_in=1.0, w_out=0.0, w_max=np.inf), transmission=Given(np.full(6, 0.1)))
    with pytest.raises(
        Runaway, match=r"weights ran away beyond all numbers by t = (\d+) s; what was recorded until \1 s is kept"
    ) as stopped:
        simulate(network, 4000.0, record_every=100.0)
    assert stopped.value.run.n_times > 1 and not np.isfinite(stopped.value.run.final_weights).all()
