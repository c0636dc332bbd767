"""What a run file holds, where it comes from and how complete it is, in lines to read; `describe` has the same as numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from .describe import size, spans
from .runreader import DamagedFile

SAID = {  # elsewhere in these lines, or of no interest to a reader
    "path", "size", "complete", "running", "resumable", "checkpoint", "config", "config_sha256", "config_intact", "levels", "spikes", "reports",
    "theory", "receptive_fields", "groups", "seeds", "populations", "monitors", "final", "Conventions", "magic", "version", "projection", "versions", "parts_sha256",
}  # fmt: skip


def inventory(about: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and text of each line, from what `describe` says of a file."""
    try:
        return list(_lines(about))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise DamagedFile(f"{about['path']}: damaged, does not say what it holds ({error})") from None


def _lines(about: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "path", f"{about['path']}, {size(about['size'])}"
    yield "complete", _completeness(about)
    if not about["complete"]:
        yield ("running", "yes, is being written") if about["running"] else ("resumable", _resumability(about))
    for name in about:
        if name not in SAID:
            yield name, str(about[name])
    yield "versions", ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    if about["config"]:
        intact = "as it was written" if about["config_intact"] else "CHANGED since it was written"
        yield "config", f"TOML, {intact} (sha256 {about['config_sha256']})"
    if about["populations"]:
        yield "populations", ", ".join(f"{name} {n:,}" for name, n in about["populations"].items())
    if about["groups"]:
        yield "groups", ", ".join(f"{name} {n}" for name, n in about["groups"].items())
    for name, level in about["levels"].items():
        yield f"{name} level", _records(level)
    for name, spikes in about["spikes"].items():
        yield f"spikes of {name}", _spikes(spikes)
    for name, monitor in about["monitors"].items():
        what = monitor.get("population") or monitor.get("projection")
        yield (
            f"monitor {name}",
            f"{monitor['type']} of {what}, {monitor['samples']:,} samples, every {monitor['every']:,.6g} s",
        )
    for name, (n_seeds, *shape) in about["final"].items():
        yield f"final weights of {name}", f"{math.prod(shape):,} of {n_seeds} seed{'s' * (n_seeds > 1)}"
    for name, report in about["reports"].items():
        yield "SONATA report", f"weights of {name}, seed {report['seed']} at {report['level']} level"
    others = [name.replace("_", " ") for name in ("theory", "receptive_fields") if about[name]]
    if others:
        yield "also", ", ".join(others)


def _completeness(about: dict[str, Any]) -> str:
    """yes, or how far each level came."""
    if about["complete"]:
        return "yes"
    planned = about.get("checkpoint", {}).get("levels", [])
    states = [_progress(name, level) for name, level in about["levels"].items()]
    states += [f"{name} not begun" for name in planned if name not in about["levels"]]
    return ": ".join(["no", "; ".join(states) or "nothing is recorded"])


def _progress(name: str, level: dict[str, Any]) -> str:
    if level["complete"]:
        return f"{name} complete"
    end = f" of {level['duration']:,.6g} s" if "duration" in level else " s"
    return f"{name} until {level['time']:,.6g}{end}"


def _resumability(about: dict[str, Any]) -> str:
    kept = about.get("checkpoint", {})
    if not about["resumable"]:
        return "no, there is no checkpoint beside it"
    if "problem" in kept:
        return f"not as it is: {kept['problem']}"
    where = f"after {kept['records']} records of {kept['level']}" if kept["level"] else "from the start"
    return f"yes, {where}: hebbscope resume {about['path']}"


def _records(level: dict[str, Any]) -> str:
    every = f", every {level['record_every']:,.6g} s" if "record_every" in level else ""
    n_pre, n_post, n = level["n_pre"], level["n_post"], level["n_synapses"]
    some = "" if n == n_pre * n_post else f" ({n:,} synapses)"
    step = f" in steps of {level['dt']:g} s" if "dt" in level else ""
    engine = f", {level['engine']} engine{step}" if "engine" in level else step.replace(" in", ", in", 1)
    by = f", approximate ({level['approximate']})" if "approximate" in level else ""
    return (
        f"{level['records']:,} records until {level['time']:,.6g} s{every}, of {_seeds(level['seeds'])}: "
        f"weights {n_pre:,} → {n_post:,}{some}, output rates{engine}{by}"
    )


def _seeds(seeds: list[int]) -> str:
    return f"seed{'s' * (len(seeds) > 1)} {spans(seeds)}"


def _spikes(spikes: dict[str, Any]) -> str:
    window = "{:,.6g} s to {:,.6g} s, ".format(*spikes["recorded"]) if "recorded" in spikes else ""
    return f"{spikes['count']:,}, {window}seed {spikes['seed']} at {spikes['level']} level"
