"""The linear Poisson neuron in Brian2."""

from brian2 import NeuronGroup


def linear_poisson(namespace):
    """One neuron with an alpha EPSP, which a spike sets going by `rising_post += w / tau`; the namespace has tau."""
    return NeuronGroup(
        1,
        """du/dt = (rising - u) / tau : Hz
           drising/dt = -rising / tau : Hz""",
        threshold="rand() < u * dt",
        method="exact",
        namespace=namespace,
    )
