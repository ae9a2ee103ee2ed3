"""Room for long chains of rules: each thread has a stack of its own, and one that waits costs little."""

from collections.abc import Callable
from contextvars import copy_context
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


def apart(function: Callable[..., T], *args: Any) -> T:
    """What a function gives, called on a stack of its own.

    The limit on recursion is left alone, for it holds for all threads, and some have little room.

    Args:
        function: what to call; it sees the caller's context variables.
        args: its arguments.
    """
    given: list[T] = []
    raised: list[BaseException] = []
    context = copy_context()

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
