"""Irregularity and synchrony of spike trains against closed forms."""

import math

import numpy as np
import pytest

from hebbscope.analysis.activity import activity
from hebbscope.analysis.spiking import at_bounds, cv, excess_coincidences, near_bounds, rates, synchrony
from hebbscope.simulator.results import Run, Spikes


def poisson(rng, n_cells, rate, length):
    n = rng.poisson(rate * length * n_cells)
    t = np.sort(rng.uniform(0, length, n))
    return t, rng.integers(0, n_cells, n)


def test_a_clock_has_none_and_two_cells_do_not_mix():
    t = np.concatenate([np.arange(10) * 0.1, np.arange(12) * 0.07])
    i = np.repeat([2, 0], [10, 12])
    order = np.argsort(t)
    found = cv(t[order], i[order], 4)
    assert found[[0, 2]] == pytest.approx([0.0, 0.0], abs=1e-12) and np.isnan(found[[1, 3]]).all()
    assert rates(i, 4, 2.0).tolist() == [6.0, 0.0, 5.0, 0.0]


def test_intervals_by_hand():
    intervals = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    t = np.concatenate([[0.0], np.cumsum(intervals)])
    assert cv(t, np.zeros(6, int), 1)[0] == pytest.approx(math.sqrt(2.5) / 3.0)


def test_poisson_trains_have_one():
    t, i = poisson(np.random.default_rng(1), 40, 20.0, 100.0)
    found = cv(t, i, 40)
    error = found.std(ddof=1) / math.sqrt(40)
    assert error < 0.01 and abs(found.mean() - 1.0) < 3 * error + 1 / 2000  # its bias is of the order of 1 / n


def test_a_gamma_train_of_order_four_has_a_half():
    rng = np.random.default_rng(2)
    trains = [np.cumsum(rng.gamma(4.0, 0.01, 2000)) for _ in range(20)]
    t, i = np.concatenate(trains), np.repeat(np.arange(20), 2000)
    found = cv(t, i, 20)
    error = found.std(ddof=1) / math.sqrt(20)
    assert error < 0.005 and abs(found.mean() - 0.5) < 3 * error


def test_synchrony_of_one_train_many_times_is_one():
    t, _ = poisson(np.random.default_rng(3), 1, 20.0, 50.0)
    assert synchrony(np.tile(t, 7), np.repeat(np.arange(7), len(t)), 7, (0.0, 50.0)) == pytest.approx(1.0, rel=1e-12)


def test_one_cell_has_no_synchrony():
    t, _ = poisson(np.random.default_rng(3), 1, 20.0, 50.0)
    assert math.isnan(synchrony(t, np.zeros(len(t), int), 1, (0.0, 50.0)))


def test_the_table_leaves_out_what_spikes_do_not_tell():
    """Exact Poisson trains of 20 Hz: of the last second their intervals would look more regular, and one cell as wholly synchronous."""
    rng = np.random.default_rng(9)
    (t, i), own = poisson(rng, 2000, 20.0, 1.0), poisson(rng, 1, 20.0, 20.0)
    assert np.nanmean(cv(t, i, 2000)) < 0.97
    populations = {"inputs": 2000, "cell": 1}
    spikes = {"inputs": Spikes(t, i, (0.0, 1.0)), "cell": Spikes(*own, (0.0, 20.0))}
    weights, rates = np.full((1, 2, 1, 2000), 0.1), np.full((1, 2, 1), 20.0)
    run = Run(
        "spike",
        (1,),
        np.array([0.0, 20.0]),
        weights,
        rates,
        projection="inputs_to_cell",
        spikes=spikes,
        populations=populations,
    )
    inputs, cell = activity(run).populations["spike"]
    assert math.isnan(inputs.cv) and 0.01 < inputs.synchrony < 0.04
    assert cell.cv == pytest.approx(1.0, abs=0.15) and math.isnan(cell.synchrony)
    table = [line.split() for line in repr(activity(run)).splitlines()]
    assert table[2][0::4] == ["inputs", f"{inputs.synchrony:.3g}"] and table[2][3] == "-" and table[3][4] == "-"


@pytest.mark.parametrize("n", [10, 40])
def test_synchrony_of_independent_trains_falls_as_one_over_root_n(n):
    samples = []
    for seed in range(20):
        t, i = poisson(np.random.default_rng(seed), n, 20.0, 50.0)
        samples.append(synchrony(t, i, n, (0.0, 50.0)))
    error = np.std(samples, ddof=1) / math.sqrt(20)
    assert error < 0.01 / math.sqrt(n) and abs(np.mean(samples) - 1 / math.sqrt(n)) < 3 * error


def test_silence_has_no_synchrony():
    assert math.isnan(synchrony(np.empty(0), np.empty(0, int), 3, (0.0, 1.0)))
    assert math.isnan(synchrony(np.array([0.1]), np.array([0]), 1, (0.0, 0.004)))


def test_weights_near_their_bounds():
    w = np.array([0.0, 0.05, 0.1, 0.11, 0.5, 0.89, 0.9, 1.0])
    assert near_bounds(w, 0.0, 1.0) == (3 / 8, 2 / 8)
    assert all(math.isnan(share) for share in near_bounds(w, 0.0, np.inf))


def test_weights_at_their_bounds():
    w = np.array([0.0, 0.009, 0.011, 0.5, 0.98, 0.991, 1.0, 1.0])
    assert at_bounds(w, 0.0, 1.0) == (2 / 8, 3 / 8)
    assert at_bounds(2.0 * w, 0.0, np.inf) == (2 / 8, 0.0)
    assert at_bounds(w, -np.inf, np.inf) == (0.0, 0.0)


def trains(rng, n, rate, length):
    """(t, i) of Poisson cells on a grid of 1 ms, so that some spikes are at one time."""
    i, k = np.nonzero(rng.random((n, round(length / 1e-3))) < rate * 1e-3)
    return k * 1e-3, i


def test_excess_coincidences_are_the_sum_over_all_pairs():
    rng, tau, window = np.random.default_rng(5), 20e-3, (0.5, 2.5)
    (t, j), (s, i) = trains(rng, 3, 40.0, 3.0), trains(rng, 4, 30.0, 3.0)
    mixed = rng.permutation(len(t))  # in any order
    found = excess_coincidences((t[mixed], j[mixed]), (s, i), (3, 4), window, tau)
    for post in range(4):
        for pre in range(3):
            a, b = (x[(cells == own) & (x >= 0.5) & (x < 2.5)] for x, cells, own in ((t, j, pre), (s, i, post)))
            pairs = np.exp(-np.abs(a[:, None] - b) / tau).sum()
            chance = len(a) * len(b) * 2 * tau * (2.0 - tau) / 2.0**2
            assert found[post, pre] == pytest.approx((pairs - chance) / 2.0, rel=1e-9)


def test_excess_coincidences_of_independent_trains_are_none_and_of_copies_those_that_theory_has():
    """Of trains of rate x, half of whose spikes the other has d later: C = x exp(-d / tau) / 2, less what a step holds once at most. 400 pairs, held to three standard errors."""
    rng, n, x, d, tau, length = np.random.default_rng(6), 20, 20.0, 5e-3, 20e-3, 50.0
    t, j = trains(rng, n, x, length)
    other = trains(rng, n, x, length)
    free = excess_coincidences((t, j), other, (n, n), (0.0, length), tau)
    assert abs(free.mean()) < 3 * free.std(ddof=1) / n
    followed = rng.random(len(t)) < 0.5
    copied = np.diag(excess_coincidences((t, j), (t[followed] + d, j[followed]), (n, n), (0.0, length), tau))
    assert abs(copied.mean() - 0.5 * x * (1 - x * 1e-3) * np.exp(-d / tau)) < 3 * copied.std(ddof=1) / np.sqrt(n)
