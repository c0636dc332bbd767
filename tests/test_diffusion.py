"""The integrate-and-fire neuron under noise against the closed forms of parabolic cylinder functions, at real arguments of the transforms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hebbscope.models import LIF
from hebbscope.models.neurons.diffusion import Noise, answers, barrier, noise, spectrum, stationary_rate

CELL = LIF(E_L=0.0, drive=0.0, V_th=20e-3, V_reset=10e-3)
STATES = [Noise(18.8e-3, 4.8e-3), Noise(23e-3, 5.1e-3), Noise(16e-3, 2e-3)]
S = np.array([5.0, 50.0, 100.0, 500.0])  # 1/s


@pytest.mark.parametrize("given", STATES)
def test_answers_are_those_in_closed_form(given):
    """Lindner & Schimansky-Geier 2001, Phys Rev Lett 86:2934 (answer), and Siegert 1951 (intervals), with i omega -> -s; to 1e-3 of the grid."""
    from scipy.special import pbdv

    def D(order, v):
        return np.array([pbdv(one, (given.mean - v) / given.sd)[0] for one in order])

    up, down, z = CELL.V_th, CELL.V_reset, S * CELL.tau_m
    raised = math.exp((down**2 - up**2 + 2 * given.mean * (up - down)) / (4 * given.sd**2))
    held = np.exp(-S * CELL.refractory)
    scale = stationary_rate(CELL, given) * CELL.tau_m / given.sd * z / (z + 1.0)
    kick = scale * (D(-z - 1, up) - raised * D(-z - 1, down)) / (D(-z, up) - raised * held * D(-z, down))
    interval = raised * held * D(-z, down) / D(-z, up)
    found = answers(CELL, given, S)
    np.testing.assert_allclose(found.kick, kick, rtol=1e-3)
    np.testing.assert_allclose(found.interval, interval, rtol=3e-3)


@pytest.mark.parametrize("given", STATES)
def test_slow_answers_are_slopes_of_the_rate_and_fast_ones_nothing(given):
    h, rate = 1e-6, stationary_rate(CELL, given)
    slope = (stationary_rate(CELL, Noise(given.mean + h, given.sd)) - stationary_rate(CELL, Noise(given.mean - h, given.sd))) / (2 * h)  # fmt: skip
    slow, fast = answers(CELL, given, np.array([1e-3, 1e5]) * 1j).kick
    assert slow.real == pytest.approx(CELL.tau_m * slope, rel=1e-3) and abs(fast) < 0.1 * abs(slow)
    assert (1.0 - answers(CELL, given, np.array([1e-3])).interval[0].real) / 1e-3 == pytest.approx(1 / rate, rel=1e-3)


def test_a_train_is_regular_where_the_mean_is_above_threshold_and_poisson_where_spikes_are_rare():
    slow = np.array([0.1j])
    for given, low, high in ((Noise(40e-3, 1e-3), 0.0, 0.05), (Noise(10e-3, 3e-3), 0.97, 1.01)):
        rate = stationary_rate(CELL, given)
        assert low < spectrum(rate, answers(CELL, given, slow).interval)[0] / rate < high
    assert spectrum(7.0, answers(CELL, STATES[0], np.array([1e4j])).interval)[0] == pytest.approx(7.0, rel=1e-6)


def test_out_of_reach_nobody_fires_and_far_above_the_rate_is_that_of_a_ramp():
    assert stationary_rate(CELL, Noise(-50e-3, 1e-3)) == 0.0
    ramp = CELL.refractory + CELL.tau_m * math.log((60 - 10) / (60 - 20))
    assert stationary_rate(CELL, Noise(60e-3, 0.1e-3)) == pytest.approx(1 / ramp, rel=1e-4)


def test_no_step_is_the_limit_of_small_ones():
    kicks = [(9e3, 1e-4), (400.0, -5e-4)]
    whole, small = noise(CELL, kicks), noise(CELL, kicks, 1e-9)
    assert whole.mean == pytest.approx(20e-3 * (0.9 - 0.2)) and whole.sd == pytest.approx(math.sqrt(0.01 * 1.9e-4))
    assert small == pytest.approx(whole, rel=1e-6)
    assert barrier(CELL, whole, 0.0) == CELL and barrier(CELL, whole, 1e-4).V_th > CELL.V_th
