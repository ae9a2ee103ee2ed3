"""Values as bytes and back: what msgpack knows, and lists whose first item says what they are.

Reading takes nothing for granted: what was not written here is a `DamagedError`, and nothing that is read can name a
function or a class.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

import msgpack

from procurator.compile.plan import RuleInfo
from procurator.decision import Decision
from procurator.runtime.index import Level, Table
from procurator.values import UNDEFINED, Set, Undefined, key_of, value_of
from procurator_rules.spans import NO_SOURCE, NO_SPAN, Source, Span

SMALL: Final = 1 << 63
"""Integers from here on are written as text."""


class DamagedError(ValueError):
    """Bytes that are no artefact, or one of other policies."""


class UnstorableError(ValueError):
    """Code that holds a value for which there is no form; it is not kept."""


# Writing


def pack(document: Any) -> bytes:
    """The bytes of a document of what msgpack knows.

    Raises:
        UnstorableError: something in it has no form.
    """
    try:
        packed: bytes = msgpack.packb(document, unicode_errors="surrogatepass")
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise UnstorableError from None
    return packed


class Packer:
    """Gives values the form in which they are written."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._numbers = {id(source): number for number, source in enumerate(sources)}
        self._by_name = {source.name: number for number, source in enumerate(sources)}
        self._sources = sources

    def place(self, span: Span) -> tuple[int, int, int]:
        """The number of the source of a span, its beginning and its end; minus one for no source."""
        return self._number(span.source), span.start, span.end

    def _number(self, source: Source) -> int:
        if source is NO_SOURCE:
            return -1
        number = self._numbers.get(id(source))
        if number is None:
            number = self._by_name.get(source.name, -1)
            if number < 0 or self._sources[number].text != source.text:
                raise UnstorableError
            self._numbers[id(source)] = number
        return number

    def packed(self, value: Any) -> Any:
        """A value as what msgpack knows."""
        kind = type(value)
        if kind in _PLAIN and (kind is not int or -SMALL <= value < SMALL):
            return value
        pack = _PACK.get(kind)
        if pack is None:
            raise UnstorableError
        return pack(self, value)

    def items(self, values: Iterable[Any]) -> list[Any]:
        """Several values."""
        return [self.packed(value) for value in values]


_PLAIN: Final = frozenset({str, int, float, bool, type(None)})

_INTEGERS: Final = frozenset({int})

_LIST, _DICT, _SET, _INT, _DECIMAL, _TUPLE, _UNDEFINED, _SPAN, _DECISION, _TABLE = range(10)


def _pack_table(packer: Packer, table: Table) -> list[Any]:
    """A table by columns: most hold one type of plain value."""
    levels = [packer.items(astuple(level)) for level in table.levels]
    admitted = [packer.items(column) for column in zip(*(admitted for admitted, _ in table.rows), strict=True)]
    columns = [packer.items(column) for column in zip(*(row for _, row in table.rows), strict=True)]
    return [_TABLE, levels, admitted, columns]


_PACK: Final[Mapping[type, Callable[[Packer, Any], list[Any]]]] = {
    list: lambda packer, value: [_LIST, *packer.items(value)],
    dict: lambda packer, value: [
        _DICT,
        *(packer.packed(part) for key, member in value.items() for part in (value_of(key), member)),
    ],
    Set: lambda packer, value: [_SET, *packer.items(value)],
    int: lambda _, value: [_INT, hex(value)],
    Decimal: lambda _, value: [_DECIMAL, str(value)],
    tuple: lambda packer, value: [_TUPLE, *packer.items(value)],
    Undefined: lambda _packer, _value: [_UNDEFINED],
    Span: lambda packer, value: [_SPAN, *packer.place(value)],
    Decision: lambda packer, value: [_DECISION, packer.packed(value.value), *value.path],
    Table: _pack_table,
}


# Reading


def fields(data: bytes, *kinds: type) -> list[Any]:
    """The fields of the document in some bytes, each of its type.

    Raises:
        DamagedError: the bytes are something else.
    """
    try:
        document = msgpack.unpackb(data, unicode_errors="surrogatepass", strict_map_key=True)
    except (ValueError, RecursionError, msgpack.UnpackException):
        raise DamagedError from None
    if type(document) is not list or len(document) != len(kinds):
        raise DamagedError
    if any(type(field) is not kind for field, kind in zip(document, kinds, strict=True)):
        raise DamagedError
    return document


def damaged() -> NoReturn:
    """Refuse what was read."""
    raise DamagedError


def as_text(value: Any) -> str:
    """What was read, if it is a string."""
    return value if type(value) is str else damaged()


def as_integer(value: Any) -> int:
    """What was read, if it is an integer."""
    return value if type(value) is int else damaged()


def as_texts(values: Iterable[Any]) -> tuple[str, ...]:
    """What was read, if all of it is strings."""
    return tuple(map(as_text, values))


def _only(parts: list[Any]) -> str:
    return as_text(parts[0]) if len(parts) == 1 else damaged()


def as_items(value: Any) -> list[Any]:
    """What was read, if it is a list."""
    return value if type(value) is list else damaged()


def as_pair(value: Any) -> list[Any]:
    """What was read, if it is a list of two."""
    return value if type(value) is list and len(value) == 2 else damaged()


class Unpacker:
    """Gives values back their types."""

    def __init__(self, sources: Sequence[Source], rules: Sequence[RuleInfo]) -> None:
        self._sources = (*sources, NO_SOURCE)
        self.rules = rules

    def span(self, place: Sequence[Any]) -> Span:
        """A span from the number of its source, its beginning and its end."""
        if len(place) != 3 or not _INTEGERS.issuperset(map(type, place)):
            raise DamagedError
        number, start, end = place
        if not -1 <= number < len(self._sources) - 1:
            raise DamagedError
        return Span(self._sources[number], start, end) if number >= 0 else NO_SPAN

    def line_map(self, numbers: list[Any]) -> dict[int, Span]:
        """Spans by line, from lines and places in a row."""
        if len(numbers) % 4 or not _INTEGERS.issuperset(map(type, numbers)):
            raise DamagedError
        return dict(zip(numbers[::4], self._spans(numbers[1::4], numbers[2::4], numbers[3::4]), strict=True))

    def _spans(self, sources: list[int], starts: list[int], ends: list[int]) -> Iterator[Span]:
        if sources and not -1 <= min(sources) <= max(sources) < len(self._sources) - 1:
            raise DamagedError
        return map(Span, map(self._sources.__getitem__, sources), starts, ends)

    def value(self, packed: Any) -> Any:
        """A value from what msgpack knows."""
        if type(packed) in _PLAIN:
            return packed
        if type(packed) is not list or not packed or type(packed[0]) is not int or packed[0] not in _UNPACK:
            raise DamagedError
        try:
            return _UNPACK[packed[0]](self, packed[1:])
        except (TypeError, ValueError, IndexError, InvalidOperation, RecursionError):
            raise DamagedError from None

    def values(self, packed: Iterable[Any]) -> Iterator[Any]:
        """Several values."""
        return map(self.value, packed)


def _unpack_dict(unpacker: Unpacker, parts: list[Any]) -> dict[Any, Any]:
    values = unpacker.values(parts)
    return {key_of(key): member for key, member in zip(values, values, strict=True)}


def _unpack_decision(unpacker: Unpacker, parts: list[Any]) -> Decision:
    value, *path = unpacker.values(parts)
    if any(type(number) is not int for number in path):
        raise DamagedError
    return Decision(value, tuple(path), unpacker.rules)


def _unpack_table(unpacker: Unpacker, parts: list[Any]) -> Table:
    levels, admitted, columns = parts
    made = tuple(Level(*unpacker.values(level)) for level in levels)
    rows = list(zip(*(_column(unpacker, column) for column in columns), strict=True))
    tests = zip(*(_column(unpacker, column) for column in admitted), strict=True) if admitted else [()] * len(rows)
    return Table(made, tuple(zip(tests, rows, strict=True)))


def _column(unpacker: Unpacker, column: Any) -> Sequence[Any]:
    return column if _PLAIN.issuperset(map(type, column)) else list(unpacker.values(column))


_UNPACK: Final[Mapping[int, Callable[[Unpacker, list[Any]], Any]]] = {
    _LIST: lambda unpacker, parts: list(unpacker.values(parts)),
    _DICT: _unpack_dict,
    _SET: lambda unpacker, parts: Set(unpacker.values(parts)),
    _INT: lambda _, parts: int(_only(parts), 16),
    _DECIMAL: lambda _, parts: Decimal(_only(parts)),
    _TUPLE: lambda unpacker, parts: tuple(unpacker.values(parts)),
    _UNDEFINED: lambda _unpacker, _parts: UNDEFINED,
    _SPAN: lambda unpacker, parts: unpacker.span(parts),
    _DECISION: _unpack_decision,
    _TABLE: _unpack_table,
}
