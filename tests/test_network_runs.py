"""Files that describe any network, at the shell: run, stopped and resumed, looked at, exported; and bad ones refused in one line."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from hebbscope.cli import main
from hebbscope.simulator.runfile import describe, read

FILE = """
experiment = "network"
label = "two-loops"
duration = "0.4 s"
record_every = "0.1 s"

[populations.inputs]
n = 12
model = {type = "HomogeneousPoisson", rate = "60 Hz"}

[populations.exc]
n = 16
model = {type = "LIF"}

[populations.inh]
n = 4
model = {type = "LIF"}

[projections.forward]
source = "inputs"
target = "exc"
weights = 8e-3
rule = {type = "PairSTDP", A_plus = 4e-4, A_minus = 4.2e-4, w_min = 0.0, w_max = 0.012}
connectivity = {type = "Pairwise", probability = 0.7}

[projections.loop]
source = "exc"
target = "exc"
weights = 1e-3
delay = "2 ms"
rule = {type = "PairSTDP", A_plus = 4e-4, A_minus = 4.2e-4, w_min = 0.0, w_max = 0.008}

[projections.ei]
source = "exc"
target = "inh"
weights = 4e-3
delay = "1 ms"

[projections.ie]
source = "inh"
target = "exc"
weights = 2e-3
receptor = "inhibitory"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.toml").write_text(FILE)
    return tmp_path


def shell(*args, code=0):
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    return result


def refused(*args):
    result = shell(*args, code=2)
    assert result.stdout == "" and result.stderr.count("\n") == 1 and result.stderr.startswith("hebbscope: ")
    return result.stderr


def test_a_network_runs_and_is_reported(folder):
    said = shell("run", "net.toml").stdout
    assert "spike level, 0.4 s, 1 seed" in said and "near w_max" in said
    for name in ("inputs", "exc", "inh", "forward", "loop"):
        assert f"\n  {name} " in said
    assert (folder / "net.png").stat().st_size > 5_000
    run = read("net.h5")["spike"]
    assert run.n_times == 5 and list(run.final) == ["forward", "loop"]
    about = shell("info", "net.h5").stdout
    assert ["populations", "inputs 12, exc 16, inh 4"] in [line.split(maxsplit=1) for line in about.splitlines()]
    assert "clock engine in steps of 0.0001 s" in about
    for what in ("raster", "weights"):
        shell("plot", "net.h5", what)
    shell("export", "net.h5", "--to", "csv")
    assert "average weight" in shell("compare", "net.h5").stdout


def test_the_report_as_json(folder):
    said = json.loads(shell("run", "net.toml", "--json", "--no-figure", "--seeds", "1:2").stdout)
    spike = said["activity"]["spike"]
    assert spike["populations"]["inputs"]["rate"] == pytest.approx(60.0, abs=5 * np.sqrt(60 / (12 * 0.4)))
    assert 0 < spike["weights"]["forward"]["mean"]["mean"] < 0.012


def test_engine_and_step_are_options(folder):
    shell("run", "net.toml", "--dt", "0.2 ms", "--engine", "clock", "--no-figure", "--quiet")
    assert describe("net.h5")["levels"]["spike"]["dt"] == 2e-4


def test_any_experiment_takes_engine_and_step(folder):
    """kempter1999 in steps is compared as always; what ran stands in its file, and again in that of a run of its description."""
    short = ("--duration", 2, "--set", "record_every=1", "--seeds", 1, "--no-figure")
    said = shell("run", "kempter1999", "--engine", "clock", "--dt", "0.1ms", "--level", "spike,rate", *short).stdout
    assert "average weight" in said and "CV of intervals" not in said
    about = describe("kempter1999.h5")
    assert (about["levels"]["spike"]["engine"], about["levels"]["spike"]["dt"]) == ("clock", 1e-4)
    (folder / "again.toml").write_text(about["config"])
    shell("run", "again.toml", "--level", "spike", "--seeds", 1, "--no-figure", "--quiet")
    assert (read("again.h5")["spike"].weights == read("kempter1999.h5")["spike"].weights).all()
    assert "must be one, from an input to a population of neurons" in refused(
        "run", "song2000", "--engine", "event", *short
    )
    assert "must be < KempterWindow.tau_plus" in refused(
        "run", "kempter1999", "--engine", "clock", "--dt", "2ms", *short, "--out", "x.h5"
    )


LAYER = """
experiment = "network"
duration = "4 s"
[populations.inputs]
n = 10
model = {type = "HomogeneousPoisson", rate = "20 Hz"}
[populations.cell]
model = "LinearPoisson"
[projections.forward]
source = "inputs"
target = "cell"
weights = 0.1
rule = {type = "SpikeHebb", eta = 1e-4}
"""


def test_a_layer_in_the_exact_engine_is_reported_as_a_network(folder):
    (folder / "layer.toml").write_text(LAYER)
    said = shell("run", "layer.toml").stdout
    assert "CV of intervals" in said and "average weight" not in said
    assert describe("layer.h5")["levels"]["spike"]["engine"] == "event"
    said = shell("run", "layer.toml", "--level", "spike,rate", "--force").stdout
    assert "CV of intervals" in said and "average weight" in said
    assert set(json.loads(shell("run", "layer.toml", "--force", "--json").stdout)) >= {"activity"}


def test_the_window_of_a_network_is_that_of_the_projection_that_is_recorded(folder):
    (folder / "layer.toml").write_text(LAYER)
    shell("run", "layer.toml", "--quiet", "--no-figure")
    shell("plot", "layer.h5", "window")
    assert (folder / "layer-window.png").stat().st_size > 5_000
    triplet = ("--set", "projections.forward.rule=Triplet")
    shell("run", "net.toml", "--quiet", "--no-figure", "--duration", "0.1 s", *triplet)
    assert "net.h5: the rule of forward, Triplet, has no learning window" in refused("plot", "net.h5", "window")


@pytest.mark.parametrize(
    "args, words",
    [
        (["--engine", "sundial"], "engine: must be 'auto', 'event' or 'clock', got 'sundial'"),
        (
            ["--engine", "event"],
            "projections: must be one, from an input to a population of neurons, for the exact engine and the learning equation",
        ),
        (["--dt", "30 ms"], "simulate.dt: must be < LIF.tau_m"),
        (["--dt", "0.3 ms"], "simulate.duration: must be a multiple of dt = 0.0003 s"),
        (["--dt", "10 ns"], ".delay: must be at most 65,536 steps of dt = 1e-08 s"),
        (["--dt", "1e-300 s"], ".delay: must be at most 65,536 steps"),
        (["--set", "record_every=0.00015"], "simulate.record_every: must be a multiple of dt"),
        (["--level", "rate"], "Projection loop.connectivity: must join no cell to itself where the synapses learn"),
        (
            ["--level", "rate", "--set", "populations.inh.model=Izhikevich", "--set", "projections.ei.weights=5"],
            "simulate.level: must be spike or surrogate",
        ),
        (["--level", "surrogate"], "no independent copy of the neurons' spikes in loop"),
        (["--set", "projections.ei.delay=0.01 ms"], "Projection ei.delay: must be 0 or at least half of dt"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_written(folder, args, words):
    assert words in refused("run", "net.toml", *args)
    assert sorted(file.name for file in folder.iterdir()) == ["net.toml"]


def test_reduce_wants_cells_that_do_not_teach_themselves(folder):
    words = (
        "Projection loop.connectivity: must join no cell to itself where the synapses learn, for the learning equation"
    )
    assert words in refused("reduce", "net.toml")


def test_a_stopped_run_is_resumed_to_the_same_bits(folder):
    shell("run", "net.toml", "--out", "whole.h5", "--quiet", "--no-figure")
    program = """
import sys
from hebbscope import cli
class Progress(cli.Progress):
    def at(self, t):
        if t > 0.15:
            raise KeyboardInterrupt
cli.Progress = Progress
cli.main(["run", "net.toml", "--quiet", "--no-figure"])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 130 and "hebbscope resume" in done.stderr
    shell("resume", "net.h5", "--quiet", "--no-figure", "--threads", 2)
    one, other = read("net.h5")["spike"], read("whole.h5")["spike"]
    assert describe("net.h5")["complete"] and (one.weights == other.weights).all()
    assert (one.final["loop"] == other.final["loop"]).all()
    assert all((one.spikes[name].t == other.spikes[name].t).all() for name in ("inputs", "exc", "inh"))
