"""Verification of natural_images: ten seeds at both levels, and the controls that must not pass.

    python benchmarks/receptive_fields.py [--seeds 1:10] [--control-seeds 1:2] [--out FOLDER]

Prints one table, writes it as receptive_fields.json with a figure of the fields, and ends with exit code 3 where a demand is missed:
fields that pass all four scores in at least 8 of 10 seeds at the rate level and 7 of 10 at the spike level, a correlation of the two of
at least .8 in 5 of 10, no control that passes. The experiment was tuned on seeds 101 to 110; seeds 1 to 10 had been looked
at with earlier settings, 111 to 120 had not.
Responses are tested on photographs, also those of the controls. Takes some ten minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from hebbscope import simulate
from hebbscope.analysis.field_report import FieldReport, compare_fields
from hebbscope.models.experiments.natural_images import CONTROL_SETTINGS, NaturalImages

SCORES = (("r2", "R2"), ("orientation_index", "orientation"), ("localisation", "radius"), ("kurtosis", "kurtosis"))
LEAST = {"rate": 0.8, "spike": 0.7, "alike": 0.5}  # shares of seeds


def learn(
    described: NaturalImages, levels: dict[str, tuple[int, ...]], sample: np.ndarray
) -> tuple[dict[str, FieldReport], dict[str, float]]:
    """A report per level, each with its own seeds, and the CPU time per seed [s]."""
    network = described.network()
    reports, cpu = {}, {}
    for level, seeds in levels.items():
        simulate(network, 1.0, level=level, record_every=1.0, threads=1)  # compiled before the clock runs
        started = time.process_time()
        run = simulate(
            network, described.duration, level=level, seeds=seeds, record_every=described.duration, threads=1
        )
        cpu[level] = (time.process_time() - started) / len(seeds)
        reports[level] = compare_fields(run, sample=sample)
    return reports, cpu


def line(name: str, level: str, report: FieldReport, cpu: float) -> dict[str, Any]:
    """Median, least and largest of each score, and how many fields pass."""
    rows = report.rows()
    spread = {title: [float(f([row[key] for row in rows])) for f in (np.median, min, max)] for key, title in SCORES}
    return {"run": name, "level": level, "passed": report.passed(level), "n": len(rows), "cpu": cpu, **spread}


def show(one: dict[str, Any]) -> None:
    """One row of the table."""
    scores = "  ".join("{:6.2f} [{:5.2f}, {:5.2f}]".format(*one[title]) for _, title in SCORES)
    print(
        f"{one['run']:<17} {one['level']:<6} {scores}  {one['passed']:>3} of {one['n']:<3} {one['cpu']:8.1f} s",
        flush=True,
    )


def seeds_of(text: str) -> tuple[int, ...]:
    first, _, last = text.partition(":")
    return tuple(range(int(first), int(last or first) + 1))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seeds", default="1:10", type=seeds_of)
    options.add_argument("--control-seeds", default="1:2", type=seeds_of, help="of the controls at the spike level")
    options.add_argument("--out", default=Path(), type=Path)
    given = options.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)

    heads = "  ".join(f"{title:<22}" for _, title in SCORES)
    print(f"{'run':<17} {'level':<6} {heads}  pass       CPU a seed")
    described = NaturalImages()
    sample = described.inputs.patches().held_out
    reports, cpu = learn(described, {"rate": given.seeds, "spike": given.seeds}, sample)
    table = [line("photographs", level, report, cpu[level]) for level, report in reports.items()]
    for one in table:
        show(one)
    both = compare_fields(reports["spike"].runs[0], reports["rate"].runs[0], sample=sample)
    both.figure().savefig(given.out / "receptive_fields.png")
    print(both.verdict(), "Correlations:", " ".join(f"{value:.2f}" for value in both.similarity), flush=True)

    for name, settings in CONTROL_SETTINGS.items():
        control = NaturalImages.with_settings(settings)
        reports, cpu = learn(control, {"rate": given.seeds, "spike": given.control_seeds}, sample)
        table += [line(name, level, report, cpu[level]) for level, report in reports.items()]
        for one in table[-2:]:
            show(one)

    n = len(given.seeds)
    demands = {
        "rate": both.passed("rate") >= LEAST["rate"] * n,
        "spike": both.passed("spike") >= LEAST["spike"] * n,
        "alike": both.alike >= LEAST["alike"] * n,
        "controls": not any(one["passed"] for one in table[2:]),
    }
    results = {"table": table, "similarity": both.similarity.tolist(), "alike": both.alike, "demands": demands}
    (given.out / "receptive_fields.json").write_text(json.dumps(results, indent=1))
    print("; ".join(f"{name}: {'met' if met else 'MISSED'}" for name, met in demands.items()))
    return 0 if all(demands.values()) else 3


if __name__ == "__main__":
    sys.exit(main())
