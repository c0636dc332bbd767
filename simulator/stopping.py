"""Stops that wait: what is written together is not torn apart by the user's Ctrl-C or the machine's SIGTERM."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Signals to stop are heeded at the end of the block. Only the main thread gets any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[tuple[int, Any]] = []
    handlers: dict[int, Any] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        handlers[number] = signal.signal(number, lambda *signal_and_frame: caught.append(signal_and_frame))
    try:
        yield
    finally:
        for restored, handler in handlers.items():
            signal.signal(restored, handler)
        for again, frame in caught[:1]:
            if callable(handlers[again]):
                handlers[again](again, frame)
            elif handlers[again] == signal.SIG_DFL:
                signal.raise_signal(again)
