"""How long a patch is shown decides whether it leaves a field: what the rule remembers from one patch to the next.

    python benchmarks/presentation_time.py [--seeds 101:104] [--out FOLDER]

natural_images with patches shown for 20 to 500 ms, the number of patches and the learning rate times the presentation time held. The
triplet rule's slow trace (114 ms) carries the output rate over the borders of short patches; `Forgetful` is the same rule with that trace set
to zero at each border, and A2_minus scaled so that, for a rate held over a patch, its threshold stays where the rule's is in the long run.
Both run at both levels. (With seeds 101:104 the triplet rule leaves no field up to 100 ms and one for each seed from 200 ms on, at both levels; if it
forgets, the rate level has a field for each seed at all times, the spike level for 3 of 4 at 100 ms and none at 50 ms and below.) Prints how many fields pass all four scores and writes presentation_time.json with a figure.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hebbscope import Network, Projection, simulate
from hebbscope.analysis.field_report import compare_fields
from hebbscope.models.experiments.natural_images import NaturalImages
from hebbscope.rules import Triplet
from hebbscope.simulator.protocols import Seconds

TIMES = (0.02, 0.05, 0.1, 0.2, 0.5)
N_PATCHES = 100_000
STEP = 1.4e-3  # learning rate times presentation time [s]
COMPONENTS = 100  # of the patches, more than the experiment's own


class ForgetfulState(NamedTuple):
    """The rule's own state, and the number (1,) of the patch that it belongs to."""

    inner: Any
    patch: np.ndarray


class Forgetful(NamedTuple):
    """A triplet rule whose slow trace o2 of the output begins at zero with each patch.

    rule           Triplet()   the rule within a patch
    presentation   0.5 s       how long a patch is shown
    """

    rule: Any = Triplet()
    presentation: Seconds = 0.5

    def check(self):
        self.rule.check()

    def init(self, n_pre, n_post):
        return ForgetfulState(self.rule.init(n_pre, n_post), np.zeros(1, np.int64))

    def init_rates(self, n_pre, n_post):
        return ForgetfulState(self.rule.init_rates(n_pre, n_post), np.zeros(1, np.int64))

    def forget(self, state, t):
        patch = int(t / self.presentation)
        if patch != state.patch[0]:
            state.patch[0] = patch
            for i in range(len(state.inner.o2.value)):
                state.inner.o2.value[i] = 0.0

    def on_pre(self, state, w, j, t):
        self.forget(state, t)
        self.rule.on_pre(state.inner, w, j, t)

    def on_post(self, state, w, i, t):
        self.forget(state, t)
        self.rule.on_post(state.inner, w, i, t)

    def on_rates(self, state, w, i, x, y, dt):
        state.inner.o2[i] = 0.0
        self.rule.on_rates(state.inner, w, i, x, y, dt)


def forgetful(rule: Triplet, T: float) -> Forgetful:
    """The share of the slow trace that builds up within a patch scales A2_minus down and the learning rate up."""
    share = 1.0 - rule.tau_y / T * (1.0 - math.exp(-T / rule.tau_y))
    return Forgetful(rule._replace(A2_minus=rule.A2_minus * share, eta=rule.eta / share), T)


def passed(network: Network, duration: float, seeds: tuple[int, ...], sample: np.ndarray) -> dict[str, int]:
    """Level -> how many fields pass."""
    runs = [
        simulate(network, duration, level=level, seeds=seeds, record_every=duration, threads=1)
        for level in ("rate", "spike")
    ]
    report = compare_fields(*runs, sample=sample)
    return {level: report.passed(level) for level in report.scores}


def with_rule(network: Network, rule: Any) -> Network:
    p = network.projection
    projection = Projection(p.source, p.target, p.weights, rule, p.normalisation, p.transmission)
    return Network(network.populations, [projection], name=network.name)


def draw(table: list[dict[str, Any]], n: int) -> Any:
    """Fields that pass against presentation time, a line per rule and level."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.4, 2.4), dpi=200, layout="constrained")
    ax = figure.subplots()
    for rule, dashes in (("triplet", "-o"), ("forgetful", "--s")):
        for level, colour, width in (("rate", "black", 3), ("spike", "#D55E00", 1.2)):  # the spike level lies on top
            rows = [row for row in table if row["rule"] == rule]
            x, y = [1e3 * row["T"] for row in rows], [row[level] / n for row in rows]
            ax.plot(x, y, dashes, color=colour, linewidth=width, markersize=2 + width, label=f"{rule}, {level}")
    ax.set(xscale="log", xlabel="presentation time [ms]", ylabel="share of fields that pass", ylim=(-0.05, 1.05))
    ax.set_xticks([1e3 * T for T in TIMES], [f"{1e3 * T:g}" for T in TIMES])
    ax.minorticks_off()
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(fontsize=7, frameon=False)
    return figure


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seeds", default="101:104")
    options.add_argument("--out", default=Path(), type=Path)
    given = options.parse_args()
    first, _, last = given.seeds.partition(":")
    seeds = tuple(range(int(first), int(last or first) + 1))
    table = []
    for T in TIMES:
        described = NaturalImages.with_settings(
            [("inputs.presentation", T), ("rule.eta", STEP / T), ("inputs.whitening.components", COMPONENTS)]
        )
        network, sample = described.network(), described.inputs.patches().held_out
        for name, rule in (("triplet", described.rule), ("forgetful", forgetful(described.rule, T))):
            counts = passed(with_rule(network, rule), N_PATCHES * T, seeds, sample)
            table.append({"T": T, "rule": name, **counts})
            print(
                f"{1e3 * T:5.0f} ms  {name:<9}  rate {counts['rate']} of {len(seeds)}  spike {counts['spike']}",
                flush=True,
            )
    (given.out / "presentation_time.json").write_text(json.dumps({"n": len(seeds), "table": table}, indent=1))
    draw(table, len(seeds)).savefig(given.out / "presentation_time.png")


if __name__ == "__main__":
    main()
