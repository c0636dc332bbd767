"""The right to write a run file, which one process has; given up at its end, however it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .protocols import HebbscopeError


def locked(path: Path) -> Any:
    """Take it; HebbscopeError in one line where another has it, or the folder takes no file."""
    from filelock import FileLock, Timeout

    lock = FileLock(_named(path))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise HebbscopeError(f"{path}: is being written by another run") from None
    except OSError as error:
        raise HebbscopeError(f"{path}: cannot be written ({(error.strerror or str(error)).lower()})") from None
    return lock


def unlock(lock: Any) -> None:
    """Give it up. Doing so twice is harmless."""
    if lock.is_locked:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def is_locked(path: Path) -> bool:
    """Whether somebody has it. What a kill left of a lock is not held."""
    from filelock import FileLock, Timeout

    if not _named(path).exists():
        return False
    try:
        with FileLock(_named(path), timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # where nobody may write
        return False


def _named(path: Path) -> Path:
    return path.with_name(path.name + ".lock")
