"""Chains of certificates, verified as Go's `Certificate.Verify` does: time, signatures, authority, names, purposes."""

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from procurator.builtins._x509.certificate import Certificate
from procurator.builtins._x509.constraints import names_allowed

ANY, SERVER_AUTH = 0, 1
_CERT_SIGN: Final = 1 << 5
_MAX_SIGNATURES: Final = 100

_SHA256, _SHA384, _SHA512 = hashes.SHA256(), hashes.SHA384(), hashes.SHA512()
_RSA_HASHES: Final[Mapping[int, Any]] = {4: _SHA256, 5: _SHA384, 6: _SHA512}
_EC_HASHES: Final[Mapping[int, Any]] = {10: _SHA256, 11: _SHA384, 12: _SHA512}
_PSS_HASHES: Final[Mapping[int, Any]] = {13: _SHA256, 14: _SHA384, 15: _SHA512}
_ED25519: Final = 16


@dataclass(frozen=True)
class Demands:
    """What a chain must satisfy."""

    now: datetime
    dns_name: str = ""
    usages: tuple[int, ...] = (SERVER_AUTH,)


@dataclass
class _Budget:
    signatures: int = _MAX_SIGNATURES


def chain(certificates: list[Certificate], demands: Demands) -> list[Certificate] | None:
    """The first good chain from the last certificate to the first over those between; None if there is none."""
    root, *between, leaf = certificates
    if not _usable(leaf, [], demands) or (demands.dns_name and not host_matches(leaf, demands.dns_name)):
        return None
    if leaf.raw == root.raw:
        found: Iterator[list[Certificate]] = iter([[leaf]])
    else:
        found = _chains([leaf], root, between, demands, _Budget())
    return next((each for each in found if _serves(each, demands.usages)), None)


def _chains(
    so_far: list[Certificate], root: Certificate, between: list[Certificate], demands: Demands, budget: _Budget
) -> Iterator[list[Certificate]]:
    child = so_far[-1]
    if _issued(root, child, so_far, demands, budget):
        yield [*so_far, root]
    for candidate in between:
        known = any(candidate.body.spki.raw == each.body.spki.raw and _same_subject(candidate, each) for each in so_far)
        if not known and candidate.fields["IsCA"] and _issued(candidate, child, so_far, demands, budget):
            yield from _chains([*so_far, candidate], root, between, demands, budget)


def _same_subject(one: Certificate, other: Certificate) -> bool:
    return one.body.subject.raw == other.body.subject.raw


def _issued(
    issuer: Certificate, child: Certificate, so_far: list[Certificate], demands: Demands, budget: _Budget
) -> bool:
    if issuer.body.subject.raw != child.body.issuer.raw or budget.signatures == 0:
        return False
    budget.signatures -= 1
    return _may_sign(issuer) and _signed_by(child, issuer) and _usable(issuer, so_far, demands)


def _may_sign(issuer: Certificate) -> bool:
    fields = issuer.fields
    authority = fields["IsCA"] if fields["BasicConstraintsValid"] else fields["Version"] < 3
    return bool(authority and (not fields["KeyUsage"] or fields["KeyUsage"] & _CERT_SIGN))


def _usable(certificate: Certificate, below: list[Certificate], demands: Demands) -> bool:
    """Whether a certificate may stand above those below it."""
    fields = certificate.fields
    not_before, not_after = certificate.validity
    if fields["UnhandledCriticalExtensions"] or not not_before <= demands.now <= not_after:
        return False
    if below and fields["BasicConstraintsValid"] and 0 <= fields["MaxPathLen"] < len(below) - 1:
        return False
    return all(names_allowed(fields, each) for each in below)


def _serves(found: list[Certificate], usages: tuple[int, ...]) -> bool:
    """Whether every certificate of the chain allows one of the same purposes."""
    if ANY in usages:
        return True
    left = set(usages)
    for certificate in found:
        allowed = certificate.fields["ExtKeyUsage"] or []
        if (allowed or certificate.fields["UnknownExtKeyUsage"]) and ANY not in allowed:
            left &= set(allowed)
    return bool(left)


# Signatures


def _signed_by(child: Certificate, issuer: Certificate) -> bool:
    try:
        verify = _verifier(child.fields["SignatureAlgorithm"], issuer.key)
        if verify is None:
            return False
        verify(child.signature, child.signed)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _verifier(algorithm: int, key: Any) -> Callable[[bytes, bytes], None] | None:
    """The check of a signature; None where key and algorithm do not go together, or the algorithm is broken."""
    if isinstance(key, rsa.RSAPublicKey) and algorithm in _RSA_HASHES:
        return lambda signature, text: key.verify(signature, text, padding.PKCS1v15(), _RSA_HASHES[algorithm])
    if isinstance(key, rsa.RSAPublicKey) and algorithm in _PSS_HASHES:
        digest = _PSS_HASHES[algorithm]
        scheme = padding.PSS(padding.MGF1(digest), digest.digest_size)
        return lambda signature, text: key.verify(signature, text, scheme, digest)
    if isinstance(key, ec.EllipticCurvePublicKey) and algorithm in _EC_HASHES:
        return lambda signature, text: key.verify(signature, text, ec.ECDSA(_EC_HASHES[algorithm]))
    if isinstance(key, ed25519.Ed25519PublicKey) and algorithm == _ED25519:
        return key.verify
    return None


# Hosts


def host_matches(certificate: Certificate, host: str) -> bool:
    """Whether a certificate is for this host, a name or an address in brackets or bare."""
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        names = certificate.fields["DNSNames"] or []
        return any(_name_matches(pattern.lower(), host.lower().removesuffix(".")) for pattern in names)
    return any(address == ipaddress.ip_address(each) for each in certificate.fields["IPAddresses"] or [])


def _name_matches(pattern: str, host: str) -> bool:
    labels, wanted = host.split("."), pattern.split(".")
    if not all(labels) or not all(wanted) or len(labels) != len(wanted):
        return False
    return labels[1:] == wanted[1:] and (wanted[0] in ("*", labels[0]))
