"""Artefacts of a cache go by a hash of the compiler: of all its files, for no change of one may go unnoticed."""

from sources import FILES, ROOT

from procurator.stored import ENGINE_FILES

ENGINE = ROOT / "engine/procurator"


def test_whatever_the_compiler_imports_is_part_of_its_hash() -> None:
    """What makes code of policies, and all of the engine that this imports; the rule language counts as a whole."""
    files = {file.module: file for file in FILES if file.path.is_relative_to(ENGINE)}
    waiting = [module for module in files if module.startswith("procurator.compile")]
    imported = set()
    while waiting:
        module = waiting.pop()
        if module in files and module not in imported:
            imported.add(module)
            waiting += [name for name, _ in files[module].imports()]
    hashed = {path for pattern in ENGINE_FILES for path in ENGINE.glob(pattern)}
    assert {files[module].path for module in imported} - hashed == set()
