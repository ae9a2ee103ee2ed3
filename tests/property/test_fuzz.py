"""Broken policies: whatever a text holds, the front end answers with a tree or with a mistake that has a place.

The suite mutates policies with fixed seeds; `make fuzz` goes on for FUZZ_SECONDS with others, and names what it finds.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from procurator_rules.checks import check
from procurator_rules.errors import PolicyError, PolicyErrors
from procurator_rules.parser import decode, parse_module
from procurator_rules.printer import format_module

ROOT: Final = Path(__file__).parents[2]
SEEDS: Final = range(600)
SLOWEST: Final = 5.0

TOKENS: Final = (
    *"(){}[]|,:;.\"`'#\\$-+*/%&<>=!@?_\n\r\t\0\ufeff\u2028é😀",
    *(" := ", " = ", " == ", " if ", " else ", " not ", " in ", " and ", " or ", " some ", " every ", " with ", " as "),
    *(" contains ", " default ", "import ", "package ", "data", "input", "null", "1e9", "-.5", "0x1", "set()", '$"{'),
    *("import rego.v1\n", "import future.keywords.not\n", "# METADATA\n# scope: rule\n", "# METADATA\n# x: [\n"),
)  # fmt: skip


def _policies() -> tuple[str, ...]:
    paths = sorted([*(ROOT / "demo").glob("*.rego"), *(ROOT / "tests/cases").rglob("*.rego")])
    return tuple(path.read_text(encoding="utf-8") for path in paths)


POLICIES: Final = _policies()


def _cut(draw: random.Random, text: str) -> str:
    start, end = sorted(draw.choices(range(len(text) + 1), k=2))
    return text[:start] + text[min(end, start + draw.randint(1, 40)) :]


def _repeated(draw: random.Random, text: str) -> str:
    start = draw.randrange(len(text) + 1)
    piece = text[start : start + draw.randint(1, 20)]
    return text[:start] + piece * draw.choice((2, 3, 50)) + text[start:]


def _inserted(draw: random.Random, text: str) -> str:
    at = draw.randrange(len(text) + 1)
    return text[:at] + draw.choice(TOKENS) * draw.choice((1, 1, 1, 2, 300)) + text[at:]


def _moved(draw: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True)
    draw.shuffle(lines)
    return "".join(lines)


def _spliced(draw: random.Random, text: str) -> str:
    other = draw.choice(POLICIES)
    return text[: draw.randrange(len(text) + 1)] + other[draw.randrange(len(other) + 1) :]


def _cut_off(draw: random.Random, text: str) -> str:
    return text[: draw.randrange(len(text) + 1)]


MUTATIONS: Final[tuple[Callable[[random.Random, str], str], ...]] = (
    _cut,
    _repeated,
    _inserted,
    _moved,
    _spliced,
    _cut_off,
)


def broken(seed: int) -> str:
    """A policy that was changed in one to four ways."""
    draw = random.Random(seed)
    text = draw.choice(POLICIES)
    for mutation in draw.choices(MUTATIONS, k=draw.randint(1, 4)):
        text = mutation(draw, text)
    return text


def faults(text: str, rego_version: int) -> Iterator[str]:
    """What the front end does with a text that it must not do."""
    start = time.perf_counter()
    try:
        module = parse_module(text, "fuzz.rego", rego_version)
        format_module(module)
        check({"fuzz.rego": module})
    except PolicyError as error:
        errors = error.errors if isinstance(error, PolicyErrors) else (error,)
        yield from (f"no place: {one!r}" for one in errors if one.location is None and "limit" not in one.message)
        error.render()
    except Exception as error:  # the point of the test is that there is no other
        yield repr(error)
    if time.perf_counter() - start > SLOWEST:
        yield "slow"


def faults_of_bytes(raw: bytes) -> Iterator[str]:
    """The same for the bytes of a file."""
    try:
        text = decode(raw, "fuzz.rego")
    except PolicyError as error:
        if error.location is None:
            yield f"no place: {error!r}"
    else:
        yield from faults(text, 1)


def test_broken_policies_are_refused_with_a_place_or_read() -> None:
    """Neither another exception nor a hang."""
    found = {(seed, fault) for seed in SEEDS for fault in faults(broken(seed), seed % 2)}
    assert found == set()


def test_bytes_are_text_or_refused_with_a_place() -> None:
    """A file can hold anything."""
    draw = random.Random(1)
    found = set()
    for _ in range(200):
        raw = bytearray(draw.choice(POLICIES).encode())
        for _ in range(draw.randint(1, 5)):
            raw[draw.randrange(len(raw))] = draw.randrange(256)
        found |= set(faults_of_bytes(bytes(raw)))
    assert found == set()


@pytest.mark.skipif("FUZZ_SECONDS" not in os.environ, reason="`make fuzz` sets the time")
def test_fuzz_for_a_while() -> None:
    """The same with seeds that no run has used before."""
    end = time.monotonic() + float(os.environ["FUZZ_SECONDS"])
    seed = time.time_ns()
    while time.monotonic() < end:
        seed += 1
        for fault in faults(broken(seed), seed % 2):
            pytest.fail(f"seed {seed}: {fault}\n{broken(seed)!r}")
