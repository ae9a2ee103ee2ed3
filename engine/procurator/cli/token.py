"""`procurator token`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

from procurator.cli import controls, grant
from procurator.cli.options import format_option
from procurator.cli.token_options import (
    FILE,
    budget_of,
    budget_option,
    by_thumbprint,
    moment_of,
    or_error,
    text_of,
    token_argument,
    tool_option,
    tools_of,
    tools_option,
)
from procurator_rules.json_text import json_text

if TYPE_CHECKING:
    from procurator.governance.delegation.tokens import Link
    from procurator.governance.refusals import Refused

NOT_SO: Final = 1

_holder_keys: Final = click.option(
    "--holder-key",
    "holder_keys",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="Set a key of a holder whose token has its thumbprint alone. Can be given more than once.",
)


@click.group("token")
def command() -> None:
    """Make, look at and verify tokens of delegation; make keys; say who may act, and stop who must not.

    A token is read from a file, or from standard input; private keys are only ever read from files.
    """


for _command in (*grant.COMMANDS, *controls.COMMANDS):
    command.add_command(_command)


@command.command("inspect")
@token_argument
@format_option("pretty", "json")
@_holder_keys
def inspect(token: IO[str], style: str, holder_keys: Sequence[Path]) -> None:
    """Print a chain as a tree, with what each link narrows. Nothing is verified."""
    from procurator.governance.delegation.verifying import read_unverified

    text, known = text_of(token), by_thumbprint(holder_keys)
    links = or_error(lambda: read_unverified(text, known.get))
    _print(links, style, {"verified": None}, "not verified")


@command.command("verify")
@token_argument
@format_option("pretty", "json")
@click.option("--issuer", required=True, metavar="URL", help="Set the issuer of the root: the gateway.")
@click.option(
    "--key", "keys", type=FILE, multiple=True, required=True, metavar="FILE", help="Set a public key of the gateway."
)
@click.option("--audience", "audience", multiple=True, required=True, metavar="NAME", help="Set whom it must be for.")
@_holder_keys
@click.option("--max-depth", type=click.IntRange(0, 64), default=64, show_default=True, help="Refuse longer chains.")
@click.option(
    "--skew", type=click.IntRange(min=0), default=0, metavar="SECONDS", help="Seconds that clocks may differ."
)
@click.option("--at", "moment", metavar="TIME", help="Set the time, as seconds since 1970 or RFC 3339; default: now.")
@click.pass_context
def verify(
    ctx: click.Context,
    token: IO[str],
    style: str,
    issuer: str,
    keys: Sequence[Path],
    audience: Sequence[str],
    holder_keys: Sequence[Path],
    max_depth: int,
    skew: int,
    moment: str | None,
) -> None:
    """Verify a chain from its root to its leaf; the exit code is 1 for one that is refused."""
    from procurator.governance.delegation.verifying import verify_chain
    from procurator.governance.refusals import Refused

    text, now = text_of(token), moment_of(moment)
    issuer_keys, known = by_thumbprint(keys), by_thumbprint(holder_keys)
    try:
        chain = verify_chain(
            text,
            issuer=issuer,
            issuer_keys=issuer_keys,
            audience=audience,
            now=now,
            key_by_thumbprint=known.get,
            ceiling=max_depth,
            skew=skew,
        )
    except Refused as error:
        _print_refusal(error, style)
        ctx.exit(NOT_SO)
    _print(chain.links, style, {"verified": True}, "verified")


@command.command("derive")
@token_argument
@click.option("--key", type=FILE, required=True, metavar="FILE", help="Set the private key of the token's holder.")
@click.option("--agent", required=True, metavar="NAME", help="Set who gets the token.")
@click.option("--agent-key", type=FILE, required=True, metavar="FILE", help="Set the public key of that agent.")
@tool_option
@tools_option
@budget_option
@click.option(
    "--ttl", type=click.IntRange(min=1), metavar="SECONDS", help="Set how long it lives; default: its parent."
)
@click.option("--audience", multiple=True, metavar="NAME", help="Set the gateways it is for.")
@click.option("--max-depth", type=click.IntRange(0, 64), help="Set how deep it may be delegated.")
@_holder_keys
@click.pass_context
def derive(
    ctx: click.Context,
    token: IO[str],
    key: Path,
    agent: str,
    agent_key: Path,
    names: Sequence[str],
    tools: Path | None,
    budget: Sequence[str],
    ttl: int | None,
    audience: Sequence[str],
    max_depth: int | None,
    holder_keys: Sequence[Path],
) -> None:
    """Delegate a token to another agent, offline, and print the longer chain. What is not set stays as it is.

    The exit code is 1 where the token would allow more than its parent.
    """
    from procurator.governance.delegation.issuing import Share, narrowed
    from procurator.governance.delegation.issuing import derive as derived
    from procurator.governance.delegation.verifying import read_unverified
    from procurator.governance.refusals import Refused
    from procurator.governance.signing.keys import load_private, load_public

    asked = tools_of(names, tools)
    text, known = text_of(token), by_thumbprint(holder_keys)
    secret, public = or_error(lambda: load_private(key)), or_error(lambda: load_public(agent_key))
    parent = or_error(lambda: read_unverified(text, known.get))[-1]
    amounts = budget_of(budget)
    try:
        authority = None if asked is None else narrowed(parent.authority, asked)
        share = Share(agent, public, authority, amounts, ttl, audience or None, max_depth)
        click.echo(derived(text, secret, share, now=moment_of(None), key_by_thumbprint=known.get))
    except Refused as error:
        _print_refusal(error, "pretty")
        ctx.exit(NOT_SO)


@command.command("keygen")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--alg", type=click.Choice(["EdDSA", "ES256"]), default="EdDSA", show_default=True, help="Set the algorithm."
)
def keygen(path: Path, alg: str) -> None:
    """Make a key: the private one is written to PATH for its owner alone, the public one is printed as a JWK."""
    from procurator.governance.signing.keys import generate, write_private

    key = generate(alg)
    try:
        write_private(path, key)
    except OSError as error:
        raise click.ClickException(f"cannot write `{path}`: {error.strerror}") from None
    click.echo(json_text({**key.public.jwk, "alg": key.public.alg, "kid": key.public.jkt, "use": "sig"}))


# What is printed


def _print(links: Sequence[Link], style: str, status: dict[str, Any], word: str) -> None:
    from procurator.cli.token_tree import lines, record

    if style == "json":
        click.echo(json_text({**status, "chain": record(links)}))
        return
    for line in lines(links):
        click.echo(line)
    click.echo(word)


def _print_refusal(error: Refused, style: str) -> None:
    if style == "json":
        click.echo(json_text({"verified": False, "reason": error.reason, "detail": error.detail, "link": error.link}))
    else:
        where = "" if error.link is None else f" at link {error.link}"
        click.echo(f"refused{where}: {error}", err=True)
