"""What is said about texts that do not parse for their keywords: those of the future, and those that v0 has not.

The texts stand behind `package a`, with rows counted from there.
"""

import pytest
from syntax_errors import told

LOGIC = [
    ("import future.keywords\np if { a or }", "2:13 unexpected } token", "}", None),
    ("import future.keywords\np if { a or or b }", "2:13 unexpected or keyword", "or", None),
    (
        "import future.keywords\np if { (a or b }",
        "2:16 expected ) to close parenthesized group",
        "}",
        "`(` at 3:8 is not closed",
    ),
    ("import future.keywords\np if { (a or b c) }", "2:16 expected ) to close parenthesized group", "c", None),
    (
        "import future.keywords\np := (a or b)",
        "2:9 non-terminated expression",
        "or",
        "`and` and `or` have no value: they cannot be used as a term",
    ),
    (
        "import future.keywords\np := [a or b]",
        '2:9 unexpected or keyword: expected "," or "]"',
        "or",
        "`and` and `or` have no value: they cannot be used as a term",
    ),
    (
        "import future.keywords\np := a or b",
        "2:1 expression cannot be used for rule head",
        "p := a or b",
        "a condition stands in the body of a rule: `name if { ... }`",
    ),
    (
        "import future.keywords\np if { a with input as 1 or b }",
        "2:10 `with` modifier is not allowed on operand of `or`",
        "with input as 1",
        (
            "Wrap the operand in `(...)` or `{...}` to scope, or move `with` after the `or` expression "
            "to apply it to the whole expression"
        ),
    ),
    (
        "import future.keywords\np if { a or b with input as 1 or c }",
        "2:31 unexpected or keyword: expected \\n or ; or }",
        "or",
        None,
    ),
    (
        "import future.keywords\np if { some x in xs or b }",
        "2:21 unexpected or keyword: expected \\n or ; or }",
        "or",
        None,
    ),
    ("import future.keywords\np if { b or some x in xs }", "2:13 unexpected some keyword", "some", None),
    ("import future.keywords\np if { {} or b }", "2:8 found empty body", "{", None),
    ("import future.keywords\np if { b or {} }", "2:14 found empty body", "}", None),
    (
        "import future.keywords\np if { {1, 2} or b }",
        "2:8 operand of `or` cannot begin with `{` unless the braces hold a body",
        "{1, 2}",
        "wrap the operand to keep the value: `({1, 2}) or ...`",
    ),
    (
        "import future.keywords\np if { b or {x: 1} }",
        "2:13 operand of `or` cannot begin with `{` unless the braces hold a body",
        "{x: 1}",
        "wrap the operand to keep the value: `({x: 1}) or ...`",
    ),
    (
        'import future.keywords\np if { {"a": 1}.b == 1 or b }',
        "2:8 operand of `or` cannot begin with `{` unless the braces hold a body",
        '{"a": 1}.b == 1',
        'wrap the operand to keep the value: `({"a": 1}.b == 1) or ...`',
    ),
    (
        "import future.keywords\np if { b and {1: 2}[1] }",
        "2:14 operand of `and` cannot begin with `{` unless the braces hold a body",
        "{1: 2}[1]",
        "wrap the operand to keep the value: `({1: 2}[1]) and ...`",
    ),
    ("import future.keywords\np if { b and {1}[1] }", "2:17 unexpected [ token: expected \\n or ; or }", "[", None),
    ("import future.keywords\np if { b and {}.x }", "2:15 found empty body", "}", None),
    (
        'import future.keywords\np if { not {"a": 1}.b == 1 }',
        "2:12 `{...}` in an operand position must contain expression(s), got: ref",
        '{"a": 1}.b == 1',
        'write `not ({"a": 1}.b == 1)` to negate the value, or `not {{"a": 1}.b == 1}` for a body holding it',
    ),
    (
        "import future.keywords\np if { b or {x | y} }",
        (
            "2:13 ambiguous `{ ... | ... }` operand: read as a body holding a set-union expression, "
            "not as a comprehension"
        ),
        "{x | y}",
        "write `({x | y})` for the comprehension, or `{(x | y)}` for the set union",
    ),
    ("import future.keywords\np if { b or {x} | y }", "2:17 unexpected or token: expected \\n or ; or }", "|", None),
    (
        "import future.keywords\np if { print(1) or b }",
        "2:8 operand of `or` cannot consist only of calls to `print`",
        "print(1)",
        (
            "`print` produces no value and always succeeds, so the operand can never fail; move it out "
            "of the operand, or add an expression that can fail"
        ),
    ),
    (
        "import future.keywords\np if { not {1, 2} }",
        "2:12 `{...}` in an operand position must contain expression(s), got: set",
        "{1, 2}",
        "write `not ({1, 2})` to negate the value, or `not {{1, 2}}` for a body holding it",
    ),
    (
        "import future.keywords\np if { not {x | y} }",
        (
            "2:12 ambiguous `{ ... | ... }` operand: read as a body holding a set-union expression, "
            "not as a comprehension"
        ),
        "{x | y}",
        "write `not ({x | y})` for the comprehension, or `not {(x | y)}` for the set union",
    ),
]


@pytest.mark.parametrize(("text", "message", "underlined", "hint"), LOGIC)
def test_logic(text: str, message: str, underlined: str, hint: str | None) -> None:
    """`and`, `or` and bodies after `not`."""
    assert told(text) == (message, underlined, hint)


VERSION_0 = [
    (
        "p if { true }",
        "1:1 var cannot be used for rule name",
        "p",
        "`import future.keywords.if` for `p if { ... }` rules",
    ),
    ("p if true", "1:1 var cannot be used for rule name", "p", "`import future.keywords.if` for `p if { ... }` rules"),
    (
        "p contains x",
        "1:1 var cannot be used for rule name",
        "p",
        "`import future.keywords.contains` for `p contains x` rules",
    ),
    (
        "p { some x in xs }",
        "1:12 unexpected identifier token: expected \\n or ; or }",
        "in",
        "`import future.keywords.in` for `some x in xs` expressions",
    ),
    (
        'p { some "a", v in xs }',
        "1:10 unexpected string token: expected var",
        '"a"',
        "`import future.keywords.in` for `some x in xs` expressions",
    ),
    (
        "p { x in xs }",
        "1:7 unexpected identifier token: expected \\n or ; or }",
        "in",
        "`import future.keywords.in` for `x in xs` expressions",
    ),
    (
        "p { k, v in xs }",
        "1:6 unexpected , token: expected \\n or ; or }",
        ",",
        "`import future.keywords.in` for `x in xs` expressions",
    ),
    (
        "p { every x in xs { x } }",
        "1:11 unexpected identifier token: expected \\n or ; or }",
        "x",
        "`import future.keywords.every` for `every x in xs { ... }` expressions",
    ),
    (
        "p = [x | some x in xs]",
        "1:17 unexpected identifier token: expected \\n or ; or ]",
        "in",
        "`import future.keywords.in` for `some x in xs` expressions",
    ),
    (
        "p { x and y }",
        "1:7 unexpected identifier token: expected \\n or ; or }",
        "and",
        "`import future.keywords.and` for `x and y` expressions",
    ),
    ('p { $"{x}" }', "1:5 template strings are not supported by current capabilities", '$"{', None),
    ("p { }", "1:5 found empty body", "}", None),
    ("import rego.v1\np { true }", "2:1 `if` keyword is required before rule body", "p { true }", "add `if`"),
    (
        "import rego.v1\np[x] { x := 1 }",
        "2:1 `contains` keyword is required for partial set rules",
        "p[x] { x := 1 }",
        "use `p contains x`",
    ),
    ("import rego.v1\nif := 1", "2:1 if keyword cannot be used for rule name", "if", None),
    (
        "import data.else",
        "1:13 unexpected import path, must not end with a keyword, got: else",
        "else",
        "import a different path or use an alias",
    ),
]


@pytest.mark.parametrize(("text", "message", "underlined", "hint"), VERSION_0)
def test_version_0(text: str, message: str, underlined: str, hint: str | None) -> None:
    """Rego v0, and what it lacks an import for."""
    assert told(text, 0) == (message, underlined, hint)
