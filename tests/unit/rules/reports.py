"""What the checks report, told in a line an error: `row:column message ⟨text⟩`, the text being what is underlined."""

from __future__ import annotations

from dataclasses import replace

from procurator_rules.checks import Checked, CheckOptions, check
from procurator_rules.errors import PolicyError, PolicyErrors
from procurator_rules.nodes import Expr, Module
from procurator_rules.parser import parse_module

ALL = CheckOptions(max_errors=0)
STRICT = replace(ALL, strict=True)


def modules_of(*texts: str, rego_version: int = 1) -> dict[str, Module]:
    """Modules of a package `test` each, `0.rego` and so on, unless they name another package."""
    named = [text if text.startswith("package") else f"package test\n\n{text}" for text in texts]
    return {f"{i}.rego": parse_module(text, f"{i}.rego", rego_version) for i, text in enumerate(named)}


def checked(*texts: str, options: CheckOptions = ALL, rego_version: int = 1) -> Checked:
    """Modules that are in order."""
    return check(modules_of(*texts, rego_version=rego_version), options)


def reported(*texts: str, options: CheckOptions = ALL, rego_version: int = 1) -> list[str]:
    """What is wrong with modules, in order; rows count from the first line of what is given."""
    try:
        checked(*texts, options=options, rego_version=rego_version)
    except PolicyErrors as errors:
        return [told(error) for error in errors.errors]
    except PolicyError as error:
        return [told(error)]
    return []


def told(error: PolicyError) -> str:
    """One error; that of a file other than the first with its name."""
    at = error.location
    if at is None:
        return error.message
    row = at.row if at.source.text.startswith("package test.") or at.row < 3 else at.row - 2
    file = "" if at.file == "0.rego" else f"{at.file}:"
    return f"{file}{row}:{at.column} {error.message} ⟨{at.source.text[at.start : at.end]}⟩"


def lines(body: tuple[Expr, ...]) -> list[str]:
    """The texts of the lines of a body."""
    return [line.span.text for line in body]
