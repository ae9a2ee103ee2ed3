"""The agents and their keys: one key an agent, one agent a key, now and ever.

Registrations are only added to the store. The last key of an agent is its key; those before are retired, and nobody can
register them again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from procurator.governance.delegation.chains import Chain
from procurator.governance.delegation.proofs import MAX_PROOF, expired, invalid
from procurator.governance.refusals import Refused
from procurator.governance.scope.paths import PathError, plain_text
from procurator.governance.signing import jws
from procurator.governance.signing.keys import PrivateKey, PublicKey, public_from_jwk
from procurator.governance.store import Store
from procurator.governance.transactions import Transaction

ROTATION: Final = "agent-rotation+jwt"
"""The type of the two statements that prove a rotation."""

SEPARATOR: Final = "~"
MAX_NAME: Final = 256
WINDOW_SECONDS: Final = 60
GATEWAY: Final = ""
"""Who has the gateway's own keys; no agent is called so."""

VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE agent_keys (
    seq INTEGER PRIMARY KEY, agent TEXT NOT NULL, jkt TEXT NOT NULL UNIQUE, jwk TEXT NOT NULL
) STRICT;
CREATE TRIGGER agent_keys_once BEFORE INSERT ON agent_keys
WHEN EXISTS (SELECT 1 FROM agent_keys WHERE seq = NEW.seq OR jkt = NEW.jkt)
BEGIN SELECT RAISE(ABORT, 'registrations are append-only'); END;
CREATE TRIGGER agent_keys_keep BEFORE DELETE ON agent_keys
BEGIN SELECT RAISE(ABORT, 'registrations are append-only'); END;
CREATE TRIGGER agent_keys_stay BEFORE UPDATE ON agent_keys
BEGIN SELECT RAISE(ABORT, 'registrations are append-only'); END
"""

Record = Mapping[str, Any]


class Agents:
    """The registered agents; threads may share them, and several processes one store.

    What is registered in another process is seen within the next transaction.
    """

    def __init__(
        self,
        store: Store,
        *,
        static: Iterable[tuple[str, PublicKey]] = (),
        dynamic: bool = True,
        gateway_keys: Iterable[PublicKey] = (),
        audience: Collection[str] = (),
        window: int = WINDOW_SECONDS,
    ) -> None:
        """Load the agents of a store.

        Args:
            store: the file.
            static: agents of the configuration, whose keys nothing but the configuration changes.
            dynamic: whether there are others, registered at run time.
            gateway_keys: keys that no agent may have.
            audience: what the gateway is called, for proofs of rotation.
            window: how many seconds from now such a proof may have been made.

        Raises:
            Refused: `agent_exists` or `shared_key`, for two agents of the configuration.
            StoreError: the store could not be read.
        """
        self._dynamic = dynamic
        self._audience = frozenset(audience)
        self._window = window
        self._keys: dict[str, PublicKey] = {}
        self._owners: dict[str, str] = {key.jkt: GATEWAY for key in gateway_keys}
        self._seen = 0
        for agent, key in static:
            check_name(agent)
            self._check_free(agent, key)
            self._keys[agent], self._owners[key.jkt] = key, agent
        self._static = frozenset(self._keys)
        store.define("agents", VERSION, SCHEMA)
        store.add_mirror(self)

    # Who is registered

    def key_of(self, agent: str) -> PublicKey:
        """The key of an agent.

        Raises:
            Refused: `agent_unknown`.
        """
        key = self._keys.get(agent)
        if key is None:
            raise Refused("agent_unknown", f"agent `{agent}` is not registered")
        return key

    def by_thumbprint(self, jkt: str) -> PublicKey | None:
        """The key with a thumbprint, if it is the key of an agent now."""
        key = self._keys.get(self._owners.get(jkt, GATEWAY))
        return key if key is not None and key.jkt == jkt else None

    def all(self) -> dict[str, PublicKey]:
        """The keys of all agents, by their names in order."""
        return dict(sorted(self._keys.items()))

    def check(self, chain: Chain) -> None:
        """Accept a chain whose agents are all registered, each with the key of its link.

        Raises:
            Refused: `agent_unknown`.
        """
        keys = self._keys
        for at, link in enumerate(chain.links):
            key = keys.get(link.agent)
            # Keys are equal when their thumbprints are; to compare texts is quicker, and every call does.
            if key is None or key.jkt != link.key.jkt:
                known = "registered with another key than that of its token" if key else "not registered"
                raise Refused("agent_unknown", f"agent `{link.agent}` is {known}", link=at)

    # Changes

    def register(self, tx: Transaction, agent: str, key: PublicKey, *, by: str) -> Record | None:
        """Register an agent.

        Args:
            tx: the transaction.
            agent: its name.
            key: its key.
            by: who registers it, for the log.

        Returns:
            What the log has to say; None for an agent that is registered with this key.

        Raises:
            Refused: `registration_not_allowed`, `agent_exists`, `shared_key`, `malformed`.
        """
        check_name(agent)
        if self._keys.get(agent) == key:
            return None
        self._check_dynamic(agent)
        self._check_free(agent, key)
        self._add(tx, agent, key)
        return {"action": "register", "agent": agent, "by": by, "jkt": key.jkt, "jwk": dict(key.jwk)}

    def rotate(self, tx: Transaction, agent: str, key: PublicKey, proof: str, *, now: int) -> Record:
        """Give an agent a new key; tokens for the old one, and all below them, are good no longer.

        Args:
            tx: the transaction.
            agent: its name.
            key: its new key.
            proof: of `prove_rotation`: the holder of both keys wants it.
            now: seconds since 1970.

        Returns:
            What the log has to say.

        Raises:
            Refused: `agent_unknown`, `registration_not_allowed`, `shared_key`, `proof_invalid`, `proof_expired`.
        """
        old = self._keys.get(agent)
        if old is None:
            raise Refused("agent_unknown", f"agent `{agent[:MAX_NAME]}` is not registered")
        self._check_dynamic(agent)
        self._check_rotation(agent, (old, key), proof, now)
        self._check_owner(agent, key)
        self._add(tx, agent, key)
        changed = {"action": "rotate", "agent": agent, "by": agent, "jkt": key.jkt, "jwk": dict(key.jwk)}
        return {**changed, "jkt_before": old.jkt, "proof": proof}

    def _check_dynamic(self, agent: str) -> None:
        if not self._dynamic:
            raise Refused("registration_not_allowed", "agents are those of the configuration alone")
        if agent in self._static:
            raise Refused("registration_not_allowed", f"the key of agent `{agent}` is that of the configuration")

    def _check_free(self, agent: str, key: PublicKey) -> None:
        if agent in self._keys:
            raise Refused("agent_exists", f"agent `{agent}` is registered with another key")
        self._check_owner(agent, key)

    def _check_owner(self, agent: str, key: PublicKey) -> None:
        owner = self._owners.get(key.jkt)
        if owner == agent:
            raise Refused("shared_key", f"agent `{agent}` has, or had, this key")
        if owner is not None:
            named = "the gateway" if owner == GATEWAY else f"agent `{owner}`"
            raise Refused("shared_key", f"the key is, or was, that of {named}")

    def _check_rotation(self, agent: str, keys: tuple[PublicKey, PublicKey], proof: str, now: int) -> None:
        parts = proof.split(SEPARATOR)
        if len(parts) != len(keys) or len(proof) > MAX_PROOF:
            raise invalid("a rotation is proved by two statements")
        for part, key in zip(parts, keys, strict=True):
            claims = _verified(part, key)
            made, audience = claims.pop("iat", None), claims.pop("aud", None)
            if type(made) is not int or claims != {"sub": agent, "jkt": keys[1].jkt}:
                raise invalid("the proof is of another rotation")
            if not isinstance(audience, str) or audience not in self._audience:
                raise invalid("the proof is meant for somebody else")
            if not -self._window <= now - made <= self._window:
                raise expired(now - made)

    def _add(self, tx: Transaction, agent: str, key: PublicKey) -> None:
        row = (agent, key.jkt, json.dumps(dict(key.jwk), sort_keys=True))
        seq = tx.execute("INSERT INTO agent_keys (agent, jkt, jwk) VALUES (?, ?, ?)", row).lastrowid
        before, seen = self._keys.get(agent), self._seen

        def take_back() -> None:
            del self._keys[agent], self._owners[key.jkt]
            if before is not None:
                self._keys[agent] = before
            self._seen = seen

        tx.undo(take_back)
        self._keys[agent], self._owners[key.jkt], self._seen = key, agent, seq or 0

    # What the store calls

    def reload(self, connection: sqlite3.Connection) -> None:
        """Take in what other processes have registered."""
        if not self._dynamic:
            return
        query = "SELECT seq, agent, jwk FROM agent_keys WHERE seq > ? ORDER BY seq"
        for seq, agent, jwk in connection.execute(query, (self._seen,)).fetchall():
            self._take(agent, public_from_jwk(json.loads(jwk)))
            self._seen = seq

    def _take(self, agent: str, key: PublicKey) -> None:
        if agent in self._static:
            return
        if self._owners.setdefault(key.jkt, agent) == agent:
            self._keys[agent] = key
        else:
            # The configuration has given the key to somebody else since; the one before it stays retired.
            self._keys.pop(agent, None)


def prove_rotation(agent: str, old: PrivateKey, new: PrivateKey, *, audience: str, now: int) -> str:
    """The proof that the holder of an agent's key, and of a new one, wants the new one to be the agent's.

    Args:
        agent: its name.
        old: its key.
        new: the key that it is to have.
        audience: what the gateway is called.
        now: seconds since 1970.
    """
    claims = {"aud": audience, "iat": now, "jkt": new.public.jkt, "sub": agent}
    return SEPARATOR.join(jws.write(claims, key, ROTATION) for key in (old, new))


def check_name(agent: str) -> None:
    """Accept a name for an agent: as in tokens, where two spellings of one name would be two agents.

    Raises:
        Refused: `malformed`.
    """
    try:
        good = 0 < len(agent) <= MAX_NAME and plain_text(agent) == agent
    except PathError:
        good = False
    if not good:
        reason = f"the name of an agent is a text of 1 to {MAX_NAME} characters in normal form (NFC)"
        raise Refused("malformed", reason, field="agent")


def _verified(statement: str, key: PublicKey) -> dict[str, Any]:
    try:
        signed = jws.read(statement, ROTATION)
        signed.verify(key)
    except Refused as error:
        raise invalid(f"the proof is not one of the agent's keys: {error.detail}") from None
    return dict(signed.claims)
