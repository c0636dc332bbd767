"""The networks of workloads.py in Brian2, C++ standalone; see answering.py for how it is run.

Built once, then run once for each line; each run draws its own seed. The program says itself what it took, since its process begins with building the network
and ends with writing files.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import brian2
import numpy as np
from answering import Timed, answer, serve
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    SpikeMonitor,
    Synapses,
    defaultclock,
    device,
    prefs,
    second,
    set_device,
    volt,
)
from brian2_poisson import linear_poisson

USAGE = "usage.json"
BEFORE = """
    rusage before_run; getrusage(RUSAGE_SELF, &before_run);
    auto wall_before_run = std::chrono::steady_clock::now();
"""
AFTER = """
    rusage after_run; getrusage(RUSAGE_SELF, &after_run);
    std::chrono::duration<double> wall_of_run = std::chrono::steady_clock::now() - wall_before_run;
    auto cpu_seconds = [](const rusage& used) {
        return used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1e-6 * (used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    };
    long peak = 0;
    std::string line;
    for (std::ifstream status("/proc/self/status"); std::getline(status, line);)
        if (line.rfind("VmHWM:", 0) == 0) peak = std::stol(line.substr(6));
    std::ofstream("FILE") << "{\\"cpu\\": " << cpu_seconds(after_run) - cpu_seconds(before_run) << ", \\"wall\\": " << wall_of_run.count()
        << ", \\"build\\": " << cpu_seconds(before_run) << ", \\"memory\\": " << peak / 1024.0 << "}";
"""
PAIR_STDP = """w : 1
               dbefore/dt = -before / tau_plus : 1 (event-driven)
               dafter/dt = -after / tau_minus : 1 (event-driven)"""
ON_PRE = """{port} += w
            before += A_plus
            w = clip(w - after, 0, w_max)"""
ON_POST = """after += A_minus
             w = clip(w + before, 0, w_max)"""


def times(p, *names):
    """Those of the parameters that are times."""
    return {name: p[name] * second for name in names}


def kempter(p, _):
    """Neurons, the plastic synapses, and all objects of the kind."""
    numbers = {name: p[name] for name in ("eta", "w_in", "w_out", "A_plus", "A_minus", "w_max")}
    numbers |= times(p, "tau", "tau_plus", "tau_minus") | {"n_constant": p["n_pre"] - p["n_modulated"]}
    numbers |= {name: p[name] * Hz for name in ("rate", "amplitude", "frequency")}
    rates = "rate + int(i >= n_constant) * amplitude * cos(2 * pi * frequency * t)"
    inputs = PoissonGroup(p["n_pre"], rates=rates, namespace=numbers)
    neuron = linear_poisson(numbers)
    synapses = Synapses(
        inputs,
        neuron,
        PAIR_STDP,
        on_pre="""rising_post += w / tau
                  before += A_plus
                  w = clip(w + eta * (w_in - after), 0, w_max)""",
        on_post="""after += A_minus
                   w = clip(w + eta * (w_out + before), 0, w_max)""",
        namespace=numbers,
    )
    synapses.connect()
    synapses.w = p["weight"]
    return neuron, synapses, [inputs, neuron, synapses]


def pair_stdp(source, target, p, port, **more):
    """Plastic synapses."""
    numbers = {name: p[name] for name in ("A_plus", "A_minus", "w_max")} | times(p, "tau_plus", "tau_minus")
    return Synapses(
        source, target, PAIR_STDP, on_pre=ON_PRE.format(port=port), on_post=ON_POST, namespace=numbers, **more
    )


def song(p, _):
    """As above."""
    numbers = times(p, "tau_m", "tau_ex") | {name: p[name] * volt for name in ("E_L", "E_ex", "V_th", "V_reset")}
    inputs = PoissonGroup(p["n_pre"], rates=p["rate"] * Hz)
    neurons = NeuronGroup(
        p["n_post"],
        """dv/dt = (E_L - v + g * (E_ex - v)) / tau_m : volt
           dg/dt = -g / tau_ex : 1""",
        threshold="v >= V_th",
        reset="v = V_reset",
        method="euler",
        namespace=numbers,
    )
    neurons.v = "V_reset"
    synapses = pair_stdp(inputs, neurons, p, "g_post")
    synapses.connect()
    synapses.w = "rand() * w_max"
    return neurons, synapses, [inputs, neurons, synapses]


def balanced(p, graph):
    """As above."""
    numbers = times(p, "tau_m") | {
        name: p[name] for name in ("E_L", "drive", "V_th", "V_reset", "weight", "inhibition")
    }
    neurons = NeuronGroup(
        p["n_excitatory"] + p["n_inhibitory"],
        "dv/dt = (E_L + drive - v) / tau_m : 1 (unless refractory)",
        threshold="v >= V_th",
        reset="v = V_reset",
        refractory=p["refractory"] * second,
        method="exact",
        namespace=numbers,
    )
    neurons.v = "V_reset + rand() * (V_th - V_reset)"
    first = {"excitatory": 0, "inhibitory": p["n_excitatory"]}
    parts = {"excitatory": neurons[: p["n_excitatory"]], "inhibitory": neurons[p["n_excitatory"] :]}
    amounts, delay = {"excitatory": "+= weight", "inhibitory": "-= inhibition"}, {"delay": p["delay"] * second}
    projections = {}
    for name, (pre, post) in graph.items():
        source, target = name.split("_to_")
        ends = parts[source], parts[target]
        if name == "excitatory_to_excitatory":
            synapses = pair_stdp(*ends, p, "v_post", **delay)
        else:
            synapses = Synapses(*ends, on_pre=f"v_post {amounts[source]}", namespace=numbers, **delay)
        synapses.connect(i=pre - first[source], j=post - first[target])
        projections[name] = synapses
    plastic = projections["excitatory_to_excitatory"]
    plastic.w = p["weight"]
    return neurons, plastic, [neurons, *projections.values()]


class Simulator:
    """Written as C++ and compiled; a run is a run of that program."""

    def __init__(self, settings):
        self.seconds, self.folder = settings["seconds"], str(Path(settings["folder"]).resolve())
        set_device("cpp_standalone", directory=self.folder, build_on_run=False)
        prefs.logging.console_log_level = "ERROR"
        prefs.codegen.cpp.headers = ["<sys/resource.h>", "<chrono>"]
        if settings["threads"] > 1:
            prefs.devices.cpp_standalone.openmp_threads = settings["threads"]
        defaultclock.dt = settings["dt"] * second
        graph = dict(np.load(settings["graph"])) if "graph" in settings else {}
        kind = {"kempter": kempter, "song": song, "balanced": balanced}[settings["kind"]]
        with Timed() as timed:
            self.neurons, self.synapses, objects = kind(settings["parameters"], graph)
            self.counter = SpikeMonitor(self.neurons, record=False)
            network = Network(objects, self.counter)
            device.insert_code("before_network_run", BEFORE)
            device.insert_code("after_network_run", AFTER.replace("FILE", f"{self.folder}/{USAGE}"))
            network.run(self.seconds * second)
            device.build(directory=self.folder, run=False)
        self.built = {"version": brian2.__version__, "compile": timed.wall}

    def run(self, seed):
        """One run; the seed is its own."""
        device.run(self.folder, with_output=False)
        timed = SimpleNamespace(**json.loads(Path(self.folder, USAGE).read_text()))
        rate = int(self.counter.num_spikes) / self.seconds / len(self.neurons)
        return answer(timed, timed.build, timed.memory, rate, np.asarray(self.synapses.w))


if __name__ == "__main__":
    serve(Simulator)
