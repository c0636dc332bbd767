"""Speed of four networks, from 50 synapses to 800,000 plastic ones, in hebbscope, in kernels written by hand, and in Brian2, ANNarchy and NEST, in one run.

    python benchmarks/networks.py [--workloads A B B100 C] [--peers brian2 annarchy nest] [--rounds 5] [--python nest=PYTHON]

Each program runs in a process of its own, with one thread, and C with two as well; peers in environments of their own in benchmarks/.environments, made at the
first run (with the Python that runs this, or another: --python), with a C++ compiler and, for ANNarchy, CMake. Rounds are interleaved, so that
all see the same machine. CPU time of the simulation alone is compared, of the best round, since others on the machine can only lengthen it; of two threads it is wall time.

No time is printed before all programs show one behaviour. The yardstick is the kernel, which runs with many seeds first; a program's output rate, its mean
weight and the standard deviation of its weights, averaged over rounds, must be the kernel's within three standard errors, from the spread of the kernel
over seeds, and what schemes of first order leave: a hundredth of rate and deviation, and of the mean weight a fiftieth of the deviation. NEST has another order of events in a
step and other delays (peers/nest_networks.py), and is held against a kernel that has them, too.

What hebbscope compiles is kept for the next process, and the process that is measured is the second: memory is its own, without that of the compiler, as it is of
programs that Brian2 and ANNarchy have a compiler of their own for.

Writes benchmarks/results_networks.json and benchmarks/results_networks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
from hebbscope_networks import graph
from programs import REQUIREMENTS, Program, environment
from setting import machine
from workloads import DT, WORKLOADS, Workload

HERE = Path(__file__).resolve().parent
REFERENCE_SEEDS = range(1000, 1020)
ERRORS = 3.0  # standard errors
QUANTITIES = ("rate", "mean_weight", "sd_weight")


class Simulator(NamedTuple):
    """kinds: the networks that it can run; threads: how many at most; settings: its own; reference: those of the kernel that it is held against.

    keeps: whether what it compiled is there for the next process.
    """

    title: str
    script: str
    kinds: tuple[str, ...] = ("kempter", "song", "balanced")
    threads: int = 2
    settings: dict = {}
    reference: str = "kernel"
    peer: str = ""
    keeps: bool = False


OURS = "hebbscope_networks.py"
SIMULATORS = {
    "clock": Simulator(
        "hebbscope, steps of 0.1 ms", OURS, settings={"engine": "clock", "precision": "double"}, keeps=True
    ),
    "single": Simulator(
        "the same in single precision",
        OURS,
        ("song", "balanced"),
        settings={"engine": "clock", "precision": "single"},
        keeps=True,
    ),
    "event": Simulator(
        "hebbscope, every spike exact",
        OURS,
        ("kempter",),
        1,
        {"engine": "event", "precision": "double"},
        keeps=True,
    ),
    "kernel": Simulator("a kernel written by hand for this network", "kernels.py", threads=1),
    "brian2": Simulator("Brian2, C++ standalone", "peers/brian2_networks.py", peer="brian2"),
    "annarchy": Simulator("ANNarchy", "peers/annarchy_networks.py", peer="annarchy"),
    "nest": Simulator(
        "NEST", "peers/nest_networks.py", ("song", "balanced"), reference="kernel of another order", peer="nest"
    ),
}
REFERENCES = {
    "kernel": {},
    "kernel of another order": {"late": True, "apart": True, "back": 2.0},  # in delays
}


def settings_of(workload: Workload, folder: Path, threads: int = 1, **more: object) -> Path:
    """The file that a program is handed, in the folder that it may build in."""
    folder.mkdir()
    settings = {"kind": workload.kind, "parameters": workload.parameters, "seconds": workload.seconds, "dt": DT}
    settings |= {"threads": threads, "folder": str(folder), **more}
    if workload.kind == "balanced":
        drawn = folder.parent / "graph.npz"  # for all programs
        if not drawn.exists():
            np.savez(drawn, **graph(workload.parameters))
        settings["graph"] = str(drawn)
    path = folder / "settings.json"
    path.write_text(json.dumps(settings))
    return path


def started(simulator: Simulator, workload: Workload, folder: Path, python: str, threads: int = 1) -> Program:
    """The program, not yet entered."""
    path = settings_of(workload, folder, threads, **simulator.settings)
    own = {"HEBBSCOPE_CACHE": str(folder / "cache")}  # so that what it takes to compile is seen
    own["OPENBLAS_NUM_THREADS"] = "1"  # others would wait for work, and what they take while they do would count
    return Program(python, HERE / simulator.script, path, folder=folder, **own)


def references(workload: Workload, folder: Path, wanted: set[str]) -> dict[str, dict]:
    """Of each kernel that is wanted, quantity -> mean and standard deviation over seeds."""
    found = {}
    for name in sorted(wanted):
        more = dict(REFERENCES[name])
        if "back" in more:
            more["back"] *= workload.parameters.get("delay", DT)  # no delay is shorter in NEST
        kernel = SIMULATORS["kernel"]._replace(settings=more)
        with started(kernel, workload, folder / f"reference_{len(found)}", sys.executable) as program:
            runs = [program.ask(seed) for seed in REFERENCE_SEEDS]
        values = {key: np.array([run[key] for run in runs]) for key in QUANTITIES}
        found[name] = {key: [float(each.mean()), float(each.std(ddof=1))] for key, each in values.items()}
    return found


def compared(runs: list[dict], reference: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Quantity -> the mean of several runs, the reference, and by how much the two may differ."""
    spread = reference["sd_weight"][0]
    allowed = {"rate": 0.01 * reference["rate"][0], "mean_weight": 0.02 * spread, "sd_weight": 0.01 * spread}
    share = np.sqrt(1.0 / len(runs) + 1.0 / len(REFERENCE_SEEDS))
    return {
        key: {
            "value": float(np.mean([run[key] for run in runs])),
            "reference": mean,
            "error": deviation / np.sqrt(len(runs)),
            "bound": allowed[key] + ERRORS * deviation * share,
        }
        for key, (mean, deviation) in reference.items()
    }


def check(name: str, behaviour: dict[str, dict[str, dict[str, float]]]) -> None:
    """Refuse a workload on which a program's behaviour is another; its times mean nothing."""
    wrong = [
        f"{name}, {simulator}: {key} is {of['value']:.5g}, that of the kernel {of['reference']:.5g}; they may differ by {of['bound']:.2g}"
        for simulator, quantities in behaviour.items()
        for key, of in quantities.items()
        if not abs(of["value"] - of["reference"]) <= of["bound"]
    ]
    if wrong:
        raise SystemExit("\n".join([*wrong, "no time is believed"]))


def measure(name: str, workload: Workload, chosen: dict[str, Simulator], pythons: dict, rounds: int, threads: int = 1):
    """What each program took and showed on one workload, in interleaved rounds."""
    able = {key: each for key, each in chosen.items() if workload.kind in each.kinds and threads <= each.threads}
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder, programs, built = Path(temporary), {}, {}
        reference = references(workload, folder, {each.reference for each in able.values()})
        for key, each in able.items():
            print(f"{name}: {each.title}, to be built ...", flush=True)
            programs[key] = program = started(each, workload, folder / key, pythons[key], threads)
            built[key] = compiled(program) if each.keeps else {}
            built[key] = stack.enter_context(program).built | built[key]
        runs: dict[str, list[dict]] = {key: [] for key in able}
        for k in range(rounds):
            for key, program in programs.items():
                runs[key].append(program.ask(k))
            print(f"{name}: round {k + 1} of {rounds}", end="\r", flush=True)
        print()
    behaviour = {key: compared(runs[key], reference[each.reference]) for key, each in able.items()}
    check(name, behaviour)
    return {
        key: cost(runs[key], workload.seconds, "cpu" if threads == 1 else "wall")
        | built[key]
        | {"behaviour": behaviour[key]}
        for key in able
    }


def compiled(program: Program) -> dict[str, float]:
    """Seconds that a first process of a program takes to compile, and a second to find that again."""
    with program:
        first = program.built["compile"]
    with program:
        return {"compile": first, "again": program.built["compile"]}


def cost(runs: list[dict], seconds: float, kind: str) -> dict[str, float]:
    """Seconds per biological second, best and median; those to build; and MB at most in the first run, as later ones hold what checks left."""
    each = [run[kind] / seconds for run in runs]
    build = float(np.median([run["build"] for run in runs]))
    return {"best": min(each), "median": float(np.median(each)), "build": build, "memory": runs[0]["memory"]}


def table(results: dict) -> str:
    """The results as Markdown."""
    lines = []
    for of_workload in results["workloads"]:
        workload, found, threads = WORKLOADS[of_workload["name"]], of_workload["programs"], of_workload["threads"]
        what, time = (", two threads", "wall") if threads == 2 else ("", "CPU")
        unit = workload.parameters.get(workload.unit, 1.0)
        lines += [f"**{of_workload['name']}**: {workload.title}; {of_workload['seconds']:g} s{what}", ""]
        lines += [
            f"| | {time} time per biological second: best (median) | relative | output rate | mean weight | compile (again), build | memory |",
            "|---|--:|--:|--:|--:|--:|--:|",
        ]
        for simulator, of in found.items():
            rate, weight = of["behaviour"]["rate"], of["behaviour"]["mean_weight"]
            again = f" ({of['again']:.2f} s)" if "again" in of else ""
            lines.append(
                f"| {SIMULATORS[simulator].title} | {shown(of['best'])} ({shown(of['median'])}) | {of['best'] / found['clock']['best']:.3g} "
                f"| {rate['value']:.2f} ± {rate['error']:.2f} Hz | {weight['value'] / unit:.4f} ± {weight['error'] / unit:.4f} "
                f"| {of['compile']:.1f} s{again}, {of['build']:.2f} s | {of['memory']:,.0f} MB |"
            )
        lines.append("")
    here = results["machine"]
    versions = [f"{name} {value}" for name, value in here.items() if name not in ("processor", "cores", "python")]
    lines.append(
        f"{results['rounds']} interleaved rounds, a seed each; ± is a standard error. Weights of B are in units of w_max, of C in units of the initial one. "
        f"NEST's own order of events makes another rate, see peers/nest_networks.py. {here['cores']} cores, "
        f"{here['processor']} (load average {results['load']:g} while measured); Python {here['python']}, {', '.join(versions)}."
    )
    return "\n".join(lines) + "\n"


def shown(seconds: float) -> str:
    """A time in a unit that suits it."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{1e6 * seconds:.3g} µs"


def main() -> None:
    """Measure, print, write."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--workloads", nargs="*", choices=WORKLOADS, default=list(WORKLOADS))
    arguments.add_argument("--peers", nargs="*", choices=REQUIREMENTS, default=list(REQUIREMENTS))
    arguments.add_argument("--rounds", type=int, default=5, help="interleaved rounds")
    arguments.add_argument("--seconds", type=float, help="biological, in place of each workload's own")
    arguments.add_argument(
        "--python", nargs="*", default=[], metavar="PEER=PYTHON", help="what environments are made with"
    )
    options = arguments.parse_args()
    makers = dict(each.split("=", 1) for each in options.python)
    chosen = {key: each for key, each in SIMULATORS.items() if not each.peer or each.peer in options.peers}
    pythons = {
        key: environment(each.peer, makers.get(each.peer, sys.executable)) if each.peer else sys.executable
        for key, each in chosen.items()
    }
    results: dict = {"rounds": options.rounds, "load": round(os.getloadavg()[0], 1), "workloads": []}
    versions = {}
    for name, threads in [(name, 1) for name in options.workloads] + [("C", 2)] * ("C" in options.workloads):
        workload = WORKLOADS[name]._replace(seconds=options.seconds or WORKLOADS[name].seconds)
        programs = measure(name, workload, chosen, pythons, options.rounds, threads)
        versions |= {key: of["version"] for key, of in programs.items() if chosen[key].peer}
        what = {"name": name, "seconds": workload.seconds, "threads": threads}
        results["workloads"].append(what | {"programs": programs})
    results["machine"] = machine(**versions)
    text = table(results)
    print(text)
    (HERE / "results_networks.json").write_text(json.dumps(results, indent=2) + "\n")
    (HERE / "results_networks.md").write_text(text)


if __name__ == "__main__":
    main()
