"""The signature algorithms of JSON Web Signatures: which key each of them needs, how it signs and how it verifies."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

_OTHER_NAMES: Final = """
    none ES256K dir RSA1_5 RSA-OAEP RSA-OAEP-256 RSA-OAEP-384 RSA-OAEP-512 A128KW A192KW A256KW A128GCMKW A192GCMKW
    A256GCMKW ECDH-ES ECDH-ES+A128KW ECDH-ES+A192KW ECDH-ES+A256KW PBES2-HS256+A128KW PBES2-HS384+A192KW
    PBES2-HS512+A256KW
"""
KEY_MANAGEMENT: Final = frozenset(_OTHER_NAMES.split())
"""What else a JWK may be said to be for; such keys are no use for signatures."""


@dataclass(frozen=True)
class Algorithm:
    """An algorithm: how to check a signature, how to make one, and the classes of the keys for each."""

    verify: Callable[[Any, bytes, bytes], bool]
    sign: Callable[[Any, bytes], bytes]
    public: type
    private: type
    go_private: str
    random: bool = False
    """Whether two signatures of one text differ."""

    def verifies(self, key: Any, text: bytes, signature: bytes) -> bool:
        """Whether the key made the signature; a key of another kind made none."""
        try:
            return isinstance(key, self.public) and self.verify(key, text, signature)
        except (InvalidSignature, ValueError):
            return False


def _checked(check: Callable[..., None], *operands: Any) -> bool:
    check(*operands)
    return True


def _hmac(digest: hashes.HashAlgorithm) -> Algorithm:
    def sign(key: bytes, text: bytes) -> bytes:
        return hmac.digest(key, text, digest.name)

    def verify(key: bytes, text: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(sign(key, text), signature)

    return Algorithm(verify, sign, bytes, bytes, "[]byte")


def _rsa(digest: hashes.HashAlgorithm, made: padding.AsymmetricPadding, read: padding.AsymmetricPadding) -> Algorithm:
    return Algorithm(
        lambda key, text, signature: _checked(key.verify, signature, text, read, digest),
        lambda key, text: key.sign(text, made, digest),
        rsa.RSAPublicKey,
        rsa.RSAPrivateKey,
        "*rsa.PrivateKey",
        random=isinstance(made, padding.PSS),
    )


def _pkcs1(digest: hashes.HashAlgorithm) -> Algorithm:
    return _rsa(digest, padding.PKCS1v15(), padding.PKCS1v15())


def _pss(digest: hashes.HashAlgorithm) -> Algorithm:
    mask = padding.MGF1(digest)
    return _rsa(digest, padding.PSS(mask, padding.PSS.DIGEST_LENGTH), padding.PSS(mask, padding.PSS.AUTO))


def _size(curve: ec.EllipticCurve) -> int:
    """The bytes of a coordinate."""
    return (curve.key_size + 7) // 8


def _ecdsa(digest: hashes.HashAlgorithm) -> Algorithm:
    def verify(key: ec.EllipticCurvePublicKey, text: bytes, signature: bytes) -> bool:
        half = len(signature) // 2
        r, s = int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
        return _checked(key.verify, encode_dss_signature(r, s), text, ec.ECDSA(digest))

    def sign(key: ec.EllipticCurvePrivateKey, text: bytes) -> bytes:
        size = _size(key.curve)
        r, s = decode_dss_signature(key.sign(text, ec.ECDSA(digest)))
        return r.to_bytes(size) + s.to_bytes(size)

    return Algorithm(
        verify, sign, ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey, "*ecdsa.PrivateKey", random=True
    )


_EDDSA: Final = Algorithm(
    lambda key, text, signature: _checked(key.verify, signature, text),
    lambda key, text: key.sign(text),
    ed25519.Ed25519PublicKey,
    ed25519.Ed25519PrivateKey,
    "ed25519.PrivateKey",
)

_FAMILIES: Final = {"HS": _hmac, "RS": _pkcs1, "PS": _pss, "ES": _ecdsa}
_DIGESTS: Final = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}

ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    **{family + size: make(digest) for family, make in _FAMILIES.items() for size, digest in _DIGESTS.items()},
    "EdDSA": _EDDSA,
}


def verifies_exactly(name: str, key: Any, text: bytes, signature: bytes) -> bool:
    """Whether the key, or the public half of it, made the signature, whose length must be that of the key's curve."""
    known = ALGORITHMS.get(name)
    public = key.public_key() if hasattr(key, "public_key") else key
    if isinstance(public, ec.EllipticCurvePublicKey) and len(signature) != 2 * _size(public.curve):
        return False
    return bool(known and known.verifies(public, text, signature))
