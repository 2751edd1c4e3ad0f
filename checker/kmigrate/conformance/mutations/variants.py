"""Mutants of the judge, benign variants of the machine, one machine that depends on chance, and all by name.

A judge mutant weakens the judge, so that what it found before it finds no more; a benign variant is another way to
be right, and must not be found.
"""

from __future__ import annotations

from kmigrate.conformance.errors import ConformanceError
from kmigrate.conformance.mutations.mutants import MACHINE
from kmigrate.conformance.mutations.mutation import Mutant

_JUDGE = "conformance.judging.judge:"
_LOOK = "conformance.systems.look:ClusterLook."
_PICTURE = "conformance.systems.look:Picture."

JUDGE: tuple[Mutant, ...] = (
    Mutant(
        "guards-unasked",
        _JUDGE + "Oracle.after",
        "        return None\n",
        "        return state\n",
        "an action that is not enabled is let pass as a stutter",
    ),
    Mutant(
        "differences-unseen", _JUDGE + "_agrees", "return seen == state or", "return True or", "any state will do"
    ),
    Mutant(
        "end-unasked",
        "conformance.runs.run:_at_rest",
        "None if wrong is None else",
        "None if True else",
        "any end is fair",
    ),
    Mutant(
        "content-unseen",
        _LOOK + "_of_place",
        "(standing,) * whole",
        "(nobody,) * whole",
        "memory is never looked at",
    ),
    Mutant(
        "holds-unseen",
        _LOOK + "_of_kernel",
        "int(self._kernel.scheduler.held)",
        "None",
        "no cluster is ever seen held",
    ),
    Mutant(
        "names-unseen",
        _PICTURE + "codes",
        'base[first["owner"] + process] = owner - self._node',
        'base[first["owner"] + process] = None',
        "the name service is not looked at",
    ),
    Mutant(
        "threads-unseen",
        _LOOK + "_of_kernel",
        '("life", tuple(look.threads()))',
        '("life", (None,) * self._threads)',
        "no thread is looked at",
    ),
)
"""Weakened judges: something that was found must be found no more."""

BENIGN: tuple[Mutant, ...] = (
    Mutant("often-again", "impl.daemon.hardened:AGAIN", "", "16", "says things again more often"),
    Mutant("seldom-again", "impl.daemon.hardened:AGAIN", "", "2", "says things again less often"),
    Mutant(
        "other-sweep",
        "impl.kernel.calls:Calls.serve",
        "self._next_core = (core + 1) % self._boards.count",
        "self._next_core = 0",
        "the master serves the boards in another order",
    ),
    Mutant(
        "refused-otherwise",
        "impl.daemon.destination:DestinationSide._why_not",
        "return Refusal.RESERVED",
        "return Refusal.OCCUPIED",
        "another reason",
    ),
    Mutant(
        "reserved-unasked",
        "impl.daemon.destination:DestinationSide._why_not",
        "if self.current is not None or station.pages_apart:",
        "if False:",
        "`bury`, which is asked next, says no in the same cases: the reason alone is another",
    ),
    Mutant(
        "installed-unasked",
        "impl.daemon.destination:DestinationSide.heed",
        "letter.kind is Kind.YES and record.phase is DestinationPhase.INSTALLED",
        "letter.kind is Kind.YES",
        "YES follows a commit, which follows INST: nobody says it to a destination that still stages",
    ),
    Mutant(
        "boards-unasked-at-rest",
        "impl.kernel.freeze:Freezing.at_rest",
        "and not self._boards.user_call_pending()",
        "",
        "while a call is pending the master is ready, and with a thread of the system in the READY queue nothing "
        "is quiet: the daemons ask that as well",
    ),
)
"""Other ways to be right: none may be found."""

CHANCE = Mutant(
    "set-order",
    "impl.daemon.attempt:Attempt.facts",
    """return {
        "process": self.container,
        "source": self.source,
        "destination": self.destination,
        "epoch": self.epoch,
    }""",
    """return {
        word: self.container if word == "process" else getattr(self, word)
        for word in {"process", "source", "destination", "epoch"}
    }""",
    "daemons tell in the order of a set, which is another in each process",
)
"""Conforms, but is another machine wherever strings have other hashes."""


class NoSuchMutant(ConformanceError):
    """No mutant has this name."""

    def __init__(self, name: str) -> None:
        known = ", ".join(mutant.name for mutant in PLANTABLE)
        super().__init__(f"no mutant is called {name!r}; there are {known}")
        self.name = name


PLANTABLE = (*MACHINE, *BENIGN, CHANCE)
"""All changed machines."""


def planted(name: str) -> Mutant | None:
    """The changed machine of this name; None for the empty name. Raises NoSuchMutant."""
    if not name:
        return None
    found = next((mutant for mutant in PLANTABLE if mutant.name == name), None)
    if found is None:
        raise NoSuchMutant(name)
    return found
