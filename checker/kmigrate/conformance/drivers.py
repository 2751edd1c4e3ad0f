"""Drivers: who decides what comes next in a run.

A driver is a choice source. The ordinary one always takes 0; the others depart from it by a generator that is
seeded for each run and asked in a fixed order. Faults are planned before the run begins, over its whole length:
offered as one more alternative they would burn out at its start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from kmigrate.impl.simulation.choice import ChoiceSource

FAULT = "fault"
"""The kind of the choices that planned faults answer."""

TIMERS = ("timer", ":tick")
"""How the labels of timers end."""

HOLDING_CHANCE = 0.6
"""That what is on its way when a core begins to hurry stays there for a while."""

LATE_CHANCE = 0.7
"""That a core which hurries when it is interrupted takes the interrupt late."""

INTERRUPTS, LETTER = (":sched", ":wakeup"), ":mailbox_message"

ON_THE_WAY, INTERRUPT, LATE = ">", ":sched", " late"
"""What is in the label of a transfer; how that of an interrupt ends, and that of one that may be overtaken."""

FIRST_NODE = 1
"""That of cluster 0 in labels: the I/O cluster of the chips of campaigns has one node."""

FAULT_HORIZON = 70
"""Deliveries among which faults are planned: about two migrations."""

TOUR = "tour"
"""The driver of a run whose choices are known: its values, and then the ordinary course. No campaign draws it."""

KINDS = ("ordinary", "planned", "random", "priorities", "delays", "hurry", "late", "guided")


@dataclass(frozen=True, slots=True)
class Schedule:
    """A driver's parameters as small values: what Hypothesis draws, what a campaign numbers.

    kind       one of KINDS, or TOUR
    seed       of its generator
    boldness   random: the chance, in percent, to depart from the ordinary course at each choice
    changes    planned: how many departures from the ordinary course; priorities: how many times the most urgent
               actor is moved to the end of the line; delays: how many times the first is passed over; hurry: how
               many times a core hurries;
               guided: how many of the values are changed
    faults     (question, answer) of each fault: at the so-many-th delivery this alternative
    values     guided: the choices that are changed and then repeated; tour: those that are made
    patient    random and priorities: timers wait until nothing else is pending, so that runs come far
    """

    kind: str = "ordinary"
    seed: int = 0
    boldness: int = 100
    changes: int = 0
    faults: tuple[tuple[int, int], ...] = ()
    values: tuple[int, ...] = ()
    patient: bool = False

    def driver(self) -> ChoiceSource:
        """A fresh driver with these parameters."""
        made: dict[str, type[Driver]] = {
            "ordinary": Driver,
            "planned": PlannedDriver,
            "random": RandomDriver,
            "priorities": PriorityDriver,
            "delays": DelayDriver,
            "hurry": HurryDriver,
            "late": LateDriver,
            "guided": GuidedDriver,
            TOUR: TourDriver,
        }
        return made[self.kind](self)


def drawn_schedule(random: Random, kinds: Sequence[str], faults: int, horizon: int = FAULT_HORIZON) -> Schedule:
    """The schedule of one run; `faults` are planned among the first `horizon` deliveries that could have one."""
    kind = random.choice(kinds)
    plan = tuple((random.randrange(horizon), random.randint(1, 3)) for _ in range(faults))
    boldness, changes = random.choice((2, 10, 40, 100)), random.randint(1, 6)
    return Schedule(kind, random.randrange(1 << 30), boldness, changes, plan, patient=random.random() < 0.7)


class Driver(ChoiceSource):
    """The ordinary course, but for the planned faults."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.schedule = schedule
        self.random = Random(schedule.seed)  # noqa: S311 - a schedule, not a secret
        self._faults = dict(schedule.faults)
        self._asked = 0
        self.prepare()

    def prepare(self) -> None:
        """Make the plan of a run."""

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """Faults as planned, everything else by `order`."""
        if kind == FAULT:
            self._asked += 1
            return self._faults.get(self._asked - 1, 0) % n
        return self.order(n, labels)

    def order(self, n: int, labels: Sequence[str]) -> int:
        """Which of n comes next."""
        return 0

    def hear(self, cluster: int | None, what: str) -> None:
        """A cluster, or the name service (None), tells of something; most drivers do not listen."""

    def eligible(self, labels: Sequence[str]) -> list[int]:
        """What may come next: timers only where nothing else may, if the schedule is patient."""
        every = range(len(labels))
        return [i for i in every if not (self.schedule.patient and labels[i].endswith(TIMERS))] or list(every)


class PlannedDriver(Driver):
    """The ordinary course but for a few places, planned over the whole run before it begins."""

    HORIZON = 2_000
    """Choices among which the departures are spread: about two migrations on the tiny chip."""

    def prepare(self) -> None:
        """Pick the places."""
        self._planned = {self.random.randrange(self.HORIZON) for _ in range(self.schedule.changes)}

    def order(self, n: int, labels: Sequence[str]) -> int:
        """Anything but 0 at a planned place, 0 elsewhere."""
        return self.random.randrange(1, n) if len(self.made) in self._planned else 0


class DelayDriver(Driver):
    """Delay-bounded: round robin among what is pending, but at a few places the first is passed over.

    Source: Emmi, Qadeer, Rakamaric, "Delay-bounded scheduling" (2011). A delayed label stays behind the others
    until nothing else is pending.
    """

    HORIZON = 2_000
    """Choices among which the delays are spread."""

    def prepare(self) -> None:
        """Pick the places."""
        self._planned = {self.random.randrange(self.HORIZON) for _ in range(self.schedule.changes)}
        self._behind: list[str] = []

    def order(self, n: int, labels: Sequence[str]) -> int:
        """The first that is not delayed; of those delayed the one that has waited longest."""
        ready = [index for index in range(n) if labels[index] not in self._behind]
        if ready and len(self.made) in self._planned and len(ready) > 1:
            self._behind.append(labels[ready.pop(0)])
        if ready:
            return ready[0]
        longest = next(label for label in self._behind if label in labels)
        self._behind.remove(longest)
        return labels.index(longest)


class HurryDriver(Driver):
    """The ordinary course, but at a few moments one core hurries: for a while nothing but what it does goes on.

    A moment is one at which something is offered for the first time in the run: what is rare is short, and would
    not be met by places that are spread evenly. When something is on its way, a kernel hurries with its clock: its
    daemon looks after its attempt, repeats itself and loses patience; what was on its way often stays there for a
    while longer. When a core is interrupted, it is that core, which takes the interrupt early or late.
    """

    ON_THE_WAY, INTERRUPTS = 12, 6
    """Moments of either kind among which those of the hurry are picked: about as many as one migration has."""

    TICKING, RUNNING = (40, 120, 320, 320, 320), (2, 12)
    """Choices that core 0, and any other core, may hurry. In 320 a clock ticks some thirty times."""

    HELD = 60
    """Choices for which what was on its way stays there."""

    def prepare(self) -> None:
        """Pick the moments."""
        random = self.random
        self._clocks = {random.randrange(self.ON_THE_WAY) for _ in range((self.schedule.changes + 1) // 2)}
        self._cores = {random.randrange(self.INTERRUPTS) for _ in range(self.schedule.changes // 2)}
        self._seen: dict[str, bool] = {}
        self._left = self._holding = 0
        self._held: list[str] = []
        self._core = ""
        self._last = ""

    def order(self, n: int, labels: Sequence[str]) -> int:
        """What the hurrying core can do, what is to come last behind; what is not held where none hurries."""
        for label in labels:
            if label not in self._seen:
                self._look(label, labels)
        if not self._left:
            return self._others(n, labels)
        self._left -= 1
        own = [index for index in range(n) if labels[index].startswith(self._core)]
        return min(own, key=lambda index: (labels[index].endswith(self._last), index)) if own else 0

    def _others(self, n: int, labels: Sequence[str]) -> int:
        if not self._holding:
            return 0
        self._holding -= 1
        return next((index for index in range(n) if labels[index] not in self._held), 0)

    def _look(self, label: str, labels: Sequence[str]) -> None:
        """Something is offered for the first time: let a core hurry if this is one of the moments."""
        on_the_way, interrupt = ON_THE_WAY in label, label.endswith(INTERRUPT)
        moment = sum(ON_THE_WAY in seen if on_the_way else seen.endswith(INTERRUPT) for seen in self._seen)
        self._seen[label] = True
        clocks = [one for one in labels if one.endswith(TIMERS)]
        if on_the_way and moment in self._clocks and clocks:
            self._hurry(self.random.choice(clocks), self.random.choice(self.TICKING), TIMERS[-1])
            self._holding = self.HELD if self.random.random() < HOLDING_CHANCE else 0
            self._held = [one for one in labels if ON_THE_WAY in one]
        elif interrupt and moment in self._cores:
            late = self.random.random() < LATE_CHANCE
            self._hurry(label, self.random.randint(*self.RUNNING), INTERRUPT if late else ":run")

    def _hurry(self, label: str, choices: int, last: str) -> None:
        self._core, self._left, self._last = label.partition(":")[0] + ":", choices, last


class LateDriver(Driver):
    """The ordinary course, but at a few moments of the protocol something is kept back while all else goes on.

    A moment is one at which a daemon or the name service tells of something; which of them is drawn by what is
    told, so that what is told once in a move is as likely as what is told for each piece. Kept back for long is the
    next letter that the cluster sends, or all that it sends, or all that is sent to it; for a short while one of
    its cores, or the interrupts of one. A transfer that a fault delays is kept back as well.
    """

    LONG, SHORT = (160, 600, 900, 900, 1_200), (6, 12, 24, 48)
    """For so many choices it is kept back; in more than 600 a daemon loses its patience."""

    FIRST_CHANCE, MORE, MOST = 0.02, 0.05, 0.45
    """That something is kept back for long; the more for all that was told before, since what is kept back early
    often keeps from happening what would be told late."""

    SHORT_CHANCE = 0.3

    OCCASIONS = (0, 0, 0, 0, 1, 2)
    """How often it was told before."""

    def prepare(self) -> None:
        """Nothing is late yet."""
        self._plan: dict[str, tuple[int, bool]] = {}
        self._told: dict[str, int] = {}
        self._back: list[tuple[int, Callable[[str], bool]]] = []
        self._until: dict[str, int] = {}

    def order(self, n: int, labels: Sequence[str]) -> int:
        """The first that is not kept back; the first of all where everything is."""
        turns = len(self.made)
        self._back = [one for one in self._back if one[0] > turns]
        return next((i for i in range(n) if not self._kept_back(labels[i])), 0)

    def _kept_back(self, label: str) -> bool:
        if label.endswith(LATE):
            if label not in self._until:
                self._until[label] = len(self.made) + self.random.choice(self.LONG)
            return len(self.made) < self._until[label]
        return any(holds(label) for _, holds in self._back)

    def hear(self, cluster: int | None, what: str) -> None:
        """Something is told: keep something back if this is one of the moments."""
        random = self.random
        if what not in self._plan:
            chance = min(self.FIRST_CHANCE + self.MORE * len(self._plan), self.MOST)
            drawn, occasion = random.random(), random.choice(self.OCCASIONS)
            self._plan[what] = (occasion if drawn < chance + self.SHORT_CHANCE else -1, drawn < chance)
        count = self._told.get(what, 0)
        self._told[what] = count + 1
        occasion, long = self._plan[what]
        if count == occasion and cluster is not None:
            choices = random.choice(self.LONG if long else self.SHORT)
            holds = self._transfers(cluster) if long else self._core(cluster)
            self._back.append((len(self.made) + choices, holds))

    def _transfers(self, cluster: int) -> Callable[[str], bool]:
        """Which labels of transfers are kept back."""
        node, which = f"n{FIRST_NODE + cluster}", self.random.randrange(6)
        if which == 0:
            return lambda label: label.startswith(node + ON_THE_WAY)
        if which == 1:
            return lambda label: ON_THE_WAY + node + ":" in label
        return _Next(node + ON_THE_WAY, LETTER)

    def _core(self, cluster: int) -> Callable[[str], bool]:
        """Which labels of a core are kept back."""
        core = f"c{cluster}.{self.random.randrange(3)}:"
        if self.random.random() < 0.5:
            return lambda label: label.startswith(core)
        return lambda label: label.startswith(core) and label.endswith(INTERRUPTS)


class _Next:
    """Holds the first label of those that start and end so, and no other."""

    def __init__(self, start: str, end: str) -> None:
        self._start, self._end, self._found = start, end, ""

    def __call__(self, label: str) -> bool:
        if not self._found and label.startswith(self._start) and label.endswith(self._end):
            self._found = label
        return label == self._found


class RandomDriver(Driver):
    """Departs from the ordinary course with a fixed chance at each choice."""

    def order(self, n: int, labels: Sequence[str]) -> int:
        """Any of the n, or 0."""
        if self.random.randrange(100) >= self.schedule.boldness:
            return 0
        return self.random.choice(self.eligible(labels))


class PriorityDriver(Driver):
    """Probabilistic concurrency testing: actors in a random order of urgency, which changes a few times.

    Source: Burckhardt et al., "A randomized scheduler with probabilistic guarantees of finding bugs" (2010).
    An actor is a label; a new one is put at a random place of the line.
    """

    HORIZON = 2_000
    """Choices among which the change points are spread."""

    def prepare(self) -> None:
        """Pick the change points."""
        self._line: list[str] = []
        self._changes = {self.random.randrange(self.HORIZON) for _ in range(self.schedule.changes)}
        self._turns = 0

    def order(self, n: int, labels: Sequence[str]) -> int:
        """The most urgent of the n."""
        for label in labels:
            if label not in self._line:
                self._line.insert(self.random.randint(0, len(self._line)), label)
        self._turns += 1
        chosen = min(self.eligible(labels), key=lambda index: (self._line.index(labels[index]), index))
        if self._turns in self._changes:
            self._line.remove(labels[chosen])
            self._line.append(labels[chosen])
        return chosen


class GuidedDriver(Driver):
    """Repeats the choices of a run that found something new, a few of them changed; past their end, ordinary."""

    def prepare(self) -> None:
        """Change some values, drop or repeat a stretch now and then."""
        values, random = list(self.schedule.values), self.random
        for _ in range(self.schedule.changes):
            place = random.randint(0, len(values))
            kind = random.randrange(4)
            if kind == 0 and values:
                del values[place % len(values)]
            elif kind == 1:
                values.insert(place, random.randrange(6))
            elif kind == 2:
                del values[place:]
                values += [
                    random.randrange(4) if random.random() < 0.3 else 0 for _ in range(random.randint(1, 40))
                ]
            elif values:
                values[place % len(values)] = random.randrange(8)
        self._values = values

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """The next value, whatever is asked."""
        place = len(self.made)
        return self._values[place] % n if place < len(self._values) else 0


class TourDriver(Driver):
    """Makes the choices of a tour."""

    def decide(self, n: int, kind: str, labels: Sequence[str]) -> int:
        """The next value; past the end the ordinary course."""
        place, values = len(self.made), self.schedule.values
        return values[place] % n if place < len(values) else 0
