"""A process that spends: several threads decide and report on one state, as fast as they can."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

from gateways import Clock, World, opened, self_key, session_proof
from procurator.governance.delegation.proofs import prove
from procurator.governance.delegation.sessions import opening

SCRIPT = "import sys; sys.path[:0] = sys.argv[1].split(':'); from spenders import spend; spend(*sys.argv[2:])"


def spend(folder: str, token: str, name: str, threads: str, decisions: str) -> None:
    """Decide so many times with each thread, and print how often each reason came."""
    clock = Clock()
    gateway = opened(Path(folder), clock)
    world = World(Path(folder), clock, gateway)
    session = gateway.open_session(
        token, prove(self_key("orchestrator"), opening(f"open-{name}"), token, clock.seconds), f"open-{name}"
    )
    reasons: Counter[str] = Counter()

    def work(thread: int) -> None:
        for number in range(int(decisions)):
            request = world.request(token, None, request_id=f"{name}-{thread}-{number}")
            request["estimated_cost"] = {"compute_tokens": 3, "money": {"amount": "0.01", "currency": "EUR"}}
            request["proof"] = session_proof(session, request, clock.seconds)
            decision = gateway.decide(request)
            reasons[decision.reason] += 1
            if decision.permit_id is not None and number % 2:
                gateway.report(decision.permit_id, "success")

    crowd = [threading.Thread(target=work, args=(number,)) for number in range(int(threads))]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    gateway.close()
    print(*(f"{reason}={count}" for reason, count in sorted(reasons.items())))


def spent(folder: Path, token: str, processes: int, threads: int, decisions: int) -> Counter[str]:
    """How often each reason came when so many processes did that at the same time."""
    path = ":".join(part for part in sys.path if part)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, path, str(folder), token, f"process{number}", str(threads), str(decisions)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    reasons: Counter[str] = Counter()
    for process in started:
        out, _ = process.communicate()
        assert process.returncode == 0
        reasons.update({reason: int(count) for reason, count in (part.split("=") for part in out.split())})
    return reasons
