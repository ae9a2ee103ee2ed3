"""The policies of OPA's own cases are laid out as OPA lays them out, byte for byte.

`opa_fmt_digests.txt` has, of the output of `opa fmt` 1.22.2 for each module, the first digits of the SHA-256: of the
text as it is, of the text with a comment at the end of each line, and of the text with its lines joined and broken
elsewhere; then the case's id with the number of the module in it. There is a dash where OPA's own output is no policy
any more, loses a comment or is laid out differently the next time.
"""

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from procurator_rules.parser import parse_module
from procurator_rules.printer import format_module

CASES = Path(__file__).parents[3] / "shared/conformance/open.jsonl"
DIGESTS = Path(__file__).with_name("opa_fmt_digests.txt")
DIGITS = 12


def commented(text: str) -> str:
    """The text with a comment at the end of each line."""
    return re.sub(r"(?<=[^\n])$", " # why", text, flags=re.MULTILINE)


def broken(text: str) -> str:
    """The text with lines broken after each comma of two, and joined before closing brackets."""
    return re.sub(r"(,[^,\n]*,) ", r"\1\n", re.sub(r",?\n\s*([]})])(?=[,\])}])", r"\1", text))


VARIANTS = {"plain": lambda text: text, "commented": commented, "broken": broken}


def modules() -> dict[str, str]:
    """The text of every module by the id of its case."""
    lines = CASES.read_text(encoding="utf-8").splitlines()
    return {
        f"{case['id']}#{number}": text
        for case in map(json.loads, filter(None, lines))
        for number, text in enumerate(case.get("modules") or [])
    }


def digest(text: str) -> str:
    """The first digits of the SHA-256 of a text."""
    return sha256(text.encode()).hexdigest()[:DIGITS]


@pytest.mark.skipif(not CASES.exists(), reason="the cases are not beside the repository")
@pytest.mark.parametrize("variant", VARIANTS)
def test_policies_are_laid_out_as_opa_lays_them_out(variant: str) -> None:
    """Every module of every case."""
    found = modules()
    different = []
    for line in DIGESTS.read_text(encoding="utf-8").splitlines():
        *digests, case = line.split(" ", len(VARIANTS))
        wanted = digests[list(VARIANTS).index(variant)]
        if wanted != "-" and digest(format_module(parse_module(VARIANTS[variant](found[case])))) != wanted:
            different.append(case)
    assert different == []
