"""The integrate-and-fire neuron under noise against the closed forms of parabolic cylinder functions, at real arguments of the transforms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hebbscope import Network, Population, Projection
from hebbscope.models import (
    LIF,
    AlphaSynapses,
    ExponentialSynapses,
    HomogeneousPoisson,
    PoissonBackground,
)
from hebbscope.models.neurons.diffusion import Noise, answers, barrier, driven, noise, spectrum, stationary_rate
from hebbscope.models.neurons.integrate_and_fire import State
from hebbscope.rules import PairSTDP
from hebbscope.rules.noisy_output import NoisyOutput, brought, port_of
from hebbscope.rules.reduction import statistics_of
from hebbscope.simulator.clock_run import ClockRun
from hebbscope.simulator.plain import Direct

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


@pytest.mark.parametrize("synapses", [ExponentialSynapses(4e-3, 8e-3), AlphaSynapses(2e-3, 5e-3)], ids=repr)
@pytest.mark.parametrize("port", [0, 1])
def test_jump_and_lag_of_a_synapse_are_moments_of_its_time_course(synapses, port):
    """The area under what one spike makes of a membrane, over tau_m, and the mean time of the input; their transform has both."""
    tau_m, dt = 20e-3, 1e-5
    stepper, v, passed = synapses.over(dt, tau_m), 0.0, []
    state = State(np.zeros(1), *stepper.arrays(1))
    stepper.receive(state, port, 0, 1.0)
    area = 0.0
    for _ in range(40_000):
        passed.append(state.g_ex[0] + state.g_in[0])
        v = v * math.exp(-dt / tau_m) + stepper.charge(state, 0)
        area += v * dt
    assert abs(area) / tau_m == pytest.approx(synapses.jump(port, tau_m), rel=1e-3)
    times = dt * np.arange(len(passed))
    assert times @ passed / np.sum(passed) == pytest.approx(synapses.lag(port), abs=2.0 * dt)
    s = 1e-3 / synapses.lag(port)
    assert (1.0 - synapses.passed(port, s)) / s == pytest.approx(synapses.lag(port), rel=2e-3)


@pytest.mark.parametrize("synapses, factor", [(ExponentialSynapses, 1.0), (AlphaSynapses, 2.0)])
@pytest.mark.parametrize("lag_ex, lag_in", [(0.5e-3, 0.5e-3), (2e-3, 2e-3), (1e-3, 4e-3), (0.5e-3, 8e-3)])
def test_rates_under_noise_that_is_passed_on_late_are_those_of_spikes(synapses, factor, lag_ex, lag_in):
    """400 cells for 10 s, to three standard errors of a Poisson count and what is of second order, lag / tau_m; white noise is far off."""
    cell, jump = CELL._replace(synapses=synapses(lag_ex / factor, lag_in / factor)), 0.1e-3
    rates = {"excitatory": 115.0, "inhibitory": 112.0}
    ports = {name: port_of(cell, name) for name in rates}
    background = {name: PoissonBackground(2000, rate, jump / abs(ports[name].moves)) for name, rate in rates.items()}
    inputs, cells = Population("inputs", 1, HomogeneousPoisson()), Population("cells", 400, cell, background=background)
    network = Network([inputs, cells], [Projection(inputs, cells, 0.0, PairSTDP())])
    found = NoisyOutput(cell, statistics_of(inputs, Direct()), "excitatory", brought(network), 1e-4).at(np.zeros(1))
    run = ClockRun(network, 1, "spike", {}, 1e-4)
    run.to(0.5)
    before = run.spikes_of(cells).sum()
    run.to(10.5)
    rate = (run.spikes_of(cells).sum() - before) / 4000.0
    lag = math.sqrt(lag_ex * lag_in)
    assert found.rate == pytest.approx(rate, abs=3.0 * math.sqrt(rate / 4000.0) + (0.02 + lag / cell.tau_m) * rate)
    assert stationary_rate(CELL, found.driven.given) > 1.3 * rate


def test_no_lag_is_the_limit_of_small_ones_and_a_state_is_as_it_is_alone():
    arriving, power = np.array([0.9, 0.4, -0.2]), np.array([1e-3, 1e-5, 1e-9])
    at_once, soon = (driven(CELL, arriving, power, lag, 1e-4) for lag in (0.0, 1e-12))
    np.testing.assert_allclose(
        soon.rate, at_once.rate, rtol=0.03
    )  # in steps of time kicks come a moment before they are seen
    among = driven(CELL, arriving, power, np.full(3, 2e-3), 1e-4)
    for k in range(3):
        alone = driven(CELL, arriving[k], power[k], 2e-3, 1e-4)
        assert alone.rate == among.rate[k] and (alone.kick(1j * S) == among.kick(1j * S)[k]).all()


@pytest.mark.parametrize("sd", [0.5e-3, 0.2e-3, 0.1e-3])
@pytest.mark.parametrize("mean", [18e-3, 22e-3])
def test_answers_to_the_fastest_kicks_are_numbers_under_little_noise(mean, sd):
    """Where two solutions differ by hundreds of orders of magnitude."""
    kick = answers(CELL, Noise(mean, sd), 1j * np.array([1.0, 1e3, 1e4, 1e5])).kick
    assert np.isfinite(kick).all() and abs(kick[3]) < abs(kick[2])
