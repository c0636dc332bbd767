"""Small networks that only the clock-driven engine runs."""

from __future__ import annotations

from hebbscope import Network, Population, Projection
from hebbscope.models import LIF, HomogeneousPoisson
from hebbscope.rules import PairSTDP
from hebbscope.simulator.connectivity import Pairwise


def recurrent(n_inputs: int = 12, n: int = 16, n_inhibitory: int = 4, dense: bool = False) -> Network:
    """Inputs in two groups that drive excitatory cells, which learn among themselves, with delays, beside inhibitory ones.

    The first projection that learns is that onto the excitatory cells: all-to-all where `dense`, else sparse.
    """
    inputs = Population(
        "inputs", n_inputs, HomogeneousPoisson(60.0), groups={"left": n_inputs // 2, "right": n_inputs - n_inputs // 2}
    )
    e, i = Population("exc", n, LIF()), Population("inh", n_inhibitory, LIF())
    rule = PairSTDP(A_plus=4e-4, A_minus=4.2e-4, w_min=0.0, w_max=8e-3)
    some = {} if dense else {"connectivity": Pairwise(0.6)}
    projections = [
        Projection(i, e, 2e-3, receptor="inhibitory", name="ie"),
        Projection(inputs, e, 5e-3, rule, **some),
        Projection(e, i, 4e-3, delay=1e-3, name="ei"),
        Projection(e, e, 1e-3, rule, connectivity=Pairwise(0.4, self_connections=0), delay=2e-3, name="ee"),
    ]
    return Network([inputs, e, i], projections, "recurrent")
