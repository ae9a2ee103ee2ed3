"""Each line of the configuration does what it says: the behaviour of a gateway with one setting and with another."""

import json
import sqlite3
import stat
from pathlib import Path
from typing import Any

import jwt
import pytest
from jwt.algorithms import ECAlgorithm

from authorities import elliptic, private_pem
from delegations import ed25519
from gateways import CONFIG, GATEWAY, LOGIN, POLICY, SECOND, START, World, self_key, session_proof, write_folder
from procurator.governance.audit.checkpoints import Witness
from procurator.governance.config.loading import ConfigError, read_config
from procurator.governance.decision import Denied
from procurator.governance.delegation.issuing import Share, derive
from procurator.governance.delegation.proofs import prove
from procurator.governance.delegation.sessions import opening
from procurator.governance.delegation.verifying import read_unverified
from procurator.governance.gateway import Gateway
from procurator.governance.refusals import Refused
from procurator.governance.signing.keys import load_private

ORCHESTRATOR = "orchestrator"


def world_of(folder: Path, *lines: str, policy: str = POLICY, now: int = START * SECOND) -> World:
    """A gateway whose file has some lines more."""
    return World.made(folder, CONFIG + "\n".join(lines) + "\n", policy, now)


def reason(attempt: Any) -> str:
    """Why something is denied or refused."""
    with pytest.raises((Denied, Refused)) as caught:
        attempt()
    error = caught.value
    return error.decision.reason if isinstance(error, Denied) else error.reason


def is_refused(line: str) -> bool:
    """Whether a file with a line is no configuration."""
    try:
        read_config(CONFIG + line)
    except ConfigError:
        return True
    return False


# policy_engine


def test_mode(tmp_path: Path) -> None:
    """`zero_trust` permits; `dry_run` says what it would, and gives nothing."""
    for mode, verdict in (("zero_trust", "permit"), ("dry_run", "dry_run")):
        (tmp_path / mode).mkdir()
        world = world_of(tmp_path / mode)
        token = world.granted()
        world.gateway.close()
        write_folder(world.folder, CONFIG + f"policy_engine: {{mode: {mode}}}\n")
        again = world.again_without_closing()
        decision = again.ask(token)
        assert (decision.verdict, decision.permit_id is None) == (verdict, mode == "dry_run")
        assert again.outcome(token, tool="read_secret") == ("deny", "no_secrets")
    assert reason(again.granted) == "dry_run"


def test_evaluation_per_action(tmp_path: Path) -> None:
    """Every action is decided by itself: the same one again, by what is so now."""
    policy = POLICY + 'deny contains "once" if count(input.history.actions) > 0\n'
    world = world_of(tmp_path, "policy_engine: {evaluation: per_action}", policy=policy)
    token = world.granted()
    assert [world.outcome(token) for _ in range(2)] == [("permit", "passed"), ("deny", "once")]
    assert is_refused("policy_engine: {evaluation: per_prompt}\n")


def test_fallback_deny(tmp_path: Path) -> None:
    """Where no rule says anything."""
    world = world_of(tmp_path, "policy_engine: {fallback: deny}", policy=DELEGATE_ONLY)
    assert world.outcome(world.granted()) == ("deny", "default_deny")
    assert is_refused("policy_engine: {fallback: allow}\n")


DELEGATE_ONLY = 'package procurator\nallow if input.action.operation == "delegate"\n'


# policies, entrypoint, limits


def test_policies_and_entrypoint(tmp_path: Path) -> None:
    """Texts and data from the folder of the file, asked at the rule that is named."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "app.rego").write_text('package app\nanswer := {"verdict": "permit"} if data.open\n')
    (tmp_path / "data.json").write_text('{"open": true}')
    files = CONFIG.replace("[policy.rego]", "[policy.rego, more, data.json]")
    world = World.made(tmp_path, files + "entrypoint: data.app.answer\n")
    assert world.outcome(world.granted()) == ("permit", "passed")


@pytest.mark.parametrize("limits", ["steps: 1000", "seconds: 0.01"])
def test_limits(limits: str, tmp_path: Path) -> None:
    """What takes more is a deny."""
    rule = 'deny contains "long" if { input.action.tool == "pay"; every a in numbers.range(1, 1000000) { a > 0 } }\n'
    world = world_of(tmp_path, f"limits: {{{limits}}}", policy=POLICY + rule)
    token = world.granted()
    assert world.outcome(token) == ("permit", "passed")
    assert world.outcome(token, tool="pay") == ("deny", "policy_error")


# delegation


def test_token_ttl_seconds(tmp_path: Path) -> None:
    """How long a token lives by default, and at most."""
    world = world_of(tmp_path, "delegation: {token_ttl_seconds: 40}")
    token = world.granted()
    assert read_unverified(token)[0].expires - world.clock.seconds == 40
    assert reason(lambda: world.granted(ttl=41)) == "delegation_not_allowed"
    world.clock.forward(40)
    assert world.outcome(token) == ("deny", "token_expired")


def test_max_depth(tmp_path: Path) -> None:
    """How many links there are below a root."""
    world = world_of(tmp_path, "delegation: {max_depth: 1}")
    token = world.passed_on(world.granted(), ORCHESTRATOR, "researcher", ["read_file"])
    assert world.outcome(token, "researcher") == ("permit", "passed")
    assert reason(lambda: world.passed_on(token, "researcher", "reader", ["read_file"])) == "depth_exceeded"


def test_scope_inheritance_narrow_only(tmp_path: Path) -> None:
    """A child has what its parent has, or less."""
    world = world_of(tmp_path, "delegation: {scope_inheritance: narrow_only}")
    token = world.granted(tools=["read_file", "send_mail"])
    child = world.passed_on(token, ORCHESTRATOR, "reader", ["read_file"])
    assert world.outcome(child, "reader") == ("permit", "passed")
    assert world.outcome(child, "reader", tool="send_mail") == ("deny", "tool_not_allowed")
    assert reason(lambda: world.passed_on(token, ORCHESTRATOR, "reader", ["pay"])) == "capability_widened"
    assert is_refused("delegation: {scope_inheritance: any}\n")


def test_max_fan_out(tmp_path: Path) -> None:
    """How many tokens are delegated from one."""
    world = world_of(tmp_path, "delegation: {max_fan_out: 1}")
    token = world.granted()
    world.passed_on(token, ORCHESTRATOR, "reader", ["read_file"])
    assert reason(lambda: world.passed_on(token, ORCHESTRATOR, "writer", ["read_file"])) == "fan_out_exceeded"


# audit


def test_storage_append_only(tmp_path: Path) -> None:
    """No statement changes or removes an entry or a checkpoint."""
    world = world_of(tmp_path, "audit: {storage: append_only}")
    world.ask(world.granted())
    world.gateway.admin.revoke("agent", "writer")
    world.gateway.close()
    with sqlite3.connect(tmp_path / "procurator.db") as connection:
        for statement in (
            "UPDATE entries SET body = '{}'",
            "UPDATE entries SET body = NULL",
            "UPDATE entries SET time_ns = 0",
            "DELETE FROM entries",
            "DELETE FROM entries WHERE seq = 0",
            "INSERT OR REPLACE INTO entries SELECT * FROM entries WHERE seq = 0",
            "UPDATE checkpoints SET note = ''",
            "REPLACE INTO controls SELECT seq, 'resume', kind, issuer, id FROM controls",
            "UPDATE controls SET action = 'resume'",
            "DELETE FROM controls",
            "REPLACE INTO agent_keys SELECT NULL, 'writer', jkt, jwk FROM agent_keys WHERE agent = 'reader'",
            "UPDATE agent_keys SET agent = 'writer'",
            "DELETE FROM agent_keys",
            "DELETE FROM checkpoints",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(statement)
        notes = connection.execute("SELECT * FROM checkpoints").fetchall()
        connection.execute("REPLACE INTO checkpoints SELECT size, root, time_ns, 'x' FROM checkpoints")
        assert connection.execute("SELECT * FROM checkpoints").fetchall() == notes
    connection.close()
    assert is_refused("audit: {storage: mutable}\n")


def test_schema_version(tmp_path: Path) -> None:
    """It is in every record of a decision."""
    world = world_of(tmp_path, 'audit: {schema_version: "1.0"}')
    assert world.ask(world.granted()).record["schema_version"] == "1.0"
    assert is_refused('audit: {schema_version: "2.0"}\n')


@pytest.mark.parametrize(("capture", "kept"), [("true", {"snapshot": "It is asked for."}), ("false", None)])
def test_capture_reasoning(capture: str, kept: Any, tmp_path: Path) -> None:
    """Policies see the reasoning, and it is part of the request, in any case; the record keeps it or does not."""
    rule = 'deny contains "no_reason" if { input.action.tool == "pay"; not input.reasoning.snapshot }\n'
    world = world_of(tmp_path, f"audit: {{capture_reasoning: {capture}}}", policy=POLICY + rule)
    token = world.granted()
    assert world.outcome(token, tool="pay") == ("deny", "no_reason")
    reasoning = {"snapshot": "It is asked for."}
    decision = world.ask(token, tool="pay", reasoning=reasoning, request_id="same")
    assert (decision.verdict, decision.record["input"]["reasoning"]) == ("propose", kept)
    assert world.ask(token, tool="pay", reasoning=reasoning, request_id="same").replayed
    other = world.ask(token, tool="pay", reasoning={"snapshot": "Otherwise."}, request_id="same")
    assert other.reason == "request_id_reused"
    assert (b"asked for" in (tmp_path / "procurator.db-wal").read_bytes()) is (kept is not None)


def test_retention_days(tmp_path: Path) -> None:
    """Until when entries are kept; what is past that can be pruned, and the log still verifies."""
    day = 86_400 * SECOND
    world = world_of(tmp_path, "audit: {retention_days: 30}", now=1_600_000_000 * SECOND)
    token = world.granted()
    request = world.request(token)
    assert world.gateway.decide(request).verdict == "permit"
    audit = world.gateway.state.audit
    assert {entry.retain_until_ns - entry.time_ns for entry in audit.entries()} == {30 * day}
    world.clock.forward(29 * 86_400)
    assert audit.prune() == 0
    world.clock.forward(2 * 86_400)
    old = len(list(audit.entries()))
    assert audit.prune() == old
    assert [entry.body is None for entry in audit.entries()] == [True] * old + [False]
    assert world.verification().problem is None
    assert b"read_file" not in (tmp_path / "procurator.db").read_bytes()
    token = world.granted()
    assert world.ask(token).verdict == "permit"
    assert world.again().ask(token).verdict == "permit"


def test_checkpoint_every(tmp_path: Path) -> None:
    """After so many entries one is signed, and kept in a file beside the log too."""
    world = world_of(tmp_path, "audit: {checkpoint_every: 3}")
    token = world.granted()
    for _ in range(4):
        world.ask(token)
    notes = world.gateway.state.audit.checkpoint_notes()
    assert [int(note.split("\n")[1]) for note in notes] == [3, 6, 9]
    assert Witness(tmp_path / "procurator.db.checkpoints").notes() == notes


# identity


def test_provider_oidc(tmp_path: Path) -> None:
    """A person is who an ID token says."""
    world = world_of(tmp_path, "identity: {provider: oidc}")
    assert world.ask(world.granted()).record["delegation"]["root"] == {"issuer": LOGIN, "subject": "alice"}
    assert reason(lambda: world.gateway.delegate("alice", agent=ORCHESTRATOR, tools=["x"])) == "person_not_verified"
    assert is_refused("identity: {provider: password}\n")


def test_agent_registration(tmp_path: Path) -> None:
    """`dynamic` takes agents at run time; with `static` there are those of the file alone."""
    dynamic = world_of(tmp_path / made(tmp_path, "dynamic"), "identity: {agent_registration: dynamic}")
    dynamic.gateway.admin.register("late", ed25519("late").public)
    jwk = json.dumps(dict(self_key(ORCHESTRATOR).public.jwk))
    folder = made(tmp_path, "static")
    write_folder(
        folder, CONFIG + f"identity: {{agent_registration: static}}\nagents: [{{id: {ORCHESTRATOR}, jwk: {jwk}}}]\n"
    )
    world = World(folder, dynamic.clock, dynamic.gateway).again_without_closing()
    assert world.outcome(world.granted()) == ("permit", "passed")
    assert reason(lambda: world.gateway.admin.register("late", ed25519("late").public)) == "registration_not_allowed"
    assert reason(lambda: world.granted("reader")) == "agent_unknown"


def made(top: Path, name: str) -> Path:
    """A folder."""
    folder = top / name
    folder.mkdir()
    return folder


@pytest.mark.parametrize("value", ["supported", "disabled"])
def test_impersonation(value: str, tmp_path: Path) -> None:
    """Whether somebody may act for a person; who does is in every record."""
    world = world_of(tmp_path, f"identity: {{impersonation: {value}}}")
    person = world.person(act={"sub": "bob"})
    ask = lambda: world.gateway.delegate(person, agent=ORCHESTRATOR, tools=["read_file"], prompt_id="p1")  # noqa: E731
    if value == "disabled":
        assert reason(ask) == "impersonation_not_allowed"
    else:
        assert world.ask(ask()).record["delegation"]["root"]["act"] == ["bob"]


def test_shared_keys_disabled(tmp_path: Path) -> None:
    """No two agents have one key, nor an agent a symmetric one."""
    admin = world_of(tmp_path, "identity: {shared_keys: disabled}").gateway.admin
    assert reason(lambda: admin.register("twin", self_key("reader").public)) == "shared_key"
    assert reason(lambda: admin.register("twin", {"kty": "oct", "k": "AAAA"})) == "key_not_allowed"
    assert is_refused("identity: {shared_keys: enabled}\n")


# issuers


def issuer(**fields: Any) -> str:
    """A configuration whose one issuer has other fields."""
    usual = {"issuer": LOGIN, "audience": GATEWAY, "jwks": "login.json", "algorithms": ["ES256"]}
    head = CONFIG.partition("issuers:")[0]
    return f"{head}issuers: [{json.dumps({**usual, **fields})}]\n"


def begun(world: World, **claims: Any) -> str:
    """What comes of a token of a person."""
    try:
        world.gateway.delegate(world.person(**claims), agent=ORCHESTRATOR, tools=["read_file"])
    except Denied as denied:
        return denied.decision.reason
    return "begun"


UNVERIFIED = "person_not_verified"


@pytest.mark.parametrize(
    ("fields", "claims", "wanted"),
    [
        ({}, {}, "begun"),
        ({"issuer": "https://other.example"}, {}, UNVERIFIED),
        ({"issuer": "https://other.example"}, {"iss": "https://other.example"}, "begun"),
        ({"audience": "urn:example:other"}, {}, UNVERIFIED),
        ({"audience": ["urn:example:other", GATEWAY]}, {}, "begun"),
        ({}, {"azp": "app"}, UNVERIFIED),
        ({"authorized_parties": ["app"]}, {"azp": "app"}, "begun"),
        ({"algorithms": ["RS256"]}, {}, UNVERIFIED),
        ({"algorithms": ["RS256", "ES256"]}, {}, "begun"),
        ({}, {"exp": START - 29}, "begun"),
        ({"clock_skew_seconds": 0}, {"exp": START - 29}, UNVERIFIED),
        ({"clock_skew_seconds": 0}, {"iat": START + 1, "exp": START + 9}, UNVERIFIED),
    ],
)
def test_issuers(fields: dict[str, Any], claims: dict[str, Any], wanted: str, tmp_path: Path) -> None:
    """Who is believed, whom tokens are for, who may have them, how they are signed, how far clocks may differ."""
    assert begun(World.made(tmp_path, issuer(**fields)), **claims) == wanted


def test_claims_of_issuers(tmp_path: Path) -> None:
    """Policies read those that are named."""
    policy = 'package procurator\nallow if "admin" in input.actor.claims.groups\n'
    for claims, wanted in ((["groups"], "begun"), (["email"], "default_deny")):
        world = World.made(made(tmp_path, wanted), issuer(claims=claims), policy)
        assert begun(world, groups=["admin"]) == wanted


def test_keys_of_issuers_are_cached_and_fetched_anew(tmp_path: Path) -> None:
    """A new `kid` is looked for, though not more often than the floor allows."""
    world = World.made(tmp_path, issuer(refetch_floor_seconds=1000, cache_seconds=2000))
    assert begun(world) == "begun"
    jwk = ECAlgorithm.to_jwk(elliptic("next").public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    (tmp_path / "login.json").write_text(json.dumps({"keys": [{**jwk, "kid": "k2", "alg": "ES256"}]}))
    claims = {"iss": LOGIN, "sub": "alice", "aud": GATEWAY, "iat": START, "exp": START + 600}
    turned = jwt.encode(claims, private_pem(elliptic("next")), "ES256", headers={"kid": "k2"})
    ask = lambda: world.gateway.delegate(turned, agent=ORCHESTRATOR, tools=["read_file"])  # noqa: E731
    assert reason(ask) == UNVERIFIED
    assert begun(world) == "begun"
    later = World.made(made(tmp_path, "later"), issuer(refetch_floor_seconds=1))
    (later.folder / "login.json").write_text((tmp_path / "login.json").read_text())
    assert later.gateway.delegate(turned, agent=ORCHESTRATOR, tools=["read_file"])


# agents, proof


def test_agents(tmp_path: Path) -> None:
    """Agents of the file are there without registering, with a JWK or a file; their keys are the file's alone."""
    write_folder(tmp_path)
    (tmp_path / "b.json").write_text(json.dumps(dict(ed25519("b").public.jwk)))
    jwk = json.dumps(dict(ed25519("a").public.jwk))
    lines = f"agents: [{{id: a, jwk: {jwk}}}, {{id: b, key_file: b.json}}]"
    world = world_of(tmp_path, lines)
    for agent in ("a", "b"):
        assert world.outcome(world.granted(agent), agent) == ("permit", "passed")
        assert reason(lambda agent=agent: world.gateway.admin.register(agent, ed25519("c").public)) in (
            "agent_exists",
            "registration_not_allowed",
        )


def test_proof_required(tmp_path: Path) -> None:
    """By default each call proves that it is the agent's; for some agents, or for all, that can be off."""
    for name, line, refused in (
        ("on", "proof: {required: true}", {"orchestrator", "reader"}),
        ("except", "proof: {except: [reader]}", {"orchestrator"}),
        ("off", "proof: {required: false}", set()),
    ):
        world = world_of(made(tmp_path, name), line)
        outcomes = {agent: world.ask(world.granted(agent), None).reason for agent in ("orchestrator", "reader")}
        assert {agent for agent, why in outcomes.items() if why == "proof_missing"} == refused
        assert world.ask(world.granted("reader"), "writer").reason == "proof_invalid"


def test_proof_window_seconds(tmp_path: Path) -> None:
    """How old a proof may be."""
    world = world_of(tmp_path, "proof: {window_seconds: 5}")
    token = world.granted()
    for seconds, wanted in ((5, "passed"), (6, "proof_expired")):
        request = world.request(token)
        world.clock.forward(seconds)
        assert world.gateway.decide(request).reason == wanted


def test_proof_session_seconds(tmp_path: Path) -> None:
    """How long a session lasts."""
    world = world_of(tmp_path, "proof: {session_seconds: 50}")
    token = world.granted()
    proof = prove(self_key(ORCHESTRATOR), opening("o1"), token, world.clock.seconds)
    session = world.gateway.open_session(token, proof, "o1")
    assert session.expires - world.clock.seconds == 50
    for seconds, wanted in ((49, "passed"), (1, "proof_invalid")):
        world.clock.forward(seconds)
        request = world.request(token, None)
        request["proof"] = session_proof(session, request, world.clock.seconds)
        assert world.gateway.decide(request).reason == wanted


# gateway, keys, state


def test_gateway_issuer_and_audience(tmp_path: Path) -> None:
    """Tokens say who issued them and for whom; those for somebody else are refused."""
    head = CONFIG.replace(
        f'gateway: {{issuer: "{GATEWAY}", audience: ["{GATEWAY}"]}}',
        "gateway: {issuer: 'urn:x:me', audience: [one, two]}",
    )
    world = World.made(tmp_path, head)
    token = world.granted()
    link = read_unverified(token)[0]
    assert (link.issuer, link.audience) == ("urn:x:me", ("one", "two"))
    write_folder(tmp_path, head.replace("[one, two]", "[three]"))
    assert world.again().outcome(token) == ("deny", "wrong_audience")


def test_keys(tmp_path: Path) -> None:
    """They are made where they are missing, for their owner alone, unless that is off; each signs its own."""
    world = world_of(tmp_path, "keys: {signing: own.pem, checkpoint: log.pem}")
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("own.pem", "log.pem")} == {0o600}
    assert derive(
        world.granted(), self_key(ORCHESTRATOR), Share("reader", self_key("reader").public), now=world.clock.seconds
    )
    signing = load_private(tmp_path / "own.pem").public.jkt
    assert jwt.get_unverified_header(world.granted())["kid"] == signing
    write_folder(tmp_path, CONFIG + "keys: {signing: other.pem, create: false}\n")
    with pytest.raises(OSError, match=r"other\.pem"):
        world.again()


def test_state_path(tmp_path: Path) -> None:
    """Where the file is, relative to the configuration's; its owner alone reads it."""
    made(tmp_path, "kept")
    world_of(tmp_path, "state: {path: kept/state.db}")
    assert stat.S_IMODE((tmp_path / "kept/state.db").stat().st_mode) == 0o600
    assert not (tmp_path / "procurator.db").exists()


# masks


@pytest.mark.parametrize(
    ("masks", "context", "kept"),
    [
        ("{}", {"password": "hunter2", "iban": "x"}, {"password": "***", "iban": "x"}),
        ("{defaults: false}", {"password": "hunter2"}, {"password": "hunter2"}),
        ("{keys: [IBAN]}", {"password": "x", "iban": "y"}, {"password": "***", "iban": "***"}),
        ("{paths: [/input/context/a/0]}", {"a": ["x", "y"]}, {"a": ["***", "y"]}),
        ("{patterns: ['[0-9]{4}']}", {"a": "pin 1234."}, {"a": "pin ***."}),
    ],
)
def test_masks(masks: str, context: dict[str, Any], kept: dict[str, Any], tmp_path: Path) -> None:
    """Usual names, own names, places and patterns are hidden in the record; the policy sees what is there."""
    policy = POLICY + 'deny contains "hidden" if "***" in input.context\n'
    world = world_of(tmp_path, f"masks: {masks}", policy=policy)
    decision = world.ask(world.granted(), context=context)
    assert (decision.verdict, decision.record["input"]["context"]) == ("permit", kept)


# The file


def test_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The defaults hold, and everything is denied."""
    monkeypatch.chdir(tmp_path)
    with Gateway.from_config() as gateway:
        assert gateway.decide({"request_id": "r", "prompt_id": "p"}).verdict == "deny"


def test_the_longest_times(tmp_path: Path) -> None:
    """What is allowed works: no time is too late for the state to hold it."""
    longest = 10**9
    config = f"""
audit: {{retention_days: 36500}}
quotas: {{report_seconds: {longest}}}
delegation: {{token_ttl_seconds: {longest}}}
proof: {{window_seconds: {longest}, session_seconds: {longest}}}
approvals: {{ttl_seconds: {longest}}}
"""
    world = World.made(tmp_path, CONFIG + config)
    token = world.granted()
    assert world.outcome(token) == ("permit", "passed")
    assert world.outcome(token, tool="pay") == ("propose", "ask_first")
    assert world.verification().problem is None
