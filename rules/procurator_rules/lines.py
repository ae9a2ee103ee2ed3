"""What a text holds before its context is known: lines of bodies, braces and groups that await a reading.

The grammar reads `{ … }` and `( … )` in one way; whether braces are a body, a set or a comprehension depends on where they
stand. These records keep the pieces until then. Everything inside them is lowered already, so no reading goes deep.
"""

from dataclasses import dataclass
from typing import TypeAlias

from lark.lexer import Token

from procurator_rules.nodes import Expr, Term, With
from procurator_rules.spans import Span


@dataclass(slots=True)
class Braces:
    """`{ … }` before it is known what it is.

    Attributes:
        items: lines, or pairs with a colon.
        lines: whether a line break or a semicolon separates items.
        commas: the commas between items and after the last.
        leading_comma: whether a comma stands first.
    """

    items: "list[Line | Pair]"
    lines: bool
    commas: "list[Token]"
    leading_comma: bool
    span: Span


@dataclass(slots=True)
class Group:
    """`( … )` around something that is no term, such as `(a or b)`."""

    line: "Line"
    span: Span


Operand: TypeAlias = Term | Braces | Group
RawChain: TypeAlias = list[Operand | Token]


@dataclass(slots=True)
class Pair:
    """`key: value`; the value of an object comprehension still holds its `| body`."""

    key: "Line"
    colon: Token
    value: "Line"


@dataclass(slots=True)
class Negated:
    """`not line`."""

    keyword: Token
    line: "Line"


@dataclass(slots=True)
class Piped:
    """`chain | line`, where the line is one that only a body can hold, such as `some x in xs`."""

    chain: RawChain
    pipe: Token
    line: "Line"


@dataclass(slots=True)
class Modified:
    """`line with target as value`."""

    line: "Line"
    withs: list[With]


@dataclass(slots=True)
class Logical:
    """Lines joined by `and` and `or`: line, operator, line, …"""

    parts: "list[Line | Token]"


Line: TypeAlias = "RawChain | Expr | Negated | Piped | Modified | Logical"
