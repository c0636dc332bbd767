"""Reads a compiled loop from disk without making numba's compiler ready first.

Before it reads, numba loads all that it can compile, and with it SciPy's linear algebra: half a second. Machine code on disk is
complete, though; of the process it wants only the symbols that it calls, and LLVM ends a process that lacks one. So their names are kept
beside the code. Where all of them are there, the compiler sleeps on; where one is missing, or no code is found, numba wakes it as ever.
Files that are damaged are given up, and made anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

SYMBOLS = (
    f"symbols.{sys.implementation.cache_tag}.txt"  # of all machine code in a folder for this Python, one to a line
)


def read_quickly(loop: Callable) -> None:
    """Let a loop of numba's read itself in this way; a numba whose files are kept in another way than we know reads in its own."""
    with suppress(ImportError, AttributeError):
        loop._cache = _cache_class()(loop.py_func)  # type: ignore[attr-defined]


class Asleep:
    """A target context of numba's that is not refreshed: what it has must do."""

    def __init__(self, context: Any):
        self.context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self.context, name)

    def refresh(self) -> None:
        """Nothing."""


@cache
def _cache_class() -> type:
    from llvmlite.binding import address_of_symbol
    from numba.core.caching import FunctionCache
    from numba.core.compiler import CompileResult

    class KernelCache(FunctionCache):
        """numba's cache of a function on disk, and the symbols that its machine code calls."""

        def load_overload(self, sig, target_context):
            symbols = Path(self.cache_path, SYMBOLS)
            try:
                names = symbols.read_text().splitlines() if symbols.is_file() else []
                asleep = bool(names) and all(map(address_of_symbol, names))
                return super().load_overload(sig, Asleep(target_context) if asleep else target_context)
            except Exception:  # damaged files: pickle raises what it meets
                symbols.unlink(missing_ok=True)
                self.flush()
                return None

        def save_overload(self, sig, data):
            match data:
                case CompileResult(library=code):
                    symbols = Path(self.cache_path, SYMBOLS)
                    symbols.parent.mkdir(parents=True, exist_ok=True)
                    with symbols.open("a") as file:  # before the code, which nobody may find without them
                        file.writelines(f"{name}\n" for name in _symbols(code._final_module))
            super().save_overload(sig, data)

    return KernelCache


def _symbols(module: Any) -> list[str]:
    """Names that LLVM's code refers to and does not define, but for its own."""
    values = (*module.functions, *module.global_variables)
    return [value.name for value in values if value.is_declaration and not value.name.startswith("llvm.")]
