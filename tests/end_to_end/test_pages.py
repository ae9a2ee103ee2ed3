"""What the guides and explanations show is what happens: their files, their Python, their commands."""

import re
import shlex
from pathlib import Path

import pytest
from command_line import procurator

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(path for kind in ("how-to", "explanation") for path in (DOCS / kind).glob("*.md"))

FILE = re.compile(r"^`([\w.-]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^```sh\n(procurator .*?)\n```\n(?:(?!```).)*?^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PRINTED = re.compile(r"^ *print\(.*\)  # (.*)$", re.MULTILINE)
LINK = re.compile(r"\]\((?!\w+:)([^)#]+)")


def in_folder(page: Path, folder: Path) -> str:
    """The text of a page; the files that it shows are in a folder."""
    text = page.read_text(encoding="utf-8")
    for name, content in FILE.findall(text):
        (folder / name).write_text(content, encoding="utf-8")
    return text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_python_of_a_page_prints_what_its_comments_say(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The blocks of a page are one program."""
    program = "\n".join(PYTHON.findall(in_folder(page, tmp_path)))
    monkeypatch.chdir(tmp_path)
    exec(compile(program, page.name, "exec"), {})  # noqa: S102  # our own examples
    assert capsys.readouterr().out.splitlines() == PRINTED.findall(program)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_print_what_it_shows(page: Path, tmp_path: Path) -> None:
    """A part of it at least."""
    for command, shown in COMMAND.findall(in_folder(page, tmp_path)):
        done = procurator(*shlex.split(command)[1:], folder=tmp_path)
        assert (done.code, done.errors) == (0, "")
        assert shown in done.output


def test_the_policies_of_pages_are_in_order(tmp_path: Path) -> None:
    """And in the canonical layout."""
    for page in PAGES:
        in_folder(page, tmp_path)
        for policy in tmp_path.glob("*.rego"):
            assert procurator("check", "--strict", policy.name, folder=tmp_path).code == 0
            assert procurator("fmt", "--diff", "--fail", policy.name, folder=tmp_path).output == ""


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    """Those to files of the repository."""
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_index_lists_all_pages() -> None:
    links = {(DOCS / link).resolve() for link in LINK.findall((DOCS / "README.md").read_text(encoding="utf-8"))}
    assert set(DOCS.rglob("*.md")) - {DOCS / "README.md"} <= links
