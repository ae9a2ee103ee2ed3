"""`graphql.*`: trees in the shape OPA gives them, texts of errors included."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcomes import Error, check, outcome

from procurator.builtins.graphql import TABLE

Tree = dict[str, Any]


def value(kind: int, raw: str = "", **rest: Any) -> Tree:
    return {"Kind": kind, "Raw": raw, "ExpectedTypeHasDefault": False, **rest}


def named(name: str, *, required: bool = False) -> Tree:
    return {"NamedType": name, "NonNull": required}


def field(name: str, **rest: Any) -> Tree:
    return {"Alias": name, "Name": name, **rest}


def query(*selections: Tree, **rest: Any) -> Tree:
    return {"Operations": [{"Operation": "query", "Name": "", "SelectionSet": list(selections), **rest}]}


def argument(name: str, given_value: Tree) -> Tree:
    return {"Name": name, "Value": given_value}


def comments(*texts: str) -> Tree:
    return {"List": [{"Value": text} for text in texts]}


def refusal(message: str, row: int, column: int) -> Error:
    return Error(f"{message} in GraphQL string at location {row}:{column}")


TOO_MUCH = Error("document is nested too deeply or takes too much work")
LITERALS = '{ f(a: $v, b: -1, c: 1.5e3, d: "x\\u00e9", e: true, g: null, h: RED, i: [1], j: {k: 2}, l: []) }'
BLOCK = '{ f(a: """\n    one\n      two\n    """) }'

QUERIES = [
    ("", {}),
    ("{ a }", query(field("a"))),
    ("{ b: a { c } }", query(field("a", Alias="b", SelectionSet=[field("c")]))),
    (
        "mutation M @d { a }",
        query(field("a"), Operation="mutation", Name="M", Directives=[{"Name": "d", "Location": ""}]),
    ),
    (
        LITERALS,
        query(
            field(
                "f",
                Arguments=[
                    argument("a", value(0, "v")),
                    argument("b", value(1, "-1")),
                    argument("c", value(2, "1.5e3")),
                    argument("d", value(3, "xé")),
                    argument("e", value(5, "true")),
                    argument("g", value(6, "null")),
                    argument("h", value(7, "RED")),
                    argument("i", value(8, Children=[argument("", value(1, "1"))])),
                    argument("j", value(9, Children=[argument("k", value(1, "2"))])),
                    argument("l", value(8)),
                ],
            )
        ),
    ),
    (BLOCK, query(field("f", Arguments=[argument("a", value(4, "one\n  two"))]))),
    ('{ f(a: """x\n  y""") }', query(field("f", Arguments=[argument("a", value(4, "x\n  y"))]))),
    (
        "query ($v: [Int!] = 1 @d) { a }",
        query(
            field("a"),
            VariableDefinitions=[
                {
                    "Variable": "v",
                    "Type": {"NamedType": "", "NonNull": False, "Elem": named("Int", required=True)},
                    "DefaultValue": value(1, "1"),
                    "Directives": [{"Name": "d", "Location": ""}],
                    "Used": False,
                }
            ],
        ),
    ),
    (
        "{ ...F ... on T { a } ... { b } } fragment F on T { c }",
        query(
            {"Name": "F"},
            {"TypeCondition": "T", "SelectionSet": [field("a")]},
            {"TypeCondition": "", "SelectionSet": [field("b")]},
        )
        | {"Fragments": [{"Name": "F", "TypeCondition": "T", "SelectionSet": [field("c")]}]},
    ),
    (
        "# one\n# two\nquery { # three\n a # four\n }",
        query(field("a", Comment=comments("# three")), Comment=comments("# one", "# two")),
    ),
    ("# one\n{ a }", query(field("a"))),
    ("{", refusal("Expected Name, found <EOF>", 1, 2)),
    ("{}", refusal("expected at least one definition, found }", 1, 2)),
    ("query Q()", refusal("expected at least one definition, found )", 1, 9)),
    ("{ a", refusal("Expected Name, found <EOF>", 1, 4)),
    ("{ ...on }", refusal("Expected Name, found }", 1, 9)),
    ("fragment on on T { a }", refusal('Unexpected Name "on"', 1, 10)),
    ("fragment F T { a }", refusal('Expected "on", found Name "T"', 1, 12)),
    ("subscription", refusal("Expected {, found <EOF>", 1, 13)),
    ('"text" query { a }', refusal('Unexpected String "text"', 1, 2)),
    ('{ a(b: "text }', refusal("Unexpected <Invalid>", 1, 15)),
    ("{ a(b: 01) }", refusal("Unexpected <Invalid>", 1, 9)),
    ("query ($v: Int = $w) { a }", refusal("Unexpected $", 1, 18)),
    ("{ a" * 2000, TOO_MUCH),
    (1, Error("operand 1 must be string but got number")),
]


def definition(kind: str, name: str, **rest: Any) -> Tree:
    return {"Kind": kind, "Name": name, "Description": "", "BuiltIn": False, **rest}


def member(name: str, type_name: str, **rest: Any) -> Tree:
    return {"Name": name, "Description": "", "Type": named(type_name), **rest}


SCHEMAS = [
    ("", {}),
    ("# only", {"Comment": comments("# only")}),
    ("scalar S", {"Definitions": [definition("SCALAR", "S")]}),
    (
        '"about" type T implements & A & B { "f" a(x: Int = 1): T @d }',
        {
            "Definitions": [
                definition(
                    "OBJECT",
                    "T",
                    Description="about",
                    Interfaces=["A", "B"],
                    Fields=[
                        member(
                            "a",
                            "T",
                            Description="f",
                            Arguments=[member("x", "Int", DefaultValue=value(1, "1"))],
                            Directives=[{"Name": "d", "Location": ""}],
                        )
                    ],
                )
            ]
        },
    ),
    (
        "union U = | A | B enum E { X Y } input I { a: Int = 1 } interface J { a: Int }",
        {
            "Definitions": [
                definition("UNION", "U", Types=["A", "B"]),
                definition(
                    "ENUM", "E", EnumValues=[{"Name": "X", "Description": ""}, {"Name": "Y", "Description": ""}]
                ),
                definition("INPUT_OBJECT", "I", Fields=[member("a", "Int", DefaultValue=value(1, "1"))]),
                definition("INTERFACE", "J", Fields=[member("a", "Int")]),
            ]
        },
    ),
    (
        "directive @d(x: Int) repeatable on | FIELD | QUERY",
        {
            "Directives": [
                {
                    "Name": "d",
                    "Description": "",
                    "Arguments": [member("x", "Int")],
                    "IsRepeatable": True,
                    "Locations": ["FIELD", "QUERY"],
                }
            ]
        },
    ),
    (
        "schema { query: Q } extend schema @d",
        {
            "Schema": [{"Description": "", "OperationTypes": [{"Operation": "query", "Type": "Q"}]}],
            "SchemaExtension": [{"Description": "", "Directives": [{"Name": "d", "Location": ""}]}],
        },
    ),
    (
        '# a\n"d" # b\ntype T { # c\n x: Int # e\n}',
        {
            "Definitions": [
                definition(
                    "OBJECT",
                    "T",
                    Description="d",
                    BeforeDescriptionComment=comments("# a"),
                    AfterDescriptionComment=comments("# b"),
                    EndOfDefinitionComment=comments("# e"),
                    Fields=[member("x", "Int", AfterDescriptionComment=comments("# c"))],
                )
            ]
        },
    ),
    ("extend type T", refusal("Unexpected <EOF>", 1, 14)),
    ("extend interface I implements J { a: Int }", refusal('Unexpected Name "implements"', 1, 20)),
    ('"d" extend type T { a: Int }', refusal('Unexpected String "d"', 1, 2)),
    ("enum E {}", refusal("expected at least one definition, found }", 1, 9)),
    ("union U = A |", refusal("Expected Name, found <EOF>", 1, 14)),
    ("input I { a(x: Int): Int }", refusal("Expected :, found (", 1, 12)),
    ("directive @d on NOWHERE", refusal('Unexpected Name "NOWHERE"', 1, 17)),
    ("query { a }", refusal('Unexpected Name "query"', 1, 1)),
]

# A schema and what is wrong with it; "" for nothing.
SENSE = [
    ("", ""),
    ("extend type Query { a: Int }", ""),
    ("type Query { a: Foo }", "1:17: Undefined type Foo."),
    ("scalar String", "1:8: Cannot redeclare type String."),
    ("type A { a: Int } type A { b: Int }", "1:24: Cannot redeclare type A."),
    ("scalar A extend type A { a: Int }", "1:22: Cannot extend type A because the base type is a SCALAR, not OBJECT."),
    ("directive @d on FIELD directive @d on FIELD", "1:34: Cannot redeclare directive d."),
    ("directive @skip on FIELD", ""),
    ("schema { query: Q }", "1:10: Schema root query refers to a type Q that does not exist."),
    ("type A @d { a: Int }", "1:9: Undefined directive d."),
    ("type A @deprecated { a: Int }", "1:9: Directive deprecated is not applicable on OBJECT."),
    (
        "type A { a: Int @deprecated @deprecated }",
        "1:30: The directive deprecated can only be used once at this location.",
    ),
    ("type A { a: Int @deprecated(x: 1) }", "1:29: Undefined argument x for directive deprecated."),
    ("scalar A @specifiedBy", "1:11: Argument url for directive specifiedBy cannot be null."),
    ("directive @d(x: Int @d) on ARGUMENT_DEFINITION", "1:22: Directive d cannot refer to itself."),
    (
        "type A { __a: Int }",
        '1:10: Name "__a" must not begin with "__", which is reserved by GraphQL introspection.',
    ),
    ("type A { a(x: A): Int }", "1:12: cannot use A as argument x because OBJECT is not a valid input type"),
    ("type A", "1:6: OBJECT A: must define one or more fields."),
    ("enum E { true }", "1:6: ENUM E: non-enum value true."),
    ("input I { a: A } type A { a: Int }", "1:11: OBJECT a: field must be one of SCALAR, ENUM, INPUT_OBJECT."),
    ("type A { a: Int a: Int }", "1:17: Field A.a can only be defined once."),
    ("enum E { A A }", "1:12: Enum value E.A can only be defined once."),
    ("union U = Int", '1:7: UNION type "Int" must be OBJECT.'),
    ("type A { a: Int } union U = A | A", "1:33: Union type U can only include type A once."),
    ("interface I { a: Int } type A implements I { a: Int! }", ""),
    ("interface I { a: [I] } type A implements I { a: [A] }", ""),
    (
        "interface I { a: Int } type A implements I { b: Int }",
        "1:29: For A to implement I it must have a field called a.",
    ),
    (
        "interface I { a: Int } type A implements I { a: ID }",
        "1:46: For A to implement I the field a must have type Int.",
    ),
    (
        "interface I { a(x: Int): Int } type A implements I { a: Int }",
        "1:54: For A to implement I the field a must have the same arguments but it is missing x.",
    ),
    (
        "interface I { a(x: Int): Int } type A implements I { a(x: ID): Int }",
        "1:56: For A to implement I the field a must have the same arguments but x has the wrong type.",
    ),
    (
        "interface I { a: Int } type A implements I { a(x: Int!): Int }",
        (
            "1:48: For A to implement I any additional arguments on a must be optional or have a default value but "
            "x is required."
        ),
    ),
    (
        "interface I { a: Int } interface J implements I { a: Int } type A implements J { a: Int }",
        "1:65: Type A must implement I because it is implemented by J.",
    ),
    (
        "input I { a: J! } input J { b: I! }",
        '1:11: Cannot reference Input Object "I" within itself through a series of non-null fields: "a.b".',
    ),
    ("input I { a: [I!]! }", ""),
]

SCHEMA = """
interface Node { id: ID! } enum Color { RED GREEN } input In { a: Int! b: [String!] } input One @oneOf { a: Int b: Int }
type Dog implements Node { id: ID! name(up: Boolean): String friend: Dog } type Cat implements Node { id: ID! }
union Pet = Dog | Cat
type Query { dog: Dog cat: Cat pet: Pet node(id: ID!): Node }
extend type Query { n(x: Int): Int c(x: Color): Int i(x: In): Int o(x: One): Int }
"""

# A query for that schema and what is wrong with it; "" for nothing.
VALIDITY = [
    ("{ dog { id name } }", ""),
    ("{ pet { ... on Dog { id } } }", ""),
    ("{ n(x: 3000000000) }", ""),  # integers have 64 bits
    ("{ dgo { id } }", '1:3: Cannot query field "dgo" on type "Query". Did you mean "dog" or "o"?\n'),
    ("{ dog }", '1:3: Field "dog" of type "Dog" must have a selection of subfields. Did you mean "dog { ... }"?\n'),
    ("{ dog { id @foo } }", '1:13: Unknown directive "@foo"'),
    ("query @skip(if: true) { n }", '1:8: Directive "@skip" may not be used on QUERY'),
    ("{ node { id } }", '1:3: Field "node" argument "id" of type "ID!" is required, but it was not provided'),
    ("{ n(y: 1) }", '1:3: Unknown argument "y" on field "Query.n". Did you mean "x"?\n'),
    ("{ n(x: 1, x: 1) }", '1:11: There can be only one argument named "x"'),
    ('{ n(x: "1") }', '1:9: Int cannot represent non-integer value: "1"\n'),
    ("{ c(x: BLUE) }", '1:8: Value "BLUE" does not exist in "Color" enum'),
    ("{ i(x: {a: null}) }", '1:12: Expected value of type "Int!", found null'),
    ("{ i(x: [1]) }", '1:8: Expected value of type "In", found [1]'),
    ("{ o(x: {a: 1, b: 2}) }", '1:8: OneOf Input Object "One" must specify exactly one key'),
    ("mutation { n }", '1:1: Schema does not support operation type "mutation"\n'),
    ("query ($v: Int) { n }", '1:8: Variable "$v" is never used'),
    ("{ n(x: $v) }", '1:8: Variable "$v" is not defined'),
    (
        "query ($v: Boolean) { dog { id @skip(if: $v) } }",
        '1:42: Variable "$v" of type "Boolean" used in position expecting type "Boolean!"',
    ),
    ("{ ...F }", '1:6: Unknown fragment "F"'),
    ("{ dog { ... on Cat { id } } }", None),
    (
        "{ dog { x: id x: name } }",
        (
            '1:15: Fields "x" conflict because "id" and "name" are different fields. '
            "Use different aliases on the fields to fetch both if this was intentional"
        ),
    ),
    (
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        "1:3: Maximum introspection depth exceeded\n",
    ),
]


@pytest.mark.parametrize(("text", "wanted"), QUERIES)
def test_queries_become_trees(text: Any, wanted: Any) -> None:
    check(outcome(TABLE, "graphql.parse_query", text), wanted)


@pytest.mark.parametrize(("text", "wanted"), SCHEMAS)
def test_schemas_become_trees(text: str, wanted: Any) -> None:
    check(outcome(TABLE, "graphql.parse_schema", text), wanted)


@pytest.mark.parametrize(("schema", "problem"), SENSE)
def test_schemas_are_checked(schema: str, problem: str) -> None:
    assert TABLE["graphql.schema_is_valid"](schema) is (not problem)
    if problem:
        wanted = f"Error in gqlparser SchemaDocument to Schema conversion: input:{problem}"
        assert outcome(TABLE, "graphql.parse", "{ a }", schema) == Error(wanted)


@pytest.mark.parametrize(("text", "problem"), VALIDITY)
def test_queries_are_checked(text: str, problem: str | None) -> None:
    got = outcome(TABLE, "graphql.parse", text, SCHEMA)
    valid = TABLE["graphql.is_valid"](text, SCHEMA)
    verified = TABLE["graphql.parse_and_verify"](text, SCHEMA)
    if problem == "":
        trees = [TABLE["graphql.parse_query"](text), TABLE["graphql.parse_schema"](SCHEMA)]
        assert (valid, got, verified) == (True, trees, [True, *trees])
    else:
        assert (valid, verified) == (False, [False, {}, {}])
    if problem:
        row, column, message = problem.split(":", 2)
        assert got == refusal(message.removeprefix(" "), int(row), int(column))


def test_queries_that_take_too_much_work_are_neither_valid_nor_invalid() -> None:
    costly = "{" + "n " * 3000 + "}"
    for name in ("graphql.parse", "graphql.is_valid", "graphql.parse_and_verify"):
        assert outcome(TABLE, name, costly, SCHEMA) == TOO_MUCH


OBJECT_QUERY = {"Operations": [{"SelectionSet": [{"Name": "dog", "SelectionSet": [{"Name": "id"}]}]}]}
OBJECT_SCHEMA = {
    "Definitions": [{"Kind": "OBJECT", "Name": "Query", "Fields": [{"Name": "a", "Type": {"NamedType": "Int"}}]}]
}


def test_trees_given_as_objects_get_their_defaults() -> None:
    selections = [{"Alias": "", "Name": "dog", "SelectionSet": [{"Alias": "", "Name": "id"}]}]
    wanted = {"Operations": [{"Operation": "", "Name": "", "SelectionSet": selections}]}
    assert TABLE["graphql.parse"](OBJECT_QUERY, SCHEMA)[0] == wanted
    schema = {"Definitions": [definition("OBJECT", "Query", Fields=[member("a", "Int")])]}
    assert TABLE["graphql.parse"]("{ a }", OBJECT_SCHEMA)[1] == schema


@pytest.mark.parametrize(
    ("operands", "text"),
    [
        ((1, SCHEMA), "operand 0 must be one of {string, object} but got number"),
        (("{ n }", 1), "operand 1 must be one of {string, object} but got number"),
        (
            ({"Operations": [{"SelectionSet": [{"Name": "b"}]}]}, OBJECT_SCHEMA),
            'GraphQL parse error: input: Cannot query field "b" on type "Query". Did you mean "a"?\n',
        ),
        (
            ("{ a }", {"Definitions": [{"Kind": "OBJECT", "Name": "A"}]}),
            (
                "Error in gqlparser SchemaDocument to Schema conversion: "
                "input:-1:-1: OBJECT A: must define one or more fields."
            ),
        ),
        (
            ({"Operations": [{"Name": 1}]}, SCHEMA),
            "json: cannot unmarshal number into Go struct field OperationDefinition.Name of type string",
        ),
    ],
)
def test_refused_operands(operands: tuple[Any, Any], text: str) -> None:
    assert outcome(TABLE, "graphql.parse", *operands) == Error(text)
    assert TABLE["graphql.is_valid"](*operands) is False


TOKENS = st.sampled_from(
    ["{", "}", "(", ")", "a", "on", "...", ":", "$", "query", "fragment", "type", '"s"', "1", "@", "="]
)


@given(st.lists(TOKENS, max_size=20).map(" ".join) | st.text(max_size=30))
def test_any_text_is_a_tree_or_a_refusal(text: str) -> None:
    for name in ("graphql.parse_query", "graphql.parse_schema"):
        got = outcome(TABLE, name, text)
        assert isinstance(got, dict) or " in GraphQL string at location " in got.text
