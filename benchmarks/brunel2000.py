"""brunel2000_stdp beside its reduction: what 6.4 million weights and the network under them do in 100 s.

    python benchmarks/brunel2000.py [--duration 100] [--set KEY=VALUE ...] [--out FOLDER]

Prints a table of what was measured in the first and the last tenth beside what is predicted, draws the course of the weights (brunel2000.png), writes both
as brunel2000.json, and ends with exit code 3 where a demand is missed: an irregular (CV of intervals at least .8) and asynchronous state (chi
at most .2) at the end as at the beginning, rates to 10 %, the change of the mean weight to 25 %, its spread to 10 %. Takes some minutes and 2 GB.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from hebbscope import simulate
from hebbscope.analysis import style
from hebbscope.analysis.spiking import cv, rates, synchrony
from hebbscope.models import PopulationRate
from hebbscope.models.experiments.brunel2000_stdp import Brunel2000STDP, Course


def activity(run: Any, name: str, window: tuple[float, float]) -> dict[str, float]:
    """Mean rate [Hz], mean CV of the intervals and synchrony of a population within a window [s]."""
    spikes, n, length = run.spikes[name], run.n_cells(name), window[1] - window[0]
    inside = (spikes.t >= window[0]) & (spikes.t < window[1])
    t, i = spikes.t[inside], spikes.i[inside]
    return {
        "rate": float(rates(i, n, length).mean()),
        "cv": float(np.nanmean(cv(t, i, n))),
        "synchrony": synchrony(t, i, n, window),
    }


def measured(described: Brunel2000STDP) -> tuple[dict[str, Any], Any]:
    """What the run did, and its samples of the weights."""
    how = described.how()
    how["monitors"] |= {"rate": PopulationRate("excitatory", 1.0)}
    started = time.perf_counter(), time.process_time()
    network = described.network()
    built = time.perf_counter() - started[0]
    run = simulate(
        network, described.duration, record_every=described.record_every, record_spikes=listened(described), **how
    )
    end = described.duration
    windows = {"first": (0.01 * end, 0.1 * end), "last": (0.9 * end, end)}
    found = {
        name: {when: activity(run, name, window) for when, window in windows.items()}
        for name in ("excitatory", "inhibitory")
    }
    costs = {
        "built": built,
        "seconds": time.perf_counter() - started[0],
        "cpu": time.process_time() - started[1],
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }
    return found | {"costs": costs}, run


def listened(described: Brunel2000STDP) -> dict[str, tuple[float, float]]:
    return dict.fromkeys(("excitatory", "inhibitory"), (0.0, described.duration))


def figure(time_s: np.ndarray, mean: np.ndarray, sd: np.ndarray, course: Course) -> Any:
    """Mean and spread of the weights, measured and predicted, in units of the start."""
    from matplotlib import rc_context

    with rc_context(style.STYLE):
        drawn = style.new_figure(style.PAGE, 2.5)
        left, right = drawn.subplots(1, 2)
        expected = np.interp(time_s, course.time, course.mean), np.sqrt(np.interp(time_s, course.time, course.sd**2))
        for ax, values, predicted, label in (
            (left, mean, expected[0], "mean weight"),
            (right, sd, expected[1], "sd of the weights"),
        ):
            ax.plot(time_s, 100 * values / course.mean[0], color=style.LEVEL_COLOURS["spike"], label="measured")
            ax.plot(time_s, 100 * predicted / course.mean[0], color=style.THEORY, ls=style.DASHES, label="predicted")
            ax.set(xlabel="time [s]", ylabel=f"{label} [% of the start]")
            ax.spines[["top", "right"]].set_visible(False)
        left.legend()
    return drawn


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--duration", default=100.0, type=float)
    options.add_argument("--set", default=[], action="append", metavar="KEY=VALUE")
    options.add_argument("--out", default=Path(), type=Path)
    given = options.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    settings = [("duration", given.duration), ("record_every", given.duration)]
    described = Brunel2000STDP.with_settings([*settings, *(each.split("=", 1) for each in given.set)])

    course = described.predicted()
    start = described.state(described.coupling.weight)
    found, run = measured(described)
    weights = run.monitors["weights"]
    mean, sd = (weights[name][0] for name in ("mean", "sd"))
    rows: list[tuple[str, float, float | None]] = []
    for name in ("excitatory", "inhibitory"):
        for when, state in (("first", start), ("last", course.state)):
            got = found[name][when]
            rows.append((f"{name} rate, {when} tenth [Hz]", got["rate"], getattr(state, name)))
            rows.append((f"{name} CV, {when} tenth", got["cv"], state.cv))
            rows.append((f"{name} synchrony, {when} tenth", got["synchrony"], None))
    scale = 100.0 / course.mean[0]
    rows.append(
        ("change of the mean weight [%]", scale * (mean[-1] - mean[0]), scale * (course.mean[-1] - course.mean[0]))
    )
    rows.append(("sd of the weights [%]", scale * sd[-1], scale * course.sd[-1]))
    print(f"{'':<36} {'measured':>10} {'predicted':>10}")
    for what, value, expected in rows:
        print(f"{what:<36} {value:10.4g} {'' if expected is None else format(expected, '10.4g')}")
    costs = found["costs"]
    print("{seconds:.0f} s, {cpu:.0f} s of CPU, at most {peak_megabytes:,.0f} MB".format(**costs))

    figure(weights.time, mean, sd, course).savefig(given.out / "brunel2000.png")
    states = [found[name][when] for name in ("excitatory", "inhibitory") for when in ("first", "last")]
    close = {what: float(abs(value / expected - 1.0)) for what, value, expected in rows if expected}
    demands: dict[str, Any] = {
        "irregular": all(each["cv"] > 0.8 for each in states),
        "asynchronous": all(each["synchrony"] < 0.2 for each in states),
        "rates": all(error < 0.1 for what, error in close.items() if " rate" in what),
        "mean": close["change of the mean weight [%]"] < 0.25,
        "spread": close["sd of the weights [%]"] < 0.1,
    }
    results = {"table": rows, "costs": costs, "duration": described.duration, "demands": demands}
    (given.out / "brunel2000.json").write_text(json.dumps(results, indent=1))
    print("; ".join(f"{name}: {'met' if met else 'MISSED'}" for name, met in demands.items()))
    return 0 if all(demands.values()) else 3


if __name__ == "__main__":
    sys.exit(main())
