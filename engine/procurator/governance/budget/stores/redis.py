"""Budgets in Redis or Valkey, for gateways on several machines; each operation is one script that the server runs.

The server is no part of the transaction of the decision: what it did for one that came to nothing is taken back at
once, and if that fails too, the reservation is settled on doubt like that of a gateway that has died.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any, Final

from procurator.governance.budget.accounts import Path, meter_key, split_key
from procurator.governance.budget.meters import Shown
from procurator.governance.budget.stores import OVERDUE_AT_ONCE, Reservation, Standing, scripts
from procurator.governance.budget.windows import Window
from procurator.governance.store import StoreError
from procurator.governance.times import SECOND_NS
from procurator.governance.transactions import Transaction

PREFIX: Final = "{procurator}"
"""Begins every key; servers of a cluster keep together what has the same name in braces."""

TIMEOUT_SECONDS: Final = 5
LOOK_NS: Final = SECOND_NS
"""How often it is looked for overdue reservations."""

DIGITS: Final = 20


class RedisBudgets:
    """A `BudgetStore` on a server; threads, processes and machines may share it."""

    def __init__(self, url: str, prefix: str = PREFIX) -> None:
        """Connect.

        Args:
            url: the server, such as `redis://host:6379/0`, `rediss://` for TLS, or `unix://` with a path.
            prefix: begins every key.

        Raises:
            StoreError: the extra `redis` is not installed, or the server cannot be reached.
        """
        try:
            library = import_module("redis")
        except ImportError:
            raise StoreError("budgets in Redis need the extra: pip install 'procurator[redis]'") from None
        try:
            self._client: Any = library.Redis.from_url(
                url, decode_responses=True, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
            )
            self._client.ping()
        except (library.RedisError, ValueError) as error:
            raise StoreError(f"the server of budgets cannot be reached: {error}") from None
        self._error: type[Exception] = library.RedisError
        self._meters = f"{prefix}:meter:"
        self._kept = f"{prefix}:reservation:"
        self._names, self._deadlines, self._stops = f"{prefix}:meters", f"{prefix}:deadlines", f"{prefix}:stops"
        register = self._client.register_script
        self._read, self._reserve = register(scripts.READ), register(scripts.RESERVE)
        self._settle, self._shift = register(scripts.SETTLE), register(scripts.SHIFT)
        self._clear, self._raise = register(scripts.CLEAR), register(scripts.RAISE)
        self._tell, self._replace = register(scripts.TELL), register(scripts.REPLACE)
        self._looked_ns = 0

    # What a `BudgetStore` does

    def read(self, tx: Transaction | None, path: Path, now_ns: int) -> Sequence[Shown]:  # noqa: ARG002  # no part of it
        """What the meters of a path show."""
        found = self._shown([(line.key, line.window) for line in path.lines], now_ns)
        return [
            Shown(None if line.limit is None else line.limit + extra, used, reserved)
            for line, (used, reserved, extra) in zip(path.lines, found, strict=True)
        ]

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
        kept = json.dumps([path.keys, path.prompt_key, dict(cost), now_ns, deadline_ns])
        return self._book(tx, path, cost, now_ns, permit_id, (_member(deadline_ns, permit_id), kept))

    def spend(self, tx: Transaction | None, path: Path, cost: Mapping[str, int], now_ns: int) -> int | None:
        """Spend an amount at once."""
        return self._book(tx, path, cost, now_ns, "", ("", ""))

    def settle(
        self, tx: Transaction | None, permit_id: str, actual: Mapping[str, int] | None, now_ns: int
    ) -> Reservation | None:
        """End a reservation."""
        # Another gateway may prolong it between reading and settling.
        while (kept := self._client.get(self._kept + permit_id)) is not None:
            keys, *rest = json.loads(kept)
            found = Reservation(tuple(keys), *rest)
            member = _member(found.deadline_ns, permit_id)
            added = self._settled(permit_id, kept, member, found, found.used(actual), now_ns)
            if added:
                self._undo(tx, added, permit_id, (member, kept))
                return found
        return None

    def _settled(
        self, permit_id: str, kept: str, member: str, found: Reservation, used: Mapping[str, int], now_ns: int
    ) -> str:
        """What settling a reservation has added; nothing if it is not the one that was read any more."""
        meters = sorted({*found.keys, *(meter_key(found.prompt, unit) for unit in used)})
        arguments: list[str | int] = [kept, member]
        for key in meters:
            _, unit, window = split_key(key)
            estimate, needed = found.cost.get(unit, 0), used.get(unit, 0)
            arguments += [*_placed(window, now_ns), window.place(found.at_ns).slot, estimate]
            arguments += [max(0, estimate - needed), max(0, needed - estimate)]
        return str(self._settle([self._deadlines, self._kept + permit_id, *self._of(meters)], arguments))

    def prolong(self, tx: Transaction | None, permit_id: str, deadline_ns: int) -> None:
        """Have a reservation settled on doubt later, if there still is one."""
        kept = self._client.get(self._kept + permit_id)
        if kept is None:
            return
        *rest, before_ns = json.loads(kept)
        later = json.dumps([*rest, deadline_ns])
        if self._exchange(permit_id, (kept, before_ns), (later, deadline_ns)) and tx is not None:
            tx.undo(partial(self._attempt, self._exchange, permit_id, (later, deadline_ns), (kept, before_ns)))

    def overdue(self, tx: Transaction | None, now_ns: int) -> list[str]:  # noqa: ARG002  # no part of it
        """The permits whose reservations are past their deadlines; it is looked for them once a second."""
        if now_ns < self._looked_ns + LOOK_NS:
            return []
        before = f"({now_ns:0{DIGITS}d}"
        members = self._client.zrangebylex(self._deadlines, "-", before, 0, OVERDUE_AT_ONCE)
        if len(members) < OVERDUE_AT_ONCE:
            self._looked_ns = now_ns
        return [member[DIGITS + 1 :] for member in members]

    def raise_limit(self, tx: Transaction | None, key: str, amount: int, now_ns: int) -> None:
        """Raise the limit of a meter."""
        _, _, window = split_key(key)
        arguments = [*_placed(window, now_ns), amount, key]
        self._undo(tx, self._raise([self._meters + key, self._names], arguments))

    def tell(self, tx: Transaction | None, key: str, now_ns: int, until_ns: int) -> bool:
        """Note that people are told that the soft limit of a meter is reached."""
        added = self._tell([self._meters + key], [now_ns, until_ns])
        if added:
            self._undo(tx, added)
        return bool(added)

    def clear(self, tx: Transaction | None, key: str) -> None:
        """Have a meter show nothing."""
        self._undo(tx, self._clear([self._meters + key], []))

    def standing(self, tx: Transaction | None, prompt: str) -> Standing | None:  # noqa: ARG002  # no part of it
        """What stops the prompt with an account."""
        text = self._client.hget(self._stops, prompt)
        return None if text is None else Standing(*json.loads(text))

    def stop(self, tx: Transaction | None, prompt: str, standing: Standing | None) -> None:
        """Pause or end the prompt with an account; None to let it go on."""
        before = self.standing(tx, prompt)
        self._set_stop(prompt, standing)
        if tx is not None:
            tx.undo(partial(self._attempt, self._set_stop, prompt, before))

    def meters(self, tx: Transaction | None, prefix: str, now_ns: int) -> dict[str, Shown]:  # noqa: ARG002  # as above
        """What the meters show whose keys begin with a text; the limits are not known here."""
        keys = self._client.zrangebylex(self._names, f"[{prefix}", f"[{prefix}\U0010ffff")
        found = self._shown([(key, split_key(key)[2]) for key in keys], now_ns) if keys else []
        return {key: Shown(None, used, reserved) for key, (used, reserved, _) in zip(keys, found, strict=True)}

    def stopped(self, tx: Transaction | None, prefix: str) -> dict[str, Standing]:  # noqa: ARG002  # no part of it
        """The prompts that are stopped."""
        found = self._client.hgetall(self._stops)
        return {prompt: Standing(*json.loads(text)) for prompt, text in found.items() if prompt.startswith(prefix)}

    def close(self) -> None:
        """Close the connections to the server."""
        self._client.close()

    # Parts

    def _of(self, keys: Iterable[str]) -> list[str]:
        return [self._meters + key for key in keys]

    def _shown(self, wanted: Sequence[tuple[str, Window]], now_ns: int) -> list[tuple[int, int, int]]:
        arguments = [argument for _, window in wanted for argument in _placed(window, now_ns)]
        found = json.loads(self._read(self._of(key for key, _ in wanted), arguments))
        return [(int(used), int(reserved), int(extra)) for used, reserved, extra in found]

    def _book(
        self,
        tx: Transaction | None,
        path: Path,
        cost: Mapping[str, int],
        now_ns: int,
        permit_id: str,
        reservation: tuple[str, str],
    ) -> int | None:
        arguments: list[str | int] = [len(self._meters), *reservation]
        for line in path.lines:
            amount = cost.get(line.unit.name, 0)
            limit = "" if line.limit is None else line.limit
            arguments += [*_placed(line.window, now_ns), limit, amount, amount if permit_id else 0]
        keys = [self._names, self._deadlines, self._kept + permit_id, *self._of(path.keys)]
        answer = self._reserve(keys, arguments)
        if answer.isdecimal():
            return int(answer)
        self._undo(tx, answer, permit_id, (reservation[0], ""))
        return None

    def _undo(self, tx: Transaction | None, added: str, permit_id: str = "", kept: tuple[str, str] = ("", "")) -> None:
        """Have what a script has added taken back, if the transaction comes to nothing."""
        if tx is None:
            return
        changes = json.loads(added) or []  # an empty table of Lua is an empty object
        keys = [self._deadlines, self._kept + permit_id, *(key for key, _, _ in changes)]
        shifts = [text for _, field, amount in changes for text in (field, str(-int(amount)))]
        tx.undo(partial(self._attempt, self._shift, keys, [*kept, *shifts]))

    def _attempt(self, take_back: Callable[..., object], *arguments: object) -> None:
        """Take something back if the server can be reached; else what was reserved is settled on doubt."""
        with suppress(self._error):
            take_back(*arguments)

    def _exchange(self, permit_id: str, before: tuple[str, int], after: tuple[str, int]) -> bool:
        """Put a reservation with its deadline in the place of what it was, if it still is that."""
        (old, old_ns), (new, new_ns) = before, after
        arguments = [old, new, _member(old_ns, permit_id), _member(new_ns, permit_id)]
        return bool(self._replace([self._deadlines, self._kept + permit_id], arguments))

    def _set_stop(self, prompt: str, standing: Standing | None) -> None:
        if standing is None:
            self._client.hdel(self._stops, prompt)
        else:
            self._client.hset(self._stops, prompt, json.dumps([*standing]))


def _placed(window: Window, now_ns: int) -> tuple[str | int, ...]:
    place = window.place(now_ns)
    return window.kind, place.slot, place.first, window.step


def _member(deadline_ns: int, permit_id: str) -> str:
    """How a permit stands among the deadlines: in the order of these, which have too many digits for a score."""
    return f"{deadline_ns:0{DIGITS}d} {permit_id}"
