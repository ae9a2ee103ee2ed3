"""Calls whose works share a commit."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from procurator.governance.store import Store
from procurator.governance.transactions import Transaction


@contextmanager
def full_disk(store: Store) -> Iterator[None]:
    """No commit of a store succeeds inside."""
    is_full = True

    def write(_connection: object) -> None:
        if is_full:
            raise OSError("disk full")

    store.before_commit(write)
    yield
    is_full = False


def together(store: Store, calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What calls return that write to a store in their order and in one commit, or the errors they raise.

    Another work holds the store up until all of them wait for it.
    """
    answers: list[Any] = [None] * len(calls)

    def run(number: int) -> None:
        try:
            answers[number] = calls[number]()
        except Exception as error:
            answers[number] = f"{type(error).__name__}: {error}"

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]

    def hold(_tx: Transaction) -> None:
        for number, thread in enumerate(threads, 1):
            thread.start()
            while len(store._queue) < number:
                time.sleep(0)

    store.transact(hold)
    for thread in threads:
        thread.join()
    return answers
