"""The description of a network: what is wrong is said in one line that names it, before anything compiles."""

from typing import NamedTuple

import brian2
import numpy as np
import pytest
from interpreting import interpreted

from hebbscope import HebbscopeError, Network, ParameterError, Population, Projection, reduce, simulate
from hebbscope.models import (
    LIF,
    AllToAll,
    CommonSourcePoisson,
    Direct,
    Given,
    HomogeneousPoisson,
    LinearPoisson,
    LogNormal,
    ModulatedPoisson,
    Normal,
    Pairwise,
    PatternPoisson,
    PushPull,
    RecordedSpikes,
    Uniform,
)
from hebbscope.rules import L2, KempterWindow, PairSTDP, SpikeHebb, Static, TabulatedWindow, Triplet
from hebbscope.simulator import clock, event
from hebbscope.simulator.clock_run import ClockRun
from hebbscope.simulator.dispatch import classes_of, expose, reached
from hebbscope.simulator.event_run import SeedRun
from hebbscope.simulator.run import roundings
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


class Bare(NamedTuple):
    """A rule without a parameter."""

    def check(self):
        pass

    def init(self, n_pre, n_post):
        return ()

    def on_pre(self, state, w, j, t):
        pass

    def on_post(self, state, w, i, t):
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
        (lambda: network(normalisation=None), "inputs_to_neuron.normalisation: must be a normalisation part, got None"),
        (lambda: network(normalisation=SpikeHebb()), "SpikeHebb.normalise: must be a method normalise"),
        (lambda: network(transmission=L2()), "L2.effective: must be a method"),
        (lambda: network(rule=Swapped()), r"on_pre\(self, state, w, j, t\), as of every rule, got 'on_pre\(self, state, w, t, j"),
        (lambda: network(rule=Bare()), "Bare.class: must have a field, without which no loop calls its methods, got Bare"),
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
    """A rule built on another, whose `relay` is of its own `on_pre`."""

    def on_pre(self, state, w, j, t):
        self.window.add_pre(state, j, t)


class Lazily:
    """Half of a rule."""

    def on_pre(self, state, w, j, t):
        self.window.add_pre(state, j, t)


class Mixed(Lazily, SpikeHebb):
    """A rule that is put together."""


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
    for engine in ("event", "clock"):
        for rule, same in ((Later, True), (Mixed, True), (SpikeHebb, False)):  # what input spikes change is left out
            with interpreted():
                runs = [
                    simulate(network(neuron=neuron, rule=rule(w_in=each)), 2.0, engine=engine) for each in (0.0, 500.0)
                ]
            assert (runs[0].final_weights == runs[1].final_weights).all() == same
    later = simulate(network(neuron=neuron, rule=Later(w_out=-100.0)), 2.0).final_weights
    assert later.max() < 0.1 and (simulate(network(neuron=neuron, rule=Triplet()), 2.0).final_weights != later).all()


def test_a_field_that_hides_a_method_of_the_loop_is_named():
    projection = network(rule=Traced()).projection
    with pytest.raises(HebbscopeError, match=r"PairState\.pre: must have another name"):
        expose(event.advance, [event.parts_of(projection), projection.rule.init(4, 1), synapses(np.ones((1, 4)))])


def test_hooks_are_told_to_the_compiler_once():
    """Each time again would have it ask ever more of them at every field that it meets, and compile helpers anew."""
    from numba.core.typing.templates import builtin_registry as known

    projection = network(rule=Triplet()).projection
    values = [event.parts_of(projection), projection.rule.init(4, 1), synapses(np.ones((1, 4)))]
    counts = []
    for _ in range(3):
        expose(event.advance, values)
        counts.append((len(known.attributes), len(known.globals)))
    assert counts[1:] == counts[:1] * 2


def test_what_is_a_method_to_one_loop_is_no_field_to_another():
    own = network(neuron=LinearPoisson(base_rate=5.0))
    exact = SeedRun(own, 1, "spike", {}, 1e4)
    stepped = ClockRun(own, 1, "spike", {}, 1e-4, max_rate=1e4, threads=1, precision="double")
    loops = [
        (event.advance, classes_of((exact.parts, exact.state))),
        (clock.advance, classes_of((stepped.parts, stepped.state, stepped.shards))),
    ]
    (exact_calls, stepped_calls), (exact_fields, stepped_fields) = (
        [set(reached(*each)) for each in loops],
        [{field for kind in classes for field in kind._fields} for _, classes in loops],
    )
    assert {"propagate", "on_pre"} <= exact_calls and {"receive", "on_pre"} <= stepped_calls
    assert not exact_calls & stepped_fields and not stepped_calls & exact_fields


# Projections of any kind --------------------------------------------------------------------------------------------


def joined(weights=0.1, rule=None, neuron=LIF(), connectivity=Given([0, 0, 2], [1, 4, 0]), **options):
    """Three inputs onto five neurons."""
    source, target = Population("inputs", 3, HomogeneousPoisson(5.0)), Population("neurons", 5, neuron)
    return Projection(source, target, weights, rule, connectivity=connectivity, **options)


class Shifted(NamedTuple):
    """Draws for all-to-all synapses alone."""

    level: float = 0.1

    def draw(self, generator, n_post, n_pre):
        return np.full((n_post, n_pre), self.level)


@pytest.mark.parametrize(
    "describe, words",
    [
        (lambda: joined(receptor="inhibitry"), r"Projection inputs_to_neurons\.receptor: must be excitatory or inhibitory; did you mean inhibitory\?, got 'inhibitry'"),
        (lambda: joined(delay=-1e-3), r"delay: must be finite and >= 0 s, got -0\.001"),
        (lambda: joined(delay=[1e-3, np.nan, 0.0]), r"delay: must be finite and >= 0 s, got nan"),
        (lambda: joined(dendritic_delay=np.inf), r"dendritic_delay: must be finite and >= 0 s, got inf"),
        (lambda: joined(delay=[1e-3, 1e-3]), r"delay: must be a number, or 3 numbers, got \[0\.001, 0\.001\]"),
        (lambda: joined(delay="late"), r"delay: must be a number in s, or one for each synapse, got 'late'"),
        (lambda: joined(delay=2 * brian2.mV), r"delay: must be a number in s"),
        (lambda: joined(weights=[0.1, 0.2]), r"weights: must be a number, or 3 numbers, one for each synapse"),
        (lambda: joined(weights=[0.1, -0.2, 0.1]), r"weights: must be >= 0 onto LIF, whose receptors say the sign, got -0\.2"),
        (lambda: joined(weights=Normal(mean=-1.0, low=-2.0)).initial_values(1), r"weights: must be >= 0 onto LIF"),
        (lambda: joined(weights=Uniform(high=2.0), rule=PairSTDP()).initial_values(1), r"weights: must start within"),
        (lambda: joined(weights=Shifted()), r"weights: must have a method draw\(generator, n_synapses\), got Shifted"),
        (lambda: joined(weights=Uniform(low=2.0)), r"Uniform\.high: must be >= low = 2, got 1"),
        (lambda: joined(weights=LogNormal(mean=0.0)), r"LogNormal\.mean: must be > 0"),
        (lambda: joined(rule=SpikeHebb()), r"rule: must have w_min >= 0 onto LIF, whose receptors say the sign, got -inf"),
        (lambda: joined(transmission=Direct(-1.0)), r"transmission: must deliver nothing negative onto LIF, whose receptors say the sign, got Direct"),
        (lambda: joined(name="a b"), r"Projection\.name: must be a word"),
        (lambda: Population("a", 0, LIF()), r"Population a\.n: must be a whole number >= 1, got 0"),
        (lambda: Population("a", 3, SpikeHebb()), r"Population a\.model: must be an input or neuron part, got SpikeHebb"),
    ],
)  # fmt: skip
def test_a_projection_that_cannot_be_is_named(describe, words):
    with pytest.raises(ParameterError, match=words) as caught:
        describe()
    assert "\n" not in str(caught.value)


def test_projections_join_neurons_of_one_network_under_different_names():
    inputs, neurons = Population("inputs", 3, HomogeneousPoisson()), Population("neurons", 5, LIF())
    stranger = Population("neurons", 5, LIF())
    with pytest.raises(ParameterError, match=r"target: must be neurons: an input takes no deliveries, got 'inputs'"):
        Projection(neurons, inputs)
    with pytest.raises(
        ParameterError, match=r"must join populations of this network, got 'inputs_to_neurons \(neurons"
    ):
        Network([inputs, neurons], [Projection(inputs, stranger)])
    with pytest.raises(ParameterError, match=r"projections: must have different names, got 'inputs_to_neurons'"):
        Network([inputs, neurons], [Projection(inputs, neurons), Projection(inputs, neurons)])
    both = Network([inputs, neurons], [Projection(inputs, neurons), Projection(inputs, neurons, name="second")])
    assert [each.name for each in both.projections] == ["inputs_to_neurons", "second"]
    assert both.n_bytes == 2 * 15 * 8


def test_what_a_projection_leaves_out():
    inputs, neurons = Population("inputs", 3, HomogeneousPoisson()), Population("neurons", 5, LinearPoisson())
    plain = Projection(inputs, neurons)
    assert plain.rule == Static() and plain.connectivity == AllToAll() and plain.is_dense and plain.n_synapses == 15
    assert (plain.delay, plain.dendritic_delay, plain.receptor) == (0.0, 0.0, "excitatory")
    assert plain.wiring.pre.tolist() == [0] * 5 + [1] * 5 + [2] * 5 and plain.wiring.post.tolist() == [*range(5)] * 3
    run = simulate(Network([inputs, neurons], [Projection(inputs, neurons, 0.1)]), 1.0)
    assert (run.weights == 0.1).all() and len(run.spikes["inputs"]) > 0


def test_weights_of_dense_and_sparse_synapses_are_in_the_order_of_the_wiring():
    dense = joined(np.arange(15.0).reshape(5, 3), connectivity=AllToAll())
    pre, post = dense.wiring
    assert (dense.initial_values(1) == dense.initial_weights(1)[post, pre]).all()
    sparse = joined([1.0, 2.0, 3.0])
    assert sparse.initial_values(1).tolist() == [1.0, 2.0, 3.0]
    expected = np.zeros((5, 3))
    expected[[1, 4, 0], [0, 0, 2]] = 1.0, 2.0, 3.0
    assert (sparse.initial_weights(1) == expected).all()
    one = joined(0.25)
    assert one.initial_values(1).tolist() == [0.25] * 3


def test_delays_are_kept_in_seconds():
    assert joined(delay=2 * brian2.ms).delay == 2e-3
    np.testing.assert_allclose(joined(delay=[1, 2, 3] * brian2.ms).delay, [1e-3, 2e-3, 3e-3])
    assert "delay 2 ms" in repr(joined(delay=2e-3)) and "receptor inhibitory" in repr(joined(receptor="inhibitory"))
    assert "3 synapses, Given" in repr(joined()) and "PushPull" in repr(network(transmission=PushPull()))


@pytest.mark.parametrize(
    "options, words",
    [
        (
            {"connectivity": Pairwise(0.5)},
            "must join all to all without delay, with one receptor, for the exact engine and the learning equation, got .Pairwise",
        ),
        ({"delay": 1e-3}, "must join all to all without delay, .* delays 1 ms and 0 s, excitatory"),
        ({"dendritic_delay": 1e-3}, "must join all to all without delay, .* delays 0 s and 1 ms, excitatory"),
        (
            {"neuron": LinearPoisson(), "receptor": "inhibitory"},
            "must join all to all without delay, .* 0 s and 0 s, inhibitory",
        ),
    ],
)
def test_what_the_exact_engine_cannot_run_is_said(options, words):
    with pytest.raises(HebbscopeError, match=words):
        _ = network(**options).projection


@pytest.mark.parametrize(
    "part, mean, sd",
    [
        (Uniform(0.2, 0.8), 0.5, 0.6 / np.sqrt(12.0)),
        (Normal(0.5, 0.05), 0.5, 0.05),
        (LogNormal(0.5, 0.25), 0.5, 0.25),
    ],
)  # fmt: skip
def test_drawn_weights_have_the_mean_and_the_spread_that_they_name(part, mean, sd):
    """40,000 weights: the mean within 4 standard errors sd / 200; the spread within 4 of sd sqrt((kurtosis - 1) / 4) / 200, where the kurtosis is at
    most 8.04, that of the lognormal: exp(4 s) + 2 exp(3 s) + 3 exp(2 s) - 3 with s = log 1.25."""
    ends = Population("a", 200, LIF()), Population("b", 200, LIF())
    dense, sparse = Projection(*ends, part), Projection(*ends, part, connectivity=Pairwise(0.999))
    assert dense.initial_weights(1).shape == (200, 200) and sparse.initial_values(1).shape == (sparse.n_synapses,)
    for w in (dense.initial_weights(1), sparse.initial_values(1)):
        assert abs(w.mean() - mean) < 4 * sd / np.sqrt(w.size)
        assert abs(w.std() - sd) < 4 * sd * np.sqrt((8.04 - 1) / 4 / w.size)
    assert (dense.initial_weights(1) == dense.initial_weights(1)).all()
    assert (dense.initial_weights(1) != dense.initial_weights(2)).any()


def test_drawn_weights_keep_to_their_bounds():
    w = joined(Normal(0.5, 10.0, high=1.0), connectivity=AllToAll()).initial_weights(1)
    assert {0.0, 1.0} <= {*w.ravel()} and w.min() == 0.0 and w.max() == 1.0
    w = joined(LogNormal(0.5, 2.0, high=0.5), connectivity=AllToAll()).initial_weights(1)
    assert w.max() == 0.5 and w.min() > 0.0


def test_what_steps_do_to_delays_and_refractory_times_is_said():
    inputs, cells = Population("inputs", 3, HomogeneousPoisson()), Population("cells", 2, LIF(refractory=2.03e-3))
    delays = np.array([0.1e-3, 0.2e-3, 0.23e-3, 0.4e-3, 0.5e-3, 0.6e-3])
    network = Network([inputs, cells], [Projection(inputs, cells, 0.1, delay=delays, name="late")])
    assert roundings(network, 1e-4) == [
        "late.delay is rounded to steps of 100 us: 230 us to 200 us",
        "cells.refractory is rounded to steps of 100 us: 2.03 ms to 2 ms",
    ]
    assert roundings(network, 1e-5) == []


def test_a_refractory_time_that_steps_would_lose_is_refused():
    inputs, cells = Population("inputs", 3, HomogeneousPoisson()), Population("cells", 2, LIF(refractory=3e-5))
    with pytest.raises(ParameterError, match=r"cells\.refractory: must be 0 or more than half of dt = 0\.0001 s"):
        simulate(Network([inputs, cells], [Projection(inputs, cells, 0.1)]), 1.0)
