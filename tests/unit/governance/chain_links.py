"""Verified chains for tests that are about who is in them, not about signatures."""

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from procurator.governance.chains import Chain
from procurator.governance.keys import PrivateKey, private_of
from procurator.governance.scope import Authority
from procurator.governance.tokens import Link, Principal

LOGIN = "https://login.example"


def key(name: str) -> PrivateKey:
    """The key of this name, the same each time."""
    return private_of(Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest()))


def chain(*agents: str, act: tuple[str, ...] = (), task: str = "p1") -> Chain:
    """The chain of agents with the keys of their names, for alice; the tokens are `t0`, `t1` and so on."""
    links = [
        Link(
            issuer="https://gateway.example",
            agent=agent,
            audience=("https://gateway.example",),
            issued_at=0,
            expires=100,
            token_id=f"t{depth}",
            key=key(agent).public,
            depth=depth,
            max_depth=3,
            authority=Authority({}),
            task=task,
            principal=None if depth else Principal(LOGIN, "alice", act),
        )
        for depth, agent in enumerate(agents)
    ]
    return Chain(tuple(links), b"")
