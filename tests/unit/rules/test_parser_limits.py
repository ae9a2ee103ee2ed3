"""Texts that are too deep, too long or never end: refused or read, in time proportional to their length."""

import time
from collections.abc import Callable
from functools import partial

import pytest

from procurator_rules.ast_json import module_json
from procurator_rules.errors import PolicyError
from procurator_rules.parser import parse_module
from procurator_rules.printer import format_module
from procurator_rules.reading import MAX_DEPTH

DEEP = 10_000
LONG = 1_000_000
TOO_DEEP = "max parsing recursion depth exceeded"

NESTED = {
    "array": ("[", "1", "]"),
    "set": ("{", "1", "}"),
    "object": ('{"a": ', "1", "}"),
    "key": ("{", "1", ": 1}"),
    "brackets": ("(", "1", ")"),
    "sum": ("(", "1", " + 1)"),
    "call": ("f(", "x", ")"),
    "operand": ("x[", "1", "]"),
    "minus": ("-f(", "x", ")"),
    "array comprehension": ("[y | y := ", "1", "]"),
    "set comprehension": ("{y | y := ", "1", "}"),
    "object comprehension": ("{y: 1 | y := ", "1", "}"),
    "head": ("[", "1", " | true]"),
    "template": ('$"{', "x", '}"'),
    "raw template": ("$`{", "x", "}`"),
    "every": ("[1 | every x in [1] { x == ", "1", " }]"),
    "modifier": ("[1 | x with input as ", "1", "]"),
    "reference": ("", "x", ".f(1)"),
    "chain": ("", "x", " + 1"),
    "membership": ("x in ", "y", ""),
}
"""What stands before, in and behind each level."""

LOGICAL = {
    "not": ("not { ", "x", " }"),
    "or": ("{ ", "x", " } or y"),
    "group": ("(", "x", " or y)"),
    "not group": ("not (", "x", " or y)"),
    "operators": ("", "x", " and y"),
}


def nested(parts: tuple[str, str, str], depth: int) -> str:
    """A rule with that many levels."""
    left, inner, right = parts
    return f"package a\np := {left * depth}{inner}{right * depth}\n"


def logical(parts: tuple[str, str, str], depth: int) -> str:
    """A body with that many levels."""
    left, inner, right = parts
    return f"package a\nimport future.keywords\np if {{ {left * depth}{inner}{right * depth} }}\n"


TEXTS: list[Callable[[int], str]] = [
    *(partial(nested, parts) for parts in NESTED.values()),
    *(partial(logical, parts) for parts in LOGICAL.values()),
]


@pytest.mark.parametrize("text", TEXTS, ids=[*NESTED, *LOGICAL])
def test_what_nests_too_deep_is_refused(text: Callable[[int], str]) -> None:
    """With a place, and at every depth beyond the limit; redundant round brackets nest too."""
    for depth in (MAX_DEPTH + 1, DEEP):
        with pytest.raises(PolicyError) as caught:
            parse_module(text(depth))
        assert caught.value.message == TOO_DEEP
        assert caught.value.location is not None


@pytest.mark.parametrize("text", TEXTS, ids=[*NESTED, *LOGICAL])
def test_what_is_accepted_can_be_walked(text: Callable[[int], str]) -> None:
    """The deepest tree that is accepted does not exhaust the stack of what prints and compares trees."""
    accepted, refused = 20, MAX_DEPTH + 1
    while refused - accepted > 1:
        depth = (accepted + refused) // 2
        try:
            parse_module(text(depth))
        except PolicyError:
            refused = depth
        else:
            accepted = depth
    module = parse_module(text(accepted))
    assert module_json(module, locations=True)
    printed = format_module(module)
    assert format_module(parse_module(printed)) == printed
    assert parse_module(text(accepted)) == module


@pytest.mark.parametrize(
    "opening", ["[", "{", "(", "f(", "x[", "[x | ", "{x | ", '{"a": ', '$"{', "not {", "not ", "-", "+"]
)
def test_what_is_never_closed(opening: str) -> None:
    """It ends with an error, however often it is opened."""
    for count in (1, DEEP):
        with pytest.raises(PolicyError) as caught:
            parse_module(f"package a\nimport future.keywords\np := {opening * count}")
        assert caught.value.location is not None


FLAT = {
    "members": ("p := [", "1,", "]"),
    "pairs": ("p := {", "1:1,", "}"),
    "names": ("p := x", ".a", ""),
    "operands": ("p := x", "[0]", ""),
    "name": ("", "p", " := 1"),
    "string": ('p := "', "x", '"'),
    "escapes": ('p := "', "\\n", '"'),
    "raw string": ("p := `", "x", "`"),
    "template": ('p := $"', "{x}", '"'),
    "templates": ("p := [", '$"a{x}",', "]"),
    "comment": ("p := 1 #", "x", ""),
    "spaces": ("p :=", " ", "1"),
    "lines": ("p if { ", "x; ", "x }"),
    "modifiers": ("p if x", " with input as 1", ""),
    "branches": ("p if x", " else if x", ""),
    "bodies": ("p if {x} ", "{x} ", ""),
    "rules": ("", "p := 1 ", ""),
}
"""Lines that may be as long as they like: what stands before, in and behind what is repeated."""

ENDLESS = {
    "operators": ("p := ", "+", ""),
    "sums": ("p := ", "1+", "1"),
    "negations": ("p if ", "not ", "x"),
    "digits": ("p := ", "1", ""),
    "zeros": ("p := ", "0", ""),
    "exponent": ("p := 1e", "9", ""),
    "brackets": ("p := ", "[]", ""),
    "closing": ("p := ", "]", ""),
    "quotes": ("p := ", '"', ""),
    "open string": ('p := "', "x", ""),
    "bad escape": ('p := "', "\\n", '\\d"'),
    "open template": ('p := $"{', "x, ", ""),
    "spaces in an array": ("p := [", "1 ", "]"),
    "line breaks in an array": ("p := [", "1\n", "]"),
    "commas": ("p if { ", "x, ", "}"),
    "declarations": ("p if { some ", "x, ", "}"),
    "keywords": ("p := [", "if.x, ", "]"),
    "words": ("", "p ", ""),
    "semicolons": ("", "p;", ""),
    "letters": ("", "é", ""),
}
"""Lines that no policy has."""


def policy(parts: tuple[str, str, str], size: int) -> str:
    """A policy with a line of about that many characters."""
    before, repeated, behind = parts
    return f"package a\n{before}{repeated * (size // len(repeated))}{behind}\n"


@pytest.mark.parametrize("line", FLAT.values(), ids=FLAT)
def test_long_lines_are_read(line: tuple[str, str, str]) -> None:
    """What does not nest is no deeper for its length."""
    assert parse_module(policy(line, LONG // 10)).rules


@pytest.mark.parametrize("line", [*FLAT.values(), *ENDLESS.values()], ids=[*FLAT, *(f"bad {name}" for name in ENDLESS)])
def test_time_grows_with_length(line: tuple[str, str, str]) -> None:
    """Four times the text takes about four times the time: far less than sixteen times."""
    short, long = (elapsed(policy(line, size)) for size in (LONG // 40, LONG // 10))
    assert long < 10 * short + 0.2, f"{short:.3f} s for a quarter of what took {long:.3f} s"


def elapsed(text: str) -> float:
    """The time that reading a policy takes, and showing what is wrong with it."""
    begin = time.process_time()
    outcome(text)
    return time.process_time() - begin


def outcome(text: str) -> str:
    """What is said about a policy; nothing, if it is one."""
    try:
        parse_module(text)
    except PolicyError as error:
        return error.render()
    return ""


def test_a_million_characters() -> None:
    """The longest lines, where they cost little; of a long line an excerpt is shown."""
    for name in ("string", "comment", "raw string"):
        assert outcome(policy(FLAT[name], LONG)) == ""
    for name in ("operators", "digits", "closing", "open string", "bad escape", "letters"):
        assert 0 < len(outcome(policy(ENDLESS[name], LONG))) < 1500


def test_five_megabytes() -> None:
    """A long file is read like a short one."""
    text = "package a\n" + 'p := "x" # a rule\n\n' * 25_000
    assert len(parse_module(f"{text}q := `{'y' * (5_000_000 - len(text))}`\n").rules) == 25_001
