"""Experiments as descriptions: dotted keys, units, class names, TOML there and back, and errors that say where."""

from __future__ import annotations

import math
from typing import NamedTuple, get_type_hints

import numpy as np
import pytest
from hypothesis import example as hypothesis_example
from hypothesis import given, settings
from hypothesis import strategies as st

from hebbscope.models import ExponentialPoisson
from hebbscope.models.experiments import EXPERIMENTS, KINDS, experiment_class, load, loads, parts, to_toml
from hebbscope.models.experiments.description import DescriptionError, changed, nested
from hebbscope.models.experiments.kempter1999 import Kempter1999
from hebbscope.models.experiments.toml import line_of
from hebbscope.rules import (
    HIPPOCAMPUS_FULL,
    NEAREST_SYMMETRIC,
    STDP,
    DoubleExponential,
    KempterWindow,
    Pairing,
    SpikeHebb,
    TabulatedWindow,
)
from hebbscope.simulator.protocols import HebbscopeError, SecondsArray
from hebbscope.simulator.quantity import read_quantity, write_quantity

CONTRACT_KEYS = """rule.eta rule.w_in rule.w_out rule.window.A_plus rule.window.A_minus rule.window.tau_plus rule.window.tau_minus
rule.window.tau_syn rule.w_min rule.w_max neuron.tau neuron.base_rate inputs.n_constant inputs.n_modulated inputs.rate inputs.amplitude
inputs.frequency weights.initial duration record_every""".split()


@pytest.fixture(params=EXPERIMENTS)
def experiment(request):
    return load(request.param)


# Quantities ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("20 ms", "s", 0.02),
        ("20ms", "s", 0.02),
        ("5 µs", "s", 5e-6),
        ("20000", "s", 20000.0),
        ("2 min", "s", 120.0),
        ("5 h", "s", 18000.0),
        ("1 d", "s", 86400.0),
        ("10 Hz", "Hz", 10.0),
        ("1 kHz", "Hz", 1000.0),
        ("0.1 1/s", "1/s", 0.1),
        ("-70.6 mV", "V", -0.0706),
        ("80.5 pA", "A", 80.5e-12),
        ("200 pF", "F", 200e-12),
        ("10 nS", "S", 10e-9),
        ("8 mV/s", "V/s", 8e-3),
        ("1e-5", "", 1e-5),
        ("-inf", "", -math.inf),
        (3, "s", 3.0),
        (np.float64(0.5), "", 0.5),
    ],
)
def test_quantity_is_read(text, unit, value):
    assert read_quantity(text, unit) == value


@pytest.mark.parametrize(
    ("text", "unit", "words"),
    [
        ("5ms", "", "without a unit"),
        ("5 Hz", "s", "must be in s"),
        ("10 ns", "S", "must be in S"),
        ("20 mV", "V/s", "must be in V/s"),
        ("5m", "s", "must be in s"),  # metres, minutes or milli?
        ("20 min", "Hz", "must be in Hz"),
        ("1,5", "s", "decimal point"),
        ("ten", "s", "must be a number in s"),
        ("tau = 5 ms", "s", "must be a number in s"),  # in which the library sees a name,
        ("5 ms # or 10 ms", "s", "must be a number in s"),  # or a comment
        ("1e-5 -- 1e-4", "", "must be a number without a unit"),
        ("", "s", "must be a number in s"),
        ("__import__('os')", "", "must be a number"),
        (True, "s", "must be a number"),
        (None, "", "must be a number"),
        ("9" * 5000, "s", "must be a number in s, in at most 100 letters"),  # minutes in the library that reads it
        (10**400, "", "within the range"),
    ],
)
def test_quantity_that_does_not_fit(text, unit, words):
    with pytest.raises(ValueError, match=words):
        read_quantity(text, unit)


@settings(max_examples=100)
@given(st.floats(allow_nan=False), st.sampled_from(["s", "Hz", "1/s", "", "V", "V/s", "A", "F", "S"]))
@hypothesis_example(-0.0, "Hz")
def test_written_quantity_reads_back_to_the_same_bits(value, unit):
    read = read_quantity(write_quantity(value, unit), unit)
    assert read == value and math.copysign(1.0, read) == math.copysign(1.0, value)


def test_brian2_quantities_are_checked_for_their_dimension():
    from brian2 import Hz, ms, mV, nS, pA, pF

    assert read_quantity(20 * ms, "s") == pytest.approx(0.02)
    assert read_quantity(10 * Hz, "Hz") == 10.0
    for value, unit, expected in ((-70 * mV, "V", -0.07), (8 * mV / ms, "V/s", 8.0), (80 * pA, "A", 8e-11)):
        assert read_quantity(value, unit) == pytest.approx(expected)
    assert read_quantity(10 * nS, "S") == pytest.approx(1e-8) and read_quantity(2 * pF, "F") == pytest.approx(2e-12)
    with pytest.raises(ValueError, match="dimension of s"):
        read_quantity(20 * mV, "s")
    with pytest.raises(ValueError, match="dimension of V"):
        read_quantity(20 * ms, "V")


# Keys ---------------------------------------------------------------------------------------------------------------


def test_kempter1999_has_the_keys_of_the_contract():
    keys = [item.key for item in Kempter1999().items()]
    assert set(CONTRACT_KEYS) <= set(keys)
    assert len(keys) == len(set(keys))


def test_every_number_of_every_experiment_has_a_meaning_and_a_unit_that_reads_back(experiment):
    for item in experiment.items():
        assert item.meaning, f"{item.key} has no meaning"
        if isinstance(item.value, float):
            assert read_quantity(write_quantity(item.value, item.unit), item.unit) == item.value


def test_every_key_can_be_set_to_what_it_is(experiment):
    for item in experiment.items():
        if not isinstance(item.value, np.ndarray):
            same = type(experiment).with_settings([(item.key.removesuffix(".type"), str(item.value))])
            assert same.items() == experiment.items(), item.key


def test_settings_in_any_order():
    settings = [
        ("rule.window.tau_plus", "5ms"),
        ("rule.window", "DoubleExponential"),
        ("neuron.tau", "5 ms"),
        ("duration", "1 h"),
    ]
    for order in (settings, settings[::-1]):
        e = load("kempter1999", order)
        assert e.rule == SpikeHebb(DoubleExponential(tau_plus=5e-3))
        assert e.neuron.tau == 5e-3
        assert e.duration == 3600.0


def test_parts_are_chosen_by_class_name():
    e = load("kempter1999", [("neuron", "ExponentialPoisson")])
    assert e.neuron == ExponentialPoisson()
    table = [("rule.window", "TabulatedWindow"), ("rule.window.s", "[-0.01, 0, 0.01]"), ("rule.window.W", "[0, 1, 0]")]
    window = load("kempter1999", table).rule.window
    assert isinstance(window, TabulatedWindow)
    np.testing.assert_allclose(window.s, [-0.01, 0.0, 0.01])


@pytest.mark.parametrize("name", ["kempter1999", "song2000", "natural_images", "clopath2010"])
def test_any_rule_may_take_the_place_of_the_published_one(name):
    for rule in ("STDP", "Hebb"):
        assert type(load(name, [("rule", rule)]).rule).__name__ == rule
    with pytest.raises(DescriptionError, match="rule: no part is called 'Hebbian'"):
        load(name, [("rule", "Hebbian")])


def test_lists_and_rows_are_read_from_text():
    class Table(NamedTuple):
        rows: float | np.ndarray = 1.0
        times: SecondsArray = np.zeros(1)

    for text, value in (
        ("[[1, 0.5], [0, 2]]", [[1.0, 0.5], [0.0, 2.0]]),
        (" [ [1,2] ,[3,4] ] ", [[1, 2], [3, 4]]),
        ("[[7]]", [[7]]),
        ("[]", []),
    ):
        table = changed(Table(), {"rows": text}, "table", {})
        np.testing.assert_array_equal(table.rows, value)
    np.testing.assert_allclose(changed(Table(), {"times": "[1 ms, 2 s]"}, "table", {}).times, [1e-3, 2.0])


@pytest.mark.parametrize(
    "value",
    ["[[1, 2], [3]]", "[[1, 2], 3]", "[1, 2", "[[1, 2], [3, 4]", [[1, 2], [3]], [[1.0], 2.0], [[[1], [2]], [[3]]]],
)
def test_what_is_no_list_and_no_matrix_is_told_so(value):
    class Table(NamedTuple):
        rows: float | np.ndarray = 1.0

    with pytest.raises(DescriptionError) as caught:
        changed(Table(), {"rows": value}, "table", {})
    assert str(caught.value).startswith(
        "table.rows: must be a list such as [1, 2], or one of rows that are of one length"
    )


def test_whole_numbers_beyond_all_counting_are_told_so():
    class Table(NamedTuple):
        rows: float | np.ndarray = 1.0

    with pytest.raises(DescriptionError, match=r"table\.rows: must be of whole numbers below 2\^63"):
        changed(Table(), {"rows": [1, 2**63]}, "table", {})


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        ("Modulated", ["constant", "modulated"]),
        ("OrnsteinUhlenbeck", ["constant", "modulated"]),
        ("CommonSource", ["independent", "correlated"]),
        ("Homogeneous", ["all"]),
    ],
)
def test_kempter1999_with_other_inputs(inputs, names, tmp_path):
    e = load("kempter1999", [("inputs", inputs)])
    assert e.network().input.n == 50
    assert list(dict.fromkeys(e.network().input.groups)) == names
    (tmp_path / "mine.toml").write_text(to_toml(e, comments=True))
    assert load(str(tmp_path / "mine.toml")) == e


def test_objects_in_python():
    e = Kempter1999(rule=SpikeHebb(KempterWindow(tau_syn=4e-3)), inputs={"frequency": "10 Hz"}, duration=100)
    assert e.rule.window.tau_syn == 4e-3
    assert e.inputs.frequency == 10.0
    assert e.duration == 100.0
    with pytest.raises(
        DescriptionError, match=r"rule: must be a rate rule, with a method on_rates, or a rule.*, got KempterWindow"
    ):
        Kempter1999(rule=KempterWindow())


def test_numbers_have_the_declared_type():
    e = load("kempter1999", [("inputs.n_modulated", "30"), ("inputs.rate", 12)])
    assert type(e.inputs.n_modulated) is int
    assert type(e.inputs.rate) is float


def test_parts_that_have_a_name_are_chosen_by_it():
    """As a whole, in any place where their class fits, with values of their own on top; a file that is written has the values."""
    described = load("kempter1999", [("rule.eta", "2"), ("rule", "HIPPOCAMPUS_FULL")])
    assert described.rule == HIPPOCAMPUS_FULL._replace(eta=2.0)
    pairs = 'experiment = "kempter1999"\n[rule]\ntype = "STDP"\npairing = "NEAREST_SYMMETRIC"\n'
    assert loads(pairs).rule == STDP(pairing=NEAREST_SYMMETRIC) == loads(to_toml(loads(pairs))).rule
    assert load("kempter1999", [("rule", "STDP"), ("rule.pairing", "ALL_TO_ALL"), ("rule.pairing.post_by_post", "1")]).rule.pairing == Pairing(post_by_post=1)  # fmt: skip


@pytest.mark.parametrize(
    "name, words",
    [
        ("first", "no part is called 'first'; there are Pairing, ALL_TO_ALL, NEAREST_SYMMETRIC, PRESYNAPTIC_CENTRED, REDUCED_SYMMETRIC"),
        ("NEAREST_SYMETRIC", "no part is called 'NEAREST_SYMETRIC'; did you mean NEAREST_SYMMETRIC?"),
        ("VISUAL_CORTEX_FULL", "no part is called 'VISUAL_CORTEX_FULL'; did you mean ALL_TO_ALL?"),
    ],
)  # fmt: skip
def test_of_names_that_do_not_fit_those_that_do_are_told(name, words):
    with pytest.raises(DescriptionError) as caught:
        load("kempter1999", [("rule", "STDP"), ("rule.pairing", name)])
    assert str(caught.value).startswith(f"rule.pairing: {words}")


BAD = [
    ("rule.eta", "5ms", "rule.eta: must be a plain number without a unit, got '5ms'"),
    ("rule.etaa", "1", "rule.etaa: unknown key; did you mean rule.eta?"),
    ("rul.eta", "1", "rul.eta: unknown key; did you mean rule.eta?"),
    ("rule.window.tau_pls", "1", "rule.window.tau_pls: unknown key; did you mean rule.window.tau_plus?"),
    (
        "rule.window",
        "DoubleExponental",
        "rule.window: no part is called 'DoubleExponental'; did you mean DoubleExponential?",
    ),
    ("rule.eta.x", "1", "rule.eta: is a single value and has no keys below it"),
    ("rule.window.tau_plus", "-3 ms", "rule.window.tau_plus: must be > 0 s, got -0.003"),
    ("rule.window.tau_plus", "nan", "rule.window.tau_plus: must be finite, got nan"),
    ("neuron.tau", "inf", "neuron.tau: must be finite, got inf"),
    ("inputs.rate", "-1 Hz", "inputs.rate: must be >= 0 Hz, got -1"),
    ("inputs.rate", "nan", "inputs.rate: must be finite, got nan"),
    ("inputs.amplitude", "20 Hz", "inputs.amplitude: must not exceed the rate"),
    ("inputs.n_modulated", "2.5", "inputs.n_modulated: must be a valid integer"),
    ("inputs.n_modulated", "-1", "inputs.n_modulated: must be >= 0"),
    ("rule.w_min", "nan", "rule.w_min: must be a number, got nan"),
    ("weights.initial", "nan", "weights.initial: must be finite, got nan"),
    ("duration", "0", "duration: must be finite and > 0 s, got 0"),
    ("duration", "-5 s", "duration: must be finite and > 0 s, got -5"),
    ("duration", "inf", "duration: must be finite and > 0 s, got inf"),
    ("duration", "nan", "duration: must be finite and > 0 s, got nan"),
    ("record_every", "1 ns", "record_every: makes more than 10,000,000 records"),
    ("rule..eta", "1", "rule..eta: is not a dotted key"),
    ("", "1", "'': is not a dotted key"),
]


@pytest.mark.parametrize(("key", "value", "message"), BAD)
def test_bad_settings(key, value, message):
    with pytest.raises(DescriptionError) as error:
        load("kempter1999", [(key, value)])
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_bounds_that_cross_and_weights_outside_them():
    with pytest.raises(DescriptionError, match=r"^rule\.w_max: must be > w_min = 1, got 0\.5"):
        load("kempter1999", [("rule.w_min", 1), ("rule.w_max", 0.5)])
    with pytest.raises(DescriptionError, match=r"^weights\.initial: must be in .* = \[0, 0\.01\], got 0\.02"):
        load("kempter1999", [("rule.w_min", 0), ("rule.w_max", 0.01)])


def test_unknown_experiment_with_the_nearest_name():
    with pytest.raises(DescriptionError, match="there is no 'kempter199'; did you mean kempter1999"):
        load("kempter199")


def test_nested_merges_types_and_values():
    assert nested([("a.b", "X"), ("a.b.c", 1), ("d", 2)]) == {"a": {"b": {"type": "X", "c": 1}}, "d": 2}


# TOML ---------------------------------------------------------------------------------------------------------------


def test_toml_round_trip(experiment, tmp_path):
    for comments in (False, True):
        file = tmp_path / f"{experiment.name}_{comments}.toml"
        file.write_text(to_toml(experiment, comments))
        assert load(str(file)).items() == experiment.items()


def test_toml_with_a_byte_order_mark(tmp_path):
    """As some editors write it."""
    (tmp_path / "mine.toml").write_text('experiment = "kempter1999"\nduration = "5 s"\n', encoding="utf-8-sig")
    assert load(str(tmp_path / "mine.toml")).duration == 5.0


def test_toml_of_a_changed_experiment(tmp_path):
    table = [("rule.window", "TabulatedWindow"), ("rule.window.s", "[-0.01, 0, 0.01]"), ("rule.window.W", "[0, 1, 0]")]
    changed = load(
        "kempter1999",
        [*table, ("rule.w_min", "0"), ("neuron", "ExponentialPoisson"), ("neuron.tau", "0.1234567890123 ms")],
    )
    file = tmp_path / "mine.toml"
    file.write_text(to_toml(changed, comments=True))
    again = load(str(file))
    assert to_toml(again) == to_toml(changed)
    assert again.neuron == changed.neuron


def test_settings_win_over_the_file(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'experiment = "kempter1999"\nduration = "1 h"\n[rule.window]\ntau_syn = "4 ms"\ntype = "KempterWindow"\n'
    )
    e = load(str(file), [("duration", "10"), ("rule.window.tau_plus", "2 ms")])
    assert (e.duration, e.rule.window.tau_syn, e.rule.window.tau_plus) == (10.0, 4e-3, 2e-3)
    assert load(str(file), [("rule.window", "DoubleExponential")]).rule.window == DoubleExponential()


BAD_FILES = [
    ('experiment = "kempter1999"\n\n[rule]\netaa = 1e-5\n', "line 4: rule.etaa: unknown key; did you mean rule.eta?"),
    (
        'experiment = "kempter1999"\n[rule.window]\n\ntau_plus = "5 Hz"\n',
        "line 4: rule.window.tau_plus: must be in s, got '5 Hz'",
    ),
    ('experiment = "kempter1999"\nrule.eta = "5ms"\n', "line 2: rule.eta: must be a plain number"),
    (
        'experiment = "kempter1999"\n[rule]\nwindow = {type = "KempterWindow", tau = 1}\n',
        "line 3: rule.window.tau: unknown key",
    ),
    ('experiment = "kempter1999"\n[rule]\neta = = 3\n', "rule.eta: Invalid value (at line 3, column 7)"),
    (
        'experiment = "kempter1999"\n[rule]\neta = 1\neta = 2\n',
        "rule.eta: Cannot overwrite a value (at line 4, column 8)",
    ),
    ('experiment = "kempter"\n', "line 1: experiment: there is no 'kempter'; did you mean kempter1999?"),
    ("[rule]\neta = 3\n", "needs a line such as experiment"),
    ('experiment = "kempter1999"\n[rulle]\neta = 3\n', "line 3: rulle.eta: unknown key; did you mean rule.eta?"),
    ('experiment = "kempter1999"\n[inputs]\nrate = 2020-01-01\n', "line 3: inputs.rate: must be a number in Hz"),
    ('experiment = "kempter1999"\n[inputs]\nrate = true\n', "line 3: inputs.rate: must be a number in Hz"),
]


@pytest.mark.parametrize(("text", "message"), BAD_FILES)
def test_bad_toml_says_line_and_key(text, message, tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(HebbscopeError) as error:
        load(str(file))
    assert message in str(error.value)
    assert str(error.value).startswith(str(file))
    assert "\n" not in str(error.value)


def test_files_that_cannot_be_read(tmp_path):
    for name, content in (("missing.toml", None), ("binary.toml", b"\xff\xfe\x00"), ("folder.toml", "folder")):
        file = tmp_path / name
        if content == "folder":
            file.mkdir()
        elif content is not None:
            file.write_bytes(content)
        with pytest.raises(HebbscopeError, match=name):
            load(str(file))


def test_lines_of_keys():
    text = "a = 1\n[b]\nc.d = 2 # x\n[ b . e ]\n'f' = 3\n"
    assert [line_of(key, text) for key in ("a", "b.c.d", "b.e", "b.e.f", "b.c.d.g", "z")] == [1, 3, 4, 5, 3, 0]


# The catalogue ------------------------------------------------------------------------------------------------------


def test_catalogue_of_parts():
    for kind in KINDS:
        assert parts(kind), kind
    assert {"KempterWindow", "DoubleExponential", "TabulatedWindow"} <= set(parts("window"))
    assert {"SpikeHebb", "Triplet"} <= set(parts("rule"))


def test_experiments_say_what_they_are():
    for name in EXPERIMENTS:
        kind = experiment_class(name)
        assert kind.name == name
        assert kind.title and kind.source and kind.usual_levels() and kind().seeds
        assert all(get_type_hints(kind)[field] for field in kind.model_fields)


@pytest.mark.parametrize(
    ("said", "seeds", "text"),
    [
        ("1:4", (1, 2, 3, 4), "1:4"),
        (7, (7,), "7"),
        ("1,3:4, 9", (1, 3, 4, 9), "1,3:4,9"),
        ("[2, 1]", (2, 1), "2,1"),
        ([5, 6, 8], (5, 6, 8), "5:6,8"),
    ],
)
def test_seeds_are_read_from_text_and_lists(said, seeds, text):
    described = load("kempter1999", [("seeds", said), ("levels", ["rate", "spike"])])
    assert described.seeds == seeds and described.levels == ("rate", "spike")
    again = loads(to_toml(described))
    assert again == described and str(again.seeds) == text
    assert described.usual_levels() == ("spike", "surrogate", "rate")


@pytest.mark.parametrize(
    ("key", "said", "words"),
    [
        ("seeds", [], "must name at least one"),
        ("seeds", [1.5], "must be whole numbers or START:STOP"),
        ("seeds", [True], "must be whole numbers"),
        ("seeds", "1:200000", "must be at most 100000 seeds"),
        ("levels", [], "must name at least one"),
        ("levels", "spike,rates", "must be any of spike, surrogate, rate"),
    ],
)
def test_no_seeds_and_no_levels(key, said, words):
    with pytest.raises(DescriptionError, match=f"{key}: {words}"):
        load("kempter1999", [(key, said)])


def test_experiments_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        load("kempter1999").duration = 5.0


def test_an_experiment_prints_its_parameters():
    text = repr(load("kempter1999"))
    assert "rule.window.tau_plus   1 ms" in text
    assert "Phys. Rev. E 59:4498" in text
    assert load("kempter1999")._repr_html_().startswith("<pre>")


# kempter1999 --------------------------------------------------------------------------------------------------------


def test_kempter1999_network():
    network = load("kempter1999").network()
    assert network.input.groups == ("constant",) * 25 + ("modulated",) * 25
    assert network.projection.initial_weights(1).shape == (1, 50)
    assert (
        load("kempter1999", [("inputs.n_constant", 3), ("inputs.amplitude", 0)])
        .network()
        .input.groups.count("modulated")
        == 25
    )


def test_kempter1999_gives_the_expected_coefficients():
    from hebbscope import reduce

    experiment = load("kempter1999")
    equation = reduce(experiment.network())
    found = {"coefficients": equation.coefficients(), "predictions": equation.predictions()}
    checked = 0
    for number in experiment.expected:
        table, _, key = number.key.partition(".")
        if table in found:
            assert found[table][key] == pytest.approx(number.value, rel=number.tolerance), number.key
            checked += 1
    assert checked == 12


# Texts that are too much ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("rule = " + 3000 * "[" + 3000 * "]", "nested too deeply"),
        (".".join(3000 * ["a"]) + " = 1", "is nested more than 20 deep"),
        ("duration = " + 5000 * "9", "a number that is too long"),
        ("duration = 0x1" + 5000 * "0", "within the range of floating-point numbers, got a number too long to print"),
        ("duration = 1" + 400 * "0", "within the range of floating-point numbers, got 1000"),
        ("rule.eta = '" + 5000 * "x" + "'", r"\.\.\. \(5,002 letters\)"),
    ],
)
def test_a_description_that_is_too_much(line, words):
    with pytest.raises(HebbscopeError, match=words):
        loads(f'experiment = "kempter1999"\n{line}\n')


def test_a_setting_that_is_nested_too_deeply():
    with pytest.raises(DescriptionError, match="is nested more than 20 deep"):
        load("kempter1999", [(".".join(3000 * ["a"]), "1")])
