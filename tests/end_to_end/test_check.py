"""`procurator check`."""

import json
import os
import pty
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from command_line import Finished, procurator

GOOD = "package good\n\nallow if input.x == 1\n"
UNSAFE = "package bad\n\nallow if count(usrs) > 1\n"
UNUSED = "package unused\n\nallow if {\n\tx := 1\n\tinput.y == 2\n}\n"
OLD = "package old\n\np[x] { x = 1 }\n"
QUIET = Finished(0, "", "")


def messages(done: Finished) -> list[str]:
    """The messages of errors printed as JSON."""
    assert (done.code, done.output) == (2, "")
    return [error["message"] for error in json.loads(done.errors)["errors"]]


def test_policies_without_mistakes_are_passed_in_silence(tmp_path: Path) -> None:
    """Files, folders and standard input, each on its own and together."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "good.rego").write_text(GOOD)
    (tmp_path / "sub/data.json").write_text("{")
    (tmp_path / "sub/more.rego").write_text("package more\n\nimport data.good\n\np if good.allow\n")
    assert procurator("check", "good.rego", folder=tmp_path) == QUIET
    assert procurator("check", ".", folder=tmp_path) == QUIET
    assert procurator("check", "good.rego", "sub/more.rego", "sub/data.json", folder=tmp_path) == QUIET
    assert procurator("check", "-", stdin=GOOD) == QUIET
    assert procurator("check", "-f", "json", "-", stdin=GOOD) == QUIET


def test_a_mistake_is_shown_in_its_line(tmp_path: Path) -> None:
    """File, row, column, the line, the text in question; also where nobody looks at a terminal."""
    (tmp_path / "bad.rego").write_text(UNSAFE)
    assert procurator("check", "bad.rego", folder=tmp_path) == Finished(
        2,
        "",
        "bad.rego:3:10: rego_unsafe_var_error: var usrs is unsafe\n"
        "  3 | allow if count(usrs) > 1\n"
        "    |                ^^^^\n",
    )


def test_a_mistake_as_json_is_opas(tmp_path: Path) -> None:
    """The keys of OPA, in its order, on standard error."""
    (tmp_path / "bad.rego").write_text(UNSAFE)
    done = procurator("check", "--format", "json", "bad.rego", folder=tmp_path)
    assert done == Finished(
        2,
        "",
        """\
{
  "errors": [
    {
      "message": "var usrs is unsafe",
      "code": "rego_unsafe_var_error",
      "location": {
        "file": "bad.rego",
        "row": 3,
        "col": 10
      }
    }
  ]
}
""",
    )


def test_the_types_in_question_are_told_as_opa_does() -> None:
    """In words for people, as data for tools."""
    text = 'package a\n\np if { x := 1; x == "a" }\n'
    shown = procurator("check", "-", stdin=text).errors.splitlines()
    assert shown[1:3] == ["  left  : number", "  right : string"]
    told = json.loads(procurator("check", "-", "-f", "json", stdin=text).errors)
    assert told["errors"][0]["details"] == {"a": {"type": "number"}, "b": {"type": "string"}}


def test_mistakes_of_all_files_are_reported_together(tmp_path: Path) -> None:
    """One that cannot be parsed does not hide another."""
    (tmp_path / "a.rego").write_text("package a\n\np := \n")
    (tmp_path / "b.rego").write_text("package b\n\nq := )\n")
    done = procurator("check", ".", folder=tmp_path)
    assert done.code == 2
    assert done.errors.startswith("2 errors occurred:\na.rego:")
    assert "\nb.rego:3:6: rego_parse_error: unexpected ) token" in done.errors


def test_names_can_be_ignored_below_a_folder(tmp_path: Path) -> None:
    """By patterns, several at once or one by one; a path that is named outright is read all the same."""
    (tmp_path / "wip").mkdir()
    (tmp_path / "good.rego").write_text(GOOD)
    (tmp_path / ".hidden.rego").write_text(UNSAFE)
    (tmp_path / "wip/bad.rego").write_text(UNSAFE)
    assert procurator("check", ".", "--ignore", ".*,wip", folder=tmp_path) == QUIET
    assert procurator("check", ".", "--ignore", ".*", "--ignore", "w[^a]p", folder=tmp_path) == QUIET
    ignored = {"PROCURATOR_CHECK_IGNORE": "wip,.*"}
    assert procurator("check", ".", folder=tmp_path, environment=ignored) == QUIET
    assert procurator("check", "wip/bad.rego", "--ignore", "*.rego", folder=tmp_path).code == 2


@pytest.mark.parametrize("path", ["empty", "notes.txt"])
def test_finding_no_policy_is_an_error(path: str, tmp_path: Path) -> None:
    """A misspelt folder must not pass for a checked one."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("package a\n")
    assert procurator("check", path, folder=tmp_path) == Finished(
        2,
        "",
        f"load_error: no policy found in `{path}`\n  hint: policies are files that end in `.rego`\n",
    )


def test_strict_mode_reports_what_is_not_used() -> None:
    """It is off unless asked for, by the option or in the environment."""
    assert procurator("check", "-", stdin=UNUSED) == QUIET
    wanted = ["assigned var x unused"]
    assert messages(procurator("check", "-S", "-f", "json", "-", stdin=UNUSED)) == wanted
    environment = {"PROCURATOR_CHECK_STRICT": "true", "PROCURATOR_CHECK_FORMAT": "json"}
    assert messages(procurator("check", "-", stdin=UNUSED, environment=environment)) == wanted


def test_the_number_of_errors_is_limited() -> None:
    """To ten, to another number, or not at all."""
    many = "package many\n\n" + "".join(f"p{i} if x{i} > 1\n" for i in range(12))

    def found(*arguments: str) -> list[str]:
        return messages(procurator("check", "-f", "json", "-", *arguments, stdin=many))

    unsafe = [f"var x{i} is unsafe" for i in range(12)]
    assert found() == [*unsafe[:10], "error limit reached"]
    assert found("-m", "2") == [*unsafe[:2], "error limit reached"]
    assert found("--max-errors=0") == unsafe


def test_schemas_tell_what_the_input_can_hold(tmp_path: Path) -> None:
    """A file is the schema of `input`; the files of a folder are what annotations name."""
    (tmp_path / "schemas").mkdir()
    schema = '{"type": "object", "properties": {"user": {"type": "string"}}}'
    (tmp_path / "input.json").write_text(schema)
    (tmp_path / "schemas/request.json").write_text(schema)
    annotated = "package a\n\n# METADATA\n# schemas:\n# - input: schema.request\np if input.usr == 1\n"
    plain = "package a\n\np if input.usr == 1\n"

    def found(text: str, *arguments: str) -> list[str]:
        done = procurator("check", "-f", "json", "-", *arguments, stdin=text, folder=tmp_path)
        return messages(done) if done.code else []

    assert found(plain, "--schema", "input.json") == ["undefined ref: input.usr"]
    assert found(annotated, "-s", "schemas") == ["undefined ref: input.usr"]
    assert found(annotated) == []
    assert messages(procurator("check", "-f", "json", "-", "-s", "none.json", stdin=plain, folder=tmp_path)) == [
        "cannot read the file: no such file or directory"
    ]


def test_capabilities_take_built_ins_away(tmp_path: Path) -> None:
    """From a file, or by the name of a release."""
    (tmp_path / "few.json").write_text('{"features": ["rego_v1"], "builtins": []}')
    text = "package a\n\np := count([1])\n"

    def check(name: str) -> Finished:
        return procurator("check", "-", "-f", "json", "--capabilities", name, stdin=text, folder=tmp_path)

    assert check("v1.22.2") == QUIET
    assert messages(check("few.json")) == ["undefined function count"]
    assert messages(check("fewer.json")) == ["no capabilities version found: fewer.json"]


def test_both_versions_of_rego_can_be_asked_for() -> None:
    """One, the other, or that a text is fit for both."""
    new = "package a\n\nimport rego.v1\n\np contains x if x := 1\n"
    assert procurator("check", "-", stdin=OLD).code == 2
    assert procurator("check", "--v0-compatible", "-", stdin=OLD) == QUIET
    assert procurator("check", "--v0-compatible", "-", stdin=GOOD).code == 2
    for flag in ("--v0-v1", "--rego-v1"):
        assert procurator("check", flag, "-", stdin=new) == QUIET
        assert procurator("check", flag, "-", stdin=GOOD).code == 2
        assert procurator("check", flag, "-", stdin=OLD).code == 2


def test_bundles_are_archives_or_folders(tmp_path: Path) -> None:
    """A bundle says by itself what it may define and in which version of Rego."""
    root = tmp_path / "bundle"
    (root / "old").mkdir(parents=True)
    (root / "old/a.rego").write_text(OLD)
    (root / ".manifest").write_text('{"roots": ["old"], "rego_version": 0}')
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as archive:
        archive.add(root, ".")
    assert procurator("check", "--bundle", "bundle", folder=tmp_path) == QUIET
    assert procurator("check", "-b", "b.tar.gz", folder=tmp_path) == QUIET
    assert procurator("check", "bundle", folder=tmp_path).code == 2
    (root / ".manifest").write_text('{"roots": ["new"], "rego_version": 0}')
    done = procurator("check", "-b", "-f", "json", "bundle", folder=tmp_path)
    assert messages(done) == ["manifest roots [new] do not permit 'package old' in module 'old/a.rego'"]


def test_rules_of_a_bundle_must_not_stand_where_its_data_does(tmp_path: Path) -> None:
    """The data is read as well."""
    (tmp_path / "good").mkdir()
    (tmp_path / "good/a.rego").write_text(GOOD)
    (tmp_path / "good/data.json").write_text('{"allow": true}')
    done = procurator("check", "-b", "-f", "json", ".", folder=tmp_path)
    assert messages(done) == ["conflicting rule for data path good/allow found"]


def test_a_path_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """It is named, and the others are not checked in its place."""
    (tmp_path / "good.rego").write_text(GOOD)
    done = procurator("check", "good.rego", "gone.rego", folder=tmp_path)
    assert done.code == 2
    assert done.errors.startswith("gone.rego:1:1: load_error: cannot read the file: no such file or directory\n")


def test_no_path_is_an_error() -> None:
    """Nothing to check is no success."""
    assert procurator("check").code == 2


def test_long_work_shows_progress_on_a_terminal_and_none_in_a_pipe(tmp_path: Path) -> None:
    """On standard error, so that output stays what it is."""
    for number in range(60):
        (tmp_path / f"p{number}.rego").write_text(f"package p{number}\n")
    assert procurator("check", ".", folder=tmp_path) == QUIET
    ours, theirs = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "procurator", "check", "."], cwd=tmp_path, stderr=theirs, check=True, timeout=60
    )
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "parsing" in shown
    assert "100%" in shown


# Configurations

CONFIG = """\
policies: [policies]
audit: {retention_days: 30}
"""


def configured(folder: Path, text: str = CONFIG, policy: str = "package procurator\n\nallow if input.x == 1\n") -> None:
    """A folder with the configuration of a gateway and its policy."""
    (folder / "policies").mkdir()
    (folder / "policies/p.rego").write_text(policy)
    (folder / "gate.yaml").write_text(text)


def test_a_configuration_without_mistakes_is_passed_in_silence(tmp_path: Path) -> None:
    """From any folder, with paths beside it too."""
    configured(tmp_path)
    (tmp_path / "good.rego").write_text(GOOD)
    assert procurator("check", "-c", "gate.yaml", folder=tmp_path) == QUIET
    assert procurator("check", "--config", str(tmp_path / "gate.yaml")) == QUIET
    assert procurator("check", "-c", "gate.yaml", "good.rego", folder=tmp_path) == QUIET


def test_a_mistake_in_a_configuration_is_shown_in_its_line(tmp_path: Path) -> None:
    """As one in a policy is, or as JSON."""
    configured(tmp_path, CONFIG.replace("retention_days", "retention_day"))
    assert procurator("check", "-c", "gate.yaml", folder=tmp_path) == Finished(
        2,
        "",
        "gate.yaml:2:9: config_error: unknown setting `retention_day` in `audit`\n"
        "  2 | audit: {retention_day: 30}\n"
        "    |         ^^^^^^^^^^^^^\n"
        "  hint: did you mean `retention_days`?\n",
    )
    done = procurator("check", "-c", "gate.yaml", "-f", "json", folder=tmp_path)
    assert json.loads(done.errors)["errors"][0]["location"] == {"file": "gate.yaml", "row": 2, "col": 9}


def test_policies_of_a_configuration_are_checked(tmp_path: Path) -> None:
    """They have to compile."""
    configured(tmp_path, policy=UNSAFE)
    done = procurator("check", "-c", "gate.yaml", folder=tmp_path)
    assert (done.code, done.output) == (2, "")
    assert done.errors.splitlines()[0] == "policies/p.rego:3:10: rego_unsafe_var_error: var usrs is unsafe"


def test_check_needs_something_to_check(tmp_path: Path) -> None:
    """Options that are for policies need policies."""
    configured(tmp_path)
    assert procurator("check", folder=tmp_path).errors.splitlines()[-1] == "Error: specify PATHS or --config"
    done = procurator("check", "-c", "gate.yaml", "--strict", folder=tmp_path)
    assert (done.code, done.errors.splitlines()[-1]) == (2, "Error: specify PATHS")
