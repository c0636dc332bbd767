"""Writes catalogue.md, a page of every rule with its equation, parameters, conventions and reduction, and draws its pictures.

    python docs/catalogue.py            draws, too: some minutes
    python docs/catalogue.py Oja BCM    draws these rules alone
    python docs/catalogue.py --page     the page alone

Every picture is of a simulation, with theory over it where the rule has any. All is taken from the rules that `hebbscope.rules` names, so that one that is
added appears without a word here. What a rule may say of itself, as properties and methods:

    pictures    which of "window", "frequency", "rates" and "course" suit it; default: window and rates of spikes, rates of a rule of rates that states its
                drift(x, y), else course
    forms       picture -> name -> fields: what is drawn side by side; default: the rule as it is
    pair_change(s, value), regular_pairs(frequency, lag, n)    theory of the first two pictures; that of the others is its learning equation, or else
    drift(x, y), mean_change(w, C)                             of independent spikes or steady rates; of a rule of rates, from the covariance of its inputs

A test holds the page against what this would write.
"""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hebbscope import HebbscopeError, Network, Population, Projection, measure_drift, reduce, simulate
from hebbscope.analysis.style import COLUMN, DASHES, GROUP_COLOURS, LEVEL_COLOURS, STYLE, THEORY, new_figure, time_axis
from hebbscope.models import LIF, AdEx, HomogeneousPoisson, LinearPoisson, OneToOne, PatternPoisson, RecordedSpikes
from hebbscope.models.experiments.catalogue import parts
from hebbscope.simulator.describe import brief
from hebbscope.simulator.plain import Direct
from hebbscope.simulator.protocols import sees_potentials
from hebbscope.simulator.rate import averaged

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "catalogue"
DT = 1e-4  # s
WEIGHT = 0.5  # at which changes are looked at
SLOW = 1e-5  # of the learning rate: far from every bound
STRONG = 80e-3  # V, by which a spike of a teacher makes its cell fire in the next step
REACH = 60e-3  # s, of a window
FREQUENCIES = np.array([1.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0])  # Hz
LAG, N_PAIRS = 10e-3, 60  # of a frequency curve: s, and how many
INPUT_RATE, OUTPUT_RATES = 10.0, np.array([2.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0])  # Hz
N_INPUTS, MEASURED, SEEDS = 40, 100.0, range(1, 13)  # MEASURED: s, with each seed
STEADY_RATES, SETTLED = (
    np.array([1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 17.0, 19.0, 21.0]),
    300.0,
)  # Hz; s until thresholds are at rest
N_RING, MEAN_RATE, BASE_RATE = 8, 5.0, 40.0  # inputs of a course; Hz of these, and of targets without them
VARIANCES = {"equal": 9.0, "one wave": 4.0, "two waves": 1.0}  # Hz² of the inputs along each direction
STARTS = np.array([[0.5, 0.1, 0.15], [0.4, 0.15, -0.1]])  # of each target, along each direction
SHOWN, N_SHOWN, ENOUGH, AT_REST = 0.1, 24, 4.0, 0.05  # s of a pattern; how many points; when a course ends


HEAD = """# The catalogue of rules

Every rule of `hebbscope.rules`, those of spikes first and then those of rates, with what it says of itself. Coloured points are simulations, black dashed lines the theory that the rule states.

- **Window**: what one pair of spikes changes alone, all-to-all or not, over t_post − t_pre; at 0 the presynaptic spike is the first.
- **Frequency curve**: what 60 regular pairs change, 10 ms after (t_post − t_pre = +10 ms) or before.
- **Rate curve**: what independent Poisson spikes change in a second, inputs at 10 Hz, over the output rate: drift at weights that stand still, with
  its standard error, and the rule's learning equation. Of a rule of rates: what steady rates change, once thresholds have come to rest, in SI units.
- **Course**: weights of two targets from eight inputs over time, whose rates go up and down together in patterns: a mean of 5 Hz, and a covariance of 9, 4 and 1 Hz²
  along three directions, equal weights, one wave and two waves over the inputs. What is drawn is the part of the weights along each. The targets start from
  different weights; patterns come in random order.

In units of the rule's learning rate eta, and but for courses at a weight of 0.5. Written by `python docs/catalogue.py` from the code.
"""


# Simulations ----------------------------------------------------------------------------------------------------------


def taught(rule: Any, pre: list[np.ndarray], post: list[np.ndarray], duration: float) -> np.ndarray:
    """(n_post, n_pre): what these spikes change, those of the cells made by teachers; times in whole steps [s], cells fire at `post`."""
    inputs = Population("inputs", len(pre), recorded(pre, duration))
    teachers = Population("teachers", len(post), recorded([train - DT for train in post], duration))
    calm = AdEx(b=0.0) if sees_potentials(rule) else LIF(refractory=0.0, drive=0.0)
    cells = Population("cells", len(post), calm)
    slow = rule._replace(eta=SLOW * rule.eta, w_min=max(rule.w_min, 0.0))
    learning = Projection(inputs, cells, WEIGHT, slow, transmission=Direct(0.0))
    teaching = Projection(teachers, cells, STRONG, connectivity=OneToOne())
    run = simulate(
        Network([inputs, teachers, cells], [learning, teaching]), duration, engine="clock", dt=DT, record_every=duration
    )
    for i, train in enumerate(post):
        found = run.spikes["cells"].t[run.spikes["cells"].i == i]
        if not np.allclose(found, train, rtol=0, atol=0.1 * DT):
            raise SystemExit("a cell did not fire when it was told to; the picture would be of other spikes")
    return (run.final_weights[0] - WEIGHT) / SLOW


def recorded(trains: list[np.ndarray], duration: float) -> RecordedSpikes:
    """These trains as an input."""
    times, sources = np.concatenate(trains), np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    order = np.argsort(times, kind="stable")
    return RecordedSpikes(times[order], sources[order], duration)


def lone_pairs(rule: Any) -> tuple[np.ndarray, np.ndarray]:
    """s = t_pre - t_post (n,) [s] and what a pair changes (n,): a synapse for each lag, one spike of their target."""
    grid = np.linspace(-1.0, 1.0, 41)
    s = np.round(REACH * np.sign(grid) * np.abs(grid) ** 1.5 / DT) * DT  # closer where windows are steep
    post = 0.1
    return s, taught(rule, [np.array([post + lag]) for lag in s], [np.array([post])], 0.2)[0]


def regular(rule: Any, lag: float) -> np.ndarray:
    """(n,): what pairs at each frequency change, a cell of its own for each."""
    steps = [np.round((0.1 + np.arange(N_PAIRS) / f) / DT) * DT for f in FREQUENCIES]
    duration = float(np.ceil(max(train[-1] for train in steps) + 0.2))
    return np.diag(taught(rule, steps, [train + lag for train in steps], duration))


def found(rule: Any, y: float) -> tuple[float, float]:
    """Drift and its standard error [1/s] under independent Poisson spikes, those of the target at y [Hz]."""
    (row,) = measure_drift(independent(rule, y), MEASURED, seeds=SEEDS).rows
    return row.drift, row.error


def steady(rule: Any, y: float) -> tuple[float, float]:
    """dw/dt [1/s] by a rule of rates, of inputs at INPUT_RATE and a target at y [Hz], once its threshold has come to rest; and no error."""
    run = simulate(independent(rule, y), 2 * SETTLED, level="rate", record_every=SETTLED, dt=10e-3)
    return float((run.weights[0, 2] - run.weights[0, 1]).mean()) / SETTLED, 0.0


def directions() -> np.ndarray:
    """(3, N_RING): of length 1, in which the inputs of a course vary."""
    turn = 2.0 * np.pi * np.arange(N_RING) / N_RING
    waves = np.stack([np.ones(N_RING), np.sqrt(2.0) * np.cos(turn), np.sqrt(2.0) * np.cos(2.0 * turn)])
    return waves / np.sqrt(N_RING)


def correlated(rule: Any) -> Network:
    """Two targets of inputs that vary by VARIANCES about MEAN_RATE."""
    swings = np.sqrt(len(VARIANCES) * np.array(list(VARIANCES.values())))[:, None] * directions()
    patterns = np.concatenate([MEAN_RATE + swings, MEAN_RATE - swings])
    inputs = Population("inputs", N_RING, PatternPoisson(patterns, presentation=SHOWN))
    cells = Population("cells", len(STARTS), LinearPoisson(base_rate=BASE_RATE))
    return Network([inputs, cells], [Projection(inputs, cells, STARTS @ directions(), rule)])


class MeanChange:
    """The averaged rule of a network, of all its weights (n_post, n_pre) in a row: what `averaged` asks of an equation."""

    def __init__(self, network: Network):
        self.rule, self.start = network.projection.rule, network.projection.weights
        self.w_min, self.w_max = self.rule.w_min, self.rule.w_max
        self.covariance = (directions().T * list(VARIANCES.values())) @ directions()
        self.equation = reduce(network) if hasattr(self.rule, "learning_equation") else None

    def drift(self, weights: np.ndarray) -> np.ndarray:
        """(..., n_post n_pre) -> (..., n_post n_pre): dw/dt [1/s]."""
        rows = weights.reshape(-1, *self.start.shape)
        if self.equation is None:
            return np.reshape([self.rule.mean_change(each, self.covariance) for each in rows], weights.shape)
        return np.reshape(self.equation.drift(rows), weights.shape)

    def at(self, times: np.ndarray) -> np.ndarray:
        """(n_times, n_post, n_pre) weights at the times [s] from 0 on."""
        return averaged(self, self.start.reshape(1, -1), times).reshape(len(times), *self.start.shape)

    def duration(self) -> float:
        """How long a course takes [s]: until weights have grown ENOUGH times, or move by less than AT_REST of the largest in half as long again."""
        size = np.abs(self.start).max()
        t = size / np.abs(self.drift(self.start.ravel())).max()
        while True:
            _, now, later = self.at(np.array([0.0, t, 1.5 * t]))
            largest = np.abs(later).max()
            if largest > ENOUGH * size or np.abs(later - now).max() < AT_REST * largest:
                return t
            t *= 1.5


# Pictures -------------------------------------------------------------------------------------------------------------


def window(ax: Any, name: str, rule: Any, colour: Any) -> None:
    """What a pair changes, over t_post - t_pre."""
    s, change = lone_pairs(rule)
    ax.plot(-1e3 * s, change / rule.eta, "o", ms=3.2, mew=0, color=colour, zorder=3, label=name)
    if hasattr(rule, "pair_change"):
        for side in (np.linspace(-REACH, 0.0, 400), np.linspace(1e-9, REACH, 400)):
            ax.plot(-1e3 * side, rule.pair_change(side, WEIGHT) / rule.eta, color=THEORY, ls=DASHES, lw=0.9)
    ax.axvline(0.0, color="0.6", lw=0.6, zorder=0)
    ax.set_xlabel("t$_{post}$ − t$_{pre}$ [ms]")
    ax.set_ylabel("change by a pair [η]")


def frequency(ax: Any, name: str, rule: Any, colour: Any) -> None:
    """What regular pairs change, over their frequency: filled where the postsynaptic spike is the second, open where it is the first."""
    for lag in (LAG, -LAG):
        change = regular(rule, lag)
        ax.plot(
            FREQUENCIES,
            change / rule.eta,
            "o",
            ms=3.2,
            mew=0.8,
            color=colour,
            mfc=colour if lag > 0 else "white",
            zorder=3,
            label=name if lag > 0 else None,
        )
        if hasattr(rule, "regular_pairs"):
            f = np.linspace(FREQUENCIES[0], FREQUENCIES[-1], 200)
            ax.plot(
                f, [rule.regular_pairs(each, lag, N_PAIRS) / rule.eta for each in f], color=THEORY, ls=DASHES, lw=0.9
            )
    ax.set_xlabel("frequency of pairs [Hz]   ● +10 ms   ○ −10 ms")
    ax.set_ylabel(f"change by {N_PAIRS} pairs [η]")


def rates(ax: Any, name: str, rule: Any, colour: Any) -> None:
    """What independent Poisson spikes, or steady rates, change, over the output rate."""
    measured, shown = (found, OUTPUT_RATES) if hasattr(rule, "on_pre") else (steady, STEADY_RATES)
    drift, error = np.array([measured(rule, y) for y in shown]).T / rule.eta
    ax.errorbar(shown, drift, error, fmt="o", ms=3.2, mew=0, lw=0.9, color=colour, zorder=3, label=name)
    y = np.linspace(shown[0], shown[-1], 80)
    ax.plot(y, [expected(rule, each) / rule.eta for each in y], color=THEORY, ls=DASHES, lw=0.9, zorder=4)
    ax.set_xlim(left=0.0)
    ax.set_xlabel("output rate [Hz]")
    ax.set_ylabel("drift [η/s]" if hasattr(rule, "on_pre") else "dw/dt / η [SI]")


def course(ax: Any, name: str, rule: Any, colour: Any) -> None:
    """Parts of the weights of two targets along the directions in which their inputs vary, over time: filled of the first, open of the second."""
    network = correlated(rule)
    theory = MeanChange(network)
    run = simulate(network, theory.duration(), level="rate", record_every=theory.duration() / N_SHOWN)
    times = np.linspace(0.0, run.time[-1], 300)
    measured, expected = run.weights[0] @ directions().T, theory.at(times) @ directions().T
    for k, direction in enumerate(VARIANCES):
        for i, fill in enumerate((GROUP_COLOURS[k + 1], "white")):
            style = {"color": GROUP_COLOURS[k + 1], "mfc": fill, "label": None if i else direction}
            ax.plot(run.time, measured[:, i, k], "o", ms=3.2, mew=0.8, zorder=3, **style)
            ax.plot(times, expected[:, i, k], color=THEORY, ls=DASHES, lw=0.9, zorder=4)
    time_axis(ax, run.time)
    ax.set_xlabel(f"{ax.get_xlabel()}   ● first target   ○ second target")
    ax.set_ylabel("weights along a direction")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(VARIANCES), handletextpad=0.1)


def expected(rule: Any, y: float) -> float:
    """The drift of such spikes: by the learning equation, or else by the rule's own formula for independent spikes; nan where it has neither."""
    try:
        return float(reduce(independent(rule, y)).drift(np.full(N_INPUTS, WEIGHT)).mean())
    except HebbscopeError:
        return rule.drift(INPUT_RATE, y) if hasattr(rule, "drift") else np.nan


def independent(rule: Any, y: float) -> Network:
    """Poisson inputs that a Poisson cell of rate y [Hz] does not hear."""
    inputs = Population("inputs", N_INPUTS, HomogeneousPoisson(INPUT_RATE))
    cell = Population("cell", 1, LinearPoisson(base_rate=y))
    return Network([inputs, cell], [Projection(inputs, cell, WEIGHT, rule, transmission=Direct(0.0))])


PICTURES: dict[str, Callable] = {"window": window, "frequency": frequency, "rates": rates, "course": course}
TITLES = {
    "window": "What a pair changes",
    "frequency": "What regular pairs change",
    "rates": "What rates change",
    "course": "What becomes of the weights",
}


def pictures(rule: type) -> tuple[str, ...]:
    """Which pictures suit a rule."""
    of_rates = ("rates",) if hasattr(rule, "drift") else ("course",)
    return getattr(rule(), "pictures", ("window", "rates") if hasattr(rule, "on_pre") else of_rates)


def forms(rule: type, kind: str) -> dict[str, Any]:
    """The rule in the forms that are drawn in a picture, by name."""
    fields = getattr(rule(), "forms", {}).get(kind, {"": {}})
    return {name: rule()._replace(**each) for name, each in fields.items()}


def draw(rule: type, kind: str) -> Path:
    """Draw one picture of a rule and write it."""
    from matplotlib import rc_context

    with rc_context(STYLE):
        figure = new_figure(COLUMN * 1.15, 2.3)
        ax = figure.add_subplot()
        for k, (name, each) in enumerate(forms(rule, kind).items()):
            PICTURES[kind](ax, name, each, GROUP_COLOURS[k + 1] if name else LEVEL_COLOURS["spike"])
        ax.axhline(0.0, color="0.6", lw=0.6, zorder=0)
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(length=2.5, width=0.6, labelsize=7)
        if len(forms(rule, kind)) > 1:
            ax.legend(loc="upper left", handlelength=1.0)
    path = FOLDER / f"{rule.__name__}-{kind}.png"
    figure.savefig(path, dpi=150)
    return path


# The page -------------------------------------------------------------------------------------------------------------


def rules() -> dict[str, type]:
    """Every rule by its name, those of spikes first."""
    return parts("rule") | parts("rate rule")


def page() -> str:
    """The whole page."""
    sections = [section(rule) for rule in rules().values()]
    return "\n".join([HEAD, *sections])


def section(rule: type) -> str:
    """A rule's own words, its pictures, and its reduction."""
    lines = [f"## {rule.__name__}", ""]
    for kind in pictures(rule):
        lines += [f"![{TITLES[kind]}: {rule.__name__}](catalogue/{rule.__name__}-{kind}.png)", *_drawn(rule, kind)]
    lines += ["", "```text", inspect.cleandoc(rule.__doc__ or ""), "```", "", reduction(rule), ""]
    return "\n".join(lines)


def _drawn(rule: type, kind: str) -> list[str]:
    """By what the forms of a rule that a picture has differ from the rule as it is."""
    named = []
    for name, form in forms(rule, kind).items():
        other = {field: value for field, value in form._asdict().items() if np.any(value != getattr(rule(), field))}
        if other:
            told = (f"{field} {brief(value)}" for field, value in other.items())
            named.append(f"{name}: " * bool(name) + ", ".join(told))
    return ["", f"In SI units, {'; '.join(named)}.", ""] if named else []


def reduction(rule: type) -> str:
    """The averaged equation and when it holds: in the words of the rule, or else of the class of the equation."""
    try:
        equation = type(reduce(independent(rule(), 10.0)))
    except HebbscopeError:
        return "It has no learning equation" + (
            ": `measure_drift` measures its drift." if hasattr(rule, "on_pre") else "."
        )
    words = getattr(rule, "averaged", equation).__doc__
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(words or ""))
    said = "\n\n".join(each for each in paragraphs if not each.startswith("|"))  # without its table of fields
    return f"Reduction, `{equation.__name__}`:\n\n```text\n{said}\n```"


def main() -> None:
    """Draw and write."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--page", action="store_true", help="write the page alone")
    arguments.add_argument("rules", nargs="*", help="what to draw; default: all", choices=[[], *rules()])
    given = arguments.parse_args()
    if not given.page:
        FOLDER.mkdir(exist_ok=True)
        for name in given.rules or rules():
            rule = rules()[name]
            for kind in pictures(rule):
                print(draw(rule, kind), flush=True)
    (HERE / "catalogue.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
