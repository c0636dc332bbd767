"""What is packed comes out of it as it went in, compiled and not."""

import pickle
from typing import NamedTuple

import numpy as np
import pytest

from hebbscope import HebbscopeError, Network, Population, Projection, simulate
from hebbscope.models import HomogeneousPoisson, LinearPoisson
from hebbscope.simulator.compile import loop_of
from hebbscope.simulator.packing import Packed, opened, opened_at


class Numbers(NamedTuple):
    whole: int
    true: bool
    double: float
    single: np.float32


class Arrays(NamedTuple):
    line: np.ndarray
    table: np.ndarray
    flags: np.ndarray
    nested: tuple


def copy_all(parts, state, out):
    """Every number of parts and state into out (n,), in their order; and 1 into the first of the line."""
    parts, state = opened(parts), opened(state)
    out[0], out[1], out[2], out[3] = parts.whole, parts.true, parts.double, parts.single
    n = 4
    for k in range(len(state.line)):
        out[n] = state.line[k]
        n += 1
    for j in range(state.table.shape[0]):
        for k in range(state.table.shape[1]):
            out[n] = state.table[j, k]
            n += 1
    for k in range(len(state.flags)):
        out[n] = state.flags[k]
        n += 1
    for pair in range(len(state.nested)):
        out[n], out[n + 1] = state.nested[pair][0], state.nested[pair][1][0]
        n += 2
    state.line[0] = 1.0
    return n


NUMBERS = Numbers(-(2**62) - 1024, True, -1.5e-300, np.float32(0.1))
TABLES = {
    "rows": np.arange(6.0).reshape(2, 3),
    "columns": np.arange(6, dtype=np.int32).reshape(3, 2).T,
    "every other from the end": np.arange(24, dtype=np.uint64).reshape(4, 6)[::-2, ::2],
    "nothing": np.zeros((0, 4), np.float32),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_a_loop_sees_what_was_packed(table, kind):
    """And what it changes is changed."""
    line, flags = np.array([0.5, np.inf, -0.0, np.pi], kind), np.array([True, False, True])
    state = Arrays(line, table, flags, ((3, np.array([7])), (4, np.array([8]))))
    expected = [*NUMBERS, *line, *table.ravel(), *flags, 3, 7, 4, 8]
    out = np.full(40, np.nan)
    n = loop_of(copy_all, NUMBERS, state)(out)
    assert out[:n].tolist() == [float(each) for each in expected] and np.isnan(out[n:]).all()
    assert line[0] == 1.0


def test_its_type_is_found_again_from_a_file():
    kind = Packed((NUMBERS, np.zeros(3)))._numba_type_
    again = pickle.loads(pickle.dumps(kind))
    assert again == kind and type(again) is type(kind)
    assert Packed((NUMBERS, np.zeros(3, np.float32)))._numba_type_ != kind


def scaled(factors, states, k):
    """One state of several, times its factor."""
    factors, state = opened(factors), opened_at(states, k)
    for n in range(len(state.line)):
        state.line[n] *= factors[k]
    return state.lonely[()]


class Alike(NamedTuple):
    line: np.ndarray
    lonely: np.ndarray


NO_NUMBERS = [
    (None, "a NoneType"),
    ("fast", "a str"),
    ([1.0], "a list"),
    ([], "a list"),
    ({"a": 1}, "a dict"),
    (2**70, "1180591620717411303424"),
    (np.zeros(2, np.float16), "an array of float16"),
    (np.zeros(2, ">f8"), "an array of >f8"),
    (np.array(["a"]), "an array of <U1"),
    (np.ma.zeros(3), "a MaskedArray"),
]


class Forgetful(NamedTuple):
    """A rule that learns nothing, and remembers the k-th of these."""

    k: int = 0

    def check(self):
        pass

    def init(self, n_pre, n_post):
        return Alike(np.zeros(1), NO_NUMBERS[self.k][0])

    def on_pre(self, state, w, j, t):
        pass

    def on_post(self, state, w, i, t):
        pass


def test_one_of_several_is_opened_alone():
    states = tuple(Alike(np.full(n, 1.0), np.array(10 * n)) for n in (3, 1, 2))
    run = loop_of(scaled, (2.0, 3.0, 5.0), states)
    assert run(1) == 10 and run(2) == 20
    assert [each.line.tolist() for each in states] == [[1.0, 1.0, 1.0], [3.0], [5.0, 5.0]]


@pytest.mark.parametrize("k", range(len(NO_NUMBERS)), ids=[what for _, what in NO_NUMBERS])
@pytest.mark.parametrize("engine", ["event", "clock"])
def test_what_is_no_number_in_a_state_is_named(engine, k):
    inputs, cell = Population("inputs", 2, HomogeneousPoisson()), Population("cell", 1, LinearPoisson())
    described = Network([inputs, cell], [Projection(inputs, cell, 0.1, Forgetful(k))])
    with pytest.raises(HebbscopeError) as caught:
        simulate(described, 1e-3, dt=1e-4, engine=engine)
    words = f"Alike.lonely: must be a number, an array of numbers, or a tuple of these, got {NO_NUMBERS[k][1]}"
    assert str(caught.value) == words
