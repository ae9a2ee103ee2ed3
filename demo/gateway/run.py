"""A real run of the gateway: a person's prompt, an orchestrator and its agents, and what some of them try.

Each step of the trace is carried out and its verdict compared with the one the trace expects. At the end come the tree
of delegations as the audit log has it, and the check of that log, of a copy that was tampered with, and of one that was
cut. The exit code is 1 if anything is not as expected.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import click

from world import Result, World

HERE: Final = Path(__file__).parent
FILES: Final = ("agentic-governance.yaml", "incident.rego", "roster.json")
KINDS: Final = ("grant", "delegate", "derive", "open_session", "action", "revoke", "kill", "wait_seconds")
COLOURS: Final = {"permit": "green", "deny": "red", "propose": "yellow"}
CHANGES: Final = {
    "tampered": (
        "a copy in which the last deny has become a permit",
        """UPDATE entries SET body = replace(body, '"verdict":"deny"', '"verdict":"permit"') WHERE seq =
        (SELECT max(seq) FROM entries WHERE kind = 'decision' AND body LIKE '%"verdict":"deny"%')""",
    ),
    "cut": ("a copy without its end", "DELETE FROM entries WHERE seq > 40"),
}
"""What somebody does to a copy of the log who can write to the file."""

Json = Any


def main() -> int:
    """Run the demo and return its exit code."""
    parser = argparse.ArgumentParser(description="A real run of the gateway.")
    parser.add_argument("--trace", type=Path, default=HERE / "trace.jsonl", help="what happens")
    parser.add_argument("--folder", type=Path, help="where the state is kept; default: nowhere")
    asked = parser.parse_args()
    steps = [json.loads(line) for line in asked.trace.read_text(encoding="utf-8").splitlines()]
    if asked.folder is not None:
        return run(steps, asked.folder)
    with tempfile.TemporaryDirectory() as folder:
        return run(steps, Path(folder))


def run(steps: Sequence[Mapping[str, Json]], folder: Path) -> int:
    """Carry the steps out in an empty folder, and check the log."""
    for name in FILES:
        shutil.copy(HERE / name, folder)
    world = World(folder)
    with world.gateway:
        unexpected = told(world, steps)
    heading("Who has handed what on to whom, as the audit log tells it")
    for line in tree(folder, steps[0]):
        click.echo(line)
    heading("The audit log")
    found = [checked(folder, ".", wanted=0), *(checked(folder, copy, wanted=1) for copy in copies(folder))]
    return 0 if not unexpected and all(found) else 1


# What happens


def told(world: World, steps: Sequence[Mapping[str, Json]]) -> int:
    """Carry out and print each step; how many were not as expected."""
    heading(f"{steps[0]['person']}: {steps[0]['grant']['intent']}")
    verdicts: Counter[str] = Counter()
    unexpected = 0
    for number, step in enumerate(steps, 1):
        kind = next(kind for kind in KINDS if kind in step)
        result: Result = getattr(world, kind)(step)
        wanted = step.get("expect", {"verdict": "", "reason": ""})
        show(number, step, result)
        verdicts[result.verdict] += 1
        if (result.verdict, result.reason) != (wanted["verdict"], wanted["reason"]):
            unexpected += 1
            click.secho(f"     NOT AS EXPECTED: {wanted['verdict']} {wanted['reason']}", fg="red", bold=True)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items() if verdict)
    click.echo(f"\n{counts}; {f'{unexpected} NOT AS EXPECTED' if unexpected else 'all as expected'}")
    return unexpected


def show(number: int, step: Mapping[str, Json], result: Result) -> None:
    """Print what was done, the verdict and its reason; below, the message where it is not a permit."""
    who = step.get("agent") or step.get("person") or "operator"
    if not result.verdict:
        click.echo(f"{number:>3}  {who:<12}  {result.what}")
        return
    what = result.what if len(result.what) <= 60 else f"{result.what[:59]}…"
    verdict = click.style(f"{result.verdict:<7}", fg=COLOURS[result.verdict], bold=True)
    click.echo(f"{number:>3}  {who:<12}  {what:<60}  {verdict}  {result.reason}")
    if result.verdict != "permit":
        tried = f"attack, {step['attack']}: " if "attack" in step else ""
        click.secho(f"{'':19}{tried}{result.message}", dim=True)


def heading(text: str) -> None:
    """Print a heading."""
    click.secho(f"\n{text}\n", bold=True)


# What the log says


def procurator(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    command = [sys.executable, "-m", "procurator", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def tree(folder: Path, prompt: Mapping[str, Json]) -> Iterator[str]:
    """The delegations as a tree."""
    query = procurator(folder, "audit", "query", "--kind", "delegation", "--kind", "revocation", "--format", "json")
    children: dict[str, list[dict[str, Json]]] = {}
    ended: dict[str, str] = {}
    for line in query.stdout.splitlines():
        entry = json.loads(line)
        record = entry["record"]
        if entry["kind"] == "revocation":
            ended[record["id"]] = "revoked"
        elif record["child"] is not None:
            child = {**record["child"], "derived": record.get("derived", False)}
            children.setdefault(child.get("parent", ""), []).append(child)
    yield f"{prompt['person']} ({prompt['grant']['prompt_id']})"
    yield from _branches(children, ended, "", "")


def _branches(
    children: Mapping[str, Sequence[Mapping[str, Json]]], ended: Mapping[str, str], parent: str, margin: str
) -> Iterator[str]:
    below = children.get(parent, ())
    for at, child in enumerate(below, 1):
        corner, bar = ("└─ ", "   ") if at == len(below) else ("├─ ", "│  ")
        notes = ["derived offline"] if child["derived"] else []
        notes += [ended[child["agent"]]] if child["agent"] in ended else []
        note = click.style(f"  ({', '.join(notes)})", fg="yellow") if notes else ""
        yield f"{margin}{corner}{click.style(child['agent'], bold=True)}: {', '.join(child['tools'])}{note}"
        yield from _branches(children, ended, child["id"], margin + bar)


def checked(folder: Path, place: str, *, wanted: int) -> bool:
    """Let the command line check a log; whether it answers with the exit code that is wanted."""
    arguments = ["audit", "verify", "--state", str(Path(place) / "procurator.db"), "--key", "gateway.json"]
    done = procurator(folder, *arguments)
    click.echo(f"$ procurator {' '.join(arguments)}")
    click.secho(f"{done.stdout}{done.stderr}", fg="red" if done.returncode else "green", nl=False)
    if done.returncode != wanted:
        click.secho(f"NOT AS EXPECTED: exit code {done.returncode}", fg="red", bold=True)
    return done.returncode == wanted


# Somebody who can write to the file


def copies(folder: Path) -> Iterator[str]:
    """Copies of the log that somebody has laid hands on."""
    for name, (text, change) in CHANGES.items():
        (folder / name).mkdir()
        for file in folder.glob("procurator.db*"):
            shutil.copy(file, folder / name)
        with closing(sqlite3.connect(folder / name / "procurator.db")) as log, log:
            for trigger in ("entries_keep", "entries_stay"):
                log.execute(f"DROP TRIGGER {trigger}")
            log.execute(change)
        click.echo(f"\nNow {text}:")
        yield name


if __name__ == "__main__":
    sys.exit(main())
