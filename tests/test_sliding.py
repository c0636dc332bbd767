"""What correlations of the inputs do to a threshold that slides, against the course of the output in steps of time."""

import numpy as np
import pytest

from hebbscope import Network, Population, Projection, reduce
from hebbscope.models import LinearPoisson, PatternPoisson
from hebbscope.rules import STDP, MeanSquareThreshold, SlidingThreshold

N, WEIGHT, STEPS = 5, 0.1, 2**15


def equation_of(model, rule, neuron=None, n=N):
    inputs, cell = Population("inputs", n, model), Population("cell", 1, neuron or LinearPoisson())
    return reduce(Network([inputs, cell], [Projection(inputs, cell, WEIGHT, rule)]))


def through(*taus):
    """exp(-t / tau) / tau of each of these in series, as a function of the frequency [Hz]."""
    return lambda f: 1.0 / np.prod([1.0 + 2j * np.pi * f * tau for tau in taus], axis=0)


def added(model, rule, threshold):
    """Shift (n,) [Hz] and variance [Hz^2], from the Fourier components of the rates over one cycle of patterns, and of what single input spikes leave."""
    neuron, cycle = LinearPoisson(), len(model.patterns) * model.presentation
    y = WEIGHT * model.patterns.mean(axis=0).sum()
    rates = np.repeat(model.patterns, STEPS // len(model.patterns), axis=0)
    f = np.fft.fftfreq(len(rates), cycle / len(rates))
    inputs = np.fft.fft(rates - rates.mean(axis=0), axis=0).T / len(rates)
    fine = np.arange(-50_000, 50_001) * 2e-3  # Hz, of single spikes
    power = WEIGHT**2 * rates.mean(axis=0).sum() * 2e-3
    shift, eps, seen = 0.0, (neuron.tau, neuron.tau), (rule.tau_minus,)

    def covariance(one, other):
        """Of the output through two series of time constants."""
        by_rates = np.sum(through(*one)(f) * through(*other)(f).conj() * np.abs(WEIGHT * inputs.sum(axis=0)) ** 2)
        return (by_rates + power * np.sum(through(*one)(fine) * through(*other)(fine).conj())).real

    for taus in threshold.averages:
        before = covariance(eps + seen, eps + taus)
        with_input = np.sum(inputs * (WEIGHT * inputs.sum(axis=0) * through(*eps, *taus)(f)).conj(), axis=1).real
        shift = shift + before / y + with_input / rates.mean(axis=0)
    return shift, covariance(eps, (*eps, threshold.squares))


PATTERNS = np.random.default_rng(0).gamma(1.0, 10.0, (16, N))


@pytest.mark.parametrize("presentation", [0.02, 0.5])
@pytest.mark.parametrize(
    "threshold", [SlidingThreshold(tau=10.0), MeanSquareThreshold(tau=10.0)], ids=["mean", "square"]
)
def test_a_slow_threshold_averages_over_whole_cycles_of_patterns(threshold, presentation):
    """Cycles of 0.3 s and of 8 s, 10 s of average."""
    model, rule = PatternPoisson(PATTERNS, presentation, 1), STDP(threshold=threshold)
    equation = equation_of(model, rule)
    weights = np.full(N, WEIGHT)
    seen, y = equation.effective(weights), equation.output_rate_of(weights)[..., None]
    shift, variance = equation._moved(seen, y)
    expected, spread = added(model, rule, threshold)
    np.testing.assert_allclose(shift, expected, rtol=0, atol=2e-3 * np.abs(expected).max())
    assert variance == pytest.approx(spread, rel=2e-3)
