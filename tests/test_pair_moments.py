"""Drift and diffusion of pair STDP: closed forms for Poisson trains, and integrate-and-fire neurons that learn."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hebbscope import Network, Population, Projection, measure_drift
from hebbscope.models import LIF, Given, HomogeneousPoisson, PoissonBackground, Uniform
from hebbscope.models.neurons.diffusion import answers, barrier, noise, spectrum, stationary_rate
from hebbscope.rules import PairSTDP
from hebbscope.rules.pair_moments import FREQUENCIES, causal_drift, common_drift, diffusion

RULE = PairSTDP(A_plus=1.0, A_minus=0.8, tau_plus=17e-3, tau_minus=34e-3, eta=0.1)


def test_poisson_trains_spread_weights_as_the_formula_of_jumps_has_it():
    """Kempter et al. 1999 with w_in = w_out = 0: x y int W^2 + W~^2 x y (x + y)."""
    x, y = 20.0, 7.0
    flat = np.ones_like(FREQUENCIES)
    area, square = RULE.A_plus * 17e-3 - RULE.A_minus * 34e-3, (17e-3 + 0.8**2 * 34e-3) / 2
    expected = 0.1**2 * (x * y * square + area**2 * x * y * (x + y))
    assert diffusion(RULE, x, y, x * flat, y * flat) == pytest.approx(expected, rel=1e-12)
    assert RULE.drift(x, y) == pytest.approx(0.1 * area * x * y)
    steps = 1e-4 * np.arange(100_000)  # potentiation from lag 0 on, depression from the next step on
    sums = np.exp(-steps / 17e-3).sum() - 0.8 * np.exp(-steps[1:] / 34e-3).sum()
    assert RULE.drift(x, y, 1e-4) == pytest.approx(0.1 * x * y * 1e-4 * sums, rel=1e-9)


def test_a_spike_adds_what_it_causes():
    """An answer exp(-u / 5 ms) of area 0.02, of Poisson trains and of trains that are silent for a while around each spike."""
    tau, area, x = 5e-3, 0.02, 20.0

    def kick(s):
        return area / (1.0 + s * tau)

    itself = RULE.eta * x * area * RULE.tau_plus / (RULE.tau_plus + tau)
    assert causal_drift(RULE, x, np.full_like(FREQUENCIES, x), kick) == pytest.approx(itself, rel=1e-12)
    # with a covariance -b exp(-|s| / a) of the train; both integrals in closed form
    a, b = 12e-3, 150.0
    spectrum = x - 2.0 * a * b / (1.0 + (a * FREQUENCIES) ** 2)
    s = np.linspace(-0.4, 0.4, 80_001)
    u = np.linspace(0.0, 0.1, 2001)
    window = np.where(s <= 0, np.exp(np.minimum(s, 0) / 17e-3), -0.8 * np.exp(-np.maximum(s, 0) / 34e-3))
    inner = np.array([np.trapezoid(window * np.exp(-np.abs(s + lag) / a), s) for lag in u])
    others = -b * RULE.eta * np.trapezoid(inner * area / tau * np.exp(-u / tau), u)
    assert causal_drift(RULE, x, spectrum, kick) == pytest.approx(itself + others, rel=2e-3)


def test_what_comes_at_one_time_meets_in_the_wrong_order_after_a_delay():
    """A covariance b exp(-|s| / a), seen 2 ms late."""
    a, b, delay = 4e-3, 30.0, 2e-3
    covariance = 2.0 * a * b / (1.0 + (a * FREQUENCIES) ** 2)
    s = np.linspace(-0.4, 0.4, 800_001)
    window = np.where(s <= 0, np.exp(np.minimum(s, 0) / 17e-3), -0.8 * np.exp(-np.maximum(s, 0) / 34e-3))
    expected = RULE.eta * np.trapezoid(window * b * np.exp(-np.abs(s - delay) / a), s)
    assert common_drift(RULE, covariance, delay) == pytest.approx(expected, rel=2e-3)
    assert common_drift(RULE, covariance, delay) < common_drift(RULE, covariance)


@pytest.mark.parametrize("n_inhibitory", [1000, 1030])
def test_neurons_under_noise_learn_as_linear_response_says(n_inhibitory):
    """1000 cells, each with five plastic synapses of 20 Hz and 0.2 mV that stand still; a window in balance, so that causality is all the drift.

    The mean drift of each cell's synapses is a sample. Approximate: theory is of the first order in the weight, a twentieth of the sd of the potential.
    """
    n, length, weight, x, dt = 1000, 15.0, 0.2e-3, 20.0, 1e-4
    cell = LIF(E_L=0.0, drive=0.0, V_th=20e-3, V_reset=10e-3)
    rule = PairSTDP(A_plus=1e-9, A_minus=1e-9, w_max=1e-3)
    ex, inh = PoissonBackground(1000, 60.0, 0.2e-3), PoissonBackground(n_inhibitory, 56.0, 0.2e-3)
    start = {"v": Uniform(10e-3, 20e-3)}
    cells = Population("cells", n, cell, background={"excitatory": ex, "inhibitory": inh}, initial=start)
    inputs, own = Population("inputs", 5 * n, HomogeneousPoisson(x)), np.arange(5 * n)
    network = Network([inputs, cells], [Projection(inputs, cells, weight, rule, connectivity=Given(own, own // 5))])
    found = measure_drift(network, length, seeds=(1, 2), wait=0.5)
    (samples,) = found.samples.values()
    drift = samples.reshape(2 * n, 5).mean(axis=1)
    error = drift.std(ddof=1) / math.sqrt(2 * n)
    given = noise(cell, [(60e3, 0.2e-3), (56.0 * n_inhibitory, -0.2e-3), (5 * x, weight)], dt)
    seen = barrier(cell, given, dt)
    y = found.output_rate.mean()
    assert y == pytest.approx(stationary_rate(seen, given), rel=0.02)
    poisson = np.full_like(FREQUENCIES, x)
    causal = causal_drift(rule, x, poisson, lambda s: weight * answers(seen, given, s).kick)
    expected = causal + rule.drift(x, y, dt)
    assert abs(drift.mean() - expected) < 3 * error + 0.05 * expected and 3 * error < 0.15 * expected
    train = spectrum(y, answers(seen, given, 1j * FREQUENCIES).interval)
    spread = samples.var() * length / diffusion(rule, x, y, poisson, train)
    assert spread == pytest.approx(1.0, rel=0.06)
