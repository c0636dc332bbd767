"""How far a run goes at a time: strides of biological time that take about as long on the clock, however fast a network is."""

from __future__ import annotations

import math

STRIDE = 0.5  # s on the clock, about: so often a stop is heeded and progress told, however far apart the records are
FIRST = 1e-6  # s of biological time in which hardly a spike comes, however large the network
LONGER, SHORTER = 4.0, 0.1  # times the last stride, at most and at least


class Pace:
    """The lengths of strides: the first is next to nothing, and each is measured for the next. They leave no mark on a run."""

    def __init__(self) -> None:
        self.length = FIRST

    def end(self, now: float, t: float) -> float:
        """Where the stride from `now` ends, at t or before [s]; it always gets on."""
        return min(t, max(now + self.length, math.nextafter(now, math.inf)))

    def took(self, biological: float, clock: float) -> None:
        """What a stride was long [s] and took on the clock [s]."""
        wanted = biological * STRIDE / max(clock, 1e-9)
        self.length = max(FIRST, min(max(wanted, SHORTER * self.length), LONGER * self.length))
