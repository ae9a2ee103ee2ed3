"""The answers of OPA: all policies of a batch in one server, each under package names of its own."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from differential.answers import Answer, Failed, Question, Refused, Rows, file_name
from policy_strategies.policies import Policy
from procurator.values import dumps, loads

STARTING_SECONDS = 60


def find() -> str | None:
    """The program, on the path or where Go installs it."""
    return shutil.which("opa") or shutil.which("opa", path=str(Path.home() / "go/bin"))


class Opa:
    """OPA, as a server on a socket."""

    name = "opa"
    tells_codes = True

    def __init__(self, program: str) -> None:
        self.program = program

    def takes(self, _policy: Policy, _question: Question) -> bool:
        """OPA knows all of the language."""
        return True

    def answers(self, policies: Sequence[Policy], asked: Sequence[Question]) -> list[Answer]:
        """The answers to questions about policies."""
        with TemporaryDirectory() as name:
            folder = Path(name)
            modules = _written(policies, folder)
            refused = self._refused(modules, folder)
            data: dict[str, Any] = {}
            for policy in policies:
                data.update(policy.data)
            (folder / "data.json").write_text(dumps(data), encoding="utf-8")
            with self._server(folder) as socket_path:
                return [refused.get(question.number) or _asked(socket_path, question) for question in asked]

    def _refused(self, modules: Mapping[str, int], folder: Path) -> dict[int, Refused]:
        """Policies with mistakes, whose files are removed: OPA stops at the first stage that finds any."""
        refused: dict[int, Refused] = {}
        while errors := self._errors(folder):
            by_policy: dict[int, list[tuple[str, str, str]]] = {}
            for error in errors:
                at = error["location"]
                file = Path(at["file"]).name
                place = f"{file}:{at['row']}:{at['col']}"
                by_policy.setdefault(modules[file], []).append((error["code"], error["message"], place))
            for number, found in by_policy.items():
                refused[number] = Refused(tuple(sorted(found)))
            for file, number in modules.items():
                if number in by_policy:
                    (folder / file).unlink()
        return refused

    def _errors(self, folder: Path) -> list[Any]:
        command = [self.program, "check", "--max-errors", "0", "--format", "json", str(folder)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode == 0:
            return []
        errors: list[Any] = json.loads(result.stdout or result.stderr)["errors"]
        return errors

    @contextmanager
    def _server(self, folder: Path) -> Iterator[str]:
        path = str(folder / "socket")
        command = [self.program, "run", "--server", "--log-level", "error", "--addr", f"unix://{path}", str(folder)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                _wait_for(path, process)
                yield path
            finally:
                process.terminate()


def _written(policies: Sequence[Policy], folder: Path) -> dict[str, int]:
    """Write the modules; the number of the policy of each file."""
    modules = {}
    for number, policy in enumerate(policies):
        for place, text in enumerate(policy.modules):
            file = file_name(number, place)
            (folder / file).write_text(text, encoding="utf-8")
            modules[file] = number
    return modules


def _wait_for(path: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            return _Connection(path).connect()
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.05)


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket of the file system."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


def _asked(path: str, question: Question) -> Answer:
    if question.strict:
        name = question.query.removeprefix("x = data.").replace(".", "/")
        url, body = f"/v1/data/{name}?strict-builtin-errors=true", {"input": question.document}
    else:
        url, body = "/v1/query", {"query": question.query, "input": question.document}
    connection = _Connection(path)
    connection.request("POST", url, dumps(body), {"Content-Type": "application/json"})
    answer = loads(connection.getresponse().read().decode())
    connection.close()
    if "errors" in answer or "code" in answer:
        return _error(answer)
    if question.strict:
        return Rows.of([{"x": answer["result"]}] if "result" in answer else [])
    return Rows.of(answer.get("result", []))


def _error(answer: Mapping[str, Any]) -> Answer:
    errors = [(error["code"], error["message"], _place(error)) for error in answer.get("errors", ())]
    if not errors:
        return Failed(answer["code"], answer["message"], "")
    if errors[0][0].startswith("eval_"):
        return Failed(*errors[0])
    return Refused(tuple(sorted(errors)))


def _place(error: Mapping[str, Any]) -> str:
    at = error.get("location", {})
    return f"{Path(at.get('file', '')).name}:{at['row']}:{at['col']}" if "row" in at else ""
