"""The integrate-and-fire neuron under noise against the closed forms of parabolic cylinder functions, at real arguments of the transforms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hebbscope import Network, Population, Projection
from hebbscope.models import (
    LIF,
    AlphaSynapses,
    DeltaSynapses,
    ExponentialSynapses,
    HomogeneousPoisson,
    PoissonBackground,
)
from hebbscope.models.neurons.diffusion import Noise, answers, barrier, noise, spectrum, stationary_rate
from hebbscope.rules.noisy_output import port_of
from hebbscope.simulator.clock_run import ClockRun

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


@pytest.mark.parametrize(
    "synapses", [DeltaSynapses(), ExponentialSynapses(4e-3, 8e-3), AlphaSynapses(2e-3, 5e-3)], ids=repr
)
def test_what_synapses_make_of_many_spikes_is_their_jump_and_what_is_smoothed_of_it(synapses):
    """Potentials without threshold, of 400 cells at 20 moments: the mean to three standard errors and half a step's input, the sd to three of 1 / sqrt(2 n)."""
    cell, dt = LIF(E_L=0.0, drive=0.0, V_th=1.0, V_reset=0.0, synapses=synapses), 1e-4
    background = {"excitatory": PoissonBackground(1000, 20.0, 1e-3), "inhibitory": PoissonBackground(1000, 10.0, 2e-3)}
    inputs, cells = Population("inputs", 1, HomogeneousPoisson()), Population("cells", 400, cell, background=background)
    run, found = ClockRun(Network([inputs, cells], [Projection(inputs, cells, 0.0)]), 1, "spike", {}, dt), []
    for moment in 0.5 + 0.2 * np.arange(20):
        run.to(moment)
        found.append(run.variable_of(cells, "v"))
    arriving, variance = 0.0, 0.0
    for receptor, each in background.items():
        port, rate = port_of(cell, receptor), each.n_synapses * each.rate
        arriving += rate * port.moves * each.weight
        variance += 0.5 * cell.tau_m * rate * port.smoothed * (port.moves * each.weight) ** 2
    error = math.sqrt(variance / np.size(found))
    assert np.mean(found) == pytest.approx(cell.tau_m * arriving, abs=3.0 * error + 0.5 * dt * abs(arriving))
    assert np.std(found) == pytest.approx(
        math.sqrt(variance), rel=3.0 / math.sqrt(2 * np.size(found)) + 0.5 * dt / cell.tau_m
    )
