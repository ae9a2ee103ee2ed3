"""Functions on a stack of their own."""

from __future__ import annotations

import sys
import threading
from contextvars import ContextVar

import pytest

from procurator.runtime.stacks import MOST, apart


def below(levels: int) -> int:
    """So many frames, one after the other."""
    return 0 if levels == 0 else 1 + below(levels - 1)


def test_a_stack_of_its_own_has_all_its_room() -> None:
    """What the caller has used up does not count, and the limit stays what it is."""
    limit = sys.getrecursionlimit()

    def deep(levels: int) -> int:
        return apart(below, limit - 100) if levels == 0 else deep(levels - 1)

    assert deep(200) == limit - 100
    assert sys.getrecursionlimit() == limit


def test_there_is_an_end() -> None:
    """Stacks without end are one recursion without end."""

    def without_end() -> None:
        apart(without_end)

    with pytest.raises(RecursionError, match=f"more than {MOST} stacks"):
        without_end()


def test_errors_and_context_are_those_of_the_caller() -> None:
    """What the function raises is raised where it was called; it sees the caller's context variables."""
    who = ContextVar("who", default="nobody")
    who.set("caller")
    assert apart(lambda add: who.get() + add, "!") == "caller!"
    with pytest.raises(KeyError, match="7"):
        apart({}.__getitem__, 7)
    assert apart(threading.current_thread) is not threading.current_thread()
