"""Kill runs at random moments, resume each, and hold the result against the run that nobody killed.

    python tests/faults.py [--kills 50] [--seed 1]

A run is killed (SIGKILL) some time between its start and its end, resumed, killed again now and then, and resumed until it is over.
Its file must then hold the same bits as that of the unbroken run. Checkpoints are made far more often than usual, so that many a kill falls into the
writing of one. Exits 3 if any differs.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

COMMAND = """
import sys
from hebbscope.simulator import checkpoint
checkpoint.EVERY = 0.01
from hebbscope.cli import main
main()
"""
RUN = ("run", "kempter1999", "--seeds", "1:3", "--set", "record_every=20", "--threads", "2")
NOT_COMPARED = {"created"}


def hebbscope(*arguments: str, folder: Path) -> subprocess.Popen:
    """The shell door in a process of its own, with checkpoints all the time."""
    command = [sys.executable, "-c", COMMAND, *arguments, "--no-figure", "--quiet"]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)


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


def main() -> None:
    """Kill, resume, compare; exit code 3 when a file differs."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--kills", type=int, default=50, help="how many runs to kill")
    arguments.add_argument("--seed", type=int, default=1, help="of the moments")
    arguments.add_argument("--duration", default="15000", help="of each [s]")
    options = arguments.parse_args()
    run = (*RUN, "--duration", options.duration)
    chance, wrong, total = random.Random(options.seed), 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        finish(*run, "--out", "whole.h5", folder=folder)
        seconds = finish(*run, "--out", "whole.h5", "--force", folder=folder)  # compiled by now
        for k in range(options.kills):
            total += killed_and_resumed(folder, run, chance, seconds)
            with h5py.File(folder / "whole.h5") as whole, h5py.File(folder / "killed.h5") as killed:
                found = differences(whole, killed)
            left = sorted(path.name for path in folder.iterdir() if path.name not in ("whole.h5", "killed.h5"))
            wrong += bool(found or left)
            print(
                f"run {k + 1}: {'the same bits' if not found else f'differs in {found}'}{f', left {left}' if left else ''}"
            )
    print(f"{options.kills} runs killed {total} times: {options.kills - wrong} equal the unbroken run")
    sys.exit(3 if wrong else 0)


if __name__ == "__main__":
    main()
