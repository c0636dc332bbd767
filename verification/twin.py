"""The same network in Brian2: each population a group, each projection one `Synapses`, every rule as its equations.

Brian2 runs a step in the order groups, thresholds, synapses (all that comes from sources before all that comes from targets), resets. A spike that
arrives gives its weight first and learns then. Nothing is shared with the loop but the description: wiring, delays, and initial weights. Two things are
rounded otherwise: Brian2 cuts a refractory period down to whole steps, and what is injected twice into one cell in one step it refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..models import LIF, HomogeneousPoisson, RecordedSpikes
from ..rules import DoubleExponential, KempterWindow, PairSTDP, SpikeHebb, Static, Triplet, VogelsSprekeler
from ..simulator.network import Network, Population, Projection
from ..simulator.protocols import HebbscopeError, first_line, is_part, unit_of
from .ours import Outcome


class Equations(NamedTuple):
    """A rule in Brian2's words: what a synapse has beside its weight w, and what a spike from either side does."""

    model: str = ""
    on_pre: str = ""
    on_post: str = ""


PAIRS = """dbefore/dt = -before / tau_plus : 1 (event-driven)
           dafter/dt = -after / tau_minus : 1 (event-driven)"""

RULES: dict[type | tuple[type, type], Equations] = {
    Static: Equations(),
    PairSTDP: Equations(
        PAIRS,
        """w = clip(w - eta * A_minus * after, w_min, w_max)
           before += 1""",
        """w = clip(w + eta * A_plus * before, w_min, w_max)
           after += 1""",
    ),
    (SpikeHebb, DoubleExponential): Equations(
        PAIRS,
        """w = clip(w + eta * (w_in - A_minus * after), w_min, w_max)
           before += 1""",
        """w = clip(w + eta * (w_out + A_plus * before), w_min, w_max)
           after += 1""",
    ),
    (SpikeHebb, KempterWindow): Equations(
        """dbefore/dt = -before / tau_syn : 1 (event-driven)
           drising/dt = before - rising / tau_syn : second (event-driven)
           dfast/dt = -fast / tau_plus : 1 (event-driven)
           dslow/dt = -slow / tau_minus : 1 (event-driven)""",
        """w = clip(w + eta * (w_in + A_plus * fast + A_minus * slow), w_min, w_max)
           before += 1""",
        """up = A_plus * (before + rising * (1 / tau_syn + 1 / tau_plus))
           down = A_minus * (before + rising * (1 / tau_syn + 1 / tau_minus))
           w = clip(w + eta * (w_out + up + down), w_min, w_max)
           fast += 1
           slow += 1""",
    ),
    VogelsSprekeler: Equations(
        """dbefore/dt = -before / tau : 1 (event-driven)
           dafter/dt = -after / tau : 1 (event-driven)""",
        """w = clip(w + eta * (after - 2 * rho_0 * tau / second), w_min, w_max)
           before += 1""",
        """w = clip(w + eta * before, w_min, w_max)
           after += 1""",
    ),
    Triplet: Equations(
        """dr1/dt = -r1 / tau_plus : 1 (event-driven)
           dr2/dt = -r2 / tau_x : 1 (event-driven)
           do1/dt = -o1 / tau_minus : 1 (event-driven)
           do2/dt = -o2 / tau_y : 1 (event-driven)""",
        """w = clip(w - eta * o1 * (A2_minus * scale + A3_minus * r2), w_min, w_max)
           r1 += 1
           r2 += 1""",
        """w = clip(w + eta * r1 * (A2_plus + A3_plus * o2), w_min, w_max)
           o1 += 1
           o2 += 1""",
    ),
}


def run(network: Network, dt: float, n_steps: int, seed: int, copies: int = 1) -> Outcome:
    """The network in Brian2, in steps of dt [s]; so many copies side by side, whose cells and synapses follow each other.

    The copies share wiring and initial weights, which are those of the seed, and draw their own inputs.
    HebbscopeError where Brian2 cannot be imported.
    """
    brian = brian2()
    brian.seed(seed)
    clock = brian.Clock(dt * brian.second)
    groups = {each.name: _group(brian, each, clock, copies) for each in network.populations}
    synapses = {each.name: _synapses(brian, each, groups, clock, seed, copies) for each in network.projections}
    heard = {each.name: brian.SpikeMonitor(groups[each.name]) for each in network.populations if not each.is_input}
    whole = brian.Network(*groups.values(), *synapses.values(), *heard.values())
    whole.run(n_steps * dt * brian.second, namespace={})
    return Outcome(
        {name: np.rint(np.asarray(spikes.t) / dt).astype(int) for name, spikes in heard.items()},
        {name: np.asarray(spikes.i) for name, spikes in heard.items()},
        {name: np.array(each.w) for name, each in synapses.items()},
    )


def brian2() -> Any:
    """Brian2, set to run without a compiler; HebbscopeError where it is not there or does not go with the rest."""
    try:
        import brian2
    except Exception as error:  # an older one with a newer NumPy raises whatever it meets
        raise HebbscopeError(f"verify: needs Brian2, which cannot be imported here ({first_line(error)})") from None
    brian2.prefs.codegen.target = "numpy"
    return brian2


# Populations ----------------------------------------------------------------------------------------------------------


def _recorded(brian: Any, part: RecordedSpikes, n: int, clock: Any) -> Any:
    return brian.SpikeGeneratorGroup(n, part.sources, part.times * brian.second, clock=clock)


def _poisson(brian: Any, part: HomogeneousPoisson, n: int, clock: Any) -> Any:
    return brian.PoissonGroup(n, part.rate * brian.Hz, clock=clock)


def _lif(brian: Any, part: LIF, n: int, clock: Any) -> Any:
    group = brian.NeuronGroup(
        n,
        "dv/dt = (E_L - v) / tau_m : 1 (unless refractory)",
        threshold="v >= V_th",
        reset="v = V_reset",
        refractory=part.refractory * brian.second,
        method="exact",
        namespace={"tau_m": part.tau_m * brian.second, "E_L": part.E_L, "V_th": part.V_th, "V_reset": part.V_reset},
        clock=clock,
    )
    group.v = part.V_reset
    return group


GROUPS: dict[type, Callable] = {RecordedSpikes: _recorded, HomogeneousPoisson: _poisson, LIF: _lif}


def _group(brian: Any, population: Population, clock: Any, copies: int) -> Any:
    return GROUPS[type(population.model)](brian, population.model, population.n * copies, clock)


# Synapses -------------------------------------------------------------------------------------------------------------


def dendrite(n_slots: int) -> tuple[str, str, str]:
    """What a synapse needs to send its weight of the moment down a dendrite, where Brian2 would read that at the end: a queue of so many places.

    The variables of the queue, what puts a weight into it, and what hands the oldest over to the cell.
    """
    slots = range(n_slots)
    queue = "\n".join([*(f"kept{k} : 1" for k in slots), "sent : integer", "come : integer"])
    put = [f"kept{k} = w * int(sent == {k}) + kept{k} * int(sent != {k})" for k in slots]
    oldest = " + ".join(f"kept{k} * int(come == {k})" for k in slots)
    move = "{0} = ({0} + 1) % " + str(n_slots)
    return queue, "\n".join([*put, move.format("sent")]), f"v_post += {oldest}\n{move.format('come')}"


def _constants(part: Any, second: Any) -> dict[str, Any]:
    """The fields of a part and of the parts in it, times with their unit."""
    found: dict[str, Any] = {}
    for name, value in zip(part._fields, part, strict=True):
        if is_part(value):
            found |= _constants(value, second)
        else:
            found[name] = value * second if unit_of(type(part), name) == "s" else value
    return found


def _synapses(brian: Any, projection: Projection, groups: dict[str, Any], clock: Any, seed: int, copies: int) -> Any:
    rule, (pre, post) = projection.rule, projection.wiring
    equations = RULES.get(type(rule)) or RULES[type(rule), type(rule.window)]
    axonal, dendritic = (
        np.tile(np.broadcast_to(delay, len(pre)), copies) for delay in (projection.delay, projection.dendritic_delay)
    )
    queue, arrive, deliver = "", "v_post += w", ""
    if dendritic.any():
        queue, arrive, deliver = dendrite(1 + round(dendritic.max() / float(clock.dt)))
    synapses = brian.Synapses(
        groups[projection.source.name],
        groups[projection.target.name],
        f"w : 1\n{equations.model}\n{queue}",
        on_pre={"pre": f"{arrive}\n{equations.on_pre}"} | ({"deliver": deliver} if deliver else {}),
        on_post=equations.on_post or None,
        method="exact",
        namespace=_constants(rule, brian.second),
        clock=clock,
    )
    copy = np.arange(copies)[:, None]
    synapses.connect(
        i=(pre + copy * projection.source.n).ravel(),
        j=(post + copy * projection.target.n).ravel(),
    )
    synapses.w = np.tile(projection.initial_values(seed), copies)
    synapses.pre.delay = axonal * brian.second
    if equations.on_post:
        synapses.post.delay = dendritic * brian.second
    if deliver:
        synapses.deliver.delay = (axonal + dendritic) * brian.second
        synapses.deliver.order = 0  # after what arrives in the same step, where a dendrite takes no time
    return synapses
