"""Verified chains, as policies see them and as they are kept."""

from __future__ import annotations

import json
from threading import Thread

from delegations import (
    CHAIN,
    DETAILS,
    GATEWAY,
    INTENT,
    LEAF_KEY,
    MIDDLE,
    MIDDLE_KEY,
    NARROW,
    NOW,
    ROOT,
    ROOT_KEY,
    forged,
    joined,
    root_token,
    verified,
)
from procurator.governance.delegation.chains import Chain, ChainCache
from procurator.governance.delegation.tokens import holder
from procurator.governance.scope.authorization_details import authority_from_json, authority_to_json


def test_policies_see_the_chain_as_a_document() -> None:
    """Plain JSON; whole amounts are numbers."""
    details = [authority_to_json(authority_from_json(entry)) for entry in (DETAILS, DETAILS, NARROW)]
    assert verified(CHAIN).document == {
        "root": {"issuer": "https://login.example", "subject": "alice", "act": ["assistant"], "intent": INTENT},
        "task": "prompt-1",
        "depth": 2,
        "max_depth": 3,
        "expires": NOW + 100,
        "chain": [
            {
                "agent": "orchestrator",
                "issuer": GATEWAY,
                "key": ROOT_KEY.public.jkt,
                "id": "t0",
                "depth": 0,
                "tools": ["read_file", "search"],
                "expires": NOW + 300,
                "authorization_details": details[0],
                "budget": {"EUR": 5, "actions": 20},
            },
            {
                "agent": "researcher",
                "issuer": holder(ROOT_KEY.public),
                "key": MIDDLE_KEY.public.jkt,
                "id": "t1",
                "depth": 1,
                "tools": ["read_file", "search"],
                "expires": NOW + 200,
                "authorization_details": details[1],
                "budget": {"actions": 10},
            },
            {
                "agent": "reader",
                "issuer": holder(MIDDLE_KEY.public),
                "key": LEAF_KEY.public.jkt,
                "id": "t2",
                "depth": 2,
                "tools": ["read_file"],
                "expires": NOW + 100,
                "authorization_details": details[2],
                "budget": {"actions": 10},
            },
        ],
        "effective": {"tools": ["read_file"], "authorization_details": details[2], "budget": {"actions": 10}},
    }
    json.dumps(verified(CHAIN).document)


def test_the_least_document() -> None:
    """What a token does not have is left out."""
    token = forged(root_token(), 0, {"budget": None, "intent": None, "principal": {"iss": "i", "sub": "s"}})
    document = verified(token).document
    assert document["root"] == {"issuer": "i", "subject": "s"}
    assert sorted(document["effective"]) == ["authorization_details", "tools"]
    assert "budget" not in document["chain"][0]


# The cache


def test_a_verified_chain_is_kept_by_its_text() -> None:
    """Any other text is another token."""
    cache, chain = ChainCache(), verified(CHAIN)
    assert cache.get(CHAIN) is None
    cache.put(CHAIN, chain)
    assert cache.get(f" {CHAIN}"[1:]) is chain
    others = [CHAIN[:-1], f"{CHAIN}~", f"{CHAIN}\u0430", "\ud800", "", ROOT]
    assert [cache.get(other) for other in others] == [None] * len(others)
    cache.clear()
    assert (cache.get(CHAIN), len(cache)) == (None, 0)


def test_the_chain_that_was_not_used_for_longest_makes_room() -> None:
    """The cache has a size."""
    cache = ChainCache(2)
    chains = [verified(token) for token in (ROOT, joined([ROOT, MIDDLE]), CHAIN)]
    cache.put(ROOT, chains[0])
    cache.put(joined([ROOT, MIDDLE]), chains[1])
    cache.get(ROOT)
    cache.put(CHAIN, chains[2])
    assert [cache.get(token) for token in (ROOT, joined([ROOT, MIDDLE]), CHAIN)] == [chains[0], None, chains[2]]


def test_threads_share_the_cache() -> None:
    """None of them sees it half changed."""
    cache = ChainCache(3)
    tokens = [forged(ROOT, 0, {"jti": f"t{number}"}) for number in range(8)]
    chains = {token: verified(token) for token in tokens}
    wrong: list[Chain | None] = []

    def use() -> None:
        for _ in range(200):
            for token, chain in chains.items():
                cache.put(token, chain)
                found = cache.get(token)
                if found is not None and found is not chain:
                    wrong.append(found)

    threads = [Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wrong, len(cache)) == ([], 3)
