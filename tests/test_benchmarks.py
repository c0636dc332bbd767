"""The yardstick of the speed benchmark simulates the network that it claims to: its behaviour is theory's. No times here."""

import importlib.util
import json
import math
import re
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import naive
import numba
import numpy as np
import pytest

import hebbscope
from hebbscope.models.experiments.catalogue import parts

BENCHMARKS = Path(hebbscope.__file__).parent / "benchmarks"
SEEDS, SECONDS = (3, 10.0) if numba.config.DISABLE_JIT else (32, 2500.0)


@pytest.fixture(scope="module")
def benchmarks():
    sys.path.insert(0, str(BENCHMARKS))
    import fused_kempter
    import setting

    yield fused_kempter, setting
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def runs(benchmarks):
    with np.errstate(over="ignore"):  # without the JIT the random stream wraps around loudly
        return [benchmarks[0].simulate(SECONDS, seed, record_every=SECONDS / 25) for seed in range(SEEDS)]


def agrees(values, theory):
    """The mean over seeds is theory's within three standard errors."""
    return abs(np.mean(values) - theory) < 3 * np.std(values, ddof=1) / np.sqrt(len(values))


def test_fused_kernel_has_the_mean_weight_of_theory(benchmarks, runs):
    expected = np.mean([benchmarks[0].expected(t)[0] for t in runs[0].times[1:]])
    assert agrees([run.mean_weight[1:].mean() for run in runs], expected)


def test_fused_kernel_separates_the_groups_as_theory(benchmarks, runs):
    assert agrees([run.separation[-1] for run in runs], benchmarks[0].expected(SECONDS)[1])


def test_fused_kernel_fires_at_the_rate_of_theory(benchmarks, runs):
    expected = np.mean([benchmarks[0].expected(t)[2] for t in runs[0].times])
    assert agrees([run.output_rate for run in runs], expected)
    assert agrees([run.n_pre_spikes for run in runs], 50 * 10.0 * SECONDS)


@pytest.mark.parametrize("causal", [True, False])
def test_expectation_is_the_learning_equation_of_the_network(benchmarks, causal):
    fused_kempter, setting = benchmarks
    run = hebbscope.simulate(setting.network(), 20_000.0, level="rate", record_every=5_000.0)
    weights = run.weights[0, :, 0] if causal else run.theory["weights_without_causal"][:, 0]
    for t, w in zip(run.time, weights, strict=True):
        mean, separation, _ = fused_kempter.expected(t, causal)
        assert w.mean() == pytest.approx(mean, rel=1e-4)
        assert w[25:].mean() - w[:25].mean() == pytest.approx(separation, rel=1e-3, abs=1e-9)


@pytest.mark.parametrize(("n_pre", "n_post"), [(50, 1), (500, 3)])
def test_network_keeps_its_rate_in_any_size(benchmarks, n_pre, n_post):
    equation = hebbscope.reduce(benchmarks[1].network(n_pre, n_post))
    assert equation.mean_weight * n_pre == pytest.approx(1.0, rel=0.03)
    assert equation.output_rate == pytest.approx(10.0, rel=0.03)


def test_the_readme_quotes_the_measured_numbers():
    assert (BENCHMARKS / "results.md").read_text().strip() in (BENCHMARKS.parent / "README.md").read_text()


# The networks of benchmarks/networks.py -------------------------------------------------------------------------------

TINY = {
    "kempter": {},
    "song": {"n_pre": 200, "n_post": 3, "w_max": 0.05, "A_plus": 5e-4, "A_minus": 5.25e-4},
    "balanced": {"n_excitatory": 80, "n_inhibitory": 20, "from_excitatory": 20, "from_inhibitory": 5},
}
OURS = {"precision": "double"}
PROGRAMS = ("hebbscope_networks.py", "kernels.py", "peers/brian2_networks.py", "peers/annarchy_networks.py")
KINDS = [(script, kind) for script in PROGRAMS for kind in TINY] + [
    ("peers/nest_networks.py", kind) for kind in ("song", "balanced")
]


@pytest.fixture(scope="module")
def networks(benchmarks):
    import hebbscope_networks
    import kernels
    import networks
    import workloads

    return SimpleNamespace(ours=hebbscope_networks, kernels=kernels, run=networks, workloads=workloads)


def parameters(networks, kind):
    """Those of the smallest workload of a kind, made smaller."""
    return next(each.parameters for each in networks.workloads.WORKLOADS.values() if each.kind == kind) | TINY[kind]


def tiny(networks, kind, seconds, folder, **more):
    """Settings of the network of a kind, small enough for a test, as a program reads them."""
    workload = networks.workloads.Workload("", kind, parameters(networks, kind), seconds, "1")
    return json.loads(
        networks.run.settings_of(workload, Path(tempfile.mkdtemp(dir=folder), "settings"), **more).read_text()
    )


@pytest.mark.parametrize(("script", "kind"), KINDS)
def test_every_parameter_reaches_every_program(networks, script, kind):
    text = (BENCHMARKS / script).read_text()
    fields = {
        name
        for each in (networks.kernels.Kempter, networks.kernels.Song, networks.kernels.Balanced)
        for name in each._fields
    }
    known = set(re.findall(r"""["'](\w+)["']""", text)) | (fields if script == "kernels.py" else set())
    drawn = {"from_excitatory", "from_inhibitory"} if script != "hebbscope_networks.py" else set()  # in the graph
    assert set(parameters(networks, kind)) - drawn <= known


@pytest.mark.parametrize("kind", TINY)
def test_our_side_reads_every_parameter(networks, kind, tmp_path):
    class Read(dict):
        def __getitem__(self, name):
            read.add(name)
            return super().__getitem__(name)

    read = set()
    networks.ours.NETWORKS[kind](Read(parameters(networks, kind)))
    assert read == set(parameters(networks, kind))


@pytest.mark.parametrize("engine", ["event", "clock"])
def test_kernel_of_the_poisson_neuron_behaves_as_both_engines(networks, engine, tmp_path):
    seconds, seeds = (2.0, range(3)) if numba.config.DISABLE_JIT else (200.0, range(16))
    ours = networks.ours.Simulator(tiny(networks, "kempter", seconds, tmp_path, engine=engine, **OURS))
    kernel = networks.kernels.Simulator(tiny(networks, "kempter", seconds, tmp_path))
    same_behaviour([ours.run(seed) for seed in seeds], [kernel.run(seed) for seed in seeds])


@pytest.mark.parametrize("n_post", [1, 3])
def test_kernels_of_conductance_neurons_behave_as_the_engine(networks, n_post, tmp_path):
    seconds, seeds = (0.2, range(3)) if numba.config.DISABLE_JIT else (20.0, range(16))
    settings = [tiny(networks, "song", seconds, tmp_path, **more) for more in ({"engine": "clock", **OURS}, {})]
    for each in settings:
        each["parameters"]["n_post"] = n_post
    ours, kernel = networks.ours.Simulator(settings[0]), networks.kernels.Simulator(settings[1])
    same_behaviour([ours.run(seed) for seed in seeds], [kernel.run(seed) for seed in seeds])


def same_behaviour(found, expected):
    """Rate and mean weight are equal within three and a half standard errors."""
    for key in ("rate", "mean_weight"):
        a, b = (np.array([run[key] for run in runs]) for runs in (found, expected))
        error = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))
        assert abs(a.mean() - b.mean()) < 3.5 * error + 1e-9, key
        assert a.mean() > 0


def test_kernel_of_the_balanced_network_fires_and_learns_as_the_engine(networks, tmp_path):
    """From the same potentials, spike by spike; the kernel has float32."""
    seconds, seed = 0.1, 3
    simulator = networks.ours.Simulator(tiny(networks, "balanced", seconds, tmp_path, engine="clock", **OURS))
    twin = networks.kernels.Simulator(tiny(networks, "balanced", seconds, tmp_path))
    twin.potentials = lambda seed, n: np.hstack([each.start(seed)["v"] for each in simulator.network.populations])
    ours, kernel = simulator.run(seed), twin.run(seed)
    assert ours["rate"] == pytest.approx(kernel["rate"], rel=1e-12) and ours["rate"] > 1.0
    for key in ("mean_weight", "sd_weight"):
        assert ours[key] == pytest.approx(kernel[key], rel=1e-4)
    assert ours["sd_weight"] > 0


ALWAYS = {"V_th": -1.0, "V_reset": -1.0, "refractory": 0.0}  # cells fire in every step
LENGTH = 0.02  # s


def arrivals_of_song(kernels, p, n_steps, seed):
    """Source -> steps in which it spikes, drawn as the kernels do."""
    found, state, dt = {}, kernels.stream(seed), LENGTH / n_steps
    coming = 0.0
    while True:
        coming -= math.log(1.0 - kernels.uniform(state)) / (p["n_pre"] * p["rate"] * dt)
        if coming >= n_steps:
            return found
        found.setdefault(int(kernels.uniform(state) * p["n_pre"]), []).append(int(coming))


@pytest.mark.parametrize(
    "order", [{}, {"back": 2e-4}, {"back": 2e-4, "apart": True}, {"back": 3e-3, "apart": True, "late": True}], ids=str
)
@pytest.mark.parametrize(("kind", "n_post"), [("song", 1), ("song", 3), ("balanced", 80)])
@pytest.mark.filterwarnings("ignore:overflow")  # without the JIT the random stream wraps around loudly
def test_kernels_learn_from_the_pairs_that_they_are_told(networks, kind, n_post, order, tmp_path):
    """Spikes meet at a synapse in every step: the weights are the sum over all pairs, those at one time counted or not."""
    settings = tiny(networks, kind, LENGTH, tmp_path, **order)
    p, dt = settings["parameters"], settings["dt"]
    p |= ALWAYS | {"A_plus": 2e-6 * p["w_max"], "A_minus": 1.5e-6 * p["w_max"], "n_post": n_post}
    n_steps, back = round(LENGTH / dt), round(order.get("back", 0.0) / dt)
    run, _, weights = getattr(networks.kernels.Simulator(settings), kind)(3)
    start = weights().copy()
    count = run(LENGTH)
    changes = (weights() - start).reshape(-1, n_post)
    if kind == "song":
        arrivals = arrivals_of_song(networks.kernels, p, n_steps, 3)
        quiet = np.setdiff1d(np.arange(p["n_pre"]), list(arrivals))
        assert count == n_post * n_steps and not changes[quiet].any() and len(arrivals) > 20
    else:
        arrivals = {0: range(round(p["delay"] / dt), n_steps)}
        assert count == 100 * n_steps and np.ptp(changes) == 0.0
    rule = {name: p[name] for name in ("A_plus", "A_minus")} | {
        "tau_plus": p["tau_plus"] / dt,
        "tau_minus": p["tau_minus"] / dt,
    }
    for j, steps in arrivals.items():
        expected = naive.pair_changes(
            steps, range(back, n_steps), 0.0, **rule, w_min=-1.0, w_max=1.0, apart="apart" in order
        )
        np.testing.assert_allclose(changes[j], expected, rtol=2e-3, atol=1e-6 * p["w_max"])


def test_pairs_at_one_time_cannot_be_kept_apart_where_a_spike_is_back_at_once(networks, tmp_path):
    with pytest.raises(SystemExit, match="take time to come back"):
        networks.kernels.Simulator(tiny(networks, "song", LENGTH, tmp_path, apart=True))


def test_late_delivery_and_dendritic_delays_make_another_network(networks, tmp_path):
    runs = [
        networks.kernels.Simulator(tiny(networks, "balanced", 0.1, tmp_path, **more)).run(3)
        for more in ({}, {"back": 3e-3}, {"late": True})
    ]
    assert len({run["mean_weight"] for run in runs}) == 3


def test_a_program_is_handed_its_settings_and_answers_seeds(networks, tmp_path):
    script = tmp_path / "program.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(BENCHMARKS / 'peers')!r})\n"
        "from answering import Timed, answer, serve\n"
        "class Simulator:\n"
        "    def __init__(self, settings):\n"
        "        print('what simulators print is no answer')\n"
        "        self.built = settings\n"
        "    def run(self, seed):\n"
        "        with Timed() as timed:\n"
        "            pass\n"
        "        return answer(timed, 0.5, 7.0, seed, [1.0, 3.0])\n"
        "serve(Simulator)\n"
    )
    workload = networks.workloads.WORKLOADS["B100"]
    path = networks.run.settings_of(workload, tmp_path / "folder", 2, engine="clock")
    with networks.run.Program(sys.executable, script, path, folder=tmp_path) as program:
        assert program.built["parameters"] == workload.parameters
        assert (program.built["threads"], program.built["engine"], program.built["seconds"]) == (2, "clock", 10.0)
        answers = [program.ask(seed) for seed in (4, 5)]
    assert [each["rate"] for each in answers] == [4.0, 5.0]
    assert (answers[0]["mean_weight"], answers[0]["sd_weight"], answers[0]["memory"]) == (2.0, 1.0, 7.0)


REFERENCE = {"rate": [10.0, 0.5], "mean_weight": [0.5, 0.01], "sd_weight": [0.2, 0.01]}


def like(rate=10.0, mean_weight=0.5, sd_weight=0.2, cpu=1.0):
    """What a program answers four times."""
    one = {"rate": rate, "mean_weight": mean_weight, "sd_weight": sd_weight, "cpu": cpu, "build": 0.25, "memory": 100.0}
    return [one, one | {"cpu": 2 * cpu}] * 2


def test_bound_is_three_standard_errors_and_what_a_scheme_leaves(networks):
    found = networks.run.compared(like(), REFERENCE)
    share = math.sqrt(1 / 4 + 1 / 20)
    assert found["rate"]["bound"] == pytest.approx(0.1 + 3 * 0.5 * share)
    assert found["mean_weight"]["bound"] == pytest.approx(0.004 + 3 * 0.01 * share)
    assert found["rate"]["error"] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("other", "agrees"),
    [
        ({}, True),
        ({"rate": 10.9}, True),
        ({"rate": 11.0}, False),
        ({"mean_weight": 0.479}, False),
        ({"sd_weight": math.nan}, False),
    ],
)
def test_no_time_of_another_behaviour_is_believed(networks, other, agrees):
    behaviour = {"nest": networks.run.compared(like(**other), REFERENCE)}
    if agrees:
        networks.run.check("B", behaviour)
        return
    with pytest.raises(SystemExit, match=rf"B, nest: {next(iter(other))} is .*\nno time is believed"):
        networks.run.check("B", behaviour)


def test_table_relates_the_best_rounds_to_the_clock_driven_engine(networks):
    found = {}
    for name, cpu in (("clock", 2.0), ("kernel", 0.5), ("brian2", 9.0)):
        found[name] = networks.run.cost(like(cpu=cpu), 10.0, "cpu") | {"compile": 12.0, "version": "1"}
        found[name]["behaviour"] = networks.run.compared(like(mean_weight=0.005), REFERENCE)
    found["clock"]["again"] = 0.3  # it keeps what it compiled
    results = {"rounds": 4, "load": 0.1, "machine": {"processor": "p", "cores": 2, "python": "3"}}
    text = networks.run.table(
        results | {"workloads": [{"name": "B", "seconds": 10.0, "threads": 1, "programs": found}]}
    )
    rows = {line.split(" | ")[0]: line.split(" | ")[1:] for line in text.splitlines() if " | " in line}
    title = networks.run.SIMULATORS["brian2"].title
    assert rows[f"| {title}"] == [
        "900 ms (1.35 s)",
        "4.5",
        "10.00 ± 0.25 Hz",
        "0.5000 ± 0.5000",
        "12.0 s, 0.25 s",
        "100 MB |",
    ]
    assert rows[f"| {networks.run.SIMULATORS['clock'].title}"][-2] == "12.0 s (0.30 s), 0.25 s"
    assert rows[f"| {networks.run.SIMULATORS['kernel'].title}"][:2] == ["50 ms (75 ms)", "0.25"]


def test_a_network_of_the_benchmarks_goes_where_it_can_be_run(networks):
    able = {key: set(each.kinds) for key, each in networks.run.SIMULATORS.items()}
    assert able["nest"] == {"song", "balanced"} and able["event"] == {"kempter"}
    assert {each.kind for each in networks.workloads.WORKLOADS.values()} == able["clock"] == able["kernel"]
    for each in networks.run.SIMULATORS.values():
        assert (BENCHMARKS / each.script).is_file() and each.reference in networks.run.REFERENCES


def test_the_benchmark_of_rules_knows_every_rule(networks):
    """A rule that is added is measured, or it is said which neuron it misses."""
    spec = importlib.util.spec_from_file_location("benchmark_of_rules", BENCHMARKS / "rules.py")
    of_rules = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(of_rules)
    known = of_rules.rules()
    assert set(known) == {*parts("rule"), *parts("rate rule"), *of_rules.FORMS} and of_rules.YARDSTICK in known
    network = of_rules.network(known["Triplet"])
    assert network.recorded.n_synapses == 100_000 and 0.0 < network.recorded.rule.eta < 1e-9
    assert of_rules.events(200, 2.0) == 15.0 * 100_000 + 100.0 * 1000
    of_rules.check([7, 7])
    with pytest.raises(SystemExit, match="no time is believed"):
        of_rules.check([7, 8])
    rows = [
        {"rule": name, "cpu": cpu, "events": 1e6}
        for name, cpu in (("Static", 1e-3), ("PairSTDP", 2e-3), ("Triplet", 4e-3))
    ]
    about = {"processor": "p", "cores": 2, "python": "3", "hebbscope": "1", "numpy": "2", "numba": "3"}
    text = of_rules.table({"rounds": 4, "seconds": 5.0, "rows": rows, "machine": about})
    assert "| Triplet | 4.00 | 4.00 | 2.00 | 3.00 |" in text
