"""What is said before a run: how much it takes, how long weights need, and what the run cannot show."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from interpreting import interpreted
from test_contract import EVERY
from test_contract import network as network_with

from hebbscope import Network, Population, Projection, Run, reduce, simulate
from hebbscope.analysis import forecast
from hebbscope.cli import main
from hebbscope.models import LIF, FixedInDegree, HomogeneousPoisson, LinearPoisson
from hebbscope.models.experiments.kempter1999 import Kempter1999
from hebbscope.rules import PairSTDP, SpikeHebb
from hebbscope.simulator import records, runreader
from hebbscope.simulator.describe import size
from hebbscope.simulator.estimate import estimate
from hebbscope.simulator.runfile import RunFile, describe, read


@pytest.mark.parametrize("levels", [("spike",), ("spike", "surrogate", "rate"), ("rate",)], ids=",".join)
@pytest.mark.parametrize("n_seeds, n_pre, n_post, n_times", [(1, 50, 1, 2000), (6, 20, 3, 400), (1, 400, 20, 30)])
def test_the_file_is_as_large_as_said(levels, n_seeds, n_pre, n_post, n_times, tmp_path):
    source, target = Population("inputs", n_pre, HomogeneousPoisson(5.0)), Population("neuron", n_post, LinearPoisson())
    network = Network([source, target], [Projection(source, target, 1.0 / n_pre, SpikeHebb(eta=1e-9))])
    duration = n_times - 1.0
    listened = {"inputs": (duration - 2.0, duration), "neuron": (0.0, duration)}
    said = estimate(network, levels, n_seeds, n_times, {"inputs": 2.0, "neuron": duration})
    with RunFile.create(tmp_path / "run.h5", network=network, seeds=range(n_seeds), levels=levels) as file:
        for k, level in enumerate(levels):
            heard = listened if k == 0 else {}
            simulate(
                network, duration, level=level, seeds=range(n_seeds), record_every=1.0, record_spikes=heard, file=file
            )
    assert os.path.getsize(tmp_path / "run.h5") == pytest.approx(said.file, rel=0.1, abs=150_000)


def test_the_file_is_as_large_as_said_with_the_final_weights_of_all_that_learn(tmp_path):
    inputs, cells = Population("inputs", 10, HomogeneousPoisson(5.0)), Population("cells", 300, LIF())
    joined = [
        Projection(inputs, cells, 1e-4, PairSTDP()),
        Projection(cells, cells, 1e-4, PairSTDP(), name="all"),
        Projection(cells, cells, 1e-4, PairSTDP(), connectivity=FixedInDegree(200), name="some"),
    ]
    network, seeds = Network([inputs, cells], joined), (1, 2, 3)
    said = estimate(network, ["spike"], len(seeds), 3, {})
    with interpreted(), RunFile.create(tmp_path / "run.h5", network=network, seeds=seeds) as file:
        simulate(network, 2e-4, seeds=seeds, record_every=1e-4, record_spikes={}, file=file)
    final = 3 * 8 * (300 * 300 + 300 * 200) + 2 * 8 * 300 * 200
    size = os.path.getsize(tmp_path / "run.h5")
    assert size > final > 20 * 150_000 and size == pytest.approx(said.file, rel=0.1, abs=150_000)


PROGRAM = """
import os, re, resource, sys
from hebbscope.cli import main
try:
    main(["run", "kempter1999", "--seeds", "1:4", "--level", "spike,rate", "--set", "record_every=1", "--no-figure", "--quiet", "--force",
          "--duration", sys.argv[1]])
except SystemExit as left:
    assert left.code == 0
if os.path.exists("/proc/self/status"):  # what getrusage says on Linux may be the peak of the process that started this one
    print(1024 * int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read()).group(1)))
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_ten_hours_with_a_record_a_second(tmp_path):
    """The file is as large as said; memory does not grow with the run, though the file has 100 MB more, but for what waits to be written."""
    peak, size = {}, {}
    for hours in (1, 10):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, f"{hours} h"], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        peak[hours], size[hours] = int(done.stdout), os.path.getsize(tmp_path / "kempter1999.h5")
    network, n = Kempter1999().network(), 36_001
    said = estimate(network, ("spike", "rate"), 4, n, {"inputs": 400.0, "neuron": 36_000.0})
    assert size[10] == pytest.approx(said.file, rel=0.05)
    assert peak[10] - peak[1] < 16e6 < (size[10] - size[1]) / 5
    assert peak[10] == pytest.approx(said.memory, rel=0.25)
    assert {found.level: found.n_times for found in Run.load(tmp_path / "kempter1999.h5")} == {"spike": n, "rate": n}


def test_a_run_holds_no_more_than_its_share(tmp_path, monkeypatch):
    """With room for 20 of 41 records, every third and the last are held; the file has all, and the means over intervals are exact."""
    network = network_with("rule", next(part for kind, part in EVERY if part.__name__ == "Triplet"))
    seeds, options = (1, 2), {"record_every": 0.1, "seeds": (1, 2)}
    whole = simulate(network, 4.0, **options)
    monkeypatch.setattr(records, "HELD", 20 * whole.weights[:, 0].nbytes)
    with RunFile.create(tmp_path / "run.h5", network=network, seeds=seeds) as file:
        run = simulate(network, 4.0, file=file, **options)
    kept = [*range(0, 40, 3), 40]
    read_back = read(tmp_path / "run.h5")["spike"]
    for thinned in (run, read_back):
        assert np.allclose(thinned.time, whole.time[kept], rtol=1e-12)
        assert (thinned.weights == whole.weights[:, kept]).all()
        counts = np.nancumsum(whole.output_rate * 0.1, axis=1)[:, kept]
        assert np.allclose(thinned.output_rate[:, 1:], np.diff(counts, axis=1) / np.diff(whole.time[kept])[:, None])
        assert np.isnan(thinned.output_rate[:, 0]).all()
    rate = simulate(network, 4.0, level="rate", record_every=0.1)
    monkeypatch.setattr(records, "HELD", 20 * rate.weights[:, 0].nbytes)
    rate.save(tmp_path / "rate.h5")
    thinned = read(tmp_path / "rate.h5")["rate"]
    assert np.array_equal(thinned.time, rate.time[kept]) and (thinned.weights == rate.weights[:, kept]).all()
    course = rate.theory["weights_without_causal"]
    assert (thinned.theory["weights_without_causal"] == course[kept]).all() and len(course) == 41
    monkeypatch.undo()
    assert (read(tmp_path / "run.h5")["spike"].weights == whole.weights).all()


def test_the_last_spikes_are_held(tmp_path, monkeypatch):
    """And said to be recorded from the first of them on; `Run.load` has all."""
    network, options = network_with("rule", SpikeHebb), {"record_spikes": {"neuron": (1.0, 4.0)}}
    with RunFile.create(tmp_path / "run.h5", network=network) as file:
        run = simulate(network, 4.0, file=file, **options)
    whole = Run.load(tmp_path / "run.h5")[0].spikes["neuron"]
    monkeypatch.setattr(runreader, "SPIKES", 10)
    assert len(whole) > 20 and whole.recorded == (1.0, 4.0)
    for held in (run.spikes["neuron"], read(tmp_path / "run.h5", most=100)["spike"].spikes["neuron"]):
        assert held.t.tolist() == whole.t[-10:].tolist() and held.i.tolist() == whole.i[-10:].tolist()
        assert held.recorded == (whole.t[-10], 4.0)


def test_sizes_read_well():
    assert [size(n) for n in (0, 999, 12_345, 3.1e6, 2e9, 4e15, 10**33)] == [
        "0 B",
        "999 B",
        "12.3 kB",
        "3.1 MB",
        "2 GB",
        "4e+03 TB",
        "1e+21 TB",
    ]


def test_a_file_that_the_disk_cannot_hold_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=5_000_000))
    with pytest.raises(SystemExit) as left:
        main(["run", "kempter1999", "--no-figure", "--set", "record_every=1"])
    assert left.value.code == 2 and not list(tmp_path.iterdir())
    said = capsys.readouterr().err
    assert (
        said.startswith("hebbscope: kempter1999.h5: needs about ") and "5 MB are free" in said and said.count("\n") == 1
    )


def test_a_limit_on_the_size_of_files_is_a_full_disk(tmp_path):
    """With `ulimit -f` a run is refused where it cannot end, and stopped in good order where it was taken for smaller."""
    program = """
import resource, sys
from hebbscope.simulator import estimate
from hebbscope.cli import main
if sys.argv[1] == "small":
    estimate.estimate = lambda *a, **b: estimate.Estimate(0, 0)
resource.setrlimit(resource.RLIMIT_FSIZE, (19_000_000, 19_000_000))
main(["run", "kempter1999", "--no-figure", "--quiet", "--seeds", "1:2", "--level", "spike", "--set", "record_every=1"])
"""
    for said_of_it, words in (("right", "needs about "), ("small", "the disk is full, or the file as large as it may")):
        done = subprocess.run([sys.executable, "-c", program, said_of_it], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
        assert words in done.stderr
        assert bool(list(tmp_path.iterdir())) == (said_of_it == "small")
    assert describe(tmp_path / "kempter1999.h5")["resumable"]
    assert read(tmp_path / "kempter1999.h5")["spike"].n_times > 100


def test_notes_on_what_a_run_cannot_show():
    equation = reduce(Kempter1999().network())
    assert forecast.time_scales(equation) == "mean weight settles in 203 s, structure grows in 1.27e+04 s"
    assert forecast.notes(equation, 20_000.0) == []
    short = forecast.notes(equation, 50.0)
    assert short[0] == "50 s are less than the 203 s in which the mean weight settles"
    assert short[1] == "50 s show little of the structure, which grows e-fold in 1.27e+04 s"
    fast = reduce(Kempter1999.with_settings([("rule.eta", "1e-3")]).network())
    assert any("too fast for an equation of averages" in note for note in forecast.notes(fast, 20_000.0))
    unstable = reduce(Kempter1999.with_settings([("rule.w_out", "1")]).network())
    assert any("no stable fixed point" in note for note in forecast.notes(unstable, 20_000.0))
    assert forecast.notes(object(), 1.0) == [] and forecast.time_scales(None) == ""


def test_the_shell_says_it_before_the_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ["run", "kempter1999", "--duration", "100", "--seeds", "1", "--no-figure"]
    spikes_alone = ["--level", "spike", "--force"]
    for more, wanted in (
        ([], True), (spikes_alone, True), (["--quiet", "--force"], False), (["--json", "--force"], False)
    ):  # fmt: skip
        with pytest.raises(SystemExit):
            main([*arguments, *more])
        said = capsys.readouterr().out
        assert said.startswith("file about ") == wanted and ("note: 100 s are less than the 203 s" in said) == wanted
        if "--json" in more:
            json.loads(said)
