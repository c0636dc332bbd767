"""The networks that both simulators run: a few cells with all the awkward cases, and Poisson input, of which one has a theory.

Those that are compared spike by spike have injected trains: coincidences of all cells, doublets in neighbouring steps, weights that meet their bounds,
cells that rest below their reset. No input cell has two spikes in one step, which Brian2 does not inject.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..models import LIF, HomogeneousPoisson, RecordedSpikes
from ..rules import DoubleExponential, KempterWindow, PairSTDP, SpikeHebb, Triplet, VogelsSprekeler
from ..simulator.connectivity import AllToAll, FixedInDegree, OneToOne
from ..simulator.network import Network, Population, Projection

DT = 1e-4  # s
N_INPUTS, N_CELLS = 8, 5
W_MAX = 2.5e-3  # V, an eighth of the way from rest to threshold
NEURON = LIF(tau_m=20e-3, E_L=-70e-3, V_th=-50e-3, V_reset=-60e-3, refractory=2e-3, drive=0.0)
STRONG = 30e-3  # V, which makes a cell fire from anywhere

PAIRS = PairSTDP(A_plus=1e-4, A_minus=8e-5, tau_plus=17e-3, tau_minus=23e-3, w_max=W_MAX)
TWO_SIDES = DoubleExponential(A_plus=1.0, A_minus=0.8, tau_plus=17e-3, tau_minus=23e-3)
RULES = {
    "window of two exponentials": SpikeHebb(TWO_SIDES, eta=1e-4, w_in=0.0, w_out=0.0, w_min=0.0, w_max=W_MAX),
    "Kempter's window, w_in, w_out": SpikeHebb(KempterWindow(), eta=1e-4, w_in=0.5, w_out=-0.6, w_min=0.0, w_max=W_MAX),
    "inhibition to a rate": VogelsSprekeler(eta=6e-6, rho_0=40.0, w_max=W_MAX),
    "triplets": Triplet(A2_plus=4e-5, A3_plus=1e-5, A2_minus=2e-5, A3_minus=5e-7, w_max=W_MAX),
}
WIRINGS = {"all-to-all": AllToAll(), "sparse": FixedInDegree(5, seed=0)}
DELAYS = {"no delay": 0, "one delay": 13, "a delay for each": range(20)}  # steps, or from which to draw
DENDRITES = {"one dendritic delay": 5, "dendritic delay for each": range(8)}


# Spike by spike -------------------------------------------------------------------------------------------------------

N_STEPS = 600


def exact() -> Iterator[tuple[str, Network]]:
    """Name and network of each case that is compared spike by spike, over N_STEPS."""
    for wiring in WIRINGS:
        for delay, steps in DELAYS.items():
            yield f"{wiring}, {delay}", injected(WIRINGS[wiring], steps)
    for dendrite, steps in DENDRITES.items():
        yield f"all-to-all, {dendrite}", injected(AllToAll(), 0, steps)
    yield "recurrent, no delay", injected(AllToAll(), recurrent=True)
    yield "recurrent, both delays for each", injected(AllToAll(), range(20), range(8), recurrent=True)
    yield "times and delays between steps", injected(WIRINGS["sparse"], np.linspace(0.51, 19.4, 90), between=True)
    for name, rule in RULES.items():
        yield name, injected(AllToAll(), 13, rule=rule)
    yield "refractoriness, step by step", probed()


def injected(
    wiring: Any,
    delay: Any = 0,
    dendritic_delay: Any = 0,
    *,
    rule: Any = PAIRS,
    recurrent: bool = False,
    between: bool = False,
) -> Network:
    """Injected trains onto cells that may project onto each other. Delays: steps for all, or some of which each synapse draws one."""
    rng = np.random.default_rng(3)
    inputs = Population("inputs", N_INPUTS, trains_between_steps(rng) if between else awkward_trains(rng))
    cells = Population("cells", N_CELLS, NEURON)
    projections = [Projection(inputs, cells, rule=rule, connectivity=wiring)]
    if recurrent:
        loops = AllToAll(self_connections=0)
        projections.append(Projection(cells, cells, rule=PAIRS._replace(eta=0.1), connectivity=loops))

    def dressed(bare: Projection) -> Projection:
        drawn = [rng.choice(np.atleast_1d(steps), bare.n_synapses) * DT for steps in (delay, dendritic_delay)]
        late = [each if np.ptp(each) > 0.0 else float(each[0]) for each in drawn]
        shape = (cells.n, bare.source.n) if bare.is_dense else bare.n_synapses
        return replace(bare, weights=rng.uniform(0.0, W_MAX, shape), delay=late[0], dendritic_delay=late[1])

    return Network([inputs, cells], [dressed(bare) for bare in projections])


def awkward_trains(rng: np.random.Generator) -> RecordedSpikes:
    """Every cell at about 400 Hz; all of them in step 400, and in the neighbours 40 and 41."""
    active = rng.random((N_STEPS, N_INPUTS)) < 0.04
    active[[40, 41, 400]] = True
    steps, cells = np.nonzero(active)
    return RecordedSpikes(steps * DT, cells, N_STEPS * DT)


def trains_between_steps(rng: np.random.Generator) -> RecordedSpikes:
    """Times anywhere in a step, and some so close to the next that they belong to it."""
    steps, cells = np.nonzero(rng.random((N_STEPS // 2, N_INPUTS)) < 0.08)
    within = np.where(rng.random(len(steps)) < 0.1, 0.9995, rng.uniform(0.0, 0.99, len(steps)))
    times = (2 * steps + within) * DT
    order = np.argsort(times, kind="stable")
    return RecordedSpikes(times[order], cells[order], N_STEPS * DT)


def probed() -> Network:
    """Cells that all fire in step 11; each gets one strong delivery, the n-th in step 10 + n: which of them count?"""
    n = 30
    cells = Population("cells", n, NEURON)
    kicks = Population("kicks", n, RecordedSpikes(np.full(n, 10 * DT), np.arange(n), N_STEPS * DT))
    probes = Population("probes", n, RecordedSpikes((10 + np.arange(n)) * DT, np.arange(n), N_STEPS * DT))
    joined = [Projection(each, cells, STRONG, connectivity=OneToOne()) for each in (kicks, probes)]
    return Network([kicks, probes, cells], joined)


# On average -----------------------------------------------------------------------------------------------------------

RATE = 20.0  # Hz, of every input
N_RUNS = 64
SECONDS = 1.0  # of each run
SLOW = PAIRS._replace(A_plus=3e-9, A_minus=1.2e-9)  # no bound is met, and no cell notices a weight
WEAK = 1e-6  # V


class Theory(NamedTuple):
    """What holds on average: the rate of the cells [Hz], and how much their weights change [V]."""

    rate: float
    change: float


def noisy() -> Iterator[tuple[str, Network, Theory | None]]:
    """Name, network and, where there is one, theory of each case that is compared on average, over N_RUNS of SECONDS each."""
    yield "driven cells", driven(), None
    yield "independent trains", independent(), expected(SLOW)


def driven() -> Network:
    """Poisson trains that make cells fire, and learn."""
    inputs = Population("inputs", 50, HomogeneousPoisson(RATE))
    cells = Population("cells", N_CELLS, NEURON)
    return Network([inputs, cells], [Projection(inputs, cells, 0.5 * W_MAX, PAIRS._replace(eta=0.05))])


def independent() -> Network:
    """Poisson trains onto cells that fire a step after each spike of a train of their own, whatever else arrives."""
    inputs = Population("inputs", 20, HomogeneousPoisson(RATE))
    teachers = Population("teachers", N_CELLS, HomogeneousPoisson(RATE))
    cells = Population("cells", N_CELLS, NEURON._replace(refractory=0.0))
    learning = Projection(inputs, cells, WEAK, SLOW)
    return Network([inputs, teachers, cells], [learning, Projection(teachers, cells, STRONG, connectivity=OneToOne())])


def expected(rule: PairSTDP) -> Theory:
    """Of independent trains with a spike in each of n steps with probability p = RATE DT, at lags of m steps, a presynaptic spike first in its step.

    A cell fires in the n - 1 steps after the first, and does not hear its teacher when it does: with probability q = p / (1 + p) each.
    change = eta p q [sum from m = 0 of (n - 1 - m) A_plus exp(-m DT / tau_plus) - sum from m = 1 of (n - 1 - m) A_minus exp(-m DT / tau_minus)]
    A Poisson train has steps with two spikes, of which a cell hears one: its q is less by p / 2, a thousandth and below all errors here.
    """
    n, p = round(SECONDS / DT), RATE * DT
    q = p / (1.0 + p)
    lags = np.arange(n - 1)
    gain = rule.A_plus * (n - 1 - lags) @ np.exp(-lags * DT / rule.tau_plus)
    loss = rule.A_minus * (n - 1 - lags[1:]) @ np.exp(-lags[1:] * DT / rule.tau_minus)
    return Theory(q * (n - 1) / SECONDS, float(rule.eta * p * q * (gain - loss)))
