"""Delegation through the gateway: what is asked for, the request it is decided as, and the token it ends in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from procurator.governance.delegation.chains import Chain
from procurator.governance.delegation.issuing import Share, TokenIssuer, delegate, issue, narrowed
from procurator.governance.delegation.tokens import TYPE, Principal, budget_to_json, read_authority
from procurator.governance.identity.persons import Person
from procurator.governance.refusals import Refused
from procurator.governance.scope.authority import Amount, Authority
from procurator.governance.scope.authorization_details import (
    ENTRY_TYPE,
    ScopeError,
    authority_to_json,
    budget_from_json,
)
from procurator.governance.signing import base64url
from procurator.governance.signing.keys import PublicKey
from procurator.governance.strict_json import read

Tools: TypeAlias = "Authority | Collection[str] | Mapping[str, Any] | Sequence[Mapping[str, Any]]"
"""What may be done: names of tools; AAT's `tools`; a whole `authorization_details`; or an authority."""

TOOL: Final = "procurator.delegate"
"""The tool of the action that delegating is."""


@dataclass(frozen=True)
class Asked:
    """What somebody wants to pass on.

    Attributes:
        agent: to whom.
        tools: what may be done.
        budget: what may be spent, by unit; None for what the parent has.
        ttl: for how many seconds.
        max_depth: how deep it may be delegated further; None for what the parent has.
        prompt_id: of which prompt; None for that of the parent.
        intent: the person's prompt, where the parent is the person.
    """

    agent: str
    tools: Tools
    budget: Mapping[str, Any] | None
    ttl: int
    max_depth: int | None = None
    prompt_id: str | None = None
    intent: str | None = None

    def action(self) -> dict[str, Any]:
        """The action that is decided: the agent is its resource."""
        parameters: dict[str, Any] = {"tools": _tools_json(self.tools), "ttl_seconds": self.ttl}
        if self.budget is not None:
            parameters["budget"] = budget_to_json(self.amounts() or {})
        if self.max_depth is not None:
            parameters["max_depth"] = self.max_depth
        return {"operation": "delegate", "tool": TOOL, "target_resource": self.agent, "parameters": parameters}

    def amounts(self) -> dict[str, Amount] | None:
        """The budget with exact amounts.

        Raises:
            Refused: `malformed`.
        """
        try:
            return None if self.budget is None else budget_from_json(dict(self.budget), "$.budget")
        except ScopeError as error:
            raise Refused("malformed", str(error), field=error.path) from None


def is_chain(token: str) -> bool:
    """Whether a token says that it is a chain of delegation; whether it is a good one is for others to find out."""
    if not isinstance(token, str):
        return False
    try:
        header = read(base64url.decode(token.partition(".")[0]))
    except (ValueError, Refused):
        return False
    return isinstance(header, dict) and header.get("typ") == TYPE


def _tools_json(tools: Tools) -> Any:
    if isinstance(tools, Authority):
        return authority_to_json(tools)
    if isinstance(tools, Mapping):
        return dict(tools)
    names = _names(tools)
    return _details(tools) if names is None else names


def _names(tools: Tools) -> list[str] | None:
    """The names of tools, where that is all there is."""
    if isinstance(tools, Authority | Mapping):
        return None
    names = [tool for tool in tools if isinstance(tool, str)]
    return sorted(names) if len(names) == len(tools) and not isinstance(tools, str) else None


def _details(tools: Tools) -> list[dict[str, Any]]:
    """A whole `authorization_details`."""
    if isinstance(tools, Authority | Mapping | str) or not all(isinstance(entry, Mapping) for entry in tools):
        raise Refused("malformed", "`tools` are names, an object of arguments by tool, or `authorization_details`")
    return [dict(entry) for entry in tools if isinstance(entry, Mapping)]


def _granted(tools: Tools) -> Authority:
    """An authority from nothing: what a person grants."""
    if isinstance(tools, Authority):
        return tools
    if isinstance(tools, Mapping):
        arguments = {tool: given or {} for tool, given in tools.items()}
        return read_authority([{"type": ENTRY_TYPE, "tools": arguments}], "tools")
    names = _names(tools)
    if names is None:
        return read_authority(_details(tools), "tools")
    return read_authority([{"type": ENTRY_TYPE, "tools": {name: {} for name in names}}], "tools")


def _passed_on(parent: Authority, tools: Tools) -> Authority:
    names = _names(tools)
    if names is not None:
        return narrowed(parent, names)
    return narrowed(parent, tools) if isinstance(tools, Mapping) else _granted(tools)


@dataclass(frozen=True, slots=True)
class Minting:
    """Signs the tokens that were decided upon.

    Attributes:
        issuer: the gateway as it signs.
        audience: whom roots are for.
        max_depth: how deep roots may be delegated.
        max_ttl: how many seconds a token lives at most.
    """

    issuer: TokenIssuer
    audience: tuple[str, ...]
    max_depth: int
    max_ttl: int

    def root(self, asked: Asked, key: PublicKey, person: Person, task: str, now: int) -> str:
        """The first token of a chain, for what a person grants.

        Raises:
            Refused: what is asked for is no token, or more than there may be.
        """
        depth = self.max_depth if asked.max_depth is None else asked.max_depth
        if depth > self.max_depth:
            raise Refused("max_depth_raised", f"tokens may be delegated {self.max_depth} deep at most, not {depth}")
        return issue(
            self.issuer,
            agent=asked.agent,
            agent_key=key,
            audience=self.audience,
            principal=Principal(person.issuer, person.subject, person.act),
            task=task,
            authority=_granted(asked.tools),
            ttl=self._ttl(asked),
            max_depth=depth,
            now=now,
            budget=asked.amounts(),
            intent=asked.intent,
        )

    def child(self, asked: Asked, key: PublicKey, token: str, chain: Chain, now: int) -> str:
        """A chain with one link more.

        Raises:
            Refused: the link would be refused.
        """
        share = Share(
            agent=asked.agent,
            agent_key=key,
            authority=_passed_on(chain.leaf.authority, asked.tools),
            budget=asked.amounts(),
            ttl=self._ttl(asked),
            max_depth=asked.max_depth,
        )
        return delegate(chain, token, self.issuer, share, now=now)

    def _ttl(self, asked: Asked) -> int:
        if type(asked.ttl) is not int or not 0 < asked.ttl <= self.max_ttl:
            detail = f"a token lives 1 to {self.max_ttl} seconds, not {asked.ttl}"
            raise Refused("delegation_not_allowed", detail)
        return asked.ttl
