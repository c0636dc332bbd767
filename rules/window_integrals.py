"""Integrals of a learning window with an EPSP and with the kernels of input covariances.

What the reduction asks of a window W(s), s = t_pre - t_post, and an EPSP eps(u) is one number for each covariance kernel k,

    q = int int W(s) eps(u) k(s + u) du ds = int g(t) k(t) dt,      g(t) = int W(s) eps(t - s) ds.

Where window and EPSP are sums of c x^n exp(-a x) (here *terms*, triples (c, n, a)), q and g have closed forms without removable
singularities; elsewhere they are found by Gauss-Legendre quadrature on panels that double in width away from where the integrand bends.

Source: derived; for k = delta and k = cos they are the integrals of Kempter, Gerstner & van Hemmen, PRE 59:4498 (1999) [recalled].
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, factorial
from typing import Any

import numpy as np

from ..simulator.protocols import Cosine, Cycle, Delta, Empirical, Exponential, Gaussian, HebbscopeError, Sine, Triangle

Terms = Sequence[tuple[float, int, float]]

NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)
CLOSE = 0.05  # relative distance of two decay rates from which on partial fractions lose no digits that matter
ORDERS = 14  # of the series used below it: CLOSE^14 is beyond double precision
MEMORY = 2**20  # values of g that are held at once
NEGLIGIBLE = 45.0  # decay times after which an exponential counts as over: exp(-45) = 3e-20


# Sums of c x^n exp(-a x), x > 0 ---------------------------------------------------------------------------------------


def evaluate(terms: Terms, x: np.ndarray) -> np.ndarray:
    """The sum at x >= 0, any shape."""
    total = np.zeros(np.shape(x))
    for c, n, a in terms:
        total = total + c * np.asarray(x) ** n * np.exp(-a * np.asarray(x))
    return total


def laplace(terms: Terms, p: Any) -> Any:
    """int_0^inf f(x) exp(-p x) dx for any p, also complex, right of the slowest decay."""
    return sum(c * factorial(n) / (a + p) ** (n + 1) for c, n, a in terms)


def product_integral(f: Terms, g: Terms) -> float:
    """int_0^inf f(x) g(x) dx."""
    return sum(c * laplace([(d, m + n, b)], a) for c, n, a in f for d, m, b in g)


def correlation(f: Terms, g: Terms) -> Terms:
    """int_0^inf f(x + u) g(u) du as terms again."""
    found: list[tuple[float, int, float]] = []
    for c, n, a in f:
        moments = [laplace([(d, m + k, b) for d, m, b in g], a) for k in range(n + 1)]
        found += [(c * comb(n, k) * moment, n - k, a) for k, moment in enumerate(moments)]
    return found


def convolution(f: Terms, g: Terms) -> Terms:
    """int_0^x f(u) g(x - u) du as terms again; a series where two decay rates are so close that partial fractions would lose digits."""
    found: list[tuple[float, int, float]] = []
    for c, n, a in f:
        for d, m, b in g:
            apart = a - b
            for k in range(m + 1):
                inner = [(1.0, n + k, apart)]
                if abs(apart) <= CLOSE * max(a, b):
                    inner = [((-apart) ** j / factorial(j), n + k + j, 0.0) for j in range(ORDERS)]
                scale = c * d * comb(m, k) * (-1.0) ** k
                found += [(scale * e, p + m - k, r + b) for e, p, r in antiderivative(inner) if e != 0.0]
    return found


def convolve(f: Terms, g: Terms, x: np.ndarray) -> np.ndarray:
    """int_0^x f(u) g(x - u) du for x >= 0, by Kummer's function so that equal decay rates are nothing special."""
    from scipy.special import beta, hyp1f1

    x = np.asarray(x, dtype=float)
    total = np.zeros(x.shape)
    for c, n, a in f:
        for d, m, b in g:
            fast, slow = ((n, a), (m, b)) if a > b else ((m, b), (n, a))
            series = hyp1f1(fast[0] + 1, n + m + 2, -(fast[1] - slow[1]) * x)
            total = total + c * d * beta(n + 1, m + 1) * x ** (n + m + 1) * np.exp(-slow[1] * x) * series
    return total


def antiderivative(f: Terms) -> Terms:
    """int_0^x f(u) du as terms again; a rate of 0 stands for a power of x alone."""
    found: list[tuple[float, int, float]] = []
    for c, n, a in f:
        if a == 0.0:
            found.append((c / (n + 1), n + 1, 0.0))
            continue
        found.append((c * factorial(n) / a ** (n + 1), 0, 0.0))
        found += [(-c * factorial(n) / (factorial(k) * a ** (n - k + 1)), k, a) for k in range(n + 1)]
    return found


def laps(f: Terms, period: float) -> Terms:
    """The sum over k = 0, 1, ... of f(x + k period) as terms again, from the sums over k of k^j z^k with z = exp(-a period)."""
    found: list[tuple[float, int, float]] = []
    for c, n, a in f:
        z, left = np.exp(-a * period), -np.expm1(-a * period)
        sums = [1.0 / left]
        for j in range(1, n + 1):
            sums.append(z * sum(comb(j, i) * each for i, each in enumerate(sums)) / left)
        found += [(c * comb(n, j) * period**j * each, n - j, a) for j, each in enumerate(sums)]
    return found


def damped_correlation(f: Terms, g: Terms, p: float) -> float:
    """int_0^inf int_0^inf f(u + y) g(u) exp(-p y) du dy."""
    total = 0.0
    for c, n, a in f:
        for k in range(n + 1):
            moment = laplace([(d, m + n - k, b) for d, m, b in g], a)
            total += c * comb(n, k) * moment * factorial(k) / (a + p) ** (k + 1)
    return total


# Quadrature -----------------------------------------------------------------------------------------------------------


def panels(edges: Any) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss-Legendre quadrature on each interval between the edges."""
    edges = np.unique(np.asarray(edges, dtype=float))
    half = 0.5 * np.diff(edges)[:, None]
    middle = 0.5 * (edges[1:] + edges[:-1])[:, None]
    return (middle + half * NODES).ravel(), (half * WEIGHTS).ravel()


def doubling(finest: float, end: float) -> np.ndarray:
    """0, finest, 2 finest, 4 finest, ... , end."""
    if end <= finest:
        return np.array([0.0, max(end, 0.0)])
    steps = finest * 2.0 ** np.arange(np.ceil(np.log2(end / finest)))
    return np.concatenate([[0.0], steps[steps < end], [end]])


def convolution_by_quadrature(window: Any, neuron: Any, t: Any) -> np.ndarray:
    """int W(s) eps(t - s) ds from the values of window and EPSP."""
    t = np.asarray(t, dtype=float)
    end = neuron.epsp_support()
    late, bends = doubling(1e-4 * end, end), window.bends()
    out = np.empty(t.size)
    for index, instant in enumerate(t.ravel()):
        cuts = instant - bends
        u, weight = panels(np.concatenate([late, cuts[(cuts > 0.0) & (cuts < end)]]))
        out[index] = np.sum(weight * neuron.epsp(u) * window.value(instant - u))
    return out.reshape(t.shape)


def kernel_value(kernel: Any, t: np.ndarray) -> np.ndarray:
    """k(t) of a covariance kernel that is a function; a kernel of one's own says it by a method `value`."""
    match kernel:
        case Exponential(tau):
            return np.exp(-np.abs(t) / tau)
        case Gaussian(sd):
            return np.exp(-0.5 * (t / sd) ** 2) / (sd * np.sqrt(2.0 * np.pi))
        case Triangle(width, shift):
            return np.maximum(1.0 - np.abs(t - shift) / width, 0.0)
        case Cosine(frequency):
            return np.cos(2.0 * np.pi * frequency * t)
        case Sine(frequency):
            return np.sin(2.0 * np.pi * frequency * t)
    if not hasattr(kernel, "value"):
        raise HebbscopeError(f"{type(kernel).__name__}: a covariance kernel needs a method value(t)")
    return kernel.value(t)


def kernel_transform(kernel: Any, omega: np.ndarray) -> np.ndarray:
    """int k(t) exp(i omega t) dt of a covariance kernel whose spectrum has no lines."""
    match kernel:
        case Delta(weight):
            return np.full(omega.shape, weight)
        case Exponential(tau):
            return 2.0 * tau / (1.0 + (omega * tau) ** 2)
        case Gaussian(sd):
            return np.exp(-0.5 * (omega * sd) ** 2)
        case Triangle(width, shift):
            return width * np.sinc(omega * width / (2.0 * np.pi)) ** 2 * np.exp(1j * omega * shift)
    raise HebbscopeError(
        f"{type(kernel).__name__}: a covariance kernel without a spectrum, of which this learning equation is"
    )


def kernel_bends(kernel: Any) -> np.ndarray:
    """Where to cut an integral over a kernel, its ends included."""
    match kernel:
        case Exponential(tau):
            side = doubling(1e-2 * tau, 45.0 * tau)
        case Gaussian(sd):
            side = np.arange(0.0, 13.0) * sd
        case Triangle(width, shift):
            return np.array([shift - width, shift, shift + width])
        case _:
            return np.array([-np.inf, 0.0, np.inf])
    return np.concatenate([-side, side])


def reach(window: Any, neuron: Any) -> tuple[float, float]:
    """The times [s] beyond which g is negligible."""
    return min(window.support()[0], 0.0), max(window.support()[1], 0.0) + neuron.epsp_support()


def q_by_quadrature(window: Any, neuron: Any, kernel: Any) -> float:
    """int g(t) k(t) dt on panels that double away from t = 0 and are cut where window or kernel bends."""
    low, high = reach(window, neuron)
    bends = kernel_bends(kernel)
    low, high = max(low, bends.min()), min(high, bends.max())
    if low >= high:
        return 0.0
    finest = 1e-5 * neuron.epsp_support()
    edges = np.concatenate([[low, high], -doubling(finest, -low), doubling(finest, high), window.bends(), bends])
    t, weight = panels(edges[(edges >= low) & (edges <= high)])
    return float(np.sum(weight * window.convolved(neuron, t) * kernel_value(kernel, t)))


def q_around(window: Any, neuron: Any, width: float, n: int) -> np.ndarray:
    """(n,): int g(t) k(t - m width) dt of m = 0, ..., n - 1, for a triangle k of this width [s] that is repeated each n widths, without end on both sides."""
    low, high = reach(window, neuron)
    first, last = np.arange(n) * width, n * width
    near = np.flatnonzero((first < high) | (first + width > last + low))
    side = doubling(_finest(window, neuron), 0.5 * width)
    u, weight = panels(np.concatenate([side, width - side, window.bends() % width]))
    falling, rising = np.zeros(n), np.zeros(n)
    for some in np.array_split(near, 1 + len(near) * len(u) // MEMORY):
        g = weight * _all_laps(window, neuron, first[some][:, None] + u, last)
        falling[some], rising[some] = g @ (1.0 - u / width), g @ (u / width)
    return falling + np.roll(rising, 1)


def _all_laps(window: Any, neuron: Any, t: np.ndarray, period: float) -> np.ndarray:
    """The sum over integers k of g(t + k period) at times t in one period."""
    if hasattr(window, "response") and hasattr(neuron, "epsp_terms"):
        before, after = window.response(neuron)
        return evaluate(laps(after, period), t) + evaluate(laps(before, period), period - t)
    low, high = reach(window, neuron)
    around = np.arange(np.floor(low / period), np.ceil(high / period) + 1.0)
    return sum((window.convolved(neuron, t + lap * period) for lap in around), np.zeros(t.shape))


def _finest(window: Any, neuron: Any) -> float:
    """The time [s] in which g changes little."""
    if hasattr(window, "response") and hasattr(neuron, "epsp_terms"):
        return 0.1 / max(a for side in window.response(neuron) for _, _, a in side)
    return 1e-5 * neuron.epsp_support()


def q_of_recording(window: Any, neuron: Any, kernel: Empirical) -> np.ndarray:
    """(n, n): the sum of g over all pairs of recorded spikes, less what independent trains would give."""
    low, high = window.support()
    reach = max(-low, max(high, 0.0) + neuron.epsp_support())
    if hasattr(window, "response") and hasattr(neuron, "epsp_terms"):
        before, after = window.response(neuron)
        return kernel.filtered(before, after, reach, window.integral())
    grid = np.linspace(-reach, reach, 20_001)
    table = window.convolved(neuron, grid)
    return kernel.tabulated(table, reach, window.integral())


# What every window offers ---------------------------------------------------------------------------------------------


def overlap(window: Any, neuron: Any) -> float:
    """int W(s) eps(-s) ds: what a synapse gains from each of its spikes by the output that this spike itself causes."""
    return float(window.convolved(neuron, np.zeros(1))[0])


def q(window: Any, neuron: Any, kernel: Any) -> Any:
    """int int W(s) eps(u) k(s + u) du ds for a kernel of simulator/protocols.py, or one with a method value(t).

    (n, n) for a Cycle and an Empirical kernel, else a number.
    """
    match kernel:
        case Delta(weight):
            return weight * overlap(window, neuron)
        case Cosine(frequency) | Sine(frequency):
            omega = 2.0 * np.pi * frequency
            both = complex(window.transform(omega) * neuron.epsp_transform(omega))
            return both.real if isinstance(kernel, Cosine) else both.imag
        case Exponential(tau) if hasattr(window, "terms") and hasattr(neuron, "epsp_terms"):
            before, after = window.terms()
            eps, p = neuron.epsp_terms(), 1.0 / tau
            apart = laplace(after, p) * laplace(eps, p)
            return float(apart + damped_correlation(before, eps, p) + damped_correlation(eps, before, p))
        case Empirical():
            return q_of_recording(window, neuron, kernel)
        case Cycle():
            return kernel.weighed(q_around(window, neuron, kernel.width, len(kernel.deviations)))
    return q_by_quadrature(window, neuron, kernel)


# Windows of exponential terms: terms() gives W(-x) and W(x), x > 0 ------------------------------------------------------


def value(window: Any, s: Any) -> np.ndarray:
    """W(s) for an array of lags [s]; at s = 0 the value from the left."""
    before, after = window.terms()
    s = np.asarray(s, dtype=float)
    return np.where(s <= 0.0, evaluate(before, np.maximum(-s, 0.0)), evaluate(after, np.maximum(s, 0.0)))


def integral(window: Any) -> float:
    """int W(s) ds [s]."""
    before, after = window.terms()
    return laplace(before, 0.0) + laplace(after, 0.0)


def square_integral(window: Any) -> float:
    """int W(s)^2 ds [s]."""
    return sum(product_integral(side, side) for side in window.terms())


def transform(window: Any, omega: Any) -> Any:
    """int W(s) exp(i omega s) ds [s] for angular frequencies [rad/s]."""
    before, after = window.terms()
    omega = np.asarray(omega, dtype=float)
    return laplace(before, 1j * omega) + laplace(after, -1j * omega)


def convolved(window: Any, neuron: Any, t: Any) -> np.ndarray:
    """int W(s) eps(t - s) ds for an array of times [s]: in closed form where the neuron states its EPSP by `epsp_terms`."""
    if not hasattr(neuron, "epsp_terms"):
        return convolution_by_quadrature(window, neuron, t)
    before, after = window.terms()
    eps, t = neuron.epsp_terms(), np.asarray(t, dtype=float)
    early, found = t < 0.0, np.empty(t.shape)
    late = t[~early]
    found[early] = evaluate(correlation(before, eps), -t[early])
    found[~early] = evaluate(correlation(eps, before), late) + convolve(eps, after, late)
    return found


def response(window: Any, neuron: Any) -> tuple[Terms, Terms]:
    """g(-t) and g(t), t > 0, of a neuron that states its EPSP by `epsp_terms`."""
    before, after = window.terms()
    eps = neuron.epsp_terms()
    return correlation(before, eps), [*correlation(eps, before), *convolution(eps, after)]


def support(window: Any) -> tuple[float, float]:
    """The lags [s] beyond which the window is negligible."""
    before, after = (max((NEGLIGIBLE / a for _, _, a in side), default=0.0) for side in window.terms())
    return -before, after


def bends(window: Any) -> np.ndarray:
    """The lags [s] at which the window may jump or have a corner."""
    return np.zeros(1)
