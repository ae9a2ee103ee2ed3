"""`strings.render_template`: Go's `text/template`."""

from __future__ import annotations

from typing import Any

import pytest
from outcomes import Error, check, outcome

from procurator.builtins.templates import TABLE
from procurator.values import Set

DATA = {
    "n": 1,
    "zero": 0,
    "s": "x",
    "empty": "",
    "yes": True,
    "no": False,
    "list": ["p", "q"],
    "mixed": [1, "y", None, {"k": 2.5}],
    "map": {"e": {"f": "deep"}, "null": None},
}

CASES: list[tuple[str, str]] = [
    ("", ""),
    ("text { } }} only", "text { } }} only"),
    ("{{.n}} {{.s}} {{.mixed}} {{.map}} {{.yes}}", "1 x [1 y <nil> map[k:2.5]] map[e:map[f:deep] null:<nil>] true"),
    ("{{.gone}} {{.map.null}} {{.gone.deeper}} {{.map.e.f}}", "<undefined> <undefined> <undefined> deep"),
    ("{{(.map).e.f}} {{$.map.e.f}} {{(index .map `e`).f}}", "deep deep deep"),
    ("a {{- 1 -}} b {{- /* c */ -}} d{{/* e */}} f", "a1bd f"),
    ("{{`raw`}} {{\"q\\\"\\u00e9\\x41\"}} {{'a'}} {{0x1F}} {{1_000}} {{1.5}} {{-3}} {{1e3}} {{017}}",
     "raw q\"éA 97 31 1000 1.5 -3 1000 15"),
    ("{{if .zero}}a number of the data is true{{else}}no{{end}}", "a number of the data is true"),
    ("{{if .empty}}a{{else if .no}}b{{else if .yes}}c{{else}}d{{end}}", "c"),
    ("{{if not .gone}}{{if and .yes .s}}both{{end}}{{end}}", "both"),
    ("{{range .list}}[{{.}}]{{end}}{{range $i, $e := .list}}{{$i}}={{$e}};{{end}}", "[p][q]0=p;1=q;"),
    ("{{range $k, $v := .map}}{{$k}},{{end}}{{range .gone}}x{{else}}none{{end}}", "e,null,none"),
    ("{{range 3}}{{.}}{{end}}{{range $i := 2}}{{$i}}{{end}}", "01201"),
    ("{{range .list}}{{if eq . `p`}}{{continue}}{{end}}{{.}}{{end}}{{range .list}}{{.}}{{break}}{{end}}", "qp"),
    ("{{with .map.e}}{{.f}} {{$.s}}{{end}}{{with .gone}}x{{else with .s}}{{.}}{{end}}", "deep xx"),
    ("{{$x := 5}}{{if .yes}}{{$x = 6}}{{$y := 7}}{{end}}{{$x}}", "6"),
    ("{{$i := 1}}{{$e := 2}}{{range $i, $e = .list}}{{end}}{{$i}}{{$e}}", "1q"),
    ("{{define `t`}}<{{.}}>{{end}}{{template `t` .s}}{{template `t`}}{{block `b` .n}}({{.}}){{end}}",
     "<x><<undefined>>(1)"),
    ("{{.s | printf `%s!%s` `a`}} {{.list | len | printf `%03d`}} {{printf `%v %q` .n .s}}", 'a!x 002 1 "x"'),
    ("{{index .list 1}} {{index .mixed 3 `k`}} {{index .map `gone`}} {{index `abc` 1}}", "q 2.5 <undefined> 98"),
    ("{{slice `abcdef` 1 3}} {{slice .list 1}} {{slice .list}}", "bc [q] [p q]"),
    ("{{len .list}} {{len .map}} {{len `é`}}", "2 2 2"),
    ("{{and .yes .s}} {{and .no .gone}} {{or .no .s}} {{or .empty .zero}} {{.s | and .yes}}", "x false x 0 x"),
    ("{{eq 1 2 1}} {{eq .gone nil}} {{ne .s `y`}} {{lt 1 2}} {{le 2 2}} {{gt 1.5 1.0}} {{ge `b` `a`}}",
     "true true true true true true true"),
    ("{{print 1 2 `a` 3 .n nil}}|{{println `x` 1}}|{{print (len .list) (printf `%d` 3)}}", "1 2a31<nil>|x 1\n|23"),
    ("{{html `<a b='c'>&\"`}} {{js `it's \"<é\n=`}} {{urlquery `a b&c/é`}}",
     "&lt;a b=&#39;c&#39;&gt;&amp;&#34; it\\'s \\\"\\u003Cé\\u000A\\u003D a+b%26c%2F%C3%A9"),
]  # fmt: skip

ERRORS: list[tuple[str, str]] = [
    ("{{", "template:1: unclosed action"),
    ("a\n{{.a", "template:2: unclosed action"),
    ("{{/* a", "template:1: unclosed comment"),
    ("{{(.a}}", "template:1: unclosed left paren"),
    ("{{^}}", "template:1: unexpected '^' in action"),
    ("{{foo}}", 'template:1: function "foo" not defined'),
    ("{{$x}}", 'template:1: undefined variable "$x"'),
    ("{{if .a}}x", "template:1: unexpected EOF"),
    ("{{end}}", "template:1: unexpected {{end}}"),
    ("{{if}}{{end}}", "template:1: missing value for if"),
    ("{{break}}", "template:1: {{break}} outside {{range}}"),
    ("{{1 | 2}}", "template:1: non executable command in pipeline stage 2"),
    ("{{true.x}}", "template:1: unexpected . after term 'true'"),
    ("{{template x}}", "template:1: unexpected 'x' in template clause"),
    ("{{if .a}}{{define `t`}}{{end}}{{end}}", "template:1: unexpected '`t`' in define clause"),
    ("{{template `gone`}}", 'template "gone" not defined'),
    ("{{.s.x}}", "can't evaluate field x in type string"),
    ("{{.map.null.x}}", "nil pointer evaluating interface {}.x"),
    ("{{.n .s}}", "can't give argument to non-function"),
    ("{{nil}}", "nil is not a command"),
    ("{{len 5}}", "error calling len: len of type int"),
    ("{{not}}", "wrong number of args for not: want 1 got 0"),
    ("{{eq .n 1}}", "error calling eq: incompatible types for comparison: json.Number and int"),
    ("{{lt true false}}", "error calling lt: invalid type for comparison"),
    ("{{eq .list .list}}", "error calling eq: non-comparable type [p q]: []interface {}"),
    ("{{index .list 5}}", "error calling index: index out of range: 5"),
    ("{{index .list .n}}", "error calling index: cannot index slice/array with type json.Number"),
    ("{{slice .list 2 1}}", "error calling slice: invalid slice index: 2 > 1"),
    ("{{range .s}}{{end}}", "range can't iterate over x"),
    ("{{range 2000000}}{{end}}", "template takes too many steps"),
]


@pytest.mark.parametrize(("text", "wanted"), CASES)
def test_templates(text: str, wanted: str) -> None:
    """The text is Go's, with `<undefined>` where Go has no value."""
    assert outcome(TABLE, "strings.render_template", text, DATA) == wanted


@pytest.mark.parametrize(("text", "wanted"), ERRORS)
def test_mistakes(text: str, wanted: str) -> None:
    """A template that does not parse, or cannot go on, is an error."""
    assert outcome(TABLE, "strings.render_template", text, DATA) == Error(f"template: {wanted}")


@pytest.mark.parametrize(
    ("operands", "wanted"),
    [
        ((1, {}), Error("operand 1 must be string but got number")),
        (("", 1), Error("operand 2 must be object but got number")),
        (("", {"a": Set()}), Error("template: cannot use a set")),
        (("", {1: "a"}), Error("template: object keys must be strings")),
        (("{{define `t`}}{{template `t`}}{{end}}{{template `t`}}", {}), None),
    ],
)
def test_operands(operands: tuple[Any, ...], wanted: Error | None) -> None:
    """Only what JSON can hold goes into a template, and a template that calls itself comes to an end."""
    if wanted is None:
        with pytest.raises(ValueError, match=r"^value is nested too deeply$"):
            TABLE["strings.render_template"](*operands)
    else:
        check(outcome(TABLE, "strings.render_template", *operands), wanted)
