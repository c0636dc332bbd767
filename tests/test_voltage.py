"""The voltage-based rule against its plain twin on given potentials, closed forms under a clamp, another simulator's numbers, and what was measured in slices."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import naive
import numpy as np
import pytest
from interpreting import interpreted
from test_clock import awkward_trains, wirings
from test_rules import DATA, ERRORS, FREQUENCIES

import hebbscope
from hebbscope import Network, ParameterError, Population, Projection, simulate
from hebbscope.models import (
    LIF,
    AdEx,
    AllToAll,
    FixedInDegree,
    Given,
    HomogeneousPoisson,
    LinearPoisson,
    OneToOne,
    RecordedSpikes,
)
from hebbscope.models.experiments import loads, to_toml
from hebbscope.models.experiments.network import from_network
from hebbscope.rules import (
    VOLTAGE_HIPPOCAMPUS,
    VOLTAGE_VISUAL_CORTEX,
    FixedThreshold,
    MeanSquareThreshold,
    PotentialThreshold,
    SlidingThreshold,
    SynapticScaling,
    Triplet,
    VoltageSTDP,
)
from hebbscope.simulator import clock_run
from hebbscope.simulator.clock_run import ClockRun

DT = 1e-4
STEPS = 600
RULES_PAGE = (Path(hebbscope.__file__).parent / "docs" / "rules.md").read_text()


# Given potentials -------------------------------------------------------------------------------------------------------


class State(NamedTuple):
    """v (n,) [V]; step (n,): how many there were."""

    v: np.ndarray
    step: np.ndarray


class Clamp(NamedTuple):
    """Cells that are held at given potentials (n_steps, n) [V] and never fire: a neuron and its stepper."""

    potentials: np.ndarray

    monitored = ("v",)

    def check(self):
        """Nothing can be wrong with it."""

    def stepper(self, dt):
        return self

    def init(self, n, rng):
        return State(np.zeros(n), np.zeros(n, np.int64))

    def update(self, state, i):
        state.v[i] = self.potentials[state.step[i], i]
        state.step[i] += 1

    def fires(self, state, i):
        return False

    def receive(self, state, port, i, amount):
        pass

    def hold(self, state, i):
        pass

    def reset(self, state, i):
        pass


def clamped(rule, potentials, trains, weights, wiring=None, delay=0.0, dt=DT, cuts=(), precision="double"):
    """Weights (n_post, n_pre) of a rule on given potentials; trains: of each source the steps of its spikes."""
    spikes = sorted((k, j) for j, train in enumerate(trains) for k in train)
    times, sources = (np.array(column) for column in zip(*spikes, strict=True))
    inputs = Population("inputs", len(trains), RecordedSpikes(times * dt, sources, len(potentials) * dt))
    cells = Population("cells", potentials.shape[1], Clamp(potentials))
    wired = {} if wiring is None else {"connectivity": Given(*wiring)}
    start = weights if wiring is None else weights.T[wiring]
    learning = Projection(inputs, cells, start, rule, delay=delay, **wired)
    with interpreted():
        run = ClockRun(Network([inputs, cells], [learning]), 1, "spike", {}, dt, precision=precision)
        for k in (*cuts, len(potentials)):
            run.to(k * dt)
            found = run.weights_of(learning)
    if wiring is None:
        return found
    weights = weights.copy()
    weights.T[wiring] = found
    return weights


def restless(n_steps, n, seed=1):
    """(n_steps, n) potentials [V] that wander about -58 mV, with spikes of 1 ms."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(n_steps + 200, n))
    u = np.array([np.convolve(column, np.exp(-np.arange(200) / 40.0), "valid")[:n_steps] for column in noise.T]).T
    u = -58e-3 + 8e-3 * u / u.std()
    for i in range(n):
        for k in rng.choice(n_steps - 10, 8, replace=False):
            u[k : k + 10, i] = 31.1e-3
    return u


FAST = VoltageSTDP(A_LTD=0.9, A_LTP=300.0, tau_x=4e-3, tau_minus=6e-3, delay=1.1e-3)  # rescaled after 40 ms


def trains_of(n):
    """Of each source the steps of its spikes, some of which coincide and some come twice."""
    return [[k for k, cells in sorted(awkward_trains(n).items()) for j in cells if j == source] for source in range(n)]


def twin_of(rule, u, trains, weights, n_late, scale=None):
    amplitudes = (rule.eta * rule.A_LTD, rule.eta * rule.A_LTP)
    return naive.voltage_stdp(u, trains, DT, weights, *amplitudes, *rule[2:7], n_late, rule.w_min, rule.w_max, scale)


@pytest.mark.parametrize("n_late", [0, 11])
@pytest.mark.parametrize("bounds", [{"w_max": 1e3}, {"w_min": 0.45, "w_max": 0.56}], ids=["free", "bounded"])
@pytest.mark.parametrize("wiring", wirings())
def test_the_rule_is_that_of_the_plain_twin(wiring, bounds, n_late):
    u, trains = restless(STEPS, 5), trains_of(8)
    start = np.random.default_rng(2).uniform(0.46, 0.54, (5, 8))
    rule = FAST._replace(delay=n_late * DT, **bounds)
    found = clamped(rule, u, trains, start, wirings()[wiring], cuts=(1, 123, 124, 400))
    expected = twin_of(rule, u, trains, start, n_late)
    joined = np.ones((8, 5), bool) if wirings()[wiring] is None else np.zeros((8, 5), bool)
    joined[wirings()[wiring] or ()] = True
    np.testing.assert_allclose(found, np.where(joined.T, expected, start), rtol=0, atol=1e-12)
    assert np.abs(expected - start).max() > 0.02
    if bounds["w_max"] < 1.0:
        assert set(bounds.values()) <= set(expected.ravel().tolist())


def test_a_late_spike_meets_the_potential_when_it_arrives():
    u, trains, start = restless(STEPS, 2), trains_of(3), np.full((2, 3), 0.5)
    lags = np.array([[0, 5], [17, 3], [9, 9]])
    everybody = np.nonzero(np.ones((3, 2)))
    found = clamped(FAST, u, trains, start, everybody, delay=lags.ravel() * DT)
    for j, i in zip(*everybody, strict=True):
        arrivals = [[k + lags[j, i] for k in trains[j]]]
        expected = twin_of(FAST, u[:, i : i + 1], arrivals, start[i : i + 1, j : j + 1], 11)
        assert found[i, j] == pytest.approx(expected[0, 0], abs=1e-12)


def test_depression_slides_with_the_potential():
    """The scale at a step is the average of the squares up to the one before."""
    u, trains, start = restless(STEPS, 2), trains_of(3), np.full((2, 3), 0.5)
    threshold = PotentialThreshold(u_ref=9e-3, E_L=-70e-3, tau=5e-3)
    kept, square = math.exp(-DT / threshold.tau), np.full(2, threshold.u_ref**2)
    scale = np.empty_like(u)
    for k in range(STEPS):
        scale[k] = square / threshold.u_ref**2
        square = kept * square + (1.0 - kept) * np.maximum(u[k] - threshold.E_L, 0.0) ** 2
    rule = FAST._replace(threshold=threshold)
    np.testing.assert_allclose(
        clamped(rule, u, trains, start), twin_of(FAST, u, trains, start, 11, scale), rtol=0, atol=1e-12
    )
    assert scale.max() > 2.0 > 1.0 > scale.min()


def test_single_precision_is_right_to_its_digits():
    """Of what weights change by: sums grow by exp(10) before they are rescaled, which costs four or five digits of seven."""
    u, trains, start = restless(STEPS, 5), trains_of(8), np.full((5, 8), 0.5)
    double, single = (clamped(FAST, u, trains, start, precision=each) for each in ("double", "single"))
    np.testing.assert_allclose(single, double, rtol=0, atol=2e-3 * np.abs(double - start).max())
    assert (single != double).any()


# Clamped at one potential -----------------------------------------------------------------------------------------------

PERIOD, N_SPIKES, TAIL = 40, 50, 700  # ms; 25 Hz for 2 s
CLAMPS = np.arange(-80.0, 5.0, 2.5) * 1e-3  # V


@pytest.mark.parametrize(
    "rule, zero", [(VOLTAGE_VISUAL_CORTEX, -43.6e-3), (VOLTAGE_HIPPOCAMPUS, -19.6e-3)], ids=["cortex", "hippocampus"]
)
def test_under_a_voltage_clamp_the_sign_changes_with_the_voltage(rule, zero):
    """Averages are at the clamp: a spike takes A_LTD [u - theta_minus]+ and gives A_LTP [u - theta_plus]+ [u - theta_minus]+ times the area of its trace,
    which is one but for the step. That is zero at theta_plus + A_LTD / A_LTP / area; a reimplementation has it about -20 mV in hippocampus."""
    dt, levels = 1e-3, CLAMPS
    trains = [[500 + PERIOD * k for k in range(N_SPIKES)]]
    potentials = np.tile(levels, (trains[0][-1] + TAIL, 1))
    start = np.full((len(levels), 1), 50.0)
    change = clamped(rule._replace(w_max=1e3), potentials, trains, start, dt=dt)[:, 0] - 50.0
    area = dt / rule.tau_x / -math.expm1(-dt / rule.tau_x)
    above, potentiating = (np.maximum(levels - theta, 0.0) for theta in (rule.theta_minus, rule.theta_plus))
    np.testing.assert_allclose(change, N_SPIKES * above * (rule.A_LTP * potentiating * area - rule.A_LTD), atol=1e-11)
    assert (change[levels < rule.theta_minus] == 0.0).all()
    assert (change[(levels > rule.theta_minus) & (levels < rule.theta_plus)] < 0.0).all()
    last = np.flatnonzero(change < 0.0)[-1]
    crossing = np.interp(0.0, change[last : last + 2] / above[last : last + 2], levels[last : last + 2])
    assert crossing == pytest.approx(rule.theta_plus + rule.A_LTD / rule.A_LTP / area, abs=1e-9)
    assert crossing == pytest.approx(zero, abs=0.1e-3) and (change[levels > crossing] > 0.0).all()


def test_the_square_of_a_clamp_comes_to_rest_with_its_time_constant():
    threshold, dt, level = PotentialThreshold(), 1e-3, -50e-3
    state = threshold.init(1)
    for k in range(1200):
        assert threshold.depression(state, 0, threshold.fading(state, k * dt)) == pytest.approx(
            math.exp(-k * dt / 1.2) + (20.6e-3 / 7.746e-3) ** 2 * -math.expm1(-k * dt / 1.2), rel=1e-9
        )
        threshold.add_potentials(state, np.array([level]), dt)
    assert threshold.u_ref**2 == pytest.approx(60e-6, rel=1e-4)


# Pairs of spikes --------------------------------------------------------------------------------------------------------

KICK = 80e-3  # V that makes a cell fire at once


def recorded(trains, end):
    """Given trains of spikes [s]."""
    times, sources = np.concatenate(trains), np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    order = np.argsort(times, kind="stable")
    return RecordedSpikes(times[order], sources[order], end)


def paired(rule, cell, pre, post, epsp, dt=DT, late=0.0):
    """Relative change of the weight of each of several cells, each with spikes [s] of its own; epsp: at the start [V]; the spikes of the cells, how many."""
    n, end = len(pre), max(train[-1] for train in pre + post) + 0.3
    sources, kicks = (Population(name, n, recorded(side, end)) for name, side in (("pre", pre), ("post", post)))
    cells = Population("cells", n, cell)
    learning = Projection(sources, cells, epsp, rule._replace(eta=2.0 * epsp), connectivity=OneToOne(), name="learning")
    kicking = Projection(kicks, cells, KICK, connectivity=OneToOne(), delay=late)
    run = ClockRun(Network([sources, kicks, cells], [learning, kicking]), 1, "spike", {"cells": (0.0, 1e3)}, dt)
    run.to(round(end / dt) * dt)
    fired = np.bincount(run.take_spikes()["cells"].i, minlength=n)
    assert fired.tolist() == [len(train) for train in post]
    return run.weights_of(learning) / epsp - 1.0


def test_pairs_change_as_much_as_in_another_simulator():
    """NEST's test of its clopath_synapse with aeif_psc_delta_clopath: five pairs at 10, 30 and 50 Hz, the change fifteen times, in per cent.

    Its neuron has a threshold of +30.4 mV after a spike and adaptation of 0.0805 pA. Threshold and after-current decay there from the start of the spike and here
    from its end, 2 ms later. It notices a spike a step later than the jump that makes it, and is at the height of the spike for that step in the averages, but not in
    potentiation. What is left is 1 % or so of the change.
    """
    pre = [[29, 129, 229, 329, 429], [29, 62.3, 95.7, 129, 162.3], [29, 49, 69, 89, 109]]
    pre += [[129, 229, 329, 429, 529, 629], [62.3, 95.6, 129, 162.3, 195.6, 229], [49, 69, 89, 109, 129, 149]]
    post = [[19, 119, 219, 319, 419], [19, 52.3, 85.7, 119, 152.3], [19, 39, 59, 79, 99]]
    post += [[139, 239, 339, 439, 539], [72.3, 105.6, 139, 172.3, 205.6], [59, 79, 99, 119, 139]]
    neuron = AdEx(V_peak=33e-3, V_spike=33e-3, V_reset=-49.6e-3, b=0.0805e-12)
    left_T, left_z = math.exp(-2e-3 / neuron.tau_VT), math.exp(-2e-3 / neuron.tau_z)
    neuron = neuron._replace(V_Tmax=neuron.V_Trest + 80.8e-3 * left_T, I_sp=neuron.I_sp * left_z)
    in_seconds = ([[1e-3 * t for t in train] for train in trains] for trains in (pre, post))
    change = 1500.0 * paired(VOLTAGE_VISUAL_CORTEX._replace(delay=4e-3), neuron, *in_seconds, 0.5e-3, late=DT)
    theirs = np.array([57.82638722, 72.16730112, 149.43359357, 103.30408341, 124.03640668, 157.02882555]) - 100.0
    np.testing.assert_allclose(change, theirs, rtol=0, atol=0.4)


def frequency_curves(rule, cell, frequencies=FREQUENCIES, n_pairs=60, weak=1e-6):
    """lag -> relative change by 60 pairs at each frequency [Hz], the weight too weak to be felt; below 1 Hz pairs are on their own."""
    trains = []
    for lag in DATA:
        for f in frequencies:
            pre = np.arange(n_pairs if f >= 1.0 else 1) / f + 0.1
            trains.append((pre.tolist(), (pre + lag).tolist()))
    change = paired(rule._replace(w_max=100.0), cell, *(list(side) for side in zip(*trains, strict=True)), weak)
    change[np.tile(np.array(frequencies) < 1.0, 2)] *= n_pairs
    return dict(zip(DATA, change.reshape(2, -1), strict=True))


def test_pairs_of_any_frequency_change_what_they_did_in_slices():
    """Sjostrom, Turrigiano & Nelson 2001, to within their errors, with hardly any adaptation, as in the code that the rule was published with."""
    curves = frequency_curves(VOLTAGE_VISUAL_CORTEX, AdEx(b=0.0805e-12))
    misfit = np.mean([((curves[lag] - DATA[lag]) / np.array(ERRORS[lag])) ** 2 for lag in DATA])
    assert misfit < 1.0
    before, after = curves[+10e-3], curves[-10e-3]
    assert abs(before[0]) < 0.05 and (np.diff(before) > 0.0).all()
    assert (after[:3] < -0.25).all() and (after[3:] > 0.0).all()


def test_the_equations_alone_turn_post_before_pre_near_30_hz():
    """Without the delay of the averages, by 60 pairs: at 50 Hz the trains of the two orders are one but for their ends, and so is what they do."""
    frequencies = (10.0, 20.0, 25.0, 30.0, 35.0, 40.0, 50.0)
    curves = frequency_curves(VOLTAGE_VISUAL_CORTEX._replace(delay=0.0), AdEx(), frequencies)
    before, after = curves[+10e-3], curves[-10e-3]
    assert np.interp(0.0, after, frequencies) == pytest.approx(30.0, abs=2.0)
    assert after[-1] == pytest.approx(before[-1], rel=2.0 / 60.0) and after[-1] > 0.5
    assert (before > after).all() and after[0] < -0.2


# Bursts: sixty times, far apart, one spike of the source and some of the target [s from it] ------------------------------

BURST_RATES, BURST_LAGS = (20.0, 40.0, 60.0, 80.0, 100.0), np.arange(-100, 61, 10) * 1e-3
AFTER, BEFORE = +10e-3, -10e-3  # of the spike of the burst that is nearest


def burst(lag, n=3, frequency=50.0):
    """n spikes that begin `lag` after the presynaptic one, or end as long before it."""
    return np.sort(lag + math.copysign(1.0, lag) * np.arange(n) / frequency)


def burst_changes(rule, cell, bursts, weak=1e-6):
    """Relative change by sixty of each, the weight too weak to be felt."""
    post = [(0.3 + each).tolist() for each in bursts]
    return 60.0 * paired(rule._replace(w_max=100.0), cell, [[0.3]] * len(post), post, weak)


def test_bursts_change_more_than_single_spikes_and_fast_ones_most():
    """As Nevian & Sakmann (2006) found in slices, and as the paper's code and Larisch (2019) have it: a single spike after the presynaptic one does next to
    nothing, several potentiate; those before it depress, several more so; and both the more, the faster they come."""
    rule, cell = VOLTAGE_VISUAL_CORTEX, AdEx(b=0.0805e-12)
    for lag, sign in ((AFTER, 1.0), (BEFORE, -1.0)):
        by_number = sign * burst_changes(rule, cell, [burst(lag, n) for n in (1, 2, 3)])
        by_frequency = sign * burst_changes(rule, cell, [burst(lag, 3, f) for f in BURST_RATES])
        assert (np.diff(by_number) > 0.0).all() and (np.diff(by_frequency) > 0.0).all()
        assert by_number[-1] == pytest.approx(np.interp(50.0, BURST_RATES, by_frequency), abs=0.02)
        assert by_number[1] > 0.2 and (abs(by_number[0]) < 0.05 if sign > 0.0 else by_number[0] > 0.2)
        shown = " | ".join(f"{sign * each:.2f}" for each in (*by_number, by_frequency[0], by_frequency[-1]))
        assert f"| {shown.replace('-', '−')} |" in RULES_PAGE


def test_a_burst_depresses_what_comes_after_it_and_potentiates_what_comes_before_its_last_spike():
    """Of three spikes at 50 Hz that begin `lag` after the presynaptic one: what counts is whether another spike follows that one."""
    rule, cell = VOLTAGE_VISUAL_CORTEX, AdEx(b=0.0805e-12)
    change = burst_changes(rule, cell, [lag + np.arange(3) / 50.0 for lag in BURST_LAGS])
    over = BURST_LAGS < -45e-3
    assert (change[over] < 0.0).all() and (np.diff(change[over]) < 0.0).all()
    assert (change[~over] > 0.0).all() and (np.diff(change[BURST_LAGS > -5e-3]) < 0.0).all()
    assert BURST_LAGS[np.argmax(change)] == pytest.approx(-20e-3) and change[-1] < 0.02


def test_the_window_has_the_time_constants_of_the_traces():
    """Single pairs. A spike of the target meets what is left of the presynaptic trace; a presynaptic spike meets what is left of the spike of the target."""
    lags = np.array([4.0, 8.0, 12.0, 20.0, 30.0]) * 1e-3
    times = 0.1 + np.concatenate([lags, -lags])
    rule = VOLTAGE_VISUAL_CORTEX._replace(delay=0.0, w_max=100.0)
    calm = AdEx(I_sp=0.0, b=0.0, a=0.0, V_reset=-70.6e-3)
    change = paired(rule, calm, [[0.1]] * 10, [[t] for t in times], 1e-6)
    potentiation, depression = change[:5], -change[5:]
    assert (potentiation > 0.0).all() and (depression > 0.0).all()
    np.testing.assert_allclose(potentiation / potentiation[0], np.exp((lags[0] - lags) / rule.tau_x), rtol=1e-3)
    kept, jump = math.exp(-DT / rule.tau_minus), rule.theta_minus + KICK
    low = (31.1e-3 - rule.theta_minus) * (1.0 - kept**20) * kept ** np.rint(lags / DT - 21)
    low += (jump - rule.theta_minus) * (1.0 - kept) * kept ** np.rint(lags / DT - 1)
    np.testing.assert_allclose(depression, 2.0 * rule.A_LTD * low, rtol=1e-3)


# Ten cells that are all joined to each other -----------------------------------------------------------------------------

START = 0.5  # of the weights, in units of 1 mV


def connections(rule, trains, duration):
    """(10, 10) weights from each cell onto each other one after they were made to fire so. The idle input is there to share the loop of pairs."""
    idle, kicks = Population("idle", 1, recorded([[1e-3]], 1.0)), Population("kicks", 10, recorded(trains, duration))
    cells, everybody = Population("cells", 10, AdEx()), AllToAll(self_connections=0)
    rule = rule._replace(eta=1e-3, w_max=3e-3)
    loop = Projection(cells, cells, 1e-3 * START, rule, connectivity=everybody, delay=1e-3, name="loop")
    kicking = Projection(kicks, cells, KICK, connectivity=OneToOne())
    run = ClockRun(Network([idle, kicks, cells], [loop, kicking]), 1, "spike", {"cells": (0.0, duration)}, DT)
    run.to(duration)
    weights = np.full((10, 10), np.nan)
    weights[loop.wiring.pre, loop.wiring.post] = 1e3 * run.weights_of(loop)
    return weights


def test_an_order_of_firing_makes_connections_along_it():
    """One after the other, 20 ms apart, round and round: each strengthens its synapse onto the next, and loses that onto the one before."""
    trains = [(0.01 + 0.02 * i + 0.2 * np.arange(195)).tolist() for i in range(10)]
    weights = connections(VOLTAGE_VISUAL_CORTEX._replace(delay=0.0), trains, 40.0)
    along, against = (np.array([weights[i, (i + step) % 10] for i in range(10)]) for step in (1, -1))
    assert (along > 1.5 * START).all() and (against < 0.5 * START).all()


def test_high_rates_make_connections_of_both_directions():
    """Independent trains of 2 to 20 Hz: those that fire often together are joined both ways, and those that seldom do are parted both ways."""
    rng = np.random.default_rng(1)
    trains = [np.sort(rng.uniform(0.0, 99.0, rng.poisson(rate * 100.0))).tolist() for rate in np.linspace(2, 20, 10)]
    weights = connections(VOLTAGE_VISUAL_CORTEX, trains, 100.0)
    slow, fast = weights[:4, :4], weights[6:, 6:]
    assert np.nanmax(slow) < START and np.nanmin(fast) > 1.5 * START


# Shards ----------------------------------------------------------------------------------------------------------------


def test_each_shard_sees_the_potentials_of_its_own_cells(monkeypatch):
    """Recurrent cells whose weights are scaled by their spikes, too: the same bits in one shard and in three, on one thread and on three."""
    rule = VoltageSTDP(eta=0.02, w_max=0.03, threshold=PotentialThreshold(tau=0.02))
    inputs, cells = Population("inputs", 6, HomogeneousPoisson(120.0)), Population("cells", 6, AdEx())
    feed = Projection(inputs, cells, 0.02, rule, connectivity=FixedInDegree(4), name="feed")
    scaling = SynapticScaling(rho_0=40.0, tau=0.05, beta=0.02, every=0.02)
    loop = Projection(cells, cells, 1e-3, rule, delay=1e-3, normalisation=scaling, name="loop")
    network = Network([inputs, cells], [feed, loop])
    weights, n_shards = [], []
    for per_shard, threads in ((4096, 1), (2, 1), (2, 3)):
        monkeypatch.setattr(clock_run, "CELLS_PER_SHARD", per_shard)
        with interpreted():
            run = ClockRun(network, 1, "spike", {}, DT, threads=threads)
            run.to(0.05)
        weights.append([run.weights_of(each) for each in network.projections])
        n_shards.append(run.n_shards)
    assert n_shards == [1, 3, 3] and run.spikes_of(cells).min() > 1
    for each in weights[1:]:
        assert all((one == other).all() for one, other in zip(each, weights[0], strict=True))
    assert all(np.ptp(each) > 0 for each in weights[0])


# What it takes ----------------------------------------------------------------------------------------------------------


def network(rule=None, cell: Any = None, **options):
    """An input onto two cells."""
    inputs = Population("inputs", 3, RecordedSpikes(np.array([0.1]), np.array([0]), 1.0))
    cells = Population("cells", 2, cell or AdEx())
    return Network([inputs, cells], [Projection(inputs, cells, 0.1, rule or VoltageSTDP(), **options)])


@pytest.mark.parametrize(
    "part, field",
    [
        (VoltageSTDP(A_LTD=-1.0), "A_LTD"),
        (VoltageSTDP(theta_plus=math.inf), "theta_plus"),
        (VoltageSTDP(tau_x=0.0), "tau_x"),
        (VoltageSTDP(delay=-1e-3), "delay"),
        (VoltageSTDP(delay=1.0), "delay"),
        (VoltageSTDP(w_min=2.0), "w_max"),
        (VoltageSTDP(threshold=3.0), "threshold"),
        (VoltageSTDP(threshold=PotentialThreshold(tau=0.0)), "tau"),
        (PotentialThreshold(u_ref=0.0), "u_ref"),
        (PotentialThreshold(u_ref=1e200), "u_ref"),
        (MeanSquareThreshold(rho_0=1e-200), "rho_0"),
        (Triplet(threshold=PotentialThreshold()), "threshold"),
    ],
)
def test_a_bad_parameter_is_named(part, field):
    with pytest.raises(ParameterError) as caught:
        part.check()
    assert caught.value.field == field and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "given, words",
    [
        ({"cell": LinearPoisson()}, "inputs_to_cells.rule: must see no potential onto LinearPoisson, which has none"),
        ({"dendritic_delay": 1e-3}, "inputs_to_cells.dendritic_delay: must be 0 for VoltageSTDP, which sees the potential"),
    ],
)  # fmt: skip
def test_where_there_is_no_potential_it_says_so(given, words):
    with pytest.raises(ParameterError, match=words.replace(".", r"\.")):
        network(**given)


@pytest.mark.parametrize(
    "delay, dt, words",
    [
        (0.4e-3, 1e-3, "must be 0 or at least half of dt = 0.001 s, got 0.0004"),
        (4e-3, 1e-20, "must be at most 65,536 steps of dt = 1e-20 s"),
    ],
)
def test_a_delay_that_steps_would_lose_or_that_has_too_many_is_named(delay, dt, words):
    with pytest.raises(ParameterError, match=r"VoltageSTDP\.delay: " + words):
        simulate(network(VoltageSTDP(delay=delay)), 100 * dt, dt=dt)


def test_a_file_has_it():
    described = network(VOLTAGE_HIPPOCAMPUS._replace(threshold=PotentialThreshold(u_ref=5e-3)))
    text = to_toml(from_network(described, duration=1.0))
    assert 'theta_minus = "-41 mV"' in text and 'u_ref = "5 mV"' in text
    assert loads(text).network().projections[0].rule == described.projections[0].rule


@pytest.mark.parametrize("threshold", [FixedThreshold(), SlidingThreshold(tau=0.2), PotentialThreshold()], ids=type)
@pytest.mark.parametrize("cell", [AdEx(), LIF()], ids=type)
def test_any_threshold_goes_with_it_onto_any_cells_with_a_potential(threshold, cell):
    described = network(VoltageSTDP(threshold=threshold), cell)
    with interpreted():
        run = ClockRun(described, 1, "spike", {}, DT)
        run.to(0.15)
    assert np.isfinite(run.weights).all()
