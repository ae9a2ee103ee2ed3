"""Persons and agents as a configuration names them."""

import json
from pathlib import Path
from typing import Any

import pytest
from issuing import AUDIENCE, ISSUER, NOW, Source, claims, issuer_keys, signed

from delegations import ed25519
from procurator.governance.assembly.parties import agents_of, persons_of
from procurator.governance.config.loading import ConfigError
from procurator.governance.config.settings import GatewayConfig
from procurator.governance.refusals import Refused
from procurator.governance.store import Store

ONE = {"issuer": ISSUER, "audience": AUDIENCE, "jwks": "keys.json", "algorithms": ["ES256"]}


def config(folder: Path, **sections: Any) -> GatewayConfig:
    """A configuration in a folder."""
    return GatewayConfig.model_validate(sections).within(folder)


def test_without_a_configuration_nobody_is_known(store: Store) -> None:
    """Neither persons nor agents."""
    with pytest.raises(Refused) as error:
        persons_of(GatewayConfig()).verify(signed(claims()), NOW)
    assert error.value.detail == "the token is of an issuer that is not known"
    assert agents_of(GatewayConfig(), store).all() == {}


def test_keys_are_read_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    """The settings of the issuer are kept."""
    (tmp_path / "keys.json").write_bytes(issuer_keys())
    persons = persons_of(config(tmp_path, issuers=[{**ONE, "clock_skew_seconds": 5, "claims": ["email"]}]))
    assert persons.verify(signed(claims(email="a@id.example")), NOW).claims == {"email": "a@id.example"}
    problems = []
    for token, now in (
        (signed(claims(), "RS256"), NOW),
        (signed(claims(aud="https://else.example")), NOW),
        (signed(claims()), NOW + 605),
        (signed(claims(azp="console")), NOW),
    ):
        with pytest.raises(Refused) as error:
            persons.verify(token, now)
        problems.append(error.value.detail)
    assert problems == [
        "the algorithm is not one that the issuer may use",
        "the token is meant for somebody else",
        "the token has expired",
        "the token was given to a client that is not known",
    ]


def test_clients_that_tokens_are_given_to_are_named(tmp_path: Path) -> None:
    """By `authorized_parties`."""
    known = config(tmp_path, issuers=[{**ONE, "authorized_parties": ["console"]}])
    persons = persons_of(known, fetch=Source(issuer_keys()))
    assert persons.verify(signed(claims(azp="console")), NOW).subject == "alice"


def test_a_url_is_fetched_as_it_stands(tmp_path: Path) -> None:
    """Only when a token comes."""
    asked: list[str] = []

    def fetch(source: str) -> bytes:
        asked.append(source)
        return issuer_keys()

    persons = persons_of(config(tmp_path, issuers=[{**ONE, "jwks": "https://id.example/keys"}]), fetch=fetch)
    assert asked == []
    persons.verify(signed(claims()), NOW)
    assert asked == ["https://id.example/keys"]


@pytest.mark.parametrize(
    ("jwks", "problem"),
    [
        ("https:///keys", "not a URL"),
        ("https://user@id.example/keys", "a URL with a user name is not fetched"),
    ],
)
def test_keys_that_could_never_be_fetched_are_an_error(tmp_path: Path, jwks: str, problem: str) -> None:
    """At the start, not with the first token."""
    with pytest.raises(ConfigError) as error:
        persons_of(config(tmp_path, issuers=[{**ONE, "jwks": jwks}]))
    assert error.value.message == f"`issuers[0].jwks`: {problem}"


@pytest.mark.parametrize(("setting", "act"), [("supported", ("support",)), ("disabled", None)])
def test_the_configuration_says_whether_somebody_may_act_for_a_person(
    tmp_path: Path, setting: str, act: tuple[str, ...] | None
) -> None:
    """By default, yes."""
    known = config(tmp_path, issuers=[ONE], identity={"impersonation": setting})
    persons = persons_of(known, fetch=Source(issuer_keys()))
    token = signed(claims(act={"sub": "support"}))
    if act is None:
        with pytest.raises(Refused) as error:
            persons.verify(token, NOW)
        assert error.value.reason == "impersonation_not_allowed"
    else:
        assert persons.verify(token, NOW).act == act


# Agents


def jwk(name: str) -> dict[str, str]:
    """The public key of a name."""
    return dict(ed25519(name).public.jwk)


def test_agents_of_the_configuration_are_known(store: Store, tmp_path: Path) -> None:
    """With a key in place, or in a file."""
    (tmp_path / "writer.json").write_text(json.dumps(jwk("writer")))
    named = [{"id": "planner", "jwk": jwk("planner")}, {"id": "writer", "key_file": "writer.json"}]
    agents = agents_of(config(tmp_path, agents=named), store)
    assert agents.all() == {"planner": ed25519("planner").public, "writer": ed25519("writer").public}


def test_static_registration_admits_no_others(store: Store, tmp_path: Path) -> None:
    """Dynamic registration does."""
    for setting, reason in (("static", "registration_not_allowed"), ("dynamic", None)):
        agents = agents_of(config(tmp_path, identity={"agent_registration": setting}), store)
        if reason is None:
            store.transact(
                lambda tx, agents=agents: agents.register(tx, "writer", ed25519("writer").public, by="alice")
            )
            assert agents.key_of("writer") == ed25519("writer").public
        else:
            with pytest.raises(Refused) as error:
                store.transact(lambda tx, agents=agents: agents.register(tx, "writer", ed25519("k").public, by="alice"))
            assert error.value.reason == reason


@pytest.mark.parametrize(
    ("agents", "problem"),
    [
        (
            [{"id": "a", "jwk": {"kty": "oct", "x": "AQAB"}}],
            "`agents[0]`: only Ed25519 keys (`OKP`) and keys on the curve P-256 (`EC`) may be used",
        ),
        (
            [{"id": "a", "jwk": jwk("k")}, {"id": "b", "jwk": jwk("k")}],
            "`agents`: the key is, or was, that of agent `a`",
        ),
        (
            [{"id": "a\u202eb", "jwk": jwk("k")}],
            "`agents`: the name of an agent is a text of 1 to 256 characters in normal form (NFC)",
        ),
        ([{"id": "a", "key_file": "gone.json"}], "`agents[0].key_file`: no such file or directory: `gone.json`"),
    ],
)
def test_agents_that_cannot_be_are_an_error(
    store: Store, tmp_path: Path, agents: list[dict[str, Any]], problem: str
) -> None:
    """At the start."""
    with pytest.raises(ConfigError) as error:
        agents_of(config(tmp_path, agents=agents), store)
    assert error.value.message == problem


def test_the_gateway_shares_its_key_with_no_agent(store: Store, tmp_path: Path) -> None:
    """Not by configuration either."""
    named = config(tmp_path, agents=[{"id": "a", "jwk": jwk("gateway")}])
    with pytest.raises(ConfigError) as error:
        agents_of(named, store, gateway_keys=[ed25519("gateway").public])
    assert error.value.message == "`agents`: the key is, or was, that of the gateway"
