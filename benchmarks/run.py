"""Speed of the kempter1999 network: the event engine beside a hand-fused kernel and Brian2's C++ standalone, in one run.

    python benchmarks/run.py [--rounds 15] [--without-brian2]

Rounds are interleaved, so that all see the same machine, and CPU time is counted, so that others on it matter little; a ratio is the
median over rounds of the ratio within a round. No time is believed before rate and mean weight agree with theory. Brian2 gets an
environment of its own in benchmarks/.environments, made at the first run, and needs a C++ compiler.
Writes benchmarks/results.json and benchmarks/results.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import fused_kempter
import numpy as np
from setting import machine, network

from hebbscope import simulate

HERE = Path(__file__).resolve().parent
SECONDS, BRIAN2_SECONDS = 2000.0, 200.0  # biological, in each round
RECORD_EVERY = 200.0  # s, as in the experiment
TOLERANCE = 0.03  # of rate and mean weight; the average over rounds has a standard error of half a per cent or less
READY_REPEATS = 5
WANTED = {  # name: (what, bound, whether it is an upper bound)
    "engine / fused": ("CPU time of the event engine, in hand-fused kernels", 1.5, True),
    "brian2 / engine": ("CPU time of Brian2's C++ standalone, in event engines", 60.0, False),
    "kernel ready": ("CPU time until a second process has the compiled kernel [s]", 0.5, True),
    "command": ("`hebbscope run kempter1999`: 16 seeds, three levels, 20,000 s [s]", 60.0, True),
    "memory": ("its peak memory [MB]", 500.0, True),
}
READY = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from setting import network
from hebbscope import simulate
import numba
layer = network()
wall, cpu = time.perf_counter(), time.process_time()
simulate(layer, 1e-3, threads=1)
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]))
"""


class Brian2:
    """The peer in its own environment: compiled on entry, one run for each call of `round`."""

    def __init__(self, folder: str):
        self.python = self._environment(HERE / ".environments" / "brian2")
        self.folder = folder

    @staticmethod
    def _environment(folder: Path) -> Path:
        python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
        if subprocess.run([python, "-c", "import brian2"], capture_output=True).returncode if python.exists() else True:
            print("making an environment for Brian2 ...", flush=True)
            venv.create(folder, with_pip=True, clear=True)
            # Brian2 2.9, the newest for Python 3.11, cannot be imported with numpy 2.4.
            subprocess.run([python, "-m", "pip", "install", "-qq", "brian2>=2.9", "numpy<2.4"], check=True)
        return python

    def __enter__(self) -> Brian2:
        print("compiling the network in Brian2 ...", flush=True)
        script = HERE / "peers" / "brian2_kempter.py"
        command = [self.python, script, self.folder, str(BRIAN2_SECONDS)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=self.folder
        )
        self.built = self._answer()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("Brian2 stopped; its message stands above")
        return json.loads(line)

    def round(self) -> dict:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._answer()


def engine_round(layer, level: str, seed: int) -> dict:
    """One run of the event engine through the Python door, its set-up and default records included."""
    started = time.process_time()
    run = simulate(layer, SECONDS, level=level, seeds=seed, record_every=RECORD_EVERY, threads=1)
    cpu = time.process_time() - started
    return {"cpu": cpu, "rate": float(run.output_rate[0, 1:].mean()), "mean_weight": float(run.final_weights.mean())}


def fused_round(seed: int) -> dict:
    run = fused_kempter.simulate(SECONDS, seed)
    return {"cpu": run.cpu_seconds, "rate": run.output_rate, "mean_weight": float(run.mean_weight[-1])}


def interleaved(rounds: int, brian2: Brian2 | None) -> dict[str, list[dict]]:
    """name -> what each round found; CPU time is per biological second."""
    layer = network()
    fused_kempter.simulate(1.0)
    for level in ("spike", "surrogate"):
        simulate(layer, 1e-3, level=level, threads=1)
    found: dict[str, list[dict]] = {"fused": [], "engine": [], "surrogate": [], "brian2": []}
    for k in range(rounds):
        found["fused"].append(fused_round(k))
        found["engine"].append(engine_round(layer, "spike", k))
        found["surrogate"].append(engine_round(layer, "surrogate", k))
        if brian2 is not None:
            found["brian2"].append(brian2.round())
        print(f"round {k + 1} of {rounds}", end="\r", flush=True)
    for name, seconds in (("fused", SECONDS), ("engine", SECONDS), ("surrogate", SECONDS), ("brian2", BRIAN2_SECONDS)):
        for one in found[name]:
            one["cpu"] /= seconds
    return {name: several for name, several in found.items() if several}


def check(found: dict[str, list[dict]]) -> dict[str, dict[str, float]]:
    """Mean rate [Hz] and weight of each, refused where they are not theory's."""
    behaviour = {}
    for name, several in found.items():
        seconds = BRIAN2_SECONDS if name == "brian2" else SECONDS
        steps = np.linspace(0.0, seconds, 201)
        weight, _, rate = np.array([fused_kempter.expected(t, causal=name != "surrogate") for t in steps]).T
        theory = {"rate": float(rate.mean()), "mean_weight": float(weight[-1])}
        behaviour[name] = {key: float(np.mean([one[key] for one in several])) for key in theory}
        for key, value in theory.items():
            if abs(behaviour[name][key] / value - 1) > TOLERANCE:
                raise SystemExit(
                    f"{name}: {key} is {behaviour[name][key]:.5g}, theory {value:.5g}; its time means nothing"
                )
            behaviour[name][f"{key} of theory"] = value
    return behaviour


def kernel_ready() -> dict[str, float]:
    """Seconds of the first simulate in a process: with nothing on disk, and when another process has compiled before (medians)."""
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"HEBBSCOPE_CACHE": cache}
        times = [
            json.loads(subprocess.check_output([sys.executable, "-c", READY, str(HERE)], env=environment))
            for _ in range(1 + READY_REPEATS)
        ]
    wall, cpu = np.median(times[1:], axis=0)
    return {"compile": times[0][1], "ready": float(wall), "ready_cpu": float(cpu)}


def command() -> dict[str, float]:
    """Wall and CPU seconds and peak memory [MB] of `hebbscope run kempter1999`, kernels compiled before."""
    shell = [sys.executable, "-c", "from hebbscope.cli import main; main()", "run", "kempter1999", "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [*shell, "--duration", "10", "--out", "warm.h5"], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        started = time.perf_counter()
        process = subprocess.Popen([*shell, "--out", "run.h5"], cwd=folder, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
    if status:
        raise SystemExit("hebbscope run kempter1999 failed")
    megabytes = usage.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "memory": megabytes}


def measure(rounds: int, with_brian2: bool) -> dict:
    """Everything, as one dictionary that can be written as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        if with_brian2:
            with Brian2(folder) as brian2:
                found = interleaved(rounds, brian2)
                more = {"brian2": brian2.built["version"]}
        else:
            found, more = interleaved(rounds, None), {}
    cpu = {name: np.array([one["cpu"] for one in several]) for name, several in found.items()}
    results = {
        "machine": machine(**more),
        "rounds": rounds,
        "cpu_per_second": {name: {"median": float(np.median(x)), "best": float(x.min())} for name, x in cpu.items()},
        "behaviour": check(found),
        "ready": kernel_ready(),
        "command": command(),
    }
    ratios = {"engine / fused": cpu["engine"] / cpu["fused"]}
    if with_brian2:
        ratios["brian2 / engine"] = cpu["brian2"] / cpu["engine"]
    results["ratios"] = {name: float(np.median(x)) for name, x in ratios.items()}
    return results


def table(results: dict) -> str:
    """The results as Markdown."""
    names = {
        "engine": "hebbscope, every spike",
        "surrogate": "hebbscope, surrogate (twice the input spikes)",
        "fused": "kernel fused by hand for this network",
        "brian2": "Brian2, C++ standalone, steps of 0.1 ms",
    }
    engine = results["cpu_per_second"]["engine"]["median"]
    lines = ["| kempter1999, one seed | CPU time per biological second | relative | output rate | mean weight |"]
    lines.append("|---|--:|--:|--:|--:|")
    for name, label in names.items():
        if name in results["cpu_per_second"]:
            cpu, seen = results["cpu_per_second"][name]["median"], results["behaviour"][name]
            lines.append(
                f"| {label} | {1e6 * cpu:,.0f} µs | {cpu / engine:.2g} | {seen['rate']:.2f} Hz | {seen['mean_weight']:.4f} |"
            )
    measured = results["ratios"] | {
        "kernel ready": results["ready"]["ready_cpu"],
        "command": results["command"]["wall"],
        "memory": results["command"]["memory"],
    }
    lines += ["", "| | measured | wanted |", "|---|--:|--:|"]
    for name, (label, bound, upper) in WANTED.items():
        if name in measured:
            lines.append(f"| {label} | {measured[name]:.3g} | {'at most' if upper else 'at least'} {bound:g} |")
    here = results["machine"]
    versions = ", ".join(
        f"{name} {value}" for name, value in here.items() if name not in ("processor", "cores", "python")
    )
    lines += [
        "",
        f"Medians of {results['rounds']} interleaved rounds; a ratio is taken within each round. The first compile of a network takes "
        f"{results['ready']['compile']:.0f} s of CPU time, the command {results['command']['cpu']:.0f} s.",
        f"{here['cores']} cores, {here['processor']}; Python {here['python']}, {versions}.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, write."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=15, help="interleaved rounds")
    arguments.add_argument("--without-brian2", action="store_true", help="leave the peer out")
    options = arguments.parse_args()
    results = measure(options.rounds, not options.without_brian2)
    text = table(results)
    print(text)
    (HERE / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    (HERE / "results.md").write_text(text)


if __name__ == "__main__":
    main()
