"""A gateway to attack."""

from pathlib import Path

import pytest

from gateways import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One with the usual policy."""
    return World.made(tmp_path)
