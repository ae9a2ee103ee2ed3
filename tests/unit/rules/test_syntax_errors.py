"""What is said about texts that do not parse: message, place, the text that is underlined, hint.

Each table has texts that stand behind `package a`, with rows counted from there.
"""

import pytest
from syntax_errors import mistakes, told

from procurator_rules.errors import PolicyError
from procurator_rules.parser import decode, parse_module, parse_query, parse_ref, parse_term

COLLECTIONS = [
    ("p := [1 2]", '1:9 unexpected number token: expected "," or "]"', "2", None),
    ("p := [1, 2 3]", '1:12 unexpected number token: expected "," or "]"', "3", None),
    ("p := [1,,2]", "1:9 unexpected , token", ",", None),
    ("p := [1: 2]", '1:8 unexpected : token: expected "," or "]"', ":", None),
    ("p := [1; 2]", '1:8 unexpected ; token: expected "," or "]"', ";", None),
    ("p := [1,\n2\n3]", '3:1 unexpected number token: expected "," or "]"', "3", None),
    ("p := [x := 1]", '1:9 unexpected assign token: expected "," or "]"', ":=", None),
    ("p := [not x]", "1:7 unexpected not keyword", "not", None),
    ("p := {1 2}", "1:9 unexpected number token: non-terminated set", "2", None),
    ("p := {1, 2 3}", '1:12 unexpected number token: expected "," or "}"', "3", None),
    ("p := {1; 2}", "1:8 unexpected ; token: non-terminated set", ";", None),
    ("p := {,}", "1:8 unexpected } token", "}", None),
    ('p := {"a": 1 "b": 2}', "1:14 unexpected string token: non-terminated object", '"b"', None),
    ('p := {"a": 1, "b"}', '1:18 unexpected } token: expected ":"', "}", None),
    ('p := {"a": 1, "b": 2 3}', '1:22 unexpected number token: expected "," or "}"', "3", None),
    ("p := {1, 2: 3}", '1:11 unexpected : token: expected "," or "}"', ":", None),
    ('p := {"a" 1}', "1:11 unexpected number token: non-terminated set", "1", None),
    ('p := {"a":}', "1:11 unexpected } token", "}", None),
    ('p := {"a": x := 1}', "1:14 unexpected assign token: non-terminated object", ":=", None),
    ("p := {x | }", "1:11 found empty body", "}", None),
    ("p := {x | y z}", "1:13 unexpected identifier token: expected \\n or ; or }", "z", None),
    ("p := {x | y; }", "1:14 unexpected } token", "}", None),
    ("p := {x | y, z w}", '1:16 unexpected identifier token: expected "," or "}"', "w", None),
    ("p := [x | y z]", "1:13 unexpected identifier token: expected \\n or ; or ]", "z", None),
    ("p := {some x}", "1:7 unexpected some keyword", "some", None),
    ("p := {x with input as 1}", "1:9 unexpected with keyword: non-terminated set", "with", None),
    ("p := [1)", '1:8 unexpected ) token: expected "," or "]"', ")", "`[` at 2:6 is not closed"),
    (
        'p := [1, {"a": 2\n\nq := 1',
        "3:1 unexpected identifier token: non-terminated object",
        "q",
        "`{` at 2:10 is not closed",
    ),
]


@pytest.mark.parametrize(("text", "message", "underlined", "hint"), COLLECTIONS)
def test_collections(text: str, message: str, underlined: str, hint: str | None) -> None:
    """What stands in brackets."""
    assert told(text) == (message, underlined, hint)


OPERANDS = [
    ("p := 1 +", "1:8 unexpected eof token", "+", None),
    ("p := + 1", "1:6 unexpected plus token", "+", None),
    ("p := (1", "1:7 non-terminated expression", "1", "`(` at 2:6 is not closed"),
    (
        "p := (x = 1)",
        "1:9 non-terminated expression",
        "=",
        "`:=` and `=` stand at the top of a line, not inside a term; compare with `==`",
    ),
    ("p := (x, y)", "1:8 non-terminated expression", ",", None),
    ("p := f(1 2)", '1:10 unexpected number token: expected "," or ")"', "2", None),
    ("p := f(,1)", "1:8 unexpected , token", ",", None),
    (
        "p := f(x = 1)",
        '1:10 unexpected eq token: expected "," or ")"',
        "=",
        "`:=` and `=` stand at the top of a line, not inside a term; compare with `==`",
    ),
    ("p := f(x; y)", '1:9 unexpected ; token: expected "," or ")"', ";", None),
    ("p := f(some x)", "1:8 unexpected some keyword", "some", None),
    ("p := x[1", "1:8 unexpected eof token: expected [", "1", "`[` at 2:7 is not closed"),
    ("p := x[]", "1:8 unexpected ] token", "]", None),
    ("p := x[y z]", "1:10 unexpected identifier token: expected [", "z", None),
    (
        "p := x[y := 1]",
        "1:10 unexpected assign token: expected [",
        ":=",
        "`:=` and `=` stand at the top of a line, not inside a term; compare with `==`",
    ),
    ("p := x.", "1:7 unexpected eof token: expected identifier", ".", None),
    ("p := x. y", "1:8 unexpected whitespace token: expected identifier", " ", None),
    ("p := x.1", "1:8 unexpected number token: expected identifier", "1", None),
    ('p := x.["y"]', "1:8 unexpected [ token: expected identifier", "[", None),
    ("p := x .y", "1:9 unexpected identifier token: expected number", "y", None),
    ('p := "a"[0]', "1:6 illegal ref (head cannot be string)", '"a"', None),
    ("p := 1[0]", "1:6 illegal ref (head cannot be number)", "1", None),
    ("p := true.foo", "1:6 illegal ref (head cannot be boolean)", "true", None),
    ("p := `a`(1)", "1:6 illegal ref (head cannot be string)", "`a`", None),
    ("p := (x.y).z", "1:7 illegal ref (head cannot be ref)", "x.y", None),
    ('p := -"x"', "1:7 unexpected string token: expected number", '"x"', None),
    ("p := -(1)", "1:7 unexpected ( token: expected number", "(", None),
    ("p := --x", "1:7 unexpected minus token: expected number", "-", None),
    ("p := if", "1:6 unexpected if keyword", "if", None),
    (
        "p := [x | x := 1 := 2]",
        "1:18 unexpected assign token: expected \\n or ; or ]",
        ":=",
        "`:=` and `=` stand at the top of a line, not inside a term; compare with `==`",
    ),
]


@pytest.mark.parametrize(("text", "message", "underlined", "hint"), OPERANDS)
def test_operands(text: str, message: str, underlined: str, hint: str | None) -> None:
    """Terms, references and calls."""
    assert told(text) == (message, underlined, hint)


LINES = [
    ("p if { x y }", "1:10 unexpected identifier token: expected \\n or ; or }", "y", None),
    ("p if { x, y }", "1:9 unexpected , token: expected \\n or ; or }", ",", None),
    ("p if { k, v in }", "1:9 unexpected , token: expected \\n or ; or }", ",", None),
    ("p if { x ; ; y }", "1:12 unexpected ; token", ";", None),
    ("p if { x; }", "1:11 unexpected } token", "}", None),
    (
        "p if { x = 1 = 2 }",
        "1:14 unexpected eq token: expected \\n or ; or }",
        "=",
        "`:=` and `=` stand at the top of a line, not inside a term; compare with `==`",
    ),
    (
        "p if { := 1 }",
        "1:8 unexpected assign token",
        ":=",
        "`:=` and `=` stand at the top of a line, not inside a term; compare with `==`",
    ),
    ("p if { x; y: 1 }", "1:12 unexpected : token: expected \\n or ; or }", ":", None),
    ("p if { x }}", "1:11 unexpected } token", "}", "no bracket is open that `}` could close"),
    ("p if x == }", "1:11 unexpected } token", "}", "no bracket is open that `}` could close"),
    ("p if { x [0] }", "1:10 unexpected [ token: expected \\n or ; or }", "[", None),
    ("p if { not not x }", "1:12 unexpected not keyword", "not", None),
    ("p if { not some x in xs }", "1:12 unexpected some keyword: illegal negation of 'some'", "some", None),
    ("p if { not every x in xs { x } }", "1:12 unexpected every keyword: illegal negation of 'every'", "every", None),
    ("p if { not (x or y) }", "1:15 non-terminated expression", "or", None),
    ("p if { some }", "1:13 unexpected } token: expected var", "}", None),
    ("p if { some 1 }", "1:13 unexpected number token: expected var", "1", None),
    ("p if { some x, }", "1:16 unexpected } token: expected var", "}", None),
    ("p if { some x.y }", "1:14 unexpected . token: expected \\n or ; or }", ".", None),
    ("p if { some f(x) }", "1:18 unexpected } token: expected `x in xs` or `x, y in xs` expression", "}", None),
    ("p if { some x y }", "1:15 unexpected identifier token: expected \\n or ; or }", "y", None),
    (
        "p if { some x in }",
        "1:15 unexpected in keyword: expected \\n or ; or }",
        "in",
        "`some x in xs` was read up to 2:18: unexpected } token",
    ),
    (
        "p if { some x in [1 2] }",
        "1:15 unexpected in keyword: expected \\n or ; or }",
        "in",
        '`some x in xs` was read up to 2:21: unexpected number token: expected "," or "]"',
    ),
    ("p if { some x, y, z in xs }", "1:21 unexpected in keyword: expected \\n or ; or }", "in", None),
    ("p if { some x with input as 1 }", "1:15 unexpected with keyword: expected \\n or ; or }", "with", None),
    ("p if { every x }", "1:16 unexpected } token: expected `x[, y] in xs { ... }` expression", "}", None),
    ("p if { every x in xs }", "1:22 unexpected } token: missing body", "}", None),
    (
        "p if { every x, y, z in xs { x } }",
        "1:15 unexpected , token: expected `x[, y] in xs { ... }` expression",
        ",",
        None,
    ),
    ('p if { every "x" in xs { x } }', "1:24 unexpected { token: expected value to be a variable", "{", None),
    ("p if { every k, [v] in xs { x } }", "1:27 unexpected { token: expected value to be a variable", "{", None),
    ("p if { x with }", "1:15 unexpected } token: expected ident", "}", None),
    ("p if { x with input }", "1:21 unexpected } token: expected as keyword", "}", None),
    ("p if { x with input as }", "1:24 unexpected } token", "}", None),
    ("p if { x with 1 as 2 }", "1:15 unexpected number token: expected ident", "1", None),
    ("p if { x with f(x) as 1 }", "1:20 unexpected as keyword: expected with target path", "as", None),
    (
        "p if { x and y }",
        "1:10 unexpected identifier token: expected \\n or ; or }",
        "and",
        "`import future.keywords.and` for `x and y` expressions",
    ),
    ("p if { x\n as y }", "2:2 unexpected as keyword", "as", None),
]


@pytest.mark.parametrize(("text", "message", "underlined", "hint"), LINES)
def test_lines(text: str, message: str, underlined: str, hint: str | None) -> None:
    """Lines of bodies."""
    assert told(text) == (message, underlined, hint)


RULES = [
    (
        "p",
        "1:1 var cannot be used for rule name",
        "p",
        "give the rule a value: `name := value`, or a body: `name if …`",
    ),
    ("1", "1:1 number cannot be used for rule name", "1", None),
    (
        "not x",
        "1:1 negated expressions cannot be used for rule head",
        "not x",
        "a condition stands in the body of a rule: `name if { ... }`",
    ),
    (
        "some x in xs",
        "1:1 'some' declarations cannot be used for rule head",
        "some x in xs",
        "a condition stands in the body of a rule: `name if { ... }`",
    ),
    (
        "every x in xs { x }",
        "1:1 expression cannot be used for rule head",
        "every x in xs { x }",
        "a condition stands in the body of a rule: `name if { ... }`",
    ),
    (
        "x with input as 1",
        "1:1 expressions using with keyword cannot be used for rule head",
        "x with input as 1",
        "a condition stands in the body of a rule: `name if { ... }`",
    ),
    (
        "p := 1; q := 2",
        "1:1 multiple expressions cannot be used for rule head",
        "p := 1",
        "write each rule on a line of its own, without `;`",
    ),
    ("p + 1", "1:1 rule name conflicts with built-in function", "p + 1", None),
    ("p+1", "1:2 unexpected plus token", "+", None),
    (
        "p == 1 if { true }",
        "1:8 unexpected if keyword",
        "if",
        "the head of a rule is a name, alone or with a value: `name := value if { ... }`",
    ),
    (
        '"p" if { true }',
        "1:5 unexpected if keyword",
        "if",
        "the head of a rule is a name, alone or with a value: `name := value if { ... }`",
    ),
    ("f()", "1:1 rule argument list must take at least one argument", "f()", None),
    ("f(x).y := 1", "1:1 invalid rule head: f(x).y", "f(x).y := 1", None),
    ("input", "1:1 refs cannot be used for rule head", "input", None),
    ("if := 1", "1:1 if keyword cannot be used for rule name", "if", None),
    ("every := 1", "1:1 every keyword cannot be used for rule name", "every", None),
    ("package := 1", "1:1 package keyword cannot be used for rule name", "package", None),
    ("default if := 1", "1:9 if keyword cannot be used for rule name", "if", None),
    ("contains if true", "1:1 contains keyword cannot be used for rule name", "contains if true", None),
    ("default := 1", "1:1 unexpected default keyword", "default", None),
    ("default p[x]", "1:1 illegal default rule (must have a value)", "default p[x]", None),
    ("default p := input.x", "1:1 illegal default rule (value cannot contain ref)", "default p := input.x", None),
    ("default p := x", "1:1 illegal default rule (value cannot contain var)", "default p := x", None),
    ("default p := count(x)", "1:1 illegal default rule (value cannot contain call)", "default p := count(x)", None),
    ("default f(1) := 2", "1:1 illegal default rule (arguments cannot contain number)", "default f(1) := 2", None),
    ("default f(x, x) := 2", "1:1 illegal default rule (arguments cannot be repeated x)", "default f(x, x) := 2", None),
    ("default p := 1 if { true }", "1:16 unexpected if keyword", "if", None),
    ("p { true }", "1:1 `if` keyword is required before rule body", "p { true }", "add `if`"),
    (
        "p[x] { x := 1 }",
        "1:1 `contains` keyword is required for partial set rules",
        "p[x] { x := 1 }",
        "use `p contains x`",
    ),
    ("p.q.r", "1:1 rule must have value assignment and/or body declaration", "p.q.r", None),
    (
        "p := 1 else := 2",
        "1:8 unexpected else keyword",
        "else",
        "`else` follows the body of a rule: `p := 1 if { ... } else := 2 if { ... }`",
    ),
    ("p if { true } else", "1:18 unexpected eof token: expected else value term or rule body", "e", None),
    ("p if true else if", "1:17 unexpected eof token: rule body expected", "f", None),
    ("p if true else 3", "1:16 unexpected number token: expected else value term or rule body", "3", None),
    ("p if { true } { true } else := 1", "1:24 unexpected else keyword", "else", None),
    ("p if true else := 2 else := 3", "1:21 unexpected else keyword", "else", None),
    ("p contains x if true else := 2", "1:22 else keyword cannot be used on multi-value rules", "else", None),
    (
        "p[x] := 1 if { x = 1 } else := 2",
        "1:24 else keyword cannot be used on rules with variables in head",
        "else",
        None,
    ),
    (
        "f(x) contains y if true",
        (
            "1:6 unexpected contains keyword: the contains keyword can only be used with multi-value "
            "rule definitions (e.g., f contains <VALUE> { ... })"
        ),
        "contains",
        None,
    ),
    (
        "p contains x := 1",
        "1:14 unexpected assign token",
        ":=",
        "`:=` and `=` stand at the top of a line, not inside a term; compare with `==`",
    ),
    (
        "p := 1 contains x",
        "1:8 var cannot be used for rule name",
        "contains",
        "a rule has either a value or members: leave out one of `:=` and `contains`",
    ),
    ("f (x) := 1", "1:1 var cannot be used for rule name", "f", "leave out the white space behind the name"),
    ("package b", "1:1 unexpected package", "package b", None),
    (
        "package a-b",
        "1:10 unexpected minus token",
        "-",
        'a name has no dash; a part of a path can be written as a string: `data.a["b-c"]`',
    ),
    ("import", "1:6 unexpected eof token", "t", None),
    ("import 1", "1:8 unexpected number token", "1", None),
    (
        "import foo.bar",
        "1:8 unexpected import path, must begin with one of: {data, future, input, rego}, got: foo",
        "foo.bar",
        "if this is unexpected, try updating OPA",
    ),
    (
        "import data.if",
        "1:13 unexpected import path, must not end with a keyword, got: if",
        "if",
        "import a different path or use an alias",
    ),
    ("import data.x as if", "1:18 unexpected if keyword: expected var", "if", None),
    ("import data.x as input", "1:18 unexpected import alias, must not be a reserved name, got: input", "input", None),
    ("import data[x]", "1:13 unexpected var token: expecting string", "x", None),
    (
        "import data.a-b",
        "1:14 unexpected minus token",
        "-",
        'a name has no dash; a part of a path can be written as a string: `data.a["b-c"]`',
    ),
    ("import future.x", "1:8 invalid import, must be `future.keywords`", "future.x", None),
    (
        "import future.keywords.foo",
        "1:8 unexpected keyword, must be one of [and contains every if in not or]",
        "future.keywords.foo",
        None,
    ),
    ("import future.keywords.in as x", "1:30 `future` imports cannot be aliased", "x", None),
    ("import rego.v3", "1:8 invalid import `rego.v3`, must be one of: `rego.v1`, `rego.v2`", "rego.v3", None),
    ("import rego.v1 as x", "1:19 `rego` imports cannot be aliased", "x", None),
    ("import data.x as", "1:16 unexpected eof token: expected var", "s", None),
    ("}", "1:1 unexpected } token", "}", "no bracket is open that `}` could close"),
    (")", "1:1 unexpected ) token", ")", "no bracket is open that `)` could close"),
]


@pytest.mark.parametrize(("text", "message", "underlined", "hint"), RULES)
def test_rules(text: str, message: str, underlined: str, hint: str | None) -> None:
    """Rules, packages and imports."""
    assert told(text) == (message, underlined, hint)


TEXT = [
    ("p := 01", "1:6 unexpected number token: expected number without leading zero", "01", None),
    ("p := -01", "1:7 unexpected number token: expected number without leading zero", "01", None),
    ("p := 1.", "1:6 expected fraction", "1.", None),
    ("p := 1e", "1:6 expected exponent", "1e", None),
    ("p := 0a2b", "1:6 illegal number format", "0a2b", None),
    ("p := 1.2.3", "1:6 illegal ref (head cannot be number)", "1.2", None),
    ("p := 1e400000", "1:6 number too big", "1e400000", None),
    ('p := "abc', "1:6 non-terminated string", '"abc', 'close it with "'),
    (
        'p := "a\\d"',
        "1:6 illegal escape sequence",
        '"a\\d',
        "`\\d` is no escape: write `\\\\` for a backslash, or a raw string in back-ticks",
    ),
    ('p := "a\\u12G4"', '1:6 illegal string literal: "a\\u12G4"', '"a\\u12G4"', None),
    ("p := `abc", "1:6 non-terminated string", "`abc", "close it with `"),
    ("p := 'a'", "1:6 illegal token", "'", 'strings stand in double quotes: `"text"`'),
    ("p := “a”", "1:6 illegal token", "“", 'strings stand in straight quotes: `"text"`'),
    ("p := $x", "1:6 illegal $ character", "$", None),
    ("p := !x", "1:6 illegal ! character", "!", "negate an expression with `not`, compare with `!=`"),
    ("p := a ? b", "1:8 illegal token", "?", None),
    ("p := é", "1:6 illegal token", "é", None),
    ("p := a // b", "1:9 unexpected div token", "/", "comments begin with `#`"),
    ("p := x == y // b", "1:14 unexpected div token", "/", "comments begin with `#`"),
    ('p := $"{}"', "1:9 unexpected } token", "}", "the template string at 2:6 is not closed"),
    ('p := $"{x y}"', "1:11 expected } to end template string expression", "y", None),
    ('p := $"{x', "1:9 expected } to end template string expression", "x", "the template string at 2:6 is not closed"),
    ('p := $"a{x}b', "1:12 non-terminated string", "b", 'close it with "'),
    (
        'p := $"a{x}\\d"',
        "1:12 illegal escape sequence",
        "\\d",
        "`\\d` is no escape: write `\\\\` for a backslash, or a raw string in back-ticks",
    ),
    ('p := $"{not x}"', "1:9 unexpected negation ('not') in template-string expression", "not x", None),
    ('p := $"{x := 1}"', "1:9 unexpected assignment (':=') in template-string expression", "x := 1", None),
    ('p := $"{x = 1}"', "1:9 unexpected unification ('=') in template-string expression", "x = 1", None),
    ('p := $"{some x in y}"', "1:9 unexpected 'some' in template-string expression", "some x in y", None),
    (
        "p if { a && b }",
        "1:11 unexpected and token",
        "&",
        "the lines of a body hold together as they are: put a line break or `;` between them",
    ),
    ("p if { a || b }", "1:11 unexpected or token", "|", "write one rule for each alternative"),
    (
        "p if { x === y }",
        "1:12 unexpected eq token",
        "=",
        "`:=` and `=` stand at the top of a line, not inside a term; compare with `==`",
    ),
]


@pytest.mark.parametrize(("text", "message", "underlined", "hint"), TEXT)
def test_text(text: str, message: str, underlined: str, hint: str | None) -> None:
    """Characters, numbers and strings."""
    assert told(text) == (message, underlined, hint)


def test_statements_that_are_no_rules_are_told_together() -> None:
    """And only when nothing else is wrong with the text."""
    text = "import data.x\npackage a\np\nq { true }\nr[x] { x := 1 }\n"
    assert mistakes(text) == [
        "1 package expected",
        "2 unexpected package",
        "3 var cannot be used for rule name",
        "4 `if` keyword is required before rule body",
        "5 `contains` keyword is required for partial set rules",
        "5 `if` keyword is required before rule body",
    ]
    assert mistakes(f"{text}s := )\n") == ["6 unexpected ) token"]


def test_wrong_imports_do_not_hide_what_follows() -> None:
    """They are told with the error that ends the reading."""
    assert mistakes("package a\nimport future.x\nimport data.if\np := )") == [
        "2 invalid import, must be `future.keywords`",
        "3 unexpected import path, must not end with a keyword, got: if",
        "4 unexpected ) token",
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("package a\np := [", "2:6"),
        ("package a\np := [\n\n", "2:6"),
        ("package a\np := [ # x\n", "2:10"),
        ("package", "1:7"),
    ],
)
def test_a_text_that_ends_early_is_marked_at_its_last_character(text: str, place: str) -> None:
    """White space behind it does not move the mark."""
    with pytest.raises(PolicyError) as caught:
        parse_module(text)
    assert caught.value.message == "unexpected eof token"
    assert f"{caught.value.location.row}:{caught.value.location.column}" == place


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n"])
def test_a_module_has_a_package(text: str) -> None:
    """A text without statements is no module."""
    assert mistakes(text) == ["1 empty module"]


@pytest.mark.parametrize(
    ("content", "message", "place"),
    [
        (b"package a\np := \xff", "illegal utf-8 character", "2:6"),
        ("é\n".encode() + b"\xc3(", "illegal utf-8 character", "2:1"),
        (b"package a\np := 1\0", "illegal null character", "2:7"),
        (b"package a\np := \xef\xbb\xbf1", "illegal byte-order mark", "2:6"),
        (b"package a\np := \xc2\xa01", "illegal non-breaking space character, use a regular space instead", "2:6"),
    ],
)
def test_bytes_that_are_no_text(content: bytes, message: str, place: str) -> None:
    """The error stands at the first of them."""
    with pytest.raises(PolicyError) as caught:
        parse_module(decode(content, "a.rego"), "a.rego")
    assert caught.value.message == message
    assert f"{caught.value.location.row}:{caught.value.location.column}" == place


def test_a_byte_order_mark_may_stand_first() -> None:
    """As editors write it."""
    assert parse_module(decode(b"\xef\xbb\xbfpackage a", "a.rego")) == parse_module("package a")


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (parse_query, "x y", "unexpected identifier token"),
        (parse_query, "x, y", "unexpected , token"),
        (parse_query, "x == ", "unexpected eof token"),
        (parse_term, "x; y", "expected exactly one term"),
        (parse_term, "not x", "expected exactly one term"),
        (parse_ref, "1", "expected a reference, such as `data.app.allow`"),
    ],
)
def test_queries_terms_and_references(read, text: str, message: str) -> None:  # type: ignore[no-untyped-def]
    """What is read alone is told of in the same words."""
    with pytest.raises(PolicyError) as caught:
        read(text)
    assert caught.value.message == message
