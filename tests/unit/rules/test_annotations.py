"""METADATA blocks: what they hold, what is wrong with them, and what they stand above."""

from __future__ import annotations

from typing import Any

import pytest

from procurator_rules.annotations import Attached, attach, parse_annotations
from procurator_rules.errors import PolicyError, PolicyErrors
from procurator_rules.nodes import Annotation, Ref
from procurator_rules.parser import parse_module, parse_ref, parse_term


def read(text: str) -> Attached:
    module = parse_module(text, "p.rego")
    return attach(module.package, module.imports, module.rules, parse_annotations(module.comments, parse_term))


def block(yaml: str) -> str:
    return "".join(f"# {line}\n" for line in ("METADATA", *yaml.split("\n")))


def one(yaml: str) -> Annotation:
    (annotation,) = read(f"package p\n\n{block(yaml)}allow := true\n").annotations
    return annotation


def fields(yaml: str) -> dict[str, Any]:
    found = dict(one(yaml).fields)
    assert found.pop("scope") == one(yaml).scope
    return found


FIELDS: list[tuple[str, dict[str, Any]]] = [
    ("title: Admins", {"title": "Admins"}),
    ("title: 1.50", {"title": "1.50"}),
    ("title: no", {"title": "no"}),
    ("title:\ndescription: ~", {}),
    ("description: |\n  a\n  b", {"description": "a\nb\n"}),
    ("unheard_of: [1]\ntitle: x", {"title": "x"}),
    ("title: a\n---\ntitle: b", {"title": "a"}),
    ("organizations: [1, Acme, ~, true]", {"organizations": ["1", "Acme", "true"]}),
    ("entrypoint: yes", {"entrypoint": True}),
    ("entrypoint: false", {}),
    (
        'authors:\n- Ann\n- "Bob  B. <b@c>"\n- <d@e>\n- {name: " F "}\n- {email: g}',
        {
            "authors": [
                {"name": "Ann"},
                {"name": "Bob B.", "email": "b@c"},
                {"name": "", "email": "d@e"},
                {"name": "F"},
                {"name": "", "email": "g"},
            ]
        },
    ),
    (
        "related_resources:\n- https://a.b/c?d=e#f\n- ref: /ü x\n  description: ' y '",
        {"related_resources": [{"ref": "https://a.b/c?d=e#f"}, {"ref": "/%C3%BC%20x", "description": "y"}]},
    ),
    ("labels: {team: x, 1: 2}", {"labels": {"team": "x", "1": 2}}),
    (
        "custom:\n  a: [1.0, 1e3, 0x1f, 017, 0o7, 0b11, 1_000, .5, -2]\n  b: {c: on, d: True, e: ~}\n  f: 2020-1-02",
        {
            "custom": {
                "a": [1, 1000, 31, 15, 7, 3, 1000, 0.5, -2],
                "b": {"c": "on", "d": True, "e": None},
                "f": "2020-01-02T00:00:00Z",
            }
        },
    ),
    ("custom: &c {a: 1, b: 2}\nlabels: {<<: *c, b: 3}", {"custom": {"a": 1, "b": 2}, "labels": {"b": 3, "a": 1}}),
    (
        "compile:\n  unknowns: [input.x, 1]\n  mask_rule: mask",
        {"compile": {"unknowns": [parse_ref("input.x")], "mask_rule": parse_ref("mask")}},
    ),
    ("compile: {mask_rule: 1, unknowns: input}", {"compile": {}}),
]


@pytest.mark.parametrize(("yaml", "wanted"), FIELDS)
def test_fields(yaml: str, wanted: dict[str, Any]) -> None:
    """The fields that are known, each in the form it is given out."""
    assert fields(yaml) == wanted


def test_schemas() -> None:
    """A schema is one by name or one on the spot."""
    found = one("schemas:\n- input: schema.a\n- data.x.y: {type: object}\n- input.z: schema").schemas
    assert [(str_of(entry.path), entry.schema and str_of(entry.schema), entry.definition) for entry in found] == [
        ("input", "schema.a", None),
        ("data.x.y", None, {"type": "object"}),
        ("input.z", "schema", None),
    ]


def str_of(ref: Ref) -> str:
    return ".".join(str(getattr(term, "name", getattr(term, "value", ""))) for term in ref.terms)


UNMARSHAL = "yaml: unmarshal errors:\n  line "
PROBLEMS = [
    ("", 3, "expected METADATA block, found whitespace"),
    ("title: [1]", 4, f"{UNMARSHAL}1: cannot unmarshal !!seq into string"),
    ("title: x\nscope: {a: b}", 5, f"{UNMARSHAL}2: cannot unmarshal !!map into string"),
    ("title: [1]\nscope: {}\norganizations: x", 4, (f"{UNMARSHAL}1: cannot unmarshal !!seq into string\n"
     "  line 2: cannot unmarshal !!map into string\n  line 3: cannot unmarshal !!str `x` into []string")),
    ('entrypoint: "true"', 4, f"{UNMARSHAL}1: cannot unmarshal !!str `true` into bool"),
    ("schemas:\n- input", 5, f"{UNMARSHAL}2: cannot unmarshal !!str `input` into map[string]interface {{}}"),
    ("title: a\ntitle: b", 5, f'{UNMARSHAL}2: mapping key "title" already defined at line 1'),
    ("- a", 4, f"{UNMARSHAL}1: cannot unmarshal !!seq into ast.rawAnnotation"),
    ("title:foo", 4, (f"{UNMARSHAL}1: cannot unmarshal !!str `title:foo` into ast.rawAnnotation\n  Hint: on line 4, "
     "symbol(s) ['f'] immediately following a key/value separator ':' is not a legal yaml space character")),
    ("title: a: b", 4, "yaml: mapping values are not allowed in this context"),
    ("title: a\n  b: c", 5, "yaml: line 2: mapping values are not allowed in this context"),
    ("title:\n\tfoo", 5, "yaml: line 2: found character that cannot start any token"),
    ('title: "abc', 4, "yaml: line 2: found unexpected end of stream"),
    ("title: [a", 4, "yaml: line 1: did not find expected ',' or ']'"),
    ("title: *x", 4, "yaml: unknown anchor 'x' referenced"),
    ("custom: {a: !!int b}", 4, "yaml: cannot decode !!str `b` as a !!int"),
    ("custom: {a: {b: {1: 2}}}", 3, "invalid map key type(s): b"),
    ("custom: {a: &a [&b [x, x, x, x, x, x, x, x], " + ", ".join(["*b"] * 3000) + "]}", 3,
     "yaml: document contains excessive aliasing"),
    ("custom: " + "[" * 5000, 3, "yaml: exceeded max depth"),
    ("authors: ['']", 3, "invalid author definition : author is an empty string"),
    ("authors: [{a: 1}]", 3, "invalid author definition map[a:1]: 'name' and/or 'email' values required in object"),
    ("related_resources: [1]", 3, "invalid related-resource definition 1: invalid value type, must be string or map"),
    ("related_resources: ['']", 3, "invalid related-resource definition : ref URL may not be empty string"),
    ("related_resources: ['%zz']", 3, 'invalid related-resource definition %zz: parse "%zz": invalid URL escape "%zz"'),
    ("related_resources: ['http://x y']", 3,
     'invalid related-resource definition http://x y: parse "http://x y": invalid character " " in host name'),
    ("schemas: [{1x: schema}]", 3, "invalid document reference"),
    ("schemas: [{foo: schema}]", 3, "invalid document reference"),
    ("schemas: [{input: 1}]", 3, 'invalid schema declaration for path "input"'),
    ("schemas: [{input: data.x}]", 3, "invalid schema reference"),
    ("compile: {unknowns: [foo]}", 3, 'invalid unknowns element "foo": expected ref but got foo'),
    ("compile: {mask_rule: '[1]'}", 3, 'invalid mask_rule annotation type "[1]": expected a reference'),
    ("scope: rules", 3, "invalid annotation scope 'rules'. Use one of 'rule', 'document', 'package', or 'subpackages'"),
    ("scope: package", 3, "annotation scope 'package' must be applied to package (have rule)"),
    ("entrypoint: true\nscope: rule", 3, "annotation entrypoint applied to non-document or package scope 'rule'"),
]  # fmt: skip


@pytest.mark.parametrize(("yaml", "row", "message"), PROBLEMS)
def test_problems(yaml: str, row: int, message: str) -> None:
    """What is wrong with a block is said with the row of the line in question."""
    with pytest.raises(PolicyError) as caught:
        one(yaml)
    error = caught.value
    assert error.location is not None
    assert (error.code, error.location.row, error.message) == ("rego_parse_error", row, message)


def test_all_problems_are_reported() -> None:
    """One wrong block does not hide another."""
    with pytest.raises(PolicyErrors) as caught:
        read(f"package p\n\n{block('title: [1]')}a := 1\n\n{block('scope: x')}b := 1\n\n{block('authors: 1')}c := 1\n")
    assert [(error.location.row if error.location else 0) for error in caught.value.errors] == [4, 12]


ABOVE = [
    ("# METADATA\n# title: t\npackage p\n", "package", ["data", "p"]),
    ("# METADATA\n# scope: subpackages\n\n# other\npackage p\n", "subpackages", ["data", "p"]),
    ("package p\n# METADATA\n# title: t\nr := 1", "rule", ["data", "p", "r"]),
    ("package p\n# METADATA\n# entrypoint: true\nr := 1", "document", ["data", "p", "r"]),
    (
        "package p.q\n#METADATA\n# title: t\nr.a[1][x].b := 1 if some x in [1]",
        "rule",
        ["data", "p", "q", "r", "a", "1"],
    ),
]


@pytest.mark.parametrize(("text", "scope", "path"), ABOVE)
def test_scope_and_path(text: str, scope: str, path: list[str]) -> None:
    """Without a scope it is what the block stands above that decides."""
    (annotation,) = read(text).annotations
    assert annotation.path is not None
    parts = [getattr(term, "name", None) or getattr(term, "value", None) or term.text for term in annotation.path.terms]  # type: ignore[union-attr]
    assert (annotation.scope, parts) == (scope, path)


MISPLACED = [
    ("package p\n# METADATA\n# title: t\nimport data.x\n",
     "invalid annotation scope 'import'. Use one of 'rule', 'document', 'package', or 'subpackages'"),
    ("package p\n# METADATA\n# title: t\n",
     "invalid annotation scope ''. Use one of 'rule', 'document', 'package', or 'subpackages'"),
    ("package p\n# METADATA\n# scope: rule\n", "annotation scope 'rule' must be applied to rule"),
    ("#METADATA\n#scope: document\npackage p\n", "annotation scope 'document' must be applied to rule (have package)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), MISPLACED)
def test_misplaced(text: str, message: str) -> None:
    """A block has to stand above what it is about."""
    with pytest.raises(PolicyError) as caught:
        read(text)
    assert caught.value.message == message


def test_blocks_end_where_the_comments_do() -> None:
    """A gap, an indented comment and another METADATA end a block."""
    blocks = "# METADATA\n# title: a\n\n# title: no\nr := 1 # METADATA\n\n# METADATA\n# title: b\n # x: y\n"
    text = f"package p\n\n{blocks}# METADATA\n# title: c\ns := 2\n"
    assert [annotation.fields["title"] for annotation in read(text).annotations] == ["a", "b", "c"]


def titles(attached: Attached) -> list[list[object]]:
    return [[annotation.fields["title"] for annotation in rule.annotations] for rule in attached.rules]


def test_rules_take_their_annotations() -> None:
    """A document annotation goes to all rules of its path, a rule annotation to the next one."""
    text = "package p\n" + "\n".join(
        [
            block("title: one") + "r contains 1",
            block("title: all\nscope: document") + "r contains 2",
            block("title: other") + "s := 1",
            block("title: two") + "r contains 3",
            "r contains 4",
        ]
    )
    assert titles(read(text)) == [["one", "all"], ["all"], ["other"], ["all", "two"], ["all"]]


def test_the_last_of_several_blocks_is_used_up_first() -> None:
    """Blocks of one path that stand together are taken one by one, from below."""
    text = f"package p\n{block('title: a')}{block('title: b')}r := 1\n{block('title: c')}r := 1\nr := 1\n"
    assert titles(read(text)) == [["a", "b"], ["a", "c"], ["a"]]


def test_many_annotated_rules_take_time_in_proportion() -> None:
    """Ten thousand rules of one name, each with its block."""
    text = "package p\n" + "".join(f"# METADATA\n# title: t{i}\nr contains {i}\n" for i in range(300))
    assert titles(read(text)) == [[f"t{i}"] for i in range(300)]
