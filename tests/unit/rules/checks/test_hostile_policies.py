"""Policies that are made to hang or to crash the checks end in time, and in a PolicyError if in an error."""

import time

import pytest

from procurator_rules.checks import check
from procurator_rules.errors import PolicyError
from procurator_rules.parser import parse_module


@pytest.mark.parametrize("term", ["{" * 90 + "1" + ":1}" * 90, "{1:" * 90 + "1" + "}" * 90, "{" * 90 + "1" + "}" * 90])
def test_nested_keys_take_no_long_time(term: str) -> None:
    start = time.process_time()
    try:
        check({"a.rego": parse_module(f"package a\np := {term}", "a.rego")})
    except PolicyError as error:
        assert error.location is not None  # noqa: PT017
    # Doubling with every level, this would take longer than the universe is old.
    assert time.process_time() - start < 5


@pytest.mark.parametrize("scope", ["rule", "document"])
@pytest.mark.parametrize("name", ["data.x", "data.a", "data.a.b", "input.x"])
def test_metadata_above_a_rule_named_after_a_document(scope: str, name: str) -> None:
    policy = f"package a\n\n# METADATA\n# scope: {scope}\n{name} := 1\n"
    with pytest.raises(PolicyError) as caught:
        check({"a.rego": parse_module(policy, "a.rego")})
    assert caught.value.message.startswith("rules must not shadow ")
    assert caught.value.location is not None
    assert caught.value.location.row == 5
