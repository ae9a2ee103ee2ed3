"""Certificates and certificate requests: DER to the JSON that Go's `crypto/x509` structs give."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from procurator.builtins._x509 import der, keys, names
from procurator.builtins._x509.der import DerError, Element, Reader
from procurator.builtins._x509.extensions import EMPTY, Extension, read_extensions
from procurator.builtins.go_url import Url
from procurator.builtins.operands import BuiltinError

Json = dict[str, Any]

_PSS: Final = (1, 2, 840, 113549, 1, 1, 10)
_SIGNATURES: Final[Mapping[tuple[int, ...], int]] = {
    (1, 2, 840, 113549, 1, 1, 2): 1,
    (1, 2, 840, 113549, 1, 1, 4): 2,
    (1, 2, 840, 113549, 1, 1, 5): 3,
    (1, 3, 14, 3, 2, 29): 3,
    (1, 2, 840, 113549, 1, 1, 11): 4,
    (1, 2, 840, 113549, 1, 1, 12): 5,
    (1, 2, 840, 113549, 1, 1, 13): 6,
    (1, 2, 840, 10040, 4, 3): 7,
    (2, 16, 840, 1, 101, 3, 4, 3, 2): 8,
    (1, 2, 840, 10045, 4, 1): 9,
    (1, 2, 840, 10045, 4, 3, 2): 10,
    (1, 2, 840, 10045, 4, 3, 3): 11,
    (1, 2, 840, 10045, 4, 3, 4): 12,
    (1, 3, 101, 112): 16,
}
_PSS_HASHES: Final[Mapping[tuple[int, ...], int]] = {
    (2, 16, 840, 1, 101, 3, 4, 2, 1): 13,
    (2, 16, 840, 1, 101, 3, 4, 2, 2): 14,
    (2, 16, 840, 1, 101, 3, 4, 2, 3): 15,
}
_EXTENSION_REQUEST: Final = [1, 2, 840, 113549, 1, 9, 14]
_CONTEXT_0, _CONTEXT_1, _CONTEXT_2, _CONTEXT_3 = 0xA0, 0x81, 0x82, 0xA3
_EMPTY_INPUT: Final = "asn1: syntax error: sequence truncated"


class Body(NamedTuple):
    """What is signed of a certificate, up to its extensions."""

    version: int
    serial: int
    issuer: Element
    validity: Element
    subject: Element
    spki: Element
    rest: Reader


@dataclass(frozen=True)
class Certificate:
    """A certificate: Go's fields, and what verification needs beyond them."""

    fields: Json
    raw: bytes
    signed: bytes
    signature: bytes
    body: Body
    validity: tuple[datetime, datetime]
    urls: tuple[tuple[str, Url], ...]

    @property
    def key(self) -> keys.Key:
        """The public key, or None if its kind is not known."""
        return keys.public_key(self.body.spki.raw) if self.fields["PublicKeyAlgorithm"] else None


def certificates(content: bytes) -> list[Certificate]:
    """The certificates that follow one another in these bytes."""
    found = []
    reader = Reader(content)
    while not reader.done:
        with _part("certificate"):
            element = reader.next(der.SEQUENCE)
        found.append(_certificate(element))
    return found


def single(content: bytes) -> Certificate:
    """The one certificate that these bytes are."""
    found = certificates(content)
    if len(found) != 1:
        raise BuiltinError("x509: trailing data" if found else "x509: malformed certificate")
    return found[0]


@contextmanager
def _part(name: str) -> Iterator[None]:
    """Name the part of a certificate that is malformed."""
    try:
        yield
    except DerError:
        raise BuiltinError(f"x509: malformed {name}") from None


def _certificate(element: Element) -> Certificate:
    with _part("certificate"):
        outer = element.children()
    with _part("tbs certificate"):
        signed = outer.next(der.SEQUENCE)
    with _part("algorithm identifier"):
        algorithm = outer.next(der.SEQUENCE)
    with _part("signature"):
        signature = outer.next(der.BIT_STRING).bits()
    with _part("tbs certificate"):
        body = _body(signed, algorithm)
    with _part("validity"):
        times = body.validity.children()
        not_before, not_after = times.next().time(), times.next().time()
    with _part("extensions"):
        extensions = _certificate_extensions(body.rest, body.version)
    decoded = read_extensions(extensions)
    urls = decoded.pop("URIs") or []
    fields = {
        **decoded,
        **_signed(element, algorithm, signature),
        **_key(body.spki),
        "RawTBSCertificate": _base64(signed.raw),
        "RawSubject": _base64(body.subject.raw),
        "RawIssuer": _base64(body.issuer.raw),
        "Version": body.version + 1,
        "SerialNumber": body.serial,
        "Issuer": _name("issuer", body.issuer),
        "Subject": _name("subject", body.subject),
        "NotBefore": _instant(not_before),
        "NotAfter": _instant(not_after),
        "Extensions": [extension.json() for extension in extensions] or None,
        "ExtraExtensions": None,
        "URIs": [names.url_json(url) for _, url in urls] or None,
    }
    return Certificate(fields, element.raw, signed.raw, signature, body, (not_before, not_after), tuple(urls))


def _body(signed: Element, algorithm: Element) -> Body:
    reader = signed.children()
    version = _version(reader)
    serial = reader.next(der.INTEGER).integer()
    if serial < 0:
        raise BuiltinError("x509: negative serial number")
    if reader.next(der.SEQUENCE).raw != algorithm.raw:
        raise BuiltinError("x509: inner and outer signature algorithm identifiers don't match")
    issuer, validity, subject, spki = [reader.next(der.SEQUENCE) for _ in range(4)]
    return Body(version, serial, issuer, validity, subject, spki, reader)


def _version(body: Reader) -> int:
    tagged = body.optional(_CONTEXT_0)
    version = tagged.children().next(der.INTEGER).integer() if tagged else 0
    if not 0 <= version <= 2:
        raise BuiltinError("x509: invalid version")
    return version


def _certificate_extensions(body: Reader, version: int) -> list[Extension]:
    if version == 0:
        return []
    body.optional(_CONTEXT_1)
    body.optional(_CONTEXT_2)
    tagged = body.optional(_CONTEXT_3)
    return _extensions(tagged.children().next(der.SEQUENCE)) if tagged and version == 2 else []


def _extensions(element: Element) -> list[Extension]:
    found: dict[tuple[int, ...], Extension] = {}
    for each in element.children():
        extension = Extension.read(each)
        if tuple(extension.kind) in found:
            raise BuiltinError("x509: certificate contains duplicate extensions")
        found[tuple(extension.kind)] = extension
    return list(found.values())


def _signed(whole: Element, algorithm: Element, signature: bytes) -> Json:
    return {
        "Raw": _base64(whole.raw),
        "Signature": _base64(signature),
        "SignatureAlgorithm": _signature_algorithm(algorithm),
    }


def _signature_algorithm(element: Element) -> int:
    with _part("signature algorithm identifier"):
        parts = element.children()
        kind = tuple(parts.next(der.OID).oid())
        if kind != _PSS:
            return _SIGNATURES.get(kind, 0)
        hashed = parts.next(der.SEQUENCE).children().optional(_CONTEXT_0)
        chosen = hashed.children().next(der.SEQUENCE).children().next(der.OID).oid() if hashed else []
        return _PSS_HASHES.get(tuple(chosen), 0)


def _key(spki: Element) -> Json:
    with _part("public key algorithm identifier"):
        kind = tuple(spki.children().next(der.SEQUENCE).children().next(der.OID).oid())
    algorithm = keys.ALGORITHMS.get(kind, 0)
    with _part("public key"):
        shown = keys.key_json(keys.public_key(spki.raw)) if algorithm else None
    return {"RawSubjectPublicKeyInfo": _base64(spki.raw), "PublicKeyAlgorithm": algorithm, "PublicKey": shown}


def _name(part: str, element: Element) -> Json:
    with _part(part):
        return names.distinguished(element)


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _base64(content: bytes) -> str:
    return b64encode(content).decode()


# Requests


def request(content: bytes) -> Json:
    """A certificate request as Go's struct."""
    try:
        return _request(der.only(content, der.SEQUENCE) if content else _truncated())
    except DerError as error:
        raise BuiltinError(f"asn1: structure error: {error}") from None


def _truncated() -> Element:
    raise BuiltinError(_EMPTY_INPUT)


def _request(element: Element) -> Json:
    outer = element.children()
    signed = outer.next(der.SEQUENCE)
    algorithm = outer.next(der.SEQUENCE)
    signature = outer.next(der.BIT_STRING).bits()
    body = signed.children()
    version = body.next(der.INTEGER).integer()
    subject = body.next(der.SEQUENCE)
    spki = body.next(der.SEQUENCE)
    attributes = list(body.next(_CONTEXT_0).children()) if not body.done else []
    extensions = _requested_extensions(attributes)
    wanted = read_extensions([each for each in extensions if each.is_alternative_name]) if extensions else EMPTY
    return {
        **_signed(element, algorithm, signature),
        **_key(spki),
        "RawTBSCertificateRequest": _base64(signed.raw),
        "RawSubject": _base64(subject.raw),
        "Version": version,
        "Subject": _name("subject", subject),
        "Attributes": list(filter(None, map(_attribute, attributes))) or None,
        "Extensions": [extension.json() for extension in extensions] or None,
        "ExtraExtensions": None,
        **{field: wanted[field] for field in ("DNSNames", "EmailAddresses", "IPAddresses")},
        "URIs": [names.url_json(url) for _, url in wanted["URIs"] or ()] or None,
    }


def _requested_extensions(attributes: list[Element]) -> list[Extension]:
    for attribute in attributes:
        parts = attribute.expect(der.SEQUENCE).children()
        if parts.next(der.OID).oid() == _EXTENSION_REQUEST:
            return _extensions(parts.next(der.SET).children().next(der.SEQUENCE))
    return []


def _attribute(attribute: Element) -> Json | None:
    """An attribute as a set of sequences of typed values; others Go passes over."""
    try:
        parts = attribute.expect(der.SEQUENCE).children()
        kind = parts.next(der.OID).oid()
        sequences = [sequence.expect(der.SEQUENCE).children() for sequence in parts.next(der.SET).children()]
        return {"Type": kind, "Value": [[_typed_value(each) for each in sequence] for sequence in sequences]}
    except DerError:
        return None


def _typed_value(element: Element) -> Json:
    parts = element.expect(der.SEQUENCE).children()
    return {"Type": parts.next(der.OID).oid(), "Value": _any(parts.next())}


def _any(element: Element) -> Any:
    read = _ANY.get(element.tag)
    return read(element) if read else element.text()


_ANY: Final[Mapping[int, Callable[[Element], Any]]] = {
    der.OCTET_STRING: lambda element: _base64(element.content),
    der.BOOLEAN: Element.boolean,
    der.INTEGER: Element.integer,
    der.OID: Element.oid,
}
