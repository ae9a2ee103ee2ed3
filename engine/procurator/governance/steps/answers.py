"""What a policy answers about an action, read strictly: whatever is not of the shape that it must have is a mistake.

An answer is an object of `verdict` and what belongs to it, or the values of rules called `allow`, `deny`, `propose`,
`irreversible` and `compensation`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, NoReturn

from procurator.governance.approvals.approvers import ROLES, SELF, Approvers, joined
from procurator.governance.decision import DENY, DRY_RUN, PERMIT, PROPOSE
from procurator.governance.strict_json import Json

USUAL: Final[Mapping[str, str]] = {
    PERMIT: "passed",
    DENY: "policy_denied",
    PROPOSE: "approval_required",
    DRY_RUN: "dry_run",
}
"""The verdicts, and the reason of each where a policy gives none."""

ALLOW: Final = "allow"
IRREVERSIBLE: Final = "irreversible"
COMPENSATION: Final = "compensation"
APPROVAL: Final = "approval"

VERDICTS: Final = {ALLOW: PERMIT, DENY: DENY, PROPOSE: PROPOSE}
"""The rules that decide, and what each decides."""

USUAL_MEMBERS: Final = frozenset({"verdict", "reason", "message", "obligations"})
BESIDE: Final = (IRREVERSIBLE, COMPENSATION)
"""What may stand beside the rules that decide."""

_MEMBERS: Final = USUAL_MEMBERS | {APPROVAL, *BESIDE}
_OF_RULE: Final[Mapping[str, Mapping[str, None]]] = {
    DENY: dict.fromkeys(("reason", "message", "obligations")),
    PROPOSE: dict.fromkeys(("reason", "message", "obligations", APPROVAL)),
}
_CODE: Final = re.compile(r"[a-z][a-z0-9]*(?:[._:/-][a-z0-9]+)*")


class Said(NamedTuple):
    """What a policy answered, before annotations and usual words fill what it left open.

    Attributes:
        verdict: the verdict.
        reason: its code.
        texts: what is said about it.
        obligations: what a permit obliges to.
        approvers: who may approve.
        irreversible: whether what is done cannot be undone.
        compensation: the command that makes up for it.
    """

    verdict: str
    reason: str | None = None
    texts: tuple[str, ...] = ()
    obligations: tuple[dict[str, Json], ...] = ()
    approvers: Approvers = Approvers()
    irreversible: bool = False
    compensation: str | None = None


class InvalidOutputError(Exception):
    """The policy answered something that is no decision; the argument is what is wrong with it, without values."""


def of_object(value: Json) -> Said:
    """What an object at the entry point says.

    Raises:
        InvalidOutputError: it is not of the shape.
    """
    if type(value) is not dict:
        _invalid("is no object")
    if not _MEMBERS.issuperset(value):
        _invalid(f"has members other than {', '.join(f'`{name}`' for name in sorted(_MEMBERS))}")
    verdict = value.get("verdict")
    if type(verdict) is not str or verdict not in USUAL:
        _invalid(f"has no `verdict` that is one of {', '.join(f'`{name}`' for name in USUAL)}")
    return _said(verdict, value)


def of_rules(value: Mapping[str, Json]) -> Said:
    """What the values of rules say: deny beats propose, and that beats allow.

    All of them are looked at, so that no mistake in one is missed.

    Raises:
        InvalidOutputError: one is not of the shape.
    """
    denied, proposed = _members(DENY, value), _members(PROPOSE, value)
    allowed = value.get(ALLOW, False)
    if type(allowed) is not bool:
        _invalid("has an `allow` that is no boolean")
    irreversible, compensation = _undoing(value)
    for verdict, members in ((DENY, denied), (PROPOSE, proposed)):
        if members:
            return _joined(verdict, [_said(verdict, member) for member in members])
    return Said(PERMIT, irreversible=irreversible, compensation=compensation) if allowed else Said(DENY, "default_deny")


def _members(name: str, value: Mapping[str, Json]) -> Sequence[dict[str, Json]]:
    """What `deny contains` or `propose contains` gives; a plain `deny if` is one member that says nothing."""
    found = value.get(name, False)
    if type(found) is bool:
        return ({},) if found else ()
    if type(found) is not list:
        _invalid(f"has a `{name}` that is neither a set nor a boolean")
    return [_member(name, member) for member in found]


def _member(name: str, member: Json) -> dict[str, Json]:
    if type(member) is str and member:
        return {"reason": member, "message": member} if _CODE.fullmatch(member) else {"message": member}
    names = _OF_RULE[name]
    if type(member) is not dict or not names.keys() >= member.keys():
        known = ", ".join(f"`{one}`" for one in names)
        _invalid(f"has a member of `{name}` that is neither a text nor an object of {known}")
    return member


def _said(verdict: str, value: Mapping[str, Json]) -> Said:
    reason, message = value.get("reason"), value.get("message")
    for name, text in (("reason", reason), ("message", message)):
        if name in value and (type(text) is not str or not text):
            _invalid(f"has a `{name}` that is no text")
    obligations = _obligations(value["obligations"]) if "obligations" in value else ()
    texts = () if message is None else (message,)
    if USUAL_MEMBERS.issuperset(value):
        return Said(verdict, reason, texts, obligations)
    approvers = _approvers(value[APPROVAL]) if APPROVAL in value else Approvers()
    return Said(verdict, reason, texts, obligations, approvers, *_undoing(value))


def _undoing(value: Mapping[str, Json]) -> tuple[bool, str | None]:
    """Whether what is done cannot be undone, and the command that makes up for it."""
    irreversible, compensation = value.get(IRREVERSIBLE, False), value.get(COMPENSATION)
    if type(irreversible) is not bool:
        _invalid(f"has an `{IRREVERSIBLE}` that is no boolean")
    if COMPENSATION in value and (type(compensation) is not str or not compensation):
        _invalid(f"has a `{COMPENSATION}` that is no text")
    return irreversible, compensation


def _approvers(value: Json) -> Approvers:
    """Who may approve: `self` says whether the person behind the action may, `roles` that one of these is needed."""
    if type(value) is not dict or not {SELF, ROLES}.issuperset(value):
        _invalid(f"has an `{APPROVAL}` that is no object of `{ROLES}` and `{SELF}`")
    own, roles = value.get(SELF), value.get(ROLES)
    if SELF in value and type(own) is not bool:
        _invalid(f"has an `{APPROVAL}` whose `{SELF}` is no boolean")
    if ROLES in value and (type(roles) is not list or not roles or not all(type(role) is str for role in roles)):
        _invalid(f"has an `{APPROVAL}` whose `{ROLES}` are no texts")
    return Approvers(own, (tuple(roles),) if roles else ())


def _joined(verdict: str, all_said: Sequence[Said]) -> Said:
    """Of several that say the same verdict: the first reason, and all that is said; some say nothing but a reason."""
    if len(all_said) == 1:
        return all_said[0]
    reason = next((said.reason for said in all_said if said.reason is not None), None)
    texts = tuple(text for said in all_said for text in said.texts or filter(None, (said.reason,)))
    obligations = tuple(each for said in all_said for each in said.obligations)
    return Said(verdict, reason, texts, obligations, joined([said.approvers for said in all_said]))


def _obligations(value: Json) -> tuple[dict[str, Json], ...]:
    if type(value) is not list:
        _invalid("has `obligations` that are no array and no set")
    return tuple([_obligation(each) for each in value])


def _obligation(value: Json) -> dict[str, Json]:
    if type(value) is str and value:
        return {"type": value}
    if type(value) is not dict or type(value.get("type")) is not str or not value["type"]:
        _invalid("has an obligation that is neither a text nor an object with a `type`")
    return value


def _invalid(problem: str) -> NoReturn:
    raise InvalidOutputError(problem)
