"""What decays stays above the denormal numbers, which take a hundred times as long to reckon with."""

from __future__ import annotations

from ...simulator.protocols import helper

FAINT = 1e-30  # of any unit: far below what rounding leaves of volts, of conductances, and of rates


@helper
def quiet(x):
    """x, and so little more that nothing but silence changes; an addition at each step costs less than to ask how small it has become."""
    return x + FAINT
