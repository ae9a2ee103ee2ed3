"""How names, strings and operators are spelled."""

import re
from collections.abc import Callable
from typing import Any, Final

from procurator_rules.constants import quoted
from procurator_rules.expressions import INFIX, MEMBER_WITH_KEY, PRECEDENCE
from procurator_rules.nodes import Boolean, Null, Number, String, Var
from procurator_rules.spans import NO_SOURCE

SYMBOLS: Final = {name: symbol for symbol, name in INFIX.items()}
"""The operator of each built-in that has one."""

BINDING: Final = {INFIX[symbol]: level for symbol, level in PRECEDENCE.items()} | {MEMBER_WITH_KEY: PRECEDENCE["in"]}
"""How tightly the operator of a built-in binds."""

UNION: Final = "or"

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def name_of(var: Var) -> str:
    """A variable as it was written: `_`, and without the number that tells local variables apart."""
    name = var.name
    return "_" if name[0] == "$" else name.partition("#")[0] if "#" in name else name


def string(term: String) -> str:
    """A string as it was written, or, where no text stands behind, in quotes unless it is raw."""
    if term.span.source is not NO_SOURCE:
        text = term.span.text
        if text[:1] in ('"', "`"):
            return text
    return f"`{term.value}`" if term.raw and "`" not in term.value else quoted(term.value)


SCALARS: Final[dict[type, Callable[[Any], str]]] = {
    Null: lambda _: "null",
    Boolean: lambda term: "true" if term.value else "false",
    Number: lambda term: term.text,
    String: string,
    Var: name_of,
}
"""The text of each kind of term that has no terms inside."""
