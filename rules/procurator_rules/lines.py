"""What a text holds before its context is known: lines of bodies, braces and groups that await a reading.

The grammar reads `{ … }` and `( … )` in one way; whether braces are a body, a set or a comprehension depends on where
they stand. These records keep the pieces until then. What is inside them is lowered already, so no reading goes deep.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

from procurator_rules.nodes import Expr, Term, With
from procurator_rules.spans import Span
from procurator_rules.tokens import Token


class Statements(list[Any]):
    """The statements of a module read so far."""


class Opened:
    """What has been read of something that a token has opened and none has closed yet.

    Attributes:
        start: the offset of that token.
    """

    start: int


@dataclass(slots=True)
class Braces:
    """`{ … }` or `[ … ]` before it is known what it is.

    Attributes:
        items: lines, or pairs with a colon.
        separators: what stands behind each item but the last: a comma, a semicolon or a line break; a last comma too.
        leading_comma: whether a comma stands first.
    """

    items: "list[Any]"
    separators: list[Token]
    leading_comma: bool
    span: Span

    @property
    def closing(self) -> int:
        """The offset of the bracket that closes it."""
        return self.span.end - 1

    def behind(self, place: int) -> int:
        """The offset of the token behind an item."""
        if place >= len(self.separators):
            return self.closing
        token = self.separators[place]
        return token.start if token.type in ("COMMA", "SEMICOLON") else token.end


@dataclass(slots=True)
class Group:
    """`( … )` around an expression that is no term, such as `(a or b)`."""

    expr: Expr
    span: Span


Operand: TypeAlias = Term | Braces | Group
RawChain: TypeAlias = list[Operand | Token]
"""Operand, operator, operand, …"""


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
    """Lines joined by `and` and `or`: line, operator, line and so on."""

    parts: "list[Line | Token]"


Line: TypeAlias = "RawChain | Expr | Negated | Piped | Modified | Logical"
