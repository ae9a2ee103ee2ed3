"""`procurator decide`: the answer of a gateway, for people and programs, and in the exit code."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from command_line import Finished, procurator

from gateways import CONFIG, World

ARGUMENTS = ["decide", "-c", "agentic-governance.yaml"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A gateway at the time of the machine, which the command reads."""
    return World.made(tmp_path, now=time.time_ns())


@pytest.fixture
def token(world: World) -> str:
    """The token of an agent; the gateway that gave it has gone."""
    token = world.granted()
    world.gateway.close()
    return token


def decide(world: World, *arguments: str, **changes: Any) -> Finished:
    """The answer to a request in a file."""
    (world.folder / "request.json").write_text(json.dumps(world.request(**changes)))
    return procurator(*ARGUMENTS, *arguments, "request.json", folder=world.folder)


def waiting(world: World) -> str:
    """The id of the approval that is waited for."""
    later = world.again_without_closing()
    [approval] = later.gateway.approvals.list()
    later.gateway.close()
    return approval.approval_id


def last_record(world: World) -> dict[str, Any]:
    """What the log says of the last decision."""
    later = world.again_without_closing()
    record = later.records("decision")[-1]
    later.gateway.close()
    return record


def test_a_permit_is_printed_with_its_rules_and_its_id(world: World, token: str) -> None:
    """The exit code is 0."""
    done = decide(world, token=token)
    text = f"""\
permit  passed  r1
  Everything that was delegated
  rule    policy.rego:5  data.procurator.allow  Everything that was delegated
  permit  {last_record(world)["permit_id"]}
  oblige  report_result {{"required":true}}
"""
    assert done == Finished(0, text, "")


def test_what_is_not_permitted_has_exit_code_1(world: World, token: str) -> None:
    """A deny, a proposal, and what only would be permitted."""
    rule = "  rule    policy.rego:{}  data.procurator.{}\n"
    allowed = "  rule    policy.rego:5  data.procurator.allow  Everything that was delegated\n"
    done = decide(world, token=token, tool="read_secret")
    text = f"deny  no_secrets  r1\n  no_secrets\n{allowed}{rule.format(11, 'deny')}"
    assert done == Finished(1, text, "")
    done = decide(world, token=token, tool="pay", operation="execute")
    text = f"propose  ask_first  r2\n  ask_first\n{allowed}{rule.format(13, 'propose')}"
    assert done == Finished(1, f"{text}  waits   `procurator approvals show {waiting(world)}`\n", "")
    (world.folder / "agentic-governance.yaml").write_text(CONFIG + "policy_engine: {mode: dry_run}\n")
    done = decide(world, token=token)
    assert done == Finished(1, f"dry_run  dry_run  r3\n  Everything that was delegated\n{allowed}", "")


def test_limits_that_are_nearly_reached_are_printed(world: World, token: str) -> None:
    """A line for each, beside the permit."""
    limit = '{scope: prompt, unit: actions, window: day, amount: "4", soft_percent: 25}'
    (world.folder / "agentic-governance.yaml").write_text(f"{CONFIG}quotas: {{limits: [{limit}]}}\n")
    done = decide(world, token=token)
    assert done.output.splitlines()[-1] == "  nearly  3 of 4 actions are left in the window `day`"


def test_a_refusal_names_no_rule(world: World, token: str) -> None:
    """Nobody asked the policy."""
    done = decide(world, token=token, tool="format_disk")
    assert done == Finished(1, "deny  tool_not_allowed  r1\n  tool `format_disk` is not granted\n", "")


def test_what_is_no_request_is_denied(world: World, token: str) -> None:
    """Its place is named, and the denial is in the log."""
    assert token
    done = procurator(*ARGUMENTS, "-f", "json", stdin='{"request_id": "r1", "action": {}}', folder=world.folder)
    answer = {
        "protocol": "aadp/0.2",
        "request_id": None,
        "verdict": "deny",
        "reason": "malformed",
        "detail": "`$.prompt_id` is missing",
        "evidence_id": last_record(world)["decision_id"],
        "field": "$.prompt_id",
    }
    assert (done.code, json.loads(done.output), done.errors) == (1, answer, "")
    done = procurator(*ARGUMENTS, stdin=b"\xff{", folder=world.folder)
    assert done == Finished(1, "deny  malformed\n  `$` is not UTF-8\n", "")


def test_the_record_is_that_of_the_log(world: World, token: str) -> None:
    """As JSON, in either format."""
    done = decide(world, "--record", token=token)
    assert (done.code, json.loads(done.output)) == (0, last_record(world))
    done = decide(world, "--record", "--format", "json", token=token, tool="read_secret")
    assert (done.code, json.loads(done.output)) == (1, last_record(world))


def test_a_request_that_is_repeated_gets_the_first_answer(world: World, token: str) -> None:
    """It says so."""
    request = json.dumps(world.request(token))
    first, second = (procurator(*ARGUMENTS, stdin=request, folder=world.folder) for _ in range(2))
    assert second == Finished(0, first.output.replace("r1", "r1 (the first answer again)", 1), "")


def test_several_requests_are_decided_in_their_order(world: World, token: str) -> None:
    """One a line, the answers too; one that is not permitted makes the exit code 1."""
    requests = [world.request(token), world.request(token, tool="read_secret"), world.request(token)]
    lines = [json.dumps(request) for request in requests]
    done = procurator(*ARGUMENTS, "--lines", "-f", "json", stdin="\n".join([*lines, "", lines[2]]), folder=world.folder)
    answers = [json.loads(line) for line in done.output.splitlines()]
    told = [(answer["request_id"], answer["verdict"], answer["reason"]) for answer in answers]
    passed, denied, again = ("r1", "permit", "passed"), ("r2", "deny", "no_secrets"), ("r3", "permit", "passed")
    assert (done.code, told) == (1, [passed, denied, again, (None, "deny", "malformed"), again])
    assert [answer.get("replayed", False) for answer in answers] == [False] * 4 + [True]
    assert procurator(*ARGUMENTS, "--lines", stdin=f"{lines[0]}\n", folder=world.folder).code == 0
    assert procurator(*ARGUMENTS, "--lines", folder=world.folder) == Finished(0, "", "")


def test_verdicts_have_colours_on_a_terminal(world: World, token: str) -> None:
    """And texts of others cannot write to it as they like."""
    request = world.request(token, tool="\x1b[2J")
    shown, _ = on_terminal(world, [request], stdout=True)
    assert re.findall(r"\x1b\[[\d;]*\w", shown) == ["\x1b[31m", "\x1b[1m", "\x1b[0m"]


def test_many_requests_show_progress_on_a_terminal(world: World, token: str) -> None:
    """On standard error, where the answers go elsewhere."""
    assert token
    shown, done = on_terminal(world, [{}] * 2600, stdout=False)
    assert done.stdout.count(b"malformed") == 2600
    assert "deciding" in shown
    assert "100%" in shown


def on_terminal(world: World, requests: list[Any], *, stdout: bool) -> tuple[str, subprocess.CompletedProcess[bytes]]:
    """What a terminal shows, as standard output or standard error."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "procurator", *ARGUMENTS, "--lines"],
        input="\n".join(map(json.dumps, requests)).encode(),
        stdout=theirs if stdout else subprocess.PIPE,
        stderr=subprocess.PIPE if stdout else theirs,
        cwd=world.folder,
        timeout=60,
        check=False,
    )
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    return shown, done


def test_a_gateway_that_does_not_start_is_an_error(world: World, token: str) -> None:
    """The exit code is 2; a deny would be an answer."""
    assert token
    assert procurator("decide", stdin="{}", folder=world.folder).code == 2
    assert procurator("decide", "-c", "gone.yaml", stdin="{}", folder=world.folder).code == 2
    assert procurator(*ARGUMENTS, "gone.json", folder=world.folder).code == 2
    (world.folder / "bad.db").write_text("This is a letter, and no state at all.")
    (world.folder / "agentic-governance.yaml").write_text(CONFIG + "state: {path: bad.db}\n")
    done = procurator(*ARGUMENTS, stdin="{}", folder=world.folder)
    assert (done.code, done.output) == (2, "")
    assert done.errors.startswith("Error: the gateway of `agentic-governance.yaml` does not start: ")
    (world.folder / "agentic-governance.yaml").write_text(CONFIG.replace("policies", "polices"))
    done = procurator(*ARGUMENTS, "-f", "json", stdin="{}", folder=world.folder)
    assert (done.code, json.loads(done.errors)["errors"][0]["code"]) == (2, "config_error")
