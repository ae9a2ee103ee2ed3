"""What the store holds when processes die, and when several write at the same time."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dying import runs
from procurator.governance.audit.checkpoints import Witness, unsigned_checkpoint
from procurator.governance.audit.log import AuditLog, read_end, stream_entries
from procurator.governance.audit.verification import Verification, verify
from procurator.governance.ledger import Ledger
from procurator.governance.store import Store
from procurator.governance.transactions import Transaction

ORIGIN = "log.example/audit"

WRITER = """
import json, random, sys, threading
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from procurator.governance.audit import checkpoints, log, merkle, records
from procurator.governance import ledger, store, transactions

SIGNER = checkpoints.Signer("log.example/audit", Ed25519PrivateKey.from_private_bytes(bytes(32)))
ledger.INDEX_AT = 5

class Writer:
    def __init__(self, folder):
        self.store = store.Store(folder / "state.db")
        witness = checkpoints.Witness(folder / "state.db.checkpoints")
        self.log = log.AuditLog(
            self.store, retention_days=1, signer=SIGNER, checkpoint_every=4, witness=witness
        )
        self.ledger = ledger.Ledger(self.store)

    def write(self, name):
        def work(tx):
            if self.ledger.find_request(tx, name) is not None:
                return None
            entry = self.log.append(tx, "decision", {"request_id": name})
            self.ledger.add_request(tx, name, b"digest", entry.seq, "prompt:p")
            self.ledger.open_permit(tx, "permit-" + name, "d", entry.seq, 10**18)
            return entry
        return self.store.transact(work)
"""

DYING = """
from dying import attempts

def begin(folder, death):
    folder.mkdir()
    writer = Writer(folder)
    if way == "sqlite":
        writer.store._connection.set_progress_handler(death.step, 1)
    else:
        threading.settrace(death.trace)

    def run(thread, tell):
        for number in range(8):
            name = f"{thread}-{number}"
            writer.write(name)
            tell(name)

    return run

way, last, top = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
modules = (checkpoints, ledger, log, merkle, records, store, transactions)
attempts((top / str(number) for number in range(40)), last, modules, begin)
"""

SHARING = """
writer = Writer(Path(sys.argv[1]))
written = []
for number in random.Random(int(sys.argv[2])).sample(range(60), 60):
    entry = writer.write(f"r{number}")
    if entry is not None:
        written.append((number, entry.seq))
writer.log.close()
writer.store.close()
print(json.dumps(written))
"""


def check(folder: Path) -> tuple[Verification, list[Any]]:
    """What a check of the log in a folder finds, and its records."""
    witness = Witness(folder / "state.db.checkpoints")
    store = Store(folder / "state.db")
    log = AuditLog(store, retention_days=1, witness=witness)
    points = [unsigned_checkpoint(note, ORIGIN) for note in {*log.checkpoint_notes(), *witness.notes()}]
    entries = list(log.entries())
    found = store.read(lambda connection: verify(stream_entries(connection), points, written=read_end(connection)))
    store.close()
    return found, [json.loads(entry.body or "") for entry in entries]


@pytest.mark.parametrize(("way", "last"), [("python", 40_000), ("sqlite", 2_500)])
def test_whenever_a_process_is_killed_no_answer_is_lost_and_the_log_is_whole(
    way: str, last: int, tmp_path: Path
) -> None:
    """The process dies between two instructions of the interpreter, or of SQLite's machine, at many points."""
    done = runs(WRITER + DYING, way, str(last), str(tmp_path), seconds=120)
    assert len(done) == 40
    assert sum(run.killed for run in done) >= 20
    for number, run in enumerate(done):
        folder = tmp_path / str(number)
        found, records = check(folder)
        names = [record["request_id"] for record in records]
        assert found.problem is None
        assert set(names).issuperset(run.lines)
        assert answers(folder, names) == [(seq, seq, f"permit-{name}") for seq, name in enumerate(names)]


def answers(folder: Path, names: list[str]) -> list[tuple[int, int, str]]:
    """What the ledger knows of requests and their permits; the log takes one entry more."""
    store = Store(folder / "state.db")
    log, ledger = AuditLog(store, retention_days=1), Ledger(store)

    def work(tx: Transaction) -> list[tuple[int, int, str]]:
        log.append(tx, "kill", {})
        requests = [ledger.find_request(tx, name) for name in names]
        permits = [ledger.find_permit(tx, f"permit-{name}") for name in names]
        return [
            (request.seq, permit.seq, permit.permit_id)
            for request, permit in zip(requests, permits, strict=True)
            if request is not None and permit is not None
        ]

    found = store.transact(work)
    store.close()
    return found


def test_three_processes_write_one_log_and_decide_each_request_once(tmp_path: Path) -> None:
    scripts = [[sys.executable, "-c", WRITER + SHARING, str(tmp_path), str(number)] for number in range(3)]
    processes = [subprocess.Popen(script, stdout=subprocess.PIPE, text=True) for script in scripts]
    written = [pair for process in processes for pair in json.loads(process.communicate(timeout=60)[0])]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(number for number, _ in written) == list(range(60))
    found, records = check(tmp_path)
    assert (found.problem, found.size) == (None, 60)
    assert {seq: f"r{number}" for number, seq in written} == {
        seq: record["request_id"] for seq, record in enumerate(records)
    }
