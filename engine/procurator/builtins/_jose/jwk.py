"""Keys of JSON Web Signatures: JWKs and sets of them, PEM certificates and PEM public keys."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from procurator.builtins._jose.algorithms import ALGORITHMS, KEY_MANAGEMENT
from procurator.builtins._x509 import certificate, keys, pem
from procurator.builtins._x509.der import DerError
from procurator.builtins.json_text import unmarshal
from procurator.builtins.operands import BuiltinError
from procurator.builtins.text_bytes import to_bytes
from procurator.values import Value, dumps, type_name

_CURVES: Final[Mapping[str, ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
_CURVE_NAMES: Final = {curve.name: name for name, curve in _CURVES.items()}
_UNUSABLE: Final = None
"""The key of a JWK that is well formed but that no signature can be made or checked with, such as a tiny RSA key."""


class JwkError(Exception):
    """A text is no JWK; the message is what OPA's library says."""


@dataclass(frozen=True)
class SigningKey:
    """A key, the one algorithm it is for, and its identifier; empty where not said."""

    key: Any
    algorithm: str = ""
    identifier: str = ""


@lru_cache(maxsize=100)
def verification_keys(text: str) -> tuple[SigningKey, ...]:
    """The keys to verify with: of a PEM certificate, a PEM public key, a JWK or a JWK set."""
    block = pem.first(to_bytes(text))
    if block is None:
        return _supported(text)
    if block.rest:
        raise BuiltinError("extra data after a PEM certificate block")
    read = _PEM_KEYS.get(block.kind)
    if read is None:
        raise BuiltinError("failed to extract a Key from the PEM certificate")
    return (SigningKey(read(block.content)),)


def _certified_key(content: bytes) -> Any:
    try:
        return certificate.single(content).key
    except BuiltinError as error:
        raise BuiltinError(f"failed to parse a PEM certificate: {error}") from None


def _public_key(content: bytes) -> Any:
    try:
        return keys.public_key(content)
    except DerError as error:
        raise BuiltinError(f"failed to parse a PEM public key: asn1: structure error: {error}") from None


_PEM_KEYS: Final[Mapping[str, Callable[[bytes], Any]]] = {"CERTIFICATE": _certified_key, "PUBLIC KEY": _public_key}


def _supported(text: str) -> tuple[SigningKey, ...]:
    try:
        found = parse(text)
    except JwkError as error:
        reason = f"jwk.ParseString: failed to parse string: {error}"
        raise BuiltinError(f"failed to parse a JWK key (set): {reason}") from None
    return tuple([key for key in found if not key.algorithm or key.algorithm in ALGORITHMS])


def parse(text: str) -> list[SigningKey]:
    """The keys of a JWK or of a JWK set."""
    try:
        value = unmarshal(text)
    except BuiltinError as error:
        raise JwkError(f"jwk.Parse: failed to parse sole key: jwk.ParseKey: {_probe(str(error))}") from None
    if not isinstance(value, dict) or "keys" not in value:
        return [_key(value, "jwk.Parse: failed to parse sole key")]
    prefix = "jwk.Parse: failed to unmarshal JWK set: failed to decode"
    members = value["keys"]
    if not isinstance(members, list):
        raise JwkError(f"{prefix} \"keys\": expected '[' but got {dumps(members)}")
    return [_key(member, f'{prefix} key #{index} in "keys"') for index, member in enumerate(members)]


def _probe(reason: str) -> str:
    return f"jwk.Parse: failed to probe data: probe: failed to unmarshal data: {reason}"


def _key(value: Value, place: str) -> SigningKey:
    try:
        return _read(value)
    except JwkError as error:
        raise JwkError(f"{place}: jwk.ParseKey: {error}") from None


def _read(value: Value) -> SigningKey:
    if not isinstance(value, dict):
        kind = {"boolean": "bool"}.get(type_name(value), type_name(value))
        raise JwkError(_probe(f"json: cannot unmarshal {kind} into Go value of type struct"))
    kind = value.get("kty", "")
    if not isinstance(kind, str):
        raise JwkError(_probe(f"json: cannot unmarshal {type_name(kind)} into Go struct field .kty of type string"))
    shape = SHAPES.get(kind)
    if shape is None:
        raise JwkError(f"invalid key type from JSON ({kind})")
    fields = _Fields(value, shape.private if "d" in value else shape.public, shape.required)
    return SigningKey(shape.make(fields), fields.algorithm(), fields.text("kid"))


class _Fields:
    """The members of one JWK, and what is said of a bad one."""

    def __init__(self, value: dict[Any, Value], go_type: str, required: Sequence[str]) -> None:
        self._value = value
        self._go_type = f"(*jwk.{go_type})"
        for name in required:
            if name not in value:
                raise self.refused(f"required field {name} is missing")

    def refused(self, reason: str) -> JwkError:
        text = f"failed to unmarshal JSON into key {self._go_type}: "
        return JwkError(f"{text}{text}{reason}")

    def invalid(self, reason: str) -> JwkError:
        return JwkError(f"jwk.Parse: key validation failed: key validation failed: jwk.{reason}")

    def __contains__(self, name: str) -> bool:
        return name in self._value

    def text(self, name: str) -> str:
        value = self._value.get(name, "")
        if not isinstance(value, str):
            reason = f"error reading next value: json: cannot unmarshal {type_name(value)} into Go value of type string"
            raise self.refused(f"failed to decode value for key {name}: {reason}")
        return value

    def algorithm(self) -> str:
        name = self.text("alg")
        if name and name not in ALGORITHMS and name not in KEY_MANAGEMENT:
            reason = f'invalid key value: "{name}": invalid key algorithm'
            raise self.refused(f"failed to decode value for key alg: {reason}")
        return name

    def bytes(self, name: str) -> bytes:
        try:
            return _decode(self.text(name))
        except (binascii.Error, ValueError):
            raise self.refused(
                f"failed to decode value for key {name}: expected base64 encoded []byte (string)"
            ) from None

    def integer(self, name: str) -> int:
        return int.from_bytes(self.bytes(name))

    def curve(self) -> str:
        name = self.text("crv")
        if name not in _CURVES and name not in _OKP:
            reason = f'unknown EllipticCurveAlgorithm: "{name}"'
            raise self.refused(f"failed to decode value for key crv: {reason}")
        return name


def _decode(text: str) -> bytes:
    """Base64 in either alphabet, padded or not."""
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    if not plain.isascii() or any(char not in _ALPHABET for char in plain):
        raise binascii.Error(text)
    return urlsafe_b64decode(plain + "=" * (-len(plain) % 4))


_ALPHABET: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def _rsa(fields: _Fields) -> Any:
    public = rsa.RSAPublicNumbers(fields.integer("e"), fields.integer("n"))
    try:
        return _rsa_private(fields, public) if "d" in fields else public.public_key()
    except ValueError:
        return _UNUSABLE


def _rsa_private(fields: _Fields, public: rsa.RSAPublicNumbers) -> Any:
    if public.n.bit_length() > keys.MAX_RSA_BITS:
        return _UNUSABLE  # checking its primes would take minutes
    d = fields.integer("d")
    if "p" in fields and "q" in fields:
        p, q = fields.integer("p"), fields.integer("q")
        if p * q != public.n:
            raise ValueError("p and q are not the factors of n")
    else:
        p, q = rsa.rsa_recover_prime_factors(public.n, public.e, d)
    return rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    ).private_key()


def _ec(fields: _Fields) -> Any:
    name = fields.curve()
    curve = _CURVES.get(name)
    if curve is None:
        raise fields.invalid(f'ECDSAPublicKey: invalid curve "{name}"')
    size = (curve.key_size + 7) // 8
    for coordinate in ("x", "y"):
        length = len(fields.bytes(coordinate))
        if length != size:
            raise fields.invalid(f'ECDSAPublicKey: invalid "{coordinate}" length ({length}) for curve "{name}"')
    public = ec.EllipticCurvePublicNumbers(fields.integer("x"), fields.integer("y"), curve)
    try:
        return (
            ec.EllipticCurvePrivateNumbers(fields.integer("d"), public).private_key()
            if "d" in fields
            else public.public_key()
        )
    except ValueError:
        raise fields.invalid("ECDSAPublicKey: invalid point") from None


_OKP: Final[Mapping[str, tuple[Any, Any]]] = {
    "Ed25519": (ed25519.Ed25519PublicKey.from_public_bytes, ed25519.Ed25519PrivateKey.from_private_bytes),
    "X25519": (x25519.X25519PublicKey.from_public_bytes, x25519.X25519PrivateKey.from_private_bytes),
}


def _okp(fields: _Fields) -> Any:
    name = fields.curve()
    if name not in _OKP:
        raise fields.invalid(f'OKPPublicKey: invalid curve "{name}"')
    public, private = _OKP[name]
    try:
        return private(fields.bytes("d")) if "d" in fields else public(fields.bytes("x"))
    except ValueError:
        raise fields.invalid(f"OKPPublicKey: {name.lower()}: wrong public key size") from None


def _oct(fields: _Fields) -> bytes:
    secret = fields.bytes("k")
    if not secret:
        raise fields.invalid('SymmetricKey: missing "k" field')
    return secret


@dataclass(frozen=True)
class _Shape:
    make: Callable[[_Fields], Any]
    required: tuple[str, ...]
    public: str
    private: str


SHAPES: Final[Mapping[str, _Shape]] = {
    "RSA": _Shape(_rsa, ("e", "n"), "rsaPublicKey", "rsaPrivateKey"),
    "EC": _Shape(_ec, ("crv", "x", "y"), "ecdsaPublicKey", "ecdsaPrivateKey"),
    "OKP": _Shape(_okp, ("crv", "x"), "okpPublicKey", "okpPrivateKey"),
    "oct": _Shape(_oct, ("k",), "symmetricKey", "symmetricKey"),
}


# Keys to JWKs


def from_key(key: Any) -> dict[str, str]:
    """A private key as a JWK."""
    return next(show(key) for kind, show in _WRITERS.items() if isinstance(key, kind))


def _encode(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def _number(value: int, size: int = 0) -> str:
    return _encode(value.to_bytes(size or (value.bit_length() + 7) // 8))


def _rsa_jwk(key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.private_numbers()
    public = numbers.public_numbers
    named = {"n": public.n, "e": public.e, "d": numbers.d, "p": numbers.p, "q": numbers.q}
    named |= {"dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp}
    return {"kty": "RSA"} | {name: _number(value) for name, value in named.items()}


def _ec_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.private_numbers()
    public, size = numbers.public_numbers, (key.curve.key_size + 7) // 8
    name = _CURVE_NAMES.get(key.curve.name)
    if name is None:
        raise BuiltinError(f"jwk.Import: invalid elliptic curve {key.curve.name}")
    named = {"x": public.x, "y": public.y, "d": numbers.private_value}
    return {"kty": "EC", "crv": name} | {field: _number(value, size) for field, value in named.items()}


def _okp_jwk(curve: str) -> Callable[[Any], dict[str, str]]:
    raw = serialization.Encoding.Raw

    def show(key: Any) -> dict[str, str]:
        private = key.private_bytes(raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
        public = key.public_key().public_bytes(raw, serialization.PublicFormat.Raw)
        return {"kty": "OKP", "crv": curve, "d": _encode(private), "x": _encode(public)}

    return show


_WRITERS: Final[Mapping[type, Callable[[Any], dict[str, str]]]] = {
    rsa.RSAPrivateKey: _rsa_jwk,
    ec.EllipticCurvePrivateKey: _ec_jwk,
    ed25519.Ed25519PrivateKey: _okp_jwk("Ed25519"),
    x25519.X25519PrivateKey: _okp_jwk("X25519"),
}
