"""What is hidden in records before they are written: by names of members, by JSON pointers, by patterns.

What a member with such a name held is hidden too where its record quotes it: in the words of agents and policies. What
the gateway itself says and reads again, such as verdicts, ids and who delegated to whom, nobody can hide by quoting it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias

import re2

from procurator.builtins.re2_patterns import Pattern, compile_pattern, find_all
from procurator.values import dumps, loads

MASKED: Final = "***"

Json: TypeAlias = Any
Mask: TypeAlias = Callable[[Any], Any]
Path: TypeAlias = tuple[str, ...]

QUOTED_FROM: Final = 4
"""Characters of a hidden text from which on it is hidden where it is quoted; shorter ones are in every text."""

QUOTED_KEPT: Final = 64
"""Hidden texts of one record that are looked for; with more, every text that may quote them is hidden."""

FOUND_KEPT: Final = 1000
"""Finds of a pattern in one text; with more, the rest of the text is hidden."""

KEPT: Final[frozenset[Path]] = frozenset(
    {
        *((name,) for name in ("action", "budget", "data_revision", "decision_id", "decision_seq", "duration_ns")),
        *((name,) for name in ("engine_version", "entrypoint", "link", "outcome", "path", "permit_id")),
        *((name,) for name in ("policy_revision", "proven", "request_id", "schema_version", "time", "verdict")),
        *(("input", name) for name in ("prompt_id", "request_id")),
        ("delegation", "task"),
    }
)
"""What is never hidden: the gateway's own, and ids."""

HOLDING: Final[frozenset[Path]] = frozenset({("input",), ("input", "action"), ("delegation",), ("delegation", "chain")})
"""What is not hidden as a whole, since there is something in it that the gateway reads."""

QUOTING: Final[tuple[Path, ...]] = (
    *((name,) for name in ("field", "message", "nondeterministic", "obligations", "payload", "seen", "value")),
    *(("input", name) for name in ("context", "reasoning")),
    ("child", "root", "intent"),
)
"""Where the words are those of agents, persons and policies."""

_ANSWERS: Final = "nondeterministic"
_FREE: Final = (
    *((name,) for name in ("nondeterministic", "obligations", "payload", "value")),
    *(("input", name) for name in ("context", "estimated_cost")),
    ("input", "action", "parameters"),
    ("child", "authorization_details"),
)
"""Where the names of members are those of agents, persons and policies too."""
_NUMBERS: Final = (int, float, Decimal)


def unmasked(value: Any) -> Any:
    """The mask that hides nothing."""
    return value


def masks(keys: Iterable[str] = (), paths: Iterable[str] = (), patterns: Iterable[str] = ()) -> Mask:
    """A function that hides parts of a record; `unmasked` if there is nothing to hide.

    Args:
        keys: names of members whose values are hidden wherever they stand, in any case.
        paths: JSON pointers of values that are hidden.
        patterns: expressions of RE2; what they find in any text, name or number is hidden.

    Raises:
        PatternError: a pattern is no expression of RE2.
    """
    hidden = frozenset(key.casefold() for key in keys)
    pointers = frozenset(pointer(path) for path in paths)
    compiled = tuple(compile_pattern(pattern) for pattern in patterns)
    if not (hidden or pointers or compiled):
        return unmasked
    return lambda record: _Masking(hidden, pointers, compiled).record(record)


class Hidden(NamedTuple):
    """What is hidden.

    Attributes:
        mask: hides it in a record.
        may_be_in: finds it in the texts of JSON, and what may be nothing of it.
    """

    mask: Mask
    may_be_in: Callable[[str], object]


def hidden(keys: Iterable[str], paths: Iterable[str], patterns: Iterable[str]) -> Hidden:
    """What `masks` of the same hides."""
    keys, paths, patterns = tuple(keys), tuple(paths), tuple(patterns)
    return Hidden(masks(keys, paths, patterns), _always if paths or patterns else _suspect(keys))


def _suspect(keys: tuple[str, ...]) -> Callable[[str], object]:
    """Finds JSON texts that have a member of one of the names; all that is found is looked at closely."""
    if not keys:
        return _never
    options = re2.Options()
    options.case_sensitive = False
    names = "|".join(re2.escape(dumps(key)[1:-1]) for key in keys)
    # A backslash stands there where the JSON is a text within JSON, such as the operands of an answer from outside.
    search: Callable[[str], object] = re2.compile(f'"(?:{names})\\\\?":', options).search
    return search


def _always(_text: str) -> object:
    return True


def _never(_text: str) -> object:
    return None


HIDES_NOTHING: Final = Hidden(unmasked, _never)


def pointer(path: str) -> Path:
    """The names and positions of a JSON pointer."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:])


class _Masking:
    """The masking of one record."""

    def __init__(self, hidden: frozenset[str], pointers: frozenset[Path], patterns: tuple[Pattern, ...]) -> None:
        self.hidden = hidden
        self.pointers = pointers
        self.patterns = patterns
        self.secrets: set[str] = set()

    def record(self, record: Json) -> Json:
        masked = self._masked(record, ())
        if not self.secrets or not isinstance(masked, dict):
            return masked
        quoted = {spelt for secret in self.secrets for spelt in (secret, dumps(secret)[1:-1])}
        return _unquoted(masked, (), sorted(quoted, key=lambda secret: (-len(secret), secret)))

    def _masked(self, value: Json, path: Path) -> Json:
        if path in KEPT:
            return value
        if path in self.pointers:
            return self._hidden(value)
        if isinstance(value, Mapping):
            if len(path) == 2 and path[0] == _ANSWERS:
                return self._answers(value, path)
            named = self._text if any(path[: len(place)] == place for place in _FREE) else str
            return _named((named(str(name)), self._member(str(name), of, path)) for name, of in value.items())
        if isinstance(value, list | tuple):
            return [self._masked(member, (*path, str(number))) for number, member in enumerate(value)]
        if isinstance(value, str):
            return self._text(value)
        return self._number(value) if isinstance(value, _NUMBERS) and self.patterns else value

    def _member(self, name: str, value: Json, path: Path) -> Json:
        inner = (*path, name)
        if name.casefold() in self.hidden and inner not in KEPT and inner not in HOLDING:
            return self._hidden(value)
        return self._masked(value, inner)

    def _answers(self, value: Mapping[str, Json], path: Path) -> Json:
        """Answers from outside by the JSON text of the operands."""
        masked = ((self._masked(loads(name), path), self._member(name, of, path)) for name, of in value.items())
        return _named((dumps(operands), answer) for operands, answer in masked)

    def _hidden(self, value: Json) -> str:
        self.secrets.update(text for text in _texts(value) if len(text) >= QUOTED_FROM)
        return MASKED

    def _text(self, text: str) -> str:
        for pattern in self.patterns:
            text = _without(pattern, text)
        return text

    def _number(self, value: Json) -> Json:
        text = dumps(value)
        return value if isinstance(value, bool) or self._text(text) == text else MASKED


def _named(members: Iterable[tuple[str, Json]]) -> dict[str, Json]:
    """An object of members; names that have become one are told apart."""
    named: dict[str, Json] = {}
    for name, value in members:
        while name in named:
            name += "*"  # until it is new
        named[name] = value
    return named


def _texts(value: Json) -> Iterator[str]:
    """The texts in a hidden value, as others may quote them."""
    if isinstance(value, Mapping):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _texts(member)
    elif isinstance(value, str):
        yield value
    elif value is not None and not isinstance(value, bool):
        yield dumps(value)


def _without(pattern: Pattern, text: str) -> str:
    data = text.encode()
    kept, at = [], 0
    for start, end in (spans[0] for spans in find_all(pattern, data, FOUND_KEPT + 1)):
        if start < end:
            kept.append(data[at:start])
            at = end
    if not kept:
        return text
    if len(kept) > FOUND_KEPT:
        kept, at = kept[:-1], len(data)
    return MASKED.join([piece.decode() for piece in kept] + [data[at:].decode()])


def _unquoted(value: Json, path: Path, secrets: list[str]) -> Json:
    """A record without what was hidden elsewhere in it."""
    if path in QUOTING:
        return _without_quotes(value, secrets)
    if isinstance(value, dict) and any(place[: len(path)] == path for place in QUOTING):
        return {name: _unquoted(member, (*path, name), secrets) for name, member in value.items()}
    return value


def _without_quotes(value: Json, secrets: list[str]) -> Json:
    if isinstance(value, dict):
        return _named((_plain(name, secrets), _without_quotes(of, secrets)) for name, of in value.items())
    if isinstance(value, list):
        return [_without_quotes(member, secrets) for member in value]
    if isinstance(value, str):
        return _plain(value, secrets)
    if isinstance(value, _NUMBERS) and not isinstance(value, bool):
        return MASKED if dumps(value) in secrets else value
    return value


def _plain(text: str, secrets: list[str]) -> str:
    if len(secrets) > QUOTED_KEPT:
        return MASKED
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, MASKED)
    return text
