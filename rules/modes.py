"""Modes, fixed points and times of a linear learning equation; its methods of the same names.

An `equation` has n, rates, constant, apply, drift, effective, per_output_spike, mean_weight and flow, see rules/reduction.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..simulator.protocols import HebbscopeError
from .linear_flow import invariant_subspace

DENSE = 1500  # synapses up to which eigenmodes are found with the full matrix
NOTHING = 1e-9  # relative size of what counts as rounding
MODES = 200  # modes among which the fastest is sought


def growth_rate(equation: Any) -> float:
    """Growth [1/s] of the structure that arises from equal weights, at fixed output rate; of any structure where none arises.

    It is the largest real part among the eigenvalues of the modes that the drift at equal weights excites, after the direction
    w_out + W~ nu_i, along which the output rate is restored, has been projected out. For two groups of equal rates, one of them with
    covariance Q, this is k3 + M1 M2 Q / n (Kempter, Gerstner & van Hemmen, PRE 59:4498, 1999, Sec. V); else [derived].
    """
    uniform = np.full(equation.n, equation.mean_weight if np.isfinite(equation.mean_weight) else 1.0)
    project = at_fixed_rate(equation)
    seed = project(equation.drift(uniform))
    if np.linalg.norm(seed) <= NOTHING * (np.linalg.norm(equation.constant) + np.linalg.norm(equation.apply(uniform))):
        seed = project(np.random.default_rng(0).normal(size=equation.n))
    if np.linalg.norm(seed) <= NOTHING:  # a single synapse has no structure, but for what its own spikes do
        return float(np.max(equation.k3))
    _, matrix = invariant_subspace(
        lambda x: project(equation.apply(project(x))), seed[None], tolerance=NOTHING, limit=MODES
    )
    return float(np.linalg.eigvals(matrix).real.max())


def at_fixed_rate(equation: Any) -> Callable[[np.ndarray], np.ndarray]:
    """The projection onto weights that leave the output rate as it is, along w_out + W~ nu_i, or along nu_i where that changes no rate."""
    rates = equation.rates
    for direction in (equation.per_output_spike, rates):
        change = float(equation.effective(direction) @ rates)
        if abs(change) > NOTHING * np.linalg.norm(direction) * np.linalg.norm(rates):
            along = direction / change
            return lambda x: x - (equation.effective(x) @ rates)[..., None] * along
    return lambda x: x


def eigenmodes(equation: Any, k: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Rates (k,) [1/s] and modes (n, k) of the whole linear part, the fastest growing first; all of them by default."""
    if k is None or equation.n <= DENSE or k >= equation.n - 1:
        values, vectors = np.linalg.eig(equation.matrix())
    else:
        from scipy.sparse.linalg import LinearOperator, eigs

        shape = (equation.n, equation.n)
        values, vectors = eigs(
            LinearOperator(shape, matvec=lambda x: equation.apply(x.ravel()), dtype=float), k=k, which="LR"
        )
    order = np.argsort(-values.real, kind="stable")[:k]
    values, vectors = values[order], vectors[:, order]
    real = np.all(np.abs(values.imag) <= 1e-12 * np.abs(values).max(initial=0.0))
    return (values.real, vectors.real) if real else (values, vectors)


def fixed_point(equation: Any) -> np.ndarray:
    """(n,): the weights at which every drift vanishes (as a rule unstable), the shortest such; HebbscopeError where there are none."""

    def at_rest(weights: np.ndarray) -> bool:
        return bool(np.linalg.norm(equation.drift(weights)) <= 1e-7 * np.linalg.norm(equation.constant))

    basis, matrix = invariant_subspace(equation.apply, equation.constant[None], limit=2 * MODES)
    weights = np.linalg.lstsq(matrix.T, -basis @ equation.constant, rcond=1e-13)[0] @ basis
    if not at_rest(weights):
        weights = np.linalg.lstsq(equation.matrix(), -equation.constant, rcond=1e-13)[0]
    if not at_rest(weights):
        raise HebbscopeError("LearningEquation.fixed_point: no weights make every drift vanish")
    return weights


def time_to_segregation(equation: Any) -> float:
    """When the first weight reaches w_min (or zero where there is no bound) [s], from equal weights at `mean_weight`; inf if never."""
    from scipy.optimize import brentq

    growth = equation.growth_rate
    if not np.isfinite(equation.mean_weight) or growth <= 0.0:
        return float("inf")
    floor = equation.w_min if np.isfinite(equation.w_min) else 0.0
    horizon = 50.0 / growth
    flow = equation.flow(np.full((1, equation.n), equation.mean_weight), horizon=horizon)

    def above(t: float) -> float:
        return float(flow.at(t).min()) - floor

    t = 1e-3 / max(flow.fastest(), growth)
    while above(t) > 0.0:
        t *= 2.0
        if t > horizon:
            return float("inf")
    return float(brentq(above, 0.0, t, xtol=1e-9 * t)) if above(0.0) > 0.0 else 0.0
