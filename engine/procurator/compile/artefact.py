"""Compiled code as bytes, for a cache on disk, and back.

Reading takes nothing for granted: what was not written here is a `DamagedError`, and the Python text may use no
attribute but those that the generator writes.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final, overload

from procurator.compile.codegen import Code
from procurator.compile.cost import Cost, Node, Size
from procurator.compile.packing import (
    DamagedError,
    Packer,
    Unpacker,
    as_integer,
    as_items,
    as_pair,
    as_text,
    as_texts,
    damaged,
    fields,
    pack,
)
from procurator.compile.plan import RuleInfo
from procurator_rules.spans import Source

ATTRIBUTES: Final = frozenset(
    "append get find grown items left look setdefault span startswith endswith stop wide __contains__".split()  # noqa: SIM905  # a list of words
)
"""The attributes that generated code uses."""


def encode_code(code: Code, sources: Sequence[Source]) -> bytes:
    """The bytes of code whose spans are in these sources."""
    packer = Packer(sources)
    return pack(
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
    text, lines, constants, bases, builtins, size = fields(data, str, list, list, list, list, int)
    unpacker = Unpacker(sources, rules)
    return Code(
        _checked(text),
        unpacker.line_map(lines),
        {as_text(name): unpacker.value(value) for name, value in map(as_pair, constants)},
        {as_text(name): as_texts(path) for name, *path in map(as_items, bases)},
        {as_text(name): (as_text(builtin), unpacker.span(place)) for name, builtin, *place in map(as_items, builtins)},
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
    packer = Packer(sources)
    return pack(
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
    *columns, asked = fields(data, *[list] * 7)
    return PolicyRecord(StoredRules(columns, sources), [as_texts(as_items(path)) for path in asked])


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
    return pack([query.outputs, query.bases, [astuple(node) for node in query.cost]])


def decode_query(data: bytes) -> QueryRecord:
    """What is known of a query.

    Raises:
        DamagedError: the bytes are something else.
    """
    outputs, bases, cost = fields(data, list, list, list)
    nodes = tuple(_node(node, number) for number, node in enumerate(cost))
    return QueryRecord(as_texts(outputs), tuple(as_texts(as_items(path)) for path in bases), nodes or damaged())


def _node(packed: Any, place: int) -> Node:
    own, loops, inner = as_items(packed) if len(as_items(packed)) == 3 else damaged()
    made = Node(
        as_integer(own),
        tuple((_size(size), as_integer(number)) for size, number in map(as_pair, as_items(loops))),
        tuple((as_integer(times), as_integer(number)) for times, number in map(as_pair, as_items(inner))),
    )
    if any(not 0 <= number < place for _, number in (*made.loops, *made.inner)):
        raise DamagedError
    return made


def _size(packed: Any) -> Size:
    if packed is None or type(packed) is int:
        return packed
    path, keys = as_pair(packed)
    return as_texts(as_items(path)), tuple(None if key is None else as_text(key) for key in as_items(keys))


class StoredRules(Sequence[RuleInfo]):
    """A table of rules that was read; each rule is made when it is asked for."""

    def __init__(self, columns: Sequence[list[Any]], sources: Sequence[Source]) -> None:
        self._columns = columns
        self._unpacker = Unpacker(sources, ())
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


_ATTRIBUTE: Final = re.compile(r"\.\s*(\w+)")


def _checked(text: str) -> str:
    """Python text that reaches for nothing but what the generator uses."""
    if not ATTRIBUTES.issuperset(_ATTRIBUTE.findall(text)) or "import" in text or '"' in text or "'" in text:
        raise DamagedError
    return text
