"""The code that finds the rows of a family: an `if` for each level of its table, then a loop over the rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from procurator.compile.blocks import BlockWriter
from procurator.compile.plan import Family, FamilyTest
from procurator.compile.shapes import ANY, INTEGER, STRING, Shape, is_exact_integer
from procurator.runtime.index import EQUAL, HOLDS, MEMBER, PREFIX, RANGE, Level, Table, level_for
from procurator.runtime.support import members

CUTS: Final = 3
"""Delimiters up to which the end of a prefix is found in the code itself."""


def table_of(family: Family) -> Table:
    """The table over a family's rows: a row of it holds the constants of its rule and the rule's number."""
    columns = zip(*(admitted for admitted, _, _ in family.rows), strict=True)
    levels = tuple(level_for(test.kind, column) for test, column in zip(family.tests, columns, strict=True))
    return Table(levels, tuple((admitted, (*constants, number)) for admitted, constants, number in family.rows))


def open_rows(write: BlockWriter, family: Family, table: str) -> None:
    """Open the loop over the rows that the tests of a family find.

    Args:
        write: writes the code.
        family: the rules.
        table: the name of their table.
    """
    out = write.out
    levels = out.constants[table].levels
    found = table
    for depth, (test, level) in enumerate(zip(family.tests, levels, strict=True), 1):
        out.open(f"if {write.operand(test.tested)} is not U:")
        column = [admitted[depth - 1] for admitted, _, _ in family.rows]
        last = depth == len(levels)
        look = _Look(write, test, level, column, found, "NONE" if last else "None")
        found = _LOOKS[test.kind](look)
        if not last:
            name = write.flag()
            out.line(f"{name} = {found}")
            out.open(f"if {name} is not None:")
            found = name
    row = "".join(f"{write.operand(parameter)}, " for parameter in family.parameters)
    out.open(f"for ({row}n, ) in {found}:", family.span)
    for number, parameter in enumerate(family.parameters):
        write.shapes[parameter] = _shape(constants[number] for _, constants, _ in family.rows)


def _shape(column: Iterable[Any]) -> Shape:
    """What is known of a parameter: all strings, all integers, or nothing."""
    values = list(column)
    if all(type(value) is str for value in values):
        return STRING
    return INTEGER if all(map(is_exact_integer, values)) else ANY


@dataclass(frozen=True, slots=True)
class _Look:
    """A look into a table that is to be written.

    Attributes:
        admitted: what each row admits.
        table: the name of the table.
        missing: the name of what stands for no rows.
    """

    write: BlockWriter
    test: FamilyTest
    level: Level
    admitted: Sequence[Any]
    table: str
    missing: str

    @property
    def tested(self) -> str:
        """The code of the tested value."""
        return self.write.operand(self.test.tested)

    def get(self, key: str) -> str:
        """The code that looks up a key."""
        return f"{self.table}.get({key}, {self.missing})"


def _by_value(look: _Look) -> str:
    return _by_key(look, _shape(look.admitted))


def _by_member(look: _Look) -> str:
    return _by_key(look, _shape(value for collection in look.admitted for value in members(collection)))


def _by_key(look: _Look, keys: Shape) -> str:
    """Look a canonical key up; what is no string does not equal one."""
    text = look.tested
    if keys is STRING:
        return f"({look.get(text)} if type({text}) is str else {look.missing})"
    plain = "int" if keys is INTEGER else "str"
    return look.get(f"{text} if type({text}) is {plain} else KEY({text})")


def _by_holding(look: _Look) -> str:
    return f"{look.table}.find({look.tested})"


def _by_prefix(look: _Look) -> str:
    """Look a prefix up; when it counts that what is no string is an error, every row has to be tried with that."""
    text = look.tested
    end = _end(look, text)
    found = f"{look.table}.find({text})" if end is None else look.get(f"{text}[:{end}]")
    return f"({found} if type({text}) is str else UNFIT({look.table}))"


def _end(look: _Look, text: str) -> str | None:
    """The code of where the one prefix ends that a text can have; None when there can be several."""
    level = look.level
    if len(level.cuts) > 1 or level.cuts[0] > (CUTS if level.delimiter else level.cuts[0]):
        return None
    if not level.delimiter:
        return str(level.cuts[0])
    # Past the last delimiter the search begins anew, which finds no key that is not a prefix.
    delimiter, end = look.write.out.constant(level.delimiter), str(level.start)
    for _ in range(level.cuts[0]):
        end = f"{text}.find({delimiter}, {end}) + 1"
    return end


def _by_range(look: _Look) -> str:
    text, shift = look.tested, look.level.shift
    bucket = f"{text} >> {shift}" if shift else text
    return f"({look.table}.get({bucket}, {look.table}.wide) if type({text}) is int else {look.table}.find({text}))"


_LOOKS: Final[Mapping[str, Callable[[_Look], str]]] = {
    EQUAL: _by_value,
    MEMBER: _by_member,
    HOLDS: _by_holding,
    PREFIX: _by_prefix,
    RANGE: _by_range,
}
"""The code that finds rows, by the kind of test."""
