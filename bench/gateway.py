"""What a whole decision of the gateway costs, as ratios that do not depend on the machine.

    make bench
    python bench/gateway.py

The chain has depth 3 and is known already; the record is written; the wait for the shared commit is not counted, so
decisions are made 256 to a commit, and what the processor spends on all of it counts. Peers run by turns with it.
"""

import gc
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from engine import REQUESTS, regorus
from figures import Figure, report
from person import LOGIN, id_token, new_issuer
from procurator import Gateway
from procurator.governance.delegation.issuing import Share, derive
from procurator.governance.delegation.proofs import Call, Session, prove
from procurator.governance.delegation.sessions import opening
from procurator.governance.signing.keys import PrivateKey, generate

RUNS = 31
TOGETHER = 256
THREADS = 8
EACH = 3000
GATEWAY = "urn:example:gateway"

POLICY = """package procurator

# METADATA
# title: Work that was delegated
allow if input.action.operation in {"read", "delegate"}

deny contains "not_now" if input.action.parameters.path == "/secret"
"""

CONFIG = f"""
policies: [policy.rego]
gateway: {{issuer: "{GATEWAY}", audience: ["{GATEWAY}"]}}
issuers: [{{issuer: "{LOGIN}", audience: "{GATEWAY}", jwks: login.json, algorithms: [ES256]}}]
proof: {{required: false}}
delegation: {{token_ttl_seconds: 3600}}
quotas: {{max_actions_per_prompt: 100000000, max_compute_tokens: 100000000000}}
"""

AGENTS = ("orchestrator", "researcher", "reader", "helper")
ARGUMENTS = {"read_file": {"path": {"constraint_type": "subpath", "root": "/data"}}}


class Agent:
    """The agent at the end of a chain of depth 3."""

    def __init__(self, token: str, key: PrivateKey, session: Session) -> None:
        self.token = token
        self._key = key
        self._session = session

    def request(self, request_id: str, proof: str | None = None) -> dict[str, Any]:
        """A request, with a proof by `key`, by `session`, or with none."""
        path = f"/data/reports/{request_id}.txt"
        request = {
            "request_id": request_id,
            "prompt_id": "p1",
            "action": {
                "operation": "read",
                "tool": "read_file",
                "target_resource": path,
                "parameters": {"path": path},
            },
            "token": self.token,
            "context": {"step": 7},
            "reasoning": {"snapshot": "The figures are in it.", "tool_rationale": "It reads files."},
            "estimated_cost": {"compute_tokens": 120},
        }
        call = Call(request_id, "read", "read_file", path, {"path": path})
        if proof == "key":
            request["proof"] = prove(self._key, call, self.token, int(time.time()))
        elif proof == "session":
            request["proof"] = self._session.prove(call, int(time.time()))
        return request


@contextmanager
def world() -> Iterator[tuple[Gateway, Agent]]:
    """A gateway in a folder that is gone afterwards, and an agent."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        issuer = new_issuer(folder / "login.json")
        (folder / "policy.rego").write_text(POLICY)
        (folder / "gateway.yaml").write_text(CONFIG)
        keys = [generate() for _ in AGENTS]
        with Gateway.from_config(folder / "gateway.yaml") as gateway:
            for agent, key in zip(AGENTS, keys, strict=True):
                gateway.admin.register(agent, key.public)
            token = gateway.delegate(
                id_token(issuer, GATEWAY), agent=AGENTS[0], tools=ARGUMENTS, prompt_id="p1", intent="Sum it up."
            )
            for at, agent in enumerate(AGENTS[1:]):
                token = derive(token, keys[at], Share(agent, keys[at + 1].public), now=int(time.time()))
            proof = prove(keys[-1], opening("open"), token, int(time.time()))
            yield gateway, Agent(token, keys[-1], gateway.open_session(token, proof, "open"))


def decisions(gateway: Gateway, agent: Agent, proof: str | None, numbers: Iterator[int]) -> float:
    """Microseconds of the processor for a decision."""
    requests = [agent.request(f"r{next(numbers)}", proof) for _ in range(TOGETHER)]
    start = time.process_time()
    answers = gateway.decide_many(requests)
    spent = time.process_time() - start
    wrong = [answer for answer in answers if not answer.permitted]
    assert not wrong, wrong[0]
    return spent / TOGETHER * 1e6


def bare(function: Callable[[], Any], times: int = 200) -> float:
    """Microseconds of the processor for a call."""
    start = time.process_time()
    for _ in range(times):
        function()
    return (time.process_time() - start) / times * 1e6


def costs(gateway: Gateway, agent: Agent) -> list[Figure]:
    """Decisions without a proof, with a signed one, within a session, against regorus and a bare verification."""
    numbers = count(1)
    key = Ed25519PrivateKey.generate()
    public, signature = key.public_key(), key.sign(b"x" * 400)
    peer, request = regorus(), REQUESTS["granted"]
    turns: dict[str, list[float]] = {"regorus": [], "verify": [], "none": [], "key": [], "session": []}
    for _ in range(RUNS):
        turns["none"].append(decisions(gateway, agent, None, numbers))
        turns["session"].append(decisions(gateway, agent, "session", numbers))
        turns["key"].append(decisions(gateway, agent, "key", numbers))
        turns["verify"].append(bare(lambda: public.verify(signature, b"x" * 400)))
        if peer is not None:
            turns["regorus"].append(bare(lambda: peer(request)))

    def more(name: str) -> float:
        """What a proof costs beyond a decision without one, in verifications of the same turn."""
        rows = zip(turns[name], turns["none"], turns["verify"], strict=True)
        return statistics.median((proven - none) / verify for proven, none, verify in rows)

    none = statistics.median(turns["none"])
    found = [
        Figure("decision, cached chain, no proof", none, "us"),
        Figure("signed proof: more, in bare verifications", more("key"), "times", most=1.3),
        Figure("proof in a session: more, in bare verifications", more("session"), "times", most=0.2),
    ]
    if peer is not None:
        times = none / statistics.median(turns["regorus"])
        found.insert(1, Figure("decision without proof / regorus on RBAC", times, "times", most=1))
    else:
        print("regorus is not installed: pip install 'procurator[bench]'")
    return found


def throughput(gateway: Gateway, agent: Agent) -> Figure:
    """Decisions a second from several threads within proof sessions, each durable before it is returned.

    The requests and their proofs are there before: agents make them, on machines of their own.
    """
    shares = [[agent.request(f"t{thread}-{number}", "session") for number in range(EACH)] for thread in range(THREADS)]
    freeze()

    def work(requests: list[dict[str, Any]]) -> None:
        for request in requests:
            decision = gateway.decide(request)
            assert decision.permitted, decision

    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.perf_counter() - start
    return Figure(f"decisions from {THREADS} threads, each durable", THREADS * EACH / spent, "a second", least=5000)


def room(gateway: Gateway, agent: Agent) -> Figure:
    """What a decision with its report takes of the file of state, before anything is pruned."""
    requests = [agent.request(f"f{number}") for number in range(4 * TOGETHER)]
    before = size_of(gateway)
    for decision in gateway.decide_many(requests):
        gateway.report(decision.permit_id or "", "success", actual={"compute_tokens": 100})
    return Figure("file of state, for a decision with its report", (size_of(gateway) - before) / len(requests), "bytes")


def size_of(gateway: Gateway) -> int:
    """Bytes of the file of state, with what was not yet moved into it."""
    query = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    return int(gateway.state.store.read(lambda connection: connection.execute(query).fetchone()[0]))


def freeze() -> None:
    """Do as a service does once it has started: what is there for good need not be looked through again."""
    gc.collect()
    gc.freeze()


def figures() -> Iterator[Figure]:
    """All that is measured."""
    with world() as (gateway, agent):
        freeze()
        yield from costs(gateway, agent)
        yield room(gateway, agent)
        yield throughput(gateway, agent)


if __name__ == "__main__":
    sys.exit(0 if report(figures()) else 1)
