"""The networks of workloads.py in NEST; see answering.py for how it is run.

Times are in ms here, potentials in mV. Three things are otherwise than in the other programs, and are so in the kernel that it is compared with:

- spikes of both sides that meet at a synapse in one step are no pair, where else they potentiate. One pair in two hundred, but potentiation and depression nearly
  cancel: of B the rate after 100 s is 20.0 Hz in a kernel that leaves them out, and 23.3 Hz in one that does not;
- a spike delivers the weight after its depression: 2.4 Hz less on B;
- delays are dendritic and of one step at least, so that a synapse is reached by a spike of its source at once and by one of its target after the delay: .3 Hz.

The linear Poisson neuron with an alpha EPSP, and rate terms of a rule, are none of its models.
"""

from time import perf_counter

import nest
import numpy as np
from answering import Timed, answer, peak_memory, serve

G_L = 10.0  # nS; weights are in units of it
SILENCE = 300.0  # ms, after which no trace is left


def milli(p, *names, **others):
    """Parameters in ms and mV, those of NEST's that are called otherwise by their names there."""
    return {theirs: 1e3 * p[ours] for theirs, ours in (dict(zip(names, names, strict=True)) | others).items()}


def song(p, dt, _):
    """The neurons, what NEST's weights are divided by, and what brings all to silence and lets every source of a plastic synapse spike."""
    neurons = nest.Create(
        "iaf_cond_exp",
        p["n_post"],
        milli(p, "E_L", "E_ex", "V_th", "V_reset", "tau_minus", V_m="V_reset", tau_syn_ex="tau_ex")
        | {"g_L": G_L, "C_m": G_L * 1e3 * p["tau_m"], "t_ref": 0.0},
    )
    generator = nest.Create("poisson_generator", 1, {"rate": p["rate"]})
    last = nest.Create("spike_generator")
    inputs = nest.Create("parrot_neuron", p["n_pre"])
    nest.Connect(generator + last, inputs, "all_to_all", {"delay": 1e3 * dt})
    top = G_L * p["w_max"]
    learn(p, top, p["w_max"])
    plastic = {"synapse_model": "plastic", "weight": nest.random.uniform(0.0, top), "delay": 1e3 * dt}
    nest.Connect(inputs, neurons, "all_to_all", plastic)

    def all_spike():
        last.spike_times = [nest.biological_time + 1.0]

    return neurons, G_L, lambda: generator.set(rate=0.0), all_spike


def balanced(p, dt, graph):
    """As above."""
    n = p["n_excitatory"] + p["n_inhibitory"]
    neurons = nest.Create(
        "iaf_psc_delta",
        n,
        milli(p, "tau_m", "E_L", "V_th", "V_reset", "tau_minus", C_m="tau_m", I_e="drive", t_ref="refractory"),
    )
    neurons.V_m = nest.random.uniform(1e3 * p["V_reset"], 1e3 * p["V_th"])
    learn(p, 1e3 * p["w_max"], p["w_max"])
    excitation, inhibition, delay = 1e3 * p["weight"], -1e3 * p["inhibition"], 1e3 * p["delay"]
    model = {"excitatory_to_excitatory": "plastic"}
    for name, (pre, post) in graph.items():
        weight = excitation if name.startswith("excitatory") else inhibition
        synapses = {"synapse_model": model.get(name, "static_synapse"), "weight": np.full(len(pre), weight)}
        synapses["delay"] = np.full(len(pre), delay)
        nest.Connect(pre + 1, post + 1, "one_to_one", synapses)
    excitatory = neurons[: p["n_excitatory"]]
    return neurons, 1e3, lambda: neurons.set(I_e=0.0), lambda: excitatory.set(V_m=1e3 * p["V_th"] + 1.0)


def learn(p, top, w_max):
    """Additive pair STDP, all-to-all; `top` is w_max in the unit of NEST's weights."""
    # A synapse learns when its source spikes, so that weights are as of then until all sources have spiked once more, see Simulator.run.
    rule = {"lambda": p["A_plus"] / w_max, "alpha": p["A_minus"] / p["A_plus"], "tau_plus": 1e3 * p["tau_plus"]}
    nest.CopyModel("stdp_synapse_hom", "plastic", rule | {"mu_plus": 0.0, "mu_minus": 0.0, "Wmax": top})


class Simulator:
    """Nothing to compile; each run is built anew."""

    def __init__(self, settings):
        nest.verbosity = nest.VerbosityLevel.ERROR
        self.settings, self.kind = settings, {"song": song, "balanced": balanced}[settings["kind"]]
        self.graph = dict(np.load(settings["graph"])) if "graph" in settings else {}
        self.built = {"version": nest.__version__, "compile": 0.0}

    def run(self, seed):
        """One run."""
        seconds, dt = self.settings["seconds"], self.settings["dt"]
        nest.ResetKernel()
        nest.set(resolution=1e3 * dt, local_num_threads=self.settings["threads"], rng_seed=seed + 1)
        started = perf_counter()
        neurons, scale, silence, all_spike = self.kind(self.settings["parameters"], dt, self.graph)
        recorder = nest.Create("spike_recorder")
        nest.Connect(neurons, recorder)
        nest.Prepare()
        build = perf_counter() - started
        with Timed() as timed:
            nest.Run(1e3 * seconds)
        nest.Cleanup()
        memory = peak_memory()  # what follows is for the check alone
        count = recorder.n_events
        silence()
        nest.Simulate(SILENCE)
        all_spike()
        nest.Simulate(10.0)
        weights = np.asarray(nest.GetConnections(synapse_model="plastic").weight) / scale
        return answer(timed, build, memory, count / seconds / len(neurons), weights)


if __name__ == "__main__":
    serve(Simulator)
