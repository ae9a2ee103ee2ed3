"""The formats of strings; a format of another name is no constraint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from procurator.builtins import go_url
from procurator.builtins.cidr import is_address
from procurator.builtins.go_time import RFC3339, TimeError
from procurator.builtins.go_time_reading import read
from procurator.builtins.re2_patterns import PatternError, compile_test, matches

_LABEL: Final = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_HOSTNAME: Final = rf"{_LABEL}(?:\.{_LABEL})*"
_ATOM: Final = r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~\x{80}-\x{10FFFF}-]+"
_QUOTED: Final = r'"(?:[^"\\\r\n]|\\.)*"'
_ADDRESS: Final = rf"(?:{_ATOM}(?:\.{_ATOM})*|{_QUOTED})@(?:{_ATOM}(?:\.{_ATOM})*|\[[0-9a-fA-F.:]+\])"
_EMAIL: Final = rf"[ \t]*(?:{_ADDRESS}|(?:(?:{_ATOM}|{_QUOTED}|\.)[ \t]*)*<{_ADDRESS}>)[ \t]*"
_UUID: Final = "(?i)[a-f0-9]{8}-(?:[a-f0-9]{4}-){3}[a-f0-9]{12}"
_POINTER: Final = "(?:/(?:[^~/]|~0|~1)*)*"
_RELATIVE_POINTER: Final = f"(?:0|[1-9][0-9]*)(?:#|{_POINTER})"
_TEMPLATE: Final = r"(?s)(?:[^{]|\{[^}]*\})*"
_DATE: Final = "2006-01-02"
_TIME: Final = "15:04:05"


def _readable(*layouts: str) -> Callable[[str], bool]:
    return lambda text: any(_reads(layout, text) for layout in layouts)


def _reads(layout: str, text: str) -> bool:
    try:
        read(layout, text)
    except TimeError:
        return False
    return True


def _shaped(pattern: str) -> Callable[[str], bool]:
    whole = rf"\A(?:{pattern})\z"
    return lambda text: matches(whole, text)


def _url(text: str) -> go_url.Url | None:
    if "\\" in text:
        return None
    try:
        return go_url.parse(text)
    except go_url.UrlError:
        return None


def _is_uri(text: str) -> bool:
    url = _url(text)
    return url is not None and url.scheme != ""


def _is_reference(text: str) -> bool:
    return _url(text) is not None


def _is_template(text: str) -> bool:
    url = _url(text)
    return url is not None and _shaped(_TEMPLATE)(url.path)


def _is_regex(text: str) -> bool:
    try:
        compile_test(text)
    except PatternError:
        return False
    return True


FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "date": _readable(_DATE),
    "date-time": _readable(_TIME, f"{_TIME}Z07:00", _DATE, RFC3339),
    "time": _readable(f"{_TIME}Z07:00", _TIME),
    "hostname": lambda text: len(text) < 256 and _shaped(_HOSTNAME)(text),
    "email": _shaped(_EMAIL),
    "idn-email": _shaped(_EMAIL),
    "ipv4": lambda text: "." in text and is_address(text),
    "ipv6": lambda text: ":" in text and is_address(text),
    "uri": _is_uri,
    "uri-reference": _is_reference,
    "iri": _is_uri,
    "iri-reference": _is_reference,
    "uri-template": _is_template,
    "uuid": _shaped(_UUID),
    "regex": _is_regex,
    "json-pointer": _shaped(_POINTER),
    "relative-json-pointer": _shaped(_RELATIVE_POINTER),
}
