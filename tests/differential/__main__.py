"""Draw policies, ask every engine at hand, and print each difference with its case."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence

from hypothesis import HealthCheck, Phase, given, seed, settings

from differential import opa, others
from differential.answers import Answer, Oracle, Question, difference, questions
from differential.here import Here
from policy_strategies.policies import Policy, policies

BATCH = 200


def drawn(count: int, number: int) -> list[Policy]:
    """Policies drawn from a seed, each with names of its own."""
    found: list[Policy] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(policies())
    def keep(policy: Policy) -> None:
        found.append(policy)

    keep()
    distinct = {repr(policy): policy for policy in found}.values()
    return [policy.renamed(str(place)) for place, policy in enumerate(distinct)]


def oracles(names: Sequence[str]) -> list[Oracle]:
    """The engines at hand, or those of them that are asked for."""
    program = opa.find()
    found: list[Oracle] = [*([opa.Opa(program)] if program else []), *others.installed()]
    return [oracle for oracle in found if not names or oracle.name in names]


def compared(oracle: Oracle, batch: Sequence[Policy]) -> Iterator[tuple[Question, Answer, Answer, str]]:
    """Each question with the answer here, the answer there, and in what they differ."""
    asked = [
        question
        for number, policy in enumerate(batch)
        for question in questions(number, policy)
        if oracle.takes(policy, question)
    ]
    ours, theirs = Here().answers(batch, asked), oracle.answers(batch, asked)
    for question, mine, other in zip(asked, ours, theirs, strict=True):
        yield question, mine, other, difference(mine, other, oracle.tells_codes)


def report(name: str, policy: Policy, question: Question, mine: Answer, other: Answer, what: str) -> None:
    """Print one difference with its case."""
    print(f"\n{'=' * 20} {name}: {what}")
    for text in policy.modules:
        print(text)
    print(f"data   {policy.data}\ninput  {question.document}\nquery  {question.query}   strict {question.strict}")
    print(f"here   {mine}\nthere  {other}")


def main() -> None:
    """Run the comparison that the command line asks for."""
    parser = argparse.ArgumentParser(prog="differential", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="policies to draw")
    parser.add_argument("--seed", type=int, default=0, help="the first seed; each batch has the next")
    parser.add_argument("--engine", action="append", default=[], help="only this one: opa, regorus, regopy")
    parser.add_argument("--show", type=int, default=5, help="cases to print of each kind of difference")
    options = parser.parse_args()
    asked = oracles(options.engine)
    if not asked:
        raise SystemExit("no other engine is installed: put `opa` on the path, or install gordon-to-regorus or regopy")
    counts: Counter[tuple[str, str]] = Counter()
    for start in range(0, options.count, BATCH):
        batch = drawn(min(BATCH, options.count - start), options.seed + start // BATCH)
        for oracle in asked:
            for question, mine, other, what in compared(oracle, batch):
                counts[oracle.name, what] += 1
                if what and counts[oracle.name, what] <= options.show:
                    report(oracle.name, batch[question.number], question, mine, other, what)
    for (name, what), count in sorted(counts.items()):
        print(f"{name}: {what or 'same'}: {count}")


if __name__ == "__main__":
    main()
