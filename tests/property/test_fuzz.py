"""Whatever a text is, reading it gives a module or an error with a place, and takes time in proportion to its length.

By default a few thousand mutations with a fixed seed; with FUZZ_SECONDS=60 in the environment, new ones for that long.
"""

import json
import os
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from procurator_rules.ast_json import module_json
from procurator_rules.errors import PolicyError
from procurator_rules.parser import decode, parse_module, parse_query
from procurator_rules.printer import format_module

TESTS = Path(__file__).parents[1]
CONFORMANCE = Path(os.environ.get("PROCURATOR_CASES", TESTS.parents[1] / "shared/conformance/open.jsonl"))
SECONDS = float(os.environ.get("FUZZ_SECONDS", 0))
MUTATIONS = 10_000
LONGEST = 3000

TOKEN = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|`[^`]*`|#[^\n]*|\n[ \t]*|[ \t]+|[A-Za-z_]\w*|\d+(?:\.\d+)?|:=|[=!<>]=|.', re.DOTALL
)

SPELLINGS = """
{ } [ ] ( ) , ; : := = == | & + - * / % . _ x 1 0 1.5 "s" `r` $"{x}" $` {} [] set() x[0] f(x) if contains some every in
not and or with as else default import package true null input data.x if.x #c
"""
WORDS = SPELLINGS.split()
BYTES = [
    b'$"',
    b"$`",
    b'"',
    b"`",
    b"{",
    b"\\u12",
    b"\\",
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xc2\xa0",
    b"\n",
    b"1e",
    b"#",
]
LINES = ["import future.keywords\n", "import rego.v1\n", "# METADATA\n# scope: rule\n", "\n"]

LOGICAL = """\
package a

import future.keywords

p if { x or y; not { z }; (a and b) or not c }

q := $"a {x} b {y + 1} {"z"}" if not (x or y) with input as {1, 2}
"""


def seeds() -> list[str]:
    """The texts that are mutated: our own policies, and those of OPA's cases where they are at hand."""
    texts = [LOGICAL, *(path.read_text(encoding="utf-8") for path in sorted(TESTS.glob("cases/**/*.rego")))]
    if CONFORMANCE.exists():
        for line in CONFORMANCE.read_text(encoding="utf-8").splitlines():
            texts += json.loads(line).get("modules") or []
    return [text for text in texts if len(text) < LONGEST]


def tokens_mutated(text: str, chance: random.Random) -> bytes:
    """The text with some of its tokens left out, exchanged, repeated or replaced."""
    tokens = TOKEN.findall(text) or ["x"]
    for _ in range(chance.randint(1, 3)):
        at, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        word = chance.choice(WORDS)
        change = chance.randrange(5)
        if change == 0:
            tokens[at] = ""
        elif change == 1:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif change == 2:
            tokens.insert(at, tokens[other])
        elif change == 3:
            tokens[at] = word
        else:
            tokens.insert(at, chance.choice((f" {word} ", *LINES)))
    return "".join(tokens).encode()


def bytes_mutated(text: str, chance: random.Random) -> bytes:
    """The text with some bytes changed, cut out, copied or cut off."""
    content = bytearray(text.encode())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(content) + 1)
        end = at + chance.randint(1, 30)
        change = chance.randrange(5)
        if change == 0:
            content[at : at + 1] = bytes([chance.randrange(256)])
        elif change == 1:
            content[at:at] = chance.choice(BYTES)
        elif change == 2:
            del content[at:end]
        elif change == 3:
            content[chance.randrange(len(content) + 1) : 0] = content[at:end]
        else:
            del content[at:]
    return bytes(content)


def mutations(chance: random.Random) -> Iterator[tuple[bytes, int]]:
    """Mutated texts with the version of Rego to read them as, for as many or as long as was asked for."""
    texts = seeds()
    end = time.monotonic() + SECONDS
    count = 0
    while count < MUTATIONS or time.monotonic() < end:
        count += 1
        mutate = chance.choice((tokens_mutated, bytes_mutated))
        yield mutate(chance.choice(texts), chance), chance.choice((1, 1, 0))


def read(content: bytes, version: int) -> None:
    """Read a text as a module and as a query; what comes out must bear being printed."""
    text = decode(content, "fuzz.rego")
    try:
        module = parse_module(text, "fuzz.rego", version)
    except PolicyError as error:
        judge(error)
    else:
        module_json(module, locations=True)
        format_module(module)
    parse_query(text, "fuzz.rego", version)


def judge(error: PolicyError) -> None:
    """An error has a place in the text, and can be shown."""
    assert error.location is not None, error
    assert error.location.row >= 1, error
    assert error.location.column >= 1, error
    assert error.render()


def test_mutated_policies_are_read_or_refused() -> None:
    """Nothing but an error of the policy ever comes out."""
    seed = random.randrange(2**32) if SECONDS else 20
    chance = random.Random(seed)
    for content, version in mutations(chance):
        try:
            read(content, version)
        except PolicyError as error:
            judge(error)
        except Exception as error:
            pytest.fail(f"{content!r} (seed {seed}): {error!r}")
