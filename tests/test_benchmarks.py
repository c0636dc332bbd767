"""The yardstick of the speed benchmark simulates the network that it claims to: its behaviour is theory's. No times here."""

import sys
from pathlib import Path

import numba
import numpy as np
import pytest

import hebbscope

BENCHMARKS = Path(hebbscope.__file__).parent / "benchmarks"
SEEDS, SECONDS = (3, 10.0) if numba.config.DISABLE_JIT else (32, 2500.0)


@pytest.fixture(scope="module")
def benchmarks():
    sys.path.insert(0, str(BENCHMARKS))
    import fused_kempter
    import setting

    yield fused_kempter, setting
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def runs(benchmarks):
    with np.errstate(over="ignore"):  # without the JIT the random stream wraps around loudly
        return [benchmarks[0].simulate(SECONDS, seed, record_every=SECONDS / 25) for seed in range(SEEDS)]


def agrees(values, theory):
    """The mean over seeds is theory's within three standard errors."""
    return abs(np.mean(values) - theory) < 3 * np.std(values, ddof=1) / np.sqrt(len(values))


def test_fused_kernel_has_the_mean_weight_of_theory(benchmarks, runs):
    expected = np.mean([benchmarks[0].expected(t)[0] for t in runs[0].times[1:]])
    assert agrees([run.mean_weight[1:].mean() for run in runs], expected)


def test_fused_kernel_separates_the_groups_as_theory(benchmarks, runs):
    assert agrees([run.separation[-1] for run in runs], benchmarks[0].expected(SECONDS)[1])


def test_fused_kernel_fires_at_the_rate_of_theory(benchmarks, runs):
    expected = np.mean([benchmarks[0].expected(t)[2] for t in runs[0].times])
    assert agrees([run.output_rate for run in runs], expected)
    assert agrees([run.n_pre_spikes for run in runs], 50 * 10.0 * SECONDS)


@pytest.mark.parametrize("causal", [True, False])
def test_expectation_is_the_learning_equation_of_the_network(benchmarks, causal):
    fused_kempter, setting = benchmarks
    run = hebbscope.simulate(setting.network(), 20_000.0, level="rate", record_every=5_000.0)
    weights = run.weights[0, :, 0] if causal else run.theory["weights_without_causal"][:, 0]
    for t, w in zip(run.time, weights, strict=True):
        mean, separation, _ = fused_kempter.expected(t, causal)
        assert w.mean() == pytest.approx(mean, rel=1e-4)
        assert w[25:].mean() - w[:25].mean() == pytest.approx(separation, rel=1e-3, abs=1e-9)


@pytest.mark.parametrize(("n_pre", "n_post"), [(50, 1), (500, 3)])
def test_network_keeps_its_rate_in_any_size(benchmarks, n_pre, n_post):
    equation = hebbscope.reduce(benchmarks[1].network(n_pre, n_post))
    assert equation.mean_weight * n_pre == pytest.approx(1.0, rel=0.03)
    assert equation.output_rate == pytest.approx(10.0, rel=0.03)


def test_the_readme_quotes_the_measured_numbers():
    assert (BENCHMARKS / "results.md").read_text().strip() in (BENCHMARKS.parent / "README.md").read_text()
