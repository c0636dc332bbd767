"""Die at every single moment at which a short run touches the disk, go on, and hold the result against the run that nothing befell.

Each attempt is a process of its own, forked where all is compiled, that kills itself (SIGKILL): in the midst of a write, or just before a file is cut, renamed, removed
or settled. What was committed before must then be there for h5py, or, where a commit was on its way, for hebbscope; and the run goes on to the same bits.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from itertools import count
from mmap import mmap
from pathlib import Path
from typing import NamedTuple

import h5py
from faults import differences

from hebbscope import Network, Population, Projection, simulate
from hebbscope.models import HomogeneousPoisson, LinearPoisson
from hebbscope.rules import KempterWindow, SpikeHebb
from hebbscope.simulator import checkpoint, drive, journal
from hebbscope.simulator.runfile import RunFile, describe

SEEDS, LEVELS, DURATION, EVERY = (1, 2), ("spike", "rate"), 4.0, 1.0
TOUCHES = ("replace", "unlink", "fsync")  # of os


class Death(NamedTuple):
    """Whether the process came to its end before the moment, and how many records of its first level were committed before."""

    survived: bool
    records: int


def network() -> Network:
    inputs, neuron = Population("inputs", 4, HomogeneousPoisson(20.0)), Population("neuron", 1, LinearPoisson())
    return Network([inputs, neuron], [Projection(inputs, neuron, 0.2, SpikeHebb(KempterWindow(), eta=1e-4))])


def begin(path: Path, seeds: tuple[int, ...] = SEEDS) -> None:
    """The run from its start to its end, in the place of whatever is there."""
    _to_the_end(RunFile.create(path, network=network(), seeds=seeds, levels=LEVELS, force=True), seeds)


def go_on(path: Path) -> None:
    """From its checkpoint to its end."""
    _to_the_end(RunFile.reopen(path), SEEDS)


def _to_the_end(file: RunFile, seeds: tuple[int, ...]) -> None:
    with file:
        for level in LEVELS:
            if level not in file.finished:
                plan = {"seeds": seeds, "record_every": EVERY, "threads": 1, "file": file}
                simulate(network(), DURATION, level=level, **plan)


def dying(work: Callable[[], None], moment: int) -> Death:
    """Do it in a process that is killed when it touches the disk for the moment-th time."""
    told = mmap(-1, 8)
    process = os.fork()
    if process == 0:
        try:
            _arm(moment, told)
            work()
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
            os._exit(1)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert ended in (0, -signal.SIGKILL)
    return Death(ended == 0, int.from_bytes(told[:], "little"))


def _arm(moment: int, told: mmap) -> None:
    """Count what this process does to the disk; each record is written when it is made, and a checkpoint at every third."""
    left, calls, written = count(moment - 1, -1), count(1), [0]
    append, commit = RunFile.append, journal.Journaled.commit

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    class Dying(journal.FileIO):
        def write(self, data):
            if next(left) == 0:
                super().write(data[: len(data) // 2])
                die()
            return super().write(data)

        def truncate(self, size):
            if next(left) == 0:
                die()
            return super().truncate(size)

    def touched(function):
        def touch(*arguments, **options):
            if next(left) == 0:
                die()
            return function(*arguments, **options)

        return touch

    def appended(file, level, *record):
        with file.at_once():
            append(file, level, *record)
            if level == LEVELS[0]:
                written.append(len(file._levels[level].time))

    def committed(disk):
        commit(disk)
        told[:] = written[-1].to_bytes(8, "little")

    for name in TOUCHES:
        setattr(os, name, touched(getattr(os, name)))
    journal.FileIO, RunFile.append, journal.Journaled.commit = Dying, appended, committed
    drive.WRITE, checkpoint.Keeper.due = -1.0, lambda keeper: next(calls) % 3 == 0


def read_all(path: Path) -> None:
    """Every attribute and every number, as anybody might."""

    def look(name: str, item: h5py.Group | h5py.Dataset) -> None:
        dict(item.attrs)
        if isinstance(item, h5py.Dataset):
            item[()]

    with h5py.File(path) as file:
        look("/", file)
        file.visititems(look)


def contents(folder: Path) -> dict[str, bytes]:
    """Of all files but locks."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.suffix != ".lock"}


def verdict(path: Path, death: Death, before: dict[str, bytes], whole: Path) -> str:
    """What is wrong after a death, and when the run has gone on; empty where nothing is. before: what was in the folder, of another run."""
    if path.exists():
        if journal.waiting(path) is None:
            read_all(path)
        records = describe(path)["levels"].get(LEVELS[0], {"records": 0})["records"]
        if records < death.records:
            return f"{death.records} records were committed, {records} are there"
        read_all(path)
    now, kept = contents(path.parent), checkpoint.beside(path)
    if kept.exists() and now[kept.name] != before.get(kept.name):
        go_on(path)
    elif not (path.exists() and describe(path)["complete"]):
        changed = [name for name, content in before.items() if now.get(name) != content]
        return f"{changed} changed before there was a checkpoint" if changed else ""
    with h5py.File(path) as file, h5py.File(whole) as unbroken:
        found = differences(unbroken, file)
    stray = sorted(contents(path.parent).keys() - {path.name})
    return "; ".join([f"differs in {name}" for name in found] + [f"left {name}" for name in stray])


def left_beyond(path: Path, moment: int) -> bool:
    """Whether a death leaves records that came after the checkpoint, which itself counts some."""
    shutil.rmtree(path.parent)
    path.parent.mkdir()
    dying(lambda: begin(path), moment)
    about = describe(path) if path.exists() else {}
    kept = about.get("checkpoint", {"level": ""})
    return kept["level"] == LEVELS[0] and about["levels"][LEVELS[0]]["records"] > kept["records"] > 0


SCENES = {"begun": begin, "in the place of another": begin, "resumed": go_on}


def deaths(folder: Path, scene: str, step: int = 1) -> Iterator[tuple[int, str]]:
    """Each step-th moment of a scene, and what was wrong after it, until the run gets to its end before."""
    whole, start, path = folder / "whole.h5", folder / "start", folder / "scene" / "run.h5"
    if not whole.exists():
        begin(whole)
    shutil.rmtree(start, ignore_errors=True)
    start.mkdir()
    if scene == "in the place of another":
        dying(lambda: begin(start / path.name, seeds=(7,)), 150)
        describe(start / path.name)  # finishes the commit that was broken off
    if scene == "resumed":
        next(moment for moment in count(60, 5) if left_beyond(start / path.name, moment))
    before = contents(start) if scene == "in the place of another" else {}
    for moment in count(1, step):
        shutil.rmtree(path.parent, ignore_errors=True)
        shutil.copytree(start, path.parent)
        death = dying(lambda: SCENES[scene](path), moment)
        yield moment, verdict(path, death, before, whole)
        if death.survived:
            return
