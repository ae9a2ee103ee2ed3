"""The demo is a real run: what it prints is what its trace expects, and it says so when it is not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DEMO = Path(__file__).parents[2] / "demo/gateway"
LINE = re.compile(r" *(\d+)  (\w+) +.*?(?:  (permit|deny|propose) +(\w+))?")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the demo as `make demo` does."""
    command = [sys.executable, str(DEMO / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def steps() -> list[dict[str, Any]]:
    """The trace."""
    return [json.loads(line) for line in (DEMO / "trace.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def done() -> subprocess.CompletedProcess[str]:
    return run()


def test_each_step_ends_as_the_trace_expects(done: subprocess.CompletedProcess[str]) -> None:
    """Verdict and reason, line by line; nothing is coloured in a pipe."""
    assert (done.returncode, done.stderr) == (0, "")
    lines = [match for line in done.stdout.splitlines() if (match := LINE.fullmatch(line))]
    told = [(int(line[1]), line[2], line[3], line[4]) for line in lines]
    wanted = []
    for number, step in enumerate(steps(), 1):
        who = step.get("agent") or step.get("person") or "operator"
        expected = step.get("expect", {"verdict": None, "reason": None})
        wanted.append((number, who, expected["verdict"], expected["reason"]))
    assert told == wanted
    assert "\x1b" not in done.stdout


def test_the_trace_has_what_a_gateway_is_for() -> None:
    """Some forty actions, and the attacks that it has to find."""
    reasons = [step["expect"]["reason"] for step in steps() if "expect" in step]
    found = {"agent_loop", "bad_signature", "capability_widened", "proof_replayed", "revoked", "token_expired"}
    assert found <= set(reasons)
    assert len([step for step in steps() if "action" in step]) == 38


def test_the_tree_and_the_log_are_shown(done: subprocess.CompletedProcess[str]) -> None:
    """Who has handed on what, and that every change of the log is found."""
    tree = done.stdout[done.stdout.index("alice (inc-7)") :]
    entries = re.search(r"the audit log is whole: (\d+) entries", tree)
    assert entries
    last = int(entries[1]) - 1
    text = f"""\
alice (inc-7)
└─ orchestrator: list_files, query_metrics, read_file, restart_service, search_logs, send_mail, write_file
   ├─ researcher: list_files, read_file, search_logs, write_file  (revoked)
   │  └─ digger: search_logs  (derived offline)
   ├─ analyst: query_metrics, read_file, write_file
   └─ writer: read_file, restart_service, send_mail, write_file

The audit log

$ procurator audit verify --state procurator.db --key gateway.json
the audit log is whole: {last + 1} entries, 1 checkpoint
root HASH

Now a copy in which the last deny has become a permit:
$ procurator audit verify --state tampered/procurator.db --key gateway.json
the audit log is not whole: the body of entry {last} was changed (decision of TIME)

Now a copy without its end:
$ procurator audit verify --state cut/procurator.db --key gateway.json
the audit log is not whole: the log ends after 41 entries, a checkpoint has seen {last + 1}
"""
    assert re.sub(r"[0-9a-f]{64}", "HASH", re.sub(r"2027-01-15T\S+Z", "TIME", tree)) == text


def test_what_is_not_as_expected_is_said(tmp_path: Path) -> None:
    """The exit code is 1."""
    changed = [
        {**step, "expect": {"verdict": "deny", "reason": "no"}} if at == 1 else step for at, step in enumerate(steps())
    ]
    (tmp_path / "trace.jsonl").write_text("\n".join(map(json.dumps, changed[:3])))
    (tmp_path / "state").mkdir()
    done = run("--trace", str(tmp_path / "trace.jsonl"), "--folder", str(tmp_path / "state"))
    assert done.returncode == 1
    assert "     NOT AS EXPECTED: deny no\n" in done.stdout
    assert "\n3 permit; 1 NOT AS EXPECTED\n" in done.stdout
    assert (tmp_path / "state/procurator.db").is_file()


def test_the_policy_of_the_demo_is_in_order() -> None:
    """In strict mode, and in the canonical layout."""
    command = [sys.executable, "-m", "procurator"]
    for arguments in (["check", "--strict"], ["fmt", "--fail", "--list"]):
        checked = subprocess.run([*command, *arguments, str(DEMO / "incident.rego")], capture_output=True, check=False)
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_a_prompt_runs_into_its_limits() -> None:
    """The fan-out is stopped, people are told and let it go on, and what failed is not repeated blindly."""
    done = subprocess.run(
        [sys.executable, str(DEMO / "limits.py")], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "  20 of 50 sub-tasks: permit passed" in lines
    assert "  30 of 50 sub-tasks: deny fan_out_exceeded" in lines
    assert lines[-1] == "all as expected"
