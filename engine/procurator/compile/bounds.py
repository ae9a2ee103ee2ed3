"""The bound on nesting: what goes deeper than Python's stack is refused as an error of the policy."""

from collections.abc import Iterator
from contextlib import contextmanager

from procurator_rules.errors import COMPILE, PolicyError


@contextmanager
def bounded_nesting() -> Iterator[None]:
    """Turn the end of Python's stack while a policy or a query is compiled into a PolicyError.

    The parser bounds what a text may nest; how far the stack reaches depends on the caller as well.
    """
    try:
        yield
    except RecursionError:
        raise PolicyError(
            COMPILE,
            "nesting is too deep to compile",
            hint="name parts by rules of their own, or call the engine from a shallower stack",
        ) from None
