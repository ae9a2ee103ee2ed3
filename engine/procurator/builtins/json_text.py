"""JSON as text: `json.marshal`, `json.unmarshal` and what belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from procurator.builtins.go_json import syntax_problem
from procurator.builtins.operand_problem import OperandProblem
from procurator.builtins.operands import BuiltinError, object_, string
from procurator.render import quote
from procurator.values import DepthError, Key, Set, Value, dumps, loads, ordered_keys, type_name, value_of

# Go escapes what could end a script element or a line of JavaScript.
_ESCAPED: Final = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


class Layout(NamedTuple):
    """How JSON text is broken into lines."""

    prefix: str = ""
    indent: str = "\t"
    pretty: bool = False


def json_text(value: Value) -> str:
    """Compact JSON as Go writes it."""
    return dumps(value).translate(_ESCAPED)


def marshal(value: Value) -> Value:
    """The value as compact JSON."""
    return json_text(value)


def marshal_with_options(value: Value, options: Value) -> Value:
    """The value as JSON with the prefix and the indentation asked for."""
    layout = _layout(object_(options, 2))
    return _indented(value, layout) if layout.pretty else json_text(value)


def unmarshal(value: Value) -> Value:
    """The value of a JSON text."""
    text = string(value, 1)
    try:
        return loads(text)
    except DepthError:
        raise BuiltinError("exceeded max depth") from None
    except ValueError as error:
        raise BuiltinError(syntax_problem(text) or str(error)) from None


def is_valid(value: Value) -> Value:
    """Whether the value is a string that is JSON."""
    if not isinstance(value, str):
        return False
    try:
        loads(value)
    except ValueError:
        return False
    return True


def _layout(options: dict[Key, Value]) -> Layout:
    chosen: dict[str, Value] = {}
    for index, key in enumerate(ordered_keys(options)):
        if not isinstance(key, str):
            kind = type_name(value_of(key))
            problem = f"operand {index} must be string but got {kind}"
            raise OperandProblem(2, f"failed to stringify key {dumps(value_of(key))} at index {index}: {problem}")
        chosen[key] = _option(key, options[key], index)
    return Layout(**{"pretty": bool(chosen), **chosen})


def _option(name: str, value: Value, index: int) -> Value:
    if name not in Layout._fields:
        raise OperandProblem(2, f"object contained unknown key {quote(name)}")
    if name == "pretty":
        if not isinstance(value, bool):
            raise OperandProblem(2, f"key {quote(name)} failed cast to bool")
    elif not isinstance(value, str):
        problem = f"operand {index} must be string but got {type_name(value)}"
        raise OperandProblem(2, f"key {quote(name)} failed cast to string: {problem}")
    return value


def _indented(value: Value, layout: Layout) -> str:
    try:
        return layout.prefix + "".join(_pieces(value, layout, "\n" + layout.prefix))
    except RecursionError:
        raise DepthError from None


def _pieces(value: Value, layout: Layout, line: str) -> Iterator[str]:
    """The text in pieces; `line` starts a line as deep as the value."""
    if not isinstance(value, (list, dict, Set)) or not len(value):
        yield json_text(value)
        return
    inner = line + layout.indent
    items = (
        [(f"{name}: ", item) for name, item in _named(value)] if isinstance(value, dict) else [("", v) for v in value]
    )
    yield "{" if isinstance(value, dict) else "["
    for index, (name, item) in enumerate(items):
        yield f",{inner}{name}" if index else f"{inner}{name}"
        yield from _pieces(item, layout, inner)
    yield line + ("}" if isinstance(value, dict) else "]")


def _named(value: dict[Key, Value]) -> list[tuple[str, Value]]:
    named = {key if isinstance(key, str) else dumps(value_of(key)): value[key] for key in ordered_keys(value)}
    return [(json_text(name), named[name]) for name in sorted(named)]


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "json.is_valid": is_valid,
    "json.marshal": marshal,
    "json.marshal_with_options": marshal_with_options,
    "json.unmarshal": unmarshal,
}
