"""YAML 1.2 in: the first document of a text as a Rego value, as OPA reads policies' YAML and data files.

Dates stay strings, the last of duplicate keys counts, keys become strings, and expanding aliases is bounded.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from struct import pack
from typing import Any, Final

from procurator.builtins.go_number import general
from procurator.builtins.text_bytes import to_text
from procurator.builtins.yaml_problems import go_syntax, told
from procurator.values import Value

_TAG: Final = "tag:yaml.org,2002:"
_FIXED: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_INTEGER: Final = re.compile("([+-]?)(?:0[xX]([0-9A-Fa-f]+)|0[bB]([01]+)|0[oO]?([0-7]+)|([1-9][0-9]*|0))")
_BASES: Final = (16, 2, 8, 10)
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NUMERIC: Final = frozenset("+-0123456789")
_MAX_DIGITS: Final = 1_000
_JSON_EXPONENT: Final = 1e21
# Go's decoder lets small documents grow by aliases and stops large ones.
_FREE_ALIASES: Final = 100
_FREE_NODES: Final = 1_000
_SMALL: Final = 400_000
_LARGE: Final = 4_000_000


class YamlError(ValueError):
    """A text is no YAML, or has no counterpart in JSON; the message is shaped as Go's."""


class _Mark:
    """Stands where a key can stand without being one."""


_MERGE: Final = _Mark()  # the plain key `<<`
_NULL_KEY: Final = _Mark()
_NO_KEY: Final = _Mark()


@dataclass(slots=True)
class _Collection:
    """A sequence or mapping whose end has not been reached."""

    anchor: str | None
    mapping: bool
    items: list[Value] = field(default_factory=list)
    pairs: dict[str, Value] = field(default_factory=dict)
    merged: list[dict[str, Value]] = field(default_factory=list)
    key: str | _Mark = _NO_KEY
    size: int = 1

    def add(self, value: Value) -> None:
        if self.mapping and self.key is _NO_KEY:
            self.key = _key(value)
        elif self.mapping:
            self._pair(_as_json(value))
            self.key = _NO_KEY
        else:
            self.items.append(_as_json(value))

    def _pair(self, value: Value) -> None:
        if self.key is _NULL_KEY:
            raise YamlError(f"unsupported map key of type: %!s(<nil>), key: <nil>, value: {go_syntax(value)}")
        if isinstance(self.key, str):
            self.pairs[self.key] = value
            return
        mergeable = value if isinstance(value, list) else [value]
        if not all(isinstance(one, dict) for one in mergeable):
            raise YamlError("yaml: map merge requires map or sequence of maps as the value")
        self.merged.extend(mergeable)

    def value(self) -> Value:
        if not self.mapping:
            return self.items
        # A key of the mapping itself counts before merged ones, and of those the first.
        return {name: value for source in (*reversed(self.merged), self.pairs) for name, value in source.items()}


def load_yaml(text: str) -> Value:
    """The value of the first document; the others only have to be well formed. No document at all is null."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    documents = _Documents()
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            _ON_EVENT.get(type(event).__name__, _ignore)(documents, event)
    except MarkedYAMLError as error:
        raise YamlError(f"yaml: {told(error)}") from None
    except YAMLError:
        raise YamlError("yaml: control characters are not allowed") from None
    except RecursionError:
        raise YamlError("yaml: exceeded max depth") from None
    return documents.first


class _Documents:
    """Builds the values of the documents from the parser's events, without recursion."""

    def __init__(self) -> None:
        self.first: Value = None
        self._any = False
        self._open: list[_Collection] = []
        self._anchored: dict[str, tuple[Value, int]] = {}
        self._nodes = 0
        self._aliased = 0

    def scalar(self, event: Any) -> None:
        self._nodes += 1
        value = _scalar(event)
        if event.anchor:
            self._anchored[event.anchor] = (value, 1)
        self._add(value, 1)

    def alias(self, event: Any) -> None:
        name = event.anchor
        if any(collection.anchor == name for collection in self._open):
            raise YamlError(f"yaml: anchor '{name}' value contains itself")
        if name not in self._anchored:
            raise YamlError(f"yaml: unknown anchor '{name}' referenced")
        value, size = self._anchored[name]
        self._nodes += size
        self._aliased += size
        self._check_aliases()
        self._add(value, size)

    def start(self, event: Any) -> None:
        # Go wants the marker even where YAML 1.2 can do without it.
        if self._any and not event.explicit:
            raise YamlError(f"yaml: line {event.start_mark.line}: did not find expected <document start>")

    def open_sequence(self, event: Any) -> None:
        self._start(_Collection(event.anchor, mapping=False))

    def open_mapping(self, event: Any) -> None:
        self._start(_Collection(event.anchor, mapping=True))

    def close(self, _event: Any) -> None:
        done = self._open.pop()
        value = done.value()
        if done.anchor:
            self._anchored[done.anchor] = (value, done.size)
        self._add(value, done.size)

    def _start(self, collection: _Collection) -> None:
        self._nodes += 1
        self._open.append(collection)

    def _add(self, value: Value, size: int) -> None:
        if self._open:
            self._open[-1].add(value)
            self._open[-1].size += size
        elif not self._any:
            self._any = True
            self.first = _as_json(value)

    def _check_aliases(self) -> None:
        if self._aliased <= _FREE_ALIASES or self._nodes <= _FREE_NODES:
            return
        growth = min(max(self._nodes - _SMALL, 0) / (_LARGE - _SMALL), 1)
        if self._aliased / self._nodes > 0.99 - 0.89 * growth:
            raise YamlError("yaml: document contains excessive aliasing")


_ON_EVENT: Final[Mapping[str, Callable[[_Documents, Any], None]]] = {
    "DocumentStartEvent": _Documents.start,
    "ScalarEvent": _Documents.scalar,
    "AliasEvent": _Documents.alias,
    "SequenceStartEvent": _Documents.open_sequence,
    "MappingStartEvent": _Documents.open_mapping,
    "SequenceEndEvent": _Documents.close,
    "MappingEndEvent": _Documents.close,
}


def _ignore(_documents: _Documents, _event: Any) -> None:
    """The stream itself and the ends of documents say nothing of the value."""


def _as_json(value: Value) -> Value:
    if value is _MERGE:
        return "<<"
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        shown = "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
        raise YamlError(f"json: unsupported value: {shown}")
    # The digits Go prints are the shortest ones, filled up with zeros.
    return int(Decimal(repr(value))) if value.is_integer() and abs(value) < _JSON_EXPONENT else value


def _key(value: Value) -> str | _Mark:
    if isinstance(value, (str, _Mark)):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float_key(value)
    if value is None:
        return _NULL_KEY
    raise YamlError(f"yaml: invalid map key: {go_syntax(value)}")


def _float_key(value: float) -> str:
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    return ".nan" if math.isnan(value) else general(_shortest_single(value))


def _shortest_single(value: float) -> float:
    """The shortest decimal that names the same float of 32 bits."""
    try:
        single = pack("f", value)
        return next(short for digits in range(17) if pack("f", short := float(f"{value:.{digits}e}")) == single)
    except OverflowError:
        return value


def _scalar(event: Any) -> Value:
    """The value of a scalar by its tag, or by its looks if it is plain and has none."""
    text, tag = event.value, event.tag
    if tag in (None, "!"):
        if event.style:
            return text
        return _MERGE if text == "<<" else resolved(text)
    kind = tag.removeprefix(_TAG)
    if kind not in _KINDS:
        return _decoded(text) if kind == "binary" else text
    value = resolved(text)
    if kind == "float" and type(value) is int:
        return value
    if not _KINDS[kind](value):
        raise YamlError(f"yaml: cannot decode !!{_kind(value)} `{text}` as a !!{kind}")
    return value


_KINDS: Final[Mapping[str, Callable[[Value], bool]]] = {
    "null": lambda value: value is None,
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: type(value) is int,
    "float": lambda value: isinstance(value, float),
}


def _kind(value: Value) -> str:
    return next((kind for kind, fits in _KINDS.items() if fits(value)), "str")


def _decoded(text: str) -> str:
    try:
        return to_text(base64.b64decode("".join(text.split()), validate=True))
    except binascii.Error:
        raise YamlError("yaml: !!binary value contains invalid base64 data") from None


def resolved(text: str) -> Value:
    """What a plain scalar stands for in YAML 1.2, and in the older spellings of numbers that Go still reads."""
    if text in _FIXED:
        return _FIXED[text]
    if text[:1] == ".":
        return _float(text, text)
    if text[:1] not in _NUMERIC or len(text) > _MAX_DIGITS:
        return text
    plain = text.replace("_", "")
    integer = _INTEGER.fullmatch(plain)
    if integer is not None:
        sign, *digits = integer.groups()
        number = next(int(sign + digit, base) for digit, base in zip(digits, _BASES, strict=True) if digit)
        if -(1 << 63) <= number < (1 << 63 if sign else 1 << 64):
            return number
    return _float(plain, text)


def _float(plain: str, text: str) -> Value:
    # What is beyond the range of floats is no number to Go, but a string.
    return text if not _FLOAT.fullmatch(plain) or math.isinf(float(plain)) else float(plain)
