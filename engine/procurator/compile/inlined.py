"""Tests that have a form in Python: comparisons, membership and prefixes, cheaper than a call.

Every form decides by the types of its operands, so that `true` is never `1` and no value of another type slips through;
where Python's own operator would differ from Rego's, the form falls back to the function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from procurator.compile.plan import CallBuiltin, Compare, Constant, Operand
from procurator.compile.references import References
from procurator.compile.shapes import INTEGER, STRING, is_exact_integer

ORDERS: Final = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}

LITERAL_TESTS: Final = {True: "{0} is True", False: "{0} is False", None: "{0} is None"}


def equality(refer: References, step: Compare) -> str:
    """The code of `==` or `!=`."""
    text = _equal(refer, step.left, step.right)
    return text if step.operator == "equal" else f"not ({text})"


def _equal(refer: References, left: Operand, right: Operand) -> str:
    one, other = refer.operand(left), refer.operand(right)
    if STRING in (refer.shape(left), refer.shape(right)):
        return f"{one} == {other}"
    if isinstance(left, Constant) and isinstance(right, Constant):
        return f"EQUAL({one}, {other})"
    for constant, text, literal in ((left, other, one), (right, one, other)):
        if isinstance(constant, Constant):
            kind = type(constant.value)
            if kind in (bool, type(None)):
                return LITERAL_TESTS[constant.value].format(text)
        if _is_integer(refer, constant):
            return f"({text} == {literal} and type({text}) is not bool)"
    return f"({one} == {other} if type({one}) is str else EQUAL({one}, {other}))"


def _is_integer(refer: References, operand: Operand) -> bool:
    """Whether an operand is known to be an integer that floats represent exactly."""
    if isinstance(operand, Constant):
        return is_exact_integer(operand.value)
    return refer.shape(operand) is INTEGER


def order(refer: References, step: Compare) -> str:
    """The code of `<`, `<=`, `>` and `>=`."""
    sign = ORDERS[step.operator]
    one, other = refer.operand(step.left), refer.operand(step.right)
    for constant, text in ((step.left, other), (step.right, one)):
        if _is_integer(refer, constant):
            return f"({one} {sign} {other} if type({text}) is int else COMPARE({one}, {other}) {sign} 0)"
    return f"COMPARE({one}, {other}) {sign} 0"


def _member(refer: References, call: CallBuiltin) -> str | None:
    item, collection = call.args
    shape = refer.shape(collection)
    if refer.shape(item) is not STRING:
        return None
    text, members = refer.operand(item), refer.operand(collection)
    if shape.kind == "list" and shape.member is STRING:
        return f"{text} in {members}"
    # A string equals nothing but a string, so Python's search in a list is Rego's.
    return f"({text} in {members} if type({members}) is list else {refer.call_text(call)} is True)"


def _method(name: str) -> Callable[[References, CallBuiltin], str | None]:
    def form(refer: References, call: CallBuiltin) -> str | None:
        if len(call.args) != 2 or refer.shape(call.args[1]) is not STRING or isinstance(call.args[0], Constant):
            return None
        text, part = map(refer.operand, call.args)
        return f"({text}.{name}({part}) if type({text}) is str else {refer.call_text(call)} is True)"

    return form


INLINED: Final[dict[str, Callable[[References, CallBuiltin], str | None]]] = {
    "internal.member_2": _member,
    "startswith": _method("startswith"),
    "endswith": _method("endswith"),
    "contains": _method("__contains__"),
}
"""The built-ins whose truth has a form, by name: the code of a condition, or None where the operands rule it out."""
