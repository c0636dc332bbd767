"""A comparison as a table: for a terminal of 80 columns, and for a notebook."""

from __future__ import annotations

from html import escape
from textwrap import fill
from typing import Any, NamedTuple

from .levels import has_causal, is_averaged

WIDTH = 80
DIFFERENCE = "spike - surrogate"


class Cell(NamedTuple):
    """What was measured, and below it theory with z, or z alone."""

    measured: str
    against: str


def terminal(comparison: Any) -> str:
    """Title, table and verdict as text."""
    heads, lines = _cells(comparison)
    label = max(len(name) for name, _ in lines) + 2
    widths = [max(len(head), *(len(text) for _, cells in lines for text in cells[k])) for k, head in enumerate(heads)]
    rule = "─" * (label + sum(widths) + 3 * len(widths) - 3)

    def row(first: str, texts: list[str]) -> str:
        return first.ljust(label) + "   ".join(text.rjust(width) for text, width in zip(texts, widths, strict=True))

    against = ", ".join(["theory"] * _has_theory(comparison) + ["z"] * _has_z(comparison))
    shown = [*_title(comparison), "", row("", heads), rule]
    for name, cells in lines:
        shown.append(row(name, [cell.measured for cell in cells]))
        if any(cell.against for cell in cells):
            shown.append(row(f"  {against}", [cell.against for cell in cells]))
    verdict = [
        fill(f"• {line}", max(WIDTH, len(rule)), subsequent_indent="  ") for line in comparison.verdict.splitlines()
    ]
    return "\n".join([*shown, rule, *verdict])


def notebook(comparison: Any) -> str:
    """The same as HTML."""
    heads, lines = _cells(comparison)
    head = "<tr><th></th>" + "".join(f"<th>{escape(name)}</th>" for name in heads) + "</tr>"
    body = ""
    for name, cells in lines:
        texts = (f"<td>{escape(cell.measured)}<br><small>{escape(cell.against)}</small></td>" for cell in cells)
        body += f"<tr><td>{escape(name)}</td>{''.join(texts)}</tr>"
    verdict = "".join(f"<li>{escape(line)}</li>" for line in comparison.verdict.splitlines())
    return f"<p>{'<br>'.join(escape(line) for line in _title(comparison))}</p><table>{head}{body}</table><ul>{verdict}</ul>"


def _cells(comparison: Any) -> tuple[list[str], list[tuple[str, list[Cell]]]]:
    """Heads, and for each quantity its name and a cell below each head."""
    table, runs = comparison.table, comparison.runs
    levels = [level for level in ("spike", "surrogate") if level in runs] or ["rate"]
    if any(row.level == DIFFERENCE for row in table):
        levels.append(DIFFERENCE)
    lines = []
    for quantity in dict.fromkeys(row.quantity for row in table):
        rows = [comparison.row(level, quantity) for level in levels]
        unit = f" [{rows[0].unit}]" if rows[0].unit else ""
        lines.append((quantity + unit, [Cell(str(row.estimate), _against(row)) for row in rows]))
    return [level.replace(" - ", " − ") for level in levels], lines


def _against(row: Any) -> str:
    theory = "" if row.theory is None else f"{row.theory:.4g}"
    z = "" if row.z is None else f"{row.z:+.1f}".replace("-", "−")
    return f"{theory}, {z}" if theory and z else theory + z


def _has_theory(comparison: Any) -> bool:
    return any(row.theory is not None for row in comparison.table)


def _has_z(comparison: Any) -> bool:
    return any(row.z is not None for row in comparison.table)


def _title(comparison: Any) -> list[str]:
    runs = comparison.runs
    counts = sorted({run.n_seeds for level, run in runs.items() if level != "rate"}) or [1]
    seeds = f"{' and '.join(str(n) for n in counts)} seed{'s' * (counts != [1])}"
    errors = ", mean ± standard error over seeds" if counts != [1] else ""
    start, stop = comparison.rate_over
    lines = [f"At {comparison.time:,.6g} s, {seeds}{errors}", f"output rate: mean from {start:,.6g} s to {stop:,.6g} s"]
    if len({f"{run.duration:.9g}" for run in runs.values()}) > 1:
        lines.append(f"durations differ: {', '.join(f'{level} {run.duration:,.6g} s' for level, run in runs.items())}")
    if _has_theory(comparison):
        averaged = is_averaged(runs["rate"])
        bare = (
            "; for the surrogate, without its causal term" if "surrogate" in runs and has_causal(runs["rate"]) else ""
        )
        by = f", approximate ({by})" if (by := runs["rate"].theory.get("approximate")) else ""
        lines.append(f"theory: the learning equation{by}{bare}" if averaged else "theory: the rate level")
    if _has_z(comparison):
        froms = ["from theory"] * _has_theory(comparison)
        froms += ["of the difference, from zero"] * any(row.level == DIFFERENCE for row in comparison.table)
        lines.append(f"z: standard errors {'; '.join(froms)}")
    return lines
