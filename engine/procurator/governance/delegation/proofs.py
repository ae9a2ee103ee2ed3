"""Proofs of possession: whoever uses a token shows, for each call, that they hold its key.

A proof is a JWT signed with the key of the token's leaf, or, within a proof session, an HMAC-SHA256 with a key made for
that token alone. Either is bound to the token, the call with the digest of its arguments, a time, and the id of the
request as a nonce: the gateway answers a request id once, so a proof is good once.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeAlias

from procurator.governance.delegation.chains import Chain
from procurator.governance.refusals import Refused
from procurator.governance.signing import base64url, jws
from procurator.governance.signing.keys import PrivateKey
from procurator.governance.strict_json import canonical

Json: TypeAlias = Any

TYPE: Final = "aat-pop+jwt"
SESSION: Final = "s1"
"""What a proof within a session begins with."""
MAX_PROOF: Final = 8192
"""Characters of a proof."""


class Call(NamedTuple):
    """What a proof is of.

    Attributes:
        request_id: the nonce.
        operation: one of `scope.OPERATIONS`, or `sessions.OPEN`.
        tool: the tool.
        resource: the target resource, if there is one.
        parameters: the arguments.
    """

    request_id: str
    operation: str
    tool: str
    resource: str | None
    parameters: Mapping[str, Json]


def call_of(request: Mapping[str, Json]) -> Call:
    """What the proof of a request is of, as an agent puts the request together."""
    action = request["action"]
    return Call(
        request["request_id"],
        action["operation"],
        action["tool"],
        action.get("target_resource"),
        action.get("parameters", {}),
    )


# Signed proofs


def prove(key: PrivateKey, call: Call, token: str, now: int) -> str:
    """A proof of a call, made by the holder of a token.

    Args:
        key: the key of the token's leaf.
        call: the call.
        token: the whole chain.
        now: seconds since 1970.
    """
    token_hash = base64url.encode(sha256(token.encode("ascii")).digest())
    return jws.write({**_claims(call, token_hash), "nonce": call.request_id, "iat": now}, key, TYPE)


def _claims(call: Call, token_hash: str) -> dict[str, Json]:
    digest = sha256(canonical(call.parameters).encode()).digest()
    return {
        "args": base64url.encode(digest),
        "ath": token_hash,
        "operation": call.operation,
        "resource": call.resource,
        "tool": call.tool,
    }


def verify_proof(proof: str | None, call: Call, chain: Chain, *, now: int, window: int, not_before: int = 0) -> None:
    """Verify a signed proof.

    Args:
        proof: the proof, if there is one.
        call: the call that it has to be of.
        chain: the verified chain of the call.
        now: seconds since 1970.
        window: how many seconds from now the proof may have been made.
        not_before: proofs that were made before are refused too.

    Raises:
        Refused: `proof_missing`, `proof_invalid`, `proof_expired`; `proof_replayed` for one that is as it should be
            but for the request it was made for.
    """
    claims = _verified(proof, chain)
    made, nonce = claims.pop("iat", None), claims.pop("nonce", None)
    if type(made) is not int or claims != _claims(call, chain.token_hash):
        raise invalid("the proof is of another call, or of another token")
    if not -window <= now - made <= window or made < not_before:
        raise expired(now - made)
    if nonce != call.request_id:
        raise Refused("proof_replayed", "the proof was made for another request")


def _verified(proof: str | None, chain: Chain) -> dict[str, Json]:
    if proof is None:
        raise Refused("proof_missing", "the call has no proof of possession")
    if len(proof) > MAX_PROOF:
        raise invalid(f"the proof has more than {MAX_PROOF} characters")
    key = chain.leaf.key
    try:
        signed = jws.read(proof, TYPE)
        signed.verify(key)
    except Refused as error:
        raise invalid(f"the proof is not one of the token's key: {error.detail}") from None
    if signed.kid not in (None, key.jkt):
        raise invalid("the header of the proof names another key")
    return signed.claims


def invalid(detail: str) -> Refused:
    """The refusal of a proof that is none."""
    return Refused("proof_invalid", detail)


def expired(age: int) -> Refused:
    """The refusal of a proof that was made some seconds ago."""
    when = f"{age} seconds ago" if age > 0 else f"{-age} seconds from now"
    return Refused("proof_expired", f"the proof was made {when}")


# Proofs within a session


@dataclass(frozen=True, slots=True)
class Session:
    """A key for the calls of one token; it is not shown by `repr`.

    Attributes:
        id: its name.
        key: the key.
        token_hash: the token it is for, `Chain.token_hash`.
        expires: until when it is good, in seconds since 1970.
    """

    id: str
    key: bytes = field(repr=False)
    token_hash: str
    expires: int

    def prove(self, call: Call, now: int) -> str:
        """A proof of a call."""
        return f"{SESSION}.{self.id}.{now}.{session_mac(self, call, str(now))}"


def session_mac(session: Session, call: Call, made: str) -> str:
    """What a proof within a session ends with."""
    message = canonical(
        [call.request_id, made, session.token_hash, call.operation, call.tool, call.resource, call.parameters]
    )
    return base64url.encode(hmac.digest(session.key, message.encode(), "sha256"))
