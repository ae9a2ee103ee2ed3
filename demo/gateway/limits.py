"""A prompt that runs into its limits: a fan-out that is stopped, a pause, an approval, and a retry without a thought.

The same people as in `run.py`, another prompt: roll a patch out to fifty hosts. The exit code is 1 if anything is not
as expected.
"""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import click

import procurator_stdlib
from procurator.governance.audit.verification import verify
from procurator.governance.decision import GatewayDecision
from procurator.governance.delegation.issuing import Share, derive
from procurator.governance.refusals import Refused
from procurator.governance.signing import jws
from procurator.values import loads
from world import GATEWAY, LOGIN, World

FILES: Final = Path(__file__).parent / "limits"
RETRIES: Final = Path(procurator_stdlib.__file__).parent / "retries.rego"
PROMPT: Final = "patch-9"
HOSTS: Final = 50
BLIND: Final = "retry_without_replan"

Json = Any


class Rollout:
    """The prompt and what becomes of it; each step prints what happened, and whether that was expected."""

    def __init__(self, folder: Path) -> None:
        """A gateway in an empty folder, and an orchestrator that a person has sent."""
        for file in (*FILES.iterdir(), RETRIES):
            shutil.copy(file, folder)
        self.world = World(folder)
        self.gateway = self.world.gateway
        self.surprises = 0
        grant = {"agent": "orchestrator", "tools": ["patch_host"], "prompt_id": PROMPT, "intent": "Patch all hosts."}
        self.say(
            "alice sends out orchestrator", self.world.grant({"person": "alice", "grant": grant}).verdict, "permit"
        )

    def say(self, what: str, found: str, expected: str) -> None:
        """Print a line; mark it if it is not as expected."""
        self.surprises += found != expected
        click.echo(f"  {what:64}{found}{'' if found == expected else f'   EXPECTED {expected}'}")

    def ask(self, agent: str, host: str, **more: Json) -> GatewayDecision:
        """An agent asks whether it may patch a host."""
        request: dict[str, Json] = {
            "request_id": secrets.token_hex(8),
            "prompt_id": PROMPT,
            "action": {
                "operation": "execute",
                "tool": "patch_host",
                "target_resource": host,
                "parameters": {"host": host},
            },
            "token": self.world.tokens[agent],
            **more,
        }
        request["proof"] = self.world.proof(agent, request)
        return self.gateway.decide(request)

    def person(self, subject: str) -> str:
        """The ID token of a person who has just logged in."""
        now = self.world.clock.seconds
        claims = {"iss": LOGIN, "sub": subject, "aud": GATEWAY, "iat": now, "exp": now + 600}
        return jws.write(claims, self.world.login, "JWT", "login-1")

    def fan_out(self) -> None:
        """Fifty sub-tasks, each with a token of its own, derived offline; more than there may be."""
        reasons = Counter[str]()
        for number in range(1, HOSTS + 1):
            agent = f"worker-{number}"
            key = self.world.key(agent)
            self.gateway.admin.register(agent, key.public)
            token, holder = self.world.tokens["orchestrator"], self.world.key("orchestrator")
            self.world.tokens[agent] = derive(token, holder, Share(agent, key.public), now=self.world.clock.seconds)
            decision = self.ask(agent, f"web-{number}")
            reasons[f"{decision.verdict} {decision.reason}"] += 1
            if decision.permit_id is not None:
                self.gateway.report(decision.permit_id, "success")
        for what, count in reasons.items():
            click.echo(f"  {count:2} of {HOSTS} sub-tasks: {what}")
        expected = {"permit passed": 20, "deny fan_out_exceeded": HOSTS - 20}
        self.say("stopped at the limit of 20", str(dict(reasons) == expected), "True")

    def pause(self) -> None:
        """People are told; one lets the prompt go on."""
        told = [loads(entry.body or "") for entry in self.gateway.state.audit.entries() if entry.kind == "notification"]
        self.say(
            f"people are told: the prompt is {told[-1]['event']}", told[-1]["why"].partition(":")[0], "fan_out_exceeded"
        )
        self.say("orchestrator goes on", self.ask("orchestrator", "web-51").reason, "paused")
        self.gateway.admin.resume_prompt(PROMPT, by="bob", why="fifty were meant")
        decision = self.ask("orchestrator", "web-51")
        self.say("bob resumes the prompt; orchestrator goes on", decision.verdict, "permit")
        self.gateway.report(decision.permit_id or "", "success")

    def approve(self) -> None:
        """What the policy wants a person for waits; nobody approves what is done in their own name."""
        proposed = self.ask("orchestrator", "prod/db-1")
        self.say("orchestrator patches prod/db-1", proposed.verdict, "propose")
        (waiting,) = self.gateway.approvals.list()
        self.say("alice approves what is done for herself", self.refusal(waiting.approval_id, "alice"), "self_approval")
        self.gateway.approvals.approve(waiting.approval_id, self.person("bob"), why="the window is open")
        other = self.ask("orchestrator", "prod/db-2", approval_ref=waiting.approval_id)
        self.say("bob approves; orchestrator uses it for prod/db-2", other.verdict, "propose")
        self.permit = self.ask("orchestrator", "prod/db-1", approval_ref=waiting.approval_id).permit_id or ""
        self.say("... and for prod/db-1", "permit" if self.permit else "deny", "permit")
        again = self.ask("orchestrator", "prod/db-1", approval_ref=waiting.approval_id)
        self.say("... and once more", again.verdict, "propose")
        self.gateway.report(self.permit, "success")

    def refusal(self, approval_id: str, subject: str) -> str:
        """Why somebody cannot approve."""
        try:
            self.gateway.approvals.approve(approval_id, self.person(subject))
        except Refused as refused:
            return refused.reason
        return "approved"

    def replan(self) -> None:
        """What failed is not simply tried again."""
        failed = self.ask("orchestrator", "web-52").permit_id or ""
        self.gateway.report(failed, "failure")
        self.say("web-52 fails; orchestrator tries the same again", self.ask("orchestrator", "web-52").reason, BLIND)
        answer = self.gateway.replan(
            self.world.tokens["orchestrator"],
            failed,
            learnt="the disk of web-52 was full",
            old_plan_digest=sha256(b"patch").hexdigest(),
            new_plan_digest=sha256(b"make room, then patch").hexdigest(),
            prove=self.prove,
        )
        self.say("orchestrator changes its plan: make room first", str(answer.accepted), "True")
        self.say("... and tries again", self.ask("orchestrator", "web-52").verdict, "permit")

    def prove(self, request: Mapping[str, Json]) -> str:
        """The proof of the orchestrator."""
        return self.world.proof("orchestrator", request)

    def check(self) -> None:
        """The log has all of it, and is whole."""
        found = verify(self.gateway.state.audit.entries())
        self.say(f"the audit log: {found.size} entries", "whole" if found.is_whole else "not whole", "whole")


def main() -> int:
    """Run it and return the exit code."""
    click.echo("\nA prompt that runs into its limits: patch fifty hosts, with at most 20 sub-tasks\n")
    with tempfile.TemporaryDirectory() as folder:
        rollout = Rollout(Path(folder))
        for step in (rollout.fan_out, rollout.pause, rollout.approve, rollout.replan, rollout.check):
            step()
        rollout.gateway.close()
    click.echo(f"\n{'all as expected' if not rollout.surprises else f'{rollout.surprises} not as expected'}")
    return 1 if rollout.surprises else 0


if __name__ == "__main__":
    sys.exit(main())
