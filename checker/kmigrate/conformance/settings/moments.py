"""Drivers that wait for moments of a run, and then let something hurry, be late, or take its turn.

What is rare is short: places that are spread evenly over a run would not meet it. So these drivers listen to what
is offered for the first time, and to what daemons and the name service tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kmigrate.conformance.settings.courses import TIMERS, Driver

HOLDING_CHANCE = 0.6
"""That what is on its way when a core begins to hurry stays there for a while."""

LATE_CHANCE = 0.7
"""That a core which hurries when it is interrupted takes the interrupt late."""

INTERRUPTS, LETTER = (":sched", ":wakeup"), ":mailbox_message"

ON_THE_WAY, INTERRUPT, LATE = ">", ":sched", " late"
"""What is in the label of a transfer; how that of an interrupt ends, and that of one that may be overtaken."""

FIRST_NODE = 1
"""That of cluster 0 in labels: the I/O cluster of the chips of campaigns has one node."""


class HurryDriver(Driver):
    """The ordinary course, but at a few moments one core hurries: for a while nothing but what it does goes on.

    A moment is one at which something is offered for the first time in the run: what is rare is short, and would
    not be met by places that are spread evenly. When something is on its way, a kernel hurries with its clock: its
    daemon looks after its attempt, repeats itself and loses patience; what was on its way often stays there for a
    while longer. When a core is interrupted, it is that core, which takes the interrupt early or late.
    """

    TRANSFERS, INTERRUPTED = 12, 6
    """Moments of either kind among which those of the hurry are picked: about as many as one migration has."""

    TICKING, RUNNING = (40, 120, 320, 320, 320), (2, 12)
    """Choices that core 0, and any other core, may hurry. In 320 a clock ticks some thirty times."""

    HELD = 60
    """Choices for which what was on its way stays there."""

    def prepare(self) -> None:
        """Pick the moments."""
        random = self.random
        self._clocks = {random.randrange(self.TRANSFERS) for _ in range((self.schedule.changes + 1) // 2)}
        self._cores = {random.randrange(self.INTERRUPTED) for _ in range(self.schedule.changes // 2)}
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

    LONG, SHORT = (160, 900, 900, 1_200, 1_200), (6, 12, 24, 48)
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


class TurnsDriver(Driver):
    """The ordinary course, but from some moments of the protocol on all take turns for a while, user code as well.

    In the ordinary course user code waits until nothing else is pending, so that a kernel has nothing left to do
    whenever a thread calls it. Where all take turns, threads run between any two steps of a daemon. Often the
    interrupts of the cluster that told are kept back meanwhile, so that its threads run on past what holds them.
    """

    FIRST = 6
    """Moments, each something that a cluster tells for the first time, of which one is the first."""

    MORE_CHANCE, HELD_CHANCE = 0.3, 0.6
    """That all take turns at a later one; that interrupts are kept back meanwhile."""

    TURNS, HELD = (40, 160, 400), (12, 24, 48)
    """For so many choices."""

    def prepare(self) -> None:
        """Pick the first moment."""
        self._first = self.random.randrange(self.FIRST)
        self._heard: dict[tuple[int, str], bool] = {}
        self._taken: dict[str, int] = {}
        self._until = self._held_until = 0
        self._held = ""

    def order(self, n: int, labels: Sequence[str]) -> int:
        """Where all take turns, what was taken longest ago."""
        turn = len(self.made)
        free = [i for i in range(n) if turn >= self._held_until or not self._kept_back(labels[i])] or [0]
        if turn >= self._until:
            return free[0]
        chosen = min(free, key=lambda i: (self._taken.get(labels[i], -1), i))
        self._taken[labels[chosen]] = turn
        return chosen

    def _kept_back(self, label: str) -> bool:
        return label.startswith(self._held) and label.endswith(INTERRUPTS)

    def hear(self, cluster: int | None, what: str) -> None:
        """Something is told: let all take turns if this is one of the moments."""
        if cluster is None or (cluster, what) in self._heard:
            return
        random, turn, moment = self.random, len(self.made), len(self._heard)
        self._heard[cluster, what] = True
        if moment == self._first or (moment > self._first and random.random() < self.MORE_CHANCE):
            self._until = turn + random.choice(self.TURNS)
            if random.random() < self.HELD_CHANCE:
                self._held, self._held_until = f"c{cluster}.", turn + random.choice(self.HELD)


class _Next:
    """Holds the first label of those that start and end so, and no other."""

    def __init__(self, start: str, end: str) -> None:
        self._start, self._end, self._found = start, end, ""

    def __call__(self, label: str) -> bool:
        if not self._found and label.startswith(self._start) and label.endswith(self._end):
            self._found = label
        return label == self._found
