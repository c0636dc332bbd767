"""The averaged rule integrated: weights over time from a learning equation, without a time step where it is linear.

A linear equation offers `flow(weights, free, horizon)`, its exact solution for the synapses that are free while the others are held. Without bounds
that is all. With hard bounds w_min <= J <= w_max a weight stops at a bound while its drift points outwards and leaves it when the drift turns
inwards; between such moments, which are found as roots, the solution is exact again. So nothing depends on how stiff the equation is.

An equation that offers its `drift` alone (a rule that is not linear in the weights) goes to LSODA, which changes to an implicit method
where the equation is stiff. One that is `costly`, of whole networks, goes to the explicit method of Dormand & Prince, since an implicit one asks for as many drifts
as there are weights. Both between the same moments: a solver that is to step over a bound, where the drift jumps, comes to a standstill.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import chain, islice, repeat
from typing import Any

import numpy as np

from .protocols import HebbscopeError

SAMPLES = 32  # looks at the bounds for every REACH
REACH = 8.0  # in units of the fastest time constant
AT_BOUND = 1e-10  # relative to the scale of weights and drifts: how exactly the moments at bounds are found
TOGETHER = 1e-9  # weights that are so close to a bound, relatively, have reached it
CHEAP, COSTLY = 1e-8, 1e-6  # relative errors of a step by a solver


def averaged(equation: Any, weights: np.ndarray, times: Any, max_rate: float = np.inf) -> np.ndarray:
    """(n_times, n_post, n_pre) weights at the times [s], ascending, from weights (n_post, n_pre) at the first of them.

    equation   of one output neuron, applied to each: drift(weights), w_min, w_max, and flow(...) where it is linear. Exact up to rounding
               without bounds, to about 1e-9 with them; equations with a drift alone to a relative 1e-8 a step, costly ones to 1e-6.
               w_min and w_max are numbers, or (n_pre,).
    max_rate   of an equation with a drift alone: output_rate_of(weights) [Hz] from which on it is not followed any further. One that is not linear
               may be beyond all numbers in finite time.

    Weights that run away are inf or nan from there on. HebbscopeError for weights outside the bounds.
    """
    times = np.asarray(times, dtype=float)
    return next(averaged_in_blocks(equation, weights, times, max_rate, len(times)))


def averaged_in_blocks(
    equation: Any, weights: np.ndarray, times: np.ndarray, max_rate: float, size: int
) -> Iterator[np.ndarray]:
    """The same, the weights of at most `size` times after the other, with the same bits: no more need be in memory."""
    weights = np.atleast_2d(np.asarray(weights, dtype=float))
    if np.any(weights < equation.w_min) or np.any(weights > equation.w_max):
        raise HebbscopeError(
            f"averaged: weights must start within [w_min, w_max] = [{np.min(equation.w_min):g}, {np.max(equation.w_max):g}]"
        )
    return _in_blocks(weights, times, _path(equation, weights, times, max_rate), size)


def _in_blocks(weights: np.ndarray, times: np.ndarray, path: Iterator[np.ndarray], size: int) -> Iterator[np.ndarray]:
    for first in range(0, len(times), size):
        due = times[first : first + size]
        with np.errstate(over="ignore", invalid="ignore"):
            block = np.stack(list(islice(path, len(due))))
        block[due == times[0]] = weights  # to the bit
        yield block


def _path(equation: Any, weights: np.ndarray, times: np.ndarray, max_rate: float) -> Iterator[np.ndarray]:
    """(n_post, n_pre) for each time; nan once it has run away."""
    distinct, which = np.unique(weights, axis=0, return_inverse=True)
    if not hasattr(equation, "flow"):
        each = [_by_solver(equation, start, times, max_rate) for start in distinct]
    elif np.all(equation.w_min == -np.inf) and np.all(equation.w_max == np.inf):
        return equation.flow(weights, horizon=times[-1] - times[0]).path(times - times[0])
    else:
        each = [_between_bounds(equation, start, times) for start in distinct]
    nowhere = repeat(np.full(weights.shape[1], np.nan))
    return (np.stack(rows)[which.ravel()] for rows in zip(*(chain(rows, nowhere) for rows in each), strict=True))


def _between_bounds(equation: Any, weights: np.ndarray, times: np.ndarray) -> Iterator[np.ndarray]:
    """(n_pre,) for each time, from weights (n_pre,) of one neuron, until it runs away."""
    moment, now = np.spacing(np.abs(times).max()), times[0]
    segment = _Segment(equation, weights, times[-1] - now, moment)
    for t in times:
        while now < t:
            if not np.isfinite(segment.state).all():
                return
            length = min(t - now, REACH / max(segment.fastest, 1e-300))
            hit = segment.first_hit(length)
            if hit is not None:
                now += hit
                segment = _Segment(equation, segment.weights_at(hit), times[-1] - now, moment)
            else:
                segment.move(length)
                now = t if length == t - now else now + length
        yield segment.weights_at(0.0)


class _Free:
    """Which weights (n,) are free, and how long: until one of them meets a bound, or the drift of one that is held there turns inwards.

    moment: what times are told apart by [s]. A weight that is at its bound before the next has reached it.
    """

    def __init__(self, equation: Any, weights: np.ndarray, moment: float):
        self.equation = equation
        low, high = (np.broadcast_to(bound, weights.shape) for bound in (equation.w_min, equation.w_max))
        ends = np.abs(np.concatenate([low, high, weights]))
        self.size = max(float(ends[np.isfinite(ends)].max(initial=0.0)), 1e-300)
        weights = np.where(
            weights - low < TOGETHER * self.size, low, np.where(high - weights < TOGETHER * self.size, high, weights)
        )
        self.speed = float(sum(np.abs(equation.drift(each)).max() for each in self._looked_at(weights))) + 1e-300
        there = weights + moment * equation.drift(weights)
        weights = np.where((there < low) | (there > high), np.clip(there, low, high), weights)
        inwards = np.where(weights == low, 1.0, np.where(weights == high, -1.0, 0.0))
        self.held = (inwards != 0.0) & (inwards * equation.drift(weights) <= AT_BOUND * self.speed)
        self.free, self.weights = ~self.held, weights
        self.low, self.high = low[self.free], high[self.free]
        self.inwards = inwards[self.held]

    def _looked_at(self, weights: np.ndarray) -> list[np.ndarray]:
        """Weights (n,) whose drifts say what is fast: those that there may be, or where a drift is costly and there may be no rates for these, the given ones."""
        return [weights] if _is_costly(self.equation) else [0.0 * weights, np.full(len(weights), self.size)]

    def whole(self, free: np.ndarray) -> np.ndarray:
        """(..., n) all weights, from (..., n_free) the free ones."""
        whole = np.broadcast_to(self.weights, (*free.shape[:-1], len(self.weights))).copy()
        whole[..., self.free] = free
        return whole

    def clipped(self, free: np.ndarray) -> np.ndarray:
        """The same within the bounds."""
        return np.clip(self.whole(free), self.equation.w_min, self.equation.w_max)

    def room(self, free: np.ndarray) -> np.ndarray:
        """(...): negative once a free weight is past a bound or the drift of a held one points inwards."""
        inside = np.minimum(free - self.low, self.high - free).min(axis=-1, initial=np.inf) / self.size + AT_BOUND
        if not self.held.any():
            return inside
        drift = self.equation.drift(self.whole(free))[..., self.held]
        pull = (self.inwards * drift).max(axis=-1, initial=-np.inf)
        return np.minimum(inside, 2.0 * AT_BOUND - pull / self.speed)


class _Segment:
    """The exact solution from the present weights (n,) on, for as long as no weight meets or leaves a bound."""

    def __init__(self, equation: Any, weights: np.ndarray, horizon: float, moment: float):
        self.now = _Free(equation, weights, moment)
        self.flow = equation.flow(self.now.weights[None], self.now.free, horizon)
        self.state = self.flow.state
        self.fastest = self.flow.fastest()

    def move(self, dt: float) -> None:
        """Go on by dt [s]."""
        self.state = self.state @ self.flow.step(dt)

    def weights_at(self, dt: float) -> np.ndarray:
        """(n,) weights dt [s] from now, within the bounds."""
        state = self.state @ self.flow.transition(dt) if dt > 0.0 else self.state
        return self.now.clipped(self.flow.unfold(state))[0]

    def first_hit(self, length: float) -> float | None:
        """The time from now [s], up to `length`, at which a weight meets or leaves a bound; None if none does."""
        from scipy.optimize import brentq

        dt = length / SAMPLES
        step = self.flow.step(dt)
        states = [self.state]
        for _ in range(SAMPLES):
            states.append(states[-1] @ step)
        room = self._room(np.concatenate(states[1:]))
        if not np.any(room < 0.0):  # nor where numbers end
            return None
        first = int(np.argmax(room < 0.0))
        before = states[first]
        root = brentq(lambda t: self._room(before @ self.flow.transition(t))[0], 0.0, dt, xtol=1e-13 * dt, rtol=1e-13)
        return first * dt + float(root)

    def _room(self, states: np.ndarray) -> np.ndarray:
        """(n_states,) what `_Free.room` says of states of the flow."""
        return self.now.room(self.flow.unfold(states))


def _by_solver(equation: Any, weights: np.ndarray, times: np.ndarray, max_rate: float) -> Iterator[np.ndarray]:
    """(n_pre,) for each time, from weights (n_pre,) of one neuron, by an equation of which only the drift is known; until it runs away."""
    now = times[0]
    yield from repeat(weights, int(np.count_nonzero(times == now)))
    while now < times[-1]:
        stretch = _Free(equation, weights, np.spacing(np.abs(times).max()))
        if stretch.held.all():
            yield from repeat(stretch.weights)
        now, weights = yield from _stretched(equation, stretch, now, times, max_rate)


def _stretched(
    equation: Any, stretch: _Free, now: float, times: np.ndarray, max_rate: float
) -> Generator[np.ndarray, None, tuple[float, np.ndarray]]:
    """The weights from `now` on until another meets or leaves a bound; then when [s], and the weights (n_pre,) then. inf: it runs away."""
    from scipy.integrate import LSODA, RK45
    from scipy.optimize import brentq

    def field(_, free: np.ndarray) -> np.ndarray:
        return np.asarray(equation.drift(stretch.whole(free)))[stretch.free]

    start, scale = stretch.weights[stretch.free], max(float(np.abs(stretch.weights).max()), min(stretch.size, 1e-6))
    if not np.isfinite(field(now, start)).all():
        return np.inf, stretch.weights
    method, error = (RK45, COSTLY) if _is_costly(equation) else (LSODA, CHEAP)
    solver = method(field, now, start, times[-1], rtol=error, atol=1e-2 * error * scale)
    while solver.status == "running":
        solver.step()
        fast = max_rate < np.inf and not np.all(equation.output_rate_of(stretch.clipped(solver.y)) <= max_rate)
        if fast or not solver.t > solver.t_old or not np.isfinite(solver.y).all():
            return np.inf, stretch.weights
        course, end = solver.dense_output(), solver.t
        if not stretch.room(solver.y) >= 0.0:
            ends = [float(stretch.room(course(t))) for t in (solver.t_old, solver.t)]
            if ends[0] > 0.0 > ends[1]:
                end = brentq(lambda t: stretch.room(course(t)), solver.t_old, solver.t, xtol=1e-13 * (end - now))  # noqa: B023
            end = end if end > now else solver.t  # no number lies between: the bounds hold it
        first, last = np.searchsorted(times, (solver.t_old, end), side="right")
        yield from stretch.clipped(course(times[first:last]).T)
        if end < solver.t or solver.status != "running":
            return end, stretch.clipped(course(end))
    return np.inf, stretch.weights


def _is_costly(equation: Any) -> bool:
    """Whether a drift takes long, and there may be none at weights that are far away."""
    return getattr(equation, "costly", False)
