"""What constraints admit, and which contains which."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
import re2

from procurator.governance.scope.authorization_details import constraint_from_json, constraint_to_json
from procurator.governance.scope.automata import Steps
from procurator.governance.scope.combinations import Not
from procurator.governance.scope.constraints import Exact, OneOf, Regex, Subset, admits
from procurator.governance.scope.containment import contains
from procurator.governance.scope.paths import PathError, normal_path, normalised


def of(kind: str, *operands: Any, **members: Any) -> dict[str, Any]:
    """A constraint as JSON; the operands are the members in their usual order."""
    names = {"range": ("min", "max"), "subpath": ("root",), "one_of": ("values",), "not_one_of": ("excluded",)}
    lists = {"contains": ("required",), "subset": ("allowed",), "all": ("constraints",), "any": ("constraints",)}
    others = {"exact": ("value",), "not": ("constraint",), "pattern": ("pattern",), "regex": ("pattern",)}
    named = {**names, **lists, **others, "wildcard": ()}[kind]
    given = {name: value for name, value in zip(named, operands, strict=False) if value is not None or kind == "exact"}
    return {"constraint_type": kind, **given, **members}


DATA = of("subpath", "/data")
CSV = of("regex", r".*\.csv")


def named(value: Any) -> str:
    """What a case of a table is called."""
    return str(value["constraint_type"]) if isinstance(value, dict) else type(value).__name__


ADMITTED = [
    (of("exact", "prod"), ["prod"], ["Prod", "prod ", "", None, "\uff50rod", "pr\u043ed", ["prod"]]),
    (of("exact", 1), [1, 1.0, Decimal("1.0")], [True, "1", 2, 1.5]),
    (of("exact", True), [True], [1, "true", False, None]),
    (of("exact", None), [None], [False, 0, "", "null", []]),
    (of("one_of", [1, "a", [1, True]]), [1.0, "a", [1, True]], [True, "A", [1, 1], [True, 1], float("nan")]),
    (of("not_one_of", ["prod", 0]), ["dev", None, False, [0]], ["prod", 0, 0.0]),
    (of("range", 0, 10), [0, 10, 9.99, Decimal("0.1")], [-1, 10.1, True, "5", None, float("nan"), float("inf"), [5]]),
    (of("range", None, 0.1), [0.1, Decimal("0.1"), -(10**40)], [Decimal("0.10000000000000000001"), float("inf")]),
    (of("range", 0, 10, min_inclusive=False, max_inclusive=False), [1, 9.5], [0, 10, Decimal("10.0")]),
    (of("range", 2**53, 2**53), [2**53, float(2**53)], [2**53 + 1, 2**53 - 1]),
    (of("contains", ["a", 1]), [["a", 1], [2, 1, "a", "a"]], [["a"], ["a", True], "a1", {"a": 1}, None]),
    (of("subset", ["a", "b"]), [[], ["a", "a"], ["b", "a"]], [["c"], ["a", None], "a", None]),
    (of("wildcard"), [None, "", [], {}, 0, "x\n"], []),
    (of("regex", r"[a-z]+"), ["abc"], ["", "abc\n", "Abc", "abc ", 5, None, "\u0430bc"]),
    (of("regex", r"^prod-.*$"), ["prod-", "prod-x"], ["xprod-", "prod-\n"]),
    (of("regex", r"(?i)secret"), ["SECRET"], ["secre\u0163", "secrets", "\ud800"]),
    (
        of("pattern", "*@corp.com"),
        ["a@corp.com"],
        ["a@corp.com.evil", "x/y@corp.com", "a@corp.com\n", "a@\uff43orp.com"],
    ),
    (of("pattern", "/data/*.csv"), ["/data/a.csv", "/data//a.csv", "/data/./a.csv"], ["/data/a/b.csv", "/DATA/a.csv"]),
    (of("pattern", "/data/**/x"), ["/data/x", "/data/a/x", "/data/a/b/x/"], ["/data/ax", "/data", "/x"]),
    (of("pattern", "/[!a-c]?{x,yz}"), ["/d1x", "/--yz"], ["/a1x", "/d1y", "/d/x", "//1x"]),
    (
        of("pattern", "https://*.x.com/**"),
        ["https://a.x.com/b?c=d", "HTTPS://A.X.com:443/b", "https://a.x.com"],
        ["http://a.x.com/b"],
    ),
    (
        DATA,
        ["/data", "/data/", "/data/a/../b", "//data//b"],
        ["/data2", "/data/../etc", "data/x", "/Data/x", "", None, 5],
    ),
    (of("subpath", "/"), ["/", "/etc"], ["etc", "/.."]),
    (of("all", [DATA, CSV]), ["/data/x.csv"], ["/data/x.txt", "/etc/x.csv"]),
    (of("any", [of("exact", None), DATA]), [None, "/data/x"], [0, "/etc"]),
    (of("not", of("range", 0, 10)), [11, "5", None, True], [5, float("nan")]),
    (of("not", of("subpath", "/etc")), ["/data", 5], ["/etc/x", "/data/../etc", "/%65tc/x", "/e\u200btc", "\\etc", ""]),
]

DECEIVING = {
    "/data/%2e%2e/etc/passwd": "holds a percent-encoded character",
    "/data/%252e%252e/etc": "holds a percent-encoded character",
    "/data/..%2Fetc": "holds a percent-encoded character",
    "/data/../..": "leads above its root",
    "/data/../../data/x": "leads above its root",
    "": "is empty",
    ".": "is empty",
    "/data/\u2024\u2024/etc": "holds a character that stands for another one (changes under NFKC)",
    "/data/\uff0e\uff0e/etc": "holds a character that stands for another one (changes under NFKC)",
    "\uff0fdata/x": "holds a character that stands for another one (changes under NFKC)",
    "/data/\ufb01le": "holds a character that stands for another one (changes under NFKC)",
    "/data/..\u2215etc": "holds a character that looks like a slash",
    "/data/..\u2044etc": "holds a character that looks like a slash",
    "/data/..\\..\\etc": "holds a backslash",
    "/data/\x00": "holds a control character",
    "/data/a\n": "holds a control character",
    "/data/\u202egpj.exe": "holds the character U+202E, which is not seen or not assigned",
    "/data/a\u200b": "holds the character U+200B, which is not seen or not assigned",
    "/data/\ud800": "holds the character U+D800, which is not seen or not assigned",
    "/data/" + "\u0301" * 50: "has more than 30 combining marks in a row",
    "https://x.com@evil.com/": "has a host that is no plain name",
    "https://x.com./": "has a host that is no plain name",
    "https://\u0445.com/": "has a host that is no plain name",
    "https://x.com/a/../b": "has a path that servers read in different ways",
    "https://x.com//b": "has a path that servers read in different ways",
    "https://x.com/a#b": "has a fragment, which no server sees",
    "https://x.com/a?": "has an empty query",
    "https://x.com/a ": "holds a space",
    "https://x.com/a b": "holds a space",
    "https://x.com:0443/": "has a port that is spelt in another way",
    "https://x.com:65536/": "has a port that is spelt in another way",
    "https://x..com/": "has a host that is no plain name",
    "https://.x.com/": "has a host that is no plain name",
    "https:///x": "has a host that is no plain name",
    "http://127.1/": "has an address that is spelt in another way",
    "http://2130706433/": "has an address that is spelt in another way",
    "http://0x7f000001/x": "has an address that is spelt in another way",
    "http://0177.0.0.1/x": "has an address that is spelt in another way",
    "http://x.0x1/": "has an address that is spelt in another way",
    "http://[0:0:0:0:0:0:0:1]/": "has an address that is spelt in another way",
    "http://[::ffff:127.0.0.1]/": "has an address that is spelt in another way",
    "http://[::ffff:7f00:1]/": "has an address that is spelt in another way",
    "http://[1:2:3]/": "has an address that is spelt in another way",
    "file://localhost/data/x": "has a host that is no plain name",
    "https:/x.com/data": "has a scheme without `//`",
    "HTTPS:x.com/data": "has a scheme without `//`",
    " http:/x.com/data": "has a scheme without `//`",
    "file:/data/x": "has a scheme without `//`",
}

SPELT_ONCE = [
    "https://x.com/",
    "https://a-1.x.com/b?c=%64&e=f+g",
    "https://x.com:8443/a.b",
    "http://127.0.0.1/x",
    "http://[::1]:8080/x",
    "http://1x.com/",
    "file:///data/x",
    "mailto:a@x.com",
    "urn:x:y",
    "a: b/c d",
    "/data/http:/x",
    "/data/a#b?",
]
"""Texts that are their own normal form."""

ELSEWHERE = [
    "/d\u0430ta/x",
    "/Data/x",
    "data/x",
    " /data/x",
    "/data /x",
    "file:///data/x",
    "~/data/x",
    "/data/../x",
    "/data2",
]

CONTAINED = [
    (of("wildcard"), of("regex", r"\bx")),
    (of("one_of", ["a", "b"]), of("exact", "a")),
    (of("one_of", [1, True]), of("exact", True)),
    (of("not_one_of", ["a"]), of("not_one_of", ["b", "a"])),
    (of("not_one_of", ["a"]), of("regex", "[b-z]*")),
    (of("not", of("exact", "a")), of("not_one_of", ["a"])),
    (of("not", of("exact", "a")), of("range", 0, 1)),
    (of("range", 0, 10), of("range", 0, 10, min_inclusive=False)),
    (of("range", 0), of("one_of", [0, 5.5])),
    (of("any", [of("range", 0, 5), of("range", 5, 10)]), of("range", 1, 9)),
    (of("any", [of("range", None, 0), of("range", 0)]), of("range")),
    (of("range"), of("all", [of("range", 0), of("not", of("exact", 3))])),
    (DATA, of("pattern", "/data/**")),
    (DATA, of("pattern", "/data{,/*}")),
    (DATA, of("regex", r"/data/[a-z]+(/[a-z]+)?")),
    (DATA, of("one_of", ["/data/a/../b", "/data/"])),
    (DATA, of("all", [of("pattern", "/**"), DATA])),
    (of("pattern", "/data/**"), of("pattern", "/data/*/x-[0-9].csv")),
    (of("pattern", "/a/**/b"), of("pattern", "/a/x/**/b")),
    (of("pattern", "/a/{x,y}/*"), of("any", [of("pattern", "/a/x/1"), of("pattern", "/a/y/?")])),
    (of("pattern", "https://*.x.com/**"), of("pattern", "https://api.x.com/v1/*")),
    (of("not", of("pattern", "/etc/**")), of("pattern", "/data/**")),
    (of("regex", "[a-z]+@corp"), of("regex", "(ann|bob)@corp")),
    (of("regex", "a|b+"), of("any", [of("exact", "a"), of("regex", "b{2,7}")])),
    (of("any", [of("exact", "a"), of("regex", "b+")]), of("regex", "a|b+")),
    (of("regex", r"(?i)x+"), of("all", [of("regex", r"(?i)x+"), of("regex", "x+")])),
    (of("all", [DATA, CSV]), of("all", [of("subpath", "/data/a"), of("regex", r".*x\.csv")])),
    (of("contains", ["a"]), of("contains", ["b", "a"])),
    (of("subset", ["a", "b", "c"]), of("subset", ["c"])),
    (
        of("any", [of("subset", ["a"]), of("contains", ["b"])]),
        of("all", [of("subset", ["a", "b"]), of("contains", ["b"])]),
    ),
    (of("subset", ["a"]), of("one_of", [[], ["a", "a"]])),
    (of("exact", 1), of("all", [of("exact", 1), of("exact", 2)])),
]

WIDER = [
    (of("exact", 1), of("exact", True)),
    (of("exact", "a"), of("wildcard")),
    (of("pattern", "**"), of("wildcard")),
    (of("regex", r"(?s).*"), of("wildcard")),
    (of("one_of", ["a"]), of("one_of", ["a", "b"])),
    (of("not_one_of", ["a", "b"]), of("not_one_of", ["a"])),
    (of("not", of("exact", "a")), of("regex", "[ab]")),
    (of("range", 0, 10, max_inclusive=False), of("range", 0, 10)),
    (of("range", 0, 10), of("exact", True)),
    (of("any", [of("range", 0, 5, max_inclusive=False), of("range", 5, 10, min_inclusive=False)]), of("range", 1, 9)),
    (of("one_of", [1, 2, 3]), of("range", 1, 3)),
    (DATA, of("subpath", "/")),
    (DATA, of("pattern", "/data*")),
    (DATA, of("regex", r"/data/.*")),
    (DATA, of("regex", r"/data/[a-z.]+/x")),
    (of("exact", "/data"), of("pattern", "/data")),
    (of("regex", "/data"), of("pattern", "/data")),
    (of("pattern", "/data/*"), of("pattern", "/data/**")),
    (of("pattern", "/data/*.csv"), of("pattern", "/data/*.CSV")),
    (of("pattern", "https://x.com/**"), of("pattern", "http://x.com/**")),
    (of("pattern", "https://*.x.com/**"), of("pattern", "https://x.com/**")),
    (of("not", of("pattern", "/data/a")), of("pattern", "/data/*")),
    (of("regex", "[a-z]+"), of("regex", "[a-z]*")),
    (of("regex", "."), of("regex", r"(?:.|\n)")),
    (of("regex", r"\bx"), of("regex", "x")),
    (of("not", of("wildcard")), of("regex", r"\bx")),
    (of("regex", r"\bx"), of("range")),
    (of("contains", ["a", "b"]), of("contains", ["a"])),
    (of("contains", ["a"]), of("subset", ["a"])),
    (of("subset", ["a"]), of("contains", ["a"])),
    (of("all", [DATA, CSV]), DATA),
    (DATA, of("any", [DATA, of("exact", "/etc")])),
    (of("any", [of("wildcard"), DATA]), of("wildcard")),
]


@pytest.mark.parametrize(("written", "inside", "outside"), ADMITTED, ids=named)
def test_values_that_are_admitted_and_others(written: dict[str, Any], inside: list[Any], outside: list[Any]) -> None:
    """A constraint admits its values and nothing that is only like them."""
    constraint = constraint_from_json(written)
    assert [value for value in inside if not admits(constraint, value)] == []
    assert [value for value in outside if admits(constraint, value)] == []


@pytest.mark.parametrize(("path", "reason"), DECEIVING.items())
def test_a_path_without_a_normal_form_is_refused_and_said_why(path: str, reason: str) -> None:
    """It is neither within a directory nor outside of another one, whatever else is allowed."""
    constraints = [DATA, of("not", of("subpath", "/etc")), of("pattern", "**"), of("any", [DATA, of("exact", path)])]
    assert [written for written in constraints if admits(constraint_from_json(written), path)] == []
    with pytest.raises(PathError) as refusal:
        normal_path(path)
    assert str(refusal.value) == reason


@pytest.mark.parametrize("path", SPELT_ONCE)
def test_a_text_that_is_its_own_normal_form(path: str) -> None:
    """It is compared as it stands."""
    assert (normal_path(path), normalised(path)) == (path, path)


@pytest.mark.parametrize("path", DECEIVING)
def test_what_has_no_normal_form_has_none_at_a_glance_either(path: str) -> None:
    """And a pattern for everything contains nothing that admits it."""
    assert normalised(path) is None
    anything = constraint_from_json(of("pattern", "**"))
    assert contains(anything, constraint_from_json(of("one_of", [path, "a"]))) is False
    if path.isascii() and path.isprintable():
        assert contains(anything, constraint_from_json(of("regex", re2.escape(path)))) is False


def test_an_anchor_that_is_repeated_says_what_it_says_to_re2() -> None:
    """It is no character, and repeating it changes nothing."""
    for expression in ("^*a", "^+a", r"\A?a", "^{2}a", "b|^*a"):
        constraint = Regex(expression)
        assert [text for text in ("a", "*a", "+a", "?a", "{2}a") if constraint.admits(text)] == ["a"]
        assert contains(Regex("[ab]"), constraint) is False  # it cannot be compared


def test_a_pattern_for_a_host_that_no_url_has_is_refused() -> None:
    """It would match nothing."""
    for written in ("https://x.com:0443/**", "http://127.1/**", "https://x..com/*", "file://localhost/**"):
        with pytest.raises(ValueError, match=r"has (?:a host|a port|an address)"):
            constraint_from_json(of("pattern", written))
    assert admits(constraint_from_json(of("pattern", "https://X.com:443/**")), "https://x.com/a")


@pytest.mark.parametrize("path", ELSEWHERE)
def test_a_path_that_only_looks_alike_is_another_one(path: str) -> None:
    """Case, spaces and letters of other scripts make another path."""
    assert admits(constraint_from_json(DATA), path) is False
    assert admits(constraint_from_json(of("pattern", "/data/**")), path) is False
    assert admits(constraint_from_json(of("not", DATA)), path) is True


@pytest.mark.parametrize(("parent", "child"), CONTAINED, ids=named)
def test_what_is_contained(parent: dict[str, Any], child: dict[str, Any]) -> None:
    """The parent contains the child, and each itself."""
    assert contains(constraint_from_json(parent), constraint_from_json(child)) is True
    assert contains(constraint_from_json(child), constraint_from_json(child)) is True


@pytest.mark.parametrize(("parent", "child"), WIDER, ids=named)
def test_what_is_wider(parent: dict[str, Any], child: dict[str, Any]) -> None:
    """The child admits more than the parent."""
    assert contains(constraint_from_json(parent), constraint_from_json(child)) is False


def test_a_question_beyond_its_budget_is_answered_no() -> None:
    """What is contained but takes too long to see is not taken for contained, and the time is bounded."""
    parent, child = Regex("(a|b)*a(a|b){14}"), Regex("(a|b)*aa(a|b){13}")
    began = time.process_time()
    assert contains(parent, child) is False
    assert time.process_time() - began < 5
    assert contains(Regex("(a|b)*a(a|b){4}"), Regex("(a|b)*aa(a|b){3}")) is True
    assert contains(Regex("a+"), Regex("aa+"), Steps(2)) is False


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (of("regex", "(a*)*b"), "a" * 300_000),
        (of("regex", "(a|aa)+"), "a" * 300_000 + "b"),
        (of("pattern", "/**/*a*a*a*a*b"), "/" + "a" * 300_000),
        (DATA, "/a/../" * 50_000),
        (DATA, "/" * 300_000 + "\\"),
        (DATA, "\u0301\u0316" * 100_000),
        (of("pattern", "https://x.com/**"), "https://x.com/" + "a/" * 150_000),
        (of("one_of", ["a"]), ["a"] * 300_000),
    ],
    ids=named,
)
def test_huge_values_take_linear_time(written: dict[str, Any], value: Any) -> None:
    """A megabyte is looked at in well under a second or two, whatever it holds."""
    constraint = constraint_from_json(written)
    began = time.process_time()
    constraint.admits(value)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(("written", "_inside", "_outside"), ADMITTED, ids=named)
def test_constraints_are_written_as_they_are_read(written: dict[str, Any], _inside: Any, _outside: Any) -> None:
    """From JSON and back nothing changes."""
    assert constraint_to_json(constraint_from_json(written)) == written


def test_constants_are_told_apart_by_kind() -> None:
    """Constraints on equal values are equal, and true is not one."""
    assert Exact(1) == Exact(Decimal("1.0"))
    assert Exact(1) != Exact(True)
    assert OneOf(["a", "b"]) == OneOf(["b", "a", "a"])
    assert len({Exact(0), Exact(False), Exact("0"), Exact(None)}) == 4


def test_values_that_are_nested_too_deeply_are_refused() -> None:
    """No recursion error comes out."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert [admits(constraint, deep) for constraint in (OneOf(["a"]), Subset(["a"]), Not(Exact(1)))] == [False] * 3
