"""Budgets in memory, for one process as long as it lives; the store on a file keeps its mirror with this too."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Final

from procurator.governance.budget.accounts import Line, Path, meter_key, split_key
from procurator.governance.budget.meters import Meter, Shown
from procurator.governance.budget.stores import OVERDUE_AT_ONCE, Reservation, Standing
from procurator.governance.budget.windows import LIFE
from procurator.governance.transactions import Transaction

PATHS_KEPT: Final = 20_000


class Route:
    """The meters of a path, in the order of its lines and by what they are asked for: every decision goes along one."""

    __slots__ = ("_by_unit", "_sliding", "_turning", "meters")

    def __init__(self, meters: Sequence[Meter]) -> None:
        self.meters = meters
        self._turning = [meter for meter in meters if meter.window.kind != LIFE]
        self._sliding = [meter for meter in meters if meter.slots is not None]
        units = dict.fromkeys(meter.unit for meter in meters)
        self._by_unit = [(unit, [meter for meter in meters if meter.unit == unit]) for unit in units]

    def turn(self, now_ns: int) -> None:
        """Go on to the slots of an instant."""
        for meter in self._turning:
            if meter.until_ns <= now_ns:
                meter.turn(now_ns)

    def refusing(self, cost: Mapping[str, int], now_ns: int) -> int | None:
        """The number of the first meter that an amount does not fit into."""
        self.turn(now_ns)
        for unit, meters in self._by_unit:
            amount = cost.get(unit, 0)
            for meter in meters:
                if meter.used + amount > meter.limit:
                    return self._first_refusing(cost)
        return None

    def _first_refusing(self, cost: Mapping[str, int]) -> int:
        return next(at for at, one in enumerate(self.meters) if one.used + cost.get(one.unit, 0) > one.limit)

    def reserve(self, cost: Mapping[str, int]) -> None:
        """Reserve an amount, after `refusing`."""
        for unit, meters in self._by_unit:
            if amount := cost.get(unit):
                for meter in meters:
                    meter.used += amount
                    meter.reserved += amount
        for meter in self._sliding:
            if amount := cost.get(meter.unit):
                meter.book_slot(amount, amount)

    def paying(self, cost: Mapping[str, int]) -> Iterator[Meter]:
        """The meters that an amount is booked on."""
        return chain.from_iterable(meters for unit, meters in self._by_unit if unit in cost)


class MemoryBudgets:
    """A `BudgetStore` in memory; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._meters: dict[str, Meter] = {}
        self._routes: dict[Path, Route] = {}
        self._reservations: dict[str, Reservation] = {}
        self._deadlines: list[tuple[int, str]] = []
        self._stops: dict[str, Standing] = {}

    # What a `BudgetStore` does

    def read(self, tx: Transaction | None, path: Path, now_ns: int) -> Sequence[Shown]:
        """What the meters of a path show."""
        with self._lock:
            route = self._routes.get(path) or self._route(tx, path)
            route.turn(now_ns)
            return [meter.shown() for meter in route.meters]

    def reserve(
        self,
        tx: Transaction | None,
        path: Path,
        cost: Mapping[str, int],
        now_ns: int,
        permit_id: str,
        deadline_ns: int,
    ) -> int | None:
        """Reserve an amount on every line of a path, or on none."""
        with self._lock:
            route = self._routes.get(path) or self._route(tx, path)
            refusing = route.refusing(cost, now_ns)
            if refusing is not None:
                return refusing
            route.reserve(cost)
            self._touch(route.paying(cost))
            self._keep(tx, path, cost, now_ns, permit_id, deadline_ns)
        if tx is not None:
            tx.undo(partial(self._take_back, route, cost, now_ns, permit_id))
        return None

    def spend(self, tx: Transaction | None, path: Path, cost: Mapping[str, int], now_ns: int) -> int | None:
        """Spend an amount at once."""
        with self._lock:
            route = self._routes.get(path) or self._route(tx, path)
            refusing = route.refusing(cost, now_ns)
            if refusing is not None:
                return refusing
            paying = [*route.paying(cost)]
            self._undo_to(tx, paying)
            for meter in paying:
                meter.settle(now_ns, 0, cost[meter.unit])
            self._touch(paying)
        return None

    def settle(
        self, tx: Transaction | None, permit_id: str, actual: Mapping[str, int] | None, now_ns: int
    ) -> Reservation | None:
        """End a reservation."""
        with self._lock:
            found = self._drop(tx, permit_id)
            if found is None:
                return None
            used = found.used(actual)
            keys = {*found.keys, *(meter_key(found.prompt, unit) for unit in used)}
            meters = [self._find(tx, key) for key in keys]
            self._undo_to(tx, meters)
            for meter in meters:
                meter.turn_if_due(now_ns)
                meter.settle(found.at_ns, found.cost.get(meter.unit, 0), used.get(meter.unit, 0))
            self._touch(meters)
            return found

    def prolong(self, tx: Transaction | None, permit_id: str, deadline_ns: int) -> None:
        """Have a reservation settled on doubt later, if there still is one."""
        with self._lock:
            found = self._reservations.get(permit_id)
            if found is not None:
                self._put(permit_id, found._replace(deadline_ns=deadline_ns))
                if tx is not None:
                    tx.undo(partial(self._put, permit_id, found))

    def overdue(self, tx: Transaction | None, now_ns: int) -> list[str]:
        """The permits whose reservations are past their deadlines."""
        with self._lock:
            return self._overdue(tx, now_ns)

    def raise_limit(self, tx: Transaction | None, key: str, amount: int, now_ns: int) -> None:
        """Raise the limit of a meter."""
        with self._lock:
            meter = self._find(tx, key)
            self._undo_to(tx, [meter])
            meter.turn_if_due(now_ns)
            meter.raise_limit(amount)
            self._touch([meter])

    def tell(self, tx: Transaction | None, key: str, now_ns: int, until_ns: int) -> bool:
        """Note that people are told that the soft limit of a meter is reached."""
        with self._lock:
            meter = self._find(tx, key)
            if now_ns < meter.told_ns:
                return False
            self._undo_to(tx, [meter])
            meter.told_ns = until_ns
            self._touch([meter])
            return True

    def clear(self, tx: Transaction | None, key: str) -> None:
        """Have a meter show nothing."""
        with self._lock:
            meter = self._find(tx, key)
            if meter.used:
                self._undo_to(tx, [meter])
                meter.used = meter.reserved = 0
                self._touch([meter])

    def standing(self, tx: Transaction | None, prompt: str) -> Standing | None:  # noqa: ARG002  # as stores have it
        """What stops the prompt with an account."""
        return self._stops.get(prompt)

    def stop(self, tx: Transaction | None, prompt: str, standing: Standing | None) -> None:
        """Pause or end the prompt with an account; None to let it go on."""
        with self._lock:
            before = self._stops.get(prompt)
            self._set_stop(prompt, standing)
            if tx is not None:
                tx.undo(partial(self._set_stop, prompt, before))

    def meters(self, tx: Transaction | None, prefix: str, now_ns: int) -> dict[str, Shown]:
        """What the meters show whose keys begin with a text."""
        with self._lock:
            found = {key: self._find(tx, key) for key in self._known(tx, prefix)}
            for meter in found.values():
                meter.turn_if_due(now_ns)
            return {key: meter.shown() for key, meter in found.items()}

    def stopped(self, tx: Transaction | None, prefix: str) -> dict[str, Standing]:  # noqa: ARG002  # as stores have it
        """The prompts that are stopped."""
        with self._lock:
            return {prompt: standing for prompt, standing in self._stops.items() if prompt.startswith(prefix)}

    def close(self) -> None:
        """Nothing is held open."""

    # Meters

    def _route(self, tx: Transaction | None, path: Path) -> Route:
        """The meters of a path, with its limits."""
        if len(self._routes) >= PATHS_KEPT:
            self._routes.clear()
        route = self._routes[path] = Route([self._limited(tx, line) for line in path.lines])
        return route

    def _limited(self, tx: Transaction | None, line: Line) -> Meter:
        meter = self._find(tx, line.key)
        meter.restrict(line.limit)
        return meter

    def _find(self, tx: Transaction | None, key: str) -> Meter:
        meter = self._meters.get(key)
        if meter is None:
            _, unit, window = split_key(key)
            meter = self._meters[key] = Meter(key, unit, window)
            self._load(tx, meter)
        return meter

    def _undo_to(self, tx: Transaction | None, meters: Iterable[Meter]) -> None:
        """Have the meters show again what they show now, if the transaction comes to nothing."""
        if tx is not None:
            for meter in meters:
                tx.undo(partial(meter.restore, meter.saved()))

    def _take_back(self, route: Route, cost: Mapping[str, int], at_ns: int, permit_id: str) -> None:
        """Undo a reservation."""
        with self._lock:
            for meter in route.paying(cost):
                meter.settle(at_ns, cost[meter.unit], 0)
            self._forget(permit_id)

    def _set_stop(self, prompt: str, standing: Standing | None) -> None:
        if standing is None:
            self._stops.pop(prompt, None)
        else:
            self._stops[prompt] = standing

    # What is different on a file

    def _load(self, tx: Transaction | None, meter: Meter) -> None:
        """Have a new meter show what is kept of it."""

    def _touch(self, meters: Iterable[Meter]) -> None:
        """Note that meters have changed."""

    def _known(self, tx: Transaction | None, prefix: str) -> list[str]:  # noqa: ARG002  # on a file it is needed
        """The keys of meters that begin with a text."""
        return sorted(key for key in self._meters if key.startswith(prefix))

    def _keep(
        self,
        tx: Transaction | None,  # noqa: ARG002  # on a file it is needed
        path: Path,
        cost: Mapping[str, int],
        now_ns: int,
        permit_id: str,
        deadline_ns: int,
    ) -> None:
        """Keep a reservation."""
        self._put(permit_id, Reservation(path.keys, path.prompt_key, cost, now_ns, deadline_ns))

    def _put(self, permit_id: str, reservation: Reservation) -> None:
        self._reservations[permit_id] = reservation
        heapq.heappush(self._deadlines, (reservation.deadline_ns, permit_id))

    def _forget(self, permit_id: str) -> None:
        """Undo `_keep`."""
        self._reservations.pop(permit_id, None)

    def _drop(self, tx: Transaction | None, permit_id: str) -> Reservation | None:
        """Remove a reservation."""
        found = self._reservations.pop(permit_id, None)
        if tx is not None and found is not None:
            tx.undo(partial(self._put, permit_id, found))
        return found

    def _overdue(self, tx: Transaction | None, now_ns: int) -> list[str]:  # noqa: ARG002  # as above
        deadlines, found = self._deadlines, self._reservations
        while deadlines and _is_past(found.get(deadlines[0][1]), deadlines[0][0]):
            heapq.heappop(deadlines)
        if not deadlines or deadlines[0][0] >= now_ns:
            return []
        late = [(one.deadline_ns, permit) for permit, one in found.items() if one.deadline_ns < now_ns]
        return [permit for _, permit in heapq.nsmallest(OVERDUE_AT_ONCE, late)]


def _is_past(found: Reservation | None, deadline_ns: int) -> bool:
    """Whether a deadline is not that of a reservation any more: it was settled, or has another one now."""
    return found is None or found.deadline_ns != deadline_ns
