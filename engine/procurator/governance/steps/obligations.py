"""What a permit may oblige its holder to do; what is not known is refused before it is asked of anybody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from procurator.governance.refusals import Refused

REPORT_RESULT: Final[Mapping[str, Any]] = {"type": "report_result", "required": True}
"""What every permit obliges to: to say how the action went."""

USUAL: Final = (REPORT_RESULT,)
"""The obligations of a permit for which the policy asks no more."""

Check = Callable[[Mapping[str, Any]], bool]


def checked(obligations: Iterable[Any]) -> tuple[Mapping[str, Any], ...]:
    """The obligations of a permit, after those of every permit.

    Raises:
        Refused: `unknown_obligation`, for a type that is not known or a shape that is not the type's.
    """
    asked = []
    for obligation in obligations:
        kind = obligation.get("type") if isinstance(obligation, dict) else None
        check = KNOWN.get(kind) if isinstance(kind, str) else None
        if check is None:
            raise Refused("unknown_obligation", f"the policy demands the obligation `{kind}`, which nobody knows")
        if not check(obligation):
            raise Refused("unknown_obligation", f"the obligation `{kind}` of the policy has not the shape it must have")
        if kind != REPORT_RESULT["type"]:
            asked.append(obligation)
    return (REPORT_RESULT, *asked)


def _only(*names: str) -> Check:
    """Texts under some names beside the type, and nothing else."""

    def check(obligation: Mapping[str, Any]) -> bool:
        texts = all(isinstance(obligation.get(name), str) and obligation[name] for name in names)
        return texts and set(obligation) == {"type", *names}

    return check


def _undo(obligation: Mapping[str, Any]) -> bool:
    if set(obligation) != {"type", "until"}:
        return False
    try:
        return datetime.fromisoformat(obligation["until"]).tzinfo is not None
    except (TypeError, ValueError):
        return False


KNOWN: Final[Mapping[str, Check]] = {
    "report_result": lambda obligation: set(obligation) <= {"type", "required"},
    "undo_available_until": _undo,
    "isolate": _only("environment"),
    "idempotency_key": _only(),
    "notification": _only("to", "body"),
}
"""The obligations by type: those of AADP (draft-saha-aadp) and `notification` of AuthZEN's obligations profile."""
