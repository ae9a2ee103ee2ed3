"""One spelling for each path or URL, so that two spellings of a resource cannot be told apart by a policy.

A path is resolved as text: `.`, `..`, `//` and a slash at the end go, and what leads above the root is refused. No file
system is asked, so links are for the tool to mind. A URL keeps its path, and is refused where that would change, and
where its host or port could be spelt in another way. Percent-encoded characters are refused in both, but for the query
of a URL: some tools decode them and some do not.
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv6Address, ip_address
from typing import Final

_MAX_MARKS: Final = 30
# Most texts, at a glance: a path or a URL without anything that has to be looked at.
_SEGMENT: Final = r"[A-Za-z0-9_~@+=,:! -][A-Za-z0-9_~@+=,:! .-]*+"
_OF_URL: Final = _SEGMENT.replace(" ", "")
_NORMAL: Final = re.compile(
    rf"(?:(?!file:)[a-z]+://(?:[a-z0-9]+[.-])*+[a-z][a-z0-9]*+(?:/{_OF_URL})++"
    rf"|(?![^/]*:)/?{_SEGMENT}(?:/{_SEGMENT})*+)"
)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://")
_LABEL: Final = r"[A-Za-z0-9_~\-]+"
_AUTHORITY: Final = re.compile(rf"(?:({_LABEL}(?:\.{_LABEL})*)|\[([0-9A-Fa-f:.]+)\])(?::([0-9]*))?")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_MAX_PORT: Final = 65535
_NUMERIC: Final = re.compile(r"[0-9]+|0[Xx][0-9A-Fa-f]*")
# Browsers and libraries read these with any number of slashes.
_SLASHLESS: Final = re.compile(r" *(?:https?|wss?|ftp|file):(?!//)", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443", "ws": ":80", "wss": ":443", "ftp": ":21"}
# Slashes to the eye, ordinary characters to a file system; NFKC leaves them alone.
_SLASHES: Final = "\u2044\u2215\u29f8\u29f5\u29f9\u2571\u27cb\u2216\u27cd"
_FORBIDDEN: Final = (
    (re.compile(r"[\x00-\x1f\x7f-\x9f]"), "holds a control character"),
    (re.compile(r"\\"), "holds a backslash"),
    (re.compile(f"[{_SLASHES}]"), "holds a character that looks like a slash"),
)
_PERCENT: Final = re.compile(r"%[0-9A-Fa-f]{2}")


class PathError(ValueError):
    """A text has no normal form; the message says why."""


def normalised(text: str) -> str | None:
    """The normal form, or None where there is none."""
    if _NORMAL.fullmatch(text) is not None:
        return text
    try:
        return normal_path(text)
    except PathError:
        return None


def normal_path(text: str) -> str:
    """The normal form of a path or URL."""
    text = plain_text(text)
    if _SLASHLESS.match(text):
        raise PathError("has a scheme without `//`")
    return normal_url(text) if _SCHEME.match(text) else _resolved(text)


def plain_text(text: str) -> str:
    """The text under NFC, which must be what NFKC makes of it, without control characters and backslashes."""
    if not text.isascii():
        text = _composed(text)
    for pattern, reason in _FORBIDDEN:
        if pattern.search(text):
            raise PathError(reason)
    return text


def _composed(text: str) -> str:
    # Python orders a run of combining marks in quadratic time.
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks > _MAX_MARKS:
            raise PathError(f"has more than {_MAX_MARKS} combining marks in a row")
        if unicodedata.category(char) in _HIDDEN:
            raise PathError(f"holds the character U+{ord(char):04X}, which is not seen or not assigned")
    composed = unicodedata.normalize("NFC", text)
    if unicodedata.normalize("NFKC", text) != composed:
        raise PathError("holds a character that stands for another one (changes under NFKC)")
    return composed


_HIDDEN: Final = frozenset({"Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def refuse_percent(text: str) -> None:
    """No encoded character is let through."""
    if _PERCENT.search(text):
        raise PathError("holds a percent-encoded character")


def _resolved(text: str) -> str:
    refuse_percent(text)
    kept: list[str] = []
    for segment in text.split("/"):
        if segment == "..":
            if not kept:
                raise PathError("leads above its root")
            kept.pop()
        elif segment not in ("", "."):
            kept.append(segment)
    path = "/".join(kept)
    if text.startswith("/"):
        return f"/{path}"
    if not path:
        raise PathError("is empty")
    return path


def normal_url(text: str) -> str:
    """The normal form of a URL: scheme and host in lower case, no default port, a path at least of `/`."""
    scheme, rest = text.split("://", 1)
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    tail = rest[len(authority) :]
    check_authority(scheme, authority)
    _check_url_path(re.split(r"[?#]", tail, maxsplit=1)[0])
    if "#" in tail:
        raise PathError("has a fragment, which no server sees")
    if " " in tail:
        raise PathError("holds a space")
    if tail.endswith("?") and tail.count("?") == 1:
        raise PathError("has an empty query")
    origin = without_default_port(f"{scheme}://{authority}".lower())
    return f"{origin}{'' if tail.startswith('/') else '/'}{tail}"


def check_authority(scheme: str, authority: str) -> None:
    """Refuse a host and port that could be spelt in another way; a file has none."""
    is_file = scheme.lower() == "file"
    if is_file and not authority:
        return
    parts = None if is_file else _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise PathError("has a host that is no plain name")
    name, address, port = parts.groups("")
    if address or _NUMERIC.fullmatch(name.rpartition(".")[2]):
        _check_address((address or name).lower())
    if port and (not _PORT.fullmatch(port) or int(port) > _MAX_PORT):
        raise PathError("has a port that is spelt in another way")


def _check_address(host: str) -> None:
    try:
        address = ip_address(host)
    except ValueError:
        address = None
    if str(address) != host or (isinstance(address, IPv6Address) and address.ipv4_mapped is not None):
        raise PathError("has an address that is spelt in another way")


def without_default_port(origin: str) -> str:
    """A scheme and a host in lower case without the port that goes without saying."""
    return origin.removesuffix(_DEFAULT_PORTS.get(origin.partition(":")[0], ":")).removesuffix(":")


def _check_url_path(path: str) -> None:
    refuse_percent(path)
    segments = path.split("/")[1:]
    if any(segment in (".", "..") for segment in segments) or "" in segments[:-1]:
        raise PathError("has a path that servers read in different ways")
