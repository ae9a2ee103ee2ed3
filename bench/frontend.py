"""How fast policies are parsed and checked, and how fast the command line starts.

    make bench
    python bench/frontend.py 1250 2500      other sizes

Prints the processor time of every stage for policies of growing size, which other work on the machine does not change
much: twice the rules should take twice the time. At the end
comes the start-up of `procurator check` on three files, from the start of the process to its end.
"""

import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from policies import policy
from procurator_rules.checks import STAGES, CheckOptions, Program
from procurator_rules.nodes import Module
from procurator_rules.parser import parse_module
from procurator_rules.printer import format_module

SIZES = (1250, 2500, 5000, 10_000)
WANTED_RULES_A_SECOND = 1000
WANTED_START_UP = 0.4
STARTS = 7

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """The result of some work and the seconds of the processor that it took, garbage of before not counted."""
    gc.collect()
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def stages(rules: int) -> dict[str, float]:
    """The seconds that each stage takes on a policy of so many rules."""
    text = policy(rules)
    module, seconds = timed(lambda: parse_module(text, "bench.rego"))
    spent = {"parse": seconds, **checks(module)}
    spent["parse and check"] = sum(spent.values())
    _, spent["format"] = timed(lambda: format_module(module))
    return spent


def checks(module: Module) -> dict[str, float]:
    """The seconds that each stage of the checks takes."""
    program = Program({"bench.rego": module}, CheckOptions())
    spent = {}
    for stage in STAGES:
        (program, errors), spent[stage.name] = timed(lambda stage=stage, program=program: stage.run(program))
        if errors:
            raise errors[0]
    return spent


def start_up(*arguments: str) -> tuple[float, float]:
    """The seconds that a command takes as a process: by the clock, and of the processor; medians of several runs."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(3):
            (Path(folder) / f"p{number}.rego").write_text(policy(5).replace("package bench", f"package bench{number}"))
        command = [sys.executable, "-m", "procurator", *arguments]
        runs = [one_run(command, folder) for _ in range(STARTS)]
    return statistics.median(clock for clock, _ in runs), statistics.median(processor for _, processor in runs)


def one_run(command: list[str], folder: str) -> tuple[float, float]:
    """The seconds of one run of a command."""
    start, before = time.perf_counter(), os.times()
    subprocess.run(command, cwd=folder, check=True)
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - start, processor


def report(sizes: tuple[int, ...]) -> bool:
    """Print the figures; tells whether they are as wanted."""
    stages(100)  # what is made once for all policies is not what is measured
    measured = {size: stages(size) for size in sizes}
    print("seconds".ljust(28), *(f"{size:>9,} rules" for size in sizes), "  ratio of the last two", sep="")
    for name in measured[sizes[0]]:
        row = [measured[size][name] for size in sizes]
        ratio = f"{row[-1] / row[-2]:12.2f}" if len(row) > 1 and row[-2] else ""
        print(name.ljust(28), *(f"{seconds:15.3f}" for seconds in row), ratio, sep="")
    speed = sizes[-1] / measured[sizes[-1]]["parse and check"]
    print(f"\nparsed and checked: {speed:,.0f} rules a second (wanted: {WANTED_RULES_A_SECOND:,})")
    clock, processor = start_up("check", ".")
    print(f"`procurator check` on three files: {clock:.3f} s, {processor:.3f} s of the processor", end="")
    print(f" (wanted: {WANTED_START_UP})")
    return speed >= WANTED_RULES_A_SECOND and processor <= WANTED_START_UP


if __name__ == "__main__":
    sys.exit(0 if report(tuple(map(int, sys.argv[1:])) or SIZES) else 1)
