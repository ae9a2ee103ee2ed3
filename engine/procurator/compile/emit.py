"""The code of steps: tests, loops, negation, alternatives, `with`."""

from collections.abc import Mapping
from typing import Final

from procurator.compile.blocks import BlockWriter, StepWriter
from procurator.compile.computations import compute, optional
from procurator.compile.inlined import equality, order
from procurator.compile.plan import (
    Compare,
    Compute,
    Constant,
    Defined,
    Either,
    ForEvery,
    Get,
    Held,
    IsArray,
    IsObject,
    Negation,
    Print,
    Register,
    Replace,
    Scan,
    Truthy,
)
from procurator.compile.references import Steps
from procurator.compile.shapes import ANY, STRING, Shape
from procurator.runtime.support import EVALUATION
from procurator_rules.spans import Span


def _defined(write: BlockWriter, step: Defined) -> None:
    write.unchecked[step.operand] = None


def _truthy(write: BlockWriter, step: Truthy) -> None:
    if not isinstance(step.operand, Constant) or step.operand.value is False:
        write.out.open(f"if {write.operand(step.operand)} is not False:", step.span)


def _compare(write: BlockWriter, step: Compare) -> None:
    text = order(write, step) if step.operator not in ("equal", "neq") else equality(write, step)
    write.out.open(f"if {text}:", step.span)


def _is_array(write: BlockWriter, step: IsArray) -> None:
    operand = write.operand(step.operand)
    write.out.open(f"if isinstance({operand}, list) and len({operand}) == {step.length}:", step.span)


def _is_object(write: BlockWriter, step: IsObject) -> None:
    operand = write.operand(step.operand)
    write.out.open(f"if isinstance({operand}, dict) and len({operand}) == {step.length}:", step.span)


def _scan(write: BlockWriter, step: Scan) -> None:
    out = write.out
    source, shape = write.source(step.source), write.shape(step.source)
    if step.keys or not isinstance(step.source, Register):
        found = write.unnamed()
        if write.look_up(found, Get(step.source, step.keys), step.span):
            write.when_defined(found)
        source, shape = write.operand(found), write.shapes[found]
    _charge(write, source, shape, step.span)
    write.nest.loops.append(out.depth)
    write.nest.total_loops += 1
    out.open(f"{_loop(write, step, source, shape)}:", step.span)


def _loop(write: BlockWriter, step: Scan, source: str, shape: Shape) -> str:
    value = write.operand(step.value) if step.value is not None else "_"
    if step.value is not None:
        write.shapes[step.value] = shape.member or ANY
    order = "SORTED_" if write.nest.ordered else ""
    is_guarded = _is_guarded(write, step)
    guarded, kind = (f"FEW({source})", "any") if is_guarded else (source, shape.kind)
    if step.key is None:
        if kind == "list":
            return f"for {value} in {source}"
        guard = f" and len({source}) <= MOST" if is_guarded else ""
        found = f"{order}MEMBERS({guarded})"
        if write.settings.steps is Steps.COUNTED:
            found = f"COUNTED(t1, {found})"
        return f"for {value} in ({source} if type({source}) is list{guard} else {found})"
    key = write.operand(step.key)
    if kind == "dict":
        write.shapes[step.key] = STRING
        return f"for {key}, {value} in {f'sorted({source}.items(), key=FIRST)' if order else f'{source}.items()'}"
    if kind == "list":
        return f"for {key}, {value} in enumerate({source})"
    return f"for {key}, {value} in {order}ENTRIES({guarded})"


def _is_guarded(write: BlockWriter, step: Scan | ForEvery) -> bool:
    """Whether a loop must not be entered when there is more to visit than foreseen."""
    return write.settings.steps is Steps.GUARDED and id(step) not in write.sized


def _charge(write: BlockWriter, collection: str, shape: Shape, span: Span) -> None:
    """Count the members that a loop is about to visit."""
    if write.settings.steps is not Steps.COUNTED:
        return
    if shape.kind in ("list", "dict"):
        spend(write, f"len({collection})", span)
        return
    with write.out.block(f"if type({collection}) is list:"):
        spend(write, f"len({collection})", span)
    with write.out.block("else:"):
        write.out.line(f"CHARGE(t1, {collection})", span)


def spend(write: BlockWriter, steps: str, span: Span) -> None:
    """Write that steps are taken; the meter is `t1`."""
    write.out.line(f"t1.left -= {steps}")
    with write.out.block("if t1.left < 0:"):
        write.out.line("t1.stop()", span)


def _negation(write: BlockWriter, step: Negation) -> None:
    flag = write.flag()
    write.out.line(f"{flag} = True", step.span)
    write.flagged(step.block, flag, "False")
    write.out.open(f"if {flag}:")


def _either(write: BlockWriter, step: Either) -> None:
    out = write.out
    flag = write.flag()
    out.line(f"{flag} = False", step.span)
    depth = out.depth
    for number, block in enumerate(step.blocks):
        if number:
            out.open(f"if not {flag}:")
        write.flagged(block, flag, "True")
        out.depth = depth
    out.open(f"if {flag}:")


def _for_every(write: BlockWriter, step: ForEvery) -> None:
    out = write.out
    members, flag = write.flag(), write.flag()
    domain = write.operand(step.domain)
    out.line(f"{members} = DOMAIN({f'FEW({domain})' if _is_guarded(write, step) else domain})", step.span)
    out.open(f"if {members} is not None:")
    out.line(f"{flag} = True")
    _charge(write, domain, ANY, step.span)
    names = [write.operand(name) if name is not None else "_" for name in (step.key, step.value)]
    write.nest.total_loops += 1
    with out.block(f"for {', '.join(names)} in {members}:"):
        out.line(f"{flag} = False")
        write.flagged(step.block, flag, "True")
        with out.block(f"if not {flag}:"):
            out.line("break")
    write.nest.total_loops -= 1
    out.open(f"if {flag}:")


def _replace(write: BlockWriter, step: Replace) -> None:
    inputs = "".join(f"({write.out.constant(path)}, {write.operand(value)}), " for path, value in step.inputs)
    values = "".join(f"({write.names.places[name]}, {write.operand(value)}), " for name, value in step.values)
    frame = f"FRAME(c{step.parent}, {write.names.kept}, {write.names.size}, ({inputs}), ({values}))"
    write.out.line(f"c{step.frame} = {frame}", step.span)


def _held(write: BlockWriter, step: Held) -> None:
    write.note(step.rule)


def _print(write: BlockWriter, step: Print) -> None:
    if write.settings.prints:
        texts = ", ".join([optional(write, part) for part in step.parts])
        write.out.line(f"PRINT({write.context(EVALUATION)}, [{texts}], {write.span(step.span)})", step.span)


STEPS: Final[Mapping[type, StepWriter]] = {
    Compute: compute,
    Defined: _defined,
    Truthy: _truthy,
    Compare: _compare,
    IsArray: _is_array,
    IsObject: _is_object,
    Scan: _scan,
    Negation: _negation,
    ForEvery: _for_every,
    Either: _either,
    Replace: _replace,
    Print: _print,
    Held: _held,
}
"""How each kind of step is written."""
