"""The audit log: what it refuses, what it hides, and that every tampering is found and named."""

import resource
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from procurator.governance.audit.checkpoints import Signer, Witness, read_checkpoint
from procurator.governance.audit.log import DAY_NS, AuditLog
from procurator.governance.audit.masking import masks
from procurator.governance.audit.merkle import verify_inclusion
from procurator.governance.audit.records import Entry, new_entry
from procurator.governance.audit.verification import prove, verify
from procurator.governance.store import Store, StoreError
from procurator.governance.transactions import Transaction
from tampering import tamper

ORIGIN = "log.example/audit"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


STORES: dict[AuditLog, Store] = {}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while STORES:
        STORES.popitem()[1].close()


def open_log(path: Path, **options: Any) -> AuditLog:
    """A log that keeps entries for a year; its store is closed after the test."""
    store = Store(path / "audit.db")
    log = AuditLog(store, **{"retention_days": 365, "signer": Signer(ORIGIN, KEY), **options})
    STORES[log] = store
    return log


def append(log: AuditLog, kind: str, record: dict[str, Any] | str, **options: Any) -> Entry:
    """Write an entry in a transaction of its own."""
    return STORES[log].transact(lambda tx: log.append(tx, kind, record, **options))


def test_a_change_and_what_it_says_of_itself_are_written_both_or_neither(tmp_path: Path) -> None:
    """With the time; a change of nothing says nothing."""
    log = open_log(tmp_path, clock=lambda: 1_800_000_000 * 10**9)

    def failing(tx: Transaction) -> None:
        log.append(tx, "kill", {"name": "first"})
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        log.write_down("kill", failing)
    assert log.write_down("kill", lambda _tx: None) is None
    assert log.write_down("kill", lambda _tx: {"name": "second"}) == {"name": "second"}
    assert [entry.body for entry in log.entries()] == ['{"name":"second","time":"2027-01-15T08:00:00.000000000Z"}']


def filled(path: Path, count: int = 6, **options: Any) -> AuditLog:
    """A log of some decisions."""
    log = open_log(path, **options)
    for number in range(count):
        append(log, "decision", {"decision_id": f"d{number}", "verdict": "permit"})
    return log


def close(log: AuditLog) -> None:
    """Close a log's file before the test ends."""
    STORES.pop(log).close()


def test_entries_come_back_in_order_and_verify(tmp_path: Path) -> None:
    log = filled(tmp_path)
    entries = list(log.entries())
    assert [entry.body for entry in entries] == [
        f'{{"decision_id":"d{number}","verdict":"permit"}}' for number in range(6)
    ]
    found = verify(entries)
    assert (found.is_whole, found.size) == (True, 6)


def test_a_log_goes_on_where_it_ended(tmp_path: Path) -> None:
    close(filled(tmp_path))
    log = open_log(tmp_path)
    assert append(log, "outcome", {"decision_id": "d0"}).seq == 6
    assert verify(log.entries()).is_whole


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM entries WHERE seq = 2",
        "UPDATE entries SET body = '{}' WHERE seq = 2",
        "UPDATE entries SET body = NULL WHERE seq = 2",
        "UPDATE entries SET kind = 'kill' WHERE seq = 2",
        "DELETE FROM checkpoints",
        "UPDATE checkpoints SET note = ''",
    ],
)
def test_the_file_itself_refuses_changes(tmp_path: Path, statement: str) -> None:
    filled(tmp_path).checkpoint()
    connection = sqlite3.connect(tmp_path / "audit.db")
    with pytest.raises(sqlite3.IntegrityError, match="the audit log is append-only"):
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statements", "problem", "first_bad"),
    [
        (["UPDATE entries SET body = '{}' WHERE seq = 3"], "the body of entry 3 was changed", 3),
        (["UPDATE entries SET kind = 'kill' WHERE seq = 3"], "entry 3 was changed", 3),
        (["UPDATE entries SET time_ns = time_ns + 1 WHERE seq = 0"], "entry 0 was changed", 0),
        (["DELETE FROM entries WHERE seq = 3"], "entry 3 is missing", 3),
        (["DELETE FROM entries WHERE seq = 0"], "entry 0 is missing", 0),
        (
            [
                "UPDATE entries SET seq = -1 WHERE seq = 2",
                "UPDATE entries SET seq = 2 WHERE seq = 3",
                "UPDATE entries SET seq = 3 WHERE seq = -1",
            ],
            "entry 2 does not follow",
            2,
        ),
        (
            [
                "UPDATE entries SET seq = -seq WHERE seq > 3",
                "UPDATE entries SET seq = 1 - seq WHERE seq < 0",
            ],
            "entry 4 is missing",
            4,
        ),
        (["DELETE FROM entries WHERE seq > 3"], "the log ends after 4 entries, a checkpoint has seen 6", 4),
    ],
)
def test_every_tampering_is_found(tmp_path: Path, statements: list[str], problem: str, first_bad: int) -> None:
    log = filled(tmp_path)
    checkpoint = log.checkpoint()
    close(log)
    tamper(tmp_path / "audit.db", *statements)
    found = verify(open_raw(tmp_path), [checkpoint])
    assert found.problem is not None
    assert found.problem.startswith(problem)
    assert found.first_bad == first_bad


def open_raw(path: Path) -> list[Entry]:
    """The entries of a file that was tampered with."""
    connection = sqlite3.connect(path / "audit.db")
    rows = connection.execute("SELECT * FROM entries ORDER BY seq").fetchall()
    connection.close()
    return [Entry(*row) for row in rows]


def test_an_entry_that_the_log_did_not_write_itself_is_found(tmp_path: Path) -> None:
    log = filled(tmp_path)
    close(log)
    last = open_raw(tmp_path)[-1]
    forged = new_entry(6, last.time_ns, "decision", "standard", last.retain_until_ns, "{}", last.entry_hash)
    tamper(tmp_path / "audit.db", f"INSERT INTO entries VALUES {tuple(forged)}")  # noqa: S608  # our own
    found = verify(open_raw(tmp_path), written=6)
    assert (found.problem, found.first_bad, found.found) == (
        "entry 6 was added behind the last that the gateway wrote",
        6,
        forged,
    )
    assert verify(open_raw(tmp_path)[:4], written=6).problem == "the log ends after 4 entries, 6 were written"


def test_what_is_of_another_type_is_malformed(tmp_path: Path) -> None:
    entry = append(open_log(tmp_path), "decision", {})
    assert verify([entry._replace(body=b"{}")]).problem == "entry 0 is malformed"  # type: ignore[arg-type]


def test_hashes_computed_anew_are_found_between_checkpoints(tmp_path: Path) -> None:
    log = filled(tmp_path, 3)
    points = [log.checkpoint()]
    for _ in range(4):
        append(log, "decision", {})
    points.append(log.checkpoint())
    head, entries = "", []
    for entry in log.entries():
        body = "{}" if entry.seq < 5 else '{"forged":true}'
        kept = entry if entry.seq < 5 else new_entry(*entry[:5], body, head)
        head = kept.entry_hash
        entries.append(kept)
    found = verify(entries, points)
    reason = "the first 7 entries are not those of the checkpoint of that size: 3 to 6 may have been replaced"
    assert (found.problem, found.first_bad, found.found) == (reason, 3, entries[3])


def test_checkpoints_are_signed_as_the_log_grows_and_kept_by_the_witness(tmp_path: Path) -> None:
    witness = Witness(tmp_path / "witness")
    log = filled(tmp_path, 7, checkpoint_every=3, witness=witness)
    log.close()
    notes = log.checkpoint_notes()
    assert [note.split("\n")[1] for note in notes] == ["3", "6", "7"]
    assert witness.notes() == notes


@pytest.mark.parametrize("kept", [0, 1, 60, 150])
def test_a_witness_that_missed_something_is_told_again(tmp_path: Path, kept: int) -> None:
    """A loss of power may have left it without a note, or with the beginning of one."""
    witness = Witness(tmp_path / "witness")
    log = filled(tmp_path, 7, checkpoint_every=3, witness=witness)
    close(log)
    content = witness.path.read_bytes()
    witness.path.write_bytes(content[: len(content) // 2 + kept])
    close(open_log(tmp_path, witness=witness))
    assert witness.path.read_bytes() == content


def test_a_witness_that_the_disk_is_too_full_for_keeps_no_part_of_a_note(tmp_path: Path) -> None:
    """Later notes would stand behind it; what was not kept is told again."""
    witness = Witness(tmp_path / "witness")
    log = filled(tmp_path, 3, checkpoint_every=3, witness=witness)
    content, before = witness.path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(content) + 10, before[1]))
        with pytest.raises(OSError, match="could not be written"):
            witness.append(["note\n\nsignature\n"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert witness.path.read_bytes() == content
    log.checkpoint()
    assert witness.notes() == log.checkpoint_notes()


def test_a_witness_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    witness = Witness(tmp_path / "witness")
    close(filled(tmp_path, 3, checkpoint_every=3, witness=witness))
    witness.path.write_bytes(witness.path.read_bytes() + b"rubbish")
    with pytest.raises(StoreError, match="cannot be read: not a list of checkpoints: it ends within a note"):
        open_log(tmp_path, witness=witness)


def test_nothing_is_written_while_the_witness_cannot_be_told(tmp_path: Path) -> None:
    witness = Witness(tmp_path / "folder" / "witness")
    log = filled(tmp_path, 3, checkpoint_every=3, witness=witness)
    with pytest.raises(StoreError, match=r"could not be written: .*No such file or directory"):
        append(log, "decision", {})
    witness.path.parent.mkdir()
    assert append(log, "decision", {}).seq == 3
    assert witness.notes() == log.checkpoint_notes()


def test_a_text_is_written_as_it_stands(tmp_path: Path) -> None:
    log = open_log(tmp_path, mask=masks(keys=["a"]))
    assert append(log, "decision", '{"a":1.50}').body == '{"a":1.50}'
    with pytest.raises(UnicodeEncodeError):
        append(log, "decision", '"\ud800"')
    with pytest.raises(ValueError, match="unknown class of retention `long`, expected one of standard"):
        append(log, "decision", {}, retention="long")
    assert [entry.seq for entry in log.entries()] == [0]


def test_entries_are_found_by_number_in_their_own_transaction_and_later(tmp_path: Path) -> None:
    log = filled(tmp_path, 2)

    def work(tx: Transaction) -> tuple[bool, bool]:
        added = log.append(tx, "kill", {})
        return log.entry(tx, 2) == added, log.entry(tx, 1).body == '{"decision_id":"d1","verdict":"permit"}'

    assert STORES[log].transact(work) == (True, True)
    with pytest.raises(KeyError):
        STORES[log].transact(lambda tx: log.entry(tx, 3))


def test_another_log_in_its_place_is_found(tmp_path: Path) -> None:
    checkpoint = filled(tmp_path).checkpoint()
    (tmp_path / "other").mkdir()
    other = filled(tmp_path / "other", 9)
    found = verify(other.entries(), [checkpoint])
    reason = "the first 6 entries are not those of the checkpoint of that size: 0 to 5 may have been replaced"
    assert (found.problem, found.first_bad) == (reason, 0)


def test_a_checkpoint_is_a_signed_note(tmp_path: Path) -> None:
    log = filled(tmp_path)
    signed = log.checkpoint()
    assert signed.note.startswith(f"{ORIGIN}\n6\n")
    assert log.checkpoint_notes() == [signed.note]
    assert read_checkpoint(signed.note, ORIGIN, KEY.public_key()) == signed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda note: note.replace("\n6\n", "\n5\n", 1), "is not signed with the key"),
        (lambda note: note.replace(ORIGIN, "other"), "not a checkpoint of"),
        (lambda note: note.split("\n\n")[0], "not a checkpoint of"),
    ],
)
def test_a_forged_checkpoint_is_refused(tmp_path: Path, change: Callable[[str], str], message: str) -> None:
    note = filled(tmp_path).checkpoint().note
    with pytest.raises(ValueError, match=message):
        read_checkpoint(change(note), ORIGIN, KEY.public_key())


def test_a_checkpoint_of_another_key_is_refused(tmp_path: Path) -> None:
    note = filled(tmp_path).checkpoint().note
    with pytest.raises(ValueError, match="is not signed with the key"):
        read_checkpoint(note, ORIGIN, Ed25519PrivateKey.generate().public_key())


def test_an_entry_is_proved_to_be_in_the_tree(tmp_path: Path) -> None:
    log = filled(tmp_path)
    signed = log.checkpoint()
    proof = prove(log.entries(), 2, signed.size)
    assert verify_inclusion(proof.entry.leaf, 2, signed.size, proof.path, signed.root)


def test_secrets_are_masked_before_they_are_written(tmp_path: Path) -> None:
    mask = masks(keys=["password"], paths=["/input/parameters/iban"], patterns=[r"sk-[a-z0-9]+"])
    log = open_log(tmp_path, mask=mask)
    record = {"input": {"parameters": {"iban": "DE1", "PassWord": "x", "text": "key sk-abc1 here", "n": [1]}}}
    entry = append(log, "decision", record)
    assert entry.body == '{"input":{"parameters":{"PassWord":"***","iban":"***","n":[1],"text":"key *** here"}}}'
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"DE1" not in content
    assert b"abc1" not in content


def test_only_what_is_past_its_retention_is_pruned_and_the_tree_still_verifies(tmp_path: Path) -> None:
    times = iter([0, DAY_NS, 4 * 10**18 - 365 * DAY_NS, 10**18, 15 * 10**17, 4 * 10**18])
    log = open_log(tmp_path, clock=lambda: next(times), retention_classes={"short": 1})
    for number in range(3):
        append(log, "decision", {"text": f"body {number}"})
    append(log, "decision", {"text": "body 3"}, retention="short")
    assert log.prune() == 3
    assert [entry.body for entry in log.entries()] == [
        None,
        None,
        '{"text":"body 2"}',
        None,
        '{"bodies":3,"retain_until_ns_below":1500000000000000000}',
    ]
    assert verify(log.entries()).is_whole
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert [number for number in range(4) if b"body %d" % number in content] == [2]


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown kind of entry `decided`"):
        append(open_log(tmp_path), "decided", {})


def test_threads_and_connections_write_one_chain(tmp_path: Path) -> None:
    logs = [open_log(tmp_path), open_log(tmp_path)]

    def write(log: AuditLog) -> None:
        for number in range(25):
            append(log, "decision", {"n": number})

    threads = [threading.Thread(target=write, args=(logs[number % 2],)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = verify(logs[0].entries())
    assert (found.problem, found.size) == (None, 200)
