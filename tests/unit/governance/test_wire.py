"""What callers of the gateway send."""

import json
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from pydantic import ValidationError

from procurator.governance.refusals import Refused
from procurator.governance.wire import (
    SUPPLIED,
    Action,
    Reasoning,
    Report,
    Request,
    read_report,
    read_request,
)

ACTION: dict[str, Any] = {"operation": "read", "tool": "search"}
LEAST: dict[str, Any] = {"request_id": "r-1", "prompt_id": "p-1", "action": ACTION, "token": "a~b"}
FULL: dict[str, Any] = {
    "request_id": "r-1",
    "prompt_id": "p:1.0_x",
    "action": {
        "operation": "write",
        "tool": "send_email",
        "target_resource": "mail://outbox",
        "parameters": {"to": ["ann@example.org"], "copy": None, "urgent": True, "size": 1.5},
    },
    "token": "a~b",
    "proof": "p",
    "context": {"channel": {"name": "chat"}},
    "reasoning": {"snapshot": "s", "tool_rationale": "t", "context_digest": "sha256:" + "0a" * 32},
    "estimated_cost": {"actions": 1, "tokens": "12.5", "money": {"amount": "0.10", "currency": "EUR"}},
    "approval_ref": "ap-1",
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The full request with one member set, or taken away if the value is `...`."""
    request: dict[str, Any] = json.loads(json.dumps(FULL))
    *outer, last = path.split(".")
    at = request
    for name in outer:
        at = at[name]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return request


def refusal(value: Any) -> tuple[str, str | None, str]:
    """What reading a request is refused with."""
    with pytest.raises(Refused) as caught:
        read_request(value)
    return caught.value.reason, caught.value.field, caught.value.detail


def test_a_request_is_read_from_text_bytes_mappings_and_itself() -> None:
    """All of them give the same."""
    wanted = Request(
        request_id="r-1",
        prompt_id="p:1.0_x",
        action=Action(
            operation="write",
            tool="send_email",
            target_resource="mail://outbox",
            parameters={"to": ["ann@example.org"], "copy": None, "urgent": True, "size": 1.5},
        ),
        token="a~b",
        proof="p",
        context={"channel": {"name": "chat"}},
        reasoning=Reasoning(snapshot="s", tool_rationale="t", context_digest="sha256:" + "0a" * 32),
        estimated_cost={"actions": 1, "tokens": "12.5", "money": {"amount": "0.10", "currency": "EUR"}},
        approval_ref="ap-1",
    )
    text = json.dumps(FULL)
    for value in (FULL, MappingProxyType(FULL), text, text.encode(), wanted):
        assert read_request(value) == wanted


def test_what_is_not_said_is_empty() -> None:
    """Four members have to be there, and two of the action."""
    request = read_request(LEAST)
    assert (request.proof, request.context, request.reasoning) == (None, {}, None)
    assert (request.estimated_cost, request.approval_ref) == ({}, None)
    assert (request.action.target_resource, request.action.parameters) == (None, {})


@pytest.mark.parametrize("name", sorted(SUPPLIED))
def test_what_the_gateway_supplies_is_thrown_away(name: str) -> None:
    """Whatever a caller writes there has no effect, and is no error."""
    request = {**LEAST, name: {"root": {"subject": "the chief"}}}
    assert read_request(request) == read_request(json.dumps(request)) == read_request(LEAST)
    assert name not in read_request(request).document
    assert name in request


WRONG: list[tuple[str, Any, str, str]] = [
    ("request_id", ..., "$.request_id", "is missing"),
    ("request_id", None, "$.request_id", "is not a string"),
    ("request_id", 7, "$.request_id", "is not a string"),
    ("request_id", "", "$.request_id", "is empty"),
    ("request_id", "r" * 129, "$.request_id", "is longer than 128 characters"),
    ("request_id", "r 1", "$.request_id", "is not of the form `^[A-Za-z0-9._:-]+$`"),
    ("request_id", "r1\n", "$.request_id", "is not of the form `^[A-Za-z0-9._:-]+$`"),
    ("request_id", "ｒ1", "$.request_id", "is not of the form `^[A-Za-z0-9._:-]+$`"),
    ("prompt_id", ..., "$.prompt_id", "is missing"),
    ("prompt_id", "../p", "$.prompt_id", "is not of the form `^[A-Za-z0-9._:-]+$`"),
    ("action", ..., "$.action", "is missing"),
    ("action", None, "$.action", "is not an object"),
    ("action", ["read"], "$.action", "is not an object"),
    ("action.operation", ..., "$.action.operation", "is missing"),
    ("action.operation", "delete", "$.action.operation", "is none of 'read', 'write', 'execute' or 'delegate'"),
    ("action.operation", ["read"], "$.action.operation", "is none of 'read', 'write', 'execute' or 'delegate'"),
    ("action.tool", "", "$.action.tool", "is empty"),
    ("action.tool", "t" * 257, "$.action.tool", "is longer than 256 characters"),
    ("action.tool", True, "$.action.tool", "is not a string"),
    ("action.target_resource", "", "$.action.target_resource", "is empty"),
    ("action.target_resource", 1, "$.action.target_resource", "is not a string"),
    ("action.parameters", None, "$.action.parameters", "is not an object"),
    ("action.parameters", [], "$.action.parameters", "is not an object"),
    ("action.parameter", {}, "$.action.parameter", "is not known here; did you mean `parameters`?"),
    ("token", ..., "$.token", "is missing"),
    ("token", "", "$.token", "is empty"),
    ("proof", 1, "$.proof", "is not a string"),
    ("context", None, "$.context", "is not an object"),
    ("reasoning", "because", "$.reasoning", "is not an object"),
    ("reasoning.snapshots", "x", "$.reasoning.snapshots", "is not known here; did you mean `snapshot`?"),
    (
        "reasoning.context_digest",
        "md5:1234",
        "$.reasoning.context_digest",
        "is not of the form `^(sha256:)?[0-9A-Fa-f]{64}$`",
    ),
    ("estimated_cost", None, "$.estimated_cost", "is not an object"),
    ("estimated_cost.tokens", 1.5, "$.estimated_cost.tokens", "is no amount: an integer or a decimal text is wanted"),
    ("estimated_cost.tokens", True, "$.estimated_cost.tokens", "is no amount: an integer or a decimal text is wanted"),
    ("estimated_cost.tokens", "1e5", "$.estimated_cost.tokens", "is no amount: an integer or a decimal text is wanted"),
    ("estimated_cost.tokens", "NaN", "$.estimated_cost.tokens", "is no amount: an integer or a decimal text is wanted"),
    ("estimated_cost.tokens", None, "$.estimated_cost.tokens", "is no amount: an integer or a decimal text is wanted"),
    (
        "estimated_cost.money",
        {"amount": 1.5, "currency": "EUR"},
        "$.estimated_cost.money.amount",
        "is no amount: an integer or a decimal text is wanted",
    ),
    (
        "estimated_cost.money",
        {"amount": 1},
        "$.estimated_cost.money",
        "is not an object of an `amount` and a `currency`",
    ),
    (
        "estimated_cost.money",
        {"amount": 1, "currency": 978},
        "$.estimated_cost.money",
        "is not an object of an `amount` and a `currency`",
    ),
    ("approval_ref", "", "$.approval_ref", "is empty"),
    ("aproval_ref", "x", "$.aproval_ref", "is not known here; did you mean `approval_ref`?"),
    ("verdict", "permit", "$.verdict", "is not known here"),
]


@pytest.mark.parametrize(("path", "value", "field", "problem"), WRONG)
def test_what_is_malformed_is_refused_with_its_field(path: str, value: Any, field: str, problem: str) -> None:
    """From Python values and from their text alike."""
    request = changed(path, value)
    wanted = ("malformed", field, f"`{field}` {problem}")
    assert refusal(request) == wanted
    assert refusal(json.dumps(request)) == wanted


@pytest.mark.parametrize("value", [None, 1, [], "[]", b"null", "3", object()])
def test_a_request_is_an_object(value: Any) -> None:
    """Nothing else is."""
    assert refusal(value) == ("malformed", "$", "`$` is not an object")


def test_values_that_are_not_json_are_refused_with_their_path() -> None:
    """Deep inside of parameters and context too."""
    assert refusal(changed("action.parameters", {"a": [1, {"b": float("nan")}]})) == (
        "malformed",
        "$.action.parameters.a[1].b",
        "`$.action.parameters.a[1].b` is not a number that JSON has",
    )
    assert refusal(changed("context", {"at": (1, 2)}))[1] == "$.context.at"
    assert refusal(changed("action.parameters", {1: 2}))[1] == "$.action.parameters[1]"
    assert refusal(changed("action.tool", "\ud800"))[1:] == (
        "$.action.tool",
        "`$.action.tool` holds half of a character",
    )
    assert refusal(changed("estimated_cost", {"tokens": 2**64}))[1] == "$.estimated_cost.tokens"
    assert refusal({**LEAST, 1: 2})[0] == "malformed"


def test_texts_are_held_to_strict_json() -> None:
    """A duplicate name, NaN and a number that loses digits, wherever they stand."""
    text = json.dumps(LEAST)
    assert refusal(text[:-1] + ', "token": "c"}')[1:] == ("$.token", "`$.token` is there more than once")
    assert refusal(text[:-1] + ', "context": {"x": NaN}}')[1] == "$.context.x"
    assert refusal(text[:-1] + ', "context": {"x": 12345678901234567890}}')[1] == "$.context.x"
    assert refusal(text[:-1])[1] == "$"


def test_refusals_do_not_repeat_what_was_sent() -> None:
    """It may be a secret."""
    secret = "hunter2"
    for path in (
        "request_id",
        "action.operation",
        "reasoning.context_digest",
        "estimated_cost.tokens",
        "action",
        "other",
    ):
        assert secret not in refusal(changed(path, f"{secret} "))[2]
    with pytest.raises(ValidationError) as caught:
        Request(**{**LEAST, "request_id": f"{secret} "})
    assert secret not in str(caught.value)


def test_a_request_shows_neither_token_nor_proof() -> None:
    """It may be printed."""
    shown = repr(read_request({**LEAST, "token": "secret-1", "proof": "secret-2"}))
    assert "secret" not in shown
    assert shown.startswith("Request(request_id='r-1', ")


def test_absent_is_not_null() -> None:
    """A member that may be left out may be null too, but no object may be; a null in parameters is a value."""
    empty = {
        **LEAST,
        "action": {**ACTION, "target_resource": None},
        "proof": None,
        "reasoning": None,
        "approval_ref": None,
    }
    assert read_request(empty) == read_request(LEAST)
    with_null = read_request({**LEAST, "action": {**ACTION, "parameters": {"to": None}}})
    assert with_null.action.parameters == {"to": None}


def test_the_document_holds_what_was_said() -> None:
    """Token, proof and reference to an approval are not for policies."""
    kept = {name: FULL[name] for name in FULL if name not in ("token", "proof", "approval_ref")}
    assert read_request(FULL).document == kept
    assert read_request(LEAST).document == {
        "request_id": "r-1",
        "prompt_id": "p-1",
        "action": {"operation": "read", "tool": "search", "parameters": {}},
        "context": {},
        "estimated_cost": {},
    }
    assert read_request({**LEAST, "reasoning": {"snapshot": None}}).document["reasoning"] == {}


def test_a_request_does_not_change() -> None:
    """It is frozen, and holds its own objects."""
    parameters = {"a": 1}
    request = read_request({**LEAST, "action": {**ACTION, "parameters": parameters}})
    parameters["a"] = 2
    assert request.action.parameters == {"a": 1}
    with pytest.raises(ValidationError):
        request.token = "other"
    first, second = read_request(LEAST), read_request(LEAST)
    assert first.context is not second.context


# Reports


def test_a_report_is_read() -> None:
    """What was spent may have other amounts than the estimate; money is exact."""
    value = {
        "permit_id": "m-1",
        "outcome": "success",
        "actual": {"tokens": 812, "money": {"amount": "1.10", "currency": "EUR"}},
    }
    assert read_report(json.dumps(value)) == Report(**value)
    assert read_report(Report(**value)) == Report(**value)
    decimal = {"permit_id": "m-1", "outcome": "timeout", "actual": {"tokens": Decimal("0.5")}}
    assert read_report(decimal).actual == {"tokens": Decimal("0.5")}


@pytest.mark.parametrize(
    ("member", "value", "problem"),
    [
        ("permit_id", "", "is empty"),
        ("outcome", "done", "is none of 'success', 'failure', 'timeout' or 'not_attempted'"),
        ("actual", {"tokens": 0.5}, "is no amount: an integer or a decimal text is wanted"),
        ("payload", None, "is not an object"),
        ("payloads", {}, "is not known here; did you mean `payload`?"),
    ],
)
def test_a_malformed_report_is_refused(member: str, value: Any, problem: str) -> None:
    """With the field, as a request is."""
    field = "$.actual.tokens" if member == "actual" else f"$.{member}"
    with pytest.raises(Refused) as caught:
        read_report({"permit_id": "m-1", "outcome": "success", member: value})
    assert (caught.value.reason, caught.value.field, caught.value.detail) == (
        "malformed",
        field,
        f"`{field}` {problem}",
    )
