"""Proof sessions, as the gateway keeps them: in memory, a bounded number, each ending with its token.

One signed proof opens a session; the calls that follow carry an HMAC, which costs a fraction of a signature.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from procurator.governance.delegation.chains import Chain
from procurator.governance.delegation.proofs import SESSION, Call, Session, expired, invalid, session_mac, verify_proof
from procurator.governance.refusals import Refused

OPEN: Final = "open_session"
"""The operation that the proof opening a session is of; no action has it."""

_KEY_BYTES: Final = 32
_ID_BYTES: Final = 16
_LONGEST_TIME: Final = 16


def opening(request_id: str) -> Call:
    """What the proof that opens a session is of."""
    return Call(request_id, OPEN, "", None, {})


@dataclass(frozen=True, slots=True)
class _Open:
    """A session and the chain it is for."""

    session: Session
    chain: Chain


class Sessions:
    """The open proof sessions; threads may share them."""

    def __init__(self, *, now: int, window: int, seconds: int, limit: int = 4096, per_agent: int = 16) -> None:
        """Keep sessions.

        Args:
            now: seconds since 1970. Proofs that were made before open nothing: they may have been used already.
            window: how many seconds from now a proof may have been made.
            seconds: how long a session lasts, if its token does.
            limit: how many sessions there are; the oldest ends for one too many.
            per_agent: how many of them one key has.
        """
        self._started = now
        self._latest = now
        self._window = window
        self._seconds = seconds
        self._limit = limit
        self._per_agent = per_agent
        self._open: dict[str, _Open] = {}
        self._used: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def open(self, chain: Chain, proof: str | None, request_id: str, now: int) -> Session:
        """Open a session for a token that was verified and is good; its key is for the agent alone.

        Args:
            chain: the chain of the token.
            proof: a signed proof of `opening(request_id)`.
            request_id: its nonce, good once.
            now: seconds since 1970.

        Raises:
            Refused: what `verify_proof` raises; `proof_replayed`.
        """
        # A clock that is moved back must not bring back proofs that were forgotten.
        now = self._latest = max(self._latest, now)
        verify_proof(proof, opening(request_id), chain, now=now, window=self._window, not_before=self._started)
        expires = min(chain.expires, now + self._seconds)
        session = Session(secrets.token_urlsafe(_ID_BYTES), secrets.token_bytes(_KEY_BYTES), chain.token_hash, expires)
        with self._lock:
            self._use((chain.leaf.key.jkt, request_id), now)
            self._make_room(chain.leaf.key.jkt, now)
            self._open[session.id] = _Open(session, chain)
        return session

    def _use(self, nonce: tuple[str, str], now: int) -> None:
        self._used = {used: until for used, until in self._used.items() if until >= now}
        if nonce in self._used:
            raise Refused("proof_replayed", "the proof has opened a session before")
        if len(self._used) >= self._limit * self._per_agent:
            raise Refused("proof_replayed", "too many proofs were used to tell whether this one was")
        # It may have been made one window from now, and is accepted for another.
        self._used[nonce] = now + 2 * self._window

    def _make_room(self, jkt: str, now: int) -> None:
        self._open = {id_: kept for id_, kept in self._open.items() if kept.session.expires > now}
        own = [id_ for id_, kept in self._open.items() if kept.chain.leaf.key.jkt == jkt]
        superfluous = own[: len(own) + 1 - self._per_agent] if len(own) >= self._per_agent else []
        if not superfluous and len(self._open) >= self._limit:
            superfluous = [next(iter(self._open))]
        for id_ in superfluous:
            del self._open[id_]

    def verify(self, proof: str, call: Call, chain: Chain, now: int) -> None:
        """Verify a proof within a session.

        Raises:
            Refused: `proof_invalid`, `proof_expired`.
        """
        parts = proof.split(".")
        if len(parts) != 4 or parts[0] != SESSION or not proof.isascii():
            raise invalid("the proof is none of a session")
        _, id_, time, mac = parts
        kept = self._open.get(id_)
        if kept is None or kept.session.expires <= now or kept.chain.digest != chain.digest:
            raise invalid("the token has no such session, or it has ended")
        if not time.isdigit() or len(time) > _LONGEST_TIME:
            raise invalid("the proof has no time")
        if not hmac.compare_digest(session_mac(kept.session, call, time), mac):
            raise invalid("the proof is of another call")
        age = now - int(time)
        if not -self._window <= age <= self._window:
            raise expired(age)

    def end(self, session_id: str) -> None:
        """End one session, if it is open."""
        with self._lock:
            self._open.pop(session_id, None)

    def close(self, ended: Callable[[Chain], bool]) -> int:
        """End the sessions of chains of which something is so, as when a link was revoked.

        Returns:
            How many there were.
        """
        with self._lock:
            before = len(self._open)
            self._open = {id_: kept for id_, kept in self._open.items() if not ended(kept.chain)}
            return before - len(self._open)

    def __len__(self) -> int:
        return len(self._open)
