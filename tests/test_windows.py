"""Learning windows: closed forms against quadrature of the printed formulas, hooks against direct sums over pairs of spikes."""

import functools
import math

import naive
import numpy as np
import pytest
from replay import replay
from scipy.integrate import quad
from scipy.signal import fftconvolve

from hebbscope.models.neurons import ExponentialPoisson, LinearPoisson
from hebbscope.rules import DoubleExponential, KempterWindow, SpikeHebb, TabulatedWindow
from hebbscope.rules.window_integrals import q_by_quadrature
from hebbscope.simulator.protocols import (
    Cosine,
    Delta,
    Empirical,
    Exponential,
    Gaussian,
    HebbscopeError,
    ParameterError,
    Sine,
    Triangle,
)

OTHER = {"A_plus": 1.3, "A_minus": -0.4, "tau_plus": 2e-3, "tau_minus": 11e-3, "tau_syn": 7e-3}
PAIR = {"A_plus": 1.0, "A_minus": 0.5, "tau_plus": 17e-3, "tau_minus": 34e-3}
POINTS = np.array([-30e-3, -12e-3, -5e-3, -1e-3, 2e-3, 9e-3, 40e-3])
HEIGHTS = np.array([0.2, 1.1, 2.0, -0.3, -1.5, -0.4, 0.1])


def broken_line(s):
    """The table written out, one segment after the other."""
    for a, b, y, z in zip(POINTS[:-1], POINTS[1:], HEIGHTS[:-1], HEIGHTS[1:], strict=True):
        if a <= s <= b:
            return y + (z - y) * (s - a) / (b - a)
    return 0.0


WINDOWS = {
    "kempter": (KempterWindow(), naive.kempter_window),
    "kempter, others": (KempterWindow(**OTHER), lambda s: naive.kempter_window(s, **OTHER)),
    "double exponential": (DoubleExponential(**PAIR), lambda s: naive.double_exponential(s, **PAIR)),
    "table": (TabulatedWindow(POINTS, HEIGHTS), broken_line),
}
NEURONS = {"alpha": LinearPoisson(tau=10e-3), "exponential": ExponentialPoisson(tau=6e-3)}
# One kernel shares its time constant with both neurons' and one window's: nothing singular may come of it.
KERNELS = [
    Exponential(1e-3),
    Exponential(10e-3),
    Exponential(6e-3),
    Exponential(5e-3),
    Exponential(0.5),
    Cosine(40.0),
    Sine(15.0),
    Delta(),
    Delta(2.5),
    Gaussian(2e-3),
    Gaussian(20e-3),
    Triangle(8e-3),
    Triangle(8e-3, 16e-3),
    Triangle(0.1, -0.1),
]


class ByValues:
    """A neuron of which nothing is known but the values of its EPSP."""

    def __init__(self, neuron):
        self.epsp, self.epsp_support, self.epsp_transform = neuron.epsp, neuron.epsp_support, neuron.epsp_transform


def cut(f, cuts=(0.0, *POINTS), reach=2.0):
    """Quadrature of f over the real line, piece by piece."""
    edges = sorted({-reach, -0.2, *cuts, 0.1, 0.3, reach})
    return sum(
        quad(f, a, b, epsabs=1e-15, epsrel=1e-12, limit=200)[0] for a, b in zip(edges[:-1], edges[1:], strict=True)
    )


def kernel_function(kernel, t):
    match kernel:
        case Exponential(tau):
            return np.exp(-np.abs(t) / tau)
        case Cosine(f):
            return np.cos(2 * np.pi * f * t)
        case Sine(f):
            return np.sin(2 * np.pi * f * t)
        case Gaussian(sd):
            return np.exp(-(t**2) / (2 * sd**2)) / math.sqrt(2 * np.pi * sd**2)
        case Triangle(width, shift):
            return np.clip(1 - np.abs(t - shift) / width, 0, None)


@pytest.mark.parametrize("name", WINDOWS)
def test_values_are_the_printed_formula(name):
    window, formula = WINDOWS[name]
    s = np.concatenate([np.linspace(-0.1, 0.1, 401), POINTS])
    np.testing.assert_allclose(window.value(s), [formula(x) for x in s], rtol=1e-12, atol=1e-14)
    assert window.value(0.0) == pytest.approx(formula(0.0))


@pytest.mark.parametrize("name", WINDOWS)
def test_integrals_agree_with_quadrature(name):
    window, formula = WINDOWS[name]
    assert window.integral() == pytest.approx(cut(formula), rel=1e-9)
    assert window.square_integral() == pytest.approx(cut(lambda s: formula(s) ** 2), rel=1e-9)
    for omega in (0.0, 1e-3, 30.0, 250.0, 3000.0):
        real = cut(lambda s, omega=omega: formula(s) * math.cos(omega * s))
        imaginary = cut(lambda s, omega=omega: formula(s) * math.sin(omega * s))
        assert window.transform(omega) == pytest.approx(real + 1j * imaginary, rel=1e-6, abs=1e-10)
    np.testing.assert_allclose(window.transform(np.array([30.0, 250.0]))[1], window.transform(250.0))


@pytest.mark.parametrize("neuron", NEURONS)
@pytest.mark.parametrize("name", WINDOWS)
def test_overlap_and_response_agree_with_quadrature(name, neuron):
    window, formula = WINDOWS[name]
    neuron = NEURONS[neuron]
    for t in (0.0, -20e-3, -1e-4, 1e-4, 7e-3, 60e-3):
        expected = cut(lambda s, t=t: formula(s) * float(neuron.epsp(t - s)) if s < t else 0.0, cuts=(0.0, t, *POINTS))
        assert window.convolved(neuron, t) == pytest.approx(expected, rel=1e-8, abs=1e-12)
        assert window.convolved(ByValues(neuron), t) == pytest.approx(expected, rel=1e-8, abs=1e-12)
    assert window.overlap(neuron) == pytest.approx(
        cut(lambda s: formula(s) * float(neuron.epsp(-s)) if s < 0 else 0.0), rel=1e-8
    )


@functools.cache
def response_on_grid(name, neuron, h=2e-5):
    """Times, and int W(s) eps(t - s) ds there, by a sum over a grid of s and u."""
    s = (np.arange(-20_000, 20_000) + 0.5) * h
    u = (np.arange(20_000) + 0.5) * h
    response = h * fftconvolve([WINDOWS[name][1](x) for x in s], NEURONS[neuron].epsp(u))
    return s[0] + u[0] + h * np.arange(len(response)), response


@pytest.mark.parametrize("neuron", NEURONS)
@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_q_agrees_with_the_double_sum(name, neuron, kernel):
    """int int W(s) eps(u) k(s + u) du ds as a sum over a fine grid."""
    t, response = response_on_grid(name, neuron)
    h = t[1] - t[0]
    if isinstance(kernel, Delta):
        expected = kernel.weight * response[np.argmin(np.abs(t))]
    else:
        expected = h * np.sum(response * kernel_function(kernel, t))
    size = (
        h * np.abs(response).sum() * (1.0 if isinstance(kernel, (Exponential, Cosine, Sine, Triangle)) else 1 / 20e-3)
    )
    assert WINDOWS[name][0].q(NEURONS[neuron], kernel) == pytest.approx(expected, rel=1e-3, abs=1e-4 * size)


@pytest.mark.parametrize("tau", [1e-4, 1e-3, 5e-3, 6e-3, 10e-3, 10.0])
@pytest.mark.parametrize("neuron", NEURONS.values())
@pytest.mark.parametrize("name", ["kempter", "kempter, others", "double exponential"])
def test_closed_forms_agree_with_panels(name, neuron, tau):
    window = WINDOWS[name][0]
    assert window.q(neuron, Exponential(tau)) == pytest.approx(
        q_by_quadrature(window, neuron, Exponential(tau)), rel=1e-9
    )
    assert window.q(neuron, Gaussian(tau)) == pytest.approx(window.q(ByValues(neuron), Gaussian(tau)), rel=1e-7)


def test_a_kernel_of_ones_own():
    class Slow:
        def value(self, t):
            return np.exp(-np.abs(t) / 30e-3)

    window, neuron = WINDOWS["kempter"][0], NEURONS["alpha"]
    assert window.q(neuron, Slow()) == pytest.approx(window.q(neuron, Exponential(30e-3)), rel=1e-9)
    with pytest.raises(HebbscopeError, match="object: a covariance kernel needs a method value"):
        window.q(neuron, object())


@pytest.mark.parametrize("name", WINDOWS)
def test_recorded_trains(name):
    """The sum over pairs of recorded spikes, each with its own integral."""
    window, formula = WINDOWS[name]
    neuron, duration = NEURONS["alpha"], 0.5
    generator = np.random.default_rng(3)
    times, sources = np.sort(generator.uniform(0, duration, 14)), generator.integers(0, 3, 14)
    found = window.q(neuron, Empirical(times, sources, 3, duration))
    counts = np.bincount(sources, minlength=3)
    expected = -np.outer(counts, counts) / duration**2 * cut(formula)
    for a in range(14):
        for b in range(14):
            if a != b:
                lag = times[a] - times[b]
                pair = cut(
                    lambda s, t=lag: formula(s) * float(neuron.epsp(t - s)) if s < t else 0.0, cuts=(0.0, lag, *POINTS)
                )
                expected[sources[a], sources[b]] += pair / duration
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_published_numbers():
    window, neuron = KempterWindow(), LinearPoisson(tau=10e-3)
    assert window.integral() == pytest.approx(4.75e-3, rel=1e-12)
    assert window.square_integral() == pytest.approx(0.036798, rel=1e-4)
    assert window.overlap(neuron) == pytest.approx(19 / 27, rel=1e-12)
    assert window.overlap(LinearPoisson(tau=5e-3)) == pytest.approx(1.1875, rel=1e-12)
    assert window.value(-5e-3) == pytest.approx(1.7474, rel=1e-4)
    assert window.value(3.153e-3) == pytest.approx(-0.8114, rel=1e-4)
    pair = DoubleExponential(**PAIR)
    tau = NEURONS["exponential"].tau
    assert pair.integral() == pytest.approx(17e-3 - 0.5 * 34e-3)
    assert pair.overlap(NEURONS["exponential"]) == pytest.approx(17e-3 / (17e-3 + tau))
    assert pair.overlap(NEURONS["alpha"]) == pytest.approx((17e-3 / (17e-3 + 10e-3)) ** 2)
    assert pair.square_integral() == pytest.approx((17e-3 + 0.25 * 34e-3) / 2)


# Hooks, as plain Python


@pytest.mark.parametrize("name", WINDOWS)
def test_hooks_sum_over_pairs(name):
    window, formula = WINDOWS[name]
    generator = np.random.default_rng(1)
    state = window.init(3, 2)
    # Doublets, a silence long enough to move the origin of every trace, and one much longer.
    times = np.sort(
        np.concatenate(
            [generator.uniform(0, 2, 200), 10 + generator.uniform(0, 0.2, 50), 5e4 + generator.uniform(0, 0.5, 50)]
        )
    )
    pre, post = [[] for _ in range(3)], [[] for _ in range(2)]
    for t in times:
        if generator.random() < 0.6:
            j = int(generator.integers(3))
            scale = window.post_scale(state, t)
            for i in range(2):
                expected = sum(formula(t - other) for other in post[i])
                assert window.from_post(state, i, t, scale) == pytest.approx(expected, rel=1e-9, abs=1e-9)
            window.add_pre(state, j, t)
            pre[j].append(t)
        else:
            i = int(generator.integers(2))
            scale = window.pre_scale(state, t)
            for j in range(3):
                expected = sum(formula(other - t) for other in pre[j])
                assert window.from_pre(state, j, t, scale) == pytest.approx(expected, rel=1e-9, abs=1e-9)
            window.add_post(state, i, t)
            post[i].append(t)


def test_coincident_spikes_meet_the_window_from_the_side_of_their_order():
    window = DoubleExponential(**PAIR)
    state = window.init(1, 1)
    window.add_pre(state, 0, 1.0)
    assert window.from_pre(state, 0, 1.0, window.pre_scale(state, 1.0)) == pytest.approx(PAIR["A_plus"])
    window.add_post(state, 0, 1.0)
    assert window.from_post(state, 0, 1.0, window.post_scale(state, 1.0)) == pytest.approx(-PAIR["A_minus"])


def test_a_full_table_memory_is_an_error_and_no_loss():
    window = TabulatedWindow(POINTS, HEIGHTS, max_rate=1.0)
    state = window.init(1, 1)
    capacity = state.after.times.shape[1]
    for k in range(capacity):
        window.add_post(state, 0, 1e-3 * k)
    with pytest.raises(HebbscopeError, match=r"TabulatedWindow.max_rate: a train fires faster"):
        window.add_post(state, 0, 1e-3 * capacity)
    for k in range(5 * capacity):  # spikes that have left the table's reach make room
        window.add_post(state, 0, 1.0 + 0.05 * k)


def test_a_table_in_a_compiled_rule():
    """As the window that it was taken from; an overflow comes out of the compiled loop as the same error."""
    grid = np.linspace(-0.1, 0.4, 50_001)
    table = TabulatedWindow(grid, KempterWindow().value(grid))
    generator = np.random.default_rng(6)
    pre, post = ([np.sort(generator.uniform(0, 2, 60)).tolist() for _ in range(n)] for n in (3, 2))
    weights = np.full((2, 3), 0.5)
    found, expected = (replay(SpikeHebb(window, eta=1e-3), pre, post, weights) for window in (table, KempterWindow()))
    np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected - 0.5).max())
    burst = np.linspace(0.0, 0.01, 50).tolist()
    with pytest.raises(HebbscopeError, match=r"TabulatedWindow.max_rate"):
        replay(SpikeHebb(table._replace(max_rate=1.0)), [burst], [[0.5]], np.full((1, 1), 0.5))


@pytest.mark.parametrize(
    "window, message",
    [
        (KempterWindow(tau_plus=-0.02), "KempterWindow.tau_plus: must be > 0 s, got -0.02"),
        (KempterWindow(A_minus=math.nan), "KempterWindow.A_minus: must be finite, got nan"),
        (DoubleExponential(tau_minus=math.inf), "DoubleExponential.tau_minus: must be finite, got inf"),
        (TabulatedWindow([0.0, 1.0], HEIGHTS), "TabulatedWindow.s: must be a flat array of at least two numbers"),
        (TabulatedWindow(POINTS, HEIGHTS[1:]), "TabulatedWindow.W: must have as many points as s, 7"),
        (TabulatedWindow(POINTS[::-1], HEIGHTS), "TabulatedWindow.s: must be ascending"),
        (TabulatedWindow(POINTS, HEIGHTS * np.nan), "TabulatedWindow.W: must be finite"),
        (TabulatedWindow(POINTS, HEIGHTS, 0.0), "TabulatedWindow.max_rate: must be > 0 Hz, got 0"),
    ],
)
def test_bad_parameters_are_named(window, message):
    with pytest.raises(ParameterError) as caught:
        window.check()
    assert str(caught.value).startswith(message)


def test_good_parameters_pass_and_print():
    for window, _ in WINDOWS.values():
        window.check()
    assert "7 numbers" in repr(TabulatedWindow(POINTS, HEIGHTS))
    assert WINDOWS["table"][0].support() == (-0.03, 0.04)
    low, high = KempterWindow().support()
    assert abs(float(KempterWindow().value(low))) < 1e-12 and abs(float(KempterWindow().value(high))) < 1e-12
