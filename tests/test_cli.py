"""The shell door: what each command prints and writes, and that every mistake is one line, exit code 2, and nothing written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from faults import differences
from small_networks import recurrent

from hebbscope import Network, Population, Projection
from hebbscope.cli import main
from hebbscope.models import LIF, HomogeneousPoisson
from hebbscope.models.experiments import from_network, loads, to_toml
from hebbscope.rules import PairSTDP, Triplet
from hebbscope.simulator.runfile import describe

SHORT = ("--duration", "4", "--set", "record_every=2", "--seeds", "1:2")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shell(*args):
    return CliRunner().invoke(main, [str(arg) for arg in args])


def done(*args):
    result = shell(*args)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def refused(*args, code=2):
    """The one line that a refusal prints."""
    result = shell(*args)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("hebbscope: "), result.stderr
    return result.stderr


def process(*args, **more):
    return subprocess.Popen(
        [sys.executable, "-m", "hebbscope.cli", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


@pytest.fixture(scope="module")
def run_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("run") / "short.h5"
    done("run", "kempter1999", *SHORT, "--out", file, "--quiet")
    return file


# What the commands do -----------------------------------------------------------------------------------------------


def test_list_has_one_line_an_experiment():
    lines = done("list").splitlines()
    names = [
        "kempter1999",
        "natural_images",
        "clopath2010",
        "song2000",
        "song2000_brian2",
        "brunel2000_stdp",
        "vogels2011",
        "network",
    ]
    assert [line.split()[0] for line in lines] == names
    assert list(json.loads(done("list", "--json"))["experiments"]) == names


def test_show_has_units_and_sources():
    text = done("show", "kempter1999", "--set", "neuron.tau=5ms")
    assert "neuron.tau             5 ms" in text
    assert "inputs.rate            10 Hz" in text
    assert "PRE 59:4498" in text


def test_shown_toml_runs_as_it_is(folder):
    (folder / "mine.toml").write_text(done("show", "kempter1999", "--toml", "--set", "rule.window=DoubleExponential"))
    assert done("show", "mine.toml", "--toml") == (folder / "mine.toml").read_text()
    done("run", "mine.toml", *SHORT, "--level", "spike", "--quiet")
    assert sorted(path.name for path in folder.iterdir()) == ["mine.h5", "mine.png", "mine.toml"]


def test_run_writes_file_and_figure_and_prints_the_comparison(folder):
    text = done("run", "kempter1999", *SHORT)
    assert sorted(path.name for path in folder.iterdir()) == ["kempter1999.h5", "kempter1999.png"]
    for word in ("spike", "surrogate", "separation", "output rate", "kempter1999.h5"):
        assert word in text


def test_run_json_is_one_object_and_nothing_else():
    result = json.loads(done("run", "kempter1999", *SHORT, "--json", "--no-figure", "--out", "a.h5"))
    assert result["experiment"] == "kempter1999"
    assert result["levels"] == ["spike", "surrogate", "rate"]
    assert result["seeds"] == [1, 2]
    assert result["figure"] is None
    assert result["comparison"]["table"]


def test_quiet_prints_nothing():
    assert done("run", "kempter1999", *SHORT, "--level", "rate", "--quiet", "--no-figure") == ""


def test_the_run_file_holds_the_description_it_ran(run_file):
    from hebbscope.models.experiments import load
    from hebbscope.simulator.runfile import read

    runs = read(run_file)
    assert list(runs) == ["spike", "surrogate", "rate"]
    config = run_file.with_name("config.toml")
    config.write_text(runs["spike"].attrs["config"])
    expected = load("kempter1999", [("duration", 4), ("record_every", 2), ("seeds", "1:2")])
    assert load(str(config)).items() == expected.items()


def test_same_command_same_bits(run_file, folder):
    from hebbscope.simulator.runfile import read

    done("run", "kempter1999", *SHORT, "--threads", 1, "--quiet", "--no-figure", "--level", "surrogate,spike")
    again, first = read(folder / "kempter1999.h5"), read(run_file)
    for level in ("spike", "surrogate"):
        np.testing.assert_array_equal(again[level].weights, first[level].weights)


def test_reduce():
    table = json.loads(done("reduce", "kempter1999", "--json"))
    assert table["coefficients"]["k3"] == pytest.approx(7.037e-5, rel=1e-3)
    assert table["predictions"]["tau_mean"] == pytest.approx(203.2, rel=1e-3)
    slower = json.loads(
        done("reduce", "kempter1999", "--set", "neuron.tau=5ms", "--set", "inputs.frequency=10Hz", "--json")
    )
    assert slower["coefficients"]["k3"] == pytest.approx(1.1875e-4, rel=1e-3)
    assert done("reduce", "kempter1999").count("\n") > 5


def test_reduce_with_a_measurement():
    how = ("--measure", "20 s", "--seeds", "1:2")
    table = json.loads(done("reduce", "kempter1999", *how, "--json"))
    assert [row["group"] for row in table["measured"]["rows"]] == ["constant", "modulated"] and "k3" in table[
        "coefficients"
    ]
    assert all(
        abs(row["drift"] - row["formula"]) == pytest.approx(abs(row["z"]) * row["error"])
        for row in table["measured"]["rows"]
    )
    assert "2 seeds of 20 s" in done("reduce", "kempter1999", *how)


def test_reduce_of_neurons_with_reset_says_that_it_is_approximate(folder):
    inputs, cells = Population("inputs", 20, HomogeneousPoisson(20.0)), Population("cells", 2, LIF())
    network = Network([inputs, cells], [Projection(inputs, cells, 1e-4, PairSTDP(w_max=1e-3, eta=1e-6))])
    (folder / "layer.toml").write_text(to_toml(from_network(network, duration=10.0)))
    words, table = "diffusion f-I curve and linear response", json.loads(done("reduce", "layer.toml", "--json"))
    assert table["approximate"] == words and "weight_at_rest" in table["predictions"]
    measured = done("reduce", "layer.toml", "--measure", "0.5 s", "--seeds", "1,2")
    assert measured.count(words) == 2 and "PairEquation of 20 synapses onto LIF" in measured


def test_reduce_of_what_has_no_equation(folder):
    """A network of neurons with reset that drive each other, by a rule whose drift nothing says but spikes."""
    network = recurrent()
    first = next(each for each in network.projections if each is network.recorded)
    learns = replace(first, rule=Triplet(w_max=8e-3))
    projections = [learns if each is first else each for each in network.projections]
    (folder / "net.toml").write_text(to_toml(from_network(replace(network, projections=projections))))
    assert "Triplet: has no learning equation of a whole network" in refused("reduce", "net.toml")
    table = json.loads(done("reduce", "net.toml", "--measure", "0.5 s", "--seeds", "1,2", "--json"))
    assert "coefficients" not in table and [row["group"] for row in table["measured"]["rows"]] == [
        "left",
        "right",
        "exc",
    ]
    assert all(row["formula"] is None and row["error"] > 0.0 for row in table["measured"]["rows"])


def test_compare(run_file):
    assert "separation" in done("compare", run_file, "--figure", "levels.pdf")
    result = json.loads(done("compare", run_file, "--json"))
    assert {row["level"] for row in result["comparison"]["table"]} >= {"spike", "surrogate", "rate"}
    assert "already there" in refused("compare", run_file, "--figure", "levels.pdf")
    done("compare", run_file, "--figure", "levels.pdf", "--force")


def test_info(run_file):
    assert "Run at surrogate level" in done("info", run_file)
    about = json.loads(done("info", run_file, "--json"))
    assert about["levels"]["spike"]["records"] == 3
    assert about["complete"]


@pytest.mark.parametrize("what", ["weights", "window", "raster", "correlations"])
def test_plot(run_file, folder, what):
    drawn = run_file.with_name(f"short-{what}.png")
    assert str(drawn) in done("plot", run_file, what)
    assert drawn.stat().st_size > 5000
    assert "already there" in refused("plot", run_file, what)
    done("plot", run_file, what, "--out", "x.svg")
    assert "<svg" in (folder / "x.svg").read_text()


def test_the_raster_is_of_the_first_level_that_has_spikes(run_file, folder):
    from hebbscope.simulator.runfile import read, write

    runs = read(run_file)
    runs["surrogate"].spikes, runs["spike"].spikes = runs["spike"].spikes, {}
    write("moved.h5", runs["spike"], runs["surrogate"])
    done("plot", "moved.h5", "raster")


@pytest.mark.parametrize(
    ("levels", "kept"), [("surrogate", "surrogate"), ("surrogate,spike", "spike"), ("rate,surrogate", "surrogate")]
)
def test_the_file_keeps_the_spikes_of_one_level(levels, kept, folder):
    done("run", "kempter1999", *SHORT, "--level", levels, "--quiet", "--no-figure", "--out", "a.h5")
    spikes = json.loads(done("info", "a.h5", "--json"))["spikes"]
    assert {name: about["level"] for name, about in spikes.items()} == {"inputs": kept, "neuron": kept}
    assert all(about["count"] for about in spikes.values())
    done("plot", "a.h5", "raster")


def test_the_window_of_a_run_without_description(run_file, folder):
    from hebbscope.simulator.runfile import read

    run = read(run_file)["spike"]
    run.attrs.pop("config")
    run.save("saved.h5")
    assert "saved.h5: holds no description of its rule" in refused("plot", "saved.h5", "window")


def test_receptive_fields_of_a_network_that_has_none(run_file, folder):
    assert "receptive" in refused("plot", run_file, "receptive-fields", "--out", "x.png")
    assert not list(folder.iterdir())


def test_help_and_version():
    assert "kempter" not in done()
    assert "run" in done("--help")
    assert done("--version").startswith("hebbscope ")
    for command in ("list", "show", "run", "reduce", "compare", "plot", "info"):
        assert "Usage" in done(command, "--help")


def test_what_was_run_is_in_the_description_of_the_file(folder):
    """Its seeds and levels, too: the TOML of a run file is the same run again, resumed or not."""
    asked = ("--seeds", "3:5,9", "--level", "rate,spike", "--duration", "400", "--set", "record_every=200")
    done("run", "kempter1999", *asked, "--quiet", "--no-figure", "--out", "one.h5")
    with h5py.File("one.h5") as file:
        (folder / "again.toml").write_text(file.attrs["config"])
    assert 'levels = "rate,spike"\nseeds = "3:5,9"\n' in (folder / "again.toml").read_text()
    done("run", "again.toml", "--quiet", "--no-figure", "--out", "two.h5")
    with h5py.File("one.h5") as one, h5py.File("two.h5") as two:
        assert differences(one, two) == []
        assert one.attrs["seeds"].tolist() == [3, 4, 5, 9] and set(one["levels"]) == {"spike", "rate"}


# Mistakes -----------------------------------------------------------------------------------------------------------

BAD_ARGUMENTS = [
    (["run", "kempter199"], "did you mean kempter1999"),
    (["run", "nothing.toml"], "nothing.toml"),
    (["run", "kempter1999", "--set", "rule.etaa=1"], "rule.etaa: unknown key; did you mean rule.eta?"),
    (["run", "kempter1999", "--set", "rule.eta=5ms"], "rule.eta: must be a plain number without a unit, got '5ms'"),
    (["run", "kempter1999", "--set", "rule.eta"], "'rule.eta' is not KEY=VALUE"),
    (["show", "kempter1999", "--set", "rule.et\udcff=1"], "'rule.et\\udcff=1' is not UTF-8 text"),
    (["run", "kempter1999", "--set", "neuron.tau=-5ms"], "neuron.tau: must be > 0 s"),
    (["run", "kempter1999", "--set", "neuron.tau=nan"], "neuron.tau: must be finite"),
    (["run", "kempter1999", "--set", "inputs.rate=inf"], "inputs.rate: must be finite"),
    (["run", "kempter1999", "--set", "inputs.rate=-3 Hz"], "inputs.rate: must be >= 0 Hz"),
    (["run", "kempter1999", "--set", "inputs.amplitude=11 Hz"], "inputs.amplitude: must not exceed the rate"),
    (["run", "kempter1999", "--set", "rule.w_min=1", "--set", "rule.w_max=0"], "rule.w_max: must be > w_min"),
    (["run", "kempter1999", "--set", "rule.w_min=0.1"], "weights.initial: must be in [rule.w_min, rule.w_max] = [0.1, inf], got 0.02"),
    (["run", "kempter1999", "--set", "rule.w_max=0"], "weights.initial: must be in [rule.w_min, rule.w_max] = [-inf, 0], got 0.02"),
    (["run", "kempter1999", "--set", "rule.window=Windw"], "rule.window: no part is called 'Windw'"),
    (["run", "kempter1999", "--set", "inputs=CommonSource", "--set", "inputs.c=1.5"], "inputs.c: must be in [0, 1]"),
    (["run", "kempter1999", "--set", "inputs=CommonSourcePoisson"], "did you mean CommonSource?"),
    (["run", "kempter1999", "--set", "inputs=Recorded"], "inputs.file: must be the path"),
    (["show", "kempter1999", "--set", "inputs.n_modulated=1e9"], "inputs.n_modulated: must be at most 1,000,000 trains, got 1000000000"),
    (["show", "kempter1999", "--set", "inputs=Homogeneous", "--set", "inputs.n=1e18"], "inputs.n: must be at most 1,000,000 trains"),
    (["run", "kempter1999", "--duration", "0"], "duration: must be finite and > 0 s, got 0"),
    (["run", "kempter1999", "--duration", "5 Hz"], "duration: must be in s"),
    (["run", "kempter1999", "--duration", "1e300"], "record_every: makes more than"),
    (["run", "kempter1999", "--seeds", "x"], "seeds: must be whole numbers or START:STOP"),
    (["run", "kempter1999", "--seeds", "4:1"], "seeds: must rise from 0 or more"),
    (["run", "kempter1999", "--seeds", "1,1"], "seeds: must name no seed twice, got '1,1'"),
    (["run", "kempter1999", "--seeds", "-3"], "seeds: must rise from 0 or more"),
    (["run", "kempter1999", "--seeds", "1:999999999999"], "at most"),
    (["run", "kempter1999", "--seeds", "99999999999999999999"], "at most"),
    (["run", "kempter1999", "--set", "rule.type.eta=3"], "rule: no part is called {'eta': '3'}"),
    (["run", "kempter1999", "--level", "spikes"], "levels: must be any of spike, surrogate, rate, got 'spikes'"),
    (["run", "kempter1999", "--level", "rate,rate"], "levels: must name no level twice"),
    (["run", "kempter1999", "--threads", "0"], "--threads"),
    (["run", "kempter1999", "--out", "."], ".: is a folder"),
    (["run", "kempter1999", "--out", ""], "must not be empty"),
    (["run", "kempter1999", "--out", "no/where.h5"], "there is no folder no"),
    (["run", "kempter1999", "--figure", "figure.txt"], "must end in .png"),
    (["run", "kempter1999", "--figure", "no/where.png"], "there is no folder no"),
    (["run", "kempter1999", "--out", "a.png", "--figure", "a.png"], "both the run file and the figure"),
    (["run"], "Missing argument"),
    (["run", "kempter1999", "--frobnicate"], "No such option"),
    (["rnu", "kempter1999"], "No such command 'rnu'"),
    (["show", "kempter"], "did you mean kempter1999"),
    (["reduce", "kempter1999", "--set", "neuron.tau=5 Hz"], "neuron.tau: must be in s"),
    (["reduce", "kempter1999", "--measure", "5 Hz"], "--measure: must be in s"),
    (["reduce", "kempter1999", "--measure", "5 s", "--seeds", "3"], "seeds: must be at least two"),
    (["reduce", "kempter1999", "--seeds", "1:3"], "--seeds: are those of --measure"),
    (["compare", "missing.h5"], "missing.h5: there is no such file"),
    (["info", "."], ".: is a folder"),
    (["plot", "missing.h5", "weights"], "missing.h5: there is no such file"),
    (["plot", "missing.h5", "weigths"], "weigths"),
    (["run", "natural_images", "--set", "inputs.images=nowhere"], "nowhere"),
    (["run", "natural_images", "--set", "inputs.images="], "inputs.images: must be photographs or a path"),
    (["run", "natural_images", "--set", "inputs.control=upside-down"], "inputs.control: must be"),
    (["show", "natural_images", "--set", "inputs.whitening.window=1e18"], "inputs.whitening.window: must be at most 200 pixels, got 1e+18"),
    (["run", "natural_images", "--set", "inputs.patch=8"], "inputs.whitening.components: must be < 64, the pixels of a patch of 8 x 8, got 70"),
]  # fmt: skip


@pytest.mark.parametrize(("args", "words"), BAD_ARGUMENTS)
def test_bad_arguments_are_one_line_and_write_nothing(args, words, folder):
    assert words in refused(*args)
    assert not list(folder.iterdir())


def test_files_that_are_there_are_kept_without_force(folder):
    (folder / "kempter1999.h5").write_text("precious")
    assert "kempter1999.h5: is already there" in refused("run", "kempter1999", *SHORT)
    assert (folder / "kempter1999.h5").read_text() == "precious"
    (folder / "kempter1999.h5").unlink()
    (folder / "kempter1999.png").write_text("precious")
    assert "kempter1999.png: is already there" in refused("run", "kempter1999", *SHORT)
    assert [path.name for path in folder.iterdir()] == ["kempter1999.png"]
    done("run", "kempter1999", *SHORT, "--level", "spike", "--quiet", "--force")
    assert (folder / "kempter1999.png").stat().st_size > 5000


def test_a_description_is_never_replaced_by_its_run(folder):
    text = done("show", "kempter1999", "--toml")
    (folder / "mine.toml").write_text(text)
    words = "mine.toml: is no run file, which alone --force replaces"
    assert words in refused("run", "mine.toml", *SHORT, "--out", "mine.toml", "--force")
    assert [path.name for path in folder.iterdir()] == ["mine.toml"] and (folder / "mine.toml").read_text() == text


def test_a_folder_that_refuses(folder, monkeypatch):
    def refuse(**kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert "a.h5: cannot be written (Permission denied)" in refused("run", "kempter1999", "--out", "a.h5")
    assert not list(folder.iterdir())


def test_toml_with_a_typo_names_line_and_key(folder):
    (folder / "mine.toml").write_text('experiment = "kempter1999"\n\n[rule]\netaa = 1\n')
    assert "mine.toml line 4: rule.etaa: unknown key; did you mean rule.eta?" in refused("run", "mine.toml")
    assert [path.name for path in folder.iterdir()] == ["mine.toml"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[wieghts]", "line 3: wieghts: unknown key; did you mean weights?"),
        ("[rule.windw]", "line 3: rule.windw: unknown key; did you mean rule.window?"),
        ("[rule]\nwindw = {}", "line 4: rule.windw: unknown key; did you mean rule.window?"),
        ("[rule.eta]", "line 3: rule.eta: is a single value"),
        ("[rule.type]", "line 3: rule: no part is called {}"),
    ],
)
def test_toml_with_an_empty_table_that_means_nothing(text, words, folder):
    (folder / "mine.toml").write_text(f'experiment = "kempter1999"\n\n{text}\n')
    assert f"mine.toml {words}" in refused("run", "mine.toml")


def test_toml_with_an_empty_table_of_a_part(folder):
    (folder / "mine.toml").write_text('experiment = "kempter1999"\n\n[rule]\n\n[rule.window]\n')
    assert done("show", "mine.toml") == done("show", "kempter1999")


@pytest.mark.parametrize("text", ["rule = [1]", "[[rule]]\neta = 1", '[rule]\ntype = ["SpikeHebb"]'])
def test_toml_with_a_list_for_a_part(text, folder):
    (folder / "mine.toml").write_text(f'experiment = "kempter1999"\n{text}\n')
    assert "mine.toml line " in refused("run", "mine.toml")


def test_info_says_nothing_of_a_file_that_it_cannot_read_to_the_end(run_file, folder):
    import shutil

    import h5py

    shutil.copy(run_file, "damaged.h5")
    with h5py.File("damaged.h5", "r+") as file:
        del file["levels/spike/seed"]
    assert "damaged.h5: damaged" in refused("info", "damaged.h5")


@pytest.mark.parametrize("command", [["compare"], ["info"], ["plot", "weights"]])
def test_files_that_are_no_run_files(command, run_file, folder):
    import h5py

    (folder / "text.h5").write_text("not HDF5")
    (folder / "empty.h5").write_text("")
    whole = run_file.read_bytes()
    (folder / "cut.h5").write_bytes(whole[: len(whole) // 2])
    with h5py.File(folder / "foreign.h5", "w") as file:
        file["data"] = 1
    for name in ("text.h5", "empty.h5", "cut.h5", "foreign.h5"):
        assert name in refused(command[0], name, *command[1:])
    assert len(list(folder.iterdir())) == 4


@pytest.mark.parametrize(
    ("times", "words"), [([0.2, 0.1], "times must be in order"), ([-0.2, 0.1], "times must be >= 0 s")]
)
def test_spikes_that_are_unsorted_or_negative(times, words, folder):
    np.savez(folder / "spikes.npz", t=times, i=[0, 1])
    recorded = ("--set", "inputs=Recorded", "--set", "inputs.file=spikes.npz")
    assert f"spikes.npz: {words}" in refused("run", "kempter1999", *recorded)
    assert [path.name for path in folder.iterdir()] == ["spikes.npz"]


def test_recorded_spikes_drive_the_levels_that_need_no_copy_of_them(folder):
    times = np.sort(np.random.default_rng(1).uniform(0.0, 2.0, 400))
    np.savez(folder / "spikes.npz", t=times, i=np.arange(400) % 50)
    recorded = ("--set", "inputs=Recorded", "--set", "inputs.file=spikes.npz", *SHORT, "--quiet", "--no-figure")
    assert "as at the levels spike and rate: a recording has no independent copy" in refused(
        "run", "kempter1999", *recorded, "--level", "spike,surrogate"
    )
    fewer = refused("run", "kempter1999", *recorded, "--set", "inputs.n=40", "--level", "spike")
    assert "inputs.n: must be at least 50, the trains in spikes.npz, got 40" in fewer
    once = refused("run", "kempter1999", *recorded, "--set", "inputs.loop=0", "--level", "spike,rate")
    assert "the averaged equation holds while the RecordedSpikes last" in once
    assert [path.name for path in folder.iterdir()] == ["spikes.npz"]  # refused before the first level ran
    done("run", "kempter1999", *recorded, "--set", "inputs.duration=2.5 s")
    whole = str(folder / "spikes.npz")  # to go on from any folder
    assert loads(describe("kempter1999.h5")["config"]).inputs.file == whole
    levels = json.loads(done("info", "kempter1999.h5", "--json"))["levels"]
    assert set(levels) == {"spike", "rate"}  # the levels that there are, where none is asked for


def test_images_smaller_than_the_patch(folder):
    import matplotlib.image

    matplotlib.image.imsave("small.png", np.random.default_rng(1).random((8, 8, 3)))
    assert "small.png" in refused("run", "natural_images", "--set", "inputs.images=small.png")
    assert [path.name for path in folder.iterdir()] == ["small.png"]


def test_a_runaway_stops_with_its_data_kept(folder):
    from hebbscope.simulator.runfile import read

    args = (
        "--set",
        "rule.w_out=50",
        "--set",
        "rule.eta=1e-3",
        "--set",
        "record_every=0.1",
        "--duration",
        "1000",
        "--level",
        "spike",
    )
    assert "ran away" in refused("run", "kempter1999", *args, "--seeds", "1", "--quiet")
    assert read(folder / "kempter1999.h5")["spike"].n_times > 1
    for what in ("weights", "raster"):
        done("plot", "kempter1999.h5", what)
    assert "lacks recorded spikes of inputs" in refused("plot", "kempter1999.h5", "correlations")


def test_a_pipe_is_no_run_file(folder):
    os.mkfifo("pipe")
    assert "pipe: is no plain file" in refused("info", "pipe")
    pictures = ("--set", "inputs.images=pipe", "--level", "rate")
    assert "pipe is neither a file nor a folder" in refused("run", "natural_images", *pictures)


def test_an_error_is_cut_where_it_is_long():
    assert len(refused("show", 5000 * "x")) < 1100


def test_info_of_a_run_that_was_killed_before_its_first_record(run_file, folder):
    import shutil

    import h5py

    shutil.copy(run_file, "empty.h5")
    with h5py.File("empty.h5", "r+") as file:
        del file["theory"]
        for level in file["levels"].values():
            level["time"].resize(0, axis=0)
    assert "complete" in done("info", "empty.h5")
    assert "a run file without a record" in refused("plot", "empty.h5", "weights")


def test_no_mistake_shows_a_traceback(monkeypatch):
    import hebbscope.models.experiments as experiments

    def broken(*args, **kwargs):
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr(experiments, "load", broken)
    assert "internal error" in refused("show", "kempter1999", code=1)


# Real processes -----------------------------------------------------------------------------------------------------


def test_commands_that_do_not_simulate_leave_numba_alone(run_file):
    code = (
        "import sys; from hebbscope.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "assert 'numba' not in sys.modules and 'brian2' not in sys.modules"
    )
    for args in (
        ["list"],
        ["show", "kempter1999"],
        ["reduce", "kempter1999"],
        ["info", run_file],
        ["compare", run_file],
    ):
        subprocess.run([sys.executable, "-c", code, *map(str, args)], check=True, capture_output=True)


def test_a_real_command_and_its_streams(folder):
    with process("reduce", "kempter1999", "--json") as command:
        out, err = command.communicate()
    assert command.returncode == 0
    assert json.loads(out)["experiment"] == "kempter1999"
    assert err == ""
    with process("run", "kempter1999", "--set", "rule.eta=5ms") as command:
        out, err = command.communicate()
    assert (command.returncode, out, err.count("\n")) == (2, "", 1)


def test_a_terminal_with_few_letters(run_file, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    with process("compare", str(run_file), encoding="latin-1") as command:
        out, err = command.communicate()
    assert (command.returncode, err) == (0, "")
    assert "spike ? surrogate" in out


def test_no_standard_output():
    done = subprocess.run(f"{sys.executable} -m hebbscope.cli list >&-", shell=True, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_goes_away():
    command = f"{sys.executable} -m hebbscope.cli show kempter1999 | head -n 1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert result.stderr == ""


def records(file):
    """How many records of the spike level a growing run file has."""
    from hebbscope.simulator.runfile import describe

    levels = describe(file)["levels"] if file.exists() else {}
    return levels["spike"]["records"] if levels else 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_the_user(how, folder):
    from hebbscope.simulator.runfile import read

    args = ("--duration", "10 d", "--seeds", "1", "--level", "spike", "--out", "long.h5", "--set", "record_every=20")
    with process("run", "kempter1999", *args) as command:
        until = time.monotonic() + 60
        while records(folder / "long.h5") < 2 and time.monotonic() < until:
            time.sleep(0.2)
        command.send_signal(how)
        out, err = command.communicate(timeout=60)
    assert command.returncode == 130
    assert out.startswith("file about ") and out.count("\n") == err.count("\n") == 1, err
    assert "stopped" in err
    assert read(folder / "long.h5")["spike"].n_times > 1
    assert not (folder / "long.png").exists()


def test_a_library_that_looks_for_fonts_says_nothing(run_file, folder):
    import logging

    shutil.copy(run_file, folder / "a.h5")
    done("plot", "a.h5", "raster")
    assert not logging.getLogger("matplotlib.font_manager").isEnabledFor(logging.WARNING)
