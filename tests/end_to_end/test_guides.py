"""What the README shows is what happens."""

import re
from pathlib import Path

import pytest
from command_line import Finished, procurator

README = Path(__file__).parents[2] / "README.md"


def block(language: str) -> str:
    """The first block of the README in a language; the one without a language is an answer of the command line."""
    found = re.search(rf"^```{language}\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_the_first_policy_is_in_order_and_in_the_canonical_layout(tmp_path: Path) -> None:
    """A reader who copies it gets no complaint."""
    (tmp_path / "agents.rego").write_text(block("rego"))
    assert procurator("check", "--strict", "agents.rego", folder=tmp_path) == Finished(0, "", "")
    assert procurator("fmt", "--diff", "agents.rego", folder=tmp_path) == Finished(0, "", "")


def test_the_misspelt_policy_gets_the_answer_that_is_shown(tmp_path: Path) -> None:
    """To the letter."""
    (tmp_path / "agents.rego").write_text(block("rego").replace("in input.agent", "in inptu.agent"))
    answer = re.findall(r"^```\n(agents\.rego:.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert procurator("check", "agents.rego", folder=tmp_path) == Finished(2, "", answer[0])


def test_the_python_of_the_readme_prints_what_its_comments_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "agents.rego").write_text(block("rego"))
    monkeypatch.chdir(tmp_path)
    exec(compile(block("python"), "README.md", "exec"), {})  # noqa: S102  # our own example
    assert capsys.readouterr().out == "True\nTrue [('data.agents.allow', 5)]\n"
