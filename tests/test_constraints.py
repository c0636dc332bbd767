"""Sums that are kept within bounds, against the one shift or factor that does it, and in each engine."""

from __future__ import annotations

import numpy as np
import pytest
from interpreting import interpreted
from scipy.optimize import brentq

from hebbscope import Network, ParameterError, Population, Projection, simulate
from hebbscope.models import LIF, FixedInDegree, HomogeneousPoisson, LinearPoisson
from hebbscope.models.experiments import loads, to_toml
from hebbscope.models.experiments.network import from_network
from hebbscope.rules import L1, L2, EqualNorms, Multiplicative, SpikeHebb, Subtractive, Triplet
from hebbscope.simulator.synapses import sparse_synapses, synapses

N_PRE = 40
KINDS = {Subtractive: lambda w, c: w - c, Multiplicative: lambda w, c: w * c}


def kept(part, w, low, high):
    """(n_post, n_pre) weights after all targets had their turn."""
    held = synapses(w)
    for i in range(len(w)):
        part.normalise((), held, i, 0, low, high)
    return held.matrix()


@pytest.mark.parametrize("norm", [12.0, 19.0, 20.0, 21.0, 33.0])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_sum_is_kept_by_one_shift_or_factor(kind, norm):
    """It is found here by bisection, with weights beyond a bound set to it."""
    w, low, high = np.random.default_rng(1).uniform(0.1, 0.9, (3, N_PRE)), 0.1, 0.9
    found = kept(kind(norm=norm), w, low, high)
    for before, after in zip(w, found, strict=True):
        c = brentq(lambda c, w=before: np.clip(KINDS[kind](w, c), low, high).sum() - norm, -10.0, 10.0, xtol=1e-15)
        np.testing.assert_allclose(after, np.clip(KINDS[kind](before, c), low, high), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), norm, rtol=1e-14)
    at_bounds = (found == low).sum() + (found == high).sum()
    assert at_bounds > 3 if norm in (12.0, 33.0) else at_bounds < 30


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_where_bounds_leave_no_room_they_win(kind):
    w = np.random.default_rng(1).uniform(0.1, 0.9, (2, N_PRE))
    assert (kept(kind(norm=50.0), w, 0.1, 0.9) == 0.9).all() and (kept(kind(norm=1.0), w, 0.1, 0.9) == 0.1).all()


@pytest.mark.parametrize("kind", [*KINDS, L1, L2], ids=lambda kind: kind.__name__)
def test_each_group_of_sources_keeps_its_own_norm(kind):
    """Of any wiring; group by group as if the others were not there."""
    rng, begins = np.random.default_rng(2), (10, 17)
    w = rng.uniform(0.0, 1.0, (3, N_PRE))
    found = kept(kind(norm=4.0, groups=np.array(begins)), w, 0.0, 1.0)
    for part in np.split(np.arange(N_PRE), begins):
        assert (found[:, part] == kept(kind(norm=4.0), w[:, part], 0.0, 1.0)).all()
    joined = rng.random((N_PRE, 3)) < 0.6
    pre, post = np.nonzero(joined)
    sparse = sparse_synapses(pre, post, w.T[joined], N_PRE, 3, None, kind())
    for i in range(3):
        kind(norm=4.0, groups=np.array(begins)).normalise((), sparse, i, 0, 0.0, 3.0)
    group = np.searchsorted(begins, pre, side="right")
    power = 2 if kind is L2 else 1
    np.testing.assert_allclose(np.bincount(3 * group + post, sparse.value**power), 4.0**power, rtol=1e-14)


@pytest.mark.parametrize("kind", [L1, L2])
def test_a_group_without_weights_stays_so(kind):
    w = np.array([[0.0, 0.0, 0.3, -0.4]])
    found = kept(kind(norm=1.0, groups=np.array([2])), w, -1.0, 1.0)
    assert found[0] == pytest.approx([0.0, 0.0, *(w[0, 2:] / (0.7 if kind is L1 else 0.5))], rel=1e-15)


def test_groups_come_to_the_same_length_and_all_together_keep_theirs():
    """Of any wiring; one group by itself, and a group without weights, stay as they are."""
    rng, begins = np.random.default_rng(6), (10, 17)
    joined = rng.random((N_PRE, 3)) < 0.6
    pre, post = np.nonzero(joined)
    w = rng.normal(size=len(pre))
    w[(post == 1) & (pre < 10)] = 0.0
    group = 3 * np.searchsorted(begins, pre, side="right") + post
    before = np.bincount(group, w**2).reshape(3, 3)
    alive = before > 0.0
    shares = alive * before.sum(axis=0) / alive.sum(axis=0)
    assert alive.sum() == 8
    for part, shared in ((EqualNorms(groups=np.array(begins)), shares), (EqualNorms(), before)):
        sparse = sparse_synapses(pre, post, w, N_PRE, 3, None, part)
        for i in range(3):
            part.normalise((), sparse, i, 0, -np.inf, np.inf)
        np.testing.assert_allclose(np.bincount(group, sparse.value**2).reshape(3, 3), shared, rtol=1e-14)
        signs = np.where(w == 0.0, 0.0, sparse.value / np.where(w == 0.0, 1.0, w))
        assert all(np.ptp(signs[group == g]) < 1e-14 for g in range(9))


def test_weights_of_both_signs_keep_the_sum_of_their_sizes():
    w = np.random.default_rng(3).normal(size=(2, N_PRE))
    found = kept(Multiplicative(norm=9.0), w, -1.0, 0.4)
    np.testing.assert_allclose(np.abs(found).sum(axis=1), 9.0, rtol=1e-14)
    assert (np.sign(found) == np.sign(w)).all() and found.max() == 0.4
    assert kept(Subtractive(norm=0.0), w, -np.inf, np.inf).sum(axis=1) == pytest.approx([0.0, 0.0], abs=1e-13)


@pytest.mark.parametrize("level", ["spike", "surrogate", "rate"])
@pytest.mark.parametrize(
    "part, expected",
    [
        (Subtractive(norm=0.5), (0.1, 0.1, 0.1, 0.2)),
        (Subtractive(norm=1.2), (0.15, 0.25, 0.35, 0.45)),
        (Multiplicative(norm=0.5), (0.1, 0.1, 0.3 * 3 / 7, 0.3 * 4 / 7)),
        (Multiplicative(norm=0.65, groups=np.array([2])), (0.2166666666666667, 0.4333333333333333, 0.2785714285714286, 0.3714285714285714)),
    ],
    ids=["shrunk", "grown", "rescaled", "two groups"],
)  # fmt: skip
def test_every_level_has_them(level, part, expected):
    """By hand: 0.1, 0.2, 0.3 and 0.4 between bounds of 0.1 and 0.5, by a rule that learns nothing."""
    source, target = Population("inputs", 4, HomogeneousPoisson(5.0)), Population("neuron", 2, LinearPoisson())
    rule, start = Triplet(eta=0.0, w_min=0.1, w_max=0.5), [0.1, 0.2, 0.3, 0.4]
    layer = Network([source, target], [Projection(source, target, start, rule, normalisation=part._replace(every=1.0))])
    with interpreted():
        run = simulate(layer, 1.5, level=level, record_every=1.5)
    np.testing.assert_allclose(run.final_weights[0], [expected, expected], rtol=1e-12)


def described(part, **options):
    """Sparse synapses that learn fast, in the clock-driven engine."""
    inputs, cells = Population("inputs", 12, HomogeneousPoisson(60.0)), Population("cells", 4, LIF())
    rule = SpikeHebb(eta=2e-5, w_min=0.0, w_max=8e-3)
    wired = {"connectivity": FixedInDegree(8), **options}
    return Network([inputs, cells], [Projection(inputs, cells, 4e-3, rule, normalisation=part, **wired)])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_rule_learns_with_its_sum_kept(kind):
    network = described(kind(norm=32e-3, every=0.05))
    with interpreted():
        run = simulate(network, 0.5001, dt=1e-4, record_every=0.1667)
    w, post = run.final_weights[0, 0], network.projections[0].wiring.post
    np.testing.assert_allclose(np.bincount(post, w), 32e-3, rtol=0.01)  # a step ago it was kept
    assert w.std() > 1e-4 and w.min() >= 0.0 and w.max() <= 8e-3


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_file_has_them(kind):
    network = described(kind(norm=32e-3, groups=np.array([3, 7])))
    again = loads(to_toml(from_network(network, duration=0.5))).network().projections[0].normalisation
    assert type(again) is kind and again.norm == 32e-3 and again.groups.tolist() == [3, 7]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_a_constraint_makes_of_competition(kind):
    """Weights that grow as c x_j y, x the rates of their sources (Miller & MacKay 1994): taken back by factors they end in proportion to x;
    by shifts, the faster ones at the upper bound and the slower ones at the lower, with one between that makes the sum: to what grows between two times of it."""
    x, norm, high = np.array([4.0, 6.0, 8.0, 10.0, 12.0]), 1.2, 0.5
    source, target = Population("inputs", 5, HomogeneousPoisson(x)), Population("neuron", 1, LinearPoisson())
    rule = Triplet(A2_plus=1e-3, A2_minus=0.0, A3_plus=0.0, w_min=0.0, w_max=high)
    synapses = Projection(source, target, 0.24, rule, normalisation=kind(norm=norm, every=0.5))
    with interpreted():
        run = simulate(Network([source, target], [synapses]), 4000.0, level="rate", dt=0.5, record_every=4000.0)
    held = norm * x / x.sum() if kind is Multiplicative else np.array([0.0, 0.0, norm - 2 * high, high, high])
    growth = rule.A2_plus * rule.tau_plus * x * (held @ x) * 0.5
    np.testing.assert_allclose(run.final_weights[0, 0], held, rtol=0, atol=growth.sum())
    assert growth.sum() < 5e-3


@pytest.mark.parametrize(
    "part, field",
    [
        (Subtractive(norm=np.inf), "norm"),
        (Subtractive(every=0.0), "every"),
        (Multiplicative(norm=0.0), "norm"),
        (Multiplicative(groups=np.array([0, 4])), "groups"),
        (Subtractive(groups=np.array([3, 3])), "groups"),
        (Subtractive(groups=np.array([1.5])), "groups"),
        (Subtractive(groups=np.array([[1]])), "groups"),
        (EqualNorms(every=0.0), "every"),
        (EqualNorms(groups=np.array([0])), "groups"),
        (L1(groups=np.array([2, 1])), "groups"),
        (L2(groups=np.array([0])), "groups"),
    ],
)
def test_a_bad_parameter_is_named(part, field):
    with pytest.raises(ParameterError) as caught:
        part.check()
    assert caught.value.field == field and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_group_begins_within_the_sources(kind):
    described(kind(groups=np.array([3, 11])))
    with pytest.raises(ParameterError, match=rf"{kind.__name__}\.groups: must be below 12, the number of sources, got"):
        described(kind(groups=np.array([3, 12])))


def test_an_interval_of_more_steps_than_can_be_counted_is_named():
    with pytest.raises(
        ParameterError,
        match=r"normalisation\.every: must be <= 9\.0072e\+11 s, so that steps can be counted, got 2e\+28",
    ):
        simulate(described(Subtractive(every=2e28)), 1e-3, dt=1e-4, record_every=1e-3)


def test_groups_and_axonal_delays_do_not_go_together():
    late = {"delay": np.arange(32) * 1e-4}
    simulate_nothing = {"dt": 1e-4, "record_every": 1e-3}
    with pytest.raises(ParameterError, match=r"normalisation\.groups: must be left out where axonal delays differ"):
        simulate(described(Subtractive(groups=np.array([6])), **late), 1e-3, **simulate_nothing)
