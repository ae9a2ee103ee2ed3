"""The built-ins that reach other machines: `http.send` and `net.lookup_ip_addr`.

They reach only the hosts that the options of the evaluation allow, which is none unless somebody says so.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import version
from typing import Final

from procurator.builtins._http.answers import Kept, answer_value, conditions, expiry, keep, refreshed
from procurator.builtins._http.request import (
    ParameterError,
    Parameters,
    Request,
    cache_key,
    raises_errors,
    read_request,
)
from procurator.builtins._http.transport import Answer, NetworkError, check_host, send
from procurator.builtins.cidr import address_text
from procurator.builtins.operands import BuiltinError, OperandError, object_, string
from procurator.runtime.cache import SharedCache
from procurator.runtime.context import Evaluation
from procurator.values import Key, Set, Value, key_of

_NETWORK_ERROR: Final = "eval_http_send_network_error"
_INTERNAL_ERROR: Final = "eval_http_send_internal_error"
# Names of this machine, which need nobody to be asked.
_LOCAL: Final = {"localhost": ("127.0.0.1", "::1")}


def http_send(evaluation: Evaluation, parameters: Value) -> Value:
    """Send a request and give the answer; the same request is sent once in a query."""
    asked = object_(parameters, 1)
    raising = raises_errors(asked)
    return evaluation.once("http.send", (parameters,), lambda: _sent(evaluation, asked, raising))


def _sent(evaluation: Evaluation, parameters: Parameters, raising: bool) -> Value:
    try:
        return _answered(evaluation, parameters)
    except NetworkError as error:
        if not raising:
            return _failure(_NETWORK_ERROR, str(error))
        request = error.request
        problem = f"{request.method.capitalize()} {request.url}: request timed out" if error.timed_out else str(error)
        raise BuiltinError(problem) from None
    except (BuiltinError, OperandError) as error:
        if raising:
            raise
        if isinstance(error, ParameterError):
            return _failure(_INTERNAL_ERROR, str(error))
        code = "eval_type_error" if isinstance(error, OperandError) else "eval_builtin_error"
        return _failure(_INTERNAL_ERROR, f"{code}: http.send: {error}")


def _failure(code: str, message: str) -> Value:
    return {"status_code": 0, "error": {"code": code, "message": message}}


def _answered(evaluation: Evaluation, parameters: Parameters) -> Value:
    request = read_request(parameters)
    key = ("http.send answer", key_of(cache_key(parameters)))
    if key not in evaluation.memo:
        try:
            evaluation.memo[key] = answer_value(_answer(evaluation, request, key), request)
        except NetworkError as error:
            evaluation.memo[key] = error
    # A request that failed is not tried again: its failure too is the same for the whole query.
    if isinstance(evaluation.memo[key], NetworkError):
        raise evaluation.memo[key]
    return evaluation.memo[key]


def _answer(evaluation: Evaluation, request: Request, key: Key) -> Answer:
    if request.cached and evaluation.shared is not None:
        return _shared_answer(evaluation, evaluation.shared, request, key)
    return _send(request, evaluation)


def _send(request: Request, evaluation: Evaluation) -> Answer:
    return send(request, evaluation.options, _agent())


def _shared_answer(evaluation: Evaluation, cache: SharedCache, request: Request, key: Key) -> Answer:
    """The answer kept from an earlier query if it is fresh or the server calls it unchanged, or else a new one."""
    kept: Kept | None = cache.get(key)
    if kept is not None and evaluation.now_ns < kept.expires_ns:
        return kept.answer
    answer = None if kept is None else _revalidated(evaluation, request, kept)
    if isinstance(answer, Kept):
        cache.put(key, answer, answer.size)
        return answer.answer
    cache.delete(key)
    answer = answer or _send(request, evaluation)
    fresh = keep(answer, request, evaluation.now_ns)
    if fresh is not None:
        cache.put(key, fresh, fresh.size)
    return answer


def _revalidated(evaluation: Evaluation, request: Request, kept: Kept) -> Kept | Answer | None:
    """The kept answer made fresh again, a new answer, or None if the server was not asked or said neither."""
    asked = conditions(kept)
    if not asked:
        return None
    answer = _send(request.with_headers(asked), evaluation)
    if answer.status == 200:
        return answer
    if answer.status != 304:
        return None
    expires = expiry(answer.headers, request, evaluation.now_ns)
    if expires is None:
        raise BuiltinError("no date header")
    return refreshed(kept, answer.headers, expires)


def lookup_ip_addr(evaluation: Evaluation, name: Value) -> Value:
    """The set of addresses of a name."""
    host = string(name, 1)
    address = address_text(host)
    if address is not None:
        return Set([address])
    if host in _LOCAL:
        return Set(_LOCAL[host])
    return evaluation.once("net.lookup_ip_addr", (host,), lambda: _looked_up(evaluation, host))


def _looked_up(evaluation: Evaluation, host: str) -> Value:
    import socket

    check_host(evaluation.options, host.lower())
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise BuiltinError(f"lookup {host}: no such host") from None
    return Set(str(address[0]).partition("%")[0] for *_, address in found)


@lru_cache(maxsize=1)
def _agent() -> str:
    return f"Procurator/{version('procurator')} ({sys.platform})"


CONTEXT_TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "http.send": http_send,
    "net.lookup_ip_addr": lookup_ip_addr,
}
