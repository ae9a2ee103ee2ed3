"""The names a package offers are those it lists."""

import importlib

import pytest
from sources import FILES

PACKAGES = [file.module for file in FILES if file.path.name == "__init__.py" and "__all__" in file.text]


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_listed_can_be_imported_and_the_other_way_round(package: str) -> None:
    """`__all__` has what a package defines for others, and every name in it exists; some are loaded late."""
    module = importlib.import_module(package)
    listed = module.__all__
    for name in listed:
        getattr(module, name)
    public = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == package
    }
    assert sorted(public - set(listed)) == []
    assert len(listed) == len(set(listed))


def test_every_package_is_typed() -> None:
    """Type checkers of users read our types."""
    tops = [file for file in FILES if file.path.name == "__init__.py" and "." not in file.module]
    assert len(tops) == 3
    assert all((file.path.parent / "py.typed").exists() for file in tops)
