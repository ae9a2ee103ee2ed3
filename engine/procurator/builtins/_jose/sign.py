"""Tokens made and signed."""

import re
from base64 import urlsafe_b64encode
from typing import Any, Final

from procurator.builtins._jose.algorithms import ALGORITHMS, Algorithm
from procurator.builtins._jose.jwk import JwkError, SigningKey, parse
from procurator.builtins.go_json import syntax_problem
from procurator.builtins.json_text import is_valid, unmarshal
from procurator.builtins.operands import BuiltinError
from procurator.builtins.text_bytes import to_bytes
from procurator.values import Value, type_name

_LOOSE_NUMBER: Final = re.compile(r"[-+0-9.eE]+")
"""What the parser that OPA reads headers with takes for a number."""


def encode_sign(headers: str, payload: str, key_text: str) -> str:
    """A token of these headers and this payload, signed with the first key of a JWK or set."""
    key = _first_key(key_text)
    fields = _fields(headers)
    algorithm = _algorithm(_string_of(fields, "alg"))
    if fields.get("typ", "JWT") in ("JWT", None) or not isinstance(fields["typ"], str):
        _require_json(payload)
    signed = f"{_encode(to_bytes(headers))}.{_encode(to_bytes(payload))}"
    return f"{signed}.{_encode(_signature(algorithm, key, signed.encode()))}"


def is_random(headers: str) -> bool:
    """Whether two tokens of these headers and one payload differ."""
    algorithm = ALGORITHMS.get(str(_fields(headers).get("alg")))
    return bool(algorithm and algorithm.random)


def _first_key(text: str) -> SigningKey:
    try:
        found = parse(text)
    except JwkError as error:
        raise BuiltinError(str(error)) from None
    if not found:
        raise BuiltinError("no keys found in JWK set")
    return found[0]


def _fields(headers: str) -> dict[Any, Value]:
    if _LOOSE_NUMBER.fullmatch(headers):
        return {}
    try:
        fields = unmarshal(headers)
    except BuiltinError:
        raise BuiltinError(f"missing or invalid 'alg' header: {_problem(headers)}") from None
    return fields if isinstance(fields, dict) else {}


def _problem(headers: str) -> str:
    if not headers.strip():
        return 'cannot parse JSON: cannot parse empty string; unparsed tail: ""'
    return f"cannot parse JSON: {syntax_problem(headers)}"


def _string_of(fields: dict[Any, Value], name: str) -> str:
    if name not in fields:
        raise BuiltinError(f"missing or invalid '{name}' header: jwsbb: header \"{name}\" not found")
    value = fields[name]
    if not isinstance(value, str):
        reason = f"value doesn't contain string; it contains {type_name(value)}"
        raise BuiltinError(f"missing or invalid '{name}' header: {reason}")
    return value


def _algorithm(name: str) -> Algorithm:
    if name not in ALGORITHMS:
        raise BuiltinError(f"unknown JWS algorithm: {name}")
    return ALGORITHMS[name]


def _require_json(payload: str) -> None:
    if not is_valid(payload):
        raise BuiltinError("type is JWT but payload is not JSON")


def _signature(algorithm: Algorithm, key: SigningKey, text: bytes) -> bytes:
    if not isinstance(key.key, algorithm.private):
        raise BuiltinError(f"jwsbb.Sign: invalid key type. {algorithm.go_private} is required")
    try:
        return algorithm.sign(key.key, text)
    except ValueError as error:  # a key too short for the digest
        raise BuiltinError(f"jwsbb.Sign: {error}") from None


def _encode(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")
