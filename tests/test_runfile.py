"""The run file as its readers see it: libsonata, xarray, h5py, and ourselves after a kill."""

import hashlib
import os
import signal
import subprocess
import sys
import time
import warnings
from types import SimpleNamespace

import h5py
import libsonata
import numpy as np
import pytest
import xarray
from small_networks import recurrent

from hebbscope import Network, Population, Projection, simulate
from hebbscope.models import HomogeneousPoisson, LinearPoisson
from hebbscope.rules import Triplet
from hebbscope.simulator.protocols import HebbscopeError
from hebbscope.simulator.results import Run, Spikes
from hebbscope.simulator.runfile import RunFile, describe, read, read_arrays, write
from hebbscope.simulator.sonata import seconds

N_SEEDS, N_TIMES, N_POST, N_PRE = 3, 5, 2, 4
GROUPS = ("constant", "constant", "modulated", "modulated")


def a_run(level="spike", n_seeds=N_SEEDS, seed=0):
    rng = np.random.default_rng(seed)
    rate = rng.uniform(5, 15, (n_seeds, N_TIMES, N_POST))
    rate[:, 0] = np.nan
    spikes = {
        "inputs": Spikes(np.sort(rng.uniform(0, 80, 1000)), rng.integers(0, N_PRE, 1000)),
        "neuron": Spikes(np.sort(rng.uniform(0, 80, 300)), rng.integers(0, N_POST, 300)),
    }
    return Run(
        level=level,
        seeds=tuple(range(7, 7 + n_seeds)),
        time=np.arange(N_TIMES) * 20.0,
        weights=rng.normal(0.02, 0.01, (n_seeds, N_TIMES, N_POST, N_PRE)),
        output_rate=rate,
        groups=GROUPS,
        projection="inputs_to_neuron",
        shape=(1, 2, 2),
        spikes=spikes if level == "spike" else {},
        attrs={"network": "tested"},
    )


def a_rate_run():
    run = a_run("rate", n_seeds=1, seed=5)
    rng = np.random.default_rng(6)
    run.theory = {
        "weights_without_causal": rng.normal(size=(N_TIMES, N_POST, N_PRE)),
        "output_rate_without_causal": rng.normal(size=(N_TIMES, N_POST)),
        "spread": rng.uniform(size=N_TIMES),
        "spread_without_causal": rng.uniform(size=N_TIMES),
        "coefficients": {"k3": 7.037e-5, "k1": np.full(N_PRE, 1e-4)},
        "predictions": {"mean_weight": 0.02032, "tau_mean": 203.2},
    }
    return run


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "run.h5"
    write(path, a_run(), a_run("surrogate", seed=1), a_rate_run(), config='name = "tested"\n')
    return path


def assert_same(found, given):
    for name in ("level", "seeds", "groups", "projection", "shape"):
        assert getattr(found, name) == getattr(given, name)
    for name in ("time", "weights", "output_rate"):
        np.testing.assert_array_equal(getattr(found, name), getattr(given, name))
    assert found.spikes.keys() == given.spikes.keys()
    for name, spikes in given.spikes.items():
        np.testing.assert_allclose(found.spikes[name].t, spikes.t, rtol=1e-15)
        np.testing.assert_array_equal(found.spikes[name].i, spikes.i)


def test_what_is_written_is_read(path):
    found = read(path)
    assert list(found) == ["spike", "surrogate", "rate"]
    given = a_rate_run()
    for run in (a_run(), a_run("surrogate", seed=1), given):
        assert_same(found[run.level], run)
    theory = found["rate"].theory
    courses = {"mean_weight", "separation", "mean_weight_without_causal", "separation_without_causal"}
    assert theory.keys() == given.theory.keys() | courses
    np.testing.assert_allclose(theory["mean_weight"], given.weights[0].mean(axis=(1, 2)))
    without = given.theory["weights_without_causal"]
    np.testing.assert_allclose(
        theory["separation_without_causal"], (without[..., 2:] - without[..., :2]).mean(axis=(1, 2))
    )
    assert theory["coefficients"]["k3"] == 7.037e-5
    np.testing.assert_array_equal(theory["coefficients"]["k1"], np.full(N_PRE, 1e-4))
    np.testing.assert_array_equal(theory["weights_without_causal"], given.theory["weights_without_causal"])
    assert theory["predictions"] == given.theory["predictions"]
    assert found["spike"].attrs["network"] == "tested"


def test_a_run_saves_and_loads_itself(tmp_path):
    run = a_run()
    run.save(tmp_path / "one.h5")
    (loaded,) = Run.load(tmp_path / "one.h5")
    assert_same(loaded, run)
    loaded.save(tmp_path / "two.h5")
    assert_same(Run.load(tmp_path / "two.h5")[0], loaded)


def test_spikes_of_a_run_in_steps_are_the_same_to_the_bit_from_its_file(tmp_path):
    network = recurrent()
    for dt in (1e-4, 2.5e-5):
        listened = {each.name: (0.0, 2.0) for each in network.populations}
        run = simulate(network, 2.0, dt=dt, record_every=1.0, record_spikes=listened)
        run.save(tmp_path / f"{dt}.h5")
        (loaded,) = Run.load(tmp_path / f"{dt}.h5")
        with RunFile.create(tmp_path / f"{dt}-2.h5", network=network, seeds=[1], levels=["spike"]) as file:
            stored = simulate(network, 2.0, dt=dt, record_every=1.0, record_spikes=listened, file=file)
        for name, spikes in run.spikes.items():
            assert len(spikes) > 30
            for other in (loaded, stored):
                np.testing.assert_array_equal(other.spikes[name].t, spikes.t)


def test_times_come_back_from_milliseconds_as_exactly_as_these_can_tell():
    """Of any times to the last bit, which few lose; of steps exactly, also after years; of times that are of no steps as without."""
    rng = np.random.default_rng(1)
    t = rng.uniform(0.0, 1000.0, 100_000)
    for dt in (0.0, 1e-4, np.inf, 5e-324):
        found = seconds(t * 1e3, dt)
        assert np.mean(found != t) < 0.025 and np.all(np.abs(found - t) <= np.spacing(t))
    for dt in (1e-4, 3e-4, 2.5e-5):
        steps = rng.integers(0, 10**12, 100_000) * dt
        np.testing.assert_array_equal(seconds(steps * 1e3, dt), steps)


def test_libsonata_reads_the_spikes(path):
    reader = libsonata.SpikeReader(str(path))
    assert sorted(reader.get_population_names()) == ["inputs", "neuron"]
    for name, spikes in a_run().spikes.items():
        population = reader[name]
        assert population.sorting == "by_time"
        assert population.time_units == "ms"
        ids, times = zip(*population.get(), strict=True)
        np.testing.assert_array_equal(ids, spikes.i)
        np.testing.assert_allclose(times, spikes.t * 1e3, rtol=1e-12)


def test_libsonata_reads_the_weights_report(path):
    reader = libsonata.ElementReportReader(str(path))
    assert reader.get_population_names() == ["inputs_to_neuron"]
    report = reader["inputs_to_neuron"]
    assert report.times == (0.0, 100_000.0, 20_000.0)
    assert report.time_units == "ms"
    frames = report.get()
    np.testing.assert_array_equal(frames.ids, [[i, i * N_PRE + j] for i in range(N_POST) for j in range(N_PRE)])
    np.testing.assert_allclose(frames.times, a_run().time * 1e3)
    np.testing.assert_array_equal(frames.data, a_run().weights[0].reshape(N_TIMES, -1).astype(np.float32))


def test_xarray_opens_it_as_a_tree(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with xarray.open_datatree(path, engine="h5netcdf") as tree:
            assert not [dim for node in tree.subtree for dim in node.sizes if "phony" in str(dim)]
            weights = tree["levels/spike/weights"]
            assert weights.dims == ("seed", "time", "post", "pre")
            np.testing.assert_array_equal(weights.values, a_run().weights)
            assert weights.sel(seed=8, time=40.0).shape == (N_POST, N_PRE)
            assert tree["levels/rate/output_rate"].dims == ("seed", "time", "post")
            assert tree["theory/weights_without_causal"].dims == ("time", "post", "pre")
            assert tree["theory/spread"].dims == ("time",)
            assert tree["inputs/group"].values.tolist() == list(GROUPS)
            assert tree["report/inputs_to_neuron/data"].dims == ("frame", "synapse")


def test_it_can_be_read_while_xarray_holds_it_open(path):
    with xarray.open_datatree(path, engine="h5netcdf"):
        assert len(read(path)) == 3


def test_every_attribute_that_readers_insist_on(path):
    with h5py.File(path) as file:
        attrs = file.attrs
        assert attrs["magic"] == 0x0A7A
        assert attrs["magic"].dtype == np.uint32
        assert attrs["version"].tolist() == [0, 1]
        assert attrs["version"].dtype == np.uint32
        assert attrs["config_sha256"] == hashlib.sha256(b'name = "tested"\n').hexdigest()
        assert attrs["seeds"].tolist() == [7, 8, 9]
        assert {"Conventions", "software", "versions", "config", "created"} <= set(attrs)
        assert attrs["complete"] == 1
        assert set(file["spikes"]) == {"inputs", "neuron"}
        for spikes in file["spikes"].values():
            kind = spikes.attrs.get_id("sorting").dtype
            assert h5py.check_enum_dtype(kind) == {"none": 0, "by_id": 1, "by_time": 2}
            assert spikes.attrs["sorting"] == 2
            assert spikes["timestamps"].dtype == np.float64
            assert spikes["timestamps"].attrs["units"] == "ms"
            assert spikes["node_ids"].dtype == np.uint64
        assert set(file["report"]) == {"inputs_to_neuron"}
        report = file["report/inputs_to_neuron"]
        mapping = report["mapping"]
        assert report["data"].dtype == np.float32
        assert report["data"].attrs["units"] == "1"
        assert report["data"].compression is None
        assert report["data"].maxshape == (None, N_POST * N_PRE)
        assert mapping["node_ids"].dtype == np.uint64
        assert mapping["index_pointers"].dtype == np.uint64
        assert mapping["index_pointers"][:].tolist() == [0, 4, 8]
        assert mapping["index_pointers"] == mapping["index_pointer"]
        assert mapping["element_ids"].dtype == np.uint32
        assert mapping["time"][:].tolist() == [0, 100_000, 20_000]
        assert mapping["time"].attrs["units"] == "ms"
        for level in file["levels"].values():
            assert level["weights"].dtype == np.float64
            assert level["time"].dtype == np.float64
            assert level["time"].attrs["units"] == "s"
            assert level["output_rate"].attrs["units"] == "Hz"
        assert file["theory/coefficients/k3"].attrs["units"] == "1/s"


def test_a_record_off_the_grid_is_in_the_levels_and_not_in_the_report(tmp_path):
    run = a_run()
    run.time[-1] = 75.0
    run.save(tmp_path / "run.h5")
    with h5py.File(tmp_path / "run.h5") as file:
        assert file["levels/spike/time"][-1] == 75.0
        assert file["report/inputs_to_neuron/data"].shape == (4, N_POST * N_PRE)
        assert file["report/inputs_to_neuron/mapping/time"][:].tolist() == [0, 80_000, 20_000]


def test_spikes_are_those_of_the_first_level_that_gives_any(tmp_path):
    with RunFile.create(tmp_path / "run.h5", seeds=[1], projection="a_to_b") as file:
        for level in ("spike", "surrogate"):
            file.start_level(level, [1], 1, 2, 10.0)
            file.append(level, 0.0, np.ones((1, 1, 2)), np.ones((1, 1)))
            file.listen("b", (0.0, 10.0))
            file.append_spikes("b", np.array([0.5, 1.5]), np.array([0, 0]))
    runs = read(tmp_path / "run.h5")
    assert len(runs["spike"].spikes["b"]) == 2
    assert runs["surrogate"].spikes == {}


def test_arrays_of_an_experiment(tmp_path):
    fields = np.arange(12.0).reshape(1, 3, 4)
    with RunFile.create(tmp_path / "run.h5", seeds=[1]) as file:
        file.start_level("rate", [1], 1, 2, 10.0)
        file.append("rate", 0.0, np.ones((1, 1, 2)), np.ones((1, 1)))
        file.arrays("receptive_fields", {"field": (("post", "row", "column"), fields)}, channels="on, off")
    np.testing.assert_array_equal(read_arrays(tmp_path / "run.h5", "receptive_fields")["field"], fields)
    assert read_arrays(tmp_path / "run.h5", "nothing") == {}
    assert describe(tmp_path / "run.h5")["receptive_fields"]


def test_describe_tells_how_complete_a_level_is(tmp_path):
    file = RunFile.create(tmp_path / "run.h5", seeds=[3, 4], groups=GROUPS)
    file.start_level("spike", [3, 4], 1, 4, 10.0, duration=20.0)
    for t in (0.0, 10.0):
        file.append("spike", t, np.ones((2, 1, 4)), np.ones((2, 1)))
    file.close(complete=False)
    about = describe(tmp_path / "run.h5")
    assert about["complete"] == 0
    level = about["levels"]["spike"]
    assert (level["records"], level["time"], level["duration"], level["complete"]) == (2, 10.0, 20.0, False)
    assert about["groups"] == {"constant": 2, "modulated": 2}
    assert about["seeds"] == [3, 4]


WRITER = """
import sys, time
import numpy as np
from hebbscope.simulator.runfile import RunFile
file = RunFile.create(sys.argv[1], seeds=[1, 2], projection="a_to_b", groups=["x"] * 50)
file.start_level("spike", [1, 2], 1, 50, 200.0, duration=1e9)
file.listen("b", (0.0, 1e9))
for k in range(10**6):
    t = k * 200.0
    file.append_spikes("b", np.linspace(t, t + 199, 20), np.zeros(20))
    file.append("spike", t, np.full((2, 1, 50), float(k)), np.full((2, 1), float(k)))
    print(k, flush=True)
    time.sleep(0.03)
"""


def test_a_killed_run_loses_at_most_its_last_interval(tmp_path):
    path = tmp_path / "killed.h5"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    for line in writer.stdout:
        if int(line) == 20:
            while_it_grows = read(path)["spike"]
        if int(line) == 40:
            writer.send_signal(signal.SIGKILL)
            break
    last = max([40, *(int(line) for line in writer.stdout)])
    writer.wait()
    assert while_it_grows.n_times >= 20
    run = read(path)["spike"]
    assert run.n_times >= last
    np.testing.assert_array_equal(run.weights[:, :, 0, 0], [np.arange(run.n_times)] * 2)
    assert len(run.spikes["b"]) >= 20 * (last - 1)
    assert describe(path)["complete"] == 0
    assert len(libsonata.SpikeReader(str(path))["b"].get()) >= 20 * (last - 1)


def test_a_failed_run_keeps_its_records_and_an_empty_one_leaves_nothing(tmp_path):
    def failing(path, records):
        with RunFile.create(path, seeds=[1]) as file:
            file.start_level("spike", [1], 1, 2, 10.0)
            for k in range(records):
                file.append("spike", 10.0 * k, np.ones((1, 1, 2)), np.ones((1, 1)))
            raise RuntimeError("stopped")

    for records in (0, 3):
        with pytest.raises(RuntimeError, match="stopped"):
            failing(tmp_path / f"{records}.h5", records)
    assert not (tmp_path / "0.h5").exists()
    assert read(tmp_path / "3.h5")["spike"].n_times == 3
    assert describe(tmp_path / "3.h5")["complete"] == 0


def test_a_full_disk_keeps_what_was_recorded(tmp_path, monkeypatch):
    def fill():
        with RunFile.create(tmp_path / "run.h5", seeds=[1]) as file:
            file.start_level("spike", [1], 1, 2, 10.0)
            for k in range(10):
                if k == 4:
                    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1000))
                file.append("spike", 10.0 * k, np.ones((1, 1, 2)), np.ones((1, 1)))

    with pytest.raises(HebbscopeError, match=r"the disk is full, .* what was recorded until now is kept"):
        fill()
    assert read(tmp_path / "run.h5")["spike"].n_times == 4


def test_an_existing_file_is_replaced_only_by_force(tmp_path):
    path = tmp_path / "run.h5"
    path.write_text("precious")
    with pytest.raises(HebbscopeError, match="already there"):
        a_run().save(path)
    assert path.read_text() == "precious"
    a_run().save(path, force=True)
    assert_same(read(path)["spike"], a_run())


@pytest.mark.parametrize("where", ["", "missing/run.h5", "/proc/run.h5", "/dev/null"])
def test_a_path_that_cannot_be_written_is_one_line(tmp_path, where):
    before = list(tmp_path.iterdir())
    with pytest.raises(HebbscopeError) as error:
        a_run().save(tmp_path / where, force=True)
    assert "\n" not in str(error.value)
    assert str(tmp_path / where) in str(error.value)
    assert list(tmp_path.iterdir()) == before


def a_truncated_file(path, part):
    write(path, a_run(), a_rate_run())
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])


def a_foreign_file(path):
    with h5py.File(path, "w") as file:
        file["x"] = 1


SPOILED = {
    "text": lambda path: path.write_text("spikes = 12\n"),
    "empty": lambda path: path.write_bytes(b""),
    "foreign": a_foreign_file,
    "a folder": lambda path: path.mkdir(),
    "missing": lambda path: None,
    **{
        f"cut at {part}": (lambda path, part=part: a_truncated_file(path, part))
        for part in (0.001, 0.1, 0.5, 0.9, 0.999)
    },
}


@pytest.mark.parametrize("reader", [read, describe, lambda path: read_arrays(path, "theory")])
@pytest.mark.parametrize("kind", SPOILED)
def test_a_spoiled_file_is_one_line(tmp_path, kind, reader):
    path = tmp_path / "spoiled.h5"
    SPOILED[kind](path)
    with pytest.raises(HebbscopeError) as error:
        reader(path)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(str(path))


def test_bytes_overwritten_anywhere_give_a_run_or_one_line(tmp_path):
    path = tmp_path / "run.h5"
    a_run().save(path)
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(3)
    for start in rng.integers(0, len(data), 60):
        spoiled = data.copy()
        spoiled[start : start + 64] = rng.bytes(len(spoiled[start : start + 64]))
        path.write_bytes(spoiled)
        try:
            read(path)
        except HebbscopeError as error:
            assert "\n" not in str(error)


def test_text_of_others_is_text_however_it_looks(path):
    """Braces nested too deeply for any decoder, where an attribute is not hebbscope's own; the versions are, and are decoded."""
    nested = 20_000 * '{"a":'
    with h5py.File(path, "r+") as file:
        file.attrs["note"] = file["report/inputs_to_neuron"].attrs["note"] = nested
    assert describe(path)["note"] == next(iter(read(path).values())).attrs["note"] == nested
    with h5py.File(path, "r+") as file:
        file.attrs["versions"] = nested
    with pytest.raises(HebbscopeError, match="damaged, cannot be read as a run file"):
        read(path)


@pytest.mark.parametrize("config", [1.0, np.ones((2, 2)), h5py.Empty("f8")], ids=["number", "array", "nothing"])
def test_a_description_that_is_no_text_is_damage(config, path):
    with h5py.File(path, "r+") as file:
        file.attrs["config"] = config
    with pytest.raises(HebbscopeError, match=r"damaged, cannot be read as a run file \(config is not text\)"):
        read(path)


def test_records_are_cheap_to_write(tmp_path):
    weights, rate = np.ones((16, 1, 50)), np.ones((16, 1))
    with RunFile.create(tmp_path / "run.h5", seeds=range(16), groups=("x",) * 50) as file:
        file.start_level("spike", range(16), 1, 50, 200.0)
        begin = time.process_time()
        for k in range(200):
            file.append("spike", 200.0 * k, weights, rate)
        each = (time.process_time() - begin) / 200
    assert each < 0.01


def test_a_file_caught_between_two_writes_is_tried_again(tmp_path, monkeypatch):
    from hebbscope.simulator import runreader

    path = tmp_path / "growing.h5"
    path.write_bytes(b"")
    seen = []

    def reader(path):
        seen.append(path)
        if len(seen) < 3:
            raise HebbscopeError("between two writes")
        return "whole"

    assert runreader.patient(reader)(path) == "whole" and len(seen) == 3
    os.utime(path, (0, 0))  # nobody writes there any more
    seen.clear()
    with pytest.raises(HebbscopeError, match="between two writes"):
        runreader.patient(reader)(path)
    assert len(seen) == 1


def test_every_number_of_theory_says_its_unit(tmp_path):
    inputs, neuron = Population("inputs", 3, HomogeneousPoisson()), Population("neuron", 1, LinearPoisson())
    network = Network([inputs, neuron], [Projection(inputs, neuron, 0.1, Triplet(eta=1e-3))])
    with RunFile.create(tmp_path / "run.h5", network=network, seeds=(1,)) as file:
        simulate(network, 10.0, level="rate", file=file)
    with h5py.File(tmp_path / "run.h5") as file:
        units = {name: file["theory/coefficients"][name].attrs["units"] for name in file["theory/coefficients"]}
        assert units == {"bcm_gain": "s", "theta": "Hz", "mean_rate": "Hz"}
        assert file["theory/predictions/output_rate_at_rest"].attrs["units"] == "Hz"
        assert file["theory/weights_without_causal"].attrs["units"] == "1"
