"""A plain interpreter of plans: the meaning that generated code has to keep, and the evaluation that tells its course.

It takes every shortcut out and no shortcut in: registers in a dict, one function for each kind of unit, one entry in a
table for each step. Values, errors and their places are those of generated code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from procurator.compile.plan import (
    COMPLETE,
    FUNCTION,
    PARTIAL_OBJECT,
    PARTIAL_SET,
    Branch,
    Constant,
    Definition,
    Document,
    Program,
    Unit,
    UnitKey,
)
from procurator.limits import Meter
from procurator.query import Environment, Row
from procurator.runtime.context import Evaluation
from procurator.runtime.steps import Activation, Frame, held_values, locating, operand, compute, solutions
from procurator.runtime.support import Nest, base_value, finished, merge, put_all, put_deep, whole_document
from procurator.runtime.trace import Entered, Held, Recorder
from procurator.values import UNDEFINED, Set, Value, key_of
