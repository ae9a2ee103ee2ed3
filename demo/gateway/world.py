"""Everybody who takes part in the demo: a person, agents with keys and tokens, and the gateway between them.

Keys, tokens, links and proofs are real, made anew in each run; only the clock is the demo's own, so that nobody has to
wait for a token to expire.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from procurator.governance.assembly.assemble import assemble
from procurator.governance.config.loading import load_config
from procurator.governance.decision import Denied, GatewayDecision
from procurator.governance.delegation.issuing import Share, derive, narrowed
from procurator.governance.delegation.proofs import Session, call_of, prove
from procurator.governance.delegation.sessions import opening
from procurator.governance.delegation.tokens import TYPE, holder, link_digest
from procurator.governance.delegation.verifying import read_unverified
from procurator.governance.gateway import Gateway
from procurator.governance.signing import jws
from procurator.governance.signing.keys import PrivateKey, generate, write_private

START: Final = 1_800_000_000
LOGIN: Final = "https://login.demo.example"
GATEWAY: Final = "urn:demo:gateway"

Json = Any


class Clock:
    """The time of the demo, in nanoseconds since 1970; each look at it takes a millisecond."""

    def __init__(self) -> None:
        self.now = START * 1_000_000_000

    def __call__(self) -> int:
        """The time."""
        self.now += 1_000_000
        return self.now

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.now += seconds * 1_000_000_000

    @property
    def seconds(self) -> int:
        """Whole seconds since 1970."""
        return self.now // 1_000_000_000


class Result(NamedTuple):
    """What came of a step; without a verdict where the gateway was not asked."""

    what: str
    verdict: str = ""
    reason: str = ""
    message: str = ""


class World:
    """The gateway of a folder, and all who come to it; a step of the trace is a method of the same name."""

    def __init__(self, folder: Path) -> None:
        """Make the keys, the files that hold the public ones, and a gateway that knows the agents of the roster."""
        self.clock = Clock()
        self.login = generate("ES256")
        public = {**self.login.public.jwk, "kid": "login-1", "alg": "ES256", "use": "sig"}
        (folder / "login.json").write_text(json.dumps({"keys": [public]}))
        key = generate()
        write_private(folder / "gateway.pem", key)
        (folder / "gateway.json").write_text(json.dumps(dict(key.public.jwk)))
        self.gateway = Gateway(assemble(load_config(folder / "agentic-governance.yaml"), self.clock))
        self.keys: dict[str, PrivateKey] = {}
        for agent, about in json.loads((folder / "roster.json").read_text()).items():
            self.keys[agent] = generate(about["alg"])
            self.gateway.admin.register(agent, self.keys[agent].public)
        self.tokens: dict[str, str] = {}
        self.sessions: dict[str, Session] = {}
        self.proofs: dict[str, str] = {}
        self.prompt_id = ""

    # The person

    def grant(self, step: Mapping[str, Json]) -> Result:
        """The person logs in, and sends an agent out."""
        asked = step["grant"]
        self.prompt_id, agent = asked["prompt_id"], asked["agent"]
        now = self.clock.seconds
        claims = {"iss": LOGIN, "sub": step["person"], "aud": GATEWAY, "iat": now, "exp": now + 600}
        id_token = jws.write(claims, self.login, "JWT", "login-1")
        return self._delegated(id_token, asked, f"sends out {agent}")

    def revoke(self, step: Mapping[str, Json]) -> Result:
        """An operator revokes an agent, with all that was delegated from it."""
        kind, name = step["revoke"]
        self.gateway.admin.revoke(kind, name, why=step["why"])
        self.sessions.clear()  # those of revoked agents have ended; the others open new ones when they want to
        return Result(f"revokes the {kind} {name}: {step['why']}")

    def kill(self, step: Mapping[str, Json]) -> Result:
        """An operator turns the kill switch on."""
        scope, name = step["kill"]
        self.gateway.admin.kill(scope, name, why=step["why"])
        return Result(f"stops the {scope} {name}: {step['why']}")

    def wait_seconds(self, step: Mapping[str, Json]) -> Result:
        """Time passes."""
        self.clock.wait(step["wait_seconds"])
        return Result(f"{step['wait_seconds']} seconds pass: {step['why']}")

    # Agents that delegate

    def delegate(self, step: Mapping[str, Json]) -> Result:
        """An agent passes work on through the gateway."""
        asked = {**step["delegate"], "prove": lambda request: self.proof(step["agent"], request)}
        return self._delegated(self.tokens[step["agent"]], asked, f"hands work on to {asked['agent']}")

    def _delegated(self, token: str, asked: Mapping[str, Json], what: str) -> Result:
        try:
            self.tokens[asked["agent"]] = self.gateway.delegate(token, **asked)
        except Denied as denied:
            return _result(what, denied.decision)
        return Result(what, "permit", "passed")

    def derive(self, step: Mapping[str, Json]) -> Result:
        """An agent passes work on by itself, the gateway does not hear of it; not every agent is honest."""
        asked = step["derive"]
        agent, token = asked["agent"], self.tokens[step["agent"]]
        key = self.key(asked.get("signed_by", step["agent"]))
        if asked.get("dishonest"):
            chain = f"{token}~{self._dishonest_link(token, step['agent'], key, asked)}"
        else:
            authority = narrowed(read_unverified(token)[-1].authority, asked["tools"])
            share = Share(agent, self.key(agent).public, authority)
            chain = derive(token, key, share, now=self.clock.seconds)
        self.tokens[asked.get("as", agent)] = chain
        return Result(f"derives a token for {agent}, offline: {step['why']}")

    def _dishonest_link(self, token: str, parent: str, key: PrivateKey, asked: Mapping[str, Json]) -> str:
        """A link put together by hand, since nothing in the product makes one that is not as it should be."""
        link = read_unverified(token)[-1].claims()
        known, tools = link["authorization_details"][0], asked["tools"]
        changes = {
            "iss": holder(self.key(parent).public),
            "sub": asked["agent"],
            "cnf": {"jwk": dict(self.key(asked["agent"]).public.jwk)},
            "jti": secrets.token_urlsafe(16),
            "del_depth": link["del_depth"] + 1,
            "par_hash": link_digest(jws.read(token.rpartition("~")[2], TYPE)),
            "authorization_details": [
                {
                    "type": known["type"],
                    "tools": {tool: known["tools"].get(tool, {}) for tool in tools},
                    "operations": {tool: known["operations"].get(tool, ["execute"]) for tool in tools},
                }
            ],
        }
        return jws.write({**link, **changes}, key, TYPE)

    # Agents that act

    def open_session(self, step: Mapping[str, Json]) -> Result:
        """An agent signs once, and proves its calls with a key for its token alone from then on."""
        agent, request_id = step["agent"], secrets.token_hex(8)
        token = self.tokens[agent]
        proof = prove(self.key(agent), opening(request_id), token, self.clock.seconds)
        self.sessions[token] = self.gateway.open_session(token, proof, request_id)
        return Result(f"opens a proof session: {step['why']}")

    def action(self, step: Mapping[str, Json]) -> Result:
        """An agent asks whether it may do something, and says how it went."""
        agent, action = step["agent"], step["action"]
        request = {
            "request_id": secrets.token_hex(8),
            "prompt_id": self.prompt_id,
            "action": action,
            "token": self.tokens[step.get("token", agent)],
            "reasoning": {"tool_rationale": step.get("why", "the plan says so")},
        }
        request["proof"] = self.proofs[agent] if step.get("proof") == "earlier" else self.proof(agent, request)
        decision = self.gateway.decide(request)
        if decision.permit_id is not None:
            self.proofs[agent] = request["proof"]
            self.gateway.report(decision.permit_id, "success")
        arguments = (
            " ".join(value) if isinstance(value, list) else str(value) for value in action["parameters"].values()
        )
        return _result(f"{action['tool']} {', '.join(arguments)}", decision)

    def proof(self, agent: str, request: Mapping[str, Json]) -> str:
        """The proof of a call: within the session of the token, if there is one."""
        token, call, now = request["token"], call_of(request), self.clock.seconds
        if token in self.sessions:
            return self.sessions[token].prove(call, now)
        return prove(self.key(agent), call, token, now)

    def key(self, name: str) -> PrivateKey:
        """The key of somebody, made on the spot for those who are not on the roster."""
        return self.keys.setdefault(name, generate())


def _result(what: str, decision: GatewayDecision) -> Result:
    return Result(what, decision.verdict, decision.reason, decision.message)
