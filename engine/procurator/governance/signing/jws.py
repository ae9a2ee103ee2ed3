"""Signed JSON as compact JWS: read without trusting it, verified with a key that the reader chose, written.

A header has `alg`, `typ` and perhaps `kid`. Every other member is refused, so none can bring a key, point to one, or
change what is signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from procurator.governance import strict_json
from procurator.governance.refusals import Refused
from procurator.governance.signing import base64url
from procurator.governance.signing.keys import EDDSA, ES256, PrivateKey, PublicKey

Json: TypeAlias = Any

_HEADER: Final = frozenset({"alg", "typ", "kid"})
_SHOWN: Final = 60
_MAX_HEADER: Final = 1024


@dataclass(frozen=True, slots=True)
class Signed:
    """What a JWS says; nothing of it is verified yet.

    Attributes:
        alg: the algorithm that its header names.
        kid: the key that its header names; None where it names none.
        claims: its payload.
        signing_input: the bytes that are signed.
        signature: their signature, as it is said to be.
    """

    alg: str
    kid: str | None
    claims: dict[str, Json]
    signing_input: bytes
    signature: bytes

    def verify(self, key: PublicKey) -> None:
        """Accept the signature of a key.

        Raises:
            Refused: `algorithm_not_allowed`, `bad_signature`.
        """
        if self.alg != key.alg:
            raise Refused("algorithm_not_allowed", f"the key is for `{key.alg}`, the header says `{self.alg}`")
        if not key.verify(self.signature, self.signing_input):
            raise Refused("bad_signature", "the signature does not match")


def read(text: str, kind: str) -> Signed:
    """The parts of a compact JWS of a type.

    Raises:
        Refused: `malformed_token`, `unknown_token_type`, `algorithm_not_allowed`.
    """
    parts = text.split(".")
    if len(parts) != 3 or not text.isascii() or len(parts[0]) > _MAX_HEADER:
        raise malformed("is no JWS in compact form")
    alg, kid = _header(parts[0], kind)
    return Signed(alg, kid, read_object(_decoded(parts[1])), text[: text.rindex(".")].encode(), _decoded(parts[2]))


def _decoded(part: str) -> bytes:
    try:
        return base64url.decode(part)
    except ValueError:
        raise malformed("is not written in base64url") from None


@lru_cache(maxsize=256)
def _header(part: str, kind: str) -> tuple[str, str | None]:
    """Algorithm and key of a header; there are few of them, so they are read once."""
    header = read_object(_decoded(part))
    unknown = sorted(header.keys() - _HEADER)
    if unknown:
        raise malformed(f"has the header `{unknown[0][:_SHOWN]}`, which is not accepted")
    if header.get("typ") != kind:
        raise Refused("unknown_token_type", f"the type of the token is not `{kind}`")
    alg, kid = header.get("alg"), header.get("kid")
    if alg not in (EDDSA, ES256):
        raise Refused("algorithm_not_allowed", f"only `{EDDSA}` and `{ES256}` are accepted")
    if "kid" in header and not isinstance(kid, str):
        raise malformed("has a `kid` that is not a string")
    return alg, kid


def write(claims: Mapping[str, Json], key: PrivateKey, kind: str, kid: str | None = None) -> str:
    """A compact JWS of claims."""
    header = {"alg": key.public.alg, "typ": kind} | ({} if kid is None else {"kid": kid})
    signed = ".".join(base64url.encode(strict_json.canonical(part).encode()) for part in (header, claims))
    return f"{signed}.{base64url.encode(key.sign(signed.encode('ascii')))}"


def read_object(data: bytes) -> dict[str, Json]:
    """The object of a strict JSON text.

    Raises:
        Refused: `malformed_token`.
    """
    try:
        value = strict_json.read(data)
    except Refused as error:
        raise malformed(f"has JSON that is refused: {error.detail}") from None
    if not isinstance(value, dict):
        raise malformed("has JSON that is no object")
    return value


def malformed(detail: str) -> Refused:
    """The refusal of something that is no token."""
    return Refused("malformed_token", f"the token {detail}")
