"""The settings of a gateway as models: what may be set, and what holds where nothing is.

Settings that name the only behaviour there is have one value: a file may state what it relies on, and one that
relies on something else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, Strict, model_validator

from procurator.builtins.re2_patterns import PatternError, compile_pattern
from procurator.data.documents import split_prefix
from procurator.governance.audit.masking import HOLDING, KEPT, pointer
from procurator.governance.budget.units import ALIASES, MONEY, UNIT_NAME, Units

DEFAULT_ENTRYPOINT: Final = "data.procurator.decision"
DEFAULT_ISSUER: Final = "urn:procurator:gateway"

SECRETS: Final = (
    "access_key",
    "access_token",
    "api-key",
    "api_key",
    "apikey",
    "auth_token",
    "authorization",
    "bearer",
    "client_secret",
    "cookie",
    "credential",
    "credentials",
    "id_token",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "proxy-authorization",
    "refresh_token",
    "secret",
    "secret_key",
    "session_token",
    "set-cookie",
    "token",
    "x-api-key",
)
"""Names of members that are masked unless `masks.defaults` is false."""

LONGEST_SECONDS: Final = 10**9
LONGEST_DAYS: Final = 36_500
"""What is counted from now ends while nanoseconds since 1970 fit into 64 bits."""

_DECIMAL: Final = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,9})?")
_URI: Final = re.compile(r"[a-z][a-z0-9+.-]*:\S+")


def _compiled(pattern: str) -> str:
    try:
        compile_pattern(pattern)
    except PatternError as error:
        raise ValueError(f"expected a regular expression of RE2 ({error})") from None
    return pattern


def _pointer(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError("expected a JSON pointer, which begins with `/`")
    if pointer(path) in KEPT | HOLDING:
        raise ValueError("expected a place that the gateway does not read from its log again")
    return path


def _key_source(place: str) -> str:
    if "://" in place and not place.startswith("https://"):
        raise ValueError("expected a file or an https URL")
    return place


def _hook(url: str) -> str:
    parts = urlsplit(url)
    is_here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and is_here)):
        raise ValueError("expected an https URL")
    return url


def _uri(name: str) -> str:
    if not _URI.fullmatch(name):
        raise ValueError("expected a URI, such as `https://gateway.example.org`")
    return name


def _public(jwk: dict[str, Any]) -> dict[str, Any]:
    if "d" in jwk or "k" in jwk:
        raise ValueError("expected a public key without its secret part")
    return jwk


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


Text: TypeAlias = Annotated[str, Field(min_length=1)]
Texts: TypeAlias = Annotated[tuple[Text, ...], Strict(False)]
OneOrMore: TypeAlias = Annotated[
    tuple[Text, ...],
    Strict(False),
    Field(min_length=1),
    BeforeValidator(_several, json_schema_input_type=str | list[str]),
]
Count: TypeAlias = Annotated[int, Field(ge=0)]
Positive: TypeAlias = Annotated[int, Field(ge=1)]
Seconds: TypeAlias = Annotated[int, Field(ge=1, le=LONGEST_SECONDS)]
Percent: TypeAlias = Annotated[int, Field(ge=1, le=100)]
Uri: TypeAlias = Annotated[str, AfterValidator(_uri)]
Algorithm: TypeAlias = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


class Section(BaseModel):
    """A part of the settings: nothing is converted, nothing unknown passes, nothing changes."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class PlacedError(ValueError):
    """Something is wrong with a part of a section that is known only when all of it is read.

    Attributes:
        place: of the part, within the section.
        found: what is there.
        problem: what is expected.
    """

    def __init__(self, place: tuple[str | int, ...], found: object, problem: str) -> None:
        super().__init__(problem)
        self.place = place
        self.found = found
        self.problem = problem


class PolicyEngine(Section):
    """How decisions come about."""

    mode: Literal["zero_trust", "dry_run"] = Field(
        default="zero_trust",
        description="`dry_run` answers `dry_run` where `zero_trust` answers `permit`, so that nothing is done.",
    )
    evaluation: Literal["per_action"] = Field(
        default="per_action", description="Every action is decided by itself; no decision is kept for the next one."
    )
    fallback: Literal["deny"] = Field(
        default="deny", description="What is said where no rule says anything, and where something goes wrong."
    )


class Limits(Section):
    """What the evaluation of the policy for one action may take; what takes more is a deny."""

    steps: Positive = Field(default=1_000_000, description="Members visited, functions called.")
    seconds: float = Field(default=5.0, gt=0, description="Time on the clock.")


class BundleKey(Section):
    """The key that signatures of bundles are checked with; bundles without a signature are refused then."""

    key_file: Text = Field(description="A PEM file with the public key or certificate.")
    algorithm: Algorithm = Field(default="RS256", description="The algorithm of the signature.")
    key_id: Text = Field(default="default", description="The name the key has in signatures.")
    scope: str = Field(default="", description="The scope that signatures must have.")


class Delegation(Section):
    """Bounds on tokens."""

    token_ttl_seconds: Seconds = Field(default=300, description="How long a token that the gateway issues is valid.")
    max_depth: Annotated[int, Field(ge=0, le=64)] = Field(
        default=3, description="How many times a token can be delegated further below the one the gateway issued."
    )
    scope_inheritance: Literal["narrow_only"] = Field(
        default="narrow_only", description="A delegated token allows what its parent allows, or less."
    )
    max_fan_out: Count = Field(default=50, description="How many tokens can be delegated from one.")


class Audit(Section):
    """The audit log."""

    storage: Literal["append_only"] = Field(
        default="append_only", description="Entries are added; none is changed or removed before its retention ends."
    )
    schema_version: Literal["1.0"] = Field(default="1.0", description="The form of the records.")
    capture_reasoning: bool = Field(default=True, description="Whether the reasoning in requests is kept.")
    retention_days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] = Field(
        default=2555, description="How long entries have to be kept."
    )
    checkpoint_every: Positive = Field(default=1000, description="Entries after which a checkpoint is signed.")


def _amount(value: int | str) -> int | str:
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise ValueError('expected a decimal number in quotes, such as `"1.50"`')
    return value


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected a time zone, such as `Europe/Berlin`") from None
    return name


def _unit_name(name: str) -> str:
    if not UNIT_NAME.fullmatch(name) or name == MONEY or name in ALIASES or Units().find(name) is not None:
        raise ValueError("expected a new name of small letters, digits and `_`")
    return name


class BudgetLimit(Section):
    """How much may be spent in a time: by each tenant, that is an issuer of persons, each person, or each prompt."""

    scope: Literal["tenant", "person", "prompt"] = Field(description="Who may spend it, each for itself.")
    unit: Text = Field(description="`actions`, `agents`, `compute_tokens`, `seconds`, a currency, or one of `units`.")
    window: Literal["life", "day", "month", "sliding", "bucket"] = Field(
        default="life", description="In which time; a bucket holds the amount and refills evenly in `seconds`."
    )
    time_zone: Annotated[str, AfterValidator(_zone)] = Field(
        default="UTC", description="The time zone of days and months."
    )
    seconds: Seconds | None = Field(default=None, description="How long a sliding window is, or a bucket refills.")
    amount: Annotated[int | str, AfterValidator(_amount)] = Field(
        description="How much: a whole number, or a decimal number in quotes."
    )
    soft_percent: Percent | None = Field(
        default=None, description="From how much of it on there are warnings; that of `quotas` without it."
    )

    @model_validator(mode="after")
    def _seconds_where_needed(self) -> BudgetLimit:
        if (self.seconds is None) == (self.window in ("sliding", "bucket")):
            wanted = "`seconds` beside" if self.seconds is None else "no `seconds` beside"
            raise ValueError(f"expected {wanted} the window `{self.window}`")
        return self


class BudgetStore(Section):
    """Where meters and reservations are kept."""

    kind: Literal["sqlite", "memory", "redis"] = Field(
        default="sqlite",
        description="The file of state; the memory of the process, which forgets; a server of Redis or Valkey.",
    )
    url: Text | None = Field(default=None, description="The server: `redis://`, `rediss://` for TLS, `unix://`.")
    prefix: Text = Field(default="{procurator}", description="Begins every key on the server.")

    @model_validator(mode="after")
    def _url_of_a_server(self) -> BudgetStore:
        if (self.url is None) is (self.kind == "redis"):
            wanted = "a `url` beside" if self.url is None else "no `url` beside"
            raise ValueError(f"expected {wanted} the kind `{self.kind}`")
        return self


class Quotas(Section):
    """What may be spent."""

    enforcement_level: Literal["prompt"] = Field(
        default="prompt", description="All actions of a prompt, whichever agent does them, spend from one account."
    )
    max_actions_per_prompt: Count = Field(default=200, description="Actions that may be permitted for a prompt.")
    max_compute_tokens: Count = Field(default=500_000, description="Compute tokens that a prompt may spend.")
    circuit_breaker: Literal["pause_and_notify"] = Field(
        default="pause_and_notify", description="At a limit the prompt is paused until a person resumes or ends it."
    )
    soft_percent: Percent = Field(default=80, description="From how much of a limit on there are warnings.")
    runaway_agents: Positive = Field(
        default=100, description="Agents that may be spawned for a prompt before one of its actions succeeds."
    )
    report_seconds: Seconds = Field(
        default=600, description="After which time a permit that nobody reported on counts as if all had been used."
    )
    store: BudgetStore = BudgetStore()
    units: Annotated[tuple[Annotated[str, AfterValidator(_unit_name)], ...], Strict(False)] = Field(
        default=(), description="Units beside those that there are."
    )
    limits: Annotated[tuple[BudgetLimit, ...], Strict(False)] = Field(
        default=(), description="Limits beside those above."
    )

    @model_validator(mode="after")
    def _known_units(self) -> Quotas:
        known = Units(self.units)
        for number, limit in enumerate(self.limits):
            unit = known.find(limit.unit)
            if unit is None:
                raise PlacedError(("limits", number, "unit"), limit.unit, "expected a unit that is known")
            try:
                unit.amount(limit.amount)
            except ValueError as error:
                raise PlacedError(("limits", number, "amount"), limit.amount, f"the amount {error}") from None
        names = [f"{one.scope} {one.unit} {one.window} {one.time_zone} {one.seconds}" for one in self.limits]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise PlacedError(("limits", number), "", "expected a limit that is not there yet")
        return self


class Approvals(Section):
    """Actions that a person has to agree to."""

    ttl_seconds: Seconds = Field(
        default=3600, description="How long an approval that is asked for can be given and used."
    )
    self_approval: Literal["deny", "allow"] = Field(
        default="deny", description="Whether the person behind an action may approve it, if the policy does not say."
    )
    roles: Texts = Field(
        default=(),
        description="An approver needs one of these in the claims `roles` or `groups`, if the policy names none.",
    )


class Replanning(Section):
    """What an agent may do about an action that failed."""

    max_per_prompt: Count = Field(default=10, description="How many times the plan for a prompt may be changed.")


class Identity(Section):
    """Who may act."""

    provider: Literal["oidc"] = Field(default="oidc", description="Persons prove who they are by OpenID Connect.")
    agent_registration: Literal["dynamic", "static"] = Field(
        default="dynamic", description="Whether agents register at run time, or are those in `agents` alone."
    )
    impersonation: Literal["supported", "disabled"] = Field(
        default="supported", description="Whether a person's token may act for somebody else by an `act` claim."
    )
    shared_keys: Literal["disabled"] = Field(
        default="disabled", description="No two agents have one key, and none has a symmetric one."
    )


class State(Section):
    """Where the gateway keeps what it knows."""

    path: Text = Field(default="procurator.db", description="The SQLite file.")


class Keys(Section):
    """The gateway's own keys."""

    signing: Text = Field(default="procurator-key.pem", description="The file of the key that signs tokens.")
    checkpoint: Text | None = Field(
        default=None, description="The file of the key that signs checkpoints; that for tokens without it."
    )
    create: bool = Field(default=True, description="Whether a missing file is made, readable by its owner alone.")


class Identification(Section):
    """What the gateway calls itself."""

    issuer: Uri = Field(default=DEFAULT_ISSUER, description="The issuer of its tokens.")
    audience: OneOrMore = Field(default=(DEFAULT_ISSUER,), description="Whom tokens have to be meant for.")


class Issuer(Section):
    """Somebody whose tokens say who a person is."""

    issuer: Uri = Field(description="What tokens have as their issuer.")
    audience: OneOrMore = Field(description="Whom tokens have to be meant for; one of these is enough.")
    authorized_parties: Texts = Field(
        default=(), description="The clients that tokens may have been given to (`azp`), besides the audience."
    )
    jwks: Annotated[Text, AfterValidator(_key_source)] = Field(
        description="Where the public keys are: an https URL, or a file."
    )
    algorithms: Annotated[tuple[Algorithm, ...], Strict(False), Field(min_length=1)] = Field(
        default=("RS256",), description="The algorithms that signatures may have."
    )
    clock_skew_seconds: Count = Field(default=30, description="How far clocks may differ.")
    refetch_floor_seconds: Seconds = Field(default=60, description="Keys are not fetched more often than this.")
    cache_seconds: Seconds = Field(default=3600, description="How long fetched keys are taken for good.")
    claims: Texts = Field(
        default=("groups", "roles", "scope", "amr", "acr"), description="The claims that policies can read."
    )


class Agent(Section):
    """An agent that is known before it registers."""

    id: Text = Field(description="Its name.")
    jwk: Annotated[dict[str, Any], AfterValidator(_public)] | None = Field(
        default=None, description="Its public key as a JWK: Ed25519 or P-256."
    )
    key_file: Text | None = Field(default=None, description="A file with the same, as a JWK or in PEM.")

    @model_validator(mode="after")
    def _one_key(self) -> Agent:
        if (self.jwk is None) == (self.key_file is None):
            found = "neither" if self.jwk is None else "both"
            raise ValueError(f"expected one of `jwk` and `key_file`, found {found}")
        return self


class Proof(Section):
    """Proof of possession: every call proves that the agent has the key of its token."""

    required: bool = Field(default=True, description="Whether a call without a proof is refused.")
    exempt: Texts = Field(default=(), alias="except", description="The agents whose calls need none.")
    window_seconds: Seconds = Field(default=60, description="How old a proof may be.")
    session_seconds: Seconds = Field(default=300, description="How long a proof session lasts, at the most.")

    @model_validator(mode="after")
    def _except_what(self) -> Proof:
        if self.exempt and not self.required:
            raise ValueError("expected `required: true` beside `except`: without it no call needs a proof")
        return self

    def is_required(self, agent: str) -> bool:
        """Whether an agent has to prove that it has its key."""
        return self.required and agent not in self.exempt


class Masks(Section):
    """What is hidden before anything is written to the audit log."""

    defaults: bool = Field(default=True, description=f"Whether these keys are masked too: {', '.join(SECRETS)}.")
    keys: Texts = Field(default=(), description="Names of members whose values are hidden, in any case of letters.")
    paths: Annotated[tuple[Annotated[str, AfterValidator(_pointer)], ...], Strict(False)] = Field(
        default=(), description="JSON pointers of values that are hidden."
    )
    patterns: Annotated[tuple[Annotated[Text, AfterValidator(_compiled)], ...], Strict(False)] = Field(
        default=(),
        description="Regular expressions of RE2; what they find in any text, number or name of a member is hidden.",
    )

    @property
    def all_keys(self) -> tuple[str, ...]:
        """The names whose values are hidden, the usual ones included."""
        return (*self.keys, *(SECRETS if self.defaults else ()))


class Notifications(Section):
    """What people hear of at once, beside the log: limits that are nearly reached, prompts that are paused."""

    command: Texts = Field(default=(), description="A command with its arguments; it gets JSON on its standard input.")
    webhook: Annotated[str, AfterValidator(_hook)] | None = Field(
        default=None, description="A URL that JSON is posted to: https, or http on this machine."
    )
    seconds: Seconds = Field(default=5, description="How long sending one may take.")


class GatewayConfig(Section):
    """All settings of a gateway. Without a file these defaults hold, under which everything is denied."""

    policy_engine: PolicyEngine = PolicyEngine()
    policies: Texts = Field(default=(), description="Policies, documents, bundles, and folders of these.")
    entrypoint: Text = Field(default=DEFAULT_ENTRYPOINT, description="The rule or package that decides.")
    limits: Limits = Limits()
    bundle_key: BundleKey | None = None
    delegation: Delegation = Delegation()
    audit: Audit = Audit()
    quotas: Quotas = Quotas()
    approvals: Approvals = Approvals()
    replanning: Replanning = Replanning()
    identity: Identity = Identity()
    issuers: Annotated[tuple[Issuer, ...], Strict(False)] = ()
    agents: Annotated[tuple[Agent, ...], Strict(False)] = ()
    proof: Proof = Proof()
    gateway: Identification = Identification()
    keys: Keys = Keys()
    state: State = State()
    masks: Masks = Masks()
    notifications: Notifications = Notifications()
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _named_once(self) -> GatewayConfig:
        _once("issuers", "issuer", [one.issuer for one in self.issuers])
        _once("agents", "id", [one.id for one in self.agents])
        return self

    def within(self, folder: Path) -> GatewayConfig:
        """The same settings, in which paths are relative to a folder."""
        other = self.model_copy()
        other._folder = folder
        return other

    def resolve(self, path: str) -> Path:
        """A path of the settings: relative to the folder of the file, or the current one without a file."""
        return self._folder / path

    @property
    def policy_paths(self) -> tuple[str, ...]:
        """The paths of `policies`, resolved; a prefix such as `a.b:` stays."""
        return tuple(self._resolved())

    def _resolved(self) -> Iterator[str]:
        for named in self.policies:
            place, path = split_prefix(named)
            path = path if path.startswith("file://") else str(self.resolve(path))
            yield f"{'.'.join(place)}:{path}" if place else path


def _once(section: str, member: str, names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise PlacedError((section, number, member), name, "expected a name that is not there yet")
