"""URLs as Go's `net/url` reads them, refusals included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final, NamedTuple
from urllib.parse import quote_from_bytes

from procurator.builtins.text_bytes import to_bytes, to_text
from procurator.render import quote

_MAX_PARAMETERS: Final = 10_000
_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")
_SCHEME: Final = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*)?:")
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_PORT: Final = re.compile(rb"(?::[0-9]*)?")
_USERINFO: Final = re.compile(rb"[A-Za-z0-9._~:!$&'()*+,;=%@-]*")
_HOST_CHARS: Final = rb"A-Za-z0-9!\"$&'()*+,.:;<=>\[\]_~\x80-\xff-"
# In a host only bytes beyond ASCII may be escaped, and the percent sign itself.
_BAD_IN_HOST: Final = re.compile(rb"%(?!25|[89A-Fa-f][0-9A-Fa-f])(?:..?)?|[^%" + _HOST_CHARS + rb"]", re.DOTALL)
_BAD_IN_ZONE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})(?:..?)?|[^%" + _HOST_CHARS + rb"]", re.DOTALL)
_ZONE_BYTE: Final = re.compile(rb"[% " + _HOST_CHARS.replace(rb"\x80-\xff", b"") + rb"]")
_PATH_SAFE: Final = "$&+,-./:;=@_~"


class UrlError(ValueError):
    """A text is no URL, or no part of one; the message is Go's."""


class _Authority(NamedTuple):
    user: bytes | None
    host: bytes


@dataclass(frozen=True, slots=True)
class Url:
    """The parts of a URL, unescaped unless their name says raw."""

    scheme: str = ""
    opaque: str = ""
    user: str | None = None
    host: str = ""
    path: str = ""
    raw_path: str = ""
    raw_query: str = ""
    fragment: str = ""

    @property
    def hostname(self) -> str:
        """The host without port and brackets."""
        host = self.host.removesuffix(f":{self.port}") if self._has_port() else self.host
        return host[1:-1] if host[:1] == "[" and host[-1:] == "]" else host

    @property
    def port(self) -> str:
        """The digits after the host, or ''."""
        return self.host.rpartition(":")[2] if self._has_port() else ""

    def _has_port(self) -> bool:
        colon = self.host.rfind(":")
        return colon >= 0 and _PORT.fullmatch(to_bytes(self.host[colon:])) is not None


def parse(text: str) -> Url:
    """Read a URL or a relative reference."""
    before, _, fragment = to_bytes(text).partition(b"#")
    try:
        parts = _parse(before)
    except UrlError as error:
        raise UrlError(f"parse {quote(to_text(before))}: {error}") from None
    if not fragment:
        return Url(**parts)
    try:
        return Url(**parts, fragment=to_text(_unescape(fragment)))
    except UrlError as error:
        raise UrlError(f"parse {quote(text)}: {error}") from None


def unescape(text: str) -> str:
    """A component of a query without its escapes; + is a space."""
    content = to_bytes(text)
    _check_escapes(content)
    return to_text(_unescape(content.replace(b"+", b" ")))


def parse_query(query: str) -> dict[str, list[str]]:
    """The values of each name in a query."""
    pairs = query.split("&")
    if len(pairs) > _MAX_PARAMETERS:
        raise UrlError("number of URL query parameters exceeded limit")
    problem = "invalid semicolon separator in query" if ";" in query else ""
    values: dict[str, list[str]] = {}
    for pair in pairs:
        if not pair or ";" in pair:
            continue
        name, _, value = pair.partition("=")
        try:
            values.setdefault(unescape(name), []).append(unescape(value))
        except UrlError as error:
            problem = problem or str(error)
    if problem:
        raise UrlError(problem)
    return values


def _unescape(content: bytes) -> bytes:
    _check_escapes(content)
    return _ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode()), content)


def _check_escapes(content: bytes) -> None:
    bad = _BAD_ESCAPE.search(content)
    if bad is not None:
        start = bad.start()
        raise UrlError(f"invalid URL escape {quote(to_text(content[start : start + 3]))}")


def _parse(url: bytes) -> dict[str, Any]:
    if _CONTROL.search(url):
        raise UrlError("net/url: invalid control character in URL")
    if url == b"*":
        return {"path": "*", "raw_path": ""}
    scheme, rest = _scheme(url)
    rest, _, query = rest.partition(b"?")
    parts: dict[str, Any] = {"scheme": scheme, "raw_query": to_text(query)}
    if not rest.startswith(b"/"):
        if scheme:
            return parts | {"opaque": to_text(rest)}
        if b":" in rest.partition(b"/")[0]:
            raise UrlError("first path segment in URL cannot contain colon")
    if rest.startswith(b"//") and (scheme or not rest.startswith(b"///")):
        authority, slash, path = rest[2:].partition(b"/")
        user, host = _authority(scheme, authority)
        parts |= {"user": None if user is None else to_text(user), "host": to_text(host)}
        rest = slash + path
    path = _unescape(rest)
    raw = "" if quote_from_bytes(path, _PATH_SAFE).encode() == rest else to_text(rest)
    return parts | {"path": to_text(path), "raw_path": raw}


def _scheme(url: bytes) -> tuple[str, bytes]:
    match = _SCHEME.match(url)
    if match is None:
        return "", url
    if match[1] is None:
        raise UrlError("missing protocol scheme")
    return match[1].decode().lower(), url[match.end() :]


def _authority(scheme: str, authority: bytes) -> _Authority:
    userinfo, at, host = authority.rpartition(b"@")
    host = _host(scheme, host)
    if not at:
        return _Authority(None, host)
    if not _USERINFO.fullmatch(userinfo):
        raise UrlError("net/url: invalid userinfo")
    return _Authority(b":".join(_unescape(part) for part in userinfo.split(b":", 1)), host)


def _host(scheme: str, host: bytes) -> bytes:
    bracket = host.rfind(b"[")
    if bracket > 0:
        raise UrlError("invalid IP-literal")
    if bracket == 0:
        return _ip_literal(host)
    first, last = host.find(b":"), host.rfind(b":")
    if first >= 0:
        _check_port(host[first if scheme in ("http", "https") else last :])
    return _checked(host, _BAD_IN_HOST)


def _check_port(port: bytes) -> None:
    if not _PORT.fullmatch(port):
        raise UrlError(f"invalid port {quote(to_text(port))} after host")


def _ip_literal(host: bytes) -> bytes:
    literal, bracket, port = host[1:].rpartition(b"]")
    if not bracket:
        raise UrlError("missing ']' in host")
    _check_port(port)
    zone_start = literal.find(b"%25")
    if zone_start >= 0:
        address = _checked(literal[:zone_start], _BAD_IN_HOST)
        zone = _checked(literal[zone_start:], _BAD_IN_ZONE)
    else:
        address, zone = _checked(literal, _BAD_IN_HOST), b""
    _check_address(to_text(address), to_text(zone))
    return b"[" + address + zone + b"]" + port


def _check_address(address: str, zone: str) -> None:
    version = _version(address)
    if version == 4 and not zone:
        raise UrlError("invalid IP-literal")
    if version != 6 or "%" in address or zone == "%":
        problem = "zone must be a non-empty string" if zone == "%" else "unable to parse IP"
        raise UrlError(f"invalid host: ParseAddr({quote(address + zone)}): {problem}")


def _version(address: str) -> int:
    try:
        return ip_address(address).version
    except ValueError:
        return 0


def _checked(content: bytes, faults: re.Pattern[bytes]) -> bytes:
    """A part of a host without its escapes, or Go's word for the first byte that may not be there."""
    bad = faults.search(content)
    if bad is None and faults is _BAD_IN_ZONE:
        escapes = _ESCAPE.finditer(content)
        bad = next((escape for escape in escapes if not _ZONE_BYTE.match(bytes.fromhex(escape[1].decode()))), None)
    if bad is None:
        return _unescape(content)
    shown = quote(to_text(bad[0]))
    if bad[0][:1] == b"%":
        raise UrlError(f"invalid URL escape {shown}")
    raise UrlError(f"invalid character {shown} in host name")
