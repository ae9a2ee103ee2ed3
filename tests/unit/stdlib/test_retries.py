"""The shipped policy on retries: its own tests, and how it is laid out."""

from pathlib import Path

import pytest

import procurator_stdlib
from procurator import Engine
from procurator_rules.parser import parse_module
from procurator_rules.printer import format_module

FOLDER = Path(procurator_stdlib.__file__).parent
FILES = (FOLDER / "retries.rego", FOLDER / "retries_test.rego")
TESTS = ("configured", "failure", "first_try", "misconfigured", "transient", "unknown_outcome")


@pytest.mark.parametrize("name", TESTS)
def test_rego(name: str) -> None:
    """Each rule that is called `test_...` holds."""
    engine = Engine.from_paths(*map(str, FILES), strict_builtin_errors=True)
    assert engine.eval(f"data.procurator.retries_test.test_{name}") is True


def test_all_tests_are_run() -> None:
    """None is forgotten above."""
    text = FILES[1].read_text(encoding="utf-8")
    assert sorted(line.split()[0][5:] for line in text.splitlines() if line.startswith("test_")) == sorted(TESTS)


def test_the_number_is_a_document() -> None:
    """It lies beside the rules of the package."""
    past = {"digest": "00", "failures_since_replan": 2, "outcomes": {"timeout": 2}, "blind_retries": 1}
    engine = Engine.from_paths(
        str(FILES[0]), strict_builtin_errors=True, data={"procurator": {"retries": {"allowed": 2}}}
    )
    assert engine.eval("count(data.procurator.retries.deny)", {"history": {"current": past}}) == 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_layout(path: Path) -> None:
    """The files are laid out as `procurator fmt` does it."""
    module = parse_module(path.read_text(encoding="utf-8"), path.name)
    assert format_module(module) == module.source.text
