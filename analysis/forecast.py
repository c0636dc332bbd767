"""What a learning equation says of a run before it begins: how long weights take, and whether the run is long enough to show it."""

from __future__ import annotations

from typing import Any

SHOWN = 0.3  # of the time constant of growth: in less of it, structure grows by less than 35 %
SLOW = 10.0  # s: rates are averages over about a second, so that weights must take longer


def time_scales(equation: Any) -> str:
    """The time constants in one line; empty for an equation that states none."""
    if not hasattr(equation, "tau_mean"):
        return ""
    words = [f"mean weight settles in {equation.tau_mean:.3g} s" if equation.tau_mean > 0 else "mean weight runs away"]
    if equation.growth_rate > 0.0:
        words.append(f"structure grows in {1.0 / equation.growth_rate:.3g} s")
    return ", ".join(words)


def notes(equation: Any, duration: float) -> list[str]:
    """What a run of this duration [s] cannot show, a sentence each."""
    if not hasattr(equation, "tau_mean"):
        return []
    tau, growth = equation.tau_mean, equation.growth_rate
    found = []
    if tau > 0.0 and duration < tau:
        found.append(f"{duration:g} s are less than the {tau:.3g} s in which the mean weight settles")
    if tau < 0.0:
        found.append(f"the mean weight has no stable fixed point: it grows e-fold in {-tau:.3g} s")
    if growth > 0.0 and duration < SHOWN / growth:
        found.append(f"{duration:g} s show little of the structure, which grows e-fold in {1.0 / growth:.3g} s")
    if abs(tau) < SLOW or 0.0 < 1.0 / max(growth, 1e-300) < SLOW:
        found.append(
            f"weights change within {SLOW:g} s, too fast for an equation of averages: a smaller learning rate makes it hold"
        )
    return found
