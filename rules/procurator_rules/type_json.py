"""Types in OPA's JSON notation: what `signatures.py` reads, written."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from procurator_rules import constants
from procurator_rules.capabilities import DEFAULT
from procurator_rules.constants import Key
from procurator_rules.nodes import Number
from procurator_rules.types import Array, Function, Inferred, Object, Recursive, Set, Type, Union


def type_json(one: Inferred) -> dict[str, Any] | None:
    """A type as JSON; what is not known is null."""
    if one is None:
        return None
    if isinstance(one, Recursive):
        return {"name": one.label}
    parts = _PARTS[type(one)](one) if type(one) in _PARTS else {}
    record = {**parts, "type": one.name}
    return {key: record[key] for key in sorted(record) if record[key] not in ([], None)}


def parameters_json(name: str, want: Function, *, with_result: bool) -> dict[str, Any]:
    """What a function takes; a built-in's parameters have their names and descriptions."""
    declared: Any = DEFAULT.builtins[name]["decl"] if want.labels and name in DEFAULT.builtins else {}
    args = list(declared.get("args") or map(type_json, want.args))
    if with_result and want.result is not None:
        args.append(declared.get("result") or type_json(want.result))
    record = {"args": args, "variadic": type_json(want.variadic)}
    return {key: part for key, part in record.items() if part}


def constant_json(key: Key) -> Any:
    """A constant as JSON: a number keeps its digits, a set is an array, a key that is no string is spelt as in Rego."""
    kind, value = key
    if kind == constants.NUMBER:
        return Number(constants.spelled(key))
    if not isinstance(value, tuple):
        return value
    if kind == constants.OBJECT:
        return {constants.bare(name): constant_json(one) for name, one in zip(value[::2], value[1::2], strict=True)}
    return list(map(constant_json, value))


def _all(types: Sequence[Inferred]) -> list[Any]:
    return list(map(type_json, types))


def _object(one: Object) -> dict[str, Any]:
    static = [{"key": constant_json(key), "value": type_json(value)} for key, value in one.static]
    dynamic = None
    if one.dynamic is not None:
        dynamic = {"key": type_json(one.dynamic[0]), "value": type_json(one.dynamic[1])}
    return {"static": static, "dynamic": dynamic}


_PARTS: Final[Mapping[type[Type], Callable[[Any], dict[str, Any]]]] = {
    Array: lambda one: {"static": _all(one.static), "dynamic": type_json(one.dynamic)},
    Function: lambda one: {
        "args": _all(one.args),
        "result": type_json(one.result),
        "variadic": type_json(one.variadic),
    },
    Object: _object,
    Set: lambda one: {"of": type_json(one.of)},
    Union: lambda one: {"of": _all(one.of)},
}
