"""compare(): its numbers against numbers worked out by hand, its words against what the numbers mean."""

import json
import math
from typing import NamedTuple

import numpy as np
import pytest

from hebbscope import Network, Population, Projection, simulate
from hebbscope.analysis.comparison import compare
from hebbscope.analysis.verdict import limit
from hebbscope.analysis.weights import Estimate, estimate, separation, spread
from hebbscope.models import HomogeneousPoisson, LinearPoisson, ModulatedPoisson, PatternPoisson
from hebbscope.models.experiments.own import own_part
from hebbscope.rules import KempterWindow, SpikeHebb, Triplet
from hebbscope.simulator.fingerprint import about, hashes_of
from hebbscope.simulator.protocols import HebbscopeError
from hebbscope.simulator.results import Run
from hebbscope.simulator.runfile import RunFile, read, write

GROUPS = ("constant", "constant", "modulated", "modulated")
TIME = np.array([0.0, 10.0, 20.0])


def a_run(level, constant, modulated, rate=10.0, half_width=0.001, seeds=None):
    """A run whose group means at the end are, seed by seed, those given; they grow linearly from 0.02."""
    constant, modulated = np.atleast_1d(constant), np.atleast_1d(modulated)
    ends = np.stack(
        [constant - half_width, constant + half_width, modulated - half_width, modulated + half_width], axis=1
    )
    weights = 0.02 + (ends - 0.02)[:, None, None, :] * (TIME / TIME[-1])[None, :, None, None]
    rates = np.broadcast_to(np.atleast_1d(rate)[:, None, None], (len(constant), len(TIME), 1)).copy()
    rates[:, 0] = np.nan
    seeds = tuple(range(1, len(constant) + 1)) if seeds is None else seeds
    return Run(level, seeds, TIME, weights, rates, GROUPS, "inputs_to_neuron")


def a_rate_run(constant=0.010, modulated=0.030, bare=(0.016, 0.024), spread=0.0014, bare_spread=0.0005):
    run = a_run("rate", constant, modulated, half_width=0.0)
    without = a_run("rate", *bare, half_width=0.0)
    growth = TIME / TIME[-1]
    run.theory = {
        "coefficients": {},
        "weights_without_causal": without.weights[0],
        "output_rate_without_causal": without.output_rate[0],
        "spread": spread * growth,
        "spread_without_causal": bare_spread * growth,
    }
    return run


WIGGLE = np.array([2.0, -1.0, -3.0, 2.0]) * 1e-5
CONSTANT, MODULATED = np.array([0.010, 0.012, 0.009, 0.011]), np.array([0.030, 0.029, 0.031, 0.033])


def test_separation_and_spread_by_hand():
    weights = np.array([[[1.0, 3.0, 10.0, 14.0]]])
    assert separation(weights, GROUPS) == pytest.approx([10.0])
    assert spread(weights, GROUPS) == pytest.approx([math.sqrt((1 + 1 + 4 + 4) / 2)])
    assert separation(weights, ("all",) * 4) is None
    both = np.array([[[1.0, 3.0, 10.0, 14.0], [0.0, 0.0, 5.0, 5.0]]])
    assert separation(both, GROUPS) == pytest.approx([(10.0 + 5.0) / 2])
    assert spread(both, GROUPS) == pytest.approx([math.sqrt(10 / 4)])
    assert spread(weights, ("a", "a", "a", "b")) == pytest.approx([math.sqrt((121 + 25 + 256) / 9 / 2)])


class Drawn(NamedTuple):
    """Initial weights that differ from seed to seed."""

    def draw(self, generator, n_post, n_pre):
        return 0.1 + 0.05 * generator.normal(size=(n_post, n_pre))


def test_theory_of_drawn_weights_is_the_mean_over_the_seeds_with_and_without_the_causal_term(tmp_path):
    inputs, neuron = Population("inputs", 6, ModulatedPoisson(n_modulated=3)), Population("neuron", 1, LinearPoisson())
    network = Network([inputs, neuron], [Projection(inputs, neuron, weights=Drawn(), rule=SpikeHebb())])
    options = {"seeds": range(1, 6), "record_every": 10.0}
    surrogate, rate = (simulate(network, 20.0, level=level, **options) for level in ("surrogate", "rate"))
    alone = [simulate(network, 20.0, level="rate", seeds=seed, record_every=10.0) for seed in options["seeds"]]
    starts = [run.theory["weights_without_causal"] for run in alone]
    assert np.allclose(rate.theory["weights_without_causal"], np.mean(starts, axis=0), rtol=1e-12)
    write(tmp_path / "run.h5", surrogate, rate)
    read_back = read(tmp_path / "run.h5")
    write(tmp_path / "again.h5", *read_back.values())
    for runs in ([surrogate, rate], read_back.values(), read(tmp_path / "again.h5").values()):
        found = compare(*runs)
        for quantity, of in (
            ("average weight", lambda w: w.mean()),
            ("separation", lambda w: separation(w, rate.groups)),
        ):
            assert found.row("surrogate", quantity).theory == pytest.approx(np.mean([of(w[-1]) for w in starts]))
        spreads = [spread(w[-1], rate.groups) for w in starts]
        assert found.row("surrogate", "spread").theory == pytest.approx(np.mean(spreads), rel=1e-3)
        # The start of each seed is known, so that only what was learned from it parts the run from theory.
        moved = surrogate.final_weights.mean(axis=(1, 2)) - [w[-1].mean() for w in starts]
        row = found.row("surrogate", "average weight")
        assert (row.mean - row.theory) / row.z == pytest.approx(moved.std(ddof=1) / math.sqrt(5))


@pytest.mark.parametrize("groups", [("constant", "modulated"), ("all",)])
def test_with_one_synapse_in_each_group_nobody_speaks_of_spread(groups, tmp_path):
    runs = [a_run(level, CONSTANT, MODULATED) for level in ("spike", "surrogate")] + [a_rate_run()]
    for run in runs:
        run.weights, run.groups = run.weights[..., 1 : 1 + len(groups)], groups
    runs[2].theory["weights_without_causal"] = runs[2].theory["weights_without_causal"][..., 1 : 1 + len(groups)]
    found = compare(*runs)
    quantities = {row.quantity for row in found.table}
    assert quantities == {"average weight", "output rate"} | ({"separation"} if len(groups) > 1 else set())
    assert "spread" not in repr(found) and "nan" not in repr(found)
    found.figure().savefig(tmp_path / "figure.png", dpi=60)


def test_means_errors_and_z_scores_by_hand():
    found = compare(a_run("spike", CONSTANT, MODULATED, rate=[9.0, 10.0, 11.0, 12.0]), a_rate_run())
    apart = found.row("spike", "separation")
    # separations .020 .017 .022 .022: mean .02025, sd sqrt(sum of squares / 3) = .00236291, error sd / 2
    assert apart.mean == pytest.approx(0.02025)
    assert apart.error == pytest.approx(0.00118145, rel=1e-5)
    assert apart.theory == pytest.approx(0.020)
    assert apart.z == pytest.approx((0.02025 - 0.020) / 0.00118145, rel=1e-5)
    rate = found.row("spike", "output rate")
    assert (rate.mean, rate.error, rate.z) == pytest.approx((10.5, 0.6454972, 0.5 / 0.6454972), rel=1e-6)
    within = found.row("spike", "spread")
    assert within.mean == pytest.approx(math.sqrt(2) * 0.001)
    assert found.row("rate", "spread").mean == pytest.approx(0.0014)
    assert found.row("rate without causal term", "separation").mean == pytest.approx(0.008)
    assert found.time == 20.0


def test_each_level_is_held_against_its_own_theory():
    surrogate = a_run("surrogate", CONSTANT + 0.006, MODULATED - 0.006)
    found = compare(a_run("spike", CONSTANT, MODULATED), surrogate, a_rate_run())
    assert found.row("surrogate", "separation").theory == pytest.approx(0.008)
    assert found.row("surrogate", "spread").theory == pytest.approx(0.0005)
    assert found.row("spike", "separation").theory == pytest.approx(0.020)


def test_spike_and_surrogate_are_paired_by_seed():
    common = np.array([0.0, 0.004, -0.003, 0.001])
    noise = np.array([1.0, -1.0, 1.0, -1.0]) * 1e-4
    spike = a_run("spike", CONSTANT, MODULATED + common)
    surrogate = a_run("surrogate", CONSTANT, MODULATED + common - 0.002 + noise)
    row = compare(spike, surrogate).row("spike - surrogate", "separation")
    error = np.std(noise, ddof=1) / 2
    assert (row.mean, row.error, row.z) == pytest.approx((0.002, error, 0.002 / error))
    surrogate = a_run("surrogate", CONSTANT, MODULATED + common - 0.002 + noise, seeds=(5, 6, 7, 8))
    row = compare(spike, surrogate).row("spike - surrogate", "separation")
    errors = [np.std(MODULATED + common - CONSTANT + n, ddof=1) / 2 for n in (0.0, noise)]
    assert row.error == pytest.approx(math.hypot(*errors))


def test_a_rate_level_of_several_seeds_is_paired_too():
    rate = a_run("rate", CONSTANT, MODULATED - 0.001)
    row = compare(a_run("spike", CONSTANT, MODULATED + np.array([1, -1, 1, -1]) * 1e-4), rate).row(
        "spike", "separation"
    )
    assert row.theory == pytest.approx(np.mean(MODULATED - CONSTANT) - 0.001)
    assert row.z == pytest.approx(0.001 / (1e-4 * math.sqrt(4 / 3) / 2))


def test_with_unequal_weights_the_spread_adds_what_the_equation_makes_of_them():
    rate = a_rate_run(spread=0.003)
    rate.weights[0, -1, 0] += [-0.004, 0.004, 0.0, 0.0]
    found = compare(a_run("spike", CONSTANT, MODULATED), rate)
    assert found.row("rate", "spread").mean == pytest.approx(math.hypot(0.003, math.sqrt(0.000032 / 2)))


def test_words_when_the_three_agree_and_the_rate_description_fails():
    wide, wiggle = np.tile([-1.0, 1.0, -1.0, 1.0], 3) * 1e-4, np.tile(WIGGLE, 3)
    spike = a_run("spike", 0.010 + wide, 0.030 - wide, rate=10.0 + wide, half_width=0.00099 + wiggle)
    surrogate = a_run("surrogate", 0.016 - wide, 0.024 + 3 * wiggle, rate=10.0 - wide, half_width=0.00035355 - wiggle)
    words = compare(spike, surrogate, a_rate_run()).verdict.splitlines()
    assert words[0].startswith("The spike level agrees with the learning equation in every quantity")
    assert words[1].startswith("The surrogate level agrees with the equation without its causal term in every quantity")
    assert "without the causal term, fails for the spikes: separation 0.008 against 0.02000 ± 0.00006" in words[2]
    assert "apart from 10 s on" in words[2]
    assert words[3].startswith("Spike and surrogate differ beyond the noise: separation by +0.0120")
    assert words[4].startswith("Spike and surrogate do not differ beyond the noise in average weight")
    assert len(words) == 5


def test_few_seeds_are_said_to_be_few():
    words = compare(a_run("spike", CONSTANT, MODULATED, half_width=0.00099 + WIGGLE), a_rate_run()).verdict
    assert words.startswith("With 4 seeds the spike level cannot be told from the learning equation in any quantity")
    assert "With 4 seeds, differences count from 9.2 standard errors on" in words


def test_what_counts_as_a_difference():
    assert limit(16) == pytest.approx(3.586, abs=1e-3)
    assert limit(4) == pytest.approx(9.219, abs=1e-3)
    assert limit(10**6) == pytest.approx(3.0, abs=1e-4)


def test_words_when_theory_is_missed():
    words = compare(a_run("spike", CONSTANT, MODULATED), a_rate_run(constant=0.025, modulated=0.026)).verdict
    assert (
        "The spike level differs from the learning equation in average weight (0.0206 ± 0.0005 against 0.0255, z = -10.3), "
        "separation (0.0203 ± 0.0012 against 0.001, z = +16.3)" in words
    )


def test_words_when_noise_hides_the_difference():
    rate = a_rate_run(bare=(0.0101, 0.0299), bare_spread=0.0014)
    spike = a_run("spike", CONSTANT, MODULATED, half_width=np.array([1.0, 1.1, 0.9, 1.0]) * 1e-3)
    words = compare(spike, rate).verdict
    assert "these seeds cannot tell the two apart" in words


def test_one_seed_has_no_z_and_says_so():
    found = compare(a_run("spike", 0.01, 0.03), a_run("surrogate", 0.015, 0.025), a_rate_run())
    assert all(row.z is None and row.error is None for row in found.table)
    assert "With one seed there is no standard error" in found.verdict
    assert found.row("spike - surrogate", "separation").mean == pytest.approx(0.01)


def test_a_time_in_between_and_runs_of_different_length():
    long, short = a_run("spike", CONSTANT, MODULATED), a_run("surrogate", CONSTANT, MODULATED)
    short.time, short.weights, short.output_rate = short.time[:2], short.weights[:, :2], short.output_rate[:, :2]
    assert compare(long, short).time == 10.0
    assert compare(long, a_rate_run(), time=10.0).row("spike", "separation").mean == pytest.approx(0.02025 / 2)
    with pytest.raises(HebbscopeError, match="not every run has a record at 7 s"):
        compare(long, time=7.0)


def test_it_becomes_json_without_nan():
    for runs in ([a_run("spike", 0.01, 0.03)], [a_run("spike", CONSTANT, MODULATED), a_rate_run()]):
        found = json.loads(json.dumps(compare(*runs).to_dict(), allow_nan=False))
        assert found["table"][0]["quantity"] == "average weight"
        assert found["verdict"]
    unknown = a_run("spike", CONSTANT, MODULATED, rate=np.nan)
    json.dumps(compare(unknown).to_dict(), allow_nan=False)


def test_it_prints_within_eighty_columns_and_in_a_notebook():
    found = compare(a_run("spike", CONSTANT, MODULATED), a_run("surrogate", CONSTANT, MODULATED - 0.01), a_rate_run())
    text = repr(found)
    assert max(map(len, text.splitlines())) <= 80
    assert "0.0203 ± 0.0012" in text
    for word in ("spike − surrogate", "output rate [Hz]", "• With 4 seeds"):
        assert word in text
    assert "<table>" in found._repr_html_()
    assert "0.0203 ± 0.0012" in found._repr_html_()
    for runs in ([a_run("spike", CONSTANT, MODULATED)], [a_rate_run()]):
        assert "One level alone" in repr(compare(*runs))


def test_the_head_of_the_table_explains_what_is_in_it_and_nothing_else():
    spike, surrogate, rate = (
        a_run("spike", CONSTANT, MODULATED),
        a_run("surrogate", CONSTANT[::-1], MODULATED),
        a_rate_run(),
    )
    one = a_run("spike", CONSTANT[:1], MODULATED[:1])
    for runs, words, missing in (
        (
            (spike, rate),
            ("theory: the learning equation\n", "z: standard errors from theory\n", "  theory, z"),
            "surrogate",
        ),
        ((surrogate, rate), ("for the surrogate, without its causal term", "from theory\n"), "difference"),
        ((spike, surrogate), ("z: standard errors of the difference, from zero\n", "  z "), "theory"),
        ((one, rate), ("theory: the learning equation\n", "  theory "), "z:"),
    ):
        head = repr(compare(*runs)).split("•")[0]
        assert all(word in head for word in words), head
        assert missing not in head, head


def test_receptive_fields_are_compared_where_there_are_any():
    rng = np.random.default_rng(1)
    runs = [a_run("spike", CONSTANT, MODULATED), a_run("rate", CONSTANT, MODULATED)]
    for run in runs:
        run.shape = (2, 1, 2)
    runs[0].weights[:, -1] = rng.normal(size=(4, 1, 4))
    runs[1].weights[:, -1] = 1.0 - runs[0].weights[:, -1]
    found = compare(*runs)
    assert found.fields["spike, rate"] == pytest.approx([-1.0] * 4, abs=1e-3)
    assert "Receptive fields, spike against rate: median correlation -1.00, at least 0.8 in 0 of 4." in found.verdict


def at_its_start(level):
    run = a_run(level, CONSTANT, MODULATED)
    run.time, run.weights, run.output_rate = run.time[:1], run.weights[:, :1], run.output_rate[:, :1]
    return run


def test_a_level_that_was_stopped_at_its_start_is_left_out_and_named():
    whole = compare(a_run("spike", CONSTANT, MODULATED), a_rate_run())
    found = compare(a_run("spike", CONSTANT, MODULATED), at_its_start("surrogate"), a_rate_run())
    assert (found.time, found.table, list(found.runs)) == (20.0, whole.table, ["spike", "rate"])
    assert found.verdict == whole.verdict + "\nThe surrogate level was stopped at its start and is left out."
    alone = compare(at_its_start("surrogate"), a_run("spike", CONSTANT, MODULATED)).verdict.splitlines()
    assert alone[0].startswith("One level alone") and alone[1:] == [found.verdict.splitlines()[-1]]
    assert found.figure() is not None


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([], "no run to compare"),
        ([at_its_start("spike")], "no record time in common after the start"),
        (["run.h5"], "takes runs, got 'run.h5'"),
        ([a_run("spike", 0.01, 0.03)] * 2, "two runs at the spike level"),
    ],
)
def test_what_cannot_be_compared(runs, message):
    with pytest.raises(HebbscopeError, match=message):
        compare(*runs)


def test_runs_of_another_network_are_refused():
    other = a_run("rate", 0.01, 0.03)
    other.groups = ("all",) * 4
    with pytest.raises(HebbscopeError, match="another network"):
        compare(a_run("spike", 0.01, 0.03), other)


def a_layer(rate=10.0, eta=1e-5, name="one"):
    inputs = Population("inputs", 6, ModulatedPoisson(rate=rate, n_modulated=3))
    neuron = Population("neuron", 1, LinearPoisson())
    return Network([inputs, neuron], [Projection(inputs, neuron, 0.1, SpikeHebb(eta=eta))], name)


def test_descriptions_are_told_apart_in_memory_and_from_files_and_seeds_do_not_matter(tmp_path):
    spike = simulate(a_layer(), 2.0, seeds=(1, 2), record_every=1.0)
    same = [
        simulate(a_layer(name="two"), 2.0, level=level, seeds=3, record_every=1.0) for level in ("surrogate", "rate")
    ]
    faster = simulate(a_layer(rate=50.0), 2.0, level="rate", record_every=1.0)
    learns = simulate(a_layer(eta=2e-5), 2.0, level="rate", record_every=1.0)
    for k, run in enumerate((spike, *same, faster, learns)):
        run.save(tmp_path / f"{k}.h5")
    loaded = [Run.load(tmp_path / f"{k}.h5")[0] for k in range(5)]
    loaded[1].save(tmp_path / "again.h5")
    again = Run.load(tmp_path / "again.h5")[0]
    for runs in ((spike, *same), loaded[:3], (spike, *loaded[1:3]), (loaded[0], *same), (again, spike)):
        compare(*runs)
    for one in (spike, loaded[0]):
        for run in (faster, loaded[3]):
            with pytest.raises(
                HebbscopeError, match="rate run is of another network than the spike run: population inputs differs"
            ):
                compare(one, run)
        for run in (learns, loaded[4]):
            with pytest.raises(HebbscopeError, match="projection inputs_to_neuron differs"):
                compare(one, run)


def test_a_run_into_a_file_is_known_by_its_network(tmp_path):
    with RunFile.create(tmp_path / "run.h5", network=a_layer(), seeds=[1], levels=["spike"]) as file:
        simulate(a_layer(), 2.0, record_every=1.0, file=file)
    (loaded,) = Run.load(tmp_path / "run.h5")
    compare(loaded, simulate(a_layer(), 2.0, level="rate", record_every=1.0))
    with pytest.raises(HebbscopeError, match="population inputs differs"):
        compare(loaded, simulate(a_layer(rate=50.0), 2.0, level="rate", record_every=1.0))


def test_what_one_network_lacks_is_named():
    one, other = simulate(a_layer(), 2.0, record_every=1.0), simulate(a_layer(), 2.0, level="rate", record_every=1.0)
    other.parts = {name.replace("neuron", "cell"): each for name, each in other.parts.items()}
    with pytest.raises(HebbscopeError, match="one has no population neuron"):
        compare(one, other)


def test_different_durations_are_said():
    long, short = a_run("spike", CONSTANT, MODULATED), a_run("surrogate", CONSTANT, MODULATED)
    short.time, short.weights, short.output_rate = short.time[:2], short.weights[:, :2], short.output_rate[:, :2]
    assert repr(compare(long, short)).splitlines()[0].startswith("At 10 s")
    assert "durations differ: spike 20 s, surrogate 10 s" in repr(compare(long, short))
    assert "durations" not in repr(compare(long, a_rate_run()))


def test_weights_at_a_bound_are_said_to_be_the_likely_reason(tmp_path):
    """Weights that grow to w_max: noise takes them inwards alone, and theory rests there. Without bounds nobody speaks of them."""
    for w_max, told in ((0.1, True), (math.inf, False)):
        inputs = Population("inputs", 10, ModulatedPoisson(rate=10.0, amplitude=10.0, frequency=40.0, n_modulated=5))
        neuron = Population("neuron", 1, LinearPoisson(tau=10e-3))
        rule = SpikeHebb(
            KempterWindow(),
            eta=2e-4 if told else 1e-6,
            w_in=1.0,
            w_out=-0.6,
            w_min=0.0 if told else -math.inf,
            w_max=w_max,
        )
        network = Network([inputs, neuron], [Projection(inputs, neuron, 0.08, rule)])
        about = {"record_every": 30.0, "seeds": range(1, 13)}
        runs = [simulate(network, 300.0 if told else 60.0, level=level, **about) for level in ("spike", "rate")]
        write(tmp_path / f"{told}.h5", *runs)
        for each in (runs, read(tmp_path / f"{told}.h5").values()):
            found = compare(*each)
            if not told:
                assert "w_max" not in found.verdict
                continue
            assert found.row("spike", "average weight").z < -3.6
            share = np.mean(runs[0].final_weights >= 0.099)
            words = f"At the spike level {100 * share:.0f} % of the weights are at w_max = 0.1, where noise moves them to one side"
            assert words in found.verdict and "the likely reason why they differ" in found.verdict


def test_both_bounds_are_named_and_only_what_differs_has_a_reason():
    spike = a_run("spike", CONSTANT, MODULATED, half_width=0.00099 + WIGGLE)
    spike.weights[:, -1] = [0.0, 0.0, 0.03, 0.02]
    spike.bounds = {"inputs_to_neuron": (0.0, 0.03)}
    words = compare(spike, a_rate_run(), time=20.0).verdict
    told = "At the spike level 50 % of the weights are at w_min = 0 and 25 % at w_max = 0.03, where noise moves them to one side alone, which theory leaves out."
    assert told in words
    assert "bound" not in compare(spike, a_rate_run(), time=10.0).verdict and "w_max" not in compare(spike).verdict


def test_estimates_are_rounded_at_their_error():
    assert str(Estimate(0.0201823, 0.0000707, 16)) == "0.02018 ± 0.00007"
    assert str(Estimate(0.0174502, 0.0011715, 16)) == "0.0175 ± 0.0012"
    assert str(Estimate(10.2406, 0.036, 16)) == "10.24 ± 0.04"
    assert str(Estimate(1234.5, 33.0, 16)) == "1234 ± 33"
    assert str(Estimate(0.5)) == "0.5"
    assert estimate(np.array([3.0])) == Estimate(3.0, None, 1)


def test_a_network_is_known_again_by_what_its_large_arrays_are_like():
    """Whitened patches differ in their last digits from machine to machine; shuffled, other or scaled ones are others."""
    rng = np.random.default_rng(1)
    patches = np.abs(np.cumsum(rng.normal(size=(200, 64)), axis=1))
    neuron = Population("neuron", 1, LinearPoisson())

    def hashes(rates):
        inputs = Population("inputs", 64, PatternPoisson(rates, 0.1))
        return hashes_of(Network([inputs, neuron], [Projection(inputs, neuron, 0.1, Triplet())]))

    found = hashes(patches)
    assert hashes(patches * (1.0 + 1e-7 * rng.normal(size=patches.shape))) == found
    others = (rng.permuted(patches, axis=1), 1.01 * patches, patches[::-1] ** 1.1, patches[::-1], np.roll(patches, 64))
    for other in others:
        assert hashes(other)["population inputs"] != found["population inputs"]
    same, late = np.full((200, 64), 0.3), np.abs(rng.normal(size=1_100_000))
    assert (
        hashes(np.nextafter(same, 1.0))
        == hashes(same * (1.0 - 1e-16 * np.eye(200, 64)))
        == hashes(same)
        != hashes(1.01 * same)
    )
    assert about(late) != about(np.append(late[:1_000_000], late[1_000_000:] + 0.5))
    assert about(same) == about(np.append(same.ravel()[1:], np.nextafter(0.3, 1.0)))


OWN = """
from typing import NamedTuple

from hebbscope.rules import PairSTDP


class Gaining(PairSTDP):
    def on_post(self, state, w, i, t):
        state.gained[i] += {amount}


class Mine(Gaining):
    pass
"""


def test_rules_of_ones_own_are_known_by_how_they_are_written(tmp_path):
    """Two of one name and one set of numbers are two, wherever their files lie."""
    inputs, neuron = Population("inputs", 3, HomogeneousPoisson()), Population("neuron", 1, LinearPoisson())

    def hash_of(folder, amount):
        file = tmp_path / folder / "mine.py"
        file.parent.mkdir()
        file.write_text(OWN.format(amount=amount))
        rule = own_part(f"{file}:Mine", "rule")()
        network = Network([inputs, neuron], [Projection(inputs, neuron, 0.1, rule)])
        return hashes_of(network)["projection inputs_to_neuron"]

    assert hash_of("here", 1.0) == hash_of("there", 1.0) != hash_of("elsewhere", 2.0)
