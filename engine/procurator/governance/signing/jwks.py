"""The keys of an issuer: a JSON Web Key Set by URL or file, cached, and fetched again when it has to be.

A token can name any key it likes. So that nobody can make this process send requests, there is a floor between two
fetches of one source, whatever came of the first, and only one fetch at a time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, NamedTuple

import jwt

from procurator.governance.refusals import Refused
from procurator.governance.signing.jwks_source import SourceError, fetch_source
from procurator.governance.signing.keys import PRIVATE

CACHE_SECONDS: Final = 600.0
FLOOR_SECONDS: Final = 30.0
MAX_KEYS: Final = 100
MIN_RSA_BITS: Final = 2048

Fetch = Callable[[str], bytes]
Jwk = Mapping[str, Any]


class _Kind(NamedTuple):
    """What a key has to be for an algorithm."""

    type: str
    curve: str | None


_RSA: Final = _Kind("RSA", None)

ALGORITHMS: Final[Mapping[str, _Kind]] = {
    "ES256": _Kind("EC", "P-256"),
    "ES384": _Kind("EC", "P-384"),
    "ES512": _Kind("EC", "P-521"),
    "EdDSA": _Kind("OKP", "Ed25519"),
    "PS256": _RSA,
    "PS384": _RSA,
    "PS512": _RSA,
    "RS256": _RSA,
    "RS384": _RSA,
    "RS512": _RSA,
}
"""The algorithms with which an issuer may sign; none of them has a secret that both sides know."""


@dataclass(frozen=True, slots=True)
class _KeySet:
    """The keys of a source as they were at one time; `made` holds those that were asked for."""

    keys: tuple[Jwk, ...] = ()
    fetched_at: float = float("-inf")
    made: dict[tuple[str | None, str], jwt.PyJWK] = field(default_factory=dict)

    def find(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """The one key that has this id, or any where the token names none, and fits the algorithm."""
        if (made := self.made.get((kid, algorithm))) is not None:
            return made
        fitting = [jwk for jwk in self.keys if _fits(jwk, algorithm) and (kid is None or jwk.get("kid") == kid)]
        # Of several that fit, the token would choose by what it matches.
        key = _made(fitting[0], algorithm) if len(fitting) == 1 else None
        if key is not None:
            self.made[kid, algorithm] = key
        return key


class Jwks:
    """The keys of one source; threads may share it.

    A key is used for `cache_seconds` at most after the source was last seen to have it; at half of that the source is
    fetched again, so that a source which is away for a while stops nobody. When the source stays away, tokens are
    refused.
    """

    def __init__(
        self,
        source: str,
        *,
        fetch: Fetch = fetch_source,
        clock: Callable[[], float] = time.monotonic,
        cache_seconds: float = CACHE_SECONDS,
        floor_seconds: float = FLOOR_SECONDS,
    ) -> None:
        """Nothing is fetched before the first key is asked for.

        Args:
            source: an https URL, or the path of a file.
            fetch: what brings the content of a source, or raises `SourceError`.
            clock: seconds; never goes back.
            cache_seconds: how long a key is used without the source having been seen.
            floor_seconds: how long to wait between two fetches, the failed ones included.
        """
        self.source = source
        self._fetch = fetch
        self._clock = clock
        self._cache_seconds = cache_seconds
        self._floor_seconds = floor_seconds
        self._known = _KeySet()
        self._tried_at = float("-inf")
        self._problem = ""
        self._fetching = Lock()

    def key(self, kid: str | None, algorithm: str) -> jwt.PyJWK:
        """The key with an id, for an algorithm of `ALGORITHMS`.

        Args:
            kid: as in the token's header; None where the header has none, which needs a source with one fitting key.
            algorithm: from the configuration, never from the token alone.

        Raises:
            Refused: `person_not_verified`, the source has no such key, or cannot be read.
        """
        found = self._find(kid, algorithm)
        if found is None:
            with self._fetching:
                found = self._find(kid, algorithm) or self._find_anew(kid, algorithm)
        elif self._is_due() and self._fetching.acquire(blocking=False):
            try:
                found = self._find_anew(kid, algorithm)
            finally:
                self._fetching.release()
        if found is None:
            raise Refused("person_not_verified", self._why_not(kid, algorithm))
        return found

    def _find(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        known = self._known
        return known.find(kid, algorithm) if self._age(known) < self._cache_seconds else None

    def _find_anew(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """Look the key up after a fetch, if the floor allows one; only under the lock."""
        now = self._clock()
        if now - self._tried_at >= self._floor_seconds:
            self._tried_at = now
            try:
                self._known, self._problem = _KeySet(read_keys(self._fetch(self.source)), now), ""
            except SourceError as error:
                self._problem = str(error)
        return self._find(kid, algorithm)

    def _age(self, known: _KeySet) -> float:
        return self._clock() - known.fetched_at

    def _is_due(self) -> bool:
        return self._age(self._known) >= self._cache_seconds / 2

    def _why_not(self, kid: str | None, algorithm: str) -> str:
        if self._age(self._known) >= self._cache_seconds:
            return f"the keys of the issuer cannot be had: {self._problem or 'waiting before the next attempt'}"
        named = f"one key `{kid[:80]}`" if kid is not None and kid.isprintable() else "one key"
        return f"the issuer does not have {named} for {algorithm}"


def read_keys(content: bytes) -> tuple[Jwk, ...]:
    """The keys of a JSON Web Key Set (RFC 7517, section 5), of whatever kind.

    Raises:
        SourceError: it is not one, or has too many keys.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise SourceError("not a JSON text") from None
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise SourceError("not a JSON Web Key Set")
    if len(keys) > MAX_KEYS:
        raise SourceError(f"more than {MAX_KEYS} keys")
    return tuple(keys)


def _fits(jwk: Jwk, algorithm: str) -> bool:
    """Whether a key is a public one for signatures of this algorithm, by all that it says of itself."""
    kind = ALGORITHMS[algorithm]
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("kty") == kind.type
        and jwk.get("crv") == kind.curve
        and jwk.get("alg", algorithm) == algorithm
        and jwk.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        # Whoever can read the set could sign with it.
        and PRIVATE.isdisjoint(jwk)
    )


def _made(jwk: Jwk, algorithm: str) -> jwt.PyJWK | None:
    """The key, or None for one that is broken or too weak."""
    try:
        key = jwt.PyJWK(dict(jwk), algorithm)
    except jwt.PyJWTError:
        return None
    return None if getattr(key.key, "key_size", MIN_RSA_BITS) < MIN_RSA_BITS and jwk["kty"] == "RSA" else key
