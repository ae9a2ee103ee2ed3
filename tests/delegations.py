"""Chains of delegation to test with: a gateway, a person, agents with fixed keys, and links forged at will."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from procurator.governance.delegation.chains import Chain
from procurator.governance.delegation.issuing import Share, TokenIssuer, derive, issue
from procurator.governance.delegation.tokens import Principal
from procurator.governance.delegation.verifying import verify_chain
from procurator.governance.refusals import REASONS, Refused
from procurator.governance.scope.authorization_details import authority_from_json
from procurator.governance.signing import base64url
from procurator.governance.signing.keys import PrivateKey, private_of

NOW = 1_800_000_000
GATEWAY = "https://gateway.example"
AUDIENCE = "urn:example:tools"


def ed25519(name: str) -> PrivateKey:
    """The Ed25519 key of a name."""
    return private_of(Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest()))


def p256(name: str) -> PrivateKey:
    """The P-256 key of a name."""
    return private_of(derive_private_key(int.from_bytes(sha256(name.encode()).digest()[:31], "big"), SECP256R1()))


ISSUER = TokenIssuer(GATEWAY, ed25519("gateway"))
ROOT_KEY, MIDDLE_KEY, LEAF_KEY = ed25519("orchestrator"), p256("researcher"), ed25519("reader")
OTHER_KEY = ed25519("somebody else")

DETAILS = [
    {
        "type": "attenuating_agent_token",
        "tools": {
            "read_file": {"path": {"constraint_type": "subpath", "root": "/data"}},
            "search": {"query": {"constraint_type": "wildcard"}, "limit": {"constraint_type": "range", "max": 100}},
        },
        "operations": {"read_file": ["read"]},
        "resources": {"read_file": ["/data/**"]},
    }
]
NARROW = [
    {
        "type": "attenuating_agent_token",
        "tools": {"read_file": {"path": {"constraint_type": "pattern", "pattern": "/data/reports/*"}}},
        "operations": {"read_file": ["read"]},
        "resources": {"read_file": ["/data/reports/*"]},
    }
]
PERSON = Principal("https://login.example", "alice", ("assistant",))
INTENT = "Summarise the reports of the third quarter."


def root_token() -> str:
    """The token of the orchestrator, issued by the gateway."""
    return issue(
        ISSUER,
        agent="orchestrator",
        agent_key=ROOT_KEY.public,
        audience=[AUDIENCE, "urn:example:other"],
        principal=PERSON,
        task="prompt-1",
        authority=authority_from_json(DETAILS),
        ttl=300,
        max_depth=3,
        now=NOW,
        budget={"actions": 20, "EUR": 5},
        intent=INTENT,
        token_id="t0",
    )


def middle_token() -> str:
    """That, delegated to the researcher."""
    share = Share("researcher", MIDDLE_KEY.public, budget={"actions": 10}, ttl=200, token_id="t1")
    return derive(root_token(), ROOT_KEY, share, now=NOW)


def leaf_token() -> str:
    """That, delegated to the reader, for one folder."""
    share = Share("reader", LEAF_KEY.public, authority_from_json(NARROW), ttl=100, token_id="t2", audience=[AUDIENCE])
    return derive(middle_token(), MIDDLE_KEY, share, now=NOW)


CHAIN = leaf_token()
ROOT, MIDDLE, LEAF = CHAIN.split("~")
SHARE = Share("helper", OTHER_KEY.public)
"""What may be passed on below the leaf."""


def verified(token: str, **changes: Any) -> Chain:
    """The chain of a token, verified as the gateway does."""
    given = {"issuer": GATEWAY, "issuer_keys": ISSUER.keys, "audience": AUDIENCE, "now": NOW + 1, "ceiling": 3}
    return verify_chain(token, **{**given, **changes})


@dataclass(frozen=True)
class Outcome:
    """Why a token was refused, and at which link; both None for one that was not."""

    reason: str | None = None
    link: int | None = None


FINE = Outcome()


def outcome(token: str, **changes: Any) -> Outcome:
    """What becomes of a token."""
    try:
        verified(token, **changes)
    except Refused as error:
        return Outcome(error.reason, error.link)
    return FINE


def refusal(function: Callable[..., Any], *arguments: Any, **named: Any) -> str:
    """What a refusal says, with its reason."""
    with pytest.raises(Refused) as caught:
        function(*arguments, **named)
    assert caught.value.reason in REASONS
    return str(caught.value)


# Forging


def wider(**tools: Any) -> list[dict[str, Any]]:
    """The narrow authority with other tools beside its own."""
    return [{**NARROW[0], "tools": {**NARROW[0]["tools"], **tools}}]


def part(value: Any) -> str:
    """A part of a JWS; bytes as they are, else JSON."""
    return base64url.encode(value if isinstance(value, bytes) else json.dumps(value).encode())


def opened(link: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a link."""
    header, claims, _ = link.split(".")
    return json.loads(base64url.decode(header)), json.loads(base64url.decode(claims))


def jws(header: Any, claims: Any, key: PrivateKey) -> str:
    """A JWS of whatever header and claims."""
    signed = f"{part(header)}.{part(claims)}"
    return f"{signed}.{base64url.encode(key.sign(signed.encode()))}"


def forged(
    token: str,
    at: int,
    claims: Mapping[str, Any] | None = None,
    header: Mapping[str, Any] | None = None,
    key: PrivateKey | None = None,
) -> str:
    """A chain up to a link in which some claims or headers differ (None: are left out), signed as it should be."""
    links = token.split("~")[: at + 1]
    old_header, old_claims = opened(links[at])
    signer = key or (ISSUER.key, ROOT_KEY, MIDDLE_KEY)[at]
    links[at] = jws(changed(old_header, header or {}), changed(old_claims, claims or {}), signer)
    return "~".join(links)


def changed(members: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Members with changes; None takes one away."""
    return {name: value for name, value in {**members, **changes}.items() if value is not None}


def parent_hash(link: str) -> str:
    """The `par_hash` of children of a link."""
    return base64url.encode(sha256(link.rpartition(".")[0].encode()).digest())


def joined(links: Sequence[str]) -> str:
    """Links as a chain."""
    return "~".join(links)
