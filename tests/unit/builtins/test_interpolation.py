"""String interpolation, and values as Rego source."""

from __future__ import annotations

from typing import Any

import pytest
from outcomes import Error, check, outcome

from procurator.builtins.interpolation import TABLE
from procurator.render import quote, quote_ascii, quote_character, render
from procurator.values import EMPTY_SET, KEY_TRUE, DepthError, Set

CASES = [
    ("internal.template_string", (["a", 1, True, None],), "a1truenull"),
    ("internal.template_string", ([Set(["x"]), Set([[1, "b"]]), Set([EMPTY_SET]), Set([""])],), 'x[1, "b"]set()'),
    ("internal.template_string", (["<", EMPTY_SET, ">"],), "<<undefined>>"),
    ("internal.template_string", ([],), ""),
    ("internal.template_string", (1,), Error("operand 1 must be array but got number")),
    ("internal.template_string", ([[1]],), Error("illegal argument type: array")),
    ("internal.template_string", ([Set([1, 2])],), Error("template-strings must not produce multiple outputs")),
]


@pytest.mark.parametrize(("name", "operands", "wanted"), CASES)
def test_cases(name: str, operands: tuple[Any, ...], wanted: Any) -> None:
    """Each call gives the value or the error beside it."""
    check(outcome(TABLE, name, *operands), wanted)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": Set([2, 1]), "a": [], KEY_TRUE: {}}, '{true: {}, "a": [], "b": {1, 2}}'),
        (["a\tb", 1.5, None], '["a\\tb", 1.5, null]'),
        (EMPTY_SET, "set()"),
    ],
)
def test_render(value: Any, text: str) -> None:
    """Rego source, keys and members in order."""
    assert render(value) == text


def test_render_of_a_deep_value() -> None:
    """Nesting without end is an error of its own."""
    deep: Any = []
    for _ in range(50_000):
        deep = [deep]
    with pytest.raises(DepthError):
        render(deep)


def test_quotes() -> None:
    """Go's escapes for what does not print."""
    assert quote('a"\\\a\x7f\u200bé\U000e0001\udcff') == '"a\\"\\\\\\a\\x7f\\u200bé\\U000e0001\\xff"'
    assert quote_ascii("é😀\n") == '"\\u00e9\\U0001f600\\n"'
    assert [quote_character(c) for c in "a'\"\n"] == ["'a'", "'\\''", "'\"'", "'\\n'"]
    assert quote_character("é", ascii_only=True) == "'\\u00e9'"
