"""The networks of workloads.py in ANNarchy; see answering.py for how it is run.

Times are in ms here, potentials of integrate-and-fire cells in mV. Compiled once; each run goes on where the last one stopped, with weights and potentials
set anew, as they were at the start of the first: what is left of traces and conductances is gone within the first hundredth of a run.
"""

import math
from importlib.metadata import version
from pathlib import Path

import ANNarchy as ann
import numpy as np
from answering import Timed, answer, peak_memory, serve
from scipy.sparse import csr_matrix

TRACES = """
    dbefore/dt = -before / tau_plus : event-driven
    dafter/dt = -after / tau_minus : event-driven
"""


def rule(p, dt, on_pre, on_post, w_max, **more):
    """A synapse with the traces of a pair rule, and what its spikes do to w.

    At a spike of the source ANNarchy lets traces decay up to the step before, and has them counted from the step that it is: `left` makes up for that.
    """
    numbers = {"tau_plus": 1e3 * p["tau_plus"], "tau_minus": 1e3 * p["tau_minus"], "w_max": w_max, **more}
    numbers |= {"left_plus": math.exp(-dt / p["tau_plus"]), "left_minus": math.exp(-dt / p["tau_minus"])}
    return ann.Synapse(
        parameters="\n".join(f"{name} = {value!r} : projection" for name, value in numbers.items()),
        equations=TRACES,
        pre_spike=f"""
            g_target += w
            before = before * left_plus + A_plus
            after = after * left_minus
            w = clip(w {on_pre}, 0.0, w_max)
        """,
        post_spike=f"""
            after += A_minus
            w = clip(w {on_post}, 0.0, w_max)
        """,
    )


class Kempter:
    """Each kind has neurons, the plastic synapses, the scale of their weights, and how weights and potentials begin."""

    scale = 1.0

    def __init__(self, network, p, dt, _):
        amplitude = np.where(np.arange(p["n_pre"]) < p["n_pre"] - p["n_modulated"], 0.0, p["amplitude"])
        train = ann.Neuron(
            parameters=f"rate = {p['rate']!r}\namplitude = 0.0\nfrequency = {p['frequency']!r}",
            equations="""
                chance = Uniform(0.0, 1.0)
                intensity = rate + amplitude * cos(2.0 * pi * frequency * t / 1000.0)
            """,
            spike="chance * 1000.0 < intensity * dt",
            reset="",
        )
        decay = math.exp(-dt / p["tau"])
        poisson = ann.Neuron(
            parameters=f"decay = {decay!r}\ntau = {1e3 * p['tau']!r}",
            equations="""
                psp = (psp + (rising + g_exc) * dt / tau) * decay
                rising = (rising + g_exc) * decay
                chance = Uniform(0.0, 1.0)
            """,
            spike="chance * tau < psp * dt",
            reset="",
        )
        inputs = network.create(p["n_pre"], train)
        inputs.amplitude = amplitude
        self.neurons, self.weight = network.create(1, poisson), p["weight"]
        names = ("A_plus", "A_minus", "eta", "w_in", "w_out")
        learning = rule(
            p, dt, "+ eta * (w_in - after)", "+ eta * (w_out + before)", p["w_max"], **{name: p[name] for name in names}
        )
        self.synapses = network.connect(inputs, self.neurons, "exc", learning)
        self.synapses.all_to_all(weights=self.weight)

    def begin(self, generator):
        self.synapses.w = self.weight


def pair_stdp(p, dt, scale):
    """Additive pair STDP."""
    amounts = {"A_plus": scale * p["A_plus"], "A_minus": scale * p["A_minus"]}
    return rule(p, dt, "- after", "+ before", scale * p["w_max"], **amounts)


class Song:
    """As above."""

    scale = 1.0

    def __init__(self, network, p, dt, _):
        numbers = {name: 1e3 * p[name] for name in ("tau_m", "tau_ex", "E_L", "E_ex", "V_th", "V_reset")}
        model = ann.Neuron(
            parameters="\n".join(f"{name} = {value!r}" for name, value in numbers.items()),
            equations="""
                dv/dt = (E_L - v + g_exc * (E_ex - v)) / tau_m
                dg_exc/dt = -g_exc / tau_ex
            """,
            spike="v >= V_th",
            reset="v = V_reset",
        )
        self.p = p
        inputs = network.create(ann.PoissonPopulation(p["n_pre"], rates=p["rate"]))
        self.neurons = network.create(p["n_post"], model)
        self.synapses = network.connect(inputs, self.neurons, "exc", pair_stdp(p, dt, 1.0))
        self.synapses.all_to_all(weights=ann.Uniform(0.0, p["w_max"]))

    def begin(self, generator):
        self.neurons.v = 1e3 * self.p["V_reset"]
        self.synapses.w = generator.uniform(0.0, self.p["w_max"], (self.p["n_post"], self.p["n_pre"])).tolist()


class Balanced:
    """As above."""

    scale = 1e3

    def __init__(self, network, p, dt, graph):
        numbers = {name: 1e3 * p[name] for name in ("tau_m", "V_th", "V_reset")}
        numbers["rest"] = 1e3 * (p["E_L"] + p["drive"])
        numbers["left"] = math.exp(-dt / p["tau_m"])
        model = ann.Neuron(
            parameters="\n".join(f"{name} = {value!r}" for name, value in numbers.items()),
            equations="v = rest + (v + g_exc - g_inh - rest) * left",
            spike="v >= V_th",
            reset="v = V_reset",
            refractory=1e3 * p["refractory"],
        )
        self.p, n = p, p["n_excitatory"] + p["n_inhibitory"]
        self.neurons = network.create(n, model)
        first = {"excitatory": 0, "inhibitory": p["n_excitatory"]}
        parts = {"excitatory": self.neurons[: p["n_excitatory"]], "inhibitory": self.neurons[p["n_excitatory"] :]}
        ports = {"excitatory": ("exc", 1e3 * p["weight"]), "inhibitory": ("inh", 1e3 * p["inhibition"])}
        for name, (pre, post) in graph.items():
            source, target = name.split("_to_")
            port, weight = ports[source]
            learning = pair_stdp(p, dt, 1e3) if name == "excitatory_to_excitatory" else None
            synapses = network.connect(parts[source], parts[target], port, learning)
            ends = (pre - first[source], post - first[target])
            shape = (parts[source].size, parts[target].size)
            joined = csr_matrix((np.full(len(pre), weight), ends), shape=shape)
            synapses.from_sparse(joined, delays=1e3 * p["delay"])
            if learning is not None:
                self.synapses = synapses

    def begin(self, generator):
        self.neurons.v = generator.uniform(1e3 * self.p["V_reset"], 1e3 * self.p["V_th"], self.neurons.size)
        self.synapses.w = 1e3 * self.p["weight"]


class Simulator:
    """Compiled in the folder; see above for its runs."""

    def __init__(self, settings):
        self.seconds = settings["seconds"]
        network = ann.Network(dt=1e3 * settings["dt"], seed=1)
        network.config(num_threads=settings["threads"])
        graph = dict(np.load(settings["graph"])) if "graph" in settings else {}
        kind = {"kempter": Kempter, "song": Song, "balanced": Balanced}[settings["kind"]]
        with Timed() as timed:
            self.kind = kind(network, settings["parameters"], settings["dt"], graph)
            self.monitor = network.monitor(self.kind.neurons, "spike")
            network.compile(directory=str(Path(settings["folder"], "annarchy")), silent=True)
        self.network, self.built = network, {"version": version("ANNarchy"), "compile": timed.wall}

    def run(self, seed):
        """One run."""
        with Timed() as set_up:
            self.kind.begin(np.random.default_rng(seed))
            self.monitor.get("spike")
        with Timed() as timed:
            self.network.simulate(1e3 * self.seconds)
        memory = peak_memory()  # what follows is for the check alone
        count = sum(len(times) for times in self.monitor.get("spike").values())
        weights = np.concatenate([np.asarray(row, dtype=float) for row in self.kind.synapses.w]) / self.kind.scale
        return answer(timed, set_up.wall, memory, count / self.seconds / self.kind.neurons.size, weights)


if __name__ == "__main__":
    serve(Simulator)
