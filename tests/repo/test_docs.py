"""What the documentation says is so."""

import ast
import json
import re

import pytest
from jsonschema import Draft202012Validator
from reference_pages import FOLDER, pages
from ruamel.yaml import YAML
from sources import FILES, ROOT

from procurator.governance.config.loading import GatewayConfig, read_config
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
    """Paths in back-ticks lead somewhere; patterns have other characters too."""
    missing = [
        f"{guide}: {path}"
        for guide in ("README.md", "CONTRIBUTING.md")
        for path in re.findall(r"`([\w./-]+/[\w./-]*)`", (ROOT / guide).read_text(encoding="utf-8"))
        if path.split("/")[0] in {"rules", "engine", "tests", "docs", "demo", "bench", "stdlib_policies"}
        if not (ROOT / path).exists()
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


@pytest.mark.parametrize("name", sorted(pages()))
def test_pages_made_from_the_sources_are_up_to_date(name: str) -> None:
    """`make docs` writes them."""
    assert (FOLDER / name).read_text(encoding="utf-8") == pages()[name]


def test_every_setting_is_explained() -> None:
    """Each has a row of its own with a meaning."""
    rows = re.findall(r"^\| `\w+` \|.*\| (.*) \|$", pages()["gateway-config.md"], re.MULTILINE)
    assert len(rows) > 50
    assert "" not in rows


def test_the_configuration_of_the_docs_loads_and_fits_the_schema() -> None:
    """So does what the defaults are; the schema knows no other settings either."""
    schema = json.loads(pages()["gateway-config.schema.json"])
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    shown = re.search(r"^```yaml\n(.*?)^```$", pages()["gateway-config.md"], re.MULTILINE | re.DOTALL)
    assert shown
    assert read_config(shown[1]).policies == ("policies/",)
    defaults = json.loads(GatewayConfig().model_dump_json(by_alias=True))
    for document in (YAML(typ="safe", pure=True).load(shown[1]), defaults):
        assert [error.message for error in validator.iter_errors(document)] == []
    assert not validator.is_valid({"policy": []})
    assert not validator.is_valid({"policy_engine": {"mode": "zero_trst"}})


def test_reasons_that_the_gateway_gives_are_in_the_table() -> None:
    """Whatever is raised as `Refused("...")` or compared with is explained."""
    raised = {
        node.args[0].value
        for file in FILES
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refused" and node.args
        if isinstance(node.args[0], ast.Constant)
    }
    assert sorted(raised - REASONS.keys()) == []
