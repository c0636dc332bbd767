"""The Poisson neuron with exponential EPSP: as the linear Poisson neuron, with one state instead of two."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ...simulator.protocols import Hertz, Seconds, finite, non_negative, part, positive
from ...simulator.streams import exponential
from .hazard import first_hazards
from .rectifier import RectifiedRate
from .silence import quiet


class State(NamedTuple):
    """psp (n,) [Hz]."""

    psp: np.ndarray


class Course(NamedTuple):
    """psp (n,) [Hz] as of the exact engine; hazard (n,) left before the next spike; rng (4,)."""

    psp: np.ndarray
    hazard: np.ndarray
    rng: np.ndarray


class Stepper(NamedTuple):
    """decay in a step; the mean of the EPSP in a step, by psp at its start; scale: expected spikes by potential [s]."""

    per_tau: float
    decay: float
    mean_psp: float
    base: float
    scale: float

    def init(self, n, rng):
        return Course(np.zeros(n), first_hazards(n, rng), rng)

    def receive(self, state, port, i, amount):
        state.psp[i] += amount * (self.per_tau if port == 0 else -self.per_tau)

    def update(self, state, i):
        psp = state.psp[i]
        state.hazard[i] -= self.scale * max(self.base + psp * self.mean_psp, 0.0)
        state.psp[i] = quiet(psp * self.decay)

    def fires(self, state, i):
        return state.hazard[i] <= 0.0

    def hold(self, state, i):
        """It is never refractory."""

    def reset(self, state, i):
        state.hazard[i] += exponential(state.rng)


@part
class ExponentialPoisson(NamedTuple):
    """lambda_i(t) = gain [base_rate + u_i(t) - threshold]_+ with u_i = sum_j J_ij sum_f eps(t - t_j^f), no refractoriness.

    EPSP: eps(u) = exp(-u / tau) / tau for u > 0, of unit area, so that weights are dimensionless.

    tau        10 ms   decay time of the EPSP
    base_rate  0 Hz    spontaneous rate nu_0
    gain       1       slope above threshold
    threshold  0 Hz    of the potential; the rectifier matters where weights or threshold may make the intensity negative

    The first-order form of LinearPoisson; gain and threshold as there.
    """

    tau: Seconds = 10e-3
    base_rate: Hertz = 0.0
    gain: float = 1.0
    threshold: Hertz = 0.0

    @property
    def monitored(self) -> tuple[str, ...]:
        return ("psp",)

    def check(self):
        positive(self, "tau", "gain")
        non_negative(self, "base_rate")
        finite(self, "threshold")

    def init(self, n):
        return State(np.zeros(n))

    def stepper(self, dt):
        x = dt / self.tau
        base, scale = self.base_rate - self.threshold, self.gain * dt
        return Stepper(1.0 / self.tau, math.exp(-x), -math.expm1(-x) / x, base, scale)

    def propagate(self, state, dt):
        f = math.exp(-dt * (1.0 / self.tau))
        for i in range(len(state.psp)):
            state.psp[i] *= f

    def deliver(self, state, i, amount):
        state.psp[i] += amount * (1.0 / self.tau)

    def intensity(self, state, i):
        return self.gain * max(self.base_rate + state.psp[i] - self.threshold, 0.0)

    def bound(self, state):
        """No less than the summed intensity at any later time, as long as nothing is delivered."""
        total = 0.0
        for i in range(len(state.psp)):
            total += max(self.base_rate + max(state.psp[i], 0.0) - self.threshold, 0.0)
        return self.gain * total

    def answering(self, dt):
        """What says its rate under spikes that come at rates that are held: int eps^2 makes a variance of their power."""
        return RectifiedRate(self.gain * (self.base_rate - self.threshold), 1.0 / (2.0 * self.tau))

    def epsp(self, u):
        """eps(u) [1/s] for an array of times u [s]."""
        return np.where(u >= 0.0, np.exp(-np.maximum(u, 0.0) / self.tau) / self.tau, 0.0)

    def epsp_transform(self, omega):
        """int eps(u) e^{i omega u} du for an array of angular frequencies [rad/s]."""
        return 1.0 / (1.0 - 1j * np.asarray(omega) * self.tau)

    def epsp_terms(self):
        """eps as a sum of c u^n exp(-a u): triples (c, n, a)."""
        return [(1.0 / self.tau, 0, 1.0 / self.tau)]

    def epsp_support(self):
        """The time after which eps is negligible (below e^-40 of its scale) [s]."""
        return 45.0 * self.tau
