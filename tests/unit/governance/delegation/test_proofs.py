"""Proofs of possession: good for one call, one token and its key, in one window of time; signed, or of a session."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from threading import Thread
from typing import Any

import pytest

from delegations import (
    LEAF_KEY,
    MIDDLE_KEY,
    NOW,
    OTHER_KEY,
    ROOT_KEY,
    changed,
    jws,
    leaf_token,
    opened,
    part,
    verified,
)
from procurator.governance.delegation.proofs import MAX_PROOF, Call, Session, prove, verify_proof
from procurator.governance.delegation.sessions import Sessions, opening
from procurator.governance.refusals import Refused
from procurator.governance.signing import base64url
from procurator.governance.signing.keys import PrivateKey

TOKEN = leaf_token()
CHAIN = verified(TOKEN)
PARENT_TOKEN = "~".join(TOKEN.split("~")[:2])
PARENT = verified(PARENT_TOKEN)
WINDOW = 60
CALL = Call("request-1", "read", "read_file", "/data/reports/a", {"path": "/data/reports/a", "limit": 1.5})

OTHER_CALLS = {
    "operation": CALL._replace(operation="write"),
    "tool": CALL._replace(tool="delete_file"),
    "resource": CALL._replace(resource="/data/reports/b"),
    "no resource": CALL._replace(resource=None),
    "empty resource": CALL._replace(resource=""),
    "argument": CALL._replace(parameters={"path": "/data/reports/b", "limit": 1.5}),
    "argument null": CALL._replace(parameters={"path": None, "limit": 1.5}),
    "argument left out": CALL._replace(parameters={"path": "/data/reports/a"}),
    "argument added": CALL._replace(parameters={**CALL.parameters, "force": True}),
    "argument of another type": CALL._replace(parameters={"path": "/data/reports/a", "limit": "1.5"}),
    "argument that looks alike": CALL._replace(parameters={"path": "/data/reports/\u0430", "limit": 1.5}),
    "no arguments": CALL._replace(parameters={}),
}


def reason(function: Callable[[], Any]) -> str | None:
    """Why something was refused; None where it was not."""
    try:
        function()
    except Refused as error:
        return error.reason
    return None


def signed(proof: str | None, call: Call = CALL, now: int = NOW, chain: Any = CHAIN) -> str | None:
    """Why a signed proof was refused."""
    return reason(lambda: verify_proof(proof, call, chain, now=now, window=WINDOW))


PROOF = prove(LEAF_KEY, CALL, TOKEN, NOW)


def test_a_proof_of_the_call_is_accepted() -> None:
    """Of either kind of key, whatever the order of the arguments."""
    assert signed(PROOF) is None
    turned = CALL._replace(parameters=dict(reversed(CALL.parameters.items())))
    assert signed(PROOF, turned) is None
    assert signed(prove(MIDDLE_KEY, CALL, PARENT_TOKEN, NOW), chain=PARENT) is None
    exact = CALL._replace(resource=None, parameters={"amount": Decimal("0.1000000000000000000001")})
    assert signed(prove(LEAF_KEY, exact, TOKEN, NOW), exact) is None


def test_what_a_proof_says() -> None:
    """The format is one that other languages can write."""
    header, claims = opened(PROOF)
    assert header == {"alg": "EdDSA", "typ": "aat-pop+jwt"}
    arguments = '{"limit":1.5,"path":"/data/reports/a"}'
    assert claims == {
        "args": base64url.encode(sha256(arguments.encode()).digest()),
        "ath": base64url.encode(sha256(TOKEN.encode()).digest()),
        "iat": NOW,
        "nonce": "request-1",
        "operation": "read",
        "resource": "/data/reports/a",
        "tool": "read_file",
    }


def test_a_call_without_a_proof_is_refused() -> None:
    """An empty one is none of the call."""
    assert signed(None) == "proof_missing"
    assert signed("") == "proof_invalid"


@pytest.mark.parametrize("name", OTHER_CALLS)
def test_a_proof_is_of_one_call(name: str) -> None:
    """Each part of the call is in it."""
    assert signed(PROOF, OTHER_CALLS[name]) == "proof_invalid"


def test_a_proof_is_good_for_one_request() -> None:
    """The same call under another id is a replay."""
    assert signed(PROOF, CALL._replace(request_id="request-2")) == "proof_replayed"
    assert signed(PROOF, CALL._replace(request_id="request-2", tool="other")) == "proof_invalid"


def test_a_proof_is_of_one_token() -> None:
    """Not of its parent, nor of another token of the same key."""
    again = verified(leaf_token())
    assert again.leaf.key == CHAIN.leaf.key
    assert signed(PROOF, chain=again) == "proof_invalid"
    assert signed(prove(LEAF_KEY, CALL, PARENT_TOKEN, NOW)) == "proof_invalid"


@pytest.mark.parametrize("key", [ROOT_KEY, MIDDLE_KEY, OTHER_KEY])
def test_a_leaf_is_used_with_its_own_key(key: PrivateKey) -> None:
    """Other agents of the chain do not hold it."""
    assert signed(prove(key, CALL, TOKEN, NOW)) == "proof_invalid"


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        (NOW - 60, None),
        (NOW - 61, "proof_expired"),
        (NOW + 60, None),
        (NOW + 61, "proof_expired"),
        (0, "proof_expired"),
    ],
)
def test_a_proof_has_a_window(now: int, wanted: str | None) -> None:
    """Before and after the clock of whoever made it."""
    assert signed(PROOF, now=now) == wanted


@pytest.mark.parametrize(
    "claims",
    [
        {"iat": None},
        {"iat": float(NOW)},
        {"iat": str(NOW)},
        {"iat": True},
        {"nonce": None, "jti": "request-1"},
        {"args": None},
        {"args": ""},
        {"ath": None},
        {"tool": None},
        {"tool": ["read_file"]},
        {"operation": None},
        {"exp": NOW + 60},
        {"aud": "urn:example:tools"},
    ],
)
def test_a_proof_has_its_claims_and_no_others(claims: dict[str, Any]) -> None:
    """Whatever is not known is refused."""
    header, old = opened(PROOF)
    assert signed(jws(header, changed(old, claims), LEAF_KEY)) in ("proof_invalid", "proof_replayed")
    assert signed(jws(header, old, LEAF_KEY)) is None


def test_a_resource_is_named_even_where_there_is_none() -> None:
    """Null and absent do not mean the same to everybody."""
    call = CALL._replace(resource=None)
    header, claims = opened(prove(LEAF_KEY, call, TOKEN, NOW))
    assert claims["resource"] is None
    assert signed(jws(header, claims, LEAF_KEY), call) is None
    del claims["resource"]
    assert signed(jws(header, claims, LEAF_KEY), call) == "proof_invalid"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": None},
        {"alg": "HS256"},
        {"alg": "ES256"},
        {"typ": "JWT"},
        {"typ": "aat+jwt"},
        {"typ": None},
        {"jwk": dict(LEAF_KEY.public.jwk)},
        {"jku": "https://attacker.example"},
        {"x5u": "https://attacker.example"},
        {"crit": ["exp"]},
        {"b64": False},
        {"kid": OTHER_KEY.public.jkt},
        {"kid": 1},
    ],
)
def test_the_header_of_a_proof_is_what_it_should_be(header: dict[str, Any]) -> None:
    """The algorithm is that of the key, and nothing else is said."""
    old, claims = opened(PROOF)
    assert signed(jws(changed(old, header), claims, LEAF_KEY)) == "proof_invalid"


def test_a_proof_may_be_written_by_others() -> None:
    """In another order, with white space, naming its key."""
    header, claims = opened(PROOF)
    header = {"typ": header["typ"], "kid": LEAF_KEY.public.jkt, "alg": header["alg"]}
    text = json.dumps(dict(reversed(claims.items())), indent=2).encode()
    assert signed(jws(header, text, LEAF_KEY)) is None


def test_a_public_key_is_no_shared_secret_for_proofs() -> None:
    """An HMAC is a proof within a session alone."""
    header, claims = opened(PROOF)
    text = f"{part({**header, 'alg': 'HS256'})}.{part(claims)}"
    mac = hmac.digest(base64url.decode(LEAF_KEY.public.jwk["x"]), text.encode(), "sha256")
    assert signed(f"{text}.{base64url.encode(mac)}") == "proof_invalid"


@pytest.mark.parametrize(
    "change",
    [
        lambda proof: f"{proof}=",
        lambda proof: f"{proof}\n",
        lambda proof: f" {proof}",
        lambda proof: proof.replace(".", "..", 1),
        lambda proof: proof.rpartition(".")[0],
        lambda proof: proof.rpartition(".")[0] + ".",
        lambda proof: proof[:-1],
        lambda proof: f"{proof}\u0430",
        lambda proof: f"{proof}\ud800",
        lambda proof: proof * 20,
        lambda _: "x" * (MAX_PROOF + 1),
        lambda _: TOKEN,
        lambda _: TOKEN.split("~")[2],
    ],
    ids=range(13),
)
def test_what_is_no_proof_is_refused(change: Callable[[str], str]) -> None:
    """Never with another error."""
    assert signed(change(PROOF)) == "proof_invalid"


def test_claims_occur_once() -> None:
    """Whoever reads the first of two is not deceived."""
    header, claims = opened(PROOF)
    text = json.dumps(claims).replace('"tool": ', '"tool": "delete_file", "tool": ').encode()
    assert signed(jws(header, text, LEAF_KEY)) == "proof_invalid"


# Sessions


def sessions(**changes: Any) -> Sessions:
    """A gateway's sessions, started a while ago."""
    return Sessions(**{"now": NOW - 1000, "window": WINDOW, "seconds": 80, **changes})


def used(kept: Sessions, proof: str, call: Call = CALL, chain: Any = CHAIN, now: int = NOW) -> str | None:
    """Why a proof of a session was refused."""
    return reason(lambda: kept.verify(proof, call, chain, now))


def opened_session(kept: Sessions, nonce: str = "open-1", now: int = NOW) -> Session:
    """A session for the reader's token."""
    return kept.open(CHAIN, prove(LEAF_KEY, opening(nonce), TOKEN, now), nonce, now)


def test_a_session_replaces_signatures() -> None:
    """One signature, then an HMAC for each call."""
    kept = sessions()
    session = opened_session(kept)
    assert (len(session.key), session.token_hash, session.expires) == (32, CHAIN.token_hash, NOW + 80)
    kept.verify(session.prove(CALL, NOW + 1), CALL, CHAIN, NOW + 1)
    kept.verify(session.prove(CALL, NOW + 1), CALL, CHAIN, NOW + 1)
    assert opened_session(kept, "open-2").key != session.key


def test_what_a_proof_of_a_session_says() -> None:
    """The format is one that other languages can write."""
    session = Session("id", b"k" * 32, "hash", NOW)
    message = (
        f'["request-1","{NOW}","hash","read","read_file","/data/reports/a",{{"limit":1.5,"path":"/data/reports/a"}}]'
    )
    mac = base64url.encode(hmac.digest(b"k" * 32, message.encode(), "sha256"))
    assert session.prove(CALL, NOW) == f"s1.id.{NOW}.{mac}"


def test_the_key_of_a_session_is_not_shown() -> None:
    """Neither by `repr` nor by `str`."""
    assert repr(Session("id", b"secret", "hash", 5)) == "Session(id='id', token_hash='hash', expires=5)"


def test_a_session_ends_with_its_token() -> None:
    """Or after its own time."""
    kept = sessions(seconds=10_000)
    session = opened_session(kept)
    assert session.expires == CHAIN.expires == NOW + 100
    at = NOW + 99
    assert used(kept, session.prove(CALL, at), CALL, CHAIN, at) is None
    assert used(kept, session.prove(CALL, at), CALL, CHAIN, at + 1) == "proof_invalid"


@pytest.mark.parametrize("name", [*OTHER_CALLS, "request id"])
def test_a_proof_of_a_session_is_of_one_call(name: str) -> None:
    """Each part of the call is in it, the id of the request too."""
    kept = sessions()
    proof = opened_session(kept).prove(CALL, NOW)
    call = {**OTHER_CALLS, "request id": CALL._replace(request_id="request-2")}[name]
    assert used(kept, proof, call, CHAIN, NOW) == "proof_invalid"
    assert used(kept, proof) is None


def test_parts_of_a_call_do_not_flow_into_each_other() -> None:
    """What is signed is JSON, not texts set beside each other."""
    kept = sessions()
    session = opened_session(kept)
    call = Call('a","b', "read", "t", None, {})
    proof = session.prove(call, NOW)
    for other in (Call("a", "b", "read", "t", {}), call._replace(resource=""), call._replace(tool="t\\")):
        assert used(kept, proof, other, CHAIN, NOW) == "proof_invalid"


def test_a_session_is_of_one_token() -> None:
    """Another token of the same agent has no part in it."""
    kept = sessions()
    proof = opened_session(kept).prove(CALL, NOW)
    for chain in (verified(leaf_token()), PARENT):
        assert used(kept, proof, CALL, chain, NOW) == "proof_invalid"


@pytest.mark.parametrize(
    ("now", "wanted"), [(NOW - 60, None), (NOW - 61, "proof_expired"), (NOW + 60, None), (NOW + 61, "proof_expired")]
)
def test_a_proof_of_a_session_has_a_window(now: int, wanted: str | None) -> None:
    """As signed ones have."""
    kept = sessions()
    proof = opened_session(kept).prove(CALL, NOW)
    assert used(kept, proof, CALL, CHAIN, now) == wanted


@pytest.mark.parametrize(
    "change",
    [
        lambda proof: proof[:-1],
        lambda proof: f"{proof}=",
        lambda proof: proof.replace("s1.", "s2.", 1),
        lambda proof: proof.replace(str(NOW), str(NOW + 1)),
        lambda proof: proof.replace(str(NOW), f"0{NOW}"),
        lambda proof: proof.replace(str(NOW), f"+{NOW}"),
        lambda proof: proof.replace(str(NOW), "9" * 5000),
        lambda proof: proof.replace(str(NOW), "\u0661"),
        lambda proof: proof.replace(str(NOW), ""),
        lambda proof: proof.rpartition(".")[0] + ".",
        lambda proof: proof.rpartition(".")[0],
        lambda proof: proof.replace(".", "..", 1),
        lambda proof: f"{proof[:-1]}\u0430",
        lambda proof: f"{proof[:-1]}\ud800",
        lambda _: "s1...",
        lambda _: "",
        lambda _: PROOF,
    ],
    ids=range(17),
)
def test_what_is_no_proof_of_a_session_is_refused(change: Callable[[str], str]) -> None:
    """Never with another error."""
    kept = sessions()
    proof = change(opened_session(kept).prove(CALL, NOW))
    assert used(kept, proof) == "proof_invalid"


def test_a_session_is_opened_by_the_holder_of_the_token() -> None:
    """With a proof made for that, in time."""
    kept = sessions()

    def open_with(proof: str | None, chain: Any = CHAIN, now: int = NOW) -> str | None:
        return reason(lambda: kept.open(chain, proof, "open-1", now))

    assert open_with(None) == "proof_missing"
    assert open_with(PROOF) == "proof_invalid"
    assert open_with(prove(OTHER_KEY, opening("open-1"), TOKEN, NOW)) == "proof_invalid"
    assert open_with(prove(LEAF_KEY, opening("open-2"), TOKEN, NOW)) == "proof_replayed"
    assert open_with(prove(LEAF_KEY, opening("open-1"), TOKEN, NOW), PARENT) == "proof_invalid"
    assert open_with(prove(LEAF_KEY, opening("open-1"), TOKEN, NOW - 61)) == "proof_expired"
    assert len(kept) == 0


def test_the_proof_that_opens_a_session_is_good_once() -> None:
    """Whoever has heard it gets no key of their own."""
    kept = sessions()
    proof = prove(LEAF_KEY, opening("open-1"), TOKEN, NOW)
    kept.open(CHAIN, proof, "open-1", NOW)
    assert reason(lambda: kept.open(CHAIN, proof, "open-1", NOW + 60)) == "proof_replayed"
    assert reason(lambda: kept.open(CHAIN, proof, "open-1", NOW + 61)) == "proof_expired"


def test_neither_a_restart_nor_a_clock_moved_back_makes_it_good_again() -> None:
    """Proofs from before the start are refused, and time does not go back."""
    proof = prove(LEAF_KEY, opening("open-1"), TOKEN, NOW)
    kept = sessions()
    kept.open(CHAIN, proof, "open-1", NOW)
    opened_session(kept, "open-2", NOW + 500)
    assert reason(lambda: kept.open(CHAIN, proof, "open-1", NOW)) == "proof_expired"
    restarted = sessions(now=NOW + 1)
    assert reason(lambda: restarted.open(CHAIN, proof, "open-1", NOW + 1)) == "proof_expired"


def test_a_session_lives_in_one_process() -> None:
    """Its key is nowhere else, so after a restart there is none."""
    proof = opened_session(sessions()).prove(CALL, NOW)
    assert reason(lambda: sessions().verify(proof, CALL, CHAIN, NOW)) == "proof_invalid"


def test_revocation_ends_sessions() -> None:
    """Of every token below what was revoked."""
    kept = sessions()
    session = opened_session(kept)
    proof = prove(MIDDLE_KEY, opening("open-2"), PARENT_TOKEN, NOW)
    other = kept.open(PARENT, proof, "open-2", NOW)
    assert kept.close(lambda chain: "t2" in chain.ids) == 1
    assert used(kept, session.prove(CALL, NOW)) == "proof_invalid"
    assert used(kept, other.prove(CALL, NOW), CALL, PARENT, NOW) is None
    assert (kept.close(lambda chain: "researcher" in chain.agents), len(kept)) == (1, 0)


def test_sessions_are_bounded() -> None:
    """By agent and in all; the oldest ends."""
    kept = sessions(per_agent=2, limit=3)
    mine = [opened_session(kept, f"open-{number}") for number in range(3)]
    found = [used(kept, s.prove(CALL, NOW)) for s in mine]
    assert found == ["proof_invalid", None, None]
    for number in range(2):
        nonce = f"other-{number}"
        kept.open(PARENT, prove(MIDDLE_KEY, opening(nonce), PARENT_TOKEN, NOW), nonce, NOW)
    found = [used(kept, s.prove(CALL, NOW)) for s in mine]
    assert (found, len(kept)) == (["proof_invalid", "proof_invalid", None], 3)


def test_so_are_the_proofs_that_are_remembered() -> None:
    """One that may have been forgotten is refused; those that are too old make room."""
    kept = sessions(per_agent=2, limit=1)
    opened_session(kept, "open-0")
    opened_session(kept, "open-1")
    assert reason(lambda: opened_session(kept, "open-2")) == "proof_replayed"
    assert reason(lambda: opened_session(kept, "open-3", NOW + 121)) is None


def test_sessions_that_have_ended_are_not_kept() -> None:
    """They go when the next one is opened."""
    kept = sessions(seconds=10)
    opened_session(kept, "open-1")
    opened_session(kept, "open-2", NOW + 10)
    assert len(kept) == 1


def test_threads_share_the_sessions() -> None:
    """Each of them opens its own and uses it."""
    kept = sessions(per_agent=100)
    wrong: list[str | None] = []

    def use(thread: int) -> None:
        for number in range(10):
            session = opened_session(kept, f"open-{thread}-{number}")
            wrong.append(used(kept, session.prove(CALL, NOW)))

    threads = [Thread(target=use, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wrong, len(kept)) == ([None] * 40, 40)
