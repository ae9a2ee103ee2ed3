"""The `crypto.*` built-ins that hash and compare; those about certificates and keys are in `x509`."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Final

from procurator.builtins.operands import string
from procurator.builtins.text_bytes import to_bytes
from procurator.values import Value

Builtin = Callable[..., Value]


def _hash(name: str) -> Builtin:
    def digest(message: Value) -> Value:
        return hashlib.new(name, to_bytes(string(message, 1)), usedforsecurity=False).hexdigest()

    return digest


def _hmac(name: str) -> Builtin:
    def mac(message: Value, key: Value) -> Value:
        text = to_bytes(string(message, 1))
        return hmac.new(to_bytes(string(key, 2)), text, name).hexdigest()

    return mac


def hmac_equal(a: Value, b: Value) -> Value:
    """Whether two codes are the same; how long it takes does not tell where they differ."""
    return hmac.compare_digest(to_bytes(string(a, 1)), to_bytes(string(b, 2)))


TABLE: Final[Mapping[str, Builtin]] = {
    **{f"crypto.{name}": _hash(name) for name in ("md5", "sha1", "sha256")},
    **{f"crypto.hmac.{name}": _hmac(name) for name in ("md5", "sha1", "sha256", "sha512")},
    "crypto.hmac.equal": hmac_equal,
}
