"""Kill runs at random moments or fill their disk, resume each, and hold the result against the run that nothing befell.

    python tests/faults.py [--kills 50] [--full 10] [--seed 1] [--step 1]

A run is killed (SIGKILL) some time between its start and its end, resumed, killed again now and then, and resumed until it is over. Others write to
a small disk (tmpfs in a namespace of its own) that says how much room is left, or, as with a quota, does not; they stop with one line, and are
resumed where there is room. Where mounts are not allowed, the disk is as large as ever and only said to be small.
The file must then hold the same bits as that of the unbroken run. Checkpoints are made far more often than usual, so that many a fault falls into
the writing of one. Then a short run dies at every moment at which it touches the disk, or every few with --step (moments.py). Exits 3 if any differs.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

COMMAND = """
import os, shutil, types
if "ROOM" in os.environ:  # what the disk says is free, whatever is true
    room = int(os.environ["ROOM"])
    used = lambda: sum(file.stat().st_size for file in os.scandir(".") if file.name.startswith("filled"))
    shutil.disk_usage = lambda path: types.SimpleNamespace(free=room - used())
    from hebbscope.simulator import estimate  # the forecast would refuse the run
    estimate.estimate = lambda *description, **options: estimate.Estimate(0, 0)
from hebbscope.simulator import checkpoint
checkpoint.EVERY = 0.01
from hebbscope.cli import main
main()
"""
RUN = ("run", "kempter1999", "--seeds", "1:3", "--set", "record_every=20", "--threads", "2")
NOT_COMPARED = {"created"}


def hebbscope(*arguments: str, folder: Path, **environment: str) -> subprocess.Popen:
    """The shell door in a process of its own, with checkpoints all the time."""
    command = [sys.executable, "-c", COMMAND, *arguments, "--no-figure", "--quiet"]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=os.environ | environment)


def finish(*arguments: str, folder: Path) -> float:
    """Run to the end; returns how long it took [s]."""
    began = time.perf_counter()
    process = hebbscope(*arguments, folder=folder)
    said = process.communicate()[1]
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)}: exit code {process.returncode}: {said}")
    return time.perf_counter() - began


def differences(one: h5py.Group, other: h5py.Group) -> list[str]:
    """Paths of what two files do not have alike, to the bit."""
    found = [f"{one.name}/{name}" for name in one.keys() ^ other.keys()]
    for name in (one.attrs.keys() | other.attrs.keys()) - NOT_COMPARED - {"REFERENCE_LIST", "DIMENSION_LIST"}:
        if not np.array_equal(one.attrs.get(name), other.attrs.get(name)):
            found.append(f"{one.name}@{name}")
    for name in one.keys() & other.keys():
        a, b = one[name], other[name]
        if isinstance(a, h5py.Group):
            found += differences(a, b)
        elif a.shape != b.shape or a[()].tobytes() != b[()].tobytes() if a.dtype.kind != "O" else list(a) != list(b):
            found.append(a.name)
    return found


def killed_and_resumed(folder: Path, run: tuple[str, ...], chance: random.Random, seconds: float) -> int:
    """One run, killed at least once and resumed until it is over; returns how often it was killed."""
    arguments, kills = (*run, "--out", "killed.h5", "--force"), 0
    while True:
        process = hebbscope(*arguments, folder=folder)
        try:
            said = process.communicate(timeout=chance.uniform(0.0, seconds) if kills < 3 else None)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            if (folder / "killed.h5.checkpoint").exists():
                arguments = ("resume", "killed.h5")
            elif arguments[0] == "resume":
                return kills  # killed after the file was complete
            continue
        if process.returncode:
            raise SystemExit(f"after {kills} kills: exit code {process.returncode}: {said}")
        if kills:
            return kills


MOUNT = """
mount -t tmpfs -o size={size} none small && cd small && {{ {command}; code=$?; cp -a . ..; exit $code; }}
"""
RESERVE = 16_000_000  # bytes at which a run stops writing
UNSEEN = 10**12  # bytes that are said to be free where a quota is not told


def filled(folder: Path, run: tuple[str, ...], chance: random.Random, size: int, quota: bool) -> tuple[int, str]:
    """Exit code and words of one run on a disk that gets full; its files are in the folder then."""
    room, told = int(chance.uniform(0.3, 0.9) * size), UNSEEN
    if not quota or not MOUNTS:
        told = RESERVE + room
    command = [sys.executable, "-c", COMMAND, *run, "--out", "filled.h5", "--no-figure", "--quiet"]
    if quota and MOUNTS:
        (folder / "small").mkdir(exist_ok=True)
        script = MOUNT.format(size=room, command=shlex.join(command))
        command = ["unshare", "--map-root-user", "--mount", "sh", "-c", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=os.environ | {"ROOM": str(told)})
    return done.returncode, done.stderr


def mounts() -> bool:
    """Whether a process may have mounts of its own here."""
    try:
        script = ["unshare", "--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs none /mnt"]
        return subprocess.run(script, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


MOUNTS = mounts()


def filled_and_resumed(folder: Path, run: tuple[str, ...], chance: random.Random, size: int, quota: bool) -> None:
    """One run on a disk that gets full, resumed where there is room."""
    for file in folder.glob("filled.h5*"):
        file.unlink()
    code, said = filled(folder, run, chance, size, quota)
    if code != 2 or said.count("\n") != 1 or not said.startswith("hebbscope: filled.h5"):
        raise SystemExit(f"on a full disk: exit code {code}: {said}")
    finish("resume", "filled.h5", folder=folder)


def verdict(folder: Path, name: str) -> str:
    """What is wrong with a file that was resumed; empty where nothing is."""
    with h5py.File(folder / "whole.h5") as whole, h5py.File(folder / name) as other:
        found = differences(whole, other)
    left = sorted(path.name for path in folder.iterdir() if path.suffix != ".h5" and path.is_file())
    return "; ".join([f"differs in {path}" for path in found] + [f"left {file}" for file in left])


def at_every_moment(step: int) -> int:
    """Let a short run die at every step-th moment; returns at how many of them something was wrong."""
    from moments import SCENES, deaths

    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for scene in SCENES:
            found = list(deaths(Path(folder), scene, step))
            wrong += sum(bool(problem) for _, problem in found)
            for moment, problem in found:
                if problem:
                    print(f"a run {scene}, dead at moment {moment}: {problem}")
            print(f"a run {scene}: died at {len(found) - 1} moments", flush=True)
    return wrong


def main() -> None:
    """Kill, resume, compare; exit code 3 when a file differs."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--kills", type=int, default=50, help="how many runs to kill")
    arguments.add_argument("--full", type=int, default=10, help="how many to give too small a disk")
    arguments.add_argument("--seed", type=int, default=1, help="of the moments")
    arguments.add_argument("--duration", default="15000", help="of each [s]")
    arguments.add_argument("--step", type=int, default=1, help="every how many moments of a short run it dies; 0: none")
    options = arguments.parse_args()
    run = (*RUN, "--duration", options.duration)
    chance, wrong, total = random.Random(options.seed), 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        finish(*run, "--out", "whole.h5", folder=folder)
        seconds = finish(*run, "--out", "whole.h5", "--force", folder=folder)  # compiled by now
        for k in range(options.kills):
            total += killed_and_resumed(folder, run, chance, seconds)
            found = verdict(folder, "killed.h5")
            wrong += bool(found)
            print(f"killed run {k + 1}: {found or 'the same bits'}", flush=True)
        for k in range(options.full):
            filled_and_resumed(folder, run, chance, (folder / "whole.h5").stat().st_size, quota=k % 2 == 1)
            found = verdict(folder, "filled.h5")
            wrong += bool(found)
            print(f"run on a full disk {k + 1}: {found or 'the same bits'}", flush=True)
    n = options.kills + options.full
    print(
        f"{options.kills} runs killed {total} times, {options.full} out of disk: {n - wrong} of {n} equal the unbroken run"
    )
    wrong += at_every_moment(options.step) if options.step else 0
    sys.exit(3 if wrong else 0)


if __name__ == "__main__":
    main()
