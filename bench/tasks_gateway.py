"""Prompts decided by gateways, one a suite: a person sends one agent, which proves each of its calls and reports it."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import procurator_stdlib
from person import LOGIN, id_token, new_issuer
from procurator import Gateway
from procurator.governance.delegation.proofs import Call as Proven
from procurator.governance.delegation.proofs import Session, prove
from procurator.governance.delegation.sessions import opening
from procurator.governance.signing.keys import PrivateKey, generate

POLICIES = Path(procurator_stdlib.__file__).parent / "agents"
AGENT = "assistant"
GATEWAY = "urn:example:gateway"

CONFIG = """
policies: ["{policies}"]
entrypoint: data.procurator.agents.{suite}.decision
gateway: {{issuer: "{gateway}", audience: ["{gateway}"]}}
issuers: [{{issuer: "{login}", audience: "{gateway}", jwks: login.json, algorithms: [ES256]}}]
quotas: {{max_actions_per_prompt: 1000}}
"""


@dataclass(frozen=True)
class Decided:
    """What a gateway has decided on a call."""

    permitted: bool
    reason: str
    message: str


class Prompt:
    """One prompt of a person, with the agent that works for it."""

    def __init__(self, gateway: Gateway, key: PrivateKey, person: str, prompt_id: str, intent: str) -> None:
        self._gateway = gateway
        self._key = key
        self._person = person
        self._id = prompt_id
        self._intent = intent
        self._token = ""
        self._session: Session | None = None
        self._numbers = count(1)

    def send(self, tools: Sequence[str]) -> None:
        """Give the agent its token, made of what is known before it reads anything."""
        self._token = self._gateway.delegate(
            self._person, agent=AGENT, tools=list(tools), prompt_id=self._id, intent=self._intent
        )
        proof = prove(self._key, opening(f"{self._id}.0"), self._token, int(time.time()))
        self._session = self._gateway.open_session(self._token, proof, f"{self._id}.0")

    def decide(self, action: dict[str, Any]) -> Decided:
        """Have a call decided; one that is permitted is reported as done."""
        request_id = f"{self._id}.{next(self._numbers)}"
        proven = Proven(request_id, action["operation"], action["tool"], None, action["parameters"])
        assert self._session is not None
        decision = self._gateway.decide(
            {
                "request_id": request_id,
                "prompt_id": self._id,
                "action": action,
                "token": self._token,
                "proof": self._session.prove(proven, int(time.time())),
            }
        )
        if decision.permit_id is not None:
            self._gateway.report(decision.permit_id, "success")
        return Decided(decision.permitted, decision.reason, decision.message)


class Gateways:
    """A gateway for each suite, in folders of their own."""

    def __init__(self, folder: Path, policies: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._policies = policies
        self._stack = stack
        self._open: dict[str, tuple[Gateway, PrivateKey, str]] = {}
        self._numbers = count(1)

    def prompt(self, suite: str, intent: str) -> Prompt:
        """A new prompt of a person."""
        if suite not in self._open:
            self._open[suite] = self._made(suite)
        return Prompt(*self._open[suite], f"{suite}-{next(self._numbers)}", intent)

    def _made(self, suite: str) -> tuple[Gateway, PrivateKey, str]:
        folder = self._folder / suite
        folder.mkdir()
        key, issuer = generate(), new_issuer(folder / "login.json")
        text = CONFIG.format(policies=self._policies, suite=suite, gateway=GATEWAY, login=LOGIN)
        (folder / "gateway.yaml").write_text(text)
        gateway = self._stack.enter_context(Gateway.from_config(folder / "gateway.yaml"))
        gateway.admin.register(AGENT, key.public)
        return gateway, key, id_token(issuer, GATEWAY)


@contextmanager
def gateways(policies: Path = POLICIES) -> Iterator[Gateways]:
    """Gateways whose state is gone afterwards."""
    # Each decision waits for the disk; what is thrown away afterwards need not.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with TemporaryDirectory(dir=memory) as folder, ExitStack() as stack:
        yield Gateways(Path(folder), policies, stack)
