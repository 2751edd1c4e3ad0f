"""An atomic memory, and how the memory of a cluster with its TLBs and caches looks like one.

The atomic memory knows no places, cores or lines: a word is what was written last, wherever the process was when
it wrote, and a load gives it.

Source: thesis 4.4 (what belongs to a process); nanvix-facts 9, I3 and I8.
"""

from kmigrate.spec.language import Map, Model, Range, action, array, invariant, parameter, require, variable
from kmigrate.spec.memory import Memory
from kmigrate.spec.memory.cores import NOTHING
from kmigrate.spec.memory.places import NO_TEXT, NOWHERE, Life
from kmigrate.spec.protocol.clusters import Process, ProcessId
from kmigrate.spec.refinements import NoAbstraction, Refinement

Word = Range(0, "last_word")
Value = Range(0, "last_value")


class AtomicMemory(Model):
    """One process at a time, and its words; on its way in it is already the one."""

    processes: int = parameter(2, "processes that may live here, one after the other", low=1, high=4)
    pages: int = parameter(2, "user pages of a process", low=1, high=4)
    stacks: int = parameter(1, "thread stacks of a process", low=1, high=4)
    values: int = parameter(2, "values that a word can have", low=1, high=4)
    programs: int = parameter(2, "different programs: processes share them in turn", low=1, high=4)

    @property
    def last_word(self) -> int:
        """The number of the runtime's word, after all pages and stacks."""
        return self.pages + self.stacks

    @property
    def words(self) -> int:
        """How many words a process has; as the number of a word: its text."""
        return self.last_word + 1

    @property
    def last_value(self) -> int:
        """The highest value of a word."""
        return self.values - 1

    @property
    def highest_result(self) -> int:
        """The highest value that an access may have."""
        return max(self.last_value, self.programs)

    process: ProcessId = variable("whose memory this is", of=Process.or_null, init=Process.null)
    program: Map[ProcessId, int] = array(
        "the program of a process; never changes",
        Process,
        of=Range(NO_TEXT, "programs"),
        init=lambda model, p: p.index % model.programs + 1,
    )
    memory: Map[int, int] = array("the words, each as it was written last", Word, of=Value, init=0)
    accessed: int = variable(
        "the word that the last step loaded or stored; past the last one: it fetched",
        of=Range(NOTHING, "words"),
        init=NOTHING,
    )
    result: int = variable("what was loaded, stored or fetched", of=Range(0, "highest_result"), init=0)

    @action(process=Process)
    def come(self, process: ProcessId) -> None:
        """The memory of a process is looked at; none of its words has been written yet."""
        require(self.process == Process.null)
        self.process = process

    @action
    def go(self) -> None:
        """It is looked at no more."""
        require(self.process != Process.null)
        self.process = Process.null
        self.accessed = NOTHING
        self.result = 0
        for word in range(self.words):
            self.memory[word] = 0

    @action(word=Word, value=Value)
    def store(self, word: int, value: int) -> None:
        """Write a word."""
        require(self.process != Process.null)
        self.memory[word] = value
        self.accessed = word
        self.result = value

    @action(word=Word)
    def load(self, word: int) -> None:
        """Load a word: it is what was written last."""
        require(self.process != Process.null)
        self.accessed = word
        self.result = self.memory[word]

    @action
    def fetch(self) -> None:
        """Fetch an instruction: it is of the process's program."""
        require(self.process != Process.null)
        self.accessed = self.words
        self.result = self.program[self.process]

    @action
    def rest(self) -> None:
        """The last access is over."""
        self.accessed = NOTHING
        self.result = 0

    @invariant("I8")
    def loads_are_current(self) -> bool:
        """What was loaded is what was written last."""
        return not 0 <= self.accessed <= self.last_word or self.memory[self.accessed] == self.result


def last_written(memory: Memory, atomic: AtomicMemory) -> None:
    """Before a process stands here its words are those of its image; then those that its table names."""
    at_home = memory.standing() and memory.life != Life.SETTLING
    atomic.process = Process.null if memory.life == Life.CLEARING else memory.occupant
    for index in range(memory.processes):
        atomic.program[ProcessId(index)] = memory.program[ProcessId(index)]
    for word in range(memory.words):
        place = memory.table[word]
        if at_home and place == NOWHERE:
            raise NoAbstraction(f"word {word} of {memory.occupant} is nowhere")
        atomic.memory[word] = memory.data[place] if at_home else memory.image[word]
    atomic.accessed = memory.accessed
    atomic.result = memory.result


MEMORY_ATOMIC = Refinement("memory-atomic", Memory, AtomicMemory, last_written)
"""The memory of a cluster is an atomic memory for each process, also across a migration."""
