"""The family `regex`."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcomes import Error, check, outcome

from procurator.builtins.regex import TABLE


def broken(problem: str) -> Error:
    return Error(f"error parsing regexp: {problem}")


MATCH = [
    ("^a+$", "aaa", True),
    ("b", "abc", True),
    ("^b", "abc", False),
    (".", "\n", False),
    ("(?s).", "\n", True),
    (r"\bé", "é", False),
    (r"\B", "béb", False),
    ("(?i)k", "\N{KELVIN SIGN}", True),
    (r"\p{Greek}", "α", True),
    ("[a", "a", broken("missing closing ]: `[a`")),
    ("(a", "a", broken("missing closing ): `(a`")),
    ("a)", "a", broken("unexpected ): `a)`")),
    ("*", "a", broken("missing argument to repetition operator: `*`")),
    ("a**", "a", broken("invalid nested repetition operator: `**`")),
    ("a{1001}", "a", broken("invalid repeat count: `{1001}`")),
    ("(?=a)", "a", broken("invalid or unsupported Perl syntax: `(?=`")),
    ("x(?<=a>)", "a", broken("invalid named capture: `(?<=a>`")),
    ("(?P<é>a)", "a", broken("invalid named capture: `(?P<é>`")),
    (r"\C", "a", broken(r"invalid escape sequence: `\C`")),
    ("\\", "a", broken("trailing backslash at end of expression: ``")),
    (1, "a", Error("operand 1 must be string but got number")),
    ("a", 1, Error("operand 2 must be string but got number")),
]

CASES = [
    ("regex.is_valid", ["a+"], True),
    ("regex.is_valid", ["++"], False),
    ("regex.is_valid", [1], False),
    ("regex.split", [",+", "a,,b,c"], ["a", "b", "c"]),
    ("regex.split", ["", "añb"], ["a", "ñ", "b"]),
    ("regex.split", [",", ""], [""]),
    ("regex.split", ["", ""], []),
    ("regex.split", ["a", "aba"], ["", "b", ""]),
    ("regex.split", ["(", ""], broken("missing closing ): `(`")),
    ("regex.find_n", ["a*", "baac", -1], ["", "aa", ""]),
    ("regex.find_n", ["é", "éaé", 1], ["é"]),
    ("regex.find_n", ["a", "aaa", 0], []),
    ("regex.find_n", ["a", "aaa", 1.5], Error("operand 3 must be integer number but got floating-point number")),
    ("regex.find_all_string_submatch_n", ["(a)(x)?", "aax", -1], [["a", "a", ""], ["ax", "a", "x"]]),
    ("regex.find_all_string_submatch_n", ["(?P<w>a|ab)(c|bcd)", "abcd", 1], [["abcd", "a", "bcd"]]),
    ("regex.replace", ["hello", "(l)(?P<o>o)", "${o}$1$$ $2x."], "helol$ ."),
    ("regex.replace", ["abc", "", "-"], "-a-b-c-"),
    ("regex.replace", ["foo", "^[a-z]", "F"], "Foo"),
    ("regex.replace", ["baac", "a*", "<$0>"], "<>b<aa>c<>"),
    ("regex.replace", ["a", "a", "$ ${ ${a $é"], "$ ${ ${a "),
    ("regex.replace", ["a", "(", "x"], broken("missing closing ): `(`")),
    ("regex.template_match", ["urn:foo:{.*}", "urn:foo:bar", "{", "}"], True),
    ("regex.template_match", ["urn.foo:{[0-9]{2}}", "urn.foo:12", "{", "}"], True),
    ("regex.template_match", ["urn.foo:<[0-9]+>", "urnxfoo:12", "<", ">"], False),
    ("regex.template_match", ["a{b", "a", "{", "}"], Error('unbalanced braces in "a{b"')),
    ("regex.template_match", ["a{[}", "a", "{", "}"], broken("missing closing ]: `[$`")),
    (
        "regex.template_match",
        ["a", "a", "{{", "}"],
        Error("start delimiter has to be exactly one character long but is 2 long"),
    ),
    (
        "regex.template_match",
        ["a", "a", "{", "}}"],
        Error("end delimiter has to be exactly one character long but is 1 long"),
    ),
]

INTERSECT = [
    ("[a-z]+", "[0-9]*", False),
    ("a.*b", "aab+", True),
    ("a*", "b*", False),
    ("a*", "", False),
    ("", "", True),
    (r"foo\[[0-9]+\]", r"foo\[1\]", True),
    ("[ab]", "a[a-c]*", True),
    ("+", "a", Error("input:+, pos:1, flag '+' must be preceded by a non-flag: the input provided is invalid")),
    ("a]", "a", Error("input:a], pos:2, set-close ']' with no preceding '[': the input provided is invalid")),
    ("[a", "a", Error("input:[a, pos:2, found [ without matching ]: the input provided is invalid")),
    ("a\\", "a", Error("input:a\\, pos:1, input ends with a \\ (escape) character: the input provided is invalid")),
    (
        "[b-a]",
        "a",
        Error(
            "input:[b-a], pos:4, range is out of order: 'a' comes before 'b' in Unicode: the input provided is invalid"
        ),
    ),
    ("a" * 2000, "a" * 2000, Error("expressions too long to be compared")),
]


@pytest.mark.parametrize(("pattern", "text", "wanted"), MATCH)
@pytest.mark.parametrize("name", ["regex.match", "re_match"])
def test_match(name: str, pattern: Any, text: Any, wanted: Any) -> None:
    check(outcome(TABLE, name, pattern, text), wanted)


@pytest.mark.parametrize(("name", "operands", "wanted"), CASES)
def test_cases(name: str, operands: list[Any], wanted: Any) -> None:
    check(outcome(TABLE, name, *operands), wanted)


@pytest.mark.parametrize(("first", "second", "wanted"), INTERSECT)
def test_globs_match(first: str, second: str, wanted: Any) -> None:
    check(outcome(TABLE, "regex.globs_match", first, second), wanted)


def test_a_pattern_that_backtracks_elsewhere_runs_in_linear_time() -> None:
    started = time.monotonic()
    assert TABLE["regex.match"]("(a*)*b", "a" * 100_000) is False
    assert time.monotonic() - started < 2


def test_a_replacement_cannot_eat_the_memory() -> None:
    check(
        outcome(TABLE, "regex.replace", "a" * 100_000, "a", "b" * 100_000),
        Error("result is longer than 67108864 bytes"),
    )


TOKENS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", ".", "[ab]", "[b-c]"]), st.sampled_from(["", "", "*", "+"])), max_size=4
).map(lambda tokens: "".join(token + flag for token, flag in tokens))


@given(TOKENS, TOKENS, st.text("abc", min_size=1, max_size=5))
def test_expressions_that_match_one_text_intersect(first: str, second: str, text: str) -> None:
    if re.fullmatch(first, text) and re.fullmatch(second, text):
        assert TABLE["regex.globs_match"](first, second) is True


@given(TOKENS, TOKENS)
def test_intersection_has_no_order(first: str, second: str) -> None:
    assert TABLE["regex.globs_match"](first, second) is TABLE["regex.globs_match"](second, first)


@given(st.text("ab,é", max_size=10), st.sampled_from([",", ",+", "a|b", "é"]))
def test_split_leaves_what_find_does_not_take(text: str, pattern: str) -> None:
    found = TABLE["regex.find_n"](pattern, text, -1)
    parts = TABLE["regex.split"](pattern, text)
    assert sum(map(len, found)) + sum(map(len, parts)) == len(text)
    assert TABLE["regex.replace"](text, pattern, "") == "".join(parts)
