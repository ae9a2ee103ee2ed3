"""The error that data which cannot be loaded is reported with."""

from typing import Final

from procurator_rules.errors import PolicyError
from procurator_rules.spans import Location

LOAD: Final = "load_error"


def load_error(message: str, path: str = "", *, hint: str | None = None) -> PolicyError:
    """The error with this message, at the start of a file if one is named."""
    return PolicyError(LOAD, message, at=Location(path, 1, 1) if path else None, hint=hint)
