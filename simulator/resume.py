"""Going on from a checkpoint: what it must fit, and the run file cut back to what it was then."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import numpy as np

from . import sonata
from .checkpoint import Checkpoint
from .levelfile import LevelFile
from .protocols import HebbscopeError
from .results import Run

BITS = ("hebbscope", "numba", "numpy")  # the packages on which the bits of a run depend
ANYWAY = "--force-version goes on anyway, where the state fits"


class Left(NamedTuple):
    """A level that was not over: what a Run holds of it, where it is in the file, the checkpoint, and whether sources may have changed."""

    run: Run
    level: LevelFile
    checkpoint: Checkpoint
    force_version: bool

    def check(self, sources: str, what: str) -> None:
        """HebbscopeError where the run that is to go on is not the one that was left: its description, or its sources."""
        about = self.checkpoint.about
        if about["what"] != what:
            raise HebbscopeError(
                "checkpoint: is of another network, of other seeds, record times or record_spikes, or of another step"
            )
        if about["sources"] != sources and not self.force_version:
            raise HebbscopeError(f"checkpoint: a rule, a model or the engine has changed since; {ANYWAY}")
        counted = self.checkpoint.arrays.get("counted")
        if counted is None or (counted.shape, counted.dtype) != ((self.run.n_seeds, self.run.n_post), np.float64):
            raise HebbscopeError("checkpoint: counted must hold a number for each seed and neuron")


def version_of(package: str) -> str:
    """Of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def versions() -> dict[str, str]:
    """Of the packages on which the bits of a run depend."""
    return {package: version_of(package) for package in BITS}


def check_versions(about: dict[str, Any], force: bool) -> None:
    """HebbscopeError where a run was begun with another version of what its bits depend on."""
    for package, now in versions().items():
        then = about["versions"].get(package)
        if then != now and not force:
            raise HebbscopeError(f"checkpoint: was written with {package} {then}, here is {now}; {ANYWAY}")


def holds(root: Any, runs: dict[str, Run], about: dict[str, Any]) -> bool:
    """Whether a run file holds all the records and spikes that were there at the checkpoint."""
    level, spikes = about["level"], root.get("spikes", {})
    records = not level or (level in runs and len(root[f"levels/{level}/time"]) >= about["records"])
    heard = (name in spikes and len(spikes[name]["timestamps"]) >= n for name, n in about["spikes"].items())
    return records and all(done in runs for done in about["done"]) and all(heard)


def cut_back(root: Any, about: dict[str, Any]) -> None:
    """Take out of an open run file all that came after its checkpoint: later levels, records and spikes."""
    done, level = about["done"], about["level"]
    root.attrs["complete"] = np.uint8(0)
    for name in set(root["levels"]) - {*done, level}:
        del root[f"levels/{name}"]
    for name in set(root.get("monitors", ())) - {*done, level}:
        del root[f"monitors/{name}"]
    for name in set(root.get("final", ())) - {*done}:
        del root[f"final/{name}"]
    if "rate" not in done and "theory" in root:
        del root["theory"]
    for name, group in [*root.get("report", {}).items()]:
        if group.attrs["level"] not in {*done, level}:
            del root[f"report/{name}"]
    for name, group in [*root.get("spikes", {}).items()]:
        if name in about["spikes"]:
            sonata.SpikesFile(group).cut(about["spikes"][name])
        else:
            del root[f"spikes/{name}"]
    if level:
        LevelFile.of(root, level).cut(about["records"])
