"""What the documentation says is so."""

import re

from sources import FILES, ROOT

from procurator.governance.refusals import REASONS

CODE = re.compile(r'"((?:rego|eval|load|config)(?:_[a-z]+)*_error)"')


def test_every_error_code_has_a_heading() -> None:
    """A user who looks a code up finds it."""
    page = (ROOT / "docs/reference/error-codes.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\w+)$", page, re.MULTILINE)
    codes = {code for file in FILES for code in CODE.findall(file.text)}
    assert sorted(codes - set(headings)) == []
    assert len(headings) == len(set(headings))


def test_files_that_the_guides_name_exist() -> None:
    """Paths in back-ticks lead somewhere, apart from patterns and what a user makes."""
    missing = [
        f"{guide}: {path}"
        for guide in ("README.md", "CONTRIBUTING.md")
        for path in re.findall(r"`([\w./-]+/[\w./-]*)`", (ROOT / guide).read_text(encoding="utf-8"))
        if path.split("/")[0] in {"rules", "engine", "tests", "docs", "demo", "bench", "stdlib_policies"}
        if not (ROOT / path).exists() and not (ROOT / path).parent.exists()
    ]
    assert missing == []


def test_the_change_log_has_the_wanted_sections() -> None:
    """Entries stand under the headings that Keep a Changelog knows."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert sections <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert "## [Unreleased]" in text


def test_the_reasons_for_which_tokens_are_refused_are_explained() -> None:
    """Each reason of the chain and of proofs has a line in the page on tokens, and the page invents none."""
    page = (ROOT / "docs/reference/delegation-tokens.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"\| `([a-z_]+)` \|$", page, re.MULTILINE))
    sources = "".join(
        file.text
        for file in FILES
        if file.module.rpartition(".")[2] in {"jws", "keys", "links", "proofs", "sessions", "tokens"}
    )
    assert explained == {reason for reason in REASONS if f'"{reason}"' in sources}
