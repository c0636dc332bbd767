"""What is sampled beside the records: the right numbers at the right times, and no mark on the run."""

import numpy as np
import pytest
from small_networks import recurrent
from test_any_network import Stop

from hebbscope import Network, Population, Projection, simulate
from hebbscope.models import (
    HomogeneousPoisson,
    LinearPoisson,
    PopulationRate,
    StateMonitor,
    WeightStatistics,
    WeightSubset,
)
from hebbscope.models.experiments import loads, to_toml
from hebbscope.rules import PairSTDP
from hebbscope.simulator.clock_run import ClockRun
from hebbscope.simulator.inventory import inventory
from hebbscope.simulator.protocols import HebbscopeError, ParameterError
from hebbscope.simulator.runfile import RunFile, describe, read

SEEDS = (1, 2)
MONITORS = {
    "potential": StateMonitor("exc", ["v"], [0, 3, 15], every=1e-3),
    "rate": PopulationRate("exc", every=0.05),
    "weights": WeightStatistics("inputs_to_exc", every=0.03, bins=8),
    "some": WeightSubset("ee", [5, 0], every=0.07),
}


@pytest.fixture(scope="module")
def network():
    return recurrent()


@pytest.fixture(scope="module")
def whole(network):
    return simulate(network, 0.3, seeds=SEEDS, record_every=0.1, monitors=MONITORS)


def same(found, expected):
    assert list(found) == list(expected)
    for name, samples in expected.items():
        assert found[name].time.tobytes() == samples.time.tobytes()
        assert found[name].about == samples.about and set(found[name].values) == set(samples.fields)
        for key, values in samples.values.items():
            assert found[name][key].tobytes() == values.tobytes() and found[name][key].shape == values.shape
            for axis, numbers in samples.fields[key].axes.items():
                assert (found[name].fields[key].axes[axis] == numbers).all()


def test_samples_are_what_a_run_is_at_their_times(network, whole):
    run = ClockRun(network, 2, "spike", {"exc": (0.0, 1.0)}, 1e-4)
    exc, inputs_to_exc, ee = network.populations[1], network.projections[1], network.projections[3]
    potential, weights, some = (whole.monitors[name] for name in ("potential", "weights", "some"))
    assert potential["v"].shape == (2, 301, 3) and weights["histogram"].shape == (2, 11, 8)
    for k in (0, 1, 30, 150, 300):
        run.to(k * 1e-3)
        assert (potential["v"][1, k] == run.variable_of(exc, "v")[[0, 3, 15]]).all()
        if k % 30 == 0:
            w = run.weights_of(inputs_to_exc)
            assert weights["mean"][1, k // 30] == w.mean() and weights["sd"][1, k // 30] == w.std()
            counts, _ = np.histogram(w, 8, (0.0, 8e-3))
            assert (weights["histogram"][1, k // 30] == counts).all()
            left = inputs_to_exc.wiring.pre < 6
            np.testing.assert_allclose(weights["group_mean"][1, k // 30], [w[left].mean(), w[~left].mean()], rtol=1e-12)
    assert weights.about["groups"] == ["left", "right"]
    run = ClockRun(network, 2, "spike", {}, 1e-4)
    run.to(0.21)
    assert (some["weights"][1, 3] == run.weights_of(ee)[[5, 0]]).all()


def test_rates_are_of_the_spikes_between_two_samples(whole):
    samples, spikes = whole.monitors["rate"], whole.spikes["exc"]
    expected = [len(spikes.between(t - 0.05 - 5e-5, t - 5e-5)) / (16 * 0.05) for t in samples.time[1:]]
    assert np.isnan(samples["rate"][:, 0]).all()
    np.testing.assert_allclose(samples["rate"][0, 1:], expected, rtol=1e-12)


def test_samples_leave_no_mark(network, whole):
    bare = simulate(network, 0.3, seeds=SEEDS, record_every=0.3)
    assert (bare.final_weights == whole.final_weights).all() and (bare.spikes["exc"].t == whole.spikes["exc"].t).all()


@pytest.mark.parametrize("stop", [2, 9, 40])
def test_samples_in_a_file_go_on_where_they_were(network, whole, stop, tmp_path):
    path, options = tmp_path / "run.h5", {"seeds": SEEDS, "record_every": 0.1}
    with pytest.raises(KeyboardInterrupt), RunFile.create(path, network=network, seeds=SEEDS, levels=["spike"]) as file:
        simulate(network, 0.3, file=file, progress=Stop(stop), monitors=MONITORS, **options)
    with pytest.raises(HebbscopeError, match="checkpoint: "), RunFile.reopen(path) as file:
        simulate(network, 0.3, file=file, monitors={}, **options)
    with RunFile.reopen(path) as file:
        same(simulate(network, 0.3, file=file, monitors=MONITORS, **options).monitors, whole.monitors)
    same(read(path)["spike"].monitors, {name: whole.monitors[name] for name in sorted(MONITORS)})
    assert dict(inventory(describe(path)))["monitor rate (spike)"] == "PopulationRate of exc, 7 samples, every 0.05 s"


def test_samples_are_saved_and_read_and_open_in_xarray(whole, tmp_path):
    xarray = pytest.importorskip("xarray")
    whole.save(tmp_path / "run.h5")
    same(read(tmp_path / "run.h5")["spike"].monitors, {name: whole.monitors[name] for name in sorted(MONITORS)})
    with xarray.open_datatree(tmp_path / "run.h5", engine="h5netcdf") as tree:
        assert tree["monitors/spike/potential/v"].dims == ("seed", "time", "cell")
        assert tree["monitors/spike/weights/histogram"].dims == ("seed", "time", "bin")


def test_the_exact_engine_has_monitors_of_rates_and_weights():
    layer = [Population("a", 5, HomogeneousPoisson(20.0)), Population("b", 2, LinearPoisson())]
    network = Network(layer, [Projection(*layer, 1.0, PairSTDP(A_plus=0.01, A_minus=0.01, w_max=2.0))])
    monitors = {"rate": PopulationRate("b", every=1.0), "w": WeightStatistics("a_to_b", every=1.0)}
    run = simulate(network, 5.0, record_every=1.0, monitors=monitors)
    np.testing.assert_allclose(run.monitors["rate"]["rate"][0], run.output_rate[0].mean(axis=-1), rtol=1e-12)
    np.testing.assert_allclose(run.monitors["w"]["mean"][0], run.weights[0].mean(axis=(1, 2)), rtol=1e-12)
    with pytest.raises(ParameterError, match="must be run by the clock-driven engine"):
        simulate(network, 1.0, monitors={"v": StateMonitor("b", ["psp"])})


@pytest.mark.parametrize(
    "monitor, words",
    [
        (StateMonitor("exd"), "StateMonitor.population: must be one of exc, inh; did you mean exc?, got 'exd'"),
        (StateMonitor("exc", ["w"]), "StateMonitor.variables: must be of LIF: v"),
        (StateMonitor("exc", "v"), "StateMonitor.variables: must be a list of names, got 'v'"),
        (StateMonitor("exc", cells=[16]), "StateMonitor.cells: must be a list of numbers from 0 to 15, got [16]"),
        (StateMonitor("exc", every=1.5e-4), "StateMonitor.every: must be a multiple of dt = 0.0001 s, got 0.00015"),
        (StateMonitor("exc", every=0.0), "StateMonitor.every: must be > 0"),
        (PopulationRate("inputs"), "PopulationRate.population: must be one of exc, inh"),
        (WeightStatistics("ie"), "WeightStatistics.low: must be given where the rule has no bound"),
        (WeightStatistics("ee", low=1.0, high=0.5), "WeightStatistics.high: must be > low = 1"),
        (WeightSubset("ee", synapses=[-1]), "WeightSubset.synapses: must be a list of numbers from 0 to"),
        (3.0, "simulate.monitors: must be monitors"),
    ],
)
def test_monitors_that_do_not_fit_are_named(network, monitor, words):
    with pytest.raises(ParameterError) as caught:
        simulate(network, 0.1, monitors={"watch": monitor})
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_names_monitors():
    text = """
    experiment = "network"
    [populations.a]
    n = 3
    model = {type = "HomogeneousPoisson", rate = "20 Hz"}
    [populations.b]
    n = 2
    model = {type = "LIF"}
    [projections.forward]
    source = "a"
    target = "b"
    weights = 1e-3
    [monitors.potential]
    type = "StateMonitor"
    population = "b"
    cells = [1]
    every = "2 ms"
    """
    described = loads(text)
    assert described.how()["monitors"] == {"potential": StateMonitor("b", ["v"], [1], 2e-3)}
    assert loads(to_toml(described)).how() == described.how()
