"""Runs that no simulation makes are refused when they are read, whoever changed the file."""

import h5py
import numpy as np
import pytest
from test_runfile import N_POST, N_PRE, N_TIMES, a_rate_run, a_run, path  # noqa: F401

from hebbscope.simulator.plausible import check_run
from hebbscope.simulator.protocols import HebbscopeError
from hebbscope.simulator.results import Spikes
from hebbscope.simulator.runfile import read


def of(run, **fields):
    for name, value in fields.items():
        setattr(run, name, value)
    return run


def with_theory(**theory):
    run = a_rate_run()
    return of(run, theory=run.theory | theory)


SPOILT = {
    "there is no level extra": of(a_run(), level="extra"),
    "weights must be numbers along 4 axes": of(a_run(), weights=np.zeros((3, 5, 2))),
    "output_rate has other axes than weights": of(a_run(), output_rate=np.zeros((3, 5, 7))),
    "weights of no synapse": of(a_run(), weights=np.zeros((3, 5, 2, 0)), groups=()),
    "seeds must be one for each run": of(a_run(), seeds=(1, 1, 2)),
    "times must be finite and in order": of(a_run(), time=np.zeros(N_TIMES)),
    "groups must name every input": of(a_run(), groups=("a",)),
    "the name of the projection must be text": of(a_run(), projection=3),
    "the inputs' shape must be that of all inputs": of(a_run(), shape=(1, 2, 3)),
    "spikes of inputs must be finite and in order": of(a_run(), spikes={"inputs": Spikes([2.0, 1.0], [0, 0])}),
    "spikes of inputs must be of cells 0 to 3": of(a_run(), spikes={"inputs": Spikes([1.0], [N_PRE])}),
    "spikes of neuron must be of cells 0 to 1": of(a_run(), spikes={"neuron": Spikes([1.0], [-1])}),
    "theory must hold weights_without_causal and output_rate_without_causal": of(
        a_rate_run(), theory={"weights_without_causal": np.zeros(3)}
    ),
    "theory must hold spread and spread_without_causal": of(
        a_rate_run(), theory={"spread_without_causal": np.zeros(N_TIMES)}
    ),
    "theory/spread must be numbers of shape": with_theory(spread=np.zeros(2), spread_without_causal=np.zeros(2)),
    "theory/each_output_rate_without_causal must be numbers of shape": with_theory(
        each_weights_without_causal=np.zeros((1, N_TIMES, N_POST, N_PRE)), each_output_rate_without_causal=np.zeros(2)
    ),
    "theory/weights_without_causal must be numbers": with_theory(weights_without_causal="x"),
}


@pytest.mark.parametrize("words", SPOILT)
def test_what_no_simulation_makes(words):
    with pytest.raises(ValueError, match=words):
        check_run(SPOILT[words])


def test_a_changed_file_is_refused_in_one_line(path):  # noqa: F811
    with h5py.File(path, "r+", locking=False) as file:
        file["spikes/inputs/node_ids"][3] = 2**41
    with pytest.raises(HebbscopeError, match=r"run.h5: damaged.* \(spikes of inputs must be of cells 0 to 3\)"):
        read(path)


def test_a_level_without_a_record_is_left_out(path):  # noqa: F811
    with h5py.File(path, "r+", locking=False) as file:
        file["levels/surrogate/time"].resize(0, axis=0)
    assert list(read(path)) == ["spike", "rate"]
