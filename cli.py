"""The shell door: reads the command line, checks it, calls the Python door, prints. No science."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import click

FIGURES = (".png", ".pdf", ".svg", ".eps", ".jpg", ".tif", ".tiff")
RUN_FILES = (".h5", ".hdf5")
PLOTS = ("weights", "window", "raster", "receptive-fields", "correlations")
LONGEST_LINE = 1_000  # letters of an error
DONE, BUG, BAD_INPUT, FAILED, STOPPED = 0, 1, 2, 3, 130


class Door(click.Group):
    """A group whose every failure is one line on standard error and an exit code, never a traceback."""

    def main(self, args: Any = None, prog_name: str | None = None, **extra: Any) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                logging.getLogger("matplotlib").setLevel(logging.ERROR)  # its search for fonts is no news
                _print_anywhere()
                if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # shells may start a command deaf
                    signal.signal(signal.SIGINT, stop)
                signal.signal(signal.SIGTERM, stop)
                super().main(args, prog_name or "hebbscope", **(extra | {"standalone_mode": False}))
            if sys.stdout is not None:
                sys.stdout.flush()
        except BaseException as problem:
            if isinstance(problem, STOPS):
                for number in (signal.SIGINT, signal.SIGTERM):  # who is impatient is told how it ended, too
                    signal.signal(number, signal.SIG_IGN)
            sys.exit(_say(problem))
        sys.exit(DONE)

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except KeyboardInterrupt as said:
            raise Stopped(str(said) or "stopped") from None


class Stop:
    """What a signal to stop calls: it raises KeyboardInterrupt, and no other within a second, which would interrupt what the first one does."""

    def __init__(self) -> None:
        self.said = float("-inf")

    def __call__(self, number: int, frame: Any) -> None:
        before, self.said = self.said, time.monotonic()
        if self.said - before > 1.0:
            raise KeyboardInterrupt


stop = Stop()


def _print_anywhere() -> None:
    """A terminal or a pipe that knows no minus sign or no rule between lines gets a question mark in its place."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


class Stopped(Exception):
    """The user said stop."""


STOPS = (Stopped, KeyboardInterrupt, click.Abort)


def _say(problem: BaseException) -> int:
    """Print a failure in one line; returns the exit code."""
    from .simulator.protocols import HebbscopeError

    if isinstance(problem, SystemExit):
        return problem.code if isinstance(problem.code, int) else BUG
    if isinstance(problem, click.exceptions.Exit):
        return problem.exit_code
    if isinstance(problem, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader of a pipe has gone
        return BUG
    code, text = BAD_INPUT, str(problem)
    if isinstance(problem, STOPS):
        code, text = STOPPED, text or "stopped"
    elif isinstance(problem, click.ClickException):
        text = problem.format_message()
    elif isinstance(problem, MemoryError):
        text = "not enough memory for a run of this size"
    elif not isinstance(problem, (HebbscopeError, OSError)):
        code, text = BUG, f"internal error, please report it: {type(problem).__name__}: {text}"
    click.echo("hebbscope: " + _one_short_line(text), err=True)
    return code


def _one_short_line(text: str) -> str:
    """The middle goes where the text is long, as when a whole file stood in a value's place."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE // 2]} [...] {line[-LONGEST_LINE // 2 :]}"


# What the options mean ----------------------------------------------------------------------------------------------


def read_settings(pairs: tuple[str, ...]) -> list[tuple[str, Any]]:
    """KEY=VALUE texts as pairs."""
    for pair in pairs:
        if "=" not in pair:
            raise click.UsageError(f"--set: {pair!r} is not KEY=VALUE")
        if any("\ud800" <= letter <= "\udfff" for letter in pair):
            raise click.UsageError(f"--set: {pair!r} is not UTF-8 text")
    return [(key.strip(), value.strip()) for key, _, value in (pair.partition("=") for pair in pairs)]


def writable(path: str, force: bool, endings: tuple[str, ...] = ()) -> Path:
    """The path, if a file can be written there without harm; nothing is left behind by asking."""
    import tempfile

    file = Path(path)
    if not path:
        raise click.UsageError("the name of a file to write must not be empty")
    if file.is_dir():
        raise click.UsageError(f"{path}: is a folder")
    if endings and file.suffix.lower() not in endings:
        raise click.UsageError(f"{path}: must end in {', '.join(endings)}")
    if file.exists() and not force:
        raise click.UsageError(f"{path}: is already there (--force replaces it)")
    if file.exists() and not (file.is_file() and os.access(file, os.W_OK)):
        raise click.UsageError(f"{path}: cannot be replaced")
    if not file.parent.is_dir():
        raise click.UsageError(f"{path}: there is no folder {file.parent}")
    try:
        with tempfile.TemporaryFile(dir=file.parent):
            return file
    except OSError as problem:
        raise click.UsageError(f"{path}: cannot be written ({problem.strerror})") from None


def print_json(value: Any) -> None:
    """One JSON object; numbers that JSON does not know (nan, inf) become null."""
    click.echo(json.dumps(_plain(value), indent=2, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def _load(target: str, pairs: tuple[str, ...], **options: str | None) -> Any:
    """An experiment with settings; options that are given are settings, too."""
    from .models.experiments import load

    return load(target, read_settings(pairs) + [(key, value) for key, value in options.items() if value is not None])


# The commands -------------------------------------------------------------------------------------------------------

settings_option = click.option(
    "--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Change a value; may be repeated."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
force_option = click.option("--force", is_flag=True, help="Replace files that are already there.")


@click.group(
    "hebbscope", cls=Door, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="hebbscope", message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Hebbian learning run with every spike, as a surrogate, and as its rate reduction, compared in one file."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@main.command("list")
@json_option
def list_(as_json: bool) -> None:
    """The experiments, one line each."""
    from .models.experiments import EXPERIMENTS, experiment_class

    titles = {name: experiment_class(name).title for name in EXPERIMENTS}
    if as_json:
        print_json({"experiments": titles})
    for name, title in () if as_json else titles.items():
        click.echo(f"{name:<17}{title}")


@main.command()
@click.argument("experiment")
@click.option("--toml", "as_toml", is_flag=True, help="As a file to edit and to run.")
@settings_option
def show(experiment: str, as_toml: bool, pairs: tuple[str, ...]) -> None:
    """The parameters of EXPERIMENT (a name or a .toml file), with units and sources."""
    from .models.experiments import to_toml

    described = _load(experiment, pairs)
    click.echo(to_toml(described, comments=True) if as_toml else described, nl=not as_toml)


@main.command()
@click.argument("experiment")
@settings_option
@click.option("--duration", metavar="T", help='Biological time: "20000", "500 s", "5 h".')
@click.option("--seeds", metavar="1:16", help="START:STOP (both included), or a list with commas.")
@click.option("--level", metavar="LEVELS", help="Any of spike, surrogate, rate, with commas.")
@click.option("--engine", metavar="ENGINE", help="event, clock or auto: exact where it can be.")
@click.option("--dt", metavar="T", help='Step of the clock-driven engine: "0.1 ms".')
@click.option("--out", metavar="FILE", help="The run file [EXPERIMENT.h5].")
@click.option("--figure", metavar="FILE", help="The figure [as the run file, .png].")
@click.option("--no-figure", is_flag=True, help="Draw nothing.")
@click.option("--threads", type=click.IntRange(min=1), help="[all cores]")
@force_option
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@json_option
def run(experiment: str, pairs: tuple[str, ...], duration: str | None, seeds: str | None, level: str | None, engine: str | None,
        dt: str | None, out: str | None, figure: str | None, no_figure: bool, threads: int | None, force: bool, quiet: bool,
        as_json: bool) -> None:  # fmt: skip
    """Run EXPERIMENT (a name or a .toml file), write its run file and figure, and print how the levels compare."""
    from .models.experiments import to_toml
    from .models.experiments.plan import Levels
    from .simulator.run import check_level, equation_at_hand, has_copies
    from .simulator.runfile import RunFile

    described = _load(experiment, pairs, duration=duration, engine=engine, dt=dt, levels=level, seeds=seeds)
    target = _run_file(out if out is not None else f"{Path(experiment).stem}.h5", force)
    picture = _picture(figure, no_figure, target, force)
    network = described.network()
    if level is None and described.levels == described.usual_levels() and not has_copies(network):
        possible = Levels(name for name in described.levels if name != "surrogate")
        described = described.model_copy(update={"levels": possible})
    wanted, numbers = described.levels, described.seeds
    how = described.duration, described.dt
    equations = [check_level(network, name, *how, numbers) for name in wanted]
    equation = next(filter(None, equations), None) or equation_at_hand(network, *how)

    job = Job(described, network, wanted, numbers, target, picture, threads, quiet, as_json)
    _foresee(job, equation)
    about = {"network": network, "seeds": numbers, "config": to_toml(described.anywhere()), "levels": wanted}

    def created() -> Any:
        file = RunFile.create(target, **about, force=force)
        if picture is not None:
            picture.unlink(missing_ok=True)  # of the run that was here before; `resume` draws where there is none
        return file

    _carry_out(job, created)


class Job(NamedTuple):
    """A run as the command line asks for it: `picture` is where its figure goes, `threads` None for all cores."""

    described: Any
    network: Any
    levels: tuple[str, ...]
    seeds: tuple[int, ...]
    target: Path
    picture: Path | None
    threads: int | None
    quiet: bool
    as_json: bool

    @property
    def silent(self) -> bool:
        """Whether nothing is printed while it runs."""
        return self.quiet or self.as_json


def _foresee(job: Job, equation: Any) -> None:
    """Say what the run takes and what it can show; refuse what the disk cannot hold."""
    from .analysis import forecast
    from .simulator.describe import size
    from .simulator.estimate import check_memory, estimate
    from .simulator.room import RESERVE, room
    from .simulator.run import check_engine, engine_of, record_times, roundings
    from .simulator.sampler import check_monitors

    described, network, end = job.described, job.network, job.described.duration
    n_times = len(record_times(end, described.record_every))
    how = described.how()
    monitors = how.pop("monitors", {})
    how["engine"] = engine_of(network, described.engine)
    check_monitors(monitors, network, how["engine"], described.dt)
    for level in job.levels:
        check_engine(network, level, record_times(end, described.record_every), **how)
    listened = {name: stop - start for name, (start, stop) in _listened(job).items()}
    beside = sum(array.nbytes for group in described.arrays().values() for _, array in group.values())
    watched = {"monitors": monitors, "duration": end}
    takes = estimate(network, job.levels, len(job.seeds), n_times, listened, beside, **watched)
    check_memory(takes)
    wanted, free = takes.file + RESERVE, room(job.target.parent)
    if wanted > free:
        raise click.UsageError(
            f"{job.target}: needs about {size(wanted)}, {size(free)} are free (a larger record_every needs less)"
        )
    if not job.silent:
        click.echo("; ".join(filter(None, (str(takes), forecast.time_scales(equation)))))
        rounded = roundings(network, described.dt) if how["engine"] == "clock" else []
        for note in (*rounded, *forecast.notes(equation, end)):
            click.echo(f"note: {note}")


@main.command()
@click.argument("file")
@click.option("--figure", metavar="FILE", help="The figure [as the run file, .png].")
@click.option("--no-figure", is_flag=True, help="Draw nothing.")
@click.option("--threads", type=click.IntRange(min=1), help="[all cores]")
@click.option("--force-version", is_flag=True, help="Go on although hebbscope, a library or a rule has changed.")
@force_option
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@json_option
def resume(file: str, figure: str | None, no_figure: bool, threads: int | None, force_version: bool, force: bool,
           quiet: bool, as_json: bool) -> None:  # fmt: skip
    """Go on exactly where the stopped or killed run of FILE was."""
    from .models.experiments import loads
    from .simulator import checkpoint
    from .simulator.runfile import DamagedFile, RunFile

    target = checkpoint.itself(file)
    if target.is_dir():
        raise click.UsageError(f"{target}: is a folder, not a run file")
    kept = checkpoint.beside(target)
    if _is_over(file):
        raise click.UsageError(f"{file}: is complete, there is nothing to resume")
    about = checkpoint.load(kept).about
    picture = _picture(figure, no_figure, target, force)
    described = loads(about["config"], f"{kept} (config)")
    network, levels, seeds = described.network(), tuple(about["levels"]), tuple(about["seeds"])

    def reopened() -> Any:
        try:
            return RunFile.reopen(target, force_version)
        except DamagedFile as problem:
            file = RunFile.begin_anew(target, network)
            click.echo(f"hebbscope: {problem}; the run begins anew", err=True)
            return file

    _carry_out(Job(described, network, levels, seeds, target, picture, threads, quiet, as_json), reopened)


def _run_file(path: str, force: bool) -> Path:
    """Where a run goes: not in the place of a description or a text, whatever is forced."""
    import h5py

    file = writable(path, force)
    if file.exists() and file.stat().st_size and file.suffix not in RUN_FILES and not h5py.is_hdf5(file):
        raise click.UsageError(f"{path}: is no run file, which alone --force replaces")
    return file


def _picture(figure: str | None, no_figure: bool, target: Path, force: bool) -> Path | None:
    """Where the figure of a run goes, if there is to be one."""
    if no_figure:
        return None
    picture = writable(figure if figure is not None else str(target.with_suffix(".png")), force, FIGURES)
    if picture == target:
        raise click.UsageError(f"{target}: is both the run file and the figure")
    return picture


def _carry_out(job: Job, open_file: Callable[[], Any]) -> None:
    """Run into the file that is opened for it, draw what came of it, and print how the levels compare."""
    started = time.perf_counter()
    try:
        with open_file() as file:
            runs = _simulate(job, file)
        reports = _reports(runs, job.target, job.described.usual_levels())
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped{_kept(job.target)}") from None
    if job.picture is not None:
        _save(list(reports.values())[-1].figure(), job.picture)
    if job.as_json:
        files = {"file": job.target, "figure": job.picture, "seconds": time.perf_counter() - started}
        about = {"experiment": job.described.name, "levels": job.levels, "seeds": job.seeds}
        about["duration"] = job.described.duration
        print_json(about | files | {name: report.to_dict() for name, report in reports.items()})
    elif not job.quiet:
        click.echo("\n\n".join(map(repr, reports.values())))
        click.echo(f"\nwritten: {job.target}" + (f", {job.picture}" if job.picture else ""))


def _is_over(file: str | Path) -> bool:
    """Whether there is a run file that is complete, and no checkpoint beside it."""
    from .simulator import checkpoint
    from .simulator.runfile import describe

    return Path(file).exists() and not checkpoint.beside(file).exists() and bool(describe(file)["complete"])


def _kept(target: Path) -> str:
    """What is to be said of the run file where a run was stopped."""
    from .simulator import checkpoint
    from .simulator.protocols import HebbscopeError

    if checkpoint.beside(target).exists():
        return f"; `hebbscope resume {target}` goes on from there"
    with suppress(HebbscopeError):
        if _is_over(target):
            return f"; {target} is complete"
    return ""


def _listened(job: Job) -> dict[str, tuple[float, float]]:
    """From when to when the spikes of each population are kept [s]."""
    end, inputs, outputs = job.described.duration, job.described.inputs_kept, job.described.outputs_kept
    return {
        each.name: (max(0.0, end - (inputs if each.is_input else outputs)), end) for each in job.network.populations
    }


def _simulate(job: Job, file: Any) -> list[Any]:
    """Run every level into one file."""
    from . import simulate

    runs = []
    described, network, end = job.described, job.network, job.described.duration
    spikes = _listened(job)
    from .simulator.protocols import LEVELS

    heard = next(level for level in LEVELS if level in job.levels)  # whose spikes the file keeps
    common = {"seeds": job.seeds, "record_every": described.record_every, "threads": job.threads, "file": file}
    common |= described.how()
    for group, arrays in described.arrays().items():
        file.arrays(group, arrays)
    for level in job.levels:
        listen = spikes if level == heard else {}
        with Progress(level, end, job.silent) as progress:
            runs.append(simulate(network, end, level=level, record_spikes=listen, progress=progress.at, **common))
    return runs


def _reports(runs: Sequence[Any], file: str | Path, levels: Sequence[str]) -> dict[str, Any]:
    """What the populations did, of an experiment that is described at one level; the comparison of several, and of one of an experiment about several; fields."""
    from .analysis.activity import activity

    alone = len(levels) == 1
    reports: dict[str, Any] = {"activity": activity(*runs)} if alone else {}
    return reports | (_fields(runs, file) if alone and len(runs) == 1 else _compared(runs, file))


def _compared(runs: Sequence[Any], file: str | Path) -> dict[str, Any]:
    """The comparison of the levels, and of their receptive fields where there are any."""
    from . import compare

    comparison = compare(*runs)
    return {"comparison": comparison} | _fields(list(comparison.runs.values()), file)


def _fields(runs: Sequence[Any], file: str | Path) -> dict[str, Any]:
    """The receptive fields of each level, where the file holds patches to test them on."""
    from .simulator.runfile import read_arrays

    sample = read_arrays(file, "receptive_fields").get("sample")
    if sample is None:
        return {}
    from .analysis.field_report import compare_fields

    return {"receptive_fields": compare_fields(*runs, sample=sample)}


class Progress:
    """A bar with biological time and the time left, on standard error and only on a terminal."""

    def __init__(self, level: str, duration: float, silent: bool):
        self.bar = None
        if not silent and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

            time_text = TextColumn("{task.completed:,.0f} of {task.total:,.0f} s")
            columns = (TextColumn(f"{level:<9}"), BarColumn(), time_text, TimeElapsedColumn(), TimeRemainingColumn())
            self.bar = Progress(*columns, console=Console(stderr=True))
            self.task = self.bar.add_task(level, total=duration)

    def at(self, t: float) -> None:
        """All seeds have reached biological time t [s]."""
        if self.bar is not None:
            self.bar.update(self.task, completed=t)

    def __enter__(self) -> Progress:
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.stop()


@main.command()
@click.argument("experiment")
@settings_option
@click.option(
    "--measure", metavar="T", help='Measure the drift at weights that stand still, for "100 s" with each seed.'
)
@click.option("--seeds", metavar="1:8", help="Those of the measurement, at least two. [1:8]")
@click.option(
    "--spikes",
    is_flag=True,
    help="Of a rule of rates: as it learns from spikes that it sees smoothed, which are what is measured.",
)
@json_option
def reduce(
    experiment: str, pairs: tuple[str, ...], measure: str | None, seeds: str | None, spikes: bool, as_json: bool
) -> None:
    """The learning equation of EXPERIMENT: its coefficients and what it predicts. With --measure its drift, too, beside that of simulated spikes; of any
    experiment, also one that has no learning equation."""
    from . import reduce as reduced
    from .simulator.protocols import HebbscopeError

    if measure is None and seeds is not None:
        raise click.UsageError("--seeds: are those of --measure")
    given = {} if measure is None else {"seeds": seeds if seeds is not None else "1:8"}
    described = _load(experiment, pairs, **given)
    network = described.network()
    try:
        equation = reduced(network, dt=described.dt, spikes=spikes or measure is not None)
    except HebbscopeError as problem:
        if measure is None:
            hint = ' (--measure "20 s" measures its drift)' if network.is_measured_alone else ""
            raise HebbscopeError(f"{problem}{hint}") from None
        equation = None
    measured = None if measure is None else _measured(described, network, measure)
    if as_json:
        named = {"coefficients": equation.coefficients(), "predictions": equation.predictions()} if equation else {}
        named |= {name: getattr(equation, name) for name in ("approximate", "diffusion_at") if hasattr(equation, name)}
        print_json({"experiment": described.name} | named | ({"measured": measured.to_dict()} if measured else {}))
    else:
        click.echo("\n\n".join(map(repr, filter(None, (equation, measured)))))


def _measured(described: Any, network: Any, measure: str) -> Any:
    """The drift of simulated spikes, for so long with each seed."""
    from . import measure_drift
    from .simulator.quantity import read_quantity

    try:
        duration = read_quantity(measure, "s")
    except ValueError as problem:
        raise click.UsageError(f"--measure: {problem}, got {measure!r}") from None
    return measure_drift(
        network,
        duration,
        seeds=described.seeds,
        engine=described.engine,
        dt=described.dt,
    )


@main.command()
@click.argument("file")
@click.option("--figure", metavar="FILE", help="Draw the comparison, too.")
@force_option
@json_option
def compare(file: str, figure: str | None, force: bool, as_json: bool) -> None:
    """Where the levels of a run FILE agree, where they do not, and whether by more than noise."""
    from .simulator.records import ENOUGH
    from .simulator.runfile import read

    picture = writable(figure, force, FIGURES) if figure is not None else None
    reports = _compared(list(read(file, most=ENOUGH).values()), file)
    if picture is not None:
        _save(list(reports.values())[-1].figure(), picture)
    if as_json:
        print_json({"file": file, "figure": picture} | {name: report.to_dict() for name, report in reports.items()})
    else:
        click.echo("\n\n".join(map(repr, reports.values())))


@main.command()
@click.argument("file")
@json_option
def info(file: str, as_json: bool) -> None:
    """What a run FILE holds, where it comes from, and whether it is complete."""
    from .simulator.inventory import inventory
    from .simulator.records import ENOUGH
    from .simulator.runfile import describe, read

    about = describe(file)
    if as_json:
        print_json(about)
        return
    runs = read(file, most=ENOUGH) if any(level["records"] for level in about["levels"].values()) else {}
    lines = inventory(about)
    width = max(18, *(len(key) for key, _ in lines)) + 2
    for key, text in lines:
        click.echo(f"{key:<{width}}{text}")
    for level in runs.values():
        click.echo(level)


@main.command()
@click.argument("file")
@click.argument("what", type=click.Choice(PLOTS))
@click.option("--out", metavar="FILE", help="[beside the run file, FILE-WHAT.png]")
@force_option
def plot(file: str, what: str, out: str | None, force: bool) -> None:
    """Draw WHAT of a run FILE: weights, window, raster, receptive-fields or correlations."""
    from .simulator.records import ENOUGH
    from .simulator.runfile import read

    runs = list(read(file, most=ENOUGH).values())
    target = writable(
        out if out is not None else str(Path(file).with_name(f"{Path(file).stem}-{what}.png")), force, FIGURES
    )
    _save(_drawn(what, runs, file), target)
    click.echo(f"written: {target}")


def _drawn(what: str, runs: list[Any], file: str) -> Any:
    """One figure; single weights are those of the first level in the file, spikes of the first that has any."""
    from .analysis import activity_figures, field_report, figures, spike_figures

    if what == "receptive-fields":
        return field_report.field_figure(runs)
    if what == "weights":
        return figures.weights(runs[0], next((run for run in runs if run.level == "rate"), None)).figure
    if what == "raster" and runs[0].attrs.get("engine") == "clock":
        return activity_figures.raster(runs[0]).figure
    if what == "window":
        return _drawn_window(runs[0].attrs.get("config", ""), file)
    return getattr(spike_figures, what)(next((run for run in runs if run.spikes), runs[0])).figure


def _drawn_window(config: str, file: str) -> Any:
    from .analysis import spike_figures
    from .models.experiments import loads
    from .models.experiments.own import is_own

    if not config:
        raise click.UsageError(f"{file}: holds no description of its rule, as files that Run.save writes do not")
    if is_own(config):  # to draw a file is not to run what it names
        raise click.UsageError(f"{file}: its rule or another part is one's own, in a file that plot does not run")
    described = loads(config, f"{file} (attribute config)")
    where, rule, neuron = described.name, getattr(described, "rule", None), getattr(described, "neuron", None)
    if rule is None:  # a network has one in each projection
        recorded = described.network().recorded
        where, rule, neuron = recorded.name, recorded.rule, recorded.target.model
    if not hasattr(rule, "window"):
        raise click.UsageError(f"{file}: the rule of {where}, {type(rule).__name__}, has no learning window")
    return spike_figures.window(rule, neuron if hasattr(neuron, "epsp") else None).figure


@main.command()
@click.argument("file")
@click.option("--to", required=True, metavar="FORMAT", help="sonata, nwb, netcdf or csv.")
@click.option("--out", metavar="PATH", help="[beside the run file: FILE-sonata/, FILE.nwb, FILE.nc, FILE-csv/]")
@click.option("--level", metavar="LEVELS", help="Any of spike, surrogate, rate, with commas. [all]")
@force_option
def export(file: str, to: str, out: str | None, level: str | None, force: bool) -> None:
    """Write a run FILE as SONATA, NWB, netCDF or CSV."""
    from .models.experiments.plan import Levels
    from .simulator import export

    levels = Levels.read(level, "--level") if level is not None else ()
    click.echo(f"written: {export.export(file, to, out, levels=levels, force=force)}")


@main.command()
@click.option("--against", type=click.Choice(("brian2",)), default="brian2", help="[brian2]")
@json_option
def verify(against: str, as_json: bool) -> None:
    """Run small networks here and in another simulator, and compare them spike by spike and synapse by synapse; exit code 3 where they differ."""
    from .verification import table

    report = table.verify(say=(lambda line: None) if as_json else click.echo)
    if as_json:
        print_json(report.to_dict())
    if not report.ok:
        raise SystemExit(FAILED)


@main.command("check-rule")
@click.argument("rule", metavar="FILE.py:CLASS")
@json_option
def check_rule(rule: str, as_json: bool) -> None:
    """Ask of a rule of one's own what the tests ask of every rule, and say what is wrong; exit code 3 where anything is."""
    from .models.experiments.own import is_own, own_part
    from .verification.rule import checks

    if not is_own(rule):
        raise click.UsageError(f"{rule}: must be FILE.py:CLASS")
    own_part(rule, "check-rule")  # raises where there is none
    found = []
    for check in checks(rule):
        found.append(check)
        if not as_json:
            click.echo(str(check))
    if as_json:
        print_json({"rule": rule, "checks": [check._asdict() | {"ok": check.ok} for check in found]})
    if not all(check.ok for check in found):
        raise SystemExit(FAILED)


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, dpi=200)


if __name__ == "__main__":
    main()
