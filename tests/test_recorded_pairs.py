"""Sums over pairs of recorded spikes against each pair by itself."""

import numpy as np
import pytest

from hebbscope.models import ExponentialPoisson, LinearPoisson
from hebbscope.rules import DoubleExponential, KempterWindow, TabulatedWindow
from hebbscope.rules import window_integrals as integrals
from hebbscope.simulator import recorded_pairs
from hebbscope.simulator.protocols import Empirical, HebbscopeError

TABLE = TabulatedWindow(np.array([-40e-3, 0.0, 20e-3]), np.array([0.0, 1.0, -1.0]))
WINDOWS = {
    "kempter": KempterWindow(),
    "as slow as the EPSP": KempterWindow(tau_minus=10e-3, tau_syn=10e-3),
    "nearly as slow": KempterWindow(tau_minus=10.2e-3, tau_syn=9.9e-3),
    "double exponential": DoubleExponential(),
    "table": TABLE,
}
NEURONS = {"alpha": LinearPoisson(tau=10e-3), "exponential": ExponentialPoisson(tau=10e-3)}


def recording(loop, n_spikes=120, duration=0.5):
    """Three trains; two spikes at one time, and a gap after which nothing is left of filters."""
    chance = np.random.default_rng(5)
    times = np.sort(chance.uniform(0.0, duration, n_spikes))
    times[7], times[60:] = times[8], times[60:] + 2.0
    return Empirical(times, chance.integers(0, 3, n_spikes), 3, duration + 2.5, loop)


def pair_by_pair(window, neuron, given):
    """As the integral over C_ij(s), in the definition of Empirical."""
    laps = np.arange(-2, 3) if given.loop else [0]
    total = np.zeros((given.n, given.n))
    for one, (t, i) in enumerate(zip(given.times, given.sources, strict=True)):
        for lap in laps:
            lags = t - (given.times + lap * given.duration)
            amounts = window.convolved(neuron, lags)
            amounts[one] *= lap != 0
            total[i] += np.bincount(given.sources, amounts, given.n)
    rates = np.bincount(given.sources, minlength=given.n) / given.duration
    return total / given.duration - window.integral() * np.outer(rates, rates)


@pytest.mark.parametrize("loop", [0, 1])
@pytest.mark.parametrize("neuron", NEURONS.values(), ids=NEURONS)
@pytest.mark.parametrize("name", WINDOWS)
def test_all_pairs(name, neuron, loop, monkeypatch):
    given, window = recording(loop), WINDOWS[name]
    expected = pair_by_pair(window, neuron, given)
    accuracy = 1e-12 if name != "table" else 1e-5  # of a table with 20,001 entries
    found = window.q(neuron, given)
    np.testing.assert_allclose(found, expected, rtol=0, atol=accuracy * np.abs(expected).max())
    monkeypatch.setattr(recorded_pairs, "AT_ONCE", 1000)
    np.testing.assert_allclose(window.q(neuron, given), found, rtol=0, atol=1e-14 * np.abs(expected).max())


def test_a_recording_shorter_than_the_window():
    """Many repetitions are one long recording, but for its ends."""
    chance, window, neuron = np.random.default_rng(6), WINDOWS["kempter"], NEURONS["alpha"]
    times, sources = np.sort(chance.uniform(0.0, 0.05, 6)), np.array([0, 1, 0, 1, 1, 0])
    laps = 4000
    long = (0.05 * np.arange(laps)[:, None] + times).ravel()
    for each in (window, TABLE):
        short = each.q(neuron, Empirical(times, sources, 2, 0.05, 1))
        whole = each.q(neuron, Empirical(long, np.tile(sources, laps), 2, 0.05 * laps))
        np.testing.assert_allclose(short, whole, rtol=0, atol=1e-3 * np.abs(whole).max())


def test_a_recording_without_spikes():
    silent = Empirical(np.zeros(0), np.zeros(0, np.int64), 2, 1.0, 1)
    for window in WINDOWS.values():
        assert np.array_equal(window.q(NEURONS["alpha"], silent), np.zeros((2, 2)))


@pytest.mark.parametrize(
    "window",
    [KempterWindow(tau_minus=1e6), TabulatedWindow(np.array([-1e6, 0.0]), np.array([0.0, 1.0]))],
    ids=["filters", "table"],
)
def test_a_window_that_reaches_over_too_many_rounds_of_a_recording(window):
    """Refused at once: it would take minutes, or memory."""
    times, sources = np.linspace(0.0, 1.0, 400, endpoint=False), np.zeros(400, dtype=int)
    with pytest.raises(
        HebbscopeError, match=r"recording: 400 spikes in 1 s meet too many .* within the .* s that the window reaches"
    ):
        window.q(NEURONS["alpha"], Empirical(times, sources, 1, 1.0, loop=1))


@pytest.mark.parametrize("b", [50.0, 100.0, 100.001, 104.0, 110.0, 500.0])
def test_convolution_as_terms(b):
    f, g, x = [(1.0, 1, 100.0), (-0.3, 0, 20.0)], [(2.0, 2, b), (1.0, 0, b)], np.linspace(0.0, 0.3, 50)
    expected = integrals.convolve(f, g, x)
    found = integrals.evaluate(integrals.convolution(f, g), x)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11 * np.abs(expected).max())
