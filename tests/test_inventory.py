"""hebbscope info: what a file holds, where it comes from, how complete it is."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from hebbscope.simulator import checkpoint, resume
from hebbscope.simulator.inventory import inventory
from hebbscope.simulator.protocols import HebbscopeError
from hebbscope.simulator.runfile import RunFile, describe

SEEDS = (1, 2, 3, 9)


def a_file(path, n_records=3, levels=("spike", "rate"), complete=False):
    """A run of 40 s that was left after some records of its first level."""
    groups = ["slow", "fast"]
    file = RunFile.create(path, seeds=SEEDS, levels=levels, groups=groups, projection="a_to_b", config="x = 1\n")
    file.start_level("spike", SEEDS, 1, 2, 10.0, duration=40.0)
    for k in range(n_records):
        file.append("spike", 10.0 * k, np.ones((4, 1, 2)), np.ones((4, 1)))
    file.listen("b", (0.0, 10.0))
    file.append_spikes("b", np.array([0.5, 1.5]), np.array([0, 0]))
    file.arrays("spikes/b", {}, recorded=(0.0, 40.0))
    file.checkpoint({}, sources="", what="")
    file.close(complete)
    return path


def lines(path):
    return dict(inventory(describe(path)))


def test_a_complete_file(tmp_path):
    found = lines(a_file(tmp_path / "run.h5", 5, levels=["spike"], complete=True))
    assert found["complete"] == "yes" and "resumable" not in found
    assert found["config"].startswith("TOML, as it was written (sha256 ")
    assert found["spike level"] == "5 records until 40 s, every 10 s, of seeds 1:3,9: weights 2 → 1, output rates"
    assert found["spikes of b"] == "2, 0 s to 40 s, seed 1 at spike level"
    assert found["SONATA report"] == "weights of a_to_b, seed 1 at spike level"
    assert found["groups"] == "slow 1, fast 1"
    assert "numpy" in found["versions"] and "hebbscope" in found["software"]


def test_a_file_that_was_left(tmp_path):
    path = a_file(tmp_path / "run.h5")
    found = lines(path)
    assert found["complete"] == "no: spike until 20 of 40 s; rate not begun"
    assert found["resumable"] == f"yes, after 3 records of spike: hebbscope resume {path}"
    checkpoint.beside(path).unlink()
    assert lines(path)["resumable"] == "no, there is no checkpoint beside it"


def test_a_file_that_is_being_written(tmp_path):
    """It is not to be resumed now; its spikes are those of as much of their window as there is."""
    path = tmp_path / "run.h5"
    with RunFile.create(path, levels=["spike"]) as file:
        file.start_level("spike", [1], 1, 2, 10.0, duration=40.0)
        file.append("spike", 0.0, np.zeros((1, 1, 2)), np.zeros((1, 1)))
        file.append("spike", 10.0, np.zeros((1, 1, 2)), np.zeros((1, 1)))
        for population, window in (("early", (5.0, 40.0)), ("late", (30.0, 40.0))):
            file.listen(population, window)
            file.append_spikes(
                population, np.array([9.0])[: population == "early"], np.array([0])[: population == "early"]
            )
        found = lines(path)
        assert found["running"] == "yes, is being written" and "resumable" not in found
        assert found["spikes of early"] == "1, 5 s to 10 s, seed 1 at spike level"
        assert found["spikes of late"] == "0, 30 s to 30 s, seed 1 at spike level"
    assert "running" not in lines(path)


def test_a_checkpoint_that_cannot_be_gone_on_from(tmp_path, monkeypatch):
    path = a_file(tmp_path / "run.h5")
    monkeypatch.setattr(resume, "versions", lambda: {"numba": "0.1"})
    assert "numba" in lines(path)["resumable"] and "--force-version" in lines(path)["resumable"]
    checkpoint.beside(path).write_text("no checkpoint")
    assert lines(path)["resumable"].startswith("not as it is: ") and "damaged" in lines(path)["resumable"]


def test_a_description_that_was_changed(tmp_path):
    path = a_file(tmp_path / "run.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["config"] = "x = 2\n"
    assert "CHANGED since it was written" in lines(path)["config"]


def test_an_attribute_that_makes_no_sense(tmp_path):
    path = a_file(tmp_path / "run.h5")
    with h5py.File(path, "r+") as file:
        file["levels/spike"].attrs["record_every"] = "often"
    with pytest.raises(HebbscopeError, match="damaged, does not say what it holds"):
        lines(path)
