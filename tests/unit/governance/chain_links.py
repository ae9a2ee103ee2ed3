"""Verified chains for tests that are about who is in them, not about signatures."""

from delegations import ed25519
from procurator.governance.delegation.chains import Chain
from procurator.governance.delegation.tokens import Link, Principal
from procurator.governance.scope.authority import Authority

LOGIN = "https://login.example"


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
            key=ed25519(agent).public,
            depth=depth,
            max_depth=3,
            authority=Authority({}),
            task=task,
            principal=None if depth else Principal(LOGIN, "alice", act),
        )
        for depth, agent in enumerate(agents)
    ]
    return Chain(tuple(links), b"")
