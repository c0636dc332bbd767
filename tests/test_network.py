"""The description of a network: what is wrong is said in one line that names it, before anything compiles."""

from typing import NamedTuple

import brian2
import numpy as np
import pytest

from hebbscope import HebbscopeError, Network, ParameterError, Population, Projection, reduce, simulate
from hebbscope.models import (
    CommonSourcePoisson,
    HomogeneousPoisson,
    LinearPoisson,
    ModulatedPoisson,
    PatternPoisson,
    RecordedSpikes,
)
from hebbscope.rules import L2, KempterWindow, SpikeHebb, TabulatedWindow, Triplet
from hebbscope.simulator import event
from hebbscope.simulator.dispatch import expose
from hebbscope.simulator.synapses import synapses


def network(
    inputs=HomogeneousPoisson(20.0), neuron=LinearPoisson(), rule=SpikeHebb(), weights=0.1, n_post=1, **options
):
    source, target = Population("inputs", 4, inputs), Population("neuron", n_post, neuron)
    return Network([source, target], [Projection(source, target, weights, rule, **options)])


class State(NamedTuple):
    count: np.ndarray


class Own(NamedTuple):
    """A rule of a user's own that does everything right."""

    step: float = 1e-3

    def check(self):
        pass

    def init(self, n_pre, n_post):
        return State(np.zeros(1))

    def on_pre(self, state, w, j, t):
        pass

    def on_post(self, state, w, i, t):
        for n in range(w.n_in(i)):
            w.value[w.into(i, n)] += self.step


class Swapped(Own):
    def on_pre(self, state, w, t, j):
        pass


class Renamed(Own):
    def on_post(self, state, weights, post, time):
        pass


class WithoutInit(NamedTuple):
    step: float = 1e-3

    def check(self):
        pass

    def on_pre(self, state, w, j, t):
        pass

    def on_post(self, state, w, i, t):
        pass


class WithoutPost(NamedTuple):
    def check(self):
        pass

    def init(self, n_pre, n_post):
        return State(np.zeros(1))

    def on_pre(self, state, w, j, t):
        pass


class Row(NamedTuple):
    """Draws a row where a matrix is asked for."""

    level: float = 0.1

    def draw(self, generator, n_post, n_pre):
        return np.full(n_pre, self.level)


@pytest.mark.parametrize(
    "describe, words",
    [
        (lambda: network(neuron=LinearPoisson(tau="0.01")), "LinearPoisson.tau: must be a number, got '0.01'"),
        (lambda: network(neuron=LinearPoisson(tau=[0.01])), "LinearPoisson.tau: must be a number, got"),
        (lambda: network(neuron=LinearPoisson(tau=None)), "LinearPoisson.tau: must be a number, got None"),
        (lambda: network(neuron=LinearPoisson(tau=0.01 + 0j)), "LinearPoisson.tau: must be a number"),
        (lambda: network(rule=SpikeHebb(eta=np.full(4, 1e-5))), "SpikeHebb.eta: must be a number"),
        (lambda: network(ModulatedPoisson(n_modulated=2.7)), "ModulatedPoisson.n_modulated: must be a whole number"),
        (lambda: network(ModulatedPoisson(n_modulated=np.inf)), "ModulatedPoisson.n_modulated: must be a whole number"),
        (lambda: network(CommonSourcePoisson(c=[0.1] * 4)), "CommonSourcePoisson.c: must be a number"),
        (lambda: network(HomogeneousPoisson("fast")), "HomogeneousPoisson.rate: must be a number, an array or a part"),
        (lambda: network(HomogeneousPoisson([1, 2])), "HomogeneousPoisson.rate: must be a number or an array of 4"),
        (lambda: network(LinearPoisson), "LinearPoisson.class: must be an instance"),
        (lambda: network(rule=SpikeHebb), "SpikeHebb.class: must be an instance"),
        (lambda: network(rule=KempterWindow()), "rule: must be a learning rule"),
        (lambda: network(rule=SpikeHebb(window=Own())), "SpikeHebb.window: must be a learning window"),
        (lambda: network(normalisation=None), "NoneType.class: must be an instance of a normalisation part"),
        (lambda: network(normalisation=SpikeHebb()), "SpikeHebb.normalise: must be a method normalise"),
        (lambda: network(transmission=L2()), "L2.effective: must be a method"),
        (lambda: network(rule=Swapped()), r"on_pre\(self, state, w, j, t\), as of every rule, got 'on_pre\(self, state, w, t, j"),
        (lambda: network(rule=Renamed()), r"Renamed.on_post: must be a method on_post\(self, state, w, i, t\)"),
        (lambda: network(rule=WithoutInit()), "WithoutInit.init: must be a method"),
        (lambda: network(rule=WithoutPost()), "WithoutPost.on_post: must be a method"),
        (lambda: network(weights="abc"), "weights: must be numbers"),
        (lambda: network(weights=[[1, 2], [3]]), "weights: must be numbers"),
        (lambda: network(weights=1 * brian2.mV), "weights: must be numbers"),
        (lambda: network(weights=[0.1, 0.2, 0.9, 0.3], rule=SpikeHebb(w_max=0.5)), r"weights: must start within \[w_min, w_max\] = \[-inf, 0.5\], got 0.9"),
        (lambda: network(weights=[0.1, 0.2, 0.9, 0.3], rule=SpikeHebb(w_min=0.2)), r"weights: must start within \[w_min, w_max\] = \[0.2, inf\], got 0.1"),
        (lambda: simulate(network(weights=Row(), n_post=3), 1.0), "weights: must be drawn as 3 x 4"),
        (lambda: Population("a", 3, HomogeneousPoisson(), groups={"a": 1.5, "b": 1.5}), "groups: must give whole"),
        (lambda: Population("a", 2, HomogeneousPoisson(), groups={"a": 3, "b": -1}), "groups: must give whole"),
        (lambda: Population("a", 3, HomogeneousPoisson(), groups=3), "groups: must be {name: size}"),
        (lambda: Population("a", 4, HomogeneousPoisson(), shape=("x", 2)), "shape: must be whole numbers"),
        (lambda: Projection("a", "b", 0.1, SpikeHebb()), "Projection.source: must be a Population, got 'a'"),
        (lambda: Network(["a"], ["b"]), "Network.populations: must be a list of Populations"),
        (lambda: simulate("experiment", 1.0), "simulate.network: must be a Network"),
        (lambda: reduce("experiment"), "reduce.network: must be a Network"),
    ],
)  # fmt: skip
def test_a_bad_description_is_named(describe, words):
    with pytest.raises(ParameterError, match=words) as caught:
        describe()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"duration": "10"}, "duration: must be finite and > 0 s, got '10'"),
        ({"duration": None}, "duration: must be a number in s"),
        ({"duration": 10 * brian2.Hz}, "duration: must have the dimension of s"),
        ({"record_every": 1e-12}, "record_every: must make no more than 10,000,000 records"),
        ({"max_rate": float("nan")}, "max_rate: must be > 0 Hz"),
        ({"max_rate": None}, "max_rate: must be a number in Hz"),
        ({"seeds": 1.5}, "seeds: must be whole numbers"),
        ({"seeds": None}, "seeds: must be whole numbers"),
        ({"record_spikes": ["neuron"]}, "record_spikes: must be {population"),
        ({"record_spikes": {"neuron": 5}}, r"record_spikes: must be \(from, to\)"),
        ({"record_spikes": {"neuron": ("a", 1)}}, r"record_spikes: must be \(from, to\)"),
        ({"record_spikes": {"neuron": (3, 1)}}, r"record_spikes: must be \(from, to\) in s, in order"),
    ],
)
def test_a_bad_argument_of_simulate_is_named(options, words):
    with pytest.raises(ParameterError, match="simulate." + words):
        simulate(network(), **{"duration": 1.0, **options})


def test_numbers_of_other_kinds_are_taken_as_they_are():
    assert network(neuron=LinearPoisson(tau=np.array(0.01))).neuron.model.tau == 0.01
    assert type(network(neuron=LinearPoisson(tau=np.float32(0.5))).neuron.model.tau) is float
    assert network(ModulatedPoisson(n_modulated=2.0)).input.model.n_modulated == 2
    for kind in (np.int32, np.uint64):
        assert network(RecordedSpikes([0.1, 0.2], np.array([0, 1], kind), 1.0)).input.model.sources.dtype == np.int64
    patterns = network(PatternPoisson([[1, 2, 3, 4]] * brian2.kHz)).input.model.patterns
    np.testing.assert_array_equal(patterns, [[1e3, 2e3, 3e3, 4e3]])
    window = network(rule=SpikeHebb(TabulatedWindow([-10, 10] * brian2.ms, [0, 1]))).projection.rule.window
    np.testing.assert_allclose(window.s, [-0.01, 0.01])
    run = simulate(network(), 2 * brian2.second, record_every=500 * brian2.ms, max_rate=5 * brian2.kHz)
    np.testing.assert_array_equal(run.time, [0.0, 0.5, 1.0, 1.5, 2.0])


class PairState(NamedTuple):
    pre: np.ndarray


class Traced(Own):
    def init(self, n_pre, n_post):
        return PairState(np.zeros(n_pre))

    def on_pre(self, state, w, j, t):
        state.pre[j] += 1.0


class Growing(Own):
    """Calls a method that no other rule has."""

    def size(self, t):
        return self.step * t

    def on_post(self, state, w, i, t):
        for n in range(w.n_in(i)):
            w.value[w.into(i, n)] += self.size(t)


class Later(SpikeHebb):
    """A rule built on another."""

    def on_pre(self, state, w, j, t):
        self.window.add_pre(state, j, t)


@pytest.mark.parametrize("rate", [1e6, 1e308])
def test_inputs_beyond_all_rates_are_refused(rate):
    with pytest.raises(ParameterError, match=r"Population inputs\.model: must fire at no more than 100000 Hz a cell"):
        Population("inputs", 4, HomogeneousPoisson(rate))
    with pytest.raises(ParameterError, match=r"Population inputs\.model: must fire at no more than 100000 Hz a cell"):
        Population("inputs", 1, RecordedSpikes(np.full(5, 1 / rate), np.zeros(5, np.int64), 1 / rate, loop=1))
    with pytest.raises(ParameterError, match=r"PatternPoisson\.presentation: must be at least 1e-05 s"):
        Population("inputs", 4, PatternPoisson(np.ones((3, 4)), presentation=1 / rate))


def test_rules_of_ones_own_do_not_disturb_the_others():
    neuron = LinearPoisson(base_rate=5.0)
    reference = simulate(network(neuron=neuron), 2.0).final_weights
    own = simulate(network(neuron=neuron, rule=Own()), 2.0)
    np.testing.assert_allclose(own.final_weights, 0.1 + 1e-3 * len(own.spikes["neuron"]))
    growing = simulate(network(neuron=neuron, rule=Growing()), 2.0)
    np.testing.assert_allclose(growing.final_weights, 0.1 + 1e-3 * growing.spikes["neuron"].t.sum())
    with pytest.raises(ParameterError):
        network(rule=Renamed())
    assert (simulate(network(neuron=neuron), 2.0).final_weights == reference).all()
    later = simulate(network(neuron=neuron, rule=Later(w_out=-100.0)), 2.0).final_weights
    assert later.max() < 0.1 and (simulate(network(neuron=neuron, rule=Triplet()), 2.0).final_weights != later).all()


def test_a_field_that_hides_a_method_of_the_loop_is_named():
    projection = network(rule=Traced()).projection
    with pytest.raises(HebbscopeError, match=r"PairState\.pre: must have another name"):
        expose(event.advance, [event.parts_of(projection), projection.rule.init(4, 1), synapses(np.ones((1, 4)))])
