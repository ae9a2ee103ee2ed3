"""What people do about the budget of a prompt: look at it, raise it, let the prompt go on, or end it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from procurator.governance.budget.accounts import PROMPT, SCOPES, Path, Paths, meter_key, prompt_of, split_key
from procurator.governance.budget.stores import ENDED, BudgetStore, Standing
from procurator.governance.budget.units import REPLANS, UNPROVEN, Unit
from procurator.governance.refusals import Refused
from procurator.governance.transactions import Transaction

GOES_ON: Final = "goes on"


class Prompts:
    """The prompts that have spent something, or were stopped."""

    def __init__(self, store: BudgetStore, paths: Paths) -> None:
        """Join the parts.

        Args:
            store: the meters.
            paths: the limits.
        """
        self._store = store
        self._paths = paths

    def stopped(self, tx: Transaction) -> list[dict[str, Any]]:
        """The prompts that are paused or were ended."""
        return [_told(account, standing) for account, standing in sorted(self._store.stopped(tx, f"{PROMPT}:").items())]

    def balance(self, tx: Transaction, prompt_id: str, now_ns: int) -> list[dict[str, Any]]:
        """What is spent, reserved and left for a prompt, of each person who has one with the id.

        Raises:
            Refused: `malformed`: there is none.
        """
        return [self._balance(tx, account, now_ns) for account in self._find(tx, prompt_id, now_ns)]

    def resume(
        self,
        tx: Transaction,
        prompt_id: str,
        now_ns: int,
        *,
        by: str,
        why: str = "",
        person: str | None = None,
        raised: Mapping[str, str] | None = None,
        scope: str = PROMPT,
    ) -> dict[str, Any]:
        """Let a prompt go on, and raise its limits.

        Args:
            tx: the transaction.
            prompt_id: the prompt.
            now_ns: the instant.
            by: who does it, for the log.
            why: for the log.
            person: whose prompt it is, if several persons have one with the id: the subject.
            raised: by how much limits are raised, by unit; those of a day or month until it ends.
            scope: whose limits: one of `SCOPES`.

        Returns:
            What the log has to say.

        Raises:
            Refused: `malformed`, `ended`.
        """
        account = self._one(tx, prompt_id, person, now_ns)
        before = self._store.standing(tx, account)
        if before is not None and before.state == ENDED:
            raise Refused("ended", f"the prompt `{prompt_id}` was ended: {before.why}")
        given = {unit: self._raise(tx, account, unit, amount, scope, now_ns) for unit, amount in (raised or {}).items()}
        if before is not None:
            self._store.stop(tx, account, None)
            self._store.clear(tx, meter_key(account, UNPROVEN))
        more = {"raised": given, "scope": scope} if given else {}
        return {**_told(account, None), **more, "action": "resume", "by": by, "why": why, "changed": before is not None}

    def end(
        self, tx: Transaction, prompt_id: str, now_ns: int, *, by: str, why: str = "", person: str | None = None
    ) -> dict[str, Any]:
        """End a prompt for good.

        Returns:
            What the log has to say.

        Raises:
            Refused: `malformed`.
        """
        account = self._one(tx, prompt_id, person, now_ns)
        before = self._store.standing(tx, account)
        standing = Standing(ENDED, why or f"by {by}")
        changed = before is None or before.state != ENDED
        if changed:
            self._store.stop(tx, account, standing)
        return {**_told(account, standing), "action": "end", "by": by, "changed": changed}

    # Accounts

    def _find(self, tx: Transaction, prompt_id: str, now_ns: int) -> list[str]:
        prefix = f"{PROMPT}:{prompt_id} "
        spending = {split_key(key)[0] for key in self._store.meters(tx, prefix, now_ns)}
        found = sorted(spending | set(self._store.stopped(tx, prefix)))
        if not found:
            raise Refused("malformed", f"no prompt `{prompt_id}` has spent anything", field="prompt_id")
        return found

    def _one(self, tx: Transaction, prompt_id: str, person: str | None, now_ns: int) -> str:
        found = [
            account
            for account in self._find(tx, prompt_id, now_ns)
            if person is None or prompt_of(account)[1].subject == person
        ]
        if len(found) != 1:
            persons = ", ".join(f"`{prompt_of(account)[1].subject}`" for account in found) or "nobody"
            raise Refused("malformed", f"`{prompt_id}` is a prompt of {persons}: say whose is meant", field="person")
        return found[0]

    def _balance(self, tx: Transaction, account: str, now_ns: int) -> dict[str, Any]:
        path = self._path(account)
        shown = dict(zip(path.lines, self._store.read(tx, path, now_ns), strict=True))
        lines = [line.document(one) for line, one in shown.items()]
        return {**_told(account, self._store.standing(tx, account)), "lines": lines}

    def _path(self, account: str) -> Path:
        """The limits above the tokens, and what is counted without any."""
        prompt_id, principal = prompt_of(account)
        return self._paths.of_person(principal, prompt_id, (REPLANS,))

    def _raise(self, tx: Transaction, account: str, name: str, text: str, scope: str, now_ns: int) -> str:
        unit = self._paths.units.find(name)
        if unit is None:
            raise Refused("malformed", f"`{name}` is no unit that is known", field="unit")
        if scope not in SCOPES:
            raise Refused("malformed", f"`{scope}` is none of {', '.join(SCOPES)}", field="scope")
        amount = _amount(unit, text)
        lines = [
            line
            for line in self._path(account).lines
            if line.unit == unit and line.account.scope == scope and line.limit is not None
        ]
        if not lines:
            raise Refused("malformed", f"the {scope} has no limit of `{name}`", field="unit")
        for line in lines:
            self._store.raise_limit(tx, line.key, amount, now_ns)
        return unit.text(amount)


def _amount(unit: Unit, text: str) -> int:
    try:
        return unit.amount(text)
    except ValueError as error:
        raise Refused("malformed", f"the amount of `{unit.name}` {error}", field="amount") from None


def _told(account: str, standing: Standing | None) -> dict[str, Any]:
    prompt_id, principal = prompt_of(account)
    return {
        "prompt_id": prompt_id,
        "person": {"issuer": principal.issuer, "subject": principal.subject},
        "state": GOES_ON if standing is None else standing.state,
        "why": "" if standing is None else standing.why,
    }
