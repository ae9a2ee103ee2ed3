"""Names in certificates, distinguished and alternative ones, in the shape Go gives them."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final

from procurator.builtins._x509 import der
from procurator.builtins._x509.der import DerError, Element
from procurator.builtins.go_url import Url, UrlError
from procurator.builtins.go_url import parse as parse_url

Json = dict[str, Any]

# The last arc of 2.5.4.*, and the field of Go's Name.
_LISTS: Final[Mapping[int, str]] = {
    6: "Country",
    10: "Organization",
    11: "OrganizationalUnit",
    7: "Locality",
    8: "Province",
    9: "StreetAddress",
    17: "PostalCode",
}
_SINGLES: Final[Mapping[int, str]] = {5: "SerialNumber", 3: "CommonName"}
_ATTRIBUTE_ARC: Final = [2, 5, 4]
_EMAIL, _DNS, _URI, _IP = 0x81, 0x82, 0x86, 0x87


def distinguished(element: Element) -> Json:
    """A distinguished name as Go's `pkix.Name`."""
    attributes = [
        _attribute(attribute) for group in element.expect(der.SEQUENCE).children() for attribute in _members(group)
    ]
    name: Json = dict.fromkeys(_LISTS.values()) | dict.fromkeys(_SINGLES.values(), "")
    for kind, text in attributes:
        if len(kind) != 4 or kind[:3] != _ATTRIBUTE_ARC:
            continue
        if kind[3] in _LISTS:
            name[_LISTS[kind[3]]] = [*(name[_LISTS[kind[3]]] or []), text]
        elif kind[3] in _SINGLES:
            name[_SINGLES[kind[3]]] = text
    listed = [{"Type": kind, "Value": text} for kind, text in attributes]
    return name | {"Names": listed or None, "ExtraNames": None}


def _members(group: Element) -> list[Element]:
    return list(group.expect(der.SET).children())


def _attribute(element: Element) -> tuple[list[int], str]:
    parts = element.expect(der.SEQUENCE).children()
    kind = parts.next(der.OID).oid()
    return kind, parts.next().text()


def alternative(content: bytes) -> dict[str, list[Any] | None]:
    """The names of a subject alternative name extension, by Go's field."""
    found: dict[str, list[Any] | None] = dict.fromkeys(("DNSNames", "EmailAddresses", "IPAddresses", "URIs"))
    for element in der.only(content, der.SEQUENCE).children():
        reader = _GENERAL_NAMES.get(element.tag)
        if reader:
            field, read = reader
            found[field] = [*(found[field] or []), read(element)]
    return found


def ia5(element: Element) -> str:
    """Text of ASCII characters."""
    try:
        return element.content.decode("ascii")
    except UnicodeDecodeError:
        raise DerError("SAN field is malformed") from None


def _address(element: Element) -> str:
    if len(element.content) not in (4, 16):
        raise DerError(f"cannot parse IP address of length {len(element.content)}")
    return address_text(element.content)


def address_text(content: bytes) -> str:
    """An address of 4 or 16 bytes as Go prints it."""
    address = ip_address(content)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _url(element: Element) -> tuple[str, Url]:
    text = ia5(element)
    try:
        return text, parse_url(text)
    except UrlError as error:
        raise DerError(f"cannot parse URI {text!r}: {error}") from None


_GENERAL_NAMES: Final[Mapping[int, tuple[str, Any]]] = {
    _EMAIL: ("EmailAddresses", ia5),
    _DNS: ("DNSNames", ia5),
    _URI: ("URIs", _url),
    _IP: ("IPAddresses", _address),
}


def url_json(url: Url) -> Json:
    """A URL as Go's struct."""
    return {
        "Scheme": url.scheme,
        "Opaque": url.opaque,
        "User": None if url.user is None else {},
        "Host": url.host,
        "Path": url.path,
        "RawPath": url.raw_path,
        "OmitHost": False,
        "ForceQuery": False,
        "RawQuery": url.raw_query,
        "Fragment": url.fragment,
        "RawFragment": "",
    }
