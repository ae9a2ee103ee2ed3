"""Traces: the course of an evaluation for people and as JSON."""

from __future__ import annotations

from typing import Any

from following import Followed

from procurator.runtime.explanation import Explanation, trace_text

POLICY = """package p

allow if {
	input.user == "eve"
	some role in input.roles
	trace(role)
	good[role]
}

default deny := false

deny if not allow

good contains "b" if {
	true
}
"""


def explained(mode: str, document: Any, query: str = "data.p.allow", policy: str = POLICY) -> list[str]:
    """The lines of a trace without their places."""
    return trace_text(entries(mode, document, query, policy)).splitlines()


def entries(mode: str, document: Any, query: str, policy: str) -> Any:
    followed = Followed(policy, query)
    explanation = Explanation(followed.body[0].span, followed.program.rules)
    followed.run(document, explanation, explanation.note)
    return explanation.entries(mode)


def test_a_full_trace_has_every_step() -> None:
    assert explained("full", {"user": "eve", "roles": ["a", "b"]}) == [
        "query:1       Enter data.p.allow",
        "query:1       | Eval data.p.allow",
        "p.rego:3      | Enter data.p.allow",
        "p.rego:4      | | Eval input.user",
        'p.rego:4      | | Eval input.user == "eve"',
        "p.rego:5      | | Eval some role in input.roles",
        "p.rego:6      | | Eval trace(role)",
        'p.rego:6      | | Note "a"',
        "p.rego:7      | | Eval good[role]",
        "p.rego:14     | | Enter data.p.good",
        "p.rego:15     | | | Eval true",
        "p.rego:14     | | | Exit data.p.good",
        "p.rego:7      | | Fail good[role]",
        "p.rego:6      | | Eval trace(role)",
        'p.rego:6      | | Note "b"',
        "p.rego:7      | | Eval good[role]",
        "p.rego:3      | | Exit data.p.allow",
    ]


def test_notes_come_with_the_rules_that_led_there() -> None:
    """Each body is named once before the next note, and again if it was entered anew."""
    assert explained("notes", {"user": "eve", "roles": ["a", "b"]}) == [
        "query:1      Enter data.p.allow",
        "p.rego:3     | Enter data.p.allow",
        'p.rego:6     | | Note "a"',
        'p.rego:6     | | Note "b"',
    ]
    assert explained("notes", {"user": "joe"}) == []


def test_failures_come_with_the_rules_that_led_there() -> None:
    assert explained("fails", {"user": "joe"}) == [
        "query:1      Enter data.p.allow",
        "p.rego:3     | Enter data.p.allow",
        'p.rego:4     | | Fail input.user == "eve"',
        "query:1      | Fail data.p.allow",
    ]


def test_a_default_is_entered_and_left() -> None:
    assert explained("full", {"user": "eve", "roles": ["b"]}, "data.p.deny")[-4:-1] == [
        "p.rego:12     | | Fail not allow",
        "p.rego:10     | Enter data.p.deny",
        "p.rego:10     | | Exit data.p.deny",
    ]


def test_a_body_that_holds_again_is_gone_back_to() -> None:
    policy = "package p\n\nr contains x if {\n\tsome x in [1, 2]\n\tx > 0\n}\n"
    assert explained("full", {}, "data.p.r", policy)[3:] == [
        "p.rego:4     | | Eval some x in [1, 2]",
        "p.rego:5     | | Eval x > 0",
        "p.rego:3     | | Exit data.p.r",
        "p.rego:3     | Redo data.p.r",
        "p.rego:5     | | Eval x > 0",
        "p.rego:3     | | Exit data.p.r",
    ]


def test_records_have_numbers_places_and_values() -> None:
    *_, last = entries("fails", {"user": "joe"}, "data.p.allow", POLICY)[:3]
    assert last.record() == {
        "Op": "Fail",
        "Node": 'input.user == "eve"',
        "Location": {"file": "p.rego", "row": 4, "col": 2},
        "QueryID": 1,
        "ParentID": 0,
        "Locals": [{"key": "input.user", "value": '"joe"'}],
        "LocalMetadata": {},
        "Message": "",
        "Ref": None,
    }
    [*_, note] = entries("notes", {"user": "eve", "roles": ["a"]}, "data.p.allow", POLICY)
    assert (note.record()["Message"], note.record()["Node"]) == ("a", None)


def test_long_values_are_cut_off() -> None:
    policy = 'package p\n\nr if input.x == "no"\n'
    *_, last = entries("fails", {"x": "y" * 500}, "data.p.r", policy)[:3]
    assert last.record()["Locals"] == [{"key": "input.x", "value": '"' + "y" * 199 + "..."}]
