"""Compiled code as bytes, for a cache on disk, and back.

Values are what msgpack knows, and lists whose first item says what they are. Reading takes nothing for granted: what
was not written here is a `DamagedError`. Nothing that is read can name a function or a class, and the Python text may
use no attribute but those that the generator writes.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn, overload

import msgpack

from procurator.compile.codegen import Code
from procurator.compile.cost import Cost, Node, Size
from procurator.compile.plan import RuleInfo
from procurator.decision import Decision
from procurator.runtime.index import Level, Table
from procurator.values import UNDEFINED, Set, Undefined, key_of, value_of
from procurator_rules.spans import NO_SOURCE, NO_SPAN, Source, Span

ATTRIBUTES: Final = frozenset(
    "append get find grown items left look setdefault span startswith endswith stop wide __contains__".split()  # noqa: SIM905  # a list of words
)
"""The attributes that generated code uses."""

SMALL: Final = 1 << 63
"""Integers from here on are written as text."""


class DamagedError(ValueError):
    """Bytes that are no artefact, or one of other policies."""


class UnstorableError(ValueError):
    """Code that holds a value for which there is no form; it is not kept."""


def encode_code(code: Code, sources: Sequence[Source]) -> bytes:
    """The bytes of code whose spans are in these sources."""
    packer = _Packer(sources)
    return _pack(
        [
            code.text,
            [number for line, span in code.line_map.items() for number in (line, *packer.place(span))],
            [[name, packer.packed(value)] for name, value in code.constants.items()],
            [[name, *path] for name, path in code.bases.items()],
            [[name, builtin, *packer.place(span)] for name, (builtin, span) in code.builtins.items()],
            code.size,
        ]
    )


def decode_code(data: bytes, sources: Sequence[Source], rules: Sequence[RuleInfo]) -> Code:
    """The code in some bytes.

    Args:
        data: what `encode_code` gave.
        sources: the same sources in the same order.
        rules: the rules that decisions among the constants refer to.

    Raises:
        DamagedError: the bytes are something else.
    """
    text, lines, constants, bases, builtins, size = _fields(data, str, list, list, list, list, int)
    unpacker = _Unpacker(sources, rules)
    return Code(
        _checked(text),
        unpacker.line_map(lines),
        {_text(name): unpacker.value(value) for name, value in map(_pair, constants)},
        {_text(name): _texts(path) for name, *path in map(_items, bases)},
        {_text(name): (_text(builtin), unpacker.span(place)) for name, builtin, *place in map(_items, builtins)},
        size,
    )


@dataclass(frozen=True)
class PolicyRecord:
    """What is kept of policies that are in order.

    Attributes:
        rules: their rules.
        asked: the paths at which no base document may stand.
    """

    rules: Sequence[RuleInfo]
    asked: Sequence[tuple[str, ...]]


def encode_policies(rules: Sequence[RuleInfo], asked: Iterable[tuple[str, ...]], sources: Sequence[Source]) -> bytes:
    """The bytes of what is known of policies."""
    packer = _Packer(sources)
    return _pack(
        [
            [rule.path for rule in rules],
            [rule.file for rule in rules],
            [rule.row for rule in rules],
            [rule.title for rule in rules],
            [packer.packed(None if rule.custom is None else dict(rule.custom)) for rule in rules],
            [number for rule in rules for number in packer.place(rule.span)],
            list(asked),
        ]
    )


def decode_policies(data: bytes, sources: Sequence[Source]) -> PolicyRecord:
    """What is known of policies; their rules are made one by one when they are asked for.

    Raises:
        DamagedError: the bytes are something else.
    """
    *columns, asked = _fields(data, *[list] * 7)
    return PolicyRecord(StoredRules(columns, sources), [_texts(_items(path)) for path in asked])


@dataclass(frozen=True)
class QueryRecord:
    """What is kept of a query besides its code.

    Attributes:
        outputs: the names of its variables.
        bases: the paths of the base documents that it reads.
        cost: the steps it takes.
    """

    outputs: tuple[str, ...]
    bases: tuple[tuple[str, ...], ...]
    cost: Cost


def encode_query(query: QueryRecord) -> bytes:
    """The bytes of what is known of a query."""
    return _pack([query.outputs, query.bases, [astuple(node) for node in query.cost]])


def decode_query(data: bytes) -> QueryRecord:
    """What is known of a query.

    Raises:
        DamagedError: the bytes are something else.
    """
    outputs, bases, cost = _fields(data, list, list, list)
    nodes = tuple(_node(node, number) for number, node in enumerate(cost))
    return QueryRecord(_texts(outputs), tuple(_texts(_items(path)) for path in bases), nodes or _damaged())


def _node(packed: Any, place: int) -> Node:
    own, loops, inner = _items(packed) if len(_items(packed)) == 3 else _damaged()
    made = Node(
        _integer(own),
        tuple((_size(size), _integer(number)) for size, number in map(_pair, _items(loops))),
        tuple((_integer(times), _integer(number)) for times, number in map(_pair, _items(inner))),
    )
    if any(not 0 <= number < place for _, number in (*made.loops, *made.inner)):
        raise DamagedError
    return made


def _size(packed: Any) -> Size:
    if packed is None or type(packed) is int:
        return packed
    path, keys = _pair(packed)
    return _texts(_items(path)), tuple(None if key is None else _text(key) for key in _items(keys))


class StoredRules(Sequence[RuleInfo]):
    """A table of rules that was read; each rule is made when it is asked for."""

    def __init__(self, columns: Sequence[list[Any]], sources: Sequence[Source]) -> None:
        self._columns = columns
        self._unpacker = _Unpacker(sources, ())
        paths, *others, places = self._columns
        if any(len(column) != len(paths) for column in others) or len(places) != 3 * len(paths):
            raise DamagedError

    def __len__(self) -> int:
        return len(self._columns[0])

    @overload
    def __getitem__(self, number: int) -> RuleInfo: ...

    @overload
    def __getitem__(self, number: slice) -> Sequence[RuleInfo]: ...

    def __getitem__(self, number: int | slice) -> RuleInfo | Sequence[RuleInfo]:
        if isinstance(number, slice):
            return [self[place] for place in range(*number.indices(len(self)))]
        place = range(len(self))[number]
        path, file, row, title, custom = (column[place] for column in self._columns[:5])
        span = self._unpacker.span(self._columns[5][3 * place : 3 * place + 3])
        return RuleInfo(path, place, file, row, title, self._unpacker.value(custom), span=span)


# Writing


def _pack(document: Any) -> bytes:
    try:
        packed: bytes = msgpack.packb(document, unicode_errors="surrogatepass")
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise UnstorableError from None
    return packed


class _Packer:
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


def _pack_table(packer: _Packer, table: Table) -> list[Any]:
    """A table by columns: most hold one type of plain value."""
    levels = [packer.items(astuple(level)) for level in table.levels]
    admitted = [packer.items(column) for column in zip(*(admitted for admitted, _ in table.rows), strict=True)]
    columns = [packer.items(column) for column in zip(*(row for _, row in table.rows), strict=True)]
    return [_TABLE, levels, admitted, columns]


_PACK: Final[Mapping[type, Callable[[_Packer, Any], list[Any]]]] = {
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


def _fields(data: bytes, *kinds: type) -> list[Any]:
    """The fields of the document in some bytes, each of its type."""
    try:
        document = msgpack.unpackb(data, unicode_errors="surrogatepass", strict_map_key=True)
    except (ValueError, RecursionError, msgpack.UnpackException):
        raise DamagedError from None
    if type(document) is not list or len(document) != len(kinds):
        raise DamagedError
    if any(type(field) is not kind for field, kind in zip(document, kinds, strict=True)):
        raise DamagedError
    return document


_ATTRIBUTE: Final = re.compile(r"\.\s*(\w+)")


def _checked(text: str) -> str:
    """Python text that reaches for nothing but what the generator uses."""
    if not ATTRIBUTES.issuperset(_ATTRIBUTE.findall(text)) or "import" in text or '"' in text or "'" in text:
        raise DamagedError
    return text


def _damaged() -> NoReturn:
    raise DamagedError


def _text(value: Any) -> str:
    return value if type(value) is str else _damaged()


def _integer(value: Any) -> int:
    return value if type(value) is int else _damaged()


def _texts(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(map(_text, values))


def _only(parts: list[Any]) -> str:
    return _text(parts[0]) if len(parts) == 1 else _damaged()


def _items(value: Any) -> list[Any]:
    return value if type(value) is list else _damaged()


def _pair(value: Any) -> list[Any]:
    return value if type(value) is list and len(value) == 2 else _damaged()


class _Unpacker:
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


def _unpack_dict(unpacker: _Unpacker, parts: list[Any]) -> dict[Any, Any]:
    values = unpacker.values(parts)
    return {key_of(key): member for key, member in zip(values, values, strict=True)}


def _unpack_decision(unpacker: _Unpacker, parts: list[Any]) -> Decision:
    value, *path = unpacker.values(parts)
    if any(type(number) is not int for number in path):
        raise DamagedError
    return Decision(value, tuple(path), unpacker.rules)


def _unpack_table(unpacker: _Unpacker, parts: list[Any]) -> Table:
    levels, admitted, columns = parts
    made = tuple(Level(*unpacker.values(level)) for level in levels)
    rows = list(zip(*(_column(unpacker, column) for column in columns), strict=True))
    tests = zip(*(_column(unpacker, column) for column in admitted), strict=True) if admitted else [()] * len(rows)
    return Table(made, tuple(zip(tests, rows, strict=True)))


def _column(unpacker: _Unpacker, column: Any) -> Sequence[Any]:
    return column if _PLAIN.issuperset(map(type, column)) else list(unpacker.values(column))


_UNPACK: Final[Mapping[int, Callable[[_Unpacker, list[Any]], Any]]] = {
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
