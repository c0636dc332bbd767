"""Files that change all at once: against a plain twin in memory, at every death, and on a disk that refuses."""

import errno
import os
import signal
from io import FileIO
from zlib import crc32

import h5py
import libsonata
import numpy as np
import pytest
import xarray

from hebbscope.simulator import creation, journal, runreader
from hebbscope.simulator.journal import PAGE, Journaled
from hebbscope.simulator.protocols import HebbscopeError
from hebbscope.simulator.runfile import RunFile, describe, read


class Dead(BaseException):
    """Nothing that would catch it is still there after a kill."""


class Frail(FileIO):
    """Fails at its n-th touch, in the midst of a write; so it counts over all that are open."""

    left, problem = -1, None

    def _touch(self):
        Frail.left -= 1
        if Frail.left == 0:
            raise Frail.problem

    def write(self, data):
        if Frail.left == 1:
            super().write(data[: len(data) // 2])
        self._touch()
        return super().write(data)

    def truncate(self, size):
        self._touch()
        return super().truncate(size)


@pytest.fixture
def frail(monkeypatch):
    """Says at which touch of the disk what is raised."""
    monkeypatch.setattr(journal, "FileIO", Frail)

    def fails(touch, problem):
        Frail.left, Frail.problem = touch, problem

    yield fails
    Frail.left = -1


def random_words(seed):
    """What HDF5 might do to a file: (offset, bytes) to write, a size to cut it to, or None to commit. It reads no holes, so that there are none."""
    rng, size = np.random.default_rng(seed), 0
    for k in range(100):
        if k % 8 == 7:
            yield None
        elif k % 11 == 10:
            size = int(rng.integers(0, size + 1))
            yield size
        else:
            offset = int(rng.integers(0, size + 1))
            data = rng.bytes(int(rng.integers(1, 3 * PAGE)))
            size = max(size, offset + len(data))
            yield offset, data


class Twin:
    """The plain twin: a file in memory, and what it was at each commit."""

    def __init__(self):
        self.now, self.committed = bytearray(), [b""]

    def do(self, word):
        if word is None:
            self.committed.append(bytes(self.now))
        elif isinstance(word, int):
            del self.now[word:]
        else:
            offset, data = word
            self.now[offset : offset + len(data)] = data


def do(file, word):
    if word is None:
        file.commit()
    elif isinstance(word, int):
        file.truncate(word)
    else:
        file.seek(word[0])
        file.write(word[1])


@pytest.mark.parametrize("seed", range(5))
def test_it_reads_as_what_was_written_and_is_on_the_disk_what_was_committed(seed, tmp_path):
    path, twin = tmp_path / "file", Twin()
    file = Journaled(path, new=True)
    for word in random_words(seed):
        do(file, word)
        twin.do(word)
        assert file.seek(0, os.SEEK_END) == file.tell() == len(twin.now)
        file.seek(0)
        assert file.read(len(twin.now)) == twin.now
        if len(twin.committed) > 1:
            assert path.read_bytes()[: len(twin.committed[-1])] == twin.committed[-1]
    file.commit()
    assert path.read_bytes() == twin.now and list(tmp_path.iterdir()) == [path]


def recover(path, frail):
    """Dying again and again while it does so, each time a touch later."""
    for touch in range(1, 100):
        frail(touch, Dead())
        try:
            journal.recover(path)
            return
        except Dead:
            pass
        finally:
            frail(-1, None)


@pytest.mark.parametrize("seed", range(3))
def test_a_death_at_any_touch_leaves_one_commit_or_the_next(seed, tmp_path, frail):
    path, outcomes = tmp_path / "file", set()
    for touch in range(1, 1000):
        twin, committing = Twin(), False
        file = Journaled(path, new=True)
        frail(touch, Dead())
        try:
            for word in random_words(seed):
                committing = word is None and len(twin.committed) > 1
                do(file, word)
                twin.do(word)
        except Dead:
            pass
        else:
            break
        finally:
            frail(-1, None)
            file.close()
        if len(twin.committed) > 1:  # a file that was never committed has not its name yet
            twin.do(None)
            waits = journal.waiting(path) is not None
            recover(path, frail)
            found, (before, after) = path.read_bytes(), twin.committed[-2:]
            wanted = after if waits else before
            assert found[: len(wanted)] == wanted and (committing or not waits)
            outcomes.add((committing, waits))
        assert not journal.beside(path).exists()
    assert 50 < touch < 1000 and outcomes == {(False, False), (True, False), (True, True)}


def a_run(path):
    """A run file in the writing, with two records."""
    file = RunFile.create(path, seeds=[1], projection="a_to_b", groups=["x"] * 3, levels=["spike"], force=True)
    file.start_level("spike", [1], 1, 3, 10.0, duration=40.0)
    file.listen("b", (0.0, 40.0))
    for k in range(2):
        add(file, k)
    return file


def add(file, k):
    file.append_spikes("b", np.array([10.0 * k + 1.0]), np.array([0]))
    file.append("spike", 10.0 * k, np.full((1, 1, 3), float(k)), np.full((1, 1), float(k)))


def test_a_disk_that_refuses_leaves_what_was_recorded(tmp_path, frail):
    """At every write of a record: one line, a file that everybody reads, and a run that can go on."""
    path = tmp_path / "run.h5"
    for touch in range(1, 100):
        frail(-1, None)
        file = a_run(path)
        frail(touch, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        try:
            with file:
                add(file, 2)
                break
        except HebbscopeError as error:
            assert str(error) == f"{path}: cannot be written (no space left on device)"
        frail(-1, None)
        assert read(path)["spike"].n_times in (2, 3)
        with h5py.File(path) as plain:
            assert plain["levels/spike/weights"][0, :2, 0, 0].tolist() == [0.0, 1.0]
        assert not journal.beside(path).exists()
        RunFile.reopen(path).close()
    assert touch > 10


def test_a_stop_in_the_midst_of_a_write_waits(tmp_path, monkeypatch):
    """An error of Python's own in there would be one of the disk to HDF5."""
    path, touched = tmp_path / "run.h5", []

    class Stopped(FileIO):
        def write(self, data):
            if not touched:
                touched.append(signal.raise_signal(signal.SIGINT))
            return super().write(data)

    file = a_run(path)
    monkeypatch.setattr(journal, "FileIO", Stopped)  # for the journal; the file is open already
    with pytest.raises(KeyboardInterrupt), file:
        add(file, 2)
    assert touched and describe(path)["spikes"]["b"]["count"] == 3
    RunFile.reopen(path).close()


def test_others_read_a_file_that_is_being_written(tmp_path):
    """What is not whole yet is not in their way."""
    path = tmp_path / "run.h5"
    with a_run(path) as file:
        with file.at_once():
            add(file, 2)
            file._file.flush()
            with h5py.File(path) as plain, xarray.open_datatree(path, engine="h5netcdf") as tree:
                assert plain["levels/spike/weights"][0, :, 0, 0].tolist() == [0.0, 1.0]
                assert tree["levels/spike/weights"].sizes["time"] == 2
            assert libsonata.SpikeReader(str(path))["b"].get() == [(0, 1000.0), (0, 11000.0)]
        with h5py.File(path) as plain:
            assert plain["levels/spike/weights"][0, :, 0, 0].tolist() == [0.0, 1.0, 2.0]
        assert len(libsonata.SpikeReader(str(path))["b"].get()) == 3


@pytest.fixture
def broken_off(tmp_path, frail):
    """A run file whose run was killed when its journal was whole and nothing of it written yet."""
    path = tmp_path / "run.h5"
    file = a_run(path)
    monitored = journal.Changes.apply
    journal.Changes.apply = lambda *_: (_ for _ in ()).throw(Dead())
    try:
        with pytest.raises(Dead):
            add(file, 2)
    finally:
        journal.Changes.apply = monitored
    file._disk.give_up()
    file._file.close()
    file._disk.close()
    file._lock.release()
    assert journal.waiting(path) is not None
    return path


def test_a_reader_finishes_what_a_kill_broke_off(broken_off):
    with h5py.File(broken_off) as plain:
        assert len(plain["levels/spike/time"]) == 2
    assert describe(broken_off)["spikes"]["b"]["count"] == 3
    with h5py.File(broken_off) as plain:
        assert len(plain["spikes/b/timestamps"]) == 3
    assert not journal.beside(broken_off).exists()


def test_a_journal_changes_no_other_file(broken_off):
    """Somebody has put another run in the place of the one that was killed."""
    left = journal.beside(broken_off).read_bytes()
    other = broken_off.with_name("other.h5")
    a_run(other).close(complete=False)
    content = other.read_bytes()
    os.replace(other, broken_off)
    journal.beside(broken_off).write_bytes(left)
    assert describe(broken_off)["spikes"]["b"]["count"] == 2
    journal.recover(broken_off)
    assert broken_off.read_bytes() == content and not journal.beside(broken_off).exists()


def test_a_file_that_cannot_be_finished_is_one_line(broken_off, monkeypatch):
    def refused(path):
        raise HebbscopeError(f"{path}: cannot be written (read-only file system)")

    monkeypatch.setattr(runreader, "locked", refused)
    with pytest.raises(HebbscopeError, match="which must finish what a kill broke off") as error:
        read(broken_off)
    assert "\n" not in str(error.value)


def test_a_spoilt_journal_is_none(broken_off):
    whole = journal.beside(broken_off).read_bytes()
    for place in np.random.default_rng(1).integers(0, len(whole), 50):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0x10
        journal.beside(broken_off).write_bytes(spoilt)
        assert journal.waiting(broken_off) is None
    journal.beside(broken_off).write_bytes(whole[:-1])
    assert journal.waiting(broken_off) is None


@pytest.mark.parametrize(
    "numbers", [(), (100, 0, 1), (100, 0, 2**64 - 1), (100, 0, 1, 99, 2), (2**63, 0, 1, 0, 2), (1, 0, 1, 0, 2)]
)
def test_a_journal_that_contradicts_itself_is_none(broken_off, numbers):
    body = journal.MAGIC + b"".join(number.to_bytes(8, "little") for number in numbers) + b"ab"
    journal.beside(broken_off).write_bytes(body + crc32(body).to_bytes(4, "little"))
    assert journal.waiting(broken_off) is None and read(broken_off)["spike"].n_times == 2


def test_a_pipe_is_no_journal(broken_off):
    journal.beside(broken_off).unlink()
    os.mkfifo(journal.beside(broken_off))
    assert journal.waiting(broken_off) is None and read(broken_off)["spike"].n_times == 2


def test_a_file_that_cannot_be_made_leaves_the_older_one(tmp_path, frail):
    path = tmp_path / "run.h5"
    a_run(path).close(complete=False)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    for touch in (1, 5):
        frail(touch, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        with pytest.raises(HebbscopeError, match=r"run\.h5: cannot be written \(no space left on device\)"):
            a_run(path)
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    assert creation.created_at(path)
