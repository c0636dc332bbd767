"""Runs without the compiler: any parts at once, where to compile them would take seconds for each."""

from unittest.mock import patch

import numba


def interpreted():
    """While it lasts, loops are plain Python; with the same bits (test_properties.py, test_clock_contract.py)."""
    return patch.object(numba.config, "DISABLE_JIT", True)
