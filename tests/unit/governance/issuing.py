"""An issuer of tokens for tests: its keys, its key set, and tokens signed with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jwt
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from authorities import edwards, elliptic, private_pem, rsa_key
from procurator.governance.signing.jwks_source import SourceError

ISSUER = "https://id.example"
AUDIENCE = "https://gateway.example"
NOW = 1_800_000_000
MAKERS: dict[str, Callable[..., Any]] = {"RS": RSAAlgorithm.to_jwk, "ES": ECAlgorithm.to_jwk, "Ed": OKPAlgorithm.to_jwk}
KEYS: dict[str, Any] = {
    "ES256": elliptic("issuer"),
    "EdDSA": edwards(),
    "RS256": rsa_key(),
}


def public_jwk(key: Any, algorithm: str, **members: Any) -> dict[str, Any]:
    """The public half of a key as a JWK."""
    jwk = MAKERS[algorithm[:2]](key.public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    return {**jwk, **members}


def key_set(*jwks: dict[str, Any]) -> bytes:
    """A JSON Web Key Set."""
    return json.dumps({"keys": jwks}).encode()


def issuer_keys() -> bytes:
    """The key set of the issuer: for each algorithm a key whose id is its name."""
    return key_set(*(public_jwk(key, algorithm, kid=algorithm) for algorithm, key in KEYS.items()))


def claims(**changed: Any) -> dict[str, Any]:
    """What a good token says, with some of it changed, and left out where it is None."""
    good = {"iss": ISSUER, "sub": "alice", "aud": AUDIENCE, "iat": NOW - 60, "exp": NOW + 600}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def signed(
    payload: dict[str, Any], algorithm: str = "ES256", *, key: Any = None, headers: dict[str, Any] | None = None
) -> str:
    """A token of the issuer, or one signed with another key; its `kid` is the name of the algorithm."""
    pem = private_pem(key or KEYS[algorithm])
    return jwt.encode(payload, pem, algorithm, headers={"kid": algorithm, **(headers or {})})


class Source:
    """A source of keys whose answers a test sets; counts how often it was asked."""

    def __init__(self, content: bytes | str) -> None:
        """Begin with the content to answer, or with a problem to fail with."""
        self.content = content
        self.asked = 0

    def __call__(self, _source: str) -> bytes:
        self.asked += 1
        if isinstance(self.content, str):
            raise SourceError(self.content)
        return self.content


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        """Begin at some time."""
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
