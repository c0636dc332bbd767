"""What the benchmarks share: the network in any size, and the machine in words."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from hebbscope import Network, Population, Projection
from hebbscope.models import LinearPoisson, ModulatedPoisson
from hebbscope.rules import KempterWindow, SpikeHebb


def network(n_pre: int = 50, n_post: int = 1) -> Network:
    """kempter1999 with any number of inputs, half of them modulated, and of neurons.

    The weights at the fixed point of their mean are 1 / n_pre whatever the size; eta falls with them, so that one spike changes a
    weight by the same fraction, and the output rate stays at 10 Hz.
    """
    inputs = Population("inputs", n_pre, ModulatedPoisson(10.0, 10.0, 40.0, n_modulated=n_pre // 2))
    neurons = Population("neurons", n_post, LinearPoisson(tau=10e-3))
    rule = SpikeHebb(KempterWindow(), eta=1e-5 * 50 / n_pre, w_in=1.0, w_out=-1.0475)
    return Network([inputs, neurons], [Projection(inputs, neurons, weights=1.0 / n_pre, rule=rule)])


def machine(**more: str) -> dict[str, str | int]:
    """Processor, cores and versions, in words that name no particular machine."""
    model = platform.machine()
    cpu = Path("/proc/cpuinfo")
    if cpu.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in cpu.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    packages = {name: version(name) for name in ("hebbscope", "numpy", "numba")}
    return {"processor": model, "cores": os.cpu_count() or 1, "python": platform.python_version(), **packages, **more}
