"""The learning equation: the paper's numbers as recalled and derived again, and the averaged drift by brute force in the time domain."""

import dataclasses
import math
from typing import NamedTuple

import naive
import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from hebbscope import compare, simulate
from hebbscope.models.inputs import (
    CommonSourcePoisson,
    HomogeneousPoisson,
    ModulatedPoisson,
    OrnsteinUhlenbeckPoisson,
    PatternPoisson,
    RecordedSpikes,
)
from hebbscope.models.neurons import ExponentialPoisson, LinearPoisson, PushPull
from hebbscope.rules import DoubleExponential, KempterWindow, PairSTDP, SpikeHebb, TabulatedWindow
from hebbscope.rules.reduction import LearningEquation, reduce
from hebbscope.simulator.network import Network, Population, Projection
from hebbscope.simulator.plain import Direct
from hebbscope.simulator.protocols import HebbscopeError, ParameterError

ETA = 1e-5
BASE = {"rate": 10.0, "amplitude": 10.0, "frequency": 40.0}
# Q in 1/s at amplitude 10 Hz, by frequency in Hz.
Q_OF_FREQUENCY = {
    0.1: 2.379e-6, 1: 2.713e-6, 2: 3.634e-6, 5: 7.442e-6, 10: 8.827e-6, 15: 6.266e-6, 20: 3.927e-6, 30: 1.551e-6,
    40: 6.837e-7, 50: 3.332e-7, 60: 1.758e-7, 80: 5.857e-8, 100: 2.318e-8, 150: 3.651e-9, 200: 8.70e-10,
}  # fmt: skip
# Q over the variance of the rate, in s, by correlation time in ms.
Q_OF_CORRELATION_TIME = {
    1: 1.383e-8, 2: 2.655e-8, 5: 5.586e-8, 10: 8.237e-8, 20: 9.865e-8, 50: 9.334e-8, 100: 7.910e-8, 1000: 5.187e-8,
}  # fmt: skip


def network(model, n, neuron=LinearPoisson(tau=10e-3), rule=SpikeHebb(KempterWindow(), eta=ETA), n_post=1, **keywords):
    inputs, target = Population("inputs", n, model), Population("neuron", n_post, neuron)
    return Network([inputs, target], [Projection(inputs, target, weights=0.02, rule=rule, **keywords)])


def kempter(
    n_constant=25, n_modulated=25, neuron=LinearPoisson(tau=10e-3), rule=SpikeHebb(KempterWindow(), eta=ETA), **changes
):
    return network(
        ModulatedPoisson(**{**BASE, **changes}, n_modulated=n_modulated), n_constant + n_modulated, neuron, rule
    )


# The paper's numbers


def test_coefficients_of_the_paper():
    equation = reduce(kempter())
    expected = {
        "W_integral": 4.750e-8, "k1": 1.000e-4, "k2": -1.0000e-4, "k3": 7.037e-5, "Q": 6.837e-7, "D": 2.489e-9, "D_relative": 1.473e-9,
    }  # fmt: skip
    assert equation.coefficients() == pytest.approx(expected, rel=1e-3)
    assert equation.nu == pytest.approx(10.0)
    assert equation.k3 == pytest.approx(10.0 * ETA * 19 / 27, rel=1e-12)


def test_predictions_of_the_paper():
    equation = reduce(kempter())
    predictions = equation.predictions()
    assert list(predictions) == [
        "mean_weight", "tau_mean", "growth_rate", "growth_rate_without_causal", "output_rate", "tau_noise",
    ]  # fmt: skip
    assert predictions["mean_weight"] == pytest.approx(0.020321, rel=1e-4)
    assert predictions["tau_mean"] == pytest.approx(203.2, rel=1e-3)
    assert predictions["growth_rate"] == pytest.approx(7.892e-5, rel=1e-3)
    assert predictions["growth_rate_without_causal"] == pytest.approx(8.546e-6, rel=1e-3)
    assert predictions["output_rate"] == pytest.approx(10.160, rel=1e-4)
    assert predictions["tau_noise"] == pytest.approx(0.020321**2 / 2.489e-9, rel=1e-3)
    assert equation.tau_structure == pytest.approx(1.267e4, rel=1e-3)
    assert equation.without_causal().k3 == 0.0
    assert equation.without_causal().mean_weight == pytest.approx(0.02 / (1 - 50 * 1.709e-7 / 5e-3), rel=1e-4)
    no_structure = reduce(kempter(amplitude=0.0))
    assert no_structure.mean_weight == pytest.approx(0.020285, rel=1e-4)
    assert no_structure.without_causal().mean_weight == pytest.approx(0.02, rel=1e-9)


def test_diffusion_at_ten_hertz_is_the_papers():
    """D 2.465e-9 and D' 1.465e-9 per s at an output rate of 10 Hz: without causal term and covariance that is the predicted one."""
    equation = reduce(kempter(amplitude=0.0), causal=False)
    assert equation.output_rate == pytest.approx(10.0, rel=1e-9)
    assert (equation.D, equation.D_relative) == pytest.approx((2.465e-9, 1.465e-9), rel=1e-3)
    nu, w_in, w_out, area = 10.0, ETA, -1.0475 * ETA, 4.75e-8
    first_form = (
        nu * w_in**2 + nu * w_out**2 + nu * nu * 3.6798e-12 + area * nu * nu * (2 * (w_in + w_out) + area * 2 * nu)
    )
    assert pytest.approx(first_form, rel=1e-4) == equation.D


def test_the_faster_epsp():
    assert reduce(kempter(neuron=LinearPoisson(tau=5e-3))).k3 == pytest.approx(1.1875e-4, rel=1e-9)


@pytest.mark.parametrize("frequency, expected", Q_OF_FREQUENCY.items())
def test_q_of_frequency(frequency, expected):
    assert pytest.approx(expected, rel=1e-3) == reduce(kempter(frequency=float(frequency))).Q


@pytest.mark.parametrize("tau_c, expected", Q_OF_CORRELATION_TIME.items())
def test_q_of_correlated_noise(tau_c, expected):
    sd = 1.0  # a tenth of the rate: nothing is clipped
    equation = reduce(network(OrnsteinUhlenbeckPoisson(rate=10.0, sd=sd, tau_c=1e-3 * tau_c, n_modulated=25), 50))
    assert equation.Q / sd**2 == pytest.approx(expected, rel=1e-3)


def test_times_to_segregation():
    equation = reduce(kempter())
    assert equation.time_to_segregation() == pytest.approx(2.95e4, rel=3e-3)
    assert equation.without_causal().time_to_segregation() == pytest.approx(8.12e4, rel=3e-3)
    assert reduce(kempter(amplitude=0.0)).time_to_segregation() == math.inf
    assert reduce(kempter(amplitude=0.0), causal=False).time_to_segregation() == math.inf


@pytest.mark.parametrize(
    "t, spike, surrogate", [(2000, 0.00184, 0.00171), (10000, 0.00567, 0.00383), (20000, 0.01278, 0.00541)]
)
def test_spread_within_groups(t, spike, surrogate):
    equation = reduce(kempter())
    assert equation.spread(t) == pytest.approx(spike, rel=5e-3)
    assert equation.spread(t, causal=False) == pytest.approx(surrogate, rel=5e-3)
    np.testing.assert_allclose(equation.without_causal().spread(np.array([0.0, t])), [0.0, surrogate], rtol=5e-3)


MOVING = {
    "balanced pairs": (PairSTDP(ETA, ETA, w_max=1.0), 20.0),
    "pairs that depress": (PairSTDP(ETA, 1.05 * ETA, w_max=1.0), 20.0),
    "a window far from rest": (SpikeHebb(KempterWindow(), eta=ETA, w_out=-1.0475), 20.0),
    "a window on its way to rest": (SpikeHebb(KempterWindow(), eta=ETA, w_out=-1.0475), 300.0),
}


@pytest.mark.parametrize("level", ["spike", "surrogate"])
@pytest.mark.parametrize("rule, duration", MOVING.values(), ids=MOVING)
def test_spread_of_weights_that_do_not_rest(rule, duration, level):
    """20 inputs of 50 Hz, 16 seeds: within three standard errors over seeds, which are below a tenth. The last goes from 20 Hz to 60 Hz meanwhile."""
    layer = network(HomogeneousPoisson(50.0), 20, LinearPoisson(), rule)
    run = simulate(layer, duration, seeds=range(1, 17), level=level)
    row = compare(run, simulate(layer, duration, level="rate")).row(level, "spread")
    assert abs(row.mean - row.theory) < 3.0 * row.error < 0.3 * row.theory, row


def test_the_course_of_the_spread_of_unequal_rates_is_that_of_its_variance():
    """V' = 2 k3 V + D' of each synapse at the output rate of the moment, by scipy; along records of a three-hundredth of the time."""
    layer = network(
        HomogeneousPoisson(np.linspace(10.0, 90.0, 20)), 20, LinearPoisson(), MOVING["a window far from rest"][0]
    )
    run, equation = simulate(layer, 300.0, level="rate", record_every=1.0), reduce(layer)
    nu, k3 = equation.rates, equation.k3

    def slope(t, variance):
        out = np.array([np.interp(t, run.time, weights) for weights in run.weights[0, :, 0].T]) @ nu
        return (
            2 * k3 * variance
            + nu * (equation.w_in + equation.W_integral * out) ** 2
            + nu * out * equation.W_square_integral
        )

    end = solve_ivp(slope, (0.0, 300.0), np.zeros(20), max_step=1.0, rtol=1e-8).y[:, -1]
    assert run.theory["spread"][-1] == pytest.approx(math.sqrt(end.mean()), rel=1e-4)


def test_diffusion_is_that_of_the_start_where_nothing_rests():
    """nu (W~ nu_out)^2 + nu_out (W~ nu)^2 + nu nu_out int W^2 at 20 Hz; and it says so. At rest all is as ever."""
    equation = reduce(network(HomogeneousPoisson(50.0), 20, LinearPoisson(), MOVING["pairs that depress"][0]))
    area, square = -0.05 * ETA * 20e-3, (1.0 + 1.05**2) * ETA**2 * 10e-3
    assert pytest.approx(50 * (20 * area) ** 2 + 20 * (50 * area) ** 2 + 1000 * square, rel=1e-9) == equation.D
    assert equation.D_relative == pytest.approx(50 * (20 * area) ** 2 + 1000 * square, rel=1e-9)
    assert equation.tau_noise == pytest.approx(0.02**2 / equation.D, rel=1e-12)
    assert equation.diffusion_at == "start" and reduce(kempter()).diffusion_at == "rest"
    words = "D, D_relative and tau_noise are at the start, mean weight 0.02 and output 20 Hz"
    assert words in repr(equation) and words in equation._repr_html_() and "at the start" not in repr(reduce(kempter()))
    unknown = dataclasses.replace(equation, start=None)
    assert unknown.diffusion_at == "nowhere" and np.isnan([unknown.D, unknown.D_relative, unknown.tau_noise]).all()
    assert "D, D_relative and tau_noise are not known" in repr(unknown)


@pytest.mark.parametrize(
    "n_constant, n_modulated, frequency", [(10, 40, 10.0), (45, 5, 5.0), (7, 93, 40.0), (25, 25, 0.1)]
)
def test_group_sizes(n_constant, n_modulated, frequency):
    """The closed formulas for two groups of equal rates."""
    equation = reduce(kempter(n_constant, n_modulated, frequency=frequency))
    n, q, k3 = n_constant + n_modulated, Q_OF_FREQUENCY[frequency], 7.037e-5
    slope = n * (-1e-4 + (n_modulated / n) ** 2 * q) + k3
    assert equation.mean_weight == pytest.approx(-1e-4 / slope, rel=1e-3)
    assert equation.tau_mean == pytest.approx(-1 / slope, rel=1e-3)
    assert equation.growth_rate == pytest.approx(k3 + n_constant * n_modulated * q / n, rel=1e-3)
    assert equation.growth_rate_without_causal == pytest.approx(n_constant * n_modulated * q / n, rel=1e-3)


def test_a_covariance_that_decays_structure():
    """With the window mirrored, correlated inputs lose; the growth rate keeps the sign of their covariance."""
    equation = reduce(
        kempter(rule=SpikeHebb(DoubleExponential(-1.0, -0.525, 20e-3, 40e-3), eta=ETA, w_out=-1.0), frequency=5.0)
    )
    assert equation.Q < 0.0
    assert equation.growth_rate_without_causal == pytest.approx(12.5 * equation.Q, rel=1e-6)


def test_one_group_alone_has_no_structure_but_that_of_chance():
    for equation in (reduce(kempter(0, 50)), reduce(kempter(50, 0)), reduce(kempter(1, 0))):
        assert equation.growth_rate == pytest.approx(7.037e-5, rel=1e-4)
        assert equation.growth_rate_without_causal == pytest.approx(0.0, abs=1e-12)


# Brute force


def drift_by_brute_force(weights, lambdas, period, formula, eps, neuron, rule, causal=True):
    """Time average over a period of w_in S_i + w_out S_out + int W(s) <S_i(t + s) S_out(t)> ds, all on one grid of time.

    lambdas (n, n_grid): the rates over one period.
    """
    n_grid = lambdas.shape[1]
    h = period / n_grid
    reach = round(0.4 / h)
    # W and eps folded onto one period, at midpoints so that their jumps lie between points
    around = (np.arange(-reach, reach) + 0.5) * h
    folded_window, folded_eps = np.zeros(n_grid), np.zeros(n_grid)
    np.add.at(folded_window, np.arange(-reach, reach) % n_grid, [formula(s) * h for s in around])
    np.add.at(folded_eps, np.arange(reach) % n_grid, eps(around[reach:]) * h)
    folded_eps /= folded_eps.sum()
    smooth = np.fft.ifft(np.fft.fft(lambdas) * np.fft.fft(folded_eps)).real  # Lambda_j(t + h / 2)
    rate = neuron.gain * (neuron.base_rate - neuron.threshold + weights @ smooth)
    # The midpoints of W and of eps add up to a shift by one point.
    ahead = np.fft.ifft(np.fft.fft(lambdas) * np.conj(np.fft.fft(folded_window))).real
    pairs = (np.roll(ahead, -1, axis=1) * rate).mean(axis=1)
    own = quad(lambda s: formula(s) * eps(np.array([-s]))[0], -0.4, 0, epsabs=1e-14, limit=500, points=[-1e-2])[0]
    mean = lambdas.mean(axis=1)
    out = rule.w_in * mean + rule.w_out * rate.mean() + pairs
    return rule.eta * (out + causal * neuron.gain * weights * mean * own)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(
    "window, formula",
    [
        (KempterWindow(), naive.kempter_window),
        (DoubleExponential(1.0, 0.5, 17e-3, 34e-3), lambda s: naive.double_exponential(s, 1.0, 0.5, 17e-3, 34e-3)),
        (TabulatedWindow(np.array([-20e-3, -5e-3, 5e-3, 30e-3]), np.array([0.0, 2.0, -1.0, 0.0])),
         lambda s: float(np.interp(s, [-20e-3, -5e-3, 5e-3, 30e-3], [0, 2, -1, 0], left=0, right=0))),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "neuron", [LinearPoisson(tau=10e-3), ExponentialPoisson(tau=4e-3, base_rate=7.0, gain=1.7, threshold=2.0)], ids=str
)
def test_drift_for_unequal_rates_phases_and_frequencies(window, formula, neuron, causal):
    n = 6
    generator = np.random.default_rng(5)
    rate = generator.uniform(5, 30, n)
    amplitude = rate * np.array([0, 0.5, 1, 0.8, 0.3, 1])
    frequency = np.array([40, 40, 10, 40, 10, 20.0])
    phase = generator.uniform(0, 6, n)
    rule = SpikeHebb(window, eta=ETA, w_in=0.7, w_out=-1.3)
    model = ModulatedPoisson(rate=rate, amplitude=amplitude, frequency=frequency, phase=phase)
    equation = reduce(network(model, n, neuron, rule), causal=causal)
    weights = generator.uniform(0.01, 0.05, n)
    t = np.arange(4000) / 4000 * 0.1
    lambdas = rate[:, None] + amplitude[:, None] * np.cos(2 * np.pi * frequency[:, None] * t + phase[:, None])
    expected = drift_by_brute_force(weights, lambdas, 0.1, formula, neuron.epsp, neuron, rule, causal)
    np.testing.assert_allclose(equation.drift(weights), expected, rtol=2e-3, atol=2e-4 * np.abs(expected).max())
    assert np.shape(equation.k1) == (n,)
    assert np.shape(equation.k3) == ((n,) if causal else ())


@pytest.mark.parametrize("in_order", [0, 1])
def test_drift_for_patterns(in_order):
    """Patterns in order are one periodic input; in random order only one pattern is seen at a time."""
    patterns = np.array([[20.0, 0.0, 7.0], [0.0, 30.0, 7.0], [10.0, 5.0, 7.0], [3.0, 0.0, 7.0]])
    held, neuron, rule = 30e-3, LinearPoisson(tau=5e-3), SpikeHebb(KempterWindow(), eta=ETA)
    equation = reduce(network(PatternPoisson(patterns, held, in_order), 3, neuron, rule))
    weights = np.array([0.1, 0.2, 0.3])
    orders = [np.arange(4)] if in_order else [np.random.default_rng(k).integers(0, 4, 200) for k in range(16)]
    drifts = []
    for order in orders:
        shown = patterns[order]
        if not in_order:  # the mean pattern, not that of this sequence
            shown = shown + patterns.mean(axis=0) - shown.mean(axis=0)
        lambdas = np.repeat(shown, 300, axis=0).T
        drifts.append(
            drift_by_brute_force(weights, lambdas, held * len(order), naive.kempter_window, neuron.epsp, neuron, rule)
        )
    spread = 4 * np.std(drifts, axis=0) / math.sqrt(len(drifts))
    np.testing.assert_allclose(
        equation.drift(weights), np.mean(drifts, axis=0), rtol=3e-3, atol=2e-7 + float(spread.max())
    )


@pytest.mark.parametrize("held", [0.05, 0.25, 3.0])
def test_slow_windows_see_all_rounds_of_patterns_in_order(held):
    """The rates are periodic: Q_ij is the sum over their harmonics of c_i(f) conj(c_j(f)) W(f) eps(f), whatever the window remembers."""
    patterns = np.random.default_rng(1).gamma(1.0, 10.0, (8, 4))
    window, neuron = DoubleExponential(tau_plus=0.5, tau_minus=1.0, A_minus=0.5), LinearPoisson()
    equation = reduce(network(PatternPoisson(patterns, held, 1), 4, neuron, SpikeHebb(window, eta=ETA)))
    k = np.arange(1, 4001)
    f = k / (8 * held)
    hold = np.exp(-1j * np.pi * f * held) * np.sinc(f * held) / 8  # of one presentation, among its eight
    c = hold[:, None] * (np.exp(-2j * np.pi * np.outer(k, np.arange(8)) / 8) @ patterns)
    gains = window.transform(2 * np.pi * f) * neuron.epsp_transform(2 * np.pi * f)
    expected = 2.0 * ETA * np.einsum("f,fi,fj->ij", gains, c, c.conj()).real
    np.testing.assert_allclose(equation.left @ equation.right.T, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("jitter", [0.0, 4e-3])
def test_common_source(jitter):
    """Q_ij = c k3 between synapses without jitter; a synapse's own total is k3, whatever c and jitter."""
    equation = reduce(network(CommonSourcePoisson(rate=10.0, c=0.3, jitter=jitter, n_correlated=5), 8))
    matrix = equation.matrix() - equation.gain * np.outer(equation.per_output_spike, equation.rates)
    k3 = 10.0 * ETA * 19 / 27
    np.testing.assert_allclose(np.diag(matrix), k3, rtol=1e-9)
    np.testing.assert_allclose(matrix[:3][~np.eye(8, dtype=bool)[:3]], 0.0, atol=1e-18)
    window, neuron = KempterWindow(), LinearPoisson(tau=10e-3)

    def lag_density(t):
        return math.exp(-abs(t) / jitter) / (2 * jitter)

    expected = 0.3 * k3
    if jitter:
        expected = 0.3 * 10.0 * ETA * sum(
            quad(lambda t: float(window.convolved(neuron, t)) * lag_density(t), *ends, limit=200)[0] for ends in ((-0.2, 0), (0, 0.2))
        )  # fmt: skip
    np.testing.assert_allclose(matrix[3:, 3:][~np.eye(5, dtype=bool)], expected, rtol=1e-6)
    # As a surrogate the twin of a synapse is one more correlated train.
    surrogate = equation.without_causal().matrix() - equation.gain * np.outer(equation.per_output_spike, equation.rates)
    np.testing.assert_allclose(np.diag(surrogate)[3:], expected, rtol=1e-6)


def test_recorded_trains():
    """The average drift of a played recording is the sum over its pairs of spikes."""
    generator = np.random.default_rng(2)
    times, sources = np.sort(generator.uniform(0, 2.0, 40)), generator.integers(0, 2, 40)
    equation = reduce(
        network(RecordedSpikes(times, sources, 2.0), 2, rule=SpikeHebb(KempterWindow(), eta=ETA, w_in=0.0, w_out=0.0))
    )
    window, neuron = KempterWindow(), LinearPoisson(tau=10e-3)
    weights = np.array([0.3, 0.1])
    lags = times[:, None] - times[None]
    response = window.convolved(neuron, lags) * weights[sources][None]
    expected = np.array([response[sources == i].sum() for i in range(2)]) * ETA / 2.0
    np.testing.assert_allclose(equation.drift(weights), expected, rtol=1e-9)


def test_transmission():
    n = 8
    model = ModulatedPoisson(rate=np.arange(5.0, 13.0), amplitude=2.0, n_modulated=3)
    plain = reduce(network(model, n)).matrix()
    assert np.allclose(reduce(network(model, n, transmission=Direct(0.5))).matrix(), 0.5 * plain)
    opposed = np.eye(n) - np.roll(np.eye(n), n // 2, axis=1)
    np.testing.assert_allclose(
        reduce(network(model, n, transmission=PushPull())).matrix(), plain @ opposed, rtol=1e-12, atol=1e-20
    )


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_printed_coefficients_hold_the_scale_of_the_transmission(scale):
    """The matrix that the equation applies is the one that k2, Q and k3 say, for any scale."""
    n = 6
    model = ModulatedPoisson(10.0, 10.0, 40.0, 0.0, n)
    equation = reduce(network(model, n, transmission=Direct(scale)))
    said = equation.k2 + equation.Q * np.ones((n, n)) + equation.k3 * np.eye(n)
    assert np.allclose(equation.matrix(), said, rtol=1e-12)
    assert np.isclose(equation.mean_weight * scale, reduce(network(model, n)).mean_weight, rtol=1e-12)
    assert np.isclose(equation.k3, scale * reduce(network(model, n)).k3, rtol=1e-12)


# Structure of the equation


def random_equation(n=40, causal=True, seed=0):
    generator = np.random.default_rng(seed)
    model = ModulatedPoisson(
        rate=generator.uniform(8, 12, n), amplitude=generator.uniform(0, 8, n), phase=generator.uniform(0, 6, n)
    )
    return reduce(network(model, n), causal=causal)


def test_matrix_free_is_the_matrix():
    equation = random_equation()
    weights = np.random.default_rng(1).normal(size=(3, equation.n))
    np.testing.assert_allclose(equation.apply(weights), weights @ equation.matrix().T, rtol=1e-11)
    np.testing.assert_allclose(
        equation.drift(weights[0]), equation.constant + equation.matrix() @ weights[0], rtol=1e-11
    )
    explicit = (
        np.outer(equation.per_output_spike, equation.rates) + equation.left @ equation.right.T + np.diag(equation.own)
    )
    np.testing.assert_allclose(equation.matrix(), explicit, rtol=1e-12)
    q = equation.left @ equation.right.T
    assert abs(equation.Q) == pytest.approx(np.abs(q).max())


def test_mean_weight_is_where_equal_weights_do_not_drift_on_average():
    equation = random_equation()
    assert equation.drift(np.full(equation.n, equation.mean_weight)).mean() == pytest.approx(0.0, abs=1e-16)
    slope = equation.drift(np.full(equation.n, 1.0)).mean() - equation.drift(np.zeros(equation.n)).mean()
    assert equation.tau_mean == pytest.approx(-1 / slope)
    assert equation.output_rate_of(np.full((2, equation.n), equation.mean_weight)) == pytest.approx(
        [equation.output_rate] * 2
    )


@pytest.mark.parametrize("causal", [True, False])
def test_growth_rate_of_unequal_rates_is_the_limit_of_fast_normalisation(causal):
    """With normalisation made ever faster, the largest eigenvalue of the whole matrix tends to it."""
    equation = random_equation(causal=causal)
    fast = dataclasses.replace(equation, w_out=1e5 * equation.w_out, W_integral=1e5 * equation.W_integral)
    assert equation.growth_rate == pytest.approx(np.linalg.eigvals(fast.matrix()).real.max(), rel=1e-3)


def test_eigenmodes_and_fixed_point():
    equation = random_equation()
    values, modes = equation.eigenmodes()
    np.testing.assert_allclose(equation.matrix() @ modes, modes * values, atol=1e-15)
    assert np.all(np.diff(values.real) <= 0)
    assert equation.drift(equation.fixed_point()) == pytest.approx(0.0, abs=1e-13)
    assert reduce(kempter()).drift(reduce(kempter()).fixed_point()) == pytest.approx(0.0, abs=1e-13)
    some = equation.eigenmodes(3)
    assert some[0].shape == (3,) and some[1].shape == (equation.n, 3)


def test_no_fixed_point_is_said():
    homogeneous = reduce(network(HomogeneousPoisson(np.array([5.0, 10.0, 20.0])), 3), causal=False)
    with pytest.raises(HebbscopeError, match="no weights make every drift vanish"):
        homogeneous.fixed_point()


def test_many_synapses_need_no_matrix():
    equation = reduce(kempter(10_000, 10_000, rate=1.0, amplitude=1.0))
    assert equation.growth_rate == pytest.approx(7.037e-6 + 5000 * 6.837e-9, rel=1e-3)
    assert 0 < equation.time_to_segregation() < math.inf
    assert pytest.approx(6.837e-9, rel=1e-3) == equation.Q
    assert equation.drift(equation.fixed_point()) == pytest.approx(0.0, abs=1e-12)


def test_bounds_and_errors():
    equation = reduce(kempter(rule=SpikeHebb(KempterWindow(), eta=ETA, w_min=0.01, w_max=0.1)))
    assert (equation.w_min, equation.w_max) == (0.01, 0.1)
    # 25 Q J (exp(growth t) - 1) / growth reaches twice the way to the lower bound
    way, growth = equation.mean_weight - 0.01, equation.growth_rate
    expected = math.log1p(2 * way * growth / (25 * equation.Q * equation.mean_weight)) / growth
    assert equation.time_to_segregation() == pytest.approx(expected, rel=1e-2)

    class Unknown(NamedTuple):
        w_min: float = 0.0
        w_max: float = 1.0

        def check(self): ...
        def init(self, n_pre, n_post): ...
        def on_pre(self, state, w, j, t): ...
        def on_post(self, state, w, i, t): ...

    with pytest.raises(HebbscopeError, match="Unknown: has no averaged learning equation"):
        reduce(network(HomogeneousPoisson(), 3, rule=Unknown()))


@pytest.mark.parametrize(
    "window", [KempterWindow(A_minus=-1e308), KempterWindow(tau_minus=1e300), DoubleExponential(A_plus=1e200)]
)
def test_a_rule_out_of_all_proportion_is_refused(window):
    with np.errstate(all="ignore"), pytest.raises(HebbscopeError, match="must be at most 1e\\+60 in size, got"):
        reduce(kempter(rule=SpikeHebb(window, eta=ETA)))


def test_numbers_at_the_end_of_their_range_are_no_errors():
    equation = reduce(network(HomogeneousPoisson(), 3, LinearPoisson(gain=1e-300)))
    assert math.isinf(equation.predictions()["tau_noise"])
    for rule, named, value in (
        (SpikeHebb(KempterWindow(), eta=1e200), "SpikeHebb.eta", r"1e\+200"),
        (SpikeHebb(KempterWindow(tau_syn=1e308), eta=ETA), "KempterWindow.tau_syn", r"1e\+308"),
    ):
        words = rf"{named}: must be nearer to 1 \(the learning equation is beyond .*\), got {value}"
        with np.errstate(all="ignore"), pytest.raises(ParameterError, match=words):
            reduce(kempter(rule=rule))


def test_prints():
    equation = reduce(kempter())
    assert isinstance(equation, LearningEquation)
    text = repr(equation)
    assert text.startswith("LearningEquation of 50 synapses, with the causal term")
    assert "k3                          7.037e-05 1/s" in text
    assert "<td>tau_mean</td><td>203.2</td><td>s</td>" in equation._repr_html_()


class Unstated(NamedTuple):
    """A part with the field of its kind's own parts that is there, and nothing that an average needs."""

    rate: float = 10.0

    def candidate_rate(self, state):
        return self.rate

    def bound(self, state):
        return self.rate


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda p: object.__setattr__(p.source, "model", Unstated()),
            r"Unstated\.mean_rates: must be there for the learn",
        ),
        (lambda p: object.__setattr__(p.target, "model", Unstated()), r"Unstated\.gain: .* as in the parts of"),
        (
            lambda p: object.__setattr__(p, "rule", p.rule._replace(window=Unstated())),
            r"Unstated\.integral: .* as in the parts of",
        ),
    ],
    ids=["input", "neuron", "window"],
)
def test_parts_that_do_not_state_their_average_are_named(change, words):
    described = network(HomogeneousPoisson(), 3)
    change(described.projections[0])
    with pytest.raises(ParameterError, match=words):
        reduce(described)
