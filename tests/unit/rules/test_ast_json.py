"""The JSON of syntax trees: what was written down here is what `opa parse` prints."""

import json
from base64 import b64decode
from typing import Any

import pytest

from procurator_rules.ast_json import module_json
from procurator_rules.ast_tree import module_tree
from procurator_rules.json_text import json_text
from procurator_rules.nodes import Number
from procurator_rules.parser import parse_module


def printed(text: str, *, rego_version: int = 1, **included: bool) -> Any:
    """The JSON of a module with these rules, numbers as they were printed."""
    module = parse_module(f"package a\n{text}", rego_version=rego_version)
    return json.loads(json_text(module_json(module, **included)), parse_int=str, parse_float=str)


def terse(record: Any) -> Any:
    """A term as `{type: value}`, which is easier to read."""
    if isinstance(record, dict) and {"type", "value"} <= set(record) <= {"type", "value", "location"}:
        return {record["type"]: terse(record["value"])}
    if isinstance(record, dict):
        return {key: terse(value) for key, value in record.items()}
    return [terse(part) for part in record] if isinstance(record, list) else record


def value_of(text: str) -> Any:
    """The value that a rule has in JSON."""
    return terse(printed(f"p := {text}")["rules"][0]["head"]["value"])


def body_of(text: str) -> Any:
    """The lines that a body has in JSON."""
    keywords = "import future.keywords.and\nimport future.keywords.or\nimport future.keywords.not\n"
    return terse(printed(f"{keywords}p if {{ {text} }}")["rules"][0]["body"])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("null", {"null": {}}),
        ("true", {"boolean": True}),
        ("-1.50e3", {"number": "-1.50e3"}),
        (".5", {"number": "0.5"}),
        ("-.5", {"number": "-0.5"}),
        (r'"a\u00e9\n"', {"string": "a\u00e9\n"}),
        ("`a\\n`", {"string": "a\\n"}),
        ("x", {"var": "x"}),
        ("input", {"ref": [{"var": "input"}]}),
        ('x.y["z"]', {"ref": [{"var": "x"}, {"string": "y"}, {"string": "z"}]}),
        ("[]", {"array": []}),
        ("set()", {"set": []}),
        ("{}", {"object": []}),
        ("f(1)", {"call": [{"ref": [{"var": "f"}]}, {"number": "1"}]}),
        ("1 + 2", {"call": [{"ref": [{"var": "plus"}]}, {"number": "1"}, {"number": "2"}]}),
        ("-x", {"call": [{"ref": [{"var": "minus"}]}, {"number": "0"}, {"var": "x"}]}),
        (
            "x in y",
            {"call": [{"ref": [{"var": "internal"}, {"string": "member_2"}]}, {"var": "x"}, {"var": "y"}]},
        ),
        (
            "[x | y]",
            {"arraycomprehension": {"term": {"var": "x"}, "body": [{"index": "0", "terms": {"var": "y"}}]}},
        ),
        (
            "{x: z | y}",
            {
                "objectcomprehension": {
                    "key": {"var": "x"},
                    "value": {"var": "z"},
                    "body": [{"index": "0", "terms": {"var": "y"}}],
                }
            },
        ),
        ('$""', {"templatestring": {"parts": None, "multi_line": False}}),
        (
            '$"a {x} {1}"',
            {
                "templatestring": {
                    "parts": [
                        {"string": "a "},
                        {"index": "0", "terms": {"var": "x"}},
                        {"string": " "},
                        {"number": "1"},
                    ],
                    "multi_line": False,
                }
            },
        ),
    ],
)
def test_terms(text: str, wanted: Any) -> None:
    """Every kind of term has its own name and value."""
    assert value_of(text) == wanted


def test_members_of_sets_are_sorted_and_unique() -> None:
    """By type, then by value; numbers that are equal count as one, and the first is kept."""
    assert value_of('{"b", x, 2, 1, 1.0, [1], [1.0], "a", null, {"k": 1}, {y}, f(1), a.b, x, true}') == {
        "set": [
            {"null": {}},
            {"boolean": True},
            {"number": "1"},
            {"number": "2"},
            {"string": "a"},
            {"string": "b"},
            {"var": "x"},
            {"ref": [{"var": "a"}, {"string": "b"}]},
            {"array": [{"number": "1"}]},
            {"object": [[{"string": "k"}, {"number": "1"}]]},
            {"set": [{"var": "y"}]},
            {"call": [{"ref": [{"var": "f"}]}, {"number": "1"}]},
        ]
    }


def test_comprehensions_in_a_set_are_told_apart_by_their_bodies() -> None:
    """Equal ones are one member."""
    found = value_of("{[y | y := 1], [y | y := 2], [y | y := 1], {y | not z}, {z: y | some y}}")
    kinds = [next(iter(member)) for member in found["set"]]
    assert kinds == ["arraycomprehension", "arraycomprehension", "objectcomprehension", "setcomprehension"]


def test_keys_of_objects_are_sorted_and_may_be_repeated() -> None:
    """OPA keeps both until it evaluates."""
    assert value_of('{"b": 1, "a": 2, "b": 3, 1: 4}') == {
        "object": [
            [{"number": "1"}, {"number": "4"}],
            [{"string": "a"}, {"number": "2"}],
            [{"string": "b"}, {"number": "1"}],
            [{"string": "b"}, {"number": "3"}],
        ]
    }


def line(name: str) -> list[Any]:
    """A body that is a variable."""
    return [{"index": "0", "terms": {"var": name}}]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x == y", {"terms": [{"ref": [{"var": "equal"}]}, {"var": "x"}, {"var": "y"}]}),
        ("not x", {"terms": {"body": line("x"), "explicit_body": False, "type": "not"}}),
        ("not { x }", {"terms": {"body": line("x"), "explicit_body": True, "type": "not"}}),
        ("some x, y", {"terms": {"symbols": [{"var": "x"}, {"var": "y"}]}}),
        (
            "every x in y { z }",
            {"terms": {"body": line("z"), "domain": {"var": "y"}, "key": None, "value": {"var": "x"}}},
        ),
        (
            "x with input as 1",
            {"terms": {"var": "x"}, "with": [{"target": {"ref": [{"var": "input"}]}, "value": {"number": "1"}}]},
        ),
        ("x or { y }", {"terms": {"explicit_rhs": True, "lhs": line("x"), "rhs": line("y"), "type": "or"}}),
        ("{ x } and y", {"terms": {"explicit_lhs": True, "lhs": line("x"), "rhs": line("y"), "type": "and"}}),
    ],
)
def test_lines_of_bodies(text: str, wanted: Any) -> None:
    """Every kind of line has its own shape; lines are counted."""
    assert body_of(f"true; {text}")[1] == {"index": "1", **wanted}


def test_not_without_its_import_is_a_flag_of_the_line() -> None:
    """The negation of before is no node."""
    rule = printed("p if not x")["rules"][0]
    assert rule["body"] == [{"index": "0", "negated": True, "terms": {"type": "var", "value": "x"}}]


@pytest.mark.parametrize(
    ("text", "version", "wanted"),
    [
        ("p := 1", 1, {"name": "p", "value": {"number": "1"}, "assign": True, "ref": "p"}),
        ("p = 1", 1, {"name": "p", "value": {"number": "1"}, "ref": "p"}),
        ("p if x", 1, {"name": "p", "value": {"boolean": True}, "ref": "p"}),
        ("p contains 1", 1, {"name": "p", "key": {"number": "1"}, "ref": "p"}),
        ("p.q contains 1", 1, {"key": {"number": "1"}, "ref": "p.q"}),
        ("p.q := 1", 1, {"name": "p", "key": {"string": "q"}, "value": {"number": "1"}, "assign": True, "ref": "p.q"}),
        ("p.q.r := 1", 1, {"value": {"number": "1"}, "assign": True, "ref": "p.q.r"}),
        ("p.q if x", 1, {"value": {"boolean": True}, "ref": "p.q"}),
        ("p.q := 1 if x", 1, {"name": "p", "value": {"number": "1"}, "assign": True, "ref": "p.q"}),
        ("p[y] if x", 1, {"key": {"var": "y"}, "value": {"boolean": True}, "ref": "p.y"}),
        ("p[y] = 1 if x", 1, {"name": "p", "key": {"var": "y"}, "value": {"number": "1"}, "ref": "p.y"}),
        ("default p := 1", 1, {"name": "p", "value": {"number": "1"}, "assign": True, "ref": "p"}),
        ("default p.q := 1", 1, {"value": {"number": "1"}, "assign": True, "ref": "p.q"}),
        ("f(x) := 1", 1, {"name": "f", "args": [{"var": "x"}], "value": {"number": "1"}, "assign": True, "ref": "f"}),
        ("g.f(x) if x", 1, {"name": "g", "args": [{"var": "x"}], "value": {"boolean": True}, "ref": "g.f"}),
        ("g.f(x) := 1", 1, {"args": [{"var": "x"}], "value": {"number": "1"}, "assign": True, "ref": "g.f"}),
        ("p[x] { y }", 0, {"name": "p", "key": {"var": "x"}, "ref": "p"}),
        ("p[x] = 1 { y }", 0, {"name": "p", "key": {"var": "x"}, "value": {"number": "1"}, "ref": "p.x"}),
        ("p.q", 0, {"name": "p", "key": {"string": "q"}, "ref": "p"}),
        ("p.q.r", 0, {"value": {"boolean": True}, "ref": "p.q.r"}),
    ],
)  # fmt: skip
def test_heads(text: str, version: int, wanted: Any) -> None:
    """What older readers of the JSON find in `name` and `key` depends on the form of the rule."""
    head = terse(printed(text, rego_version=version)["rules"][0]["head"])
    head["ref"] = ".".join(next(iter(part.values())) for part in head["ref"])
    assert (head, list(head)) == (wanted, list(wanted))


def test_a_body_that_is_not_written_is_marked() -> None:
    """It is `true`."""
    body = [{"generated": True, "index": "0", "terms": {"type": "boolean", "value": True}}]
    rules = printed("p := 1\ndefault q := 1\nr contains 1\ns if true")["rules"]
    assert [rule["body"] == body for rule in rules] == [True, True, True, False]
    assert [rule.get("default", False) for rule in rules] == [False, True, False, False]


def test_wildcards_are_numbered_as_opa_reads_them() -> None:
    """Each further body of a function has new ones for its operands, and those within an operand stay."""
    rules = printed("f(_, [_]) := 1 if { _ } { _ }\ng(_) := 1 if _ else := 2 if _")["rules"]
    names = [part["value"] for part in _parts(rules) if part.get("type") == "var" and part["value"][0] == "$"]
    assert names == ["$2", "$0", "$1", "$3", "$4", "$1", "$6", "$8", "$7", "$5"]


def _parts(record: Any) -> list[Any]:
    below = record.values() if isinstance(record, dict) else record if isinstance(record, list) else ()
    return [record, *(part for held in below for part in _parts(held))] if isinstance(record, dict) else [
        part for held in below for part in _parts(held)
    ]  # fmt: skip


def test_each_else_holds_the_next() -> None:
    """A branch without a value takes over `assign` from the head."""
    rule = printed("p := 1 if x else := 2 if y else if z else = 3")["rules"][0]
    found = []
    while rule:
        found.append((rule["head"]["value"]["value"], rule["head"].get("assign", False), list(rule)))
        rule = rule.get("else")
    assert found == [
        ("1", True, ["body", "else", "head"]),
        ("2", True, ["body", "else", "head"]),
        (True, True, ["body", "else", "head"]),
        ("3", False, ["body", "head"]),
    ]


def test_imports_and_comments() -> None:
    """Comments are there if they are wanted, in Base64; a file without rules has no key for them."""
    found = printed("import data.x as y # why\nimport rego.v1", comments=True)
    assert list(found) == ["package", "imports", "comments"]
    assert [terse(one) for one in found["imports"]] == [
        {"alias": "y", "path": {"ref": [{"var": "data"}, {"string": "x"}]}},
        {"path": {"ref": [{"var": "rego"}, {"string": "v1"}]}},
    ]
    assert found["comments"] == [{"Text": "IHdoeQ==", "Location": {"file": "", "row": "2", "col": "20"}}]


@pytest.mark.parametrize(
    ("text", "path", "wanted"),
    [
        ("p := 1", (), "2:1 p := 1"),
        ("default p := 1", (), "2:1 default"),
        ("default p := 1", ("head",), "2:9 p := 1"),
        ("p if { x }", (), "2:1 p if { x }"),
        ("p if { x }", ("head",), "2:1 p"),
        ("p contains 1", ("body", 0), "2:1 p"),
        ("p := (1)", ("head", "value"), "2:7 (1)"),
        ("p if (x == y)", ("body", 0), "2:6 (x == y)"),
        ("p if (x) == y", ("body", 0), "2:6 (x) == y"),
        ("p := (x) + y", ("head", "value"), "2:7 (x) + y"),
        ("p := x(y)", ("head", "value", "value", 1), "2:8 y"),
        ("p := -1", ("head", "value"), "2:6 -"),
        ("p if not x", ("body", 0), "2:6 not x"),
        ("p if some x in y", ("body", 0, "terms"), "2:6 some"),
        ("p if x with input as (1)", ("body", 0, "with", 0), "2:8 with input as (1)"),
        ("p := [1, 2][0]", ("head", "value"), "2:6 ][0]"),
        ('p := $"a {x}"', ("head", "value", "value", "parts", 0), '2:6 $"a {'),
        ("p if x else := 2 if y", ("else",), "2:8 else := 2 if y"),
        ("p if x else := 2 if y", ("else", "body", 0, "terms"), "2:8 else := 2 if y"),
        ("p if x else := 2 if y", ("else", "head"), "2:8 else := 2"),
        ("f(x) := 1 if { x } { x }", ("head", "args", 0), "2:3 x"),
    ],
)
def test_locations(text: str, path: tuple[str | int, ...], wanted: str) -> None:
    """Row, column and the text that OPA has for a part, which is not always all of it."""
    part = printed(text, locations=True)["rules"][0]
    for step in path:
        part = part[step]
    place = part["location"]
    assert f"{place['row']}:{place['col']} {b64decode(place['text']).decode()}" == wanted


def test_further_bodies_of_a_rule_stand_where_their_braces_do() -> None:
    """The head too, which nobody wrote a second time; its name keeps its place."""
    rule = printed("f(x) := 1 if { x } { x }", locations=True)["rules"][1]
    places = [rule["location"], rule["head"]["location"], rule["head"]["args"][0]["location"]]
    assert {(place["row"], place["col"], b64decode(place["text"])) for place in places} == {("2", "20", b"{ x }")}
    assert rule["head"]["ref"][0]["location"]["col"] == "1"


def test_text_is_escaped_as_go_does() -> None:
    """HTML characters are escaped, others are not; empty collections stand on one line."""
    assert json_text({"a": ["<é>&\u2028", Number("1.0")], "b": [], "c": {}}) == (
        '{\n  "a": [\n    "\\u003cé\\u003e\\u0026\\u2028",\n    1.0\n  ],\n  "b": [],\n  "c": {}\n}'
    )


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{1, ", "}"), ("f(", ")"), ("(1 + ", ")"), ("a[", "]")])
def test_deep_trees_are_no_trouble(opening: str, closing: str) -> None:
    """Whatever the parser lets through can be printed."""
    module = parse_module(f"package a\np := {opening * 190}1{closing * 190}")
    assert json_text(module_json(module, locations=True)).count('"type"') > 190
    assert len(module_tree(module).splitlines()) > 190


def test_the_tree_is_one_node_a_line() -> None:
    """Depth is indentation; a wildcard is what was written; the key of a set is not shown."""
    module = parse_module('package a\nimport data.x\np contains y if { not f(_); some z in {"k": [1]}; $"{z}" }')
    assert (
        module_tree(module)
        == """\
module
 package
  ref
   data
   "a"
 import
  ref
   data
   "x"
  \n rule
  head
   ref
    p
  body
   expr negated index=0
    ref
     f
    _
   expr index=1
    somedecl
     call
      ref
       internal
       "member_2"
      z
      object
       "k"
       array
        1
   expr index=2
    templatestring
"""
    )
