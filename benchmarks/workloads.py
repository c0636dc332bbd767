"""The networks on which simulators are compared, in numbers that every program is handed; all in SI units.

A     the linear Poisson neuron of Kempter et al. (1999) with a window of two exponentials: 50 Poisson inputs, half of them modulated
B     Song, Miller & Abbott (2000) with the numbers of Brian2's example: 1,000 Poisson inputs onto one conductance-based integrate-and-fire neuron
B100  the same inputs onto 100 such neurons
C     a balanced network after Brunel (2000): 8,000 excitatory and 2,000 inhibitory integrate-and-fire neurons with delta synapses, kept going by a
      constant drive; 800,000 plastic synapses among the excitatory

A synapse of C is reached by a spike of its source after the delay, by one of its target at once.
"""

from __future__ import annotations

from typing import NamedTuple

DT = 1e-4  # s

KEMPTER = {
    "n_pre": 50,
    "n_modulated": 25,
    "rate": 10.0,
    "amplitude": 10.0,
    "frequency": 10.0,
    "tau": 10e-3,  # of the alpha EPSP
    "weight": 0.019,
    "eta": 2e-5,
    "w_in": 1.0,
    "w_out": -1.0475,
    "A_plus": 1.0,
    "A_minus": 0.525,
    "tau_plus": 10e-3,
    "tau_minus": 20e-3,
    "w_max": 0.1,
}
SONG = {
    "n_pre": 1000,
    "n_post": 1,
    "rate": 15.0,
    "tau_m": 10e-3,
    "tau_ex": 5e-3,
    "E_L": -74e-3,
    "E_ex": 0.0,
    "V_th": -54e-3,
    "V_reset": -60e-3,
    "A_plus": 1e-4,
    "A_minus": 1.05e-4,
    "tau_plus": 20e-3,
    "tau_minus": 20e-3,
    "w_max": 0.01,  # in units of the leak; weights begin anywhere below
}
BALANCED = {
    "n_excitatory": 8000,
    "n_inhibitory": 2000,
    "from_excitatory": 100,  # synapses onto each cell
    "from_inhibitory": 25,
    "weight": 0.5e-3,  # V
    "inhibition": 4e-3,  # V
    "delay": 1.5e-3,
    "tau_m": 20e-3,
    "E_L": 0.0,
    "V_th": 20e-3,  # potentials begin anywhere between reset and threshold
    "V_reset": 0.0,
    "refractory": 2e-3,
    "drive": 22e-3,
    "A_plus": 5e-6,
    "A_minus": 5.25e-6,
    "tau_plus": 20e-3,
    "tau_minus": 20e-3,
    "w_max": 1e-3,
}


class Workload(NamedTuple):
    """kind: which of the networks; seconds: biological, of one run; unit: what mean weights are given in."""

    title: str
    kind: str
    parameters: dict[str, float]
    seconds: float
    unit: str


WORKLOADS = {
    "A": Workload("50 inputs, one linear Poisson neuron", "kempter", KEMPTER, 1000.0, "1"),
    "B": Workload("1,000 inputs, one conductance-based neuron", "song", SONG, 100.0, "w_max"),
    "B100": Workload("1,000 inputs, 100 conductance-based neurons", "song", SONG | {"n_post": 100}, 10.0, "w_max"),
    "C": Workload("10,000 neurons, 800,000 plastic synapses", "balanced", BALANCED, 10.0, "weight"),
}
