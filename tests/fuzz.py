"""Give every command spoilt descriptions, settings, run files, checkpoints and journals, and see that it answers in good order.

    python tests/fuzz.py [--texts 10000] [--files 1000] [--seed 1] [--of network,song2000] [--only text:17,file:4]
                         [--keep FOLDER]

In good order is: exit code 0, or 2 with one line on standard error that begins with `hebbscope: `; no traceback and no other word there; an
end within seconds, and 130 after Ctrl-C where it is long; every file that was there unchanged to the byte, but for the run file that `resume` goes on
with, and one whose journal tells what a kill broke off, which is finished; no file left behind that is half written. The commands run in a child
process, which is killed when it hangs and replaced when it dies.
Every case is made from the seed and its own number, so that `--only` makes it again, with the same `--of`; what failed is kept in a folder of
its own. Exits 3 if anything failed.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import multiprocessing
import os
import pkgutil
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from zlib import crc32

import mutations

PLOTS = ("weights", "window", "raster", "receptive-fields", "correlations")
EXPORTS = ("sonata", "nwb", "netcdf", "csv")
MEMORY = 8 * 2**30  # bytes of address space: a machine that is not large
RUNNING = 5.0  # s after which a run or a reduction is stopped as by Ctrl-C; it may be a long one that was asked for
COMPILING = 200.0  # s for one whose loop is to be compiled
PATIENCE = 60.0  # s after which a command counts as hung, and a stopped run, too; some loops are yet to be compiled
CASES_PER_WORKER = 400
SHORT = ("--duration", "4ms", "--seeds", "1", "--quiet", "--no-figure")
SMALL_IMAGES = (
    ("inputs.images", "picture.png"), ("inputs.patch", 4), ("inputs.n_patches", 300), ("inputs.n_held_out", 100),
    ("inputs.whitening.components", 8), ("inputs.whitening.step", 1),
)  # fmt: skip
SMALL_SONG = (("inputs.n", 50), ("inhibition.n", 10), ("inhibition.conductance", 0.1))
NETWORK = """
experiment = "network"
duration = "0.3 s"
record_every = "50 ms"

[populations.inputs]
n = 30
model = {type = "HomogeneousPoisson", rate = "40 Hz"}
groups = {near = 10, far = 20}

[populations.exc]
n = 9
model = "LIF"
shape = [3, 3]
initial = {v = {type = "Uniform", low = -0.07, high = -0.06}}

[populations.inh]
n = 4
model = "LIF"
background = {excitatory = {type = "PoissonBackground", n_synapses = 100, rate = "20 Hz", weight = 1e-3}}

[projections.feed]
source = "inputs"
target = "exc"
weights = {type = "Uniform", low = 0.0, high = 0.01}
rule = {type = "PairSTDP", w_max = 0.01}
connectivity = {type = "FixedInDegree", n = 10}
delay = "1 ms"

[projections.loops]
source = "exc"
target = "exc"
weights = 1e-3
rule = {type = "PairSTDP", w_max = 0.01}
connectivity = {type = "Pairwise", probability = 0.4, self_connections = 0}
delay = "1.5 ms"
dendritic_delay = "0.5 ms"

[projections.out]
source = "exc"
target = "inh"
weights = 0.02

[projections.inhibition]
source = "inh"
target = "exc"
weights = 1e-3
connectivity = {type = "FixedOutDegree", n = 3}
receptor = "inhibitory"
delay = "2 ms"
"""

RULES = """
experiment = "network"
duration = "0.3 s"
record_every = "50 ms"

[populations.inputs]
n = 20
model = {type = "HomogeneousPoisson", rate = "40 Hz"}

[populations.exc]
n = 4
model = {type = "AdEx", drive = 1e-9}

[populations.inh]
n = 3
model = "LIF"

[projections.feed]
source = "inputs"
target = "exc"
weights = 1e-4
rule = {type = "VoltageSTDP", w_max = 1e-3, threshold = "PotentialThreshold"}
normalisation = {type = "SynapticScaling", every = "20 ms"}

[projections.drive]
source = "inputs"
target = "inh"
weights = 5e-3
rule = {type = "Triplet", w_max = 0.01, threshold = "SlidingThreshold"}
normalisation = {type = "Subtractive", norm = 0.1, every = "20 ms", groups = [5, 15]}

[projections.loops]
source = "exc"
target = "inh"
weights = 5e-3
rule = {type = "STDP", w_max = 0.01, sigma = 0.015}
normalisation = {type = "Multiplicative", norm = 0.02, every = "20 ms", groups = [2]}
delay = "1 ms"

[projections.inhibition]
source = "inh"
target = "exc"
weights = 1e-3
rule = {type = "VogelsSprekeler", w_max = 0.01, rho_0 = "5 Hz"}
receptor = "inhibitory"

[monitors.potentials]
type = "StateMonitor"
population = "exc"
variables = ["v"]
cells = [0, 2]

[monitors.rate]
type = "PopulationRate"
population = "inh"

[monitors.statistics]
type = "WeightStatistics"
projection = "drive"
every = "20 ms"

[monitors.some]
type = "WeightSubset"
projection = "loops"
synapses = [0, 3, 5]
every = "20 ms"
"""
RATES = """
experiment = "network"
levels = "rate"
duration = "20 s"
record_every = "5 s"

[populations.inputs]
n = 4
model = {type = "ModulatedPoisson", rate = "20 Hz", amplitude = "10 Hz", frequency = "1 Hz", n_modulated = 2}

[populations.cells]
n = 2
model = "LinearPoisson"

[projections.feed]
source = "inputs"
target = "cells"
weights = 0.2
rule = {type = "Miller", arbor = [[1, 0.5, 1, 0], [1, 1, 0, 0.5]], interaction = [[1, 0.5], [0.5, 1]]}
"""


class Kill(NamedTuple):
    """SIGKILL of a run when it comes for the n-th time to a function of an owner, a module or class of the simulator; nothing waits to be written."""

    owner: str
    function: str
    n: int

    def arm(self) -> None:
        """In the process that is to die."""
        from hebbscope.simulator import checkpoint, drive

        owner = pkgutil.resolve_name(f"hebbscope.simulator.{self.owner}")
        function, left = getattr(owner, self.function), count(self.n - 1, -1)

        def deadly(*arguments: Any) -> Any:
            if next(left) == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments)

        setattr(owner, self.function, deadly)
        checkpoint.EVERY, drive.WRITE = 0.01, -1.0


class Answer(NamedTuple):
    """What a command did: exit code (None where it had to be killed), its two streams, how long it took [s], and whether it was stopped."""

    code: int | None
    out: str
    err: str
    seconds: float
    stopped: bool = False


class Case(NamedTuple):
    """name, such as text:17; commands in order; `prepare` fills an empty folder."""

    name: str
    commands: list[list[str]]
    prepare: Callable[[Path], None]


class Failure(NamedTuple):
    """What went wrong with one command of a case."""

    case: str
    command: list[str]
    what: str
    err: str


# The child process that runs commands -------------------------------------------------------------------------------


def serve(pipe: Any, streams: str) -> None:
    """Run commands as they come, each in a folder; standard output and standard error go to files in `streams`, to the last byte."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["MPLBACKEND"] = "Agg"
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{streams}/{name}", os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_APPEND), number)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while (job := pipe.recv()) is not None:
        folder, args, end = job
        os.chdir(folder)
        began = time.perf_counter()
        try:
            code = called(args, end)
        except KeyboardInterrupt:
            code = 130  # came when the command was over
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.stdout.flush()
        sys.stderr.flush()
        pipe.send((code, time.perf_counter() - began))
    pipe.send(None)


def called(args: list[str], end: float | Kill | None = None) -> int:
    """The exit code of a command, which is stopped at a biological time [s], or killed, if asked."""
    from hebbscope import cli

    def at(progress: Any, t: float) -> None:
        if isinstance(end, float) and t >= end:
            raise KeyboardInterrupt

    if isinstance(end, Kill):
        end.arm()
    cli.Progress.at = at
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        cli.main(args)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    raise AssertionError("a command that does not exit")


class Worker:
    """The child process as seen from outside: it answers, or is killed and started anew."""

    def __init__(self, folder: Path):
        self.folder, self.jobs = folder, 0
        self.process: Any = None

    def ask(self, folder: Path, args: list[str], end: float | Kill | None = None, running: float = RUNNING) -> Answer:
        """Run one command in a folder; a run is stopped after `running` seconds."""
        if self.process is None:
            self._start()
        for name in ("out", "err"):
            os.truncate(self.folder / name, 0)
        began, stopped = time.perf_counter(), False
        self.pipe.send((str(folder), args, end))
        if args[:1] in (["run"], ["resume"], ["reduce"]) and not self.pipe.poll(running):
            stopped = True
            os.kill(self.process.pid, signal.SIGINT)
        try:
            code = self.pipe.recv()[0] if self.pipe.poll(PATIENCE) else None
        except (EOFError, OSError):
            self.process.join()
            code = self.process.exitcode
        if code is None or not self.process.is_alive():
            self.close()
        out, err = ((self.folder / name).read_text(errors="replace") for name in ("out", "err"))
        return Answer(code, out, err, time.perf_counter() - began, stopped)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        for name in ("out", "err"):
            (self.folder / name).touch()
        self.pipe, child = context.Pipe()
        self.process = context.Process(target=serve, args=(child, str(self.folder)), daemon=True)
        self.process.start()
        child.close()

    def close(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process = None


# What is right and what is not --------------------------------------------------------------------------------------


def complaints(args: list[str], answer: Answer) -> Iterator[str]:
    """What a command may not do, whatever it was given."""
    lines = answer.err.splitlines()
    if args[:1] == ["resume"] and lines and lines[0].endswith("; the run begins anew"):
        del lines[0]  # it is said at the start; how the run ended comes after it
    if answer.code is None:
        yield "hangs"
    elif answer.code < 0:
        yield f"dies of signal {-answer.code}"
    elif answer.code not in ((0, 2, 130) if answer.stopped else (0, 2)):
        yield f"exit code {answer.code}"
    if "Traceback" in answer.err or len(lines) > 1 or not all(line.startswith("hebbscope: ") for line in lines):
        yield "says more than one line of its own"
    elif len(answer.err) > 1100:
        yield "says too much"
    elif answer.code == 2 and not lines:
        yield "refuses without a word"
    elif answer.code == 2 and not lines[0].removeprefix("hebbscope: ").strip():
        yield "refuses with an empty line"
    if answer.code == 0 and "--json" in args and not _is_json(answer.out):
        yield "prints no JSON"
    began = args[:1] == ["run"] and "what was recorded until" in answer.err  # it said what it takes, and ran away later
    if answer.code == 2 and answer.out and not began:
        yield "prints before it refuses"


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def contents(folder: Path) -> dict[str, bytes]:
    """Every plain file in a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def left_wrong(args: list[str], answer: Answer, before: dict[str, bytes], after: dict[str, bytes]) -> Iterator[str]:
    """What a command may not do to files."""
    resumed = args[1:2] if args[0] == "resume" else []
    goes_on = {each + ending for each in resumed for ending in ("", ".checkpoint", ".journal", ".new")}
    for name, data in before.items():
        kept = after.get(name) == data or after.get(f"{name}.damaged") == data
        if not kept and name not in goes_on and not finished(name.removesuffix(".journal"), before, after):
            yield f"changes {name}"
    for name in after.keys() - before.keys():
        if name.endswith((".lock", ".new")):
            yield f"leaves {name} behind"
        elif answer.code == 2 and not name.endswith((".h5", ".checkpoint", ".damaged")):
            yield f"refuses and leaves {name}"
        elif not after[name] and not name.endswith(".damaged"):
            yield f"leaves {name} empty"


def finished(name: str, before: dict[str, bytes], after: dict[str, bytes]) -> bool:
    """Whether a file had a whole journal that is gone, and is by now what that says."""
    journal = before.get(f"{name}.journal")
    if journal is None or f"{name}.journal" in after or crc32(journal[:-4]) != int.from_bytes(journal[-4:], "little"):
        return False
    data, at = bytearray(before[name]), mutations.JOURNAL_NUMBERS
    size, _, n = struct.unpack_from("<3Q", journal, at)
    blocks = at + 24 + 16 * n
    if blocks > len(journal) or size != len(after[name]):
        return False
    for offset, length in struct.iter_unpack("<2Q", journal[at + 24 : blocks]):
        if offset + length > size or blocks + length > len(journal):
            return False  # no commit writes so
        data[len(data) :] = bytes(max(0, offset - len(data)))
        data[offset : offset + length] = journal[blocks : blocks + length]
        blocks += length
    return after[name] == data[:size] + bytes(max(0, size - len(data)))


class Harness:
    """Takes cases, runs their commands in a scratch folder, collects what is wrong and keeps what it was given."""

    def __init__(self, folder: Path, keep: Path, loud: bool = True):
        self.scratch, self.keep, self.loud = folder / "case", keep, loud
        self.worker = Worker(folder)
        self.failures: list[Failure] = []
        self.commands: Counter[str] = Counter()
        self.codes: Counter[Any] = Counter()
        self.seconds: Counter[str] = Counter()
        self.slowest: list[tuple[float, str, list[str]]] = []

    def take(self, case: Case) -> None:
        """Run the commands of one case."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)
        case.prepare(self.scratch)
        self.worker.jobs += 1
        if self.worker.jobs % CASES_PER_WORKER == 0:
            self.worker.close()
        given = contents(self.scratch)
        for args in case.commands:
            before = contents(self.scratch)
            answer = self.worker.ask(self.scratch, args)
            self._note(case, args, answer)
            wrong = [*complaints(args, answer), *left_wrong(args, answer, before, contents(self.scratch))]
            wrong += self._unreadable(before) if answer.code != 0 or args[0] == "resume" else []
            if wrong:
                self._fail(case, args, answer, wrong, given)

    def _unreadable(self, before: dict[str, bytes]) -> list[str]:
        """Run files that a command made and that cannot be read."""
        after = contents(self.scratch)
        made = [
            name
            for name, data in after.items()
            if name.endswith(".h5") and before.get(name) != data and not finished(name, before, after)
        ]
        return [f"leaves {name} unreadable" for name in made if self.worker.ask(self.scratch, ["info", name]).code != 0]

    def _note(self, case: Case, args: list[str], answer: Answer) -> None:
        self.commands[args[0]] += 1
        self.seconds[args[0]] += answer.seconds
        self.codes[answer.code] += 1
        self.slowest = sorted([*self.slowest, (answer.seconds, case.name, args)], key=lambda each: -each[0])[:5]

    def _fail(self, case: Case, args: list[str], answer: Answer, wrong: list[str], given: dict[str, bytes]) -> None:
        place = self.keep / case.name.replace(":", "-")
        place.mkdir(parents=True, exist_ok=True)
        for name, data in given.items():
            (place / name).write_bytes(data)
        self.failures.append(Failure(case.name, args, ", ".join(wrong), answer.err[:2000]))
        if self.loud:
            shown = " ".join(json.dumps(each)[:200] for each in args)
            print(
                f"{case.name}: {', '.join(wrong)}\n  in {place}: hebbscope {shown}\n  {answer.err[:1500].strip()}",
                flush=True,
            )

    def close(self) -> None:
        """End the child process."""
        self.worker.close()


# Texts --------------------------------------------------------------------------------------------------------------

Description = tuple[str, tuple[tuple[str, Any], ...]]  # experiment, settings
DESCRIPTIONS: tuple[Description, ...] = (
    ("kempter1999", ()),
    ("kempter1999", (("rule.window", "DoubleExponential"),)),
    ("kempter1999", (("neuron", "ExponentialPoisson"),)),
    ("kempter1999", (("inputs", "OrnsteinUhlenbeck"),)),
    ("kempter1999", (("inputs", "CommonSource"), ("inputs.jitter", "2 ms"))),
    ("kempter1999", (("inputs", "Homogeneous"),)),
    ("kempter1999", (("inputs", "Recorded"), ("inputs.file", "spikes.npz"))),
    ("kempter1999", (("inputs", "Recorded"), ("inputs.file", "spikes.h5"))),
    (
        "kempter1999",
        (("rule.window", "TabulatedWindow"), ("rule.window.s", "[-0.02, 0, 0.02]"), ("rule.window.W", "[0, 1, -1]")),
    ),
    ("natural_images", SMALL_IMAGES),
    ("natural_images", (*SMALL_IMAGES, ("rule.threshold", "SlidingThreshold"), ("neuron", "LinearPoisson"))),
    ("network", ()),
    ("network", (("engine", "clock"),)),
    ("network.toml", ()),
    ("network.toml", (("dt", "0.5 ms"),)),
    ("song2000", SMALL_SONG),
    ("rules.toml", ()),
    ("rates.toml", ()),
    ("rates.toml", (("projections.feed.rule", "Oja"),)),
    ("rates.toml", (("projections.feed.rule", "BCM"),)),
)


class Texts:
    """Cases of spoilt TOML and of spoilt options, from the descriptions of the experiments with every kind of part."""

    def __init__(self, folder: Path, seed: int, descriptions: Sequence[Description] = DESCRIPTIONS):
        from hebbscope.models.experiments import load, to_toml

        self.folder, self.seed = folder, seed
        write_recordings(folder)
        write_descriptions(folder)
        here = Path.cwd()
        os.chdir(folder)
        try:
            chosen = [load(name, settings) for name, settings in descriptions]
        finally:
            os.chdir(here)
        self.texts = [to_toml(each, comments=k % 2 == 0) for k, each in enumerate(chosen)]
        self.keys = [{item.key: str(item.value) for item in each.items()} for each in chosen]
        self.every = {key: text for keys in self.keys for key, text in sorted(keys.items())}

    def warm(self, worker: Worker) -> None:
        """Run each of them unspoilt and to its end, so that their loops are compiled."""
        for text in self.texts:
            (self.folder / "mine.toml").write_text(text)
            answer = worker.ask(
                self.folder, ["run", "mine.toml", *SHORT, "--out", "run.h5", "--force"], running=COMPILING
            )
            assert answer.code == 0, answer

    def case(self, number: int) -> Case:
        """The case of this number."""
        chance = Random(f"{self.seed} text {number}")
        k = chance.randrange(len(self.texts))
        data, options = self.texts[k].encode(), []
        if chance.random() < 0.5:
            data = mutations.toml(chance, self.texts[k])
        else:
            keys = self.keys[k] if chance.random() < 0.9 else self.every
            for _ in range(chance.choice((1, 1, 2, 3))):
                options += ["--set", mutations.setting(chance, keys)]
        options = [each.replace("\x00", "") for each in options]  # no command line can hold it
        return Case(f"text:{number}", self._commands(chance, options), lambda folder: self._prepare(folder, data))

    def _prepare(self, folder: Path, data: bytes) -> None:
        for name in ("spikes.npz", "spikes.h5", "picture.png"):
            shutil.copy(self.folder / name, folder)
        (folder / "mine.toml").write_bytes(data)

    def _commands(self, chance: Random, options: list[str]) -> list[list[str]]:
        run = ["run", "mine.toml", *options, *SHORT, "--out", "run.h5"]
        if chance.random() < 0.1:
            run = ["run", "mine.toml", *options, *_odd_options(chance), "--no-figure", "--out", "run.h5"]
        elif chance.random() < 0.3:
            run += ["--level", chance.choice(("spike", "surrogate", "rate", "spike,rate"))]
        elif chance.random() < 0.2:
            run += ["--engine", chance.choice(("auto", "event", "clock")), "--dt", mutations.quantity(chance)]
        return [
            ["show", "mine.toml", *options, *chance.choice(([], ["--toml"]))],
            ["reduce", "mine.toml", *options, *chance.choice(([], ["--json"]))],
            run,
        ]


def _odd_options(chance: Random) -> list[str]:
    options = []
    for option in ("--duration", "--seeds", "--level", "--engine", "--dt", "--threads", "--out", "--figure"):
        if chance.random() < 0.4:
            text = chance.choice((mutations.value(chance), mutations.quantity(chance), "1:3", "rate", "clock", "4 ms"))
            options += [option, text.replace("\x00", "")]
    return options


def write_descriptions(folder: Path) -> None:
    """Those that are files."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in SMALL_IMAGES]
    (folder / "natural_images.toml").write_text("\n".join(['experiment = "natural_images"', *lines, ""]))
    for name, text in (("network", NETWORK), ("rules", RULES), ("rates", RATES)):
        (folder / f"{name}.toml").write_text(text)


def write_recordings(folder: Path) -> None:
    """What descriptions may point to: spikes in both forms, and a picture."""
    import h5py
    import matplotlib.image
    import numpy as np

    chance = np.random.default_rng(1)
    times, cells = np.sort(chance.uniform(0.0, 2.0, 400)), np.arange(400) % 50
    np.savez(folder / "spikes.npz", t=times, i=cells)
    with h5py.File(folder / "spikes.h5", "w") as file:
        file["spikes/a/timestamps"], file["spikes/a/node_ids"] = 1e3 * times, cells.astype(np.uint64)
        file["spikes/a/timestamps"].attrs["units"] = "ms"
    matplotlib.image.imsave(folder / "picture.png", chance.random((64, 64, 3)))


# Files --------------------------------------------------------------------------------------------------------------

FEW = ("--seeds", "1:2", "--set", "record_every=0.5", "--quiet", "--no-figure")
BRIEF = ("--duration", "0.3", "--seeds", "1:2", "--set", "record_every=0.05", "--quiet", "--no-figure")
SONG = [each for key, value in SMALL_SONG for each in ("--set", f"{key}={value}")]
SPOILERS = {
    ".checkpoint": mutations.archive,
    ".journal": mutations.journal,
    ".new": mutations.hdf5,
}  # of what stands beside a file
Recipe = tuple[str, tuple[str, ...], float | Kill | None]  # name, command, when it is stopped [s] or killed
RUNS: tuple[Recipe, ...] = (
    ("whole", ("run", "kempter1999", "--duration", "3", *FEW), None),
    ("stopped", ("run", "kempter1999", "--duration", "3", *FEW), 1.5),
    ("rate", ("run", "kempter1999", "--duration", "3", "--level", "rate", *FEW), None),
    ("later", ("run", "kempter1999", "--duration", "3", "--level", "surrogate,spike", *FEW), 2.9),
    ("fields", ("run", "natural_images.toml", "--duration", "3", *FEW), None),
    ("stopped-fields", ("run", "natural_images.toml", "--duration", "3", "--level", "rate,spike", *FEW), 1.5),
    ("exact", ("run", "network", *BRIEF), 0.2),
    ("network", ("run", "network.toml", *BRIEF), None),
    ("stopped-network", ("run", "network.toml", *BRIEF), 0.2),
    ("song", ("run", "song2000", *SONG, *BRIEF), 0.2),
    ("rules", ("run", "rules.toml", *BRIEF), 0.2),
    ("rates", ("run", "rates.toml", "--seeds", "1:2", "--quiet", "--no-figure"), None),
    ("killed", ("run", "kempter1999", "--duration", "3", *FEW), Kill("journal.Changes", "apply", 9)),
    ("killed-network", ("run", "network.toml", *BRIEF), Kill("journal.Changes", "apply", 12)),
    ("made", ("run", "kempter1999", "--duration", "3", *FEW), Kill("creation", "_rename", 1)),
    ("made-anew", ("run", "kempter1999", "--duration", "2", *FEW), None),
    ("made-anew", ("run", "kempter1999", "--duration", "3", *FEW), Kill("creation", "_rename", 1)),
)


class Files:
    """Cases of spoilt run files, of what stands beside them, and of recordings."""

    def __init__(self, folder: Path, seed: int, worker: Worker, runs: Sequence[Recipe] = RUNS):
        self.folder, self.seed = folder / "runs", seed
        self.folder.mkdir(parents=True, exist_ok=True)
        write_recordings(self.folder)
        write_descriptions(self.folder)
        self.names = list(dict.fromkeys(self._make(worker, *each) for each in runs))
        self.names += [self._without_description(name) for name in ("whole", "network") if name in self.names]

    def _make(self, worker: Worker, name: str, args: tuple[str, ...], end: float | Kill | None) -> str:
        answer = worker.ask(self.folder, [*args, "--out", f"{name}.h5", "--force"], end, running=COMPILING)
        assert answer.code == (0 if end is None else -signal.SIGKILL if isinstance(end, Kill) else 130), answer
        return name

    def _without_description(self, name: str) -> str:
        from hebbscope.simulator.runfile import read

        run = next(iter(read(self.folder / f"{name}.h5").values()))
        run.spikes, run.attrs = {}, {}
        run.save(self.folder / f"saved-{name}.h5", force=True)
        return f"saved-{name}"

    def case(self, number: int) -> Case:
        """The case of this number."""
        chance = Random(f"{self.seed} file {number}")
        if chance.random() < 0.06:
            return self._recording(chance, number)
        name = chance.choice(self.names)
        commands = [
            ["info", "run.h5"],
            ["info", "run.h5", "--json"],
            ["compare", "run.h5"],
            ["compare", "run.h5", "--json"],
        ]
        commands += [["plot", "run.h5", what, "--out", f"{what}.png"] for what in PLOTS]
        commands += [["export", "run.h5", "--to", to, "--out", f"out-{to}"] for to in EXPORTS]
        commands += [
            ["show", "run.h5"],
            ["resume", "run.h5", "--quiet", "--no-figure", *chance.choice(([], ["--force-version"]))],
        ]
        return Case(f"file:{number}", commands, lambda folder: self._prepare(folder, chance, name))

    def _prepare(self, folder: Path, chance: Random, name: str) -> None:
        for file in self.folder.glob(f"{name}.h5*"):
            if file.suffix in {".h5", *SPOILERS}:
                shutil.copy(file, folder / f"run{file.name.removeprefix(name)}")
        beside = sorted(file for file in folder.iterdir() if file.suffix in SPOILERS)
        shutil.copy(self.folder / f"{self.names[0]}.h5", folder / "elsewhere.h5")
        shutil.copy(self.folder / "picture.png", folder)
        mutations.pipe(folder)
        spoilt = chance.choice(beside) if beside and chance.random() < 0.5 else None
        if spoilt is not None:
            SPOILERS[spoilt.suffix](chance, spoilt)
        for file in folder.glob("run.h5"):
            if spoilt is None or chance.random() < 0.2:
                mutations.hdf5(chance, file)
            os.utime(file, (0, 0))  # one that nobody is writing

    def _recording(self, chance: Random, number: int) -> Case:
        file = chance.choice(("spikes.npz", "spikes.h5"))

        def prepare(folder: Path) -> None:
            shutil.copy(self.folder / file, folder)
            mutations.pipe(folder)
            (mutations.archive if file.endswith("npz") else mutations.hdf5)(chance, folder / file)

        options = ["kempter1999", "--set", "inputs=Recorded", "--set", f"inputs.file={file}"]
        return Case(
            f"file:{number}",
            [["show", *options], ["reduce", *options], ["run", *options, *SHORT, "--level", "spike,rate"]],
            prepare,
        )


# The command line ---------------------------------------------------------------------------------------------------


def texts(
    harness: Harness,
    folder: Path,
    seed: int,
    numbers: Iterable[int],
    descriptions: Sequence[Description] = DESCRIPTIONS,
) -> None:
    """Take the text cases of these numbers."""
    made = Texts(folder, seed, descriptions)
    made.warm(harness.worker)
    for number in numbers:
        harness.take(made.case(number))


def files(harness: Harness, folder: Path, seed: int, numbers: Iterable[int], runs: Sequence[Recipe] = RUNS) -> None:
    """Take the file cases of these numbers."""
    made = Files(folder, seed, harness.worker, runs)
    for number in numbers:
        harness.take(made.case(number))


def _numbers(text: str) -> range:
    """ "100" for the first hundred, "100:200" for the second."""
    first, colon, last = text.partition(":")
    return range(int(first), int(last)) if colon else range(int(first))


def main() -> None:
    """Fuzz and say what failed; exit code 3 if anything did."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--texts", type=_numbers, default=range(10_000), help="how many, or FROM:TO")
    options.add_argument("--files", type=_numbers, default=range(1_000), help="how many, or FROM:TO")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument(
        "--of", default="", help="only of experiments with one of these words in their names, with commas"
    )
    options.add_argument("--only", default="", help="single cases by name, with commas")
    options.add_argument("--keep", type=Path, help="where the files of failures go [a new temporary folder]")
    chosen = options.parse_args()
    only: dict[str, list[int]] = {"text": [], "file": []}
    for name in filter(None, chosen.only.split(",")):
        only[name.partition(":")[0]].append(int(name.partition(":")[2]))
    words = chosen.of.split(",")
    descriptions = [each for each in DESCRIPTIONS if any(word in each[0] for word in words)]
    runs = [each for each in RUNS if any(word in each[1][1] for word in words)]
    keep = chosen.keep or Path(tempfile.mkdtemp(prefix="hebbscope-fuzz-"))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        harness = Harness(folder, keep)
        try:
            if numbers := only["text"] if chosen.only else chosen.texts:
                texts(harness, folder, chosen.seed, numbers, descriptions)
            if numbers := only["file"] if chosen.only else chosen.files:
                files(harness, folder, chosen.seed, numbers, runs)
        finally:
            harness.close()
    ran = ", ".join(f"{name} {n} ({harness.seconds[name]:.0f} s)" for name, n in harness.commands.most_common())
    print(f"{sum(harness.commands.values())} commands in {time.perf_counter() - began:.0f} s: {ran}")
    print("exit codes: " + ", ".join(f"{code} {n}" for code, n in harness.codes.most_common()))
    print("slowest: " + "; ".join(f"{seconds:.1f} s {name} {args[0]}" for seconds, name, args in harness.slowest))
    cases = {failure.case for failure in harness.failures}
    of = f"--of {chosen.of} " if chosen.of else ""
    print(
        f"{len(cases)} cases failed"
        + (f"; again with --seed {chosen.seed} {of}--only {','.join(sorted(cases)[:20])}" if cases else "")
    )
    sys.exit(3 if cases else 0)


if __name__ == "__main__":
    main()
