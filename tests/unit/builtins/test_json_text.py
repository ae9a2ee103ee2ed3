"""`json.marshal`, `json.marshal_with_options`, `json.unmarshal`, `json.is_valid`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcomes import Error, check, outcome

from procurator.builtins.json_text import TABLE
from procurator.builtins.text_bytes import to_text
from procurator.values import Set, equal

MARSHAL = [
    ({"b": 1, "a": [True, None, "x"]}, '{"a":[true,null,"x"],"b":1}'),
    ("<a href='x'>&</a>", r'''"\u003ca href='x'\u003e\u0026\u003c/a\u003e"'''),
    ('\u2028\u2029\x00\x7f\b\f\n\r\té"\\', r'"\u2028\u2029\u0000' + "\x7f" + r'\b\f\n\r\té\"\\"'),
    (Set([3, 1, 2]), "[1,2,3]"),
    (12345678901234567890123, "12345678901234567890123"),
    (to_text(b"a\xff"), '"a\N{REPLACEMENT CHARACTER}"'),
]

OPTIONS = [
    ({}, '{"a":[1,{}],"b":"\\u003c"}'),
    ({"pretty": False, "indent": " "}, '{"a":[1,{}],"b":"\\u003c"}'),
    ({"pretty": True}, '{\n\t"a": [\n\t\t1,\n\t\t{}\n\t],\n\t"b": "\\u003c"\n}'),
    ({"indent": "  ", "prefix": "> "}, '> {\n>   "a": [\n>     1,\n>     {}\n>   ],\n>   "b": "\\u003c"\n> }'),
    ({"indent": ""}, '{\n"a": [\n1,\n{}\n],\n"b": "\\u003c"\n}'),
    ({"pretty": 1}, Error('operand 2 key "pretty" failed cast to bool')),
    ({"prefix": 1}, Error('operand 2 key "prefix" failed cast to string: operand 0 must be string but got number')),
    ({"tabs": True}, Error('operand 2 object contained unknown key "tabs"')),
    ({1: True}, Error("operand 2 failed to stringify key 1 at index 0: operand 0 must be string but got number")),
    (1, Error("operand 2 must be object but got number")),
]

BROKEN = [
    ("", "EOF"),
    (" [", "unexpected EOF"),
    ("[1,]", "invalid character ']' looking for beginning of value"),
    ("{'a': 1}", r"invalid character '\'' looking for beginning of object key string"),
    ('{"a" 1}', "invalid character '1' after object key"),
    ('{"a": 1 "b"}', "invalid character '\"' after object key:value pair"),
    ("[1 2]", "invalid character '2' after array element"),
    ("tru3", "invalid character '3' in literal true (expecting 'e')"),
    ("-x", "invalid character 'x' in numeric literal"),
    ("1.x", "invalid character 'x' after decimal point in numeric literal"),
    ("1ex", "invalid character 'x' in exponent of numeric literal"),
    ('"\t"', r"invalid character '\t' in string literal"),
    (r'"\x"', "invalid character 'x' in string escape code"),
    (r'"\u12x4"', r"invalid character 'x' in \u hexadecimal character escape"),
    ("é", "invalid character 'Ã' looking for beginning of value"),
    ("NaN", "invalid character 'N' looking for beginning of value"),
    ("{} []", "error: invalid character '[' after top-level value"),
    ("1 2", "error: invalid character '2' after top-level value"),
    ('1 "é"', "error: invalid character 'é' after top-level value"),
    ("1 x", "invalid character 'x' looking for beginning of value"),
]


@pytest.mark.parametrize(("value", "wanted"), MARSHAL)
def test_marshal(value: Any, wanted: str) -> None:
    assert TABLE["json.marshal"](value) == wanted


@pytest.mark.parametrize(("options", "wanted"), OPTIONS)
def test_marshal_with_options(options: Any, wanted: Any) -> None:
    check(outcome(TABLE, "json.marshal_with_options", {"b": "<", "a": [1, {}]}, options), wanted)


def test_marshal_with_options_of_keys_that_are_no_strings() -> None:
    value = {1: Set([2, 1]), (1, 2): "x"}
    assert TABLE["json.marshal_with_options"](value, {"indent": " "}) == '{\n "1": [\n  1,\n  2\n ],\n "[1,2]": "x"\n}'


@pytest.mark.parametrize(("text", "problem"), BROKEN)
def test_broken_json(text: str, problem: str) -> None:
    check(outcome(TABLE, "json.unmarshal", text), Error(problem))
    assert TABLE["json.is_valid"](text) is False


def test_unmarshal_keeps_digits_and_the_last_of_equal_keys() -> None:
    got = TABLE["json.unmarshal"]('{"a": 1, "a": 12345678901234567890.125}')
    check(got, {"a": Decimal("12345678901234567890.125")})


def test_deep_json_is_refused() -> None:
    check(outcome(TABLE, "json.unmarshal", "[" * 200_000 + "]" * 200_000), Error("exceeded max depth"))
    assert TABLE["json.is_valid"]("[" * 200_000 + "]" * 200_000) is False


@pytest.mark.parametrize("value", [1, None, ["[]"]])
def test_only_strings_are_json(value: Any) -> None:
    assert TABLE["json.is_valid"](value) is False
    got = outcome(TABLE, "json.unmarshal", value)
    assert isinstance(got, Error)
    assert got.text.startswith("operand 1 must be string but got ")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)


@given(JSON, st.sampled_from([{}, {"pretty": True}, {"indent": " ", "prefix": ""}]))
def test_what_is_marshalled_reads_as_the_same_value(value: Any, options: Any) -> None:
    assert equal(TABLE["json.unmarshal"](TABLE["json.marshal_with_options"](value, options)), value)
