"""Networks of any populations and projections through everything that comes after the engine: records, files, going on, formats of others."""

import h5py
import numpy as np
import pytest
from interpreting import interpreted
from small_networks import recurrent

from hebbscope import Network, Population, Projection, Run, simulate
from hebbscope.models import LIF, HomogeneousPoisson, LinearPoisson, Uniform
from hebbscope.models.experiments import from_network, loads, to_toml
from hebbscope.rules import L1, PairSTDP, SpikeHebb
from hebbscope.simulator import estimate, run
from hebbscope.simulator.clock_run import ClockRun
from hebbscope.simulator.export import export
from hebbscope.simulator.inventory import inventory
from hebbscope.simulator.protocols import HebbscopeError, ParameterError
from hebbscope.simulator.results import recorded
from hebbscope.simulator.runfile import RunFile, describe, read

SEEDS = (1, 2)


@pytest.fixture(scope="module", params=["sparse", "dense"])
def network(request):
    return recurrent(dense=request.param == "dense")


@pytest.fixture(scope="module")
def whole(network):
    return simulate(network, 0.5, seeds=SEEDS, record_every=0.05)


def same(one, other):
    assert (one.weights == other.weights).all() and np.array_equal(one.output_rate, other.output_rate, equal_nan=True)
    for name in {*one.spikes, *other.spikes}:
        assert (one.spikes[name].i == other.spikes[name].i).all()
        np.testing.assert_allclose(one.spikes[name].t, other.spikes[name].t, rtol=1e-15)  # files have ms


def test_a_run_holds_the_first_projection_that_learns(network, whole):
    projection = network.recorded
    assert whole.projection == "inputs_to_exc" and whole.populations == {"inputs": 12, "exc": 16, "inh": 4}
    assert (whole.n_pre, whole.n_post, whole.n_synapses) == (12, 16, projection.n_synapses)
    assert whole.output_rate.shape == (2, 11, 16) and np.nanmean(whole.output_rate) > 10.0
    assert whole.attrs == {"engine": "clock", "dt": 1e-4, "precision": "double"}
    if projection.is_dense:
        assert whole.weights.shape == (2, 11, 16, 12) and whole.wiring is None and len(whole.groups) == 12
    else:
        assert whole.weights.shape == (2, 11, 1, projection.n_synapses)
        assert whole.groups == tuple(projection.source.groups[j] for j in projection.wiring.pre)
        assert (whole.wiring.post == projection.wiring.post).all()
    single = ClockRun(network, 2, "spike", {}, 1e-4)
    single.to(0.5)
    assert (whole.weights[1, -1] == single.weights).all() and whole.weights[1, -1].std() > 0.0


def test_neither_records_nor_threads_nor_the_file_leave_a_mark(network, whole, tmp_path):
    once = simulate(network, 0.5, seeds=SEEDS, record_every=0.5, record_spikes={}, threads=1)
    assert (once.weights[:, -1] == whole.weights[:, -1]).all()
    with RunFile.create(tmp_path / "run.h5", network=network, seeds=SEEDS) as file:
        same(simulate(network, 0.5, seeds=SEEDS, record_every=0.05, threads=3, file=file), whole)
    same(read(tmp_path / "run.h5")["spike"], whole)


def test_a_file_gives_the_run_back(network, whole, tmp_path):
    whole.save(tmp_path / "run.h5")
    back = Run.load(tmp_path / "run.h5")[0]
    same(back, whole)
    for field in (*recorded(network), "level", "seeds"):
        if field not in ("wiring", "other_wirings"):
            assert getattr(back, field) == getattr(whole, field), field
    assert (back.attrs["engine"], back.attrs["dt"]) == ("clock", 1e-4)
    lines = dict(inventory(describe(tmp_path / "run.h5")))
    assert lines["populations"] == "inputs 12, exc 16, inh 4"
    assert lines["spike level"].endswith("output rates, clock engine in steps of 0.0001 s")
    assert list(back.final) == list(whole.final) == ["inputs_to_exc", "ee"]
    assert whole.final["ee"].shape == (2, 1, network.projections[3].n_synapses)
    assert all((back.final[name] == w).all() and w.std() > 0 for name, w in whole.final.items())
    if whole.wiring is not None:
        assert np.array_equal(back.wiring, whole.wiring)
        assert f"12 → 16 ({whole.n_synapses} synapses)" in lines["spike level"]


class Stop:
    """Interrupts a run at the n-th look."""

    def __init__(self, n):
        self.left = n

    def __call__(self, t):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("stop, threads", [(1, 2), (4, 1), (10, 3)])
def test_a_stopped_run_goes_on_with_the_same_bits(network, whole, stop, threads, tmp_path):
    path, options = tmp_path / "run.h5", {"seeds": SEEDS, "record_every": 0.05}
    with pytest.raises(KeyboardInterrupt), RunFile.create(path, network=network, seeds=SEEDS, levels=["spike"]) as file:
        simulate(network, 0.5, file=file, progress=Stop(stop), threads=1, **options)
    with pytest.raises(HebbscopeError, match="checkpoint: is of another network"), RunFile.reopen(path) as file:
        simulate(network, 0.5, file=file, dt=5e-5, **options)
    with RunFile.reopen(path) as file:
        same(simulate(network, 0.5, file=file, threads=threads, **options), whole)
    assert describe(path)["complete"]
    back = read(path)["spike"]
    same(back, whole)
    assert (back.final["ee"] == whole.final["ee"]).all()


def test_xarray_names_every_axis(network, whole, tmp_path):
    xarray = pytest.importorskip("xarray")
    whole.save(tmp_path / "run.h5")
    dims = ("post", "pre") if whole.wiring is None else ("synapse",)
    with xarray.open_datatree(tmp_path / "run.h5", engine="h5netcdf") as tree:
        level = tree["levels/spike"]
        assert level["weights"].dims == ("seed", "time", *dims)
        assert level["output_rate"].dims == ("seed", "time", "post" if len(dims) == 2 else "neuron")
        assert not [name for name in level.dims if "phony" in str(name)]
        if whole.wiring is not None:
            assert level["pre"].dims == level["post"].dims == ("synapse",)
    made = whole.to_xarray()
    assert made["weights"].dims == ("seed", "time", *dims)
    assert made["weights"].values.tobytes() == whole.weights.tobytes()


def test_a_table_has_a_row_for_each_synapse(network, whole):
    table, wiring = whole.to_pandas()["weights"], network.recorded.wiring
    at = table[(table.time_s == whole.time[-1]) & (table.seed == 2)]
    assert list(table.columns) == ["level", "time_s", "seed", "post", "pre", "group", "weight"]
    found = {(row.post, row.pre): (row.group, row.weight) for row in at.itertuples()}
    w = whole.weights[1, -1]
    for n, (j, i) in enumerate(zip(*wiring, strict=True)):
        weight = w[i, j] if whole.wiring is None else w[0, n]
        assert found.pop((i, j)) == ("left" if j < 6 else "right", weight)
    assert not found


def test_neo_and_nwb_and_csv_have_every_synapse(whole, tmp_path):
    whole.save(tmp_path / "run.h5")
    signal = whole.to_neo().segments[1].irregularlysampledsignals[0]
    assert signal.shape == (11, whole.n_synapses)
    for form in ("nwb", "csv", "netcdf"):
        export(tmp_path / "run.h5", form)
    with h5py.File(tmp_path / "run.nwb") as file:
        learning = file["processing/learning"]
        assert (np.moveaxis(learning["weights_spike/data"][:], 0, 1) == whole.weights).all()
        assert ("synapses" in learning) == (whole.wiring is not None)


def test_libsonata_finds_each_synapse_at_its_target(network, whole, tmp_path):
    libsonata = pytest.importorskip("libsonata")
    whole.save(tmp_path / "run.h5")
    reader = libsonata.ElementReportReader(str(tmp_path / "run.h5"))["inputs_to_exc"]
    frame = reader.get(node_ids=[3], tstart=500.0, tstop=501.0)
    post = network.recorded.wiring.post
    expected = whole.weights[0, -1][3] if whole.wiring is None else whole.weights[0, -1, 0, post == 3]
    assert (frame.data[0] == expected.astype(np.float32)).all()
    if whole.wiring is not None:
        assert [element for _, element in frame.ids] == np.flatnonzero(post == 3).tolist()
    spikes = libsonata.SpikeReader(str(tmp_path / "run.h5"))["inh"].get()
    assert len(spikes) == len(whole.spikes["inh"])


@pytest.mark.parametrize(
    "options, words",
    [
        ({"engine": "sundial"}, "simulate.engine: must be one of auto, event, clock, got 'sundial'"),
        ({"engine": "event"}, "projections: must be one, from an input to a population of neurons, for the exact engine and the learning equation"),
        ({"dt": 0.02}, "simulate.dt: must be < LIF.tau_m = 0.02 s, got 0.02"),
        ({"dt": 0.0}, "simulate.dt: must be finite and > 0 s, got 0"),
        ({"record_every": 1.5e-4}, "simulate.record_every: must be a multiple of dt = 0.0001 s, got 0.00015"),
        ({"dt": 4e-3, "record_every": 0.1}, "Projection ei.delay: must be 0 or at least half of dt = 0.004 s, got 0.001"),
        ({"level": "surrogate"}, "simulate.level: must be spike: there is no independent copy of the neurons' spikes in ie"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_said_in_one_line(options, words):
    with pytest.raises(HebbscopeError) as caught:
        simulate(recurrent(), 1.0, **options)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_norms_fit_the_step_and_one_dendritic_delay():
    layer = [Population("a", 4, HomogeneousPoisson(20.0)), Population("b", 2, LinearPoisson())]
    network = Network(layer, [Projection(*layer, 0.1, PairSTDP(), normalisation=L1(norm=0.4, every=0.0301))])
    with interpreted():
        assert simulate(network, 1.0).attrs["engine"] == "event"
    with pytest.raises(ParameterError, match=r"Projection a_to_b\.normalisation\.every: must be a multiple of dt"):
        simulate(network, 1.0, engine="clock", dt=2e-4)
    norm, delays = L1(norm=0.4), np.arange(8) * 1e-3
    late = Network(layer, [Projection(*layer, 0.1, PairSTDP(), normalisation=norm, dendritic_delay=delays)])
    with pytest.raises(ParameterError, match="must be left out where dendritic delays differ"):
        simulate(late, 1.0)


def test_no_input_fires_faster_than_steps_come():
    layer = [Population("a", 1, HomogeneousPoisson(9e3)), Population("b", 1, LinearPoisson())]
    network = Network(layer, [Projection(*layer, 1e-6, SpikeHebb())])
    seen = simulate(network, 4.0, engine="clock", record_spikes={"a": (0.0, 4.0)}).spikes["a"]
    assert abs(len(seen) - 36_000) < 4 * np.sqrt(36_000)
    with pytest.raises(
        ParameterError, match=r"simulate\.dt: must be <= 0\.000111111 s, the mean interval of the spikes of a"
    ):
        simulate(network, 1.0, engine="clock", dt=2e-4)


def test_precision_is_for_the_engine_that_has_it():
    layer = [Population("a", 4, HomogeneousPoisson(20.0)), Population("b", 2, LinearPoisson())]
    network = Network(layer, [Projection(*layer, 0.1, PairSTDP())])
    with interpreted():
        assert simulate(network, 0.01, engine="clock", precision="single").attrs["precision"] == "single"
    for engine, precision, rule in (
        ("event", "single", "double in the exact engine"),
        ("clock", "half", "one of double, single"),
    ):
        with pytest.raises(ParameterError, match=f"simulate\\.precision: must be {rule}"):
            simulate(network, 1.0, engine=engine, precision=precision)


def test_a_layer_of_cells_with_a_reset_has_a_surrogate_level():
    inputs, cells = Population("inputs", 8, HomogeneousPoisson(50.0)), Population("cells", 3, LIF())
    network = Network(
        [inputs, cells], [Projection(inputs, cells, 8e-3, PairSTDP(A_plus=1e-4, A_minus=1e-4, w_max=0.01))]
    )
    with interpreted():
        run = simulate(network, 1.0, level="surrogate")
    assert run.output_rate[:, -1].mean() > 0 and np.ptp(run.final_weights) > 0


def test_a_large_record_is_kept_at_the_start_and_the_end(monkeypatch):
    monkeypatch.setattr(run, "LARGE_RECORD", 8 * 12 * 16 - 1)
    network = recurrent(dense=True)
    assert simulate(network, 0.3).time.tolist() == [0.0, 0.3]
    assert simulate(network, 0.3, record_every=0.1).n_times == 4
    assert simulate(recurrent(), 0.3).n_times == 101


def test_default_records_fall_on_steps():
    found = simulate(recurrent(), 0.0333, dt=1e-4)
    assert found.n_times == 112 and np.allclose(np.diff(found.time), 3e-4, rtol=1e-9)


def test_more_memory_than_there_is_is_refused_before_the_run(monkeypatch):
    monkeypatch.setattr(estimate, "memory", lambda: 150_000_000)
    with pytest.raises(HebbscopeError, match=r"needs about 17\d MB of memory, this machine has 150 MB"):
        simulate(recurrent(), 1.0)
    layer = [Population("a", 2, HomogeneousPoisson(1.0)), Population("b", 2, LinearPoisson())]
    with pytest.raises(HebbscopeError, match="needs about"):
        simulate(Network(layer, [Projection(*layer, 0.1)]), 1.0)


def test_errors_name_the_parameter():
    with pytest.raises(ParameterError, match=r"simulate\.duration"):
        simulate(recurrent(), -1.0)


def test_cells_start_where_they_are_told(tmp_path):
    given = np.linspace(-0.07, -0.055, 5)
    inputs = Population("inputs", 2, HomogeneousPoisson(1.0))
    starts = {"given": {"v": given}, "same": {"v": -0.06}, "drawn": {"v": Uniform(-0.07, -0.05)}}
    cells = [Population(name, 5, LIF(), initial=start) for name, start in starts.items()]
    network = Network([inputs, *cells], [Projection(inputs, each, 1e-3) for each in cells])
    for described in (network, loads(to_toml(from_network(network))).network()):
        one, again, other = (ClockRun(described, seed, "spike", {}, 1e-4) for seed in (1, 1, 2))
        v = potentials(one)
        assert (v["given"] == given).all() and (v["same"] == -0.06).all()
        assert (v["drawn"] >= -0.07).all() and (v["drawn"] < -0.05).all() and np.ptp(v["drawn"]) > 0
        assert (potentials(again)["drawn"] == v["drawn"]).all() and (potentials(other)["drawn"] != v["drawn"]).all()


def potentials(run):
    return {each.name: run.variable_of(each, "v") for each in run.targets}


@pytest.mark.parametrize(
    "initial, words",
    [
        ({"x": 1.0}, "Population cells.initial: must name variables of LIF (v"),
        ({"v": [1.0, 2.0]}, "must be finite, a number or 3 numbers for v, got"),
        ({"v": np.nan}, "must be finite, a number or 3 numbers for v, got nan"),
        ({"v": "high"}, "must be a number, 3 numbers or a part with draw for v, got 'high'"),
        ([1.0], "must be {variable: value}"),
    ],
)
def test_starts_that_cannot_be_are_named(initial, words):
    with pytest.raises(ParameterError) as caught:
        Population("cells", 3, LIF(), initial=initial)
    assert words in str(caught.value)


def test_the_exact_engine_starts_at_rest():
    layer = [Population("a", 2, HomogeneousPoisson(1.0)), Population("b", 2, LinearPoisson(), initial={"psp": 1.0})]
    assert not Network(layer, [Projection(*layer, 0.1)]).is_exact
