"""What operators do: register agents, turn the kill switch, revoke, let prompts go on. Each is an entry of the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from procurator.governance.controls import Target
from procurator.governance.delegation.chains import Chain
from procurator.governance.delegation.sessions import Sessions
from procurator.governance.people.prompts import Prompts
from procurator.governance.signing.keys import PublicKey, public_from_jwk
from procurator.governance.state import State
from procurator.governance.times import SECOND_NS


class Administration:
    """Changes of who may act, and of what prompts may spend; whoever can call this is trusted to."""

    def __init__(self, state: State, sessions: Sessions, prompts: Prompts) -> None:
        self._state = state
        self._sessions = sessions
        self._prompts = prompts

    def register(self, agent: str, key: PublicKey | Mapping[str, Any], *, by: str = "operator") -> None:
        """Register an agent with its own key.

        Args:
            agent: its name.
            key: its public key, or the JWK of it.
            by: who registers it.

        Raises:
            Refused: `registration_not_allowed`, `agent_exists`, `shared_key`, `key_not_allowed`, `malformed`.
        """
        public = key if isinstance(key, PublicKey) else public_from_jwk(key)
        self._state.audit.write_down("registration", lambda tx: self._state.agents.register(tx, agent, public, by=by))

    def rotate(self, agent: str, key: PublicKey | Mapping[str, Any], proof: str) -> None:
        """Give an agent a new key; its tokens end, and so do those below them.

        Args:
            agent: its name.
            key: its new public key, or the JWK of it.
            proof: of `agents.prove_rotation`.

        Raises:
            Refused: what `Agents.rotate` refuses for.
        """
        public = key if isinstance(key, PublicKey) else public_from_jwk(key)
        now = self._state.clock() // SECOND_NS
        self._state.audit.write_down(
            "registration", lambda tx: self._state.agents.rotate(tx, agent, public, proof, now=now)
        )
        self._sessions.close(lambda chain: agent in chain.agents)

    def revoke(self, kind: str, name: str, *, issuer: str = "", by: str = "operator", why: str = "") -> None:
        """Revoke a token, an agent or a person for ever, with everything delegated from it.

        Args:
            kind: `token`, `agent` or `person`.
            name: the `jti`, the name of the agent, the subject of the person.
            issuer: the issuer of the person.
            by: who does it.
            why: for the log.

        Raises:
            Refused: `malformed`.
        """
        target = Target(kind, name, issuer)
        self._state.audit.write_down("revocation", lambda tx: self._state.controls.revoke(tx, target, by=by, why=why))
        self._sessions.close(lambda chain: _descends(chain, target))

    def kill(self, scope: str = "all", name: str = "", *, by: str = "operator", why: str = "") -> None:
        """Stop everything, or all that an agent does, or all that is done for a prompt.

        Args:
            scope: `all`, `agent` or `prompt`.
            name: which agent or prompt.
            by: who does it.
            why: for the log.

        Raises:
            Refused: `malformed`.
        """
        target = Target(scope, name)
        self._state.audit.write_down("kill", lambda tx: self._state.controls.kill(tx, target, by=by, why=why))

    def resume(self, scope: str = "all", name: str = "", *, by: str = "operator", why: str = "") -> None:
        """Turn the kill switch off, for exactly what it was turned on for.

        Raises:
            Refused: `not_killed`, `malformed`.
        """
        target = Target(scope, name)
        self._state.audit.write_down("resume", lambda tx: self._state.controls.resume(tx, target, by=by, why=why))

    # Budgets

    def balance(self, prompt_id: str) -> list[dict[str, Any]]:
        """What is spent, reserved and left for a prompt, of each person who has one with the id.

        Raises:
            Refused: `malformed`: there is none.
        """
        now_ns = self._budget_ns()
        return self._state.store.transact(lambda tx: self._prompts.balance(tx, prompt_id, now_ns))

    def resume_prompt(
        self,
        prompt_id: str,
        *,
        raised: Mapping[str, str] | None = None,
        scope: str = "prompt",
        person: str | None = None,
        by: str = "operator",
        why: str = "",
    ) -> None:
        """Let a paused prompt go on, and raise its limits.

        Args:
            prompt_id: the prompt.
            raised: by how much limits are raised, by unit, as decimal texts; those of a day or month until it ends.
            scope: whose limits are raised: `prompt`, `person` or `tenant`.
            person: the subject whose prompt it is, if several have one with the id.
            by: who does it.
            why: for the log.

        Raises:
            Refused: `malformed`, `ended`.
        """
        now_ns = self._budget_ns()
        more: dict[str, Any] = {"by": by, "why": why, "person": person, "raised": raised, "scope": scope}
        self._state.audit.write_down("budget", lambda tx: self._prompts.resume(tx, prompt_id, now_ns, **more))

    def end_prompt(self, prompt_id: str, *, person: str | None = None, by: str = "operator", why: str = "") -> None:
        """End a prompt for good: every further action is denied.

        Raises:
            Refused: `malformed`.
        """
        now_ns = self._budget_ns()
        self._state.audit.write_down(
            "budget", lambda tx: self._prompts.end(tx, prompt_id, now_ns, by=by, why=why, person=person)
        )

    def _budget_ns(self) -> int:
        return self._state.budget_time(self._state.clock())


def _descends(chain: Chain, target: Target) -> bool:
    named = {"agent": chain.agents, "token": chain.ids, "person": (chain.principal.subject, *chain.principal.act)}
    return target.id in named[target.kind]
