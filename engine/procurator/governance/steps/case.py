"""A request on its way through the gateway: what each step has found out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from procurator.governance.approvals.proposals import Sought
from procurator.governance.budget.accounts import Account
from procurator.governance.budget.funds import Funds
from procurator.governance.delegation.chains import Chain
from procurator.governance.identity.persons import Person
from procurator.governance.steps.policy import PolicyOutcome
from procurator.governance.times import time_text
from procurator.governance.wire import Request


class Case:
    """One request being decided; each step fills in what it finds, and the record says how far it came.

    Attributes:
        started_ns: when it came in, on the clock for durations.
        now_ns: the instant of the decision, nanoseconds since 1970; one for all steps.
        budget_ns: the same in the time of budgets.
        time: the instant as RFC 3339 has it.
        kind: the kind of its entry in the log: `decision`, `delegation` or `replan`.
        request: what is asked; None until it is read.
        request_id: what the caller calls it, as far as that could be read.
        chain: the chain behind it, once verified.
        prompt: the account of the prompt it is for, once it is known whose that is; its key names the prompt.
        proven: whether the agent has shown that it makes this call itself.
        key: names the request among all requests; empty until it is known who makes it.
        digest: SHA-256 of what the request says.
        input_text: the canonical JSON of what the record keeps of the request.
        document: the input that the policy sees.
        outcome: what the policy says.
        person: who delegates, where no agent does.
        child: the chain that a delegation has made, and its token.
        notices: what people should hear of, once it is durable.
        funds: what it costs and who pays, once that was looked at.
        approval: what is known about a person's approval, where one is named or needed.
    """

    __slots__ = (
        "approval",
        "budget_ns",
        "chain",
        "child",
        "digest",
        "document",
        "funds",
        "input_text",
        "key",
        "kind",
        "notices",
        "now_ns",
        "outcome",
        "person",
        "prompt",
        "proven",
        "request",
        "request_id",
        "started_ns",
        "time",
    )

    def __init__(self, kind: str, started_ns: int, now_ns: int, budget_ns: int) -> None:
        self.kind = kind
        self.started_ns = started_ns
        self.now_ns = now_ns
        self.budget_ns = budget_ns
        self.time = time_text(now_ns)
        self.request: Request | None = None
        self.request_id: str | None = None
        self.chain: Chain | None = None
        self.prompt: Account | None = None
        self.proven = False
        self.key = ""
        self.digest = b""
        self.input_text = "null"
        self.document: dict[str, Any] = {}
        self.outcome: PolicyOutcome | None = None
        self.person: Person | None = None
        self.child: tuple[Chain, str] | None = None
        self.funds: Funds | None = None
        self.approval: Sought | None = None
        self.notices: list[Mapping[str, Any]] = []
