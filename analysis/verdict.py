"""A comparison in words: one sentence a line, each with its numbers.

Two numbers differ where chance would part them so far in less than 0.27 % of cases: three standard errors if those are known exactly, more
(by Student's t with n - 1 degrees of freedom) where they come from n seeds: 3.6 with 16, 9.2 with 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from .levels import has_causal, is_averaged

CHANCE = 0.0026997960632601866  # of a normal variable to be more than three standard deviations off
NOTABLE = 0.1  # share of the weights at a bound, from which on that is a likely reason
FEW = 10  # seeds below which the limit is worth saying


def limit(n: int) -> float:
    """The number of standard errors, estimated from n >= 2 seeds, beyond which a difference is not put down to chance."""
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 1.0 - CHANCE / 2.0))


def words(
    table: list[Any],
    runs: dict[str, Any],
    partings: dict[str, float],
    fields: dict[str, list[float]],
    stopped: Sequence[str] = (),
    bounded: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
) -> str:
    """The verdict on the rows of a comparison of `runs`, from which the levels that were `stopped` at their start are left out; bounded: level -> bound ->
    share of the weights that are at it."""
    left_out = [f"The {level} level was stopped at its start and is left out." for level in stopped]
    if len(runs) == 1:
        return "\n".join(["One level alone: there is nothing to hold it against.", *left_out])
    lines = []
    for level in ("spike", "surrogate"):
        lines += _against_theory(table, runs, level)
        lines += _at_bounds(table, level, bounded.get(level, {}))
    lines += _without_causal(table, partings, has_causal(runs["rate"]) if "rate" in runs else False)
    lines += _difference(table)
    lines += [_fields(levels, values) for levels, values in fields.items()]
    lines += _caveat(runs)
    lines = lines or ["The seeds do not differ: there is no noise to hold a difference against."]
    return "\n".join(lines + left_out)


def _against_theory(table: list[Any], runs: dict[str, Any], level: str) -> list[str]:
    rows = [row for row in table if row.level == level and row.z is not None]
    if not rows:
        return []
    theory = _name(runs["rate"], level)
    agree = [row for row in rows if not _beyond(row)]
    differ = [row for row in rows if _beyond(row)]
    if not differ:
        apart = f"at most {max(abs(row.z) for row in rows):.1f} standard errors apart"
        n, all_of = rows[0].n, len(agree) > 2
        if n < FEW:
            where = "any quantity" if all_of else _and(agree)
            needed = f"{apart}, and {n} seeds tell from {limit(n):.1f} on"
            return [f"With {n} seeds the {level} level cannot be told from {theory} in {where}: {needed}."]
        return [f"The {level} level agrees with {theory} in {'every quantity' if all_of else _and(agree)}: {apart}."]
    misses = ", ".join(f"{row.quantity} ({row.estimate} against {row.theory:.4g}, z = {row.z:+.1f})" for row in differ)
    hits = f" and agrees in {_and(agree)}" if agree else ""
    return [f"The {level} level differs from {theory} in {misses}{hits}."]


def _at_bounds(table: list[Any], level: str, shares: Mapping[str, float]) -> list[str]:
    """That weights are at a bound, which theory follows without noise."""
    if sum(shares.values()) < NOTABLE:
        return []
    first, *others = (
        (f"{float(f'{100 * share:.2g}'):g} %", bound) for bound, share in shares.items() if share >= 0.1 * NOTABLE
    )
    told = " and ".join(
        [f"{first[0]} of the weights are at {first[1]}", *(f"{share} at {bound}" for share, bound in others)]
    )
    differs = any(_beyond(row) for row in table if row.level == level and row.z is not None)
    likely = ": the likely reason why they differ" if differs else ""
    return [f"At the {level} level {told}, where noise moves them to one side alone, which theory leaves out{likely}."]


def _name(rate: Any, level: str) -> str:
    """Of the theory that a level is held against."""
    if not is_averaged(rate):
        return "the rate level"
    bare = level == "surrogate" and has_causal(rate)
    return "the equation without its causal term" if bare else "the learning equation"


def _without_causal(table: list[Any], partings: dict[str, float], causal: bool) -> list[str]:
    """Whether the rate description, which has no causal term, holds for the spikes; causal: whether the equation has one."""
    spikes = {row.quantity: row for row in table if row.level == "spike"}
    bare = {row.quantity: row for row in table if row.level == "rate without causal term"}
    tested = {
        q: (spikes[q].mean - row.mean) / spikes[q].error for q, row in bare.items() if q in spikes and spikes[q].error
    }
    if not tested:
        return []
    failing = [q for q, z in tested.items() if abs(z) > limit(spikes[q].n)]
    if not failing and not causal:
        return []
    if not failing:
        return ["Without its causal term the equation fits the spikes as well: these seeds cannot tell the two apart."]
    parts = []
    for q in failing:
        since = f", apart from {partings[q]:,.6g} s on" if q in partings else ""
        parts.append(f"{q} {bare[q].mean:.4g} against {spikes[q].estimate} (z = {tested[q]:+.1f}{since})")
    less = ", without the causal term," if causal else ""
    return [f"The rate description{less} fails for the spikes: {'; '.join(parts)}."]


def _difference(table: list[Any]) -> list[str]:
    rows = [row for row in table if row.level == "spike - surrogate" and row.z is not None]
    if not rows:
        return []
    beyond = [row for row in rows if _beyond(row)]
    within = [row for row in rows if not _beyond(row)]
    parts = [f"{row.quantity} by {_signed(row)} ({abs(row.z):.1f} standard errors)" for row in beyond]
    lines = [f"Spike and surrogate differ beyond the noise: {', '.join(parts)}."] if beyond else []
    return lines + ([f"Spike and surrogate do not differ beyond the noise in {_and(within)}."] if within else [])


def _fields(levels: str, values: list[float]) -> str:
    a, b = levels.split(", ")
    alike = sum(value >= 0.8 for value in values)
    return f"Receptive fields, {a} against {b}: median correlation {np.median(values):.2f}, at least 0.8 in {alike} of {len(values)}."


def _caveat(runs: dict[str, Any]) -> list[str]:
    counts = [run.n_seeds for level, run in runs.items() if level != "rate"]
    if 1 in counts:
        return [
            "With one seed there is no standard error, and so no z-score: more seeds are needed to tell agreement from noise."
        ]
    if counts and min(counts) < FEW:
        n = min(counts)
        return [
            f"With {n} seeds, differences count from {limit(n):.1f} standard errors on: the errors are uncertain themselves."
        ]
    return []


def _beyond(row: Any) -> bool:
    return abs(row.z) > limit(row.n)


def _and(rows: list[Any]) -> str:
    names = [row.quantity for row in rows]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _signed(row: Any) -> str:
    text = str(row.estimate)
    return text if text.startswith("-") else f"+{text}"
