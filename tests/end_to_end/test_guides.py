"""What the README shows is what happens."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import Finished, procurator

from procurator.governance.signing import jws
from procurator.governance.signing.keys import generate

README = Path(__file__).parents[2] / "README.md"


def block(language: str, section: str = "") -> str:
    """The first block of a language in the README, or from a section on."""
    text = README.read_text(encoding="utf-8").partition(f"\n## {section}")[2]
    found = re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_the_first_policy_is_in_order_and_in_the_canonical_layout(tmp_path: Path) -> None:
    """A reader who copies it gets no complaint."""
    (tmp_path / "agents.rego").write_text(block("rego"))
    assert procurator("check", "--strict", "agents.rego", folder=tmp_path) == Finished(0, "", "")
    assert procurator("fmt", "--diff", "agents.rego", folder=tmp_path) == Finished(0, "", "")


def test_the_misspelt_policy_gets_the_answer_that_is_shown(tmp_path: Path) -> None:
    """To the letter."""
    (tmp_path / "agents.rego").write_text(block("rego").replace("in input.agent", "in inptu.agent"))
    answer = re.findall(r"^```\n(agents\.rego:.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert procurator("check", "agents.rego", folder=tmp_path) == Finished(2, "", answer[0])


def test_the_python_of_the_readme_prints_what_its_comments_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "agents.rego").write_text(block("rego"))
    monkeypatch.chdir(tmp_path)
    exec(compile(block("python"), "README.md", "exec"), {})  # noqa: S102  # our own example
    assert capsys.readouterr().out == "True\nTrue [('data.agents.allow', 5)]\n"


# The gateway


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """The files of the section on the gateway, and beside them the keys of a login service and ID tokens of persons."""
    (tmp_path / "agentic-governance.yaml").write_text(block("yaml", "The gateway"))
    (tmp_path / "office.rego").write_text(block("rego", "The gateway"))
    login, now = generate("ES256"), int(time.time())
    public = {**login.public.jwk, "kid": "k1", "alg": "ES256", "use": "sig"}
    (tmp_path / "login.json").write_text(json.dumps({"keys": [public]}))
    for who in ("alice", "bob"):
        claims = {"iss": "https://login.example.org", "sub": who, "aud": "urn:procurator:gateway"}
        (tmp_path / f"{who}.jwt").write_text(jws.write({**claims, "iat": now, "exp": now + 300}, login, "JWT", "k1"))
    return tmp_path


def shell(folder: Path, commands: str | None = None) -> subprocess.CompletedProcess[str]:
    """What commands print, by default those of the section."""
    commands = block("sh", "The gateway") if commands is None else commands
    command = f'procurator() {{ {sys.executable} -m procurator "$@"; }}\n{commands}'
    return subprocess.run(["bash", "-ec", command], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_the_policy_and_the_configuration_of_the_gateway_are_in_order(office: Path) -> None:
    """In strict mode and in the canonical layout; the gateway starts with them."""
    assert procurator("check", "--strict", "office.rego", folder=office) == Finished(0, "", "")
    assert procurator("fmt", "--diff", "office.rego", folder=office) == Finished(0, "", "")
    assert shell(office).returncode == 0
    assert procurator("check", "-c", "agentic-governance.yaml", folder=office) == Finished(0, "", "")


def test_the_commands_and_the_python_of_the_gateway_do_what_they_say(
    office: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One after the other, as a reader does."""
    done = shell(office)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [re.sub(r"[0-9a-f]{32,}", "HEX", line) for line in done.stdout.splitlines()]
    assert lines == [
        "permit  passed  HEX",
        "  mail within the house",
        "  rule    office.rego:7  data.office.allow  mail within the house",
        "  permit  HEX",
        '  oblige  report_result {"required":true}',
        "the audit log is whole: 2 entries, 2 checkpoints; their signatures were not checked, for want of `--key`",
        "root HEX",
    ]
    monkeypatch.chdir(office)
    exec(compile(block("python", "The gateway"), "README.md", "exec"), {})  # noqa: S102  # our own example
    assert capsys.readouterr().out == "sent to bob@example.org\ndeny: default_deny: no rule permits the action\n"


def test_the_letter_that_waits_is_approved_by_a_colleague(office: Path) -> None:
    """The commands go on where those of the gateway ended."""
    with (office / "office.rego").open("a") as file:
        file.write("\n" + block("rego", "Limits and approvals"))
    assert procurator("check", "--strict", "office.rego", folder=office) == Finished(0, "", "")
    assert procurator("fmt", "--diff", "office.rego", folder=office) == Finished(0, "", "")
    assert shell(office).returncode == 0
    first, rest = block("sh", "Limits and approvals").split("procurator approvals list", 1)
    proposed = shell(office, f"{first.replace('request.json  ', 'request.json || true  ')}")
    lines = [re.sub(r"[0-9a-f]{32,}", "HEX", line) for line in proposed.stdout.splitlines()]
    assert lines == [
        "propose  approval_required  HEX",
        "  mail to others needs a colleague: not within the house",
        "  rule    office.rego:14  data.office.propose  mail to others needs a colleague",
        "  waits   `procurator approvals show HEX`",
    ]
    [ref] = re.findall("show ([0-9a-f]{32})", proposed.stdout)
    done = shell(office, f"ID={ref}\nprocurator approvals list{rest}")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.replace(ref, "ID") for line in done.stdout.splitlines()[1:]] == [
        "ID: approved",
        "prompt `letters` of `alice` goes on",
        "  prompt  actions          prompt  0 spent  1 reserved  199 of 200 left",
        "  prompt  compute_tokens   prompt  0 spent  0 reserved  500000 of 500000 left",
        "  prompt  unproven_agents  prompt  1 spent  0 reserved  99 of 100 left",
        "  prompt  replans          prompt  0 spent  0 reserved  10 of 10 left",
    ]
