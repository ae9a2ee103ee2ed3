"""Built-ins of the family `time`: instants are nanoseconds since 1970, alone or in an array with zone and layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from procurator.builtins.go_duration import parse_duration
from procurator.builtins.go_time import (
    DAY_SECONDS,
    NAMED_LAYOUTS,
    RFC3339,
    RFC3339_NANO,
    SECOND,
    WEEKDAYS,
    Moment,
    TimeError,
    days_from_civil,
    days_in,
    moment,
    write,
)
from procurator.builtins.go_time_reading import read
from procurator.builtins.operands import BuiltinError, OperandError, integer, number, string
from procurator.numbers import Number, exact
from procurator.values import Value, type_name

_MIN_NS: Final = -(1 << 63)
_MAX_NS: Final = (1 << 63) - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MACHINE: Final = timezone(timedelta(), "Local")  # stands for the zone of the machine
_KIND: Final = "either number (ns) or [number (ns), string (tz)]"


def parse_ns(layout: Value, value: Value) -> Value:
    """Read a time by a layout, or by the name of one of Go's layouts."""
    text = string(layout, 1)
    return _read(NAMED_LAYOUTS.get(text, text), string(value, 2))


def parse_rfc3339_ns(value: Value) -> Value:
    """Read a time such as 2026-01-02T15:04:05.5+01:00."""
    return _read(RFC3339, string(value, 1))


def parse_duration_ns(value: Value) -> Value:
    """Read a duration such as 1h30m; d, w and y are 24 hours, 7 days and 365 days."""
    try:
        return parse_duration(string(value, 1))
    except TimeError as error:
        raise BuiltinError(str(error)) from None


def format_(value: Value) -> Value:
    """Write an instant by the layout in the third place of the array; RFC 3339 without it."""
    at, layout = _moment(value)
    return write(at, NAMED_LAYOUTS.get(layout, layout) or RFC3339_NANO)


def date(value: Value) -> Value:
    """Year, month and day."""
    at, _ = _moment(value)
    return [at.year, at.month, at.day]


def clock(value: Value) -> Value:
    """Hour, minute and second."""
    at, _ = _moment(value)
    return [at.hour, at.minute, at.second]


def weekday(value: Value) -> Value:
    """The English name of the day."""
    at, _ = _moment(value)
    return WEEKDAYS[at.weekday]


def add_date(value: Value, years: Value, months: Value, days: Value) -> Value:
    """The instant at which the clock of the zone shows the same time on another date."""
    nanoseconds, zone, _ = _instant(value)
    at = _at(nanoseconds, zone)
    later = days_from_civil(at.year + integer(years, 2), at.month + integer(months, 3), at.day) + integer(days, 4)
    shown = later * DAY_SECONDS + (at.hour * 60 + at.minute) * 60 + at.second
    # Python's zones do not reach far beyond the years of the valid range.
    if abs(shown) * SECOND <= _MAX_NS + 2 * DAY_SECONDS * SECOND:
        shown -= _offset(shown - _offset(shown, zone), zone)
    return _in_range(shown * SECOND + at.nanosecond)


def diff(first: Value, second: Value) -> Value:
    """Years, months, days, hours, minutes and seconds between two instants, on the clock of the first one's zone."""
    nanoseconds, zone, _ = _instant(first)
    earlier, later = sorted((nanoseconds, _instant(second)[0]))
    start, end = _at(earlier, zone), _at(later, zone)
    seconds, borrow = _carry(end.second - start.second, 60)
    minutes, borrow = _carry(end.minute - start.minute - borrow, 60)
    hours, borrow = _carry(end.hour - start.hour - borrow, 24)
    days, borrow = _carry(end.day - start.day - borrow, days_in(start.month, start.year))
    months, borrow = _carry(end.month - start.month - borrow, 12)
    return [end.year - start.year - borrow, months, days, hours, minutes, seconds]


def _carry(amount: int, base: int) -> tuple[int, int]:
    return (amount + base, 1) if amount < 0 else (amount, 0)


def _read(layout: str, value: str) -> int:
    try:
        return _in_range(read(layout, value))
    except TimeError as error:
        raise BuiltinError(str(error)) from None


def _in_range(nanoseconds: int) -> int:
    if not _MIN_NS <= nanoseconds <= _MAX_NS:
        raise BuiltinError("time outside of valid range")
    return nanoseconds


def _moment(value: Value) -> tuple[Moment, str]:
    nanoseconds, zone, layout = _instant(value)
    return _at(nanoseconds, zone), layout


def _instant(value: Value) -> tuple[int, tzinfo | None, str]:
    """Nanoseconds, zone (None for UTC) and layout of an operand."""
    if type_name(value) == "number":
        return _nanoseconds(value), None, ""
    if not isinstance(value, list) or not value:
        raise OperandError(1, _KIND, value)
    time = number(value[0], 1)
    zone = _zone(string(value[1], 1)) if len(value) > 1 else None
    layout = string(value[2], 1) if len(value) > 2 else ""
    return _nanoseconds(time), zone, layout


def _nanoseconds(value: Number) -> int:
    if not _MIN_NS <= value <= _MAX_NS or value != int(value):
        raise BuiltinError("timestamp too big")
    return int(exact(value))


def _at(nanoseconds: int, zone: tzinfo | None) -> Moment:
    if zone is None:
        return moment(nanoseconds, 0, "UTC")
    shown = _local(nanoseconds // SECOND, zone)
    return moment(nanoseconds, _seconds(shown.utcoffset()), shown.tzname() or "")


def _offset(seconds: int, zone: tzinfo | None) -> int:
    return 0 if zone is None else _seconds(_local(seconds, zone).utcoffset())


def _local(seconds: int, zone: tzinfo) -> datetime:
    return (_EPOCH + timedelta(seconds=seconds)).astimezone(None if zone is _MACHINE else zone)


def _seconds(offset: timedelta | None) -> int:
    return 0 if offset is None else offset.days * DAY_SECONDS + offset.seconds


@lru_cache(maxsize=128)
def _zone(name: str) -> tzinfo | None:
    if name in ("", "UTC"):
        return None
    if name == "Local":
        return _MACHINE
    if ".." in name or name[0] in "/\\":
        raise BuiltinError("time: invalid location name")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise BuiltinError(f"unknown time zone {name}") from None


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "time.add_date": add_date,
    "time.clock": clock,
    "time.date": date,
    "time.diff": diff,
    "time.format": format_,
    "time.parse_duration_ns": parse_duration_ns,
    "time.parse_ns": parse_ns,
    "time.parse_rfc3339_ns": parse_rfc3339_ns,
    "time.weekday": weekday,
}
