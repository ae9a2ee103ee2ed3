"""`sprintf`: what Go prints for every verb, flag and mistake."""

from __future__ import annotations

from typing import Any

import pytest
from outcomes import Error, check, outcome

from procurator.builtins.sprintf import TABLE
from procurator.values import EMPTY_SET, Set

BIG = 18446744073709551617

CASES: list[tuple[str, list[Any], str]] = [
    ("", [], ""),
    ("100%%", [], "100%"),
    ("%s is %d", ["a", 5], "a is 5"),
    ("%v %v %v", [1, 1.5, "x"], "1 1.5 x"),
    ("%v %v %v", [True, None, [1, "a", Set([2])]], 'true null [1, "a", {2}]'),
    ("%v %v", [{"b": 1, "a": {1: 'x"'}}, EMPTY_SET], '{"a": {1: "x\\""}, "b": 1} set()'),
    ("%s", [123456789123456789123], "123456789123456789123"),
    ("%s|%t", [1, True], "%!s(int64=1)|%!t(string=true)"),
    ("%d|%d", [1.0, "x"], "%!d(float64=1)|%!d(string=x)"),
    ("%v|%v|%v", [1e6, 123456789.5, 1e-7], "1e+06|1.234567895e+08|1e-07"),
    ("%d|%5d|%-5d|%05d|%+d|% d", [1, 2, 3, 4, 5, 6], "1|    2|3    |00004|+5| 6"),
    ("%x|%X|%#x|%o|%#o|%O|%b|%#b", [255, 255, 255, 8, 8, 8, 5, 5], "ff|FF|0xff|10|010|0o10|101|0b101"),
    ("%c|%q|%U|%#U|%c", [65, 39, 8364, 8364, -1], "A|'\\''|U+20AC|U+20AC '€'|\ufffd"),
    ("%.d|%5.0d|%.3d|%08.3d", [0, 0, 5, 5], "|     |005|     005"),
    ("%08.3f|%+.2e|%g|%G|%.3g|%F", [3.14159, 1234.5, 1e21, 1e-7, 1234567.5, 2.5],
     "0003.142|+1.23e+03|1e+21|1E-07|1.23e+06|2.500000"),
    ("%x|%.1x|%X|%b", [1.5, 1.96875, -0.1, 1.5], "0x1.8p+00|0x1.0p+01|-0X1.999999999999AP-04|6755399441055744p-52"),
    ("%#g|%#v|%#.3x|%#.0f", [1.5, 1.5, 1.5, 3.0], "1.50000|1.5|0x1.800p+00|3."),
    ("%5s|%-5s|%05s|%.2s", ["ab", "ab", "ab", "añb"], "   ab|ab   |000ab|añ"),
    ("%q|%+q|%#q|%#v", ['a"é\n\x00', "é", "a", "b"], '"a\\"é\\n\\x00"|"\\u00e9"|`a`|"b"'),
    ("%x|% x|%# X|%.1x|%5x", ["añ", "añ", "añ", "añ", ""], "61c3b1|61 c3 b1|0X61 0XC3 0XB1|61|     "),
    ("%T %T %T %T", [1, 1.5, "", BIG], "int64 float64 string *big.Int"),
    ("%d|%+d|%30d|%-30d|%030d|%x", [BIG] * 6,
     f"{BIG}|+{BIG}|          {BIG}|{BIG}          |0000000000{BIG}|10000000000000001"),
    ("%q|%#o|%O|%+v", [BIG] * 4,
     f"%!q(big.Int={BIG})|02000000000000000000001|0o2000000000000000000001|+{BIG}"),
    ("%*d|%-*d|%.*f", [5, 1, 3, 2, 2, 3.14159], "    1|2  |3.14"),
    ("%*d", [-3, 1], "1  "),
    ("%*d|%.*f", ["x", 1, -1, 1.5], "%!(BADWIDTH)1|%!(BADPREC)1.500000"),
    ("%[2]d %[1]d", [1, 2], "2 1"),
    ("%[2]*[1]d|%6.[2]*[1]f", [1.5, 3], "%!d(float64=1.5)| 1.500"),
    ("%[3]d|%[x]d|%[2]3d", [1, 2], "%!d(BADINDEX)|%!d(BADINDEX)|%!d(BADINDEX)"),
    ("%d %d", [1], "1 %!d(MISSING)"),
    ("%d", [1, 2, "x", None], "1%!(EXTRA int64=2, string=x, string=null)"),
    ("%z|%!|%w", [1, "a", 2.5], "%!z(int64=1)|%!!(string=a)|%!w(float64=2.5)"),
    ("%", [], "%!(NOVERB)"),
    ("%5", [1], "%!(NOVERB)%!(EXTRA int64=1)"),
    ("%99999999d", [1], "%!(NOVERB)%!(EXTRA int64=1)"),
    ("%.", [1], "%!.(int64=1)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "operands", "wanted"), CASES)
def test_formats(text: str, operands: list[Any], wanted: str) -> None:
    """The text is Go's, mistakes in the format included."""
    assert outcome(TABLE, "sprintf", text, operands) == wanted


@pytest.mark.parametrize(
    ("operands", "wanted"),
    [
        ((1, []), Error("operand 1 must be string but got number")),
        (("%d", 1), Error("operand 2 must be array but got number")),
        (("%9999999d" * 20, [1] * 20), Error("text too long")),
    ],
)
def test_errors(operands: tuple[Any, ...], wanted: Error) -> None:
    """Wrong operands, and formats that would fill the memory, are errors."""
    check(outcome(TABLE, "sprintf", *operands), wanted)
