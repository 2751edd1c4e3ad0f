"""Why each mechanism of the hardened protocol is there: the smallest model in which its absence breaks something.

What it breaks, and in how many steps, is for the checker to find; here stand only the sizes at which to look.
"""

from collections.abc import Mapping

from kmigrate.spec.protocol import Hardened
from kmigrate.spec.vocabulary import HARDENED_MECHANISMS, Mechanism

_ALONE = {"clusters": 2, "processes": 1, "attempts": 2}

SIZES: Mapping[Mechanism, Mapping[str, int]] = {
    Mechanism.ADMISSION: {"clusters": 2, "processes": 2, "attempts": 2},
    Mechanism.RESERVATION: {"clusters": 3, "processes": 2, "attempts": 2},
    Mechanism.STALE_REFUSAL: {"clusters": 3, "processes": 1, "attempts": 2, "lasting": 1},
    Mechanism.SOURCE_WAITS: _ALONE,
    Mechanism.DESTINATION_WAITS: _ALONE,
    Mechanism.DISCARD_AFTER_ANSWER: _ALONE,
    Mechanism.RUN_AFTER_ANSWER: _ALONE,
    Mechanism.FENCING: _ALONE,
    Mechanism.EPOCH_CHECK: _ALONE,
    Mechanism.COMMIT_MEMORY: {"clusters": 2, "processes": 1, "attempts": 1, "duplicates": 1},
    Mechanism.LEFT_MEANS_COMMITTED: {"clusters": 3, "processes": 1, "attempts": 2, "lasting": 1},
    Mechanism.NACK_GATE: {"clusters": 2, "processes": 1, "attempts": 1, "duplicates": 1},
    Mechanism.SILENCE: {"clusters": 2, "processes": 1, "attempts": 1, "duplicates": 1},
    Mechanism.SOURCE_TIMEOUT: {**_ALONE, "losses": 1},
    Mechanism.SOURCE_QUESTION: {**_ALONE, "losses": 1},
    Mechanism.DESTINATION_TIMEOUT: _ALONE,
    Mechanism.DESTINATION_QUESTION: {**_ALONE, "losses": 1},
}
"""Mechanism → parameters of the model to be checked without it."""


def without(mechanism: Mechanism) -> Hardened:
    """The hardened protocol without one mechanism, where its absence shows."""
    return Hardened(mechanisms=HARDENED_MECHANISMS - {mechanism}, **SIZES[mechanism])


def whole(mechanism: Mechanism) -> Hardened:
    """The hardened protocol at the same size with all its mechanisms."""
    return Hardened(**SIZES[mechanism])


MEANINGS: Mapping[Mechanism, str] = {
    Mechanism.ADMISSION: "a destination that holds a process refuses",
    Mechanism.RESERVATION: "granted room is set aside",
    Mechanism.STALE_REFUSAL: "a request not newer than all seen is refused",
    Mechanism.SOURCE_WAITS: "after COM the source awaits the answer",
    Mechanism.DESTINATION_WAITS: "after INSTALLED the destination awaits an answer",
    Mechanism.DISCARD_AFTER_ANSWER: "the source discards on CYES, not on COM",
    Mechanism.RUN_AFTER_ANSWER: "the copy runs on YES, not when it is complete",
    Mechanism.FENCING: "the destination's question rules a later commit out",
    Mechanism.EPOCH_CHECK: "the record compares epochs, not owners alone",
    Mechanism.COMMIT_MEMORY: "a repeated COM is answered CYES",
    Mechanism.LEFT_MEANS_COMMITTED: "CYES wherever the process has left the source",
    Mechanism.NACK_GATE: "a NACK is not heeded while COMMITTING",
    Mechanism.SILENCE: "a stale INST is dropped, not answered NO",
    Mechanism.SOURCE_TIMEOUT: "the source may give up before COM",
    Mechanism.SOURCE_QUESTION: "the source may ask while COMMITTING",
    Mechanism.DESTINATION_TIMEOUT: "the destination may give up while staging",
    Mechanism.DESTINATION_QUESTION: "the destination may ask while INSTALLED",
}
"""Mechanism → a few words."""
