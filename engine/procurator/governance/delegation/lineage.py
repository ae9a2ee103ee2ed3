"""How often each token was delegated on: the children that the gateway has seen, whoever issued them.

Tokens are told apart by their digests: the holder of a parent chooses what a child is called.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from procurator.governance.delegation.chains import Chain
from procurator.governance.delegation.tokens import Link
from procurator.governance.refusals import Refused
from procurator.governance.store import Store
from procurator.governance.transactions import Rows, Transaction

VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE children (
    digest TEXT PRIMARY KEY, parent TEXT NOT NULL, expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID
"""


class Lineage:
    """The children of each token, and how many one may have."""

    def __init__(self, store: Store, max_fan_out: int) -> None:
        """Open the table.

        Args:
            store: the file.
            max_fan_out: children that one token may have.
        """
        self._max = max_fan_out
        self._rows: Rows[str] = Rows("INSERT INTO children (digest, parent, expires) VALUES (?, ?, ?)")
        self._parents: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        store.define("lineage", VERSION, SCHEMA)
        store.collect(self._rows)
        store.add_mirror(self)

    def unknown(self, chain: Chain) -> list[int]:
        """The links of a chain that are not known yet, such as those that an agent has derived by itself.

        Raises:
            Refused: `fan_out_exceeded`, for a child too many.
        """
        links = chain.links
        if len(links) == 1 or chain.leaf.digest in self._parents:
            return []
        new = [at for at, link in enumerate(links) if at > 0 and link.digest not in self._parents]
        for at in new:  # all of them before any is counted: a refusal leaves nothing behind
            self._check(links[at - 1], at)
        return new

    def note(self, tx: Transaction, chain: Chain) -> None:
        """Count every link of a chain as a child of the one before.

        Raises:
            Refused: `fan_out_exceeded`, for a child too many.
        """
        for at in self.unknown(chain):
            self._add(tx, chain.links[at - 1].digest, chain.links[at])

    def _check(self, parent: Link, at: int) -> None:
        count = self._counts.get(parent.digest, 0)
        if count >= self._max:
            detail = f"the token `{parent.token_id}` was delegated {count} times, and may be at most {self._max} times"
            raise Refused("fan_out_exceeded", detail, link=at)

    def _add(self, tx: Transaction, parent: str, child: Link) -> None:
        tx.add(self._rows, child.digest, (child.digest, parent, child.expires))
        self._parents[child.digest] = parent
        self._counts[parent] = self._counts.get(parent, 0) + 1
        tx.undo(lambda: self._forget(parent, child.digest))

    def _forget(self, parent: str, child: str) -> None:
        del self._parents[child]
        self._counts[parent] -= 1

    def reload(self, connection: sqlite3.Connection) -> None:
        """Read the table again."""
        self._parents = dict(connection.execute("SELECT digest, parent FROM children"))
        self._counts = {}
        for parent in self._parents.values():
            self._counts[parent] = self._counts.get(parent, 0) + 1
