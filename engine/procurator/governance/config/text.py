"""The text of a configuration: YAML 1.2 to plain values, and where in the text each of them stands.

Only what can be understood in one way is read: no names that are repeated, no aliases, no tags, no numbers in other
digits than decimal ones. JSON is YAML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from procurator_rules.errors import PolicyError, PolicyErrors
from procurator_rules.spans import Location, Source, Span

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

CODE: Final = "config_error"

Place: TypeAlias = tuple[str | int, ...]
"""Names and positions that lead to a value."""

MAX_DEPTH: Final = 32
"""Levels of mappings and lists."""

_TAG: Final = "tag:yaml.org,2002:"
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})")
_FLOAT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]{1,3})?")


class ConfigError(PolicyError):
    """A mistake in a configuration, with its place; the code is `config_error`."""


class ConfigErrors(PolicyErrors, ConfigError):  # noqa: N818  # it is named after what it holds
    """Several mistakes in a configuration."""


def config_error(message: str, *, at: Span | Location | None = None, hint: str | None = None) -> ConfigError:
    """The error with this message."""
    return ConfigError(CODE, message, at=at, hint=hint)


@dataclass(frozen=True)
class ConfigText:
    """What a text holds.

    Attributes:
        source: the text.
        value: the value, made of dict, list, str, int, float, bool and None.
        names: where the name of each member stands.
        values: where each value stands.
    """

    source: Source
    value: Any = None
    names: dict[Place, Span] = field(default_factory=dict)
    values: dict[Place, Span] = field(default_factory=dict)

    def name_at(self, place: Place) -> Location | None:
        """Where the name of a member stands, or the closest thing around it."""
        return self._closest({**self.values, **self.names}, place)

    def value_at(self, place: Place) -> Location | None:
        """Where a value stands, or the closest thing around it."""
        return self._closest(self.values, place)

    def _closest(self, spans: Mapping[Place, Span], place: Place) -> Location | None:
        for length in range(len(place), -1, -1):
            if place[:length] in spans:
                return spans[place[:length]].location
        return Location(self.source.name, 1, 1)


def read_text(text: str, name: str) -> ConfigText:
    """The value of a text, with the places of everything in it; an empty text is an empty mapping.

    Raises:
        ConfigError: it is no YAML, or something in it could be understood in two ways.
    """
    source = Source(name, text)
    root = _composed(source)
    read = _Reading(source)
    value = {} if root is None else read.node(root, ())
    return ConfigText(source, value, read.names, read.values)


def _composed(source: Source) -> Node | None:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(source.text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = None if mark is None else source.location(min(mark.index, len(source.text)))
        raise config_error(f"no YAML: {error.problem or error.context}", at=at) from None
    except ReaderError as error:
        at = source.location(error.position) if isinstance(error.position, int) else None
        raise config_error("no YAML: a control character", at=at) from None
    except RecursionError:
        raise config_error("no YAML: nested too deeply", at=Location(source.name, 1, 1)) from None
    return node


class _Reading:
    """Turns nodes into values, and notes where they stand."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.names: dict[Place, Span] = {}
        self.values: dict[Place, Span] = {}
        self._seen: set[int] = set()

    def node(self, node: Node, place: Place) -> Any:
        """The value of a node."""
        span = self.values[place] = self._span(node)
        if id(node) in self._seen:
            at = self.names.get(place, span)
            raise config_error("an alias stands for what is written elsewhere: write it out", at=at)
        self._seen.add(id(node))
        if len(place) > MAX_DEPTH:
            raise config_error(f"nested more than {MAX_DEPTH} deep", at=span)
        kind = str(node.tag).removeprefix(_TAG)
        if kind not in _KINDS:
            raise config_error(f"a value of the kind `{kind}` has no meaning here", at=span)
        return _KINDS[kind](self, node, place)

    def _span(self, node: Node) -> Span:
        start, end = node.start_mark.index, node.end_mark.index
        text = self.source.text[start:end]
        return Span(self.source, start, start + max(1, len(text.rstrip())))

    def mapping(self, node: Node, place: Place) -> dict[str, Any]:
        """The members of a mapping; each name stands once."""
        made: dict[str, Any] = {}
        for key, value in node.value:
            name, span = key.value, self._span(key)
            if str(key.tag) not in _NAMES:
                raise config_error("a name has to be a text", at=span)
            if name in made:
                first = self.names[(*place, name)].row
                raise config_error(f"`{name}` is there twice, first in line {first}", at=span)
            self.names[(*place, name)] = span
            made[name] = self.node(value, (*place, name))
        return made

    def sequence(self, node: Node, place: Place) -> list[Any]:
        """The items of a list."""
        return [self.node(item, (*place, number)) for number, item in enumerate(node.value)]

    def integer(self, node: Node, _place: Place) -> int:
        """A whole number."""
        return int(self._digits(node, _INTEGER))

    def float(self, node: Node, _place: Place) -> float:
        """A number with a point."""
        return float(self._digits(node, _FLOAT))

    def _digits(self, node: Node, pattern: re.Pattern[str]) -> str:
        text: str = node.value
        if not pattern.fullmatch(text):
            hint = "write numbers in decimal digits, and texts in quotes"
            raise config_error(f"`{text}` can be understood in two ways", at=self._span(node), hint=hint)
        return text

    def boolean(self, node: Node, _place: Place) -> bool:
        """True or false."""
        text = node.value.lower()
        if text not in ("true", "false"):  # as YAML 1.1 has them, where a directive says so
            hint = "write `true` or `false`, and texts in quotes"
            raise config_error(f"`{node.value}` can be understood in two ways", at=self._span(node), hint=hint)
        return bool(text == "true")

    def text(self, node: Node, _place: Place) -> str:
        """A text, whatever it looks like."""
        return str(node.value)

    def nothing(self, _node: Node, _place: Place) -> None:
        """No value."""


_NAMES: Final = frozenset({f"{_TAG}str", f"{_TAG}merge", f"{_TAG}value"})
"""What names can be; `<<` and `=` are names here, and unknown ones."""

_KINDS: Final[Mapping[str, Callable[[_Reading, Node, Place], Any]]] = {
    "map": _Reading.mapping,
    "seq": _Reading.sequence,
    "str": _Reading.text,
    "int": _Reading.integer,
    "float": _Reading.float,
    "bool": _Reading.boolean,
    "null": _Reading.nothing,
    "timestamp": _Reading.text,
    "value": _Reading.text,
    "merge": _Reading.text,
}
