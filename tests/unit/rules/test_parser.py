"""Texts and the nodes they stand for."""

import pytest

from procurator_rules.capabilities import DEFAULT, DEFAULT_V0, Capabilities, load
from procurator_rules.errors import PolicyError
from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
    Body,
    Boolean,
    Call,
    Else,
    Every,
    Expr,
    Head,
    Import,
    LogicalAnd,
    LogicalOr,
    Not,
    Null,
    Number,
    Object,
    ObjectComprehension,
    Package,
    Ref,
    Rule,
    SetComprehension,
    SetTerm,
    SomeDecl,
    String,
    TemplateString,
    Term,
    Var,
    With,
)
from procurator_rules.parser import parse_module, parse_query, parse_ref, parse_term

A, B, C, D, P, X, Y = (Var(name) for name in "abcdpxy")
ONE, TWO, THREE = Number("1"), Number("2"), Number("3")
INPUT = Ref((Var("input"),))


def ref(*terms: Term | str) -> Ref:
    """A reference; a string is a name, behind the first term a constant one."""
    head, *rest = terms
    first = Var(head) if isinstance(head, str) else head
    return Ref((first, *(String(term) if isinstance(term, str) else term for term in rest)))


def infix(name: str, *args: Term) -> Call:
    """What an operator stands for."""
    return Call(ref(*name.split(".")), args, infix=True)


def member(*args: Term) -> Call:
    """`v in xs` or `k, v in xs`."""
    return infix(f"internal.member_{len(args)}", *args)


def lines(*terms: object) -> Body:
    """A body of plain lines."""
    return tuple(term if isinstance(term, Expr) else Expr(term) for term in terms)  # type: ignore[arg-type]


TERMS = [
    ("null", Null()),
    ("true", Boolean(True)),
    ("a", A),
    ("_", Var("$0")),
    ("input", INPUT),
    ("1", ONE),
    ("-1.50", Number("-1.50")),
    ("1e3", Number("1e3")),
    (".5", Number(".5")),
    ("- 1", Number("-1")),
    ("-a", infix("minus", Number("0"), A)),
    ("-a.b", infix("minus", Number("0"), ref("a", "b"))),
    ('"a\\n\\u00e9\\ud83d\\ude00"', String("a\né\U0001f600")),
    ('"\\ud800"', String("\ufffd")),
    ("`a\\n`", String("a\\n", raw=True)),
    ("a.b.c", ref("a", "b", "c")),
    ('a["b"][x].c', ref("a", "b", X, "c")),
    ("a[b.c]", ref("a", ref("b", "c"))),
    ("a[_]", ref("a", Var("$0"))),
    ("input.if.in", ref("input", "if", "in")),
    ("f(x)", Call(ref("f"), (X,))),
    ("f()", Call(ref("f"), ())),
    ("f(x, 1,)", Call(ref("f"), (X, ONE))),
    ("a.f(x)[0].y", ref(Call(ref("a", "f"), (X,)), Number("0"), "y")),
    ("[1, 2][0]", ref(Array((ONE, TWO)), Number("0"))),
    ("(a)[0]", ref("a", Number("0"))),
    ("[]", Array(())),
    ("[1, a,]", Array((ONE, A))),
    ("[, 1]", Array((ONE,))),
    ("{}", Object(())),
    ("set()", SetTerm(())),
    ("{1}", SetTerm((ONE,))),
    ("{1, a,}", SetTerm((ONE, A))),
    ('{"a": 1, b: {}}', Object(((String("a"), ONE), (B, Object(()))))),
    ("[a | b]", ArrayComprehension(A, lines(B))),
    ("{a | b; c}", SetComprehension(A, lines(B, C))),
    ("{a: b | c\nd}", ObjectComprehension(A, B, lines(C, D))),
    ("{a + 1: b | c}", ObjectComprehension(infix("plus", A, ONE), B, lines(C))),
    ("{(a | b)}", SetTerm((infix("or", A, B),))),
    ("{a | b, c}", SetTerm((infix("or", A, B), C))),
    ("[a | b, c in d]", ArrayComprehension(A, lines(member(B, C, D)))),
    ("[, a | b]", Array((infix("or", A, B),))),
    ("{a | some b}", SetComprehension(A, lines(SomeDecl((B,))))),
]
"""One term each."""

OPERATORS = [
    ("a + b * c", infix("plus", A, infix("mul", B, C))),
    ("a * b + c", infix("plus", infix("mul", A, B), C)),
    ("(a + b) * c", infix("mul", infix("plus", A, B), C)),
    ("a - b - c", infix("minus", infix("minus", A, B), C)),
    ("a - -1", infix("minus", A, Number("-1"))),
    ("a / b % c", infix("rem", infix("div", A, B), C)),
    ("a & b | c", infix("or", infix("and", A, B), C)),
    ("a | b & c", infix("or", A, infix("and", B, C))),
    ("a | b == c", infix("equal", infix("or", A, B), C)),
    ("a < b == c", infix("equal", infix("lt", A, B), C)),
    ("a == b in c", member(infix("equal", A, B), C)),
    ("a in b in c", member(member(A, B), C)),
    ("a, b in c", member(A, B, C)),
    ("a, b in c in d", member(member(A, B, C), D)),
    ("a, (b in c) in d", member(A, member(B, C), D)),
    ("a = b + c", infix("eq", A, infix("plus", B, C))),
    ("a := b in c", infix("assign", A, member(B, C))),
    ("a := b, c in d", infix("assign", A, member(B, C, D))),
    ("a, b in c = d", infix("eq", member(A, B, C), D)),
]
"""One line each; from tight to loose: `* / %`, `+ -`, `&`, `|`, comparisons, `in`, assignments."""


@pytest.mark.parametrize(("text", "node"), TERMS + OPERATORS)
def test_terms(text: str, node: Term) -> None:
    """A term reads the same alone and in a body; nothing around it changes it."""
    assert parse_query(text) == lines(node)
    assert parse_module(f"package a\np if {{\n\tx; {text}\n}}").rules[0].body == lines(X, node)


LINES = [
    ("some a, b", SomeDecl((A, B))),
    ("some a in b", SomeDecl((member(A, B),))),
    ("some a, [b, 1] in c", SomeDecl((member(A, Array((B, ONE)), C),))),
    ("every a in b { c; d }", Every(None, A, B, lines(C, D))),
    ("every a, b in c\n{\nd }", Every(A, B, C, lines(D))),
    ("not a", Expr(A, negated=True)),
    ("not a, b in c", Expr(member(A, B, C), negated=True)),
    ("not a = b", Expr(infix("eq", A, B), negated=True)),
    ("a with input as b", Expr(A, withs=(With(INPUT, B),))),
    ("not a with data.b as c with f as d", Expr(A, True, (With(ref("data", "b"), C), With(Var("f"), D)))),
    ("some a in b with input as c", Expr(SomeDecl((member(A, B),)), withs=(With(INPUT, C),))),
    ("not.a == 1", infix("equal", ref("not", "a"), ONE)),
    ("if.a", ref("if", "a")),
]


@pytest.mark.parametrize(("text", "node"), LINES)
def test_lines(text: str, node: object) -> None:
    """What only a body can hold, and modifiers."""
    assert parse_query(text) == lines(node)
    assert parse_query(f"x; {text}\ny") == lines(X, node, Y)


LOGIC = [
    ("a and b", LogicalAnd(lines(A), lines(B))),
    ("a or b and c", LogicalOr(lines(A), lines(LogicalAnd(lines(B), lines(C))))),
    ("a or b or c", LogicalOr(lines(LogicalOr(lines(A), lines(B))), lines(C))),
    ("(a or b) and c", LogicalAnd(lines(LogicalOr(lines(A), lines(B))), lines(C))),
    ("{ a; b } or c", LogicalOr(lines(A, B), lines(C), explicit_left=True)),
    ("a or { b }", LogicalOr(lines(A), lines(B), explicit_right=True)),
    ("a or b with input as c", Expr(LogicalOr(lines(A), lines(B)), withs=(With(INPUT, C),))),
    ("a or b, c in d", LogicalOr(lines(A), lines(member(B, C, D)))),
    ("not a", Not(lines(A))),
    ("not { a; b }", Not(lines(A, B), explicit=True)),
    ("not (a or b)", Not(lines(LogicalOr(lines(A), lines(B))))),
    ("not a or b", LogicalOr(lines(Not(lines(A))), lines(B))),
    ("not a == b", Not(lines(infix("equal", A, B)))),
    ("or(a, b)", Call(ref("or"), (A, B))),
    ("({})", Object(())),
    ("[a | b or c]", ArrayComprehension(A, lines(LogicalOr(lines(B), lines(C))))),
]


@pytest.mark.parametrize(("text", "node"), LOGIC)
def test_logic(text: str, node: object) -> None:
    """`and`, `or` and the newer `not`, once they are imported."""
    assert parse_module(f"package a\nimport future.keywords\np if {{ {text} }}").rules[0].body == lines(node)
    assert parse_query(text, imports=parse_module("package a\nimport future.keywords").imports) == lines(node)


TEMPLATES = [
    ('$""', TemplateString(())),
    ('$"a"', TemplateString((String("a"),))),
    ('$"a {b} c"', TemplateString((String("a "), Expr(B), String(" c")))),
    ('$"{1}{a + 1}"', TemplateString((ONE, Expr(infix("plus", A, ONE))))),
    ('$"\\{a} \\u00e9"', TemplateString((String("{a} é"),))),
    ("$`a\\n {b}`", TemplateString((String("a\\n ", raw=True), Expr(B)), multi_line=True)),
    ("$`\\{{a}`", TemplateString((String("{", raw=True), Expr(A)), multi_line=True)),
    ('$"{ {a: "}"} }"', TemplateString((Expr(Object(((A, String("}")),))),))),
    ('$"{$"{a}"}"', TemplateString((Expr(TemplateString((Expr(A),))),))),
    ('$"{a, b in c}"', TemplateString((Expr(member(A, B, C)),))),
    ('$"{[a | b]}"', TemplateString((Expr(ArrayComprehension(A, lines(B))),))),
]


@pytest.mark.parametrize(("text", "node"), TEMPLATES)
def test_templates(text: str, node: Term) -> None:
    """Text and expressions by turns; a constant stands for itself."""
    assert parse_term(text) == node


def rule(name: Term | str, body: Body = (), **rest: object) -> Rule:
    """A rule with `if`, if it has a body, and braces around more than one line."""
    head = {key: rest.pop(key) for key in ("args", "key", "value", "assign", "contains") if key in rest}
    path = name if isinstance(name, Ref) else ref(name)
    rest = {"has_if": bool(body), "braces": len(body) > 1, **rest}
    return Rule(Head(path, **head), body, **rest)  # type: ignore[arg-type]


RULES = [
    ("p := 1", rule("p", value=ONE, assign=True)),
    ("p = 1", rule("p", value=ONE)),
    ("p if a", rule("p", lines(A))),
    ("p if { a; b }", rule("p", lines(A, B))),
    ("p if\n{\na\nb\n}", rule("p", lines(A, B))),
    ("p := 1 if a", rule("p", lines(A), value=ONE, assign=True)),
    ("p if a == b", rule("p", lines(infix("equal", A, B)))),
    ("p if a, b in c", rule("p", lines(member(A, B, C)))),
    ("p if {a: b}", rule("p", lines(Object(((A, B),))))),
    ("p if {a | b}", rule("p", lines(SetComprehension(A, lines(B))))),
    ("p if {}", rule("p", lines(Object(())))),
    ("p if { a }", rule("p", lines(A), braces=True)),
    ("p if not a", rule("p", lines(Expr(A, negated=True)))),
    ("p contains 1", rule("p", key=ONE, contains=True)),
    ("p contains a if b", rule("p", lines(B), key=A, contains=True)),
    ("p.q.r contains a if b", rule(ref("p", "q", "r"), lines(B), key=A, contains=True)),
    ("p[x] := 1 if x", rule(ref("p", X), lines(X), value=ONE, assign=True)),
    ("p[x].y[1] := 2", rule(ref("p", X, "y", ONE), value=TWO, assign=True)),
    ("p [x] := 1 if x", rule(ref("p", X), lines(X), value=ONE, assign=True)),
    ("p\n[x] := 1 if x", rule(ref("p", X), lines(X), value=ONE, assign=True)),
    ("f(x)", rule("f", args=(X,))),
    ("f(x) := 1", rule("f", args=(X,), value=ONE, assign=True)),
    ("f (x, 1) := 2 if x", rule("f", lines(X), args=(X, ONE), value=TWO, assign=True)),
    ("a.f([x], {y}) if x", rule(ref("a", "f"), lines(X), args=(Array((X,)), SetTerm((Y,))))),
    ("default p := 1", rule("p", value=ONE, assign=True, default=True)),
    ("default p = {1, [2]}", rule("p", value=SetTerm((ONE, Array((TWO,)))), default=True)),
    ("default p", rule("p", default=True)),
    ("default f(x, _) := 1", rule("f", args=(X, Var("$0")), value=ONE, assign=True, default=True)),
    ("default a.b := 1", rule(ref("a", "b"), value=ONE, assign=True, default=True)),
    ("default.x := 1", rule(ref("default", "x"), value=ONE, assign=True)),
    ("if.x if a", rule(ref("if", "x"), lines(A))),
    (
        "p := 1 if a else := 2 if b else := 3",
        rule("p", lines(A), value=ONE, assign=True, elses=(Else(TWO, lines(B), True, True), Else(THREE, (), True))),
    ),
    (
        "p if a else = 2 if { b\nc } else if { a }",
        rule("p", lines(A), elses=(Else(TWO, lines(B, C), False, True, True), Else(None, lines(A), False, True, True))),
    ),
]


@pytest.mark.parametrize(("text", "node"), RULES)
def test_rules(text: str, node: Rule) -> None:
    """Every form of a rule; it ends where the next line cannot go on with it."""
    assert parse_module(f"package a\n{text}").rules == (node,)
    assert parse_module(f"package a\n{text}\n\nq := 1\n").rules == (node, rule("q", value=ONE, assign=True))
    assert parse_module(f"package a\n# one\n{text} # two\n# three").rules == (node,)


RULES_OF_VERSION_0 = [
    ("p { a }", rule("p", lines(A), has_if=False, braces=True)),
    ("p[x] { x }", rule("p", lines(X), key=X, has_if=False, braces=True)),
    ("p[x] = 1 { x }", rule(ref("p", X), lines(X), value=ONE, has_if=False, braces=True)),
    ("p[1]", rule("p", key=ONE)),
    ("p.q", rule("p", key=String("q"))),
    ("p.q.r", rule(ref("p", "q", "r"))),
    ("f(x) = 1 { x }", rule("f", lines(X), args=(X,), value=ONE, has_if=False, braces=True)),
    ("if { a }", rule("if", lines(A), has_if=False, braces=True)),
    ("p = in", rule("p", value=Var("in"))),
    (
        "p { a } else = 2 { b }",
        rule("p", lines(A), has_if=False, braces=True, elses=(Else(TWO, lines(B), braces=True),)),
    ),
]


@pytest.mark.parametrize(("text", "node"), RULES_OF_VERSION_0)
def test_rules_of_version_0(text: str, node: Rule) -> None:
    """Rules without `if` and `contains`, and names that later became keywords."""
    assert parse_module(f"package a\n{text}", rego_version=0, capabilities=DEFAULT_V0).rules == (node,)


def test_chained_bodies_are_rules_of_their_own() -> None:
    """They share the head, but for its wildcards."""
    module = parse_module("package a\nf(_) if { a } { b }")
    assert module.rules == (
        rule("f", lines(A), args=(Var("$0"),), braces=True),
        rule("f", lines(B), args=(Var("$1"),), braces=True, chained=True),
    )


PATHS = [
    ("package a.b", Package(ref("data", "a", "b"))),
    ('package a["b c"].d', Package(ref("data", "a", "b c", "d"))),
    ("package if.in", Package(ref("data", "if", "in"))),
    ("package if", Package(ref("data", "if"))),
]


@pytest.mark.parametrize(("text", "node"), PATHS)
def test_packages(text: str, node: Package) -> None:
    """The path begins below `data`."""
    assert parse_module(text).package == node


IMPORTS = [
    ("import data.a.b", Import(ref("data", "a", "b"))),
    ("import input", Import(INPUT)),
    ("import input.a as b", Import(ref("input", "a"), "b")),
    ('import data["a b"].c', Import(ref("data", "a b", "c"))),
    ("import data.if as b", Import(ref("data", "if"), "b")),
    ("import rego.v1", Import(ref("rego", "v1"))),
    ("import\n\tfuture.keywords.or", Import(ref("future", "keywords", "or"))),
]


@pytest.mark.parametrize(("text", "node"), IMPORTS)
def test_imports(text: str, node: Import) -> None:
    """In the order of the text."""
    assert parse_module(f"package a\n{text}\nimport data.z\n").imports == (node, Import(ref("data", "z")))


@pytest.mark.parametrize(
    ("imported", "text"),
    [
        ("import future.keywords.if", "p if a"),
        ("import future.keywords.contains", "p contains 1"),
        ("import future.keywords.in", "p { a in b }"),
        ("import future.keywords.every", "p { every a in b { c in d } }"),
        ("import future.keywords", "p contains a if { every a in b { c or d } }"),
        ("import rego.v1", "p contains a if { every a in b { c } }"),
        ("import rego.v2", "p contains a if { a and not { b or c } }"),
    ],
)
def test_imports_turn_keywords_on(imported: str, text: str) -> None:
    """In version 0, and nothing else does: not what a comment or a string says."""
    assert parse_module(f"package a\n{imported}\n{text}", "", 0, DEFAULT_V0).rules
    with pytest.raises(PolicyError):
        parse_module(f"package a\n# {imported}\nq = `\n{imported}`\n{text}", "", 0, DEFAULT_V0)


def test_a_module_after_rego_v1_is_one_of_version_1() -> None:
    """Its rules need `if`."""
    assert parse_module("package a\nimport rego.v1", "", 0).rego_version == 1
    assert parse_module("package a", "", 0).rego_version == 0
    with pytest.raises(PolicyError, match="`if` keyword is required before rule body"):
        parse_module("package a\nimport rego.v1\np { true }", "", 0)


WITHOUT = [
    ("template_strings", 'p := $"{x}"', "template strings are not supported by current capabilities"),
    ("keywords_in_refs", "p := input.if", "unexpected if keyword: expected identifier"),
    ("keywords_in_refs", "p if { if.x }", "unexpected if keyword"),
    ("keywords_in_refs", "package if.b", "unexpected if keyword"),
    ("rego_v2_import", "import rego.v2", "invalid import, `rego.v2` is not supported by current capabilities"),
]


def without(feature: str) -> Capabilities:
    """Our capabilities but for one feature."""
    features = sorted(DEFAULT.features - {feature, "rego_v2"})
    return load({**DEFAULT.to_json(), "features": features})


@pytest.mark.parametrize(("feature", "text", "message"), WITHOUT)
def test_capabilities_decide_what_is_read(feature: str, text: str, message: str) -> None:
    """A feature that is off is refused where it is used."""
    text = text if text.startswith("package") else f"package a\n{text}"
    parse_module(text)
    with pytest.raises(PolicyError) as caught:
        parse_module(text, capabilities=without(feature))
    assert caught.value.message == message


def test_capabilities_say_which_keywords_can_be_imported() -> None:
    """The words of Rego v1 always can."""
    nothing = load({**DEFAULT.to_json(), "future_keywords": []})
    with pytest.raises(PolicyError, match=r"unexpected keyword, must be one of \[contains every if in\]"):
        parse_module("package a\nimport future.keywords.or", capabilities=nothing)


def test_comments_are_kept_in_order() -> None:
    """Wherever they stand, without their `#`."""
    module = parse_module('# a\npackage a #b\r\np := [ # c\n1, "# no", `# no`, $"# no {x # d\n}"] #\n#e')
    assert [comment.text for comment in module.comments] == [" a", "b", " c", " d", "", "e"]


def test_every_node_has_the_span_of_its_text() -> None:
    """From its first character to its last."""
    module = parse_module("package a\n\nf(x) := y + 1 if { not y; some z in [ 1 ] } else := 2\n")
    (found,) = module.rules
    (first, second) = found.body
    nodes = [found, found.head, found.head.ref, found.head.value, first, second, second.term, found.elses[0]]
    assert [node.span.text for node in nodes] == [  # type: ignore[union-attr]
        "f(x) := y + 1 if { not y; some z in [ 1 ] } else := 2",
        "f(x) := y + 1",
        "f",
        "y + 1",
        "not y",
        "some z in [ 1 ]",
        "some z in [ 1 ]",
        "else := 2",
    ]


def test_a_term_and_a_reference_alone() -> None:
    """A name alone is a reference of one term."""
    assert parse_term(" a + 1 # x") == infix("plus", A, ONE)
    assert parse_ref("data.a[1]") == ref("data", "a", ONE)
    assert parse_ref("a") == ref("a")
    assert parse_query(" # nothing\n") == ()
