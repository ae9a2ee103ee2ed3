"""What is said about texts that do not parse."""

import pytest

from procurator_rules.capabilities import for_version
from procurator_rules.errors import PolicyError
from procurator_rules.parser import parse_module

PACKAGE = "package a\n"


def told(text: str, rego_version: int = 1) -> tuple[str, str, str | None]:
    """Row (from `package a` on), column and message of the first error; the text that it underlines; its hint."""
    with pytest.raises(PolicyError) as caught:
        parse_module(PACKAGE + text, "a.rego", rego_version, for_version(rego_version))
    error = getattr(caught.value, "errors", (caught.value,))[0]
    at = error.location
    return f"{at.row - 1}:{at.column} {error.message}", at.source.text[at.start : at.end], error.hint


def mistakes(text: str, rego_version: int = 1) -> list[str]:
    """Row and message of every error of a text."""
    with pytest.raises(PolicyError) as caught:
        parse_module(text, "a.rego", rego_version, for_version(rego_version))
    errors = getattr(caught.value, "errors", (caught.value,))
    return [f"{error.location.row} {error.message}" for error in errors]
