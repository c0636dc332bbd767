"""The networks of workloads.py in hebbscope, by either engine; see peers/answering.py for how it is run. The settings say `engine` and `precision`."""

from __future__ import annotations

from time import perf_counter, process_time
from types import SimpleNamespace

import numpy as np
from peers.answering import answer, peak_memory, serve

import hebbscope
from hebbscope import Network, Population, Projection, simulate
from hebbscope.models import (
    LIF,
    ConductanceLIF,
    ExponentialSynapses,
    HomogeneousPoisson,
    LinearPoisson,
    ModulatedPoisson,
)
from hebbscope.models.weights import Uniform
from hebbscope.rules import DoubleExponential, PairSTDP, SpikeHebb
from hebbscope.simulator.connectivity import FixedInDegree


def kempter(p: dict) -> Network:
    """A linear Poisson neuron, half of whose inputs are modulated."""
    trains = ModulatedPoisson(p["rate"], p["amplitude"], p["frequency"], n_modulated=p["n_modulated"])
    inputs = Population("inputs", p["n_pre"], trains)
    neuron = Population("neuron", 1, LinearPoisson(p["tau"]))
    window = DoubleExponential(p["A_plus"], p["A_minus"], p["tau_plus"], p["tau_minus"])
    rule = SpikeHebb(window, p["eta"], p["w_in"], p["w_out"], 0.0, p["w_max"])
    return Network([inputs, neuron], [Projection(inputs, neuron, p["weight"], rule)])


def pair_stdp(p: dict) -> PairSTDP:
    """The rule of the other networks."""
    return PairSTDP(p["A_plus"], p["A_minus"], p["tau_plus"], p["tau_minus"], w_max=p["w_max"])


def song(p: dict) -> Network:
    """Poisson inputs onto conductance-based neurons."""
    model = ConductanceLIF(
        p["tau_m"],
        p["E_L"],
        p["E_ex"],
        V_th=p["V_th"],
        V_reset=p["V_reset"],
        synapses=ExponentialSynapses(tau_ex=p["tau_ex"]),
    )
    inputs = Population("inputs", p["n_pre"], HomogeneousPoisson(p["rate"]))
    neurons = Population("neurons", p["n_post"], model)
    return Network([inputs, neurons], [Projection(inputs, neurons, Uniform(0.0, p["w_max"]), pair_stdp(p))])


def balanced(p: dict) -> Network:
    """Excitatory and inhibitory neurons, with as many sources each as any other; the first projection is plastic."""
    model = LIF(p["tau_m"], p["E_L"], p["V_th"], p["V_reset"], p["refractory"], p["drive"])
    initial = {"v": Uniform(p["V_reset"], p["V_th"])}
    excitatory = Population("excitatory", p["n_excitatory"], model, initial=initial)
    inhibitory = Population("inhibitory", p["n_inhibitory"], model, initial=initial)
    sources = (
        (excitatory, p["from_excitatory"], p["weight"], "excitatory"),
        (inhibitory, p["from_inhibitory"], p["inhibition"], "inhibitory"),
    )
    projections = [
        Projection(
            source,
            target,
            weight,
            pair_stdp(p) if source is target is excitatory else None,
            connectivity=FixedInDegree(n, self_connections=0, seed=1),
            delay=p["delay"],
            receptor=receptor,
        )
        for source, n, weight, receptor in sources
        for target in (excitatory, inhibitory)
    ]
    return Network([excitatory, inhibitory], projections)


NETWORKS = {"kempter": kempter, "song": song, "balanced": balanced}


def graph(p: dict) -> dict[str, np.ndarray]:
    """Projection -> (2, n_synapses), both ends of each synapse, cells counted through both populations."""
    network = balanced(p)
    first = {"excitatory": 0, "inhibitory": p["n_excitatory"]}
    return {
        each.name: np.array([each.wiring.pre + first[each.source.name], each.wiring.post + first[each.target.name]])
        for each in network.projections
    }


class Simulator:
    """Compiled by a run of one step."""

    def __init__(self, settings: dict):
        self.seconds = settings["seconds"]
        self.how = {key: settings[key] for key in ("engine", "dt", "precision", "threads")}
        started = perf_counter()
        self.network = NETWORKS[settings["kind"]](settings["parameters"])
        simulate(self.network, settings["dt"], **self.how)
        self.built = {"version": hebbscope.__version__, "compile": perf_counter() - started}

    def run(self, seed: int) -> dict:
        """One run, through the Python door; what is timed begins with the first report of progress, which comes after next to no steps."""
        neurons = [each for each in self.network.populations if not each.is_input]
        times: list[tuple[float, float]] = []
        started = perf_counter()
        run = simulate(
            self.network,
            self.seconds,
            seeds=seed,
            record_every=self.seconds,
            record_spikes={each.name: (0.0, self.seconds) for each in neurons},
            progress=lambda t: times.append((perf_counter(), process_time())),
            **self.how,
        )
        wall, cpu = np.subtract(times[-1], times[0]).tolist()
        timed, memory = SimpleNamespace(wall=wall, cpu=cpu), peak_memory()
        rate = sum(len(run.spikes[each.name]) for each in neurons) / sum(each.n for each in neurons) / self.seconds
        return answer(timed, times[0][0] - started, memory, rate, run.final_weights)


if __name__ == "__main__":
    serve(Simulator)
