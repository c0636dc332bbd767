"""The averaged rule integrated: weights over time from a learning equation, without a time step where it is linear.

A linear equation offers `flow(weights, free, horizon)`, its exact solution for the synapses that are free while the others are held. Without bounds
that is all. With hard bounds w_min <= J <= w_max a weight stops at a bound while its drift points outwards and leaves it when the drift turns
inwards; between such moments, which are found as roots, the solution is exact again. So nothing depends on how stiff the equation is.

An equation that offers its `drift` alone (a rule that is not linear in the weights) goes to LSODA, which changes to an implicit method
where the equation is stiff.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .protocols import HebbscopeError

SAMPLES = 32  # looks at the bounds for every REACH
REACH = 8.0  # in units of the fastest time constant
AT_BOUND = 1e-10  # relative to the scale of weights and drifts: how exactly the moments at bounds are found
TOGETHER = 1e-9  # weights that are so close to a bound, relatively, have reached it


def averaged(equation: Any, weights: np.ndarray, times: Any) -> np.ndarray:
    """(n_times, n_post, n_pre) weights at the times [s], ascending, from weights (n_post, n_pre) at the first of them.

    equation   of one output neuron, applied to each: drift(weights), w_min, w_max, and flow(...) where it is linear. Exact up to rounding
               without bounds, to about 1e-9 with them; equations with a drift alone to a relative 1e-8 a step.

    Weights that run away beyond the range of numbers are inf or nan from there on. HebbscopeError for weights outside the bounds.
    """
    weights = np.atleast_2d(np.asarray(weights, dtype=float))
    times = np.asarray(times, dtype=float)
    if np.any(weights < equation.w_min) or np.any(weights > equation.w_max):
        raise HebbscopeError(
            f"averaged: weights must start within [w_min, w_max] = [{equation.w_min:g}, {equation.w_max:g}]"
        )
    if not hasattr(equation, "flow"):
        return _by_lsoda(equation, weights, times)
    if equation.w_min == -np.inf and equation.w_max == np.inf:
        path = equation.flow(weights, horizon=times[-1] - times[0]).path(times - times[0])
    else:
        path = np.stack([_between_bounds(equation, start, times) for start in weights], axis=1)
    path[times == times[0]] = weights  # to the bit
    return path


def _between_bounds(equation: Any, weights: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(n_times, n_pre) from weights (n_pre,) of one neuron."""
    out = np.empty((len(times), len(weights)))
    segment, now = _Segment(equation, weights, times[-1] - times[0]), times[0]
    for k, t in enumerate(times):
        while now < t:
            length = min(t - now, REACH / max(segment.fastest, 1e-300))
            hit = segment.first_hit(length)
            if hit is not None:
                now += hit
                segment = _Segment(equation, segment.weights_at(hit), times[-1] - now)
            else:
                segment.move(length)
                now = t if length == t - now else now + length
        out[k] = segment.weights_at(0.0)
    return out


class _Segment:
    """The exact solution from the present weights (n,) on, for as long as no weight meets or leaves a bound."""

    def __init__(self, equation: Any, weights: np.ndarray, horizon: float):
        self.equation = equation
        low, high = equation.w_min, equation.w_max
        bounds = [abs(b) for b in (low, high) if np.isfinite(b)]
        self.size = max([float(np.abs(weights).max()), *bounds, 1e-300])
        uniform = np.full(len(weights), self.size)
        self.speed = float(np.abs(equation.drift(0.0 * weights)).max() + np.abs(equation.drift(uniform)).max()) + 1e-300
        weights = np.where(
            weights - low < TOGETHER * self.size, low, np.where(high - weights < TOGETHER * self.size, high, weights)
        )
        inwards = np.where(weights == low, 1.0, np.where(weights == high, -1.0, 0.0))
        held = (inwards != 0.0) & (inwards * equation.drift(weights) <= AT_BOUND * self.speed)
        self.free, self.weights = ~held, weights
        self.inwards = inwards[held]
        self.flow = equation.flow(weights[None], self.free, horizon)
        self.state = self.flow.state
        self.fastest = self.flow.fastest()

    def move(self, dt: float) -> None:
        """Go on by dt [s]."""
        self.state = self.state @ self.flow.step(dt)

    def weights_at(self, dt: float) -> np.ndarray:
        """(n,) weights dt [s] from now, within the bounds."""
        state = self.state @ self.flow.transition(dt) if dt > 0.0 else self.state
        return np.clip(self._whole(state)[0], self.equation.w_min, self.equation.w_max)

    def first_hit(self, length: float) -> float | None:
        """The time from now [s], up to `length`, at which a weight meets or leaves a bound; None if none does."""
        from scipy.optimize import brentq

        dt = length / SAMPLES
        step = self.flow.step(dt)
        states = [self.state]
        for _ in range(SAMPLES):
            states.append(states[-1] @ step)
        room = self._room(np.concatenate(states[1:]))
        if np.all(room >= 0.0):
            return None
        first = int(np.argmax(room < 0.0))
        before = states[first]
        root = brentq(lambda t: self._room(before @ self.flow.transition(t))[0], 0.0, dt, xtol=1e-13 * dt, rtol=1e-13)
        return first * dt + float(root)

    def _whole(self, states: np.ndarray) -> np.ndarray:
        """(n_states, n) all weights, from states of the free ones."""
        whole = np.repeat(self.weights[None], len(states), axis=0)
        whole[:, self.free] = self.flow.unfold(states)
        return whole

    def _room(self, states: np.ndarray) -> np.ndarray:
        """(n_states,): negative once a free weight is past a bound or the drift of a held one points inwards."""
        whole = self._whole(states)
        free = whole[:, self.free]
        inside = np.minimum(free - self.equation.w_min, self.equation.w_max - free).min(axis=1, initial=np.inf)
        pull = (self.inwards * self.equation.drift(whole)[:, ~self.free]).max(axis=1, initial=-np.inf)
        return np.minimum(inside / self.size + AT_BOUND, 2.0 * AT_BOUND - pull / self.speed)


def _by_lsoda(equation: Any, weights: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(n_times, n_post, n_pre) of an equation of which only the drift is known; its vector field is projected at the bounds."""
    from scipy.integrate import solve_ivp

    low, high = equation.w_min, equation.w_max

    def field(_, flat: np.ndarray) -> np.ndarray:
        now = np.clip(flat, low, high).reshape(weights.shape)
        drift = np.asarray(equation.drift(now))
        outwards = ((now <= low) & (drift < 0.0)) | ((now >= high) & (drift > 0.0))
        return np.where(outwards, 0.0, drift).ravel()

    out = np.full((len(times), *weights.shape), np.nan)
    out[0] = weights
    if len(times) > 1:
        scale = max(float(np.abs(weights).max()), 1e-6)
        with np.errstate(over="ignore", invalid="ignore"):
            found = solve_ivp(
                field,
                (times[0], times[-1]),
                weights.ravel(),
                method="LSODA",
                t_eval=times,
                rtol=1e-8,
                atol=1e-10 * scale,
            )
        out[: found.y.shape[1]] = np.clip(found.y.T, low, high).reshape(-1, *weights.shape)
    return out
