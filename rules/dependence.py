"""How the change of a weight depends on the weight: factors on the amplitudes of potentiation and of depression.

Every dependence has the hooks

    f_plus(value, w_max)   f_minus(value, w_max)    the factors, >= 0, at a weight between 0 and w_max

`relative`: whether it wants a finite w_max; `quick`, if it has it: whether its factors take next to no time, so that none are made ahead; and, where there is a part with the same factors for loops to call, plainer or quicker, `in_short()`, which makes it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..simulator.protocols import non_negative, part, positive
from .elementary import exp, log, power


class AtOnce(NamedTuple):
    """Factors that take no time: each when it is asked for."""

    law: Any

    def prepare_plus(self, w, i, w_max):
        """Nothing to do."""

    def prepare_minus(self, w, j, w_max):
        """Nothing to do."""

    def factor_plus(self, n, value, w_max):
        return self.law.f_plus(value, w_max)

    def factor_minus(self, n, value, w_max):
        return self.law.f_minus(value, w_max)


class Ahead(NamedTuple):
    """Factors that take time: for all synapses of a spike ahead, and side by side, so that a processor reckons several at a time.

    factor (n,): of the synapses of the last spike
    """

    law: Any
    factor: np.ndarray

    def prepare_plus(self, w, i, w_max):
        for n in range(w.n_in(i)):
            self.factor[np.uintp(n)] = w.value[w.into(i, n)]
        for n in range(w.n_in(i)):
            self.factor[np.uintp(n)] = self.law.f_plus(self.factor[np.uintp(n)], w_max)

    def prepare_minus(self, w, j, w_max):
        for n in range(w.n_out(j)):
            self.factor[np.uintp(n)] = w.value[w.out(j, n)]
        for n in range(w.n_out(j)):
            self.factor[np.uintp(n)] = self.law.f_minus(self.factor[np.uintp(n)], w_max)

    def factor_plus(self, n, value, w_max):
        return self.factor[np.uintp(n)]

    def factor_minus(self, n, value, w_max):
        return self.factor[np.uintp(n)]


class Additive(NamedTuple):
    """Power laws with exponents 0: the same at every weight.

    factor: 1; a named tuple without a value is nothing to numba, not even to call a method of
    """

    factor: float = 1.0

    @property
    def quick(self) -> bool:
        return True

    def f_plus(self, value, w_max):
        return 1.0

    def f_minus(self, value, w_max):
        return 1.0


class StraightLines(NamedTuple):
    """Power laws with exponents 0 and 1, for which no power is taken: 1 - mu_plus w / w_max, and 1 - mu_minus + mu_minus w / w_max."""

    mu_plus: float
    mu_minus: float

    @property
    def quick(self) -> bool:
        return True

    def f_plus(self, value, w_max):
        return 1.0 - value * (self.mu_plus / w_max)

    def f_minus(self, value, w_max):
        return (1.0 - self.mu_minus) + value * (self.mu_minus / w_max)


class Powers(NamedTuple):
    """Power laws with any exponents, which are taken for several weights at a time."""

    mu_plus: float
    mu_minus: float

    def f_plus(self, value, w_max):
        return power((w_max - value) * (1.0 / w_max), self.mu_plus)

    def f_minus(self, value, w_max):
        return power(value * (1.0 / w_max), self.mu_minus)


class Bend(NamedTuple):
    """What is proportional up to w_0 and logarithmic beyond, and what falls off exponentially: taken for several weights at a time."""

    w_0: float
    alpha: float
    beta: float

    def f_plus(self, value, w_max):
        return exp(-value * (1.0 / (self.w_0 * self.beta)))

    def f_minus(self, value, w_max):
        u = value * (1.0 / self.w_0)
        return u if u <= 1.0 else 1.0 + log(1.0 + self.alpha * (u - 1.0)) * (1.0 / self.alpha)


@part
class PowerLaw(NamedTuple):
    """Potentiation by (1 - w / w_max)^mu_plus, depression by (w / w_max)^mu_minus.

    mu_plus   0  0: additive, 1: multiplicative
    mu_minus  0  0: additive, 1: multiplicative

    Source: Guetig, Aharonov, Rotter & Sompolinsky 2003, J Neurosci 23:3697 (mu_plus = mu_minus); van Rossum, Bi & Turrigiano 2000, J Neurosci 20:8812
    (mu_plus = 0, mu_minus = 1; its noise is STDP's sigma).
    """

    mu_plus: float = 0.0
    mu_minus: float = 0.0

    def check(self):
        non_negative(self, "mu_plus", "mu_minus")

    @property
    def relative(self) -> bool:
        return self.mu_plus > 0.0 or self.mu_minus > 0.0

    def in_short(self):
        if not self.relative:
            return Additive()
        straight = self.mu_plus in (0.0, 1.0) and self.mu_minus in (0.0, 1.0)
        return (StraightLines if straight else Powers)(self.mu_plus, self.mu_minus)

    def f_plus(self, value, w_max):
        return (1.0 - value / w_max) ** self.mu_plus

    def f_minus(self, value, w_max):
        return (value / w_max) ** self.mu_minus


@part
class Logarithmic(NamedTuple):
    """Potentiation falls off slowly, depression grows in proportion to the weight up to w_0 and with its logarithm beyond.

    potentiation  exp(-w / (w_0 beta))
    depression    w / w_0 up to w_0,  1 + log(1 + alpha (w / w_0 - 1)) / alpha  beyond

    w_0    0.25  weight at which depression bends
    alpha  5     how sharply
    beta   50    how slowly potentiation falls off

    Source: Gilson & Fukai 2011, PLoS ONE 6:e25339; form and numbers [recalled].
    """

    w_0: float = 0.25
    alpha: float = 5.0
    beta: float = 50.0

    def check(self):
        positive(self, "w_0", "alpha", "beta")

    @property
    def relative(self) -> bool:
        return False

    def in_short(self):
        return Bend(*self)

    def f_plus(self, value, w_max):
        return math.exp(-value / (self.w_0 * self.beta))

    def f_minus(self, value, w_max):
        u = value / self.w_0
        return u if u <= 1.0 else 1.0 + math.log(1.0 + self.alpha * (u - 1.0)) / self.alpha


def factors_of(dependence: Any, n: int) -> AtOnce | Ahead:
    """What a loop asks for the factors of a dependence, at no more than n synapses of a spike."""
    law = dependence.in_short()
    return AtOnce(law) if getattr(law, "quick", False) else Ahead(law, np.zeros(n))
