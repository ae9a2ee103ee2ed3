"""Chains that are derived verify, every change of one is refused, and no leaf allows what a link above it does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from delegations import (
    AUDIENCE,
    CHAIN,
    FINE,
    GATEWAY,
    ISSUER,
    LEAF_KEY,
    NOW,
    PERSON,
    ed25519,
    forged,
    jws,
    opened,
    outcome,
    p256,
    parent_hash,
    root_token,
    verified,
)
from procurator.governance.delegation.chains import Chain
from procurator.governance.delegation.issuing import Share, delegate, derive, issue
from procurator.governance.delegation.proofs import Call, prove, verify_proof
from procurator.governance.delegation.tokens import CLAIMS, holder
from procurator.governance.delegation.verifying import verify_chain
from procurator.governance.refusals import REASONS, Refused
from procurator.governance.scope.authority import OPERATIONS, Amount, Authority
from procurator.governance.scope.authorization_details import authority_from_json
from procurator.governance.signing.keys import PrivateKey

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MORE = settings(FEW, max_examples=150)

KEYS = [(ed25519 if number % 2 else p256)(f"agent-{number}") for number in range(6)]
CALL = Call("request-1", "read", "read_file", "/data/reports/a", {"path": "/data/reports/a"})
PROOF = prove(LEAF_KEY, CALL, CHAIN, NOW)

TOOLS = ("read", "send", "rm")
PATHS = ("/a", "/a/b", "/a/b/c", "/ab", "/", "/a/../b")
NUMBERS = (0, 1, 5, 10, 11)
# From wide to narrow: each contains those after it.
FOLDERS: list[dict[str, Any]] = [
    {"constraint_type": "wildcard"},
    {"constraint_type": "any", "constraints": [{"constraint_type": "subpath", "root": root} for root in ("/a", "/b")]},
    {"constraint_type": "subpath", "root": "/a"},
    {"constraint_type": "pattern", "pattern": "/a/b/**"},
    {"constraint_type": "one_of", "values": ["/a/b/c", "/a/b/d"]},
    {"constraint_type": "exact", "value": "/a/b/c"},
]
AMOUNTS: list[dict[str, Any]] = [
    {"constraint_type": "wildcard"},
    {"constraint_type": "range", "max": 10},
    {"constraint_type": "range", "min": 0, "max": 10},
    {"constraint_type": "one_of", "values": [1, 5]},
    {"constraint_type": "exact", "value": 5},
]


T = TypeVar("T")


def tried(function: Callable[[], T]) -> tuple[T | None, str | None]:
    """What a function returns, or why it refuses."""
    try:
        return function(), None
    except Refused as error:
        return None, error.reason


@dataclass(frozen=True)
class Width:
    """How much of one tool is granted: indexes into the lists above, and how many operations."""

    path: int
    amount: int
    operations: int


WIDTHS = st.builds(Width, st.integers(0, 5), st.integers(0, 4), st.integers(1, 4))
GRANTS = st.dictionaries(st.sampled_from(TOOLS), WIDTHS)


def authority(widths: dict[str, Width]) -> Authority:
    """The authority of these widths."""
    entry = {
        "type": "attenuating_agent_token",
        "tools": {tool: {"path": FOLDERS[width.path], "n": AMOUNTS[width.amount]} for tool, width in widths.items()},
        "operations": {tool: list(OPERATIONS[: width.operations]) for tool, width in widths.items()},
    }
    return authority_from_json([entry])


def narrower(wide: dict[str, Width], by: dict[str, Width]) -> dict[str, Width]:
    """What both allow."""
    return {
        tool: Width(max(a.path, b.path), max(a.amount, b.amount), min(a.operations, b.operations))
        for tool, a in wide.items()
        if (b := by.get(tool)) is not None
    }


@dataclass(frozen=True)
class Hop:
    """One delegation as it is drawn: any widths, amounts and times."""

    widths: dict[str, Width]
    actions: int | None
    ttl: int | None
    offline: bool


HOPS = st.lists(
    st.builds(
        Hop, GRANTS, st.none() | st.integers(0, 20), st.none() | st.integers(1, 400), st.booleans()
    ),
    max_size=4,
)  # fmt: skip


def root(widths: dict[str, Width], actions: int | None) -> str:
    """A root over some widths."""
    return issue(
        ISSUER,
        agent="agent-0",
        agent_key=KEYS[0].public,
        audience=[AUDIENCE],
        principal=PERSON,
        task="prompt-1",
        authority=authority(widths),
        ttl=300,
        max_depth=4,
        now=NOW,
        budget=None if actions is None else {"actions": actions},
    )


def passed_on(token: str, depth: int, share: Share, offline: bool) -> str:
    """A token with one link more."""
    if offline:
        return derive(token, KEYS[depth - 1], share, now=NOW)
    return delegate(checked(token), token, ISSUER, share, now=NOW)


def checked(token: str) -> Chain:
    """The chain of a token."""
    return verify_chain(token, issuer=GATEWAY, issuer_keys=ISSUER.keys, audience=AUDIENCE, now=NOW)


def share_of(depth: int, widths: dict[str, Width], budget: dict[str, Amount] | None, ttl: int | None) -> Share:
    """What the agent of a depth gets."""
    return Share(f"agent-{depth}", KEYS[depth].public, authority(widths), budget, ttl)


@FEW
@given(GRANTS, st.none() | st.integers(0, 20), HOPS)
def test_a_chain_that_only_narrows_verifies(widths: dict[str, Width], actions: int | None, hops: list[Hop]) -> None:
    """However it is put together, offline or through the gateway; and it allows what its leaf says."""
    token = root(widths, actions)
    for depth, hop in enumerate(hops, 1):
        widths = narrower(widths, hop.widths)
        if hop.actions is not None:
            actions = hop.actions if actions is None else min(actions, hop.actions)
        budget: dict[str, Amount] | None = None if actions is None else {"actions": actions}
        token = passed_on(token, depth, share_of(depth, widths, budget, hop.ttl), hop.offline)
    chain = checked(token)
    assert chain.agents == tuple(f"agent-{depth}" for depth in range(len(hops) + 1))
    assert chain.leaf.authority == authority(widths)
    assert chain.leaf.budget == (None if actions is None else {"actions": actions})
    assert chain.expires == NOW + min([300, *(hop.ttl for hop in hops if hop.ttl is not None)])


@FEW
@given(GRANTS, st.none() | st.integers(0, 20), HOPS)
def test_a_chain_is_made_exactly_where_nothing_widens(
    widths: dict[str, Width], actions: int | None, hops: list[Hop]
) -> None:
    """The lists are ordered, so it is known without asking what widens."""
    token = root(widths, actions)
    for depth, hop in enumerate(hops, 1):
        budget: dict[str, Amount] | None = None if hop.actions is None else {"actions": hop.actions}
        given_actions = actions if hop.actions is None else hop.actions
        widens = {
            "capability_widened": narrower(hop.widths, widths) != hop.widths,
            "budget_widened": actions is not None and given_actions is not None and given_actions > actions,
        }
        share = share_of(depth, hop.widths, budget, None)
        if not any(widens.values()):
            token = passed_on(token, depth, share, hop.offline)
            widths, actions = hop.widths, given_actions
            continue
        made, reason = tried(lambda: passed_on(token, depth, share, hop.offline))  # noqa: B023
        assert (made, widens.get(reason or "")) == (None, True)
        break
    assert checked(token).leaf.authority == authority(widths)


CALLS = st.tuples(
    st.sampled_from(TOOLS),
    st.sampled_from(OPERATIONS),
    st.fixed_dictionaries({}, optional={"path": st.sampled_from(PATHS), "n": st.sampled_from(NUMBERS)}),
)


@FEW
@given(GRANTS, HOPS, st.lists(CALLS, min_size=20, max_size=40))
def test_a_leaf_allows_nothing_that_a_link_refuses(
    widths: dict[str, Width], hops: list[Hop], calls: list[tuple[str, str, dict[str, Any]]]
) -> None:
    """Whatever the holders tried: of all that was accepted, the effective authority is the intersection."""
    token = root(widths, None)
    for hop in hops:
        depth = token.count("~") + 1
        share = share_of(depth, hop.widths, None, None)
        made, reason = tried(lambda: passed_on(token, depth, share, hop.offline))  # noqa: B023
        assert reason in (None, "capability_widened")
        token = made or token
    chain = checked(token)
    for tool, operation, arguments in calls:
        every = all(link.authority.admits(tool, operation, None, arguments) for link in chain.links)
        assert chain.effective.admits(tool, operation, None, arguments) == every


# Mutations

CHARACTERS = st.sampled_from('Aa0-_.~=+/ \n\u0430{"')


@MORE
@given(st.integers(0, len(CHAIN) - 1), CHARACTERS, st.sampled_from(["replace", "insert", "delete", "cut"]))
def test_no_byte_of_a_chain_can_be_changed(at: int, char: str, how: str) -> None:
    """Every change is refused with a reason, and is never another error."""
    texts = {
        "replace": CHAIN[:at] + char + CHAIN[at + 1 :],
        "insert": CHAIN[:at] + char + CHAIN[at:],
        "delete": CHAIN[:at] + CHAIN[at + 1 :],
        "cut": CHAIN[:at],
    }
    text = texts[how]
    # What is left of a chain after its last links were cut off is the token of an agent above.
    whole = text == CHAIN or CHAIN.startswith(f"{text}~")
    found = outcome(text)
    assert found == FINE if whole else found.reason in REASONS


@MORE
@given(st.integers(0, len(PROOF) - 1), CHARACTERS)
def test_no_byte_of_a_proof_can_be_changed(at: int, char: str) -> None:
    """As little as that."""
    text = PROOF[:at] + char + PROOF[at + 1 :]
    _, reason = tried(lambda: verify_proof(text, CALL, verified(CHAIN), now=NOW, window=60))
    assert reason == (None if text == PROOF else "proof_invalid")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 70)
    | st.sampled_from([NOW, NOW + 1000, 2**64, 0.5, "", "a", "t0", "prompt-1", AUDIENCE, GATEWAY, "researcher"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["jwk", "jkt", "iss", "sub"]), inner),
    max_leaves=3,
)
NAMES = st.sampled_from([*CLAIMS, "scope", "act"])


@cache
def parts_of_the_chain() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Header and claims of each link."""
    return [opened(link) for link in CHAIN.split("~")]


@MORE
@given(st.integers(0, 2), NAMES, JSON)
def test_no_claim_can_be_changed_in_a_signed_chain(at: int, name: str, value: Any) -> None:
    """The signature of the link stands for each of them."""
    links = CHAIN.split("~")
    header, claims = parts_of_the_chain()[at]
    changed = jws(header, {**claims, name: value}, KEYS[0])
    links[at] = ".".join([*changed.split(".")[:2], links[at].rpartition(".")[2]])
    assert outcome("~".join(links)).reason in REASONS


@MORE
@given(st.integers(0, 2), NAMES, JSON)
def test_a_holder_who_signs_a_changed_claim_gets_no_more(at: int, name: str, value: Any) -> None:
    """It is refused, or what comes of it is within the parent in every respect; it is never another error."""
    token = forged(CHAIN, at, {name: value})
    chain, reason = tried(lambda: verified(token))
    assert reason is None or reason in REASONS
    if chain is None:
        return
    for parent, child in zip(chain.links, chain.links[1:], strict=False):
        assert child.issuer in (holder(parent.key), GATEWAY)
        assert (child.depth, child.task, child.parent_hash) == (parent.depth + 1, parent.task, parent.digest)
        assert child.expires <= parent.expires
        assert child.max_depth <= parent.max_depth
        assert set(child.audience) <= set(parent.audience)
        assert set(child.authority.tools) <= set(parent.authority.tools)
        assert len({parent.agent, child.agent}) == len({parent.key, child.key}) == 2
        amounts = dict(parent.budget or {})
        assert all(amount <= amounts[unit] for unit, amount in (child.budget or {}).items())
    assert json.dumps(chain.document, default=str)


@FEW
@given(st.sampled_from(KEYS[:3]), st.sampled_from(KEYS[3:]), st.booleans())
def test_nobody_but_the_holder_adds_a_link(mine: PrivateKey, other: PrivateKey, say_so: bool) -> None:
    """Whoever has the text of a token and not its key makes nothing that is accepted."""
    root_link = root_token()
    header, claims = parts_of_the_chain()[1]
    claims = {**claims, "par_hash": parent_hash(root_link), "cnf": {"jwk": dict(other.public.jwk)}}
    if not say_so:
        claims["iss"] = holder(mine.public)
    stolen = jws({**header, "alg": mine.public.alg}, claims, mine)
    assert outcome(f"{root_link}~{stolen}").reason in ("bad_signature", "algorithm_not_allowed", "wrong_issuer")
