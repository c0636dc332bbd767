"""The linear Poisson neuron: spikes drawn with an intensity that is the summed postsynaptic potential."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ...simulator.protocols import Hertz, Seconds, finite, non_negative, part, positive
from ...simulator.streams import exponential
from .hazard import first_hazards
from .rectifier import RectifiedRate
from .silence import quiet

PEAK = 0.36787944117144233  # max of x exp(-x)


class State(NamedTuple):
    """rise (n,) and psp (n,) [Hz]: the two states of the alpha function."""

    rise: np.ndarray
    psp: np.ndarray


class Course(NamedTuple):
    """rise (n,) and psp (n,) [Hz] as of the exact engine; hazard (n,) left before the next spike; rng (4,)."""

    rise: np.ndarray
    psp: np.ndarray
    hazard: np.ndarray
    rng: np.ndarray


class Stepper(NamedTuple):
    """decay in a step of x = dt / tau; the mean of the EPSP in a step, by psp and rise at its start; scale: expected spikes by potential [s]."""

    per_tau: float
    x: float
    decay: float
    mean_psp: float
    mean_rise: float
    base: float
    scale: float

    def init(self, n, rng):
        return Course(np.zeros(n), np.zeros(n), first_hazards(n, rng), rng)

    def receive(self, state, port, i, amount):
        state.rise[i] += amount * (self.per_tau if port == 0 else -self.per_tau)

    def update(self, state, i):
        rise, psp = state.rise[i], state.psp[i]
        mean = psp * self.mean_psp + rise * self.mean_rise
        state.hazard[i] -= self.scale * max(self.base + mean, 0.0)
        state.psp[i] = quiet((psp + rise * self.x) * self.decay)
        state.rise[i] = quiet(rise * self.decay)

    def fires(self, state, i):
        return state.hazard[i] <= 0.0

    def hold(self, state, i):
        """It is never refractory."""

    def reset(self, state, i):
        state.hazard[i] += exponential(state.rng)


@part
class LinearPoisson(NamedTuple):
    """lambda_i(t) = gain [base_rate + u_i(t) - threshold]_+ with u_i = sum_j J_ij sum_f eps(t - t_j^f), no refractoriness.

    EPSP (alpha): eps(u) = u / tau^2 exp(-u / tau) for u > 0, of unit area, so that weights are dimensionless.

    tau        10 ms   peak time of the EPSP
    base_rate  0 Hz    spontaneous rate nu_0
    gain       1       slope above threshold
    threshold  0 Hz    of the potential; the rectifier matters where weights or threshold may make the intensity negative

    Source: Kempter, Gerstner & van Hemmen, NIPS 11 (1999) and PRE 59:4498 (1999), Sec. II [recalled]; gain and threshold added here.
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
        return State(np.zeros(n), np.zeros(n))

    def stepper(self, dt):
        x = dt / self.tau
        decay, gone = math.exp(-x), -math.expm1(-x)
        base, scale = self.base_rate - self.threshold, self.gain * dt
        return Stepper(1.0 / self.tau, x, decay, gone / x, (gone - x * decay) / x, base, scale)

    def propagate(self, state, dt):
        x = dt * (1.0 / self.tau)
        f = math.exp(-x)
        for i in range(len(state.psp)):
            state.psp[i] = (state.psp[i] + state.rise[i] * x) * f
            state.rise[i] *= f

    def deliver(self, state, i, amount):
        state.rise[i] += amount * (1.0 / self.tau)

    def intensity(self, state, i):
        return self.gain * max(self.base_rate + state.psp[i] - self.threshold, 0.0)

    def bound(self, state):
        """No less than the summed intensity at any later time, as long as nothing is delivered."""
        total = 0.0
        for i in range(len(state.psp)):
            top = max(state.psp[i], 0.0) + PEAK * max(state.rise[i], 0.0)
            total += max(self.base_rate + top - self.threshold, 0.0)
        return self.gain * total

    def answering(self, dt):
        """What says its rate under spikes that come at rates that are held: int eps^2 makes a variance of their power."""
        return RectifiedRate(self.gain * (self.base_rate - self.threshold), 1.0 / (4.0 * self.tau))

    def epsp(self, u):
        """eps(u) [1/s] for an array of times u [s]."""
        late = np.maximum(u, 0.0)
        return late / self.tau**2 * np.exp(-late / self.tau)

    def epsp_transform(self, omega):
        """int eps(u) e^{i omega u} du for an array of angular frequencies [rad/s]."""
        return 1.0 / (1.0 - 1j * np.asarray(omega) * self.tau) ** 2

    def epsp_terms(self):
        """eps as a sum of c u^n exp(-a u): triples (c, n, a)."""
        return [(1.0 / self.tau**2, 1, 1.0 / self.tau)]

    def epsp_support(self):
        """The time after which eps is negligible (below e^-40 of its scale) [s]."""
        return 45.0 * self.tau
