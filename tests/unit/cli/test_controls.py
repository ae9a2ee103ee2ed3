"""Kill switch, revocation and registration from the command line, on the state of a gateway."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from chain_links import LOGIN

from delegations import ed25519, leaf_token
from procurator.cli import controls
from procurator.governance.audit.log import AuditLog
from procurator.governance.signing.keys import write_private
from procurator.governance.store import Store

GROUP = click.Group("token", commands={str(command.name): command for command in controls.COMMANDS})


@dataclass(frozen=True)
class Shown:
    """What a command left: its exit code and what it wrote."""

    code: int
    output: str = ""
    errors: str = ""


Run = Callable[..., Shown]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a folder with a state file."""
    monkeypatch.setattr(controls, "who", lambda: "alice")
    monkeypatch.chdir(tmp_path)
    Store("state.db").close()

    def run_command(*arguments: str, place: tuple[str, ...] = ("--state", "state.db")) -> Shown:
        try:
            code = GROUP.main([*arguments, *place], "token", standalone_mode=False)
        except click.ClickException as error:
            error.show()
            code = 2
        shown = capsys.readouterr()
        return Shown(code or 0, shown.out, shown.err)

    return run_command


def logged() -> list[tuple[str, Any]]:
    """What the audit log of the folder holds, without the times."""
    store = Store("state.db")
    entries = [(entry.kind, json.loads(entry.body or "")) for entry in AuditLog(store, retention_days=1).entries()]
    store.close()
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", record.pop("time")) for _, record in entries)
    return entries


def keys(*names: str) -> None:
    """Write the keys of these names to the folder, the private one and the public one."""
    for name in names:
        write_private(f"{name}.pem", ed25519(name))
        Path(f"{name}.json").write_text(json.dumps(dict(ed25519(name).public.jwk)))


# Kill switch and revocation


def test_the_kill_switch_is_turned_on_and_off(run: Run) -> None:
    """The log has it, and says whether it changed anything; what was refused is not in it."""
    assert [
        run("kill", "prompt", "p1", "--why", "it loops"),
        run("kill", "prompt", "p1"),
        run("kill", "all"),
        run("status"),
        run("resume", "prompt", "p1"),
        run("resume", "prompt", "p1"),
    ] == [
        Shown(0, "prompt `p1`: killed\n"),
        Shown(0, "prompt `p1`: killed already\n"),
        Shown(0, "everything: killed\n"),
        Shown(0, "killed everything\nkilled prompt `p1`\n"),
        Shown(0, "prompt `p1`: resumed\n"),
        Shown(1, "", "refused: not_killed: the kill switch is not on for prompt `p1`\n"),
    ]
    prompt = {"by": "alice", "changed": True, "id": "p1", "kind": "prompt"}
    assert logged() == [
        ("kill", {"action": "kill", **prompt, "why": "it loops"}),
        ("kill", {"action": "kill", **prompt, "changed": False, "why": ""}),
        ("kill", {"action": "kill", "by": "alice", "changed": True, "kind": "all", "why": ""}),
        ("resume", {"action": "resume", **prompt, "why": ""}),
    ]


def test_tokens_agents_and_persons_are_revoked(run: Run) -> None:
    """A token by its id, or by itself."""
    Path("token").write_text(f"{leaf_token()}\n")
    assert [
        run("revoke", "token", "t0", "--why", "leaked"),
        run("revoke", "token", "--file", "token"),
        run("revoke", "agent", "researcher"),
        run("revoke", "person", "alice", "--issuer", LOGIN),
        run("revoke", "agent", "researcher"),
    ] == [
        Shown(0, "token `t0`: revoked\n"),
        Shown(0, "token `t2`: revoked\n"),
        Shown(0, "agent `researcher`: revoked\n"),
        Shown(0, "person `alice` of `https://login.example`: revoked\n"),
        Shown(0, "agent `researcher`: revoked already\n"),
    ]
    revoked = {"action": "revoke", "by": "alice", "changed": True}
    assert logged() == [
        ("revocation", {**revoked, "id": "t0", "kind": "token", "why": "leaked"}),
        ("revocation", {**revoked, "id": "t2", "kind": "token", "why": ""}),
        ("revocation", {**revoked, "id": "researcher", "kind": "agent", "why": ""}),
        ("revocation", {**revoked, "id": "alice", "issuer": LOGIN, "kind": "person", "why": ""}),
        ("revocation", {**revoked, "changed": False, "id": "researcher", "kind": "agent", "why": ""}),
    ]


def test_programs_read_json(run: Run) -> None:
    """Of what was done, of what is on, and of a refusal."""
    run("revoke", "person", "alice", "--issuer", LOGIN)
    answers = [run("kill", "agent", "writer", "-f", "json"), run("status", "-f", "json")]
    assert [json.loads(shown.output) for shown in answers] == [
        {"action": "kill", "by": "alice", "changed": True, "id": "writer", "kind": "agent", "why": ""},
        {
            "killed": [{"kind": "agent", "id": "writer"}],
            "revoked": [{"kind": "person", "id": "alice", "issuer": LOGIN}],
        },
    ]
    refused = run("resume", "all", "-f", "json")
    assert (refused.code, json.loads(refused.output)) == (
        1,
        {"reason": "not_killed", "detail": "the kill switch is not on for everything"},
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["kill", "prompt"], "all has no id, and others have one"),
        (["kill", "all", "p1"], "all has no id, and others have one"),
        (["revoke", "person", "alice"], "a person has an issuer, and others have none"),
        (["revoke", "agent", "writer", "--issuer", LOGIN], "a person has an issuer, and others have none"),
        (["revoke", "agent", "--file", "-"], "`--file` is for a token, and in the place of its id"),
        (["revoke", "token", "t1", "--file", "-"], "`--file` is for a token, and in the place of its id"),
    ],
)
def test_what_means_nothing_is_an_error(run: Run, arguments: list[str], problem: str) -> None:
    """And is not written."""
    shown = run(*arguments)
    assert (shown.code, shown.output, shown.errors.splitlines()[-1]) == (2, "", f"Error: {problem}")
    assert logged() == []


def test_a_file_without_a_token_is_an_error(run: Run) -> None:
    """Nothing is guessed."""
    problems = []
    for content in (b"t1", b"\xff"):
        Path("token").write_bytes(content)
        problems.append(run("revoke", "token", "--file", "token"))
    assert problems == [
        Shown(2, "", "Error: `token` holds no token: the token is no JWS in compact form\n"),
        Shown(2, "", "Error: `token` holds no token: it is not UTF-8\n"),
    ]


def test_the_state_has_to_be_there(run: Run, tmp_path: Path) -> None:
    """A kill in a new file would stop nobody."""
    gone = Shown(2, "", "Error: there is no file of state `gone.db`\n")
    assert run("kill", "all", place=("--state", "gone.db")) == gone
    assert not (tmp_path / "gone.db").exists()
    Path("other.db").write_text("no database" * 100)
    assert run("kill", "all", place=("--state", "other.db")) == Shown(
        2, "", "Error: `other.db` is not a file of state: file is not a database\n"
    )


def test_the_state_is_named_once(run: Run) -> None:
    """By a configuration, or by itself."""
    for place in ((), ("-c", "gateway.yaml", "--state", "state.db")):
        shown = run("status", place=place)
        assert (shown.code, shown.errors.splitlines()[-1]) == (2, "Error: give one of `--config` and `--state`")


def test_the_configuration_names_the_state_and_says_what_is_masked(run: Run) -> None:
    """Relative to its folder."""
    Path("gateway.yaml").write_text('state: {path: state.db}\nmasks: {patterns: ["secret-[0-9]+"]}\n')
    shown = run("kill", "all", "--why", "leaked secret-7", place=("-c", "gateway.yaml"))
    assert shown == Shown(0, "everything: killed\n")
    assert logged() == [
        ("kill", {"action": "kill", "by": "alice", "changed": True, "kind": "all", "why": "leaked ***"})
    ]


# Agents


def test_agents_are_registered_and_listed(run: Run) -> None:
    """A key has one agent."""
    keys("writer")
    jkt, jwk = ed25519("writer").public.jkt, dict(ed25519("writer").public.jwk)
    assert [
        run("agents", "register", "writer", "--key", "writer.json"),
        run("agents", "register", "writer", "--key", "writer.json"),
        run("agents", "register", "editor", "--key", "writer.json"),
        run("agents", "list"),
    ] == [
        Shown(0, "agent `writer`: registered\n"),
        Shown(0, "agent `writer`: registered already\n"),
        Shown(1, "", "refused: shared_key: the key is, or was, that of agent `writer`\n"),
        Shown(0, f"{jkt} EdDSA writer\n"),
    ]
    assert json.loads(run("agents", "list", "-f", "json").output) == [{"agent": "writer", "jkt": jkt, "jwk": jwk}]
    registered = {"action": "register", "agent": "writer", "by": "alice", "jkt": jkt, "jwk": jwk}
    assert logged() == [("registration", registered)]


def test_an_agent_changes_its_key_with_both(run: Run) -> None:
    """The log keeps the proof."""
    keys("writer", "new", "mallory")
    run("agents", "register", "writer", "--key", "writer.json")
    wrong = run("agents", "rotate", "writer", "--key", "mallory.pem", "--new-key", "new.pem")
    right = run("agents", "rotate", "writer", "--key", "writer.pem", "--new-key", "new.pem")
    new = ed25519("new").public
    assert (wrong.code, wrong.errors, right) == (
        1,
        "refused: proof_invalid: the proof is not one of the agent's keys: the signature does not match\n",
        Shown(0, f"agent `writer`: has the key {new.jkt}\n"),
    )
    assert run("agents", "list").output == f"{new.jkt} EdDSA writer\n"
    assert [(kind, record["action"], "proof" in record) for kind, record in logged()] == [
        ("registration", "register", False),
        ("registration", "rotate", True),
    ]


def test_the_configuration_says_who_may_register(run: Run) -> None:
    """And which keys are taken: those of its own agents, and of the gateway."""
    keys("planner", "writer", "procurator-key")
    Path("gateway.yaml").write_text("state: {path: state.db}\nagents: [{id: planner, key_file: planner.json}]\n")
    place = ("-c", "gateway.yaml")
    assert run("agents", "list", place=place).output == f"{ed25519('planner').public.jkt} EdDSA planner\n"
    for name, owner in (("planner", "agent `planner`"), ("procurator-key", "the gateway")):
        shown = run("agents", "register", "writer", "--key", f"{name}.json", place=place)
        assert shown == Shown(1, "", f"refused: shared_key: the key is, or was, that of {owner}\n")
    Path("gateway.yaml").write_text("state: {path: state.db}\nidentity: {agent_registration: static}\n")
    shown = run("agents", "register", "writer", "--key", "writer.json", place=place)
    reason = "registration_not_allowed: agents are those of the configuration alone"
    assert shown == Shown(1, "", f"refused: {reason}\n")


def test_a_file_without_a_key_is_an_error(run: Run) -> None:
    """A symmetric key is none for agents."""
    Path("key.json").write_text('{"kty": "oct", "k": "c2VjcmV0"}')
    assert run("agents", "register", "writer", "--key", "key.json") == Shown(
        2, "", "Error: `key.json`: key_not_allowed: a public key has no member `k`\n"
    )
