"""Numbers with units in text: "20 ms", "10 Hz", "5 h". Read to SI, written so that they are read back to the same float."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
from quantiphy import InvalidNumber, Quantity

LONG_TIMES = {"min": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0, "d": 86400.0, "day": 86400.0, "days": 86400.0}
LONGEST = 100  # letters of a number with its unit; what takes the library below minutes to read is none
PREFIXES = {-12: "p", -9: "n", -6: "u", -3: "m", 0: ""}
SCALED = ("s", "V", "A", "F", "S")  # units that are written with a prefix where the number is small


class _Number(Quantity):
    """One that stands alone: no name before it ("x = 5 ms") and no comment after it ("5 ms # x"), which the library would pass over."""


_Number.set_prefs(assign_rec="(?!)")


def read_quantity(value: Any, unit: str) -> float:
    """The SI value of a number, of text with or without a unit, or of a Brian2 quantity; ValueError says what is wrong.

    unit: as the annotations of parts have it ("s", "Hz", "V", ...), "1/s", or "" for a dimensionless number. A number without a unit is taken as SI.
    """
    if isinstance(value, bool):
        raise ValueError(f"must be a number{_of(unit)}")
    if hasattr(value, "dim"):
        return from_brian(value, unit)
    if not isinstance(value, str):
        try:
            return float(value)
        except OverflowError:
            raise ValueError("must be within the range of floating-point numbers") from None
        except (TypeError, ValueError):
            raise ValueError(f"must be a number{_of(unit)}") from None
    return _from_text(value.strip(), unit)


def _from_text(text: str, unit: str) -> float:
    if "," in text:
        raise ValueError("must be one number with a decimal point")
    if len(text) > LONGEST:
        raise ValueError(f"must be a number{_of(unit)}, in at most {LONGEST} letters")
    bare = _without_per_second(text) if unit == "1/s" else text
    try:
        given = _Number(bare, ignore_sf=True)
        if unit == "s" and given.units in LONG_TIMES:
            return float(given) * LONG_TIMES[given.units]
    except InvalidNumber:
        pass  # a non-ASCII prefix such as in "5 µs" is read only together with its unit
    try:
        quantity = _Number(bare)
    except InvalidNumber:
        raise ValueError(f"must be a number{_of(unit)}") from None
    if bare is text and quantity.units != unit and not _is_bare(text):
        raise ValueError(f"must be in {unit}" if unit else "must be a plain number without a unit")
    return float(quantity)


def _without_per_second(text: str) -> str:
    for ending in ("1/s", "/s", "Hz"):
        if text.endswith(ending):
            return text[: -len(ending)].strip() or text
    return text


def _is_bare(text: str) -> bool:
    """Digits alone. A lone scale factor ("5m") is not: it reads as metres, minutes or milli."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _of(unit: str) -> str:
    return f" in {unit}" if unit else " without a unit"


def from_brian(value: Any, unit: str) -> Any:
    """The SI value of a Brian2 quantity, a number or an array; ValueError when its dimension is not that of `unit`."""
    from brian2 import amp, farad, hertz, second, siemens, volt
    from brian2.units.fundamentalunits import have_same_dimensions

    units = {
        "s": second,
        "Hz": hertz,
        "1/s": hertz,
        "V": volt,
        "V/s": volt / second,
        "A": amp,
        "F": farad,
        "S": siemens,
    }
    expected = units.get(unit, 1)
    if not have_same_dimensions(value, expected):
        raise ValueError(f"must have the dimension of {unit}" if unit else "must be dimensionless")
    return np.array(value) if np.ndim(value) else float(value)


def write_quantity(value: float, unit: str) -> str | float:
    """Text such as "20 ms" for a number with a unit; the number itself where it has no unit or no end."""
    if not unit or not math.isfinite(value):
        return value
    if value == 0:
        return f"{value:g} {unit}"  # -0 keeps its sign
    small = unit in SCALED and abs(value) < 1
    exponent = max(3 * math.floor(math.log10(abs(value)) / 3), min(PREFIXES)) if small else 0
    digits = Decimal(repr(value)).scaleb(-exponent).normalize()
    text = f"{digits:f} {PREFIXES[exponent]}{unit}" if -6 < digits.adjusted() < 12 else ""
    return text if text and read_quantity(text, unit) == value else value
