"""The syntax tree as the indented lines that `opa parse` prints: one node a line, for people who look at trees."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from procurator_rules.ast_json import module_json
from procurator_rules.constants import quoted
from procurator_rules.nodes import Module

Record: TypeAlias = Mapping[str, Any]
Step: TypeAlias = tuple[str | None, Iterable["Step"]]
"""A line, or None for a node that has none of its own, and what stands below it."""


def module_tree(module: Module, comments: bool = True) -> str:
    """The lines of a module's tree."""
    lines: list[str] = []
    waiting: list[tuple[int, Step]] = [(0, _module(module_json(module, comments=comments)))]
    while waiting:
        depth, (line, below) = waiting.pop()
        if line is not None:
            lines.append(f"{' ' * depth}{line}\n")
        inner = depth if line is None else depth + 1
        waiting.extend(reversed([(inner, step) for step in below]))
    return "".join(lines)


def _module(record: Record) -> Step:
    return ("module", _parts(record))


def _parts(record: Record) -> Iterator[Step]:
    yield ("package", [_ref(record["package"]["path"])])
    yield from map(_import, record.get("imports", ()))
    yield from map(_rule, record.get("rules", ()))
    yield from (("annotations", ()) for _ in record.get("annotations", ()))
    yield from (("comment", ()) for _ in record.get("comments", ()))


def _import(record: Record) -> Step:
    return ("import", [_term(record["path"]), (record.get("alias", ""), ())])


def _rule(record: Record) -> Step:
    return ("rule", _rule_parts(record))


def _rule_parts(record: Record) -> Iterator[Step]:
    head = record["head"]
    args = [("args", map(_term, head["args"]))] if head.get("args") else []
    value = [_term(head["value"])] if "value" in head else []
    yield ("head", [_ref(head["ref"]), *args, *value])
    yield _body(record["body"])
    if "else" in record:
        yield _rule(record["else"])


def _body(lines: Iterable[Record]) -> Step:
    return ("body", map(_expression, lines))


def _expression(record: Record) -> Step:
    negated = "negated " if record.get("negated") else ""
    return (f"expr {negated}index={record['index'].text}", _expression_parts(record))


def _expression_parts(record: Record) -> Iterator[Step]:
    terms = record["terms"]
    if isinstance(terms, list):
        yield from map(_term, terms)
    else:
        yield _statement(terms) if _kind(terms) in STATEMENTS else _term(terms)
    for modifier in record.get("with", ()):
        yield ("with", [_term(modifier["target"]), _term(modifier["value"])])


def _kind(record: Record) -> str:
    return record.get("type") or ("every" if "domain" in record else "some")


def _statement(record: Record) -> Step:
    line, parts = STATEMENTS[_kind(record)]
    return (line, parts(record))


def _every(record: Record) -> Iterator[Step]:
    if record["key"]:
        yield _term(record["key"])
    yield _term(record["value"])
    yield _term(record["domain"])
    yield _body(record["body"])


def _term(record: Record) -> Step:
    kind, value = record["type"], record["value"]
    if kind in SCALARS:
        return (SCALARS[kind](value), ())
    return (kind, COLLECTIONS[kind](value))


def _ref(terms: Iterable[Record]) -> Step:
    return ("ref", map(_term, terms))


def _pairs(pairs: Iterable[Iterable[Record]]) -> Iterator[Step]:
    return (_term(part) for pair in pairs for part in pair)


def _comprehension(parts: Record) -> Iterator[Step]:
    for name in ("term", "key", "value"):
        if name in parts:
            yield _term(parts[name])
    yield _body(parts["body"])


STATEMENTS: Final[Mapping[str, tuple[str, Callable[[Record], Iterable[Step]]]]] = {
    "some": ("somedecl", lambda record: map(_term, record["symbols"])),
    "every": ("every", _every),
    "not": ("not", lambda record: [_body(record["body"])]),
    "and": ("logicaland", lambda record: [_body(record["lhs"]), _body(record["rhs"])]),
    "or": ("logicalor", lambda record: [_body(record["lhs"]), _body(record["rhs"])]),
}

SCALARS: Final[Mapping[str, Callable[[Any], str]]] = {
    "null": lambda _value: "null",
    "boolean": lambda value: str(value).lower(),
    "number": lambda value: value.text,
    "string": quoted,
    "var": lambda name: "_" if name.startswith("$") else name,
}

COLLECTIONS: Final[Mapping[str, Callable[[Any], Iterable[Step]]]] = {
    "ref": lambda terms: map(_term, terms),
    "call": lambda terms: map(_term, terms),
    "array": lambda terms: map(_term, terms),
    "set": lambda terms: map(_term, terms),
    "object": _pairs,
    "arraycomprehension": _comprehension,
    "setcomprehension": _comprehension,
    "objectcomprehension": _comprehension,
    "templatestring": lambda _parts: (),
}
