"""A verified chain of delegation: what the gateway and policies see of it, and the cache that keeps it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

from procurator.governance.delegation.links import check_time
from procurator.governance.delegation.tokens import Link, Principal
from procurator.governance.refusals import Refused
from procurator.governance.scope.authority import Amount, Effective
from procurator.governance.scope.authorization_details import authority_to_json
from procurator.governance.signing import base64url
from procurator.numbers import number

Json: TypeAlias = Any

SEPARATOR: Final = "~"
"""Stands between the links of a chain."""


@dataclass(frozen=True)
class Chain:
    """A chain of which every link was verified; it may have expired since.

    Attributes:
        links: from the root to the leaf.
        digest: SHA-256 of the whole token.
    """

    links: tuple[Link, ...]
    digest: bytes

    @property
    def root(self) -> Link:
        """The link of the first agent."""
        return self.links[0]

    @property
    def leaf(self) -> Link:
        """The link of the agent that acts."""
        return self.links[-1]

    @cached_property
    def principal(self) -> Principal:
        """The person at the root."""
        principal = self.root.principal
        if principal is None:
            raise Refused("malformed_token", "the root has no `principal`", link=0)
        return principal

    @cached_property
    def task(self) -> str:
        """The prompt that all is done for."""
        return self.root.task

    @cached_property
    def expires(self) -> int:
        """When the first link ends, in seconds since 1970."""
        return min(link.expires for link in self.links)

    @cached_property
    def starts(self) -> int:
        """From when on all links are good, in seconds since 1970."""
        return max(max(link.issued_at, link.not_before or 0) for link in self.links)

    @cached_property
    def ids(self) -> frozenset[str]:
        """The `jti` of every link."""
        return frozenset(link.token_id for link in self.links)

    @cached_property
    def agents(self) -> tuple[str, ...]:
        """The agents from the root to the leaf."""
        return tuple(link.agent for link in self.links)

    @cached_property
    def token_hash(self) -> str:
        """The digest in base64url, by which proofs name the token (`ath`)."""
        return base64url.encode(self.digest)

    @cached_property
    def effective(self) -> Effective:
        """What the chain allows."""
        return Effective(tuple(link.authority for link in self.links), nested=True)

    @cached_property
    def document(self) -> dict[str, Json]:
        """What policies see as `input.delegation`; not to be changed."""
        leaf = self.leaf
        effective = {"tools": sorted(self.effective.tools), "authorization_details": authority_to_json(leaf.authority)}
        return {
            "root": self._root_document(),
            "task": self.task,
            "depth": leaf.depth,
            "max_depth": leaf.max_depth,
            "expires": self.expires,
            "chain": [_link_document(link) for link in self.links],
            "effective": effective | _budget_document(leaf.budget),
        }

    def _root_document(self) -> dict[str, Json]:
        intent = self.root.intent
        return self.principal.document | ({} if intent is None else {"intent": intent})

    def check_time(self, now: int, skew: int = 0) -> None:
        """Check that every link is good at a time; cheap where all are.

        Raises:
            Refused: `token_expired`, `token_not_yet_valid`.
        """
        if self.starts - skew <= now < self.expires + skew:
            return
        for at, link in enumerate(self.links):
            try:
                check_time(link, now, skew)
            except Refused as error:
                error.link = at
                raise


def _link_document(link: Link) -> dict[str, Json]:
    return {
        "agent": link.agent,
        "issuer": link.issuer,
        "key": link.key.jkt,
        "id": link.token_id,
        "depth": link.depth,
        "tools": sorted(link.authority.tools),
        "expires": link.expires,
        "authorization_details": authority_to_json(link.authority),
        **_budget_document(link.budget),
    }


def _budget_document(budget: Mapping[str, Amount] | None) -> dict[str, Json]:
    return {} if budget is None else {"budget": {unit: number(amount) for unit, amount in budget.items()}}


class ChainCache:
    """Verified chains by their token, those used last; threads may share it.

    It says that a chain was good once: expiry, revocation and the kill switch are looked at for each call.
    """

    def __init__(self, size: int = 4096) -> None:
        """Keep up to `size` chains."""
        self._size = size
        self._chains: OrderedDict[str, Chain] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, token: str) -> Chain | None:
        """The chain of a token; None where it is not kept."""
        with self._lock:
            chain = self._chains.get(token)
            if chain is not None:
                self._chains.move_to_end(token)
        return chain

    def put(self, token: str, chain: Chain) -> None:
        """Keep the chain of a token, in the place of the one that was not used for longest where there are too many."""
        with self._lock:
            self._chains[token] = chain
            self._chains.move_to_end(token)
            while len(self._chains) > self._size:
                self._chains.popitem(last=False)

    def clear(self) -> None:
        """Forget all, as when keys of the gateway change."""
        with self._lock:
            self._chains.clear()

    def __len__(self) -> int:
        return len(self._chains)
