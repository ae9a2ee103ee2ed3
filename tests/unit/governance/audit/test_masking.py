"""What is hidden in records, and what must not be."""

from typing import Any

import pytest

from procurator.builtins.re2_patterns import PatternError
from procurator.governance.audit.masking import masks, unmasked

RECORD: dict[str, Any] = {
    "decision_id": "d1",
    "permit_id": "abcd1234",
    "verdict": "permit",
    "reason": "passed",
    "message": "alice said hunter2 and 4111111111111111",
    "input": {
        "prompt_id": "p1",
        "action": {"tool": "hunter2", "parameters": {"Password": "hunter2", "card": 4111111111111111, "n": [1, True]}},
        "reasoning": {"snapshot": "the password is hunter2"},
        "context": {"hunter2": 1},
    },
    "delegation": {"root": {"subject": "hunter2"}, "task": "p1"},
    "child": {"root": {"subject": "hunter2", "intent": "use hunter2"}},
    "nondeterministic": {"http.send": {'[{"headers":{"password":"hunter2"}}]': {"body": "hunter2"}}},
}


def changed(**changes: Any) -> dict[str, Any]:
    """The record with other members; those of `input` are put together."""
    return RECORD | changes | {"input": RECORD["input"] | changes.get("input", {})}


def test_nothing_to_hide() -> None:
    assert masks() is unmasked


def test_what_a_member_held_is_hidden_where_it_is_quoted() -> None:
    """In the words of agents, persons and policies; tools and who delegated are facts, and stay."""
    assert masks(keys=["password"])(RECORD) == changed(
        message="alice said *** and 4111111111111111",
        input={
            "action": {"tool": "hunter2", "parameters": {"Password": "***", "card": 4111111111111111, "n": [1, True]}},
            "reasoning": {"snapshot": "the password is ***"},
            "context": {"***": 1},
        },
        child={"root": {"subject": "hunter2", "intent": "use ***"}},
        nondeterministic={"http.send": {'[{"headers":{"password":"***"}}]': {"body": "***"}}},
    )


def test_what_a_member_held_is_hidden_in_what_the_policy_was_shown() -> None:
    """People who approve something quote it too."""
    seen = {"approval": {"why": "hunter2 is fine", "status": "approved"}}
    record = {"input": {"action": {"parameters": {"password": "hunter2"}}}, "seen": seen}
    assert masks(keys=["password"])(record) == {
        "input": {"action": {"parameters": {"password": "***"}}},
        "seen": {"approval": {"why": "*** is fine", "status": "approved"}},
    }


def test_a_pattern_is_hidden_in_texts_numbers_and_names() -> None:
    found = masks(patterns=["hunter[0-9]", r"\b4[0-9]{15}\b"])(RECORD)
    assert found == changed(
        message="alice said *** and ***",
        input={
            "action": {"tool": "***", "parameters": {"Password": "***", "card": "***", "n": [1, True]}},
            "reasoning": {"snapshot": "the password is ***"},
            "context": {"***": 1},
        },
        delegation={"root": {"subject": "***"}, "task": "p1"},
        child={"root": {"subject": "***", "intent": "use ***"}},
        nondeterministic={"http.send": {'[{"headers":{"password":"***"}}]': {"body": "***"}}},
    )


def test_what_the_gateway_reads_again_is_never_hidden() -> None:
    """Not by a pattern that finds everything, nor by the names of its members."""
    names = ["input", "action", "delegation", "permit_id", "verdict", "prompt_id", "task"]
    found = masks(keys=names, patterns=[".+"])(RECORD)
    assert (found["decision_id"], found["permit_id"], found["verdict"]) == ("d1", "abcd1234", "permit")
    assert (found["input"]["prompt_id"], found["delegation"]["task"]) == ("p1", "p1")
    assert found["message"] == "***"
    assert found["input"]["action"] == {
        "tool": "***",
        "parameters": {"***": "***", "***" + "*": "***", "***" + "**": ["***", True]},
    }


def test_a_pointer_hides_one_place() -> None:
    found = masks(paths=["/input/action/parameters/n/0", "/delegation/root/subject"])({**RECORD, "message": "x"})
    assert found["input"]["action"]["parameters"]["n"] == ["***", True]
    assert found["delegation"]["root"]["subject"] == "***"


def test_short_texts_are_not_looked_for() -> None:
    record = {"message": "a cat", "input": {"context": {"token": "a", "x": "cats", "pin": 1234, "token ": "cat"}}}
    assert masks(keys=["token"])(record) == {
        "message": "a cat",
        "input": {"context": {"token": "***", "x": "cats", "pin": 1234, "token ": "cat"}},
    }


def test_with_too_many_secrets_every_text_that_may_quote_them_is_hidden() -> None:
    record = {
        "reason": "passed",
        "message": "some words",
        "input": {"context": {"token": [f"secret-{n}" for n in range(65)]}},
    }
    found = masks(keys=["token"])(record)
    assert (found["reason"], found["message"]) == ("passed", "***")


def test_a_pattern_with_too_many_finds_hides_the_rest() -> None:
    """What looks far ahead at every place would take too long."""
    found = masks(patterns=["x.*y|x"])({"message": "-" + "x" * 300_000})
    assert found == {"message": "-" + "***" * 1000}


def test_a_pattern_that_finds_nothing_long_hides_nothing() -> None:
    assert masks(patterns=["a*"])({"message": "baab\u00e9"}) == {"message": "b***b\u00e9"}


def test_patterns_are_those_of_re2() -> None:
    """In linear time; what RE2 has not is refused."""
    assert masks(patterns=["(a+)+$", "(a|aa)+$"])({"message": "a" * 100_000 + "b"}) == {"message": "a" * 100_000 + "b"}
    with pytest.raises(PatternError):
        masks(patterns=[r"(a)\1"])
