"""Who may approve an action: somebody else than the person behind it, unless that is allowed, and with some role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from procurator.governance.identity.persons import Person

SELF: Final = "self"
ROLES: Final = "roles"
CLAIMS: Final = ("roles", "groups")
"""The claims of a person that roles are looked for in."""


@dataclass(frozen=True, slots=True)
class Approvers:
    """What an approver has to be.

    Attributes:
        own: whether the person behind an action may approve it; None for what the configuration says.
        roles: an approver has one of each of these; empty for what the configuration says.
    """

    own: bool | None = None
    roles: tuple[tuple[str, ...], ...] = ()

    def within(self, usual: Approvers) -> Approvers:
        """The same, where what is left open is as usual."""
        return Approvers(usual.own if self.own is None else self.own, self.roles or usual.roles)

    def problem(self, approver: Person, principal: Sequence[str]) -> str | None:
        """Why somebody may not approve, as a reason code; None where they may.

        Args:
            approver: who wants to.
            principal: the issuer, the subject and the actors of the person behind the action.
        """
        issuer, *persons = principal
        acting = {approver.subject, *approver.act}
        if not self.own and approver.issuer == issuer and not acting.isdisjoint(persons):
            return "self_approval"
        held = {role for claim in CLAIMS for role in _texts(approver.claims.get(claim))}
        if not all(held.intersection(wanted) for wanted in self.roles):
            return "approver_not_allowed"
        return None

    @property
    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        return {SELF: bool(self.own), ROLES: [list(wanted) for wanted in self.roles]}


def read_approvers(document: Mapping[str, Any]) -> Approvers:
    """What `Approvers.document` gave."""
    return Approvers(document[SELF], tuple(tuple(wanted) for wanted in document[ROLES]))


def joined(several: Sequence[Approvers]) -> Approvers:
    """What somebody has to be who approves for several reasons at once: allowed by each, with a role for each."""
    said = {one.own for one in several}
    own = False if False in said else None if None in said else True
    return Approvers(own, tuple(dict.fromkeys(wanted for one in several for wanted in one.roles)))


def _texts(claim: Any) -> Sequence[str]:
    return [text for text in claim if isinstance(text, str)] if isinstance(claim, list) else ()
