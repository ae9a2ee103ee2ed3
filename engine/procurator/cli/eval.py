"""`procurator eval`."""

from typing import Any

import click

from procurator.cli.eval_flags import Flags, check, options
from procurator.cli.eval_output import show
from procurator.cli.eval_report import report_of
from procurator.cli.eval_run import prepare
from procurator.query import INTERNAL
from procurator.values import DepthError
from procurator_rules.errors import PolicyError

FINE = 0
NOT_SO = 1
ERROR = 2


@click.command("eval")
@options
def command(**given: Any) -> int:
    """Evaluate a query, such as `data.app.allow` or `x := 1; x > 0`, and print its result.

    Policies and documents come from --data and --bundle, the input from --input or --stdin-input. What a policy prints
    goes to standard error.
    """
    flags = Flags(**given)
    check(flags)
    evaluation = prepare(flags)
    if flags.show_code:
        click.echo(evaluation.code(), nl=False)
        return FINE
    outcomes = [evaluation.run() for _ in range(flags.count)]
    first = outcomes[0]
    try:
        show(report_of(outcomes), flags.style)
    except DepthError as error:
        raise PolicyError(INTERNAL, f"the result cannot be printed: {error}") from None
    if first.failed:
        return ERROR
    return NOT_SO if (flags.fail and not first.answers) or (flags.fail_defined and first.answers) else FINE
