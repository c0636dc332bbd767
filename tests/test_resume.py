"""Going on from a checkpoint: what it refuses, and how it is done from the shell. That all bits are the same: test_properties.py."""

import os
import signal
import subprocess
import sys
import time
import zipfile

import h5py
import numpy as np
import pytest
from faults import differences
from test_contract import EVERY, example
from test_contract import network as network_with

from hebbscope import HebbscopeError, Network, Population, Projection, cli, simulate
from hebbscope.cli import main
from hebbscope.models import LIF, HomogeneousPoisson
from hebbscope.rules import PairSTDP
from hebbscope.simulator import checkpoint, creation, resume
from hebbscope.simulator.clock_run import ClockRun
from hebbscope.simulator.event_run import SeedRun
from hebbscope.simulator.fingerprint import fingerprint
from hebbscope.simulator.runfile import DamagedFile, RunFile, describe, read

SEEDS = (1, 2, 3)
LEVELS = ("spike", "surrogate", "rate")


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Checkpoints as often as may be."""
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)


class StopAt:
    """A progress that says stop when it has been told so often."""

    def __init__(self, n):
        self.n = n

    def __call__(self, t):
        self.n -= 1
        if self.n == 0:
            raise KeyboardInterrupt


def run_levels(file, network, levels, progress=None, threads=1):
    with file:
        return [
            simulate(
                network, 4.0, level=level, seeds=SEEDS, record_every=0.5, threads=threads, file=file, progress=progress
            )
            for level in levels
        ]


def alike(one, other):
    with h5py.File(one) as a, h5py.File(other) as b:
        return differences(a, b) == []


EVERY_RULE = {part.__name__: part for kind, part in EVERY if kind == "rule"}


@pytest.mark.parametrize("seeds", [(), np.array(SEEDS)], ids=["unsaid", "array"])
@pytest.mark.parametrize("stop", [1, 4])
def test_a_file_need_not_be_told_its_seeds_beforehand(stop, seeds, tmp_path):
    """As docs/run-file.md has it; and they may come as an array."""
    network, path = network_with("rule", EVERY_RULE["SpikeHebb"]), tmp_path / "run.h5"
    plan = {"network": network, "levels": ["spike"], "seeds": seeds}
    run_levels(RunFile.create(tmp_path / "whole.h5", **plan), network, ["spike"])
    with pytest.raises(KeyboardInterrupt):
        run_levels(RunFile.create(path, **plan), network, ["spike"], StopAt(stop))
    assert checkpoint.load(checkpoint.beside(path)).about["seeds"] == list(SEEDS)
    run_levels(RunFile.reopen(path), network, ["spike"])
    assert alike(tmp_path / "whole.h5", path)
    RunFile.create(path, **plan, force=True)
    assert checkpoint.load(checkpoint.beside(path)).about["seeds"] == list(seeds)


def test_an_impatient_stop_finds_every_seed_at_rest(tmp_path, monkeypatch):
    """Who stops twice does not get a checkpoint of states that threads still work on."""
    network, path, at_work, seen = network_with("rule", EVERY_RULE["SpikeHebb"]), tmp_path / "run.h5", [], []
    go_on, save = SeedRun.to, checkpoint.save

    def impatient(run, t):
        at_work.append(run.seed)
        for _ in range(2 * (run.time > 1.0)):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)
        reached = go_on(run, t)
        at_work.remove(run.seed)
        return reached

    def watched(*path_and_checkpoint):
        seen.append(list(at_work))
        save(*path_and_checkpoint)

    monkeypatch.setattr(SeedRun, "to", impatient)
    monkeypatch.setattr(checkpoint, "save", watched)
    plan = {"network": network, "seeds": SEEDS, "levels": ["spike"]}
    with pytest.raises(KeyboardInterrupt):
        run_levels(RunFile.create(path, **plan), network, ["spike"], threads=3)
    monkeypatch.undo()
    assert len(seen) > 1 and not any(seen)
    run_levels(RunFile.create(tmp_path / "whole.h5", **plan), network, ["spike"])
    run_levels(RunFile.reopen(path), network, ["spike"])
    assert alike(tmp_path / "whole.h5", path)


def test_a_later_level_that_is_resumed_has_all_its_spikes(tmp_path):
    """Those of before the stop, too, where it is the first that is listened to."""
    network = network_with("rule", EVERY_RULE["SpikeHebb"])

    def levels(file, progress=None):
        with file:
            plan = {"seeds": SEEDS, "record_every": 0.5, "file": file}
            simulate(network, 4.0, record_spikes={}, **plan)
            return simulate(
                network, 4.0, level="surrogate", record_spikes={"neuron": (0.0, 4.0)}, progress=progress, **plan
            )

    plan = {"network": network, "seeds": SEEDS, "levels": LEVELS[:2]}
    whole = levels(RunFile.create(tmp_path / "whole.h5", **plan)).spikes["neuron"]

    def stop(t):
        if t > 2.0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        levels(RunFile.create(tmp_path / "run.h5", **plan), stop)
    before = describe(tmp_path / "run.h5")["spikes"]["neuron"]
    found = levels(RunFile.reopen(tmp_path / "run.h5")).spikes["neuron"]
    assert 0 < before["count"] < len(found) and before["level"] == "surrogate"
    assert found.t.tolist() == whole.t.tolist() and found.i.tolist() == whole.i.tolist()


# What a checkpoint refuses --------------------------------------------------------------------------------------------


@pytest.fixture
def left(tmp_path):
    """A run that was stopped half-way in its first level."""
    network = network_with("rule", EVERY_RULE["SpikeHebb"])
    path = tmp_path / "run.h5"
    with pytest.raises(KeyboardInterrupt):
        run_levels(RunFile.create(path, network=network, seeds=SEEDS, levels=LEVELS), network, LEVELS, StopAt(4))
    return path, network


def rewritten(path, **about):
    """The checkpoint with other words in it."""
    found = checkpoint.load(checkpoint.beside(path))
    checkpoint.save(checkpoint.beside(path), found._replace(about=found.about | about))


def test_another_version_is_refused_unless_forced(left):
    path, network = left
    then = checkpoint.load(checkpoint.beside(path)).about["versions"] | {"numba": "0.1"}
    rewritten(path, versions=then)
    with pytest.raises(HebbscopeError, match=r"checkpoint: was written with numba 0\.1, here is .*--force-version"):
        RunFile.reopen(path)
    run_levels(RunFile.reopen(path, force_version=True), network, LEVELS)
    assert describe(path)["resumed_with"] == resume.versions()


def test_a_changed_rule_is_refused_unless_forced(left):
    path, network = left
    rewritten(path, sources="before the edit")
    with pytest.raises(HebbscopeError, match=r"a rule, a model or the engine has changed since; --force-version"):
        run_levels(RunFile.reopen(path), network, LEVELS)
    run_levels(RunFile.reopen(path, force_version=True), network, LEVELS)


def test_another_network_is_refused(left):
    path, _ = left
    other = network_with("rule", lambda: example(EVERY_RULE["SpikeHebb"])._replace(eta=2e-3))
    with pytest.raises(
        HebbscopeError, match="is of another network, of other seeds, record times or record_spikes, or of another step"
    ):
        run_levels(RunFile.reopen(path, force_version=True), other, LEVELS)


@pytest.mark.parametrize(
    "changed", [{"record_spikes": {"inputs": (0.0, 4.0)}}, {"record_spikes": {"neuron": (0.0, 2.0)}}], ids=str
)
def test_other_windows_of_spikes_are_refused(changed, left):
    path, network = left
    with pytest.raises(HebbscopeError, match="or record_spikes"), RunFile.reopen(path) as file:
        simulate(network, 4.0, seeds=SEEDS, record_every=0.5, file=file, **changed)


def test_what_a_run_is_known_by_has_its_step():
    inputs, cells = Population("inputs", 6, HomogeneousPoisson(20.0)), Population("neuron", 2, LIF())
    network = Network([inputs, cells], [Projection(inputs, cells, 0.2, PairSTDP())])
    known = [fingerprint(ClockRun(network, 1, "spike", {}, dt).parts) for dt in (1e-4, 1e-4, 5e-5)]
    assert known[0] == known[1] != known[2]


def refused(path, network, how):
    """Go on with something that was not left so."""
    plan = {"seeds": SEEDS, "record_every": 0.5, "level": "spike"}
    if how == "states":
        found = checkpoint.load(checkpoint.beside(path))
        checkpoint.save(checkpoint.beside(path), found._replace(arrays=found.arrays | {"seed 1/outputs": np.zeros(7)}))
    elif how == "rule":
        rewritten(path, sources="before the edit")
    elif how == "run":
        rewritten(path, created="1998-12-01T00:00:00+00:00")
    changed = {
        "seeds": {"seeds": (7, 8, 9)},
        "times": {"record_every": 0.25},
        "spikes": {"record_spikes": {}},
        "level": {"level": "rate"},
    }
    with pytest.raises(HebbscopeError), RunFile.reopen(path) as file:
        simulate(network, 4.0, file=file, **plan | changed.get(how, {}))


@pytest.mark.parametrize("how", ["states", "rule", "run", "seeds", "times", "spikes", "level"])
def test_what_is_refused_drops_no_record(how, tmp_path, monkeypatch):
    """A run killed long after its checkpoint: the records since stay in the file, to the byte, until it goes on."""
    network, path = network_with("rule", EVERY_RULE["SpikeHebb"]), tmp_path / "run.h5"
    with pytest.raises(KeyboardInterrupt), RunFile.create(path, network=network, seeds=SEEDS, levels=LEVELS) as file:
        for level in LEVELS[:2]:
            if level == "surrogate":
                kept = checkpoint.load(checkpoint.beside(path))
            simulate(
                network,
                4.0,
                level=level,
                seeds=SEEDS,
                record_every=0.5,
                file=file,
                progress=StopAt(100 if level == "spike" else 4),
            )
    checkpoint.save(checkpoint.beside(path), kept)
    content = path.read_bytes()
    refused(path, network, how)
    assert path.read_bytes() == content
    checkpoint.save(checkpoint.beside(path), kept)
    run_levels(RunFile.reopen(path), network, LEVELS)
    run_levels(RunFile.create(tmp_path / "whole.h5", network=network, seeds=SEEDS, levels=LEVELS), network, LEVELS)
    assert alike(tmp_path / "whole.h5", path)


def test_a_refused_file_is_let_go(left):
    """No handle stays open: it may be replaced at once, also where an open file cannot."""
    path, _ = left
    rewritten(path, created="1998-12-01T00:00:00+00:00")
    with pytest.raises(HebbscopeError, match="is of another run") as caught:
        RunFile.reopen(path)
    assert not [
        file for file in h5py.h5f.get_obj_ids(types=h5py.h5f.OBJ_FILE) if h5py.h5f.get_name(file) == os.fsencode(path)
    ]
    assert caught.value.__traceback__ is not None  # which might have held it


def test_states_that_do_not_fit_are_refused_by_name(left):
    path, network = left
    found = checkpoint.load(checkpoint.beside(path))
    arrays = found.arrays | {"seed 1/outputs": np.zeros(7)}
    checkpoint.save(checkpoint.beside(path), found._replace(arrays=arrays))
    with pytest.raises(HebbscopeError, match=r"checkpoint: outputs must be int64 \(2,\), got float64 \(7,\)"):
        run_levels(RunFile.reopen(path, force_version=True), network, LEVELS)
    del arrays["seed 1/outputs"]
    checkpoint.save(checkpoint.beside(path), found._replace(arrays=arrays))
    with pytest.raises(HebbscopeError, match="checkpoint: outputs is in the state alone"):
        run_levels(RunFile.reopen(path, force_version=True), network, LEVELS)


WRONG_WORDS = [
    {"levels": None}, {"levels": ["spike", 1]}, {"seeds": []}, {"seeds": [-1]}, {"seeds": [1.5]}, {"records": -1}, {"records": True},
    {"spikes": 3}, {"spikes": {"inputs": "many"}}, {"versions": "0.1.0"}, {"done": ["spike"]}, {"done": ["no level"]}, {"level": ""}, {"sources": []},
]  # fmt: skip


@pytest.mark.parametrize("words", WRONG_WORDS, ids=str)
def test_a_checkpoint_that_says_something_else_is_refused(words, left):
    path, _ = left
    rewritten(path, **words)
    with pytest.raises(HebbscopeError, match=r"damaged, or no checkpoint \(about"):
        RunFile.reopen(path)


def test_a_member_of_a_checkpoint_that_is_no_array_is_refused(left):
    path, _ = left
    kept = checkpoint.beside(path)
    with zipfile.ZipFile(kept) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(kept, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data if name.startswith("about") else b"no" + data[2:])
    with pytest.raises(HebbscopeError, match=r"damaged, or no checkpoint \(what should be an array is none\)"):
        RunFile.reopen(path)


@pytest.mark.parametrize("words", [{"records": 10**6}, {"spikes": {"neuron": 10**6}}, {"spikes": {"nobody": 1}}])
def test_a_checkpoint_that_counts_more_than_the_file_has(words, left):
    path, _ = left
    rewritten(path, **words)
    with pytest.raises(HebbscopeError, match="lacks records that were there at its checkpoint"):
        RunFile.reopen(path)


def test_weights_of_other_synapses_are_refused(left):
    path, _ = left
    with h5py.File(path, "r+", locking=False) as file:
        level = file["levels/spike"]
        weights, rate, seeds = level["weights"][:2], level["output_rate"][:2], level["seed"][:2]
        for name, values in (("weights", weights), ("output_rate", rate), ("seed", seeds)):
            del level[name]
            level.create_dataset(name, data=values, chunks=True, maxshape=values.shape)
    with pytest.raises(DamagedFile, match="its records are not of 3 x 2 x 6 x 2 seeds, synapses and neurons"):
        RunFile.reopen(path)


def test_a_run_file_without_a_name_for_its_report_is_refused(left):
    path, _ = left
    with h5py.File(path, "r+", locking=False) as file:
        for report in file["report"].values():
            del report.attrs["level"]
    with pytest.raises(HebbscopeError, match="damaged, does not say what it holds"):
        RunFile.reopen(path)


def test_a_checkpoint_without_its_counts_is_refused(left):
    path, network = left
    found = checkpoint.load(checkpoint.beside(path))
    del found.arrays["counted"]
    checkpoint.save(checkpoint.beside(path), found)
    with pytest.raises(HebbscopeError, match="counted must hold a number for each"):
        run_levels(RunFile.reopen(path), network, LEVELS)


@pytest.mark.parametrize("why", ["stopped", "other seeds", "another level"])
def test_a_run_that_cannot_go_on_at_once_is_kept(why, left):
    """Stopped before it takes up its level, or asked for something else: file and checkpoint are what they were."""
    path, network = left
    plan = {"seeds": SEEDS[:2] if why == "other seeds" else SEEDS, "record_every": 0.5, "level": "spike"}
    if why == "another level":
        plan["level"] = "surrogate"
    records = describe(path)["checkpoint"]["records"]
    with pytest.raises((KeyboardInterrupt, HebbscopeError)), RunFile.reopen(path) as file:
        if why == "stopped":
            raise KeyboardInterrupt
        simulate(network, 4.0, file=file, **plan)
    RunFile.reopen(path).close()
    assert describe(path)["checkpoint"]["records"] == records > 0 and not describe(path)["complete"]
    run_levels(RunFile.reopen(path), network, LEVELS)
    assert describe(path)["complete"]


def test_every_flipped_byte_of_a_checkpoint_is_noticed(left):
    """The archive holds a checksum of each array; what a flip may spare is the padding and the dates of the archive."""
    path = checkpoint.beside(left[0])
    whole, good = path.read_bytes(), checkpoint.load(path)
    for place in np.random.default_rng(1).integers(0, len(whole), 200):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0x10
        path.write_bytes(spoilt)
        try:
            found = checkpoint.load(path)
        except HebbscopeError as problem:
            assert "damaged, or no checkpoint" in str(problem) and "\n" not in str(problem)
        else:
            assert found.about == good.about and all((found.arrays[k] == v).all() for k, v in good.arrays.items())
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(HebbscopeError, match="damaged, or no checkpoint"):
            checkpoint.load(path)


def test_two_runs_cannot_write_one_file(left):
    path, _ = left
    with RunFile.reopen(path):
        program = f"from hebbscope.simulator.runfile import RunFile; RunFile.reopen({str(path)!r})"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert "is being written by another run" in done.stderr
        program = f"from hebbscope.simulator.runfile import RunFile; RunFile.create({str(path)!r}, force=True)"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert "is being written by another run" in done.stderr
        assert read(path)


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_file_that_is_taken_away_under_the_run(how, tmp_path):
    """One line at the next checkpoint; from the last one the run begins anew, as from any damaged file."""
    network = network_with("rule", EVERY_RULE["SpikeHebb"])
    path = tmp_path / "run.h5"

    def take_away(t):
        if t > 1.0 and path.exists() and path.stat().st_size:
            path.unlink()
            if how == "replaced":
                path.touch()

    with pytest.raises(HebbscopeError, match=r"run\.h5: was removed or replaced under the run"):
        run_levels(RunFile.create(path, network=network, seeds=SEEDS, levels=LEVELS), network, LEVELS, take_away)
    assert checkpoint.load(checkpoint.beside(path)).about["levels"] == list(LEVELS)
    with pytest.raises(DamagedFile):
        RunFile.reopen(path)


def test_a_link_to_a_run_file_is_that_run_file(left):
    path, _ = left
    link = path.with_name("link.h5")
    link.symlink_to(path.name)
    with RunFile.reopen(path):
        program = f"from hebbscope.simulator.runfile import RunFile; RunFile.create({str(link)!r}, force=True)"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert "run.h5: is being written by another run" in done.stderr
        assert describe(link)["running"] and describe(link)["resumable"] and not describe(link)["complete"]


def test_a_run_goes_on_by_a_link_to_its_file(left):
    path, network = left
    link = path.with_name("link.h5")
    link.symlink_to(path.name)
    run_levels(RunFile.reopen(link), network, LEVELS)
    assert describe(path)["complete"] and not checkpoint.beside(path).exists() and link.is_symlink()


def killed_at(owner, name, path, network):
    """A process that makes the file of a run and is killed when it calls a function."""
    process = os.fork()
    if process == 0:
        setattr(owner, name, lambda *arguments: os.kill(os.getpid(), signal.SIGKILL))
        RunFile.create(path, network=network, seeds=SEEDS, levels=LEVELS, force=True)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("there", [False, True], ids=["new", "replaced"])
def test_a_kill_while_a_file_is_made_leaves_all_as_it_was(there, tmp_path):
    """Before the first checkpoint: an older run still goes on from its own."""
    network, path = network_with("rule", EVERY_RULE["SpikeHebb"]), tmp_path / "run.h5"
    if there:
        RunFile.create(path, network=network, seeds=(7,), levels=LEVELS).close(complete=False)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    killed_at(checkpoint, "save", path, network)
    after = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert after.keys() - before.keys() == {"run.h5.new", "run.h5.lock"}
    assert after.items() >= before.items()
    if there:
        with RunFile.reopen(path) as file:
            simulate(network, 4.0, seeds=(7,), file=file)
    else:
        RunFile.create(path, network=network, seeds=SEEDS, levels=LEVELS).close(complete=False)
    assert describe(path)["seeds"] == ([7] if there else list(SEEDS))


@pytest.mark.parametrize("there", [False, True], ids=["new", "replaced"])
def test_a_kill_before_a_file_has_its_name_leaves_a_run_that_can_go_on(there, tmp_path):
    """Its checkpoint is there before its name is, and it is not that of the file that was here before."""
    network, path = network_with("rule", EVERY_RULE["SpikeHebb"]), tmp_path / "run.h5"
    if there:
        RunFile.create(path, network=network, seeds=(7,), levels=LEVELS).close(complete=False)
    killed_at(creation, "_rename", path, network)
    assert path.exists() == there
    RunFile.reopen(path).close()
    assert describe(path)["seeds"] == list(SEEDS)
    run_levels(RunFile.reopen(path), network, LEVELS)
    run_levels(RunFile.create(tmp_path / "whole.h5", network=network, seeds=SEEDS, levels=LEVELS), network, LEVELS)
    assert alike(tmp_path / "whole.h5", path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run.h5", "whole.h5"]


def test_what_a_kill_left_of_a_checkpoint_goes_with_it(left):
    path, network = left
    half = path.with_name("run.h5.checkpoint.new")
    half.write_bytes(b"half")
    run_levels(RunFile.reopen(path), network, LEVELS)
    assert describe(path)["complete"] and not half.exists()


def test_a_file_of_another_run_is_refused(left):
    path, _ = left
    with h5py.File(path, "r+") as file:
        file.attrs["created"] = "1998-12-01T00:00:00+00:00"
    with pytest.raises(HebbscopeError, match="is of another run than the checkpoint beside it"):
        RunFile.reopen(path)


@pytest.mark.parametrize("end", ["stop", "error", "no room"])
def test_a_run_begun_anew_keeps_its_plan_and_every_damaged_file(end, left, monkeypatch):
    """Damaged twice, and ended before its first record: it can still go on, and all that was recorded is there."""
    path, network = left
    plan, damaged = checkpoint.load(checkpoint.beside(path)).about, []
    for _ in range(2):
        damaged.append(path.read_bytes()[:-100])
        path.write_bytes(damaged[-1])
        with pytest.raises(DamagedFile, match="truncated"):
            RunFile.reopen(path)
        with pytest.raises(KeyboardInterrupt):
            run_levels(RunFile.begin_anew(path, network), network, LEVELS, StopAt(2))

    def refusing(kept, state):
        raise HebbscopeError(f"{kept}: cannot be written (no space left on device)")

    with monkeypatch.context() as during, pytest.raises((KeyboardInterrupt, HebbscopeError)):
        path.write_bytes(b"")
        if end == "no room":
            during.setattr(creation.checkpoint, "save", refusing)
        with RunFile.begin_anew(path, network):
            raise KeyboardInterrupt if end == "stop" else HebbscopeError("before the first record")
    kept = checkpoint.load(checkpoint.beside(path)).about
    assert all(kept[name] == plan[name] for name in ("config", "levels", "seeds"))
    assert [path.with_name(f"run.h5.damaged{k}").read_bytes() for k in ("", 2, 3)] == [*damaged, b""]
    run_levels(RunFile.begin_anew(path, network) if end == "no room" else RunFile.reopen(path), network, LEVELS)
    run_levels(RunFile.create(path.with_name("whole.h5"), network=network, seeds=SEEDS, levels=LEVELS), network, LEVELS)
    assert alike(path.with_name("whole.h5"), path)


# From the shell -------------------------------------------------------------------------------------------------------

SHORT = ("kempter1999", "--seeds", "1:3", "--duration", "4000", "--set", "record_every=50")


def shell(*arguments, folder):
    """hebbscope in a process of its own, with checkpoints all the time."""
    program = (
        "from hebbscope.simulator import checkpoint; checkpoint.EVERY = 0.01; from hebbscope.cli import main; main()"
    )
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def call(*arguments):
    """The exit code of a command in this process."""
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    return left.value.code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_stop_is_said_and_resumed(number, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("run", *SHORT, "--no-figure", "--quiet", "--out", "whole.h5") == 0
    process = shell("run", *SHORT, "--no-figure", "--out", "run.h5", folder=tmp_path)
    while not (tmp_path / "run.h5").exists() or describe("run.h5")["levels"].get("spike", {}).get("records", 0) < 3:
        time.sleep(0.02)
    while process.poll() is None:  # as often as may be, to the very end
        process.send_signal(number)
        time.sleep(0.002)
    said = process.communicate()[1]
    assert process.returncode == 130
    assert said == "hebbscope: stopped; `hebbscope resume run.h5` goes on from there\n"
    assert "kempter1999" in checkpoint.load(tmp_path / "run.h5.checkpoint").about["config"]
    assert call("resume", "run.h5", "--no-figure", "--quiet") == 0
    assert alike("whole.h5", "run.h5") and describe("run.h5")["complete"]
    assert call("resume", "run.h5") == 2
    assert "run.h5: is complete, there is nothing to resume" in capsys.readouterr().err


def test_a_stop_after_the_last_record_says_that_the_run_is_complete(tmp_path, monkeypatch, capsys):
    def stopped(*given):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_reports", stopped)
    heeded = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        assert call("run", *SHORT, "--no-figure", "--quiet", "--out", "run.h5") == 130
    finally:  # who is told how it ended hears no more signals
        for number, handler in heeded.items():
            signal.signal(number, handler)
    assert capsys.readouterr().err == "hebbscope: stopped; run.h5 is complete\n"
    assert describe("run.h5")["complete"] and call("resume", "run.h5") == 2


def test_a_run_that_replaces_another_goes_on_as_it_says(tmp_path, monkeypatch):
    """Its figure is to be drawn at the place of an older one, which goes with the older run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.png").write_text("of an older run")
    process = shell("run", *SHORT, "--duration", "12000", "--out", "run.h5", "--force", folder=tmp_path)
    while not (tmp_path / "run.h5").exists() or describe("run.h5")["levels"].get("spike", {}).get("records", 0) < 3:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert "`hebbscope resume run.h5` goes on from there" in process.communicate()[1]
    assert call("resume", "run.h5", "--quiet") == 0
    assert (tmp_path / "run.png").stat().st_size > 10_000


def test_a_damaged_run_file_is_made_anew(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("run", *SHORT, "--no-figure", "--quiet", "--out", "whole.h5") == 0
    process = shell("run", *SHORT, "--no-figure", "--out", "run.h5", folder=tmp_path)
    while not (tmp_path / "run.h5").exists() or describe("run.h5")["levels"].get("spike", {}).get("records", 0) < 3:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    content = (tmp_path / "run.h5").read_bytes()
    (tmp_path / "run.h5").write_bytes(content[: len(content) // 2])
    assert call("resume", "run.h5", "--no-figure", "--quiet") == 0
    said = capsys.readouterr().err
    assert said.startswith("hebbscope: run.h5: truncated") and said.endswith("the run begins anew\n")
    assert alike("whole.h5", "run.h5") and (tmp_path / "run.h5.damaged").stat().st_size == len(content) // 2


@pytest.mark.parametrize(
    ("name", "words"), [("config", "cannot be read as a run file"), ("versions", "does not say what it holds")]
)
def test_a_file_that_does_not_say_what_it_holds_is_damaged(name, words, left):
    """Its levels could be gone on with, but nobody could read it afterwards."""
    path, _ = left
    with h5py.File(path, "r+") as root:
        del root.attrs[name]
    with pytest.raises(DamagedFile, match=words):
        RunFile.reopen(path)


def test_a_file_whose_elements_are_no_numbers_of_synapses_is_damaged(left):
    path, _ = left
    with h5py.File(path, "r+") as root:
        (report,) = root["report"].values()
        report["mapping/element_ids"][0] = 7
    with pytest.raises(DamagedFile, match="element_ids are not the numbers of all synapses"):
        RunFile.reopen(path)


@pytest.mark.parametrize("folder", ["", ".", "/"])
def test_a_folder_is_nothing_to_resume(folder, capsys):
    assert call("resume", folder) == 2
    assert "is a folder, not a run file" in capsys.readouterr().err


def test_nothing_to_resume(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("resume", "run.h5") == 2
    (tmp_path / "run.h5.checkpoint").write_bytes(os.urandom(100))
    assert call("resume", "run.h5") == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "hebbscope: run.h5.checkpoint: there is no such checkpoint"
    assert said[1].startswith("hebbscope: run.h5.checkpoint: damaged, or no checkpoint")


def test_killed_runs_equal_the_unbroken_one(tmp_path):
    """The bounded form of `python tests/faults.py`."""
    command = [
        sys.executable,
        os.path.join(os.path.dirname(__file__), "faults.py"),
        "--kills",
        "2",
        "--full",
        "2",
        "--seed",
        "3",
        "--duration",
        "4000",
        "--step",
        "47",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 of 4 equal the unbroken run" in done.stdout
