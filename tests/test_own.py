"""Parts of one's own, named by their file: in descriptions, in runs that are resumed, and before the contract that they are to keep."""

import re
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from interpreting import interpreted

from hebbscope import HebbscopeError, simulate
from hebbscope.cli import main
from hebbscope.models.experiments import load
from hebbscope.models.experiments.toml import loads, to_toml
from hebbscope.verification import rule
from hebbscope.verification.rule import checks

PAGE = (Path(__file__).parents[1] / "docs/own-rules.md").read_text()
RULE, _, RATE_RULE = re.findall(r"```python\n(.*?)```", PAGE, re.S)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "myrule.py"
    path.write_text(RULE)
    return path


def settings(file, **more):
    return [("rule", f"{file}:PairSTDP"), *((f"rule.{name}", value) for name, value in more.items())]


def test_the_rule_of_the_documentation_runs_from_its_file(file):
    """The same weights from a description, from its TOML, and from the class that Python imports."""
    described = load("kempter1999", settings(file, eta="2e-4"))
    text = to_toml(described)
    assert f'type = "{file}:PairSTDP"' in text and to_toml(loads(text)) == text
    scope = {"__name__": "mine"}
    exec(RULE, scope)
    network = described.network()
    assert type(network.projection.rule) is not scope["PairSTDP"] and network.projection.rule == scope["PairSTDP"](2e-4)
    first, again = (simulate(each.network(), 20.0, seeds=3) for each in (described, loads(text)))
    assert (first.final_weights == again.final_weights).all() and (first.final_weights != first.weights[:, 0]).any()


def test_a_rule_may_draw_from_a_stream_of_its_own(file):
    """The documented rule with random potentiation does whatever is asked of a rule."""
    changes = (
        ("SecondsArray, positive", "SecondsArray, positive\nfrom hebbscope.simulator.streams import normal"),
        ("    x: np.ndarray\n", "    rng: np.ndarray\n    x: np.ndarray\n"),
        (
            "def init(self, n_pre, n_post):\n        return State(",
            "def init(self, n_pre, n_post, rng):\n        return State(rng, ",
        ),
        ("+= self.eta * state.x[j]", "+= self.eta * normal(state.rng) * state.x[j]"),
    )
    text = RULE
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    file.write_text(text)
    with interpreted():
        assert [check.problem for check in checks(f"{file}:PairSTDP") if not check.ok] == []


def test_a_run_file_says_where_its_rule_is(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "run.h5"
    arguments = [
        "run",
        "kempter1999",
        "--set",
        "rule=myrule.py:PairSTDP",
        "--duration",
        "50 s",
        "--seeds",
        "1,2",
        "--level",
        "spike",
    ]
    done = run([*arguments, "--out", str(out), "--no-figure", "--quiet"])
    assert done.exit_code == 0, done.output
    monkeypatch.chdir("/")
    described = loads(loads_config(out))
    whole = simulate(described.network(), 50.0, seeds=(1, 2), record_every=0.5)
    np.testing.assert_array_equal(final(out), whole.final_weights)
    file.write_text(RULE.replace("1.05", "1.06"))
    changed = simulate(loads(loads_config(out)).network(), 50.0, seeds=(1, 2), record_every=0.5)
    assert (changed.final_weights != whole.final_weights).any()  # the file is read anew


def loads_config(path):
    from hebbscope.simulator.runfile import describe

    return describe(path)["config"]


def final(path):
    from hebbscope import Run

    return Run.load(path)[0].final_weights


def run(arguments):
    """What the command line says and its exit code."""
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize(
    "text, cls, words",
    [
        (None, "X", r"^rule: .*myrule\.py: No such file or directory$"),
        ("x = (", "X", r"^rule: .*myrule\.py line 1: SyntaxError: '\(' was never closed$"),
        ("\nimport nowhere_to_be_found", "X", r"^rule: .*myrule\.py line 2: ModuleNotFoundError: No module named"),
        (RULE, "X", r"^rule: .*myrule\.py has no part 'X'; there are State, PairSTDP$"),
        (
            RULE,
            "State",
            r"^rule: must be a rate rule, with a method on_rates, or a rule, with a method on_pre, got State$",
        ),
        (RULE, "np", r"^rule: .*myrule\.py has no part 'np'"),
    ],
)
def test_what_cannot_be_had_from_a_file_is_one_line(tmp_path, text, cls, words):
    path = tmp_path / "myrule.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(HebbscopeError) as caught:
        load("kempter1999", [("rule", f"{path}:{cls}")])
    assert re.search(words, str(caught.value)) and "\n" not in str(caught.value)


# The contract ----------------------------------------------------------------------------------------------------------


def test_the_rule_of_the_documentation_keeps_the_contract(file):
    found = list(checks(f"{file}:PairSTDP"))
    assert len(found) == 9 and all(each.ok for each in found), [str(each) for each in found]


def test_the_rule_of_rates_of_the_documentation_keeps_the_contract_and_runs_from_its_file(tmp_path):
    path = tmp_path / "rates.py"
    path.write_text(RATE_RULE)
    found = list(checks(f"{path}:Leaky"))
    assert len(found) == 12 and all(each.ok for each in found), [str(each) for each in found]
    described = load("kempter1999", [("rule", f"{path}:Leaky"), ("rule.tau", 50.0)])
    assert type(described.network().projection.rule).__name__ == "Leaky"
    run = simulate(described.network(), 1.0)
    assert np.any(run.final_weights != run.weights[:, 0])
    path.write_text(RATE_RULE.replace("state, w, i, x, y, dt", "state, w, i, y, x, dt"))
    wrong = [each.problem for each in checks(f"{path}:Leaky")]
    assert (
        len(wrong) == 1 and "must be a method on_rates(self, state, w, i, x, y, dt), as of every rate rule" in wrong[0]
    )


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ("def on_post(self, state, w, i, t)", "def on_post(self, w, i, t)", "must be a method on_post(self, state, w, i, t)"),
        ("    eta: float = 1e-4", "    eta: float", "non-default argument|PairSTDP.eta has no default|without a default"),
        ('positive(self, "eta", "tau")', 'positive(self, "tau")', "check lets eta = nan pass"),
        ("eta   1e-4    learning rate\n", "\n", "nothing of eta"),
        ("+= self.eta * state.x[j]", "+= 1e300 * state.x[j]", "ran away"),
        ("    eta: float = 1e-4", "    w_max: float = 0.21\n    eta: float = 1e-1", "is beyond the bounds -inf and 0.21"),
        ("state.x[j] = state.x[j]", "state.x[j] = [k for k in ()] or state.x[j]", "Error: "),
        ("    eta: float = 1e-4", "    w_max: float = 0.2\n    eta: float = 1e-9", "is beyond the bounds -inf and 0.2"),
        ("w.value[w.into(i, n)] +=", "w.value[w.into(0, n)] +=", "PairSTDP.on_post changes a synapse that is not one onto target 1"),
        ("w.value[w.out(j, n)] -=", "w.value[w.out(0, n)] -=", "PairSTDP.on_pre changes a synapse that is not one of source "),
        ("w.value[w.into(i, n)] +=", "w.value[w.into(i, n) + 5000] +=", "IndexError: index 50"),
        ("-= 1.05 * self.eta", "-= 0.0 * self.eta", ""),
    ],
    ids=["arguments", "default", "check", "docstring", "infinite", "bounds", "at a bound", "target", "source", "index", "not compiled", "fine"],
)  # fmt: skip
def test_what_is_wrong_with_a_rule_is_said_in_words(tmp_path, monkeypatch, old, new, problem):
    monkeypatch.setattr(rule, "SECONDS", 0.5)
    path = tmp_path / "myrule.py"
    assert old in RULE
    path.write_text(RULE.replace(old, new))
    with nullcontext() if problem == "Error: " else interpreted():
        found = [each.problem for each in checks(f"{path}:PairSTDP") if not each.ok]
    assert bool(found) == bool(problem) and all("\n" not in each for each in found)
    wanted = problem if "|" in problem else re.escape(problem)
    assert not problem or any(re.search(wanted, each) for each in found), found


@pytest.mark.parametrize("name", ["Hebb", "Covariance", "Oja", "Sanger", "BCM", "Linsker", "Miller", "NonlinearHebb"])
def test_the_rules_of_rates_of_the_house_keep_the_contract(tmp_path, name):
    path = tmp_path / "myrule.py"
    path.write_text(f"from hebbscope.rules import {name}")
    with interpreted():
        found = list(checks(f"{path}:{name}"))
    assert len(found) == 12 and all(each.ok for each in found), [str(each) for each in found]


def test_a_rule_that_sees_potentials_is_shown_some(tmp_path, monkeypatch):
    """In the engine that has them."""
    monkeypatch.setattr(rule, "SECONDS", 0.2)
    path = tmp_path / "myrule.py"
    path.write_text("from hebbscope.rules import VoltageSTDP")
    with interpreted():
        found = list(checks(f"{path}:VoltageSTDP"))
    assert len(found) == 6 and all(each.ok for each in found), [str(each) for each in found]


def test_the_command_ends_with_3_where_anything_is_wrong(file):
    file.write_text(RULE.replace('positive(self, "eta", "tau")', 'positive(self, "tau")').replace("on_post", "on_past"))
    done = run(["check-rule", f"{file}:PairSTDP"])
    assert done.exit_code == 3 and done.stdout.startswith("FAIL") and done.stdout.count("\n") == 1
    done = run(["check-rule", "PairSTDP"])
    assert done.exit_code == 2 and "must be FILE.py:CLASS" in done.stderr
    for name, words in ((f"{file}:Nobody", "has no part 'Nobody'"), ("nowhere.py:PairSTDP", "No such file")):
        done = run(["check-rule", name])
        assert done.exit_code == 2 and words in done.stderr and done.stderr.count("\n") == 1 and not done.stdout
