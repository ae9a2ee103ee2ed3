"""`procurator eval`."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from command_line import Finished, procurator

POLICY = """package app

default allow := false

allow if input.user == "eve"

names contains name if {
	some name in data.people
	print("name:", name)
	trace(name)
}

twice(x) := x * 2

half := 1 / input.by

pair := 1 if input.a

pair := 2 if input.b
"""
ALLOW = {"value": False, "text": "data.app.allow", "location": {"row": 1, "col": 1}}


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/app.rego").write_text(POLICY)
    (tmp_path / "policies/data.json").write_text('{"people": ["eve", "bob"]}')
    return tmp_path


def evaluate(
    folder: Path, query: str, *flags: str, stdin: str = "", environment: dict[str, str] | None = None
) -> Finished:
    """Evaluate a query over the policies of the folder."""
    return procurator("eval", "-d", "policies", query, *flags, folder=folder, stdin=stdin, environment=environment)


def records(done: Finished, code: int = 0) -> dict[str, Any]:
    """What was printed as JSON."""
    assert done.code == code
    found: dict[str, Any] = json.loads(done.output)
    return found


def located(file: str, row: int, column: int) -> dict[str, Any]:
    return {"file": file, "row": row, "col": column}


# Formats

TWO = 'x := [1, "a<b"][_]; true; {x: [x, {}]}'
FORMATS = {
    "values": """[
  true,
  true,
  {
    "1": [
      1,
      {}
    ]
  }
]
[
  true,
  true,
  {
    "a\\u003cb": [
      "a\\u003cb",
      {}
    ]
  }
]
""",
    "bindings": '{\n  "x": 1\n}\n{\n  "x": "a\\u003cb"\n}\n',
    "raw": 'true true {"1":[1,{}]}\ntrue true {"a\\u003cb":["a\\u003cb",{}]}\n',
    "discard": '{\n  "result": "discarded"\n}\n',
    "pretty": """┌──────────────────────────────┬────────────┐
│         {x: [x, {}]}         │     x      │
├──────────────────────────────┼────────────┤
│ {"1":[1,{}]}                 │ 1          │
│ {"a\\u003cb":["a\\u003cb",{}]} │ "a\\u003cb" │
└──────────────────────────────┴────────────┘
""",
}


@pytest.mark.parametrize("style", FORMATS)
def test_results_are_printed_in_the_format_asked_for(style: str, folder: Path) -> None:
    assert evaluate(folder, TWO, "-f", style) == Finished(0, FORMATS[style], "")


def test_json_has_expressions_and_bindings(folder: Path) -> None:
    assert records(evaluate(folder, "x := 1\n  data.app.twice(x) > 1")) == {
        "result": [
            {
                "expressions": [
                    {"value": True, "text": "x := 1", "location": {"row": 1, "col": 1}},
                    {"value": True, "text": "data.app.twice(x) > 1", "location": {"row": 2, "col": 3}},
                ],
                "bindings": {"x": 1},
            }
        ]
    }


WALK = """┌───────────┐
│ walk([1]) │
├───────────┤
│ [[],[1]]  │
│ [[0],1]   │
└───────────┘
"""
SINGLE = [
    ("data.app.allow", "false\n"),
    ("true; 1 == 1", "true\n"),
    ("true; 1 == 2", "undefined\n"),
    ("{1, 2}", "[\n  1,\n  2\n]\n"),
    ("input", "undefined\n"),
    ("data.app.nope", "undefined\n"),
    ("walk([1])", WALK),
]


@pytest.mark.parametrize(("query", "printed"), SINGLE)
def test_a_single_value_is_printed_alone(query: str, printed: str, folder: Path) -> None:
    """A value without variables needs no table; false is a value if it is the only one asked for."""
    assert evaluate(folder, query, "-f", "pretty") == Finished(0, printed, "")


def test_what_is_undefined_prints_nothing(folder: Path) -> None:
    assert evaluate(folder, "input") == Finished(0, "{}\n", "")
    assert evaluate(folder, "input", "-f", "raw") == Finished(0, "", "")


def test_deep_values_are_printed_or_refused(folder: Path) -> None:
    """No depth that can be read ends in a traceback."""
    (folder / "deep.json").write_text(f'{{"deep": {"[" * 800}{"]" * 800}}}')
    found = evaluate(folder, "data.deep", "-d", "deep.json")
    assert (found.code, found.output.count("[")) == (0, 802)
    message = "eval_internal_error: the result cannot be printed: value is nested too deeply\n"
    assert evaluate(folder, "data.deep", "-d", "deep.json", "-f", "raw") == Finished(2, "", message)


# Errors


def test_mistakes_are_json_on_standard_output(folder: Path) -> None:
    error = {"message": "var y is unsafe", "code": "rego_unsafe_var_error", "location": located("", 1, 9)}
    assert records(evaluate(folder, "x := 1; not y"), 2) == {"errors": [error]}
    conflict = records(evaluate(folder, "data.app.pair", "-I", stdin='{"a": 1, "b": 2}'), 2)["errors"]
    assert [(one["code"], one["location"]) for one in conflict] == [
        ("eval_conflict_error", located("policies/app.rego", 19, 1))
    ]


def test_mistakes_are_shown_to_people_on_standard_error(folder: Path) -> None:
    assert evaluate(folder, "x := 1; not y", "-f", "pretty") == Finished(
        2, "", "1:9: rego_unsafe_var_error: var y is unsafe\n  1 | x := 1; not y\n    |             ^\n"
    )


def test_errors_of_built_ins_are_undefined_shown_or_fatal(folder: Path) -> None:
    error = {
        "message": "div: divide by zero",
        "code": "eval_builtin_error",
        "location": located("policies/app.rego", 15, 9),
    }
    assert records(evaluate(folder, "data.app.half", "-I", stdin='{"by": 0}')) == {}
    assert records(evaluate(folder, "data.app.half", "-I", "--show-builtin-errors", stdin='{"by": 0}')) == {
        "errors": [error]
    }
    strict = evaluate(folder, "data.app.half", "-I", "--strict-builtin-errors", stdin='{"by": 0}')
    assert records(strict, 2) == {"errors": [error]}


def test_exit_codes_tell_whether_there_is_a_result(folder: Path) -> None:
    assert evaluate(folder, "data.app.allow", "--fail", "-f", "discard").code == 0
    assert evaluate(folder, "input", "--fail", "-f", "discard").code == 1
    assert evaluate(folder, "input", "--fail-defined", "-f", "discard").code == 0
    assert evaluate(folder, "data.app.allow", "--fail-defined", "-f", "discard").code == 1


def test_a_timeout_ends_the_evaluation(folder: Path) -> None:
    query = "count([1 | some i in numbers.range(1, 3000); some j in numbers.range(1, 3000); i + j < 0])"
    done = evaluate(folder, query, "--timeout", "100ms")
    assert [error["code"] for error in records(done, 2)["errors"]] == ["eval_cancel_error"]


REFUSED = [
    ([], "specify query argument or --stdin"),
    (["1", "--stdin"], "specify query argument or --stdin but not both"),
    (["1", "-I", "-i", "x.json"], "specify --stdin-input or --input but not both"),
    (["1", "--fail", "--fail-defined"], "specify --fail or --fail-defined but not both"),
    (["1", "--partial"], "partial evaluation is not supported: all of input and data must be known"),
    (["1", "-u", "input"], "partial evaluation is not supported: all of input and data must be known"),
    (["1", "-f", "source"], "invalid output format for evaluation"),
    (["1", "-O", "1"], "optimized bundles are not supported: policies are always compiled, use `-O 0`"),
    (["1", "--timeout", "x"], "Invalid value for '--timeout': `x` is no duration such as `500ms` or `1m30s`"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_flags_that_cannot_be_are_refused(arguments: list[str], message: str) -> None:
    done = procurator("eval", *arguments)
    assert (done.code, done.output, done.errors.splitlines()[-1]) == (2, "", f"Error: {message}")


# What goes in


def test_input_is_json_or_yaml_from_a_file_or_standard_input(folder: Path) -> None:
    (folder / "input.yaml").write_text("user: eve\n")
    assert evaluate(folder, "data.app.allow", "-f", "raw", "-i", "input.yaml").output == "true\n"
    assert evaluate(folder, "data.app.allow", "-f", "raw", "-I", stdin='{"user": "eve"}').output == "true\n"
    done = evaluate(folder, "data.app.allow", "-f", "raw", "-I", stdin="{")
    assert (done.code, done.output) == (2, "")
    assert done.errors.startswith("load_error: unable to parse input: yaml: ")


def test_the_query_can_come_from_standard_input(folder: Path) -> None:
    done = procurator("eval", "--stdin", "-f", "raw", "-d", "policies", folder=folder, stdin="data.app.twice(4)\n")
    assert done == Finished(0, "8\n", "")


def test_the_query_can_use_names_of_a_package_and_imports(folder: Path) -> None:
    assert evaluate(folder, "twice(3)", "--package", "app", "-f", "raw").output == "6\n"
    imports = ("--import", "data.app.twice", "--import", "data.people as p")
    assert evaluate(folder, "twice(3); p[0]", *imports, "-f", "raw").output == "6 eve\n"
    assert records(evaluate(folder, "1", "--package", "a b"), 2)["errors"][0]["code"] == "rego_parse_error"


def test_bundles_replace_what_is_below_their_roots(folder: Path) -> None:
    (folder / "bundle").mkdir()
    (folder / "bundle/.manifest").write_text('{"revision": "7", "roots": ["people"]}')
    (folder / "bundle/data.json").write_text('{"people": ["joe"]}')
    with tarfile.open(folder / "bundle.tar.gz", "w:gz") as archive:
        archive.add(folder / "bundle", ".")
    for path in ("bundle", "bundle.tar.gz"):
        done = evaluate(folder, "data.people; data.system.bundles[_].manifest.revision", "-b", path, "-f", "raw")
        assert done == Finished(0, '["joe"] 7\n', "")


def test_rules_must_not_stand_where_documents_do(folder: Path) -> None:
    (folder / "more.json").write_text('{"app": {"allow": true}}')
    error = {
        "message": "conflicting rule for data path app/allow found",
        "code": "rego_compile_error",
        "location": located("policies/app.rego", 3, 1),
    }
    assert records(evaluate(folder, "1", "-d", "more.json"), 2) == {"errors": [error]}
    assert evaluate(folder, "1", "-d", "more.json", "--ignore", "app.rego", "-f", "raw").output == "1\n"


def test_languages_and_schemas_are_those_of_check(folder: Path) -> None:
    (folder / "old.rego").write_text("package old\n\np[x] { x = 1 }\n")
    done = procurator("eval", "-d", "old.rego", "data.old.p", "--v0-compatible", "-f", "raw", folder=folder)
    assert done == Finished(0, "[1]\n", "")
    (folder / "none.json").write_text('{"builtins": []}')
    done = procurator("eval", "count([1])", "--capabilities", "none.json", folder=folder)
    assert records(done, 2)["errors"][0]["message"] == "undefined function count"
    (folder / "schema.json").write_text('{"type": "object", "properties": {"user": {"type": "string"}}}')
    (folder / "typo.rego").write_text('package typo\n\np if input.usr == "eve"\n')
    done = procurator("eval", "-d", "typo.rego", "data.typo.p", "-s", "schema.json", folder=folder)
    assert records(done, 2)["errors"][0]["message"] == "undefined ref: input.usr"


def test_strict_is_strict_of_policies_alone(folder: Path) -> None:
    (folder / "loose.rego").write_text("package loose\n\np if {\n\tx := 1\n\ttrue\n}\n")
    assert procurator("eval", "x := 1", "-S", "-f", "raw", folder=folder) == Finished(0, "true\n", "")
    done = procurator("eval", "x := 1", "-S", "-d", "loose.rego", folder=folder)
    assert records(done, 2)["errors"][0]["message"] == "assigned var x unused"


def test_hosts_and_the_environment_are_out_of_reach_unless_allowed(folder: Path) -> None:
    query = "opa.runtime().env.PROCURATOR_TEST_X = x"
    environment = {"PROCURATOR_TEST_X": "1"}
    assert evaluate(folder, query, "-f", "raw", environment=environment).output == ""
    assert evaluate(folder, query, "-f", "raw", "--runtime-env", environment=environment).output == "true\n"
    send = 'http.send({"method": "get", "url": "http://127.0.0.1:1/", "raise_error": false}).error.message'
    assert evaluate(folder, send, "-f", "raw").output.startswith(
        "eval_builtin_error: http.send: disallowed host: 127.0.0.1 "
    )
    allowed = evaluate(folder, send, "-f", "raw", "--allow-host", "127.0.0.1")
    assert allowed.output == 'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused\n'


def test_options_can_be_set_in_the_environment(folder: Path) -> None:
    environment = {"PROCURATOR_EVAL_FORMAT": "raw", "PROCURATOR_EVAL_FAIL_DEFINED": "true"}
    assert evaluate(folder, "data.app.allow", environment=environment) == Finished(1, "false\n", "")


# Reports


def test_prints_go_to_standard_error(folder: Path) -> None:
    assert evaluate(folder, "data.app.names", "-f", "raw") == Finished(0, '["bob","eve"]\n', "name: eve\nname: bob\n")


def test_times_are_reported(folder: Path) -> None:
    names = [
        "timer_rego_load_files_ns",
        "timer_rego_module_compile_ns",
        "timer_rego_module_parse_ns",
        "timer_rego_query_compile_ns",
        "timer_rego_query_eval_ns",
        "timer_rego_query_parse_ns",
    ]
    assert list(records(evaluate(folder, "1", "--metrics"))["metrics"]) == names
    assert list(records(evaluate(folder, "1", "--instrument"))["metrics"]) == ["timer_procurator_code_make_ns", *names]
    several = records(evaluate(folder, "1", "--metrics", "--count", "3"))
    assert list(several) == ["result", "aggregated_metrics"]
    assert list(several["aggregated_metrics"]) == names
    assert several["aggregated_metrics"][names[0]]["count"] == 3
    lines = evaluate(folder, "1", "--metrics", "-f", "pretty").output.splitlines()
    assert [line.split()[1] for line in lines[4:-1]] == names


def test_profiles_are_reported(folder: Path) -> None:
    found = records(evaluate(folder, "data.app.allow", "--profile-sort", "line", "--profile-limit", "1"))
    assert list(found) == ["result", "metrics", "profile"]
    [line] = found["profile"]
    assert line.pop("total_time_ns") >= 0
    assert line == {"num_eval": 1, "num_redo": 1, "num_gen_expr": 1, "location": located("policies/app.rego", 3, 1)}
    several = records(evaluate(folder, "data.app.allow", "--profile", "--count", "2"))
    assert [sorted(line) for line in several["aggregated_profile"]] == [
        ["location", "num_eval", "num_gen_expr", "num_redo", "total_time_ns_stats"]
    ] * 2
    pretty = evaluate(folder, "data.app.allow", "--profile", "-f", "pretty").output.splitlines()
    header = ["Time", "Num Eval", "Num Redo", "Num Gen Expr", "Location"]
    assert [cell.strip() for cell in pretty[-5].strip("│").split("│")] == header
    assert [line.split()[-2] for line in pretty[-3:-1]] == ["data.app.allow", "policies/app.rego:3"]


def test_coverage_is_reported(folder: Path) -> None:
    done = evaluate(folder, "data.app.allow", "--coverage", "-I", stdin='{"user": "eve"}')
    file = records(done)["coverage"]["files"]["policies/app.rego"]
    assert file["covered"] == [
        {"start": {"row": 5, "col": 1}, "end": {"row": 5, "col": 6}},
        {"start": {"row": 5, "col": 10}, "end": {"row": 5, "col": 29}},
    ]
    assert (file["covered_lines"], file["not_covered_lines"], file["coverage"]) == (1, 8, 100 / 9)
    pretty = evaluate(folder, "data.app.allow", "--coverage", "-f", "pretty", "-I", stdin='{"user": "eve"}')
    assert pretty.output.splitlines()[2] == "│ Overall Coverage │ 11.11 │"


def test_the_course_is_explained(folder: Path) -> None:
    notes = evaluate(folder, "data.app.names", "--explain", "notes", "-f", "pretty")
    assert notes.output.splitlines()[:5] == [
        "query:1                  Enter data.app.names",
        "policies/app.rego:7      | Enter data.app.names",
        'policies/app.rego:10     | | Note "eve"',
        "policies/app.rego:7      | Redo data.app.names",
        'policies/app.rego:10     | | Note "bob"',
    ]
    fails = records(evaluate(folder, "data.app.allow", "--explain", "fails"))["explanation"]
    assert [(entry["Op"], entry["Location"]["row"], entry["Node"]) for entry in fails] == [
        ("Enter", 1, "data.app.allow"),
        ("Enter", 5, "data.app.allow"),
        ("Fail", 5, "input.user"),
    ]
    full = records(evaluate(folder, "data.app.half", "--explain", "full", "--strict-builtin-errors"))
    assert [entry["Op"] for entry in full["explanation"]] == ["Enter", "Eval", "Enter", "Eval", "Fail", "Fail"]


def test_the_code_is_shown_instead_of_run(folder: Path) -> None:
    done = evaluate(folder, "data.app.names", "--show-code")
    assert (done.code, done.errors) == (0, "")
    compile(done.output, "query", "exec")
    assert "def query(c0, found):" in done.output
