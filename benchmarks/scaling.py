"""Cost against events: the kempter1999 network with 50 to 5,000 inputs and 1 to 100 neurons.

    python benchmarks/scaling.py [--rounds 5]

A synaptic event is a spike at a synapse: each input spike at each of its n_post targets, each output spike at each of its n_pre
sources; each delivers or changes one weight. CPU time of the compiled loop alone is counted, the best of some interleaved rounds.
Linear growth is a slope of 1 between logarithm of time and logarithm of events, at each number of neurons; and over all sizes, between
time and a cost of so much for a spike and so much for a synaptic event. Writes benchmarks/scaling.json and docs/scaling.png.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from setting import machine, network

from hebbscope.simulator.event_run import SeedRun

HERE = Path(__file__).resolve().parent
INPUTS = (50, 158, 500, 1581, 5000)
NEURONS = (1, 10, 100)
EVENTS = 2e6  # synaptic events in each measurement, about
MAX_RATE = 1e4  # Hz


def sizes() -> list[tuple[int, int]]:
    """(n_pre, n_post) of every network."""
    return [(n_pre, n_post) for n_post in NEURONS for n_pre in INPUTS]


def measure(rounds: int) -> list[dict]:
    """One row for each size: events and CPU seconds per biological second, the best of `rounds`."""
    runs = {(n_pre, n_post): SeedRun(network(n_pre, n_post), 1, "spike", {}, MAX_RATE) for n_pre, n_post in sizes()}
    rows = []
    for (n_pre, n_post), run in runs.items():
        seconds = EVENTS / (20.0 * n_pre * n_post)  # inputs and outputs at 10 Hz
        run.to(1.0)  # the kernel is loaded, the potential has risen
        rows.append({"n_pre": n_pre, "n_post": n_post, "seconds": seconds, "cpu": np.inf})
    for k in range(rounds):
        for row, run in zip(rows, runs.values(), strict=True):
            before = counts(run)
            started = time.process_time()
            run.to(1.0 + (k + 1) * row["seconds"])
            cpu = (time.process_time() - started) / row["seconds"]
            if cpu < row["cpu"]:
                spikes = (counts(run) - before) / row["seconds"]
                events = float(spikes[0] * row["n_post"] + spikes[1] * row["n_pre"])
                row |= {"cpu": cpu, "spikes": float(spikes.sum()), "events": events, "ns_per_event": 1e9 * cpu / events}
        print(f"round {k + 1} of {rounds}", end="\r", flush=True)
    return rows


def counts(run: SeedRun) -> np.ndarray:
    """Input and output spikes so far."""
    return np.array([run.state.counts[1], run.outputs.sum()])


def prices(rows: list[dict]) -> tuple[float, float]:
    """CPU seconds for a spike and for a synaptic event, by least squares of the relative deviations; each row gets its `cost`."""
    counted = np.array([(row["spikes"], row["events"]) for row in rows])
    cpu = np.array([row["cpu"] for row in rows])
    each = np.linalg.lstsq(counted / cpu[:, None], np.ones(len(rows)), rcond=None)[0]
    for row, cost in zip(rows, counted @ each, strict=True):
        row["cost"] = float(cost)
    return float(each[0]), float(each[1])


def slope(rows: list[dict], key: str) -> tuple[float, float]:
    """Slope of log CPU time over log `key`, and its standard error from the scatter about the line."""
    x, y = (np.log([row[name] for row in rows]) for name in (key, "cpu"))
    (slope, intercept), x0 = np.polyfit(x, y, 1), x - x.mean()
    scatter = np.sum((y - slope * x - intercept) ** 2) / (len(x) - 2)
    return float(slope), float(np.sqrt(scatter / np.sum(x0**2)))


def draw(rows: list[dict], slopes: dict[str, tuple[float, float]], path: Path) -> None:
    """Time against events, both logarithmic, and below it the time for each event; lines: so much a spike, so much an event."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (above, below) = plt.subplots(
        2, 1, sharex=True, figsize=(5.2, 5.4), height_ratios=(2.2, 1), layout="constrained"
    )
    for n_post, colour, marker in zip(NEURONS, ("#0072B2", "#D55E00", "#009E73"), "osD", strict=True):
        own = [row for row in rows if row["n_post"] == n_post]
        events, cpu, cost = (np.array([row[key] for row in own]) for key in ("events", "cpu", "cost"))
        value, error = slopes[str(n_post)]
        label = f"{n_post} neuron{'s' * (n_post > 1)}: slope {value:.2f} ± {error:.2f}"
        above.loglog(events, cpu, marker, color=colour, markersize=5, label=label)
        below.loglog(events, 1e9 * cpu / events, marker, color=colour, markersize=5)
        above.loglog(events, cost, "-", color=colour, linewidth=0.8)
        below.loglog(events, 1e9 * cost / events, "-", color=colour, linewidth=0.8)
    above.set_ylabel("CPU s per biological s")
    above.legend(frameon=False)
    below.set_ylabel("ns per event")
    below.set_yticks([3, 10, 30], labels=["3", "10", "30"])
    below.minorticks_off()
    below.set_xlabel("synaptic events per biological second")
    for ax in (above, below):
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Measure, print, write, draw."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=5, help="interleaved rounds")
    rows = measure(arguments.parse_args().rounds)
    spike, event = prices(rows)
    slopes = {str(n): slope([row for row in rows if row["n_post"] == n], "events") for n in NEURONS}
    slopes["all"] = slope(rows, "cost")
    print(" n_pre  n_post   events per s   CPU per s   per event")
    for row in rows:
        print(
            f"{row['n_pre']:6d}  {row['n_post']:6d}  {row['events']:13.3g}  {row['cpu']:8.2g} s  {row['ns_per_event']:6.1f} ns"
        )
    print(f"{1e9 * spike:.1f} ns for a spike and {1e9 * event:.1f} ns for a synaptic event")
    for name, (value, error) in slopes.items():
        against = "all sizes, against that cost" if name == "all" else f"{name} neurons, against events"
        print(f"slope of {against}: {value:.3f} +- {error:.3f}")
    results = {
        "machine": machine(),
        "rows": rows,
        "slopes": slopes,
        "ns_per_spike": 1e9 * spike,
        "ns_per_synaptic_event": 1e9 * event,
    }
    (HERE / "scaling.json").write_text(json.dumps(results, indent=1) + "\n")
    draw(rows, slopes, HERE.parent / "docs" / "scaling.png")


if __name__ == "__main__":
    main()
