"""`procurator decide`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final

import click

from procurator.cli.gateways import opened
from procurator.cli.options import config_option, format_option
from procurator.cli.sources import LARGEST, progress
from procurator.cli.terminal import shown
from procurator.governance.decision import DENY, DRY_RUN, PERMIT, PROPOSE, GatewayDecision
from procurator.governance.gateway import Gateway
from procurator.governance.strict_json import canonical
from procurator.values import dumps

FINE: Final = 0
NOT_SO: Final = 1
ERROR: Final = 2

TOGETHER: Final = 50
"""Requests that are written to the log together."""

COLOURS: Final = {PERMIT: "green", DENY: "red", PROPOSE: "yellow", DRY_RUN: "cyan"}

_LABEL: Final = 7


@click.command("decide")
@click.argument("request", type=click.File("rb"), default="-", metavar="[FILE]")
@config_option
@click.option("--lines", is_flag=True, help="Read several requests, one a line, and decide them in their order.")
@click.option("--record", is_flag=True, help="Print the records of the audit log, as JSON.")
@format_option("pretty", "json")
def command(request: IO[bytes], config: Path, lines: bool, record: bool, style: str) -> int:
    """Decide whether an agent may carry out an action; the request is JSON from a file, or from standard input.

    The decision is in the audit log when it is printed, and a permit counts: report how the action went. Exit codes: 0
    everything is permitted, 1 something is not, 2 an error.
    """
    raw = request.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise click.ClickException(f"`{request.name}` has more than {LARGEST >> 20} MiB")
    requests = _split(raw) if lines else [raw]
    code = FINE
    with opened(config) as gateway:
        for decision in _decided(gateway, requests):
            click.echo(_text(decision, style, record, several=lines))
            code = max(code, _code(decision))
    return code


def _split(raw: bytes) -> list[bytes]:
    """The lines of a text; an empty one is a malformed request, like any other that holds none."""
    return raw.removesuffix(b"\n").split(b"\n") if raw else []


def _decided(gateway: Gateway, requests: Sequence[bytes]) -> Iterator[GatewayDecision]:
    """The decisions, as soon as they are durable."""
    for at in _shown_progress(range(0, len(requests), TOGETHER)):
        yield from gateway.decide_many(requests[at : at + TOGETHER])


def _shown_progress(starts: Sequence[int]) -> Iterable[int]:
    """Where the decisions are printed on the terminal they are progress enough."""
    return starts if sys.stdout.isatty() else progress(starts, "deciding")


def _code(decision: GatewayDecision) -> int:
    if decision.permitted:
        return FINE
    return ERROR if decision.reason == "internal_error" else NOT_SO


# What is printed


def _text(decision: GatewayDecision, style: str, record: bool, *, several: bool) -> str:
    if not record and style == "pretty":
        return "\n".join(_pretty(decision))
    document = decision.record if record and decision.record_text else decision.to_json()
    return dumps(document, pretty=not several)


def _pretty(decision: GatewayDecision) -> Iterator[str]:
    again = " (the first answer again)" if decision.replayed else ""
    verdict = click.style(decision.verdict, fg=COLOURS[decision.verdict], bold=True)
    name = "" if decision.request_id is None else f"  {shown(decision.request_id)}"
    yield f"{verdict}  {shown(decision.reason)}{name}{again}"
    yield f"  {shown(decision.message)}"
    if decision.record_text:
        for rule in decision.record["rules"]:
            title = f"  {shown(rule['title'])}" if rule["title"] else ""
            yield _line("rule", f"{shown(rule['file'])}:{rule['row']}  {shown(rule['path'])}{title}")
    if decision.approval_id is not None:
        yield _line("waits", f"`procurator approvals show {decision.approval_id}`")
    if decision.permit_id is not None:
        yield _line("permit", decision.permit_id)
    for obligation in decision.obligations:
        more = {name: value for name, value in obligation.items() if name != "type"}
        yield _line("oblige", f"{shown(str(obligation['type']))}{f' {shown(canonical(more))}' if more else ''}")
    for near in decision.warnings:
        left = f"{near['remaining']} of {near['limit']} {near['unit']} are left"
        yield _line("nearly", f"{left} in the window `{near['window']}`")


def _line(label: str, text: str) -> str:
    return f"  {label:<{_LABEL}} {text}"
