"""What holds of every description, whatever is in it: hypothesis draws networks, rules, inputs, splits and threads.

    python -m pytest tests/test_properties.py --hypothesis-profile=thorough        many more, other ones each time

Layers go to the exact engine, circuits to the clock-driven one. Networks of any parts run without the compiler, which would take seconds for each
combination; what the compiled loops add is held for each part of the exact engine by itself, with any numbers (test_compiled_loops_do_the_same), and for
circuits of one kernel (test_compiled_circuits_do_the_same); test_clock_contract.py compiles every part for the clock-driven engine.
"""

from __future__ import annotations

import tomllib
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import h5py
import libsonata
import numpy as np
import pandas
import pytest
import xarray
from faults import differences
from hypothesis import given, settings
from hypothesis import strategies as some
from interpreting import interpreted
from strategies import Plan, circuits, circuits_of, described, networks, networks_of, neurons, of_kind, plans
from test_contract import EVERY, EXACT

from hebbscope import Population, Run, simulate
from hebbscope.models import LIF
from hebbscope.models.experiments import EXPERIMENTS, experiment_class, loads, to_toml
from hebbscope.models.experiments.catalogue import RULES
from hebbscope.models.experiments.description import leaves
from hebbscope.models.experiments.network import from_network
from hebbscope.simulator import averaged_run, checkpoint, clock_run, drive
from hebbscope.simulator.drive import Runaway
from hebbscope.simulator.export import export
from hebbscope.simulator.fingerprint import fingerprint
from hebbscope.simulator.runfile import RunFile, describe
from hebbscope.simulator.runreader import read_levels

COMPILED = [(kind, part) for kind, part in EXACT if kind not in ("weights", "monitor")]  # called by the exact loop
FEW = 300  # bytes of the weights of one block of the averaged equation
SHARD = 2  # cells, so that a few share threads
MAX_RATE = 500.0  # Hz; enough for what is drawn to run away now and then, and at once


def any_plan():
    """Of any network in the engine that runs it."""
    return plans(networks() | circuits())


# Runs that are cut --------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """What leaves no time for a checkpoint."""


class Strides:
    """A pace of given lengths [s], that says stop after so many strides, before or after what is at their end is recorded."""

    def __init__(self, lengths, n=0, stop=KeyboardInterrupt, recorded=False):
        self.lengths, self.n, self.stop, self.recorded, self.taken = lengths, n, stop, recorded, 0

    def end(self, now, t):
        return min(t, now + self.lengths[self.taken % len(self.lengths)])

    def took(self, biological, clock):
        self.taken += 1
        if self.taken == self.n and not self.recorded:
            raise self.stop

    def progress(self, t):
        if self.taken == self.n and self.recorded:
            raise self.stop


def run(plan: Plan, file=None, pace=None, threads=1) -> list[Run]:
    """All levels; of those that ran away what was recorded. The states are kept after every stride."""
    runs = []
    with ExitStack() as during:
        during.enter_context(patch.object(checkpoint, "EVERY", 0.0))
        during.enter_context(patch.object(clock_run, "CELLS_PER_SHARD", SHARD))
        if pace is not None:
            during.enter_context(patch.object(drive, "Pace", lambda: pace))
            during.enter_context(patch.object(averaged_run, "BLOCK", FEW))
        if file is not None:
            during.enter_context(file)
        for level in plan.levels:
            options = plan.options() | {"level": level, "threads": threads, "file": file, "max_rate": MAX_RATE}
            try:
                progress = getattr(pace, "progress", None)
                runs.append(simulate(plan.network, plan.duration, progress=progress, **options))
            except Runaway as stopped:
                runs.append(stopped.run)
                break  # as the command line does
    return runs


def created(plan: Plan, path: Path) -> RunFile:
    return RunFile.create(path, network=plan.network, seeds=plan.seeds, levels=plan.levels)


def run_in_pieces(plan: Plan, path: Path, paces: list[Strides], threads: list[int]) -> list[Run]:
    """Stopped by each pace in turn, if the run is that long, and resumed."""
    file = created(plan, path)
    for pace, n in zip(paces, threads, strict=False):
        try:
            return run(plan, file, pace, n)
        except (KeyboardInterrupt, Killed):
            assert describe(path)["resumable"] and not describe(path)["complete"]
            read_levels(path)  # whatever it was stopped at
            file = RunFile.reopen(path)
    return run(plan, file)


def same(one: Run, other: Run) -> None:
    """To the bit."""
    assert (one.level, one.seeds, one.groups, one.projection) == (
        other.level,
        other.seeds,
        other.groups,
        other.projection,
    )
    for name in ("time", "weights", "output_rate"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name
    same_spikes(one.spikes, other.spikes)
    same_samples(one.monitors, other.monitors)
    assert fingerprint(*sorted(one.final.items())) == fingerprint(*sorted(other.final.items()))
    shared = one.theory.keys() & other.theory.keys()  # a file has courses of its own beside them
    assert shared in (one.theory.keys(), other.theory.keys())
    first, second = ({name: run.theory[name] for name in sorted(shared)} for run in (one, other))
    assert fingerprint(*flat(first)) == fingerprint(*flat(second))


def same_spikes(one, other) -> None:
    """The cells, and the times as a file has them, in ms; a file has those of the first level alone."""
    for name, spikes in other.items():
        assert spikes.recorded == one[name].recorded
        assert spikes.i.tolist() == one[name].i.tolist()
        np.testing.assert_allclose(spikes.t, one[name].t, rtol=4e-16, atol=0.0)


def same_samples(one, other) -> None:
    """Those of all monitors, to the bit."""
    assert sorted(one) == sorted(other)
    for name, samples in one.items():
        assert samples.time.tobytes() == other[name].time.tobytes()
        assert samples.values.keys() == other[name].values.keys()
        for key, values in samples.values.items():
            assert values.tobytes() == other[name].values[key].tobytes(), f"{name} {key}"


def flat(theory):
    numbers = [each for each in leaves(theory) if not isinstance(each[1], dict | str)]  # {}: no predictions
    return sorted((key, np.asarray(value, dtype=float)) for key, value in numbers)


def splits():
    """How a run is cut: the strides it takes, and when, how and on how many threads it is stopped."""
    lengths = some.lists(some.floats(1e-3, 1.0), min_size=1, max_size=4)
    kinds = some.sampled_from([KeyboardInterrupt, Killed])
    return some.lists(
        some.builds(Strides, lengths, some.integers(1, 12), kinds, some.booleans()), min_size=1, max_size=3
    )


@settings(max_examples=max(5, settings().max_examples // 2))
@given(plan=any_plan(), paces=splits(), threads=some.lists(some.integers(1, 3), min_size=3, max_size=3))
def test_split_is_whole(plan, paces, threads):
    """Stopped or killed anywhere, again and again, and resumed: the file has the same bits, and so has what simulate returns."""
    with interpreted(), TemporaryDirectory() as folder:
        whole = run(plan, created(plan, Path(folder, "whole.h5")))
        pieces = run_in_pieces(plan, Path(folder, "pieces.h5"), paces, threads)
        for one, other in zip(whole, pieces, strict=True):
            assert one.spikes.keys() == other.spikes.keys()
            same(one, other)
        with h5py.File(Path(folder, "whole.h5")) as a, h5py.File(Path(folder, "pieces.h5")) as b:
            assert differences(a, b) == []
        endings = (
            [""] if describe(Path(folder, "whole.h5"))["complete"] else ["", ".checkpoint"]
        )  # of one that ran away
        expected = {f"{name}.h5{ending}" for name in ("pieces", "whole") for ending in endings}
        assert {path.name for path in Path(folder).iterdir()} == expected


@settings(max_examples=max(5, settings().max_examples // 2))
@given(plan=any_plan(), lengths=some.lists(some.floats(1e-3, 1.0), min_size=1, max_size=4))
def test_threads_and_strides_leave_no_mark(plan, lengths):
    with interpreted():
        for one, other in zip(run(plan), run(plan, pace=Strides(lengths), threads=2), strict=True):
            same(one, other)


@pytest.mark.parametrize("kind, part", COMPILED, ids=lambda value: getattr(value, "__name__", value))
def test_compiled_loops_do_the_same(kind, part):
    """As interpreted; on one thread as on two; cut as whole."""

    @settings(max_examples=max(2, settings().max_examples // 20))
    @given(plan=plans(networks_of(kind, part)), paces=splits())
    def holds(plan, paces):
        compiled_do_the_same(plan, paces)

    holds()


def compiled_do_the_same(plan, paces):
    with interpreted():
        reference = run(plan)
    with TemporaryDirectory() as folder:
        for runs in (run(plan, threads=2), run_in_pieces(plan, Path(folder, "run.h5"), paces, [1, 2, 3])):
            for one, other in zip(reference, runs, strict=True):
                same(one, other)


@settings(max_examples=max(3, settings().max_examples // 20))
@given(plan=plans(circuits_of(), any_spikes=False), paces=splits())
def test_compiled_circuits_do_the_same(plan, paces):
    compiled_do_the_same(plan, paces)


# Files ----------------------------------------------------------------------------------------------------------------


@settings(max_examples=max(5, settings().max_examples // 2))
@given(plan=any_plan())
def test_a_run_file_is_read_back(plan):
    """As what simulate returned: by Run.load, by xarray and as tables."""
    with interpreted(), TemporaryDirectory() as folder:
        path = Path(folder, "run.h5")
        runs = {found.level: found for found in run(plan, created(plan, path))}
        loaded = {found.level: found for found in Run.load(path)}
        assert loaded.keys() == runs.keys()
        with xarray.open_datatree(path, engine="h5netcdf") as tree:
            for level, given_ in runs.items():
                same_records(given_, loaded[level])
                node = tree[f"levels/{level}"]
                assert node["weights"].values.tobytes() == given_.weights.tobytes()
                assert node["output_rate"].values.tobytes() == given_.output_rate.tobytes()
                assert node["time"].values.tobytes() == given_.time.tobytes()
        for found in loaded.values():
            as_tree, tables = found.to_xarray(), found.to_pandas()
            assert as_tree["weights"].values.tobytes() == found.weights.tobytes()
            listed = np.sort(tables["weights"]["weight"])
            assert np.array_equal(listed, np.sort(found.weights.ravel()), equal_nan=True)
            assert len(tables["spikes"]) == sum(map(len, found.spikes.values()))


def same_records(one: Run, other: Run) -> None:
    """All but what only a run that was just simulated knows: the spikes of a level whose populations the file had from another before."""
    for name in ("level", "seeds", "groups", "projection"):
        assert getattr(one, name) == getattr(other, name)
    for name in ("time", "weights", "output_rate"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name
    same_spikes({name: one.spikes[name] for name in other.spikes}, other.spikes)


@settings(max_examples=max(5, settings().max_examples // 5))
@given(plan=any_plan())
def test_exports_hold_the_numbers_of_the_run_file(plan):
    with interpreted(), TemporaryDirectory() as folder:
        path = Path(folder, "run.h5")
        run(plan, created(plan, path))
        loaded = {found.level: found for found in Run.load(path)}
        sonata, csv = export(path, "sonata"), export(path, "csv")
        read_netcdf(export(path, "netcdf"), loaded)
        read_csv(csv, loaded)
        read_sonata(sonata, path, loaded)
        read_nwb(export(path, "nwb"), loaded)


def read_netcdf(path, loaded):
    with xarray.open_datatree(path, engine="h5netcdf") as tree:
        for level, found in loaded.items():
            assert tree[f"{level}/weights"].values.tobytes() == found.weights.tobytes()
            assert tree[f"{level}/output_rate"].values.tobytes() == found.output_rate.tobytes()
            for name, spikes in found.spikes.items():
                assert tree[f"{level}/spikes/{name}/t"].values.tobytes() == spikes.t.tobytes()
                assert tree[f"{level}/spikes/{name}/i"].values.tobytes() == spikes.i.tobytes()


def read_csv(folder, loaded):
    table = pandas.read_csv(folder / "weights.csv")
    rates = pandas.read_csv(folder / "output_rate.csv")
    for level, found in loaded.items():
        weights = table.loc[table["level"] == level, "weight"].to_numpy()
        assert np.array_equal(weights, np.moveaxis(found.weights, 1, 0).ravel(), equal_nan=True)
        rate = rates.loc[rates["level"] == level, "output_rate_Hz"].to_numpy()
        assert np.array_equal(rate, np.moveaxis(found.output_rate, 1, 0).ravel(), equal_nan=True)
    heard = sum(len(spikes) for found in loaded.values() for spikes in found.spikes.values())
    if heard:
        assert len(pandas.read_csv(folder / "spikes.csv")) == heard


def read_sonata(folder, path, loaded):
    for level, found in loaded.items():
        report = libsonata.ElementReportReader(str(folder / f"weights_{level}.h5"))[found.projection].get()
        frames, elements = np.asarray(report.data).reshape(-1, found.n_synapses), np.arange(found.n_synapses)
        if found.wiring is not None:
            elements = np.argsort(found.wiring.post, kind="stable")  # a report goes target by target
        weights = found.weights[0].reshape(found.n_times, -1)[: len(frames), elements]
        assert np.array_equal(frames, weights.astype(np.float32), equal_nan=True)
        assert found.n_times - len(frames) in (0, 1)  # the end, where it is off the grid
        for name, spikes in found.spikes.items():
            read = libsonata.SpikeReader(str(folder / "spikes.h5"))[name].get()
            assert [cell for cell, _ in read] == spikes.i.tolist()
            np.testing.assert_array_max_ulp(np.array([time for _, time in read]) / 1e3, spikes.t)


def read_nwb(path, loaded):
    import pynwb

    with pynwb.NWBHDF5IO(path, "r") as io:
        units = io.read().units
        n_spikes = 0 if units is None else sum(len(units["spike_times"][k]) for k in range(len(units)))
    assert n_spikes == sum(len(spikes) for found in loaded.values() for spikes in found.spikes.values())


# Descriptions ---------------------------------------------------------------------------------------------------------


def content(experiment) -> str:
    """A hash of all that a description holds, to the bit."""
    return fingerprint(*(getattr(experiment, name) for name in type(experiment).model_fields))


any_description = some.sampled_from(EXPERIMENTS).flatmap(described)


@given(experiment=any_description, comments=some.booleans())
def test_a_description_goes_through_toml(experiment, comments):
    assert content(loads(to_toml(experiment, comments))) == content(experiment)


@given(network=circuits())
def test_a_network_goes_through_toml(network):
    """With all its parts, wirings and arrays; a run of it is known by the same hash."""
    read = loads(to_toml(from_network(network, duration=1.0))).network()
    assert fingerprint(read) == fingerprint(network)
    assert content(from_network(read)) == content(from_network(network))


@given(experiment=any_description)
def test_a_description_goes_through_settings(experiment):
    """Each value as it stands in TOML, given as the text of a `--set`."""
    tables = tomllib.loads(to_toml(experiment))
    name = tables.pop("experiment")
    settings = [(key, value if isinstance(value, str) else repr(value)) for key, value in leaves(tables)]
    assert content(experiment_class(name).with_settings(settings)) == content(experiment)


@given(experiment=any_description)
def test_a_description_goes_through_a_run_file(experiment):
    with TemporaryDirectory() as folder:
        path = Path(folder, "run.h5")
        RunFile.create(path, config=to_toml(experiment)).close()
        about = describe(path)
    assert about["config_intact"] and content(loads(about["config"])) == content(experiment)


@pytest.mark.parametrize(
    "drawn, often",
    [(networks, ("learned", "fired", "stopped", "surrogate", "rate")), (circuits, ("learned", "fired", "stopped"))],
)
def test_what_is_drawn_is_worth_it(drawn, often):
    """The properties would hold of networks in which nothing happens, too, and of runs that nothing stops."""
    seen = dict.fromkeys(("learned", "fired", "ran away", "stopped", "surrogate", "rate"), 0)

    @given(plan=plans(drawn()), paces=splits())
    def look(plan, paces):
        with interpreted():
            found = run(plan)[0]
            try:
                run(plan, pace=paces[0])
            except (KeyboardInterrupt, Killed):
                seen["stopped"] += 1
        seen["learned"] += bool((found.weights[:, -1] != found.weights[:, 0]).any())
        seen["fired"] += bool((found.output_rate[:, 1:] > 0).any())
        seen["ran away"] += found.duration < plan.duration
        for level in ("surrogate", "rate"):
            seen[level] += level in plan.levels

    look()
    n = settings().max_examples
    assert min(seen[name] for name in often) > 0.1 * n, seen
    assert drawn is circuits or seen["ran away"] > 0.02 * n, seen


def test_every_part_is_drawn():
    drawn = set()

    def note(network):
        synapses = network.projection
        found = [synapses.rule, synapses.normalisation, synapses.transmission, *synapses.rule]
        drawn.update(map(type, [synapses.source.model, synapses.target.model, *found]))

    for kind in RULES:
        settings(max_examples=20 * settings().max_examples)(given(network=networks((kind,)))(note))()
    assert {part for _, part in COMPILED} <= drawn


def test_every_neuron_and_every_wiring_is_drawn():
    drawn, sheet = set(), Population("sheet", 4, LIF(), shape=(2, 2))

    @settings(max_examples=5 * settings().max_examples)
    @given(cells=neurons("cells", 4), wiring=of_kind("connectivity", sheet, sheet))
    def look(cells, wiring):
        drawn.update((type(cells.model), type(wiring)))

    look()
    assert {part for kind, part in EVERY if kind in ("neuron", "connectivity")} <= drawn
