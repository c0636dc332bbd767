"""Homeostatic scaling against its differential equation, in closed form where there is one, and the rate at which it keeps neurons that learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from interpreting import interpreted
from scipy.integrate import solve_ivp

from hebbscope import Network, ParameterError, Population, Projection, simulate
from hebbscope.models import HomogeneousPoisson, LinearPoisson
from hebbscope.rules import Static, SynapticScaling, Triplet

N_PRE, X = 5, 8.0  # sources and their rate [Hz]
GAIN = N_PRE * X  # Hz of the target for a mean weight of 1
STILL = Triplet(eta=0.0)
GROWING = Triplet(A2_plus=1e-3, A2_minus=0.0, A3_plus=0.0)  # dw/dt = A2_plus tau_plus x y


def layer(scaling, rule=STILL, start=0.5, n_post=1):
    inputs, cells = Population("inputs", N_PRE, HomogeneousPoisson(X)), Population("cells", n_post, LinearPoisson())
    return Network([inputs, cells], [Projection(inputs, cells, start, rule, normalisation=scaling)])


def rates(scaling, duration, every, rule=STILL, start=0.5):
    """Times [s] and output rates [Hz] of the weights of the moment, by the mean rates alone: nothing is drawn."""
    with interpreted():
        run = simulate(layer(scaling, rule, start), duration, level="rate", dt=scaling.every, record_every=every)
    return run.time, GAIN * run.weights[0, :, 0].mean(axis=-1)


@pytest.mark.parametrize("start", [0.05, 0.3])
def test_weights_alone_go_to_the_rate_as_a_logistic_curve(start):
    """Its time constant is 1 / (beta rho_0). Weights follow it in steps: of first order."""
    errors = []
    for every in (0.5, 0.25):
        scaling = SynapticScaling(rho_0=6.0, tau=1e-4, beta=0.01, gamma=0.0, every=every)
        t, y = rates(scaling, 100.25, 10.0, start=start)
        t = np.floor(t / every + 1e-9) * every  # of the last scaling
        logistic = 6.0 / (1.0 + (6.0 / (GAIN * start) - 1.0) * np.exp(-0.01 * 6.0 * t))
        errors.append(np.abs(y[1:-1] / logistic[1:-1] - 1.0).max())
    assert errors[0] < 0.02 and errors[1] == pytest.approx(0.5 * errors[0], rel=0.1)
    assert y[-1] == pytest.approx(6.0, rel=0.01)


def test_with_memory_it_follows_its_equation():
    """y = gain w; dw/dt = w [beta (rho_0 - a) + gamma m], dm/dt = rho_0 - a, tau da/dt = y - a: of first order in the interval."""
    rho_0, tau, beta, gamma = 6.0, 20.0, 2e-3, 3e-5

    def slope(t, x):
        w, a, m = x
        return [w * (beta * (rho_0 - a) + gamma * m), (GAIN * w - a) / tau, rho_0 - a]

    exact = solve_ivp(slope, (0.0, 400.0), [0.4, rho_0, 0.0], t_eval=np.arange(41) * 10.0, rtol=1e-10, atol=1e-12).y[0]
    errors = []
    for every in (1.0, 0.5):
        _, y = rates(SynapticScaling(rho_0, tau, beta, gamma, every), 400.0, 10.0, start=0.4)
        errors.append(np.abs(y / GAIN - exact).max())
    assert np.ptp(exact) > 0.2 and errors[0] < 0.02 and errors[1] == pytest.approx(0.5 * errors[0], rel=0.1)


@pytest.mark.parametrize("gamma, offset", [(0.0, 1.0), (1e-3, 0.0)])
def test_against_a_rule_only_the_integral_keeps_the_rate(gamma, offset):
    """Where weights grow by c x y the rate rests at rho_0 + c x gain / beta without it, and at rho_0 with it."""
    scaling = SynapticScaling(rho_0=6.0, tau=1.0, beta=0.02, gamma=gamma, every=0.1)
    _, y = rates(scaling, 600.0, 100.0, GROWING, start=0.2)
    above = GROWING.A2_plus * GROWING.tau_plus * X * GAIN / scaling.beta
    assert y[-1] == pytest.approx(6.0 + offset * above, rel=2e-3) and above > 0.2


def test_spiking_neurons_that_learn_keep_their_rate():
    """20 cells, from five times the rate: over 400 s within three standard errors of Poisson spikes, at most."""
    scaling = SynapticScaling(rho_0=6.0, tau=5.0, beta=4e-3, gamma=1e-4, every=0.5)
    network = layer(scaling, GROWING, start=0.75, n_post=20)
    run = simulate(network, 900.0, record_every=20.0, record_spikes={})
    y = run.output_rate[0, 1:].mean(axis=-1)
    error = math.sqrt(6.0 / (20 * 400.0))
    assert y[0] > 12.0 and abs(y[-20:].mean() - 6.0) < 3.0 * error
    ratios = run.final_weights[0] / run.final_weights[0].mean(axis=1, keepdims=True)
    assert ratios.std() > 1e-3  # those that the rule has made


def test_weights_that_only_scale_are_recorded():
    network = layer(SynapticScaling(beta=0.1, tau=0.1, every=0.1), Static(w_min=0.0, w_max=0.6))
    assert network.learning == network.projections
    with interpreted():
        run = simulate(network, 2.0, record_every=0.5)
    w = run.weights[0, :, 0]
    assert (w.max() <= 0.6) and np.ptp(w[:, 0]) > 0.0 and (w == w[:, :1]).all()


@pytest.mark.parametrize(
    "part, field",
    [
        (SynapticScaling(rho_0=0.0), "rho_0"),
        (SynapticScaling(tau=-1.0), "tau"),
        (SynapticScaling(beta=-1.0), "beta"),
        (SynapticScaling(gamma=math.inf), "gamma"),
        (SynapticScaling(every=0.0), "every"),
    ],
)
def test_a_bad_parameter_is_named(part, field):
    with pytest.raises(ParameterError) as caught:
        part.check()
    assert caught.value.field == field and "\n" not in str(caught.value)
