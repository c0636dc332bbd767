"""Speed of every spike rule on workload B100: 1,000 Poisson inputs of 15 Hz, all joined to 100 conductance-based neurons, in steps of 0.1 ms.

    python benchmarks/rules.py [--rounds 9] [--seconds 5]

A synaptic event is a spike at a synapse, as other simulators count them: each input spike at each of its targets, each output spike at each of its
sources, whether or not a rule touches the synapse then. Learning rates are so small that weights stand still, so that all rules run with the same
spikes. CPU time of the loop is counted, delivery and neurons in it, of the best of interleaved rounds; "rule alone" is what it takes more than without
learning. A rule of `hebbscope.rules` is here without a word, where this neuron can run it; other forms of a rule have a line in FORMS. Rules of rates do no
work at a spike: what they take is counted on the same events.
Writes benchmarks/results_rules.json and benchmarks/results_rules.md.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hebbscope_networks import song
from setting import machine
from workloads import DT, WORKLOADS

from hebbscope import HebbscopeError, Network
from hebbscope.models.experiments.catalogue import RULES, parts
from hebbscope.rules import (
    NEAREST_SYMMETRIC,
    PRESYNAPTIC_CENTRED,
    REDUCED_SYMMETRIC,
    STDP,
    DoubleExponential,
    Logarithmic,
    Pairing,
    PotentialThreshold,
    PowerLaw,
    SlidingThreshold,
    SpikeHebb,
    Static,
    Triplet,
    VoltageSTDP,
)
from hebbscope.simulator.clock_run import ClockRun
from hebbscope.simulator.drift import slowed

HERE = Path(__file__).resolve().parent
STILL = 1e-9  # of a learning rate
YARDSTICK = "PairSTDP"
FORMS = {
    "SpikeHebb, two exponentials": SpikeHebb(DoubleExponential()),
    "STDP, nearest symmetric": STDP(pairing=NEAREST_SYMMETRIC),
    "STDP, presynaptic-centred": STDP(pairing=PRESYNAPTIC_CENTRED),
    "STDP, reduced symmetric": STDP(pairing=REDUCED_SYMMETRIC),
    "STDP, a number for each synapse": STDP(pairing=Pairing(pre_by_post=1)),
    "STDP, multiplicative": STDP(dependence=PowerLaw(1.0, 1.0)),
    "STDP, exponents 0.02": STDP(dependence=PowerLaw(0.02, 0.02)),
    "STDP, logarithmic": STDP(dependence=Logarithmic()),
    "STDP, with noise": STDP(sigma=0.015),
    "STDP, sliding threshold": STDP(threshold=SlidingThreshold()),
    "Triplet, full": Triplet(A2_plus=5e-3, A3_minus=2e-4),
    "Triplet, sliding threshold": Triplet(threshold=SlidingThreshold()),
    "Triplet, nearest": Triplet(nearest=1),
    "VoltageSTDP, sliding threshold": VoltageSTDP(threshold=PotentialThreshold()),
}


def rules() -> dict[str, Any]:
    """Every rule by its name, and the other forms."""
    return {name: part() for kind in RULES for name, part in parts(kind).items()} | FORMS


def network(rule: Any) -> Network:
    """B100 with this rule; HebbscopeError where its neurons cannot run it."""
    described = song(WORKLOADS["B100"].parameters)
    w_max = WORKLOADS["B100"].parameters["w_max"]
    bounded = rule._replace(w_min=0.0, w_max=w_max)
    slow = bounded if isinstance(rule, Static) else slowed(bounded, STILL * w_max)
    return replace(described, projections=[replace(described.projections[0], rule=slow)])


def measure(rounds: int, seconds: float) -> list[dict]:
    """A row for each rule: CPU seconds per biological second of the best round, and the synaptic events per second of all of them, which are the same for all rules."""
    runs = {}
    for name, rule in rules().items():
        try:
            runs[name] = ClockRun(network(rule), 1, "spike", {}, DT)
        except HebbscopeError as problem:
            print(f"{name} is left out: {problem}")
            continue
        runs[name].to(1.0)
        print(f"{name} is compiled", flush=True)
    rows = {name: {"rule": name, "cpu": np.inf} for name in runs}
    for k in range(rounds):
        for name, run in runs.items():
            started = time.process_time()
            run.to(1.0 + (k + 1) * seconds)
            rows[name]["cpu"] = min(rows[name]["cpu"], (time.process_time() - started) / seconds)
        print(f"round {k + 1} of {rounds}", flush=True)
    fired = [int(run.outputs.sum()) for run in runs.values()]
    check(fired)
    return [row | {"events": events(fired[0], 1.0 + rounds * seconds)} for row in rows.values()]


def events(fired: int, seconds: float) -> float:
    """Synaptic events per biological second: input spikes at their mean rate, output spikes as they were."""
    p = WORKLOADS["B100"].parameters
    return p["rate"] * p["n_pre"] * p["n_post"] + fired / seconds * p["n_pre"]


def check(fired: list[int]) -> None:
    """Refuse times of rules that did not see the same spikes."""
    if len(set(fired)) > 1:
        raise SystemExit(
            f"the neurons fired {min(fired):,} to {max(fired):,} times under different rules; no time is believed"
        )


def table(results: dict) -> str:
    """The page."""
    rows = {row["rule"]: row for row in results["rows"]}
    bare = rows["Static"]["cpu"]

    def each(name: str) -> float:
        return 1e9 * rows[name]["cpu"] / rows[name]["events"]

    about = results["machine"]
    lines = [
        "# Rules on 100,000 synapses",
        "",
        f"Best of {results['rounds']} interleaved rounds of {results['seconds']:g} s; {rows[YARDSTICK]['events']:,.0f} synaptic events per biological second.",
        "Written by `python benchmarks/rules.py`, whose head says what is counted.",
        "",
        "| rule | CPU time per biological second [ms] | per synaptic event [ns] | relative to PairSTDP | rule alone, relative |",
        "|---|--:|--:|--:|--:|",
    ]
    for name in sorted(rows, key=each):
        alone = (rows[name]["cpu"] - bare) / (rows[YARDSTICK]["cpu"] - bare)
        lines.append(
            f"| {name} | {1e3 * rows[name]['cpu']:.2f} | {each(name):.2f} | {each(name) / each(YARDSTICK):.2f} | {alone:.2f} |"
        )
    packages = ", ".join(f"{name} {about[name]}" for name in ("hebbscope", "numpy", "numba"))
    lines += ["", f"{about['cores']} cores, {about['processor']}; Python {about['python']}, {packages}."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, write."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=9, help="interleaved rounds")
    arguments.add_argument("--seconds", type=float, default=5.0, help="biological, of a round")
    given = arguments.parse_args()
    rows = measure(given.rounds, given.seconds)
    results = {"rounds": given.rounds, "seconds": given.seconds, "rows": rows, "machine": machine()}
    print(table(results))
    (HERE / "results_rules.json").write_text(json.dumps(results, indent=2) + "\n")
    (HERE / "results_rules.md").write_text(table(results))


if __name__ == "__main__":
    main()
