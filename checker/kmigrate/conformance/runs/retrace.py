"""Counterexamples of the model played on the machine: the published hazards really happen there.

A shortest counterexample of the published protocol says which threads ask for a move, and in which order daemons
tell one another, take requests and finish. A machine with as many clusters and processes is set up, and a driver
lets, of all that is pending, that come next which serves the cluster whose turn it is in the counterexample. What a
daemon does sooner than there is done. Whether the hazard has happened is said by its sign, which knows nothing of
the counterexample.

Source: nanvix-facts 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from kmigrate.checker import Violated, check
from kmigrate.conformance.runs.run import Oracles, Outcome, judged
from kmigrate.conformance.settings.courses import TIMERS, Driver
from kmigrate.conformance.settings.drivers import Schedule, drawn_schedule
from kmigrate.conformance.settings.moments import FIRST_NODE, LETTER, ON_THE_WAY
from kmigrate.conformance.settings.programs import GO, Script
from kmigrate.conformance.settings.setting import Crash, Setting, Wish
from kmigrate.conformance.systems.systems import systems
from kmigrate.spec.hazard import Hazard

TOLD = {
    "kmigrate_to": "migration_called",
    "tell_receiver": "receiver_told",
    "tell_self": "self_told",
    "tell_nobody": "nobody_told",
    "take_from": "from_taken",
    "take_to": "to_taken",
    "finish": "finished",
}
"""Action of the published protocol → what a published daemon tells when it does that. Sections are left to the
daemons here; `validate` reads the same words the other way."""

_INSIDE = "a step inside one kernel, of which the protocol's daemons tell nothing; campaigns look for its sign"

TAKES = ("from_taken", "to_taken")
"""What a daemon tells when a letter has come."""

NOT_PLAYED = {
    "forge": "a forged message: no program of a campaign writes to a port of the system",
    "freeze": _INSIDE,
    "machine": _INSIDE,
    "mstate": "a list that changes between two pieces, of which no daemon tells; campaigns look for its sign",
    "memory": "a word or a line, finer than an event of the machine",
    "channels": "a slot or a credit, finer than an event of the machine",
    "modes": "another mode of the hardened daemons; the published ones have one",
    "order": "another order of the ten states; the daemons have one",
}
"""Why counterexamples of a level, or with an action, are not played."""


NOT_SEEN = "its sign is not seen, neither in the counterexample's order nor in the others that were tried"

TRIED, TRIES = ("random", "hurry", "late", "priorities"), 24
"""What else is tried with the same requests where the counterexample's order does not show the hazard: what one
kernel does comes in the order of its tasks, which no schedule changes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A cluster, and what its daemon is to tell next."""

    cluster: int
    what: str


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a counterexample on the machine.

    done     so many of its steps that are told were made, `early` of them before their turn; `steps` there are
    where    where the hazard's sign was seen; empty if it was not
    driver   the driver under which it was seen with the same requests in another order; empty if in its own
    reason   why it was not played, or not seen
    """

    hazard: str
    done: int = 0
    early: int = 0
    steps: int = 0
    where: str = ""
    driver: str = ""
    reason: str = ""


class RetraceDriver(Driver):
    """Lets that come next which serves the cluster whose turn it is.

    wanted  what is still to be told
    early   what was told before its turn
    """

    def __init__(self, wanted: Sequence[Wanted]) -> None:
        super().__init__(Schedule())
        self.wanted = list(wanted)
        self.early = 0

    def order(self, n: int, labels: Sequence[str]) -> int:
        """What the cluster needs for what it is to tell; the ordinary course where nothing is pending for it."""
        return min(range(n), key=lambda index: (self._distance(labels[index]), index)) if self.wanted else 0

    def _distance(self, label: str) -> int:
        """How little a label has to do with what is wanted next."""
        cluster, what = self.wanted[0].cluster, self.wanted[0].what
        node, takes = f"n{FIRST_NODE + cluster}", what in TAKES
        if label.startswith(f"c{cluster}.") and not label.endswith(TIMERS):
            return 0
        if ON_THE_WAY + node + ":" in label:
            return 2 if takes or not label.endswith(LETTER) else 5
        if label.startswith(node + ON_THE_WAY):
            return 3
        return 6 if label.endswith(TIMERS) else 4

    def hear(self, cluster: int | None, what: str) -> None:
        """One step of the counterexample has been made."""
        made = Wanted(-1 if cluster is None else cluster, what)
        if made in self.wanted:
            self.early += self.wanted[0] != made
            self.wanted.remove(made)


def play(hazard: Hazard) -> Played:
    """Play a hazard's shortest counterexample on the machine, if it is one of the published protocol."""
    if hazard.level != "protocol" or hazard.shown_in != "published":
        reason = "the hardened protocol without a mechanism, which the hardened daemons do not lack"
        return Played(hazard.id, reason=NOT_PLAYED.get(hazard.level, reason))
    verdict = check(hazard.without()).answer(hazard.property).verdict
    assert isinstance(verdict, Violated)
    actions = [step.action for step in verdict.trace.steps]
    if any(action.name == "forge" for action in actions):
        return Played(hazard.id, reason=NOT_PLAYED["forge"])
    wanted = [
        Wanted(_number(next(iter(action.arguments.values()))), TOLD[action.name])
        for action in actions
        if action.name in TOLD
    ]
    calls = [action.arguments for action in actions if action.name == "kmigrate_to"]
    moves = [(_number(call["source"]), _number(call["destination"])) for call in calls]
    driver, oracles = RetraceDriver(wanted), Oracles(systems("published"))
    setting = _setting(hazard, moves, themselves=True)
    where = _where(hazard, judged(setting, driver, oracles))
    done = len(wanted) - len(driver.wanted)
    if where:
        return Played(hazard.id, done, driver.early, len(wanted), where)
    for number in range(TRIES):
        setting = _setting(hazard, moves, themselves=number % 2 == 1)
        schedule = drawn_schedule(Random(number), TRIED, 0) if number > 1 else Schedule()  # noqa: S311 - no secret
        where = _where(hazard, judged(setting, schedule.driver(), oracles))
        if where:
            return Played(hazard.id, done, driver.early, len(wanted), where, schedule.kind)
    return Played(hazard.id, done, driver.early, len(wanted), reason=NOT_SEEN)


def _setting(hazard: Hazard, moves: list[tuple[int, int]], *, themselves: bool) -> Setting:
    """As many clusters and processes; each asks for itself; or third parties ask, as where one is asked twice."""
    clusters: int = hazard.parameters["clusters"]
    processes: int = hazard.parameters["processes"]
    absent = hazard.parameters.get("absent", 0)
    once = themselves and len({source for source, _ in moves}) == len(moves)
    away: dict[int, int] = dict(moves) if once else {}
    scripts = tuple(
        Script(away.get(process, (process + 1) % clusters), (GO,) if process in away else ())
        for process in range(processes)
    )
    wishes = () if once else tuple(Wish(source, destination) for source, destination in moves)
    crashes = tuple(Crash(0, cluster) for cluster in range(clusters - absent, clusters))
    return Setting("published", clusters, scripts=scripts, wishes=tuple(sorted(wishes)), crashes=crashes)


def _number(cluster: Any) -> int:
    """Its place among all clusters."""
    place: int = cluster.index
    return place


def _where(hazard: Hazard, outcome: Outcome) -> str:
    return next((sighting.where for sighting in outcome.hazards if sighting.hazard == hazard.id), "")
