"""The time that a limit is for: a life, a day or a month of the calendar, a sliding window, a bucket that refills.

A window divides time into slots, numbered so that later ones are larger. What is spent is booked in a slot; which slots
count, or how much has come back since a slot, is for the window to say. All of it is whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from procurator.governance.times import SECOND_NS

NEVER: Final = (1 << 63) - 1
LATEST_NS: Final = 253_402_300_799 * SECOND_NS
"""The last second of the year 9999, the last that texts can tell."""
STEPS: Final = 60
"""Into how many parts sliding windows and buckets divide their time."""

LIFE: Final = "life"
DAY: Final = "day"
MONTH: Final = "month"
SLIDING: Final = "sliding"
BUCKET: Final = "bucket"


class Place(NamedTuple):
    """Where an instant lies in a window.

    Attributes:
        slot: its slot.
        first: the earliest slot that counts.
        until_ns: when the slot ends.
    """

    slot: int
    first: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a limit is for.

    Attributes:
        kind: one of `LIFE`, `DAY`, `MONTH`, `SLIDING`, `BUCKET`.
        zone: the time zone of days and months.
        seconds: how long a sliding window is, and how long an empty bucket takes to fill.
        amount: what a bucket holds; 0 for others.
    """

    kind: str = LIFE
    zone: str = "UTC"
    seconds: int = 0
    amount: int = 0

    @property
    def name(self) -> str:
        """A text that says it all, for `window_of`."""
        if self.kind == LIFE:
            return LIFE
        if self.kind in (DAY, MONTH):
            return f"{self.kind}@{self.zone}"
        return f"{self.kind}:{self.seconds}" + (f"/{self.amount}" if self.amount else "")

    @property
    def wire(self) -> str:
        """How answers call it: `day`, `month`, a duration of ISO 8601, or `prompt` for a life."""
        return {LIFE: "prompt", DAY: DAY, MONTH: MONTH}.get(self.kind, f"PT{self.seconds}S")

    @property
    def step(self) -> int:
        """How much comes back to a bucket with each slot."""
        return max(1, -(-self.amount // STEPS))

    @property
    def width_ns(self) -> int:
        """How long a slot of a sliding window or a bucket is."""
        span = self.seconds * SECOND_NS
        return max(1, -(-span * self.step // self.amount)) if self.amount else span // STEPS

    def place(self, now_ns: int) -> Place:
        """Where an instant lies, in nanoseconds since 1970."""
        if self.kind == LIFE:
            return Place(0, 0, NEVER)
        if self.kind in (DAY, MONTH):
            return _calendar(self.kind, self.zone, now_ns)
        width = self.width_ns
        slot = now_ns // width
        # A slot counts while any instant of it is within the window.
        return Place(slot, slot - STEPS if self.kind == SLIDING else slot, (slot + 1) * width)

    def ends_ns(self, now_ns: int) -> int:
        """When what holds for the window at an instant is over: with the day or month, or when the time has gone by."""
        if self.kind in (SLIDING, BUCKET):
            return now_ns + self.seconds * SECOND_NS
        return self.place(now_ns).until_ns

    def resets_ns(self, now_ns: int, used: int) -> int | None:
        """From when on nothing counts any more of what is used at an instant; None for never."""
        if self.kind == LIFE:
            return None
        place = self.place(now_ns)
        if self.kind == SLIDING:
            return min(LATEST_NS, (place.slot + STEPS + 1) * self.width_ns)
        if self.kind == BUCKET:
            return min(LATEST_NS, (place.slot - (-used // self.step)) * self.width_ns)
        return place.until_ns


@lru_cache(maxsize=256)
def window_of(name: str) -> Window:
    """The window with a name."""
    kind, _, zone = name.partition("@")
    if zone:
        return Window(kind, zone)
    kind, _, rest = name.partition(":")
    seconds, _, amount = rest.partition("/")
    return Window(kind, "UTC", int(seconds or 0), int(amount or 0))


_last: dict[tuple[str, str], tuple[int, Place]] = {}


def _calendar(kind: str, zone: str, now_ns: int) -> Place:
    """The day or month of an instant; nearly always that of the instant before."""
    known = _last.get((kind, zone))
    if known is not None and known[0] <= now_ns < known[1].until_ns:
        return known[1]
    place_zone = ZoneInfo(zone)
    today = datetime.fromtimestamp(now_ns // SECOND_NS, place_zone).date()
    begin, end, slot = _bounds(kind, today)
    place = Place(slot, slot, _midnight(end, place_zone))
    _last[kind, zone] = _midnight(begin, place_zone), place
    return place


def _bounds(kind: str, today: date) -> tuple[date, date, int]:
    if kind == DAY:
        return today, today + timedelta(days=1), today.toordinal()
    begin = today.replace(day=1)
    return begin, (begin + timedelta(days=31)).replace(day=1), begin.year * 12 + begin.month


def _midnight(day: date, zone: ZoneInfo) -> int:
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    return int(start.astimezone(UTC).timestamp()) * SECOND_NS
