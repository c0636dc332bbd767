"""What the programs of all simulators share: the settings that they are handed, what is timed, and how they answer.

    python PROGRAM SETTINGS

SETTINGS is a JSON file: kind, parameters, seconds, dt, threads, folder (to build in), graph (of a balanced network: an .npz with the two ends of each
synapse of each projection), and what belongs to one program. The program prints one JSON object when it is ready,
{"version", "compile": wall s}, and one for each line of standard input, which is a seed:

    {"cpu": s and "wall": s of the simulation alone, "build": wall s before it, "memory": MB at most, "rate": Hz of a neuron,
     "mean_weight" and "sd_weight" of the plastic synapses, in the unit of the parameters}

Needs Python and numpy alone, so that it runs in the environment of any simulator.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from time import perf_counter

import numpy as np


class Timed:
    """Wall and CPU seconds of a with-block, those of all threads together."""

    def __enter__(self):
        self.wall, self.cpu = perf_counter(), self._cpu()
        return self

    def __exit__(self, *_):
        self.wall, self.cpu = perf_counter() - self.wall, self._cpu() - self.cpu

    @staticmethod
    def _cpu():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime


def peak_memory(status="/proc/self/status"):
    """MB at most so far; where Linux says it, without what the parent held at the fork."""
    if Path(status).exists():
        lines = Path(status).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def answer(timed, build, memory, rate, weights):
    """What is said of one run; weights: of the plastic synapses."""
    behaviour = {"rate": float(rate), "mean_weight": float(np.mean(weights)), "sd_weight": float(np.std(weights))}
    return {"cpu": timed.cpu, "wall": timed.wall, "build": build, "memory": memory} | behaviour


def serve(simulator):
    """Build simulator(settings), which has `built`, and answer each seed with its run(seed)."""
    program = simulator(json.loads(Path(sys.argv[1]).read_text()))
    say(program.built)
    for line in sys.stdin:
        say(program.run(int(line)))


def say(found):
    """One line, apart from what a simulator may have begun to print."""
    print("\n" + json.dumps(found), flush=True)
