"""A bounded turn of tests/fuzz.py: what is spoilt is refused in one line, and what was only read is as it was."""

from __future__ import annotations

import os
import signal
import struct
from zlib import crc32

import fuzz
import pytest
from fuzz import Answer, Harness, complaints, left_wrong


@pytest.fixture
def harness(tmp_path):
    made = Harness(tmp_path, tmp_path / "kept", loud=False)
    yield made
    made.close()


def test_spoilt_texts_are_answered_in_good_order(harness, tmp_path):
    fuzz.texts(harness, tmp_path, seed=7, numbers=range(40), descriptions=[*fuzz.DESCRIPTIONS[:2], ("network", ())])
    assert harness.failures == []
    assert harness.codes[2] > 40 and harness.codes[0] > 0


def test_spoilt_files_are_answered_in_good_order(harness, tmp_path):
    fuzz.files(
        harness,
        tmp_path,
        seed=7,
        numbers=range(16),
        runs=[*fuzz.RUNS[:2], *(each for each in fuzz.RUNS if each[0] in ("exact", "killed", "made-anew"))],
    )
    assert harness.failures == []
    assert harness.codes[2] > 8 and harness.codes[0] > 0


# The harness sees what it is there for ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(None, "", "", 1.0), "hangs"),
        (Answer(-signal.SIGSEGV, "", "", 1.0), "dies of signal 11"),
        (Answer(1, "", "hebbscope: internal error\n", 1.0), "exit code 1"),
        (Answer(130, "", "hebbscope: stopped\n", 1.0), "exit code 130"),
        (Answer(2, "", "", 1.0), "refuses without a word"),
        (Answer(2, "", "hebbscope: \n", 1.0), "refuses with an empty line"),
        (Answer(2, "", "hebbscope: a\nhebbscope: b\n", 1.0), "says more than one line"),
        (Answer(0, "", "warning\n", 1.0), "says more than one line"),
        (Answer(130, "", 2 * "hebbscope: a\n", 1.0, stopped=True), "says more than one line"),
        (Answer(2, "", "hebbscope: " + 2000 * "x" + "\n", 1.0), "says too much"),
        (Answer(2, "half a table", "hebbscope: no\n", 1.0), "prints before it refuses"),
        (Answer(0, "{", "", 1.0), "prints no JSON"),
    ],
)
def test_what_is_wrong_with_an_answer(answer, words):
    assert any(words in each for each in complaints(["reduce", "--json"], answer))


def test_what_is_right_with_an_answer():
    assert not list(complaints(["reduce", "--json"], Answer(0, "{}", "", 1.0)))
    assert not list(complaints(["run"], Answer(130, "", "hebbscope: stopped\n", 1.0, stopped=True)))
    anew = "hebbscope: run.h5: damaged; the run begins anew\n"
    assert not list(complaints(["resume"], Answer(0, "", anew, 1.0)))
    assert not list(complaints(["resume"], Answer(130, "", anew + "hebbscope: stopped\n", 1.0, stopped=True)))
    assert list(complaints(["run"], Answer(130, "", anew + "hebbscope: stopped\n", 1.0, stopped=True)))
    assert not list(complaints(["run"], Answer(2, "", "hebbscope: no\n", 1.0)))
    away = "hebbscope: weights ran away; what was recorded until 3 s is kept\n"
    assert not list(complaints(["run"], Answer(2, "80 kB", away, 1.0)))
    assert list(complaints(["compare"], Answer(2, "80 kB", away, 1.0)))


def test_what_is_wrong_with_files():
    before, refused = {"run.h5": b"1", "mine.toml": b"2"}, Answer(2, "", "hebbscope: no\n", 1.0)

    def wrong(command: str, **after: bytes) -> list[str]:
        named = {name.replace("_", "."): data for name, data in after.items()}
        return sorted(left_wrong([command, "run.h5"], refused, before, before | named))

    assert wrong("info") == wrong("resume", run_h5=b"2") == wrong("resume", run_h5_damaged=b"1") == []
    assert wrong("info", run_h5=b"2") == ["changes run.h5"]
    assert wrong("resume", mine_toml=b"3") == ["changes mine.toml"]
    assert wrong("run", a_png=b"1") == ["refuses and leaves a.png"]
    assert wrong("run", a_h5_lock=b"1") == ["leaves a.h5.lock behind"]


def test_who_reads_may_finish_what_a_journal_tells_and_nothing_else():
    body = b"hebbscope journal 1\n" + struct.pack("<7Q", 6, 0, 2, 0, 1, 5, 1) + b"AF"
    before = {"run.h5": b"abc", "run.h5.journal": body + crc32(body).to_bytes(4, "little")}
    torn = before | {"run.h5.journal": body}
    read = Answer(0, "", "", 1.0)
    assert not list(left_wrong(["info"], read, before, {"run.h5": b"Abc\0\0F"}))
    assert list(left_wrong(["info"], read, before, {"run.h5": b"Abc\0\0F", "run.h5.journal": b""}))
    assert list(left_wrong(["info"], read, before, {"run.h5": b"abc"}))
    assert list(left_wrong(["info"], read, torn, {"run.h5": b"Abc\0\0F"}))


def test_a_command_that_dies_or_hangs_is_noticed(harness, tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz, "PATIENCE", 0.5)
    os.mkfifo(tmp_path / "pipe.toml")  # whoever opens it to read waits for who writes it
    assert harness.worker.ask(tmp_path, ["show", "pipe.toml"]).code is None
    monkeypatch.setattr(fuzz, "PATIENCE", 30.0)
    assert harness.worker.ask(tmp_path, ["list"]).code == 0
