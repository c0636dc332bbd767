"""Compiled loops, kept on disk under a name made of their content.

numba finds a compiled function again by its own file and argument types, and does not notice an edit of a hook in another file. So each
loop is compiled into a folder named by a hash of the loop's file, of the files of all parts and states in use, of this one, and of every
module of ours or the user's that those import outside their functions. An edit anywhere there gives another folder; an edit elsewhere
recompiles nothing.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import re
import shutil
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

from .dispatch import OPTIONS, classes_of, expose
from .inlining import pipelines
from .kernelfile import read_quickly
from .packing import Packed

KEEP_DAYS = 30.0
DIGITS = 20  # of the hash that names a folder

_loops: dict[tuple[Callable, tuple[type, ...]], Callable] = {}
_lock = threading.Lock()


def compiled(function: Callable, parts: Iterable[Any]) -> Callable:
    """`function` compiled for these parts and states; with NUMBA_DISABLE_JIT=1 the plain function, with the same results to the bit."""
    import numba

    if numba.config.DISABLE_JIT:
        return _plain(function)
    parts = list(parts)
    key = function, tuple(classes_of(parts))  # classes of one file have one digest and may have methods of their own
    with _lock:
        if key not in _loops:
            expose(function, parts)
            folder, theirs = _folder(content_hash(*key)), numba.config.CACHE_DIR
            numba.config.CACHE_DIR = str(folder)  # numba asks for it here and not later
            try:
                _loops[key] = numba.njit(
                    function, cache=True, nogil=True, pipeline_class=pipelines()["loop"], **OPTIONS
                )
                read_quickly(_loops[key])
            finally:
                numba.config.CACHE_DIR = theirs
            prune(folder.parent)
        return _loops[key]


def loop_of(function: Callable, *parts: tuple) -> Callable:
    """`function` compiled for these parts and states, which it is to open, and with them as its first arguments."""
    return partial(compiled(function, parts), *map(Packed, parts))


def _plain(function: Callable) -> Callable:
    import numpy as np

    def run(*args):
        with np.errstate(over="ignore"):  # the random streams wrap around on purpose
            return function(*args)

    return run


def cache_folder() -> Path:
    """HEBBSCOPE_CACHE, or `hebbscope` in the user's cache folder."""
    if os.environ.get("HEBBSCOPE_CACHE"):
        return Path(os.environ["HEBBSCOPE_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "hebbscope"


def _folder(digest: str) -> Path:
    """The folder of this name, made if need be; where the cache cannot be written, one that lasts as long as the process."""
    folder = cache_folder() / digest
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    folder = Path(_own_folder().name) / digest
    folder.mkdir(exist_ok=True)
    return folder


@cache
def _own_folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="hebbscope-")


@cache
def content_hash(function: Callable, classes: tuple[type, ...]) -> str:
    """A hash of the sources of the function, the classes, this module, and the modules that they import, near and far."""
    modules: dict[str, ModuleType] = {}
    for item in (function, *classes, compiled):  # how a loop is compiled and kept counts too
        _collect(sys.modules[item.__module__], modules)
    sources = {name: _source(module) for name, module in modules.items()}
    digest = hashlib.sha256()
    for name in sorted(sources):
        digest.update(name.encode() + b"\0" + sources[name] + b"\0")
    return digest.hexdigest()[:DIGITS]


def _collect(module: ModuleType, found: dict[str, ModuleType]) -> None:
    """The module and, through the imports at the top of its file, all of ours and the user's that it builds on."""
    if module.__name__ in found:
        return
    found[module.__name__] = module
    for name in _imports(module):
        other = sys.modules.get(name)
        if other is not None and (_is_ours(other) or _package(other) == _package(module)):
            _collect(other, found)


def _imports(module: ModuleType) -> list[str]:
    """Names of modules that a file imports when it is loaded; those inside functions play no part in a loop."""
    if not (getattr(module, "__file__", None) or "").endswith(".py"):
        return []
    names = []
    for statement in _at_load(_syntax(_source(module))):
        if isinstance(statement, ast.Import):
            names += [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom):
            base = importlib.util.resolve_name("." * statement.level + (statement.module or ""), module.__package__)
            names += [base, *(f"{base}.{alias.name}" for alias in statement.names)]
    return names


def _syntax(source: bytes) -> ast.Module:
    """The syntax tree of a file as far as there are imports: a quarter of the text, and of the time."""
    end = source.find(b"\n", source.rfind(b"import"))
    try:
        return ast.parse(source[:end] if end >= 0 else source)
    except SyntaxError:  # no statement ends there
        return ast.parse(source)


def _at_load(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it, but for what is in functions."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.ExceptHandler) and not isinstance(
            child, ast.FunctionDef | ast.AsyncFunctionDef
        ):
            yield from _at_load(child)


def _package(module: ModuleType) -> str:
    return module.__name__.split(".")[0]


def _is_ours(module: ModuleType) -> bool:
    """A module of this package, or of the user: neither built in nor from the standard library or the installed packages."""
    if _package(module) == __name__.split(".")[0]:
        return True
    file = getattr(module, "__file__", None)
    if file is None or {"site-packages", "dist-packages"} & set(Path(file).parts):
        return False
    return not any(Path(file).is_relative_to(folder) for folder in _installed())


@cache
def _installed() -> list[Path]:
    """Where the standard library and installed packages are, as written and with links resolved."""
    folders = [Path(sysconfig.get_path(kind)) for kind in ("stdlib", "platstdlib", "purelib", "platlib")]
    return [*folders, *(folder.resolve() for folder in folders)]


def _source(module: ModuleType) -> bytes:
    file = getattr(module, "__file__", None)
    if file is not None and Path(file).is_file():
        return Path(file).read_bytes()
    # A notebook has no file: what its classes do is in the code of their methods.
    codes = [
        repr((name, key, method.__code__.co_code, method.__code__.co_consts))
        for name, value in sorted(vars(module).items())
        if isinstance(value, type)
        for key, method in sorted(vars(value).items())
        if hasattr(method, "__code__")
    ]
    return "\n".join(codes).encode()


def prune(folder: Path, days: float = KEEP_DAYS) -> None:
    """Remove the compiled loops that nobody asked for in so many days, and nothing else that may be in the folder."""
    for old in folder.iterdir():
        if not re.fullmatch(rf"[0-9a-f]{{{DIGITS}}}", old.name) or not old.is_dir():
            continue
        if time.time() - old.stat().st_mtime > 86400.0 * days:
            shutil.rmtree(old, ignore_errors=True)
