"""Resources and arguments that are not what they look like, or are spelt so that a policy does not know them."""

from pathlib import Path

import pytest
from defence import MIDDLE, ROOT, chain, denied, derived, granted, read

from gateways import CONFIG, POLICY, World

GUARDED = (
    POLICY
    + """
deny contains "is_secret" if startswith(input.action.target_resource, "/data/secret")

deny contains "is_secret" if startswith(input.action.parameters.path, "/data/secret")
"""
)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.made(tmp_path, policy=GUARDED)


LOOK_ALIKES = {
    "a Cyrillic letter": "/d\u0430ta/a.txt",
    "a slash of full width": "/data\uff0fa.txt",
    "a division slash": "/data\u2215a.txt",
    "a fraction slash": "/data\u2044a.txt",
    "letters of full width": "/\uff44\uff41\uff54\uff41/a.txt",
    "dots of full width": "/data/\uff0e\uff0e/etc/passwd",
    "a dot leader of two": "/data/\u2025/etc/passwd",
    "a space that is not seen": "/data/\u200ba.txt",
    "a joiner that is not seen": "/da\u2060ta/a.txt",
    "text from right to left": "/data/\u202etxt.a",
    "a soft hyphen": "/da\u00adta/a.txt",
    "a letter and its accent apart": "/data/cafe\u0301.txt",
    "a sign that stands for another": "/data/\u212b.txt",
    "a tag character": "/data/a\U000e0041.txt",
    "steps up": "/data/../etc/passwd",
    "steps up above the root": "/data/../../etc/passwd",
    "steps up to a secret": "/data/x/../secret/key",
    "steps that lead nowhere": "/data/./secret/key",
    "steps up at the end": "/data/x/..",
    "encoded steps up": "/data/%2e%2e/etc/passwd",
    "encoded steps up in capitals": "/data/%2E%2E/etc/passwd",
    "an encoded slash": "/data%2fsecret",
    "twice encoded steps up": "/data/%252e%252e/etc/passwd",
    "backslashes": "/data\\secret\\key",
    "backslashes up": "/data/..\\..\\etc",
    "two slashes": "/data//secret/key",
    "two slashes at the beginning": "//data/secret/key",
    "a slash at the end": "/data/secret/",
    "a zero byte": "/data/a.txt\0.png",
    "a line break": "/data/a.txt\n/etc/passwd",
    "capitals": "/DATA/a.txt",
    "a scheme": "file:///data/a.txt",
    "no slash at the beginning": "data/a.txt",
    "a folder with a longer name": "/data2/a.txt",
    "the home of the tool": "~/../data/a.txt",
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_a_resource_with(name: str, world: World) -> None:
    """It is not within `/data/**`, or no spelling that policies could compare."""
    denied(world, read(world, chain(world, 1), ROOT, target_resource=LOOK_ALIKES[name]), "resource_not_allowed")


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_a_path_argument_with(name: str, world: World) -> None:
    """The same for an argument that the chain knows to be a path."""
    decision = read(world, chain(world, 1), ROOT, parameters={"path": LOOK_ALIKES[name]})
    denied(world, decision, "constraint_not_satisfied")


def test_the_secret_itself(world: World) -> None:
    """What the spellings above would get at is denied by the policy."""
    denied(world, read(world, chain(world, 1), ROOT, target_resource="/data/secret/key"), "is_secret")
    denied(world, read(world, chain(world, 1), ROOT, parameters={"path": "/data/secret/key"}), "is_secret")


@pytest.mark.parametrize("name", ["steps up to a secret", "two slashes", "encoded steps up", "a slash at the end"])
def test_a_resource_that_no_link_speaks_of_with(name: str, tmp_path: Path) -> None:
    """Where the chain leaves resources open, the policy is all there is, and has to know them."""
    world = World.made(tmp_path, policy=GUARDED)
    token = world.granted(ROOT, ["read_file"])
    denied(world, world.ask(token, ROOT, target_resource=LOOK_ALIKES[name]), "resource_not_allowed")


def test_no_resource_where_one_is_wanted(world: World) -> None:
    """Left out and null are one and the same."""
    token = chain(world, 1)
    denied(world, read(world, token, ROOT, target_resource=None), "resource_not_allowed")
    action = {"operation": "read", "tool": "read_file", "parameters": {"path": "/data/a.txt"}}
    request = world.request(token, None) | {"action": action}
    request["proof"] = world.prover(ROOT)(request)
    denied(world, world.gateway.decide(request), "resource_not_allowed")


def test_an_argument_that_is_null_or_left_out(world: World) -> None:
    """Null is a value that no path is, and what is not there is missing."""
    token = chain(world, 1)
    denied(world, read(world, token, ROOT, parameters={"path": None}), "constraint_not_satisfied")
    denied(world, read(world, token, ROOT, parameters={}), "argument_missing")
    denied(world, read(world, token, ROOT, parameters=None), "malformed")


def test_an_optional_argument_that_is_null(tmp_path: Path) -> None:
    """It may be left out; null is not leaving it out."""
    world = World.made(tmp_path)
    limit = {"constraint_type": "range", "min": 1, "max": 10, "optional": True}
    token = world.granted(ROOT, [{"type": "attenuating_agent_token", "tools": {"search": {"limit": limit}}}])
    assert world.outcome(token, ROOT, tool="search", parameters={}) == ("permit", "passed")
    denied(world, world.ask(token, ROOT, tool="search", parameters={"limit": None}), "constraint_not_satisfied")
    denied(world, world.ask(token, ROOT, tool="search", parameters={"limit": True}), "constraint_not_satisfied")
    denied(world, world.ask(token, ROOT, tool="search", parameters={"limit": "5"}), "constraint_not_satisfied")
    denied(world, world.ask(token, ROOT, tool="search", parameters={"limit": 11}), "constraint_not_satisfied")


def test_an_argument_more(world: World) -> None:
    """What the chain does not name is not admitted, whatever it is called."""
    for name in ("bcc", "Path", "path ", "p\u0430th", "__proto__", ""):
        parameters = {"path": "/data/a.txt", name: "/data/a.txt"}
        denied(world, read(world, chain(world, 1), ROOT, parameters=parameters), "unknown_field")


def test_a_tool_that_looks_like_another(world: World) -> None:
    """Tools are compared as they are written."""
    for tool in ("Read_file", "read_file ", "re\u0430d_file", "read\u200b_file", "read_file\0", "*"):
        denied(world, read(world, chain(world, 1), ROOT, tool=tool), "tool_not_allowed")


def test_an_operation_that_is_not_granted(world: World) -> None:
    """Nor one that there is not."""
    denied(world, read(world, chain(world, 1), ROOT, operation="write"), "operation_not_allowed")
    for operation in ("READ", "open_session", "", None, ["read"]):
        denied(world, read(world, chain(world, 1), ROOT, operation=operation), "malformed")


def test_a_path_below_a_narrower_root(tmp_path: Path) -> None:
    """The child's own folder, reached from its parent's."""
    world = World.made(tmp_path, CONFIG)
    token = derived(world, granted(world), ROOT, MIDDLE)
    narrow = world.passed_on(
        token, MIDDLE, "writer", {"read_file": {"path": {"constraint_type": "subpath", "root": "/data/reports"}}}
    )
    for path in ("/data/reports/../a.txt", "/data/a.txt", "/data/reports2/a.txt"):
        denied(world, read(world, narrow, "writer", parameters={"path": path}), "constraint_not_satisfied")
