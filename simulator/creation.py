"""How a run file comes to be: whole beside its place, then its first checkpoint, then its name.

A kill before the checkpoint leaves everything as it was, an older file and its checkpoint, too; after it, a run that can go on, which `finish` gives its name.

    run.h5.new           until it has its name
    run.h5.checkpoint    of a run with a plan, from before that
    run.h5
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from . import checkpoint, journal, sonata
from .checkpoint import Checkpoint, unfinished
from .fingerprint import hashes_of
from .journal import Journaled
from .levelfile import CHUNK_BYTES
from .protocols import HebbscopeError
from .resume import version_of
from .runreader import created_at
from .scales import add_dataset

CONVENTIONS = "SONATA-0.1, hebbscope-1"
ENDS = ("source", "target", "populations", "bounds")  # of the projection, and all that there are
NOTHING: dict[str, Any] = {"done": [], "level": "", "records": 0, "spikes": {}}  # what a first checkpoint counts


@contextmanager
def new(path: Path) -> Iterator[Any]:
    """A new file, as HDF5 has it, which is whole on the disk at the end of the block, and has not yet its name."""
    try:
        with told(path):
            disk = Journaled(unfinished(path), new=True)
            try:
                with opened(disk, "w") as root:
                    yield root
                disk.commit()
                disk.sync()
            finally:
                disk.close()
    except BaseException:
        with suppress(OSError):
            unfinished(path).unlink(missing_ok=True)
        raise


def take_place(path: Path, about: dict[str, Any]) -> None:
    """Give it its name. Without a plan in `about` there is no checkpoint, and none of a file that was here before."""
    if about:
        try:
            checkpoint.save(checkpoint.beside(path), Checkpoint(about | NOTHING, {}))
        except HebbscopeError:
            unfinished(path).unlink(missing_ok=True)
            raise
    _rename(path)
    if not about:
        checkpoint.remove(path)


def finish(path: Path, created: str) -> None:
    """What a kill broke off: a file of the run that was created then takes its name, or else what was being written is written."""
    made = unfinished(path)
    if made.is_file() and created_at(made) == created:
        _rename(path)
    elif path.is_file():
        with told(path):
            journal.recover(path)


def _rename(path: Path) -> None:
    with told(path):
        os.replace(unfinished(path), path)
        journal.remove(path)


def header(root: Any, seeds: list[int], config: str, created: str, attrs: dict[str, Any], network: Any) -> None:
    """The attributes of the file."""
    name, parts = getattr(network, "name", ""), {} if network is None else hashes_of(network)
    sonata.mark(root)
    root.attrs["Conventions"] = CONVENTIONS
    root.attrs["software"] = f"hebbscope {version_of('hebbscope')}"
    root.attrs["versions"] = json.dumps(
        {"python": platform.python_version()} | {n: version_of(n) for n in ("numpy", "numba", "h5py")}
    )
    root.attrs["config"] = config
    root.attrs["config_sha256"] = hashlib.sha256(config.encode()).hexdigest()
    root.attrs["created"] = created
    root.attrs["complete"] = np.uint8(0)
    if seeds:
        root.attrs["seeds"] = np.array(seeds)
    said = {"parts_sha256": json.dumps(parts)} if parts else {}
    for key, value in (({"network": name} if name else {}) | attrs | said).items():
        root.attrs[key] = value


def ends(
    root: Any,
    projection: str,
    source: str = "",
    target: str = "",
    populations: Mapping[str, int] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
) -> None:
    """What the projection joins, the sizes of all populations, and the bounds of the weights that learn, null where there is none."""
    finite = {name: [each if abs(each) < np.inf else None for each in pair] for name, pair in (bounds or {}).items()}
    about = {"source": source, "target": target, "populations": json.dumps(dict(populations or {}))}
    about["bounds"] = json.dumps(finite)
    group = root.create_group("levels")
    for name, value in ({"projection": projection} | about).items():
        group.attrs[name] = value


def inputs(root: Any, shape: Sequence[int] | None, groups: Sequence[str]) -> None:
    """The shape of the inputs, and the name of each one's group."""
    import h5py

    group = root.create_group("inputs")
    if shape:
        group.attrs["shape"] = np.array(shape, dtype=np.int64)
    if groups:
        add_dataset(group, "group", ("pre",), np.array(groups, dtype=object), dtype=h5py.string_dtype())


def opened(disk: Journaled, mode: str) -> Any:
    """The file as HDF5 has it."""
    import h5py

    # It holds the chunk of each dataset that is being filled, but not a megabyte of them.
    return h5py.File(disk, mode, libver=("v108", "v114"), rdcc_nbytes=2 * CHUNK_BYTES)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Say in one line what the disk said."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number).lower() if number else str(error).splitlines()[0]
        raise HebbscopeError(f"{path}: cannot be written ({reason})") from error
