"""Functions f(y) of the output rate by which nonlinear Hebbian learning changes weights. Each has the hook of_rate(y)."""

from __future__ import annotations

from typing import NamedTuple

from ..simulator.protocols import Hertz, Seconds, finite, part, positive


@part
class Linear(NamedTuple):
    """f(y) = y - y_0.

    y_0  0 Hz  output rate of no change
    """

    y_0: Hertz = 0.0

    def check(self):
        finite(self, "y_0")

    def of_rate(self, y):
        return y - self.y_0


@part
class RectifiedPower(NamedTuple):
    """f(y) = [y - y_0]_+^p: the quadratic rectifier for p = 2.

    y_0  0 Hz  output rate from which on there is change
    p    2     exponent, > 0
    """

    y_0: Hertz = 0.0
    p: float = 2.0

    def check(self):
        finite(self, "y_0")
        positive(self, "p")

    def of_rate(self, y):
        above = y - self.y_0
        return above**self.p if above > 0.0 else 0.0


@part
class NearestPairs(NamedTuple):
    """f(y) = y [A_plus / (1 / tau_plus + y) - A_minus / (1 / tau_minus + y)]: what presynaptic-centred pairs of Poisson spikes change, over x.

    A_plus     1.03     amplitude of potentiation
    A_minus    0.51     amplitude of depression
    tau_plus   13.3 ms  width of potentiation
    tau_minus  34.5 ms  width of depression

    Below y = (A_minus / tau_plus - A_plus / tau_minus) / (A_plus - A_minus) it depresses and above it potentiates, where both are positive.
    Source: Izhikevich & Desai 2003, Neural Comput 15:1511 [derived again].
    """

    A_plus: float = 1.03
    A_minus: float = 0.51
    tau_plus: Seconds = 13.3e-3
    tau_minus: Seconds = 34.5e-3

    def check(self):
        finite(self, "A_plus", "A_minus")
        positive(self, "tau_plus", "tau_minus")

    def of_rate(self, y):
        return y * (self.A_plus / (1.0 / self.tau_plus + y) - self.A_minus / (1.0 / self.tau_minus + y))
