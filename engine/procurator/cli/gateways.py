"""A gateway as a command opens it: by its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from procurator.governance.gateway import Gateway
from procurator.governance.refusals import Refused
from procurator.governance.store import StoreError


@contextmanager
def opened(config: Path) -> Iterator[Gateway]:
    """The gateway of a configuration, closed at the end; its state is made where there is none yet.

    Raises:
        click.ClickException: its state or its keys cannot be used.
        PolicyError: the configuration is wrong, or a policy.
    """
    try:
        gateway = Gateway.from_config(config)
    except (Refused, StoreError, OSError) as error:
        raise click.ClickException(f"the gateway of `{config}` does not start: {error}") from None
    try:
        with gateway:
            yield gateway
    except StoreError as error:
        raise click.ClickException(str(error)) from error
