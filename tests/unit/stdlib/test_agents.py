"""The shipped policies of agents: their own tests, and what a reader and a gateway need to find in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import procurator_stdlib
from procurator import Engine
from procurator_rules.nodes import Module, Rule, String, Var
from procurator_rules.parser import parse_module
from procurator_rules.printer import format_module

FOLDER = Path(procurator_stdlib.__file__).parent / "agents"
MODULES = {
    path.name: parse_module(path.read_text(encoding="utf-8"), path.name) for path in sorted(FOLDER.glob("*.rego"))
}
ENGINE = Engine.from_paths(str(FOLDER), strict_builtin_errors=True)
SUITES = ("banking", "slack", "travel", "workspace")


def name_of(rule: Rule) -> str:
    """The name of a rule."""
    head = rule.head.ref.terms[0]
    return head.name if isinstance(head, Var) else ""


def paths() -> Iterator[str]:
    """The paths of all rules called `test_...`."""
    for module in MODULES.values():
        package = ".".join(part.value for part in module.package.path.terms[1:] if isinstance(part, String))
        names = dict.fromkeys(name_of(rule) for rule in module.rules)
        yield from (f"data.{package}.{name}" for name in names if name.startswith("test_"))


@pytest.mark.parametrize("test", list(paths()))
def test_rego(test: str) -> None:
    """Each rule that is called `test_...` holds."""
    assert ENGINE.eval(test) is True


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("_test.rego")])
def test_a_policy_comes_with_tests(name: str) -> None:
    """Beside each policy is a file of tests; mails and events are tested where they are used."""
    assert name == "office.rego" or f"{name.removesuffix('.rego')}_test.rego" in MODULES


@pytest.mark.parametrize("module", list(MODULES.values()), ids=list(MODULES))
def test_public_rules_have_titles(module: Module) -> None:
    """A reader learns from the metadata what each rule is for that other packages may use, and each test."""
    named = {name_of(rule) for rule in module.rules}
    titled = {name_of(rule) for rule in module.rules if any("title" in one.fields for one in rule.annotations)}
    is_test = module.source.name.endswith("_test.rego")
    wanted = {name for name in named if name.startswith("test_") or not (is_test or name.startswith("_"))}
    assert wanted - titled == set()


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(
    "document", [{}, {"action": {}}, {"action": {"tool": "x", "operation": "read", "parameters": {}}}]
)
def test_what_a_policy_does_not_know_is_refused(suite: str, document: object) -> None:
    """There is always a decision, and by default it is to deny."""
    assert ENGINE.eval(f"data.procurator.agents.{suite}.decision", document) == {
        "verdict": "deny",
        "reason": "unknown_tool",
        "message": "no such tool, or not for that",
    }


@pytest.mark.parametrize("suite", SUITES)
def test_no_built_in_fails_over_what_agents_and_persons_say(suite: str) -> None:
    """The gateway refuses then without saying why; values of every type, and dates and patterns that are none."""
    writes = ENGINE.eval(f"data.procurator.agents.{suite}.writes")
    decide = ENGINE.prepare(f"data.procurator.agents.{suite}.decision")
    verdicts = {
        decide(_called(tool, dict.fromkeys(parameters, value), prompt))["verdict"]
        for tool, parameters in writes.items()
        for value in FOREIGN
        for prompt in (
            f"Do all the tasks at 00.00 on 0000-00-00, '{{x}}{{5,' and '(?{{a' of 1,0. or {'9' * 400}",
            "Invite guests",
            None,
        )
    }
    assert verdicts <= {"permit", "deny"}


FOREIGN = (None, 7, True, "", "x", "@", "2031-00-00", "https://x.example", [], [None], ["@", 3], {}, {"a": 1}, "(?")


def _called(tool: str, parameters: dict[str, object], prompt: object) -> dict[str, object]:
    """A call after others, all with the same parameters."""
    earlier = ("search_contacts_by_name", "invite_user_to_slack", "read_file", "get_webpage", "read_inbox")
    said = {**parameters, "query": parameters.get("recipient"), "file_path": 7, "channel": None, "user": 7, "url": 7}
    actions = [{"tool": one, "operation": "write", "parameters": said, "outcome": "success"} for one in earlier]
    action = {"tool": tool, "operation": "write", "target_resource": None, "parameters": parameters}
    return {"action": action, "delegation": {"root": {"intent": prompt}}, "history": {"actions": actions}}


@pytest.mark.parametrize("suite", SUITES)
def test_every_change_says_what_it_wants(suite: str) -> None:
    """A refused change is refused with a sentence of its own, also where nothing was asked for."""
    writes = ENGINE.eval(f"data.procurator.agents.{suite}.writes")
    documents = {tool: {"action": {"tool": tool, "operation": "write", "parameters": {}}} for tool in writes}
    decisions = {tool: ENGINE.eval(f"data.procurator.agents.{suite}.decision", one) for tool, one in documents.items()}
    assert {tool: decision["reason"] for tool, decision in decisions.items()} == dict.fromkeys(writes, "not_grounded")


def test_layout() -> None:
    """The files are laid out as `procurator fmt` does it."""
    assert {name for name, module in MODULES.items() if format_module(module) != module.source.text} == set()
