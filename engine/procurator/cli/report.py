"""Errors as a command prints them: for people, or as the JSON that OPA prints."""

from typing import Any

import click

from procurator_rules.errors import PARSE, PolicyError, PolicyErrors
from procurator_rules.json_text import json_text
from procurator_rules.spans import Location


def report(error: PolicyError, style: str) -> None:
    """Print an error on standard error, in the style `pretty` or `json`."""
    text = json_text({"errors": error_records(error)}) if style == "json" else error.render()
    click.echo(text, err=True)


def error_records(error: PolicyError) -> list[dict[str, Any]]:
    """What OPA's JSON says of each of the errors."""
    return [_record(one) for one in (error.errors if isinstance(error, PolicyErrors) else (error,))]


def _record(error: PolicyError) -> dict[str, Any]:
    record: dict[str, Any] = {"message": error.message, "code": error.code}
    if error.location:
        place = error.location
        record["location"] = {"file": place.file, "row": place.row, "col": place.column}
    if details := _details(error):
        record["details"] = details
    return record


def _details(error: PolicyError) -> object:
    if error.code == PARSE and error.location and error.location.source.text:
        return _parse_details(error.location)
    return list(error.details) if error.record is None else error.record


def _parse_details(place: Location) -> dict[str, Any]:
    text, at = place.source.text, min(place.start, len(place.source.text) - 1)
    while at > 0 and text[at].isspace():
        at -= 1
    begin = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    line = text[begin:].split("\n", 1)[0].split("\r", 1)[0]
    return {"line": line, "idx": len(text[begin:at].encode())}
