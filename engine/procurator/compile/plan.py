"""The plan: what the code generator and the interpreter read.

A policy is a set of units, one for each document or function that rules define. A unit has definitions; a definition
has branches (the body and its `else`s); a branch is a block of steps and what it yields. Steps run in order, and a step
that fails ends the block's current attempt; a `Scan` tries the rest of its block once for each member. Every value is
computed into a register before it is used, and a register in use is always defined.

Operand     Constant or Register
Source      where a value is looked up: operand, input, base document, virtual document, unit, replacement
Step        Compute, tests, Scan, Negation, ForEvery, Either, Replace
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from procurator_rules.spans import NO_SPAN, Span

SPAN = field(default=NO_SPAN, compare=False, repr=False, kw_only=True)


# Operands


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A value known when compiling; never changed by anyone."""

    value: Any


@dataclass(frozen=True, slots=True)
class Register:
    """A variable of a unit."""

    number: int


Operand: TypeAlias = Constant | Register


Name: TypeAlias = tuple[str, ...]
"""A document or function: `("data", "app", "f")`, or `("io", "jwt", "decode")` for a built-in."""


# Frames: what `with` replaces


@dataclass(frozen=True, slots=True, order=True)
class Variant:
    """What `with` has replaced around a unit, apart from the input.

    Attributes:
        documents: replaced documents, by name.
        values: functions replaced by a value.
        mocks: functions replaced by another function, and by which.
    """

    documents: tuple[Name, ...] = ()
    values: tuple[Name, ...] = ()
    mocks: tuple[tuple[Name, Name], ...] = ()


PLAIN: Final = Variant()


# Sources


@dataclass(frozen=True, slots=True)
class Input:
    """The input document, as a frame has it."""

    frame: int


@dataclass(frozen=True, slots=True)
class Base:
    """The base document at a path below which no rule defines anything."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """The whole document at a path: base data, the rules below it, and what replaces parts of it."""

    path: tuple[str, ...]
    frame: int
    variant: Variant = PLAIN


@dataclass(frozen=True, slots=True)
class UnitValue:
    """The value of a unit that is no function."""

    unit: "UnitKey"
    frame: int


@dataclass(frozen=True, slots=True)
class Replacement:
    """What `with` put in the place of a document or function."""

    name: Name
    frame: int


Source: TypeAlias = Operand | Input | Base | Document | UnitValue | Replacement


# Computations


@dataclass(frozen=True, slots=True)
class Get:
    """A source, or what is found in it by one key after the other."""

    source: Source
    keys: tuple[Operand, ...] = ()


@dataclass(frozen=True, slots=True)
class CallUnit:
    """A call of a function defined by rules."""

    unit: "UnitKey"
    args: tuple[Operand, ...]
    frame: int


@dataclass(frozen=True, slots=True)
class CallBuiltin:
    """A call of a built-in function."""

    name: str
    args: tuple[Operand, ...]
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class MakeArray:
    """`[a, b]`."""

    items: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class MakeObject:
    """`{k: v}`."""

    items: tuple[tuple[Operand, Operand], ...]
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class MakeSet:
    """`{a, b}`."""

    items: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Comprehend:
    """A comprehension: `kind` is array, set or object; key is None but for an object."""

    kind: str
    block: "Block"
    key: Operand | None
    value: Operand
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be undefined, as an argument of `print` or a part of a template string."""

    block: "Block"
    value: Operand


@dataclass(frozen=True, slots=True)
class Template:
    """A template string: constant texts and values by turns; what is undefined shows as `<undefined>`."""

    parts: tuple[str | Optional, ...]
    span: Span = SPAN


Computation: TypeAlias = Get | CallUnit | CallBuiltin | MakeArray | MakeObject | MakeSet | Comprehend | Template


# Steps


@dataclass(frozen=True, slots=True)
class Compute:
    """Put a value into a register; fails when it is undefined."""

    target: Register
    value: Computation
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Defined:
    """Fails when a shared register holds no value."""

    operand: Register
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Truthy:
    """Fails when the operand is false."""

    operand: Operand
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Compare:
    """Fails unless the comparison holds: equal, neq, lt, lte, gt or gte."""

    operator: str
    left: Operand
    right: Operand
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class IsArray:
    """Fails unless the operand is an array of this length."""

    operand: Operand
    length: int
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class IsObject:
    """Fails unless the operand is an object with this many keys."""

    operand: Operand
    length: int
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Scan:
    """Try the rest of the block for each member of a collection; fails on anything else.

    The key is an index of an array, a key of an object, a member of a set; for sets key and value are the same.
    """

    source: Source
    keys: tuple[Operand, ...]
    key: Register | None
    value: Register | None
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Negation:
    """Fails when the block succeeds."""

    block: "Block"
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class ForEvery:
    """Fails unless the block succeeds for each member of the domain, or when that is no collection."""

    domain: Operand
    key: Register | None
    value: Register | None
    block: "Block"
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Either:
    """Fails unless one of the blocks succeeds; tried in order, once."""

    blocks: "tuple[Block, ...]"
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Replace:
    """Make a frame in which parts of input, data and functions are replaced.

    Attributes:
        inputs: paths below `input` and what stands there.
        values: documents and functions, and what takes their place.
    """

    frame: int
    parent: int
    inputs: tuple[tuple[tuple[str, ...], Operand], ...]
    values: tuple[tuple[Name, Operand], ...]
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Held:
    """Notes that a rule held which was written into the block of another; never fails."""

    rule: int


@dataclass(frozen=True, slots=True)
class Print:
    """`print(…)`: never fails."""

    parts: tuple[Optional, ...]
    span: Span = SPAN


Step: TypeAlias = (
    Compute
    | Defined
    | Truthy
    | Compare
    | IsArray
    | IsObject
    | Scan
    | Negation
    | ForEvery
    | Either
    | Replace
    | Print
    | Held
)
Block: TypeAlias = tuple[Step, ...]


# Units


@dataclass(frozen=True, slots=True)
class Branch:
    """A body and what it yields: a value, at a path of keys below the unit for partial documents.

    Attributes:
        keys: operands of the head below the unit's path; none for a complete rule.
        member: whether the value is a member of the set at that path.
    """

    block: Block
    keys: tuple[Operand, ...]
    value: Operand
    member: bool
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Definition:
    """One rule: its branches are tried in order until one succeeds.

    Attributes:
        rule: the number of the rule in the program's table of rules.
    """

    branches: tuple[Branch, ...]
    rule: int
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class FamilyTest:
    """A test that finds rows of a family by a table.

    Attributes:
        kind: what the table is made for: equal, member, holds, prefix or range.
        tested: the register whose value is looked up in it.
    """

    kind: str
    tested: Register


@dataclass(frozen=True, slots=True)
class Family:
    """Rules of one shape: one block, and a table of what tells them apart.

    Attributes:
        tests: what finds rows, the most selective test first; with none of them the block is tried for every row.
        rows: for each rule, what the tests compare with, the constants for the parameters, and the rule's number.
        parameters: registers that hold a row's constants while the block runs.
        branch: the body without the tests for equality and membership that the table makes, and what it yields.
    """

    tests: tuple[FamilyTest, ...]
    rows: tuple[tuple[tuple[Any, ...], tuple[Any, ...], int], ...]
    parameters: tuple[Register, ...]
    branch: Branch
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class UnitKey:
    """Names a unit: path below `data`, the constant keys it is narrowed to, what `with` replaced around it."""

    path: tuple[str, ...]
    narrowed: tuple[str, ...] = ()
    variant: Variant = PLAIN


COMPLETE: Final = "complete"
PARTIAL_SET: Final = "set"
PARTIAL_OBJECT: Final = "object"
FUNCTION: Final = "function"


@dataclass(frozen=True, slots=True)
class Unit:
    """A document or function that rules define.

    Attributes:
        kind: complete, set, object or function.
        parameters: registers of a function's arguments.
        families: definitions of one shape, gathered; the others are in definitions.
        shared: look-ups that several places of the unit use, made once at its start; they do not fail, `Defined` does.
        default: the value when no definition yields one.
        registers: how many registers its blocks use.
    """

    key: UnitKey
    kind: str
    definitions: tuple[Definition, ...]
    parameters: tuple[Register, ...]
    default: Optional | None
    registers: int
    shared: tuple[Compute, ...] = ()
    families: tuple[Family, ...] = ()
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What decisions and traces say about a rule."""

    path: str
    number: int
    file: str
    row: int
    title: str | None
    custom: Mapping[str, object] | None
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Program:
    """All units that an entry point reaches.

    Attributes:
        entry: the block that computes the query, run in frame 0.
        outputs: the variables of the query and the operands that hold them.
        documents: for each virtual document read as a whole, the units and functions below it.
        rules: the table of rules that definitions refer to.
        registers: how many registers the entry uses.
    """

    entry: Block
    outputs: tuple[tuple[str, Operand], ...]
    units: Mapping[UnitKey, Unit]
    documents: Mapping[Document, "DocumentPlan"]
    rules: tuple[RuleInfo, ...]
    registers: int


@dataclass(frozen=True, slots=True)
class DocumentPlan:
    """How a whole document is made.

    Attributes:
        objects: relative paths of the packages below it, which are objects even when all in them is undefined.
        units: for each path below it (relative), the unit that gives the value there; outer before inner.
        replaced: for each path below it (relative) that `with` replaced, the name of the replacement.
    """

    objects: tuple[tuple[str, ...], ...]
    units: tuple[tuple[tuple[str, ...], UnitKey], ...]
    replaced: tuple[tuple[tuple[str, ...], Name], ...]
