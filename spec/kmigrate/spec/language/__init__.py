"""The specification language: plain Python that is executed on values and traced into terms.

Everything here but `proxy` and `trace` works without a solver; ask for those by their own names.
"""

from kmigrate.spec.language.declare import (
    action,
    always_eventually,
    eventually,
    initial,
    invariant,
    leads_to,
    recoverable,
    strongly_fair,
    terminal,
    weakly_fair,
)
from kmigrate.spec.language.errors import SpecError
from kmigrate.spec.language.model import Model
from kmigrate.spec.language.sorts import Identity, Member, Range
from kmigrate.spec.language.variable import ANY, Map, array, parameter, switches, variable
from kmigrate.spec.language.words import at_most_one, count, each, exists, forall, implies, one_of, require, whether

__all__ = [
    "ANY",
    "Identity",
    "Map",
    "Member",
    "Model",
    "Range",
    "SpecError",
    "action",
    "always_eventually",
    "array",
    "at_most_one",
    "count",
    "each",
    "eventually",
    "exists",
    "forall",
    "implies",
    "initial",
    "invariant",
    "leads_to",
    "one_of",
    "parameter",
    "recoverable",
    "require",
    "strongly_fair",
    "switches",
    "terminal",
    "variable",
    "weakly_fair",
    "whether",
]
