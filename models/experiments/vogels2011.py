"""Vogels et al. 2011: inhibitory synapses learn to keep ten thousand conductance-based neurons irregular, at a rate of choice."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from pydantic import SkipValidation

from ...rules import VogelsSprekeler
from ...simulator.connectivity import Pairwise
from ...simulator.monitors import PopulationRate, WeightStatistics
from ...simulator.network import Network, Population, Projection
from ...simulator.protocols import Seconds, non_negative, part, positive, require, within
from ..neurons import ConductanceLIF, ExponentialSynapses
from ..weights import Uniform
from .experiment import Experiment
from .plan import Levels, Seeds

LEAK = 10e-9  # S, of a cell: the unit of weights


@part
class Cells(NamedTuple):
    """Excitatory and inhibitory cells, which are alike.

    n_excitatory  8000  how many excite
    n_inhibitory  2000  how many inhibit
    connected     0.02  probability of a synapse from any cell onto any other
    """

    n_excitatory: int = 8000
    n_inhibitory: int = 2000
    connected: float = 0.02

    def check(self):
        require(self.n_excitatory >= 2, self, "n_excitatory", "must be >= 2")
        require(self.n_inhibitory >= 2, self, "n_inhibitory", "must be >= 2")
        positive(self, "connected")
        within(self, "connected", 0.0, 1.0)


@part
class Coupling(NamedTuple):
    """Conductances that a spike opens, in units of the leak (10 nS), and the delay of all synapses.

    excitation  0.03    0.3 nS: of excitatory synapses onto all cells
    inhibition  0.3     3 nS: of inhibitory synapses onto inhibitory cells
    plastic     0       of inhibitory synapses onto excitatory cells, at the start
    delay       0.8 ms  from a spike to all its targets
    """

    excitation: float = 0.3e-9 / LEAK
    inhibition: float = 3e-9 / LEAK
    plastic: float = 0.0
    delay: Seconds = 0.8e-3

    def check(self):
        non_negative(self, "excitation", "inhibition", "plastic", "delay")


class Vogels2011(Experiment):
    """A balanced network that finds its balance: inhibition starts at nothing, and grows where a cell is faster than the rule wants it.

    What is left when learning has come to rest is a state where excitation and inhibition of each cell cancel but for their fluctuations, so that cells
    fire irregularly, all at about the rate rho_0.
    """

    name: ClassVar[str] = "vogels2011"
    title: ClassVar[str] = "Inhibitory plasticity balances a recurrent network at a rate of choice"
    source: ClassVar[str] = "Vogels, Sprekeler, Zenke, Clopath & Gerstner, Science 334:1569 (2011)"
    levels: Levels = Levels(("spike",))
    seeds: Seeds = Seeds((1,))
    outputs_kept: ClassVar[float] = 10.0
    meanings: ClassVar[dict[str, str]] = {
        "record_every": "time between two records of all weights; their mean and sd, and the rate, are there every second",
    }

    cells: SkipValidation[Cells] = Cells()
    coupling: SkipValidation[Coupling] = Coupling()
    neuron: SkipValidation[ConductanceLIF] = ConductanceLIF(
        tau_m=20e-3,
        E_L=-60e-3,
        E_ex=0.0,
        E_in=-80e-3,
        V_th=-50e-3,
        V_reset=-60e-3,
        refractory=5e-3,
        drive=20e-3,
        synapses=ExponentialSynapses(tau_ex=5e-3, tau_in=10e-3),
    )
    rule: SkipValidation[VogelsSprekeler] = VogelsSprekeler(eta=0.01e-9 / LEAK, rho_0=3.0, w_max=100e-9 / LEAK)
    duration: Seconds = 200.0
    record_every: Seconds = 20.0

    def network(self) -> Network:
        start = {"v": Uniform(self.neuron.V_reset, self.neuron.V_th)}
        e = Population("excitatory", self.cells.n_excitatory, self.neuron, initial=start)
        i = Population("inhibitory", self.cells.n_inhibitory, self.neuron, initial=start)
        coupling = self.coupling
        joined = {"connectivity": Pairwise(self.cells.connected, self_connections=0), "delay": coupling.delay}
        inhibits = joined | {"receptor": "inhibitory"}
        projections = [
            Projection(i, e, coupling.plastic, self.rule, **inhibits),
            Projection(i, i, coupling.inhibition, **inhibits),
            Projection(e, e, coupling.excitation, **joined),
            Projection(e, i, coupling.excitation, **joined),
        ]
        return Network([e, i], projections, name=self.name)

    def how(self) -> dict[str, Any]:
        every = min(1.0, self.record_every)
        monitors = {
            "weights": WeightStatistics("inhibitory_to_excitatory", every=every),
            "rate": PopulationRate("excitatory", every=every),
        }
        return super().how() | {"monitors": monitors}
