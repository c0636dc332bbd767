"""Receptive fields of several levels, beside each other: scores, similarity, and the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .receptive_fields import Scores, angle_between, fields, final_fields, score, similarity
from .style import STYLE, draws, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ALIKE = 0.8  # correlation from which two fields count as the same


@dataclass(repr=False, eq=False)
class FieldReport:
    """Scores of the final fields of one run per level, field by field, and how alike the first two levels are.

    runs; seeds: one per field; scores: level -> one Scores per field; similarity (n_fields,) and angle (n_fields,) [rad] between the first two
    levels, empty where there is one.
    """

    runs: tuple[Any, ...]
    seeds: tuple[int, ...]
    scores: dict[str, list[Scores]]
    similarity: np.ndarray
    angle: np.ndarray

    def passed(self, level: str) -> int:
        """How many fields of a level pass all four scores."""
        return sum(one.passed for one in self.scores[level])

    @property
    def alike(self) -> int:
        """How many fields are the same at the first two levels."""
        return int(np.sum(self.similarity >= ALIKE))

    def rows(self) -> list[dict[str, Any]]:
        """One row per field and level."""
        return [
            {"level": level, "seed": seed, **one._asdict(), "passed": one.passed}
            for level, scores in self.scores.items()
            for seed, one in zip(self.seeds, scores, strict=True)
        ]

    def verdict(self) -> str:
        """What came out, in a sentence or two."""
        n = len(self.seeds)
        words = ", ".join(f"{self.passed(level)} of {n} at the {level} level" for level in self.scores)
        text = f"Localised, oriented fields: {words}."
        if len(self.similarity):
            first, second = list(self.scores)[:2]
            text += f" The {first} and {second} levels agree (correlation >= {ALIKE:g}) in {self.alike} of {n}."
        return text

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        levels = {
            level: {"passed": self.passed(level), "fields": [row for row in self.rows() if row["level"] == level]}
            for level in self.scores
        }
        between = {"similarity": self.similarity.tolist(), "angle": self.angle.tolist(), "alike": self.alike}
        return {"levels": levels, "n_fields": len(self.seeds), "verdict": self.verdict()} | between

    def figure(self, *, columns: int | None = None) -> Figure:
        """The fields at the start and at the end of each level, side by side."""
        return field_figure(self.runs, columns=columns)

    def _table(self) -> tuple[list[str], list[list[str]]]:
        head = ["level", "seed", "Gabor R²", "orientation", "radius", "kurtosis", "pass"]
        rows = []
        for row in self.rows():
            numbers = [f"{row[key]:.2f}" for key in ("r2", "orientation_index", "localisation")]
            passed = "yes" if row["passed"] else "no"
            rows.append([row["level"], str(row["seed"]), *numbers, f"{row['kurtosis']:.1f}", passed])
        return head, rows

    def __repr__(self) -> str:
        head, rows = self._table()
        widths = [max(len(row[k]) for row in [head, *rows]) for k in range(len(head))]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in [head, *rows]]
        if len(self.similarity):
            pairs = ", ".join(f"{value:.2f}" for value in self.similarity)
            lines.append(f"correlation of {' and '.join(list(self.scores)[:2])}, field by field: {pairs}")
        return "\n".join([*lines, self.verdict()])

    def _repr_html_(self) -> str:
        head, rows = self._table()
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        return f"<table><tr>{top}</tr>{body}</table><p>{escape(self.verdict())}</p>"


def compare_fields(*runs: Any, sample: np.ndarray) -> FieldReport:
    """Score the final fields of one run per level on a sample (n, rows * columns) of patches that they were not trained on.

    Runs with the same seeds are compared seed by seed. Raises HebbscopeError where a run has no sheet of ON and OFF inputs.
    """
    seeds = tuple(seed for seed in runs[0].seeds for _ in range(runs[0].weights.shape[2]))
    scores = {run.level: [score(field, sample) for field in final_fields(run)] for run in runs}
    if len(runs) < 2 or tuple(runs[0].seeds) != tuple(runs[1].seeds):
        return FieldReport(runs, seeds, scores, np.empty(0), np.empty(0))
    pairs = zip(final_fields(runs[0]), final_fields(runs[1]), strict=True)
    turned = [angle_between(a.orientation, b.orientation) for a, b in zip(*list(scores.values())[:2], strict=True)]
    return FieldReport(runs, seeds, scores, np.array([similarity(a, b) for a, b in pairs]), np.array(turned))


# Figures ------------------------------------------------------------------------------------------------------------


@draws
def plot_fields(
    maps: np.ndarray, *, ax: Axes, columns: int | None = None, limit: float | None = None, title: str = ""
) -> None:
    """Fields (n, rows, columns) as one grid, ON red and OFF blue, on a scale from -limit to limit that is white at zero."""
    n, rows, width = maps.shape
    columns = columns or math.ceil(math.sqrt(n))
    limit = limit or float(np.abs(maps).max()) or 1.0
    lines = math.ceil(n / columns)
    sheet = np.full((lines * (rows + 1) - 1, columns * (width + 1) - 1), np.nan)
    for k, one in enumerate(maps):
        top, left = k // columns * (rows + 1), k % columns * (width + 1)
        sheet[top : top + rows, left : left + width] = one
        x, y = left + width * np.array([0, 1, 1, 0, 0]) - 0.5, top + rows * np.array([0, 0, 1, 1, 0]) - 0.5
        ax.plot(x, y, color="0.6", linewidth=0.5)
    ax.imshow(sheet, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    ax.set_title(title)
    ax.set_axis_off()


def plot_levels(axes: Sequence[Axes], runs: Sequence[Any], *, columns: int | None = None) -> Sequence[Axes]:
    """The final fields of each run in one ax each, all on the same scale, the same seed at the same place; returns the axes."""
    limit = max(float(np.abs(final_fields(run)).max()) for run in runs)
    for ax, run in zip(axes, runs, strict=True):
        plot_fields(final_fields(run), ax=ax, columns=columns, limit=limit, title=f"{run.level} level")
    return axes


def field_figure(runs: Sequence[Any], *, columns: int | None = None) -> Figure:
    """The fields at the start and at the end of each level, side by side, with one colour bar for all."""
    from matplotlib import rc_context

    first = fields(runs[0].weights[:, 0], runs[0].shape)
    first = first.reshape(-1, *first.shape[-2:])
    root = math.isqrt(len(first))
    columns = columns or max((c for c in range(2, root + 1) if len(first) % c == 0), default=root)
    lines = math.ceil(len(first) / columns)
    with rc_context(STYLE):
        figure = new_figure(0.85 * columns * (len(runs) + 1) + 0.8, 0.85 * lines + 0.4)
        figure.get_layout_engine().set(wspace=0.06)
        axes = figure.subplots(1, len(runs) + 1)
        plot_levels(axes[1:], runs, columns=columns)
        image = axes[1].images[0]
        plot_fields(first, ax=axes[0], columns=columns, limit=image.norm.vmax, title="start")
        figure.colorbar(image, ax=list(axes), label="ON − OFF weight", shrink=0.9, aspect=15 * math.sqrt(lines))
    return figure
