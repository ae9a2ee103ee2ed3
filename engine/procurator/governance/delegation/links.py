"""What has to hold for each link of a chain, as a table: every check with the reason it refuses for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from procurator.governance.delegation.tokens import Link, holder
from procurator.governance.refusals import Refused
from procurator.governance.scope.authority import audience_contains, budget_contains, expiry_contains, widening
from procurator.governance.signing.jws import Signed
from procurator.governance.signing.keys import PublicKey

DEPTH_EXCEEDED: Final = "depth_exceeded"


@dataclass(frozen=True, slots=True)
class Terms:
    """What links are checked against beside each other.

    Attributes:
        audience: what the verifier is called; a link has to be meant for one of these names.
        now: seconds since 1970.
        ceiling: the depth that no link exceeds, whatever it says itself.
        skew: seconds that clocks may differ by.
    """

    audience: frozenset[str]
    now: int
    ceiling: int
    skew: int


Check: TypeAlias = "Callable[[Sequence[Link], Link, Terms], str | None]"
"""Says what is wrong with a link, given those before it from the root on; None where nothing is."""


def signing_key(signed: Signed, parent: Link | None, issuer: str, issuer_keys: Mapping[str, PublicKey]) -> PublicKey:
    """The key that a link has to be signed with: the gateway's, or that of the parent's holder.

    Raises:
        Refused: `wrong_issuer`, `missing_parent_key`.
    """
    claimed = signed.claims.get("iss")
    if claimed == issuer:
        key = None if signed.kid is None else issuer_keys.get(signed.kid)
        if key is None:
            raise Refused("missing_parent_key", "the header names no key of the gateway")
        return key
    if parent is None:
        raise Refused("wrong_issuer", "the root was not issued by the gateway")
    if claimed != holder(parent.key):
        raise Refused("wrong_issuer", "the link was issued by neither the holder of its parent nor the gateway")
    if signed.kid not in (None, parent.key.jkt):
        raise Refused("missing_parent_key", "the header names another key than that of the parent's holder")
    return parent.key


def check(before: Sequence[Link], link: Link, terms: Terms) -> None:
    """Check a link whose signature is good.

    Raises:
        Refused: for the first check of `CHECKS` that fails.
    """
    for reason, test in CHECKS:
        wrong = test(before, link, terms)
        if wrong is not None:
            raise Refused(reason, wrong)


def check_time(link: Link, now: int, skew: int) -> None:
    """Check that a link is good at a time.

    Raises:
        Refused: `token_expired`, `token_not_yet_valid`.
    """
    if now >= link.expires + skew:
        raise Refused("token_expired", f"the token of `{link.agent}` expired {now - link.expires} seconds ago")
    start = max(link.issued_at, link.not_before or 0)
    if now < start - skew:
        raise Refused("token_not_yet_valid", f"the token of `{link.agent}` is valid in {start - now} seconds")


# The checks


def _root(before: Sequence[Link], link: Link, _terms: Terms) -> str | None:
    if before:
        extra = link.principal is not None or link.intent is not None
        return "only the root has `principal` and `intent`" if extra else None
    if link.principal is None:
        return "the root has no `principal`"
    return None if link.parent_hash is None else "the root has a `par_hash`"


def _depth(before: Sequence[Link], link: Link, _terms: Terms) -> str | None:
    return None if link.depth == len(before) else f"the depth is {link.depth}, and {len(before)} is wanted"


def _parent_hash(before: Sequence[Link], link: Link, _terms: Terms) -> str | None:
    if not before or link.parent_hash == before[-1].digest:
        return None
    return "`par_hash` is not the hash of the parent"


def _max_depth(before: Sequence[Link], link: Link, _terms: Terms) -> str | None:
    if not before or link.max_depth <= before[-1].max_depth:
        return None
    return f"the greatest depth is {link.max_depth}, the parent's {before[-1].max_depth}"


def _within_depth(_before: Sequence[Link], link: Link, terms: Terms) -> str | None:
    greatest = min(link.max_depth, terms.ceiling)
    return None if link.depth <= greatest else f"the depth is {link.depth}, and no more than {greatest} is allowed"


def _task(before: Sequence[Link], link: Link, _terms: Terms) -> str | None:
    return None if not before or link.task == before[-1].task else "the task is not that of the parent"


def _expiry(before: Sequence[Link], link: Link, _terms: Terms) -> str | None:
    if not before or expiry_contains(before[-1].expires, link.expires):
        return None
    return f"the link ends {link.expires - before[-1].expires} seconds after its parent"


def _audience(before: Sequence[Link], link: Link, _terms: Terms) -> str | None:
    if not before or audience_contains(before[-1].audience, link.audience):
        return None
    return "`aud` has a member that the parent's has not"


def _meant_for_us(_before: Sequence[Link], link: Link, terms: Terms) -> str | None:
    return None if terms.audience.intersection(link.audience) else "`aud` does not have the gateway"


def _loop(before: Sequence[Link], link: Link, _terms: Terms) -> str | None:
    for earlier in before:
        if earlier.agent == link.agent:
            return f"agent `{link.agent}` holds two links"
        if earlier.key == link.key:
            return f"agents `{earlier.agent}` and `{link.agent}` have one key"
    return None


def _token_id(before: Sequence[Link], link: Link, _terms: Terms) -> str | None:
    return "two links have one `jti`" if any(link.token_id == earlier.token_id for earlier in before) else None


def _capability(before: Sequence[Link], link: Link, _terms: Terms) -> str | None:
    found = widening(before[-1].authority, link.authority) if before else None
    return None if found is None else f"{found.path}: {found.detail}"


def _budget(before: Sequence[Link], link: Link, _terms: Terms) -> str | None:
    if not before or budget_contains(before[-1].budget, link.budget):
        return None
    return "the budget is not within the parent's"


CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("depth_mismatch", _depth),
    ("malformed_token", _root),
    ("malformed_token", _token_id),
    ("par_hash_mismatch", _parent_hash),
    ("max_depth_raised", _max_depth),
    (DEPTH_EXCEEDED, _within_depth),
    ("task_mismatch", _task),
    ("expiry_exceeds_parent", _expiry),
    ("audience_widened", _audience),
    ("wrong_audience", _meant_for_us),
    ("agent_loop", _loop),
    ("budget_widened", _budget),
    # Last, since it is the most work.
    ("capability_widened", _capability),
)
"""The checks of a link in their order, each with its reason; signature, issuer and time are looked at before."""
