"""`procurator token kill | resume | revoke | status | agents`: what stands above policy, and who may act."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

import click

from procurator.cli.options import format_option
from procurator.cli.terminal import plain
from procurator.cli.token_options import FILE, text_of
from procurator_rules.json_text import json_text

if TYPE_CHECKING:
    from procurator.cli.state import State
    from procurator.governance.audit.log import Change
    from procurator.governance.controls import Target
    from procurator.governance.refusals import Refused
    from procurator.governance.signing.keys import PublicKey

Command = Callable[..., Any]
Record = Mapping[str, Any]
T = TypeVar("T")

NOT_SO: Final = 1
_PATH: Final = click.Path(dir_okay=False, path_type=Path)

_ACTIONS: Final = {
    "kill": ("kill", "killed"),
    "resume": ("resume", "resumed"),
    "revoke": ("revocation", "revoked"),
}
"""For each action the kind of its entry in the audit log, and the word for it when it is done."""

why_option: Final = click.option("--why", default="", metavar="TEXT", help="Say why, for the audit log.")
format_of_controls: Final = format_option("pretty", "json")


def state_options(command: Command) -> Command:
    """The options that `opened` takes."""
    config = click.option("-c", "--config", type=_PATH, metavar="FILE", help="Set the configuration of the gateway.")
    file = click.option(
        "--state", type=_PATH, metavar="FILE", help="Set the file of state, in the place of a configuration."
    )
    return config(file(command))


# Kill switch and revocation


@click.command("kill")
@click.argument("scope", type=click.Choice(["all", "prompt", "agent"]))
@click.argument("name", default="", metavar="[ID]")
@why_option
@state_options
@format_of_controls
def kill(scope: str, name: str, why: str, style: str, **place: Path | None) -> None:
    """Stop everything, the prompt ID, or the agent ID with all below it, whatever policies say."""
    _control("kill", (scope, name), why, style, place)


@click.command("resume")
@click.argument("scope", type=click.Choice(["all", "prompt", "agent"]))
@click.argument("name", default="", metavar="[ID]")
@why_option
@state_options
@format_of_controls
def resume(scope: str, name: str, why: str, style: str, **place: Path | None) -> None:
    """Take back what `kill` did for exactly this; the exit code is 1 if it did nothing."""
    _control("resume", (scope, name), why, style, place)


@click.command("revoke")
@click.argument("kind", type=click.Choice(["token", "agent", "person"]))
@click.argument("name", default="", metavar="[ID]")
@click.option("--issuer", default="", metavar="URL", help="Set the issuer of the person.")
@click.option(
    "--file", "token", type=click.File("r", encoding="utf-8"), help="Take the ID of a token from the token in a file."
)
@why_option
@state_options
@format_of_controls
def revoke(
    kind: str, name: str, issuer: str, token: IO[str] | None, why: str, style: str, **place: Path | None
) -> None:
    """Revoke for ever a token by its `jti`, an agent, or a person by their subject, with every token below."""
    if token is not None:
        if name or kind != "token":
            raise click.UsageError("`--file` is for a token, and in the place of its id")
        name = _token_id(token)
    _control("revoke", (kind, name, issuer), why, style, place)


@click.command("status")
@state_options
@format_of_controls
def status(style: str, **place: Path | None) -> None:
    """List what is killed and what was revoked."""
    from procurator.cli.state import opened
    from procurator.governance.controls import Controls, named

    with opened(**place) as state:
        controls = Controls(state.store)
        held = {"killed": controls.killed(), "revoked": controls.revoked()}
    if style == "json":
        click.echo(json_text({word: [_told(target) for target in targets] for word, targets in held.items()}))
        return
    for word, targets in held.items():
        for target in targets:
            click.echo(plain(f"{word} {named(target)}"))


def _control(action: str, target: tuple[str, ...], why: str, style: str, place: Mapping[str, Path | None]) -> None:
    from procurator.cli.state import opened
    from procurator.governance.controls import Controls, Target, named

    wanted = Target(*target)
    entry, done = _ACTIONS[action]
    with opened(**place) as state:
        change: Callable[..., Record] = getattr(Controls(state.store), action)
        record = recorded(state, entry, style, lambda tx: change(tx, wanted, by=who(), why=why))
    already = "" if record["changed"] else " already"
    _print(record, style, f"{named(wanted)}: {done}{already}")


def _token_id(file: IO[str]) -> str:
    """The id of the last link of a token."""
    from procurator.governance.delegation.verifying import read_unverified
    from procurator.governance.refusals import Refused

    try:
        return read_unverified(text_of(file).strip())[-1].token_id
    except Refused as error:
        raise click.ClickException(f"`{file.name}` holds no token: {error.detail}") from None


def _told(target: Target) -> dict[str, str]:
    return {name: value for name, value in target._asdict().items() if value}


# Agents


@click.group("agents")
def agents() -> None:
    """List the agents that may act, register them, change their keys."""


@agents.command("list")
@state_options
@format_of_controls
def list_agents(style: str, **place: Path | None) -> None:
    """List the agents with the thumbprints of their keys."""
    from procurator.cli.state import opened
    from procurator.governance.assembly.parties import agents_of

    with opened(**place) as state:
        known = agents_of(state.config, state.store).all()
    if style == "json":
        click.echo(json_text([{"agent": agent, "jkt": key.jkt, "jwk": dict(key.jwk)} for agent, key in known.items()]))
        return
    for agent, key in known.items():
        click.echo(plain(f"{key.jkt} {key.alg:<5} {agent}"))


@agents.command("register")
@click.argument("name")
@click.option("--key", type=FILE, required=True, metavar="FILE", help="Set the public key of the agent.")
@state_options
@format_of_controls
def register(name: str, key: Path, style: str, **place: Path | None) -> None:
    """Register the agent NAME; the exit code is 1 where another one has the key, or the agent has another key."""
    from procurator.cli.state import opened_or_made
    from procurator.governance.assembly.parties import agents_of
    from procurator.governance.signing.keys import load_public

    public = _key_of(load_public, key)
    unchanged = {"action": "register", "agent": name, "changed": False}
    with opened_or_made(**place) as state:
        known = agents_of(state.config, state.store, gateway_keys=_gateway_keys(state))
        work = partial(known.register, agent=name, key=public, by=who())
        record = recorded(state, "registration", style, work)
    already = "" if record else " already"
    _print(record or unchanged, style, f"agent `{name}`: registered{already}")


@agents.command("rotate")
@click.argument("name")
@click.option("--key", type=FILE, required=True, metavar="FILE", help="Set the private key that the agent has.")
@click.option("--new-key", type=FILE, required=True, metavar="FILE", help="Set the private key it is to have.")
@state_options
@format_of_controls
def rotate(name: str, key: Path, new_key: Path, style: str, **place: Path | None) -> None:
    """Give the agent NAME a new key, which both keys prove; tokens for the old one are good no longer."""
    from procurator.cli.state import opened
    from procurator.governance.assembly.parties import agents_of
    from procurator.governance.identity.agents import prove_rotation
    from procurator.governance.signing.keys import load_private
    from procurator.governance.times import SECOND_NS

    old, new = _key_of(load_private, key), _key_of(load_private, new_key)
    with opened(**place) as state:
        now = state.clock() // SECOND_NS
        known = agents_of(state.config, state.store, gateway_keys=_gateway_keys(state))
        proof = prove_rotation(name, old, new, audience=state.config.gateway.audience[0], now=now)
        work = partial(known.rotate, agent=name, key=new.public, proof=proof, now=now)
        record = recorded(state, "registration", style, work)
    _print(record, style, f"agent `{name}`: has the key {new.public.jkt}")


def _key_of(load: Callable[[Path], T], path: Path) -> T:
    from procurator.governance.refusals import Refused

    try:
        return load(path)
    except (Refused, OSError) as error:
        raise click.ClickException(f"`{path}`: {error}") from None


def _gateway_keys(state: State) -> list[PublicKey]:
    """The gateway's own keys, as far as there are any yet."""
    from procurator.governance.signing.keys import load_private

    keys = state.config.keys
    paths = [state.config.resolve(name) for name in (keys.signing, keys.checkpoint) if name is not None]
    return [_key_of(load_private, path).public for path in paths if path.exists()]


# What all of them do


def recorded(state: State, kind: str, style: str, change: Change) -> Record:
    """What a change says of itself, which is written to the audit log with it; empty for nothing.

    A refusal is printed and ends the command.
    """
    return or_refused(style, partial(state.log.write_down, kind, change)) or {}


def or_refused(style: str, ask: Callable[[], T]) -> T:
    """What something gives; a refusal is printed and ends the command."""
    from procurator.governance.refusals import Refused

    try:
        return ask()
    except Refused as error:
        if error.reason == "malformed":
            raise click.UsageError(error.detail) from None
        raise refused(error, style) from None


def refused(error: Refused, style: str) -> click.exceptions.Exit:
    """What ends a command that was refused, after saying so."""
    if style == "json":
        click.echo(json_text({"reason": error.reason, "detail": error.detail}))
    else:
        click.echo(f"refused: {error}", err=True)
    return click.exceptions.Exit(NOT_SO)


def _print(record: Record, style: str, text: str) -> None:
    click.echo(json_text(dict(record)) if style == "json" else plain(text))


def who() -> str:
    """Who runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


COMMANDS: Final = (kill, resume, revoke, status, agents)
"""What `procurator token` has of these."""
