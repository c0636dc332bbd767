"""The figures draw what they are given, on axes that they are given, and say in which units."""

import subprocess
import sys

import numpy as np
import pytest

from hebbscope.analysis import activity_figures, figures, spike_figures
from hebbscope.analysis.activity import activity
from hebbscope.analysis.comparison import compare
from hebbscope.analysis.correlations import correlogram, input_output
from hebbscope.analysis.style import GROUP_COLOURS
from hebbscope.models.neurons.linear_poisson import LinearPoisson
from hebbscope.rules.spike_hebb import SpikeHebb
from hebbscope.rules.windows import DoubleExponential, KempterWindow
from hebbscope.simulator.projection import Wiring
from hebbscope.simulator.protocols import HebbscopeError
from hebbscope.simulator.results import Run, Spikes

TIME = np.linspace(0.0, 8000.0, 9)
GROUPS = ("constant",) * 3 + ("modulated",) * 3


def a_run(level, seed=0, n_seeds=4, groups=GROUPS, n_post=1):
    rng = np.random.default_rng(seed)
    steps = 1e-3 * rng.normal(size=(n_seeds, len(TIME), n_post, len(groups)))
    steps[..., len(groups) // 2 :] += 5e-4
    weights = 0.02 + np.cumsum(steps, axis=1)
    rates = 10.0 + rng.normal(size=(n_seeds, len(TIME), n_post))
    rates[:, 0] = np.nan
    spikes = {
        "inputs": Spikes(np.sort(rng.uniform(7990, 8000, 600)), rng.integers(0, len(groups), 600)),
        "neuron": Spikes(np.sort(rng.uniform(0, 8000, 8000)), rng.integers(0, n_post, 8000)),
    }
    run = Run(level, tuple(range(n_seeds)), TIME, weights, rates, groups, "inputs_to_neuron")
    run.spikes = {} if level == "rate" else spikes
    return run


def a_rate_run(groups=GROUPS):
    run = a_run("rate", seed=9, n_seeds=1, groups=groups)
    bare = a_run("rate", seed=10, n_seeds=1, groups=groups)
    run.theory = {
        "coefficients": {},
        "weights_without_causal": bare.weights[0],
        "output_rate_without_causal": bare.output_rate[0],
        "spread": 1e-5 * np.sqrt(TIME),
        "spread_without_causal": 0.5e-5 * np.sqrt(TIME),
    }
    return run


RUNS = [a_run("spike"), a_run("surrogate", seed=1), a_rate_run()]


def lines(ax):
    """The y data of every line on the axes that has as many points as there are records."""
    return [np.asarray(line.get_ydata(), dtype=float) for line in ax.lines if len(line.get_ydata()) == len(TIME)]


def drawn(ax, expected):
    return any(np.allclose(line, expected, equal_nan=True) for line in lines(ax))


def save(figure, tmp_path):
    figure.savefig(tmp_path / "figure.png", dpi=60)
    assert (tmp_path / "figure.png").stat().st_size > 2000


def test_weights_are_those_of_the_run_with_theory_on_top(tmp_path):
    spike, surrogate, rate = RUNS
    ax = figures.weights(spike, rate)
    for group in (slice(0, 3), slice(3, 6)):
        assert drawn(ax, spike.weights[..., group].mean(axis=(0, 2, 3)))
        assert drawn(ax, rate.weights[0, :, 0, group].mean(axis=1))
    assert drawn(ax, spike.weights[0, :, 0, 5])
    assert ax.get_ylabel() == "weight [10$^{-3}$]"
    assert ax.get_xlabel() == "time [1000 s]"
    save(ax.figure, tmp_path)
    ax = figures.weights(surrogate, rate, singles=False)
    assert drawn(ax, rate.theory["weights_without_causal"][:, 0, 3:].mean(axis=1))
    assert not drawn(ax, surrogate.weights[0, :, 0, 5])


def test_of_many_synapses_there_are_a_band_and_a_few_with_their_number():
    run = a_run("spike", groups=("on",) * 300 + ("off",) * 60 + ("bias",) * 3, n_post=2)
    ax = figures.weights(run)
    on, off, bias = (run.weights[0, ..., part] for part in (slice(0, 300), slice(300, 360), slice(360, 363)))
    counted = [sum(drawn_in(part, line) for line in lines(ax)) for part in (on, off, bias)]
    assert counted == [5, 5, 6]
    band = ax.collections[0].get_datalim(ax.transData)
    within = np.sort(on.reshape(len(TIME), 600), axis=1)
    assert within[:, 58:62].min() <= band.y0 <= within[:, 58:62].max()
    assert within[:, 538:542].min() <= band.y1 <= within[:, 538:542].max()
    (note,) = (text.get_text() for text in ax.texts if "synapses" in text.get_text())
    assert note.startswith("5 of 120 or 600 synapses in a group, seed 0")
    assert not [text for text in figures.weights(RUNS[0]).texts if "synapses" in text.get_text()]


def drawn_in(weights, line):
    """Whether a line is that of one of the synapses (n_times, n_post, n_pre)."""
    return bool(np.any(np.all(weights == line[:, None, None], axis=0)))


def test_the_band_is_one_standard_error():
    ax = figures.weights(RUNS[0], singles=False)
    mean = RUNS[0].weights[..., :3].mean(axis=(2, 3))
    band = ax.collections[0].get_datalim(ax.transData)
    error = np.std(mean, axis=0, ddof=1) / 2
    assert band.y0 == pytest.approx((mean.mean(axis=0) - error).min())
    assert band.y1 == pytest.approx((mean.mean(axis=0) + error).max())


def test_separation_of_every_level(tmp_path):
    ax = figures.separation(*RUNS)
    for run in RUNS:
        apart = (run.weights[..., 3:] - run.weights[..., :3]).mean(axis=(2, 3))
        assert drawn(ax, apart.mean(axis=0))
    bare = RUNS[2].theory["weights_without_causal"]
    assert drawn(ax, (bare[..., 3:] - bare[..., :3]).mean(axis=(1, 2)))
    assert {text.get_text() for text in ax.texts} == {"spike", "surrogate"}
    save(ax.figure, tmp_path)


@pytest.mark.parametrize("quantity", ["average weight", "spread", "output rate"])
def test_courses(quantity):
    ax = figures.course(quantity, *RUNS)
    assert quantity.split()[0] in ax.get_ylabel()
    if quantity == "output rate":
        assert ax.get_ylabel() == "output rate [Hz]"
        assert drawn(ax, RUNS[0].output_rate.mean(axis=(0, 2)))
    if quantity == "spread":
        within = RUNS[2].weights[0, :, 0].reshape(len(TIME), 2, 3).var(axis=2, ddof=1).mean(axis=1)
        assert drawn(ax, np.sqrt(RUNS[2].theory["spread"] ** 2 + within))


def test_distribution_has_unit_area_on_each_side():
    ax = figures.distribution(*RUNS[:2])
    steps = [patch.get_data() for patch in ax.patches]
    areas = [np.sum(step.values * np.diff(step.edges)) for step in steps]
    assert sorted(set(np.round(areas, 9))) == [-1.0, 1.0]
    assert len(figures.distribution(RUNS[2]).patches) == 4


@pytest.mark.parametrize("which", [(0, 1, 2), (0, 2), (0, 1), (0,), (2,)])
def test_summary_of_whatever_levels_there_are(tmp_path, which):
    save(figures.summary(*(RUNS[k] for k in which)), tmp_path)


@pytest.mark.parametrize("factors", [(1.0, 1e-2), (1e-2, 1.0)])
def test_weights_of_two_levels_have_ticks_of_one_scale(factors, tmp_path):
    """They share them: those of the level with small weights are in thousandths only if the other's are."""
    runs = [a_run("spike"), a_run("surrogate", 1)]
    for run, factor in zip(runs, factors, strict=True):
        run.weights *= factor / np.abs(run.weights).max()
    figure = figures.summary(*runs)
    save(figure, tmp_path)
    panels = [ax for ax in figure.axes if "Weights, s" in ax.get_title(loc="left") + ax.get_title()]
    assert len(panels) == 2 and panels[0].get_ylabel() == "weight"
    for ax in panels:
        assert ax.yaxis.get_major_formatter()(0.5, 0) == "0.5"


def test_summary_of_one_group_and_one_seed(tmp_path):
    alone = ("all",) * 6
    save(figures.summary(a_run("spike", groups=alone, n_seeds=1), a_rate_run(alone)), tmp_path)
    save(compare(*RUNS).figure(), tmp_path)


def test_frozen_weights_are_drawn(tmp_path):
    run = a_run("spike")
    run.weights[:] = 0.02
    save(figures.summary(run), tmp_path)


def test_weights_that_are_all_alike_are_a_bar_at_their_place():
    run = a_run("spike")
    run.weights[:] = 1e-4
    for other in (1e-4, np.nextafter(1e-4, 1.0)):
        run.weights[0, -1] = other
        edges = figures.distribution(run).patches[0].get_data().edges
        assert 0.9e-4 < edges[0] < 1e-4 < edges[-1] < 1.1e-4


@pytest.mark.parametrize("part", [KempterWindow(), SpikeHebb(KempterWindow()), DoubleExponential()])
def test_window_in_both_conventions(part, tmp_path):
    window = getattr(part, "window", part)
    ax = spike_figures.window(part)
    x, y = ax.lines[0].get_data()
    np.testing.assert_allclose(y, window.value(-x))
    assert y[np.argmin(np.abs(x - 5e-3))] > 0
    assert "t$_{post}$ − t$_{pre}$ [ms]" in ax.get_xlabel()
    ax = spike_figures.window(part, LinearPoisson(), convention="kempter")
    x, y = ax.lines[0].get_data()
    np.testing.assert_allclose(y, window.value(x))
    assert ax.get_xlabel().startswith("s = ")
    assert ax.lines[1].get_xdata().max() <= 0.0
    save(ax.figure, tmp_path)
    with pytest.raises(HebbscopeError, match="convention must be one of post-pre, kempter"):
        spike_figures.window(part, convention="brian")


def test_raster_shows_the_spikes_of_its_time(tmp_path):
    run = a_run("spike", n_post=2)
    ax = spike_figures.raster(run, start=7995.0, length=2.0)
    shown = run.spikes["inputs"].between(7995.0, 7997.0)
    dots = [line.get_data() for line in ax.lines if line.get_marker() == "."]
    assert sum(len(t) for t, _ in dots) == len(shown)
    for (t, i), members in zip(dots, ((0, 1, 2), (3, 4, 5)), strict=True):
        keep = np.isin(shown.i, members)
        np.testing.assert_array_equal(t, shown.t[keep])
        np.testing.assert_array_equal(i, shown.i[keep])
    assert ax.get_xlabel() == "time from 7,995 s [ms]"
    save(ax.figure, tmp_path)
    (rates,) = ax.child_axes
    foot, last = (place.transform(y)[1] for place, y in ((rates.transData, (0, 0)), (ax.transData, (0, run.n_pre))))
    assert (
        foot - last > rates.yaxis.get_ticklabels()[0].get_window_extent().height
    )  # nor do the tick labels of the two meet
    save(spike_figures.raster(run).figure, tmp_path)
    with pytest.raises(HebbscopeError, match="no spikes are recorded between 9000 s and"):
        spike_figures.raster(run, start=9000.0)
    with pytest.raises(HebbscopeError, match="spikes"):
        spike_figures.raster(RUNS[2])


def test_raster_of_a_run_that_was_stopped_before_its_inputs_were_kept(tmp_path):
    run = a_run("surrogate")
    run.spikes.pop("inputs")
    ax = spike_figures.raster(run, start=100.0, length=2.0)
    (bars,) = ax.collections
    assert len(bars.get_segments()) == len(run.spikes["neuron"].between(100.0, 102.0)) > 0
    assert [text.get_text() for text in ax.texts] == ["no spikes of inputs recorded", "output"]
    assert not ax.lines and len(ax.child_axes[0].lines) == 1
    save(ax.figure, tmp_path)
    run = a_run("spike")
    run.spikes["neuron"] = Spikes([], [])
    assert "no spikes of neuron recorded" in {text.get_text() for text in spike_figures.raster(run).texts}
    with pytest.raises(
        HebbscopeError, match="spike run lacks recorded spikes of neuron, the target of inputs_to_neuron"
    ):
        spike_figures.correlations(run)
    run.spikes = {}
    with pytest.raises(HebbscopeError, match="the spike run has no recorded spikes of inputs or neuron"):
        spike_figures.raster(run)


def test_correlogram_by_hand():
    post = np.array([1.0, 2.0])
    pre = np.array([0.0, 0.995, 1.0151, 1.995, 3.0])
    found = correlogram(pre, post, n_pre=1, width=0.02, bin_width=0.01)
    np.testing.assert_allclose(found.s, [-0.015, -0.005, 0.005, 0.015])
    np.testing.assert_allclose(found.rate, [0.0, 2 / (2 * 0.01), 0.0, 1 / (2 * 0.01)])
    assert found.expected == pytest.approx(5 / 3)


def test_correlations_find_what_was_put_in(tmp_path):
    rng = np.random.default_rng(4)
    run = a_run("spike")
    post = np.sort(rng.uniform(0, 100, 1000))
    driven = np.concatenate([post[::2] - 0.011, rng.uniform(0, 100, 3000)])
    order = np.argsort(driven)
    ids = np.where(np.arange(len(driven)) < 500, 4, rng.integers(0, 6, len(driven)))
    run.spikes = {"inputs": Spikes(driven[order], ids[order]), "neuron": Spikes(post, np.zeros(1000, int))}
    found = input_output(run)
    assert found["modulated"].s[np.argmax(found["modulated"].rate)] == pytest.approx(-0.0115, abs=1e-3)
    assert found["modulated"].rate.max() > 5 * found["modulated"].expected
    assert abs(found["constant"].rate.mean() / found["constant"].expected - 1) < 0.1
    ax = spike_figures.correlations(run)
    assert "[Hz]" in ax.get_ylabel()
    save(ax.figure, tmp_path)
    run.spikes.pop("inputs")
    with pytest.raises(HebbscopeError, match="lacks recorded spikes of inputs, the source of inputs_to_neuron"):
        spike_figures.correlations(run)


def followers(rng, t, i, n):
    """Spikes of n cells, each 1 ms after every other one of the spikes (t, i) of the cells that it is named after, and its own beside."""
    after = [np.sort(np.append(t[i == k][::2] + 1e-3, rng.uniform(0, 50, 300))) for k in range(n)]
    times, cells = np.concatenate(after), np.repeat(np.arange(n), [len(each) for each in after])
    order = np.argsort(times)
    return times[order], cells[order]


def a_named_run(source, target, wiring=None, groups=("all",) * 20, n_post=2, **spikes):
    """A run of a projection `feed`, whose name tells nothing, with spikes in the alphabetical order in which files have them."""
    n = len(groups)
    weights = np.full((1, 2, n_post, n) if wiring is None else (1, 2, 1, len(wiring.pre)), 0.1)
    names = groups if wiring is None else tuple(groups[j] for j in wiring.pre)
    about = {"source": source, "target": target, "wiring": wiring, "spikes": dict(sorted(spikes.items()))}
    return Run("spike", (1,), np.array([0.0, 50.0]), weights, np.full((1, 2, n_post), 5.0), names, "feed", **about,
               populations={source: n, target: n_post})  # fmt: skip


def trains(rng, n, rate):
    """(t, i) of n independent Poisson cells of 50 s."""
    t = np.sort(rng.uniform(0, 50, rng.poisson(50 * n * rate)))
    return t, rng.integers(0, n, len(t))


def test_correlations_are_of_the_source_and_the_target_whatever_the_names_and_the_order_of_spikes():
    """Cells of 9 Hz that follow inputs of 20 Hz: inputs come before, at their rate; in the wrong order it would be 10 Hz, and after."""
    rng = np.random.default_rng(5)
    t, i = trains(rng, 20, 20.0)
    spikes = {
        "inputs": Spikes(t, i),
        "cells": Spikes(*followers(rng, t, i, 2)),
        "bystanders": Spikes(*trains(rng, 20, 40.0)),
    }
    found = input_output(a_named_run("inputs", "cells", **spikes))["all"]
    assert found.expected == pytest.approx(20.0, rel=0.03)
    assert found.s[np.argmax(found.rate)] == pytest.approx(-1e-3, abs=0.6e-3)


def test_correlations_of_a_recurrent_projection_are_of_the_cells_with_each_other():
    rng = np.random.default_rng(6)
    t, i = trains(rng, 20, 20.0)
    wiring = Wiring(np.arange(1, 20), np.zeros(19, int))
    found = input_output(a_named_run("cells", "cells", wiring, n_post=20, cells=Spikes(t, i)))["all"]
    assert found.expected == pytest.approx(20.0, rel=0.03)
    assert found.rate.max() < 30.0  # the spike itself is not counted among them: no cell is joined to itself
    with pytest.raises(HebbscopeError, match=r"the spike run has no recorded spikes of cells$"):
        input_output(a_named_run("cells", "cells", wiring, n_post=20, others=Spikes(t, i)))


def test_correlations_of_a_sparse_projection_are_of_the_sources_that_are_joined():
    """Ten sources of each cell, of 40 of 20 Hz; those of the second cell alone drive it."""
    rng = np.random.default_rng(7)
    t, i = trains(rng, 40, 20.0)
    wiring = Wiring(np.array([0, 1, 5, 6, 12, 12, 20, 21, 30, 39]), np.array([1, 2, 1, 2, 1, 2, 1, 2, 1, 2]))
    groups = ("a",) * 10 + ("b",) * 30
    post = np.sort(np.concatenate([t[i == 0][::2] + 1e-3, rng.uniform(0, 50, 500)]))
    cells = Spikes(post, np.ones(len(post), int))
    run = a_named_run("inputs", "cells", wiring, groups, n_post=3, inputs=Spikes(t, i), cells=cells)
    found = input_output(run)
    for name, own in (("a", [0, 5]), ("b", [12, 20, 30])):
        assert found[name].expected == pytest.approx(np.isin(i, own).sum() / (len(own) * 50.0), rel=0.01)
    assert found["a"].s[np.argmax(found["a"].rate)] == pytest.approx(-1e-3, abs=0.6e-3)
    assert found["a"].rate.max() > 3 * found["b"].rate.max()
    ax = spike_figures.raster(run, length=1.0)
    rows = np.concatenate([line.get_ydata() for line in ax.lines if line.get_marker() == "."])
    assert set(rows) == set(i[(t >= post[-1] - 0.99) & np.isin(i, wiring.pre)])
    (rates,) = ax.child_axes
    means = [line.get_ydata().mean() for line in rates.lines[:2]]
    np.testing.assert_allclose(means, 20.0, rtol=0.4)
    run.spikes["cells"] = Spikes(post, np.zeros(len(post), int))
    with pytest.raises(HebbscopeError, match="no cell of cells that feed joins has recorded spikes"):
        input_output(run)


def test_the_raster_of_a_network_has_its_populations_in_their_order_and_colours_from_a_file_too(tmp_path):
    rng = np.random.default_rng(8)
    spikes = {name: Spikes(*trains(rng, n, 5.0)) for name, n in (("inputs", 20), ("quiet", 3), ("cells", 2))}
    run = a_named_run("inputs", "cells")
    run.spikes, run.populations = spikes | {"quiet": Spikes([], [])}, {"inputs": 20, "quiet": 3, "cells": 2}
    run.save(tmp_path / "run.h5")
    (loaded,) = Run.load(tmp_path / "run.h5")
    assert list(loaded.spikes) != list(run.spikes)
    found = [activity_figures.raster(each) for each in (run, loaded)]
    names = [[label.get_text() for label in ax.get_yticklabels()] for ax in found]
    assert names == [["inputs", "cells"]] * 2
    assert [[line.get_color() for line in ax.lines] for ax in found] == [[GROUP_COLOURS[0], GROUP_COLOURS[2]]] * 2
    tables = [activity(each).populations["spike"] for each in (run, loaded)]
    assert [[each.name for each in table] for table in tables] == [["inputs", "quiet", "cells"]] * 2
    run.bounds = {"feed": (0.0, 0.105)}
    run.save(tmp_path / "bounds.h5")
    assert activity(*Run.load(tmp_path / "bounds.h5")).weights["spike"][0].near_high == 1.0
    lines = [[line.split()[2] for line in repr(each).splitlines() if "spikes of" in line] for each in (run, loaded)]
    assert lines == [["inputs", "quiet", "cells"]] * 2


def test_they_draw_on_the_axes_given_and_leave_pyplot_alone():
    from matplotlib.figure import Figure

    for draw, arguments in (
        (figures.weights, RUNS[:1]),
        (figures.separation, RUNS),
        (figures.distribution, RUNS),
        (spike_figures.window, [KempterWindow()]),
        (spike_figures.raster, RUNS[:1]),
        (spike_figures.correlations, RUNS[:1]),
    ):
        ax = Figure().add_subplot()
        assert draw(*arguments, ax=ax) is ax
    code = "import sys; from hebbscope.analysis import activity_figures, figures, spike_figures; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_epsp_stands_upright_behind_a_window_that_only_depresses():
    ax = spike_figures.window(DoubleExponential(A_plus=-1.0, A_minus=0.5), LinearPoisson())
    (epsp,) = (line for line in ax.lines if line.get_label() == "EPSP, scaled")
    assert np.max(epsp.get_ydata()) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("quantity", ["separation", "weight"])
def test_a_quantity_that_the_runs_lack_is_named(quantity):
    with pytest.raises(HebbscopeError, match=f"no '{quantity}' in these runs, but average weight, spread, output rate"):
        figures.course(quantity, a_run("spike", groups=("all",) * 6))


def test_the_summary_of_a_network_has_spikes_and_weights_over_time_and_at_the_end():
    run = a_run("spike")
    titles = [ax.get_title() for ax in activity_figures.summary(run).axes]
    assert titles == ["", "Weights inputs to neuron", "At the end"]
    run.spikes = {}
    assert [ax.get_title() for ax in activity_figures.summary(run).axes] == titles[1:]
