"""Peterson's filter lock for N processes: N - 1 levels, the last to come to a level waits.

Source: Peterson, "Myths about the mutual exclusion problem" (1981); the atomic steps are the customary
ones of model-checking benchmarks, one shared variable each.
"""

from enum import Enum

from kmigrate.spec.language import (
    Map,
    Model,
    Range,
    action,
    array,
    at_most_one,
    invariant,
    parameter,
    require,
)


class Place(Enum):
    """Where a process is in its program."""

    NCS = "ncs"
    WAIT = "wait"
    ANNOUNCE = "q2"
    SCAN = "q3"
    CS = "cs"


Process = Range(0, "last_process")


class Peterson(Model):
    """Mutual exclusion with reads and writes alone."""

    processes: int = parameter(2, "competing processes", low=2, high=6)

    @property
    def last_process(self) -> int:
        """The highest process number."""
        return self.processes - 1

    place: Map[int, Place] = array("where each process is", Process, of=Place, init=Place.NCS)
    level: Map[int, int] = array("j: the level it tries to pass", Process, of=Range(0, "processes"), init=0)
    scanned: Map[int, int] = array("k: the rivals it has passed", Process, of=Range(0, "processes"), init=0)
    pos: Map[int, int] = array("the level each has announced", Process, of=Range(0, "processes"), init=0)
    step: Map[int, int] = array("who came last to each level", Process, of=Process, init=0)

    @action(i=Process)
    def want(self, i: int) -> None:
        """Leave the non-critical section."""
        require(self.place[i] == Place.NCS)
        self.place[i] = Place.WAIT
        self.level[i] = 1

    @action(i=Process)
    def announce(self, i: int) -> None:
        """Write the level that is tried."""
        require(self.place[i] == Place.WAIT)
        require(self.level[i] < self.processes)
        self.place[i] = Place.ANNOUNCE
        self.pos[i] = self.level[i]

    @action(i=Process)
    def come_last(self, i: int) -> None:
        """Write oneself as the last to come to this level."""
        require(self.place[i] == Place.ANNOUNCE)
        require(self.level[i] > 0)
        self.place[i] = Place.SCAN
        self.step[self.level[i] - 1] = i
        self.scanned[i] = 0

    @action(i=Process)
    def pass_rival(self, i: int) -> None:
        """The next rival is behind, or is oneself."""
        require(self.place[i] == Place.SCAN)
        require(self.scanned[i] < self.processes)
        k = self.scanned[i]
        require(k == i or self.behind(self.pos[k], self.level[i]))
        self.scanned[i] = k + 1

    def behind(self, announced: int, level: int) -> bool:
        """Whether a rival that announced one level leaves the way to another free."""
        return announced < level

    @action(i=Process)
    def pass_level(self, i: int) -> None:
        """Another came later, or all rivals are behind: the next level."""
        require(self.place[i] == Place.SCAN)
        require(0 < self.level[i] < self.processes)
        require(self.step[self.level[i] - 1] != i or self.scanned[i] == self.processes)
        self.place[i] = Place.WAIT
        self.level[i] = self.level[i] + 1

    @action(i=Process)
    def enter(self, i: int) -> None:
        """All levels are passed: enter the critical section."""
        require(self.place[i] == Place.WAIT)
        require(self.level[i] == self.processes)
        self.place[i] = Place.CS

    @action(i=Process)
    def leave(self, i: int) -> None:
        """Leave the critical section and withdraw the announcement."""
        require(self.place[i] == Place.CS)
        self.place[i] = Place.NCS
        self.pos[i] = 0

    @invariant
    def mutual_exclusion(self) -> bool:
        """No two processes are in the critical section."""
        return at_most_one(Process, lambda i: self.place[i] == Place.CS)
