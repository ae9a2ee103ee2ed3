"""A whole gateway, driven at random: against a simple model, and by many threads at once."""

import random
import tempfile
import threading
from pathlib import Path
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from delegations import ed25519
from gateways import AGENTS, CONFIG, LOGIN, Clock, World, opened, self_key
from procurator.governance.controls import Target
from procurator.governance.decision import Denied, GatewayDecision
from procurator.governance.delegation.issuing import Share, derive
from procurator.governance.delegation.verifying import read_unverified
from procurator.governance.refusals import Refused

PROMPTS = ("p1", "p2")
PERSONS = ("alice", "bob")
TOOLS = ("read_file", "read_secret", "pay", "write_file")
GRANTED = TOOLS[:3]
MORE = "delegation: {max_depth: 2, token_ttl_seconds: 100}\nquotas: {max_actions_per_prompt: 100000}\n"

VERDICTS = {
    "read_file": ("permit", "passed"),
    "read_secret": ("deny", "no_secrets"),
    "pay": ("propose", "ask_first"),
    "write_file": ("deny", "tool_not_allowed"),
}
"""What comes of each tool where nothing stands against it."""

agents = st.sampled_from(AGENTS)
prompts = st.sampled_from(PROMPTS)


class Token:
    """What the model knows of a token."""

    def __init__(self, text: str, person: str, prompt: str, holders: tuple[str, ...], expires: int) -> None:
        self.text = text
        self.person = person
        self.prompt = prompt
        self.holders = holders
        self.expires = expires
        self.ids = [link.token_id for link in read_unverified(text)]

    @property
    def targets(self) -> tuple[Target, ...]:
        """What may be revoked or killed that reaches it."""
        named = [Target("agent", holder) for holder in self.holders]
        tokens = [Target("token", token_id) for token_id in self.ids]
        return Target("person", self.person, LOGIN), *named, *tokens


class GatewayMachine(RuleBasedStateMachine):
    """Register, delegate, derive, decide, report, revoke, kill, resume and start anew, in any order."""

    tokens = Bundle("tokens")
    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World.made(Path(self.folder.name), CONFIG + MORE)
        self.killed: set[Target] = set()
        self.revoked: set[Target] = set()
        self.paused: set[tuple[str, str]] = set()
        self.settled: set[str] = set()
        self.seen: set[str] = set()
        self.entries = len(AGENTS)

    def teardown(self) -> None:
        self.world.gateway.close()
        self.folder.cleanup()

    # What the model says

    def stops(self, token: Token, *, is_request: bool = True) -> str | None:
        """Why a call with a token is refused before anybody asks what it is for; a delegation begins with the token."""
        if is_request and self.killed & {Target("all"), Target("prompt", token.prompt)}:
            return "kill_switch"
        if self.world.clock.seconds >= token.expires:
            return "token_expired"
        return self.above(token.prompt, token.holders, token.targets)

    def above(self, prompt: str, holders: tuple[str, ...], targets: tuple[Target, ...]) -> str | None:
        """What stands above policy."""
        reach = {Target("all"), Target("prompt", prompt), *(Target("agent", holder) for holder in holders)}
        return "kill_switch" if reach & self.killed else "revoked" if self.revoked.intersection(targets) else None

    def pauses(self, person: str, prompt: str) -> str | None:
        """Why nothing is begun for a prompt until somebody lets it go on."""
        return "paused" if (person, prompt) in self.paused else None

    def begun(self, refused: str | None, attempt: Any) -> str | None:
        """The token that comes of a delegation, which is one entry either way."""
        self.entries += 1
        found, text = None, None
        try:
            text = attempt()
        except Denied as denied:
            found = denied.decision.reason
        assert found == refused
        return text

    # What happens

    @initialize(target=tokens)
    def begin(self) -> Any:
        """A chain that is as long as it may be, with every token on the way."""
        found = [self.delegate(person="alice", agent=AGENTS[0], prompt="p1", ttl=100)]
        for agent in AGENTS[1:3]:
            found.append(self.pass_on(token=found[-1], agent=agent, offline=len(found) == 1))
        return multiple(*found)

    @rule(target=tokens, person=st.sampled_from(PERSONS), agent=agents, prompt=prompts, ttl=st.integers(1, 100))
    def delegate(self, person: str, agent: str, prompt: str, ttl: int) -> Any:
        targets = Target("person", person, LOGIN), Target("agent", agent)
        refused = self.above(prompt, (agent,), targets) or self.pauses(person, prompt)
        expires = self.world.clock.seconds + ttl
        text = self.begun(
            refused,
            lambda: self.world.gateway.delegate(
                self.world.person(person), agent=agent, tools=GRANTED, prompt_id=prompt, ttl=ttl
            ),
        )
        return multiple() if text is None else Token(text, person, prompt, (agent,), expires)

    @rule(target=tokens, token=tokens, agent=agents, offline=st.booleans())
    def pass_on(self, token: Token, agent: str, offline: bool) -> Any:
        """Through the gateway, or by the holder alone; what may not be passed on is not."""
        holder = token.holders[-1]
        wrong = "agent_loop" if agent in token.holders else None
        if len(token.holders) == 3:
            wrong = "depth_exceeded"
        if offline:
            if wrong is not None or self.world.clock.seconds >= token.expires:
                return multiple()
            text: str | None = derive(
                token.text, self_key(holder), Share(agent, self_key(agent).public), now=self.world.clock.seconds
            )
        else:
            stopped = self.stops(token, is_request=False) or self.above(
                token.prompt, (agent,), (Target("agent", agent),)
            )
            refused = stopped or self.pauses(token.person, token.prompt) or wrong
            attempt = lambda: self.world.passed_on(token.text, holder, agent, list(GRANTED))  # noqa: E731
            self.note_links(token, refused)
            text = self.begun(refused, attempt)
            if refused == "depth_exceeded":
                self.paused.add((token.person, token.prompt))
                self.entries += 1
        if text is None:
            return multiple()
        made = Token(text, token.person, token.prompt, (*token.holders, agent), token.expires)
        if not offline:
            self.seen.update(made.ids)  # it has been in the log since the gateway made it
        return made

    def note_links(self, token: Token, refused: str | None) -> None:
        """Links that were derived by their holders are told to the log when the gateway first sees them."""
        if refused not in ("kill_switch", "revoked", "token_expired"):
            new = [token_id for token_id in token.ids[1:] if token_id not in self.seen]
            self.entries += len(new)
            self.seen.update(new)

    @rule(target=requests, token=tokens)
    def decide(self, token: Token) -> Any:
        """A call of each tool."""
        return multiple(*(self.decided(token, tool) for tool in TOOLS))

    def decided(self, token: Token, tool: str) -> tuple[Token, dict[str, Any], GatewayDecision]:
        """A request with its decision, which is what the model says."""
        request = self.world.request(token.text, token.holders[-1], tool=tool, prompt_id=token.prompt)
        decision = self.world.gateway.decide(request)
        refused = self.stops(token)
        self.note_links(token, refused)
        self.entries += 1
        if tool in GRANTED:  # what was never granted is refused before
            refused = refused or self.pauses(token.person, token.prompt)
        assert (decision.verdict, decision.reason) == (("deny", refused) if refused else VERDICTS[tool])
        return token, request, decision

    @rule(made=requests)
    def repeat(self, made: tuple[Token, dict[str, Any], GatewayDecision]) -> None:
        """The first answer again, unless something stands above it now; one of another clock is too old."""
        token, request, first = made
        decision = self.world.gateway.decide(request)
        refused = self.stops(token)
        above = {Target("all"), Target("prompt", token.prompt)} & self.killed
        if decision.reason == "proof_expired" and refused != "token_expired" and not above:
            refused = "proof_expired"
        if refused == "token_expired" or (first.reason == "token_expired" and refused is None):
            assert decision.verdict == "deny"
            self.entries += 1
        elif refused is None:
            assert (decision.replayed, decision.reason, decision.permit_id) == (True, first.reason, first.permit_id)
        else:
            assert (decision.verdict, decision.reason) == ("deny", refused)
            self.entries += 1

    @rule(made=requests)
    def report(self, made: tuple[Token, dict[str, Any], GatewayDecision]) -> None:
        """Exactly once, and only what was permitted."""
        permit = made[2].permit_id or "0" * 32
        answer = self.world.gateway.report(permit, "success")
        good = made[2].permit_id is not None and permit not in self.settled
        assert answer.accepted is good
        self.settled.add(permit)
        self.entries += 1

    @rule(token=tokens, which=st.integers(0, 6))
    def revoke(self, token: Token, which: int) -> None:
        target = token.targets[which % len(token.targets)]
        if target.kind == "person" or (target.kind == "agent" and which < 5):
            return  # now and then: there are few of them
        self.world.gateway.admin.revoke(target.kind, target.id, issuer=target.issuer)
        self.revoked.add(target)
        self.entries += 1

    @rule(switch=st.sampled_from([Target("all"), Target("prompt", "p1"), Target("agent", "reader")]))
    def kill(self, switch: Target) -> None:
        self.world.gateway.admin.kill(*switch[:2])
        self.killed.add(switch)
        self.entries += 1

    @precondition(lambda self: self.killed or self.paused)
    @rule()
    def resume(self) -> None:
        for target in sorted(self.killed):
            self.world.gateway.admin.resume(*target[:2])
            self.entries += 1
        self.killed.clear()
        for person, prompt in sorted(self.paused):
            self.world.gateway.admin.resume_prompt(prompt, person=person)
            self.entries += 1
        self.paused.clear()

    @rule(agent=agents, other=agents)
    def register(self, agent: str, other: str) -> None:
        """Nobody gets a second key, or somebody else's."""
        for key in (ed25519(f"another of {agent}").public, self_key(other).public):
            reason = None
            try:
                self.world.gateway.admin.register(agent, key)
            except Refused as refused:
                reason = refused.reason
            assert reason == (None if key == self_key(agent).public else "agent_exists")

    @rule(seconds=st.integers(1, 30))
    def wait(self, seconds: int) -> None:
        self.world.clock.forward(seconds)

    @rule()
    def start_anew(self) -> None:
        self.world = self.world.again()

    @invariant()
    def the_log_is_whole(self) -> None:
        """And has one entry for each thing that happened, beside what people were told of it."""
        found = self.world.verification()
        told = sum(entry.kind in ("notification", "approval") for entry in self.world.gateway.state.audit.entries())
        assert (found.problem, found.size - told) == (None, self.entries)


TestGateway = GatewayMachine.TestCase
TestGateway.settings = settings(
    max_examples=50, stateful_step_count=30, deadline=None, derandomize=True, phases=[Phase.generate]
)


# Many at once

THREADS = 8
EACH = 40


def test_threads_get_the_right_answers_and_leave_a_whole_log(tmp_path: Path) -> None:
    """Mixed requests, reports, revocations: nothing is lost, nothing is there twice, each answer is right."""
    world = World.made(tmp_path, CONFIG + MORE)
    tokens = [world.granted(tools=list(GRANTED), prompt_id=f"t{thread}") for thread in range(THREADS)]
    shared = world.request(world.granted(tools=list(GRANTED)), request_id="shared")
    before = len(world.records())
    made: list[list[tuple[str, GatewayDecision]]] = [[] for _ in range(THREADS)]
    reports: list[int] = []
    wrong: list[str] = []
    together = threading.Barrier(THREADS)

    def run(thread: int) -> None:
        choice = random.Random(thread)
        token, revoked = tokens[thread], False
        together.wait()
        for number in range(EACH):
            tool = choice.choice(TOOLS)
            if number == EACH * 3 // 4 and thread % 2:
                world.gateway.admin.revoke("token", read_unverified(token)[0].token_id)
                revoked = True
            request = world.request(token, tool=tool, request_id=f"{thread}-{number}", prompt_id=f"t{thread}")
            decision = world.gateway.decide(request)
            made[thread].append((tool, decision))
            wanted = ("deny", "revoked") if revoked else VERDICTS[tool]
            if (decision.verdict, decision.reason) != wanted or decision.request_id != request["request_id"]:
                wrong.append(f"{thread}-{number}: {decision}")
            if decision.permit_id is not None:
                answers = [world.gateway.report(decision.permit_id, "success").accepted for _ in range(2)]
                reports.append(sum(answers))
            if number % 10 == 0:
                made[thread].append(("shared", world.gateway.decide(shared)))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []
    assert set(reports) == {1}
    answers = [decision for told in made for tool, decision in told if tool == "shared"]
    assert len({decision.permit_id for decision in answers}) == 1
    assert sum(not decision.replayed for decision in answers) == 1
    own = [decision for told in made for tool, decision in told if tool != "shared"]
    logged = world.records("decision")
    assert sorted(record["decision_id"] for record in logged) == sorted(
        [*(decision.decision_id for decision in own), answers[0].decision_id]
    )
    assert len(world.records("outcome")) == len(reports)
    told = len(world.records("notification")) + len(world.records("approval"))
    assert len(world.records()) - told == before + THREADS * EACH + 1 + 2 * len(reports) + THREADS // 2
    for again in (world, World(tmp_path, Clock(), opened(tmp_path, Clock()))):
        assert again.verification().problem is None
    permits = {decision.permit_id for told in made for _, decision in told if decision.permit_id}
    assert {record["permit_id"] for record in logged} - {None} == permits
