"""`procurator parse`."""

import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

from command_line import Finished, procurator

POLICY = "package a\n\n# why\nallow if input.x > 1.50\n"

TREE = """\
module
 package
  ref
   data
   "a"
 rule
  head
   ref
    allow
   true
  body
   expr index=0
    ref
     gt
    ref
     input
     "x"
    1.50
 comment
"""


def test_a_tree_is_printed(tmp_path: Path) -> None:
    """One node a line, indented by depth."""
    (tmp_path / "a.rego").write_text(POLICY)
    assert procurator("parse", "a.rego", folder=tmp_path) == Finished(0, TREE, "")


def test_standard_input_is_a_policy_too() -> None:
    """`-` is the usual name for it."""
    assert procurator("parse", "-", stdin=POLICY) == Finished(0, TREE, "")


def test_json_has_opas_keys_and_the_digits_of_the_text() -> None:
    """Numbers are printed as they were written."""
    done = procurator("parse", "-", "--format=json", stdin=POLICY)
    assert done.code == 0
    assert '"value": 1.50\n' in done.output
    module = json.loads(done.output)
    assert list(module) == ["package", "rules", "comments"]
    assert module["comments"] == [
        {"Text": b64encode(b" why").decode(), "Location": {"file": "<stdin>", "row": 3, "col": 1}}
    ]


def test_locations_and_comments_are_included_as_asked() -> None:
    """A minus before a name takes it away."""
    done = procurator("parse", "-", "--format=json", "--json-include", "locations,-comments", stdin=POLICY)
    module = json.loads(done.output)
    assert list(module) == ["package", "rules"]
    assert module["package"]["location"] == {
        "file": "<stdin>",
        "row": 1,
        "col": 1,
        "text": b64encode(b"package").decode(),
    }


def test_an_element_that_cannot_be_included_is_an_error() -> None:
    """A name that is not known is not passed over."""
    done = procurator("parse", "-", "--json-include", "comment", stdin=POLICY)
    assert done.code == 2
    assert done.errors.endswith(
        "Error: Invalid value for '--json-include': `comment` is not one of `locations`, `comments`\n"
    )


def test_a_mistake_is_shown_with_its_line_and_a_caret() -> None:
    """The exit code is that of an error; nothing is printed on standard output."""
    done = procurator("parse", "-", stdin="package a\n\nallow if )\n")
    assert (done.code, done.output) == (2, "")
    assert "<stdin>:3:10: rego_parse_error: unexpected ) token" in done.errors
    assert "  3 | allow if )\n    |          ^\n" in done.errors


def test_a_mistake_as_json_is_opas() -> None:
    """Tools that read OPA's errors read these."""
    done = procurator("parse", "-", "--format=json", stdin="package a\n\nallow if )\n")
    assert (done.code, done.output) == (2, "")
    assert json.loads(done.errors) == {
        "errors": [
            {
                "message": "unexpected ) token",
                "code": "rego_parse_error",
                "location": {"file": "<stdin>", "row": 3, "col": 10},
                "details": {"line": "allow if )", "idx": 9},
            }
        ]
    }


def test_rego_v0_is_read_when_asked_for() -> None:
    """The same text is a mistake in one version and a policy in the other."""
    old = "package a\n\np[x] { x = 1 }\n"
    assert procurator("parse", "-", stdin=old).code == 2
    assert procurator("parse", "--v0-compatible", "-", stdin=old).code == 0


def test_what_is_not_utf8_is_an_error_at_its_place() -> None:
    """The first bad byte is pointed at."""
    done = procurator("parse", "-", stdin=b'package a\n\np := "\xff"\n')
    assert (done.code, done.output) == (2, "")
    assert done.errors.startswith("<stdin>:3:7: rego_parse_error: illegal utf-8 character\n")


def test_a_file_that_is_not_there_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    """The folder is looked through for what may have been meant."""
    (tmp_path / "policy.rego").write_text(POLICY)
    done = procurator("parse", "polcy.rego", folder=tmp_path)
    assert done == Finished(
        2,
        "",
        "polcy.rego:1:1: load_error: cannot read the file: no such file or directory\n"
        "  hint: did you mean `policy.rego`?\n",
    )


def test_output_that_nobody_reads_is_no_error_message(tmp_path: Path) -> None:
    """`procurator parse … | head -1` ends quietly."""
    many = "package a\n\n" + "\n".join(f"p{i} := {i}" for i in range(5000))
    (tmp_path / "a.rego").write_text(many)

    with subprocess.Popen(
        [sys.executable, "-m", "procurator", "parse", "a.rego"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"module\n"
        process.stdout.close()
        assert process.stderr.read() == b""
