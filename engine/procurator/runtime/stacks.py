"""Room for long chains of rules: each thread has a stack of its own, and one that waits costs little."""

from collections.abc import Callable
from contextvars import ContextVar, copy_context
from threading import Thread
from typing import Any, Final, TypeVar

T = TypeVar("T")

MOST: Final = 200
"""Stacks that may wait for each other."""

_waiting: Final = ContextVar("waiting", default=0)


def apart(function: Callable[..., T], *args: Any) -> T:
    """What a function gives, called on a stack of its own.

    The limit on recursion is left alone, for it holds for all threads, and some have little room.

    Args:
        function: what to call; it sees the caller's context variables.
        args: its arguments.

    Raises:
        RecursionError: there are too many stacks already.
    """
    waiting = _waiting.get() + 1
    if waiting > MOST:
        raise RecursionError(f"more than {MOST} stacks")
    given: list[T] = []
    raised: list[BaseException] = []
    context = copy_context()
    context.run(_waiting.set, waiting)

    def run() -> None:
        try:
            given.append(context.run(function, *args))
        except BaseException as error:  # it is raised where the caller waits
            raised.append(error)

    thread = Thread(target=run, name="procurator-deep", daemon=True)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
    return given[0]
