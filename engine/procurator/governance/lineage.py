"""How often each token was delegated on: the children that the gateway has seen, whoever issued them."""

from __future__ import annotations

import sqlite3
from typing import Final

from procurator.governance.chains import Chain
from procurator.governance.refusals import Refused
from procurator.governance.store import Rows, Store, Transaction

VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE children (
    token_id TEXT PRIMARY KEY, parent_id TEXT NOT NULL, expires INTEGER NOT NULL
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
        self._rows: Rows[str] = Rows("INSERT INTO children (token_id, parent_id, expires) VALUES (?, ?, ?)")
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
        if len(chain.links) == 1 or chain.leaf.token_id in self._parents:
            return []
        new = [at for at, link in enumerate(chain.links) if at > 0 and link.token_id not in self._parents]
        for at in new:
            parent = chain.links[at - 1].token_id
            count = self._counts.get(parent, 0)
            if count >= self._max:
                detail = f"the token `{parent}` was delegated {count} times, and may be at most {self._max} times"
                raise Refused("fan_out_exceeded", detail, link=at)
        return new

    def note(self, tx: Transaction, chain: Chain) -> list[int]:
        """Count every link of a chain as a child of the one before.

        Returns:
            Which links were not known before.

        Raises:
            Refused: `fan_out_exceeded`, for a child too many.
        """
        new = self.unknown(chain)
        for at in new:
            self._add(tx, chain.links[at - 1].token_id, chain.links[at].token_id, chain.links[at].expires)
        return new

    def _add(self, tx: Transaction, parent: str, child: str, expires: int) -> None:
        tx.add(self._rows, child, (child, parent, expires))
        self._parents[child] = parent
        self._counts[parent] = self._counts.get(parent, 0) + 1
        tx.undo(lambda: self._forget(parent, child))

    def _forget(self, parent: str, child: str) -> None:
        del self._parents[child]
        self._counts[parent] -= 1

    def children(self, token_id: str) -> int:
        """How many children of a token are known."""
        return self._counts.get(token_id, 0)

    def reload(self, connection: sqlite3.Connection) -> None:
        """Read the table again."""
        self._parents = dict(connection.execute("SELECT token_id, parent_id FROM children"))
        self._counts = {}
        for parent in self._parents.values():
            self._counts[parent] = self._counts.get(parent, 0) + 1
