"""The averaged equation integrated: against scipy's integrators, dense matrix exponentials, and by hand at the bounds."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from hebbscope import simulate
from hebbscope.models.inputs import HomogeneousPoisson, ModulatedPoisson, RecordedSpikes
from hebbscope.models.neurons import LinearPoisson
from hebbscope.rules import L2, KempterWindow, SpikeHebb, Triplet
from hebbscope.rules.linear_flow import invariant_subspace
from hebbscope.rules.reduction import LearningEquation, reduce
from hebbscope.simulator.drive import Runaway
from hebbscope.simulator.network import Network, Population, Projection
from hebbscope.simulator.protocols import HebbscopeError
from hebbscope.simulator.rate import averaged


def equation_of(model, n, **bounds):
    inputs, neuron = Population("inputs", n, model), Population("neuron", 1, LinearPoisson())
    return reduce(Network([inputs, neuron], [Projection(inputs, neuron, weights=0.02, rule=SpikeHebb(**bounds))]))


def two_groups(**bounds):
    return equation_of(ModulatedPoisson(n_modulated=25), 50, **bounds)


def all_different(n, **bounds):
    generator = np.random.default_rng(4)
    model = ModulatedPoisson(
        rate=generator.uniform(8, 12, n), amplitude=generator.uniform(0, 8, n), phase=generator.uniform(0, 6, n)
    )
    return equation_of(model, n, **bounds)


def linear(matrix, constant, w_min=-np.inf, w_max=np.inf):
    """Any linear equation dJ/dt = constant + matrix J in the clothes of a learning equation: two synapses or so."""
    n = len(constant)
    silent = LearningEquation(
        rates=np.ones(n), w_in=0.0, w_out=0.0, W_integral=0.0, W_square_integral=0.0, base_rate=0.0, gain=1.0,
        left=np.asarray(matrix, float), right=np.eye(n), own=np.zeros(n), w_min=w_min, w_max=w_max,
    )  # fmt: skip
    return dataclasses.replace(silent, rates=np.asarray(constant, float), w_in=1.0)


def dense(equation, weights, t):
    """The solution with the whole matrix."""
    n = equation.n
    whole = np.zeros((n + 1, n + 1))
    whole[:n, :n], whole[:n, n] = equation.matrix(), equation.constant
    return (expm(t * whole) @ np.append(weights, 1.0))[:n]


def projected(equation, weights, times, max_step):
    """The vector field cut off at the bounds, in small steps."""
    low, high = equation.w_min, equation.w_max

    def field(_, y):
        y = np.clip(y, low, high)
        d = equation.drift(y)
        return np.where(((y <= low) & (d < 0)) | ((y >= high) & (d > 0)), 0.0, d)

    found = solve_ivp(field, (times[0], times[-1]), weights, t_eval=times, rtol=1e-6, atol=1e-9, max_step=max_step)
    return np.clip(found.y.T, low, high)


@pytest.mark.parametrize(
    "equation", [two_groups(), all_different(60), two_groups().without_causal()], ids=["groups", "all", "surrogate"]
)
def test_unbounded_is_exact(equation):
    generator = np.random.default_rng(0)
    weights = generator.uniform(0.0, 0.04, (3, equation.n))
    times = np.array([0.0, 1.0, 150.0, 151.0, 5_000.0, 20_000.0])
    path = averaged(equation, weights, times)
    assert path.shape == (6, 3, equation.n)
    np.testing.assert_array_equal(path[0], weights)
    for k, t in enumerate(times):
        for i in range(3):
            np.testing.assert_allclose(path[k, i], dense(equation, weights[i], t), rtol=1e-9, atol=1e-11)
    found = solve_ivp(
        lambda t, y: equation.drift(y), (0, 20_000), weights[1], t_eval=times, method="DOP853", rtol=1e-11, atol=1e-13
    )
    np.testing.assert_allclose(path[:, 1], found.y.T, rtol=1e-7, atol=1e-8)


def test_from_equal_weights_two_dimensions_suffice():
    equation = two_groups()
    flow = equation.flow(np.full((1, 50), 0.04))
    assert len(flow.basis) == 2
    path = np.stack([*flow.path(np.array([100.0, 200.0]))])[:, 0].mean(axis=1)
    np.testing.assert_allclose(path, [0.0323, 0.0277], atol=6e-5)  # relaxation of the mean within 203 s


def test_many_unequal_synapses_are_cut_off_early_and_exact():
    equation = all_different(600)
    weights = np.random.default_rng(1).uniform(0, 0.02, (1, 600))
    flow = equation.flow(weights, horizon=5000.0)
    assert len(flow.basis) < 200
    np.testing.assert_allclose(flow.at(5000.0)[0], dense(equation, weights[0], 5000.0), rtol=1e-9, atol=1e-11)


def test_start_need_not_be_at_time_zero():
    equation, weights = two_groups(), np.full((2, 50), 0.03)
    np.testing.assert_allclose(
        averaged(equation, weights, [50.0, 250.0]), averaged(equation, weights, [0.0, 200.0]), rtol=1e-12
    )


def test_separation_of_the_paper():
    """0.0169 with, 0.0075 without the causal term after 20,000 s."""
    for equation, expected in ((two_groups(), 0.01691), (two_groups().without_causal(), 0.00747)):
        final = averaged(equation, np.full((1, 50), 0.02), [0.0, 20_000.0])[-1, 0]
        assert final[25:].mean() - final[:25].mean() == pytest.approx(expected, rel=5e-3)


def test_stiff_mean_beside_slow_structure():
    """Eight orders of magnitude between the two rates: still one step."""
    matrix = -1e3 * np.ones((4, 4)) / 4 + np.diag([1e-5, 2e-5, 0.0, -1e-5])
    equation = linear(matrix, np.full(4, 20.0))
    weights = np.array([0.0, 0.1, 0.2, 0.3])
    path = averaged(equation, weights, [0.0, 1e-3, 1.0, 1e4])
    for k, t in enumerate((0.0, 1e-3, 1.0, 1e4)):
        np.testing.assert_allclose(path[k, 0], dense(equation, weights, t), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("start", ["equal", "random"])
@pytest.mark.parametrize("make", [two_groups, lambda **bounds: all_different(30, **bounds)], ids=["groups", "all"])
def test_bounds_against_small_steps(make, start):
    equation = make(w_min=0.0, w_max=0.1)
    weights = np.full(equation.n, 0.02) if start == "equal" else np.random.default_rng(2).uniform(0, 0.04, equation.n)
    times = np.linspace(0.0, 5e4, 11)
    path = averaged(equation, weights, times)[:, 0]
    assert path.min() >= 0.0 and path.max() <= 0.1 and (path[-1] == 0.0).any()
    np.testing.assert_allclose(path, projected(equation, weights, times, 100.0), atol=2e-7)


def test_bounds_do_not_depend_on_record_times():
    equation = two_groups(w_min=0.0, w_max=0.08)
    weights = np.random.default_rng(3).uniform(0, 0.04, (2, 50))
    often = averaged(equation, weights, np.linspace(0, 6e4, 61))
    np.testing.assert_allclose(averaged(equation, weights, [0.0, 3e4, 6e4]), often[[0, 30, 60]], atol=1e-9)


def test_reached_bound_by_hand():
    """dJ/dt = 1 - J from 0 meets 0.5 at ln 2 and stays there; the other synapse goes on with the held one's weight."""
    equation = linear([[-1.0, 0.0], [1.0, 0.0]], [1.0, 1e-9], w_min=-10.0, w_max=0.5)
    times = np.array([0.0, 0.5, math.log(2), 1.0])
    path = averaged(equation, np.array([0.0, -5.0]), times)[:, 0]
    np.testing.assert_allclose(path[:, 0], np.minimum(1 - np.exp(-times), 0.5), atol=1e-9)
    before = np.minimum(times, math.log(2))
    expected = -5.0 + before - (1 - np.exp(-before)) + 0.5 * (times - before)
    np.testing.assert_allclose(path[:, 1], expected, atol=1e-8)


def test_a_weight_leaves_its_bound_when_its_drift_turns():
    """x' = -y, y' = x: x slides along its bound while y grows, and leaves it when y changes sign."""
    equation = linear([[0.0, -1.0], [1.0, 0.0]], [0.0, 0.0], w_min=-0.6, w_max=10.0)
    times = np.linspace(0, 6, 25)
    path = averaged(equation, np.array([1.0, 0.0]), times)[:, 0]
    hit = math.acos(-0.6)
    turned = hit + math.sin(hit) / 0.6  # y falls from sin(hit) at the rate 0.6
    x = np.where(times < hit, np.cos(times), np.where(times < turned, -0.6, -0.6 * np.cos(times - turned)))
    y = np.where(
        times < hit, np.sin(times), np.where(times < turned, 0.8 - 0.6 * (times - hit), -0.6 * np.sin(times - turned))
    )
    np.testing.assert_allclose(path, np.stack([x, y], axis=1), atol=1e-8)


def test_all_weights_held():
    equation = linear(np.zeros((3, 3)), [1.0, 2.0, 3.0], w_min=0.0, w_max=1.0)
    path = averaged(equation, np.array([0.0, 0.5, 1.0]), [0.0, 0.25, 10.0])[:, 0]
    np.testing.assert_allclose(path, [[0, 0.5, 1], [0.25, 1, 1], [1, 1, 1]], atol=1e-9)


class Logistic:
    """dJ/dt = J (1 - J) / tau: a drift alone."""

    def __init__(self, tau, w_max=np.inf):
        self.tau, self.w_min, self.w_max = tau, 0.0, w_max

    def drift(self, weights):
        return weights * (1.0 - weights) / self.tau


def test_an_equation_with_a_drift_alone():
    weights, times = np.array([[0.1, 0.5], [0.9, 2.0]]), np.linspace(0, 30, 7)
    expected = 1 / (1 + (1 / weights - 1) * np.exp(-times[:, None, None] / 10.0))
    np.testing.assert_allclose(averaged(Logistic(10.0), weights, times), expected, rtol=1e-6)
    bounded = averaged(Logistic(10.0, w_max=0.7), weights[:1], times)
    np.testing.assert_allclose(bounded, np.minimum(expected[:, :1], 0.7), rtol=1e-5)
    np.testing.assert_allclose(averaged(Logistic(1e-6), weights, [0.0, 100.0])[-1], 1.0, rtol=1e-8)


def test_weights_outside_the_bounds_are_refused():
    with pytest.raises(HebbscopeError, match=r"within \[w_min, w_max\] = \[0, 0.1\]"):
        averaged(two_groups(w_min=0.0, w_max=0.1), np.full((1, 50), 0.2), [0.0, 1.0])


def test_runaway_is_not_finite_and_says_nothing():
    equation = linear([[1.0]], [1.0])
    path = averaged(equation, np.array([1.0]), [0.0, 1.0, 1e6])
    assert np.isfinite(path[:2]).all() and not np.isfinite(path[2]).any()


def test_invariant_subspace():
    generator = np.random.default_rng(0)
    left, right = generator.normal(size=(30, 2)), generator.normal(size=(30, 2))
    matrix = 0.3 * np.eye(30) + left @ right.T
    basis, small = invariant_subspace(lambda x: x @ matrix.T, generator.normal(size=(2, 30)))
    assert len(basis) == 4
    np.testing.assert_allclose(basis @ basis.T, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(basis @ matrix.T, small @ basis, atol=1e-11)


def test_a_level_whose_rate_runs_away_stops_and_keeps_its_data():
    inputs, neuron = Population("inputs", 4, HomogeneousPoisson(10.0)), Population("neuron", 1, LinearPoisson())
    rule = SpikeHebb(KempterWindow(A_minus=1.0), eta=5e-3, w_out=1.0)
    network = Network([inputs, neuron], [Projection(inputs, neuron, 0.1, rule)])
    with pytest.raises(Runaway, match="ran away past 2000 Hz after t = 10 s") as caught:
        simulate(network, 1000.0, level="rate", record_every=5.0, max_rate=2000.0)
    run = caught.value.run
    assert run.duration == 10.0 and run.weights.shape[1] == 3
    assert np.isfinite(run.weights).all() and run.output_rate[0, 1:].max() < 2000.0
    assert len(run.theory["weights_without_causal"]) == 3


def test_a_recording_that_is_played_once_drives_no_longer_than_it_lasts():
    once = RecordedSpikes(np.array([0.1, 0.2, 2.9]), np.array([0, 1, 0]), 3.0)
    for recording in (once, once._replace(loop=1)):
        inputs, neuron = Population("inputs", 2, recording), Population("neuron", 1, LinearPoisson())
        network = Network([inputs, neuron], [Projection(inputs, neuron, 0.1, SpikeHebb())])
        assert simulate(network, 3.0, level="rate").duration == 3.0
        if recording.loop:
            assert simulate(network, 5.0, level="rate").duration == 5.0
        else:
            with pytest.raises(HebbscopeError, match="last, 3 s, got a duration of 5 s"):
                simulate(network, 5.0, level="rate")


def test_a_normalisation_that_the_averaged_equation_lacks_is_refused_in_one_line():
    inputs, neuron = Population("inputs", 2, HomogeneousPoisson()), Population("neuron", 1, LinearPoisson())
    network = Network([inputs, neuron], [Projection(inputs, neuron, 0.1, SpikeHebb(), L2(every=0.2))])
    with pytest.raises(
        HebbscopeError, match=r"SpikeHebb knows no normalisation, got L2\(norm=1, every=200 ms, groups=0 numbers\)$"
    ):
        simulate(network, 1.0, level="rate")


@pytest.mark.parametrize("w_max, A3_plus", [(0.47, -1.194), (math.inf, 3.0), (0.5, 3.0)])
def test_a_triplet_equation_at_its_bounds_comes_to_an_end(w_max, A3_plus):
    """Found by test_properties.py: weights that slide into a bound, or run away in finite time."""
    rule = Triplet(A2_plus=0.0, A3_plus=A3_plus, A2_minus=0.0071, eta=1.2, w_min=0.0, w_max=w_max)
    source, target = (
        Population("inputs", 3, HomogeneousPoisson(10.0)),
        Population("neuron", 2, LinearPoisson(base_rate=5.1)),
    )
    start = min(w_max, 1.0) * np.array([0.1, 0.2, 0.4])
    network = Network([source, target], [Projection(source, target, start, rule)])
    try:
        run = simulate(network, 5.0, level="rate")
    except Runaway as stopped:
        assert w_max == math.inf and stopped.run.n_times < 101
    else:
        assert w_max < math.inf
        assert ((run.weights >= 0.0) & (run.weights <= w_max)).all()


def test_growth_beyond_all_numbers_between_bounds_is_said():
    """Found by test_properties.py: exp(2000 t) from 0.3 is no number after half a second."""
    rule = SpikeHebb(KempterWindow(A_plus=4.0, A_minus=-1.8, tau_syn=0.126), eta=0.17, w_in=-0.84, w_min=0.18)
    source, target = (
        Population("inputs", 2, HomogeneousPoisson(10.0)),
        Population("neuron", 1, LinearPoisson(tau=0.177, threshold=2.28)),
    )
    network = Network([source, target], [Projection(source, target, 0.3, rule)])
    with pytest.raises(Runaway, match="the averaged equation ran away past"):
        simulate(network, 5.0, level="rate", record_every=5.0)


@pytest.mark.parametrize("top", [1e-254, 1e-20, 1e-12])
@pytest.mark.parametrize("seed", range(3))
def test_bounds_that_are_met_before_the_next_moment(top, seed):
    """Weights that cross all of their range within less time than numbers tell apart: each is at the bound to which the drift points, and no runaway."""
    draw = np.random.default_rng(seed).uniform
    source, target = (
        Population("inputs", 5, HomogeneousPoisson(draw(1.0, 60.0, 5))),
        Population("neuron", 1, LinearPoisson(base_rate=20.0)),
    )
    rule = Triplet(draw(-3, 3), draw(-3, 3), draw(-3, 3), draw(-3, 3), w_max=top)
    network = Network([source, target], [Projection(source, target, draw(0.0, top, 5), rule)])
    expected = np.where(reduce(network).drift(np.zeros(5)) > 0.0, top, 0.0)
    run = simulate(network, 1.0, level="rate", record_every=0.25)
    assert run.duration == 1.0 and (run.weights[0, 1:, 0] == expected).all()
