"""`procurator audit replay`."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from procurator.cli.options import config_option, format_option
from procurator.cli.terminal import plain
from procurator.governance.audit.log import stream_entries
from procurator.governance.store import StoreError, open_reader

if TYPE_CHECKING:
    from procurator.governance.replay import Replayed

DIFFERS: Final = 1


@click.command("replay")
@config_option
@click.option("--decision", metavar="ID", help="Only this one.")
@format_option("pretty", "json")
def command(config: Path, decision: str | None, style: str) -> int:
    """Take the decisions in the log once more, and print those that come out otherwise.

    The policies and documents have to be those that decided; where they are not, or the log does not hold all that
    they were shown, that is said. Exit codes: 0 all are the same, 1 one differs or could not be taken, 2 an error.
    """
    from procurator.governance.assembly.assemble import revision_of
    from procurator.governance.assembly.policies import load_engine
    from procurator.governance.config.loading import load_config
    from procurator.governance.replay import Replay
    from procurator.governance.steps.policy import PolicyStep

    settings = load_config(config)
    engine = load_engine(settings)
    step = PolicyStep(engine, settings.entrypoint)
    replay = Replay(step, revision_of(settings, engine), keeps_reasoning=settings.audit.capture_reasoning)
    counts = {"same": 0, "differ": 0, "unknown": 0}
    try:
        with closing(open_reader(settings.resolve(settings.state.path))) as connection:
            for one in replay.entries(stream_entries(connection)):
                if decision in (None, one.decision_id):
                    counts[_kind(one)] += 1
                    _print(one, style)
    except (StoreError, sqlite3.DatabaseError) as error:
        raise click.ClickException(str(error)) from error
    if decision is not None and not any(counts.values()):
        raise click.ClickException(f"the log has no decision `{decision}` for which a policy was asked")
    click.echo(json.dumps(counts) if style == "json" else _summary(counts))
    return DIFFERS if counts["differ"] or counts["unknown"] else 0


def _kind(one: "Replayed") -> str:
    return "unknown" if one.unknown is not None else "differ" if one.differences else "same"


def _print(one: "Replayed", style: str) -> None:
    """One line for what is not the same."""
    if _kind(one) == "same":
        return
    found = [{"what": each.what, "then": each.then, "now": each.now} for each in one.differences]
    if style == "json":
        document: dict[str, Any] = {"seq": one.seq, "decision_id": one.decision_id}
        click.echo(_json(document | ({"differences": found} if found else {"unknown": one.unknown})))
    elif one.unknown is not None:
        click.echo(f"entry {one.seq}: not taken once more: {plain(one.unknown)}")
    else:
        for each in found:
            click.echo(plain(f"entry {one.seq}: {each['what']} was {_json(each['then'])}, is {_json(each['now'])}"))


def _json(value: Any) -> str:
    from procurator.values import dumps

    return dumps(value)


def _summary(counts: dict[str, int]) -> str:
    return f"{counts['same']} decisions are the same, {counts['differ']} differ, {counts['unknown']} are unknown"
