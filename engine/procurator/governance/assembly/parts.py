"""What a gateway is joined from."""

from __future__ import annotations

from dataclasses import dataclass

from procurator.governance.approvals.approving import Approvals
from procurator.governance.identity.persons import Persons
from procurator.governance.notifications import Notifier
from procurator.governance.people.prompts import Prompts
from procurator.governance.state import State
from procurator.governance.steps.admission import Admission
from procurator.governance.steps.budgets import Budgets
from procurator.governance.steps.deriving import Deriving
from procurator.governance.steps.minting import Minting
from procurator.governance.steps.policy import PolicyStep
from procurator.governance.steps.proposing import Proposing
from procurator.governance.steps.recording import Recorder
from procurator.governance.steps.replanning import Replanning
from procurator.governance.steps.reporting import Reporting


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
        deriving: decides about links that agents have derived by themselves.
        prompts: what people do about the budget of a prompt.
        approvals: what waits for people.
        proposing: the steps of a decision that are about approvals.
        replanning: changes of plans.
        reporting: what becomes of permits.
        notifier: tells people what they should hear of now.
        dry_run: whether what would be a permit is only said to be one.
    """

    state: State
    admission: Admission
    policy: PolicyStep
    recorder: Recorder
    persons: Persons
    minting: Minting
    budgets: Budgets
    deriving: Deriving
    prompts: Prompts
    approvals: Approvals
    proposing: Proposing
    replanning: Replanning
    reporting: Reporting
    notifier: Notifier
    dry_run: bool = False
