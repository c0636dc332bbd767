"""Every input, run by itself: its measured rates and covariance against the stated ones, and the contract that all of them keep."""

from __future__ import annotations

import math
import zipfile

import numpy as np
import pytest

from hebbscope.models.inputs import (
    CommonSourcePoisson,
    HomogeneousPoisson,
    ModulatedPoisson,
    OrnsteinUhlenbeckPoisson,
    PatternPoisson,
    RecordedSpikes,
    read_spikes,
)
from hebbscope.models.inputs.alias import alias_table, pick
from hebbscope.models.inputs.common_source import add, find
from hebbscope.models.inputs.modulated import cosine
from hebbscope.models.inputs.ornstein_uhlenbeck import hermite_of_clip
from hebbscope.simulator.cast import cast
from hebbscope.simulator.compile import compiled
from hebbscope.simulator.dispatch import classes_of
from hebbscope.simulator.protocols import (
    Cosine,
    Cycle,
    Delta,
    Empirical,
    Exponential,
    HebbscopeError,
    ParameterError,
    Sine,
    Triangle,
)
from hebbscope.simulator.streams import exponential, start

N = 4
PATTERNS = np.array([[5.0, 40.0, 0.0, 20.0], [30.0, 0.0, 10.0, 20.0], [0.0, 10.0, 50.0, 20.0]], np.float32)
RECORDING = RecordedSpikes(np.array([0.0, 0.1, 0.1, 0.1, 0.25, 0.4]), np.array([0, 1, 2, 1, 3, 0]), 0.5, 1)
INPUTS = {
    "homogeneous": HomogeneousPoisson(20.0),
    "homogeneous, unequal": HomogeneousPoisson(np.array([5.0, 0.0, 20.0, 40.0])),
    "modulated": ModulatedPoisson(20.0, 15.0, 20.0, 0.7, n_modulated=2),
    "modulated, mixed": ModulatedPoisson(
        np.array([20.0, 25.0, 20.0, 15.0]),
        np.array([20.0, 0.0, -12.0, 14.0]),
        np.array([20.0, 20.0, 20.0, 33.0]),
        np.array([0.3, 0.0, 1.8, 0.0]),
    ),
    "Ornstein-Uhlenbeck": OrnsteinUhlenbeckPoisson(40.0, 30.0, 10e-3, n_modulated=3),
    "Ornstein-Uhlenbeck, clipped": OrnsteinUhlenbeckPoisson(
        np.array([30.0, 20.0, 10.0, 20.0]), np.array([60.0, 20.0, 5.0, 0.0]), 10e-3
    ),
    "common source": CommonSourcePoisson(20.0, 0.3, 0.0, n_correlated=3),
    "common source, jitter": CommonSourcePoisson(20.0, 0.3, 8e-3, n_correlated=3),
    "common source, all": CommonSourcePoisson(20.0, 1.0, 0.0, n_correlated=4),
    "common source, none": CommonSourcePoisson(20.0, 0.0, 5e-3, n_correlated=4),
    "patterns": PatternPoisson(PATTERNS, 30e-3),
    "patterns, in order": PatternPoisson(PATTERNS, 30e-3, 1),
    "patterns, many": PatternPoisson(np.concatenate([PATTERNS, PATTERNS[::-1] + 1, 0.5 * PATTERNS]), 30e-3),
}
EVERY = {**INPUTS, "recorded": RECORDING}
POISSON = pytest.mark.parametrize("name", INPUTS)
EACH = pytest.mark.parametrize("name", EVERY)


# Running an input by itself -----------------------------------------------------------------------------------------


def drive(part, state, pending, t_end, rng, latent, t, i):
    """The event loop with nothing but an input: fills t [s] and i with its spikes before t_end; returns how many. pending (1,): next candidate."""
    count = 0
    while True:
        t_wake = part.next_wake(state)
        now = min(pending[0], t_wake)
        if now >= t_end:
            return count
        if now == t_wake:
            n_new = part.wake(state, now, rng, latent)
        else:
            n_new = part.draw(state, now, rng, latent)
        for k in range(n_new):
            t[count] = now
            i[count] = state.sources[k]
            count += 1
        rate = part.candidate_rate(state)
        pending[0] = now + exponential(rng) / rate if rate > 0.0 else math.inf


LOOPS = {}


def loop_of(part, state):
    """The compiled `drive`; asking for it once for each set of classes saves time here, where runs are many and short."""
    classes = tuple(classes_of([part, state]))
    if classes not in LOOPS:
        LOOPS[classes] = compiled(drive, [part, state])
    return LOOPS[classes]


def spikes_of(part, n, copies, ends, seed, jit=True):
    """(times, trains) of one run, cut into calls that end at `ends`."""
    part.check(n)
    part = cast(part)
    state = part.init(n, copies)
    rng, latent = start(seed, "input"), start(seed, "latent")
    with np.errstate(over="ignore"):
        rate = part.candidate_rate(state)
        pending = np.array([exponential(rng) / rate if rate > 0.0 else math.inf])
        run = loop_of(part, state) if jit else drive
        room = 1000 + int(3 * ends[-1] * copies * part.mean_rates(n).sum())
        t, i = np.zeros(room), np.zeros(room, np.int64)
        count = 0
        for t_end in ends:
            count += run(part, state, pending, t_end, rng, latent, t[count:], i[count:])
    return t[:count], i[:count]


# Measured against stated --------------------------------------------------------------------------------------------


def area(kernel, low, high):
    """int_low^high kernel(s) ds, a number or a matrix."""
    if isinstance(kernel, Delta):
        return kernel.weight * (low <= 0.0 < high)
    s = np.linspace(low, high, 4001)
    match kernel:
        case Cosine(f):
            values = np.cos(2 * np.pi * f * s)
        case Sine(f):
            values = np.sin(2 * np.pi * f * s)
        case Exponential(tau):
            values = np.exp(-np.abs(s) / tau)
        case Triangle(width, shift):
            values = np.maximum(1.0 - np.abs(s - shift) / width, 0.0)
        case Cycle():
            return np.trapezoid([kernel.value(each) for each in s[::100]], s[::100], axis=0)
    return np.trapezoid(values, s)


def stated(part, n, copies, edges):
    """(n_bins, copies * n, copies * n): the integral of the stated covariance, own atoms included, over each bin of lags."""
    total = np.zeros((len(edges) - 1, copies * n, copies * n))
    for k, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        for term in part.covariance(n):
            total[k] += np.tile(term.by(area(term.kernel, low, high)) @ term.right.T, (copies, copies))
        for own, kernel in part.atom(n):
            total[k] += np.diag(np.tile(own, copies)) * area(kernel, low, high)
    return total


def measured(t, i, rates, duration, edges, n_blocks=100):
    """(n_blocks, n_bins, m, m): as `stated`, from each block of time alone; `rates` (m,) are the stated ones of all trains."""
    m, width = len(rates), np.diff(edges)
    starts = np.linspace(-edges[0], duration - edges[-1], n_blocks + 1)
    blocks = []
    for begin, end in zip(starts[:-1], starts[1:], strict=True):
        reference = np.arange(*np.searchsorted(t, [begin, end]))
        low, high = np.searchsorted(t, t[reference] + edges[0]), np.searchsorted(t, t[reference] + edges[-1])
        j = np.repeat(reference, high - low)
        other = np.arange(len(j)) - np.repeat(np.cumsum(high - low) - high, high - low)
        bins = np.searchsorted(edges, t[other] - t[j], "right") - 1
        kept = (bins >= 0) & (bins < len(width))
        cell = (bins * m + i[other]) * m + i[j]
        counts = np.bincount(cell[kept], minlength=len(width) * m * m).reshape(len(width), m, m)
        blocks.append(counts / (end - begin) - width[:, None, None] * np.outer(rates, rates))
    return np.array(blocks)


def with_error(blocks):
    """Mean over blocks and its standard error."""
    return blocks.mean(axis=0), blocks.std(axis=0, ddof=1) / math.sqrt(len(blocks))


@POISSON
def test_rates_are_those_stated(name):
    """Counts in blocks of 2 s against the mean rates, of both copies: 8 trains, each within 4 standard errors of at most 5 %."""
    part, duration = INPUTS[name], 1200.0
    t, i = spikes_of(part, N, 2, [duration], seed=1)
    counts = np.histogram2d(t, i, [np.linspace(0.0, duration, 601), np.arange(2 * N + 1)])[0] / 2.0
    estimate, error = with_error(counts)
    rates = np.tile(part.mean_rates(N), 2)
    assert np.all(np.abs(estimate - rates) <= 4.0 * error)
    assert np.all(error <= 0.05 * rates)


@POISSON
def test_covariance_is_that_stated(name):
    """All pairs of trains and of their twins, lag by lag: 64 pairs x 9 bins, each within 4.7 standard errors, their mean square near 1.

    Then the amplitude of the stated covariance in the measured one, once between the trains of one copy and once between
    trains and twins (where i = j counts as well): 1 within 3.5 standard errors of at most 5 %.
    """
    part, duration, edges = INPUTS[name], 1200.0, np.linspace(-45e-3, 45e-3, 10)
    t, i = spikes_of(part, N, 2, [duration], seed=2)
    blocks = measured(t, i, np.tile(part.mean_rates(N), 2), duration, edges)
    estimate, error = with_error(blocks)
    truth = stated(part, N, 2, edges)
    seen = error > 0.0
    assert np.allclose(estimate[~seen], truth[~seen], atol=1e-12)
    z = (estimate - truth)[seen] / error[seen]
    assert np.abs(z).max() < 4.7
    assert np.mean(z**2) < 2.0  # 1 but for the correlation between pairs that share a source
    copy = np.arange(2 * N) // N
    twins = copy[:, None] != copy
    for pairs in (~twins & ~np.eye(2 * N, dtype=bool), twins):
        expected = truth * pairs
        if not expected.any():
            assert not part.covariance(N)
            continue
        amplitude, uncertain = with_error(np.sum(blocks * expected, axis=(1, 2, 3)) / np.sum(expected**2))
        assert uncertain <= 0.05
        assert abs(amplitude - 1.0) <= 3.5 * uncertain


def test_the_modulation_has_the_stated_phase():
    """Spikes folded on one period against rate + amplitude cos(2 pi f t + phase): 20 bins, each within 4 standard errors (Poisson)."""
    part, duration = ModulatedPoisson(20.0, 15.0, 20.0, 0.7, n_modulated=2), 2000.0
    t, i = spikes_of(part, N, 1, [duration], seed=3)
    edges = np.linspace(0.0, 1.0, 21)
    folded = np.histogram((t[i >= 2] * 20.0) % 1.0, edges)[0]
    wave = 20.0 / 20 + 15.0 * np.diff(np.sin(2 * np.pi * edges + 0.7)) / (2 * np.pi)
    expected = 2 * duration * wave
    assert np.all(np.abs(folded - expected) <= 4.0 * np.sqrt(expected))


def test_jittered_trains_have_their_rate_from_the_start():
    """Spikes in the first 4 ms, half the jitter, of 2500 runs: within 4 standard errors of at most 5 %; without those waiting, a third."""
    part = CommonSourcePoisson(40.0, 0.5, 8e-3, n_correlated=4)
    first = [len(spikes_of(part, N, 1, [4e-3], seed)[0]) for seed in range(2500)]
    estimate, error = np.mean(first) / 4e-3, np.std(first) / math.sqrt(2500) / 4e-3
    assert error <= 0.05 * 160.0
    assert abs(estimate - 160.0) <= 4.0 * error


def test_coincidences_of_a_common_source():
    """Without jitter, spikes of one event carry one time; c = 1 makes every train fire at each of them."""
    t, i = spikes_of(INPUTS["common source, all"], N, 2, [50.0], seed=4)
    assert len(t) > 0
    assert np.array_equal(i, np.tile(np.arange(2 * N), len(t) // (2 * N)))
    assert np.all(t.reshape(-1, 2 * N) == t[:: 2 * N, None])


def test_a_coefficient_near_zero_is_the_limit():
    tiny = CommonSourcePoisson(20.0, 1e-300, 0.0, 4)
    assert tiny.candidate_rate(tiny.init(N, 2)) == pytest.approx(2 * N * 20.0, rel=1e-12)
    t, _ = spikes_of(tiny, N, 2, [500.0], seed=5)
    assert len(t) == pytest.approx(80_000, abs=4 * math.sqrt(80_000))


# Patterns and recordings --------------------------------------------------------------------------------------------


def test_patterns_come_in_order_and_hold():
    part = cast(PatternPoisson(PATTERNS, 2.0, 1))
    state = part.init(N, 1)
    out, shown = np.zeros(N), []
    for k in range(7):
        assert part.next_wake(state) == 2.0 * k
        assert part.wake(state, 2.0 * k, start(1, "input"), start(1, "latent")) == 0
        part.rates(state, 0.0, None, out)
        shown.append(out.copy())
        assert part.candidate_rate(state) == pytest.approx(out.sum(), rel=1e-12)
    assert np.array_equal(shown, PATTERNS[[0, 1, 2, 0, 1, 2, 0]])


def test_the_order_of_patterns_is_the_latents_alone():
    """Another stream of spikes, and the surrogate's two copies, see the same patterns; each pattern comes as often as the others."""
    part = cast(PatternPoisson(PATTERNS, 0.1))
    seen = []
    for copies, seed in ((1, 1), (2, 99)):
        state, rng, latent = part.init(N, copies), start(seed, "input"), start(1, "latent")
        order = []
        with np.errstate(over="ignore"):
            for k in range(900):
                part.wake(state, 0.1 * k, rng, latent)
                part.draw(state, 0.1 * k, rng, latent)
                order.append(int(state.current[0]))
        seen.append(order)
    assert seen[0] == seen[1]
    assert np.all(np.abs(np.bincount(seen[0]) - 300) <= 4 * math.sqrt(200))


def test_factors_of_the_pattern_covariance():
    """Few patterns (rank of the patterns) and many (rank of the synapses) give the matrix that numpy gives, from single precision too."""
    many = np.random.default_rng(1).random((9000, N)).astype(np.float32) * 30
    for patterns in (PATTERNS, many):
        (term,) = PatternPoisson(patterns, 0.2).covariance(N)
        assert term.kernel == Triangle(0.2)
        assert np.allclose(term.left @ term.right.T, np.cov(patterns.T, bias=True), rtol=1e-6)
    for patterns in (PATTERNS[:3], many):
        (term,) = PatternPoisson(patterns, 0.4, 1).covariance(N)
        centred, n_patterns = patterns - patterns.mean(axis=0, dtype=float), len(patterns)
        for m in (-2, 0, 1, 3, n_patterns):
            here, ahead = (np.roll(centred, -k, axis=0).T @ centred / n_patterns for k in (m, m + 1))
            expected = 0.75 * here + 0.25 * ahead  # a quarter of a presentation later
            assert np.allclose(term.by(term.kernel.value((m + 0.25) * 0.4)) @ term.right.T, expected, atol=1e-6)


def test_a_recording_is_played_as_it_is():
    t, i = spikes_of(RECORDING, N, 1, [1.5], seed=1)
    assert np.allclose(t, np.concatenate([RECORDING.times + 0.5 * lap for lap in range(3)]), atol=1e-12)
    assert np.array_equal(i, np.tile(RECORDING.sources, 3))
    t, i = spikes_of(RECORDING._replace(loop=0), N, 1, [1.5], seed=1)
    assert np.array_equal(t, RECORDING.times)
    assert np.array_equal(i, RECORDING.sources)


def test_more_spikes_at_one_time_than_trains():
    part = RecordedSpikes(np.array([0.2, 0.2, 0.2, 0.5]), np.zeros(4, np.int64), 0.5, 1)
    t, _ = spikes_of(part, 1, 1, [0.8], seed=1)
    assert np.allclose(t, [0.2, 0.2, 0.2, 0.5, 0.7, 0.7, 0.7])


def test_a_recording_has_no_surrogate():
    with pytest.raises(ParameterError, match="no independent copy"):
        RECORDING.init(N, 2)


@pytest.mark.parametrize("loop", [0, 1])
def test_covariance_of_a_recording(loop):
    """Against a plain sum over all pairs, repetitions of the recording included, for a lopsided response that reaches beyond its end."""
    part = RECORDING._replace(loop=loop)
    (term,) = part.covariance(N)

    def response(s):
        return np.exp(-30.0 * np.abs(s)) * (1.0 + 45.0 * max(s, 0.0))

    expected = np.zeros((N, N))
    for f, (t_f, i) in enumerate(zip(part.times, part.sources, strict=True)):
        for lap in range(-3, 4) if loop else (0,):
            for g, (t_g, j) in enumerate(zip(part.times, part.sources, strict=True)):
                if (lap, f) != (0, g):
                    expected[i, j] += response(t_f - t_g - 0.5 * lap) / 0.5
    expected -= (2 / 30 + 45 / 30**2) * np.outer(part.mean_rates(N), part.mean_rates(N))
    assert isinstance(term.kernel, Empirical)
    found = term.kernel.filtered([(1.0, 0, 30.0)], [(1.0, 0, 30.0), (45.0, 1, 30.0)], 1.5, 2 / 30 + 45 / 30**2)
    assert np.allclose(term.left @ found @ term.right.T, expected)
    assert np.array_equal(part.mean_rates(N), [4.0, 4.0, 2.0, 2.0])


# Reading files ------------------------------------------------------------------------------------------------------


def sonata(path, t, i, units="ms", population="lgn"):
    import h5py

    with h5py.File(path, "a") as file:
        group = file.create_group(f"spikes/{population}")
        group["timestamps"] = np.asarray(t, float)
        group["node_ids"] = np.asarray(i, np.uint64)
        if units:
            group["timestamps"].attrs["units"] = units
    return path


def npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_spikes_from_files(tmp_path):
    one = read_spikes(sonata(tmp_path / "a.h5", [100.0, 250.0, 250.0], [1, 0, 2]))
    two = read_spikes(npz(tmp_path / "a.npz", t=[0.1, 0.25, 0.25], i=[1, 0, 2]), duration=2.0, loop=1)
    for spikes in (one, two):
        spikes.check(3)
        assert np.allclose(spikes.times, [0.1, 0.25, 0.25])
        assert spikes.sources.tolist() == [1, 0, 2]
    assert (one.duration, one.loop, two.duration, two.loop) == (0.25, 0, 2.0, 1)
    sonata(tmp_path / "a.h5", [7.0], [5], population="retina")
    assert read_spikes(tmp_path / "a.h5", "retina").sources.tolist() == [5]


def test_files_that_will_not_do(tmp_path):
    (tmp_path / "text.h5").write_text("not HDF5")
    (tmp_path / "text.npz").write_text("not npz")
    spoilt = {"header.npz": (b"'shape': (", b"'shape': ((("), "bytes.npz": (b"NUMPY", b"NUMPI")}
    for name, change in spoilt.items():
        with (
            zipfile.ZipFile(npz(tmp_path / "good.npz", t=[0.1], i=[1])) as good,
            zipfile.ZipFile(tmp_path / name, "w") as bad,
        ):
            for member in good.namelist():
                bad.writestr(member, good.read(member).replace(*change))
    (tmp_path / "cut.npz").write_bytes(npz(tmp_path / "whole.npz", t=[0.1], i=[1]).read_bytes()[:200])
    two = sonata(tmp_path / "two.h5", [1.0], [0])
    sonata(two, [1.0], [0], population="retina")
    bare = tmp_path / "bare.h5"
    sonata(bare, [1.0], [0], units=None)
    cases = [
        ((tmp_path / "none.h5",), "no such file"),
        ((tmp_path,), "no such file"),
        ((tmp_path / "text.h5",), "no HDF5 file"),
        ((tmp_path / "text.npz",), "no .npz file"),
        ((tmp_path / "cut.npz",), "no .npz file"),
        ((tmp_path / "header.npz",), "no .npz file"),
        ((tmp_path / "bytes.npz",), "damaged, t or i is no array"),
        ((npz(tmp_path / "names.npz", times=[0.1], ids=[1]),), "needs the arrays t"),
        ((npz(tmp_path / "floats.npz", t=[0.1], i=[1.5]),), "sources must be integers"),
        ((npz(tmp_path / "uneven.npz", t=[0.1, 0.2], i=[1]),), "as many times as sources"),
        ((npz(tmp_path / "unsorted.npz", t=[0.2, 0.1], i=[1, 1]),), "times must be in order"),
        ((npz(tmp_path / "nan.npz", t=[0.2, np.nan], i=[1, 1]),), "times must be finite"),
        ((npz(tmp_path / "ids.npz", t=[0.2], i=[-1]),), "sources must be in"),
        ((npz(tmp_path / "silent.npz", t=[], i=np.zeros(0, int)),), "duration must be given"),
        ((npz(tmp_path / "late.npz", t=[0.2], i=[1]), None, 0.1), "times must be <= the duration"),
        ((sonata(tmp_path / "negative.h5", [-1.0, 1.0], [0, 0]),), "times must be >= 0"),
        ((two,), "has the populations lgn, retina; name one"),
        ((two, "cortex"), "has no population cortex"),
        ((bare,), "needs the attribute units"),
    ]
    for arguments, words in cases:
        with pytest.raises(HebbscopeError, match=words) as error:
            read_spikes(*arguments)
        assert str(tmp_path) in str(error.value)
        assert "\n" not in str(error.value)


# The contract of every input ----------------------------------------------------------------------------------------


@EACH
def test_hooks_and_statements(name):
    part = EVERY[name]
    part.check(N)
    hooks = ("init", "candidate_rate", "draw", "next_wake", "wake", "groups")
    for method in (*hooks, "mean_rates", "covariance", "atom", "third_cumulants"):
        assert callable(getattr(part, method))
    groups = part.groups(N)
    assert len(groups) == N
    assert all(isinstance(group, str) for group in groups)
    rates = part.mean_rates(N)
    assert rates.shape == (N,)
    assert np.all(np.isfinite(rates) & (rates >= 0.0))
    for term in part.covariance(N):
        assert term.left.shape == term.right.shape
        assert len(term.left) == N
        assert np.all(np.isfinite(term.left) & np.isfinite(term.right))
    for own, _ in part.atom(N):
        assert own.shape == (N,)


@EACH
def test_spikes_are_ordered_and_of_known_trains(name):
    copies = 1 if name == "recorded" else 2
    t, i = spikes_of(EVERY[name], N, copies, [20.0], seed=7)
    assert len(t) > 0
    assert np.all(np.diff(t) >= 0.0)
    assert np.all((t >= 0.0) & (t < 20.0))
    assert set(i) <= set(range(copies * N))


@EACH
def test_one_seed_gives_the_same_bits(name):
    """However a run is cut into calls, and with the JIT off."""
    copies = 1 if name == "recorded" else 2
    whole = spikes_of(EVERY[name], N, copies, [4.0], seed=8)
    cut = spikes_of(EVERY[name], N, copies, [0.01, 0.03, 0.5, 0.50001, 2.0, 4.0], seed=8)
    plain = spikes_of(EVERY[name], N, copies, [4.0], seed=8, jit=False)
    for other in (cut, plain):
        assert np.array_equal(whole[0], other[0])
        assert np.array_equal(whole[1], other[1])
    if name != "recorded":
        assert not np.array_equal(whole[0], spikes_of(EVERY[name], N, copies, [4.0], seed=9)[0])


@pytest.mark.parametrize("name", [name for name in INPUTS if "common" not in name])
def test_candidates_are_enough(name):
    """The candidate rate bounds the summed rate: no train is asked for with a probability above 1."""
    part = cast(INPUTS[name])
    state = part.init(N, 2)
    if part.next_wake(state) == 0.0:
        part.wake(state, 0.0, start(1, "input"), start(1, "latent"))
    top = part.candidate_rate(state)
    if isinstance(part, ModulatedPoisson):
        assert np.all(state.floor + np.abs(state.swing) <= 1.0 + 1e-12)
        assert top == pytest.approx(2 * np.sum(part.mean_rates(N) + np.abs(part._synapses(N)[1])))
    elif isinstance(part, OrnsteinUhlenbeckPoisson):
        assert top == pytest.approx(
            2 * np.sum(part.mean_rates(N) * np.where(np.array(part.groups(N)) == "modulated", 2, 1))
        )
    else:
        out = np.zeros(N)
        part.rates(state, 0.0, None, out)
        assert top == pytest.approx(2 * out.sum())


def test_names_of_groups():
    assert ModulatedPoisson(n_modulated=1).groups(3) == ["constant", "constant", "modulated"]
    assert ModulatedPoisson(amplitude=np.array([1.0, 0.0, 2.0])).groups(3) == ["modulated", "constant", "modulated"]
    assert OrnsteinUhlenbeckPoisson(n_modulated=1).groups(2) == ["constant", "modulated"]
    assert CommonSourcePoisson(n_correlated=1).groups(2) == ["independent", "correlated"]
    assert HomogeneousPoisson().groups(2) == ["all", "all"]


def test_silence():
    for part in (
        HomogeneousPoisson(0.0),
        ModulatedPoisson(0.0, 0.0),
        OrnsteinUhlenbeckPoisson(0.0, 1.0, 0.01, 2),
        CommonSourcePoisson(0.0, 0.1, 0.01, 2),
    ):
        t, _ = spikes_of(part, N, 2, [10.0], seed=1, jit=False)
        assert len(t) == 0


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (HomogeneousPoisson(-1.0), "HomogeneousPoisson.rate: must be >= 0 Hz, got -1"),
        (HomogeneousPoisson(math.nan), "HomogeneousPoisson.rate: must be finite, got nan"),
        (HomogeneousPoisson(math.inf), "HomogeneousPoisson.rate: must be finite, got inf"),
        (
            HomogeneousPoisson(np.ones(3)),
            "HomogeneousPoisson.rate: must be a number or an array of 4, got [1.0, 1.0, 1.0]",
        ),
        (HomogeneousPoisson("ten"), "HomogeneousPoisson.rate: must be a number, got 'ten'"),
        (ModulatedPoisson(10.0, 11.0, n_modulated=1), "ModulatedPoisson.amplitude: must not exceed the rate"),
        (ModulatedPoisson(10.0, np.array([0, 0, 0, -11.0])), "ModulatedPoisson.amplitude: must not exceed the rate"),
        (
            ModulatedPoisson(amplitude=np.ones(4), n_modulated=2),
            "ModulatedPoisson.n_modulated: must be 0 where amplitude is an array",
        ),
        (ModulatedPoisson(frequency=0.0), "ModulatedPoisson.frequency: must be > 0 Hz, got 0"),
        (ModulatedPoisson(phase=math.nan), "ModulatedPoisson.phase: must be finite, got nan"),
        (ModulatedPoisson(phase=np.ones(2)), "ModulatedPoisson.phase: must be a number or an array of 4"),
        (ModulatedPoisson(n_modulated=5), "ModulatedPoisson.n_modulated: must be an integer in [0, 4], got 5"),
        (ModulatedPoisson(n_modulated=2.5), "ModulatedPoisson.n_modulated: must be an integer in [0, 4], got 2.5"),
        (OrnsteinUhlenbeckPoisson(sd=-1.0), "OrnsteinUhlenbeckPoisson.sd: must be >= 0 Hz, got -1"),
        (OrnsteinUhlenbeckPoisson(tau_c=0.0), "OrnsteinUhlenbeckPoisson.tau_c: must be > 0 s, got 0"),
        (
            OrnsteinUhlenbeckPoisson(n_modulated=-1),
            "OrnsteinUhlenbeckPoisson.n_modulated: must be an integer in [0, 4], got -1",
        ),
        (CommonSourcePoisson(c=1.1), "CommonSourcePoisson.c: must be in [0, 1], got 1.1"),
        (CommonSourcePoisson(c=-0.1), "CommonSourcePoisson.c: must be in [0, 1], got -0.1"),
        (CommonSourcePoisson(c=math.nan), "CommonSourcePoisson.c: must be finite, got nan"),
        (CommonSourcePoisson(jitter=-1e-3), "CommonSourcePoisson.jitter: must be >= 0 s, got -0.001"),
        (CommonSourcePoisson(rate=np.ones(4)), "CommonSourcePoisson.rate: must be one number"),
        (CommonSourcePoisson(n_correlated=9), "CommonSourcePoisson.n_correlated: must be an integer in [0, 4], got 9"),
        (
            PatternPoisson(PATTERNS[:, :3]),
            "PatternPoisson.patterns: must have the shape (n_patterns, 4), got an array of shape (3, 3)",
        ),
        (PatternPoisson(PATTERNS[:0]), "PatternPoisson.patterns: must have the shape (n_patterns, 4)"),
        (PatternPoisson(-PATTERNS), "PatternPoisson.patterns: must be finite and >= 0 Hz"),
        (PatternPoisson(PATTERNS * np.nan), "PatternPoisson.patterns: must be finite and >= 0 Hz"),
        (PatternPoisson(PATTERNS + np.inf), "PatternPoisson.patterns: must be finite and >= 0 Hz"),
        (PatternPoisson([[1.0]]), "PatternPoisson.patterns: must be an array of numbers"),
        (PatternPoisson(PATTERNS, 0.0), "PatternPoisson.presentation: must be > 0 s, got 0"),
        (PatternPoisson(PATTERNS, 0.5, 2), "PatternPoisson.in_order: must be 0 or 1, got 2"),
        (RECORDING._replace(times=RECORDING.times[::-1]), "RecordedSpikes.times: must be in order"),
        (RECORDING._replace(times=RECORDING.times - 1.0), "RecordedSpikes.times: must be >= 0 s"),
        (RECORDING._replace(times=RECORDING.times * np.nan), "RecordedSpikes.times: must be finite"),
        (RECORDING._replace(times=[0.1]), "RecordedSpikes.times: must be a flat array of floats"),
        (RECORDING._replace(sources=RECORDING.sources[:2]), "RecordedSpikes.sources: must be as many as the times, 6"),
        (RECORDING._replace(sources=RECORDING.sources + 1), "RecordedSpikes.sources: must be in [0, 3]"),
        (RECORDING._replace(duration=0.3), "RecordedSpikes.times: must be <= the duration, 0.3 s"),
        (RECORDING._replace(duration=-0.3), "RecordedSpikes.duration: must be > 0 s, got -0.3"),
        (RECORDING._replace(loop=2), "RecordedSpikes.loop: must be 0 or 1, got 2"),
    ],
)
def test_bad_parameters_are_named(part, words):
    with pytest.raises(ParameterError) as error:
        part.check(N)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


# Building blocks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "weights",
    [
        np.array([3.0]),
        np.array([0.0, 5.0, 0.0]),
        np.full(7, 0.1),
        np.array([1e-9, 1.0, 1e9]),
        np.random.default_rng(2).exponential(size=1000),
        np.maximum(np.random.default_rng(3).normal(size=512), 0.0).astype(np.float32),
    ],
)
def test_alias_table_has_the_probabilities_of_the_weights(weights):
    """Exactly, from the table itself; and `pick` reads the table as it is meant."""
    table, n = alias_table(weights), len(weights)
    probability = np.zeros(n)
    np.add.at(probability, np.arange(n), table.accept / n)
    np.add.at(probability, table.alias, (1.0 - table.accept) / n)
    expected = weights.astype(float) / weights.sum(dtype=float)
    assert np.allclose(probability, expected, rtol=1e-9, atol=1e-14)
    assert np.all(probability[weights == 0.0] == 0.0)
    assert table.total[0] == pytest.approx(weights.sum(dtype=float))
    for k in range(min(n, 50)):
        if table.accept[k] > 0.0:
            assert pick(table, (k + 0.999999 * table.accept[k]) / n) == k
        if table.accept[k] < 0.999:
            assert pick(table, (k + table.accept[k] + 1e-6) / n) == table.alias[k]


@pytest.mark.parametrize("n", [1, 2, 7, 8, 50])
def test_fenwick_tree_finds_each_unit(n):
    counts = np.random.default_rng(n).integers(0, 4, n)
    tree = np.zeros(n + 1, np.int64)
    for k, count in enumerate(counts):
        add(tree, k, count + 1)
        add(tree, k, -1)
    assert [find(tree, rank) for rank in range(counts.sum())] == np.repeat(np.arange(n), counts).tolist()


def test_the_cosine_of_the_modulation():
    cycles = np.linspace(-3.0, 3.0, 2001)
    assert max(abs(cosine(x) - math.cos(2.0 * math.pi * x)) for x in cycles) < 1e-11
    assert abs(cosine(40.0 * 20_000.123) - math.cos(2.0 * math.pi * 0.92)) < 1e-8


def test_covariance_of_the_clipped_process():
    """The series in rho against the integral over two correlated normals; at rho = 1 the variance; unclipped and nearly all clipped too."""
    heights = np.array([0.3, 1.0, 2.5, 60.0])
    c = np.array(hermite_of_clip(heights))
    orders = np.arange(1, 2 * len(c), 2)
    x = np.linspace(-9.0, 9.0, 1801)
    density = np.exp(-0.5 * x**2) / math.sqrt(2.0 * math.pi) * (x[1] - x[0])
    for k, h in enumerate(heights):
        g = np.clip(x, -h, h)
        assert np.sum(c[:, k] ** 2) == pytest.approx(np.sum(g**2 * density), rel=2e-3)
        for rho in (-0.5, 0.3, 0.8):
            y = rho * x[:, None] + math.sqrt(1.0 - rho**2) * x
            expected = (g * density) @ np.clip(y, -h, h) @ density
            assert np.sum(c[:, k] ** 2 * rho**orders) == pytest.approx(expected, rel=1e-4)
