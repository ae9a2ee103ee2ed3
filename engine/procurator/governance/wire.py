"""What callers of the gateway send: requests for a decision, and reports of what came of one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from procurator.governance.refusals import Refused
from procurator.governance.strict_json import NOT_UNICODE, Json, JsonError, canonical, check_object, malformed, read
from procurator_rules.hints import meant

_AMOUNT: Final = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,18})?")
_MONEY: Final = {"amount", "currency"}

Place: TypeAlias = tuple[str | int, ...]


def _cost(value: dict[str, Json]) -> dict[str, Json]:
    for unit, amount in check_object(value).items():
        if isinstance(amount, dict):
            if amount.keys() != _MONEY or not isinstance(amount["currency"], str):
                raise JsonError((unit,), "is not an object of an `amount` and a `currency`")
            _check_amount(amount["amount"], (unit, "amount"))
        else:
            _check_amount(amount, (unit,))
    return value


def _check_amount(amount: Json, place: Place) -> None:
    """Whether it may be spent is for the budget to say; a float has no exact amount."""
    if type(amount) not in (int, Decimal) and not (isinstance(amount, str) and _AMOUNT.fullmatch(amount)):
        raise JsonError(place, "is no amount: an integer or a decimal text is wanted")


Id: TypeAlias = Annotated[str, Field(min_length=1, max_length=128, pattern="^[A-Za-z0-9._:-]+$")]
"""A name that a caller or the gateway gave to a request, a prompt, a permit."""

Text: TypeAlias = Annotated[str, Field(min_length=1)]
Object: TypeAlias = Annotated[dict[str, Any], AfterValidator(check_object)]
Cost: TypeAlias = Annotated[dict[str, Any], AfterValidator(_cost)]
"""Amounts by unit: integers or decimal texts, money with its currency."""

Digest: TypeAlias = Annotated[str, Field(pattern="^(sha256:)?[0-9A-Fa-f]{64}$")]


class Wire(BaseModel):
    """A message: nothing is converted, nothing unknown passes, nothing changes once it is read."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class Action(Wire):
    """What an agent wants to do."""

    operation: Literal["read", "write", "execute", "delegate"]
    tool: Annotated[str, Field(min_length=1, max_length=256)]
    target_resource: Text | None = None
    parameters: Object = {}

    @property
    def document(self) -> dict[str, Json]:
        """The action as policies see it; a resource that is not named is left out."""
        parts: dict[str, Json] = {"operation": self.operation, "tool": self.tool, "parameters": self.parameters}
        if self.target_resource is not None:
            parts["target_resource"] = self.target_resource
        return parts


class Reasoning(Wire):
    """Why an agent wants to do it: its own words, why this tool, and the SHA-256 of its context window in hex."""

    snapshot: str | None = None
    tool_rationale: str | None = None
    context_digest: Digest | None = None

    @property
    def document(self) -> dict[str, Json]:
        """The parts that are there, by name."""
        return {name: value for name, value in self.__dict__.items() if value is not None}


class Request(Wire):
    """A request for a decision about one action."""

    request_id: Id
    prompt_id: Id
    action: Action
    token: Annotated[Text, Field(repr=False)]
    proof: Annotated[Text | None, Field(repr=False)] = None
    context: Object = {}
    reasoning: Reasoning | None = None
    estimated_cost: Cost = {}
    approval_ref: Text | None = None

    @property
    def document(self) -> dict[str, Json]:
        """What the caller says, as policies see it; the values in it are shared and must not be changed."""
        parts: dict[str, Json] = {
            "request_id": self.request_id,
            "prompt_id": self.prompt_id,
            "action": self.action.document,
            "context": self.context,
            "estimated_cost": self.estimated_cost,
        }
        if self.reasoning is not None:
            parts["reasoning"] = self.reasoning.document
        return parts


class Opening(Wire):
    """A request for a proof session."""

    token: Annotated[Text, Field(repr=False)]
    proof: Annotated[Text | None, Field(repr=False)]
    request_id: Id


class Report(Wire):
    """What came of a permit: the outcome, what was spent, and evidence."""

    permit_id: Id
    outcome: Literal["success", "failure", "timeout", "not_attempted"]
    actual: Cost = {}
    payload: Object = {}


MAX_MESSAGE: Final = 1 << 20
"""Characters of a request or a report, since each is kept for years."""

SUPPLIED: Final = frozenset({"delegation", "actor", "budget", "approval", "history", "time"})
"""What the gateway tells policies by itself; what a caller writes there is thrown away."""

M = TypeVar("M", bound=Wire)


def read_request(value: Mapping[str, Json] | str | bytes | Request) -> Request:
    """The request in a JSON text or a Python object.

    Raises:
        Refused: `malformed`, with the path of the member that is wrong.
    """
    if type(value) is Request:
        return value
    members = _members(value)
    if not SUPPLIED.isdisjoint(members):
        members = {name: member for name, member in members.items() if name not in SUPPLIED}
    return _validated(Request, members)


def read_report(value: Mapping[str, Json] | str | bytes | Report) -> Report:
    """The report in a JSON text or a Python object.

    Raises:
        Refused: `malformed`, with the path of the member that is wrong.
    """
    report = value if type(value) is Report else _validated(Report, _members(value))
    check_size(canonical({"actual": report.actual, "payload": report.payload}))
    return report


def check_size(text: str) -> str:
    """The canonical JSON of a message, or a part of one, if that is not too long to be kept.

    Raises:
        Refused: `malformed`.
    """
    if len(text) > MAX_MESSAGE:
        raise malformed((), f"has more than {MAX_MESSAGE} characters")
    return text


def read_opening(value: Mapping[str, Json]) -> Opening:
    """The request for a proof session in a Python object.

    Raises:
        Refused: `malformed`, with the path of the member that is wrong.
    """
    return _validated(Opening, _members(value))


def _members(value: object) -> dict[str, Json]:
    if isinstance(value, str | bytes):
        if len(value) > MAX_MESSAGE:
            raise malformed((), f"has more than {MAX_MESSAGE} characters")
        value = read(value)
    if isinstance(value, dict):
        return value
    if isinstance(value, Mapping):
        return dict(value)
    raise malformed((), "is not an object")


def _validated(model: type[M], members: dict[str, Json]) -> M:
    try:
        return model.model_validate(members)
    except ValidationError as error:
        raise _refusal(model, error) from None


# What is wrong with a message


def _refusal(model: type[Wire], error: ValidationError) -> Refused:
    first = error.errors(include_url=False, include_input=False)[0]
    kind, context = first["type"], first.get("ctx", {})
    place = tuple(part for part in first["loc"] if part != "[key]")
    if kind == "value_error" and isinstance(cause := context["error"], JsonError):
        return malformed((*place, *cause.place), cause.problem)
    if kind == "extra_forbidden":
        return malformed(place, f"is not known here{_hint(model, place)}")
    return malformed(place, _PROBLEMS[kind](context) if kind in _PROBLEMS else "is not what is expected there")


def _hint(model: type[Wire], place: Place) -> str:
    """The member that was meant by an unknown one."""
    owner = _MODELS.get(place[:-1], model)
    hint = meant(str(place[-1]), owner.model_fields)
    return f"; {hint}" if hint else ""


_MODELS: Final[Mapping[Place, type[Wire]]] = {("action",): Action, ("reasoning",): Reasoning}

_Context: TypeAlias = "dict[str, Any]"

_PROBLEMS: Final[Mapping[str, Callable[[_Context], str]]] = {
    "missing": lambda _: "is missing",
    "string_type": lambda _: "is not a string",
    "dict_type": lambda _: "is not an object",
    "model_type": lambda _: "is not an object",
    "invalid_key": lambda _: "is a name that is not a string",
    "literal_error": lambda context: f"is none of {context['expected']}",
    "string_too_short": lambda _: "is empty",
    "string_too_long": lambda context: f"is longer than {context['max_length']} characters",
    "string_pattern_mismatch": lambda context: f"is not of the form `{context['pattern']}`",
    "string_unicode": lambda _: NOT_UNICODE,
}
"""What to say of a mistake that pydantic has found; what it found there is not repeated, it may be secret."""
