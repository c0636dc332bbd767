"""The exact solution of dy/dt = M y + b for a matrix M that is given only by what it does to a vector.

y(t) stays in the smallest space that holds y(0) and b and that M maps into itself. With a few groups of synapses and inputs of low rank this
space has a handful of dimensions whatever the number of synapses; there the solution is the exponential of a small matrix, so that a
fast mean beside a slow structure costs no small steps. Where the space is large it is cut off once what is left
cannot matter until the end, by the usual bound on Krylov approximations of the exponential.

Source: Saad 1992, SIAM J. Numer. Anal. 29:209 (the cut-off bound, [recalled]).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

INDEPENDENT = 1e-12  # relative length below which a new direction counts as none
CUT_OFF = 1e-14


def invariant_subspace(
    apply: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    horizon: float = np.inf,
    tolerance: float = INDEPENDENT,
    limit: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Basis (k, n), orthonormal, and H (k, k) with apply(basis) = H basis, from the rows of start (n_start, n).

    apply maps (..., n) to (..., n). The basis ends before it is complete when the rest matters for no time below `horizon` [s], or at
    `limit` dimensions.
    """
    limit = start.shape[1] if limit is None else min(limit, start.shape[1])
    lengths = np.linalg.norm(start, axis=1, keepdims=True)
    basis = block = _independent(start[lengths[:, 0] > 0.0] / lengths[lengths[:, 0] > 0.0], tolerance)
    images, scale, left_out, degree = [np.empty((0, start.shape[1]))], 0.0, 1.0, 0
    while len(block):
        image = apply(block)
        images.append(image)
        scale = max(scale, float(np.linalg.norm(image, axis=1).max()))
        rest = image - (image @ basis.T) @ basis
        rest -= (rest @ basis.T) @ basis
        degree += 1
        left_out *= float(np.linalg.norm(rest)) * horizon / degree if np.isfinite(horizon) else 1.0
        if left_out < CUT_OFF or len(basis) >= limit:
            break
        block = _independent(rest, tolerance * scale)
        basis = np.concatenate([basis, block])
    return basis, np.concatenate(images) @ basis.T


def _independent(rows: np.ndarray, tolerance: float) -> np.ndarray:
    """Orthonormal rows that span the given ones but for what is shorter than the tolerance."""
    from scipy.linalg import qr

    if not rows.size:
        return rows[:0]
    q, r, _ = qr(rows.T, mode="economic", pivoting=True)
    return q[:, np.abs(np.diag(r)) > tolerance].T


def flow_of(equation: Any, weights: np.ndarray, free: np.ndarray | None, horizon: float) -> LinearFlow:
    """The solution of an equation with n, constant, apply and drift from weights (n_post, n); with `free` (n,) bool of those synapses alone."""
    if free is None or free.all():
        return LinearFlow(equation.apply, equation.constant, weights, horizon)
    if len(weights) != 1:
        raise ValueError("some synapses can be held for one neuron at a time")
    held = np.where(free, 0.0, weights[0])

    def among_free(some: np.ndarray) -> np.ndarray:
        whole = np.zeros((*some.shape[:-1], equation.n))
        whole[..., free] = some
        return equation.apply(whole)[..., free]

    return LinearFlow(among_free, equation.drift(held)[free], weights[:, free], horizon)


class LinearFlow:
    """y(t) from y(0) = start (n_start, n) under dy/dt = apply(y) + constant, for times up to `horizon` [s]."""

    def __init__(self, apply: Callable, constant: np.ndarray, start: np.ndarray, horizon: float = np.inf):
        self.basis, self.matrix = invariant_subspace(apply, np.concatenate([start, constant[None]]), horizon)
        k = len(self.basis)
        self.generator = np.zeros((k + 1, k + 1))
        self.generator[:k, :k] = self.matrix
        self.generator[k, :k] = constant @ self.basis.T
        self.state = np.concatenate([start @ self.basis.T, np.ones((len(start), 1))], axis=1)
        self._steps: dict[float, np.ndarray] = {}

    def fastest(self) -> float:
        """The largest modulus of an eigenvalue that shows [1/s]."""
        return float(np.abs(np.linalg.eigvals(self.matrix)).max(initial=0.0))

    def transition(self, dt: float) -> np.ndarray:
        """The matrix by which a state (n_start, k + 1) is multiplied from the right to move on by dt [s]."""
        from scipy.linalg import expm

        with np.errstate(over="ignore", invalid="ignore"):
            return expm(dt * self.generator)

    def step(self, dt: float) -> np.ndarray:
        """The same, kept for steps of equal length."""
        key = float(f"{dt:.13g}")
        if key not in self._steps:
            self._steps[key] = self.transition(key)
        return self._steps[key]

    def unfold(self, state: np.ndarray) -> np.ndarray:
        """(..., n) from (..., k + 1)."""
        return state[..., :-1] @ self.basis

    def at(self, t: float) -> np.ndarray:
        """y(t), (n_start, n)."""
        return self.unfold(self.state @ self.transition(t))

    def path(self, times: Any) -> Iterator[np.ndarray]:
        """y at ascending times [s], (n_start, n) of one after the other. Where it overflows it is inf or nan."""
        state, now = self.state, 0.0
        for t in times:
            if t > now:
                with np.errstate(over="ignore", invalid="ignore"):
                    state = state @ self.step(t - now)
                now = t
            yield self.unfold(state)
