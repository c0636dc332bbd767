"""Rules that are born at the rate level: twins, refusals, averaged equations, and what each of them is known for."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from interpreting import interpreted
from naive import rates_learned

from hebbscope import HebbscopeError, Network, Population, Projection, reduce, simulate
from hebbscope.models import (
    CommonSourcePoisson,
    ExponentialPoisson,
    FixedInDegree,
    HomogeneousPoisson,
    LinearPoisson,
    ModulatedPoisson,
    OrnsteinUhlenbeckPoisson,
    PatternPoisson,
    PushPull,
)
from hebbscope.rules import (
    ALL_TO_ALL,
    BCM,
    L1,
    L2,
    PRESYNAPTIC_CENTRED,
    REDUCED_SYMMETRIC,
    STDP,
    Covariance,
    FixedThreshold,
    Hebb,
    Linear,
    Linsker,
    MeanSquareThreshold,
    Miller,
    Multiplicative,
    NearestPairs,
    NonlinearHebb,
    Oja,
    PowerLaw,
    RectifiedPower,
    Sanger,
    SlidingThreshold,
    SpikeHebb,
    Triplet,
)
from hebbscope.simulator.protocols import ParameterError
from hebbscope.simulator.rate import averaged
from hebbscope.simulator.sampled_run import SampledRun

SLOW = 1e3  # s of an EPSP so long that spikes are no noise in the potential: output rates are linear down to their rectifier


def layer(patterns, rule, n_post=1, weights=0.1, T=0.1, base_rate=0.0, in_order=0, **options):
    """Neurons that see patterns (n_patterns, n_pre) [Hz]."""
    inputs = Population("inputs", patterns.shape[1], PatternPoisson(patterns, presentation=T, in_order=in_order))
    cells = Population("cells", n_post, ExponentialPoisson(tau=SLOW, base_rate=base_rate))
    return Network([inputs, cells], [Projection(inputs, cells, weights, rule, **options)])


def with_covariance(factors, mean):
    """(2 n_factors, n) [Hz]: patterns of exactly this mean and the covariance factors^T factors, of factors (n_factors, n)."""
    swings = math.sqrt(len(factors)) * factors
    return np.concatenate([mean + swings, mean - swings])


# Twins ----------------------------------------------------------------------------------------------------------------

RANDOM = np.random.default_rng(8)
RULES = [
    Hebb(eta=2e-4, w_max=0.9),
    Covariance(eta=3e-4, tau=1.0, w_min=0.0),
    Oja(eta=2e-3, tau=1.0),
    Sanger(eta=2e-3, tau=0.5),
    Linsker(k1=0.1, k2=-0.3, eta=2e-2, tau=0.7),
    BCM(eta=2e-6, theta=40.0, threshold=MeanSquareThreshold(rho_0=30.0, tau=1.0)),
    NonlinearHebb(eta=4e-7, nonlinearity=RectifiedPower(20.0, 2.0)),
    NonlinearHebb(eta=2e-2, nonlinearity=NearestPairs()),
    Miller(RANDOM.uniform(0, 1, (3, 5)) * (RANDOM.random((3, 5)) > 0.2), RANDOM.normal(size=(3, 3)), eta=2e-4, tau=1.0, w_max=0.6),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_each_rule_does_what_its_plain_twin_does(rule):
    random = np.random.default_rng(4)
    patterns, start = random.uniform(0.0, 40.0, (40, 5)), random.uniform(0.1, 0.5, (3, 5))
    network = layer(patterns, rule, 3, start, base_rate=20.0, in_order=1)
    with interpreted():
        run = SampledRun(network, 1, np.inf)
        run.to(4.05)
    wanted = rates_learned(rule, patterns, 0.1, start, lambda w, x: 20.0 + w @ x)
    assert np.abs(wanted - start).max() > 0.05
    np.testing.assert_allclose(run.weights, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "rule", [each for each in RULES if not isinstance(each, (Sanger, Miller))], ids=lambda rule: type(rule).__name__
)
@pytest.mark.parametrize("options", [{}, {"normalisation": L2(norm=0.4, every=0.3)}], ids=["free", "normed"])
def test_any_wiring_is_to_each_target_a_layer_of_its_own_sources(rule, options):
    """To the bit, the sums being in the same order. Targets of the rules of Sanger and Miller see each other."""
    patterns, wiring = np.random.default_rng(3).uniform(0.0, 30.0, (7, 9)), FixedInDegree(4, seed=5)
    start = np.random.default_rng(4).uniform(0.1, 0.4, 12)
    network = layer(patterns, rule, 3, start, in_order=1, base_rate=2.0, connectivity=wiring, **options)
    (pre, post), how = network.projections[0].wiring, {"level": "rate", "record_every": 0.7}
    with interpreted():
        run = simulate(network, 2.1, **how)
        assert run.weights.shape == (1, 4, 1, 12) and np.abs(run.final_weights - start).max() > 1e-4
        for i in range(3):
            own = np.flatnonzero(post == i)
            alone = layer(patterns[:, pre[own]], rule, 1, start[None, own], in_order=1, base_rate=2.0, **options)
            expected = simulate(alone, 2.1, **how)
            np.testing.assert_array_equal(run.weights[0, :, 0, own].T, expected.weights[0, :, 0])
            np.testing.assert_array_equal(run.output_rate[0, :, i], expected.output_rate[0, :, 0])


def test_millers_arbor_may_be_the_wiring():
    """An arbor of 0 and 1 on synapses that are all there, beside the synapses where it is 1: nothing else ever has a weight."""
    patterns, wiring = np.random.default_rng(3).uniform(0.0, 30.0, (7, 9)), FixedInDegree(4, seed=5)
    start, interaction = (
        np.random.default_rng(4).uniform(0.1, 0.4, 12),
        np.array([[1.0, 0.3, 0], [0, 1, 0.2], [0, 0, 1]]),
    )
    sparse = layer(patterns, Miller(1.0, interaction, 2e-4, 1.0), 3, start, in_order=1, connectivity=wiring)
    (pre, post), arbor = sparse.projections[0].wiring, np.zeros((3, 9))
    arbor[post, pre] = 1.0
    weights = np.zeros((3, 9))
    weights[post, pre] = start
    dense = layer(patterns, Miller(arbor, interaction, 2e-4, 1.0), 3, weights, in_order=1)
    with interpreted():
        found, expected = (simulate(each, 2.1, level="rate").final_weights[0] for each in (sparse, dense))
    np.testing.assert_allclose(found[0], expected[post, pre], rtol=1e-12)
    assert np.abs(found[0] - start).max() > 1e-3


def test_the_mean_square_of_an_output_is_its_rate_of_pairs():
    """Spike by spike, against the sum over all pairs of spikes."""
    part, spikes = MeanSquareThreshold(rho_0=5.0, tau=2.0, tau_y=0.3), [0.1, 0.1, 0.4, 1.0, 2.5]
    state = part.init(1)
    for t in spikes:
        part.add_output(state, 0, t)
    square = 25.0 * math.exp(-3.0 / 2.0)
    for n, later in enumerate(spikes):
        pairs = sum(math.exp(-(later - earlier) / 0.3) / 0.3 for earlier in spikes[:n])
        square += pairs / 2.0 * math.exp(-(3.0 - later) / 2.0)
    assert part.depression(state, 0, part.fading(state, 3.0)) == pytest.approx(square / 25.0, rel=1e-12)


def test_the_mean_square_of_poisson_spikes_is_that_of_their_rate():
    """The time average over n independent averaging times has a standard error that the batches themselves give."""
    part, random = MeanSquareThreshold(rho_0=20.0, tau=5.0, tau_y=0.1), np.random.default_rng(5)
    state, found, t = part.init(1), [], 0.0
    while t < 4000.0:
        t += random.exponential(1 / 20.0)
        part.add_output(state, 0, t)
        found.append((t, part.depression(state, 0, part.fading(state, t))))
    times, scales = np.array(found).T
    batches = [scales[(times > a) & (times <= a + 100.0)].mean() for a in np.arange(100.0, 4000.0, 100.0)]
    assert abs(np.mean(batches) - 1.0) < 3.5 * np.std(batches) / math.sqrt(len(batches))


# What is refused --------------------------------------------------------------------------------------------------------


def test_rules_without_an_equation_and_spikes_without_rates_say_so():
    cells = Population("cells", 1, ExponentialPoisson())
    inputs = Population("inputs", 4, ModulatedPoisson(n_modulated=2))
    with pytest.raises(HebbscopeError, match="BCM: has no averaged learning equation"):
        reduce(Network([inputs, cells], [Projection(inputs, cells, 0.1, BCM())]))
    inputs = Population("inputs", 4, CommonSourcePoisson(n_correlated=2))
    with pytest.raises(HebbscopeError, match="Hebb: is averaged over rates that inputs state, got single spikes"):
        reduce(Network([inputs, cells], [Projection(inputs, cells, 0.1, Hebb())]))


@pytest.mark.parametrize("field, shape", [("arbor", (2, 3)), ("interaction", (3, 2))])
def test_arbors_and_interactions_are_of_all_cells(field, shape):
    network = layer(np.ones((2, 4)), Miller(**{field: np.ones(shape)}), 2)
    with pytest.raises(ParameterError, match=rf"Miller\.{field}: must be a number or 2 x \d numbers"):
        simulate(network, 1.0, level="rate")


def test_the_example_of_the_documentation_finds_the_principal_component():
    page = (Path(__file__).parents[1] / "docs" / "rules.md").read_text(encoding="utf-8")
    scope = {}
    exec(next(each for each in re.findall(r"```python\n(.*?)```", page, re.S) if "Oja" in each), scope)
    w = scope["run"].final_weights[0, 0]
    first = np.linalg.eigh(np.cov(scope["patterns"].T))[1][:, -1]
    assert abs(w @ first) / np.linalg.norm(w) > 0.99 and np.linalg.norm(w) == pytest.approx(1, abs=0.01)
    assert np.abs(first).argmax() == 7


# Averaged equations -----------------------------------------------------------------------------------------------------


def noise(seed=1, n=6):
    """Factors (n, n) of a covariance [Hz], and the covariance."""
    factors = np.random.default_rng(seed).normal(size=(n, n))
    return factors, factors.T @ factors


@pytest.mark.parametrize("rule", [Hebb(1e-9), Covariance(1e-8, 1e9), Oja(1e-8, 1e9), Linsker(1e-6, -2e-6, 1e-7, 1e9)], ids=lambda rule: type(rule).__name__)  # fmt: skip
def test_slow_learning_from_pattern_to_pattern_is_the_averaged_equation(rule):
    """Means are of k patterns after k of them, so that deviations from them miss one part in k: (1 + ln n) / n of n patterns together, times at most 3."""
    factors, _ = noise()
    start, n_shown = np.linspace(0.05, 0.45, 6), 3000
    network = layer(with_covariance(factors, 40.0), rule, weights=start, base_rate=20.0, in_order=1)
    with interpreted():
        run = SampledRun(network, 1, np.inf)
        run.to(0.1 * n_shown + 0.05)
    wanted = 0.1 * n_shown * reduce(network).drift(start)
    assert np.linalg.norm(run.weights[0] - start - wanted) < 3.0 * (1 + math.log(n_shown)) / n_shown * np.linalg.norm(
        wanted
    )


@pytest.mark.parametrize("rule", [Sanger(1e-8, 1e9), Miller(np.linspace(0.5, 1.0, 12).reshape(2, 6), np.array([[1.0, 0.4], [-0.3, 0.8]]), 1e-8, 1e9)], ids=lambda rule: type(rule).__name__)  # fmt: skip
def test_slow_learning_of_targets_that_see_each_other_is_what_their_rule_states(rule):
    """Likewise, by the plain twin; of Miller's weights one stands at its limit."""
    factors, C = noise()
    start, n_shown = np.random.default_rng(3).uniform(0.05, 0.45, (2, 6)), 3000
    start[1, 2] = 0.0
    shown = np.resize(with_covariance(factors, 40.0), (n_shown, 6))
    found = rates_learned(rule, shown, 0.1, start, lambda w, x: 20.0 + w @ x) - start
    wanted = 0.1 * n_shown * rule.mean_change(start, C)
    assert np.linalg.norm(found - wanted) < 3.0 * (1 + math.log(n_shown)) / n_shown * np.linalg.norm(wanted)


def test_the_averaged_equations_are_of_the_covariance_that_inputs_state():
    """By hand, for two groups: swings of amplitude a have variance a^2 / 2, shared noise its own; and means come in for plain Hebb alone."""
    for model, variance in (
        (ModulatedPoisson(10.0, 6.0, n_modulated=2), 18.0),
        (OrnsteinUhlenbeckPoisson(50.0, 3.0, n_modulated=2), 9.0),
    ):
        inputs, cells = (
            Population("inputs", 4, model),
            Population("cells", 1, ExponentialPoisson(base_rate=5.0, gain=2.0)),
        )
        w, mean = np.array([0.1, 0.2, 0.3, 0.4]), float(model.rate)
        covariance = np.array([0.0, 0.0, 1.0, 1.0]) * variance * 2.0 * (0.3 + 0.4)
        for rule, wanted in (
            (Hebb(1e-5), 1e-5 * (mean * 2.0 * (5.0 + mean) + covariance)),
            (Covariance(1e-5), 1e-5 * covariance),
            (Oja(1e-5), 1e-5 * (covariance - variance * 4.0 * 0.7**2 * w)),
            (Linsker(1e-3, -2e-3, 1e-4), 1e-3 - 2e-3 * 0.25 + 1e-4 * covariance / 4),
        ):
            equation = reduce(Network([inputs, cells], [Projection(inputs, cells, 0.1, rule)]))
            np.testing.assert_allclose(equation.drift(w), wanted, rtol=1e-6)


def test_linear_rules_are_solved_exactly():
    """Against the exponential of their matrix, from two starts at once; and by simulate, which finds the averaged equation where rates never stand still."""
    from scipy.linalg import expm

    factors, C = noise()
    start = np.random.default_rng(2).normal(size=(2, 6))
    equation = reduce(layer(with_covariance(factors, 40.0), Covariance(1e-3)))
    np.testing.assert_allclose(equation.matrix(), 1e-3 * C, atol=1e-12)
    found = averaged(equation, start, [0.0, 30.0, 400.0])
    for t, w in zip((0.0, 30.0, 400.0), found, strict=True):
        np.testing.assert_allclose(w, start @ expm(1e-3 * C * t), rtol=1e-8)
    inputs, cells = (
        Population("inputs", 4, ModulatedPoisson(n_modulated=2)),
        Population("cells", 1, ExponentialPoisson()),
    )
    run = simulate(Network([inputs, cells], [Projection(inputs, cells, 0.1, Covariance(1e-4))]), 100.0, level="rate")
    grown = 0.1 * math.exp(1e-4 * 50.0 * 2 * 100.0)
    np.testing.assert_allclose(run.final_weights[0, 0], [0.1, 0.1, grown, grown], rtol=1e-9)


# What each rule is known for --------------------------------------------------------------------------------------------


def test_oja_turns_to_the_principal_component_as_its_closed_form_does():
    """w(t) = E w / sqrt(1 + |E w|^2 - |w|^2) with E = exp(eta C t) solves dw/dt = eta [C w - (w^T C w) w]."""
    from scipy.linalg import expm

    factors, C = noise()
    start, times = 0.3 * np.random.default_rng(2).normal(size=(2, 6)), [0.0, 10.0, 100.0, 1000.0]
    found = averaged(reduce(layer(with_covariance(factors, 40.0), Oja(eta=1e-3))), start, times)
    for t, w in zip(times, found, strict=True):
        grown = start @ expm(1e-3 * C * t)
        length = np.sqrt(1.0 + (grown**2).sum(axis=1) - (start**2).sum(axis=1))
        np.testing.assert_allclose(w, grown / length[:, None], atol=1e-7)
    first = np.linalg.eigh(C)[1][:, -1]
    assert (np.abs(found[-1] @ first) > 0.99).all() and np.linalg.norm(found[-1], axis=1) == pytest.approx(1, abs=0.01)


def test_sanger_finds_the_principal_components_in_their_order():
    """The third with 1 / (eta lambda) = 2500 s, after the ones before it have come to rest."""
    random = np.random.default_rng(3)
    axes = np.linalg.qr(random.normal(size=(6, 6)))[0]
    factors = np.sqrt([16.0, 8.0, 4.0, 2.0, 1.0, 0.5])[:, None] * axes.T
    network = layer(
        with_covariance(factors, 60.0),
        Sanger(eta=1e-4, tau=1000.0),
        3,
        0.3 * random.normal(size=(3, 6)),
        base_rate=300.0,
    )
    run = simulate(network, 200_000.0, level="rate", record_every=200_000.0)
    for k, w in enumerate(run.final_weights[0]):
        assert np.linalg.norm(w) == pytest.approx(1, abs=0.01)
        assert abs(w @ axes[:, k]) / np.linalg.norm(w) > 0.99


@pytest.mark.parametrize(
    "K, threshold, eta, wanted",
    [
        (2, MeanSquareThreshold(10.0, 20.0), 1e-7, 2 * 10.0),
        (4, MeanSquareThreshold(10.0, 40.0), 5e-8, 4 * 10.0),
        (2, SlidingThreshold(10.0, 20.0, p=2.0), 5e-8, 2 ** (1 + 1 / 1) * 10.0),
        (3, SlidingThreshold(10.0, 30.0, p=3.0), 5e-8, 3 ** (1 + 1 / 2) * 10.0),
    ],
)
def test_bcm_answers_one_pattern_of_K_and_no_other(K, threshold, eta, wanted):
    """y = theta at the pattern that is left, with <y^2> = y^2 / K or <y> = y / K; within 5 %, over the last half of the records."""
    patterns = 3.0 + 30.0 * np.eye(K) + np.random.default_rng(K).uniform(0.0, 4.0, (K, K))
    rule = BCM(eta=eta, theta=10.0, threshold=threshold)
    run = simulate(
        layer(patterns, rule, weights=np.linspace(0.1, 0.12, K)), 400_000.0, level="rate", record_every=2000.0
    )
    answers = np.maximum(run.weights[0, 100:, 0] @ patterns.T, 0.0).mean(axis=0)
    assert np.sort(answers)[-1] == pytest.approx(wanted, rel=0.05) and np.sort(answers)[-2] < 0.05 * wanted


def arbor_of_linsker(n, k1, k2):
    """Positions (n, 2) of n synapses, in standard deviations of their Gaussian density, and the equation under a Gaussian covariance of g = 2 / 3."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    places = ndtri(qmc.Sobol(2, seed=1).random(n))
    places = (places - places.mean(axis=0)) / places.std(axis=0)
    distance = np.linalg.norm(places[:, None] - places[None], axis=-1)
    values, vectors = np.linalg.eigh(np.exp(-(distance**2) / (2 * 2 / 3)))
    factors = (vectors * np.sqrt(np.maximum(values, 0.0))).T[values > 1e-10 * values[-1]]
    return places, reduce(layer(with_covariance(factors, 200.0), Linsker(k1, k2, eta=1.0)))


def test_the_spectrum_of_linskers_cell():
    """MacKay & Miller: eigenvalues lambda_0 l^n of order n, l = [(2 + g) - sqrt((2 + g)^2 - 4)] / 2; with k2 = -1 two bilobed modes beat centre-surround."""
    g = 2 / 3
    ell = ((2 + g) - math.sqrt((2 + g) ** 2 - 4)) / 2
    places, equation = arbor_of_linsker(512, 0.0, 0.0)
    values = np.linalg.eigvalsh(equation.matrix())[::-1]
    assert ell == pytest.approx(0.4514, abs=1e-4)
    np.testing.assert_allclose(values[[1, 2]] / values[0], ell, rtol=0.01)
    np.testing.assert_allclose(values[3:6].mean() / values[0], ell**2, rtol=0.01)
    values, modes = np.linalg.eigh(arbor_of_linsker(512, 0.0, -1.0)[1].matrix())
    np.testing.assert_allclose(values[::-1][:3], [0.1361, 0.1361, 0.1167], rtol=0.01)
    tilt, bend = places, (places**2).sum(axis=1) - 2.0
    for mode in modes.T[::-1][:2]:  # odd: one half on, the other off
        assert np.linalg.norm(tilt.T @ mode) > 10 * abs(bend @ mode)
    centre_surround = modes[:, -3]
    assert abs(bend @ centre_surround) > 10 * np.linalg.norm(tilt.T @ centre_surround)


def test_the_mean_weight_of_linskers_cell():
    """k2 outweighs Q, whose part in the mean is at most 0.5 / 60: it comes to -k1 / k2 = 0.15 by a share (1 + 0.15 / 0.5) / 2 of weights at the upper bound."""
    n = 64
    _, equation = arbor_of_linsker(n, 9.0, -60.0)
    assert equation.predictions()["mean_weight"] == pytest.approx(0.15, rel=0.02)
    start = np.random.default_rng(0).uniform(-0.05, 0.05, (1, n))
    last = averaged(equation, start, [0.0, 300.0])[-1, 0]
    assert last.mean() == pytest.approx(0.15, abs=0.5 / 60)
    assert (np.abs(last) > 0.499).mean() > 0.95 and (last > 0.499).mean() == pytest.approx(0.65, abs=0.5 / 60 + 2 / n)


def test_columns_of_miller_have_the_wavelength_of_the_interaction():
    """Two eyes, each correlated in itself over all of an arbor: patterns of the ring grow as the interaction's transform, which is largest at
    k*^2 = 4 ln(s2 / s1) / (s2^2 - s1^2); within 15 %, for the peak of the spectrum over both seeds. The sum of weights is kept, and they freeze at limits.
    """
    n, s1, s2 = 48, 1.5, 3.0
    around = np.abs((np.arange(n)[:, None] - np.arange(n) + n // 2) % n - n // 2)
    interaction = np.exp(-(around**2) / (2 * s1**2)) - s1 / s2 * np.exp(-(around**2) / (2 * s2**2))
    arbor = np.tile(1.0 * (around <= 3), 2)
    eyes = 2.0 * np.kron(np.eye(2), np.ones(n))
    start = arbor * (0.5 + 0.02 * np.random.default_rng(1).uniform(-1, 1, (n, 2 * n)))
    network = layer(with_covariance(eyes, 3.0), Miller(arbor, interaction, eta=1e-5), n, start, T=0.3)
    run = simulate(network, 20_000.0, level="rate", seeds=(1, 2), record_every=5_000.0)
    left, right = run.final_weights[..., :n].sum(axis=2), run.final_weights[..., n:].sum(axis=2)
    dominance = (left - right) / (left + right)
    power = (np.abs(np.fft.rfft(dominance)) ** 2).sum(axis=0)
    wavelength = 2 * math.pi / math.sqrt(4 * math.log(s2 / s1) / (s2**2 - s1**2))
    assert n / power.argmax() == pytest.approx(wavelength, rel=0.15) and np.abs(dominance).mean() > 0.7
    np.testing.assert_allclose(run.final_weights.sum(axis=2), [start.sum(axis=1)] * 2, rtol=1e-12)
    late, last = run.weights[:, 3], run.final_weights
    frozen = (arbor > 0) & ((late == 0.0) | (late == 1.0))
    assert frozen.mean() > 0.01 and (last[frozen] == late[frozen]).all() and (last[:, arbor == 0] == 0.0).all()


def sparse_and_white(n_patterns=20_000, n=8):
    """Patterns of ON and OFF cells: white, Gaussian in all directions but one; and that direction."""
    random = np.random.default_rng(6)
    hidden = random.normal(size=(n_patterns, n))
    hidden[:, 0] = random.laplace(size=n_patterns) ** 3
    hidden -= hidden.mean(axis=0)
    turn = np.linalg.qr(random.normal(size=(n, n)))[0]
    values, vectors = np.linalg.eigh(np.cov(hidden.T))
    seen = np.clip(hidden @ (vectors / np.sqrt(values)) @ vectors.T @ turn.T, -10, 10)
    return 10.0 * np.concatenate([np.maximum(seen, 0), np.maximum(-seen, 0)], axis=1), turn[:, 0]


def kurtosis(directions, patterns):
    """(n_directions,) excess kurtosis of what ON less OFF cells are along directions (n_directions, n)."""
    along = (patterns[:, :8] - patterns[:, 8:]) @ directions.T
    along = (along - along.mean(axis=0)) / along.std(axis=0)
    return (along**4).mean(axis=0) - 3.0


def test_a_linear_rule_sees_nothing_in_white_inputs_where_a_rectifier_finds_what_is_sparse():
    patterns, sparse = sparse_and_white()
    random = np.random.default_rng(7)
    start = random.normal(size=(1, 16)) / 4.0
    by_chance = kurtosis(random.normal(size=(400, 8)), patterns)
    found = {}
    for f, base_rate, eta in ((Linear(100.0), 100.0, 1e-5), (RectifiedPower(0.0, 2.0), 0.0, 1e-6)):
        network = layer(
            patterns,
            NonlinearHebb(eta, f),
            weights=start,
            base_rate=base_rate,
            normalisation=L2(every=0.1),
            transmission=PushPull(),
        )
        w = simulate(network, 3000.0, level="rate", record_every=3000.0).final_weights[0, 0]
        found[type(f)] = (w[:8] - w[8:]) / np.linalg.norm(w[:8] - w[8:])
    linear, rectified = found[Linear], found[RectifiedPower]
    assert kurtosis(linear[None], patterns)[0] < np.quantile(by_chance, 0.9) and abs(linear @ sparse) < 0.9
    assert kurtosis(rectified[None], patterns)[0] > 2 * np.median(by_chance) and abs(rectified @ sparse) > 0.95


# The rules of rates that rules of spikes turn into ---------------------------------------------------------------------------


def turned(model, rule, weights=0.1, neuron=None):
    """The learning equation of a layer of 10 synapses with a rule of spikes, and the one of the rate rule that it turns into on the same layer."""
    inputs, cells = (
        Population("inputs", 10, model),
        Population("cells", 1, neuron or LinearPoisson(base_rate=3.0, gain=0.5)),
    )
    equation = reduce(Network([inputs, cells], [Projection(inputs, cells, weights, rule)]))
    return equation, reduce(Network([inputs, cells], [Projection(inputs, cells, weights, equation.rate_rule())]))


@pytest.mark.parametrize(
    "model, lost",  # of Q: what correlations that are too fast for rates would have added, or taken away
    [
        (HomogeneousPoisson(10.0), None),
        (ModulatedPoisson(10.0, 10.0, 0.1, n_modulated=5), 1.001),
        (ModulatedPoisson(10.0, 10.0, 20.0, n_modulated=5), 1.65),
        (ModulatedPoisson(10.0, 10.0, 40.0, n_modulated=5), 0.288),
    ],
)
def test_kempters_rule_turns_into_linskers(model, lost):
    """All but Q is the same; Q is what slow rates have, 2.379e-6 / 2.375e-6 of it at 0.1 Hz (theory: the table of Q over its rate-only value)."""
    equation, linsker = turned(model, SpikeHebb(w_min=-1.0, w_max=2.0))
    rule, w = linsker.rule, np.linspace(0.05, 0.3, 10)
    assert (rule.k1, rule.k2 / 10) == (equation.k1, equation.k2) and (rule.w_min, rule.w_max) == (-1.0, 2.0)
    if lost is None:
        np.testing.assert_allclose(linsker.drift(w), equation.without_causal().drift(w), rtol=1e-12)
        return
    slow, whole = (each.drift(w) - (rule.k1 + rule.k2 * w.mean()) for each in (linsker, equation.without_causal()))
    np.testing.assert_allclose(whole[5:] / slow[5:], lost, rtol=0.005)
    np.testing.assert_allclose(slow[:5], 0.0, atol=1e-12 * abs(rule.k1))


@pytest.mark.parametrize("threshold", [FixedThreshold(0.7), SlidingThreshold(8.0, 1e15, 2.5), MeanSquareThreshold(12.0, 1e15)], ids=lambda part: type(part).__name__)  # fmt: skip
def test_the_triplet_rule_turns_into_bcm(threshold):
    """Where the threshold averages over so many spikes that single ones do not count."""
    inputs, cells = Population("inputs", 10, HomogeneousPoisson(10.0)), Population("cells", 1, LinearPoisson())
    equation = reduce(
        Network([inputs, cells], [Projection(inputs, cells, 0.1, Triplet(eta=0.3, threshold=threshold, w_max=5.0))])
    )
    rule, (x, y) = equation.rate_rule(), np.meshgrid([1.0, 7.0, 40.0], [0.5, 5.0, 19.0, 60.0])
    np.testing.assert_allclose(rule.drift(x, y), equation.independent_drift(x, y), rtol=1e-12)
    assert rule.threshold == threshold and rule.w_max == 5.0
    assert rule.theta == pytest.approx(19.22, abs=0.01)  # of the minimal set of visual cortex, theory


def test_triplets_and_bcm_learn_the_same_from_long_patterns():
    """Where patterns outlast the slow trace, by T / tau_y = 263: it lags behind each by a share tau_y / T, on average over changes up and down."""
    patterns, T = np.random.default_rng(1).uniform(0.0, 40.0, (5, 6)), 30.0
    triplet = Triplet(eta=1e-3, threshold=SlidingThreshold(20.0, 200.0), w_min=-math.inf)
    network = layer(patterns, triplet, weights=0.15, T=T, in_order=1)
    bcm = layer(patterns, reduce(network).rate_rule(), weights=0.15, T=T, in_order=1)
    with interpreted():
        found, wanted = (
            simulate(each, 600.5, level="rate", record_every=600.5).final_weights[0, 0] for each in (network, bcm)
        )
    assert np.abs(wanted - 0.15).max() > 0.005
    np.testing.assert_allclose(
        found - 0.15, wanted - 0.15, rtol=2 * 0.114 / T, atol=2 * 0.114 / T * np.abs(wanted - 0.15).max()
    )


def test_pairs_turn_into_hebb_and_presynaptic_centred_pairs_into_a_threshold():
    equation = spike_pairs(PRESYNAPTIC_CENTRED)
    rule, (x, y) = equation.rate_rule(), np.meshgrid([1.0, 7.0, 40.0], [0.5, 5.0, 16.0, 60.0])
    np.testing.assert_allclose(rule.drift(x, y), equation.independent_drift(0.1, x, y), rtol=1e-12)
    assert (rule.drift(10.0, np.array([16.2, 16.4])) > 0.0).tolist() == [False, True]  # Izhikevich & Desai: 16.3 Hz
    plain = spike_pairs(ALL_TO_ALL)
    np.testing.assert_allclose(plain.rate_rule().eta * x * y, plain.independent_drift(0.1, x, y), rtol=1e-12)


def spike_pairs(pairing, **options):
    inputs, cells = Population("inputs", 10, HomogeneousPoisson(10.0)), Population("cells", 1, LinearPoisson())
    rule = STDP(1.03e-4, 0.51e-4, 13.3e-3, 34.5e-3, pairing=pairing, **options)
    return reduce(Network([inputs, cells], [Projection(inputs, cells, 0.1, rule)]))


@pytest.mark.parametrize(
    "equation, words",
    [
        (lambda: spike_pairs(REDUCED_SYMMETRIC), "STDPEquation.rate_rule: is of all pairs, or of presynaptic-centred ones"),
        (lambda: spike_pairs(ALL_TO_ALL, dependence=PowerLaw(0.0, 1.0)), "STDPEquation.rate_rule: is of amplitudes that do not depend"),
        (lambda: turned(HomogeneousPoisson(10.0), Triplet(A3_minus=1e-3))[0], "TripletEquation.rate_rule: is of the minimal rule"),
        (lambda: turned(HomogeneousPoisson(np.arange(10.0)), SpikeHebb())[0], "LearningEquation.rate_rule: is of inputs with equal rates"),
    ],
)  # fmt: skip
def test_what_turns_into_no_rate_rule_says_so(equation, words):
    with pytest.raises(HebbscopeError, match=re.escape(words)):
        equation().rate_rule()


# Rates that vary all the time ------------------------------------------------------------------------------------------------


def varying(model, rule, base_rate=50.0, **options):
    inputs, cells = (
        Population("inputs", 4, model),
        Population("cells", 1, ExponentialPoisson(tau=SLOW, base_rate=base_rate)),
    )
    return Network([inputs, cells], [Projection(inputs, cells, np.array([0.1, 0.2, 0.3, 0.4]), rule, **options)])


@pytest.mark.parametrize("model", [HomogeneousPoisson(10.0), ModulatedPoisson(10.0, 8.0, np.array([2.0, 2.0, 4.0, 4.0]), np.array([0.0, 1.0, 0.5, 0.0]), n_modulated=3)], ids=lambda model: type(model).__name__)  # fmt: skip
def test_rates_are_looked_at_in_steps_where_they_vary(model):
    """A linear f is plain Hebb, which has an averaged equation: the sum over whole periods of a cosine is exact, so that only the weights' own move is left."""
    network = varying(model, NonlinearHebb(1e-9, Linear(0.0)))
    with interpreted():
        run = simulate(network, 10.0, level="rate", dt=0.01, record_every=10.0)
    change = 10.0 * reduce(varying(model, Hebb(1e-9))).drift(run.weights[0, 0])
    np.testing.assert_allclose(run.final_weights[0] - run.weights[0, 0], change, rtol=1e-5)
    assert run.attrs["dt"] == 0.01


def test_the_rates_of_an_ornstein_uhlenbeck_process_have_the_covariance_that_it_states():
    """Variance of a time average of x^2 over T: 2 tau_c sd^4 / T, for slow learning whose drift is as good as the covariance."""
    sd, tau_c, T = 4.0, 0.02, 400.0
    model = OrnsteinUhlenbeckPoisson(60.0, sd, tau_c, n_modulated=2)
    run = simulate(
        varying(model, NonlinearHebb(1e-9, Linear(50.0 + 60.0))),
        T,
        level="rate",
        dt=2e-3,
        record_every=T,
        seeds=range(1, 9),
    )
    change = (run.final_weights - run.weights[:, 0])[:, 0] / (1e-9 * T)
    wanted = sd**2 * 0.7  # cov(x_j, y) of a modulated input, more than of one that is not
    error = wanted * math.sqrt(2 * tau_c / T / 8)
    found = (change[:, 2:] - change[:, :2]).mean()
    assert abs(found - wanted) < 3.5 * error


def test_a_normalisation_goes_with_rates_that_vary():
    model = ModulatedPoisson(10.0, 8.0, 4.0, n_modulated=2)
    with interpreted():
        run = simulate(varying(model, Hebb(1e-4), normalisation=L2(norm=0.7, every=0.05)), 2.005, level="rate", dt=0.01)
    assert np.linalg.norm(run.final_weights) == pytest.approx(0.7, abs=1e-9)


def test_plain_hebb_under_a_norm_comes_to_the_principal_direction_of_the_rates_themselves():
    """Of <x x^T>, means included, as power iteration does: what others grow by is less."""
    patterns = np.random.default_rng(9).uniform(0.0, 30.0, (4, 5))
    network = layer(patterns, Hebb(eta=1e-4), weights=np.linspace(0.1, 0.9, 5), in_order=1, normalisation=L2(every=0.4))
    with interpreted():
        run = simulate(network, 400.05, level="rate", record_every=400.05)
    first = np.linalg.eigh(patterns.T @ patterns)[1][:, -1]
    np.testing.assert_allclose(run.final_weights[0, 0], first * np.sign(first.sum()), atol=0.01)


def test_oja_rests_at_a_length_that_the_gain_sets():
    factors, C = noise()
    inputs = Population("inputs", 6, PatternPoisson(with_covariance(factors, 40.0)))
    cells = Population("cells", 1, ExponentialPoisson(base_rate=100.0, gain=2.5))
    equation = reduce(Network([inputs, cells], [Projection(inputs, cells, 0.1, Oja(eta=1e-3))]))
    rest = np.linalg.eigh(C)[1][:, -1] / math.sqrt(2.5)
    np.testing.assert_allclose(equation.drift(rest), 0.0, atol=1e-12)
    np.testing.assert_allclose(averaged(equation, 0.9 * rest[None], [0.0, 1000.0])[-1, 0], rest, atol=1e-6)


# Steps ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", [L1, Multiplicative])
def test_a_norm_that_is_kept_seldom_leaves_learning_its_steps(norm):
    """Under steady rates y = n x w obeys dy/dt = n x^2 eta y (y - theta), a logistic equation; every 10 s it starts again, or but for the norm goes on."""
    inputs, cell = (
        Population("inputs", 4, HomogeneousPoisson(20.0)),
        Population("cell", 1, ExponentialPoisson(tau=SLOW)),
    )
    rule, speed = BCM(eta=1e-5, theta=10.0, threshold=FixedThreshold()), 4 * 20.0**2 * 1e-5

    def learned(y, t):
        return 10.0 / (1.0 + (10.0 / y - 1.0) * math.exp(speed * 10.0 * t))

    network = Network([inputs, cell], [Projection(inputs, cell, 0.1, rule, normalisation=norm(norm=0.4, every=10.0))])
    run = simulate(network, 35.0, level="rate", dt=5e-3, record_every=9.99)
    np.testing.assert_allclose(run.weights[0, 1, 0], learned(8.0, 9.99) / 80.0, rtol=1e-3)
    np.testing.assert_allclose(run.final_weights[0, 0], learned(8.0, 5.0) / 80.0, rtol=1e-3)
    assert run.attrs["dt"] == 5e-3


@pytest.mark.parametrize(
    "model, dt, words",
    [
        (ModulatedPoisson(20.0, 20.0, 40.0, n_modulated=2), 2.6e-3, "<= 0.0025 s, a tenth of the time in which the rates of ModulatedPoisson change, got 0.0026"),
        (ModulatedPoisson(20.0, 5.0, np.array([1.0, 2.0, 80.0, 4.0]), n_modulated=2), 2e-3, "<= 0.00125 s, a tenth"),
        (OrnsteinUhlenbeckPoisson(tau_c=0.2), 0.1, "<= 0.02 s, a tenth of the time in which the rates of OrnsteinUhlenbeckPoisson change"),
    ],
)  # fmt: skip
def test_steps_that_would_not_see_the_rates_change_are_refused(model, dt, words):
    with pytest.raises(ParameterError, match=re.escape(f"simulate.dt: must be {words}")):
        simulate(varying(model, Miller()), 1.0, level="rate", dt=dt)
    with interpreted():
        simulate(varying(model, Hebb()), 1.0, level="rate", dt=dt)  # in closed form: no steps
