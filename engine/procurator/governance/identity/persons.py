"""Who the person is: OIDC ID tokens and OAuth access tokens, verified against the issuers of the configuration.

Signatures and the shape of tokens are PyJWT's work. Times are checked here, against the clock of the decision, and so
is what PyJWT has no rule for: the type of the token, headers that bring keys along, authorized parties, actors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

import jwt

from procurator.governance.refusals import Refused
from procurator.governance.signing.jwks import ALGORITHMS, Jwks
from procurator.governance.strict_json import JsonError, check_object

if TYPE_CHECKING:
    from jwt.types import Options

MAX_TOKEN: Final = 1 << 16
MAX_SUBJECT: Final = 255
MAX_ACTORS: Final = 8
MAX_TIME: Final = 1 << 53
SKEW_SECONDS: Final = 30

REQUIRED: Final = ("iss", "sub", "aud", "exp", "iat")
TYPES: Final = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
"""Types of tokens that tell of a person; those for other uses of the same keys are none (RFC 8725, section 3.11)."""

BRINGING_KEYS: Final = frozenset({"jwk", "jku", "x5c", "x5u"})
CHANGING_MEANING: Final = frozenset({"b64", "crit"})
ELSEWHERE: Final[Mapping[str, str]] = {
    # Whoever has found such a token could use it: that its key is at hand is for a proof to show, and there is none.
    "cnf": "the token is bound to a key",
    "events": "the token tells of an event, not of a person",
}
"""Claims of tokens that are for something else."""
READABLE: Final = ("acr", "amr", "groups", "roles", "scope")

_UNVERIFIED: Final[Options] = {"verify_signature": False}
_VERIFIED: Final[Options] = {
    "require": list(REQUIRED),
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_sub": False,
}
"""Times and subjects are checked here."""

_PROBLEMS: Final[Mapping[type[jwt.PyJWTError], str]] = {
    jwt.InvalidSignatureError: "the signature does not match the key of the issuer",
    jwt.InvalidAlgorithmError: "the algorithm is not one that the issuer may use",
    jwt.InvalidAudienceError: "the token is meant for somebody else",
    jwt.InvalidIssuerError: "the token is of another issuer",
}


@dataclass(frozen=True, slots=True)
class Person:
    """A person whose token was verified.

    Attributes:
        issuer: who says so.
        subject: the person, as the issuer knows them.
        act: who acts for the person, the current actor first; of the same issuer.
        claims: what policies may read.
        expires: seconds since 1970.
    """

    issuer: str
    subject: str
    act: tuple[str, ...] = ()
    claims: Mapping[str, Any] = field(default_factory=dict)
    expires: int = 0


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer whose tokens are accepted.

    Attributes:
        name: the claim `iss`, exactly.
        audience: whom its tokens have to be meant for, one of these.
        keys: its keys.
        algorithms: with which it signs.
        authorized_parties: clients besides the audience that a token may have been given to (`azp`).
        claims: which claims policies may read.
        skew_seconds: how far its clock may be off.
    """

    name: str
    audience: tuple[str, ...]
    keys: Jwks
    algorithms: tuple[str, ...]
    authorized_parties: frozenset[str] = frozenset()
    claims: tuple[str, ...] = READABLE
    skew_seconds: int = SKEW_SECONDS

    def __post_init__(self) -> None:
        """Refuse settings under which a token would be accepted that nobody meant.

        Raises:
            ValueError: there is no audience or no algorithm, or an algorithm is not known.
        """
        unknown = sorted(set(self.algorithms) - set(ALGORITHMS))
        if unknown:
            raise ValueError(f"unknown algorithm `{unknown[0]}`, expected one of {', '.join(ALGORITHMS)}")
        if not self.audience or not self.algorithms:
            raise ValueError(f"the issuer `{self.name}` needs an audience and an algorithm")


class Persons:
    """Verifies tokens of persons; threads may share it."""

    def __init__(self, issuers: Iterable[TrustedIssuer], *, impersonation: bool = True) -> None:
        """Tokens of other issuers are refused.

        Args:
            issuers: each with a name of its own.
            impersonation: whether somebody may act for a person.

        Raises:
            ValueError: two issuers have one name.
        """
        self._issuers: dict[str, TrustedIssuer] = {}
        self._impersonation = impersonation
        for issuer in issuers:
            if issuer.name in self._issuers:
                raise ValueError(f"the issuer `{issuer.name}` is named twice")
            self._issuers[issuer.name] = issuer

    def verify(self, token: str, now: int) -> Person:
        """The person that a token tells of.

        Args:
            token: in compact form.
            now: seconds since 1970.

        Raises:
            Refused: `person_not_verified`, or `impersonation_not_allowed`.
        """
        header = _header(token)
        issuer = self._issuer_of(token)
        algorithm = _algorithm(header, issuer)
        claims = _claims(token, issuer.keys.key(header.get("kid"), algorithm), algorithm, issuer)
        _check_use(claims)
        _check_times(claims, now, issuer.skew_seconds)
        _check_party(claims, issuer)
        return self._person(claims, issuer)

    def _issuer_of(self, token: str) -> TrustedIssuer:
        """The issuer that the token names, which is how its keys are found; whether it is true is checked later."""
        try:
            name = jwt.decode(token, options=_UNVERIFIED).get("iss")
        except (jwt.PyJWTError, RecursionError):
            _refuse("the token is malformed")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        return issuer or _refuse("the token is of an issuer that is not known")

    def _person(self, claims: Mapping[str, Any], issuer: TrustedIssuer) -> Person:
        act = _actors(claims, issuer.name)
        if act and not self._impersonation:
            raise Refused("impersonation_not_allowed", f"`{act[0]}` acts for `{claims['sub']}`")
        return Person(issuer.name, _subject(claims, "sub"), act, _readable(claims, issuer), int(claims["exp"]))


def _refuse(problem: str) -> NoReturn:
    raise Refused("person_not_verified", problem)


def _header(token: str) -> Mapping[str, Any]:
    if not isinstance(token, str):
        _refuse("the token is no text")
    if len(token) > MAX_TOKEN:
        _refuse(f"the token is longer than {MAX_TOKEN} characters")
    if not token.isascii() or token.count(".") != 2:
        _refuse("the token is malformed")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, RecursionError):
        _refuse("the header of the token is malformed")
    _check_header(header)
    return header


def _check_header(header: Mapping[str, Any]) -> None:
    # What a token says of its own keys proves nothing.
    for name in sorted(header.keys() & (BRINGING_KEYS | CHANGING_MEANING)):
        _refuse(f"the token has the header `{name}`")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        _refuse("the token is of a type that does not tell of a person")


def _algorithm(header: Mapping[str, Any], issuer: TrustedIssuer) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in issuer.algorithms:
        _refuse(_PROBLEMS[jwt.InvalidAlgorithmError])
    return algorithm


def _claims(token: str, key: jwt.PyJWK, algorithm: str, issuer: TrustedIssuer) -> Mapping[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=issuer.audience,
            issuer=issuer.name,
            options=_VERIFIED,
        )
    except jwt.MissingRequiredClaimError as error:
        _refuse(f"the token has no claim `{error.claim}`")
    except jwt.PyJWTError as error:
        _refuse(_PROBLEMS.get(type(error), "the token is malformed"))
    return claims


def _check_use(claims: Mapping[str, Any]) -> None:
    for name, problem in ELSEWHERE.items():
        if name in claims:
            _refuse(problem)


def _readable(claims: Mapping[str, Any], issuer: TrustedIssuer) -> dict[str, Any]:
    """The claims for policies; Python reads more than JSON has."""
    readable = {name: claims[name] for name in issuer.claims if name in claims}
    try:
        return check_object(readable)
    except JsonError as error:
        _refuse(f"the claim `{error.place[0]}` {error.problem}")


def _check_times(claims: Mapping[str, Any], now: int, skew: int) -> None:
    expires, issued = _time(claims, "exp"), _time(claims, "iat")
    if now >= expires + skew:
        _refuse("the token has expired")
    if issued > now + skew:
        _refuse("the token was issued in the future")
    if "nbf" in claims and _time(claims, "nbf") > now + skew:
        _refuse("the token is not valid yet")


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(f"the claim `{name}` is not a number")
    # NaN and infinities are not between them either.
    if not 0 <= value < MAX_TIME:
        _refuse(f"the claim `{name}` is not a time")
    return value


def _check_party(claims: Mapping[str, Any], issuer: TrustedIssuer) -> None:
    """Whom the token was given to (OIDC Core, section 3.1.3.7)."""
    if "azp" not in claims:
        # With several audiences, one of the others could be using it.
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1:
            _refuse("the token has several audiences and no claim `azp`")
        return
    party = claims["azp"]
    if not isinstance(party, str) or (party not in issuer.audience and party not in issuer.authorized_parties):
        _refuse("the token was given to a client that is not known")


def _actors(claims: Mapping[str, Any], issuer: str) -> tuple[str, ...]:
    """The subjects of the claim `act` and of those within it (RFC 8693, section 4.1)."""
    actors: list[str] = []
    holder = claims
    while "act" in holder:
        holder = holder["act"]
        if not isinstance(holder, dict):
            _refuse("the claim `act` is not an object")
        if holder.get("iss", issuer) != issuer:
            _refuse("an actor is of another issuer")
        actors.append(_subject(holder, "act.sub"))
        if len(actors) > MAX_ACTORS:
            _refuse(f"more than {MAX_ACTORS} actors")
    return tuple(actors)


def _subject(holder: Mapping[str, Any], name: str) -> str:
    subject = holder.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or not subject.isprintable():
        _refuse(f"the claim `{name}` names nobody")
    return subject
