"""Times as Go's `time` package has them: reference-time layouts both ways, durations, civil dates without a year limit.

A layout is the reference time `Mon Jan 2 15:04:05 MST 2006` written the way the text should look. It is split once
into literal pieces and elements; `WRITERS` and `READERS` say what each element means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
NAMED_LAYOUTS: Final = {
    "ANSIC": "Mon Jan _2 15:04:05 2006",
    "UnixDate": "Mon Jan _2 15:04:05 MST 2006",
    "RubyDate": "Mon Jan 02 15:04:05 -0700 2006",
    "RFC822": "02 Jan 06 15:04 MST",
    "RFC822Z": "02 Jan 06 15:04 -0700",
    "RFC850": "Monday, 02-Jan-06 15:04:05 MST",
    "RFC1123": "Mon, 02 Jan 2006 15:04:05 MST",
    "RFC1123Z": "Mon, 02 Jan 2006 15:04:05 -0700",
    "RFC3339": "2006-01-02T15:04:05Z07:00",
    "RFC3339Nano": "2006-01-02T15:04:05.999999999Z07:00",
}
RFC3339: Final = NAMED_LAYOUTS["RFC3339"]
RFC3339_NANO: Final = NAMED_LAYOUTS["RFC3339Nano"]
SECOND: Final = 1_000_000_000
DAY_SECONDS: Final = 86_400
_DAYS_BEFORE: Final = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)

_ELEMENT: Final = re.compile(
    "January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|0[1-6]|002|15|1|2006|2|_2(?!006)|__2|3|4|5|PM|pm"
    "|-070000|-07:00:00|-0700|-07:00|-07|Z070000|Z07:00:00|Z0700|Z07:00|Z07|[.,](?:0+|9+)(?![0-9])"
)


class TimeError(ValueError):
    """A text is no time of the layout, no duration, or a zone is unknown; the message is Go's."""


class Piece(NamedTuple):
    """A literal text of a layout with the element that follows it; the last piece has the element ''."""

    literal: str
    element: str


@lru_cache(maxsize=256)
def pieces(layout: str) -> tuple[Piece, ...]:
    """Split a layout into its literal texts and elements."""
    result, end = [], 0
    for match in _ELEMENT.finditer(layout):
        result.append(Piece(layout[end : match.start()], match.group()))
        end = match.end()
    return (*result, Piece(layout[end:], ""))


# -- civil dates ------------------------------------------------------------------------------------------------------


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the proleptic Gregorian calendar; the month may be any integer."""
    year += (month - 1) // 12
    month = (month - 1) % 12 + 1
    before = year - 1
    leap_days = before // 4 - before // 100 + before // 400
    return 365 * before + leap_days + _DAYS_BEFORE[month - 1] + (month > 2 and is_leap(year)) + day - 1 - 719_162


def civil_from_days(days: int) -> tuple[int, int, int]:
    """The date that many days after 1970-01-01."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def is_leap(year: int) -> bool:
    """Whether the year has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in(month: int, year: int) -> int:
    """How many days the month has."""
    if month == 2 and is_leap(year):
        return 29
    return _DAYS_BEFORE[month] - _DAYS_BEFORE[month - 1]


def quote_hex(text: str) -> str:
    """Quote a text the way messages of Go's `time` package do: bytes outside printable ASCII in hexadecimal."""
    shown = []
    for char in text:
        if char in '"\\':
            shown.append("\\" + char)
        elif " " <= char < "\x80":
            shown.append(char)
        else:
            shown.extend(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
    return '"' + "".join(shown) + '"'


# -- writing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as the clocks and calendars of one zone show it."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    nanosecond: int
    zone: str
    offset: int

    @property
    def weekday(self) -> int:
        """Days since Sunday."""
        return (days_from_civil(self.year, self.month, self.day) + 4) % 7

    @property
    def yearday(self) -> int:
        """Days since the last day of the year before."""
        return days_from_civil(self.year, self.month, self.day) - days_from_civil(self.year, 1, 1) + 1


def moment(nanoseconds: int, offset: int, zone: str) -> Moment:
    """What a clock that is `offset` seconds ahead of UTC shows at an instant."""
    seconds, nanosecond = divmod(nanoseconds, SECOND)
    days, clock = divmod(seconds + offset, DAY_SECONDS)
    year, month, day = civil_from_days(days)
    return Moment(year, month, day, clock // 3600, clock // 60 % 60, clock % 60, nanosecond, zone, offset)


def padded(number: int, width: int) -> str:
    """Decimal digits after an optional sign, filled up with zeros."""
    return f"-{-number:0{width}d}" if number < 0 else f"{number:0{width}d}"


def _offset(at: Moment, colon: str, seconds: bool, minutes: bool = True) -> str:
    zone = int(at.offset / 60)
    text = ("-" if zone < 0 else "+") + f"{abs(zone) // 60:02d}"
    if minutes:
        text += f"{colon}{abs(zone) % 60:02d}"
    return text + f"{colon}{abs(at.offset) % 60:02d}" if seconds else text


def _fraction(at: Moment, element: str) -> str:
    digits = f"{at.nanosecond:09d}"[: len(element) - 1]
    if element[1] == "9":
        digits = digits.rstrip("0")
    return element[0] + digits if digits else ""


def _twelve(at: Moment) -> int:
    return at.hour % 12 or 12


WRITERS: Final[Mapping[str, Callable[[Moment], str]]] = {
    "06": lambda at: f"{abs(at.year) % 100:02d}",
    "2006": lambda at: padded(at.year, 4),
    "Jan": lambda at: MONTHS[at.month - 1][:3],
    "January": lambda at: MONTHS[at.month - 1],
    "1": lambda at: str(at.month),
    "01": lambda at: f"{at.month:02d}",
    "Mon": lambda at: WEEKDAYS[at.weekday][:3],
    "Monday": lambda at: WEEKDAYS[at.weekday],
    "2": lambda at: str(at.day),
    "_2": lambda at: f"{at.day:2d}",
    "02": lambda at: f"{at.day:02d}",
    "__2": lambda at: f"{at.yearday:3d}",
    "002": lambda at: f"{at.yearday:03d}",
    "15": lambda at: f"{at.hour:02d}",
    "3": lambda at: str(_twelve(at)),
    "03": lambda at: f"{_twelve(at):02d}",
    "4": lambda at: str(at.minute),
    "04": lambda at: f"{at.minute:02d}",
    "5": lambda at: str(at.second),
    "05": lambda at: f"{at.second:02d}",
    "PM": lambda at: "PM" if at.hour >= 12 else "AM",
    "pm": lambda at: "pm" if at.hour >= 12 else "am",
    "MST": lambda at: at.zone or _offset(at, "", False),
    "-07": lambda at: _offset(at, "", False, minutes=False),
    "-0700": lambda at: _offset(at, "", False),
    "-07:00": lambda at: _offset(at, ":", False),
    "-070000": lambda at: _offset(at, "", True),
    "-07:00:00": lambda at: _offset(at, ":", True),
}


def _write(at: Moment, element: str) -> str:
    if element[0] in ".,":
        return _fraction(at, element)
    if element[0] == "Z":
        return WRITERS["-" + element[1:]](at) if at.offset else "Z"
    return WRITERS[element](at)


def write(at: Moment, layout: str) -> str:
    """The moment in the form of the layout."""
    return "".join([literal + _write(at, element) if element else literal for literal, element in pieces(layout)])
