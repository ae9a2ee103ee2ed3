"""Links of a chain of delegation: the claims of one `aat+jwt`, read strictly and written.

What a claim is for is said where `Link` is. A claim that is not known is refused, unless it is one of those registered
for JWTs that say nothing of what the token allows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, TypeAlias

from procurator.governance.refusals import Refused
from procurator.governance.scope.authority import Amount, Authority
from procurator.governance.scope.authorization_details import (
    ScopeError,
    UnknownConstraintError,
    authority_from_json,
    authority_to_json,
    budget_from_json,
)
from procurator.governance.scope.paths import PathError, plain_text
from procurator.governance.signing import base64url
from procurator.governance.signing.jws import Signed, malformed
from procurator.governance.signing.keys import PublicKey, public_from_jwk

Json: TypeAlias = Any
KeyLookup: TypeAlias = "Callable[[str], PublicKey | None]"
"""Finds a key by its thumbprint."""

TYPE: Final = "aat+jwt"
MAX_LINK: Final = 64 * 1024
"""Characters of a link."""
THUMBPRINT: Final = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:"

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_HASH: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_MAX_NAME: Final = 256
_MAX_ADDRESS: Final = 2048
_MAX_INTENT: Final = 32 * 1024
_MAX_SECONDS: Final = 2**53
_MAX_DEPTH: Final = 64


@dataclass(frozen=True, slots=True)
class Principal:
    """The person at the root of a chain.

    Attributes:
        issuer: who vouches for the person.
        subject: the person, to that issuer.
        act: who acts as the person, the outermost first; empty where nobody does.
    """

    issuer: str
    subject: str
    act: tuple[str, ...] = ()

    @property
    def document(self) -> dict[str, Json]:
        """The person as policies see them and records tell of them."""
        return {"issuer": self.issuer, "subject": self.subject} | ({"act": list(self.act)} if self.act else {})


@dataclass(frozen=True)
class Link:
    """One token of a chain. Times are in seconds since 1970.

    Attributes:
        issuer: `iss`, the gateway or the holder of the parent.
        agent: `sub`, who holds the token.
        audience: `aud`, the gateways it is meant for.
        issued_at: `iat`.
        expires: `exp`; the token is good before.
        token_id: `jti`.
        key: the holder's key, of `cnf`.
        depth: `del_depth`; 0 for the root.
        max_depth: `del_max_depth`, the depth that no descendant exceeds.
        authority: `authorization_details`, what the token allows.
        task: `task`, the prompt that everything is done for.
        parent_hash: `par_hash`, the hash of the parent; None in the root.
        not_before: `nbf`; None where it is left out.
        budget: `budget` by unit; None for no limit.
        intent: `intent`, the person's prompt; in the root, or None.
        principal: `principal`; in the root, and there only.
        digest: what a child has to have as its `parent_hash`.
    """

    issuer: str
    agent: str
    audience: tuple[str, ...]
    issued_at: int
    expires: int
    token_id: str
    key: PublicKey
    depth: int
    max_depth: int
    authority: Authority
    task: str
    parent_hash: str | None = None
    not_before: int | None = None
    budget: Mapping[str, Amount] | None = None
    intent: str | None = None
    principal: Principal | None = None
    digest: str = field(default="", compare=False)

    def claims(self) -> dict[str, Json]:
        """The claims of the token; `read_link` makes the same link of them."""
        written: dict[str, Json] = {
            "iss": self.issuer,
            "sub": self.agent,
            "aud": list(self.audience),
            "iat": self.issued_at,
            "exp": self.expires,
            "jti": self.token_id,
            "cnf": {"jwk": dict(self.key.jwk)},
            "del_depth": self.depth,
            "del_max_depth": self.max_depth,
            "authorization_details": authority_to_json(self.authority),
            "task": self.task,
            "par_hash": self.parent_hash,
            "nbf": self.not_before,
            "budget": None if self.budget is None else budget_to_json(self.budget),
            "intent": self.intent,
            "principal": None if self.principal is None else _written_principal(self.principal),
        }
        return {name: value for name, value in written.items() if value is not None}


def holder(key: PublicKey) -> str:
    """What the holder of a key is called as an issuer."""
    return THUMBPRINT + key.jkt


def link_digest(signed: Signed) -> str:
    """The hash by which a child names its parent: SHA-256 of the signing input, base64url."""
    return base64url.encode(sha256(signed.signing_input).digest())


def budget_to_json(budget: Mapping[str, Amount]) -> dict[str, Json]:
    """A budget as a token has it: whole amounts as numbers, others as decimal texts."""
    return {unit: f"{amount:f}" if isinstance(amount, Decimal) else amount for unit, amount in budget.items()}


def _written_principal(principal: Principal) -> dict[str, Json]:
    act = {"act": list(principal.act)} if principal.act else {}
    return {"iss": principal.issuer, "sub": principal.subject, **act}


# Reading


def read_link(signed: Signed, key_by_thumbprint: KeyLookup) -> Link:
    """The link that a JWS is.

    Args:
        signed: the JWS.
        key_by_thumbprint: finds the key of a holder whose `cnf` has a thumbprint alone.

    Raises:
        Refused: `malformed_token`, `unknown_constraint`, `key_not_allowed`, `missing_parent_key`.
    """
    claims = signed.claims
    for name in claims:
        if name not in CLAIMS and name not in _IGNORED:
            raise malformed(f"has the claim `{name[:_MAX_NAME]}`, which is not known")
    read: dict[str, Any] = {}
    for name, claim in CLAIMS.items():
        if name in claims:
            read[claim.field] = claim.read(claims[name], name)
        elif claim.required:
            raise malformed(f"has no claim `{name}`")
    if isinstance(read["key"], str):
        read["key"] = _looked_up(read["key"], key_by_thumbprint)
    return Link(**read, digest=link_digest(signed))


def _looked_up(thumbprint: str, key_by_thumbprint: KeyLookup) -> PublicKey:
    key = key_by_thumbprint(thumbprint)
    if key is None or key.jkt != thumbprint:
        raise Refused("missing_parent_key", f"no key with the thumbprint `{thumbprint}` is known")
    return key


def _text(value: Json, name: str, longest: int) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise malformed(f"has a `{name}` that is no text of 1 to {longest} characters")
    return value


def _address(value: Json, name: str) -> str:
    return _text(value, name, _MAX_ADDRESS)


def _intent(value: Json, name: str) -> str:
    return _text(value, name, _MAX_INTENT)


def _agent(value: Json, name: str) -> str:
    agent = _text(value, name, _MAX_NAME)
    try:
        plain = plain_text(agent)
    except PathError as error:
        raise malformed(f"has a `{name}` that {error}") from None
    if plain != agent:
        # Two spellings of one name would be two agents to everything that compares.
        raise malformed(f"has a `{name}` that is not in normal form (NFC)")
    return agent


def _identifier(value: Json, name: str) -> str:
    if not isinstance(value, str) or _IDENTIFIER.fullmatch(value) is None:
        raise malformed(f"has a `{name}` that is no identifier (1 to 128 of letters, digits and `._:-`)")
    return value


def _hash(value: Json, name: str) -> str:
    if not isinstance(value, str) or _HASH.fullmatch(value) is None:
        raise malformed(f"has a `{name}` that is no SHA-256 in base64url")
    return value


def _whole(value: Json, name: str, largest: int) -> int:
    # `true` is an int to Python, and `1e3` is a float.
    if type(value) is not int or not 0 <= value <= largest:
        raise malformed(f"has a `{name}` that is no whole number up to {largest}")
    return value


def _seconds(value: Json, name: str) -> int:
    return _whole(value, name, _MAX_SECONDS)


def _depth(value: Json, name: str) -> int:
    return _whole(value, name, _MAX_DEPTH)


def _audience(value: Json, name: str) -> tuple[str, ...]:
    if isinstance(value, list) and value:
        return tuple(_address(item, name) for item in value)
    return (_address(value, name),)


def _confirmation(value: Json, name: str) -> PublicKey | str:
    """The holder's key, or its thumbprint."""
    if not isinstance(value, dict) or len(value) != 1:
        raise malformed(f"has a `{name}` without exactly one of `jwk` and `jkt`")
    if "jwk" in value:
        return public_from_jwk(value["jwk"])
    return _hash(value.get("jkt"), f"{name}.jkt")


def read_authority(value: Json, name: str) -> Authority:
    """The authority of `authorization_details` that stand under a name.

    Raises:
        Refused: `malformed_token`, `unknown_constraint`.
    """
    try:
        return authority_from_json(value)
    except UnknownConstraintError as error:
        raise Refused("unknown_constraint", f"`{name}`: {error}") from None
    except ScopeError as error:
        raise malformed(f"has malformed `{name}`: {error}") from None


def _budget(value: Json, name: str) -> Mapping[str, Amount]:
    if isinstance(value, dict) and any(type(amount) not in (int, str) for amount in value.values()):
        raise malformed(f"has a `{name}` with an amount that is neither a whole number nor a decimal text")
    try:
        return budget_from_json(value)
    except ScopeError as error:
        raise malformed(f"has a malformed `{name}`: {error}") from None


def _principal(value: Json, name: str) -> Principal:
    if not isinstance(value, dict) or not {"iss", "sub"} <= value.keys() <= {"iss", "sub", "act"}:
        raise malformed(f"has a `{name}` without `iss` and `sub`, or with what is not known")
    act = value.get("act", [])
    if not isinstance(act, list) or ("act" in value and not act):
        raise malformed(f"has a `{name}.act` that is no array of subjects")
    subjects = tuple(_address(item, f"{name}.act") for item in act)
    return Principal(_address(value["iss"], f"{name}.iss"), _address(value["sub"], f"{name}.sub"), subjects)


@dataclass(frozen=True, slots=True)
class Claim:
    """Which field of a link a claim is, and how it is read."""

    field: str
    read: Callable[[Json, str], Any]
    required: bool = True


CLAIMS: Final[Mapping[str, Claim]] = {
    "iss": Claim("issuer", _address),
    "sub": Claim("agent", _agent),
    "aud": Claim("audience", _audience),
    "iat": Claim("issued_at", _seconds),
    "nbf": Claim("not_before", _seconds, required=False),
    "exp": Claim("expires", _seconds),
    "jti": Claim("token_id", _identifier),
    "cnf": Claim("key", _confirmation),
    "del_depth": Claim("depth", _depth),
    "del_max_depth": Claim("max_depth", _depth),
    "par_hash": Claim("parent_hash", _hash, required=False),
    "authorization_details": Claim("authority", read_authority),
    "budget": Claim("budget", _budget, required=False),
    "task": Claim("task", _identifier),
    "intent": Claim("intent", _intent, required=False),
    "principal": Claim("principal", _principal, required=False),
}
"""The claims of a link."""

_IGNORED: Final = frozenset({"acr", "amr", "auth_time", "client_id", "sid", "txn"})
