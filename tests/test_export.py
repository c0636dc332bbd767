"""Exports as their readers see them: libsonata, pynwb, xarray, pandas, Neo and elephant find the numbers of the run file, to the last bit."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from datetime import datetime
from types import SimpleNamespace

import h5py
import libsonata
import numpy as np
import pandas
import pytest
import xarray
from click.testing import CliRunner
from interpreting import interpreted
from small_networks import recurrent

from hebbscope import Network, Projection, simulate
from hebbscope.cli import main
from hebbscope.models import PopulationRate, StateMonitor, WeightStatistics, WeightSubset
from hebbscope.simulator import runreader
from hebbscope.simulator.export import FORMATS, export
from hebbscope.simulator.inventory import inventory
from hebbscope.simulator.protocols import HebbscopeError
from hebbscope.simulator.results import Run, Spikes
from hebbscope.simulator.runfile import describe, read, write

SEEDS, N_TIMES, N_POST, N_PRE = (7, 2**62), 6, 2, 4
TIMES = np.array([0.0, 0.1, 0.2, 0.1 * 3, 0.4, 0.47])  # s; the last is off the grid
RECORDED = {"inputs": (0.1, 0.47), "neuron": (0.0, 0.47)}
SILENT = 3  # of the inputs
CONFIG = 'experiment = "tested"\n'
PLACES = {"sonata": "run-sonata", "nwb": "run.nwb", "netcdf": "run.nc", "csv": "run-csv"}


def spikes_of(rng, population, n, n_cells):
    return Spikes(np.sort(rng.uniform(*RECORDED[population], n)), rng.integers(0, n_cells, n), RECORDED[population])


def a_run(level):
    rng = np.random.default_rng(len(level))
    seeds = SEEDS[:1] if level == "rate" else SEEDS
    rate = rng.uniform(5, 15, (len(seeds), N_TIMES, N_POST))
    rate[:, 0] = np.nan
    heard = {"inputs": spikes_of(rng, "inputs", 500, SILENT), "neuron": spikes_of(rng, "neuron", 60, N_POST)}
    return Run(
        level=level,
        seeds=seeds,
        time=TIMES,
        weights=rng.normal(0.02, 0.01, (len(seeds), N_TIMES, N_POST, N_PRE)),
        output_rate=rate,
        groups=("constant", "constant", "modulated", "modulated"),
        projection="inputs_to_neuron",
        spikes=heard if level == "spike" else {},
        theory={
            "weights_without_causal": rng.normal(size=(N_TIMES, N_POST, N_PRE)),
            "output_rate_without_causal": rng.uniform(5, 15, (N_TIMES, N_POST)),
            "spread": rng.uniform(size=N_TIMES),
            "spread_without_causal": rng.uniform(size=N_TIMES),
            "coefficients": {"k3": 7.037e-5, "k1": np.full(N_PRE, 1e-4)},
        }
        if level == "rate"
        else {},
        attrs={"network": "tested"},
    )


@pytest.fixture(params=[64, 8_000_000], ids=["many blocks", "one block"])
def path(tmp_path, monkeypatch, request):
    """A run file of three levels."""
    monkeypatch.setattr(runreader, "BLOCK", request.param)
    return written(tmp_path / "run.h5")


@pytest.fixture
def small(tmp_path):
    return written(tmp_path / "run.h5")


def written(path):
    write(path, a_run("spike"), a_run("surrogate"), a_run("rate"), config=CONFIG)
    with h5py.File(path, "r+") as file:
        for population, window in RECORDED.items():
            file[f"spikes/{population}"].attrs["recorded"] = window
    return path


def shell(*args):
    return CliRunner().invoke(main, [str(arg) for arg in args])


def refused(*args):
    """The one line that a refusal prints; it leaves nothing behind."""
    result = shell(*args)
    assert result.exit_code == 2, result.output
    assert result.stdout == "" and result.stderr.count("\n") == 1 and result.stderr.startswith("hebbscope: ")
    return result.stderr


def same(found, expected):
    """To the last bit, NaN too."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape and found.tobytes() == expected.tobytes()


# What readers find --------------------------------------------------------------------------------------------------


def test_libsonata_reads_spikes(path):
    folder = export(path, "sonata")
    assert sorted(file.name for file in folder.iterdir()) == [
        "spikes.h5", "weights_rate.h5", "weights_spike.h5", "weights_surrogate.h5"
    ]  # fmt: skip
    reader, original = libsonata.SpikeReader(str(folder / "spikes.h5")), libsonata.SpikeReader(str(path))
    assert sorted(reader.get_population_names()) == ["inputs", "neuron"]
    for name in reader.get_population_names():
        population = reader[name]
        assert population.sorting == "by_time" and population.time_units == "ms"
        assert population.get() == original[name].get()
        same([time for _, time in population.get()], a_run("spike").spikes[name].t * 1e3)


def test_libsonata_reads_the_weights_of_each_level(path):
    folder = export(path, "sonata")
    for level in ("spike", "surrogate", "rate"):
        reader = libsonata.ElementReportReader(str(folder / f"weights_{level}.h5"))
        assert reader.get_population_names() == ["inputs_to_neuron"]
        frames = reader["inputs_to_neuron"].get()
        assert reader["inputs_to_neuron"].time_units == "ms"
        same(frames.data, a_run(level).weights[0, :-1].reshape(N_TIMES - 1, -1).astype(np.float32))
        np.testing.assert_allclose(frames.times, TIMES[:-1] * 1e3)
        assert frames.ids.tolist() == [[i, i * N_PRE + j] for i in range(N_POST) for j in range(N_PRE)]


def test_pynwb_validates_and_reads(path):
    import pynwb

    target = export(path, "nwb")
    assert not list(pynwb.validate(path=str(target)))
    runs = read(path)
    with pynwb.NWBHDF5IO(target, "r") as io:
        file = io.read()
        assert file.session_start_time == datetime.fromisoformat(runs["spike"].attrs["created"])
        assert file.experiment_description == CONFIG
        assert "tested" in file.session_description
        learning = file.processing["learning"]
        for level, run in runs.items():
            weights, rate = learning[f"weights_{level}"], learning[f"output_rate_{level}"]
            same(weights.data[:], np.moveaxis(run.weights, 1, 0))
            same(rate.data[:], np.moveaxis(run.output_rate, 1, 0))
            same(weights.timestamps[:], TIMES)
            same(rate.timestamps[:], TIMES)
        seeds = learning["seeds"].to_dataframe()
        assert list(zip(seeds.level, seeds.seed, strict=True)) == [
            (level, s) for level in runs for s in runs[level].seeds
        ]
        assert list(learning["inputs"]["group"][:]) == list(runs["spike"].groups)
        units = file.units.to_dataframe()
    assert [len(units[units.population == name]) for name in RECORDED] == [N_PRE, N_POST]
    for unit in units.itertuples():
        spikes = runs["spike"].spikes[unit.population]
        same(unit.spike_times, spikes.t[spikes.i == unit.cell])
        same(unit.obs_intervals, [RECORDED[unit.population]])
        group = runs["spike"].groups[unit.cell] if unit.population == "inputs" else ""
        assert (unit.level, unit.seed, unit.group) == ("spike", SEEDS[0], group)


def test_a_level_without_spikes_as_nwb(small):
    import pynwb

    target = export(small, "nwb", levels=["rate"])
    assert not list(pynwb.validate(path=str(target)))
    with pynwb.NWBHDF5IO(target, "r") as io:
        file = io.read()
        assert file.units is None and "weights_spike" not in file.processing["learning"].data_interfaces


def test_xarray_reads_the_netcdf_file(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        target = export(path, "netcdf")
        with xarray.open_datatree(target, engine="h5netcdf") as tree:
            assert list(tree.children) == ["spike", "surrogate", "rate"]
            for level, run in read(path).items():
                found = tree[level]
                assert found["weights"].dims == ("seed", "time", "post", "pre")
                same(found["weights"].values, run.weights)
                same(found["output_rate"].values, run.output_rate)
                same(found["time"].values, TIMES)
                assert tuple(found["seed"].values.tolist()) == run.seeds
                assert found["group"].values.tolist() == list(run.groups)
                assert found["time"].attrs["units"] == "s" and found["output_rate"].attrs["units"] == "Hz"
                assert found.attrs["config"] == CONFIG and found.attrs["level"] == level
                for name, spikes in run.spikes.items():
                    same(found[f"spikes/{name}/t"].values, spikes.t)
                    same(found[f"spikes/{name}/i"].values, spikes.i)
                    assert tuple(found[f"spikes/{name}"].attrs["recorded"]) == RECORDED[name]
            theory = a_run("rate").theory
            assert tree["rate/theory/weights_without_causal"].dims == ("time", "post", "pre")
            same(tree["rate/theory/spread"].values, theory["spread"])
            assert float(tree["rate/theory/coefficients/k3"]) == 7.037e-5
            assert tree["rate/theory/coefficients/k3"].attrs["units"] == "1/s"


def test_what_netcdf_holds_is_what_to_xarray_gives(small):
    target = export(small, "netcdf")
    with xarray.open_datatree(target, engine="h5netcdf") as tree:
        for run in Run.load(small):
            for node in run.to_xarray().subtree:
                xarray.testing.assert_equal(node.to_dataset(), tree[f"{run.level}/{node.path}"].to_dataset())


def test_pandas_reads_the_csv_files(path):
    folder = export(path, "csv")
    assert sorted(file.name for file in folder.iterdir()) == [
        "about.json",
        "output_rate.csv",
        "spikes.csv",
        "weights.csv",
    ]
    runs = read(path)
    expected = {level: run.to_pandas() for level, run in runs.items()}
    for name in ("weights", "output_rate", "spikes"):
        table = pandas.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)
        whole = [tables[name] for tables in expected.values()]
        assert list(table) == list(whole[0])
        for column in table:
            values = [value for part in whole for value in part[column]]
            kind = type(values[0])
            assert [repr(kind(text or "nan")) for text in table[column]] == [repr(value) for value in values]
    weights = pandas.read_csv(folder / "weights.csv", converters={"weight": float})
    same(weights[weights.level == "surrogate"].weight, np.moveaxis(runs["surrogate"].weights, 1, 0).ravel())
    assert json.loads((folder / "about.json").read_text())["config"] == CONFIG


def test_pandas_tables_are_long():
    run = a_run("spike")
    tables = run.to_pandas()
    weights = tables["weights"]
    assert list(weights) == ["level", "time_s", "seed", "post", "pre", "group", "weight"]
    assert len(weights) == run.weights.size
    one = weights[(weights.seed == SEEDS[1]) & (weights.time_s == TIMES[3]) & (weights.post == 1) & (weights.pre == 2)]
    assert one.weight.tolist() == [run.weights[1, 3, 1, 2]] and one.group.tolist() == ["modulated"]
    assert list(tables["output_rate"]) == ["level", "time_s", "seed", "post", "output_rate_Hz"]
    assert list(tables["spikes"]) == ["level", "seed", "population", "cell", "time_s"]
    neuron = tables["spikes"][tables["spikes"].population == "neuron"]
    same(neuron.time_s, run.spikes["neuron"].t)
    same(neuron.cell, run.spikes["neuron"].i)
    assert len(a_run("rate").to_pandas()["spikes"]) == 0


def test_neo_has_every_train_and_record():
    run = a_run("spike")
    block = run.to_neo()
    assert [segment.annotations["seed"] for segment in block.segments] == list(SEEDS)
    for k, segment in enumerate(block.segments):
        weights, rate = segment.irregularlysampledsignals
        same(weights.magnitude, run.weights[k].reshape(N_TIMES, -1))
        same(rate.magnitude, run.output_rate[k])
        same(weights.times.rescale("s").magnitude, TIMES)
        assert rate.units.dimensionality.string == "Hz"
        assert weights.array_annotations["pre"].tolist() == [0, 1, 2, 3] * 2
        assert weights.array_annotations["group"].tolist() == list(run.groups) * 2
    trains = block.segments[0].spiketrains
    assert len(trains) == N_PRE + N_POST and not len(block.segments[1].spiketrains)
    for train in trains:
        about = train.annotations
        spikes = run.spikes[about["population"]]
        same(train.magnitude, spikes.t[spikes.i == about["cell"]])
        assert (float(train.t_start), float(train.t_stop)) == RECORDED[about["population"]]


def test_elephant_counts_the_same_spikes():
    from elephant.statistics import isi, mean_firing_rate

    run = a_run("spike")
    for train in run.to_neo().segments[0].spiketrains:
        spikes = run.spikes[train.annotations["population"]]
        own = spikes.t[spikes.i == train.annotations["cell"]]
        start, stop = spikes.recorded
        assert float(mean_firing_rate(train).rescale("Hz")) == pytest.approx(len(own) / (stop - start))
        if len(own) > 1:
            same(isi(train).magnitude, np.diff(own))


def test_spikes_that_do_not_say_when_they_were_heard():
    spikes = Spikes([0.2, 0.5], [0, 1])
    assert spikes.window == (0.2, 0.5)
    assert Spikes([], []).window == (0.0, 0.0)
    assert Spikes([], [], (1.0, 2.0)).window == (1.0, 2.0)
    assert Spikes([0.2, 0.5], [0, 1], (0.0, 0.4)).window == (0.0, 0.5)


# What is beside the records -----------------------------------------------------------------------------------------

MONITORS = {
    "potential": StateMonitor("exc", ["v"], [3, 0], every=5e-3),
    "rate": PopulationRate("exc", every=0.02),
    "statistics": WeightStatistics("inputs_to_exc", every=0.03, bins=4),
    "some": WeightSubset("ee", [5, 0], every=0.07),
}
AXES = {
    "v": ["cell"],
    "rate": [],
    "mean": [],
    "sd": [],
    "histogram": ["bin"],
    "group_mean": ["group"],
    "weights": ["synapse"],
}


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A run, and its file, with four monitors, and final weights of a projection that joins all to all and of one that does not."""
    described = recurrent(4, 5, 2)
    inhibition, forward, out, loop = described.projections
    learning = Projection(out.source, out.target, 4e-3, forward.rule, name="ei")
    network = Network(described.populations, [inhibition, forward, learning, loop])
    with interpreted():
        run = simulate(network, 0.2, seeds=SEEDS, record_every=0.1, monitors=MONITORS)
    path = tmp_path_factory.mktemp("watched") / "run.h5"
    run.save(path)
    assert list(run.other_weights) == ["ei", "ee"] and list(run.other_wirings) == ["ee"]
    assert all(len(samples.time) > 2 for samples in run.monitors.values())
    return run, path


def variables(run):
    """Monitor, name of a variable, its (n_seeds, n_times, ...) and its axes with what is along them."""
    for monitor, samples in run.monitors.items():
        for name, values in samples.values.items():
            axes = {axis: numbers.tolist() for axis, numbers in samples.fields[name].axes.items()}
            assert list(axes) == AXES[name]
            yield monitor, name, values, axes | ({"group": ["left", "right"]} if "group" in axes else {})


def ends(run):
    """Projection -> post and pre of each synapse."""
    post, pre = np.indices(run.other_weights["ei"].shape[1:]).reshape(2, -1)
    return {"ei": (post, pre), "ee": (run.other_wirings["ee"].post, run.other_wirings["ee"].pre)}


def test_a_file_keeps_the_wirings_of_final_weights(watched, tmp_path):
    run, path = watched
    Run.load(path)[0].save(tmp_path / "again.h5")
    back = Run.load(tmp_path / "again.h5")[0]
    for name, weights in run.other_weights.items():
        same(back.other_weights[name], weights)
    n = len(run.other_wirings["ee"].pre)
    assert dict(inventory(describe(path)))["final weights of ee (spike)"] == f"{n} of 2 seeds"
    assert list(back.other_wirings) == ["ee"] and np.array_equal(back.other_wirings["ee"], run.other_wirings["ee"])


def test_xarray_reads_monitors_and_final_weights(watched, tmp_path):
    run, path = watched
    with xarray.open_datatree(export(path, "netcdf", tmp_path / "run.nc"), engine="h5netcdf") as file:
        for tree in (file["spike"], run.to_xarray()):
            for monitor, name, values, axes in variables(run):
                node = tree[f"monitors/{monitor}"]
                own = ["sampled_synapse" if axis == "synapse" else axis for axis in axes]
                assert node[name].dims == ("seed", "sample", *own)
                same(node[name].values, values)
                same(node["t"].values, run.monitors[monitor].time)
                for axis, along in zip(own, axes.values(), strict=True):
                    assert node[axis].values.tolist() == along
                assert node.attrs["type"] == type(MONITORS[monitor]).__name__
            for name, (post, pre) in ends(run).items():
                node = tree[f"final/{name}"]
                same(node["weights"].values, run.other_weights[name].reshape(2, -1))
                assert node["post"].values.tolist() == post.tolist() and node["pre"].values.tolist() == pre.tolist()


def exact(text):
    """A number to the last bit, as pandas alone does not read it."""
    return float(text or "nan")


def test_neo_has_the_samples_of_monitors(watched):
    run, _ = watched
    for k, segment in enumerate(run.to_neo().segments):
        signals = {signal.name: signal for signal in segment.irregularlysampledsignals[2:]}
        assert len(signals) == len(list(variables(run)))
        for monitor, variable, values, axes in variables(run):
            signal, samples = signals[f"{monitor} {variable}"], run.monitors[monitor]
            same(signal.magnitude.reshape(values[k].shape), values[k])
            same(signal.times.rescale("s").magnitude, samples.time)
            assert signal.units.dimensionality.string == ("Hz" if variable == "rate" else "dimensionless")
            assert signal.annotations["type"] == type(MONITORS[monitor]).__name__
            assert {axis: signal.array_annotations[axis].tolist() for axis in axes} == axes


def test_pandas_reads_monitors_and_final_weights(watched, tmp_path):
    run, path = watched
    folder = export(path, "csv", tmp_path / "run-csv")
    of_file = [
        pandas.read_csv(folder / f"{name}.csv", converters={column: exact}, low_memory=False)
        for name, column in (("monitors", "value"), ("final_weights", "weight"))
    ]
    of_run = [run.to_pandas()[name] for name in ("monitors", "final_weights")]
    for sampled, final in (of_file, of_run):
        assert list(sampled.columns[5:-1]) == ["bin", "cell", "group", "synapse"] and sampled.columns[-1] == "value"
        for monitor, name, values, axes in variables(run):
            table = sampled[(sampled.monitor == monitor) & (sampled.variable == name)]
            same(table.value.to_numpy(float), np.moveaxis(values, 1, 0).ravel())
            same(np.unique(table.time_s), run.monitors[monitor].time)
            assert table.seed.tolist()[: values[0, 0].size] == [SEEDS[0]] * values[0, 0].size
            for axis in ("cell", "bin", "group", "synapse"):
                along = table[axis].tolist()[: values[0, 0].size]
                assert along == axes[axis] if axis in axes else table[axis].isna().all()
        assert list(final) == ["level", "seed", "projection", "post", "pre", "weight"]
        for name, (post, pre) in ends(run).items():
            table = final[final.projection == name]
            same(table.weight.to_numpy(), run.other_weights[name].ravel())
            assert table.post.tolist() == 2 * post.tolist() and table.pre.tolist() == 2 * pre.tolist()
            assert table.seed.tolist() == np.repeat(SEEDS, len(post)).tolist()


def test_pynwb_reads_monitors_and_final_weights(watched, tmp_path):
    import pynwb

    run, path = watched
    target = export(path, "nwb", tmp_path / "run.nwb")
    assert not list(pynwb.validate(path=str(target)))
    with pynwb.NWBHDF5IO(target, "r") as io:
        learning = io.read().processing["learning"]
        for monitor, name, values, axes in variables(run):
            series = learning[f"{monitor}_{name}_spike"]
            same(series.data[:], np.moveaxis(values, 1, 0))
            same(series.timestamps[:], run.monitors[monitor].time)
            for axis, along in axes.items():
                assert list(learning[f"{monitor}_{axis}_spike"][axis][:]) == along
        for name, (post, pre) in ends(run).items():
            table = learning[f"final_{name}_spike"]
            same(np.asarray(table["weight"][:]), run.other_weights[name].reshape(2, -1).T)
            assert list(table["post"][:]) == post.tolist() and list(table["pre"][:]) == pre.tolist()


def test_libsonata_reads_the_synapses_of_a_sparse_network(watched, tmp_path):
    run, path = watched
    assert shell("export", path, "--to", "sonata", "--out", tmp_path / "out").exit_code == 0
    frames = libsonata.ElementReportReader(str(tmp_path / "out" / "weights_spike.h5"))["inputs_to_exc"].get()
    order = np.argsort(run.wiring.post, kind="stable")
    assert run.wiring is not None and 0 < len(order) < 20
    assert frames.ids.tolist() == np.stack([run.wiring.post[order], order], axis=1).tolist()
    same(frames.data, run.weights[0, :, 0][:, order].astype(np.float32))
    for name, spikes in run.spikes.items():
        heard = libsonata.SpikeReader(str(tmp_path / "out" / "spikes.h5"))[name].get()
        assert [cell for cell, _ in heard] == spikes.i.tolist()
        np.testing.assert_allclose([time for _, time in heard], spikes.t * 1e3, rtol=1e-15)


def test_libsonata_reads_the_variables_of_cells(watched, tmp_path):
    """Of the first seed, cells in ascending order, each once; what is not of single cells has no report."""
    run, path = watched
    folder = export(path, "sonata", tmp_path / "out")
    assert [file.name for file in folder.glob("monitor_*")] == ["monitor_potential_v_spike.h5"]
    reader = libsonata.ElementReportReader(str(folder / "monitor_potential_v_spike.h5"))
    assert reader.get_population_names() == ["exc"]
    potential, samples = reader["exc"], run.monitors["potential"]
    assert potential.times == (0.0, pytest.approx(205.0), pytest.approx(5.0)) and potential.time_units == "ms"
    found = potential.get()
    assert found.ids.tolist() == [[0, 0], [3, 0]] and potential.get_node_ids() == [0, 3]
    np.testing.assert_allclose(found.times, 1e3 * samples.time, rtol=1e-12)
    same(found.data, samples["v"][0][:, [1, 0]].astype(np.float32))
    same(np.ravel(potential.get(node_ids=[3]).data), samples["v"][0, :, 0].astype(np.float32))
    assert export(path, "sonata", folder, force=True) == folder


# The command --------------------------------------------------------------------------------------------------------


def test_runs_of_the_command_line_say_when_spikes_were_heard(tmp_path):
    target = tmp_path / "short.h5"
    options = (
        "--duration",
        "4",
        "--set",
        "record_every=2",
        "--level",
        "spike",
        "--seeds",
        "1",
        "--quiet",
        "--no-figure",
    )
    assert shell("run", "kempter1999", *options, "--out", target).exit_code == 0
    (run,) = Run.load(target)
    assert {name: spikes.recorded for name, spikes in run.spikes.items()} == {
        "inputs": (0.0, 4.0),
        "neuron": (0.0, 4.0),
    }


@pytest.mark.parametrize("to", FORMATS)
def test_a_neuron_that_was_silent(to, tmp_path):
    target = tmp_path / "silent.h5"
    options = ("--duration", "0.01", "--level", "spike", "--seeds", "1", "--set", "weights.initial=0", "--no-figure")
    assert shell("run", "kempter1999", *options, "--quiet", "--out", target).exit_code == 0
    spikes = Run.load(target)[0].spikes["neuron"]
    assert len(spikes) == 0 and spikes.window == (0.0, 0.01)
    assert shell("export", target, "--to", to).exit_code == 0


@pytest.mark.parametrize("to", FORMATS)
def test_every_format_goes_beside_the_run_file(to, small, tmp_path):
    assert str(tmp_path / PLACES[to]) in shell("export", small, "--to", to).stdout
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(["run.h5", PLACES[to]])
    assert "is already there" in refused("export", small, "--to", to)
    assert shell("export", small, "--to", to, "--level", "rate", "--force").exit_code == 0
    if FORMATS[to].is_folder:
        assert not {"spikes.h5", "spikes.csv", "weights_spike.h5"} & {f.name for f in (tmp_path / PLACES[to]).iterdir()}
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(["run.h5", PLACES[to]])


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--to", "nbw"], "'nbw' is not one of sonata, nwb, netcdf, csv; did you mean nwb?"),
        (["--to", "matlab"], "'matlab' is not one of sonata, nwb, netcdf, csv\n"),
        ([], "Missing option '--to'"),
        (["--to", "csv", "--level", "rates"], "--level: must be any of spike, surrogate, rate, got 'rates'"),
        (["--to", "nwb", "--out", "."], "must be the name of a file"),
        (["--to", "nwb", "--out", ""], "must be the name of a file"),
        (["--to", "nwb", "--out", "folder", "--force"], "folder: is a folder"),
        (["--to", "csv", "--out", "text", "--force"], "text: is not a folder"),
        (["--to", "csv", "--out", "folder"], "folder: is already there"),
        (["--to", "csv", "--out", "folder", "--force"], "holds more than an export, such as thesis.txt"),
        (["--to", "netcdf", "--out", "text"], "text: is already there"),
        (["--to", "netcdf", "--out", "run.h5", "--force"], "is the run file itself"),
        (["--to", "netcdf", "--out", "no/where.nc"], "there is no folder no"),
        (["--to", "netcdf", "--out", "text/run.nc"], "there is no folder text"),
    ],
)
def test_bad_arguments_are_one_line_and_write_nothing(args, words, small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("precious")
    (tmp_path / "text").write_text("precious")
    before = small.read_bytes()
    assert words in refused("export", "run.h5", *args)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["folder", "run.h5", "text"]
    assert [file.read_text() for file in (tmp_path / "text", tmp_path / "folder" / "thesis.txt")] == ["precious"] * 2
    assert small.read_bytes() == before


def test_a_level_that_is_not_there(small, tmp_path):
    a_run("spike").save(tmp_path / "one.h5")
    line = refused("export", tmp_path / "one.h5", "--to", "csv", "--level", "rate")
    assert "has no record at rate level, only at spike" in line


@pytest.mark.parametrize("to", FORMATS)
def test_files_that_are_no_run_files(to, small, tmp_path):
    whole = small.read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.h5").write_text("not HDF5")
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["data"] = 1
    for k, damage in enumerate(["levels/spike/seed", "levels/rate/output_rate", "inputs"]):
        (tmp_path / f"damaged-{k}.h5").write_bytes(whole)
        with h5py.File(tmp_path / f"damaged-{k}.h5", "r+") as file:
            del file[damage]
    there = sorted(tmp_path.iterdir())
    for file in there:
        if file != small:
            assert file.name in refused("export", file, "--to", to)
    assert "missing.h5: there is no such file" in refused("export", tmp_path / "missing.h5", "--to", to)
    assert sorted(tmp_path.iterdir()) == there


@pytest.mark.parametrize(
    ("to", "group", "attribute", "value"),
    [
        ("nwb", "/", "created", "yesterday"),
        ("sonata", "levels/rate", "record_every", "yesterday"),
        ("netcdf", "/", "software", True),
    ],
)
def test_a_file_that_lacks_what_a_format_wants(to, group, attribute, value, small, tmp_path):
    with h5py.File(small, "r+") as file:
        file[group].attrs[attribute] = value
    assert f"run.h5: damaged, cannot be exported to {to}" in refused("export", small, "--to", to)
    assert list(tmp_path.iterdir()) == [small]


@pytest.mark.parametrize(("module", "to"), [("pynwb", "nwb")])
def test_a_missing_library_says_what_to_install(module, to, small, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    assert f"{module} is not installed: pip install 'hebbscope[{to}]'" in refused("export", small, "--to", to)


def test_neo_may_be_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "neo", None)
    with pytest.raises(HebbscopeError, match=r"neo is not installed: pip install 'hebbscope\[neo\]'"):
        a_run("spike").to_neo()


@pytest.mark.parametrize("to", FORMATS)
def test_a_full_disk(to, small, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    assert "1 MB are free" in refused("export", small, "--to", to)
    assert [file.name for file in tmp_path.iterdir()] == ["run.h5"]


@pytest.mark.parametrize("to", FORMATS)
def test_a_write_that_fails_leaves_nothing(to, small, tmp_path, monkeypatch):
    def fail(path, about, levels, target):
        (target / "part" if target.is_dir() else target).write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(FORMATS, to, FORMATS[to]._replace(write=fail))
    assert f"{PLACES[to]}: cannot be written (no space left on device)" in refused("export", small, "--to", to)
    assert [file.name for file in tmp_path.iterdir()] == ["run.h5"]


def test_exporting_wakes_no_compiler(small):
    code = (
        "import sys; from hebbscope.simulator.export import export\n"
        "for to in ('sonata', 'netcdf', 'csv'): export(sys.argv[1], to)\n"
        "assert not {'numba', 'brian2', 'neo', 'pynwb', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(small)], check=True)
