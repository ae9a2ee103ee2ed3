"""Extensions of certificates: what each of them says, by the fields of Go's struct."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from procurator.builtins._x509 import der, names
from procurator.builtins._x509.der import DerError, Element, Reader
from procurator.builtins.operands import BuiltinError

Json = dict[str, Any]

_SUBJECT_ALTERNATIVE_NAME: Final = [2, 5, 29, 17]
_CONTEXT_0, _CONTEXT_1, _CONSTRUCTED_0, _CONSTRUCTED_1 = 0x80, 0x81, 0xA0, 0xA1
_URI: Final = 0x86

EMPTY: Final[Mapping[str, Any]] = MappingProxyType(
    {
        **dict.fromkeys(("DNSNames", "EmailAddresses", "IPAddresses", "URIs")),
        **dict.fromkeys(("CRLDistributionPoints", "OCSPServer", "IssuingCertificateURL")),
        **dict.fromkeys(("ExtKeyUsage", "UnknownExtKeyUsage", "UnhandledCriticalExtensions")),
        **dict.fromkeys(("AuthorityKeyId", "SubjectKeyId")),
        **dict.fromkeys(("Policies", "PolicyIdentifiers", "PolicyMappings")),
        **{f"{rule}{kind}": None for rule in ("Permitted", "Excluded") for kind in ("DNSDomains", "IPRanges")},
        **{f"{rule}{kind}": None for rule in ("Permitted", "Excluded") for kind in ("EmailAddresses", "URIDomains")},
        "PermittedDNSDomainsCritical": False,
        "KeyUsage": 0,
        "BasicConstraintsValid": False,
        "IsCA": False,
        "MaxPathLen": 0,
        "MaxPathLenZero": False,
        **dict.fromkeys(("InhibitAnyPolicy", "InhibitPolicyMapping", "RequireExplicitPolicy"), 0),
        **dict.fromkeys(("InhibitAnyPolicyZero", "InhibitPolicyMappingZero", "RequireExplicitPolicyZero"), False),
    }
)

EXTENDED_USAGES: Final[Mapping[tuple[int, ...], int]] = {
    (2, 5, 29, 37, 0): 0,
    **{(1, 3, 6, 1, 5, 5, 7, 3, arc): arc for arc in range(1, 10)},
    (1, 3, 6, 1, 4, 1, 311, 10, 3, 3): 10,
    (2, 16, 840, 1, 113730, 4, 1): 11,
    (1, 3, 6, 1, 4, 1, 311, 2, 1, 22): 12,
    (1, 3, 6, 1, 4, 1, 311, 61, 1, 1): 13,
}


_ACCESS_METHODS: Final[Mapping[tuple[int, ...], str]] = {
    (1, 3, 6, 1, 5, 5, 7, 48, 1): "OCSPServer",
    (1, 3, 6, 1, 5, 5, 7, 48, 2): "IssuingCertificateURL",
}


@dataclass(frozen=True)
class Extension:
    """An extension as it stands in a certificate."""

    kind: list[int]
    critical: bool
    content: bytes

    @classmethod
    def read(cls, element: Element) -> "Extension":
        """Read an extension."""
        parts = element.expect(der.SEQUENCE).children()
        kind = parts.next(der.OID).oid()
        critical = parts.optional(der.BOOLEAN)
        return cls(kind, critical.boolean() if critical else False, parts.next(der.OCTET_STRING).content)

    @property
    def is_alternative_name(self) -> bool:
        """Whether it gives alternative names of the subject."""
        return self.kind == _SUBJECT_ALTERNATIVE_NAME

    def json(self) -> Json:
        """The extension as Go's struct."""
        return {"Id": self.kind, "Critical": self.critical, "Value": b64encode(self.content).decode()}


def read_extensions(extensions: list[Extension]) -> Json:
    """All fields that come from extensions; URIs are still URLs."""
    fields = dict(EMPTY)
    unhandled = []
    for extension in extensions:
        reader = READERS.get(tuple(extension.kind))
        handled = _read(reader, extension, fields) if reader else False
        if extension.critical and not handled:
            unhandled.append(extension.kind)
    return fields | {"UnhandledCriticalExtensions": unhandled or None}


def _read(reader: tuple[str, Callable[[Extension], Json]], extension: Extension, fields: Json) -> bool:
    label, read = reader
    try:
        found = read(extension)
    except (DerError, ValueError):
        raise BuiltinError(f"x509: invalid {label}") from None
    fields.update(found)
    return not (extension.is_alternative_name and not any(found.values()))


def _sequence(extension: Extension) -> Reader:
    return der.only(extension.content, der.SEQUENCE).children()


def _key_usage(extension: Extension) -> Json:
    bits = der.only(extension.content, der.BIT_STRING).bits()
    # Bit 0 is the highest of the first byte.
    return {"KeyUsage": sum(1 << i for i in range(9) if i // 8 < len(bits) and bits[i // 8] >> (7 - i % 8) & 1)}


def _basic_constraints(extension: Extension) -> Json:
    parts = _sequence(extension)
    authority = parts.optional(der.BOOLEAN)
    length = parts.optional(der.INTEGER)
    limit = length.integer() if length else -1
    is_ca = authority.boolean() if authority else False
    return {"BasicConstraintsValid": True, "IsCA": is_ca, "MaxPathLen": limit, "MaxPathLenZero": limit == 0}


def _subject_key_id(extension: Extension) -> Json:
    return {"SubjectKeyId": b64encode(der.only(extension.content, der.OCTET_STRING).content).decode()}


def _authority_key_id(extension: Extension) -> Json:
    identifier = _sequence(extension).optional(_CONTEXT_0)
    return {"AuthorityKeyId": b64encode(identifier.content).decode()} if identifier else {}


def _extended_key_usage(extension: Extension) -> Json:
    kinds = [element.oid() for element in _sequence(extension)]
    known = [EXTENDED_USAGES[tuple(kind)] for kind in kinds if tuple(kind) in EXTENDED_USAGES]
    unknown = [kind for kind in kinds if tuple(kind) not in EXTENDED_USAGES]
    return {"ExtKeyUsage": known or None, "UnknownExtKeyUsage": unknown or None}


def _distribution_points(extension: Extension) -> Json:
    found: list[str] = []
    for point in _sequence(extension):
        name = point.expect(der.SEQUENCE).children().optional(_CONSTRUCTED_0)
        full = name.children().optional(_CONSTRUCTED_0) if name else None
        found += [names.ia5(each) for each in full.children() if each.tag == _URI] if full else []
    return {"CRLDistributionPoints": found or None}


def _authority_information(extension: Extension) -> Json:
    found: dict[str, list[str]] = {"OCSPServer": [], "IssuingCertificateURL": []}
    for description in _sequence(extension):
        parts = description.expect(der.SEQUENCE).children()
        field = _ACCESS_METHODS.get(tuple(parts.next(der.OID).oid()))
        place = parts.next()
        if field and place.tag == _URI:
            found[field].append(names.ia5(place))
    return {field: places or None for field, places in found.items()}


def _policies(extension: Extension) -> Json:
    kinds = [element.expect(der.SEQUENCE).children().next(der.OID).oid() for element in _sequence(extension)]
    return {"PolicyIdentifiers": kinds or None, "Policies": [_dotted(kind) for kind in kinds] or None}


def _policy_mappings(extension: Extension) -> Json:
    pairs = [[part.oid() for part in mapping.expect(der.SEQUENCE).children()] for mapping in _sequence(extension)]
    shown = [{"IssuerDomainPolicy": _dotted(ours), "SubjectDomainPolicy": _dotted(theirs)} for ours, theirs in pairs]
    return {"PolicyMappings": shown or None}


def _policy_constraints(extension: Extension) -> Json:
    fields = {_CONTEXT_0: "RequireExplicitPolicy", _CONTEXT_1: "InhibitPolicyMapping"}
    return {
        name: value
        for element in _sequence(extension)
        for name, value in _skip_count(fields[element.tag], int.from_bytes(element.content, signed=True)).items()
    }


def _inhibit_any_policy(extension: Extension) -> Json:
    return _skip_count("InhibitAnyPolicy", der.only(extension.content, der.INTEGER).integer())


def _skip_count(field: str, count: int) -> Json:
    return {field: count, f"{field}Zero": count == 0}


def _dotted(kind: list[int]) -> str:
    return ".".join(map(str, kind))


# Name constraints


def _name_constraints(extension: Extension) -> Json:
    parts = _sequence(extension)
    found: Json = {}
    for tag, rule in ((_CONSTRUCTED_0, "Permitted"), (_CONSTRUCTED_1, "Excluded")):
        element = parts.optional(tag)
        if element:
            found |= {f"{rule}{field}": values for field, values in _subtrees(element.children()).items()}
    return found | {"PermittedDNSDomainsCritical": extension.critical}


def _subtrees(subtrees: Reader) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for subtree in subtrees:
        name = subtree.expect(der.SEQUENCE).children().next()
        reader = _SUBTREES.get(name.tag)
        if reader:
            field, read = reader
            found.setdefault(field, []).append(read(name))
    return found


def _range(element: Element) -> Json:
    half = len(element.content) // 2
    if half not in (4, 16):
        raise DerError("IP constraint has a bad length")
    mask = element.content[half:]
    return {"IP": names.address_text(element.content[:half]), "Mask": b64encode(mask).decode()}


_SUBTREES: Final[Mapping[int, tuple[str, Callable[[Element], Any]]]] = {
    0x81: ("EmailAddresses", names.ia5),
    0x82: ("DNSDomains", names.ia5),
    0x86: ("URIDomains", names.ia5),
    0x87: ("IPRanges", _range),
}

READERS: Final[Mapping[tuple[int, ...], tuple[str, Callable[[Extension], Json]]]] = {
    (2, 5, 29, 14): ("subject key identifier", _subject_key_id),
    (2, 5, 29, 15): ("key usage", _key_usage),
    (2, 5, 29, 17): ("subject alternative names", lambda extension: dict(names.alternative(extension.content))),
    (2, 5, 29, 19): ("basic constraints", _basic_constraints),
    (2, 5, 29, 30): ("name constraints", _name_constraints),
    (2, 5, 29, 31): ("CRL distribution points", _distribution_points),
    (2, 5, 29, 32): ("certificate policies", _policies),
    (2, 5, 29, 33): ("policy mappings extension", _policy_mappings),
    (2, 5, 29, 35): ("authority key identifier", _authority_key_id),
    (2, 5, 29, 36): ("policy constraints extension", _policy_constraints),
    (2, 5, 29, 37): ("extended key usages", _extended_key_usage),
    (2, 5, 29, 54): ("inhibit any policy extension", _inhibit_any_policy),
    (1, 3, 6, 1, 5, 5, 7, 1, 1): ("authority info access", _authority_information),
}
