"""`procurator budget show | resume | end`: what prompts spend, and what people do when one was paused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from procurator.cli.controls import format_of_controls, or_refused, recorded, who, why_option
from procurator.cli.options import config_option
from procurator.cli.terminal import plain
from procurator_rules.json_text import json_text

if TYPE_CHECKING:
    from procurator.cli.state import State
    from procurator.governance.people.prompts import Prompts

Record = Mapping[str, Any]

_person: Final = click.option(
    "--person", metavar="SUBJECT", help="Say whose prompt is meant, if several persons have one with the id."
)


@click.group("budget")
def command() -> None:
    """Show what prompts spend; let a paused one go on, or end it."""


@command.command("show")
@click.argument("prompt_id", default="", metavar="[PROMPT]")
@config_option
@format_of_controls
def show(prompt_id: str, style: str, config: Path) -> None:
    """Show what is spent, reserved and left for the prompt PROMPT; without one, the prompts that are stopped."""
    with _opened(config) as (state, prompts):
        now_ns = state.clock()
        look = partial(prompts.balance, prompt_id=prompt_id, now_ns=now_ns) if prompt_id else prompts.stopped
        found = or_refused(style, partial(state.store.transact, look))
    if style == "json":
        click.echo(json_text(found))
        return
    for one in found:
        click.echo("\n".join(map(plain, _lines(one))))


@command.command("resume")
@click.argument("prompt_id", metavar="PROMPT")
@click.option(
    "--raise",
    "raised",
    multiple=True,
    metavar="UNIT=AMOUNT",
    help="Raise a limit, that of a day until it ends; repeatable.",
)
@click.option(
    "--scope",
    type=click.Choice(["prompt", "person", "tenant"]),
    default="prompt",
    show_default=True,
    help="Set whose limits are raised.",
)
@_person
@why_option
@config_option
@format_of_controls
def resume(
    prompt_id: str,
    raised: Sequence[str],
    scope: str,
    person: str | None,
    why: str,
    style: str,
    config: Path,
) -> None:
    """Let the prompt PROMPT go on."""
    amounts = dict(_raised(text) for text in raised)

    def change(prompts: Prompts, tx: Any, now_ns: int) -> Record:
        more: dict[str, Any] = {"person": person, "raised": amounts, "scope": scope, "by": who(), "why": why}
        return prompts.resume(tx, prompt_id, now_ns, **more)

    _changed(change, style, config)


@command.command("end")
@click.argument("prompt_id", metavar="PROMPT")
@_person
@why_option
@config_option
@format_of_controls
def end(prompt_id: str, person: str | None, why: str, style: str, config: Path) -> None:
    """End the prompt PROMPT for good."""

    def change(prompts: Prompts, tx: Any, now_ns: int) -> Record:
        return prompts.end(tx, prompt_id, now_ns, by=who(), why=why, person=person)

    _changed(change, style, config)


def _changed(change: Callable[[Prompts, Any, int], Record], style: str, config: Path) -> None:
    with _opened(config) as (state, prompts):
        now_ns = state.clock()
        record = recorded(state, "budget", style, lambda tx: change(prompts, tx, now_ns))
    if style == "json":
        click.echo(json_text(dict(record)))
        return
    already = "" if record["changed"] else " already"
    raised = "".join(f", {amount} {unit} more" for unit, amount in record.get("raised", {}).items())
    click.echo(plain(f"prompt `{record['prompt_id']}`: {record['state']}{already}{raised}"))


@contextmanager
def _opened(config: Path) -> Iterator[tuple[State, Prompts]]:
    """The budgets of a configuration: it says what the limits are, and where it is kept what was spent."""
    from procurator.cli.state import opened
    from procurator.governance.assembly.budgets import budgets_of, paths_of
    from procurator.governance.people.prompts import Prompts

    with opened(config, None) as state:
        if state.config.quotas.store.kind == "memory":
            raise click.ClickException(
                "budgets are in the memory of the gateway alone: `quotas.store.kind` is `memory`"
            )
        yield state, Prompts(budgets_of(state.config, state.store), paths_of(state.config))


def _raised(text: str) -> tuple[str, str]:
    unit, separator, amount = text.partition("=")
    if not (unit and separator and amount):
        raise click.UsageError(f"`{text}` is not of the form UNIT=AMOUNT")
    return unit, amount


def _lines(balance: Mapping[str, Any]) -> list[str]:
    """What is said of a prompt."""
    why = f": {balance['why']}" if balance["why"] else ""
    head = f"prompt `{balance['prompt_id']}` of `{balance['person']['subject']}` {_STATES[balance['state']]}{why}"
    rows = [
        (
            f"  {line['scope']}",
            line["unit"],
            line["window"],
            f"{line['spent']} spent",
            f"{line['reserved']} reserved",
            "" if line["limit"] is None else f"{line['remaining']} of {line['limit']} left",
        )
        for line in balance.get("lines", ())
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [head, *("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)]


_STATES: Final = {"goes on": "goes on", "paused": "is paused", "ended": "was ended"}
