"""Built-ins of the family `uri`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from procurator.builtins import go_url
from procurator.builtins.operands import BuiltinError, string
from procurator.values import Value


def parse(value: Value) -> Value:
    """The parts of a URI that are not empty."""
    try:
        url = go_url.parse(string(value, 1))
    except go_url.UrlError as error:
        raise BuiltinError(str(error)) from None
    parts = {
        "scheme": url.scheme,
        "hostname": url.hostname,
        "port": url.port,
        "path": url.path,
        "raw_path": url.path and (url.raw_path or url.path),
        "raw_query": url.raw_query,
        "fragment": url.fragment,
    }
    return {name: part for name, part in parts.items() if part}


def is_valid(value: Value) -> Value:
    """Whether the value is a string that is a URI or a relative reference, and not empty."""
    if not isinstance(value, str) or not value:
        return False
    try:
        go_url.parse(value)
    except go_url.UrlError:
        return False
    return True


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "uri.is_valid": is_valid,
    "uri.parse": parse,
}
