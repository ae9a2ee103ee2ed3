"""Hints that offer a name near to one that does not exist."""

from collections.abc import Collection, Iterable

MAX_CANDIDATES = 2000
"""So many names are compared at most: a hint is not worth more time than that."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like a name, if one is like it."""
    from difflib import get_close_matches

    candidates = [other for other in known if other != name and abs(len(other) - len(name)) <= 3]
    close = get_close_matches(name, candidates[:MAX_CANDIDATES], 1, 0.7)
    return close[0] if close else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The hint for a misspelt name, or None."""
    close = nearest(name, known)
    return None if close is None else f"did you mean `{close}`?"


def nearest_function(name: str, known: Collection[str]) -> str | None:
    """The function most like a dotted name: misspelt, or written without or with another name in front."""
    close = nearest(name, known)
    if close is not None:
        return close
    last = name.rpartition(".")[2]
    return min((other for other in known if other != name and other.rpartition(".")[2] == last), default=None)
