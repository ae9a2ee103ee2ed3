"""Types in OPA's JSON notation."""

import pytest

from procurator_rules.capabilities import DEFAULT
from procurator_rules.json_text import json_text
from procurator_rules.signatures import type_from_json
from procurator_rules.type_json import parameters_json, type_json
from procurator_rules.types import ANY, NUMBER, STRING, Array, Function, Object, Set, Union


@pytest.mark.parametrize("name", sorted(DEFAULT.builtins))
def test_what_was_read_is_written(name: str) -> None:
    """Every type of every built-in function comes back as it was, but for names and descriptions."""
    declared = type_from_json(DEFAULT.builtins[name]["decl"])
    assert type_from_json(type_json(declared)) == declared


def test_types_are_written_with_sorted_keys_and_without_empty_parts() -> None:
    """As Go does it; what is not known is null."""
    one = Object([((3, "k"), Array([NUMBER, None], STRING))], (STRING, Union([NUMBER, Set()])))
    assert json_text(type_json(one)).replace("\n", "").replace(" ", "") == (
        '{"dynamic":{"key":{"type":"string"},"value":{"of":[{"type":"number"},{"type":"set"}],"type":"any"}},'
        '"static":[{"key":"k","value":{"dynamic":{"type":"string"},"static":[{"type":"number"},null],"type":"array"}}],'
        '"type":"object"}'
    )


def test_parameters_of_a_built_in_have_their_names() -> None:
    """Those of a user's own function have none."""
    signature = type_from_json(DEFAULT.builtins["count"]["decl"])
    assert isinstance(signature, Function)
    named = parameters_json("count", signature, with_result=True)
    assert [argument["name"] for argument in named["args"]] == ["collection", "n"]
    own = Function([NUMBER], STRING, ANY)
    assert parameters_json("f", own, with_result=False) == {"args": [{"type": "number"}], "variadic": {"type": "any"}}
