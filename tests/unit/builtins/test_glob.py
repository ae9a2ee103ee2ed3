"""The family `glob`."""

from __future__ import annotations

import time
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from outcomes import Error, check, outcome

from procurator.builtins.glob import TABLE


def bad(at: int, problem: str) -> Error:
    return Error(f"glob: syntax error at {at}: {problem}")


CASES = [
    ("*.example.com", [], "api.example.com", True),
    ("*.example.com", [], "a.b.example.com", False),
    ("*.example.com", None, "a.b.example.com", True),
    ("**.example.com", ["."], "a.b.example.com", True),
    ("*:read", [":"], "docs:read", True),
    ("*:read", [":", "/"], "a/docs:read", False),
    ("?at", ["c"], "cat", False),
    ("?at", [], "bat", True),
    ("[abc]at", [], "bat", True),
    ("[!abc]at", [], "bat", False),
    ("[a-c]at", [], "bat", True),
    ("[.]x", [], ".x", True),
    ("[!!a]", [], "!", False),
    ("[-a]", [], "-", True),
    ("[A-]]", [], "Z", True),
    (r"[\]]", [], "]", True),
    ("{cat,b[ia]t,[fr]at}", [], "bit", True),
    ("{a,{b,c}d}e", [], "cde", True),
    ("{,a}b", [], "b", True),
    ("{a*,?}.x", [], "abc.x", True),
    (r"{a\,b,c}", [], "a,b", True),
    ("a,b}", [], "a,b}", True),
    (r"\*", [], "*", True),
    ("a\nb*", [], "a\nbc", True),
    ("*é", ["é"], "xé", True),
    ("", [], "", True),
    ("{a,b", [], "a", bad(4, "unclosed `{`")),
    ("[a", [], "a", bad(2, "unexpected end of input")),
    ("[]", [], "a", bad(2, "could not parse range")),
    ("[c-a]", [], "a", bad(5, "range hi character is less than lo")),
    ("[a-bc]", [], "a", bad(5, "expected close range character")),
    ("é\\", [], "a", bad(3, "trailing backslash")),
    ("a", "x", "a", Error("operand 2 must be one of {array, null} but got string")),
    ("a", [1], "a", Error("operand 2 must be array of strings but got array containing number")),
    ("a", ["ab"], "a", Error("operand 2 must be array of runes but got array containing string")),
    (1, [], "a", Error("operand 1 must be string but got number")),
    ("a", [], 1, Error("operand 3 must be string but got number")),
]


@pytest.mark.parametrize(("pattern", "delimiters", "text", "wanted"), CASES)
def test_match(pattern: Any, delimiters: Any, text: Any, wanted: Any) -> None:
    check(outcome(TABLE, "glob.match", pattern, delimiters, text), wanted)


def test_quote_meta() -> None:
    assert TABLE["glob.quote_meta"](r"*?\[]{},!-a") == r"\*\?\\\[\]\{\},!-a"
    check(outcome(TABLE, "glob.quote_meta", 1), Error("operand 1 must be string but got number"))


def test_many_stars_match_in_linear_time() -> None:
    started = time.monotonic()
    assert TABLE["glob.match"]("a*" * 30 + "b", [], "a" * 20_000) is False
    assert time.monotonic() - started < 2


# A pattern as a tree, written out and matched by trying every way.
PIECES = st.recursive(
    st.sampled_from(["a", "b", ".", "*", "**", "?", "[ab]", "[!a]", "[a-b]"]),
    lambda pieces: st.lists(st.lists(pieces, max_size=2), min_size=1, max_size=3),
    max_leaves=5,
)


def written(piece: Any) -> str:
    return piece if isinstance(piece, str) else "{" + ",".join("".join(map(written, way)) for way in piece) + "}"


def runs_together(pieces: list[Any]) -> bool:
    """Whether stars that are pieces of their own would be read as another piece once written."""
    stars = any(a in ("*", "**") and b in ("*", "**") for a, b in pairwise(pieces))
    return stars or any(runs_together(way) for piece in pieces if isinstance(piece, list) for way in piece)


def naive(pieces: tuple[Any, ...], text: str, delimiters: str) -> bool:
    @cache
    def ends(index: int, at: int) -> frozenset[int]:
        return (
            frozenset([at])
            if index == len(pieces)
            else frozenset(end for middle in one(pieces[index], at) for end in ends(index + 1, middle))
        )

    def one(piece: Any, at: int) -> set[int]:
        if isinstance(piece, list):
            return {at + len(text[at:end]) for way in piece for end in range(at, len(text) + 1)
                    if naive(tuple(way), text[at:end], delimiters)}  # fmt: skip
        if piece in ("*", "**"):
            reach = next((i for i in range(at, len(text)) if piece == "*" and text[i] in delimiters), len(text))
            return set(range(at, reach + 1))
        fits = {"?": lambda c: c not in delimiters, "[ab]": "ab".__contains__, "[a-b]": "ab".__contains__,
                "[!a]": lambda c: c != "a"}.get(piece, piece.__eq__)  # fmt: skip
        return {at + 1} if at < len(text) and fits(text[at]) else set()

    return len(text) in ends(0, 0)


@given(st.lists(PIECES, max_size=5), st.text("ab.", max_size=6), st.sampled_from([[], None, ["a"], [".", "b"]]))
@example(pieces=["*", [["*", "b"], []]], text="aa", delimiters=None)
def test_a_naive_matcher_agrees(pieces: list[Any], text: str, delimiters: Any) -> None:
    chosen = "." if delimiters == [] else "".join(delimiters or "")
    pattern = "".join(map(written, pieces))
    if not runs_together(pieces):
        assert TABLE["glob.match"](pattern, delimiters, text) is naive(tuple(pieces), text, chosen), pattern


@given(st.text(max_size=8), st.text(max_size=8))
def test_a_quoted_text_matches_only_itself(text: str, other: str) -> None:
    pattern = TABLE["glob.quote_meta"](text)
    assert TABLE["glob.match"](pattern, [], text) is True
    assert TABLE["glob.match"](pattern, [], other) is (text == other)
