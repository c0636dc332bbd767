"""Hebbian learning run with every spike, as a surrogate, and as its rate reduction, compared in one file.

    from hebbscope import Network, Population, Projection, simulate, reduce, compare

The names below are imported when they are first asked for, so that `import hebbscope` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .analysis.comparison import Comparison, compare
    from .rules.reduction import LearningEquation, reduce
    from .simulator.drift import MeasuredDrift, measure_drift
    from .simulator.network import Network, Population, Projection
    from .simulator.protocols import HebbscopeError, ParameterError
    from .simulator.results import Run, Spikes
    from .simulator.run import simulate

__version__ = "0.1.0"

_HOMES = {
    "Network": "simulator.network",
    "Population": "simulator.network",
    "Projection": "simulator.network",
    "simulate": "simulator.run",
    "Run": "simulator.results",
    "Spikes": "simulator.results",
    "measure_drift": "simulator.drift",
    "MeasuredDrift": "simulator.drift",
    "reduce": "rules.reduction",
    "LearningEquation": "rules.reduction",
    "compare": "analysis.comparison",
    "Comparison": "analysis.comparison",
    "HebbscopeError": "simulator.protocols",
    "ParameterError": "simulator.protocols",
}

__all__ = [
    "Comparison",
    "HebbscopeError",
    "LearningEquation",
    "MeasuredDrift",
    "Network",
    "ParameterError",
    "Population",
    "Projection",
    "Run",
    "Spikes",
    "compare",
    "measure_drift",
    "reduce",
    "simulate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
