"""The `io.jwt.*` built-ins."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from importlib import import_module
from typing import Any, Final

from procurator.builtins._jose.tokens import Header, Object, Token, json_object
from procurator.builtins.json_text import json_text
from procurator.builtins.operands import BuiltinError, object_, string
from procurator.builtins.text_bytes import to_bytes
from procurator.runtime.context import Evaluation
from procurator.values import Value, compare, ordered_keys

_NANOSECONDS: Final = 1_000_000_000
_ASYMMETRIC: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_SYMMETRIC: Final = ("HS256", "HS384", "HS512")


def _part(name: str) -> Any:
    """A part of the implementation; those parts bring the cryptography library, which is slow to import."""
    return import_module(f"procurator.builtins._jose.{name}")


def decode(value: Value) -> Value:
    """Header, payload and signature of a token, none of them verified."""
    token = Token.read(value)
    header = token.decoded_header()
    payload = token.decoded_payload()
    content_type = header.get("cty", "")
    if not isinstance(content_type, str):
        raise BuiltinError("cty: must be a string")
    if content_type == "JWT":
        return decode(payload.strip("\"'"))
    return [header, json_object(payload), _signature_hex(token)]


def _signature_hex(token: Token) -> str:
    try:
        return token.decoded_signature().hex()
    except BuiltinError as error:
        raise BuiltinError(f"JWT signature had invalid encoding: {error}") from None


# Signatures


def _verify(algorithm: str, value: Value, certificate: Value) -> Value:
    """Whether one of the keys made the signature by this algorithm."""
    token = Token.read(value)
    keys = _part("jwk").verification_keys(string(certificate, 2))
    signature = token.decoded_signature()
    header = Header.read(token.decoded_header())
    return any(_verifies(algorithm, key.key, token, signature) for key in _candidates(keys, header))


def _candidates(keys: Any, header: Header) -> list[Any]:
    """The key the token names, or else all that may be for its algorithm."""
    named = [key for key in keys if header.identifier and key.identifier == header.identifier]
    return named[:1] or [key for key in keys if key.algorithm in ("", header.algorithm)]


def _verifies(algorithm: str, key: Any, token: Token, signature: bytes) -> bool:
    return bool(_part("algorithms").ALGORITHMS[algorithm].verifies(key, token.signed, signature))


def _verify_secret(algorithm: str, value: Value, secret: Value) -> Value:
    """Whether the secret made the signature by this algorithm."""
    string(value, 1)
    key = to_bytes(string(secret, 2))
    token = Token.read(value)
    return _verifies(algorithm, key, token, token.decoded_signature())


# Tokens verified in full


@dataclass(frozen=True)
class Constraints:
    """What a token must satisfy."""

    time: float
    keys: Any = None
    secret: str = ""
    algorithm: str = ""
    issuer: str = ""
    audience: str = ""

    @property
    def secret_key(self) -> bytes:
        """The secret as a key."""
        return to_bytes(self.secret)


def decode_verify(context: Evaluation, value: Value, constraints: Value) -> Value:
    """Whether a token is good by its signature and these constraints, and then its header and payload."""
    wanted = _constraints(object_(constraints, 2), context)
    opened = _opened(value, wanted)
    if opened is None or not _claims_hold(opened[1], wanted):
        return [False, {}, {}]
    return [True, *opened]


def _constraints(given: Object, context: Evaluation) -> Constraints:
    read = Constraints(time=float(context.now_ns))
    for name in ordered_keys(given):
        reader = CONSTRAINTS.get(name) if isinstance(name, str) else None
        if reader is None:
            raise BuiltinError(f"unknown token validation constraint: {name}")
        read = replace(read, **reader(given[name]))
    if read.keys is not None and read.secret:
        raise BuiltinError("duplicate key constraints")
    if read.keys is None and not read.secret:
        raise BuiltinError("no key constraint")
    return read


def _text_constraint(name: str, field: str, value: Value) -> dict[str, Any]:
    if not isinstance(value, str):
        raise BuiltinError(f"{name} constraint: must be a string")
    return {field: value}


def _certificate_constraint(value: Value) -> dict[str, Any]:
    text = _text_constraint("cert", "text", value)["text"]
    return {"keys": _part("jwk").verification_keys(text)}


def _time_constraint(value: Value) -> dict[str, Any]:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise BuiltinError("token time constraint: must be a number")
    try:
        time = float(value)
    except OverflowError:
        raise BuiltinError("token time constraint: unvalid float64") from None
    if time < 0:
        raise BuiltinError("token time constraint: must not be negative")
    return {"time": time}


CONSTRAINTS: Final[Mapping[str, Callable[[Value], dict[str, Any]]]] = {
    "cert": _certificate_constraint,
    "secret": partial(_text_constraint, "secret", "secret"),
    "alg": partial(_text_constraint, "alg", "algorithm"),
    "iss": partial(_text_constraint, "iss", "issuer"),
    "aud": partial(_text_constraint, "aud", "audience"),
    "time": _time_constraint,
}


def _opened(value: Value, wanted: Constraints) -> tuple[Object, Object] | None:
    """Header and payload of the innermost token, or None where a signature on the way is not good."""
    while True:
        token = Token.read(value)
        fields = token.decoded_header()
        header = Header.read(fields)
        if not header.valid or wanted.algorithm not in ("", header.algorithm):
            return None
        if not _signed_as_wanted(token, header, wanted):
            return None
        payload = token.decoded_payload()
        if header.content_type.upper() != "JWT":
            return fields, json_object(payload)
        value = payload


def _signed_as_wanted(token: Token, header: Header, wanted: Constraints) -> bool:
    signature = token.decoded_signature()
    keys = [wanted.secret_key] if wanted.keys is None else [key.key for key in _candidates(wanted.keys, header)]
    verifies = _part("algorithms").verifies_exactly
    return any(verifies(header.algorithm, key, token.signed, signature) for key in keys)


def _claims_hold(payload: Object, wanted: Constraints) -> bool:
    if wanted.issuer and payload.get("iss") != wanted.issuer:
        return False
    if not _audience_holds(payload, wanted.audience):
        return False
    # Times in tokens are in seconds.
    now = wanted.time / _NANOSECONDS
    if "exp" in payload and compare(now, _instant(payload, "exp")) >= 0:
        return False
    return not ("nbf" in payload and compare(now, _instant(payload, "nbf")) < 0)


def _audience_holds(payload: Object, wanted: str) -> bool:
    if "aud" not in payload:
        return not wanted
    audience = payload["aud"]
    members = audience if isinstance(audience, list) else [audience]
    return any(isinstance(member, str) and member == wanted for member in members)


def _instant(payload: Object, name: str) -> Value:
    value = payload[name]
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise BuiltinError(f"{name} value must be a number")
    return value


# Tokens made


def encode_sign(context: Evaluation, headers: Value, payload: Value, key: Value) -> Value:
    """A signed token of a header object and a payload object."""
    return _signed("io.jwt.encode_sign", context, json_text(headers), json_text(payload), json_text(key))


def encode_sign_raw(context: Evaluation, headers: Value, payload: Value, key: Value) -> Value:
    """A signed token of header and payload as JSON text."""
    key_text = string(key, 3)
    return _signed("io.jwt.encode_sign_raw", context, string(headers, 1), string(payload, 2), key_text)


def _signed(name: str, context: Evaluation, headers: str, payload: str, key: str) -> Value:
    sign = _part("sign")
    token = sign.encode_sign(headers, payload, key)
    if not sign.is_random(headers):
        return token
    # The log of answers is kept and shown, so the key stands in it as its digest only.
    digest = hashlib.sha256(to_bytes(key)).hexdigest()
    return context.once(name, (headers, payload, f"sha256:{digest}"), lambda: token)


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "io.jwt.decode": decode,
    **{f"io.jwt.verify_{name.lower()}": partial(_verify, name) for name in _ASYMMETRIC},
    **{f"io.jwt.verify_{name.lower()}": partial(_verify_secret, name) for name in _SYMMETRIC},
}

CONTEXT_TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "io.jwt.decode_verify": decode_verify,
    "io.jwt.encode_sign": encode_sign,
    "io.jwt.encode_sign_raw": encode_sign_raw,
}
