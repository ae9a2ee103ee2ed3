"""The stages that look at calls, types and annotations, on the case files of each."""

from __future__ import annotations

import pytest
from check_cases import case_files, check_case, in_order

from procurator_rules.checks import deprecated, functions, metadata
from procurator_rules.checks.types import infer_types


@pytest.mark.parametrize("name", case_files("types"))
def test_types(name: str) -> None:
    """Types that do not go together, with what is there and what is wanted."""
    found, wanted = check_case(name, lambda program: list(infer_types(in_order(program)).errors))
    assert found == wanted


@pytest.mark.parametrize("name", case_files("functions"))
def test_functions(name: str) -> None:
    """Functions that do not exist, take other numbers of arguments or have no value."""
    found, wanted = check_case(name, lambda program: functions.void_calls(program) or functions.stage(program))
    assert found == wanted


@pytest.mark.parametrize("name", case_files("deprecated"))
def test_deprecated(name: str) -> None:
    """Deprecated built-in functions, with what to write instead."""
    found, wanted = check_case(name, deprecated.stage)
    assert found == wanted


@pytest.mark.parametrize("name", case_files("metadata"))
def test_metadata(name: str) -> None:
    """Annotations that are there twice."""
    found, wanted = check_case(name, metadata.stage)
    assert found == wanted
