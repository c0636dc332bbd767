"""How much a file may still grow, asked before it does (HDF5 has no way back from a disk that is full), and how much memory there is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

RESERVE = 16_000_000  # bytes that are left free, so that files can be closed in good order


def room(folder: Path, written: int = 0) -> int:
    """Bytes by which a file of `written` bytes in a folder may grow: what is free there, or less where the system limits the size of files."""
    return min(shutil.disk_usage(folder).free, _largest() - written)


def memory() -> int:
    """Bytes of memory that the machine has."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not told on Windows
        return 2**63


def _largest() -> int:
    """The size [bytes] that this process may give a file (`ulimit -f`)."""
    try:
        from resource import RLIM_INFINITY, RLIMIT_FSIZE, getrlimit
    except ImportError:  # no such limit on Windows
        return 2**63
    limit = getrlimit(RLIMIT_FSIZE)[0]
    return 2**63 if limit == RLIM_INFINITY else limit
