"""What functions of the policy do with arguments that a schema describes.

A function is looked at once with nothing known of its parameters. Where a call hands it a document of a schema, it is
looked at again: if every one of its definitions asks for a key that the document can never have, the call is a mistake.
"""

from collections.abc import Iterator, Sequence

from procurator_rules.checks.infer import Dependents, Inference
from procurator_rules.checks.program import Program
from procurator_rules.checks.rule_tree import find_exact
from procurator_rules.checks.type_places import Place
from procurator_rules.errors import PolicyError
from procurator_rules.nodes import Body, Ref, Term
from procurator_rules.signatures import signatures_of
from procurator_rules.types import Inferred


class ArgumentTypes:
    """Looks at functions with the types of arguments, once for each types."""

    def __init__(self, program: Program, documents: Place, dependents: Dependents) -> None:
        self._program = program
        self._documents = documents
        signatures = signatures_of(program.options.capabilities)
        self._inference = Inference(documents, signatures, dependents, strict=program.options.strict)
        # With each answer the types it is for, which must stay alive for their ids to stay their own.
        self._known: dict[tuple[object, ...], tuple[Sequence[Inferred], PolicyError | None]] = {}

    def refuses(self, operator: Ref, have: Sequence[Inferred]) -> PolicyError | None:
        """What is wrong in the first definition of a function if something is in each, whatever the arguments are."""
        key = (operator, *map(id, have))
        if key not in self._known:
            self._known[key] = (have, self._look(operator, have))
        return self._known[key][1]

    def _look(self, operator: Ref, have: Sequence[Inferred]) -> PolicyError | None:
        first: PolicyError | None = None
        for args, body, value in self._branches(operator):
            self._inference.start(self._documents)
            if len(args) != len(have) or not all(map(self._inference.match, args, have)):
                continue
            self._inference.body(body)
            if value is not None:
                self._inference.visits[type(value)](value)
            if not self._inference.broken_promises:
                return None
            first = first or self._inference.broken_promises[0]
        return first

    def _branches(self, operator: Ref) -> Iterator[tuple[Sequence[Term], Body, Term | None]]:
        node = find_exact(self._program.tree, operator)
        for definition in node.definitions if node is not None else ():
            rule = self._program.modules[definition.module].rules[definition.index]
            args = rule.head.args or ()
            yield args, rule.body, rule.head.value
            for one in rule.elses:
                yield args, one.body, one.value
