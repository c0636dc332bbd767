"""The output rate late in a run: the stretch by hand, its mean against counts of spikes, and no bias by the choice of the stretch."""

import numpy as np
import pytest

from hebbscope import Network, Population, Projection, compare, simulate
from hebbscope.models import LIF, HomogeneousPoisson
from hebbscope.rules import PairSTDP
from hebbscope.simulator.late import late, mean_between
from hebbscope.simulator.results import Run

TIME = np.linspace(0.0, 10.0, 101)


def rates_of(counts):
    """(n_seeds, n_times, n_post) Hz from spikes (n_seeds, n_times - 1, n_post) in the intervals of TIME."""
    return np.concatenate([np.full_like(counts[:, :1], np.nan, float), counts / np.diff(TIME)[:, None]], axis=1)


def test_the_stretch_is_the_last_tenth_and_longer_where_spikes_are_few():
    many = rates_of(np.full((1, 100, 1), 10))
    assert late(TIME, many, 10.0) == pytest.approx((9.0, 10.0))
    assert late(TIME, many, 5.0) == pytest.approx((4.0, 5.0))  # 500 spikes until then
    assert late(TIME, many, 0.1) == pytest.approx((0.0, 0.1))
    few = rates_of(np.full((1, 100, 1), 2))  # 200 spikes, half of which are enough
    assert late(TIME, few, 10.0) == pytest.approx((5.0, 10.0))
    assert late(TIME, np.tile(few, (4, 1, 1)), 10.0) == pytest.approx((8.7, 10.0))  # from a record on
    for nothing in (0.0, np.nan):
        start, stop = late(TIME, rates_of(np.full((1, 100, 1), nothing)), 10.0)
        assert stop == 10.0 and start == (0.0 if nothing == 0.0 else pytest.approx(9.0))
    assert late(TIME[[0, 100]], many[:, [0, 100]], 10.0) == (0.0, 10.0)
    assert late(TIME, many, 20.0) == late(TIME, many, 10.0) and np.isnan(late(TIME[:0], many[:, :0], 10.0)).all()


def test_the_mean_is_that_of_the_spikes_and_of_parts_of_intervals():
    counts = np.random.default_rng(1).integers(0, 5, (2, 100, 3))
    found = mean_between(TIME, rates_of(counts), 2.0, 7.0)
    np.testing.assert_allclose(found, counts[:, 20:70].sum(axis=1) / 5.0)
    uneven, rates = np.array([0.0, 1.0, 4.0]), np.array([np.nan, 2.0, 8.0]).reshape(1, 3, 1)
    assert mean_between(uneven, rates, 0.5, 3.0) == pytest.approx((0.5 * 2.0 + 2.0 * 8.0) / 2.5)


def test_the_choice_of_the_stretch_does_not_bias_the_mean():
    """Of a Poisson train of 5 Hz for 10 s, whose 50 spikes or so say how much of it is averaged; 20,000 trains, held to three standard errors."""
    counts = (
        np.random.default_rng(2).poisson(0.5, (20_000, 1, 100, 1))
        * (1 + 2 * (np.arange(20_000) % 2))[:, None, None, None]
    )
    means, lengths = np.empty(len(counts)), np.empty(len(counts))
    for k, each in enumerate(counts):
        rates = rates_of(each)
        start, stop = late(TIME, rates, 10.0)
        means[k], lengths[k] = mean_between(TIME, rates, start, stop)[0, 0], stop - start
    assert len(set(lengths.round(3))) > 20
    for factor, part in ((1, means[::2]), (3, means[1::2])):
        assert abs(part.mean() - 5.0 * factor) < 3 * part.std(ddof=1) / np.sqrt(len(part))


def test_a_short_run_says_its_rate_and_over_what():
    """Records of 1 ms, of which the last has no spike: the rate is that of all spikes."""
    inputs, cells = Population("inputs", 20, HomogeneousPoisson(100.0)), Population("cells", 2, LIF())
    network = Network([inputs, cells], [Projection(inputs, cells, 4e-3, PairSTDP(A_plus=1e-9, A_minus=1e-9))])
    run = simulate(network, 0.1)
    assert (run.output_rate[:, -1] == 0.0).all() and len(run.spikes["cells"]) > 0
    rate = len(run.spikes["cells"]) / 2 / 0.1
    assert f"{rate:.4g} Hz, mean from 0 s to 0.1 s" in repr(run)
    found = compare(run, simulate(network, 0.1, level="rate"))
    assert found.row("spike", "output rate").mean == pytest.approx(rate)
    assert found.to_dict()["rate_over"] == [0.0, 0.1] and "output rate: mean from 0 s to 0.1 s" in repr(found)


def test_a_rate_that_drifts_is_held_against_theory_over_the_same_stretch():
    """A rate that grows all the time: the mean of spikes is that of theory where both have the same records, and where theory has few, that of its interval."""
    course = rates_of(np.broadcast_to(10.0 + 0.2 * np.arange(100)[None, :, None], (3, 100, 1)).copy())
    weights = np.broadcast_to(np.linspace(0.1, 0.2, 101)[None, :, None, None], (3, 101, 1, 4))
    spike = Run("spike", (1, 2, 3), TIME, weights, course + np.array([-1.0, 0.0, 1.0])[:, None, None])
    coarse = np.arange(0, 101, 20)
    by_count = np.diff(np.nancumsum(course[:1], axis=1)[:, coarse], axis=1) / 20
    rates = np.concatenate([np.full((1, 1, 1), np.nan), by_count], axis=1)
    rate = Run("rate", (1,), TIME[coarse], weights[:1, coarse], rates, theory={"coefficients": {}})
    row = compare(spike, rate).row("spike", "output rate")
    assert row.mean == pytest.approx(course[0, -10:].mean()) and row.error == pytest.approx(1 / np.sqrt(3))
    assert row.theory == pytest.approx(course[0, -20:].mean())  # the interval of theory that it lies in
    fine = Run("rate", (1,), TIME, weights[:1], course[:1], theory={"coefficients": {}})
    assert compare(spike, fine).row("spike", "output rate").z == pytest.approx(0.0, abs=1e-9)


def test_spike_and_surrogate_are_averaged_over_one_stretch():
    """Of which the quieter needs more."""
    loud, quiet = (rates_of(np.full((2, 100, 1), n)) for n in (10, 1))
    weights = np.full((2, 101, 1, 4), 0.1)
    runs = [Run(level, (1, 2), TIME, weights, rates) for level, rates in (("spike", loud), ("surrogate", quiet))]
    assert compare(*runs).rate_over == pytest.approx((5.0, 10.0))
