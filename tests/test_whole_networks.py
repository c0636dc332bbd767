"""Whole networks at the rate level, all weights that learn together: against another solver, at their bounds, by seeds, in files, and where rates run away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from hebbscope import HebbscopeError, Network, Population, Projection, Run, reduce, simulate
from hebbscope.models import LIF, FixedInDegree, HomogeneousPoisson, LinearPoisson, Uniform
from hebbscope.models.experiments import from_network, to_toml
from hebbscope.rules import L1, PairSTDP, Triplet
from hebbscope.simulator.drive import Runaway
from hebbscope.simulator.plain import Static
from hebbscope.simulator.run import check_level
from hebbscope.simulator.runfile import RunFile


def ring(w_max=0.1, feeding=0.05, **more):
    """Inputs onto cells that excite each other, with delays, all of whose synapses are potentiated by chance."""
    inputs, cells = (
        Population("inputs", 4, HomogeneousPoisson(20.0)),
        Population("cells", 4, LinearPoisson(base_rate=5.0)),
    )
    rule = PairSTDP(A_plus=2e-3, A_minus=1e-3, w_max=w_max)
    wired = {"connectivity": FixedInDegree(2, self_connections=0), "delay": 1e-3, "name": "loop"}
    feed, loop = Projection(inputs, cells, feeding, rule, name="feed"), Projection(cells, cells, 0.05, rule, **wired)
    return Network([inputs, cells], [feed, replace(loop, **more)])


def test_the_weights_of_a_whole_network_follow_its_equation_together():
    """Against a solver of another kind on the same drifts, all weights below their bounds."""
    network = ring(w_max=1.0)
    run, equation = simulate(network, 6.0, level="rate", record_every=2.0), reduce(network)

    def slope(_, w):
        drift = equation.drift({"feed": w[:16].reshape(4, 4), "loop": w[16:]})
        return np.concatenate([drift["feed"].ravel(), drift["loop"]])

    start = np.full(24, 0.05)
    found = solve_ivp(slope, (0.0, 6.0), start, method="DOP853", rtol=1e-9, atol=1e-12, t_eval=run.time).y
    np.testing.assert_allclose(run.weights[0].reshape(4, 16), found[:16].T, rtol=2e-6)
    np.testing.assert_allclose(run.final["loop"].ravel(), found[16:, -1], rtol=2e-6)
    rates = [equation.rates({"feed": run.weights[0, k], "loop": found[16:, k]})["cells"] for k in range(4)]
    np.testing.assert_allclose(run.output_rate[0, 1:], 0.5 * (np.array(rates)[1:] + np.array(rates)[:-1]), rtol=2e-6)
    assert np.isnan(run.output_rate[0, 0]).all() and run.final["loop"].shape == (1, 1, 8)
    assert set(run.theory) == {"coefficients", "predictions"} and run.seeds == (1,)


def test_weights_of_a_whole_network_stop_at_the_bounds_of_their_own_projection():
    network = ring(w_max=0.1, rule=PairSTDP(A_plus=2e-3, A_minus=1e-3, w_max=0.2))
    run = simulate(network, 40.0, level="rate", record_every=1.0)
    assert (run.final["feed"] == 0.1).all() and (run.final["loop"] == 0.2).all()
    assert (np.diff(run.weights, axis=1) >= 0.0).all() and run.weights.max() == 0.1


def test_seeds_of_a_whole_network_differ_where_any_weights_are_drawn(tmp_path):
    """The runs of three seeds are those of each alone, and a file has them, with the weights of all projections."""
    network = ring(feeding=Uniform(0.0, 0.1))
    path = tmp_path / "run.h5"
    with RunFile.create(path, network=network, seeds=(1, 2, 3)) as file:
        run = simulate(network, 2.0, level="rate", seeds=(1, 2, 3), record_every=1.0, file=file)
    for k, seed in enumerate((1, 2, 3)):
        alone = simulate(network, 2.0, level="rate", seeds=seed, record_every=1.0)
        assert (alone.weights[0] == run.weights[k]).all() and (alone.final["loop"][0] == run.final["loop"][k]).all()
    (read,) = Run.load(path)
    assert (read.weights == run.weights).all() and (read.final["loop"] == run.final["loop"]).all()
    assert (read.wiring is None) and (read.other_wirings["loop"].pre == network.projections[1].wiring.pre).all()
    assert read.theory["coefficients"] == run.theory["coefficients"]
    again = tmp_path / "again.h5"
    read.save(again)
    assert (Run.load(again)[0].final["loop"] == run.final["loop"]).all()


def test_sparse_weights_that_learn_are_recorded_at_the_rate_level(tmp_path):
    inputs = Population("inputs", 6, HomogeneousPoisson(20.0), groups={"a": 2, "b": 4})
    cells = Population("cells", 3, LinearPoisson(base_rate=5.0))
    network = Network([inputs, cells], [Projection(inputs, cells, 0.05, PairSTDP(), connectivity=FixedInDegree(2))])
    with RunFile.create(tmp_path / "run.h5", network=network, seeds=(1,)) as file:
        run = simulate(network, 1.0, level="rate", record_every=0.5, file=file)
    (read,) = Run.load(tmp_path / "run.h5")
    assert run.weights.shape == (1, 3, 1, 6) == read.weights.shape and read.groups == run.groups
    means = [run.weights[0, :, 0, np.array(run.groups) == name].mean(axis=0) for name in ("a", "b")]
    np.testing.assert_allclose(read.theory["separation"], means[1] - means[0], rtol=1e-12)


def test_a_run_of_a_whole_network_that_is_stopped_is_made_again_from_its_start(tmp_path):
    """To the same bits; until then what was recorded is there."""
    network, path, reached = ring(), tmp_path / "run.h5", []

    def stopped(t):
        reached.append(t)
        if t > 2.0:
            raise KeyboardInterrupt

    plan = {"network": network, "seeds": (1,), "levels": ("rate",)}
    config = to_toml(from_network(network, duration=6.0, record_every=0.5, levels="rate"))
    with pytest.raises(KeyboardInterrupt), RunFile.create(path, config=config, **plan) as file:
        simulate(network, 6.0, level="rate", record_every=0.5, file=file, progress=stopped)
    assert Run.load(path)[0].time[-1] == reached[-1] < 4.0
    with RunFile.reopen(path) as file:
        again = simulate(network, 6.0, level="rate", record_every=0.5, file=file)
    whole = simulate(network, 6.0, level="rate", record_every=0.5)
    (read,) = Run.load(path)
    assert (read.weights == whole.weights).all() and (again.final["loop"] == whole.final["loop"]).all()


def test_rates_that_run_away_in_a_network_end_the_run_with_what_there_is():
    words = r"equation came to its end \(Network network: .*\) after t = \d+ s; what was"
    with pytest.raises(Runaway, match=words) as caught:
        simulate(ring(w_max=1.0), 40.0, level="rate", record_every=1.0)
    run = caught.value.run
    assert 5 < run.n_times < 40 and np.isfinite(run.weights).all() and (np.diff(run.weights, axis=1) > 0.0).all()
    assert np.isfinite(run.final["loop"]).all()


def test_a_rate_that_is_not_allowed_ends_the_run_of_a_network():
    with pytest.raises(
        Runaway, match=r"output rate of the averaged equation ran away past 15 Hz after t = \d\.\d s"
    ) as caught:
        simulate(ring(w_max=1.0), 40.0, level="rate", record_every=0.1, max_rate=15.0)
    assert caught.value.run.output_rate[0, 1:].max() <= 15.0


def simulate_rate(network, level, duration):
    simulate(network, duration, level=level)


def test_what_a_whole_network_has_no_equation_for_is_said_before_it_runs():
    for network, words in (
        (ring(rule=Triplet()), "Triplet: has no learning equation of a whole network"),
        (ring(normalisation=L1(norm=0.4)), "knows no normalisation"),
        (
            ring(weights=np.full(8, 0.6), rule=PairSTDP()),
            "Network network: its rates run away, cells drive each other too much",
        ),
    ):
        for refused in (check_level, simulate_rate):
            with pytest.raises(HebbscopeError, match=words):
                refused(network, "rate", 1.0)
    drawn = ring(feeding=Uniform(0.0, 0.1), weights=Uniform(0.3, 0.67), rule=PairSTDP())
    with pytest.raises(HebbscopeError, match=r"its rates run away, cells drive each other too much \(seed \d+\)"):
        simulate(drawn, 1.0, level="rate", seeds=range(1, 40))
    quick = Population("cells", 4, LIF(tau_m=5e-5))
    fast = Network(
        [drawn.populations[0], quick],
        [Projection(drawn.populations[0], quick, 1e-4, PairSTDP(), delay=1e-3, dendritic_delay=1e-3)],
    )
    with pytest.raises(HebbscopeError, match=r"LIF\.tau_m: must be > the step, 0\.0001 s, got 5e-05"):
        simulate(fast, 1.0, level="rate")
    alone = replace(drawn, projections=[replace(each, rule=Static()) for each in drawn.projections])
    with pytest.raises(HebbscopeError, match="has no projection that learns"):
        reduce(alone)
    inputs = Population("inputs", 3000, HomogeneousPoisson(20.0))
    cells = Population("cells", 2, LinearPoisson())
    large = Network([inputs, cells], [Projection(inputs, cells, 1e-4, PairSTDP(), delay=1e-3)])
    with pytest.raises(HebbscopeError, match=r"is of at most 2,000 inputs and cells, got 3,002"):
        reduce(large)
