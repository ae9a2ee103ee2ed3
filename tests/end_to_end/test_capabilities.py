"""`procurator capabilities`."""

import json
from pathlib import Path

import pytest
from command_line import Finished, procurator


def test_the_names_of_known_releases_are_listed() -> None:
    """Each can be given to `--version`."""
    done = procurator("capabilities")
    assert (done.code, done.errors) == (0, "")
    for name in done.output.split():
        assert procurator("capabilities", "--version", name).code == 0


def test_the_current_capabilities_are_opas_document() -> None:
    """Rego v0 has to import what v1 has built in."""
    current = json.loads(procurator("capabilities", "--current").output)
    old = json.loads(procurator("capabilities", "--current", "--v0-compatible").output)
    assert list(current) == ["builtins", "future_keywords", "features"]
    assert current["future_keywords"] == ["and", "not", "or"]
    assert old["future_keywords"] == ["and", "contains", "every", "if", "in", "not", "or"]
    assert current["builtins"] == old["builtins"]


def test_a_file_is_read_and_printed_again(tmp_path: Path) -> None:
    """What is printed can be given to `--capabilities` of other commands."""
    (tmp_path / "c.json").write_text('{"future_keywords": ["or"], "features": ["rego_v1"], "allow_net": []}')
    done = procurator("capabilities", "--file", "c.json", folder=tmp_path)
    assert json.loads(done.output) == {"future_keywords": ["or"], "features": ["rego_v1"], "allow_net": []}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--version", "v1.22.1"],
            "load_error: no capabilities version found: v1.22.1\n  hint: did you mean `v1.22.2`?\n",
        ),
        (
            ["--file", "bad.json"],
            "rego_parse_error: illegal capabilities: not JSON: Expecting value: line 1 column 1 (char 0)\n",
        ),
    ],
)
def test_capabilities_that_are_not_known_or_none_are_errors(arguments: list[str], message: str, tmp_path: Path) -> None:
    """Nothing is printed in their place."""
    (tmp_path / "bad.json").write_text("no")
    assert procurator("capabilities", *arguments, folder=tmp_path) == Finished(2, "", message)
