"""The slave cores of a cluster: each fills its TLB and its caches by itself, and nothing keeps them coherent.

The threads of a process share its words under a mutex, whose taker invalidates its data cache, as programs must.
An access is visible from outside, in `accessed` and `result`, until the next step: that is what makes a wrong one a
wrong step.

Source: nanvix-facts 1, 3.1, 9 H31. Deviations: spec/README.md.
"""

from kmigrate.spec.language import Identity, Map, Member, Range, action, array, require, variable
from kmigrate.spec.memory.places import NO_TEXT, NOWHERE, Life, Page, Place, Places, Value, Word
from kmigrate.spec.protocol.clusters import Process, ProcessId

NOTHING = -1
"""No word: the last step was no access."""


class SlaveId(Member):
    """One slave core, with its TLB and its caches."""

    letter = "s"


Slave = Identity(SlaveId, "cores")


class Cores(Places):
    """What the cores hold, and what user threads do through it."""

    inside: Map[SlaveId, bool] = array("the core is in user code", Slave, of=bool, init=False)
    turn: SlaveId = variable(
        "whose thread holds the mutex under which they share their words", of=Slave.or_null, init=Slave.null
    )
    tlb: Map[tuple[SlaveId, int], int] = array(
        "the translation of a page in a core's TLB", Slave, Page, of=Range(NOWHERE, "last_place"), init=NOWHERE
    )
    cached: Map[tuple[SlaveId, int], bool] = array(
        "the core's data cache has a line of the place", Slave, Place, of=bool, init=False
    )
    line_of: Map[tuple[SlaveId, int], ProcessId] = array(
        "whose word the line holds", Slave, Place, of=Process.or_null, init=Process.null
    )
    line: Map[tuple[SlaveId, int], int] = array("the word in the line", Slave, Place, of=Value, init=0)
    instructions: Map[SlaveId, int] = array(
        "the program in the core's instruction cache", Slave, of=Range(NO_TEXT, "programs"), init=NO_TEXT
    )

    accessed: int = variable(
        "the word that the last step loaded or stored; past the last one: it fetched",
        of=Range(NOTHING, "words"),
        init=NOTHING,
    )
    result_of: ProcessId = variable("whose word it was", of=Process.or_null, init=Process.null)
    result: int = variable("what was loaded, stored or fetched", of=Range(0, "highest_result"), init=0)

    def show(self, word: int, whose: ProcessId, result: int) -> None:
        """An access is seen from outside: this is what makes a wrong one a wrong step."""
        self.accessed = word
        self.result_of = whose
        self.result = result

    def show_nothing(self) -> None:
        """This step is no access."""
        self.accessed = NOTHING
        self.result_of = Process.null
        self.result = 0

    def drop_data_lines(self, core: SlaveId) -> None:
        """dcache_invalidate: all data lines of the calling core."""
        for place in range(self.last_place + 1):
            self.cached[core, place] = False
            self.line_of[core, place] = Process.null
            self.line[core, place] = 0

    def switch_context(self, core: SlaveId) -> None:
        """The kernel's context switch, which drops the core's data lines and nothing else."""
        self.drop_data_lines(core)

    @action(core=Slave)
    def enter(self, core: SlaveId) -> None:
        """The core is given its user thread."""
        require(self.life == Life.RUNNING and not self.inside[core])
        self.inside[core] = True
        self.switch_context(core)
        self.show_nothing()

    @action(core=Slave)
    def leave(self, core: SlaveId) -> None:
        """The core leaves its user thread, which blocks, yields, or is stopped by a freeze."""
        require(self.inside[core])
        self.inside[core] = False
        self.switch_context(core)
        self.show_nothing()

    @action(giver=Slave, taker=Slave)
    def hand_over(self, giver: SlaveId, taker: SlaveId) -> None:
        """The mutex changes hands. The program invalidates, as it must: data caches are not coherent."""
        require(giver != taker and self.turn == giver)
        require(self.inside[giver] and self.inside[taker])
        self.turn = taker
        self.drop_data_lines(giver)
        self.drop_data_lines(taker)
        self.show_nothing()

    @action(core=Slave, page=Page)
    def fill(self, core: SlaveId, page: int) -> None:
        """A TLB miss: the handler walks the table and writes the entry."""
        require(self.inside[core])
        require(self.tlb[core, page] == NOWHERE)
        self.tlb[core, page] = self.table[page]
        self.show_nothing()

    @action(core=Slave)
    def fetch(self, core: SlaveId) -> None:
        """Fetch an instruction, through the instruction cache."""
        require(self.inside[core])
        if self.instructions[core] == NO_TEXT:
            self.show(self.words, Process.null, self.text)
            self.instructions[core] = self.text
        else:
            self.show(self.words, Process.null, self.instructions[core])

    def translated(self, core: SlaveId, word: int) -> bool:
        """Whether a core can reach a word without a miss; kernel memory always."""
        return not self.is_page(word) or self.tlb[core, word] != NOWHERE

    def reached(self, core: SlaveId, word: int) -> int:
        """The place that a core reaches for a word: by its TLB for a page, by the table for the rest."""
        return self.tlb[core, word] if self.is_page(word) else self.table[word]

    @action(core=Slave, word=Word)
    def load(self, core: SlaveId, word: int) -> None:
        """Load a word, from the data cache if it has a line, else from memory into the cache."""
        require(self.inside[core] and self.turn == core)
        require(self.translated(core, word))
        place = self.reached(core, word)
        if self.cached[core, place]:
            self.show(word, self.line_of[core, place], self.line[core, place])
        else:
            self.show(word, self.data_of[place], self.data[place])
            self.cached[core, place] = True
            self.line_of[core, place] = self.data_of[place]
            self.line[core, place] = self.data[place]

    @action(core=Slave, word=Word, value=Value)
    def store(self, core: SlaveId, word: int, value: int) -> None:
        """Store a word: through to memory, and into the core's own line if it has one."""
        require(self.inside[core] and self.turn == core)
        require(self.translated(core, word))
        place = self.reached(core, word)
        self.data_of[place] = self.occupant
        self.data[place] = value
        if self.cached[core, place]:
            self.line_of[core, place] = self.occupant
            self.line[core, place] = value
        self.show(word, self.occupant, value)
