"""The catalogue of rules: its page is that of the code, its pictures are there, and what it draws is what the rules do."""

import importlib.util

import naive
import numpy as np
import pytest
from interpreting import interpreted
from replay import replay
from test_docs import DOCS

from hebbscope import simulate
from hebbscope.models.experiments.catalogue import parts
from hebbscope.rules import PairSTDP, Static, Triplet

RULES = parts("rule") | parts("rate rule")
SMALL, LARGE = 2_000, 60_000  # bytes of a picture


@pytest.fixture(scope="module")
def catalogue():
    spec = importlib.util.spec_from_file_location("catalogue_of_rules", DOCS / "catalogue.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_that_of_the_code(catalogue):
    """After `python docs/catalogue.py` nothing has changed."""
    page = catalogue.page()
    assert page == (DOCS / "catalogue.md").read_text(encoding="utf-8"), "run python docs/catalogue.py"
    for name, rule in RULES.items():
        assert f"## {name}\n" in page and f"\n{rule.__doc__.splitlines()[0]}\n" in page
    assert "Reduction, `TripletEquation`" in page and "It has no learning equation" in page


def test_every_picture_is_there_and_small(catalogue):
    wanted = {f"{name}-{kind}.png" for name, rule in RULES.items() for kind in catalogue.pictures(rule)}
    found = {path.name: path.stat().st_size for path in (DOCS / "catalogue").iterdir()}
    assert set(found) == wanted, "run python docs/catalogue.py"
    assert all(SMALL < size < LARGE for size in found.values())


@pytest.mark.parametrize("name", RULES)
def test_what_a_rule_says_of_its_pictures_is_known(catalogue, name):
    rule = RULES[name]
    assert catalogue.pictures(rule) or rule is Static
    assert set(catalogue.pictures(rule)) <= set(catalogue.PICTURES) == set(catalogue.TITLES)
    assert set(getattr(rule(), "forms", {})) <= set(catalogue.pictures(rule))
    for kind in catalogue.pictures(rule):
        for form in catalogue.forms(rule, kind).values():
            form.check()


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if hasattr(rule, "pair_change")])
def test_a_lone_pair_changes_what_the_rule_says(catalogue, name):
    """One synapse, one spike on each side, in every form that the catalogue draws; at one time the presynaptic spike is the first."""
    for form in catalogue.forms(RULES[name], "window").values():
        slow = form._replace(eta=1e-3 * form.eta)  # far from every bound
        for s in (-20e-3, -3e-3, 0.0, 3e-3, 20e-3):
            with interpreted():
                found = replay(slow, [[0.1 + s]], [[0.1]], [[0.5]])[0, 0] - 0.5
            assert found == pytest.approx(float(slow.pair_change(s, 0.5)), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("lag", [10e-3, -10e-3, 4e-3])
@pytest.mark.parametrize("form", ["minimal", "full", "nearest, minimal", "nearest, full"])
def test_regular_pairs_change_what_the_rule_says(catalogue, form, lag):
    rule = catalogue.forms(Triplet, "frequency")[form]
    for frequency in (1.0, 20.0, 50.0):
        pre = 0.1 + np.arange(8) / frequency
        amplitudes = {key: value for key, value in rule._asdict().items() if key not in ("w_min", "w_max", "threshold")}
        expected = naive.triplet([pre], [pre + lag], [[10.0]], **amplitudes)[0, 0] - 10.0
        assert rule.regular_pairs(frequency, lag, 8) == pytest.approx(expected, rel=1e-9)


def test_pictures_are_of_the_spikes_that_they_name(catalogue):
    """The network with a teacher makes the pairs: their change, from the loop in steps, is that of the rule."""
    with interpreted():
        change = catalogue.taught(PairSTDP(), [np.array([0.05]), np.array([0.06])], [np.array([0.055])], 0.1)
    assert change == pytest.approx(
        np.array([[5e-3 * np.exp(-0.25), -5.25e-3 * np.exp(-0.25)]]), rel=5e-9
    )  # rounded at 0.5
    with interpreted(), pytest.raises(SystemExit, match="a cell did not fire when it was told to"):
        catalogue.taught(PairSTDP(), [np.array([0.05])], [np.array([0.055, 0.05501])], 0.1)


@pytest.mark.parametrize("name", [name for name, rule in parts("rule").items() if rule is not Static])
def test_all_that_a_rule_changes_is_proportional_to_its_learning_rate(catalogue, name):
    """As the measured drift takes for granted of every rule of spikes, a new one as well: pairs of either order, and a doublet."""
    pre, post = [np.array([0.03, 0.08]), np.array([0.05])], [np.array([0.04, 0.06])]
    with interpreted():
        once, twice = (
            catalogue.taught(RULES[name]()._replace(eta=factor * RULES[name]().eta), pre, post, 0.1)
            for factor in (1.0, 2.0)
        )
    assert np.abs(once).min() > 0.0
    np.testing.assert_allclose(twice, 2.0 * once, rtol=1e-4)


def test_a_course_is_that_of_the_theory_over_it(catalogue):
    """Sanger's targets, from patterns in random order: noise and running means leave a hundredth."""
    network = catalogue.correlated(RULES["Sanger"](eta=1e-4))
    theory = catalogue.MeanChange(network)
    run = simulate(network, theory.duration(), level="rate", record_every=theory.duration() / 4)
    np.testing.assert_allclose(run.weights[0], theory.at(run.time), rtol=0, atol=0.03)
    assert np.abs(run.final_weights[0] @ catalogue.directions().T - [[1, 0, 0], [0, 1, 0]]).max() < 0.1
