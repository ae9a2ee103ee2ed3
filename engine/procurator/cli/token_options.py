"""What the commands about tokens read: tokens, keys, tools, budgets, times."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from procurator.governance.scope.authority import Amount
    from procurator.governance.signing.keys import PublicKey

T = TypeVar("T")

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)

token_argument: Final = click.argument("token", type=click.File("r", encoding="utf-8"), default="-", metavar="[FILE]")
tool_option: Final = click.option(
    "--tool", "names", multiple=True, metavar="NAME", help="Pass on a tool as it is, and no other tools."
)
tools_option: Final = click.option(
    "--tools", type=FILE, metavar="FILE", help="Set the tools as a JSON object: arguments by tool, or null."
)
budget_option: Final = click.option(
    "--budget", multiple=True, metavar="UNIT=AMOUNT", help="Set what may be spent. Can be given repeatedly."
)

_LONGEST: Final = 1024 * 1024


def or_error(read: Callable[[], T]) -> T:
    """What a function reads; a refusal is a mistake in what was given."""
    from procurator.governance.refusals import Refused

    try:
        return read()
    except Refused as error:
        raise click.ClickException(str(error)) from None


def text_of(file: IO[str]) -> str:
    """The text of a file that holds one line."""
    try:
        return file.read(_LONGEST).removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise click.ClickException(f"`{file.name}` holds no token: it is not UTF-8") from None


def by_thumbprint(paths: Sequence[Path]) -> dict[str, PublicKey]:
    """The public keys in files, by their thumbprints."""
    from procurator.governance.signing.keys import load_public

    keys = [or_error(partial(load_public, path)) for path in paths]
    return {key.jkt: key for key in keys}


def moment_of(text: str | None) -> int:
    """Seconds since 1970 for what `--at` says; now where it says nothing."""
    if text is None:
        return int(time.time())
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"`--at` is no time: `{text}`") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def tools_of(names: Sequence[str], path: Path | None) -> Sequence[str] | dict[str, Any] | None:
    """What `--tool` and `--tools` ask for; None where neither does."""
    if names and path is not None:
        raise click.UsageError("`--tool` and `--tools` are not given together")
    return names or (None if path is None else _object(path))


def _object(path: Path) -> dict[str, Any]:
    from procurator.governance.signing.jws import read_object

    return or_error(lambda: read_object(path.read_bytes()))


def budget_of(amounts: Sequence[str]) -> dict[str, Amount] | None:
    """What `--budget` says; None where it is not given."""
    from procurator.governance.scope.authority import amount_of

    found: dict[str, Amount] = {}
    for text in amounts:
        unit, _, amount = text.partition("=")
        try:
            found[unit] = amount_of(int(amount) if amount.isdigit() else amount)
        except ValueError as error:
            raise click.UsageError(f"`--budget {text}`: {error}") from None
    return found or None
