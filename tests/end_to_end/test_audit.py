"""`procurator audit`: what it says of a log that is whole, of one that is not, and what is in it."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import Finished, procurator
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateways import CONFIG, World
from procurator.governance.audit.checkpoints import Signer, Witness, read_checkpoint
from procurator.governance.audit.log import DAY_NS, AuditLog
from procurator.governance.audit.merkle import node_hash, verify_inclusion
from procurator.governance.signing import base64url
from procurator.governance.signing.keys import generate, private_of
from procurator.governance.store import Store, StoreError
from tampering import tamper

ORIGIN = "log.example/audit"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
START = 1_767_225_600 * 10**9
"""The first second of 2026."""

MINUTE = 60 * 10**9


def decision(number: int, verdict: str, tool: str) -> dict[str, Any]:
    """A record as the gateway writes it, with what the command looks at."""
    action = {"operation": "execute", "tool": tool, "parameters": {"amount": number}}
    return {
        "decision_id": f"d{number}",
        "request_id": f"r{number}",
        "entrypoint": "data.procurator.decision",
        "engine_version": "0.1.0",
        "policy_revision": "p1",
        "input": {"prompt_id": f"prompt-{number % 2}", "action": action},
        "delegation": {"chain": [{"agent": "orchestrator"}, {"agent": f"agent-{number % 3}"}]},
        "verdict": verdict,
        "reason": "passed" if verdict == "permit" else "default_deny",
        "value": {"verdict": verdict},
        "nondeterministic": {},
        "duration_ns": 1500,
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log of seven entries, checkpoints after three, six and seven, and the public key."""
    folder = tmp_path_factory.mktemp("audit")
    write_log(folder, 6)
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "key.pem").write_bytes(public)
    (folder / "p256.json").write_text(json.dumps(dict(generate("ES256").public.jwk)))
    weak = base64url.encode((1).to_bytes(32, "little"))  # everybody can sign for it
    (folder / "weak.json").write_text(json.dumps({"kty": "OKP", "crv": "Ed25519", "x": weak}))
    return folder


def write_log(folder: Path, count: int, start: int = START) -> None:
    """Decisions of one minute after another, and an outcome."""
    store = Store(folder / "procurator.db")
    now = [start]
    witness = Witness(folder / "procurator.db.checkpoints")
    options: dict[str, Any] = {"retention_days": 365, "checkpoint_every": 3, "clock": lambda: now[0]}
    log = AuditLog(store, signer=Signer(ORIGIN, KEY), witness=witness, **options)
    for number in range(count):
        record = decision(number, "permit" if number % 2 else "deny", "send_email" if number < 3 else "read_file")
        store.transact(lambda tx, record=record: log.append(tx, "decision", record))
        now[0] += MINUTE
    store.transact(lambda tx: log.append(tx, "outcome", {"decision_id": "d1", "outcome": "success"}))
    log.close()
    store.close()


@pytest.fixture
def log(made: Path, tmp_path: Path) -> Path:
    """A copy of that folder, to be tampered with."""
    for file in made.iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path


def audit(folder: Path, *arguments: str) -> Finished:
    return procurator("audit", *arguments, folder=folder)


def root_of(folder: Path) -> str:
    note = Witness(folder / "procurator.db.checkpoints").notes()[-1]
    return read_checkpoint(note, ORIGIN, KEY.public_key()).root.hex()


def test_a_whole_log_is_said_to_be_so(made: Path) -> None:
    """With the key the signatures are checked, without it the command says that they were not."""
    root = root_of(made)
    whole = f"the audit log is whole: 7 entries, 3 checkpoints\nroot {root}\n"
    assert audit(made, "verify", "--key", "key.pem") == Finished(0, whole, "")
    note = "; their signatures were not checked, for want of `--key`\n"
    assert audit(made, "verify") == Finished(0, whole.replace("\n", note, 1), "")
    done = audit(made, "verify", "--key", "key.pem", "--format", "json")
    assert (done.code, json.loads(done.output)) == (
        0,
        {
            "whole": True,
            "size": 7,
            "root": root,
            "checkpoints": 3,
            "signatures_checked": True,
            "problem": None,
            "first_bad": None,
        },
    )


@pytest.mark.parametrize(
    ("statements", "problem", "first_bad"),
    [
        (
            ["UPDATE entries SET body = replace(body, 'deny', 'permit') WHERE seq = 2"],
            "the body of entry 2 was changed",
            {"seq": 2, "kind": "decision", "time": "2026-01-01T00:02:00.000000000Z"},
        ),
        (
            ["DELETE FROM entries WHERE seq = 4"],
            "entry 4 is missing: entry 5 stands in its place",
            {"seq": 4, "kind": "decision", "time": "2026-01-01T00:05:00.000000000Z"},
        ),
        (
            ["DELETE FROM entries WHERE seq = 6", "UPDATE frontier SET size = 6"],
            "the log ends after 6 entries, a checkpoint has seen 7",
            {"seq": 6},
        ),
        (
            [
                "CREATE TABLE forged AS SELECT * FROM entries WHERE seq = 6",
                "UPDATE forged SET seq = 7, prev_hash = entry_hash",
                "INSERT INTO entries SELECT * FROM forged",
            ],
            "entry 7 was changed: its hash is not that of what it holds",
            {"seq": 7, "kind": "outcome", "time": "2026-01-01T00:06:00.000000000Z"},
        ),
        (
            [
                "UPDATE checkpoints SET note = replace(note, '/audit' || char(10) || '3', '/audit' || char(10) || '4')",
            ],
            "the log cannot be read: the checkpoint of `log.example/audit` is not signed with the key of the log",
            None,
        ),
        (["DROP TABLE entries"], "the log cannot be read: no such table: entries", None),
        (
            [
                "UPDATE checkpoints SET note = 'nothing'",
                "UPDATE entries SET body = '{}' WHERE seq = 2",
            ],
            "the body of entry 2 was changed",
            {"seq": 2, "kind": "decision", "time": "2026-01-01T00:02:00.000000000Z"},
        ),
        (
            [
                "CREATE TABLE forged AS SELECT * FROM entries WHERE seq = 3",
                "UPDATE forged SET seq = -1",
                "INSERT INTO entries SELECT * FROM forged",
            ],
            "entry 0 is missing: entry -1 stands in its place",
            {"seq": 0, "kind": "decision", "time": "2026-01-01T00:03:00.000000000Z"},
        ),
        (
            ["UPDATE frontier SET peaks = zeroblob(96)"],
            "the edge of the tree that the log goes on from is not that of its entries",
            None,
        ),
        ([], "the trigger `entries_keep`, which refuses changes, is not there as it was made", None),
        (
            ["PRAGMA writable_schema = ON", "UPDATE entries SET kind = 'kill', body = NULL WHERE seq = 5"],
            "entry 5 was changed: its hash is not that of what it holds",
            {"seq": 5, "kind": "kill", "time": "2026-01-01T00:05:00.000000000Z"},
        ),
        (
            ["UPDATE entries SET body = NULL WHERE seq = 5"],
            "the body of entry 5 was removed before its time",
            {"seq": 5, "kind": "decision", "time": "2026-01-01T00:05:00.000000000Z"},
        ),
    ],
)
def test_what_was_done_to_a_log_is_found_and_the_first_bad_entry_named(
    log: Path, statements: list[str], problem: str, first_bad: dict[str, Any] | None
) -> None:
    tamper(log / "procurator.db", *statements)
    done = audit(log, "verify", "--key", "key.pem", "--format", "json")
    found = json.loads(done.output)
    assert (done.code, found["whole"], found["problem"], found["first_bad"]) == (1, False, problem, first_bad)
    text = audit(log, "verify", "--key", "key.pem")
    place = f" ({first_bad['kind']} of {first_bad['time']})" if first_bad and "kind" in first_bad else ""
    assert text == Finished(1, f"the audit log is not whole: {problem}{place}\n", "")


def test_an_empty_log_without_the_edge_of_its_tree_is_not_whole(tmp_path: Path) -> None:
    """There is no entry that could be named."""
    store = Store(tmp_path / "procurator.db")
    AuditLog(store, retention_days=1)
    store.close()
    tamper(tmp_path / "procurator.db", "DELETE FROM frontier")
    problem = "the audit log is not whole: the edge of the tree that the log goes on from is not that of its entries\n"
    assert audit(tmp_path, "verify") == Finished(1, problem, "")


def test_a_log_whose_key_was_changed_is_checked_with_both(log: Path) -> None:
    """The old checkpoints with the old one, the new ones with the new one."""
    new = private_of(Ed25519PrivateKey.generate())
    (log / "new.json").write_text(json.dumps(dict(new.public.jwk)))
    store = Store(log / "procurator.db")
    later = AuditLog(store, retention_days=1, signer=Signer(ORIGIN, new.ed25519()), clock=lambda: START)
    store.transact(lambda tx: later.append(tx, "decision", {}))
    later.close()
    store.close()
    both = audit(log, "verify", "--key", "key.pem", "--key", "new.json")
    assert (both.code, both.output.partition("\n")[0]) == (0, "the audit log is whole: 8 entries, 4 checkpoints")
    unsigned = "the log cannot be read: the checkpoint of `log.example/audit` is not signed with the key of the log"
    for key in ("key.pem", "new.json"):
        assert audit(log, "verify", "--key", key) == Finished(1, f"the audit log is not whole: {unsigned}\n", "")


KILLS = "the kills and revocations that the gateway goes by are not those of the log"
AGENTS = "the agents that the gateway goes by are not those of the log"


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (["DROP TRIGGER controls_keep", "DELETE FROM controls WHERE id = 'mallory'"], KILLS),
        (["DROP TRIGGER controls_stay", "UPDATE controls SET id = 'nobody' WHERE id = 'mallory'"], KILLS),
        (["INSERT INTO controls (action, kind, issuer, id) VALUES ('resume', 'all', '', '')"], KILLS),
        (["INSERT INTO agent_keys (agent, jkt, jwk) VALUES ('mallory', 'x', '{}')"], AGENTS),
        (["DROP TRIGGER agent_keys_keep", "DELETE FROM agent_keys WHERE agent = 'reader'"], AGENTS),
        ([], None),
    ],
)
def test_what_the_gateway_goes_by_is_what_the_log_tells(
    tmp_path: Path, statements: list[str], problem: str | None
) -> None:
    """A kill that somebody has taken back in the file, or an agent that nobody has registered, is found."""
    world = World.made(tmp_path, CONFIG)
    world.gateway.admin.revoke("person", "mallory", issuer="https://login.example")
    world.gateway.admin.kill("all")
    world.gateway.admin.kill("all")
    world.gateway.admin.kill("agent", "writer")
    world.gateway.admin.resume("agent", "writer")
    world.gateway.close()
    connection = sqlite3.connect(tmp_path / "procurator.db", isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()
    found = json.loads(audit(tmp_path, "verify", "--format", "json").output)
    assert (found["whole"], found["problem"]) == (problem is None, problem)


def test_a_log_without_its_triggers_is_not_written_to(log: Path) -> None:
    """What refuses changes has to be there first."""
    tamper(log / "procurator.db")
    store = Store(log / "procurator.db")
    with pytest.raises(StoreError, match="is not protected: the trigger `entries_keep`"):
        AuditLog(store, retention_days=1)
    store.close()


def replace(folder: Path, count: int) -> None:
    """Another log, made from its first entry on with the right hashes, in the place of the first."""
    (folder / "procurator.db").unlink()
    other = folder / "other"
    other.mkdir()
    write_log(other, count, START + MINUTE)
    shutil.move(other / "procurator.db", folder / "procurator.db")


@pytest.mark.parametrize(
    ("count", "problem"),
    [
        (6, "the first 3 entries are not those of the checkpoint of that size: 0 to 2 may have been replaced"),
        (1, "the log ends after 2 entries, a checkpoint has seen 7"),
    ],
)
def test_another_log_in_its_place_is_found_by_its_witness(log: Path, count: int, problem: str) -> None:
    replace(log, count)
    done = audit(log, "verify", "--key", "key.pem", "--format", "json")
    assert (done.code, json.loads(done.output)["problem"]) == (1, problem)
    with pytest.raises(Exception, match="has seen 3 checkpoints of a log that is not this one, or was longer"):
        write_log(log, 1)


def test_a_log_whose_tail_was_cut_is_not_written_to(log: Path) -> None:
    tamper(log / "procurator.db", "DELETE FROM entries WHERE seq > 4")
    with pytest.raises(Exception, match="does not end where it was left"):
        write_log(log, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "--state", "none.db"], "there is no file `none.db`"),
        (["verify", "--state", "key.pem"], "`key.pem` cannot be read: file is not a database"),
        (["verify", "--witness", "none"], "there is no file `none`"),
        (["verify", "--key", "procurator.db.checkpoints"], "`procurator.db.checkpoints` holds no key of checkpoints: "),
        (["verify", "--key", "p256.json"], "`p256.json` holds no key of checkpoints: an Ed25519 key is needed"),
        (["verify", "--key", "weak.json"], "the key is no point that only its holder can sign for"),
        (["prove", "7"], "there is no entry 7 in a tree of 7: the log has 7 entries"),
        (["prune", "--state", "none.db"], "there is no file `none.db`"),
        (["query", "--since", "yesterday"], "`yesterday` is no time in RFC 3339"),
    ],
)
def test_what_cannot_be_done_is_an_error(made: Path, arguments: list[str], message: str) -> None:
    done = audit(made, *arguments)
    assert (done.code, done.output) == (2, "")
    assert message in done.errors


def test_a_proof_leads_from_an_entry_to_a_signed_checkpoint(made: Path) -> None:
    """The proof alone is enough for somebody with the key."""
    proof = json.loads(audit(made, "prove", "4").output)
    point = read_checkpoint(proof["checkpoint"], ORIGIN, KEY.public_key())
    assert (proof["index"], proof["size"], point.size, point.root.hex()) == (4, 6, 6, proof["root"])
    leaf, path = bytes.fromhex(proof["entry"]["entry_hash"]), [bytes.fromhex(step) for step in proof["path"]]
    assert verify_inclusion(leaf, 4, 6, path, point.root)
    lines = audit(made, "prove", "4", "--size", "5", "--format", "pretty").output.splitlines()
    assert (lines[0], lines[-1]) == ("entry 4 of 5", "no checkpoint has this size")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ([], [0, 1, 2, 3, 4, 5, 6]),
        (["--kind", "outcome"], [6]),
        (["--kind", "outcome", "--kind", "decision", "--limit", "2"], [0, 1]),
        (["--verdict", "permit"], [1, 3, 5]),
        (["--reason", "default_deny", "--tool", "read_file"], [4]),
        (["--agent", "agent-1"], [1, 4]),
        (["--prompt", "prompt-0"], [0, 2, 4]),
        (["--since", "2026-01-01T00:02:00Z", "--until", "2026-01-01T01:04:00+01:00"], [2, 3]),
        (["--tool", "none"], []),
    ],
)
def test_entries_are_found_by_what_they_say(made: Path, arguments: list[str], wanted: list[int]) -> None:
    done = audit(made, "query", "--format", "json", *arguments)
    assert (done.code, [json.loads(line)["seq"] for line in done.output.splitlines()]) == (0, wanted)


def test_an_entry_is_a_line_for_people(made: Path) -> None:
    lines = audit(made, "query", "--state", "procurator.db").output.splitlines()
    assert lines[1] == "1  2026-01-01T00:01:00.000000000Z  decision  permit  passed  agent-1  prompt-1  send_email"
    assert lines[6] == "6  2026-01-01T00:06:00.000000000Z  outcome  -  -  -  -  -"


def test_the_log_of_a_gateway_is_searched_by_who_acts(tmp_path: Path) -> None:
    """The last agent of the chain, whatever it asks for."""
    world = World.made(tmp_path)
    token = world.granted()
    child = world.passed_on(token, "orchestrator", "reader", ["read_file"])
    world.ask(token)
    world.ask(child, "reader")
    world.gateway.close()
    acting = {}
    for agent in ("orchestrator", "reader"):
        lines = audit(tmp_path, "query", "--agent", agent, "--prompt", "p1").output.splitlines()
        acting[agent] = [line.split()[2:] for line in lines]
    assert acting == {
        "orchestrator": [
            ["delegation", "permit", "passed", "orchestrator", "p1", "procurator.delegate"],
            ["decision", "permit", "passed", "orchestrator", "p1", "read_file"],
        ],
        "reader": [["decision", "permit", "passed", "reader", "p1", "read_file"]],
    }


@pytest.mark.parametrize("arguments", [["query", "--verdict", "deny"], ["tail", "-n", "1"]], ids=["query", "tail"])
def test_what_an_agent_has_written_forges_no_line(tmp_path: Path, arguments: list[str]) -> None:
    """Nor does a terminal obey it."""
    world = World.made(tmp_path)
    forged = "x\n9  2027-01-15T08:00:00.000000000Z  decision\x1b[2K\x9b1A"
    world.ask(world.granted(), action={"operation": "read", "tool": forged})
    world.gateway.close()
    [line] = audit(tmp_path, *arguments).output.splitlines()
    assert line.endswith(r"  p1  'x\n9  2027-01-15T08:00:00.000000000Z  decision\x1b[2K\x9b1A'")


def test_who_tampers_with_the_log_does_not_write_the_verdict(log: Path) -> None:
    """What the file holds cannot take back what is said of it."""
    change = "UPDATE entries SET kind = 'x' || char(27, 13, 10) WHERE seq = 2"
    tamper(log / "procurator.db", "PRAGMA ignore_check_constraints = ON", change)
    done = audit(log, "verify", "--key", "key.pem")
    assert (done.code, done.output.count("\n")) == (1, 1)
    assert r"(x\x1b\r\n of " in done.output


def test_decisions_are_exported_as_decision_log_events(made: Path) -> None:
    assert audit(made, "export", "--format", "opa", "--verdict", "deny", "-o", "out.json") == Finished(0, "", "")
    events = [json.loads(line) for line in (made / "out.json").read_text().splitlines()]
    assert [event["decision_id"] for event in events] == ["d0", "d2", "d4"]
    assert events[1] == {
        "decision_id": "d2",
        "input": decision(2, "deny", "send_email")["input"],
        "result": {"verdict": "deny"},
        "nd_builtin_cache": {},
        "labels": {"id": "procurator", "version": "0.1.0"},
        "path": "procurator/decision",
        "timestamp": "2026-01-01T00:02:00.000000000Z",
        "bundles": {"procurator": {"revision": "p1"}},
        "metrics": {"timer_server_handler_ns": 1500},
        "custom": {
            "verdict": "deny",
            "reason": "default_deny",
            "request_id": "r2",
            "seq": 2,
            "prev_hash": events[1]["custom"]["prev_hash"],
            "entry_hash": events[1]["custom"]["entry_hash"],
        },
    }
    lines = audit(made, "export").output.splitlines()
    assert json.loads(lines[6])["record"] == {"decision_id": "d1", "outcome": "success"}


def test_the_tail_is_printed_and_followed(log: Path) -> None:
    """What is written while the command runs is printed as it comes."""
    lines = audit(log, "tail", "-n", "2").output.splitlines()
    assert [line.split()[0] for line in lines] == ["5", "6"]
    command = [sys.executable, "-m", "procurator", "audit", "tail", "-f", "-n", "1", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=log, env=os.environ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["seq"] == 6
        write_log(log, 1)
        assert [json.loads(process.stdout.readline())["seq"] for _ in range(2)] == [7, 8]
        process.terminate()


def test_bodies_past_their_retention_are_pruned(log: Path) -> None:
    store = Store(log / "procurator.db")
    old = AuditLog(store, retention_days=1, clock=lambda: START - 400 * DAY_NS)
    store.transact(lambda tx: old.append(tx, "decision", {"text": "long ago"}))
    store.close()
    assert audit(log, "prune", "--format", "json") == Finished(0, '{"pruned": 1}\n', "")
    found = audit(log, "query", "--format", "json").output.splitlines()
    records = [json.loads(line)["record"] for line in found]
    assert (len(records), records[7], records[8]["bodies"]) == (9, None, 1)
    assert audit(log, "verify", "--key", "key.pem").code == 0
    assert audit(log, "prune") == Finished(0, "0 bodies removed\n", "")


TOOLS = ("bash", "sqlite3", "sha256sum", "xxd", "openssl")
GUIDE = Path(__file__).parents[2] / "docs/reference/audit-log.md"


@pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason="not every tool is installed")
def test_the_log_is_checked_by_hand_as_the_reference_says(log: Path) -> None:
    script = GUIDE.read_text(encoding="utf-8").partition("## By hand")[2].split("```")[1].removeprefix("sh\n")
    done = subprocess.run(["bash", "-ec", f"seq=4\n{script}"], cwd=log, capture_output=True, text=True, check=True)
    entries = [json.loads(line) for line in audit(log, "export").output.splitlines()]
    leaves = [bytes.fromhex(entry["entry_hash"]) for entry in entries]
    assert [line.removesuffix("  -") for line in done.stdout.splitlines()] == [
        entries[4]["body_hash"],
        entries[4]["entry_hash"],
        "0",
        node_hash(leaves[0], leaves[1]).hex(),
        root_of(log),
        "Signature Verified Successfully",
    ]


def test_options_are_read_from_the_environment(made: Path) -> None:
    environment = {"PROCURATOR_AUDIT_TAIL_LINES": "1", "PROCURATOR_AUDIT_TAIL_STATE": str(made / "procurator.db")}
    done = procurator("audit", "tail", environment=environment)
    assert [line.split()[0] for line in done.output.splitlines()] == ["6"]
    wrong = procurator("audit", "tail", environment={"PROCURATOR_AUDIT_TAIL_LINE": "1"})
    assert (wrong.code, wrong.output) == (2, "")
    assert "(hint: did you mean `PROCURATOR_AUDIT_TAIL_LINES`?)" in wrong.errors
