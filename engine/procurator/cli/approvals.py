"""`procurator approvals list | show | approve | deny`: actions of agents that wait for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

from procurator.cli.controls import format_of_controls, refused, state_options, why_option
from procurator.cli.terminal import plain
from procurator.cli.token_options import text_of, token_argument
from procurator_rules.json_text import json_text

if TYPE_CHECKING:
    from procurator.governance.approvals.approving import Approvals
    from procurator.governance.approvals.proposals import Approval

ALL: Final = "all"
_STATES: Final = ("pending", "approved", "denied", "expired", "consumed", ALL)

_approval: Final = click.argument("approval_id", metavar="ID")


@click.group("approvals")
def command() -> None:
    """Show the actions of agents that wait for a person, and approve or deny them.

    Who answers shows an ID or access token, which is read from a file or from standard input.
    """


@command.command("list")
@click.option(
    "--status", type=click.Choice(_STATES), default="pending", show_default=True, help="Set which ones are listed."
)
@click.option("--prompt", metavar="ID", help="List those of one prompt.")
@state_options
@format_of_controls
def list_approvals(status: str, prompt: str | None, style: str, **place: Path | None) -> None:
    """List what waits for an answer, the oldest first."""
    with _approvals(style, place) as approvals:
        found = approvals.list(None if status == ALL else status, prompt_id=prompt)
    if style == "json":
        click.echo(json_text([one.document for one in found]))
        return
    for one in found:
        click.echo(_line(one))


@command.command("show")
@_approval
@state_options
@format_of_controls
def show(approval_id: str, style: str, **place: Path | None) -> None:
    """Show all that is granted by an approval."""
    with _approvals(style, place) as approvals:
        found = approvals.show(approval_id)
    click.echo(json_text(found.document) if style == "json" else "\n".join(_lines(found)))


@command.command("approve")
@_approval
@token_argument
@why_option
@state_options
@format_of_controls
def approve(approval_id: str, token: IO[str], why: str, style: str, **place: Path | None) -> None:
    """Let the action be carried out once, if the policy still has nothing against it; the exit code is 1 if refused."""
    text = text_of(token)
    with _approvals(style, place) as approvals:
        _print(approvals.approve(approval_id, text, why=why), style)


@command.command("deny")
@_approval
@token_argument
@why_option
@state_options
@format_of_controls
def deny(approval_id: str, token: IO[str], why: str, style: str, **place: Path | None) -> None:
    """Forbid the action; the exit code is 1 if refused."""
    text = text_of(token)
    with _approvals(style, place) as approvals:
        _print(approvals.deny(approval_id, text, why=why), style)


@contextmanager
def _approvals(style: str, place: Mapping[str, Path | None]) -> Iterator[Approvals]:
    """The approvals that the options name; a refusal is printed and ends the command."""
    from procurator.cli.state import opened
    from procurator.governance.approvals.approving import Approvals
    from procurator.governance.assembly.parties import persons_of
    from procurator.governance.controls import Controls
    from procurator.governance.refusals import Refused

    with opened(**place) as state:
        settings, controls = state.config.approvals, Controls(state.store)
        approvals = Approvals(state.store, state.log, controls, persons_of(state.config), state.clock, settings)
        try:
            yield approvals
        except Refused as error:
            raise refused(error, style) from None


# What people read. Much of it are the words of agents.


def _value(value: Any) -> str:
    from procurator.values import dumps

    return plain(value if isinstance(value, str) else dumps(value))


def _line(approval: Approval) -> str:
    shown = approval.shown
    what = plain(f"agent `{shown['agent']}`: {_done(shown['action'])}: {shown['message']}")
    return f"{approval.approval_id} {approval.state:<8} until {approval.document['expires'][:19]}Z {what}"


def _done(action: Mapping[str, Any]) -> str:
    target = action.get("target_resource")
    return f"{action['operation']} `{action['tool']}`" + ("" if target is None else f" on `{target}`")


def _lines(approval: Approval) -> Iterator[str]:
    document = approval.document
    shown = approval.shown
    rows = {
        "approval": f"{approval.approval_id} {approval.state}, until {document['expires']}",
        "action": _done(shown["action"]),
        "parameters": shown["action"]["parameters"],
        "cost": shown["estimated_cost"],
        "context": shown["context"],
        "why": shown["message"],
        "reasoning": shown["reasoning"],
        "prompt": approval.prompt_id,
        "intent": shown["intent"],
        "person": shown["person"],
        "agents": " > ".join(link["agent"] for link in shown["chain"]) or shown["agent"],
        "envelope": shown["envelope"].get("authorization_details") or shown["envelope"],
        "approvers": document["approvers"],
        "answer": approval.answer,
        "permit": approval.permit_id,
    }
    for name, value in rows.items():
        if value not in (None, {}, ""):
            yield f"{name + ':':<12}{_value(value)}"


def _print(approval: Approval, style: str) -> None:
    click.echo(json_text(approval.document) if style == "json" else f"{approval.approval_id}: {approval.state}")
