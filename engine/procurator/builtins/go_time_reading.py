"""Reading a time by a reference-time layout, as Go's `time.Parse` does, messages included."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from procurator.builtins.go_time import (
    DAY_SECONDS,
    MONTHS,
    RFC3339,
    RFC3339_NANO,
    SECOND,
    WEEKDAYS,
    TimeError,
    days_from_civil,
    days_in,
    is_leap,
    pieces,
    quote_hex,
)

_PLAIN_RFC3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_MAX_TEXT: Final = 10_000
_FRACTION: Final = re.compile("[.,][0-9]+")
_SPACES: Final = re.compile("( +)")
_YEAR: Final = re.compile("[+-]?[0-9]+")
_ZONE_NAME: Final = re.compile(
    "ChST|MeST|GMT(?:[+-](?P<gmt>[0-9]+))?|[+-](?P<numeric>[0-9]+)|(?:[A-Z]{4}T|[A-Z]{3}T|WITA|[A-Z]{3})(?![A-Z])"
)


class _MismatchError(Exception):
    """The value does not have the element at its front."""


class _RangeError(Exception):
    """The element is there but its number is impossible."""


@dataclass(slots=True)
class _Fields:
    """What has been read so far; None where nothing has."""

    year: int = 0
    month: int | None = None
    day: int | None = None
    yearday: int | None = None
    hour: int = 0
    minute: int = 0
    second: int = 0
    nanosecond: int = 0
    morning: bool = False
    afternoon: bool = False
    utc: bool = False
    offset: int | None = None


Reader = Callable[[_Fields, str], str]


def _digit(text: str, index: int) -> bool:
    return "0" <= text[index : index + 1] <= "9"


def _number(text: str, most: int, fixed: bool) -> tuple[int, str]:
    end = 0
    while end < most and _digit(text, end):
        end += 1
    if end == 0 or (fixed and end < most):
        raise _MismatchError
    return int(text[:end]), text[end:]


def _numeric(field: str, low: int, high: int, what: str, *, fixed: bool) -> Reader:
    def read(fields: _Fields, text: str) -> str:
        number, rest = _number(text, 2, fixed)
        if not low <= number <= high:
            raise _RangeError(what)
        setattr(fields, field, number)
        return rest

    return read


def _name(names: Sequence[str], field: str | None) -> Reader:
    def read(fields: _Fields, text: str) -> str:
        for index, name in enumerate(names):
            if text[: len(name)].isascii() and text[: len(name)].lower() == name.lower():
                if field is not None:
                    setattr(fields, field, index + 1)
                return text[len(name) :]
        raise _MismatchError

    return read


def _two_digit_year(fields: _Fields, text: str) -> str:
    if not _YEAR.fullmatch(text[:2]) or len(text) < 2:
        raise _MismatchError
    year = int(text[:2])
    fields.year = year + (1900 if year >= 69 else 2000)
    return text[2:]


def _year(fields: _Fields, text: str) -> str:
    fields.year, rest = _number(text, 4, fixed=True)
    return rest


def _day(space: bool, fixed: bool) -> Reader:
    def read(fields: _Fields, text: str) -> str:
        fields.day, rest = _number(text[space and text[:1] == " " :], 2, fixed)
        return rest

    return read


def _yearday(space: bool) -> Reader:
    def read(fields: _Fields, text: str) -> str:
        for _ in range(2 if space else 0):
            text = text[text[:1] == " " :]
        fields.yearday, rest = _number(text, 3, fixed=not space)
        return rest

    return read


def _noon(morning: str, afternoon: str) -> Reader:
    def read(fields: _Fields, text: str) -> str:
        if text[:2] not in (morning, afternoon):
            raise _MismatchError
        if text[:2] == afternoon:
            fields.afternoon = True
        else:
            fields.morning = True
        return text[2:]

    return read


def _offset_reader(pattern: str, zulu: bool) -> Reader:
    shape = re.compile(pattern, re.DOTALL)

    def read(fields: _Fields, text: str) -> str:
        if zulu and text[:1] == "Z":
            fields.utc = True
            return text[1:]
        match = shape.match(text)
        if match is None:
            raise _MismatchError
        sign, *parts = match.groups()
        fields.offset = _offset_seconds(sign, parts)
        return text[match.end() :]

    return read


def _offset_seconds(sign: str, parts: Sequence[str]) -> int:
    numbers: list[int] = []
    bad = sign not in ("+", "-")
    for part in parts:
        if not (part.isascii() and part.isdigit()):
            bad = True
            break
        numbers.append(int(part))
    # 24 hours, 60 minutes and 60 seconds pass: some people write such offsets.
    for number, most, unit in zip(numbers, (24, 60, 60), ("hour", "minute", "second"), strict=False):
        if number > most:
            raise _RangeError(f"time zone offset {unit}")
    if bad:
        raise _MismatchError
    hours, minutes, seconds = (*numbers, 0, 0)[:3]
    total = (hours * 60 + minutes) * 60 + seconds
    return -total if sign == "-" else total


def _zone(fields: _Fields, text: str) -> str:
    if text[:3] == "UTC":
        fields.utc = True
        return text[3:]
    match = _ZONE_NAME.match(text)
    if match is None or len(text) < 3:
        raise _MismatchError
    end = match.end()
    if match["gmt"] is not None and int(match["gmt"]) > 23:
        end = 3
    elif match["numeric"] is not None and int(match["numeric"]) > 23:
        raise _MismatchError
    return text[end:]


def _fraction(fields: _Fields, text: str) -> None:
    digits = text[1:10]
    if text[:1] not in (".", ",") or not _YEAR.fullmatch(digits):
        raise _MismatchError
    number = int(digits)
    if number < 0:
        raise _RangeError("fractional second")
    fields.nanosecond = number * 10 ** (9 - len(digits))


def _exact_fraction(fields: _Fields, text: str, length: int) -> str:
    if len(text) < length:
        raise _MismatchError
    _fraction(fields, text[:length])
    return text[length:]


def _any_fraction(fields: _Fields, text: str) -> str:
    match = _FRACTION.match(text)
    if match is None:
        return text
    _fraction(fields, match.group())
    return text[match.end() :]


_HM: Final = "(.)(..)(..)"
_HMS: Final = "(.)(..)(..)(..)"
READERS: Final[Mapping[str, Reader]] = {
    "06": _two_digit_year,
    "2006": _year,
    "Jan": _name([month[:3] for month in MONTHS], "month"),
    "January": _name(MONTHS, "month"),
    "1": _numeric("month", 1, 12, "month", fixed=False),
    "01": _numeric("month", 1, 12, "month", fixed=True),
    "Mon": _name([day[:3] for day in WEEKDAYS], None),
    "Monday": _name(WEEKDAYS, None),
    "2": _day(space=False, fixed=False),
    "_2": _day(space=True, fixed=False),
    "02": _day(space=False, fixed=True),
    "__2": _yearday(space=True),
    "002": _yearday(space=False),
    "15": _numeric("hour", 0, 23, "hour", fixed=False),
    "3": _numeric("hour", 0, 12, "hour", fixed=False),
    "03": _numeric("hour", 0, 12, "hour", fixed=True),
    "4": _numeric("minute", 0, 59, "minute", fixed=False),
    "04": _numeric("minute", 0, 59, "minute", fixed=True),
    "5": _numeric("second", 0, 59, "second", fixed=False),
    "05": _numeric("second", 0, 59, "second", fixed=True),
    "PM": _noon("AM", "PM"),
    "pm": _noon("am", "pm"),
    "MST": _zone,
    "-07": _offset_reader("(.)(..)", zulu=False),
    "-0700": _offset_reader(_HM, zulu=False),
    "-07:00": _offset_reader("(.)(..):(..)", zulu=False),
    "-070000": _offset_reader(_HMS, zulu=False),
    "-07:00:00": _offset_reader("(.)(..):(..):(..)", zulu=False),
    "Z07": _offset_reader("(.)(..)", zulu=True),
    "Z0700": _offset_reader(_HM, zulu=True),
    "Z07:00": _offset_reader("(.)(..):(..)", zulu=True),
    "Z070000": _offset_reader(_HMS, zulu=True),
    "Z07:00:00": _offset_reader("(.)(..):(..):(..)", zulu=True),
}


def read(layout: str, value: str) -> int:
    """The instant that a text of the layout names, in nanoseconds since 1970; UTC where the text names no zone."""
    if layout in (RFC3339, RFC3339_NANO):
        match = _PLAIN_RFC3339.fullmatch(value)
        plain = match and _read_plain(match)
        if plain is not None:
            return plain
    if len(layout) > _MAX_TEXT or len(value) > _MAX_TEXT:
        raise TimeError(f"parsing time: longer than {_MAX_TEXT} characters")
    fields = _Fields()
    rest = value
    parts = pieces(layout)
    for index, (literal, element) in enumerate(parts):
        rest = _skip(layout, value, rest, literal)
        if not element:
            break
        try:
            following = _read_element(element, fields, rest)
            if element in ("5", "05") and parts[index + 1].element[:1] not in (".", ","):
                # A fraction is taken here even when the layout does not ask for one.
                following = _any_fraction(fields, following)
        except _RangeError as error:
            raise TimeError(f"parsing time {quote_hex(value)}: {error} out of range") from None
        except _MismatchError:
            raise _mismatch(layout, value, rest, element) from None
        rest = following
    if rest:
        raise TimeError(f"parsing time {quote_hex(value)}: extra text: {quote_hex(rest)}")
    try:
        return _instant(fields)
    except _RangeError as error:
        raise TimeError(f"parsing time {quote_hex(value)}: {error}") from None


def _read_plain(match: re.Match[str]) -> int | None:
    """The common form of RFC 3339; None leaves the telling of an error to the general way."""
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    fraction, sign, zone_hour, zone_minute = match.groups()[6:]
    if not (1 <= month <= 12 and 1 <= day <= days_in(month, year) and hour < 24 and minute < 60 and second < 60):
        return None
    seconds = days_from_civil(year, month, day) * DAY_SECONDS + (hour * 60 + minute) * 60 + second
    if sign is not None:
        if int(zone_hour) > 23 or int(zone_minute) > 59:
            return None
        offset = (int(zone_hour) * 60 + int(zone_minute)) * 60
        seconds += offset if sign == "-" else -offset
    return seconds * SECOND + (int(fraction[:9].ljust(9, "0")) if fraction else 0)


def _mismatch(layout: str, value: str, rest: str, element: str) -> TimeError:
    problem = f"cannot parse {quote_hex(rest)} as {quote_hex(element)}"
    return TimeError(f"parsing time {quote_hex(value)} as {quote_hex(layout)}: {problem}")


def _skip(layout: str, value: str, rest: str, literal: str) -> str:
    """Take the literal text off the front; one space stands for any number of them."""
    for part in _SPACES.split(literal):
        if part[:1] != " ":
            if not rest.startswith(part):
                same = next(index for index, char in enumerate(part) if rest[index : index + 1] != char)
                raise _mismatch(layout, value, rest[same:], literal)
            rest = rest[len(part) :]
        elif rest[:1] not in ("", " "):
            raise _mismatch(layout, value, rest, literal)
        else:
            rest = rest.lstrip(" ")
    return rest


def _read_element(element: str, fields: _Fields, text: str) -> str:
    if element[0] not in ".,":
        return READERS[element](fields, text)
    if element[1] == "0":
        return _exact_fraction(fields, text, len(element))
    return _any_fraction(fields, text)


def _instant(fields: _Fields) -> int:
    hour = fields.hour
    if fields.afternoon and hour < 12:
        hour += 12
    elif fields.morning and not fields.afternoon and hour == 12:
        hour = 0
    month, day = _date(fields)
    if not 1 <= day <= days_in(month, fields.year):
        raise _RangeError("day out of range")
    seconds = days_from_civil(fields.year, month, day) * DAY_SECONDS + (hour * 60 + fields.minute) * 60 + fields.second
    return (seconds - _zone_offset(fields)) * SECOND + fields.nanosecond


def _zone_offset(fields: _Fields) -> int:
    # Go marks "no offset read" with -1, so an offset of minus one second is no offset. The name of a zone other than
    # UTC says nothing of its offset.
    return 0 if fields.utc or fields.offset in (None, -1) else fields.offset or 0


def _date(fields: _Fields) -> tuple[int, int]:
    if fields.yearday is None:
        return fields.month or 1, 1 if fields.day is None else fields.day
    if not 1 <= fields.yearday <= 365 + is_leap(fields.year):
        raise _RangeError("day-of-year out of range")
    month, day = 1, fields.yearday
    while day > days_in(month, fields.year):
        day -= days_in(month, fields.year)
        month += 1
    if fields.month not in (None, month):
        raise _RangeError("day-of-year does not match month")
    if fields.day not in (None, day):
        raise _RangeError("day-of-year does not match day")
    return month, day
