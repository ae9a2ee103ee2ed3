"""Strings, but for formats and templates."""

from __future__ import annotations

from typing import Any

import pytest
from outcomes import Error, check, outcome

from procurator.builtins.strings import TABLE
from procurator.values import Set

AFFIX = "operand {} must be one of {{string, set, array}} but got number"

CASES = [
    ("contains", ("abc", "b"), True),
    ("contains", (1, 2), Error("operand 1 must be string but got number")),
    ("startswith", ("abc", "ab"), True),
    ("startswith", ("abc", 1), Error("operand 2 must be string but got number")),
    ("endswith", ("abc", "ab"), False),
    ("strings.any_prefix_match", ("abc", Set(["x", "ab"])), True),
    ("strings.any_prefix_match", (["x", "abc"], "ab"), True),
    ("strings.any_prefix_match", ("abc", []), False),
    (
        "strings.any_prefix_match",
        ([], [1]),
        Error("operand 2 must be array of strings but got array containing number"),
    ),
    ("strings.any_prefix_match", (1, 2), Error(AFFIX.format(1))),
    ("strings.any_suffix_match", (Set(["abc", "d"]), ["x", "bc"]), True),
    ("strings.any_suffix_match", ("abc", "ab"), False),
    ("strings.any_suffix_match", ("a", 2), Error(AFFIX.format(2))),
    ("strings.count", ("aaaa", "aa"), 2),
    ("strings.count", ("añb", ""), 4),
    ("indexof", ("añb", "b"), 2),
    ("indexof", ("abc", "z"), -1),
    ("indexof", ("abc", ""), Error("empty search character")),
    ("indexof_n", ("añaña", "aña"), [0, 2]),
    ("indexof_n", ("abc", "z"), []),
    ("indexof_n", ("abc", ""), Error("empty search character")),
    ("substring", ("añ😀b", 1, 2), "ñ😀"),
    ("substring", ("abc", 1, -1), "bc"),
    ("substring", ("abc", 9, -1), ""),
    ("substring", ("abc", 1, 2**62), "bc"),
    ("substring", ("abc", -1, 1), Error("negative offset")),
    ("substring", ("abc", 1.5, 1), Error("operand 2 must be integer number but got floating-point number")),
    ("split", ("a,b,,", ","), ["a", "b", "", ""]),
    ("split", ("añ", ""), ["a", "ñ"]),
    ("split", ("", ","), [""]),
    ("split", ("", ""), []),
    ("strings.split_n", ("a,b,c", ",", 2), ["a", "b"]),
    ("strings.split_n", ("a,b,c", ",", -2), ["b", "c"]),
    ("strings.split_n", ("a,b,c", ",", 0), []),
    ("strings.split_n", ("a,b,c", ",", -9), ["a", "b", "c"]),
    ("strings.split_n", ("a", ",", "x"), Error("operand 3 must be number but got string")),
    ("concat", ("/", ["a", "b"]), "a/b"),
    ("concat", ("/", Set(["b", "a"])), "a/b"),
    ("concat", ("/", []), ""),
    ("concat", ("/", ["a", 1]), Error("operand 2 must be array of strings but got array containing number")),
    ("concat", ("/", Set([1])), Error("operand 2 must be set of strings but got set containing number")),
    ("concat", ("/", "x"), Error("operand 2 must be one of {set, array} but got string")),
    ("concat", ("x" * 300_000, ["a"] * 1000), Error("text too long")),
    ("trim", ("xyaxy", "yx"), "a"),
    ("trim", ("abc", ""), "abc"),
    ("trim_left", ("xyaxy", "yx"), "axy"),
    ("trim_right", ("xyaxy", "yx"), "xya"),
    ("trim_right", (" a ", ""), " a "),
    ("trim_prefix", ("abab", "ab"), "ab"),
    ("trim_suffix", ("abab", "ab"), "ab"),
    ("trim_suffix", ("abab", ""), "abab"),
    ("trim_space", ("\u0085\u00a0 \t\n\v\f\r\u1680\u2003\u2028\u202f\u205f\u3000a\x1c\u200b ",), "a\x1c\u200b"),
    ("lower", ("ABC",), "abc"),
    ("lower", ("ΑΣ İIẞ ǅ",), "ασ iiß ǆ"),
    ("upper", ("abc",), "ABC"),
    ("upper", ("ßaŉiıǆᾳﬁ",), "ßAŉIIǄᾼﬁ"),
    ("strings.reverse", ("añ😀",), "😀ña"),
    ("replace", ("aaa", "aa", "b"), "ba"),
    ("replace", ("abc", "", "-"), "-a-b-c-"),
    ("replace", ("aaa", "a", ""), ""),
    ("replace", ("a" * 20_000, "a", "b" * 20_000), Error("text too long")),
    ("strings.replace_n", ({"a": "b", "b": "c"}, "abab"), "bcbc"),
    ("strings.replace_n", ({"he": "X", "hers": "Y"}, "hers"), "Xrs"),
    ("strings.replace_n", ({".": "Y", "[a": "X"}, "a.b[a\n"), "aYbX\n"),
    ("strings.replace_n", ({"aa": "2", "": "-"}, "aaab"), "-2-a-b-"),
    ("strings.replace_n", ({"": "-"}, ""), "-"),
    ("strings.replace_n", ({}, "abc"), "abc"),
    ("strings.replace_n", ({"a": "b", 1: "x"}, "abc"), Error("operand 1 non-string key found in pattern object")),
    ("strings.replace_n", ({"a": 1}, "abc"), Error("operand 1 non-string value found in pattern object")),
    ("strings.replace_n", ({"": "b" * 20_000}, "a" * 20_000), Error("text too long")),
    ("format_int", (255, 16), "ff"),
    ("format_int", (-10.7, 2), "-1010"),
    ("format_int", (18446744073709551617, 8), "2000000000000000000001"),
    ("format_int", (10**5000, 10), "1" + "0" * 5000),
    ("format_int", (1, 3), Error("operand 2 must be one of {2, 8, 10, 16}")),
    ("format_int", (1, 10.0), Error("operand 2 must be one of {2, 8, 10, 16}")),
    ("format_int", ("1", 10), Error("operand 1 must be number but got string")),
]


@pytest.mark.parametrize(("name", "operands", "wanted"), CASES)
def test_cases(name: str, operands: tuple[Any, ...], wanted: Any) -> None:
    """Each call gives the value or the error beside it."""
    check(outcome(TABLE, name, *operands), wanted)
