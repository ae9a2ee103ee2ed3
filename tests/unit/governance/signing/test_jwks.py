"""Keys of issuers: which fit, when they are fetched, and how little an attacker can make of that."""

import json
import threading
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from issuing import KEYS, Clock, Source, issuer_keys, key_set, public_jwk

from authorities import elliptic
from procurator.governance.refusals import Refused
from procurator.governance.signing.jwks import MAX_KEYS, Jwks, read_keys
from procurator.governance.signing.jwks_source import SourceError

OLD = public_jwk(elliptic("old"), "ES256", kid="old")
NEW = public_jwk(elliptic("new"), "ES256", kid="new")


class Opened:
    """Keys of a source, with the clock and the source in the hands of the test."""

    def __init__(self, content: bytes | str) -> None:
        """Keep keys for 600 seconds and wait 30 between fetches."""
        self.source = Source(content)
        self.clock = Clock()
        self.jwks = Jwks("keys.json", fetch=self.source, clock=self.clock, cache_seconds=600, floor_seconds=30)

    def ask(self, kid: str | None, algorithm: str = "ES256") -> str:
        """The name of the key found, or why there is none."""
        try:
            key = self.jwks.key(kid, algorithm).key
        except Refused as refused:
            return refused.detail if refused.reason == "person_not_verified" else refused.reason
        known = {jwk["x"]: jwk["kid"] for jwk in (OLD, NEW)}
        return known[public_jwk(_Half(key), "ES256")["x"]]


class _Half:
    """A public key that says it is its own public half."""

    def __init__(self, key: Any) -> None:
        self.public_key = lambda: key


UNKNOWN = "the issuer does not have one key `{}` for ES256".format


def test_keys_are_fetched_when_first_asked_for_and_then_cached() -> None:
    """One fetch serves all keys of a source."""
    opened = Opened(key_set(OLD, NEW))
    assert opened.source.asked == 0
    assert [opened.ask("old"), opened.ask("new"), opened.ask("old")] == ["old", "new", "old"]
    assert opened.source.asked == 1


def test_an_unknown_key_is_looked_for_again_when_the_floor_has_passed() -> None:
    """A rotated key is found without waiting for the cache to end."""
    opened = Opened(key_set(OLD))
    assert opened.ask("old") == "old"
    opened.source.content = key_set(NEW)
    opened.clock.now += 29
    assert opened.ask("new") == UNKNOWN("new")
    opened.clock.now += 1
    assert opened.ask("new") == "new"
    assert opened.ask("old") == UNKNOWN("old")
    assert opened.source.asked == 2


def test_made_up_keys_cost_one_fetch_for_each_floor() -> None:
    """The floor is that of the source, not of the name of the key."""
    opened = Opened(key_set(OLD))
    for second in range(60):
        opened.clock.now = 1000.0 + second
        for number in range(20):
            assert opened.ask(f"made-up-{second}-{number}") == UNKNOWN(f"made-up-{second}-{number}")
    assert opened.source.asked == 2


def test_made_up_keys_are_not_remembered() -> None:
    """An attacker cannot fill the memory with negative answers."""
    opened = Opened(key_set(OLD))
    for number in range(50):
        opened.ask(f"made-up-{number}")
    opened.ask("old")
    assert list(opened.jwks._known.made) == [("old", "ES256")]


def test_failed_fetches_keep_to_the_floor_too() -> None:
    """A source that is away is not asked at every token."""
    opened = Opened("connection refused")
    answers = {opened.ask("old") for _ in range(100)}
    assert answers == {"the keys of the issuer cannot be had: connection refused"}
    assert opened.source.asked == 1
    opened.source.content = key_set(OLD)
    opened.clock.now += 30
    assert opened.ask("old") == "old"


def test_the_source_is_seen_again_before_its_keys_are_too_old() -> None:
    """At half of the time, so that there is time left for other attempts."""
    opened = Opened(key_set(OLD))
    opened.ask("old")
    opened.clock.now += 299
    opened.ask("old")
    assert opened.source.asked == 1
    opened.clock.now += 1
    opened.ask("old")
    assert opened.source.asked == 2


def test_a_key_that_was_withdrawn_is_gone_with_the_next_look() -> None:
    """The answer is that of the source as it is now."""
    opened = Opened(key_set(OLD, NEW))
    opened.ask("old")
    opened.source.content = key_set(NEW)
    opened.clock.now += 300
    assert opened.ask("old") == UNKNOWN("old")


def test_old_keys_are_used_while_the_source_is_away_and_no_longer_than_the_cache_allows() -> None:
    """After that nothing is accepted, and it says why."""
    opened = Opened(key_set(OLD))
    opened.ask("old")
    opened.source.content = "connection refused"
    answers = []
    for second in (300, 310, 330, 599, 600, 629, 630):
        opened.clock.now = 1000.0 + second
        answers.append((second, opened.ask("old"), opened.source.asked))
    gone = "the keys of the issuer cannot be had: connection refused"
    assert answers == [
        (300, "old", 2),
        (310, "old", 2),
        (330, "old", 3),
        (599, "old", 4),
        (600, gone, 4),
        (629, gone, 5),
        (630, gone, 5),
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"<html>", "not a JSON text"),
        (b"\xff", "not a JSON text"),
        (b"[" * 100_000, "not a JSON text"),
        (b"[]", "not a JSON Web Key Set"),
        (b"{}", "not a JSON Web Key Set"),
        (b'{"keys": {}}', "not a JSON Web Key Set"),
        (b'{"keys": ["a"]}', "not a JSON Web Key Set"),
        (json.dumps({"keys": [OLD] * (MAX_KEYS + 1)}).encode(), "more than 100 keys"),
    ],
    ids=["html", "bytes", "deep", "array", "empty", "object", "texts", "many"],
)
def test_what_is_no_key_set_does_not_replace_one(content: bytes, problem: str) -> None:
    """Nor does it count as having seen the source."""
    with pytest.raises(SourceError) as error:
        read_keys(content)
    assert str(error.value) == problem
    opened = Opened(key_set(OLD))
    opened.ask("old")
    opened.source.content = content
    opened.clock.now += 300
    assert opened.ask("old") == "old"
    opened.clock.now += 300
    assert opened.ask("old") == f"the keys of the issuer cannot be had: {problem}"


def test_an_empty_set_withdraws_all_keys() -> None:
    """It is an answer like any other."""
    opened = Opened(key_set(OLD))
    opened.ask("old")
    opened.source.content = key_set()
    opened.clock.now += 300
    assert opened.ask("old") == UNKNOWN("old")


# Which key fits


@pytest.mark.parametrize(
    "changed",
    [
        {"use": "enc"},
        {"use": None},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"alg": "ES384"},
        {"alg": None},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA"},
        {"crv": "P-384"},
        {"d": "AQAB"},
        {"p": "AQAB"},
        {"k": "AQAB"},
        {"x": "AQAB"},
        {"x": 1},
        {"y": OLD["x"]},
        {"kid": "other"},
        {"kid": ["old"]},
    ],
    ids=lambda changed: ",".join(f"{name}={value}"[:20] for name, value in changed.items()),
)
def test_a_key_that_does_not_fit_is_as_good_as_none(changed: dict[str, Any]) -> None:
    """Its use, its operations, its algorithm and its kind count, and so does whether it is a key at all."""
    assert Opened(key_set({**OLD, **changed})).ask("old") == UNKNOWN("old")


@pytest.mark.parametrize("changed", [{"use": "sig"}, {"key_ops": ["verify"]}, {"alg": "ES256"}, {"x5t": "abc"}])
def test_a_key_may_say_that_it_is_for_this(changed: dict[str, Any]) -> None:
    """What it need not say does not hurt."""
    assert Opened(key_set({**OLD, **changed})).ask("old") == "old"


def test_keys_of_other_kinds_beside_it_do_not_matter() -> None:
    """A set may have keys that this version does not know."""
    strange = {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AQAB", "kid": "old"}
    assert Opened(key_set(strange, OLD)).ask("old") == "old"


def test_two_keys_of_one_name_are_none() -> None:
    """Which of them is meant would be the choice of whoever has either."""
    assert Opened(key_set(OLD, {**NEW, "kid": "old"})).ask("old") == UNKNOWN("old")


def test_a_token_that_names_no_key_needs_a_source_with_one() -> None:
    """As OIDC has it; with several there is no guessing."""
    assert Opened(key_set(OLD)).ask(None) == "old"
    assert Opened(key_set(OLD, NEW)).ask(None) == "the issuer does not have one key for ES256"


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_every_kind_of_key_can_be_used_for_its_own_algorithm_alone(algorithm: str) -> None:
    """The kind of the key decides."""
    jwks = Jwks("keys.json", fetch=Source(issuer_keys()))
    assert jwks.key(algorithm, algorithm).algorithm_name == algorithm
    for other in sorted(set(KEYS) - {algorithm}):
        with pytest.raises(Refused) as error:
            jwks.key(algorithm, other)
        assert error.value.detail == f"the issuer does not have one key `{algorithm}` for {other}"


def test_weak_and_unusual_keys_are_not_used() -> None:
    """RSA below 2048 bits, and a curve that is not that of the algorithm."""
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505  # weak on purpose
    other = elliptic("other", ec.SECP384R1())
    jwks = Jwks(
        "keys.json",
        fetch=Source(key_set(public_jwk(weak, "RS256", kid="weak"), public_jwk(other, "ES384", kid="other"))),
    )
    assert jwks.key("other", "ES384").algorithm_name == "ES384"
    for kid, algorithm in (("weak", "RS256"), ("other", "ES256")):
        with pytest.raises(Refused) as error:
            jwks.key(kid, algorithm)
        assert error.value.detail == f"the issuer does not have one key `{kid}` for {algorithm}"


# Threads


def test_threads_wait_for_one_fetch_and_share_what_it_brought() -> None:
    """Eight threads that need a key at the same time fetch once."""
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Source):
        def __call__(self, source: str) -> bytes:
            begun.set()
            assert go_on.wait(30)
            return super().__call__(source)

    slow = Slow(key_set(OLD))
    jwks = Jwks("keys.json", fetch=slow, clock=Clock())
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(jwks.key("old", "ES256"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert begun.wait(30)
    go_on.set()
    for thread in threads:
        thread.join()
    assert (slow.asked, len(found), len(set(map(id, found)))) == (1, 8, 1)


def test_nobody_waits_for_the_look_at_half_time() -> None:
    """While one thread fetches, the others go on with the keys that there are."""
    opened = Opened(key_set(OLD))
    opened.ask("old")
    begun, go_on = threading.Event(), threading.Event()

    def slow(_source: str) -> bytes:
        begun.set()
        assert go_on.wait(30)
        return key_set(OLD)

    opened.jwks._fetch = slow
    opened.clock.now += 300
    thread = threading.Thread(target=opened.ask, args=("old",))
    thread.start()
    assert begun.wait(30)
    assert opened.ask("old") == "old"
    go_on.set()
    thread.join()
