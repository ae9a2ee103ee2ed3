"""Keys of agents and of the gateway: Ed25519, or ECDSA on P-256; nothing else, and never a shared secret.

The algorithm belongs to the key. What a header says of it has to agree, and decides nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from procurator.governance.refusals import Refused
from procurator.governance.signing import base64url

Json: TypeAlias = Any

EDDSA: Final = "EdDSA"
ES256: Final = "ES256"

_ALGORITHMS: Final[Mapping[str, Any]] = {EDDSA: OKPAlgorithm(), ES256: ECAlgorithm(hashes.SHA256, SECP256R1)}
_DESCRIPTIVE: Final = frozenset({"alg", "key_ops", "kid", "use"})
PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members of a JWK that only its holder may know."""
_SIZE: Final = 32
_PRIME: Final = 2**255 - 19
# Points of small order: everybody can sign for them. Of order 1, 2, 4 and 8, by their y.
_Y8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD83D3D706A17C7
_WEAK: Final = frozenset({0, 1, _PRIME - 1, _Y8, _PRIME - _Y8})
_SECRET_FILE: Final = 0o600


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that signatures are verified with; two are equal when their thumbprints are.

    Attributes:
        alg: the only algorithm it is for, `EdDSA` or `ES256`.
        jkt: its thumbprint (RFC 7638, SHA-256, base64url).
        jwk: its public members, and nothing else.
    """

    alg: str
    jkt: str
    jwk: Mapping[str, str] = field(compare=False)
    _key: Any = field(compare=False, repr=False)
    _verify: Callable[[bytes, Any, bytes], bool] = field(compare=False, repr=False)

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Whether the holder of the key has signed the data."""
        return self._verify(data, self._key, signature)

    def ed25519(self) -> Ed25519PublicKey:
        """The key as `cryptography` has it.

        Raises:
            Refused: `key_not_allowed`, for a key of another kind.
        """
        if not isinstance(self._key, Ed25519PublicKey):
            raise _refused("an Ed25519 key is needed")
        return self._key


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key to sign with, and its public half. It is not shown by `repr`."""

    public: PublicKey
    _key: Any = field(compare=False, repr=False)

    def sign(self, data: bytes) -> bytes:
        """A signature as JWS has it."""
        signature: bytes = _ALGORITHMS[self.public.alg].sign(data, self._key)
        return signature

    def ed25519(self) -> Ed25519PrivateKey:
        """The key as `cryptography` has it.

        Raises:
            Refused: `key_not_allowed`, for a key of another kind.
        """
        if not isinstance(self._key, Ed25519PrivateKey):
            raise _refused("an Ed25519 key is needed")
        return self._key

    def pem(self) -> str:
        """The key in PKCS #8, not encrypted."""
        pem: bytes = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return pem.decode("ascii")


# Public keys


def public_from_jwk(jwk: Json) -> PublicKey:
    """The key of a public JWK, read strictly: one key has one spelling, hence one thumbprint.

    Raises:
        Refused: `key_not_allowed`.
    """
    if not isinstance(jwk, Mapping):
        raise _refused("a key is written as a JSON object")
    secrets = sorted(PRIVATE & jwk.keys())
    if secrets:
        raise _refused(f"a public key has no member `{secrets[0]}`")
    kind = _KINDS.get((_text(jwk, "kty"), _text(jwk, "crv")))
    if kind is None:
        raise _refused("only Ed25519 keys (`OKP`) and keys on the curve P-256 (`EC`) may be used")
    unknown = sorted(map(str, jwk.keys() - kind.members - _DESCRIPTIVE))
    if unknown:
        raise _refused(f"unknown member `{unknown[0][:40]}` of a key")
    _check_use(jwk, kind.alg)
    return kind.read(*(_coordinate(jwk, name) for name in kind.coordinates))


def _check_use(jwk: Mapping[str, Json], alg: str) -> None:
    if jwk.get("alg", alg) != alg:
        raise _refused(f"a key of this kind is for `{alg}` alone")
    if jwk.get("use", "sig") != "sig":
        raise _refused("the key is not for signatures")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise _refused("the key is not for verifying")


def _text(jwk: Mapping[str, Json], name: str) -> str:
    value = jwk.get(name)
    return value if isinstance(value, str) else ""


def _coordinate(jwk: Mapping[str, Json], name: str) -> bytes:
    try:
        data = base64url.decode(_text(jwk, name))
    except ValueError:
        data = b""
    if len(data) != _SIZE:
        raise _refused(f"member `{name}` of a key is not {_SIZE} bytes in base64url")
    return data


def _ed25519(x: bytes) -> PublicKey:
    y = int.from_bytes(x, "little") & ~(1 << 255)
    if y >= _PRIME or y in _WEAK:
        raise _refused("the key is no point that only its holder can sign for")
    return _of_ed25519(Ed25519PublicKey.from_public_bytes(x))


def _p256(x: bytes, y: bytes) -> PublicKey:
    numbers = EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), SECP256R1())
    try:
        return _of_p256(numbers.public_key())
    except ValueError:
        raise _refused("the key is no point of its curve") from None


def _of_ed25519(key: Ed25519PublicKey) -> PublicKey:
    return _made(EDDSA, {"crv": "Ed25519", "kty": "OKP", "x": base64url.encode(key.public_bytes_raw())}, key)


def _of_p256(key: EllipticCurvePublicKey) -> PublicKey:
    point = key.public_numbers()
    x, y = (base64url.encode(value.to_bytes(_SIZE, "big")) for value in (point.x, point.y))
    return _made(ES256, {"crv": "P-256", "kty": "EC", "x": x, "y": y}, key)


def _made(alg: str, jwk: dict[str, str], key: Any) -> PublicKey:
    text = json.dumps(jwk, sort_keys=True, separators=(",", ":"))
    return PublicKey(alg, base64url.encode(sha256(text.encode()).digest()), jwk, key, _ALGORITHMS[alg].verify)


@dataclass(frozen=True)
class _Kind:
    """How keys of one kind are written."""

    alg: str
    coordinates: tuple[str, ...]
    read: Callable[..., PublicKey]

    @property
    def members(self) -> frozenset[str]:
        return frozenset({"kty", "crv", *self.coordinates})


_KINDS: Final = {
    ("OKP", "Ed25519"): _Kind(EDDSA, ("x",), _ed25519),
    ("EC", "P-256"): _Kind(ES256, ("x", "y"), _p256),
}


# Private keys


def generate(alg: str = EDDSA) -> PrivateKey:
    """A new key.

    Raises:
        Refused: `key_not_allowed`, for an algorithm that is not known.
    """
    if alg == EDDSA:
        return private_of(Ed25519PrivateKey.generate())
    if alg == ES256:
        return private_of(generate_private_key(SECP256R1()))
    raise _refused(f"no keys are made for the algorithm `{alg}`")


def private_of(key: Any) -> PrivateKey:
    """A key of the library `cryptography` as one of ours.

    Raises:
        Refused: `key_not_allowed`.
    """
    if isinstance(key, Ed25519PrivateKey | EllipticCurvePrivateKey):
        return PrivateKey(public_of(key.public_key()), key)
    raise _refused("only Ed25519 keys and keys on the curve P-256 may be used")


def public_of(key: Any) -> PublicKey:
    """A public key of the library `cryptography` as one of ours.

    Raises:
        Refused: `key_not_allowed`.
    """
    if isinstance(key, Ed25519PublicKey):
        return _ed25519(key.public_bytes_raw())
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return _of_p256(key)
    raise _refused("only Ed25519 keys and keys on the curve P-256 may be used")


def private_from_jwk(jwk: Json) -> PrivateKey:
    """The key of a private JWK.

    Raises:
        Refused: `key_not_allowed`.
    """
    if not isinstance(jwk, Mapping):
        raise _refused("a key is written as a JSON object")
    public = public_from_jwk({name: value for name, value in jwk.items() if name not in ("d", "key_ops")})
    secret = _coordinate(jwk, "d")
    try:
        key = private_of(_SECRETS[public.alg](secret))
    except ValueError:
        raise _refused("member `d` is no key of the curve") from None
    if key.public != public:
        raise _refused("the two halves of the key do not belong together")
    return key


_SECRETS: Final[Mapping[str, Callable[[bytes], Any]]] = {
    EDDSA: Ed25519PrivateKey.from_private_bytes,
    ES256: lambda secret: derive_private_key(int.from_bytes(secret, "big"), SECP256R1()),
}


# Files


def load_private(path: str | Path) -> PrivateKey:
    """The key of a file: PKCS #8 in PEM, or a private JWK.

    Raises:
        Refused: `key_not_allowed`.
        OSError: the file cannot be read.
    """
    text = Path(path).read_bytes()
    if text.lstrip().startswith(b"{"):
        return private_from_jwk(_jwk_of(text))
    try:
        return private_of(load_pem_private_key(text, None))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _refused("the file holds no private key in PEM, or an encrypted one") from None


def load_public(path: str | Path) -> PublicKey:
    """The key of a file: a public key in PEM, or a public JWK.

    Raises:
        Refused: `key_not_allowed`.
        OSError: the file cannot be read.
    """
    text = Path(path).read_bytes()
    if text.lstrip().startswith(b"{"):
        return public_from_jwk(_jwk_of(text))
    try:
        return public_of(load_pem_public_key(text))
    except (ValueError, UnsupportedAlgorithm):
        raise _refused("the file holds no public key in PEM") from None


def write_private(path: str | Path, key: PrivateKey) -> None:
    """Write a key to a new file that its owner alone may read.

    Raises:
        OSError: the file exists, or cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _SECRET_FILE)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key.pem())


def _jwk_of(text: bytes) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _refused("the file holds no JSON") from None


def _refused(detail: str) -> Refused:
    return Refused("key_not_allowed", detail)
