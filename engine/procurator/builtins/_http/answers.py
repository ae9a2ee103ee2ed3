"""Answers as values, and how long they may be kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from procurator.builtins._http.request import SECOND, Request
from procurator.builtins._http.transport import Answer
from procurator.builtins.go_time import TimeError
from procurator.builtins.go_time_reading import read
from procurator.builtins.text_bytes import to_text
from procurator.builtins.yaml_reading import YamlError, load_yaml
from procurator.values import Value, loads

CACHEABLE: Final = frozenset({200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501})
_MAX_AGE: Final = (1 << 31) - 1
_DATES: Final = ("Mon, 02 Jan 2006 15:04:05 MST", "Monday, 02-Jan-06 15:04:05 MST", "Mon Jan _2 15:04:05 2006")
_YAML: Final = ("application/yaml", "application/x-yaml")


def answer_value(answer: Answer, request: Request) -> dict[str, Value]:
    """The answer as the policy sees it; a body that cannot be read as its type says is null."""
    return {
        "status": f"{answer.status} {answer.reason}".rstrip(),
        "status_code": answer.status,
        "body": _decoded(answer, request),
        "raw_body": to_text(answer.body),
        "headers": {name.lower(): list(values) for name, values in answer.headers.items()},
    }


def _decoded(answer: Answer, request: Request) -> Value:
    content_type = _header(answer.headers, "Content-Type")
    try:
        if request.json or _is_json(content_type):
            return loads(answer.body.decode("utf-8", "replace"))
        if request.yaml or any(kind in content_type for kind in _YAML):
            return load_yaml(answer.body.decode("utf-8", "replace"))
    except (json.JSONDecodeError, YamlError, ValueError):
        return None
    return None


def _is_json(content_type: str) -> bool:
    kind, slash, subtype = content_type.partition(";")[0].strip().lower().partition("/")
    return bool(slash) and kind == "application" and (subtype == "json" or subtype.endswith("+json"))


def _header(headers: Mapping[str, list[str]], name: str) -> str:
    return headers.get(name, [""])[0]


# Keeping answers


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer kept for later queries."""

    answer: Answer
    expires_ns: int

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        headers = sum(len(name) + sum(map(len, values)) for name, values in self.answer.headers.items())
        return len(self.answer.body) + headers


def keep(answer: Answer, request: Request, now_ns: int) -> Kept | None:
    """The answer with the time until which it counts as fresh; None if it must not be kept."""
    if answer.status not in CACHEABLE:
        return None
    if not request.cached_for and "no-store" in _directives(answer.headers):
        return None
    expires = expiry(answer.headers, request, now_ns)
    return None if expires is None else Kept(answer, expires)


def expiry(headers: Mapping[str, list[str]], request: Request, now_ns: int) -> int | None:
    """Until when an answer is fresh: as long as the request says, or else its headers; None if they make no sense."""
    if request.cached_for:
        return now_ns + request.cached_for * SECOND
    age = _directives(headers).get("max-age")
    if age is None:
        return _date(_header(headers, "Expires")) or 0
    date = _date(_header(headers, "Date"))
    if date is None or not (age.isascii() and age.isdigit()):
        return None
    return date + min(int(age[:12]), _MAX_AGE) * SECOND


def refreshed(kept: Kept, fresh: Mapping[str, list[str]], expires_ns: int) -> Kept:
    """A kept answer that the server called unchanged, with the headers it said so with."""
    return Kept(replace(kept.answer, headers={**kept.answer.headers, **fresh}), expires_ns)


def conditions(kept: Kept) -> dict[str, str]:
    """The headers that ask whether a kept answer is still the current one."""
    asked = {"If-None-Match": _header(kept.answer.headers, "Etag")}
    asked["If-Modified-Since"] = _header(kept.answer.headers, "Last-Modified")
    return {name: value for name, value in asked.items() if value}


def _directives(headers: Mapping[str, list[str]]) -> dict[str, str]:
    directives = {}
    for part in _header(headers, "Cache-Control").split(","):
        name, equals, value = part.strip(" ").partition("=")
        if name and "=" not in value:
            directives[name.strip(" ")] = value if equals else ""
    return directives


def _date(text: str) -> int | None:
    for layout in _DATES:
        try:
            return read(layout, text)
        except TimeError:
            continue
    return None
