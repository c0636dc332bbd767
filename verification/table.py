"""Runs each case in both simulators and says, line by line, whether they agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np

from . import ours, twin
from .cases import DT, N_RUNS, N_STEPS, SECONDS, exact, noisy

SEED = 1
CLOSE = 1e-12  # of the largest weight: what rounding may leave
MOST_ERRORS = 3.0  # standard errors


class Exact(NamedTuple):
    """One case, spike by spike and synapse by synapse.

    spikes of the neurons, and how many of them only one simulator has; synapses, and the largest difference of a weight, in parts of the largest weight
    """

    case: str
    spikes: int
    odd_spikes: int
    synapses: int
    difference: float

    @property
    def ok(self) -> bool:
        return self.odd_spikes == 0 and self.difference <= CLOSE

    def to_dict(self) -> dict[str, Any]:
        return self._asdict() | {"ok": self.ok}

    def __str__(self) -> str:
        counts = f"{self.spikes:>8}{self.odd_spikes:>8}{self.synapses:>11}{self.difference:>13.2g}"
        return f"{self.case:<36}{counts}   {_verdict(self.ok)}"


class Estimate(NamedTuple):
    """A mean over runs and its standard error, which is 0 for theory."""

    mean: float
    error: float = 0.0

    def __str__(self) -> str:
        return f"{self.mean:.4g}" + (f" ± {self.error:.1g}" if self.error else "")


class Mean(NamedTuple):
    """One quantity where both simulators draw their own noise, beside theory where there is one."""

    case: str
    quantity: str
    hebbscope: Estimate
    brian2: Estimate
    theory: Estimate | None

    @property
    def distance(self) -> float:
        """Of the two that are farthest apart, in standard errors of their difference."""
        pairs = [(self.hebbscope, self.brian2)]
        if self.theory:
            pairs += [(self.hebbscope, self.theory), (self.brian2, self.theory)]
        return max(abs(a.mean - b.mean) / float(np.hypot(a.error, b.error)) for a, b in pairs)

    @property
    def ok(self) -> bool:
        return self.distance <= MOST_ERRORS

    def to_dict(self) -> dict[str, Any]:
        sides = {name: each and each._asdict() for name, each in zip(self._fields[2:], self[2:], strict=True)}
        return self._asdict() | sides | {"distance": self.distance, "ok": self.ok}

    def __str__(self) -> str:
        values = f"{self.hebbscope!s:>19}{self.brian2!s:>19}{self.theory or '-'!s:>11}"
        return f"{self.case:<20}{self.quantity:<14}{values}{self.distance:>7.1f}   {_verdict(self.ok)}"


HEADS = {
    Exact: f"""Injected spikes, {N_STEPS} steps of {DT * 1e3:g} ms: no spike may differ, no weight by more than {CLOSE:g} of the largest.

{"":<36}  spikes  differ   synapses   difference""",
    Mean: f"""
Own noise, {N_RUNS} runs of {SECONDS:g} s: means and their standard errors, which may be {MOST_ERRORS:g} standard errors apart.

{"":<36}{"hebbscope":>19}{"Brian2":>19}{"theory":>11}  apart""",
}


def _verdict(ok: bool) -> str:
    return "ok" if ok else "FAILED"


class Report(NamedTuple):
    """All that was compared, with which Brian2."""

    version: str
    exact: list[Exact]
    noisy: list[Mean]

    @property
    def failed(self) -> list[str]:
        """The cases in which the two differ."""
        rows: list[Exact | Mean] = [*self.exact, *self.noisy]
        return list(dict.fromkeys(row.case for row in rows if not row.ok))

    @property
    def ok(self) -> bool:
        return not self.failed

    def to_dict(self) -> dict[str, Any]:
        rows = {name: [row.to_dict() for row in getattr(self, name)] for name in ("exact", "noisy")}
        return {"against": "brian2", "version": self.version, "ok": self.ok} | rows

    def __str__(self) -> str:
        if self.ok:
            return f"hebbscope agrees with Brian2 {self.version}"
        return f"hebbscope does not agree with Brian2 {self.version}: {', '.join(self.failed)}"


def verify(say: Callable[[str], Any] = lambda line: None) -> Report:
    """Run all cases in both simulators; what is found is said line by line, as it is found. HebbscopeError where Brian2 cannot be imported."""
    version = twin.brian2().__version__
    report = Report(version, list(_said(compared_exactly(), say)), list(_said(compared_on_average(), say)))
    say(f"\n{report}")
    return report


R = TypeVar("R", Exact, Mean)


def _said(rows: Iterator[R], say: Callable[[str], Any]) -> Iterator[R]:
    """The rows, each said when it comes, the first below the head of its kind."""
    for k, row in enumerate(rows):
        say(str(row) if k else f"{HEADS[type(row)]}\n{row}")
        yield row


# Spike by spike -------------------------------------------------------------------------------------------------------


def compared_exactly() -> Iterator[Exact]:
    """Each exact case in both simulators."""
    for name, network in exact():
        found, brian = ours.run(network, DT, N_STEPS, SEED), twin.run(network, DT, N_STEPS, SEED)
        pairs = [(weights, brian.weights[each]) for each, weights in found.weights.items()]
        difference = max(float(np.max(np.abs(a - b)) / np.max(b)) for a, b in pairs)
        odd = found.spikes() ^ brian.spikes()
        yield Exact(name, len(brian.spikes()), len(odd), sum(len(b) for _, b in pairs), difference)


# On average -----------------------------------------------------------------------------------------------------------


def compared_on_average() -> Iterator[Mean]:
    """Rates of the cells and changes of the weights, of each case in which both simulators draw their own spikes."""
    n_steps = round(SECONDS / DT)
    for name, network, theory in noisy():
        runs = [ours.run(network, DT, n_steps, seed) for seed in range(N_RUNS)]
        brian = twin.run(network, DT, n_steps, SEED, copies=N_RUNS)
        learning = network.recorded
        cells, start = learning.target, learning.initial_values(SEED)

        rates = [len(each.cells[cells.name]) / cells.n / SECONDS for each in runs]
        run_of = brian.cells[cells.name] // cells.n
        brian_rates = np.bincount(run_of, minlength=N_RUNS) / cells.n / SECONDS
        yield Mean(name, "rate [Hz]", estimate(rates), estimate(brian_rates), theory and Estimate(theory.rate))

        changes = [np.mean(each.weights[learning.name] - start) for each in runs]
        brian_changes = np.mean(brian.weights[learning.name].reshape(N_RUNS, -1) - start, axis=1)
        yield Mean(name, "change [V]", estimate(changes), estimate(brian_changes), theory and Estimate(theory.change))


def estimate(values: Any) -> Estimate:
    """Of independent runs."""
    return Estimate(float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values))))
