"""Governed functions that are called so that the gateway would decide about something else than what is done."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from defence import ROOT

from gateways import POLICY, World
from procurator.governance.decision import Denied, GatewayDecision
from procurator.governance.gateway import Gateway
from procurator.governance.guard import Actor, acting, governed

GUARDED = (
    POLICY
    + """
deny contains "is_secret" if startswith(input.action.parameters.path, "/etc")

deny contains "is_secret" if input.action.parameters.cls == "secret"
"""
)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.made(tmp_path, policy=GUARDED)


@pytest.fixture
def actor(world: World) -> Actor:
    return Actor(world.granted(ROOT), "p1", world.prover(ROOT))


def parameters(world: World) -> list[Any]:
    """Those of each decision."""
    return [record["input"]["action"]["parameters"] for record in world.records("decision")]


def test_a_name_that_stands_for_two_arguments(world: World, actor: Actor) -> None:
    """One of them would not be looked at, so neither is passed on."""
    ran: list[Any] = []

    @world.gateway.governed(tool="read_file", operation="read")
    def read(path: str, /, **more: Any) -> None:
        ran.append((path, more))

    @world.gateway.governed(tool="read_file", operation="read")
    def read_all(*paths: str, **more: Any) -> None:
        ran.append((paths, more))

    with acting(actor):
        for call in (lambda: read("/etc/passwd", path="/data/a"), lambda: read_all("/etc/passwd", paths=["/data/a"])):
            with pytest.raises(Denied, match=r"deny: malformed: the call has two arguments called `paths?`"):
                call()
        assert ran == []
        read("/data/a", limit=1)
        read_all("/data/a", "/data/b", limit=1)
    assert ran == [("/data/a", {"limit": 1}), (("/data/a", "/data/b"), {"limit": 1})]
    assert parameters(world) == [{"path": "/data/a", "limit": 1}, {"paths": ["/data/a", "/data/b"], "limit": 1}]


def test_an_argument_that_is_called_like_the_object_of_a_method(world: World, actor: Actor) -> None:
    """It is an argument like others, where it is none; the object itself is left out."""

    @world.gateway.governed(tool="read_file", operation="read")
    def classified(path: str, cls: str) -> str:
        return path + cls

    @world.gateway.governed(tool="read_file", operation="read")
    def of_class(cls: str) -> str:
        return cls

    class Files:
        @world.gateway.governed(tool="read_file", operation="read")
        def read(self, path: str) -> str:
            return path

        @classmethod
        @world.gateway.governed(tool="read_file", operation="read")
        def find(cls, path: str) -> str:
            return path

    with acting(actor):
        for call in (
            lambda: classified("/data/a", "secret"),
            lambda: of_class("secret"),
            lambda: of_class(cls="secret"),
        ):
            with pytest.raises(Denied, match="is_secret"):
                call()
        assert (Files().read("/data/a"), Files.find("/data/b")) == ("/data/a", "/data/b")
    assert parameters(world)[3:] == [{"path": "/data/a"}, {"path": "/data/b"}]


def test_arguments_that_stand_for_themselves(world: World, actor: Actor) -> None:
    """Defaults are decided about like what is given."""

    @world.gateway.governed(tool="read_file", operation="read")
    def read(path: str = "/etc/passwd") -> str:
        return path

    with acting(actor), pytest.raises(Denied, match="is_secret"):
        read()


def test_a_function_that_acts_only_after_it_has_returned(world: World) -> None:
    """Nobody could say how it went, so it cannot be governed."""

    def lines(path: str) -> Iterator[str]:
        yield path

    async def later(path: str) -> AsyncIterator[str]:
        yield path

    for function in (lines, later):
        with pytest.raises(TypeError, match=f"`.*{function.__name__}` acts after it has returned"):
            world.gateway.governed(tool="read_file")(function)


class Waiting:
    """A gateway that takes its time to decide."""

    def __init__(self, gateway: Gateway) -> None:
        self.go_on = threading.Event()
        self.decided = gateway.decide
        self.report = gateway.report

    def decide(self, request: Mapping[str, Any]) -> GatewayDecision:
        self.go_on.wait()
        return self.decided(request)


def test_a_call_that_is_given_up_while_it_is_decided(world: World, actor: Actor) -> None:
    """What was permitted and not begun is reported as not attempted."""
    ran: list[str] = []
    waiting = Waiting(world.gateway)

    @governed(waiting, tool="read_file", operation="read")
    async def read(path: str) -> None:
        ran.append(path)

    async def given_up() -> None:
        call = asyncio.ensure_future(read("/data/a"))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        waiting.go_on.set()

    with acting(actor):
        asyncio.run(given_up())
    assert ran == []
    assert [record["outcome"] for record in world.records("outcome")] == ["not_attempted"]


def test_a_call_that_is_given_up_when_it_was_decided(world: World, actor: Actor) -> None:
    """The permit is there, but its task has not gone on with it yet."""

    @governed(world.gateway, tool="read_file", operation="read")
    async def read(path: str) -> None:
        raise AssertionError(path)

    async def given_up() -> None:
        with ThreadPoolExecutor(1) as executor:
            asyncio.get_running_loop().set_default_executor(executor)
            call = asyncio.ensure_future(read("/data/a"))
            await asyncio.sleep(0)
            executor.submit(list).result(10)  # the only thread has ended what it did before
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    with acting(actor):
        asyncio.run(given_up())
    assert [record["outcome"] for record in world.records("outcome")] == ["not_attempted"]


def test_an_argument_that_is_changed_while_it_is_decided_about(world: World, actor: Actor) -> None:
    """What was permitted is not what would be done, so nothing is."""
    ran: list[Any] = []
    waiting = Waiting(world.gateway)

    @governed(waiting, tool="read_file", operation="read", resource=lambda options: options["path"])
    async def read(options: dict[str, Any]) -> None:
        ran.append(options)

    async def changed(more: dict[str, Any]) -> None:
        options: dict[str, Any] = {"path": "/data/a", "parts": [1]}
        call = asyncio.ensure_future(read(options))
        await asyncio.sleep(0)
        options |= more
        options["parts"].append(2)
        waiting.go_on.set()
        await call

    with acting(actor), pytest.raises(Denied, match="malformed: the arguments were changed"):
        asyncio.run(changed({"path": "/etc/passwd"}))
    assert ran == []
    assert [record["outcome"] for record in world.records("outcome")] == ["not_attempted"]


def test_an_argument_of_which_the_resource_is_gone_when_it_is_decided_about(world: World, actor: Actor) -> None:
    """What was permitted cannot be done any more: that is reported too."""
    waiting = Waiting(world.gateway)

    @governed(waiting, tool="read_file", operation="read", resource=lambda options: options["path"])
    async def read(options: dict[str, Any]) -> None:
        raise AssertionError(options)

    async def changed() -> None:
        options: dict[str, Any] = {"path": "/data/a"}
        call = asyncio.ensure_future(read(options))
        await asyncio.sleep(0)
        options.clear()
        waiting.go_on.set()
        await call

    with acting(actor), pytest.raises(Denied, match="malformed: the arguments were changed"):
        asyncio.run(changed())
    assert [record["outcome"] for record in world.records("outcome")] == ["not_attempted"]


def test_an_argument_that_is_no_json(world: World, actor: Actor) -> None:
    """It is nothing that could be decided about."""
    endless: list[Any] = []
    endless.append(endless)

    @world.gateway.governed(tool="read_file", operation="read")
    def read(path: Any) -> None:
        raise AssertionError(path)

    with acting(actor):
        for argument in (endless, object(), float("nan"), {1: 2}, "\ud800", b"x", (1, 2)):
            with pytest.raises(Denied, match="deny: malformed"):
                read(argument)
