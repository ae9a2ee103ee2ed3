"""Printing syntax trees: layouts of texts, and trees without a text."""

from dataclasses import replace
from pathlib import Path

import pytest

from procurator_rules.errors import PolicyError
from procurator_rules.nodes import (
    Array,
    Boolean,
    Call,
    Else,
    Every,
    Expr,
    Head,
    Import,
    Module,
    Not,
    Number,
    Object,
    Package,
    Ref,
    Rule,
    SetTerm,
    SomeDecl,
    String,
    Var,
    With,
)
from procurator_rules.parser import parse_module, parse_query, parse_term
from procurator_rules.printer import V0, V0_AND_V1, V1_ONLY, Target, format_body, format_module, format_term

CASES = sorted((Path(__file__).parents[2] / "cases/format").glob("*.rego"))
TARGETS = {"v0": V0, "v1": V1_ONLY, "v0_v1": V0_AND_V1}


def printed(text: str, target: Target | None = None, version: int = 1) -> str:
    """What becomes of a text."""
    return format_module(parse_module(text, "a.rego", version), target)


def body_of(lines: str, imports: str = "") -> str:
    """What becomes of the lines of a body."""
    text = printed(f"package a\n{imports}\np if {{\n{lines}\nlast\n}}\n")
    return text.split("p if {\n", 1)[1].removesuffix("\tlast\n}\n").replace("\n\t", "\n").removeprefix("\t")


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_a_text_is_laid_out_as_opa_does(path: Path) -> None:
    """A case is a text after `# in`, with versions read and wanted, and what is printed after `# out`."""
    first, text = path.read_text(encoding="utf-8").split("\n", 1)
    before, after = text.split("# out\n", 1)
    version, target, *_ = [*first.removeprefix("# in").split(), *["v1"] * 2]
    wanted = TARGETS[target if first.count(" ") > 2 else version]
    assert printed(before, wanted, int(version[1])) == after


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_what_is_printed_stays_as_it_is(path: Path) -> None:
    """Printing once more changes nothing."""
    first, text = path.read_text(encoding="utf-8").split("\n", 1)
    after = text.split("# out\n", 1)[1]
    version = 0 if "v0" in first else 1
    target = TARGETS["v0_v1" if "v0_v1" in first else "v0" if "v0" in first else "v1"]
    assert printed(after, target, version) == after


def test_imports_are_dropped_that_the_version_makes_needless() -> None:
    """Keywords of their own language version need no import; newer ones do."""
    text = "package a\n\nimport future.keywords.not\nimport rego.v1\n\np if not { input.x }\n"
    assert printed(text, Target(drop_imports=True)) == (
        "package a\n\nimport future.keywords.not\n\np if not { input.x }\n"
    )


def test_imports_are_added_for_keywords_that_two_versions_need() -> None:
    """They stand below the imports of other keywords."""
    text = "package a\nimport future.keywords.in\nimport data.x\np { not 1 in x }\n"
    assert printed(text, V0_AND_V1, 0) == "package a\n\nimport data.x\nimport rego.v1\n\np if not 1 in x\n"


def test_generated_lines_bring_the_imports_of_their_keywords() -> None:
    """A tree that no text stands behind has none."""
    rule = Rule(Head(Ref((Var("p"),))), (Expr(Not((Expr(Var("x")),), explicit=True)),), has_if=True)
    module = Module(Package(Ref((Var("data"), String("a")))), rules=(rule,))
    assert format_module(module) == "package a\n\nimport future.keywords.not\n\np if not { x }\n"


def test_a_generated_module_has_a_sensible_layout() -> None:
    """Statements are parted by blank lines, lines of a body stand in lines."""
    x, xs = Var("x"), Ref((Var("input"), String("xs")))
    member = Call(Ref((Var("internal"), String("member_2"))), (x, xs), infix=True)
    greater = Call(Ref((Var("gt"),)), (x, Number("1")), infix=True)
    modifier = With(Ref((Var("input"), String("in"))), Object(((String("a"), SetTerm(())),)))
    rules = (
        Rule(Head(Ref((Var("ok"),)), value=Boolean(False), assign=True), default=True),
        Rule(
            Head(Ref((Var("ok"),))),
            (Expr(SomeDecl((member,))), Expr(greater, withs=(modifier,))),
            (Else(Array((x, Var("$0"))), (Expr(Every(None, x, xs, (Expr(greater),))),), assign=True, has_if=True),),
            has_if=True,
            braces=True,
        ),
    )
    imports = (Import(Ref((Var("data"), String("b"))), "c"),)
    module = Module(Package(Ref((Var("data"), String("a"), String("b c")))), imports, rules)
    text = format_module(module)
    assert text == (
        'package a["b c"]\n'
        "\n"
        "import data.b as c\n"
        "\n"
        "default ok := false\n"
        "\n"
        "ok if {\n"
        "\tsome x in input.xs\n"
        '\tx > 1 with input["in"] as {"a": set()}\n'
        "} else := [x, _] if every x in input.xs { x > 1 }\n"
    )
    assert parse_module(text) == module


def test_keywords_in_references_stand_in_brackets_where_they_are_not_allowed() -> None:
    """Where they are, they stay as they were written."""
    text = 'package a\n\np := x.if["in"].q\n'
    assert printed(text) == text
    assert printed(text, Target(keywords_in_refs=False)) == 'package a\n\np := x["if"]["in"].q\n'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("f( x )[ 0 ].y", "f(x)[0].y"),
        ("{1,2 ,  3}", "{1, 2, 3}"),
        ("[x |\n  some x in xs\n  x>1]", "[x | some x in xs; x > 1]"),
        ("a+b*c", "a + (b * c)"),
        ("input", "input"),
    ],
)
def test_a_term_is_printed_for_messages(text: str, wanted: str) -> None:
    """In one line, whatever the rows of its text."""
    assert format_term(parse_term(text)) == wanted


def test_variables_are_printed_with_the_names_of_the_text() -> None:
    """The numbers that tell them apart are not shown."""
    assert format_term(Array((Var("x#3"), Var("$12")))) == "[x, _]"


def test_a_body_is_printed_in_one_line() -> None:
    """With semicolons between its lines."""
    body = parse_query("x := input.y; not x in data.z with data.z as {1}")
    assert format_body(body) == "x := input.y; not x in data.z with data.z as {1}"


def test_brackets_are_added_where_a_tree_would_be_read_otherwise() -> None:
    """OPA's formatter leaves these out, and changes what the policy says."""
    assert body_of("(x in xs) == true") == "(x in xs) == true\n"
    assert body_of("a == (b == c)") == "a == (b == c)\n"
    assert body_of("every x in (y in ys) { x }") == "every x in (y in ys) { x }\n"
    assert body_of("first; -3 + x == y") == "first\n(-3) + x == y\n"
    inner = Call(Ref((Var("internal"), String("member_2"))), (Var("v"), Var("a")), infix=True)
    outer = Call(Ref((Var("internal"), String("member_3"))), (Var("k"), inner, Var("b")), infix=True)
    assert format_term(outer) == "(k, (v in a) in b)"


def test_nothing_is_too_deep_to_be_printed() -> None:
    """The writers do not call themselves."""
    deep = "[" * 190 + "]" * 190
    assert printed(f"package a\n\np := {deep}\n") == f"package a\n\np := {deep}\n"
    term: Array | Var = Var("x")
    for _ in range(5000):
        term = Array((term,))
    assert format_term(term) == "[" * 5000 + "x" + "]" * 5000


SAMPLE = """\
package a.b

import data.c as d

f(x, y) := {"k": [x, y], "l": z} if {
	some i, j in xs
	every k in {1, 2} { k > i }
	a.b[i].c == g(x + 1, "s") with input.u as {j: 1}
	not h
} else := [v | v := data.w[_]; v] if x

t contains {y: 1 | y := x} if x
"""
PIECES = SAMPLE.replace("(", "( ").replace("[", "[ ").split(" ")


def said(module: Module) -> list[Rule]:
    """The rules of a module, whether their bodies stand in braces or not."""
    return [
        replace(rule, braces=True, elses=tuple(replace(branch, braces=True) for branch in rule.elses))
        for rule in module.rules
    ]


@pytest.mark.parametrize("place", range(1, len(PIECES)))
def test_no_comment_is_lost_wherever_it_stands(place: int) -> None:
    """The sample with a line broken, and a comment before and after: all are kept, and then stay where they are."""
    text = f"{' '.join(PIECES[:place])} # first\n# second\n{' '.join(PIECES[place:])}"
    try:
        before = parse_module(text)
    except PolicyError:
        pytest.skip("no line can be broken here")
    after = parse_module(format_module(before))
    assert sorted(comment.text for comment in after.comments) == [" first", " second"]
    assert format_module(after) == format_module(before)
    assert said(after) == said(before)
