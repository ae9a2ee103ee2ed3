"""Processes that are killed between any two instructions, at points that a fixed seed chooses."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
THREADS = 3

Tell: TypeAlias = "Callable[[str], None]"
"""Says a line; what was said counts, whatever comes then."""


@dataclass(frozen=True)
class Run:
    """What a process had said when it ended, and whether it was killed."""

    lines: list[str]
    killed: bool


def runs(script: str, *arguments: str, given: str = "", seconds: int) -> list[Run]:
    """Start a script that makes `attempts`, with the modules of the tests at hand."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    return [Run(**json.loads(line)) for line in done.stdout.splitlines()]


# In the process of the script


class Death:
    """Kills this process when it has done so many steps."""

    def __init__(self, point: int, modules: Iterable[ModuleType]) -> None:
        """Say at which step, and in which modules the instructions of the interpreter are steps."""
        self._left = point
        self._files = {module.__file__ for module in modules}

    def step(self) -> None:
        """A step more."""
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def trace(self, frame: FrameType, event: str, _argument: Any) -> Any:
        """For `threading.settrace`: each instruction is a step."""
        if frame.f_code.co_filename not in self._files:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self.step()
        return self.trace


def attempts(
    cases: Iterable[T],
    last: int,
    modules: Iterable[ModuleType],
    begin: Callable[[T, Death], Callable[[int, Tell], None]],
) -> None:
    """Begin each case in a process of its own, killed at some step before the last, and print what came of it.

    `begin` returns what several threads then run, each with its number.
    """
    choice = random.Random(4)
    for case in cases:
        point = choice.randrange(1, last)
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            _live(begin(case, Death(point, modules)), lambda line, to=write: os.write(to, f"{line}\n".encode()))
        os.close(write)
        with open(read) as pipe:
            lines = pipe.read().splitlines()
        killed = os.WIFSIGNALED(os.waitpid(pid, 0)[1])
        print(json.dumps({"lines": lines, "killed": killed}), flush=True)


def _live(run: Callable[[int, Tell], None], tell: Tell) -> None:
    threads = [threading.Thread(target=run, args=(number, tell)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os._exit(0)
