"""Rego values as the JSON that OPA prints."""

import re
from typing import Any, Final

from procurator.numbers import number_text
from procurator.values import Set, Value, dumps, ordered_keys, value_of
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
    """A value of any depth as records for `indented`: keys sorted, no digit lost, sets as sorted arrays."""
    whole: list[Any] = [None]
    waiting: list[tuple[Any, Any, Value]] = [(whole, 0, value)]
    while waiting:
        container, place, item = waiting.pop()
        if isinstance(item, dict):
            named = {key if isinstance(key, str) else dumps(value_of(key)): item[key] for key in ordered_keys(item)}
            made: Any = dict.fromkeys(sorted(named))
            waiting += [(made, name, named[name]) for name in made]
        elif isinstance(item, list | Set):
            made = [None] * len(item)
            waiting += [(made, index, member) for index, member in enumerate(item)]
        else:
            made = item if isinstance(item, str | bool) or item is None else Number(number_text(item))
        container[place] = made
    return whole[0]
