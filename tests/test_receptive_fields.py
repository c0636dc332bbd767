"""Scores of fields, the sampled rate loop, and the experiment that learns fields from photographs."""

import math
from dataclasses import replace

import numpy as np
import pytest

from hebbscope import Network, Population, Projection, simulate
from hebbscope.analysis import field_report
from hebbscope.analysis.field_report import compare_fields
from hebbscope.analysis.receptive_fields import (
    MAX_RADIUS,
    MIN_KURTOSIS,
    Gabor,
    angle_between,
    fields,
    fit_gabor,
    localisation,
    response_kurtosis,
    score,
    similarity,
    tuning,
)
from hebbscope.models import ExponentialPoisson, HomogeneousPoisson, PatternPoisson, PushPull
from hebbscope.models.experiments.clopath2010 import Clopath2010
from hebbscope.models.experiments.description import DescriptionError
from hebbscope.models.experiments.natural_images import CONTROL_SETTINGS, NaturalImages
from hebbscope.rules import L1, L2, Linear, NonlinearHebb, RectifiedPower, Triplet
from hebbscope.simulator import sampled
from hebbscope.simulator.packing import Packed
from hebbscope.simulator.protocols import HebbscopeError
from hebbscope.simulator.results import Run
from hebbscope.simulator.sampled_run import SampledRun

SHAPE = (16, 16)
EDGE = Gabor(x=1.0, y=-2.0, orientation=0.7, frequency=0.14, sigma_across=1.8, sigma_along=2.9, even=0.5, odd=-0.8)


def sparse_sample(n=4000):
    """Patches of one Gabor-like edge each, now and then: responses to them are sparse."""
    random = np.random.default_rng(3)
    return random.laplace(size=(n, 1)) ** 3 * EDGE.field(SHAPE).ravel() + random.normal(size=(n, 256))


# Scores -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_the_fit_finds_a_known_gabor_function(seed):
    random = np.random.default_rng(seed)
    true = Gabor(*random.uniform((-3, -3, 0, 0.08, 1.5, 1.5, -1, 0.2), (3, 3, math.pi, 0.25, 3, 4, 1, 1)))
    found, r2 = fit_gabor(3.0 * true.field(SHAPE))
    assert r2 == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(found.field(SHAPE), 3.0 * true.field(SHAPE), atol=1e-3)
    assert angle_between(found.orientation, true.orientation) < 1e-3
    assert found.frequency == pytest.approx(true.frequency, rel=1e-3)


def test_the_fit_is_deterministic_and_explains_what_is_not_noise():
    edge = EDGE.field(SHAPE)
    noisy = edge + 0.5 * edge.std() * np.random.default_rng(0).normal(size=SHAPE)
    found, r2 = fit_gabor(noisy)
    assert (found, r2) == fit_gabor(noisy)
    assert r2 == pytest.approx(0.8, abs=0.05)


def test_the_orientation_index():
    y, x = np.mgrid[:16, :16] - 7.5
    for angle in (0.0, 0.6, 2.0):
        wave = np.cos(2 * np.pi * 0.2 * (x * np.cos(angle) + y * np.sin(angle)))
        best = tuning(wave * np.exp(-(x**2 + y**2) / 32))
        assert best.orientation_index > 0.9
        assert angle_between(best.orientation, angle) < np.pi / 36
        assert best.frequency == pytest.approx(0.2, abs=0.02)
    assert tuning(np.exp(-(x**2 + y**2) / 8)).orientation_index < 0.05


def test_localisation_is_relative_to_an_even_patch():
    spot, even = np.zeros(SHAPE), np.ones(SHAPE)
    spot[3, 12] = -2.0
    assert localisation(spot) == pytest.approx(0, abs=1e-9)
    assert localisation(even) == pytest.approx(1)
    assert localisation(np.zeros(SHAPE)) == 1


def test_kurtosis_of_responses():
    random = np.random.default_rng(0)
    sample = random.normal(size=(200_000, 4))
    sample[:, 0] = random.laplace(size=200_000)
    assert response_kurtosis(np.array([[0, 1], [2, 0]]), sample) == pytest.approx(0, abs=0.1)
    assert response_kurtosis(np.array([[-3, 0], [0, 0]]), sample) == pytest.approx(3, abs=0.3)
    assert response_kurtosis(np.zeros((2, 2)), sample) == 0


def test_only_a_localised_oriented_field_passes_all_four():
    y, x = np.mgrid[:16, :16] - 7.5
    random = np.random.default_rng(1)
    sample = sparse_sample()
    assert score(EDGE.field(SHAPE), sample).passed
    blob = score(np.exp(-((x - 1) ** 2 + (y + 2) ** 2) / 8), sample)
    assert blob.r2 > 0.9
    assert not blob.passed
    wave = score(np.cos(2 * np.pi * 0.14 * x), sample)
    assert wave.orientation_index > 0.9
    assert not wave.passed
    assert not score(random.normal(size=SHAPE), sample).passed
    assert not score(EDGE.field(SHAPE), random.normal(size=(4000, 256))).passed  # nothing sparse to respond to
    flat = score(np.zeros(SHAPE), sample)
    assert np.all(np.isfinite(flat))
    assert not flat.passed


def test_similarity_and_angles():
    edge = EDGE.field(SHAPE)
    assert similarity(edge, 3 * edge + 1) == pytest.approx(1)
    assert similarity(edge, -edge) == pytest.approx(-1)
    assert similarity(edge, np.ones(SHAPE)) == 0
    assert angle_between(0.1, math.pi - 0.1) == pytest.approx(0.2)


# Reports and figures ------------------------------------------------------------------------------------------------


def run_with(level, maps, seeds):
    """A run whose last record has these fields (n_seeds, rows, columns)."""
    flat = maps.reshape(len(seeds), -1)
    last = np.concatenate([np.maximum(flat, 0), np.maximum(-flat, 0)], axis=1)
    weights = np.stack([np.ones_like(last), last], axis=1)[:, :, None, :]
    return Run(level, seeds, np.array([0.0, 1.0]), weights, np.zeros((len(seeds), 2, 1)), shape=(2, *SHAPE))


@pytest.fixture
def two_levels():
    edge, noise = EDGE.field(SHAPE), np.random.default_rng(2).normal(size=SHAPE)
    return run_with("spike", np.stack([edge, noise]), (4, 7)), run_with("rate", np.stack([edge, edge]), (4, 7))


def test_fields_are_on_minus_off(two_levels):
    np.testing.assert_allclose(fields(two_levels[1].weights, (2, *SHAPE))[1, 1, 0], EDGE.field(SHAPE))
    with pytest.raises(HebbscopeError, match="ON and OFF"):
        fields(np.ones((1, 50)), None)


def test_the_report_counts_and_compares(two_levels):
    report = compare_fields(*two_levels, sample=sparse_sample())
    assert (report.passed("spike"), report.passed("rate"), report.alike) == (1, 2, 1)
    assert [row["seed"] for row in report.rows()] == [4, 7, 4, 7]
    assert report.to_dict()["levels"]["rate"]["passed"] == 2
    assert "1 of 2 at the spike level" in repr(report)
    assert "<table>" in report._repr_html_()


def test_figures_share_one_symmetric_scale(two_levels):
    from matplotlib.figure import Figure

    drawing = field_report.field_figure(two_levels)
    scales = {(ax.images[0].norm.vmin, ax.images[0].norm.vmax) for ax in drawing.axes[:3]}
    ((low, high),) = scales
    assert low == -high < 0
    assert high == max(np.abs(fields(run.final_weights, run.shape)).max() for run in two_levels)
    ax = Figure().subplots()
    assert field_report.plot_fields(np.zeros((5, 16, 16)), ax=ax, title="none") is ax
    axes = Figure().subplots(1, 2)
    assert field_report.plot_levels(axes, two_levels) is axes


# The sampled rate loop ----------------------------------------------------------------------------------------------

PATTERNS = np.array([[8.0, 0.0, 0.0, 20.0], [0.0, 15.0, 30.0, 0.0], [5.0, 5.0, 0.0, 0.0]])


def small_network(**rule):
    inputs = Population("inputs", 4, PatternPoisson(PATTERNS, presentation=0.1), shape=(2, 1, 2))
    neurons = Population("neurons", 2, ExponentialPoisson(tau=20e-3, gain=2.0, threshold=1.0))
    weights = np.array([[0.5, 0.4, 0.6, 0.3], [0.1, 0.9, 0.2, 0.4]])
    rule = Triplet(**({"eta": 0.5, "A3_minus": 2.3e-4} | rule))
    projection = Projection(inputs, neurons, weights, rule, L2(norm=1.0, every=0.1), PushPull())
    return Network([inputs, neurons], [projection])


def mean_output(u, sd, gain=2.0, threshold=1.0):
    """gain E[u + noise - threshold]_+ by quadrature."""
    from scipy.integrate import quad
    from scipy.stats import norm

    kink = (threshold - u) / sd
    return gain * quad(lambda v: (u + sd * v - threshold) * norm.pdf(v), kink, max(kink, 0) + 12)[0]


def mean_change(rule, x, y, r2, o2, T):
    """int dw/dt over a hold of T seconds, by quadrature."""
    from scipy.integrate import quad

    def drift(t):
        slow_y = rule.tau_y * y + (o2 - rule.tau_y * y) * math.exp(-t / rule.tau_y)
        slow_x = rule.tau_x * x + (r2 - rule.tau_x * x) * math.exp(-t / rule.tau_x)
        gained = rule.tau_plus * (rule.A2_plus + rule.A3_plus * slow_y)
        lost = rule.tau_minus * (rule.A2_minus + rule.A3_minus * slow_x)
        return rule.eta * x * y * (gained - lost)

    return quad(drift, 0, T)[0]


def by_hand(order, rule, T=0.1, tau=20e-3):
    """The weights (n_post, n_pre) after showing these patterns, from the equations."""
    w = np.array([[0.5, 0.4, 0.6, 0.3], [0.1, 0.9, 0.2, 0.4]])
    r2, o2 = np.zeros(4), np.zeros(2)
    for x in PATTERNS[order]:
        q = w - np.roll(w, 2, axis=1)
        y = np.array([mean_output(q[i] @ x, math.sqrt(q[i] ** 2 @ x / (2 * tau))) for i in range(2)])
        for i in range(2):
            w[i] = [max(w[i, j] + mean_change(rule, x[j], y[i], r2[j], o2[i], T), 0.0) for j in range(4)]
        o2 = rule.tau_y * y + (o2 - rule.tau_y * y) * math.exp(-T / rule.tau_y)
        r2 = rule.tau_x * x + (r2 - rule.tau_x * x) * math.exp(-T / rule.tau_x)
        w /= np.linalg.norm(w, axis=1, keepdims=True)
    return w


def shown(network, seed, n):
    """The patterns of the first n presentations of the sampled level."""
    one, order = SampledRun(network, seed, 1e4), []
    for k in range(n):
        one.to(0.1 * k + 0.05)
        order += (
            [int(one.state.sources[0][0].inputs.current[0])]
            if one.state.sources[0][0].inputs.shown[0] > len(order)
            else []
        )
    return order


def test_the_sampled_loop_against_its_equations():
    network = small_network()
    one = SampledRun(network, 5, 1e4)
    one.to(2.0 + 0.05)
    order = shown(network, 5, 20)
    assert len(order) == 20
    np.testing.assert_allclose(one.weights, by_hand(order, network.projection.rule), rtol=1e-9)


def test_cutting_the_run_leaves_no_mark():
    coarse = simulate(small_network(), 4.0, level="rate", record_every=4.0, seeds=(1, 2), threads=1)
    fine = simulate(small_network(), 4.0, level="rate", record_every=0.037, seeds=(2, 1), threads=2)
    np.testing.assert_array_equal(coarse.final_weights, fine.final_weights[::-1])
    assert coarse.output_rate[0, -1] == pytest.approx(
        np.average(fine.output_rate[1, 1:], axis=0, weights=np.diff(fine.time))
    )


def test_the_plain_loop_gives_the_same_bits():
    network = small_network()
    compiled, plain = SampledRun(network, 3, 1e4), SampledRun(network, 3, 1e4)
    compiled.to(1.0)
    with np.errstate(over="ignore"):
        sampled.advance(Packed(plain.parts), Packed(plain.state), 1.0, 1e4)
    np.testing.assert_array_equal(compiled.weights, plain.weights)


@pytest.mark.parametrize("normalisation", [L1(norm=0.4), L2(norm=0.2)], ids=["L1", "L2"])
def test_without_a_rectifier_in_reach_the_output_rate_is_linear_whatever_the_noise(normalisation):
    """Four inputs of 5 Hz at 0.1 make 2 Hz on top of the base rate, with and without patterns, at every record within a hold."""
    for model in (HomogeneousPoisson(5.0), PatternPoisson(np.full((2, 4), 5.0), presentation=0.5)):
        inputs, neuron = Population("inputs", 4, model), Population("neuron", 1, ExponentialPoisson(base_rate=1.0))
        network = Network([inputs, neuron], [Projection(inputs, neuron, 0.1, Triplet(eta=0.0), normalisation)])
        run = simulate(network, 3.1, level="rate", record_every=0.2)
        np.testing.assert_allclose(run.output_rate[0, 1:, 0], 3.0, rtol=1e-9)


def test_triplet_depression_counts_at_the_rate_level_whatever_its_sign():
    final = {}
    for A3_minus in (-1e-2, 0.0, 1e-2):
        run = simulate(small_network(A3_minus=A3_minus, A2_minus=0.0, eta=1e-3), 1.0, level="rate")
        final[A3_minus] = run.final_weights.sum()
    assert len(set(final.values())) == 3


def test_a_rate_that_runs_away_stops():
    with pytest.raises(HebbscopeError, match="ran away"):
        simulate(small_network(), 1.0, level="rate", max_rate=0.1)


def test_both_levels_see_the_same_patterns():
    from hebbscope.simulator.event_run import SeedRun

    network = small_network()
    spikes, rates = SeedRun(network, 7, "spike", {}, 1e4), SampledRun(network, 7, 1e4)
    np.testing.assert_array_equal(spikes.weights, rates.weights)
    for k in range(30):
        spikes.to(0.1 * k + 0.05)
        rates.to(0.1 * k + 0.05)
        assert spikes.state.inputs.current[0] == rates.state.sources[0][0].inputs.current[0]


def test_the_drift_is_that_of_the_spikes():
    """With many weak synapses and slow patterns the mean change over seeds is the sampled loop's: single spikes add a few per cent."""
    rates = np.zeros((5, 200))  # OFF is silent
    rates[:, :100] = np.random.default_rng(0).uniform(0, 30, size=(5, 100))
    inputs = Population("inputs", 200, PatternPoisson(rates, presentation=2.0))
    neuron = Population("neuron", 1, ExponentialPoisson(tau=20e-3, gain=0.25))
    start = np.repeat([0.1, 0.0], 100)
    projection = Projection(inputs, neuron, start, Triplet(eta=1e-5), L2(every=1e9), PushPull())
    network = Network([inputs, neuron], [projection])
    rate, spike = (
        simulate(network, 100.0, level=level, seeds=range(20), record_every=100.0).final_weights.mean(axis=(0, 1))
        - start
        for level in ("rate", "spike")
    )
    assert spike.mean() == pytest.approx(rate.mean(), rel=0.1)
    assert np.corrcoef(spike[:100], rate[:100])[0, 1] > 0.95
    assert np.all(spike[100:] == 0)


# The experiment -----------------------------------------------------------------------------------------------------


def test_fields_learned_from_photographs_pass_at_the_rate_level():
    described = NaturalImages()
    run = simulate(
        described.network(), described.duration, level="rate", seeds=described.seeds, record_every=described.duration
    )
    sample = described.arrays()["receptive_fields"]["sample"][1]
    report = compare_fields(run, sample=sample)
    assert report.passed("rate") == 2, report
    np.testing.assert_allclose(np.linalg.norm(run.final_weights, axis=2), 1, atol=0.01)


def test_a_linear_rule_learns_no_field():
    described = NaturalImages.with_settings(CONTROL_SETTINGS["linear rule"])
    run = simulate(described.network(), described.duration, level="rate", seeds=(1, 2), record_every=described.duration)
    assert compare_fields(run, sample=described.inputs.patches().held_out).passed("rate") == 0


@pytest.mark.parametrize(
    "nonlinearity, eta, neuron, n_passed",
    [
        (RectifiedPower(0.0, 2.0), 3e-8, ExponentialPoisson(gain=2.0, threshold=5.0), 2),
        (Linear(60.0), 1e-6, ExponentialPoisson(base_rate=60.0), 0),
    ],
    ids=["quadratic rectifier", "linear"],
)
def test_nonlinear_hebbian_learning_of_photographs(nonlinearity, eta, neuron, n_passed):
    """Brito & Gerstner: on white patches almost any f that is steeper than linear grows fields whose responses are sparse; a linear one sees nothing."""
    described = NaturalImages()
    layer = described.network().projection
    target, rule = replace(layer.target, model=neuron), NonlinearHebb(eta, nonlinearity, w_min=0.0)
    network = Network([layer.source, target], [replace(layer, target=target, rule=rule)])
    run = simulate(network, described.duration, level="rate", seeds=(1, 2), record_every=described.duration)
    sample = described.inputs.patches().held_out
    assert compare_fields(run, sample=sample).passed("rate") == n_passed
    by_chance = [response_kurtosis(each, sample) for each in np.random.default_rng(1).normal(size=(50, 16, 16))]
    for w in run.final_weights[:, 0]:
        found = response_kurtosis((w[:256] - w[256:]).reshape(SHAPE), sample)
        assert found > 2 * np.median(by_chance) if n_passed else found < max(by_chance)


def test_the_voltage_based_rule_learns_fields_of_one_place():
    """Clopath2010 for a third of its time: localised and sparse, nearly all weights at a bound, ON and OFF of about one length; not from white noise."""
    for control, passes in (("none", True), ("noise", False)):
        described = Clopath2010.with_settings([("inputs.control", control), ("duration", 5000.0)])
        run = simulate(
            described.network(), described.duration, seeds=1, record_every=described.duration, **described.how()
        )
        (found,) = compare_fields(run, sample=Clopath2010().inputs.patches().held_out).scores["spike"]
        w = run.final_weights[0, 0]
        assert (found.localisation < MAX_RADIUS and found.kurtosis > MIN_KURTOSIS and found.r2 > 0.4) == passes, found
        assert np.linalg.norm(w[:256]) == pytest.approx(
            np.linalg.norm(w[256:]), rel=0.03
        )  # 20 s after they were made so
        at_bounds = np.mean((w < 0.15 * described.rule.w_max) | (w > 0.85 * described.rule.w_max))
        assert at_bounds > 0.85
        assert run.output_rate[0, -1, 0] > 1.0 or not passes


def test_the_levels_start_from_the_same_field():
    network = NaturalImages().network()
    spike, rate = (simulate(network, 3.0, level=level, seeds=1, record_every=1.0) for level in ("spike", "rate"))
    np.testing.assert_array_equal(spike.weights[:, 0], rate.weights[:, 0])
    start = rate.weights[0, 0, 0]
    assert np.linalg.norm(start) == pytest.approx(1)
    assert np.all(start[:256] * start[256:] == 0)  # a pixel begins as ON or as OFF
    assert spike.shape == (2, 16, 16)
    assert np.all(spike.weights >= 0)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("inputs.images", "no/such/folder", "no file or folder"),
        ("inputs.control", "blurred", "inputs.control"),
        ("inputs.patch", "3", "inputs.patch: must be in"),
        ("inputs.n_patches", "10", "inputs.n_patches: must be > 256"),
        ("inputs.presentation", "0 s", "inputs.presentation: must be > 0"),
        ("inputs.rate", "-1 Hz", "inputs.rate: must be > 0"),
        ("inputs.whitening.components", "256", "components: must be < 256"),
        ("inputs.whitening.floor", "0", r"inputs.whitening.floor: must be in \[1e-06, 1e\+06\]"),
        ("weights.norm", "nan", "weights.norm"),
        ("rule.tau_y", "-5 ms", "rule.tau_y"),
    ],
)
def test_bad_input_is_named(key, value, words):
    with pytest.raises(HebbscopeError, match=words):
        NaturalImages.with_settings([(key, value)]).network()
    assert issubclass(DescriptionError, HebbscopeError)
