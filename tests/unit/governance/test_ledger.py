"""The ledger: a request is found again wherever it is kept, a permit is settled once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from batches import full_disk

from procurator.governance import ledger as ledger_module
from procurator.governance.ledger import DecidedRequest, Ledger, Permit
from procurator.governance.refusals import Refused
from procurator.governance.store import Store, StoreError
from procurator.governance.transactions import Transaction


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """Two stores on one file, as two processes have."""
    both = Store(tmp_path / "state.db"), Store(tmp_path / "state.db")
    yield both
    for store in both:
        store.close()


def test_requests_are_found_before_and_after_they_enter_the_index(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "INDEX_AT", 4)
    ledgers = [Ledger(store) for store in stores]
    for seq in range(30):
        turn = seq // 3 % 2

        def work(tx: Transaction, seq: int = seq, ledger: Ledger = ledgers[turn]) -> list[DecidedRequest | None]:
            ledger.add_request(tx, f"r{seq}", b"%d" % seq, seq, f"prompt:p{seq}")
            return [ledger.find_request(tx, f"r{number}") for number in range(32)]

        wanted = [DecidedRequest(n, f"r{n}", b"%d" % n) if n <= seq else None for n in range(32)]
        assert stores[turn].transact(work) == wanted


def test_a_request_of_a_work_that_failed_is_not_found(stores: tuple[Store, Store]) -> None:
    store, ledger = stores[0], Ledger(stores[0])

    def work(tx: Transaction) -> None:
        ledger.add_request(tx, "r", b"", 0, "prompt:p")
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        store.transact(work)
    assert store.transact(lambda tx: ledger.find_request(tx, "r")) is None


def test_a_permit_is_settled_exactly_once(stores: tuple[Store, Store]) -> None:
    store, ledger = stores[0], Ledger(stores[0])
    permit = Permit("p", "d", 7, 100, "open")

    def give_and_settle(tx: Transaction) -> tuple[Permit, Permit | None]:
        ledger.open_permit(tx, "p", "d", 7, 100)
        return ledger.settle_permit(tx, "p", "success"), ledger.find_permit(tx, "p")

    assert store.transact(give_and_settle) == (permit, permit._replace(state="success"))
    for name, reason in (("p", "permit_settled"), ("q", "permit_unknown")):
        with pytest.raises(Refused) as caught:
            store.transact(lambda tx, name=name: ledger.settle_permit(tx, name, "failure"))
        assert caught.value.reason == reason


def test_requests_stay_found_after_a_commit_that_was_to_enter_them_in_the_index_and_failed(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes next enters nothing; requests that are in memory alone must not be forgotten with it."""
    monkeypatch.setattr(ledger_module, "INDEX_AT", 4)
    store, ledger = stores[0], Ledger(stores[0])

    def add(seq: int) -> None:
        store.transact(lambda tx: ledger.add_request(tx, f"r{seq}", b"", seq, "prompt:p"))

    for seq in range(3):
        add(seq)
    with full_disk(store), pytest.raises(StoreError, match="disk full"):
        add(3)
    store.transact(lambda tx: ledger.open_permit(tx, "p", "d", 0, 100))
    found = store.transact(lambda tx: [ledger.find_request(tx, f"r{seq}") for seq in range(4)])
    assert found == [*(DecidedRequest(seq, f"r{seq}", b"") for seq in range(3)), None]
