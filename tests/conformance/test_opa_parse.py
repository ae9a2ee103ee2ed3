"""The syntax trees of OPA's own cases are printed as OPA prints them, byte for byte.

`opa_parse_digests.txt` has, of the output of `opa parse --format json` 1.22.2 for each module, the first digits of the
SHA-256: without locations, with locations, and the case's id with the number of the module in it.
"""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from procurator_rules.ast_json import module_json
from procurator_rules.json_text import json_text
from procurator_rules.parser import parse_module

CASES = Path(__file__).parents[3] / "shared/conformance/open.jsonl"
DIGESTS = Path(__file__).with_name("opa_parse_digests.txt")
DIGITS = 12


def modules() -> dict[str, tuple[str, str]]:
    """Name and text of every module by the id of its case."""
    lines = CASES.read_text(encoding="utf-8").splitlines()
    return {
        f"{case['id']}#{number}": (f"test-{number}.rego", text)
        for case in map(json.loads, filter(None, lines))
        for number, text in enumerate(case.get("modules") or [])
    }


def digest(name: str, text: str, *, locations: bool) -> str:
    """The digest of what `procurator parse --format json` prints."""
    printed = json_text(module_json(parse_module(text, name), locations=locations, comments=True))
    return sha256(f"{printed}\n".encode()).hexdigest()[:DIGITS]


@pytest.mark.skipif(not CASES.exists(), reason="the cases are not beside the repository")
@pytest.mark.parametrize("locations", [False, True], ids=["plain", "locations"])
def test_trees_are_printed_as_opa_prints_them(locations: bool) -> None:
    """Every module of every case, whether its policy makes sense or not."""
    found = modules()
    different = [
        case
        for plain, located, case in (line.split(" ", 2) for line in DIGESTS.read_text(encoding="utf-8").splitlines())
        if digest(*found[case], locations=locations) != (located if locations else plain)
    ]
    assert different == []
