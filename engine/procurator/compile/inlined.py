"""Tests that have a form in Python: comparisons, membership and prefixes, cheaper than a call.

Every form decides by the types of its operands, so that `true` is never `1` and no value of another type slips through;
where Python's own operator would differ from Rego's, the form falls back to the function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from procurator.compile.plan import CallBuiltin, Compare, Constant, Operand
from procurator.compile.shapes import INTEGER, STRING, is_exact_integer

if TYPE_CHECKING:
    from procurator.compile.emit import BlockWriter

ORDERS: Final = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}

LITERAL_TESTS: Final = {True: "{0} is True", False: "{0} is False", None: "{0} is None"}


def equality(writer: BlockWriter, step: Compare) -> str:
    """The code of `==` or `!=`."""
    text = _equal(writer, step.left, step.right)
    return text if step.operator == "equal" else f"not ({text})"


def _equal(writer: BlockWriter, left: Operand, right: Operand) -> str:
    one, other = writer.operand(left), writer.operand(right)
    if STRING in (writer.shape(left), writer.shape(right)):
        return f"{one} == {other}"
    for constant, text, literal in ((left, other, one), (right, one, other)):
        if isinstance(constant, Constant):
            kind = type(constant.value)
            if kind in (bool, type(None)):
                return LITERAL_TESTS[constant.value].format(text)
        if _is_integer(writer, constant):
            return f"({text} == {literal} and type({text}) is not bool)"
    return f"({one} == {other} if type({one}) is str else EQUAL({one}, {other}))"


def _is_integer(writer: BlockWriter, operand: Operand) -> bool:
    """Whether an operand is known to be an integer that floats represent exactly."""
    if isinstance(operand, Constant):
        return is_exact_integer(operand.value)
    return writer.shape(operand) is INTEGER


def order(writer: BlockWriter, step: Compare) -> str:
    """The code of `<`, `<=`, `>` and `>=`."""
    sign = ORDERS[step.operator]
    one, other = writer.operand(step.left), writer.operand(step.right)
    for constant, text in ((step.left, other), (step.right, one)):
        if _is_integer(writer, constant):
            return f"({one} {sign} {other} if type({text}) is int else COMPARE({one}, {other}) {sign} 0)"
    return f"COMPARE({one}, {other}) {sign} 0"


def _member(writer: BlockWriter, call: CallBuiltin) -> str | None:
    item, collection = call.args
    shape = writer.shape(collection)
    if writer.shape(item) is not STRING:
        return None
    text, members = writer.operand(item), writer.operand(collection)
    if shape.kind == "list" and shape.member is STRING:
        return f"{text} in {members}"
    # A string equals nothing but a string, so Python's search in a list is Rego's.
    return f"({text} in {members} if type({members}) is list else {writer.call_text(call)} is True)"


def _method(name: str) -> Callable[[BlockWriter, CallBuiltin], str | None]:
    def form(writer: BlockWriter, call: CallBuiltin) -> str | None:
        if len(call.args) != 2 or writer.shape(call.args[1]) is not STRING:
            return None
        text, part = map(writer.operand, call.args)
        return f"({text}.{name}({part}) if type({text}) is str else {writer.call_text(call)} is True)"

    return form


INLINED: Final[dict[str, Callable[[BlockWriter, CallBuiltin], str | None]]] = {
    "internal.member_2": _member,
    "startswith": _method("startswith"),
    "endswith": _method("endswith"),
    "contains": _method("__contains__"),
}
"""The built-ins whose truth has a form, by name: the code of a condition, or None where the operands rule it out."""
