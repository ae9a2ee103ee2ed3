"""What permits may oblige to: the shape of each type, exactly."""

from typing import Any

import pytest

from procurator.governance.refusals import Refused
from procurator.governance.steps.obligations import REPORT_RESULT, checked

UNTIL = "2027-01-15T09:00:00Z"

GOOD: list[dict[str, Any]] = [
    {"type": "undo_available_until", "until": UNTIL},
    {"type": "undo_available_until", "until": "2027-01-15T10:00:00+01:00"},
    {"type": "isolate", "environment": "sandbox"},
    {"type": "idempotency_key"},
    {"type": "notification", "to": "bob", "body": "paid"},
]


@pytest.mark.parametrize("obligation", GOOD, ids=lambda obligation: obligation["type"])
def test_what_is_known_comes_after_that_of_every_permit(obligation: dict[str, Any]) -> None:
    """As the policy says it."""
    assert checked([obligation]) == (REPORT_RESULT, obligation)


def test_that_of_every_permit_is_there_once() -> None:
    """Whether the policy asks for it or not."""
    for asked in ([], [{"type": "report_result"}], [{"type": "report_result", "required": False}]):
        assert checked(asked) == (REPORT_RESULT,)


@pytest.mark.parametrize(
    "obligation",
    [
        {"type": "report_result", "by": "noon"},
        {"type": "undo_available_until"},
        {"type": "undo_available_until", "until": UNTIL, "unless": "in a hurry"},
        {"type": "undo_available_until", "until": "2027-01-15T09:00:00"},
        {"type": "undo_available_until", "until": "tomorrow"},
        {"type": "undo_available_until", "until": 7},
        {"type": "isolate"},
        {"type": "isolate", "environment": ""},
        {"type": "isolate", "environment": ["sandbox"]},
        {"type": "isolate", "environment": "sandbox", "unless": "in a hurry"},
        {"type": "idempotency_key", "key": "k"},
        {"type": "notification", "to": "bob"},
    ],
    ids=str,
)
def test_another_shape_is_refused(obligation: dict[str, Any]) -> None:
    """More, less, or other values than there have to be; nothing is left out."""
    with pytest.raises(Refused) as caught:
        checked([GOOD[0], obligation])
    kind = obligation["type"]
    assert str(caught.value) == (
        f"unknown_obligation: the obligation `{kind}` of the policy has not the shape it must have"
    )


@pytest.mark.parametrize("obligation", ["isolate", {}, {"type": "stand_on_one_leg"}, {"type": ["isolate"]}, None])
def test_what_nobody_knows_is_refused(obligation: Any) -> None:
    """A permit with it would be one without conditions to whoever does not understand it."""
    kind = obligation.get("type") if isinstance(obligation, dict) else None
    with pytest.raises(Refused) as caught:
        checked([obligation])
    assert str(caught.value) == f"unknown_obligation: the policy demands the obligation `{kind}`, which nobody knows"
