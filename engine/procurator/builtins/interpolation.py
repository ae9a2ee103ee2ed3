"""`internal.template_string`: what `$"…{expression}…"` compiles to, and the texts that `print` shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from procurator.builtins.operands import BuiltinError, array
from procurator.render import render
from procurator.values import Set, Value, type_name

__all__ = ["TABLE", "part_text", "template_string"]

_PRIMITIVES: Final = frozenset({"null", "boolean", "number"})


def template_string(parts: Value) -> str:
    """The parts in one string; a part is a primitive value, or the set of an expression's outcomes."""
    return "".join([part if isinstance(part, str) else part_text(part) for part in array(parts, 1)])


def part_text(part: Value) -> str:
    """The text of a part: a set holds the one outcome of an expression, or none when that was undefined."""
    if not isinstance(part, Set):
        if type_name(part) in _PRIMITIVES:
            return render(part)
        raise BuiltinError(f"illegal argument type: {type_name(part)}")
    if len(part) > 1:
        raise BuiltinError("template-strings must not produce multiple outputs")
    for outcome in part:
        return outcome if isinstance(outcome, str) else render(outcome)
    return "<undefined>"


TABLE: Final[Mapping[str, Callable[..., Value]]] = {"internal.template_string": template_string}
