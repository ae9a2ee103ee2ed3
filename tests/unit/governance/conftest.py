"""Files of state."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from procurator.governance.store import Store


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens the same file again and again, as processes would."""
    stores: list[Store] = []

    def open_store() -> Store:
        stores.append(Store(tmp_path / "state.db"))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Callable[[], Store]) -> Store:
    """One file."""
    return opened()
