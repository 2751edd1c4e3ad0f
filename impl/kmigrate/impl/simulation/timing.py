"""How long things take in the whole machine, in cycles of 400 MHz: every parameter of its time, in one place.

Time is spent where the mechanisms of the kernel spend it: the dispatcher takes a task, core 0 walks past the
threads in the one READY queue, a piece is copied and carried, a thread waits until another's quantum is over. What
an operation as a whole takes follows from how often these happen; no time of a migration stands anywhere.

Source: ours. Which of the numbers are fitted to measurements of the real chip, and which the measurements cannot
tell apart, is said of each in `PARAMETERS`; `kmigrate experiment calibrate` fits them.
"""

from dataclasses import dataclass
from enum import StrEnum

from kmigrate.impl.errors import BadConfiguration

LONGEST = 1 << 40
"""Longest time, in cycles, and longest quantum, in ticks."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The time that things take, in cycles.

    slice            most that a core runs user code in one event: how finely accesses of cores interleave
    quantum          ticks after which a thread gives its core away
    tick_cycles      period of the timer
    step_cycles      a step of the kernel: a call carried on, a board served, an interrupt or a prolog
    post_cycles      a step in which a call is left for the master, until its caller goes to sleep
    dispatch_cycles  the dispatcher takes a task, besides the step itself
    passed_cycles    a thread that a core walks past in the READY queue
    message_cycles   what software adds to a mailbox message
    piece_cycles     what software adds to a piece of a portal
    signal_cycles    what software adds to a signal, a permission or an acknowledgement
    patience         ticks after which a side of a migration looks after what has got no answer
    Raises           BadConfiguration
    """

    slice: int = 10_000
    quantum: int = 128
    tick_cycles: int = 31_203
    step_cycles: int = 500
    post_cycles: int = 20
    dispatch_cycles: int = 13_637
    passed_cycles: int = 90
    message_cycles: int = 1_900
    piece_cycles: int = 110_041
    signal_cycles: int = 950
    patience: int = 400

    def __post_init__(self) -> None:
        least = {"slice": 1, "quantum": 1, "tick_cycles": 1, "step_cycles": 1, "post_cycles": 1, "patience": 1}
        for what in self.__slots__:
            value: int = getattr(self, what)
            if not least.get(what, 0) <= value <= LONGEST:
                raise BadConfiguration(what, value, f"it must be in {least.get(what, 0)}..{LONGEST}")


class Origin(StrEnum):
    """Where the number of a parameter comes from."""

    PUBLISHED = "published"
    FITTED = "fitted"
    ASSUMED = "assumed"
    OURS = "ours"
    """It belongs to the simulation or to the hardened protocol, not to the real chip."""


PARAMETERS = {
    "slice": (Origin.OURS, "an interrupt is taken at the end of a slice; the experiments' is longer"),
    "quantum": (Origin.PUBLISHED, "THREAD_QUANTUM"),
    "tick_cycles": (Origin.FITTED, "from the jump at 16 threads; how many quanta it has is fitted too"),
    "step_cycles": (Origin.ASSUMED, "the measurements see only its sum with those of dispatches and pieces"),
    "post_cycles": (Origin.ASSUMED, "a caller sleeps long before it is answered; only that order is seen"),
    "dispatch_cycles": (Origin.FITTED, "from the part of a down time that does not depend on what moves"),
    "passed_cycles": (Origin.FITTED, "from what a piece takes longer with more threads frozen"),
    "message_cycles": (Origin.ASSUMED, "a migration has two mailbox messages: not seen"),
    "piece_cycles": (Origin.FITTED, "from what a piece takes beyond its dispatches; bytes and messages not apart"),
    "signal_cycles": (Origin.ASSUMED, "the measurements see only its sum with piece_cycles"),
    "patience": (Origin.OURS, "the published protocol waits for ever"),
}
"""What is known of each parameter: where its number comes from, and what the measurements can tell of it."""
