"""The parts of a gateway, made from its configuration."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Final

from procurator.engine import Engine
from procurator.governance.approvals.approving import Approvals
from procurator.governance.assembly.budgets import budgets_of, paths_of
from procurator.governance.assembly.parties import agents_of, persons_of
from procurator.governance.assembly.parts import Parts
from procurator.governance.assembly.policies import load_engine
from procurator.governance.audit.checkpoints import Signer, Witness
from procurator.governance.audit.log import AuditLog
from procurator.governance.audit.masking import hidden
from procurator.governance.config.settings import GatewayConfig
from procurator.governance.controls import Controls
from procurator.governance.delegation.chains import Chain
from procurator.governance.delegation.issuing import TokenIssuer
from procurator.governance.delegation.lineage import Lineage
from procurator.governance.delegation.sessions import Sessions
from procurator.governance.delegation.verifying import verify_chain
from procurator.governance.history import History
from procurator.governance.identity.agents import Agents
from procurator.governance.ledger import Ledger
from procurator.governance.notifications import Notifier
from procurator.governance.people.prompts import Prompts
from procurator.governance.signing.keys import PrivateKey, generate, load_private, write_private
from procurator.governance.state import BudgetTime, Clock, ForwardClock, State, running_ns
from procurator.governance.steps.admission import Admission
from procurator.governance.steps.budgets import Budgets
from procurator.governance.steps.deriving import Deriving
from procurator.governance.steps.minting import Minting
from procurator.governance.steps.policy import PolicyStep
from procurator.governance.steps.proposing import Proposing
from procurator.governance.steps.recording import Recorder, Revision
from procurator.governance.steps.replanning import Replanning
from procurator.governance.steps.reporting import Reporting
from procurator.governance.store import Store, StoreError
from procurator.governance.times import SECOND_NS, time_text
from procurator.values import dumps

WITNESS_SUFFIX: Final = ".checkpoints"


def assemble(config: GatewayConfig, clock: Clock = time.time_ns, running: Clock | None = None) -> Parts:
    """The parts of the gateway that a configuration describes.

    Args:
        config: the settings.
        clock: nanoseconds since 1970.
        running: nanoseconds by a clock that nobody sets; by default the machine's, or a clock that is given itself.

    Raises:
        PolicyError: a policy, or a file that the settings name, is wrong.
        StoreError: the state cannot be opened.
        Refused: a key of the settings is not one that may be used.
    """
    engine = load_engine(config)
    policy = PolicyStep(engine, config.entrypoint)
    issuer = TokenIssuer(config.gateway.issuer, _key(config, config.keys.signing))
    running = running or (running_ns if clock is time.time_ns else clock)
    state = _state(config, issuer, ForwardClock(clock), running)
    now = state.clock() // SECOND_NS
    sessions = Sessions(now=now, window=config.proof.window_seconds, seconds=config.proof.session_seconds)
    verify = partial(_verified, config, issuer, state.agents)
    keep_reasoning = config.audit.capture_reasoning
    paths, kept = paths_of(config), budgets_of(config, state.store)
    budgets = Budgets(
        kept,
        paths,
        state.audit,
        state.ledger,
        expired=state.history.settle,
        told_to_policy=policy.reads_budget,
    )
    persons, dry_run = persons_of(config), config.policy_engine.mode == "dry_run"
    approvals = Approvals(state.store, state.audit, state.controls, persons, state.clock, config.approvals)
    return Parts(
        state=state,
        admission=Admission(state, verify, sessions, config.proof, keep_reasoning=keep_reasoning),
        policy=policy,
        recorder=_recorder(config, engine),
        persons=persons,
        minting=Minting(
            issuer, config.gateway.audience, config.delegation.max_depth, config.delegation.token_ttl_seconds
        ),
        budgets=budgets,
        deriving=Deriving(state, policy, budgets),
        prompts=Prompts(kept, paths),
        approvals=approvals,
        proposing=Proposing(approvals, state.audit, dry_run=dry_run),
        replanning=Replanning(state, told_to_policy=policy.reads_history),
        reporting=Reporting(state, budgets, config.quotas.report_seconds),
        notifier=_notifier(config, state),
        dry_run=dry_run,
    )


def _verified(config: GatewayConfig, issuer: TokenIssuer, agents: Agents, token: str, now: int) -> Chain:
    return verify_chain(
        token,
        issuer=issuer.name,
        issuer_keys=issuer.keys,
        audience=config.gateway.audience,
        now=now,
        key_by_thumbprint=agents.by_thumbprint,
        ceiling=config.delegation.max_depth,
    )


def _state(config: GatewayConfig, issuer: TokenIssuer, clock: ForwardClock, running: Clock) -> State:
    path = config.resolve(config.state.path)
    store = Store(path)
    own = config.keys.checkpoint
    signing = issuer.key if own is None else _key(config, own)
    masked = hidden(config.masks.all_keys, config.masks.paths, config.masks.patterns)
    audit = AuditLog(
        store,
        retention_days=config.audit.retention_days,
        mask=masked.mask,
        signer=Signer(config.gateway.issuer, signing.ed25519()),
        checkpoint_every=config.audit.checkpoint_every,
        witness=Witness(path.with_name(path.name + WITNESS_SUFFIX)),
        clock=clock,
    )
    store.add_mirror(clock)
    agents = agents_of(config, store, gateway_keys=[issuer.key.public, signing.public])
    lineage = Lineage(store, config.delegation.max_fan_out)
    history, budget_time = History(store, masked), BudgetTime(running, clock())
    return State(store, audit, Ledger(store), agents, Controls(store), lineage, history, clock, budget_time)


def _notifier(config: GatewayConfig, state: State) -> Notifier:
    told = config.notifications

    def failed(record: Mapping[str, object], why: str) -> None:
        failure = {"about": record.get("time"), "not_sent": why, "time": time_text(state.clock())}
        with suppress(StoreError):  # the notification itself is in the log, and nobody waits here who could be told
            state.store.transact(lambda tx: state.audit.append(tx, "notification", failure))

    return Notifier(command=told.command, webhook=told.webhook, seconds=told.seconds, failed=failed)


def _key(config: GatewayConfig, named: str) -> PrivateKey:
    """A key of the gateway; made when it is not there, if the settings allow it."""
    path = config.resolve(named)
    if config.keys.create and not path.exists():
        write_private(path, generate())
    return load_private(path)


def _recorder(config: GatewayConfig, engine: Engine) -> Recorder:
    masks = config.masks
    return Recorder(revision_of(config, engine), masks.all_keys, masks.paths, masks.patterns)


def revision_of(config: GatewayConfig, engine: Engine) -> Revision:
    """What decides: the entry point, and the policies and documents that were loaded for it."""
    return Revision(
        entrypoint=config.entrypoint,
        policy=policy_revision(engine),
        data=_digest(dumps(dict(engine.environment.data))),
        engine=version("procurator"),
        schema=config.audit.schema_version,
    )


def policy_revision(engine: Engine) -> str:
    """A digest of the policies: of their texts, in the order of their names."""
    modules = engine.checked.modules
    return _digest(
        "".join(f"{Path(name).name}\n{modules[name].package.span.source.text}\n" for name in sorted(modules))
    )


def _digest(text: str) -> str:
    return f"sha256:{sha256(text.encode()).hexdigest()}"
