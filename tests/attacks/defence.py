"""What every attack on a gateway has to end in: a deny with its reason, in a log that is whole."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import pytest

from delegations import forged, opened
from gateways import World, self_key
from procurator.governance.decision import Denied, GatewayDecision
from procurator.governance.delegation.issuing import Share, derive
from procurator.governance.signing.keys import PrivateKey, load_private
from procurator.values import loads

ROOT, MIDDLE, LEAF = "orchestrator", "researcher", "reader"
HOLDERS = (ROOT, MIDDLE, LEAF)
"""Who holds the links of the chain that is attacked, from the root on."""

TOOLS = {
    "read_file": {"path": {"constraint_type": "subpath", "root": "/data"}},
    "send_mail": {"to": {"constraint_type": "one_of", "values": ["bob", "carol"]}},
}
ENTRY = {
    "type": "attenuating_agent_token",
    "tools": TOOLS,
    "operations": {"read_file": ["read"], "send_mail": ["execute"]},
    "resources": {"read_file": ["/data/**"]},
}


def denied(world: World, decision: GatewayDecision, reason: str, *, kind: str = "decision") -> None:
    """The answer is a deny for a reason; the log has it as its last entry, and is whole."""
    assert (decision.verdict, decision.reason, decision.permit_id) == ("deny", reason, None), decision
    entry = list(world.gateway.state.audit.entries())[-1]
    last = loads(entry.body or "null")
    told = entry.kind, last["decision_id"], last["verdict"], last["reason"]
    assert told == (kind, decision.decision_id, "deny", reason)
    assert world.verification().problem is None


def refused(world: World, attack: Callable[[], object], reason: str) -> GatewayDecision:
    """A delegation that is attempted ends so too."""
    with pytest.raises(Denied) as caught:
        attack()
    denied(world, caught.value.decision, reason, kind="delegation")
    return caught.value.decision


def granted(world: World, **more: Any) -> str:
    """The root of the chain that is attacked."""
    return world.granted(ROOT, [ENTRY], **more)


def derived(world: World, token: str, holder: str, agent: str, **more: Any) -> str:
    """A token that its holder passes on by itself, without asking the gateway."""
    share = Share(agent, self_key(agent).public, **more)
    return derive(token, self_key(holder), share, now=world.clock.seconds)


def chain(world: World, length: int = 3, **more: Any) -> str:
    """A good chain: the root from the gateway, what follows derived by the holders themselves."""
    token = granted(world, **more)
    for holder, agent in pairwise(HOLDERS[:length]):
        token = derived(world, token, holder, agent)
    return token


def gateway_key(world: World) -> PrivateKey:
    """The key that the gateway signs with; no attacker has it, but what it signed may be wrong."""
    return load_private(world.folder / "procurator-key.pem")


def forgery(
    world: World,
    at: int,
    claims: Mapping[str, Any] | None = None,
    header: Mapping[str, Any] | None = None,
    key: PrivateKey | None = None,
) -> str:
    """The chain up to a link in which something is not as it should be; signed by who should sign it, or another."""
    return forged(
        chain(world), at, claims, header, key or (gateway_key(world) if at == 0 else self_key(HOLDERS[at - 1]))
    )


def claims_of(token: str, at: int) -> dict[str, Any]:
    """What a link says."""
    return opened(token.split("~")[at])[1]


def read(world: World, token: str, agent: str | None, **changes: Any) -> GatewayDecision:
    """Ask to read a file that the chain allows to read, unless something is changed."""
    usual = {"operation": "read", "tool": "read_file", "parameters": {"path": "/data/a.txt"}}
    return world.ask(token, agent, **{"target_resource": "/data/a.txt", **usual, **changes})
