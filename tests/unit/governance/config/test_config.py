"""`agentic-governance.yaml`: settings, and what is said of mistakes in them."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from procurator.engine import Engine
from procurator.governance.assembly.checking import check_config
from procurator.governance.assembly.policies import load_engine
from procurator.governance.config.loading import ConfigError, ConfigErrors, GatewayConfig, load_config, read_config
from procurator.governance.config.settings import SECRETS, Agent, BudgetLimit, Issuer, Masks, Proof
from procurator.governance.steps.policy import PolicyStep
from procurator_rules.errors import PolicyError, PolicyErrors

FILE = """\
policy_engine: {mode: zero_trust, evaluation: per_action, fallback: deny}
delegation: {token_ttl_seconds: 300, max_depth: 3, scope_inheritance: narrow_only}
audit: {storage: append_only, schema_version: "1.0", capture_reasoning: true, retention_days: 2555}
quotas: {enforcement_level: prompt, max_actions_per_prompt: 200, max_compute_tokens: 500000, circuit_breaker: \
pause_and_notify}
identity: {provider: oidc, agent_registration: dynamic, impersonation: supported, shared_keys: disabled}
"""


def test_the_file_of_the_defaults_loads_as_it_stands(tmp_path: Path) -> None:
    """It says what holds without a file."""
    path = tmp_path / "agentic-governance.yaml"
    path.write_text(FILE)
    loaded = load_config(path)
    assert loaded.model_dump() == GatewayConfig().model_dump()
    assert check_config(path) == loaded
    assert loaded.policy_engine.model_dump() == {"mode": "zero_trust", "evaluation": "per_action", "fallback": "deny"}
    assert loaded.delegation.model_dump() == {
        "token_ttl_seconds": 300,
        "max_depth": 3,
        "scope_inheritance": "narrow_only",
        "max_fan_out": 50,
    }
    assert loaded.audit.model_dump() == {
        "storage": "append_only",
        "schema_version": "1.0",
        "capture_reasoning": True,
        "retention_days": 2555,
        "checkpoint_every": 1000,
    }
    assert loaded.quotas.model_dump() == {
        "enforcement_level": "prompt",
        "max_actions_per_prompt": 200,
        "max_compute_tokens": 500_000,
        "circuit_breaker": "pause_and_notify",
        "soft_percent": 80,
        "runaway_agents": 100,
        "report_seconds": 600,
        "store": {"kind": "sqlite", "url": None, "prefix": "{procurator}"},
        "units": (),
        "limits": (),
    }
    assert loaded.identity.model_dump() == {
        "provider": "oidc",
        "agent_registration": "dynamic",
        "impersonation": "supported",
        "shared_keys": "disabled",
    }


def test_without_a_file_everything_is_denied() -> None:
    """There are no policies, no issuers, no agents; proofs are wanted."""
    config = GatewayConfig()
    assert (config.policies, config.issuers, config.agents) == ((), (), ())
    assert config.proof.is_required("anybody")
    assert config.state.path == "procurator.db"
    assert PolicyStep(load_engine(config), config.entrypoint).decide({"action": {}})[:2] == ("deny", "default_deny")


def test_an_empty_file_is_no_file() -> None:
    """Comments alone too."""
    assert read_config("") == read_config("# nothing\n") == GatewayConfig()


def test_every_setting_can_be_made() -> None:
    """In YAML, and in JSON, which is YAML."""
    given: dict[str, Any] = {
        "policy_engine": {"mode": "dry_run"},
        "policies": ["policies/", "a.b:data.json"],
        "entrypoint": "data.app.decide",
        "limits": {"steps": 10, "seconds": 0.5},
        "bundle_key": {"key_file": "k.pem", "algorithm": "ES256", "key_id": "k", "scope": "read"},
        "delegation": {"max_fan_out": 2},
        "audit": {"capture_reasoning": False, "checkpoint_every": 5},
        "quotas": {
            "max_actions_per_prompt": 0,
            "soft_percent": 50,
            "runaway_agents": 3,
            "report_seconds": 5,
            "store": {"kind": "redis", "url": "redis://localhost:6379/0", "prefix": "{mine}"},
            "units": ["credits"],
            "limits": [
                {"scope": "person", "unit": "EUR", "window": "day", "amount": "1.50"},
                {"scope": "tenant", "unit": "credits", "window": "bucket", "seconds": 5, "amount": 9},
            ],
        },
        "identity": {"agent_registration": "static", "impersonation": "disabled"},
        "issuers": [
            {"issuer": "https://id.example.org", "audience": "me", "jwks": "https://id.example.org/keys"},
            {
                "issuer": "https://other.example.org",
                "audience": ["me", "us"],
                "jwks": "keys.json",
                "algorithms": ["ES256", "EdDSA"],
                "clock_skew_seconds": 0,
                "refetch_floor_seconds": 5,
                "cache_seconds": 60,
                "claims": ["email"],
            },
        ],
        "agents": [{"id": "a", "key_file": "a.pem"}, {"id": "b", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}}],
        "proof": {"except": ["a"], "window_seconds": 10, "session_seconds": 20},
        "gateway": {"issuer": "https://gate.example.org", "audience": "gate"},
        "keys": {"signing": "s.pem", "checkpoint": "c.pem", "create": False},
        "state": {"path": "state.db"},
        "notifications": {"command": ["mail", "ops"], "webhook": "http://localhost:8080/x", "seconds": 2},
        "masks": {"keys": ["iban"], "paths": ["/action/parameters/x"], "patterns": ["[0-9]{16}"]},
    }
    config = read_config(json.dumps(given, indent=1))
    assert config.policies == ("policies/", "a.b:data.json")
    assert config.limits.seconds == 0.5
    assert config.gateway.audience == ("gate",)
    assert config.issuers[0] == Issuer(
        issuer="https://id.example.org",
        audience=("me",),
        jwks="https://id.example.org/keys",
        algorithms=("RS256",),
        clock_skew_seconds=30,
        refetch_floor_seconds=60,
        cache_seconds=3600,
        claims=("groups", "roles", "scope", "amr", "acr"),
    )
    assert config.issuers[1].audience == ("me", "us")
    assert config.agents[0] == Agent(id="a", key_file="a.pem")
    assert config.masks.all_keys == ("iban", *SECRETS)
    assert config.quotas.limits == (
        BudgetLimit(scope="person", unit="EUR", window="day", amount="1.50"),
        BudgetLimit(scope="tenant", unit="credits", window="bucket", seconds=5, amount=9),
    )
    again = json.loads(config.model_dump_json(by_alias=True))
    for section, settings in given.items():
        if isinstance(settings, dict) and section != "gateway":
            plain = {name: value for name, value in settings.items() if name != "limits"}
            assert {**again[section], **plain} == again[section]


def test_settings_do_not_change() -> None:
    """They are shared between threads."""
    config = GatewayConfig()
    with pytest.raises(ValidationError):
        config.entrypoint = "data.other"
    with pytest.raises(ValidationError):
        config.proof.required = False


def test_usual_names_of_secrets_are_masked_unless_that_is_switched_off() -> None:
    """Own ones come on top."""
    assert {"password", "secret", "api_key", "authorization", "token"} <= set(GatewayConfig().masks.all_keys)
    assert Masks(keys=("iban",), defaults=False).all_keys == ("iban",)


def test_proofs_can_be_switched_off_for_agents_or_for_all() -> None:
    """The two do not go together."""
    some = Proof(**{"except": ("a",)})
    assert (some.is_required("a"), some.is_required("b")) == (False, True)
    assert not Proof(required=False).is_required("a")


# Mistakes

WRONG = {
    "policy_engine: {mode: zero_trst}": """\
c.yaml:1:23: config_error: `policy_engine.mode`: expected `"zero_trust"` or `"dry_run"`, found `"zero_trst"`
  1 | policy_engine: {mode: zero_trst}
    |                       ^^^^^^^^^
  hint: did you mean `zero_trust`?""",
    "policy_engine: {fallback: allow}": """\
c.yaml:1:27: config_error: `policy_engine.fallback`: expected `"deny"`, found `"allow"`
  1 | policy_engine: {fallback: allow}
    |                           ^^^^^""",
    "polices: []": """\
c.yaml:1:1: config_error: unknown setting `polices`
  1 | polices: []
    | ^^^^^^^
  hint: did you mean `policies`?""",
    "state: {zzz: 1}": """\
c.yaml:1:9: config_error: unknown setting `zzz` in `state`
  1 | state: {zzz: 1}
    |         ^^^
  hint: known are `path`""",
    "delegation:\n  max_depth: 3\n  max_dept: 4": """\
c.yaml:3:3: config_error: unknown setting `max_dept` in `delegation`
  3 |   max_dept: 4
    |   ^^^^^^^^
  hint: did you mean `max_depth`?""",
    "issuers:\n- issuer: https://a.example\n  audience: x\n  jwk: y": """\
2 errors occurred:
c.yaml:2:3: config_error: `issuers[0].jwks` is missing
  2 | - issuer: https://a.example
    |   ^^^^^^^^^^^^^^^^^^^^^^^^^
c.yaml:4:3: config_error: unknown setting `jwk` in `issuers[0]`
  4 |   jwk: y
    |   ^^^
  hint: did you mean `jwks`?""",
    "audit: {schema_version: 1.0}": """\
c.yaml:1:25: config_error: `audit.schema_version`: expected `"1.0"`, found `1.0`
  1 | audit: {schema_version: 1.0}
    |                         ^^^
  hint: put it in quotes: `"1.0"`""",
    "audit:": """\
c.yaml:1:7: config_error: `audit`: expected a mapping, found nothing
  1 | audit:
    |       ^""",
    "audit: {capture_reasoning: yes}": """\
c.yaml:1:28: config_error: `audit.capture_reasoning`: expected `true` or `false`, found `"yes"`
  1 | audit: {capture_reasoning: yes}
    |                            ^^^""",
    "delegation: {max_depth: 65, token_ttl_seconds: '300', max_fan_out: 1.5}": """\
3 errors occurred:
c.yaml:1:25: config_error: `delegation.max_depth`: expected a number up to 64, found `65`
  1 | delegation: {max_depth: 65, token_ttl_seconds: '300', max_fan_out: 1.5}
    |                         ^^
c.yaml:1:48: config_error: `delegation.token_ttl_seconds`: expected a whole number, found `"300"`
  1 | delegation: {max_depth: 65, token_ttl_seconds: '300', max_fan_out: 1.5}
    |                                                ^^^^^
c.yaml:1:68: config_error: `delegation.max_fan_out`: expected a whole number, found `1.5`
  1 | delegation: {max_depth: 65, token_ttl_seconds: '300', max_fan_out: 1.5}
    |                                                                    ^^^""",
    "delegation: {max_depth: true}": """\
c.yaml:1:25: config_error: `delegation.max_depth`: expected a whole number, found `true`
  1 | delegation: {max_depth: true}
    |                         ^^^^""",
    "limits: {seconds: 0}": """\
c.yaml:1:19: config_error: `limits.seconds`: expected a number above 0, found `0`
  1 | limits: {seconds: 0}
    |                   ^""",
    "policies: a.rego": """\
c.yaml:1:11: config_error: `policies`: expected a list, found `"a.rego"`
  1 | policies: a.rego
    |           ^^^^^^""",
    "policies: ['', 1]": """\
2 errors occurred:
c.yaml:1:12: config_error: `policies[0]`: expected a text that is not empty, found an empty text
  1 | policies: ['', 1]
    |            ^^
c.yaml:1:16: config_error: `policies[1]`: expected a text, found `1`
  1 | policies: ['', 1]
    |                ^
  hint: put it in quotes: `"1"`""",
    "gateway: {audience: [], issuer: here}": """\
2 errors occurred:
c.yaml:1:21: config_error: `gateway.audience`: expected a list that is not empty, found an empty list
  1 | gateway: {audience: [], issuer: here}
    |                     ^^
c.yaml:1:33: config_error: `gateway.issuer`: expected a URI, such as `https://gateway.example.org`, found `"here"`
  1 | gateway: {audience: [], issuer: here}
    |                                 ^^^^""",
    "issuers: [{issuer: 'u:a', audience: a, jwks: 'http://x'}]": """\
c.yaml:1:46: config_error: `issuers[0].jwks`: expected a file or an https URL, found `"http://x"`
  1 | issuers: [{issuer: 'u:a', audience: a, jwks: 'http://x'}]
    |                                              ^^^^^^^^^^""",
    "issuers: [{issuer: 'u:a', audience: a, jwks: k, algorithms: [HS256]}]": """\
c.yaml:1:62: config_error: `issuers[0].algorithms[0]`: expected `"RS256"`, `"RS384"`, `"RS512"`, `"PS256"`, `"PS384"`, \
`"PS512"`, `"ES256"`, `"ES384"`, `"ES512"` or `"EdDSA"`, found `"HS256"`
  1 | issuers: [{issuer: 'u:a', audience: a, jwks: k, algorithms: [HS256]}]
    |                                                              ^^^^^
  hint: did you mean `RS256`?""",
    "agents: [{id: a}]": """\
c.yaml:1:10: config_error: `agents[0]`: expected one of `jwk` and `key_file`, found neither
  1 | agents: [{id: a}]
    |          ^^^^^^^""",
    "agents: [{id: a, key_file: f, jwk: {}}]": """\
c.yaml:1:10: config_error: `agents[0]`: expected one of `jwk` and `key_file`, found both
  1 | agents: [{id: a, key_file: f, jwk: {}}]
    |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^""",
    "agents: [{id: a, jwk: {kty: OKP, d: secret}}]": """\
c.yaml:1:23: config_error: `agents[0].jwk`: expected a public key without its secret part
  1 | agents: [{id: a, jwk: {kty: OKP, d: secret}}]
    |                       ^^^^^^^^^^^^^^^^^^^^^""",
    "agents: [{id: a, key_file: f}, {id: a, key_file: g}]": """\
c.yaml:1:37: config_error: `agents[1].id`: expected a name that is not there yet, found `"a"`
  1 | agents: [{id: a, key_file: f}, {id: a, key_file: g}]
    |                                     ^""",
    "proof: {required: false, except: [a]}": """\
c.yaml:1:8: config_error: `proof`: expected `required: true` beside `except`: without it no call needs a proof
  1 | proof: {required: false, except: [a]}
    |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^""",
    "masks: {patterns: ['('], paths: [x]}": """\
2 errors occurred:
c.yaml:1:20: config_error: `masks.patterns[0]`: expected a regular expression of RE2 (error parsing regexp: \
missing closing ): `(`), found `"("`
  1 | masks: {patterns: ['('], paths: [x]}
    |                    ^^^
c.yaml:1:34: config_error: `masks.paths[0]`: expected a JSON pointer, which begins with `/`, found `"x"`
  1 | masks: {patterns: ['('], paths: [x]}
    |                                  ^""",
    "- audit": """\
c.yaml:1:1: config_error: expected a mapping, found a list
  1 | - audit
    | ^^^^^^^""",
    # What could be understood in two ways
    "audit: {retention_days: 1}\naudit: {}": """\
c.yaml:2:1: config_error: `audit` is there twice, first in line 1
  2 | audit: {}
    | ^^^^^""",
    "audit: {retention_days: 1, 'retention_days': 2}": """\
c.yaml:1:28: config_error: `retention_days` is there twice, first in line 1
  1 | audit: {retention_days: 1, 'retention_days': 2}
    |                            ^^^^^^^^^^^^^^^^""",
    "a: &x {}\naudit: *x": """\
c.yaml:2:1: config_error: an alias stands for what is written elsewhere: write it out
  2 | audit: *x
    | ^^^^^""",
    "<<: {audit: {}}": """\
c.yaml:1:1: config_error: unknown setting `<<`
  1 | <<: {audit: {}}
    | ^^
  hint: known are `agents`, `approvals`, `audit`, `bundle_key`, `delegation`, `entrypoint`, `gateway`, `identity`, \
`issuers`, `keys`, `limits`, `masks`, `notifications`, `policies`, `policy_engine`, `proof`, `quotas`, `replanning`, \
`state`""",
    "audit: {retention_days: 0o17}": """\
c.yaml:1:25: config_error: `0o17` can be understood in two ways
  1 | audit: {retention_days: 0o17}
    |                         ^^^^
  hint: write numbers in decimal digits, and texts in quotes""",
    "%YAML 1.1\n---\nkeys: {create: off}\nmasks: {defaults: yes}": """\
c.yaml:3:16: config_error: `off` can be understood in two ways
  3 | keys: {create: off}
    |                ^^^
  hint: write `true` or `false`, and texts in quotes""",
    "audit: {retention_days: 36501}": """\
c.yaml:1:25: config_error: `audit.retention_days`: expected a number up to 36500, found `36501`
  1 | audit: {retention_days: 36501}
    |                         ^^^^^""",
    "quotas: {report_seconds: 1000000001}": """\
c.yaml:1:26: config_error: `quotas.report_seconds`: expected a number up to 1000000000, found `1000000001`
  1 | quotas: {report_seconds: 1000000001}
    |                          ^^^^^^^^^^""",
    "limits: {seconds: .inf}": """\
c.yaml:1:19: config_error: `.inf` can be understood in two ways
  1 | limits: {seconds: .inf}
    |                   ^^^^
  hint: write numbers in decimal digits, and texts in quotes""",
    "1: x": """\
c.yaml:1:1: config_error: a name has to be a text
  1 | 1: x
    | ^""",
    "quotas: {limits: [{scope: person, unit: apples, amount: 1}]}": """\
c.yaml:1:41: config_error: `quotas.limits[0].unit`: expected a unit that is known, found `"apples"`
  1 | quotas: {limits: [{scope: person, unit: apples, amount: 1}]}
    |                                         ^^^^^^""",
    "quotas: {limits: [{scope: prompt, unit: actions, amount: '1.5'}]}": """\
c.yaml:1:58: config_error: `quotas.limits[0].amount`: the amount is no whole number, found `"1.5"`
  1 | quotas: {limits: [{scope: prompt, unit: actions, amount: '1.5'}]}
    |                                                          ^^^^^""",
    "quotas: {limits: [{scope: prompt, unit: EUR, amount: 1, window: sliding}]}": """\
c.yaml:1:19: config_error: `quotas.limits[0]`: expected `seconds` beside the window `sliding`
  1 | quotas: {limits: [{scope: prompt, unit: EUR, amount: 1, window: sliding}]}
    |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^""",
    "quotas: {limits: [{scope: prompt, unit: EUR, amount: 1, time_zone: Mars}], units: [EUR]}": """\
2 errors occurred:
c.yaml:1:68: config_error: `quotas.limits[0].time_zone`: expected a time zone, such as `Europe/Berlin`, found `"Mars"`
  1 | quotas: {limits: [{scope: prompt, unit: EUR, amount: 1, time_zone: Mars}], units: [EUR]}
    |                                                                    ^^^^
c.yaml:1:84: config_error: `quotas.units[0]`: expected a new name of small letters, digits and `_`, found `"EUR"`
  1 | quotas: {limits: [{scope: prompt, unit: EUR, amount: 1, time_zone: Mars}], units: [EUR]}
    |                                                                                    ^^^""",
    "state: {path: !!python/name:os.system x}": """\
c.yaml:1:15: config_error: a value of the kind `python/name:os.system` has no meaning here
  1 | state: {path: !!python/name:os.system x}
    |               ^^^^^^^^^^^^^^^^^^^^^^^^^""",
    "policies: [": """\
c.yaml:1:12: config_error: no YAML: expected the node content, but found '<stream end>'
  1 | policies: [
    |            ^""",
    "a: {}\n---\nb: {}": """\
c.yaml:2:1: config_error: no YAML: but found another document
  2 | ---
    | ^""",
    "a: \x01": """\
c.yaml:1:4: config_error: no YAML: a control character
  1 | a: \\x01
    |    ^^^^""",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_mistake_is_shown_with_its_place_what_was_expected_and_what_was_found(text: str) -> None:
    """The line, a caret below the text in question, and a hint where one helps."""
    with pytest.raises(ConfigError) as caught:
        read_config(text, "c.yaml")
    assert str(caught.value) == WRONG[text]
    assert caught.value.code == "config_error"
    assert isinstance(caught.value, ConfigErrors) == WRONG[text].startswith(("2 errors", "3 errors"))


def test_nesting_is_bounded() -> None:
    """A file cannot exhaust Python's stack."""
    with pytest.raises(ConfigError, match="nested more than 32 deep"):
        read_config("[" * 60 + "]" * 60)
    with pytest.raises(ConfigError, match="nested"):
        read_config("[" * 100_000)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """Missing, or no UTF-8."""
    with pytest.raises(PolicyError, match="cannot read the file"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "c.yaml").write_bytes(b"policies: [\xff]")
    with pytest.raises(PolicyError, match="illegal utf-8 character"):
        load_config(tmp_path / "c.yaml")


def test_rows_and_columns_are_right_behind_a_mark_and_other_line_ends(tmp_path: Path) -> None:
    """A byte order mark is no character of the text; Windows ends lines with two."""
    (tmp_path / "c.yaml").write_bytes("\ufeff# ä\r\naudit:\r\n  storag: x\r\n".encode())
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "c.yaml")
    assert caught.value.location is not None
    assert (caught.value.location.row, caught.value.location.column) == (3, 3)


# Files that are named

POLICY = "package procurator\n\nallow if input.action.operation == data.allowed\n"


def folder(tmp_path: Path, text: str, policy: str = POLICY) -> Path:
    """A folder with a configuration, a policy and data; the path of the first."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/p.rego").write_text(policy)
    (tmp_path / "data.json").write_text('{"allowed": "read"}')
    (tmp_path / "c.yaml").write_text(text)
    return tmp_path / "c.yaml"


def test_paths_are_relative_to_the_folder_of_the_file(tmp_path: Path) -> None:
    """Wherever the process runs; prefixes stay."""
    config = load_config(folder(tmp_path, "policies: [policies, 'x.y:data.json', /abs.rego, 'file:///abs.json']"))
    assert config.policy_paths == (
        str(tmp_path / "policies"),
        f"x.y:{tmp_path / 'data.json'}",
        "/abs.rego",
        "file:///abs.json",
    )
    assert config.resolve("procurator.db") == tmp_path / "procurator.db"


def test_policies_are_loaded_within_their_limits(tmp_path: Path) -> None:
    """Policies and documents together."""
    engine = load_engine(check_config(folder(tmp_path, "policies: [policies, data.json]\nlimits: {steps: 7}")))
    assert isinstance(engine, Engine)
    assert PolicyStep(engine).decide({"action": {"operation": "read"}}).verdict == "permit"
    assert engine.environment.limits is not None
    assert (engine.environment.limits.steps, engine.environment.limits.seconds) == (7, 5.0)


def test_files_that_are_missing_are_found_by_the_check(tmp_path: Path) -> None:
    """All of them at once, each where it is named."""
    text = """\
policies: [policies, more.rego]
issuers: [{issuer: "u:a", audience: a, jwks: keys.json}, {issuer: "u:b", audience: b, jwks: "https://b.example"}]
agents: [{id: a, key_file: a.pem}]
keys: {create: false}
state: {path: deep/state.db}
bundle_key: {key_file: b.pem}
"""
    path = folder(tmp_path, text)
    load_config(path)
    with pytest.raises(PolicyErrors) as caught:
        check_config(path)
    assert [(error.location.row, error.message) for error in caught.value.errors if error.location] == [
        (1, "`policies[1]`: there is no `more.rego`"),
        (2, "`issuers[0].jwks`: there is no `keys.json`"),
        (3, "`agents[0].key_file`: there is no `a.pem`"),
        (4, "`keys.signing`: there is no `procurator-key.pem`"),
        (5, "`state.path`: there is no `deep`"),
        (6, "`bundle_key.key_file`: there is no `b.pem`"),
    ]


def test_policies_that_do_not_compile_are_found_by_the_check(tmp_path: Path) -> None:
    """With their own places."""
    path = folder(tmp_path, "policies: [policies]", "package procurator\n\nallow if count(usrs) > 1\n")
    with pytest.raises(PolicyError) as caught:
        check_config(path)
    assert str(caught.value).startswith(f"{tmp_path}/policies/p.rego:3:10: rego_unsafe_var_error: var usrs is unsafe")


def test_an_entry_point_without_rules_is_found_by_the_check(tmp_path: Path) -> None:
    """Everything would be denied, which is not what somebody who writes policies wants."""
    path = folder(tmp_path, "policies: [policies]\nentrypoint: data.other.decision\n")
    with pytest.raises(ConfigError) as caught:
        check_config(path)
    assert caught.value.render() == (
        f"{path}:2:13: config_error: no rule of the policies stands at `data.other.decision`\n"
        "  2 | entrypoint: data.other.decision\n"
        "    |             ^^^^^^^^^^^^^^^^^^^\n"
        "  hint: set `entrypoint` to a rule that gives an object, or to a package with `allow`"
    )


def test_bundles_have_to_be_signed_when_there_is_a_key(tmp_path: Path) -> None:
    """One without a signature is refused, also by the check."""
    path = folder(tmp_path, "policies: [b.tar.gz]\nbundle_key: {key_file: k.pem, key_id: k}")
    (tmp_path / "k.pem").write_text("-----BEGIN PUBLIC KEY-----")
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "policies/p.rego", "p.rego")
    with pytest.raises(PolicyError) as caught:
        check_config(path)
    assert caught.value.message == "bundle missing .signatures.json file"
    path.write_text("policies: [b.tar.gz]")
    assert check_config(path).bundle_key is None
