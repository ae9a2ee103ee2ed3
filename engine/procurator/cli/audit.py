"""`procurator audit`."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from procurator.cli import audit_replay
from procurator.cli.options import format_option
from procurator.cli.terminal import plain, shown
from procurator.governance.audit.checkpoints import Checkpoint, Witness, read_checkpoint, unsigned_checkpoint
from procurator.governance.audit.exports import FIELDS, Filter, body_of, entry_json, found, opa_event, values_of
from procurator.governance.audit.log import SCHEMA, AuditLog, read_end, read_notes, stream_entries
from procurator.governance.audit.merkle import root_of
from procurator.governance.audit.protection import off_edge, unguarded, unlogged
from procurator.governance.audit.records import KINDS, Entry
from procurator.governance.audit.verification import Verification, prove, verify
from procurator.governance.store import Store, StoreError, open_reader
from procurator.governance.times import time_text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NOT_WHOLE: Final = 1
POLL_SECONDS: Final = 0.1
DAYS: Final = 2555

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

state_option: Final = click.option(
    "--state",
    type=click.Path(path_type=Path),
    default=Path("procurator.db"),
    show_default=True,
    help="Set the file of state that holds the log.",
)


def filter_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which entries are wanted."""
    options = [
        click.option("--kind", multiple=True, type=click.Choice(sorted(KINDS)), help="Only of this kind; repeatable."),
        *(click.option(f"--{name}", help=f"Only with this {name}.") for name in FIELDS),
        click.option("--since", callback=_time, metavar="TIME", help="Only from a time on, in RFC 3339."),
        click.option("--until", callback=_time, metavar="TIME", help="Only before a time, in RFC 3339."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def _time(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"`{value}` is no time in RFC 3339, such as 2026-01-31T12:00:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000


def _filter(kind: Sequence[str], since: int | None, until: int | None, fields: dict[str, str | None]) -> Filter:
    given = {name: value for name, value in fields.items() if value is not None}
    return Filter(frozenset(kind), given, since, until)


@contextmanager
def _reading(state: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the file; what cannot be read is an error of the command."""
    try:
        with closing(open_reader(state)) as connection:
            yield connection
    except (StoreError, sqlite3.DatabaseError, OSError, ValueError) as error:
        text = str(error) if isinstance(error, StoreError) else f"`{state}` cannot be read: {error}"
        raise click.ClickException(text) from error


@click.group("audit")
def command() -> None:
    """Read the audit log of a gateway, and check that it is whole.

    Exit codes: 0 fine, 1 the log is not whole, 2 an error.
    """


# Checking


@command.command("verify")
@state_option
@click.option(
    "--key",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Set the public key checkpoints are signed with; repeatable, for a log whose key was changed.",
)
@click.option(
    "--witness",
    type=click.Path(path_type=Path),
    help="Set the file of checkpoints kept outside of the log. [default: the state's name with .checkpoints]",
)
@click.option("--origin", help="Set the name of the log in checkpoints. [default: that of the first]")
@format_option("pretty", "json")
def verify_command(state: Path, key: tuple[Path, ...], witness: Path | None, origin: str | None, style: str) -> int:
    """Check every hash, the chain, the tree and the signed checkpoints, and name the first bad entry."""
    keys = [_key_of(path) for path in key]
    beside = Path(f"{state}.checkpoints")
    with _reading(state) as connection:
        if witness is not None and not witness.is_file():
            raise StoreError(f"there is no file `{witness}`")
        outside = Witness(witness or beside).notes()
        result, count = _verified(connection, outside, origin, keys)
    echo = _verification_json if style == "json" else _verification_text
    click.echo(echo(result, count, bool(keys)))
    return 0 if result.is_whole else NOT_WHOLE


def _key_of(path: Path) -> "Ed25519PublicKey":
    """The key that checkpoints are signed with, from a file."""
    from procurator.governance.refusals import Refused
    from procurator.governance.signing.keys import load_public

    try:
        return load_public(path).ed25519()
    except (Refused, OSError) as error:
        why = error.detail if isinstance(error, Refused) else error
        raise click.ClickException(f"`{path}` holds no key of checkpoints: {why}") from None


def _verified(
    connection: sqlite3.Connection, outside: list[str], origin: str | None, keys: Sequence["Ed25519PublicKey"]
) -> tuple[Verification, int]:
    """What a check finds, and how many checkpoints there were."""
    connection.execute("PRAGMA query_only = ON")
    connection.execute("BEGIN")
    try:
        seen = frozenset(outside)
        notes = [*outside, *(note for note in read_notes(connection) if note not in seen)]
        points, unread = _points(notes, origin or (notes[0].partition("\n")[0] if notes else ""), keys)
        result = verify(stream_entries(connection), points, written=read_end(connection))
        if result.is_whole:
            problem = unread or _beside(connection, result.root)
            result = Verification(result.size, result.root, problem)
        return result, len(notes)
    except (sqlite3.DatabaseError, ValueError) as error:
        if isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
            raise
        return Verification(0, b"", f"the log cannot be read: {error}"), len(outside)


def _beside(connection: sqlite3.Connection, root: bytes) -> str | None:
    return off_edge(connection, root) or unlogged(connection) or unguarded(connection, SCHEMA)


def _points(
    notes: Sequence[str], origin: str, keys: Sequence["Ed25519PublicKey"]
) -> tuple[list[Checkpoint], str | None]:
    """The checkpoints of notes, and what is wrong with the first that is none."""
    points, unread = [], None
    for note in notes:
        try:
            points.append(read_checkpoint(note, origin, *keys) if keys else unsigned_checkpoint(note, origin))
        except ValueError as error:
            unread = unread or f"the log cannot be read: {error}"
    return points, unread


def _bad(result: Verification) -> dict[str, Any] | None:
    if result.first_bad is None:
        return None
    entry = result.found
    place = {} if entry is None else {"kind": entry.kind, "time": _when(entry)}
    return {"seq": result.first_bad, **place}


def _when(entry: Entry) -> str:
    try:
        return time_text(entry.time_ns)
    except (ValueError, OverflowError, OSError, TypeError):
        return str(entry.time_ns)


def _verification_json(result: Verification, checkpoints: int, signed: bool) -> str:
    document = {
        "whole": result.is_whole,
        "size": result.size,
        "root": result.root.hex(),
        "checkpoints": checkpoints,
        "signatures_checked": signed,
        "problem": result.problem,
        "first_bad": _bad(result),
    }
    return json.dumps(document, indent=2)


def _verification_text(result: Verification, checkpoints: int, signed: bool) -> str:
    if not result.is_whole:
        bad = _bad(result) or {}
        place = f" ({bad['kind']} of {bad['time']})" if "kind" in bad else ""
        return plain(f"the audit log is not whole: {result.problem}{place}")
    note = "" if signed or not checkpoints else "; their signatures were not checked, for want of `--key`"
    entries = "1 entry" if result.size == 1 else f"{result.size} entries"
    points = "1 checkpoint" if checkpoints == 1 else f"{checkpoints} checkpoints"
    return f"the audit log is whole: {entries}, {points}{note}\nroot {result.root.hex()}"


@command.command("prove")
@click.argument("seq", type=click.IntRange(min=0))
@click.option("--size", type=click.IntRange(min=1), help="Prove it for the tree of this size.")
@state_option
@format_option("json", "pretty")
def prove_command(seq: int, size: int | None, state: Path, style: str) -> int:
    """Prove that the entry with number SEQ is in the tree of a checkpoint: the first that has it, if there is one."""
    with _reading(state) as connection:
        entries = list(stream_entries(connection))
        notes = {int(note.split("\n")[1]): note for note in read_notes(connection)}
    size = size or min((known for known in notes if known > seq), default=len(entries))
    if not seq < size <= len(entries):
        raise click.ClickException(f"there is no entry {seq} in a tree of {size}: the log has {len(entries)} entries")
    proof = prove(entries, seq, size)
    root = root_of([entry.leaf for entry in entries[:size]]).hex()
    path = [step.hex() for step in proof.path]
    if style == "json":
        record = json.loads(entry_json(proof.entry))
        document = {"index": seq, "size": size, "root": root, "path": path, "checkpoint": notes.get(size)}
        click.echo(json.dumps({"entry": record, **document}, indent=2))
    else:
        lines = [f"entry {seq} of {size}", f"leaf {proof.entry.entry_hash}", *(f"with {step}" for step in path)]
        click.echo("\n".join([*lines, f"root {root}", notes.get(size, "no checkpoint has this size")]))
    return 0


# Reading


@command.command("query")
@filter_options
@click.option("--limit", type=click.IntRange(min=1), help="Print at most so many.")
@state_option
@format_option("pretty", "json")
def query_command(
    kind: Sequence[str],
    since: int | None,
    until: int | None,
    limit: int | None,
    state: Path,
    style: str,
    **fields: str | None,
) -> int:
    """Print the entries that are wanted, in their order."""
    wanted = _filter(kind, since, until, fields)
    with _reading(state) as connection:
        for entry in islice(found(stream_entries(connection), wanted), limit):
            click.echo(_line(entry, style))
    return 0


def _line(entry: Entry, style: str) -> str:
    if style == "json":
        return entry_json(entry)
    record = body_of(entry)
    said = (next((shown(str(value)) for value in values_of(record, name)), "-") for name in FIELDS)
    return "  ".join([str(entry.seq), time_text(entry.time_ns), entry.kind, *said])


@command.command("export")
@filter_options
@click.option("-o", "--output", type=click.File("w", lazy=True), default="-", help="Write to a file.")
@state_option
@format_option("json", "opa")
def export_command(
    kind: Sequence[str],
    since: int | None,
    until: int | None,
    output: Any,
    state: Path,
    style: str,
    **fields: str | None,
) -> int:
    """Write the entries that are wanted as lines of JSON, or the decisions among them as decision-log events of OPA."""
    wanted = _filter(kind, since, until, fields)
    with _reading(state) as connection:
        for entry in found(stream_entries(connection), wanted):
            if style == "json":
                output.write(entry_json(entry) + "\n")
            elif (event := opa_event(entry)) is not None:
                output.write(json.dumps(event) + "\n")
    return 0


@command.command("tail")
@click.option("-n", "--lines", type=click.IntRange(min=0), default=10, show_default=True, help="Begin so many back.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written, until interrupted.")
@state_option
@format_option("pretty", "json", short=None)
def tail_command(lines: int, follow: bool, state: Path, style: str) -> int:
    """Print the last entries."""
    with _reading(state) as connection:
        start = max(0, connection.execute("SELECT coalesce(max(seq) + 1, 0) FROM entries").fetchone()[0] - lines)
        while True:
            for entry in stream_entries(connection, start):
                click.echo(_line(entry, style))
                start = entry.seq + 1
            if not follow:
                return 0
            time.sleep(POLL_SECONDS)


@command.command("prune")
@click.option(
    "--retention-days",
    type=click.IntRange(min=1),
    default=DAYS,
    show_default=True,
    help="How long to keep the note of it.",
)
@state_option
@format_option("pretty", "json")
def prune_command(retention_days: int, state: Path, style: str) -> int:
    """Remove the bodies of entries that are past their retention; the log still verifies."""
    with _reading(state):
        pass  # nothing is made where there is no file
    try:
        with closing(Store(state)) as store:
            count = AuditLog(store, retention_days=retention_days).prune()
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps({"pruned": count}) if style == "json" else f"{count} bodies removed")
    return 0


command.add_command(audit_replay.command)
