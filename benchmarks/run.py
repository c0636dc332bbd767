"""Speed of the kempter1999 network: the event engine beside a hand-fused kernel and Brian2's C++ standalone, in one run.

    python benchmarks/run.py [--rounds 15] [--without-brian2]

Rounds are interleaved, so that all see the same machine, and CPU time is counted. Others on the machine can only lengthen it (two programs
share a core's units and caches), so each round is timed in pieces, and the best piece is compared; medians of whole rounds
stand beside. No time is believed before rate and mean weight agree with theory. Brian2 gets an environment of its own in
benchmarks/.environments, made at the first run, and needs a C++ compiler.
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
from pathlib import Path

import fused_kempter
import numpy as np
from programs import Program, environment
from setting import machine, network

from hebbscope import simulate
from hebbscope.simulator.runfile import RunFile

HERE = Path(__file__).resolve().parent
SECONDS, BRIAN2_SECONDS = 2000.0, 200.0  # biological, in each round
PIECE = 200.0  # s, the interval of records in the experiment
TOLERANCE = 0.03  # of rate and mean weight; the average over rounds has a standard error of half a per cent or less
READY_REPEATS, WRITING_REPEATS = 5, 5
WANTED = {  # name: (what, bound, whether it is an upper bound)
    "engine / fused": ("CPU time of the event engine, in hand-fused kernels", 1.5, True),
    "brian2 / engine": ("CPU time of Brian2's C++ standalone, in event engines", 60.0, False),
    "kernel ready": ("until a second process has the compiled kernel [s]", 0.5, True),
    "command": ("`hebbscope run kempter1999`: 16 seeds, three levels, 20,000 s [s]", 60.0, True),
    "memory": ("its peak memory [MB]", 500.0, True),
    "writing": ("time that records and checkpoints add to a run of 16 seeds [%]", 5.0, True),
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


def brian2_program(folder: str) -> Program:
    """The peer's network, compiled on entry."""
    script = HERE / "peers" / "brian2_kempter.py"
    return Program(environment("brian2"), script, folder, BRIAN2_SECONDS, folder=folder)


def engine_round(layer, level: str, seed: int) -> dict:
    """One run of the event engine through the Python door, its default records included; in the whole, its set-up too."""
    started, marks = time.process_time(), {}
    run = simulate(
        layer,
        SECONDS,
        level=level,
        seeds=seed,
        record_every=PIECE,
        threads=1,
        progress=lambda t: marks.update({t: time.process_time()}),
    )
    whole = (time.process_time() - started) / SECONDS
    best = min(np.diff([marks[t] for t in run.time[1:]])) / PIECE  # a piece may have come in several strides
    rate, weight = float(run.output_rate[0, 1:].mean()), float(run.final_weights.mean())
    return {"cpu": whole, "best": best, "rate": rate, "mean_weight": weight}


def fused_round(seed: int) -> dict:
    """One run of the fused kernel for rate and weight, then pieces of it for the time."""
    run = fused_kempter.simulate(SECONDS, seed)
    best = min(fused_kempter.simulate(PIECE, k).cpu_seconds for k in range(int(SECONDS / PIECE))) / PIECE
    return {"cpu": run.cpu_seconds / SECONDS, "best": best, "rate": run.output_rate, "mean_weight": run.mean_weight[-1]}


def brian2_round(brian2: Program) -> dict:
    """One run of the compiled program; it cannot be timed in pieces."""
    found = brian2.ask()
    cpu = found.pop("cpu") / BRIAN2_SECONDS
    return found | {"cpu": cpu, "best": cpu}


def interleaved(rounds: int, brian2: Program | None) -> dict[str, list[dict]]:
    """name -> what each round found; CPU times are per biological second."""
    layer = network()
    fused_kempter.simulate(1.0)
    for level in ("spike", "surrogate"):
        simulate(layer, 1e-3, level=level, threads=1)
    found: dict[str, list[dict]] = {"engine": [], "surrogate": [], "fused": [], "brian2": []}
    for k in range(rounds):
        found["fused"].append(fused_round(k))
        found["engine"].append(engine_round(layer, "spike", k))
        found["surrogate"].append(engine_round(layer, "surrogate", k))
        if brian2 is not None:
            found["brian2"].append(brian2_round(brian2))
        print(f"round {k + 1} of {rounds}", end="\r", flush=True)
    print()
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
    """Of the first simulate in a process: CPU seconds with nothing on disk, and the median time of several after another has compiled."""
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"HEBBSCOPE_CACHE": cache}
        times = [
            json.loads(subprocess.check_output([sys.executable, "-c", READY, str(HERE)], env=environment))
            for _ in range(1 + READY_REPEATS)
        ]
    return {"compile": times[0][1], "ready": float(np.median([wall for wall, _ in times[1:]]))}


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


def writing() -> dict[str, float]:
    """What a file adds to the time of 16 seeds at the spike level, with the records and checkpoints of the command, by the best of each."""
    layer, seeds, times = network(), range(16), {"with": [], "without": []}
    with tempfile.TemporaryDirectory() as folder:
        for k in range(WRITING_REPEATS):
            file = RunFile.create(Path(folder, f"{k}.h5"), network=layer, seeds=seeds, levels=["spike"])
            for name, kept in (("without", None), ("with", file)):
                started = time.perf_counter()
                simulate(layer, SECONDS, seeds=seeds, record_every=SECONDS / 100, threads=1, file=kept)
                times[name].append(time.perf_counter() - started)
            file.close()
    best = {name: min(several) for name, several in times.items()}
    return {**best, "percent": 100.0 * (best["with"] / best["without"] - 1.0)}


def measure(rounds: int, with_brian2: bool) -> dict:
    """Everything, as one dictionary that can be written as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        if with_brian2:
            print("compiling the network in Brian2 ...", flush=True)
            with brian2_program(folder) as brian2:
                found = interleaved(rounds, brian2)
                more = {"brian2": brian2.built["version"]}
        else:
            found, more = interleaved(rounds, None), {}
    cpu = {
        name: {
            "best": float(min(one["best"] for one in several)),
            "median": float(np.median([one["cpu"] for one in several])),
        }
        for name, several in found.items()
    }
    if with_brian2:
        cpu["brian2"]["system"] = float(np.median([one["system"] for one in found["brian2"]])) / BRIAN2_SECONDS
    pairs = [("engine", "fused"), *([("brian2", "engine")] if with_brian2 else [])]
    return {
        "machine": machine(**more),
        "load": round(os.getloadavg()[0], 1),
        "rounds": rounds,
        "cpu_per_second": cpu,
        "ratios": {f"{a} / {b}": {key: cpu[a][key] / cpu[b][key] for key in ("best", "median")} for a, b in pairs},
        "behaviour": check(found),
        "ready": kernel_ready(),
        "command": command(),
        "writing": writing(),
    }


def table(results: dict) -> str:
    """The results as Markdown."""
    names = {
        "engine": "hebbscope, every spike",
        "surrogate": "hebbscope, surrogate (twice the input spikes)",
        "fused": "a kernel fused by hand for this network",
        "brian2": "Brian2, C++ standalone, steps of 0.1 ms",
    }
    engine = results["cpu_per_second"]["engine"]["best"]
    lines = [
        "| kempter1999, one seed | CPU time per biological second: best (median) | relative | output rate | mean weight |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, cpu in results["cpu_per_second"].items():
        seen = results["behaviour"][name]
        lines.append(
            f"| {names[name]} | {1e6 * cpu['best']:,.0f} ({1e6 * cpu['median']:,.0f}) µs | {cpu['best'] / engine:.3g} "
            f"| {seen['rate']:.2f} Hz | {seen['mean_weight']:.4f} |"
        )
    measured = {name: ratio["best"] for name, ratio in results["ratios"].items()} | {
        "kernel ready": results["ready"]["ready"],
        "command": results["command"]["wall"],
        "memory": results["command"]["memory"],
        "writing": results["writing"]["percent"],
    }
    lines += ["", "| | measured | wanted |", "|---|--:|--:|"]
    for name, (label, bound, upper) in WANTED.items():
        if name in measured:
            lines.append(f"| {label} | {measured[name]:.3g} | {'at most' if upper else 'at least'} {bound:g} |")
    here = results["machine"]
    versions = [f"{name} {value}" for name, value in here.items() if name not in ("processor", "cores", "python")]
    lines += [
        "",
        f"{results['rounds']} interleaved rounds; the first compile of a network takes {results['ready']['compile']:.1f} s of CPU time, "
        f"the command {results['command']['cpu']:.0f} s. {here['cores']} cores, {here['processor']} "
        f"(load average {results['load']:g} while measured); Python {here['python']}, {', '.join(versions)}.",
    ]
    if "brian2" in results["cpu_per_second"]:
        peer = results["cpu_per_second"]["brian2"]
        share = peer["system"] / peer["median"]
        lines[-1] += (
            f" Brian2 spends {share:.0%} of its time in the operating system: it reads the clock at every step."
        )
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
