"""Name constraints: which names an authority lets the certificates below it bear."""

import ipaddress
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, Final

from procurator.builtins._x509.certificate import Certificate
from procurator.builtins.go_url import Url

Json = dict[str, Any]
Matcher = Callable[[Any, Any], bool]


_MAX_COMPARISONS: Final = 250_000


def names_allowed(authority: Json, certificate: Certificate) -> bool:
    """Whether the fields of an authority let a certificate bear its names."""
    left = _MAX_COMPARISONS
    for field, (kind, matches) in _KINDS.items():
        excluded, permitted = authority[f"Excluded{kind}"] or [], authority[f"Permitted{kind}"] or []
        names = _names(certificate, field) if excluded or permitted else []
        if field == "URIs" and not all(map(_constrainable, names)):
            return False
        left -= len(names) * (len(excluded) + len(permitted))
        if left < 0 or not all(_allowed(name, permitted, excluded, matches) for name in names):
            return False
    return True


def _allowed(name: Any, permitted: list[Any], excluded: list[Any], matches: Matcher) -> bool:
    if any(matches(name, each) or _could_match(name, each) for each in excluded):
        return False
    return not permitted or any(matches(name, each) for each in permitted)


def _could_match(name: Any, constraint: Any) -> bool:
    """Whether a name with a wildcard stands for the very host that a constraint names."""
    if not (isinstance(name, str) and name.startswith("*.") and isinstance(constraint, str)):
        return False
    return constraint.lower().partition(".")[2] == name[2:].lower()


def _names(certificate: Certificate, field: str) -> list[Any]:
    return [url for _, url in certificate.urls] if field == "URIs" else certificate.fields[field] or []


def _domain(host: str, constraint: str) -> bool:
    """Whether a host is the constraint or below it; a leading dot wants it below."""
    labels = host.lower().removesuffix(".").split(".")
    wanted = constraint.lower().lstrip(".").split(".") if constraint else []
    if constraint.startswith(".") and len(labels) == len(wanted):
        return False
    return not wanted or labels[-len(wanted) :] == wanted


def _email(address: str, constraint: str) -> bool:
    local, _, host = address.rpartition("@")
    wanted_local, at, wanted_host = constraint.rpartition("@")
    if at:
        return local == wanted_local and host.lower() == wanted_host.lower()
    return _domain(host, constraint)


def _uri(url: Url, constraint: str) -> bool:
    return _domain(url.hostname, constraint)


def _constrainable(url: Url) -> bool:
    """Whether a URL names a host by name, which alone a constraint can speak of."""
    try:
        ipaddress.ip_address(url.hostname)
    except ValueError:
        return bool(url.hostname)
    return False


def _address(address: str, constraint: Json) -> bool:
    ours, theirs = ipaddress.ip_address(address), ipaddress.ip_address(constraint["IP"])
    mask = int.from_bytes(b64decode(constraint["Mask"]))
    return ours.version == theirs.version and int(ours) & mask == int(theirs) & mask


_KINDS: Final[Mapping[str, tuple[str, Matcher]]] = {
    "DNSNames": ("DNSDomains", _domain),
    "EmailAddresses": ("EmailAddresses", _email),
    "URIs": ("URIDomains", _uri),
    "IPAddresses": ("IPRanges", _address),
}
