"""Functions that ask before they act: `@gateway.governed(tool="send_email", resource=...)`.

Who calls, on the strength of which token, is said once around the work of an agent, with `acting`; it follows the
context of threads and tasks, so that two agents in one process do not act in each other's name.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, ParamSpec, Protocol, TypeAlias, TypeVar, cast

from procurator.governance.decision import (
    DENY,
    FAILURE,
    NOT_ATTEMPTED,
    PERMIT,
    SUCCESS,
    TIMEOUT,
    Denied,
    GatewayDecision,
)
from procurator.governance.delegation.proofs import call_of, prove
from procurator.governance.delegation.verifying import read_unverified
from procurator.governance.signing.keys import PrivateKey, load_private
from procurator.governance.strict_json import canonical

P = ParamSpec("P")
R = TypeVar("R")
Action: TypeAlias = dict[str, Any]
Described: TypeAlias = Callable[[tuple[Any, ...], dict[str, Any]], Action]
"""Makes the action that a call is from its arguments."""

CHANGED: Final = "the arguments were changed while they were decided about"
CAN_DISCHARGE: Final = frozenset({"report_result", "idempotency_key", "undo_available_until"})
"""The obligations that a governed call meets by itself; with any other it is not carried out."""


class Decider(Protocol):
    """What a governed function asks: the gateway, or what stands for it in another process."""

    def decide(self, request: Mapping[str, Any]) -> GatewayDecision:
        """The decision about a request."""

    def report(self, permit_id: str, outcome: str, *, payload: Mapping[str, Any] | None = None) -> Any:
        """Say how a permitted action went."""


@dataclass(frozen=True)
class Actor:
    """An agent at work.

    Attributes:
        token: the chain that it acts on.
        prompt_id: the prompt that it works for.
        prove: makes the proof of possession for a request; None where no proof is asked for.
        context: what every request of it carries as `context`.
    """

    token: str
    prompt_id: str
    prove: Callable[[Mapping[str, Any]], str] | None = None
    context: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def holding(cls, token: str, key: PrivateKey | str | Path, context: Mapping[str, Any] | None = None) -> Actor:
        """An agent that holds a token, and signs a proof of each call.

        Args:
            token: its token, which says for which prompt it is.
            key: its private key, or the file of it.
            context: what every request of it carries as `context`.

        Raises:
            Refused: the token or the key is none.
            OSError: the file of the key cannot be read.
        """
        secret = key if isinstance(key, PrivateKey) else load_private(key)
        task = read_unverified(token)[-1].task
        return cls(
            token, task, lambda request: prove(secret, call_of(request), token, int(time.time())), dict(context or {})
        )

    def request(self, action: Mapping[str, Any]) -> dict[str, Any]:
        """A request of the agent, with a new id, the approval that is at hand, and its proof."""
        request: dict[str, Any] = {
            "request_id": str(uuid.uuid4()),
            "prompt_id": self.prompt_id,
            "action": dict(action),
            "token": self.token,
            "context": dict(self.context),
        }
        approval_ref = _APPROVAL.get()
        if approval_ref is not None:
            request["approval_ref"] = approval_ref
        if self.prove is not None:
            request["proof"] = self.prove(request)
        return request


_APPROVAL: Final[ContextVar[str | None]] = ContextVar("procurator_approval", default=None)
_ACTOR: Final[ContextVar[Actor | None]] = ContextVar("procurator_actor", default=None)


@contextmanager
def acting(actor: Actor) -> Iterator[Actor]:
    """Governed functions called inside are called by this agent."""
    before = _ACTOR.set(actor)
    try:
        yield actor
    finally:
        _ACTOR.reset(before)


@contextmanager
def approved(approval_ref: str) -> Iterator[None]:
    """What is called inside names an approval: the `approval_id` of the decision that asked for it."""
    before = _APPROVAL.set(approval_ref)
    try:
        yield
    finally:
        _APPROVAL.reset(before)


def governed(
    decider: Decider,
    *,
    tool: str,
    operation: str = "execute",
    resource: str | Callable[..., str | None] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: a function, or coroutine function, that runs only when the gateway permits the call.

    Args:
        decider: what is asked.
        tool: the name of the tool.
        operation: what it does: `read`, `write`, `execute` or `delegate`.
        resource: the resource it touches, or a function of the call's arguments that says which; it is asked again once
            the decision is there, since what is done has to be what was decided about.

    The arguments of the call are the action's parameters. The wrapped function raises `Denied` when it is not
    permitted, when nobody is `acting`, and when two arguments have one name; it reports how it went: `failure` when it
    raises. A generator cannot be decorated (TypeError): it acts after it has returned.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            named = getattr(function, "__qualname__", function)
            raise TypeError(f"`{named}` acts after it has returned, so nobody could say how it went")
        parameters = partial(_parameters, inspect.signature(function), _receiver(function))

        def described(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Action:
            action = {"operation": operation, "tool": tool, "parameters": parameters(args, kwargs)}
            target = resource(*args, **kwargs) if callable(resource) else resource
            return action if target is None else action | {"target_resource": target}

        if inspect.iscoroutinefunction(function):
            return cast("Callable[P, R]", _asking_beside(decider, described, function))
        return _asking(decider, described, function)

    return decorate


def _asking(decider: Decider, described: Described, function: Callable[P, R]) -> Callable[P, R]:
    """A function that asks before it runs, and reports how it went."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        action = described(args, kwargs)
        permit_id = _permitted(decider, action)
        if not _is_still(action, partial(described, args, kwargs)):
            decider.report(permit_id, NOT_ATTEMPTED)
            raise _refused("malformed", CHANGED)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            decider.report(permit_id, _outcome(error))
            raise
        decider.report(permit_id, SUCCESS)
        return result

    return run


def _asking_beside(
    decider: Decider, described: Described, function: Callable[P, Awaitable[Any]]
) -> Callable[P, Awaitable[Any]]:
    """The same of a coroutine function; it asks and reports beside the event loop."""

    @functools.wraps(function)
    async def run(*args: P.args, **kwargs: P.kwargs) -> Any:
        action = described(args, kwargs)
        permit_id = await _asked(decider, partial(_permitted, decider, action))
        if not _is_still(action, partial(described, args, kwargs)):
            await _reported(decider, permit_id, NOT_ATTEMPTED)
            raise _refused("malformed", CHANGED)
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            await _reported(decider, permit_id, _outcome(error))
            raise
        await _reported(decider, permit_id, SUCCESS)
        return result

    return run


def _receiver(function: Callable[..., Any]) -> str | None:
    """What a method calls the object or class that it belongs to; None for a function by itself."""
    owner = getattr(function, "__qualname__", "").rpartition(".")[0]
    first = next(iter(inspect.signature(function).parameters), None)
    return first if first in ("self", "cls") and owner and not owner.endswith("<locals>") else None


def _parameters(
    signature: inspect.Signature, receiver: str | None, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """The arguments by name; those of `**kwargs` beside the others, what a method belongs to left out.

    Raises:
        Denied: two arguments have one name; only one of them would be decided about.
    """
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    parameters: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        kind = signature.parameters[name].kind
        given = value if kind is inspect.Parameter.VAR_KEYWORD else {name: value}
        for twice in sorted(given.keys() & parameters.keys()):
            raise _refused("malformed", f"the call has two arguments called `{twice}`")
        parameters |= {name: list(value)} if kind is inspect.Parameter.VAR_POSITIONAL else given
    if receiver is not None:
        del parameters[receiver]
    try:
        return {name: _copied(value) for name, value in parameters.items()}
    except RecursionError:
        raise _refused("malformed", "an argument of the call is nested without end") from None


def _copied(value: Any) -> Any:
    """A JSON value that nobody else can change; what is none is not decided about anyway."""
    if type(value) is dict:
        return {name: _copied(member) for name, member in value.items()}
    return [_copied(item) for item in value] if type(value) is list else value


def _is_still(action: Mapping[str, Any], describe: Callable[[], Mapping[str, Any]]) -> bool:
    """Whether what would be done is what was decided about."""
    try:
        return canonical(action) == canonical(describe())
    except Exception:  # whatever cannot be described any more was changed, and its permit is to be given back
        return False


def _refused(reason: str, message: str) -> Denied:
    """The denial of a call that cannot even be asked about."""
    return Denied(GatewayDecision(DENY, reason, message, "", None))


def _permitted(decider: Decider, action: Mapping[str, Any]) -> str:
    """The permit for an action; `Denied` if there is none, or it asks for what cannot be done here."""
    actor = _ACTOR.get()
    if actor is None:
        raise _refused("agent_unknown", "nobody is acting: call it inside `acting(...)`")
    try:
        request = actor.request(action)
    except (TypeError, ValueError):
        raise _refused("malformed", "an argument of the call is no JSON value") from None
    decision = decider.decide(request)
    if decision.verdict != PERMIT or decision.replayed or decision.permit_id is None:
        raise Denied(decision)
    unmet = [str(asked["type"]) for asked in decision.obligations if asked["type"] not in CAN_DISCHARGE]
    if unmet:
        decider.report(decision.permit_id, NOT_ATTEMPTED, payload={"unmet_obligations": unmet})
        raise Denied(decision)
    return decision.permit_id


async def _asked(decider: Decider, ask: Callable[[], str]) -> str:
    """Ask beside the event loop; a permit that comes when nobody waits for it any more is given back."""
    given_up, unused = threading.Event(), list[str]()

    def give_back() -> None:
        with suppress(IndexError):  # the other thread has
            decider.report(unused.pop(), NOT_ATTEMPTED)

    def permitted() -> str:
        unused.append(permit_id := ask())
        if given_up.is_set():
            give_back()
        return permit_id

    try:
        return await asyncio.to_thread(permitted)
    except asyncio.CancelledError:
        given_up.set()
        if unused:  # it may be there already, with none to look whether it was given up
            await asyncio.shield(asyncio.to_thread(give_back))
        raise


def _outcome(error: BaseException) -> str:
    return TIMEOUT if isinstance(error, TimeoutError) else FAILURE


async def _reported(decider: Decider, permit_id: str, outcome: str) -> None:
    """Report beside the event loop, which must not wait for the disk, and even if the task is cancelled meanwhile."""
    await asyncio.shield(asyncio.to_thread(decider.report, permit_id, outcome))
