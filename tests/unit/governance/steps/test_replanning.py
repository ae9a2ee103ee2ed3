"""A new plan after a failure, and how policies tell it from doing the same again."""

from pathlib import Path
from typing import Any

import pytest

import procurator_stdlib
from gateways import CONFIG, World
from procurator.governance.decision import ReplanAnswer
from procurator.values import loads

POLICY = """package procurator

allow if {
	input.action
	not input.context.show
}

deny contains json.marshal(input.history.current) if input.context.show

deny contains reason if some reason in data.procurator.retries.deny
"""

RETRIES = Path(procurator_stdlib.__file__).parent / "retries.rego"
MASKED = f"{CONFIG}\nmasks: {{paths: [/delegation/root/subject]}}\n"
OLD, NEW = "a" * 64, "b" * 64


def made(folder: Path, config: str = CONFIG) -> World:
    """A world whose policy has the standard rules on retries."""
    (folder / "retries.rego").write_text(RETRIES.read_text())
    return World.made(folder, config.replace("[policy.rego]", "[policy.rego, retries.rego]"), POLICY)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path)


def ended(world: World, token: str, outcome: str, **changes: Any) -> str:
    """The permit of an action that went so."""
    decision = world.ask(token, **changes)
    assert decision.permit_id is not None
    assert world.gateway.report(decision.permit_id, outcome).accepted
    return decision.permit_id


def replanned(world: World, token: str, permit_id: str, agent: str = "orchestrator", **changes: Any) -> ReplanAnswer:
    """What comes of a change of plans."""
    said = {"learnt": "the disk is full", "old_plan_digest": OLD, "new_plan_digest": NEW, **changes}
    return world.gateway.replan(token, permit_id, **said, prove=world.prover(agent))


def current(world: World, token: str, **changes: Any) -> dict[str, Any]:
    """What policies see of the past of an action, but for its digest."""
    seen: dict[str, Any] = loads(world.ask(token, context={"show": True}, **changes).message.partition("; ")[0])
    assert len(seen.pop("digest")) == 64
    return seen


def past(failures: int = 0, outcomes: dict[str, int] | None = None, retries: int = 0) -> dict[str, Any]:
    """The same."""
    return {"failures_since_replan": failures, "outcomes": outcomes or {}, "blind_retries": retries}


# Changes of plans


def test_a_failed_action_can_be_tried_again_after_a_replan(world: World) -> None:
    """Not before."""
    token = world.granted()
    permit = ended(world, token, "failure")
    assert world.outcome(token) == ("deny", "retry_without_replan")
    answer = replanned(world, token, permit)
    assert (answer.accepted, answer.reason, answer.message) == (True, "replanned", "the plan was changed")
    assert world.outcome(token) == ("permit", "passed")


def test_a_change_of_plans_is_logged_apart_from_actions(world: World) -> None:
    """With who changed it, for which failure, what was learnt, and both plans; it is no permit."""
    token = world.granted()
    permit = ended(world, token, "timeout")
    answer = replanned(world, token, permit)
    record = world.records("replan")[-1]
    assert record["decision_id"] == answer.evidence_id
    assert (record["verdict"], record["permit_id"], record["proven"]) == ("permit", None, True)
    assert record["input"]["action"] == {
        "operation": "execute",
        "tool": "procurator.replan",
        "target_resource": permit,
        "parameters": {"learnt": "the disk is full", "old_plan_digest": OLD, "new_plan_digest": NEW},
    }
    assert record["delegation"]["chain"][-1]["agent"] == "orchestrator"
    assert len(world.records("decision")) == 1


def test_it_needs_a_failure_of_its_own(world: World) -> None:
    """Of this prompt and person; one that succeeded, was not attempted or is still open is none."""
    token = world.granted()
    permits = {outcome: ended(world, token, outcome, tool="write_file") for outcome in ("success", "not_attempted")}
    permits["open"] = world.ask(token, tool="send_mail").permit_id or ""
    for permit in permits.values():
        assert replanned(world, token, permit).reason == "permit_not_failed"
    assert replanned(world, token, "0" * 32).reason == "permit_unknown"
    other = ended(world, world.granted(prompt_id="p2"), "failure", prompt_id="p2")
    assert replanned(world, token, other).reason == "permit_unknown"
    carols = world.granted(person="carol")
    failed = ended(world, token, "failure")
    assert replanned(world, carols, failed).reason == "permit_unknown"
    assert replanned(world, token, failed).accepted
    assert replanned(world, token, failed).reason == "replan_repeated"


def test_it_is_known_for_its_own_where_the_person_is_masked(tmp_path: Path) -> None:
    """The log does not say who it was."""
    world = made(tmp_path, MASKED)
    token = world.granted()
    permit = ended(world, token, "failure")
    assert replanned(world, world.granted(person="carol"), permit).reason == "permit_unknown"
    assert replanned(world, token, permit).accepted


@pytest.mark.parametrize("config", [CONFIG, MASKED])
def test_a_change_of_plans_is_of_one_person(tmp_path: Path, config: str) -> None:
    """Two may call their prompts the same; the failures of the other still count."""
    world = made(tmp_path, config)
    tokens = [world.granted(), world.granted(person="carol")]
    permits = [ended(world, tokens[0], "failure")]
    assert current(world, tokens[1]) == past()
    permits.append(ended(world, tokens[1], "failure"))
    other = world.again_without_closing()
    assert current(other, tokens[1]) == past(1, {"failure": 1})
    assert replanned(world, tokens[0], permits[0]).accepted
    for place in (world, other, world.again_without_closing()):
        assert [current(place, token) for token in tokens] == [past(), past(1, {"failure": 1})]
        assert place.outcome(tokens[1]) == ("deny", "retry_without_replan")


def test_a_permit_nobody_reported_on_may_have_failed(world: World) -> None:
    """Once it is past its deadline."""
    permit = world.ask(world.granted()).permit_id or ""
    world.clock.forward(601)
    token = world.granted()
    assert world.outcome(token, tool="write_file") == ("permit", "passed")
    assert current(world, token) == past(1, {"expired": 1})
    assert replanned(world, token, permit).accepted


def test_plans_are_changed_a_bounded_number_of_times(tmp_path: Path) -> None:
    """For each prompt of a person; changes that were refused do not count."""
    world = made(tmp_path, CONFIG + "replanning: {max_per_prompt: 2}\n")
    token = world.granted()
    permits = [ended(world, token, "failure", parameters={"path": str(number)}) for number in range(3)]
    assert replanned(world, token, permits[0], new_plan_digest=OLD).reason == "plan_unchanged"
    reasons = [replanned(world, token, permit).reason for permit in permits]
    assert reasons == ["replanned", "replanned", "replans_exhausted"]
    other = world.granted(prompt_id="p2")
    assert replanned(world, other, ended(world, other, "failure", prompt_id="p2")).accepted


def failures(world: World, token: str, count: int, prompt_id: str = "p1") -> list[str]:
    """The permits of so many different actions that failed."""
    paths = ({"path": f"/{number}"} for number in range(count))
    return [ended(world, token, "failure", parameters=path, prompt_id=prompt_id) for path in paths]


def test_changes_of_plans_are_paid_for(tmp_path: Path) -> None:
    """They have a limit that people see and raise, and at it the prompt is paused like at any other."""
    world = made(tmp_path, CONFIG + "replanning: {max_per_prompt: 1}\n")
    token = world.granted()
    permits = failures(world, token, 3)
    assert [replanned(world, token, permit).reason for permit in permits[:2]] == ["replanned", "replans_exhausted"]
    record = world.records("replan")[-1]
    assert record["message"] == "0 of 1 replans are left to the prompt `p1`"
    assert record["budget"]["refused"]["consumed"] == "1"
    assert world.outcome(token) == ("deny", "paused")
    world.gateway.admin.resume_prompt("p1", raised={"replans": "1"})
    [line] = [one for one in world.gateway.admin.balance("p1")[0]["lines"] if one["unit"] == "replans"]
    assert (line["limit"], line["spent"], line["remaining"]) == (2, 1, 1)
    reasons = [replanned(world, token, permit).reason for permit in permits[1:]]
    assert reasons == ["replanned", "replans_exhausted"]


def test_changes_of_plans_are_paid_by_all_accounts(tmp_path: Path) -> None:
    """Of the person, and of the token that is used."""
    limits = "{scope: person, unit: replans, window: day, amount: 2}, {scope: prompt, unit: replans, amount: 9}"
    world = made(tmp_path, f"{CONFIG}quotas: {{limits: [{limits}]}}\nreplanning: {{max_per_prompt: 8}}\n")
    token = world.granted(budget={"replans": 1})
    first = failures(world, token, 2)
    assert [replanned(world, token, permit).reason for permit in first] == ["replanned", "replans_exhausted"]
    other = world.granted(prompt_id="p2")
    second = failures(world, other, 2, "p2")
    assert [replanned(world, other, permit).reason for permit in second] == ["replanned", "replans_exhausted"]
    lines = world.gateway.admin.balance("p2")[0]["lines"]
    shown = [(one["scope"], one["limit"], one["spent"]) for one in lines if one["unit"] == "replans"]
    assert shown == [("person", 2, 2), ("prompt", 8, 1)]


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"learnt": ""}, "malformed", "learnt"),
        ({"learnt": "x" * 9000}, "malformed", "learnt"),
        ({"learnt": 7}, "malformed", "learnt"),
        ({"old_plan_digest": "a"}, "malformed", "old_plan_digest"),
        ({"new_plan_digest": None}, "malformed", "new_plan_digest"),
        ({"new_plan_digest": f"sha256:{OLD.upper()}"}, "plan_unchanged", None),
        ({"prompt_id": "p2"}, "task_mismatch", None),
    ],
)
def test_a_change_of_plans_has_a_shape(world: World, changes: dict[str, Any], reason: str, field: str | None) -> None:
    """What has not is refused, and that is logged."""
    token = world.granted()
    permit = ended(world, token, "failure")
    assert replanned(world, token, permit, **changes).reason == reason
    record = world.records("replan")[-1]
    assert (record["verdict"], record["reason"], record["field"]) == ("deny", reason, field)
    assert world.outcome(token) == ("deny", "retry_without_replan")


def test_it_is_proved_like_an_action(world: World) -> None:
    """Kill switch and revocation stand above it too."""
    token = world.granted()
    permit = ended(world, token, "failure")
    assert world.gateway.replan(token, permit, learnt="x", old_plan_digest=OLD, new_plan_digest=NEW).reason == (
        "proof_missing"
    )
    assert replanned(world, token, permit, agent="writer").reason == "proof_invalid"
    assert replanned(world, "x", permit).reason == "malformed_token"
    world.gateway.admin.kill("agent", "orchestrator")
    assert replanned(world, token, permit).reason == "kill_switch"
    world.gateway.admin.resume("agent", "orchestrator")
    child = world.passed_on(token, "orchestrator", "reader", ["read_file"])
    world.gateway.admin.revoke("agent", "reader")
    assert replanned(world, child, permit, agent="reader").reason == "revoked"
    assert replanned(world, token, permit).accepted


# What policies see


def test_policies_see_how_an_action_went_before(world: World) -> None:
    """The very same action, whoever makes it, as long as it has not succeeded and the plan was not changed."""
    token = world.granted()
    child = world.passed_on(token, "orchestrator", "reader", ["read_file"])
    assert current(world, token) == past()
    permit = ended(world, token, "timeout")
    assert current(world, token) == current(world, child, agent="reader") == past(1, {"timeout": 1})
    assert current(world, token, parameters={"path": "/other"}) == past()
    ended(world, child, "timeout", agent="reader")
    assert current(world, token) == past(2, {"timeout": 2}, 1)
    assert replanned(world, token, permit).accepted
    assert current(world, token) == past()
    ended(world, token, "timeout")
    ended(world, token, "success")
    assert current(world, token) == past()


def test_retries_count_when_they_are_permitted(world: World) -> None:
    """So several at once do not get around the limit; one that was not attempted was none."""
    token = world.granted()
    ended(world, token, "timeout")
    permit = world.ask(token).permit_id or ""
    assert current(world, token) == past(1, {"timeout": 1}, 1)
    assert world.outcome(token) == ("deny", "retry_without_replan")
    assert world.gateway.report(permit, "not_attempted").accepted
    assert current(world, token) == past(1, {"timeout": 1})
    assert world.outcome(token) == ("permit", "passed")


def test_policies_see_the_changes_of_plans(tmp_path: Path) -> None:
    """With what was learnt, and which actions were tries of the same."""
    policy = "package procurator\nallow if input.action\n"
    policy += "deny contains json.marshal([input.history.replans, retries]) if input.context.show\n"
    policy += "retries := [action.retry | some action in input.history.actions]\n"
    world = World.made(tmp_path, policy=policy)
    token = world.granted()
    permit = ended(world, token, "failure")
    ended(world, token, "failure")
    world = world.again()
    assert replanned(world, token, permit).accepted
    ended(world, token, "success")
    told = {"agent": "orchestrator", "permit_id": permit, "learnt": "the disk is full"}
    told |= {"old_plan_digest": OLD, "new_plan_digest": NEW}
    for _ in range(2):
        (replan,), retries = loads(world.ask(token, context={"show": True}).message)
        assert replan.pop("time").startswith("2027-01-15T08:00:00")
        assert (replan, retries) == (told, [False, True, False])
        world = world.again()


def test_it_outlives_the_process_and_is_seen_by_others(world: World) -> None:
    """Failures, retries and changes of plans are read from the log."""
    token = world.granted()
    permit = ended(world, token, "timeout")
    other = world.again_without_closing()
    assert current(other, token) == past(1, {"timeout": 1})
    ended(world, token, "timeout")
    assert current(other, token) == past(2, {"timeout": 2}, 1)
    assert replanned(other, token, permit).accepted
    assert replanned(world, token, permit).reason == "replan_repeated"
    assert current(world, token) == current(other, token) == past()
    ended(world, token, "failure")
    other.gateway.close()
    assert current(world.again(), token) == past(1, {"failure": 1})


def test_a_retry_is_known_by_what_the_log_shows(world: World) -> None:
    """Another secret in a masked place makes no other action, before a new start and after it."""
    token = world.granted()
    ended(world, token, "failure", parameters={"path": "/a", "password": "hunter2"})
    for _ in range(2):
        other = {"path": "/a", "password": "hunter3"}
        assert world.outcome(token, parameters=other) == ("deny", "retry_without_replan")
        assert world.outcome(token, parameters=other | {"path": "/b"})[0] == "permit"
        world = world.again()


def test_what_comes_to_nothing_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of plans that could not be written did not happen."""
    token = world.granted()
    permit = ended(world, token, "failure")

    def broken(*_args: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(type(world.gateway._proposing), "note", broken)
        assert replanned(world, token, permit).reason == "internal_error"
    assert current(world, token) == past(1, {"failure": 1})
    assert replanned(world, token, permit).accepted
