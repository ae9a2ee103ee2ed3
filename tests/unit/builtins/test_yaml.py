"""`yaml.marshal`, `yaml.unmarshal`, `yaml.is_valid`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcomes import Error, check, outcome

from procurator.builtins.yaml_text import TABLE
from procurator.values import Set, equal

SCALARS = [
    ("yes", "yes"), ("on", "on"), ("n", "n"), ("True", True), ("FALSE", False), ("~", None), ("Null", None), ("", None),
    ("12", 12), ("-0x1f", -31), ("0o17", 15), ("017", 15), ("0b11", 3), ("1_000", 1000), ("089", 89),
    ("18446744073709551615", 18446744073709551615), ("18446744073709551616", 18446744073709552000),
    ("1.5", 1.5), ("1.0", 1), (".5", 0.5), ("1e3", 1000), ("1e400", "1e400"), ("1.5_5", 1.55), ("1:30", "1:30"),
    ("2020-01-01", "2020-01-01"), ("'12'", "12"), ('"a\\tb\\u00e9"', "a\tbé"), ("!!str 12", "12"), ("!!int '12'", 12),
    ("!!float 3", 3), ("!!binary aGk=", "hi"), ("!thing 12", "12"), ("=", "="), ("+", "+"), ("<<", "<<"),
]  # fmt: skip

DOCUMENTS = [
    ("a: 1\nb: [x, {y: z}]\n", {"a": 1, "b": ["x", {"y": "z"}]}),
    ("- |\n  x\n   y\n- >-\n  p\n  q\n", ["x\n y\n", "p q"]),
    ("a: &x {p: 1}\nb:\n  <<: *x\n  q: 2\nc: *x", {"a": {"p": 1}, "b": {"p": 1, "q": 2}, "c": {"p": 1}}),
    ("{<<: [{a: 1}, {a: 2, b: 3}], c: 0}", {"a": 1, "b": 3, "c": 0}),
    ("p: &p {a: 1}\nq: {<<: *p, a: 2}", {"p": {"a": 1}, "q": {"a": 2}}),
    ("{'<<': 1}", {"<<": 1}),
    ("a: 1\na: 2", {"a": 2}),
    ("{1: a, '1': b, true: c, 1.50: d, 1e6: e}", {"1": "b", "true": "c", "1.5": "d", "1e+06": "e"}),
    ("", None),
    ("# nothing\n", None),
    ("--- 1\n--- 2\n", 1),
    ("? a\n: b\n", {"a": "b"}),
]

BROKEN = [
    ("a: [1, 2", "yaml: line 1: did not find expected ',' or ']'"),
    ("a: 1\nb: {c: 1", "yaml: line 1: did not find expected ',' or '}'"),
    ("a: b: c", "yaml: mapping values are not allowed in this context"),
    ("a: 1\n---\n\tb: 2", "yaml: line 3: found character that cannot start any token"),
    ("  a: 1\nb: 2", "yaml: line 1: did not find expected <document start>"),
    ("a: 1\n- b", "yaml: line 1: did not find expected key"),
    ("a: '1", "yaml: found unexpected end of stream"),
    ("a: *x", "yaml: unknown anchor 'x' referenced"),
    ("a: &x [*x]", "yaml: anchor 'x' value contains itself"),
    ("{<<: 1}", "yaml: map merge requires map or sequence of maps as the value"),
    ("!!int a", "yaml: cannot decode !!str `a` as a !!int"),
    ("!!binary '%'", "yaml: !!binary value contains invalid base64 data"),
    ("{null: a}", 'unsupported map key of type: %!s(<nil>), key: <nil>, value: "a"'),
    ("{[1, a]: b}", 'yaml: invalid map key: []interface {}{1, "a"}'),
    ("a: .inf", "json: unsupported value: +Inf"),
    ("a: \x01", "yaml: control characters are not allowed"),
]

MARSHAL = [
    ({"b": [1, {"c": None}, []], "a": {}}, "a: {}\nb:\n  - 1\n  - c: null\n  - []\n"),
    ([[1, 2], [{"x": 1, "y": 2}]], '- - 1\n  - 2\n- - x: 1\n    "y": 2\n'),
    ({"k10": 1, "k9": 2, "k": 3}, "k: 3\nk9: 2\nk10: 1\n"),
    ([True, 1.5, 1e6, 1e21, 0.00001, 2**63], "- true\n- 1.5\n- 1e+06\n- 1e+21\n- 1e-05\n- 9223372036854775808\n"),
    (["", "12", "yes", "~", "2020-01-01"], '- ""\n- "12"\n- "yes"\n- "~"\n- "2020-01-01"\n'),
    (["1:30", "0x1", "1_0", "<<", "12a"], '- "1:30"\n- "0x1"\n- "1_0"\n- <<\n- 12a\n'),
    (["a b", "a: b", "a #b", "- a", "@a"], "- a b\n- 'a: b'\n- 'a #b'\n- '- a'\n- '@a'\n"),
    (["it's", "'s", " a", "[x]"], "- it's\n- '''s'\n- ' a'\n- '[x]'\n"),
    (["a\tb", "\x1b", "é", "\U0001f600"], '- "a\\tb"\n- "\\e"\n- é\n- "\\U0001F600"\n'),
    ({"t": "a\nb\n", "u": "a\n b", "v": "a\n\n"}, "t: |\n  a\n  b\nu: |-\n  a\n   b\nv: |+\n  a\n\n"),
    ({"w": " a\nb", "x": "a \nb"}, 'w: |2-\n   a\n  b\nx: "a \\nb"\n'),
    ({"x" * 129: [1], "a\nb": {"c": 1}}, "? |-\n  a\n  b\n: c: 1\n? " + "x" * 129 + "\n: - 1\n"),
    (Set([2, 1]), "- 1\n- 2\n"),
    ({1: "a"}, '"1": a\n'),
    ("x\ny", "|-\n  x\n  y\n"),
]


@pytest.mark.parametrize(("text", "wanted"), SCALARS)
def test_scalars(text: str, wanted: Any) -> None:
    check(outcome(TABLE, "yaml.unmarshal", text), wanted)
    check(outcome(TABLE, "yaml.unmarshal", f"k: {text}"), {"k": wanted})


@pytest.mark.parametrize(("text", "wanted"), DOCUMENTS)
def test_documents(text: str, wanted: Any) -> None:
    check(outcome(TABLE, "yaml.unmarshal", text), wanted)
    assert TABLE["yaml.is_valid"](text) is True


@pytest.mark.parametrize(("text", "problem"), BROKEN)
def test_broken_yaml(text: str, problem: str) -> None:
    check(outcome(TABLE, "yaml.unmarshal", text), Error(problem))
    assert TABLE["yaml.is_valid"](text) is False


@pytest.mark.parametrize(("value", "wanted"), MARSHAL)
def test_marshal(value: Any, wanted: str) -> None:
    assert TABLE["yaml.marshal"](value) == wanted


def test_aliases_cannot_blow_a_document_up() -> None:
    levels = [f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 10)}]" for level in range(1, 9)]
    check(
        outcome(TABLE, "yaml.unmarshal", "\n".join(["l0: &l0 [x]", *levels])),
        Error("yaml: document contains excessive aliasing"),
    )


def test_other_types() -> None:
    check(outcome(TABLE, "yaml.unmarshal", 1), Error("operand 1 must be string but got number"))
    assert TABLE["yaml.is_valid"](1) is False


TEXTS = st.text(st.sampled_from("abz01-:#'\" \n\t{}[],&*!|>%@`?.~éy"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | TEXTS,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXTS, children, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_marshalled_reads_as_the_same_value(value: Any) -> None:
    text = TABLE["yaml.marshal"](value)
    assert equal(TABLE["yaml.unmarshal"](text), value), text
