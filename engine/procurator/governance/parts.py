"""What a gateway is joined from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from procurator.governance.admission import Admission
from procurator.governance.approving import Approvals
from procurator.governance.budget import Budgets
from procurator.governance.delegating import Minting
from procurator.governance.identity import Persons
from procurator.governance.notifications import Notifier
from procurator.governance.policy import PolicyStep
from procurator.governance.prompts import Prompts
from procurator.governance.proposing import Proposing
from procurator.governance.recording import Recorder
from procurator.governance.replanning import Replanning
from procurator.governance.state import State

REPORT_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a gateway.

    Attributes:
        state: what is kept between decisions.
        admission: who may ask.
        policy: the policies.
        recorder: writes the records.
        persons: verifies tokens of persons.
        minting: signs tokens.
        budgets: what may be spent.
        prompts: what people do about it.
        approvals: what waits for people.
        proposing: the steps of a decision about that.
        replanning: changes of plans.
        notifier: tells people what they should hear of now.
        dry_run: whether what would be a permit is only said to be one.
        report_seconds: how long the outcome of a permit may take to be reported.
    """

    state: State
    admission: Admission
    policy: PolicyStep
    recorder: Recorder
    persons: Persons
    minting: Minting
    budgets: Budgets
    prompts: Prompts
    approvals: Approvals
    proposing: Proposing
    replanning: Replanning
    notifier: Notifier
    dry_run: bool = False
    report_seconds: int = REPORT_SECONDS
