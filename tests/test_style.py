"""ruff and mypy have nothing to say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import hebbscope

ROOT = Path(hebbscope.__file__).parent


def run(*command: str, cwd: Path) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff():
    run("ruff", "check", ".", cwd=ROOT)


def test_mypy(tmp_path):
    # The checkout is the package, whatever its folder is called: mypy finds it under its own name through a link.
    (tmp_path / "hebbscope").symlink_to(ROOT, target_is_directory=True)
    run("mypy", "--config-file", str(ROOT / "pyproject.toml"), "-p", "hebbscope", cwd=tmp_path)
