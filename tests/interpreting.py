"""Runs without the compiler: any parts at once, where to compile them would take seconds for each; and whole programs, with it and without."""

import os
import subprocess
import sys
from unittest.mock import patch

import numba


def interpreted():
    """While it lasts, loops are plain Python; with the same bits (test_properties.py, test_clock_contract.py)."""
    return patch.object(numba.config, "DISABLE_JIT", True)


def both_ways(program: str) -> list[str]:
    """What a program prints that may import what the tests do: compiled, and with NUMBA_DISABLE_JIT=1."""
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    said = []
    for jit_off in ("0", "1"):
        environment = {**os.environ, "PYTHONPATH": path, "NUMBA_DISABLE_JIT": jit_off}
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    return said
