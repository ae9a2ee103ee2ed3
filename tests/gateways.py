"""A gateway to test with: its configuration in a folder, a person, agents with keys, requests with proofs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import jwt
from jwt.algorithms import ECAlgorithm

from authorities import elliptic, private_pem
from delegations import ed25519
from procurator.governance.assembly.assemble import assemble
from procurator.governance.audit.checkpoints import Witness, unsigned_checkpoint
from procurator.governance.audit.log import read_end, stream_entries
from procurator.governance.audit.verification import Verification, verify
from procurator.governance.config.loading import read_config
from procurator.governance.decision import GatewayDecision
from procurator.governance.delegation.proofs import Session, call_of, prove
from procurator.governance.gateway import Gateway
from procurator.governance.signing.keys import PrivateKey
from procurator.values import loads

LOGIN = "https://login.example"
GATEWAY = "urn:example:gateway"
START = 1_800_000_000
SECOND = 1_000_000_000

POLICY = """package procurator

# METADATA
# title: Everything that was delegated
allow if input.action.operation in {"read", "write", "execute"}

# METADATA
# title: Handing work on
allow if input.action.operation == "delegate"

deny contains "no_secrets" if input.action.tool == "read_secret"

propose contains "ask_first" if input.action.tool == "pay"
"""

CONFIG = f"""
policies: [policy.rego]
gateway: {{issuer: "{GATEWAY}", audience: ["{GATEWAY}"]}}
issuers: [{{issuer: "{LOGIN}", audience: "{GATEWAY}", jwks: login.json, algorithms: [ES256]}}]
"""

AGENTS = ("orchestrator", "researcher", "writer", "reader")
TOOLS = ["read_file", "write_file", "send_mail", "pay", "read_secret"]


class Clock:
    """A clock that a test sets; nanoseconds since 1970."""

    def __init__(self, now: int = START * SECOND) -> None:
        self.now = now

    def __call__(self) -> int:
        """The time, a little later each time it is asked for."""
        self.now += 1000
        return self.now

    def forward(self, seconds: int) -> None:
        """Let time pass, or turn it back."""
        self.now += seconds * SECOND

    @property
    def seconds(self) -> int:
        """Whole seconds since 1970."""
        return self.now // SECOND


def write_folder(folder: Path, config: str = CONFIG, policy: str = POLICY) -> None:
    """The files of a gateway."""
    jwk = ECAlgorithm.to_jwk(elliptic("login").public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    (folder / "login.json").write_text(json.dumps({"keys": [{**jwk, "kid": "k1", "alg": "ES256"}]}))
    (folder / "policy.rego").write_text(policy)
    (folder / "agentic-governance.yaml").write_text(config)


def opened(folder: Path, clock: Clock) -> Gateway:
    """The gateway of a folder, at the time of a clock."""
    text = (folder / "agentic-governance.yaml").read_text()
    return Gateway(assemble(read_config(text).within(folder), clock))


@dataclass
class World:
    """A gateway and everybody around it.

    Attributes:
        folder: where its files are.
        clock: its clock.
        gateway: the gateway, with all agents registered.
    """

    folder: Path
    clock: Clock
    gateway: Gateway
    _ids: Any = field(default_factory=lambda: count(1))

    @classmethod
    def made(cls, folder: Path, config: str = CONFIG, policy: str = POLICY, now: int = START * SECOND) -> World:
        """A world in an empty folder, from a time on."""
        write_folder(folder, config, policy)
        clock = Clock(now)
        gateway = opened(folder, clock)
        for agent in AGENTS:
            gateway.admin.register(agent, self_key(agent).public)
        return cls(folder, clock, gateway)

    def person(self, subject: str = "alice", **changes: Any) -> str:
        """The ID token of a person."""
        now = self.clock.seconds
        claims = {"iss": LOGIN, "sub": subject, "aud": GATEWAY, "iat": now, "exp": now + 600, **changes}
        return jwt.encode(claims, private_pem(elliptic("login")), "ES256", headers={"kid": "k1"})

    def granted(
        self,
        agent: str = "orchestrator",
        tools: Any = None,
        prompt_id: str = "p1",
        person: str = "alice",
        **more: Any,
    ) -> str:
        """The token of an agent that the person has sent."""
        wanted = TOOLS if tools is None else tools
        return self.gateway.delegate(self.person(person), agent=agent, tools=wanted, prompt_id=prompt_id, **more)

    def passed_on(self, token: str, holder: str, agent: str, tools: Any, **more: Any) -> str:
        """A token delegated through the gateway by the one who holds it."""
        return self.gateway.delegate(token, agent=agent, tools=tools, prove=self.prover(holder), **more)

    def prover(self, agent: str) -> Any:
        """What makes the proofs of an agent."""
        return lambda request: prove(self_key(agent), call_of(request), request["token"], self.clock.seconds)

    def request(self, token: str, agent: str | None = "orchestrator", **changes: Any) -> dict[str, Any]:
        """A request, with the proof of an agent; None for no proof. A change with dots reaches into the action."""
        request: dict[str, Any] = {
            "request_id": f"r{next(self._ids)}",
            "prompt_id": "p1",
            "action": {"operation": "read", "tool": "read_file", "parameters": {"path": "/data/a.txt"}},
            "token": token,
        }
        action = {name: changes.pop(name) for name in ACTION if name in changes}
        request |= changes
        request["action"] = request["action"] | action
        if agent is not None:
            request.setdefault("proof", self.prover(agent)(request))
        return request

    def ask(self, token: str, agent: str | None = "orchestrator", **changes: Any) -> GatewayDecision:
        """The decision about a request."""
        return self.gateway.decide(self.request(token, agent, **changes))

    def outcome(self, token: str, agent: str | None = "orchestrator", **changes: Any) -> tuple[str, str]:
        """Verdict and reason."""
        decision = self.ask(token, agent, **changes)
        return decision.verdict, decision.reason

    def records(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What the log holds."""
        entries = self.gateway.state.audit.entries()
        return [loads(entry.body or "null") for entry in entries if kind in (None, entry.kind)]

    def verification(self) -> Verification:
        """What a check of the log finds, of the checkpoints in it and of those of its witness."""
        witness = Witness(self.folder / "procurator.db.checkpoints")
        notes = {*self.gateway.state.audit.checkpoint_notes(), *witness.notes()}
        points = [unsigned_checkpoint(note, note.partition("\n")[0]) for note in notes]
        return self.gateway.state.store.read(
            lambda connection: verify(stream_entries(connection), points, written=read_end(connection))
        )

    def again(self) -> World:
        """The same files after a new start."""
        self.gateway.close()
        return self.again_without_closing()

    def again_without_closing(self) -> World:
        """The same files, opened once more."""
        return replace(self, gateway=opened(self.folder, self.clock))


ACTION = ("operation", "tool", "target_resource", "parameters")


def self_key(agent: str) -> PrivateKey:
    """The key of an agent."""
    return ed25519(agent)


def session_proof(session: Session, request: Mapping[str, Any], now: int) -> str:
    """A proof within a session."""
    return session.prove(call_of(request), now)
