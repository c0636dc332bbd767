"""Compiled loops on disk: an edit of any source in use runs at once, and recompiles nothing else; what nobody uses goes."""

import ast
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import hebbscope
from hebbscope import Network, Population, Projection, simulate
from hebbscope.models import HomogeneousPoisson, LinearPoisson
from hebbscope.rules import Static
from hebbscope.simulator import compile as kernels
from hebbscope.simulator import kernelfile

PACKAGE = Path(hebbscope.__file__).parent
SOURCES = ("simulator", "rules", "models", "analysis")

PROGRAM = """
import sys, time
import hebbscope
from hebbscope import Network, Population, Projection, simulate
from hebbscope.models import HomogeneousPoisson, LinearPoisson
from hebbscope.rules import SpikeHebb, KempterWindow
from own_rule import OwnRule
rule = OwnRule() if sys.argv[1] == "own" else SpikeHebb(eta=1e-3)
inputs, neuron = Population("inputs", 2, HomogeneousPoisson(50.0)), Population("neuron", 1, LinearPoisson(base_rate=5.0))
network = Network([inputs, neuron], [Projection(inputs, neuron, 0.5, rule)])
print(simulate(network, 2.0, record_every=2.0).final_weights.tolist())
"""

OWN = '''
from typing import NamedTuple
import numpy as np
try:
    from own_helper import STEP
except ImportError:
    STEP = 0.0

class State(NamedTuple):
    count: np.ndarray

class OwnRule(NamedTuple):
    """Each output spike adds a step."""
    scale: float = 1.0
    def check(self): pass
    def init(self, n_pre, n_post): return State(np.zeros(1))
    def on_pre(self, state, w, j, t): pass
    def on_post(self, state, w, i, t):
        for n in range(w.n_in(i)):
            w.value[w.into(i, n)] += self.scale * STEP
'''


@pytest.fixture
def copy(tmp_path):
    """A copy of the package and a user's own rule, with a cache of their own."""
    home = tmp_path / "hebbscope"
    for folder in SOURCES:
        shutil.copytree(PACKAGE / folder, home / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PACKAGE / "__init__.py", home)
    (tmp_path / "own_rule.py").write_text(OWN)
    (tmp_path / "own_helper.py").write_text("STEP = 0.001\n")
    (tmp_path / "program.py").write_text(PROGRAM)

    def run(which):
        environment = {
            **os.environ,
            "PYTHONPATH": str(tmp_path),
            "HEBBSCOPE_CACHE": str(tmp_path / "cache"),
            "NUMBA_DISABLE_JIT": "0",
        }
        done = subprocess.run(
            [sys.executable, "program.py", which],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def compiled():
        return {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.nbc")}, len(
            list((tmp_path / "cache").iterdir())
        )

    return tmp_path, run, compiled


def edit(path, old, new):
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new))


def test_an_edit_runs_and_nothing_else_recompiles(copy):
    folder, run, compiled = copy
    ours, own = run("ours"), run("own")
    files, folders = compiled()
    assert folders == 2

    assert (run("ours"), run("own")) == (ours, own)
    assert compiled() == (files, 2)  # found again, not compiled again

    edit(folder / "own_helper.py", "0.001", "0.003")  # two files away from the loop
    changed = run("own")
    assert changed != own and run("ours") == ours
    assert compiled()[1] == 3

    edit(folder / "own_rule.py", "self.scale * STEP", "2.0 * self.scale * STEP")
    assert run("own") not in (own, changed) and run("ours") == ours
    assert compiled()[1] == 4

    edit(
        folder / "hebbscope" / "rules" / "spike_hebb.py",
        "self.eta * (self.w_out + pairs)",
        "self.eta * (2.0 * self.w_out + pairs)",
    )
    assert run("ours") != ours
    assert compiled()[1] == 5
    before = compiled()
    run("own")
    assert compiled() == before  # the user's rule does not use the edited file

    with (folder / "hebbscope" / "rules" / "traces.py").open("a") as traces:  # whatever stands there
        traces.write("# edited\n")
    run("own")
    assert compiled() == before
    run("ours")
    assert compiled()[1] == 6


def test_a_kernel_on_disk_leaves_the_compiler_asleep(copy):
    folder, run, compiled = copy
    with (folder / "program.py").open("a") as program:
        program.write("print('numba.np.linalg' in sys.modules)\n")
    result, awake = run("ours").splitlines()
    files = compiled()
    assert awake == "True" and run("ours").splitlines() == [result, "False"]

    (symbols,) = (folder / "cache").rglob("symbols.*.txt")
    with symbols.open("a") as names:
        names.write("_a_symbol_that_nobody_has\n")
    assert run("ours").splitlines() == [result, "True"]

    symbols.unlink()
    assert run("ours").splitlines() == [result, "True"]
    assert compiled() == files


@pytest.mark.parametrize("ending", ["nbc", "nbi", "txt"])
def test_a_damaged_kernel_is_compiled_anew(copy, ending):
    """Cut off, as a full disk or a power cut leaves it."""
    folder, run, _ = copy
    result = run("ours")
    (damaged,) = (folder / "cache").rglob(f"*.{ending}")
    damaged.write_bytes(damaged.read_bytes()[:9] + b"\xff")
    assert run("ours") == result
    assert run("ours") == result


def test_an_empty_name_of_the_cache_folder_is_none(monkeypatch, tmp_path):
    monkeypatch.setenv("HEBBSCOPE_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kernels.cache_folder() == tmp_path / "hebbscope"


def test_a_numba_that_is_not_as_we_know_it_is_left_alone(monkeypatch):
    import numba.core.caching

    loop = SimpleNamespace(py_func=test_a_numba_that_is_not_as_we_know_it_is_left_alone, _cache="numba's own")
    monkeypatch.delattr(numba.core.caching, "FunctionCache")
    kernelfile._cache_class.cache_clear()
    kernelfile.read_quickly(loop)
    assert loop._cache == "numba's own"


@pytest.mark.parametrize(
    "source",
    [
        "import a\nx = 1\n",
        "import a",
        "x = 1\n",
        "",
        "import a\r\nfrom . import b\r\nx = 1\r\n",
        "import a; x = 1; import b\ny = 2\n",
        "from a import (\n    b,\n    c,\n)\nx = 1\n",
        "from a import b, \\\n    c\nx = 1\n",
        "try:\n    import a\nexcept ImportError:\n    a = None\n",
        'import a\ntext = """\nimport b\n"""\n',
        "import a\n# nothing to import here\nif a:\n    x = 1\nelse:\n    def f():\n        import b\n        return b\n",
        "class A:\n    import a\n    def f(self):\n        from b import c\n        return c\n",
    ],
)
def test_imports_are_found_in_the_beginning_of_a_file(source):
    def found(tree):
        return [ast.dump(node) for node in kernels._at_load(tree) if isinstance(node, ast.Import | ast.ImportFrom)]

    assert found(kernels._syntax(source.encode())) == found(ast.parse(source))


def test_old_folders_go_and_nothing_else_does(tmp_path):
    loops = {"old": "0123456789abcdef0123", "new": "f123456789abcdef0123"}
    for name, age in ((loops["old"], 40.0), (loops["new"], 1.0), ("thesis", 40.0)):
        (tmp_path / name).mkdir()
        stamp = time.time() - 86400.0 * age
        os.utime(tmp_path / name, (stamp, stamp))
    kernels.prune(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {loops["new"], "thesis"}


def test_a_cache_that_cannot_be_written_is_done_without(copy):
    folder, run, _ = copy
    (folder / "cache").write_text("a file is no folder")
    assert run("own") == run("own")


def test_the_cache_folder_of_others_is_left_alone(copy):
    folder, run, _ = copy
    program = folder / "program.py"
    program.write_text(
        "import numba\nnumba.config.CACHE_DIR = 'mine'\n"
        + program.read_text()
        + "assert numba.config.CACHE_DIR == 'mine'\n"
    )
    run("ours")


def test_a_module_without_python_source_is_imported_by_nobody(tmp_path):
    binary = ModuleType("own_extension")
    binary.__file__ = str(tmp_path / "own_extension.so")
    (tmp_path / "own_extension.so").write_bytes(b"\x7fELF\0\0")
    assert kernels._imports(binary) == []
    assert kernels._source(binary) == b"\x7fELF\0\0"


class Talking(Static):
    """Says what comes."""

    def on_pre(self, state, w, j, t):
        print("from source", j)


def test_what_a_hook_prints_is_heard(capfd):
    """A hook is machine code in its loop alone, which is handed what numba makes objects with."""
    inputs, neuron = Population("inputs", 1, HomogeneousPoisson(20.0)), Population("neuron", 1, LinearPoisson())
    run = simulate(Network([inputs, neuron], [Projection(inputs, neuron, 0.1, Talking())]), 1.0)
    assert capfd.readouterr().out.splitlines() == ["from source 0"] * len(run.spikes["inputs"]) != []
