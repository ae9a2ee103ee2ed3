"""`procurator token grant | prove`: a person sends an agent out, and an agent proves that it makes a call."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

from procurator.cli.options import config_option
from procurator.cli.terminal import shown
from procurator.cli.token_options import (
    FILE,
    budget_of,
    budget_option,
    moment_of,
    or_error,
    text_of,
    token_argument,
    tool_option,
    tools_of,
    tools_option,
)

if TYPE_CHECKING:
    from procurator.governance.steps.minting import Tools

NOT_SO: Final = 1

_ID_BYTES: Final = 16


@click.command("grant")
@token_argument
@config_option
@click.option("--agent", required=True, metavar="NAME", help="Set who gets the token; it has to be registered.")
@tool_option
@tools_option
@click.option("--authority", type=FILE, metavar="FILE", help="Set it all as a JSON array, as `authorization_details`.")
@budget_option
@click.option("--ttl", type=click.IntRange(min=1), metavar="SECONDS", help="Set how long it lives.")
@click.option("--max-depth", type=click.IntRange(0, 64), help="Set how deep it may be delegated.")
@click.option("--prompt-id", metavar="ID", help="Set the prompt it is for; default: a new one.")
@click.option("--intent", metavar="TEXT", help="Set what the person has asked for.")
@click.pass_context
def grant(
    ctx: click.Context,
    token: IO[str],
    config: Path,
    agent: str,
    names: Sequence[str],
    tools: Path | None,
    authority: Path | None,
    budget: Sequence[str],
    ttl: int | None,
    max_depth: int | None,
    prompt_id: str | None,
    intent: str | None,
) -> None:
    """Send an agent out for the person whose ID or access token is in the file, and print the agent's token.

    The policies of the gateway decide, and its audit log says so; the exit code is 1 where they deny it.
    """
    from procurator.cli.gateways import opened
    from procurator.governance.decision import Denied
    from procurator.governance.delegation.tokens import budget_to_json

    asked, amounts, text = _asked(names, tools, authority), budget_of(budget), text_of(token)
    with opened(config) as gateway:
        try:
            granted = gateway.delegate(
                text,
                agent=agent,
                tools=asked,
                budget=None if amounts is None else budget_to_json(amounts),
                ttl=ttl,
                max_depth=max_depth,
                prompt_id=prompt_id,
                intent=intent,
            )
        except Denied as error:
            click.echo(shown(str(error)), err=True)
            ctx.exit(NOT_SO)
    click.echo(granted)


def _asked(names: Sequence[str], tools: Path | None, authority: Path | None) -> Tools:
    asked = tools_of(names, tools)
    if (asked is None) is (authority is None):
        raise click.UsageError("give one of `--tool`, `--tools` and `--authority`")
    if authority is None:
        return asked or ()
    details = _json(authority.read_bytes())
    if not isinstance(details, list):
        raise click.UsageError(f"`{authority}` holds no JSON array")
    return details


@click.command("prove")
@click.argument("request", type=click.File("rb"), default="-", metavar="[FILE]")
@click.option("--token", type=click.File("r", encoding="utf-8"), required=True, help="Set the file of the token.")
@click.option("--key", type=FILE, required=True, metavar="FILE", help="Set the private key of the token's holder.")
def prove(request: IO[bytes], token: IO[str], key: Path) -> None:
    """Complete a request with a token and a proof that its holder makes it, and print it for `procurator decide`.

    `request_id` is made where it is missing, and `prompt_id` taken from the token.
    """
    from procurator.governance.delegation.proofs import call_of
    from procurator.governance.delegation.proofs import prove as proved
    from procurator.governance.delegation.verifying import read_unverified
    from procurator.governance.signing.keys import load_private
    from procurator.governance.wire import read_request
    from procurator.values import dumps

    given, text, secret = _json(request.read()), text_of(token), or_error(lambda: load_private(key))
    if not isinstance(given, dict):
        raise click.ClickException(f"`{request.name}` holds no JSON object")
    task = or_error(lambda: read_unverified(text))[-1].task
    complete: dict[str, Any] = {"request_id": secrets.token_hex(_ID_BYTES), "prompt_id": task, **given, "token": text}
    or_error(lambda: read_request(complete))
    click.echo(dumps({**complete, "proof": proved(secret, call_of(complete), text, moment_of(None))}))


def _json(raw: bytes) -> Any:
    from procurator.governance.strict_json import read

    return or_error(lambda: read(raw))


COMMANDS: Final = (grant, prove)
"""What `procurator token` has of these."""
