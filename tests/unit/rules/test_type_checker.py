"""The type checker where a case file cannot go: many rules, deep and wide types, queries, several modules."""

from __future__ import annotations

from dataclasses import replace

import pytest
from check_cases import in_order, program_of, told

from procurator_rules.checks import Program
from procurator_rules.checks.scope import scope_query
from procurator_rules.checks.types import Types, check_query_types, check_types, infer_types
from procurator_rules.parser import parse_query
from procurator_rules.types import text


def typed(*texts: str, schemas: object = None) -> Program:
    program, errors = check_types(in_order(program_of(*texts, schemas=schemas)))
    assert told(errors) == []
    return program


def errors_of(*texts: str) -> list[str]:
    return [line for line in told(infer_types(in_order(program_of(*texts))).errors) if not line.startswith(" ")]


RULE_TYPES = [
    ("r := 1", "number"),
    ("r := input.x", "any"),
    ("r if input.x", "boolean"),
    ("r contains 1\n\nr contains input.x if input.y\n\nr contains \"a\"", "set[any]"),
    ('r contains 1\n\nr contains "a"', "set[any<number, string>]"),
    ("r[x] := y if some x, y in [1]", "object[number: number]"),
    ('r[x] := 1 if some x in [1]\n\nr.k := null', "object[any<number, string>: any<null, number>]"),
    ("r[x] contains y if some x, y in [true]", "object[number: set[boolean]]"),
    ("r := {\"a\": [1, {2}], input.k: null}", "object<a: array<number, set[number]>>[any: null]"),
    ("r(x, y) := z if z := x + count(y)", "(number, any<string, array[any], object[any: any], set[any]>) => number"),
    ("r([a, {\"k\": b}], _) := b if lower(b) == a", "(array<string, object<k: string>>, any) => string"),
    ("r := 1 if input.x\n\nelse := \"a\" if input.y\n\nelse := null", "any<null, number, string>"),
    ("default r := \"no\"\n\nr := [x | some x in input.xs; x > 1] if input.x", "any<string, array[any]>"),
    ("r := {k: upper(v) | some k, v in {\"a\": \"b\"}}", "object[string: string]"),
    ("r := $\"{input.x}\"", "string"),
    ("r := walk(input.x)", "array<array[any], any>"),
    ("r := 1 in [1]", "boolean"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "wanted"), RULE_TYPES)
def test_types_of_rules(rules: str, wanted: str) -> None:
    """What the rules of one path make together."""
    program = typed(f"package p\n\n{rules}\n")
    types: Types = program.types
    assert text(types.of_rule(("p", "r"))) == wanted


def test_a_chain_of_rules() -> None:
    """Thousands of rules that hold each other make no type that is too deep, and no deep recursion."""
    rules = "".join(f"r{i} := [r{i + 1}, {{r{i + 1}}}]\n" for i in range(3000))
    program = typed(f"package p\n\n{rules}r3000 := 1\n")
    assert text(program.types.of_rule(("p", "r2999"))) == "array<number, set[number]>"


def test_many_types_at_one_path() -> None:
    """A document with too many kinds of values can hold anything."""
    rules = "".join(f'r["k{i}"] := {{"f{i}": {i}}}\n' for i in range(300))
    program = typed(f"package p\n\n{rules}\nall := r[input.k].anything\n")
    assert text(program.types.of_rule(("p", "all"))) == "any"


def test_deep_terms() -> None:
    """Terms as deep as the parser lets them be."""
    nested = "[" * 190 + "x" + "]" * 190
    calls = "lower(" * 150 + "input.x" + ")" * 150
    sum_ = " + ".join(["1"] * 150)
    assert errors_of(f"package p\n\na if {{ {nested} = input.y; x == 1 }}\n\nb := {calls}\n\nc := {sum_}\n") == []


def test_modules_see_each_other() -> None:
    """Types cross modules and packages."""
    one = "package p.q\n\nlimit := 10\n\nf(x) := lower(x)\n"
    other = (
        'package r\n\nimport data.p.q\n\na if q.limit == "x"\n\nb := q.f(1)\n\nc if data.p.q.limt\n\nd if data.p.x.y\n'
    )
    assert errors_of(one, other) == [
        "rego_type_error 5:6 match error",
        "rego_type_error 7:6 data.p.q.f: invalid argument(s)",
    ]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("x := data.p.n; x == \"a\"", ["rego_type_error 1:16 match error"]),
        ("data.p.o.b", ["rego_type_error 1:1 undefined ref: data.p.o.b"]),
        ("data.p.o.a == \"x\" with data.p.o as {\"a\": \"x\"}", []),
        ("lower(y) == 1; y := input.x", ["rego_type_error 1:1 match error"]),
    ],
)  # fmt: skip
def test_queries(query: str, wanted: list[str]) -> None:
    """A query is looked at with the types of the rules."""
    program = typed('package p\n\nn := 1\n\no := {"a": 1}\n')
    body = scope_query(parse_query(query), {}, frozenset(program.options.capabilities.builtins)).body
    for known in (program, replace(program, types=None)):
        found = [line for line in told(check_query_types(known, body)) if line.startswith("rego")]
        assert found == wanted
