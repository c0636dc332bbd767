"""What correlations of the inputs do to a threshold that slides, against the course of the output in steps of time."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from hebbscope import Network, Population, Projection, reduce
from hebbscope.models import LIF, HomogeneousPoisson, LinearPoisson, PatternPoisson, RecordedSpikes
from hebbscope.rules import (
    ALL_TO_ALL,
    NEAREST_SYMMETRIC,
    STDP,
    FixedThreshold,
    MeanSquareThreshold,
    Pairing,
    SlidingThreshold,
    Triplet,
)
from hebbscope.rules.recurrent import RecurrentEquation

N, WEIGHT, STEPS = 5, 0.1, 2**15


def equation_of(model, rule, neuron=None, n=N, weight=WEIGHT):
    inputs, cell = Population("inputs", n, model), Population("cell", 1, neuron or LinearPoisson())
    return reduce(Network([inputs, cell], [Projection(inputs, cell, weight, rule)]))


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


def growth(rule, x, y, n=3000, duration=40.0):
    """Growth of the variance of a weight [1/s] and its standard error: n synapses of independent Poisson spikes, event by event, from the definition."""
    rng, h = np.random.default_rng(1), rule.pairing
    theta, t, r, o, w = np.full(n, y), *np.zeros((4, n))
    while t.min() < duration:
        gap = np.minimum(rng.exponential(1.0 / (x + y), n), duration - t)
        t += gap
        of_post = rng.random(n) < y / (x + y)
        post, pre = of_post & (t < duration), ~of_post & (t < duration)
        r *= np.exp(-gap / rule.tau_plus)
        o *= np.exp(-gap / rule.tau_minus)
        theta *= np.exp(-gap / rule.threshold.tau)
        w += post * rule.A_plus * r - pre * rule.A_minus * o * (theta / rule.threshold.rho_0) ** rule.threshold.p
        r[post & (h.pre_by_post == 1) | pre & (h.pre_by_pre == 1)] = 0.0
        o[pre & (h.post_by_pre == 1) | post & (h.post_by_post == 1)] = 0.0
        r[pre] += 1.0
        o[post] += 1.0
        theta += post / rule.threshold.tau
    return w.var() / duration, np.sqrt(2.0 / n) * w.var() / duration


@pytest.mark.parametrize(
    "pairing, p", [(ALL_TO_ALL, 1.0), (NEAREST_SYMMETRIC, 2.0)], ids=["all pairs", "nearest pairs"]
)
def test_the_diffusion_has_what_a_spike_does_through_the_threshold(pairing, p):
    """To three standard errors of 2.6 % and the next order, about 2 / (tau y) = 3 % by simulations at tau = 0.5 s and 1 s; that of a threshold that stays is far below."""
    sliding = SlidingThreshold(rho_0=20.0, tau=3.0, p=p)
    rule = STDP(1.0, 1.0, 20e-3, 20e-3, pairing=pairing, threshold=sliding)
    found, error = growth(rule, 20.0, 20.0)
    slides, stays = (
        equation_of(HomogeneousPoisson(20.0), rule._replace(threshold=each)).independent_diffusion(0.5, 20.0, 20.0)
        for each in (sliding, FixedThreshold())
    )
    assert abs(found - slides) < 3.0 * error + 2.0 / (sliding.tau * 20.0) * slides
    assert found - stays > 8.0 * error


def test_the_diffusion_of_whole_networks_has_it_too():
    """An output that is all but Poisson: as of independent spikes."""
    rule = STDP(1e-3, 2e-3, threshold=MeanSquareThreshold())
    inputs, cell = (
        Population("inputs", 4, HomogeneousPoisson(20.0)),
        Population("cell", 1, LinearPoisson(base_rate=15.0)),
    )
    network = Network([inputs, cell], [Projection(inputs, cell, 1e-6, rule)])
    (found,) = RecurrentEquation(network).diffusion().values()
    assert found == pytest.approx(np.full((1, 4), reduce(network).independent_diffusion(1e-6, 20.0, 15.0)), rel=1e-3)


def test_the_diffusion_onto_integrate_and_fire_cells_has_it_too():
    """What all weights share, y (A_plus tau_plus - A_minus theta tau_minus (1 + eps))^2 x^2 times what trains are not Poisson, with eps = 2, beside eps = 0."""
    slides, weight = STDP(1e-5, 2e-5, w_max=1e-3, threshold=MeanSquareThreshold(rho_0=20.0)), 3e-4
    equation = equation_of(
        HomogeneousPoisson(20.0), slides, LIF(E_L=0.0, drive=15e-3, V_th=20e-3, V_reset=10e-3), 50, weight
    )
    theta = float(slides.threshold.settled(equation.output_rate_of(np.full(50, weight))))
    stays = replace(equation, rule=slides._replace(threshold=FixedThreshold(theta)))
    gain, loss = slides.A_plus * slides.tau_plus, slides.A_minus * theta * slides.tau_minus
    (alone, common), (same, less) = (each._diffusions(weight)[:, 0] for each in (equation, stays))
    assert alone == pytest.approx(same) and theta > 0.0
    assert common / less == pytest.approx(((gain - 3.0 * loss) / (gain - loss)) ** 2)


# What it says of itself, and the ends of its range ------------------------------------------------------------------------


class Own(NamedTuple):
    """A threshold of one's own, of which only the steady scale is known."""

    scale: float = 1.0

    check, init, fading = FixedThreshold.check, FixedThreshold.init, FixedThreshold.fading
    depression, add_output, settled = FixedThreshold.depression, FixedThreshold.add_output, FixedThreshold.settled


RECORDING = RecordedSpikes(np.array([0.1, 0.2, 0.35, 0.6]), np.array([0, 1, 0, 1]), 1.0)
POISSON, SLIDES = HomogeneousPoisson(20.0), SlidingThreshold()
FIRST, ORDER = (
    "spikes that hide others, to the first order in the single weight",
    "scale of a sliding threshold, to the first order of 1 / (tau y)",
)
SETTLED = "scale of a sliding threshold, by a relative 1 / (tau y) and by correlations"
RESPONSE = "diffusion f-I curve and linear response"


@pytest.mark.parametrize(
    "model, rule, neuron, words",
    [
        (POISSON, STDP(), None, ""),
        (POISSON, STDP(pairing=NEAREST_SYMMETRIC), None, FIRST),
        (POISSON, STDP(threshold=SLIDES), None, f"{ORDER} and of correlations"),
        (POISSON, STDP(threshold=SLIDES, pairing=NEAREST_SYMMETRIC), None, f"{FIRST}; {ORDER}, without correlations"),
        (POISSON, STDP(threshold=SLIDES, pairing=Pairing(pre_by_pre=1)), None, f"{FIRST}; {ORDER} and of correlations"),
        (POISSON, STDP(threshold=Own()), None, SETTLED),
        (RECORDING, STDP(threshold=SLIDES), None, f"{ORDER}, without correlations"),
        (RECORDING, Triplet(threshold=SLIDES), None, f"{ORDER}, without correlations"),
        (POISSON, Triplet(), None, ""),
        (POISSON, STDP(threshold=SLIDES), LIF(), f"{RESPONSE}; {SETTLED}"),
    ],
)
def test_equations_say_by_what_they_are_approximate(model, rule, neuron, words):
    """What is not counted is named; nothing of what is exact."""
    equation = equation_of(model, rule._replace(w_max=1.0), neuron, 2, 1e-3)
    assert equation.approximate == words and (f"approximate: {words}" in repr(equation)) == bool(words)


def test_unstated_third_cumulants_are_named():
    equation = equation_of(POISSON, Triplet(threshold=SLIDES))
    silent = replace(equation, statistics=equation.statistics._replace(third=None))
    assert silent.approximate == f"{equation.approximate}; third cumulants, which the input does not state, as zero"


def test_pairings_that_hide_no_output_know_the_fluctuations_of_the_threshold():
    """Depression, which is all there is, is then that of all pairs, weights of 0.3."""
    rule = STDP(0.0, 1e-3, threshold=SlidingThreshold(tau=1.0, p=1.0))
    hidden, all_pairs = (
        equation_of(POISSON, rule._replace(pairing=each)).drift(np.full(N, 0.3))
        for each in (Pairing(pre_by_pre=1), ALL_TO_ALL)
    )
    steady = equation_of(POISSON, rule._replace(threshold=FixedThreshold(3.0))).drift(np.full(N, 0.3))
    assert hidden == pytest.approx(all_pairs, rel=1e-12) and (hidden < 1.02 * steady).all()


def test_recordings_whose_output_is_mostly_below_zero_have_a_scale():
    """It is that of an output without spikes."""
    rule, weights = Triplet(threshold=SlidingThreshold(p=2.5)), np.full(2, WEIGHT)
    fixed = FixedThreshold(float(rule.threshold.among_spikes(0.0, rule.tau_minus)))
    found, expected = (
        equation_of(RECORDING, each, LinearPoisson(threshold=20.0), 2).drift(weights)
        for each in (rule, rule._replace(threshold=fixed))
    )
    assert np.isfinite(found).all() and found == pytest.approx(expected)


@pytest.mark.parametrize("p", [0.5, 9.0, 10.0, 100.0])
def test_steep_thresholds_change_sign_where_gain_is_loss(p):
    """At theta = 1 but for 1 / (tau y), and p^2 of it: with a tau of a day nearly at rho_0, where gains and losses of pairs are equal."""
    sliding = SlidingThreshold(rho_0=12.0, tau=1e5, p=p)
    equation = equation_of(POISSON, STDP(1e-3, 1e-3, threshold=sliding))
    assert equation.sign_change(20.0, 0.1) == pytest.approx(12.0, rel=1e-3)
    triplet = Triplet(A2_minus=6.5e-3 * 16.8e-3 * 114e-3 * 12.0 / 33.7e-3, threshold=sliding)
    if p > 1.0:
        assert triplet.sign_change(20.0) == pytest.approx(12.0, rel=1e-3)
    assert np.isfinite(equation.independent_drift(0.1, 20.0, np.geomspace(1e-6, 1e6, 50))).all()


def test_moments_that_correlations_take_below_zero_are_none():
    """To the first order they may, of outputs that avoid themselves."""
    for threshold in (SlidingThreshold(p=2.5), MeanSquareThreshold()):
        assert threshold.among_spikes(np.array([5.0]), 0.02, 0, -20.0, -30.0) == pytest.approx(0.0)
