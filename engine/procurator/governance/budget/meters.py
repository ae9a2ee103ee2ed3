"""What was spent and reserved within one limit, in memory; the arithmetic that all stores share.

What is reserved counts as used at once. A reservation is booked in the slot of its time: what it did not need comes
back to that slot, and what it needed beyond is booked when that is known, so that nothing slips through any window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from procurator.governance.budget.windows import BUCKET, LIFE, NEVER, SLIDING, Window

CEILING: Final = 4 * 10**18
"""No meter shows more: what is overdrawn as far as this is blocked anyway, and 64 bits hold it."""


class Shown(NamedTuple):
    """What a meter shows; amounts in the smallest part of the unit.

    Attributes:
        limit: how much may be used; None where there is no limit.
        used: how much is, reservations included.
        reserved: how much of that is reserved.
    """

    limit: int | None
    used: int
    reserved: int

    @property
    def remaining(self) -> int | None:
        """What can still be used; negative when overdrawn."""
        return None if self.limit is None else self.limit - self.used


class Change(NamedTuple):
    """What settling a reservation does to a meter.

    Attributes:
        slot: the slot of the reservation.
        reserved: what is not reserved any more.
        back: what comes back.
        over: what was needed beyond the reservation.
    """

    slot: int
    reserved: int
    back: int
    over: int


def settled(window: Window, slot: int, now_slot: int, estimate: int, actual: int) -> Change:
    """What is to be done about a reservation in a slot, when so much of it was needed."""
    back = max(0, estimate - actual)
    if window.kind == BUCKET:
        # Some of it has come back already, as time went by.
        back = max(0, back - max(0, now_slot - slot) * window.step)
    return Change(slot, estimate, back, max(0, actual - estimate))


class Saved(NamedTuple):
    """What is kept of a meter; the members are those of `Meter`."""

    used: int
    reserved: int
    extra: int
    slot: int
    told_ns: int
    slots: Mapping[int, Sequence[int]] | None


class Meter:
    """One limit of one account: what is used and reserved of it now.

    Attributes:
        unit: the name of the unit.
        limit: how much may be used; `NEVER` where there is no limit.
        used: how much is, reservations included.
        reserved: how much of that is reserved.
        until_ns: when the slot ends, and `turn` has to be called before anything else.
        extra: how much the limit was raised by.
        slot: the slot that is booked in.
        slots: of a sliding window, what was used and reserved in each slot.
        told_ns: until when people need not be told again that its soft limit is reached.
        key: names it in its store.
    """

    __slots__ = (
        "_base",
        "extra",
        "key",
        "limit",
        "reserved",
        "slot",
        "slots",
        "told_ns",
        "unit",
        "until_ns",
        "used",
        "window",
    )

    def __init__(self, key: str, unit: str, window: Window) -> None:
        self.key = key
        self.unit = unit
        self.window = window
        self._base: int | None = None
        self.limit = NEVER
        self.used = 0
        self.reserved = 0
        self.extra = 0
        self.slot = 0
        self.told_ns = 0
        self.slots: dict[int, list[int]] | None = {} if window.kind == SLIDING else None
        self.until_ns = NEVER if window.kind == LIFE else 0

    def restrict(self, base: int | None) -> None:
        """Set the limit as it is without what it was raised by."""
        self._base = base
        self.limit = NEVER if base is None else base + self.extra

    def raise_limit(self, amount: int) -> None:
        """Raise the limit, and with it the soft one: of a day or month until it ends, of others for good."""
        self.extra += amount
        self.told_ns = 0
        self.restrict(self._base)

    def saved(self) -> Saved:
        """What has to be kept of it."""
        slots = None if self.slots is None else {slot: (used, held) for slot, (used, held) in self.slots.items()}
        return Saved(self.used, self.reserved, self.extra, self.slot, self.told_ns, slots)

    def restore(self, saved: Saved) -> None:
        """Show what was kept."""
        self.used, self.reserved, self.extra, self.slot, self.told_ns = saved[:5]
        if self.slots is not None:
            self.slots = {slot: [*amounts] for slot, amounts in (saved.slots or {}).items()}
        self.until_ns = NEVER if self.window.kind == LIFE else 0
        self.restrict(self._base)

    def shown(self) -> Shown:
        """What it shows, after `turn`."""
        return Shown(None if self._base is None else self.limit, self.used, self.reserved)

    def turn(self, now_ns: int) -> None:
        """Go on to the slot of an instant; never back, so that nothing returns when a clock is set back."""
        slot, first, self.until_ns = self.window.place(now_ns)
        if slot <= self.slot:
            return
        if self.slots is not None:
            for old in [one for one in self.slots if one < first]:
                used, reserved = self.slots.pop(old)
                self.used -= used
                self.reserved -= reserved
        elif self.window.kind == BUCKET:
            self.used = max(0, self.used - (slot - self.slot) * self.window.step)
            self.reserved = min(self.reserved, self.used)
        else:
            self.used = self.reserved = 0
            self.raise_limit(-self.extra)
        self.slot = slot

    def turn_if_due(self, now_ns: int) -> None:
        """`turn`, when the slot has ended."""
        if self.until_ns <= now_ns:
            self.turn(now_ns)

    def book_slot(self, used: int, held: int) -> None:
        """Book amounts in the slot of a sliding window, beside what is booked in the meter."""
        assert self.slots is not None  # noqa: S101  # others have no slots
        slot = self.slots.setdefault(self.slot, [0, 0])
        slot[0] += used
        slot[1] += held

    def settle(self, at_ns: int, estimate: int, actual: int) -> None:
        """End what was reserved at an instant, after `turn`: so much was needed."""
        if self.until_ns == NEVER:
            self._book(actual - estimate)
            self.reserved -= estimate
            return
        place = self.window.place(at_ns)
        change = settled(self.window, place.slot, self.slot, estimate, actual)
        self._give_back(change)
        if change.over:
            over = self._book(change.over)
            if self.slots is not None:
                self.book_slot(over, 0)

    def _give_back(self, change: Change) -> None:
        if self.slots is not None:
            slot = self.slots.get(change.slot)
            if slot is None:
                return
            slot[0] -= change.back
            slot[1] -= change.reserved
        elif self.window.kind != BUCKET and change.slot != self.slot:
            return
        self.used = max(0, self.used - change.back)
        self.reserved = max(0, self.reserved - change.reserved)

    def _book(self, amount: int) -> int:
        """Change what is used by an amount, as far as can be shown.

        Returns:
            By how much it has changed.
        """
        before = self.used
        self.used = min(CEILING, before + amount)
        return self.used - before
