"""Who imports whom, and what an import costs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import hebbscope

ROOT = Path(hebbscope.__file__).parent
HEAVY = (
    "numba",
    "scipy",
    "matplotlib",
    "brian2",
    "xarray",
    "pandas",
    "skimage",
    "sklearn",
    "pynwb",
    "neo",
    "quantities",
)
FOLDERS = ("simulator", "rules", "models", "analysis", "verification")
OURS = (*FOLDERS, "cli", "door")
OPEN_TO_PARTS = {
    f"simulator.{name}"
    for name in ("protocols", "network", "plain", "connectivity", "monitors", "streams", "describe", "quantity", "hdf5")
}
LOOPS = ("simulator.event", "simulator.sampled")


def modules() -> dict[str, ast.Module]:
    """Dotted name below the package -> its syntax tree."""
    found = {}
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*.py"):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            found[name] = ast.parse(file.read_text(encoding="utf-8"))
    return found


def imported(name: str, tree: ast.Module, at_load_only: bool = False) -> set[str]:
    """What a module imports: ours as dotted names below the package, others as top-level names."""
    found = set()
    for node in ast.walk(tree):
        if at_load_only and not _at_load(node, tree):
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = [*name.split(".")[: -node.level], *(node.module or "").split(".")]
            package = ".".join(filter(None, base))
            found |= {package} if node.module else {f"{package or 'door'}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def _at_load(node: ast.AST, tree: ast.Module) -> bool:
    return node in tree.body


MODULES = modules()


def ours(name: str) -> set[str]:
    return {m for m in imported(name, MODULES[name]) if m.split(".")[0] in OURS}


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith(("rules", "models", "analysis"))])
def test_parts_and_analysis_see_only_the_open_modules_of_the_simulator(name):
    seen = {m for m in ours(name) if m.startswith("simulator")}
    assert seen <= OPEN_TO_PARTS


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith(("rules", "models", "analysis"))])
def test_rules_models_and_analysis_keep_apart(name):
    allowed = {name.split(".")[0]} | ({"rules"} if name.startswith("models.experiments") else set())
    assert {m.split(".")[0] for m in ours(name)} - {"simulator"} <= allowed


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("analysis")])
def test_analysis_never_imports_numba(name):
    assert "numba" not in imported(name, MODULES[name])


@pytest.mark.parametrize("name", LOOPS)
def test_loops_see_no_rule_and_no_model(name):
    assert not {m for m in ours(name) if m.startswith(("rules", "models", "analysis"))}


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith("verification")])
def test_nobody_leans_on_the_verification(name):
    assert not {m for m in ours(name) if m.startswith("verification")}


@pytest.mark.parametrize("name", MODULES)
def test_nobody_imports_the_doors(name):
    assert not {m for m in ours(name) if m.startswith(("cli", "door"))}


@pytest.mark.parametrize("name", MODULES)
def test_heavy_libraries_are_imported_where_they_are_used(name):
    assert not imported(name, MODULES[name], at_load_only=True) & set(HEAVY)


def fresh(code: str) -> dict:
    """What a fresh interpreter prints, as JSON."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_importing_costs_next_to_nothing():
    code = (
        "import time, sys, json; start = time.perf_counter(); import hebbscope; took = time.perf_counter() - start;"
        f"print(json.dumps([took, [name for name in {HEAVY!r} if name in sys.modules]]))"
    )
    results = [fresh(code) for _ in range(3)]
    assert min(took for took, _ in results) < 0.3
    assert results[0][1] == []


def test_the_parts_import_nothing_heavy():
    code = (
        "import sys, json; from hebbscope import Network, Population, Projection, reduce, simulate, compare;"
        "from hebbscope.models import LinearPoisson, ModulatedPoisson; from hebbscope.rules import KempterWindow, SpikeHebb;"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    assert fresh(code) == []


def test_every_public_name_is_there():
    for name in hebbscope.__all__:
        assert getattr(hebbscope, name) is not None
        assert name in dir(hebbscope)
    with pytest.raises(AttributeError, match="no attribute 'simulat'"):
        _ = hebbscope.simulat
    for package in ("models", "rules"):
        module = __import__(f"hebbscope.{package}", fromlist=["*"])
        assert all(hasattr(module, name) for name in module.__all__)


def test_the_version_is_that_of_the_package():
    from importlib.metadata import version

    assert hebbscope.__version__ == version("hebbscope")
