"""Mutants of the judge, and benign variants of the machine.

A judge mutant weakens the judge, so that what it found before it finds no more; a benign variant is another way to
be right, and must not be found.
"""

from __future__ import annotations

from kmigrate.conformance.mutation import Mutant

_SOURCE = "impl.migration.source:SourceSide."
_THERE = "impl.migration.destination:DestinationSide."
_STATION = "impl.migration.station:"
_JUDGE = "conformance.judge:"

JUDGE: tuple[Mutant, ...] = (
    Mutant(
        "guards-unasked",
        _JUDGE + "Oracle.after",
        "        return None\n",
        "        return state\n",
        "an action that is not enabled is let pass as a stutter",
    ),
    Mutant(
        "differences-unseen",
        "conformance.judge:_agrees",
        "return seen == state or",
        "return True or",
        "any state will do",
    ),
    Mutant(
        "properties-unasked",
        _JUDGE + "Oracle.broken",
        "if not self.interpreter.true(",
        "if False and self.interpreter.true(",
        "no invariant is ever false",
    ),
    Mutant(
        "end-unasked",
        "conformance.run:_at_rest",
        "None if wrong is None else",
        "None if True else",
        "any end is fair",
    ),
    Mutant(
        "stalls-unseen",
        "conformance.protocols:Migration.stalled",
        "if not pending or any(",
        "if pending or any(",
        "a machine that waits for a timer alone is let wait",
    ),
    Mutant(
        "content-unseen",
        "conformance.abstraction:HardenedLook._content",
        "nobody if standing is None or section >= trusted else standing",
        "nobody",
        "memory is never looked at",
    ),
    Mutant(
        "freezing-unseen",
        "conformance.abstraction:HardenedLook._content",
        "self.standing.frozen[cluster]",
        "False",
        "no cluster is ever seen frozen",
    ),
    Mutant(
        "names-unseen",
        "conformance.abstraction:HardenedLook._records",
        "base[owner : owner + processes] = self.machine.names.owner",
        "pass",
        "the name service is not looked at",
    ),
)
"""Weakened judges: something that was found must be found no more."""

BENIGN: tuple[Mutant, ...] = (
    Mutant("slow-pieces", "impl.hal.portal:PIECE_CYCLES", "", "900000", "a slower wire"),
    Mutant("fast-pieces", "impl.hal.portal:PIECE_CYCLES", "", "10", "a faster wire"),
    Mutant("slow-messages", "impl.hal.mailbox:MESSAGE_CYCLES", "", "400000", "slower messages"),
    Mutant(
        "slow-barrier", "impl.migration.source:BARRIER_CYCLES", "", "5000000", "cores that are long in the kernel"
    ),
    Mutant("short-timeout", "impl.migration.destination:TIMEOUT_CYCLES", "", "1000", "an impatient destination"),
    Mutant(
        "newest-first",
        _STATION + "Inbox._run",
        "arrivals.pop(chosen)",
        "arrivals.pop(-1 - chosen)",
        "another order",
    ),
    Mutant(
        "other-refusal",
        _THERE + "admit",
        "reason = Refusal.RESERVED",
        "reason = Refusal.OCCUPIED",
        "another reason",
    ),
    Mutant("refused-otherwise", _SOURCE + "request", 'reason = "vacant"', 'reason = "absent"', "another word"),
)
"""Other ways to be right: none may be found."""
