"""The synapses of a projection, as a rule sees them.

value (n_synapses,): the weights, one source after the other, or one target after the other. The n-th synapse of source j is `value[out(j, n)]`, its target
`post(j, n)`; the n-th synapse onto target i is `value[into(i, n)]`, its source `pre(i, n)`. A rule that changes weights only when they are read, or that says so by
`remembers`, keeps a number of its own for each in `memory`, which is as long as `value`, and has no length for other rules.

Indices are unsigned, so that a compiled loop over them does not ask at each whether it counts from the end.
"""

from __future__ import annotations

import inspect
import math
from typing import Any, NamedTuple

import numpy as np

from .ahead import LINE, ask_for
from .protocols import HOOKS, OPTIONAL, is_part, is_rate_rule
from .streams import start


class Synapses(NamedTuple):
    """All-to-all."""

    value: np.ndarray
    memory: np.ndarray
    n_pre: int
    n_post: int

    def n_out(self, j):
        return self.n_post

    def out(self, j, n):
        return np.uintp(j * self.n_post + n)

    def post(self, j, n):
        return np.uintp(n)

    def fetch(self, j):
        """Rows that follow each other are fetched by the machine itself."""

    def n_in(self, i):
        return self.n_pre

    def into(self, i, n):
        return np.uintp(n * self.n_post + i)

    def pre(self, i, n):
        return np.uintp(n)

    def by_source(self) -> np.ndarray:
        """(n_synapses,) the weights, sorted by source."""
        return self.value

    def matrix(self) -> np.ndarray:
        """A copy of the weights, (n_post, n_pre)."""
        return self.value.reshape(self.n_pre, self.n_post).T.copy()


class SynapsesByTarget(Synapses):
    """All-to-all, sorted by target: for rules that go from a target to its synapses, which then lie side by side."""

    __slots__ = ()

    def out(self, j, n):
        return np.uintp(n * self.n_pre + j)

    def fetch(self, j):
        """Each synapse of a source is in a line of its own; to ask for all of them takes as long as to wait."""

    def into(self, i, n):
        return np.uintp(i * self.n_pre + n)

    def by_source(self) -> np.ndarray:
        """(n_synapses,) the weights, sorted by source."""
        return self.matrix().T.ravel()

    def matrix(self) -> np.ndarray:
        """A copy of the weights, (n_post, n_pre)."""
        return self.value.reshape(self.n_post, self.n_pre).copy()


class SparseSynapses(NamedTuple):
    """Any wiring.

    start (n_pre + 1,): where the synapses of a source begin; target (n_synapses,)
    onto (n_post + 1,): where the synapses onto a target begin in `found` (n_synapses,), their places in `value`, and `source` (n_synapses,);
    without length for rules whose hooks never go from a target to its synapses
    """

    value: np.ndarray
    memory: np.ndarray
    n_pre: int
    n_post: int
    start: np.ndarray
    target: np.ndarray
    onto: np.ndarray
    found: np.ndarray
    source: np.ndarray

    def n_out(self, j):
        return self.start[j + 1] - self.start[j]

    def out(self, j, n):
        return np.uintp(self.start[j] + n)

    def post(self, j, n):
        return np.uintp(self.target[np.uintp(self.start[j] + n)])

    def fetch(self, j):
        low, high = self.start[j], self.start[j + 1]
        for k in range(low, high, LINE // self.value.itemsize):
            ask_for(self.value, k)
            if len(self.memory) > 0:
                ask_for(self.memory, k)
        for k in range(low, high, LINE // self.target.itemsize):
            ask_for(self.target, k)

    def n_in(self, i):
        return self.onto[i + 1] - self.onto[i]

    def into(self, i, n):
        return np.uintp(self.found[np.uintp(self.onto[i] + n)])

    def pre(self, i, n):
        return np.uintp(self.source[np.uintp(self.onto[i] + n)])

    def by_source(self) -> np.ndarray:
        """(n_synapses,) the weights, sorted by source."""
        return self.value


def synapses(weights: np.ndarray, rule: Any = None) -> Synapses:
    """All-to-all synapses with weights (n_post, n_pre), which lie as it is best for the rule."""
    n_post, n_pre = weights.shape
    kind, rows = (SynapsesByTarget, weights) if goes_back(rule) else (Synapses, weights.T)
    value = np.array(rows, dtype=float, order="C").ravel()
    return kind(value, _memory(rule, len(value)), n_pre, n_post)


def sparse_synapses(
    pre: np.ndarray, post: np.ndarray, weights: np.ndarray, n_pre: int, n_post: int, rule: Any = None, *others: Any
) -> SparseSynapses:
    """Synapses (n_synapses,) from `pre` onto `post`, sorted by source, then target; others: parts beside the rule that change weights."""
    start, target = np.searchsorted(pre, np.arange(n_pre + 1)), post.astype(np.int32)
    way_back = _way_back(pre, post, n_post) if goes_back(rule, *others) else _way_back(pre[:0], post[:0], -1)
    return SparseSynapses(
        np.array(weights, dtype=float), _memory(rule, len(pre)), n_pre, n_post, start, target, *way_back
    )


def _way_back(pre: np.ndarray, post: np.ndarray, n_post: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """onto, found and source of sparse synapses."""
    order = np.argsort(post, kind="stable")
    return np.searchsorted(post[order], np.arange(n_post + 1)), order, pre[order].astype(np.int32)


def n_bytes(n_synapses: int, n_pre: int, n_post: int, is_dense: bool, rule: Any, *others: Any) -> int:
    """What synapses of one of these kinds take in memory: value and memory, and of any wiring indices and lists of where they begin."""
    indices = 0 if is_dense else 4 * n_synapses + 8 * (n_pre + 1)
    if not is_dense and goes_back(rule, *others):
        indices += (8 + 4) * n_synapses + 8 * (n_post + 1)
    return 8 * n_synapses * (2 if remembers(rule) else 1) + indices


def initial_state(
    rule: Any, n_pre: int, n_post: int, stream: tuple[int, str, int] = (0, "", 0), dt: float = math.inf
) -> Any:
    """The state of a rule before any spike. Its `init` may ask for `rng`, the stream keyed by (seed, rule/name, index), to keep in it, and for the step dt [s], without end where there is none."""
    asked, (seed, name, index) = inspect.signature(rule.init).parameters, stream
    given = {"rng": lambda: start(seed, f"rule/{name}", index), "dt": lambda: dt}
    return rule.init(n_pre, n_post, **{key: make() for key, make in given.items() if key in asked})


empty_advance, empty_settle = (OPTIONAL["rule"][hook] for hook in ("advance", "settle"))


def settled(rule: Any, state: Any, w: Any, t: float) -> Any:
    """Synapses with all weights up to date at time t [s]: the given ones, or copies where the rule changes any between spikes or has kept changes back."""
    if not is_lazy(rule) and getattr(type(rule), "advance", empty_advance) is empty_advance:
        return w
    from .compile import compiled
    from .event import settle_all

    state, w = copied(state), w._replace(value=w.value.copy(), memory=w.memory.copy())
    compiled(settle_all, (rule, state, w))(rule, state, w, t)
    return w


def copied(state: Any) -> Any:
    """A state with arrays of its own."""
    if isinstance(state, np.ndarray):
        return state.copy()
    return type(state)(*map(copied, state)) if is_part(state) else state


def is_lazy(rule: Any) -> bool:
    """Whether a rule changes its weights only when they are read."""
    return getattr(type(rule), "settle", empty_settle) is not empty_settle


def remembers(rule: Any) -> bool:
    """Whether a rule keeps a number of its own for each synapse."""
    return is_lazy(rule) or getattr(rule, "remembers", False)


def goes_back(*parts: Any) -> bool:
    """Whether any hook of a rule or a normalisation, or what it calls, goes from a target to its synapses; None has no hook."""
    from .dispatch import classes_of, reached

    if any(map(is_rate_rule, parts)):
        return True  # `on_rates` is of one target
    states = [initial_state(part, 1, 1) for part in parts if hasattr(part, "init")]
    classes = [*classes_of((*parts, *states)), SparseSynapses]
    hooks = (getattr(type(part), name, None) for part in parts for name in (*HOOKS["rule"], *HOOKS["normalisation"]))
    own = [inspect.unwrap(hook) for hook in hooks if hook is not None]
    return any({"n_in", "into", "pre"} & reached(hook, classes).keys() for hook in own)


def _memory(rule: Any, n: int) -> np.ndarray:
    return np.zeros(n if remembers(rule) else 0)
