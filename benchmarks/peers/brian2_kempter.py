"""The kempter1999 network in Brian2, C++ standalone: built once, then run once for each line read from standard input.

Usage: python brian2_kempter.py FOLDER SECONDS. Prints one JSON object when the program is compiled and one for each run:
{"cpu": s of the simulation's process, "system": s of that in the operating system, "rate": Hz, "mean_weight", "separation"}. Runs in an environment with Brian2 alone.

The all-to-all window is carried by traces. Per synapse x, the presynaptic exponential of tau_syn, and p, driven by x, together
give the alpha function p = sum_f u exp(-u / tau_syn) with u = t - t_f: the causal lobe is kappa p. Two exponentials of the
postsynaptic spikes, fast and slow, give the other lobe. They are event-driven; only inputs and neuron are stepped at 0.1 ms.
"""

import json
import resource
import sys
from time import perf_counter

import brian2
import numpy as np
from brian2 import (
    Hz,
    Network,
    PoissonGroup,
    SpikeMonitor,
    Synapses,
    defaultclock,
    device,
    ms,
    prefs,
    second,
    set_device,
)
from brian2_poisson import linear_poisson

N, CONSTANT, INITIAL = 50, 25, 0.02
PARAMETERS = {
    "tau": 10 * ms,
    "tau_syn": 5 * ms,
    "tau_plus": 1 * ms,
    "tau_minus": 20 * ms,
    "kappa": 1 / (1 * ms) - 1 / (20 * ms),
    "eta": 1e-5,
    "w_in": 1.0,
    "w_out": -1.0475,
    "rate": 10 * Hz,
    "frequency": 40 * Hz,
}


def build():
    """The objects of the network: neuron, synapses, the counter of output spikes."""
    inputs = PoissonGroup(
        N, rates=f"rate + int(i >= {CONSTANT}) * rate * cos(2 * pi * frequency * t)", namespace=PARAMETERS
    )
    neuron = linear_poisson(PARAMETERS)
    synapses = Synapses(
        inputs,
        neuron,
        """w : 1
           dx/dt = -x / tau_syn : 1 (event-driven)
           dp/dt = x - p / tau_syn : second (event-driven)
           dfast/dt = -fast / tau_plus : 1 (event-driven)
           dslow/dt = -slow / tau_minus : 1 (event-driven)""",
        on_pre="""rising_post += w / tau
                  x += 1
                  w += eta * (w_in + fast - slow)""",
        on_post="""w += eta * (w_out + kappa * p)
                   fast += 1
                   slow += 1""",
        method="exact",
        namespace=PARAMETERS,
    )
    synapses.connect()
    synapses.w = INITIAL
    return inputs, neuron, synapses, SpikeMonitor(neuron, record=False)


def main():
    """Compile, then answer each line of standard input with one run."""
    folder, duration = sys.argv[1], float(sys.argv[2])
    set_device("cpp_standalone", directory=folder, build_on_run=False)
    prefs.logging.console_log_level = "ERROR"
    defaultclock.dt = 0.1 * ms
    inputs, neuron, synapses, counter = build()
    Network(inputs, neuron, synapses, counter).run(duration * second)
    started = perf_counter()
    device.build(directory=folder, run=False)
    print(json.dumps({"compile_seconds": perf_counter() - started, "version": brian2.__version__}), flush=True)
    for _ in sys.stdin:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        device.run(folder, with_output=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        weight = np.asarray(synapses.w)
        found = {
            "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            "system": after.ru_stime - before.ru_stime,
            "rate": int(counter.num_spikes) / duration,
            "mean_weight": float(weight.mean()),
            "separation": float(weight[CONSTANT:].mean() - weight[:CONSTANT].mean()),
        }
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
