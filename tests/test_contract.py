"""What every public part must do, whatever it is: named errors, a table that prints, and a run that is finite, bounded and repeatable."""

import math

import numpy as np
import pytest

from hebbscope import Network, Population, Projection, simulate
from hebbscope.models import (
    Given,
    HomogeneousPoisson,
    LinearPoisson,
    LogNormal,
    Normal,
    PatternPoisson,
    PopulationRate,
    PushPull,
    RecordedSpikes,
    StateMonitor,
    Uniform,
    WeightStatistics,
    WeightSubset,
)
from hebbscope.models.experiments.catalogue import KINDS, parts
from hebbscope.rules import L1, STDP, NonlinearHebb, SpikeHebb, Static, TabulatedWindow, Triplet
from hebbscope.simulator.cast import cast
from hebbscope.simulator.protocols import ParameterError, is_rate_rule, sees_potentials, unit_of

N = 6
EXAMPLES = {  # of parts that have no default for an array, or one that does not fit the weights here
    PatternPoisson: lambda: PatternPoisson(np.random.default_rng(1).uniform(0, 40, (9, N))),
    RecordedSpikes: lambda: RecordedSpikes(np.arange(1, 400) * 5e-3, np.arange(1, 400) % N, 2.0, loop=1),
    TabulatedWindow: lambda: TabulatedWindow(np.array([-0.02, 0.0, 0.02]), np.array([0.0, 1.0, -0.6])),
    Given: lambda: Given(np.array([0, 0, 3, 5]), np.array([0, 1, 1, 0])),
    Uniform: lambda: Uniform(high=0.4),
    Normal: lambda: Normal(mean=0.2, sd=0.05),
    LogNormal: lambda: LogNormal(mean=0.2, sd=0.1, high=0.4),
    StateMonitor: lambda: StateMonitor("neuron"),
    PopulationRate: lambda: PopulationRate("neuron"),
    WeightStatistics: lambda: WeightStatistics("inputs_to_neuron"),
    WeightSubset: lambda: WeightSubset("inputs_to_neuron"),
}
EVERY = [(kind, part) for kind in KINDS for part in parts(kind).values()]
EXACT = [  # what the exact engine runs: it joins all to all
    (kind, part)
    for kind, part in EVERY
    if kind not in ("background", "connectivity", "monitor")
    and (kind != "neuron" or hasattr(part, "bound"))
    and not sees_potentials(part)
]


def example(part):
    return EXAMPLES.get(part, part)()


def network(kind, part):
    """A small layer in which the part has its place."""
    chosen = {"input": HomogeneousPoisson(20.0), "neuron": LinearPoisson(), "rule": SpikeHebb(eta=1e-3), "weights": 0.2}
    held = {
        "window": lambda: SpikeHebb(window=example(part), eta=1e-3),
        "threshold": lambda: Triplet(threshold=example(part)),
        "pairing": lambda: STDP(pairing=example(part)),
        "dependence": lambda: STDP(dependence=example(part)),
        "nonlinearity": lambda: NonlinearHebb(nonlinearity=example(part)),
        "rate rule": lambda: example(part),
    }
    place = "rule" if kind in held else kind
    options = {place: held.get(kind, lambda: example(part))()}
    chosen |= {key: options.pop(key) for key in list(options) if key in chosen}
    if is_rate_rule(chosen["rule"]):
        chosen["input"] = example(PatternPoisson)
    rule = chosen["rule"]._replace(w_min=0.0, w_max=0.4)
    source, target = Population("inputs", N, chosen["input"]), Population("neuron", 2, chosen["neuron"])
    return Network([source, target], [Projection(source, target, chosen["weights"], rule, **options)])


def test_every_kind_has_parts():
    assert {kind for kind, _ in EVERY} == set(KINDS) and len(EVERY) == len({part for _, part in EVERY}) >= 18


@pytest.mark.parametrize("kind, part", EXACT, ids=lambda value: getattr(value, "__name__", value))
def test_a_run_is_finite_bounded_and_repeatable(kind, part):
    described = network(kind, part)
    level = "rate" if is_rate_rule(described.projection.rule) else "spike"
    first, again = (simulate(described, 4.0, seeds=[1, 2], level=level, threads=threads) for threads in (1, 2))
    assert np.isfinite(first.weights).all() and (first.weights == again.weights).all()
    assert first.weights.min() >= 0.0 and first.weights.max() <= 0.4
    assert (first.final_weights != 0.2).any() != (part is Static) and first.output_rate[:, 1:].sum() > 0


@pytest.mark.parametrize("level", ["spike", "surrogate", "rate"])
@pytest.mark.parametrize(
    "norm, expected", [(2.0, (0.2, 0.4, 0.5, 0.5)), (0.5, (0.1, 0.1, 0.15, 0.2)), (1.2, (0.12, 0.24, 0.36, 0.48))]
)
def test_a_norm_is_kept_within_the_bounds(level, norm, expected):
    """By hand: 0.1, 0.2, 0.3, 0.4 and their sum, 1, set to a norm between bounds of 0.1 and 0.5, by a rule that learns nothing."""
    source, target = Population("inputs", 4, HomogeneousPoisson(5.0)), Population("neuron", 2, LinearPoisson())
    rule, start = Triplet(eta=0.0, w_min=0.1, w_max=0.5), [0.1, 0.2, 0.3, 0.4]
    synapses = Projection(source, target, start, rule, normalisation=L1(norm=norm, every=1.0))
    run = simulate(Network([source, target], [synapses]), 1.5, level=level, record_every=1.5)
    np.testing.assert_allclose(run.final_weights[0], [expected, expected], rtol=1e-12)


@pytest.mark.parametrize("kind, part", EVERY, ids=lambda value: getattr(value, "__name__", value))
def test_every_number_that_is_no_number_is_named(kind, part):
    good = example(part) if kind == "monitor" else cast(example(part))  # no loop sees monitors
    ends = Population("inputs", 2 * N, HomogeneousPoisson()), Population("neurons", 2 * N, LinearPoisson())
    needs = {"input": (N,), "transmission": (N,), "connectivity": ends}.get(kind, ())
    good.check(*needs)
    for field, value in zip(good._fields, good, strict=True):
        if isinstance(value, float):
            with pytest.raises(ParameterError) as caught:
                good._replace(**{field: math.nan}).check(*needs)
            assert caught.value.field == field and "nan" in str(caught.value)
            assert str(caught.value).startswith(f"{part.__name__}.{field}: must ")


@pytest.mark.parametrize("kind, part", EVERY, ids=lambda value: getattr(value, "__name__", value))
def test_every_part_prints_its_fields(kind, part):
    text, page = repr(example(part)), example(part)._repr_html_()
    assert text.startswith(f"{part.__name__}: ") and page.count("<tr>") == text.count("\n")
    for field in part._fields:
        assert f"  {field}" in text and unit_of(part, field) in text
    for row in text.splitlines()[1:]:
        columns = [column for column in row.split("  ") if column.strip()]
        assert len(columns) == 3, f"{part.__name__} says nothing of: {row}"


def test_push_pull_wants_two_halves():
    with pytest.raises(ParameterError, match=r"PushPull\.n_pre: must be even"):
        PushPull().check(5)
