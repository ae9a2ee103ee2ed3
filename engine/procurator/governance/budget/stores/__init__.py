"""Where budgets are kept. All stores do the same, and one suite of tests runs on all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from procurator.governance.budget.accounts import Path
from procurator.governance.budget.meters import Shown
from procurator.governance.transactions import Transaction

OVERDUE_AT_ONCE: Final = 1000
"""How many overdue reservations are looked up in one go."""

PAUSED: Final = "paused"
ENDED: Final = "ended"


class Reservation(NamedTuple):
    """What was reserved for a permit.

    Attributes:
        keys: the meters.
        prompt: the key of the account of the prompt.
        cost: how much, by unit.
        at_ns: when, nanoseconds since 1970.
        deadline_ns: when it is settled on doubt.
    """

    keys: tuple[str, ...]
    prompt: str
    cost: Mapping[str, int]
    at_ns: int
    deadline_ns: int

    def used(self, actual: Mapping[str, int] | None) -> dict[str, int]:
        """What was used, by unit: what is known of it, and for the rest what was reserved; None for nothing."""
        return {} if actual is None else {**self.cost, **actual}


class Standing(NamedTuple):
    """What stops a prompt.

    Attributes:
        state: `PAUSED` or `ENDED`.
        why: a sentence.
    """

    state: str
    why: str


class BudgetStore(Protocol):
    """Keeps meters, reservations and what stops prompts; amounts are in the smallest part of their unit.

    What is done in a transaction that comes to nothing is taken back; stores of their own are not part of it otherwise.
    Units of `cost` and `actual` that a path has no line of cost nothing, but for the prompt, which counts all of them.
    """

    def read(self, tx: Transaction | None, path: Path, now_ns: int) -> Sequence[Shown]:
        """What the meters of a path show."""

    def reserve(
        self,
        tx: Transaction | None,
        path: Path,
        cost: Mapping[str, int],
        now_ns: int,
        permit_id: str,
        deadline_ns: int,
    ) -> int | None:
        """Reserve an amount on every line of a path, or on none; a line that is overdrawn refuses any.

        Returns:
            None, or the number of the line that it does not fit into.
        """

    def spend(self, tx: Transaction | None, path: Path, cost: Mapping[str, int], now_ns: int) -> int | None:
        """Spend an amount at once, as if it had been reserved and used."""

    def settle(
        self, tx: Transaction | None, permit_id: str, actual: Mapping[str, int] | None, now_ns: int
    ) -> Reservation | None:
        """End a reservation: so much was used, or nothing with None.

        Returns:
            What was reserved; None if there is no such reservation any more.
        """

    def prolong(self, tx: Transaction | None, permit_id: str, deadline_ns: int) -> None:
        """Have a reservation settled on doubt later, if there still is one."""

    def overdue(self, tx: Transaction | None, now_ns: int) -> list[str]:
        """The permits whose reservations are past their deadlines, the oldest first, and not too many at once."""

    def raise_limit(self, tx: Transaction | None, key: str, amount: int, now_ns: int) -> None:
        """Raise the limit of a meter: of a day or month until it ends, of others for good."""

    def tell(self, tx: Transaction | None, key: str, now_ns: int, until_ns: int) -> bool:
        """Note that people are told that the soft limit of a meter is reached.

        Args:
            tx: the transaction.
            key: the meter.
            now_ns: the instant.
            until_ns: until when they need not be told again, unless the limit is raised.

        Returns:
            Whether they are to be told; False if they were, and need not be again.
        """

    def clear(self, tx: Transaction | None, key: str) -> None:
        """Have a meter show nothing."""

    def standing(self, tx: Transaction | None, prompt: str) -> Standing | None:
        """What stops the prompt with an account; None if nothing does."""

    def stop(self, tx: Transaction | None, prompt: str, standing: Standing | None) -> None:
        """Pause or end the prompt with an account; None to let it go on."""

    def meters(self, tx: Transaction | None, prefix: str, now_ns: int) -> dict[str, Shown]:
        """What the meters show whose keys begin with a text; limits as far as they are known."""

    def close(self) -> None:
        """Let go of what is held open beside the file of state."""

    def stopped(self, tx: Transaction | None, prefix: str) -> dict[str, Standing]:
        """The prompts that are stopped, by their accounts that begin with a text."""
