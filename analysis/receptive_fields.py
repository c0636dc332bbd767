"""Receptive fields: what they look like, how good they are, and how alike they are at two levels.

A field is the weight map of the ON channel minus that of the OFF channel. Four scores say whether it is a simple-cell-like one; each
alone is fooled (a blob is fitted well by a Gabor function, noise can be oriented), so a field passes only with all four.

| score             | meaning                                                                                            | passes at |
|-------------------|----------------------------------------------------------------------------------------------------|-----------|
| r2                | share of the field's variance that the best Gabor function explains                                | >= 0.7    |
| orientation_index | 1 - circular variance of the power of the response to gratings of the best frequency               | >= 0.7    |
| localisation      | root-mean-square radius of the squared field, relative to that of an even patch                    | <= 0.85   |
| kurtosis          | excess kurtosis of the field's linear response to natural patches that it was not trained on       | >= 2      |

Sources: Gabor fit: Jones & Palmer, J Neurophysiol 58:1233 (1987); circular variance: Ringach, Shapley & Hawken, J Neurosci 22:5639 (2002);
kurtosis: Field, Neural Comput 6:559 (1994). The thresholds are ours, chosen on fields of seeds that do not appear in the checks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from ..simulator.protocols import HebbscopeError

MIN_R2, MIN_ORIENTATION, MAX_RADIUS, MIN_KURTOSIS = 0.7, 0.7, 0.85, 2.0


class Gabor(NamedTuple):
    """exp(-(a / sigma_across)^2 / 2 - (b / sigma_along)^2 / 2) [even cos(2 pi f a) + odd sin(2 pi f a)], a across and b along the stripes.

    x, y                          centre [pixels from the middle of the patch]
    orientation                   direction of a, across the stripes [rad]
    frequency                     f [cycles per pixel]
    sigma_across, sigma_along     widths [pixels]
    even, odd                     amplitudes
    """

    x: float
    y: float
    orientation: float
    frequency: float
    sigma_across: float
    sigma_along: float
    even: float
    odd: float

    def field(self, shape: tuple[int, int]) -> np.ndarray:
        """(rows, columns)."""
        return _gabor(np.array(self), *_places(shape))[0].reshape(shape)


class Tuning(NamedTuple):
    """The response to gratings: orientation index, orientation [rad] and frequency [cycles per pixel] of the best one."""

    orientation_index: float
    orientation: float
    frequency: float


class Scores(NamedTuple):
    """The four scores of one field, and its orientation [rad] and frequency [cycles per pixel]."""

    r2: float
    orientation_index: float
    localisation: float
    kurtosis: float
    orientation: float
    frequency: float

    @property
    def passed(self) -> bool:
        """Whether the field passes all four."""
        return (
            self.r2 >= MIN_R2
            and self.orientation_index >= MIN_ORIENTATION
            and self.localisation <= MAX_RADIUS
            and self.kurtosis >= MIN_KURTOSIS
        )


# Fields -------------------------------------------------------------------------------------------------------------


def fields(weights: np.ndarray, shape: Sequence[int] | None) -> np.ndarray:
    """(..., n_pre) weights from a sheet of shape (2, rows, columns) -> (..., rows, columns), ON minus OFF."""
    if shape is None or len(shape) != 3 or shape[0] != 2:
        raise HebbscopeError("receptive fields need inputs laid out as (ON and OFF, rows, columns); this run's are not")
    maps = np.asarray(weights).reshape(*np.shape(weights)[:-1], *shape)
    return maps[..., 0, :, :] - maps[..., 1, :, :]


def final_fields(run: Any) -> np.ndarray:
    """(n_seeds * n_post, rows, columns): the fields at the end of a run."""
    maps = fields(run.weights[:, -1], run.shape)
    return maps.reshape(-1, *maps.shape[-2:])


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson correlation of two fields, pixel by pixel; 0 where one of them is flat."""
    a, b = np.ravel(a) - np.mean(a), np.ravel(b) - np.mean(b)
    norm = math.sqrt((a @ a) * (b @ b))
    return float(a @ b / norm) if norm > 0 else 0.0


def angle_between(a: float, b: float) -> float:
    """The angle between two orientations, in [0, pi / 2] [rad]."""
    return abs((a - b + math.pi / 2) % math.pi - math.pi / 2)


# Scores -------------------------------------------------------------------------------------------------------------


def score(field: np.ndarray, sample: np.ndarray) -> Scores:
    """The scores of one field (rows, columns), with responses to a sample (n, rows * columns) of patches it was not trained on."""
    best = tuning(field)
    r2 = fit_gabor(field, best)[1]
    return Scores(
        r2,
        best.orientation_index,
        localisation(field),
        response_kurtosis(field, sample),
        best.orientation,
        best.frequency,
    )


def tuning(field: np.ndarray, n_orientations: int = 36, n_frequencies: int = 43) -> Tuning:
    """The field's response to gratings of any phase: orientation index, best orientation, best frequency.

    With R(theta) the power |F|^2 of the field's Fourier transform at the best frequency, the index is |sum R e^{2 i theta}| / sum R: 1 for a response to one
    orientation alone, 0 for one that is the same for all. Frequencies run from half a cycle per patch to 0.45 cycles per pixel.
    """
    x, y = _places(field.shape)
    theta = np.arange(n_orientations) * np.pi / n_orientations
    f = np.linspace(0.5 / max(field.shape), 0.45, n_frequencies)
    across = np.cos(theta)[:, None] * x + np.sin(theta)[:, None] * y
    power = np.abs(np.exp(-2j * np.pi * f[:, None, None] * across) @ np.ravel(field)) ** 2
    k, m = np.unravel_index(np.argmax(power), power.shape)
    total = power[k].sum()
    index = abs(power[k] @ np.exp(2j * theta)) / total if total > 0 else 0.0
    return Tuning(float(index), float(theta[m]), float(f[k]))


def localisation(field: np.ndarray) -> float:
    """Root-mean-square radius of the squared field about its centre, over that of an even patch of the same shape."""
    energy = np.ravel(field) ** 2
    if energy.sum() == 0:
        return 1.0
    x, y = _places(field.shape)
    energy = energy / energy.sum()
    spread = energy @ (x**2 + y**2) - (energy @ x) ** 2 - (energy @ y) ** 2
    return float(math.sqrt(spread / np.mean(x**2 + y**2)))


def response_kurtosis(field: np.ndarray, sample: np.ndarray) -> float:
    """Excess kurtosis of the linear response to a sample (n, rows * columns) of patches; 0 for a normal distribution."""
    response = np.asarray(sample, dtype=float).reshape(len(sample), -1) @ np.ravel(field)
    response = response - response.mean()
    variance = np.mean(response**2)
    return float(np.mean(response**4) / variance**2 - 3.0) if variance > 0 else 0.0


def fit_gabor(field: np.ndarray, start: Tuning | None = None) -> tuple[Gabor, float]:
    """The Gabor function nearest to a field (rows, columns), and its R^2.

    Least squares from a fixed set of starts: the centre of mass and the peak, three frequencies, two shapes; the amplitudes begin at their best.
    """
    from scipy.optimize import least_squares

    places, data = _places(field.shape), np.ravel(field).astype(float)
    variation = np.sum((data - data.mean()) ** 2)
    if variation == 0:
        return Gabor(0, 0, 0, 0, 1, 1, 0, 0), 0.0
    scale = math.sqrt(variation / data.size)
    rows, columns = field.shape
    low = [-columns / 2, -rows / 2, -np.inf, 0.01, 0.5, 0.5, -np.inf, -np.inf]
    high = [columns / 2, rows / 2, np.inf, 0.5, columns, rows, np.inf, np.inf]
    fits = [
        least_squares(
            _residual,
            p,
            _slope,
            (low, high),
            x_scale=(1, 1, 0.3, 0.05, 1, 1, 1, 1),
            max_nfev=60,
            args=(places, data / scale),
        )
        for p in _starts(data / scale, places, start or tuning(field))
    ]
    best = min(fits, key=lambda fit: fit.cost)
    x, y, orientation, frequency, across, along, even, odd = (float(value) for value in best.x)
    gabor = Gabor(x, y, orientation % (2 * math.pi), frequency, across, along, even * scale, odd * scale)
    return gabor, float(1.0 - 2.0 * best.cost * scale**2 / variation)


def _starts(data: np.ndarray, places: tuple[np.ndarray, np.ndarray], best: Tuning) -> Iterator[np.ndarray]:
    x, y = places
    energy = data**2 / np.sum(data**2)
    peak = int(np.argmax(np.abs(data)))
    for (x0, y0), f, along in product([(energy @ x, energy @ y), (x[peak], y[peak])], (1.0, 0.6, 1.4), (2.0, 4.0)):
        p = np.array([x0, y0, best.orientation, min(f * best.frequency, 0.49), 2.0, along, 1.0, 1.0])
        waves = _gabor(p, x, y)[1][:, 6:]
        p[6:] = np.linalg.lstsq(waves, data, rcond=None)[0]
        yield p


def _residual(p: np.ndarray, places: tuple[np.ndarray, np.ndarray], data: np.ndarray) -> np.ndarray:
    return _gabor(p, *places)[0] - data


def _slope(p: np.ndarray, places: tuple[np.ndarray, np.ndarray], data: np.ndarray) -> np.ndarray:
    return _gabor(p, *places)[1]


def _gabor(p: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """values (n_pixels,) and their derivatives (n_pixels, 8) by the parameters in the order of `Gabor`."""
    x0, y0, theta, f, across, along, even, odd = p
    c, s = math.cos(theta), math.sin(theta)
    a, b = (x - x0) * c + (y - y0) * s, -(x - x0) * s + (y - y0) * c
    hill = np.exp(-0.5 * (a / across) ** 2 - 0.5 * (b / along) ** 2)
    cosine, sine = hill * np.cos(2 * np.pi * f * a), hill * np.sin(2 * np.pi * f * a)
    value, turned = even * cosine + odd * sine, odd * cosine - even * sine
    by_a = 2 * np.pi * f * turned - value * a / across**2
    by_b = -value * b / along**2
    columns = (
        -c * by_a + s * by_b,
        -s * by_a - c * by_b,
        b * by_a - a * by_b,
        2 * np.pi * a * turned,
        value * a**2 / across**3,
        value * b**2 / along**3,
        cosine,
        sine,
    )
    return value, np.stack(columns, axis=1)


def _places(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """x, y (n_pixels,) of the pixels, from the middle of the patch."""
    rows, columns = shape
    y, x = np.mgrid[:rows, :columns].astype(float)
    return x.ravel() - (columns - 1) / 2, y.ravel() - (rows - 1) / 2
