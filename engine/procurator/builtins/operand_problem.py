"""An operand of the right type that is wrong in another way (`eval_type_error` all the same)."""

from __future__ import annotations

from procurator.builtins.operands import OperandError


class OperandProblem(OperandError):  # noqa: N818 - it is an OperandError
    """The text is "operand N PROBLEM"."""

    def __init__(self, position: int, problem: str) -> None:
        Exception.__init__(self, f"operand {position} {problem}")
