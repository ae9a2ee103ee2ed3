"""Starts the command line as a user does, and says what came of it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finished:
    """What a command left: its exit code and what it wrote."""

    code: int
    output: str
    errors: str


def procurator(
    *arguments: str, stdin: str | bytes = b"", folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> Finished:
    """Run `procurator` with arguments, in a folder, with nothing of the tests' own environment for it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROCURATOR_")}
    done = subprocess.run(
        [sys.executable, "-m", "procurator", *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        cwd=folder,
        env={**kept, **(environment or {})},
        timeout=60,
        check=False,
    )
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())
