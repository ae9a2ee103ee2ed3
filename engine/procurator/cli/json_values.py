"""Rego values as the JSON that OPA prints."""

import re
from typing import Any, Final

from procurator.numbers import number_text
from procurator.values import DepthError, Set, Value, dumps, ordered_keys, value_of
from procurator_rules.json_text import HTML_ESCAPES, json_text
from procurator_rules.nodes import Number

# Half a surrogate pair is no character, and cannot be written.
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def compact(value: Value) -> str:
    """The text of a value in one line."""
    return dumps(value).translate(HTML_ESCAPES)


def indented(tree: Any) -> str:
    """The text of records over several lines, in their own order; values in them are made by `json_tree`."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", json_text(tree))


def json_tree(value: Value) -> Any:
    """A value as records for `indented`: keys sorted, no digit lost, sets as sorted arrays."""
    try:
        return _tree(value)
    except RecursionError:
        raise DepthError from None


def _tree(value: Value) -> Any:
    if isinstance(value, dict):
        named = {key if isinstance(key, str) else dumps(value_of(key)): value[key] for key in ordered_keys(value)}
        return {name: _tree(named[name]) for name in sorted(named)}
    if isinstance(value, list | Set):
        return [_tree(item) for item in value]
    if isinstance(value, str | bool) or value is None:
        return value
    return Number(number_text(value))
