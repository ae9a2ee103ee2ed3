"""Which tests of a family find its rows by a table.

A test counts when every row must pass it and it compares a look-up that the whole unit shares with a constant of the
row. The most selective one is taken. Where it leaves many rows, tests for equality come before it, and the table gets
levels.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from procurator.compile.plan import (
    Block,
    CallBuiltin,
    CallUnit,
    Compare,
    Compute,
    Document,
    FamilyTest,
    Operand,
    Register,
    Replacement,
    Scan,
    Step,
    Truthy,
    UnitValue,
)
from procurator.compile.rewrite import parts
from procurator.runtime.index import APART, EQUAL, HOLDS, MEMBER, PREFIX, RANGE, Level, keys, level_for
from procurator.values import Set

FEW: Final = 8
"""Rows that are tried one by one rather than told apart by one more level."""

LEVELS: Final = 3

INDEXED: Final = frozenset({EQUAL, MEMBER, PREFIX})
"""The kinds of tests by which OPA leaves rules out without running them."""

KEYS: Final = 32
"""Keys that a row may have in a table of several levels, on average."""

Places = tuple[int, ...]

Columns = Mapping[Operand, Sequence[Any]]
"""For each parameter of a family its constants, row by row."""


@dataclass(frozen=True, slots=True)
class Test:
    """A test that a table can make.

    Attributes:
        found: the test as the family has it.
        places: the steps of the block that the table makes superfluous.
        last: the last step of the block that belongs to the test.
        admitted: what each row compares with.
        level: the level of a table that suits it.
    """

    found: FamilyTest
    places: Places
    last: int
    admitted: Sequence[Any]
    level: Level

    @property
    def single(self) -> bool:
        """Whether a value finds one group of rows at the most, so that a level can follow."""
        return self.found.kind in (EQUAL, MEMBER)


@dataclass(slots=True)
class _Search:
    """The search for tests in the block of a family.

    Attributes:
        known: the registers whose values do not depend on the row.
        columns: for each parameter its constants, row by row.
        bounds: comparisons by the register and the operator: the step's place and the parameter.
        scanned: for the variable of a loop over a known collection, the register of that collection.
    """

    known: frozenset[Register]
    columns: Columns
    tests: list[Test]
    bounds: dict[Register, dict[str, tuple[int, Register]]]
    scanned: dict[Register, Register]

    def add(self, test: FamilyTest, places: Places, last: int, admitted: Sequence[Any]) -> None:
        """Take a test in."""
        self.tests.append(Test(test, places, last, admitted, level_for(test.kind, admitted)))


def find_tests(
    block: Block, known: Iterable[Register], columns: Columns, *, strict: bool
) -> tuple[Sequence[Test], int]:
    """The tests for the levels of a table, and how many rows they leave at the most.

    Args:
        block: the block of the family, with parameters for what differs from row to row.
        known: the registers whose values do not depend on the row.
        columns: for each parameter its constants, row by row.
        strict: whether errors of built-ins count: a row is left out then if OPA leaves it out, or if nothing that comes
            before the test could fail.
    """
    search = _Search(frozenset(known), columns, [], {}, {})
    for place, step in enumerate(block):
        look = _STEPS.get(type(step))
        if look is not None:
            look(search, step, block, place)
    for register, sides in search.bounds.items():
        _add_range(search, register, sides)
    sure = _sure(block) if strict else len(block)
    return _chosen([test for test in search.tests if test.found.kind in INDEXED or test.last < sure])


def _sure(block: Block) -> int:
    """The number of steps from the first on in which no built-in can fail."""
    may_fail = (any(isinstance(part, _CALLING) and not _is_member_call(part) for part in parts(step)) for step in block)
    return next((place for place, fails in enumerate(may_fail) if fails), len(block))


_CALLING: Final = (CallBuiltin, CallUnit, Document, Replacement, UnitValue)


def _is_member_call(part: Any) -> bool:
    return isinstance(part, CallBuiltin) and part.name == MEMBER_CALL


MEMBER_CALL: Final = "internal.member_2"
"""What `in` stands for; it does not fail."""


# Tests in a block


def _scan(search: _Search, step: Scan, _block: Block, _place: int) -> None:
    if isinstance(step.source, Register) and step.source in search.known and not step.keys and step.value is not None:
        search.scanned[step.value] = step.source


def _compare(search: _Search, step: Compare, _block: Block, place: int) -> None:
    for one, other, operator in ((step.left, step.right, step.operator), (step.right, step.left, _swapped(step))):
        if not (isinstance(one, Register) and isinstance(other, Register) and other in search.columns):
            continue
        if one in search.known and operator in _ORDERS:
            search.bounds.setdefault(one, {}).setdefault(operator, (place, other))
        elif operator == "equal" and one in search.known:
            search.add(FamilyTest(EQUAL, one), (place,), place, search.columns[other])
        elif operator == "equal" and one in search.scanned:
            search.add(FamilyTest(HOLDS, search.scanned[one]), (), place, search.columns[other])


_ORDERS: Final = {"lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte"}


def _swapped(step: Compare) -> str:
    return _ORDERS.get(step.operator, step.operator)


def _call(search: _Search, step: Compute, block: Block, place: int) -> None:
    call = step.value
    if not isinstance(call, CallBuiltin) or place + 1 == len(block) or not _wants_truth(step, block[place + 1]):
        return
    look = _CALLS.get(call.name)
    if look is not None and all(isinstance(operand, Register) for operand in call.args):
        look(search, call, (place, place + 1))


def _wants_truth(step: Compute, following: Step) -> bool:
    return isinstance(following, Truthy) and following.operand == step.target


def _member_call(search: _Search, call: CallBuiltin, places: Places) -> None:
    one, other = call.args
    if one in search.known and other in search.columns:
        collections = search.columns[other]
        if all(isinstance(value, (list, Set)) for value in collections):
            search.add(FamilyTest(MEMBER, one), places, places[-1], collections)
    elif one in search.columns and other in search.known:
        search.add(FamilyTest(HOLDS, other), places, places[-1], search.columns[one])


def _prefix_call(search: _Search, call: CallBuiltin, places: Places) -> None:
    # The call stays: what is no string is an error there, and only in the place where it stands.
    one, other = call.args
    if one in search.known and other in search.columns:
        prefixes = search.columns[other]
        if all(type(value) is str for value in prefixes):
            search.add(FamilyTest(PREFIX, one), (), places[-1], prefixes)


_CALLS: Final[Mapping[str, Callable[[_Search, CallBuiltin, Places], None]]] = {
    MEMBER_CALL: _member_call,
    "startswith": _prefix_call,
}

_STEPS: Final[Mapping[type, Callable[[_Search, Any, Block, int], None]]] = {
    Scan: _scan,
    Compare: _compare,
    Compute: _call,
}


def _add_range(search: _Search, register: Register, sides: Mapping[str, tuple[int, Register]]) -> None:
    """A range of numbers from a lower and an upper bound; the comparisons stay, as buckets are coarse."""
    low = next((operator for operator in ("gte", "gt") if operator in sides), None)
    high = next((operator for operator in ("lte", "lt") if operator in sides), None)
    if low is None or high is None:
        return
    lows, highs = search.columns[sides[low][1]], search.columns[sides[high][1]]
    if all(type(bound) in (int, float) for bound in (*lows, *highs)):
        ranges = [(one, low == "gte", other, high == "lte") for one, other in zip(lows, highs, strict=True)]
        search.add(FamilyTest(RANGE, register), (), max(sides[low][0], sides[high][0]), ranges)


# The choice among them

_PREFERENCE: Final = {EQUAL: 0, MEMBER: 1, PREFIX: 2, RANGE: 3, HOLDS: 4}


def _chosen(tests: Sequence[Test]) -> tuple[Sequence[Test], int]:
    ranked = sorted(tests, key=lambda test: (_crowding([test]), _PREFERENCE[test.found.kind]))
    levels, crowding = ranked[:1], _crowding(ranked[:1]) if ranked else 0
    for test in ranked[1:]:
        if crowding <= FEW or len(levels) == LEVELS:
            break
        if test.single and all(test.found.tested != one.found.tested for one in levels):
            # A level that finds several groups can only be the last.
            tried = sorted([*levels, test], key=lambda one: not one.single)
            left = _crowding(tried)
            if left <= crowding / 2:
                levels, crowding = tried, left
    return levels, crowding


def _crowding(levels: Sequence[Test]) -> int:
    """How many rows the levels leave at the most; all when a table of them would be too large."""
    rows = len(levels[0].admitted)
    counts: Counter[Any] = Counter()
    for admitted in zip(*(level.admitted for level in levels), strict=True):
        counts.update(product(*(keys(one.level, value) for one, value in zip(levels, admitted, strict=True))))
        if len(counts) > KEYS * rows:
            return rows
    apart = max((count for key, count in counts.items() if APART not in key), default=0)
    return apart + sum(count for key, count in counts.items() if APART in key)
