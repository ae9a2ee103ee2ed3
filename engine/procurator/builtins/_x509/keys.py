"""Keys: from DER and PEM, and in the JSON that Go's key structs give."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, x25519

from procurator.builtins._x509 import der, pem
from procurator.builtins.operands import BuiltinError

Key = Any
"""A key of the cryptography library; what can be done with one depends on its class."""

RSA, DSA, ECDSA, ED25519 = 1, 2, 3, 4
ALGORITHMS: Final[Mapping[tuple[int, ...], int]] = {
    (1, 2, 840, 113549, 1, 1, 1): RSA,
    (1, 2, 840, 10040, 4, 1): DSA,
    (1, 2, 840, 10045, 2, 1): ECDSA,
    (1, 3, 101, 112): ED25519,
}
_PKCS8_KEY: Final = 2
_PKCS1_PRIMES: Final = (4, 5)
MAX_RSA_BITS: Final = 8192
_MAX_NUMBER: Final = MAX_RSA_BITS // 8 + 1
_MAX_PRIME: Final = MAX_RSA_BITS // 16 + 1
_PRIVATE_BLOCKS: Final = ("RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY")


def public_key(content: bytes) -> Key:
    """The public key of a SubjectPublicKeyInfo."""
    try:
        return serialization.load_der_public_key(content)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise der.DerError("malformed public key") from None


def private_key(content: bytes) -> Key:
    """The private key of PKCS #1, PKCS #8 or SEC 1 bytes."""
    try:
        _check_size(der.only(content, der.SEQUENCE))
        return serialization.load_der_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BuiltinError("x509: failed to parse private key") from None


def _check_size(element: der.Element) -> None:
    """Refuse numbers that would take minutes to be checked for being prime."""
    for place, part in enumerate(element.children()):
        if part.tag == der.OCTET_STRING and place == _PKCS8_KEY and part.content[:1] == bytes([der.SEQUENCE]):
            _check_size(der.only(part.content, der.SEQUENCE))
        elif part.tag == der.INTEGER and len(part.content) > (_MAX_PRIME if place in _PKCS1_PRIMES else _MAX_NUMBER):
            raise ValueError("the key is too large")


def private_keys(text: bytes) -> list[Key]:
    """The private keys among the PEM blocks of a text."""
    return [private_key(block.content) for block in pem.blocks(text) if block.kind in _PRIVATE_BLOCKS]


def _bytes(content: bytes) -> str:
    return b64encode(content).decode()


def _raw(key: Key) -> bytes:
    return bytes(key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))


def _raw_private(key: Key) -> bytes:
    encoding, form = serialization.Encoding.Raw, serialization.PrivateFormat.Raw
    return bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))


def _rsa(key: rsa.RSAPublicKey) -> Any:
    numbers = key.public_numbers()
    return {"N": numbers.n, "E": numbers.e}


def _ec(key: ec.EllipticCurvePublicKey) -> Any:
    numbers = key.public_numbers()
    return {"Curve": {}, "X": numbers.x, "Y": numbers.y}


def _dsa(key: dsa.DSAPublicKey) -> Any:
    numbers = key.public_numbers()
    group = numbers.parameter_numbers
    return {"P": group.p, "Q": group.q, "G": group.g, "Y": numbers.y}


def _rsa_private(key: rsa.RSAPrivateKey) -> Any:
    numbers = key.private_numbers()
    computed = {"Dp": numbers.dmp1, "Dq": numbers.dmq1, "Qinv": numbers.iqmp, "CRTValues": []}
    return {**_rsa(key.public_key()), "D": numbers.d, "Primes": [numbers.p, numbers.q], "Precomputed": computed}


def _ec_private(key: ec.EllipticCurvePrivateKey) -> Any:
    return {**_ec(key.public_key()), "D": key.private_numbers().private_value}


_JSON: Final[Mapping[type, Callable[[Any], Any]]] = {
    rsa.RSAPublicKey: _rsa,
    ec.EllipticCurvePublicKey: _ec,
    dsa.DSAPublicKey: _dsa,
    ed25519.Ed25519PublicKey: lambda key: _bytes(_raw(key)),
    x25519.X25519PublicKey: lambda _: {},
    rsa.RSAPrivateKey: _rsa_private,
    ec.EllipticCurvePrivateKey: _ec_private,
    ed25519.Ed25519PrivateKey: lambda key: _bytes(_raw_private(key) + _raw(key.public_key())),
    x25519.X25519PrivateKey: lambda _: {},
}


def key_json(key: Key) -> Any:
    """A key as Go's JSON shows it; null for a kind Go does not know."""
    return next((show(key) for kind, show in _JSON.items() if isinstance(key, kind)), None)
