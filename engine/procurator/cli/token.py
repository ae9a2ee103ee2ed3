"""`procurator token`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

import click

from procurator.cli.controls import COMMANDS
from procurator.cli.options import format_option
from procurator_rules.json_text import json_text

if TYPE_CHECKING:
    from procurator.governance.keys import PublicKey
    from procurator.governance.refusals import Refused
    from procurator.governance.scope import Amount
    from procurator.governance.tokens import Link

T = TypeVar("T")

NOT_SO: Final = 1
_LONGEST: Final = 1024 * 1024

_token: Final = click.argument("token", type=click.File("r", encoding="utf-8"), default="-", metavar="[FILE]")
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_holder_keys: Final = click.option(
    "--holder-key",
    "holder_keys",
    type=_FILE,
    multiple=True,
    metavar="FILE",
    help="Set a key of a holder whose token has its thumbprint alone. Can be given more than once.",
)


@click.group("token")
def command() -> None:
    """Look at, verify and derive tokens of delegation; make keys; say who may act, and stop it.

    A token is read from a file, or from standard input; private keys are only ever read from files.
    """


for _command in COMMANDS:
    command.add_command(_command)


@command.command("inspect")
@_token
@format_option("pretty", "json")
@_holder_keys
def inspect(token: IO[str], style: str, holder_keys: Sequence[Path]) -> None:
    """Print a chain as a tree, with what each link narrows. Nothing is verified."""
    from procurator.governance.delegation import read_unverified

    text, known = _text(token), _by_thumbprint(holder_keys)
    links = _or_error(lambda: read_unverified(text, known.get))
    _print(links, style, {"verified": None}, "not verified")


@command.command("verify")
@_token
@format_option("pretty", "json")
@click.option("--issuer", required=True, metavar="URL", help="Set the issuer of the root: the gateway.")
@click.option(
    "--key", "keys", type=_FILE, multiple=True, required=True, metavar="FILE", help="Set a public key of the gateway."
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
    from procurator.governance.delegation import verify_chain
    from procurator.governance.refusals import Refused

    text, now = _text(token), _time(moment)
    issuer_keys, known = _by_thumbprint(keys), _by_thumbprint(holder_keys)
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
@_token
@click.option("--key", type=_FILE, required=True, metavar="FILE", help="Set the private key of the token's holder.")
@click.option("--agent", required=True, metavar="NAME", help="Set who gets the token.")
@click.option("--agent-key", type=_FILE, required=True, metavar="FILE", help="Set the public key of that agent.")
@click.option("--tool", "names", multiple=True, metavar="NAME", help="Pass on a tool as it is, and no other tools.")
@click.option("--tools", type=_FILE, metavar="FILE", help="Set the tools as a JSON object: arguments by tool, or null.")
@click.option("--budget", multiple=True, metavar="UNIT=AMOUNT", help="Set what may be spent. Can be given repeatedly.")
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
    from procurator.governance.delegation import Share, narrowed, read_unverified
    from procurator.governance.delegation import derive as derived
    from procurator.governance.keys import load_private, load_public
    from procurator.governance.refusals import Refused

    if names and tools is not None:
        raise click.UsageError("`--tool` and `--tools` are not given together")
    text, known = _text(token), _by_thumbprint(holder_keys)
    secret, public = _or_error(lambda: load_private(key)), _or_error(lambda: load_public(agent_key))
    parent = _or_error(lambda: read_unverified(text, known.get))[-1]
    asked = names or (None if tools is None else _tools(tools))
    amounts = _budget(budget)
    try:
        authority = None if asked is None else narrowed(parent.authority, asked)
        share = Share(agent, public, authority, amounts, ttl, audience or None, max_depth)
        click.echo(derived(text, secret, share, now=_time(None), key_by_thumbprint=known.get))
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
    from procurator.governance.keys import generate, write_private

    key = generate(alg)
    try:
        write_private(path, key)
    except OSError as error:
        raise click.ClickException(f"cannot write `{path}`: {error.strerror}") from None
    click.echo(json_text({**key.public.jwk, "alg": key.public.alg, "kid": key.public.jkt, "use": "sig"}))


# What is read


def _or_error(read: Callable[[], T]) -> T:
    """What a function reads; a refusal is a mistake in what was given."""
    from procurator.governance.refusals import Refused

    try:
        return read()
    except Refused as error:
        raise click.ClickException(str(error)) from None


def _text(file: IO[str]) -> str:
    try:
        return file.read(_LONGEST).removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise click.ClickException(f"`{file.name}` holds no token: it is not UTF-8") from None


def _by_thumbprint(paths: Sequence[Path]) -> dict[str, PublicKey]:
    from procurator.governance.keys import load_public

    keys = [_or_error(partial(load_public, path)) for path in paths]
    return {key.jkt: key for key in keys}


def _time(text: str | None) -> int:
    if text is None:
        return int(time.time())
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"`--at` is no time: `{text}`") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _tools(path: Path) -> dict[str, Any]:
    from procurator.governance.jws import read_object

    return _or_error(lambda: read_object(path.read_bytes()))


def _budget(amounts: Sequence[str]) -> dict[str, Amount] | None:
    from procurator.governance.scope import amount_of

    found: dict[str, Amount] = {}
    for text in amounts:
        unit, _, amount = text.partition("=")
        try:
            found[unit] = amount_of(int(amount) if amount.isdigit() else amount)
        except ValueError as error:
            raise click.UsageError(f"`--budget {text}`: {error}") from None
    return found or None


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
