"""Verification of natural_images, ten seeds at both levels, and of clopath2010, which has spikes alone; and the controls that must not pass.

    python benchmarks/receptive_fields.py [--seeds 1:10] [--control-seeds 1:2] [--out FOLDER]

Prints one table, writes it as receptive_fields.json with figures of the fields, and ends with exit code 3 where a demand is missed. Of natural_images: fields
that pass all four scores in at least 8 of 10 seeds at the rate level and 7 of 10 at the spike level, a correlation of the two of at least .8 in 5 of 10. Of
clopath2010, whose weights are at their bounds and make no smooth Gabor function: half of R2 at least .6, each localised and sparse, where no control is localised. No control that passes.
natural_images was tuned on seeds 101 to 110, clopath2010 on 101 to 104; seeds 1 to 10 had been looked at with earlier settings, 111 to 120 had not.
Responses are tested on photographs, also those of the controls. Takes some twenty minutes on one core.
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
from hebbscope.analysis.receptive_fields import MAX_RADIUS, MIN_KURTOSIS
from hebbscope.models.experiments.clopath2010 import Clopath2010
from hebbscope.models.experiments.natural_images import CONTROL_SETTINGS, IMAGE_CONTROLS, NaturalImages
from hebbscope.simulator.protocols import LEVELS

SCORES = (("r2", "R2"), ("orientation_index", "orientation"), ("localisation", "radius"), ("kurtosis", "kurtosis"))
LEAST = {"rate": 0.8, "spike": 0.7, "alike": 0.5}  # shares of seeds
LEAST_R2 = 0.6  # of half of the fields of clopath2010


def learn(
    described: NaturalImages, levels: dict[str, tuple[int, ...]], sample: np.ndarray
) -> tuple[dict[str, FieldReport], dict[str, float]]:
    """A report per level, each with its own seeds, and the CPU time per seed [s]."""
    network = described.network()
    reports, cpu = {}, {}
    for level, seeds in levels.items():
        how = described.how() | {"level": level, "threads": 1}
        simulate(network, 1.0, record_every=1.0, **how)  # compiled before the clock runs
        started = time.process_time()
        run = simulate(network, described.duration, seeds=seeds, record_every=described.duration, **how)
        cpu[level] = (time.process_time() - started) / len(seeds)
        reports[level] = compare_fields(run, sample=sample)
    return reports, cpu


def verified(
    described: NaturalImages,
    levels: dict[str, tuple[int, ...]],
    controls: dict[str, Any],
    control_seeds: tuple[int, ...],
) -> tuple[FieldReport, list[dict[str, Any]]]:
    """The fields of an experiment at these levels, each with its seeds, and the rows of the table, with those of its controls, of which spikes are dear."""
    sample = described.inputs.patches().held_out
    reports, cpu = learn(described, levels, sample)
    table = [shown(described, "", level, report, cpu[level]) for level, report in reports.items()]
    runs = [reports[level].runs[0] for level in LEVELS if level in levels]
    whole = compare_fields(*runs, sample=sample)
    of_controls = {level: control_seeds if level == "spike" else seeds for level, seeds in levels.items()}
    for name, settings in controls.items():
        reports, cpu = learn(type(described).with_settings(settings), of_controls, sample)
        table += [shown(described, name, level, report, cpu[level]) for level, report in reports.items()]
    return whole, table


def shown(described: NaturalImages, control: str, level: str, report: FieldReport, cpu: float) -> dict[str, Any]:
    """Median, least and largest of each score, and how many fields pass: a row, which is printed."""
    rows = report.rows()
    spread = {title: [float(f([row[key] for row in rows])) for f in (np.median, min, max)] for key, title in SCORES}
    scores = "  ".join("{:6.2f} [{:5.2f}, {:5.2f}]".format(*spread[title]) for _, title in SCORES)
    passed, n, name = report.passed(level), len(rows), control or described.name
    print(f"{name:<23} {level:<6} {scores}  {passed:>3} of {n:<3} {cpu:8.1f} s", flush=True)
    about = {"experiment": described.name, "control": control, "level": level}
    return about | {"passed": passed, "n": n, "cpu": cpu} | spread


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
    print(f"{'run':<23} {'level':<6} {heads}  pass       CPU a seed")
    both_levels, spikes = {"rate": given.seeds, "spike": given.seeds}, {"spike": given.seeds}
    both, table = verified(NaturalImages(), both_levels, CONTROL_SETTINGS, given.control_seeds)
    by_voltage, others = verified(Clopath2010(), spikes, IMAGE_CONTROLS, given.control_seeds)
    both.figure().savefig(given.out / "receptive_fields.png")
    by_voltage.figure().savefig(given.out / "receptive_fields_clopath2010.png")
    print(both.verdict(), "Correlations:", " ".join(f"{value:.2f}" for value in both.similarity), flush=True)

    n, scores = len(given.seeds), by_voltage.scores["spike"]
    demands = {
        "rate": both.passed("rate") >= LEAST["rate"] * n,
        "spike": both.passed("spike") >= LEAST["spike"] * n,
        "alike": both.alike >= LEAST["alike"] * n,
        "clopath2010": float(np.median([one.r2 for one in scores])) >= LEAST_R2
        and all(one.localisation <= MAX_RADIUS and one.kurtosis >= MIN_KURTOSIS for one in scores),
        "controls": not any(one["passed"] for one in [*table, *others] if one["control"]),
    }
    results = {
        "table": [*table, *others],
        "similarity": both.similarity.tolist(),
        "alike": both.alike,
        "demands": demands,
    }
    (given.out / "receptive_fields.json").write_text(json.dumps(results, indent=1))
    print("; ".join(f"{name}: {'met' if met else 'MISSED'}" for name, met in demands.items()))
    return 0 if all(demands.values()) else 3


if __name__ == "__main__":
    sys.exit(main())
