"""What decays comes to rest."""

from __future__ import annotations

from ...simulator.protocols import helper

FAINT = 1e-30  # of any unit: far below what rounding leaves of volts, of conductances, and of rates


@helper
def quiet(x):
    """x, or exactly 0 where it has become faint: what goes on decaying ends in denormal numbers, which take a hundred times as long."""
    return x if abs(x) > FAINT else 0.0
