"""Tokens that are issued, delegated and derived: nothing is made that would be refused."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from delegations import (
    AUDIENCE,
    CHAIN,
    DETAILS,
    FINE,
    GATEWAY,
    ISSUER,
    LEAF_KEY,
    MIDDLE_KEY,
    NARROW,
    NOW,
    OTHER_KEY,
    PERSON,
    ROOT_KEY,
    SHARE,
    Outcome,
    middle_token,
    opened,
    outcome,
    refusal,
    root_token,
    verified,
)
from procurator.governance.delegation.issuing import Share, TokenIssuer, delegate, derive, issue, narrowed
from procurator.governance.delegation.tokens import holder
from procurator.governance.delegation.verifying import read_unverified
from procurator.governance.scope.authorization_details import authority_from_json, authority_to_json
from procurator.governance.signing.keys import generate

# Making tokens


def test_a_child_has_what_its_parent_has_unless_told() -> None:
    """Apart from agent, key, id, time and place in the chain."""
    *_, parent, child = verified(derive(CHAIN, LEAF_KEY, SHARE, now=NOW + 5), now=NOW + 5).links
    same = replace(
        parent,
        issuer=holder(LEAF_KEY.public),
        agent="helper",
        key=OTHER_KEY.public,
        issued_at=NOW + 5,
        depth=3,
        token_id=child.token_id,
        parent_hash=parent.digest,
    )
    assert child == same
    assert len(child.token_id) == 22


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"authority": authority_from_json(DETAILS)}, "capability_widened"),
        ({"budget": {"actions": 11}}, "budget_widened"),
        ({"budget": {"actions": Decimal("10.5")}}, "budget_widened"),
        ({"budget": {"EUR": 1}}, "budget_widened"),
        ({"audience": ["urn:example:other"]}, "audience_widened"),
        ({"max_depth": 4}, "max_depth_raised"),
        ({"max_depth": 2}, "depth_exceeded"),
        ({"ttl": 0}, "token_expired"),
        ({"ttl": -5}, "token_expired"),
        ({"agent": "orchestrator"}, "agent_loop"),
        ({"agent": "reader"}, "agent_loop"),
        ({"agent": ""}, "malformed_token"),
        ({"agent_key": ROOT_KEY.public}, "agent_loop"),
        ({"token_id": "t0"}, "malformed_token"),
        ({"token_id": "with space"}, "malformed_token"),
        ({"audience": []}, "malformed_token"),
    ],
)
def test_a_holder_cannot_derive_what_would_be_refused(changes: dict[str, Any], reason: str) -> None:
    """Offline as through the gateway."""
    share = replace(SHARE, **changes)
    assert refusal(derive, CHAIN, LEAF_KEY, share, now=NOW).partition(":")[0] == reason
    assert refusal(delegate, verified(CHAIN), CHAIN, ISSUER, share, now=NOW).partition(":")[0] == reason


def test_only_the_holder_derives() -> None:
    """Another key would make a link that nobody accepts."""
    detail = "wrong_issuer: the key is not that of the token's holder"
    assert refusal(derive, CHAIN, MIDDLE_KEY, SHARE, now=NOW) == detail
    assert refusal(derive, middle_token(), LEAF_KEY, SHARE, now=NOW) == detail


def test_a_token_that_has_expired_is_not_delegated() -> None:
    """Its child would have expired too."""
    assert refusal(derive, CHAIN, LEAF_KEY, SHARE, now=NOW + 100).startswith("token_expired: ")


def test_a_child_lives_no_longer_than_its_parent() -> None:
    """Whatever time is asked for."""
    token = derive(CHAIN, LEAF_KEY, replace(SHARE, ttl=10_000), now=NOW + 50)
    assert verified(token, now=NOW + 50).leaf.expires == NOW + 100
    token = derive(CHAIN, LEAF_KEY, replace(SHARE, ttl=10), now=NOW + 50)
    assert verified(token, now=NOW + 50).leaf.expires == NOW + 60


def test_the_depth_ends_somewhere() -> None:
    """The last token that the chain allows cannot be delegated."""
    token = derive(CHAIN, LEAF_KEY, SHARE, now=NOW)
    last = refusal(derive, token, OTHER_KEY, Share("more", generate().public), now=NOW)
    assert last == "depth_exceeded: the depth is 4, and no more than 3 is allowed"


def test_a_root_is_what_was_asked_for() -> None:
    """Or is not issued."""
    given: dict[str, Any] = {
        "agent": "orchestrator",
        "agent_key": ROOT_KEY.public,
        "audience": [AUDIENCE],
        "principal": PERSON,
        "task": "prompt-1",
        "authority": authority_from_json(NARROW),
        "ttl": 60,
        "max_depth": 0,
        "now": NOW,
    }
    link = verified(issue(ISSUER, **given)).root
    assert (link.expires, link.budget, link.intent, link.max_depth) == (NOW + 60, None, None, 0)
    wrong: dict[str, Any] = {
        "task": "a b",
        "ttl": 0,
        "max_depth": 65,
        "agent": "\u200b",
        "audience": [],
        "token_id": "\n",
    }
    for name, value in wrong.items():
        reason = "token_expired" if name == "ttl" else "malformed_token"
        assert refusal(issue, ISSUER, **{**given, name: value}).partition(":")[0] == reason


def test_the_gateway_may_have_several_keys() -> None:
    """Each token names the one it is signed with."""
    second = TokenIssuer(GATEWAY, MIDDLE_KEY)
    token = delegate(verified(root_token()), root_token(), second, SHARE, now=NOW)
    assert outcome(token) == Outcome("missing_parent_key", 1)
    assert outcome(token, issuer_keys={**ISSUER.keys, **second.keys}) == FINE


def test_amounts_keep_their_digits() -> None:
    """Money is no binary number."""
    token = derive(root_token(), ROOT_KEY, replace(SHARE, budget={"EUR": Decimal("4.10"), "actions": 2}), now=NOW)
    assert opened(token.split("~")[1])[1]["budget"] == {"EUR": "4.10", "actions": 2}
    assert verified(token).leaf.budget == {"EUR": Decimal("4.10"), "actions": 2}
    assert json.dumps(verified(token).document["effective"]["budget"]) == '{"EUR": 4.1, "actions": 2}'


def test_tools_are_narrowed_by_name_or_by_arguments() -> None:
    """Operations and resources stay those of the parent."""
    parent = authority_from_json(DETAILS)
    assert authority_to_json(narrowed(parent, ["search"])) == [
        {"type": DETAILS[0]["type"], "tools": {"search": DETAILS[0]["tools"]["search"]}}
    ]
    exact = {"path": {"constraint_type": "exact", "value": "/data/a"}}
    assert authority_to_json(narrowed(parent, {"read_file": exact})) == [{**DETAILS[0], "tools": {"read_file": exact}}]
    assert narrowed(parent, {"read_file": None}) == narrowed(parent, {"read_file"})
    no_tool = "capability_widened: $.tools.rm: the parent does not grant this tool"
    assert refusal(narrowed, parent, ["rm"]) == no_tool
    assert refusal(narrowed, parent, {"search": {"q": {"constraint_type": "new"}}}) == (
        "unknown_constraint: `tools`: $[0].tools.search.q.constraint_type: unknown constraint type `new`"
    )


def test_tokens_are_looked_at_without_verifying_them() -> None:
    """By those who hold one and not the keys."""
    assert [link.agent for link in read_unverified(CHAIN)] == ["orchestrator", "researcher", "reader"]
    assert refusal(read_unverified, "x").startswith("malformed_token: ")
