"""The checker: engines that decide the properties of a model, and the verdicts they give."""

from kmigrate.checker.engines import ENGINES, Limits, check
from kmigrate.checker.errors import CheckerError
from kmigrate.checker.trace import Step, Trace
from kmigrate.checker.verdict import Answer, Holds, Report, Undetermined, Verdict, Violated

__all__ = [
    "ENGINES",
    "Answer",
    "CheckerError",
    "Holds",
    "Limits",
    "Report",
    "Step",
    "Trace",
    "Undetermined",
    "Verdict",
    "Violated",
    "check",
]
