"""vogels2011 beside the equation of its rest: at which rate inhibitory plasticity keeps a network, and what correlations have to do with it.

    python benchmarks/vogels2011.py [--cases published fifth many] [--rho_0 3 5] [--brian2] [--out FOLDER]

The mean of dw/dt = 2 eta tau x (y - rho_0) + eta C over the synapses onto a cell is 0 at rest, so that the cell fires at y = rho_0 - C / (2 tau x), with x the rates
of its sources and C the covariance of their spikes, as they arrive, with its own in the window of the rule. The network learns, fast at first; then its
weights are held, and C is read from the spikes of both populations (analysis/spiking.py). The rate is that while it learned. What weights still grew then
belongs to it as well, (dw/dt) / (2 eta tau x): it is predicted, too, and said apart.

published  10,000 cells, 2 % connected
fifth      2,000 cells, 10 % connected: as many synapses onto each cell
many       2,000 cells, 40 % connected with .3 of the strength

--brian2 runs `fifth` there, too, on the same graph from the same potentials. Prints a table, writes it as vogels2011.json, and ends with exit code 3 where a rate is not
predicted within three standard errors. Takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hebbscope import Network, simulate
from hebbscope.analysis.spiking import cv, excess_coincidences, rates
from hebbscope.models.experiments.vogels2011 import Vogels2011

FIFTH = {"cells.n_excitatory": 1600, "cells.n_inhibitory": 400, "cells.connected": 0.1}
MANY = FIFTH | {"cells.connected": 0.4, "coupling.excitation": 0.009, "coupling.inhibition": 0.09}
CASES: dict[str, dict[str, float]] = {"published": {}, "fifth": FIFTH, "many": MANY}
STAGES = ((5e-3, 150.0), (1e-3, 110.0))  # eta and seconds: weights forget how they began, then move little
PIECE = 10.0  # s, over which rates and covariances are averaged; standard errors are over pieces
ERRORS = 3.0  # standard errors


class Measured(NamedTuple):
    """A mean over pieces, and its standard error."""

    value: float
    error: float


def measured(pieces: Any) -> Measured:
    """Of (n_pieces,) numbers."""
    return Measured(float(np.mean(pieces)), float(np.std(pieces, ddof=1) / np.sqrt(len(pieces))))


def changed(network: Network, eta: float, weights: Any = None) -> Network:
    """The network with another learning rate, and from other weights."""
    learning, *others = network.projections
    more = {} if weights is None else {"weights": weights}
    return Network(network.populations, [replace(learning, rule=learning.rule._replace(eta=eta), **more), *others])


class Learned(NamedTuple):
    """network: with the weights that it came to; run: of the last stage; growth (n_synapses,): of the weights in it, in eta per second."""

    network: Network
    run: Any
    growth: np.ndarray


def learned(described: Vogels2011, stages: Any = STAGES, seed: int = 1) -> Learned:
    """What comes of the network; the last stage is heard but for its first piece."""
    network, weights = (
        described.network(),
        np.full(described.network().projections[0].n_synapses, described.coupling.plastic),
    )
    for eta, seconds in stages:
        network, before = changed(network, eta, weights), weights
        heard = {"excitatory": (PIECE, seconds)}
        run = simulate(network, seconds, seeds=seed, record_every=seconds, record_spikes=heard, **how(described))
        weights = run.final_weights[0].ravel()
    return Learned(changed(network, eta, weights), run, (weights - before) / (eta * seconds))


def how(described: Vogels2011) -> dict[str, Any]:
    """The engine of the experiment, without its monitors."""
    return {key: value for key, value in described.how().items() if key != "monitors"}


def predicted(described: Vogels2011, found: Learned, n_pieces: int, seed: int = 1) -> dict[str, Measured]:
    """What the equation says of the mean rate at these weights [Hz]: see `rest`. Each piece begins anew, from other potentials."""
    held = changed(found.network, 0.0)
    window, pieces = (1.0, 1.0 + PIECE), []
    for k in range(n_pieces):
        run = simulate(
            held,
            window[1],
            seeds=1000 * seed + k,
            record_every=window[1],
            record_spikes=dict.fromkeys(("excitatory", "inhibitory"), window),
            **how(described),
        )
        pieces.append(rest(run, held.projections[0], found.growth, window))
    return {name: measured([each[name] for each in pieces]) for name in pieces[0]}


def rest(run: Any, learning: Any, growth: np.ndarray, window: tuple[float, float]) -> dict[str, float]:
    """Means over the targets [Hz]: the rate that is predicted, what of it is growth, what would be without the synapses' own effect (by pairs that none
    joins), the rate that is; and the rate of the sources."""
    (pre, post), tau, length = learning.wiring, learning.rule.tau, window[1] - window[0]
    sizes = learning.source.n, learning.target.n
    sources, targets = (run.spikes[each.name] for each in (learning.source, learning.target))
    arrivals = sources.t + learning.delay
    excess = excess_coincidences((arrivals, sources.i), (targets.t, targets.i), sizes, window, tau)
    x = rates(sources.i, sizes[0], length)
    joined = np.zeros(excess.shape, bool)
    joined[post, pre] = True
    scale = 2.0 * tau * (joined @ x)
    grown = np.bincount(post, growth, sizes[1]) / scale
    return {
        "predicted": float(np.mean(learning.rule.rho_0 - (excess * joined).sum(axis=1) / scale + grown)),
        "growth": float(grown.mean()),
        "not_joined": float(learning.rule.rho_0 - excess[~joined].mean() / (2.0 * tau * x.mean())),
        "held": float(rates(targets.i, sizes[1], length).mean()),
        "sources": float(x.mean()),
    }


def while_learning(run: Any, n: int, seconds: float) -> tuple[Measured, float]:
    """Mean rate [Hz] of the n excitatory cells after the first piece of a run of so many seconds, and the mean CV of their intervals."""
    return in_pieces(run.spikes["excitatory"].t, run.spikes["excitatory"].i, n, seconds)


def in_pieces(t: np.ndarray, i: np.ndarray, n: int, seconds: float) -> tuple[Measured, float]:
    pieces = np.histogram(t, np.arange(PIECE, seconds + 0.5 * PIECE, PIECE))[0] / (PIECE * n)
    return measured(pieces), float(np.nanmean(cv(t, i, n)))


def in_brian2(described: Vogels2011, stages: Any = STAGES, seed: int = 1) -> tuple[Measured, float]:
    """As `while_learning`, of the same network in Brian2: its graph and potentials, and the equations of the cells with its own integration."""
    import brian2
    from brian2 import ms, mV, second

    network, p, c = described.network(), described.neuron, described.coupling
    n_e, n_i = (each.n for each in network.populations)
    brian2.defaultclock.dt = 0.1 * ms
    cells = brian2.NeuronGroup(
        n_e + n_i,
        """dv/dt = (E_L - v + drive + g_ex * (E_ex - v) + g_in * (E_in - v)) / tau_m : volt (unless refractory)
           dg_ex/dt = -g_ex / tau_ex : 1
           dg_in/dt = -g_in / tau_in : 1""",
        threshold="v >= V_th",
        reset="v = V_reset",
        refractory=p.refractory * second,
        method="euler",
        namespace={name: 1e3 * getattr(p, name) * mV for name in ("E_L", "E_ex", "E_in", "V_th", "V_reset", "drive")}
        | {"tau_m": p.tau_m * second, "tau_ex": p.synapses.tau_ex * second, "tau_in": p.synapses.tau_in * second},
    )
    cells.v = np.hstack([each.start(seed)["v"] for each in network.populations]) * 1e3 * mV
    first = {"excitatory": 0, "inhibitory": n_e}
    rule = {"tau": described.rule.tau * second, "w_max": described.rule.w_max}
    rule["alpha"] = 2.0 * described.rule.rho_0 * described.rule.tau
    synapses = []
    for each in network.projections:
        plastic = each is network.projections[0]
        port, weight = ("g_in", c.inhibition) if each.source.name == "inhibitory" else ("g_ex", c.excitation)
        made = brian2.Synapses(
            cells,
            cells,
            """w : 1
               eta : 1 (shared)
               dbefore/dt = -before / tau : 1 (event-driven)
               dafter/dt = -after / tau : 1 (event-driven)"""
            if plastic
            else "",
            on_pre="before += 1\nw = clip(w + eta * (after - alpha), 0, w_max)\ng_in_post += w"
            if plastic
            else f"{port}_post += {weight}",
            on_post="after += 1\nw = clip(w + eta * before, 0, w_max)" if plastic else None,
            delay=c.delay * second,
            namespace=rule if plastic else {},
        )
        pre, post = each.wiring
        made.connect(i=pre + first[each.source.name], j=post + first[each.target.name])
        synapses.append(made)
    whole = brian2.Network(cells, *synapses)
    for eta, seconds in stages:
        synapses[0].eta = eta
        heard, start = brian2.SpikeMonitor(cells[:n_e]), float(whole.t / second)
        whole.add(heard)
        whole.run(seconds * second, namespace={})
        whole.remove(heard)
    t, late = np.asarray(heard.t / second) - start, np.asarray(heard.t / second) - start >= PIECE
    return in_pieces(t[late], np.asarray(heard.i)[late], n_e, seconds)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cases", nargs="*", choices=CASES, default=list(CASES))
    options.add_argument("--rho_0", nargs="*", type=float, default=[3.0, 5.0])
    options.add_argument("--pieces", type=int, default=10)
    options.add_argument("--brian2", action="store_true")
    options.add_argument("--out", default=Path(), type=Path)
    given = options.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    heads = ("rate", "predicted", "growth", "not joined", "held")
    print(f"{'':<18}", " ".join(f"{each:>14}" for each in heads), f"{'sources':>8} {'CV':>5}")
    rows = []
    for name, rho_0 in ((name, rho_0) for name in given.cases for rho_0 in given.rho_0):
        described = Vogels2011.with_settings([*CASES[name].items(), ("rule.rho_0", rho_0)])
        came = learned(described)
        rate, irregularity = while_learning(came.run, described.cells.n_excitatory, STAGES[-1][1])
        found = {"rate": rate, **predicted(described, came, given.pieces)}
        error = np.hypot(rate.error, found["predicted"].error)
        rows.append(
            {"case": name, "rho_0": rho_0, "cv": irregularity, "z": (rate.value - found["predicted"].value) / error}
        )
        rows[-1] |= {key: list(each) for key, each in found.items()}
        shown = (f"{each.value:.3f} ± {each.error:.3f}" for key, each in found.items() if key != "sources")
        line = " ".join(f"{each:>14}" for each in shown)
        print(f"{f'{name}, {rho_0:g} Hz':<18} {line} {found['sources'].value:8.2f} {irregularity:5.2f}", flush=True)
        if given.brian2 and name == "fifth":
            rate, irregularity = in_brian2(described)
            rows[-1]["brian2"] = {"rate": list(rate), "cv": irregularity}
            print(f"{'  in Brian2':<18} {rate.value:.3f} ± {rate.error:.3f} {'':>64} {irregularity:5.2f}", flush=True)
    (given.out / "vogels2011.json").write_text(json.dumps({"stages": STAGES, "table": rows}, indent=1) + "\n")
    return 0 if all(abs(row["z"]) < ERRORS for row in rows) else 3


if __name__ == "__main__":
    sys.exit(main())
