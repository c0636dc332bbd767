"""Any network as a file: what Python can say is written, read back to the same network, changed by dotted keys, and refused with line and key."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

import hebbscope
from hebbscope import HebbscopeError, Network, Population, Projection, simulate
from hebbscope.models import (
    CommonSourcePoisson,
    Direct,
    ExponentialPoisson,
    FixedInDegree,
    FixedOutDegree,
    GaussianArbor,
    HomogeneousPoisson,
    LinearPoisson,
    LogNormal,
    ModulatedPoisson,
    Normal,
    OneToOne,
    Pairwise,
    PatternPoisson,
    PushPull,
    RecordedSpikes,
    Uniform,
)
from hebbscope.models.experiments import KINDS, from_network, load, loads, to_toml
from hebbscope.models.experiments.description import DescriptionError
from hebbscope.rules import L1, PairSTDP, SlidingThreshold, SpikeHebb, TabulatedWindow, Triplet
from hebbscope.simulator.describe import fields
from hebbscope.simulator.protocols import is_part

RNG = np.random.default_rng(1)


def everything() -> Network:
    """Every kind of part and of array, several projections between the same populations, and populations with groups and shapes."""
    x = Population("x", 60, ModulatedPoisson(n_modulated=20), groups={"one": 40, "two two": 20})
    y = Population("y-2", 4, HomogeneousPoisson(RNG.uniform(1, 20, 4)), groups={"a.b": 1, "type": 3})
    z = Population("z", 3, RecordedSpikes([0.1, 0.25, 0.3], [0, 2, 2], 0.5, loop=1))
    p = Population("p", 3, PatternPoisson(RNG.uniform(0, 40, (5, 3))))
    e = Population("e", 40, LinearPoisson(tau=7e-3), shape=(5, 8))
    i = Population("i", 10, ExponentialPoisson(), groups=["a", "b"] * 5)
    c = Population("c", 40, LinearPoisson(base_rate=3.0), shape=(2, 20))
    sparse = scipy.sparse.random(40, 60, 0.2, random_state=2)
    window = TabulatedWindow([-0.01, 0.0, 0.01], [0, 1, 0])
    projections = [
        Projection(x, e, sparse, SpikeHebb(window, w_min=-1.0), delay=RNG.uniform(0, 1e-3, sparse.nnz)),
        Projection(y, e, RNG.uniform(size=4), Triplet(threshold=SlidingThreshold())),
        Projection(z, e, -0.1, transmission=Direct(0.5)),
        Projection(p, e, Uniform(0.1, 0.2), connectivity=FixedOutDegree(3)),
        Projection(e, e, LogNormal(), connectivity=GaussianArbor(1.5, n=4, self_connections=0, seed=3), name="ee"),
        Projection(e, e, Normal(), PairSTDP(), connectivity=Pairwise(0.1, seed=4), dendritic_delay=2e-3, name="ee2"),
        Projection(e, i, RNG.uniform(size=(10, 40)), normalisation=L1(norm=2.0), transmission=PushPull()),
        Projection(i, e, 0.3, connectivity=FixedInDegree(4), dendritic_delay=RNG.uniform(0, 1e-3, 160)),
        Projection(c, c, RNG.uniform(size=40), PairSTDP(), connectivity=OneToOne(1), delay=1e-3),
    ]
    return Network([x, y, z, p, e, i, c], projections, name="everything")


def same(one, other) -> bool:
    """Whether two parts, or numbers, are the same to the last bit, arrays and types with them."""
    if is_part(one):
        return type(one) is type(other) and all(
            same(a.value, b.value) for a, b in zip(fields(one), fields(other), strict=True)
        )
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return type(one) is type(other) and one == other


def assert_same_network(one: Network, other: Network) -> None:
    assert one.name == other.name
    for a, b in zip(one.populations, other.populations, strict=True):
        assert (a.name, a.n, a.groups, a.shape) == (b.name, b.n, b.groups, b.shape) and same(a.model, b.model)
    for a, b in zip(one.projections, other.projections, strict=True):
        ends = [(each.name, each.source.name, each.target.name, each.receptor) for each in (a, b)]
        assert ends[0] == ends[1] and a.is_dense == b.is_dense
        for field in ("weights", "rule", "connectivity", "normalisation", "transmission", "delay", "dendritic_delay"):
            assert same(getattr(a, field), getattr(b, field)), f"{a.name}.{field}"
        assert same(a.wiring, b.wiring)
        for seed in (1, 2):
            assert same(a.initial_values(seed), b.initial_values(seed))


@pytest.mark.parametrize("comments", [False, True])
def test_a_network_is_written_and_read_back_to_the_last_bit(comments):
    network = everything()
    described = from_network(network, duration=3.0, record_every=0.5, dt=2e-4, engine="clock")
    text = to_toml(described, comments)
    again = loads(text)
    assert to_toml(again, comments) == text
    assert (again.duration, again.record_every, again.dt, again.engine) == (3.0, 0.5, 2e-4, "clock")
    assert_same_network(network, again.network())


SOURCES = st.sampled_from([HomogeneousPoisson(5.0), CommonSourcePoisson(c=0.3, n_correlated=3), ModulatedPoisson()])
SEEDS, DEGREES = st.integers(0, 2**40), st.integers(1, 6)
WIRINGS = st.one_of(
    st.tuples(DEGREES, st.integers(0, 1), SEEDS).map(lambda fields: FixedInDegree(*fields)),
    st.tuples(DEGREES, st.integers(0, 1), SEEDS).map(lambda fields: FixedOutDegree(*fields)),
    st.tuples(st.floats(0.1, 20.0), st.just(1.0), DEGREES).map(lambda fields: GaussianArbor(*fields)),
    st.integers(-9, 9).map(OneToOne),
)
RULES = st.one_of(
    st.none(),
    st.tuples(st.floats(0.0, 1e-2), st.floats(0.0, 1e-2), st.floats(1e-4, 1.0)).map(lambda fields: PairSTDP(*fields)),
)
DELAYS = st.floats(0.0, 0.1)


@settings(max_examples=30, deadline=None)
@given(SOURCES, WIRINGS, RULES, DELAYS, DELAYS, st.floats(0.0, 0.5))
def test_any_network_is_written_and_read_back(model, wiring, rule, delay, dendrite, high):
    ends = Population("inputs", 7, model), Population("neurons", 7, LinearPoisson())
    options = {"connectivity": wiring, "delay": delay, "dendritic_delay": dendrite}
    network = Network([*ends], [Projection(*ends, Uniform(0.0, high), rule, **options)])
    assert_same_network(network, loads(to_toml(from_network(network))).network())


def test_a_network_from_a_file_runs_as_the_one_in_python():
    source, target = Population("inputs", 20, HomogeneousPoisson(20.0)), Population("neurons", 2, LinearPoisson())
    network = Network([source, target], [Projection(source, target, Uniform(0.0, 0.2), PairSTDP(w_max=0.3), name="in")])
    runs = [simulate(each, 5.0, seeds=[3]) for each in (network, loads(to_toml(from_network(network))).network())]
    assert (runs[0].final_weights == runs[1].final_weights).all() and (
        runs[0].weights[:, 0] != runs[0].final_weights
    ).any()


def test_the_network_of_the_documentation_is_the_same_in_python_and_as_a_file():
    page = (Path(hebbscope.__file__).parent / "docs" / "networks.md").read_text(encoding="utf-8")
    described, bombarded, printed = re.findall(r"```python\n(.*?)```", page, re.S)
    names: dict = {}
    exec(described + printed + bombarded, names)
    file = loads(re.search(r"```toml\n(.*?)```", page, re.S)[1]).network()
    assert_same_network(file, names["network"])


def test_the_wiring_of_a_description_is_drawn_once():
    described = loads(to_toml(from_network(everything())))
    assert described.network() is described.network()


def test_a_part_that_is_in_no_file_is_not_written():
    source, target = Population("inputs", 3, HomogeneousPoisson()), Population("neurons", 2, LinearPoisson())
    namesake = type("TabulatedWindow", (TabulatedWindow,), {})  # of a user's own, called as one of hebbscope's
    window = namesake(np.array([-0.01, 0.01]), np.array([1.0, -1.0]))
    rule = SpikeHebb(window=window)
    with pytest.raises(
        DescriptionError, match=r"^projections\.in\.rule\.window: is a part that no file has by its name"
    ):
        from_network(Network([source, target], [Projection(source, target, 0.1, rule, name="in")]))


# Files that a user writes -------------------------------------------------------------------------------------------

BALANCED = """experiment = "network"
duration = "2 s"

[populations.noise]
n = 20
model = {type = "HomogeneousPoisson", rate = "10 Hz"}

[populations.cells]
n = 30
model = "LIF"

[projections.in]
source = "noise"
target = "cells"
weights = {type = "Uniform", high = 0.5}
connectivity = {type = "FixedInDegree", n = 5, seed = 3}
delay = "1.5 ms"

[projections.ee]
source = "cells"
target = "cells"
weights = 0.2
rule = {type = "PairSTDP", A_plus = 5e-3}
connectivity = {type = "Pairwise", probability = 0.2, self_connections = 0}

[projections.back]
source = "cells"
target = "cells"
weights = {type = "Normal"}
receptor = "inhibitory"
"""


@pytest.fixture(autouse=True)
def clocked(monkeypatch, request):
    """Files with LIF neurons: what has a stepper is a neuron."""
    if "BALANCED" in request.function.__code__.co_names:
        monkeypatch.setitem(KINDS, "neuron", "stepper")


def test_a_file_is_written_as_it_was_read():
    text = to_toml(loads(BALANCED))
    assert to_toml(loads(text)) == text
    assert_same_network(loads(text).network(), loads(BALANCED).network())
    assert loads(text).network().projections[2].receptor == "inhibitory"


def test_a_file_names_what_it_wants_and_leaves_the_rest():
    described = loads(BALANCED)
    network = described.network()
    assert [each.name for each in network.populations] == ["noise", "cells"]
    assert [each.name for each in network.projections] == ["in", "ee", "back"]
    assert network.projections[0].delay == 1.5e-3 and network.projections[0].connectivity == FixedInDegree(5, seed=3)
    assert network.projections[1].rule == PairSTDP(A_plus=5e-3) and described.dt == 1e-4
    assert described == loads(BALANCED) and described != loads(BALANCED.replace("seed = 3", "seed = 4"))


def test_settings_reach_into_populations_and_projections():
    changes = [
        ("projections.ee.rule.A_plus", "0.01"),
        ("populations.cells.n", "40"),
        ("populations.cells.shape", "[5, 8]"),
        ("populations.noise.groups.left", "5"),
        ("populations.noise.groups.right", "15"),
        ("projections.in.connectivity", "GaussianArbor"),
        ("projections.in.connectivity.n", "6"),
        ("projections.in.weights", "0.25"),
        ("populations.noise.shape", "[4, 5]"),
    ]
    network = loads(BALANCED, settings=changes).network()
    assert network.projections[1].rule == PairSTDP(A_plus=0.01)
    assert network.populations[1].shape == (5, 8) and network.populations[0].groups == ("left",) * 5 + ("right",) * 15
    assert network.projections[0].connectivity == GaussianArbor(n=6) and network.projections[0].weights == 0.25


def test_the_example_is_changed_by_its_name():
    changed = load("network", [("populations.neurons.n", 3), ("projections.forward.rule.eta", 0.5)])
    assert changed.network().neuron.n == 3 and changed.network().projection.rule.eta == 0.5
    assert changed.network().projection.rule.w_max == load("network").network().projection.rule.w_max == 0.02


BAD = [
    ('weights = {type = "Normal"}', "weights = -0.2", "line 29: projections.back.weights: must be >= 0 onto LIF, whose receptors say the sign"),
    ("weights = 0.2", "weights = {low = 0.1}", "line 22: projections.ee.weights: needs a type, one of LogNormal, Normal, Uniform"),
    ("weights = 0.2", 'weights = "Unifrm"', "line 22: projections.ee.weights: no part is called 'Unifrm'; did you mean Uniform?"),
    ("weights = 0.2", 'weights = "2 ms"', "line 22: projections.ee.weights: must be a plain number without a unit"),
    ("weights = 0.2", "weihgts = 0.2", "line 22: projections.ee.weihgts: unknown key; did you mean projections.ee.weights?"),
    ("probability = 0.2", "probability = 1.2", "line 24: projections.ee.connectivity.probability: must be in [0, 1], got 1.2"),
    ("n = 5, seed", "n = 25, seed", "line 16: projections.in.connectivity.n: must be at most 20, the sources"),
    ('delay = "1.5 ms"', 'delay = "-1 ms"', "line 17: projections.in.delay: must be finite and >= 0 s, got -0.001"),
    ('delay = "1.5 ms"', "delay = [0.1, 0.2]", "line 17: projections.in.delay: must be a number, or 150 numbers"),
    ('delay = "1.5 ms"', 'receptor = "inhibitry"', "line 17: projections.in.receptor: must be excitatory or inhibitory; did you mean inhibitory?"),
    ('source = "noise"', 'source = "nois"', "line 13: projections.in.source: no population is called 'nois'; did you mean noise?"),
    ('target = "cells"\nweights = 0.2', 'target = "noise"\nweights = 0.2', "line 21: projections.ee.target: must be neurons"),
    ('rate = "10 Hz"', 'rate = "10 ms"', "line 6: populations.noise.model.rate: must be in Hz"),
    ('rate = "10 Hz"', "rate = -1", "line 6: populations.noise.model.rate: must be >= 0 Hz, got -1"),
    ('rate = "10 Hz"', "rate = 1e9", "line 6: populations.noise.model: must fire at no more than 100000 Hz a cell"),
    ('model = "LIF"', 'model = "LIFF"', "line 10: populations.cells.model: no part is called 'LIFF'; did you mean LIF?"),
    ('model = "LIF"', 'model = "PairSTDP"', "line 10: populations.cells.model: no part is called 'PairSTDP'"),
    ('model = "LIF"', "", "line 8: populations.cells.model: must be an input or neuron part, got None"),
    ("n = 30", "n = 0", "line 9: populations.cells.n: must be a whole number >= 1, got 0"),
    ("n = 30", "n = 30\ngroups = {a = 1}", "line 10: populations.cells.groups: must name n = 30 cells, got '1 names'"),
    ("[projections.in]", '[projections."a b"]', "line 12: projections.a b: must be a word of letters, digits, - and _"),
    ('duration = "2 s"', 'duration = "2 s"\nengine = "fast"', "line 3: engine: must be 'auto', 'event' or 'clock', got 'fast'"),
    ('duration = "2 s"', 'duration = "2 s"\ndt = 0', "line 3: dt: must be finite and > 0 s, got 0"),
    ('duration = "2 s"', 'duration = "2 s"\nlabel = "a b"', "line 3: label: must be a word of letters"),
    (BALANCED[BALANCED.index("[projections.in]") :], "[projections]", "projections: must be at least one"),
    (BALANCED[BALANCED.index("[projections.in]") :], "[projections]\nin = 3", "projections.in: must be a table"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), BAD)
def test_a_file_that_is_wrong_says_line_and_key(old, new, words):
    assert BALANCED.count(old) == 1
    with pytest.raises(HebbscopeError) as caught:
        loads(BALANCED.replace(old, new), "mine.toml")
    assert str(caught.value).startswith("mine.toml") and words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "key, value, words",
    [
        ("populations.cels.model", "LIF", "populations.cels: there is no such population (a new one is one that a projection joins)"),
        ("populations.neuron.n", 3, "populations.neuron: there is no such population; did you mean neurons?"),
        ("projections.froward.delay", "1 ms", "projections.froward: there is no such projection; did you mean forward?"),
        ("projections.loop.source", "inputs", "projections.loop: there is no such projection (a new one has a source and a target)"),
        ("projections", "3", "projections: must have a table for each name, got '3'"),
    ],
)  # fmt: skip
def test_a_name_that_only_settings_have_is_taken_for_a_slip(key, value, words):
    with pytest.raises(DescriptionError) as caught:
        load("network", [(key, value)])
    assert str(caught.value) == words
    with pytest.raises(DescriptionError, match=re.escape(words)):
        loads(to_toml(load("network")), settings=[(key, value)])


def test_settings_may_add_a_projection_and_what_it_joins():
    settings = [
        ("populations.more.model", "LIF"),
        ("projections.x.source", "neurons"),
        ("projections.x.target", "more"),
    ]
    network = load("network", settings).network()
    assert [each.name for each in network.populations] == ["inputs", "neurons", "more"]
    assert [each.name for each in network.projections] == ["forward", "x"]
