"""A process of the machine as the outside knows it.

Source: ours.
"""

from dataclasses import dataclass
from enum import Enum

from kmigrate.impl.programs.program import UserProgram


class Phase(Enum):
    """Where a process is in its life."""

    ASKED = "asked"
    LOADING = "loading"
    RUNNING = "running"
    ENDED = "ended"
    REFUSED = "refused"
    CRASHED = "crashed"
    LOST = "lost"
    """Pages of it were still to come when the cluster stopped that it had left."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that was asked for, by its logical name.

    number   of its spawn
    program  what it runs
    """

    name: str
    number: int
    program: UserProgram
