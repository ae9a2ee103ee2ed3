"""Keys and certificates for tests: made here, the same each time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
NOW_NS = int(NOW.timestamp()) * 1_000_000_000
DAY = dt.timedelta(days=1)

PKCS8 = serialization.PrivateFormat.PKCS8
TRADITIONAL = serialization.PrivateFormat.TraditionalOpenSSL


@cache
def elliptic(name: str, curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    """The key of this name."""
    return ec.derive_private_key(int.from_bytes(b"key " + name.encode()), curve or ec.SECP256R1())


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """One RSA key, made once a run."""
    return rsa.generate_private_key(65537, 2048)


@cache
def edwards() -> ed25519.Ed25519PrivateKey:
    """One Ed25519 key."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def private_pem(key: Any, form: serialization.PrivateFormat = PKCS8) -> str:
    """A private key as PEM."""
    return str(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode())


def public_pem(key: Any) -> str:
    """The public half of a key as PEM."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


def name(text: str) -> x509.Name:
    """A name that is a common name only."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class Plan:
    """What a certificate is to say; None leaves an extension out, and `identified` names the keys of both sides."""

    authority: bool | None = None
    path_length: int | None = None
    names: tuple[x509.GeneralName, ...] = ()
    usage: str | None = None
    purposes: tuple[x509.ObjectIdentifier, ...] = ()
    constraints: x509.NameConstraints | None = None
    starts: dt.timedelta = -DAY
    ends: dt.timedelta = DAY
    signer: str | None = None
    unknown_critical: bool = False
    identified: bool = False
    key: Any = None
    serial: int = 7


USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def extensions(plan: Plan) -> Iterable[tuple[x509.ExtensionType, bool]]:
    """The extensions of a plan, and whether they are critical."""
    if plan.authority is not None:
        yield x509.BasicConstraints(plan.authority, plan.path_length), True
    if plan.names:
        yield x509.SubjectAlternativeName(plan.names), False
    if plan.usage:
        yield x509.KeyUsage(**{usage: usage == plan.usage for usage in USAGES}), True
    if plan.purposes:
        yield x509.ExtendedKeyUsage(plan.purposes), False
    if plan.constraints:
        yield plan.constraints, True
    if plan.unknown_critical:
        yield x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True


def certificate(subject: str, issuer: str, plan: Plan = Plan()) -> str:
    """A certificate as PEM, signed with the issuer's key unless the plan names another."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key((plan.key or elliptic(subject)).public_key())
        .serial_number(plan.serial)
        .not_valid_before(NOW + plan.starts)
        .not_valid_after(NOW + plan.ends)
    )
    for extension, critical in extensions(plan):
        builder = builder.add_extension(extension, critical)
    if plan.identified:
        own, signing = (elliptic(who).public_key() for who in (subject, issuer))
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(own), critical=False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing), critical=False)
    signed = builder.sign(elliptic(plan.signer or issuer), hashes.SHA256(), ecdsa_deterministic=True)
    return signed.public_bytes(serialization.Encoding.PEM).decode()
