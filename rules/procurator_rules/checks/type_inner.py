"""Bodies inside lines where the rules are not strict: their references lead somewhere, their lines have no types.

OPA looks at `every`, `not { … }`, `and` and `or` in this way, so a policy that it accepts is not refused for lines of
theirs that can never hold. Comprehensions and template strings in them are looked at as anywhere else.
"""

from procurator_rules.checks.type_errors import not_a_collection
from procurator_rules.checks.type_references import ReferenceTypes
from procurator_rules.nodes import Call, Ref, SomeDecl, Var
from procurator_rules.spans import Span


class InnerLines(ReferenceTypes):
    """Looks at lines and terms for the references in them; nothing else is known of what they stand for."""

    def reference_alone(self, ref: Ref) -> None:
        """A reference into documents, or into what a variable from outside of the body is; its own type stays open."""
        if isinstance(ref.terms[0], Var):
            self.reference(ref)
        else:
            for term in ref.terms:
                self.visits[type(term)](term)
        self.known[id(ref)] = None

    def arguments(self, call: Call, _at: Span | None = None) -> None:
        """The arguments of a call, whatever function it is."""
        visits = self.visits
        for arg in call.args:
            visits[type(arg)](arg)
        self.known[id(call)] = None

    def iteration(self, declaration: SomeDecl, _at: Span) -> None:
        """`some k, v in xs`: whether the document that it iterates over is a collection."""
        call = declaration.symbols[0]
        if not isinstance(call, Call):
            return
        *patterns, domain = call.args
        for pattern in patterns:
            self.visits[type(pattern)](pattern)
        if not isinstance(domain, Ref) or not isinstance(domain.terms[0], Var):
            self.visits[type(domain)](domain)
            return
        whole = self.reference(domain)
        if whole is not None and whole.keys() is None and not whole.holds_nothing:
            member = Ref((*domain.terms, patterns[0] if len(patterns) > 1 else Var("$0")), span=domain.span)
            self.errors.append(not_a_collection(member, len(domain.terms) - 1, whole))
