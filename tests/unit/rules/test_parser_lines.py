"""Lines that only their surroundings tell apart: groups, braces and keywords that are names."""

import pytest

from procurator_rules.errors import PolicyError
from procurator_rules.parser import parse_module
from procurator_rules.printer import format_module


@pytest.mark.parametrize(
    "text",
    [
        "import future.keywords.not\n\np if not (x with input as 1)\n",
        "import future.keywords\n\np := [x | not a or b]\n",
        "import future.keywords\n\np := {x: y | not {a} and b; c}\n",
        'true["foo"] := 1\n',
        "import future.keywords\n\np if not {\n\t(x | y)\n\tz\n}\n",
        "p if k, (v in a) in b\n",
        'import data.agents["back office"].x\n',
    ],
)
def test_the_text_is_read_and_printed_as_it_was(text: str) -> None:
    module = parse_module(f"package a\n\n{text}")
    printed = format_module(module)
    assert parse_module(printed) == module
    assert format_module(parse_module(printed)) == printed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import future.keywords.not\np if (x with input as 1)", "unexpected identifier token"),
        ("import future.keywords.not\np := (not x)", "unexpected not keyword"),
        ('p := true["a"]', "illegal ref (head cannot be boolean)"),
    ],
)
def test_what_looks_like_it_is_refused(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_module(f"package a\n{text}")
    assert caught.value.message == message
