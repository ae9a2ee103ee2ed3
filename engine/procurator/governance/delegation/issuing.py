"""Tokens of a chain: issued by the gateway, and derived offline by whoever holds one. Time and keys are given."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from procurator.governance.delegation.chains import SEPARATOR, Chain
from procurator.governance.delegation.links import Terms, check, check_time
from procurator.governance.delegation.tokens import (
    TYPE,
    KeyLookup,
    Link,
    Principal,
    holder,
    read_authority,
    read_link,
)
from procurator.governance.delegation.verifying import MAX_DEPTH, no_keys, read_signed, read_unverified, split_chain
from procurator.governance.refusals import Refused
from procurator.governance.scope.authority import Amount, Authority, Grant
from procurator.governance.scope.authorization_details import ENTRY_TYPE
from procurator.governance.signing import jws
from procurator.governance.signing.keys import PrivateKey, PublicKey

Json: TypeAlias = Any

_ID_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """The gateway as it signs tokens.

    Attributes:
        name: its `iss`.
        key: its key; its `kid` is the thumbprint.
    """

    name: str
    key: PrivateKey

    @property
    def keys(self) -> dict[str, PublicKey]:
        """What `verify_chain` takes as `issuer_keys`."""
        return {self.key.public.jkt: self.key.public}


def issue(
    issuer: TokenIssuer,
    *,
    agent: str,
    agent_key: PublicKey,
    audience: Sequence[str],
    principal: Principal,
    task: str,
    authority: Authority,
    ttl: int,
    max_depth: int,
    now: int,
    budget: Mapping[str, Amount] | None = None,
    intent: str | None = None,
    token_id: str | None = None,
) -> str:
    """A root: what an agent may do for a person, issued by the gateway.

    Args:
        issuer: the gateway.
        agent: who may act.
        agent_key: the key of that agent.
        audience: the gateways that the token is for.
        principal: the person.
        task: the id of the person's prompt.
        authority: what is allowed.
        ttl: how many seconds the token lives.
        max_depth: how deep it may be delegated.
        now: seconds since 1970.
        budget: what may be spent, by unit; None for no limit.
        intent: the person's prompt.
        token_id: its `jti`; random where none is given.

    Raises:
        Refused: what is asked for is no token.
    """
    link = Link(
        issuer=issuer.name,
        agent=agent,
        audience=tuple(audience),
        issued_at=now,
        expires=now + ttl,
        token_id=token_id or _random_id(),
        key=agent_key,
        depth=0,
        max_depth=max_depth,
        authority=authority,
        task=task,
        budget=budget,
        intent=intent,
        principal=principal,
    )
    return _signed(link, issuer.key, issuer.key.public.jkt, ())


@dataclass(frozen=True, slots=True)
class Share:
    """What of a token is passed on. Where None stands, it is what the parent has.

    Attributes:
        agent: who gets it.
        agent_key: the key of that agent.
        authority: what is allowed.
        budget: what may be spent, by unit.
        ttl: seconds that the token lives, if its parent does.
        audience: the gateways it is for.
        max_depth: how deep it may be delegated.
        token_id: its `jti`; random where none is given.
    """

    agent: str
    agent_key: PublicKey
    authority: Authority | None = None
    budget: Mapping[str, Amount] | None = None
    ttl: int | None = None
    audience: Sequence[str] | None = None
    max_depth: int | None = None
    token_id: str | None = None


def derive(token: str, key: PrivateKey, share: Share, *, now: int, key_by_thumbprint: KeyLookup = no_keys) -> str:
    """Delegate a token offline, as its holder: the chain with one link more.

    The parent is not verified, as its holder need not know the gateway's keys; the new link is checked against it.

    Raises:
        Refused: for what `verify_chain` would refuse in the new link.
    """
    parents = read_unverified(token, key_by_thumbprint)
    if parents[-1].key != key.public:
        raise Refused("wrong_issuer", "the key is not that of the token's holder")
    link = _child(parents[-1], share, holder(key.public), now)
    return _joined(token, _signed(link, key, None, parents))


def delegate(chain: Chain, token: str, issuer: TokenIssuer, share: Share, *, now: int) -> str:
    """Delegate a token that was verified, through the gateway: the chain with one link more.

    Raises:
        Refused: for what `verify_chain` would refuse in the new link.
    """
    link = _child(chain.leaf, share, issuer.name, now)
    return _joined(token, _signed(link, issuer.key, issuer.key.public.jkt, chain.links))


def _child(parent: Link, share: Share, issuer: str, now: int) -> Link:
    return replace(
        parent,
        issuer=issuer,
        agent=share.agent,
        key=share.agent_key,
        audience=parent.audience if share.audience is None else tuple(share.audience),
        issued_at=now,
        not_before=None,
        expires=parent.expires if share.ttl is None else min(parent.expires, now + share.ttl),
        token_id=share.token_id or _random_id(),
        depth=parent.depth + 1,
        max_depth=parent.max_depth if share.max_depth is None else share.max_depth,
        authority=parent.authority if share.authority is None else share.authority,
        budget=parent.budget if share.budget is None else share.budget,
        parent_hash=parent.digest,
        principal=None,
        intent=None,
    )


def _signed(link: Link, key: PrivateKey, kid: str | None, parents: Sequence[Link]) -> str:
    """The text of a link that holds what a verifier will ask of it, whatever the caller has put together."""
    text = jws.write(link.claims(), key, TYPE, kid)
    written = read_link(read_signed(text), {link.key.jkt: link.key}.get)
    check_time(written, link.issued_at, 0)
    check(parents, written, Terms(frozenset(link.audience), link.issued_at, MAX_DEPTH, 0))
    return text


def _joined(token: str, link: str) -> str:
    chain = f"{token}{SEPARATOR}{link}"
    split_chain(chain)
    return chain


def _random_id() -> str:
    return secrets.token_urlsafe(_ID_BYTES)


# Narrowing


def narrowed(parent: Authority, tools: Collection[str] | Mapping[str, Json]) -> Authority:
    """An authority over some tools of a parent.

    Args:
        parent: what there is.
        tools: the names of the tools, to pass them on as they are; or for each tool its arguments, as AAT's `tools`
            has them, or None for what the parent has. Operations and resources are those of the parent.

    Raises:
        Refused: `capability_widened` for a tool that the parent has not, `malformed_token`, `unknown_constraint`.
    """
    asked = tools if isinstance(tools, Mapping) else dict.fromkeys(tools)
    return Authority({tool: _narrowed_grant(parent, tool, arguments) for tool, arguments in asked.items()})


def _narrowed_grant(parent: Authority, tool: str, arguments: Json) -> Grant:
    grant = parent.tools.get(tool)
    if grant is None:
        raise Refused("capability_widened", f"$.tools.{tool}: the parent does not grant this tool")
    if arguments is None:
        return grant
    asked = read_authority([{"type": ENTRY_TYPE, "tools": {tool: arguments}}], "tools").tools[tool]
    return replace(grant, arguments=asked.arguments, open=asked.open)
