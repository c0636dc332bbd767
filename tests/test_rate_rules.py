"""Rules that are born at the rate level: twins, refusals, averaged equations, and what each of them is known for."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from interpreting import interpreted
from naive import rates_learned

from hebbscope import HebbscopeError, Network, Population, Projection, reduce, simulate
from hebbscope.models import CommonSourcePoisson, ExponentialPoisson, ModulatedPoisson, PatternPoisson
from hebbscope.rules import (
    BCM,
    Covariance,
    Hebb,
    Linsker,
    MeanSquareThreshold,
    Miller,
    NearestPairs,
    NonlinearHebb,
    Oja,
    RectifiedPower,
    Sanger,
)
from hebbscope.simulator.protocols import ParameterError
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
    assert part.depression(state, 0, 3.0) == pytest.approx(square / 25.0, rel=1e-12)


def test_the_mean_square_of_poisson_spikes_is_that_of_their_rate():
    """The time average over n independent averaging times has a standard error that the batches themselves give."""
    part, random = MeanSquareThreshold(rho_0=20.0, tau=5.0, tau_y=0.1), np.random.default_rng(5)
    state, found, t = part.init(1), [], 0.0
    while t < 4000.0:
        t += random.exponential(1 / 20.0)
        part.add_output(state, 0, t)
        found.append((t, part.depression(state, 0, t)))
    times, scales = np.array(found).T
    batches = [scales[(times > a) & (times <= a + 100.0)].mean() for a in np.arange(100.0, 4000.0, 100.0)]
    assert abs(np.mean(batches) - 1.0) < 3.5 * np.std(batches) / math.sqrt(len(batches))


# What is refused --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["spike", "surrogate"])
@pytest.mark.parametrize("engine", ["event", "clock"])
def test_a_rule_of_rates_is_refused_where_there_are_spikes(level, engine):
    words = f"simulate.level: must be rate: Oja of inputs_to_cells learns from rates, not from spikes, got '{level}'"
    with pytest.raises(ParameterError) as caught:
        simulate(layer(np.ones((2, 3)), Oja()), 1.0, level=level, engine=engine)
    assert str(caught.value) == words


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
