"""The learning equation of cells that drive each other: against the closed forms of one layer, and against spikes with delays in the clock-driven engine."""

import math

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from hebbscope import HebbscopeError, Network, Population, Projection, reduce, simulate
from hebbscope.models import (
    AllToAll,
    CommonSourcePoisson,
    Direct,
    ExponentialPoisson,
    HomogeneousPoisson,
    LinearPoisson,
    ModulatedPoisson,
    OneToOne,
    OrnsteinUhlenbeckPoisson,
    PatternPoisson,
    PushPull,
)
from hebbscope.rules import DoubleExponential, KempterWindow, PairSTDP, SpikeHebb, Triplet, VogelsSprekeler
from hebbscope.rules.covariances import Covariances
from hebbscope.rules.recurrent import RecurrentEquation
from hebbscope.rules.window_integrals import kernel_transform, kernel_value
from hebbscope.simulator.protocols import Exponential, Gaussian, Triangle

GILSON = SpikeHebb(DoubleExponential(15.0, 10.0, 17e-3, 34e-3), 1e-9, 4.0, -0.5)
INPUTS = {
    "independent": HomogeneousPoisson(10.0),
    "common source": CommonSourcePoisson(10.0, 0.3, 0.0, 5),
    "common source with jitter": CommonSourcePoisson(10.0, 0.3, 5e-3, 5),
    "40 Hz": ModulatedPoisson(10.0, 10.0, 40.0, np.linspace(0.0, 1.0, 8), 8),
    "Ornstein-Uhlenbeck": OrnsteinUhlenbeckPoisson(10.0, 5.0, 50e-3, 5),
}
WEIGHTS = np.linspace(0.01, 0.2, 16).reshape(2, 8)


def layer(model, neuron, rule):
    inputs, cells = Population("inputs", 8, model), Population("cells", 2, neuron)
    return Network([inputs, cells], [Projection(inputs, cells, WEIGHTS, rule)])


@pytest.mark.parametrize(
    "rule", [SpikeHebb(), GILSON, PairSTDP(), VogelsSprekeler()], ids=lambda rule: type(rule).__name__
)
@pytest.mark.parametrize("neuron", [LinearPoisson(base_rate=3.0, gain=1.5), ExponentialPoisson(base_rate=3.0)])
@pytest.mark.parametrize("name", INPUTS)
def test_one_layer_has_the_drift_of_its_closed_form(name, neuron, rule):
    network = layer(INPUTS[name], neuron, rule)
    expected = reduce(network).drift(WEIGHTS)
    found = RecurrentEquation(network).drift()["inputs_to_cells"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7 * np.abs(expected).max())


def test_cells_that_nobody_drives_are_inputs_to_others():
    first, cells = (
        Population("first", 8, LinearPoisson(base_rate=10.0)),
        Population("cells", 2, LinearPoisson(tau=5e-3)),
    )
    network = Network([first, cells], [Projection(first, cells, WEIGHTS, GILSON)])
    expected = reduce(layer(HomogeneousPoisson(10.0), LinearPoisson(tau=5e-3), GILSON)).drift(WEIGHTS)
    np.testing.assert_allclose(reduce(network, dt=0.0).drift()["first_to_cells"], expected, rtol=1e-7)


def test_of_hundreds_of_inputs_each_frequency_is_looked_at_by_itself():
    """As their spectra are too large to be in memory for several."""
    inputs, cells = Population("inputs", 730, HomogeneousPoisson(10.0)), Population("cells", 1, LinearPoisson())
    network = Network([inputs, cells], [Projection(inputs, cells, 1e-3, GILSON)])
    found = RecurrentEquation(network).drift()["inputs_to_cells"]
    np.testing.assert_allclose(found, reduce(network).drift(network.layer.initial_weights(1)), rtol=1e-7)


def test_inputs_of_two_populations_have_nothing_to_do_with_each_other():
    """With lines of one frequency in the spectra of both: a synapse sees its own population's alone."""
    cells, two = Population("cells", 2, LinearPoisson()), [Population(name, 8, INPUTS["40 Hz"]) for name in "ab"]
    joined = [Projection(each, cells, WEIGHTS, GILSON) for each in two]
    both = RecurrentEquation(Network([*two, cells], joined)).correlation_drift()
    alone = RecurrentEquation(Network([two[0], cells], joined[:1])).correlation_drift()
    np.testing.assert_allclose(both["a_to_cells"], alone["a_to_cells"], rtol=1e-12)
    np.testing.assert_allclose(both["b_to_cells"], alone["a_to_cells"], rtol=1e-12)


@pytest.mark.parametrize("neuron", [LinearPoisson(tau=5e-3), ExponentialPoisson(tau=5e-3)])
@pytest.mark.parametrize("window", [KempterWindow(), GILSON.window], ids=["Kempter", "exponential"])
def test_what_a_spike_causes_is_seen_after_its_way_down_and_back(window, neuron):
    """Independent inputs, one synapse each: nu J int W(s) eps(-s - 2 d) ds with d the dendritic delay, whatever the axonal one."""
    inputs, cells = Population("inputs", 3, HomogeneousPoisson(20.0)), Population("cells", 3, neuron)
    ways = np.array([0.0, 2e-3, 5e-3])
    late = {"connectivity": OneToOne(), "delay": [1e-3, 4e-3, 9e-3], "dendritic_delay": ways}
    network = Network([inputs, cells], [Projection(inputs, cells, 0.1, SpikeHebb(window, 1.0), **late)])
    found = reduce(network).correlation_drift()["inputs_to_cells"]
    caused = [quad(lambda u, d: window.value(-u - 2 * d) * neuron.epsp(u), 0.0, 0.3, (d,), limit=500)[0] for d in ways]
    np.testing.assert_allclose(found, 20.0 * 0.1 * np.array(caused), rtol=2e-4)


@pytest.mark.parametrize("kernel", [Exponential(7e-3), Gaussian(4e-3), Triangle(10e-3, 3e-3)], ids=str)
def test_spectra_of_kernels(kernel):
    t = np.linspace(-0.35, 0.35, 700_001)
    for omega in (0.0, 50.0, 400.0):
        expected = np.trapezoid(kernel_value(kernel, t) * np.exp(1j * omega * t), t)
        assert abs(kernel_transform(kernel, np.array([omega]))[0] - expected) < 1e-6 * 10e-3


def test_rates_go_around_in_the_network():
    """nu = (1 - J)^-1 (nu_0 + K nu_in), by adding up what goes around once, twice, and so on."""
    inputs = Population("inputs", 3, HomogeneousPoisson(np.array([5.0, 10.0, 20.0])))
    e, i = Population("e", 4, LinearPoisson(base_rate=6.0)), Population("i", 2, LinearPoisson(base_rate=3.0, gain=1.5))
    rng = np.random.default_rng(1)
    shapes = {("inputs", "e"): (4, 3), ("e", "e"): (4, 4), ("e", "i"): (2, 4), ("i", "e"): (4, 2)}
    strength = {ends: rng.uniform(0.02, 0.2, shape) for ends, shape in shapes.items()}
    of = {"inputs": inputs, "e": e, "i": i}
    described = []
    for (a, b), w in strength.items():
        learns = {"rule": GILSON} if a == "inputs" else {}
        inhibits = {"receptor": "inhibitory", "transmission": Direct(0.5)} if a == "i" else {}
        described.append(Projection(of[a], of[b], w, **learns, **inhibits))
    found = reduce(Network([inputs, e, i], described)).rates()
    known = {"inputs": np.array([5.0, 10.0, 20.0]), "e": np.full(4, 6.0), "i": np.full(2, 4.5)}
    for _ in range(200):
        known = {
            "inputs": known["inputs"],
            "e": 6.0
            + strength["inputs", "e"] @ known["inputs"]
            + strength["e", "e"] @ known["e"]
            - 0.5 * strength["i", "e"] @ known["i"],
            "i": 4.5 + 1.5 * strength["e", "i"] @ known["e"],
        }
    for name, rates in known.items():
        np.testing.assert_allclose(found[name], rates, rtol=1e-12)


def test_mean_rates_rest_where_the_terms_of_single_spikes_and_pairs_cancel():
    """-w_in nu_in / (w_out + W~ nu_in) = 39.3 Hz onto cells, -(w_in + w_out) / W~ = 41.2 Hz among them; the drift without correlations changes sign there."""
    equation = reduce(recurrent(), dt=0.0)
    assert equation.homeostatic_rate("feed") == pytest.approx(39.34, abs=0.005)
    assert equation.homeostatic_rate("loop") == pytest.approx(41.18, abs=0.005)
    feed = equation.network.projections[0].initial_weights(1)

    def net(name, factor):
        weights = {"feed": factor * feed}
        change = equation.drift(weights)[name] - equation.correlation_drift(weights)[name]
        return equation.rates(weights)["cells"].mean(), change.mean()

    for name, rest in (("feed", 39.34), ("loop", 41.18)):
        (slow, up), (fast, down) = net(name, 0.75), net(name, 0.85)
        assert up > 0.0 > down and slow < rest < fast
        assert slow + (fast - slow) * up / (up - down) == pytest.approx(rest, abs=1.0)  # cells differ


# Spikes ----------------------------------------------------------------------------------------------------------------

DT = 2e-4  # s
SEEDS = range(1, 33)


def recurrent(eta=1e-9, eta_of_loop=1e-9):
    """Twelve inputs, of which six share spikes, onto eight cells that drive each other, all synapses with delays of their own."""
    rng = np.random.default_rng(4)
    inputs = Population("inputs", 12, CommonSourcePoisson(30.0, 0.2, 0.0, 6))
    cells = Population("cells", 8, LinearPoisson(tau=5e-3, base_rate=2.0))

    def late(n, most):
        return rng.integers(1, most, n) * 1e-3

    feed = Projection(
        inputs,
        cells,
        rng.uniform(0.04, 0.12, (8, 12)),
        GILSON._replace(eta=eta),
        delay=late(96, 4),
        dendritic_delay=1e-3,
        name="feed",
    )
    loop = Projection(
        cells, cells, rng.uniform(0.01, 0.08, 56), GILSON._replace(eta=eta_of_loop), connectivity=AllToAll(0), delay=late(56, 6),
        dendritic_delay=late(56, 3), name="loop",
    )  # fmt: skip
    return Network([inputs, cells], [feed, loop])


def test_drift_of_a_recurrent_network_with_delays():
    """32 seeds of 200 s with weights that hardly move: means, the advantage of correlated inputs, and the pattern of C^W within three standard errors.

    Of 152 synapses none is beyond 4.5 of its standard errors, which 31 degrees of freedom pass in 1 trial of 80.
    """
    network, duration = recurrent(), 200.0
    equation = reduce(network, dt=DT)
    drift, correlated, rates = equation.drift(), equation.correlation_drift(), equation.rates()
    run = simulate(network, duration, engine="clock", dt=DT, seeds=SEEDS, record_every=duration, record_spikes={})
    start, y = network.projections[1].initial_values(1), rates["cells"]
    found = {"feed": run.final_weights - run.weights[:, 0], "loop": run.final["loop"][:, 0] - start}
    np.testing.assert_allclose(run.output_rate[:, -1].mean(), y.mean(), rtol=5e-3)
    for name, change in found.items():
        change = change / duration
        agrees(change.reshape(32, -1).mean(1), drift[name].mean())
        error = change.std(0, ddof=1) / math.sqrt(32)
        assert (np.abs(change.mean(0) - drift[name]) < 4.5 * error).all()
        pattern = correlated[name] - correlated[name].mean()  # how much of it is in the drift: all
        without = drift[name] - correlated[name]
        share = ((change - without) * pattern).reshape(32, -1).sum(1) / (pattern**2).sum()
        assert agrees(share, 1.0) < 0.05
    advantage = found["feed"][:, :, 6:].mean((1, 2)) - found["feed"][:, :, :6].mean((1, 2))
    error = agrees(advantage / duration, drift["feed"][:, 6:].mean() - drift["feed"][:, :6].mean())
    assert advantage.mean() / duration > 20.0 * error


def test_weights_follow_the_equation_while_inputs_that_share_spikes_win():
    """200 s of learning by the synapses from the inputs: their mean, and the difference of the two groups, which changes its sign."""
    eta, duration = 5e-6, 200.0
    network = recurrent(eta, eta_of_loop=1e-30)
    equation, start = reduce(network, dt=DT), network.projections[0].initial_weights(1)

    def slope(t, w):
        return equation.drift({"feed": w.reshape(start.shape)})["feed"].ravel()

    expected = (
        solve_ivp(slope, (0.0, duration), start.ravel(), method="RK23", rtol=1e-4, atol=1e-6).y[:, -1].reshape(8, 12)
    )
    run = simulate(network, duration, engine="clock", dt=DT, seeds=SEEDS, record_every=duration, record_spikes={})
    found, none = run.final_weights, np.zeros((1, *start.shape))
    assert agrees(found.mean((1, 2)), expected.mean()) < 0.1 * (expected.mean() - start.mean())

    def apart(w):
        return (none + w)[:, :, 6:].mean((1, 2)) - (none + w)[:, :, :6].mean((1, 2))

    assert agrees(apart(found), apart(expected)[0]) < 0.05 * apart(expected)[0] and apart(start)[0] < 0.0


def agrees(found, expected):
    """The mean over seeds (n_seeds,) is within three of its standard errors; returns the error."""
    error = found.std(ddof=1) / math.sqrt(len(found))
    assert abs(found.mean() - expected) < 3.0 * error, (found.mean(), expected, error)
    return error


@pytest.mark.parametrize("strength, late, rests", [(0.5, 20e-3, True), (2.4, 1e-3, True), (2.4, 20e-3, False)])
def test_inhibition_that_comes_late_makes_waves_that_grow(strength, late, rests):
    """By steps of the mean rate through the two states of an EPSP: whether what a kick leaves dies out within a second."""
    cells = Population("cells", 4, LinearPoisson(tau=5e-3, base_rate=50.0))
    loop = Projection(
        cells, cells, strength / 3, PairSTDP(w_max=2.0), connectivity=AllToAll(0), delay=late, receptor="inhibitory"
    )
    n, dt = round(late / 1e-4), 1e-4
    rate, rise, psp = np.zeros(10_000), 1.0, 0.0
    for k in range(len(rate)):
        rate[k] = psp
        psp, rise = (
            psp + dt / 5e-3 * (rise - psp),
            rise + dt / 5e-3 * ((-strength * rate[k - n] if k >= n else 0.0) - rise),
        )
    assert (np.abs(rate[-1000:]).max() < 1e-2 * np.abs(rate).max()) == rests
    equation = reduce(Network([cells], [loop]))
    if rests:
        np.testing.assert_allclose(equation.rates()["cells"], 50.0 / (1.0 + strength))
    else:
        with pytest.raises(HebbscopeError, match="its rates run away, cells drive each other too much"):
            equation.rates()


# What it says and refuses ----------------------------------------------------------------------------------------------


def test_what_it_says_of_the_start_takes_one_look_at_the_spectrum(monkeypatch):
    looks, equation = [], RecurrentEquation(recurrent())
    spectra, stable = Covariances.spectra, Covariances.check_stable
    monkeypatch.setattr(Covariances, "spectra", lambda *which: looks.append("spectrum") or spectra(*which))
    monkeypatch.setattr(Covariances, "check_stable", lambda *which: looks.append("stable") or stable(*which))
    repr(equation)
    assert sorted(looks) == ["spectrum", "stable"]


def test_it_says_what_it_predicts():
    equation = reduce(recurrent(), dt=0.0)
    found = equation.coefficients() | equation.predictions()
    assert found["feed.drift"] == pytest.approx(equation.drift()["feed"].mean(), rel=1e-12)
    assert found["loop.W_integral"] == pytest.approx(-0.085e-9, rel=1e-12)
    assert found["cells.rate"] == pytest.approx(48.99, abs=0.01) and found["inputs.rate"] == 30.0
    text = repr(equation)
    assert all(f"  {name} " in text for name in found) and text in equation._repr_html_().replace("&lt;", "<")


def test_what_it_cannot_reduce_is_named():
    inputs, cells = Population("inputs", 4, HomogeneousPoisson()), Population("cells", 4, LinearPoisson(base_rate=5.0))

    def reduced(rule=GILSON, model=None, loop=0.0, strength=0.1, **options):
        source = inputs if model is None else Population("inputs", 4, model)
        within = Projection(cells, cells, loop, connectivity=AllToAll(0), delay=1e-3)
        equation = reduce(Network([source, cells], [Projection(source, cells, strength, rule, **options), within]))
        return equation.drift()

    for words, options in (
        (r"Projection inputs_to_cells\.transmission: must be Direct", {"transmission": PushPull()}),
        (r"Triplet: has no learning equation of a whole network", {"rule": Triplet()}),
        (r"Cycle: a covariance kernel without a spectrum", {"model": PatternPoisson(np.eye(4) * 10.0, 0.1, 1)}),
        (r"Network network: its rates run away", {"loop": 0.4}),
        (
            r"Network network: the linear rate of a cell is -\S+ Hz, below 0",
            {"strength": 0.3, "receptor": "inhibitory"},
        ),
    ):
        with pytest.raises(HebbscopeError, match=words):
            reduced(**options)
    with pytest.raises(HebbscopeError, match=r"Projection cells_to_cells\.connectivity: must join no cell to itself"):
        reduce(Network([cells], [Projection(cells, cells, 0.1, GILSON, delay=1e-3)]))
    with pytest.raises(
        HebbscopeError, match=r"reduce: the causal term can be left out in one layer alone, all to all, without delays"
    ):
        reduce(recurrent(), causal=False)
    for weights, words in (
        ({"fed": np.zeros((8, 12))}, r"Network network\.projections: must be named as they are, got 'fed'"),
        ({"feed": np.zeros((12, 8))}, r"Projection feed\.weights: must be 8 x 12, got an array of shape \(12, 8\)"),
        ({"loop": np.zeros(55)}, r"Projection loop\.weights: must be 56, got an array of shape \(55,\)"),
    ):
        with pytest.raises(HebbscopeError, match=words):
            reduce(recurrent()).rates(weights)
