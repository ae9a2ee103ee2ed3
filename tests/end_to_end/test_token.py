"""`procurator token`: chains are shown, verified and derived, keys are made, and no secret is printed."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from command_line import Finished, procurator

from delegations import (
    AUDIENCE,
    GATEWAY,
    ISSUER,
    LEAF_KEY,
    NOW,
    OTHER_KEY,
    ROOT_KEY,
    forged,
    leaf_token,
    opened,
    outcome,
    root_token,
    verified,
)
from procurator.governance.signing.keys import load_private, public_from_jwk, write_private

VERIFY = ["--issuer", GATEWAY, "--key", "gateway.jwk", "--audience", AUDIENCE]
TIME = ["--at", str(NOW + 1)]

TREE = f"""\
alice of https://login.example, by assistant, for task prompt-1
   "Summarise the reports of the third quarter."
└─ orchestrator
   │  id        t0
   │  key       KPPXZdi6KEDu8NZvr3guQtSUiUKVHQDCvfkjNmk7yJ0 (EdDSA)
   │  issuer    https://gateway.example
   │  depth     0 of at most 3
   │  until     2027-01-15T08:05:00Z
   │  budget    EUR 5, actions 20
   │  tools     read_file, search
   │  allows    tools.read_file.operations: ["read"]
   │  allows    tools.read_file.resources: ["/data/**"]
   │  allows    tools.read_file.arguments.path: subpath "/data"
   │  allows    tools.read_file.arguments: those named
   │  allows    tools.search.operations: ["read","write","execute","delegate"]
   │  allows    tools.search.arguments.limit: range max 100
   │  allows    tools.search.arguments.query: wildcard
   │  allows    tools.search.arguments: those named
   └─ researcher
      │  id        t1
      │  key       FMwb-23A96wre0Pw-5GrjAvIE1hTjElJEsMl8ar4QP4 (ES256)
      │  issuer    urn:ietf:params:oauth:jwk-thumbprint:sha-256:KPPXZdi6KEDu8NZvr3guQtSUiUKVHQDCvfkjNmk7yJ0
      │  depth     1 of at most 3
      │  until     2027-01-15T08:03:20Z
      │  budget    actions 10
      │  tools     read_file, search
      │  narrows   expires: 2027-01-15T08:05:00Z → 2027-01-15T08:03:20Z
      │  narrows   budget.EUR: 5 → none
      │  narrows   budget.actions: 20 → 10
      └─ reader
            id        t2
            key       {LEAF_KEY.public.jkt} (EdDSA)
            issuer    urn:ietf:params:oauth:jwk-thumbprint:sha-256:FMwb-23A96wre0Pw-5GrjAvIE1hTjElJEsMl8ar4QP4
            depth     2 of at most 3
            until     2027-01-15T08:01:40Z
            budget    actions 10
            tools     read_file
            narrows   expires: 2027-01-15T08:03:20Z → 2027-01-15T08:01:40Z
            narrows   audience: ["urn:example:tools","urn:example:other"] → ["urn:example:tools"]
            narrows   tools.read_file.resources: ["/data/**"] → ["/data/reports/*"]
            narrows   tools.read_file.arguments.path: subpath "/data" → pattern "/data/reports/*"
            narrows   tools.search: granted → none
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a chain, the gateway's public key, and the keys of two agents."""
    (tmp_path / "chain").write_text(leaf_token() + "\n")
    (tmp_path / "gateway.jwk").write_text(json.dumps(dict(ISSUER.key.public.jwk)))
    (tmp_path / "other.jwk").write_text(json.dumps(dict(OTHER_KEY.public.jwk)))
    write_private(tmp_path / "root.pem", ROOT_KEY)
    return tmp_path


def test_a_chain_is_shown_as_a_tree(folder: Path) -> None:
    """With what each link narrows; verified or not, as it was asked."""
    assert procurator("token", "inspect", "chain", folder=folder) == Finished(0, f"{TREE}not verified\n", "")
    done = procurator("token", "verify", "chain", *VERIFY, *TIME, folder=folder)
    assert done == Finished(0, f"{TREE}verified\n", "")


def test_a_chain_is_shown_as_json(folder: Path) -> None:
    """The claims of each link, and what it narrows."""
    text = (folder / "chain").read_text()
    done = procurator("token", "verify", "-f", "json", *VERIFY, *TIME, folder=folder, stdin=text)
    shown = json.loads(done.output)
    links = [link | {"narrows": []} for link in (opened(part)[1] for part in text.strip().split("~"))]
    assert shown["verified"] is True
    assert [link | {"narrows": []} for link in shown["chain"]] == links
    assert [len(link["narrows"]) for link in shown["chain"]] == [0, 3, 5]
    assert shown["chain"][1]["narrows"][1] == {"path": "budget.EUR", "before": 5, "after": None}
    done = procurator("token", "inspect", "-f", "json", folder=folder, stdin=text)
    assert json.loads(done.output) == {**shown, "verified": None}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--issuer", "https://a.example"], "refused at link 0: wrong_issuer: the root was not issued by the gateway"),
        (["--max-depth", "1"], "refused at link 2: depth_exceeded: the chain has more than 2 links"),
        (["--at", str(NOW + 100)], "refused at link 2: token_expired: the token of `reader` expired 0 seconds ago"),
        (
            ["--at", "2027-01-15T08:00:00+01:00"],
            "refused at link 0: token_not_yet_valid: the token of `orchestrator` is valid in 3600 seconds",
        ),
    ],
)
def test_a_chain_that_is_refused_is_said_to_be(folder: Path, arguments: list[str], message: str) -> None:
    """With the link, the reason and a sentence; the exit code is 1."""
    done = procurator("token", "verify", "chain", *VERIFY, *TIME, *arguments, folder=folder)
    assert done == Finished(1, "", f"{message}\n")


def test_a_refusal_as_json(folder: Path) -> None:
    """For programs."""
    arguments = ["token", "verify", "chain", *VERIFY, *TIME, "--max-depth", "1", "--format", "json"]
    done = procurator(*arguments, folder=folder)
    refusal = {"verified": False, "reason": "depth_exceeded", "detail": "the chain has more than 2 links", "link": 2}
    assert (done.code, json.loads(done.output), done.errors) == (1, refusal, "")


def test_clocks_may_differ(folder: Path) -> None:
    """By as much as is said."""
    at = ["--at", str(NOW + 104)]
    assert procurator("token", "verify", "chain", *VERIFY, *at, "--skew", "5", folder=folder).code == 0
    assert procurator("token", "verify", "chain", *VERIFY, *at, "--skew", "4", folder=folder).code == 1


def test_texts_of_a_token_do_not_reach_the_terminal_as_they_are(folder: Path) -> None:
    """Nobody has vouched for a token that is looked at."""
    claims: dict[str, Any] = {
        "intent": "\x1b[2J\u202egood",
        "principal": {"iss": "https://i.example\r", "sub": "al\x07ice"},
        "exp": 2**53,
    }
    done = procurator("token", "inspect", stdin=forged(root_token(), 0, claims), folder=folder)
    assert done.output.splitlines()[:8] == [
        r"'al\x07ice' of 'https://i.example\r', for task prompt-1",
        r"   '\x1b[2J\u202egood'",
        "└─ orchestrator",
        "      id        t0",
        "      key       KPPXZdi6KEDu8NZvr3guQtSUiUKVHQDCvfkjNmk7yJ0 (EdDSA)",
        "      issuer    https://gateway.example",
        "      depth     0 of at most 3",
        "      until     9007199254740992 seconds since 1970",
    ]


def test_a_thumbprint_needs_its_key(folder: Path) -> None:
    """It is given beside the token."""
    token = forged(root_token(), 0, {"cnf": {"jkt": OTHER_KEY.public.jkt}})
    done = procurator("token", "inspect", stdin=token)
    message = f"missing_parent_key: no key with the thumbprint `{OTHER_KEY.public.jkt}` is known"
    assert done == Finished(2, "", f"Error: {message}\n")
    assert procurator("token", "inspect", "--holder-key", "other.jwk", stdin=token, folder=folder).code == 0


@pytest.mark.parametrize("stdin", ["", "x", b"\xff\xfe"])
def test_what_is_no_token_is_an_error(stdin: str | bytes) -> None:
    """The exit code is 2."""
    done = procurator("token", "inspect", stdin=stdin)
    assert (done.code, done.output) == (2, "")
    assert done.errors.startswith("Error: ")
    assert len(done.errors.splitlines()) == 1


def fresh(**claims: Any) -> str:
    """A root that is good now."""
    now = int(time.time())
    return forged(root_token(), 0, {"iat": now - 10, "exp": now + 300, **claims})


def derive(folder: Path, *arguments: str, key: str = "root.pem") -> Finished:
    """Delegate a fresh token to another agent."""
    given = ["--key", key, "--agent", "helper", "--agent-key", "other.jwk"]
    return procurator("token", "derive", *given, *arguments, stdin=fresh(), folder=folder)


def test_a_token_is_derived_offline(folder: Path) -> None:
    """It narrows as it was told, and verifies."""
    (folder / "tools.json").write_text('{"search": null}')
    narrow = ["--tools", "tools.json", "--budget", "actions=3", "--budget", "EUR=4.50", "--audience", AUDIENCE]
    done = derive(folder, *narrow, "--ttl", "60", "--max-depth", "1")
    assert (done.code, done.errors) == (0, "")
    chain = verified(done.output.strip(), now=int(time.time()))
    leaf = chain.leaf.claims()
    assert chain.agents == ("orchestrator", "helper")
    assert leaf["budget"] == {"actions": 3, "EUR": "4.50"}
    assert (leaf["aud"], leaf["del_max_depth"], list(chain.leaf.authority.tools)) == ([AUDIENCE], 1, ["search"])
    assert chain.leaf.expires - chain.leaf.issued_at == 60
    named = derive(folder, "--tool", "read_file", "--tool", "search")
    assert list(verified(named.output.strip(), now=int(time.time())).leaf.authority.tools) == ["read_file", "search"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--budget", "actions=21"], "refused: budget_widened: the budget is not within the parent's"),
        (["--tool", "rm"], "refused: capability_widened: $.tools.rm: the parent does not grant this tool"),
        (["--max-depth", "4"], "refused: max_depth_raised: the greatest depth is 4, the parent's 3"),
        (["--audience", "x"], "refused: audience_widened: `aud` has a member that the parent's has not"),
    ],
)
def test_a_token_that_would_widen_is_not_derived(folder: Path, arguments: list[str], message: str) -> None:
    """The exit code is 1."""
    assert derive(folder, *arguments) == Finished(1, "", f"{message}\n")


def test_only_the_holder_derives(folder: Path) -> None:
    """And what is no key is an error."""
    write_private(folder / "mine.pem", OTHER_KEY)
    holder = "refused: wrong_issuer: the key is not that of the token's holder\n"
    assert derive(folder, key="mine.pem") == Finished(1, "", holder)
    no_key = "Error: key_not_allowed: member `d` of a key is not 32 bytes in base64url\n"
    assert derive(folder, key="other.jwk") == Finished(2, "", no_key)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--budget", "actions"],
        ["--budget", "actions=-1"],
        ["--budget", "actions=1e3"],
        ["--tool", "search", "--tools", "other.jwk"],
        ["--ttl", "0"],
        ["--key", "nothing.pem"],
    ],
)
def test_a_derivation_that_was_mistyped_is_an_error(folder: Path, arguments: list[str]) -> None:
    """The exit code is 2."""
    done = derive(folder, *arguments)
    assert (done.code, done.output) == (2, "")


@pytest.mark.parametrize("alg", ["EdDSA", "ES256"])
def test_a_key_is_made(tmp_path: Path, alg: str) -> None:
    """The secret goes to a file for its owner alone; what is printed is public."""
    done = procurator("token", "keygen", "key.pem", "--alg", alg, folder=tmp_path)
    assert (done.code, done.errors) == (0, "")
    shown, key = json.loads(done.output), load_private(tmp_path / "key.pem").public
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    assert public_from_jwk(shown) == key
    assert shown == {**key.jwk, "alg": alg, "kid": key.jkt, "use": "sig"}
    again = procurator("token", "keygen", "key.pem", folder=tmp_path)
    assert again == Finished(2, "", "Error: cannot write `key.pem`: File exists\n")


def test_options_can_be_set_in_the_environment(folder: Path) -> None:
    """Under the name of the command and its part; a variable that sets nothing is an error."""
    set_all = {
        "PROCURATOR_TOKEN_VERIFY_ISSUER": GATEWAY,
        "PROCURATOR_TOKEN_VERIFY_KEY": "gateway.jwk",
        "PROCURATOR_TOKEN_VERIFY_AUDIENCE": AUDIENCE,
        "PROCURATOR_TOKEN_VERIFY_AT": str(NOW + 1),
    }
    done = procurator("token", "verify", "chain", folder=folder, environment=set_all)
    assert done == Finished(0, f"{TREE}verified\n", "")
    wrong = procurator("token", "keygen", "x", folder=folder, environment={"PROCURATOR_TOKEN_KEYGEN_ALGO": "EdDSA"})
    assert wrong.code == 2
    message = "no option of `token` is set by `PROCURATOR_TOKEN_KEYGEN_ALGO`"
    assert f"{message} (hint: did you mean `PROCURATOR_TOKEN_KEYGEN_ALG`?)" in wrong.errors


def test_the_chain_of_these_tests_is_good() -> None:
    """So that refusals above are those of what was changed."""
    assert outcome(leaf_token()) == outcome(root_token())
