"""Durations as Go's `time.ParseDuration` reads them, with OPA's longer units d, w and y."""

from __future__ import annotations

import re
from typing import Final

from procurator.builtins.go_time import TimeError, quote_hex
from procurator.render import quote

_MOST: Final = 1 << 63
_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "\N{MICRO SIGN}s": 1_000,
    "\N{GREEK SMALL LETTER MU}s": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_LONG_UNIT_HOURS: Final = {"d": 24, "w": 7 * 24, "y": 365 * 24}
_SEGMENT: Final = re.compile(r"([0-9]*)(?:(\.)([0-9]*))?([^.0-9]*)")
_LONG_SEGMENT: Final = re.compile("([0-9.]+)(ms|us|\N{MICRO SIGN}s|ns|[a-z])")
_LONG: Final = re.compile(f"[-+]?(?:{_LONG_SEGMENT.pattern})+")
_DECIMAL: Final = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")


def parse_duration(text: str) -> int:
    """Nanoseconds of a text such as `1h30m` or `2w`."""
    if text and not any(unit in text for unit in _LONG_UNIT_HOURS):
        return _parse(text, quote_hex(text))
    shown = quote(text)
    if not _LONG.fullmatch(text):
        raise _invalid("invalid duration", shown)
    sign = text[0] if text[0] in "+-" else ""
    parts = [_in_hours(segment[1], segment[2], shown) for segment in _LONG_SEGMENT.finditer(text)]
    return _parse(sign + "".join(parts), shown)


def _in_hours(digits: str, unit: str, shown: str) -> str:
    if unit not in _LONG_UNIT_HOURS:
        return digits + unit
    if not _DECIMAL.fullmatch(digits):
        raise _invalid("invalid duration", shown)
    hours = float(digits) * _LONG_UNIT_HOURS[unit]
    return f"{_shortest(hours)}h"


def _shortest(number: float) -> str:
    text = repr(number)
    if "e" in text:
        text = f"{number:.20f}".rstrip("0") if number < 1 else str(int(number))
    return text.removesuffix(".0")


def _invalid(problem: str, shown: str) -> TimeError:
    return TimeError(f"time: {problem} {shown}")


def _parse(text: str, shown: str) -> int:
    negative = text[:1] == "-"
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0
    if not rest:
        raise _invalid("invalid duration", shown)
    total = 0
    for match in _SEGMENT.finditer(rest):
        if match.group():
            total += _segment(match, shown)
        if total > _MOST:
            raise _invalid("invalid duration", shown)
    if total == _MOST and not negative:
        raise _invalid("invalid duration", shown)
    return -total if negative else total


def _segment(match: re.Match[str], shown: str) -> int:
    whole, _, fraction, unit = match.groups()
    if not whole and not fraction:
        raise _invalid("invalid duration", shown)
    if not unit:
        raise _invalid("missing unit in duration", shown)
    if unit not in _UNITS:
        raise _invalid(f"unknown unit {quote_hex(unit)} in duration", shown)
    scale = _UNITS[unit]
    # Eighteen digits of a fraction are more than nanoseconds can show.
    part = fraction[:18] if fraction else ""
    number = int(whole[:40] or 0) * scale if len(whole) <= 40 else _MOST + 1
    if part:
        number += int(int(part) * (scale / 10 ** len(part)))
    if number > _MOST:
        raise _invalid("invalid duration", shown)
    return number
