"""A gateway that is killed between any two instructions: no permit that was given is lost, and the log is whole."""

import json
from pathlib import Path

from dying import runs
from gateways import Clock, World, opened, write_folder

RUNS = 24
POLICY = """package procurator
allow if input.action.operation in {"read", "delegate"}
deny contains "again" if {
    some action in input.history.actions
    action.parameters == input.action.parameters
}
"""
CONFIG_MORE = "audit: {checkpoint_every: 5}\n"

DYING = """
import json, sys, threading
from pathlib import Path
from dying import attempts
from gateways import World, Clock, opened
from procurator.governance import gateway, history, ledger, store, transactions
from procurator.governance.audit import checkpoints, log, merkle
from procurator.governance.delegation import lineage
from procurator.governance.steps import admission, budgets, recording, reporting

def begin(case, death):
    folder, token = Path(case[0]), case[1]
    world = World(folder, Clock(), opened(folder, Clock()))
    threading.settrace(death.trace)

    def run(thread, tell):
        for number in range(5):
            request = world.request(token, request_id=f"r{thread}-{number}", parameters={"n": f"{thread}-{number}"})
            decision = world.gateway.decide(request)
            tell(f"{decision.verdict} {request['request_id']} {decision.permit_id}")
            if number % 2 and world.gateway.report(decision.permit_id, "success").accepted:
                tell(f"reported {request['request_id']} {decision.permit_id}")

    return run

modules = (admission, budgets, recording, gateway, history, ledger, lineage, store, transactions)
modules += (checkpoints, log, merkle, reporting)
attempts(json.load(sys.stdin), int(sys.argv[1]), modules, begin)
"""


def test_whenever_a_gateway_is_killed_no_permit_is_lost(tmp_path: Path) -> None:
    """Every permit that was told is in the log, every report counts once, and the next process goes on."""
    worlds = [prepared(tmp_path / str(number)) for number in range(RUNS)]
    done = runs(DYING, "60000", given=json.dumps(worlds), seconds=240)
    assert len(done) == RUNS
    assert sum(run.killed for run in done) >= RUNS // 2
    assert any(run.lines for run in done if run.killed)
    for run, (folder, token) in zip(done, worlds, strict=True):
        check(Path(folder), token, [line.split() for line in run.lines])


def prepared(folder: Path) -> tuple[str, str]:
    """A folder with a gateway's files, and a token."""
    folder.mkdir()
    world = World.made(folder, policy=POLICY)
    write_folder(folder, (folder / "agentic-governance.yaml").read_text() + CONFIG_MORE, POLICY)
    token = world.granted()
    world.gateway.close()
    return str(folder), token


def check(folder: Path, token: str, lines: list[list[str]]) -> None:
    """What one process has told is so."""
    world = World(folder, Clock(), opened(folder, Clock()))
    assert world.verification().problem is None
    permits = {record["request_id"]: record["permit_id"] for record in world.records("decision") if record["permit_id"]}
    outcomes = [record["permit_id"] for record in world.records("outcome")]
    assert len(outcomes) == len(set(outcomes))
    assert {name: permit for what, name, permit in lines if what == "permit"}.items() <= permits.items()
    assert {permit for what, _, permit in lines if what == "reported"} <= set(outcomes)
    for name, permit in permits.items():
        again = world.request(token, request_id=name, parameters={"n": name[1:]})
        assert world.gateway.decide(again).permit_id == permit
        assert world.ask(token, parameters={"n": name[1:]}).reason == "again"
        assert world.gateway.report(permit, "success").accepted is (permit not in outcomes)
        assert not world.gateway.report(permit, "success").accepted
    assert world.outcome(token, parameters={"n": "new"}) == ("permit", "passed")
    world.gateway.close()
