"""Instants as texts."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

SECOND_NS: Final = 1_000_000_000

_FORM: Final = "%Y-%m-%dT%H:%M:%S"


def time_text(now_ns: int) -> str:
    """An instant in nanoseconds since 1970 as RFC 3339 has it, in UTC with nanoseconds."""
    seconds, rest = divmod(now_ns, SECOND_NS)
    return f"{_second(seconds)}.{rest:09d}Z"


def time_ns(text: str) -> int:
    """The instant that `time_text` has made a text of.

    Raises:
        ValueError: it is not such a text.
    """
    second, _, rest = text.removesuffix("Z").partition(".")
    moment = datetime.strptime(second, _FORM).replace(tzinfo=UTC)
    return int(moment.timestamp()) * SECOND_NS + int(rest)


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(_FORM)
