"""The state of a gateway as a command opens it: by its configuration, or by the file itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from procurator.governance.audit.log import AuditLog
from procurator.governance.audit.masking import masks
from procurator.governance.config.loading import load_config
from procurator.governance.config.settings import GatewayConfig
from procurator.governance.state import Clock, ForwardClock
from procurator.governance.store import Store, StoreError


class State(NamedTuple):
    """What a command works on.

    Attributes:
        store: the file of state.
        log: its audit log.
        config: the configuration; the defaults where the file was named.
        clock: nanoseconds since 1970, never before the end of the log.
    """

    store: Store
    log: AuditLog
    config: GatewayConfig
    clock: Clock


def opened(config: Path | None, state: Path | None) -> AbstractContextManager[State]:
    """The state that the options name. It has to exist: in a new one, nobody would look.

    Raises:
        click.ClickException: there is none, or it cannot be used.
        PolicyError: the configuration is wrong.
    """
    return _opened(config, state, may_be_new=False)


def opened_or_made(config: Path | None, state: Path | None) -> AbstractContextManager[State]:
    """The same, for what is done before a gateway first starts: the state of a configuration may be new.

    Raises:
        click.ClickException: it cannot be used, or there is none and it is named itself.
        PolicyError: the configuration is wrong.
    """
    return _opened(config, state, may_be_new=state is None)


@contextmanager
def _opened(config: Path | None, state: Path | None, *, may_be_new: bool) -> Iterator[State]:
    if (config is None) is (state is None):
        raise click.UsageError("give one of `--config` and `--state`")
    settings = GatewayConfig() if config is None else load_config(config)
    path = state or settings.resolve(settings.state.path)
    if not (path.is_file() or may_be_new):
        raise click.ClickException(f"there is no file of state `{path}`")
    try:
        store = Store(path)
        try:
            yield _state(store, settings)
        finally:
            store.close()
    except StoreError as error:
        raise click.ClickException(str(error)) from error


def _state(store: Store, settings: GatewayConfig) -> State:
    hidden, clock = settings.masks, ForwardClock()
    mask = masks(hidden.all_keys, hidden.paths, hidden.patterns)
    log = AuditLog(store, retention_days=settings.audit.retention_days, mask=mask, clock=clock)
    store.add_mirror(clock)
    return State(store, log, settings, clock)
